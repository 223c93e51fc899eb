// A server that knows nothing of Terrane, for mode pass: HTTP that tells what it was asked, and a WebSocket (`ws`) that echoes.
import http from "node:http";
import { WebSocketServer } from "ws";

const living = new Set();

export class Passed {
  static async start(t, { name = "a", port = 0, ...options } = {}) {
    const s = new Passed(name, options);
    await new Promise((resolve) => s.http.listen(port, "127.0.0.1", resolve));
    s.port = s.http.address().port;
    s.origin = `http://127.0.0.1:${s.port}`;
    t?.after(() => s.die());
    return s;
  }

  constructor(name, options) {
    this.name = name;
    this.upgrades = []; // requests, in order
    this.sockets = []; // of each client
    this.closes = []; // [code, reason]
    this.onRequest = (req, res) => {
      res.setHeader("set-cookie", ["served=1; Path=/", "two=2"]);
      res.setHeader("x-name", name);
      res.end(req.method === "HEAD" ? undefined : JSON.stringify({ name, method: req.method, url: req.url, headers: req.headers }));
    };
    this.onMessage = (ws, data, binary) => ws.send(data, { binary });
    this.onUpgrade = null; // (req, socket) → true: it was answered
    this.http = http.createServer((req, res) => this.onRequest(req, res));
    this.wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 64 << 20, ...options });
    this.wss.on("headers", (headers) => headers.push("Set-Cookie: joined=yes; HttpOnly", `x-name: ${name}`));
    this.http.on("upgrade", (req, socket, head) => {
      this.upgrades.push(req);
      socket.on("error", () => {});
      if (this.onUpgrade?.(req, socket)) return;
      this.wss.handleUpgrade(req, socket, head, (ws) => this.#join(ws, req));
    });
    this.http.on("connection", (socket) => {
      living.add(socket);
      socket.once("close", () => living.delete(socket));
      (this.open ??= new Set()).add(socket);
      socket.once("close", () => this.open.delete(socket));
    });
  }

  #join(ws, req) {
    ws.request = req;
    this.sockets.push(ws);
    ws.on("error", () => {});
    ws.on("message", (data, binary) => this.onMessage(ws, data, binary));
    ws.on("close", (code, reason) => this.closes.push([code, reason.toString()]));
    this.onJoin?.(ws);
  }

  /** Stops listening and breaks all connections. */
  async die() {
    const closed = new Promise((resolve) => this.http.close(resolve));
    for (const socket of this.open ?? []) socket.destroy();
    await closed;
  }
}
