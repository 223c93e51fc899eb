// The measurements of tests/bench/run. Servers run on core 0, load and room server on core 1; peers take
// turns with us, so that a noisy machine hurts both; medians are printed.
import os from "node:os";
import { base, beatingNodes, bearer, bin, callgrind, certificate, Console, cpu, cpuExact, freePort, get, haproxy, here, load, LOAD, median, nginx, poll, post, redis, register, registerAll, round, server, SERVER, shard, sleep, usable, world } from "./tools.mjs";

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const only = args.filter((a) => !a.startsWith("--"));
const rounds = quick ? 1 : 5, seconds = quick ? 1 : 4;
const strategies = ["round-robin", "least-connections", "random", "packed", "p2c", "hash"];

/** A load tool's rate at a world with live nodes, and nginx's beside it. */
async function besideNginx(script, target, length) {
  const wp = await freePort(), np = await freePort();
  const w = await world(wp), nodes = await beatingNodes(wp, 2);
  for (const n of nodes) n.live();
  await register(wp, "bench", "round-robin", 10);
  const sample = JSON.stringify(await post(wp, `${base}/connect`, { roomId: "bench" }));
  const n = await nginx(np, `default_type application/json; return 200 '${sample}';`);
  const wrk = async (url, round_) => {
    const out = await load("wrk", ["-t1", "-c64", `-d${length}s`, "-s", `${here}/${script}`, url], { BENCH_TOKEN: bearer(), BENCH_ROUND: String(round_) });
    if (/Non-2xx/.test(out)) throw new Error(`${script}: ${out}`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]);
  };
  const ours = [], theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await wrk(`http://127.0.0.1:${wp}${target}`, i));
    theirs.push(await wrk(`http://127.0.0.1:${np}/`, i));
  }
  for (const x of [...nodes, w, n]) await x.stop();
  return `${round(median(ours), 0)}/s, nginx return 200 ${round(median(theirs), 0)}/s: ratio ${round(median(ours.map((v, i) => v / theirs[i])))}`;
}
async function benchConnect() {
  console.log(`connect       POST /connect ${await besideNginx("connect.lua", `${base}/connect`, seconds)} (bar 0.55, aim 0.9)`);
}
async function benchCreate() {
  console.log(`create        POST /connect with a token, each to a room that is not there: ${await besideNginx("create.lua", `${base}/connect`, 1)} (no bar)`);
}

/** What it costs to come in at a world process that does not decide, both processes counted. */
async function benchForward() {
  const rp = await freePort(), ports = [await freePort(), await freePort()];
  const r = await redis(rp), worlds = [await world(ports[0], [], rp), await world(ports[1], [], rp)];
  await register(ports[0], "bench", "round-robin", 10); // the first that is asked decides
  const nodes = await beatingNodes(ports[0], 2);
  for (const n of nodes) n.live();
  const run = async (port) => {
    const before = worlds.map((w) => cpu(w.pid));
    const out = await load("wrk", ["-t1", "-c64", `-d${seconds}s`, "-s", `${here}/connect.lua`, `http://127.0.0.1:${port}${base}/connect`]);
    if (/Non-2xx/.test(out)) throw new Error(`forward: ${out}`);
    const requests = Number(/(\d+) requests in/.exec(out)[1]), used = worlds.map((w, i) => cpu(w.pid) - before[i]);
    return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), cpu: ((used[0] + used[1]) * 1e6) / requests };
  };
  const direct = [], passed = [];
  for (let i = 0; i < rounds; i++) {
    direct.push(await run(ports[0]));
    passed.push(await run(ports[1]));
  }
  for (const x of [...nodes, ...worlds, r]) await x.stop();
  const m = (list, key) => median(list.map((one) => one[key]));
  console.log(`forward       POST /connect at the world that decides: ${round(m(direct, "rate"), 0)}/s, ${round(m(direct, "cpu"), 1)} µs CPU; through another: ${round(m(passed, "rate"), 0)}/s, ${round(m(passed, "cpu"), 1)} µs in both: ratio ${round(median(passed.map((one, i) => one.cpu / direct[i].cpu)))} (bar 2.5)`);
}

