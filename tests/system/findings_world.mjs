// What is wrong, as worlds tell it: to whoever has a token, without a way to any node.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { bearer, post, request } from "../lib/cluster.mjs";
import { Authority } from "../lib/certificates.mjs";
import { freePort, startNode, startWorld } from "../lib/process.mjs";
import { metric } from "../lib/metrics.mjs";
import { Redis } from "../lib/redis.mjs";

const base = "/api/v1/worlds/world-default";
const headers = bearer("*");
const json = async (origin, path, method = "GET") => (await request(origin, { method, path, headers })).json;
const has = (items, check, subject) => items.find((f) => f.check === check && (subject === undefined || f.subject === subject));

/** Waits until the world tells that finding; answers it. */
const found = (origin, check, subject) => until(async () => has((await json(origin, `${base}/findings`)).items, check, subject), check, 15000);
const gone = (origin, check) => until(async () => !has((await json(origin, `${base}/findings`)).items, check), `no ${check}`, 15000);
const gauge = (origin, check) => metric(origin, `terrane_world_findings{check="${check}"}`);

/** A beat of a node that is a script; answers its orders. */
let seq = 0;
async function beat(origin, node, more = {}) {
  const body = { node: { id: "n1", epoch: 1000, url: "http://n1.test", version: "0.1.0", maxConnections: 10, findings: [], ...node }, seq: ++seq, full: true, haveOrders: {}, shards: [], ...more };
  return post(origin, "/parties/world/world-default/heartbeat", body);
}

test("a world finds what is wrong around it", async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const world = await startWorld({ ROOM_SERVERS: nowhere });
  const node = await startNode(world.origin, nowhere, { NODE_ID: "stranger", SHARD_SECRET: "another-secret-than-ours" });

  const secret = await found(world.origin, "node-secret", "127.0.0.1");
  assert.deepEqual([secret.level, secret.detail], ["error", "calls itself node stranger, of world-default"]);
  assert.match(secret.means, /a stranger/);
  assert.match(secret.cure, /SHARD_SECRET/);
  assert.ok(Math.abs(Date.now() - secret.since) < 20000);

  await beat(world.origin, { nowMs: Date.now() + 120000, version: "0.9.1" });
  assert.match((await found(world.origin, "clock", "n1")).detail, /^1(19|20) seconds ahead/);
  await found(world.origin, "node-version", "n1");
  await beat(world.origin, { nowMs: Date.now() });
  await gone(world.origin, "clock");

  await beat(world.origin, { epoch: 2000, internalUrl: "http://other.test" });
  assert.equal((await beat(world.origin, { epoch: 1000 })).status, 409);
  assert.equal((await found(world.origin, "node-id", "n1")).detail, "http://other.test and http://n1.test");

  await found(world.origin, "server-down", nowhere);
  for (const check of ["node-secret", "node-id", "server-down"]) assert.equal(await gauge(world.origin, check), 1, check);
  assert.equal(await gauge(world.origin, "redis-evicts"), 0);
  assert.ok((await json(world.origin, `${base}/overview`)).findings.error >= 3);
  await node.stop();
});

test("a checkup goes on until each node has told that it is done", async () => {
  const world = await startWorld();
  await beat(world.origin, {});
  const { status, json: begun } = await request(world.origin, { method: "POST", path: `${base}/checkup`, headers });
  assert.equal(status, 202);
  assert.deepEqual(begun.checkup.waiting, ["n1"]);
  assert.deepEqual((await json(world.origin, `${base}/checkup`, "POST")).checkup, begun.checkup);
  const orders = (await beat(world.origin, {})).json;
  assert.deepEqual(orders.checkup, { id: begun.checkup.id, peers: [{ node: "n1", url: "http://n1.test" }], servers: [] });
  const findings = [{ check: "room-secret", subject: "http://r.test:3000", detail: "closed at once", since: 5 }];
  assert.equal((await beat(world.origin, { checkup: orders.checkup.id, findings })).json.checkup, undefined);
  const after = await json(world.origin, `${base}/findings`);
  assert.equal(after.checkup, null);
  const { check, level, by, subject, detail, since } = has(after.items, "room-secret");
  assert.deepEqual({ check, level, by, subject, detail, since }, { ...findings[0], level: "error", by: { node: "n1" } });
});

test("a process tells what it finds wrong with its certificate", async () => {
  const authority = await Authority.make();
  const files = await authority.issue(undefined, { days: 5 });
  const env = { INTERNAL_LISTEN: "127.0.0.1:0", INTERNAL_CERT: files.cert, INTERNAL_KEY: files.key, INTERNAL_CA: authority.ca };
  const world = await startWorld(env);
  const { findings, ...rest } = await json(world.origin, "/api/v1/process");
  assert.match(has(findings, "certificate", "INTERNAL_CERT").detail, /^expires on \d{4}-\d\d-\d\d$/);
  assert.deepEqual({ process: rest.process, store: rest.store, peers: rest.peers }, { process: "terrane-world", store: "memory", peers: [] });
  await authority.issue(undefined, { days: 30, into: files });
  world.child.kill("SIGHUP");
  await until(async () => !has((await json(world.origin, "/api/v1/process")).findings, "certificate"), "no certificate");
});

test("a process tells how Redis is, with or without it", async (t) => {
  const redis = await Redis.start(t);
  const env = { REDIS_URL: redis.url, LEASE_TTL: "1s", REDIS_TIMEOUT: "200ms" };
  const worlds = await Promise.all([startWorld(env), startWorld(env)]);
  const process = (i = 0) => json(worlds[i].origin, "/api/v1/process");
  const tells = (check, is = true) => until(async () => Boolean(has((await process()).findings, check)) === is, `${check} ${is}`, 15000);
  for (const i of [0, 1]) await until(async () => (await process(i)).peers.length === 1, "a peer");
  const [a, b] = [await process(0), await process(1)];
  assert.deepEqual([a.store, a.findings, a.peers[0].id, b.peers[0].id], ["redis", [], b.id, a.id]);
  assert.equal(new URL(a.peers[0].url).port, new URL(worlds[1].origin).port);

  await redis.ask("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
  await redis.ask("CONFIG", "SET", "appendonly", "no");
  await tells("redis-evicts");
  await tells("redis-forgets");
  await redis.ask("CONFIG", "SET", "maxmemory", "0", "appendonly", "yes");
  await redis.ask("CONFIG", "SET", "min-replicas-to-write", "1");
  await tells("redis-read-only");
  await redis.ask("CONFIG", "SET", "min-replicas-to-write", "0");
  await tells("redis-read-only", false);
  await tells("redis-evicts", false);
  await redis.ask("REPLICAOF", "127.0.0.1", String(await freePort()));
  await tells("redis-read-only");
  assert.equal(has((await process()).findings, "redis-unreachable"), undefined);
  await redis.ask("REPLICAOF", "NO", "ONE");
  await tells("redis-read-only", false);
  await redis.down("SIGKILL");
  await tells("redis-unreachable");
  await redis.up();
  await tells("redis-unreachable", false);
}, { seconds: 60 });
