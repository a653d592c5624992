/**
 * The two roads from pickle to JSON, by values and by text, must say the same
 * of whatever bytes there are: the same texts, the same error, at the same place.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { JSONEncodeError } from "../../lib/json/errors.ts";
import { dumps } from "../../lib/json/mod.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import type { LoadOptions } from "../../lib/pickle/options.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { type Machine, MORE } from "../../lib/streams/machine_stream.ts";
import { PickleTextMachine } from "../../lib/transcode/pickle_text.ts";
import { pickleToJsonMachine } from "../../lib/transcode/pickle_to_json.ts";
import { type PicklePlan, PickleScan } from "../../lib/transcode/plan.ts";
import { mutated, opcodeSoup, seeds } from "../fuzz/inputs.ts";
import { Random as FuzzRandom } from "../fuzz/random.ts";
import { chunks, type Cut } from "../support/chunks.ts";
import { type Random, seeded } from "../support/random.ts";
import { randomPickle } from "./random_pickles.ts";

const LIMITS = { outputBytes: 300_000 };

/** The texts that are whole, and the error, if there is one. */
interface Said {
  texts: string[];
  error: string | undefined;
}

function describe(error: unknown): string {
  if (error instanceof UnpicklingError) {
    return `${error.code} ${error.offset} ${error.opcode}`;
  }
  if (error instanceof LimitError) return `limit ${error.limit}`;
  if (error instanceof JSONEncodeError) return `json ${error.code}`;
  throw error;
}

/** The bytes' texts by way of values. */
function byValues(
  bytes: Uint8Array,
  types: "plain" | "strict",
  options: LoadOptions,
): Said {
  const texts: string[] = [];
  const unpickler = new Unpickler({
    ...options,
    dicts: "map",
    floats: "exact",
  });
  try {
    unpickler.push(bytes);
    for (let ended = false;;) {
      const value = unpickler.pull();
      if (value !== MORE) {
        texts.push(dumps(value, { types, limits: LIMITS }));
      } else if (ended) {
        return { texts, error: undefined };
      } else {
        unpickler.end();
        ended = true;
      }
    }
  } catch (error) {
    return { texts, error: describe(error) };
  }
}

/** The same without values, of pieces. */
function byText(
  machine: Machine<Uint8Array, Uint8Array<ArrayBuffer>>,
  bytes: Uint8Array,
  cut: Cut,
): Said {
  const decoder = new TextDecoder();
  let text = "";
  let error: string | undefined;
  function take(): void {
    for (let out = machine.pull(); out !== MORE; out = machine.pull()) {
      text += decoder.decode(out, { stream: true });
    }
  }
  try {
    take();
    for (const chunk of chunks(bytes, cut)) {
      machine.push(chunk);
      take();
    }
    machine.end();
    take();
  } catch (caught) {
    error = describe(caught);
  }
  const texts = text.split("\n");
  // No text ends without the break that parts it from the next, but the last.
  if (texts.at(-1) === "") texts.pop();
  return { texts, error };
}

/** A machine that never reads a pickle as values. */
function textMachine(
  options: LoadOptions = {},
  plan?: PicklePlan,
): PickleTextMachine {
  return new PickleTextMachine({
    ...options,
    encode: { types: "plain", limits: LIMITS },
    limits: LIMITS,
    values: false,
    jsonl: false,
    plan,
    window: undefined,
    fallback: false,
  });
}

function someBytes(
  random: Random,
  all: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const chance = new FuzzRandom(random.below(2 ** 31));
  switch (random.below(4)) {
    case 0:
      return new Uint8Array(mutated(chance, all));
    case 1: {
      const bytes = randomPickle(random, {
        protocol: random.below(6),
        pure: random.below(3) === 0,
        size: random.below(40),
        objects: random.below(2) === 0,
      });
      return random.below(4) === 0
        ? bytes
        : new Uint8Array(mutated(chance, [bytes]));
    }
    default:
      return new Uint8Array(opcodeSoup(chance));
  }
}

function someOptions(random: Random): LoadOptions {
  return random.pick<LoadOptions>([
    {},
    {},
    {},
    {},
    { lenientFrames: true },
    { fixImports: false },
    { encoding: "latin1" },
    { encoding: "ascii" },
    { encoding: "bytes" },
  ]);
}

