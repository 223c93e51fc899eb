// A cluster for one test: a world, nodes and a recording room server, and the clients in front of them.
import { Client } from "../conformance/lib/ws.mjs";
import assert from "node:assert/strict";
import { request as send } from "../conformance/lib/http.mjs";
import { jwt } from "../conformance/lib/jwt.mjs";
import { contractOf } from "./contract.mjs";
import { bin, jwtSecret, secret, startNode, startWorld } from "./process.mjs";
import { Room } from "./room.mjs";
import { until } from "./runner.mjs";

let contract;

/** What the management API answers must be as its document says, whoever asks. */
function judge({ method = "GET", path = "/", raw }, { status, headers, json, body }) {
  if (raw || !path.startsWith("/api/v1")) return;
  contract ??= contractOf(bin);
  const text = json === undefined ? (body === "<empty>" ? "" : body) : JSON.stringify(json);
  const wrong = contract?.glance(method, path, status, headers["content-type"], text);
  if (wrong) assert.fail(`${method} ${path} is not answered as /openapi.json says: ${wrong}`);
}

/** One request; answers { status, headers, json or body }. */
export async function request(origin, options = {}) {
  const answer = await send(origin, options);
  judge(options, answer);
  return answer;
}

/** Starts all of it; `t` is the test's, for the clean-up. The room server is `room` unless `rooms` (an origin) is given. */
export async function cluster(t, { nodes = 1, worldEnv = {}, nodeEnv = {}, rooms } = {}) {
  const room = rooms ? null : await Room.start();
  const c = { room, world: await startWorld(worldEnv), nodes: [] };
  for (let i = 0; i < nodes; i++) c.nodes.push(await startNode(c.world.origin, rooms ?? room.origin, nodeEnv));
  c.node = c.nodes[0];
  t.after(() => c.room?.die());
  return c;
}

/** A client of a test; it is gone when the test is over. */
export function client(t, url, options) {
  const c = new Client(url.replace(/^http/, "ws"), options);
  t.after(() => c.end());
  return c;
}

export const shardId = (room = "lobby", n = 1) => `${room}:world-default:1700000000000-${n}`;

/** A client that has come in at a node as session `id`. */
export async function join(t, node, id, { shard = shardId(), ...options } = {}) {
  const c = client(t, `${node.origin}/parties/shard/${shard}?id=${id}`, options);
  await c.open();
  return c;
}

/** A management client's header for the worlds named. */
export const bearer = (...worlds) => ({ authorization: `Bearer ${jwt({ worlds, exp: Math.floor(Date.now() / 1000) + 600 }, jwtSecret)}` });

/** What an operator asks of world-default, through any origin; `body` is JSON. */
export const manage = (origin, method, what, body) =>
  request(origin, { method, path: `/api/v1/worlds/world-default${what}`, headers: bearer("*"), body: body && JSON.stringify(body) });

/** Until the world can place clients on `count` nodes. */
export const nodesUsable = (origin, count = 1) =>
  until(async () => (await manage(origin, "GET", "/nodes")).json.items.filter((n) => n.usable).length === count, `${count} usable nodes`);

/** A guarded request to a world, through any origin. */
export function post(origin, path, body, headers = { "x-access-shard": secret }) {
  return request(origin, { method: "POST", path, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
}
