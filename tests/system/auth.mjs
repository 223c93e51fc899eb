// Who may come in: tokens at the upgrade and with requests.
import assert from "node:assert/strict";
import http from "node:http";
import path from "node:path";
import { WebSocketServer } from "ws";
import { test, until } from "../lib/runner.mjs";
import { freePort, finish, jwtSecret, listening, root, secret, start, startNode, startWorld } from "../lib/process.mjs";
import { bearer as manager, client, cluster, join, request, shardId } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";
import { Room } from "../lib/room.mjs";
import { badTokens, now, p256, rsa, token } from "../lib/tokens.mjs";

const jwt = { CLIENT_AUTH: "jwt", AUTH_JWT_SECRET: jwtSecret, LOG_LEVEL: "debug" };
const at = `/parties/shard/${shardId()}`;
const bearer = (t) => ({ authorization: `Bearer ${t}` });
const refusals = (node, reason) => metric(node.origin, `terrane_shard_refusals_total{reason="${reason}"}`);

/** A client that tries to come in; it is open, or has the status that refused it. */
async function dial(t, node, { query = "", headers, protocols, shard = shardId() } = {}) {
  const c = client(t, `${node.origin}/parties/shard/${shard}${query}`, { headers, protocols });
  await c.open();
  return c;
}
async function comesIn(t, node, how, what = JSON.stringify(how)) {
  const c = await dial(t, node, how);
  assert.ok(c.opened, `${what}: ${JSON.stringify(c.closed)}`);
  return c;
}
async function isRefused(t, node, how, status, what = JSON.stringify(how)) {
  const c = await dial(t, node, how);
  assert.equal(c.failed?.status, status, `${what}: ${JSON.stringify(c.closed)}`);
}

