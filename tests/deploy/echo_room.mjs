// A room server in a container that answers each {"action":"say","value":V} with {"type":"echo","value":V}, to its session alone.
import http from "node:http";
import { WebSocketServer } from "ws";

const server = http.createServer((req, res) => res.end("{}"));
new WebSocketServer({ server }).on("connection", (ws) => {
  ws.on("error", () => {});
  ws.on("message", (data) => {
    const { type, privateId, payload } = JSON.parse(data.toString());
    if (type === "shard.clientMessage") ws.send(JSON.stringify({ targetClientId: privateId, data: JSON.stringify({ type: "echo", value: payload.value }) }));
  });
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.on("SIGTERM", () => process.exit(0));
