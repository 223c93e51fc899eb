// UTF-8 in texts (RFC 6455 section 8.1, RFC 3629), whole, split and broken.
import { CONTINUATION, TEXT, bytes, cut, fragments, frame, ping, text } from "./frames.mjs";
import { bad, good, row } from "./rows.mjs";

const sequences = {
  "of one byte": "az", "U+007F": "\u007f", "U+0080": "\u0080", "U+07FF": "\u07ff", "U+0800": "\u0800", "U+D7FF": "\ud7ff", "U+E000": "\ue000", "U+FEFF": "\ufeff",
  "U+FFFD": "\ufffd", "U+FFFF": "\uffff", "U+10000": "\u{10000}", "U+10FFFF": "\u{10ffff}", "κόσμε": "κόσμε", "of one to four bytes": "aé€😀",
};
const quoted = (s) => `"${s}"`;
const places = (s) => Array.from({ length: Buffer.byteLength(s) - 1 }, (_, i) => i + 1);
const HEAD = 6; // of a short masked frame

/** A message for each place at which `s` can be split. */
const atEach = (s, split) => places(s).flatMap((at) => split(Buffer.from(s), at));
const splitRows = Object.entries(sequences).flatMap(([name, plain]) => {
  const s = quoted(plain), echoes = places(s).map(() => s);
  const letters = bytes(Buffer.from(s));
  return [
    good("8.1", `text ${name}, in two fragments split at each byte`, Buffer.concat(atEach(s, (data, at) => [fragments(cut(data, at))])), ...echoes),
    good("8.1", `text ${name}, in two TCP segments split at each byte`, atEach(s, (data, at) => cut(text(data), HEAD + at)), ...echoes),
    row("8.1", `text ${name}, each byte a fragment and a segment, pings between`, letters.flatMap((b, i) => [ping(`${i}`), frame(i ? CONTINUATION : TEXT, b, { fin: i === letters.length - 1 })]), { texts: [s], pongs: letters.map((_, i) => `${i}`) }),
  ];
});

const broken = {
  "the first continuation byte": [0x80], "the last continuation byte": [0xbf], "two continuation bytes": [0x80, 0xbf], "six continuation bytes": [0x80, 0x81, 0x82, 0x83, 0x84, 0x85],
  "the start of two bytes, then a space": [0xc2, 0x20], "the start of three bytes, then a space": [0xe1, 0x20], "the start of four bytes, then a space": [0xf1, 0x20],
  "two bytes without their last": [0xdf], "three bytes without their last": [0xef, 0xbf], "four bytes without their last": [0xf0, 0x90, 0x80], "four bytes without their last two": [0xf3, 0xbf],
  "two cut characters": [0xe2, 0x82, 0xe2, 0x82], "a start behind a start": [0xc3, 0xc3, 0xa9],
  "0xfe": [0xfe], "0xff": [0xff], "0xfe and 0xff": [0xfe, 0xfe, 0xff, 0xff],
  "an overlong slash in two bytes": [0xc0, 0xaf], "an overlong slash in three bytes": [0xe0, 0x80, 0xaf], "an overlong slash in four bytes": [0xf0, 0x80, 0x80, 0xaf],
  "an overlong slash in five bytes": [0xf8, 0x80, 0x80, 0x80, 0xaf], "an overlong slash in six bytes": [0xfc, 0x80, 0x80, 0x80, 0x80, 0xaf],
  "an overlong U+0000": [0xc0, 0x80], "the longest overlong two bytes": [0xc1, 0xbf], "the longest overlong three bytes": [0xe0, 0x9f, 0xbf], "the longest overlong four bytes": [0xf0, 0x8f, 0xbf, 0xbf],
  "U+D800": [0xed, 0xa0, 0x80], "U+DBFF": [0xed, 0xaf, 0xbf], "U+DC00": [0xed, 0xb0, 0x80], "U+DFFF": [0xed, 0xbf, 0xbf], "a pair of surrogates": [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  "U+110000": [0xf4, 0x90, 0x80, 0x80], "0xf5, beyond all characters": [0xf5, 0x80, 0x80, 0x80], "0xf7, beyond all characters": [0xf7, 0xbf, 0xbf, 0xbf], "five bytes": [0xf8, 0x88, 0x80, 0x80, 0x80], "six bytes": [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
};
const inQuotes = (list) => Buffer.from([0x22, ...list, 0x22]);
const brokenRows = [
  ...Object.entries(broken).map(([name, list]) => bad("8.1", `a text with ${name}`, text(inQuotes(list)), 1007)),
  bad("8.1", "a text that ends inside a character", text(Buffer.from([0x22, 0x22, 0xe2, 0x82])), 1007),
  bad("8.1", "a fragment that ends inside a character, which an empty last one ends", fragments([Buffer.from([0x22, 0xe2]), ""]), 1007),
  bad("8.1", "a character that the next fragment breaks off", fragments([Buffer.from([0x22, 0xe2, 0x82]), '"']), 1007),
  bad("8.1", "a surrogate in two fragments", fragments([Buffer.from([0x22, 0xed]), Buffer.from([0xa0, 0x80, 0x22])]), 1007),
  bad("8.1", "an overlong slash in two fragments", fragments([Buffer.from([0x22, 0xe0]), Buffer.from([0x80, 0xaf, 0x22])]), 1007),
  bad("8.1", "U+110000 in four fragments", fragments(bytes(Buffer.from([0xf4, 0x90, 0x80, 0x80]))), 1007),
  bad("8.1", "0xff in the last of three fragments, each byte a segment", bytes(fragments(['"a', "b", inQuotes([0xff])])), 1007),
  bad("8.1", "two messages that would be UTF-8 only together", Buffer.concat([text(Buffer.from([0xe2, 0x82])), text(Buffer.from([0xac]))]), 1007),
  good("5.6", "a binary message that is not UTF-8, then a text", Buffer.concat([frame(2, Buffer.from([0xff, 0xfe])), text("1")]), "1"),
  good("5.6", "a binary message in fragments inside a character", fragments([Buffer.from([0x22, 0xe2]), Buffer.from([0x82, 0xac, 0x22])], { opcode: 2 }), '"€"'),
];

export const groups = { "UTF-8, split": splitRows, "UTF-8, broken": brokenRows };
