// Drains and moves, watched until they are done.
import assert from "node:assert/strict";
import { cluster, join, manage, nodesUsable } from "../lib/cluster.mjs";
import { bin, freePort, start, startNode } from "../lib/process.mjs";
import { Room } from "../lib/room.mjs";
import { test, until } from "../lib/runner.mjs";
import { Transcript } from "../lib/worldctl.mjs";
import { Terminal } from "./terminal.mjs";

const get = (origin, what) => manage(origin, "GET", what);

/** Two nodes n1 and n2, that can be used. */
async function begin(t, name) {
  const c = await cluster(t, { nodes: 0 });
  for (const id of ["n1", "n2"]) c.nodes.push(await startNode(c.world.origin, c.room.origin, { NODE_ID: id, MAX_CONNECTIONS: "1000" }));
  c.node = c.nodes[0];
  await nodesUsable(c.world.origin, 2);
  return { c, x: new Transcript(t, name, { world: c.world.origin }) };
}

test("a drain is told until nobody is left, or until patience ends", async (t) => {
  const { c, x } = await begin(t, "drain");
  await x.run(["rooms", "create", "lobby", "--min-shards", "1"]);
  const id = (await x.run(["shards", "list", "-q"])).stdout.trim();
  await join(t, c.node, "ann", { shard: encodeURIComponent(id) });
  await until(async () => (await get(c.world.origin, `/shards/${encodeURIComponent(id)}`)).json.currentConnections === 1, "the client to be counted");
  await x.run(["drain", id, "--timeout", "600ms"]);
  await x.run(["undrain", id]);
  await x.run(["drain", id, "--no-wait"]);
  const { stdout } = await x.run(["drain", id, "--deadline", "1s", "--rate", "10"]);
  assert.match(stdout, /is empty and gone/);
  await x.run(["drain", id]);
  await x.run(["drain", "--node", "n9"]);
  await x.run(["undrain", "--server", "http://127.0.0.1:1", "-o", "json"]);
  x.check();
});

test("a node's shards go to the other, and a drained one is empty", async (t) => {
  const { c, x } = await begin(t, "drain-node");
  await x.run(["rooms", "create", "lobby", "--min-shards", "4"]);
  const { stdout } = await x.run(["drain", "--node", "n1", "--deadline", "5s"]);
  assert.match(stdout, /node n1 is empty\n$/);
  assert.equal((await get(c.world.origin, "/nodes/n2")).json.shards, 4);
  x.text = "";
  await x.run(["nodes", "list"]);
  await x.run(["drain", "--node", "n1", "-o", "json"]);
  await x.run(["undrain", "--node", "n1"]);
  x.check();
});

test("rooms leave a room server that drains, and one moves when it is told to", async (t) => {
  const { c, x } = await begin(t, "drain-server");
  const other = await Room.start();
  t.after(() => other.die());
  x.names.push([c.room.origin, "http://FIRST"], [other.origin, "http://SECOND"]);
  await x.run(["rooms", "create", "lobby"]);
  await until(async () => (await get(c.world.origin, "/servers")).json.items.length >= 0, "servers");
  await x.run(["servers", "add", c.room.origin]);
  await x.run(["servers", "add", other.origin]);
  await until(async () => (await get(c.world.origin, "/servers")).json.items.every((s) => s.state === "up"), "both to be up");
  x.text = "";
  await x.run(["move", "room", "lobby", other.origin]);
  await x.run(["drain", "--server", other.origin]);
  await x.run(["move", "room", "lobby", other.origin]);
  await x.run(["undrain", "--server", other.origin]);
  await x.run(["move", "room", "lobby", "http://127.0.0.1:9"]);
  await x.run(["servers"]);
  await x.run(["servers", "delete", other.origin]);
  x.check();
});

test("a terminal is asked, and shows a bar until a drain is done", async (t) => {
  const { c, x } = await begin(t, "terminal");
  await x.run(["rooms", "create", "lobby", "--min-shards", "2"]);
  const [id] = (await x.run(["shards", "list", "-q"])).stdout.trim().split("\n");
  const there = async () => (await get(c.world.origin, "/shards")).json.items.length;
  const open = (...args) => Terminal.open(t, c.world.origin, { args, width: 120 });
  for (const [key, end, left] of [["n", /nothing was changed\s+ended with 1/, 2], ["y", /is gone\s+ended with 0/, 1]]) {
    const asked = await open("shards", "delete", id);
    await asked.shows(/\? \[y\/N\] *$/m);
    await asked.keys(key, "Enter");
    await asked.shows(end);
    assert.equal(await there(), left);
  }
  const [last] = (await get(c.world.origin, "/shards")).json.items.map((s) => s.shardId);
  const guest = await join(t, c.node, "ann", { shard: encodeURIComponent(last) });
  await until(async () => (await get(c.world.origin, `/shards/${encodeURIComponent(last)}`)).json.currentConnections === 1, "the client to be counted");
  const drains = await open("drain", last, "--deadline", "2s");
  await drains.shows(/\[\.{24}\] clients left: 1 of 1, \d s/);
  assert.equal((await guest.close_()).code, 1012);
  assert.doesNotMatch(await drains.shows(/is empty and gone\s+ended with 0/), /left/);
});

test("Ctrl-C ends it with 130, and says that the drain goes on", async (t) => {
  const { c, x } = await begin(t, "interrupt");
  await x.run(["rooms", "create", "lobby"]);
  const id = (await x.run(["shards", "list", "-q"])).stdout.trim();
  await join(t, c.node, "ann", { shard: encodeURIComponent(id) });
  await until(async () => (await get(c.world.origin, `/shards/${encodeURIComponent(id)}`)).json.currentConnections === 1, "the client to be counted");
  const p = start("worldctl", `${bin}/worldctl`, ["drain", id], { ...x.env, HOME: "/nonexistent" });
  await p.says(/clients left: 1/);
  p.expected = 130;
  assert.equal(await p.stop("SIGINT"), 130);
  assert.match(p.stderr, /^worldctl: the drain goes on; undrain takes it back\n$/);
  assert.ok(await freePort());
});
