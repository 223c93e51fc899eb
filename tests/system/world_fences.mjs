// Two processes that both believe to be a world's owner: the older one's word counts for nothing. And clocks that
// step: an epoch never falls.
import assert from "node:assert/strict";
import { Clock } from "../lib/clock.mjs";
import { Cut } from "../lib/cut.mjs";
import { rooms, under } from "../lib/outage.mjs";
import { now } from "../lib/placements.mjs";
import { Redis } from "../lib/redis.mjs";
import { test } from "../lib/runner.mjs";
import { ids, long, room, sleep, ttlMs, Worlds } from "../lib/worlds.mjs";

const seconds = long ? 120 : 60;
const GUESTS = 4;
const told = (words, ms) => console.log(`     ${words} after ${ms.toFixed(0)} ms`);
const epochs = (c) => Promise.all(ids.map(async (id) => (await c.lease(id))?.epoch ?? 0));
const rose = (before, after) => after.forEach((e, n) => assert.ok(e > before[n], `${ids[n]}: ${before[n]} and then ${e}`));

/** The owner stands still until another has its worlds, and what it is asked meanwhile is answered when it wakes. */
test("an owner that stood still past its lease decides nothing when it wakes", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  const before = await epochs(c);
  const outcome = await under(t, c, { entries: [1], after: [0, 1], guests: GUESTS }, async () => {
    const since = now();
    c.worlds[0].child.kill("SIGSTOP");
    t.after(() => c.worlds[0].child.kill("SIGCONT"));
    const late = ids.map((id) => c.put(0, id, "late", room(40, 1)));
    const placed = ids.map((id) => c.place(0, id, "lobby"));
    await rooms(c, 1, "after");
    told("registries agree", await c.agree([1], { since, open: GUESTS, ms: ttlMs + 3000 }));
    await sleep(ttlMs);
    const wokeMs = now();
    c.worlds[0].child.kill("SIGCONT");
    for (const answer of [...(await Promise.all(late)), ...(await Promise.all(placed))]) assert.ok([200, 201].includes(answer.status), JSON.stringify(answer));
    told("the one that woke has answered", now() - wokeMs);
    told("registries agree", await c.agree([0, 1], { since: wokeMs, open: GUESTS, ms: 3000 }));
    for (const id of ids) {
      assert.equal(await c.owner(id), 1);
      assert.ok((await c.list(1, id, "rooms")).some((r) => r.name === "late"));
    }
  });
  assert.equal(outcome.failed(), 0);
  rose(before, await epochs(c));
}, { seconds });

test("an owner that stood still with its Redis answers late: what was on the way is refused", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t), wires: Cut });
  // Writes and renewals lie on the wire while another takes the worlds, and arrive when the wire is whole.
  c.wires[0].silence();
  const writes = ids.map((id) => c.put(0, id, "stale", room(50, 1)).catch((error) => ({ status: 0, body: error.message })));
  await c.owned(1, ttlMs + 1000);
  const before = await epochs(c);
  c.wires[0].heal();
  const answers = await Promise.all(writes);
  console.log(`     writes that lay on the wire: ${answers.map((a) => a.status).join(" ")}`);
  await c.agree([0, 1], { ms: ttlMs + 3000 });
  for (const [n, id] of ids.entries()) {
    const there = (await c.list(1, id, "rooms")).some((r) => r.name === "stale");
    assert.ok(there || ![200, 201].includes(answers[n].status), `${id}: acknowledged, and lost`);
  }
  assert.deepEqual(await epochs(c), before);
}, { seconds });

test("the clock of Redis steps back an hour: the next owner's epoch is higher all the same", async (t) => {
  const clock = new Clock(t);
  const c = await Worlds.start(t, { redis: await Redis.start(t, { env: clock.env }) });
  const before = await epochs(c);
  const outcome = await under(t, c, { entries: [1], guests: GUESTS }, async () => {
    clock.set(-3600 * 1000);
    await sleep(2 * ttlMs);
    await c.agree([0, 1], { open: GUESTS, ms: 3000 });
    await c.worlds[0].kill();
    await rooms(c, 1, "after");
    await c.agree([1], { open: GUESTS, ms: 3000 });
  });
  assert.equal(outcome.failed(), 0);
  rose(before, await epochs(c));
}, { seconds });

test("the clock of Redis steps forward an hour: whoever then has the leases, nothing acknowledged is lost", async (t) => {
  const clock = new Clock(t);
  const c = await Worlds.start(t, { redis: await Redis.start(t, { env: clock.env }) });
  const outcome = await under(t, c, { guests: GUESTS }, async () => {
    clock.set(3600 * 1000);
    await rooms(c, 1, "after");
    told("registries agree", await c.agree([0, 1], { open: GUESTS, ms: ttlMs + 3000 }));
  });
  assert.equal(outcome.failed(), 0);
}, { seconds });

test("an owner's clock steps back: it goes on, and so does who inherits", async (t) => {
  const clock = new Clock(t);
  // Processes of one cluster may be a minute apart.
  const c = await Worlds.start(t, { redis: await Redis.start(t), of: (i) => (i === 0 ? clock.env : {}) });
  const before = await epochs(c);
  const outcome = await under(t, c, { entries: [1], guests: GUESTS }, async () => {
    clock.set(-50 * 1000);
    await rooms(c, 1, "back");
    await c.agree([0, 1], { open: GUESTS, ms: 3000 });
    await c.worlds[0].kill();
    await rooms(c, 1, "after");
    await c.agree([1], { open: GUESTS, ms: 3000 });
  });
  assert.equal(outcome.failed(), 0);
  rose(before, await epochs(c));
}, { seconds });
