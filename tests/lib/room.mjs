// A room server that does what a test says, and writes down what reaches it.
import http from "node:http";
import https from "node:https";
import { WebSocketServer } from "ws";
import { until } from "./runner.mjs";

export class Room {
  constructor() {
    this.links = []; // { ws, url, headers, frames (parsed) } in the order of their upgrade
    this.requests = []; // { method, url, headers }
    this.onFrame = null; // (frame, link), for each frame of a node
    this.onRequest = (req, res) => res.end("{}");
    this.sockets = new Set();
  }

  /** Listens; `port` of an earlier room server makes this one its restart. `tls`: { cert, key }, it speaks TLS then. */
  static async start({ port = 0, tls } = {}) {
    const room = new Room();
    const answer = (req, res) => {
      room.requests.push({ method: req.method, url: req.url, headers: req.headers });
      if (req.method === "OPTIONS" && !req.headers["x-forwarded-by-shard"]) res.end("{}"); // a warm-up
      else room.onRequest(req, res);
    };
    room.server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    room.server.on("connection", (socket) => {
      room.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => room.sockets.delete(socket));
    });
    const wss = new WebSocketServer({ noServer: true });
    room.server.on("upgrade", (req, socket, head) => wss.handleUpgrade(req, socket, head, (ws) => room.accept(ws, req)));
    await new Promise((resolve, reject) => room.server.once("error", reject).listen(port, "127.0.0.1", resolve));
    room.port = room.server.address().port;
    room.origin = `${tls ? "https" : "http"}://127.0.0.1:${room.port}`;
    return room;
  }
  accept(ws, req) {
    const link = { ws, url: req.url, headers: req.headers, frames: [], closed: null };
    this.links.push(link);
    ws.on("message", (data) => {
      const frame = JSON.parse(data.toString());
      link.frames.push(frame);
      this.onFrame?.(frame, link);
    });
    ws.on("close", (code) => (link.closed = code));
    ws.on("error", () => {});
  }
  /** All frames of all links, in order. */
  get frames() {
    return this.links.flatMap((link) => link.frames);
  }
  /** The frames as short words: `+a` joined, `-a` left, `a:1` said 1. */
  get story() {
    const words = { "shard.clientConnected": (f) => `+${f.privateId}`, "shard.clientDisconnected": (f) => `-${f.privateId}` };
    return this.frames.map((f) => words[f.type]?.(f) ?? `${f.privateId}:${JSON.stringify(f.payload)}`);
  }
  /** Waits until the story holds all these words, in this order (others may stand between). */
  tells(...words) {
    const found = () => {
      let at = 0;
      for (const word of this.story) if (word === words[at]) at++;
      return at === words.length;
    };
    return until(found, `the room to hear ${words.join(" ")}`).catch((error) => {
      throw new Error(`${error.message}; it heard ${this.story.join(" ")}`);
    });
  }
  link(n = 1) {
    return until(() => this.links[n - 1], `link ${n}`);
  }
  send(frame, link = this.links.at(-1)) {
    link.ws.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }
  /** Goes away as a killed process does: no closing handshake, nothing listens. */
  async die() {
    for (const socket of this.sockets) socket.resetAndDestroy?.() ?? socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
