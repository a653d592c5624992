/**
 * Numbers as JSON text, written straight into bytes.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import { floatRepr } from "../python/float_repr.ts";

/**
 * Writes an int.
 *
 * @param out Where to; there must be room for 11 bytes.
 * @param at Offset of the first byte.
 * @param value Anything from -2^31 to 2^32 - 1.
 * @returns Offset after the last byte.
 */
export function writeInt(out: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    out[at++] = 45;
    value = -value;
  }
  if (value < 10) {
    out[at] = 48 + value;
    return at + 1;
  }
  if (value < 100) {
    const tens = (value / 10) | 0;
    out[at] = 48 + tens;
    out[at + 1] = 48 + value - tens * 10;
    return at + 2;
  }
  const end = at +
    (value < 1e5
      ? value < 1e3 ? 3 : value < 1e4 ? 4 : 5
      : value < 1e7
      ? value < 1e6 ? 6 : 7
      : value < 1e9
      ? value < 1e8 ? 8 : 9
      : 10);
  let i = end;
  if (value > 0x7fffffff) {
    const high = Math.floor(value / 10);
    out[--i] = 48 + value - high * 10;
    value = high;
  }
  value |= 0;
  while (i > at) {
    const rest = (value / 10) | 0;
    out[--i] = 48 + value - rest * 10;
    value = rest;
  }
  return end;
}

/**
 * Writes a float as Python's `json` does: its `repr`, and `NaN`, `Infinity`.
 * (The platform's own digits were as quick as exact arithmetic in two doubles.)
 *
 * @param out Where to; there must be room for 32 bytes.
 * @param at Offset of the first byte.
 * @param value Any number.
 * @returns Offset after the last byte.
 */
export function writeFloat(out: Uint8Array, at: number, value: number): number {
  const size = value < 0 ? -value : value;
  let text: string;
  if (size < 1e16 && size >= 1e-4) {
    text = `${value}`;
    if (size === Math.floor(size)) {
      at = writeAscii(out, at, text);
      out[at] = 46;
      out[at + 1] = 48;
      return at + 2;
    }
  } else if (value !== value) text = "NaN";
  else if (size === Infinity) text = value < 0 ? "-Infinity" : "Infinity";
  else text = floatRepr(value);
  return writeAscii(out, at, text);
}

/**
 * Writes text that is ASCII.
 *
 * @param out Where to; there must be room.
 * @param at Offset of the first byte.
 * @param text The text.
 * @returns Offset after the last byte.
 */
export function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** 2^27 + 1 (Dekker): parts a double in two that have half its bits. */
const SPLIT = 134217729;

/** Where the fraction and exponent of a number end: `at` if there are none, -1 if they are cut. */
export function floatEnd(
  bytes: Uint8Array,
  { at, to }: { at: number; to: number },
): number {
  let end = at;
  let i = at;
  if (bytes[i] === 46) {
    i++;
    const from = i;
    while (i < to && bytes[i]! >= 48 && bytes[i]! <= 57) i++;
    if (i >= to) return -1;
    if (i === from) return end;
    end = i;
  }
  if (bytes[i] === 101 || bytes[i] === 69) {
    i++;
    if (i < to && (bytes[i] === 43 || bytes[i] === 45)) i++;
    const from = i;
    while (i < to && bytes[i]! >= 48 && bytes[i]! <= 57) i++;
    if (i >= to) return -1;
    if (i > from) end = i;
  }
  return end;
}

/**
 * Reads a decimal float, correctly rounded.
 *
 * Up to 15 digits one division or product of two exact doubles is right
 * (Clinger, 1990). Up to 18 digits the number stands in two doubles, and so does
 * the quotient; only what is within a trillionth of a tie is left to the
 * platform.
 *
 * @param bytes Where it stands; it must be a JSON number.
 * @param from Offset of its first byte.
 * @param to Offset after its last byte.
 * @returns Its value.
 */
export function readFloat(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  const negative = bytes[i] === 45;
  if (negative) i++;
  // The first nine digits that count, and the next nine.
  let head = 0;
  let tail = 0;
  let digits = 0;
  let power = 0;
  let c = 0;
  while (i < to && (c = bytes[i]! - 48) >= 0 && c <= 9) {
    i++;
    if (digits < 9) {
      head = (head * 10 + c) | 0;
      if (head !== 0) digits++;
    } else {
      if (digits < 18) tail = (tail * 10 + c) | 0;
      digits++;
    }
  }
  if (i < to && bytes[i] === 46) {
    const point = ++i;
    while (i < to && (c = bytes[i]! - 48) >= 0 && c <= 9) {
      i++;
      if (digits < 9) {
        head = (head * 10 + c) | 0;
        if (head !== 0) digits++;
      } else {
        if (digits < 18) tail = (tail * 10 + c) | 0;
        digits++;
      }
    }
    power = point - i;
  }
  if (i < to) {
    i++;
    let sign = 1;
    if (bytes[i] === 43) i++;
    else if (bytes[i] === 45) {
      sign = -1;
      i++;
    }
    let exponent = 0;
    for (; i < to; i++) {
      exponent = Math.min(exponent * 10 + bytes[i]! - 48, 100000);
    }
    power += sign * exponent;
  }
  if (power <= 22 && power >= -22 && digits <= 18) {
    let value: number;
    if (digits <= 15) {
      const m = digits > 9 ? head * POWERS[digits - 9]! + tail : head;
      value = power < 0 ? m / POWERS[-power]! : m * POWERS[power]!;
      return negative ? -value : value;
    }
    if (power <= 0) {
      // high + low = the digits, exactly.
      const scale = POWERS[digits - 9]!;
      const product = head * scale;
      const high = product + tail;
      const low = productError(head, scale, product) +
        (tail - (high - product));
      const p = POWERS[-power]!;
      const near = high / p;
      const back = near * p;
      const rest = ((high - back) - productError(near, p, back)) + low;
      const more = rest / p;
      value = near + more * 1.000000000001;
      if (value === near + more * 0.999999999999) {
        return negative ? -value : value;
      }
    }
  }
  return Number(decodeUtf8(bytes.subarray(from, to)));
}

/** What rounding took from a product (Dekker, 1971). */
function productError(a: number, b: number, product: number): number {
  let t = SPLIT * a;
  const ah = t - (t - a);
  const al = a - ah;
  t = SPLIT * b;
  const bh = t - (t - b);
  const bl = b - bh;
  return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
}
