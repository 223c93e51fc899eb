// The unmodified client library in a process of its own, as an application runs it: `node signe_client.mjs ORIGIN ID`. It says
// `count N` whenever its view changes. Hosts under .test are this host's: the library speaks wss to names only.
import dns from "node:dns";
import { webcrypto } from "node:crypto";
import { signal, effect } from "@signe/reactive";
import { sync } from "@signe/sync";
import { connectionWorld } from "@signe/sync/client";
import WebSocket from "ws";

globalThis.crypto ??= webcrypto;
const lookUp = dns.lookup;
dns.lookup = (name, options, done) => lookUp(name.endsWith(".test") ? "127.0.0.1" : name, options, done);

class View {
  count = signal(-1);
}
sync()(View.prototype, "count");
const view = new View();
const [host, id] = process.argv.slice(2);
const connection = await connectionWorld({ host, room: "lobby", worldId: "world-default", query: { id }, retryCount: 1, WebSocket }, view);
effect(() => console.log(`count ${view.count()}`));
connection.emit("increment", { by: 1 });
