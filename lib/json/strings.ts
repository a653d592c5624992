/**
 * What stands between the quotes of a JSON string.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import type { Fault } from "./errors.ts";

/** Bits that say what a string token has in it. */
export const CONTROL = 1;
/** There is a backslash. */
export const ESCAPE = 2;
/** There is a byte from 0x80 up. */
export const HIGH = 4;
/** The closing quote. */
export const QUOTE = 8;

/** For each byte one of the bits above, or 0 where it stands for itself. */
export const STRING_CLASS: Readonly<Uint8Array> = Uint8Array.from(
  { length: 256 },
  (_, byte) =>
    byte < 0x20
      ? CONTROL
      : byte === 0x22
      ? QUOTE
      : byte === 0x5c
      ? ESCAPE
      : byte >= 0x80
      ? HIGH
      : 0,
);

/** Value of a hexadecimal digit, or -1. */
const HEX: Readonly<Int8Array> = Int8Array.from(
  { length: 256 },
  (_, byte) => {
    const digit = parseInt(String.fromCharCode(byte), 16);
    return byte < 0x80 && !Number.isNaN(digit) ? digit : -1;
  },
);

/** What follows a backslash and what it means; 0 where it means nothing. */
const SIMPLE_ESCAPE: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256);
  const pairs: [string, number][] = [
    ['"', 0x22],
    ["\\", 0x5c],
    ["/", 0x2f],
    ["b", 0x08],
    ["f", 0x0c],
    ["n", 0x0a],
    ["r", 0x0d],
    ["t", 0x09],
  ];
  for (const [char, value] of pairs) table[char.charCodeAt(0)] = value;
  return table;
})();

/**
 * Looks for what is wrong in a string token, from left to right as CPython's
 * `scanstring` goes.
 *
 * @param bytes The input.
 * @param start Offset after the opening quote.
 * @param options `end`: offset of the closing quote, or of the input's end;
 * `strict`: whether control characters are wrong; `closed`: whether there is a
 * closing quote.
 * @returns What and where, or undefined.
 */
export function findStringFault(
  bytes: Uint8Array,
  start: number,
  options: { end: number; strict: boolean; closed: boolean },
): { fault: Fault; at: number } | undefined {
  const { end, strict, closed } = options;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 && strict) return { fault: "control-character", at: i };
    if (byte !== 0x5c) continue;
    const at = i++;
    if (i >= end) break;
    if (bytes[i] !== 0x75) {
      if (SIMPLE_ESCAPE[bytes[i]!] === 0) return { fault: "bad-escape", at };
      continue;
    }
    // Four digits, and something after them.
    const bad = i + 5 >= end && !closed || HEX[bytes[i + 1]!]! < 0 ||
      HEX[bytes[i + 2]!]! < 0 || HEX[bytes[i + 3]!]! < 0 ||
      HEX[bytes[i + 4]!]! < 0;
    if (bad) return { fault: "bad-unicode-escape", at: at + 1 };
    i += 4;
  }
  return closed ? undefined : { fault: "unterminated-string", at: start - 1 };
}

/**
 * Resolves the escapes of a string token that has no faults.
 *
 * @param bytes The input.
 * @param start Offset after the opening quote.
 * @param end Offset of the closing quote.
 * @returns The text.
 */
export function unescapeText(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  // Escaped surrogates are joined by the string itself, as Python joins them.
  const units: number[] = [];
  let text = "";
  let from = start;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0x5c) {
      i++;
      if (bytes[i] === 0x75) {
        units.push(
          (HEX[bytes[i + 1]!]! << 12) | (HEX[bytes[i + 2]!]! << 8) |
            (HEX[bytes[i + 3]!]! << 4) | HEX[bytes[i + 4]!]!,
        );
        i += 4;
      } else {
        units.push(SIMPLE_ESCAPE[bytes[i]!]!);
      }
    } else if (byte < 0x80) {
      units.push(byte);
    } else {
      from = i;
      while (i + 1 < end && bytes[i + 1]! >= 0x80) i++;
      if (units.length > 0) {
        text += String.fromCharCode(...units);
        units.length = 0;
      }
      text += decodeUtf8(bytes.subarray(from, i + 1));
    }
    if (units.length >= 4096) {
      text += String.fromCharCode(...units);
      units.length = 0;
    }
  }
  return units.length > 0 ? text + String.fromCharCode(...units) : text;
}

const WINDOW = 4096;
/** Strings longer than this are decoded on their own. */
const LONG = 192;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Makes strings of ASCII bytes. A string of a few bytes costs several times as
 * much from `TextDecoder` as it does cut out of a larger string, so 4 KiB of
 * input become one string, whose characters stand where the bytes do. (Larger
 * pieces would be kept alive by any small string cut out of them.)
 */
export class AsciiReader {
  #bytes: Uint8Array | undefined;
  #from = 0;
  #to = 0;
  #text = "";
  #scratch: Uint8Array<ArrayBuffer> | undefined;
  #words: Uint32Array<ArrayBuffer> | undefined;

  /**
   * Cuts out a string.
   *
   * @param bytes The input.
   * @param start Offset of the first byte.
   * @param end Offset after the last byte; all between are below 0x80.
   * @returns The text.
   */
  read(bytes: Uint8Array, start: number, end: number): string {
    if (bytes === this.#bytes && start >= this.#from && end <= this.#to) {
      return this.#text.substring(start - this.#from, end - this.#from);
    }
    return this.#readSlowly(bytes, start, end);
  }