/** A world that writes down what it is asked, and knows nothing. */
async function recordingWorld(t) {
  const w = { asked: [] };
  const server = http.createServer(async (req, res) => {
    let text = "";
    for await (const part of req) text += part;
    w.asked.push({ url: req.url, body: JSON.parse(text || "{}") });
    const beat = req.url.endsWith("/heartbeat");
    const body = beat ? { epoch: 5, version: 1, intervalMs: 100, others: 0, full: true, shards: [], drop: [] } : { error: "unknown", adopt: true };
    res.writeHead(beat ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => (server.closeAllConnections(), server.close()));
  w.origin = `http://127.0.0.1:${server.address().port}`;
  w.beats = () => w.asked.filter((a) => a.url.endsWith("/heartbeat"));
  return w;
}

/** A node behind which everything is written down. */
async function watched(t, env) {
  const world = await recordingWorld(t);
  const room = await Room.start();
  t.after(() => room.die());
  const node = await startNode(world.origin, room.origin, env);
  await until(() => world.beats().length > 0, "a beat");
  return { world, room, node };
}

/** Nothing was opened, nobody was asked (unless for the place), no seat was taken. */
async function nothingHappened({ world, room, node }, { placed = false } = {}) {
  const beats = world.beats().length;
  await until(() => world.beats().length > beats + 1, "two more beats");
  assert.equal(room.links.length + room.requests.length, 0, "the room server was reached");
  assert.ok(placed || world.asked.every((a) => a.url.endsWith("/heartbeat")), "a world was asked");
  for (const { body } of world.beats()) {
    assert.equal(body.shards.length, 0, "a shard was started");
    assert.ok(placed || body.node.connections === 0);
  }
  assert.equal(await metric(node.origin, "terrane_shard_clients_accepted_total"), 0);
  assert.equal(await metric(node.origin, "terrane_shard_shards"), 0);
}

test("whoever has no good token is refused before anything is opened", async (t) => {
  const all = await watched(t, jwt);
  const { node } = all;
  let bad = 0;
  for (const [name, text] of Object.entries(badTokens())) {
    await isRefused(t, node, { headers: bearer(text) }, 401, name);
    bad++;
    if (!/^[\w.-]*$/.test(text) || text === "") continue;
    await isRefused(t, node, { query: `?token=${text}` }, 401, `${name}, in the query`);
    await isRefused(t, node, { protocols: ["terrane", `token.${text}`] }, 401, `${name}, as a subprotocol`);
    assert.equal((await request(node.origin, { path: `${at}/state`, headers: bearer(text) })).status, 401, `${name}, over HTTP`);
    bad += 3;
  }
  assert.ok(bad > 100);
  assert.equal(await refusals(node, "bad_token"), bad);
  await isRefused(t, node, { headers: bearer(token({ x: "x".repeat(13000) })) }, 431, "16 KiB");
  await nothingHappened(all);
});

test("a token is shown once, in one of three places", async (t) => {
  const all = await watched(t, jwt);
  const { node } = all;
  const good = token();
  const several = {
    "header and query": { headers: bearer(good), query: `?token=${good}` },
    "header and subprotocol": { headers: bearer(good), protocols: ["terrane", `token.${good}`] },
    "query and subprotocol": { query: `?token=${good}`, protocols: [`token.${good}`] },
    "twice in the query": { query: `?token=${good}&token=${good}` },
    "twice in the query, once escaped": { query: `?token=${good}&%74oken=${good}` },
    "two subprotocols": { protocols: [`token.${good}`, `token.${token({ sub: "b" })}`] },
  };
  for (const [name, how] of Object.entries(several)) await isRefused(t, node, how, 401, name);
  assert.equal(await refusals(node, "bad_token"), Object.keys(several).length);
  const elsewhere = {
    "nowhere": {},
    "in a cookie": { headers: { cookie: `token=${good}` } },
    "as Basic": { headers: { authorization: `Basic ${good}` } },
    "without a scheme": { headers: { authorization: good } },
    "for a proxy": { headers: { "proxy-authorization": `Bearer ${good}` } },
    "as ?world-auth-token": { query: `?world-auth-token=${good}` },
    "in x-terrane-claims": { headers: { "x-terrane-subject": "root", "x-terrane-claims": '{"sub":"root"}' } },
    "as the session": { query: `?id=${good}` },
  };
  for (const [name, how] of Object.entries(elsewhere)) await isRefused(t, node, how, 401, name);
  assert.equal(await refusals(node, "no_token"), Object.keys(elsewhere).length);
  const answer = await rawAnswer(node, at);
  assert.equal(answer.headers["www-authenticate"], "Bearer");
  assert.equal(answer.headers["content-type"], "application/json");
  assert.match(answer.body, /"error"/);
  await nothingHappened(all);
});

/** An answer with all its headers. */
const rawAnswer = (node, path) =>
  new Promise((resolve, reject) => {
    http.get(`${node.origin}${path}`, { agent: false }, (res) => {
      let body = "";
      res.on("data", (data) => (body += data)).on("end", () => resolve({ status: res.statusCode, headers: res.headers, body }));
    }).on("error", reject);
  });

test("a good token for another world or room is refused with 403", async (t) => {
  const all = await watched(t, jwt);
  const { node } = all;
  const elsewhere = [{ worlds: ["world-b"] }, { worlds: [] }, { worlds: "*" }, { worlds: null }, { rooms: ["hall"] }, { rooms: "*" }, { rooms: "lobby" }, { rooms: [] }, { worlds: ["*"], rooms: ["Lobby"] }];
  for (const claims of elsewhere) {
    await isRefused(t, node, { headers: bearer(token(claims)) }, 403, JSON.stringify(claims));
    assert.equal((await request(node.origin, { path: at, headers: bearer(token(claims)) })).status, 403);
  }
  assert.equal(await refusals(node, "not_here"), 2 * elsewhere.length);
  await nothingHappened(all);
});

/** A room server on @signe/room that tells who joined, with what headers. */
async function signeRoom() {
  const port = await freePort();
  const p = start("room", process.execPath, [path.join(root, "tests/conformance/reference/room.mjs")], { PARTIES: "main", PORT: String(port), SHARD_SECRET: secret });
  await p.says(listening);
  p.origin = `http://127.0.0.1:${port}`;
  p.join = (id) =>
    until(async () => {
      const { json } = await request(p.origin, { path: "/parties/main/lobby/joins", headers: { "x-access-shard": secret } });
      return json?.joins?.find((j) => j.id === id);
    }, `${id} to join`);
  return p;
}

test("a room on @signe/room is told who came in, and never how", async (t) => {
  const rooms = await signeRoom();
  const { node } = await cluster(t, { rooms: rooms.origin, nodeEnv: jwt });
  const claims = { sub: "ann", exp: now() + 600, name: "Zoë", worlds: ["world-default"], rooms: ["lobby"] };
  const shown = token(claims);
  const forged = { "x-terrane-subject": "root", "x-terrane-claims": '{"sub":"root"}', "X-Terrane-Claims": "root" };
  const ways = {
    a: { query: "?id=a&x=1", headers: { ...bearer(shown), ...forged } },
    b: { query: `?token=${shown}&id=b&x=1`, headers: { authorization: "Basic kept", ...forged } },
    c: { query: "?id=c&x=1", protocols: ["terrane", `token.${shown}`] },
    d: { query: "?id=d&x=1", protocols: [`token.${shown}`, "terrane", "chat", "v2"] },
  };
  const chosen = { a: "", b: "", c: "terrane", d: "chat" };
  for (const [id, how] of Object.entries(ways)) {
    const c = await comesIn(t, node, how);
    assert.equal(c.ws.protocol, chosen[id]);
    await c.joined();
    const { headers, url } = await rooms.join(id);
    assert.equal(headers["x-terrane-subject"], "ann");
    assert.match(headers["x-terrane-claims"], /^[ -~]+$/);
    assert.deepEqual(JSON.parse(headers["x-terrane-claims"]), claims);
    assert.match(url, new RegExp(`\\?id=${id}&x=1$`));
    assert.doesNotMatch(JSON.stringify({ ...headers, authorization: "" }) + url, new RegExp(shown.split(".")[2]));
    assert.doesNotMatch(JSON.stringify(headers), /root/);
  }
  assert.equal((await rooms.join("b")).headers.authorization, "Basic kept");
  assert.equal((await rooms.join("c")).headers["sec-websocket-protocol"], "terrane");
  assert.equal((await rooms.join("d")).headers["sec-websocket-protocol"], "terrane, chat, v2");
  assert.doesNotMatch(node.log, new RegExp(shown.split(".").slice(1).join("|")));
});

test("requests bring the claims along, and lose the token", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: jwt });
  const shown = token({ sub: "zoë", n: 0.1 });
  const answer = await request(node.origin, { method: "POST", path: `${at}/score?a=1&token=${shown}&b=2`, headers: { "x-terrane-subject": "root" }, body: "x" });
  assert.equal(answer.status, 200);
  const { url, headers } = room.requests.find((r) => r.headers["x-forwarded-by-shard"]);
  assert.equal(url, "/parties/main/lobby/score?a=1&b=2");
  assert.equal(headers["x-terrane-subject"], "zo%C3%AB");
  assert.equal(JSON.parse(headers["x-terrane-claims"]).n, 0.1);
  assert.doesNotMatch(node.log, new RegExp(shown.split(".").slice(1).join("|")));
});

