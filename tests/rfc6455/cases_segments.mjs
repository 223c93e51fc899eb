// Where TCP segments end means nothing: each byte by itself, and many frames at once.
import { bytes, close, fragments, frame, json, ping, pong, text } from "./frames.mjs";
import { bad, good, row } from "./rows.mjs";

const join = (...parts) => Buffer.concat(parts);
const many = Array.from({ length: 200 }, (_, i) => `${i}`);

const slowly = [
  good("5.2", "a text", bytes(text('"hello"')), '"hello"'),
  good("5.2", "a text of 126 bytes", bytes(text(json(126))), json(126)),
  good("5.2", "a text of 1000 bytes", bytes(text(json(1000))), json(1000)),
  good("5.2", "an empty text, then another", bytes(join(text(""), text("1"))), "1"),
  good("5.4", "three fragments", bytes(fragments(['"a', "b", 'c"'])), '"abc"'),
  row("5.4", "three fragments with pings between", bytes(fragments(['"a', "b", 'c"'], { between: ping("p") })), { texts: ['"abc"'], pongs: ["p", "p"] }),
  row("5.5.3", "a pong, a ping and a text", bytes(join(pong("q"), ping("p"), text("1"))), { texts: ["1"], pongs: ["p"] }),
  row("5.5.1", "a close with a reason", bytes(close(4000, "good bye")), { code: 4000, reason: "good bye" }),
  bad("5.1", "an unmasked text", bytes(text("1", { key: null }))),
  bad("5.2", "a reserved opcode", bytes(frame(5, "x"))),
  bad("5.2", "a length in more bytes than it needs", bytes(text("1", { form: 64 }))),
  bad("5.5", "a ping of 126 bytes", bytes(ping("p".repeat(126)))),
  bad("8.1", "a text that is not UTF-8", bytes(text(Buffer.from([0x22, 0xe2, 0x82, 0x22]))), 1007),
  bad("8.1", "a reason that is not UTF-8", bytes(frame(8, Buffer.from([3, 232, 0xff]))), 1007),
  bad("7.4", "the close code 1006", bytes(close(1006))),
].map((r) => ({ ...r, name: `each byte a segment: ${r.name}` }));

const together = [
  good("5.2", "200 texts in one segment", join(...many.map((t) => text(t))), ...many),
  good("5.4", "50 messages of three fragments in one segment", join(...many.slice(0, 50).map((t) => fragments(['"', t, '"']))), ...many.slice(0, 50).map((t) => `"${t}"`)),
  row("5.5", "texts, pings, pongs and fragments in one segment", join(text("1"), ping("a"), pong("b"), fragments(["2", "3"], { between: ping("c") }), text("4")), { texts: ["1", "23", "4"], pongs: ["a", "c"] }),
  row("5.5.1", "a text, a ping and a close in one segment", join(text("1"), ping("a"), close(1001, "x")), { texts: ["1"], pongs: ["a"], code: 1001, reason: "x", heard: ["1"] }),
  { ...good("4.1", "a text in the segment of the handshake", [], "1"), early: text("1") },
  { ...row("4.1", "fragments and a ping in the segment of the handshake", [], { texts: ["12"], pongs: ["p"] }), early: fragments(["1", "2"], { between: ping("p") }) },
  { ...good("4.1", "half a frame in the segment of the handshake", text('"hello"').subarray(5), '"hello"'), early: text('"hello"').subarray(0, 5) },
  { ...row("5.5.1", "a close in the segment of the handshake", [], { code: 1000, reason: "early" }), early: close(1000, "early") },
  { ...bad("5.1", "an unmasked frame in the segment of the handshake", []), early: text("1", { key: null }) },
];

export const groups = { "each byte a segment": slowly, "many frames in a segment": together };
