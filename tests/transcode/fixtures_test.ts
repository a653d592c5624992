/**
 * Text and values must say the same of every fixture: what the transcoder
 * writes is what `loads` and then the JSON encoder give, byte for byte.
 *
 * @module
 */

import { assert } from "@std/assert";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { dumps } from "../../lib/json/mod.ts";
import type { LoadOptions } from "../../lib/pickle/options.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { PickleTextMachine } from "../../lib/transcode/pickle_text.ts";
import { pickleToJsonMachine } from "../../lib/transcode/pickle_to_json.ts";
import { type PicklePlan, PickleScan } from "../../lib/transcode/plan.ts";
import { chunks, type Cut } from "../support/chunks.ts";
import { toOptions } from "../support/doors.ts";
import { type FixtureFile, fixtures } from "../support/fixtures.ts";
import { seeded } from "../support/random.ts";
import { assertText, convert, hex, outcome } from "./convert.ts";

interface Case {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  options: () => LoadOptions;
}

async function* cases(): AsyncGenerator<Case> {
  for (const file of ["values", "cpython", "handwritten"] as FixtureFile[]) {
    for (const fixture of await fixtures(file)) {
      if (fixture.options.several || fixture.options.keepMemo) continue;
      for (const { bytes, writers } of fixture.pickles) {
        // Large ones take their time; every tenth of their spellings will do.
        if (bytes.length > 200_000 && !writers.includes("4c")) continue;
        yield {
          name: `${file} ${fixture.name} ${writers}`,
          bytes,
          options: () => toOptions(fixture.options),
        };
      }
    }
  }
}

/** Bytes after the first pickle are another one to a stream. */
function byValues(
  { bytes, options }: Case,
  types: "plain" | "strict",
): { text: string; whole: boolean } {
  let unpickler: Unpickler | undefined;
  return {
    text: outcome(() => {
      unpickler = new Unpickler(options());
      const value = unpickler.load(bytes);
      return hex(encodeUtf8(dumps(value, { types })));
    }),
    whole: unpickler?.position === bytes.length,
  };
}

function planOf(bytes: Uint8Array, window: number): PicklePlan {
  const scan = new PickleScan(window);
  for (const chunk of chunks(bytes, 50)) scan.push(chunk);
  return scan.end();
}

function byText(
  { bytes, options }: Case,
  { types, cut, plan }: {
    types: "plain" | "strict";
    cut: Cut;
    plan?: PicklePlan;
  },
): string {
  return outcome(() =>
    hex(convert(
      new PickleTextMachine({
        ...options(),
        encode: { types },
        values: false,
        jsonl: false,
        plan,
        window: undefined,
        fallback: false,
      }),
      chunks(bytes, cut),
    ))
  );
}

Deno.test("every fixture becomes what values would become", async () => {
  let count = 0;
  for await (const one of cases()) {
    for (const types of ["plain", "strict"] as const) {
      const { text, whole } = byValues(one, types);
      if (!whole) continue;
      count++;
      const got = outcome(() =>
        hex(convert(
          pickleToJsonMachine({ ...one.options(), types }),
          chunks(one.bytes, 65536),
        ))
      );
      assertText(got, text, one.name);
    }
  }
  assert(count > 5000, `${count} cases`);
});

Deno.test("every cut of a fixture gives the same", async () => {
  await seeded(async (random) => {
    for await (const one of cases()) {
      if (one.bytes.length > 3000) continue;
      const { text, whole } = byValues(one, "plain");
      if (!whole) continue;
      for (const cut of random.below(4) === 0 ? [1, random] : []) {
        const got = outcome(() =>
          hex(convert(
            pickleToJsonMachine(one.options()),
            chunks(one.bytes, cut),
          ))
        );
        assertText(got, text, one.name);
      }
    }
  });
});

Deno.test("without values to fall back on, text is right or there is none", async () => {
  const snags = new Map<string, number>();
  let count = 0;
  let done = 0;
  await seeded(async (random) => {
    for await (const one of cases()) {
      const { text, whole } = byValues(one, "plain");
      if (!whole) continue;
      // Chance picks; over the runs all get their turn.
      for (const window of random.pick([[undefined, 16], [4096], [16]])) {
        const plan = window === undefined
          ? undefined
          : planOf(one.bytes, window);
        for (const cut of one.bytes.length > 3000 ? [65536] : [65536, random]) {
          const got = byText(one, {
            types: "plain",
            cut,
            ...(plan === undefined ? {} : { plan }),
          });
          if (text.startsWith("error")) {
            assert(got.startsWith("error"), `${one.name}: ${got}`);
            continue;
          }
          count++;
          if (got.startsWith("error")) {
            snags.set(got, (snags.get(got) ?? 0) + 1);
            continue;
          }
          assertText(got, text, one.name);
          done++;
        }
      }
    }
  });
  // Cycles, late mutation and the like are few.
  assert(done > count * 0.9, `${done} of ${count}: ${[...snags].join("; ")}`);
  for (const snag of snags.keys()) {
    assert(snag.includes("not-streamable"), snag);
  }
});

Deno.test("what is cut off is an error, and never whole", async () => {
  await seeded(async (random) => {
    for await (const one of cases()) {
      if (one.bytes.length > 2000) continue;
      const { text, whole } = byValues(one, "plain");
      if (!whole || text.startsWith("error")) continue;
      const size = random.below(one.bytes.length - 1) + 1;
      const got = outcome(() =>
        hex(convert(
          pickleToJsonMachine(one.options()),
          chunks(one.bytes.slice(0, size), 64),
        ))
      );
      assertText(got, "error UnpicklingError truncated", one.name);
    }
  });
});
