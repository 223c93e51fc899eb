// The one dialog: says what will happen, asks what must be known, does it, and shows what went wrong.
import { h, patch } from "./dom.js";

const node = () => document.getElementById("dialog");
let now = null; // { action, values, error, busy }

const seen = (field) => !field.when || field.when(now.values);

function put(name, value) {
  now.values[name] = value;
  draw();
}

function field(f) {
  const id = `field-${f.name}`;
  const props = { id, name: f.name, "aria-describedby": f.hint ? `${id}-hint` : null, autocomplete: "off" };
  const value = now.values[f.name] ?? "";
  const input = f.options
    ? h("select", { ...props, value, onchange: (e) => put(f.name, e.target.value) }, f.options.map(([v, label]) => h("option", { value: v, key: v }, label)))
    : h("input", { ...props, value, type: f.type ?? "text", min: f.min, max: f.max, required: f.required, spellcheck: "false", inputmode: f.type === "number" ? "numeric" : null, oninput: (e) => put(f.name, e.target.value) });
  return h("div", { class: "field", key: f.name }, h("label", { for: id }, f.label), h("span", { class: "input" }, input, f.unit ? h("span", { class: "unit" }, f.unit) : null), f.hint ? h("small", { id: `${id}-hint` }, f.hint) : null);
}

async function submit(event) {
  event.preventDefault();
  if (now.busy) return;
  const mine = now;
  mine.busy = true;
  mine.error = "";
  draw();
  try {
    await mine.action.run(mine.values);
    if (now === mine) node().close();
  } catch (error) {
    mine.error = error.message;
    mine.busy = false;
    if (now === mine) draw();
  }
}

function draw() {
  const { action, values, error, busy } = now;
  const says = [action.says(values)].flat().filter(Boolean);
  patch(node(), [h("form", { onsubmit: submit, novalidate: false },
    h("h2", { id: "dialog-title" }, action.title),
    h("div", { class: "consequences", "aria-live": "polite" }, says.map((text, i) => h("p", { key: `p${i}` }, text))),
    (action.fields ?? []).filter(seen).map(field),
    error ? h("p", { class: "wrong", role: "alert" }, error) : null,
    h("div", { class: "buttons" },
      h("button", { type: "button", onclick: () => node().close() }, "Cancel"),
      h("button", { type: "submit", class: action.danger ? "danger" : "primary", disabled: busy }, busy ? "One moment …" : action.verb)))]);
}

/** { title, says(values): text or texts, fields: [{ name, label, type, value, unit, hint, options, when }], verb, danger, run(values) } */
export function ask(action) {
  const dialog = node();
  now = { action, values: Object.fromEntries((action.fields ?? []).map((f) => [f.name, f.value ?? ""])), error: "", busy: false };
  dialog.onclose = () => {
    now = null;
    patch(dialog, []);
  };
  draw();
  dialog.showModal();
  const first = dialog.querySelector("input, select, button[type=submit]");
  first?.focus();
  first?.select?.();
}
