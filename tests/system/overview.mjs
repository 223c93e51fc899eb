// What consoles live on: a world on one line, told as it changes, and its last hour; through any process.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { bearer, client, cluster, request } from "../lib/cluster.mjs";
import { Redis } from "../lib/redis.mjs";
import { listen } from "../lib/sse.mjs";
import { ids, room, Worlds } from "../lib/worlds.mjs";

const of = (world) => `/api/v1/worlds/${world}`;

async function ask(origin, path, method = "GET", body) {
  const answer = await request(origin, { method, path, headers: bearer("*"), body: body === undefined ? undefined : JSON.stringify(body) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status}`);
  return answer.json;
}

/** The overviews that a stream tells: a list of [when, data] that grows. */
async function overviews(t, origin, world) {
  const seen = [];
  await listen(t, `${origin}${of(world)}/events?overview=1`, bearer("*"), (name, data) => name === "overview" && seen.push([Date.now(), data]));
  return seen;
}

test("a console sees clients come within a second, on one line and then in the history", async (t) => {
  const { world, node } = await cluster(t), w = of("world-default");
  await until(async () => (await ask(world.origin, `${w}/nodes`)).items[0]?.usable, "a usable node");
  await ask(world.origin, `${w}/rooms/lobby`, "PUT", { minShards: 2, maxPlayersPerShard: 20 });
  const seen = await overviews(t, world.origin, "world-default");
  await until(() => seen.length > 0, "the first overview");
  assert.deepEqual(seen[0][1].shards, { total: 2, active: 2, maintenance: 0, draining: 0 });
  const { change } = await ask(world.origin, `${w}/overview`);
  assert.equal((await ask(world.origin, `${w}/overview`)).change, change, "nothing happened");

  const { items: [one] } = await ask(world.origin, `${w}/shards`);
  for (let i = 0; i < 5; i++) await client(t, `${node.origin}/parties/shard/${encodeURIComponent(one.shardId)}?id=s${i}`).open();
  await until(async () => (await ask(world.origin, `${w}/shards/${encodeURIComponent(one.shardId)}`)).currentConnections === 5, "the clients at the world");
  const known = Date.now();
  await until(() => seen.at(-1)[1].connections === 5, "the clients in an overview");
  const late = seen.find(([, o]) => o.connections === 5)[0] - known;
  assert.ok(late < 1300, `${late} ms late`);
  const o = await ask(world.origin, `${w}/overview`);
  assert.ok(o.change > change);
  assert.deepEqual([o.rooms, o.nodes.alive, o.capacity, o.process.version === ""], [1, 1, 40, false]);

  const history = await until(async () => {
    const h = await ask(world.origin, `${w}/history?seconds=60`);
    return h.connections.at(-1) === 5 && h;
  }, "the clients in the history");
  for (const key of ["capacity", "placements", "lagMs"]) assert.equal(history[key].length, history.connections.length, key);
  assert.ok(Math.abs(history.from + (history.connections.length - 1) * history.stepMs - Date.now()) < 6000);
  console.log(`     told ${late} ms after the world knew; ${history.connections.length} steps`);
});

test("the overview and its events come from the process that decides, whoever is asked", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) }), [id] = ids;
  await c.made(c.put(0, id, "news", room(30, 1)));
  const origins = c.worlds.map((w) => w.origin), seen = await overviews(t, origins[1], id);
  const [one, two] = await Promise.all(origins.slice(0, 2).map((o) => ask(o, `${of(id)}/overview`)));
  assert.ok(one.process.id.length > 0);
  assert.equal(one.process.id, two.process.id);
    await until(() => seen.length > 0, "an overview through the other process");
  await c.made(c.put(1, id, "more", room(30, 1)));
  await until(() => seen.at(-1)[1].rooms === two.rooms + 1, "the second room in it", 3000);
  assert.equal((await ask(origins[1], `${of(id)}/history`)).stepMs, 5000);
});
