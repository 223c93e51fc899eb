// What a test of a peer runs against: two of its servers, each a process of its own, behind two nodes.
import path from "node:path";
import { jwt } from "../../conformance/lib/jwt.mjs";
import { bearer, request } from "../../lib/cluster.mjs";
import { Front } from "../../lib/fleet.mjs";
import { metric } from "../../lib/metrics.mjs";
import { jwtSecret, listening, root, start, startNode, startWorld } from "../../lib/process.mjs";
import { until } from "../../lib/runner.mjs";
import { example } from "./examples.mjs";

/** The certificate that run.mjs has made, and that all clients here believe. */
const certificate = { TLS_CERT: process.env.PEERS_CERT, TLS_KEY: process.env.PEERS_KEY };

/** Settings of nodes that want a token, and such a token. */
export const tokens = { CLIENT_AUTH: "jwt", AUTH_JWT_SECRET: jwtSecret };
export const token = (claims) => jwt({ exp: Math.floor(Date.now() / 1000) + 600, ...claims }, jwtSecret);

class Server {
  constructor(script, name, env) {
    Object.assign(this, { script, name, env });
  }
  async start(port = 0) {
    const env = { NAME: this.name, PORT: String(port), ...this.env };
    this.process = start(`server ${this.name}`, process.execPath, [path.join(root, "tests/peers/servers", this.script)], env);
    this.port = Number((await this.process.says(listening))[1]);
    this.origin = `${env.TLS_CERT ? "https" : "http"}://127.0.0.1:${this.port}`;
    return this;
  }
  kill() {
    return this.process.kill();
  }
  /** At the same address, once it has been killed. */
  again() {
    return this.start(this.port);
  }
  /** What it tells of its clients. */
  async seen() {
    return (await fetch(`${this.origin}/seen`)).json();
  }
}

export class Site {
  /** `peer`: { script, heading, env }. `tls`: servers and nodes speak TLS. */
  static async start(t, peer, { tls = false, nodeEnv = {}, worldEnv = {} } = {}) {
    const site = Object.assign(new Site(), { t, tls });
    const servers = ["a", "b"].map((name) => new Server(peer.script, name, { ...peer.env, ...(tls && certificate) }).start());
    [site.world, ...site.servers] = await Promise.all([startWorld(worldEnv), ...servers]);
    const origins = site.servers.map((s) => s.origin);
    const env = { ROUTES: example(peer.heading, origins), ...(tls && { ...certificate, TLS_CA: process.env.NODE_EXTRA_CA_CERTS }), ...nodeEnv };
    site.nodes = await Promise.all(["n1", "n2"].map((NODE_ID) => startNode(site.world.origin, origins[0], { ...env, NODE_ID })));
    return site;
  }
  /** What all servers tell. */
  async seen() {
    return (await Promise.all(this.servers.map((s) => s.seen()))).flat();
  }
  server(name) {
    return this.servers.find((s) => s.name === name);
  }
  /** One address for both nodes. */
  async front() {
    const front = await Front.start(this.t, this.nodes.map((n) => n.port));
    return this.tls ? front.origin.replace("http:", "https:") : front.origin;
  }
  /** A room of one shard with so many seats; answers the shard's id. */
  async shard(room, seats) {
    const alive = 'terrane_world_nodes{state="alive"}';
    await until(async () => (await metric(this.world.origin, alive)) === 2, "both nodes to be alive");
    await this.manage("PUT", `/rooms/${room}`, { maxPlayersPerShard: seats, minShards: 1, maxShards: 1 });
    this.room = room;
    return (await this.shards())[0].shardId;
  }
  async manage(method, what, body) {
    const headers = { "content-type": "application/json", ...bearer("*") };
    const answer = await request(this.world.origin, { method, path: `/api/v1/worlds/world-default${what}`, headers, body: body && JSON.stringify(body) });
    if (answer.status >= 300) throw new Error(`${method} ${what}: ${answer.status} ${answer.body}`);
    return answer.json;
  }
  async shards() {
    return (await this.manage("GET", `/shards?room=${this.room}`)).items;
  }
  /** Waits until the shard's seats taken are as many. */
  async taken(count) {
    let last;
    await until(async () => (last = (await this.shards())[0].currentConnections) === count, `${count} seats to be taken`).catch((error) => {
      throw new Error(`${error.message}; ${last} are`);
    });
  }
  /** The node whose clients a shard has: the other one passes them on. */
  async owner() {
    const { node } = (await this.shards())[0];
    return this.nodes[node === "n1" ? 0 : 1];
  }
}
