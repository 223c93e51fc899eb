// What stands around every view: the world, the ways, the line, the token.
import { h } from "./dom.js";
import { clip, span } from "./format.js";
import { headline, lost } from "./head.js";
import { progress } from "./progress.js";
import { link, views } from "./route.js";
import { admin, change, state } from "./store.js";
import { viewOf } from "./views.js";

export const SOON_MS = 5 * 60 * 1000; // before a token ends
const OTHER = "\u0000"; // no world is called so

function worlds(act) {
  const pick = (event) => {
    const { value } = event.target;
    event.target.value = state.world;
    if (value === OTHER) act.otherWorld();
    else location.hash = link(value, state.route.view === "findings" ? "findings" : "overview");
  };
  const all = [...new Set([...state.worlds, state.world])];
  return h("select", { class: "worlds", "aria-label": "World", value: state.world, onchange: pick }, all.map((w) => h("option", { value: w, key: w }, clip(w, 40))), h("option", { value: OTHER, key: "other" }, "Another world …"));
}

function tab([name, label]) {
  const f = state.overview?.findings;
  const n = name === "findings" && f ? f.error + f.warning : 0;
  return h("a", { key: name, href: link(state.world, name), "aria-current": state.route.view === name ? "page" : null }, label, n ? h("span", { class: `count ${f.error ? "bad" : "warn"}` }, String(n), h("span", { class: "unseen" }, " open")) : null);
}

const lineWords = { live: "live", lost: "not connected", connecting: "connecting" };
const line = () => h("span", { class: `line ${state.link.state}` }, h("i", { class: "dot", "aria-hidden": "true" }), lineWords[state.link.state]);

function token() {
  const { exp } = state.api.info;
  const left = exp === null ? null : exp - Date.now();
  return [admin() ? null : h("span", { class: "badge" }, "read only"),
    left === null ? null : h("span", { class: left < SOON_MS ? "token soon" : "token" }, left > 0 ? `token: ${span(left)} left` : "token ended")];
}

const themes = { auto: "light", light: "dark", dark: "auto" };

export const themeButton = () => h("button", { type: "button", class: "quiet", id: "theme", onclick: () => setTheme(themes[state.theme]) }, `Theme: ${state.theme}`);

export function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  change({ theme });
}

/** Everything of a page that is signed in. `act`: { signOut(), otherWorld() } */
export function shell(act) {
  const view = viewOf(state.route.view);
  const pane = view.drawDetail?.() ?? null;
  return [
    h("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); document.getElementById("main").focus(); } }, "To the content"),
    h("header", { class: "top", key: "top" },
      h("span", { class: "brand" }, "Terrane"), worlds(act), h("span", { class: "space" }), line(), token(), themeButton(),
      h("button", { type: "button", class: "quiet", onclick: act.signOut }, "Sign out")),
    h("nav", { class: "tabs", key: "tabs", "aria-label": "Views" }, views.map(tab)),
    h("main", { id: "main", key: "main", tabindex: "-1", class: state.link.state === "lost" ? "stale" : "" },
      lost(), headline(), progress(),
      h("div", { class: pane ? "split" : "whole" }, view.draw(), pane)),
    h("footer", { key: "foot" }, state.overview ? ["terrane-world", state.overview.process.version, clip(state.overview.process.id ?? "", 40)].filter(Boolean).join(" ") : ""),
  ];
}
