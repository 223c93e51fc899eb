// Colyseus 0.16: matchmaking over HTTP, rooms with a state, its own codes and its reconnection.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Client } from "colyseus.js";
import { Front } from "../lib/fleet.mjs";
import { test as whole, until } from "../lib/runner.mjs";
import { matrix } from "./lib/matrix.mjs";
import { Site, token, tokens } from "./lib/site.mjs";

/** Who comes back as an application would have it: reconnect, and if the room has gone, join anew. */
class Guest {
  constructor(t, origin, { room, shard }) {
    Object.assign(this, { opens: 0, closes: [], refusals: 0, heard: [] });
    this.client = new Client(`${origin}${shard ? `/game/${shard}` : `/colyseus/${room}`}`);
    this.dial(() => this.client.joinOrCreate("hall"));
    t.after(() => this.leave());
  }
  async dial(how) {
    try {
      this.in(await how());
    } catch {
      this.refusals++;
      if (!this.gone) this.timer = setTimeout(() => this.dial(() => this.client.joinOrCreate("hall")), 150);
    }
  }
  in(room) {
    if (this.gone) return void room.leave();
    this.opens++;
    this.room = room;
    room.onError(() => {});
    room.onMessage("said", (text) => this.heard.push(text));
    room.onLeave((code) => {
      this.room = undefined;
      this.closes.push(code);
      if (!this.gone) this.dial(() => this.client.reconnect(room.reconnectionToken));
    });
  }
  get server() {
    return this.room?.state?.server;
  }
  get here() {
    return this.server !== undefined;
  }
  async say(text) {
    this.room.send("say", text);
  }
  leave() {
    this.gone = true;
    clearTimeout(this.timer);
    this.room?.leave();
  }
}

const peer = {
  name: "Colyseus",
  heading: "Colyseus 0.16",
  script: "colyseus.mjs",
  join: (t, origin, where) => new Guest(t, origin, where),
};
const test = (name, ...rest) => whole(`Colyseus: ${name}`, ...rest);

matrix(peer);

/** A room as a client has it, with `codes` (those that it was left with). */
async function join(t, origin, options, query = "") {
  const room = await new Client(`${origin}/colyseus/quiz${query}`).joinOrCreate("hall", options);
  room.codes = [];
  room.onLeave((code) => room.codes.push(code));
  room.onMessage("said", () => {});
  t.after(() => room.connection.isOpen && room.leave());
  await until(() => room.state?.players?.get(room.sessionId), "a player to be in the state");
  return room;
}

const players = (room) => Object.fromEntries([...room.state.players].map(([id, { x, y, here }]) => [id, { x, y, here }]));

test("clients of two nodes are matched into one room, and have one state", async (t) => {
  const site = await Site.start(t, peer);
  const [a, b] = await Promise.all(site.nodes.map((node) => join(t, node.origin)));
  assert.equal(a.roomId, b.roomId);
  for (let i = 1; i <= 20; i++) a.send("move", { x: i, y: -i / 2 });
  b.send("move", { x: 7, y: 8 });
  const want = { [a.sessionId]: { x: 20, y: -10, here: true }, [b.sessionId]: { x: 7, y: 8, here: true } };
  for (const room of [a, b]) {
    await until(() => players(room)[a.sessionId]?.x === 20 && players(room)[b.sessionId]?.x === 7, "the state to be the last one");
    assert.deepEqual(players(room), want);
  }
  const sent = randomBytes(3000);
  const back = new Promise((resolve) => a.onMessage("bytes", resolve));
  a.sendBytes("bytes", sent);
  assert.deepEqual(Buffer.from(await back), sent);
});

test("leaving, being sent away and the end of a room have their own codes", async (t) => {
  const site = await Site.start(t, peer);
  const [{ origin }, other] = site.nodes;
  const stays = await join(t, other.origin);
  const consenting = await join(t, origin);
  assert.equal(await consenting.leave(true), 4000);
  await until(() => stays.state.players.size === 1, "the player to be out of the state");
  const dropped = await join(t, origin);
  dropped.send("drop me", 4321);
  await until(() => dropped.codes.length === 1, "the code of the server");
  assert.deepEqual(dropped.codes, [4321]);
  const breaking = await join(t, origin);
  breaking.leave(false);
  await until(() => stays.state.players.get(breaking.sessionId)?.here === false, "the room to keep its place");
  stays.send("end");
  await until(() => stays.codes.length === 1, "the end of the room");
  assert.deepEqual(stays.codes, [4000]);
});

test("who is not wanted is told so, and no such room is a 4210", async (t) => {
  const site = await Site.start(t, peer);
  const { origin } = site.nodes[0];
  await assert.rejects(join(t, origin, { wanted: false }), /you are not wanted/);
  await assert.rejects(new Client(`${origin}/colyseus/quiz`).joinOrCreate("cellar"), { code: 4210 });
});

test("who is cut off takes its place again through the other node", async (t) => {
  const site = await Site.start(t, peer);
  const [node, other] = site.nodes;
  const stays = await join(t, other.origin);
  const line = await Front.start(t, [node.port]);
  const lost = await join(t, line.origin);
  lost.send("move", { x: 3, y: 4 });
  await until(() => stays.state.players.get(lost.sessionId)?.x === 3, "the move");
  for (const socket of line.sockets) socket.destroy();
  await until(() => stays.state.players.get(lost.sessionId)?.here === false, "the room to notice");
  const back = await new Client(`${other.origin}/colyseus/quiz`).reconnect(lost.reconnectionToken);
  t.after(() => back.leave());
  assert.equal(back.sessionId, lost.sessionId);
  await until(() => back.state?.players?.get(back.sessionId)?.here, "its place");
  assert.deepEqual(players(back)[back.sessionId], { x: 3, y: 4, here: true });
});

test("a node that stops is a leave with 1012, and reconnecting is the same player", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: { DRAIN_DEADLINE: "300ms" } });
  const room = await join(t, site.nodes[0].origin);
  await site.nodes[0].stop();
  await until(() => room.codes.length === 1, "the leave");
  assert.deepEqual(room.codes, [1012]);
  const back = await new Client(`${site.nodes[1].origin}/colyseus/quiz`).reconnect(room.reconnectionToken);
  t.after(() => back.leave());
  assert.equal(back.sessionId, room.sessionId);
});

test("a token in the client's address is shown with matchmaking and with the room, and covers only its rooms", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: tokens });
  const { origin } = site.nodes[0];
  const room = await join(t, origin, {}, `?token=${token({ sub: "ann", rooms: ["quiz"] })}`);
  const who = new Promise((resolve) => room.onMessage("you are", resolve));
  room.send("who am I");
  assert.equal(await who, "ann");
  await assert.rejects(join(t, origin), { code: 401 });
  await assert.rejects(join(t, origin, {}, `?token=${token({ rooms: ["other"] })}`), { code: 403 });
});
