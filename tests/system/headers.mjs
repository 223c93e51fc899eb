// What a client says about itself that only the cluster may say.
import assert from "node:assert/strict";
import { test, until } from "../lib/runner.mjs";
import { secret } from "../lib/process.mjs";
import { client, cluster, join, request, shardId } from "../lib/cluster.mjs";
import { nodesAlive } from "../lib/metrics.mjs";

const forged = {
  "x-shard-id": "forged",
  "x-shard-world-id": "forged",
  "x-access-shard": "forged",
  "x-forwarded-by-shard": "forged",
  "x-original-client-ip": "6.6.6.6",
  "x-forwarded-for": "7.7.7.7, 8.8.8.8",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "forged.example",
  "x-terrane-entry": "forged",
  "x-terrane-hop": "1",
  "X-Shard-ID": "forged",
  x_shard_id: "forged",
  x_access_shard: "forged",
  "x-access_shard": "forged",
  x_forwarded_for: "7.7.7.7",
  "X_Original-Client_IP": "6.6.6.6",
  x_terrane_subject: "forged",
  forwarded: "for=7.7.7.7;host=forged",
  connection: "keep-alive, x-original-client-ip, x-access-shard, x-shard-id, x-shard-world-id",
  "x-custom": "kept",
  cookie: "kept=1",
  authorization: "Bearer kept",
};

test("a stranger's x-shard, x-terrane and x-forwarded headers do not reach the room over HTTP", async (t) => {
  const { node, room } = await cluster(t);
  await request(node.origin, { path: `/parties/shard/${shardId()}/state`, headers: forged });
  const { headers, url } = room.requests.find((r) => r.headers["x-forwarded-by-shard"]);
  assert.equal(url, "/parties/main/lobby/state");
  assert.equal(headers["x-shard-id"], shardId());
  assert.equal(headers["x-shard-world-id"], "world-default");
  assert.equal(headers["x-access-shard"], secret);
  assert.equal(headers["x-forwarded-by-shard"], "true");
  assert.equal(headers["x-original-client-ip"], "127.0.0.1");
  assert.equal(headers["x-custom"], "kept");
  assert.equal(headers.cookie, "kept=1");
  assert.equal(headers.authorization, "Bearer kept");
  assert.doesNotMatch(JSON.stringify(headers), /forged|7\.7\.7\.7|8\.8\.8\.8|x-terrane/);
});

