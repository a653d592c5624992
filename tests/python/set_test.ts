import { assert, assertEquals, assertThrows } from "@std/assert";
import { UnhashableError } from "../../lib/python/keys.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { Tuple } from "../../lib/python/tuple.ts";

Deno.test("PySet compares as Python", () => {
  const set = new PySet<unknown>([1, true, 1n, "1", Tuple.of(1), Tuple.of(1)]);
  assertEquals(set.size, 3);
  assert(set.has(true) && set.has("1") && set.has(Tuple.of(1n)));
  assert(!set.has(2));
  assertThrows(() => set.add([]), UnhashableError);
});

Deno.test("PySet is a Set in all respects", () => {
  const set = new PySet<unknown>([1, "a"]);
  assert(set instanceof Set);
  assertEquals([...set], [1, "a"]);
  assertEquals([...set.entries()], [[1, 1], ["a", "a"]]);
  assertEquals([...set.keys()], [...set.values()]);
  assertEquals(JSON.stringify(set), '[1,"a"]');
  assertEquals(set.delete(1), true);
  assertEquals(set.delete(1), false);
  set.clear();
  assertEquals(set.size, 0);
});

Deno.test("PySet has the set operations", () => {
  const set = new PySet<unknown>([1, 2, Tuple.of(3)]);
  const other = new PySet<unknown>([2, Tuple.of(3), 4]);
  assertEquals([...set.union(other)], [1, 2, Tuple.of(3), 4]);
  assertEquals([...set.intersection(other)], [2, Tuple.of(3)]);
  assertEquals([...set.difference(other)], [1]);
  assertEquals([...set.symmetricDifference(other)], [1, 4]);
  assert(new PySet([1]).isSubsetOf(set));
  assert(set.isSupersetOf(new Set([1])));
  assert(set.isDisjointFrom(new Set([9])));
  assert(!set.isDisjointFrom(new Set([1])));
});

Deno.test("FrozenSet does not change", () => {
  const set = new FrozenSet([1]);
  assertThrows(() => set.add(2), TypeError);
  assertThrows(() => set.delete(1), TypeError);
  assertThrows(() => set.clear(), TypeError);
  assertEquals([...set], [1]);
  assertEquals(Deno.inspect(set), "FrozenSet(1) { 1 }");
});

Deno.test("PySet survives many deletions", () => {
  const set = new PySet<number>(Array.from({ length: 500 }, (_, i) => i));
  for (let i = 0; i < 495; i++) set.delete(i);
  assertEquals([...set], [495, 496, 497, 498, 499]);
  assert(set.has(499) && !set.has(3));
});
