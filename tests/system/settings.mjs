// Settings, as a person meets them: help, checks, refusals that say what to do, and secrets that stay secret.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "../lib/runner.mjs";
import { finish, folder, freePort, jwtSecret, secret, start, bin, startNode, startWorld } from "../lib/process.mjs";
import { post, request } from "../lib/cluster.mjs";
import { jwt } from "../conformance/lib/jwt.mjs";

const programs = {
  "terrane-world": { env: { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret }, secrets: ["SHARD_SECRET", "AUTH_JWT_SECRET"] },
  "terrane-shard": { env: { SHARD_SECRET: secret }, secrets: ["SHARD_SECRET"] },
  "terrane-demo-room": { env: { SHARD_SECRET: secret }, secrets: ["SHARD_SECRET"] },
};

for (const [program, { env, secrets }] of Object.entries(programs)) {
  test(`${program} --help names its settings, --version its version`, async () => {
    const help = await finish(program, ["--help"], {});
    assert.equal(help.status, 0);
    for (const name of ["HOST", "PORT", ...secrets]) assert.match(help.stdout, new RegExp(name));
    const version = await finish(program, ["--version"], {});
    assert.match(version.stdout, /\d+\.\d+\.\d+/);
  });

  test(`${program} --check-config and --print-config tell no secret`, async () => {
    for (const flag of ["--check-config", "--print-config"]) {
      const { status, stdout, stderr } = await finish(program, [flag], env);
      assert.equal(status, 0);
      assert.doesNotMatch(stdout + stderr, new RegExp(`${secret}|${jwtSecret}`));
    }
    const { stdout } = await finish(program, ["--print-config", "--port=4321"], env);
    assert.match(stdout, /4321/);
  });

  test(`${program} refuses what it does not know, and says what`, async () => {
    for (const [args, more, word] of [
      [["--no-such-flag=1"], {}, /no-such-flag/i],
      [["--port=abc"], {}, /port.*abc|abc.*port/i],
      [["--port=70000"], {}, /port/i],
      [[], { PORT: "-1" }, /PORT/],
      [["stray"], {}, /argument 1/],
    ]) {
      const { status, stderr, stdout } = await finish(program, args, { ...env, ...more }, 2);
      assert.equal(status, 2);
      assert.match(stderr + stdout, word);
    }
  });

  for (const name of secrets) {
    test(`${program} does not start without ${name}, and takes it from a file`, async () => {
      const without = { ...env };
      delete without[name];
      const refused = await finish(program, [], without, 2);
      assert.match(refused.stderr, new RegExp(name));
      const file = path.join(folder(), "secret");
      writeFileSync(file, `${env[name]}\n`);
      chmodSync(file, 0o600);
      const taken = await finish(program, ["--check-config"], { ...without, [`${name}_FILE`]: file });
      assert.equal(taken.status, 0);
      const missing = await finish(program, ["--check-config"], { ...without, [`${name}_FILE`]: "/nonexistent" }, 2);
      assert.match(missing.stderr, /nonexistent/);
    });
  }

  // The demo room is for trying things.
  if (program !== "terrane-demo-room")
    test(`${program} --check-config warns of secrets that can be guessed`, async () => {
      for (const name of secrets) {
        const weak = await finish(program, ["--check-config"], { ...env, [name]: "guess-me" });
        assert.equal(weak.status, 0);
        assert.match(weak.stderr, new RegExp(`warning: ${name} is weak`));
        assert.doesNotMatch(weak.stderr, /guess-me/);
      }
      assert.equal((await finish(program, ["--check-config"], env)).stderr, "");
    });

  test(`${program} says that its port is in use`, async () => {
    const first = start(program, path.join(bin, program), [], { ...env, PORT: "0" });
    const port = (await first.says(/listening on \S*:(\d+)/))[1];
    const second = await finish(program, [], { ...env, PORT: port }, 1);
    assert.match(second.stderr, new RegExp(`${port}.*(in use|EADDRINUSE)|in use.*${port}`, "i"));
  });
}

test("--check-config reads the files of TLS", async () => {
  for (const program of ["terrane-world", "terrane-shard"])
    for (const [more, line] of [
      [{ TLS_CERT: "/no/such", TLS_KEY: "/no/such" }, /TLS_CERT, TLS_KEY: \/no\/such: No such file/],
      [{ TLS_CA: "/dev/null" }, /: TLS_CA: \/dev\/null: /],
    ]) {
      const { stdout, stderr } = await finish(program, ["--check-config"], { ...programs[program].env, ...more }, 2);
      assert.match(stderr, line);
      assert.doesNotMatch(stdout, /are valid/);
    }
});

test("worlds and nodes may have one environment", async () => {
  const both = { SEAT_TTL: "0", PRIVATE_ROOMS: "ignore", CLIENT_RATE: "50:200", CLIENT_AUTH: "ticket", ADMIN_LISTEN: "3004" };
  for (const [program, { env }] of Object.entries(programs)) assert.equal((await finish(program, ["--check-config"], { ...env, ...both })).status, 0);
});

test("a flag beats the environment, which beats the file", async () => {
  const file = path.join(folder(), "config.json");
  writeFileSync(file, JSON.stringify({ PORT: 4001, HOST: "127.0.0.2" }));
  const run = async (args, more) => (await finish("terrane-shard", ["--print-config", `--config=${file}`, ...args], { SHARD_SECRET: secret, ...more })).stdout;
  assert.match(await run([], {}), /4001/);
  assert.match(await run([], { PORT: "4002" }), /4002/);
  assert.match(await run(["--port=4003"], { PORT: "4002" }), /4003/);
  writeFileSync(file, JSON.stringify({ NO_SUCH_SETTING: 1 }));
  const refused = await finish("terrane-shard", ["--check-config", `--config=${file}`], { SHARD_SECRET: secret }, 2);
  assert.match(refused.stderr, /NO_SUCH_SETTING/);
});

test("logs at their most talkative hold no secret and no token", async () => {
  const world = await startWorld({ LOG_LEVEL: "debug" });
  const node = await startNode(world.origin, "http://127.0.0.1:9", { LOG_LEVEL: "debug" });
  const token = jwt({ worlds: ["*"] }, jwtSecret);
  await post(node.origin, "/parties/world/world-a/register-room", {});
  await post(node.origin, "/parties/world/world-a/register-room", {}, { "x-access-shard": "a-wrong-secret" });
  await request(node.origin, { path: `/parties/world/world-a?world-auth-token=${token}` });
  await request(node.origin, { path: `/parties/shard/r:world-a:1700000000000-1/x?world-auth-token=${token}`, headers: { authorization: `Bearer ${token}` } });
  for (const p of [world, node]) assert.doesNotMatch(p.log, new RegExp(`${secret}|${jwtSecret}|a-wrong-secret|${token.slice(-20)}`));
});

test("ports that the kernel chose are free again after the end", async () => {
  const port = String(await freePort());
  for (let i = 0; i < 2; i++) {
    const world = await startWorld({ PORT: port });
    assert.equal(await world.stop(), 0);
  }
});
