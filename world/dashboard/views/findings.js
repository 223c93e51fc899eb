// Findings: what is wrong, what it means, what to do, and the button that helps.
import { button, buttons, checkAgain, forgetNode, takeOutServer } from "../actions.js";
import { badge } from "../bar.js";
import { h } from "../dom.js";
import { ago, clip, plural } from "../format.js";
import { admin, here, state } from "../store.js";
import { name } from "../table.js";
import { to } from "./page.js";

export const tones = { error: "bad", warning: "warn", notice: "note" };
const nodeChecks = new Set(["node-lost", "node-version", "node-id", "peer-unreachable", "peer-secret", "clock"]);
const serverChecks = new Set(["server-down", "room-unreachable", "room-upgrade", "room-secret"]);

const SAYERS = 4; // that are named

/** What several nodes say of one thing is one finding: { …, sayers, detail: theirs }. */
export function grouped(items) {
  const groups = new Map();
  for (const f of items) {
    const key = JSON.stringify([f.check, f.subject]);
    const g = groups.get(key);
    if (!g) groups.set(key, { ...f, key, sayers: [f.by ?? {}], details: new Set([f.detail]) });
    else {
      g.sayers.push(f.by ?? {});
      g.details.add(f.detail);
      g.since = Math.min(g.since, f.since);
    }
  }
  return [...groups.values()].map((g) => ({ ...g, detail: [...g.details].filter(Boolean).join("; ") }));
}

const sayer = (by) => (by.node ? h("a", { href: to("nodes", by.node) }, name(by.node, 32)) : "the world");

function sayers(all) {
  const named = all.slice(0, SAYERS).flatMap((by, i) => [i ? ", " : "", sayer(by)]);
  return ["said by ", named, all.length > SAYERS ? ` and ${plural(all.length - SAYERS, "other")}` : ""];
}

/** What may be done about it from here. */
function remedies(f) {
  const some = [];
  if (f.check === "node-lost" && admin()) some.push(button("Forget this node …", async () => forgetNode(await here().get(["nodes", f.subject])), true));
  if (f.check === "server-down" && admin()) some.push(button("Take it out …", async () => takeOutServer(await here().get(["servers", f.subject])), true));
  if (nodeChecks.has(f.check)) some.push(h("a", { class: "button", href: to("nodes", f.subject) }, "Show the node"));
  else if (serverChecks.has(f.check)) some.push(h("a", { class: "button", href: to("servers", f.subject) }, "Show the room server"));
  else if (f.by?.node) some.push(h("a", { class: "button", href: to("nodes", f.by.node) }, "Show the node"));
  return some;
}

/** What is between backticks is what somebody types. */
const prose = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", null, part) : part));

export const finding = (f, now = state.overview?.now ?? Date.now()) => h("li", { key: f.key, class: `finding ${tones[f.level] ?? ""}` },
  h("div", { class: "finding-head" }, badge(f.level, tones[f.level]), f.subject ? h("b", null, name(f.subject, 60)) : null, f.detail ? h("bdi", { class: "detail" }, clip(f.detail, 300)) : null),
  h("p", { class: "means" }, prose(f.means)),
  h("p", { class: "cure" }, h("b", null, "What to do: "), prose(f.cure)),
  h("p", { class: "aside" }, h("code", null, f.check), " · ", sayers(f.sayers), ` · ${ago(f.since, now)}`),
  h("div", { class: "actions" }, remedies(f)));

/** Waiting for nodes, or when they were asked last. */
function checkup() {
  const c = state.findings?.checkup;
  if (!c?.waiting?.length) return null;
  return h("p", { class: "dim", role: "status" }, `A check is under way: waiting for ${plural(c.waiting.length, "node")} …`);
}

export const findingsView = {
  draw: () => h("section", { class: "list", key: "findings", "aria-labelledby": "view-title" },
    h("div", { class: "bar-line" }, h("h1", { id: "view-title" }, "Findings"), buttons(button("Check everything now", checkAgain))),
    checkup(),
    !state.findings ? h("p", { class: "empty", "aria-busy": "true" }, "Reading …")
      : state.findings.items.length ? h("ul", { class: "findings" }, grouped(state.findings.items).map((f) => finding(f)))
        : h("p", { class: "empty" }, "Nothing is wrong that the world or its nodes could see. “Check everything now” has every node dial every other and every room server.")),
};
