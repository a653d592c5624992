/**
 * Strings as JSON text, straight from the UTF-8 of a pickle.
 *
 * @module
 */

import { LimitError } from "../python/limits.ts";

/** The two hexadecimal digits of a byte, the first in the low half. */
const HEX = Uint16Array.from({ length: 256 }, (_, byte) => {
  const digits = byte.toString(16).padStart(2, "0");
  return digits.charCodeAt(0) | (digits.charCodeAt(1) << 8);
});

/** 1 for the bytes that stand for themselves in JSON. */
export const PLAIN: Uint8Array<ArrayBuffer> = new Uint8Array(256);
/** The letter after the backslash, 0 where there is none. */
const SHORT = new Uint8Array(256);
for (let i = 0x20; i < 0x7f; i++) PLAIN[i] = 1;
PLAIN[0x22] = PLAIN[0x5c] = 0;
for (
  const [code, letter] of [
    [8, "b"],
    [9, "t"],
    [10, "n"],
    [12, "f"],
    [13, "r"],
    [0x22, '"'],
    [0x5c, "\\"],
  ] as const
) SHORT[code] = letter.charCodeAt(0);

/** Value of a hexadecimal digit, or -1. */
const DIGIT = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) {
  DIGIT["0123456789abcdef".charCodeAt(i)] = i;
  DIGIT["0123456789ABCDEF".charCodeAt(i)] = i;
}
/** What a backslash and a letter stand for, 0 where for nothing. */
const MEANING = new Uint8Array(256);
MEANING[0x2f] = 0x2f;
for (let i = 0; i < 256; i++) {
  if (SHORT[i] !== 0) MEANING[SHORT[i]!] = i;
}

/** Bytes that are no UTF-8: the value road says in which way. */
export class BadUtf8 extends Error {}

function writeUnit(out: Uint8Array, at: number, unit: number): number {
  const high = HEX[unit >> 8]!;
  const low = HEX[unit & 255]!;
  out[at] = 0x5c;
  out[at + 1] = 0x75;
  out[at + 2] = high;
  out[at + 3] = high >> 8;
  out[at + 4] = low;
  out[at + 5] = low >> 8;
  return at + 6;
}

/** What is read and where it goes. */
export interface EscapeOptions {
  /** Offset of the first byte of the text. */
  from: number;
  /** Offset after its last byte. */
  to: number;
  /** Where the escaped text goes; room for six bytes a byte. */
  out: Uint8Array;
  /** Offset of the first byte there. */
  at: number;
  /** Whether all that is not ASCII is escaped. */
  ascii: boolean;
}

/**
 * Writes what stands between the quotes of a JSON string, as Python's
 * `ensure_ascii` or without it. Surrogates pass (JSON.md, Output 4 and 5); two
 * that make a pair become one character, as in a JavaScript string.
 *
 * @param bytes Where the UTF-8 stands.
 * @param options From where to where.
 * @returns Offset after the last byte written.
 * @throws {BadUtf8} If the bytes are no UTF-8.
 */
export function escapeUtf8(bytes: Uint8Array, options: EscapeOptions): number {
  const { to, out, ascii } = options;
  let { from, at } = options;
  while (from < to) {
    const first = bytes[from]!;
    if (first < 0x80) {
      from++;
      if (PLAIN[first] === 1) {
        out[at++] = first;
      } else if (SHORT[first] !== 0) {
        out[at] = 0x5c;
        out[at + 1] = SHORT[first]!;
        at += 2;
      } else if (first === 0x7f && !ascii) {
        out[at++] = first;
      } else {
        at = writeUnit(out, at, first);
      }
      continue;
    }
    if (first < 0xe0) {
      const b = from + 1 < to ? bytes[from + 1]! : 0;
      if (first < 0xc2 || (b & 0xc0) !== 0x80) throw new BadUtf8();
      if (ascii) {
        at = writeUnit(out, at, ((first & 0x1f) << 6) | (b & 0x3f));
      } else {
        out[at] = first;
        out[at + 1] = b;
        at += 2;
      }
      from += 2;
    } else if (first < 0xf0) {
      const b = from + 2 < to ? bytes[from + 1]! : 0;
      const c = from + 2 < to ? bytes[from + 2]! : 0;
      const unit = ((first & 15) << 12) | ((b & 0x3f) << 6) | (c & 0x3f);
      if (
        (b & 0xc0) !== 0x80 || (c & 0xc0) !== 0x80 || unit < 0x800
      ) throw new BadUtf8();
      if (ascii) {
        at = writeUnit(out, at, unit);
      } else {
        out[at] = first;
        out[at + 1] = b;
        out[at + 2] = c;
        at += 3;
        if (
          (unit & 0xfc00) === 0xd800 && from + 5 < to &&
          bytes[from + 3] === 0xed && (bytes[from + 4]! & 0xf0) === 0xb0 &&
          (bytes[from + 5]! & 0xc0) === 0x80
        ) {
          const low = ((bytes[from + 4]! & 15) << 6) | (bytes[from + 5]! & 63);
          const code = 0x10000 + ((unit & 0x3ff) << 10) + low;
          at -= 3;
          out[at] = 0xf0 | (code >> 18);
          out[at + 1] = 0x80 | ((code >> 12) & 63);
          out[at + 2] = 0x80 | ((code >> 6) & 63);
          out[at + 3] = 0x80 | (code & 63);
          at += 4;
          from += 3;
        }
      }
      from += 3;
    } else {
      if (first > 0xf4 || from + 3 >= to) throw new BadUtf8();
      const b = bytes[from + 1]!;
      const c = bytes[from + 2]!;
      const d = bytes[from + 3]!;
      const code = ((first & 7) << 18) | ((b & 0x3f) << 12) |
        ((c & 0x3f) << 6) | (d & 0x3f);
      if (
        (b & 0xc0) !== 0x80 || (c & 0xc0) !== 0x80 || (d & 0xc0) !== 0x80 ||
        code < 0x10000 || code > 0x10ffff
      ) throw new BadUtf8();
      if (ascii) {
        at = writeUnit(out, at, 0xd7c0 + (code >> 10));
        at = writeUnit(out, at, 0xdc00 | (code & 0x3ff));
      } else {
        out[at] = first;
        out[at + 1] = b;
        out[at + 2] = c;
        out[at + 3] = d;
        at += 4;
      }
      from += 4;
    }
  }
  return at;
}

