// What monitoring sees.
import assert from "node:assert/strict";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { folder } from "../lib/process.mjs";
import { bearer, client, cluster, join, post, request } from "../lib/cluster.mjs";

const line = /^(?:# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)|([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?\d[\d.e+-]*|[+-]Inf|NaN))$/;

/** Reads the text format strictly; answers "name{labels}" -> value. */
function parse(text, prefix) {
  assert.ok(text.endsWith("\n"), "the last line is whole");
  const types = new Map();
  const samples = new Map();
  for (const raw of text.trimEnd().split("\n")) {
    if (raw === "# EOF") continue;
    const m = raw.match(line);
    assert.ok(m, `not a line of the format: ${raw}`);
    if (m[1] === "TYPE") {
      assert.ok(!types.has(m[2]), `two TYPE lines for ${m[2]}`);
      types.set(m[2], m[3]);
    }
    if (m[1]) continue;
    const family = [m[4], m[4].replace(/_(bucket|sum|count|total)$/, "")].find((name) => types.has(name));
    assert.ok(family, `${m[4]} has no TYPE`);
    assert.ok(m[4].startsWith(prefix) || m[4].startsWith("process_") || m[4] === "terrane_build_info" || m[4].startsWith("terrane_tls_"), `${m[4]} does not start with ${prefix}`);
    const key = `${m[4]}{${m[5] ?? ""}}`;
    assert.ok(!samples.has(key), `two samples of ${key}`);
    samples.set(key, Number(m[6].replace("Inf", "Infinity")));
  }
  assert.ok(samples.size > 5, "there are metrics");
  for (const [family, type] of types) {
    if (type !== "histogram") continue;
    const buckets = [...samples].filter(([key]) => key.startsWith(`${family}_bucket{`));
    const infinite = buckets.filter(([key]) => key.includes('le="+Inf"'));
    assert.ok(infinite.length, `${family} has no +Inf bucket`);
  }
  return samples;
}
const sum = (samples, pattern) => [...samples].filter(([key]) => pattern.test(key)).reduce((total, [, value]) => total + value, 0);

test("the world's metrics are well formed and count what happens", async (t) => {
  const { world } = await cluster(t, { worldEnv: { DATA_DIR: path.join(folder(), "data") } });
  const read = async () => parse((await request(world.origin, { path: "/metrics" })).body, "terrane_world_");
  const before = await read();
  await post(world.origin, "/parties/world/world-a/connect", { roomId: "r" });
  await post(world.origin, "/parties/world/world-a/connect", { roomId: "q", autoCreate: false });
  await client(t, `${world.origin}/parties/world/world-a`, { headers: bearer("*") }).joined();
  const after = await read();
  const grown = [...after].filter(([key, value]) => value > (before.get(key) ?? 0)).map(([key]) => key).join("\n");
  assert.match(grown, /placement/);
  assert.match(grown, /refus|reason/);
  assert.match(grown, /feed_sockets/);
  assert.match(grown, /requests|duration/);
});

test("a node's metrics are well formed and count clients, messages and links", async (t) => {
  const { node, room } = await cluster(t);
  const read = async () => parse((await request(node.origin, { path: "/metrics" })).body, "terrane_shard_");
  const before = await read();
  const a = await join(t, node, "a");
  a.send("1");
  await room.tells("+a", "a:1");
  room.send({ hello: 1 });
  await a.until(() => a.frames.length === 1, 4000, "the broadcast");
  const after = await read();
  assert.equal(sum(after, /clients\{\}$|connections\{\}$|clients_connected/) >= 1, true);
  const grown = [...after].filter(([key, value]) => value > (before.get(key) ?? 0)).map(([key]) => key).join("\n");
  assert.match(grown, /messages/);
  assert.match(grown, /link/);
  a.ws.close();
  await room.tells("+a", "-a");
  await until(async () => /reason|closed|closes/.test([...(await read())].filter(([key, value]) => value > (after.get(key) ?? 0)).map(([key]) => key).join()), "the close to be counted");
});

test("a node's metrics tell the states of its links, and which room servers it reaches", async (t) => {
  const { node, room } = await cluster(t);
  const read = async () => {
    const samples = parse((await request(node.origin, { path: "/metrics" })).body, "terrane_shard_");
    return (key) => samples.get(`terrane_shard_${key.includes("{") ? key : `${key}{}`}`);
  };
  const states = (m) => Object.fromEntries(["idle", "waiting", "dialling", "replaying", "up", "closing"].map((state) => [state, m(`links{state="${state}"}`)]));
  assert.deepEqual(states(await read()), { idle: 0, waiting: 0, dialling: 0, replaying: 0, up: 0, closing: 0 });
  const a = await join(t, node, "a");
  await room.tells("+a");
  let m = await read();
  assert.deepEqual(states(m), { idle: 0, waiting: 0, dialling: 0, replaying: 0, up: 1, closing: 0 });
  assert.deepEqual([m('room_servers{state="reachable"}'), m('room_servers{state="unreachable"}')], [1, 0]);
  assert.equal(m("link_oldest_wait_seconds"), 0);
  await room.die();
  await node.says(/link\.lost/);
  a.send('"some words"');
  m = await until(async () => {
    const now = await read();
    return now("link_oldest_wait_seconds") > 0 && now('room_servers{state="unreachable"}') === 1 && now;
  }, "the node to say what waits");
  assert.equal(m('links{state="waiting"}') + m('links{state="dialling"}'), 1);
  assert.equal(m('link_waiting_bytes{where="backlog"}'), '{"type":"shard.clientMessage","privateId":"a","payload":"some words"}'.length);
  assert.deepEqual([m('room_servers{state="reachable"}'), m("link_paused_clients")], [0, 0]);
});

test("the format is chosen by Accept", async (t) => {
  const http = await import("node:http");
  const { node, world } = await cluster(t);
  const get = (origin, accept) =>
    new Promise((resolve, reject) => {
      http.get(`${origin}/metrics`, { headers: accept ? { accept } : {}, agent: false }, (res) => {
        let body = "";
        res.on("data", (data) => (body += data)).on("end", () => resolve({ type: res.headers["content-type"], body }));
      }).on("error", reject);
    });
  for (const { origin } of [node, world]) {
    const plain = await get(origin);
    assert.match(plain.type, /^text\/plain; version=0\.0\.4/);
    assert.doesNotMatch(plain.body, /# EOF/);
    const open = await get(origin, "application/openmetrics-text; version=1.0.0");
    assert.match(open.type, /^application\/openmetrics-text/);
    assert.ok(open.body.endsWith("# EOF\n"));
  }
});

test("livez, readyz and version answer on every process", async (t) => {
  const { node, world } = await cluster(t);
  for (const { origin } of [node, world]) {
    assert.equal((await request(origin, { path: "/livez" })).status, 200);
    assert.equal((await request(origin, { path: "/readyz" })).status, 200);
    const version = await request(origin, { path: "/version" });
    assert.equal(version.status, 200);
    assert.match(JSON.stringify(version.json), /\d+\.\d+\.\d+/);
  }
});

test("each way to be refused, and each way to be closed, counts as what it is", async (t) => {
  const { node } = await cluster(t, { nodeEnv: { REQUIRE_TICKET: "1", AUTH_JWT_SECRET: "x".repeat(32), AUTH_TIMEOUT: "1ms", ROUTES: '[{"path":"/free/*","mode":"pass","auth":"message"}]' } });
  const read = async () => parse((await request(node.origin, { path: "/metrics" })).body, "terrane_shard_");
  for (const [query, reason] of [["", "no_ticket"], ["?ticket=t1.x.y", "bad_ticket"]]) {
    assert.equal((await request(node.origin, { path: `/parties/shard/a:world-default:1-1${query}` })).status, 401);
    assert.equal((await read()).get(`terrane_shard_refusals_total{reason="${reason}"}`), 1);
  }
  const c = client(t, `${node.origin}/free/x`);
  await c.open();
  assert.equal((await c.close_()).code, 4001);
  await until(async () => (await read()).get('terrane_shard_client_closes_total{code="4001"}') === 1, "the close to count");
  assert.equal((await read()).get('terrane_shard_client_closes_total{code="other"}'), 0);
});
