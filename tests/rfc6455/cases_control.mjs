// Pings, pongs, close frames and the closing handshake (RFC 6455 sections 5.5 and 7).
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, bytes, close, closing, fragments, frame, ping, pong, text } from "./frames.mjs";
import { bad, good, row } from "./rows.mjs";

const join = (...parts) => Buffer.concat(parts);
const answered = (section, name, send, ...pongs) => row(section, name, send, { pongs });
const payload = (n) => "p".repeat(n);
const all = Array.from({ length: 126 }, (_, n) => payload(n));

const pingRows = [
  ...[0, 1, 2, 124, 125].map((n) => answered("5.5.2", `a ping of ${n} bytes`, ping(payload(n)), payload(n))),
  answered("5.5.2", "pings of every size from 0 to 125", all.map((p) => ping(p)), ...all),
  answered("5.5.2", "ten pings in one segment", join(...all.slice(0, 10).map((p) => ping(p))), ...all.slice(0, 10)),
  answered("5.5.2", "a ping of bytes that are no text", ping(Buffer.from([0, 255, 254, 253, 192, 128])), Buffer.from([0, 255, 254, 253, 192, 128]).toString("latin1")),
  answered("5.5.2", "a ping, each byte a segment", bytes(ping(payload(125))), payload(125)),
  answered("5.3", "a ping with a zero mask", ping("zero", { key: Buffer.alloc(4) }), "zero"),
  row("5.5.2", "pings between texts", join(ping("a"), text("1"), ping("b"), text("2"), ping("c")), { texts: ["1", "2"], pongs: ["a", "b", "c"] }),
  bad("5.5", "a ping of 126 bytes", ping(payload(126))),
  bad("5.5", "a ping of 65536 bytes", ping(payload(65536))),
  bad("5.5", "a ping of 5 bytes with a 16-bit length", ping("hello", { form: 16 })),
  bad("5.5", "a ping of 5 bytes with a 64-bit length", ping("hello", { form: 64 })),
  bad("5.5", "a fragmented ping", join(ping("a", { fin: false }), frame(CONTINUATION, "b"))),
  bad("5.5", "a fragmented ping in an unfinished text", join(frame(TEXT, '"a', { fin: false }), ping("", { fin: false }))),
  good("5.5.3", "an empty pong that nobody asked for", join(pong(""), text("1")), "1"),
  good("5.5.3", "a pong of 125 bytes that nobody asked for", join(pong(payload(125)), text("1")), "1"),
  good("5.5.3", "a pong of bytes that are no text", join(pong(Buffer.from([255, 254])), text("1")), "1"),
  answered("5.5.3", "pongs and pings in turn", join(pong("x"), ping("a"), pong("y"), ping("b")), "a", "b"),
  bad("5.5", "a pong of 126 bytes", pong(payload(126))),
  bad("5.5", "a fragmented pong", pong("a", { fin: false })),
];

const defined = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];
const registered = [1012, 1013, 1014]; // by IANA, since
const applications = [3000, 3999, 4000, 4999];
const forbidden = { 0: "unused", 999: "unused", 1004: "reserved", 1005: "never sent", 1006: "never sent", 1015: "never sent", 1016: "not registered", 1100: "not registered", 2000: "not registered", 2999: "not registered", 5000: "undefined", 65535: "undefined" };
const codeRows = [
  ...[...defined, ...registered, ...applications].map((code) => row("7.4", `the close code ${code} comes back`, close(code), { code, reason: "" })),
  ...Object.entries(forbidden).map(([code, why]) => bad("7.4", `the close code ${code}, ${why}`, close(Number(code)))),
];

