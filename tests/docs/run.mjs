// What is written about Terrane is true of it. usage: node tests/docs/run.mjs [PATTERN]...
import { run } from "../lib/runner.mjs";
import "./failures.mjs";
import "./links.mjs";
import "./man.mjs";
import "./start.mjs";

await run();
