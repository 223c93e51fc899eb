// A WebSocket client that is nothing but a socket: it writes what a case says, and judges what the server writes.
import net from "node:net";
import { createHash } from "node:crypto";
import { CLOSE, CONTINUATION, PING, PONG, TEXT } from "./frames.mjs";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const accept = (key) => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/** The headers of a good handshake; `changes` replaces some (undefined: leaves it out; an array: a line each). */
export function handshake(path, changes = {}, { method = "GET", version = "HTTP/1.1" } = {}) {
  const headers = { Host: "localhost", Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13", ...changes };
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().filter((v) => v !== undefined).map((v) => `${name}: ${v}\r\n`));
  return `${method} ${path} ${version}\r\n${lines.join("")}\r\n`;
}

export class Peer {
  /** `socket` of its own to `origin`; or one that stands, with a client that must mask behind it. */
  constructor(origin, socket) {
    this.masks = []; // of a client's frames: their keys
    this.fromClient = socket !== undefined;
    this.input = Buffer.alloc(0);
    this.head = null; // { status, headers }
    this.texts = [];
    this.pongs = [];
    this.pings = [];
    this.closed = null; // { code, reason } of the server's close frame
    this.ended = null; // "end" or "reset"
    this.wrong = []; // what no server may do
    this.waiters = new Set();
    this.socket = socket ?? net.connect({ port: Number(new URL(origin).port), host: "127.0.0.1" });
    this.socket.setNoDelay(true);
    this.socket.on("data", (data) => this.take(data));
    this.socket.on("end", () => this.end("end"));
    this.socket.on("error", () => this.end("reset"));
    this.socket.on("close", () => this.end("end"));
  }
  end(how) {
    this.ended ??= how;
    this.wake();
  }
  wake() {
    for (const waiter of this.waiters) waiter();
  }
  /** Waits until `fn` is true; an error after `ms`. */
  until(fn, what, ms = 8000) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!fn()) return;
        clearTimeout(timer);
        this.waiters.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiters.delete(look);
        reject(new Error(`no ${what} after ${ms} ms; so far ${this.story()}`));
      }, ms);
      this.waiters.add(look);
      look();
    });
  }
  story() {
    const short = (list) => list.map((t) => (t.length > 40 ? `(${t.length})` : t)).join(" ");
    return `status ${this.head?.status ?? "none"}, texts [${short(this.texts)}], pongs ${this.pongs.length}, close ${JSON.stringify(this.closed)}, TCP ${this.ended ?? "open"}`;
  }
  /** Writes each piece as a segment of its own: the next one goes when the kernel has taken the last. */
  async send(pieces) {
    for (const piece of [pieces].flat()) {
      if (this.socket.destroyed || this.socket.writableEnded) return;
      await new Promise((next) => this.socket.write(piece, () => setImmediate(next)));
    }
  }
  /** The opening handshake, which must succeed; with `more` right behind it. */
  async open(path, more = Buffer.alloc(0)) {
    await this.send(Buffer.concat([Buffer.from(handshake(path)), more]));
    await this.until(() => this.head || this.ended, "answer to the handshake");
    if (this.head?.status !== 101) throw new Error(`the handshake was answered with ${this.head?.status}`);
    if (this.head.headers["sec-websocket-accept"] !== accept(KEY)) throw new Error("a wrong Sec-WebSocket-Accept");
    return this;
  }
  take(data) {
    this.input = Buffer.concat([this.input, data]);
    if (!this.head) this.takeHead();
    while (this.head?.status === 101 && this.takeFrame());
    this.wake();
  }
  takeHead() {
    const end = this.input.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [line, ...lines] = this.input.subarray(0, end).toString("latin1").split("\r\n");
    const headers = {};
    for (const header of lines) {
      const colon = header.indexOf(":");
      const name = header.slice(0, colon).toLowerCase();
      if (name in headers) this.wrong.push(`the header ${name} twice`);
      headers[name] = header.slice(colon + 1).trim();
    }
    this.head = { status: Number(line.split(" ")[1]), headers };
    this.input = this.input.subarray(end + 4);
  }
  takeFrame() {
    const b = this.input;
    if (b.length < 2) return false;
    const short = b[1] & 127;
    const keyAt = short === 127 ? 10 : short === 126 ? 4 : 2;
    const size = keyAt + (b[1] & 128 ? 4 : 0);
    if (b.length < size) return false;
    const length = short === 127 ? Number(b.readBigUInt64BE(2)) : short === 126 ? b.readUInt16BE(2) : short;
    if (b.length < size + length) return false;
    this.judge(b[0], b[1], length, keyAt);
    this.hear(b[0] & 15, this.unmask(b.subarray(keyAt, size), Buffer.from(b.subarray(size, size + length))));
    this.input = b.subarray(size + length);
    return true;
  }
  unmask(key, payload) {
    if (key.length === 0) return payload;
    this.masks.push(key.readUInt32BE(0));
    for (let i = 0; i < payload.length; i++) payload[i] ^= key[i % 4];
    return payload;
  }
  /** What section 5 demands of a peer's frame, when no extension was negotiated. */
  judge(first, second, length, size) {
    const opcode = first & 15;
    if (first & 0x70) this.wrong.push(`RSV bits ${first & 0x70}`);
    if (Boolean(second & 0x80) !== this.fromClient) this.wrong.push(this.fromClient ? "an unmasked frame" : "a masked frame");
    if (size !== (length > 65535 ? 10 : length > 125 ? 4 : 2)) this.wrong.push(`${length} in a head of ${size}`);
    if (![CONTINUATION, TEXT, 2, CLOSE, PING, PONG].includes(opcode)) this.wrong.push(`opcode ${opcode}`);
    if (opcode >= CLOSE && (!(first & 0x80) || length > 125)) this.wrong.push("a fragmented or long control frame");
    if (this.closed) this.wrong.push(`opcode ${opcode} behind the close frame`);
  }
  hear(opcode, payload) {
    if (opcode === PONG) this.pongs.push(payload.toString("latin1"));
    else if (opcode === PING) this.pings.push(payload);
    else if (opcode === CLOSE) this.hearClose(payload);
    else this.texts.push(this.decode(payload, "a text"));
  }
  hearClose(payload) {
    if (payload.length === 1) this.wrong.push("a close frame of one byte");
    const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.closed = { code, reason: this.decode(payload.subarray(2), "a reason") };
  }
  decode(payload, what) {
    try {
      return utf8.decode(payload);
    } catch {
      this.wrong.push(`${what} that is not UTF-8`);
      return "";
    }
  }
  leave() {
    this.socket.destroy();
  }
}
