// The thread of placements.mjs that sends: raw sockets, one request at a time on each, on time.
import net from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { entries, worlds, rate, room, patience } = workerData;
const now = () => Number(process.hrtime.bigint()) / 1e6;

const records = { sent: [], took: [], status: [], entry: [] }; // by the number of the request
const troubles = {}; // what ended requests that had no answer, and bodies of answers that are no 2xx
let open = 0, lagMs = 0, connections = 0, stopping = false;

const note = (what) => (troubles[what] = (troubles[what] ?? 0) + 1);

/** The requests of an entry for each world, as bytes. */
function requestsTo(origin) {
  const body = JSON.stringify({ roomId: room, autoCreate: false });
  return worlds.map((world) => Buffer.from(
    `POST /parties/world/${world}/connect HTTP/1.1\r\nHost: ${new URL(origin).host}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
}

const doors = entries.map((origin, index) => ({ index, port: Number(new URL(origin).port), requests: requestsTo(origin), idle: [], used: true }));

/** A connection to a door; `number`: of the request that it is busy with, or -1. */
class Caller {
  constructor(door) {
    this.door = door;
    this.number = -1;
    this.text = "";
    connections++;
    this.socket = net.connect({ port: door.port, host: "127.0.0.1", noDelay: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text) => this.take(text));
    this.socket.on("error", (error) => this.end(error.code));
    this.socket.on("close", () => this.end("closed without an answer"));
  }
  send(number, bytes) {
    this.number = number;
    this.sentMs = now();
    this.socket.write(bytes);
  }
  take(text) {
    this.text += text;
    const end = this.text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.text.slice(0, end).toLowerCase();
    const length = Number(head.match(/\r\ncontent-length: *(\d+)/)?.[1] ?? 0);
    if (this.text.length < end + 4 + length) return;
    this.answered(Number(head.slice(9, 12)), head.includes("\r\nconnection: close"));
  }
  answered(status, last) {
    if (status < 200 || status > 299) note(`${status} ${this.text.slice(this.text.indexOf("\r\n\r\n") + 4)}`);
    this.text = "";
    this.record(status);
    if (last || stopping) this.socket.destroy();
    else this.door.idle.push(this);
  }
  record(status) {
    records.sent[this.number] = this.sentMs;
    records.took[this.number] = now() - this.sentMs;
    records.status[this.number] = status;
    records.entry[this.number] = this.door.index;
    this.number = -1;
    open--;
  }
  end(why) {
    this.socket.destroy();
    this.gone = true;
    if (this.number < 0) return;
    note(why);
    this.record(0);
  }
}

/** An idle connection of the door, the one used last first; else a new one. */
function caller(door) {
  while (door.idle.length) {
    const one = door.idle.pop();
    if (!one.gone) return one;
  }
  return new Caller(door);
}

function send(number, dueMs) {
  const used = doors.filter((d) => d.used);
  const door = used[number % used.length];
  lagMs = Math.max(lagMs, now() - dueMs);
  open++;
  caller(door).send(number, door.requests[Math.floor(number / used.length) % worlds.length]);
}

const startMs = now();
let sent = 0;
const timer = setInterval(() => {
  const due = Math.floor(((now() - startMs) * rate) / 1000);
  for (; sent < due; sent++) send(sent, startMs + (sent * 1000) / rate);
}, 1);

/** Waits for what is under way, a little longer than it may take, and hands over what became of all. */
function stop() {
  clearInterval(timer);
  stopping = true;
  const lastMs = now() + patience + 500;
  const wait = setInterval(() => {
    if (open > 0 && now() < lastMs) return;
    clearInterval(wait);
    const unanswered = open;
    parentPort.postMessage({ records, troubles, sent, unanswered, lagMs, connections });
  }, 10);
}

parentPort.on("message", ({ stop: last, entry, used }) => {
  if (last) stop();
  else doors[entry].used = used;
});
