// Clients without manners. What each does follows from its number and a seed, so a run can be had again (but for its timing).
import crypto from "node:crypto";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import zlib from "node:zlib";
import { readTicket, ticket } from "./tickets.mjs";
import { token } from "./tokens.mjs";

const tick = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers from a seed (mulberry32): `below(n)`, `chance(p)`, `of(list)`. */
export function dice(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const d = { below: (n) => Math.floor(next() * n), chance: (p) => next() < p };
  d.of = (list) => list[d.below(list.length)];
  d.bytes = (n) => Buffer.from(Array.from({ length: n }, () => d.below(256)));
  return d;
}

/** A frame of a client; `bits`: FIN, reserved bits and opcode. */
export function frame(data, bits = 0x81, mask = Buffer.alloc(4)) {
  const text = Buffer.from(data);
  const head = Buffer.alloc(text.length < 126 ? 2 : text.length < 65536 ? 4 : 10);
  head[0] = bits;
  head[1] = 0x80 | (head.length === 2 ? text.length : head.length === 4 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(text.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(text.length), 2);
  return Buffer.concat([head, mask, text.map((byte, i) => byte ^ mask[i % 4])]);
}

const squeezed = (size) => zlib.deflateRawSync(Buffer.alloc(size), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const bomb = squeezed(4 << 20);
const greetings = {
  good: JSON.stringify({ event: "authenticate", data: { token: token({ sub: "rude", rooms: "*" }) } }),
  bad: JSON.stringify({ event: "authenticate", data: { token: "x.y.z" } }),
  none: "hello",
};

/** What a client says once it is (or thinks it is) in a WebSocket. */
const sayings = {
  greeting: (d) => frame(greetings[d.of(["good", "good", "good", "bad", "none"])]),
  text: (d) => frame(JSON.stringify("x".repeat(d.below(300)))),
  long: (d) => frame(JSON.stringify("y".repeat(d.below(90000)))),
  pieces: (d) => Buffer.concat([frame("{", 0x01), frame("", 0x89), frame(d.chance(0.5) ? "}" : "", d.chance(0.5) ? 0x80 : 0x00)]),
  pings: (d) => Buffer.concat(Array.from({ length: 1 + d.below(50) }, () => frame("p".repeat(d.below(125)), 0x89))),
  close: (d) => frame(d.of([Buffer.alloc(0), Buffer.from([3, 232]), Buffer.from([3]), Buffer.from([0, 0, 0x80])]), 0x88),
  masked: (d) => frame("z".repeat(d.below(70)), 0x81, d.bytes(4)),
  half: (d) => frame("w".repeat(200)).subarray(0, 1 + d.below(150)),
  endless: () => Buffer.from([0x82, 0xff, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
  garbage: (d) => d.bytes(1 + d.below(200)),
  squeezed: (d) => frame(zlib.deflateRawSync(JSON.stringify("s".repeat(d.below(3000))), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4), 0xc1),
  bomb: () => frame(bomb, 0xc2),
  request: () => Buffer.from("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
  many: (d) => Buffer.concat(Array.from({ length: 150 }, () => frame(`${d.below(10)}`))),
};

const shard = (n) => encodeURIComponent(`lobby:world-default:1700000000000-${n}`);

/** Where to, with what is shown there. */
function target(d, says) {
  const n = 1 + d.below(4);
  const id = d.of(["", `id=r${d.below(40)}`, "id=%00", `id=${"i".repeat(d.below(300))}`]);
  const jwt = d.of([`token=${token({ sub: "rude" })}`, "token=x", "", `token=${token({ rooms: ["hall"] })}`]);
  const shown = says && ticket({ ...says, shard: decodeURIComponent(shard(n)), session: `r${d.below(40)}`, nonce: crypto.createHash("md5").update(`${d.below(20)}`).digest() });
  const query = (...parts) => (parts.some(Boolean) ? `?${parts.filter(Boolean).join("&")}` : "");
  return d.of([
    () => `/parties/shard/${shard(n)}${query(id)}`,
    () => `/parties/shard/${shard(n)}/more/../x${query(id)}`,
    () => `/mux-jwt/${shard(n)}${query(id, jwt)}`,
    () => `/mux-message/${shard(n)}${query(id)}`,
    () => `/mux-ticket/${shard(n)}${query(id, shown && `ticket=${shown}`)}`,
    () => `/pass/${shard(n)}/a${query(id)}`,
    () => `/pass-jwt/${shard(n)}${query(jwt, id)}`,
    () => `/pass-message/${shard(n)}${query(id)}`,
    () => `/pass-ticket/${shard(n)}${query(shown && `ticket=${shown}`)}`,
    () => `/any/x/y${query("room=a", id)}`,
    () => `/any-jwt/x${query(jwt)}`,
    () => `/any-message/x`,
    () => `/parties/world/world-default/${d.of(["connect", "room-info?id=lobby", "x"])}`,
    () => d.of(["/livez", "/readyz", "/metrics", "/version", "/", "/terrane/beat/world-default", "/nothing", "http://a/livez", "/any/%zz", "*"]),
  ])();
}

function head(d, says) {
  const lines = [`Host: ${d.of(["a", "a:80", ""])}`];
  const upgrade = d.chance(0.75);
  const method = upgrade ? "GET" : d.of(["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "DELETE"]);
  let body = Buffer.alloc(0);
  if (upgrade) lines.push("Connection: Upgrade", "Upgrade: websocket", `Sec-WebSocket-Version: ${d.chance(0.97) ? 13 : 8}`, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
  if (upgrade && d.chance(0.5)) lines.push("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
  if (upgrade && d.chance(0.3)) lines.push(`Sec-WebSocket-Protocol: ${d.of(["terrane, token.x", "a, b", "ticket.t1.x", `terrane, token.${token({ sub: "p" })}`])}`);
  if (d.chance(0.2)) lines.push(d.of(["x-terrane-sign: v1 x", "x-terrane-subject: root", "Connection: x-terrane-subject, close", "x-access-shard: x", "Forwarded: for=1.2.3.4", "Expect: 100-continue", "Origin: https://evil.example", `Cookie: ${"a=b; ".repeat(500)}`]));
  if (!upgrade && ["POST", "PUT"].includes(method)) {
    body = Buffer.alloc(d.below(3000), "b");
    if (d.chance(0.3)) lines.push("Expect: 100-continue");
    if (d.chance(0.5)) lines.push(`Content-Length: ${body.length + (d.chance(0.3) ? 50 : 0)}`);
    else lines.push("Transfer-Encoding: chunked");
    if (!lines.at(-1).startsWith("Content")) body = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from(d.chance(0.8) ? "\r\n0\r\n\r\n" : "\r\n")]);
  }
  return { upgrade, bytes: Buffer.concat([Buffer.from(`${method} ${target(d, says)} HTTP/1.${d.chance(0.93) ? 1 : 0}\r\n${lines.join("\r\n")}\r\n\r\n`), body]) };
}

/** The socket as a stream of its own: ends that are forced on a socket under TLS bring Node down. */
function through(bare) {
  const stream = new Duplex({
    read: () => bare.resume(),
    write: (data, _encoding, done) => (bare.destroyed ? done() : bare.write(data, () => done())),
    final: (done) => (bare.end(), done()),
  });
  bare.on("data", (data) => stream.push(data) || bare.pause());
  bare.on("end", () => stream.push(null));
  bare.on("close", () => stream.destroy());
  stream.on("error", () => {});
  return stream;
}

/** All that one client will say, cut into what it writes at a time. */
function speech(d, says) {
  const parts = [];
  for (let requests = d.chance(0.2) ? 2 : 1; requests > 0; requests--) {
    const { upgrade, bytes } = head(d, says);
    parts.push(bytes);
    if (!upgrade) continue;
    if (d.chance(0.4)) parts.push(sayings.greeting(d));
    for (let n = d.below(6); n > 0; n--) parts.push(sayings[d.of(Object.keys(sayings))](d));
  }
  let all = Buffer.concat(parts);
  if (d.chance(0.15)) all = all.subarray(0, d.below(all.length));
  if (d.chance(0.03)) all[d.below(all.length || 1)] = d.below(256);
  return d.of([
    () => [all],
    () => parts,
    () => Array.from({ length: 8 }, (_, i) => all.subarray((i * all.length) >> 3, ((i + 1) * all.length) >> 3)),
    () => [...Array.from({ length: Math.min(60, all.length) }, (_, i) => all.subarray(i, i + 1)), all.subarray(60)],
  ])();
}

const ends = {
  end: (s) => s.end(),
  destroy: (s, bare) => (s.destroy(), setImmediate(() => bare.destroy())),
  reset: (s, bare) => (bare.resetAndDestroy(), s.destroy()),
  cut: (s, bare) => (bare.destroy(), s.destroy()), // no close_notify
  half: async (s, bare) => (bare.end(), await tick(300), s.destroy()),
  stay: async (s) => (await tick(1500), s.destroy()),
  wait: async (s) => (await Promise.race([tick(2500), new Promise((closed) => s.once("close", closed))]), s.destroy()),
};

/**
 * One client of a node `to` ({ port, tls, proxied }: `proxied` is the address that says PROXY). `says`: what tickets are about.
 * Done when it is gone; within 4 s.
 */
export async function rude(seed, to, says) {
  const d = dice(seed);
  const proxied = d.chance(0.15);
  const bare = net.connect({ port: to.port, host: "127.0.0.1", localAddress: proxied ? to.proxied : undefined, allowHalfOpen: d.chance(0.5) });
  const over = new Promise((resolve) => bare.once("close", resolve));
  let socket = bare;
  bare.on("error", () => {});
  await Promise.race([over, new Promise((resolve) => bare.once("connect", resolve))]);
  if (bare.destroyed) return;
  if (proxied) bare.write(d.of(["PROXY TCP4 203.0.113.7 10.0.0.1 4000 443\r\n", "PROXY UNKNOWN\r\n", "PROXY TCP4 203.0.113.9 10.0.0.1", "PROXY x\r\n", "GET / HTTP/1.1\r\n\r\n"]));
  if (to.tls && d.chance(0.85)) {
    const cutAfter = d.chance(0.1) ? d.below(400) : 0;
    socket = tls.connect({ socket: through(bare), rejectUnauthorized: false, maxVersion: d.chance(0.3) ? "TLSv1.2" : "TLSv1.3" });
    socket.on("error", () => {});
    if (cutAfter) setTimeout(() => bare.destroy(), cutAfter / 10).unref();
    await Promise.race([over, tick(2000), new Promise((resolve) => socket.once("secureConnect", resolve))]);
  } else if (to.tls && d.chance(0.5)) {
    bare.write(Buffer.concat([Buffer.from([22, 3, 1, d.below(255), d.below(255)]), d.bytes(d.below(500))]));
  }
  if (d.chance(0.9)) socket.on("data", () => {});
  if (d.chance(0.1)) setTimeout(() => bare.destroy(), d.below(200)).unref();
  for (const piece of speech(d, says)) {
    if (socket.destroyed || !socket.writable) break;
    socket.write(piece);
    if (d.chance(0.5)) await tick(d.below(30));
  }
  if (d.chance(0.7)) await tick(d.below(600));
  await ends[d.of(Object.keys(ends))](socket, bare);
  await Promise.race([over, tick(1000)]);
  bare.destroy();
}

/** `count` of them at a time, one after the other in each place, until `end` (ms, as Date.now). Answers how many there were. */
export async function rudeCrowd(seed, count, to, says, end) {
  let number = 0;
  await Promise.all(Array.from({ length: count }, async () => {
    while (Date.now() < end) await rude(seed * 1000003 + number++, to, says?.());
  }));
  return number;
}
