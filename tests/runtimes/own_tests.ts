/**
 * Runs the library's own tests where there is no Deno.
 *
 * @module
 */

import { type Files, type Outcome, Tally } from "./outcome.ts";
import { type Registered, standIn } from "./stand_in.ts";

/** How much of it. */
export interface OwnOptions {
  /** A part of the names of the files or tests to run; all when left out. */
  only?: string;
}

/** Test files by their paths in tests/, and what imports them. */
export type TestFiles = [path: string, load: () => Promise<unknown>][];

/** A test of one version of an engine, that the attack is one. */
const OF_ENGINE = /the chosen keys are an attack on a plain Map/;

/** Where a runtime's bigint ends: after a million bits in Firefox. */
const TOO_LARGE = /^BigInt is too (big|large)/;

/** Whether a test needs what the runtime has not. */
function isOfRuntime(error: unknown): boolean {
  const { name, message } = error as Error;
  return name === "NotHere" ||
    error instanceof RangeError && TOO_LARGE.test(message);
}

/**
 * Runs them.
 *
 * @param files The fixtures.
 * @param tests The files of tests.
 * @param options How much of it.
 * @returns What came of it, test by test.
 */
export async function ownTests(
  files: Files,
  tests: TestFiles,
  options: OwnOptions = {},
): Promise<Outcome> {
  const { only = "" } = options;
  const tally = new Tally();
  const registered: Registered[] = [];
  standIn(files, registered);
  for (const [path, load] of tests) {
    registered.length = 0;
    try {
      await load();
    } catch (error) {
      tally.fail(path, error);
    }
    for (const test of registered.slice()) {
      const name = `${path}: ${test.name}`;
      if (!name.includes(only)) continue;
      if (test.ignore || OF_ENGINE.test(test.name)) tally.skipped++;
      else await run(tally, name, test);
    }
  }
  return tally.toJSON();
}

async function run(
  tally: Tally,
  name: string,
  test: Registered,
): Promise<void> {
  const context = {
    name: test.name,
    async step(
      step: string | { name: string; fn: Registered["fn"] },
      fn?: Registered["fn"],
    ): Promise<boolean> {
      await (typeof step === "string" ? fn! : step.fn)(context);
      return true;
    },
  };
  // A clock may be wrong once, on a machine with much to do.
  const isTimed = /\bperformance\.now\b|\btime\d*\(/.test(String(test.fn));
  for (let left = isTimed ? 3 : 1; left > 0; left--) {
    try {
      await test.fn(context);
      tally.passed++;
      return;
    } catch (error) {
      if (isOfRuntime(error)) {
        tally.skipped++;
        return;
      }
      if (left === 1) tally.fail(name, error);
    }
  }
}
