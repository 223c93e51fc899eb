// A room server of its own process that writes down what it reads, at once, so that it can be killed at any moment:
// `!` it starts, `+id` and `-id` joins and leavings, `id number` messages. environment: PORT, LEDGER (a file)
import { openSync, writeSync } from "node:fs";
import http from "node:http";
import { WebSocketServer } from "ws";

const ledger = openSync(process.env.LEDGER, "a");
const note = (line) => writeSync(ledger, `${line}\n`);
const words = { "shard.clientConnected": (f) => `+${f.privateId}`, "shard.clientDisconnected": (f) => `-${f.privateId}` };

const server = http.createServer((req, res) => res.end("{}"));
const wss = new WebSocketServer({ server });
wss.on("connection", (ws) => {
  ws.on("error", () => {});
  ws.on("message", (data) => {
    const frame = JSON.parse(data.toString());
    note(words[frame.type]?.(frame) ?? `${frame.privateId} ${frame.payload.n}`);
    if (frame.type === "shard.clientConnected") ws.send(JSON.stringify({ targetClientId: frame.privateId, data: "hello" }));
  });
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  note("!");
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", () => process.exit(0));
