// Client libraries at a node: each runs all exchanges that it can express, by each kind of route.
import assert from "node:assert/strict";
import { exchanges } from "./exchanges.mjs";
import { makers } from "./clients.mjs";
import { Site } from "./site.mjs";
import { shardId } from "../lib/cluster.mjs";

const PING_MS = 150, PONG_MS = 1500;
const GIVE_UP = 3; // failures of one client by one way: the rest would be more of the same
const ROUTES = [{ path: "/deflated/{shard}/*", mode: "mux", deflate: true }];

/** Ways to the room: `deflate`: what the client offers, and must get. */
const ways = [
  { name: "mux", rows: "mux", prefix: "/parties/shard", deflate: false },
  { name: "mux, compressed", rows: "mux", prefix: "/deflated", deflate: true },
];

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
  await row.run(client, site);
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
    const problem = await runOne(client, row, way, site, `${name}-${way.name.length}-${ran++}`).then(() => null, (error) => error.message.slice(0, 600));
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
  const site = await Site.start(t, { nodeEnv: { ROUTES: JSON.stringify(ROUTES), PING_INTERVAL: `${PING_MS}ms`, PONG_TIMEOUT: `${PONG_MS}ms` } });
  site.silenceMs = 3 * PING_MS + PONG_MS;
  await Promise.all(Object.keys(makers).map(async (name) => {
    const start = Date.now();
    const ran = [];
    for (const way of ways) ran.push(await runClient(name, way, site, tell, chosen));
    if (ran.some(Boolean)) console.log(`     ${name}: ${ran.reduce((sum, n) => sum + n)} cases (${ways.map((way, i) => `${way.name} ${ran[i]}`).join(", ")}; ${Date.now() - start} ms)`);
  }));
}
