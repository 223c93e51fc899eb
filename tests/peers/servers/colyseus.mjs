// Colyseus: rooms with a state, matchmaking by HTTP.
import { Room, Server } from "@colyseus/core";
import { MapSchema, Schema, defineTypes } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { makeServer, name, say } from "./serving.mjs";

class Player extends Schema {}
defineTypes(Player, { x: "number", y: "number", here: "boolean" });
class State extends Schema {
  constructor() {
    super();
    this.server = name;
    this.players = new MapSchema();
  }
}
defineTypes(State, { server: "string", players: { map: Player } });

class Hall extends Room {
  onCreate() {
    this.maxClients = 8;
    this.setState(new State());
    this.setPatchRate(20);
    this.onMessage("say", (_client, text) => this.broadcast("said", text));
    this.onMessage("move", ({ sessionId }, { x, y }) => this.state.players.get(sessionId).assign({ x, y }));
    this.onMessage("bytes", (client, bytes) => client.sendBytes("bytes", bytes));
    this.onMessage("drop me", (client, code) => client.leave(code));
    this.onMessage("who am I", (client) => client.send("you are", client.userData));
    this.onMessage("end", () => this.disconnect());
  }
  onJoin(client, options) {
    const { sessionId } = client;
    if (options.wanted === false) throw new Error("you are not wanted");
    client.userData = client.auth;
    this.state.players.set(sessionId, new Player().assign({ x: 0, y: 0, here: true }));
  }
  onAuth(_client, _options, { headers }) {
    return headers["x-terrane-subject"] ?? true;
  }
  async onLeave(client, consented) {
    const player = this.state.players.get(client.sessionId);
    player.here = false;
    try {
      if (consented) throw new Error("it wanted to");
      await this.allowReconnection(client, 20);
      player.here = true;
    } catch {
      this.state.players.delete(client.sessionId);
    }
  }
}

const server = makeServer();
const game = new Server({ greet: false, transport: new WebSocketTransport({ server, pingInterval: 500, pingMaxRetries: 4 }) });
game.define("hall", Hall);
await game.listen(Number(process.env.PORT ?? 0), "127.0.0.1");
say(server.address().port);