test("several secrets verify, and public keys, each by its own algorithm only", async (t) => {
  const { node, world, room } = await cluster(t, { nodeEnv: { ...jwt, AUTH_JWT_SECRET: `${"n".repeat(40)}, ${jwtSecret}` } });
  await comesIn(t, node, { headers: bearer(token()) });
  await comesIn(t, node, { headers: bearer(token({}, { key: "n".repeat(40) })) });
  await comesIn(t, node, { headers: bearer(token({ exp: 1e17 })) }, "exp far");
  await comesIn(t, node, { headers: bearer(token({ exp: now() + 600.5 })) }, "exp with a fraction");
  await comesIn(t, node, { headers: bearer(token({ nbf: now() + 20 })) }, "nbf within the leeway");
  await comesIn(t, node, { headers: bearer(token({ scope: "openid profile" })) }, "a scope of others");
  await isRefused(t, node, { headers: bearer(token({}, { key: `${"n".repeat(40)}, ${jwtSecret}` })) }, 401);
  for (const [alg, { pem, privateKey }] of Object.entries({ RS256: rsa, ES256: p256 })) {
    const keyed = await startNode(world.origin, room.origin, { ...jwt, AUTH_JWT_SECRET: pem, AUTH_JWT_ALG: alg });
    await comesIn(t, keyed, { headers: bearer(token({}, { key: privateKey, alg })) }, alg);
    const confused = {
      "HS256 under the public key": token({}, { key: pem }),
      "HS256 under the public key, trimmed": token({}, { key: pem.trim() }),
      "named as ours, under the public key": token({}, { key: pem, alg, by: "HS256" }),
      "HS256 under the secret": token(),
      "none": token({}, { key: privateKey, by: alg, header: { alg: "none" } }),
      "ours, but HS256 by name": token({}, { key: privateKey, by: alg, alg: "HS256" }),
    };
    for (const [name, text] of Object.entries(confused)) await isRefused(t, keyed, { headers: bearer(text) }, 401, `${alg}: ${name}`);
  }
});

