// A mixed crowd writes down what it is told; what worlds and nodes count is the same, to the last one.
import assert from "node:assert/strict";
import WebSocket from "ws";
import { test, until } from "../lib/runner.mjs";
import { jwtSecret, secret } from "../lib/process.mjs";
import { bearer, client, cluster, request, shardId } from "../lib/cluster.mjs";
import { metricsText } from "../lib/metrics.mjs";
import { exchange } from "../lib/raw.mjs";
import { now, token } from "../lib/tokens.mjs";

/** The samples of a metric by one label. */
async function samples(origin, name, label) {
  const text = await metricsText(origin);
  const found = [...text.matchAll(new RegExp(`^${name}\\{[^}]*${label}="([^"]*)"[^}]*\\} (\\d+)$`, "gm"))];
  return found.reduce((all, [, key, n]) => ({ ...all, [key]: (all[key] ?? 0) + Number(n) }), {});
}
const present = (counts) => Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0).sort());
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
const add = (counts, key) => (counts[key] = (counts[key] ?? 0) + 1);
const times = (n, fn) => Promise.all(Array.from({ length: n }, (_, i) => fn(i)));

/** The status that a node gives for each of its reasons here. */
const statusOf = { not_found: 404, bad_path: 400, bad_method: 405, handshake: 400, bad_request: 400, head_too_big: 431, origin: 403, no_token: 401, bad_token: 401, not_here: 403, bad_id: 400, unknown_shard: 404, full: 503, busy: 503, client_rate: 429, bad_signature: 403 };

test("what clients of a node saw is what it counts: refusals by status, closes by code", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { CLIENT_AUTH: "jwt", AUTH_JWT_SECRET: jwtSecret, ALLOWED_ORIGINS: "https://good.example", MESSAGE_RATE: "20:20", MESSAGE_MAX: "64KiB" } });
  const seen = { statuses: {}, codes: {} };
  const good = { authorization: `Bearer ${token({ sub: "a", rooms: ["*"] })}` };
  const at = `/parties/shard/${shardId()}`;
  const ask = async (n, options) => times(n, async () => add(seen.statuses, (await request(node.origin, options)).status));
  const raw = async (n, text) => times(n, async () => add(seen.statuses, (await exchange(node.origin, text)).status));
  const dial = async (n, headers, query = "") => times(n, async () => {
    const c = client(t, `${node.origin}${at}${query}`, { headers });
    await c.open();
    add(seen.statuses, c.failed?.status ?? 101);
    return c;
  });
  const upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
  await Promise.all([
    ask(7, { path: "/nowhere" }), ask(5, { path: "/parties/shard/%zz" }), ask(3, { method: "POST", path: "/metrics" }), ask(2, { method: "TRACE", path: at, headers: good }),
    raw(4, "BAD\r\n\r\n"), raw(2, `GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(70000)}\r\n\r\n`), raw(6, `GET ${at} HTTP/1.1\r\nHost: a\r\nAuthorization: ${good.authorization}\r\n${upgrade}\r\n`),
    dial(5, {}), dial(4, { authorization: "Bearer nonsense" }), dial(3, { authorization: `Bearer ${token({ sub: "b", rooms: ["*"], exp: now() - 100 })}` }),
    dial(3, { authorization: `Bearer ${token({ sub: "b", rooms: ["other"] })}` }), dial(4, { ...good, origin: "https://bad.example" }), ask(3, { path: `${at}/state` }),
  ]);

  // Each way in which a socket ends; the code is what the client is left with.
  const ends = [
    [10, (c) => c.ws.close(1000)], [5, (c) => c.ws.close(1001)], [4, (c) => c.ws.close()], [3, (c) => c.ws.close(4999)], [6, (c) => c.ws.terminate()],
    [4, (c) => times(60, (i) => c.send(`${i}`))], // 4201
    [3, (c) => c.ws._socket.write(Buffer.concat([Buffer.from([0x81, 0x82, 0, 0, 0, 0]), Buffer.from([0xff, 0xfe])]))], // 1007
    [3, (c) => c.send("x".repeat(70000))], // 1009
    [3, (c) => c.ws._socket.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]))], // 1002: reserved bits
  ];
  let came = 0;
  for (const [n, end] of ends) {
    const clients = await dial(n, good, `?id=s${came}`);
    came += n;
    await until(() => clients.every((c) => c.opened), "all to come in");
    for (const c of clients) end(c);
    for (const c of clients) await c.until(() => c.closed?.code, 8000, "a close");
    for (const c of clients) add(seen.codes, [1000, 1001, 1002, 1005, 1006, 1007, 1009, 4201].includes(c.closed.code) ? c.closed.code : "other");
  }
  const byRoom = await dial(4, good, "?id=thrown");
  await room.tells("+thrown");
  room.send({ type: "shard.closeClient", privateId: "thrown" });
  for (const c of byRoom) add(seen.codes, (await c.until(() => c.closed, 8000, "the room's close")).code);
  came += 4;
  const staying = await dial(5, good, "?id=stays");
  assert.equal(seen.statuses[101], came + staying.length);
  delete seen.statuses[101];

  const closes = await until(async () => {
    const counts = await samples(node.origin, "terrane_shard_client_closes_total", "code");
    return sum(counts) === came && counts;
  }, "all closes to be counted");
  assert.deepEqual(present(closes), present(seen.codes));
  assert.equal(sum(await samples(node.origin, "terrane_shard_client_ends_total", "reason")), came);
  const refusals = present(await samples(node.origin, "terrane_shard_refusals_total", "reason"));
  const statuses = {};
  for (const [reason, n] of Object.entries(refusals)) statuses[statusOf[reason] ?? reason] = (statuses[statusOf[reason] ?? reason] ?? 0) + n;
  assert.deepEqual(present(statuses), present(seen.statuses), JSON.stringify(refusals));
  console.log(`     ${sum(seen.statuses)} refused: ${JSON.stringify(seen.statuses)}; ${came} closed: ${JSON.stringify(seen.codes)}`);
}, { seconds: 60 });

