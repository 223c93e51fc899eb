// Room servers and nodes that mean harm, dialled by a checkup: it ends in its time, and the node goes on.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import net from "node:net";
import { test, until } from "../lib/runner.mjs";
import { bearer, post, request } from "../lib/cluster.mjs";
import { nodesAlive } from "../lib/metrics.mjs";
import { startNode, startRoom, startWorld } from "../lib/process.mjs";

const base = "/api/v1/worlds/world-default";
const evil = "\u001b]0;title\u0007\u009b31m\u202e<img src=x>";

const upgraded = (head) => {
  const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
};
/** Writes that for as long as it is taken. */
const flood = (socket, piece) => {
  const more = () => { while (!socket.destroyed && socket.write(piece)); };
  socket.on("drain", more);
  more();
};
const drip = (socket, text, ms = 20) => {
  const timer = setInterval(() => socket.write(text), ms);
  socket.on("close", () => clearInterval(timer));
};
const text = Buffer.concat([Buffer.from([0x81, 126, 0xff, 0xff]), Buffer.alloc(65535, 97)]);
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
/** What each says to the warm-up, or as a node; and to the upgrade. */
const manners = {
  hangs: [() => {}],
  drips: [(s) => drip(s, "H")],
  dripsHeaders: [(s) => (s.write("HTTP/1.1 200 OK\r\n"), drip(s, "A: b\r\n"))],
  floodsHead: [(s) => (s.write("HTTP/1.1 200 OK\r\nA: "), flood(s, Buffer.alloc(65536, 97)))],
  floodsBody: [(s) => (s.write("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"), flood(s, Buffer.alloc(65536, 97)))],
  lies: [(s) => s.end("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")],
  garbage: [(s) => s.end(Buffer.from("\u0000\u0001\u00ff\r\n\r\n", "latin1"))],
  resets: [(s) => s.resetAndDestroy()],
  redirects: [(s) => s.write("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")],
  names: [(s) => s.write(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(JSON.stringify({ node: evil.repeat(90) }))}\r\n\r\n${JSON.stringify({ node: evil.repeat(90) })}`)],
  badAccept: [(s) => s.write(ok), (s) => s.write("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")],
  garbage101: [(s) => s.write(ok), (s, head) => s.write(Buffer.concat([Buffer.from(upgraded(head)), Buffer.alloc(5000, 0xff)]))],
  hugeFrame: [(s) => s.write(ok), (s, head) => s.write(Buffer.concat([Buffer.from(upgraded(head)), Buffer.from([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255])]))],
  floodsFrames: [(s) => s.write(ok), (s, head) => (s.write(upgraded(head)), flood(s, text))],
  floodsPings: [(s) => s.write(ok), (s, head) => (s.write(upgraded(head)), flood(s, Buffer.alloc(4096, Buffer.from([0x89, 0]))))],
  neverCloses: [(s) => s.write(ok), (s, head) => s.write(upgraded(head))],
  resetsOpen: [(s) => s.write(ok), (s, head) => s.write(upgraded(head), () => s.resetAndDestroy())],
  closesOddly: [(s) => s.write(ok), (s, head) => s.write(Buffer.concat([Buffer.from(upgraded(head)), Buffer.from([0x88, 1, 3])]))],
  dripsUpgrade: [(s) => s.write(ok), (s) => drip(s, "H")],
};

/** A server for each manner: { name: origin }. */
async function serve(t) {
  const origins = {};
  for (const [name, [first, second = first]] of Object.entries(manners)) {
    const sockets = new Set();
    const server = net.createServer((s) => {
      sockets.add(s);
      s.on("error", () => {}).on("data", (d) => {
        const head = d.toString("latin1");
        if (/^(OPTIONS|GET) /.test(head)) (/upgrade: websocket/i.test(head) ? second : first)(s, head);
      });
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => (sockets.forEach((s) => s.destroy()), server.close()));
    origins[name] = `http://127.0.0.1:${server.address().port}`;
  }
  return origins;
}

const ask = (world, method, what) => request(world.origin, { method, path: `${base}${what}`, headers: bearer("*") });
const asks = (world) => ask(world, "POST", "/checkup");

test("a checkup of servers and nodes that mean harm ends in its time", async (t) => {
  const origins = await serve(t), room = await startRoom();
  const world = await startWorld({ ROOM_SERVERS: Object.values(origins).join(",") });
  const node = await startNode(world.origin, room.origin, { NODE_ID: "n1" });
  await nodesAlive(world, 1);
  let seq = 0;
  for (const [name, url] of Object.entries(origins)) {
    const body = { node: { id: name, epoch: 1000, url, version: "0.1.0", maxConnections: 10 }, seq: ++seq, full: true, haveOrders: {}, shards: [] };
    assert.equal((await post(world.origin, "/parties/world/world-default/heartbeat", body)).status, 200);
  }
  const over = () => until(async () => { const { json } = await ask(world, "GET", "/findings"); return json.checkup === null && json; }, "the checkup to be over", 25000);
  for (let i = 0; i < 20; i++) { // asked for again and again, with settings read anew meanwhile
    assert.equal((await asks(world)).status, 202);
    node.child.kill("SIGHUP");
    world.child.kill("SIGHUP");
  }
  const { items } = await over();
  const told = items.filter((f) => f.by.node === "n1"), of = (check) => told.filter((f) => f.check === check).length;
  assert.equal(of("peer-unreachable"), 16); // more of a check are not kept
  for (const name of ["hangs", "drips", "garbage", "resets", "lies"]) assert.ok(told.some((f) => f.check === "room-unreachable" && f.subject === origins[name]), name);
  for (const name of ["badAccept", "dripsUpgrade"]) assert.ok(told.some((f) => f.check === "room-upgrade" && f.subject === origins[name]), name);
  for (const name of ["garbage101", "hugeFrame", "resetsOpen", "closesOddly"]) assert.ok(told.some((f) => f.check === "room-secret" && f.subject === origins[name]), name);
  assert.ok(!told.some((f) => f.subject === origins.neverCloses || f.subject === origins.floodsFrames));

  await asks(world);
  await until(async () => (await ask(world, "GET", "/findings")).json.checkup, "another checkup");
  const began = Date.now();
  await node.stop();
  assert.ok(Date.now() - began < 10000);
});
