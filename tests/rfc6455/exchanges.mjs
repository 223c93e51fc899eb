// What every client library does with a server: rows of a name, what the client must be able to for it, and the exchange. `short`: the
// server sends something that it would not compress; `ends`: the connection is closed behind it.
import assert from "node:assert/strict";
import { json } from "./frames.mjs";

const LIMIT = 1 << 20; // MESSAGE_MAX
const utf8 = "a\u0080é߿ࠀ€\ud7ff\ue000\uffff𐀀😀\u{10ffff}";

/** Sends by `send` and waits for as many messages as there are in `wanted`; they must be the same. */
async function echo(client, send, wanted, { binary = false } = {}) {
  await send();
  await client.until(() => client.messages.length >= wanted.length || client.closed, `${wanted.length} messages`);
  assert.equal(client.closed, null);
  for (const [i, message] of client.messages.entries()) {
    assert.equal(message.binary, binary);
    assert.ok(message.data.equals(Buffer.from(wanted[i] ?? "")), `message ${i}: ${message.data.length} bytes, "${String(message.data).slice(0, 40)}"`);
  }
}
const isShort = (text) => Buffer.byteLength(text) < 256; // COMPRESSION_MIN
const echoed = (name, ...texts) => ({ name, short: texts.some(isShort), run: (c) => echo(c, async () => { for (const t of texts) await c.say("text", t); }, texts) });

/** The server's answer to our close, as the client tells it; all are closed. */
async function closes(client, code, reason, wanted = { code, reason }) {
  await client.say("close", code, reason);
  const closed = await client.ended();
  if (client.can.has("closed code")) assert.deepEqual(closed, wanted);
}
const closing = (code, reason, what = `${code}`, needs = []) => ({ name: `the client closes with ${what}`, needs, run: (c) => closes(c, code, reason), ends: true });

async function fragmented(client, pieces) {
  await echo(client, async () => {
    for (const [i, piece] of pieces.entries()) await client.say(i === pieces.length - 1 ? "last" : "part", piece);
  }, [pieces.join("")]);
}
const inFragments = (name, pieces) => ({ name, short: isShort(pieces.join("")), needs: ["fragments"], run: (c) => fragmented(c, pieces) });

const pinged = (size) => ({
  name: `a ping of ${size} bytes`, short: true, needs: ["ping"],
  async run(c) {
    await c.say("ping", "p".repeat(size));
    await c.until(() => c.pongs.length, "its pong");
    assert.deepEqual(c.pongs, ["p".repeat(size)]);
  },
});

const binaryEcho = (size) => ({
  name: `a binary message of ${size} bytes`, short: size < 256,
  run: (c, way) => echo(c, () => c.say("binary", Buffer.from(json(size))), [json(size)], { binary: way.keepsBinary }),
});

const borders = [1, 125, 126, 127, 65535, 65536, 65537, LIMIT];
const everywhere = [
  ...borders.map((n) => echoed(`a text of ${n} bytes`, json(n))),
  ...[1, 125, 126, 65535, 65536].map(binaryEcho),
  echoed("characters of one to four bytes", `"${utf8}"`),
  echoed("200 texts in order", ...Array.from({ length: 200 }, (_, i) => `${i}`)),
  echoed("five texts of 100 000 bytes in order", ...Array.from({ length: 5 }, (_, i) => `"${`${i}`.repeat(99998)}"`)),
  inFragments("a text in two fragments", ['"one', 'two"']),
  inFragments("a text in ten fragments", ['"', ..."abcdefgh", '"']),
  inFragments("a text with an empty fragment", ['"a', "", 'b"']),
  inFragments("a text of 200 000 bytes in three fragments", ['"', "x".repeat(199998), '"']),
  pinged(1), pinged(125),
  closing(1000, ""),
  closing(3000, ""),
  closing(4999, "", "4999"),
  closing(1000, "done", "1000 and a reason"),
  closing(4000, "r".repeat(123), "a reason of 123 bytes"),
  closing(4000, "aé€😀", "a reason of all lengths of characters"),
  closing(1001, "", "1001", ["codes"]),
  closing(1011, "broken", "1011", ["codes"]),
  { name: "the client closes without a code", needs: ["no code"], ends: true, run: (c) => closes(c, 0, "", { code: 1005, reason: "" }) },
  { name: "the client closes behind its texts", short: true, ends: true, async run(c) { await echo(c, () => c.say("text", "1"), ["1"]); await closes(c, 1000, "behind"); } },
  { name: "no subprotocol where none is offered", async run(c) { assert.equal(c.opened.protocol, ""); } },
  { name: "one subprotocol", protocols: ["chat"], async run(c) { assert.equal(c.opened.protocol, "chat"); } },
  { name: "the first of three subprotocols", protocols: ["superchat", "chat", "other"], async run(c) { assert.equal(c.opened.protocol, "superchat"); } },
  { name: "an address that nothing serves is no socket", path: "/nowhere", refused: 404 },
  { name: "a bad escape in the address is no socket", path: "/parties/shard/%zz", refused: 400 },
];

