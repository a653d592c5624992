import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { ByteArray } from "../../lib/python/byte_array.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { Global, PyObject } from "../../lib/python/object.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { describe } from "../support/describe.ts";
import { machine, toOptions, whole } from "../support/doors.ts";
import {
  type Fixture,
  type FixtureFile,
  fixtures,
  type Pickle,
} from "../support/fixtures.ts";
import { difference, protocolOf } from "../support/matches.ts";

/** Fixtures that cannot mean the same here, and why. */
const APART = new Map<string, string>([
  ["key_nan_same_object", "a NaN has no identity in JavaScript"],
  ["stringio_py2", "Python 2's own class is read as Python 3's"],
  ["empty_bytestring_1", "koi8-r is no encoding that Brine has"],
  ["array_char", "Python 3 has no array of characters; it is one of bytes"],
  ["stringio_py2", "it becomes the StringIO of Python 3"],
]);

/** CPython's tests of classes whose own code changes the value on loading. */
const OWN_CODE =
  /^(dynamic_class|evil_class_mutating_dict|complex_newobj|complex_newobj_ex|reduce_ex_calls_base|recursive_nested_names|unpickle_from_2x_[36]$|in_band_buffers|newobj_not_class|pickle_setstate_None|bad_newobj_2$|bad_newobj_ex_2$|load_global_5$|load_stack_global_5$)/;
/** They need CPython's registry of extensions; a code without a name is inert. */
const EXTENSIONS = /^(global_ext|bad_ext_code)/;

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function wrongOf(
  fixture: Fixture,
  { bytes, writers }: Pickle,
): string | undefined {
  const { group, name, desc, options } = fixture;
  const where = `${group}/${name} (${writers})`;
  const many = options.several || options.keepMemo;
  let found: unknown;
  try {
    const values = (many ? machine(Infinity) : whole)(
      bytes,
      toOptions(options),
    ) as unknown[];
    found = many ? values : values[0];
  } catch (error) {
    if (desc?.t === "error" && error instanceof UnpicklingError) return;
    return `${where}: ${error}`;
  }
  if (desc === null) return undefined;
  if (desc.t === "error") {
    return `${where}: Python says ${desc.type}: ${desc.message}`;
  }
  const wrong = difference(desc, describe(found), {
    protocol: protocolOf(bytes),
  });
  return wrong && `${where}: ${wrong}`;
}

async function check(
  file: FixtureFile,
  apart: (fixture: Fixture) => boolean = () => false,
): Promise<number> {
  const wrong: string[] = [];
  let count = 0;
  for (const fixture of await fixtures(file)) {
    if (APART.has(fixture.name) || apart(fixture)) continue;
    for (const pickle of fixture.pickles) {
      count++;
      const found = wrongOf(fixture, pickle);
      if (found !== undefined) wrong.push(found);
    }
  }
  assert(
    wrong.length === 0,
    `${wrong.length} of ${count} are wrong:\n${
      wrong.slice(0, 20).join("\n").slice(0, 8000)
    }`,
  );
  return count;
}

Deno.test("loads gives the described value of every pickle of every Python", async () => {
  const count = await check("values");
  assert(count > 6000, `only ${count} pickles`);
});

Deno.test("loads gives what CPython gives for hand-written pickles", async () => {
  const count = await check("handwritten");
  assert(count > 150, `only ${count} pickles`);
});

Deno.test("loads gives what CPython gives for its own tests' pickles, and refuses what it refuses", async () => {
  const count = await check(
    "cpython",
    ({ name }) => OWN_CODE.test(name) || EXTENSIONS.test(name),
  );
  assert(count > 1200, `only ${count} pickles`);
});

Deno.test("the fixtures use every opcode", async () => {
  const { genops } = await import("../../lib/pickle/genops.ts");
  const { OPCODES } = await import("../../lib/pickle/opcodes.ts");
  const seen = new Set<string>();
  for (const file of ["values", "handwritten"] as const) {
    for (const { pickles } of await fixtures(file)) {
      for (const { bytes } of pickles) {
        if (bytes.length > 3000) continue;
        try {
          for (const { opcode } of genops(bytes)) seen.add(opcode.name);
        } catch (error) {
          // As pickletools, it is stricter than the unpickler.
          assertInstanceOf(error, UnpicklingError);
        }
      }
    }
  }
  assertEquals(
    OPCODES.map(({ name }) => name as string).filter((name) => !seen.has(name)),
    [],
  );
});

