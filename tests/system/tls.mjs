// TLS: to clients, to the world, to room servers, and with certificates on both sides between the cluster's own.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import WebSocket from "ws";
import { Authority } from "../lib/certificates.mjs";
import { bearer, cluster, shardId } from "../lib/cluster.mjs";
import { finish, jwtSecret, root, secret, start, startNode, startWorld } from "../lib/process.mjs";
import { metric, sample } from "../lib/metrics.mjs";
import { Room } from "../lib/room.mjs";
import { test, until } from "../lib/runner.mjs";

const lobby = { name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 10, minShards: 1 };
const door = ({ cert, key }) => ({ TLS_CERT: cert, TLS_KEY: key });

/** A request over TLS; `options` are more of https.request's. */
function ask(origin, target, { body, ...options }) {
  return new Promise((resolve, reject) => {
    const req = https.request(origin + target, { agent: false, ...options }, (res) => {
      let text = "";
      res.on("data", (data) => (text += data)).on("end", () => resolve({ status: res.statusCode, text, json: () => JSON.parse(text) }));
    });
    req.on("error", reject).end(body);
  });
}

const post = (origin, target, body, ca) =>
  ask(origin, target, { method: "POST", ca, body: JSON.stringify(body), headers: { "content-type": "application/json", "x-access-shard": secret } });

/** A client over TLS that has come in. */
async function join(t, origin, id, ca, shard = shardId()) {
  const ws = new WebSocket(`${origin.replace(/^http/, "ws")}/parties/shard/${encodeURIComponent(shard)}?id=${id}`, { ca });
  const c = { ws, frames: [], closed: null };
  t.after(() => ws.terminate());
  ws.on("message", (data) => c.frames.push(data.toString()));
  ws.on("close", (code) => (c.closed = code));
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  return c;
}

/** World, node and room server, each with a certificate of its own, and the authority of all. */
async function allUnderTls(t, nodeEnv = {}) {
  const authority = await Authority.make();
  const ids = await Promise.all([1, 2, 3].map(() => authority.issue("DNS:localhost,DNS:game.test,IP:127.0.0.1")));
  const room = await Room.start({ tls: ids[2].pem });
  const world = await startWorld({ ...door(ids[0]), TLS_CA: authority.ca });
  const node = await startNode(world.origin, room.origin, { ...door(ids[1]), TLS_CA: authority.ca, ...nodeEnv });
  t.after(() => room.die());
  return { authority, ids, room, world, node, ca: authority.pem };
}

const secureMetric = async (origin, name, ca) => sample((await ask(origin, "/metrics", { ca })).text, name);

test("a client's messages go over TLS to the node and on to the room server, and back", async (t) => {
  const c = await allUnderTls(t);
  assert.equal((await post(c.node.origin, "/parties/world/world-default/register-room", lobby, c.ca)).status, 200);
  const placed = (await post(c.node.origin, "/parties/world/world-default/connect", { roomId: "lobby" }, c.ca)).json();
  assert.equal(placed.success, true);
  const a = await join(t, c.node.origin, "a", c.ca, placed.shardId);
  await c.room.tells("+a");
  assert.match(c.room.frames.find((f) => f.type === "shard.clientConnected").requestInfo.url, /^https:\/\/127\.0\.0\.1:/);
  const big = "x".repeat(300000);
  a.ws.send(JSON.stringify({ action: "say", value: big }));
  await until(() => c.room.frames.some((f) => f.payload?.value === big), "the room to hear it all");
  c.room.send({ targetClientId: "a", data: big + big });
  await until(() => a.frames.some((f) => f.length === 600000), "the client to hear it all");
  a.ws.close(1000);
  await c.room.tells("+a", "-a");
  const answer = await ask(c.node.origin, `/parties/shard/${encodeURIComponent(placed.shardId)}/x`, { ca: c.ca });
  assert.equal(answer.status, 200);
  assert.equal(c.room.requests.at(-1).headers["x-forwarded-by-shard"], "true");
  await until(async () => (await secureMetric(c.node.origin, 'terrane_shard_tls_handshakes_total{side="to_cluster"}', c.ca)) > 0, "the node to dial the world");
  const left = await secureMetric(c.node.origin, 'terrane_shard_tls_certificate_expires_seconds{side="public"}', c.ca);
  assert.ok(left > 29 * 86400 && left < 31 * 86400, String(left));
});

