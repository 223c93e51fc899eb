// Keeps what is shown fresh: the event stream, and what is read again because of it, each LEAST_MS at most
// and only while somebody looks.
import { Refused } from "./api.js";
import { change, here, say, state } from "./store.js";
import { readEvents } from "./stream.js";
import { viewOf } from "./views.js";

const LEAST_MS = 700; // from one reading of a list to the next, so that what happens is seen within a second
const AWAY_MS = 10 * 1000; // a page that nobody looks at keeps its stream for so long
const SAMPLES = 8;

let life = null; // of the stream: { stop }
let signOut = () => {};

const sleep = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/* ---- what is read again */

/** A reading that is repeated when it is asked for, never twice at a time: each `least` ms, or four times what it takes. */
function reading(run, least = LEAST_MS) {
  let busy = null;
  let again = false;
  let next = 0;
  let timer = null;
  const start = async () => {
    timer = null;
    if (document.hidden) return; // all is read again when somebody looks
    const abort = new AbortController();
    busy = abort;
    again = false;
    const begun = performance.now();
    try {
      await run(abort.signal);
    } catch (error) {
      if (error.name !== "AbortError") failed(error);
    } finally {
      if (busy === abort) {
        busy = null;
        next = begun + Math.max(least, 4 * (performance.now() - begun));
        if (again) want();
      }
    }
  };
  const want = () => {
    if (document.hidden || !life) return;
    if (busy) again = true;
    else timer ??= setTimeout(start, Math.max(0, next - performance.now()));
  };
  const now = () => {
    stop();
    next = 0;
    want();
  };
  const stop = () => {
    busy?.abort();
    busy = null;
    clearTimeout(timer);
    timer = null;
  };
  return { want, now, stop };
}

function failed(error) {
  if (!(error instanceof Refused)) throw error;
  const { worlds } = state.api.info;
  const covered = worlds.includes("*") || worlds.includes(state.world); // else another world is the way out
  if (covered && (error.status === 401 || error.status === 403)) signOut(error.message);
}

const keyOf = (route, what) => JSON.stringify([state.world, route.view, what]);

const list = reading(async (signal) => {
  const { route } = state;
  const key = keyOf(route, route.query);
  const view = viewOf(route.view);
  if (!view.load) return;
  try {
    const data = await view.load(here(), route, signal);
    if (key === keyOf(state.route, state.route.query)) change({ list: { key, data, error: "", busy: false } });
  } catch (error) {
    if (error instanceof Refused) change({ list: { ...state.list, error: error.message, busy: false } });
    throw error;
  }
});

const detail = reading(async (signal) => {
  const { route } = state;
  const key = keyOf(route, route.id);
  const view = viewOf(route.view);
  if (route.id === null || !view.detail) return;
  try {
    const data = await view.detail(here(), route.id, signal);
    if (key === keyOf(state.route, state.route.id)) change({ detail: { key, data, error: "" } });
  } catch (error) {
    if (error instanceof Refused) change({ detail: { ...state.detail, error: error.message } });
    throw error;
  }
});

const findings = reading(async (signal) => {
  const seen = await here().get(["findings"], {}, signal);
  change({ findings: seen });
  if (seen.checkup?.waiting.length) findings.want(); // who has answered is no change of the world
});

const history = reading(async (signal) => {
  if (state.route.view !== "overview") return;
  change({ history: await here().get(["history"], { seconds: 3600 }, signal) });
}, 5000);

const readings = [list, detail, findings, history];

/** Reads all again that is in sight. */
export function refresh() {
  for (const each of readings) each.now();
}

/** The route has moved from `old` to state.route. */
export function moved(old) {
  const { route } = state;
  if (old.view !== route.view) change({ list: { key: "", data: null, error: "", busy: true } });
  if (old.view !== route.view || JSON.stringify(old.query) !== JSON.stringify(route.query)) list.now();
  if (old.view !== route.view || old.id !== route.id) {
    change({ detail: { key: "", data: null, error: "" } });
    detail.now();
  }
  if (route.view === "overview") history.now();
}

/* ---- the stream */

function heard(event, data) {
  if (event === "overview") {
    const before = state.overview;
    const wasLive = state.link.state === "live";
    const { placements = data.process.placements, refusals = data.process.refusals } = data;
    const samples = [...state.samples, { now: data.now, heard: Date.now(), placements, refusals }].slice(-SAMPLES);
    change({ overview: data, samples, link: { state: "live", why: "", retryAt: 0 } });
    const back = before && !wasLive; // the process may be another one
    if (back || (before && before.change !== data.change)) {
      list.want();
      detail.want();
    }
    if (back || (before && JSON.stringify(before.findings) !== JSON.stringify(data.findings))) findings.want();
  } else if (event !== "placement.refused") {
    list.want();
    detail.want();
  }
}

async function keep(signal) {
  for (let tries = 0; !signal.aborted; ) {
    const once = new AbortController();
    const end = () => once.abort();
    signal.addEventListener("abort", end, { once: true });
    let why = "The world has ended the line; it may have moved to another process.";
    const begun = Date.now();
    try {
      const response = await here().events(once.signal);
      await readEvents(response, heard, end);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) {
        why = error.message;
        failed(error);
      } else why = once.signal.aborted ? "The world has been silent for too long." : "The line to the world broke.";
    }
    if (signal.aborted) return;
    tries = Date.now() - begun > 10000 ? 0 : tries + 1;
    const wait = tries === 0 ? 200 : Math.min(15000, 500 * 2 ** tries) * (0.75 + Math.random() / 2);
    if (state.link.state !== "lost") say(`Connection lost. ${why}`);
    change({ link: { state: "lost", why, retryAt: Date.now() + wait } });
    await sleep(wait, signal);
  }
}

function begin() {
  const abort = new AbortController();
  // Charts move although nothing has changed.
  const timer = setInterval(() => {
    if (document.hidden) return;
    history.want();
    findings.want(); // their details
  }, 5000);
  life = {
    stop() {
      abort.abort();
      clearInterval(timer);
      life = null;
      for (const each of readings) each.stop();
    },
  };
  refresh();
  keep(abort.signal);
}

/** From now on `state.world` is followed; `out` is told why the token counts no more. */
export function follow(out) {
  signOut = out;
  life?.stop();
  begin();
}

export function unfollow() {
  life?.stop();
}

let away = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(away);
  if (!state.api) return;
  if (document.hidden) away = setTimeout(() => life?.stop(), AWAY_MS);
  else if (life) refresh();
  else begin();
});
