// What the tests of the document share: the document, and requests whose answers are judged by it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { Contract } from "../lib/contract.mjs";
import { bin, secret } from "../lib/process.mjs";
import { bearer } from "../lib/cluster.mjs";

export const source = readFileSync(path.join(bin, "../embed/openapi.json"), "utf8");
export const contract = new Contract(JSON.parse(source));

export const all = bearer("*");
export const shardSecret = { "x-access-shard": secret };
/** Credentials that every operation takes: below /api/v1 the token counts, elsewhere the secret. */
export const insider = (target) => (target.startsWith("/api/v1") ? all : shardSecret);

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** One request; answers { status, headers, body }. `body` is sent as it is, or as JSON. */
export function send(origin, method, target, { headers = insider(target), body, fresh = false } = {}) {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const u = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: u.hostname, port: u.port, method, path: target, headers, agent: fresh ? false : agent, timeout: 20000 }, (res) => {
      let got = "";
      res.setEncoding("utf8").on("data", (d) => (got += d)).on("error", reject);
      res.on("end", () => resolve({ status: res.statusCode, headers: res.headers, body: got, sent: text }));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer to ${method} ${target}`))).on("error", reject);
    if (text === undefined && method !== "GET" && headers["content-length"] === undefined) request.setHeader("content-length", 0);
    if (text !== undefined) request.setHeader("content-length", Buffer.byteLength(text));
    request.end(text);
  });
}

/** Fails unless the document promises such an answer. */
export function judge(method, target, answer) {
  const wrong = contract.judge(method, target, answer, answer.sent);
  if (wrong) assert.fail(`${method} ${target}: ${wrong}`);
  return answer;
}

/** A request whose answer must have that status and be as the document says; answers its JSON. */
export async function ask(origin, status, method, target, options = {}) {
  const answer = judge(method, target, await send(origin, method, target, options));
  assert.equal(answer.status, status, `${method} ${target}: ${answer.body}`);
  return answer.body !== "" && /json$/.test(answer.headers["content-type"]) ? JSON.parse(answer.body) : answer.body;
}

/** A target of the operation: its parameters by their examples, or by `values`. */
export const targetOf = (operation, values = {}) =>
  operation.path.replace(/\{(\w+)\}/g, (_, name) => {
    const parameter = operation.parameters.find((p) => p.in === "path" && p.name === name);
    return values[name] ?? encodeURIComponent(parameter.example);
  });
