// worldctl's own HTTP: TLS, long bodies both ways, a server that is slow to say anything.
import assert from "node:assert/strict";
import http from "node:http";
import { Authority } from "../lib/certificates.mjs";
import { jwtSecret, listening, start, startWorld } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";
import { Transcript, worldctl } from "../lib/worldctl.mjs";

test("a world behind TLS is asked if its certificate is trusted", async (t) => {
  const [good, other] = [await Authority.make(), await Authority.make("other")];
  const { cert, key } = await good.issue();
  const wrong = await good.issue("DNS:elsewhere.example");
  const world = await startWorld({ TLS_CERT: cert, TLS_KEY: key });
  const misnamed = await startWorld({ TLS_CERT: wrong.cert, TLS_KEY: wrong.key });
  const x = new Transcript(t, "tls", { world: world.origin });
  x.names.push([good.ca, "CA"], [other.ca, "OTHER"]);
  assert.equal((await x.run(["rooms", "create", "lobby", "--ca", good.ca])).status, 0);
  assert.equal((await x.run(["rooms", "list"])).status, 4);
  assert.equal((await x.run(["rooms", "list", "--ca", other.ca])).status, 4);
  assert.equal((await x.run(["rooms", "list", "--ca", good.ca, "--url", misnamed.origin])).status, 4);
  x.check();
});

test("bodies of many megabytes go both ways, whatever pieces they come in", async (t) => {
  const asked = [];
  const items = Array.from({ length: 20000 }, (_, i) => ({ name: `room-${i}`, padding: "x".repeat(500) }));
  const server = http.createServer(async (req, res) => {
    let length = 0;
    for await (const piece of req) length += piece.length;
    asked.push([req.method, req.url, length]);
    const body = JSON.stringify(req.method === "POST" ? { room: 1 } : { items, next: null });
    res.writeHead(200, { "content-type": "application/json" }); // chunked
    for (let at = 0; at < body.length; at += 77777) res.write(body.slice(at, at + 77777));
    res.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const x = new Transcript(t, "long", { world: `http://127.0.0.1:${server.address().port}` });
  const { stdout } = await x.run(["rooms", "list", "-q"]);
  assert.equal(stdout.split("\n").length, 20001);
  const file = x.file("long.json", JSON.stringify({ records: items }));
  assert.equal((await x.run(["import", file])).status, 0);
  assert.equal(asked.at(-1)[0], "POST");
  assert.ok(asked.at(-1)[2] > 10e6, `${asked.at(-1)}`);
});

test("an address that swallows connections is given up after 3 s", async () => {
  // Nobody accepts: behind the first connections the kernel drops what comes.
  const full = start("full", "python3", ["-c", `import signal, socket
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0)
waiting = [socket.socket() for _ in range(4)]
for s in waiting:
    s.setblocking(False)
    s.connect_ex(server.getsockname())
print("listening on 127.0.0.1:%d" % server.getsockname()[1], flush=True)
signal.pause()`]);
  full.expected = "SIGTERM";
  const world = `http://127.0.0.1:${(await full.says(listening))[1]}`;
  const begun = Date.now();
  await Promise.all(["rooms", "events", "watch"].map(async (verb) => {
    const { status, stderr } = await worldctl([verb], { TERRANE_URL: world, AUTH_JWT_SECRET: jwtSecret });
    assert.match(stderr, /^worldctl: cannot reach the world: 127\.0\.0\.1:\d+: no connection in time\n$/);
    assert.equal(status, 4);
    assert.ok(Date.now() - begun >= 2900, `${verb}: ${Date.now() - begun} ms`);
  }));
});
