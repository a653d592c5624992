/**
 * Python's complex.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";

/** A Python complex number. */
export class Complex {
  /** The real part. */
  readonly real: number;
  /** The imaginary part. */
  readonly imag: number;

  /**
   * Makes one.
   *
   * @param real The real part.
   * @param imag The imaginary part.
   */
  constructor(real: number, imag: number) {
    this.real = real;
    this.imag = imag;
  }

  /**
   * As Python's `repr`: `(1+2j)`.
   *
   * @returns The text.
   */
  toString(): string {
    const imag = partText(this.imag);
    if (this.real === 0 && !Object.is(this.real, -0)) return `${imag}j`;
    const sign = imag.startsWith("-") ? "" : "+";
    return `(${partText(this.real)}${sign}${imag}j)`;
  }
}

/** As floatRepr, but without ".0", as complex has it. */
function partText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isNaN(value)) return "nan";
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return String(value);
}

// Equal to its real part when it has no other.
setKeyKind(Complex.prototype, {
  kind: "value",
  key: ({ real, imag }: Complex) =>
    imag === 0 ? real : `complex ${real + 0} ${imag + 0}`,
});
