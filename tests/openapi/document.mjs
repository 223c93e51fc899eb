// The document itself: well-formed, with good examples, and of the same routes as the sources.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import openapi from "@redocly/openapi-core";
import { test } from "../lib/runner.mjs";
import { root } from "../lib/process.mjs";
import { contract, PENDING, source } from "./subject.mjs";

// Of the stream of events only what stands behind `data:` has a schema: a member `x-events` says where.
const bearable = ({ ruleId, message }) => ruleId === "no-unused-components" && message.includes('"EventData"');

test("the document passes the linter", async () => {
  const config = await openapi.createConfig({ extends: ["recommended-strict"] });
  const problems = await openapi.lintFromString({ source, absoluteRef: "openapi.json", config });
  const told = problems.filter((p) => !bearable(p)).map((p) => `${p.location[0]?.pointer}: ${p.message} (${p.ruleId})`);
  assert.deepEqual(told, []);
});

test("examples are what their schemas say", () => {
  const wrong = [];
  for (const [name, schema] of Object.entries(contract.document.components.schemas))
    for (const example of schema.examples ?? []) wrong.push(...[contract.wrongAs(name, example)].filter(Boolean).map((w) => `${name}: ${w}`));
  const walk = (at, where) => {
    if (at === null || typeof at !== "object") return;
    if (at.schema && at.example !== undefined) wrong.push(...[contract.wrong(at.schema, at.example)].filter(Boolean).map((w) => `${where}: ${w}`));
    for (const [key, value] of Object.entries(at)) if (key !== "schemas") walk(value, `${where}/${key}`);
  };
  walk(contract.document, "#");
  assert.deepEqual(wrong, []);
});

test("each answer is closed: members that no schema knows are found", () => {
  const open = Object.entries(contract.document.components.schemas).filter(([, s]) => s.type === "object" && s.properties &&
    s.additionalProperties === undefined && s.unevaluatedProperties === undefined).map(([name]) => name);
  // Bodies of which unknown members are ignored, what other schemas close, and the document itself.
  assert.deepEqual(open.sort(), ["ConnectBody", "Document", "Heartbeat", "ProblemMembers", "Question", "RegisterBody", "ScaleBody", "UpdateBody"]);
});

/** Every [method, path] that a table of routes in `file` names, behind `prefix`. */
function tableOf(file, pattern, prefix, method) {
  const text = readFileSync(path.join(root, file), "utf8");
  return [...text.matchAll(pattern)].map((m) => (method ? `${method} ${prefix}${m[1]}` : `${m[1]} ${prefix}${m[2]}`));
}

test("the document and the tables of the sources name the same routes", () => {
  const manage = readdirSync(path.join(root, "world/core/manage")).filter((f) => f.endsWith(".c")).flatMap((f) => {
    const file = path.join("world/core/manage", f);
    return [...tableOf(file, /\{"([A-Z]+)", "([a-z][^"]*)",\s*TOKEN_/g, "/api/v1/worlds/{}/"), ...tableOf(file, /\{"([A-Z]+)", "(\/[^"]*)",\s*TOKEN_/g, "/api/v1")];
  });
  const ours = [
    ...manage,
    "GET /api/v1/worlds", // a table of one
    ...tableOf("world/core/api/api.c", /\{"(\/[a-z-]+)", ROUTE_/g, "/parties/world/{}", "POST"),
    ...tableOf("world/io/probes.c", /\{"(\/[a-z]+)", PROBE_/g, "", "GET"),
    ...tableOf("world/io/openapi.c", /SPAN\("(\/[a-z.]+)"\)/g, "", "GET"),
  ].map((r) => r.replace(/\{\w*\}/g, "{}"));
  const theirs = contract.operations.map((o) => `${o.method} ${o.path.replace(/\{\w+\}/g, "{}")}`);
  assert.ok(manage.length > 35, "the tables have another form now");
  assert.deepEqual(theirs.filter((r) => !PENDING.has(r)).sort(), ours.filter((r) => !PENDING.has(r)).sort());
});