Deno.test("mutated pickles and opcodes at random say the same on both roads", async () => {
  const all = await seeds();
  let accepted = 0;
  await seeded((random) => {
    for (let i = 0; i < 6000; i++) {
      const bytes = someBytes(random, all);
      // Nothing is no JSON text, whereas a stream of no pickles is none.
      if (bytes.length === 0) continue;
      const options = someOptions(random);
      const types = random.pick(["plain", "plain", "strict"] as const);
      const want = byValues(bytes, types, options);
      if (want.error === undefined) accepted++;
      for (const cut of [65536, random.pick([1, 3, random])]) {
        const got = byText(
          pickleToJsonMachine({ ...options, types, limits: LIMITS }),
          bytes,
          cut,
        );
        // Whoever reads values within values counts anew.
        if (
          want.texts.length > 0 && isJoblib(bytes) &&
          got.error !== undefined && want.error !== undefined
        ) {
          assertEquals(got.error.split(" ")[0], want.error.split(" ")[0]);
          continue;
        }
        assertEquals(got, want, `${types} ${bytes.toBase64()}`);
      }
    }
  });
  assert(accepted > 400, `${accepted}`);
});

function isJoblib(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes("joblib");
}

Deno.test("without values to fall back on, no wrong text and no text that is none", async () => {
  const all = await seeds();
  let done = 0;
  let refused = 0;
  await seeded((random) => {
    for (let i = 0; i < 4000; i++) {
      const bytes = someBytes(random, all);
      if (bytes.length === 0 || isJoblib(bytes)) continue;
      const options = someOptions(random);
      const want = byValues(bytes, "plain", options);
      const scan = new PickleScan(random.pick([8, 64]));
      for (const chunk of chunks(bytes, 7)) scan.push(chunk);
      const made = scan.end();
      for (const plan of made.ordered ? [undefined, made] : [undefined]) {
        const got = byText(
          textMachine(options, plan),
          bytes,
          random.pick([65536, random]),
        );
        const name = `${
          plan === undefined ? "" : "planned "
        }${bytes.toBase64()}`;
        if (got.error === undefined) {
          assertEquals(got, want, name);
          done++;
          continue;
        }
        refused++;
        // What is left of the pickle that is wrong is no text.
        const whole = got.texts.slice(0, want.texts.length);
        for (const [i, text] of whole.entries()) {
          if (i < got.texts.length - 1) assertEquals(text, want.texts[i], name);
        }
      }
    }
  });
  assert(done > 500, `${done} of ${done + refused}`);
});

Deno.test("text that has moved is found by its memo slot, however the input is cut", async () => {
  const bytes = Uint8Array.fromBase64(
    [
      "gASVUAEAAAAAAABdlChdlChdlI+UKEsBTSwBkGF9lIwEa2V5MJR9lHNlfZQo",
      "Sw1oBIwDfwB4lEc+5Pi1iONo8YwGbmHDr3ZllF2UjAtsaW5lCmJyZWFrMJRd",
      "lIwIZGF0ZXRpbWWUjAl0aW1lZGVsdGGUk5RLAUsCSwOHlFKUYXWFlH2UKEsP",
      "aAGMAmEwlEMDAQL/lIwBMZQpjAFhlIwKYmFja1xzbGFzaJSMAmExlChLA4wG",
      "bWVtYmVylJGUdV2UXZRhXZRdlChoBn2UKEdABAAAAAAAAClNLAFdlChdlChL",
      "B4WUXZQoTf//SgAAAQBOZWVoCYwlYSBzb21ld2hhdCBsb25nZXIgc3RyaW5n",
      "IHRoYXQgZ29lcyBvbpRljCZhIHNvbWV3aGF0IGxvbmdlciBzdHJpbmcgdGhh",
      "dCBnb2VzIG9uMZSIdUv/Rz7k+LWI42jxdJRhhZRhZS6ABJVQAQAAAAAAAF2U",
      "KF2UKF2Uj5QoSwFNLAGQYX2UjARrZXkwlH2Uc2V9lChLDWgEjAN/AHiURz7k",
      "+LWI42jxjAZuYcOvdmWUXZSMC2xpbmUKYnJlYWswlF2UjAhkYXRldGltZZSM",
      "CXRpbWVkZWx0ZZSTlEsBSwJLA4eUUpRhdYWUfZQoSw9oAYwCYTCUQwMBAv+U",
      "jAExlCmMAWGUjApiYWNrXHNsYXNolIwCYTGUKEsDjAZtZW1iZXKUkZR1XZRd",
      "lGFdlF2UKGgGfZQoR0AEAAAAAAAAKU0sAV2UKF2UKEsHhZRdlChN//9KAAAB",
      "AE5lZWgJjCVhIHNvbWV3aGF0IGxvbmdlciBzdHJpbmcgdGhhdCBnb2VzIG9u",
      "lGWMJmEgc29tZXdoYXQgbG9uZ2VyIHN0cmluZyB0aGF0IGdvZXMgb24xlIh1",
      "S/9HPuT4tYjjaPF0lGGFlGFlLg==",
    ].join(""),
  );
  const want = byValues(bytes, "plain", {});
  await seeded((random) => {
    for (let i = 0; i < 1000; i++) {
      // This one has the memo of earlier machines, the other begins small.
      const other = textMachine();
      const got = byText(textMachine(), bytes, random);
      assertEquals(got, want);
      other.end();
    }
  });
});

