// Fragments, masks, RSV bits, opcodes and lengths (RFC 6455 sections 5.2 to 5.4).
import { BINARY, CONTINUATION, TEXT, bytes, close, cut, fragments, frame, json, ping, pong, text } from "./frames.mjs";
import { bad, good, row } from "./rows.mjs";

const LIMIT = 1 << 20; // MESSAGE_MAX
const join = (...parts) => Buffer.concat(parts);
const message = '"a message in pieces"';

/** `message` in `count` pieces; more pieces than bytes: empty ones. */
function pieces(count, whole = message) {
  const size = Math.max(1, Math.floor(whole.length / count));
  return Array.from({ length: count }, (_, i) => whole.slice(i * size, i === count - 1 ? undefined : (i + 1) * size));
}

const inPieces = [1, 2, 3, 5, 10, 20, 100, 1000].map((count) =>
  good("5.4", `a text in ${count} fragments`, fragments(pieces(count)), message));

const fragmentRows = [
  ...inPieces,
  good("5.4", "an empty first fragment", fragments(["", message]), message),
  good("5.4", "an empty last fragment", fragments([message, ""]), message),
  good("5.4", "empty fragments in the middle", fragments(['"a', "", "", 'b"']), '"ab"'),
  good("5.4", "nothing but empty fragments, then a text", join(fragments(["", "", ""]), text("1")), "1"),
  good("5.4", "a binary message in three fragments", fragments(pieces(3), { opcode: BINARY }), message),
  good("5.4", "two fragmented messages, one behind the other", join(fragments(pieces(2)), fragments(['"b', 'c"'])), message, '"bc"'),
  good("5.4", "fragments, then a message in one frame", join(fragments(pieces(4)), text("2")), message, "2"),
  good("5.4", "fragments that add up to the limit", fragments(pieces(16, json(LIMIT))), json(LIMIT)),
  row("5.4", "a ping between two fragments", fragments(pieces(2), { between: ping("p") }), { texts: [message], pongs: ["p"] }),
  row("5.4", "a ping between any two of five fragments", fragments(pieces(5), { between: ping("p") }), { texts: [message], pongs: ["p", "p", "p", "p"] }),
  row("5.4", "pings of 125 bytes between fragments", fragments(pieces(3), { between: ping("y".repeat(125)) }), { texts: [message], pongs: ["y".repeat(125), "y".repeat(125)] }),
  row("5.4", "a ping behind an empty fragment", fragments(["", message], { between: ping("p") }), { texts: [message], pongs: ["p"] }),
  good("5.4", "pongs between fragments", fragments(pieces(5), { between: pong("q") }), message),
  row("5.4", "a close between fragments ends it", fragments(pieces(2), { between: close(1000, "enough") }), { code: 1000, reason: "enough" }),
  row("5.4", "a close in an unfinished message", join(fragments(pieces(2), { last: false }), close(1001)), { code: 1001, reason: "" }),
  bad("5.4", "a continuation of nothing", frame(CONTINUATION, '"x"')),
  bad("5.4", "a continuation of nothing that is not the last", frame(CONTINUATION, '"x"', { fin: false })),
  bad("5.4", "an empty continuation of nothing", frame(CONTINUATION)),
  bad("5.4", "a continuation behind a whole message", join(text("1"), frame(CONTINUATION, "2")), 1002),
  bad("5.4", "a continuation behind the last fragment", join(fragments(["1", "2"]), frame(CONTINUATION, "3"))),
  bad("5.4", "a text in an unfinished text", join(frame(TEXT, '"a', { fin: false }), text('b"'))),
  bad("5.4", "a binary message in an unfinished text", join(frame(TEXT, '"a', { fin: false }), frame(BINARY, 'b"'))),
  bad("5.4", "a text in an unfinished binary message", join(frame(BINARY, '"a', { fin: false }), text('b"'))),
  row("5.4", "a new message behind a ping in an unfinished one", join(frame(TEXT, '"a', { fin: false }), ping("p"), text("1")), { code: 1002, pongs: ["p"] }),
  bad("10.4", "fragments that add up to a byte over the limit", fragments(pieces(16, json(LIMIT + 1))), 1009),
];

const keys = {
  "all zero": [0, 0, 0, 0], "all ones": [255, 255, 255, 255],
  "of its first byte alone": [0x5a, 0, 0, 0], "of its second byte alone": [0, 0x5a, 0, 0], "of its third byte alone": [0, 0, 0x5a, 0], "of its fourth byte alone": [0, 0, 0, 0x5a],
  "that makes the payload zero": [...Buffer.from('"zzz')], "of the bytes 0x80": [128, 128, 128, 128],
};
const masked = '"zzzabcdefghijklmnopqrstuvwxyz0123456789"';
const unmasked = { key: null };
const lettersOf = (n) => `"${"abcdefghijklmnopqrstuvwxyz".repeat(3).slice(0, n)}"`;
const upTo70 = Array.from({ length: 68 }, (_, n) => lettersOf(n));

