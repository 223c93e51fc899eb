// What nodes find wrong around them, and how the world tells it.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { client, manage, shardId } from "../lib/cluster.mjs";
import { Cut } from "../lib/cut.mjs";
import { metric, nodesAlive } from "../lib/metrics.mjs";
import { bin, freePort, listening, secret, start, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { Room } from "../lib/room.mjs";

const other = "another-secret-of-the-tests-0123456789abcdef";

/** The findings of nodes as the world tells them: `node check subject`, with their details. */
async function found(world) {
  const { json } = await manage(world.origin, "GET", "/findings");
  const items = json.items.filter((f) => f.by.node);
  return { checkup: json.checkup, items, lines: items.map((f) => `${f.by.node} ${f.check} ${f.subject}`) };
}

/** Has all nodes look, and answers what the world tells then. */
async function checkup(world) {
  const asked = await manage(world.origin, "POST", "/checkup");
  assert.equal(asked.status, 202, asked.body);
  return until(async () => {
    const now = await found(world);
    return now.checkup === null && now;
  }, "the checkup to be over");
}

/** Waits for a finding; answers it. */
function shows(world, line) {
  return until(async () => {
    const { items, lines } = await found(world);
    return items[lines.indexOf(line)];
  }, line);
}

const node = (world, id, rooms, env = {}) => startNode(world.origin, rooms, { NODE_ID: id, WORLD_IDS: "world-default", ...env });

/** An HTTP server; `onUpgrade` may be missing, then it answers 404 to upgrades, too. */
async function web(t, port = 0, onUpgrade) {
  const server = http.createServer((_req, res) => res.writeHead(404).end("{}"));
  if (onUpgrade) server.on("upgrade", onUpgrade);
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${server.address().port}`;
}

/** A room server that answers 101 and closes, as the reference does to who does not know its secret. */
async function closing(t) {
  const room = await Room.start();
  t.after(() => room.die());
  room.accept = (ws) => ws.close();
  return room.origin;
}

test("a checkup finds the room servers that cannot be used, and sees what was mended", async (t) => {
  const room = await Room.start();
  t.after(() => room.die());
  const absent = await freePort();
  const servers = {
    absent: `http://127.0.0.1:${absent}`,
    plain: await web(t),
    rude: await web(t, 0, (_req, socket) => socket.destroy()),
    closing: await closing(t),
    demo: (await startRoom({ SHARD_SECRET: other })).origin,
    good: (await startRoom()).origin,
  };
  const world = await startWorld({ ROOM_SERVERS: Object.values(servers).join(",") });
  await node(world, "n1", room.origin);
  await nodesAlive(world, 1);
  const first = await checkup(world);
  assert.deepEqual(first.lines.sort(), [
    `n1 room-secret ${servers.closing}`, `n1 room-secret ${servers.demo}`, `n1 room-unreachable ${servers.absent}`,
    `n1 room-upgrade ${servers.plain}`, `n1 room-upgrade ${servers.rude}`].sort());
  const detail = (subject) => first.items.find((f) => f.subject === subject).detail;
  assert.equal(detail(servers.absent), "connection refused");
  assert.equal(detail(servers.plain), "answered the upgrade with 404");
  assert.equal(detail(servers.demo), "answered the upgrade with 401");
  for (const { cure, means, level } of first.items) assert.ok(cure && means && level === "error");
  const link = await room.link();
  assert.equal(link.url, "/parties/main/terrane-checkup");
  await until(() => link.closed === 1000, "the link to be closed");
  assert.deepEqual(link.frames, []);

  const mended = await Room.start({ port: absent });
  t.after(() => mended.die());
  const second = await checkup(world);
  assert.ok(!second.lines.includes(`n1 room-unreachable ${servers.absent}`), second.lines.join("\n"));
  assert.equal(second.lines.length, 4);
});

