// Sockets at `/_socket/{module}/{name}`: what ends a client reaches the function that serves it, and the other way round.
import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { test as whole, until } from "../lib/runner.mjs";
import { matrix } from "./lib/matrix.mjs";
import { Redialled } from "./lib/redial.mjs";
import { Site } from "./lib/site.mjs";

const terminal = "/_socket/pages/Terminal/terminal";
const peer = {
  name: "sockets",
  heading: "Sockets by path",
  script: "sockets.mjs",
  join(t, origin, { room, shard }) {
    const read = (text) => (text.startsWith("served by ") ? { server: text.slice(10) } : { heard: text });
    const path = shard ? terminal.replace("/_socket", `/game/${shard}`) : `${terminal}?room=${room}`;
    return new Redialled(t, origin + path, { read, write: (text) => text });
  },
};
const test = (name, ...rest) => whole(`sockets: ${name}`, ...rest);

matrix(peer);

/** A client that has come in, and has heard its first message. */
async function join(t, origin, path) {
  const ws = new WebSocket(origin.replace("http", "ws") + path);
  ws.heard = [];
  ws.on("message", (data) => ws.heard.push(data.toString()));
  ws.on("close", (code, reason) => (ws.closed = [code, reason.toString()]));
  t.after(() => ws.terminate());
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  await until(() => ws.heard.length === 1, "its first message");
  return ws;
}

/** Waits for the end of the last function that has begun; answers what it saw. */
async function ended(site, server, ms) {
  let one;
  await until(async () => (one = (await site.server(server).seen()).at(-1))?.ended, "the function to end", ms);
  return one;
}

/** Straight, and over the node that does not own the shard. */
const ways = [
  ["straight", async (site) => [site.nodes[0].origin, "/_socket"]],
  ["over another node", async (site) => {
    const shard = await site.shard("arena", 10);
    const owner = await site.owner();
    return [site.nodes.find((n) => n !== owner).origin, `/game/${shard}`];
  }],
];

for (const [way, find] of ways) {
  test(`${way}: the signal is aborted with the client's code, or at once when it breaks off, and a function's code reaches the client`, async (t) => {
    const site = await Site.start(t, peer);
    const [origin, base] = await find(site);
    const talking = async () => {
      const ws = await join(t, origin, `${base}/pages/Terminal/terminal`);
      ws.send("ls");
      await until(() => ws.heard.length === 2, "what it said");
      return ws;
    };
    const closing = await talking();
    const server = closing.heard[0].slice(-1);
    closing.close(4001, "window closed");
    const one = await ended(site, server);
    await until(() => closing.closed, "it to be closed"); // the function's end may be heard of before the client's
    assert.deepEqual([one.heard, one.aborted, closing.closed], [["ls"], [4001, "window closed"], [4001, "window closed"]]);

    (await talking()).terminate();
    const other = await ended(site, server, 1500);
    assert.deepEqual([other.heard, other.aborted], [["ls"], [1006, ""]]);

    const guest = await join(t, origin, `${base}/pages/Lobby/knock`);
    guest.send(JSON.stringify([3456, "nobody"]));
    await until(() => guest.closed, "it to be closed");
    assert.deepEqual([guest.closed, guest.heard], [[3456, "nobody"], ["who is there?"]]);
    assert.deepEqual((await ended(site, server)).heard, ['[3456,"nobody"]']);
  });
}

test("a path where no function stands is the server's own 404", async (t) => {
  const site = await Site.start(t, peer);
  for (const path of ["/_socket/pages/Lobby/none", "/_socket", "/_socket/"]) {
    await assert.rejects(join(t, site.nodes[0].origin, path), /Unexpected server response: 404/, path);
  }
});

test("a node that stops aborts the signal with 1001, and is 1012 for the client", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: { DRAIN_DEADLINE: "300ms" } });
  const ws = await join(t, site.nodes[0].origin, terminal);
  await site.nodes[0].stop();
  await until(() => ws.closed, "it to be closed");
  assert.equal(ws.closed[0], 1012);
  assert.equal((await ended(site, ws.heard[0].slice(-1))).aborted[0], 1001);
});
