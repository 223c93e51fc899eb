// Bare upgrade requests, one after the other. As a program, for another network namespace: its argument is a JSON list
// of them, and it prints a JSON list of the answers.
import net from "node:net";
import { fileURLToPath } from "node:url";

/** Asks for a WebSocket of a shard, from the address `from` if it is given; answers { status, retryAfter, body }. */
export function dial({ host = "127.0.0.1", port, from, headers = {}, path = "/parties/shard/lobby?id=a", upgrade = true }) {
  const more = upgrade
    ? { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" }
    : { Connection: "close" };
  const lines = Object.entries({ Host: "game.example", ...more, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, localAddress: from, noDelay: true });
    let text = "";
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      const status = Number(text.match(/^HTTP\/1\.1 (\d+)/)?.[1] ?? 0);
      const retry = text.match(/\r\nretry-after: (.*)\r\n/i)?.[1];
      resolve({ status, retryAfter: retry === undefined ? null : Number(retry), body: text.slice(text.indexOf("\r\n\r\n") + 4) });
    };
    const timer = setTimeout(() => reject(new Error(`no answer from ${host}`)), 8000);
    socket.on("error", reject);
    socket.on("end", done);
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (text.startsWith("HTTP/1.1 101")) done();
    });
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  });
}

/** The same of several, in order. */
export async function dialAll(list) {
  const answers = [];
  for (const one of list) answers.push(await dial(one));
  return answers;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await dialAll(JSON.parse(process.argv[2]))));
