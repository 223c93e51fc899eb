// The tests of failures in full: more clients, longer. usage: node tests/system/faults.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";

process.env.FAULTS = "long";
await import("./lost_node.mjs");
await run();
