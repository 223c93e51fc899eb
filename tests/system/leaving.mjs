// Nodes and shards that are given up while others exist: clients go where there is room, and lose no word.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { Fleet, Guest, long, sleep, worldPath } from "../lib/fleet.mjs";
import { metric } from "../lib/metrics.mjs";
import { post } from "../lib/cluster.mjs";

const many = long ? 300 : 90;
const some = long ? 200 : 60;

/** A room that sends each message back, and writes down what it heard of whom. */
function echo(room) {
  const heard = new Map();
  room.onFrame = (frame, link) => {
    if (frame.type !== "shard.clientMessage") return;
    if (!heard.has(frame.privateId)) heard.set(frame.privateId, []);
    heard.get(frame.privateId).push(frame.payload);
    link.ws.send(JSON.stringify({ targetClientId: frame.privateId, data: String(frame.payload) }));
  };
  return heard;
}

/** Says a number every 250 ms while it is open. */
function talks(t, guest) {
  let number = 0;
  guest.onText = (text) => guest.heard.push(Number(text));
  guest.timer = setInterval(() => guest.open && guest.send(String(number++)), 250);
  t.after(() => clearInterval(guest.timer));
}

test(`of three nodes one is stopped: its share of ${many} talking clients goes on at the others, no answer is lost`, async (t) => {
  const seconds = 4;
  const f = await Fleet.start(t, { room: "script", shards: 6, capacity: many, nodeEnv: { DRAIN_DEADLINE: `${seconds}s` } });
  const heard = echo(f.room);
  const guests = await f.guests(many, { ready: (g) => g.open });
  for (const g of guests) talks(t, g);
  await until(() => guests.every((g) => g.heard.length > 0), "all to talk");
  const [, second] = f.nodes;
  const there = await metric(second.origin, "terrane_shard_clients");

  second.child.kill("SIGTERM");
  const start = Date.now();
  await until(async () => (await f.shards()).every((s) => s.node !== "n2"), "its shards to be elsewhere");
  const moved = Date.now();
  assert.equal(await second.exit, 0);
  const took = Date.now() - start;
  await until(() => guests.every((g) => g.open), "all to be back", 16000);
  const settled = await f.counted(many, 2000);
  await sleep(500);
  for (const g of guests) clearInterval(g.timer);
  await sleep(500);

  const closes = guests.flatMap((g) => g.closes);
  const away = guests.filter((g) => g.closes.length > 0);
  const perSecond = [];
  for (const c of closes) perSecond[Math.floor((c.at - start) / 1000)] = (perSecond[Math.floor((c.at - start) / 1000)] ?? 0) + 1;
  console.log(`     ${there} at the node, shards moved after ${moved - start} ms, exit after ${took} ms; closes in each second ${Array.from(perSecond, (n) => n ?? 0).join(" ")}; ` +
    `all back ${Math.max(...away.map((g) => g.openAt)) - start} ms after the signal, counts right ${settled} ms later`);
  for (const g of away) {
    assert.equal(g.closes.length, 1, `${g.id} was closed ${g.closes.map((c) => `${c.code} ${c.reason}`)}`);
    assert.equal(g.closes[0].code, 1012);
  }
  assert.ok(Math.min(...closes.map((c) => c.at)) >= moved - 100, "nobody is closed before the shards are elsewhere");
  for (const n of perSecond) assert.ok((n ?? 0) <= 2 * (closes.length / seconds), `${n} closes in a second`);
  let words = 0;
  const lost = [];
  for (const g of guests) {
    const said = heard.get(g.id);
    assert.deepEqual(said, [...new Set(said)].sort((a, b) => a - b), `what ${g.id} said, in order and once`);
    if (JSON.stringify(g.heard) !== JSON.stringify(said)) lost.push(`${g.id}: said ${said.length}, heard ${g.heard.length}`);
    words += said.length;
  }
  console.log(`     ${words} words heard by the room`);
  assert.deepEqual(lost, []);
}, { seconds: 60 });

test(`a shard of ${some} clients is drained: they are in the room again through another, also by its old id`, async (t) => {
  const f = await Fleet.start(t, { shards: 2, capacity: some + 5, strategy: "packed" });
  const guests = await f.guests(some);
  const [{ shardId }] = guests.map((g) => ({ shardId: g.shard }));
  assert.ok(guests.every((g) => g.shard === shardId));
  const drained = await f.manage("POST", `/shards/${encodeURIComponent(shardId)}/drain`, { deadlineMs: 3000 });
  assert.equal(drained.status, 200, drained.body);
  const start = Date.now();
  await until(() => guests.every((g) => g.closes.length > 0), "all to be closed", 8000);
  const closed = Date.now() - start;
  await until(() => guests.every((g) => g.inRoom), "all to be back", 16000);
  const back = guests.map((g) => g.inAt - g.closes[0].at);
  await until(async () => (await f.shards()).every((s) => s.shardId !== shardId), "the shard to be gone");
  const settled = await f.counted(some, 2000);
  console.log(`     closed within ${closed} ms, each back ${Math.min(...back)} to ${Math.max(...back)} ms after its close; counts right ${settled} ms later`);
  assert.ok(Math.max(...back) < 15000);
  for (const g of guests) {
    assert.equal(new Set(g.pIds).size, 1, `${g.id} was ${g.pIds}`);
    assert.deepEqual(g.closes.map((c) => c.code), [1012]);
  }
  await until(async () => (await f.present()).length === some, "the room to know who is there");
  for (const node of f.nodes) {
    const late = new Guest(t, node.origin, shardId, `late-${node.pid}`);
    await until(() => late.inRoom, "who dials the id that is gone");
  }
  await f.counted(some + f.nodes.length, 2000);
}, { seconds: 60 });

test("a room is scaled in: its draining shard keeps its clients, takes nobody, and goes with the last", async (t) => {
  const f = await Fleet.start(t, { shards: 2, capacity: 40 });
  const guests = await f.guests(30);
  const answer = await post(f.front.origin, `${worldPath}/scale-room`, { roomId: "lobby", targetShardCount: 1 });
  assert.equal(answer.status, 200, answer.body);
  const leaving = (await f.shards()).find((s) => s.status === "draining").shardId;
  const inside = guests.filter((g) => g.shard === leaving);
  await sleep(1500); // orders ride on the answer to the next heartbeat
  for (const node of f.nodes) {
    const late = new Guest(t, node.origin, leaving, `late-${node.pid}`);
    await until(() => late.inRoom, "who dials the draining shard");
  }
  await f.counted(33, 2000);
  const counts = await f.counts();
  assert.equal(counts[leaving], inside.length);
  for (const g of inside) assert.equal(g.opens, 1);
  // A session that dials while its old socket is not yet missed is at home there, and stays.
  const [last, ...first] = inside;
  const comeBack = async (some, stay) => {
    for (const g of some) g.socket.close();
    await f.counted(stay, 4000);
    for (const g of some) g.socket.reconnect();
    await until(() => some.every((g) => g.opens === 2 && g.inRoom), "those who come back to it", 16000);
  };
  await comeBack(first, 33 - first.length);
  await f.counted(33, 2000);
  assert.equal((await f.counts())[leaving], 1);
  await comeBack([last], 32);
  await until(async () => (await f.shards()).length === 1, "the shard to be gone");
  await f.counted(33, 2000);
  for (const g of guests) assert.equal(new Set(g.pIds).size, 1);
}, { seconds: 60 });
