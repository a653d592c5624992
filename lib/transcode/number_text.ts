/**
 * Numbers as JSON text, written straight into bytes.
 *
 * @module
 */

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
