// The systemd units: systemd finds nothing to complain about, and little that they are exposed by.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { finish, folder, jwtSecret, root, secret } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";

const units = path.join(root, "deploy/systemd");
const exposure = 20; // tenths: 2.0

/** What the command says, on either stream. */
const said = (command, ...args) => execFileSync("sh", ["-c", 'exec "$0" "$@" 2>&1', command, ...args], { encoding: "utf8" });

/** A folder with the units, and with every program that they name. */
function installed() {
  const to = folder();
  for (const program of ["usr/sbin/terrane-world", "usr/sbin/terrane-shard", "bin/kill"]) {
    const file = path.join(to, program);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "");
    chmodSync(file, 0o755);
  }
  const lib = path.join(to, "usr/lib/systemd/system");
  mkdirSync(lib, { recursive: true });
  for (const name of readdirSync("/usr/lib/systemd/system").filter((n) => /\.(target|slice)$/.test(n))) copyFileSync(path.join("/usr/lib/systemd/system", name), path.join(lib, name));
  for (const name of readdirSync(units)) copyFileSync(path.join(units, name), path.join(lib, name));
  return to;
}

test("systemd has nothing to say against the units", () => {
  const to = installed();
  for (const name of ["terrane-world.service", "terrane-shard@1.service"])
    assert.equal(said("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", `--root=${to}`, name), "");
});

test("a unit with a fault is noticed", () => {
  const to = installed();
  writeFileSync(path.join(to, "usr/lib/systemd/system/bad.service"), "[Service]\nExecStart=/usr/sbin/terrane-world\nPrivatTmp=yes\n");
  assert.match(said("systemd-analyze", "verify", "--man=no", `--root=${to}`, "bad.service"), /PrivatTmp/);
});

test("the units are exposed by less than 2.0", () => {
  for (const name of readdirSync(units)) {
    const text = said("systemd-analyze", "security", "--offline=true", "--no-pager", `--threshold=${exposure}`, path.join(units, name));
    assert.match(text, /exposure level for .*: [01]\.\d/);
  }
});

test("the settings that the package brings are valid", async () => {
  const settings = { SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret };
  for (const [program, file] of [["terrane-world", "world.json"], ["terrane-shard", "shard-1.json"]])
    assert.match((await finish(program, ["--config", path.join(root, "deploy/debian/etc", file), "--check-config"], settings)).stdout, /the settings are valid/);
});
