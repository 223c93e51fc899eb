// Clients that read too slowly, or send too much, and those beside them. usage: node tests/system/slow_consumers.mjs
// [PATTERN...] for the crowd in full: SLOW_CLIENTS (1000) of which SLOW_STUCK (10) never read, broadcasts of
// SLOW_BYTES_S (100000) to each for SLOW_SECONDS (30) without the stuck ones, and then until these are closed.
import { readFileSync } from "node:fs";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { run, test, until } from "../lib/runner.mjs";
import { cluster, join, shardId } from "../lib/cluster.mjs";
import { metricsText, sample } from "../lib/metrics.mjs";
import { bin } from "../lib/process.mjs";

const alone = process.argv[1] === fileURLToPath(import.meta.url);
const size = (name, small, full) => Number(process.env[name] ?? (alone ? full : small));
const CLIENTS = size("SLOW_CLIENTS", 12, 1000), STUCK = size("SLOW_STUCK", 2, 10);
const BYTES_S = size("SLOW_BYTES_S", 2e6, 1e5), SECONDS = size("SLOW_SECONDS", 1, 30);
const QUEUE = alone ? 1 << 20 : 256 << 10;
const FRAME = 10004, TEXT = JSON.stringify("x".repeat(FRAME - 6)); // on the wire: 4 bytes, then the text

