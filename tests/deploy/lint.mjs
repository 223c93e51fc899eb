// Quick checks of deploy/. usage: node tests/deploy/lint.mjs [PATTERN]...
import { run } from "../lib/runner.mjs";
import "./compose.mjs";
import "./kubernetes.mjs";
import "./units.mjs";

await run();