test("the node that serves looks at the token again", async (t) => {
  const { node: owner, world, room } = await cluster(t, { nodeEnv: { ...jwt, NODE_ID: "owner" } });
  const made = await until(async () => {
    const body = JSON.stringify({ roomId: "lobby" });
    return (await request(world.origin, { method: "POST", path: "/parties/world/world-default/connect", body })).json.shardId;
  }, "a shard");
  const entry = await startNode(world.origin, room.origin, { NODE_ID: "entry" });
  const shard = encodeURIComponent(made);
  await isRefused(t, entry, { shard }, 401);
  await isRefused(t, entry, { shard, headers: bearer(token({ rooms: ["hall"] })) }, 403);
  assert.equal((await request(entry.origin, { path: `/parties/shard/${shard}/x` })).status, 401);
  const shown = token({ sub: "ann" });
  const c = await comesIn(t, entry, { shard, query: `?id=ann&token=${shown}`, protocols: ["chat"] });
  assert.equal(c.ws.protocol, "chat");
  await room.tells("+ann");
  assert.equal(room.frames[0].requestInfo.headers["x-terrane-subject"], "ann");
  assert.match(room.frames[0].requestInfo.url, /\?id=ann$/);
  assert.equal(await metric(owner.origin, "terrane_shard_clients"), 1);
});

const message = { CLIENT_AUTH: "message", AUTH_JWT_SECRET: jwtSecret, LOG_LEVEL: "debug" };
const greeting = (text, more = {}) => ({ event: "authenticate", data: { token: text, ...more } });

test("the first message says who it is, the room hears what comes behind it", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: message });
  const shown = token({ sub: "ann", rooms: ["lobby"] });
  for (const [id, pieces] of [["a", 1], ["b", 3], ["c", 1]]) {
    const c = await comesIn(t, node, { query: `?id=${id}&token=none`, protocols: ["chat"] });
    assert.equal(c.ws.protocol, "chat");
    c.ws._socket.cork(); // all of it in one packet
    const text = JSON.stringify(greeting(shown, { more: 1 }));
    const cut = Math.ceil(text.length / pieces);
    for (let at = 0; at < text.length; at += cut) c.ws.send(text.slice(at, at + cut), { binary: id === "c", fin: at + cut >= text.length });
    for (let n = 1; n <= 3; n++) c.send(`${n}`);
    c.ws.ping();
    c.ws._socket.uncork();
    await room.tells(`+${id}`, `${id}:1`, `${id}:2`, `${id}:3`);
    room.send({ targetClientId: id, data: "hello" });
    await c.until(() => c.frames.includes("hello") && c.pongs === 1);
    const { requestInfo } = room.frames.find((f) => f.privateId === id);
    assert.equal(requestInfo.headers["x-terrane-subject"], "ann");
    assert.match(requestInfo.url, new RegExp(`\\?id=${id}$`));
  }
  assert.doesNotMatch(JSON.stringify(room.frames) + node.log, new RegExp(`authenticate|${shown.split(".")[2]}`));
  assert.equal(await metric(node.origin, "terrane_shard_greetings"), 0);
  assert.equal(await metric(node.origin, "terrane_shard_clients"), 3);
});

test("first messages may be compressed, also by keys and limits read again", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { ...message, COMPRESSION: "1" } });
  const options = { perMessageDeflate: { threshold: 0 } };
  for (const id of ["a", "b"]) {
    const c = client(t, `${node.origin}${at}?id=${id}`, { options });
    await c.open();
    assert.match(JSON.stringify(c.ws.extensions), /deflate/);
    c.send(greeting(token()));
    c.send("1");
    await room.tells(`+${id}`, `${id}:1`);
    const bomb = client(t, `${node.origin}${at}`, { options });
    await bomb.open();
    bomb.send(greeting(token(), { x: "x".repeat(100000) }));
    assert.equal((await bomb.close_()).code, 1009);
    if (id === "a") node.child.kill("SIGHUP");
    await node.says(/"event":"(process|settings)\.reload/);
  }
});