const utf8Reason = "è".repeat(61); // 122 bytes
const brokenReason = (...reason) => frame(CLOSE, Buffer.concat([closing(1000), Buffer.from(reason)]));
const reasonRows = [
  row("5.5.1", "a close without a code", close(), { code: 1005, reason: "" }),
  ...[0, 1, 2, 122, 123].map((n) => row("5.5.1", `a reason of ${n} bytes comes back`, close(1000, payload(n)), { code: 1000, reason: payload(n) })),
  row("5.5.1", "a reason of two-byte characters", close(3000, utf8Reason), { code: 3000, reason: utf8Reason }),
  row("5.5.1", "a reason of all lengths of characters", close(1000, "aé€😀"), { code: 1000, reason: "aé€😀" }),
  row("5.5.1", "a reason with U+0000", close(1000, "a\0b"), { code: 1000, reason: "a\0b" }),
  bad("5.5.1", "a close of one byte", frame(CLOSE, Buffer.from([3]))),
  bad("5.5", "a reason of 124 bytes", close(1000, payload(124))),
  bad("5.5", "a close of 2 bytes with a 16-bit length", close(1000, "", { form: 16 })),
  bad("5.5", "a fragmented close", close(1000, "", { fin: false })),
  bad("8.1", "a reason with 0xff", brokenReason(0xff), 1007),
  bad("8.1", "a reason with a continuation byte alone", brokenReason(0x61, 0x80), 1007),
  bad("8.1", "a reason cut inside a character", brokenReason(0xe2, 0x82), 1007),
  bad("8.1", "a reason with a surrogate", brokenReason(0xed, 0xa0, 0x80), 1007),
  bad("8.1", "a reason with an overlong character", brokenReason(0xc0, 0xaf), 1007),
  bad("8.1", "a reason beyond U+10FFFF", brokenReason(0xf4, 0x90, 0x80, 0x80), 1007),
];

const ended = (name, send, { code = 1000, reason = "", ...more } = {}) => row("5.5.1", name, send, { code, reason, ...more });
const orderRows = [
  ended("a text behind the close is not heard", join(close(1000), text("1"))),
  ended("a ping behind the close is not answered", join(close(1000), ping("p"))),
  ended("a second close is not answered", join(close(1000), close(1001))),
  ended("a close behind an empty one is not answered", join(close(), close(1001)), { code: 1005 }),
  ended("nonsense behind the close is not read", join(close(1000), Buffer.from("this is no frame at all"))),
  ended("an unmasked frame behind the close is not read", join(close(1000), text("1", { key: null }))),
  ended("a text behind the close, in a segment of its own", [close(1000), text("1")]),
  ended("half a frame behind the close", join(close(1000), text('"long enough"').subarray(0, 9))),
  ended("a ping in front of the close is answered", join(ping("p"), close(1000)), { pongs: ["p"] }),
  ended("a text in front of the close is heard", join(text("1"), close(1000)), { texts: ["1"], heard: ["1"] }),
  ended("fragments in front of the close are heard", join(fragments(["1", "2"]), close(1000)), { texts: ["12"], heard: ["12"] }),
  ended("a binary message in front of the close is heard", join(frame(BINARY, "7"), close(1000)), { texts: ["7"], heard: ["7"] }),
  ended("a close with each byte a segment", bytes(close(1000, "slowly")), { reason: "slowly" }),
  ended("a close with a zero mask", close(1000, "zero", { key: Buffer.alloc(4) }), { reason: "zero" }),
  ended("a pong in front of the close", join(pong("x"), close(1001)), { code: 1001 }),
  row("7.1.7", "nothing is heard behind a protocol error", join(frame(PING, "", { rsv: 1 }), text("1")), { code: 1002, heard: [] }),
  row("7.1.7", "no ping is answered behind a protocol error", join(frame(PONG, "", { fin: false }), ping("p")), { code: 1002 }),
  row("7.1.7", "a good text in front of a protocol error is heard", join(text("1"), frame(3)), { code: 1002, texts: ["1"], heard: ["1"] }),
  row("7.1.5", "the room ends it without a code", text('{"do":"close"}'), { code: 1005, reason: "" }),
  row("7.1.5", "the client's text crosses the server's close", [text('{"do":"close"}')], { code: 1005, reason: "", afterwards: text('"too late"'), heard: ['{"do":"close"}'] }),
];

export const groups = { "pings and pongs": pingRows, "close codes": codeRows, "close reasons": reasonRows, "the closing handshake": orderRows };
