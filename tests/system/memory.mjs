// What clients may make a node remember is bounded by LINK_BUFFER and BUFFER_MAX, whatever they do and however the
// link is. usage: node tests/system/memory.mjs [PATTERN...] in full: MEMORY_CLIENTS (2000) for MEMORY_SECONDS (8) a phase.
// Measured as the gauges of /metrics and as the most that was resident; a sanitizer keeps freed memory, so there only the first.
import { readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { run, test } from "../lib/runner.mjs";
import { cluster, join, shardId } from "../lib/cluster.mjs";
import { metricsText, sample } from "../lib/metrics.mjs";
import { bin } from "../lib/process.mjs";

const alone = process.argv[1] === fileURLToPath(import.meta.url);
const size = (name, small, full) => Number(process.env[name] ?? (alone ? full : small));
const CLIENTS = size("MEMORY_CLIENTS", 60, 2000), SECONDS = size("MEMORY_SECONDS", 2, 8);
const MIB = 1 << 20, MESSAGE_MAX = MIB;
const LINK_BUFFER = (alone ? 8 : 2) * MIB, BUFFER_MAX = (alone ? 64 : 8) * MIB;

const sanitized = readFileSync(path.join(bin, "terrane-shard")).includes("__asan_init");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const status = (node, field) => Number(readFileSync(`/proc/${node.pid}/status`, "utf8").match(new RegExp(`${field}:\\s+(\\d+)`))[1]) * 1024;
const mib = (bytes) => (bytes / MIB).toFixed(1);

async function gauges(node) {
  const text = await metricsText(node.origin);
  const read = (name) => sample(text, `terrane_shard_${name}`);
  return {
    clients: read('client_buffer_bytes{direction="up"}') + read('client_buffer_bytes{direction="down"}'),
    link: read('link_waiting_bytes{where="backlog"}') + read('link_waiting_bytes{where="queue"}'),
    paused: read("link_paused_clients"),
  };
}

/** Greedy clients in a thread of their own; `ask` answers { open, closed, sent }. */
function hogs(t, node) {
  const worker = new Worker(new URL("../lib/hogs.mjs", import.meta.url), {
    workerData: { port: Number(new URL(node.origin).port), shard: shardId(), count: CLIENTS, prefix: "h", size: MESSAGE_MAX },
  });
  const ask = (what) => new Promise((resolve) => (worker.once("message", resolve), worker.postMessage(what)));
  t.after(() => ask("end"));
  return ask;
}

/** They do what they can for SECONDS, and `meanwhile` is called again and again; the sum must hold. `shared`: bytes that
 * count once for each client and are there once. */
async function phase(t, node, label, { meanwhile = () => {}, shared = 0 } = {}) {
  const before = status(node, "VmRSS"), ask = hogs(t, node);
  const most = { clients: 0, link: 0, paused: 0 };
  for (const end = Date.now() + SECONDS * 1000; Date.now() < end; await sleep(50)) {
    meanwhile();
    for (const [key, value] of Object.entries(await gauges(node))) most[key] = Math.max(most[key], value);
  }
  const { open, closed, sent } = await ask("how");
  const grown = status(node, "VmHWM") - before;
  console.log(`     ${label}: ${CLIENTS} clients (${open} there, ${closed} times closed) sent ${mib(sent)} MiB; at most ${mib(most.clients)} MiB for clients, ${mib(most.link)} MiB for the link, ${most.paused} paused; memory grew by ${mib(grown)} MiB`);
  // One message each may be on its way beyond a bound.
  if (most.clients > BUFFER_MAX + MESSAGE_MAX + shared * CLIENTS) throw new Error(`${most.clients} bytes for clients`);
  if (most.link > LINK_BUFFER + MESSAGE_MAX) throw new Error(`${most.link} bytes for the link`);
  // Beside that: what the allocator has to spare, and 12 KiB a client.
  const bound = (BUFFER_MAX + LINK_BUFFER + 2 * MESSAGE_MAX) * 1.25 + 12 * 1024 * CLIENTS + 8 * MIB;
  if (!sanitized && grown > bound) throw new Error(`memory grew by ${mib(grown)} MiB, ${mib(bound)} MiB were to be expected`);
  return most;
}

const nodeEnv = { SEAT_TTL: "0", LINK_BUFFER: String(LINK_BUFFER), BUFFER_MAX: String(BUFFER_MAX), MESSAGE_MAX: String(MESSAGE_MAX), SLOW_TIMEOUT: "5s", DRAIN_DEADLINE: "500ms" };
async function scene(t, rooms) {
  const c = await cluster(t, { rooms, nodeEnv });
  if (c.room) c.room.onFrame = (frame, link) => (link.frames.length = 0);
  return c;
}

test("memory: before the link stands", async (t) => {
  const sockets = new Set();
  const deaf = net.createServer((socket) => sockets.add(socket.on("error", () => {})));
  await new Promise((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  t.after(() => (sockets.forEach((socket) => socket.destroy()), deaf.close()));
  const { node } = await scene(t, `http://127.0.0.1:${deaf.address().port}`);
  await phase(t, node, "no link yet");
}, { seconds: 60 + SECONDS });

test("memory: while the link is down", async (t) => {
  const { node, room } = await scene(t);
  await join(t, node, "a");
  await room.link(1);
  await room.die();
  await node.says(/link\.lost/);
  const most = await phase(t, node, "link down");
  if (most.paused === 0) throw new Error("nobody was paused");
}, { seconds: 60 + SECONDS });

test("memory: while the room server does not read", async (t) => {
  const { node, room } = await scene(t);
  await join(t, node, "a");
  const link = await room.link(1);
  link.ws._socket.pause();
  const most = await phase(t, node, "link full");
  if (alone && most.paused === 0) throw new Error("nobody was paused"); // a few do not fill what the kernels hold
}, { seconds: 60 + SECONDS });

test("memory: while the room talks to those who do not read", async (t) => {
  const { node, room } = await scene(t);
  await join(t, node, "a");
  await room.link(1);
  const bulk = JSON.stringify("x".repeat(20000));
  const meanwhile = () => {
    for (let i = 0; i < 5; i++) room.links.at(-1).ws.send(bulk);
  };
  await phase(t, node, "link up", { meanwhile, shared: bulk.length });
}, { seconds: 60 + SECONDS });

if (alone) await run();
