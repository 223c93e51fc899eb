// Tickets as the protocol writes them, so that tests can write others.
import crypto from "node:crypto";
import { secret } from "./process.mjs";

const hmac = (key, text) => crypto.createHmac("sha256", key).update(text).digest();
const uint = (n, bytes) => Buffer.from(BigInt(n).toString(16).padStart(2 * bytes, "0"), "hex");
const name = (text) => Buffer.concat([uint(Buffer.byteLength(text), 2), Buffer.from(text)]);

/** What a ticket says: { epoch, expires, nonce, world, shard, room, session }. */
export function readTicket(text) {
  const bytes = Buffer.from(text.split(".")[1], "base64url");
  const names = [];
  for (let at = 32; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) names.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)).toString());
  const [world, shard, room, session] = names;
  return { epoch: Number(bytes.readBigUInt64BE(0)), expires: Number(bytes.readBigUInt64BE(8)), nonce: bytes.subarray(16, 32), world, shard, room, session };
}

/** A signed ticket; `tail`: bytes behind what it says. */
export function ticket(says, { key = secret, version = "t1", derived = true, tail = "" } = {}) {
  const { epoch, expires = Date.now() + 15000, nonce = crypto.randomBytes(16), world, shard, room, session } = says;
  const bytes = Buffer.concat([uint(epoch, 8), uint(expires, 8), nonce, ...[world, shard, room, session].map(name), Buffer.from(tail)]);
  const text = `${version}.${bytes.toString("base64url")}`;
  return `${text}.${hmac(derived ? hmac(key, "terrane ticket v1") : key, text).toString("base64url")}`;
}

/** Tickets that must not open anything where `good` would, by name: [text, status]. */
export function badTickets(good) {
  const says = readTicket(good);
  const [version, payload, mac] = good.split(".");
  const other = ticket({ ...says, nonce: undefined });
  return {
    "of another shard": [ticket({ ...says, shard: `${says.room}:world-default:1700000000000-1` }), 403],
    "of another world": [ticket({ ...says, world: "world-b" }), 403],
    "of another session": [ticket({ ...says, session: "somebody" }), 403],
    "of another room": [ticket({ ...says, room: "hall" }), 403],
    "of an earlier owner": [ticket({ ...says, epoch: says.epoch - 1 }), 403],
    "expired": [ticket({ ...says, expires: Date.now() - 31000 }), 401],
    "of the first day": [ticket({ ...says, expires: 1 }), 401],
    "under another key": [ticket(says, { key: "x".repeat(40) }), 401],
    "under no key": [ticket(says, { key: "" }), 401],
    "under the secret itself": [ticket(says, { derived: false }), 401],
    "of another version": [ticket(says, { version: "t2" }), 401],
    "with more behind it": [ticket(says, { tail: "x" }), 401],
    "without a session": [ticket({ ...says, session: "" }), 401],
    "without an end": [ticket({ ...says, expires: 0 }), 401],
    "without an epoch": [ticket({ ...says, epoch: 0 }), 401],
    "that never ends": [ticket({ ...says, expires: 2n ** 64n - 1n }), 401],
    "with the payload of another": [`${version}.${other.split(".")[1]}.${mac}`, 401],
    "with the signature of another": [`${version}.${payload}.${other.split(".")[2]}`, 401],
    "without a signature": [`${version}.${payload}.`, 401],
    "cut": [good.slice(0, -4), 401],
    "padded": [`${good}=`, 401],
    "in four parts": [`${good}.x`, 401],
    "in another alphabet": [`${version}.${Buffer.from(payload, "base64url").toString("base64").replace(/=/g, "")}+.${mac}`, 401],
    "of 25 kB's beginning": ["t1." + "A".repeat(12000), 401],
    "empty": ["", 401],
    "dots": ["..", 401],
  };
}
