// The manual pages say what the programs say of themselves. MAN=write rewrites what is made from --help.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { bin, root } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";
import { globalFlags, settingsBlock, settingsOf, verbItem, verbsOf } from "./mdoc.mjs";

const page = (name) => path.join(root, "docs/man", name);
const help = async (program, ...args) => (await promisify(execFile)(path.join(bin, program), [...args, "--help"])).stdout;

/** The text between the marks of `block` in `file` is `text`. */
function holds(file, block, text) {
  const [begin, end] = [`.\\" ${block}: made from --help\n`, `.\\" ${block}: end\n`];
  const whole = readFileSync(file, "utf8");
  const [from, to] = [whole.indexOf(begin) + begin.length, whole.indexOf(end)];
  assert.ok(from >= begin.length && to >= from, `${file} has no block ${block}`);
  if (process.env.MAN === "write") writeFileSync(file, `${whole.slice(0, from)}${text}\n${whole.slice(to)}`);
  else assert.equal(whole.slice(from, to), `${text}\n`, `${file}, block ${block}: MAN=write node tests/docs/run.mjs makes it anew`);
}

for (const [program, file] of [["terrane-world", "terrane-world.8"], ["terrane-shard", "terrane-shard.8"], ["terrane-demo-room", "terrane-demo-room.8"]])
  test(`${file} has all settings and no others`, async () => {
    const text = await help(program);
    assert.equal(settingsOf(text).length, [...text.matchAll(/ environment: /g)].length, "each row of --help is read");
    holds(page(file), "settings", settingsBlock(text));
    const others = [...text.slice(0, text.indexOf("A flag beats")).matchAll(/^ {2}--([a-z-]+)/gm)].map((m) => m[1]);
    const told = [...readFileSync(page(file), "utf8").matchAll(/^\.It Fl -([a-z-]+)/gm)].map((m) => m[1]);
    assert.deepEqual(others.filter((flag) => !told.includes(flag)), [], "flags that are no settings");
  });

test("worldctl.1 has all verbs and flags and no others", async () => {
  const text = await help("worldctl");
  const verbs = verbsOf(text);
  assert.equal(verbs.length, text.slice(0, text.indexOf("\nFlags of all")).split("\n").filter((l) => l.startsWith("  ")).length, "each row of --help is read");
  const items = await Promise.all(verbs.map(async (v) => verbItem(v, await help("worldctl", ...v.name.split(" ")))));
  holds(page("worldctl.1"), "flags", globalFlags(text));
  holds(page("worldctl.1"), "verbs", items.join("\n"));
});

test("mandoc finds nothing to complain about", () => {
  const files = ["worldctl.1", "terrane-world.8", "terrane-shard.8", "terrane-demo-room.8"].map(page);
  try {
    execFileSync("mandoc", ["-T", "lint", "-W", "warning", ...files], { encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  }
});

test("operations.md lists the settings that SIGHUP reads again", async () => {
  const both = await Promise.all(["terrane-world", "terrane-shard"].map(async (program) => settingsOf(await help(program)).filter((s) => s.reload)));
  const book = readFileSync(path.join(root, "docs/operations.md"), "utf8").match(/^\| may change \|[^]*?\n\n/m)[0];
  const rows = book.split("\n").filter((row) => row.startsWith("| ") && !row.includes("not their paths")).map((row) => row.split(" | ")[0]);
  const told = rows.flatMap((cell) => [...cell.matchAll(/`([A-Z_]+)`/g)].map((m) => m[1]));
  assert.deepEqual([...new Set(told)].sort(), [...new Set(both.flat().map((s) => s.name))].sort());
});
