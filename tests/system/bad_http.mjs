// What strangers send instead of HTTP: every case gets its answer, and the server serves on.
import net from "node:net";
import { test, until } from "../lib/runner.mjs";
import { secret, startNode, startWorld } from "../lib/process.mjs";
import { request } from "../lib/cluster.mjs";
import { Room } from "../lib/room.mjs";

/** Writes `bytes`, answers all that comes back until the server closes; `open: true` when it did not. */
function exchange(origin, bytes, ms = 8000) {
  return new Promise((resolve) => {
    const { port } = new URL(origin);
    let text = "";
    const socket = net.connect(Number(port), "127.0.0.1", () => socket.write(bytes, "latin1"));
    const finish = (open) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, open, status: Number(text.match(/^HTTP\/1\.[01] (\d+)/)?.[1] ?? 0) });
    };
    const timer = setTimeout(() => finish(true), ms);
    socket.on("data", (data) => (text += data.toString("latin1")));
    socket.on("error", () => finish(false));
    socket.on("close", () => finish(false));
  });
}

const big = (n) => "x".repeat(n);
/** name, what follows the request line `POST PATH HTTP/1.1`, expected status */
const framing = [
  ["Content-Length with Transfer-Encoding", "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["two different lengths", "Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400],
  ["two equal lengths", "Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400],
  ["a list of lengths", "Host: a\r\nContent-Length: 5, 5\r\n\r\nhello", 400],
  ["a negative length", "Host: a\r\nContent-Length: -1\r\n\r\n", 400],
  ["a signed length", "Host: a\r\nContent-Length: +5\r\n\r\nhello", 400],
  ["a length beyond 64 bits", "Host: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400],
  ["a transfer coding that is not chunked", "Host: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400],
  ["chunked twice", "Host: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400],
  ["a chunk size that is no number", "Host: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", 400],
  ["a chunk longer than its size", "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", 400],
  ["a folded header", "Host: a\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n", 400],
  ["a bare line feed", "Host: a\nContent-Length: 0\r\n\r\n", 400],
  ["a blank before the colon", "Host: a\r\nContent-Length : 0\r\n\r\n", 400],
  ["no Host", "Content-Length: 0\r\n\r\n", 400],
  ["two Hosts", "Host: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n", 400],
  ["a header name with a blank", "Host: a\r\nX A: b\r\n\r\n", 400],
  ["a header without a name", "Host: a\r\n: b\r\n\r\n", 400],
  ["NUL in a header", "Host: a\r\nX-A: b\0c\r\n\r\n", 400],
  ["a head of 20 KiB", `Host: a\r\nX-A: ${big(20 * 1024)}\r\n\r\n`, 431],
  ["an endless head", `Host: a\r\nX-A: ${big(100 * 1024)}`, 431],
  ["101 headers", `Host: a\r\n${"X-A: b\r\n".repeat(100)}\r\n`, 431],
];
/** name, all bytes, expected status */
const lines = [
  ["a target of 20 KiB", `GET /${big(20 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ["a control character in the target", "GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a target without a slash", "GET parties HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a method with a blank", "GE T / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["no version", "GET /\r\nHost: a\r\n\r\n", 400],
  ["HTTP/3.7", "GET / HTTP/3.7\r\nHost: a\r\n\r\n", 400],
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", 400],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh\r\n\r\n", 400],
];

const servers = {
  world: { path: "/parties/world/world-a/connect", start: async (_t, env) => startWorld(env) },
  node: {
    path: "/parties/shard/r:world-a:1700000000000-1/x",
    start: async (t, env) => {
      const room = await Room.start();
      room.onRequest = (req, res) => req.on("end", () => res.end("{}")).resume(); // not before it is whole
      t.after(() => room.die());
      return startNode("http://127.0.0.1:9", room.origin, env);
    },
  },
};

for (const [name, { path, start }] of Object.entries(servers)) {
  test(`${name}: bad framing is answered and the connection closed`, async (t) => {
    const server = await start(t, {});
    const cases = [...framing.map(([what, rest, status]) => [what, `POST ${path} HTTP/1.1\r\n${rest}`, status]), ...lines];
    const wrong = [];
    for (const [what, bytes, status] of cases) {
      const got = await exchange(server.origin, bytes, 3000);
      const body = got.text.split("\r\n\r\n")[1] ?? "";
      if (got.status !== status || got.open || !/"error":\s*"[^"]+"/.test(body)) {
        wrong.push(`${what}: expected ${status} with an error text, then close; got ${JSON.stringify(got.text.slice(0, 300))}${got.open ? ", left open" : ""}`);
      }
    }
    const alive = await request(server.origin, { path: "/livez" });
    if (alive.status !== 200) wrong.push(`afterwards /livez says ${alive.status}`);
    if (wrong.length) throw new Error(wrong.join("\n"));
  }, { seconds: 120 });

  test(`${name}: a bad escape or Host is 400 and harms nobody`, async (t) => {
    const server = await start(t, {});
    for (const target of [path.replace(/[^/]*(\/[^/]*)$/, "%zz$1"), path.replace(/[^/]*(\/[^/]*)$/, "%$1"), path.replace(/[^/]*(\/[^/]*)$/, "a%c0%af$1")]) {
      const got = await exchange(server.origin, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      // An escape may also be well formed and name nothing: what counts is that it is refused.
      if (![400, 404].includes(got.status)) throw new Error(`${target}: ${got.text.slice(0, 200)}`);
    }
    const host = await exchange(server.origin, `GET ${path} HTTP/1.1\r\nHost: a b\r\n\r\n`);
    if (host.status !== 400) throw new Error(`Host "a b": ${host.text.slice(0, 200)}`);
  });

  test(`${name}: who does not finish the head is told 408`, async (t) => {
    const server = await start(t, { HEADER_TIMEOUT: "300ms" });
    const start_ms = Date.now();
    const got = await exchange(server.origin, `POST ${path} HTTP/1.1\r\nHost: a\r\nX-`);
    if (got.open || (got.text && got.status !== 408)) throw new Error(JSON.stringify(got));
    if (Date.now() - start_ms > 4000) throw new Error("it took too long");
  });

  test(`${name}: a head that trickles in does not win time`, async (t) => {
    const server = await start(t, { HEADER_TIMEOUT: "500ms" });
    const socket = net.connect(server.port, "127.0.0.1");
    t.after(() => socket.destroy());
    let closed = false;
    socket.on("error", () => {});
    socket.on("close", () => (closed = true));
    socket.resume();
    const bytes = `POST ${path} HTTP/1.1\r\nHost: a\r\nX-A: ${big(2000)}`;
    let sent = 0;
    const drip = setInterval(() => closed || socket.write(bytes[sent++]), 20);
    t.after(() => clearInterval(drip));
    await until(() => closed, "the connection to be closed", 5000);
  });

  test(`${name}: a body that stops coming ends the connection`, async (t) => {
    const server = await start(t, { BODY_TIMEOUT: "300ms" });
    const got = await exchange(server.origin, `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{`);
    if (got.open || (got.text && got.status !== 408)) throw new Error(JSON.stringify(got));
  });

  test(`${name}: an idle connection is closed without a word`, async (t) => {
    const server = await start(t, { IDLE_TIMEOUT: "300ms" });
    const got = await exchange(server.origin, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    if (got.open || got.status !== 200 || got.text.split("HTTP/1.1").length !== 2) throw new Error(JSON.stringify(got));
  });
}

test("world: a body over 2 MiB is 413, announced or not", async () => {
  const world = await startWorld();
  const announced = await exchange(world.origin, `POST ${servers.world.path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2097153\r\n\r\n`);
  const chunk = `10000\r\n${big(0x10000)}\r\n`;
  const chunked = await exchange(world.origin, `POST ${servers.world.path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(33)}0\r\n\r\n`);
  for (const got of [announced, chunked]) {
    if (got.status !== 413 || !got.text.includes('"error"')) throw new Error(JSON.stringify(got));
  }
});

test("world: guarded routes answer bad bodies with 400", async () => {
  const world = await startWorld();
  for (const route of ["register-room", "update-shard", "scale-room"]) {
    for (const body of ["", " ", "nope", "null", "[1]", "5", '{"a":1', `${"[".repeat(5000)}${"]".repeat(5000)}`, '{"name":"\\ud800"}']) {
      const got = await request(world.origin, { method: "POST", path: `/parties/world/world-a/${route}`, headers: { "x-access-shard": secret }, body });
      if (got.status !== 400 || typeof got.json?.error !== "string") throw new Error(`${route} ${body.slice(0, 20)}: ${JSON.stringify(got)}`);
    }
  }
});
