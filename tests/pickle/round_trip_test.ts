import { assert, assertEquals } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { genops } from "../../lib/pickle/genops.ts";
import { loads } from "../../lib/pickle/load.ts";
import { ByteArray } from "../../lib/python/byte_array.ts";
import { Complex } from "../../lib/python/complex.ts";
import { Ellipsis } from "../../lib/python/constants.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { Global, PersistentId, PyObject } from "../../lib/python/object.ts";
import { Range } from "../../lib/python/range.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { Slice } from "../../lib/python/slice.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { describe } from "../support/describe.ts";
import { toOptions } from "../support/doors.ts";
import { type Fixture, fixtures, type Pickle } from "../support/fixtures.ts";
import { difference, protocolOf } from "../support/matches.ts";
import {
  hasPython,
  type Python,
  pythonVersions,
  withPython,
} from "../support/python.ts";
import { type Random, seeded } from "../support/random.ts";

const EXACT = { dicts: "map", floats: "exact" } as const;

/** As the fixture's writer would be asked to write it. */
function rewrite(value: unknown, protocol: number): Uint8Array<ArrayBuffer> {
  return dumps(value, {
    protocol,
    persistentId: (value) =>
      value instanceof PersistentId ? value.id : undefined,
  });
}

/** What is written in one piece. */
function plain({ options }: Fixture): boolean {
  return !options.several && !options.keepMemo && !options.buffers;
}

function fail(wrong: string[], count: number): void {
  assert(
    wrong.length === 0,
    `${wrong.length} of ${count} are wrong:\n${
      wrong.slice(0, 30).join("\n").slice(0, 9000)
    }`,
  );
}

/**
 * What CPython itself loses in writing a value by a protocol; `dumps` writes
 * the same bytes.
 */
function isLossy({ group, name }: Fixture, protocol: number): boolean {
  return protocol < 4 && name.endsWith("_fold") ||
    protocol < 4 && name.includes("_fold_") ||
    // A state that is false is left out, and so are arguments of __new__.
    protocol < 2 && /^(state_|newargs)/.test(name) ||
    // A subclass of list within itself is not written at all.
    protocol < 2 && name === "sub_list_cycle" ||
    // An id is text.
    protocol === 0 && /^(bin)?persi/.test(name) ||
    // An iterator is read as another kind.
    group === "iterators";
}

function shown(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 200)).replace(
    /[^ -~]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

Deno.test("what loads gives, dumps writes in every protocol, and loads reads the same again", async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const file of ["values", "handwritten"] as const) {
    for (const fixture of await fixtures(file)) {
      if (!plain(fixture)) continue;
      const options = toOptions(fixture.options);
      // The newest way to write it, and the oldest.
      const { pickles } = fixture;
      const some = new Set([pickles[0]!, pickles[pickles.length - 1]!]);
      for (const { bytes, writers } of some) {
        const value = loads(bytes, options);
        const expected = describe(value);
        for (let protocol = 0; protocol <= 5; protocol++) {
          if (isLossy(fixture, protocol)) continue;
          count++;
          const where =
            `${fixture.group}/${fixture.name} (${writers}) to ${protocol}`;
          try {
            const again = loads(rewrite(value, protocol), options);
            const found = difference(expected, describe(again));
            if (found !== undefined) wrong.push(`${where}: ${found}`);
          } catch (error) {
            wrong.push(`${where}: ${error}`);
          }
        }
      }
    }
  }
  assert(count > 5000);
  fail(wrong, count);
});

/** Where the bytes are not those of CPython, and why. */
const OTHER_BYTES: [names: RegExp, why: string][] = [
  [/^str_surrogate_two_code_units$/, "JavaScript has one text for both"],
  [/^(class_method|builtin_unbound|builtin_class_method)$/, "a dotted name"],
  [/^path/, "only Python 3.13 knows pathlib._local"],
  [/_fast$/, "the writer had no memo"],
  [/^dict_two_nan_keys$/, "JavaScript does not keep the bits of a NaN"],
];