/** Instructions per request: connects, and a beat after every fourth. */
async function instructions(strategy, rooms, perRoom) {
  const port = await freePort(), grind = callgrind();
  const w = await world(port, grind.wrap), nodes = await beatingNodes(port, 2), ids = [];
  const names = Array.from({ length: rooms }, (_, i) => `room-${String(i).padStart(4, "0")}`);
  const beatAll = async () => { for (const n of nodes) await n.beat(); };
  await registerAll(port, names, "round-robin", perRoom, beatAll);
  for (let i = 0; i < 200; i++) ids.push((await post(port, `${base}/connect`, { roomId: names[i % rooms] })).shardId);
  await registerAll(port, names, strategy, 0, beatAll);
  const step = async (count) => {
    for (let i = 0; i < count; i++) {
      await post(port, `${base}/connect`, { roomId: names[(i * 7) % rooms], ...(strategy === "hash" && { session: `player-${i}` }) });
      if (i % 4 !== 3) continue;
      const id = ids[(i * 13) % ids.length], at = nodes.findIndex((n) => n.shards.has(id));
      nodes[at].count(id, 10 + ((i * 31) % 80));
      await nodes[at].beat([id]);
      if (i % 400 === 399) await beatAll();
    }
  };
  await step(100);
  const requests = quick ? 400 : 2000, total = await grind.count(w.pid, () => step(requests));
  await w.stop();
  return total / (requests * 1.25);
}
async function benchInstructions() {
  for (const strategy of strategies) {
    const small = await instructions(strategy, 1, 10);
    const one = await instructions(strategy, 1, 10000);
    const many = await instructions(strategy, 1000, 10);
    console.log(`instructions  ${strategy}: ${round(small, 0)} a request with 10 shards; one room of 10000: ${round((one / small - 1) * 100, 1)} % more; 1000 rooms of 10: ${round((many / small - 1) * 100, 1)} % more (bar 15 %)`);
  }
}

/** What a beat of a node with 10 000 shards costs its world. */
async function benchBeats() {
  const port = await freePort(), grind = callgrind(), beats = quick ? 5 : 50;
  const w = await world(port, grind.wrap), [node] = await beatingNodes(port, 1);
  await registerAll(port, Array.from({ length: 100 }, (_, i) => `room-${i}`), "round-robin", 100, () => node.beat());
  const ids = [...node.shards.keys()];
  let turn = 0;
  const some = (count) => ids.slice((turn * count) % ids.length).slice(0, count);
  const costs = async (n, names) => round((await grind.count(w.pid, async () => {
    for (let i = 0; i < n; i++, turn++) {
      for (const s of names()) node.count(s, turn + 1);
      await node.beat(names(), names().length === ids.length);
    }
  })) / n / 1000, 0);
  const idle = await costs(beats, () => []);
  const hundred = await costs(beats, () => some(100));
  const full = await costs(quick ? 1 : 3, () => ids);
  await w.stop();
  console.log(`beats         of a node with ${ids.length} shards, at the world: nothing changed ${idle} thousand instructions, 100 changed ${hundred}, full ${full} (no bar)`);
}
/** A world of 10 000 shards at four nodes, 100 of which are told anew each second; `rooms` times `perRoom` are as many. */
async function busyWorld(rooms, perRoom, wrap) {
  const port = await freePort(), w = await world(port, wrap), nodes = await beatingNodes(port, 4);
  await registerAll(port, Array.from({ length: rooms }, (_, i) => `room-${i}`), "round-robin", perRoom, async () => { for (const n of nodes) await n.beat(); });
  for (const n of nodes) await n.beat([...n.shards.keys()], true);
  let turn = 0;
  const timers = nodes.map((n) => setInterval(() => {
    const ids = [...n.shards.keys()], some = Array.from({ length: 25 }, (_, i) => ids[(turn * 25 + i) % ids.length]);
    for (const id of some) n.count(id, (++turn % 90) + 1);
    n.beat(some).catch(() => {});
  }, 1000));
  return { port, pid: w.pid, shards: nodes.reduce((sum, n) => sum + n.shards.size, 0), stop: () => { timers.forEach(clearInterval); return w.stop(); } };
}
/** Runs `work` for each of some seconds without and with five consoles; answers what it counted of each. */
async function withConsoles(w, work) {
  const without = await work(), consoles = Array.from({ length: 5 }, () => new Console(w.port));
  for (const c of consoles) await c.open();
  await sleep(1000);
  const before = consoles.map((c) => ({ ...c }));
  const with_ = await work();
  const seen = (key) => consoles.reduce((sum, c, i) => sum + c[key] - before[i][key], 0);
  for (const c of consoles) c.close();
  await sleep(200);
  return { without, with: with_, overviews: seen("overviews"), pages: seen("pages"), bytes: seen("bytes") };
}
/** What five open consoles cost the process of such a world: its time on the CPU, the kernel's for it included, and its instructions. */
async function benchConsoles() {
  const span = quick ? 2 : 10;
  for (const [rooms, perRoom] of [[100, 100], [1, 10000]]) {
    const w = await busyWorld(rooms, perRoom), runs = [];
    const percent = async () => { const before = cpuExact(w.pid); await sleep(span * 1000); return ((cpuExact(w.pid) - before) / span) * 100; };
    for (let i = 0; i < rounds; i++) runs.push(await withConsoles(w, percent));
    await w.stop();
    const grind = callgrind(), g = await busyWorld(rooms, perRoom, grind.wrap);
    const counted = await withConsoles(g, async () => (await grind.count(g.pid, () => sleep(span * 1000))) / span / 1e6);
    await g.stop();
    const of = (key) => median(runs.map((r) => r[key]));
    console.log(`consoles      ${w.shards} shards in ${rooms} rooms, 100 counts told a second: ${round(of("without"))} % of a core, with 5 consoles ${round(of("with"))} %: ${round(median(runs.map((r) => r.with - r.without)))} points more (bar 2); ${round(counted.without, 1)} million instructions a second, with them ${round(counted.with, 1)}; a second: ${round(of("overviews") / span, 1)} overviews, ${round(of("pages") / span, 1)} pages, ${round(of("bytes") / span / 1000, 0)} KB`);
  }
}

