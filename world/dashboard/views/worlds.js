// The worlds that this process decides for.
import { badge, bar } from "../bar.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { link } from "../route.js";
import { change, state } from "../store.js";
import { name, table } from "../table.js";

const trouble = (w) => 1e6 * w.findings.error + w.findings.warning;

function findings({ error, warning }) {
  if (error) return badge(`${count(error)} ${error === 1 ? "error" : "errors"}`, "bad");
  return warning ? badge(`${count(warning)} ${warning === 1 ? "warning" : "warnings"}`, "warn") : badge("all well", "good");
}

const columns = [
  { key: "world", label: "World", sort: (w) => w.worldId, cell: (w) => name(w.worldId), class: "wide" },
  { key: "findings", label: "Findings", sort: trouble, down: true, cell: (w) => findings(w.findings) },
  { key: "load", label: "Connections", sort: (w) => w.connections, down: true, cell: (w) => bar(w.connections, 0, w.capacity), class: "loads" },
  { key: "rooms", label: "Rooms", sort: (w) => w.rooms, down: true, cell: (w) => count(w.rooms), class: "n p2" },
  { key: "shards", label: "Shards", sort: (w) => w.shards, down: true, cell: (w) => count(w.shards), class: "n p2" },
];

export const worldsView = {
  load: async () => {
    const { items } = await state.api.worlds();
    change({ worlds: [...new Set([...state.worlds, ...items.map((w) => w.worldId)])].sort() });
    return { items };
  },
  draw: () => {
    const { data, error } = state.list;
    return h("section", { class: "list", key: "worlds", "aria-labelledby": "view-title" },
      h("div", { class: "bar-line" }, h("h1", { id: "view-title" }, "Worlds"), h("span", { class: "dim" }, "of this process; others are found by name, above")),
      error ? h("p", { class: "wrong", role: "alert" }, error) : null,
      data ? table({ view: "worlds", caption: "Worlds", columns, items: data.items, id: (w) => w.worldId, href: (w) => link(w.worldId, "overview"), first: { key: "findings", down: true }, empty: "This process decides for no world." }) : h("p", { class: "empty", "aria-busy": "true" }, error ? "" : "Reading …"));
  },
};
