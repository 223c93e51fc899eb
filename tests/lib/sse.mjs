// Server-Sent Events of a world, as consoles read them.
import http from "node:http";

/** Gives `take` the name and the data of each event that the response tells. Comments and what has no name are passed over. */
function events(response, take) {
  let text = "";
  response.on("error", () => {}); // the reader has gone
  response.setEncoding("utf8").on("data", (data) => {
    text += data;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const [, name] = /^event: (.*)$/m.exec(text.slice(0, end)) ?? [];
      const [, body] = /^data: (.*)$/m.exec(text.slice(0, end)) ?? [];
      if (name) take(name, JSON.parse(body));
    }
  });
}

/** Reads a stream until the test is over; answers the response, once its head is there. */
export async function listen(t, url, headers, take) {
  const request = http.get(url, { headers, agent: false });
  t.after(() => request.destroy());
  const response = await new Promise((resolve, reject) => request.on("response", resolve).on("error", reject));
  request.on("error", () => {});
  events(response, take);
  return response;
}