test("who says something else first is closed with 4003, and nothing has happened", async (t) => {
  const all = await watched(t, message);
  const { node } = all;
  const good = token();
  const others = [
    "", "1", "null", "[]", "authenticate", good, "{}", '{"event":"authenticate"}', { event: "authenticate", data: null }, { event: "authenticate", data: good },
    { event: "authenticate", data: [good] }, { event: "authenticate", token: good }, { event: "Authenticate", data: { token: good } }, { event: ["authenticate"], data: { token: good } },
    greeting(5), greeting({ token: good }), greeting(""), `${JSON.stringify(greeting(good))} x`, { action: "increment", value: {} }, "[".repeat(5000), `[${"1,".repeat(5000)}1]`,
    greeting(token({ rooms: ["hall"] })), greeting(token({ worlds: ["world-b"] })), ...Object.values(badTokens()).filter((text) => text.length < 12000).map((text) => greeting(text)),
  ];
  for (const first of others) {
    const c = await comesIn(t, node, {});
    c.send(first);
    c.send(greeting(good)); // too late
    const closed = await c.close_();
    assert.deepEqual(closed, { code: 4003, reason: "authentication failed" }, JSON.stringify(first).slice(0, 200));
  }
  const big = await comesIn(t, node, {});
  big.send(greeting(good, { x: "x".repeat(16 * 1024) }));
  assert.equal((await big.close_()).code, 1009);
  const gone = await comesIn(t, node, {});
  gone.ws.terminate();
  await nothingHappened(all, { placed: true });
  assert.equal(await metric(node.origin, 'terrane_shard_client_closes_total{code="4003"}'), others.length);
  assert.equal(await metric(node.origin, "terrane_shard_greetings"), 0);
  assert.equal((await request(node.origin, { path: at })).status, 401);
});

test("who says nothing is closed with 4001, however often it pings", async (t) => {
  const all = await watched(t, { ...message, AUTH_TIMEOUT: "400ms", PING_INTERVAL: "100ms" });
  const silent = await comesIn(t, all.node, {});
  const slow = await comesIn(t, all.node, {});
  const start = Date.now();
  const timer = setInterval(() => {
    if (slow.ws.readyState !== 1) return;
    slow.ws.ping();
    slow.ws.send(Date.now() - start < 150 ? '{"event":' : " ", { fin: false });
  }, 100);
  t.after(() => clearInterval(timer));
  for (const c of [silent, slow]) assert.deepEqual(await c.close_(), { code: 4001, reason: "authentication timeout" });
  assert.ok(Date.now() - start >= 300 && slow.pongs > 0);
  await nothingHappened(all, { placed: true });
  assert.equal(await metric(all.node.origin, 'terrane_shard_client_closes_total{code="4001"}'), 2);
});

test("those who have not said who they are are few, and count as connections", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { ...message, AUTH_WAITING: "2", MAX_CONNECTIONS: "3" } });
  const waiting = [await comesIn(t, node, { query: "?id=a" }), await comesIn(t, node, { query: "?id=b" })];
  await isRefused(t, node, {}, 503, "AUTH_WAITING");
  assert.equal(await refusals(node, "greetings"), 1);
  waiting[0].send(greeting(token()));
  await room.tells("+a");
  waiting.push(await comesIn(t, node, { query: "?id=c" }));
  waiting[1].ws.close();
  await until(async () => (await metric(node.origin, "terrane_shard_greetings")) === 1, "one of them to be gone");
  waiting.push(await comesIn(t, node, { query: "?id=d" }));
  waiting[2].send(greeting(token()));
  waiting[3].send(greeting(token()));
  await room.tells("+c");
  await room.tells("+d");
  await isRefused(t, node, {}, 503, "MAX_CONNECTIONS");
  assert.equal(await refusals(node, "full"), 1);
});

