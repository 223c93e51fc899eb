// Writes json_texts.h: texts with the verdict of JavaScript's JSON.parse.
//     node json_texts.mjs > json_texts.h && clang-format-14 -i json_texts.h
// `texts` are single cases. `families` are all sequences of up to `max` tokens between a prefix and a
// suffix, in odometer order; recorded are how many are accepted and a hash over all verdicts.
const accepts = (bytes) => {
    try {
        JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
        return true;
    } catch {
        return false;
    }
};
const literal = (bytes) =>
    '"' + [...bytes].map((b) =>
        b === 0x22 || b === 0x5c ? "\\" + String.fromCharCode(b)
        : b === 0x3f ? "\\?" // no trigraphs
        : b >= 0x20 && b < 0x7f ? String.fromCharCode(b)
        : "\\" + b.toString(8).padStart(3, "0")).join("") + '"';

const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p) : Buffer.from(p))));
const texts = [
    "", " ", "\n", "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "-0.0", "1e5", "1E+5", "1e-5", "0e0", "0.1e1",
    "1e999", "-1e999", "1e-999", "123456789012345678901234567890", "0.10000000000000001", '""', '"a"', "{}", "[]",
    " null ", "\t[\r\n1 ,\t2 ]\n", ' { "a" : 1 , "b" : [ ] } ', '{"a":1,"a":2}', '{"":0}', "[[[[]]]]", '{"a":{"b":{"c":[{}]}}}',
    "nul", "nulll", "True", "NULL", "tru", "truefalse", "null null", "undefined", "NaN", "Infinity", "-Infinity", "-", "+1", "--1",
    "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e5.5", "1.5.5", "0x10", "1_000", "1n", "1a", "1 2", "0 1", "- 1",
    "[", "]", "{", "}", "[]]", "{}}", "[}", "{]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1:2]", "{,}", '{"a"}', '{"a":}',
    '{"a":1,}', '{,"a":1}', '{"a":1 "b":2}', '{"a" 1}', '{"a"::1}', '{a:1}', "{'a':1}", "{1:1}", '{null:1}', '{"a":1}{"b":2}',
    '{"a":1', '{"a":', '{"a"', '{"a', '{"', '["a"', '["a', '[1', "[1,", '{"a":[}', "'a'", '"', '"a', 'a"', '"a""b"', '"a" "b"',
    '"\\"', '"\\\\"', '"\\/"', '"\\b\\f\\n\\r\\t"', '"\\"\\""', '"\\a"', '"\\v"', '"\\0"', '"\\x41"', '"\\\'"', '"\\ "', '"\\N"', '"\\u"',
    '"\\u0"', '"\\u00"', '"\\u004"', '"\\u0041"', '"\\u00e9\\u00E9"', '"\\uD83D\\uDE00"', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"',
    '"\\ud800x"', '"\\ud800\\n"', '"\\uDE00\\uD83D"', '"\\u0000"', '"\\uFFFF"', '"\\u+041"', '"\\u 041"', '"\\u004g"', '"\\u00:0"', '"\\u00`0"',
    '"\\U0041"', '"\\', '"\\u12', "\"\u0001\"", "\"\u001f\"", "\"\n\"", "\"\t\"", "\"\r\"", "\"\u0000\"", "\"\u007f\"", "\"\u0080\"", "\"\u00a0\"",
    '"\u2028\u2029"', '"é"', '"中文"', '"😀"', '"\ufeff"', '"\uffff"', '"\u{10ffff}"', "\ufeff1", "\ufeff{}", "1\ufeff", "\u00a01", "\u20281",
    "\u000b1", "\u000c1", "1\u0000", "\u0000", "[1]\u0000", "// c\n1", "/* c */1", "#1", "1;", "(1)", "[1]x", "[é]", "é", '{"é":"é"}',
    '{"__proto__":1}', '{"__proto__":{"a":1}}', '{"ty\\u0070e":1}', '"12345678"', '"1234567\\""', '"123456\\"', '"1234567"x', '"1234567\u0001"',
    '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\n"', '"aaaaaaa\\', '["aaaaaaaa","bbbbbbbb"]', '"{\\"a\\":\\"b\\\\\\"c\\"}"',
    "[" + "0,".repeat(40) + "0]", "[".repeat(1000) + "]".repeat(1000), '{"a":'.repeat(600) + "1" + "}".repeat(600), "[".repeat(1024),
    "[".repeat(64) + '{"a":'.repeat(64) + "[]" + "}".repeat(64) + "]".repeat(64), "[".repeat(64) + "]".repeat(63) + "}",
].map((t) => Buffer.from(t));
for (const odd of [[0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x80, 0x80], [0xe0, 0xa0], [0xed, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xef, 0xbf, 0xbd], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x9f, 0x98], [0xf0, 0x9f, 0x98, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xfe], [0xff], [0xff, 0xfe]])
    texts.push(bytes('"', odd, '"'), bytes('"12345', odd, '678"'), bytes(odd));

const families = [
    { prefix: "", suffix: "", max: 5, tokens: ["{", "}", "[", "]", ",", ":", '"a"', "1", " ", "null"] },
    { prefix: "", suffix: "", max: 6, tokens: ["-", "+", ".", "0", "1", "e", "E"] },
    { prefix: '"', suffix: '"', max: 6, tokens: ["\\", "u", '"', "0", "d", "8", "n"] },
    { prefix: '{"a":', suffix: "}", max: 5, tokens: ["{", "}", "[", "]", ",", '"b":', "2"] },
    { prefix: "", suffix: "", max: 4, tokens: ["\t", "\n", "\r", " ", "\v", "\f", "\b", "0", "[", "]", "\u00a0"] },
];
function judge({ prefix, suffix, max, tokens }) {
    let accepted = 0, hash = 0xcbf29ce484222325n;
    for (let length = 0; length <= max; length++)
        for (let n = 0; n < tokens.length ** length; n++) {
            let text = "";
            for (let i = 0, rest = n; i < length; i++, rest = Math.floor(rest / tokens.length)) text = tokens[rest % tokens.length] + text;
            const ok = accepts(Buffer.from(prefix + text + suffix));
            accepted += ok;
            hash = ((hash ^ BigInt(ok)) * 0x100000001b3n) & 0xffffffffffffffffn;
        }
    return { accepted, hash };
}

console.log(`#pragma once
/* Written by json_texts.mjs: texts and families of texts with the verdict of JSON.parse. */
#include "common/base/span.h"

static const struct {
    struct span text;
    bool accepted;
} texts[] = {`);
const runs = (t) => { // long repetitions by hand would be unreadable, but the compiler wants literals
    const out = [];
    for (let i = 0; i < t.length; i += 80) out.push(literal(t.subarray(i, i + 80)));
    return out.length ? out.join("\n") : '""';
};
for (const t of texts) console.log(`{{.ptr = ${runs(t)}, .len = ${t.length}}, ${accepts(t)}},`);
console.log(`};

static const struct {
    const char *prefix, *suffix;
    size_t max; /* tokens */
    const char *tokens[16];
    size_t accepted;
    uint64_t hash; /* FNV-1a over one byte, 0 or 1, for each text */
} families[] = {`);
for (const f of families) {
    const { accepted, hash } = judge(f);
    const c = (s) => literal(Buffer.from(s));
    console.log(`{${c(f.prefix)}, ${c(f.suffix)}, ${f.max}, {${f.tokens.map(c).join(", ")}}, ${accepted}, 0x${hash.toString(16)}u},`);
}
console.log("};");