test("a checkup finds the nodes that others cannot use", async (t) => {
  const room = await Room.start();
  t.after(() => room.die());
  const world = await startWorld({ SHARD_SECRET: `${secret},${other}` });
  const n1 = await node(world, "n1", room.origin);
  await node(world, "n2", room.origin, { INTERNAL_URL: `http://127.0.0.1:${await freePort()}` });
  await node(world, "n3", room.origin, { INTERNAL_URL: n1.origin });
  await node(world, "n4", room.origin, { SHARD_SECRET: other });
  await nodesAlive(world, 4);
  const { lines, items } = await checkup(world);
  const of = (by) => lines.filter((l) => l.startsWith(`${by} `)).sort();
  assert.deepEqual(of("n1"), ["n1 peer-secret n4", "n1 peer-unreachable n2", "n1 peer-unreachable n3"]);
  assert.deepEqual(of("n4").slice(0, 2), ["n4 peer-secret n1", "n4 peer-secret n3"]);
  const details = items.filter((f) => f.by.node === "n1").map((f) => f.detail);
  assert.ok(details.some((d) => d.endsWith(": connection refused")), details.join());
  assert.ok(details.some((d) => d.endsWith(": the node n1 answers there")), details.join());
});

test("a node that is told to end in a checkup ends, whatever it dials", async (t) => {
  const room = await Room.start();
  t.after(() => room.die());
  const deaf = net.createServer((socket) => socket.on("error", () => {}));
  await new Promise((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const mute = await web(t, 0, () => {}); // neither takes the upgrade nor refuses it
  t.after(() => deaf.close());
  const world = await startWorld({ ROOM_SERVERS: `http://127.0.0.1:${deaf.address().port},${mute},${(await startRoom()).origin}` });
  const n1 = await node(world, "n1", room.origin);
  await node(world, "n2", room.origin, { INTERNAL_URL: `http://127.0.0.1:${deaf.address().port}` });
  await nodesAlive(world, 2);
  await manage(world.origin, "POST", "/checkup");
  await until(() => room.links.length > 0, "a link of the checkup");
  assert.equal(await n1.stop(), 0);
});

test("a proxy that is not trusted, and a limit of descriptors, are seen without asking", async (t) => {
  const room = await Room.start();
  t.after(() => room.die());
  const world = await startWorld();
  const env = { HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, NODE_ID: "n1", WORLD_IDS: "world-default", WORLD_URLS: world.origin, ROOM_SERVERS: room.origin, MAX_CONNECTIONS: "5000" };
  const n1 = start("node", "bash", ["-c", 'ulimit -n 256; exec "$0"', path.join(bin, "terrane-shard")], env);
  const port = Number((await n1.says(listening))[1]);
  assert.match((await shows(world, "n1 descriptors ")).detail, /5000 .* 6024, which is 256/);
  const one = client(t, `http://127.0.0.1:${port}/parties/shard/${shardId()}?id=a`, { headers: { "x-forwarded-for": "192.0.2.7" } });
  await one.open();
  assert.equal((await shows(world, "n1 proxy-untrusted 127.0.0.1")).detail, "sends x-forwarded-for");
  const raw = net.connect(port, "127.0.0.1").on("error", () => {});
  raw.write("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(async () => (await found(world)).items.some((f) => f.detail === "sends a PROXY header"), "the PROXY header to be noticed");
  raw.destroy();
  assert.equal(await metric(`http://127.0.0.1:${port}`, 'terrane_shard_findings{check="proxy-untrusted"}'), 1);
  assert.equal(await metric(`http://127.0.0.1:${port}`, 'terrane_shard_findings{check="idle-cut"}'), 0);
});

test("a proxy that cuts idle clients is seen, and so are worlds and room servers with another secret", async (t) => {
  const room = await Room.start();
  t.after(() => room.die());
  const world = await startWorld();
  const n1 = await node(world, "n1", room.origin, { PING_INTERVAL: "20s" });
  const stranger = await node(world, "n2", room.origin, { SHARD_SECRET: other });
  const cut = await Cut.start(t, { port: n1.port });
  const front = `http://127.0.0.1:${cut.server.address().port}`;
  const ended = [];
  for (let i = 0; i < 3; i++) { // one after another: who falls with others is no evidence
    await client(t, `${front}/parties/shard/${shardId()}?id=c${i}`).open();
    ended.push(new Promise((resolve) => setTimeout(() => resolve(cut.resetOldest()), 5300)));
    await new Promise((resolve) => setTimeout(resolve, 1100));
  }
  await until(async () => (await metric(stranger.origin, 'terrane_shard_findings{check="beat-refused"}')) === 1, "the refusal to be noticed");
  const refusing = await closing(t);
  const n3 = await node(world, "n3", refusing);
  await client(t, `${n3.origin}/parties/shard/${shardId("hall")}?id=d`).open();
  await shows(world, `n3 room-secret ${refusing}`);
  await Promise.all(ended);
  assert.match((await shows(world, "n1 idle-cut ")).detail, /^after about [56] s of silence$/);
});