test("mode pass goes on to an https server, byte for byte", async (t) => {
  const routes = JSON.stringify([{ path: "/any/*", mode: "pass" }]);
  const c = await allUnderTls(t, { ROUTES: routes });
  c.room.onFrame = (frame, link) => link.ws.send(JSON.stringify(frame));
  const ws = new WebSocket(`${c.node.origin.replace(/^http/, "ws")}/any/thing?x=1`, { ca: c.ca });
  t.after(() => ws.terminate());
  const heard = [];
  ws.on("message", (data) => heard.push(data.toString()));
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  const said = JSON.stringify({ pad: "x".repeat(200000) });
  for (let i = 0; i < 5; i++) ws.send(said);
  await until(() => heard.length === 5, "the echo");
  assert.ok(heard.every((text) => text === said));
  assert.equal(c.room.links[0].url, "/any/thing?x=1");
  assert.equal(c.room.links[0].headers["x-forwarded-proto"], "https");
  assert.equal((await ask(c.node.origin, "/any/other", { ca: c.ca })).status, 200);
});

test("what is said while a link under TLS is down is heard by the next one", async (t) => {
  const c = await allUnderTls(t);
  const a = await join(t, c.node.origin, "a", c.ca);
  await c.room.tells("+a");
  await c.room.die();
  for (let i = 0; i < 100; i++) a.ws.send(JSON.stringify({ i, pad: "x".repeat(1000) }));
  const again = await Room.start({ port: c.room.port, tls: c.ids[2].pem });
  t.after(() => again.die());
  await until(() => again.frames.filter((f) => f.payload?.pad).length >= 100, "all that was said", 15000);
  assert.deepEqual(again.frames.filter((f) => f.payload?.pad).map((f) => f.payload.i).slice(-100), [...Array(100).keys()]);
  assert.equal(a.closed, null);
});

test("the unmodified client comes in over wss", async (t) => {
  const c = await allUnderTls(t);
  assert.equal((await post(c.node.origin, "/parties/world/world-default/register-room", lobby, c.ca)).status, 200);
  const script = path.join(root, "tests/lib/signe_client.mjs");
  const client = start("client", process.execPath, [script, `https://game.test:${c.node.port}`, "a"], { NODE_EXTRA_CA_CERTS: c.authority.ca });
  client.expected = "SIGTERM";
  await c.room.tells("+a", 'a:{"action":"increment","value":{"by":1}}');
  c.room.send({ targetClientId: "a", data: '{"type":"sync","value":{"count":7}}' });
  await client.says(/count 7/);
});

test("SIGHUP gives newcomers the new certificate, and those who are there stay", async (t) => {
  const c = await allUnderTls(t);
  const shown = () =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ port: c.node.port, host: "127.0.0.1", ca: c.ca }, () => {
        resolve(parseInt(socket.getPeerCertificate().serialNumber, 16));
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const a = await join(t, c.node.origin, "a", c.ca);
  await c.room.tells("+a");
  assert.equal(await shown(), c.ids[1].serial);
  const fresh = await c.authority.issue("DNS:localhost,IP:127.0.0.1", { into: c.ids[1] });
  c.node.child.kill("SIGHUP");
  await until(async () => (await shown()) === fresh.serial, "the new certificate");

  writeFileSync(c.ids[1].key, "nonsense");
  c.node.child.kill("SIGHUP");
  await c.node.says(/tls\.reload.*TLS_CERT.*\.key/);
  assert.equal(await shown(), fresh.serial);
  assert.equal(await secureMetric(c.node.origin, 'terrane_shard_tls_reload_failures_total{side="public"}', c.ca), 1);

  a.ws.send('{"action":"still"}');
  await c.room.tells("+a", 'a:{"action":"still"}');
  assert.equal(a.closed, null);
});

test("who does not prove itself is not believed", async (t) => {
  const { room } = await cluster(t);
  const [authority, other] = [await Authority.make(), await Authority.make("other")];
  const id = await authority.issue();
  const named = await authority.issue("DNS:elsewhere.test");
  const rooms = await Room.start({ tls: named.pem });
  t.after(() => rooms.die());
  const world = await startWorld(door(id));
  const astray = await startNode(world.origin, room.origin, { TLS_CA: other.ca });
  await astray.says(/tls\.failed.*"side":"client".*self-signed certificate|tls\.failed.*unable to get local issuer/);
  const misled = await startNode(world.origin, rooms.origin, { TLS_CA: authority.ca, ...door(id) });
  const ws = await join(t, misled.origin, "a", authority.pem);
  await misled.says(/tls\.failed.*IP address mismatch/);
  assert.deepEqual(rooms.links, []);
  ws.ws.terminate();
});