/** What 10 000 idle shards cost their node. */
async function benchShards() {
  const rp = await freePort(), wp = await freePort(), sp = await freePort(), grind = callgrind(), span = quick ? 2 : 10;
  const w = await world(wp), room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const s = await shard(sp, rp, wp, grind.wrap);
  await usable(wp, 1);
  await register(wp, "bench", "round-robin", 10000);
  await poll(async () => / 10000$/m.test((await get(sp, "/metrics")).split("\n").filter((l) => l.startsWith("terrane_shard_shards")).join("\n")), "the node's shards");
  await sleep(1500);
  const total = await grind.count(s.pid, () => sleep(span * 1000));
  for (const x of [s, w, room]) await x.stop();
  console.log(`shards        10000 idle ones at a node, with a beat a second: ${round(total / span / 1000, 0)} thousand instructions a second (no bar)`);
}

/** A node with a live world that has placed the room's only shard on it; answers a client's target there. */
async function placed(room, env) {
  const wp = await freePort(), sp = await freePort();
  const w = await world(wp), s = await shard(sp, room, wp, [], env);
  await usable(wp, 1);
  await register(wp, "bench", "round-robin", 1);
  const { shardId } = await post(wp, `${base}/connect`, { roomId: "bench" });
  return { ...s, target: `/parties/shard/${shardId}?id=c%u`, stop: async () => { await s.stop(); await w.stop(); } };
}
/** 1000 clients, one message of 64 B each in flight, through a process. */
async function echo(pid, port, target) {
  const before = cpu(pid);
  const r = JSON.parse(await load(bin + "bench-wsload", ["echo", String(port), target, "1000", "64", String(seconds)]));
  return { ...r, cpu: ((cpu(pid) - before) * 1e6) / (r.messages * ((seconds + 0.5) / seconds)) };
}
async function benchRelay() {
  const rp = await freePort(), np = await freePort();
  const room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const s = await placed(rp);
  const n = await nginx(np, `proxy_pass http://127.0.0.1:${rp}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 1h;`);
  const ours = [], theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await echo(s.pid, s.port, s.target));
    theirs.push(await echo(n.pid, np, "/echo"));
  }
  for (const x of [s, n, room]) await x.stop();
  const m = (list, key) => median(list.map((r) => r[key]));
  console.log(`relay         64 B, 1000 clients, one link: ${m(ours, "rate")}/s (${round(m(ours, "cpu"), 1)} µs CPU each, p99 ${m(ours, "p99_us")} µs); nginx tunnel to an echo server: ${m(theirs, "rate")}/s (${round(m(theirs, "cpu"), 1)} µs CPU each): ratio ${round(median(ours.map((r, i) => r.rate / theirs[i].rate)))}, by CPU ${round(median(ours.map((r, i) => theirs[i].cpu / r.cpu)))} (bar 2, aim 3)`);
}

/** The same past the link: each client has a connection of its own to an echo server. */
async function benchPass() {
  const rp = await freePort(), hp = await freePort();
  const room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const s = await placed(rp), h = await haproxy(hp, rp);
  const ours = [], theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await echo(s.pid, s.port, "/echo"));
    theirs.push(await echo(h.pid, hp, "/echo"));
  }
  for (const x of [s, h, room]) await x.stop();
  const m = (list, key) => median(list.map((r) => r[key]));
  console.log(`pass          64 B, 1000 clients, mode pass: ${m(ours, "rate")}/s (${round(m(ours, "cpu"), 1)} µs CPU each, p99 ${m(ours, "p99_us")} µs); HAProxy tunnel: ${m(theirs, "rate")}/s (${round(m(theirs, "cpu"), 1)} µs CPU each): ratio ${round(median(ours.map((r, i) => r.rate / theirs[i].rate)))}, by CPU ${round(median(ours.map((r, i) => theirs[i].cpu / r.cpu)))} (bar 0.9)`);
}