Deno.test("loads gives plain values with the default options", () => {
  assertEquals(loads(ascii("N.")), null);
  assertEquals(loads(ascii("\x88.")), true);
  assertEquals(loads(ascii("G?\xf0\0\0\0\0\0\0.")), 1);
  assertEquals(loads(ascii("}\x8c\x01aK\x01s.")), { a: 1 });
  assertEquals(loads(ascii("](K\x01K\x02e.")), [1, 2]);
  const tuple = loads(ascii("K\x01K\x02\x86."));
  assertInstanceOf(tuple, Tuple);
  assertEquals([...tuple], [1, 2]);
  assertInstanceOf(loads(ascii("\x8f(K\x01\x90.")), PySet);
  assertInstanceOf(loads(ascii("(K\x01\x91.")), FrozenSet);
  const bytes = loads(ascii("C\x01a."));
  assertInstanceOf(bytes, Uint8Array);
  assert(!(bytes instanceof ByteArray));
  assertInstanceOf(loads(ascii("\x96\x01\0\0\0\0\0\0\0a.")), ByteArray);
  assertEquals(loads(ascii("cos\nsystem\n.")), new Global("os", "system"));
});

Deno.test("loads gives a Map-like dict where a key is no string", () => {
  const dict = loads(ascii("}(K\x01\x8c\x01a\x8c\x011\x8c\x01bu."));
  assertInstanceOf(dict, PyDict);
  assertEquals([...dict], [[1, "a"], ["1", "b"]]);
});

Deno.test("an int is a number while it is safe, and a bigint beyond", () => {
  for (
    const [n, value] of [
      [2n ** 53n - 1n, 2 ** 53 - 1],
      [2n ** 53n, 2n ** 53n],
      [-(2n ** 53n) + 1n, -(2 ** 53) + 1],
      [-(2n ** 53n), -(2n ** 53n)],
      [2n ** 64n, 2n ** 64n],
      [0n, 0],
    ] as [bigint, number | bigint][]
  ) {
    assertEquals(loads(ascii(`L${n}L\n.`)), value);
    assertEquals(loads(ascii(`I${n}\n.`)), value);
  }
});

Deno.test('floats: "exact" keeps 1.0 apart from 1', () => {
  const one = loads(ascii("G?\xf0\0\0\0\0\0\0."), { floats: "exact" });
  assertInstanceOf(one, Float);
  assertEquals(one.value, 1);
  assertEquals(loads(ascii("F1.5\n."), { floats: "exact" }), 1.5);
  const zero = loads(ascii("F-0.0\n."), { floats: "exact" });
  // -0 is a float by itself.
  assert(Object.is(zero, -0) || zero instanceof Float);
});

Deno.test("encoding decides what a Python 2 str is", () => {
  const text = ascii("U\x02\xc3\xa9.");
  const binary = ascii("U\x02\xe9\xff.");
  assertEquals(loads(text), "\xe9");
  assertEquals(loads(binary), ascii("\xe9\xff"));
  assertEquals(loads(text, { encoding: "utf-8" }), "\xe9");
  assertEquals(loads(text, { encoding: "latin1" }), "\xc3\xa9");
  assertEquals(loads(text, { encoding: "bytes" }), ascii("\xc3\xa9"));
  for (const encoding of ["ascii", "utf-8"] as const) {
    assertThrowsCode(
      () => loads(binary, { encoding }),
      "bad-string",
      "bad-utf8",
    );
  }
  assertEquals(
    loads(binary, { encoding: "utf-8", errors: "replace" }),
    "\ufffd\ufffd",
  );
  assertEquals(loads(binary, { encoding: "ascii", errors: "ignore" }), "");
  assertEquals(
    loads(binary, { encoding: "ascii", errors: "backslashreplace" }),
    "\\xe9\\xff",
  );
  assertEquals(
    loads(binary, { encoding: "ascii", errors: "surrogateescape" }),
    "\udce9\udcff",
  );
});

function assertThrowsCode(run: () => unknown, ...codes: string[]): void {
  try {
    run();
  } catch (error) {
    assertInstanceOf(error, UnpicklingError);
    assert(codes.includes(error.code), `code ${error.code}`);
    return;
  }
  throw new Error("nothing was thrown");
}

