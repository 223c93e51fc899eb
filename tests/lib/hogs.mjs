// A thread of clients that want to use up a node's memory: they send what does not end, or more than goes away, and
// never read. Whoever is closed comes again, as somebody else.
import net from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { port, shard, count, prefix, size } = workerData;
let serial = 0, closed = 0, sent = 0, stopping = false;
const sockets = new Set();

const head = (first, length) => {
  const h = Buffer.alloc(14);
  h[0] = first;
  h[1] = 0x80 | 127;
  h.writeBigUInt64BE(BigInt(length), 2);
  return h;
};
const whole = (first, length) => Buffer.concat([head(first, length), Buffer.alloc(length, 49)]); // under the mask 0: digits
const unfinished = whole(0x01, size - 1); // a fragment, the last of which never comes
const pings = Buffer.concat(Array.from({ length: 1000 }, () => Buffer.from([0x89, 0x84, 0, 0, 0, 0, 1, 2, 3, 4])));
const kinds = [
  (socket) => write(socket, unfinished),
  (socket) => flood(socket, whole(0x81, 60000)),
  (socket) => flood(socket, pings),
  (socket) => write(socket, whole(0x81, size - 100)) && write(socket, unfinished),
];

function write(socket, data) {
  sent += data.length;
  return socket.write(data), true;
}
function flood(socket, data) {
  const more = () => !stopping && sockets.has(socket) && socket.writableLength < 1e6 && write(socket, data);
  socket.hogging = setInterval(more, 20);
}

function come(i) {
  if (stopping) return;
  const socket = net.connect(port, "127.0.0.1");
  sockets.add(socket);
  socket.write(`GET /parties/shard/${shard}?id=${prefix}${i}-${serial++} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  socket.on("error", () => {});
  socket.once("data", (data) => {
    if (!data.toString("latin1").startsWith("HTTP/1.1 101")) return socket.destroy();
    socket.pause(); // for good
    kinds[i % kinds.length](socket);
  });
  // Paused sockets do not hear of an end; a write does.
  const probe = setInterval(() => socket.resume().pause(), 500);
  socket.on("close", () => {
    clearInterval(probe);
    clearInterval(socket.hogging);
    sockets.delete(socket);
    closed++;
    setTimeout(() => come(i), 100 + Math.random() * 200);
  });
}
for (let i = 0; i < count; i++) setTimeout(() => come(i), i / 2);

parentPort.on("message", (what) => {
  if (what === "end") {
    stopping = true;
    for (const socket of sockets) socket.destroy();
  }
  parentPort.postMessage({ open: sockets.size, closed, sent });
  if (what === "end") parentPort.close();
});
