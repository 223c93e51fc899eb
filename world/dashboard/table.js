// Tables: a row a thing, its first column names it and leads to it; headers sort what is on the page.
import { h } from "./dom.js";
import { clip } from "./format.js";
import { change, state } from "./store.js";

/** The name of something, whatever characters it is made of. */
export const name = (text, max) => h("bdi", { class: "name", title: clip(text, 400) }, text === "" ? h("i", null, "(empty)") : clip(text, max));

/** A shard's id, so that its end is always seen. */
export function shardName(id) {
  if (id.length < 12) return name(id);
  return h("span", { class: "shard", title: clip(id, 400) }, h("bdi", null, clip(id.slice(0, -8), 80)), h("bdi", null, clip(id.slice(-8), 40)));
}

function order(view, columns, first) {
  const chosen = state.sort[view] ?? first;
  const column = columns.find((c) => c.key === chosen?.key && c.sort);
  return column ? { column, down: chosen.down } : null;
}

function sorted(items, by) {
  if (!by) return items;
  const value = by.column.sort;
  const sign = by.down ? -1 : 1;
  return [...items].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return sign * (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
  });
}

function head(view, column, by) {
  const active = by?.column === column;
  const props = { scope: "col", class: column.class ?? "", "aria-sort": active ? (by.down ? "descending" : "ascending") : null };
  if (!column.sort) return h("th", props, column.label);
  const turn = () => change({ sort: { ...state.sort, [view]: { key: column.key, down: active ? !by.down : column.down ?? false } } });
  return h("th", props, h("button", { type: "button", class: "sort", onclick: turn }, column.label, h("i", { "aria-hidden": "true" }, active ? (by.down ? "↓" : "↑") : "")));
}

/** { view, caption, columns: [{ key, label, cell, sort, down, class }], items, id, href, first, most, empty } */
export function table({ view, caption, columns, items, id, href, first, most = Infinity, empty = "Nothing here." }) {
  if (items.length === 0) return h("p", { class: "empty" }, empty);
  const by = order(view, columns, first);
  const cells = (item) => columns.map((c, i) => {
    const content = c.cell(item);
    if (i > 0) return h("td", { class: c.class ?? "" }, content);
    return h("th", { scope: "row", class: c.class ?? "" }, href ? h("a", { href: href(item) }, content) : content);
  });
  return h("div", { class: "scroll" },
    h("table", null,
      h("caption", { class: "unseen" }, caption),
      h("thead", null, h("tr", null, columns.map((c) => head(view, c, by)))),
      h("tbody", null, sorted(items, by).slice(0, most).map((item) => h("tr", { key: id(item), class: state.route.id === id(item) ? "chosen" : "" }, cells(item))))));
}
