// What a world keeps: through kill -9, a full disk, a second process; and the files it must not touch.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { bin, finish, folder, jwtSecret, listening, secret, start, startWorld } from "../lib/process.mjs";
import { bearer, client, post, request } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";

const W = "/parties/world/world-a";
const keeping = () => path.join(folder(), "data");
const settings = (name, max = 10, min = 0) => ({ name, balancingStrategy: "round-robin", public: true, maxPlayersPerShard: max, minShards: min });

/** The registry as an admin sees it. */
async function registry(t, world) {
  const admin = client(t, world.origin + W, { headers: bearer("world-a") });
  const first = await admin.frame((f) => f.type === "sync" && f.value.pId, 8000, "the registry");
  admin.end();
  return { rooms: {}, shards: {}, ...first.value };
}

/** Runs `jobs` (functions), `width` at a time, until they are done or fail; answers how many were started. */
async function crowd(jobs, width) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < jobs.length) {
      const job = jobs[next++];
      try {
        await job();
      } catch {
        return; // the world is gone
      }
    }
  }));
  return next;
}

/** 1 000 admin writes to a world that is ended by `end` after `after` answers; answers what was acknowledged. */
async function writes(world, round, after, end) {
  const acked = { rooms: new Map(), scaled: new Map(), count: 0 };
  const acknowledge = async (verb, body, note) => {
    const answer = await post(world.origin, `${W}/${verb}`, body);
    if (answer.status !== 200) throw new Error(`${verb}: ${answer.status}`);
    note();
    if (++acked.count === after) end();
  };
  const jobs = [];
  for (let i = 0; i < 500; i++) {
    const name = `r${round}-${i}`, max = 1 + ((i * 7) % 50), target = 1 + (i % 4);
    jobs.push(async () => {
      await acknowledge("register-room", settings(name, max), () => acked.rooms.set(name, max));
      await acknowledge("scale-room", { roomId: name, targetShardCount: target }, () => acked.scaled.set(name, target));
    });
  }
  await crowd(jobs, 24);
  return acked;
}

function assertKept({ rooms, shards }, acked) {
  const counts = {};
  for (const shard of Object.values(shards)) counts[shard.roomId] = (counts[shard.roomId] ?? 0) + 1;
  for (const [name, max] of acked.rooms) assert.equal(rooms[name]?.maxPlayersPerShard, max, `room ${name}`);
  for (const [name, target] of acked.scaled) assert.equal(counts[name], target, `shards of ${name}`);
}

test("kill -9 in the middle of 1 000 admin writes loses none that was acknowledged", async (t) => {
  const env = { DATA_DIR: keeping() };
  const all = [];
  const ids = new Set();
  let world = await startWorld(env);
  for (const [round, after] of [[1, 150], [2, 500], [3, 820]]) {
    const killed = world;
    let end;
    const acked = await writes(killed, round, after, () => (end = killed.kill()));
    assert.ok(end, `only ${acked.count} answers`);
    await end;
    all.push(acked);
    world = await startWorld(env);
    const now = await registry(t, world);
    for (const before of all) assertKept(now, before);
    for (const id of ids) assert.ok(now.shards[id], `the shard ${id} is gone`);
    for (const id of Object.keys(now.shards)) ids.add(id);
    console.log(`     killed after ${after} answers: ${acked.count} acknowledged, all kept; ${Object.keys(now.rooms).length} rooms, ${ids.size} shards`);
  }
  assert.equal(await world.stop(), 0);
}, { seconds: 90 });

test("SIGTERM finishes what was acknowledged and the last counts", async (t) => {
  const env = { DATA_DIR: keeping() };
  const world = await startWorld(env);
  const acked = await writes(world, 1, 300, () => world.child.kill("SIGTERM"));
  assert.equal(await world.exit, 0);
  const second = await startWorld(env);
  assertKept(await registry(t, second), acked);
  const { shardId } = (await post(second.origin, `${W}/connect`, { roomId: "lobby" })).json;
  assert.equal((await post(second.origin, `${W}/update-shard`, { shardId, connections: 7 })).status, 200);
  assert.equal(await second.stop(), 0);
  assert.ok(!existsSync(path.join(env.DATA_DIR, "world.db-wal")), "the log is left");
  const third = await startWorld(env);
  assert.equal((await registry(t, third)).shards[shardId].currentConnections, 7);
});

test("a restarted world places into the shards it had, in their order", async (t) => {
  const env = { DATA_DIR: keeping() };
  const first = await startWorld(env);
  await post(first.origin, `${W}/register-room`, settings("lobby", 10, 3));
  const connect = async (world) => (await post(world.origin, `${W}/connect`, { roomId: "lobby" }, {})).json.shardId;
  const placed = [await connect(first), await connect(first), await connect(first)];
  await first.kill();
  const second = await startWorld(env);
  assert.deepEqual([await connect(second), await connect(second), await connect(second)], placed);
  assert.deepEqual(Object.keys((await registry(t, second)).shards), placed);
});

