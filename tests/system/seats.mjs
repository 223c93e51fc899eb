// Capacity under a storm of callers: a seat counts from the moment it is promised.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "../lib/runner.mjs";
import { startWorld } from "../lib/process.mjs";
import { post } from "../lib/cluster.mjs";

const base = "/parties/world/world-storm";

/** `count` callers of a room, 200 at a time on connections that stay open; answers [status, body, headers] of each. */
async function storm(origin, roomId, count) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
  const body = JSON.stringify({ roomId });
  const { hostname, port } = new URL(origin);
  const one = () => new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, agent, method: "POST", path: `${base}/connect`, headers: { "content-length": body.length } }, (response) => {
      let text = "";
      response.on("data", (data) => { text += data; });
      response.on("end", () => resolve([response.statusCode, JSON.parse(text), response.headers]));
    });
    request.on("error", reject);
    request.end(body);
  });
  const answers = await Promise.all(Array.from({ length: count }, one));
  agent.destroy();
  return answers;
}

const admitted = (answers) => answers.filter(([status]) => status === 200);

/** How many were sent to each shard. */
function perShard(answers) {
  const counts = new Map();
  for (const [, { shardId }] of admitted(answers)) counts.set(shardId, (counts.get(shardId) ?? 0) + 1);
  return [...counts.values()];
}

async function room(world, name, strategy, shards, capacity) {
  const answer = await post(world.origin, `${base}/register-room`,
    { name, balancingStrategy: strategy, public: true, maxPlayersPerShard: capacity, minShards: shards, maxShards: shards });
  assert.equal(answer.status, 200);
}

test("10 000 callers at once fill 100 shards of 100 seats exactly", async () => {
  const world = await startWorld({ SEAT_TTL: "10m" });
  for (const strategy of ["least-connections", "round-robin"]) {
    await room(world, strategy, strategy, 100, 100);
    const start = Date.now();
    const answers = await storm(world.origin, strategy, 10000);
    const counts = perShard(answers);
    const [[status, { error }, headers]] = await storm(world.origin, strategy, 1);
    console.log(`     ${strategy}: ${admitted(answers).length} of 10000 admitted in ${Date.now() - start} ms, to ${counts.length} shards, ` +
      `${Math.min(...counts)} to ${Math.max(...counts)} each; the 10001st: ${status}, Retry-After ${headers["retry-after"]}`);
    assert.equal(admitted(answers).length, 10000);
    assert.deepEqual(counts, Array(100).fill(100));
    assert.equal(status, 503);
    assert.equal(error, `No shard capacity available for room ${strategy}`);
    assert.ok(headers["retry-after"] > 0 && headers["retry-after"] <= 600);
  }
});

test("100 callers share 15 seats, and those who do not come leave them to others", async () => {
  const ttl = 2000;
  const world = await startWorld({ SEAT_TTL: `${ttl}ms` });
  await room(world, "small", "round-robin", 3, 5);
  const first = await storm(world.origin, "small", 100);
  assert.equal(admitted(first).length, 15);
  assert.deepEqual(perShard(first), [5, 5, 5]);
  assert.ok(first.every(([status, , headers]) => status === 200 || (status === 503 && ["1", "2"].includes(headers["retry-after"]))));
  const times = []; // of those who are let in later
  for (const end = Date.now() + 10000; times.length < 15 && Date.now() < end;) {
    const [[status]] = await storm(world.origin, "small", 1);
    if (status === 200) times.push(Date.now());
  }
  const took = times[14] - times[0];
  console.log(`     ${admitted(first).length} of 100 admitted; after SEAT_TTL ${times.length} seats came back within ${took} ms`);
  assert.equal(times.length, 15);
  assert.ok(took < ttl, "some of them were promised twice"); // no one's promise of this round has ended
});

test("callers from elsewhere name worlds at a bounded rate, those of this machine do not wait", async () => {
  const world = await startWorld({ TRUSTED_PROXIES: "127.0.0.0/8" });
  const name = async (prefix, headers) => {
    const answers = [];
    for (let i = 0; i < 60; i++) answers.push(await post(world.origin, `/parties/world/world-${prefix}-${i}/connect`, { roomId: "r" }, headers));
    return answers.map((answer) => answer.status);
  };
  const start = Date.now();
  const far = await name("far", { "x-forwarded-for": "192.0.2.1" });
  const made = far.filter((status) => status === 200).length;
  assert.ok(far.every((status) => status === 200 || status === 429));
  assert.ok(made >= 20 && made <= 21 + (Date.now() - start) / 100, `${made} worlds in ${Date.now() - start} ms`);
  assert.deepEqual(await name("near", {}), Array(60).fill(200));
});
