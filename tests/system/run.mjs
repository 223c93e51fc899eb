// The system tests: real processes on loopback. usage: node tests/system/run.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";

await import("./bad_http.mjs");
await import("./bad_websocket.mjs");
await import("./headers.mjs");
await import("./trust.mjs");
await import("./links.mjs");
await import("./beats.mjs");
await import("./room_servers.mjs");
await import("./seats.mjs");
await import("./settings.mjs");
await import("./reload.mjs");
await import("./shutdown.mjs");
await import("./drain.mjs");
await import("./front_door.mjs");
await import("./any_entry.mjs");
await import("./lost_node.mjs");
await import("./frozen.mjs");
await import("./leaving.mjs");
await import("./churn.mjs");
await import("./proxy.mjs");
await import("./manage.mjs");
await import("./admin_listen.mjs");
await import("./metrics.mjs");
await import("./hostile.mjs");
await import("./store.mjs");
await import("./copy.mjs");
await run();
