/**
 * The hostile pickles of ../shared/corpus, where they are at hand.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { machine } from "../support/doors.ts";

const CORPUS = new URL("../../../shared/corpus/hostile/", import.meta.url);

interface Hostile {
  file: string;
  must: "error" | "bounded" | "inert" | "value";
  code?: string;
}

function read(): Hostile[] | undefined {
  try {
    const text = Deno.readTextFileSync(new URL("index.json", CORPUS));
    return Object.values<Hostile>(JSON.parse(text).files)
      .filter(({ file }) => !file.startsWith("container/"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const files = read();

/** What came of it, in a word or two. */
function outcome(run: () => unknown): string {
  try {
    run();
    return "value";
  } catch (error) {
    if (error instanceof UnpicklingError) return `error ${error.code}`;
    if (error instanceof LimitError) return `limit ${error.limit}`;
    return String(error);
  }
}

Deno.test({
  name: "every hostile pickle is a value or an error of its kind, soon",
  ignore: files === undefined,
  fn: () => {
    const before = Reflect.ownKeys(Object.prototype);
    const wrong: string[] = [];
    for (const { file, must, code } of files!) {
      const bytes = Deno.readFileSync(new URL(file, CORPUS));
      const start = performance.now();
      const found = outcome(() => loads(bytes));
      const time = performance.now() - start;
      const right = {
        error: found === `error ${code}`,
        bounded: /^(value$|error |limit )/.test(found),
        // Refusing to touch what is only a name is as good.
        inert: found === "value" || found === "error bad-target",
        value: found === "value",
      }[must];
      if (!right) wrong.push(`${file}: ${found}, not ${code ?? must}`);
      if (time > 2000) wrong.push(`${file}: ${time} ms`);
    }
    assertEquals(wrong, []);
    assertEquals(Reflect.ownKeys(Object.prototype), before);
    assert(files!.length > 100);
  },
});

Deno.test({
  name: "every hostile pickle comes to the same in pieces",
  ignore: files === undefined,
  fn: () => {
    for (const { file } of files!) {
      const bytes = Deno.readFileSync(new URL(file, CORPUS));
      if (bytes.length === 0) continue;
      const whole = outcome(() => loads(bytes));
      // Behind the first pickle there may be more, which only a stream reads.
      const cut = (size: number) => outcome(() => machine(size)(bytes, {}));
      const first = cut(bytes.length);
      if (whole !== "value") assertEquals(first, whole, file);
      if (bytes.length < 100_000) assertEquals(cut(1), first, file);
      assertEquals(cut(4096), first, file);
    }
  },
});
