// Ends: asked for, asked for twice, and sudden.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { startWorld } from "../lib/process.mjs";
import { bearer, client, cluster, join, post, request, shardId } from "../lib/cluster.mjs";

test("SIGTERM without clients ends a node within a second", async (t) => {
  const { node } = await cluster(t);
  const start = Date.now();
  assert.equal(await node.stop(), 0);
  assert.ok(Date.now() - start < 3000, `${Date.now() - start} ms`); // a second, and the sanitizer's leak check
});

test("SIGTERM tells a node's clients 1012 with a time to come back, and its rooms that they left", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { DRAIN_DEADLINE: "1s" } });
  const clients = await Promise.all(["a", "b", "c"].map((id) => join(t, node, id)));
  await room.tells("+a");
  await until(() => room.story.length === 3, "all joins");
  assert.equal(await node.stop(), 0);
  for (const c of clients) {
    const closed = await c.close_();
    assert.equal(closed.code, 1012);
    assert.equal(closed.reason, "restart;retry=2000-10000"); // there is no other node
  }
  assert.deepEqual(room.story.filter((w) => w.startsWith("-")).sort(), ["-a", "-b", "-c"]);
});

test("SIGTERM closes what a node carries to the world with 1012, too", async (t) => {
  const { node } = await cluster(t);
  const admin = client(t, `${node.origin}/parties/world/world-default`, { headers: bearer("world-default") });
  await admin.joined();
  assert.equal(await node.stop(), 0);
  const closed = await admin.close_();
  assert.equal(closed.code, 1012);
  assert.match(closed.reason, /^restart;retry=\d+-\d+$/);
});

test("SIGINT is as good as SIGTERM", async (t) => {
  const { node, world } = await cluster(t);
  assert.equal(await node.stop("SIGINT"), 0);
  assert.equal(await world.stop("SIGINT"), 0);
});

test("a node does not wait for a client that never answers the close", async (t) => {
  const { node, room } = await cluster(t);
  const deaf = await join(t, node, "deaf");
  await room.tells("+deaf");
  deaf.ws._socket.pause();
  assert.equal(await node.stop("SIGTERM", 12000), 0);
});

test("a node that stops is not ready, but listens, serves requests and takes no newcomers", async (t) => {
  const { node, room } = await cluster(t);
  await Promise.all(["a", "b"].map((id) => join(t, node, id)));
  await room.tells("+a");
  node.child.kill("SIGTERM");
  await until(() => request(node.origin, { path: "/readyz" }).then((r) => r.status === 503), "the node not to be ready");
  assert.deepEqual((await request(node.origin, { path: "/readyz" })).json, { status: "draining" });
  assert.equal((await request(node.origin, { path: "/livez" })).status, 200);
  assert.equal((await request(node.origin, { path: `/parties/shard/${shardId()}/words` })).status, 200);
  const late = client(t, `${node.origin}/parties/shard/${shardId()}?id=late`);
  await late.open();
  assert.equal(late.closed.handshake, 503);
  assert.equal(node.ended, undefined);
  node.child.kill("SIGTERM");
  node.expected = await node.exit;
});

test("a second SIGTERM ends at once", async (t) => {
  const { node, room } = await cluster(t);
  const deaf = await join(t, node, "deaf");
  await room.tells("+deaf");
  deaf.ws._socket.pause();
  node.child.kill("SIGTERM");
  await until(() => request(node.origin, { path: "/readyz" }).then((r) => r.status !== 200, () => true), "the node not to be ready");
  const start = Date.now();
  node.child.kill("SIGTERM");
  const status = await node.exit;
  assert.ok(Date.now() - start < 3000, `${Date.now() - start} ms`);
  assert.ok(status === 0 || status === 1 || status === "SIGTERM", String(status));
  node.expected = status;
});

test("a world's admins are told 1012", async (t) => {
  const { world } = await cluster(t);
  const admin = client(t, `${world.origin}/parties/world/world-a`, { headers: bearer("world-a") });
  await admin.joined();
  assert.equal(await world.stop(), 0);
  assert.equal((await admin.close_()).code, 1012);
});

test("a request that is under way when SIGTERM comes is answered", async (t) => {
  const { node, room } = await cluster(t);
  let answer;
  room.onRequest = (_req, res) => (answer = () => res.end('{"late":true}'));
  const pending = request(node.origin, { path: `/parties/shard/${shardId()}/slow` });
  await until(() => answer, "the request at the room");
  node.child.kill("SIGTERM");
  await until(() => request(node.origin, { path: "/readyz" }).then((r) => r.status !== 200, () => true), "the node not to be ready");
  answer();
  assert.deepEqual((await pending).json, { late: true });
  assert.equal(await node.exit, 0);
});

test("a killed world takes no client with it, and hears of the shards again when it is back", async (t) => {
  const c = await cluster(t, { nodeEnv: { REPORT_INTERVAL: "200ms" } });
  const placed = await post(c.world.origin, "/parties/world/world-default/connect", { roomId: "lobby" });
  const shard = placed.json.shardId;
  const a = await join(t, c.node, "a", { shard });
  await c.room.tells("+a");
  await c.world.kill();
  const b = await join(t, c.node, "b", { shard });
  a.send("1");
  await c.room.tells("+a", "+b", "a:1");
  assert.equal(a.closed, null);
  assert.equal(b.closed, null);
  const world = await startWorld({ PORT: String(c.world.port) });
  await until(async () => (await post(c.node.origin, "/parties/world/world-default/connect", { roomId: "lobby" })).status === 200, "a placement through the node");
  assert.equal(world.ended, undefined);
});

test("a killed node's clients can go to another node with the same shard id", async (t) => {
  const c = await cluster(t, { nodes: 2 });
  const a = await join(t, c.nodes[0], "a");
  await c.room.tells("+a");
  await c.nodes[0].kill();
  await a.close_();
  const again = await join(t, c.nodes[1], "a");
  again.send("1");
  await c.room.tells("+a", "+a", "a:1");
});
