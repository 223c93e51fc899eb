// Redis goes, for a while or for another: worlds decide on, and what they acknowledged is there afterwards.
import assert from "node:assert/strict";
import { post } from "../lib/cluster.mjs";
import { busy, rooms, under } from "../lib/outage.mjs";
import { now } from "../lib/placements.mjs";
import { Redis, Sentinels } from "../lib/redis.mjs";
import { test, until } from "../lib/runner.mjs";
import { ids, long, room, sleep, ttlMs, Worlds } from "../lib/worlds.mjs";

const seconds = long ? 180 : 60;
const GUESTS = 4;
const told = (words, ms) => console.log(`     ${words} after ${ms.toFixed(0)} ms`);

/** Waits until /readyz of both says so. */
const both = (c, status) => until(async () => (await c.ready(0)).status === status && (await c.ready(1)).status === status, `both /readyz to be ${status}`, 3000);

/** Redis is gone for `ms`, under load; whoever owned before decides on. */
async function gone(t, ms, go, come) {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  const outcome = await under(t, c, { guests: GUESTS }, async () => {
    await go(redis);
    await both(c, 503);
    assert.deepEqual((await c.ready(0)).json.failing, ["redis"]);
    await sleep(ms);
    await come(redis);
    const since = now();
    await both(c, 200);
    await rooms(c, 1, "after");
    told("registries agree", await c.agree([0, 1], { since, open: GUESTS, ms: 3000 }));
  });
  assert.equal(outcome.failed(), 0);
}

test("Redis is gone for a while: placements go on", (t) => gone(t, long ? 60000 : 6000, (r) => r.down("SIGKILL"), (r) => r.up()), { seconds });

test("Redis hangs for a while: placements go on", (t) => gone(t, long ? 20000 : 3000, (r) => r.pause(), (r) => r.resume()), { seconds });

test("Redis comes back empty: everything is written anew", async (t) => {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  await rooms(c, 1, "before");
  await redis.down("SIGKILL");
  redis.empty();
  await redis.up();
  told("registries agree", await c.agree([0, 1], { ms: ttlMs + 3000 }));
  for (const id of ids) assert.ok((await c.list(1, id, "rooms")).some((r) => r.name === "before"), id);
}, { seconds });

test("Redis is emptied again and again: the owner has the worlds on, and nothing acknowledged is lost", async (t) => {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  const names = [];
  for (let n = 0; n < 8; n++) {
    names.push(...(await Promise.all([0, 1].map(async (i) => {
      const answers = ids.map((id) => c.made(c.put(i, id, `kept-${n}-${i}`, room(40, 1))));
      await Promise.all(answers);
      return `kept-${n}-${i}`;
    }))));
    await redis.ask("FLUSHALL");
    await sleep(ttlMs / 10);
  }
  told("registries agree", await c.agree([0, 1], { ms: ttlMs + 3000 }));
  for (const id of ids) {
    const there = (await c.list(1, id, "rooms")).map((r) => r.name);
    assert.deepEqual(names.filter((name) => !there.includes(name)), [], id);
  }
}, { seconds });

test("the master of a Sentinel set is killed: placements go on", async (t) => {
  const redis = await Sentinels.start(t);
  const c = await Worlds.start(t, { redis });
  const outcome = await under(t, c, { guests: GUESTS }, async () => {
    const old = await redis.master();
    const since = now();
    await old.down("SIGKILL");
    await redis.failover(old);
    const masterMs = now();
    told("another master", masterMs - since);
    await both(c, 200);
    await rooms(c, 1, "after");
    told("registries agree", await c.agree([0, 1], { since: masterMs, open: GUESTS, ms: ttlMs + 3000 }));
  });
  assert.equal(outcome.failed(), 0);
}, { seconds });

test("a failover that loses the last writes: the owner writes them anew, and its epoch does not fall", async (t) => {
  const redis = await Sentinels.start(t, { minReplicas: 0 });
  const c = await Worlds.start(t, { redis });
  const before = await Promise.all(ids.map((id) => c.lease(id)));
  const old = await redis.master();
  const others = redis.servers.filter((s) => s !== old);
  for (const s of others) s.pause();
  await rooms(c, 1, "lost");
  const killed = old.down("SIGKILL");
  for (const s of others) s.resume();
  await killed;
  const now = await redis.failover(old);
  console.log(`     the new master has ${(await now.hash(`terrane:room:${ids[0]}`)).size} rooms of ${ids[0]}`);
  told("registries agree", await c.agree([0, 1], { ms: ttlMs + 3000 }));
  for (const [n, id] of ids.entries()) {
    assert.ok((await now.hash(`terrane:room:${id}`)).has("lost"), id);
    const lease = await until(() => c.lease(id), `a lease of ${id}`, ttlMs + 3000);
    assert.ok(lease.epoch >= before[n].epoch, `the epoch of ${id}`);
  }
}, { seconds });

