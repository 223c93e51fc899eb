// What may be done to rooms, shards, nodes and room servers: each says first what it will do to whom.
import { ask } from "./dialog.js";
import { h } from "./dom.js";
import { clip, plural } from "./format.js";
import { refresh } from "./live.js";
import { watch } from "./progress.js";
import { admin, change, here, say } from "./store.js";

const short = (text) => `“${clip(text, 48)}”`;
const clients = (n) => plural(n, "client");
const ms = (text) => (text === "" ? undefined : Math.round(Number(text) * 1000));

const deadline = (value = "60") => ({ name: "deadline", label: "Everybody is closed within", type: "number", value, min: 0, max: 604800, unit: "seconds", hint: "0 or nothing: nobody is closed, it waits for them to leave." });
const pace = { name: "rate", label: "At most, each second", type: "number", value: "", min: 1, max: 1000000, unit: "clients", hint: "Nothing: evenly up to the deadline." };
const order = (v) => ({ ...(Number(v.deadline) > 0 ? { deadlineMs: ms(v.deadline) } : {}), ...(Number(v.rate) > 0 ? { rate: Number(v.rate) } : {}) });

function when(v, n) {
  if (n === 0) return "Nobody is on it, so nobody notices.";
  if (!(Number(v.deadline) > 0)) return `${clients(n)} may stay until they leave by themselves; nobody new comes.`;
  const each = Math.min(Number(v.rate) || Infinity, n / Number(v.deadline));
  return `${clients(n)} ${n === 1 ? "is" : "are"} closed with 1012 within ${v.deadline} s, about ${each < 1 ? "less than one" : Math.ceil(each)} a second, and told to come back.`;
}

