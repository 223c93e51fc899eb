// The way in: a token is pasted, looked at, and tried.
import { Api } from "./api.js";
import { h } from "./dom.js";
import { themeButton } from "./shell.js";
import { change, state } from "./store.js";
import { readToken } from "./token.js";

let busy = false;

/** `enter(api, worlds)` is called when the world has taken it. */
const submit = (enter) => async (event) => {
  event.preventDefault();
  if (busy) return;
  const input = document.getElementById("token");
  const text = input.value.trim().replace(/^Bearer\s+/i, "");
  const info = readToken(text);
  if (info.problem) {
    change({ reason: text ? info.problem : "Paste a token first." });
    input.focus();
    return;
  }
  busy = true;
  change({ reason: "" });
  try {
    const api = new Api(text, info);
    const { items } = await api.worlds();
    input.value = "";
    enter(api, items.map((w) => w.worldId));
  } catch (error) {
    change({ reason: error.message });
    input.focus();
  } finally {
    busy = false;
    change({});
  }
};

export function signin(enter) {
  return [h("main", { class: "signin", key: "signin" },
    h("form", { onsubmit: submit(enter), novalidate: true },
      h("p", { class: "brand" }, "Terrane"),
      h("h1", null, "Sign in"),
      h("div", { class: "field" },
        h("label", { for: "token" }, "Token"),
        h("input", { id: "token", class: "masked", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", autofocus: true, "aria-describedby": "token-hint token-wrong", "aria-invalid": state.reason ? "true" : null }),
        h("small", { id: "token-hint" }, "A JSON Web Token of an operator: ", h("code", null, "worldctl token mint"), " makes one. It stays in this page's memory: a reload forgets it.")),
      h("p", { id: "token-wrong", class: "wrong", role: "alert" }, state.reason),
      h("div", { class: "buttons" }, themeButton(), h("button", { type: "submit", class: "primary", disabled: busy }, busy ? "One moment …" : "Sign in"))))];
}
