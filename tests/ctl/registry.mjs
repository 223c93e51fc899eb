// Rooms, shards, nodes and room servers from the command line, as tables and as JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { cluster, nodesUsable } from "../lib/cluster.mjs";
import { test } from "../lib/runner.mjs";
import { Transcript } from "../lib/worldctl.mjs";

async function begin(t, name, options = {}) {
  const c = await cluster(t, { nodeEnv: { NODE_ID: "n1", MAX_CONNECTIONS: "1000" }, ...options });
  const x = new Transcript(t, name, { world: c.world.origin });
  await nodesUsable(c.world.origin);
  return { c, x };
}

const strange = "a b/ü日本\u001b[31m?&#%'\"\\";

test("rooms are made, shown, changed and deleted, whatever they are called", async (t) => {
  const { x } = await begin(t, "rooms");
  await x.run(["rooms"]);
  await x.run(["rooms", "create", "lobby"]);
  await x.run(["rooms", "create", "lobby"]);
  await x.run(["rooms", "create", strange, "--strategy", "hash", "--private", "--max", "5", "--min-shards", "2", "--max-shards", "4"]);
  await x.run(["rooms", "set", strange, "--max", "6"]);
  await x.run(["rooms", "set", "lobby", "--min-shards", "9", "--max-shards", "3"]);
  await x.run(["rooms", "list"]);
  await x.run(["rooms", "list", "--limit", "1"]);
  await x.run(["rooms", "list", "-q"]);
  await x.run(["rooms", "list", "-o", "json"]);
  await x.run(["rooms", "show", strange]);
  await x.run(["rooms", "show", "nope"]);
  await x.run(["rooms", "set", "nope", "--max", "6"]);
  await x.run(["scale", strange, "3"]);
  await x.run(["scale", strange, "5"]);
  await x.run(["rooms", "delete", strange]);
  await x.run(["rooms", "delete", "lobby", "-o", "json"]);
  await x.run(["rooms", "delete", "lobby"]);
  x.check();
});

test("lists go through all pages", async (t) => {
  const { c, x } = await begin(t, "pages");
  await x.run(["rooms", "create", "big", "--min-shards", "1100", "--max", "2"]);
  await x.run(["rooms", "create", "small"]);
  const lines = async (...args) => (await x.run(["shards", "list", "-q", ...args])).stdout.trim().split("\n").length;
  assert.equal(await lines(), 1101);
  assert.equal(await lines("--room", "small"), 1);
  assert.equal(await lines("--limit", "1050"), 1050);
  assert.equal(await lines("--node", "n1", "--status", "active"), 1101);
  assert.equal(JSON.parse((await x.run(["shards", "list", "-o", "json"])).stdout).items.length, 1101);
  assert.ok(c.world);
});

test("shards are added, resized, moved, and taken out of service", async (t) => {
  const { x } = await begin(t, "shards");
  await x.run(["rooms", "create", "lobby"]);
  const id = (await x.run(["shards", "list", "-q"])).stdout.trim();
  await x.run(["shards", "add", "lobby", "--max", "7"]);
  await x.run(["shards", "add", "lobby", "--count", "2", "-o", "json", "--url-template", "wss://x/{shardId}"]);
  await x.run(["shards", "set", id, "--max", "9"]);
  await x.run(["maintenance", id]);
  await x.run(["shards", "list", "--status", "maintenance"]);
  await x.run(["shards", "list", "--status", "bogus"]);
  await x.run(["explain", "lobby"]);
  await x.run(["maintenance", id, "--off"]);
  await x.run(["move", "shard", id, "n1"]);
  await x.run(["move", "shard", id, "n9"]);
  await x.run(["shards", "show", id]);
  await x.run(["shards", "show", id, "-o", "json"]);
  await x.run(["shards", "delete", id]);
  await x.run(["shards", "show", "nope"]);
  await x.run(["nodes"]);
  await x.run(["nodes", "show", "n9"]);
  await x.run(["nodes", "delete", "n1"]);
  x.check();
});

test("a placement says why, and changes nothing when it is only explained", async (t) => {
  const { x } = await begin(t, "connect");
  await x.run(["explain", "lobby"]);
  await x.run(["connect", "lobby", "--no-create"]);
  await x.run(["connect", "lobby", "--session", "ann"]);
  await x.run(["rooms", "set", "lobby", "--strategy", "hash"]);
  await x.run(["explain", "lobby", "--session", "ann"]);
  await x.run(["explain", "lobby", "--session", "ann", "-o", "json"]);
  await x.run(["connect", "lobby", "--session", "a b&c", "--direct"]);
  const { stdout } = await x.run(["connect", "lobby", "--session", "ann", "-o", "json"]);
  assert.equal(JSON.parse(stdout).node, "n1");
  x.check();
});

