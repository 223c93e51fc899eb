// A busy session with marked secrets, good and guessed, at the wordiest log level: none of them may turn up where it does not belong.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { client, join, shardId } from "../lib/cluster.mjs";
import { finish, folder, startNode, startWorld } from "../lib/process.mjs";
import { exchange } from "../lib/raw.mjs";
import { Room } from "../lib/room.mjs";
import { now, token } from "../lib/tokens.mjs";

const secrets = {
  shard: "MARKshardnow-0123456789abcdef0123456789",
  shardOld: "MARKshardold-0123456789abcdef0123456789",
  jwt: "MARKjwtnow-0123456789abcdef0123456789abcdef",
  jwtOld: "MARKjwtold-0123456789abcdef0123456789abcdef",
  redis: "MARKredispassword",
};
const guessed = { access: "MARKguess-access", bearer: "MARKguess.bearer.token", query: "MARKguess-query", sign: "MARKguesssign", cookie: "MARKcookie", basic: "MARKbasic" };
const operator = token({ worlds: ["*"] }, { key: secrets.jwt });
const reader = token({ worlds: ["*"], scope: "read" }, { key: secrets.jwtOld });
const player = token({ sub: "ann", rooms: ["*"] }, { key: secrets.jwt });
const expired = token({ sub: "bob", exp: now() - 100 }, { key: secrets.jwt });
const session = "MARKsession-0123456789";
const tokens = { operator, reader, player, expired };
/** Of a token nothing may be seen but what its claims say: the part that signs it is enough to look for. */
const marks = { ...secrets, session, ...guessed, ...Object.fromEntries(Object.entries(tokens).map(([name, t]) => [name, t.split(".")[2]])) };

const shardSecret = `${secrets.shard},${secrets.shardOld}`;
const jwtSecret = `${secrets.jwt},${secrets.jwtOld}`;

/** Which marks stand in `text`, but for those allowed there. */
function found(text, allowed = []) {
  const plain = [text, decodeURIComponent(text.replace(/%(?![0-9a-fA-F]{2})/g, "%25").replace(/%[89a-fA-F][0-9a-fA-F]/g, "?"))];
  return Object.entries(marks).filter(([name, mark]) => !allowed.includes(name) && plain.some((p) => p.includes(mark))).map(([name]) => name);
}

/** What the log has for a session (docs/operations.md). */
function markOf(id) {
  const key = createHmac("sha256", secrets.shard).update("terrane log session v1").digest();
  return createHmac("sha256", key).update(id).digest("hex").slice(0, 16);
}

