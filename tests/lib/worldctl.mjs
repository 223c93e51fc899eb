// Runs of worldctl, and what they say compared with a golden file: the transcript of a test, with what differs from run
// to run put into one form. GOLDEN=write writes the files anew.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bin, folder, jwtSecret, root, start } from "./process.mjs";

const write = process.env.GOLDEN === "write";

/** Runs worldctl to its end; answers { status, stdout, stderr }. `stdin`: a text. */
export async function worldctl(args, env = {}, { stdin } = {}) {
  const p = start("worldctl", path.join(bin, "worldctl"), args, { HOME: "/nonexistent", ...env }, { stdio: ["pipe", "pipe", "pipe"] });
  p.child.stdin.on("error", () => {});
  p.child.stdin.end(stdin ?? "");
  const timer = setTimeout(() => p.child.kill("SIGKILL"), 25000);
  const status = await p.exit;
  clearTimeout(timer);
  p.expected = status;
  return { status, stdout: p.stdout, stderr: p.stderr };
}

/** The transcript of a test. */
export class Transcript {
  /** `world`: an origin; `names`: texts of this run and what they are called, [text, name]. */
  constructor(t, name, { world, env = {}, names = [] } = {}) {
    Object.assign(this, { name, text: "", names, dir: folder() });
    this.env = { TERRANE_URL: world ?? "http://127.0.0.1:1", AUTH_JWT_SECRET: jwtSecret, ...env };
    this.names.push([this.dir, "DIR"]);
  }
  /** What is the same in every run. */
  plain(text) {
    for (const [from, to] of this.names) text = text.replaceAll(from, to);
    return text
      .replace(/:world-default:\d{13}-\d+/g, ":world-default:MS-N")
      .replace(/%3Aworld-default%3A\d{13}-\d+/g, "%3Aworld-default%3AMS-N")
      .replace(/\bt1\.[\w.-]+/g, "TICKET")
      .replace(/(127\.0\.0\.1|localhost)(:|%3A)\d{4,5}/g, "$1$2PORT")
      .replace(/\b\d{13}\b/g, "MS")
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
