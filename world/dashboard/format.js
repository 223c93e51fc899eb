// Numbers, times and names as people read them.
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (n) => (Number.isFinite(n) ? plain.format(n) : "–");
export const rate = (n) => (Number.isFinite(n) ? (n >= 100 ? plain : fine).format(n) : "–");
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)} %` : "–");

/** 1.2k, 34M: for axes. */
export function short(n) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) if (n >= size) return fine.format(n / (unit === "k" ? 1e3 : size)) + unit;
  return fine.format(n);
}

/** A span of time in ms: "4 s", "12 min", "3 h", "2 days". */
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

export const ago = (ms, now) => (now - ms < 2000 ? "just now" : `${span(now - ms)} ago`);
export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** What would be invisible, or would turn what stands around it, is written out. */
export function visible(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => `‹U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

/** At most `max` characters of it. */
export function clip(text, max = 80) {
  const shown = visible(text.length > 4 * max ? text.slice(0, 4 * max) : text);
  return shown.length > max ? `${shown.slice(0, max - 1)}…` : shown;
}
