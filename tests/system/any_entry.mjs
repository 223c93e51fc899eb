// One address is enough in front of many nodes: whoever arrives at the wrong one goes through to the right one.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { signal } from "@signe/reactive";
import { sync } from "@signe/sync";
import { connectionWorld } from "@signe/sync/client";
import WebSocket from "ws";
import { test, until } from "../lib/runner.mjs";
import { bearer, client, cluster, join, post, request, shardId } from "../lib/cluster.mjs";
import { metric as sample, nodesAlive } from "../lib/metrics.mjs";

globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global; the client asks for it

const world_path = "/parties/world/world-default";
const lobby = { name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 10, minShards: 6 };

const metric = (node, name) => sample(node.origin, `terrane_shard_${name}`);

/** A world that knows three nodes, and the room's shards: ids by node, as each says what it holds. */
async function fleet(t, { env = {}, world = {}, room = lobby } = {}) {
  const c = await cluster(t, { nodes: 3, nodeEnv: env, worldEnv: world });
  c.room.onFrame = (f, link) => {
    if (f.type === "shard.clientMessage") link.ws.send(JSON.stringify({ targetClientId: f.privateId, data: JSON.stringify(f.payload) }));
  };
  await nodesAlive(c.world, 3);
  await post(c.world.origin, `${world_path}/register-room`, room);
  c.shards = [];
  for (let i = 0; i < room.minShards; i++) {
    const answer = await post(c.node.origin, `${world_path}/connect`, { roomId: "lobby" });
    assert.equal(answer.status, 200, answer.body);
    c.shards.push(answer.json.shardId);
  }
  assert.equal(new Set(c.shards).size, room.minShards);
  return c;
}

async function echoes(one, word) {
  one.ws.send(JSON.stringify(word));
  await one.until(() => one.frames.some((f) => f.includes(JSON.stringify(word))), 4000, `the echo of ${word}`);
}

test("compression is agreed on with the node that serves, through any other", async (t) => {
  const c = await fleet(t, { env: { COMPRESSION: "1" } });
  for (const [i, shard] of c.shards.entries()) {
    const one = await join(t, c.node, `z${i}`, { shard, options: { perMessageDeflate: { threshold: 0 } } });
    assert.match(one.ws.extensions, /permessage-deflate/);
    await echoes(one, "again and ".repeat(200));
  }
  const packed = await Promise.all(c.nodes.map((n) => metric(n, 'compressed_bytes_total{stage="after"}')));
  assert.ok(packed.every((n) => n > 0), `each node has compressed: ${packed}`);
});

test("through one node's address clients reach the shards of all nodes", async (t) => {
  const c = await fleet(t);
  const clients = [];
  for (const [i, shard] of c.shards.entries()) clients.push(await join(t, c.node, `c${i}`, { shard }));
  for (const [i, one] of clients.entries()) await echoes(one, `word-${i}`);
  const held = await Promise.all(c.nodes.map((n) => metric(n, "clients")));
  const tunnels = await metric(c.node, 'tunnels{target="node"}');
  console.log(`     clients at each node: ${held.join(" ")}; through tunnels: ${tunnels}`);
  assert.equal(held.reduce((a, b) => a + b), clients.length);
  assert.ok(held.every((n) => n > 0), "each node has clients");
  assert.equal(tunnels, held[1] + held[2]);
  const connects = c.room.frames.filter((f) => f.type === "shard.clientConnected");
  for (const [i, shard] of c.shards.entries()) {
    const { requestInfo } = connects.find((f) => f.privateId === `c${i}`);
    assert.equal(requestInfo.url, `${c.node.origin}/parties/shard/${shard}?id=c${i}`);
    assert.equal(requestInfo.headers.host, new URL(c.node.origin).host);
    assert.doesNotMatch(JSON.stringify(requestInfo), /x-terrane|x-access-shard|x-forwarded/);
    assert.deepEqual(Object.keys(requestInfo.headers).sort(), Object.keys(connects[0].requestInfo.headers).sort());
  }
});

test("requests reach the room through any node and through the world", async (t) => {
  const c = await fleet(t);
  c.room.onRequest = (req, res) => {
    let body = "";
    req.on("data", (d) => (body += d)).on("end", () => res.end(JSON.stringify({ url: req.url, shard: req.headers["x-shard-id"], ip: req.headers["x-original-client-ip"], body })));
  };
  for (const { origin } of [...c.nodes, c.world]) {
    for (const shard of c.shards) {
      const answer = await request(origin, { method: "POST", path: `/parties/shard/${shard}/score?n=1`, body: "x".repeat(5000) });
      assert.equal(answer.status, 200, answer.body);
      assert.deepEqual(answer.json, { url: "/parties/main/lobby/score?n=1", shard, ip: "127.0.0.1", body: "x".repeat(5000) });
    }
  }
});

