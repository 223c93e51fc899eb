// Who a client is: PROXY headers, Forwarded, and the pages that may connect.
import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { Authority } from "../lib/certificates.mjs";
import { test, until } from "../lib/runner.mjs";
import { client, cluster, join, request, shardId } from "../lib/cluster.mjs";
import { finish, jwtSecret, secret, startNode } from "../lib/process.mjs";
import { metric, nodesAlive } from "../lib/metrics.mjs";
import { exchange } from "../lib/raw.mjs";
import { Room } from "../lib/room.mjs";

const front = "127.0.0.2"; // where the tests' load balancer is
const path = `/parties/shard/${shardId()}/state`;
const get = (headers = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`;
const v1 = "PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n";
const v2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x08\x0a\0\0\x01\x30\x39\x01\xbb"; // 203.0.113.8
const local = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const last = (room) => room.requests.filter((r) => r.headers["x-forwarded-by-shard"]).at(-1)?.headers;

for (const door of ["node", "world"]) {
  test(`${door}: a load balancer says with PROXY headers whose its connections are`, async (t) => {
    const env = { PROXY_PROTOCOL: front, TRUSTED_PROXIES: "203.0.113.8" };
    const c = await cluster(t, { nodeEnv: env, worldEnv: env });
    const { origin } = c[door];
    if (door === "world") { // it hands on to nodes that it knows, and what they do not know yet they adopt
      await nodesAlive(c.world, 1);
    }
    for (const [what, pieces, ip] of [
      ["version 1", [v1 + get()], "203.0.113.7"],
      ["version 2", [v2 + get()], "203.0.113.8"],
      ["byte by byte", [...v1, get()], "203.0.113.7"],
      ["LOCAL", [local + get()], front],
      ["UNKNOWN", [`PROXY UNKNOWN\r\n${get()}`], front],
      ["a stranger's claims behind it", [v1 + get("X-Forwarded-For: 6.6.6.6\r\n")], "203.0.113.7"],
      ["a trusted proxy's claims behind it", [v2 + get("X-Forwarded-For: 198.51.100.9\r\n")], "198.51.100.9"],
    ]) {
      const got = await exchange(origin, pieces, { from: front });
      assert.equal(got.status, 200, `${what}: ${got.text}`);
      assert.equal(last(c.room)["x-original-client-ip"], ip, what);
    }
    for (const bytes of [get(), "\x16\x03\x01\x02", `PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n${get()}`, `PROXY ${"x".repeat(200)}`]) {
      const got = await exchange(origin, bytes, { from: front });
      assert.deepEqual([got.text, got.open], ["", false], bytes);
    }
    assert.equal((await exchange(origin, v1 + get())).status, 400, "from elsewhere");
    const name = door === "node" ? "terrane_shard" : "terrane_world";
    assert.equal(await metric(origin, `${name}_proxy_headers_total{result="bad"}`), 4);
    assert.equal(await metric(origin, `${name}_proxy_headers_total{result="taken"}`), 7);
    assert.equal(await metric(origin, `${name}_proxy_headers_awaited`), 0);
  });
}

test("a PROXY header comes before the TLS handshake", async (t) => {
  const authority = await Authority.make();
  const { cert, key } = await authority.issue("IP:127.0.0.1");
  const room = await Room.start();
  t.after(() => room.die());
  const node = await startNode("http://127.0.0.1:9", room.origin, { PROXY_PROTOCOL: front, TLS_CERT: cert, TLS_KEY: key, WORLD_PROTOCOL: "reference" });
  const plain = net.connect({ port: node.port, host: "127.0.0.1", localAddress: front });
  t.after(() => plain.destroy());
  plain.write(v2, "latin1");
  const socket = tls.connect({ socket: plain, ca: authority.pem, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (data) => (text += data)).on("error", () => {});
  socket.write(get());
  await until(() => /^HTTP\/1\.1 200 /.test(text), "the answer");
  assert.equal(last(room)["x-original-client-ip"], "203.0.113.8");
  const bare = net.connect({ port: node.port, host: "127.0.0.1", localAddress: front });
  t.after(() => bare.destroy());
  const failed = await new Promise((resolve) => tls.connect({ socket: bare, ca: authority.pem, host: "127.0.0.1" }).on("error", resolve).on("secureConnect", () => resolve(null)));
  assert.ok(failed, "a handshake without a PROXY header");
});

test("a load balancer that does not say whose a connection is has HEADER_TIMEOUT", async (t) => {
  const { node } = await cluster(t, { nodeEnv: { PROXY_PROTOCOL: front, HEADER_TIMEOUT: "300ms" } });
  const got = await exchange(node.origin, v1.slice(0, 20), { from: front, ms: 5000 });
  assert.deepEqual([got.text, got.open], ["", false]);
  assert.equal(await metric(node.origin, 'terrane_shard_proxy_headers_total{result="slow"}'), 1);
});

test("a WebSocket behind a PROXY header is a client like any other", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { PROXY_PROTOCOL: front } });
  const hello = `GET /parties/shard/${shardId()}?id=a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  const [got] = await Promise.all([exchange(node.origin, v2 + hello, { from: front, ms: 1500 }), room.tells("+a")]);
  assert.equal(got.status, 101);
});

