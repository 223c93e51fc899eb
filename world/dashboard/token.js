// What a token says of itself. Whether it is good, the world decides.
/** { exp, scope, worlds, who } or { problem }: what is wrong with it in words. */
export function readToken(text, now = Date.now()) {
  const parts = text.split(".");
  if (parts.length !== 3) return { problem: "This is no JSON Web Token: it should have three parts with dots between them." };
  let claims;
  try {
    const bytes = Uint8Array.from(atob(parts[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    claims = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { problem: "The middle part of this token cannot be read. Was it cut off when it was copied?" };
  }
  if (typeof claims !== "object" || claims === null) return { problem: "This token has no claims." };
  if ("rooms" in claims) return { problem: "This is a client's token (it has the claim “rooms”): it lets somebody into rooms and opens nothing here." };
  const info = {
    exp: typeof claims.exp === "number" ? claims.exp * 1000 : null,
    nbf: typeof claims.nbf === "number" ? claims.nbf * 1000 : null,
    admin: claims.scope === undefined || claims.scope === "admin",
    worlds: Array.isArray(claims.worlds) ? claims.worlds.filter((w) => typeof w === "string") : [],
    who: typeof claims.sub === "string" ? claims.sub : "",
  };
  if (info.worlds.length === 0) return { problem: "This token names no worlds: its claim “worlds” should be a list such as [\"*\"]." };
  return { ...info, ...because(info, now) };
}

/** { problem } when its time has passed or has not come. */
export function because(info, now = Date.now()) {
  if (info.exp !== null && info.exp <= now) return { problem: `This token ended ${new Date(info.exp).toLocaleTimeString()}. Sign in with a new one.` };
  if (info.nbf !== null && info.nbf > now + 30000) return { problem: "This token is not valid yet. Is the clock of whoever made it right?" };
  return {};
}

/** Why the world may have refused a token that looks good. */
export function whyRefused(info, world) {
  const time = because(info);
  if (time.problem) return time.problem;
  if (world && !info.worlds.includes("*") && !info.worlds.includes(world)) return `This token is not for ${world}: it names ${info.worlds.join(", ")}.`;
  return "The world does not take this token. It was signed with another secret than its AUTH_JWT_SECRET, or its clock is off.";
}
