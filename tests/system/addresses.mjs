// How often one client address may connect: clients in a network namespace of their own, and behind a proxy.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { test, until } from "../lib/runner.mjs";
import { bin, listening, root, secret, start, startNode } from "../lib/process.mjs";
import { dial, dialAll } from "../lib/dialer.mjs";

// A namespace of one's own takes root.
const canBeApart = process.getuid() === 0 && spawnSync("unshare", ["--net", "true"]).status === 0;
const inside = (p, ...words) => execFileSync("nsenter", ["--net", "--target", String(p.pid), ...words], { encoding: "utf8" });
const times = (n, one) => Array.from({ length: n }, () => one);
const statuses = (answers) => answers.map((a) => a.status);
const nowhere = "http://127.0.0.1:9"; // no world: what arrives is served where it arrives

/** Two namespaces with a cable between them: a node in one, and `clients` (addresses) in the other. */
async function cabled(env, clients) {
  const script = 'ip link set lo up && exec "$@"';
  const node = start("node", "unshare", ["--net", "bash", "-c", script, "node", path.join(bin, "terrane-shard")],
    { HOST: "::", PORT: "0", NODE_ID: "apart", SHARD_SECRET: secret, WORLD_URLS: nowhere, ROOM_SERVERS: "none", ...env });
  const port = Number((await node.says(listening))[1]);
  const there = start("clients", "unshare", ["--net", "bash", "-c", "ip link set lo up && echo ready && exec sleep 600"]);
  there.expected = "SIGTERM";
  await there.says(/ready/);
  inside(node, "ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", String(there.pid));
  for (const address of ["10.78.0.1/24", "fd78::1/48"]) inside(node, "ip", "addr", "add", address, "dev", "here", ...(address.includes(":") ? ["nodad"] : []));
  inside(node, "ip", "link", "set", "here", "up");
  for (const address of clients) inside(there, "ip", "addr", "add", address, "dev", "there", ...(address.includes(":") ? ["nodad"] : []));
  inside(there, "ip", "link", "set", "there", "up");
  const ask = (list) => JSON.parse(inside(there, process.execPath, path.join(root, "tests/lib/dialer.mjs"),
    JSON.stringify(list.map((from) => ({ from, port, host: from.includes(":") ? "fd78::1" : "10.78.0.1" })))));
  await until(() => {
    try {
      return ask([clients[0].split("/")[0]]);
    } catch {
      return null;
    }
  }, "the cable");
  return { node, port, ask };
}

if (canBeApart) {
  test("an address over its rate hears 429 while another is served; IPv6 neighbours share one", async () => {
    // The first address is only there to find out whether the cable is up.
    const { ask } = await cabled({ CLIENT_RATE: "1:4" },
      ["10.78.0.9/24", "10.78.0.2/24", "10.78.0.3/24", "fd78::a:0:0:0:1/48", "fd78::a:0:0:0:2/48", "fd78::b:0:0:0:1/48"]);
    const first = ask([...times(7, "10.78.0.2"), "10.78.0.3"]);
    assert.deepEqual(statuses(first.slice(0, 4)), [101, 101, 101, 101]);
    assert.equal(first[6].status, 429);
    assert.equal(first[6].retryAfter, 1);
    assert.deepEqual(JSON.parse(first[6].body), { error: "Too many connections from this address" });
    assert.equal(first[7].status, 101);
    const second = ask([...times(3, "fd78::a:0:0:0:1"), ...times(4, "fd78::a:0:0:0:2"), "fd78::b:0:0:0:1"]);
    assert.deepEqual(statuses(second.slice(0, 4)), [101, 101, 101, 101]);
    assert.equal(second[6].status, 429);
    assert.equal(second[7].status, 101);
  });
} else console.log("     not root: no test of addresses in namespaces");

test("the address that a trusted proxy names pays, and the proxy does not", async () => {
  const { port } = await startNode(nowhere, "none", { CLIENT_RATE: "1:3", TRUSTED_PROXIES: "127.0.0.0/8" });
  const from = (address) => ({ port, headers: { "X-Forwarded-For": address } });
  const answers = await dialAll([...times(6, from("203.0.113.7")), from("203.0.113.8"), from("203.0.113.7, 203.0.113.9"), ...times(3, from("6.6.6.6, 203.0.113.7"))]);
  assert.deepEqual(statuses(answers.slice(0, 3)), [101, 101, 101]);
  assert.deepEqual(statuses(answers.slice(5, 8)), [429, 101, 101]);
  assert.equal(answers.at(-1).status, 429);
  const v6 = await dialAll([from("2001:db8::1"), from("2001:db8::2"), from("2001:db8::3"), ...times(3, from("2001:db8::4")), from("2001:db8:0:1::1")]);
  assert.deepEqual(statuses(v6).slice(0, 3), [101, 101, 101]);
  assert.deepEqual(statuses(v6).slice(5), [429, 101]);
  assert.deepEqual(statuses(await dialAll(times(10, { port }))), times(10, 101));
  const { body } = await dial({ port, path: "/metrics", upgrade: false });
  assert.ok(Number(body.match(/refusals_total\{reason="client_rate"\} (\d+)/)[1]) >= 4);
  assert.ok(Number(body.match(/client_addresses (\d+)/)[1]) >= 4);
});

test("trusted proxies alone bring a rate of 50 a second, burst 200", async () => {
  const { port } = await startNode(nowhere, "none", { TRUSTED_PROXIES: "127.0.0.0/8" });
  const answers = await Promise.all(times(400, { port, upgrade: false, headers: { "X-Forwarded-For": "203.0.113.7" } }).map(dial));
  const refused = answers.filter((a) => a.status === 429).length;
  assert.ok(refused > 0 && refused <= 200, `${refused} refused`);
});

test("without them nobody counts addresses", async () => {
  const { port } = await startNode(nowhere, "none");
  const answers = await Promise.all(times(300, { port, upgrade: false, headers: { "X-Forwarded-For": "203.0.113.7" } }).map(dial));
  assert.equal(answers.filter((a) => a.status === 429).length, 0);
});

test("who waits for CONNECT_RATE when the node stops hears 503", async () => {
  const node = await startNode(nowhere, "none", { CONNECT_RATE: "1:1" });
  const { port } = node;
  assert.equal((await dial({ port })).status, 101);
  const waiting = [dial({ port }), dial({ port }), dial({ port })];
  await until(async () => Number((await dial({ port, path: "/metrics", upgrade: false })).body.match(/admissions_held (\d+)\n/)[1]) >= 2, "two to wait");
  const stopped = node.stop();
  const answers = statuses(await Promise.all(waiting));
  assert.ok(answers.filter((s) => s === 503).length >= 1, answers.join());
  assert.ok(answers.every((s) => s === 503 || s === 101), answers.join());
  await stopped;
});
