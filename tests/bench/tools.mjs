// What the measurements share: processes on their cores, requests to a world, nodes that only beat, callgrind.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { jwt } from "../conformance/lib/jwt.mjs";

export const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
export const bin = process.env.BENCH_BIN ?? path.join(here, "../../build/bench/bin/");
export const SERVER = "0", LOAD = "1";
export const base = "/parties/world/world-bench";
const tmp = mkdtempSync(path.join(os.tmpdir(), "terrane-bench-"));
const secret = "bench-shard-secret-0123456789", jwtSecret = "bench-jwt-secret-0123456789-0123456789";

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
export const round = (n, digits = 2) => Number(n.toFixed(digits));
export const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });
export const poll = async (fn, what, ms = 60000) => {
  for (const end = Date.now() + ms; ;) {
    const v = await fn();
    if (v) return v;
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await sleep(25);
  }
};
export const freePort = () => new Promise((resolve) => { const s = net.createServer().listen(0, "127.0.0.1", () => { const { port } = s.address(); s.close(() => resolve(port)); }); });
const canConnect = (port) => new Promise((resolve) => { const s = net.connect(port, "127.0.0.1", () => { s.destroy(); resolve(true); }); s.on("error", () => resolve(false)); });
const folder = (name) => mkdtempSync(path.join(tmp, `${name}-`));

// ---- processes
const children = new Set();
const interrupted = () => process.exit(130);
process.on("SIGINT", interrupted);
process.on("SIGTERM", interrupted);
process.on("exit", () => { for (const c of children) c.kill("SIGKILL"); rmSync(tmp, { recursive: true, force: true }); });

