// The OpenAPI document of worlds as a judge: whether an answer is one that it promises, and which of its promises
// have been seen kept.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import Ajv from "ajv/dist/2020.js";

const METHODS = ["get", "put", "post", "patch", "delete"];

/** The segments of a path, decoded; those of a template stay as they are. */
const split = (path) => path.split("/").slice(1);
const isParameter = (segment) => segment.startsWith("{");

/** That of the programs under test; undefined where they were built without it. */
export function contractOf(bin) {
  const file = path.join(bin, "../embed/openapi.json");
  return existsSync(file) ? new Contract(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

export class Contract {
  constructor(document) {
    this.document = document;
    this.ajv = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false, allErrors: true });
    this.named = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"terrane:schemas#/$defs/'));
    this.ajv.addSchema({ $id: "terrane:schemas", $defs: this.named(document.components.schemas) });
    this.validators = new Map();
    this.seen = new Map(); // operation id → the statuses that were answered
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.filter((m) => item[m]).map((m) => ({ ...item[m], method: m.toUpperCase(), path, pattern: split(path), parameters: [...(item.parameters ?? []), ...(item[m].parameters ?? [])].map((p) => this.follow(p)) })));
  }
  follow(thing) {
    return thing.$ref ? thing.$ref.slice(2).split("/").reduce((at, key) => at[key], this.document) : thing;
  }
  /** The operation that a request is for, or undefined. */
  operation(method, target) {
    const segments = split(target.split("?")[0]);
    const fits = (o) => o.method === method && o.pattern.length === segments.length && o.pattern.every((p, i) => isParameter(p) || p === segments[i]);
    return this.operations.find(fits);
  }
  /** What is wrong with a value by a schema; undefined: nothing. */
  wrong(schema, value) {
    const key = JSON.stringify(schema);
    if (!this.validators.has(key)) this.validators.set(key, this.ajv.compile(this.named(schema)));
    const valid = this.validators.get(key);
    return valid(value) ? undefined : valid.errors.map((e) => `${e.instancePath || "/"} ${e.message} ${JSON.stringify(e.params)}`).join("; ");
  }
  wrongAs(name, value) {
    return this.wrong({ $ref: `#/components/schemas/${name}` }, value);
  }
  /** What is wrong with an answer `{ status, headers, body }`; `sent` is the request's body, if any. */
  judge(method, target, answer, sent) {
    const o = this.operation(method, target);
    if (!o) return "no such operation";
    if (!this.seen.has(o.operationId)) this.seen.set(o.operationId, new Set());
    this.seen.get(o.operationId).add(String(answer.status));
    if (!o.responses[answer.status]) return `status ${answer.status} is not documented: ${answer.body}`;
    const promised = this.follow(o.responses[answer.status]);
    return this.judgeHeaders(promised, answer) ?? this.judgeBody(promised, answer) ?? this.judgeRequest(o, answer, sent);
  }
  judgeHeaders({ headers = {} }, answer) {
    for (const [name, header] of Object.entries(headers)) {
      const value = answer.headers[name.toLowerCase()];
      if (value === undefined && header.required) return `no header ${name}`;
      if (value === undefined) continue;
      const wrong = this.wrong(header.schema, header.schema.type === "integer" ? Number(value) : value);
      if (wrong) return `header ${name}: ${wrong}`;
    }
  }
  judgeBody({ content }, answer) {
    const type = answer.headers["content-type"];
    if (!content) return answer.body === "" ? undefined : `a body where none is documented: ${answer.body}`;
    if (!content[type]) return `content-type ${type} is not documented: ${answer.body}`;
    const wrong = this.wrong(content[type].schema, /json$/.test(type) ? JSON.parse(answer.body) : answer.body);
    return wrong && `${wrong} in ${answer.body.slice(0, 1000)}`;
  }
  /** The same of an answer of which only status, content-type and body are known, if the operation is documented. */
  glance(method, target, status, type, body) {
    const o = this.operation(method, target);
    if (!o) return undefined;
    if (!o.responses[status]) return `status ${status} is not documented: ${body}`;
    return this.judgeBody(this.follow(o.responses[status]), { headers: { "content-type": type }, body });
  }
  /** What was obeyed must be allowed. */
  judgeRequest(o, answer, sent) {
    if (answer.status >= 300 || sent === undefined) return undefined;
    if (!o.requestBody) return "a body where none is documented";
    const wrong = this.wrong(o.requestBody.content["application/json"].schema, JSON.parse(sent));
    return wrong && `the request: ${wrong}`;
  }
  /** The statuses that were promised and never seen, as `operation status`. */
  unseen() {
    return this.operations.flatMap((o) => Object.keys(o.responses).filter((s) => !this.seen.get(o.operationId)?.has(s)).map((s) => `${o.operationId} ${s}`));
  }
}
