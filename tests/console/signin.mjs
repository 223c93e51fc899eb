// Who gets in, and what becomes of the token.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { startWorld } from "../lib/process.mjs";
import { manage, request } from "../lib/cluster.mjs";
import { now } from "../lib/tokens.mjs";
import { enter, nothingFound, operator, shows, signedIn, visit } from "./page.mjs";

test("a bad token is told what is wrong with it", async (t) => {
  const { origin } = await startWorld();
  const { page, problems } = await visit(t, origin);
  const rows = [
    ["", /Paste a token/],
    ["abc", /no JSON Web Token/],
    ["a.b.c", /cannot be read/],
    [operator({ exp: now() - 5 }), /This token ended/],
    [operator({ nbf: now() + 600 }), /not valid yet/],
    [operator({ rooms: ["*"] }), /a client's token/],
    [operator({ worlds: undefined }), /names no worlds/],
    [`${operator().slice(0, -8)}AAAAAAAA`, /another secret than its AUTH_JWT_SECRET/],
  ];
  for (const [text, words] of rows) {
    await page.fill("#token", text);
    await page.press("#token", "Enter");
    await shows(page, "#token-wrong", words);
  }
  await enter(page);
  await shows(page, ".headline", nothingFound);
  assert.deepEqual(problems, []);
});

test("the token stays in memory", async (t) => {
  const { origin } = await startWorld();
  const { page, problems, context } = await signedIn(t, origin);
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie, location.search]), [0, 0, "", ""]);
  assert.deepEqual((await context.storageState()).cookies, []);
  assert.ok(!(await page.content()).includes("eyJ"));
  await page.click("text=Sign out");
  await page.waitForSelector("#token");
  assert.equal(await page.inputValue("#token"), "");
  await enter(page);
  await page.reload();
  await page.waitForSelector("#token");
  assert.deepEqual(problems, []);
});

test("a token for one world leads to it, and says why it opens no other", async (t) => {
  const { origin } = await startWorld();
  const { page, problems } = await visit(t, origin);
  await page.fill("#token", operator({ worlds: ["world-b"] }));
  await page.press("#token", "Enter");
  await shows(page, ".headline", nothingFound);
  assert.match(page.url(), /#\/world-b\/overview$/);
  await page.selectOption(".worlds", { label: "Another world …" });
  await page.fill("#field-world", "world-c");
  await page.press("#field-world", "Enter");
  await shows(page, "div.lost", /not for world-c: it names world-b/);
  await page.selectOption(".worlds", "world-b");
  await shows(page, ".headline", nothingFound);
  assert.deepEqual(problems, []);
});

test("a token that may only read sees no buttons, one that ends is not kept", async (t) => {
  const { origin } = await startWorld();
  await manage(origin, "PUT", "/rooms/lobby", { minShards: 1 });
  const { page, problems } = await signedIn(t, origin, "rooms/lobby", { claims: () => ({ scope: "read", exp: now() + 4 }) });
  await shows(page, ".top", /read only/);
  await shows(page, ".pane", /newcomer/i);
  assert.equal(await page.locator(".actions button").count(), 0);
  await page.waitForSelector("#token");
  await shows(page, "#token-wrong", /has ended/);
  assert.deepEqual(problems, []);
});

test("the dashboard's files are served beside the API, with a strict policy", async () => {
  const world = await startWorld({ ADMIN_LISTEN: "0" });
  const back = `http://127.0.0.1:${(await world.says(/admin listening on 127\.0\.0\.1:(\d+)/))[1]}`;
  const ask = (path, more) => request(back, { path, ...more });
  assert.equal((await request(world.origin, { path: "/" })).status, 404);
  assert.equal((await request(world.origin, { path: "/console/main.js" })).status, 404);
  const page = await fetch(`${back}/`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy"), /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.equal((await ask("/", { headers: { "if-none-match": page.headers.get("etag") } })).status, 304);
  assert.equal((await ask("/", { method: "HEAD" })).status, 200);
  assert.equal((await ask("/console/none.js")).status, 404);
  assert.equal((await ask("/livez")).status, 200);
  assert.equal((await ask("/api/v1/worlds")).status, 403);
  const text = await page.text();
  const links = [...text.matchAll(/(?:src|href)="(console\/[^"]+)"/g)].map((m) => m[1]);
  assert.ok(links.length >= 6);
  for (const link of links) assert.equal((await ask(`/${link}`)).status, 200, link);
  assert.ok(!/ style=|<script>|\son[a-z]+=/.test(text));
});
