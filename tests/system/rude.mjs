// A crowd of clients without manners before one node that does all it can, while its settings change and its servers
// come and go. RUDE_SECONDS, RUDE_CLIENTS and RUDE_SEED make it another.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Authority } from "../lib/certificates.mjs";
import { client, request, shardId } from "../lib/cluster.mjs";
import { bin, folder, freePort, jwtSecret, listening, secret, start, startWorld } from "../lib/process.mjs";
import { Passed } from "../lib/passed.mjs";
import { Room } from "../lib/room.mjs";
import { dice, rudeCrowd } from "../lib/rude.mjs";
import { test, until } from "../lib/runner.mjs";
import { token } from "../lib/tokens.mjs";

const seconds = Number(process.env.RUDE_SECONDS || 8);
const crowd = Number(process.env.RUDE_CLIENTS || 60);
const seed = Number(process.env.RUDE_SEED || 1);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Paths of every mode and every way to show who one is; `origin`: their server. */
function rules(origin) {
  const servers = [origin, "http://127.0.0.1:9"];
  const rule = (path, mode, auth, more = {}) => ({ path, mode, auth, ...(mode === "pass" ? { servers } : {}), ...more });
  return [
    ...["jwt", "message", "ticket"].map((auth) => rule(`/mux-${auth}/{shard}`, "mux", auth, { deflate: auth !== "jwt" })),
    ...["jwt", "message", "ticket"].map((auth) => rule(`/pass-${auth}/{shard}`, "pass", auth)),
    rule("/pass/{shard}/*", "pass", "none", { secret: true, origins: ["https://game.example"] }),
    ...["jwt", "message"].map((auth) => rule(`/any-${auth}/*`, "pass", auth)),
    rule("/any/*", "pass", "none", { key: ["query:room", "cookie:a", "address"] }),
  ];
}

const tight = {
  AUTH_JWT_SECRET: jwtSecret, TRUSTED_PROXIES: "127.0.0.9", PROXY_PROTOCOL: "127.0.0.8", COMPRESSION: "1", COMPRESSION_MIN: "1",
  HEADER_TIMEOUT: "700ms", BODY_TIMEOUT: "700ms", IDLE_TIMEOUT: "1s", AUTH_TIMEOUT: "500ms", AUTH_WAITING: "15", MAX_CONNECTIONS: "120",
  MESSAGE_MAX: "64KiB", CLIENT_QUEUE: "64KiB", SLOW_TIMEOUT: "1s", MESSAGE_TIMEOUT: "1s", BUFFER_MAX: "1MiB", MESSAGE_RATE: "50:100",
  PING_INTERVAL: "400ms", PONG_TIMEOUT: "400ms", CONNECT_RATE: "25:10", LINK_WAIT: "1s", PASS_ANSWER_TIMEOUT: "2s", MAX_SHARDS: "20",
  DRAIN_DEADLINE: "2s",
};

/** What else these may be, and then are not again. */
const moods = {
  MAX_CONNECTIONS: ["1", "50", "0"], CONNECT_RATE: ["off", "5:1", "1000"], CLIENT_RATE: ["off", "1:1"], BUFFER_MAX: ["0", "10KiB"], CLIENT_QUEUE: ["1KiB", "1MiB"],
  PING_INTERVAL: ["0", "5s"], PONG_TIMEOUT: ["50ms"], AUTH_WAITING: ["1", "100"], AUTH_TIMEOUT: ["100ms"], MESSAGE_MAX: ["126", "1MiB"], MESSAGE_RATE: ["off", "1:1"],
  SLOW_CLIENT: ["drop-oldest"], SLOW_TIMEOUT: ["0"], MESSAGE_TIMEOUT: ["0"], HEADER_TIMEOUT: ["100ms"], PROXY_PROTOCOL: [""], MAX_SHARDS: ["1"], LINK_FRAME_MAX: ["1KiB"],
  STRICT_ENVELOPE: ["1"], ALLOWED_ORIGINS: ["https://a.example"],
};

/** A node whose settings are in a file, which it reads again every 300 ms with others in it, until `settle`. */
async function moodyNode(t, settings, d) {
  const file = path.join(folder(), "settings.json");
  const write = (more) => writeFileSync(file, JSON.stringify({ HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, NODE_ID: "rude", ...settings, ...more }));
  write({});
  const node = start("node", path.join(bin, "terrane-shard"), ["--config", file]);
  node.port = Number((await node.says(listening))[1]);
  node.origin = `https://127.0.0.1:${node.port}`;
  node.inside = `http://127.0.0.1:${(await node.says(/process\.internal.*?"address":"[^"]*:(\d+)"/))[1]}`;
  const reload = (more) => (write(more), node.child.kill("SIGHUP"));
  const timer = setInterval(() => reload(Object.fromEntries(Object.entries(moods).filter(() => d.chance(0.4)).map(([name, of]) => [name, d.of(of)]))), 300);
  t.after(() => clearInterval(timer));
  node.settle = () => (clearInterval(timer), reload({}));
  return node;
}

