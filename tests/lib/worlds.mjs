// Several world processes on one Redis, nodes that know all of them, a demo room; and what must be the same
// whomever of them one asks.
import { bearer, client, post, request } from "./cluster.mjs";
import { now } from "./placements.mjs";
import { freePort, startNode, startRoom, startWorld } from "./process.mjs";
import { until } from "./runner.mjs";

/** Whether durations are those of the defaults. */
export const long = process.env.WORLDS === "long";
/** What the worlds are set to, ms; the numbers of the tests follow. */
export const ttlMs = long ? 3000 : 1000;
const beatMs = long ? 1000 : 300;
const settings = { LEASE_TTL: `${ttlMs}ms`, BEAT_INTERVAL: `${beatMs}ms`, REDIS_TIMEOUT: long ? "500ms" : "200ms" };

export const ids = ["world-a", "world-b", "world-c"];
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** A room's settings, for PUT. */
export const room = (maxPlayersPerShard = 20000, minShards = 2) => ({ balancingStrategy: "round-robin", public: true, maxPlayersPerShard, minShards });

const sorted = (pairs) => JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
const roomView = (r) => [r.balancingStrategy, r.public, r.maxPlayersPerShard, r.minShards, r.maxShards ?? null];
const shardView = (s) => [s.roomId, s.node || null, s.status, s.maxConnections];

