// Links between documents lead somewhere, also those to a section.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { root } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";

const read = (name) => readFileSync(path.join(root, name), "utf8");
const sections = (name) => [...read(name).matchAll(/^#+ (.*)$/gm)].map((m) => m[1].toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-"));

test("links between documents lead somewhere", () => {
  const pages = ["README.md", ...["docs", "docs/decisions"].flatMap((dir) => readdirSync(path.join(root, dir)).filter((n) => n.endsWith(".md")).map((n) => `${dir}/${n}`))];
  const lost = [];
  for (const page of pages)
    for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [name, section] = target.split("#");
      const file = name ? path.join(path.dirname(page), name) : page;
      if (!existsSync(path.join(root, file))) lost.push(`${page}: ${target}`);
      else if (section && !sections(file).includes(section)) lost.push(`${page}: ${target}`);
    }
  assert.deepEqual(lost, []);
});

test("documents name only settings that are there", () => {
  const known = new Set();
  for (const page of ["terrane-world.8", "terrane-shard.8", "terrane-demo-room.8", "worldctl.1"]) for (const [, name] of read(`docs/man/${page}`).matchAll(/Ev ([A-Z0-9_]+)/g)) known.add(name);
  assert.ok(known.has("SEAT_TTL"));
  for (const page of ["README.md", "docs/operations.md", "docs/failures.md", "docs/security.md", "docs/tls.md"])
    assert.deepEqual([...read(page).matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`/g)].map((m) => m[1]).filter((n) => !known.has(n)), [], page);
});
