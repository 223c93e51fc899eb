// A wall clock that a test sets while a program runs on it (clock.c).
import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { folder, root } from "./process.mjs";

export class Clock {
  /** A clock that is right; `env` is what a program must be started with to go by it. */
  constructor(t) {
    const dir = folder(), library = path.join(dir, "clock.so"), file = path.join(dir, "ahead");
    execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-o", library, path.join(root, "tests/lib/clock.c")]);
    this.fd = openSync(file, "w");
    this.set(0);
    this.env = { LD_PRELOAD: library, TESTS_CLOCK: file };
    t.after(() => closeSync(this.fd));
  }
  /** From now on it is `ms` ahead of the machine's, or behind it. */
  set(ms) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    writeSync(this.fd, bytes, 0, 8, 0);
  }
}
