// Promises that can be shown: tickets of /connect, spent at the node that serves; and rooms that are not public.
import assert from "node:assert/strict";
import http from "node:http";
import { webcrypto } from "node:crypto";
import { signal } from "@signe/reactive";
import { sync } from "@signe/sync";
import { connectionRoom } from "@signe/sync/client";
import WebSocket from "ws";
import { test, until } from "../lib/runner.mjs";
import { finish, folder, freePort, jwtSecret, secret, startNode, startWorld } from "../lib/process.mjs";
import { bearer as operator, client, cluster, post, request } from "../lib/cluster.mjs";
import { metric, nodesAlive } from "../lib/metrics.mjs";
import { badTickets, readTicket, ticket } from "../lib/tickets.mjs";
import { token } from "../lib/tokens.mjs";

globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global; the client asks for it

const required = { REQUIRE_TICKET: "1" };
const worldPath = "/parties/world/world-default";
const lobby = (more = {}) => ({ name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 10, minShards: 1, ...more });
const encoded = encodeURIComponent;

/** A cluster whose world knows its nodes, with a room `lobby`. */
async function ready(t, { nodes = 1, nodeEnv = required, worldEnv = {}, room = {} } = {}) {
  const c = await cluster(t, { nodes, nodeEnv, worldEnv });
  await nodesAlive(c.world, nodes);
  const made = await post(c.world.origin, `${worldPath}/register-room`, lobby(room));
  assert.equal(made.status, 200, made.body);
  return c;
}

/** What /connect promises. */
async function connect(c, body = {}, headers = {}) {
  const answer = await post(c.world.origin, `${worldPath}/connect`, { roomId: "lobby", direct: true, ...body }, headers);
  return { status: answer.status, error: answer.json.error, ...answer.json };
}
const path = (p, more = "") => `/parties/shard/${encoded(p.shardId)}?id=${encoded(p.session)}&ticket=${p.ticket}${more}`;

/** Tries to come in: { status, error } of a refusal, or 101. */
function knock(origin, at) {
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  return new Promise((resolve, reject) => {
    const req = http.get(`${origin}${at}`, { agent: false, headers: upgrade }, (res) => {
      let body = "";
      res.on("data", (data) => (body += data)).on("end", () => resolve({ status: res.statusCode, headers: res.headers, error: JSON.parse(body).error }));
    });
    req.on("upgrade", (res, socket) => (socket.destroy(), resolve({ status: 101 }))).on("error", reject);
  });
}
async function comesIn(t, origin, at) {
  const one = client(t, `${origin}${at}`);
  await one.open();
  assert.ok(one.opened, JSON.stringify(one.closed));
  return one;
}
async function isRefused(origin, at, status, error) {
  const answer = await knock(origin, at);
  assert.equal(answer.status, status, `${at}: ${JSON.stringify(answer)}`);
  if (error) assert.match(answer.error, error);
  return answer;
}

test("a ticket lets in once, and the room never sees it", async (t) => {
  const c = await ready(t);
  const p = await connect(c);
  assert.equal(p.endpoint, `${c.node.origin.replace("http", "ws")}/parties/shard/${encoded(p.shardId)}`);
  assert.match(p.session, /^[\w-]{22}$/);
  assert.ok(p.expiresAt > Date.now() + 5000 && p.expiresAt < Date.now() + 16000);
  const one = client(t, `${p.endpoint}?ticket=${p.ticket}&x=1`); // its session is the ticket's
  await one.open();
  assert.ok(one.opened, JSON.stringify(one.closed));
  await c.room.tells(`+${p.session}`);
  assert.match(c.room.frames[0].requestInfo.url, /\?x=1$/);
  assert.doesNotMatch(JSON.stringify(c.room.frames[0]), new RegExp(p.ticket.split(".")[2]));
  await isRefused(c.node.origin, path(p), 403, /has been used/);
  one.end();
  await until(async () => (await metric(c.node.origin, "terrane_shard_clients")) === 0, "it to be gone");
  await isRefused(c.node.origin, path(p), 403, /has been used/);
  const again = await connect(c, { session: p.session });
  await comesIn(t, c.node.origin, path(again));
  assert.doesNotMatch(c.node.log + c.world.log, new RegExp(p.ticket.split(".")[2]));
});

