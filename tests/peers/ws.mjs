// `ws` on both sides: everything that WebSocket has goes from end to end.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { WebSocket } from "ws";
import { test as whole, until } from "../lib/runner.mjs";
import { matrix } from "./lib/matrix.mjs";
import { Redialled } from "./lib/redial.mjs";
import { Site, token, tokens } from "./lib/site.mjs";

const peer = {
  name: "ws",
  heading: "ws 8",
  script: "echo.mjs",
  join(t, origin, { room, shard }) {
    const read = (text) => (text.startsWith("served by ") ? { server: text.slice(10) } : { heard: text });
    return new Redialled(t, `${origin}${shard ? `/game/${shard}/x` : `/echo/${room}/x`}`, { read, write: (text) => text });
  },
};
const test = (name, ...rest) => whole(`ws: ${name}`, ...rest);

matrix(peer);

/** A client that has come in; `heard`: its messages, `closed`: [code, reason] once it is. */
async function join(t, node, path = "/echo/lobby", protocols = [], options = {}) {
  const ws = new WebSocket(node.origin.replace("http", "ws") + path, protocols, options);
  Object.assign(ws, { heard: [], pings: [], pongs: [] });
  ws.on("message", (data, binary) => ws.heard.push(binary ? data : data.toString()));
  ws.on("ping", (data) => ws.pings.push(data.toString()));
  ws.on("pong", (data) => ws.pongs.push(data.toString()));
  ws.on("close", (code, reason) => (ws.closed = [code, reason.toString()]));
  t.after(() => ws.terminate());
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  await until(() => ws.heard.length === 1, "who serves");
  ws.server = ws.heard.pop().slice(-1);
  return ws;
}

/** Two ways of a client: straight, and over a node that does not own its shard. */
async function ways(t, site) {
  const shard = await site.shard("arena", 1000);
  const owner = await site.owner();
  return { straight: (...rest) => join(t, owner, "/echo/lobby", ...rest), around: (...rest) => join(t, site.nodes.find((n) => n !== owner), `/game/${shard}/x`, ...rest) };
}

const last = async (site, ws) => (await site.server(ws.server).seen()).at(-1);

test("the server chooses a subprotocol, or none", async (t) => {
  const site = await Site.start(t, peer);
  for (const dial of Object.values(await ways(t, site))) {
    const ws = await dial(["chat", "game.v2", "game.v1"]);
    assert.equal(ws.protocol, "game.v2");
    assert.equal((await last(site, ws)).protocol, "game.v2");
    assert.equal((await dial()).protocol, "");
  }
});

test("text and bytes of all lengths come back as they were, compressed or not", async (t) => {
  const site = await Site.start(t, peer);
  for (const dial of Object.values(await ways(t, site))) {
    for (const perMessageDeflate of [false, { threshold: 0 }, { threshold: 0, clientNoContextTakeover: true, serverMaxWindowBits: 10 }]) {
      const ws = await dial([], { perMessageDeflate });
      assert.equal((await last(site, ws)).extensions.includes("permessage-deflate"), !!perMessageDeflate);
      const sent = [0, 1, 125, 126, 65535, 65536, 1 << 20].flatMap((n) => [randomBytes(n), "ü€😀.".repeat(n / 8)]);
      for (const data of sent) ws.send(data);
      await until(() => ws.heard.length === sent.length, "all to come back");
      assert.deepEqual(ws.heard, sent);
      ws.close();
    }
  }
});

test("pings are answered by the other end, and by nobody else", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: { PING_INTERVAL: "100ms" } });
  for (const dial of Object.values(await ways(t, site))) {
    const ws = await dial();
    ws.ping("from the client");
    ws.send("ping from-the-server");
    await until(() => ws.pongs.length === 1 && ws.pings.length === 1, "ping and pong");
    await until(async () => (await last(site, ws)).pongs.length === 1, "the client's pong");
    const { pings, pongs } = await last(site, ws);
    assert.deepEqual([ws.pongs, ws.pings, pings, pongs], [["from the client"], ["from-the-server"], ["from the client"], ["from-the-server"]]);
    ws.close();
  }
});

test("every close code that may be sent reaches the other end, with its reason", async (t) => {
  const site = await Site.start(t, peer);
  const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  for (const dial of Object.values(await ways(t, site))) {
    for (const [code, reason] of [[undefined, ""], ...codes.map((code) => [code, code % 2 ? `because ${code} é` : ""])]) {
      const want = [code ?? 1005, reason];
      const leaver = await dial();
      code ? leaver.close(code, reason) : leaver.close();
      await until(async () => leaver.closed && (await last(site, leaver)).closed, `${want} of the client`);
      assert.deepEqual((await last(site, leaver)).closed, want);
      assert.deepEqual(leaver.closed, want);
      const sent = await dial();
      sent.send(code ? `close ${code} ${reason}` : "close ");
      await until(async () => sent.closed && (await last(site, sent)).closed, `${want} of the server`);
      assert.deepEqual(sent.closed, want);
      assert.deepEqual((await last(site, sent)).closed, want);
    }
  }
}, { seconds: 60 });

test("whose process is killed is gone for the other end with 1006", async (t) => {
  const site = await Site.start(t, peer);
  for (const dial of Object.values(await ways(t, site))) {
    const ws = await dial();
    ws.terminate();
    await until(async () => (await last(site, ws)).closed, "the server to notice");
    assert.deepEqual((await last(site, ws)).closed, [1006, ""]);
    const left = await dial();
    await site.server(left.server).kill();
    await until(() => left.closed, "the client to notice");
    assert.equal(left.closed[0], 1006);
    await site.server(left.server).again();
  }
});

test("a token among the subprotocols lets in, and goes no further", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: tokens });
  const [{ origin }] = site.nodes;
  const ann = token({ sub: "ann" });
  const ws = await join(t, { origin }, "/echo/lobby", ["terrane", `token.${ann}`, "game.v2"]);
  assert.equal(ws.protocol, "game.v2");
  const { offered, subject } = await last(site, ws);
  assert.deepEqual([offered, subject], ["terrane, game.v2", "ann"]);
  assert.equal((await join(t, { origin }, "/echo/lobby", ["terrane", `token.${ann}`])).protocol, "terrane");
  await assert.rejects(join(t, { origin }), /Unexpected server response: 401/);
});
