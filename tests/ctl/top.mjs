// worldctl top, in a terminal of tmux.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { manage } from "../lib/cluster.mjs";
import { bin, folder, freePort, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";
import { environment } from "./golden.mjs";

/** A terminal with worldctl top in it; it is gone when the test is over. */
class Terminal {
  static async open(t, world, { width = 100, height = 30, more = {} } = {}) {
    const terminal = new Terminal();
    terminal.socket = path.join(folder(), "tmux");
    const set = Object.entries(environment(world, more)).map(([k, v]) => `${k}=${v}`);
    // What it ends with stays on the screen.
    const command = 'env "$@" top; echo "ended with $?"; read -r _';
    await terminal.tmux("-f", "/dev/null", "new-session", "-d", "-x", String(width), "-y", String(height),
      "bash", "--norc", "-c", command, "bash", ...set, path.join(bin, "worldctl"));
    t.after(() => terminal.tmux("kill-server").catch(() => {}));
    return terminal;
  }
  async tmux(...args) {
    return (await promisify(execFile)("tmux", ["-u", "-S", this.socket, ...args], { env: { ...process.env, LC_ALL: "C.UTF-8", TERM: "xterm" } })).stdout;
  }
  keys(...keys) {
    return this.tmux("send-keys", ...keys);
  }
  screen() {
    return this.tmux("capture-pane", "-p");
  }
  /** Waits until the screen matches; answers it. */
  async shows(pattern, ms = 8000) {
    let last;
    const look = async () => pattern.test((last = await this.screen())) && last;
    return until(look, `the terminal shows ${pattern}`, ms).catch((e) => {
      throw new Error(`${e.message}\n${last}`);
    });
  }
}

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
