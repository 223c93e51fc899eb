// A server of socka v1 frames: texts of JSON, or with `?wireFormat=msgpack` binary frames of MessagePack. A room is a path.
import { decode, encode } from "@msgpack/msgpack";
import { WebSocketServer } from "ws";
import { listen, makeServer, name } from "./serving.mjs";

const rooms = new Map(); // path: its clients

class Fault extends Error {
  constructor(message, code, data) {
    super(message);
    Object.assign(this, { code, data });
  }
}

const calls = {
  who: () => ({ name }),
  echo: ({ body }) => body,
  say({ body, room }) {
    for (const other of room) other.frame({ socka: "serverEvent", v: 1, event: "said", body });
    return { name };
  },
  note() {}, // it has no output: success is not answered
  size: ({ body }) => ({ bytes: body.data.length, sum: body.data.reduce((sum, byte) => sum + byte, 0) }),
  fail: ({ body }) => {
    throw new Fault("not today", "FORBIDDEN", body);
  },
};

function serve(client, room, frame) {
  const { socka, v, id, rpc, body } = frame;
  if (socka !== "clientRequest" || v !== 1 || typeof id !== "string" || typeof body !== "object") return client.ws.close(1007, "no socka v1 request");
  try {
    if (!Object.hasOwn(calls, rpc)) throw new Fault(`no call ${rpc}`);
    const output = calls[rpc]({ body, room });
    if (output !== undefined) client.frame({ socka: "serverResponse", v: 1, id, rpc, body: output });
  } catch ({ message, code, data }) {
    client.frame({ socka: "serverError", v: 1, id, error: message, rpc, ...(code && { code, data }) });
  }
}

const server = makeServer();
new WebSocketServer({ server }).on("connection", (ws, req) => {
  const url = new URL(req.url, "ws://server");
  const packed = url.searchParams.get("wireFormat") === "msgpack";
  if (!rooms.has(url.pathname)) rooms.set(url.pathname, new Set());
  const room = rooms.get(url.pathname);
  const client = { ws, frame: (frame) => ws.send(packed ? encode(frame) : JSON.stringify(frame)) };
  room.add(client);
  ws.on("error", () => {});
  ws.on("close", () => room.delete(client));
  ws.on("message", (data, binary) => {
    if (binary !== packed) return ws.close(1003, "the other wire format");
    serve(client, room, packed ? decode(data) : JSON.parse(data.toString()));
  });
});

listen(server);