Deno.test("fixImports maps the names of Python 2", () => {
  const bytes = ascii("c__builtin__\nxrange\n.");
  assertEquals(loads(bytes), new Global("builtins", "range"));
  assertEquals(
    loads(bytes, { fixImports: false }),
    new Global("__builtin__", "xrange"),
  );
  // Only below protocol 3.
  assertEquals(
    loads(ascii("\x80\x03c__builtin__\nxrange\n.")),
    new Global("__builtin__", "xrange"),
  );
});

Deno.test("globals is the only way to code, and is asked by the whole name", () => {
  class Point {
    constructor(public x: unknown, public y: unknown) {}
  }
  const bytes = ascii("cshapes\nPoint\nK\x01K\x02\x86R.");
  const inert = loads(bytes);
  assertInstanceOf(inert, PyObject);
  const point = loads(bytes, { globals: { "shapes.Point": Point } });
  assertInstanceOf(point, Point);
  assertEquals([point.x, point.y], [1, 2]);
  for (const name of ["Point", "shapes", "constructor", "__proto__"]) {
    assertInstanceOf(
      loads(bytes, { globals: { [name]: Point } }),
      PyObject,
    );
  }
  for (const name of ["toString", "constructor", "__proto__", "valueOf"]) {
    const found = loads(ascii(`c${name}\n${name}\n)R.`), { globals: {} });
    assertInstanceOf(found, PyObject);
    assertInstanceOf(loads(ascii(`cObject\n${name}\n)R.`)), PyObject);
  }
});

Deno.test("a name of globalThis is never looked up", () => {
  const trap = () => {
    throw new Error("it was looked up");
  };
  const name = "brineTrap";
  Object.defineProperty(globalThis, name, { get: trap, configurable: true });
  try {
    for (const module of ["globalThis", "builtins", "window", "", name]) {
      if (module === "") continue;
      const value = loads(ascii(`c${module}\n${name}\n)R.`));
      assertInstanceOf(value, PyObject);
    }
  } finally {
    delete (globalThis as Record<string, unknown>)[name];
  }
});

/** Deno has no `__proto__` that sets a prototype; Node and browsers have. */
function withProto(body: () => void): void {
  const old = Object.getOwnPropertyDescriptor(Object.prototype, "__proto__");
  Object.defineProperty(Object.prototype, "__proto__", {
    get(): unknown {
      return Object.getPrototypeOf(this);
    },
    set(prototype): void {
      if (typeof prototype === "object") Object.setPrototypeOf(this, prototype);
    },
    configurable: true,
  });
  try {
    body();
  } finally {
    if (old === undefined) {
      Reflect.deleteProperty(Object.prototype, "__proto__");
    } else Object.defineProperty(Object.prototype, "__proto__", old);
  }
}

function ordinaryKeys(): void {
  const names = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "__defineGetter__",
    "__lookupSetter__",
    "valueOf",
  ];
  const before = Reflect.ownKeys(Object.prototype).length;
  const pair = (name: string) =>
    `\x8c${String.fromCharCode(name.length)}${name}}\x8c\x08pollutedK\x01s`;
  const forms = [
    `}(${names.map(pair).join("")}u.`,
    `}${names.map((name) => `${pair(name)}s`).join("")}.`,
    `(${names.map(pair).join("")}d.`,
    // In two batches, and with a key that is no string at last.
    `}(${names.slice(0, 1).map(pair).join("")}u(${
      names.slice(1).map(pair).join("")
    }u.`,
  ];
  for (const form of forms) {
    const value = loads(ascii(form)) as Record<string, unknown>;
    assertEquals(Object.keys(value), names);
    assertEquals(Object.getPrototypeOf(value), Object.prototype);
    for (const name of names) {
      assertEquals(Object.getOwnPropertyDescriptor(value, name)?.value, {
        polluted: 1,
      });
    }
    const map = loads(ascii(form), { dicts: "map" }) as PyDict<string>;
    assertEquals([...map.keys()], names);
    const mixed = loads(ascii(`${form.slice(0, -1)}K\x01K\x02s.`)) as PyDict;
    assertEquals([...mixed.keys()], [...names, 1]);
  }
  assertEquals(Reflect.ownKeys(Object.prototype).length, before);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
}

Deno.test("keys with the names of JavaScript's own properties are ordinary", () => {
  ordinaryKeys();
  withProto(ordinaryKeys);
});

