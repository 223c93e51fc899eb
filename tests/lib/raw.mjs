// Bytes to a server and back, for what no HTTP client would send.
import net from "node:net";

/**
 * Writes `pieces` (latin1, one packet each), reads until the server closes, or until `done(text)` is true, or `ms` are over.
 * `from`: the address to come from. Answers { text, open, status, statuses }; `open`: the server had not closed.
 */
export function exchange(origin, pieces, { ms = 3000, from, done = () => false } = {}) {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect({ port: Number(new URL(origin).port), host: "127.0.0.1", localAddress: from });
    const finish = (open) => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) [A-Z]/g)].map((m) => Number(m[1]));
      resolve({ text, open, statuses, status: statuses[0] ?? 0 });
    };
    const timer = setTimeout(() => finish(true), ms);
    socket.setNoDelay(true);
    socket.on("connect", async () => {
      for (const piece of [].concat(pieces)) {
        if (!socket.destroyed) socket.write(piece, "latin1");
        await new Promise((next) => setImmediate(next));
      }
    });
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (done(text)) finish(true);
    });
    socket.on("error", () => finish(false));
    socket.on("close", () => finish(false));
  });
}
