// Socket.IO 4 in all of its ways: long polling, WebSocket, and the one after the other.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { io } from "socket.io-client";
import { test as whole, until } from "../lib/runner.mjs";
import { matrix } from "./lib/matrix.mjs";
import { Site, token, tokens } from "./lib/site.mjs";

class Guest {
  constructor(t, origin, { room, shard, ...options }) {
    Object.assign(this, { opens: 0, closes: [], refusals: 0, heard: [], left: [], reasons: [], upgrades: 0 });
    const way = shard ? { path: `/game/${shard}`, transports: ["websocket"] } : {};
    this.socket = io(origin, { forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 400, query: { room: room ?? shard }, ...way, ...options });
    this.socket.io.engine.on("upgrade", () => this.upgrades++);
    this.socket.on("connect", () => this.in());
    this.socket.on("connect_error", () => this.refusals++);
    this.socket.on("disconnect", (reason, details) => {
      this.server = undefined;
      this.reasons.push(reason);
      if (details?.context?.code !== undefined) this.closes.push(details.context.code);
    });
    this.socket.on("said", (text) => this.heard.push(text));
    this.socket.on("left", (who) => this.left.push(who));
    t.after(() => this.leave());
  }
  async in() {
    this.opens++;
    this.server = await this.ask("say", "I am here").catch(() => undefined);
  }
  get here() {
    return this.server !== undefined;
  }
  get transport() {
    return this.socket.io.engine.transport.name;
  }
  ask(...what) {
    return this.socket.timeout(5000).emitWithAck(...what);
  }
  async say(text) {
    this.server = await this.ask("say", text);
  }
  leave() {
    this.socket.disconnect();
  }
}

const peer = {
  name: "Socket.IO",
  heading: "Socket.IO 4.8",
  script: "socketio.mjs",
  shardEnv: { SOCKET_PATH: "/game" },
  join: (t, origin, where) => new Guest(t, origin, where),
};
const test = (name, ...rest) => whole(`Socket.IO: ${name}`, ...rest);

matrix(peer);

async function join(t, origin, options) {
  const guest = new Guest(t, origin, { room: "lobby", ...options });
  await until(() => guest.here, "a guest to be there");
  return guest;
}

const ways = {
  "polling, then WebSocket": { way: {}, ends: "websocket" },
  "polling alone": { way: { transports: ["polling"] }, ends: "polling" },
  "WebSocket alone": { way: { transports: ["websocket"] }, ends: "websocket" },
};

for (const [name, { way, ends }] of Object.entries(ways)) {
  test(`${name}, through two nodes in turn: binary and acknowledgements both ways, rooms`, async (t) => {
    const site = await Site.start(t, peer);
    const origin = await site.front();
    const guests = await Promise.all([1, 2, 3].map(() => join(t, origin, way)));
    await until(() => guests.every((g) => g.transport === ends), "the transport to be the last one");
    assert.equal(new Set(guests.map((g) => g.server)).size, 1);
    assert.deepEqual(guests.map((g) => g.upgrades > 0), guests.map(() => name === "polling, then WebSocket"));

    const [guest] = guests;
    const sent = randomBytes(5000);
    const { twice, as } = await guest.ask("double", sent);
    assert.deepEqual(Buffer.from(twice), Buffer.concat([sent, sent]));
    assert.equal(as[0], 5000);
    assert.deepEqual(Buffer.from(as[1].data), sent);

    guest.socket.on("question", ({ data }, done) => done({ back: data }));
    const answered = new Promise((resolve) => guest.socket.once("answered", resolve));
    guest.socket.emit("ask me", sent);
    assert.deepEqual(Buffer.from((await answered).back), sent);

    const stranger = await join(t, origin, { ...way, query: { room: "elsewhere" } });
    await guest.say("to all of us");
    await until(() => guests.every((g) => g.heard.includes("to all of us")), "the room to hear it");
    await stranger.say("to myself");
    assert.deepEqual(stranger.heard, ["I am here", "to myself"]);

    guests[2].leave();
    await until(() => guest.left.length === 1, "the room to hear who left");
    assert.equal(guest.left[0].reason, "client namespace disconnect");
  });
}

