// Line and stacked charts over time, drawn as SVG. Values are arrays of numbers (null: not known), one each `stepMs`.
import { h } from "./dom.js";
import { clock, short, span } from "./format.js";
import { change, state } from "./store.js";

const W = 600;
const H = 120;

/** A round number that is not below `n`: 1, 2, 5, 10, … */
function roundUp(n) {
  if (!(n > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 2.5, 5, 10].map((m) => m * ten).find((m) => m >= n * 0.999);
}

const at = (i, length) => (length > 1 ? (i * W) / (length - 1) : W).toFixed(1);
const up = (v, top) => (H - (Math.min(v, top) * (H - 2)) / top).toFixed(1);

/** The path through the values; gaps are left open. */
function line(values, top) {
  let path = "";
  let pen = false;
  values.forEach((v, i) => {
    if (v === null) pen = false;
    else {
      path += `${pen ? "L" : "M"}${at(i, values.length)} ${up(v, top)}`;
      pen = true;
    }
  });
  return path;
}

/** What lies between two lines, where the upper one is known. */
function area(low, high, top) {
  const n = high.length;
  const known = [...high.keys()].filter((i) => high[i] !== null);
  const there = known.map((i) => `${at(i, n)} ${up(high[i], top)}`);
  const back = known.map((i) => `${at(i, n)} ${up(low[i] ?? 0, top)}`).reverse();
  return known.length ? `M${there.join("L")}L${back.join("L")}Z` : "";
}

/** Each series on those before it. */
function stack(series) {
  let below = series[0]?.values.map(() => 0) ?? [];
  return series.map((s) => {
    const low = below;
    below = s.values.map((v, i) => (v === null ? null : v + (low[i] ?? 0)));
    return { ...s, low, high: below };
  });
}

function pointed(event, length, id) {
  const box = event.currentTarget.getBoundingClientRect();
  const i = Math.round(((event.clientX - box.left) / box.width) * (length - 1));
  change({ hover: { id, index: Math.max(0, Math.min(length - 1, i)) } });
}

function keyed(event, length, id) {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
  if (event.key === "Escape") change({ hover: null });
  if (!step || !length) return;
  event.preventDefault();
  const i = (state.hover?.id === id ? state.hover.index : length - 1) + step;
  change({ hover: { id, index: Math.max(0, Math.min(length - 1, i)) } });
}

/** { id, label, series: [{ name, values, look }], stacked, from, stepMs, format, says }: `look` is a class, `line` or an `s0` to `s5`;
 * `says` is the chart in a sentence. */
export function chart({ id, label, series, stacked = false, from, stepMs, format, says }) {
  const shown = stacked ? stack(series) : series.map((s) => ({ ...s, low: s.values.map(() => 0), high: s.values }));
  const length = series[0]?.values.length ?? 0;
  const top = roundUp(Math.max(0, ...shown.flatMap((s) => s.high.map((v) => v ?? 0))));
  const hover = state.hover?.id === id && state.hover.index < length ? state.hover.index : null;
  const readout = hover === null ? null : h("div", { class: `readout${hover > length / 2 ? " left" : ""}`, role: "status" },
    h("b", null, clock(from + hover * stepMs)),
    series.map((s) => h("span", null, h("i", { class: `key ${s.look}` }), `${s.name} `, h("b", null, s.values[hover] === null ? "–" : format(s.values[hover])))));
  return h("div", { class: "chart" },
    h("div", { class: "plot", tabindex: "0", role: "img", "aria-label": `${label}. ${says}`, onpointermove: (e) => pointed(e, length, id), onpointerleave: () => change({ hover: null }), onblur: () => change({ hover: null }), onkeydown: (e) => keyed(e, length, id) },
      h("span", { class: "top", "aria-hidden": "true" }, short(top)),
      h("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
        h("path", { class: "grid", d: `M0 1H${W}M0 ${H / 2}H${W}M0 ${H - 0.5}H${W}` }),
        shown.map((s) => s.look === "cap"
          ? h("path", { class: "cap", d: line(s.high, top) })
          : [h("path", { class: `${stacked ? "layer" : "area"} ${s.look}`, d: area(s.low, s.high, top) }), stacked ? null : h("path", { class: `edge ${s.look}`, d: line(s.high, top) })]),
        hover === null ? null : h("path", { class: "cross", d: `M${at(hover, length)} 0V${H}` })),
      readout),
    h("div", { class: "times", "aria-hidden": "true" }, h("span", null, length ? `${span(length * stepMs)} ago` : ""), h("span", null, "now")));
}
