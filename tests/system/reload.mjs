// SIGHUP: secrets and limits change while clients talk, nodes beat and newcomers come; a mistake changes nothing.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { bin, folder, jwtSecret, listening, secret, start, startNode, startWorld } from "../lib/process.mjs";
import { join, post, request, shardId } from "../lib/cluster.mjs";
import { jwt } from "../conformance/lib/jwt.mjs";
import { metric, nodesAlive } from "../lib/metrics.mjs";
import { Room } from "../lib/room.mjs";

const world_path = "/parties/world/world-default";
const newSecret = "another-shard-secret-of-the-tests-0123456789", newJwtSecret = "another-jwt-secret-of-the-tests-0123456789";

const reloads = (p) => p.log.split("\n").filter((line) => line.includes('"process.reload"'));
/** Has a process read its settings again; answers what it says of it. */
async function reload(p) {
  const before = reloads(p).length;
  p.child.kill("SIGHUP");
  return JSON.parse(await until(() => reloads(p)[before], `${p.name} to say what it reads`));
}

/** A request that another process of the cluster lets in. */
function hop(origin, key) {
  const target = `${world_path}/nothing`, ms = Date.now(), from = "elsewhere", client = "127.0.0.1";
  const mac = createHmac("sha256", key).update(`v1\n${ms}\nGET\n${target}\n${from}\n${client}`).digest("hex");
  return request(origin, { path: target, headers: { "x-terrane-hop": from, "x-terrane-client": client, "x-terrane-sign": `v1 ${ms} ${mac}` } });
}

const bearer = (key) => ({ authorization: `Bearer ${jwt({ worlds: ["*"], exp: Math.floor(Date.now() / 1000) + 600 }, key)}` });
const admin = (world, headers) => post(world.origin, `${world_path}/register-room`, { name: "lobby", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 20, minShards: 6 }, headers);

/** A room server that takes links under the secrets `room.taken`, and says everything back. */
async function strictRoom(t) {
  const room = await Room.start();
  const accept = room.accept.bind(room);
  Object.assign(room, { taken: [secret], refused: 0 });
  room.accept = (ws, req) => {
    if (room.taken.includes(req.headers["x-access-shard"])) return accept(ws, req);
    room.refused++;
    ws.terminate();
  };
  room.onFrame = (f, link) => {
    if (f.type === "shard.clientMessage") room.send({ targetClientId: f.privateId, data: JSON.stringify(f.payload) }, link);
  };
  t.after(() => room.die());
  return room;
}

/** A client that says numbers until it is told to stop; then all of them have come back, in order. */
async function talker(t, node, shard, id) {
  const one = await join(t, node, id, { shard });
  let said = 0;
  const timer = setInterval(() => one.ws.readyState === 1 && one.send(JSON.stringify(said++)), 20);
  t.after(() => clearInterval(timer));
  return async () => {
    clearInterval(timer);
    const numbers = () => one.frames.map(Number).filter((n) => Number.isInteger(n));
    await one.until(() => one.closed || numbers().length >= said, 8000, `${id} to hear ${said} numbers`);
    assert.equal(one.closed, null, `${id} was closed`);
    assert.deepEqual(numbers(), Array.from({ length: said }, (_, i) => i));
    return said;
  };
}

/** Newcomers, one after the other through all nodes: each is placed, comes in, is heard and goes. */
function newcomers(t, nodes) {
  const failures = [];
  let count = 0, stop = false;
  const one = async (n) => {
    const node = nodes[n % nodes.length];
    const place = await post(node.origin, `${world_path}/connect`, { roomId: "lobby", autoCreate: false }, {});
    if (place.status !== 200) return failures.push(`connect ${place.status} ${place.body}`);
    const c = await join(t, nodes[(n >> 1) % nodes.length], `new-${n}`, { shard: place.json.shardId });
    if (c.closed) return failures.push(`new-${n} ${JSON.stringify(c.closed)}`);
    c.send('"hello"');
    await c.until(() => c.closed || c.frames.includes('"hello"'), 4000, "the echo");
    if (c.closed) failures.push(`new-${n} ${JSON.stringify(c.closed)}`);
    c.ws.close();
  };
  const loop = (async () => {
    for (; !stop; count++) await one(count).catch((error) => failures.push(error.message));
  })();
  const all = async () => {
    stop = true;
    await loop;
    assert.deepEqual(failures, []);
    return count;
  };
  return { all, more: (n, end = count + n) => until(() => count >= end || failures.length, `${n} newcomers`) };
}