/**
 * Clients under TLS. A byte tunnel through a node (mode pass) beside a byte tunnel through HAProxy, both to the same echo server; and a room's clients, whose messages share a link. The load's core is the slower one, so CPU counts.
 */
async function benchTls() {
  const rp = await freePort(), hp = await freePort(), sp = await freePort(), id = certificate();
  const env = { TLS_CERT: id.cert, TLS_KEY: id.key };
  const room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const tunnel = await shard(sp, rp, rp, [], { ...env, WORLD_PROTOCOL: "reference", ROUTES: JSON.stringify([{ path: "/echo", mode: "pass" }]) });
  const mux = await placed(rp, env);
  const h = await haproxy(hp, rp, id);
  const run = async (pid, port, target, clients, size) => {
    const before = cpu(pid);
    const r = JSON.parse(await load(bin + "bench-wsload", ["echo", String(port), target, String(clients), String(size), String(seconds)], { BENCH_TLS: "1" }));
    return { ...r, cpu: ((cpu(pid) - before) * 1e6) / (r.messages * ((seconds + 0.5) / seconds)) };
  };
  const m = (list, key) => median(list.map((r) => r[key]));
  for (const [clients, size] of [[500, 64], [100, 16000]]) {
    const ours = [], theirs = [], shared = [];
    for (let i = 0; i < rounds; i++) {
      ours.push(await run(tunnel.pid, sp, "/echo", clients, size));
      theirs.push(await run(h.pid, hp, "/echo", clients, size));
      shared.push(await run(mux.pid, mux.port, mux.target, clients, size));
    }
    console.log(`tls           ${size} B, ${clients} clients, tunnel: ${m(ours, "rate")}/s (${round(m(ours, "cpu"), 1)} µs CPU each, p99 ${m(ours, "p99_us")} µs); HAProxy ${m(theirs, "rate")}/s (${round(m(theirs, "cpu"), 1)} µs CPU each): ratio ${round(median(ours.map((r, i) => r.rate / theirs[i].rate)))}, by CPU ${round(median(ours.map((r, i) => theirs[i].cpu / r.cpu)))} (bar 0.8); one link ${m(shared, "rate")}/s (${round(m(shared, "cpu"), 1)} µs CPU each)`);
  }
  for (const x of [tunnel, mux, h, room]) await x.stop();
}

async function benchIdle() {
  const rp = await freePort(), id = certificate();
  const room = await server(LOAD, [bin + "bench-wsroom", String(rp)], { port: rp });
  const hold = async (count, env, loadEnv, path = "/parties/shard/") => {
    const s = await placed(rp, env);
    const r = JSON.parse(await load(bin + "bench-wsload", ["hold", String(s.port), s.target.replace("/parties/shard/", path), String(count), String(s.pid)], loadEnv));
    await s.stop();
    return r;
  };
  const plain = await hold(quick ? 2000 : 10000, {}, {}), tls = await hold(quick ? 500 : 5000, { TLS_CERT: id.cert, TLS_KEY: id.key }, { BENCH_TLS: "1" });
  const passing = await hold(quick ? 2000 : 8000, {}, {}, "/pass/"); // two descriptors each
  await room.stop();
  console.log(`idle          ${plain.connections} clients that said one message each: ${plain.bytes_per_connection} bytes of user memory each (bar 2048, aim 1024); ${tls.connections} under TLS: ${tls.bytes_per_connection} (no bar); ${passing.connections} in mode pass: ${passing.bytes_per_connection} (bar 2048)`);
}

const all = { connect: benchConnect, create: benchCreate, forward: benchForward, instructions: benchInstructions, beats: benchBeats, consoles: benchConsoles, shards: benchShards, relay: benchRelay, pass: benchPass, tls: benchTls, idle: benchIdle };
for (const name of only) if (!all[name]) { console.error(`no benchmark ${name}; there are ${Object.keys(all).join(", ")}`); process.exit(2); }
console.log(`${os.cpus()[0].model}, ${os.cpus().length} cores; servers on core ${SERVER}, load on core ${LOAD}; medians of ${rounds}`);
for (const [name, fn] of Object.entries(all)) if (!only.length || only.includes(name)) await fn();
process.exit(0);
