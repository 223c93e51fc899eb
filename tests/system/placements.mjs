// The load that the tests of several worlds stand on: sent on time, and honest about what failed.
import assert from "node:assert/strict";
import { post } from "../lib/cluster.mjs";
import { now, Placements } from "../lib/placements.mjs";
import { folder, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";

const worlds = ["world-a", "world-b", "world-c"];
const lobby = { name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 20000, minShards: 2 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test("a world answers 2 000 placements a second, and those after its death count as failed", async (t) => {
  const world = await startWorld({ DATA_DIR: `${folder()}/data` });
  const room = await startRoom();
  await startNode(world.origin, room.origin);
  const place = (id) => post(world.origin, `/parties/world/${id}/connect`, { roomId: "lobby" });
  for (const id of worlds) await post(world.origin, `/parties/world/${id}/register-room`, lobby);
  for (const id of worlds) await until(async () => (await place(id)).status === 200, `${id} to place`);
  const load = await Placements.start(t, { entries: [world.origin], worlds });
  const startMs = now();
  await sleep(1500);
  const deathMs = now();
  const ended = world.kill();
  await sleep(500);
  await ended;
  const outcome = await load.stop();
  console.log(`     ${outcome.words}`);
  const rate = (outcome.count({ from: startMs, to: deathMs }) * 1000) / (deathMs - startMs);
  assert.ok(rate > 1900 && rate < 2100, `${rate.toFixed(0)} a second`);
  assert.equal(outcome.failed({ to: deathMs - 50 }), 0);
  assert.ok(outcome.failed({ from: deathMs + 50 }) > 500);
  assert.equal(outcome.count(), outcome.sent);
});
