// `ws`: sends back what it hears to all of its room (`?room=`, else the path), and closes as it is told. GET /seen: what became of clients.
import { WebSocketServer } from "ws";
import { listen, makeServer, name } from "./serving.mjs";

const seen = []; // of each client: { room, said (how many messages), protocol, extensions, offered, subject, pings, pongs, closed: [code, reason] }
const server = makeServer((req, res) => req.url === "/seen" && !!res.end(JSON.stringify(seen)));
const wss = new WebSocketServer({
  server,
  perMessageDeflate: { threshold: 0 },
  maxPayload: 16 << 20,
  handleProtocols: (offered) => [...offered].find((p) => p.startsWith("game.")) ?? false,
});
const rooms = new Map();

function join(ws, room) {
  if (!rooms.has(room)) rooms.set(room, new Set());
  rooms.get(room).add(ws);
  ws.on("close", () => rooms.get(room).delete(ws));
}

wss.on("connection", (ws, req) => {
  const url = new URL(req.url, "ws://server");
  const room = url.searchParams.get("room") ?? url.pathname;
  const one = { room, said: 0, protocol: ws.protocol, extensions: ws.extensions, offered: req.headers["sec-websocket-protocol"], subject: req.headers["x-terrane-subject"], pings: [], pongs: [] };
  seen.push(one);
  join(ws, room);
  ws.on("ping", (data) => one.pings.push(data.toString()));
  ws.on("pong", (data) => one.pongs.push(data.toString()));
  ws.on("close", (code, reason) => (one.closed = [code, reason.toString()]));
  ws.on("error", () => {});
  ws.on("message", (data, binary) => {
    one.said++;
    const order = binary ? null : /^(close|ping) (\S*) ?(.*)$/.exec(data.toString());
    if (order?.[1] === "close") return order[2] ? ws.close(Number(order[2]), order[3]) : ws.close();
    if (order?.[1] === "ping") return ws.ping(order[2]);
    for (const other of rooms.get(room)) other.send(data, { binary });
  });
  ws.send(`served by ${name}`);
  if (url.searchParams.has("refuse")) ws.close(Number(url.searchParams.get("refuse")), "not you");
});

listen(server);
