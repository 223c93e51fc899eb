// terrane-world copy: a registry moves between a DATA_DIR, a Redis and a file, and nothing of it is lost.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { finish, folder, startWorld } from "../lib/process.mjs";
import { bearer, cluster, post, request } from "../lib/cluster.mjs";
import { Redis } from "../lib/redis.mjs";

const base = "/api/v1/worlds/world-default";

async function ask(world, method, at, body) {
  const answer = await request(world.origin, { method, path: base + at, headers: bearer("*"), body: body === undefined ? undefined : JSON.stringify(body) });
  return [answer.status, answer.json];
}

const copy = (words, expected = 0, env = {}) => finish("terrane-world", ["copy", ...words], env, expected);
const lines = (file) => readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const records = (file) => lines(file).slice(1);
const kinds = (list) => Object.fromEntries([...new Set(list.map((r) => r.kind))].sort().map((k) => [k, list.filter((r) => r.kind === k).length]));
const inOrder = (list) => list.map((r) => JSON.stringify(r)).sort();

/** A DATA_DIR with some of everything, and what the world said of it last. */
async function grown(t) {
  const dir = path.join(folder(), "data");
  const { world, nodes } = await cluster(t, { worldEnv: { DATA_DIR: dir } });
  await until(async () => (await ask(world, "GET", "/nodes"))[1].items[0]?.usable, "a usable node");
  for (const room of ["lobby", "z-first", "a-last"]) assert.equal((await ask(world, "PUT", `/rooms/${room}`, { minShards: 2, maxPlayersPerShard: 20 }))[0], 201);
  assert.equal((await ask(world, "PUT", "/rooms/lobby/bans/s4", { seconds: 3600 }))[0], 201);
  assert.equal((await ask(world, "PUT", `/servers/${encodeURIComponent("http://127.0.0.1:9")}`, {}))[0], 201);
  const [, { items: [gone] }] = await ask(world, "GET", "/shards?room=z-first");
  await ask(world, "POST", `/shards/${encodeURIComponent(gone.shardId)}/drain`, { deadlineMs: 100 });
  await until(async () => (await ask(world, "GET", `/shards/${encodeURIComponent(gone.shardId)}`))[0] === 404, "the end of a shard");
  assert.equal((await post(world.origin, "/parties/world/world-other/register-room", { name: "é\u0001\"x", balancingStrategy: "hash", public: false, maxPlayersPerShard: 3, minShards: 1 })).status, 200);
  for (const node of nodes) await node.stop();
  const [, exported] = await ask(world, "GET", "/export");
  await world.stop();
  return { dir, exported };
}

test("a registry goes from SQLite to Redis, to a file and back", async (t) => {
  const { dir, exported } = await grown(t);
  const redis = await Redis.start(t), at = folder(), back = path.join(folder(), "back");
  const [first, second, third] = ["first", "second", "third"].map((name) => path.join(at, name));
  await copy([`sqlite:${dir}`, `file:${first}`]);
  const said = await copy([`sqlite:${dir}`, redis.url]);
  await copy([redis.url, `file:${second}`]);
  await copy([`file:${second}`, `sqlite:${back}`]);
  await copy([`sqlite:${back}`, `file:${third}`]);
  const kept = kinds(records(first));
  for (const kind of ["room", "shard", "node", "server", "ban", "retired"]) assert.ok(kept[kind] > 0, `a ${kind} of ${JSON.stringify(kept)}`);
  assert.deepEqual(inOrder(records(second)), inOrder(records(first)));
  for (const kind of Object.keys(kept))
    for (const world of ["world-default", "world-other"]) {
      const keys = (file) => records(file).filter((r) => r.kind === kind && r.world === world).map((r) => r.key);
      assert.deepEqual(keys(second), keys(first), `the order of ${kind}s`);
      assert.deepEqual(keys(third), keys(first), `the order of ${kind}s`);
    }
  assert.deepEqual((await redis.ask("KEYS", "terrane:lease:*")), []);
  assert.deepEqual((await redis.ask("ZRANGE", "terrane:processes", 0, -1)), []);

  const world = await startWorld({ DATA_DIR: back });
  const [status, again] = await ask(world, "GET", "/export");
  assert.equal(status, 200);
  assert.deepEqual(inOrder(again.records), inOrder(exported.records));
  await world.stop();
  console.log(`     ${JSON.stringify(kept)}; ${said.stderr.trim().split("\n").at(-1)}`);
});

