// A thread of clients that count aloud: each sends {"n":1}, {"n":2}, … every `every` ms, and remembers when.
import { parentPort, workerData } from "node:worker_threads";
import WebSocket from "ws";

const { url, every } = workerData;
const now = () => performance.timeOrigin + performance.now();
const talkers = new Map(); // id -> { ws, sent (times, by number - 1), closed }
let talking = true;

function enter(id) {
  const talker = { ws: new WebSocket(`${url}?id=${id}`, { perMessageDeflate: false }), sent: [], closed: null, leaves: false };
  talkers.set(id, talker);
  talker.ws.on("error", () => {});
  talker.ws.on("close", (code, reason) => {
    clearInterval(talker.timer);
    if (!talker.leaves) talker.closed = `${code} ${reason}`;
  });
  return new Promise((resolve) => {
    talker.ws.once("close", resolve);
    talker.ws.once("open", () => {
      const say = () => talking && talker.ws.readyState === 1 && talker.ws.send(`{"n":${talker.sent.push(now())}}`);
      setTimeout(() => (talker.timer = setInterval(say, every)), Math.random() * every);
      resolve();
    });
  });
}

const verbs = {
  enter: async (ids) => {
    for (let i = 0; i < ids.length; i += 50) await Promise.all(ids.slice(i, i + 50).map(enter));
  },
  /** Some say goodbye, some break off. */
  leave: async (ids) => {
    ids.forEach((id, i) => {
      const { ws } = Object.assign(talkers.get(id), { leaves: true });
      if (i % 2) ws.close();
      else ws.terminate();
    });
  },
  /** As often as asked, at once, each of them. */
  shout: async ({ times }) => {
    for (const { ws, sent } of talkers.values()) for (let i = 0; i < times && ws.readyState === 1; i++) ws.send(`{"n":${sent.push(now())}}`);
  },
  hush: async () => {
    talking = false;
  },
  talk: async () => {
    talking = true;
  },
  tell: async () => [...talkers].map(([id, { sent, closed, leaves }]) => ({ id, sent, closed, leaves })),
  end: async () => {
    for (const talker of talkers.values()) Object.assign(talker, { leaves: true }).ws.terminate();
  },
};
parentPort.on("message", async ({ verb, of }) => {
  parentPort.postMessage((await verbs[verb](of)) ?? null);
  if (verb === "end") parentPort.close();
});
