// What the cases run against: a world, a node and a room server that echoes.
import { cluster, shardId } from "../lib/cluster.mjs";
import { until } from "../lib/runner.mjs";

/** The room answers each message with itself; `{"do":"close"}` ends the session instead. */
function echo(room) {
  const heard = new Map(); // session: what it said, as JSON texts
  room.onFrame = (frame, link) => {
    if (!("payload" in frame)) return;
    const said = JSON.stringify(frame.payload), id = frame.privateId;
    heard.set(id, [...(heard.get(id) ?? []), said]);
    if (frame.payload?.do === "close") room.send({ type: "shard.closeClient", privateId: id }, link);
    else room.send({ targetClientId: id, data: said }, link);
  };
  return heard;
}

export class Site {
  static async start(t, options = {}) {
    const site = new Site();
    // A queue for the longest message and one more behind it.
    Object.assign(site, await cluster(t, { ...options, nodeEnv: { CLIENT_QUEUE: "4MiB", ...options.nodeEnv } }));
    site.heard = echo(site.room);
    site.origin = site.node.origin;
    site.path = `/parties/shard/${shardId()}`;
    return site;
  }
  heardOf(id) {
    return this.heard.get(id) ?? [];
  }
  /** Waits until the room has heard all of it, of session `id`; answers what it has heard. */
  async hears(id, wanted) {
    await until(() => this.heardOf(id).length >= wanted.length, `the room to hear ${wanted.length} of ${id}`, 4000).catch(() => {});
    return this.heardOf(id);
  }
}