test("Redis answers, but takes no writes: places are given, changes are refused, and stored once it takes them", async (t) => {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  await redis.ask("CONFIG", "SET", "maxmemory", "1");
  await sleep(2 * ttlMs);
  const refused = (name) => Promise.all([0, 1].map(async (i) => {
    assert.equal((await c.place(i, ids[0], "lobby")).status, 200);
    assert.equal((await c.put(i, ids[0], `${name}-${i}`, room(40, 1))).status, 507);
  }));
  await refused("lasting");
  await redis.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await refused("again");
  await redis.ask("CONFIG", "SET", "maxmemory", "0");
  await c.agree([0, 1], { ms: ttlMs + 5000 });
  assert.ok((await c.list(1, ids[0], "rooms")).some((r) => r.name === "again-1"));
}, { seconds });

test("worlds start while Redis is away, say so, and serve once it is there", async (t) => {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  await rooms(c, 0, "before");
  for (const w of c.worlds) await w.kill();
  await redis.down();
  await Promise.all([c.up(0), c.up(1)]);
  assert.deepEqual([(await c.ready(0)).status, (await c.ready(0)).json.failing], [503, ["redis"]]);
  const waiting = c.place(1, ids[0], "lobby");
  await sleep(500);
  await redis.up();
  assert.equal((await waiting).status, 200);
  told("registries agree", await c.agree([0, 1], { ms: ttlMs + 3000 }));
}, { seconds });

test("kill -9 of everything, and a restart: all rooms and shards are back", async (t) => {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  await rooms(c, 1, "kept");
  await c.made(c.put(1, busy, "other", room(7, 3)));
  const before = await Promise.all([...ids, busy].map((id) => c.stored(id)));
  await Promise.all([...c.worlds.map((w) => w.kill()), redis.down("SIGKILL")]);
  await redis.up();
  await Promise.all([c.up(0), c.up(1)]);
  told("registries agree", await c.agree([0, 1], { ms: ttlMs + 5000 }));
  const after = await Promise.all([...ids, busy].map((id) => c.told(1, id)));
  assert.deepEqual(after, before);
}, { seconds });

/** What somebody may find in our keys: a word for it, and the commands that put it there. */
const garbage = [
  ["a key of another type", "terrane:room:world-bad", (r, key) => r.ask("SET", key, "mine")],
  ["a record that is no JSON", "terrane:shard:world-bad", (r, key) => r.ask("HSET", key, "x:world-bad:1700000000000-1", "1 {nonsense")],
  ["a record without its number", "terrane:room:world-bad", (r, key) => r.ask("HSET", key, "lobby", "{}")],
  ["a record without its members", "terrane:room:world-bad", (r, key) => r.ask("HSET", key, "lobby", "1 {}")],
  ["another version's format", "terrane:meta:world-bad", (r, key) => r.ask("HSET", key, "format", "99", "epoch", "1", "rev", "1")],
  ["another type where the format is", "terrane:meta:world-bad", (r, key) => r.ask("SADD", key, "x")],
  ["a lease that is none", "terrane:lease:world-bad", (r, key) => r.ask("SET", key, "gibberish")],
  ["a lease of another type", "terrane:lease:world-bad", (r, key) => r.ask("LPUSH", key, "x")],
];

test("garbage in the keys of one world: it says what is wrong, the others serve, and the garbage stays", async (t) => {
  const redis = await Redis.start(t);
  const c = await Worlds.start(t, { redis });
  for (const [n, [what, pattern, plant]] of garbage.entries()) {
    const id = `world-bad-${n}`, key = pattern.replace("world-bad", id);
    const meta = pattern.includes("meta") ? null : await redis.ask("HSET", `terrane:meta:${id}`, "format", "1", "epoch", "5", "rev", "1", "clock", "0", "seq", "1");
    await plant(redis, key);
    const dump = await redis.ask("OBJECT", "ENCODING", key);
    const answer = await post(c.worlds[1].origin, `/parties/world/${id}/connect`, { roomId: "lobby" });
    console.log(`     ${what}: ${answer.status} ${JSON.stringify(answer.json)}`);
    assert.equal(answer.status, 503, what);
    assert.match(answer.json.error, new RegExp(id), what);
    assert.equal(await redis.ask("OBJECT", "ENCODING", key), dump, `${what}: ${meta}`);
    for (const good of ids) assert.equal((await c.place(1, good, "lobby")).status, 200);
  }
}, { seconds });
