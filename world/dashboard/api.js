// The management API. The token lives in this object and nowhere else; it travels in a header only.
import { whyRefused } from "./token.js";

const path = (parts) => parts.map(encodeURIComponent).join("/");

/** An answer that is none we wanted, in words. `status` 0: nobody answered. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

const words = {
  0: "The world cannot be reached.",
  404: "There is no such thing here (any more).",
  421: "Another process decides for this world now.",
  429: "Too many at once: the world asks for a pause.",
  502: "Something in front of the world answers, but not the world.",
  503: "Nobody decides for this world at the moment.",
  504: "The world did not answer in time.",
  507: "The change counts, but could not be stored. Look at the disk or at Redis.",
};

/** A document, and if it is a list, one of things. */
const isAnswer = (doc) => doc !== null && typeof doc === "object" && (doc.items === undefined || (Array.isArray(doc.items) && doc.items.every((i) => i !== null && typeof i === "object")));

export class Api {
  #token;
  constructor(token, info) {
    this.#token = token;
    this.info = info;
  }

  /** The answer to any request; throws Refused. */
  async fetch(target, { method = "GET", body, signal, world } = {}) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(`api/v1/${target}`, {
        method, headers, signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", redirect: "error",
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, words[0]);
    }
    if (!response.ok) throw await this.#refusal(response, world);
    return response;
  }

  async #refusal(response, world) {
    let text = "";
    try {
      const said = await response.json();
      text = said.error ?? said.detail ?? "";
    } catch {
      // another program's page: its words are not ours
    }
    const { status } = response;
    if ((status === 401 || status === 403) && !/may only read/.test(text)) return new Refused(status, whyRefused(this.info, world));
    if (status === 403) return new Refused(status, "This token may only read.");
    return new Refused(status, status === 400 || status === 409 || (status === 404 && text) || !words[status] ? `${text || "The world answered"} (${status})` : words[status]);
  }

  async json(target, options) {
    const response = await this.fetch(target, options);
    if (response.status === 204) return null;
    let doc = null;
    try {
      doc = await response.json();
    } catch (error) {
      if (error.name === "AbortError") throw error;
    }
    if (!isAnswer(doc)) throw new Refused(502, "What answers here is none of a world's answers, or a part of one.");
    return doc;
  }

  worlds() {
    return this.json("worlds");
  }

  /** What belongs to a world. */
  in(world) {
    const base = (parts, query) => {
      const text = new URLSearchParams(Object.entries(query ?? {}).filter(([, v]) => v !== undefined && v !== null && v !== ""));
      return `${path(["worlds", world, ...parts])}${text.size ? `?${text}` : ""}`;
    };
    return {
      get: (parts, query, signal) => this.json(base(parts, query), { world, signal }),
      send: (method, parts, body, query) => this.json(base(parts, query), { world, method, body }),
      events: (signal) => this.fetch(base(["events"], { overview: 1 }), { world, signal }),
    };
  }
}
