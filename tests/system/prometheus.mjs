// What Prometheus makes of our metrics, rules and dashboard: the real one, on loopback. promtool and prometheus are in PATH.
// usage: node tests/system/prometheus.mjs [PATTERN...]
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { Authority } from "../lib/certificates.mjs";
import { client, join, post, request } from "../lib/cluster.mjs";
import { folder, freePort, root, start, startNode, startWorld } from "../lib/process.mjs";
import { Redis } from "../lib/redis.mjs";
import { Room } from "../lib/room.mjs";
import { run, test, until } from "../lib/runner.mjs";

const here = (...names) => path.join(root, "deploy", ...names);
const promtool = (...args) => promisify(execFile)("promtool", args, { cwd: root });
const rules = readFileSync(here("prometheus/terrane.rules.yml"), "utf8");
const dashboard = JSON.parse(readFileSync(here("grafana/terrane.json"), "utf8"));

/** What the rules ask for, and what the dashboard does, its variables filled in. */
const asked = [...rules.matchAll(/expr: >-\n((?: {10}.*\n)+)/g)].map((m) => m[1].replace(/\s+/g, " ").trim());
const shown = dashboard.panels.flatMap((p) => p.targets ?? []).map((t) => t.expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$(world|node)/g, ".*"));

/** The metrics that a query names, as patterns of whole names. */
function named(expr) {
  const matchers = [...expr.matchAll(/__name__=~"([^"]+)"/g)].map((m) => m[1]);
  const plain = expr.replaceAll(/"[^"]*"/g, '""').match(/\b(terrane|process)_[a-z0-9_]+/g) ?? [];
  return [...matchers, ...plain];
}

const checkMetrics = (text) =>
  new Promise((resolve, reject) => {
    const child = execFile("promtool", ["check", "metrics"], (error, stdout, stderr) => (error || stdout + stderr ? reject(new Error(`${error ?? ""}${stdout}${stderr}`)) : resolve()));
    child.stdin.end(text);
  });

/** A Prometheus that scrapes `targets` ({ job, address, ca }) with our rules; answers what its API says to a path. */
async function prometheus(targets) {
  const dir = folder(), port = await freePort();
  const config = [
    "global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}", `rule_files: [${here("prometheus/terrane.rules.yml")}]`, "scrape_configs:",
    ...targets.flatMap(({ job, address, ca }, i) => [
      `  - job_name: ${job}-${i}`, `    scheme: ${ca ? "https" : "http"}`, ...(ca ? [`    tls_config: {ca_file: ${ca}}`] : []),
      `    static_configs: [{targets: ["${address}"]}]`, "    relabel_configs:", `      - {target_label: job, replacement: ${job}}`,
    ]),
  ];
  writeFileSync(path.join(dir, "prometheus.yml"), `${config.join("\n")}\n`);
  const p = start("prometheus", "prometheus", [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=127.0.0.1:${port}`, "--storage.tsdb.retention.time=1h"]);
  await p.says(/Server is ready to receive web requests/);
  return async (target) => {
    const answer = await (await fetch(`http://127.0.0.1:${port}/api/v1/${target}`)).json();
    assert.equal(answer.status, "success", `${target}: ${answer.error}`);
    return answer.data;
  };
}

test("rules and the example's settings are in order, and each alert fires when it should", async () => {
  await promtool("check", "config", here("prometheus/prometheus.yml"));
  await promtool("check", "rules", here("prometheus/terrane.rules.yml"));
  await promtool("test", "rules", here("prometheus/terrane.test.yml"));
  await promtool("test", "rules", here("kubernetes/metrics/terrane.scale.test.yml"));
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map((m) => m[1]);
  const tried = readFileSync(here("prometheus/terrane.test.yml"), "utf8");
  assert.deepEqual(alerts.filter((name) => !tried.includes(`"${name}"`)), [], "alerts that no test has fire");
  const headings = [...readFileSync(path.join(root, "docs/failures.md"), "utf8").matchAll(/^#+ (.*)$/gm)].map((m) => m[1].toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-"));
  const books = [...rules.matchAll(/runbook: docs\/failures\.md#(\S+)/g)].map((m) => m[1]);
  assert.equal(books.length, alerts.length);
  assert.deepEqual(books.filter((book) => !headings.includes(book)), [], "runbooks that are not there");
});

test("Prometheus reads all metrics, and rules and dashboard name only what is there", async (t) => {
  const redis = await Redis.start(t);
  const authority = await Authority.make();
  const { cert, key } = await authority.issue();
  const room = await Room.start();
  t.after(() => room.die());
  const proxies = { PROXY_PROTOCOL: "10.1.2.3" };
  const shared = await startWorld({ REDIS_URL: redis.url, ...proxies });
  const alone = await startWorld({ DATA_DIR: path.join(folder(), "data") });
  const nodes = [await startNode(alone.origin, room.origin), await startNode(shared.origin, room.origin, { TLS_CERT: cert, TLS_KEY: key, ...proxies })];
  const placed = await post(alone.origin, "/parties/world/world-default/connect", { roomId: "r" });
  assert.equal(placed.status, 200);
  await client(t, `${nodes[0].origin}/parties/shard/${placed.json.shardId}?id=a`).open();
  await join(t, nodes[0], "b");
  for (const p of [shared, alone, nodes[0]]) await checkMetrics((await request(p.origin, { path: "/metrics" })).body);

  const ask = await prometheus([shared, alone, ...nodes].map((p) => ({ job: `terrane-${p.name === "world" ? "world" : "shard"}`, address: `127.0.0.1:${p.port}`, ca: p.origin.startsWith("https") && authority.ca })));
  await until(async () => {
    const { activeTargets } = await ask("targets");
    const bad = activeTargets.filter((x) => x.health === "down");
    assert.deepEqual(bad.map((x) => x.lastError), []);
    return activeTargets.length === 4 && activeTargets.every((x) => x.health === "up");
  }, "all to be scraped");
  const { groups } = await until(async () => {
    const data = await ask("rules");
    return data.groups.every((g) => g.rules.every((r) => r.health !== "unknown")) && data;
  }, "the rules to be evaluated");
  const all = groups.flatMap((g) => g.rules);
  assert.equal(all.length, asked.length);
  assert.deepEqual(all.filter((r) => r.health !== "ok").map((r) => `${r.name}: ${r.lastError}`), []);
  const names = await ask("label/__name__/values");
  const missing = [...asked, ...shown].flatMap(named).filter((pattern) => !names.some((name) => new RegExp(`^(${pattern})$`).test(name)));
  assert.deepEqual([...new Set(missing)], []);
  for (const expr of shown) await ask(`query?query=${encodeURIComponent(expr)}`);
  assert.ok(asked.length > 20 && shown.length > 50);
}, { seconds: 60 });

await run();
