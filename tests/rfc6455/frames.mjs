// Frames as a client writes them (RFC 6455 section 5.2), the bad ones too.

export const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, CONTINUATION = 0;

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** The bytes of the length: `form` 7, 16 or 64 bits; without it the shortest that does. */
function lengthBytes(length, form) {
  form ??= length < 126 ? 7 : length < 65536 ? 16 : 64;
  if (form === 7) return Buffer.from([Number(length)]);
  const bytes = Buffer.alloc(form === 16 ? 3 : 9);
  bytes[0] = form === 16 ? 126 : 127;
  if (form === 16) bytes.writeUInt16BE(Number(length), 1);
  else bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/**
 * One frame. `payload`: text or bytes. `length`: what the head announces instead of the payload's own; `form`: in how many
 * bits; `key`: the masking key, null: unmasked.
 */
export function frame(opcode, payload = "", { fin = true, rsv = 0, key = KEY, length, form } = {}) {
  const data = Buffer.from(payload);
  const said = lengthBytes(length ?? data.length, form);
  if (key) said[0] |= 0x80;
  const head = [Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]), said];
  if (!key) return Buffer.concat([...head, data]);
  for (let i = 0; i < data.length; i++) data[i] ^= key[i % 4];
  return Buffer.concat([...head, Buffer.from(key), data]);
}

export const text = (payload, options) => frame(TEXT, payload, options);
export const ping = (payload, options) => frame(PING, payload, options);
export const pong = (payload, options) => frame(PONG, payload, options);

/** A message in the pieces given, a frame each; `between` stands in front of all but the first. */
export function fragments(pieces, { opcode = TEXT, between = Buffer.alloc(0), last = true } = {}) {
  const end = pieces.length - 1;
  return Buffer.concat(pieces.flatMap((piece, i) =>
    [i ? between : Buffer.alloc(0), frame(i ? CONTINUATION : opcode, piece, { fin: last && i === end })]));
}

/** The payload of a close frame. */
export function closing(code, reason = "") {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}
export const close = (code, reason, options) => frame(CLOSE, code === undefined ? "" : closing(code, reason), options);

/** A JSON text of `length` bytes. */
export const json = (length) => (length === 1 ? "1" : `"${"x".repeat(length - 2)}"`);

/** `data` in two pieces, or cut at each of several places. */
export function cut(data, ...places) {
  const at = [0, ...places, data.length];
  return at.slice(1).map((end, i) => data.subarray(at[i], end));
}
/** Each byte by itself. */
export const bytes = (data) => Array.from(data, (byte) => Buffer.from([byte]));
