// One event among several worlds, under load: placements, clients that stay, a crowd at a room that is too small
// for it, and an operator who writes all the while.
import assert from "node:assert/strict";
import { Crowd } from "./crowd.mjs";
import { now, Placements } from "./placements.mjs";
import { ids, room, sleep } from "./worlds.mjs";

/** The world that the crowd and the operator are in. */
export const busy = "world-busy";
const SEATS = 5;

/** Makes rooms, one after the other, and remembers which of them were acknowledged. */
export class Operator {
  static start(t, c, entries) {
    const operator = Object.assign(new Operator(), { c, entries, acked: [], refused: [] });
    operator.loop = operator.write();
    t.after(() => operator.stop());
    return operator;
  }
  async write() {
    for (let n = 0; !this.stopping; n++) {
      const i = this.entries[n % this.entries.length], name = `written-${n}`, startMs = now();
      const { status } = await this.c.put(i, busy, name, room(10 + n, 1)).catch((error) => ({ status: error.message }));
      if (status === 200 || status === 201) this.acked.push(name);
      else this.refused.push(`${status} after ${(now() - startMs).toFixed(0)} ms`);
      await sleep(40);
    }
  }
  async stop() {
    this.stopping = true;
    await this.loop;
  }
  /** Everything that was acknowledged is there, whomever one asks. */
  async kept(entries) {
    for (const i of entries) {
      const there = new Set((await this.c.list(i, busy, "rooms")).map((r) => r.name));
      const lost = this.acked.filter((name) => !there.has(name));
      assert.deepEqual(lost, [], `lost, of ${this.acked.length}, as the world ${i} tells`);
    }
  }
  get words() {
    return `${this.acked.length} writes, ${this.refused.length} refused${this.refused.length ? ` (${[...new Set(this.refused)].slice(0, 5).join("; ")})` : ""}`;
  }
}

/**
 * Runs `story` with placements through the worlds `entries` under way. Afterwards: nobody who was in is out, no shard
 * held more than it may, and no acknowledged write is lost, as the worlds `after` tell. Answers the Outcome.
 */
export async function under(t, c, { entries = [0, 1], after = entries, rate = 2000, guests = 4 }, story) {
  await c.made(c.put(0, busy, "small", { ...room(SEATS, 3), maxShards: 3 }));
  const stay = await c.guests(guests);
  const origins = entries.map((i) => c.worlds[i].origin);
  const crowd = Crowd.start(t, { entries: origins, nodes: c.nodes, world: busy, room: "small", count: 40 });
  const operator = Operator.start(t, c, entries);
  const load = await Placements.start(t, { entries: origins, worlds: ids, rate });
  await sleep(1000);
  await story(load);
  await sleep(500);
  const outcome = await load.stop();
  await Promise.all([operator.stop(), crowd.stop()]);
  for (const words of [outcome.words, operator.words, crowd.words]) console.log(`     ${words}`);
  assert.ok(crowd.visits > 50, `only ${crowd.visits} visits`);
  assert.ok(crowd.most <= SEATS, `a shard of ${SEATS} seats held ${crowd.most}`);
  assert.deepEqual(stay.map((g) => g.closed).filter(Boolean), [], "clients that stayed were closed");
  await operator.kept(after);
  return outcome;
}

/** A room made in each world through the i-th, at a moment when nobody may decide for them. */
export const rooms = (c, i, name) => Promise.all(ids.map((id) => c.made(c.put(i, id, name, room(30, 1)))));

/** Takes worlds that are not ready out of the load, as a balancer does that asks them every 100 ms. */
export function balance(t, c, load) {
  let over = false;
  const look = async () => {
    while (!over) {
      for (const i of c.worlds.keys()) load.use(c.worlds[i].origin, (await c.ready(i)).status === 200);
      await sleep(100);
    }
  };
  const looking = look();
  t.after(async () => {
    over = true;
    await looking;
  });
}
