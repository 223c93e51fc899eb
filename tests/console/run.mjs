// The dashboard in headless Chromium, on real processes. usage: node tests/console/run.mjs [PATTERN...]
import { run } from "../lib/runner.mjs";
import "./signin.mjs";
import "./live.mjs";
import "./actions.mjs";
import "./looks.mjs";

await run();
