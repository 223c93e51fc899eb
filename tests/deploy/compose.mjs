// The compose file, held against the compose specification's schema by dclint: Compose v2 reads it by that. What
// docker-compose 1.29 thinks of it the stage `containers` finds out. dclint.json turns off what is about taste, what
// 1.29 refuses (`name`), and the rule about ports: the edge is for everybody, and where it listens is a variable's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { folder } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const file = path.join(here, "../../deploy/compose.yaml");
const rules = path.join(here, "dclint.json");
const program = path.join(here, "../node_modules/.bin/dclint");

/** What dclint says of a file; "": nothing. */
function lint(name) {
  try {
    return execFileSync(program, [name, "-c", rules, "--max-warnings", "0"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch (error) {
    return `${error.stdout}${error.stderr}`;
  }
}

test("the compose file is one by the specification", () => {
  assert.equal(lint(file), "");
});

test("a misspelt key of a compose file is noticed", () => {
  const copy = path.join(folder(), "compose.yaml");
  const text = readFileSync(file, "utf8");
  assert.match(text, /healthcheck:/);
  writeFileSync(copy, text.replace("healthcheck:", "heathcheck:"));
  assert.match(lint(copy), /invalid-schema/);
});