test("what is there is not overwritten unasked", async (t) => {
  const redis = await Redis.start(t), at = folder();
  const file = path.join(at, "file"), data = path.join(at, "data");
  const line = (world, key) => JSON.stringify({ kind: "retired", world, key, value: '{"until":1}' });
  const write = (...list) => writeFileSync(file, [JSON.stringify({ format: "terrane-registry-1" }), ...list].join("\n") + "\n");
  write(line("world-1", "a"), line("world-2", "b"));
  for (const to of [redis.url, `sqlite:${data}`, `file:${path.join(at, "out")}`]) {
    await copy([`file:${file}`, to]);
    write(line("world-2", "c"), line("world-3", "d"));
    const refused = await copy([`file:${file}`, to], 1);
    assert.match(refused.stderr, to.startsWith("file:") ? /is there already; --replace/ : /holds records of world "world-2" already; --replace/);
    const kept = await copy([to, "-"]);
    assert.deepEqual(kept.stdout.trim().split("\n").slice(1).map((l) => JSON.parse(l).key).sort(), ["a", "b"]);
    await copy([`file:${file}`, to, "--replace", "--world=world-2"]);
    const replaced = await copy(["--world=world-2", to, "-"]);
    assert.deepEqual(replaced.stdout.trim().split("\n").slice(1).map((l) => JSON.parse(l).key), ["c"]);
    write(line("world-1", "a"), line("world-2", "b"));
  }
  await redis.ask("SET", "terrane:lease:world-1", "5 00000000000000ab http://10.0.0.1:3002", "PX", 60000);
  const used = await copy([`file:${file}`, redis.url, "--replace"], 1);
  assert.match(used.stderr, /world "world-1" is in use by the world process at http:\/\/10\.0\.0\.1:3002/);
  assert.deepEqual(await redis.ask("KEYS", "terrane:lease:*"), ["terrane:lease:world-1"]);
});

test("ends of a copy that are not what they should be are refused", async (t) => {
  const redis = await Redis.start(t), at = folder(), file = path.join(at, "file");
  const head = JSON.stringify({ format: "terrane-registry-1" });
  const record = (more) => JSON.stringify({ kind: "room", world: "world-w", key: "k", value: "{}", ...more });
  for (const [text, why] of [["", /there is no line/], ["{}\n", /does not say that this is a registry/], ["garbage\n", /line 1: it is not JSON/],
    ['{"format":"terrane-registry-2"}\n', /another version/], [`${head}\n[1\n`, /line 2: it is not JSON/], [`${head}\n\n`, /line 2/], [`${head}\n7\n`, /line 2/],
    [`${head}\n${record({ kind: "what" })}\n`, /kind is not known/], [`${head}\n${record({ world: "" })}\n`, /no world/], [`${head}\n${record({ value: "{" })}\n`, /no value/],
    [`${head}\n${record({ key: undefined })}\n`, /no key/], [`${head}\n${record({ key: 1, keyHex: "0g" })}\n`, /no key/]]) {
    writeFileSync(file, text);
    const refused = await copy([`file:${file}`, redis.url], 1);
    assert.match(refused.stderr, why);
  }
  assert.deepEqual(await redis.ask("KEYS", "*"), []);
  for (const [words, status, why] of [[[], 2, /FROM and TO/], [["a", "b"], 2, /FROM is none/], [["-", "what"], 2, /TO is none/], [["-", "-", "-"], 2, /behind FROM and TO/], [["--what=secret", "-", "-"], 2, /option --what is not known/], [["--world", "-", "-"], 2, /--world=ID/],
    [["file:/nowhere/at/all", "-"], 1, /cannot be read/], [[`sqlite:${at}`, "-"], 1, /there is no .*world\.db/], [["redis://127.0.0.1:1", "-"], 1, /127\.0\.0\.1:1: it cannot be reached/], [[redis.url, "-", "--world=world-none"], 1, /nothing of world "world-none"/],
    [["rediss://127.0.0.1:1", "-"], 1, /URL is wrong/]]) {
    const refused = await copy(words, status);
    assert.match(refused.stderr, why);
  }
  await redis.ask("HSET", "terrane:meta:world-w", "format", "2");
  await redis.ask("SADD", "terrane:worlds", "world-w");
  assert.match((await copy([redis.url, "-"], 1)).stderr, /terrane:meta:world-w was written by another version: format 2/);
  writeFileSync(file, `${head}\n${record()}\n`);
  assert.match((await copy([`file:${file}`, redis.url, "--replace"], 1)).stderr, /terrane:meta:world-w was written by another version/);

  const dir = path.join(folder(), "data");
  const world = await startWorld({ DATA_DIR: dir });
  assert.match((await copy([`sqlite:${dir}`, "-"], 1)).stderr, /in use by another world process/);
  assert.match((await copy([`file:${file}`, `sqlite:${dir}`], 1)).stderr, /in use by another world process/);
  await world.stop();
  assert.ok(existsSync(path.join(dir, "world.db")));
  assert.match((await copy(["--help"])).stdout, /usage: terrane-world copy/);
});
