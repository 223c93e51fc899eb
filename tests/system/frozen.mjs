// Nodes that stand still and go on, processes with one id, and a world that is killed: clients do not notice.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { Fleet, Guest, long, sleep } from "../lib/fleet.mjs";
import { metric } from "../lib/metrics.mjs";
import { folder, freePort, startWorld } from "../lib/process.mjs";
import { Room } from "../lib/room.mjs";

const count = long ? 150 : 45;

const owners = async (f) => Object.fromEntries((await f.shards()).map((s) => [s.shardId, s.node]));
const nodesIn = (f, state) => metric(f.world.origin, `terrane_world_nodes{state="${state}"}`);

/** Nobody has lost a socket since. */
function unharmed(guests) {
  for (const g of guests) assert.deepEqual([g.opens, g.closes], [1, []], `${g.id} of ${g.shard}`);
}

/** A room that sends back what it hears; clients keep it in `heard`. */
function echo(room) {
  room.onFrame = (frame, link) => {
    if (frame.type === "shard.clientMessage") link.ws.send(JSON.stringify({ targetClientId: frame.privateId, data: String(frame.payload) }));
  };
}

/** Each says a word and hears it. */
async function talk(guests, word, ms = 8000) {
  for (const g of guests) {
    g.onText = (text) => g.heard.push(text);
    g.send(JSON.stringify(word));
  }
  await until(() => guests.every((g) => g.heard.includes(word)), `all to hear ${word}`, ms);
}

async function echoing(t, options = {}) {
  const f = await Fleet.start(t, { room: "script", capacity: count, ...options });
  echo(f.room);
  const guests = await f.guests(count, { ready: (g) => g.open });
  await talk(guests, "hello");
  return [f, guests];
}

test("a node that stands still for 5 s is given nobody, and loses nobody", async (t) => {
  const [f, guests] = await echoing(t, { nodeEnv: { PING_INTERVAL: "1s" } });
  const before = await owners(f);
  const [first, second, third] = f.nodes;
  f.front.ports = [first.port, third.port];
  second.child.kill("SIGSTOP");
  const stopped = Date.now();
  await until(() => nodesIn(f, "suspect"), "the node to be suspect");
  const suspect = Date.now() - stopped;
  for (let n = 0; n < 20; n++) {
    const answer = await f.place(`new${n}`);
    assert.equal(answer.status, 200);
    assert.notEqual(before[answer.json.shardId], "n2");
  }
  await sleep(stopped + 5000 - Date.now());
  second.child.kill("SIGCONT");
  await f.alive(3, 2000);
  await f.counted(count, 2000);
  console.log(`     suspect after ${suspect} ms`);
  assert.ok(suspect > 2000 && suspect < 4500);
  assert.deepEqual(await owners(f), before);
  await talk(guests, "still here");
  unharmed(guests);
});

test("a node that stands still for 15 s has lost its shards, and has them back with its clients", async (t) => {
  const [f, guests] = await echoing(t);
  const before = await owners(f);
  const [first, second, third] = f.nodes;
  second.child.kill("SIGSTOP");
  const stopped = Date.now();
  await until(async () => Object.values(await owners(f)).every((n) => n !== "n2"), "its shards to move", 12000);
  const moved = Date.now() - stopped;
  const lost = Object.keys(before).filter((id) => before[id] === "n2");
  const late = [];
  for (const [i, shard] of lost.entries()) late.push(new Guest(t, [first, third][i % 2].origin, shard, `late${i}`));
  await until(() => late.every((g) => g.open), "newcomers to the moved shards");
  const returning = (await f.shards()).reduce((sum, s) => sum + s.returning, 0);
  await sleep(stopped + 15000 - Date.now());
  second.child.kill("SIGCONT");
  const settled = await f.counted(count + lost.length, 2000);
  console.log(`     moved after ${moved} ms, ${returning} returning; counts right ${settled} ms after it went on`);
  assert.deepEqual(await owners(f), before);
  assert.ok((await f.shards()).every((s) => s.returning === 0));
  await talk([...guests, ...late], "all here");
  unharmed([...guests, ...late]);
}, { seconds: 60 });

test("when all nodes stand still nothing moves", async (t) => {
  const [f, guests] = await echoing(t, { nodes: 2, shards: 4 });
  const before = await owners(f);
  for (const node of f.nodes) node.child.kill("SIGSTOP");
  await sleep(long ? 13000 : 6000);
  assert.deepEqual(await owners(f), before);
  for (const node of f.nodes) node.child.kill("SIGCONT");
  await f.alive(2, 2000);
  await f.counted(count, 2000);
  assert.deepEqual(await owners(f), before);
  await talk(guests, "as before");
  unharmed(guests);
}, { seconds: 60 });

