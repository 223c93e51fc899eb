// "At the start" of docs/failures.md: each line that a process ends with is what stands there.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { finish, folder, jwtSecret, root, secret, startNode, startRoom, startWorld } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";
import { token } from "../lib/tokens.mjs";

const book = readFileSync(path.join(root, "docs/failures.md"), "utf8");
const settings = { HOST: "127.0.0.1", PORT: "0", SHARD_SECRET: secret, AUTH_JWT_SECRET: jwtSecret };

/** Starts `program`, which must end with `status` and the line; words in capitals stand for anything. */
async function ends(program, env, status, line) {
  assert.ok(book.includes(`\`${line}\``), `docs/failures.md has ${line}`);
  const { stderr } = await finish(program, [], { ...settings, ...env }, status);
  const pattern = line.split(/\b(?:HOST|URL|DIR|N)\b/).map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".+");
  assert.match(stderr, new RegExp(pattern));
}

test("what a process says that cannot start is in the book", async () => {
  const taken = await startRoom();
  const PORT = String(taken.port);
  for (const program of ["terrane-world", "terrane-shard"])
    await ends(program, { PORT, ...(program === "terrane-shard" ? { WORLD_URLS: "http://127.0.0.1:1" } : {}) }, 1, "cannot listen on HOST port N (HOST and PORT): Address already in use");
  await ends("terrane-world", { PORT: "x" }, 2, 'terrane-world: environment PORT "x": must be a whole number, from 0 to 65535');
});

test("what a world says of a store that it cannot have is in the book", async () => {
  const DATA_DIR = folder();
  await startWorld({ DATA_DIR });
  await ends("terrane-world", { DATA_DIR }, 1, "DIR is in use by another world process");
  const bad = folder();
  writeFileSync(path.join(bad, "world.db"), "this is no database, whatever its name may say");
  await ends("terrane-world", { DATA_DIR: bad }, 1, "DIR/world.db is not a database, or is damaged");
  await ends("terrane-world", { DATA_DIR: "/no/such" }, 1, "DIR cannot be made: No such file or directory");
});

test("what the earlier of two nodes with one id says is in the book", async () => {
  const room = await startRoom();
  const world = await startWorld();
  const earlier = await startNode(world.origin, room.origin, { NODE_ID: "twin" });
  await until(() => earlier.log.includes("world.mode"), "the node is heard");
  earlier.expected = 1;
  await startNode(world.origin, room.origin, { NODE_ID: "twin" });
  await earlier.exit;
  assert.match(earlier.stderr, /NODE_ID in use by http/);
  assert.ok(book.includes("`NODE_ID in use by URL`"));
});

test("what worldctl says that cannot do what it is told is in the book", async () => {
  const world = await startWorld({ ADMIN_LISTEN: "0" });
  const admin = `http://127.0.0.1:${(await world.says(/admin listening on \S*:(\d+)/))[1]}`;
  const says = async (args, status, line, env = {}) => {
    assert.ok(book.includes(`| ${status} | `) && book.includes(`\`${line}`), `docs/failures.md has ${line}`);
    const { stderr } = await finish("worldctl", args, { TERRANE_URL: admin, AUTH_JWT_SECRET: jwtSecret, HOME: folder(), ...env }, status);
    assert.match(stderr, new RegExp(line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\b(ADDRESS|URL|R|N|FILE)\b|…/g, ".+")), line);
  };
  await says(["rooms", "lst"], 2, "unknown verb …");
  await says(["rooms", "list"], 2, "… is no URL of a world", { TERRANE_URL: "ftp://x" });
  await says(["rooms", "list"], 3, "Not permitted (the token of …)", { TERRANE_TOKEN: "x.y.z" });
  await says(["rooms", "list"], 4, "cannot reach the world: ADDRESS: nobody listens there, or no way leads there", { TERRANE_URL: "http://127.0.0.1:1" });
  await says(["rooms", "list"], 4, "cannot reach the world: ADDRESS: it does not speak TLS, or not as we do", { TERRANE_URL: admin.replace("http", "https") });
  await says(["rooms", "list"], 4, "URL answers 404: is this the world's management address?", { TERRANE_URL: world.origin });
  await says(["rooms", "show", "x"], 5, "Room R does not exist");
  await says(["drain", "--node", "x"], 5, "Node N is not known");
  await says(["rooms", "list"], 3, "a token is needed: --token, TERRANE_TOKEN, or AUTH_JWT_SECRET to make one", { AUTH_JWT_SECRET: "" });
  await says(["rooms", "create", "x"], 3, "This token may only read (the token of …)", { TERRANE_TOKEN: token({ worlds: ["*"], scope: "read" }) });
});
