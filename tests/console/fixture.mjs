// A world that is made up, for what a real one cannot be brought to in a moment: many findings, full rooms, long tables.
// usage: node tests/console/fixture.mjs [PORT]: the dashboard from its sources, any token with readable claims
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { root } from "../lib/process.mjs";

const types = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const began = Date.now();

const rooms = Array.from({ length: 40 }, (_, i) => ({ name: i ? `match-${["eu", "us", "ap"][i % 3]}-${100 + i}` : "lobby", balancingStrategy: ["round-robin", "packed", "p2c"][i % 3], public: i % 4 > 0, maxPlayersPerShard: 50, minShards: 1, shards: { total: 4, active: i % 7 ? 4 : 3, maintenance: 0, draining: i % 7 ? 0 : 1 }, currentConnections: Math.round(200 * Math.abs(Math.sin(i + 1))), reserved: i % 5, returning: i % 3, maxConnections: 200, server: `http://rooms-${1 + (i % 3)}.internal:3000` }));
const nodes = Array.from({ length: 12 }, (_, i) => ({ node: `node-${String(i + 1).padStart(2, "0")}`, state: i === 7 ? "dead" : i === 4 ? "suspect" : "alive", usable: i !== 7 && i !== 4, url: `wss://n${i + 1}.example.com`, internalUrl: `http://10.0.0.${i + 10}:3001`, version: "0.9.0", epoch: 3, silentMs: i === 7 ? 94000 : 800, lagMs: i, currentConnections: i === 7 ? 0 : 260 + 37 * i, maxConnections: 1000, shards: i === 7 ? 0 : 13, adopted: 0, draining: i === 2, ...(i === 2 ? { drain: { deadlineMs: 48000 } } : {}) }));
const servers = Array.from({ length: 3 }, (_, i) => ({ server: `http://rooms-${i + 1}.internal:3000`, state: i === 1 ? "down" : "up", configured: i < 2, registered: i > 1, draining: false, rooms: 13, awaited: i === 1 ? 13 : 0 }));
const shards = rooms.flatMap((r, i) => Array.from({ length: 4 }, (_, k) => ({ shardId: `${r.name}:world-default:17600000000${i}-${k}`, roomId: r.name, worldId: "world-default", url: `${r.name}:world-default:17600000000${i}-${k}`, status: r.shards.draining && k === 3 ? "draining" : "active", currentConnections: Math.round(r.currentConnections / 4), reserved: r.reserved && k === 0 ? r.reserved : 0, returning: 0, maxConnections: 50, lastHeartbeat: Date.now(), node: nodes[(i + k) % 12].node })));
const findings = [
  { check: "server-down", level: "error", by: { world: "world-1" }, subject: servers[1].server, detail: "connect: connection refused, 14 tries", means: "A room server does not answer the world: it gets no new rooms, and its rooms go to others as ROOM_FAILOVER says.", cure: "Start the room server, or take it out with `worldctl servers delete` (or of ROOM_SERVERS).", since: began - 94000 },
  { check: "node-lost", level: "error", by: { world: "world-1" }, subject: "node-08", detail: "not heard for 94 s", means: "A node has not been heard for so long that its shards have gone to others.", cure: "Start the node again, or see why it does not reach the world; `worldctl nodes delete` forgets it.", since: began - 60000 },
  { check: "certificate", level: "warning", by: { node: "node-03" }, subject: "/etc/terrane/tls.crt", detail: "expires in 5 days (2026-11-26)", means: "A certificate expires within 14 days, or has expired.", cure: "Put a new certificate into the file that TLS_CERT or INTERNAL_CERT names, with its key, and send the process SIGHUP.", since: began - 3600000 },
  { check: "one-address", level: "notice", by: { node: "node-01" }, subject: "10.0.0.1", detail: "212 sessions", means: "All clients come from one address, as they do from behind a proxy that says nothing about them.", cure: "If a proxy is there, have it send X-Forwarded-For and put it into TRUSTED_PROXIES.", since: began - 9000000 },
];

