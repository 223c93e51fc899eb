// The dashboard in a browser, as the tests of it see it: what it must never do is noticed on every page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { token } from "../lib/tokens.mjs";
import { until } from "../lib/runner.mjs";

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser = null;
/** The one browser of this run. */
function open() {
  browser ??= chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags });
  return browser;
}

export const operator = (claims = {}) => token({ worlds: ["*"], ...claims });

/** A page at `origin`; `problems` lists what no page may do: errors, requests elsewhere or with a token in them, broken policy. */
export async function visit(t, origin, { hash = "", ...options } = {}) {
  const context = await (await open()).newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const problems = [];
  page.setDefaultTimeout(10000);
  page.on("pageerror", (error) => problems.push(`page error: ${error.stack}`));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && problems.push(m.text()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`)) problems.push(`request to ${url}`);
    if (/eyJ|token=/.test(url)) problems.push(`a token in ${url}`);
  });
  await page.goto(`${origin}/${hash}`);
  await page.waitForSelector("#token");
  return { page, problems, context };
}

/** Pastes a token and presses Enter. */
export async function enter(page, text = operator()) {
  await page.fill("#token", text);
  await page.press("#token", "Enter");
  await page.waitForSelector(".line.live");
}

/** A page that is signed in, at `#/world-default/…`; `claims` is asked for more of the token when it is pasted. */
export async function signedIn(t, origin, view = "overview", { claims = () => ({}), ...options } = {}) {
  const seen = await visit(t, origin, { hash: `#/world-default/${view}`, ...options });
  await enter(seen.page, operator(claims()));
  return seen;
}

/** The first line of a world without findings; on a busy machine it tells that the loop is late. */
export const nothingFound = /All well|Look at this/;

export const shows = (page, where, pattern, ms = 8000) =>
  until(async () => pattern.test((await page.locator(where).allTextContents()).join("\n")), `${where} to show ${pattern}`, ms);

/** By how many pixels the page is wider than what is seen of it. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What axe finds serious or critical, in words. */
export async function barriers(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target.join(" ")} (${n.any[0]?.message ?? ""})`).slice(0, 3).join("; ")}`);
}