/** One request, raw; keeps what came back. */
async function ask(origin, answers, method, target, headers = {}, body = "") {
  const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join("");
  const got = await exchange(origin, `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, { ms: 6000 });
  answers.push({ what: `${method} ${target.slice(0, 60)}`, text: got.text });
  return got;
}

const ways = {
  none: {},
  "bad access": { "x-access-shard": guessed.access },
  "good access": { "x-access-shard": secrets.shard },
  "old access": { "x-access-shard": secrets.shardOld },
  "bad bearer": { authorization: `Bearer ${guessed.bearer}` },
  operator: { authorization: `Bearer ${operator}` },
  "bare operator": { authorization: operator },
  reader: { authorization: `Bearer ${reader}` },
  player: { authorization: `Bearer ${player}` },
  expired: { authorization: `Bearer ${expired}` },
  basic: { authorization: `Basic ${guessed.basic}`, "proxy-authorization": `Basic ${guessed.basic}`, cookie: `token=${guessed.cookie}` },
  forged: { "x-terrane-hop": "node-x", "x-terrane-client": "1.2.3.4", "x-terrane-sign": `v1 ${Date.now()} ${guessed.sign}` },
};
const body = JSON.stringify({ roomId: "lobby", direct: true, session: "ann" });

async function atWorld(world, node, answers) {
  const base = "/parties/world/world-default";
  for (const headers of Object.values(ways)) {
    for (const [method, target, text] of [
      ["POST", `${base}/connect`, body], ["POST", `${base}/connect`, "{"], ["POST", `${base}/register-room`, '{"name":1}'], ["POST", `${base}/update-shard`, '{"shardId":"s","connections":1}'],
      ["POST", `${base}/scale-room`, "[]"], ["POST", `${base}/heartbeat`, "{}"], ["POST", `${base}/resolve`, "{}"], ["GET", base, ""], ["GET", "/api/v1/worlds", ""],
      ["PUT", "/api/v1/worlds/world-default/rooms/hall", "{}"], ["GET", "/api/v1/worlds/world-default/export", ""], ["GET", "/api/v1/worlds/world-default/nodes", ""], ["DELETE", "/api/v1/worlds/world-default/rooms/none", ""],
      ["GET", "/metrics", ""], ["GET", "/version", ""], ["GET", "/readyz", ""], ["GET", "/nowhere", ""], ["GET", "/terrane/peer", ""],
    ])
      await ask(world.origin, answers, method, target, headers, text);
  }
  for (const given of [guessed.query, operator, player, expired]) {
    await ask(world.origin, answers, "GET", `/api/v1/worlds?world-auth-token=${given}`);
    await ask(node.origin, answers, "POST", `${base}/register-room?world-auth-token=${given}`, {}, '{"name":2}');
    await ask(world.origin, answers, "GET", `/%zz?world-auth-token=${given}`);
  }
}

async function atNode(node, answers) {
  const at = `/parties/shard/${shardId()}`;
  for (const headers of Object.values(ways))
    for (const target of [`${at}/state`, at, "/parties/shard/%zz", "/parties/world/world-default/connect", "/metrics", "/version", "/livez", "/nowhere", "/terrane/beat/world-default"])
      await ask(node.origin, answers, target.endsWith("connect") ? "POST" : "GET", target, headers, target.endsWith("connect") ? body : "");
  for (const given of [guessed.query, player, expired])
    for (const query of [`token=${given}`, `a=b&%74oken=${given}&c=d`, `ticket=${given}`, `token=${given}&token=${given}`]) await ask(node.origin, answers, "GET", `${at}/state?${query}`);
}

/** Clients that come in, or try to, in every way there is. */
async function sockets(t, node, auth) {
  const frames = [];
  const greetings = [player, expired, guessed.bearer, operator];
  const at = (query) => `${node.origin}/parties/shard/${shardId()}${query}`;
  for (const [query, options] of [
    [`?id=q&token=${player}`, {}], ["?id=h", { headers: { authorization: `Bearer ${player}` } }], ["?id=p", { protocols: ["terrane", `token.${player}`] }],
    [`?id=x&token=${expired}`, {}], [`?id=g&token=${guessed.query}`, {}], [`?id=t&ticket=${guessed.query}`, {}], ["?id=n", { protocols: [`ticket.${guessed.query}`] }], [`?id=${"c"}`, { headers: { cookie: `a=${guessed.cookie}`, "x-access-shard": guessed.access } }],
    [`?id=${session}&token=${player}`, {}],
  ]) {
    const c = client(t, at(query), options);
    await c.open();
    if (!c.failed && auth === "message") c.send(JSON.stringify({ event: "authenticate", data: { token: greetings[frames.length % 4] } }));
    if (!c.failed) c.send(JSON.stringify({ hello: query.slice(0, 5) }));
    if (query.includes(session)) c.ws.close(1000);
    frames.push(JSON.stringify(c.frames) + (c.ws.protocol ?? ""));
  }
  return frames;
}

for (const auth of ["none", "jwt", "message", "ticket"]) {
  test(`no secret turns up where it does not belong, CLIENT_AUTH=${auth}`, async (t) => {
    const answers = [];
    const room = await Room.start();
    t.after(() => room.die());
    room.onRequest = (req, res) => res.end(JSON.stringify(req.headers)); // a room that tells all it hears
    room.onFrame = (frame, link) => frame.type === "shard.clientMessage" && room.send({ targetClientId: frame.privateId, data: "heard" }, link);
    const common = { LOG_LEVEL: "debug", SHARD_SECRET: shardSecret, AUTH_JWT_SECRET: jwtSecret };
    const world = await startWorld(common);
    const node = await startNode(world.origin, room.origin, { ...common, CLIENT_AUTH: auth, TRUSTED_PROXIES: auth === "jwt" ? "127.0.0.1" : "" });
    await atWorld(world, node, answers);
    const frames = await sockets(t, node, auth);
    await atNode(node, answers);
    const connected = await ask(world.origin, answers, "POST", "/parties/world/world-default/connect", { authorization: `Bearer ${player}` }, body);
    const ticket = connected.text.match(/"ticket":"([^"]+)"/)?.[1];
    assert.ok(ticket, connected.text);
    marks.ticket = ticket.split(".").at(-1);
    const c = client(t, `${node.origin}/parties/shard/${connected.text.match(/"shardId":"([^"]+)"/)[1]}?id=ann&ticket=${ticket}`, {});
    await c.open();
    await ask(node.origin, answers, "GET", `/parties/shard/${shardId()}/state?ticket=${ticket}`);
    await room.tells({ none: "+q", jwt: "+q", message: "+q", ticket: "+ann" }[auth]);
    for (const p of [world, node]) for (const what of ["/metrics", "/version"]) answers.push({ what, text: (await ask(p.origin, [], "GET", what)).text });

    assert.ok(answers.length > 300);
    const wrong = [];
    const look = (what, text, allowed) => found(text, allowed).forEach((name) => wrong.push(`${name} in ${what}: ${text.slice(0, 400)}`));
    // Without CLIENT_AUTH a client's tokens, wherever they stand, are between it and its room; with it, its Authorization and cookies.
    const own = auth === "none" ? ["bearer", "operator", "reader", "player", "expired", "query", "ticket", "basic", "cookie", "session"] : ["basic", "cookie", "session"];
    const others = ({ authorization, "x-access-shard": access, ...rest }) => {
      assert.ok(access === undefined || access === secrets.shard);
      return JSON.stringify(auth === "none" ? { authorization, ...rest } : rest);
    };
    for (const { what, text } of answers) {
      const told = text.includes('"x-shard-id"'); // by the room, about what it heard
      look(`the answer to ${what}`, told ? others(JSON.parse(text.slice(text.indexOf("{")))) : text, told ? own : /POST .*connect/.test(what) ? ["ticket"] : []);
    }
    for (const text of frames) look("what a client heard", text, own);
    for (const p of [node, world]) look(`the log of the ${p.name}`, p.stdout + p.stderr);
    if (auth === "none") await until(() => node.log.includes(`"session":"${markOf(session)}"`), "the session's mark in the log");
    for (const { url, headers } of room.requests) look(`a request for the room, ${url}`, `${url}\n${others(headers)}`, own);
    for (const link of room.links) {
      assert.equal(link.headers["x-access-shard"], secrets.shard);
      look("a link", `${link.url}\n${others(link.headers)}`);
      for (const { requestInfo, ...frame } of link.frames) look("a frame", JSON.stringify(frame) + (requestInfo ? requestInfo.url + others(requestInfo.headers) : ""), own);
    }
    delete marks.ticket;
    assert.deepEqual([...new Set(wrong)], []);
  }, { seconds: 120 });
}

