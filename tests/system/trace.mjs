// A trace that somebody began goes with a client: through world, ticket, node and room, and into their logs.
import assert from "node:assert/strict";
import http from "node:http";
import { test, until } from "../lib/runner.mjs";
import { bearer, client, cluster, shardId } from "../lib/cluster.mjs";

const parent = "00f067aa0ba902b7";
const traceparent = (id) => `00-${id}-${parent}-01`;
const traceId = (n) => `4bf92f3577b34da6a3ce929d0e0e47${n}`;
const lines = (p, pattern) => p.log.split("\n").filter((l) => l.startsWith("{") && pattern.test(l)).map((l) => JSON.parse(l));
const line = (p, event, trace) => until(() => lines(p, new RegExp(`"event":"${event}"`)).find((l) => l.trace === trace), `${event} of ${trace} in the log of the ${p.name}`);

/** One request; answers status, headers and JSON. */
function ask(origin, method, path, headers = {}, body = "") {
  return new Promise((resolve, reject) => {
    const req = http.request(`${origin}${path}`, { method, headers, agent: false }, (res) => {
      let text = "";
      res.on("data", (d) => (text += d)).on("end", () => resolve({ status: res.statusCode, headers: res.headers, json: text.startsWith("{") ? JSON.parse(text) : null }));
    });
    req.on("error", reject).end(body);
  });
}
/** It is of the trace, with another parent than the one that we sent. */
function isOfTrace(header, id) {
  assert.match(header ?? "", new RegExp(`^00-${id}-[0-9a-f]{16}-0[01]$`));
  assert.ok(!header.includes(parent), header);
}

test("a trace goes from /connect by the ticket to the client, its room and all logs", async (t) => {
  const { world, node, room } = await cluster(t, { worldEnv: { LOG_LEVEL: "debug" }, nodeEnv: { LOG_LEVEL: "debug" } });
  const id = traceId("01");
  const connect = (origin, headers) => ask(origin, "POST", "/parties/world/world-default/connect", { "content-type": "application/json", ...headers }, '{"roomId":"lobby","direct":true,"session":"ann"}');
  const placed = await connect(node.origin, { traceparent: traceparent(id), tracestate: "a=b" });
  assert.equal(placed.status, 200);
  isOfTrace(placed.headers.traceparent, id);
  const { span } = await line(world, "client.placed", id);
  assert.equal(placed.headers.traceparent.split("-")[2], span);
  assert.equal((await connect(node.origin, {})).headers.traceparent, undefined);

  const c = client(t, `${node.origin}/parties/shard/${encodeURIComponent(placed.json.shardId)}?id=ann&ticket=${placed.json.ticket}`);
  await c.open();
  assert.ok(c.opened, JSON.stringify(c.closed));
  const open = await line(node, "client.open", id);
  assert.notEqual(open.span, span);
  await room.tells("+ann");
  const told = room.links.flatMap((l) => l.frames).find((f) => f.type === "shard.clientConnected");
  isOfTrace(told.requestInfo.headers.traceparent, id);
  c.ws.close(1000);
  const left = await line(node, "client.left", id);
  assert.equal(left.span, open.span);
  assert.equal(left.session, open.session);
});

test("a client's own traceparent counts, for requests too, and a bad one does not", async (t) => {
  const { world, node, room } = await cluster(t, { worldEnv: { LOG_LEVEL: "debug" }, nodeEnv: { LOG_LEVEL: "debug" } });
  room.onRequest = (req, res) => res.end(JSON.stringify(req.headers));
  const [one, two, three] = [traceId("11"), traceId("12"), traceId("13")];
  const c = client(t, `${node.origin}/parties/shard/${shardId()}?id=bob`, { headers: { traceparent: traceparent(one), tracestate: "a=b" } });
  await c.open();
  await line(node, "client.open", one);
  const asked = await line(world, "api.refused", one); // nobody had made that shard
  assert.equal(asked.route, "resolve");
  await room.tells("+bob");
  const told = room.links.flatMap((l) => l.frames).find((f) => f.type === "shard.clientConnected");
  isOfTrace(told.requestInfo.headers.traceparent, one);
  assert.equal(told.requestInfo.headers.tracestate, "a=b");

  const heard = (await ask(node.origin, "GET", `/parties/shard/${shardId()}/state`, { traceparent: traceparent(two), tracestate: "c=d" })).json;
  isOfTrace(heard.traceparent, two);
  assert.equal(heard.tracestate, "c=d");

  const missing = await ask(world.origin, "GET", "/api/v1/worlds/world-default/rooms/none", { traceparent: traceparent(three), ...bearer("*") });
  assert.equal(missing.status, 404);
  assert.equal(missing.json.trace, three);
  assert.equal((await line(world, "api.refused", three)).reason, "room_missing");
  isOfTrace(missing.headers.traceparent, three);

  const before = world.log.length;
  const bad = await ask(world.origin, "GET", "/api/v1/worlds/world-default/rooms/none", { traceparent: traceparent(three).slice(0, -1), ...bearer("*") });
  assert.equal(bad.json.trace, undefined);
  assert.equal(bad.headers.traceparent, undefined);
  const told2 = await until(() => lines({ log: world.log.slice(before) }, /room_missing/)[0], "the refusal in the log");
  assert.equal(told2.trace, undefined);
  assert.match(told2.request, /^[A-Za-z0-9]{6}-\d+$/);
});
