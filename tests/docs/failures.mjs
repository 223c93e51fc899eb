// docs/failures.md has a row for everything that can be seen. MAN=write rewrites what is made from sources.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";

const file = path.join(root, "docs/failures.md");
const source = (name) => readFileSync(path.join(root, name), "utf8");

/** The rows below a heading: lists of cells. */
function rows(heading) {
  const [, text] = source("docs/failures.md").match(new RegExp(`^## ${heading}\n([^]*?)(?=^## |$(?![^]))`, "m"));
  return [...text.matchAll(/^\| (?!---)(.*) \|$/gm)].slice(1).map((m) => m[1].split(" | "));
}
const literals = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1]);
const named = (heading, column = 0) => rows(heading).flatMap((row) => literals(row[column])).sort();
const sorted = (names) => [...new Set(names)].sort();
const cell = (text) => text.replaceAll("|", "\\|").replace(/\bdocs\/(\w+\.md)/g, "`$1`");

/** What stands between the marks of `block` is a table of `lines`. */
function holds(block, what, lines) {
  const text = readFileSync(file, "utf8"), begin = text.match(new RegExp(`<!-- ${block}: made from .*-->\n`)), end = text.indexOf(`<!-- ${block}: end -->`);
  assert.ok(begin && end > 0, `docs/failures.md has no block ${block}`);
  const from = begin.index + begin[0].length, whole = [`| ${what} | means | do |`, "| --- | --- | --- |", ...lines].map((line) => `${line}\n`).join("");
  if (process.env.MAN === "write") writeFileSync(file, text.slice(0, from) + whole + text.slice(end));
  else assert.equal(text.slice(from, end), whole, `docs/failures.md, ${block}: MAN=write node tests/docs/run.mjs makes it anew`);
}

/** The C text of adjacent string literals. */
const literal = (text) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1].replace(/\\(.)/g, "$1")).join("");

test("each finding is in the book, as the sources have it", () => {
  const kinds = [...source("common/proto/finding.c").matchAll(/KIND\(\s*"([a-z-]+)",\s*FINDING_(\w+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)/g)];
  assert.equal(kinds.length, [...source("common/proto/finding.c").matchAll(/= ?\s*KIND\(/g)].length, "each KIND is read");
  holds("findings", "finding", kinds.map(([, name, level, means, cure]) => `| \`${name}\`, ${level.toLowerCase()} | ${cell(literal(means))} | ${cell(literal(cure))} |`));
});

test("each check of doctor's own is in the book", () => {
  const files = readdirSync(path.join(root, "world/ctl")).filter((name) => /^doctor.*\.c$/.test(name));
  const checks = files.flatMap((name) => [...source(`world/ctl/${name}`).matchAll(/(?:\.check = (?:\w+ \? )?|DIAGNOSIS_\w+, |: )SPAN\("([a-z-]+)"\)/g)].map((m) => m[1]));
  assert.ok(checks.length > 10);
  assert.deepEqual(named("What only doctor finds"), sorted(checks));
});

test("each alert is in the book, as the rules have it", () => {
  const alerts = [...source("deploy/prometheus/terrane.rules.yml").matchAll(/- alert: (\w+)\n[^]*?severity: (\w+)[^]*?means: "(.*)"\n\s*do: "(.*)"\n\s*runbook: docs\/failures\.md#(\S+)/g)];
  assert.equal(alerts.length, [...source("deploy/prometheus/terrane.rules.yml").matchAll(/- alert: /g)].length, "each alert is read");
  for (const section of new Set(alerts.map((a) => a[5])))
    holds(section, "alert", alerts.filter((a) => a[5] === section).map(([, name, severity, means, what]) => `| \`${name}\`, ${severity} | ${cell(means)} | ${cell(what)} |`));
});

test("each warning and each error that is logged is in the book", () => {
  const events = [];
  for (const dir of ["common", "world", "shard", "deploy/demo"])
    for (const name of readdirSync(path.join(root, dir), { recursive: true, encoding: "utf8" }).filter((n) => n.endsWith(".c") && !n.includes("node_modules")))
      for (const [, level, event] of source(path.join(dir, name)).matchAll(/\blog_(warn|error)\(\s*"([^"]+)"/g)) events.push(`${event} ${level === "warn" ? "W" : "E"}`);
  const book = rows("Log events").flatMap((row) => row[1].split(" ").filter((w) => "WE".includes(w)).map((level) => `${literals(row[0])[0]} ${level}`));
  assert.deepEqual(sorted(book), sorted(events));
});

test("each reason to refuse, and to close, is in the book", () => {
  const names = (name, pattern) => [...source(name).matchAll(pattern)].map((m) => m[1]);
  const world = [...source("world/core/refusal.c").matchAll(/\{"(\w+)", (\d+)\}/g)].filter((m) => m[1] !== "none");
  assert.deepEqual(named("Refusals of a world"), world.map((m) => m[1]).sort());
  for (const [, name, status] of world.filter((m) => m[2] !== "0")) assert.equal(rows("Refusals of a world").find((r) => r[0] === `\`${name}\``)[1], status, name);
  const core = names("shard/core/reason.c", /\{"(\w+)",/g);
  const io = names("shard/io/io_stats.c", /\[REFUSED_\w+\] = "(\w+)"/g);
  assert.deepEqual(named("Refusals of a node"), [...core.filter((r) => r.startsWith("refused_")).map((r) => r.slice(8)), ...io].sort());
  assert.deepEqual(named("Close codes", 1), core.filter((r) => !r.startsWith("refused_")).sort());
});

test("each close code is in the book, with its words", () => {
  const codes = source("shard/io/io_stats.c").match(/codes\[[^{]*\{([^}]*)\}/)[1].match(/\d{4}/g);
  const told = rows("Close codes").map((row) => row[0]).join(" ");
  assert.deepEqual(codes.filter((code) => !told.includes(code)), []);
  const words = [...source("shard/core/reason.c").matchAll(/WS_CODE_\w+,\s*"([^"]+)"/g)].map((m) => m[1].replace(/\d+-\d+/, "MIN-MAX"));
  assert.deepEqual(words.filter((w) => !told.includes(`\`${w}\``)), []);
});
