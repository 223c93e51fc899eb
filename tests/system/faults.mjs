// The tests of failures in full: more clients, longer. usage: node tests/system/faults.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";

process.env.FAULTS = "long";
await import("./lost_node.mjs");
await import("./frozen.mjs");
await import("./leaving.mjs");
await import("./churn.mjs");
await run();