/** A server of mode pass that has moods. */
function moody(s, d) {
  const upgrades = [
    (socket) => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
    (socket) => socket.write("HTTP/1.1 101 Switching Pro"),
    (socket) => socket.destroy(),
    (socket) => socket.resetAndDestroy(),
    (socket) => socket.write("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n\x81\x02hi"),
    () => {},
    (socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
  ];
  s.onUpgrade = (_req, socket) => {
    setTimeout(() => socket.destroy(), 5000).unref();
    if (d.chance(0.6)) return false;
    d.of(upgrades)(socket);
    return true;
  };
  s.onMessage = (ws, data, binary) => (d.chance(0.05) ? ws.terminate() : d.chance(0.1) ? ws.close(4000, "enough") : ws.send(data, { binary }));
}

/** A room that answers everybody, now and then with much, and closes some. */
function lively(room, d) {
  room.onFrame = (frame, link) => {
    if (frame.type !== "shard.clientMessage") return;
    const text = d.chance(0.05) ? "much".repeat(10000) : "echo";
    if (d.chance(0.05)) link.ws.send(JSON.stringify({ type: "shard.broadcast", payload: text }));
    else if (d.chance(0.03)) link.ws.send(JSON.stringify({ type: "shard.closeClient", privateId: frame.privateId, code: 4000 }));
    else link.ws.send(JSON.stringify({ targetClientId: frame.privateId, data: text }));
  };
}

/** Everything restarts, over and over, until it is told to end. */
async function restless(make, end, ms) {
  let it = await make();
  while (Date.now() + 2 * ms < end) {
    await sleep(ms);
    await it.die();
    await sleep(ms / 8);
    it = await make();
  }
  return it;
}

/** The samples of /metrics, and of those that are gauges. */
function read(text) {
  const lines = text.split("\n");
  const isGauge = new Set(lines.filter((l) => l.startsWith("# TYPE") && l.endsWith(" gauge")).map((l) => l.split(" ")[2]));
  const all = lines.filter((l) => l && !l.startsWith("#")).map((l) => [l.slice(0, l.lastIndexOf(" ")), Number(l.slice(l.lastIndexOf(" ") + 1))]);
  return { all, gauges: all.filter(([name]) => isGauge.has(name.replace(/\{.*/, ""))) };
}
/** What may stay when all clients have gone; the one connection is ours. */
const lasting = /^(?!terrane_)|_(clients_max|findings|shards|shards_owned|worlds|info|client_addresses|certificate_\w+|http_connections|room_servers)\b|links\{state="(up|idle)"\}/;

test(`${crowd} rude clients at a time for ${seconds} s leave nothing behind (seed ${seed})`, async (t) => {
  const d = dice(seed);
  const end = Date.now() + seconds * 1000;
  const ports = { pass: await freePort(), room: await freePort() };
  const pass = async () => {
    const s = await Passed.start(null, { port: ports.pass });
    moody(s, d);
    return s;
  };
  const rooms = async () => {
    const room = await Room.start({ port: ports.room });
    lively(room, d);
    return room;
  };
  const { cert, key } = await (await Authority.make()).issue();
  const world = await startWorld();
  const node = await moodyNode(t, {
    ...tight, WORLD_URLS: world.origin, ROOM_SERVERS: `http://127.0.0.1:${ports.room}`, ROUTES: JSON.stringify(rules(`http://127.0.0.1:${ports.pass}`)),
    TLS_CERT: cert, TLS_KEY: key, INTERNAL_LISTEN: "127.0.0.1:0",
  }, d);
  const ask = async () => read((await request(node.inside, { path: "/metrics" })).body);
  const before = { descriptors: descriptors(node.pid) };
  const restarts = [restless(pass, end, 1700), restless(rooms, end, 2300)];
  const says = () => ({ epoch: 2 ** 50, world: "world-default", room: "lobby" });
  const number = await rudeCrowd(seed, crowd, { port: node.port, tls: true, proxied: "127.0.0.8" }, says, end);
  node.settle();
  const servers = await Promise.all(restarts);
  t.after(() => Promise.all(servers.map((s) => s.die())));
  assert.equal(node.ended, undefined, `the node ended after ${number} clients`);
  let left;
  await until(async () => {
    left = (await ask()).gauges.filter(([name, value]) => value !== 0 && !lasting.test(name));
    return left.length === 0;
  }, "all gauges to be 0", 25000).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(left)}`);
  });
  if (process.env.RUDE_SHOW) console.log(number, (await ask()).all.filter(([, value]) => value !== 0 && value < 1e6).map((e) => e.join(" ")).filter((l) => !/bucket|_sum/.test(l)).join("\n"));
  for (const [name, value] of (await ask()).all) assert.ok(value >= 0 && value < 2 ** 53, `${name} is ${value}`);
  await until(() => descriptors(node.pid) <= before.descriptors + 40, "descriptors to be closed", 20000);
  const polite = client(t, `${node.origin}/mux-jwt/${encodeURIComponent(shardId())}?id=polite&token=${token({ sub: "polite" })}`, { options: { rejectUnauthorized: false } });
  await polite.open();
  assert.ok(polite.opened, JSON.stringify(polite.closed));
  polite.send('"hello"');
  await polite.until(() => polite.frames.length > 0, 5000, "an answer");
}, { seconds: seconds + 60 });