const refused = async (dir, says) => {
  const { stderr } = await finish("terrane-world", [], { HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, DATA_DIR: dir }, 1);
  assert.match(stderr, says);
};

test("files that are damaged, newer or another program's are refused and stay as they are", async () => {
  const dir = keeping(), file = path.join(dir, "world.db");
  const world = await startWorld({ DATA_DIR: dir });
  for (let i = 0; i < 60; i++) await post(world.origin, `${W}/register-room`, settings(`room-${i}`, 10, 2));
  assert.equal(await world.stop(), 0);
  const good = readFileSync(file);
  const patched = (at, bytes) => Buffer.concat([good.subarray(0, at), Buffer.from(bytes), good.subarray(at + bytes.length)]);
  const rows = [
    [patched(60, [0, 0, 0, 99]), /world\.db has schema version 99/],
    [patched(68, [1, 2, 3, 4]), /world\.db is the database of another program/],
    [patched(4096, new Array(4096).fill(0xa5)), /world\.db is damaged/],
    [good.subarray(0, good.length - 5000), /world\.db is damaged/],
    [Buffer.from("not a database at all"), /world\.db is not a database/],
    [Buffer.alloc(0), /world\.db is not a database/],
  ];
  for (const [content, says] of rows) {
    writeFileSync(file, content);
    await refused(dir, says);
    assert.ok(readFileSync(file).equals(content), `the file was changed: ${says}`);
  }
  writeFileSync(file, good);
  const again = await startWorld({ DATA_DIR: dir });
  assert.equal(await metric(again.origin, "terrane_world_rooms"), 60);
});

test("a second world on the same folder is refused, and the first does not notice", async () => {
  const dir = keeping();
  const world = await startWorld({ DATA_DIR: dir });
  await refused(dir, /in use by another world process/);
  assert.equal((await post(world.origin, `${W}/register-room`, settings("a"))).status, 200);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(dir, "world.db")).mode & 0o777, 0o600);
});

test("a folder that cannot be used is named", async () => {
  const dir = folder();
  writeFileSync(path.join(dir, "file"), "");
  await refused(path.join(dir, "file"), /DATA_DIR: .*\/file cannot be opened/);
  await refused(path.join(dir, "no", "such"), /DATA_DIR: .*\/such cannot be made/);
});

test("when the disk is full placement goes on, admins are told, and nothing is lost when there is room again", async (t) => {
  const env = { HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, DATA_DIR: keeping() };
  // A limit on the size of files stands for the disk: writing beyond it fails like writing to a full one.
  const world = start("world", "bash", ["-c", 'trap "" XFSZ; ulimit -S -f 200; exec "$0"', path.join(bin, "terrane-world")], env);
  world.origin = `http://127.0.0.1:${(await world.says(listening))[1]}`;
  const ready = () => request(world.origin, { path: "/readyz" });
  assert.equal((await ready()).status, 200);
  let answer, n = 0;
  do answer = await post(world.origin, `${W}/register-room`, settings(`${n++}-${"x".repeat(3000)}`));
  while (answer.status === 200 && n < 500);
  assert.equal(answer.status, 507, `after ${n} rooms`);
  assert.deepEqual(answer.json, { error: "The change could not be stored" });
  const { shardId } = (await post(world.origin, `${W}/connect`, { roomId: "new" }, {})).json;
  assert.equal((await post(world.origin, `${W}/update-shard`, { shardId, connections: 1 })).status, 200);
  const failing = await ready();
  assert.equal(failing.status, 503);
  assert.deepEqual(failing.json, { status: "failing", failing: ["store"] });
  assert.ok((await metric(world.origin, "terrane_world_store_errors_total")) > 0);
  assert.ok((await metric(world.origin, "terrane_world_store_pending_records")) > 0);

  execFileSync("prlimit", ["--pid", String(world.pid), "--fsize=unlimited"]);
  await until(async () => (await ready()).status === 200, "the world to be ready again", 15000);
  await world.kill();
  const again = await startWorld({ DATA_DIR: env.DATA_DIR });
  const { rooms, shards } = await registry(t, again);
  assert.equal(Object.keys(rooms).length, n + 1);
  assert.ok(shards[shardId], "the shard that was made meanwhile");
});

test("a world without DATA_DIR says that it keeps nothing, once", async () => {
  const world = await startWorld();
  await until(() => world.log.includes('"store.memory"'), "the warning");
  assert.equal(await world.stop(), 0);
  assert.equal(world.log.split("store.memory").length, 2);
});