Deno.test("state never touches the prototype of a caller's object", () => {
  class Target {
    inherited(): void {}
  }
  const globals = { "m.Target": Target };
  for (const key of ["__proto__", "constructor", "inherited", "toString"]) {
    const length = String.fromCharCode(key.length);
    const bytes = ascii(
      `cm\nTarget\n)\x81}\x8c${length}${key}}\x8c\x08pollutedK\x01ssb.`,
    );
    try {
      const target = loads(bytes, { globals }) as object;
      assertEquals(Object.getPrototypeOf(target), Target.prototype);
      assert(Object.hasOwn(target, key));
    } catch (error) {
      assertInstanceOf(error, UnpicklingError);
      assertEquals(error.code, "bad-state");
    }
    assertEquals((new Target() as { polluted?: unknown }).polluted, undefined);
    assertEquals(({} as { polluted?: unknown }).polluted, undefined);
  }
  const good = loads(ascii("cm\nTarget\n)\x81}\x8c\x01aK\x03sb."), { globals });
  assertInstanceOf(good, Target);
  assertEquals({ ...good }, { a: 3 });
});

Deno.test("shared values and cycles are kept", () => {
  const shared = loads(ascii("(]q\x00h\x00h\x00t.")) as Tuple;
  assert(shared[0] === shared[1] && shared[1] === shared[2]);
  const cycle = loads(ascii("]q\x00h\x00a.")) as unknown[];
  assert(cycle[0] === cycle);
  const dict = loads(ascii("}q\x00\x8c\x01sh\x00s.")) as { s: unknown };
  assert(dict.s === dict);
  // A dict that others hold already, and that then gets a key of another kind.
  const late = loads(ascii("}q\x00h\x00\x86h\x00K\x01K\x02s0.")) as Tuple;
  assert(late[0] === late[1]);
  assertInstanceOf(late[0], PyDict);
});

Deno.test("buffers are taken in order, and missing ones are named", () => {
  const one = Uint8Array.of(1);
  const two = Uint8Array.of(2);
  const bytes = ascii("\x97\x97\x98\x86.");
  const value = loads(bytes, { buffers: [one, two] }) as Tuple;
  assertEquals([...value], [one, two]);
  assertThrowsCode(() => loads(bytes, { buffers: [one] }), "no-buffers");
  assertThrowsCode(() => loads(bytes), "no-buffers");
});

Deno.test("persistent ids need persistentLoad, which is given the id", () => {
  const ids: unknown[] = [];
  const options = {
    persistentLoad: (id: unknown) => {
      ids.push(id);
      return ids.length;
    },
  };
  assertEquals(loads(ascii("(Pone two\nK\x05Ql."), options), [1, 2]);
  assertEquals(ids, ["one two", 5]);
  assertThrowsCode(() => loads(ascii("Pone\n.")), "no-persistent-load");
  assertThrowsCode(() => loads(ascii("K\x01Q.")), "no-persistent-load");
});

Deno.test("extension codes have the names that the caller gives", () => {
  const bytes = ascii("\x82\x01.");
  assertEquals(
    loads(bytes, { extensions: { 1: "shapes.Point" } }),
    new Global("shapes", "Point"),
  );
  assertEquals(
    String(loads(bytes, { extensions: new Map([[1, "shapes.Point.x"]]) })),
    "shapes.Point.x",
  );
});

Deno.test("bytes are copies, and survive what the caller does to the input", () => {
  const input = ascii("C\x03abc.");
  const value = loads(input) as Uint8Array;
  input.fill(0);
  assertEquals(value, ascii("abc"));
  const big = new Uint8Array(100_006);
  big.set([0x42, ...new Uint8Array(Uint32Array.of(100_000).buffer)]);
  big[100_005] = 0x2e;
  const unpickler = new Unpickler();
  unpickler.push(big.slice(0, 50_000));
  assertEquals(unpickler.pull(), MORE);
  const rest = big.slice(50_000);
  unpickler.push(rest);
  const large = unpickler.pull() as Uint8Array;
  rest.fill(9);
  assertEquals(large.length, 100_000);
  assert(large.every((byte) => byte === 0));
});

