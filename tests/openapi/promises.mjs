// Whether everything that the document promises was seen. Comes behind all other tests.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { contract } from "./subject.mjs";

/** Statuses that are not provoked here, by `operation status` or `* status`, and why. */
const UNSEEN = {
  "* 502": "an owner that breaks off in the middle of an answer takes two processes: tests/unit/world/io/test_passage.c",
  "moveRoom 507": "it takes a room server that is up, whose assignment is not stored",
  "forgetNode 507": "it takes a node that is dead, whose record is not stored",
};

test("every documented answer of every operation was seen", () => {
  const unseen = contract.unseen().filter((u) => !UNSEEN[u] && !UNSEEN[`* ${u.split(" ")[1]}`]);
  assert.deepEqual(unseen, []);
});

test("no exception is made for what was seen", () => {
  const unseen = new Set(contract.unseen());
  const idle = Object.keys(UNSEEN).filter((u) => !u.startsWith("*") && !unseen.has(u));
  const statuses = new Set([...contract.seen.values()].flatMap((s) => [...s]));
  assert.deepEqual([...idle, ...Object.keys(UNSEEN).filter((u) => u.startsWith("*") && statuses.has(u.slice(2)))], []);
});
