// Puts the page together: signed in or not, and where.
import { ask } from "./dialog.js";
import { patchRoot } from "./dom.js";
import { follow, moved, refresh, unfollow } from "./live.js";
import { link, readRoute, views } from "./route.js";
import { SOON_MS, setTheme, shell } from "./shell.js";
import { signin } from "./signin.js";
import { change, forget, onChange, say, state } from "./store.js";

const root = document.getElementById("app");
const FIRST = "world-default";

function signOut(reason = "") {
  unfollow();
  if (document.getElementById("dialog").open) document.getElementById("dialog").close();
  forget(reason);
}

function enter(api, worlds) {
  const named = api.info.worlds.filter((w) => w !== "*");
  const all = [...new Set([...worlds, ...named])].sort();
  const { world } = state.route;
  const begin = all.includes(world) || (world && api.info.worlds.includes("*")) ? world : all.includes(FIRST) ? FIRST : all[0] ?? FIRST;
  change({ api, worlds: all, reason: "" });
  say("Signed in");
  if (state.route.world !== begin) location.replace(link(begin, "overview"));
  go(true);
}

/** The hash has changed, or somebody has signed in. */
function go(entered = false) {
  const old = state.route;
  const route = readRoute();
  change({ route });
  if (!state.api || !route.world) return;
  if (entered || route.world !== state.world) {
    change({ world: route.world, overview: null, samples: [], history: null, findings: null, list: { key: "", data: null, error: "", busy: true }, detail: { key: "", data: null, error: "" }, link: { state: "connecting", why: "", retryAt: 0 } });
    follow(signOut);
  } else moved(old);
  if (old.id !== route.id && old.view === route.view) setTimeout(() => focusOn(route.id, old.id), 50);
}

/** The pane that was opened, or the row whose pane was closed. */
function focusOn(opened, closed) {
  if (opened !== null) document.getElementById("pane-title")?.focus();
  else [...document.querySelectorAll(".list tbody tr")].find((row) => row.terraneKey === closed)?.querySelector("a")?.focus();
}

function otherWorld() {
  ask({
    title: "Another world", verb: "Go there", says: () => "Its name, as clients write it in their paths.",
    fields: [{ name: "world", label: "World", required: true }],
    run: async ({ world }) => {
      if (world) location.hash = link(world, "overview");
    },
  });
}

const act = { signOut: () => signOut(), otherWorld };

onChange(() => {
  const name = views.find(([v]) => v === state.route.view)[1];
  const f = state.overview?.findings;
  document.title = state.api ? `${f && f.error + f.warning > 0 ? `(${f.error + f.warning}) ` : ""}${name} · Terrane` : "Terrane";
  document.body.classList.toggle("out", !state.api);
  patchRoot(root, state.api ? shell(act) : signin(enter));
});

/* `/` searches, `g` and a letter goes to a view; Escape closes the pane. */
const letters = { o: "overview", r: "rooms", s: "shards", n: "nodes", v: "servers", f: "findings", w: "worlds" };
let going = 0;
addEventListener("keydown", (event) => {
  if (!state.api || event.ctrlKey || event.metaKey || event.altKey || document.getElementById("dialog").open) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "/") {
    const search = document.getElementById("search");
    if (search) event.preventDefault();
    search?.focus();
  } else if (event.key === "Escape") document.getElementById("pane-close")?.click();
  else if (event.key === "g") going = event.timeStamp;
  else if (event.timeStamp - going < 1500 && letters[event.key]) {
    going = 0;
    location.hash = link(state.world, letters[event.key]);
  }
});

// What is told in minutes and seconds moves by itself; a token that has ended is not kept.
setInterval(() => {
  if (!state.api || document.hidden) return;
  const { exp } = state.api.info;
  const left = exp === null ? Infinity : exp - Date.now();
  if (left <= 0) signOut("Your token has ended. Sign in with a new one.");
  else change({});
  if (left <= SOON_MS && left > SOON_MS - 1000) say("Your token ends in five minutes.");
}, 1000);

addEventListener("hashchange", () => go());
addEventListener("online", () => state.api && refresh());
setTheme("auto");
change({ route: readRoute() });
