// Rooms, and where a newcomer of one would go.
import { button, buttons, kick, moveRoom, scaleRoom } from "../actions.js";
import { badge, bar } from "../bar.js";
import { h } from "../dom.js";
import { count, plural } from "../format.js";
import { state } from "../store.js";
import { name, shardName, table } from "../table.js";
import { facts, listing, more, pane, query, to } from "./page.js";

const promised = (r) => r.reserved + r.returning;
const load = (r) => (r.maxConnections > 0 ? (r.currentConnections + promised(r)) / r.maxConnections : 0);

function shards(r) {
  const { total, maintenance, draining } = r.shards;
  return [count(total), draining ? h("span", { class: "aside" }, ` ${count(draining)} draining`) : null, maintenance ? h("span", { class: "aside" }, ` ${count(maintenance)} in maintenance`) : null];
}

const columns = [
  { key: "name", label: "Room", sort: (r) => r.name, cell: (r) => [name(r.name), r.leaving ? badge("leaving", "busy") : null], class: "wide" },
  { key: "load", label: "Seats", sort: load, down: true, cell: (r) => bar(r.currentConnections, promised(r), r.maxConnections), class: "loads" },
  { key: "shards", label: "Shards", sort: (r) => r.shards.total, down: true, cell: shards, class: "n" },
  { key: "strategy", label: "Strategy", sort: (r) => r.balancingStrategy, cell: (r) => r.balancingStrategy, class: "p2" },
  { key: "server", label: "Room server", sort: (r) => r.server ?? "", cell: (r) => (r.server ? name(r.server, 40) : h("span", { class: "dim" }, "nodes choose")), class: "p3" },
];

export const roomTable = (items, options = {}) => table({ view: "rooms", caption: "Rooms", columns, items, id: (r) => r.name, href: (r) => to("rooms", r.name, state.route.view === "rooms" ? state.route.query : {}), first: { key: "load", down: true }, empty: "No room. One is made when a client asks for it, or by `worldctl rooms apply`.", ...options });

/* ---- one room */

const reasons = { full: "full", maintenance: "in maintenance", draining: "draining", node: "its node is not usable", silent: "not heard of for long" };

/** What tells the shards of a room apart. */
function tail(shardId) {
  const head = `${state.route.id}:${state.world}:`;
  return shardId.startsWith(head) ? shardId.slice(head.length) : shardId;
}

const shardColumns = [
  { key: "shard", label: "Shard", sort: (s) => s.shardId, cell: (s) => shardName(tail(s.shardId)), class: "wide" },
  { key: "load", label: "Seats", sort: (s) => s.used, down: true, cell: (s) => bar(s.open, s.reserved + s.returning, s.maxConnections), class: "loads" },
  { key: "takes", label: "Newcomers", sort: (s) => (s.selectable ? "" : s.reason), cell: (s) => (s.selectable ? badge("yes", "good") : badge(reasons[s.reason] ?? s.reason, "warn")) },
];

const whyNot = { full: "all of its shards are full", no_active: "no shard is active", no_shards: "it has no shards", no_node: "no node serves it" };

function verdict(e) {
  if (e.chosen) return h("p", { class: "verdict good" }, "A newcomer would go to ", h("a", { href: to("shards", e.chosen) }, name(tail(e.chosen), 40)), `: ${e.why}.`);
  const refused = whyNot[e.why];
  return h("p", { class: `verdict ${refused ? "bad" : ""}` }, refused ? `A newcomer would be refused: ${refused}.` : `A newcomer: ${e.why}.`);
}

function drawRoom({ room, explain }) {
  return [
    bar(room.currentConnections, promised(room), room.maxConnections),
    verdict(explain),
    buttons(button("Scale …", () => scaleRoom(room)), button("Move to a room server …", () => moveRoom(room)), button("Kick a session …", () => kick(room), true)),
    facts(["Shards", plural(room.shards.total, "shard")], ["Strategy", room.balancingStrategy], ["Who may come", room.public ? "everybody" : "who has a token for it"], ["Seats in a new shard", count(room.maxPlayersPerShard)], ["Fewest and most shards", `${count(room.minShards)} to ${room.maxShards ? count(room.maxShards) : "any number"}`], ["Room server", room.server ? h("a", { href: to("servers", room.server) }, name(room.server)) : "nodes choose"]),
    h("h3", null, "Shards"),
    table({ view: "room-shards", caption: "Shards of the room", columns: shardColumns, items: explain.items, id: (s) => s.shardId, href: (s) => to("shards", s.shardId), empty: "No shard yet." }),
    more(explain, "shard", to("shards", null, { room: room.name })),
  ];
}

export const roomsView = {
  load: (w, route, signal) => w.get(["rooms"], query(route), signal),
  detail: async (w, id, signal) => {
    const [room, explain] = await Promise.all([w.get(["rooms", id], {}, signal), w.get(["rooms", id, "explain"], { limit: 50 }, signal)]);
    return { room, explain };
  },
  draw: () => listing({ view: "rooms", title: "Rooms", what: "rooms", total: state.overview?.rooms, rows: roomTable }),
  drawDetail: () => pane({ kind: "Room", draw: drawRoom }),
};
