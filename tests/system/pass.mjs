// Mode pass: servers that know nothing of Terrane behind nodes, byte for byte.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { test as whole, until } from "../lib/runner.mjs";
import { bearer, cluster, shardId } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";
import { finish, jwtSecret, secret } from "../lib/process.mjs";
import { jwt } from "../conformance/lib/jwt.mjs";
import { Passed } from "../lib/passed.mjs";

const test = (name, ...rest) => whole(`pass: ${name}`, ...rest);
const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const resident = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const routes = (...rules) => ({ ROUTES: JSON.stringify(rules) });
const rule = (servers, more = {}) => ({ path: "/app/*", mode: "pass", servers: servers.map((s) => s.origin), ...more });

/** A cluster with a rule for `/app/*` before these servers. */
async function behind(t, servers, more, options = {}) {
  return cluster(t, { ...options, nodeEnv: { ...routes(rule(servers, more)), ...options.nodeEnv } });
}

/** A request, and all of its answer. */
function request(origin, { body, ...options }) {
  return new Promise((resolve, reject) => {
    const req = http.request(origin, { agent: false, ...options }, async (res) => {
      let text = "";
      for await (const chunk of res) text += chunk;
      resolve({ status: res.statusCode, headers: res.headers, body: text });
    });
    req.on("error", reject).end(body);
  });
}

/** A client; `heard`: its messages, `closed`: [code, reason] once it is. */
function dial(t, node, path, protocols = [], options = {}) {
  const ws = new WebSocket(node.origin.replace("http", "ws") + path, protocols, { perMessageDeflate: false, maxPayload: 64 << 20, ...options });
  ws.heard = [];
  ws.on("message", (data, binary) => ws.heard.push({ data, binary }));
  ws.on("upgrade", (res) => (ws.answer = res));
  ws.on("close", (code, reason) => (ws.closed = [code, reason.toString()]));
  ws.opened = new Promise((resolve, reject) => {
    ws.once("open", () => resolve(ws));
    ws.once("error", reject);
  });
  ws.on("error", () => {});
  ws.opened.catch(() => {});
  t.after(() => ws.terminate());
  return ws;
}
const joined = (...args) => dial(...args).opened;

/** What a refused handshake is answered. */
function refused(t, node, path, options) {
  const ws = dial(t, node, path, [], options);
  return new Promise((resolve, reject) => {
    ws.once("open", () => reject(new Error("it was let in")));
    ws.once("unexpected-response", async (_req, res) => {
      let body = "";
      for await (const chunk of res) body += chunk;
      resolve({ status: res.statusCode, headers: res.headers, body });
    });
  });
}

/** The raw bytes of a handshake and what follows. */
async function raw(t, node, path, lines = [], early = Buffer.alloc(0)) {
  const socket = net.connect(node.port, "127.0.0.1");
  let got = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => (got = Buffer.concat([got, chunk])));
  t.after(() => socket.destroy());
  const head = [`GET ${path} HTTP/1.1`, "Host: game.example", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...lines];
  socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), early]));
  await until(() => got.includes("\r\n\r\n"));
  const at = got.indexOf("\r\n\r\n") + 4;
  return { socket, head: got.subarray(0, at).toString(), got: () => got.subarray(at) };
}

test("messages of all kinds and sizes go both ways untouched", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s]);
  const ws = await joined(t, node, "/app/x");
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20, 5 << 20]) {
    const data = randomBytes(size);
    ws.heard.length = 0;
    ws.send(data);
    ws.send(`text of ${size}`);
    await until(() => ws.heard.length === 2);
    assert.ok(ws.heard[0].binary && ws.heard[0].data.equals(data));
    assert.ok(!ws.heard[1].binary && ws.heard[1].data.toString() === `text of ${size}`);
  }
}, { seconds: 60 });

