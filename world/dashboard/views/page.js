// What the views of lists have in common: search, pages, and the pane beside the list.
import { h } from "../dom.js";
import { count, plural } from "../format.js";
import { link } from "../route.js";
import { state } from "../store.js";
import { name } from "../table.js";

export const LIMIT = 100;

/** Where a thing of this world is shown. */
export const to = (view, id, query) => link(state.world, view, id, query);

/** The query of a list's request, of what the route says. */
export const query = (route, more = {}) => ({ limit: LIMIT, q: route.query.q, after: route.query.after, ...more });

let typed = null;
function search(event) {
  const q = event.target.value;
  clearTimeout(typed);
  typed = setTimeout(() => {
    const { view, query: old } = state.route;
    location.replace(link(state.world, view, null, { ...old, q, after: "", before: "" }));
  }, 200);
}

const searchField = (view, what) => h("input", { type: "search", key: `q-${view}`, id: "search", class: "search", value: state.route.query.q ?? "", placeholder: `Search ${what}`, "aria-label": `Search ${what}`, autocomplete: "off", spellcheck: "false", oninput: search, "aria-keyshortcuts": "/" });

/** Cursors lead forward only; the way back is kept in the hash. */
function pager(data) {
  const { view, query: q } = state.route;
  const trail = q.before ? q.before.split(" ") : [];
  if (!data.next && !q.after) return null;
  const back = trail.length ? trail.slice(0, -1).join(" ") : "";
  return h("nav", { class: "pager", "aria-label": "Pages" },
    q.after ? h("a", { class: "button", href: link(state.world, view, null, { ...q, after: trail.at(-1) === "-" ? "" : trail.at(-1), before: back }) }, "← Previous") : null,
    h("span", { class: "dim" }, `page ${trail.length + 1}, sorted within it`),
    data.next ? h("a", { class: "button", href: link(state.world, view, null, { ...q, after: data.next, before: [...trail, q.after || "-"].join(" ") }) }, "Next →") : null);
}

/** The list of a view with its head; `more`: further controls; `rows(items)`: the table. */
export function listing({ view, title, what, total, more, rows }) {
  const { data, error, busy } = state.list;
  const shown = data ? (data.next || state.route.query.after ? `${count(data.items.length)} of ${total === undefined ? "many" : count(total)}` : count(data.items.length)) : "";
  return h("section", { class: "list", key: view, "aria-labelledby": "view-title" },
    h("div", { class: "bar-line" }, h("h1", { id: "view-title" }, title, h("span", { class: "dim num" }, ` ${shown}`)), searchField(view, what), more),
    error ? h("p", { class: "wrong", role: "alert" }, error) : null,
    data ? [rows(data.items), pager(data)] : h("p", { class: "empty", "aria-busy": "true" }, busy || !error ? "Reading …" : ""));
}

/** Facts as pairs; those without a value are left out. */
export const facts = (...pairs) => h("dl", { class: "facts" }, pairs.filter(([, v]) => v !== null && v !== undefined && v !== "").map(([k, v]) => h("div", null, h("dt", null, k), h("dd", null, v))));

/** The pane of the thing that the route names. */
export function pane({ kind, draw }) {
  const { view, id, query: q } = state.route;
  if (id === null) return null;
  const { data, error } = state.detail;
  return h("aside", { class: "pane", key: `pane-${id}`, "aria-labelledby": "pane-title" },
    h("div", { class: "pane-head" }, h("div", null, h("p", { class: "kind" }, kind), h("h2", { id: "pane-title", tabindex: "-1" }, name(id, 200))), h("a", { class: "button quiet", id: "pane-close", href: link(state.world, view, null, q) }, "Close")),
    error ? h("p", { class: "wrong", role: "alert" }, error) : null,
    data ? draw(data) : error ? null : h("p", { class: "empty", "aria-busy": "true" }, "Reading …"));
}

export const more = (page, what, href) => (page.next ? h("p", { class: "dim" }, `The first ${plural(page.items.length, what)}. `, h("a", { href }, "All of them")) : null);

