// Several room servers known to the world: rooms are spread over them, and leave a dead one without a client being closed.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { folder, startNode, startWorld } from "../lib/process.mjs";
import { join, post } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";
import { Room } from "../lib/room.mjs";

const ROOMS = 24;
const EVERY_MS = 50; // between two messages of a client

/** A world with two room servers and two nodes that know none of their own, and a client in each of ROOMS rooms. */
async function start(t, worldEnv) {
  const c = { servers: [await Room.start(), await Room.start()] };
  t.after(() => Promise.all(c.servers.map((s) => s.die())));
  c.world = await startWorld({ ROOM_SERVERS: c.servers.map((s) => s.origin).join(), ...worldEnv });
  c.nodes = [await startNode(c.world.origin, "none"), await startNode(c.world.origin, "none")];
  await until(() => c.world.log.split(/node\.state.*alive/).length === 3, "both nodes to be known");
  c.clients = [];
  for (let i = 0; i < ROOMS; i++) {
    const { status, json } = await post(c.world.origin, "/parties/world/world-default/connect", { roomId: `room-${i}` });
    assert.equal(status, 200);
    const at = await post(c.world.origin, "/parties/world/world-default/resolve", { shardId: json.shardId, reason: "unknown" });
    const one = await join(t, { origin: at.json.url }, `c${i}`, { shard: json.shardId });
    assert.equal(one.closed, null);
    c.clients.push(Object.assign(one, { name: `c${i}`, path: `/parties/main/room-${i}`, said: 0 }));
  }
  await until(() => c.clients.every((one) => serverOf(c, one)), "a link of each room");
  return c;
}

/** Which server has a standing link of the client's room; one has it at most. */
function serverOf(c, one) {
  const at = c.servers.filter((s) => s.links.some((l) => l.url === one.path && l.closed === null));
  assert.ok(at.length <= 1, `${one.path} is at ${at.length} servers`);
  return at[0];
}

const heard = (server, one) => (server?.frames ?? []).filter((f) => f.type === "shard.clientMessage" && f.privateId === one.name).map((f) => f.payload);
const losses = (c) => c.nodes.reduce((n, node) => n + node.log.split("link.lost").length - 1, 0);
const say = (one) => one.send(String(one.said++));

/** The server dies, the nodes have noticed; answers the clients whose rooms were there. */
async function kill(c, server) {
  const hit = c.clients.filter((one) => serverOf(c, one) === server);
  const before = losses(c);
  await server.die();
  await until(() => losses(c) >= before + hit.length, "the nodes to notice");
  return hit;
}

/** These clients talk until what they said last is heard at `server()`, all of it in order. */
async function talk(clients, server, ms) {
  const start = Date.now();
  for (;;) {
    for (const one of clients) say(one);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (clients.every((one) => heard(server(), one).length > 0)) break;
    assert.ok(Date.now() - start < ms, `the rooms are not served again after ${ms} ms`);
  }
  const came = Date.now() - start;
  for (const one of clients) {
    await until(() => heard(server(), one).at(-1) === one.said - 1, `all of ${one.name}`);
    assert.deepEqual(heard(server(), one), Array.from({ length: one.said }, (_, i) => i));
    assert.equal(one.closed, null);
  }
  return came;
}

test("rooms are spread over the room servers of their world", async (t) => {
  const c = await start(t);
  const counts = c.servers.map((s) => c.clients.filter((one) => serverOf(c, one) === s).length);
  console.log(`      rooms on the two servers: ${counts.join(" and ")}`);
  assert.equal(counts[0] + counts[1], ROOMS);
  assert.ok(counts[0] > 0 && counts[1] > 0); // ports are random: all on one is a chance of 1 in 8 million
  assert.equal(await metric(c.world.origin, 'terrane_world_room_servers{state="up"}'), 2);
});

test("with ROOM_FAILOVER=move the rooms of a dead server go to another, and no client is closed", async (t) => {
  const c = await start(t, { ROOM_FAILOVER: "move" });
  const [dead, other] = serverOf(c, c.clients[0]) === c.servers[0] ? c.servers : [...c.servers].reverse();
  const hit = await kill(c, dead);
  const ms = await talk(hit, () => other, 14000);
  console.log(`      ${hit.length} rooms were served elsewhere after ${ms} ms, ${hit.reduce((n, one) => n + one.said, 0)} messages in order`);
  for (const one of c.clients) assert.equal(one.closed, null);
  assert.equal(await metric(c.world.origin, 'terrane_world_room_moves_total{cause="dead"}'), hit.length);
  assert.equal(await metric(c.world.origin, 'terrane_world_room_servers{state="dead"}'), 1);
}, { seconds: 60 });

test("with ROOM_FAILOVER=wait the rooms of a server that is restarted stay, and no client is closed", async (t) => {
  const c = await start(t, { ROOM_FAILOVER: "wait" });
  const at = c.servers.findIndex((s) => s === serverOf(c, c.clients[0]));
  const hit = await kill(c, c.servers[at]);
  setTimeout(async () => { c.servers[at] = await Room.start({ port: c.servers[at].port }); }, 5000); // the world takes it for dead by then
  const ms = await talk(hit, () => c.servers[at], 14000);
  console.log(`      ${hit.length} rooms were served again after ${ms} ms, ${hit.reduce((n, one) => n + one.said, 0)} messages in order`);
  for (const one of c.clients) assert.equal(one.closed, null);
  assert.equal(await metric(c.world.origin, 'terrane_world_room_moves_total{cause="dead"}'), 0);
}, { seconds: 60 });

test("rooms that run on a node's own choice stay there when the world comes to know the room servers", async (t) => {
  const servers = [await Room.start(), await Room.start()];
  t.after(() => Promise.all(servers.map((s) => s.die())));
  const env = { DATA_DIR: folder() };
  let world = await startWorld(env);
  env.PORT = String(world.port);
  const node = await startNode(world.origin, servers[0].origin);
  await until(() => world.log.match(/node\.state.*alive/), "the node to be known");
  for (let i = 0; i < 6; i++) {
    const { json } = await post(world.origin, "/parties/world/world-default/connect", { roomId: `room-${i}` });
    await join(t, node, `c${i}`, { shard: json.shardId });
  }
  await until(() => servers[0].links.length === 6, "the links");
  await world.stop();
  world = await startWorld({ ...env, ROOM_SERVERS: servers.map((s) => s.origin).join(), LOG_LEVEL: "debug" });
  await until(() => world.log.split(/room\.assigned.*"adopted":"?1/).length === 7, "the rooms to be adopted");
  const beats = () => metric(node.origin, "terrane_shard_beats_total");
  const before = await beats();
  await until(async () => (await beats()) >= before + 2, "the node to have the new orders");
  assert.ok(servers[0].links.every((l) => l.closed === null));
  assert.equal(servers[1].links.length, 0);
});
