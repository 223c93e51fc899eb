// A small test runner: tests run one after the other, or some side by side, each with a deadline, processes and a
// clean-up of its own; the last line is `N passed, N failed`. Arguments are patterns of the names to run.
import { owning, stopEverything } from "./process.mjs";

const tests = [];

/**
 * Registers a test. Its name is a sentence; `fn` gets { after(fn) }, called in reverse order at the end. One that is
 * `alone` measures time: it waits until no other runs.
 */
export function test(name, fn, { seconds = 30, alone = false } = {}) {
  tests.push({ name, fn, seconds, alone });
}

/** Polls until `fn` answers something truthy, which it returns; throws `what` and the last value after `ms`. */
export async function until(fn, what, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) throw new Error(`still waiting after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The test's result, or an error once its time is over. */
export async function within(promise, seconds, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function runOne({ name, fn, seconds }) {
  const cleanUps = [];
  const problems = [];
  const start = Date.now();
  try {
    await within(Promise.resolve().then(() => fn({ after: (f) => cleanUps.push(f) })), seconds, "the test");
  } catch (error) {
    problems.push(error);
  }
  for (const cleanUp of cleanUps.reverse()) {
    try {
      await within(Promise.resolve().then(cleanUp), 20, "the clean-up");
    } catch (error) {
      problems.push(error);
    }
  }
  problems.push(...(await stopEverything({ tail: problems.length > 0 })));
  console.log(`${problems.length ? "FAIL" : "ok  "} ${name} (${Date.now() - start} ms)`);
  for (const problem of problems) console.log(String(problem?.stack ?? problem).replace(/^/gm, "       "));
  return problems.length === 0;
}

/** Runs the tests, up to `beside` at once, in their order. */
export async function run({ patterns = process.argv.slice(2), beside = 1 } = {}) {
  const named = tests.filter((t) => patterns.length === 0 || patterns.some((p) => new RegExp(p, "i").test(t.name)));
  const [part, parts] = (process.env.TEST_PART ?? "1/1").split("/").map(Number); // tests/lib/parts
  const chosen = named.filter((_, i) => i % parts === part - 1);
  let passed = 0;
  const work = async (queue) => {
    for (let t; (t = queue.shift()); ) if (await owning(() => runOne(t))) passed++;
  };
  const together = chosen.filter((t) => !t.alone || beside === 1);
  await Promise.all(Array.from({ length: beside }, () => work(together)));
  await work(chosen.filter((t) => t.alone && beside > 1));
  console.log(`${passed} passed, ${chosen.length - passed} failed`);
  process.exit(passed === chosen.length && passed > 0 ? 0 : 1);
}
