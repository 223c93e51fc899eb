// What every operation refuses in the same way: each of them is asked, and each answer judged by the document.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "../lib/runner.mjs";
import { bin, folder, jwtSecret, listening, secret, start, startWorld } from "../lib/process.mjs";
import { bearer } from "../lib/cluster.mjs";
import { token } from "../lib/tokens.mjs";
import { exchange } from "../lib/raw.mjs";
import { all, ask, contract, insider, judge, send, targetOf } from "./subject.mjs";

const W = "world-default";
const { operations } = contract;
const inWorld = (o) => o.path.includes("{world}");
const documents = (status) => (o) => o.responses[status] !== undefined;

/** Asks all of them at once; `how(operation)` answers [target, options]. Each answer must have the status. */
const each = (origin, status, some, how) =>
  Promise.all(some.map((o) => ask(origin, status, o.method, ...how(o, targetOf(o)))));

/** The same with bytes that no HTTP client would send: `how` answers the head's lines behind the first. */
async function eachRaw(origin, status, some, how) {
  await Promise.all(some.map(async (o) => {
    const target = targetOf(o);
    const { text } = await exchange(origin, `${o.method} ${target} HTTP/1.1\r\nHost: x\r\n${how(o)}\r\n`, { ms: 8000 });
    const [head, body] = text.split("\r\n\r\n");
    const headers = Object.fromEntries(head.split("\r\n").slice(1).map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 2)]));
    assert.equal(Number(head.slice(9, 12)), status, `${o.method} ${target}: ${head}`);
    judge(o.method, target, { status, headers, body });
  }));
}

/** The headers of a request that another world passed on. */
function passedOn(method, target) {
  const ms = Date.now(), hop = "another;world;0", client = "127.0.0.1";
  const mac = createHmac("sha256", secret).update(`v1\n${ms}\n${method}\n${target}\n${hop}\n${client}`).digest("hex");
  return { ...insider(target), "x-terrane-hop": hop, "x-terrane-client": client, "x-terrane-sign": `v1 ${ms} ${mac}` };
}

test("bad HTTP, long bodies, slow ones and long heads are refused as documented", async () => {
  const { origin } = await startWorld({ BODY_TIMEOUT: "300ms" });
  await eachRaw(origin, 400, operations, () => "Host: y\r\n");
  await eachRaw(origin, 413, operations, () => "Content-Length: 99999999999\r\n");
  await eachRaw(origin, 431, operations, () => `x: ${"x".repeat(17000)}\r\n`);
  await eachRaw(origin, 408, operations, () => "Content-Length: 5\r\n");
});

test("who may not is refused as documented, and what is nowhere", async () => {
  const { origin } = await startWorld();
  const guarded = operations.filter((o) => documents(403)(o) && o.operationId !== "connect");
  const managed = guarded.filter((o) => o.path.startsWith("/api/v1"));
  await each(origin, 403, guarded, (o, target) => [target, { headers: {} }]);
  await each(origin, 403, managed, (o, target) => [target, { headers: { authorization: `Bearer ${token({ worlds: ["*"], exp: 1 })}` } }]);
  await each(origin, 403, managed.filter(inWorld), (o, target) => [target, { headers: bearer("world-other") }]);
  const changing = managed.filter((o) => o.method !== "GET");
  await each(origin, 403, changing, (o, target) => [target, { headers: { authorization: `Bearer ${token({ worlds: ["*"], scope: "read" })}` } }]);
  await each(origin, 403, guarded, (o, target) => [target, { headers: { ...insider(target), "x-terrane-sign": "v1 0 00" } }]);
  const placed = operations.filter(inWorld);
  await each(origin, 404, placed, (o) => [targetOf(o, { world: "nowhere" }), {}].map((x, i) => (i ? { headers: insider(targetOf(o)) } : x)));
  await each(origin, 400, placed.filter((o) => o.path.startsWith("/api/v1")), (o) => [targetOf(o, { world: "%zz" }), { headers: all }]);
  const bodied = operations.filter((o) => o.requestBody && inWorld(o) && o.tags[0] !== "worlds");
  for (const o of bodied) {
    const answer = judge(o.method, targetOf(o), await send(origin, o.method, targetOf(o), { body: "{" }));
    assert.ok([400, 404].includes(answer.status), `${o.operationId}: ${answer.status}`); // what it is about may be missing first
  }
});

