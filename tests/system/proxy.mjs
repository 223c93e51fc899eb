// HTTP through a node to a room: streamed, binary safe, and only as fast as the slower side.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import { readFileSync } from "node:fs";
import { test, until } from "../lib/runner.mjs";
import { cluster, request, shardId } from "../lib/cluster.mjs";
import { Room } from "../lib/room.mjs";

const block = randomBytes(1 << 20);
const path = `/parties/shard/${shardId()}`;
const digest = (chunks) => chunks.reduce((hash, chunk) => hash.update(chunk), createHash("md5")).digest("hex");
const MiB = 48;
const whole = digest(Array(MiB).fill(block));
const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Sends a request by hand; answers { req, answer } where answer is the response's promise. */
function begin(node, options) {
  const req = http.request({ host: "127.0.0.1", port: node.port, agent: false, ...options });
  const answer = new Promise((resolve, reject) => req.once("response", resolve).once("error", reject));
  return { req, answer };
}
async function write(stream, chunk) {
  if (!stream.write(chunk)) await new Promise((resolve) => stream.once("drain", resolve));
}
async function md5(stream) {
  const hash = createHash("md5");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
/** Memory in MiB that the process holds. */
const resident = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;

for (const [how, headers] of [["with a length", { "content-length": MiB << 20 }], ["in chunks", {}]]) {
  test(`a large upload ${how} arrives bit by bit the same`, async (t) => {
    const { node, room } = await cluster(t);
    room.onRequest = async (req, res) => res.end(JSON.stringify({ md5: await md5(req), type: req.headers["content-type"] ?? null }));
    const { req, answer } = begin(node, { method: "PUT", path: `${path}/upload`, headers });
    for (let i = 0; i < MiB; i++) await write(req, block);
    req.end();
    const res = await answer;
    assert.equal(res.statusCode, 200);
    let text = "";
    for await (const chunk of res) text += chunk;
    assert.equal(JSON.parse(text).md5, whole);
  }, { seconds: 60 });

  test(`a large download ${how} arrives bit by bit the same`, async (t) => {
    const { node, room } = await cluster(t);
    room.onRequest = async (_req, res) => {
      res.writeHead(200, { "content-type": "application/octet-stream", ...headers });
      for (let i = 0; i < MiB; i++) await write(res, block);
      res.end();
    };
    const { req, answer } = begin(node, { path: `${path}/download` });
    req.end();
    const res = await answer;
    assert.equal(res.headers["content-type"], "application/octet-stream");
    const hash = createHash("md5");
    for await (const chunk of res) {
      hash.update(chunk);
      await tick();
    }
    assert.equal(hash.digest("hex"), whole);
  }, { seconds: 60 });
}

test("a room that does not read holds its client back instead of filling the node", async (t) => {
  const { node, room } = await cluster(t);
  let upload;
  room.onRequest = (req, res) => (upload = { req: req.pause(), res });
  const before = resident(node.pid);
  const { req, answer } = begin(node, { method: "PUT", path: `${path}/upload` });
  req.on("error", () => {});
  let sent = 0;
  const pump = () => {
    while (sent < 256 && req.write(block)) sent++;
    if (sent < 256) req.once("drain", pump);
  };
  pump();
  await until(() => upload, "the upload at the room");
  let last = -1;
  await until(async () => {
    const still = last === sent;
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return still;
  }, "the client to be held back");
  assert.ok(sent < 64, `${sent} MiB were taken`);
  assert.ok(resident(node.pid) - before < 64, `the node grew by ${resident(node.pid) - before} MiB`);
  upload.req.resume();
  upload.res.end("{}");
  req.destroy();
  answer.catch(() => {});
});

test("status, headers and bytes come back as the room sent them", async (t) => {
  const { node, room } = await cluster(t);
  const bytes = Buffer.from([0, 1, 2, 0xff, 0xfe, 0x80, 10, 13]);
  const answers = {
    "/teapot": (res) => res.writeHead(418, { "x-tea": "green" }).end("{}"),
    "/binary": (res) => res.writeHead(200, { "x-kind": "binary" }).end(bytes),
    "/empty": (res) => res.writeHead(204).end(),
    "/moved": (res) => res.writeHead(302, { location: "/elsewhere" }).end(),
    "/cached": (res) => res.writeHead(304, { etag: '"1"' }).end(),
  };
  room.onRequest = (req, res) => answers[req.url.slice("/parties/main/lobby".length)](res);
  const get = (end, options) => request(node.origin, { path: path + end, ...options });
  assert.deepEqual((({ status, headers }) => [status, headers["x-tea"]])(await get("/teapot")), [418, "green"]);
  assert.equal((await get("/binary", { raw: true })).hex, bytes.toString("hex"));
  assert.equal((await get("/empty")).status, 204);
  assert.deepEqual((({ status, headers }) => [status, headers.location])(await get("/moved")), [302, "/elsewhere"]);
  assert.equal((await get("/cached")).status, 304);
  const head = await get("/teapot", { method: "HEAD" });
  assert.deepEqual([head.status, head.body], [418, "<empty>"]);
});

test("method, query and body reach the room as they were sent", async (t) => {
  const { node, room } = await cluster(t);
  room.onRequest = async (req, res) => {
    const parts = [];
    for await (const chunk of req) parts.push(chunk);
    res.end(JSON.stringify({ method: req.method, url: req.url, hex: Buffer.concat(parts).toString("hex") }));
  };
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const body = ["GET", "OPTIONS"].includes(method) ? undefined : Buffer.from([0xff, 0x00, 0xef, 0xbb, 0xbf]);
    const answer = await request(node.origin, { method, path: `${path}/a%2Fb/c?x=%20&y=%zz&x=2`, body });
    assert.deepEqual(answer.json, { method, url: "/parties/main/lobby/a%2Fb/c?x=%20&y=%zz&x=2", hex: body?.toString("hex") ?? "" });
  }
});

