// A wire that tests can cut: a TCP address in front of another one, between one process and what it must not
// reach for a while.
import net from "node:net";

export class Cut {
  /** Listens in front of `redis`, for the test `t`. */
  static async start(t, redis) {
    const cut = Object.assign(new Cut(), { target: redis.port, state: "whole", pairs: new Set() });
    cut.server = net.createServer({ pauseOnConnect: true }, (socket) => cut.accept(socket));
    await new Promise((resolve) => cut.server.listen(0, "127.0.0.1", resolve));
    cut.url = `redis://127.0.0.1:${cut.server.address().port}`;
    t.after(() => {
      cut.server.close();
      cut.reset();
    });
    return cut;
  }
  accept(socket) {
    if (this.state === "reset") return void socket.resetAndDestroy();
    const pair = { near: socket, far: null };
    this.pairs.add(pair);
    socket.on("error", () => {});
    socket.on("close", () => this.part(pair));
    if (this.state === "whole") this.join(pair);
  }
  join(pair) {
    pair.far = net.connect(this.target, "127.0.0.1");
    pair.far.setNoDelay(true);
    pair.near.setNoDelay(true);
    pair.far.on("error", () => {});
    pair.far.on("close", () => this.part(pair));
    pair.near.on("data", (data) => pair.far.write(data));
    pair.far.on("data", (data) => pair.near.write(data));
    pair.near.resume();
  }
  part(pair) {
    this.pairs.delete(pair);
    pair.near.destroy();
    pair.far?.destroy();
  }
  /** Nothing goes through any more, and nobody is told: as if the cable were out. New connections stand, silent. */
  silence() {
    this.state = "silent";
    for (const { near, far } of this.pairs) {
      near.pause();
      far?.pause();
    }
  }
  /** Breaks the connection that has stood longest. */
  resetOldest() {
    const [pair] = this.pairs;
    pair.near.resetAndDestroy();
    pair.far?.resetAndDestroy();
    this.pairs.delete(pair);
  }
  /** Breaks all connections, and refuses new ones. */
  reset() {
    this.state = "reset";
    while (this.pairs.size > 0) this.resetOldest();
  }
  /** All goes through again; what was on the wire of connections that still stand arrives late. */
  heal() {
    this.state = "whole";
    for (const pair of this.pairs) {
      if (!pair.far) this.join(pair);
      else for (const end of [pair.near, pair.far]) end.resume();
    }
  }
}