test("a seat is taken when it is known who it is for", async (t) => {
  const { node, world, room } = await cluster(t, { nodeEnv: message });
  await request(world.origin, { method: "POST", path: "/parties/world/world-default/register-room", headers: { "x-access-shard": secret }, body: JSON.stringify({ name: "lobby", balancingStrategy: "random", public: true, maxPlayersPerShard: 1, minShards: 1, maxShards: 1 }) });
  const made = await until(async () => {
    const { json } = await request(world.origin, { method: "POST", path: "/parties/world/world-default/connect", body: JSON.stringify({ roomId: "lobby" }) });
    return json.shardId;
  }, "a shard");
  const shard = encodeURIComponent(made);
  const [a, b] = [await comesIn(t, node, { shard, query: "?id=a" }), await comesIn(t, node, { shard, query: "?id=b" })];
  b.send(greeting(token()));
  await room.tells("+b");
  a.send(greeting(token()));
  assert.deepEqual(await a.close_(), { code: 1013, reason: "no seat is free" });
  const banned = { method: "PUT", path: "/api/v1/worlds/world-default/rooms/lobby/bans/c", headers: manager("world-default"), body: '{"seconds":60}' };
  assert.ok([200, 201].includes((await request(world.origin, banned)).status));
  b.ws.close();
  await room.tells("+b", "-b");
  const beats = () => metric(node.origin, "terrane_shard_beats_total");
  const before = await beats();
  await until(async () => (await beats()) >= before + 2, "the ban to be known");
  const c = await comesIn(t, node, { shard, query: "?id=c" });
  c.send(greeting(token()));
  assert.deepEqual(await c.close_(), { code: 1008, reason: "banned" });
  assert.ok(!room.story.includes("+a") && !room.story.includes("+c"));
});

