// A world's events, as they come: Server-Sent Events by fetch, so that the token is in a header.
const MOST = 4 * 1024 * 1024; // characters of an event that has no end yet
const QUIET_MS = 40 * 1000; // a comment comes every 15 s

/** Reads `response` until its end; `heard(event, data)` for each event. Throws when the line is silent too long. */
export async function readEvents(response, heard, abort) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const timer = setTimeout(abort, QUIET_MS);
    let part;
    try {
      part = await reader.read();
    } finally {
      clearTimeout(timer);
    }
    if (part.done) return;
    text += part.value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) tell(text.slice(0, end), heard);
    if (text.length > MOST) throw new RangeError("an event without an end");
  }
}

function tell(block, heard) {
  let event = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (!data) return;
  try {
    data = JSON.parse(data);
  } catch {
    return; // not ours
  }
  heard(event, data);
}