test("what callers of a world saw is what it counts, by status", async (t) => {
  const { world } = await cluster(t, { worldEnv: { BODY_MAX: "64KiB" } });
  const base = "/parties/world/world-a";
  const seen = {};
  const ask = async (n, options) => times(n, async () => add(seen, (await request(world.origin, { method: "POST", ...options })).status));
  const raw = async (n, text) => times(n, async () => add(seen, (await exchange(world.origin, text)).status));
  const before = await samples(world.origin, "terrane_world_requests_total", "class");
  const started = await samples(world.origin, "terrane_world_refusals_total", "reason");
  await ask(1, { path: `${base}/connect`, body: '{"roomId":"r"}' });
  await Promise.all([
    ask(10, { path: `${base}/connect`, body: '{"roomId":"r"}' }), ask(5, { path: `${base}/connect`, body: '{"roomId":"q","autoCreate":false}' }), ask(4, { path: `${base}/connect`, body: "{" }),
    ask(3, { path: `${base}/connect`, body: "" }), ask(6, { path: `${base}/register-room`, body: '{"name":"x"}' }), ask(3, { path: `${base}/heartbeat`, body: "{}" }), ask(2, { path: `${base}/resolve`, body: "{}", headers: { "x-access-shard": secret } }),
    ask(4, { path: "/nowhere" }), ask(3, { method: "GET", path: "/%zz" }), ask(2, { method: "GET", path: "/api/v1/worlds" }), ask(2, { method: "GET", path: "/api/v1/worlds", headers: bearer("*") }),
    ask(2, { method: "DELETE", path: "/api/v1/worlds/world-a/rooms/none", headers: bearer("*") }), ask(3, { method: "PATCH", path: "/api/v1/worlds", headers: bearer("*") }), ask(2, { path: "/livez" }), ask(2, { method: "OPTIONS", path: `${base}/connect` }),
    ask(2, { path: `${base}/connect`, body: "x".repeat(70000) }), raw(3, "BAD\r\n\r\n"), raw(2, `GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(70000)}\r\n\r\n`),
    raw(2, `GET ${base} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`),
  ]);
  const http = await samples(world.origin, "terrane_world_http_refusals_total", "status");
  const requests = await samples(world.origin, "terrane_world_requests_total", "class");
  const refusals = await samples(world.origin, "terrane_world_refusals_total", "reason");
  const grown = (now, then) => present(Object.fromEntries(Object.entries(now).map(([k, n]) => [k, n - (then[k] ?? 0)])));
  const bad = (from, to) => sum(Object.fromEntries(Object.entries(seen).filter(([status]) => status >= from && status < to)));
  const classes = grown(requests, before);
  console.log(`     ${JSON.stringify(seen)}; requests ${JSON.stringify(classes)}; refusals ${JSON.stringify(grown(refusals, started))}; no HTTP ${JSON.stringify(present(http))}`);
  assert.equal((classes["4xx"] ?? 0) + (classes["5xx"] ?? 0) + sum(http), bad(400, 600));
  assert.equal(sum(grown(refusals, started)) + sum(http), bad(400, 600));
}, { seconds: 60 });
