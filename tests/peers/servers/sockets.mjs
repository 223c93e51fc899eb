// Sockets whose path is where their function stands: `/_socket/{module}/{name}`. A function gets { incoming, send, close, signal };
// the signal is aborted when its client has left. GET /seen: what each of them saw.
import { WebSocketServer } from "ws";
import { listen, makeServer, name } from "./serving.mjs";

const seen = []; // { path, heard, aborted (its reason), ended }
const terminals = new Set();

const functions = {
  async "/pages/Terminal/terminal"({ incoming, send, signal, one }) {
    terminals.add(send);
    signal.addEventListener("abort", () => {
      one.aborted = signal.reason;
      terminals.delete(send);
    });
    send(`served by ${name}`);
    for await (const text of incoming) {
      one.heard.push(text);
      for (const other of terminals) other(text);
    }
    one.ended = true;
  },
  async "/pages/Lobby/knock"({ incoming, send, close, one }) {
    send("who is there?");
    for await (const text of incoming) {
      one.heard.push(text);
      const [code, reason] = JSON.parse(text);
      close(code, reason);
    }
    one.ended = true;
  },
};

/** The messages of a socket, until it has closed. */
async function* messages(ws, signal) {
  const waiting = [];
  let wake = () => {};
  ws.on("message", (data) => wake(waiting.push(data.toString())));
  signal.addEventListener("abort", () => wake());
  for (;;) {
    while (waiting.length) yield waiting.shift();
    if (signal.aborted) return;
    await new Promise((resolve) => (wake = resolve));
  }
}

const server = makeServer((req, res) => req.url === "/seen" && !!res.end(JSON.stringify(seen)));
const wss = new WebSocketServer({ noServer: true });
server.on("upgrade", (req, socket, head) => {
  const { pathname } = new URL(req.url, "ws://server");
  const run = functions[pathname.replace(/^(\/_socket|\/game\/[^/]*)/, "")];
  if (!run) return socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\nno such socket");
  wss.handleUpgrade(req, socket, head, (ws) => {
    const leaving = new AbortController();
    const one = { path: pathname, heard: [] };
    seen.push(one);
    ws.on("error", () => {});
    ws.on("close", (code, reason) => leaving.abort([code, reason.toString()]));
    const send = (text) => ws.readyState === ws.OPEN && ws.send(text);
    const close = (code, reason) => ws.close(code, reason);
    run({ incoming: messages(ws, leaving.signal), send, close, signal: leaving.signal, one });
  });
});

listen(server);
