// A thread of many raw WebSocket clients that get the same frames: it reads them and writes down how late each was.
// Frames are counted by their length alone, so that a thread keeps up with many clients.
import net from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { port, targets, length, sentAt } = workerData; // sentAt: a shared Float64Array, by the number of the frame
const at = new Float64Array(sentAt);
const now = () => performance.timeOrigin + performance.now();

let late = [], open = 0, ended = 0, paused = [];
const sockets = targets.map((target) => {
  const socket = net.connect(port, "127.0.0.1", () => socket.write(
    `GET ${target.path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`));
  let head = "", bytes = -1, frames = 0;
  const count = (n) => {
    bytes += n;
    for (const time = now(); frames < Math.floor(bytes / length); frames++) late.push(time - at[frames]);
  };
  socket.on("data", (data) => {
    if (bytes >= 0) return count(data.length);
    head += data.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    if (!head.startsWith("HTTP/1.1 101")) return socket.destroy();
    bytes = 0;
    if (target.stuck) paused.push(socket.pause());
    else count(head.length - end - 4);
    if (++open === targets.length) parentPort.postMessage({ open });
  });
  socket.on("error", () => {});
  socket.on("close", () => ended++);
  return socket;
});

parentPort.on("message", (what) => {
  if (what === "go on") for (const socket of paused) socket.resume();
  if (what === "end") for (const socket of sockets) socket.destroy();
  late.sort((a, b) => a - b);
  parentPort.postMessage({ count: late.length, p50: late[Math.floor(late.length / 2)], p99: late[Math.floor(late.length * 0.99)], ended });
  late = [];
  if (what === "end") parentPort.close();
});
