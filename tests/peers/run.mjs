// Servers and clients that know nothing of Terrane, in mode pass. usage: node tests/peers/run.mjs [PATTERN...] (of names); the last line is
// `N passed, N failed`. Tests mostly wait, so the peers run in two processes beside each other.
import { spawn } from "node:child_process";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { Authority } from "../lib/certificates.mjs";
import { run } from "../lib/runner.mjs";

const SIDES = [["ws", "raw", "socka", "sockets"], ["socketio", "colyseus", "browser"]];
const totals = [0, 0]; // passed, failed

/** Runs some of the peers in a process that believes the authority of these tests: clients read that at their start only. */
function side(peers, env) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    env: { ...process.env, ...env, PEERS: peers.join(" ") }, stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill());
  let ended = false; // as it should
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    const summary = line.match(/^(\d+) passed, (\d+) failed$/);
    if (!summary) return console.log(line);
    ended = true;
    totals.forEach((_, i) => (totals[i] += Number(summary[1 + i])));
  });
  return new Promise((resolve) => child.on("close", () => resolve(ended || totals[1]++)));
}

if (process.env.PEERS) {
  for (const peer of process.env.PEERS.split(" ")) await import(`./${peer}.mjs`);
  await run();
} else {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
  const authority = await Authority.make();
  const id = await authority.issue();
  const env = { NODE_EXTRA_CA_CERTS: authority.ca, PEERS_CERT: id.cert, PEERS_KEY: id.key };
  await Promise.all(SIDES.map((peers) => side(peers, env)));
  console.log(`${totals[0]} passed, ${totals[1]} failed`);
  process.exit(totals[0] > 0 && totals[1] === 0 ? 0 : 1);
}
