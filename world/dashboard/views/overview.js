// The first page: what goes on now and did in the last hour, and the fullest rooms and worst nodes.
import { badge } from "../bar.js";
import { chart } from "../chart.js";
import { h } from "../dom.js";
import { count, rate } from "../format.js";
import { change, state } from "../store.js";
import { nodeTable } from "./nodes.js";
import { to } from "./page.js";
import { roomTable } from "./rooms.js";
import { serverTable } from "./servers.js";

const MOST = 8;
const LEAST = 24; // steps of a chart: a young world's are not squeezed into its edge
const last = (values) => values.findLast((v) => v !== null) ?? 0;
const most = (values) => Math.max(0, ...values.map((v) => v ?? 0));

const WINDOW_MS = 5000;

/** What `pick` of the totals grew by, a second, over the last seconds. What does not change is not told: it stays. */
export function perSecond(pick) {
  const end = state.samples.at(-1);
  if (!end || state.samples.length < 2) return end ? 0 : NaN;
  const now = end.now + Math.max(0, Date.now() - end.heard - 1500);
  const base = state.samples.findLast((s) => s.now <= now - WINDOW_MS) ?? state.samples[0];
  return Math.max(0, ((pick(end) - pick(base)) * 1000) / Math.min(WINDOW_MS, Math.max(1000, now - base.now)));
}
export const refusalsOf = (sample) => Object.values(sample.refusals ?? {}).reduce((a, b) => a + b, 0);

/** The history as far back as is asked for, as numbers a second where they are counted a step. */
function past() {
  const { history: hist, hours } = state;
  if (!hist) return null;
  const asked = Math.round((hours * 3600 * 1000) / hist.stepMs);
  const first = hist.connections.findIndex((v) => v !== null);
  const keep = Math.min(asked, Math.max(LEAST, hist.connections.length - Math.max(0, first)));
  const cut = (values) => [...Array(Math.max(0, keep - values.length)).fill(null), ...values.slice(-keep)];
  const each = (values) => cut(values).map((v) => (v === null ? null : (v * 1000) / hist.stepMs));
  const sums = Object.entries(hist.refusals ?? {}).map(([name, values]) => ({ name, values: each(values) })).filter((s) => most(s.values) > 0);
  sums.sort((a, b) => most(b.values) - most(a.values));
  return { stepMs: hist.stepMs, from: hist.from + (hist.connections.length - keep) * hist.stepMs, connections: cut(hist.connections), capacity: cut(hist.capacity), placements: each(hist.placements), refusals: sums, lag: cut(hist.lagMs) };
}

/** The most frequent reasons have a look of their own; the rest is one. */
function reasons(all) {
  const shown = all.slice(0, 5);
  const rest = all.slice(5);
  if (rest.length) shown.push({ name: "other", values: rest[0].values.map((_, i) => rest.reduce((sum, s) => sum + (s.values[i] ?? 0), 0)) });
  return shown.map((s, i) => ({ ...s, name: s.name.replaceAll("_", " "), look: `s${i}` }));
}

const tile = (id, label, value, unit, extra, drawing) => h("section", { class: "tile", key: id, "aria-labelledby": `tile-${id}` },
  h("h2", { id: `tile-${id}` }, label),
  h("p", { class: "figure" }, h("b", { id: `figure-${id}` }, value), unit ? h("span", { class: "unit" }, ` ${unit}`) : null, extra),
  drawing);

