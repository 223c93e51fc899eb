// What each operation answers when all is well, and what it alone refuses.
import assert from "node:assert/strict";
import http from "node:http";
import { test, until } from "../lib/runner.mjs";
import { startWorld } from "../lib/process.mjs";
import { listen } from "../lib/sse.mjs";
import { token } from "../lib/tokens.mjs";
import { all, ask, contract, send } from "./subject.mjs";

const W = "world-default";
const base = `/api/v1/worlds/${W}`;
const reference = `/parties/world/${W}`;
const enc = encodeURIComponent;

/** A node as a world sees one: its heartbeats. */
class Node {
  constructor(origin, id) {
    Object.assign(this, { origin, id, epoch: Date.now(), seq: 0 });
  }
  async beat(shards = [], { status = 200, epoch = this.epoch, ...node } = {}) {
    const body = {
      node: { id: this.id, epoch, url: `https://${this.id}.example`, internalUrl: `http://127.0.0.1:1/${this.id}`.slice(0, 18), version: "0.1.0", maxConnections: 1000, connections: 0, draining: false, lagMs: 0, ...node },
      seq: ++this.seq, full: true, haveOrders: { epoch: 0, version: 0 }, shards,
    };
    return ask(this.origin, status, "POST", `${reference}/heartbeat`, { body });
  }
}

/** A world, and ways to ask it. */
async function world(env) {
  const { origin } = await startWorld(env);
  const of = (method) => (status, path, body, options = {}) => ask(origin, status, method, base + path, { body, ...options });
  return { origin, get: of("GET"), put: of("PUT"), post: of("POST"), patch: of("PATCH"), del: of("DELETE"), refer: (status, verb, body, headers) => ask(origin, status, "POST", `${reference}/${verb}`, { body, headers }) };
}

