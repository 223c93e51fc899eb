// Ends that come at the wrong moment: two things that happen in one turn of a node's loop.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import net from "node:net";
import { test as whole, until } from "../lib/runner.mjs";
import { client, cluster, request, shardId } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";
import { Passed } from "../lib/passed.mjs";
import { jwtSecret } from "../lib/process.mjs";
import { token } from "../lib/tokens.mjs";

const test = (name, ...rest) => whole(`mishaps: ${name}`, ...rest);
const tick = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const greeting = JSON.stringify({ event: "authenticate", data: { token: token() } });
/** A text frame of a client, masked with zeros. */
function frame(text) {
  const data = Buffer.from(text), length = Buffer.alloc(data.length < 126 ? 2 : 4);
  length[0] = 0x81;
  length[1] = 0x80 | Math.min(data.length, 126);
  if (data.length > 125) length.writeUInt16BE(data.length, 2);
  return Buffer.concat([length, Buffer.alloc(4), data]);
}
const accept = (req) => createHash("sha1").update(`${req.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const switching = (req) => `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(req)}\r\n\r\n`;

/** A node that asks for first messages, before a server whose handshakes wait in `shakes`. */
async function slowServer(t, env = {}) {
  const s = await Passed.start(t);
  const shakes = [];
  s.onUpgrade = (req, socket) => shakes.push({ req, socket: socket.on("end", () => socket.end()) });
  const rules = [
    { path: "/game/{shard}", mode: "pass", servers: [s.origin], auth: "message" },
    { path: "/chat/*", mode: "pass", servers: [s.origin], auth: "message" },
  ];
  const { node } = await cluster(t, { nodeEnv: { AUTH_JWT_SECRET: jwtSecret, ROUTES: JSON.stringify(rules), ...env } });
  return { s, shakes, node };
}
const paths = [`/game/${encodeURIComponent(shardId())}`, "/chat/x"];

/** A client on a bare socket, which answers no close frame; its server has been asked. */
async function waiting(t, { node, shakes }, path, more = Buffer.alloc(0)) {
  const socket = net.connect({ port: node.port, host: "127.0.0.1", allowHalfOpen: true });
  const c = { socket, got: Buffer.alloc(0) };
  socket.on("error", () => {});
  socket.on("data", (data) => (c.got = Buffer.concat([c.got, data])));
  t.after(() => socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
  await until(() => c.got.includes("\r\n\r\n"), "a 101");
  const before = shakes.length;
  socket.write(Buffer.concat([frame(greeting), more]));
  await until(() => shakes.length > before, "a handshake");
  return { c, ...shakes.at(-1) };
}

test("a client is reset as its server answers, after its first message", async (t) => {
  const b = await slowServer(t);
  for (const path of paths) {
    for (const end of ["resetAndDestroy", "destroy"]) {
      const { c, req, socket } = await waiting(t, b, path);
      process.kill(b.node.pid, "SIGSTOP");
      c.socket[end]();
      await tick(50);
      socket.write(switching(req));
      await tick(50);
      process.kill(b.node.pid, "SIGCONT");
      socket.resume();
      await until(() => socket.readableEnded || socket.destroyed, "the server to hear of it");
    }
  }

  await until(async () => (await metric(b.node.origin, "terrane_shard_clients")) === 0, "nobody to be left");
  assert.equal((await request(b.node.origin, { path: "/livez" })).status, 200);
});

test("a client that says too much early is ended, and its server answers after that", async (t) => {
  const b = await slowServer(t, { BUFFER_MAX: "20KiB" });
  for (const path of paths) {
    const { c, req, socket } = await waiting(t, b, path, frame("x".repeat(50000)));
    await until(() => c.got.includes("buffers full"), "a close frame");
    socket.write(switching(req));
    socket.resume();
    await until(() => socket.readableEnded || socket.destroyed, "the server to hear of it");
    c.socket.destroy();
  }

  await until(async () => (await metric(b.node.origin, "terrane_shard_clients")) === 0, "nobody to be left");
});

test("sockets that strangers open to a world through a node are bounded, too", async (t) => {
  const { node } = await cluster(t, { nodeEnv: { MAX_CONNECTIONS: "8" } });
  const world = () => {
    const c = client(t, `${node.origin}/parties/world/world-default`);
    return c.open();
  };
  const first = [];
  for (let n = 0; n < 4; n++) first.push(await world());
  assert.ok(first.every((c) => c.opened), JSON.stringify(first.map((c) => c.closed)));
  assert.equal((await world()).failed?.status, 503);
  first[0].end();
  await until(async () => (await metric(node.origin, 'terrane_shard_tunnels{target="world"}')) === 3, "one to be gone");
  assert.ok((await world()).opened);
});