function tiles() {
  const o = state.overview;
  const p = past();
  const refused = o ? perSecond(refusalsOf) : NaN;
  const stacked = p ? reasons(p.refusals) : [];
  const draw = (id, label, series, format, says, options = {}) => (p ? chart({ id, label, series, from: p.from, stepMs: p.stepMs, format, says, ...options }) : h("div", { class: "chart plot" }));
  const none = { name: "none", look: "s0", values: p?.connections.map((v) => (v === null ? null : 0)) ?? [] };
  return h("div", { class: "tiles" },
    tile("connections", "Connections", o ? count(o.connections) : "–", o ? `of ${count(o.capacity)}` : "", o && o.reserved + o.returning ? h("span", { class: "dim" }, ` +${count(o.reserved + o.returning)} promised`) : null,
      draw("connections", "Connections and capacity", [{ name: "connections", look: "main", values: p?.connections ?? [] }, { name: "capacity", look: "cap", values: p?.capacity ?? [] }], count, p ? `Now ${count(last(p.connections))}, at most ${count(most(p.connections))} of ${count(last(p.capacity))}.` : "")),
    tile("placements", "Placements", o ? rate(perSecond((s) => s.placements)) : "–", "a second", null,
      draw("placements", "Placements a second", [{ name: "placements/s", look: "main", values: p?.placements ?? [] }], rate, p ? `At most ${rate(most(p.placements))} a second.` : "")),
    tile("refusals", "Refusals", o ? rate(refused) : "–", "a second", stacked.length ? h("span", { class: "legend" }, stacked.map((s) => h("span", { key: s.name }, h("i", { class: `key ${s.look}` }), s.name))) : null,
      draw("refusals", "Refusals a second by reason", stacked.length ? stacked : [none], rate, stacked.length ? stacked.map((s) => `${s.name}: at most ${rate(most(s.values))}`).join("; ") : "There were none.", { stacked: true })),
    tile("lag", "Loop lag", o ? count(o.process.lagMs) : "–", "ms", null,
      draw("lag", "Loop lag in milliseconds", [{ name: "lag", look: "main", values: p?.lag ?? [] }], (v) => `${count(v)} ms`, p ? `At most ${count(most(p.lag))} ms.` : "")));
}

const sum = (o, parts) => parts.filter(([n]) => n > 0).map(([n, label, tone, href]) => h("a", { key: label, href }, badge(`${count(n)} ${label}`, tone)));

function counts() {
  const o = state.overview;
  if (!o) return null;
  const servers = Object.entries(o.servers).map(([name, n]) => [n, name, name === "up" ? "good" : name === "unknown" ? "warn" : "bad", to("servers")]);
  const row = (label, href, kids) => h("div", { key: label }, h("a", { class: "what", href }, label), h("span", { class: "badges" }, kids.length ? kids : h("span", { class: "dim" }, "none")));
  return h("div", { class: "counts" },
    row("Nodes", to("nodes"), sum(o, [[o.nodes.dead, "dead", "bad", to("nodes")], [o.nodes.suspect, "suspect", "warn", to("nodes")], [o.nodes.expected, "expected", "warn", to("nodes")], [o.nodes.draining, "draining", "busy", to("nodes")], [o.nodes.alive, "alive", "good", to("nodes")]])),
    row("Room servers", to("servers"), sum(o, servers)),
    row("Rooms", to("rooms"), sum(o, [[o.rooms, o.rooms === 1 ? "room" : "rooms", "", to("rooms")]])),
    row("Shards", to("shards"), sum(o, [[o.shards.draining, "draining", "busy", to("shards", null, { status: "draining" })], [o.shards.maintenance, "in maintenance", "warn", to("shards", null, { status: "maintenance" })], [o.shards.active, "active", "good", to("shards")]])));
}

const part = (title, href, all, kids) => h("section", { class: "part", key: title }, h("div", { class: "bar-line" }, h("h2", null, title), h("a", { href }, all)), kids);

const ranges = [[1 / 6, "10 min"], [1, "1 h"]];
const range = () => h("div", { class: "range", role: "group", "aria-label": "How far back" }, ranges.map(([hours, label]) => h("button", { type: "button", key: label, "aria-pressed": String(state.hours === hours), onclick: () => change({ hours }) }, label)));

export const overviewView = {
  load: async (w, route, signal) => {
    const page = { limit: 100 };
    const [nodes, rooms, servers] = await Promise.all([w.get(["nodes"], page, signal), w.get(["rooms"], page, signal), w.get(["servers"], page, signal)]);
    return { nodes, rooms, servers };
  },
  draw: () => {
    const { data, error } = state.list;
    return h("div", { class: "overview", key: "overview" },
      h("div", { class: "bar-line" }, h("h1", null, "Overview"), range()),
      tiles(), counts(),
      error ? h("p", { class: "wrong", role: "alert" }, error) : null,
      data ? h("div", { class: "parts" },
        part("Nodes", to("nodes"), "All nodes", nodeTable(data.nodes.items, { most: MOST })),
        part("Rooms", to("rooms"), "All rooms", roomTable(data.rooms.items, { most: MOST })),
        data.servers.items.length ? part("Room servers", to("servers"), "All room servers", serverTable(data.servers.items, { most: MOST })) : null) : null);
  },
};
