// worldctl in tests: runs, what they said, and files that say what they should. GOLDEN=write writes those anew.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bin, finish, folder, jwtSecret, root, start } from "../lib/process.mjs";

const files = path.join(root, "tests/ctl/golden");

/** The environment of a run against `world` (an origin, or nothing); HOME holds no settings. */
export const environment = (world, more = {}) =>
  ({ HOME: folder(), TZ: "UTC", AUTH_JWT_SECRET: jwtSecret, ...(world ? { TERRANE_URL: world } : {}), ...more });

/** Runs worldctl to its end, which must be `status`. */
export async function worldctl(world, args, status = 0, more = {}) {
  const run = await finish("worldctl", args, environment(world, more), status);
  assert.equal(run.status, status, `worldctl ${args.join(" ")}: ${run.stdout}${run.stderr}`);
  return run;
}

/** Starts worldctl with `input` (a stream) for stdin; `expected`: how it must end. */
export function begin(world, args, { expected = 0, more = {} } = {}) {
  const p = start(`worldctl ${args[0]}`, path.join(bin, "worldctl"), args, environment(world, more), { stdio: ["pipe", "pipe", "pipe"] });
  p.expected = expected;
  p.child.stdin.on("error", () => {}); // it may have ended
  return p;
}

const changing = [
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "TOKEN"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \([^)]*\)/g, "TIME"],
  [/^\d\d:\d\d:\d\d /gm, "CLOCK "],
  [/(127\.0\.0\.1|localhost):\d+/g, "$1:PORT"],
  [/(?<!\d)\d{13}-\d+/g, "MS-N"],
  [/\b\d{13,16}\b/g, "MS"],
  [/(?<="(exp|iat)": )\d{10}\b/g, "SECONDS"],
  [/(?<![\w-])[\w-]{43}(?=["\n])/g, "RANDOM43"],
  [/(?<![\w-])[\w-]{22}(?=["\n, ])/g, "RANDOM22"],
];

/** Without what differs from run to run. */
export const normal = (text) => changing.reduce((t, [from, to]) => t.replace(from, to), text);

/** Runs each of `lines` (arguments, and how they must end) and holds all of it against a file. */
export async function golden(name, world, lines, more = {}) {
  let text = "";
  for (const [args, status = 0] of lines) {
    const run = await worldctl(world, args, status, more);
    text += `$ worldctl ${args.map((a) => (/^[\w./:=,*{}"-]+$/.test(a) ? a : `'${a}'`)).join(" ")}\n${run.stdout}${run.stderr.replace(/^/gm, "! ").replace(/! $/, "")}-> ${run.status}\n\n`;
  }
  compare(name, text);
}

export function compare(name, text) {
  const file = path.join(files, `${name}.txt`);
  if (process.env.GOLDEN === "write") {
    mkdirSync(files, { recursive: true });
    writeFileSync(file, normal(text));
  }
  assert.equal(normal(text), readFileSync(file, "utf8"), `tests/ctl/golden/${name}.txt`);
}
