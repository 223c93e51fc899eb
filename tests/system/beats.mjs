// A node and a world that is a script: what is told, and what is done about the answers.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import http from "node:http";
import { test, until } from "../lib/runner.mjs";
import { secret, startNode } from "../lib/process.mjs";
import { join, request, shardId } from "../lib/cluster.mjs";
import { Fleet, startSigne } from "../lib/fleet.mjs";
import { Room } from "../lib/room.mjs";

const orders = (more = {}) => ({ epoch: 5, version: 1, intervalMs: 200, others: 0, full: true, shards: [], drop: [], ...more });
const named = (more = {}) => ({ shardId: shardId(), roomId: "lobby", status: "active", maxConnections: 10, ...more });

/** A world on a port of its own; `answer(beat)` gives [status, body]. */
async function scriptedWorld(t, answer) {
  const w = { beats: [], reports: [], answer };
  const server = http.createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const say = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    assert.equal(request.headers["x-access-shard"], secret);
    if (request.url.endsWith("/update-shard")) return w.reports.push(JSON.parse(text)), say(200, {});
    if (!request.url.endsWith("/world-default/heartbeat")) return say(404, { error: "Not found", adopt: true });
    const beat = JSON.parse(text);
    w.beats.push(beat);
    say(...w.answer(beat));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => (server.closeAllConnections(), server.close()));
  w.origin = `http://127.0.0.1:${server.address().port}`;
  w.told = (check) => until(() => w.beats.find(check), "a heartbeat");
  return w;
}

/** Whether the beat says that the session came or left. */
const tells = (beat, id) => [...(shardIn(beat)?.joined ?? []), ...(shardIn(beat)?.left ?? [])].includes(id);
const shardIn = (beat, id = shardId()) => beat.shards.find((s) => s.shardId === id);

test("a node beats to its world, from the start to the end", async (t) => {
  const world = await scriptedWorld(t, () => [200, orders({ shards: [named()] })]);
  const room = await Room.start();
  t.after(() => room.die());
  const node = await startNode(world.origin, room.origin, { NODE_ID: "n1", NODE_URL: "https://n1.example" });
  await world.told((b) => b.full && b.node.id === "n1" && b.node.url === "https://n1.example" && b.node.internalUrl === node.origin);
  const ann = await join(t, node, "ann");
  await world.told((b) => shardIn(b)?.open === 1 && shardIn(b).link === "up" && b.node.connections === 1);
  ann.ws.close();
  await world.told((b) => shardIn(b)?.open === 0 && shardIn(b).admitted === 1);
  assert.ok(world.beats.every((b, i) => b.seq === i + 1));
  assert.equal(await node.stop(), 0);
  assert.ok(world.beats.at(-1).node.gone);
});

/** The headers that only holders of the shard secret can write. */
function signature(method, target, key = secret) {
  const ms = Date.now(), hop = "world", client = "127.0.0.1";
  const mac = createHmac("sha256", key).update(`v1\n${ms}\n${method}\n${target}\n${hop}\n${client}`).digest("hex");
  return { "x-terrane-hop": hop, "x-terrane-client": client, "x-terrane-sign": `v1 ${ms} ${mac}` };
}

test("a node beats at once when its world knocks, and hears nobody else", async (t) => {
  const world = await scriptedWorld(t, () => [200, orders({ intervalMs: 60000 })]);
  const node = await startNode(world.origin, "none");
  await world.told((b) => b.full);
  const knock = async (id, headers) => (await request(node.origin, { method: "POST", path: `/terrane/beat/${id}`, headers })).status;
  const sign = (id, key) => signature("POST", `/terrane/beat/${id}`, key);
  const before = world.beats.length;
  assert.equal(await knock("world-default", {}), 404);
  assert.equal(await knock("world-default", sign("world-default", "another")), 403);
  assert.equal(await knock("world-default", sign("world-other")), 403);
  assert.equal(await knock("world-other", sign("world-other")), 404);
  assert.equal(await knock("world-default", sign("world-default")), 204);
  await until(() => world.beats.length === before + 1, "a beat", 500);
});