test("secrets change under talking clients, newcomers and beats, and nobody notices", async (t) => {
  const dir = folder(), files = { SHARD_SECRET_FILE: path.join(dir, "shard"), AUTH_JWT_SECRET_FILE: path.join(dir, "jwt") };
  const write = (shard, jwts) => (writeFileSync(files.SHARD_SECRET_FILE, `${shard}\n`), writeFileSync(files.AUTH_JWT_SECRET_FILE, `${jwts}\n`));
  write(secret, jwtSecret);
  const room = await strictRoom(t);
  const world = await startWorld({ ...files, SHARD_SECRET: undefined, AUTH_JWT_SECRET: undefined, BEAT_INTERVAL: "100ms" });
  const nodes = [];
  for (let i = 0; i < 2; i++) nodes.push(await startNode(world.origin, room.origin, { SHARD_SECRET: undefined, SHARD_SECRET_FILE: files.SHARD_SECRET_FILE }));
  await nodesAlive(world, 2);
  assert.equal((await admin(world, bearer(jwtSecret))).status, 200);
  const shards = new Set();
  while (shards.size < 6) shards.add((await post(world.origin, `${world_path}/connect`, { roomId: "lobby" }, {})).json.shardId);
  const ends = [];
  for (const [i, shard] of [...shards].entries()) ends.push(await talker(t, nodes[i & 1], shard, `t${i}`)); /* some go through both nodes */
  const visits = newcomers(t, nodes);

  for (const [shard, jwts] of [
    [`${secret},${newSecret}`, `${jwtSecret},${newJwtSecret}`],
    [`${newSecret},${secret}`, `${newJwtSecret},${jwtSecret}`],
    [newSecret, newJwtSecret],
  ]) {
    room.taken = shard.split(",");
    write(shard, jwts);
    for (const p of [nodes[0], world, nodes[1]]) {
      const said = await reload(p);
      assert.equal(said.changed, p === world ? "AUTH_JWT_SECRET,SHARD_SECRET" : "SHARD_SECRET");
      assert.equal(said.level, "info");
      await visits.more(30); /* the round is half done */
    }
    assert.equal((await admin(world, bearer(jwts.split(",")[0]))).status, 200);
  }
  const came = await visits.all();
  let said = 0;
  for (const end of ends) said += await end();
  console.log(`     ${said} messages came back, ${came} newcomers came`);
  assert.ok(said > 100 && came > 270);
  for (const node of nodes) assert.doesNotMatch(node.log, /beat\.failed|link\.lost|"level":"error"/);
  assert.equal(room.refused, 0);

  for (const old of [bearer(jwtSecret), { "x-access-shard": secret }]) assert.equal((await admin(world, old)).status, 403);
  assert.equal((await admin(world, { "x-access-shard": newSecret })).status, 200);
  for (const p of [world, ...nodes]) {
    assert.equal((await hop(p.origin, secret)).status, 403);
    assert.notEqual((await hop(p.origin, newSecret)).status, 403);
    assert.doesNotMatch(p.log, new RegExp([secret, newSecret, jwtSecret, newJwtSecret].join("|")));
  }
  const links = room.links.length;
  await join(t, nodes[0], "late", { shard: shardId("elsewhere") });
  assert.equal((await room.link(links + 1)).headers["x-access-shard"], newSecret);
}, { seconds: 60 });

/** A node or world whose settings are in a file; `set` writes them anew. */
async function fromFile(program, more) {
  const file = path.join(folder(), "settings.json");
  const base = { HOST: "127.0.0.1", PORT: 0, SHARD_SECRET: secret, ...more };
  const set = (settings) => writeFileSync(file, JSON.stringify({ ...base, ...settings }));
  set({});
  const p = start(program, path.join(bin, program), ["--config", file]);
  p.origin = `http://127.0.0.1:${(await p.says(listening))[1]}`;
  return Object.assign(p, { set, break: () => writeFileSync(file, '{"PORT":') });
}

for (const [program, more] of [["terrane-world", { AUTH_JWT_SECRET: jwtSecret }], ["terrane-shard", { ROOM_SERVERS: "none" }]]) {
  test(`${program} changes nothing while a setting is wrong, and names what needs a restart`, async () => {
    const p = await fromFile(program, more);
    assert.equal((await reload(p)).changed, "nothing");
    for (const [settings, wrong] of [
      [{ SHARD_SECRET: newSecret, LOG_LEVEL: "loud" }, /LOG_LEVEL "?\\?"loud/],
      [{ SHARD_SECRET: newSecret, TRUSTED_PROXIES: "nowhere" }, /TRUSTED_PROXIES/],
      [{ SHARD_SECRET: "new,", LOG_LEVEL: "error" }, /SHARD_SECRET/],
    ]) {
      p.set(settings);
      const said = await reload(p);
      assert.match(said.wrong, wrong);
      assert.equal(said.level, "warn");
      assert.doesNotMatch(said.wrong, new RegExp(newSecret));
      assert.notEqual((await hop(p.origin, secret)).status, 403);
      assert.equal((await hop(p.origin, newSecret)).status, 403);
    }
    p.break();
    assert.match((await reload(p)).wrong, /JSON/);
    p.set({ HOST: "::1", LOG_LEVEL: "debug", PORT: 1 });
    const said = await reload(p);
    assert.deepEqual([said.changed, said.restart, said.level], ["LOG_LEVEL", "HOST,PORT", "warn"]);
    assert.equal((await request(p.origin, { path: "/livez" })).status, 200);
    p.set({ LOG_LEVEL: "error" });
    assert.equal((await reload(p)).changed, "LOG_LEVEL");
    p.child.kill("SIGHUP"); /* that nothing changed is not for who wants errors only */
    assert.equal(await p.stop(), 0);
    assert.doesNotMatch(p.log.split('"changed":"LOG_LEVEL"').at(-1), /process\.(reload|stop)/);
  });
}

