/**
 * Random pickles, cut at random, with windows so small that every guess about
 * what is still to come can be caught out.
 *
 * @module
 */

import { assert } from "@std/assert";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { dumps } from "../../lib/json/mod.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { PickleTextMachine } from "../../lib/transcode/pickle_text.ts";
import { PickleScan } from "../../lib/transcode/plan.ts";
import { chunks } from "../support/chunks.ts";
import { type Random, seeded } from "../support/random.ts";
import { assertText, convert, hex, outcome } from "./convert.ts";
import { randomPickle } from "./random_pickles.ts";

function valueText(bytes: Uint8Array): string {
  const unpickler = new Unpickler({ dicts: "map", floats: "exact" });
  const value = unpickler.load(bytes);
  return hex(encodeUtf8(dumps(value, { types: "plain" })));
}

function text(
  random: Random,
  bytes: Uint8Array<ArrayBuffer>,
  options: Partial<ConstructorParameters<typeof PickleTextMachine>[0]>,
): string {
  return outcome(() =>
    hex(convert(
      new PickleTextMachine({
        encode: { types: "plain" },
        values: false,
        jsonl: false,
        plan: undefined,
        window: undefined,
        ...options,
      }),
      chunks(bytes, random.pick([1, 7, 64, 65536, random])),
    ))
  );
}

Deno.test("random plain pickles become the right text", async () => {
  await seeded((random) => {
    for (let i = 0; i < 1500; i++) {
      const batch = random.pick([1000, 3, 5]);
      const bytes = randomPickle(random, {
        protocol: random.below(6),
        pure: random.below(3) === 0,
        holes: random.below(5) === 0,
        size: random.below(80),
        batch,
      });
      const want = valueText(bytes);
      const name = `pickle ${i}: ${bytes.toBase64().slice(0, 300)}`;
      // All of it is within the window, so nothing can go wrong for good.
      assertText(text(random, bytes, { batch, fallback: false }), want, name);
      const scan = new PickleScan(random.pick([8, 16, 64, 256]));
      for (const chunk of chunks(bytes, random)) scan.push(chunk);
      const plan = scan.end();
      assertText(
        text(random, bytes, { batch, plan, fallback: false }),
        want,
        `${name} planned, window ${plan.window}`,
      );
    }
  });
});

Deno.test("random objects become the right text, or there is none", async () => {
  let done = 0;
  let count = 0;
  await seeded((random) => {
    for (let i = 0; i < 600; i++) {
      const bytes = randomPickle(random, {
        protocol: random.below(6),
        pure: random.below(3) === 0,
        size: random.below(60),
        objects: true,
        share: random.below(3) === 0,
      });
      const want = valueText(bytes);
      const name = `pickle ${i}: ${bytes.toBase64().slice(0, 300)}`;
      assertText(text(random, bytes, {}), want, name);
      const got = text(random, bytes, { fallback: false });
      count++;
      if (got === "error UnpicklingError not-streamable") continue;
      assertText(got, want, name);
      done++;
    }
  });
  assert(done > count * 0.7, `${done} of ${count}`);
});

Deno.test("text that has left is never wrong", async () => {
  let refused = 0;
  await seeded((random) => {
    for (let i = 0; i < 40; i++) {
      const bytes = randomPickle(random, {
        protocol: random.below(6),
        pure: random.below(3) === 0,
        size: 8,
        records: 3000,
        objects: random.below(2) === 0,
        share: random.below(2) === 0,
      });
      const want = valueText(bytes);
      const got = text(random, bytes, {
        fallback: false,
        window: 5000,
      });
      if (got === "error UnpicklingError not-streamable") refused++;
      else assertText(got, want, `records ${i}`);
      const scan = new PickleScan(64);
      scan.push(bytes);
      const planned = text(random, bytes, {
        plan: scan.end(),
        fallback: false,
      });
      if (planned === "error UnpicklingError not-streamable") continue;
      assertText(planned, want, `planned records ${i}`);
    }
  });
  assert(refused < 40, `${refused}`);
});
