// More visitors than seats: each asks for a place, dials it, stays for a moment and comes again. What is watched is
// how many of them a shard holds at a time.
import WebSocket from "ws";
import { post } from "./cluster.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Crowd {
  /** `count` visitors of the room `room` of `world`, through the worlds `entries` in turn and the nodes in turn. */
  static start(t, { entries, nodes, world, room, count }) {
    const crowd = Object.assign(new Crowd(), { entries, nodes, world, room, held: new Map(), visits: 0, refused: 0, unplaced: 0, failed: 0, sockets: new Set() });
    crowd.loops = Array.from({ length: count }, (_, i) => crowd.visit(i));
    t.after(() => crowd.stop());
    return crowd;
  }
  async visit(who) {
    for (let n = 0; !this.stopping; n++) {
      const entry = this.entries[(who + n) % this.entries.length];
      const place = await post(entry, `/parties/world/${this.world}/connect`, { roomId: this.room, autoCreate: false }, {}).catch(() => null);
      if (place?.status === 200) await this.stay(place.json.shardId, `${who}-${n}`, this.nodes[n % this.nodes.length].origin);
      else {
        if (place?.status === 503) this.unplaced++;
        else this.failed++;
        await sleep(50);
      }
    }
  }
  /** Counts itself from the moment that it knows to be in until it begins to leave: never more than are in. */
  stay(shard, id, origin) {
    return new Promise((resolve) => {
      const ws = new WebSocket(`${origin.replace("http", "ws")}/parties/shard/${shard}?id=${id}`, { handshakeTimeout: 8000 });
      let inside = 0;
      const leave = () => {
        if (inside) this.held.get(shard).now--;
        inside = 0;
      };
      this.sockets.add(ws);
      ws.on("error", () => {});
      ws.on("unexpected-response", (_, res) => {
        this.refused++;
        res.resume();
        ws.terminate();
      });
      ws.on("open", () => {
        inside = 1;
        this.visits++;
        this.enter(shard);
        setTimeout(() => (leave(), ws.close()), 80 + Math.random() * 120);
      });
      ws.on("close", () => {
        leave();
        this.sockets.delete(ws);
        resolve();
      });
    });
  }
  enter(shard) {
    const held = this.held.get(shard) ?? { now: 0, most: 0 };
    held.most = Math.max(held.most, ++held.now);
    this.held.set(shard, held);
  }
  /** The most that any shard held at a time. */
  get most() {
    return Math.max(0, ...[...this.held.values()].map((h) => h.most));
  }
  async stop() {
    this.stopping = true;
    await Promise.all(this.loops);
    for (const ws of this.sockets) ws.terminate();
  }
  get words() {
    return `${this.visits} visits, ${this.unplaced} times no seat, ${this.refused} refused at the node, ${this.failed} without an answer; at most ${this.most} in a shard`;
  }
}