test("frames arrive as they were cut, whatever they hold", async (t) => {
  const s = await Passed.start(t);
  const got = [];
  s.onUpgrade = (req, socket) => {
    const accept = createHash("sha1").update(`${req.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on("data", (chunk) => got.push(chunk));
    s.raw = socket;
    return true;
  };
  const { node } = await behind(t, [s]);
  // Fragments, a ping between them, reserved bits, and a frame whose length is longer than it need be.
  const sent = Buffer.concat([Buffer.from("01824142434400", "hex"), Buffer.from("898100000000", "hex"), Buffer.from("7a", "hex"), randomBytes(70000)]);
  const c = await raw(t, node, "/app/frames", [], sent.subarray(0, 20));
  c.socket.write(sent.subarray(20));
  await until(() => Buffer.concat(got).length === sent.length);
  assert.ok(Buffer.concat(got).equals(sent));
  const back = Buffer.concat([Buffer.from("c1057a7a7a7a7a", "hex"), randomBytes(3000)]);
  s.raw.write(back);
  await until(() => c.got().length === back.length);
  assert.ok(c.got().equals(back));
});

test("the server chooses the subprotocol, and sets cookies on the 101", async (t) => {
  const s = await Passed.start(t, { handleProtocols: (offered) => [...offered][1] });
  const { node } = await behind(t, [s]);
  const ws = await joined(t, node, "/app/x?a=%20b&token=theirs", ["one", "two"], { headers: { cookie: "sid=1; b=2", authorization: "Basic abc", origin: "https://page.example" } });
  assert.equal(ws.protocol, "two");
  assert.deepEqual(ws.answer.headers["set-cookie"], ["joined=yes; HttpOnly"]);
  const [req] = s.upgrades;
  assert.equal(req.url, "/app/x?a=%20b&token=theirs");
  assert.equal(req.headers.cookie, "sid=1; b=2");
  assert.equal(req.headers.authorization, "Basic abc");
  assert.equal(req.headers.origin, "https://page.example");
  assert.equal(req.headers.host, `127.0.0.1:${s.port}`);
  assert.equal(req.headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(req.headers["x-forwarded-proto"], "http");
  assert.equal(req.headers["x-forwarded-host"], `127.0.0.1:${node.port}`);
  assert.equal(req.headers["x-original-client-ip"], "127.0.0.1");
});

test("headers that only we write are never a client's", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s]);
  const headers = { "x-shard-id": "1", "x-access-shard": "2", "x-terrane-subject": "3", "x-forwarded-for": "4", "x-original-client-ip": "5", "x-forwarded-by-shard": "6", x_shard_id: "7" };
  await joined(t, node, "/app/x", [], { headers });
  const res = await request(node.origin, { path: "/app/y", headers });
  for (const got of [s.upgrades[0].headers, JSON.parse(res.body).headers]) {
    for (const name of ["x-shard-id", "x-access-shard", "x-terrane-subject", "x-forwarded-by-shard"]) assert.equal(got[name], undefined, name);
    assert.equal(got["x-forwarded-for"], "127.0.0.1");
    assert.equal(got["x-original-client-ip"], "127.0.0.1");
  }
});

test("compression is agreed end to end", async (t) => {
  const s = await Passed.start(t, { perMessageDeflate: { threshold: 0 } });
  const { node } = await behind(t, [s]);
  const ws = await joined(t, node, "/app/x", [], { perMessageDeflate: { threshold: 0 } });
  assert.match(ws.answer.headers["sec-websocket-extensions"], /permessage-deflate/);
  const text = "all the same ".repeat(10000);
  for (let i = 0; i < 3; i++) ws.send(text);
  await until(() => ws.heard.length === 3);
  assert.ok(ws.heard.every(({ data }) => data.toString() === text));
});

test("pings are the other side's own, and so are pongs", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s], {}, { nodeEnv: { PING_INTERVAL: "1s", PONG_TIMEOUT: "1s" } });
  const ws = await joined(t, node, "/app/x");
  const heard = [];
  ws.on("pong", (data) => heard.push(`pong ${data}`));
  s.sockets[0].on("pong", (data) => heard.push(`server pong ${data}`));
  ws.on("ping", (data) => heard.push(`ping ${data}`));
  ws.ping("from client");
  await until(() => heard.length === 1);
  s.sockets[0].ping("from server");
  await until(() => heard.length === 3);
  await tick(2500); // a node would have pinged
  assert.deepEqual(heard, ["pong from client", "ping from server", "server pong from server"]);
});

for (const [code, reason] of [[1000, ""], [1000, "bye"], [3000, "ré"], [4999, "x".repeat(123)], [undefined, ""]]) {
  test(`close codes go both ways: ${code ?? "none"} ${reason.slice(0, 8)}`, async (t) => {
    const s = await Passed.start(t);
    const { node } = await behind(t, [s]);
    const a = await joined(t, node, "/app/x");
    const b = await joined(t, node, "/app/x");
    const want = [code ?? 1005, reason];
    code === undefined ? a.close() : a.close(code, reason);
    await until(() => s.closes.length === 1 && a.closed);
    assert.deepEqual(s.closes[0], want);
    assert.deepEqual(a.closed, want);
    code === undefined ? s.sockets[1].close() : s.sockets[1].close(code, reason);
    await until(() => s.closes.length === 2 && b.closed);
    assert.deepEqual(b.closed, want);
    assert.deepEqual(s.closes[1], want);
  });
}

test("who breaks off is gone for the other side, without a close frame", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s]);
  const a = await joined(t, node, "/app/x");
  const b = await joined(t, node, "/app/x");
  a.send("the last words");
  a.terminate();
  await until(() => s.closes.length === 1);
  assert.deepEqual(s.closes[0], [1006, ""]);
  s.sockets[1].send("and these");
  s.sockets[1].terminate();
  await until(() => b.closed);
  assert.deepEqual(b.closed, [1006, ""]);
});

test("a client that breaks off in the middle of a frame leaves what it said whole", async (t) => {
  const s = await Passed.start(t);
  const heard = [];
  s.onMessage = (_ws, data) => heard.push(data.toString());
  const { node } = await behind(t, [s]);
  const c = await raw(t, node, "/app/x");
  c.socket.write(Buffer.from("8181000000007a", "hex"));
  c.socket.write(Buffer.from("81fe1000000000007a7a", "hex"));
  await until(() => heard.length === 1);
  c.socket.end();
  await until(() => s.closes.length === 1);
  assert.equal(s.closes[0][0], 1006);
  assert.deepEqual(heard, ["z"]);
});

test("a server that says no is heard: 401 with a body, a redirect", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s]);
  s.onUpgrade = (req, socket) => {
    if (req.url.endsWith("login")) socket.end("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n");
    else socket.end("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Own\r\nContent-Length: 12\r\n\r\nwho are you?");
    return true;
  };
  const no = await refused(t, node, "/app/x");
  assert.equal(no.status, 401);
  assert.equal(no.body, "who are you?");
  assert.equal(no.headers["www-authenticate"], "Own");
  const there = await refused(t, node, "/app/login");
  assert.equal(there.status, 302);
  assert.equal(there.headers.location, "/login");
  await until(async () => (await metric(node.origin, 'terrane_shard_passing{of="none"}')) === 0);
});

test("a server that is down is a 502, and is there again when it is back", async (t) => {
  const s = await Passed.start();
  const { node } = await behind(t, [s]);
  await joined(t, node, "/app/x");
  await s.die();
  const no = await refused(t, node, "/app/x");
  assert.equal(no.status, 502);
  assert.deepEqual(JSON.parse(no.body), { error: "No server can be reached" });
  const post = await request(node.origin, { method: "POST", path: "/app/y", body: "x" });
  assert.equal(post.status, 502);
  await Passed.start(t, { port: s.port });
  await joined(t, node, "/app/x");
});

test("clients of one key meet at one server through any node; when it dies they meet at another", async (t) => {
  const servers = [await Passed.start(null, { name: "a" }), await Passed.start(null, { name: "b" }), await Passed.start(null, { name: "c" })];
  const alive = new Set(servers);
  t.after(() => Promise.all([...alive].map((s) => s.die())));
  const { nodes } = await behind(t, servers, { path: "/app/{room}/*" }, { nodes: 2 });
  const meet = async (room) => {
    const names = [];
    for (const node of nodes) {
      const ws = await joined(t, node, `/app/${room}/x`);
      names.push(ws.answer.headers["x-name"], (await request(node.origin, { path: `/app/${room}/poll` })).headers["x-name"]);
      ws.close();
    }
    assert.equal(new Set(names).size, 1, `${room}: ${names}`);
    return names[0];
  };
  const before = new Map();
  for (let i = 0; i < 12; i++) before.set(`r${i}`, await meet(`r${i}`));
  assert.equal(new Set(before.values()).size, 3);
  const dead = servers[0];
  alive.delete(dead);
  await dead.die();
  for (const [room, name] of before) {
    const now = await meet(room);
    if (name !== "a") assert.equal(now, name, room);
    else assert.notEqual(now, "a");
  }
}, { seconds: 60 });

test("a session of polling sticks to its server by cookie, query, header and address", async (t) => {
  const servers = [await Passed.start(t, { name: "a" }), await Passed.start(t, { name: "b" }), await Passed.start(t, { name: "c" })];
  const { node } = await behind(t, servers, { key: ["cookie:io", "query:sid", "header:X-Room", "address"] });
  const ask = async (path, headers = {}) => (await request(node.origin, { path, headers })).headers["x-name"];
  const seen = new Set();
  for (let i = 0; i < 12; i++) {
    const byCookie = await ask("/app/", { cookie: `a=1; io=k${i}` });
    assert.equal(await ask("/app/?sid=other", { cookie: `io=k${i}; b=2` }), byCookie);
    assert.equal(await ask(`/app/?x=1&sid=k${i}`), byCookie);
    assert.equal(await ask("/app/z", { "x-room": `k${i}` }), byCookie);
    seen.add(byCookie);
  }
  assert.equal(seen.size, 3);
  const byAddress = await ask("/app/");
  for (let i = 0; i < 5; i++) assert.equal(await ask(`/app/${i}`), byAddress);
});

test("HTTP of all kinds passes: HEAD, cookies, bodies both ways, slow answers, events", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s]);
  const head = await request(node.origin, { method: "HEAD", path: "/app/h?x=1", headers: { cookie: "a=b" } });
  assert.equal(head.status, 200);
  assert.equal(head.headers["x-name"], "a");
  const got = await request(node.origin, { method: "DELETE", path: "/app/d%2Fe/?q", headers: { authorization: "Bearer theirs" } });
  const said = JSON.parse(got.body);
  assert.equal(said.url, "/app/d%2Fe/?q");
  assert.equal(said.method, "DELETE");
  assert.equal(said.headers.authorization, "Bearer theirs");
  s.onRequest = async (req, res) => {
    if (req.url.endsWith("events")) {
      res.writeHead(200, { "content-type": "text/event-stream" });
      for (let i = 0; i < 3; i++) {
        res.write(`data: ${i}\n\n`);
        await tick(30);
      }
      return res.end();
    }
    const hash = createHash("md5");
    for await (const chunk of req) hash.update(chunk);
    res.end(hash.digest("hex"));
  };
  const block = randomBytes(8 << 20);
  const answer = await new Promise((resolve, reject) => {
    const req = http.request({ host: "127.0.0.1", port: node.port, path: "/app/up", method: "POST" }, resolve).on("error", reject);
    req.write(block);
    req.end(block);
  });
  let text = "";
  for await (const chunk of answer) text += chunk;
  assert.equal(text, createHash("md5").update(block).update(block).digest("hex"));
  const events = await new Promise((resolve) => http.get({ host: "127.0.0.1", port: node.port, path: "/app/events" }, resolve));
  const parts = [];
  for await (const chunk of events) parts.push(chunk.toString());
  assert.equal(parts.join(""), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  assert.ok(parts.length > 1);
});

test("an answer that does not come in PASS_ANSWER_TIMEOUT is a 504", async (t) => {
  const s = await Passed.start(t);
  s.onRequest = () => {};
  const { node } = await behind(t, [s], {}, { nodeEnv: { PASS_ANSWER_TIMEOUT: "300ms" } });
  assert.equal((await request(node.origin, { path: "/app/x" })).status, 504);
});

test("a slow reader holds its server back, and the node keeps little", async (t) => {
  const s = await Passed.start(t);
  const { node } = await behind(t, [s]);
  const ws = await joined(t, node, "/app/x");
  const server = s.sockets[0], part = randomBytes(1 << 20);
  const before = resident(node.pid);
  ws.pause();
  for (let i = 0; i < 64; i++) server.send(part);
  await until(async () => { // some of it is taken, and then no more
    const waits = server.bufferedAmount;
    await tick(100);
    return waits < 64 << 20 && waits === server.bufferedAmount;
  }, "the node to take no more");
  assert.ok(server.bufferedAmount > 32 << 20, `${server.bufferedAmount}`);
  assert.ok(resident(node.pid) - before < 24, `${resident(node.pid) - before} MiB`);
  ws.resume();
  await until(() => ws.heard.length === 64);
  assert.ok(ws.heard.every(({ data }) => data.equals(part)));
}, { seconds: 60 });

test("a token that is ours is not the server's, and a browser that offered it gets an answer", async (t) => {
  const s = await Passed.start(t, { handleProtocols: (offered) => (offered.has("chat") ? "chat" : false) });
  const { node } = await behind(t, [s], { auth: "jwt" }, { nodeEnv: { AUTH_JWT_SECRET: jwtSecret } });
  const token = jwt({ sub: "ann", exp: Math.floor(Date.now() / 1000) + 600 }, jwtSecret);
  assert.equal((await refused(t, node, "/app/x")).status, 401);
  assert.equal((await joined(t, node, "/app/x", ["terrane", `token.${token}`])).protocol, "terrane");
  assert.equal((await joined(t, node, "/app/x", ["terrane", `token.${token}`, "chat"])).protocol, "chat");
  assert.equal((await joined(t, node, `/app/x?a=1&token=${token}&b=2`)).protocol, "");
  assert.equal(s.upgrades[2].url, "/app/x?a=1&b=2");
  for (const { rawHeaders, headers } of s.upgrades) {
    assert.ok(!rawHeaders.join("\n").includes(token));
    assert.equal(headers["x-terrane-subject"], "ann");
    assert.equal(JSON.parse(headers["x-terrane-claims"]).sub, "ann");
  }
  const res = await request(node.origin, { path: "/app/y", headers: { authorization: `Bearer ${token}` } });
  assert.equal(res.status, 200);
});

/* ---- with a shard */

const W = "/api/v1/worlds/world-default";
async function makeRoom(world, name, seats) {
  const made = await request(world.origin, { method: "PUT", path: `${W}/rooms/${name}`, headers: bearer("*"), body: JSON.stringify({ maxPlayersPerShard: seats, minShards: 1, maxShards: 1 }) });
  assert.equal(made.status, 201);
}
const game = (more = {}) => routes({ path: "/game/{shard}/*", mode: "pass", ...more });

test("clients of a shard have seats: the third of two is refused, and comes in when one goes", async (t) => {
  const s = await Passed.start(t);
  const { world, node } = await cluster(t, { rooms: s.origin, nodeEnv: game() });
  await makeRoom(world, "arena", 2);
  const shards = async () => JSON.parse((await request(world.origin, { path: `${W}/shards?room=arena`, headers: bearer("*") })).body).items;
  const [{ shardId: id }] = await shards();
  const a = await joined(t, node, `/game/${id}/x?id=a`);
  await joined(t, node, `/game/${id}/x?id=b`);
  assert.equal(s.upgrades[0].url, `/game/${id}/x?id=a`);
  assert.equal(s.upgrades[0].headers["x-shard-id"], id);
  assert.equal(s.upgrades[0].headers["x-shard-room-id"], "arena");
  assert.equal(s.upgrades[0].headers["x-shard-world-id"], "world-default");
  assert.equal(s.upgrades[0].headers["x-access-shard"], undefined);
  const no = await refused(t, node, `/game/${id}/x?id=c`);
  assert.equal(no.status, 503);
  await until(async () => (await shards())[0].currentConnections === 2);
  a.close();
  await until(async () => (await shards())[0].currentConnections === 1);
  await joined(t, node, `/game/${id}/x?id=c`);
  const get = await request(node.origin, { path: `/game/${id}/state` });
  assert.equal(JSON.parse(get.body).url, `/game/${id}/state`);
  assert.equal(JSON.parse(get.body).headers["x-shard-room-id"], "arena");
});

test("a kick closes with 1008, and the server hears that its client went", async (t) => {
  const s = await Passed.start(t);
  const { world, node } = await cluster(t, { rooms: s.origin, nodeEnv: game({ secret: true }) });
  await makeRoom(world, "hall", 10);
  const placed = await request(world.origin, { method: "POST", path: "/parties/world/world-default/connect", body: JSON.stringify({ roomId: "hall" }) });
  const ws = await joined(t, node, `/game/${JSON.parse(placed.body).shardId}?id=ann`);
  assert.equal(s.upgrades[0].headers["x-access-shard"], secret);
  const kick = await request(world.origin, { method: "POST", path: `${W}/rooms/hall/kick`, headers: bearer("*"), body: JSON.stringify({ session: "ann" }) });
  assert.ok(kick.status < 300);
  await until(() => ws.closed && s.closes.length === 1);
  assert.deepEqual(ws.closed, [1008, "kicked"]);
  assert.equal(s.closes[0][0], 1001);
});

test("a client may come in at any node, and is served by the owner of its shard", async (t) => {
  const s = await Passed.start(t);
  const { world, nodes } = await cluster(t, { nodes: 3, rooms: s.origin, nodeEnv: game() });
  const placed = await request(world.origin, { method: "POST", path: "/parties/world/world-default/connect", body: JSON.stringify({ roomId: "plaza" }) });
  const { shardId: id } = JSON.parse(placed.body);
  const all = [];
  for (const [i, node] of nodes.entries()) all.push(await joined(t, node, `/game/${id}/x?id=s${i}`, [], { headers: { "x-forwarded-for": "9.9.9.9" } }));
  for (const ws of all) {
    ws.send("hi");
    await until(() => ws.heard.length === 1);
  }
  const counts = await Promise.all(nodes.map((n) => metric(n.origin, 'terrane_shard_passing{of="shards"}')));
  assert.deepEqual(counts.sort(), [0, 0, 3]);
  for (const req of s.upgrades) {
    assert.equal(req.headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(req.headers["x-terrane-sign"], undefined);
    assert.match(req.headers["x-forwarded-host"], /^127\.0\.0\.1:\d+$/);
  }
  const urls = await Promise.all(nodes.map(async (n) => JSON.parse((await request(n.origin, { path: `/game/${id}/http` })).body).url));
  assert.deepEqual(urls, Array(3).fill(`/game/${id}/http`));
});

test("a drain closes with 1012 between frames, never inside one", async (t) => {
  const s = await Passed.start(t);
  const { node } = await cluster(t, { rooms: s.origin, nodeEnv: { ...routes(rule([s]), { path: "/game/{shard}/*", mode: "pass" }), DRAIN_DEADLINE: "1s" } });
  const clients = [await joined(t, node, `/game/${shardId()}/x?id=a`), await joined(t, node, "/app/x"), await joined(t, node, "/app/y")];
  const sent = randomBytes(200000);
  const busy = setInterval(() => s.sockets.forEach((ws) => ws.readyState === 1 && ws.send(sent)), 5);
  t.after(() => clearInterval(busy));
  await until(() => clients.every((ws) => ws.heard.length > 0));
  const ended = node.stop();
  await until(() => clients.every((ws) => ws.closed));
  clearInterval(busy);
  for (const ws of clients) {
    assert.equal(ws.closed[0], 1012);
    assert.match(ws.closed[1], /^restart;retry=\d+-\d+$/);
    assert.ok(ws.heard.every(({ data }) => data.equals(sent)));
  }
  await until(() => s.closes.length === 3);
  assert.ok(s.closes.every(([code]) => code === 1001 || code === 1006), JSON.stringify(s.closes));
  assert.equal(await ended, 0);
});

test("a rule that is wrong is named at the start", async () => {
  const env = { SHARD_SECRET: secret, ROOM_SERVERS: "none", ...routes({ path: "/a", mode: "pass" }) };
  const { stderr } = await finish("terrane-shard", ["--check-config"], env, 2);
  assert.match(stderr, /ROUTES: \[0\]\.servers: none is named/);
});
