// A connection to a Redis of the tests: commands go out as they are, answers come back as JavaScript values.
import net from "node:net";

/** An error that Redis answered. */
export class RedisError extends Error {}

/** The value that starts at `at`: { value, end }, or null while bytes are missing. */
function read(buffer, at) {
  const eol = buffer.indexOf("\r\n", at);
  if (eol < 0) return null;
  const head = buffer.toString("utf8", at + 1, eol);
  const next = eol + 2;
  switch (String.fromCharCode(buffer[at])) {
    case "+": return { value: head, end: next };
    case "-": return { value: new RedisError(head), end: next };
    case ":": return { value: Number(head), end: next };
    case "$": return readBulk(buffer, next, Number(head));
    case "*": return readList(buffer, next, Number(head));
    default: throw new Error(`this is no Redis: ${buffer.toString("latin1", at, at + 40)}`);
  }
}

function readBulk(buffer, at, length) {
  if (length < 0) return { value: null, end: at };
  if (buffer.length < at + length + 2) return null;
  return { value: buffer.toString("utf8", at, at + length), end: at + length + 2 };
}

function readList(buffer, at, count) {
  const value = [];
  for (let i = 0; i < count; i++) {
    const item = read(buffer, at);
    if (!item) return null;
    value.push(item.value);
    at = item.end;
  }
  return { value, end: at };
}

export class Resp {
  constructor(port, host = "127.0.0.1") {
    this.waiting = [];
    this.rest = Buffer.alloc(0);
    this.socket = net.connect(port, host);
    this.socket.setNoDelay(true);
    this.socket.on("data", (data) => this.take(data));
    this.socket.on("error", (error) => this.fail(error));
    this.socket.on("close", () => this.fail(new Error("the connection to Redis has ended")));
  }
  take(data) {
    this.rest = Buffer.concat([this.rest, data]);
    for (;;) {
      const found = this.rest.length ? read(this.rest, 0) : null;
      if (!found) return;
      this.rest = this.rest.subarray(found.end);
      const { resolve, reject } = this.waiting.shift();
      if (found.value instanceof RedisError) reject(found.value);
      else resolve(found.value);
    }
  }
  fail(error) {
    this.ended = error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
  /** Sends one command; answers what Redis did, or throws its error. */
  ask(...words) {
    if (this.ended) return Promise.reject(this.ended);
    const parts = words.map((w) => `$${Buffer.byteLength(String(w))}\r\n${w}\r\n`);
    this.socket.write(`*${words.length}\r\n${parts.join("")}`);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }
  /** A hash as a map of its fields. */
  async hash(key) {
    const flat = await this.ask("HGETALL", key);
    return new Map(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]));
  }
  end() {
    this.socket.destroy();
  }
}
