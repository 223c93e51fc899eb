// A full shard in constant change, clients that change their network, and ids that strangers invent.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { Fleet, long, sleep } from "../lib/fleet.mjs";
import { metric } from "../lib/metrics.mjs";
import { bearer, client, shardId } from "../lib/cluster.mjs";
import { mergeSync } from "../conformance/lib/normal.mjs";

const capacity = 150;
// Who has left counts until its node has told it: at 100 a second the other seats are half a second's.
const regulars = 100;

/** Asks for a place and takes it, as a raw client that tells how it went. */
async function enter(t, f, id) {
  const answer = await f.place(id);
  if (answer.status !== 200) return { refused: `connect ${answer.status}` };
  const c = client(t, `${f.front.origin}/parties/shard/${answer.json.shardId}?id=${id}`);
  await c.open(8000);
  return c.failed ? { refused: `upgrade ${c.failed.status}` } : c;
}

async function leave(c) {
  c.ws.close(1000);
  await c.close_(4000);
}

const seconds = long ? 60 : 6;
test(`100 clients come and 100 go each second for ${seconds} s in one shard of ${capacity}: none is refused, never one too many`, async (t) => {
  const f = await Fleet.start(t, { nodes: 2, room: "script", shards: 1, capacity });
  const inside = [], refused = [];
  for (let n = 0; n < regulars; n += 20) inside.push(...(await Promise.all(Array.from({ length: 20 }, (_, i) => enter(t, f, `first${n + i}`)))));
  assert.deepEqual(inside.filter((c) => c.refused), []);
  const seen = { most: 0, stop: false };
  const watching = (async () => {
    while (!seen.stop) {
      const [s] = await f.shards();
      seen.most = Math.max(seen.most, s.currentConnections + s.reserved + s.returning);
      seen.mostOpen = Math.max(seen.mostOpen ?? 0, s.currentConnections);
      await sleep(20);
    }
  })();
  const turns = [];
  const start = Date.now();
  for (let n = 0; n < seconds * 100; n++) {
    await sleep(start + n * 10 - Date.now());
    const c = inside.shift();
    turns.push(leave(c).then(() => enter(t, f, `next${n}`)).then((next) => (next.refused ? refused.push(next.refused) : inside.push(next))));
  }
  await Promise.all(turns);
  const took = Date.now() - start;
  seen.stop = true;
  await watching;
  console.log(`     ${turns.length} left and came within ${took} ms; at most ${seen.mostOpen} open, ${seen.most} with promised seats; ${refused.length} refused`);
  assert.deepEqual(refused, []);
  assert.equal(turns.length, seconds * 100);
  assert.ok(took < seconds * 1000 + 4000, `${took} ms`);
  assert.ok(seen.most <= capacity);
  await f.counted(regulars, 2000);
  await until(async () => (await f.shards())[0].reserved === 0, "all promises to be kept", 1000);

  while (inside.length < capacity) inside.push(await enter(t, f, `fill${inside.length}`));
  assert.deepEqual(inside.filter((c) => c.refused), []);
  assert.deepEqual(await enter(t, f, "beyond"), { refused: "connect 503" });
  await f.counted(capacity, 2000);
  for (let n = 0; n < 20; n++) {
    await leave(inside.shift());
    const start = Date.now();
    const next = await until(async () => [await enter(t, f, `late${n}`)].find((c) => !c.refused), "the free seat to be given", 1000);
    inside.push(next);
    seen.slowest = Math.max(seen.slowest ?? 0, Date.now() - start);
  }
  console.log(`     a freed seat is taken again within ${seen.slowest} ms`);
}, { seconds: 60 + 2 * seconds });

