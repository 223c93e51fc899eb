// Peers that mean harm: what they try must cost themselves only.
import assert from "node:assert/strict";
import { test } from "../lib/runner.mjs";
import { cluster } from "../lib/cluster.mjs";
import { rawTcp } from "../conformance/lib/http.mjs";

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

test("an upgrade that is none for the world opens no way past the node's routes", async (t) => {
  const { node } = await cluster(t);
  const disguises = ["Upgrade: h2c\r\n", "Upgrade: h2c\r\nUpgrade: websocket\r\n", "Upgrade: websocket2\r\n"];
  for (const method of ["OPTIONS", "GET", "POST"]) {
    for (const upgrade of disguises) {
      const first = `${method} /parties/world/world-default HTTP/1.1\r\nHost: a\r\n${upgrade}Connection: Upgrade\r\n${key}\r\n`;
      const { text } = await rawTcp(node.origin, [first, 100, "GET /version HTTP/1.1\r\nHost: a\r\n\r\n"], { idle: 300 });
      assert.doesNotMatch(text, /terrane-world/, `${method} with ${upgrade}`);
    }
  }
});
