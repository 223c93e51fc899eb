// The opening handshake (RFC 6455 section 4): what opens a socket, and what must not.
import { accept, handshake, Peer } from "./peer.mjs";
import { bytes, close } from "./frames.mjs";

const KEY = "Sec-WebSocket-Key", VERSION = "Sec-WebSocket-Version", PROTOCOL = "Sec-WebSocket-Protocol", EXTENSIONS = "Sec-WebSocket-Extensions";
const good = "dGhlIHNhbXBsZSBub25jZQ==";

/** `changes` of the headers; `line`: of the request line; `opens`: the headers that the 101 must have (null: not have). */
const opens = (section, name, changes = {}, headers = {}, line) => ({ section, name, changes, headers, line, status: 101 });
/** Must not open: `status` is exact, or "not 101" where the request is good HTTP of another kind. */
const refused = (section, name, changes, status = 400, line = undefined, headers = {}) => ({ section, name, changes, headers, line, status });
const PLAIN = "not 101"; // without both tokens of section 4.2.1 it is an ordinary request, which is the room's

const protocols = (section, name, value, chosen) => opens(section, name, { [PROTOCOL]: value }, { "sec-websocket-protocol": chosen });
const unextended = { "sec-websocket-extensions": null };

const upgradeRows = [
  opens("4.2.2", "a good one", {}, { upgrade: "websocket", connection: "Upgrade", "sec-websocket-protocol": null, ...unextended }),
  opens("4.2.1", "Upgrade in capitals", { Upgrade: "WEBSOCKET" }),
  opens("4.2.1", "Connection in small letters", { Connection: "upgrade" }),
  opens("4.2.1", "Connection as a list", { Connection: "keep-alive, Upgrade" }),
  opens("4.2.1", "Connection as a list with empty elements and blanks", { Connection: " ,keep-alive ,,\tUpgrade , " }),
  opens("4.2.1", "Connection in two lines", { Connection: ["keep-alive", "Upgrade"] }),
  opens("4.2.1", "Upgrade as a list", { Upgrade: "h2c, websocket" }),
  opens("4.2.1", "names of headers in other letters", { Upgrade: undefined, [KEY]: undefined, uPGRADE: "websocket", "SEC-WEBSOCKET-KEY": good }),
  opens("4.2.1", "headers in another order", { Host: undefined, [VERSION]: undefined, "Sec-websocket-version": "13", host: "localhost" }),
  opens("4.1", "headers that nobody knows", { "X-One": "1", "X-Empty": "", Cookie: "a=b; c=d", Authorization: "Basic eDp5" }),
  opens("4.1", "an Origin", { Origin: "http://example.com" }),
  opens("4.1", "a body of no length", { "Content-Length": "0" }),
  opens("4.2.1", "an absolute target", {}, {}, { absolute: true }),
  refused("4.2.1", "no Upgrade", { Upgrade: undefined }, PLAIN),
  refused("4.2.1", "no Connection", { Connection: undefined }, PLAIN),
  refused("4.2.1", "Connection without the token", { Connection: "keep-alive" }, PLAIN),
  refused("4.2.1", "Connection with a token that begins alike", { Connection: "Upgrades" }, PLAIN),
  refused("4.2.1", "Upgrade to something else", { Upgrade: "h2c" }),
  refused("4.2.1", "Upgrade to something that begins alike", { Upgrade: "websockets" }),
  refused("4.2.1", "an empty Upgrade", { Upgrade: "" }),
  refused("4.2.1", "POST", { "Content-Length": "0" }, 400, { method: "POST" }),
  refused("4.2.1", "HEAD", {}, 400, { method: "HEAD" }),
  refused("4.2.1", "PUT", { "Content-Length": "0" }, 400, { method: "PUT" }),
  refused("4.2.1", "get in small letters", {}, 400, { method: "get" }),
  refused("4.2.1", "HTTP/1.0", {}, 400, { version: "HTTP/1.0" }),
  refused("4.2.1", "HTTP/1.2", {}, 400, { version: "HTTP/1.2" }),
  refused("4.2.1", "HTTP/2.0", {}, 400, { version: "HTTP/2.0" }),
  refused("4.2.1", "HTTP/0.9", {}, 400, { version: "HTTP/0.9" }),
  refused("4.2.1", "no Host", { Host: undefined }),
  refused("4.2.1", "two Hosts", { Host: ["localhost", "other"] }),
  refused("4.2.1", "a Host that no URL could hold", { Host: "a b" }),
  refused("4.2.1", "a body", { "Content-Length": "2" }),
  refused("4.2.1", "a chunked body", { "Transfer-Encoding": "chunked" }),
  refused("3", "a fragment in the target", {}, 400, { suffix: "#fragment" }),
  refused("3", "a target that is not a path", {}, 400, { target: "parties" }),
];

