// RFC 6455: raw cases, then real clients. usage: node tests/rfc6455/run.mjs [PATTERN...] (of names); the last line is `N passed, N failed`.
import { groups as control } from "./cases_control.mjs";
import { Dialled, groups as dialling, runDialled } from "./cases_dialled.mjs";
import { groups as frames } from "./cases_frames.mjs";
import { groups as handshakes, runHandshake } from "./cases_handshake.mjs";
import { groups as segments } from "./cases_segments.mjs";
import { groups as utf8 } from "./cases_utf8.mjs";
import { runRow } from "./rows.mjs";
import { Site } from "./site.mjs";
import { runClients } from "./with_clients.mjs";
import { cluster } from "../lib/cluster.mjs";
import { stopEverything } from "../lib/process.mjs";

const AT_ONCE = 8;
const patterns = process.argv.slice(2).map((p) => new RegExp(p, "i"));
const totals = { passed: 0, failed: 0 };
let serial = 0;

/** Says how a case went. */
function tell(name, problems) {
  totals[problems.length ? "failed" : "passed"]++;
  console.log(`${problems.length ? "FAIL" : "ok  "} ${name}`);
  for (const problem of problems) console.log(`       ${problem}`);
}

/** Runs `work` for each of `list`, some at a time. */
async function each(list, work) {
  let next = 0;
  const worker = async () => {
    while (next < list.length) await work(list[next++]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const chosen = (name) => patterns.length === 0 || patterns.some((p) => p.test(name));

/** A case of frames; the room must have heard what came back, or what the row says, and nothing else. */
async function runHeard(row, site, id) {
  const problems = await runRow(row, site, id);
  if (row.code === undefined || !row.heard) return problems;
  const heard = await site.hears(id, row.heard);
  if (String(heard) !== String(row.heard)) problems.push(`the room heard ${heard}`);
  return problems;
}

async function runGroup(name, rows, site, run) {
  const named = rows.map((row) => ({ ...row, title: `${name}: ${row.name} (${row.section})` })).filter((row) => chosen(row.title));
  const start = Date.now();
  await each(named, async (row) => tell(row.title, await run(row, site, `case-${++serial}`)));
  if (named.length) console.log(`     ${name}: ${named.length} cases (${Date.now() - start} ms)`);
}

const cleanUps = [];
const t = { after: (fn) => cleanUps.push(fn) };
const site = await Site.start(t);
for (const [name, rows] of Object.entries(handshakes)) await runGroup(name, rows, site, runHandshake);
for (const [name, rows] of Object.entries({ ...frames, ...control, ...utf8, ...segments })) await runGroup(name, rows, site, runHeard);
const dialled = await Dialled.start(t);
const behind = { dialled, ...(await cluster(t, { rooms: dialled.origin })) };
for (const [name, rows] of Object.entries(dialling)) await runGroup(name, rows, behind, runDialled);
await runClients(t, tell, chosen);
for (const cleanUp of cleanUps.reverse()) await cleanUp();
const problems = await stopEverything();
if (problems.length) tell("the programs end as they should", problems);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
