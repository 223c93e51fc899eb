// Keys and tokens: good ones, and those that somebody might try.
import crypto from "node:crypto";
import { jwtSecret } from "./process.mjs";

export const now = () => Math.floor(Date.now() / 1000);
export const b64 = (x) => Buffer.from(typeof x === "string" ? x : JSON.stringify(x)).toString("base64url");

const pair = (type, options) => {
  const { publicKey, privateKey } = crypto.generateKeyPairSync(type, options);
  return { privateKey, pem: publicKey.export({ type: "spki", format: "pem" }) };
};
export const rsa = pair("rsa", { modulusLength: 2048 });
export const p256 = pair("ec", { namedCurve: "P-256" });

const signers = {
  HS256: (text, key) => crypto.createHmac("sha256", key).update(text).digest("base64url"),
  RS256: (text, key) => crypto.sign("sha256", Buffer.from(text), key).toString("base64url"),
  ES256: (text, key) => crypto.sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url"),
};

/** A token; `by`: how it is signed, whatever its header says. Header and claims may be texts. */
export function token(claims = {}, { key = jwtSecret, alg = "HS256", by = alg, header = { alg, typ: "JWT" } } = {}) {
  const text = `${b64(header)}.${b64(typeof claims === "string" ? claims : { exp: now() + 600, ...claims })}`;
  return `${text}.${signers[by](text, key)}`;
}

/** Tokens that must not open anything where HS256 and `jwtSecret` count, by name. */
export function badTokens() {
  const good = token({ sub: "ann" });
  const [head, body, mac] = good.split(".");
  const text = (claims) => token(JSON.stringify(claims));
  return {
    "alg none, no signature": `${b64({ alg: "none" })}.${body}.`,
    "alg None, our signature": token({}, { header: { alg: "None" } }),
    "alg NONE, our signature": token({}, { header: { alg: "NONE" } }),
    "alg nOnE, no signature": `${b64({ alg: "nOnE" })}.${body}.`,
    "alg empty": token({}, { header: { alg: "" } }),
    "alg hs256": token({}, { header: { alg: "hs256" } }),
    "alg HS512 in name": token({}, { header: { alg: "HS512" } }),
    "alg RS256 in name": token({}, { header: { alg: "RS256" } }),
    "alg twice, none first": token({}, { header: '{"alg":"none","alg":"HS256"}' }),
    "alg twice, none last": token({}, { header: '{"alg":"HS256","alg":"none"}' }),
    "no alg": token({}, { header: { typ: "JWT" } }),
    "another key": token({}, { key: "x".repeat(40) }),
    "an empty key": token({}, { key: "" }),
    "the key that its header brings": token({}, { key: "evil", header: { alg: "HS256", jwk: { kty: "oct", k: b64("evil") } } }),
    "the key at an address": token({}, { key: "evil", header: { alg: "HS256", jku: "http://127.0.0.1:1/keys" } }),
    "the key in a file": token({}, { key: "", header: { alg: "HS256", kid: "../../../../dev/null" } }),
    "crit": token({}, { header: { alg: "HS256", crit: ["b64"], b64: false } }),
    "expired": token({ exp: now() - 1 }),
    "expired, a fraction": token({ exp: now() - 1.5 }),
    "exp negative": token({ exp: -1 }),
    "exp as text": token({ exp: String(now() + 600) }),
    "exp null": token({ exp: null }),
    "exp huge": token(`{"exp":1e400}`),
    "exp twice": token(`{"exp":${now() + 600},"exp":${now() + 600}}`),
    "not yet valid": token({ nbf: now() + 90 }),
    "nbf far": token({ nbf: 1e15 }),
    "nbf as text": token({ nbf: "0" }),
    "standard base64": `${head}.${b64('{"x":"???>>>"}').replace(/-/g, "+").replace(/_/g, "/")}.${mac}`,
    "padding": `${good}=`,
    "four parts": `${good}.x`,
    "two parts": `${head}.${body}`,
    "no signature": `${head}.${body}.`,
    "the signature of another": `${head}.${body}.${token({ sub: "bob" }).split(".")[2]}`,
    "a cut signature": good.slice(0, -4),
    "claims of another": `${head}.${b64({ sub: "root" })}.${mac}`,
    "claims that are a list": text([]),
    "claims that are text": text("x"),
    "claims that are null": token("null"),
    "claims nested deep": token(`{"x":${"[".repeat(2500)}${"]".repeat(2500)}}`),
    "12 KiB": token({ x: "x".repeat(9000) }),
    "an empty text": "",
    "dots": "..",
  };
}