test("a node goes to the room server that its world names, and waits while it is held", async (t) => {
  const from = await Room.start(), to = await Room.start();
  t.after(() => (from.die(), to.die()));
  let version = 1, more = {};
  const world = await scriptedWorld(t, () => [200, orders({ version, shards: [named({ roomServer: from.origin, ...more })] })]);
  const node = await startNode(world.origin, "none");
  await world.told((b) => b.haveOrders.version === 1);
  const ann = await join(t, node, "ann");
  await from.tells("+ann");
  [version, more] = [2, { hold: true }];
  await world.told((b) => b.haveOrders.version === 2 && b.seq > 2);
  await until(() => shardIn(world.beats.findLast((b) => shardIn(b)))?.link === "idle", "the link closed");
  ann.send("1");
  [version, more] = [3, { roomServer: to.origin }];
  await to.tells("+ann", "ann:1");
  await world.told((b) => shardIn(b)?.link === "up" && shardIn(b).server === to.origin);
  assert.equal(ann.closed, null);
});

test("a node whose id is in use ends, and says by whom", async (t) => {
  const world = await scriptedWorld(t, (beat) => [409, { error: "x", epoch: beat.node.epoch + 1, ageMs: 10, url: "http://other:1" }]);
  const node = await startNode(world.origin, "none");
  node.expected = 1;
  assert.equal(await node.exit, 1);
  assert.match(node.log, /NODE_ID in use by http:\/\/other:1/);
});

test("a world without heartbeats gets reports", async (t) => {
  const world = await scriptedWorld(t, () => [404, { error: "Not found" }]);
  const room = await Room.start();
  t.after(() => room.die());
  const node = await startNode(world.origin, room.origin);
  await join(t, node, "ann");
  await until(() => world.reports.some((r) => r.connections === 1), "a report");
  assert.equal(world.beats.length, 1);
});

test("a room hears of those whom a killed node left behind that they left", async (t) => {
  let missing = [];
  const world = await scriptedWorld(t, (beat) => {
    if (tells(beat, "bob")) missing = []; // the node sees to it
    return [200, orders({ shards: [named()], missing })];
  });
  const f = Object.assign(new Fleet(), { t, room: await startSigne() });
  const lost = await startNode(world.origin, f.room.origin, { NODE_ID: "lost" });
  for (const id of ["ann", "bob"]) await (await join(t, lost, id)).joined();
  await world.told((b) => shardIn(b)?.joined?.includes("ann"));
  await world.told((b) => shardIn(b)?.joined?.includes("bob"));
  await lost.kill();
  assert.equal((await f.present()).length, 2);

  const heir = await startNode(world.origin, f.room.origin, { NODE_ID: "heir" });
  const ann = await (await join(t, heir, "ann")).joined();
  missing = [{ shardId: shardId(), sessions: ["ann", "bob"] }];
  await world.told((b) => b.node.id === "heir" && shardIn(b)?.left?.includes("bob"));
  await until(async () => (await f.present()).length === 1, "bob to have left");
  assert.deepEqual(await f.present(), [ann.pId]);
  assert.ok(world.beats.every((b) => b.node.id !== "heir" || !shardIn(b)?.left?.includes("ann")));
});

test("a room that was wrongly told that somebody left hears better", async (t) => {
  let renew = false, missing = [];
  const world = await scriptedWorld(t, (beat) => {
    if (beat.node.id === "heir" && tells(beat, "ann")) missing = [];
    if (beat.node.id === "heir") return [200, orders({ shards: [named()], missing })];
    if (beat.full) renew = false;
    return [200, orders({ shards: [named()], renew })];
  });
  const f = Object.assign(new Fleet(), { t, room: await startSigne() });
  const silent = await startNode(world.origin, f.room.origin, { NODE_ID: "silent" });
  const ann = await (await join(t, silent, "ann")).joined();
  await startNode(world.origin, f.room.origin, { NODE_ID: "heir" });
  missing = [{ shardId: shardId(), sessions: ["ann"] }];
  await world.told((b) => b.node.id === "heir" && shardIn(b)?.left?.includes("ann"));
  await until(async () => (await f.present()).length === 0, "the room to take it for gone");
  renew = true;
  await until(async () => (await f.present()).length === 1, "the room to know better");
  assert.deepEqual(await f.present(), [ann.pId]);
  assert.ok(world.beats.findLast((b) => b.node.id === "silent" && b.full).seq > 1);
  ann.ws.close();
  await until(async () => (await f.present()).length === 0, "it to have left");
});
