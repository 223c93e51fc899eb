// The demo room: a counter, presence and the last lines of chat. Plain JavaScript: the decorators of
// @signe/room and @signe/sync are applied by hand, so that no build step is needed.
import { signal } from "@signe/reactive";
import { Action, Room } from "@signe/room";
import { connected, sync, users } from "@signe/sync";
import { z } from "zod";

const CHAT_LINES = 50;
const NAME_LENGTH = 40;
const TEXT_LENGTH = 500;

class DemoUser {
  constructor() {
    this.name = signal("Anonymous");
    this.connected = signal(false);
  }
}
sync()(DemoUser.prototype, "name");
connected()(DemoUser.prototype, "connected");

class ChatLine {
  constructor() {
    this.name = signal("");
    this.text = signal("");
  }
}
sync()(ChatLine.prototype, "name");
sync()(ChatLine.prototype, "text");

export class DemoRoom {
  constructor() {
    this.count = signal(0);
    this.users = signal({});
    this.chat = signal({});
    this.nextLine = 1;
  }

  onJoin(user, _connection, { request }) {
    const name = new URL(request?.url ?? "http://localhost").searchParams.get("name")?.trim();
    if (name) user.name.set(name.slice(0, NAME_LENGTH));
  }

  increment(_user, value) {
    this.count.update((count) => count + (value?.amount ?? 1));
  }

  say(user, { text }) {
    const line = new ChatLine();
    line.name.set(user.name());
    line.text.set(text.trim().slice(0, TEXT_LENGTH));
    // With bare numbers @signe/room would send an array.
    this.chat()[`line${this.nextLine++}`] = line;
    const keys = Object.keys(this.chat()); // in the order in which the lines were said
    for (const key of keys.slice(0, -CHAT_LINES)) delete this.chat()[key];
  }
}

const action = (name, method, schema) =>
  Action(name, schema)(DemoRoom.prototype, method, Object.getOwnPropertyDescriptor(DemoRoom.prototype, method));
sync()(DemoRoom.prototype, "count");
sync(ChatLine)(DemoRoom.prototype, "chat");
users(DemoUser)(DemoRoom.prototype, "users");
action("increment", "increment", z.object({ amount: z.number().int().optional() }).optional());
action("chat", "say", z.object({ text: z.string().trim().min(1) }));
Room({ path: "{roomId}", sessionExpiryTime: 5000 })(DemoRoom);