const withKey = (name, key, status) => (status ? refused("4.2.1", name, { [KEY]: key }, status) : opens("4.2.1", name, { [KEY]: key }, { "sec-websocket-accept": accept(key) }));
const keyRows = [
  withKey("the key of the RFC", good),
  withKey("a key of zeros", Buffer.alloc(16).toString("base64")),
  withKey("a key of ones", Buffer.alloc(16, 255).toString("base64")),
  withKey("a key with + and /", Buffer.from("fbeffbefbefbeffbefbeffbefbeffbef", "hex").toString("base64")),
  opens("4.2.1", "blanks around the key", { [KEY]: `  ${good}\t` }, { "sec-websocket-accept": accept(good) }),
  withKey("no key", undefined, 400),
  withKey("an empty key", "", 400),
  withKey("a key of 15 bytes", Buffer.alloc(15).toString("base64"), 400),
  withKey("a key of 17 bytes", Buffer.alloc(17).toString("base64"), 400),
  withKey("a key of 0 bytes, padded", "====", 400),
  withKey("a key without its padding", good.slice(0, 22), 400),
  withKey("a key with letters that are not base64", "dGhlIHNhbXBsZSBub25j!Q==", 400),
  withKey("a key in base64url", "-_-_IHNhbXBsZSBub25jZQ==", 400),
  withKey("a key with a blank inside", "dGhlIHNhbXBs ZSBub25jZQ==", 400),
  withKey("a list of keys", `${good}, ${good}`, 400),
  withKey("the key twice", [good, good], 400),
  withKey("two keys", [good, Buffer.alloc(16).toString("base64")], 400),
];

const versions = { "sec-websocket-version": "13, 8" };
const badVersion = (name, value) => refused("4.4", name, { [VERSION]: value }, 400, undefined, versions);
const versionRows = [
  opens("4.4", "version 8, whose frames are the same", { [VERSION]: "8" }),
  badVersion("no version", undefined),
  badVersion("an empty version", ""),
  badVersion("version 0", "0"),
  badVersion("version 7", "7"),
  badVersion("version 12", "12"),
  badVersion("version 14", "14"),
  badVersion("version 013", "013"),
  badVersion("version 13.0", "13.0"),
  badVersion("version 256", "256"),
  badVersion("version thirteen", "thirteen"),
  badVersion("a list of versions", "13, 8"),
  badVersion("the version twice", ["13", "13"]),
];

const protocolRows = [
  protocols("4.2.2", "one subprotocol", "chat", "chat"),
  protocols("4.2.2", "the first of two subprotocols", "superchat, chat", "superchat"),
  protocols("4.2.2", "subprotocols without blanks", "b,a", "b"),
  protocols("11.3.4", "subprotocols in two lines", ["one", "two"], "one"),
  protocols("11.3.4", "a list and a line", ["one, two", "three"], "one"),
  protocols("4.1", "every letter that a token may have", "!#$%&'*+-.^_`|~09azAZ", "!#$%&'*+-.^_`|~09azAZ"),
  protocols("4.1", "subprotocols that differ in case alone", "Chat, chat", "Chat"),
  protocols("4.3", "an empty element in the list of subprotocols", "a,,b", "a"),
  protocols("4.3", "empty elements at both ends of the list of subprotocols", ", a ,", "a"),
  protocols("4.3", "a line of subprotocols that is empty, and another", ["", "a"], "a"),
  protocols("4.1", "a long subprotocol", "p".repeat(1000), "p".repeat(1000)),
  refused("4.3", "no subprotocol in the list", { [PROTOCOL]: "" }),
  refused("4.3", "nothing but commas", { [PROTOCOL]: ", ," }),
  refused("4.1", "a subprotocol with a blank", { [PROTOCOL]: "a b" }),
  refused("4.1", "a subprotocol with a separator", { [PROTOCOL]: "a;b" }),
  refused("4.1", "a subprotocol with a slash", { [PROTOCOL]: "a/b" }),
  refused("4.1", "a quoted subprotocol", { [PROTOCOL]: '"chat"' }),
  refused("4.1", "a subprotocol of bytes beyond ASCII", { [PROTOCOL]: "ch\u00e4t" }),
  refused("4.1", "a bad subprotocol behind a good one", { [PROTOCOL]: "a, b{c" }),
  refused("4.1", "more than 64 subprotocols, of which ours is the limit", { [PROTOCOL]: Array.from({ length: 65 }, (_, i) => `p${i}`).join() }),
  refused("4.1", "a subprotocol twice", { [PROTOCOL]: "a, b, a" }),
  refused("4.1", "a subprotocol twice, in two lines", { [PROTOCOL]: ["a", "a"] }),
];

