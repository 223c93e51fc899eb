// Verbs that ask nobody.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { folder, start } from "../lib/process.mjs";
import { badTokens, p256, rsa, token } from "../lib/tokens.mjs";
import { test } from "../lib/runner.mjs";
import { ends, Transcript } from "../lib/worldctl.mjs";

test("offline verbs say what their golden file says", async (t) => {
  const x = new Transcript(t, "offline", { names: [[/(?<![\w-])[\w-]{43}(?=["\n])/g, "RANDOM43"], [/(?<![\w-])[\w-]{22}(?=["\n, ])/g, "RANDOM22"]] });
  const good = token({ worlds: ["*"], scope: "admin", sub: "ann" });
  for (const [args, status = 0] of [
    [["token", "mint"]],
    [["token", "mint", "--scope", "read", "--worlds", "world-a,world-b", "--sub", "ann", "--for", "15m", "-o", "json"]],
    [["token", "mint", "--rooms", "chess", "-o", "json"]],
    [["token", "mint", "--rooms", "chess", "--scope", "read"], 2],
    [["token", "mint", "--scope", "all"], 2],
    [["token", "mint", "--for", "soon"], 2],
    [["token", "mint", "--key", "/no/such"], 2],
    [["token", "mint", "--alg", "none"], 2],
    [["token", "check", good]],
    [["token", "check", good, "-o", "json"]],
    [["token", "check", token({ worlds: ["world-b"], scope: "root", rooms: ["x"] }, { key: "another" })], 3],
    [["token", "check", token({ worlds: ["*"], scope: "read", exp: 1700000000 })], 3],
    [["token", "check", token({ rooms: ["go"] }), "--room", "chess", "-o", "json"], 3],
    [["token", "check", "nonsense"], 3],
    [["token", "check"], 2],
    [["secret"]],
    [["secret", "--bytes", "16", "--count", "2", "-o", "json"]],
    [["secret", "--bytes", "8"], 2],
    [["log-level", "loud"], 2],
    [["log-level", "debug", "--for", "2d"], 2],
    [["events", "--since", "x"], 2],
    [["join", "lobby", "--count", "0"], 2],
    [["config", "check", "proxy"], 2],
    [["completion", "fish"], 2],
    [["top"], 4],
    [["events"], 4],
    [["watch"], 4],
    [["join", "lobby"], 4],
  ]) assert.equal((await x.run(args)).status, status, args.join(" "));
  x.check();
});

test("without a secret only the rest of a token is judged", async () => {
  const none = { AUTH_JWT_SECRET: "" };
  await ends(null, ["token", "mint"], 2, none);
  const run = await ends(null, ["token", "check", token({ worlds: ["*"] }, { key: "whatever" })], 0, none);
  assert.match(run.stdout, /note: its signature was not checked/);
});

test("no token that must open nothing is called good, and each has a reason", async () => {
  for (const [name, bad] of Object.entries(badTokens())) {
    if (name === "12 KiB") continue; // nodes refuse its length, worlds do not
    const run = await ends(null, ["token", "check", bad, "-o", "json"], 3);
    const verdict = JSON.parse(run.stdout);
    assert.equal(verdict.accepted, false, name);
    // All of them lack claims; what else is wrong must be told, too.
    assert.ok(verdict.refusals.some((r) => !/^(worlds|rooms|scope):/.test(r)), `${name}: ${verdict.refusals}`);
  }
}, { seconds: 60 });

test("a token of a key is read with its public half", async () => {
  const dir = folder();
  for (const [alg, pair] of [["RS256", rsa], ["ES256", p256]]) {
    const [key, pub] = [path.join(dir, `${alg}.key`), path.join(dir, `${alg}.pub`)];
    writeFileSync(key, pair.privateKey.export({ type: "pkcs8", format: "pem" }));
    writeFileSync(pub, pair.pem);
    const minted = (await ends(null, ["token", "mint", "--key", key, "--worlds", "*"])).stdout.trim();
    assert.match((await ends(null, ["token", "check", minted, "--key", pub])).stdout, new RegExp(`alg: "${alg}"[^]*accepted`));
    await ends(null, ["token", "check", minted], 3);
  }
});

test("config hands over to the program, with its file and flags", async () => {
  const file = path.join(folder(), "world.json");
  writeFileSync(file, JSON.stringify({ PORT: 4000 }));
  const more = { SHARD_SECRET: "s".repeat(40) };
  assert.match((await ends(null, ["config", "print", "world", file], 0, more)).stdout, /PORT.*4000/);
  assert.match((await ends(null, ["config", "check", "world", file, "--", "--port=99999"], 2, more)).stderr, /PORT|port/);
});

test("bash completes verbs, flags and words", async () => {
  const script = (await ends(null, ["completion", "bash"])).stdout;
  const file = path.join(folder(), "completion.bash");
  writeFileSync(file, `${script}
    try() { COMP_LINE=$1 COMP_POINT=\${#1}; _worldctl worldctl; echo "$1 => \${COMPREPLY[*]}"; }
    try "worldctl tok"; try "worldctl token "; try "worldctl log-level "; try "worldctl -o j"; try "worldctl join --ses"
  `);
  const bash = start("bash", "bash", ["--norc", file]);
  await bash.exit;
  assert.equal(bash.stdout, "worldctl tok => token\nworldctl token  => check mint\nworldctl log-level  => error warn info debug\n" +
    "worldctl -o j => json\nworldctl join --ses => --session\n");
});
