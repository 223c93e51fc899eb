// What is wrong is one clear line, and a status that says what kind it is.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { jwt } from "../conformance/lib/jwt.mjs";
import { freePort, jwtSecret, startWorld } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";
import { Transcript } from "../lib/worldctl.mjs";

const soon = () => Math.floor(Date.now() / 1000) + 600;

test("a bad command line is told from one that the world refuses", async (t) => {
  const x = new Transcript(t, "usage");
  for (const line of ["", "nonsense", "rooms nonsense", "rooms list extra", "rooms show", "scale lobby", "scale lobby x", "scale lobby 0", "rooms list --bogus",
    "rooms list -x", "rooms list --limit", "rooms list --limit 0", "rooms list --quiet=1", "rooms list -o xml", "drain", "drain a --node b", "drain --server a --rate 3",
    "drain a --deadline soon", "ban lobby x --for 0", "shards set x", "rooms apply", "rooms create x --max 0", "rooms create x --strategy best",
    "rooms create x --public --private", "import nothing.json"]) {
    const { status, stderr, stdout } = await x.run(line.split(" ").filter(Boolean));
    assert.equal(status, 2, line);
    assert.equal(stdout, "", line);
    assert.match(stderr, /^worldctl: [^\n]+\n$/, line);
  }
  x.check();
});

test("help names all verbs, and the flags of each", async (t) => {
  const x = new Transcript(t, "help");
  const { stdout } = await x.run(["--help"]);
  for (const [, verb] of stdout.matchAll(/^  ([a-z]+(?:-[a-z]+)?(?: (?:list|show|create|set|apply|delete|add|shard|room|mint|check|print))?) .*$/gm))
    assert.equal((await x.run([...verb.split(" "), "--help"])).status, 0, verb);
  await x.run(["--version"]);
  assert.doesNotMatch(x.text, /\[exit/);
  for (const verb of ["status", "rooms apply", "drain", "move shard", "import"]) assert.match(x.text, new RegExp(`usage: worldctl ${verb}`));
});

test("who is asked comes from flags, the environment and a file", async (t) => {
  const world = await startWorld();
  const x = new Transcript(t, "profile", { world: world.origin });
  const token = jwt({ worlds: ["*"], exp: soon() }, jwtSecret);
  x.names.push([token, "TOKEN"]);
  x.file("token", `${token}\n`);
  const config = x.file("worldctl.json", JSON.stringify({ url: world.origin, world: "world-b", tokenFile: "token" }));
  const bare = { TERRANE_URL: "", AUTH_JWT_SECRET: "" };
  const file = (name, text) => ({ env: { ...bare, WORLDCTL_CONFIG: x.file(name, text) } });
  await x.run(["rooms", "create", "there"], { env: { ...bare, WORLDCTL_CONFIG: config } });
  await x.run(["rooms", "list", "-q", "--world", "world-b"]);
  await x.run(["rooms", "list", "-q"]);
  await x.run(["rooms", "list", "-q"], { env: { TERRANE_WORLD: "world-b", AUTH_JWT_SECRET: "", TERRANE_TOKEN: token } });
  await x.run(["rooms", "list", "-q"], { env: { TERRANE_WORLD: "nonsense" } });
  await x.run(["rooms", "list", "--url", "ftp://x"]);
  await x.run(["rooms", "list", "--token", "two words"]);
  await x.run(["rooms", "list", "--token-file", `${x.dir}/none`]);
  await x.run(["rooms", "list", "--ca", `${x.dir}/none`]);
  await x.run(["rooms", "list", "--ca", config]);
  await x.run(["rooms", "list"], file("a.json", "{"));
  await x.run(["rooms", "list"], file("b.json", '{"URL":"x"}'));
  await x.run(["rooms", "list"], file("c.json", '{"url":1}'));
  await x.run(["rooms", "list"], file("d.json", "[]"));
  x.check();
});

test("a wrong token, a world that is down, and one that is none, are told apart", async (t) => {
  const world = await startWorld();
  const x = new Transcript(t, "refused", { world: world.origin });
  const tokens = [
    ["NONSENSE", "nonsense"], ["OLD", jwt({ worlds: ["*"], exp: 1 }, jwtSecret)], ["OTHER", jwt({ worlds: ["*"], exp: soon() }, "x".repeat(40))],
    ["ELSEWHERE", jwt({ worlds: ["world-x"], exp: soon() }, jwtSecret)], ["READ", jwt({ worlds: ["*"], scope: "read", exp: soon() }, jwtSecret)],
  ];
  for (const [name, token] of tokens) {
    if (name !== "NONSENSE") x.names.push([token, name]);
    assert.equal((await x.run(["rooms", "create", "lobby", "--token", token])).status, 3, name);
  }
  assert.equal((await x.run(["rooms"], { env: { AUTH_JWT_SECRET: "" } })).status, 3);
  const port = await freePort();
  assert.equal((await x.run(["rooms", "--url", `http://127.0.0.1:${port}`])).status, 4);
  assert.equal((await x.run(["rooms", "--url", "http://nobody.invalid"])).status, 4);
  assert.equal((await x.run(["rooms", "--url", world.origin.replace("http", "https")])).status, 4);
  const serve = (handler) => new Promise((resolve) => {
    const server = http.createServer(handler).listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
    t.after(() => server.close());
  });
  await x.run(["rooms", "--url", await serve((req, res) => res.end("<html>hello</html>"))]);
  await x.run(["rooms", "--url", await serve((req, res) => res.writeHead(404).end("Not Found"))]);
  await x.run(["rooms", "--url", await serve((req, res) => res.writeHead(302, { location: "/x" }).end())]);
  await x.run(["rooms", "--url", await serve((req, res) => res.end('{"items":3}'))]);
  await x.run(["rooms", "--url", await serve((req, res) => req.socket.destroy())]);
  await x.run(["rooms", "--url", await serve((req, res) => res.writeHead(200, { "content-length": 100 }).write("{") && setTimeout(() => res.destroy(), 50))]);
  const raw = net.createServer((s) => s.on("error", () => {}).end("nonsense\r\n\r\n"));
  await new Promise((resolve) => raw.listen(0, "127.0.0.1", resolve));
  t.after(() => raw.close());
  await x.run(["rooms", "--url", `http://127.0.0.1:${raw.address().port}`]);
  x.check();
});