test("bad tickets open nothing, each for a reason", async (t) => {
  const c = await ready(t);
  const p = await connect(c, { session: "ann" });
  const at = (text) => path({ ...p, ticket: text });
  let count = 0;
  for (const [what, [text, status]] of Object.entries(badTickets(p.ticket))) {
    const answer = await knock(c.node.origin, at(text));
    assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer)}`);
    assert.match(answer.error, /ticket/, what);
    const { status: http } = await request(c.node.origin, { path: at(text) });
    assert.equal(http, what === "of another session" ? 200 : status, `${what}, over HTTP`);
    count++;
  }
  assert.ok(count > 20);
  const plain = `/parties/shard/${encoded(p.shardId)}`;
  const none = await isRefused(c.node.origin, plain, 401, /A ticket is needed/);
  assert.equal(none.headers["www-authenticate"], "Ticket");
  await isRefused(c.node.origin, `${path(p)}&ticket=${p.ticket}`, 401, /not valid/);
  await isRefused(c.node.origin, `${plain}?token=${p.ticket}`, 401, /A ticket is needed/);
  await isRefused(c.node.origin, `${plain}?ticket=${token({ rooms: ["*"] })}`, 401, /not valid/);
  await isRefused(c.node.origin, `${plain}?id=bob&ticket=${p.ticket}`, 403, /another shard or session/);
  await isRefused(c.node.origin, `/parties/shard/lobby:world-default:1700000000000-1?ticket=${p.ticket}`, 403, /another shard or session/);
  assert.equal(await metric(c.node.origin, "terrane_shard_clients_accepted_total"), 0);
  await comesIn(t, c.node.origin, path(p)); // none of this has spent it
});

test("no rule without a shard can want tickets", async () => {
  const env = { SHARD_SECRET: secret, CLIENT_AUTH: "ticket", ROUTES: '[{"path":"/chat/*","mode":"pass"}]' };
  assert.match((await finish("terrane-shard", ["--check-config"], env, 2)).stderr, /ROUTES: \[0\]\.auth: tickets are for paths with {shard}/);
});

test("a ticket may come as a subprotocol", async (t) => {
  const c = await ready(t);
  const p = await connect(c);
  const one = client(t, p.endpoint, { protocols: ["terrane", `ticket.${p.ticket}`] });
  await one.open();
  assert.ok(one.opened, JSON.stringify(one.closed));
  assert.equal(one.ws.protocol, "terrane");
  await c.room.tells(`+${p.session}`);
});

test("names hold anything, and the ticket with them", async (t) => {
  const c = await ready(t);
  for (const [roomId, session] of [["a b/ü:%?#", "p&q=ü 1"], ["__proto__", "\u0001"], ["x".repeat(1000), "y".repeat(1000)]]) {
    const p = await connect(c, { roomId, session });
    await comesIn(t, c.node.origin, path(p));
    await c.room.tells(`+${session}`);
  }
});

test("of 50 callers exactly those come in who were promised one of 5 seats", async (t) => {
  const c = await ready(t, { room: { maxPlayersPerShard: 5, maxShards: 1 } });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => connect(c, { session: `p${i}` })));
  const promised = answers.filter((a) => a.status === 200);
  assert.equal(promised.length, 5);
  assert.ok(answers.every((a) => a.status === 200 || a.status === 503));
  const { shardId } = promised[0];
  const intruders = Array.from({ length: 20 }, (_, i) => knock(c.node.origin, `/parties/shard/${encoded(shardId)}?id=q${i}`));
  const clients = promised.map((p) => comesIn(t, c.node.origin, path(p)));
  const replays = promised.map((p) => clients[0].then(() => knock(c.node.origin, path(p))));
  await Promise.all(clients);
  for (const answer of await Promise.all(intruders)) assert.equal(answer.status, 401);
  for (const answer of await Promise.all(replays)) assert.equal(answer.status, 403, answer.error);
  assert.equal(await metric(c.node.origin, "terrane_shard_clients"), 5);
  await c.room.tells("+" + promised[4].session);
});

test("whoever finds no seat has not spent its ticket", async (t) => {
  const c = await ready(t, { nodeEnv: {}, room: { maxPlayersPerShard: 1, maxShards: 1 } });
  const p = await connect(c, { session: "ann" });
  const thief = client(t, `${p.endpoint}?id=thief`); // this node needs no tickets
  await thief.open();
  await isRefused(c.node.origin, path(p), 503);
  thief.ws.close();
  await until(async () => (await metric(c.node.origin, "terrane_shard_clients")) === 0, "it to be gone");
  await comesIn(t, c.node.origin, path(p));
  await isRefused(c.node.origin, path(p), 403, /has been used/);
});

test("where no ticket is needed a good one counts, a bad one is refused, and other texts are the room's", async (t) => {
  const c = await ready(t, { nodeEnv: {} });
  const p = await connect(c);
  await isRefused(c.node.origin, path({ ...p, ticket: ticket(readTicket(p.ticket), { key: "other" }) }), 401);
  await comesIn(t, c.node.origin, path(p));
  await isRefused(c.node.origin, path(p), 403, /has been used/);
  await comesIn(t, c.node.origin, `/parties/shard/${encoded(p.shardId)}?id=own&ticket=own`);
  await c.room.tells("+own");
  assert.match(c.room.frames.at(-1).requestInfo.url, /\?id=own&ticket=own$/);
});

test("a ticket opens requests until it expires, spent or not", async (t) => {
  const c = await ready(t);
  const p = await connect(c);
  const at = `/parties/shard/${encoded(p.shardId)}/poll?ticket=`;
  const poll = async (text) => (await request(c.node.origin, { path: `${at}${text}` })).status;
  assert.equal(await poll(p.ticket), 200);
  assert.equal(await poll(p.ticket), 200);
  await comesIn(t, c.node.origin, path(p));
  assert.equal(await poll(p.ticket), 200);
  assert.equal(await poll(ticket({ ...readTicket(p.ticket), expires: Date.now() - 31000 })), 401);
  assert.equal((await request(c.node.origin, { path: at.split("?")[0] })).status, 401);
  assert.ok(c.room.requests.every((r) => !r.url.includes("ticket")));
});

test("a ticket is shown at any entry, and spent at the owner", async (t) => {
  const c = await ready(t, { nodes: 2 });
  for (const origin of [c.nodes[0].origin, c.nodes[1].origin, c.world.origin]) {
    const p = await connect(c);
    await isRefused(origin, `/parties/shard/${encoded(p.shardId)}`, 401);
    await comesIn(t, origin, path(p));
    await c.room.tells(`+${p.session}`);
    for (const other of [...c.nodes, c.world]) await isRefused(other.origin, path(p), 403, /has been used/);
    await isRefused(origin, path({ ...p, ticket: ticket({ ...readTicket(p.ticket), shard: "x", nonce: undefined }) }), 403, /another shard/);
  }
  const held = await Promise.all(c.nodes.map((n) => metric(n.origin, "terrane_shard_clients")));
  assert.deepEqual(held.sort(), [0, 3]);
});

test("the ticket of a drained shard lets into the one that the world names instead", async (t) => {
  const c = await ready(t, { nodes: 2, room: { minShards: 2, maxShards: 2 } });
  const drained = await connect(c, { session: "s0" });
  const other = await connect(c, { session: "s1" });
  const answer = await post(c.world.origin, `/api/v1/worlds/world-default/shards/${encoded(drained.shardId)}/drain`, {}, operator("*"));
  assert.ok(answer.status < 300, answer.body);
  for (const [i, entry] of [c.nodes[0], c.nodes[1], c.world].entries()) {
    const nonce = Buffer.alloc(16, i + 1);
    const p = { ...drained, ticket: ticket({ ...readTicket(drained.ticket), nonce }) };
    await isRefused(entry.origin, path({ ...p, shardId: other.shardId }), 403, /another shard/);
    const one = await until(async () => {
      const tried = client(t, `${entry.origin}${path(p)}`);
      await tried.open();
      return tried.opened && tried;
    }, "the substitute");
    await isRefused(entry.origin, path(p), 403, /has been used/);
    one.ws.close();
    await one.close_();
  }
  await c.room.tells("+s0", "-s0");
  assert.ok(c.room.links.every((link) => link.headers["x-shard-id"] === other.shardId || link.frames.length === 0));
});

test("a ticket of a world process that died is refused once its successor is known", async (t) => {
  const env = { DATA_DIR: folder(), PORT: String(await freePort()) };
  const c = await ready(t, { worldEnv: env });
  const p = await connect(c);
  await c.world.stop();
  c.world = await startWorld(env);
  await nodesAlive(c.world, 1);
  const again = await until(async () => {
    const answer = await connect(c);
    return answer.status === 200 && answer;
  }, "a new promise");
  assert.equal(again.shardId, p.shardId);
  await until(async () => (await knock(c.node.origin, path(p))).status === 403, "the old ticket to be refused");
  await isRefused(c.node.origin, path(p), 403, /earlier owner/);
  await comesIn(t, c.node.origin, path(again));
});

test("secrets rotate: any of the node's verifies, the world's first signs", async (t) => {
  const [old, next] = [secret, "the-next-secret-of-the-tests-0123456789abcdef"];
  const c = await ready(t, { worldEnv: { SHARD_SECRET: `${next},${old}` }, nodeEnv: { ...required, SHARD_SECRET: `${old}, ${next}` } });
  const p = await connect(c);
  await comesIn(t, c.node.origin, path(p));
  const says = { ...readTicket(p.ticket), nonce: undefined };
  await comesIn(t, c.node.origin, path({ ...p, ticket: ticket(says, { key: old }) }));
  await comesIn(t, c.node.origin, path({ ...p, ticket: ticket(says, { key: next }) }));
  await isRefused(c.node.origin, path({ ...p, ticket: ticket(says, { key: `${next},${old}` }) }), 401, /not valid/);
});

test("the client of @signe comes in with a ticket in PartySocket's query", async (t) => {
  const c = await ready(t, { worldEnv: { REQUIRE_TICKET: "1" } });
  class View {
    count = signal(-1);
  }
  sync()(View.prototype, "count");
  let promises = 0;
  const shard = (await connect(c)).shardId;
  const query = async () => {
    promises++;
    const p = await connect(c, { direct: undefined, session: "ann" }); // the world gives tickets to all
    return { id: p.session, ticket: p.ticket };
  };
  const connection = await connectionRoom({ host: c.node.origin, party: "shard", room: shard, query, WebSocket }, new View());
  t.after(() => connection.close());
  await c.room.tells("+ann");
  const link = await c.room.link();
  c.room.send({ type: "shard.closeClient", privateId: "ann" }, link);
  await c.room.tells("+ann", "-ann", "+ann"); // it comes again by itself, with another ticket
  assert.ok(promises >= 2);
});

const greeting = (claims) => ({ event: "authenticate", data: { token: token(claims) } });
const byMessage = { CLIENT_AUTH: "message", AUTH_JWT_SECRET: jwtSecret };

test("who greets may need a ticket besides, which is spent when it is in", async (t) => {
  const c = await ready(t, { nodeEnv: { ...required, ...byMessage } });
  const p = await connect(c);
  await isRefused(c.node.origin, `/parties/shard/${encoded(p.shardId)}`, 401, /A ticket is needed/);
  const bad = await comesIn(t, c.node.origin, path(p));
  bad.send(greeting({ exp: 1 }));
  assert.equal((await bad.close_()).code, 4003);
  const [one, two] = [await comesIn(t, c.node.origin, path(p)), await comesIn(t, c.node.origin, path(p))];
  one.send(greeting({ sub: "ann" }));
  await c.room.tells(`+${p.session}`);
  two.send(greeting({ sub: "ann" }));
  assert.equal((await two.close_()).code, 4003);
  await isRefused(c.node.origin, path(p), 403, /has been used/);
  assert.equal(c.room.frames[0].requestInfo.headers["x-terrane-subject"], "ann");
});

// ---- rooms that are not public

const enforce = { PRIVATE_ROOMS: "enforce" };
const bearer = (claims) => ({ authorization: `Bearer ${token(claims)}` });

/** A cluster with `lobby`, which is private. */
async function closed(t, more = {}) {
  const c = await ready(t, { worldEnv: enforce, nodeEnv: { ...enforce, AUTH_JWT_SECRET: jwtSecret }, room: { public: false }, ...more });
  c.shard = (await connect(c, {}, bearer({ rooms: ["lobby"] }))).shardId;
  c.at = `/parties/shard/${encoded(c.shard)}`;
  return c;
}
const joinAs = async (t, origin, at, headers) => {
  const one = client(t, `${origin}${at}`, { headers });
  await one.open();
  return one.opened ? 101 : one.failed.status;
};

test("a private room wants a token for it, at the world", async (t) => {
  const c = await closed(t);
  assert.equal((await connect(c)).status, 401);
  assert.match((await connect(c)).error, /private room lobby/);
  assert.equal((await connect(c, {}, bearer({}))).status, 403);
  assert.equal((await connect(c, {}, bearer({ rooms: ["hall"] }))).status, 403);
  assert.equal((await connect(c, {}, bearer({ rooms: ["*"], worlds: ["world-b"] }))).status, 403);
  assert.equal((await connect(c, {}, bearer({ rooms: ["*"], exp: 1 }))).status, 401);
  assert.equal((await connect(c, {}, bearer({ rooms: ["*"], worlds: ["*"] }))).status, 200);
  assert.equal((await connect(c, { token: token({ rooms: ["lobby"] }) })).status, 200);
  assert.equal((await connect(c, { roomId: "hall" })).status, 200);
  const all = { rooms: ["*"], worlds: ["*"], scope: "admin" };
  for (const path of ["/api/v1/worlds", "/api/v1/worlds/world-default/rooms"]) assert.equal((await request(c.world.origin, { path, headers: bearer(all) })).status, 403);
  assert.equal((await post(c.world.origin, `${worldPath}/register-room`, lobby(), bearer(all))).status, 403);
});

test("a private room wants a ticket or a token for it, at any node", async (t) => {
  const c = await closed(t, { nodes: 2 });
  for (const { origin } of [...c.nodes, c.world]) {
    await isRefused(origin, c.at, 401, /private/);
    assert.equal((await request(origin, { path: `${c.at}/x` })).status, 401, "over HTTP");
    const rows = [
      [{}, 403],
      [{ rooms: ["hall"] }, 403],
      [{ rooms: ["lobby"], exp: 1 }, 401],
      [{ rooms: ["lobby"], worlds: ["world-b"] }, 403],
      [{ rooms: ["lobby"] }, 101],
      [{ rooms: ["*"] }, 101],
    ];
    for (const [claims, status] of rows) assert.equal(await joinAs(t, origin, c.at, bearer(claims)), status, JSON.stringify(claims));
    assert.equal((await request(origin, { path: `${c.at}/x`, headers: bearer({ rooms: ["lobby"] }) })).status, 200);
    const p = await connect(c, {}, bearer({ rooms: ["lobby"] }));
    await isRefused(origin, path({ ...p, ticket: ticket(readTicket(p.ticket), { key: "x" }) }), 401);
    await comesIn(t, origin, path(p));
    await isRefused(origin, path(p), 403, /has been used/);
  }
});

test("a private room wants a token for it in the first message, too", async (t) => {
  const c = await closed(t, { nodeEnv: { ...enforce, ...byMessage } });
  for (const [claims, in_] of [[{}, false], [{ rooms: ["hall"] }, false], [{ rooms: ["lobby"], sub: "ann" }, true]]) {
    const one = await comesIn(t, c.node.origin, `${c.at}?id=ann`);
    one.send(greeting(claims));
    if (in_) await c.room.tells("+ann");
    else assert.equal((await one.close_()).code, 4003, JSON.stringify(claims));
  }
});

test("there is no back door to a private room, and it can be opened", async (t) => {
  const c = await closed(t);
  const invented = "/parties/shard/lobby:world-default:1700000000000-1";
  await isRefused(c.node.origin, invented, 401, /private/);
  assert.equal((await request(c.node.origin, { path: `${invented}/x` })).status, 401);
  assert.equal(await joinAs(t, c.node.origin, "/parties/shard/hall:world-default:1700000000000-1", {}), 101);
  await post(c.world.origin, `${worldPath}/register-room`, lobby());
  await until(async () => (await joinAs(t, c.node.origin, c.at, {})) === 101, "the room to be open");
  await post(c.world.origin, `${worldPath}/register-room`, lobby({ public: false }));
  await until(async () => (await joinAs(t, c.node.origin, c.at, {})) === 401, "the room to be closed");
});

test("what no world has said is public needs a token where rooms can be private", async (t) => {
  const c = await closed(t);
  await c.world.kill();
  const unheard = "/parties/shard/hall:world-default:1700000000000-9";
  assert.equal(await joinAs(t, c.node.origin, unheard, {}), 401);
  assert.equal(await joinAs(t, c.node.origin, unheard, bearer({ rooms: ["hall"] })), 101);
  assert.equal(await joinAs(t, c.node.origin, c.at, bearer({ rooms: ["lobby"] })), 101);
  const other = await startNode(c.world.origin, c.room.origin, {});
  assert.equal(await joinAs(t, other.origin, unheard, {}), 101);
});