test("the world's address is enough, for the unmodified client too", async (t) => {
  const c = await fleet(t);
  for (const [i, shard] of c.shards.entries()) await echoes(await join(t, c.world, `w${i}`, { shard }), `word-${i}`);
  class View {
    count = signal(-1);
  }
  sync()(View.prototype, "count");
  for (const [i, host] of [c.world.origin, c.node.origin, c.node.origin, c.node.origin].entries()) {
    const view = new View();
    const connection = await connectionWorld({ host, room: "lobby", worldId: "world-default", query: { id: `v${i}` }, retryCount: 1, WebSocket }, view);
    t.after(() => connection.close());
    await c.room.tells(`+v${i}`);
  }
});

test("when a node dies its clients get in through another within 4 s, all at the same shards", async (t) => {
  const c = await fleet(t);
  const entry = c.nodes[0];
  for (const [i, shard] of c.shards.entries()) await join(t, entry, `a${i}`, { shard });
  await c.nodes[1].kill();
  const begun = Date.now();
  const times = await Promise.all(
    c.shards.flatMap((shard, i) =>
      [0, 1, 2, 3].map(async (k) => {
        const one = await join(t, k % 2 ? entry : c.nodes[2], `b${i}-${k}`, { shard });
        const ms = Date.now() - begun;
        await echoes(one, `again-${i}-${k}`);
        return ms;
      }),
    ),
  );
  const asked = (await metric(entry, "questions_total")) + (await metric(c.nodes[2], "questions_total"));
  console.log(`     ${times.length} clients came in within ${Math.max(...times)} ms; worlds were asked ${asked} times`);
  assert.ok(Math.max(...times) < 4000);
  const ids = new Set(c.room.links.map((l) => l.headers["x-shard-id"]));
  assert.deepEqual([...ids].sort(), [...c.shards].sort());
});

test("a full shard's newcomers get another one of the room; those of a dead node get their own again", async (t) => {
  const c = await fleet(t, { room: { ...lobby, maxPlayersPerShard: 3, minShards: 2, maxShards: 2 }, world: { SEAT_TTL: "1s" } });
  const [first, second] = c.shards;
  const heard = (id) => c.room.links.filter((l) => l.frames.some((f) => f.type === "shard.clientConnected" && f.privateId === id)).map((l) => l.headers["x-shard-id"]);
  const shards = () => request(c.world.origin, { path: "/api/v1/worlds/world-default/shards", headers: bearer("world-default") });
  await until(async () => (await shards()).json.items.every((s) => s.reserved === 0), "the promises of the test itself to end");
  for (const id of ["a", "b", "c", "d"]) await echoes(await join(t, c.node, id, { shard: first }), id);
  assert.deepEqual(["a", "b", "c", "d"].map((id) => heard(id).join()), [first, first, first, second]);
  for (const id of ["e", "f"]) await echoes(await join(t, c.nodes[1], id, { shard: first }), id);
  for (const node of c.nodes) {
    const refused = client(t, `${node.origin}/parties/shard/${first}?id=g`);
    await refused.open();
    assert.deepEqual(refused.failed, { status: 503 });
  }
  const name = (await shards()).json.items.find((s) => s.shardId === first).node;
  const owner = c.nodes.find((n) => n.log.includes(`"node":"${name}"`));
  await owner.kill();
  const rest = c.nodes.find((n) => n !== owner);
  const back = await Promise.all(["a", "b", "c"].map((id) => join(t, rest, id, { shard: first })));
  for (const one of back) assert.equal(one.closed, null);
  for (const id of ["a", "b", "c"]) assert.ok(heard(id).every((s) => s === first), `${id} stays at its shard`);
});

test("an id that nobody created is adopted, or 404", async (t) => {
  const c = await fleet(t);
  await echoes(await join(t, c.nodes[1], "a", { shard: shardId("nowhere") }), "here");
  await echoes(await join(t, c.world, "b", { shard: shardId("elsewhere") }), "there");
  const strict = await fleet(t, { env: { UNREGISTERED_SHARDS: "refuse" } });
  for (const { origin } of [strict.node, strict.world]) {
    const answer = await request(origin, { path: `/parties/shard/${shardId("nowhere")}` });
    assert.equal(answer.status, 404);
    assert.deepEqual(answer.json, { error: `Shard ${shardId("nowhere")} not found` });
    const refused = client(t, `${origin}/parties/shard/${shardId("nowhere")}?id=a`);
    await refused.open();
    assert.deepEqual(refused.failed, { status: 404 });
  }
});
