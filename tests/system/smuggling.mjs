// Requests that two servers could read in two ways: whatever is tried, a room server gets the one request that was meant, or none.
// The node, the world before it, and the node's mode pass are tried alike; behind both stands a recorder that reads by the letter.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { startNode, startWorld } from "../lib/process.mjs";
import { request, shardId } from "../lib/cluster.mjs";
import { nodesAlive } from "../lib/metrics.mjs";
import { exchange } from "../lib/raw.mjs";
import { Recorder } from "../lib/recorder.mjs";

const base = `/parties/shard/${shardId()}`;
const path = `${base}/x`;
const inner = `GET ${base}/smuggled HTTP/1.1\r\nHost: a\r\n\r\n`;
const chunked = "Transfer-Encoding: chunked\r\n";
const size = (text) => text.length.toString(16);
const last = "0\r\n\r\n";
const post = (headers, body = "", line = `POST ${path} HTTP/1.1`) => `${line}\r\nHost: a\r\n${headers}\r\n${body}`;
/** A rule of ROUTES: the same path, with servers that know no envelopes. */
const pass = { path: "/parties/shard/{shard}/*", mode: "pass", secret: true };
const big = (n) => "x".repeat(n);

/** Refused: 400 (or what is named) and an end, nothing upstream. */
const refused = [
  ["a length, then a coding", post(`Content-Length: ${inner.length + 5}\r\n${chunked}`, last + inner)],
  ["a coding, then a length", post(`${chunked}Content-Length: ${inner.length + 5}\r\n`, last + inner)],
  ["a length of 0 and a coding", post(`Content-Length: 0\r\n${chunked}`, last + inner)],
  ["two equal lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")],
  ["two lengths", post(`Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`, inner)],
  ["two lengths in other cases", post(`content-length: ${inner.length}\r\nCONTENT-LENGTH: 0\r\n`, inner)],
  ["a list of equal lengths", post("Content-Length: 5, 5\r\n", "hello")],
  ["a list of lengths", post(`Content-Length: 0, ${inner.length}\r\n`, inner)],
  ...["+5", "-5", "-0", "0x5", "5e0", "5.0", "5;", "5 5", "5\x0b", "\x0b5", "5\t", "", "five", "99999999999999999999", "9223372036854775808", "18446744073709551621"]
    .map((length) => [`the length ${JSON.stringify(length)}`, post(`Content-Length: ${length}\r\n`, `hello${inner}`)]),
  ...["xchunked", "chunkedx", "chunked, identity", "identity, chunked", "identity", "gzip, chunked", "chunked, chunked", "chunked;q=1", '"chunked"', "chunked chunked", "chunked,", ",chunked",
    "", "chunked\t", "\x0bchunked", "chunked\x0b", "\x0cchunked", "chunked\x0c", "\x00chunked", "chunked\x00", "\xa0chunked", "chunk ed", "chun\xe9ed"]
    .map((coding) => [`the coding ${JSON.stringify(coding)}`, post(`Transfer-Encoding: ${coding}\r\n`, last + inner)]),
  ["two codings", post(`${chunked}${chunked}`, last + inner)],
  ["chunked and identity", post(`${chunked}Transfer-Encoding: identity\r\n`, last + inner)],
  ["a coding in HTTP/1.0", post(chunked, last + inner, `POST ${path} HTTP/1.0`)],
  ["a coding in HTTP/1.0 that stays", post(`Connection: keep-alive\r\n${chunked}`, last + inner, `POST ${path} HTTP/1.0`)],
  ["a blank before the colon", post("Transfer-Encoding : chunked\r\n", last + inner)],
  ["a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", last + inner)],
  ["a length with a blank before the colon", post(`Content-Length : ${inner.length}\r\n`, inner)],
  ["a blank before a name", post(" Transfer-Encoding: chunked\r\n", last + inner)],
  ["a blank before the first name", `POST ${path} HTTP/1.1\r\n Host: a\r\n\r\n`],
  ["a tab before the first name", `POST ${path} HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n`],
  ["a folded header", post("X: y\r\n Transfer-Encoding: chunked\r\n", last + inner)],
  ["a folded header, by tab", post("X: y\r\n\tz\r\n")],
  ["a folded empty header", post("X:\r\n y\r\n")],
  ["a folded length", post(`Content-Length:\r\n ${inner.length}\r\n`, inner)],
  ["a folded coding", post("Transfer-Encoding:\r\n chunked\r\n", last + inner)],
  ["a folded Host", `GET ${path} HTTP/1.1\r\nHost:\r\n a\r\n\r\n`],
  ["a last header that is folded", post("X: y\r\n \r\n")],
  ["a request line that ends in LF", `POST ${path} HTTP/1.1\nHost: a\r\n\r\n`],
  ["a header that ends in LF", post(`X: y\nContent-Length: ${inner.length}\r\n`, inner)],
  ["a coding behind a bare LF", post("X: y\nTransfer-Encoding: chunked\r\n", last + inner)],
  ["a head that ends in LF LF", `POST ${path} HTTP/1.1\nHost: a\n\n${inner}`],
  ["a head that ends in CR LF LF", `POST ${path} HTTP/1.1\r\nHost: a\r\n\n${inner}`],
  ["a bare CR in a header", post("X: y\rTransfer-Encoding: chunked\r\n", last + inner)],
  ["a bare CR before a header's end", post("X: y\r\r\n")],
  ["a bare CR in the request line", `POST ${path}\rHTTP/1.1\r\nHost: a\r\n\r\n`],
  ["a bare CR behind the request line", `POST ${path} HTTP/1.1\r\r\nHost: a\r\n\r\n`],
  ["NUL in a value", post("X: y\0z\r\n")],
  ["NUL in a name", post("X\0Y: z\r\n")],
  ["NUL in the target", `GET ${path}\0 HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["NUL before the request", `\0GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ...["X(y)", "X\x80", "X Y", "", "X\x7f", 'X"', "X{", "X\\", "X/", "X@", "X,", "X;", "X\x0b", "\xef\xbb\xbfX"].map((name) => [`the name ${JSON.stringify(name)}`, post(`${name}: z\r\n`)]),
  ["a header without a colon", post("X\r\n")],
  ["two Hosts", post("Host: b\r\n")],
  ["two equal Hosts", post("Host: a\r\n")],
  ["no Host", `POST ${path} HTTP/1.1\r\n\r\n`],
  ...["a b", "a/b", "user@a", "user:p@a", "a\\b", "a:99999", "a:-1", "a:x", "[::1", "::1", "a?b", "a#b", "a\x80", "a\x0b", "a<b", "a%zz", "1.2.3.999"].map((host) => [`the Host ${JSON.stringify(host)}`, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`]),
  ["an absolute target with userinfo", `GET http://user@a${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["an absolute target with a bad host", `GET http://a<b${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["CONNECT", `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${inner}`],
  ["a method in small letters", `post ${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["two blanks in the request line", `GET  ${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["a tab in the request line", `GET\t${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["HTTP/1.1 twice", `GET ${path} HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["HTTP/0.9", `GET ${path}\r\n\r\n${inner}`],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["101 headers", post("X: y\r\n".repeat(100)), 431],
  ["a head of 20 KiB", post(`X: ${big(20 * 1024)}\r\n`), 431],
];

/** Refused within the body: 400 and an end; upstream no request comes to its end. */
const chunks = [
  ...["+5", "-5", "0x5", "", " 5", "\t5", "5 ", "5\t", "5\x0b", "g", "5h", "5,5", "FFFFFFFFFFFFFFFF1", "8000000000000000", "FFFFFFFFFFFFFFFF", "00000000000000005", "5\0"]
    .map((digits) => [`the chunk size ${JSON.stringify(digits)}`, `${digits}\r\nhello\r\n${last}${inner}`]),
  ["a chunk size that ends in LF", `5\nhello\r\n${last}${inner}`],
  ["a chunk size that ends in CR", `5\rhello\r\n${last}${inner}`],
  ["a chunk size that ends in CR CR LF", `5\r\r\nhello\r\n${last}${inner}`],
  ["a chunk that ends in LF", `5\r\nhello\n${last}${inner}`],
  ["a chunk longer than its size", `4\r\nhello\r\n${last}${inner}`],
  ["a chunk without an end", `5\r\nhello${last}${inner}`],
  ["LF in an extension", `5;\nhello\r\n${last}${inner}`],
  ["LF behind an extension", `5;a=b\nhello\r\n${last}${inner}`],
  ["CR in an extension", `5;a\rb\r\nhello\r\n${last}${inner}`],
  ["NUL in an extension", `5;a\0b\r\nhello\r\n${last}${inner}`],
  ["a blank before an extension", `5 ;a=b\r\nhello\r\n${last}${inner}`],
  ["an extension of 300 bytes", `5;${big(300)}\r\nhello\r\n${last}${inner}`],
  ["no end behind the last chunk", `5\r\nhello\r\n0\r\n${inner}`],
  ["a last chunk that ends in LF", `5\r\nhello\r\n0\n\r\n${inner}`],
  ["trailers that end in LF", `5\r\nhello\r\n0\r\n\n${inner}`],
  ["a bare CR behind the last chunk", `5\r\nhello\r\n0\r\n\r${inner}`],
  ["a folded trailer", `5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n${inner}`],
  ["a trailer with a blank before its colon", `5\r\nhello\r\n0\r\nA : b\r\n\r\n${inner}`],
  ["a trailer without a colon", `5\r\nhello\r\n0\r\nA\r\n\r\n${inner}`],
  ["trailers of 9 KiB", `5\r\nhello\r\n0\r\n${`A: ${big(90)}\r\n`.repeat(100)}\r\n${inner}`],
];

const hello = `5\r\nhello\r\n${last}`;
const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const get = (headers, body = "") => post(headers, body, `GET ${path} HTTP/1.1`);
/** Good, if odd: name, bytes, statuses, what comes upstream. */
const read = [
  ["a length with blanks around it", post("Content-Length: \t5  \r\n", "hello"), [200], ["POST /x hello"]],
  ["a length with leading zeros", post("Content-Length: 0005\r\n", "hello"), [200], ["POST /x hello"]],
  ["a coding with blanks around it", post("Transfer-Encoding: \t chunked  \r\n", hello), [200], ["POST /x hello"]],
  ["a coding in capitals", post("TRANSFER-ENCODING: CHUNKED\r\n", hello), [200], ["POST /x hello"]],
  ["chunk sizes in both cases, with zeros and extensions", post(chunked, `0A;a="b"\r\nhellohello\r\n0001;x\r\n!\r\n00\r\n\r\n`), [200], ["POST /x hellohello!"]],
  ["1 000 chunks with long extensions", post(chunked, `1;${big(200)}\r\na\r\n`.repeat(1000) + last), [200], [`POST /x ${"a".repeat(1000)}`]],
  ["trailers that name framing", post(chunked, `5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: identity\r\nHost: b\r\nx-access-shard: s\r\n\r\n`), [200], ["POST /x hello"]],
  ["two requests in one packet", post("Content-Length: 5\r\n", "hello") + get(""), [200, 200], ["POST /x hello", "GET /x"]],
  ["a request in the body of one", post(`Content-Length: ${inner.length}\r\n`, inner), [200], [`POST /x ${inner}`]],
  ["a request in the body of a GET", get(`Content-Length: ${inner.length}\r\n`, inner), [200], [`GET /x ${inner}`]],
  ["a request in a chunk", post(chunked, `${size(inner)}\r\n${inner}\r\n${last}`), [200], [`POST /x ${inner}`]],
  ["empty lines before a request", `\r\n\r\n${get("")}`, [200], ["GET /x"]],
  ["a length that Connection names", post("Connection: content-length\r\nContent-Length: 5\r\n", "hello"), [200], ["POST /x hello"]],
  ["a coding that Connection names", post(`Connection: transfer-encoding, host\r\n${chunked}`, hello), [200], ["POST /x hello"]],
  ["an expectation with a body at once", post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"), [200], ["POST /x hello"]],
  ["framing in names with _", post("Transfer_Encoding: chunked\r\nContent_Length: 99\r\nContent-Length: 5\r\n", "hello"), [200], ["POST /x hello"]],
  ["another protocol's upgrade with a body", post("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\nContent-Length: 5\r\n", "hello"), [200], ["POST /x hello"]],
  ["an absolute target with another Host", `GET http://b:81${path} HTTP/1.1\r\nHost: a\r\n\r\n`, [200], ["GET /x"]],
  ["a WebSocket upgrade with a length", get(`${upgrade}Content-Length: ${inner.length}\r\n`, inner), [400], []],
  ["a WebSocket upgrade with a coding", get(`${upgrade}${chunked}`, last + inner), [400], []],
  ["a WebSocket upgrade by POST", post(`${upgrade}Content-Length: ${inner.length}\r\n`, inner), [400], []],
];

/** What a room server must never see, whatever the client sent. */
function assertClean(recorder, what) {
  assert.deepEqual(recorder.wrong, [], what);
  for (const { headers } of recorder.forwarded) {
    const names = headers.map(([name]) => name.toLowerCase());
    for (const name of ["transfer_encoding", "content_length", "trailer", "te", "expect", "upgrade", "keep-alive", "http2-settings"]) assert.ok(!names.includes(name), `${what}: ${name}`);
    for (const name of ["host", "x-access-shard", "x-shard-id"]) assert.equal(names.filter((n) => n === name).length, 1, `${what}: ${name}`);
  }
}

async function serve(t, door, answer) {
  const recorder = await Recorder.start(t, answer);
  const world = await startWorld();
  const node = await startNode(world.origin, recorder.origin, door === "pass" ? { ROUTES: JSON.stringify([pass]) } : {});
  if (door === "world") await nodesAlive(world, 1);
  return { recorder, origin: door === "world" ? world.origin : node.origin };
}

/** `fn` for all rows, a few at a time; all that is wrong is told at once. */
async function each(rows, fn) {
  const wrong = [];
  for (const row of rows) await fn(...row).catch((error) => wrong.push(`${row[0]}: ${error.message}`));
  if (wrong.length) throw new Error(wrong.join("\n"));
}

for (const door of ["node", "world", "pass"]) {
  test(`${door}: a head that could be read in two ways is refused, and nothing of it goes on`, async (t) => {
    const { origin, recorder } = await serve(t, door);
    await each(refused, async (what, bytes, status = 400) => {
      const got = await exchange(origin, bytes, { ms: 1500 });
      assert.deepEqual([got.statuses, got.open], [[status], false], got.text.slice(0, 300));
    });
    assert.equal((await request(origin, { path })).status, 200);
    assert.deepEqual([recorder.story, recorder.wrong], [["GET /x"], []]);
    assert.doesNotMatch(recorder.raw, /smuggled/);
  }, { seconds: 120 });

  test(`${door}: a chunk that could be read in two ways breaks its request off`, async (t) => {
    const { origin, recorder } = await serve(t, door);
    await each(chunks, async (what, body) => {
      const got = await exchange(origin, post(chunked, body), { ms: 1500 });
      assert.deepEqual([got.statuses, got.open], [[400], false], got.text.slice(0, 300));
    });
    assert.equal((await request(origin, { path })).status, 200);
    assert.deepEqual([recorder.story, recorder.wrong], [["GET /x"], []]);
    assert.doesNotMatch(recorder.raw, /smuggled/);
  }, { seconds: 120 });

  test(`${door}: what is odd and has one meaning arrives with that one`, async (t) => {
    const { origin, recorder } = await serve(t, door);
    const trace = await exchange(origin, `TRACE ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, { ms: 500 });
    assert.ok([404, 405].includes(trace.status) && !/x-access-shard/.test(trace.text), trace.text);
    await each(read, async (what, bytes, statuses, story) => {
      recorder.forget();
      const enough = (text) => [...text.matchAll(/HTTP\/1\.1 (?!100)\d+/g)].length >= statuses.length && /\r\n\r\n[^\r]+$/.test(text);
      const got = await exchange(origin, bytes, { ms: 1500, done: enough });
      assert.deepEqual(got.statuses.filter((s) => s !== 100), statuses, got.text.slice(0, 300));
      assert.deepEqual(recorder.story, story);
      assertClean(recorder, what);
    });
  }, { seconds: 120 });
}

const ok = (body) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
/** Answers of room servers: name, bytes, what the client may get: a status, or `broken`: a beginning without its end. */
const answers = [
  ["two lengths", `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, [500]],
  ["two equal lengths", `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, [500]],
  ["a length and a coding", `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${chunked}\r\n${hello}`, [500]],
  ["a coding and a length", `HTTP/1.1 200 OK\r\n${chunked}Content-Length: 5\r\n\r\n${hello}`, [500]],
  ["another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", [500]],
  ["a coding with VT", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", [500]],
  ["a coding in HTTP/1.0", `HTTP/1.0 200 OK\r\n${chunked}\r\n${hello}`, [500]],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", [500]],
  ["bare LFs", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", [500]],
  ["a folded header", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 5\r\n\r\nhello", [500]],
  ["NUL in a header", "HTTP/1.1 200 OK\r\nX: y\0z\r\nContent-Length: 5\r\n\r\nhello", [500]],
  ["a bare CR in a header", "HTTP/1.1 200 OK\r\nX: y\rSet-Cookie: z\r\nContent-Length: 5\r\n\r\nhello", [500]],
  ["a blank before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", [500]],
  ["no HTTP", "hello", [500]],
  ["another HTTP", "HTTP/2 200 OK\r\n\r\n", [500]],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", [500]],
  ["101 headers", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(101)}\r\n`, [500]],
  ["a head of 20 KiB", `HTTP/1.1 200 OK\r\nX: ${big(20 * 1024)}\r\n\r\n`, [500]],
  ["an endless head", `HTTP/1.1 200 OK\r\nX: ${big(200 * 1024)}`, [500]],
  ["an upgrade that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", [500]],
  ["a flood of 1xx", "HTTP/1.1 100 Continue\r\n\r\n".repeat(2000) + ok("late"), [500]],
  ["a flood of 1xx with headers", `HTTP/1.1 103 Early Hints\r\nLink: ${big(8000)}\r\n\r\n`.repeat(64) + ok("late"), [500]],
  ["a few 1xx", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("fine"), [200], "fine"],
  ["a bad chunk size", `HTTP/1.1 200 OK\r\n${chunked}\r\n5\r\nhello\r\nzz\r\n`, "broken"],
  ["a chunk size that is too large", `HTTP/1.1 200 OK\r\n${chunked}\r\n5\r\nhello\r\nFFFFFFFFFFFFFFFFF\r\n`, "broken"],
  ["a chunk size that ends in LF", `HTTP/1.1 200 OK\r\n${chunked}\r\n5\r\nhello\r\n5\nhello\r\n${last}`, "broken"],
  ["a chunk longer than its size", `HTTP/1.1 200 OK\r\n${chunked}\r\n5\r\nhello\r\n2\r\nhello\r\n${last}`, "broken"],
  ["an end within a chunk", `HTTP/1.1 200 OK\r\n${chunked}\r\n5\r\nhel`, "broken"],
  ["an end within a length", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "broken"],
  ["trailers of 9 KiB", `HTTP/1.1 200 OK\r\n${chunked}\r\n5\r\nhello\r\n0\r\n${`A: ${big(90)}\r\n`.repeat(100)}\r\n`, "broken"],
  ["an answer behind the answer", ok("mine") + ok("POISON"), [200], "mine"],
  ["an answer in the body of a 204", "HTTP/1.1 204 No Content\r\nContent-Length: 50\r\n\r\n" + ok("POISON"), [204], ""],
  ["an answer in the body of a 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n" + ok("POISON"), [304], ""],
  ["an answer behind the last chunk", `HTTP/1.1 200 OK\r\n${chunked}\r\n4\r\nmine\r\n${last}${ok("POISON")}`, [200], "mine"],
  ["an answer behind an early refusal", `HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno${ok("POISON")}`, [403], "no"],
];

for (const door of ["node", "world", "pass"]) {
  test(`${door}: a room server that answers in two ways harms its own request at most`, async (t) => {
    let bytes = null; // what the next request gets
    const { origin } = await serve(t, door, ({ headers }, socket) => {
      if (!headers.some(([name]) => name === "x-original-client-ip")) return socket.destroy(); // a link
      if (bytes === null) socket.write(ok("honest"));
      else if (/POISON|fine/.test(bytes)) socket.write(bytes, "latin1");
      else socket.end(bytes, "latin1");
      bytes = null;
    });
    await each(answers, async (what, text, expected, body) => {
      bytes = text;
      const got = await exchange(origin, get("Connection: close\r\n"), { ms: 3000 });
      if (expected === "broken") {
        assert.deepEqual([got.statuses, got.open], [[200], false], got.text.slice(0, 200));
        assert.ok(!got.text.endsWith(last) && !/Content-Length: 5\r\n/i.test(got.text), `it looks whole: ${got.text.slice(-100)}`);
      } else {
        assert.deepEqual(got.statuses, expected.map((s) => (s === 500 && door === "pass" ? 502 : s)), got.text.slice(0, 200));
        if (body !== undefined) assert.equal(got.text.split("\r\n\r\n").slice(1).join("").replace(/^4\r\n|\r\n0$/g, ""), body);
      }
      assert.doesNotMatch(got.text, /POISON/);
      for (let i = 0; i < 3; i++) {
        const next = await exchange(origin, get("Connection: close\r\n"), { ms: 3000 });
        assert.match(next.text, /\r\n\r\nhonest$/, "the next request's answer");
      }
    });
  }, { seconds: 120 });
}
