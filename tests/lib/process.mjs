// Starts the project's programs for tests, and ends each by its own id. A program must exit with the
// expected status and must leave no sanitizer report behind.
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const bin = path.resolve(root, process.env.TERRANE_BIN || "build/dev/bin");
export const secret = "the-shard-secret-of-the-tests-0123456789abcdef";
export const jwtSecret = "the-jwt-secret-of-the-tests-0123456789abcdef";

const scratch = mkdtempSync(path.join(os.tmpdir(), "terrane-test-"));
const started = new Set(); // processes whose end has not been checked yet
const owners = new AsyncLocalStorage(); // whose a process is that starts now
let serial = 0;

process.on("exit", () => {
  for (const p of started) if (!p.ended && p.pid) p.child.kill("SIGKILL"); // without a pid it would be our own group
  rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

/** A port that was free a moment ago, as the kernel gave it out. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A folder that goes away with the tests. */
export const folder = () => mkdtempSync(path.join(scratch, "d-"));

// What the environment of the tests passes on; the rest might be settings.
const base = Object.fromEntries(["PATH", "HOME", "LANG", "TMPDIR"].filter((k) => process.env[k]).map((k) => [k, process.env[k]]));

class Process {
  constructor(name, command, args, env, options = {}) {
    this.name = name;
    this.owner = owners.getStore();
    this.log = "";
    this.reports = path.join(scratch, `report-${++serial}`);
    this.expected = 0;
    this.child = spawn(command, args, {
      ...options,
      cwd: root,
      stdio: options.stdio ?? ["ignore", "pipe", "pipe"],
      env: {
        ...base,
        ASAN_OPTIONS: `detect_leaks=1:abort_on_error=0:verify_asan_link_order=0:log_path=${this.reports}.asan`,
        UBSAN_OPTIONS: `print_stacktrace=1:log_path=${this.reports}.ubsan`,
        ...env,
      },
    });
    this.pid = this.child.pid;
    this.waiters = new Set();
    for (const stream of ["stdout", "stderr"]) {
      this[stream] = "";
      this.child[stream].on("data", (data) => {
        this[stream] += data;
        this.log = (this.log + data).slice(-200000);
        this.wake();
      });
    }
    this.exit = new Promise((resolve) => {
      this.child.on("error", (error) => this.finish({ status: `could not be started: ${error.message}` }, resolve));
      this.child.on("close", (code, signal) => this.finish({ status: code ?? signal }, resolve));
    });
    started.add(this);
  }
  finish(ended, resolve) {
    this.ended ??= ended;
    this.wake();
    resolve(this.ended.status);
  }
  wake() {
    for (const waiter of this.waiters) waiter();
  }
  /** Waits until the program has said something that matches; answers the match. */
  says(pattern, ms = 20000) {
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.waiters.delete(look);
        settle(value);
      };
      const look = () => {
        const match = this.log.match(pattern);
        if (match) done(resolve, match);
        else if (this.ended) done(reject, new Error(`${this.name} ended with ${this.ended.status} before it said ${pattern}:\n${this.log}`));
      };
      const timer = setTimeout(() => done(reject, new Error(`${this.name} has not said ${pattern}:\n${this.log}`)), ms);
      this.waiters.add(look);
      look();
    });
  }
  /** Sends the signal, if it still runs, and waits for its end; answers the status (or signal) it ended with. */
  async stop(signal = "SIGTERM", ms = 15000) {
    if (!this.ended && this.pid) this.child.kill(signal);
    const timer = setTimeout(() => {
      this.late = true;
      this.child.kill("SIGKILL");
    }, ms);
    const status = await this.exit;
    clearTimeout(timer);
    return status;
  }
  /** As a crash of the machine would: nothing is written any more. */
  kill() {
    this.expected = "SIGKILL";
    return this.stop("SIGKILL");
  }
  /** What is wrong with how it ended; call it after the end. */
  problems() {
    started.delete(this);
    const problems = [];
    if (this.late) problems.push(`${this.name} did not stop in time`);
    else if (this.ended.status !== this.expected) problems.push(`${this.name} ended with ${this.ended.status}, expected ${this.expected}`);
    const prefix = path.basename(this.reports) + ".";
    for (const file of readdirSync(scratch).filter((f) => f.startsWith(prefix))) {
      problems.push(`${this.name}: ${readFileSync(path.join(scratch, file), "utf8")}`);
      rmSync(path.join(scratch, file));
    }
    // UBSan of gcc knows no log_path beside ASan's, and ends a program with 1, which may be what is expected.
    const behaviour = this.stderr.match(/^.*: runtime error: [^]*/m);
    if (behaviour) problems.push(`${this.name}: ${behaviour[0].slice(0, 3000)}`);
    return problems;
  }
}

/** Runs `command` without waiting for it; `options` are more of spawn's. */
export const start = (name, command, args = [], env = {}, options = {}) => new Process(name, command, args, env, options);

/** Runs a program of the project to its end; answers { status, stdout, stderr }. `expected`: the status it must have. */
export async function finish(program, args, env, expected = 0) {
  const p = start(program, path.join(bin, program), args, env);
  p.expected = expected;
  const timer = setTimeout(() => {
    p.late = true;
    p.child.kill("SIGKILL");
  }, 15000);
  const status = await p.exit;
  clearTimeout(timer);
  return { status, stdout: p.stdout, stderr: p.stderr };
}

/** What every program says once it serves, with the port. */
export const listening = /listening on \S*:(\d+)/;

async function serve(name, program, env) {
  const p = start(name, path.join(bin, program), [], { HOST: "127.0.0.1", PORT: "0", ...env });
  const port = Number((await p.says(listening))[1]);
  return Object.assign(p, { port, origin: `${env.TLS_CERT ? "https" : "http"}://127.0.0.1:${port}` });
}

/** A world; `env` adds to its settings. */
export const startWorld = (env = {}) => serve("world", "terrane-world", { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, ...env });

/** A shard node in front of `rooms` (an origin), told to report to `world` (an origin). */
export const startNode = (world, rooms, env = {}) =>
  serve("node", "terrane-shard", { SHARD_SECRET: secret, NODE_ID: `node-${serial}`, WORLD_URLS: world, ROOM_SERVERS: rooms, ...env });

/** The demo room server. */
export const startRoom = (env = {}) => serve("room", "terrane-demo-room", { SHARD_SECRET: secret, ...env });

/** Runs `fn`, which owns what it starts: a stopEverything() in it ends nothing else, and one outside does not end it. */
export const owning = (fn) => owners.run({}, fn);

/** Ends what still runs; answers everything that was wrong with any process since the last call. */
export async function stopEverything({ tail = false } = {}) {
  const problems = [];
  const all = [...started].filter((p) => p.owner === owners.getStore()).reverse();
  for (const p of all) await p.stop();
  for (const p of all) {
    const found = p.problems();
    problems.push(...found);
    if (tail || found.length) problems.push(`--- ${p.name} (pid ${p.pid}) said last:\n${p.log.slice(-3000)}`);
  }
  return problems;
}