Deno.test("large bytes look into a whole pickle, unless a copy is asked for", () => {
  const size = 1 << 20;
  const input = new Uint8Array(size + 6);
  input.set([0x42, ...new Uint8Array(Uint32Array.of(size).buffer)]);
  input[size + 5] = 0x2e;
  const view = loads(input) as Uint8Array;
  const copy = loads(input, { copy: true }) as Uint8Array;
  input[5] = 7;
  assertEquals([view.length, view[0]], [size, 7]);
  assertEquals([copy.length, copy[0]], [size, 0]);
  // What is a small part of its pickle does not keep all of it.
  const padded = new Uint8Array(17 * input.length);
  padded.set(input);
  const part = loads(padded) as Uint8Array;
  padded[5] = 9;
  assertEquals([part.length, part[0]], [size, 7]);
  // Memory that others may write to is no place for values. Not every page has
  // it.
  if (typeof SharedArrayBuffer !== "undefined") {
    const shared = new Uint8Array(new SharedArrayBuffer(input.length));
    shared.set(input);
    assertInstanceOf((loads(shared) as Uint8Array).buffer, ArrayBuffer);
  }
  // A bytearray is there to be written to.
  const array = new Uint8Array(size + 10);
  array.set([0x96, ...new Uint8Array(BigUint64Array.of(BigInt(size)).buffer)]);
  array[size + 9] = 0x2e;
  const mutable = loads(array) as Uint8Array;
  array[9] = 7;
  assertEquals([mutable.length, mutable[0]], [size, 0]);
});

Deno.test("batches of texts are read as items one by one are", () => {
  const lists: unknown[][] = [
    Array.from({ length: 12_345 }, (_, i) => `text ${i % 4000}`),
    Array.from({ length: 3000 }, (_, i) => i === 1700 ? i : "ä".repeat(i % 40)),
    Array.from({ length: 1020 }, (_, i) => i < 1010 ? `${i}` : [`${i}`, "0"]),
    Array.from({ length: 40 }, (_, i) => "x".repeat(i * 10)),
    ["a", "b"],
  ];
  const value = { lists, again: [...lists[0]!, ...lists[1]!, lists[0]] };
  for (const protocol of [4, 5]) {
    const bytes = dumps(value, { protocol });
    const whole = loads(bytes) as typeof value;
    assertEquals(whole, value);
    assert(whole.again.at(-1) === whole.lists[0]);
    // One byte at a time there is no batch to be seen.
    const unpickler = new Unpickler();
    let pieces: unknown = MORE;
    for (const byte of bytes) {
      unpickler.push(Uint8Array.of(byte));
      pieces = unpickler.pull();
    }
    assertEquals(pieces, value);
  }
  // A reference to what is no text, or not there.
  const texts = "\x8c\x01a\x94".repeat(20);
  assertEquals(
    loads(ascii(`\x80\x04]\x94(${texts}h\x02e.`)),
    [..."a".repeat(21)],
  );
  const own = loads(ascii(`\x80\x04]\x94(${texts}h\x00e.`)) as unknown[];
  assert(own[20] === own);
  const error = assertThrows(
    () => loads(ascii(`\x80\x04]\x94(${texts}h\x63e.`)),
    UnpicklingError,
  );
  assertEquals(error.code, "memo-missing");
  // What a handler does to the list is nothing to the memo.
  const changed = loads(
    ascii(`\x80\x04cm\nf\n]\x94(${texts}e\x85Rh\x01h\x14\x87.`),
    { globals: { "m.f": (list: string[]) => list.fill("b").length } },
  );
  assertEquals([...changed as unknown[]], [20, "a", "a"]);
  // Many references, after two lists.
  const twice = `\x80\x04(]\x94(${texts}e]\x94(${texts}eh\x03h\x29h\x00t.`;
  const [first, , one, two, again] = loads(ascii(twice)) as unknown[];
  assertEquals([one, two, again === first], ["a", "a", true]);
  const bad = assertThrows(
    () => loads(ascii(`\x80\x04]\x94(${texts}\x8c\x01\xff\x94e.`)),
    UnpicklingError,
  );
  assertEquals([bad.code, bad.offset], ["bad-utf8", 85]);
});

Deno.test("position says where the last pickle ended", () => {
  const unpickler = new Unpickler();
  unpickler.push(ascii("K\x01.K\x02.N"));
  assertEquals(unpickler.pull(), 1);
  assertEquals(unpickler.position, 3);
  assertEquals(unpickler.pull(), 2);
  assertEquals(unpickler.position, 6);
});