/** A server that answers each message with what it is, and writes down its handshakes. */
async function echoServer(t, { protocols, refuses, mute } = {}) {
  const server = http.createServer((req, res) => res.end("{}"));
  const wss = new WebSocketServer({ noServer: true, handleProtocols: protocols && (() => protocols) });
  const e = { shakes: [], sockets: wss.clients };
  server.on("upgrade", (req, socket, head) => {
    e.shakes.push({ url: req.url, headers: req.headers });
    if (mute) return t.after(() => socket.destroy());
    if (refuses) return socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    wss.handleUpgrade(req, socket, head, (ws) => {
      ws.on("message", (data, binary) => ws.send(data, { binary }));
      ws.on("error", () => {});
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  e.stop = () => (wss.clients.forEach((c) => c.terminate()), server.closeAllConnections(), server.close());
  t.after(e.stop);
  e.origin = `http://127.0.0.1:${server.address().port}`;
  return e;
}

/** A node with rules of mode pass, one with a shard and one without. */
async function passing(t, e, auth, env = {}) {
  const rules = [
    { path: "/game/{shard}", mode: "pass", servers: [e.origin], auth },
    { path: "/chat/{room}", mode: "pass", servers: [e.origin], auth },
  ];
  return (await cluster(t, { nodeEnv: { ...jwt, CLIENT_AUTH: "none", ROUTES: JSON.stringify(rules), ...env } })).node;
}
const paths = [`/game/${encodeURIComponent(shardId())}`, "/chat/lobby"];

test("clients that pass show tokens like others, and their server hears whose they are", async (t) => {
  const e = await echoServer(t, { protocols: false });
  const node = await passing(t, e, "jwt");
  const shown = token({ sub: "ann", rooms: ["lobby"] });
  for (const path of paths) {
    const refused = client(t, `${node.origin}${path}`);
    await refused.open();
    assert.equal(refused.failed?.status, 401);
    const other = client(t, `${node.origin}${path}?token=${token({ rooms: ["hall"] })}`);
    await other.open();
    assert.equal(other.failed?.status, 403);
    assert.equal(e.shakes.length, 0);
    const c = client(t, `${node.origin}${path}?x=1&token=${shown}`, { headers: { "x-terrane-subject": "root" } });
    await c.open();
    c.send("hello");
    await c.until(() => c.frames.includes("hello"));
    const { url, headers } = e.shakes.pop();
    assert.ok(url.endsWith("?x=1"), url);
    assert.equal(headers["x-terrane-subject"], "ann");
    assert.equal(JSON.parse(headers["x-terrane-claims"]).sub, "ann");
    const named = client(t, `${node.origin}${path}`, { protocols: ["terrane", `token.${shown}`] });
    await named.open();
    assert.equal(named.ws.protocol, "terrane");
    assert.doesNotMatch(JSON.stringify(e.shakes.pop()), new RegExp(shown.split(".")[2]));
    assert.equal((await request(node.origin, { path })).status, 401);
    assert.equal((await request(node.origin, { path, headers: bearer(shown) })).status, 200);
  }
});

test("a ticket lets one client pass, once", async (t) => {
  const e = await echoServer(t);
  const rules = JSON.stringify([{ path: "/game/{shard}", mode: "pass", servers: [e.origin], auth: "ticket" }]);
  const { node, world } = await cluster(t, { nodeEnv: { ROUTES: rules } });
  const { shardId: shard, ticket, session } = await until(async () => {
    const body = JSON.stringify({ roomId: "lobby", direct: true });
    const { json } = await request(world.origin, { method: "POST", path: "/parties/world/world-default/connect", body });
    return json?.ticket && json;
  }, "a ticket");
  const dialled = async (query) => {
    const c = client(t, `${node.origin}/game/${encodeURIComponent(shard)}?x=1${query}`);
    await c.open();
    return c.opened ? "open" : c.failed?.status;
  };
  assert.equal(await dialled(""), 401);
  assert.equal(await dialled(`&id=another&ticket=${ticket}`), 403);
  assert.equal(e.shakes.length, 0);
  assert.equal(await dialled(`&ticket=${ticket}`), "open");
  assert.ok(e.shakes[0].url.endsWith("?x=1"), e.shakes[0].url);
  assert.equal(await dialled(`&id=${encodeURIComponent(session)}&ticket=${ticket}`), 403);
  assert.equal(e.shakes.length, 1);
});

test("clients that pass can say who they are first, and their server hears it after that", async (t) => {
  const e = await echoServer(t);
  const node = await passing(t, e, "message");
  const shown = token({ sub: "ann", rooms: ["lobby"] });
  for (const path of paths) {
    for (const bad of ["hello", greeting(token({ rooms: ["hall"] })), greeting("x")]) {
      const c = client(t, `${node.origin}${path}`);
      await c.open();
      c.send(bad);
      assert.equal((await c.close_()).code, 4003);
    }
    assert.equal(e.shakes.length, 0);
    const c = client(t, `${node.origin}${path}?x=1&token=no`, { protocols: ["chat", "v2"], options: { perMessageDeflate: true } });
    await c.open();
    assert.equal(c.ws.protocol, "chat");
    c.ws._socket.cork();
    c.send(greeting(shown));
    const said = ["1", "x".repeat(100000), "é", "2"];
    for (const text of said) c.send(text);
    c.ws._socket.uncork();
    await c.until(() => c.frames.length === said.length, 4000, "all echoes");
    assert.deepEqual(c.frames, said);
    const { url, headers } = e.shakes.pop();
    assert.ok(url.endsWith("?x=1"), url);
    assert.equal(headers["x-terrane-subject"], "ann");
    assert.equal(headers["sec-websocket-protocol"], "chat");
    assert.equal(headers["sec-websocket-extensions"], undefined);
    assert.equal(await metric(node.origin, "terrane_shard_greetings"), 0);
    c.ws.close(4000, "bye");
    assert.deepEqual(await c.close_(), { code: 4000, reason: "bye" });
    await until(() => e.sockets.size === 0, "the server to hear of it");
  }
  assert.doesNotMatch(node.log, new RegExp(shown.split(".")[2]));
});

test("when their server does not want them, or is not there, they are told so", async (t) => {
  const e = await echoServer(t, { refuses: true });
  const node = await passing(t, e, "message", { DRAIN_DEADLINE: "2s" });
  const ask = async (path, then) => {
    const c = client(t, `${node.origin}${path}`);
    await c.open();
    c.send(greeting(token()));
    c.send("1");
    then?.(c);
    return c.close_(10000);
  };
  for (const path of paths) assert.deepEqual(await ask(path), { code: 1011, reason: "The server refused" });
  await ask(paths[0], (c) => c.ws.terminate()).catch(() => {});
  e.stop();
  for (const path of paths) assert.deepEqual(await ask(path), { code: 1013, reason: "No server can be reached" });
  await until(async () => (await metric(node.origin, "terrane_shard_clients")) === 0, "nobody to be left");
  assert.equal(await metric(node.origin, "terrane_shard_greetings"), 0);
});

test("nobody waits for a server longer than the client and the node do", async (t) => {
  const e = await echoServer(t, { mute: true });
  const node = await passing(t, e, "message", { DRAIN_DEADLINE: "2s" });
  const wait = async (path) => {
    const c = client(t, `${node.origin}${path}`);
    await c.open();
    c.send(greeting(token()));
    const before = e.shakes.length;
    await until(() => e.shakes.length > before, "a handshake");
    return c;
  };
  for (const path of paths) (await wait(path)).ws._socket.resetAndDestroy();
  await until(async () => (await metric(node.origin, "terrane_shard_clients")) === 0, "them to be gone");
  const waiting = [];
  for (const path of paths) waiting.push(await wait(path));
  const stopped = node.stop();
  for (const c of waiting) assert.equal((await c.close_()).code, 1012);
  assert.equal(await stopped, 0);
});

test("where one node passes clients on, the one that serves them listens", async (t) => {
  const { node: owner, world, room } = await cluster(t, { nodeEnv: { ...message, NODE_ID: "owner" } });
  const made = await until(async () => {
    const { json } = await request(world.origin, { method: "POST", path: "/parties/world/world-default/connect", body: JSON.stringify({ roomId: "lobby" }) });
    return json.shardId;
  }, "a shard");
  const entry = await startNode(world.origin, room.origin, { ...message, NODE_ID: "entry" });
  const c = await comesIn(t, entry, { shard: encodeURIComponent(made), query: "?id=ann", protocols: ["terrane"] });
  assert.equal(await metric(owner.origin, "terrane_shard_greetings"), 1);
  c.send(greeting(token({ sub: "ann" })));
  c.send("1");
  await room.tells("+ann", "ann:1");
  assert.equal(room.frames[0].requestInfo.headers["x-terrane-subject"], "ann");
});

test("a node that stops does not wait for first messages", async (t) => {
  const { node } = await cluster(t, { nodeEnv: message });
  const c = await comesIn(t, node, {});
  const stopped = node.stop();
  assert.deepEqual(await c.close_(), { code: 1012, reason: "restart;retry=1000-5000" });
  assert.equal(await stopped, 0);
});

test("without CLIENT_AUTH tokens are the room's own, but what the node says cannot be forged", async (t) => {
  const { node, room } = await cluster(t);
  const headers = { "x-terrane-subject": "root", "x-terrane-claims": "{}", ...bearer("own") };
  await join(t, node, "a&token=own&ticket=own", { headers, protocols: ["token.own", "terrane"] });
  await room.tells("+a");
  const { requestInfo } = room.frames[0];
  assert.match(requestInfo.url, /\?id=a&token=own&ticket=own$/);
  assert.equal(requestInfo.headers.authorization, "Bearer own");
  assert.equal(requestInfo.headers["sec-websocket-protocol"], "token.own,terrane");
  assert.doesNotMatch(JSON.stringify(requestInfo), /x-terrane/);
});

test("a node that is to judge tokens needs a key for it", async () => {
  const run = (env) => finish("terrane-shard", ["--check-config"], { SHARD_SECRET: secret, ...env }, 2);
  assert.match((await run({ CLIENT_AUTH: "jwt" })).stderr, /AUTH_JWT_SECRET: needed to verify the tokens that CLIENT_AUTH or ROUTES want/);
  assert.match((await run({ ROUTES: '[{"path":"/game/{shard}","mode":"mux","auth":"jwt"}]' })).stderr, /AUTH_JWT_SECRET: needed/);
  assert.match((await run({ CLIENT_AUTH: "jwt", AUTH_JWT_SECRET: "x".repeat(40), AUTH_JWT_ALG: "RS256" })).stderr, /AUTH_JWT_SECRET: no key for the algorithm of AUTH_JWT_ALG/);
  assert.match((await run({ CLIENT_AUTH: "always" })).stderr, /CLIENT_AUTH/);
});
