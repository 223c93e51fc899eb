// The cluster of deploy/compose.yaml, as real containers. tests/deploy/containers has started the Docker daemon and made the images.
// environment: DOCKER_HOST, COMPOSE_PROJECT_NAME, TERRANE_PRIVATE, TERRANE_TAG, NEXT_TAG
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { root } from "../lib/process.mjs";
import { run, test, until } from "../lib/runner.mjs";
import { Players } from "./players.mjs";

const HOST = "https://edge.test:8443";
const MANAGEMENT = "http://127.0.0.1:8404/api/v1/worlds/world-default";
const secret = readFileSync(`${process.env.TERRANE_PRIVATE}/auth-jwt-secret`, "utf8").trim();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const words = async (command, ...args) => (await promisify(execFile)(command, args, { cwd: root, maxBuffer: 1 << 24 })).stdout.trim();
const docker = (...args) => words("docker", ...args);
const compose = (...args) => words("docker-compose", "-f", "deploy/compose.yaml", "-f", "tests/deploy/echo.yaml", ...args);
const containers = async (...services) => (await compose("ps", "-q", ...services)).split("\n").filter(Boolean);
const inspect = async (id, format) => docker("inspect", "-f", format, id);
const healthy = async (ids) => (await Promise.all(ids.map((id) => inspect(id, "{{.State.Health.Status}}")))).every((s) => s === "healthy");

