// A reconnect storm: all clients of a node but a few are cut off at once, and come back through CONNECT_RATE.
// Sizes by environment: STORM (clients, 600), STORM_RATE (of them a second, 120), STORM_STAY (who stays and talks, 50).
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { Storm, Talkers, echoRoom, hasTools, now, partySocket, prefer, quantile } from "../lib/storm.mjs";
import { cluster, post } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";

const size = (name, usual) => Number(process.env[name] || usual);
const count = size("STORM", 600);
const stay = size("STORM_STAY", 50);
const rate = size("STORM_RATE", count / 5);
// What 99 % may take in any case, ms: less says more about who else uses the processors than about the node; and
// without the tools it is a sanitized node and threads of Node that share them.
const patience = hasTools ? 20 : 1000;

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

/** A cluster whose room answers each message to who said it, and a shard with a seat for everybody. */
async function crowdedCluster(t, nodeEnv) {
  const c = await cluster(t, { rooms: await echoRoom(t), nodeEnv: { PING_INTERVAL: "0", ...nodeEnv } });
  const path = "/parties/world/world-default";
  const room = { name: "arena", balancingStrategy: "packed", public: true, maxPlayersPerShard: 2 * (count + stay), minShards: 1 };
  assert.equal((await post(c.world.origin, `${path}/register-room`, room)).status, 200);
  c.shard = (await post(c.world.origin, `${path}/connect`, { roomId: "arena" }, {})).json.shardId;
  return c;
}

/** The mean place of each group in the order in which both came in, from 0 to 1. */
function meanRanks(groups) {
  const all = groups.flatMap((group, g) => group.map(({ at }) => ({ g, at }))).sort((a, b) => a.at - b.at);
  return groups.map((_, g) => mean(all.flatMap((one, i) => (one.g === g ? [i / all.length] : []))));
}

const ms = (v) => `${v.toFixed(v < 10 ? 1 : 0)} ms`;
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

test("all who are cut off at once come back in time, and who stayed hardly notices", async (t) => {
  const { node, shard } = await crowdedCluster(t, { CONNECT_RATE: `${rate}:${rate}` });
  prefer(node.pid);
  const at = { port: node.port, shard };
  const talkers = await Talkers.start(t, { ...at, count: stay, rate: 4 });
  const storm = await Storm.start(t, { ...at, prefix: "back", count, threads: 2 });
  await storm.open(rate * 0.9);
  await talkers.heard();
  await sleep(partySocket().uptime);
  const quiet = await talkers.heard();

  const dropped = now();
  await storm.drop();
  const most = { held: 0 };
  const watch = setInterval(async () => (most.held = Math.max(most.held, await metric(node.origin, "terrane_shard_admissions_held"))), 200);
  t.after(() => clearInterval(watch));
  const back = await storm.back();
  clearInterval(watch);
  const stormy = await talkers.heard();

  const longest = Math.max(...back.map((c) => c.at)) - dropped;
  console.log(`     ${count} back through ${rate}:${rate}: the last ${ms(longest)} after the break, half by ${ms(quantile(back.map((c) => c.at - dropped), 0.5))}; ` +
    `${mean(back.map((c) => c.tries)).toFixed(2)} tries, ${back.filter((c) => c.refused).length} of them refused once or more; at most ${most.held} held`);
  for (const [when, { answers, p99, longest: most }] of [["quiet", quiet], ["storm", stormy]])
    console.log(`     ${stay} that stayed, ${when}: ${answers} answers, 99 % within ${ms(p99)}, longest ${ms(most)}`);
  assert.ok(longest < 15000, `the last came back after ${longest} ms`);
  assert.equal(stormy.lost, 0);
  assert.ok(most.held > 0 && most.held <= rate * 3, `${most.held} were held`);
  assert.ok(stormy.p99 < Math.max(2 * quiet.p99, patience), "who stayed is served as before");
}, { seconds: 120 });

test("sessions that were here go before newcomers who came first", async (t) => {
  const each = Math.ceil(rate * 1.2);
  const { node, shard } = await crowdedCluster(t, { CONNECT_RATE: `${rate}:${Math.ceil(rate / 20)}` });
  const at = { port: node.port, shard, count: each };
  const known = await Storm.start(t, { ...at, prefix: "back" });
  const fresh = await Storm.start(t, { ...at, prefix: "new" });
  await known.open(rate * 0.9);
  const dropped = now();
  await known.drop();
  await fresh.come(dropped + partySocket().first - 100);
  const [back, came] = [await known.back(), await fresh.back()];
  const [rankBack, rankNew] = meanRanks([back, came]);
  console.log(`     mean place in the order of admission: ${rankBack.toFixed(2)} of ${each} who came back, ${rankNew.toFixed(2)} of ${each} newcomers, who had come 100 ms before`);
  assert.ok(rankBack < rankNew - 0.1, "sessions that were here go first");
  assert.ok(came.some((c) => c.at < Math.max(...back.map((b) => b.at))), "and newcomers are not forgotten");
}, { seconds: 60 });
