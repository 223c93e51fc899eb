// An upstream that trusts nobody: it reads requests off the bare bytes by the strictest rules and writes down what came.
import net from "node:net";

/** Takes one whole request off `bytes`: { line, headers, body, length } or null: not all here; throws when it is none. */
function take(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [line, ...fields] = bytes.slice(0, end).split("\r\n");
  if (!/^[A-Z]+ \/[^ ]* HTTP\/1\.1$/.test(line)) throw new Error(`no request line: ${JSON.stringify(line)}`);
  const headers = fields.map((f) => f.match(/^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/)?.slice(1) ?? [null, f]);
  if (headers.some(([name]) => name === null)) throw new Error(`no header lines: ${JSON.stringify(fields)}`);
  const get = (name) => headers.filter(([n]) => n.toLowerCase() === name).map(([, v]) => v);
  const [lengths, codings] = [get("content-length"), get("transfer-encoding")];
  if (lengths.length + codings.length > 1 || codings.some((c) => c !== "chunked")) throw new Error(`framed twice: ${JSON.stringify(fields)}`);
  const got = (body, at) => ({ line, headers, body, length: at });
  if (codings.length === 0) {
    const length = Number(lengths[0] ?? 0);
    return bytes.length < end + 4 + length ? null : got(bytes.slice(end + 4, end + 4 + length), end + 4 + length);
  }
  for (let at = end + 4, body = ""; ; ) {
    const size = bytes.slice(at).match(/^([0-9a-f]+)\r\n/);
    if (!size) {
      if (bytes.slice(at).includes("\r\n")) throw new Error(`no chunk: ${JSON.stringify(bytes.slice(at, at + 40))}`);
      return null;
    }
    const length = parseInt(size[1], 16);
    at += size[0].length;
    if (bytes.length < at + length + 2) return null;
    if (bytes.slice(at + length, at + length + 2) !== "\r\n") throw new Error("a chunk without an end");
    body += bytes.slice(at, at + length);
    at += length + 2;
    if (length === 0) return got(body, at);
  }
}

export class Recorder {
  /** `answer(request, socket)` writes; without it every request gets 200 with its own number. */
  static async start(t, answer) {
    const r = new Recorder();
    Object.assign(r, { requests: [], raw: "", wrong: [], sockets: new Set(), answer });
    r.server = net.createServer((socket) => r.accept(socket));
    await new Promise((resolve) => r.server.listen(0, "127.0.0.1", resolve));
    r.origin = `http://127.0.0.1:${r.server.address().port}`;
    t.after(() => {
      for (const socket of r.sockets) socket.destroy();
      r.server.close();
    });
    return r;
  }
  accept(socket) {
    let bytes = "";
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("data", (data) => {
      bytes += data.toString("latin1");
      this.raw += data.toString("latin1");
      try {
        for (let request = take(bytes); request; request = take(bytes)) {
          bytes = bytes.slice(request.length);
          this.requests.push(request);
          if (this.answer) this.answer(request, socket, this.requests.length);
          else if (/^upgrade: websocket$/im.test(request.headers.map((h) => h.join(": ")).join("\n"))) socket.destroy();
        else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(this.requests.length).length + 1}\r\n\r\n#${this.requests.length}`);
        }
      } catch (error) {
        this.wrong.push(error.message);
        socket.destroy();
      }
    });
  }
  /** What came for clients (no warm-ups, no links), as `METHOD /rest BODY`; the path behind the room. */
  get story() {
    return this.forwarded.map(({ line, body }) => `${line.split(" ")[0]} ${line.split(" ")[1].replace(/^\/parties\/(main|shard)\/[^/]*/, "")}${body ? ` ${body}` : ""}`);
  }
  get forwarded() {
    return this.requests.filter(({ headers }) => headers.some(([name]) => name.toLowerCase() === "x-original-client-ip"));
  }
  forget() {
    Object.assign(this, { requests: [], raw: "", wrong: [] });
  }
}
