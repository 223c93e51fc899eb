// Cases of frames: a row says what a client sends on an open socket, and what it must see then.
import { close, text } from "./frames.mjs";
import { Peer } from "./peer.mjs";

/**
 * `send`: bytes, or a list of them that go as a segment each. Expected: `texts` that the room echoes and `pongs`, both in order;
 * `code` (and `reason`): the server closes with it; without, the socket stands and a closing handshake ends it.
 */
export const row = (section, name, send, expected = {}) => ({ section, name, send, ...expected });
export const good = (section, name, send, ...texts) => row(section, name, send, { texts });
export const bad = (section, name, send, code = 1002) => row(section, name, send, { code });

const END = '"that was all"';

const same = (what, got, wanted, problems) => {
  const short = (v) => (JSON.stringify(v) ?? "nothing").slice(0, 200);
  if (JSON.stringify(got) !== JSON.stringify(wanted)) problems.push(`${what}: expected ${short(wanted)}, got ${short(got)}`);
};

/** Section 5.5.3: of several pings only the last one must be answered; answers come in order. */
function pongsFit(got, wanted) {
  let at = 0;
  for (const pong of wanted) if (pong === got[at]) at++;
  return at === got.length && got.at(-1) === wanted.at(-1);
}

/** The socket stands: one more message comes back behind all others, then the closing handshake. */
async function stands(peer, { texts = [], pongs = [] }, problems) {
  await peer.send(text(END));
  await peer.until(() => peer.texts.includes(END) || peer.ended, "echo of the last message");
  same("texts", peer.texts, [...texts, END], problems);
  if (peer.ended) return problems.push(`it did not stand: ${peer.story()}`);
  if (pongs.length) await peer.until(() => peer.pongs.at(-1) === pongs.at(-1), "pong of the last ping");
  if (!pongsFit(peer.pongs, pongs)) same("pongs", peer.pongs, pongs, problems);
  await peer.send(close(1000, "done"));
  await peer.until(() => peer.closed || peer.ended, "close frame");
  same("the answer to our close", peer.closed, { code: 1000, reason: "done" }, problems);
}

/** The server ends it. Echoes of what came before may be lost, others must not be there. */
async function falls(peer, { code, reason, texts = [], pongs = [] }, problems) {
  await peer.until(() => peer.closed || peer.ended, "close frame");
  if (![code].flat().includes(peer.closed?.code)) same("close code", peer.closed?.code, code, problems);
  if (reason !== undefined) same("reason", peer.closed?.reason, reason, problems);
  same("texts that nobody sent", peer.texts.filter((t) => !texts.includes(t)), [], problems);
  same("pongs", peer.pongs, pongs, problems);
}

/** Runs a row at `url`'s node as session `id`; answers what was wrong. `path`: of the shard, without query. */
export async function runRow(r, { origin, path }, id) {
  const problems = [];
  const peer = new Peer(origin);
  try {
    await peer.open(`${path}?id=${id}`, r.early);
    await peer.send(r.send);
    await (r.code === undefined ? stands : falls)(peer, r, problems);
    /* Section 7.1.1: the server ends the TCP connection first. */
    await peer.until(() => peer.ended, "end of the TCP connection");
    same("the end", peer.ended, "end", problems);
  } catch (error) {
    problems.push(error.message);
  } finally {
    peer.leave();
  }
  return [...problems, ...peer.wrong];
}
