// What is written about Terrane is true of it. usage: node tests/docs/run.mjs [PATTERN]...
import { run } from "../lib/runner.mjs";
import "./man.mjs";

await run();