test("a limit that falls closes nobody and refuses the next, until it rises", async (t) => {
  const room = await strictRoom(t);
  const node = await fromFile("terrane-shard", { ROOM_SERVERS: room.origin, WORLD_URLS: "http://127.0.0.1:1", MAX_CONNECTIONS: 9 });
  const one = await join(t, node, "one"), two = await join(t, node, "two");
  node.set({ MAX_CONNECTIONS: 1 });
  assert.equal((await reload(node)).changed, "MAX_CONNECTIONS");
  assert.equal((await join(t, node, "three")).closed.handshake, 503);
  for (const c of [one, two]) c.send('"still"');
  for (const c of [one, two]) await c.until(() => c.frames.includes('"still"'), 4000, "the echo");
  node.set({});
  await reload(node);
  assert.equal((await join(t, node, "four")).closed, null);
});

test("a node takes clients' tokens under a new key, and those who are in stay", async (t) => {
  const room = await strictRoom(t);
  const node = await fromFile("terrane-shard", { ROOM_SERVERS: room.origin, WORLD_URLS: "http://127.0.0.1:1", CLIENT_AUTH: "jwt", AUTH_JWT_SECRET: jwtSecret });
  const comes = async (id, key) => join(t, node, id, { headers: bearer(key) });
  const old = await comes("old", jwtSecret);
  for (const [keys, admits] of [[`${jwtSecret},${newJwtSecret}`, [jwtSecret, newJwtSecret]], [newJwtSecret, [newJwtSecret]]]) {
    node.set({ AUTH_JWT_SECRET: keys });
    assert.equal((await reload(node)).changed, "AUTH_JWT_SECRET");
    for (const key of [jwtSecret, newJwtSecret]) assert.equal((await comes("new", key)).closed?.handshake, admits.includes(key) ? undefined : 401);
  }
  node.set({ AUTH_JWT_SECRET: "" });
  assert.match((await reload(node)).wrong, /AUTH_JWT_SECRET/);
  old.send('"still"');
  await old.until(() => old.frames.includes('"still"'), 4000, "the echo");
});

test("a rate that rises lets in who waits, and all who come", async (t) => {
  const room = await strictRoom(t);
  const node = await fromFile("terrane-shard", { ROOM_SERVERS: room.origin, WORLD_URLS: "http://127.0.0.1:1", CONNECT_RATE: "1:1" });
  const all = [join(t, node, "first")];
  await all[0];
  for (let i = 0; i < 2; i++) all.push(join(t, node, `c${i}`)); /* more would be refused */
  await until(async () => (await metric(node.origin, "terrane_shard_admissions_held")) > 0, "clients to wait");
  node.set({ CONNECT_RATE: "off" });
  assert.equal((await reload(node)).changed, "CONNECT_RATE");
  for (let i = 0; i < 9; i++) all.push(join(t, node, `d${i}`));
  for (const c of await Promise.all(all)) assert.equal(c.closed, null);
});

test("signals may come at any time, and as many as they like", async (t) => {
  const room = await strictRoom(t);
  const node = await fromFile("terrane-shard", { ROOM_SERVERS: room.origin, WORLD_URLS: "http://127.0.0.1:1", DRAIN_DEADLINE: "2s" });
  const world = await fromFile("terrane-world", { AUTH_JWT_SECRET: jwtSecret });
  const clients = [];
  for (let i = 0; i < 20; i++) clients.push(await join(t, node, `c${i}`));
  for (let i = 0; i < 50; i++) for (const p of [node, world]) {
    p.set({ SHARD_SECRET: i % 2 ? secret : newSecret, MESSAGE_MAX: 1000 + i });
    p.child.kill("SIGHUP");
  }
  for (const p of [node, world]) await reload(p);
  const ended = node.stop();
  await node.says(/"process.stop"/);
  node.set({ SHARD_SECRET: newSecret, DRAIN_DEADLINE: "1s" }); /* the last of them left it at `secret` */
  node.child.kill("SIGHUP");
  await node.says(/"changed":"[^"]*SHARD_SECRET,DRAIN_DEADLINE"/);
  assert.equal(await ended, 0);
  for (const c of clients) assert.equal((await c.close_()).code, 1012);
  assert.equal(await world.stop(), 0);
});