test("a client that changes its network is in a full shard again at once, through any node", async (t) => {
  const f = await Fleet.start(t, { nodes: 3, room: "script", shards: 1, capacity: 20 });
  const inside = [];
  while (inside.length < 20) inside.push(await enter(t, f, `s${inside.length}`));
  assert.deepEqual(inside.filter((c) => c.refused), []);
  const [shard] = await f.shards();
  await f.counted(20, 2000);
  const times = [];
  for (const [n, c] of inside.entries()) {
    const start = Date.now();
    const again = client(t, `${f.nodes[n % 3].origin}/parties/shard/${shard.shardId}?id=s${n}`, { options: { localAddress: "127.0.0.2" } });
    await again.open();
    assert.equal(again.failed, undefined, `s${n}: ${again.failed?.status}`);
    times.push(Date.now() - start);
    if (n % 2) c.ws.terminate();
    else await leave(c);
  }
  const stranger = client(t, `${f.nodes[0].origin}/parties/shard/${shard.shardId}?id=stranger`);
  await stranger.open();
  assert.equal(stranger.failed?.status, 503);
  await f.counted(20, 2000);
  const story = f.room.story;
  for (let n = 0; n < 20; n++) assert.equal(story.filter((w) => w === `-s${n}`).length, 0, `s${n} never left`);
  console.log(`     20 clients of a full shard on another address within ${Math.max(...times)} ms`);
});

test("a client whose network breaks has its seat for the way back, though others want it", async (t) => {
  const f = await Fleet.start(t, { nodes: 3, room: "script", shards: 2, capacity: 10 });
  const guests = await f.guests(20, { ready: (g) => g.open });
  let refused = 0, stop = false;
  const crowd = (async () => {
    for (let n = 0; !stop; n++) {
      const c = await enter(t, f, `want${n}`);
      assert.ok(c.refused, "a newcomer got a seat that is taken");
      refused++;
      await sleep(20);
    }
  })();
  for (const socket of [...f.front.sockets]) socket.destroy();
  await until(() => guests.every((g) => g.closes.length > 0), "all to notice");
  await until(() => guests.every((g) => g.open), "all to be back");
  stop = true;
  await crowd;
  console.log(`     all back ${Math.max(...guests.map((g) => g.openAt - g.closes[0].at))} ms after the break; ${refused} newcomers refused`);
  await f.counted(20, 2000);
});

test("ids that strangers invent change nothing in the registry and draw nobody", async (t) => {
  const f = await Fleet.start(t, { nodes: 3, room: "script", shards: 3, capacity: 20 });
  const guests = await f.guests(12, { ready: (g) => g.open });
  const admin = client(t, `${f.world.origin}/parties/world/world-default`, { headers: bearer("*") });
  await admin.joined();
  await admin.settle(1200);
  const view = () => {
    const state = {};
    for (const text of admin.frames) mergeSync(state, JSON.parse(text).value);
    for (const s of Object.values(state.shards)) delete s.lastHeartbeat;
    return JSON.stringify({ rooms: state.rooms, shards: state.shards });
  };
  const before = view();
  const strangers = [];
  for (let n = 0; n < 100; n++) {
    const c = client(t, `${f.nodes[n % 3].origin}/parties/shard/${shardId("lobby", 1000 + n)}?id=x${n}`);
    strangers.push(c);
    await c.open();
  }
  const inside = strangers.filter((c) => !c.failed).length;
  await sleep(1500);
  assert.equal(view(), before);
  assert.equal((await f.shards()).length, 3);
  assert.equal(await f.total(), guests.length);
  const counts = {};
  for (let n = 0; n < 12; n++) {
    const { status, json } = await f.place(`p${n}`);
    assert.equal(status, 200);
    counts[json.shardId] = (counts[json.shardId] ?? 0) + 1;
  }
  console.log(`     ${inside} of 100 strangers are served; 12 placements went ${Object.values(counts).join(" ")}`);
  assert.deepEqual(Object.values(counts), [4, 4, 4]);
  assert.deepEqual(Object.keys(counts).sort(), (await f.shards()).map((s) => s.shardId).sort());
  for (const c of strangers) c.end();
  await until(async () => (await Promise.all(f.nodes.map((n) => metric(n.origin, "terrane_shard_clients")))).reduce((a, b) => a + b) === 12, "the strangers to be gone");
  assert.equal(await f.total(), guests.length);
});