// A sanitizer keeps what was freed for a while.
const sanitized = readFileSync(path.join(bin, "terrane-shard")).includes("__asan_init");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => performance.timeOrigin + performance.now();
const metrics = async (node) => {
  const text = await metricsText(node.origin);
  return (name) => sample(text, `terrane_shard_${name}`);
};
const peak = (node) => Number(readFileSync(`/proc/${node.pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024;

/** Clients in a thread of their own; `ask` tells it something and answers what it has measured since. */
async function readers(t, node, ids, sentAt, stuck = false) {
  const targets = ids.map((id) => ({ path: `/parties/shard/${shardId()}?id=${id}`, stuck }));
  const worker = new Worker(new URL("../lib/readers.mjs", import.meta.url), { workerData: { port: Number(new URL(node.origin).port), targets, length: FRAME, sentAt } });
  const next = () => new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  const ask = (what) => (worker.postMessage(what), next());
  t.after(() => ask("end"));
  await next();
  return ask;
}

/** Broadcasts at BYTES_S until `done` says so; answers how many. */
async function broadcast(room, at, from, done) {
  const start = now();
  let count = 0;
  while (!(await done(now() - start))) {
    for (; count < ((now() - start) / 1000) * (BYTES_S / FRAME); count++) {
      at[from + count] = now();
      room.links[0].ws.send(TEXT);
    }
    await sleep(5);
  }
  return count;
}

test(`slow clients: ${STUCK} of ${CLIENTS} never read, and the others do not notice`, async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { CLIENT_QUEUE: String(QUEUE), PING_INTERVAL: "0", SEAT_TTL: "0", SLOW_TIMEOUT: "600s" } });
  const sentAt = new SharedArrayBuffer(8 * 1e6), at = new Float64Array(sentAt);
  const ids = Array.from({ length: CLIENTS - STUCK }, (_, i) => `r${i}`);
  const ask = await readers(t, node, ids, sentAt);
  await until(() => room.frames.length === ids.length, "the room to hear of all", 60000);
  const quietFrames = await broadcast(room, at, 0, (ms) => ms > SECONDS * 1000);
  await sleep(500);
  const quiet = await ask("measure");
  if (quiet.count !== quietFrames * ids.length) throw new Error(`${quiet.count} frames came of ${quietFrames * ids.length}`);
  const memory = peak(node);

  await readers(t, node, Array.from({ length: STUCK }, (_, i) => `s${i}`), sentAt, true);
  let most = 0, closed = 0, asked = 0;
  const frames = await broadcast(room, at, quietFrames, async (ms) => {
    if (ms - asked < 50) return false;
    asked = ms;
    const m = await metrics(node);
    most = Math.max(most, m('client_buffer_bytes{direction="down"}'));
    closed = m('slow_clients_total{cause="queue"}');
    return (closed === STUCK && ms > SECONDS * 1000) || ms > 20000 + SECONDS * 4000;
  });
  await sleep(500);
  const busy = await ask("measure");
  const grown = peak(node) - memory;
  console.log(`     ${CLIENTS} clients, ${BYTES_S} bytes/s to each: p99 ${quiet.p99.toFixed(1)} ms (p50 ${quiet.p50.toFixed(1)}), beside ${STUCK} that do not read ${busy.p99.toFixed(1)} ms (p50 ${busy.p50.toFixed(1)}); at most ${most} bytes waited, memory grew by ${grown.toFixed(1)} MiB`);
  if (closed !== STUCK) throw new Error(`${closed} of ${STUCK} were closed`);
  if (busy.count !== frames * ids.length || busy.ended) throw new Error(`${busy.count} frames came of ${frames * ids.length}, ${busy.ended} sockets ended`);
  if (busy.p99 > quiet.p99 * 2 + (alone ? 10 : 50)) throw new Error(`p99 went from ${quiet.p99} to ${busy.p99} ms`);
  const bound = STUCK * (QUEUE + 4 * FRAME) * 1.02 + CLIENTS * 2 * FRAME;
  if (most > bound) throw new Error(`${most} bytes waited, ${bound} were to be expected`);
  if (!sanitized && grown > bound / 2 ** 20 + 32) throw new Error(`memory grew by ${grown} MiB`);
  await until(async () => (await metrics(node))('client_closes_total{code="4200"}') === STUCK, "the closes to be counted");
}, { seconds: 90 + SECONDS * 6 });

if (!alone) {
  test("slow clients: with drop-oldest they lose messages, not their connection", async (t) => {
    const { node, room } = await cluster(t, { nodeEnv: { CLIENT_QUEUE: "65536", SLOW_CLIENT: "drop-oldest" } });
    const c = await join(t, node, "a");
    await room.tells("+a");
    c.ws._socket.pause();
    let sent = 0;
    const bulk = "x".repeat(20000);
    await until(async () => {
      for (let i = 0; i < 50; i++) room.links[0].ws.send(JSON.stringify([sent++, bulk]));
      return (await metrics(node))('dropped_messages_total{reason="slow_client"}') > 0;
    }, "messages to be dropped");
    room.links[0].ws.send('["last"]');
    await sleep(100);
    c.ws._socket.resume();
    await c.until(() => c.frames.includes('["last"]'), 8000, "the newest message");
    const numbers = c.frames.map((f) => JSON.parse(f)[0]).filter((n) => n !== "last");
    if (numbers.length >= sent || numbers.some((n, i) => i > 0 && n <= numbers[i - 1])) throw new Error(`${numbers.length} of ${sent}, ${numbers}`);
    const dropped = (await metrics(node))('dropped_messages_total{reason="slow_client"}');
    if (dropped !== sent - numbers.length) throw new Error(`${dropped} counted, ${sent - numbers.length} missing`);
  });

  test("slow clients: one that takes nothing for SLOW_TIMEOUT is closed with either policy", async (t) => {
    for (const policy of ["close", "drop-oldest"]) {
      const { node, room } = await cluster(t, { nodeEnv: { CLIENT_QUEUE: "16MiB", SLOW_CLIENT: policy, SLOW_TIMEOUT: "1s" } });
      const [stuck, reads] = [await join(t, node, "a"), await join(t, node, "b")];
      await room.tells("+a", "+b");
      stuck.ws._socket.pause();
      for (let i = 0; i < 100; i++) room.links[0].ws.send(JSON.stringify("x".repeat(100000)));
      await until(async () => (await metrics(node))('slow_clients_total{cause="stalled"}') === 1, "the close");
      if (reads.closed) throw new Error(JSON.stringify(reads.closed));
    }
  });

  test("clients: whoever sends more than MESSAGE_RATE is closed with 4201", async (t) => {
    const { node, room } = await cluster(t, { nodeEnv: { MESSAGE_RATE: "100:200" } });
    const [fast, other] = [await join(t, node, "fast"), await join(t, node, "other")];
    for (let i = 0; i < 1000; i++) fast.send("1");
    const closed = await fast.close_();
    if (closed.code !== 4201 || closed.reason !== "rate limited") throw new Error(JSON.stringify(closed));
    for (let i = 0; i < 150; i++) other.send("2");
    await room.tells("-fast"); // once its closing handshake is over
    await until(() => room.frames.filter((f) => f.payload === 2).length === 150, "the other's messages");
    const came = room.frames.filter((f) => f.payload === 1).length;
    if (came < 200 || came > 400) throw new Error(`${came} messages came`);
    if ((await metrics(node))('client_ends_total{reason="peer_flooding"}') !== 1) throw new Error("not counted");
  });

  test("clients: an unfinished message ends in time, and where memory is short", async (t) => {
    const { node } = await cluster(t, { nodeEnv: { MESSAGE_TIMEOUT: "500ms", BUFFER_MAX: "100KiB" } });
    const begin = (length) => Buffer.concat([Buffer.from(length < 126 ? [0x01, 0x80 | length, 0, 0, 0, 0] : [0x01, 0xfe, length >> 8, length & 255, 0, 0, 0, 0]), Buffer.alloc(length, 97)]);
    const late = await join(t, node, "late");
    late.ws._socket.write(begin(10));
    const first = await late.close_();
    if (first.code !== 1008 || first.reason !== "message timeout") throw new Error(JSON.stringify(first));
    const big = await join(t, node, "big");
    big.ws._socket.write(begin(60000));
    big.ws._socket.write(Buffer.concat([Buffer.from([0x00, 0xfe, 60000 >> 8, 60000 & 255, 0, 0, 0, 0]), Buffer.alloc(60000, 97)]));
    const second = await big.close_();
    if (second.code !== 1013 || second.reason !== "buffers full") throw new Error(JSON.stringify(second));
    await until(async () => (await metrics(node))('client_buffer_bytes{direction="up"}') === 0, "the gauge to fall");
  });
}

if (alone) await run();
