// A steady load of placements, sent on time whether or not earlier ones were answered, from a thread of its
// own; and what became of each. It reuses connections as a balancer does: an idle one, else a new one.
import { Worker } from "node:worker_threads";

/** Monotonic ms, the same in all threads. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** A request that has no 2xx after so long has failed, ms. */
export const PATIENCE = 5000;

export class Placements {
  /**
   * Sends `rate` a second to the origins `entries` in turn, for the room `room` of the `worlds` in turn, until
   * `stop`. Each request is one try: nothing is sent twice.
   */
  static async start(t, { entries, worlds, rate = 2000, room = "lobby" }) {
    const load = Object.assign(new Placements(), { entries });
    const workerData = { entries, worlds, rate, room, patience: PATIENCE };
    load.worker = new Worker(new URL("./placements_thread.mjs", import.meta.url), { workerData });
    load.done = new Promise((resolve, reject) => load.worker.once("message", resolve).once("error", reject));
    t.after(() => load.worker.terminate());
    await new Promise((resolve, reject) => load.worker.once("online", resolve).once("error", reject));
    return load;
  }
  /** Sends that origin no more, as a balancer does with one that is not ready; or sends it its share again. */
  use(origin, used) {
    this.worker.postMessage({ entry: this.entries.indexOf(origin), used });
  }
  /** Sends no more, waits for the last answers, and tells what became of all. */
  async stop() {
    this.worker.postMessage({ stop: true });
    return new Outcome(this.entries, await this.done);
  }
}

/** What became of the requests of a load. Times are those of `now`. */
export class Outcome {
  constructor(entries, { records, troubles, sent, unanswered, lagMs, connections }) {
    Object.assign(this, { entries, records, troubles, sent, unanswered, lagMs, connections });
  }
  /** The numbers of the requests sent through `entry` (all of them without one) from `from` on and before `to`. */
  *numbers({ entry, from = -Infinity, to = Infinity } = {}) {
    const { sent, entry: through } = this.records;
    const index = entry === undefined ? -1 : this.entries.indexOf(entry);
    for (let i = 0; i < sent.length; i++) {
      if (sent[i] >= from && sent[i] < to && (index < 0 || through[i] === index)) yield i;
    }
  }
  bad(i) {
    const { status, took } = this.records;
    return !(status[i] >= 200 && status[i] < 300 && took[i] < PATIENCE);
  }
  /** How many had no 2xx in time. */
  failed(which) {
    let count = which === undefined ? this.unanswered : 0;
    for (const i of this.numbers(which)) count += this.bad(i) ? 1 : 0;
    return count;
  }
  count(which) {
    let count = 0;
    for (const _ of this.numbers(which)) count++;
    return count;
  }
  /** The longest time that one of them took to be answered, ms. */
  longest(which) {
    let most = 0;
    for (const i of this.numbers(which)) most = Math.max(most, this.records.took[i]);
    return most;
  }
  /** The time within which the share `q` of them was answered, ms. */
  quantile(q, which) {
    const took = [...this.numbers(which)].map((i) => this.records.took[i]).sort((a, b) => a - b);
    return took[Math.min(took.length - 1, Math.floor(took.length * q))] ?? 0;
  }
  /** In words, for the tests' output. */
  get words() {
    const troubles = Object.entries(this.troubles).map(([what, n]) => `${n} × ${what}`).join("; ");
    const ms = (v) => `${v.toFixed(v < 10 ? 1 : 0)} ms`;
    return `${this.sent} placements, ${this.failed()} failed${troubles && ` (${troubles})`}; half within ${ms(this.quantile(0.5))}, ` +
      `99 % within ${ms(this.quantile(0.99))}, longest ${ms(this.longest())}; ${this.connections} connections, sent at most ${ms(this.lagMs)} late`;
  }
}
