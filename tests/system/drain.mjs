// The end of a node that is full of clients which go on talking.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { client, cluster, shardId } from "../lib/cluster.mjs";

const count = 1000;
const seconds = Number(process.env.DRAIN_SECONDS ?? 3);

/** A room that sends each message back to its sender, and writes down what it heard. */
function echo(room) {
  const heard = new Map();
  room.onFrame = (frame, link) => {
    if (frame.type !== "shard.clientMessage") return;
    if (!heard.has(frame.privateId)) heard.set(frame.privateId, []);
    heard.get(frame.privateId).push(frame.payload);
    link.ws.send(JSON.stringify({ targetClientId: frame.privateId, data: String(frame.payload) }));
  };
  return heard;
}

/** Comes in on one of four shards and says a number every 250 ms until it is closed. */
async function talker(t, node, n) {
  const c = client(t, `${node.origin}/parties/shard/${shardId("lobby", 1 + (n % 4))}?id=s${n}`);
  await c.open(20000);
  let number = 0;
  const timer = setInterval(() => c.closed || c.send(String(number++)), 250);
  c.ws.on("close", () => {
    c.closedAt = Date.now();
    clearInterval(timer);
  });
  t.after(() => clearInterval(timer));
  return c;
}

test(`a node with ${count} talking clients closes them evenly within ${seconds} s and loses no word`, async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { DRAIN_DEADLINE: `${seconds}s`, SEAT_TTL: "0" } });
  const heard = echo(room);
  const clients = [];
  for (let n = 0; n < count; n += 50) clients.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => talker(t, node, n + i)))));

  const start = Date.now();
  node.child.kill("SIGTERM");
  assert.equal(await node.exit, 0);
  await Promise.all(clients.map((c) => c.close_()));

  const closes = [];
  let words = 0;
  clients.forEach((c, n) => {
    assert.equal(c.closed.code, 1012);
    assert.match(c.closed.reason, /^restart;retry=\d+-\d+$/);
    const at = Math.floor((c.closedAt - start) / 1000);
    closes[at] = (closes[at] ?? 0) + 1;
    const said = heard.get(`s${n}`) ?? [];
    assert.deepEqual(c.frames.map(Number), said, `what s${n} heard back`);
    assert.deepEqual(said, said.map((_, i) => i), `what s${n} said`);
    words += said.length;
  });
  console.log(`     closes in each second: ${closes.join(" ")}; ${words} words, each came back once`);
  const mean = count / seconds;
  for (const n of closes) assert.ok((n ?? 0) <= 2 * mean, `${n} in a second, ${mean} in the mean`);
  const left = room.story.filter((w) => w.startsWith("-"));
  assert.equal(left.length, count);
}, { seconds: 60 });