const worlds = [{ worldId: "world-default", rooms: 40, shards: 160, connections: 5210, capacity: 8000, findings: { error: 2, warning: 1, notice: 1 } }, { worldId: "world-events", rooms: 3, shards: 12, connections: 90, capacity: 600, findings: { error: 0, warning: 0, notice: 0 } }];
const total = (key) => rooms.reduce((n, r) => n + r[key], 0);
let change = 1;
const overview = () => {
  const t = (Date.now() - began) / 1000;
  return { world: "world-default", now: Date.now(), change, rooms: rooms.length, shards: { total: 160, active: 154, maintenance: 0, draining: 6 }, nodes: { expected: 0, alive: 10, suspect: 1, dead: 1, gone: 0, draining: 1 }, servers: { unknown: 0, up: 2, down: 1, dead: 0 }, connections: total("currentConnections") + Math.round(9 * Math.sin(t)), reserved: total("reserved"), returning: total("returning"), capacity: total("maxConnections"), findings: { error: 2, warning: 1, notice: 1 }, process: { id: "world-1", version: "0.9.0", lagMs: 2, placements: Math.round(5200 + 42 * t), refusals: { full: Math.round(300 + 3 * t), no_active: 12 } } };
};
const wave = (f) => Array.from({ length: 720 }, (_, i) => (i < 60 ? null : Math.max(0, Math.round(f(i)))));
const noise = (i) => Math.sin(i * 12.9898) * 0.5 + Math.sin(i * 78.233) * 0.5;
const history = () => ({ stepMs: 5000, from: Date.now() - 3600000, connections: wave((i) => 3000 + 1800 * Math.sin(i / 140) + 60 * noise(i)), capacity: wave((i) => (i < 300 ? 7000 : 8000)), placements: wave((i) => 210 + 120 * Math.sin(i / 60) + 50 * noise(i)), refusals: { full: wave((i) => (i > 480 && i < 600 ? 90 + 30 * noise(i) : 4 * noise(i))), no_active: wave((i) => (i > 540 && i < 580 ? 40 : 0)), create_rate: wave((i) => (i > 200 && i < 260 ? 30 : 0)) }, lagMs: wave((i) => 2 + 3 * Math.abs(noise(i)) + (i === 500 ? 40 : 0)) });
const page = (items, key, query) => ({ items: items.filter((x) => String(x[key]).toLowerCase().includes((query.get("q") ?? "").toLowerCase()) && (!query.get("room") || x.roomId === query.get("room")) && (!query.get("node") || x.node === query.get("node")) && (!query.get("status") || x.status === query.get("status"))).slice(0, Number(query.get("limit") ?? 100)), next: null });
const lists = { rooms: [rooms, "name"], nodes: [nodes, "node"], servers: [servers, "server"], shards: [shards, "shardId"] };

function below(parts, query) {
  const [kind, id, verb] = parts;
  if (kind === "overview") return overview();
  if (kind === "history") return history();
  if (kind === "findings" || kind === "checkup") return { checkup: null, items: findings };
  if (!lists[kind]) return null;
  const [items, key] = lists[kind];
  if (id === undefined) return page(items, key, query);
  const one = items.find((x) => x[key] === id);
  if (one && verb === "explain") return { items: shards.filter((s) => s.roomId === id).map((s, i) => ({ shardId: s.shardId, status: s.status, used: s.currentConnections, open: s.currentConnections, reserved: s.reserved, returning: 0, maxConnections: 50, node: s.node, selectable: i !== 3, ...(i === 3 ? { reason: "draining" } : {}) })), next: null, roomId: id, balancingStrategy: one.balancingStrategy, selectable: 3, chosen: shards.find((s) => s.roomId === id).shardId, why: "it has the largest share of its seats used, the oldest on a tie" };
  if (one && verb === "seats") return { shardId: id, open: one.currentConnections, reserved: one.reserved, returning: 1, maxConnections: 50, free: 50 - one.currentConnections, promises: [{ count: 2, ageMs: 900, endsInMs: 4100 }], kept: 0, nodes: [{ node: one.node, owner: true, open: one.currentConnections, returning: 1, sessions: one.currentConnections }] };
  return one ?? null;
}

function file(target, response) {
  const name = target === "/" ? "index.html" : target.replace("/console/", "");
  const text = readFileSync(path.join(root, "world/dashboard", path.normalize(name)));
  response.writeHead(200, { "content-type": types[name.split(".").at(-1)], "content-security-policy": policy }).end(text);
}

function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const tell = () => response.write(`event: overview\ndata: ${JSON.stringify(overview())}\n\n`);
  tell();
  const timer = setInterval(tell, 1000);
  response.on("close", () => clearInterval(timer));
}

/** The server; it listens on 127.0.0.1 at `port`. */
export function fixture(port = 0) {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, "http://h");
    if (!url.pathname.startsWith("/api/")) return file(url.pathname, response);
    const parts = url.pathname.split("/").slice(4).map(decodeURIComponent);
    if (parts[1] === "events") return stream(response);
    const answer = parts.length ? below(parts.slice(1), url.searchParams) : { items: worlds, next: null };
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(answer ?? { error: "Not found" }));
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (import.meta.url === `file://${process.argv[1]}`) console.log(`listening on http://127.0.0.1:${(await fixture(Number(process.argv[2] ?? 0))).address().port}`);
