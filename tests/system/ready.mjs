// Whether a process is ready: what --health finds at its own door, and what a service manager hears.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { Authority } from "../lib/certificates.mjs";
import { finish, folder, freePort, jwtSecret, secret, startNode, startWorld } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";

const secrets = { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret };
const programs = [["terrane-world", startWorld], ["terrane-shard", (env) => startNode("http://127.0.0.1:9", "none", env)]];
const health = (program, env, expected = 0) => finish(program, ["--health"], { ...secrets, ...env }, expected);

test("--health finds the process by its own settings, and says when nobody is there", async () => {
  for (const [program, begin] of programs) {
    const env = { HOST: "127.0.0.1", PORT: String(await freePort()) };
    const none = await health(program, env, 1);
    assert.match(none.stderr, new RegExp(`^${program}: http://127.0.0.1:${env.PORT}/readyz: nobody answers\n`));
    const p = await begin(env);
    assert.deepEqual(await health(program, env), { status: 0, stdout: `${program}: ready\n`, stderr: "" });
    assert.equal((await health(program, { ...env, HOST: "0.0.0.0" })).status, 0);
    assert.equal((await health(program, { ...env, HOST: "::" })).status, 0);
    await p.stop();
  }
});

test("--health goes through doors with TLS, whatever name their certificate has", async () => {
  const authority = await Authority.make();
  const id = await authority.issue("DNS:game.example", { days: 30 });
  for (const [program, begin] of programs) {
    const [PORT, INTERNAL_LISTEN] = [String(await freePort()), String(await freePort())];
    const outer = { PORT, TLS_CERT: id.cert, TLS_KEY: id.key };
    const inner = { ...outer, INTERNAL_LISTEN, INTERNAL_CERT: id.cert, INTERNAL_KEY: id.key, INTERNAL_CA: authority.ca };
    await begin(inner);
    assert.equal((await health(program, outer)).stdout, `${program}: ready\n`);
    assert.equal((await health(program, inner)).stdout, `${program}: ready\n`);
  }
});

test("--health names what keeps it from asking", async () => {
  assert.match((await health("terrane-world", { PORT: "0" }, 2)).stderr, /--health: PORT is 0/);
  assert.match((await health("terrane-shard", { PORT: "9", PROXY_PROTOCOL: "127.0.0.0/8" }, 2)).stderr, /PROXY_PROTOCOL/);
  assert.match((await health("terrane-shard", { PORT: "no" }, 2)).stderr, /PORT/);
});

/** Somebody who hears datagrams, as node does not: what systemd-notify's other end would. */
class Manager {
  static async start(t) {
    const m = Object.assign(new Manager(), { path: path.join(folder(), "notify"), heard: "" });
    const script = `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("bound",flush=True)
while True: print(s.recv(4096).decode(),end="|",flush=True)`;
    m.child = execFile("python3", ["-c", script, m.path]);
    m.child.stdout.on("data", (d) => (m.heard += d));
    t.after(() => m.child.kill());
    await m.hears(/bound/);
    return m;
  }
  hears(pattern) {
    return until(() => this.heard.match(pattern), `${pattern} in ${this.heard}`, 15000);
  }
}

test("a service manager hears that a process is ready, alive, reloading and stopping", async (t) => {
  for (const [program, begin] of programs) {
    const m = await Manager.start(t);
    const p = await begin({ NOTIFY_SOCKET: m.path, WATCHDOG_USEC: "200000" });
    await m.hears(/READY=1\nSTATUS=0 (connections, 0 admins|clients, 0 shards)\n/);
    await m.hears(/WATCHDOG=1\nSTATUS=/);
    p.child.kill("SIGHUP");
    await m.hears(/RELOADING=1\nMONOTONIC_USEC=\d+\n\|READY=1/);
    assert.equal(await p.stop(), 0, program);
    await m.hears(/STOPPING=1/);
  }
});

test("a process that stands still gives no sign of life", async (t) => {
  const m = await Manager.start(t);
  const p = await startWorld({ NOTIFY_SOCKET: m.path, WATCHDOG_USEC: "200000" });
  await m.hears(/WATCHDOG=1/);
  p.child.kill("SIGSTOP");
  await until(async () => {
    const before = m.heard;
    await new Promise((r) => setTimeout(r, 400));
    return before === m.heard;
  }, "silence");
  p.child.kill("SIGCONT");
  const count = m.heard.split("WATCHDOG").length;
  await until(() => m.heard.split("WATCHDOG").length > count, "signs of life again");
});
