// One address is enough: a node carries everything that is for the world.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import net from "node:net";
import { signal } from "@signe/reactive";
import { sync } from "@signe/sync";
import { connectionWorld } from "@signe/sync/client";
import WebSocket from "ws";
import { test, until } from "../lib/runner.mjs";
import { startNode } from "../lib/process.mjs";
import { bearer, client, cluster, join, post, request } from "../lib/cluster.mjs";

globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global; the client asks for it

const world_path = "/parties/world/world-default";
const lobby = { name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 10, minShards: 2 };

test("connectionWorld() of the unmodified client needs a node's address only", async (t) => {
  const c = await cluster(t);
  assert.equal((await post(c.node.origin, `${world_path}/register-room`, lobby)).status, 200);
  class View {
    count = signal(-1);
  }
  sync()(View.prototype, "count");
  const view = new View();
  const options = { host: c.node.origin, room: "lobby", worldId: "world-default", query: { id: "a" }, retryCount: 1, WebSocket };
  const connection = await connectionWorld(options, view);
  t.after(() => connection.close());
  await c.room.tells("+a");
  c.room.send({ targetClientId: "a", data: '{"type":"sync","value":{"count":7}}' });
  await until(() => view.count() === 7, "the client's view to follow");
  connection.emit("increment", { by: 1 });
  await c.room.tells('a:{"action":"increment","value":{"by":1}}');
});

test("what the world answers through a node is what it answers itself", async (t) => {
  const { world, node } = await cluster(t);
  const answers = [];
  for (const origin of [world.origin, node.origin]) {
    const name = `world-${answers.length}`;
    const mine = [];
    mine.push(await request(origin, { method: "OPTIONS", path: `/parties/world/${name}/connect` }));
    mine.push(await request(origin, { method: "POST", path: `/parties/world/${name}/connect`, body: "" }));
    mine.push(await request(origin, { method: "POST", path: `/parties/world/${name}/connect`, body: "{" }));
    mine.push(await post(origin, `/parties/world/${name}/register-room`, lobby, {}));
    mine.push(await post(origin, `/parties/world/${name}/register-room`, lobby));
    mine.push(await post(origin, `/parties/world/${name}/connect`, { roomId: "elsewhere", autoCreate: false }));
    mine.push(await request(origin, { path: `/parties/world/${name}/nothing?x=%20` }));
    mine.push(await request(origin, { path: `/parties/world/not%20a%20world/connect` }));
    mine.push(await post(origin, `/parties/world/${name}/connect`, { roomId: "x".repeat(100000) }));
    answers.push(JSON.stringify(mine).replaceAll(name, "world-n").replace(/\d{13}-\d{1,4}/g, "S"));
  }
  assert.equal(answers[1], answers[0]);
});

test("the admin feed runs through a node, with a header or with the token in the query", async (t) => {
  const { node } = await cluster(t);
  const { authorization } = bearer("world-default");
  const byHeader = client(t, `${node.origin}${world_path}`, { headers: { authorization } });
  const byQuery = client(t, `${node.origin}${world_path}?world-auth-token=${authorization.slice(7)}`);
  const stranger = client(t, `${node.origin}${world_path}`);
  await byHeader.joined();
  await byQuery.joined();
  await stranger.open();
  await post(node.origin, `${world_path}/register-room`, lobby);
  for (const feed of [byHeader, byQuery]) {
    await feed.until(() => feed.frames.some((f) => f.includes('"minShards":2')), 4000, "the room in the feed");
  }
  assert.deepEqual(stranger.frames, []);
  byHeader.ws.close(1000, "enough");
  assert.deepEqual(await byHeader.close_(), { code: 1000, reason: "enough" });
});

test("keep-alive and pipelining through a node keep the order of the answers", async (t) => {
  const { node } = await cluster(t);
  const socket = net.connect(node.port, "127.0.0.1");
  t.after(() => socket.destroy());
  let text = "";
  socket.on("data", (data) => (text += data));
  const ask = (room) => {
    const body = JSON.stringify({ roomId: room, autoCreate: false });
    return `POST ${world_path}/connect HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const rooms = Array.from({ length: 20 }, (_, i) => `r${i}`);
  socket.write(rooms.map(ask).join(""));
  await until(() => text.includes("Room r19 "), "the last answer");
  assert.deepEqual([...text.matchAll(/Room (r\d+) /g)].map((m) => m[1]), rooms);
});

test("a node without a world says so, and serves its shards", async (t) => {
  const c = await cluster(t);
  const alone = await startNode("http://127.0.0.1:9", c.room.origin);
  const answer = await post(alone.origin, `${world_path}/connect`, { roomId: "lobby" });
  assert.ok([502, 503].includes(answer.status), String(answer.status));
  assert.equal(typeof answer.json?.error, "string");
  assert.equal(answer.cors["access-control-allow-origin"], "*"); // or a browser could not tell why
  const a = await join(t, alone, "a");
  await c.room.tells("+a");
  assert.equal(a.closed, null);
});

test("a node with two worlds to ask goes on with the second when the first is gone", async (t) => {
  const c = await cluster(t);
  const node = await startNode(`http://127.0.0.1:9,${c.world.origin}`, c.room.origin);
  await until(async () => (await post(node.origin, `${world_path}/connect`, { roomId: "lobby" })).status === 200, "an answer");
});

test("clients of two shards on two nodes are in one room", async (t) => {
  const c = await cluster(t, { nodes: 2 });
  await post(c.world.origin, `${world_path}/register-room`, lobby);
  const shards = [];
  for (let i = 0; i < 2; i++) shards.push((await post(c.world.origin, `${world_path}/connect`, { roomId: "lobby" })).json.shardId);
  assert.notEqual(shards[0], shards[1]);
  const a = await join(t, c.nodes[0], "a", { shard: shards[0] });
  const b = await join(t, c.nodes[1], "b", { shard: shards[1] });
  await until(() => c.room.links.length === 2 && c.room.frames.length === 2, "two links");
  for (const link of c.room.links) c.room.send({ hello: 1 }, link);
  for (const one of [a, b]) await one.until(() => one.frames.length === 1, 4000, "the broadcast");
});
