// The one screen that says what is wrong.
import assert from "node:assert/strict";
import { cluster, manage, nodesUsable } from "../lib/cluster.mjs";
import { freePort } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";
import { Transcript } from "../lib/worldctl.mjs";

const get = (origin, what) => manage(origin, "GET", what);

test("status names what is well in totals, and what is not one by one", async (t) => {
  const c = await cluster(t, { nodeEnv: { NODE_ID: "n1", MAX_CONNECTIONS: "1000" } });
  const x = new Transcript(t, "status", { world: c.world.origin });
  await nodesUsable(c.world.origin);
  await x.run(["rooms", "create", "lobby"]);
  assert.equal((await x.run(["status"])).status, 0);
  await x.run(["rooms", "create", "tiny", "--max", "1", "--max-shards", "1"]);
  await x.run(["connect", "tiny", "-o", "json"]);
  await x.run(["drain", "--node", "n1", "--no-wait"]);
  x.text = x.text.slice(0, x.text.indexOf("$ worldctl rooms create tiny"));
  await x.run(["status"]);
  await x.run(["status", "-o", "json"]);
  x.check();
});

test("a finding that is an error ends status with 1, and tells its cure", async (t) => {
  const down = `http://127.0.0.1:${await freePort()}`;
  const c = await cluster(t, { worldEnv: { ROOM_SERVERS: down }, nodeEnv: { NODE_ID: "n1", MAX_CONNECTIONS: "1000" } });
  const x = new Transcript(t, "findings", { world: c.world.origin });
  await x.run(["rooms", "create", "lobby"]);
  const found = async () => (await get(c.world.origin, "/findings")).json?.items?.some((f) => f.check === "server-down");
  await until(found, "the finding", 15000);
  const { status, stdout } = await x.run(["status"]);
  assert.equal(status, 1);
  assert.match(stdout, /error server-down http:\/\/127\.0\.0\.1:\d+ \(seen by the world\)/);
  assert.match(stdout, /\n    -> /);
});
