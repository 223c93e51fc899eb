// The faults that doctor must find: each is planted for real, and its name, its subject and its cure are looked for.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { bearer, client, request, shardId } from "../lib/cluster.mjs";
import { Authority } from "../lib/certificates.mjs";
import { Clock } from "../lib/clock.mjs";
import { metric, nodesAlive } from "../lib/metrics.mjs";
import { bin, freePort, jwtSecret, listening, root, secret, start, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { Redis } from "../lib/redis.mjs";
import { test, until } from "../lib/runner.mjs";
import { Transcript, worldctl } from "../lib/worldctl.mjs";

const other = "another-secret-of-the-tests-0123456789abcdef";
const settings = { AUTH_JWT_SECRET: jwtSecret };

/** Runs doctor; answers its list, with what it ended with. */
async function doctor(world, args = ["--quick"], env = {}) {
  const { status, stdout, stderr } = await worldctl(["doctor", "-o", "json", "--url", world.origin, ...args], { ...settings, ...env });
  assert.ok(stdout, `it said nothing: ${status} ${stderr}`);
  const doc = JSON.parse(stdout);
  return { status, ...doc, bad: doc.checks.filter((c) => !["ok", "skipped"].includes(c.level)) };
}

/** Asserts that doctor named it, and a cure that matches; answers it. */
function names({ bad }, check, subject, cure) {
  const found = bad.find((c) => c.check === check && c.subject === subject);
  assert.ok(found, `no ${check} ${subject} in\n${bad.map((c) => `${c.level} ${c.check} ${c.subject}: ${c.text}`).join("\n")}`);
  assert.match(found.cure, cure);
  return found;
}

const node = (world, id, rooms, env = {}) => startNode(world.origin, rooms, { NODE_ID: id, WORLD_IDS: "world-default", ...env });

/** A proxy before `port`, which the node sees as 127.0.0.2: it puts `header` into each request, and cuts what is silent for `cutMs`. */
async function front(t, port, { header = "", cutMs = 0 } = {}) {
  const sockets = new Set();
  const server = net.createServer((near) => {
    const far = net.connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    let fresh = true, timer;
    const stir = () => {
      clearTimeout(timer);
      if (cutMs) timer = setTimeout(() => (near.resetAndDestroy(), far.destroy()), cutMs);
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => (clearTimeout(timer), near.destroy(), far.destroy(), sockets.delete(socket)));
    }
    near.on("data", (data) => {
      stir();
      far.write(fresh && header ? data.toString("latin1").replace("\r\n", `\r\n${header}\r\n`) : data, "latin1");
      fresh = false;
    });
    far.on("data", (data) => (stir(), near.write(data)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.close(), sockets.forEach((s) => s.destroy())));
  return `http://127.0.0.1:${server.address().port}`;
}

test("doctor finds nothing in a cluster that is well, and leaves nothing behind", async (t) => {
  const redis = await Redis.start(t);
  const [room, world] = await Promise.all([startRoom(), startWorld({ REDIS_URL: redis.url, LEASE_TTL: "1s" })]);
  const nodes = await Promise.all([1, 2].map((i) => node(world, `n${i}`, room.origin, { PING_INTERVAL: "1500ms" })));
  await request(world.origin, { method: "PUT", path: `/api/v1/worlds/world-default/servers/${encodeURIComponent(room.origin)}`, headers: bearer("*"), body: "{}" });
  await nodesAlive(world, 2);
  const x = new Transcript(t, "doctor", { world: world.origin, env: { SHARD_SECRET: secret } });
  const { status } = await x.run(["doctor", "--via", nodes[0].origin]);
  assert.equal(status, 0, x.text);
  const rooms = async () => (await request(world.origin, { path: "/api/v1/worlds/world-default/rooms", headers: bearer("*") })).json.items;
  await until(async () => (await rooms()).length === 0, "the room to be gone", 15000);
  x.text = x.text.replace(/after \d+ s/g, "after N s").replace(/shards: \d+/, "shards: N");
  x.check();
  const again = await doctor(world, ["--quick"], { SHARD_SECRET: secret });
  assert.deepEqual([again.status, again.bad, again.first], [0, [], null]);
});

test("doctor takes its room away when it is interrupted, too", async (t) => {
  const [room, world] = await Promise.all([startRoom(), startWorld()]);
  await node(world, "n1", room.origin, { PING_INTERVAL: "20s" });
  await nodesAlive(world, 1);
  const p = start("worldctl", path.join(bin, "worldctl"), ["doctor", "--url", world.origin], { ...settings, HOME: "/nonexistent" });
  p.expected = 130;
  await p.says(/to the node itself/);
  p.child.kill("SIGINT");
  assert.equal(await p.exit, 130);
  const rooms = async () => (await request(world.origin, { path: "/api/v1/worlds/world-default/rooms", headers: bearer("*") })).json.items;
  await until(async () => (await rooms()).length === 0, "the room to be gone", 15000);
});

test("doctor finds what is wrong with nodes", async (t) => {
  const clock = new Clock(t);
  clock.set(120000);
  const [room, world] = await Promise.all([startRoom(), startWorld()]);
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const low = { HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, NODE_ID: "low", WORLD_IDS: "world-default", WORLD_URLS: world.origin, ROOM_SERVERS: room.origin, MAX_CONNECTIONS: "5000" };
  const first = await node(world, "twin", room.origin);
  first.expected = 1; // it gives way to the second
  await nodesAlive(world, 1);
  await Promise.all([
    node(world, "good", room.origin),
    node(world, "late", room.origin, clock.env),
    node(world, "lonely", room.origin, { INTERNAL_URL: nowhere }),
    node(world, "stranger", room.origin, { SHARD_SECRET: other }),
    node(world, "twin", room.origin),
    start("node", "bash", ["-c", 'ulimit -n 256; exec "$0"', path.join(bin, "terrane-shard")], low).says(listening),
  ]);
  await nodesAlive(world, 5);
  const found = await doctor(world);
  assert.equal(found.status, 1);
  assert.match(names(found, "clock", "late", /NTP/).text, /^1(19|20) seconds ahead/);
  assert.match(names(found, "node-secret", "127.0.0.1", /SHARD_SECRET/).text, /stranger/);
  assert.match(names(found, "peer-unreachable", "lonely", /INTERNAL_URL/).text, new RegExp(nowhere));
  assert.match(names(found, "descriptors", "", /LimitNOFILE=.*MAX_CONNECTIONS/).by, /node low/);
  assert.match(names(found, "node-id", "twin", /NODE_ID/).text, /http:.* and http:/);
  assert.equal(found.first.check, "clock");
});

/** An HTTP server that knows no WebSockets. */
async function web(t) {
  const server = http.createServer((_req, res) => res.writeHead(404).end("{}"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${server.address().port}`;
}

/** A room server on @signe/room. */
async function signe(env) {
  const port = String(await freePort());
  const p = start("room", process.execPath, [path.join(root, "deploy/demo/signe/server.mjs")], { ...env, PORT: port, HOST: "127.0.0.1" });
  await p.says(listening);
  return `http://127.0.0.1:${port}`;
}

test("doctor finds what is wrong with room servers", async (t) => {
  const [plain, demo, strange, good] = await Promise.all([web(t), startRoom({ SHARD_SECRET: other }), signe({ SHARD_SECRET: other }), startRoom()]);
  const world = await startWorld({ ROOM_SERVERS: [plain, demo.origin, strange, good.origin].join(",") });
  await node(world, "n1", good.origin);
  await nodesAlive(world, 1);
  const found = await doctor(world);
  assert.equal(found.status, 1);
  names(found, "room-upgrade", plain, /Upgrade/);
  names(found, "room-secret", demo.origin, /SHARD_SECRET/);
  names(found, "room-secret", strange, /SHARD_SECRET/);
  assert.ok(!found.bad.some((c) => c.subject === good.origin));
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const here = await doctor({ origin: nowhere }, ["--servers", [plain, demo.origin, strange, good.origin, nowhere].join(",")], { SHARD_SECRET: secret });
  names(here, "room-upgrade", plain, /Upgrade/);
  names(here, "room-secret", demo.origin, /SHARD_SECRET/);
  names(here, "room-secret", strange, /SHARD_SECRET/);
  names(here, "room-unreachable", nowhere, /ROOM_SERVERS/);
  assert.ok(here.checks.some((c) => c.level === "ok" && c.text.startsWith(good.origin)));
});

test("doctor finds what is wrong with Redis", async (t) => {
  const servers = await Promise.all([0, 1].map(() => Redis.start(t)));
  await servers[1].ask("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
  const worlds = await Promise.all(servers.map((r) => startWorld({ REDIS_URL: r.url, LEASE_TTL: "1s", REDIS_TIMEOUT: "200ms" })));
  await Promise.all(worlds.map((w) => until(async () => (await metric(w.origin, 'terrane_world_redis_connected').catch(() => 1)) === 1, "Redis")));
  await servers[0].ask("REPLICAOF", "127.0.0.1", String(await freePort()));
  const tells = (i, check) => until(async () => (await metric(worlds[i].origin, `terrane_world_findings{check="${check}"}`)) === 1, check, 15000);
  await Promise.all([tells(0, "redis-read-only"), tells(1, "redis-evicts")]);
  const [readOnly, evicts] = await Promise.all(worlds.map((w) => doctor(w)));
  assert.deepEqual([readOnly.status, evicts.status], [1, 1]);
  names(readOnly, "redis-read-only", servers[0].url.slice(8), /REDIS_URL name the master/);
  names(evicts, "redis-evicts", servers[1].url.slice(8), /maxmemory-policy to noeviction/);
  assert.deepEqual([readOnly.first.check, evicts.first.check], ["redis-read-only", "redis-evicts"]);
});

test("doctor finds a certificate that ends soon, and who cannot be reached or believed", async () => {
  const authority = await Authority.make();
  const files = await authority.issue(undefined, { days: 5 });
  const world = await startWorld({ TLS_CERT: files.cert, TLS_KEY: files.key });
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const [soon, distrusted, denied, away] = await Promise.all([
    doctor(world, ["--quick", "--ca", authority.ca]),
    doctor(world),
    doctor(world, ["--quick", "--ca", authority.ca], { AUTH_JWT_SECRET: other, SHARD_SECRET: other }),
    doctor({ origin: nowhere }),
  ]);
  assert.match(names(soon, "certificate", "TLS_CERT", /TLS_CERT.*SIGHUP/).text, /expires on/);
  assert.match(names(soon, "certificate", world.origin, /TLS_CERT.*proxy/).text, /ends in [56] days or less/);
  names(distrusted, "world-unreachable", world.origin, /--ca/);
  names(denied, "token", "AUTH_JWT_SECRET", /AUTH_JWT_SECRET/);
  names(denied, "shard-secret", world.origin, /SHARD_SECRET/);
  names(away, "world-unreachable", nowhere, /--url/);
  assert.deepEqual([distrusted.status, denied.status, away.status], [1, 1, 1]);
});

test("doctor finds proxies that hide clients, or cut them", async (t) => {
  const [room, world] = await Promise.all([startRoom(), startWorld({ REQUIRE_TICKET: "0" })]);
  const [n1, n2] = await Promise.all([node(world, "n1", room.origin, { PING_INTERVAL: "6s" }), node(world, "n2", room.origin, { PING_INTERVAL: "6s" })]);
  await nodesAlive(world, 2);
  const [telling, mute, cutting] = await Promise.all([
    front(t, n1.port, { header: "X-Forwarded-For: 192.0.2.7" }), front(t, n2.port), front(t, n1.port, { cutMs: 2500 })]);
  for (let i = 0; i < 10; i++) await client(t, `${mute}/parties/shard/${shardId()}?id=c${i}`).open();
  const told = async () => (await request(world.origin, { path: "/api/v1/worlds/world-default/findings", headers: bearer("*") })).json.items;
  await until(async () => (await told()).some((f) => f.check === "one-address"), "one address");
  const found = await doctor(world, ["--via", telling, "--via", cutting]);
  assert.equal(found.status, 0);
  assert.match(names(found, "proxy-untrusted", "127.0.0.2", /TRUSTED_PROXIES/).by, /node n1/);
  assert.match(names(found, "one-address", "127.0.0.2", /X-Forwarded-For.*TRUSTED_PROXIES/).by, /node n2/);
  const cut = names(found, "idle-cut", cutting, /Set PING_INTERVAL .* to 1s .*proxy_read_timeout/);
  assert.match(cut.text, /after [23] s of silence/);
  assert.equal(found.first.check, "idle-cut");
});