const maskRows = [
  ...Object.entries(keys).map(([name, key]) => good("5.3", `a key ${name}`, text(masked, { key: Buffer.from(key) }), masked)),
  good("5.3", "another key for each frame", join(...upTo70.map((t, i) => text(t, { key: Buffer.from([i, i * 3, 255 - i, i ^ 85]) }))), ...upTo70),
  good("5.3", "another key for each fragment", join(text('"a', { fin: false, key: Buffer.from([1, 2, 3, 4]) }), frame(CONTINUATION, "bcdef", { fin: false, key: Buffer.from([9, 8, 7, 6]) }), frame(CONTINUATION, 'g"', { key: Buffer.from([5, 5, 5, 0]) })), '"abcdefg"'),
  good("5.3", "payloads of 2 to 69 bytes, so that each byte of the key comes last", join(...upTo70.map((t) => text(t))), ...upTo70),
  good("5.3", "a segment's end in the key, at each of its bytes", [2, 3, 4, 5, 6].flatMap((at) => cut(text(masked), at)), ...Array(5).fill(masked)),
  good("5.3", "a segment's end in the payload, at each of its bytes", Array.from({ length: masked.length - 1 }, (_, i) => cut(text(masked), 7 + i)).flat(), ...Array(masked.length - 1).fill(masked)),
  bad("5.1", "an unmasked text", text(message, unmasked)),
  bad("5.1", "an unmasked empty text", text("", unmasked)),
  bad("5.1", "an unmasked binary message", frame(BINARY, "1", unmasked)),
  bad("5.1", "an unmasked ping", ping("p", unmasked)),
  bad("5.1", "an unmasked pong", pong("", unmasked)),
  bad("5.1", "an unmasked close", close(1000, "", unmasked)),
  bad("5.1", "an unmasked continuation", join(frame(TEXT, '"a', { fin: false }), frame(CONTINUATION, 'b"', unmasked))),
  bad("5.1", "an unmasked frame behind a good one", join(text("1"), text("2", unmasked))),
];

const RSV = [1, 2, 3, 4, 5, 6, 7];
const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
const bitRows = [
  ...RSV.map((rsv) => bad("5.2", `RSV bits ${rsv.toString(2).padStart(3, "0")} in a text`, text(message, { rsv }))),
  bad("5.2", "RSV1 in a continuation", join(frame(TEXT, '"a', { fin: false }), frame(CONTINUATION, 'b"', { rsv: 4 }))),
  bad("5.2", "RSV1 in a ping", ping("p", { rsv: 4 })),
  bad("5.2", "RSV3 in a pong", pong("", { rsv: 1 })),
  bad("5.2", "RSV2 in a close", close(1000, "", { rsv: 2 })),
  bad("5.2", "RSV1 behind a good text", join(text("1"), text("2", { rsv: 4 }))),
  ...reserved.map((opcode) => bad("5.2", `the reserved opcode ${opcode}`, frame(opcode, "x"))),
  ...[3, 11].map((opcode) => bad("5.2", `the reserved opcode ${opcode}, empty`, frame(opcode))),
  ...[7, 15].map((opcode) => bad("5.2", `the reserved opcode ${opcode} between fragments`, join(frame(TEXT, '"a', { fin: false }), frame(opcode, ""), frame(CONTINUATION, 'b"')))),
  bad("5.2", "the reserved opcode 4, not the last", frame(4, "x", { fin: false })),
];

const borders = [1, 2, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, LIMIT - 1, LIMIT];
const wasteful = [[0, 16], [1, 16], [125, 16], [0, 64], [1, 64], [125, 64], [126, 64], [65535, 64]];
const lengthRows = [
  ...borders.map((n) => good("5.2", `a text of ${n} bytes`, text(json(n)), json(n))),
  ...[126, 65535, 65536].map((n) => good("5.2", `a binary message of ${n} bytes`, frame(BINARY, json(n)), json(n))),
  ...[125, 126, 65535, 65536].map((n) => good("5.2", `a first fragment of ${n} bytes`, fragments([json(n + 9).slice(0, n), json(n + 9).slice(n)]), json(n + 9))),
  good("5.2", "an empty text, then another", join(text(""), text("1")), "1"),
  good("5.2", "an empty binary message, then a text", join(frame(BINARY), text("1")), "1"),
  good("5.2", "a 16-bit length, each byte of the head a segment", [...bytes(text(json(300)).subarray(0, 8)), text(json(300)).subarray(8)], json(300)),
  good("5.2", "a 64-bit length, each byte of the head a segment", [...bytes(text(json(70000)).subarray(0, 14)), text(json(70000)).subarray(14)], json(70000)),
  ...wasteful.map(([n, form]) => bad("5.2", `a length of ${n} in ${form} bits`, text(n ? json(n) : "", { form }))),
  bad("5.2", "a fragment's length of 5 in 16 bits", join(frame(TEXT, '"a', { fin: false }), frame(CONTINUATION, 'bcde"', { form: 16 }))),
  bad("5.2", "a length with its top bit set", text("", { length: 1n << 63n, form: 64 }), [1002, 1009]),
  bad("5.2", "a length of 2^64 - 1", text("", { length: (1n << 64n) - 1n, form: 64 }), [1002, 1009]),
  bad("10.4", "a length of 2^63 - 1", text("", { length: (1n << 63n) - 1n, form: 64 }), 1009),
  bad("10.4", "a text a byte over the limit", text(json(LIMIT + 1)), 1009),
  bad("10.4", "a binary message of 2^32 bytes, announced", frame(BINARY, "", { length: 1n << 32n }), 1009),
];

export const groups = { fragments: fragmentRows, masks: maskRows, "RSV bits and opcodes": bitRows, lengths: lengthRows };