const patiently = async (look) => {
  try {
    return await look();
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
};

/** Does it, then has everything read again. */
const then = (run) => async (values) => {
  await run(values);
  refresh();
};

/* ---- shards */

function watchShard(s) {
  const w = here();
  watch({
    title: `Drain of shard ${clip(s.shardId, 40)}`, unit: "clients", total: s.currentConnections,
    look: async () => {
      const now = await patiently(() => w.get(["shards", s.shardId]));
      if (!now) return { left: 0, done: true, text: "The shard is empty and gone." };
      if (now.status !== "draining") return { left: now.currentConnections, done: true, text: `Taken back: the shard is ${now.status}.` };
      return { left: now.currentConnections, done: false };
    },
  });
}

export const drainShard = (s) => ask({
  title: `Drain shard ${short(s.shardId)}`, verb: "Drain the shard", danger: true,
  says: (v) => ["New clients of the room go to its other shards. Without a client left, this shard is removed.", when(v, s.currentConnections)],
  fields: [deadline(), pace],
  run: then(async (v) => {
    await here().send("POST", ["shards", s.shardId, "drain"], order(v));
    watchShard(s);
  }),
});

const plainShard = (s, verb, title, label, says) => ask({
  title, verb: label, says: () => says,
  run: then(async () => {
    await here().send("POST", ["shards", s.shardId, verb]);
    say(`${title}: done`);
  }),
});
export const undrainShard = (s) => plainShard(s, "undrain", `Take shard ${short(s.shardId)} back`, "Make it active", `It is active again and gets new clients. The ${clients(s.currentConnections)} on it stay.`);
export const maintainShard = (s) => plainShard(s, "maintenance", `Maintenance of shard ${short(s.shardId)}`, "Begin maintenance", `It gets no new clients until it is made active. The ${clients(s.currentConnections)} on it stay, nobody is closed.`);

export async function moveShard(s) {
  const { items } = await here().get(["nodes"], { limit: 1000 });
  const options = items.filter((n) => n.usable && n.node !== s.node).map((n) => [n.node, `${clip(n.node, 40)} (${clients(n.currentConnections)})`]);
  ask({
    title: `Move shard ${short(s.shardId)}`, verb: "Move the shard",
    says: () => options.length ? `New clients are served by the node you choose. The ${clients(s.currentConnections)} on ${s.node ?? "no node"} stay there as guests, nobody is closed.` : "No other node takes shards now.",
    fields: options.length ? [{ name: "node", label: "To node", options, value: options[0][0] }] : [],
    run: then((v) => here().send("POST", ["shards", s.shardId, "move"], { node: v.node })),
  });
}

/* ---- nodes */

function watchNode(n) {
  const w = here();
  watch({
    title: `Drain of node ${clip(n.node, 40)}`, unit: "clients", total: n.currentConnections,
    look: async () => {
      const now = await patiently(() => w.get(["nodes", n.node]));
      if (!now) return { left: 0, done: true, text: "The node is gone." };
      const { currentConnections: left, shards } = now;
      if (!now.draining) return { left, done: true, text: "Taken back: the node serves again." };
      return { left, done: left === 0 && shards === 0, text: "The node is empty; it may be stopped." };
    },
  });
}

export const drainNode = (n) => ask({
  title: `Drain node ${short(n.node)}`, verb: "Drain the node", danger: true,
  says: (v) => [`Its ${plural(n.shards, "shard")} move to other nodes first; new clients go there at once.`, when(v, n.currentConnections)],
  fields: [deadline("120"), pace],
  run: then(async (v) => {
    await here().send("POST", ["nodes", n.node, "drain"], order(v));
    watchNode(n);
  }),
});
export const undrainNode = (n) => ask({
  title: `Take node ${short(n.node)} back`, verb: "Take it back",
  says: () => "It takes shards and clients again. The shards that left it do not come back by themselves.",
  run: then(() => here().send("POST", ["nodes", n.node, "undrain"])),
});
export const forgetNode = (n) => ask({
  title: `Forget node ${short(n.node)}`, verb: "Forget the node", danger: true,
  says: () => "It is expected no more, and what it had is given to others. If it comes back it is a new node.",
  run: then(() => here().send("DELETE", ["nodes", n.node])),
});

/* ---- rooms and room servers */

function watchScale(room, target) {
  const w = here();
  watch({
    title: `Scaling of room ${clip(room.name, 40)} to ${target}`, unit: "shards too many", total: Math.max(0, room.shards.total - target),
    look: async () => {
      const now = await patiently(() => w.get(["rooms", room.name]));
      if (!now) return { left: 0, done: true, text: "The room is gone." };
      const left = Math.max(0, now.shards.total - target);
      return { left, done: left === 0, text: `The room has ${plural(now.shards.total, "shard")}.` };
    },
  });
}

export const scaleRoom = (room) => ask({
  title: `Scale room ${short(room.name)}`, verb: "Scale the room", danger: false,
  says: (v) => {
    const d = Number(v.target) - room.shards.total;
    if (!(Number(v.target) >= 1)) return "A room has at least one shard.";
    if (d >= 0) return d === 0 ? "It has that many shards already." : `${plural(d, "new shard")}${d > 1 ? ", each" : ""} for ${clients(room.maxPlayersPerShard)}. Nobody is moved.`;
    const fate = Number(v.deadline) > 0 ? `closed within ${v.deadline} s and told to come back` : "left until they leave by themselves";
    return `${plural(-d, "shard")} drain: those that drain already first, then the emptiest. Of the ${clients(room.currentConnections)} of the room, those on them are ${fate}.`;
  },
  fields: [
    { name: "target", label: "Number of shards", type: "number", min: 1, value: String(room.shards.total + 1), required: true },
    { ...deadline(), when: (v) => Number(v.target) < room.shards.total },
  ],
  run: then(async (v) => {
    const target = Number(v.target);
    await here().send("POST", ["rooms", room.name, "scale"], { target, ...(target < room.shards.total && Number(v.deadline) > 0 ? { deadlineMs: ms(v.deadline) } : {}) });
    watchScale(room, target);
  }),
});

export async function moveRoom(room) {
  const { items } = await here().get(["servers"], { limit: 1000 });
  const options = items.filter((s) => s.state === "up" && !s.draining && s.server !== room.server).map((s) => [s.server, `${clip(s.server, 60)} (${plural(s.rooms, "room")})`]);
  ask({
    title: `Move room ${short(room.name)}`, verb: "Move the room", danger: true,
    says: () => options.length ? `Its ${plural(room.shards.total, "shard")} dial the new room server. The ${clients(room.currentConnections)} stay connected; the room's state goes along only if the room server shares it.` : "No other room server is up and takes rooms.",
    fields: options.length ? [{ name: "server", label: "To room server", options, value: options[0][0] }] : [],
    run: then((v) => here().send("POST", ["rooms", room.name, "move"], { server: v.server })),
  });
}

export const kick = (room) => ask({
  title: `Kick a session out of room ${short(room.name)}`, verb: "Kick", danger: true,
  says: () => "All its sockets in this room are closed with 1008 “kicked”. It may come back after 5 s.",
  fields: [{ name: "session", label: "Session", required: true }],
  run: then(async (v) => {
    await here().send("POST", ["rooms", room.name, "kick"], { session: v.session });
    say("Kicked");
  }),
});

function watchServer(server) {
  const w = here();
  watch({
    title: `Drain of room server ${clip(server.server, 48)}`, unit: "rooms", total: server.rooms,
    look: async () => {
      const now = await patiently(() => w.get(["servers", server.server]));
      if (!now) return { left: 0, done: true, text: "The room server is gone." };
      return { left: now.rooms, done: now.rooms === 0 || !now.draining, text: now.draining ? "No room is on it any more." : "Taken back." };
    },
  });
}

export const drainServer = (s, on = true) => ask({
  title: `${on ? "Drain" : "Take back"} room server ${short(s.server)}`, verb: on ? "Drain the room server" : "Take it back", danger: on,
  says: () => on ? `It gets no new rooms, and its ${plural(s.rooms, "room")} go to others. Clients stay connected while their shard dials the new one.` : "It gets rooms again. Those that left it do not come back by themselves.",
  run: then(async () => {
    await here().send("PUT", ["servers", s.server], { draining: on });
    if (on) watchServer(s);
  }),
});

export const removeServer = (s) => ask({
  title: `Remove room server ${short(s.server)}`, verb: "Remove the room server", danger: true,
  says: () => `It is known no more. Its ${plural(s.rooms, "room")} go to other room servers; clients stay connected while their shard dials the new one.`,
  run: then(() => here().send("DELETE", ["servers", s.server])),
});

/** One of ROOM_SERVERS can only be drained. */
export const takeOutServer = (s) => (s.configured ? drainServer(s) : removeServer(s));

export async function checkAgain() {
  change({ findings: await here().send("POST", ["checkup"]) });
  refresh();
}

/* ---- buttons */

export const button = (label, run, danger) => h("button", { type: "button", class: danger ? "danger-quiet" : "", onclick: () => Promise.resolve(run()).catch((error) => ask({ title: "That did not work", verb: "Understood", says: () => error.message, run: async () => {} })) }, label);

export const buttons = (...kids) => (admin() ? h("div", { class: "actions" }, ...kids) : null);
