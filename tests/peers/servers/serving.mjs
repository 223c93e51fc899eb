// What every server here does: listens at PORT of loopback, says so, and ends on SIGTERM.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

export const name = process.env.NAME ?? "a";

/** A server, which speaks TLS with TLS_CERT and TLS_KEY. `answer` (req, res) → true: it has answered; else a request is told who serves, and what it asked. */
export function makeServer(answer = () => false) {
  const serve = (req, res) => answer(req, res) || res.end(JSON.stringify({ name, url: req.url, headers: req.headers }));
  const { TLS_CERT, TLS_KEY } = process.env;
  return TLS_CERT ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, serve) : http.createServer(serve);
}

export const say = (port) => console.log(`${name} listening on 127.0.0.1:${port}`);

export function listen(server) {
  server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => say(server.address().port));
  process.on("SIGTERM", () => process.exit(0));
}
