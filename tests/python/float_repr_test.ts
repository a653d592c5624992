import { assertEquals } from "@std/assert";
import { floatRepr } from "../../lib/python/float_repr.ts";

Deno.test("floatRepr writes what Python's repr writes", () => {
  const cases: [number, string][] = [
    [0, "0.0"],
    [-0, "-0.0"],
    [1, "1.0"],
    [-17, "-17.0"],
    [0.1, "0.1"],
    [1 / 3, "0.3333333333333333"],
    [1e15, "1000000000000000.0"],
    [9007199254740993, "9007199254740992.0"],
    [9999999999999998, "9999999999999998.0"],
    [1e16, "1e+16"],
    [-1e16, "-1e+16"],
    [1.5e16, "1.5e+16"],
    [123456789012345680, "1.2345678901234568e+17"],
    [1e21, "1e+21"],
    [1e22, "1e+22"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [0.0001, "0.0001"],
    [0.00012345, "0.00012345"],
    [0.00001, "1e-05"],
    [0.000015, "1.5e-05"],
    [-0.000015, "-1.5e-05"],
    [0.000001, "1e-06"],
    [1e-7, "1e-07"],
    [1.25e-7, "1.25e-07"],
    [-1e-7, "-1e-07"],
    [1e-10, "1e-10"],
    [2.5e-100, "2.5e-100"],
    [5e-324, "5e-324"],
    [NaN, "nan"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
  ];
  for (const [value, text] of cases) assertEquals(floatRepr(value), text);
});

Deno.test("floatRepr keeps Python's rules for any double", () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  let state = seed;
  const next = (): number => {
    state = Math.imul(state ^ (state >>> 15), state | 1);
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
    state = (state + 0x6d2b79f5) | 0;
    return state >>> 0;
  };
  const view = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < 20_000; i++) {
    view.setUint32(0, next());
    view.setUint32(4, next());
    const value = view.getFloat64(0);
    if (!Number.isFinite(value)) continue;
    const text = floatRepr(value);
    const why = `${text} (seed ${seed})`;
    assertEquals(Number(text), value, why);
    const match = /^-?(\d+)(?:\.(\d+))?(?:e([+-])(\d{2,3}))?$/.exec(text);
    assertEquals(match !== null, true, why);
    const [, whole, fraction, sign, exponent] = match!;
    if (exponent === undefined) {
      // Plain: never without a fraction, never beyond the limits.
      assertEquals(fraction !== undefined, true, why);
      const size = Math.abs(value);
      assertEquals(value === 0 || size >= 1e-4 && size < 1e16, true, why);
    } else {
      assertEquals(whole!.length, 1, why);
      assertEquals(
        fraction === undefined || !fraction.endsWith("0"),
        true,
        why,
      );
      const power = Number(sign + exponent);
      assertEquals(power >= 16 || power < -4, true, why);
    }
  }
});
