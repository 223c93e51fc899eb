#!/usr/bin/env node
// Runs the kit against the project's programs, the reference, or a mix of both, on ports of its own.
// usage: against.mjs --world ours|theirs --shards ours|theirs [--alone not|only] [-- options of conform.mjs]
// --alone: without the cases that want the machine for themselves, or only those
// environment: TERRANE_BIN, the folder of the programs (build/dev/bin)
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bin, listening, start, startNode, startWorld, stopEverything } from "../lib/process.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const { values: o, positionals: passedOn } = parseArgs({
  options: { world: { type: "string", default: "ours" }, shards: { type: "string", default: "ours" }, alone: { type: "string" } },
  allowPositionals: true, // what stands behind `--`
});
for (const side of ["world", "shards"]) {
  if (!["ours", "theirs"].includes(o[side])) {
    console.error(`--${side} is ours or theirs, not '${o[side]}'`);
    process.exit(2);
  }
}

// Some goldens tell the length of the secret.
const secret = "node-shard-local-secret";
const jwtSecret = "node-shard-auth-secret-at-least-256-bits";
const secrets = { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret };
/** A program of the reference. */
async function reference(name, file, env) {
  const p = start(name, process.execPath, [here(`reference/${file}`)], { HOST: "127.0.0.1", PORT: "0", ...secrets, ...env });
  const [, port] = await p.says(listening);
  return Object.assign(p, { origin: `http://127.0.0.1:${port}` });
}

// SEAT_TTL=0: the goldens of least-connections and of full shards count reports only, as the reference does.
const world = o.world === "ours"
  ? await startWorld({ ...secrets, SEAT_TTL: "0", PRIVATE_ROOMS: "ignore", TRUSTED_PROXIES: "127.0.0.0/8" })
  : await reference("their world", "world.mjs", {});
let rooms, shards;
if (o.shards === "ours") {
  rooms = await reference("rooms", "room.mjs", { PARTIES: "main" });
  shards = await startNode(world.origin, rooms.origin, {
    ...secrets, SEAT_TTL: "0", PRIVATE_ROOMS: "ignore", TRUSTED_PROXIES: "127.0.0.0/8", HTTP_PROXY_PATH: "nested", REPORT_INTERVAL: "5s",
  });
} else {
  shards = rooms = await reference("their shards and rooms", "room.mjs", { PARTIES: "main,shard", WORLD_ORIGIN: world.origin });
}

const skip = [
  ...(o.world === "ours" || o.shards === "ours" ? ["defect", "deviates"] : []), // the reference keeps its own goldens
  ...(o.world === "theirs" ? ["amended"] : []),
  ...(o.alone === "not" ? ["alone"] : []),
];
const spawnShard = o.shards === "ours" ? here("terrane-shard.sh") : `${process.execPath} ${here("reference/room.mjs")}`;
const kit = spawn(process.execPath, [
  here("conform.mjs"), "--world", world.origin, "--shard-host", shards.origin, "--main", rooms.origin,
  "--secret", secret, "--jwt-secret", jwtSecret, "--golden", here("golden.json"), "--skip-tags", skip.join(","),
  "--skip-file", here("deviations.json"), "--spawn-shard", spawnShard, ...(o.alone === "only" ? ["--only-tags", "alone"] : []), ...passedOn,
], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, TERRANE_BIN: bin } });

// The kit's last line is kept back until it is known how the programs ended.
let said = "";
kit.stdout.on("data", (data) => {
  said += data;
  const end = said.lastIndexOf("\n", said.length - 2) + 1;
  process.stdout.write(said.slice(0, end));
  said = said.slice(end);
});
const status = await new Promise((resolve) => kit.on("close", resolve));
const problems = await stopEverything({ tail: false });
const summary = said.match(/^(\d+) passed, (\d+) failed\n$/);
if (!summary) console.log(said);
for (const problem of problems) console.log(`FAIL ${problem}`);
const passed = Number(summary?.[1] ?? 0);
const failed = Number(summary?.[2] ?? 1) + problems.length;
console.log(`${passed} passed, ${failed} failed`);
process.exit(status === 0 && failed === 0 ? 0 : 1);
