// What changes is seen, and what is lost is said.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { startNode, startWorld } from "../lib/process.mjs";
import { client, cluster, manage, nodesUsable, request } from "../lib/cluster.mjs";
import { shows, signedIn } from "./page.mjs";

const put = (world, room, body = { minShards: 1 }) => manage(world.origin, "PUT", `/rooms/${encodeURIComponent(room)}`, body);

test("what happens is on the page within a second", async (t) => {
  const { world, node } = await cluster(t);
  const { page, problems } = await signedIn(t, world.origin, "rooms");
  const took = [];
  for (const name of ["first", "second", "third"]) { // other programs may keep the machine busy for a moment
    await put(world, name);
    const begun = Date.now();
    await shows(page, "main", new RegExp(name));
    took.push(Date.now() - begun);
  }
  assert.ok(Math.min(...took) <= 1000, `${took} ms`);
  await page.click("text=Overview");
  await nodesUsable(world.origin);
  const { json } = await manage(world.origin, "GET", "/shards");
  const c = client(t, `${node.origin}/parties/shard/${encodeURIComponent(json.items[0].shardId)}?id=ann`);
  await c.open();
  await until(async () => (await manage(world.origin, "GET", "/overview")).json.connections === 1, "the client to be counted");
  await shows(page, "#figure-connections", /^1$/);
  await page.waitForSelector(".chart .edge", { state: "attached" });
  await shows(page, ".overview", /node-\d+/);
  console.log(`     new rooms were seen after ${took} ms`);
  assert.deepEqual(problems, []);
}, { alone: true });

test("a world that is gone is said to be gone, and followed when it is back", async (t) => {
  let world = await startWorld();
  await put(world, "kept");
  const { page, problems } = await signedIn(t, world.origin, "rooms");
  await shows(page, "main", /kept/);
  const { port } = world;
  await world.kill();
  await shows(page, ".lost", /Not connected\..*last that was heard/);
  await shows(page, "main.stale", /kept/);
  world = await startWorld({ PORT: String(port) });
  await page.waitForSelector(".line.live", { timeout: 12000 });
  assert.equal(await page.locator(".lost").count(), 0);
  assert.deepEqual(problems, []);
});

test("an answer that is none is said, and asked for again", async (t) => {
  const world = await startWorld();
  await put(world, "kept");
  const { page, problems } = await signedIn(t, world.origin, "rooms");
  await shows(page, "main", /kept/);
  for (const [i, body] of ['{"items":', '{"items":[null]}'].entries()) {
    await page.route("**/rooms?*", (route) => route.fulfill({ status: 200, contentType: "application/json", body }));
    await page.route("**/rooms", (route) => route.fulfill({ status: 200, contentType: "application/json", body }));
    const asked = page.waitForResponse((r) => /\/rooms(\?|$)/.test(r.url()));
    await put(world, `hidden-${i}`);
    await asked;
    await shows(page, "main", /none of a world's answers/);
    await page.unrouteAll();
    await put(world, `shown-${i}`);
    await shows(page, "tbody", new RegExp(`shown-${i}`));
    assert.equal(await page.locator("main .wrong").count(), 0);
  }
  assert.deepEqual(problems, []);
});

test("a page that nobody looks at asks for nothing", async (t) => {
  const world = await startWorld();
  const { page, problems } = await signedIn(t, world.origin, "rooms");
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await put(world, "seen");
  await shows(page, "tbody", /seen/);
  await hide(true);
  const asked = [];
  page.on("request", (r) => asked.push(r.url()));
  await put(world, "unseen");
  await new Promise((resolve) => setTimeout(resolve, 1500)); // longer than between two readings
  assert.deepEqual(asked, []);
  await hide(false);
  await shows(page, "tbody", /unseen/);
  assert.deepEqual(problems, []);
});

test("lists are searched, sorted and turned page by page", async (t) => {
  const world = await startWorld();
  await Promise.all(Array.from({ length: 120 }, (_, i) => put(world, `room-${String(i).padStart(3, "0")}`, {})));
  const { page, problems } = await signedIn(t, world.origin, "rooms");
  await shows(page, ".pager", /page 1/);
  await page.click("text=Next →");
  await shows(page, ".pager", /page 2/);
  await until(async () => (await page.locator("tbody tr").count()) === 20, "20 rooms on the second page");
  await page.click("text=← Previous");
  await until(async () => (await page.locator("tbody tr").count()) === 100, "100 rooms on the first");
  await page.keyboard.press("/");
  await page.keyboard.type("M-11");
  await until(async () => (await page.locator("tbody tr").count()) === 10, "ten rooms that match");
  await page.click("th button:has-text('Room')");
  const names = () => page.locator("tbody th").allTextContents();
  assert.equal((await names())[0], "room-110");
  await page.click("th button:has-text('Room')");
  await until(async () => (await names())[0] === "room-119", "the order to turn");
  await startNode(world.origin, world.origin);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("g");
  await page.keyboard.press("n");
  await shows(page, "tbody", /node-/);
  assert.deepEqual(problems, []);
});
