// The ROUTES that docs/routes.md shows: what the tests use is what it says.
import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../lib/process.mjs";

/** The example under a heading, for a node: `origins` take the place of the servers that it names, in their order. */
export function example(heading, origins) {
  const text = readFileSync(path.join(root, "docs/routes.md"), "utf8");
  const [, section] = text.split(new RegExp(`^### ${heading}$`, "m"));
  if (section === undefined) throw new Error(`docs/routes.md has no example ${heading}`);
  const block = section.match(/(?:^ {4}.*\n)+/m)[0];
  const named = [...new Set(block.match(/http:\/\/[^"]+/g))];
  if (named.length !== origins.length) throw new Error(`the example ${heading} names ${named.length} servers`);
  return named.reduce((routes, name, i) => routes.replaceAll(`"${name}"`, `"${origins[i]}"`), block);
}
