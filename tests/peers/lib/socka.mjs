// A client of socka v1 frames: calls by id, events, and its own reconnection with growing delays.
import { decode, encode } from "@msgpack/msgpack";
import WebSocket from "ws";

const FIRST_DELAY_MS = 100, LAST_DELAY_MS = 400;

export class SockaError extends Error {
  constructor({ error, code, data, rpc }) {
    super(error);
    Object.assign(this, { code, data, rpc });
  }
}

export class Socka {
  /** `wireFormat`: "json" or "msgpack". `onOpen`: after each time that it has been opened; `onEvent`: (event, body). */
  constructor(t, url, { wireFormat = "json", onOpen = () => {}, onEvent = () => {} } = {}) {
    Object.assign(this, { url: `${url.replace(/^http/, "ws")}?wireFormat=${wireFormat}`, packed: wireFormat === "msgpack", onOpen, onEvent });
    Object.assign(this, { pending: new Map(), serial: 0, closes: [], reasons: [], refusals: 0, tries: 0 });
    this.dial();
    t.after(() => this.close());
  }
  dial() {
    const ws = (this.ws = new WebSocket(this.url));
    ws.on("open", () => {
      this.open = true;
      this.tries = 0;
      this.onOpen();
    });
    ws.on("message", (data, binary) => this.take(binary ? decode(data) : JSON.parse(data.toString()), binary));
    ws.on("error", () => {});
    ws.on("close", (code, reason) => this.closed(code, reason.toString()));
  }
  closed(code, reason) {
    if (this.open) this.closes.push(code) && this.reasons.push(reason);
    else this.refusals++;
    this.open = false;
    for (const { reject } of this.pending.values()) reject(new Error("the connection is gone"));
    this.pending.clear();
    if (!this.left) this.timer = setTimeout(() => this.dial(), Math.min(FIRST_DELAY_MS * 2 ** this.tries++, LAST_DELAY_MS));
  }
  take(frame, binary) {
    if (frame.v !== 1 || binary !== this.packed) return this.ws.close(1002);
    if (frame.socka === "serverEvent") return this.onEvent(frame.event, frame.body);
    const { resolve, reject } = this.pending.get(frame.id);
    this.pending.delete(frame.id);
    frame.socka === "serverError" ? reject(new SockaError(frame)) : resolve(frame.body);
  }
  call(rpc, body = {}) {
    const id = String(++this.serial);
    const frame = { socka: "clientRequest", v: 1, id, rpc, body };
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.ws.send(this.packed ? encode(frame) : JSON.stringify(frame));
    });
  }
  close() {
    this.left = true;
    clearTimeout(this.timer);
    this.ws.close();
  }
}
