// A terminal, of tmux.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { bin, folder } from "../lib/process.mjs";
import { until } from "../lib/runner.mjs";
import { environment } from "../lib/worldctl.mjs";

/** A terminal with a run of worldctl in it; it is gone when the test is over. */
export class Terminal {
  static async open(t, world, { args = ["top"], width = 100, height = 30, more = {} } = {}) {
    const terminal = new Terminal();
    terminal.socket = path.join(folder(), "tmux");
    const set = Object.entries(environment(world, more)).map(([k, v]) => `${k}=${v}`);
    // What it ends with stays on the screen.
    const command = 'env "$@"; echo "ended with $?"; read -r _';
    await terminal.tmux("-f", "/dev/null", "new-session", "-d", "-x", String(width), "-y", String(height),
      "bash", "--norc", "-c", command, "bash", ...set, path.join(bin, "worldctl"), ...args);
    t.after(() => terminal.tmux("kill-server").catch(() => {}));
    return terminal;
  }
  async tmux(...args) {
    return (await promisify(execFile)("tmux", ["-u", "-S", this.socket, ...args], { env: { ...process.env, LC_ALL: "C.UTF-8", TERM: "xterm" } })).stdout;
  }
  keys(...keys) {
    return this.tmux("send-keys", ...keys);
  }
  screen() {
    return this.tmux("capture-pane", "-p");
  }
  /** Waits until the screen matches; answers it. */
  async shows(pattern, ms = 8000) {
    let last;
    const look = async () => pattern.test((last = await this.screen())) && last;
    return until(look, `the terminal shows ${pattern}`, ms).catch((e) => {
      throw new Error(`${e.message}\n${last}`);
    });
  }
}
