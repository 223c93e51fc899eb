// Where the page is: #/WORLD/VIEW/THING?q=… . The hash holds no secret.
export const views = [
  ["overview", "Overview"],
  ["rooms", "Rooms"],
  ["shards", "Shards"],
  ["nodes", "Nodes"],
  ["servers", "Room servers"],
  ["findings", "Findings"],
  ["worlds", "Worlds"],
];
const known = new Set(views.map(([name]) => name));

const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export function readRoute(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [world = "", view = "", ...rest] = path.split("/").map(decode);
  return { world, view: known.has(view) ? view : "overview", id: rest.length ? rest.join("/") : null, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(world, view, id, query) {
  const parts = [world, view, ...(id === null || id === undefined ? [] : [id])].map(encodeURIComponent);
  const text = new URLSearchParams(Object.entries(query ?? {}).filter(([, v]) => v !== undefined && v !== null && v !== "")).toString();
  return `#/${parts.join("/")}${text ? `?${text}` : ""}`;
}
