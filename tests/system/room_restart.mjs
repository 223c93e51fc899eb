// Room servers that are killed, stopped or deaf under clients that talk all the while.
// usage: node tests/system/room_restart.mjs [PATTERN...] in full: RESTART_CLIENTS (1000) with 5 messages/s each, away
// for RESTART_AWAY (3) seconds, RESTART_ROUNDS (5) times in a row.
import { readFileSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { run, test, until } from "../lib/runner.mjs";
import { cluster, shardId } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";
import { bin, folder, listening, start } from "../lib/process.mjs";

const alone = process.argv[1] === fileURLToPath(import.meta.url);
const size = (name, small, full) => Number(process.env[name] ?? (alone ? full : small));
const CLIENTS = size("RESTART_CLIENTS", 40, 1000), AWAY = size("RESTART_AWAY", 1, 3), ROUNDS = size("RESTART_ROUNDS", 2, 5);
const EVERY = 200; // ms between messages of a client
const LEAVERS = Math.max(4, CLIENTS / 50), THREADS = 2;

const sanitized = readFileSync(path.join(bin, "terrane-shard")).includes("__asan_init");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => performance.timeOrigin + performance.now();
const envelope = (id, n) => `{"type":"shard.clientMessage","privateId":"${id}","payload":{"n":${n}}}`.length;
const status = (node, field) => Number(readFileSync(`/proc/${node.pid}/status`, "utf8").match(new RegExp(`${field}:\\s+(\\d+)`))[1]) / 1024;

const counted = (node, name) => metric(node.origin, `terrane_shard_${name}`);

/** A room server that can be killed and started again, and what it has written down. */
class Ledger {
  constructor() {
    this.file = path.join(folder(), "ledger");
    this.port = 0;
  }
  async rise() {
    this.process = start("room", process.execPath, ["tests/lib/ledger_room.mjs"], { PORT: String(this.port), LEDGER: this.file });
    this.port = Number((await this.process.says(listening))[1]);
    this.origin = `http://127.0.0.1:${this.port}`;
  }
  /** Numbers by client, in the order in which they were read, and who is there as the room sees it. */
  read() {
    const heard = new Map(), there = new Set();
    for (const line of readFileSync(this.file, "utf8").trimEnd().split("\n")) {
      const [id, n] = line.split(" ");
      if (line === "!") there.clear();
      else if (line[0] === "+") there.add(line.slice(1));
      else if (line[0] === "-") there.delete(line.slice(1));
      else heard.get(id)?.push(Number(n)) ?? heard.set(id, [Number(n)]);
    }
    return { heard, there };
  }
}

/** Talkers in two threads; `all(verb, of)` tells each thread something. */
class Crowd {
  static start(t, node) {
    const crowd = Object.assign(new Crowd(), { next: 0, away: [] });
    const url = `${node.origin.replace("http", "ws")}/parties/shard/${shardId()}`;
    crowd.threads = Array.from({ length: THREADS }, () => new Worker(new URL("../lib/talkers.mjs", import.meta.url), { workerData: { url, every: EVERY } }));
    t.after(() => crowd.all("end"));
    return crowd;
  }
  ask(thread, verb, of) {
    return new Promise((resolve, reject) => {
      const done = (answer) => (thread.off("error", reject), resolve(answer));
      thread.once("message", done).once("error", reject);
      thread.postMessage({ verb, of });
    });
  }
  async all(verb, of) {
    return (await Promise.all(this.threads.map((thread) => this.ask(thread, verb, of)))).flat();
  }
  /** `c12` is of thread 12 % THREADS. */
  async some(verb, ids) {
    await Promise.all(this.threads.map((thread, i) => this.ask(thread, verb, ids.filter((id) => Number(id.slice(1)) % THREADS === i))));
  }
  async enter(count) {
    const ids = Array.from({ length: count }, () => `c${this.next++}`);
    await this.some("enter", ids);
    return ids;
  }
}

async function scene(t, nodeEnv) {
  const room = new Ledger();
  await room.rise();
  const { node } = await cluster(t, { rooms: room.origin, nodeEnv: { SEAT_TTL: "0", ...nodeEnv } });
  const crowd = Crowd.start(t, node);
  const ids = await crowd.enter(CLIENTS);
  await until(() => room.read().there.size === CLIENTS, "all to be in the room", 20000);
  await sleep(500);
  return { room, node, crowd, ids, outages: [] };
}

/** The room server is away, some leave and others come. Told of `outages`: by when the node had noticed, and since when it was there again. */
async function outage(s, meanwhile) {
  const losses = await counted(s.node, "link_losses_total");
  await s.room.process.kill();
  await until(async () => (await counted(s.node, "link_losses_total")) > losses, "the node to notice");
  const noticed = now();
  await s.crowd.some("leave", s.ids.splice(0, LEAVERS));
  s.ids.push(...(await s.crowd.enter(LEAVERS)));
  await meanwhile();
  await s.room.rise();
  const back = now();
  await until(async () => (await counted(s.node, 'links{state="up"}')) === 1, "the link to be back", 20000);
  s.outages.push({ noticed, back });
}

/** Nobody talks any more, and all that was said has come, or it never will. */
async function settle(s) {
  await s.crowd.all("hush");
  let before = -1;
  await until(async () => {
    const { size } = statSync(s.room.file);
    const same = size === before;
    before = size;
    await sleep(400);
    return same && (await counted(s.node, 'links{state="up"}')) === 1;
  }, "the room to have heard all", 30000);
}

/** What must hold, as numbers; throws when it does not. */
async function judge(s, label) {
  const talkers = await s.crowd.all("tell");
  const { heard, there } = s.room.read();
  const n = { clients: talkers.length, said: 0, heard: 0, lost: 0, lostBytes: 0, lostLater: 0, twice: 0, overtaken: 0, closed: 0, ghosts: 0, missing: 0 };
  const safe = (at) => s.outages.some(({ noticed, back }, i) => at > noticed && (at < back || i === s.outages.length - 1));
  for (const { id, sent, closed, leaves } of talkers) {
    const got = heard.get(id) ?? [], seen = new Set(got);
    n.said += sent.length;
    n.heard += seen.size;
    n.twice += got.length - seen.size;
    n.overtaken += got.filter((x, i) => i > 0 && x < got[i - 1]).length;
    if (closed !== null) n.closed++;
    if (leaves ? there.has(id) : false) n.ghosts++;
    if (!leaves && !there.has(id)) n.missing++;
    if (leaves) continue; // who broke off may have taken its last words along
    sent.forEach((at, i) => {
      if (seen.has(i + 1)) return;
      n.lost++;
      n.lostBytes += envelope(id, i + 1);
      if (safe(at)) n.lostLater++;
    });
  }
  n.counted = await counted(s.node, "link_lost_bytes_total");
  n.pauses = await counted(s.node, "link_pauses_total");
  console.log(`     ${label}: ${Object.entries(n).map(([key, value]) => `${key} ${value}`).join(", ")}`);
  const wrong = ["lostLater", "twice", "overtaken", "closed", "ghosts", "missing"].filter((key) => n[key] !== 0);
  if (wrong.length) throw new Error(`${wrong.join(", ")}: ${[...new Set(talkers.map((x) => x.closed).filter(Boolean))].slice(0, 5)}`);
  if (n.counted < n.lostBytes) throw new Error(`${n.lostBytes} bytes were lost, ${n.counted} were counted`);
  return n;
}

test(`room restart: killed ${ROUNDS} times under ${CLIENTS} clients that talk`, async (t) => {
  const s = await scene(t, { PING_INTERVAL: "1s", PONG_TIMEOUT: "2s" });
  for (let i = 0; i < ROUNDS; i++) {
    await outage(s, () => sleep(AWAY * 1000));
    await sleep(1000);
  }
  await settle(s);
  const n = await judge(s, `${ROUNDS} times ${AWAY} s away`);
  if (n.counted === 0 && n.lost > 0) throw new Error("nothing was counted");
}, { seconds: 120 + ROUNDS * (AWAY + 20) });

test("room restart: more is said than LINK_BUFFER holds", async (t) => {
  const LINK_BUFFER = Math.max(65536, CLIENTS * 200);
  const s = await scene(t, { PING_INTERVAL: "300ms", PONG_TIMEOUT: "500ms", LINK_BUFFER: String(LINK_BUFFER) });
  const before = status(s.node, "VmRSS");
  await outage(s, async () => {
    await s.crowd.all("shout", { times: Math.ceil((2 * LINK_BUFFER) / CLIENTS / envelope("c100", 10)) });
    await sleep(AWAY * 1000);
  });
  await settle(s);
  const n = await judge(s, `LINK_BUFFER of ${LINK_BUFFER} bytes`);
  if (n.pauses === 0) throw new Error("nobody was paused");
  console.log(`     memory: ${before.toFixed(1)} MiB before, at most ${status(s.node, "VmHWM").toFixed(1)} MiB`);
}, { seconds: 120 });

test("room restart: one that takes connections and answers nothing is in its place for a while", async (t) => {
  const s = await scene(t, {});
  await outage(s, async () => {
    const sockets = new Set();
    const deaf = net.createServer((socket) => sockets.add(socket.on("error", () => {})));
    await new Promise((resolve) => deaf.listen(s.room.port, "127.0.0.1", resolve));
    await until(() => sockets.size > 0, "the node to dial it");
    await sleep(AWAY * 1000);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => deaf.close(resolve));
  });
  await settle(s);
  await judge(s, `${AWAY} s deaf`);
}, { seconds: 120 });

