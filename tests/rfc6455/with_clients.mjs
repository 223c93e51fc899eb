// Client libraries at a node: each runs all exchanges that it can express, by each kind of route.
import assert from "node:assert/strict";
import { exchanges, serve } from "./exchanges.mjs";
import { makers } from "./clients.mjs";
import { Site } from "./site.mjs";
import { shardId } from "../lib/cluster.mjs";
import { Passed } from "../lib/passed.mjs";

const PING_MS = 150, PONG_MS = 3000;
const GIVE_UP = 3; // failures of one client by one way: the rest would be more of the same
const SILENCE_MS = 3 * PING_MS + PONG_MS; // who does not answer is gone by then

/** Ways to a room or a server: `deflate`: what the client offers, and must get. */
const ways = [
  { name: "mux", rows: "mux", prefix: "/parties/shard", deflate: false, silenceMs: SILENCE_MS },
  { name: "mux, compressed", rows: "mux", prefix: "/deflated", deflate: true, silenceMs: SILENCE_MS },
  { name: "pass", rows: "pass", prefix: "/passed", deflate: false, keepsBinary: true },
  { name: "pass, compressed", rows: "pass", prefix: "/packed", deflate: true, keepsBinary: true },
];
const routes = (plain, packed) => JSON.stringify([
  { path: "/deflated/{shard}/*", mode: "mux", deflate: true },
  { path: "/passed/{shard}/*", mode: "pass", servers: [plain.origin] },
  { path: "/packed/*", mode: "pass", servers: [packed.origin] },
]);

async function runOne(client, row, way, site, id) {
  const path = row.path ?? `${way.prefix}/${shardId()}?id=${id}`;
  await client.open(`ws://127.0.0.1:${site.node.port}${path}`, row.protocols, way.deflate);
  if (row.refused) {
    assert.ok(client.failed, "it was opened");
    if (client.can.has("status")) assert.equal(client.failed.status, row.refused);
    return;
  }
  assert.ok(client.opened, `refused: ${JSON.stringify(client.failed)}`);
  assert.equal(client.opened.extensions.startsWith("permessage-deflate"), way.deflate, `extensions ${client.opened.extensions}`);
  await row.run(client, way);
  if (row.ends) return;
  await client.say("close", 1000, "");
  await client.ended();
}

/** Whether the client can express it. */
function isFor(client, row, way) {
  const needs = [...(row.needs ?? []), ...(way.deflate && row.short ? ["uncompressed"] : [])];
  return needs.every((need) => client.can.has(need));
}

async function runClient(name, way, site, tell, chosen) {
  const titled = (row) => ({ ...row, title: `${name}, ${way.name}: ${row.name}` });
  const all = exchanges[way.rows].map(titled).filter((row) => chosen(row.title));
  if (all.length === 0) return 0;
  let client = await makers[name](way.deflate), ran = 0, failed = 0;
  for (const row of all) {
    if (!isFor(client, row, way)) continue;
    if (failed === GIVE_UP) break;
    const problem = await runOne(client, row, way, site, `${name}${way.prefix.replaceAll("/", "-")}-${ran++}`).then(() => null, (error) => error.message.slice(0, 600));
    tell(row.title, problem ? [problem] : []);
    if (!problem) continue;
    failed++;
    await client.stop(true); // it may be anywhere
    client = await makers[name](way.deflate);
  }
  await client.stop();
  return ran;
}

/** `tell(name, problems)` hears of each; `chosen(name)` says which to run. Says per client how many ran. */
export async function runClients(t, tell, chosen) {
  const [plain, packed] = [await Passed.start(t), await Passed.start(t, { perMessageDeflate: true })];
  plain.onMessage = packed.onMessage = serve;
  const site = await Site.start(t, { nodeEnv: { ROUTES: routes(plain, packed), PING_INTERVAL: `${PING_MS}ms`, PONG_TIMEOUT: `${PONG_MS}ms` } });
  await Promise.all(Object.keys(makers).map(async (name) => {
    const start = Date.now();
    const ran = [];
    for (const way of ways) ran.push(await runClient(name, way, site, tell, chosen));
    if (ran.some(Boolean)) console.log(`     ${name}: ${ran.reduce((sum, n) => sum + n)} cases (${ways.map((way, i) => `${way.name} ${ran[i]}`).join(", ")}; ${Date.now() - start} ms)`);
  }));
}
