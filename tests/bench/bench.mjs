// The measurements of tests/bench/run. Servers run on core 0, load and room server on core 1; peers take
// turns with us, so that a noisy machine hurts both; medians are printed.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const only = args.filter((a) => !a.startsWith("--"));
const rounds = quick ? 1 : 5, seconds = quick ? 1 : 4;
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const bin = path.join(here, "../../build/bench/bin/");
const tmp = mkdtempSync(path.join(os.tmpdir(), "terrane-bench-"));
const SERVER = "0", LOAD = "1";
const secret = "bench-shard-secret-0123456789", jwt = "bench-jwt-secret-0123456789-0123456789";

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const round = (n, digits = 2) => Number(n.toFixed(digits));
const poll = async (fn, what, ms = 30000) => {
  for (const end = Date.now() + ms; ;) {
    const v = await fn();
    if (v) return v;
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((r) => { setTimeout(r, 25); });
  }
};
const freePort = () => new Promise((resolve) => { const s = net.createServer().listen(0, "127.0.0.1", () => { const { port } = s.address(); s.close(() => resolve(port)); }); });
const canConnect = (port) => new Promise((resolve) => { const s = net.connect(port, "127.0.0.1", () => { s.destroy(); resolve(true); }); s.on("error", () => resolve(false)); });

const children = new Set();
async function server(core, command, { env = {}, port, wrap = [] }) {
  const [file, ...rest] = [...(wrap.length ? wrap : []), ...command];
  const child = spawn("taskset", ["-c", core, file, ...rest], { env: { ...process.env, LOG_LEVEL: "error", ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (d) => { log = (log + d).slice(-4000); });
  children.add(child);
  child.on("exit", () => children.delete(child));
  await poll(async () => { if (child.exitCode !== null) throw new Error(`${command[0]} ended: ${log}`); return canConnect(port); }, `${command[0]} on ${port}`);
  return { pid: child.pid, port, stop: () => new Promise((r) => { if (child.exitCode !== null) return r(); child.once("exit", r); child.kill("SIGTERM"); setTimeout(() => child.kill("SIGKILL"), 3000).unref(); }) };
}
/** Runs a load tool to its end; answers what it prints. */
const load = (file, list) => new Promise((resolve, reject) => {
  const child = spawn("taskset", ["-c", LOAD, file, ...list], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "";
  child.stdout.on("data", (d) => { out += d; });
  child.stderr.on("data", (d) => { err += d; });
  child.on("exit", (code) => (code === 0 ? resolve(out) : reject(new Error(`${file}: ${err || out}`))));
});
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const post = (port, where, body) => new Promise((resolve, reject) => {
  const text = JSON.stringify(body);
  const req = http.request({ host: "127.0.0.1", port, method: "POST", path: where, agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text), "x-access-shard": secret } }, (res) => {
    let data = "";
    res.on("data", (d) => { data += d; });
    res.on("end", () => (res.statusCode === 200 ? resolve(JSON.parse(data)) : reject(new Error(`${where}: ${res.statusCode} ${data}`))));
  });
  req.on("error", reject);
  req.end(text);
});
/** CPU seconds that a process has used. */
const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" "); return (Number(f[11]) + Number(f[12])) / 100; };

const world = async (port, wrap) => server(SERVER, [bin + "terrane-world"], { port, wrap, env: { HOST: "127.0.0.1", PORT: String(port), SHARD_SECRET: secret, AUTH_JWT_SECRET: jwt } });
const shard = async (port, room) => server(SERVER, [bin + "terrane-shard"], { port, env: { HOST: "127.0.0.1", PORT: String(port), SHARD_SECRET: secret, WORLD_URLS: "http://127.0.0.1:9", ROOM_SERVERS: `http://127.0.0.1:${room}` } });
async function nginx(port, location) {
  const dir = mkdtempSync(path.join(tmp, "nginx-"));
  writeFileSync(`${dir}/nginx.conf`, `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log crit;
    events { worker_connections 16384; }
    http { access_log off; client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
      keepalive_requests 1000000000; server { listen 127.0.0.1:${port} backlog=4096; location / { ${location} } } }`);
  return server(SERVER, ["nginx", "-p", dir, "-c", `${dir}/nginx.conf`], { port });
}

async function benchConnect() {
  const wp = await freePort(), np = await freePort();
  const w = await world(wp);
  await post(wp, "/parties/world/world-bench/register-room", { name: "bench", balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 1000000, minShards: 10 });
  const sample = JSON.stringify(await post(wp, "/parties/world/world-bench/connect", { roomId: "bench" }));
  const n = await nginx(np, `default_type application/json; return 200 '${sample}';`);
  const wrk = async (url) => Number(/Requests\/sec:\s+([\d.]+)/.exec(await load("wrk", ["-t1", "-c64", `-d${seconds}s`, "-s", `${here}/connect.lua`, url]))[1]);
  const ours = [], theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await wrk(`http://127.0.0.1:${wp}/parties/world/world-bench/connect`));
    theirs.push(await wrk(`http://127.0.0.1:${np}/`));
  }
  await w.stop();
  await n.stop();
  console.log(`connect       POST /connect ${round(median(ours), 0)}/s, nginx return 200 ${round(median(theirs), 0)}/s: ratio ${round(median(ours.map((v, i) => v / theirs[i])))} (bar 0.55, aim 0.9)`);
}

