// What strangers send instead of WebSocket frames, and peers that fall silent.
import { test, until } from "../lib/runner.mjs";
import { startNode } from "../lib/process.mjs";
import { client, cluster, join, request, shardId } from "../lib/cluster.mjs";

const mask = Buffer.from([1, 2, 3, 4]);
/** A client's frame, whatever it says about itself. */
function frame({ fin = true, rsv = 0, opcode = 1, masked = true, payload = Buffer.alloc(0), length }) {
  const data = Buffer.from(payload);
  const said = length ?? data.length;
  let head;
  if (said < 126) head = Buffer.from([0, said]);
  else if (said < 65536) (head = Buffer.alloc(4)), (head[1] = 126), head.writeUInt16BE(said, 2);
  else (head = Buffer.alloc(10)), (head[1] = 127), head.writeBigUInt64BE(BigInt(said), 2);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (!masked) return Buffer.concat([head, data]);
  head[1] |= 0x80;
  return Buffer.concat([head, mask, data.map((byte, i) => byte ^ mask[i % 4])]);
}

const cases = [
  ["an unmasked frame", frame({ masked: false, payload: "hi" }), 1002],
  ["RSV1", frame({ rsv: 4, payload: "hi" }), 1002],
  ["RSV3", frame({ rsv: 1, payload: "hi" }), 1002],
  ["a reserved data opcode", frame({ opcode: 3 }), 1002],
  ["a reserved control opcode", frame({ opcode: 11 }), 1002],
  ["a fragmented ping", frame({ fin: false, opcode: 9 }), 1002],
  ["a ping of 126 bytes", frame({ opcode: 9, payload: Buffer.alloc(126) }), 1002],
  ["a continuation of nothing", frame({ opcode: 0, payload: "hi" }), 1002],
  ["a message inside a message", Buffer.concat([frame({ fin: false, payload: "a" }), frame({ payload: "b" })]), 1002],
  ["a close frame of one byte", frame({ opcode: 8, payload: Buffer.from([3]) }), 1002],
  ["the close code 1005", frame({ opcode: 8, payload: Buffer.from([3, 0xed]) }), 1002],
  ["the close code 999", frame({ opcode: 8, payload: Buffer.from([3, 0xe7]) }), 1002],
  ["a close reason that is not UTF-8", frame({ opcode: 8, payload: Buffer.from([3, 0xe8, 0xff]) }), 1007],
  ["a length with its top bit set", Buffer.concat([Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), mask]), 1002, 1009],
  ["text that is not UTF-8", frame({ payload: Buffer.from([0x22, 0xff, 0x22]) }), 1007],
  ["a surrogate in UTF-8", frame({ payload: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]) }), 1007],
  ["UTF-8 cut at the end", frame({ payload: Buffer.from([0x22, 0xe2, 0x82]) }), 1007],
  ["UTF-8 broken across fragments", Buffer.concat([frame({ fin: false, payload: Buffer.from([0x22, 0xe2]) }), frame({ opcode: 0, payload: Buffer.from([0x22]) })]), 1007],
  ["a message announced as 1 MiB and a byte", frame({ payload: "", length: 1048577 }), 1009],
  ["fragments that add up to more than 1 MiB", Buffer.concat([frame({ fin: false, payload: Buffer.alloc(700000, 97) }), frame({ opcode: 0, payload: Buffer.alloc(700000, 97) })]), 1009],
  ["an announced exabyte", frame({ payload: "", length: 2 ** 60 }), 1009],
];

test("node: each protocol error closes with its code, and only that client", async (t) => {
  const { node, room } = await cluster(t);
  const bystander = await join(t, node, "bystander");
  const wrong = [];
  for (const [what, bytes, ...codes] of cases) {
    const c = await join(t, node, "bad");
    c.ws._socket.write(bytes);
    const closed = await c.close_(4000).catch((error) => ({ error: error.message }));
    if (!codes.includes(closed.code)) wrong.push(`${what}: expected ${codes}, got ${JSON.stringify(closed)}`);
  }
  bystander.send("1");
  await room.tells("+bystander", "bystander:1");
  if (wrong.length) throw new Error(wrong.join("\n"));
}, { seconds: 120 });

test("node: the admin feed through it and the world's own refuse bad frames too", async (t) => {
  const { node, world } = await cluster(t);
  for (const origin of [world.origin, node.origin]) {
    const c = client(t, `${origin}/parties/world/world-a`);
    await c.open();
    c.ws._socket.write(frame({ masked: false, payload: "hi" }));
    const closed = await c.close_();
    if (closed.code !== 1002) throw new Error(`${origin}: ${JSON.stringify(closed)}`);
  }
});

test("node: messages of every size up to the limit arrive whole", async (t) => {
  const { node, room } = await cluster(t);
  const c = await join(t, node, "a");
  const sizes = [0, 1, 123, 124, 125, 126, 65532, 65533, 65534, 65535, 65536, 1048574];
  for (const size of sizes) c.send(JSON.stringify("x".repeat(size)));
  await until(() => room.frames.length === sizes.length + 1, "all messages");
  const got = room.frames.slice(1).map((f) => f.payload.length);
  if (String(got) !== String(sizes)) throw new Error(`sizes ${got}`);
  if (c.closed) throw new Error(JSON.stringify(c.closed));
});

test("node: a bad handshake is a 4xx and no WebSocket", async (t) => {
  const { node } = await cluster(t);
  const good = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  for (const [name, value] of [["sec-websocket-version", "12"], ["sec-websocket-key", "short"], ["sec-websocket-key", undefined]]) {
    const headers = { ...good, [name]: value };
    if (value === undefined) delete headers[name];
    const got = await request(node.origin, { path: `/parties/shard/${shardId()}`, headers });
    if (got.status < 400 || got.status > 499) throw new Error(`${name}: ${value}: ${got.status}`);
  }
});

const silences = { PING_INTERVAL: "200ms", PONG_TIMEOUT: "300ms" };

test("node: who does not answer pings is closed with the reason timeout", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: silences });
  const deaf = await join(t, node, "deaf", { options: { autoPong: false } });
  const closed = await deaf.close_();
  if (closed.reason !== "timeout") throw new Error(JSON.stringify(closed));
  await room.tells("+deaf", "-deaf");
});

test("node: who answers pings stays, and its room is not told of them", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: silences });
  const c = await join(t, node, "a");
  let pings = 0;
  c.ws.on("ping", () => pings++);
  await until(() => pings >= 4, "four pings");
  if (c.closed) throw new Error(JSON.stringify(c.closed));
  if (room.story.join() !== "+a") throw new Error(room.story.join());
});

test("node: a client that stops reading the close of a closed room goes anyway", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: silences });
  const c = await join(t, node, "a");
  c.ws._socket.pause();
  await room.tells("+a");
  room.send({ type: "shard.closeClient", privateId: "a" });
  await room.tells("+a", "-a");
});
