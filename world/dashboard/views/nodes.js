// Shard nodes.
import { button, buttons, drainNode, forgetNode, undrainNode } from "../actions.js";
import { badge, bar } from "../bar.js";
import { h } from "../dom.js";
import { count, span } from "../format.js";
import { state } from "../store.js";
import { name, table } from "../table.js";
import { facts, listing, more, pane, query, to } from "./page.js";
import { shardTable } from "./shards.js";

const tones = { alive: "good", expected: "warn", suspect: "warn", dead: "bad", gone: "" };
const worst = ["dead", "suspect", "expected"];
const rank = (n) => (worst.includes(n.state) ? `${worst.indexOf(n.state)}` : n.draining ? "3" : n.usable ? "5" : "4");

function nodeState(n) {
  if (n.draining && (n.state === "alive" || n.state === "suspect")) return badge("draining", "busy");
  if (n.state === "alive" && !n.usable) return badge("not usable", "warn");
  return badge(n.state, tones[n.state]);
}

const columns = [
  { key: "node", label: "Node", sort: (n) => n.node, cell: (n) => name(n.node, 40), class: "wide" },
  { key: "state", label: "State", sort: rank, cell: nodeState },
  { key: "load", label: "Connections", sort: (n) => n.currentConnections / (n.maxConnections || 1), down: true, cell: (n) => bar(n.currentConnections, 0, n.maxConnections), class: "loads" },
  { key: "shards", label: "Shards", sort: (n) => n.shards, down: true, cell: (n) => count(n.shards), class: "n p2" },
  { key: "lag", label: "Loop lag", sort: (n) => n.lagMs, down: true, cell: (n) => `${count(n.lagMs)} ms`, class: "n p3" },
  { key: "version", label: "Version", sort: (n) => n.version, cell: (n) => n.version || "–", class: "p3" },
];

const href = (n) => to("nodes", n.node, state.route.view === "nodes" ? state.route.query : {});
export const nodeTable = (items, options = {}) => table({ view: "nodes", caption: "Nodes", columns, items, id: (n) => n.node, href, first: { key: "state", down: false }, empty: "No node has reported to this world yet.", ...options });

function drawNode({ node: n, shards }) {
  const lives = n.state === "alive" || n.state === "suspect";
  return [
    bar(n.currentConnections, 0, n.maxConnections),
    buttons(
      n.draining ? button("Take back …", () => undrainNode(n)) : lives ? button("Drain …", () => drainNode(n), true) : null,
      lives ? null : button("Forget …", () => forgetNode(n), true)),
    facts(["State", nodeState(n)], ["Drain", n.drain?.deadlineMs ? `${span(n.drain.deadlineMs)} left` : n.draining ? "no deadline" : null], ["Takes shards", n.usable ? "yes" : "no"], ["Shards", count(n.shards)], ["Adopted", n.adopted ? count(n.adopted) : null], ["Loop lag", `${count(n.lagMs)} ms`], ["Last heard", `${span(n.silentMs)} ago`], ["Version", n.version], ["Address for clients", name(n.url)], ["Address for nodes", name(n.internalUrl)]),
    h("h3", null, "Shards"),
    shardTable(shards.items, { view: "node-shards", href: (s) => to("shards", s.shardId), empty: "It has no shard." }),
    more(shards, "shard", to("shards", null, { node: n.node })),
  ];
}

export const nodesView = {
  load: (w, route, signal) => w.get(["nodes"], query(route), signal),
  detail: async (w, id, signal) => {
    const [node, shards] = await Promise.all([w.get(["nodes", id], {}, signal), w.get(["shards"], { node: id, limit: 50 }, signal)]);
    return { node, shards };
  },
  draw: () => listing({ view: "nodes", title: "Nodes", what: "nodes", rows: nodeTable }),
  drawDetail: () => pane({ kind: "Node", draw: drawNode }),
};
