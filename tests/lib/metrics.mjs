// What processes count, read off /metrics.
import { until } from "./runner.mjs";
import { request } from "./cluster.mjs";

/** The value of a sample in the text of /metrics. Its name has its labels: `terrane_world_nodes{state="alive"}`; throws if it is not there. */
export function sample(text, name) {
  const line = text.split("\n").find((l) => l.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no ${name}`);
  return Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** What a process answers to /metrics. */
export const metricsText = async (origin) => (await request(origin, { path: "/metrics" })).body;

/** A sample of a process by its name, as above. */
export const metric = async (origin, name) => sample(await metricsText(origin), name);

/** Until a world has `count` nodes that it may send clients to. */
export function nodesAlive(world, count, ms = 8000) {
  return until(async () => (await metric(world.origin, 'terrane_world_nodes{state="alive"}')) === count, `${count} nodes to be alive`, ms);
}
