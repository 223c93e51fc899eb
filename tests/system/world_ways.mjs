// Every way into a world leads through every process: what streams, what is big, and what needs credentials.
import assert from "node:assert/strict";
import http from "node:http";
import { bearer, client, post } from "../lib/cluster.mjs";
import { Redis } from "../lib/redis.mjs";
import { readTicket } from "../lib/tickets.mjs";
import { test, until } from "../lib/runner.mjs";
import { ids, room, Worlds } from "../lib/worlds.mjs";

const [id] = ids;

/** The events of a world as the i-th process streams them: `names`, and whether it has `ended`. */
function events(t, c, i) {
  const stream = { text: "", ended: false, get names() { return [...this.text.matchAll(/^event: (.*)$/gm)].map((m) => m[1]); } };
  const { port } = c.worlds[i];
  const req = http.get({ host: "127.0.0.1", port, path: `/api/v1/worlds/${id}/events`, headers: bearer("*"), agent: false }, (res) => {
    stream.status = res.statusCode;
    res.on("data", (data) => (stream.text += data));
    res.on("close", () => (stream.ended = true));
    res.on("error", () => {});
  });
  req.on("error", () => (stream.ended = true));
  t.after(() => req.destroy());
  return stream;
}

async function feed(t, c, i) {
  const admin = client(t, `${c.worlds[i].origin}/parties/world/${id}`, { headers: bearer(id) });
  await admin.frame((f) => f.type === "sync" && f.value.pId, 8000, "the registry");
  return admin;
}

test("admins and readers of events hear a world through any process, and are told when its owner changes", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  const admin = await feed(t, c, 1);
  const stream = events(t, c, 1);
  await until(() => stream.status === 200, "the events to be opened");
  await c.made(c.put(0, id, "news", room(30, 1)));
  await admin.frame((f) => f.value?.rooms?.news, 4000, "the room in the feed");
  await until(() => stream.names.includes("room.put"), "the room among the events");
  const ended = c.worlds[0].stop();
  await until(() => stream.ended, "the events to end", 6000);
  assert.deepEqual(await admin.close_(6000), { code: 1012, reason: "restart" });
  assert.equal(await ended, 0);
  const again = await feed(t, c, 1);
  const anew = events(t, c, 1);
  await until(() => anew.status === 200, "the events to be opened again");
  await c.made(c.put(1, id, "later", room(30, 1)));
  await again.frame((f) => f.value?.rooms?.later, 4000, "the later room in the feed");
  await until(() => anew.names.includes("room.put"), "the later room among the events");
}, { seconds: 40 });

test("admins and readers of events through another process are cut when the owner is killed, and may come again", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  const admin = await feed(t, c, 1);
  const stream = events(t, c, 1);
  await until(() => stream.status === 200, "the events to be opened");
  await c.worlds[0].kill();
  await until(() => stream.ended && admin.closed, "both to be cut", 4000);
  await feed(t, c, 1);
}, { seconds: 40 });

test("a world is exported and imported through another process than its owner's", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  for (let n = 0; n < 40; n++) await c.made(c.put(0, id, `room-${n}`, room(10 + n, 3)));
  const exported = await c.made(c.manage(1, "GET", id, "/export"));
  assert.equal(exported.records.filter((r) => r.kind === "room").length, 41);
  const direct = await c.made(c.manage(0, "GET", id, "/export"));
  assert.deepEqual(exported.records, direct.records);
  const to = "world-copy";
  await c.made(c.put(0, to, "first", room(5, 1))); // the first process owns it
  const records = exported.records.map((r) => (r.kind === "shard" ? { ...r, key: r.key.replace(id, to) } : r));
  const answer = await c.manage(1, "POST", to, "/import", { version: 1, world: to, records, replace: true });
  assert.equal(answer.status, 200, JSON.stringify(answer));
  await until(async () => (await c.told(1, to)) === (await c.stored(to)), "Redis to have it");
  assert.ok((await c.list(0, to, "rooms")).length >= 41);
}, { seconds: 40 });

test("credentials count at every process alike", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t) });
  for (const i of [0, 1]) {
    const path = `/parties/world/${id}/scale-room`, body = { roomId: "lobby", targetShardCount: 2 };
    const { origin } = c.worlds[i];
    assert.equal((await post(origin, path, body, {})).status, 403);
    assert.equal((await post(origin, path, body, { "x-access-shard": "wrong" })).status, 403);
    assert.equal((await post(origin, path, body, bearer("world-other"))).status, 403);
    assert.equal((await post(origin, path, body, bearer(id))).status, 200);
    assert.equal((await post(origin, path, body)).status, 200);
    assert.equal((await post(origin, path, { roomId: "none", targetShardCount: 2 })).status, 404);
  }
}, { seconds: 40 });

test("tickets are the owner's, whichever process was asked", async (t) => {
  const c = await Worlds.start(t, { redis: await Redis.start(t), nodeEnv: { REQUIRE_TICKET: "1" } });
  const come = async (i) => {
    const { status, json } = await post(c.worlds[i].origin, `/parties/world/${id}/connect`, { roomId: "lobby", direct: true }, {});
    assert.equal(status, 200);
    assert.equal(readTicket(json.ticket).epoch, (await c.lease(id)).epoch);
    const one = client(t, `${json.endpoint}?ticket=${json.ticket}`);
    await one.open();
    return { ...json, in: one.opened === true };
  };
  assert.ok((await come(0)).in);
  const before = await come(1);
  assert.ok(before.in);
  await c.worlds[0].kill();
  await c.owned(1);
  await until(async () => (await come(1)).in, "a ticket of the new owner to be good");
  assert.ok(readTicket(before.ticket).epoch < (await c.lease(id)).epoch);
}, { seconds: 40 });
