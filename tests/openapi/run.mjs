// The OpenAPI document of worlds, against itself, the sources and live worlds. usage: node tests/openapi/run.mjs
import { run } from "../lib/runner.mjs";

await import("./document.mjs");
await import("./refusals.mjs");
await import("./answers.mjs");
await import("./promises.mjs");
await run();