export class Worlds {
  /**
   * Starts `count` worlds on `redis` (a Redis or Sentinels) and `nodes` nodes. The first owns the worlds `ids`, which
   * have a room `lobby` each. `wires` (Cut or Cable): each reaches Redis through one of its own, that can be cut. `env` and
   * `nodeEnv` add to their settings; `of(i)` to those of the i-th world.
   */
  static async start(t, { redis, count = 2, nodes = 2, wires, env = {}, nodeEnv = {}, of = () => ({}) }) {
    const c = Object.assign(new Worlds(), { t, redis, env, of, worlds: [], wires: [], nodes: [], room: await startRoom() });
    for (let i = 0; i < count; i++) {
      if (wires) c.wires.push(await wires.start(t, redis, i + 1));
      c.worlds.push({ port: await freePort() });
    }
    t.after(async () => {
      await Promise.all(c.nodes.map((n) => n.stop()));
      await Promise.all(c.worlds.map((w) => w.stop?.()));
    });
    for (const w of c.worlds) w.origin = `http://127.0.0.1:${w.port}`;
    await c.up(0);
    const urls = c.origins.join(",");
    for (let i = 1; i <= nodes; i++) c.nodes.push(await startNode(urls, c.room.origin, { NODE_ID: `n${i}`, WORLD_IDS: ids.join(","), ...nodeEnv }));
    for (const id of ids) await c.made(c.put(0, id, "lobby", room()));
    for (let i = 1; i < count; i++) await c.up(i);
    await c.owned(0);
    for (const id of ids) for (const i of c.worlds.keys()) await until(() => c.places(i, id), `${id} to be placed by the world ${i}`);
    return c;
  }
  get origins() {
    return this.worlds.map((w) => w.origin);
  }
  /** Starts the i-th world, at its address. */
  async up(i) {
    const { port } = this.worlds[i];
    const url = (this.wires[i] ?? this.redis).url;
    this.worlds[i] = await startWorld({ ...settings, REDIS_URL: url, PORT: String(port), ...this.env, ...this.of(i) });
  }
  async places(i, id) {
    return (await this.place(i, id, "lobby").catch(() => ({}))).status === 200;
  }
  /** Asks the i-th world for a place. */
  place(i, id, roomId) {
    return post(this.worlds[i].origin, `/parties/world/${id}/connect`, { roomId, autoCreate: false }, {});
  }
  /** A request of the management API through the i-th world. */
  manage(i, method, id, what, body) {
    return request(this.worlds[i].origin, {
      method, path: `/api/v1/worlds/${id}${what}`, headers: { "content-type": "application/json", ...bearer("*") },
      body: body === undefined ? undefined : JSON.stringify(body), timeout: 20000,
    });
  }
  put(i, id, name, body) {
    return this.manage(i, "PUT", id, `/rooms/${encodeURIComponent(name)}`, body);
  }
  async made(answer) {
    const { status, body, json } = await answer;
    if (status < 200 || status > 299) throw new Error(`${status} ${body ?? JSON.stringify(json)}`);
    return json;
  }
  ready(i) {
    return request(this.worlds[i].origin, { path: "/readyz", timeout: 1000 }).catch(() => ({ status: 0 }));
  }
  /** The lease of a world: { epoch, id, url }, or null. */
  async lease(id) {
    const redis = await this.server();
    const text = await redis.ask("GET", `terrane:lease:${id}`);
    if (text === null) return null;
    const [epoch, process, url] = text.split(" ");
    return { epoch: Number(epoch), id: process, url };
  }
  /** The Redis that takes writes now. */
  async server() {
    return this.redis.master ? this.redis.master() : this.redis;
  }
  /** Which of the worlds decides for `id`; -1: none. */
  async owner(id) {
    const lease = await this.lease(id);
    return lease ? this.origins.indexOf(lease.url) : -1;
  }
  /** Waits until the i-th decides for all of `ids`. */
  owned(i, ms = 8000) {
    const is = async () => (await Promise.all(ids.map((id) => this.owner(id)))).every((o) => o === i);
    return until(is, `the world ${i} to own all`, ms);
  }
  /** All of a list, whatever the pages. */
  async list(i, id, what) {
    const items = [];
    let after = "";
    do {
      const page = await this.made(this.manage(i, "GET", id, `/${what}?limit=1000${after && `&after=${encodeURIComponent(after)}`}`));
      items.push(...page.items);
      after = page.next;
    } while (after);
    return items;
  }
  /** Rooms and shards as the i-th world tells them. */
  async told(i, id) {
    const [rooms, shards] = [await this.list(i, id, "rooms"), await this.list(i, id, "shards")];
    return sorted([...rooms.map((r) => [`room ${r.name}`, roomView(r)]), ...shards.map((s) => [`shard ${s.shardId}`, shardView(s)])]);
  }
  /** The same as Redis has them. */
  async stored(id) {
    const redis = await this.server();
    const read = async (kind, view) => [...(await redis.hash(`terrane:${kind}:${id}`))].map(([key, value]) =>
      [`${kind} ${key}`, view(JSON.parse(value.slice(value.indexOf(" ") + 1)))]);
    return sorted([...(await read("room", roomView)), ...(await read("shard", shardView))]);
  }
  /** Sockets of `id` as its worlds count them, through the i-th. */
  async counted(i, id) {
    return (await this.list(i, id, "shards")).reduce((sum, s) => sum + s.currentConnections, 0);
  }
  /**
   * Waits until all worlds of `entries` and Redis say the same of all of `ids`, and count `open` sockets in each; answers
   * how long after `since` that was, ms.
   */
  async agree(entries, { since = now(), open, ms = 10000 } = {}) {
    let why;
    const same = async () => {
      for (const id of ids) {
        const stored = await this.stored(id);
        for (const i of entries) {
          const told = await this.told(i, id);
          if (told !== stored) return void (why = `${id} through ${i}: ${told}, but Redis has ${stored}`);
          const count = open === undefined ? undefined : await this.counted(i, id);
          if (count !== open) return void (why = `${id} through ${i}: counts ${count}, not ${open}`);
        }
      }
      return true;
    };
    const tried = () => same().catch((error) => void (why = error.message));
    await until(tried, "agreement", ms).catch((error) => {
      throw new Error(`${error.message}: ${why}`);
    });
    return now() - since;
  }
  /** `count` clients in the lobby of each world, which stay; answers them. */
  async guests(count) {
    const guests = [];
    for (const [n, id] of ids.entries()) {
      for (let k = 0; k < count; k++) {
        const { shardId } = await this.made(this.place(0, id, "lobby"));
        const node = this.nodes[(n + k) % this.nodes.length];
        const guest = client(this.t, `${node.origin}/parties/shard/${shardId}?id=guest-${n}-${k}`);
        await guest.open();
        guests.push(guest);
      }
    }
    return guests;
  }
}