export async function server(core, command, { env = {}, port, wrap = [] }) {
  const [file, ...rest] = [...wrap, ...command];
  const child = spawn("taskset", ["-c", core, file, ...rest], { env: { ...process.env, LOG_LEVEL: "error", ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (d) => { log = (log + d).slice(-4000); });
  children.add(child);
  child.on("exit", () => children.delete(child));
  await poll(async () => { if (child.exitCode !== null) throw new Error(`${command[0]} ended: ${log}`); return canConnect(port); }, `${command[0]} on ${port}`);
  return { pid: child.pid, port, stop: () => new Promise((r) => { if (child.exitCode !== null) return r(); child.once("exit", r); child.kill("SIGTERM"); setTimeout(() => child.kill("SIGKILL"), 3000).unref(); }) };
}
/** Runs a load tool to its end; answers what it prints. */
export const load = (file, list, env = {}) => new Promise((resolve, reject) => {
  const child = spawn("taskset", ["-c", LOAD, file, ...list], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "";
  child.stdout.on("data", (d) => { out += d; });
  child.stderr.on("data", (d) => { err += d; });
  child.on("exit", (code) => (code === 0 ? resolve(out) : reject(new Error(`${file}: ${err || out}`))));
});
/** CPU seconds that a process has used. */
export const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" "); return (Number(f[11]) + Number(f[12])) / 100; };

/** The same to the microsecond, without what the kernel counts in ticks. */
export const cpuExact = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e9;

/** A world as it is deployed: seats are promised, and what changes is stored; `redis`: one of several, with the Redis there. */
export const world = async (port, wrap, redis) => server(SERVER, [bin + "terrane-world"], { port, wrap, env: { HOST: "127.0.0.1", PORT: String(port), SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, ...(redis ? { REDIS_URL: `redis://127.0.0.1:${redis}` } : { DATA_DIR: folder("data") }) } });
/** The server that Debian's redis-tools hold under another name. */
export const redis = async (port) => server(LOAD, ["bash", "-c", `exec -a redis-server redis-check-rdb --bind 127.0.0.1 --port ${port} --dir ${folder("redis")} --save '' --appendonly yes`], { port });
export const shard = async (port, room, worldPort, wrap, env = {}) => server(SERVER, [bin + "terrane-shard"], {
  port, wrap, env: { HOST: "127.0.0.1", PORT: String(port), NODE_ID: "bench-node", SHARD_SECRET: secret, WORLD_URLS: `http://127.0.0.1:${worldPort}`, WORLD_IDS: "world-bench", ROOM_SERVERS: `http://127.0.0.1:${room}`, MAX_SHARDS: "20000", MAX_CONNECTIONS: "18000", ROUTES: '[{"path":"/echo","mode":"pass"},{"path":"/pass/{shard}","mode":"pass"}]', ...env },
});
/** A certificate for this host that signs itself, as files. */
export function certificate() {
  const dir = folder("tls"), cert = `${dir}/cert.pem`, key = `${dir}/cert.pem.key`;
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", "/CN=bench"], { stdio: "ignore" });
  return { cert, key };
}
/** One HAProxy thread before `backend` (a port): the end of TLS, whose key is read from beside the certificate, or without one a tunnel for each client. */
export async function haproxy(port, backend, { cert } = {}) {
  const dir = folder("haproxy");
  writeFileSync(`${dir}/haproxy.cfg`, `global
  nbthread 1
  maxconn 4096
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode ${cert ? "tcp" : "http"}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:${port} ${cert ? `ssl crt ${cert} alpn http/1.1` : ""}
  server room 127.0.0.1:${backend}
`);
  return server(SERVER, ["haproxy", "-db", "-f", `${dir}/haproxy.cfg`], { port });
}
export async function nginx(port, location) {
  const dir = folder("nginx");
  writeFileSync(`${dir}/nginx.conf`, `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log crit;
    events { worker_connections 16384; }
    http { access_log off; client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
      keepalive_requests 1000000000; server { listen 127.0.0.1:${port} backlog=4096; location / { ${location} } } }`);
  return server(SERVER, ["nginx", "-p", dir, "-c", `${dir}/nginx.conf`], { port });
}

// ---- requests
export const bearer = () => `Bearer ${jwt({ worlds: ["world-bench"], exp: Math.floor(Date.now() / 1000) + 86400 }, jwtSecret)}`;
const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
const exchange = (port, method, where, text, headers) => new Promise((resolve, reject) => {
  const req = http.request({ host: "127.0.0.1", port, method, path: where, agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers } }, (res) => {
    let data = "";
    res.on("data", (d) => { data += d; });
    res.on("end", () => (res.statusCode === 200 ? resolve(data) : reject(new Error(`${where}: ${res.statusCode} ${data}`))));
  });
  req.on("error", reject);
  req.end(text);
});
export const post = async (port, where, body) => JSON.parse(await exchange(port, "POST", where, JSON.stringify(body), { "x-access-shard": secret }));
export const get = (port, where) => exchange(port, "GET", where, "", { authorization: bearer() });
export const register = (port, name, balancingStrategy, minShards) => post(port, `${base}/register-room`, { name, balancingStrategy, public: true, maxPlayersPerShard: 1000000, minShards });
/** The same for many rooms at a time, each waits for the store; `between` is done now and then. */
export async function registerAll(port, names, balancingStrategy, minShards, between) {
  for (let i = 0; i < names.length; i += 100) {
    await Promise.all(names.slice(i, i + 100).map((name) => register(port, name, balancingStrategy, minShards)));
    await between();
  }
}
/** A console as the dashboard is one: the stream of events with overviews, and each second a page of shards, of rooms and of nodes. */
export class Console {
  constructor(port) {
    this.port = port;
    this.overviews = this.pages = this.bytes = 0;
  }
  async open() {
    this.stream = await new Promise((resolve, reject) => http.get({ host: "127.0.0.1", port: this.port, path: "/api/v1/worlds/world-bench/events?overview=1", agent: false, headers: { authorization: bearer() } }, resolve).on("error", reject));
    this.stream.on("error", () => {});
    this.stream.on("data", (d) => { this.overviews += d.toString().split("event: overview").length - 1; });
    this.timer = setInterval(() => this.look().catch(() => {}), 1000);
  }
  async look() {
    for (const list of ["shards?limit=100", "rooms?limit=100", "nodes"]) {
      this.bytes += (await get(this.port, `/api/v1/worlds/world-bench/${list}`)).length;
      this.pages++;
    }
  }
  close() {
    clearInterval(this.timer);
    this.stream.destroy();
  }
}

