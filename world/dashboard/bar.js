// How full something is.
import { h } from "./dom.js";
import { count, percent } from "./format.js";

const width = (part, whole) => `${whole > 0 ? Math.min(100, (100 * part) / whole).toFixed(1) : 0}%`;

/** A bar of `open`, then `promised` (reserved and returning), of `max`; its numbers stand beside it. */
export function bar(open, promised, max) {
  const used = open + promised;
  const level = max > 0 && used >= max ? "full" : max > 0 && used >= 0.85 * max ? "high" : "";
  const words = `${count(open)} of ${count(max)} seats taken${promised ? `, ${count(promised)} promised` : ""}`;
  return h("span", { class: `load ${level}`, title: words },
    h("svg", { class: "bar", role: "img", "aria-label": words, focusable: "false" },
      h("rect", { class: "track", width: "100%", height: "100%", rx: "3" }),
      h("rect", { class: "promised", width: width(used, max), height: "100%", rx: "3" }),
      h("rect", { class: "open", width: width(open, max), height: "100%", rx: "3" })),
    h("span", { class: "num" }, count(open), h("span", { class: "of" }, ` / ${count(max)}`)),
    h("span", { class: "pct" }, percent(used, max)));
}

export const badge = (text, tone = "") => h("span", { class: `badge ${tone}` }, h("i", { class: "dot", "aria-hidden": "true" }), text);