/** Where texts are a room's messages. */
const mux = [
  { name: "the room ends the session", ends: true, async run(c) { await c.say("text", '{"do":"close"}'); assert.deepEqual(await c.ended(), { code: 1005, reason: "" }); } },
  { name: "a text over the limit is closed with 1009", ends: true, async run(c) { await c.say("text", json(LIMIT + 1)); assert.equal((await c.ended()).code, 1009); } },
  { name: "an empty text is dropped, the next one is not", short: true, run: (c) => echo(c, async () => { await c.say("text", ""); await c.say("text", "1"); }, ["1"]) },
  {
    name: "who answers our pings stays", short: true,
    async run(c, way) {
      await new Promise((resolve) => setTimeout(resolve, way.silenceMs));
      await echo(c, () => c.say("text", "1"), ["1"]);
    },
  },
];

const ended = (code, reason, what = `${code}`) => ({
  name: `the server closes with ${what}`, ends: true, needs: code === 1012 ? ["new codes"] : [],
  async run(c) {
    await c.say("text", JSON.stringify({ do: "close", code, reason }));
    assert.deepEqual(await c.ended(), { code: code ?? 1005, reason });
  },
});
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

/** Where a server has the client to itself. */
const pass = [
  { name: "an empty text", short: true, run: (c) => echo(c, () => c.say("text", ""), [""]) },
  { name: "an empty binary message", short: true, run: (c) => echo(c, () => c.say("binary", Buffer.alloc(0)), [""], { binary: true }) },
  { name: "every byte in a binary message", run: (c) => echo(c, () => c.say("binary", everyByte), [everyByte], { binary: true }) },
  echoed("a text that is no JSON", "{ no JSON at all".padEnd(300, ".")),
  echoed("a text longer than a room could get", json(2 * LIMIT)),
  ...[1000, 1001, 1003, 1008, 1011, 1012, 3000, 4999].map((code) => ended(code, "")),
  ended(undefined, "", "no code"),
  ended(1000, "done", "1000 and a reason"),
  ended(4000, "r".repeat(123), "a reason of 123 bytes"),
  ended(4000, "aé€😀", "a reason of all lengths of characters"),
  { name: "the server sends fragments", short: true, run: (c) => echo(c, () => c.say("text", '{"do":"fragments"}'), ["one, two, three"]) },
  { name: "the server pings, and hears the pong", short: true, run: (c) => echo(c, () => c.say("text", '{"do":"ping"}'), ["pong of it"]) },
];

/** What the server of a pass does with a message. */
export function serve(ws, data, binary) {
  const said = !binary && /^\{"do":/.test(String(data)) ? JSON.parse(data) : {};
  if (said.do === "close") return said.code ? ws.close(said.code, said.reason) : ws.close();
  if (said.do === "ping") return ws.once("pong", (what) => ws.send(`pong of ${what}`)).ping("it");
  if (said.do !== "fragments") return ws.send(data, { binary });
  for (const [i, piece] of ["one, ", "two, ", "three"].entries()) ws.send(piece, { fin: i === 2, binary: false });
}

export const exchanges = { mux: [...everywhere, ...mux], pass: [...everywhere, ...pass] };
