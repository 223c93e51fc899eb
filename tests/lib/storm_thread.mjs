// Clients of tests/lib/storm.mjs: bare WebSockets, so that thousands of them cost little.
import net from "node:net";
import os from "node:os";
import { parentPort, workerData } from "node:worker_threads";

const { port, shard, prefix, from, to, backOff } = workerData;
os.setPriority(10); // of this thread: who makes the storm yields to who is in it
const now = () => Number(process.hrtime.bigint()) / 1e6;
const waiters = new Set(); // looked at with every client that comes in
const times = [];

/** A text frame of a client, under the mask 0. */
function frame(text) {
  const head = text.length < 126 ? [0x81, 0x80 | text.length, 0, 0, 0, 0] : [0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
}

class Client {
  constructor(n) {
    this.head = `GET /parties/shard/${encodeURIComponent(shard)}?id=${prefix}${n} HTTP/1.1\r\nHost: game.example\r\nConnection: Upgrade\r\n` +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    Object.assign(this, { tries: 0, retries: 0, refused: 0, lost: 0, at: 0, open: false });
  }
  dial() {
    this.tries++;
    const socket = (this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true }));
    let head = "";
    this.patience = setTimeout(() => this.gone(socket), backOff.patience);
    socket.write(this.head);
    socket.on("error", () => {});
    socket.on("close", () => this.gone(socket));
    socket.on("data", (data) => {
      if (this.open) return this.heard(data);
      head += data.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      if (head.startsWith("HTTP/1.1 101 ")) return this.opened(socket);
      this.refused++;
      this.gone(socket);
    });
  }
  opened() {
    clearTimeout(this.patience);
    this.open = true;
    this.at = now();
    this.uptime = setTimeout(() => (this.retries = 0), backOff.uptime);
    for (const look of waiters) look();
  }
  /** As PartySocket: each loss, timeout and refusal is answered by one more try, later. */
  gone(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    clearTimeout(this.patience);
    clearTimeout(this.uptime);
    if (this.open) this.lost++;
    this.open = false;
    socket.destroy();
    const wait = Math.min(backOff.first * backOff.grow ** this.retries++, backOff.most);
    setTimeout(() => this.dial(), wait);
  }
  drop() {
    Object.assign(this, { tries: 0, refused: 0, retries: 0, at: 0 });
    this.socket.resetAndDestroy();
    this.gone(this.socket);
  }
  say() {
    if (this.open) this.socket.write(frame(JSON.stringify({ at: now() })));
  }
  /** Short frames of the room, a few in a packet at most. */
  heard(data) {
    this.rest = this.rest?.length ? Buffer.concat([this.rest, data]) : data;
    while (this.rest.length >= 2 && this.rest.length >= 2 + (this.rest[1] & 127)) {
      const end = 2 + (this.rest[1] & 127);
      if (this.rest[0] === 0x81) times.push(now() - JSON.parse(this.rest.subarray(2, end)).at);
      this.rest = this.rest.subarray(end);
    }
  }
}

const clients = Array.from({ length: to - from }, (_, i) => new Client(from + i));
const outcome = () => clients.map(({ at, tries, refused }) => ({ at, tries, refused }));

function allIn() {
  return new Promise((resolve) => {
    const look = () => {
      if (!clients.every((c) => c.open)) return;
      waiters.delete(look);
      resolve();
    };
    waiters.add(look);
    look();
  });
}

const does = {
  async open({ perSecond }) {
    const start = now();
    let dialed = 0;
    const pace = setInterval(() => {
      for (const due = ((now() - start) / 1000) * perSecond; dialed < clients.length && dialed < due; dialed++) clients[dialed].dial();
      if (dialed === clients.length) clearInterval(pace);
    }, 5);
    await allIn();
    return [];
  },
  drop() {
    for (const c of clients) c.drop();
    return [];
  },
  come({ at }) {
    setTimeout(() => clients.forEach((c) => c.dial()), at - now());
    return [];
  },
  async back() {
    await allIn();
    return outcome();
  },
  talk({ perSecond }) {
    clients.forEach((c, i) => setTimeout(() => setInterval(() => c.say(), 1000 / perSecond), ((i / clients.length) * 1000) / perSecond));
    return [];
  },
  heard() {
    return [{ times: Float64Array.from(times.splice(0)), lost: clients.reduce((sum, c) => sum + c.lost, 0) }];
  },
};

parentPort.on("message", async (order) => parentPort.postMessage(await does[order.what](order)));
