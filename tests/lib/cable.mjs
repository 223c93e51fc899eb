// A cable that tests can pull: a Redis in a network namespace of its own, with a pair of interfaces for each
// world that reaches it. For root, in a process that is itself in a namespace of its own (WORLDS_APART=1), so that
// nothing is left behind and nothing leads outside.
import { execFileSync } from "node:child_process";
import { start } from "./process.mjs";
import { Redis } from "./redis.mjs";

/** Whether this process is in a namespace of its own. */
export const apart = process.env.WORLDS_APART === "1";

/** A Redis in a namespace of its own; the tests themselves reach it through a cable that nobody pulls. */
export class ApartRedis extends Redis {
  launch(options) {
    const script = 'ip link set lo up && exec -a redis-server redis-check-rdb "$@"';
    return start("redis", "unshare", ["--net", "bash", "-c", script, "redis", "--protected-mode", "no", ...options.map(String)], this.env);
  }
  static async start(t, options) {
    const redis = await super.start(t, options);
    redis.host = (await Cable.start(t, redis, 0)).host;
    return redis;
  }
}

export class Cable {
  /** The `n`-th cable between here and `redis`, which lives apart. */
  static async start(t, redis, n) {
    const cable = Object.assign(new Cable(), { redis, here: `here${n}`, there: `there${n}`, host: `10.77.${n}.1` });
    cable.url = `redis://${cable.host}:${redis.port}`;
    const pid = String(redis.process.pid);
    execFileSync("ip", ["link", "add", cable.here, "type", "veth", "peer", "name", cable.there, "netns", pid]);
    execFileSync("ip", ["addr", "add", `10.77.${n}.2/30`, "dev", cable.here]);
    execFileSync("ip", ["link", "set", cable.here, "up"]);
    cable.inside("addr", "add", `${cable.host}/30`, "dev", cable.there);
    cable.inside("link", "set", cable.there, "up");
    return cable;
  }
  inside(...words) {
    execFileSync("nsenter", ["--net", "--target", String(this.redis.process.pid), "ip", ...words]);
  }
  /** Pulls it out at the far end: nothing goes through, and nobody is told. */
  silence() {
    this.inside("link", "set", this.there, "down");
  }
  heal() {
    this.inside("link", "set", this.there, "up");
  }
}
