/**
 * Python's ints to and from decimal digits, with the limit that keeps long ones
 * from taking quadratic time (`sys.set_int_max_str_digits`).
 *
 * @module
 */

import { LimitError } from "./limits.ts";

/** Up to this many digits every integer is exact as a number. */
const EXACT_DIGITS = 15;
/** Decimal digits in a hexadecimal one: log10(16), rounded down and up. */
const DIGITS_LOW = 1.204119;
const DIGITS_HIGH = 1.204120;

/**
 * Reads an int.
 *
 * @param text An optional sign and decimal digits; nothing else is checked.
 * @param limit How many digits it may have; 0 or `Infinity` for any.
 * @returns A number where it is safe, else a bigint. `-0` is 0, as in Python.
 * @throws {LimitError} Where it has more digits, with CPython's text.
 */
export function parseIntText(text: string, limit = 4300): number | bigint {
  const length = text.length;
  if (length <= EXACT_DIGITS) return +text + 0;
  const first = text.charCodeAt(0);
  const digits = first === 45 || first === 43 ? length - 1 : length;
  if (digits > limit && limit !== 0) throw intDigitsError(limit, digits);
  if (digits <= 17) {
    const value = +text;
    if (Number.isSafeInteger(value)) return value + 0;
  }
  // BigInt knows no sign "+".
  const value = BigInt(first === 43 ? text.slice(1) : text);
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
}

/**
 * Writes an int.
 *
 * @param value An integer.
 * @param limit How many digits it may have; 0 or `Infinity` for any.
 * @returns Its decimal digits.
 * @throws {LimitError} Where it has more digits, with CPython's text.
 */
export function intText(value: number | bigint, limit = 4300): string {
  if (typeof value === "number") {
    return Math.abs(value) < 1e21 ? `${value}` : `${BigInt(value)}`;
  }
  if (limit === 0 || limit === Infinity) return value.toString();
  // Hexadecimal digits cost linear time, decimal ones more.
  const hex = value < 0n ? -value : value;
  const size = hex < 0x1_0000_0000_0000_0000n ? 16 : hex.toString(16).length;
  if ((size - 1) * DIGITS_LOW > limit) throw intDigitsError(limit);
  const text = value.toString();
  if (size * DIGITS_HIGH < limit) return text;
  if (text.length - (value < 0n ? 1 : 0) > limit) throw intDigitsError(limit);
  return text;
}

/**
 * The error of an int with too many digits, in CPython's words.
 *
 * @param limit How many it may have.
 * @param digits How many it has, where that is known.
 * @returns The error.
 */
export function intDigitsError(limit: number, digits?: number): LimitError {
  const error = new LimitError("intDigits", limit);
  error.message =
    `Exceeds the limit (${limit} digits) for integer string conversion` +
    (digits === undefined ? "" : `: value has ${digits} digits`) +
    "; use sys.set_int_max_str_digits() to increase the limit";
  return error;
}
