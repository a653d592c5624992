import { assert, assertEquals, assertThrows } from "@std/assert";
import { loads } from "../../lib/json/decoder.ts";
import { isExact, isHarmless } from "../../lib/json/native.ts";
import { DEFAULT_LIMITS, LimitError } from "../../lib/python/limits.ts";

function exact(text: string): boolean {
  return isExact(JSON.parse(text), text, DEFAULT_LIMITS);
}

Deno.test("isExact sees what JSON.parse reads otherwise than Python", () => {
  const same = [
    "1",
    '"-0 12345678901234567890"',
    "[1, -1.5, 9007199254740991, 0, 0.0]",
    '{"12345678901234567890": ["-0"]}',
    "[1e15, 0.12345678901234567, 1e-400]",
  ];
  const other = [
    "-0",
    "[-0.0]",
    '{"a": {"b": [9007199254740993]}}',
    "12345678901234567890",
    "-9007199254740992",
    "[[1e300]]",
    "[1e400]",
  ];
  for (const text of same) assert(exact(text), text);
  for (const text of other) assert(!exact(text), text);
});

Deno.test("isExact sees ints that are too long where equal keys hide them", () => {
  for (const before of [0, 1, 17, 4000, 4299, 4300, 4301]) {
    const text = (digits: number): string =>
      `{"${"x".repeat(before)}": 1, "a": ${"1".repeat(digits)}, "a": 1}`;
    assert(!exact(text(4301)));
    assertThrows(() => loads(text(4301)), LimitError);
    assertEquals((loads(text(4300)) as { a: number }).a, 1);
  }
});

Deno.test("a wall of brackets does not reach JSON.parse", () => {
  for (const piece of ["[", "[1,", '{"a":', '{"]": [', '[ "\\"" , [ ']) {
    assert(!isHarmless(piece.repeat(3_000_000), 10_000), piece);
  }
  assert(!isHarmless(`[1, ${"[".repeat(5_000_000)}`, 10_000));
  // Many brackets, but side by side, or in strings.
  const wide = `[${"[1,{}],".repeat(1_500_000)}0]`;
  assert(isHarmless(wide, 10_000));
  assert(isHarmless(`["${"[".repeat(5_000_000)}"]`, 10_000));
  const error = assertThrows(() => loads("[".repeat(5_000_000)), LimitError);
  assertEquals(error.limit, "jsonDepth");
});