const offered = (name, value) => opens("9.1", name, { [EXTENSIONS]: value }, unextended);
const malformed = (name, value) => refused("9.1", name, { [EXTENSIONS]: value });
const extensionRows = [
  offered("an extension that nobody knows", "x-unknown"),
  offered("an extension with a parameter", "x-unknown; a=1"),
  offered("parameters with and without value", "x-unknown; a; b=2; c"),
  offered("a quoted parameter", 'x-unknown; a="token"'),
  offered("a quoted parameter with an escape", 'x-unknown; a="tok\\en"'),
  offered("several extensions", "x-one, x-two; a=1, x-three"),
  offered("extensions in two lines", ["x-one", "x-two; a"]),
  offered("an extension twice", "x-one; a=1, x-one"),
  offered("empty elements in the list of extensions", ", x-one ,, x-two,"),
  malformed("an empty list of extensions", ""),
  malformed("a list of extensions that is a comma", ","),
  malformed("an extension without a name", "; a=1"),
  malformed("an extension's parameter without a name", "x-one; =1"),
  malformed("an extension's parameter without a value", "x-one; a="),
  malformed("an extension that ends in a semicolon", "x-one;"),
  malformed("an extension with a blank in its name", "x one"),
  malformed("an extension with a value of its own", "x-one=1"),
  malformed("a quoted parameter without its end", 'x-one; a="1'),
  malformed("a quoted parameter that is not a token", 'x-one; a="b c"'),
  malformed("an empty quoted parameter", 'x-one; a=""'),
  malformed("a bad extension behind a good one", "x-one, x-two;;"),
  malformed("a bad line of extensions behind a good one", ["x-one", "@"]),
];

const slowRows = [
  { ...opens("4.2.1", "each byte a segment"), slowly: true },
  { ...refused("4.2.1", "each byte a segment, without a key", { [KEY]: undefined }), slowly: true },
];

export const groups = {
  "the upgrade": upgradeRows, keys: keyRows, versions: versionRows, subprotocols: protocolRows, "offered extensions": extensionRows, "a slow handshake": slowRows,
};

function requestOf({ changes, line = {} }, origin, path) {
  const target = line.target ?? `${line.absolute ? origin : ""}${path}${line.suffix ?? ""}`;
  return Buffer.from(handshake(target, changes, line), "latin1");
}

function judge({ status, headers }, head) {
  const problems = [];
  const fits = status === PLAIN ? head.status !== 101 : head.status === status;
  if (!fits) problems.push(`expected ${status}, got ${head.status}`);
  for (const [name, value] of Object.entries(headers)) {
    const got = head.headers[name];
    if (value === null ? got !== undefined : got?.toLowerCase() !== value.toLowerCase()) problems.push(`${name}: expected ${value}, got ${got}`);
  }
  return problems;
}

/** Runs a row of these; answers what was wrong. */
export async function runHandshake(r, { origin, path }, id) {
  const peer = new Peer(origin);
  try {
    const request = requestOf(r, origin, `${path}?id=${id}`);
    await peer.send(r.slowly ? bytes(request) : request);
    await peer.until(() => peer.head || peer.ended, "answer");
    if (!peer.head) return ["closed without an answer"];
    const problems = judge(r, peer.head);
    if (peer.head.status !== 101) return problems;
    await peer.send(close(1000));
    await peer.until(() => peer.ended, "end of the TCP connection");
    if (peer.closed?.code !== 1000) problems.push(`closed with ${JSON.stringify(peer.closed)}`);
    return [...problems, ...peer.wrong];
  } catch (error) {
    return [error.message];
  } finally {
    peer.leave();
  }
}