test("a problem names the trace that its request belongs to", async () => {
  const { origin } = await startWorld({ BODY_TIMEOUT: "300ms" });
  const id = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${id}-b7ad6b7169203331-01`;
  const target = `/api/v1/worlds/${W}/rooms/none`;
  assert.equal((await ask(origin, 404, "GET", target, { headers: { ...all, traceparent } })).trace, id);
  assert.equal((await ask(origin, 404, "GET", target, { headers: { ...all, traceparent: "00-x" } })).trace, undefined);
  assert.equal((await ask(origin, 403, "GET", target, { headers: { traceparent, "x-terrane-sign": "v1 0 00" } })).trace, id);
  await ask(origin, 404, "POST", `/parties/world/${W}/scale-room`, { headers: { ...insider("/"), traceparent }, body: { roomId: "none", targetShardCount: 1 } });
  const { text } = await exchange(origin, `PUT ${target} HTTP/1.1\r\nHost: x\r\ntraceparent: ${traceparent}\r\nContent-Length: 5\r\n\r\n`, { ms: 8000 });
  assert.equal(JSON.parse(text.split("\r\n\r\n")[1]).trace, id);
});

test("what management is not at is refused as documented", async () => {
  const world = await startWorld({ ADMIN_LISTEN: "0" });
  await world.says(/admin listening on 127\.0\.0\.1:(\d+)/);
  const inside = operations.filter((o) => o.path.startsWith("/api/v1") || ["showMetrics", "showDocument", "showPage", "showFile", "registerRoom", "scaleRoomByBody"].includes(o.operationId));
  await each(world.origin, 404, inside, (o, target) => [target, {}]);
});

test("while nobody decides for the world it is refused as documented", async () => {
  const world = await startWorld({ REDIS_URL: "redis://127.0.0.1:1", WORLD_WAIT: "1200ms" });
  const placed = operations.filter(inWorld);
  await Promise.all([
    each(world.origin, 503, placed, (o, target) => [target, { fresh: true }]),
    each(world.origin, 421, placed, (o, target) => [target, { headers: passedOn(o.method, target), fresh: true }]),
  ]);
  await ask(world.origin, 503, "GET", "/readyz");
});

/** What makes each change succeed, so far as the store is not asked. */
const changes = {
  registerRoom: { name: "chess", balancingStrategy: "random", public: true, maxPlayersPerShard: 5, minShards: 1 },
  updateShard: (shard) => ({ shardId: shard, connections: 0, status: "active" }),
  scaleRoomByBody: { roomId: "chess", targetShardCount: 30 },
  importWorld: { version: 1, world: W, records: [] },
  applyRoom: {},
  scaleRoom: { target: 40 },
  moveRoom: { server: "http://127.0.0.1:1" },
  kickSession: { session: "ann" },
  banSession: { seconds: 60 },
  moveShard: { node: "node-1" },
};

test("what cannot be stored is refused as documented", async () => {
  const env = { HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, DATA_DIR: path.join(folder(), "data") };
  const world = start("world", "bash", ["-c", 'trap "" XFSZ; exec "$0"', path.join(bin, "terrane-world")], env);
  const origin = `http://127.0.0.1:${(await world.says(listening))[1]}`;
  const beat = { node: { id: "node-1", epoch: Date.now(), url: "", internalUrl: "http://127.0.0.1:1", maxConnections: 100 }, seq: 1, full: true, shards: [] };
  await ask(origin, 200, "POST", `/parties/world/${W}/heartbeat`, { body: beat });
  execFileSync("prlimit", ["--pid", String(world.pid), "--fsize=0:"]); // stands for a full disk
  const base = `/api/v1/worlds/${W}`;
  await send(origin, "PUT", `${base}/rooms/chess`, {});
  await send(origin, "POST", `${base}/rooms/chess/shards`, { body: { count: 20 } });
  await send(origin, "PUT", `${base}/servers/http%3A%2F%2F127.0.0.1%3A1`, {});
  const { items } = JSON.parse((await send(origin, "GET", `${base}/shards?room=chess`, {})).body);
  const last = ["forgetNode", "removeServer", "liftBan", "deleteRoom"]; // those that the others need
  const changing = operations.filter(documents(507)).filter((o) => !["moveRoom", "forgetNode"].includes(o.operationId));
  for (const o of changing.sort((a, b) => last.indexOf(a.operationId) - last.indexOf(b.operationId))) {
    const shard = items.pop()?.shardId ?? "none";
    const target = targetOf(o, { room: "chess", shard: encodeURIComponent(shard), server: "http%3A%2F%2F127.0.0.1%3A1", session: "ann" });
    const body = changes[o.operationId];
    await ask(origin, 507, o.method, target, { body: typeof body === "function" ? body(shard) : body });
  }
  await ask(origin, 503, "GET", "/readyz");
  execFileSync("prlimit", ["--pid", String(world.pid), "--fsize=unlimited:"]); // for a good end
});
