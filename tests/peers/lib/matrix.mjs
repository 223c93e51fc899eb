// What every peer must stand: two nodes and two servers, seats, TLS, a server that dies, a node that stops.
// A peer: { name, heading, script, env?, shardEnv?, join(t, origin, where) }, with `where` a `room` or a `shard`. Its guest: { server (the name
// of who serves it), here, opens, closes (codes), refusals, heard (texts), say(text) (until the server has it), leave() }.
import assert from "node:assert/strict";
import { metric } from "../../lib/metrics.mjs";
import { test as whole, until } from "../../lib/runner.mjs";
import { Site } from "./site.mjs";

const seen = (guest, text) => until(() => guest.heard.includes(text), `a guest to hear ${text}`);
const there = (guest) => until(() => guest.here, "a guest to be there", 15000);
const back = (guests) => until(() => guests.some((g) => g.closes.length > 0) && guests.every((g) => g.here), "all to be there again", 15000);

async function join(peer, t, origin, where) {
  const guest = peer.join(t, origin, where);
  await there(guest);
  return guest;
}

/** All of them hear what each of them says. */
async function talk(guests, word) {
  for (const [i, guest] of guests.entries()) {
    await guest.say(`${word} ${i}`);
    await Promise.all(guests.map((g) => seen(g, `${word} ${i}`)));
  }
}

const tests = {
  async "those of a room meet at one of two servers through either of two nodes"(t, peer) {
    const site = await Site.start(t, peer);
    const used = new Set();
    for (let i = 0; i < 30 && (used.size < 2 || i < 3); i++) {
      const guests = await Promise.all(site.nodes.map((node) => join(peer, t, node.origin, { room: `r${i}` })));
      await talk(guests, `in ${i}`);
      assert.equal(guests[0].server, guests[1].server);
      used.add(guests[0].server);
      for (const guest of guests) guest.leave();
    }
    assert.equal(used.size, 2);
    for (const node of site.nodes) await until(async () => (await metric(node.origin, 'terrane_shard_passing{of="none"}')) === 0, "nobody to be left");
  },

  async "a shard's seats are counted, and who is too many gets in when one goes"(t, peer) {
    const site = await Site.start(t, { ...peer, env: peer.shardEnv });
    const shard = await site.shard("arena", 2);
    const guests = await Promise.all(site.nodes.map((node) => join(peer, t, node.origin, { shard })));
    await talk(guests, "seated");
    await site.taken(2);
    const third = peer.join(t, site.nodes[0].origin, { shard });
    await until(() => third.refusals > 0, "the third to be refused");
    assert.equal(third.here, false);
    await talk(guests, "still");
    guests[1].leave();
    await there(third);
    await talk([guests[0], third], "later");
    await site.taken(2);
    for (const guest of [guests[0], third]) guest.leave();
    await site.taken(0);
  },

  async "under TLS all the way, over one node or two"(t, peer) {
    const site = await Site.start(t, { ...peer, env: peer.shardEnv }, { tls: true });
    const shard = await site.shard("vault", 10);
    await talk(await Promise.all(site.nodes.map((node) => join(peer, t, node.origin, { shard }))), "safely");
    await site.taken(2);
  },

  async "a server that is killed and started again has its clients back"(t, peer) {
    const site = await Site.start(t, peer);
    const guests = await Promise.all(site.nodes.map((node) => join(peer, t, node.origin, { room: "r" })));
    const [was, other] = guests[0].server === "a" ? site.servers : [...site.servers].reverse();
    await was.kill();
    await until(() => guests.every((g) => g.here && g.server === other.name), "both at the other server", 15000);
    await talk(guests, "elsewhere");
    await other.kill();
    await until(() => guests.every((g) => !g.here), "both to be out");
    await was.again();
    await until(() => guests.every((g) => g.here && g.server === was.name), "both to be back", 20000);
    await talk(guests, "again");
  },

  async "a node that stops sends its clients to the other one"(t, peer) {
    const site = await Site.start(t, peer, { nodeEnv: { DRAIN_DEADLINE: "500ms" } });
    const origin = await site.front();
    const guests = [];
    while (guests.length < 4) guests.push(await join(peer, t, origin, { room: "r" }));
    await talk(guests, "before");
    assert.equal(await site.nodes[0].stop(), 0);
    await back(guests);
    for (const code of guests.flatMap((g) => g.closes)) assert.equal(code, 1012);
    await talk(guests, "after");
  },

  async "a node that is killed has its shard's clients back at the other one"(t, peer) {
    const site = await Site.start(t, { ...peer, env: peer.shardEnv }, { worldEnv: { BEAT_INTERVAL: "200ms" } });
    const shard = await site.shard("arena", 4);
    const owner = await site.owner();
    const origin = await site.front();
    const guests = await Promise.all([1, 2, 3, 4].map(() => join(peer, t, origin, { shard })));
    await talk(guests, "before");
    await owner.kill();
    await until(() => guests.every((g) => g.closes.length > 0 && g.here), "all to be there again", 20000);
    await talk(guests, "after");
    assert.notEqual(await site.owner(), owner);
    await site.taken(4);
  },

  async "a shard's clients follow it when its node is drained"(t, peer) {
    const site = await Site.start(t, { ...peer, env: peer.shardEnv });
    const shard = await site.shard("arena", 5);
    const owner = await site.owner();
    const guests = await Promise.all(site.nodes.map((node) => join(peer, t, node.origin, { shard })));
    await talk(guests, "before");
    await site.manage("POST", `/nodes/${owner === site.nodes[0] ? "n1" : "n2"}/drain`, { deadlineMs: 500 });
    await until(async () => (await site.owner()) !== owner, "the shard to move");
    await until(() => guests.every((g) => g.closes.length === 1 && g.here), "both to be there again", 15000);
    assert.deepEqual(guests.map((g) => g.closes), [[1012], [1012]]);
    await talk(guests, "after");
    await site.taken(2);
  },
};

export function matrix(peer) {
  for (const [name, run] of Object.entries(tests)) whole(`${peer.name}: ${name}`, (t) => run(t, peer), { seconds: 60 });
}
