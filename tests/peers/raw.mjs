// What a client does raw is answered through nodes exactly as `ws` answers it itself, be it good or bad.
import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { test, until } from "../lib/runner.mjs";
import { Site } from "./lib/site.mjs";

const peer = { heading: "ws 8", script: "echo.mjs" };
const PATIENCE_MS = 10000;
const key = [1, 2, 3, 4];

/** A client's frame. */
function frame(first, payload, { masked = true } = {}) {
  const bytes = Buffer.from(payload), mask = masked ? 0x80 : 0, n = bytes.length;
  const length = n < 126 ? [mask | n] : n < 65536 ? [mask | 126, n >> 8, n & 255] : [mask | 127, 0, 0, 0, 0, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
  return Buffer.concat([Buffer.from([first, ...length, ...(masked ? key : [])]), masked ? bytes.map((byte, i) => byte ^ key[i % 4]) : bytes]);
}

const text = (said) => frame(0x81, said);
const closing = (code, reason = "") => frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
const head = (...bytes) => Buffer.from([...bytes, ...key]);

/** What is sent, one after the other; "end": no more follows (FIN). `query`: of the path. */
const cases = {
  "a reserved data opcode": [frame(0x83, "x")],
  "a reserved control opcode": [frame(0x8b, "x")],
  "reserved bit 1 without an extension": [frame(0xc1, "x")],
  "reserved bit 2": [frame(0xa1, "x")],
  "a frame without a mask": [frame(0x81, "x", { masked: false })],
  "a ping of 126 bytes": [frame(0x89, "x".repeat(126))],
  "a ping in two parts": [frame(0x09, "x")],
  "a continuation of nothing": [frame(0x80, "x")],
  "a text within a text": [frame(0x01, "a"), text("b")],
  "a ping within a text": [frame(0x01, "a"), frame(0x89, "p"), frame(0x80, "b"), closing(1000)],
  "bytes that are no UTF-8": [frame(0x81, [0xff])],
  "a close with 1005": [closing(1005)],
  "a close with 999": [closing(999)],
  "a close of one byte": [frame(0x88, "x")],
  "a close without a code": [frame(0x88, "")],
  "a text behind a close": [Buffer.concat([closing(1000), text("after")])],
  "a text and a close at once": [Buffer.concat([text("before"), closing(4000, "bye")])],
  "a length of 2^63": [head(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0)],
  "a length of 2^62": [head(0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0)],
  "a message beyond the server's limit": [frame(0x82, Buffer.alloc(17 << 20))],
  "another request": [Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
  "a text and no more": [text("last words"), "end"],
  "half a frame and no more": [text("last words").subarray(0, 6), "end"],
  "nothing at all": ["end"],
  "a close of the server behind much": [frame(0x82, Buffer.alloc(4 << 20)), text("close 4005 enough"), closing(4005)],
  "much behind a close of the server": [text("close 4005 enough"), Buffer.concat([frame(0x82, Buffer.alloc(1 << 20)), closing(4005)])],
  "a close of the server at once": Object.assign([closing(4403)], { query: "&refuse=4403" }),
};

/** The frames of a server, in words. */
function words(bytes) {
  const all = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1] & 127, wide = short === 127 ? 10 : short === 126 ? 4 : 2;
    const n = wide === 10 ? Number(bytes.readBigUInt64BE(at + 2)) : wide === 4 ? bytes.readUInt16BE(at + 2) : short;
    const payload = bytes.subarray(at + wide, at + wide + n);
    all.push(`${bytes[at].toString(16)} ${payload.length < n ? "cut " : ""}${n > 60 ? `of ${n}` : payload.toString("latin1")}`);
    at += wide + n;
  }
  return all;
}

/** One client's life; answers what it got, and how it ended. */
function live(origin, path, steps) {
  return new Promise((resolve) => {
    const { protocol, port } = new URL(origin);
    const socket = (protocol === "https:" ? tls : net).connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let got = Buffer.alloc(0), spoken = false;
    const done = (how) => {
      clearTimeout(timer);
      socket.destroy();
      const [, ...frames] = words(got.subarray(got.indexOf("\r\n\r\n") + 4)); // the first names the server
      resolve([...frames, how]);
    };
    const timer = setTimeout(() => done("it stays"), PATIENCE_MS);
    const speak = async () => {
      for (const step of steps) await new Promise((next) => (step === "end" ? socket.end(next) : socket.write(step, next)));
    };
    socket.on("data", (data) => {
      got = Buffer.concat([got, data]);
      if (spoken || !got.includes("served by")) return;
      spoken = true;
      speak();
    });
    socket.on("end", () => done("FIN"));
    socket.on("error", (error) => done(error.code));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: game.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
  });
}

/** Compares all that both ends see through one node, and through two, with what they see without. */
async function compare(t, options) {
  const site = await Site.start(t, peer, options);
  const shard = await site.shard("arena", 1000);
  const owner = await site.owner(), other = site.nodes.find((node) => node !== owner);
  const served = async (room) => {
    const { said, closed } = await until(async () => (await site.seen()).find((one) => one.room === room && one.closed), `the server to see the end of ${room}`);
    return { said, closed };
  };
  for (const [i, [name, steps]] of Object.entries(cases).entries()) {
    const ways = { direct: [site.servers[0].origin, "/"], straight: [owner.origin, "/echo/x"], around: [other.origin, `/game/${shard}/x`] };
    const saw = {};
    await Promise.all(Object.entries(ways).map(async ([way, [origin, path]]) => {
      const room = `${i}-${way}`;
      const client = await live(origin, `${path}?room=${room}${steps.query ?? ""}`, steps);
      // An answer to somebody who has said FIN may be lost on the way: RFC 6455 section 1.4.
      saw[way] = { client: steps.includes("end") ? client.slice(-1) : client, server: await served(room) };
    }));
    assert.notEqual(saw.direct.client.at(-1), "it stays", name);
    assert.deepEqual(saw.straight, saw.direct, `${name}, one node`);
    assert.deepEqual(saw.around, saw.direct, `${name}, two nodes`);
  }
}

test("raw: through one node and two, the server and the client see what they see without", (t) => compare(t, {}), { seconds: 60 });
test("raw: under TLS too", (t) => compare(t, { tls: true }), { seconds: 60 });
