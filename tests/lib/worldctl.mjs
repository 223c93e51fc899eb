// Runs of worldctl, and what they say compared with a golden file: the transcript of a test, with what differs from run
// to run put into one form. GOLDEN=write writes the files anew.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bin, folder, jwtSecret, root, start } from "./process.mjs";

const write = process.env.GOLDEN === "write";

/** The environment of a run against `world` (an origin; none: one where nobody listens), without settings of anybody's. */
export const environment = (world, more = {}) =>
  ({ HOME: "/nonexistent", TZ: "UTC", TERRANE_URL: world ?? "http://127.0.0.1:1", AUTH_JWT_SECRET: jwtSecret, ...more });

function open(args, env) {
  const p = start(`worldctl ${args[0]}`, path.join(bin, "worldctl"), args, env, { stdio: ["pipe", "pipe", "pipe"] });
  p.child.stdin.on("error", () => {}); // it may have ended
  return p;
}

/** Starts worldctl with an open stdin; `expected`: how it must end. */
export const begin = (world, args, { expected = 0 } = {}) => Object.assign(open(args, environment(world)), { expected });

/** Runs worldctl to its end; answers { status, stdout, stderr }. `stdin`: a text. */
export async function worldctl(args, env = {}, { stdin = "" } = {}) {
  const p = open(args, { HOME: "/nonexistent", ...env });
  p.child.stdin.end(stdin);
  const timer = setTimeout(() => p.child.kill("SIGKILL"), 25000);
  const status = await p.exit;
  clearTimeout(timer);
  p.expected = status;
  return { status, stdout: p.stdout, stderr: p.stderr };
}

/** The same of a run against `world` that must end with `status`. */
export async function ends(world, args, status = 0, more = {}) {
  const run = await worldctl(args, environment(world, more));
  assert.equal(run.status, status, `worldctl ${args.join(" ")}: ${run.stdout}${run.stderr}`);
  return run;
}

/** The transcript of a test. */
export class Transcript {
  /** `world`: an origin; `names`: texts (or patterns) of this run and what they are called, [text, name]. */
  constructor(t, name, { world, env = {}, names = [] } = {}) {
    Object.assign(this, { name, text: "", names, dir: folder(), env: environment(world, env) });
    this.names.push([this.dir, "DIR"]);
  }
  /** What is the same in every run. */
  plain(text) {
    for (const [from, to] of this.names) text = text.replaceAll(from, to);
    return text
      .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "TOKEN")
      .replace(/:world-default:\d{13}-\d+/g, ":world-default:MS-N")
      .replace(/%3Aworld-default%3A\d{13}-\d+/g, "%3Aworld-default%3AMS-N")
      .replace(/\bt1\.[\w.-]+/g, "TICKET")
      .replace(/(127\.0\.0\.1|localhost)(:|%3A)\d{4,5}/g, "$1$2PORT")
      .replace(/\b\d{13}\b/g, "MS")
      .replace(/(?<="(exp|iat)": )\d{10}\b/g, "SECONDS")
      .replace(/^\d\d:\d\d:\d\d /gm, "CLOCK ")
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \([^)]*\)/g, "TIME")
      .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, "TIME")
      .replace(/("(?:lagMs|silentMs|leftMs|change|seconds|placements)": )\d+/g, "$1N")
      .replace(/"refusals": \{[^}]*\}/g, '"refusals": {…}')
      .replace(/lag \d+ ms/g, "lag N ms")
      .replace(/("id": ")[0-9a-f-]{8,}"/g, '$1ID"')
      .replace(/(?<![\d.])0\.\d+\.\d+(?![\d.])/g, "VERSION")
      .replace(/(\S) {2,}(?=\S)/g, "$1  ") // columns are as wide as ids and ports
      .replace(/(\d\/\d+  )\d+(  VERSION)/g, "$1LAG$2")
      .replace(/^(?:(?:clients|rooms|shards) left: \d+\n)+/gm, "… left: N\n");
  }
  /** Runs worldctl, writes it down, and answers as worldctl() does. */
  async run(args, { env = {}, ...options } = {}) {
    const r = await worldctl(args, { ...this.env, ...env }, options);
    const quoted = args.map((a) => (/^[\w./:=,@-]+$/.test(a) ? a : `'${a}'`)).join(" ");
    const set = Object.entries(env).map(([k, v]) => `${k}=${v} `).join("");
    this.text += this.plain(`$ ${set}worldctl ${quoted}\n${r.stdout}${r.stderr.replace(/^/gm, "! ").replace(/! $/, "")}${r.status ? `[exit ${r.status}]\n` : ""}`);
    return r;
  }
  /** A file of this test; answers its path. */
  file(name, text) {
    const to = path.join(this.dir, name);
    writeFileSync(to, text);
    return to;
  }
  /** Compares it with its golden file. */
  check() {
    const file = path.join(root, "tests/ctl/golden", `${this.name}.txt`);
    if (write) return writeFileSync(file, this.text);
    assert.ok(existsSync(file), `there is no ${file}: GOLDEN=write makes it`);
    const golden = readFileSync(file, "utf8").split("\n"), said = this.text.split("\n");
    for (let i = 0; i < Math.max(golden.length, said.length); i++)
      assert.equal(said[i], golden[i], `${this.name}.txt:${i + 1}, behind\n${said.slice(Math.max(0, i - 8), i).join("\n")}`);
  }
}
