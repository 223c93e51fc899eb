// Many clients that come back as PartySocket does, in threads of their own, and a few that talk meanwhile.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { Worker } from "node:worker_threads";
import { bin, freePort, root, start } from "./process.mjs";
import { Room } from "./room.mjs";

/** Monotonic ms, the same in all threads. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** How the PartySocket that is installed comes back: its own defaults, ms. */
export function partySocket() {
  const source = readFileSync(path.join(root, "tests/node_modules/partysocket/dist/ws.js"), "utf8");
  const read = (name) => {
    const found = source.match(new RegExp(`^  ${name}: ([\\d.e]+),$`, "m"));
    if (!found) throw new Error(`PartySocket has no ${name} any more`);
    return Number(found[1]);
  };
  return {
    first: read("minReconnectionDelay"), // without jitter: all that were dropped together come together
    grow: read("reconnectionDelayGrowFactor"),
    most: read("maxReconnectionDelay"),
    patience: read("connectionTimeout"),
    uptime: read("minUptime"),
  };
}

export const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

class Thread {
  static async start(t, data) {
    const thread = new Thread();
    thread.worker = new Worker(new URL("./storm_thread.mjs", import.meta.url), { workerData: { ...data, backOff: partySocket() } });
    thread.failed = new Promise((_, reject) => thread.worker.once("error", reject));
    thread.failed.catch(() => {});
    t.after(() => thread.worker.terminate());
    return thread;
  }
  /** Has it do `what`, and waits for its answer. */
  ask(what, more = {}) {
    const answer = new Promise((resolve) => this.worker.once("message", resolve));
    this.worker.postMessage({ what, ...more });
    return Promise.race([answer, this.failed]);
  }
}

/** Clients of one shard at `port`, their sessions named by `prefix`. */
export class Storm {
  static async start(t, { port, shard, prefix, count, threads = 1 }) {
    const storm = Object.assign(new Storm(), { count });
    const share = Math.ceil(count / threads);
    storm.threads = await Promise.all(Array.from({ length: threads }, (_, i) =>
      Thread.start(t, { port, shard, prefix, from: i * share, to: Math.min(count, (i + 1) * share) })));
    return storm;
  }
  async all(what, more) {
    return (await Promise.all(this.threads.map((thread) => thread.ask(what, more)))).flat();
  }
  /** Opens them at a pace; all of them are in when this is over. */
  open(perSecond) {
    return this.all("open", { perSecond: perSecond / this.threads.length });
  }
  /** Breaks all connections at once; they come back by themselves. Without a connection they just come, at `at`. */
  drop() {
    return this.all("drop");
  }
  come(at) {
    return this.all("come", { at });
  }
  /** Waits until all are in; answers { at, tries, refused } of each: when it came in and what it took. */
  back() {
    return this.all("back");
  }
}

// Where a build has the load tools (the bench preset), they talk and answer: then it is the node that is measured.
const tool = (name) => path.join(bin, `bench-${name}`);
export const hasTools = existsSync(tool("wsload"));

/** Has a process that is measured go before whatever else runs on this machine, if we may. */
export function prefer(pid) {
  try {
    if (hasTools) os.setPriority(pid, -10);
  } catch {
    // not root
  }
}

/** A room server that says what it is told back to who said it; its origin. */
export async function echoRoom(t) {
  if (!hasTools) {
    const room = await Room.start();
    t.after(() => room.die());
    room.onFrame = (f, link) => {
      link.frames.length = 0;
      if (f.type === "shard.clientMessage") room.send({ targetClientId: f.privateId, data: JSON.stringify(f.payload) }, link);
    };
    return room.origin;
  }
  const port = await freePort();
  const room = start("room", tool("wsroom"), [String(port)]);
  room.expected = "SIGTERM";
  prefer(room.pid);
  return `http://127.0.0.1:${port}`;
}

/** Clients that stay and talk: each says something `rate` times a second, and hears it again. */
export class Talkers {
  static async start(t, { port, shard, count, rate }) {
    const talkers = new Talkers();
    if (hasTools) await talkers.load(t, [port, `/parties/shard/${encodeURIComponent(shard)}?id=stay%u`, count, rate]);
    else {
      talkers.threads = await Storm.start(t, { port, shard, prefix: "stay", count });
      await talkers.threads.open(100);
      await talkers.threads.all("talk", { perSecond: rate });
    }
    return talkers;
  }
  async load(t, args) {
    const child = (this.child = spawn(tool("wsload"), ["talk", ...args.map(String)], { stdio: ["pipe", "pipe", "inherit"] }));
    child.on("exit", () => (this.gone = true));
    prefer(child.pid);
    t.after(() => child.kill("SIGKILL"));
    this.lines = readline.createInterface(child.stdout)[Symbol.asyncIterator]();
    await this.lines.next();
  }
  /** Of the answers since the last call: how many, how long they took (ms), and how many clients were cut off. */
  async heard() {
    if (!hasTools) {
      const [{ times, lost }] = await this.threads.all("heard");
      return { answers: times.length, p99: quantile(times, 0.99), longest: quantile(times, 1), lost };
    }
    if (this.gone) return { answers: 0, p99: NaN, longest: NaN, lost: 1 };
    this.child.stdin.write("\n");
    const said = JSON.parse((await this.lines.next()).value);
    return { answers: said.answers, p99: said.p99_us / 1000, longest: said.max_us / 1000, lost: 0 };
  }
}
