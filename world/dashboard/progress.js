// What has been ordered and takes its time: asked once a second until it is done, shown above every view.
import { Refused } from "./api.js";
import { badge } from "./bar.js";
import { h } from "./dom.js";
import { count, span } from "./format.js";
import { change, say, state } from "./store.js";

const POLL_MS = 1000;
const PATIENCE = 20; // readings in a row that may fail
let serial = 0;

const put = (id, patch) => change({ work: state.work.map((w) => (w.id === id ? { ...w, ...patch } : w)) });
const gone = (id) => !state.work.some((w) => w.id === id);

/** Begins to watch. `look()` answers { left, done, text }: how many are left, whether it is over, and what to say then;
 * `total`: how many there are at first. */
export function watch({ title, unit, total, look }) {
  const id = ++serial;
  const { api } = state;
  change({ work: [...state.work.filter((w) => w.title !== title), { id, title, unit, total, left: total, begun: Date.now(), done: false, text: "", error: "" }].slice(-8) });
  say(`${title}: begun`);
  let failures = 0;
  const step = async () => {
    if (gone(id) || state.api !== api) return;
    try {
      const seen = await look();
      failures = 0;
      put(id, { left: seen.left, total: Math.max(total, seen.left), done: seen.done, text: seen.text ?? "", error: "" });
      if (seen.done) {
        put(id, { ended: Date.now() });
        say(`${title}: ${seen.text}`);
        return;
      }
    } catch (error) {
      if (!(error instanceof Refused) || ++failures > PATIENCE || error.status === 403) return put(id, { error: error.message, done: true, ended: Date.now(), failed: true });
      put(id, { error: error.message });
    }
    setTimeout(step, POLL_MS);
  };
  step();
}

function item(w) {
  const over = Math.max(0, w.total - w.left);
  const state_ = w.failed ? badge("not followed any more", "bad") : w.done ? badge("done", "good") : badge("under way", "busy");
  const left = w.done ? w.text : `${count(w.left)} of ${count(w.total)} ${w.unit} left`;
  return h("li", { key: String(w.id), class: w.done ? "over" : "" },
    h("div", { class: "work-title" }, state_, h("b", null, w.title)),
    h("progress", { max: String(Math.max(1, w.total)), value: w.done && !w.failed ? Math.max(1, w.total) : over, "aria-label": w.title }),
    h("div", { class: "work-text" }, w.error || left, h("span", { class: "dim" }, `  ${span((w.ended ?? Date.now()) - w.begun)}`)),
    h("button", { type: "button", class: "quiet", "aria-label": `Dismiss: ${w.title}`, onclick: () => change({ work: state.work.filter((x) => x.id !== w.id) }) }, w.done ? "Dismiss" : "Hide"));
}

export const progress = () => (state.work.length ? h("section", { class: "work", "aria-label": "Under way" }, h("ul", null, state.work.map(item))) : null);