test("sessions are kicked and banned", async (t) => {
  const { x } = await begin(t, "bans");
  await x.run(["rooms", "create", "lobby"]);
  await x.run(["ban", "lobby", "bob"]);
  await x.run(["ban", "lobby", "eve/1", "--for", "2h"]);
  await x.run(["explain", "lobby", "--session", "eve/1"]);
  await x.run(["explain", "lobby", "--session", "joe"]);
  await x.run(["bans", "lobby", "-q"]);
  await x.run(["kick", "lobby", "joe", "-o", "json"]);
  await x.run(["unban", "lobby", "eve/1"]);
  await x.run(["unban", "lobby", "eve/1"]);
  await x.run(["kick", "nope", "joe"]);
  x.check();
});

test("a file says what there should be, and a diff what would change", async (t) => {
  const { x } = await begin(t, "apply");
  await x.run(["rooms", "create", "lobby", "--max", "10"]);
  await x.run(["rooms", "create", "old"]);
  const file = x.file("rooms.json", JSON.stringify({
    rooms: { lobby: { maxPlayersPerShard: 20, maxShards: 5 }, [strange]: { balancingStrategy: "packed", minShards: 2 } }, servers: { "http://127.0.0.1:49999": { draining: true } } }));
  await x.run(["rooms", "apply", "-f", file, "--dry-run", "--prune"]);
  await x.run(["rooms", "apply", "-f", file, "--dry-run", "-o", "json"]);
  await x.run(["rooms", "list", "-q"]);
  await x.run(["rooms", "apply", "-f", file]);
  await x.run(["rooms", "apply", "-f", file]);
  await x.run(["rooms", "apply", "--file", "-", "--prune", "--yes"], { stdin: readFileSync(file, "utf8") });
  await x.run(["rooms", "list", "-q"]);
  const { stdout } = await x.run(["servers", "-q"]);
  assert.equal(stdout, "http://127.0.0.1:49999\n");
  const bad = { "a.json": "{", "b.json": "[]", "c.json": '{"room":{}}', "d.json": '{"rooms":{"x":{"max":1}}}', "e.json": '{"rooms":{"x":{"minShards":-1}}}',
    "f.json": '{"rooms":{"x":{"balancingStrategy":"best"}}}', "g.json": '{"rooms":{"x":{},"x":{}}}', "h.json": '{"servers":{"http://a":{"draining":1}}}', "i.json": "",
    "j.json": '{"rooms":{"x":{"minShards":5,"maxShards":2}}}', "k.json": '{"rooms":[]}' };
  for (const [name, text] of Object.entries(bad)) assert.equal((await x.run(["rooms", "apply", "-f", x.file(name, text)])).status, 2, name);
  await x.run(["rooms", "apply", "-f", `${x.dir}/none.json`]);
  await x.run(["rooms", "list", "-q"]);
  x.check();
});

test("what one world exports, another imports", async (t) => {
  const { c, x } = await begin(t, "copy");
  await x.run(["rooms", "create", strange, "--max", "9"]);
  await x.run(["ban", strange, "bob", "--for", "1h"]);
  const file = path.join(x.dir, "world.json");
  await x.run(["export", file]);
  const { stdout } = await x.run(["export"]);
  assert.deepEqual(JSON.parse(stdout).records, JSON.parse(readFileSync(file)).records);
  x.text = x.text.slice(0, x.text.indexOf('{"version"'));
  await x.run(["import", file]);
  await x.run(["import", file, "--dry-run"]);
  await x.run(["rooms", "set", strange, "--max", "8"]);
  await x.run(["import", file, "--dry-run"]);
  await x.run(["import", file, "--replace", "--yes"]);
  await x.run(["rooms", "show", strange]);
  await x.run(["import", x.file("a.json", "{}")]);
  await x.run(["import", x.file("b.json", '{"version":1,"world":"world-default","exportedAt":1,"records":[{"kind":"cake","key":"x","value":{}}]}')]);
  await x.run(["export", `${x.dir}/none/world.json`]);
  assert.ok(c.world);
  x.check();
});
