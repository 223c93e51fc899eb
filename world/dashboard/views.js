// The views by name. Each may have load(w, route, signal), detail(w, id, signal), draw() and drawDetail().
import { findingsView } from "./views/findings.js";
import { nodesView } from "./views/nodes.js";
import { overviewView } from "./views/overview.js";
import { roomsView } from "./views/rooms.js";
import { serversView } from "./views/servers.js";
import { shardsView } from "./views/shards.js";
import { worldsView } from "./views/worlds.js";

const all = { overview: overviewView, rooms: roomsView, shards: shardsView, nodes: nodesView, servers: serversView, findings: findingsView, worlds: worldsView };

export const viewOf = (name) => all[name];
