// A world whose management has a listener of its own.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { finish, jwtSecret, secret, startWorld } from "../lib/process.mjs";
import { bearer, client, post, request } from "../lib/cluster.mjs";

const room = { name: "r", balancingStrategy: "random", public: true, maxPlayersPerShard: 5, minShards: 1 };

/** A world with both; answers the origins of its listeners. */
async function doors() {
  const world = await startWorld({ ADMIN_LISTEN: "0" });
  const port = (await world.says(/admin listening on 127\.0\.0\.1:(\d+)/))[1];
  return { front: world.origin, back: `http://127.0.0.1:${port}` };
}

test("management is answered at its own listener alone", async (t) => {
  const { front, back } = await doors();
  const headers = bearer("*");
  const statuses = async (path, options = {}) =>
    Promise.all([front, back].map(async (origin) => (await request(origin, { path, headers, ...options })).status));
  assert.deepEqual(await statuses("/api/v1/worlds"), [404, 200]);
  assert.deepEqual(await statuses("/metrics"), [404, 200]);
  assert.deepEqual(await statuses("/readyz"), [200, 200]);
  for (const [origin, status] of [[front, 404], [back, 200]])
    assert.equal((await post(origin, "/parties/world/world-a/register-room", room, headers)).status, status);
  for (const origin of [front, back])
    assert.equal((await post(origin, "/parties/world/world-a/connect", { roomId: "r" })).status, 200);

  const stranger = client(t, `${front}/parties/world/world-a`, { headers });
  const admin = client(t, `${back}/parties/world/world-a`, { headers });
  await stranger.open();
  await admin.joined();
  assert.deepEqual(stranger.frames, []);
});

test("a world says which of its addresses it cannot have", async () => {
  const { back } = await doors();
  const port = new URL(back).port;
  const env = { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret, HOST: "127.0.0.1", PORT: "0" };
  const { stderr } = await finish("terrane-world", [], { ...env, ADMIN_LISTEN: port }, 1);
  assert.match(stderr, new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${port}`));
});