Deno.test("names of Python 2 are mapped below protocol 3, and only there", () => {
  const bytes = (text: string) =>
    Uint8Array.from(text, (char) => char.charCodeAt(0));
  const set = "c__builtin__\nset\n(K\x01lq\x00\x85R";
  for (
    const [pickle, want] of [
      [`${set}.`, "[1]"],
      [`\x80\x02${set}.`, "[1]"],
      [`\x80\x03](c__builtin__\nset\ne.`, '["__builtin__.set"]'],
      [`\x80\x02](c__builtin__\nset\ne.`, '["builtins.set"]'],
      [
        `\x80\x04]((c__builtin__\nset\n\x80\x02c__builtin__\nset\nle.`,
        '[["__builtin__.set", "builtins.set"]]',
      ],
    ] as const
  ) {
    const { texts, error } = byValues(bytes(pickle), "plain", {});
    assertEquals([error, texts], [undefined, [want]]);
    for (const fallback of [true, false]) {
      for (const cut of [1, 100]) {
        const got = byText(
          new PickleTextMachine({
            encode: { types: "plain" },
            values: false,
            jsonl: false,
            plan: undefined,
            window: undefined,
            fallback,
          }),
          bytes(pickle),
          cut,
        );
        assertEquals(got, { texts: [want], error: undefined }, pickle);
      }
    }
  }
});

Deno.test("a frame that claims more than there is is cut off", () => {
  for (const lenientFrames of [false, true]) {
    for (
      const body of ["N.", "]K\x01a.", "cdecimal\nDecimal\n\x8c\x011\x85R."]
    ) {
      const pickle = `\x80\x04\x95${
        String.fromCharCode(body.length + 1)
      }\0\0\0\0\0\0\0${body}`;
      const bytes = Uint8Array.from(pickle, (char) => char.charCodeAt(0));
      const want = byValues(bytes, "plain", { lenientFrames });
      assertEquals(want.error?.split(" ")[0], "truncated");
      for (const cut of [1, 100]) {
        assertEquals(
          byText(pickleToJsonMachine({ lenientFrames }), bytes, cut),
          want,
        );
      }
      // With one byte more, what comes next begins within the frame.
      const more = Uint8Array.from([...bytes, 0x4e]);
      assertEquals(
        byText(pickleToJsonMachine({ lenientFrames }), more, 1),
        byValues(more, "plain", { lenientFrames }),
      );
    }
  }
});

Deno.test("what is stored far apart is right, or too long ago", () => {
  const bytes: number[] = [];
  const text = (text: string, slot: number) => {
    bytes.push(0x8c, text.length, ...new TextEncoder().encode(text));
    bytes.push(0x72, slot & 255, (slot >> 8) & 255, (slot >> 16) & 255, 0);
  };
  bytes.push(0x28, 0x5d, 0x28);
  text("first", 5);
  // All of these lie in the same place of a small memo, and 5 is not there.
  for (let i = 0; i < 3000; i++) text("next", 7 + 1024 * i);
  // That it is a tuple moves all that is in it.
  bytes.push(0x74, 0x61, 0x6a, 5, 0, 0, 0, 0x74, 0x2e);
  const pickle = Uint8Array.from(bytes);
  const want = byValues(pickle, "plain", {});
  for (const limits of [{ memo: 1024 }, { memo: 4096 }]) {
    for (const cut of [100, 65_536]) {
      const other = textMachine();
      const machine = new PickleTextMachine({
        encode: { types: "plain" },
        limits,
        values: false,
        jsonl: false,
        plan: undefined,
        window: undefined,
        fallback: false,
      });
      const got = byText(machine, pickle, cut);
      other.end();
      if (got.error === undefined) assertEquals(got, want);
      else assertEquals(got.error.split(" ")[0], "not-streamable");
    }
  }
});
