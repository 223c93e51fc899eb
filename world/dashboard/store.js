// What the page knows, in one object, and the one way to change it: change() draws anew, once a frame.
export const fresh = () => ({
  api: null, // signed in
  reason: "", // why not
  world: "",
  worlds: [],
  route: { world: "", view: "overview", id: null, query: {} },
  link: { state: "connecting", why: "", retryAt: 0 },
  overview: null,
  samples: [], // of the last overviews, for what happens a second
  history: null,
  findings: null, // { items, checkup }
  list: { key: "", data: null, error: "", busy: false }, // of the view
  detail: { key: "", data: null, error: "" },
  work: [], // drains and the like that are under way
  sort: {}, // by view
  hover: null, // where a chart is pointed at
  hours: 1,
  theme: "auto",
});

export const state = fresh();

let draw = () => {};
let waiting = false;

export function onChange(fn) {
  draw = fn;
}

export function change(patch) {
  Object.assign(state, patch);
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

/** Forgets all but what the reader chose. */
export function forget(reason = "") {
  const { theme, hours, route } = state;
  change({ ...fresh(), theme, hours, route, reason });
}

/** Tells a screen reader. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

export const admin = () => Boolean(state.api?.info.admin);
export const here = () => state.api.in(state.world);
