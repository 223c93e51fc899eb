// Verbs that stay: events, the admin feed, a client of a room.
import assert from "node:assert/strict";
import { Authority } from "../lib/certificates.mjs";
import { manage, nodesUsable } from "../lib/cluster.mjs";
import { freePort, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";
import { begin, ends, Transcript } from "../lib/worldctl.mjs";

const api = (world, method, what, body) => manage(world.origin, method, what, body);

async function cluster({ nodes = 1, world = {}, node = {} } = {}) {
  const c = { room: await startRoom(), world: await startWorld(world), nodes: [] };
  for (let i = 0; i < nodes; i++) c.nodes.push(await startNode(c.world.origin, c.room.origin, { NODE_ID: `n${i + 1}`, ...node }));
  await nodesUsable(c.world.origin, nodes);
  return c;
}

/** Compares what was told with a golden file. */
function check(t, name, told, names) {
  const x = new Transcript(t, name, { names });
  x.text = x.plain(told);
  x.check();
}

test("events are told as they happen, and a world that is lost is waited for", async (t) => {
  const port = String(await freePort());
  const world = await startWorld({ PORT: port });
  // What is asked for since long ago is told to be gone: then they listen.
  const follows = begin(world.origin, ["events", "-f", "--since", "1", "--count", "6"]);
  const json = begin(world.origin, ["events", "--since", "1", "-o", "json", "-n", "2"]);
  await Promise.all([follows.says(/gap/), json.says(/gap/)]);
  await api(world, "PUT", "/rooms/chess", { maxPlayersPerShard: 50, minShards: 1 });
  await follows.says(/shard\.add chess/);
  await world.stop();
  await follows.says(/the world is lost/);
  const again = await startWorld({ PORT: port });
  await follows.says(/the world is back/);
  await api(again, "PUT", "/rooms/go", { minShards: 1 });
  assert.equal(await follows.exit, 0);
  assert.equal(await json.exit, 0);
  const one = JSON.parse(json.stdout.trim().split("\n")[1]);
  assert.deepEqual([one.event, one.data.name], ["room.put", "chess"]);
  check(t, "events", follows.stdout);
});

test("watch tells the registry and what changes in it", async () => {
  const world = await startWorld();
  await api(world, "PUT", "/rooms/chess", { maxPlayersPerShard: 50, minShards: 1 });
  const [text, json] = [begin(world.origin, ["watch"], { expected: 130 }), begin(world.origin, ["watch", "-o", "json", "-n", "1"])];
  await text.says(/sync rooms=1 shards=1/);
  assert.equal(await json.exit, 0);
  assert.equal(JSON.parse(json.stdout).value.rooms.chess.maxPlayersPerShard, 50);
  await api(world, "PUT", "/rooms/chess", { maxPlayersPerShard: 60, minShards: 0 });
  await text.says(/room chess .*maxPlayersPerShard=60/);
  await api(world, "DELETE", "/rooms/chess?force=1");
  await text.says(/room chess is gone/);
  assert.equal(await text.stop("SIGINT"), 130);
});

test("a token that does not open the feed is told so", async () => {
  const world = await startWorld();
  const run = await ends(world.origin, ["watch", "--token", "no.such.token"], 3);
  assert.match(run.stderr, /says nothing: the token does not open the feed/);
  await ends(world.origin, ["events", "--token", "no.such.token"], 3);
  await ends(world.origin, ["top", "--token", "no.such.token"], 3);
  assert.match((await ends(world.origin, ["top"], 2)).stderr, /needs a terminal/);
});

test("join talks in a room, and says where it is and why", async (t) => {
  const c = await cluster();
  const p = begin(c.world.origin, ["join", "lobby", "--session", "ann", "--send", '/rename {"name":"Ann"}']);
  await p.says(/in lobby as ann/);
  await p.says(/"pId"/);
  p.child.stdin.write('/chat {"text":"hello there"}\n{"action":"increment","value":{"amount":7}}\n');
  await p.says(/"count":7/);
  p.child.stdin.end();
  assert.equal(await p.exit, 0);
  const told = (p.stdout + p.stderr).split("\n").filter((line) => /worldctl|"text"|"count":7/.test(line));
  check(t, "join", `${told.join("\n")}\n`, [[/"[\w-]{8}":\{"name"/g, '"ID":{"name"']]);
  const json = await ends(c.world.origin, ["join", "lobby", "-o", "json", "--count", "1"]);
  assert.deepEqual(json.stdout.trim().split("\n").map((l) => JSON.parse(l).event), ["open", "message"]);
});

test("join says why it cannot come in", async () => {
  const c = await cluster();
  const { origin } = c.world;
  assert.match((await ends(origin, ["join", "nowhere", "--no-create"], 5)).stderr, /Room nowhere does not exist/);
  assert.match((await ends(origin, ["join", "lobby", "--via", "http://127.0.0.1:1"], 4)).stderr, /cannot come in at http:\/\/127\.0\.0\.1:1/);
  await api(c.world, "PUT", "/rooms/lobby/bans/ann", { seconds: 60 });
  await until(async () => (await ends(origin, ["join", "lobby", "--session", "bob", "-n", "1"])).status === 0, "others come in");
  const banned = begin(origin, ["join", "lobby", "--session", "ann"], { expected: 3 });
  assert.equal(await banned.exit, 3);
  assert.match(banned.stderr, /refused with 403/);
});

test("join comes again when its node is drained", async () => {
  const c = await cluster({ nodes: 2 });
  const p = begin(c.world.origin, ["join", "lobby", "--session", "ann"]);
  await p.says(/"pId"/);
  const { items } = (await api(c.world, "GET", "/shards")).json;
  await api(c.world, "POST", `/nodes/${items[0].node}/drain`, { deadlineMs: 200, retryMs: [50, 100] });
  await p.says(/closed: 1012 restart;retry=50-100, coming again[^]*in lobby as ann/);
  p.child.stdin.write('/chat {"text":"still here"}\n');
  await p.says(/still here/);
  p.child.stdin.end();
  assert.equal(await p.exit, 0);
});

test("join and events go over TLS, and distrust a stranger's certificate", async () => {
  const authority = await Authority.make();
  const { cert, key } = await authority.issue();
  const tls = { TLS_CERT: cert, TLS_KEY: key };
  const room = await startRoom();
  const world = await startWorld(tls);
  const node = await startNode(world.origin, room.origin, { NODE_ID: "n1", INTERNAL_CA: authority.ca, ...tls });
  await world.says(/node\.state.*"to":"alive"/);
  const run = await ends(world.origin, ["join", "lobby", "--ca", authority.ca, "--count", "1"]);
  assert.match(run.stderr, new RegExp(`at wss://127\\.0\\.0\\.1:${node.port}/`));
  assert.match((await ends(world.origin, ["events"], 4)).stderr, /TLS|certificate/);
});

test("log-level changes what a world or a node logs", async () => {
  const c = await cluster();
  const { origin } = c.world;
  assert.equal((await ends(origin, ["log-level", "debug", "--for", "1m"])).stdout, "the world logs debug for 1m\n");
  assert.equal((await ends(origin, ["log-level", "debug", "--node", "n1"])).stdout, "n1 logs debug\n");
  await c.nodes[0].says(/process\.log_level.*"level":"debug"/);
  await ends(origin, ["log-level", "debug", "--node", "nobody"], 5);
  const reader = (await ends(origin, ["token", "mint", "--scope", "read", "--worlds", "*"])).stdout.trim();
  await ends(origin, ["log-level", "debug", "--token", reader], 3);
});
