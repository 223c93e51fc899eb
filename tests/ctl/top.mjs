// worldctl top, in a terminal of tmux.
import assert from "node:assert/strict";
import { manage } from "../lib/cluster.mjs";
import { freePort, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";
import { Terminal } from "./terminal.mjs";

async function cluster(port = "0") {
  const room = await startRoom();
  const world = await startWorld({ PORT: port });
  const node = await startNode(world.origin, room.origin, { NODE_ID: "n1" });
  return { room, world, node };
}

const put = (world, room, body = {}) => manage(world.origin, "PUT", `/rooms/${room}`, body);

test("top shows rooms as they come, sorts, filters, and drains a node after a question", async (t) => {
  const { world } = await cluster();
  await put(world, "chess", { minShards: 2, maxPlayersPerShard: 50 });
  const terminal = await Terminal.open(t, world.origin);
  const first = await terminal.shows(/^chess +ok +0\/100 /m);
  assert.match(first, /^world-default +http:\/\/127\.0\.0\.1:\d+/);
  assert.match(first, /nodes 1\/1 alive/);
  await put(world, "go");
  await terminal.shows(/^go +ok/m, 3000);
  await terminal.keys("/", "c", "h", "e");
  assert.doesNotMatch(await terminal.shows(/1 shown, \/che/), /^go/m);
  await terminal.keys("Escape");
  await terminal.shows(/2 shown/);
  await terminal.keys("Tab");
  await terminal.shows(/^NODE▲.*\nn1 +alive/m);
  await terminal.keys("d");
  await terminal.shows(/Drain node n1\?/);
  await terminal.keys("n");
  await terminal.shows(/q quit/);
  await terminal.keys("d");
  await terminal.shows(/Drain node n1\?/);
  await terminal.keys("y");
  await terminal.shows(/^n1 +draining[^]*n1: drains$/m);
  await terminal.keys("u");
  await terminal.shows(/Undrain node n1\?/);
  await terminal.keys("y");
  await terminal.shows(/^n1 +alive[^]*n1: drains no more$/m);
  await terminal.keys("q");
  await terminal.shows(/ended with 0/);
});

test("top fits the terminal that it is in", async (t) => {
  const { world } = await cluster();
  await put(world, "a%1B%5B2Jroom", {});
  const terminal = await Terminal.open(t, world.origin, { width: 80, height: 24 });
  assert.match(await terminal.shows(/^a.\[2Jroom/m), /SHARDS/);
  await terminal.tmux("resize-window", "-x", "40", "-y", "12");
  await terminal.shows(/^(?![^]*SHARDS)[^]*^a.\[2Jroom +0\/75$[^]*^q quit.*…$/m);
  await terminal.keys("?");
  await terminal.shows(/Any key goes back/);
  await terminal.keys("x");
  await terminal.shows(/^a.\[2Jroom/m);
  await terminal.keys("C-c");
  await terminal.shows(/ended with 130/);
});

test("top waits for a world that is away", async (t) => {
  const port = String(await freePort());
  const { world } = await cluster(port);
  await put(world, "chess");
  const terminal = await Terminal.open(t, world.origin, { more: { NO_COLOR: "1" } });
  await terminal.shows(/^chess/m);
  await world.stop();
  await terminal.shows(/not reached, trying.*127\.0\.0\.1:\d+/);
  await startWorld({ PORT: port });
  await terminal.shows(/^(?![^]*not reached)[^]*0 shown/);
  await terminal.keys("q");
  await terminal.shows(/ended with 0/);
});