/** What {@linkcode unescapeJson} made. */
export class Unescaped {
  /** The UTF-8, surrogates included. */
  bytes: Uint8Array = new Uint8Array(0);
  /** How much of it. */
  size = 0;
  /** Whether there are bytes in it that stood there as they are, from 0x80 up. */
  isHigh = false;
}

/** The string is not whole. */
export const CUT = -1;
/** There is something in it that is unusual, or wrong. */
export const ODD = -2;

/**
 * Reads a JSON string with escapes up to its closing quote.
 *
 * @param bytes Where it stands.
 * @param from Offset after its opening quote.
 * @param into What takes its text; it is never longer than the input.
 * @returns Offset of its closing quote, {@linkcode CUT} or {@linkcode ODD}.
 */
export function unescapeJson(
  bytes: Uint8Array,
  from: number,
  into: Unescaped,
): number {
  const length = bytes.length;
  if (into.bytes.length < length) into.bytes = new Uint8Array(length * 2);
  const out = into.bytes;
  let w = 0;
  let high = 0;
  let i = from;
  while (i < length) {
    const c = bytes[i]!;
    if (c === 0x22) {
      into.size = w;
      into.isHigh = high >= 0x80;
      return i;
    }
    if (c !== 0x5c) {
      if (c < 0x20) return ODD;
      high |= c;
      out[w++] = c;
      i++;
      continue;
    }
    if (i + 1 >= length) return CUT;
    const letter = bytes[i + 1]!;
    if (letter !== 0x75) {
      const meaning = MEANING[letter]!;
      if (meaning === 0) return ODD;
      out[w++] = meaning;
      i += 2;
      continue;
    }
    // There must be room to look at what comes behind it.
    if (i + 6 >= length) return CUT;
    const unit = (DIGIT[bytes[i + 2]!]! << 12) | (DIGIT[bytes[i + 3]!]! << 8) |
      (DIGIT[bytes[i + 4]!]! << 4) | DIGIT[bytes[i + 5]!]!;
    if (unit < 0) return ODD;
    i += 6;
    if (unit < 0x80) {
      out[w++] = unit;
    } else if (unit < 0x800) {
      out[w] = 0xc0 | (unit >> 6);
      out[w + 1] = 0x80 | (unit & 63);
      w += 2;
    } else {
      if ((unit & 0xfc00) === 0xd800 && bytes[i] === 0x5c) {
        if (i + 6 > length) return CUT;
        const low = bytes[i + 1] !== 0x75
          ? 0
          : (DIGIT[bytes[i + 2]!]! << 12) | (DIGIT[bytes[i + 3]!]! << 8) |
            (DIGIT[bytes[i + 4]!]! << 4) | DIGIT[bytes[i + 5]!]!;
        if (low >= 0xdc00 && low < 0xe000) {
          const code = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
          out[w] = 0xf0 | (code >> 18);
          out[w + 1] = 0x80 | ((code >> 12) & 63);
          out[w + 2] = 0x80 | ((code >> 6) & 63);
          out[w + 3] = 0x80 | (code & 63);
          w += 4;
          i += 6;
          continue;
        }
      }
      out[w] = 0xe0 | (unit >> 12);
      out[w + 1] = 0x80 | ((unit >> 6) & 63);
      out[w + 2] = 0x80 | (unit & 63);
      w += 3;
    }
  }
  return CUT;
}

/**
 * An int in two's complement as decimal digits.
 *
 * @param bytes Where it stands, little-endian.
 * @param range `at`: its offset; `size`: how many bytes, few (a LONG1).
 * @returns Its digits.
 */
export function longText(
  bytes: Uint8Array,
  { at, size }: { at: number; size: number },
): string {
  if (size === 0) return "0";
  const negative = bytes[at + size - 1]! >= 0x80;
  if (size <= 6) {
    let value = 0;
    for (let i = at + size - 1; i >= at; i--) value = value * 256 + bytes[i]!;
    return `${negative ? value - 2 ** (8 * size) : value}`;
  }
  let value = 0n;
  for (let i = at + size - 1; i >= at; i--) {
    value = (value << 8n) | BigInt(bytes[i]!);
  }
  if (negative) value -= 1n << BigInt(8 * size);
  return value.toString();
}

/** Throws where one value is longer than the limit. */
export function checkLength(size: number, limit: number, offset: number): void {
  if (size > limit) throw new LimitError("argumentLength", limit, { offset });
}
