// socka v1: calls with answers, errors and events, as JSON and as MessagePack.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test as whole, until } from "../lib/runner.mjs";
import { matrix } from "./lib/matrix.mjs";
import { Site } from "./lib/site.mjs";
import { Socka } from "./lib/socka.mjs";

class Guest {
  constructor(t, origin, { room, shard, wireFormat }) {
    Object.assign(this, { heard: [] });
    this.socka = new Socka(t, `${origin}${shard ? `/game/${shard}` : `/socka/${room}`}`, {
      wireFormat,
      onOpen: () => this.socka.call("who").then(({ name }) => (this.name = name), () => {}),
      onEvent: (event, body) => event === "said" && this.heard.push(body.text),
    });
  }
  get server() {
    return this.socka.open ? this.name : undefined;
  }
  get here() {
    return this.server !== undefined;
  }
  get closes() {
    return this.socka.closes;
  }
  get refusals() {
    return this.socka.refusals;
  }
  say(text) {
    return this.socka.call("say", { text });
  }
  leave() {
    this.socka.close();
  }
}

let turns = 0;
const formats = ["json", "msgpack"];
const peer = {
  name: "socka",
  heading: "socka v1",
  script: "socka.mjs",
  join: (t, origin, where) => new Guest(t, origin, { wireFormat: formats[turns++ % 2], ...where }),
};
const test = (name, ...rest) => whole(`socka: ${name}`, ...rest);

matrix(peer);

async function join(t, node, wireFormat) {
  const guest = peer.join(t, node.origin, { room: "lobby", wireFormat });
  await until(() => guest.here, "a guest to be there");
  return guest;
}

test("a thousand calls at once are each answered with their own, in both formats", async (t) => {
  const site = await Site.start(t, peer);
  for (const [i, wireFormat] of formats.entries()) {
    const { socka } = await join(t, site.nodes[i], wireFormat);
    const bodies = Array.from({ length: 1000 }, (_, n) => ({ n, text: "é".repeat(n), list: [n, null, { deep: n / 3 }] }));
    assert.deepEqual(await Promise.all(bodies.map((body) => socka.call("echo", body))), bodies);
  }
});

test("bytes within MessagePack are bytes", async (t) => {
  const site = await Site.start(t, peer);
  const { socka } = await join(t, site.nodes[0], "msgpack");
  const data = randomBytes(70000);
  assert.deepEqual(await socka.call("size", { data }), { bytes: 70000, sum: data.reduce((sum, byte) => sum + byte, 0) });
});

test("errors have their code and data, and an event reaches clients of both nodes and formats", async (t) => {
  const site = await Site.start(t, peer);
  const [a, b] = await Promise.all(formats.map((wireFormat, i) => join(t, site.nodes[i], wireFormat)));
  for (const { socka } of [a, b]) {
    await assert.rejects(socka.call("fail", { why: [1] }), { message: "not today", code: "FORBIDDEN", data: { why: [1] }, rpc: "fail" });
    await assert.rejects(socka.call("nothing"), { message: "no call nothing", code: undefined });
  }
  await a.say("from JSON");
  await b.say("from MessagePack");
  for (const guest of [a, b]) await until(() => guest.heard.length === 2, "both events");
  assert.deepEqual(a.heard, b.heard);
});

test("who speaks the other format is closed with 1003, and what is no frame with 1007", async (t) => {
  const site = await Site.start(t, peer);
  const { socka } = await join(t, site.nodes[0], "json");
  for (const [sent, want] of [[Buffer.from([0x80]), [1003, "the other wire format"]], ['{"socka":"clientRequest","v":2}', [1007, "no socka v1 request"]]]) {
    await until(() => socka.open, "it to be there");
    const before = socka.closes.length;
    socka.ws.send(sent);
    await until(() => socka.closes.length > before, "it to be closed");
    assert.deepEqual([socka.closes.at(-1), socka.reasons.at(-1)], want);
  }
});

test("a call that waits fails when the node stops, and the next one is answered", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: { DRAIN_DEADLINE: "300ms" } });
  const guest = peer.join(t, await site.front(), { room: "lobby" });
  await until(() => guest.here, "it to be there");
  const failed = assert.rejects(guest.socka.call("note", { of: "something" }), /the connection is gone/);
  await site.nodes[0].stop();
  await failed;
  await until(() => guest.here && guest.socka.tries === 0, "it to be there again");
  assert.deepEqual(await guest.socka.call("echo", { after: true }), { after: true });
  assert.deepEqual([guest.closes, guest.socka.reasons.every((r) => /^restart;retry=\d+-\d+$/.test(r))], [[1012], true]);
});
