// A fleet for tests of failures: nodes behind one plain TCP address, unmodified clients that dial it, and
// the world's own numbers.
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { PartySocket } from "partysocket";
import WebSocket from "ws";
import { mergeSync } from "../conformance/lib/normal.mjs";
import { bearer, client, post, request } from "./cluster.mjs";
import { freePort, listening, root, secret, start, startNode, startRoom, startWorld } from "./process.mjs";
import { nodesAlive } from "./metrics.mjs";
import { Room } from "./room.mjs";
import { until } from "./runner.mjs";

/** Whether the full form of these tests is asked for. */
export const long = process.env.FAULTS === "long";
export const worldPath = "/parties/world/world-default";
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A plain TCP proxy: each connection goes to the next of its targets (ports); who refuses is left out of it. */
export class Front {
  constructor(ports) {
    this.ports = ports;
    this.next = 0;
    this.sockets = new Set();
  }
  static async start(t, ports) {
    const front = new Front(ports);
    front.server = net.createServer((socket) => front.accept(socket));
    await new Promise((resolve) => front.server.listen(0, "127.0.0.1", 4096, resolve));
    front.origin = `http://127.0.0.1:${front.server.address().port}`;
    t.after(() => {
      front.server.close();
      for (const socket of front.sockets) socket.destroy();
    });
    return front;
  }
  accept(socket) {
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.sockets.delete(socket));
    const first = this.next++ % this.ports.length;
    this.pass(socket, [...this.ports.slice(first), ...this.ports.slice(0, first)]);
  }
  pass(socket, [port, ...others]) {
    if (port === undefined || socket.destroyed) return void socket.destroy();
    const peer = net.connect(port, "127.0.0.1");
    peer.on("error", () => (peer.stood ? socket.destroy() : this.pass(socket, others)));
    peer.on("connect", () => {
      peer.stood = true;
      socket.pipe(peer).pipe(socket);
      socket.on("close", () => peer.destroy());
      peer.on("close", () => socket.destroy());
    });
  }
}

/** An unmodified PartySocket with its default options, and what happens to it. */
export class Guest {
  constructor(t, origin, shard, id, options = {}) {
    this.id = id;
    this.opens = 0;
    this.closes = []; // { code, reason, at }
    this.pIds = []; // one for each time that it was in the room
    this.heard = []; // of an echoing room
    this.errors = []; // of attempts that failed
    this.socket = new PartySocket({ host: new URL(origin).host, party: "shard", room: shard, query: { id }, WebSocket, ...options });
    this.socket.addEventListener("open", () => {
      this.opens++;
      this.openAt = Date.now();
      this.open = true;
      this.inRoom = false;
    });
    this.socket.addEventListener("close", (event) => {
      if (this.open) this.closes.push({ code: event.code, reason: event.reason, at: Date.now() });
      this.open = this.inRoom = false;
    });
    this.socket.addEventListener("error", (event) => this.errors.push(event.message));
    this.socket.addEventListener("message", ({ data }) => this.hear(String(data)));
    t.after(() => this.leave());
  }
  hear(text) {
    if (this.onText) return this.onText(text);
    const pId = this.inRoom ? null : text.match(/"pId":"([^"]+)"/);
    if (!pId) return;
    this.pIds.push(pId[1]);
    this.inRoom = true;
    this.inAt = Date.now();
  }
  send(text) {
    this.socket.send(text);
  }
  leave() {
    this.left = true;
    this.socket.close();
  }
}

/** The Node demo on the unmodified @signe/room, or null where its packages are not installed. */
export async function startSigne() {
  const entry = path.join(root, "deploy/demo/signe/server.mjs");
  if (!existsSync(path.join(root, "deploy/demo/signe/node_modules"))) return null;
  const port = await freePort();
  const p = start("signe", process.execPath, [entry], { PORT: String(port), SHARD_SECRET: secret });
  await p.says(listening);
  return Object.assign(p, { port, origin: `http://127.0.0.1:${port}` });
}