test("a world that is killed and started again knows its clients within 2 s, and they do not notice", async (t) => {
  const worldEnv = { DATA_DIR: `${folder()}/data`, PORT: String(await freePort()) };
  const [f, guests] = await echoing(t, { worldEnv });
  const before = await owners(f);
  await f.world.kill();
  await talk(guests, "without a world");
  for (const g of guests.slice(0, 5)) g.leave();
  await sleep(1500);
  f.world = await startWorld(worldEnv);
  const started = Date.now();
  const asked = await Promise.all(Array.from({ length: 20 }, (_, i) => f.place(`new${i}`, f.world.origin)));
  const answered = Date.now() - started;
  await f.counted(count - 5, 2000);
  console.log(`     20 callers answered ${answered} ms after the start, counts right after ${Date.now() - started} ms`);
  assert.deepEqual(asked.map((a) => a.status), Array(20).fill(200));
  assert.deepEqual(await owners(f), before);
  await f.settings({ minShards: 4, maxShards: 4 });
  const made = (await f.shards()).find((s) => !before[s.shardId]);
  const guest = new Guest(t, f.front.origin, made.shardId, "late");
  guest.shard = made.shardId;
  await until(() => guest.open, "a client in a shard of the new world");
  await talk([...guests.slice(5), guest], "with a world");
  unharmed([...guests.slice(5), guest]);
});

test("a killed node that comes back under its id has its clients again, nobody twice", async (t) => {
  const f = await Fleet.start(t, { capacity: count });
  const guests = await f.guests(count);
  const before = await owners(f);
  for (const wait of [0, 5000]) {
    const [, second] = f.nodes;
    await second.kill();
    await sleep(wait);
    f.nodes[1] = await f.node("n2", { PORT: String(second.port) });
    await until(() => guests.every((g) => g.inRoom), "all to be back", 16000);
    await f.alive(3);
    const settled = await f.counted(count, 2000);
    console.log(`     started again after ${wait} ms: counts right ${settled} ms after the last was back`);
    if (wait === 0) assert.deepEqual(await owners(f), before);
    await until(async () => (await f.present()).length === count, "the room to know who is there");
    for (const g of guests) assert.equal(new Set(g.pIds).size, 1, `${g.id} was ${g.pIds}`);
  }
  await f.settings({ minShards: 5, maxShards: 5 });
  await until(async () => Object.values(await owners(f)).includes("n2"), "the node to be used again");
}, { seconds: 60 });

test("of two processes with one NODE_ID the earlier ends, and its clients go on with the later", async (t) => {
  const f = await Fleet.start(t, { capacity: count });
  const guests = await f.guests(count);
  const [first] = f.nodes;
  first.expected = 1;
  const later = await f.node("n1");
  f.front.ports = [later.port, ...f.front.ports.slice(1)];
  assert.equal(await first.exit, 1);
  assert.match(first.log, /NODE_ID in use by/);
  await until(() => guests.every((g) => g.inRoom), "all to be back", 16000);
  await f.counted(count, 2000);
  await f.alive(3);
  for (const g of guests) assert.equal(new Set(g.pIds).size, 1, `${g.id} was ${g.pIds}`);
  await until(async () => (await f.present()).length === count, "the room to know who is there");
}, { seconds: 60 });

test("clients of three nodes stay while the room server that their world names is started again", async (t) => {
  const f = await Fleet.start(t, { room: "script", capacity: count, nodeEnv: { ROOM_SERVERS: "none" }, roomsOfWorld: true });
  const guests = await f.guests(count, { ready: (g) => g.open });
  await until(() => f.room.story.filter((w) => w.startsWith("+")).length === count, "all to be in the room");
  await f.room.die();
  await until(() => f.nodes.every((n) => n.log.includes("link.lost")), "the nodes to notice");
  for (let i = 0; i < 40; i++) {
    for (const g of guests) g.send(String(i));
    await sleep(100);
  }
  f.room = await Room.start({ port: f.room.port });
  const said = () => f.room.story.filter((w) => /:\d+$/.test(w));
  await until(() => said().length === 40 * count, "the room to hear it", 12000);
  for (const g of guests) {
    const mine = f.room.story.filter((w) => w === `+${g.id}` || w.startsWith(`${g.id}:`));
    assert.deepEqual(mine, [`+${g.id}`, ...Array.from({ length: 40 }, (_, i) => `${g.id}:${i}`)]);
  }
  unharmed(guests);
}, { seconds: 60 });
