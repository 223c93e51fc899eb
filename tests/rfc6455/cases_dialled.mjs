// The node as a client: what it asks of a room server, which answers it takes, and which frames (RFC 6455 sections 4.1, 5 and 7).
import http from "node:http";
import { accept, Peer } from "./peer.mjs";
import { BINARY, CONTINUATION, TEXT, bytes, close, closing, frame, ping, pong, text } from "./frames.mjs";
import { until, within } from "../lib/runner.mjs";

const join = (...parts) => Buffer.concat(parts);
const plain = { key: null };
const LINK_FRAME_MAX = 8 << 20;

/** A server's frames are not masked. */
const says = (...args) => frame(...args.slice(0, 2), { ...plain, ...args[2] });
const text_ = (payload, options) => text(payload, { ...plain, ...options });
const unmaskedFragments = (...pieces) => join(...pieces.map((piece, i) => says(i ? CONTINUATION : TEXT, piece, { fin: i === pieces.length - 1 })));

const row = (section, name, send, expected) => ({ section, name, send, ...expected });
const fails = (section, name, send, code = 1002) => row(section, name, send, { code });
const hears = (section, name, send, ...texts) => row(section, name, send, { texts });

const headers = (key, changes = {}) => ({ Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": accept(key), ...changes });
/** The answer to a handshake. */
function answer(key, { line = "HTTP/1.1 101 Switching Protocols", changes } = {}) {
  const lines = Object.entries(headers(key, changes)).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${line}\r\n${lines.join("")}\r\n`);
}
const refuses = (name, how) => ({ section: "4.1", name, how, refused: true });
const takes = (name, how) => ({ section: "4.1", name, how, send: text_('"hello"'), texts: ['"hello"'] });

const answerRows = [
  takes("names and tokens in other letters", { changes: { Upgrade: "WebSocket", Connection: "upgrade" } }),
  takes("Connection as a list", { changes: { Connection: "keep-alive, Upgrade" } }),
  takes("headers that nobody knows", { changes: { Server: "x", "X-Empty": "" } }),
  takes("another reason", { line: "HTTP/1.1 101 Why Not" }),
  refuses("200 instead of 101", { line: "HTTP/1.1 200 OK", changes: { "Content-Length": "0" } }),
  refuses("101 of HTTP/2.0", { line: "HTTP/2.0 101 Switching Protocols" }),
  refuses("no Upgrade", { changes: { Upgrade: undefined } }),
  refuses("Upgrade to something else", { changes: { Upgrade: "h2c" } }),
  refuses("no Connection", { changes: { Connection: undefined } }),
  refuses("Connection without the token", { changes: { Connection: "keep-alive" } }),
  refuses("no Sec-WebSocket-Accept", { changes: { "Sec-WebSocket-Accept": undefined } }),
  refuses("a Sec-WebSocket-Accept of another key", { changes: { "Sec-WebSocket-Accept": accept("AAAAAAAAAAAAAAAAAAAAAA==") } }),
  refuses("an extension that was not offered", { changes: { "Sec-WebSocket-Extensions": "permessage-deflate" } }),
  refuses("a subprotocol that was not offered", { changes: { "Sec-WebSocket-Protocol": "chat" } }),
];

const frameRows = [
  hears("5.6", "a text", text_('"hello"'), '"hello"'),
  hears("5.4", "a text in three fragments", unmaskedFragments('"a', "b", 'c"'), '"abc"'),
  hears("5.2", "a text, each byte a segment", bytes(text_('"slow"')), '"slow"'),
  hears("5.2", "texts of 125, 126, 65535 and 65536 bytes", join(...[125, 126, 65535, 65536].map((n) => text_(`"${"x".repeat(n - 2)}"`))), ...[125, 126, 65535, 65536].map((n) => `"${"x".repeat(n - 2)}"`)),
  row("5.5.2", "pings of 0, 1 and 125 bytes", join(...[0, 1, 125].map((n) => ping("p".repeat(n), plain))), { pongs: ["", "p", "p".repeat(125)] }),
  row("5.4", "a ping between fragments", join(says(TEXT, '"a', { fin: false }), ping("x", plain), says(CONTINUATION, 'b"')), { texts: ['"ab"'], pongs: ["x"] }),
  hears("5.5.3", "a pong that nobody asked for", join(pong("x", plain), text_("1")), "1"),
  ...[1000, 1001, 1011, 1012, 4000].map((code) => row("5.5.1", `a close with ${code} is answered`, close(code, "because", plain), { code, reason: "because" })),
  row("5.5.1", "a close without a code is answered", close(undefined, "", plain), { code: 1005, reason: "" }),
  fails("5.1", "a masked text", text("1")),
  fails("5.1", "a masked ping", ping("")),
  fails("5.1", "a masked close", close(1000)),
  fails("5.2", "RSV1", text_("1", { rsv: 4 })),
  fails("5.2", "RSV3 in a pong", pong("", { ...plain, rsv: 1 })),
  fails("5.2", "the reserved opcode 3", says(3, "x")),
  fails("5.2", "the reserved opcode 11", says(11, "x")),
  fails("5.2", "a length of 5 in 16 bits", text_('"abc"', { form: 16 })),
  fails("5.4", "a continuation of nothing", says(CONTINUATION, "1")),
  fails("5.4", "a text in an unfinished text", join(says(TEXT, '"a', { fin: false }), text_("1"))),
  fails("5.4", "a binary message in an unfinished text", join(says(TEXT, '"a', { fin: false }), says(BINARY, "1"))),
  fails("5.5", "a ping of 126 bytes", ping("p".repeat(126), plain)),
  fails("5.5", "a fragmented ping", ping("", { ...plain, fin: false })),
  fails("7.4", "the close code 1005", close(1005, "", plain)),
  fails("7.4", "the close code 2000", close(2000, "", plain)),
  fails("5.5.1", "a close of one byte", says(8, Buffer.from([3]))),
  fails("8.1", "a text that is not UTF-8", says(TEXT, Buffer.from([0x22, 0xff, 0x22])), 1007),
  fails("8.1", "a surrogate in two fragments", unmaskedFragments(Buffer.from([0x22, 0xed]), Buffer.from([0xa0, 0x80, 0x22])), 1007),
  fails("8.1", "a reason that is not UTF-8", says(8, Buffer.concat([closing(1000), Buffer.from([0xff])])), 1007),
  fails("10.4", "a text over LINK_FRAME_MAX, announced", says(TEXT, "", { length: LINK_FRAME_MAX + 1 }), 1009),
];

export const groups = { "the node dials: answers": answerRows, "the node dials: frames": frameRows };

/** A room server that leaves the handshake to the cases: `next(room)` waits for a node's. */
export class Dialled {
  static async start(t) {
    const d = Object.assign(new Dialled(), { asked: new Map(), keys: new Set(), sockets: new Set() });
    d.server = http.createServer((_, res) => res.end("{}"));
    d.server.on("connection", (socket) => d.sockets.add(socket));
    d.server.on("upgrade", (req, socket, head) => d.upgrade(req, socket, head));
    await new Promise((resolve) => d.server.listen(0, "127.0.0.1", resolve));
    d.origin = `http://127.0.0.1:${d.server.address().port}`;
    t.after(() => {
      d.server.close();
      for (const socket of d.sockets) socket.destroy();
    });
    return d;
  }
  upgrade(req, socket, head) {
    socket.on("error", () => {});
    const room = req.url.split("/").at(-1);
    if (this.asked.has(room)) return void socket.destroy(); // a redial
    this.asked.set(room, { req, socket, head });
  }
  next(room) {
    return until(() => this.asked.get(room), "the node's handshake");
  }
  /** What section 4.1 demands of a client's handshake. */
  judge({ req, head }) {
    const wrong = [], h = req.headers, key = h["sec-websocket-key"] ?? "";
    if (req.method !== "GET" || req.httpVersion !== "1.1") wrong.push(`${req.method} HTTP/${req.httpVersion}`);
    if (h.host !== new URL(this.origin).host) wrong.push(`Host ${h.host}`);
    if (!/^websocket$/i.test(h.upgrade) || !/\bupgrade\b/i.test(h.connection)) wrong.push("Upgrade or Connection");
    if (h["sec-websocket-version"] !== "13") wrong.push("version");
    if (Buffer.from(key, "base64").length !== 16 || Buffer.from(key, "base64").toString("base64") !== key) wrong.push(`key ${key}`);
    if (this.keys.has(key)) wrong.push("a key for the second time");
    if (head.length) wrong.push("bytes behind the handshake");
    this.keys.add(key);
    return wrong;
  }
}

async function judgeLink(r, link, client, problems) {
  const is = (what, got, wanted) => String(got) === String(wanted) || problems.push(`${what}: expected ${wanted}, got ${got}`);
  await link.until(() => link.texts.length || link.ended, "clientConnected");
  await link.send(r.send);
  if (r.code) {
    await link.until(() => link.closed || link.ended, "close frame");
    is("code", link.closed?.code, r.code);
    if (r.reason !== undefined) is("reason", link.closed?.reason, r.reason);
    link.socket.end(); // section 7.1.1: the server goes first
    await link.until(() => link.ended, "end of the TCP connection");
  } else {
    await client.until(() => client.texts.length >= (r.texts?.length ?? 0), "texts");
    await link.until(() => link.pongs.length >= (r.pongs?.length ?? 0), "pongs");
    is("texts", client.texts, r.texts ?? []);
    is("pongs", link.pongs, r.pongs ?? []);
  }
  if (new Set(link.masks).size !== link.masks.length) problems.push("a masking key twice");
}

/** Runs a row of these: a client comes to a room of its own, for which the node dials. */
export async function runDialled(r, { node, dialled }, id) {
  const problems = [], client = new Peer(node.origin);
  let link;
  try {
    await client.open(`/parties/shard/${id}:world-default:1700000000000-1?id=${id}`);
    const asked = await dialled.next(id);
    problems.push(...dialled.judge(asked));
    link = new Peer(null, asked.socket);
    link.head = { status: 101 };
    await link.send(answer(asked.req.headers["sec-websocket-key"], r.how));
    if (!r.refused) await within(judgeLink(r, link, client, problems), 10, "the link");
    else await link.until(() => link.ended, "end of the TCP connection");
    if (r.refused && (link.texts.length || link.input.length)) problems.push("it spoke to a server that it should have left");
  } catch (error) {
    problems.push(error.message);
  } finally {
    client.leave();
    link?.leave();
  }
  return [...problems, ...(link?.wrong ?? [])];
}