interface Op {
  name: string;
  arg: unknown;
}

/**
 * What a pickle does, with equal strings made one object, as they are in
 * JavaScript. Memo indices count anew, and frames are left out.
 */
function merged(bytes: Uint8Array<ArrayBuffer>): Op[] {
  const ops: Op[] = [];
  /** Indices of the pickle, and what they are now. */
  const now = new Map<number, number>();
  const texts = new Map<string, number>();
  let count = 0;
  let before = 0;
  for (const { opcode, arg } of genops(bytes)) {
    const last = ops[ops.length - 1];
    switch (opcode.name) {
      case "FRAME":
        continue;
      case "PUT":
      case "BINPUT":
      case "LONG_BINPUT":
      case "MEMOIZE": {
        const index = opcode.name === "MEMOIZE" ? before : Number(arg);
        before++;
        const isText = /UNICODE/.test(last!.name) ||
          /BINBYTES/.test(last!.name) && (last!.arg as Uint8Array).length < 2;
        if (isText) {
          const text = `${last!.name} ${last!.arg}`;
          const known = texts.get(text);
          if (known !== undefined) {
            now.set(index, known);
            ops[ops.length - 1] = { name: "GET", arg: known };
            continue;
          }
          texts.set(text, count);
        }
        now.set(index, count);
        ops.push({ name: "PUT", arg: count++ });
        continue;
      }
      case "GET":
      case "BINGET":
      case "LONG_BINGET":
        ops.push({ name: "GET", arg: now.get(Number(arg)) });
        continue;
    }
    ops.push({ name: opcode.name, arg });
  }
  return ops;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("dumps writes byte for byte what CPython 3.13's C pickler writes", async () => {
  const wrong: string[] = [];
  let count = 0;
  let equal = 0;
  for (const fixture of await fixtures("values")) {
    if (!plain(fixture) || fixture.options.extensions) continue;
    if (OTHER_BYTES.some(([names]) => names.test(fixture.name))) continue;
    for (const { bytes, writers } of fixture.pickles) {
      for (const writer of writers.split(", ")) {
        const [how = "", ...versions] = writer.split(" ");
        if (!how.endsWith("c") || !versions.includes("3.13")) continue;
        const protocol = parseInt(how);
        count++;
        const where = `${fixture.group}/${fixture.name} ${how}`;
        try {
          const value = loads(bytes, toOptions(fixture.options));
          const again = rewrite(value, protocol);
          if (same(bytes, again)) {
            equal++;
            continue;
          }
          // Python may hold equal strings as two objects: the shorter form.
          if (again.length < bytes.length) {
            assertEquals(merged(again), merged(bytes));
            continue;
          }
          wrong.push(`${where}:\n  ${shown(bytes)}\n  ${shown(again)}`);
        } catch (error) {
          wrong.push(
            `${where}: ${String(error).slice(0, 300)}\n  ${shown(bytes)}`,
          );
        }
      }
    }
  }
  assert(count > 3000, `only ${count}`);
  fail(wrong, count);
  assert(equal > count * 0.95, `only ${equal} of ${count} are equal`);
});

Deno.test("equal strings are one object, which makes the pickle shorter", () => {
  const twice = loads(
    Uint8Array.from("](\x8c\x01a\x94\x8c\x01a\x94e.", (c) => c.charCodeAt(0)),
  );
  assertEquals(
    shown(dumps(twice, { protocol: 2 })),
    "\\x20ac\\x02]q\\x00(X\\x01\\x00\\x00\\x00aq\\x01h\\x01e.",
  );
});

/** The pickles of a fixture that a version of Python wrote. */
function writtenBy(fixture: Fixture, version: string): Pickle[] {
  return fixture.pickles.filter(({ writers }) =>
    writers.split(", ").some((writer) =>
      writer.split(" ").slice(1).includes(version)
    )
  );
}

function highest(version: string): number {
  return version === "2.7" ? 2 : Number(version.split(".")[1]) < 8 ? 4 : 5;
}

async function throughPython(
  python: Python,
  random: Random,
  protocols: readonly number[],
): Promise<void> {
  const wrong: string[] = [];
  let count = 0;
  const many: {
    where: string;
    before: Uint8Array;
    after: Uint8Array;
    fixture: Fixture;
    protocol: number;
  }[] = [];
  for (const fixture of await fixtures("values")) {
    const written = writtenBy(fixture, python.version);
    if (!plain(fixture) || written.length === 0) continue;
    for (const protocol of protocols) {
      const { bytes, writers } = random.pick(written);
      if (isLossy(fixture, protocol)) continue;
      // Python 2's own StringIO is read as Python 3's; its UnicodeErrors want
      // a str, which is unicode when it comes back; Python 3's int is its long.
      if (/^(stringio_py2|exception_unicode_|sub_int)/.test(fixture.name)) {
        if (python.version === "2.7") continue;
      }
      const where =
        `${fixture.group}/${fixture.name} (${writers}) to ${protocol}`;
      count++;
      try {
        const value = loads(bytes, toOptions(fixture.options));
        const after = rewrite(value, protocol);
        many.push({ where, before: bytes, after, fixture, protocol });
      } catch (error) {
        wrong.push(`${where}: ${error}`);
      }
    }
  }
  for (let at = 0; at < many.length; at += 50) {
    const some = many.slice(at, at + 50);
    const answers = await python.describeMany(
      some.flatMap(({ before, after, fixture: { options } }) => [
        { bytes: before, options },
        { bytes: after, options },
      ]),
    );
    some.forEach(({ where, before, after, protocol }, i) => {
      const expected = answers[2 * i]!;
      const actual = answers[2 * i + 1]!;
      if ("error" in expected) return;
      if ("error" in actual) {
        wrong.push(
          `${where}: ${actual.error} ${actual.message} ${shown(after)}`,
        );
        return;
      }
      const found = difference(expected.ok, actual.ok, {
        protocol: Math.min(protocol, protocolOf(before)),
      });
      if (found !== undefined) {
        wrong.push(`${where}: ${found} ${shown(after)}`);
      }
    });
  }
  assert(count > 500, `only ${count}`);
  fail(wrong, count);
}

for (const version of ["2.7", "3.6", "3.8", "3.11", "3.13"]) {
  Deno.test({
    name: `Python ${version} reads what Brine made of its values as equal`,
    ignore: !hasPython,
    fn: () =>
      seeded(async (random) => {
        await withPython(version, async (python) => {
          const top = highest(version);
          await throughPython(python, random, [
            Math.min(2, top),
            Math.min(4, top),
            random.below(top + 1),
          ]);
        });
      }),
  });
}

Deno.test({
  name: "Python 3.13 reads what Brine made of every Python's values",
  ignore: !hasPython,
  fn: () =>
    seeded(async (random) => {
      await withPython("3.13", async (python) => {
        const wrong: string[] = [];
        let count = 0;
        const many: {
          where: string;
          fixture: Fixture;
          bytes: Uint8Array;
          after: Uint8Array;
        }[] = [];
        for (const fixture of await fixtures("values")) {
          if (!plain(fixture) || fixture.desc === null) continue;
          const { bytes, writers } = random.pick(fixture.pickles);
          const protocol = 2 + random.below(4);
          if (isLossy(fixture, protocol)) continue;
          // Of no class in Python 3, of another class, and of other fields.
          if (/^(array_char|stringio_py2|stat_result)$/.test(fixture.name)) {
            continue;
          }
          const where =
            `${fixture.group}/${fixture.name} (${writers}) to ${protocol}`;
          count++;
          try {
            const value = loads(bytes, toOptions(fixture.options));
            many.push({
              where,
              fixture,
              bytes,
              after: rewrite(value, protocol),
            });
          } catch (error) {
            wrong.push(`${where}: ${error}`);
          }
        }
        for (let at = 0; at < many.length; at += 50) {
          const some = many.slice(at, at + 50);
          const answers = await python.describeMany(
            some.flatMap(({ bytes, after, fixture: { options } }) => [
              { bytes: after, options },
              { bytes, options },
            ]),
          );
          some.forEach(({ where, fixture, bytes, after }, i) => {
            const answer = answers[2 * i]!;
            // As 3.13 itself reads it; it may not, where Python 2 wrote it.
            const own = answers[2 * i + 1]!;
            const expected = "error" in own ? fixture.desc! : own.ok;
            if ("error" in answer) {
              if ("error" in own && own.error === answer.error) return;
              wrong.push(
                `${where}: ${answer.error} ${answer.message} ${shown(after)}`,
              );
              return;
            }
            const found = difference(expected, answer.ok, {
              protocol: protocolOf(bytes),
            });
            if (found !== undefined) {
              wrong.push(`${where}: ${found} ${shown(after)}`);
            }
          });
        }
        assert(count > 800);
        fail(wrong, count);
      });
    }),
});

/** Any value that JavaScript can say and Python has. */
class Maker {
  #random: Random;
  #made: unknown[] = [];
  #left = 60;

  constructor(random: Random) {
    this.#random = random;
  }

  #text(): string {
    const random = this.#random;
    const alphabets = [
      "abc",
      "a\xe9\xff",
      "日本語",
      "😀\u{10ffff}",
      "\ud800\udfff",
      "\0\n\r\x1a\\'\"",
      "__proto__",
    ];
    let text = "";
    const length = random.pick([0, 1, 2, 3, 10, 255, 256, 300]);
    for (let i = 0; i < length; i++) {
      text += random.pick([...random.pick(alphabets)]);
    }
    return text;
  }

  #bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(
      { length: this.#random.pick([0, 1, 5, 255, 256]) },
      () => this.#random.below(256),
    );
  }

  #number(): unknown {
    const random = this.#random;
    const bits = random.pick([1, 7, 8, 15, 16, 31, 32, 53, 63, 64, 100, 2100]);
    const n = (1n << BigInt(bits)) + BigInt(random.below(5) - 2);
    const whole = random.below(2) ? n : -n;
    const near = Number(whole);
    return random.pick<unknown>([
      Number.isSafeInteger(near) ? near : whole,
      random.below(300),
      random.next(),
      new Float(random.below(10)),
      new Float(-0),
      -0,
      NaN,
      Infinity,
      -Infinity,
      5e-324,
      1e300,
    ]);
  }

  #atom(): unknown {
    return this.#random.pick<() => unknown>([
      () => null,
      () => true,
      () => false,
      () => this.#number(),
      () => this.#number(),
      () => this.#text(),
      () => this.#text(),
      () => this.#bytes(),
      () => new Complex(1.5, -0),
      () => Ellipsis,
      () => new Global("samplemod", "Plain"),
      () => new Global("builtins", "int"),
      () => new Tuple(),
    ])();
  }

  /** A value that Python can hash. */
  key(depth = 3): unknown {
    const random = this.#random;
    if (depth > 0 && random.below(4) === 0) {
      const items = Array.from(
        { length: random.below(4) },
        () => this.key(depth - 1),
      );
      // Not empty: there is one empty frozenset in older Pythons.
      return random.below(2) ? Tuple.from(items) : new FrozenSet([0, ...items]);
    }
    const atom = this.#atom();
    return atom !== atom ? 0 : atom;
  }

  value(depth = 6): unknown {
    const random = this.#random;
    if (depth === 0 || this.#left-- < 0 || random.below(3) === 0) {
      return this.#atom();
    }
    if (this.#made.length > 0 && random.below(6) === 0) {
      return random.pick(this.#made);
    }
    const some = () =>
      Array.from({ length: random.below(6) }, () => this.value(depth - 1));
    const container = random.pick<() => unknown>([
      () => {
        const list: unknown[] = [];
        this.#made.push(list);
        list.push(...some());
        return list;
      },
      () => {
        const dict = new PyDict();
        this.#made.push(dict);
        for (const item of some()) dict.set(this.key(), item);
        return dict;
      },
      () => {
        const dict = new PyDict();
        this.#made.push(dict);
        for (const item of some()) dict.set(this.#text(), item);
        return dict;
      },
      () => Tuple.from(some()),
      () =>
        new PySet(Array.from({ length: random.below(5) }, () => this.key())),
      () =>
        new FrozenSet(
          Array.from({ length: 1 + random.below(5) }, () => this.key()),
        ),
      () => new ByteArray(this.#bytes()),
      () => new Range(random.below(9), random.below(99), 1 + random.below(3)),
      () => new Slice(null, random.below(9), null),
      () => {
        const object = new PyObject(new Global("samplemod", "Plain"));
        this.#made.push(object);
        // Not without one, as ListSub below is not empty.
        const state = new PyDict<string, unknown>([["a", null]]);
        for (const item of some()) state.set(`a${random.below(9)}`, item);
        object.state = state;
        return object;
      },
      () => {
        const object = new PyObject(new Global("samplemod", "ListSub"));
        // Not empty: protocols 0 and 1 would need to know that it is a list.
        object.items = [null, ...some()];
        return object;
      },
      () =>
        new PyObject(new Global("samplemod", "ReducedClass"), some(), {
          via: "reduce",
        }),
    ])();
    this.#made.push(container);
    return container;
  }
}

Deno.test({
  name: "any JavaScript value comes back from any Python as it was",
  ignore: !hasPython,
  fn: () =>
    seeded(async (random) => {
      for (const version of await pythonVersions()) {
        await withPython(version, async (python) => {
          // Python 2 has no bytes beside its text, and other names.
          if (version === "2.7") return;
          for (let i = 0; i < 150; i++) {
            const value = new Maker(random).value();
            const expected = describe(value);
            const protocol = random.below(highest(version) + 1);
            const bytes = dumps(value, { protocol });
            const where = `Python ${version}, protocol ${protocol}, value ${i}`;
            const wrong = difference(expected, await python.describe(bytes), {
              protocol,
            });
            assertEquals(wrong, undefined, `${where}: ${shown(bytes)}`);
            const back = await python.dumps(bytes, {
              protocol: random.below(highest(version) + 1),
              // Older ones in Python forget that a bytearray was written.
              pure: Number(version.split(".")[1]) >= 10 &&
                random.below(2) === 0,
            });
            assertEquals(
              difference(expected, describe(loads(back, EXACT)), {
                protocol: protocolOf(back),
              }),
              undefined,
              `${where}, back: ${shown(back)}`,
            );
            // Nothing of the default options makes it unreadable.
            dumps(loads(back));
          }
        });
      }
    }),
});

Deno.test({
  name: "dumps writes what CPython 3.13 writes for any JavaScript value",
  ignore: !hasPython,
  fn: () =>
    seeded(async (random) => {
      await withPython("3.13", async (python) => {
        let equal = 0;
        for (let i = 0; i < 200; i++) {
          const value = new Maker(random).value();
          const protocol = random.below(6);
          const bytes = dumps(value, { protocol });
          const theirs = await python.dumps(bytes, { protocol });
          // Sets come in another order.
          const sets = /"(frozen)?set"/.test(JSON.stringify(describe(value)));
          if (sets) continue;
          equal++;
          assertEquals(
            shown(bytes),
            shown(theirs),
            `protocol ${protocol}, value ${i}`,
          );
          assertEquals(bytes.length, theirs.length);
        }
        assert(equal > 50);
      });
    }),
});
