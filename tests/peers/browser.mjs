// Socket.IO in Chromium: a page of one origin, nodes at another.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { folder } from "../lib/process.mjs";
import { test, until } from "../lib/runner.mjs";
import { Site, token, tokens } from "./lib/site.mjs";

const peer = { heading: "Socket.IO 4.8", script: "socketio.mjs" };
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** In the page: three clients, one for each way. */
function begin({ origin, token }) {
  window.clients = [["polling", "websocket"], ["polling"], ["websocket"]].map((transports) => {
    const client = { heard: [] };
    client.socket = window.io(origin, { forceNew: true, transports, query: { room: "page", token }, reconnectionDelay: 100, reconnectionDelayMax: 400 });
    client.socket.on("said", (text) => client.heard.push(text));
    return client;
  });
}
const state = () => window.clients.map(({ socket, heard }) => ({ here: socket.connected, by: socket.io.engine.transport.name, heard }));
const speak = (text) => Promise.all(window.clients.map(({ socket }, i) => socket.timeout(5000).emitWithAck("say", `${text} ${i}`)));
const double = async () => {
  const sent = crypto.getRandomValues(new Uint8Array(3000));
  const answers = await Promise.all(window.clients.map(({ socket }) => socket.timeout(5000).emitWithAck("double", sent)));
  return answers.map(({ twice }) => [...new Uint8Array(twice)].every((byte, i) => byte === sent[i % 3000]) && twice.byteLength);
};

test("Socket.IO in a browser: its script, all transports from another origin with a token, and a node that stops", async (t) => {
  const site = await Site.start(t, peer, { nodeEnv: { ...tokens, DRAIN_DEADLINE: "500ms" } });
  const origin = await site.front();
  const browser = await chromium.launchPersistentContext(folder(), { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const shown = token({ sub: "ann" });
  await page.goto(`${site.servers[0].origin}/page`);
  await page.addScriptTag({ url: `${origin}/socket.io/socket.io.js?token=${shown}` });
  await page.evaluate(begin, { origin, token: shown });
  const ways = async (want) => until(async () => (await page.evaluate(state)).every(({ here, by }, i) => here && by === want[i]), `${want}`, 15000);
  await ways(["websocket", "polling", "websocket"]);
  const all = async (word) => {
    await page.evaluate(speak, word);
    await until(async () => (await page.evaluate(state)).every(({ heard }) => heard.filter((text) => text.startsWith(word)).length === 3), `all to hear ${word}`);
  };
  await all("before");
  assert.deepEqual(await page.evaluate(double), [6000, 6000, 6000]);
  assert.equal(await site.nodes[0].stop(), 0);
  await ways(["websocket", "polling", "websocket"]);
  await all("after");
}, { seconds: 60 });