test("Forwarded of a trusted proxy names the client and the URL that it dialled, also at another node", async (t) => {
  const { nodes: [a, b], room } = await cluster(t, { nodes: 2, nodeEnv: { TRUSTED_PROXIES: "127.0.0.0/8" } });
  const forwarded = 'for=6.6.6.6;host=evil, for="[2001:db8::7]:4711";proto=https;host="game.example:8443"';
  for (const node of [a, b]) { // one of them owns the shard by then, the other one passes on
    const before = room.requests.length;
    await request(node.origin, { path, headers: { forwarded } });
    await until(() => room.requests.length > before, "the request");
    assert.equal(last(room)["x-original-client-ip"], "2001:db8::7");
    await join(t, node, `on-${node.port}`, { headers: { forwarded } });
    await room.tells(`+on-${node.port}`);
    const { requestInfo } = room.frames.find((f) => f.privateId === `on-${node.port}`);
    assert.match(requestInfo.url, /^https:\/\/game\.example:8443\//);
  }
  await request(a.origin, { path, headers: { forwarded, "x-forwarded-for": "198.51.100.1" } });
  assert.equal(last(room)["x-original-client-ip"], "198.51.100.1");
});

test("only pages of ALLOWED_ORIGINS may open WebSockets", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { ALLOWED_ORIGINS: "https://game.example, https://*.play.example" } });
  for (const origin of ["https://game.example", "HTTPS://Game.Example:443", "https://eu.play.example", undefined]) {
    const c = await join(t, node, "a", { headers: origin ? { origin } : {} });
    await c.end();
  }
  for (const origin of ["https://evil.example", "http://game.example", "https://play.example", "https://game.example.evil", "null", ""]) {
    const c = client(t, `${node.origin}/parties/shard/${shardId()}?id=b`, { headers: { origin } });
    await c.open();
    assert.equal(c.failed?.status, 403, origin);
  }
  const twice = await exchange(node.origin, `GET /parties/shard/${shardId()} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://game.example\r\nOrigin: https://game.example\r\n\r\n`, { ms: 1000 });
  assert.equal(twice.status, 403);
  assert.match(twice.text, /Origin not allowed/);
  assert.equal(await metric(node.origin, 'terrane_shard_refusals_total{reason="origin"}'), 7);
  assert.equal((await request(node.origin, { path, headers: { origin: "https://evil.example" } })).status, 200, "requests are the room's to judge");
  assert.ok(!room.story.includes("+b"));
});

test("networks and origins that are none are refused at the start", async () => {
  const env = { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret };
  for (const [program, more, line] of [
    ["terrane-world", { PROXY_PROTOCOL: "10.0.0.0/33" }, /PROXY_PROTOCOL: "10\.0\.0\.0\/33" is not a network/],
    ["terrane-shard", { PROXY_PROTOCOL: "lb" }, /PROXY_PROTOCOL: "lb" is not a network/],
    ["terrane-shard", { TRUSTED_PROXIES: "1.2.3.4/" }, /TRUSTED_PROXIES: "1\.2\.3\.4\/" is not a network/],
    ["terrane-shard", { ALLOWED_ORIGINS: "https://a, game.example" }, /ALLOWED_ORIGINS: "game\.example" is not an origin/],
  ]) {
    const { stderr } = await finish(program, [], { ...env, ...more }, 2);
    assert.match(stderr, line);
  }
});

test("a rule of ROUTES has origins of its own", async (t) => {
  const rule = { path: "/game/{shard}/*", mode: "mux", origins: ["https://game.example"] };
  const { node } = await cluster(t, { nodeEnv: { ALLOWED_ORIGINS: "https://any.example", ROUTES: JSON.stringify([rule]) } });
  for (const [at, origin, status] of [["/game", "https://game.example", 101], ["/game", "https://any.example", 403], ["/parties/shard", "https://game.example", 403], ["/parties/shard", "https://any.example", 101]]) {
    const c = client(t, `${node.origin}${at}/${shardId()}/x`, { headers: { origin } });
    await c.open();
    assert.equal(c.failed?.status ?? 101, status, `${at} ${origin}`);
  }
});
