// The dashboard in headless Chromium, on real processes. usage: node tests/console/run.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";
// The long ones first.
import "./looks.mjs";
import "./actions.mjs";
import "./live.mjs";
import "./signin.mjs";

await run({ beside: 3 });
