// The owner of worlds goes, and another process takes them: nobody who asks the cluster notices.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { apart, ApartRedis, Cable } from "../lib/cable.mjs";
import { Cut } from "../lib/cut.mjs";
import { balance, rooms, under } from "../lib/outage.mjs";
import { now, Placements } from "../lib/placements.mjs";
import { Redis } from "../lib/redis.mjs";
import { ids, long, sleep, ttlMs, Worlds } from "../lib/worlds.mjs";

const seconds = long ? 120 : 60;
const GUESTS = 4;
const told = (words, ms) => console.log(`     ${words} after ${ms.toFixed(0)} ms`);

test("the owner is killed: what comes in at the other is answered, within 5 s", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  const outcome = await under(t, c, { entries: [1], guests: GUESTS }, async () => {
    const beside = await Placements.start(t, { entries: [c.worlds[0].origin], worlds: ids, rate: 50 });
    await sleep(200);
    const since = now();
    await c.worlds[0].kill();
    await rooms(c, 1, "after");
    told("registries agree", await c.agree([1], { since, open: GUESTS, ms: ttlMs + 3000 }));
    const lost = await beside.stop();
    console.log(`     apart, through the one that was killed: ${lost.words}`);
    assert.equal(lost.failed({ to: since - 50 }), 0);
    await c.up(0);
    told("and with the restarted one", await c.agree([0, 1], { open: GUESTS, ms: 3000 }));
  });
  assert.equal(outcome.failed(), 0);
}, { seconds });

test("the owner is told to end: what comes in is answered, within 0.5 s", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  const outcome = await under(t, c, { after: [1], guests: GUESTS }, async (load) => {
    balance(t, c, load);
    const since = now();
    const ended = c.worlds[0].stop();
    await rooms(c, 1, "after");
    told("registries agree", await c.agree([1], { since, open: GUESTS, ms: 3000 }));
    assert.equal(await ended, 0);
    told("it ended", now() - since);
  });
  assert.equal(outcome.failed(), 0);
  assert.ok(outcome.longest() < 500, `the longest took ${outcome.longest().toFixed(0)} ms`);
}, { seconds });

/** The owner hears nothing of Redis any more, nor Redis of it. */
async function cutOff(t, redis, wires) {
  const c = await Worlds.start(t, { redis, wires });
  let cutMs;
  const outcome = await under(t, c, { guests: GUESTS }, async () => {
    cutMs = now();
    c.wires[0].silence();
    await c.owned(1, ttlMs + 1000);
    told("another owns them", now() - cutMs);
    await rooms(c, 0, "after");
    told("registries agree", await c.agree([0, 1], { since: cutMs, open: GUESTS, ms: ttlMs + 3000 }));
    await sleep(2 * ttlMs);
    c.wires[0].heal();
    await sleep(ttlMs);
    told("and with the one that is back", await c.agree([0, 1], { open: GUESTS, ms: 3000 }));
  });
  const [own, other] = c.origins;
  assert.equal(outcome.failed({ entry: other }), 0);
  assert.equal(outcome.failed({ entry: own, to: cutMs }) + outcome.failed({ entry: own, from: cutMs + ttlMs }), 0);
}

const onlyItsOwn = "the owner is cut off from Redis: only its own clients may fail, and only while its lease lasts";
test(onlyItsOwn, async (t) => cutOff(t, await Redis.start(t), Cut), { seconds });
if (apart) test(`${onlyItsOwn} (a cable)`, async (t) => cutOff(t, await ApartRedis.start(t), Cable), { seconds });

test("the owner's connections to Redis break: it goes on, and nobody fails", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t), wires: Cut });
  const outcome = await under(t, c, { guests: GUESTS }, async () => {
    c.wires[0].reset();
    await sleep(ttlMs / 4);
    c.wires[0].heal();
    told("registries agree", await c.agree([0, 1], { open: GUESTS, ms: 3000 }));
    assert.equal(await c.owner(ids[0]), 0);
  });
  assert.equal(outcome.failed(), 0);
}, { seconds });
