// Is an object what Kubernetes' published schemas say? They know types, and what is required. Keys that a validator never asks for
// are unknown, misspelt most of all: an API server drops those in silence, or refuses them.
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

/** `value`, whose members note in `unread` that they were read: a Map of paths. */
function watched(value, unread, at) {
  if (value === null || typeof value !== "object") return value;
  const members = new Map();
  for (const key of Object.keys(value)) {
    if (!Array.isArray(value)) unread.add(`${at}/${key}`);
    members.set(key, watched(value[key], unread, `${at}/${key}`));
  }
  const read = (key) => unread.delete(`${at}/${String(key)}`);
  return new Proxy(value, {
    get: (target, key) => (members.has(key) ? (read(key), members.get(key)) : Reflect.get(target, key)),
    ownKeys: (target) => (members.forEach((_, key) => read(key)), Reflect.ownKeys(target)),
  });
}

/** What is wrong with a manifest: lines, none if it is in order. */
export function faults(manifest) {
  const kinds = load(`kubernetes-models/${manifest.apiVersion}`);
  const Kind = kinds[manifest.kind];
  if (!Kind) return [`no ${manifest.kind} in ${manifest.apiVersion}`];
  const unread = new Set();
  const { apiVersion, kind, ...body } = manifest;
  const model = new Kind();
  // Not by the constructor, which would read every member.
  const seen = watched(body, unread, "");
  const lines = [];
  try {
    Kind.prototype.validate.call(new Proxy(model, { get: (target, key) => (key in body ? seen[key] : target[key]) }));
  } catch (error) {
    lines.push(error.message);
  }
  // Below an unknown key nothing is read either.
  const top = [...unread].filter((path) => ![...unread].some((other) => path.startsWith(`${other}/`)));
  return [...lines, ...top.map((path) => `unknown: ${path}`)];
}
