// Room servers.
import { button, buttons, drainServer, removeServer } from "../actions.js";
import { badge } from "../bar.js";
import { count } from "../format.js";
import { state } from "../store.js";
import { name, table } from "../table.js";
import { facts, listing, pane, query, to } from "./page.js";

const tones = { up: "good", unknown: "warn", down: "bad", dead: "bad" };
const order = ["dead", "down", "unknown", "up"];

const serverState = (s) => (s.draining && s.state === "up" ? badge("draining", "busy") : badge(s.state, tones[s.state]));

const columns = [
  { key: "server", label: "Room server", sort: (s) => s.server, cell: (s) => name(s.server), class: "wide" },
  { key: "state", label: "State", sort: (s) => order.indexOf(s.state), cell: serverState },
  { key: "rooms", label: "Rooms", sort: (s) => s.rooms, down: true, cell: (s) => count(s.rooms), class: "n" },
  { key: "awaited", label: "Awaited", sort: (s) => s.awaited, down: true, cell: (s) => count(s.awaited), class: "n p2" },
  { key: "from", label: "Known by", cell: (s) => (s.configured ? "ROOM_SERVERS" : "an operator"), class: "p3" },
];

export const serverTable = (items, options = {}) => table({ view: "servers", caption: "Room servers", columns, items, id: (s) => s.server, href: (s) => to("servers", s.server, state.route.view === "servers" ? state.route.query : {}), first: { key: "state", down: false }, empty: "The world knows no room servers: nodes choose among their own ROOM_SERVERS.", ...options });

const drawServer = (s) => [
  buttons(s.draining ? button("Take back …", () => drainServer(s, false)) : button("Drain …", () => drainServer(s), true), s.configured ? null : button("Remove …", () => removeServer(s), true)),
  facts(["State", serverState(s)], ["Rooms on it", count(s.rooms)], ["Rooms that wait for it", count(s.awaited)], ["Known by", s.configured ? "ROOM_SERVERS" : "an operator"], ["Draining", s.draining ? "yes" : "no"]),
];

export const serversView = {
  load: (w, route, signal) => w.get(["servers"], query(route), signal),
  detail: (w, id, signal) => w.get(["servers", id], {}, signal),
  draw: () => listing({ view: "servers", title: "Room servers", what: "room servers", rows: serverTable }),
  drawDetail: () => pane({ kind: "Room server", draw: drawServer }),
};
