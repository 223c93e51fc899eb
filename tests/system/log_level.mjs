// What processes log can be changed while they run: by an operator, for a while.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { bearer, cluster, request } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";

const put = (world, path, body, headers = bearer("*")) => request(world.origin, { method: "PUT", path, headers, body: JSON.stringify(body) });
const level = async (world) => (await request(world.origin, { path: "/api/v1/process", headers: bearer("*") })).json.logLevel;
/** Whether a request that is refused is logged. */
const isWordy = async (p) => {
  const count = () => p.log.split('"level":"debug"').length, before = count();
  await request(p.origin, { path: "/parties/shard/%zz" });
  await request(p.origin, { path: "/parties/world/world-default/nowhere" });
  await new Promise((r) => setTimeout(r, 30));
  return count() > before;
};

test("a level that is ordered holds for its time, at a world and at a node", async (t) => {
  const { world, node } = await cluster(t);
  const id = node.log.match(/"node":"([^"]+)"/)?.[1] ?? (await request(node.origin, { path: "/version" })).json.node;
  const at = `/api/v1/worlds/world-default/nodes/${id}/log-level`;
  await until(async () => (await put(world, at, { level: "info" })).status === 200, "the node to be known");
  assert.equal(await isWordy(world), false);
  assert.deepEqual((await put(world, "/api/v1/process/log-level", { level: "debug", seconds: 1 })).json, { logLevel: "debug" });
  assert.equal(await level(world), "debug");
  assert.equal(await isWordy(world), true);
  await until(async () => (await level(world)) === "info", "the world's level to be as before");
  assert.equal(await isWordy(world), false);

  assert.equal((await put(world, at, { level: "debug", seconds: 2 })).status, 200);
  await node.says(/process\.log_level.*"level":"debug"/);
  assert.equal(await isWordy(node), true);
  await node.says(/process\.log_level.*"level":"info".*over/);
  assert.equal(await isWordy(node), false);

  assert.equal((await put(world, at, { level: "debug" })).status, 200); // without end: until SIGHUP, and not again after it
  await node.says(/process\.log_level.*"level":"debug"[^]*"level":"debug".*ordered/);
  node.child.kill("SIGHUP");
  await node.says(/process\.reload/);
  const beats = () => metric(node.origin, "terrane_shard_beats_total");
  const before = await beats();
  await until(async () => (await beats()) > before + 1, "two more beats");
  assert.equal(await isWordy(node), false);
});

test("only those who may change a level do, to one that there is", async (t) => {
  const { world } = await cluster(t);
  const path = "/api/v1/process/log-level";
  assert.equal((await put(world, path, { level: "debug" }, {})).status, 403);
  assert.equal((await put(world, path, { level: "debug" }, bearer("world-default"))).status, 403);
  for (const body of [{}, { level: "loud" }, { level: "debug", seconds: 0 }, { level: "debug", seconds: 1.5 }, { level: "debug", more: 1 }]) assert.equal((await put(world, path, body)).status, 400, JSON.stringify(body));
  assert.equal((await put(world, "/api/v1/worlds/world-default/nodes/none/log-level", { level: "debug" })).status, 404);
  assert.equal(await level(world), "info");
});
