// The document itself: well-formed, with good examples, and of the same routes as the sources.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import openapi from "@redocly/openapi-core";
import { test } from "../lib/runner.mjs";
import { root } from "../lib/process.mjs";
import { contract, source } from "./subject.mjs";

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

/** Every `METHOD /path` that `text` names in rows of a table, behind `prefix`; without a method it is `method`. */
const rows = (text, pattern, prefix, method) =>
  [...text.matchAll(pattern)].map((m) => (method ? `${method} ${prefix}${m[1]}` : `${m[1]} ${prefix}${m[2]}`));
const read = (file) => readFileSync(path.join(root, file), "utf8");

test("the document and the tables of the sources name the same routes", () => {
  const [ofWorlds, own] = read("world/core/manage/manage.c").split("own_routes[] = {");
  const row = /\{"([A-Z]+)", "([a-z][^"]*)",\s*TOKEN_/g;
  const ours = [
    ...rows(ofWorlds, row, "/api/v1/worlds/{}/"),
    ...rows(own, row, "/api/v1/"),
    ...rows(read("world/core/api/api.c"), /\{"(\/[a-z-]+)", ROUTE_/g, "/parties/world/{}", "POST"),
    ...rows(read("world/io/probes.c"), /\{"(\/[a-z]+)", PROBE_/g, "", "GET"),
    ...rows(read("world/io/openapi.c"), /SPAN\("(\/[a-z.]+)"\)/g, "", "GET"),
    ...rows(read("world/io/console.c"), /SPAN\("(\/|\/console\/)"\)/g, "", "GET"),
  ].map((r) => r.replace(/\{\w*\}/g, "{}").replace(/console\/$/, "console/{}"));
  const theirs = contract.operations.map((o) => `${o.method} ${o.path.replace(/\{\w+\}/g, "{}")}`);
  assert.deepEqual(theirs.sort(), ours.sort());
});