/** A room server that answers. */
async function roomServer(t) {
  const server = http.createServer((_, res) => res.end("ok"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** Reads events until the test is over; each is judged by the document. */
async function events(t, origin, headers = {}) {
  const heard = [];
  const response = await listen(t, `${origin}${base}/events?overview=1`, { ...all, ...headers }, (name, data) =>
    heard.push({ name, wrong: contract.wrongAs("EventData", { [name]: data }) }));
  assert.equal(contract.judge("GET", `${base}/events`, { status: response.statusCode, headers: response.headers, body: "" }), undefined);
  return heard;
}

test("the dashboard is answered as documented", async () => {
  const { origin } = await startWorld();
  for (const path of ["/", "/console/main.js", "/console/style.css", "/console/icon.svg"]) {
    const { headers } = await send(origin, "GET", path);
    await ask(origin, 200, "GET", path);
    await ask(origin, 304, "GET", path, { headers: { "if-none-match": headers.etag } });
  }
});

test("probes, metrics and the document are answered as documented", async () => {
  const { origin } = await startWorld();
  for (const path of ["/livez", "/readyz", "/version", "/metrics"]) await ask(origin, 200, "GET", path);
  await ask(origin, 200, "GET", "/metrics", { headers: { accept: "application/openmetrics-text" } });
  const { headers, body } = await send(origin, "GET", "/openapi.json");
  assert.deepEqual(JSON.parse(body), contract.document);
  await ask(origin, 200, "GET", "/openapi.json", { headers: { "if-none-match": '"another"' } });
  for (const tag of [headers.etag, `W/${headers.etag}`, `"another", ${headers.etag}`, "*"])
    await ask(origin, 304, "GET", "/openapi.json", { headers: { "if-none-match": tag } });
  const head = await send(origin, "HEAD", "/openapi.json");
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", String(Buffer.byteLength(body))]);
  assert.equal((await send(origin, "POST", "/openapi.json")).status, 405);
  const back = await startWorld({ ADMIN_LISTEN: "0" });
  const port = (await back.says(/admin listening on 127\.0\.0\.1:(\d+)/))[1];
  await ask(`http://127.0.0.1:${port}`, 200, "GET", "/openapi.json");
});

test("rooms, shards, bans and their events are answered as documented", async (t) => {
  const w = await world({ PRIVATE_ROOMS: "enforce" });
  const heard = await events(t, w.origin);
  const node = new Node(w.origin, "node-1");
  await node.beat();
  await ask(w.origin, 200, "GET", "/api/v1/worlds");

  await w.put(201, "/rooms/chess", { balancingStrategy: "packed", public: true, maxPlayersPerShard: 5, minShards: 2, maxShards: 20 });
  await w.put(200, "/rooms/chess", { maxPlayersPerShard: 5, minShards: 2, maxShards: 20 });
  await w.put(400, "/rooms/chess", { name: "x" });
  await w.get(200, "/rooms?limit=1");
  await w.get(400, "/rooms?limit=0");
  await w.get(200, "/rooms/chess");
  await w.get(404, "/rooms/none");
  await w.post(200, "/rooms/chess/scale", { target: 4, deadlineMs: 1000 });
  await w.post(400, "/rooms/chess/scale", { target: 40 });
  const made = await w.post(201, "/rooms/chess/shards", { count: 6, urlTemplate: "wss://x/{shardId}", maxConnections: 7 });
  await w.post(400, "/rooms/chess/shards", { count: 600 });
  await w.get(200, "/rooms/chess/explain?session=ann&limit=1");
  await w.get(400, "/rooms/chess/explain?limit=x");
  await w.post(200, "/rooms/chess/kick", { session: "ann" });
  await w.post(400, "/rooms/chess/kick", {});
  await w.put(201, "/rooms/chess/bans/bob", { seconds: 60 });
  await w.put(200, "/rooms/chess/bans/bob", { seconds: 90 });
  await w.get(200, "/rooms/chess/bans");
  await w.get(400, "/rooms/chess/bans?after=x");
  await w.get(200, "/rooms/chess/bans/bob");
  await w.del(204, "/rooms/chess/bans/bob");
  await w.del(404, "/rooms/chess/bans/bob");

  const [a, b, c, d, e, f] = made.items.map((s) => s.shardId);
  await node.beat([{ shardId: a, open: 2, returning: 1, admitted: 3, sessions: 2, link: "up", joined: ["x", "y"] }, { shardId: b, open: 1 }]);
  const shard = (id) => `/shards/${enc(id)}`;
  await w.get(200, "/shards?room=chess&status=active&node=node-1");
  await w.get(400, "/shards?status=gone");
  await w.get(200, shard(a));
  await w.get(200, shard(a) + "/seats");
  await w.patch(200, shard(a), { maxConnections: 9 });
  await w.patch(400, shard(a), { maxConnections: 0 });
  await w.post(200, shard(a) + "/maintenance");
  await w.post(400, shard(a) + "/maintenance", { x: 1 });
  await w.post(200, shard(a) + "/activate");
  await w.del(409, shard(a));
  await w.get(200, shard(a) + "/seats");
  await w.post(200, shard(a) + "/drain", { deadlineMs: 60000, rate: 50, retryMs: [1000, 5000] });
  const orders = await node.beat([{ shardId: a, open: 2 }, { shardId: b, open: 1 }]);
  assert.ok(orders.shards.some((s) => s.drain));
  await w.post(200, shard(a) + "/undrain");
  await w.post(204, shard(c) + "/drain");
  await w.del(204, shard(d));
  await w.del(200, shard(b) + "?force=1");
  const other = new Node(w.origin, "node-2");
  await other.beat();
  await w.post(200, shard(e) + "/move", { node: "node-2" });

  const token_ = await w.refer(200, "connect", { roomId: "chess", session: "cy", direct: true }, {});
  assert.match(token_.ticket, /^t1\./);
  await w.refer(200, "connect", { roomId: "chess" }, {});
  await w.refer(400, "connect", {}, {});
  await w.refer(404, "connect", { roomId: "none", autoCreate: false }, {});
  await w.get(200, `/shards/${enc(token_.shardId)}/seats`);
  await w.put(201, "/rooms/tiny", { maxPlayersPerShard: 1, minShards: 1, maxShards: 1 });
  await w.refer(200, "connect", { roomId: "tiny" }, {});
  await w.refer(503, "connect", { roomId: "tiny" }, {});
  await w.put(201, "/rooms/secret", { public: false });
  await w.refer(401, "connect", { roomId: "secret" }, {});
  await w.refer(403, "connect", { roomId: "secret", token: token({ rooms: ["other"] }) }, {});

  const [{ shardId: tiny }] = (await w.get(200, "/shards?room=tiny")).items;
  const asker = { asker: "node-1", askerEpoch: node.epoch };
  await w.refer(200, "resolve", { shardId: f, reason: "unknown", ...asker });
  await w.refer(404, "resolve", { shardId: "none:world-default:1700000000000-1", reason: "unknown", ...asker });
  await w.refer(404, "resolve", { shardId: "secret:world-default:1700000000000-1", reason: "unknown" });
  await w.refer(503, "resolve", { shardId: tiny, reason: "full", ...asker });
  await w.refer(400, "resolve", { shardId: f });
  await w.refer(409, "heartbeat", { node: { id: "node-1", epoch: node.epoch - 1 }, seq: 1, shards: [] });

  await w.del(409, "/rooms/chess");
  await w.del(400, "/rooms/chess?force=x");
  await w.del(200, "/rooms/chess?force=1");
  await w.del(204, "/rooms/secret");
  for (const name of ["room.put", "room.delete", "shard.add", "shard.status", "shard.owner", "shard.delete", "node.state", "placement.refused", "overview"])
    await until(() => heard.some((h) => h.name === name), `an event ${name}`);
  assert.deepEqual(heard.filter((h) => h.wrong), []);
});

test("the reference's routes are answered as documented", async () => {
  const w = await world({ ANONYMOUS_CREATE_MAX: "2" });
  const room = { name: "r", balancingStrategy: "random", public: true, maxPlayersPerShard: 5, minShards: 1, maxShards: 3 };
  await w.refer(200, "register-room", room);
  await w.refer(400, "register-room", { ...room, minShards: 9 });
  await w.refer(400, "register-room", { name: 5, balancingStrategy: "x", maxPlayersPerShard: 0 });
  const { shardId } = await w.refer(200, "connect", { roomId: "r" });
  await w.refer(200, "update-shard", { shardId, connections: 1, worldId: W, status: "active" });
  await w.refer(400, "update-shard", { shardId, connections: -1 });
  await w.refer(400, "update-shard", { shardId, connections: 1, worldId: "world-x" });
  await w.refer(404, "update-shard", { shardId: "none", connections: 1 });
  await w.refer(200, "scale-room", { roomId: "r", targetShardCount: 2, shardTemplate: { urlTemplate: "x{shardId}", maxConnections: 5 } });
  await w.refer(400, "scale-room", { roomId: "r", targetShardCount: 0 });
  await w.refer(400, "scale-room", { roomId: "r", targetShardCount: 4 });
  await w.refer(404, "scale-room", { roomId: "none", targetShardCount: 1 });
  let made = 0;
  const stranger = () => send(w.origin, "POST", `${reference}/connect`, { body: { roomId: `s${made++}` }, headers: {} });
  await until(async () => (await stranger()).status === 429, "strangers to be refused");
  await w.refer(429, "connect", { roomId: "one-more" }, {});
});

test("nodes, room servers and the world as a whole are answered as documented", async (t) => {
  const server = await roomServer(t);
  const w = await world({ ROOM_SERVERS: server });
  const heard = await events(t, w.origin, { "last-event-id": "1" });
  const [one, two] = [new Node(w.origin, "node-1"), new Node(w.origin, "node-2")];
  await one.beat();
  await two.beat();
  await w.put(201, "/rooms/chess", { minShards: 2 });
  await w.get(200, "/nodes?limit=1");
  await w.get(400, "/nodes?after=x");
  await w.get(200, "/nodes/node-1");
  await w.get(404, "/nodes/none");
  await w.post(200, "/nodes/node-1/drain", { deadlineMs: 60000, rate: 5 });
  await w.post(400, "/nodes/node-1/drain", { rate: -1 });
  const [shard] = (await w.get(200, "/shards")).items;
  await w.post(409, `/shards/${enc(shard.shardId)}/move`, { node: "node-1" });
  await w.post(400, `/shards/${enc(shard.shardId)}/move`, {});
  assert.ok((await one.beat()).drainNode);
  await w.get(200, "/nodes/node-1");
  await w.post(200, "/nodes/node-1/undrain");
  await w.post(400, "/nodes/node-1/undrain", { x: 1 });
  await w.put(200, "/nodes/node-1/log-level", { level: "debug", seconds: 5 });
  assert.equal((await one.beat()).logLevel.level, "debug");
  await w.put(404, "/nodes/none/log-level", { level: "debug" });
  await w.put(400, "/nodes/node-1/log-level", { level: "loud" });
  await w.del(409, "/nodes/node-1");

  const configured = `/servers/${enc(server)}`, added = `/servers/${enc("http://127.0.0.1:1")}`;
  await w.put(201, added);
  await w.put(200, added, { draining: true });
  await w.put(400, "/servers/nowhere");
  await w.get(200, "/servers");
  await w.get(200, added);
  await w.get(404, "/servers/none");
  await w.del(409, configured);
  await until(async () => (await w.get(200, configured)).state === "up", "the room server to be up");
  await w.post(200, "/rooms/chess/move", { server });
  await w.post(409, "/rooms/chess/move", { server: "http://127.0.0.1:1" });
  await w.post(400, "/rooms/chess/move", {});
  await w.del(204, added);
  await w.get(200, "/rooms/chess");

  const wrong = { check: "room-unreachable", subject: server, detail: "refused", since: Date.now() };
  await two.beat([], { findings: [wrong], nowMs: Date.now(), checkup: 0 });
  assert.ok((await w.get(200, "/findings")).items.some((f) => f.by.node === "node-2"));
  assert.notEqual((await w.post(202, "/checkup")).checkup, null);
  assert.ok((await one.beat()).checkup);
  await w.get(200, "/findings");
  await ask(w.origin, 200, "GET", "/api/v1/process");
  await ask(w.origin, 200, "PUT", "/api/v1/process/log-level", { body: { level: "warn", seconds: 60 } });
  await w.get(200, "/overview");
  await w.get(200, "/history?seconds=60");
  await w.get(400, "/history?seconds=1");
  await w.put(201, "/rooms/chess/bans/ann", { seconds: 60 });
  const exported = await w.get(200, "/export");
  await w.post(409, "/import", exported);
  await w.post(400, "/import", { ...exported, version: 2 });
  const expected = { kind: "node", key: "node-9", value: { url: "", internalUrl: "", maxConnections: 0, drain: false } };
  await w.post(200, "/import", { ...exported, records: [...exported.records, expected], replace: true });
  await w.del(204, "/nodes/node-9");
  await until(() => heard.some((h) => h.name === "gap") && heard.some((h) => h.name === "server.state"), "their events");
  assert.deepEqual(heard.filter((h) => h.wrong), []);
});

test("what is full is refused as documented", async (t) => {
  const w = await world();
  const records = [{ kind: "room", key: "r", value: { balancingStrategy: "random", public: true, maxPlayersPerShard: 5, minShards: 0 } }];
  const until_ = Date.now() + 3600000;
  for (let i = 0; i < 1000; i++) records.push({ kind: "ban", key: `k${i}`, value: { roomId: "r", session: `s${i}`, until: until_ } });
  for (let i = 0; i < 1000; i++) records.push({ kind: "server", key: `http://127.0.0.1:1${String(i).padStart(4, "0")}`, value: { registered: true, drain: true } });
  await w.post(200, "/import", { version: 1, world: W, records });
  await w.put(409, "/rooms/r/bans/ann", { seconds: 5 });
  await w.put(400, "/rooms/r/bans/ann", { seconds: 0 });
  await w.post(409, "/rooms/r/kick", { session: "ann" });
  await w.put(409, `/servers/${enc("http://127.0.0.1:1")}`);
  await Promise.all(Array.from({ length: 100 }, () => events(t, w.origin)));
  await w.get(429, "/events", undefined, { fresh: true });
});