  #readSlowly(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > LONG) return decoder.decode(bytes.subarray(start, end));
    if (bytes.length - start < 128) {
      let text = "";
      for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
      return text;
    }
    const scratch = this.#scratch ??= new Uint8Array(WINDOW);
    const words = this.#words ??= new Uint32Array(scratch.buffer);
    const to = Math.min(start + WINDOW, bytes.length);
    scratch.set(bytes.subarray(start, to));
    for (let i = 0; i < words.length; i++) words[i] = words[i]! & 0x7f7f7f7f;
    this.#text = decoder.decode(scratch.subarray(0, to - start));
    this.#bytes = bytes;
    this.#from = start;
    this.#to = to;
    return this.#text.substring(0, length);
  }
}

const wideUnits = new Uint16Array(WINDOW);
/** For each byte of the window where its character is, and faults before it. */
const wideMap = new Uint32Array(WINDOW + 1);
const wideDecoder = new TextDecoder(
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "utf-16le" : "utf-16be",
  { ignoreBOM: true },
);
/** Whose window the two arrays hold. */
let wideOwner: WideReader | undefined;

/**
 * Makes strings of bytes with escapes and characters beyond ASCII, as
 * {@linkcode AsciiReader} does of others: a window of input is resolved and
 * decoded at once, and the strings are cut out of it.
 */
export class WideReader {
  #bytes: Uint8Array | undefined;
  #from = 0;
  #to = 0;
  #text = "";

  /**
   * Cuts out a string.
   *
   * @param bytes The input.
   * @param start Offset after the opening quote.
   * @param end Offset of the closing quote.
   * @returns The text; undefined where it must be made otherwise: it is long,
   * has a lone surrogate, or is no UTF-8.
   */
  read(bytes: Uint8Array, start: number, end: number): string | undefined {
    if (
      bytes !== this.#bytes || start < this.#from || end > this.#to ||
      wideOwner !== this
    ) {
      if (end - start > WINDOW / 4 || bytes.length - start < 256) {
        return undefined;
      }
      this.#fill(bytes, start);
      if (end > this.#to) return undefined;
    }
    const first = wideMap[start - this.#from]!;
    const last = wideMap[end - this.#from]!;
    return first >>> 16 === last >>> 16
      ? this.#text.substring(first & 0xffff, last & 0xffff)
      : undefined;
  }

  #fill(bytes: Uint8Array, from: number): void {
    const end = Math.min(from + WINDOW, bytes.length);
    const map = wideMap;
    const units = wideUnits;
    let length = 0;
    let faults = 0;
    let at = from;
    // What the window's end cuts is left out.
    while (at < end) {
      map[at - from] = faults | length;
      const first = bytes[at]!;
      if (first < 0x80) {
        if (first !== 0x5c) {
          units[length++] = first;
          at++;
          continue;
        }
        if (at + 6 > end) break;
        const letter = bytes[at + 1]!;
        if (letter !== 0x75) {
          units[length++] = SIMPLE_ESCAPE[letter]!;
          at += 2;
          continue;
        }
        const unit = unescapeUnit(bytes, at + 2);
        if ((unit & 0xf800) !== 0xd800) {
          units[length++] = unit;
          at += 6;
          continue;
        }
        if (at + 12 > end) break;
        if (
          unit < 0xdc00 && bytes[at + 6] === 0x5c && bytes[at + 7] === 0x75
        ) {
          const low = unescapeUnit(bytes, at + 8);
          if ((low & 0xfc00) === 0xdc00) {
            units[length++] = unit;
            units[length++] = low;
            at += 12;
            continue;
          }
        }
        units[length++] = 0xfffd;
        faults += 0x1_0000;
        at += 6;
        continue;
      }
      if (at + 4 > end) break;
      const second = bytes[at + 1]!;
      const third = bytes[at + 2]!;
      if ((second & 0xc0) === 0x80 && first >= 0xc2) {
        if (first < 0xe0) {
          units[length++] = (first & 0x1f) << 6 | second & 0x3f;
          at += 2;
          continue;
        }
        if ((third & 0xc0) === 0x80) {
          if (first < 0xf0) {
            if (
              (first !== 0xe0 || second >= 0xa0) &&
              (first !== 0xed || second < 0xa0)
            ) {
              units[length++] = (first & 0x0f) << 12 | (second & 0x3f) << 6 |
                third & 0x3f;
              at += 3;
              continue;
            }
          } else if (
            first < 0xf5 && (bytes[at + 3]! & 0xc0) === 0x80 &&
            (first !== 0xf0 || second >= 0x90) &&
            (first !== 0xf4 || second < 0x90)
          ) {
            const point = ((first & 0x07) << 18 | (second & 0x3f) << 12 |
              (third & 0x3f) << 6 | bytes[at + 3]! & 0x3f) - 0x1_0000;
            units[length++] = 0xd800 | point >> 10;
            units[length++] = 0xdc00 | point & 0x3ff;
            at += 4;
            continue;
          }
        }
      }
      units[length++] = 0xfffd;
      faults += 0x1_0000;
      at++;
    }
    map[at - from] = faults | length;
    this.#bytes = bytes;
    this.#from = from;
    this.#to = at;
    this.#text = wideDecoder.decode(
      new Uint8Array(units.buffer, 0, length * 2),
    );
    wideOwner = this;
  }
}

function unescapeUnit(bytes: Uint8Array, at: number): number {
  return ((HEX[bytes[at]!]! << 12) | (HEX[bytes[at + 1]!]! << 8) |
    (HEX[bytes[at + 2]!]! << 4) | HEX[bytes[at + 3]!]!) & 0xffff;
}
