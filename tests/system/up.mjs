// deploy/up as a person uses it, on ports of its own. usage: node tests/system/up.mjs [--room demo|signe] [PATTERN...]
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { run, test, until } from "../lib/runner.mjs";
import { freePort, root, start } from "../lib/process.mjs";
import { client, post, request } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";

const { values, positionals } = parseArgs({ options: { room: { type: "string", default: "demo" } }, allowPositionals: true });

const secret = () => readFileSync(path.join(root, "build/up/shard-secret"), "utf8");
const running = (pid) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};
const processes = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
const childrenOf = (pid) => processes().filter((p) => {
  try {
    return Number(readFileSync(`/proc/${p}/stat`, "utf8").replace(/^.*\) /, "").split(" ")[1]) === pid;
  } catch {
    return false;
  }
});

/** The four programs of a cluster that is up; the shell may have a short-lived child beside them. */
const programs = (p) => until(() => [childrenOf(p.pid)].find((pids) => pids.length === 4), "four processes");

/** Starts deploy/up; `ready` waits for the addresses. */
async function up(more = {}, args = ["--room", values.room]) {
  const [world, room, a, b] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const env = { WORLD_PORT: String(world), ROOM_PORT: String(room), NODE_PORTS: `${a} ${b}`, ...more };
  const p = start("deploy/up", path.join(root, "deploy/up"), args, env);
  const origin = (port) => `http://127.0.0.1:${port}`;
  return Object.assign(p, {
    world: origin(world), room: origin(room), nodes: [origin(a), origin(b)], ports: [world, room, a, b],
    ready: () => p.says(/Ctrl-C stops everything/, 400000),
  });
}

test("it builds, starts a cluster that works through both nodes, and Ctrl-C ends all of it", async (t) => {
  const p = await up();
  await p.ready();
  const page = await request(p.room, { path: "/" });
  assert.equal(page.status, 200);
  const config = await request(p.room, { path: "/config.json" });
  assert.deepEqual(config.json, { nodes: p.nodes, world: "world-default", room: "lobby" });
  const shards = new Set();
  for (const node of p.nodes) {
    const placed = await post(node, "/parties/world/world-default/connect", { roomId: "lobby", autoCreate: false }, {});
    assert.equal(placed.status, 200);
    shards.add(placed.json.shardId);
    const c = client(t, `${node}/parties/shard/${placed.json.shardId}?id=${shards.size}&name=Tester`);
    await c.joined(8000);
  }
  assert.equal(shards.size, 2);
  assert.equal(await metric(p.world, 'terrane_world_room_servers{state="up"}'), 1);
  const children = await programs(p);
  for (const pid of children) assert.ok(!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(secret()), "a secret is on a command line");
  assert.equal(await p.stop("SIGINT"), 0);
  assert.deepEqual(children.filter(running), []);
}, { seconds: 420 });

test("the second start takes less than 10 seconds and keeps the secrets, which only their owner can read", async () => {
  const before = secret();
  const start = Date.now();
  const p = await up();
  await p.ready();
  assert.ok(Date.now() - start < 10000, `${Date.now() - start} ms`);
  assert.equal(secret(), before);
  for (const name of ["shard-secret", "auth-jwt-secret"]) assert.equal(statSync(path.join(root, "build/up", name)).mode & 0o777, 0o600);
  assert.ok(!p.log.includes(before));
});

test("SIGTERM ends all of it too", async () => {
  const p = await up();
  await p.ready();
  const children = await programs(p);
  assert.equal(await p.stop("SIGTERM"), 0);
  assert.deepEqual(children.filter(running), []);
});

test("when one process dies, it says which and why, and stops the others", async () => {
  const p = await up();
  await p.ready();
  const children = await programs(p);
  const node = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("terrane-shard"));
  process.kill(node, "SIGKILL");
  p.expected = 1;
  assert.equal(await p.exit, 1);
  assert.match(p.log, /node-\d+ has stopped/);
  assert.deepEqual(children.filter(running), []);
});

test("when it is killed itself, nothing is left running", async () => {
  const p = await up();
  await p.ready();
  const children = await programs(p);
  await p.kill();
  await until(() => children.every((pid) => !running(pid)), "the processes to end", 15000);
});

test("interrupted half-way, nothing is left running", async () => {
  const p = await up();
  await p.says(/starting the world/, 60000);
  const children = childrenOf(p.pid);
  p.expected = 130;
  assert.equal(await p.stop("SIGINT"), 130);
  assert.deepEqual(children.filter(running), []);
});

test("a port in use is named with its holder before anything is built", async (t) => {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address();
  for (const env of [{ WORLD_PORT: String(port) }, { ROOM_PORT: String(port) }, { NODE_PORTS: `${port}` }]) {
    const p = await up(env);
    p.expected = 1;
    assert.equal(await p.exit, 1);
    assert.match(p.log, new RegExp(`port ${port} is in use by \\S+ \\(pid ${process.pid}\\)`));
    assert.doesNotMatch(p.log, /building/);
  }
});

test("what it does not understand it refuses", async () => {
  for (const [env, args, words] of [
    [{}, ["--room", "x"], /demo or signe/], [{}, ["--room"], /needs a value/], [{}, ["up"], /unknown argument 'up'/],
    [{ WORLD_PORT: "x" }, [], /'x' is not a port/], [{ NODE_PORTS: "3010 3010" }, [], /3010 is given twice/],
  ]) {
    const p = await up(env, args);
    p.expected = 1;
    assert.equal(await p.exit, 1);
    assert.match(p.log, words);
  }
});

await run({ patterns: positionals });
