// worldctl against real processes. usage: node tests/ctl/run.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";

// The long ones first.
await import("./doctor.mjs");
await import("./top.mjs");
await import("./wire.mjs");
await import("./drain.mjs");
await import("./live.mjs");
await import("./registry.mjs");
await import("./status.mjs");
await import("./offline.mjs");
await import("./hostile.mjs");
await import("./bad.mjs");
await run({ beside: 4 });
