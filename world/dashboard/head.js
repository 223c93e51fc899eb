// The first line: all well, or the worst of what is wrong with what to do about it.
import { button, checkAgain } from "./actions.js";
import { h } from "./dom.js";
import { count, percent, plural, rate, span } from "./format.js";
import { link } from "./route.js";
import { admin, state } from "./store.js";
import { finding, grouped } from "./views/findings.js";
import { perSecond, refusalsOf } from "./views/overview.js";

const MOST = 3; // findings that are told in full
const NEARLY = 0.9;
const SLOW_MS = 250;

/** What the numbers say that no finding does: [{ tone, text, cure, href, verb }]. */
function signals(o) {
  const some = [];
  const to = (view, query) => link(state.world, view, null, query);
  const used = o.connections + o.reserved + o.returning;
  const refused = perSecond(refusalsOf);
  if (o.capacity > 0 && used >= NEARLY * o.capacity)
    some.push({ key: "full", tone: used >= o.capacity ? "bad" : "warn", text: `${percent(used, o.capacity)} of all seats are taken (${count(used)} of ${count(o.capacity)}).`, cure: "Scale the fullest rooms up.", href: to("rooms"), verb: "Show the rooms" });
  if (refused >= 0.5)
    some.push({ key: "refused", tone: "warn", text: `${rate(refused)} requests a second are refused.`, cure: "The chart of refusals names the reasons.", href: to("overview"), verb: "Show the chart" });
  if (o.nodes.alive === 0 && o.shards.total > 0 && o.nodes.expected + o.nodes.suspect + o.nodes.dead > 0)
    some.push({ key: "nodes", tone: "bad", text: "No node is alive.", cure: "Start a node, or see why none reaches the world.", href: to("nodes"), verb: "Show the nodes" });
  else if (o.nodes.suspect > 0)
    some.push({ key: "suspect", tone: "warn", text: `${plural(o.nodes.suspect, "node")} ${o.nodes.suspect === 1 ? "has" : "have"} gone silent.`, cure: "If it stays so, clients are placed on other nodes.", href: to("nodes"), verb: "Show the nodes" });
  if (o.process.lagMs >= SLOW_MS)
    some.push({ key: "lag", tone: "warn", text: `The world's loop is ${count(o.process.lagMs)} ms late.`, cure: "Its host is overloaded, or its store is slow.", href: to("overview"), verb: "Show the chart" });
  if (o.nodes.draining > 0)
    some.push({ key: "drain", tone: "note", text: `${plural(o.nodes.draining, "node")} ${o.nodes.draining === 1 ? "is" : "are"} draining.`, cure: "", href: to("nodes"), verb: "Show" });
  return some;
}

const signal = (s) => h("li", { key: s.key, class: `finding signal ${s.tone}` }, h("p", { class: "means" }, h("b", null, s.text), s.cure ? ` ${s.cure}` : ""), s.href === link(state.world, state.route.view) ? null : h("a", { class: "button", href: s.href }, s.verb));

const title = (n) => [n.error && plural(n.error, "error"), n.warning && plural(n.warning, "warning"), n.notice && plural(n.notice, "notice")].filter(Boolean).join(", ");

function well(o) {
  const parts = [plural(o.nodes.alive, "node"), plural(o.rooms, "room"), plural(o.shards.total, "shard"), plural(o.connections, "client")];
  return h("div", { class: "headline good" }, h("i", { class: "dot", "aria-hidden": "true" }), h("p", null, h("b", null, "All well."), h("span", { class: "dim" }, ` ${parts.join(" · ")}`)));
}

/** On other pages one line is enough. */
function elsewhere(tone, n, told) {
  const text = told.filter((s) => s.tone !== "note").map((s) => s.text).join(" ");
  return h("div", { class: `headline ${tone}`, key: "head" }, h("i", { class: "dot", "aria-hidden": "true" }), h("p", null, h("b", null, title(n)), h("span", { class: "dim" }, ` ${text}`)), state.route.view === "findings" ? null : h("a", { class: "button", href: link(state.world, n.error + n.warning ? "findings" : "overview") }, "What to do"));
}

/** The line to the world, when it does not stand. */
export function lost() {
  const { state: line, why, retryAt } = state.link;
  if (line !== "lost") return null;
  return h("div", { class: "lost", key: "lost" }, h("b", null, "Not connected. "), `${why} What you see is the last that was heard. `, h("span", { "aria-hidden": "true" }, `Next try in ${span(Math.max(0, retryAt - Date.now()))}.`));
}

export function headline() {
  const o = state.overview;
  if (!o) return h("div", { class: "headline", key: "head", "aria-busy": "true" }, h("p", { class: "dim" }, "Asking the world how it is …"));
  const told = signals(o);
  const items = state.findings?.items ?? [];
  const n = o.findings;
  const all = grouped(items);
  const worst = all.filter((f) => f.level !== "notice").slice(0, MOST);
  if (told.every((s) => s.tone === "note") && n.error + n.warning === 0)
    return h("div", { key: "head" }, well(o), n.notice ? h("p", { class: "aside" }, h("a", { href: link(state.world, "findings") }, plural(n.notice, "notice"))) : null, told.length ? h("ul", { class: "findings" }, told.map(signal)) : null);
  const tone = n.error || told.some((s) => s.tone === "bad") ? "bad" : "warn";
  if (state.route.view !== "overview") return elsewhere(tone, n, told);
  const rest = all.length - worst.length;
  return h("div", { key: "head" },
    h("div", { class: `headline ${tone}` }, h("i", { class: "dot", "aria-hidden": "true" }), h("p", null, h("b", null, title(n) || "Look at this.")), items.length && admin() ? h("div", { class: "actions" }, button("Check again", checkAgain)) : null),
    h("ul", { class: "findings" }, worst.map((f) => finding(f)), told.map(signal)),
    rest > 0 && worst.length ? h("p", { class: "aside" }, h("a", { href: link(state.world, "findings") }, `${plural(rest, "more finding")}`)) : null);
}
