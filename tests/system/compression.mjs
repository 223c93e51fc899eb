// permessage-deflate between clients and a node, with `ws` as the client and with frames made by hand.
import zlib from "node:zlib";
import { test, until } from "../lib/runner.mjs";
import { client, cluster, join, shardId } from "../lib/cluster.mjs";
import { metric } from "../lib/metrics.mjs";

const on = { COMPRESSION: "1" };
const deflating = (extra = {}) => ({ options: { perMessageDeflate: { threshold: 0, ...extra } } });
const bytes = (node, stage) => metric(node.origin, `terrane_shard_compressed_bytes_total{stage="${stage}"}`);

/** A masked frame (the mask is zero) with any first byte. */
function frame(first, payload) {
  const data = Buffer.from(payload);
  const head = data.length < 126 ? Buffer.from([first, 0x80 | data.length]) : Buffer.from([first, 0xfe, data.length >> 8, data.length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), data]);
}
/** A message's payload, deflated. */
const packed = (text) => zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);

test("compression: messages pass it both ways, beside clients without it", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: on });
  const small = { serverMaxWindowBits: 10 };
  const clients = [await join(t, node, "a", deflating()), await join(t, node, "b", deflating(small)), await join(t, node, "c"), await join(t, node, "d", deflating())];
  const extensions = clients.map((c) => c.ws.extensions);
  if (!extensions[0] || !extensions[1] || extensions[2]) throw new Error(`extensions: ${JSON.stringify(extensions)}`);
  const messages = ["", "1", JSON.stringify("é€".repeat(5000)), JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ type: "move", x: i })))];
  for (const c of clients) for (const m of messages) c.send(m);
  await until(() => room.frames.filter((f) => f.payload !== undefined).length === clients.length * (messages.length - 1), "all messages (the empty one is no JSON)");
  for (const f of room.frames.filter((x) => x.payload !== undefined)) {
    if (!messages.includes(JSON.stringify(f.payload))) throw new Error(`came broken: ${JSON.stringify(f.payload).slice(0, 80)}`);
  }
  const down = ["{}", ...messages.slice(2)];
  for (const m of down) room.links[0].ws.send(m);
  for (const c of clients) {
    const got = await c.until(() => c.frames.length >= down.length && c.frames, 8000, "broadcasts");
    if (String(got) !== String(down)) throw new Error(`broadcasts came broken: ${String(got).slice(0, 100)}`);
  }
  const before = await bytes(node, "before");
  const after = await bytes(node, "after");
  const once = down.slice(1).reduce((sum, m) => sum + Buffer.byteLength(m), 0);
  if (!(before > once * 0.9 && before < once * 1.1 && after < before / 3)) throw new Error(`compressed once: ${once} bytes became ${before} and ${after}`);
});

test("compression: is off by default", async (t) => {
  const off = await cluster(t);
  const a = await join(t, off.node, "a", deflating());
  if (a.ws.extensions) throw new Error(a.ws.extensions);
  a.ws._socket.write(frame(0xc1, packed("1")));
  const closed = await a.close_();
  if (closed.code !== 1002) throw new Error(JSON.stringify(closed));
});

test("compression: a rule's word counts before the setting", async (t) => {
  for (const [COMPRESSION, deflate] of [["0", true], ["1", false]]) {
    const { node } = await cluster(t, { nodeEnv: { COMPRESSION, ROUTES: JSON.stringify([{ path: "/game/{shard}/*", mode: "mux", deflate }]) } });
    const open = async (path) => {
      const c = client(t, `${node.origin}${path}/${shardId()}?id=${path.length}`, deflating());
      await c.open();
      return Boolean(c.ws.extensions);
    };
    const got = [await open("/game"), await open("/parties/shard")];
    if (String(got) !== String([deflate, !deflate])) throw new Error(`COMPRESSION=${COMPRESSION}: ${got}`);
  }
});

test("compression: what breaks it closes with its code, and a bomb costs nothing", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: on });
  const cases = [
    ["data of no message", frame(0xc1, [0xff, 0xff]), 1007],
    ["cut data", frame(0xc1, packed("hello hello hello").subarray(0, 5)), 1007],
    ["text that is not UTF-8", frame(0xc1, packed(Buffer.from([0x22, 0xff, 0x22]))), 1007],
    ["a bomb", frame(0xc1, packed(Buffer.alloc(20 << 20, 32))), 1009],
    ["RSV1 of a ping", frame(0xc9, ""), 1002],
    ["RSV1 of a continuation", Buffer.concat([frame(0x41, packed("1")), frame(0xc0, "")]), 1002],
    ["RSV2", frame(0xa1, "1"), 1002],
  ];
  for (const [what, bytes, code] of cases) {
    const c = await join(t, node, "bad", deflating());
    c.ws._socket.write(bytes);
    const closed = await c.close_();
    if (closed.code !== code) throw new Error(`${what}: ${JSON.stringify(closed)}`);
  }
  const good = await join(t, node, "good", deflating());
  good.ws._socket.write(Buffer.concat([frame(0x41, packed('"in').subarray(0, 2)), frame(0x00, packed('"in').subarray(2)), frame(0x89, "p"), frame(0x80, "")]));
  good.ws._socket.write(frame(0xc1, packed('"fragments"')));
  const end = await good.close_(1500).catch(() => null); // the first one is no JSON, which closes nobody
  if (end) throw new Error(JSON.stringify(end));
  await room.tells('good:"fragments"');
});
