// Shards, and what the seats of one are made of.
import { button, buttons, drainShard, maintainShard, moveShard, undrainShard } from "../actions.js";
import { badge, bar } from "../bar.js";
import { h } from "../dom.js";
import { ago, count, plural, span } from "../format.js";
import { link } from "../route.js";
import { state } from "../store.js";
import { name, shardName, table } from "../table.js";
import { facts, listing, pane, query, to } from "./page.js";

const tones = { active: "good", maintenance: "warn", draining: "busy" };
const promised = (s) => s.reserved + s.returning;

const columns = [
  { key: "shard", label: "Shard", sort: (s) => s.shardId, cell: (s) => shardName(s.shardId), class: "wide" },
  { key: "room", label: "Room", sort: (s) => s.roomId, cell: (s) => name(s.roomId, 32), class: "p2" },
  { key: "load", label: "Seats", sort: (s) => (s.currentConnections + promised(s)) / s.maxConnections, down: true, cell: (s) => bar(s.currentConnections, promised(s), s.maxConnections), class: "loads" },
  { key: "status", label: "Status", sort: (s) => s.status, cell: (s) => badge(s.status, tones[s.status]) },
  { key: "node", label: "Node", sort: (s) => s.node ?? "", cell: (s) => (s.node ? name(s.node, 24) : h("span", { class: "dim" }, "none")), class: "p3" },
];

const href = (s) => to("shards", s.shardId, state.route.view === "shards" ? state.route.query : {});
export const shardTable = (items, options = {}) => table({ view: "shards", caption: "Shards", columns, items, id: (s) => s.shardId, href, empty: "No shard.", ...options });

function filters() {
  const { query: q } = state.route;
  const choose = (event) => (location.hash = link(state.world, "shards", null, { ...q, status: event.target.value, after: "", before: "" }));
  const drop = (key) => link(state.world, "shards", null, { ...q, [key]: "", after: "", before: "" });
  return [
    h("select", { class: "filter", key: "status", "aria-label": "Status", value: q.status ?? "", onchange: choose }, [["", "any status"], ["active", "active"], ["maintenance", "in maintenance"], ["draining", "draining"]].map(([v, label]) => h("option", { value: v, key: v }, label))),
    ["room", "node"].filter((k) => q[k]).map((k) => h("a", { class: "chip", key: k, href: drop(k), "aria-label": `No longer only ${k} ${q[k].slice(0, 60)}` }, `${k}: `, name(q[k], 24), " ×")),
  ];
}

/* ---- one shard */

function promises(seats) {
  if (!seats.promises.length) return null;
  const first = Math.min(...seats.promises.map((p) => p.endsInMs));
  return `${count(seats.reserved)}; the next end in ${span(first)}`;
}

const nodeColumns = [
  { key: "node", label: "Node", cell: (n) => [name(n.node, 32), n.owner ? h("span", { class: "aside" }, " owner") : null], class: "wide" },
  { key: "open", label: "Open", cell: (n) => count(n.open), class: "n" },
  { key: "returning", label: "Returning", cell: (n) => count(n.returning), class: "n" },
  { key: "sessions", label: "Sessions", cell: (n) => count(n.sessions), class: "n" },
];

function drawShard({ shard: s, seats }) {
  const drain = s.drain?.deadlineMs ? `${span(s.drain.deadlineMs)} for ${plural(s.currentConnections, "client")}` : s.status === "draining" ? "no deadline" : null;
  return [
    bar(s.currentConnections, promised(s), s.maxConnections),
    buttons(
      s.status === "draining" ? button("Take back …", () => undrainShard(s)) : button("Drain …", () => drainShard(s), true),
      s.status === "active" ? button("Maintenance …", () => maintainShard(s)) : null,
      s.status === "maintenance" ? button("Make active …", () => undrainShard(s)) : null,
      button("Move to a node …", () => moveShard(s))),
    facts(["Status", badge(s.status, tones[s.status])], ["Drain", drain], ["Room", h("a", { href: to("rooms", s.roomId) }, name(s.roomId))], ["Node", s.node ? h("a", { href: to("nodes", s.node) }, name(s.node)) : "none"],
      ["Open", count(seats.open)], ["Promised", promises(seats)], ["Kept for those who come back", seats.returning ? count(seats.returning) : null], ["Kept by the world", seats.kept ? `${count(seats.kept)}, for ${span(seats.keptEndsInMs)}` : null], ["Free", count(seats.free)],
      ["Heard of", ago(s.lastHeartbeat, Date.now())], ["Address", name(s.url)]),
    seats.nodes.length ? [h("h3", null, "Held by"), table({ view: "seats", caption: "What each node holds", columns: nodeColumns, items: seats.nodes, id: (n) => n.node, href: (n) => to("nodes", n.node) })] : null,
  ];
}

export const shardsView = {
  load: (w, route, signal) => w.get(["shards"], query(route, { room: route.query.room, node: route.query.node, status: route.query.status }), signal),
  detail: async (w, id, signal) => {
    const [shard, seats] = await Promise.all([w.get(["shards", id], {}, signal), w.get(["shards", id, "seats"], {}, signal)]);
    return { shard, seats };
  },
  draw: () => listing({ view: "shards", title: "Shards", what: "shards", total: state.route.query.q || state.route.query.room || state.route.query.node || state.route.query.status ? undefined : state.overview?.shards.total, more: filters(), rows: shardTable }),
  drawDetail: () => pane({ kind: "Shard", draw: drawShard }),
};
