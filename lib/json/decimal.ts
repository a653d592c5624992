/**
 * Decimal digits to the nearest double, where that is quick and sure.
 *
 * @module
 */

/** Powers of ten that are exact as doubles. */
const POWERS: readonly number[] = Array.from(
  { length: 23 },
  (_, exponent) => Number(`1e${exponent}`),
);
/** Veltkamp's constant, 2^27 + 1. */
const SPLITTER = 134217729;

/**
 * Digits that are gathered as two integers of 32 bits: `high` takes up to nine,
 * `low` the next eight.
 *
 * @param high The first digits, below 1e9.
 * @param low The digits behind them, below 1e8.
 * @param lowDigits How many those are.
 * @returns The integer; exact below 2^53.
 */
export function joinDigits(
  high: number,
  low: number,
  lowDigits: number,
): number {
  return high * POWERS[lowDigits]! + low;
}

/**
 * The double nearest to `digits * 10^exponent`.
 *
 * One operation on two exact doubles rounds right (Clinger, 1990). With more
 * digits, or where that does not hold, the error of the operation is computed
 * (Dekker, 1971) and added; what remains tells whether the sum rounds right.
 *
 * @param high As in {@linkcode joinDigits}.
 * @param low As in {@linkcode joinDigits}.
 * @param lowDigits As in {@linkcode joinDigits}.
 * @param exponent Power of ten.
 * @returns The double; NaN where this is not sure.
 */
export function nearestDouble(
  high: number,
  low: number,
  lowDigits: number,
  exponent: number,
): number {
  if (exponent > 22 || exponent < -22) return NaN;
  // Exact: `high` has 30 bits, and 1e8 is 390625 * 2^8.
  const upper = high * POWERS[lowDigits]!;
  const digits = upper + low;
  if (digits < 9007199254740992) {
    return exponent < 0
      ? digits / POWERS[-exponent]!
      : digits * POWERS[exponent]!;
  }
  const lost = low - (digits - upper);
  let first: number;
  let rest: number;
  if (exponent < 0) {
    const power = POWERS[-exponent]!;
    first = digits / power;
    const product = first * power;
    // What the quotient lacks, exactly.
    const error = productError(first, power, product);
    rest = (digits - product - error + lost) / power;
  } else {
    const power = POWERS[exponent]!;
    first = digits * power;
    rest = productError(digits, power, first) + lost * power;
  }
  const sum = first + rest;
  const remainder = rest - (sum - first);
  // Too near to half way between two doubles, some 1 in 100,000.
  return sum + remainder * 1.00001 === sum ? sum : NaN;
}

/** `a * b - product`, exactly. */
function productError(a: number, b: number, product: number): number {
  const aHigh = a * SPLITTER - (a * SPLITTER - a);
  const aLow = a - aHigh;
  const bHigh = b * SPLITTER - (b * SPLITTER - b);
  const bLow = b - bHigh;
  return aLow * bLow -
    (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
