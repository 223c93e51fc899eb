// How it looks: narrow, dark, to a screen reader, and with names that mean harm.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { root, startWorld } from "../lib/process.mjs";
import { manage } from "../lib/cluster.mjs";
import { fixture } from "./fixture.mjs";
import { barriers, overflow, shows, signedIn, visit } from "./page.mjs";

const pictures = path.join(root, "build/test-logs");
const views = ["overview", "rooms", "rooms/lobby", "shards", "nodes/node-03", "servers", "findings"];
const judged = ["overview", "rooms/lobby?q=lobby", "shards?q=lobby", "findings"]; // what the other views are made of

/** The made-up world of fixture.mjs, which has much to show. */
async function made(t) {
  const server = await fixture();
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${server.address().port}`;
}

const go = async (page, view) => {
  await page.evaluate((hash) => (location.hash = hash), `#/world-default/${view}`);
  await page.waitForSelector("[aria-busy=true]", { state: "detached" });
};

for (const colorScheme of ["light", "dark"]) {
  test(`nothing bars the way of anybody, ${colorScheme}`, async (t) => {
    mkdirSync(pictures, { recursive: true });
    const origin = await made(t);
    const { page, problems } = await visit(t, origin, { colorScheme });
    assert.deepEqual(await barriers(page), []);
    await page.close();
    const seen = await signedIn(t, origin, "overview", { colorScheme });
    for (const view of colorScheme === "light" ? judged : judged.slice(0, 2)) {
      await go(seen.page, view);
      assert.deepEqual(await barriers(seen.page), [], view);
      if (/overview|findings/.test(view)) await seen.page.screenshot({ path: path.join(pictures, `console-${view}-${colorScheme}.png`), fullPage: true });
    }
    await go(seen.page, "rooms/lobby?q=lobby");
    await seen.page.click("text=Scale …");
    assert.deepEqual(await barriers(seen.page), [], "dialog");
    await seen.page.keyboard.press("Escape");
    const ground = () => seen.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await ground();
    assert.equal(Number(/\d+/.exec(before)[0]) < 60, colorScheme === "dark");
    await seen.page.click("#theme");
    if (colorScheme === "light") await seen.page.click("#theme");
    assert.notEqual(await ground(), before);
    assert.deepEqual([...problems, ...seen.problems], []);
  }, { seconds: 60 });
}

test("a phone's 375 pixels are enough for every view", async (t) => {
  mkdirSync(pictures, { recursive: true });
  const { page, problems } = await signedIn(t, await made(t), "overview", { viewport: { width: 375, height: 740 } });
  for (const view of views) {
    await go(page, view);
    assert.ok((await overflow(page)) <= 0, `${view} is too wide by ${await overflow(page)}`);
  }
  await go(page, "nodes/node-01");
  await page.screenshot({ path: path.join(pictures, "console-phone.png") });
  await page.click("text=Drain …");
  assert.ok((await overflow(page)) <= 0);
  assert.deepEqual(problems, []);
});

test("the first line tells the worst findings, their cure and the button that helps", async (t) => {
  const { page, problems } = await signedIn(t, await made(t));
  await shows(page, ".headline.bad", /2 errors, 1 warning, 1 notice/);
  const first = page.locator(".findings .finding").first();
  assert.match(await first.textContent(), /rooms-2.*What to do: Start the room server/);
  await first.locator("button").click();
  await shows(page, "dialog h2", /Drain room server|Remove room server/);
  await page.keyboard.press("Escape");
  await go(page, "findings");
  await until(async () => (await page.locator(".finding").count()) === 4, "four findings");
  assert.match(await page.title(), /^\(3\) Findings/);
  assert.deepEqual(problems, []);
});

test("a hostile name is only text", async (t) => {
  const { origin } = await startWorld();
  const names = ["<img src=x onerror=alert(1)>", "\u202etxt.exe \u0000\u0007", "\u05d0\u05d1\u05d2 rtl", `${"x".repeat(8192)}`, "../../etc", "a%2Fb?c#d", "</script><script>alert(1)</script>", '" style="x'];
  for (const name of names) {
    const made = await manage(origin, "PUT", `/rooms/${encodeURIComponent(name)}`, { minShards: 1 });
    assert.equal(made.status, 201, name.slice(0, 40));
  }
  const { page, problems } = await signedIn(t, origin, "rooms", { viewport: { width: 375, height: 700 } });
  page.on("dialog", () => problems.push("a dialog opened"));
  await until(async () => (await page.locator("tbody tr").count()) === names.length, "all of the rooms");
  const shown = (await page.locator("tbody th").allTextContents()).join("\n");
  assert.ok(shown.includes("<img src=x onerror=alert(1)>"));
  assert.ok(shown.includes("‹U+202E›txt.exe ‹U+0000›‹U+0007›"));
  assert.equal(await page.locator("main img, main script").count(), 0);
  for (const name of names) {
    await page.evaluate((hash) => (location.hash = hash), `#/world-default/rooms/${encodeURIComponent(name)}`);
    await shows(page, ".pane .verdict", /newcomer/i);
    assert.ok((await overflow(page)) <= 0, name.slice(0, 40));
    await page.click("text=Scale …");
    assert.ok((await overflow(page)) <= 0, name.slice(0, 40));
    await page.keyboard.press("Escape");
  }
  assert.deepEqual(problems, []);
}, { seconds: 60 });
