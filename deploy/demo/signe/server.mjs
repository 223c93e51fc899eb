// A room server on @signe/room for a Terrane cluster: the rooms at /parties/main/, the demo page at /.
// environment: HOST (127.0.0.1)  PORT (3003)  SHARD_SECRET or SHARD_SECRET_FILE
//              CLUSTER_URLS: the nodes' addresses for the page, separated by commas
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { webcrypto } from "node:crypto";
import { Server } from "@signe/room";
import { createMemoryNodeRoomStorage, createNodeRoomTransport } from "@signe/room/node";
import { WebSocketServer } from "ws";
import { DemoRoom } from "./room.mjs";

globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global

const env = process.env;
const secret = env.SHARD_SECRET || (env.SHARD_SECRET_FILE && readFileSync(env.SHARD_SECRET_FILE, "utf8").replace(/\n$/, ""));
if (!secret) {
  console.error("SHARD_SECRET or SHARD_SECRET_FILE is required");
  process.exit(2);
}
const host = env.HOST || "127.0.0.1";
const port = Number(env.PORT || 3003);
const config = JSON.stringify({
  nodes: (env.CLUSTER_URLS || "http://127.0.0.1:3010").split(",").map((url) => url.trim()).filter(Boolean),
  world: "world-default",
  room: "lobby",
});
const page = readFileSync(new URL("../page/index.html", import.meta.url));

class DemoServer extends Server {
  rooms = [DemoRoom];
}
const transport = createNodeRoomTransport(DemoServer, {
  partiesPath: "/parties/main",
  storage: createMemoryNodeRoomStorage(),
  env: { SHARD_SECRET: secret },
  rooms: { main: DemoServer },
});

const isRoom = (url) => url.startsWith("/parties/main/");
function answer(res, status, type, body) {
  res.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  res.end(body);
}
async function serve(req, res) {
  const path = req.url.split("?")[0];
  if (isRoom(req.url)) return transport.handleNodeRequest(req, res);
  if (path === "/") return answer(res, 200, "text/html; charset=utf-8", page);
  if (path === "/config.json") return answer(res, 200, "application/json", config);
  return answer(res, 404, "application/json", '{"error":"Not found"}');
}

const server = createServer((req, res) => {
  serve(req, res).catch((error) => {
    console.error("request failed:", error);
    if (!res.headersSent) answer(res, 500, "application/json", '{"error":"Internal Server Error"}');
    else res.destroy();
  });
});
const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (req, socket, head) => {
  socket.on("error", () => {});
  try {
    if (isRoom(req.url)) return void transport.handleUpgrade(sockets, req, socket, head);
  } catch (error) {
    console.error("upgrade failed:", error);
  }
  socket.destroy();
});

// @signe/room calls action handlers without catching what they reject with: one bad message from one
// client must not end the process for all.
process.on("unhandledRejection", (error) => console.error("unhandled rejection:", error));
process.on("uncaughtException", (error) => console.error("uncaught exception:", error));

server.once("error", (error) => {
  console.error(error.code === "EADDRINUSE" ? `${host}:${port} is in use` : error.message);
  process.exit(1);
});
server.listen(port, host, () => console.log(`listening on http://${host}:${server.address().port}`));
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    for (const client of sockets.clients) client.terminate();
    process.exit(0);
  });
}