export class Fleet {
  /**
   * Starts a world that keeps what it knows, nodes `n1`…, and a room server: `signe`, `demo`, or `script` (a recording one that echoes).
   * `lobby` has `shards` shards of `capacity` seats. `roomsOfWorld`: the world names the room server, too.
   */
  static async start(t, { nodes = 3, shards = 3, capacity = 75, room = "signe", strategy = "round-robin", worldEnv = {}, nodeEnv = {}, more = {}, roomsOfWorld = false } = {}) {
    const f = Object.assign(new Fleet(), { t, worldEnv, nodeEnv, nodes: [], capacity });
    if (room === "script") {
      f.room = await Room.start();
      t.after(() => f.room.die());
    } else f.room = room === "signe" ? await startSigne() : await startRoom();
    f.world = await startWorld({ ...worldEnv, ...(roomsOfWorld ? { ROOM_SERVERS: f.room.origin } : {}) });
    for (let i = 1; i <= nodes; i++) f.nodes.push(await f.node(`n${i}`));
    f.front = await Front.start(t, f.nodes.map((n) => n.port));
    await f.alive(nodes);
    f.lobby = { name: "lobby", balancingStrategy: strategy, public: true, maxPlayersPerShard: capacity, minShards: shards, maxShards: shards };
    await f.settings(more);
    return f;
  }
  /** Changes settings of the lobby. */
  async settings(more) {
    Object.assign(this.lobby, more);
    const made = await post(this.world.origin, `${worldPath}/register-room`, this.lobby);
    if (made.status !== 200) throw new Error(`register-room: ${made.status} ${made.body}`);
  }
  /** A node of this fleet; with the port of an earlier one it takes its place. */
  node(id, env = {}) {
    return startNode(this.world.origin, this.room.origin, { NODE_ID: id, ...this.nodeEnv, ...env });
  }
  alive(count, ms) {
    return nodesAlive(this.world, count, ms);
  }
  async manage(method, what, body) {
    const answer = await request(this.world.origin, {
      method, path: `/api/v1/worlds/world-default${what}`, headers: { "content-type": "application/json", ...bearer("*") },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answer;
  }
  /** The shards as the world knows them now: [{ shardId, node, status, currentConnections, reserved, returning, … }]. */
  async shards() {
    const answer = await this.manage("GET", "/shards?limit=1000");
    if (answer.status !== 200) throw new Error(`shards: ${answer.status} ${answer.body}`);
    return answer.json.items;
  }
  async counts() {
    const shards = await this.shards();
    return Object.fromEntries(shards.map((s) => [s.shardId, s.currentConnections]));
  }
  async total() {
    return (await this.shards()).reduce((sum, s) => sum + s.currentConnections, 0);
  }
  /** Asks for a place through the front, as a client does; answers the whole answer. */
  place(session, origin = this.front.origin) {
    return post(origin, `${worldPath}/connect`, { roomId: "lobby", autoCreate: false, session }, {});
  }
  /** A client that was given a place and dials it. */
  async guest(id, options) {
    const answer = await this.place(id);
    if (answer.status !== 200) throw new Error(`connect for ${id}: ${answer.status} ${answer.body}`);
    const guest = new Guest(this.t, this.front.origin, answer.json.shardId, id, options);
    guest.shard = answer.json.shardId;
    return guest;
  }
  /** `count` clients, some at a time, all in the room. */
  async guests(count, { prefix = "g", ready = (g) => g.inRoom, options } = {}) {
    const all = [];
    while (all.length < count) {
      const n = Math.min(25, count - all.length);
      const some = await Promise.all(Array.from({ length: n }, (_, i) => this.guest(`${prefix}${all.length + i}`, options)));
      await until(() => some.every(ready), `${prefix}${all.length}… to be in the room`, 15000);
      all.push(...some);
    }
    await this.counted(count);
    return all;
  }
  /** Waits until the world counts `open` sockets in all; answers how long it took, ms. */
  async counted(open, ms = 4000) {
    const start = Date.now();
    let last;
    await until(async () => (last = await this.total()) === open, `${open} counted`, ms).catch((error) => {
      throw new Error(`${error.message}; it counts ${last}`);
    });
    return Date.now() - start;
  }
  /** The room's state as somebody sees it who enters it beside all shards. */
  async view() {
    const c = client(this.t, `${this.room.origin}/parties/main/lobby?id=viewer`);
    await c.joined(8000);
    await c.settle(100);
    const state = {};
    for (const text of c.frames) {
      const frame = JSON.parse(text);
      if (frame.type === "sync") mergeSync(state, frame.value);
    }
    c.end();
    return { ...state, me: c.pId };
  }
  /** The public ids of those that the room believes to be there, but for the viewer. */
  async present() {
    const { users, me } = await this.view();
    return Object.entries(users).filter(([id, u]) => u.connected && id !== me).map(([id]) => id);
  }
}
