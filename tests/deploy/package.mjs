// The Debian package: what is in it, what lintian says, and its whole life in a clean Debian root.
// usage: TERRANE_DEB=FILE node tests/deploy/package.mjs [PATTERN]...; root only.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { freePort, folder, root, start } from "../lib/process.mjs";
import { run, test, until } from "../lib/runner.mjs";

const deb = path.resolve(root, process.env.TERRANE_DEB);
const store = path.join(root, "build/package"); // keeps Debian roots between runs
const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };

/** What the command says, on either stream; also in the error, if it fails. */
function said(command, ...args) {
  try {
    return execFileSync("sh", ["-c", 'exec "$0" "$@" 2>&1', command, ...args], { encoding: "utf8", env, maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}: status ${error.status}:\n${error.stdout}`);
  }
}
const field = (name) => said("dpkg-deb", "-f", deb, name).trim();

test("the package has programs, pages, units and settings, and no secret", () => {
  const rows = said("dpkg-deb", "-c", deb).trim().split("\n").map((l) => l.match(/^(\S+) (\S+) +\d+ \S+ \S+ \.(\S+)$/).slice(1));
  const mode = Object.fromEntries(rows.map(([m, , file]) => [file, m]));
  for (const program of ["/usr/sbin/terrane-world", "/usr/sbin/terrane-shard", "/usr/bin/worldctl"]) assert.equal(mode[program], "-rwxr-xr-x", program);
  for (const file of ["/usr/share/man/man1/worldctl.1.gz", "/usr/share/man/man8/terrane-world.8.gz", "/usr/share/man/man8/terrane-shard.8.gz",
    "/lib/systemd/system/terrane-world.service", "/lib/systemd/system/terrane-shard@.service", "/etc/terrane/world.json", "/etc/terrane/shard-1.json",
    "/usr/share/bash-completion/completions/worldctl", "/usr/share/terrane/prometheus/terrane.rules.yml", "/usr/share/terrane/grafana/terrane.json",
    "/usr/share/doc/terrane/copyright", "/usr/share/doc/terrane/changelog.gz", "/usr/share/doc/terrane/deploy.md"]) assert.equal(mode[file], "-rw-r--r--", file);
  assert.deepEqual([...new Set(rows.map(([, owner]) => owner))], ["root/root"]);
  assert.deepEqual(Object.keys(mode).filter((f) => /secret/.test(f)), []);
  assert.match(field("Depends"), /libc6 .*libevent-core/);
  assert.ok(field("Description").split("\n").length > 5, "a description");
});

test("lintian has nothing to say", () => {
  assert.equal(said("lintian", "--allow-root", "--fail-on", "error,warning", deb), "");
});

/** A tar of a clean Debian 12 with what the package depends on; made once for each list of that. */
function base() {
  const needs = field("Depends").split(", ").map((d) => d.split(" ")[0]);
  const file = path.join(store, `debian-${createHash("sha256").update(needs.join()).digest("hex").slice(0, 12)}.tar`);
  if (existsSync(file)) return file;
  said("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--dpkgopt=force-unsafe-io", `--include=${needs.join()}`, "bookworm", `${file}.new.tar`);
  renameSync(`${file}.new.tar`, file);
  return file;
}

/** A fresh root with the package in /tmp. `inside(...)` runs a command there, and answers what it says. */
function debian(t) {
  const at = folder();
  t.after(() => rmSync(at, { recursive: true, force: true }));
  said("tar", "-xf", base(), "-C", at, "--exclude=./dev/*");
  for (const [name, minor] of [["null", "3"], ["zero", "5"], ["urandom", "9"]]) said("mknod", "-m", "666", path.join(at, "dev", name), "c", "1", minor);
  copyFileSync(deb, path.join(at, "tmp/terrane.deb"));
  const inside = (...command) => said("chroot", at, ...command);
  return { at, inside, sh: (script) => inside("sh", "-ec", script) };
}

// What dpkg, apt, adduser and passwd remember of any package.
const memory = /^\/(run\/adduser$|var\/(lib\/(dpkg|apt)|log|cache)|etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc\/\.pwd\.lock)/;
const filesOf = (d) => d.sh("find / -xdev ! -path '/proc/*' ! -path '/tmp/*'").trim().split("\n").filter((f) => !memory.test(f)).sort();

test("it installs, runs and purges in a clean Debian, and leaves nothing", async (t) => {
  const d = debian(t);
  const before = filesOf(d);
  const installing = d.inside("apt-get", "install", "-y", "--no-install-recommends", "/tmp/terrane.deb");
  assert.match(installing, /nothing starts before it has secrets/);
  assert.equal(d.sh("dpkg -s terrane | grep ^Status").trim(), "Status: install ok installed");
  assert.equal(d.sh("dpkg --verify terrane"), "");
  assert.match(d.sh("getent passwd terrane"), /^terrane:x:\d+:\d+:Terrane,*:\/var\/lib\/terrane:\/usr\/sbin\/nologin\n$/);
  assert.equal(d.sh("stat -c '%U:%G %a' /var/lib/terrane /etc/terrane/secrets"), "terrane:terrane 750\nroot:root 700\n");
  const version = field("Version");
  for (const p of ["terrane-world", "terrane-shard", "worldctl"]) assert.equal(d.inside(p, "--version").trim(), `${p} ${version}`);

  // As the units would: the user terrane, the settings of /etc/terrane, secrets in files of its own.
  const [worldPort, nodePort] = [await freePort(), await freePort()];
  d.sh(`umask 077; worldctl secret >/etc/terrane/secrets/shard-secret; worldctl secret >/etc/terrane/secrets/auth-jwt-secret
    mkdir /tmp/credentials; cp /etc/terrane/secrets/* /tmp/credentials; chown -R terrane /tmp/credentials`);
  const user = d.sh("id -u terrane").trim(), group = d.sh("id -g terrane").trim();
  const credentials = { SHARD_SECRET_FILE: "/tmp/credentials/shard-secret", AUTH_JWT_SECRET_FILE: "/tmp/credentials/auth-jwt-secret" };
  const run = (name, args, more) => start(name, "chroot", [`--userspec=${user}:${group}`, d.at, ...args], { ...env, ...credentials, ...more });
  const world = { PORT: String(worldPort) }, node = { PORT: String(nodePort), WORLD_URLS: `http://127.0.0.1:${worldPort}` };
  const worldArgs = ["/usr/sbin/terrane-world", "--config", "/etc/terrane/world.json"], nodeArgs = ["/usr/sbin/terrane-shard", "--config", "/etc/terrane/shard-1.json"];
  const w = run("world", worldArgs, world);
  await w.says(/listening on /);
  const n = run("node", nodeArgs, node);
  await n.says(/listening on /);
  for (const [args, settings] of [[worldArgs, world], [nodeArgs, node]]) {
    const h = run("health", [...args, "--health"], settings);
    assert.equal(await h.exit, 0, h.log);
  }
  const ctl = `TERRANE_URL=http://127.0.0.1:${worldPort} AUTH_JWT_SECRET_FILE=/etc/terrane/secrets/auth-jwt-secret`;
  await until(() => /shard-1/.test(d.sh(`TERRANE_TOKEN=$(${ctl} worldctl token mint) ${ctl} worldctl nodes list -q`)), "the node in worldctl nodes");
  // The room server of the example does not run, which is an error worth telling: 1.
  assert.match(d.sh(`TERRANE_TOKEN=$(${ctl} worldctl token mint) ${ctl} worldctl status || [ $? = 1 ]`), /world-default/);
  assert.equal(await n.stop(), 0);
  assert.equal(await w.stop(), 0);
  assert.equal(d.sh("stat -c '%U %a' /var/lib/terrane/world/world.db").split(" ")[0], "terrane");

  d.inside("apt-get", "install", "-y", "--reinstall", "/tmp/terrane.deb"); // an upgrade keeps all of that
  d.inside("apt-get", "remove", "-y", "terrane");
  assert.equal(d.sh("cat /etc/terrane/secrets/shard-secret | wc -c").trim() > 16, true);
  d.inside("dpkg", "--purge", "terrane");
  assert.deepEqual(filesOf(d), before);
  assert.equal(d.sh("getent passwd terrane || echo none"), "none\n");
}, { seconds: 300 });

mkdirSync(store, { recursive: true });
if (process.getuid() !== 0) throw new Error("installing packages takes root");
assert.ok(readFileSync(deb).length > 0);
await run();