function token() {
  const text = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${text({ alg: "HS256", typ: "JWT" })}.${text({ worlds: ["*"], exp: Math.floor(Date.now() / 1000) + 60 })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
async function manage(path, options = {}) {
  const answer = await fetch(MANAGEMENT + path, { ...options, headers: { authorization: `Bearer ${token()}`, "content-type": "application/json" } });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}
const nodes = async () => (await manage("/nodes")).items;
const alive = async () => (await nodes()).filter((n) => n.state === "alive");

/** Players in a room of their own with six shards. */
async function play(t, room, count) {
  await manage(`/rooms/${room}`, { method: "PUT", body: JSON.stringify({ maxPlayersPerShard: 60, minShards: 6, maxShards: 12 }) });
  const players = await Players.enter(t, { host: HOST, room, count });
  await players.talking(10000);
  return players;
}
/** They are all in, came back at most once, and hear each other's rooms. */
async function nobodyIsLost(players, ms) {
  await players.settled(ms);
  await players.talking(ms);
  assert.deepEqual(players.restless, []);
}

test("the containers are healthy, cannot write, and nobody in them is root", async () => {
  const ids = await until(async () => {
    const all = await containers();
    return all.length === 10 && (await healthy(all)) && all;
  }, "ten healthy containers", 60000);
  for (const id of ids) {
    const [name, readOnly, memory, pid] = (await inspect(id, "{{.Name}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.State.Pid}}")).split(" ");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    assert.equal(readOnly, "true", name);
    assert.ok(Number(memory) > 0, `${name} has a memory limit`);
    assert.match(status, /^Uid:\t[1-9]/m, name);
    assert.match(status, /^CapEff:\t0+$/m, name);
    assert.match(status, /^NoNewPrivs:\t1$/m, name);
  }
}, { seconds: 70 });

test("the images say which version they are", async () => {
  for (const image of ["terrane", "terrane-demo-room"]) {
    const labels = JSON.parse(await inspect(`${image}:${process.env.TERRANE_TAG}`, "{{json .Config.Labels}}"));
    assert.match(labels["org.opencontainers.image.version"], /^\d+\.\d+\.\d+$/);
    assert.match(labels["org.opencontainers.image.revision"], /^[0-9a-f]{40}$|^unknown$/);
  }
});

test("the unmodified client plays by the edge, with TLS", async (t) => {
  const client = spawn(process.execPath, ["tests/lib/signe_client.mjs", HOST, "visitor"], { cwd: root });
  t.after(() => client.kill());
  let said = "";
  for (const stream of [client.stdout, client.stderr]) stream.on("data", (data) => (said += data));
  await until(() => /^count 1$/m.test(said), "the room's count").catch((error) => assert.fail(`${error.message}: ${said}`));
});

test("the edge shows players what is theirs and no more", async () => {
  const status = async (path) => (await fetch(`http://127.0.0.1:8080${path}`)).status;
  for (const path of ["/", "/metrics", "/api/v1/worlds", "/readyz", "/parties/main/lobby"]) assert.equal(await status(path), 404, path);
  assert.equal(await status("/livez"), 200);
});

test("Prometheus hears all of them, and our rules are in it", async () => {
  const ask = async (path) => (await (await fetch(`http://127.0.0.1:9090/api/v1/${path}`)).json()).data;
  await until(async () => (await ask("query?query=up==1")).result.length === 5, "two worlds and three nodes are up", 20000);
  assert.ok((await ask("rules")).groups.length > 0);
}, { seconds: 40 });

test("the rooms are replaced by some that answer every message", async () => {
  await compose("up", "-d", "--no-deps", "--no-build", "room-1", "room-2");
  await until(async () => healthy(await containers("room-1", "room-2")), "rooms", 30000);
}, { seconds: 60 });

test("nodes come and go by --scale, and the edge is not reloaded", async (t) => {
  const players = await play(t, "scale", 60);
  const edge = await inspect((await containers("edge"))[0], "{{.State.Pid}} {{.RestartCount}}");
  await compose("up", "-d", "--no-deps", "--no-build", "--no-recreate", "--scale", "shard=5", "shard");
  await until(async () => (await alive()).length === 5, "five nodes", 20000);
  await players.talking(5000);
  assert.equal(players.again, 0, "nobody noticed that nodes came");
  await compose("up", "-d", "--no-deps", "--no-build", "--no-recreate", "--scale", "shard=3", "shard");
  await until(async () => (await alive()).length === 3, "three nodes", 20000);
  await nobodyIsLost(players, 15000);
  await players.hush();
  assert.deepEqual(players.wrong, []);
  assert.equal(await inspect((await containers("edge"))[0], "{{.State.Pid}} {{.RestartCount}}"), edge);
}, { seconds: 120 });

test("a node that is killed is started again, and its players are back", async (t) => {
  const players = await play(t, "killed", 60);
  const [id] = await containers("shard");
  process.kill(Number(await inspect(id, "{{.State.Pid}}")), "SIGKILL");
  await until(async () => (await inspect(id, "{{.RestartCount}}")) >= 1 && (await healthy([id])), "it runs again", 30000);
  await nobodyIsLost(players, 25000);
}, { seconds: 90 });

test("a world that is killed is not missed", async (t) => {
  const players = await play(t, "worldly", 30);
  const [id] = await containers("world-1");
  process.kill(Number(await inspect(id, "{{.State.Pid}}")), "SIGKILL");
  await players.talking(5000);
  await Players.enter(t, { host: HOST, room: "worldly-2", count: 5 });
  await until(async () => (await inspect(id, "{{.RestartCount}}")) >= 1 && (await healthy([id])), "it runs again", 30000);
  await players.talking(5000);
  assert.equal(players.again, 0);
}, { seconds: 90 });

test("a node that stands still for five seconds keeps its players", async (t) => {
  const players = await play(t, "paused", 60);
  const [id] = await containers("shard");
  await docker("pause", id);
  await sleep(5000);
  await docker("unpause", id);
  await nobodyIsLost(players, 25000);
}, { seconds: 90 });

test("the players of a node that is cut off come back by others", async (t) => {
  const players = await play(t, "cut", 60);
  const [id] = await containers("shard");
  const network = `${process.env.COMPOSE_PROJECT_NAME}_cluster`;
  const join = () => docker("network", "connect", "--alias", "shard", network, id);
  await docker("network", "disconnect", network, id);
  t.after(() => join().catch(() => {}));
  await nobodyIsLost(players, 45000);
  await join();
  await until(async () => (await alive()).length === 3 && (await healthy([id])), "it is heard again", 20000);
  await nobodyIsLost(players, 15000);
}, { seconds: 120 });

test("deploy/roll replaces worlds and nodes under 200 players", async (t) => {
  const players = await play(t, "roll", 200);
  const before = await containers("shard");
  const said = await words("deploy/roll", process.env.NEXT_TAG);
  const after = await containers("shard");
  assert.equal(after.length, 3, said);
  assert.deepEqual(after.filter((id) => before.includes(id)), []);
  for (const id of [...after, ...(await containers("world-1", "world-2"))]) assert.match(await inspect(id, "{{.Config.Image}}"), new RegExp(`:${process.env.NEXT_TAG}$`));
  await nobodyIsLost(players, 15000);
  await players.hush();
  assert.deepEqual(players.wrong, []);
  t.after(() => console.log(`     ${players.again} of 200 came anew`));
}, { seconds: 180 });

test("what is no image leaves the cluster as it is", async () => {
  const before = await containers();
  await assert.rejects(words("deploy/roll", "no-such-tag"), /there is no image/);
  assert.deepEqual(await containers(), before);
});

test("all of them stop in time, with status 0", async (t) => {
  await play(t, "stop", 30);
  const ids = await containers();
  const graces = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await inspect(id, "{{.Name}}")])));
  const start = Date.now();
  await compose("stop");
  assert.ok(Date.now() - start < 60000, `it took ${Date.now() - start} ms`);
  for (const id of ids) assert.equal(await inspect(id, "{{.State.ExitCode}} {{.State.OOMKilled}}"), "0 false", graces[id]);
}, { seconds: 120 });

await run();
