// Room servers that go away and come back: clients stay, nothing is said twice, nobody is left as a ghost.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { freePort, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { client, cluster, join, request, shardId } from "../lib/cluster.mjs";
import { mergeSync } from "../conformance/lib/normal.mjs";
import { Room } from "../lib/room.mjs";

const losses = (node) => node.log.split("link.lost").length;

/** The room server goes away, and the node has noticed: what clients say from now on waits. */
async function fall(c) {
  const before = losses(c.node);
  await c.room.die();
  await until(() => losses(c.node) > before, "the node to notice");
}
/** A new room server where the old one was. */
async function rise(c) {
  c.room = await Room.start({ port: c.room.port });
}

test("a restarted room server hears of the clients again, and then what they said meanwhile, in order", async (t) => {
  const c = await cluster(t);
  const a = await join(t, c.node, "a");
  const b = await join(t, c.node, "b");
  await c.room.tells("+a", "+b");
  await fall(c);
  for (let i = 0; i < 50; i++) (i % 2 ? a : b).send(String(i));
  await rise(c);
  const said = Array.from({ length: 50 }, (_, i) => `${i % 2 ? "a" : "b"}:${i}`);
  await c.room.tells("+a", "+b", "a:49");
  assert.deepEqual(c.room.story.filter((w) => w.startsWith("a:")), said.filter((w) => w.startsWith("a:")));
  assert.deepEqual(c.room.story.filter((w) => w.startsWith("b:")), said.filter((w) => w.startsWith("b:")));
  assert.deepEqual(c.room.story.slice(0, 2).sort(), ["+a", "+b"]);
  c.room.send({ hello: 1 });
  for (const one of [a, b]) await one.until(() => one.frames.includes('{"hello":1}'), 4000, "the broadcast");
  assert.equal(a.closed, null);
  assert.equal(b.closed, null);
});

test("a session that left during the outage is brought and taken, so that no ghost stays", async (t) => {
  const c = await cluster(t);
  const a = await join(t, c.node, "a");
  const b = await join(t, c.node, "b");
  await c.room.tells("+a", "+b");
  await fall(c);
  b.ws.close();
  await b.close_();
  await rise(c);
  await c.room.tells("+a", "+b", "-b");
  assert.equal(c.room.story.filter((w) => w === "-b").length, 1);
  assert.equal(a.closed, null);
});

test("who joins during the outage is announced when the room server is back", async (t) => {
  const c = await cluster(t);
  await join(t, c.node, "a");
  await c.room.tells("+a");
  await fall(c);
  const late = await join(t, c.node, "late");
  late.send('"early bird"');
  await rise(c);
  await c.room.tells("+late", 'late:"early bird"');
  assert.equal(late.closed, null);
});

test("five restarts in a row lose nobody and nothing", async (t) => {
  const c = await cluster(t);
  const clients = await Promise.all(["a", "b", "c", "d"].map((id) => join(t, c.node, id)));
  await c.room.tells("+a");
  for (let i = 0; i < 5; i++) {
    await fall(c);
    await rise(c);
    for (const one of clients) one.send(String(i));
    await until(() => c.room.story.filter((w) => w.endsWith(`:${i}`)).length === 4, `round ${i}`, 12000);
  }
  assert.deepEqual(clients.map((one) => one.closed), [null, null, null, null]);
}, { seconds: 90 });

test("a link that does not come back in time ends in 1013 for those who said something", async (t) => {
  const c = await cluster(t, { nodeEnv: { LINK_WAIT: "500ms" } });
  const a = await join(t, c.node, "a");
  await c.room.tells("+a");
  await fall(c);
  a.send("1");
  const closed = await a.close_(8000);
  assert.equal(closed.code, 1013);
  await rise(c);
});

test("a room server that was never there: 1011 to the first client, 500 or 503 over HTTP", async (t) => {
  const port = await freePort();
  const node = await startNode("http://127.0.0.1:9", `http://127.0.0.1:${port}`);
  const c = client(t, `${node.origin}/parties/shard/${shardId()}?id=a`);
  await c.open();
  const closed = await c.close_(8000);
  assert.deepEqual(closed, { code: 1011, reason: "Unable to start room connection" });
  const http = await request(node.origin, { path: `/parties/shard/${shardId()}/state` });
  assert.ok([500, 503].includes(http.status), String(http.status));
  const room = await Room.start({ port });
  t.after(() => room.die());
  const again = await join(t, node, "b");
  await room.tells("+b");
  assert.equal(again.closed, null);
});

test("the room is warmed up before the link, and nothing rides with the handshake", async (t) => {
  const { node, room } = await cluster(t);
  const c = client(t, `${node.origin}/parties/shard/${shardId("salle é")}?id=a`.replace("é", "%C3%A9").replace("salle ", "salle%20"));
  await c.open();
  await room.tells("+a");
  assert.equal(room.requests[0].method, "OPTIONS");
  assert.equal(room.requests[0].url, "/parties/main/salle%20%C3%A9");
  assert.equal(room.links[0].url, "/parties/main/salle%20%C3%A9");
});

test("a room server's frame over the limit costs the link, not the clients", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { LINK_FRAME_MAX: "64KiB" } });
  const a = await join(t, node, "a");
  await room.tells("+a");
  const link = await room.link(1);
  room.send({ big: "x".repeat(70000) });
  await until(() => link.closed !== null, "the link to be closed");
  assert.equal(link.closed, 1009);
  await room.link(2);
  await room.tells("+a", "+a");
  room.send({ small: 1 });
  await a.until(() => a.frames.includes('{"small":1}'), 4000, "the small frame");
  assert.equal(a.closed, null);
});

test("a demo room that is killed and started again has its clients back", async (t) => {
  const world = await startWorld();
  const room = await startRoom();
  const node = await startNode(world.origin, room.origin);
  const state = (c) => c.frames.map((f) => JSON.parse(f)).filter((f) => f.type === "sync").reduce((s, f) => mergeSync(s, f.value), {});
  const a = await join(t, node, "a");
  const b = await join(t, node, "b");
  await until(() => state(a).count === 0 && state(b).count === 0, "both to be in the room");
  a.act("increment");
  await until(() => state(b).count === 1, "the counter");
  await room.kill();
  await node.says(/link\.lost/);
  a.act("increment");
  await startRoom({ PORT: String(room.port) });
  b.act("increment");
  await until(() => state(a).count === 2 && state(b).count === 2, "the counter of the new room");
  assert.equal(Object.values(state(a).users).filter((u) => u.connected).length >= 2, true);
  assert.equal(a.closed, null);
});
