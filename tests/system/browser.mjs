// The demo page in headless Chromium. usage: node tests/system/browser.mjs [--room demo|signe] [PATTERN...]
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { run, test, until } from "../lib/runner.mjs";
import { folder, listening, root, secret, start, startNode, startRoom, startWorld, freePort } from "../lib/process.mjs";
import { post } from "../lib/cluster.mjs";

const { values, positionals } = parseArgs({ options: { room: { type: "string", default: "demo" } }, allowPositionals: true });
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const rooms = {
  demo: startRoom,
  async signe(env) {
    const p = start("room", process.execPath, [path.join(root, "deploy/demo/signe/server.mjs")], { SHARD_SECRET: secret, ...env });
    await p.says(listening);
    return Object.assign(p, { port: Number(env.PORT), origin: `http://127.0.0.1:${env.PORT}` });
  },
};

const joined = "#status[data-state=open]";

/** World, two nodes, room server with the page, and a browser that may reach nothing else. */
async function demo(t) {
  const roomPort = String(await freePort());
  const world = await startWorld();
  const nodes = [];
  for (let i = 0; i < 2; i++) nodes.push(await startNode(world.origin, `http://127.0.0.1:${roomPort}`, { DRAIN_DEADLINE: "1s" }));
  const env = { PORT: roomPort, CLUSTER_URLS: nodes.map((n) => n.origin).join(",") };
  const room = await rooms[values.room](env);
  await post(world.origin, "/parties/world/world-default/register-room", { name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 75, minShards: 2 });
  const browser = await chromium.launchPersistentContext(folder(), { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags, viewport: { width: 1000, height: 700 } });
  t.after(() => browser.close());
  const problems = [];
  const tab = async (name) => {
    const page = await browser.newPage();
    page.setDefaultTimeout(15000);
    page.on("pageerror", (error) => problems.push(`page error: ${error}`));
    page.on("request", (req) => new URL(req.url()).hostname === "127.0.0.1" || problems.push(`request to ${req.url()}`));
    await page.goto(`${room.origin}/?name=${name}`);
    await page.waitForSelector(joined);
    return page;
  };
  return { world, nodes, room, env, browser, tab, problems };
}
const text = async (page, where) => (await page.textContent(where)).trim();
const shows = (page, where, what) => until(async () => (await text(page, where)) === what, `${where} to show ${what}`, 15000);
const lists = (page, where, what) => until(async () => (await page.locator(where).allTextContents()).some((line) => line.includes(what)), `${where} to list ${what}`, 15000);

test("two tabs on two shards share one counter, the chat and who is there", async (t) => {
  const { tab, problems } = await demo(t);
  const a = await tab("Ann");
  const b = await tab("Bob");
  assert.notEqual(await text(a, "#where"), await text(b, "#where"));
  await shows(a, "#count", "0");
  await a.click("#increment");
  await shows(b, "#count", "1");
  await b.click("#increment");
  await b.click("#increment");
  await shows(a, "#count", "3");
  for (const page of [a, b]) await lists(page, "#users li:not(.away)", page === a ? "Bob" : "Ann");
  await a.fill("#text", "hello <b>there</b>");
  await a.press("#text", "Enter");
  await lists(b, "#chat li", "hello <b>there</b>");
  for (const line of ["one", "two", "three"]) {
    await b.fill("#text", line);
    await b.click("#say-button");
  }
  await lists(a, "#chat li", "three");
  assert.deepEqual((await a.locator("#chat li").allTextContents()).slice(1).map((l) => l.replace(/^\s*Bob\s*/, "")), ["one", "two", "three"]);
  mkdirSync(path.join(root, "build/test-logs"), { recursive: true });
  await b.screenshot({ path: path.join(root, `build/test-logs/page-${values.room}.png`) });
  await a.close();
  await until(async () => !(await b.locator("#users li:not(.away)").allTextContents()).some((l) => l.includes("Ann")), "Ann to be away", 15000);
  assert.deepEqual(problems, []);
}, { seconds: 90 });

test("the tabs outlive a restart of the room server", async (t) => {
  const { tab, room, env, problems } = await demo(t);
  const a = await tab("Ann");
  const b = await tab("Bob");
  await a.click("#increment");
  await shows(b, "#count", "1");
  await room.kill();
  await rooms[values.room](env);
  const same = async () => Number(await text(b, "#count")) > 0 && (await text(a, "#count")) === (await text(b, "#count"));
  await until(async () => {
    await a.click("#increment");
    return until(same, "both to show it", 2000).then(() => true, () => false); // a click each moment would never be shown by both
  }, "one counter again", 20000);
  assert.deepEqual(problems, []);
}, { seconds: 90 });

test("the tabs outlive a restart of a node", async (t) => {
  const { tab, nodes, world, room, problems } = await demo(t);
  const a = await tab("Ann");
  const b = await tab("Bob");
  await a.click("#increment");
  await shows(b, "#count", "1");
  for (const node of nodes) {
    await node.stop();
    await startNode(world.origin, room.origin, { PORT: String(node.port) });
  }
  for (const page of [a, b]) await page.waitForSelector(joined);
  await until(async () => {
    await b.click("#increment");
    return Number(await text(a, "#count")) > 1;
  }, "the counter to move on", 20000);
  assert.deepEqual(problems, []);
}, { seconds: 90 });

await run({ patterns: positionals });
