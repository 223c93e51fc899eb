// A Redis for one test, or a master with replicas and Sentinels: real servers on loopback, each in a folder
// of its own, ended by their own ids.
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { folder, freePort, start } from "./process.mjs";
import { Resp } from "./resp.mjs";
import { until } from "./runner.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Debian's package redis-tools holds the server, too, as a program that goes by its name; the package
// redis-server would also leave a service running.
const serve = (name, args, env) => start(name, "redis-check-rdb", args.map(String), env, { argv0: "redis-server" });

export class Redis {
  /**
   * Starts a server that keeps every write (appendonly), for the test `t`. `args`: more of its options; `env`: of
   * its environment; `port`: one that others know already.
   */
  static async start(t, { args = [], env = {}, port } = {}) {
    const redis = Object.assign(new this(), { t, args, env, host: "127.0.0.1", dir: folder(), port: port ?? (await freePort()) });
    await redis.up();
    t.after(() => redis.down("SIGKILL"));
    return redis;
  }
  get url() {
    return `redis://${this.host}:${this.port}`;
  }
  /** Starts it, with what it kept. */
  async up() {
    const options = ["--port", this.port, "--dir", this.dir, "--save", "", "--appendonly", "yes", ...this.args];
    this.process = this.launch(options);
    await this.process.says(/Ready to accept connections/);
  }
  launch(options) {
    return serve("redis", ["--bind", "127.0.0.1", ...options], this.env);
  }
  /** A connection to it; Sentinels break those of a server that becomes a master. */
  get resp() {
    if (!this.connection || this.connection.ended) this.connection = new Resp(this.port, this.host);
    return this.connection;
  }
  /** Ends it; what it had acknowledged stays in its folder. */
  async down(signal = "SIGTERM") {
    this.connection?.end();
    if (this.process.ended) return;
    this.process.child.kill("SIGCONT");
    if (signal === "SIGKILL") await this.process.kill();
    else await this.process.stop(signal);
  }
  /** Stands still, with its connections, until `resume`. */
  pause() {
    this.process.child.kill("SIGSTOP");
  }
  resume() {
    this.process.child.kill("SIGCONT");
  }
  /** Forgets everything that it kept; only while it is down. */
  empty() {
    rmSync(path.join(this.dir, "appendonlydir"), { recursive: true, force: true });
  }
  ask(...words) {
    return this.resp.ask(...words);
  }
  hash(key) {
    return this.resp.hash(key);
  }
  /** A section of INFO as an object of its lines. */
  async info(section) {
    const lines = (await this.ask("INFO", section)).split("\r\n").filter((l) => l.includes(":"));
    return Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(":")), l.slice(l.indexOf(":") + 1)]));
  }
}

/** Options of servers that replicate: a master that lost its replicas takes no more writes after 2 s. */
const replicating = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--min-replicas-max-lag", "2"];

export class Sentinels {
  /** A master, two replicas and three Sentinels that agree. `downAfterMs`: silence until a master counts as dead. */
  static async start(t, { downAfterMs = 1000, minReplicas = 1 } = {}) {
    const s = Object.assign(new Sentinels(), { t, name: "terrane", servers: [], sentinels: [] });
    const args = [...replicating, "--min-replicas-to-write", minReplicas];
    const first = await Redis.start(t, { args });
    s.servers.push(first);
    for (let i = 0; i < 2; i++) s.servers.push(await Redis.start(t, { args: [...args, "--replicaof", "127.0.0.1", first.port] }));
    // Sentinels learn of replicas every 10 s only, so these must be there first.
    await until(async () => s.online(await first.info("replication")) === 2, "two replicas to be online", 15000);
    for (let i = 0; i < 3; i++) s.sentinels.push(await s.sentinel(first.port, downAfterMs));
    await until(() => s.agreed(), "the Sentinels to agree", 15000);
    return s;
  }
  online(info) {
    return Object.values(info).filter((v) => v.includes("state=online")).length;
  }
  async sentinel(master, downAfterMs) {
    const dir = folder(), port = await freePort(), { name } = this;
    const lines = [`port ${port}`, "bind 127.0.0.1", `dir ${dir}`, `sentinel monitor ${name} 127.0.0.1 ${master} 2`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`, `sentinel failover-timeout ${name} 5000`, `sentinel parallel-syncs ${name} 1`];
    writeFileSync(path.join(dir, "sentinel.conf"), lines.join("\n") + "\n");
    const process = serve("sentinel", [path.join(dir, "sentinel.conf"), "--sentinel"]);
    await process.says(/\+monitor master/);
    const resp = new Resp(port);
    this.t.after(() => resp.end());
    return { port, process, resp };
  }
  async agreed() {
    for (const { resp } of this.sentinels) {
      const flat = await resp.ask("SENTINEL", "MASTER", this.name);
      const says = (key) => flat[flat.indexOf(key) + 1];
      if (says("flags") !== "master" || says("num-slaves") !== "2" || says("num-other-sentinels") !== "2") return false;
    }
    return true;
  }
  get url() {
    return `redis+sentinel://${this.sentinels.map((s) => `127.0.0.1:${s.port}`).join(",")}/${this.name}`;
  }
  /** The server that the Sentinels name. */
  async master() {
    for (const { resp } of this.sentinels) {
      const found = await resp.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", this.name).catch(() => null);
      if (found) return this.servers.find((s) => s.port === Number(found[1]));
    }
    throw new Error("no Sentinel answers");
  }
  /** Waits until another than `old` is the master and takes writes; answers it. */
  async failover(old, ms = 15000) {
    const end = Date.now() + ms;
    for (;;) {
      const now = await this.master();
      if (now !== old && (await now.ask("SET", "terrane-tests:probe", "1").catch(() => null)) === "OK") return now;
      if (Date.now() > end) throw new Error(`no new master after ${ms} ms`);
      await sleep(20);
    }
  }
}