test("room restart: one that stands still and goes on loses nothing", async (t) => {
  const s = await scene(t, { PING_INTERVAL: "1s", PONG_TIMEOUT: "20s", LINK_BUFFER: String(Math.max(65536, CLIENTS * 400)) });
  s.room.process.child.kill("SIGSTOP");
  const bulk = 20 + Math.ceil(8e6 / CLIENTS / 70); // beyond what the kernels hold
  await s.crowd.all("shout", { times: Math.min(bulk, 1500) });
  await sleep((alone ? 5 : 1) * 1000);
  s.room.process.child.kill("SIGCONT");
  await settle(s);
  const n = await judge(s, "stopped");
  if (n.lost !== 0 || n.counted !== 0 || (await counted(s.node, "link_losses_total")) !== 0) throw new Error("something was lost");
}, { seconds: 120 });

test("room restart: one that hangs is left after PONG_TIMEOUT, and found again", async (t) => {
  const s = await scene(t, { PING_INTERVAL: "500ms", PONG_TIMEOUT: "500ms" });
  s.room.process.child.kill("SIGSTOP");
  await until(async () => (await counted(s.node, "link_losses_total")) === 1, "the node to notice", 10000);
  s.outages.push({ noticed: now(), back: Infinity });
  s.room.process.child.kill("SIGCONT");
  await until(async () => (await counted(s.node, 'links{state="up"}')) === 1, "the link to be back", 20000);
  await settle(s);
  await judge(s, "hung");
}, { seconds: 120 });

if (alone) await run();
