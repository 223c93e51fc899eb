// What processes count, read off /metrics.
import { until } from "./runner.mjs";
import { request } from "./cluster.mjs";

/** The value of a sample, whose name has its labels: `terrane_world_nodes{state="alive"}`; throws if it is not there. */
export async function metric(origin, name) {
  const { body } = await request(origin, { path: "/metrics" });
  const line = body.split("\n").find((l) => l.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${origin} has no ${name}`);
  return Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** Until a world has `count` nodes that it may send clients to. */
export function nodesAlive(world, count, ms = 8000) {
  return until(async () => (await metric(world.origin, 'terrane_world_nodes{state="alive"}')) === count, `${count} nodes to be alive`, ms);
}