/** The world has that many nodes that shards can be placed on. */
export const usable = (port, count) => poll(async () => JSON.parse(await get(port, "/api/v1/worlds/world-bench/nodes")).items.filter((n) => n.usable).length === count, "usable nodes");

/** A node that only beats: it follows its orders and says of its shards what it is told to say. */
export class BeatingNode {
  constructor(port, id) {
    Object.assign(this, { port, epoch: Date.now(), seq: 0, orders: { epoch: 0, version: 0 }, shards: new Map() });
    this.process = { id, epoch: this.epoch, url: "http://127.0.0.1:9", internalUrl: "http://127.0.0.1:9", version: "bench", maxConnections: 1e12, connections: 0, draining: false, lagMs: 0 };
  }
  /** `names`: shards of which something is told now. */
  async beat(names = [], full = this.seq === 0) {
    const a = await post(this.port, `${base}/heartbeat`, { node: this.process, seq: ++this.seq, full, haveOrders: this.orders, shards: names.map((s) => this.shards.get(s)) });
    this.orders = { epoch: a.epoch, version: a.version };
    for (const { shardId } of a.shards ?? []) if (!this.shards.has(shardId)) this.shards.set(shardId, { shardId, open: 0, returning: 0, admitted: 0, readmitted: 0, sessions: 0, link: "idle", server: "" });
    for (const shardId of a.drop ?? []) this.shards.delete(shardId);
    return a;
  }
  /** So many clients are at the shard; those who came had promised seats. */
  count(shardId, open) {
    const s = this.shards.get(shardId);
    s.admitted += Math.max(open - s.open, 0);
    s.open = s.sessions = open;
    s.link = "up";
  }
  live() { this.timer = setInterval(() => this.beat().catch(() => {}), 500); }
  stop() { clearInterval(this.timer); }
}
export async function beatingNodes(port, count) {
  const nodes = Array.from({ length: count }, (_, i) => new BeatingNode(port, `node-${i}`));
  for (const n of nodes) await n.beat();
  return nodes;
}

// ---- callgrind
/** Wraps a server; count() answers what it executes while `work` runs. */
export function callgrind() {
  const dir = folder("callgrind");
  // callgrind finds its control pipe by LOGNAME and HOST, and HOST is one of our settings
  const control = (flags, pid) => execFileSync("callgrind_control", [...flags, String(pid)], { stdio: "ignore", env: { ...process.env, HOST: "127.0.0.1" } });
  const dumps = () => readdirSync(dir).filter((f) => f.startsWith("out.") && /^(summary|totals):/m.test(readFileSync(`${dir}/${f}`, "utf8")));
  let last = 0;
  return {
    wrap: ["valgrind", "--tool=callgrind", "--instr-atstart=no", `--callgrind-out-file=${dir}/out`, "-q"],
    count: async (pid, work) => {
      control(["-i", "on"], pid);
      await work();
      control(["-d"], pid);
      const file = `out.${++last}`;
      await poll(() => dumps().includes(file), "callgrind's dump");
      control(["-i", "off"], pid);
      if (process.env.CALLGRIND_KEEP) execFileSync("cp", [`${dir}/${file}`, `${process.env.CALLGRIND_KEEP}.${last}`]);
      return Number(/^(?:summary|totals):\s*(\d+)/m.exec(readFileSync(`${dir}/${file}`, "utf8"))[1]);
    },
  };
}
