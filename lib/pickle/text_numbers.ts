/**
 * Numbers written as lines, as CPython's C unpickler reads them
 * (`Modules/_pickle.c`: `load_int`, `load_long`, `load_float`).
 *
 * @module
 */

import { LimitError } from "../python/limits.ts";
import { ArgumentFault, decodeLatin1 } from "./arguments.ts";

const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;

function demote(value: bigint): number | bigint {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
}

function badInteger(): ArgumentFault {
  return new ArgumentFault("bad-number", "the line is no integer");
}

/**
 * Python's `int(text, 0)`, or with base 10.
 *
 * @param text The digits.
 * @param options `base`: 0 takes `0x`, `0o` and `0b` as well; `intDigits`: how
 * many decimal digits there may be.
 * @returns A number when it is safe, else a bigint.
 * @throws {ArgumentFault} Where Python throws a ValueError.
 * @throws {LimitError} Where there are too many digits.
 */
export function parseInteger(
  text: string,
  { base, intDigits }: { base: 0 | 10; intDigits: number },
): number | bigint {
  const [, sign, rest] = /^[\t-\r ]*([+-]?)([^]*?)[\t-\r ]*$/.exec(text)!;
  let value: bigint;
  if (/^\d+(?:_\d+)*$/.test(rest!)) {
    const digits = rest!.replaceAll("_", "");
    if (base === 0 && /^0+[1-9]/.test(digits)) throw badInteger();
    if (digits.length > intDigits) {
      throw new LimitError("intDigits", intDigits);
    }
    if (digits.length < 16) {
      const small = Number(digits);
      return sign === "-" && small !== 0 ? -small : small;
    }
    value = BigInt(digits);
  } else if (
    base === 0 &&
    /^0(?:x(?:_?[\da-f])+|o(?:_?[0-7])+|b(?:_?[01])+)$/i.test(rest!)
  ) {
    value = BigInt(rest!.replaceAll("_", ""));
  } else {
    throw badInteger();
  }
  return demote(sign === "-" ? -value : value);
}

/**
 * Reads the line of an INT: C's `strtol` with base 0, and where that fails
 * `int(line, 0)`. Two characters that mean 0 or 1 are a bool.
 *
 * @param line The line, without its end.
 * @param intDigits How many decimal digits there may be.
 * @returns What it means.
 * @throws {ArgumentFault} Where Python throws a ValueError.
 * @throws {LimitError} Where there are too many digits.
 */
export function parseIntLine(
  line: Uint8Array,
  intDigits: number,
): number | bigint | boolean {
  if (line.length === 0) throw badInteger();
  const text = decodeLatin1(line);
  const match =
    /^[\t-\r ]*([+-]?)(?:0x([\da-f]+)|(0[0-7]*)|([1-9]\d*))(?:\0|$)/i
      .exec(text);
  if (match !== null) {
    const [, sign, hex, octal, decimal] = match;
    const digits = (hex ?? octal ?? decimal)!;
    if (digits.length < 4000) {
      const magnitude = hex !== undefined
        ? BigInt(`0x${hex}`)
        : octal !== undefined
        ? BigInt(`0o${octal}`)
        : BigInt(digits);
      const value = sign === "-" ? -magnitude : magnitude;
      if (value >= INT64_MIN && value <= INT64_MAX) {
        if (line.length === 2 && (value === 0n || value === 1n)) {
          return value === 1n;
        }
        return demote(value);
      }
    }
  }
  return parseInteger(cutAtNul(text), { base: 0, intDigits });
}

/**
 * Reads the line of a LONG: `int(line, 0)`, with or without a final `L`.
 *
 * @param line The line, without its end.
 * @param intDigits How many decimal digits there may be.
 * @returns A number when it is safe, else a bigint.
 * @throws {ArgumentFault} Where Python throws a ValueError.
 * @throws {LimitError} Where there are too many digits.
 */
export function parseLongLine(
  line: Uint8Array,
  intDigits: number,
): number | bigint {
  const digits = line.at(-1) === 0x4c ? line.subarray(0, -1) : line;
  return parseInteger(cutAtNul(decodeLatin1(digits)), { base: 0, intDigits });
}

/**
 * Reads the line of a FLOAT: `PyOS_string_to_double`, which takes no blanks,
 * no underscores and nothing too large.
 *
 * @param line The line, without its end.
 * @returns The number.
 * @throws {ArgumentFault} Where Python throws.
 */
export function parseFloatText(line: Uint8Array): number {
  const text = cutAtNul(decodeLatin1(line));
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new ArgumentFault("bad-number", "the line is too large for a float");
  }
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i.exec(text);
  if (special === null) {
    throw new ArgumentFault("bad-number", "the line is no float");
  }
  if (special[2] === undefined) return NaN;
  return special[1] === "-" ? -Infinity : Infinity;
}

function cutAtNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}
