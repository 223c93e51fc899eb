// The management API over HTTP, with a real node: what an operator orders reaches the clients.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { bearer, client, cluster, request } from "../lib/cluster.mjs";
import { listen } from "../lib/sse.mjs";

const base = "/api/v1/worlds/world-default";
const headers = bearer("world-default");

/** A request of an operator; answers [status, JSON]. */
async function ask(world, method, path, body) {
  const answer = await request(world.origin, { method, path: base + path, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return [answer.status, answer.json];
}

/** Reads the world's events; answers a list that grows. */
async function events(t, world) {
  const seen = [];
  const response = await listen(t, world.origin + base + "/events", headers, (name, data) => seen.push([name, data]));
  assert.equal(response.headers["content-type"], "text/event-stream");
  return seen;
}

/** Comes in at a shard by its node. */
async function come(t, node, shard, id) {
  const c = client(t, `${node.origin}/parties/shard/${encodeURIComponent(shard)}?id=${id}`);
  await c.open();
  return c;
}

const open = (world, shard, count) =>
  until(async () => (await ask(world, "GET", `/shards/${encodeURIComponent(shard)}`))[1].currentConnections === count, `${count} clients of ${shard}`);

test("an operator drains, kicks and bans", async (t) => {
  const { world, node } = await cluster(t);
  await until(async () => (await ask(world, "GET", "/nodes"))[1].items[0]?.usable, "a usable node");
  const seen = await events(t, world);
  assert.equal((await ask(world, "PUT", "/rooms/lobby", { minShards: 2, maxPlayersPerShard: 20 }))[0], 201);
  const [, { items: [one, two] }] = await ask(world, "GET", "/shards?room=lobby");
  const clients = await Promise.all(Array.from({ length: 10 }, (_, i) => come(t, node, one.shardId, `s${i}`)));
  await open(world, one.shardId, 10);

  const shard = `/shards/${encodeURIComponent(one.shardId)}`;
  const [status, answer] = await ask(world, "POST", `${shard}/drain`, { deadlineMs: 1500, retryMs: [10, 20] });
  assert.equal(status, 200);
  assert.equal(answer.status, "draining");
  await Promise.all(clients.map((c) => c.until(() => c.closed, 8000, "a close")));
  for (const c of clients) assert.deepEqual(c.closed, { code: 1012, reason: "restart;retry=10-20" });
  await until(async () => (await ask(world, "GET", shard))[0] === 404, "the end of the shard");

  const back = await Promise.all(clients.map((_, i) => come(t, node, one.shardId, `s${i}`)));
  await open(world, two.shardId, 10);
  assert.equal((await ask(world, "POST", "/rooms/lobby/kick", { session: "s3" }))[0], 200);
  await back[3].until(() => back[3].closed, 8000, "a close of the kicked");
  assert.equal((await ask(world, "PUT", "/rooms/lobby/bans/s4", { seconds: 60 }))[0], 201);
  await back[4].until(() => back[4].closed, 8000, "a close of the banned");
  const again = client(t, `${node.origin}/parties/shard/${encodeURIComponent(two.shardId)}?id=s4`);
  await again.until(() => again.closed, 8000, "a refusal of the banned");
  await open(world, two.shardId, 8);
  assert.equal((await ask(world, "DELETE", "/rooms/lobby/bans/s4"))[0], 204);

  for (const kind of ["room.put", "shard.add", "shard.status", "shard.delete"]) await until(() => seen.some(([name]) => name === kind), `an event ${kind}`);
  assert.ok(seen.some(([name, data]) => name === "shard.delete" && data.shardId === one.shardId));
  console.log(`     banned: ${JSON.stringify(again.closed)}, kicked: ${JSON.stringify(back[3].closed)}; ${seen.length} events`);
});
