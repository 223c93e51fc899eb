// A guest on the unmodified ReconnectingWebSocket, over `ws`.
import ReconnectingWebSocket from "partysocket/ws";
import WebSocket from "ws";

/** `read`: what a message (a text) means: { server } or { heard }. `write`: the message that says a text to all. */
export class Redialled {
  constructor(t, url, { read, write }) {
    Object.assign(this, { opens: 0, closes: [], refusals: 0, heard: [], write });
    this.socket = new ReconnectingWebSocket(url.replace(/^http/, "ws"), [], { WebSocket, minReconnectionDelay: 100, maxReconnectionDelay: 400 });
    this.socket.addEventListener("open", () => this.opens++);
    this.socket.addEventListener("error", () => this.refusals++);
    this.socket.addEventListener("close", (event) => {
      if (this.here) this.closes.push(event.code);
      this.server = undefined;
    });
    this.socket.addEventListener("message", ({ data }) => {
      const { server, heard } = read(data);
      if (server) this.server = server;
      if (heard !== undefined) this.heard.push(heard);
    });
    t.after(() => this.leave());
  }
  get here() {
    return this.server !== undefined;
  }
  async say(text) {
    this.socket.send(this.write(text));
  }
  leave() {
    this.socket.close();
  }
}
