// Peers that mean harm: what they try must cost themselves only.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import net from "node:net";
import { test } from "../lib/runner.mjs";
import { startNode } from "../lib/process.mjs";
import { cluster, join, request } from "../lib/cluster.mjs";
import { rawTcp } from "../conformance/lib/http.mjs";

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

test("an upgrade that is none for the world opens no way past the node's routes", async (t) => {
  const { node } = await cluster(t);
  const disguises = ["Upgrade: h2c\r\n", "Upgrade: h2c\r\nUpgrade: websocket\r\n", "Upgrade: websocket2\r\n"];
  for (const method of ["OPTIONS", "GET", "POST"]) {
    for (const upgrade of disguises) {
      const first = `${method} /parties/world/world-default HTTP/1.1\r\nHost: a\r\n${upgrade}Connection: Upgrade\r\n${key}\r\n`;
      const { text } = await rawTcp(node.origin, [first, 100, "GET /version HTTP/1.1\r\nHost: a\r\n\r\n"], { idle: 300 });
      assert.doesNotMatch(text, /terrane-world/, `${method} with ${upgrade}`);
    }
  }
});

/** Rooms that are none: what they answer to the warm-up (`http`) and to the upgrade; one that is missing is as it should be. */
const nonsense = {
  "close on the warm-up": { http: (s) => s.destroy() },
  "reset on the warm-up": { http: (s) => s.resetAndDestroy() },
  "never answer the warm-up": { http: () => {} },
  "answer the warm-up twice framed": { http: (s) => s.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") },
  "answer the warm-up with an endless head": { http: (s) => s.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(100000)}`) },
  "answer the warm-up with a 101": { http: (s) => s.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n") },
  "answer the upgrade with 200": { upgrade: (s) => s.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") },
  "answer the upgrade with another key's accept": { upgrade: (s) => s.write(switching("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")) },
  "answer the upgrade with an extension": { upgrade: (s, key) => s.write(switching(key, "Sec-WebSocket-Extensions: permessage-deflate\r\n")) },
  "never answer the upgrade": { upgrade: () => {} },
  "end after the 101": { stays: true, upgrade: (s, key) => s.end(switching(key)) },
  "mask their frames": { stays: true, upgrade: (s, key) => s.write(Buffer.concat([Buffer.from(switching(key)), Buffer.from([0x81, 0x81, 1, 2, 3, 4, 0x30])])) },
  "announce 4 GiB": { stays: true, upgrade: (s, key) => s.write(Buffer.concat([Buffer.from(switching(key)), Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0])])) },
  "say what is no JSON": { stays: true, upgrade: (s, key) => s.write(Buffer.concat([Buffer.from(switching(key)), Buffer.from("\x81\x04null\x81\x01{\x81\x00", "latin1")])) },
};
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const switching = (accept, more = "") => `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;

async function startNonsense(t, { http, upgrade }) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    let head = "";
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      head += data.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      const key = head.match(/sec-websocket-key: (\S+)/i)?.[1];
      head = "";
      const accept = key && crypto.createHash("sha1").update(key + guid).digest("base64");
      if (key && upgrade) upgrade(socket, accept);
      else if (key) socket.write(switching(accept));
      else if (http) http(socket);
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

test("room servers that answer nonsense: first clients end with 1011, others stay, the node serves on", async (t) => {
  await Promise.all(Object.entries(nonsense).map(async ([what, room]) => {
    const node = await startNode("http://127.0.0.1:9", await startNonsense(t, room));
    const client = await join(t, node, "a");
    client.send("1");
    const closed = await client.close_(4500).catch(() => null);
    assert.equal(closed?.code, room.stays ? undefined : 1011, `rooms that ${what}`);
    assert.equal((await request(node.origin, { path: "/livez" })).status, 200, `rooms that ${what}`);
  }));
}, { seconds: 60 });
