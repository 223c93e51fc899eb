// What a kustomization is made of, without kustomize: its manifests, its generators, and those of what it builds upon.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import YAML from "yaml";

const documents = (file) => YAML.parseAllDocuments(readFileSync(file, "utf8"), { strict: true, uniqueKeys: true }).map((document) => {
  if (document.errors.length) throw new Error(`${file}: ${document.errors[0].message}`);
  return document.toJS();
});

const generated = (generator) => ({
  name: generator.name,
  literals: Object.fromEntries((generator.literals ?? []).map((line) => line.split(/=(.*)/s, 2))),
  files: (generator.files ?? []).map((file) => ({ key: path.basename(file), file })),
});

/** Adds what `more` generates; of the same name, it is merged. */
function merge(into, more) {
  for (const one of more) {
    const there = into.find((g) => g.name === one.name);
    if (!there) into.push(one);
    else Object.assign(there.literals, one.literals), there.files.push(...one.files);
  }
  return into;
}

/** { manifests, maps, secrets, images, loose } of a folder: `loose` are its files that nothing names. */
export function kustomization(folder) {
  const [own] = documents(path.join(folder, "kustomization.yaml"));
  const below = own.resources.filter((name) => !name.endsWith(".yaml")).map((name) => kustomization(path.join(folder, name)));
  const files = own.resources.filter((name) => name.endsWith(".yaml"));
  const named = new Set(["kustomization.yaml", ...files, ...(own.configMapGenerator ?? []).flatMap((g) => g.files ?? [])]);
  const all = (member) => below.flatMap((b) => b[member]);
  return {
    own,
    manifests: [...all("manifests"), ...files.flatMap((file) => documents(path.join(folder, file)))],
    maps: merge(merge([], all("maps")), (own.configMapGenerator ?? []).map(generated)),
    secrets: merge(merge([], all("secrets")), (own.secretGenerator ?? []).map(generated)),
    images: [...all("images"), ...(own.images ?? [])],
    loose: readdirSync(folder).filter((name) => name !== "private" && !named.has(name)),
  };
}