test("nor in what settings say, wrong or right, from files or the environment", async () => {
  const dir = folder();
  const file = path.join(dir, "secret");
  const wrong = [];
  writeFileSync(file, `${shardSecret}\n`);
  for (const program of ["terrane-world", "terrane-shard"]) {
    const good = { SHARD_SECRET: shardSecret, AUTH_JWT_SECRET: jwtSecret };
    for (const [args, env, status] of [
      [["--print-config"], good, 0], [["--check-config"], good, 0], [["--print-config"], { ...good, SHARD_SECRET: undefined, SHARD_SECRET_FILE: file }, 0],
      [["--check-config"], { ...good, PORT: "x" }, 2], [["--check-config"], { ...good, SHARD_SECRET: `${secrets.shard},,${secrets.shardOld}` }, 2],
      [["--check-config"], { ...good, SHARD_SECRET: `${secrets.shard} ${secrets.shardOld}\x01` }, program === "terrane-world" ? 0 : 2],
      ...(program === "terrane-world" ? [
        [["--print-config"], { ...good, REDIS_URL: `redis://u:${secrets.redis}@127.0.0.1:1` }, 0],
        [["--check-config"], { ...good, REDIS_URL: `redis://u:${secrets.redis}@127.0.0.1:x` }, 2],
        [["--check-config"], { ...good, AUTH_JWT_ALG: "RS256" }, 2],
      ] : []),
    ]) {
      const { stdout, stderr } = await finish(program, args, Object.fromEntries(Object.entries(env).filter(([, v]) => v !== undefined)), status);
      for (const name of found(stdout + stderr)) wrong.push(`${name} in ${program} ${args} ${Object.keys(env)}: ${stdout}${stderr}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("nor in what a world says of a Redis that it cannot reach", async () => {
  const world = await startWorld({ LOG_LEVEL: "debug", SHARD_SECRET: shardSecret, AUTH_JWT_SECRET: jwtSecret, REDIS_URL: `redis://user:${secrets.redis}@127.0.0.1:1` });
  const answers = [];
  await until(() => /redis/.test(world.log), "a word about it");
  for (const target of ["/readyz", "/metrics", "/version", "/parties/world/world-default"]) await ask(world.origin, answers, "GET", target, { authorization: `Bearer ${operator}` });
  assert.deepEqual(found(world.log + answers.map(({ text }) => text).join("")), []);
});
