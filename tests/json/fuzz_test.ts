import { assertEquals } from "@std/assert";
import { describe, loosen } from "./cases.ts";
import { dumps } from "../../lib/json/encoder.ts";
import { loads } from "../../lib/json/decoder.ts";
import { JsonDecoder } from "../../lib/json/json_decoder.ts";
import { JsonEncoder } from "../../lib/json/dump.ts";
import { JSONDecodeError } from "../../lib/json/errors.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { type Random, seeded } from "../support/random.ts";

const CHARS = 'ab"\\/\n\t\u0000\u001f\u007fé\u2028€😀\ud800\udfff \u00ff';

function text(random: Random): string {
  const length = random.pick([0, 1, 3, 8, 20, random.below(200)]);
  let made = "";
  for (let i = 0; i < length; i++) {
    made += random.next() < 0.5 ? "x" : CHARS[random.below(CHARS.length)];
  }
  return made;
}

function number(random: Random): unknown {
  return random.pick([
    () => random.below(100),
    () => -random.below(2 ** 40),
    () => random.next() * 10 ** (random.below(40) - 20),
    () => -0,
    () => random.pick([NaN, Infinity, -Infinity, 1e16, 1e-5, 2 ** 53, 5e-324]),
    () => BigInt(random.below(2 ** 31)) ** 4n + 2n ** 60n,
    () => new Float(random.below(10)),
  ])();
}

function value(random: Random, depth: number): unknown {
  const kind = random.below(depth > 0 ? 10 : 6);
  if (kind < 2) return text(random);
  if (kind < 4) return number(random);
  if (kind < 6) return random.pick([null, true, false, 0, ""]);
  const size = random.pick(depth > 2 ? [1, 3, 6] : [0, 1, 2, 4]);
  const items = Array.from({ length: size }, () => value(random, depth - 1));
  if (kind === 6) return Tuple.from(items);
  if (kind === 7) return items;
  const keys = items.map(() =>
    random.next() < 0.2 ? number(random) : text(random)
  );
  if (kind === 8) {
    return new PyDict(items.map((item, i) => [keys[i], item] as const));
  }
  return Object.fromEntries(items.map((item, i) => [`k${keys[i]}`, item]));
}

/** Cuts bytes at random places. */
function* pieces(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length;) {
    const size = random.pick([1, 1, 2, 5, 30, 1000]);
    yield bytes.subarray(i, i += size);
  }
}

function drain(machine: JsonDecoder, into: unknown[]): void {
  for (;;) {
    const next = machine.pull();
    if (next === MORE) return;
    into.push(next);
  }
}

Deno.test("random values come back from their JSON, by every road", () =>
  seeded((random) => {
    for (let round = 0; round < 1000; round++) {
      const why = `round ${round}`;
      const original = value(random, 4);
      const options = {
        indent: random.pick([null, 0, 1, "\t"]),
        ensureAscii: random.next() < 0.5,
      };
      const written = dumps(original, options);
      const exact = { dicts: "map", floats: "exact" } as const;
      const back = loads(written, exact);
      // What was read is written as it was, but for keys that were no strings.
      const again = dumps(back, options);
      assertEquals(loads(again, exact), back, why);
      const quick = loads(written);
      const careful = loads(written, { strict: false });
      assertEquals(
        JSON.stringify(loosen(describe(quick))),
        JSON.stringify(loosen(describe(careful))),
        why,
      );
      assertEquals(dumps(quick, options), dumps(careful, options), why);
      assertEquals(loads(encodeUtf8(written), exact), back, why);

      // In pieces, several behind each other.
      const machine = new JsonDecoder(random.next() < 0.5 ? {} : exact);
      const values: unknown[] = [];
      const twice = encodeUtf8(`${written}\n${written} `);
      for (const piece of pieces(twice, random)) {
        machine.push(piece);
        drain(machine, values);
      }
      machine.end();
      drain(machine, values);
      assertEquals(values.length, 2, why);
      assertEquals(
        loosen(describe(values[0])),
        loosen(describe(careful)),
        why,
      );

      // And written in pieces.
      if (options.ensureAscii) {
        const encoder = new JsonEncoder({ ...options, framing: "none" });
        encoder.push(original);
        let streamed = "";
        for (;;) {
          const chunk = encoder.pull();
          if (chunk === MORE) break;
          streamed += new TextDecoder().decode(chunk);
        }
        assertEquals(streamed, written, why);
      }
    }
  }));

Deno.test("mutated texts end in a value or an error that is Brine's", () =>
  seeded((random) => {
    const noise = encodeUtf8('[]{}",:0123456789.eE+-\\untfNI \n\x1e\x00é😀');
    for (let round = 0; round < 3000; round++) {
      const why = `round ${round}`;
      const source = encodeUtf8(
        dumps(value(random, 3), { ensureAscii: false }),
      );
      const bytes = [...source];
      for (let i = random.below(4); i >= 0; i--) {
        const at = random.below(bytes.length + 1);
        if (random.next() < 0.4) bytes.splice(at, random.below(3));
        else if (random.next() < 0.2) bytes.length = at;
        else bytes.splice(at, 0, random.pick([...noise]));
      }
      const mutated = new Uint8Array(bytes);
      const outcome = (act: () => unknown): string => {
        try {
          return JSON.stringify(loosen(describe(act())));
        } catch (error) {
          if (error instanceof JSONDecodeError || error instanceof LimitError) {
            return `${error.name}: ${error.message}`;
          }
          throw new Error(why, { cause: error });
        }
      };
      const quick = outcome(() => loads(mutated));
      const careful = outcome(() =>
        loads(mutated, { objectHook: (dict) => dict })
      );
      assertEquals(quick, careful, why);
      // Streams: the same values and errors in one piece and in many.
      for (const items of [false, true]) {
        let first: string | undefined;
        for (const cut of [false, true]) {
          const machine = new JsonDecoder({ items });
          const values: unknown[] = [];
          const all = outcome(() => {
            const parts = cut ? pieces(mutated, random) : [mutated];
            for (const part of parts) {
              machine.push(part);
              drain(machine, values);
            }
            machine.end();
            drain(machine, values);
            return values;
          });
          first ??= all;
          assertEquals(all, first, why);
        }
      }
    }
  }));
