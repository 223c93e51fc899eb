// Client libraries as they are, behind one interface: told in words what to do, and telling what they hear.
// To a program of its own they go as lines, `WORD FIELD...`, bytes as hex digits (`-`: none):
//   open URL PROTOCOLS DEFLATE | text DATA | binary DATA | part DATA | last DATA (of a text in fragments) | ping DATA | close CODE REASON
//   opened PROTOCOL EXTENSIONS | failed STATUS | text DATA | binary DATA | pong DATA | closed CODE REASON
import path from "node:path";
import WebSocket from "ws";
import { chromium } from "playwright-core";
import { bin, folder, root, start } from "../lib/process.mjs";
import { until } from "../lib/runner.mjs";

/** One connection at a time. `can`: what the library can say or tell. */
class Client {
  constructor(name, can) {
    this.name = name;
    this.can = new Set(can);
    this.reset();
  }
  reset() {
    Object.assign(this, { opened: null, failed: null, closed: null, messages: [], pongs: [] });
  }
  /** What came: `data` is text where the word has one, else a Buffer. */
  heard(word, ...fields) {
    if (word === "opened") this.opened = { protocol: String(fields[0]), extensions: String(fields[1]) };
    else if (word === "failed") this.failed = { status: Number(fields[0]) };
    else if (word === "closed") this.closed = { code: Number(fields[0]), reason: String(fields[1] ?? "") };
    else if (word === "pong") this.pongs.push(String(fields[0]));
    else this.messages.push({ binary: word === "binary", data: Buffer.from(fields[0]) });
  }
  until(fn, what) {
    return until(fn, `${this.name}: ${what}; it has heard ${this.messages.length} messages, closed ${JSON.stringify(this.closed)}, failed ${JSON.stringify(this.failed)}`);
  }
  async open(url, protocols = [], deflate = false) {
    this.reset();
    await this.say("open", url, protocols.join(","), deflate);
    await this.until(() => this.opened || this.failed, "to be open");
  }
  ended() {
    return this.until(() => this.closed, "to be closed").then(() => this.closed);
  }
  stop() {}
}

/** Those that are programs. */
class Program extends Client {
  constructor(name, can, command, args) {
    super(name, can);
    this.process = start(name, command, args, {}, { stdio: ["pipe", "pipe", "pipe"] });
    this.rest = "";
    this.process.child.stdin.on("error", () => {});
    this.process.child.stdout.on("data", (data) => {
      const lines = (this.rest + data).split("\n");
      this.rest = lines.pop();
      for (const line of lines) this.line(line.split(" "));
    });
  }
  line([word, ...fields]) {
    const read = (field) => (field === "-" ? Buffer.alloc(0) : Buffer.from(field, "hex"));
    if (word === "failed") this.heard(word, fields[0]);
    else if (word === "closed") this.heard(word, fields[0], read(fields[1] ?? "-"));
    else this.heard(word, ...fields.map(read));
  }
  say(word, ...fields) {
    const write = (field) => (typeof field === "number" || typeof field === "boolean" ? `${Number(field)}` : Buffer.from(field).toString("hex") || "-");
    this.process.child.stdin.write(`${[word, ...fields.map(write)].join(" ")}\n`);
  }
  async stop(lost) {
    this.process.child.stdin.end();
    await (lost ? this.process.kill() : this.process.exit);
  }
}

class Ws extends Client {
  say(word, data, more, deflate) {
    if (word === "open") return this.dial(data, more.split(",").filter(Boolean), deflate);
    const { ws } = this;
    if (word === "text" || word === "binary") ws.send(data, { binary: word === "binary" });
    else if (word === "part" || word === "last") ws.send(data, { binary: false, fin: word === "last" });
    else if (word === "ping") ws.ping(data);
    else if (word === "close") data ? ws.close(data, more) : ws.close();
  }
  dial(url, protocols, deflate) {
    const ws = (this.ws = new WebSocket(url, protocols, { perMessageDeflate: deflate }));
    ws.on("open", () => this.heard("opened", ws.protocol, ws.extensions));
    ws.on("unexpected-response", (_, answer) => this.heard("failed", answer.statusCode));
    ws.on("message", (data, binary) => this.heard(binary ? "binary" : "text", data));
    ws.on("pong", (data) => this.heard("pong", data));
    ws.on("close", (code, reason) => this.heard("closed", code, reason));
    ws.on("error", () => {});
  }
}

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** In a page of its own. The page always offers permessage-deflate. */
class Chromium extends Client {
  static async start() {
    const c = new Chromium("Chromium", ["no code", "closed code", "uncompressed", "new codes"]);
    c.browser = await chromium.launchPersistentContext(folder(), { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags });
    c.page = await c.browser.newPage();
    await c.page.exposeFunction("tell", (word, ...fields) => c.heard(word, ...fields));
    return c;
  }
  say(word, data, more) {
    if (word === "open") return this.page.evaluate(dialInPage, { url: data, protocols: more.split(",").filter(Boolean) });
    if (word === "binary") return this.page.evaluate((bytes) => window.ws.send(new Uint8Array(bytes)), Array.from(data));
    if (word === "text") return this.page.evaluate((text) => window.ws.send(text), String(data));
    return this.page.evaluate(([code, reason]) => (code ? window.ws.close(code, reason) : window.ws.close()), [data, more]);
  }
  stop() {
    return this.browser.close();
  }
}

/* In the page: events go out one after the other, in their order. */
function dialInPage({ url, protocols }) {
  const ws = (window.ws = new WebSocket(url, protocols));
  let wasOpen = false, queue = Promise.resolve();
  const tell = (...event) => (queue = queue.then(() => window.tell(...event)));
  ws.binaryType = "arraybuffer";
  ws.onopen = () => tell("opened", ws.protocol, ws.extensions, (wasOpen = true));
  ws.onmessage = ({ data }) => (typeof data === "string" ? tell("text", data) : tell("binary", Array.from(new Uint8Array(data))));
  ws.onclose = ({ code, reason }) => (wasOpen ? tell("closed", code, reason) : tell("failed", 0));
}

const here = (file) => path.join(root, "tests/rfc6455", file);

/**
 * What each can. `new codes`: knows those that were registered after the RFC; `status`: tells the status of a refusal; `closed code`: tells the code of a
 * server's answer to its close; `uncompressed`: hears messages that are not compressed, and pongs, on a compressed connection. libwebsockets up to 4.3.2 hears those
 * again and again, from any server (its issues 2749 and 2794).
 */
export const makers = {
  ws: () => new Ws("ws", ["fragments", "ping", "codes", "no code", "closed code", "status", "uncompressed", "new codes"]),
  libwebsockets: (deflate) => new Program("libwebsockets", ["fragments", "ping", "codes", "no code"], path.join(bin, "lws-client"), deflate ? ["deflate"] : []),
  chromium: () => Chromium.start(),
  python: () => new Program("python", ["fragments", "ping", "codes", "closed code", "status", "uncompressed", "new codes"], "/usr/bin/python3", [here("python_client.py")]),
};
