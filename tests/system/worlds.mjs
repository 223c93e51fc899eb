// Several world processes on real Redis: what clients notice when one of them, or Redis, goes. Durations are
// short; WORLDS=long has those of the defaults. usage: node tests/system/worlds.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";

await import("./placements.mjs");
await import("./world_owners.mjs");
await import("./world_redis.mjs");
await import("./world_fences.mjs");
await import("./world_ways.mjs");
await run();