test("long polling waits longer than a heartbeat, and stays one session", async (t) => {
  const site = await Site.start(t, peer);
  const guest = await join(t, await site.front(), { transports: ["polling"] });
  let beats = 0;
  guest.socket.io.on("ping", () => beats++);
  await until(() => beats === 3, "three heartbeats");
  assert.equal(guest.opens, 1);
});

test("who breaks off is heard to be gone at once", async (t) => {
  const site = await Site.start(t, peer);
  const [node, other] = site.nodes;
  const stays = await join(t, node.origin);
  const goes = await join(t, other.origin, { transports: ["websocket"], reconnection: false });
  goes.socket.io.engine.transport.ws.terminate();
  await until(() => stays.left.length === 1, "the room to hear who left", 1500);
  assert.equal(stays.left[0].reason, "transport close");
});

test("a node that stops is a transport close with 1012", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: { DRAIN_DEADLINE: "300ms" } });
  const guest = await join(t, site.nodes[0].origin, { transports: ["websocket"], reconnection: false });
  await site.nodes[0].stop();
  await until(() => guest.reasons.length === 1, "the disconnect");
  assert.deepEqual([guest.reasons, guest.closes], [["transport close"], [1012]]);
});

test("clients that only poll stay in their sessions when a node stops, and go on through the other one", async (t) => {
  const site = await Site.start(t, peer);
  const origin = await site.front();
  const guests = await Promise.all([1, 2, 3, 4].map(() => join(t, origin, { transports: ["polling"] })));
  assert.equal(await site.nodes[0].stop(), 0);
  for (const guest of guests) await guest.say("still polling");
  await until(() => guests.every((g) => g.heard.filter((text) => text === "still polling").length === 4), "all to hear all");
  assert.deepEqual(guests.map((g) => g.opens), [1, 1, 1, 1]);
});

test("a message of nearly a megabyte goes by long polling both ways", async (t) => {
  const site = await Site.start(t, peer);
  const guest = await join(t, site.nodes[0].origin, { transports: ["polling"] });
  const sent = randomBytes(700000);
  const { twice } = await guest.ask("double", sent);
  assert.ok(Buffer.from(twice).equals(Buffer.concat([sent, sent])));
});

test("a token in the query lets in by every way, and goes no further", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: tokens });
  for (const { way } of Object.values(ways)) {
    const refused = new Guest(t, site.nodes[0].origin, { room: "lobby", ...way });
    await until(() => refused.refusals > 0, "a stranger to be refused");
    refused.leave();
    const guest = await join(t, site.nodes[0].origin, { ...way, query: { room: "lobby", token: token({ sub: "ann" }) } });
    await until(async () => guest.transport === (way.transports?.at(-1) ?? "websocket"), "the last transport");
    assert.deepEqual(await guest.ask("who am I"), { subject: "ann", token: null });
  }
});

test("a page of another origin is asked for by the browser as the server has it, with the token in the query", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: tokens });
  const preflight = { method: "OPTIONS", headers: { origin: "https://game.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" } };
  const url = `${site.nodes[0].origin}/socket.io/?EIO=4&transport=polling&room=lobby`;
  const shown = `${url}&token=${token({ sub: "ann" })}`;
  const allowed = await fetch(shown, preflight);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://game.example");
  assert.match(allowed.headers.get("access-control-allow-methods"), /POST/);
  const opened = await fetch(shown, { headers: { origin: "https://game.example" } });
  assert.equal(opened.status, 200);
  assert.equal(opened.headers.get("access-control-allow-origin"), "https://game.example");
  assert.equal((await fetch(url, preflight)).status, 401); // browsers send no Authorization with it
});

test("the client's script comes as the server sends it, and not again to who has it", async (t) => {
  const site = await Site.start(t, peer);
  const script = "/socket.io/socket.io.min.js";
  for (const headers of [{ "accept-encoding": "identity" }, { "accept-encoding": "gzip" }]) {
    const [ours, theirs] = await Promise.all([site.nodes[0], site.servers[0]].map(({ origin }) => fetch(origin + script, { headers })));
    assert.equal(await ours.text(), await theirs.text());
    for (const name of ["etag", "cache-control", "content-type", "content-encoding"]) assert.equal(ours.headers.get(name), theirs.headers.get(name), name);
    const again = await fetch(site.nodes[1].origin + script, { headers: { ...headers, "if-none-match": ours.headers.get("etag") } });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
  }
});
