// Worlds that are none, or mean harm: what they answer changes nothing here, and no terminal obeys it.
import assert from "node:assert/strict";
import http from "node:http";
import path from "node:path";
import { readFileSync, writeFileSync } from "node:fs";
import { bin, folder, jwtSecret, start } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";
import { worldctl } from "../lib/worldctl.mjs";

const evil = "\u001b]0;title\u0007\u009b31m\u202e\u007f";

/** A world that answers each path with what `answers` says, JSON or text. */
async function serve(t, answer) {
  const server = http.createServer((req, res) => {
    const body = answer(req.url);
    res.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { TERRANE_URL: `http://127.0.0.1:${server.address().port}`, AUTH_JWT_SECRET: jwtSecret };
}

/** worldctl with a terminal as its stdout; answers what it wrote there. */
async function onTerminal(args, env) {
  const command = [path.join(bin, "worldctl"), ...args].join(" ");
  const p = start("worldctl", "script", ["-qec", command, "/dev/null"], { HOME: "/nonexistent", ...env });
  await p.exit;
  return p.stdout;
}

test("what is no export is not written over one", async (t) => {
  const file = path.join(folder(), "backup.json");
  writeFileSync(file, "the last good one");
  for (const body of ["<html>Sign in</html>", "", "[]", { records: 3 }]) {
    const { status, stderr } = await worldctl(["export", file], await serve(t, () => body));
    assert.equal(status, 4);
    assert.match(stderr, /^worldctl: http:\S+ answers no export: is this a world\?\n$/);
    assert.equal(readFileSync(file, "utf8"), "the last good one");
  }
});

test("an export is the same JSON on a terminal, which obeys nothing in it", async (t) => {
  const doc = { records: [{ kind: "room", key: evil, value: { name: evil } }] };
  const env = await serve(t, () => doc);
  assert.deepEqual(JSON.parse((await worldctl(["export"], env)).stdout), doc);
  const shown = await onTerminal(["export"], env);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(shown, /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202e]/);
  assert.deepEqual(JSON.parse(shown), doc);
});

test("what cannot be printed is said", async (t) => {
  const env = await serve(t, () => ({ items: [{ name: "lobby" }] }));
  const run = async (redirect) => {
    const p = start("worldctl", "sh", ["-c", `${path.join(bin, "worldctl")} rooms list ${redirect}`], { HOME: "/nonexistent", ...env });
    p.expected = await p.exit;
    return [p.expected, p.stderr];
  };
  assert.deepEqual(await run(">/dev/full"), [1, "worldctl: stdout: No space left on device\n"]);
  assert.deepEqual(await run(">&-"), [1, "worldctl: stdout: Bad file descriptor\n"]);
  assert.deepEqual(await run("<&- | :"), [0, ""]);
});

test("numbers beyond all sense are numbers", async (t) => {
  for (const n of [1e308, -1e308, 1e18]) {
    const room = { name: "lobby", currentConnections: n, reserved: n, returning: n, maxConnections: 3, shardCount: n };
    const env = await serve(t, (url) => (url.includes("/overview") ? { connections: n, capacity: n, rooms: n, now: n } : { items: [room] }));
    for (const args of [["status"], ["rooms", "list"], ["rooms", "show", "lobby"]]) {
      const { status, stderr } = await worldctl(args, env);
      assert.ok(status < 7, args[0]);
      assert.equal(stderr, "");
    }
  }
});
