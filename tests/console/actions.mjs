// What the buttons do, by mouse and by keyboard.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { client, cluster, manage, nodesUsable } from "../lib/cluster.mjs";
import { nothingFound, operator, shows, signedIn, visit } from "./page.mjs";

const ask = async (world, method, what, body) => (await manage(world.origin, method, what, body)).json;

/** A cluster with a room of two shards and clients on the first of them. */
async function busy(t, count, options) {
  const c = await cluster(t, options);
  await nodesUsable(c.world.origin, c.nodes.length);
  await ask(c.world, "PUT", "/rooms/lobby", { minShards: 2, maxShards: 6, maxPlayersPerShard: 20 });
  const [shard] = (await ask(c.world, "GET", "/shards?room=lobby")).items;
  const clients = await Promise.all(Array.from({ length: count }, async (_, i) => client(t, `${c.node.origin}/parties/shard/${encodeURIComponent(shard.shardId)}?id=s${i}`).open()));
  await until(async () => (await ask(c.world, "GET", `/shards/${encodeURIComponent(shard.shardId)}`)).currentConnections === count, "clients to be counted");
  return { ...c, shard, clients };
}

test("a shard is drained by click, with progress until it is gone", async (t) => {
  const { world, shard, clients } = await busy(t, 6);
  const { page, problems } = await signedIn(t, world.origin, "shards");
  await page.click(`tbody th:has-text("${shard.shardId}") a`);
  await shows(page, ".pane h2", new RegExp(shard.shardId));
  await page.click(".pane >> text=Drain …");
  await shows(page, "dialog .consequences", /6 clients are closed with 1012 within 60 s/);
  await page.fill("#field-deadline", "2");
  await shows(page, "dialog .consequences", /6 clients are closed with 1012 within 2 s, about 3 a second/);
  await page.click("dialog button[type=submit]");
  await shows(page, ".work", /of 6 clients left/);
  await shows(page, ".work", /empty and gone/, 12000);
  for (const c of clients) assert.equal((await c.close_()).code, 1012);
  await until(async () => (await page.locator(".list tbody tr").count()) === 1, "one shard to be left");
  await page.click("text=Dismiss");
  await page.waitForSelector(".work", { state: "detached" });
  assert.deepEqual(problems, []);
}, { seconds: 60 });

test("signing in and draining a node need no mouse", async (t) => {
  const { world } = await busy(t, 2, { nodes: 2 });
  const { page, problems } = await visit(t, world.origin);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  /** Tab until what has the focus matches. */
  const reach = async (pattern) => {
    for (let i = 0; i < 60; i++) {
      if (pattern.test(await page.evaluate(() => document.activeElement.textContent))) return;
      await press("Tab");
    }
    throw new Error(`${pattern} cannot be reached by Tab`);
  };
  await page.keyboard.insertText(operator());
  await press("Enter");
  await page.waitForSelector(".line.live");
  await press("g", "n");
  await shows(page, "tbody", /node-/);
  const [id] = (await ask(world, "GET", "/nodes")).items.filter((n) => n.currentConnections > 0).map((n) => n.node);
  await reach(new RegExp(`^${id}$`));
  await press("Enter");
  await shows(page, ".pane", /Takes shards/);
  await reach(/^Drain …$/);
  await press("Enter");
  await page.waitForSelector("dialog[open]");
  await shows(page, "dialog .consequences", /shards? move to other nodes first/);
  await page.keyboard.type("1");
  await press("Enter");
  await shows(page, ".work", /node is empty/, 15000);
  await shows(page, ".pane", /draining/);
  await reach(/^Take back …$/);
  await press("Enter");
  await shows(page, "dialog h2", /Take node/);
  await press("Enter");
  await until(async () => (await ask(world, "GET", `/nodes/${id}`)).draining === false, "the node to be taken back");
  assert.deepEqual(problems, []);
}, { seconds: 60 });

test("rooms are scaled, shards maintained and moved, sessions kicked", async (t) => {
  const { world, shard, clients } = await busy(t, 2, { nodes: 2 });
  const { page, problems } = await signedIn(t, world.origin, "rooms/lobby");
  const confirm = () => page.click("dialog button[type=submit]");
  const shut = () => page.waitForSelector("dialog[open]", { state: "hidden" });
  await page.click("text=Scale …");
  await page.fill("#field-target", "4");
  await shows(page, "dialog .consequences", /2 new shards/);
  await confirm();
  await shut();
  await shows(page, ".work", /has 4 shards/);
  await page.click("text=Kick a session …");
  await page.fill("#field-session", "s0");
  await confirm();
  await shut();
  assert.deepEqual(await clients[0].close_(), { code: 1008, reason: "kicked" });

  await page.goto(`${world.origin}/#/world-default/shards/${encodeURIComponent(shard.shardId)}`);
  await page.click("text=Maintenance …");
  await shows(page, "dialog .consequences", /nobody is closed/);
  await confirm();
  await shut();
  await shows(page, ".pane .facts", /maintenance/);
  await page.click("text=Make active …");
  await confirm();
  await shut();
  await shows(page, ".pane .facts", /active/);
  const { node: from } = await ask(world, "GET", `/shards/${encodeURIComponent(shard.shardId)}`);
  await page.click("text=Move to a node …");
  await shows(page, "dialog .consequences", /stay there as guests/);
  await confirm();
  await shut();
  await until(async () => (await ask(world, "GET", `/shards/${encodeURIComponent(shard.shardId)}`)).node !== from, "the shard to move");

  await page.goto(`${world.origin}/#/world-default/rooms/lobby`);
  await page.click("text=Scale …");
  await page.fill("#field-target", "9");
  await confirm();
  await shows(page, "dialog .wrong", /at most/);
  await page.keyboard.press("Escape");
  await shut();
  assert.deepEqual(problems, []);
}, { seconds: 60 });

test("what is wrong is mended with the button beside it", async (t) => {
  const { world } = await cluster(t);
  const { page, problems } = await signedIn(t, world.origin);
  await shows(page, ".headline", nothingFound);
  await ask(world, "PUT", `/servers/${encodeURIComponent("http://127.0.0.1:1")}`, {});
  await shows(page, ".finding", /http:\/\/127\.0\.0\.1:1.*What to do: Start the room server/, 15000);
  await page.click(".finding >> text=Take it out …");
  await shows(page, "dialog .consequences", /0 rooms go to other room servers/);
  await page.click("dialog button[type=submit]");
  await shows(page, ".headline", nothingFound, 15000);
  assert.deepEqual(problems, []);
}, { seconds: 60 });