test("a room that breaks off in its answer is not mistaken for one that finished", async (t) => {
  const { node, room } = await cluster(t);
  room.onRequest = (_req, res) => {
    res.writeHead(200, { "content-length": 1000 });
    res.write("half");
    setTimeout(() => res.destroy(), 20);
  };
  await assert.rejects(request(node.origin, { path: `${path}/half` }));
  room.onRequest = (_req, res) => {
    res.write("half");
    setTimeout(() => res.destroy(), 20);
  };
  await assert.rejects(request(node.origin, { path: `${path}/half` }));
});

test("a client that breaks off takes its request at the room with it", async (t) => {
  const { node, room } = await cluster(t);
  let gone = false;
  room.onRequest = (req) => req.on("close", () => (gone = true));
  const { req, answer } = begin(node, { path: `${path}/slow` });
  answer.catch(() => {});
  req.on("error", () => {});
  req.end();
  await until(() => room.requests.some((r) => r.url.endsWith("/slow")), "the request");
  req.socket.resetAndDestroy(); // an orderly end would be half a connection, which still gets its answer
  await until(() => gone, "the room to see the end");
});

test("many requests at a time get their own answers", async (t) => {
  const { node, room } = await cluster(t);
  room.onRequest = (req, res) => setTimeout(() => res.end(JSON.stringify(req.url)), Math.random() * 20);
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const answers = await Promise.all(numbers.map((i) => request(node.origin, { path: `${path}/${i}` })));
  assert.deepEqual(answers.map((a) => a.json), numbers.map((i) => `/parties/main/lobby/${i}`));
});

test("a room server that dies between requests costs at most an error, never a wrong answer", async (t) => {
  const c = await cluster(t);
  assert.equal((await request(c.node.origin, { path: `${path}/a` })).status, 200);
  await c.room.die();
  const during = await request(c.node.origin, { path: `${path}/b` });
  assert.ok([500, 502, 503].includes(during.status), String(during.status));
  c.room = await Room.start({ port: c.room.port });
  await until(async () => (await request(c.node.origin, { path: `${path}/c` })).status === 200, "an answer of the new room server");
});
