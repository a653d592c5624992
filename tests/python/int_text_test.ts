import { assertEquals, assertThrows } from "@std/assert";
import { intText, parseIntText } from "../../lib/python/int_text.ts";
import { LimitError } from "../../lib/python/limits.ts";

Deno.test("parseIntText gives a number where it is safe, else a bigint", () => {
  const cases: [string, number | bigint][] = [
    ["0", 0],
    ["-0", 0],
    ["+7", 7],
    ["-00000000000000000000000000007", -7],
    ["999999999999999", 999999999999999],
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740993", -9007199254740993n],
    ["+123456789012345678901", 123456789012345678901n],
  ];
  for (const [text, value] of cases) {
    const parsed = parseIntText(text);
    assertEquals(parsed, value);
    assertEquals(Object.is(parsed, -0), false);
  }
});

Deno.test("ints of more than 4300 digits are refused both ways", () => {
  const most = 10n ** 4300n - 1n;
  const digits = "9".repeat(4300);
  assertEquals(parseIntText(digits), most);
  assertEquals(parseIntText(`-${digits}`), -most);
  assertEquals(intText(most), digits);
  assertEquals(intText(-most), `-${digits}`);
  const read = assertThrows(() => parseIntText(`-${digits}0`), LimitError);
  assertEquals(read.limit, "intDigits");
  assertEquals(
    read.message,
    "Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits; use sys.set_int_max_str_digits() to increase the limit",
  );
  for (const value of [most + 1n, -most - 1n, 10n ** 100_000n]) {
    const written = assertThrows(() => intText(value), LimitError);
    assertEquals(
      written.message,
      "Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit",
    );
  }
  for (const limit of [0, Infinity, 5000]) {
    assertEquals(intText(most + 1n, limit).length, 4301);
    assertEquals(parseIntText(`${digits}0`, limit), most * 10n);
  }
});

Deno.test("intText writes numbers of any size without an exponent", () => {
  assertEquals(intText(1e21), "1000000000000000000000");
  assertEquals(intText(-5), "-5");
});
