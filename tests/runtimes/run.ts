/**
 * Runs a part of the tests in every runtime that is here: `deno task runtimes`.
 * An older Deno and Bun come from npm where they are not.
 *
 * @module
 */

import { BUN, bundle, CHROMIUM, has, runIn, runInChromium } from "./support.ts";
import type { Result } from "./subset.ts";

/** The oldest Deno that is promised. */
const OLD_DENO = "deno@2.5.7";

const script = await bundle("tests/runtimes/subset.ts");
if (script === undefined) {
  console.error("deno bundle made nothing; is npm's registry in reach?");
  Deno.exit(1);
}

const bun = await has(BUN) ? [BUN] : ["npx", "-y", "bun"];
const runtimes: [name: string, work: () => Promise<Result>][] = [
  [
    `Deno ${Deno.version.deno}`,
    () => runIn([Deno.execPath(), "run", "-A"], script),
  ],
  [OLD_DENO, () => runIn(["npx", "-y", OLD_DENO, "run", "-A"], script)],
  ["Node", () => runIn(["node"], script)],
  ["Bun", () => runIn(bun, script)],
  ["Chromium", () => runInChromium(script)],
];

let bad = false;
for (const [name, work] of runtimes) {
  if (name === "Chromium" && !await has(CHROMIUM)) {
    console.log(`${name}: not here`);
    continue;
  }
  try {
    const { passed, failures } = await work();
    console.log(`${name}: ${passed} passed, ${failures.length} failed`);
    for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
    bad ||= failures.length > 0;
  } catch (error) {
    console.log(`${name}: could not be run: ${error}`);
    bad ||= name.startsWith("Deno");
  }
}
Deno.exit(bad ? 1 : 0);