test("nor with a client's join", async (t) => {
  const { node, room } = await cluster(t);
  await join(t, node, "a", { headers: forged });
  await room.tells("+a");
  const info = room.frames[0].requestInfo;
  assert.match(info.url, /^http:\/\/127\.0\.0\.1:\d+\/parties\/shard\//);
  assert.equal(info.headers["x-custom"], "kept");
  assert.doesNotMatch(JSON.stringify(info), /forged|6\.6\.6\.6|7\.7\.7\.7|8\.8\.8\.8|x-terrane/);
  assert.doesNotMatch(JSON.stringify(info), new RegExp(secret));
});

test("nor by way of another node or of a world, which sign what they say themselves", async (t) => {
  const { nodes, world, room } = await cluster(t, { nodes: 2 });
  await nodesAlive(world, 2);
  // A world answers 403 to what only signed requests have; a node strips it.
  const { "x-terrane-hop": hop, ...plain } = forged;
  const stolen = { ...plain, "x-terrane-host": "forged.example", "x-terrane-proto": "https", "X-Terrane-Subject": "forged", "x_terrane_claims": "forged" };
  for (const [i, { origin }] of [...nodes, world].entries()) {
    const headersHere = origin === world.origin ? stolen : { ...stolen, "x-terrane-hop": hop, "x-terrane-client": "6.6.6.6" };
    assert.equal((await request(origin, { path: `/parties/shard/${shardId()}/state`, headers: headersHere })).status, 200);
    const { headers } = room.requests.filter((r) => r.headers["x-forwarded-by-shard"]).at(-1);
    assert.equal(headers["x-original-client-ip"], "127.0.0.1");
    assert.doesNotMatch(JSON.stringify(headers), /forged|6\.6\.6\.6|7\.7\.7\.7|x-terrane/);
    await join(t, { origin }, `way-${i}`, { headers: { ...headersHere, connection: "Upgrade, x-terrane-sign, x-terrane-client, x-terrane-host" } });
    await room.tells(`+way-${i}`);
    const { requestInfo } = room.frames.find((f) => f.privateId === `way-${i}`);
    assert.match(requestInfo.url, /^http:\/\/127\.0\.0\.1:\d+\/parties\/shard\//);
    assert.equal(requestInfo.headers["x-custom"], "kept");
    assert.doesNotMatch(JSON.stringify(requestInfo), /forged|6\.6\.6\.6|7\.7\.7\.7|8\.8\.8\.8|x-terrane-[a-z]+":/);
  }
  const signed = { "x-terrane-hop": "node-1", "x-terrane-client": "6.6.6.6", "x-terrane-sign": `v1 ${Date.now()} ${"0".repeat(64)}` };
  for (const { origin } of [...nodes, world]) assert.equal((await request(origin, { path: `/parties/shard/${shardId()}/state`, headers: signed })).status, 403);
});

test("nor a server of mode pass, with a WebSocket or a request, with a shard or without", async (t) => {
  const rules = [
    { path: "/free/*", mode: "pass" },
    { path: "/told/{shard}/*", mode: "pass", secret: true },
    { path: "/game/{shard}/*", mode: "pass" },
  ];
  const { node, room } = await cluster(t, { nodeEnv: { ROUTES: JSON.stringify(rules) } });
  const seen = [];
  room.server.on("upgrade", (req) => seen.push(req.headers));
  for (const [at, own] of [["/free", []], ["/game", ["x-shard-id", "x-shard-room-id", "x-shard-world-id"]], ["/told", ["x-shard-id", "x-shard-room-id", "x-shard-world-id", "x-access-shard"]]]) {
    const path = at === "/free" ? `${at}/x` : `${at}/${shardId()}/x`;
    assert.equal((await request(node.origin, { path, headers: { ...forged, "x_forwarded-host": "forged" } })).status, 200);
    seen.push(room.requests.at(-1).headers);
    const c = client(t, node.origin + path, { headers: { ...forged, connection: "Upgrade, x-shard-id, x-forwarded-for" } });
    await c.open();
    assert.ok(c.opened, JSON.stringify(c.failed));
    for (const headers of seen.splice(0)) {
      assert.doesNotMatch(JSON.stringify(headers), /forged|[678]\.[678]\.[678]\.[678]|x.terrane/, path);
      assert.deepEqual(Object.keys(headers).filter((n) => /^x-(shard|access)/.test(n)).sort(), [...own].sort());
      assert.equal(headers["x-forwarded-for"], "127.0.0.1");
      assert.equal(headers["x-original-client-ip"], "127.0.0.1");
      assert.equal(headers["x-forwarded-proto"], "http");
      assert.equal(headers["x-custom"], "kept");
      assert.equal(headers.authorization, "Bearer kept");
      if (own.includes("x-access-shard")) assert.equal(headers["x-access-shard"], secret);
    }
  }
});

test("a trusted proxy is believed about the client's address and scheme", async (t) => {
  const { node, room } = await cluster(t, { nodeEnv: { TRUSTED_PROXIES: "127.0.0.0/8" } });
  const headers = { "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https", "x-shard-id": "forged" };
  await request(node.origin, { path: `/parties/shard/${shardId()}/state`, headers });
  const seen = room.requests.find((r) => r.headers["x-forwarded-by-shard"]).headers;
  assert.equal(seen["x-original-client-ip"], "203.0.113.7");
  assert.equal(seen["x-shard-id"], shardId());
  await join(t, node, "a", { headers });
  await room.tells("+a");
  const info = room.frames[0].requestInfo;
  assert.match(info.url, /^https:\/\//);
});

test("hop-by-hop headers end at the node", async (t) => {
  const { node, room } = await cluster(t);
  await request(node.origin, {
    path: `/parties/shard/${shardId()}/state`,
    headers: { connection: "x-secret-hop, close", "x-secret-hop": "1", te: "trailers", "keep-alive": "timeout=5" },
  });
  const { headers } = await until(() => room.requests.find((r) => r.headers["x-forwarded-by-shard"]), "the request");
  for (const name of ["x-secret-hop", "te", "keep-alive", "upgrade"]) assert.equal(headers[name], undefined, name);
});

test("the shard secret never comes back to a client", async (t) => {
  const { node, room } = await cluster(t);
  room.onRequest = (req, res) => res.end(JSON.stringify(Object.keys(req.headers)));
  const answer = await request(node.origin, { path: `/parties/shard/${shardId()}/state` });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(JSON.stringify(answer), new RegExp(secret));
  assert.doesNotMatch(node.log, new RegExp(secret));
});