/** Instructions per request: connects, and a count report after every fourth. */
async function instructions(strategy, rooms, perRoom) {
  const port = await freePort(), dir = mkdtempSync(path.join(tmp, "callgrind-"));
  const w = await world(port, ["valgrind", "--tool=callgrind", `--callgrind-out-file=${dir}/out`, "-q"]);
  const base = "/parties/world/world-bench", ids = [];
  const name = (i) => `room-${String(i).padStart(4, "0")}`;
  for (let i = 0; i < rooms; i++) await post(port, `${base}/register-room`, { name: name(i), balancingStrategy: "round-robin", public: true, maxPlayersPerShard: 1000000, minShards: perRoom });
  for (let i = 0; i < 200; i++) ids.push((await post(port, `${base}/connect`, { roomId: name(i % rooms) })).shardId);
  for (let i = 0; i < rooms; i++) await post(port, `${base}/register-room`, { name: name(i), balancingStrategy: strategy, public: true, maxPlayersPerShard: 1000000, minShards: 0 });
  const step = async (count) => {
    for (let i = 0; i < count; i++) {
      await post(port, `${base}/connect`, { roomId: name((i * 7) % rooms), ...(strategy === "hash" && { session: `player-${i}` }) });
      if (i % 4 === 3) await post(port, `${base}/update-shard`, { shardId: ids[(i * 13) % ids.length], connections: 10 + ((i * 31) % 80) });
    }
  };
  await step(100);
  // callgrind finds its control pipe by LOGNAME and HOST, and HOST is one of the world's settings
  const control = (flag) => execFileSync("callgrind_control", [flag, String(w.pid)], { stdio: "ignore", env: { ...process.env, HOST: "127.0.0.1" } });
  control("-z");
  const requests = quick ? 400 : 2000;
  await step(requests);
  control("-d");
  const file = await poll(() => readdirSync(dir).find((f) => f.startsWith("out.") && /^(summary|totals):/m.test(readFileSync(`${dir}/${f}`, "utf8"))), "callgrind's dump");
  const total = Number(/^(?:summary|totals):\s*(\d+)/m.exec(readFileSync(`${dir}/${file}`, "utf8"))[1]);
  await w.stop();
  return total / (requests * 1.25);
}
async function benchInstructions() {
  for (const strategy of ["round-robin", "least-connections", "random", "packed", "p2c", "hash"]) {
    const small = await instructions(strategy, 1, 10);
    const one = await instructions(strategy, 1, 10000);
    const many = await instructions(strategy, 1000, 10);
    console.log(`instructions  ${strategy}: ${round(small, 0)} a request with 10 shards; one room of 10000: ${round((one / small - 1) * 100, 1)} % more; 1000 rooms of 10: ${round((many / small - 1) * 100, 1)} % more (bar 15 %)`);
  }
}

async function benchRelay() {
  const rp = await freePort(), sp = await freePort(), np = await freePort();
  const room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const s = await shard(sp, rp);
  const n = await nginx(np, `proxy_pass http://127.0.0.1:${rp}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 1h;`);
  const run = async (pid, port, target) => {
    const before = cpu(pid);
    const r = JSON.parse(await load(bin + "bench-wsload", ["echo", String(port), target, "1000", "64", String(seconds)]));
    return { ...r, cpu: ((cpu(pid) - before) * 1e6) / (r.messages * ((seconds + 0.5) / seconds)) };
  };
  const ours = [], theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await run(s.pid, sp, "/parties/shard/bench:world-bench:1700000000000-1?id=c%u"));
    theirs.push(await run(n.pid, np, "/echo"));
  }
  for (const x of [s, n, room]) await x.stop();
  const m = (list, key) => median(list.map((r) => r[key]));
  console.log(`relay         64 B, 1000 clients, one link: ${m(ours, "rate")}/s (${round(m(ours, "cpu"), 1)} µs CPU each, p99 ${m(ours, "p99_us")} µs); nginx tunnel to an echo server: ${m(theirs, "rate")}/s (${round(m(theirs, "cpu"), 1)} µs CPU each): ratio ${round(median(ours.map((r, i) => r.rate / theirs[i].rate)))}, by CPU ${round(median(ours.map((r, i) => theirs[i].cpu / r.cpu)))} (bar 2, aim 3)`);
}

async function benchIdle() {
  const rp = await freePort(), sp = await freePort();
  const room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const s = await shard(sp, rp);
  const r = JSON.parse(await load(bin + "bench-wsload", ["hold", String(sp), "/parties/shard/bench:world-bench:1700000000000-1?id=c%u", quick ? "2000" : "10000", String(s.pid)]));
  await s.stop();
  await room.stop();
  console.log(`idle          ${r.connections} clients that said one message each: ${r.bytes_per_connection} bytes of user memory each (bar 2048, aim 1024)`);
}

const all = { connect: benchConnect, instructions: benchInstructions, relay: benchRelay, idle: benchIdle };
for (const name of only) if (!all[name]) { console.error(`no benchmark ${name}; there are ${Object.keys(all).join(", ")}`); process.exit(2); }
const interrupted = () => process.exit(130);
process.on("SIGINT", interrupted);
process.on("SIGTERM", interrupted);
process.on("exit", () => { for (const c of children) c.kill("SIGKILL"); rmSync(tmp, { recursive: true, force: true }); });
console.log(`${os.cpus()[0].model}, ${os.cpus().length} cores; servers on core ${SERVER}, load on core ${LOAD}; medians of ${rounds}`);
for (const [name, fn] of Object.entries(all)) if (!only.length || only.includes(name)) await fn();
