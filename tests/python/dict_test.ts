import { assert, assertEquals, assertThrows } from "@std/assert";
import { ByteArray } from "../../lib/python/byte_array.ts";
import { Complex } from "../../lib/python/complex.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { UnhashableError } from "../../lib/python/keys.ts";
import { Global } from "../../lib/python/object.ts";
import { Range } from "../../lib/python/range.ts";
import { FrozenSet } from "../../lib/python/set.ts";
import { Tuple } from "../../lib/python/tuple.ts";

/** Each line: keys that are one key in Python. */
const EQUAL: unknown[][] = [
  [1, 1n, true, new Float(1), new Complex(1, 0)],
  [0, 0n, false, -0, new Float(-0)],
  [2 ** 53, 2n ** 53n, new Float(2 ** 53)],
  [1e300, BigInt(1e300)],
  [-(2 ** 31), -(2n ** 31n)],
  ["a", "a"],
  ["\0a", "\0a"],
  [null],
  [Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
  [Tuple.of(), new Tuple()],
  [Tuple.of(1, "a"), Tuple.of(true, "a"), Tuple.of(1n, "a")],
  [Tuple.of(Tuple.of(1), 2), Tuple.of(Tuple.of(1), 2)],
  [new FrozenSet([1, 2, 3]), new FrozenSet([3, 2, true])],
  [new FrozenSet([Tuple.of(1)]), new FrozenSet([Tuple.of(1)])],
  [new Global("a", "b"), new Global("a", "b")],
  [new Range(0, 10), new Range(0, 10, 1)],
  [new Range(0, 3, 2), new Range(0, 4, 2)],
  [new Range(5, 5), new Range(1, 0)],
  [new Complex(1, 2), new Complex(1, 2)],
];

/** Keys that are all apart. */
const APART: unknown[] = [
  1,
  "1",
  Tuple.of(1),
  new FrozenSet([1]),
  1.5,
  "1.5",
  2n ** 70n,
  -(2n ** 70n),
  2 ** 53,
  2n ** 53n + 1n,
  null,
  "None",
  "",
  Uint8Array.of(49),
  Tuple.of("1"),
  Tuple.of(1, 1),
  Tuple.of(Tuple.of(1)),
  Infinity,
  -Infinity,
  "\0N",
  "\0i1",
  "\0s",
  new Global("a", "b.c"),
  new Global("a.b", "c"),
];

Deno.test("PyDict: keys that Python calls equal are one key", () => {
  for (const keys of EQUAL) {
    for (const first of keys) {
      for (const second of keys) {
        const dict = new PyDict<unknown, string>([[first, "a"], [second, "b"]]);
        assertEquals(dict.size, 1);
        assertEquals(dict.get(first), "b");
        assert(
          [...dict.keys()][0] === first ||
            Object.is([...dict.keys()][0], first),
        );
        assert(dict.has(second));
        assert(dict.delete(first));
        assertEquals(dict.size, 0);
      }
    }
  }
});

Deno.test("PyDict: keys that Python calls different are apart", () => {
  const dict = new PyDict(APART.map((key, i) => [key, i]));
  assertEquals(dict.size, APART.length);
  APART.forEach((key, i) => assertEquals(dict.get(key), i));
});

Deno.test("PyDict: every NaN of a pickle is a key of its own", () => {
  const dict = PyDict.fromFlat([NaN, 1, NaN, 2, 3, 4]);
  assertEquals(dict.size, 3);
  assertEquals([...dict.values()], [1, 2, 4]);
});

Deno.test("PyDict: what Python cannot hash is refused", () => {
  const keys: [unknown, string][] = [
    [[], "list"],
    [{}, "dict"],
    [Object.create(null), "dict"],
    [new Map(), "dict"],
    [new PyDict(), "dict"],
    [new Set(), "set"],
    [new ByteArray(1), "bytearray"],
    [Tuple.of(1, Tuple.of([])), "list"],
    [new FrozenSet([Tuple.of(1)]).add.bind(null), ""],
  ];
  for (const [key, type] of keys) {
    if (type === "") continue;
    const error = assertThrows(
      () => new PyDict([[key, 1]]),
      UnhashableError,
    );
    assertEquals(error.type, type);
    assertThrows(() => PyDict.fromFlat([key, 1]), UnhashableError);
  }
});

Deno.test("PyDict is a Map in all respects", () => {
  const dict = new PyDict<unknown, number>([["b", 1], [2, 2]]);
  const map = new Map<unknown, number>([["b", 1], [2, 2]]);
  assert(dict instanceof Map);
  assertEquals([...dict], [...map]);
  assertEquals([...dict.entries()], [...map.entries()]);
  assertEquals([...dict.keys()], ["b", 2]);
  assertEquals([...dict.values()], [1, 2]);
  const seen: unknown[] = [];
  dict.forEach((value, key, whole) => seen.push(value, key, whole === dict));
  assertEquals(seen, [1, "b", true, 2, 2, true]);
  assertEquals(new Map(dict), map);
  assertEquals(JSON.stringify(dict), '{"2":2,"b":1}');
  dict.clear();
  assertEquals(dict.size, 0);
});

Deno.test("PyDict keeps order, and the first of equal keys", () => {
  const dict = new PyDict<unknown, number>([[1, 1], ["x", 2], [true, 3]]);
  assertEquals([...dict], [[1, 3], ["x", 2]]);
  dict.delete(1);
  dict.set(1, 4);
  assertEquals([...dict], [["x", 2], [1, 4]]);
});

Deno.test("PyDict survives many deletions", () => {
  const dict = new PyDict<number, number>();
  for (let i = 0; i < 1000; i++) dict.set(i, i);
  for (let i = 0; i < 990; i++) assert(dict.delete(i));
  assertEquals(dict.delete(5), false);
  assertEquals([...dict.keys()], [
    990,
    991,
    992,
    993,
    994,
    995,
    996,
    997,
    998,
    999,
  ]);
  assertEquals(dict.get(995), 995);
  assertEquals(dict.flat().length, 20);
});

Deno.test("PyDict: pairs shared 60 times over are a key of 60 steps", () => {
  let pair: unknown = Tuple.of();
  for (let i = 0; i < 60; i++) pair = Tuple.of(pair, pair);
  const dict = new PyDict([[pair, "deep"]]);
  assertEquals(dict.get(pair), "deep");
});

Deno.test("PyDict shows itself as a Map, cycles too", () => {
  const dict = new PyDict<unknown, unknown>([[1, 2]]);
  assertEquals(Deno.inspect(dict), "PyDict(1) { 1 => 2 }");
  dict.set(2, dict);
  assertEquals(Deno.inspect(dict), "PyDict(2) { 1 => 2, 2 => [Circular] }");
});