test("processes of a cluster show each other certificates, and others stay outside", async (t) => {
  const authority = await Authority.make();
  const ids = await Promise.all([1, 2, 3].map(() => authority.issue()));
  const inner = (id) => ({ INTERNAL_LISTEN: "0", INTERNAL_CERT: id.cert, INTERNAL_KEY: id.key, INTERNAL_CA: authority.ca });
  const inside = async (p) => `https://127.0.0.1:${(await p.says(/process\.internal.*127\.0\.0\.1:(\d+)/))[1]}`;
  const room = await Room.start();
  t.after(() => room.die());
  const world = await startWorld(inner(ids[0]));
  const worldInside = await inside(world);
  const nodes = [];
  for (const i of [1, 2]) nodes.push(await startNode(worldInside, room.origin, { ...inner(ids[i]), NODE_ID: `n${i}` }));
  const credentials = { ca: authority.pem, ...ids[0].pem };

  await assert.rejects(ask(worldInside, "/readyz", { ca: authority.pem }));
  assert.equal((await ask(worldInside, "/readyz", credentials)).status, 200);
  const version = (await ask(await inside(nodes[0]), "/version", credentials)).json();
  assert.equal(version.internalUrl, await inside(nodes[0]));

  const headers = bearer("*");
  await until(async () => {
    const found = await ask(worldInside, "/api/v1/worlds/world-default/nodes", { ...credentials, headers });
    return found.status === 200 && found.text.includes('"n1"') && found.text.includes('"n2"');
  }, "the world to know both nodes");

  // Any entry: one of the two owns the shard, and the other passes on to it.
  const register = await fetch(`${nodes[0].origin}/parties/world/world-default/register-room`, {
    method: "POST", body: JSON.stringify(lobby), headers: { "content-type": "application/json", "x-access-shard": secret } });
  assert.equal(register.status, 200);
  const placed = await (await fetch(`${nodes[0].origin}/parties/world/world-default/connect`, {
    method: "POST", body: JSON.stringify({ roomId: "lobby" }), headers: { "content-type": "application/json" } })).json();
  for (const [i, node] of nodes.entries()) {
    const c = await join(t, node.origin, `c${i}`, undefined, placed.shardId);
    c.ws.send('"hello"');
    await room.tells(`+c${i}`, `c${i}:"hello"`);
  }
  const tunnels = (node) => metric(node.origin, 'terrane_shard_tunnels_total{target="node"}');
  assert.equal((await tunnels(nodes[0])) + (await tunnels(nodes[1])), 1);
});

test("a door under TLS answers plain HTTP in plain, and refuses what is old", async (t) => {
  const { node, ca } = await allUnderTls(t);
  const answer = await new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect(node.port, "127.0.0.1", () => socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"));
    socket.on("data", (data) => (text += data)).on("close", () => resolve(text)).on("error", reject);
  });
  assert.match(answer, /^HTTP\/1\.1 400 .*https:\/\//s);
  const refused = (options) =>
    new Promise((resolve) => {
      const socket = tls.connect({ port: node.port, host: "127.0.0.1", ca, ...options }, () => resolve(false));
      socket.on("error", () => resolve(true));
      t.after(() => socket.destroy());
    });
  assert.equal(await refused({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }), true);
  assert.equal(await refused({ ALPNProtocols: ["h2"] }), true);
  assert.equal(await refused({ ALPNProtocols: ["h2", "http/1.1"] }), false);
  assert.equal(await refused({ ca: undefined }), true);
});

test("a file that cannot be used is named at the start", async () => {
  const authority = await Authority.make();
  const [one, two] = [await authority.issue(), await authority.issue()];
  const env = { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, HOST: "127.0.0.1", PORT: "0" };
  for (const program of ["terrane-world", "terrane-shard"]) {
    const mismatch = await finish(program, [], { ...env, TLS_CERT: one.cert, TLS_KEY: two.key }, 2);
    assert.match(mismatch.stderr, new RegExp(`^${program}: TLS_CERT, TLS_KEY: ${two.key}: .*mismatch$`, "m"));
    const missing = await finish(program, [], { ...env, TLS_CA: "/no/such.pem" }, 2);
    assert.match(missing.stderr, /: \/no\/such\.pem: No such file or directory$/m);
  }
});
