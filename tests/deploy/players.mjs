// Clients as applications have them, by the unmodified library, that count aloud to rooms of echo_room.mjs and listen for their own words.
import { webcrypto } from "node:crypto";
import dns from "node:dns";
import { connectionWorld } from "@signe/sync/client";
import WebSocket from "ws";

globalThis.crypto ??= webcrypto;
const lookUp = dns.lookup;
dns.lookup = (name, options, done) => lookUp(name.endsWith(".test") ? "127.0.0.1" : name, options, done);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Player {
  opens = 0;
  sent = []; // of each connection, the numbers said in it
  heard = new Map(); // number -> how often
  closes = [];

  static async enter(host, room, id) {
    const player = new Player();
    const connection = await connectionWorld({ host, room, worldId: "world-default", query: { id }, WebSocket }, {});
    Object.assign(player, { id, conn: connection.conn, emit: connection.emit, number: 0 });
    connection.on("echo", (n) => player.heard.set(n, (player.heard.get(n) ?? 0) + 1));
    const opened = () => {
      player.opens++;
      player.sent.push([]);
    };
    player.conn.addEventListener("open", opened);
    player.conn.addEventListener("close", (event) => player.closes.push(`${event.code} ${event.reason ?? ""}`.trim()));
    if (player.open) opened();
    return player;
  }
  get open() {
    return this.conn.readyState === 1;
  }
  say() {
    if (!this.open || !this.opens) return;
    this.emit("say", ++this.number);
    this.sent.at(-1).push(this.number);
  }
  get last() {
    return this.sent.at(-1)?.at(-1);
  }
  /** What was said in a connection comes back from its first word to some last one, in the present connection to the very last, each once. */
  get wrong() {
    const problems = [];
    for (const [n, times] of this.heard) if (times > 1) problems.push(`${n} came ${times} times`);
    this.sent.forEach((numbers, i) => {
      const missing = numbers.findIndex((n) => !this.heard.has(n));
      if (missing >= 0 && (i === this.sent.length - 1 || numbers.slice(missing).some((n) => this.heard.has(n))))
        problems.push(`${numbers[missing]} of connection ${i + 1} was lost`);
    });
    return problems;
  }
}

export class Players {
  /** `count` of them in `room`, each saying a number every `every` ms. */
  static async enter(t, { host, room, count, every = 500 }) {
    const players = new Players();
    players.all = [];
    t.after(() => players.leave());
    for (let i = 0; i < count; i += 20)
      players.all.push(...(await Promise.all(Array.from({ length: Math.min(20, count - i) }, (_, k) => Player.enter(host, room, `${room}-${i + k}`)))));
    await players.settled(15000);
    players.timers = players.all.map((player) => setInterval(() => player.say(), every));
    return players;
  }
  /** Until everybody is in. */
  async settled(ms) {
    for (const end = Date.now() + ms; this.all.some((p) => !p.open); await sleep(50))
      if (Date.now() > end) throw new Error(`not in: ${this.all.filter((p) => !p.open).map((p) => `${p.id} (${p.closes.at(-1)})`)}`);
  }
  /** Until everybody has said something more and has heard it. */
  async talking(ms) {
    const from = new Map(this.all.map((p) => [p, p.number]));
    const mute = (p) => ![...p.heard.keys()].some((n) => n > from.get(p));
    for (const end = Date.now() + ms; this.all.some(mute); await sleep(50))
      if (Date.now() > end)
        throw new Error(`${this.all.filter(mute).length} not heard again: ${this.all.filter(mute).slice(0, 5).map((p) => `${p.id} (state ${p.conn.readyState}, opened ${p.opens} times, ${p.closes})`)}`);
  }
  /** Nobody says more; what was said has come back, or does not come. */
  async hush(ms = 5000) {
    this.timers?.forEach(clearInterval);
    for (const end = Date.now() + ms; Date.now() < end && this.all.some((p) => p.last && !p.heard.has(p.last)); await sleep(50));
  }
  get restless() {
    return this.all.filter((p) => p.opens > 2).map((p) => `${p.id}: opened ${p.opens} times (${p.closes})`);
  }
  get again() {
    return this.all.filter((p) => p.opens > 1).length;
  }
  get wrong() {
    return this.all.flatMap((p) => p.wrong.map((text) => `${p.id}: ${text}`));
  }
  leave() {
    this.timers?.forEach(clearInterval);
    for (const player of this.all) player.conn.close();
  }
}
