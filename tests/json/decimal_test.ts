import { assert, assertEquals } from "@std/assert";
import { joinDigits, nearestDouble } from "../../lib/json/decimal.ts";
import { seeded } from "../support/random.ts";

/** As the reader gathers digits. */
function gather(digits: string): [number, number, number] {
  let high = 0;
  let low = 0;
  let lowDigits = 0;
  for (const digit of digits.replace(/^0+(?=.)/, "")) {
    if (high < 1e8) {
      high = high * 10 + Number(digit);
    } else {
      low = low * 10 + Number(digit);
      lowDigits++;
    }
  }
  return [high, low, lowDigits];
}

Deno.test("joinDigits is exact below 2^53", () => {
  for (
    const digits of ["0", "7", "123456789", "1234567890", "999999999999999"]
  ) {
    assertEquals(joinDigits(...gather(digits)), Number(digits));
  }
});

Deno.test("nearestDouble is the nearest, or says that it is not sure", () =>
  seeded((random) => {
    let unsure = 0;
    const rounds = 100_000;
    for (let round = 0; round < rounds; round++) {
      const size = 1 + random.below(17);
      let digits = "";
      for (let i = 0; i < size; i++) digits += random.below(10);
      const exponent = random.below(45) - 22;
      const value = nearestDouble(...gather(digits), exponent);
      if (Number.isNaN(value)) unsure++;
      else assertEquals(value, Number(`${digits}e${exponent}`));
    }
    assert(unsure < rounds / 100, `${unsure} unsure`);
    // What lies half way between two doubles is never guessed.
    for (let round = 0; round < 10_000; round++) {
      const middle = 2n ** 53n + 2n * BigInt(random.below(2 ** 31)) + 1n;
      for (const [digits, exponent] of [[middle, 0], [middle * 5n, -1]]) {
        const value = nearestDouble(
          ...gather(`${digits}`),
          Number(exponent),
        );
        assert(
          Number.isNaN(value) || value === Number(`${digits}e${exponent}`),
        );
      }
    }
  }));

Deno.test("nearestDouble leaves large exponents to others", () => {
  assertEquals(nearestDouble(1, 0, 0, 23), NaN);
  assertEquals(nearestDouble(1, 0, 0, -23), NaN);
  assertEquals(nearestDouble(1, 0, 0, 22), 1e22);
  assertEquals(nearestDouble(0, 0, 0, -5), 0);
});
