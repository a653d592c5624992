/**
 * Strings of a pickle. A call of the platform's decoder costs more than most
 * strings are long, so that many are decoded at a time.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import * as op from "./opcodes.ts";

/** From this size on, the bytes are looked at four at a time. */
const LARGE_INPUT = 8192;
/** How many bytes or units one decoding covers. */
const WINDOW = 4096;
const windowBytes = new Uint8Array(WINDOW);
const windowWords = new Uint32Array(windowBytes.buffer);
const asciiDecoder = new TextDecoder();
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** How long a string may be to be decoded with others. */
const LONGEST_ASCII = 200;
const LONGEST_WIDE = 1000;
/** How many strings that are not ASCII are decoded at a time. */
const WIDE_STRINGS = 512;
const wideUnits = new Uint16Array(WINDOW + LONGEST_WIDE);
/** Where in the input each string begins, and where in the decoded text. */
const wideStarts = new Float64Array(WIDE_STRINGS + 1);
const wideUnitAt = new Uint32Array(WIDE_STRINGS + 2);
const wideDecoder = new TextDecoder(
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "utf-16le" : "utf-16be",
  { ignoreBOM: true },
);

/**
 * Keys of dicts seen before, by a hash of their bytes. V8 has to look up each
 * new string that becomes a property; the old one it knows.
 */
const KEY_TABLE = 1024;
const keyTable: string[] = new Array(KEY_TABLE).fill("");
/** Which key came next, the last time. */
const keyNext = new Uint16Array(KEY_TABLE);

/** Length up to which a string is looked up as a key, in bytes. */
export const LONGEST_KEY = 32;

/** Opcodes that may stand between one string and the next, with their sizes. */
const SKIPPED_SIZES = new Uint8Array(256);
for (
  const [code, size] of [
    [op.MEMOIZE, 1],
    [op.BINPUT, 2],
    [op.LONG_BINPUT, 5],
    [op.BINGET, 2],
    [op.LONG_BINGET, 5],
    [op.BININT, 5],
    [op.BININT1, 2],
    [op.BININT2, 3],
    [op.BINFLOAT, 9],
    [op.NONE, 1],
    [op.NEWTRUE, 1],
    [op.NEWFALSE, 1],
    [op.MARK, 1],
    [op.APPENDS, 1],
    [op.SETITEMS, 1],
    [op.EMPTY_LIST, 1],
    [op.EMPTY_DICT, 1],
    [op.TUPLE2, 1],
    [op.FRAME, 9],
  ] as const
) SKIPPED_SIZES[code] = size;

/**
 * Short text of bytes that are ASCII.
 *
 * @param bytes The input.
 * @param from Offset of the first byte.
 * @param to Offset after the last.
 * @returns The text.
 */
export function asciiText(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  let i = from;
  for (; i + 8 <= to; i += 8) {
    text += String.fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
      bytes[i + 4]!,
      bytes[i + 5]!,
      bytes[i + 6]!,
      bytes[i + 7]!,
    );
  }
  if (i + 4 <= to) {
    text += String.fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
    );
    i += 4;
  }
  for (; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/**
 * UTF-8 to UTF-16 in `wideUnits`, without surrogates.
 *
 * @returns Offset after the last unit; -1 where it is no such UTF-8.
 */
function transcodeUtf8(
  bytes: Uint8Array,
  from: number,
  to: number,
  length: number,
): number {
  const units = wideUnits;
  let at = from;
  while (at < to) {
    const first = bytes[at]!;
    if (first < 0x80) {
      units[length++] = first;
      at++;
      continue;
    }
    if (at + 2 > to) return -1;
    // All bits that must be so are compared at once.
    const two = first << 8 | bytes[at + 1]!;
    if ((two & 0xe0c0) === 0xc080) {
      if (two < 0xc280) return -1;
      units[length++] = two >> 2 & 0x7c0 | two & 0x3f;
      at += 2;
      continue;
    }
    if (at + 3 > to) return -1;
    const three = two << 8 | bytes[at + 2]!;
    if ((three & 0xf0c0c0) === 0xe08080) {
      const unit = three >> 4 & 0xf000 | three >> 2 & 0xfc0 | three & 0x3f;
      if (unit < 0x800 || (unit & 0xf800) === 0xd800) return -1;
      units[length++] = unit;
      at += 3;
      continue;
    }
    if (at + 4 > to) return -1;
    const four = three << 8 | bytes[at + 3]!;
    if ((four & 0xf8c0c0c0) !== (0xf0808080 | 0)) return -1;
    const point = four >> 6 & 0x1c0000 | four >> 4 & 0x3f000 |
      four >> 2 & 0xfc0 | four & 0x3f;
    if (point < 0x10000 || point > 0x10ffff) return -1;
    units[length++] = 0xd7c0 + (point >> 10);
    units[length++] = 0xdc00 | point & 0x3ff;
    at += 4;
  }
  return length;
}

/** The string that V8 has for a name, which it need not look up again. */
function asKey(text: string): string {
  const object: Record<string, null> = {};
  Object.defineProperty(object, text, { value: null, enumerable: true });
  return Object.keys(object)[0]!;
}

/** Whether ASCII text is what some bytes say. */
function isText(
  text: string,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  const length = text.length;
  if (length !== to - from) return false;
  let i = 0;
  while (i < length && text.charCodeAt(i) === bytes[from + i]) i++;
  return i === length;
}

/** Reads the strings of one input. */
export class StringReader {
  #bytes: Uint8Array = new Uint8Array(0);
  /** A view of the same, where there is much of it. */
  #view: DataView | undefined;
  #end = 0;
  // ASCII of the bytes from #windowStart to #windowEnd, opcodes and all.
  #windowStart = 0;
  #windowEnd = 0;
  #window = "";
  // Strings that are not ASCII, by `wideStarts`. The tables are everybody's.
  #wideNext = 0;
  #wideCount = 0;
  #wide = "";
  /** Place in the table of the key read last. */
  #lastKey = 0;

  /**
   * Begins with other input.
   *
   * @param bytes The input.
   */
  setInput(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = undefined;
    this.#end = bytes.length;
    this.#windowStart = this.#windowEnd = 0;
    this.#wideNext = this.#wideCount = 0;
    this.#window = this.#wide = "";
  }

  /**
   * Reads a string.
   *
   * @param from Offset of its first byte.
   * @param to Offset after its last.
   * @returns The text, lone surrogates kept.
   * @throws {Utf8Error} Where it is no UTF-8.
   */
  text(from: number, to: number): string {
    const length = to - from;
    if (length > LONGEST_ASCII) {
      return length > LONGEST_WIDE
        ? this.#decode(from, to)
        : this.#wideText(from, to);
    }
    const bytes = this.#bytes;
    const view = this.#view;
    // Text that is not ASCII mostly begins so.
    let bits = length > 0 ? bytes[from]! : 0;
    if (bits < 0x80) {
      if (view !== undefined && length >= 4) {
        bits = view.getInt32(to - 4);
        for (let i = from; i < to - 4; i += 4) bits |= view.getInt32(i);
      } else {
        for (let i = from + 1; i < to; i++) bits |= bytes[i]!;
      }
    }
    if ((bits & 0x80808080) !== 0) return this.#wideText(from, to);
    if (from >= this.#windowStart && to <= this.#windowEnd) {
      return this.#window.substring(
        from - this.#windowStart,
        to - this.#windowStart,
      );
    }
    if (this.#end - from < LONGEST_ASCII) return asciiText(bytes, from, to);
    const size = Math.min(WINDOW, this.#end - from);
    windowBytes.set(bytes.subarray(from, from + size));
    if (this.#end > LARGE_INPUT) {
      this.#view ??= new DataView(
        bytes.buffer,
        bytes.byteOffset,
        bytes.byteLength,
      );
    }
    // What is no ASCII is no string of this window: any character will do.
    const words = (size + 3) >> 2;
    for (let i = 0; i < words; i++) windowWords[i]! &= 0x7f7f7f7f;
    this.#window = asciiDecoder.decode(
      size === WINDOW ? windowBytes : windowBytes.subarray(0, size),
    );
    this.#windowStart = from;
    this.#windowEnd = from + size;
    return this.#window.substring(0, length);
  }

  /**
   * Reads a string that is to be a key of a dict, of {@linkcode LONGEST_KEY}
   * bytes at the most.
   *
   * @param from Offset of its first byte.
   * @param to Offset after its last.
   * @returns The text.
   * @throws {Utf8Error} Where it is no UTF-8.
   */
  key(from: number, to: number): string {
    const bytes = this.#bytes;
    // Dicts of one kind have their keys in one order.
    const guess = keyNext[this.#lastKey]!;
    if (isText(keyTable[guess]!, bytes, from, to)) {
      this.#lastKey = guess;
      return keyTable[guess]!;
    }
    let hash = to - from;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) return this.#wideText(from, to);
      hash = Math.imul(hash, 31) + byte | 0;
    }
    const slot = (hash ^ hash >>> 15) & KEY_TABLE - 1;
    keyNext[this.#lastKey] = slot;
    this.#lastKey = slot;
    if (!isText(keyTable[slot]!, bytes, from, to)) {
      keyTable[slot] = asKey(asciiText(bytes, from, to));
    }
    return keyTable[slot]!;
  }

  #decode(from: number, to: number): string {
    const bytes = this.#bytes.subarray(from, to);
    // The decoder that throws is twice as slow.
    const text = utf8Decoder.decode(bytes);
    return text.includes("\ufffd") ? decodeUtf8(bytes) : text;
  }

  /** This string and those that follow it, as far as they are easily seen. */
  #wideText(from: number, to: number): string {
    let next = this.#wideNext;
    while (next < this.#wideCount && wideStarts[next]! < from) next++;
    if (next >= this.#wideCount || wideStarts[next] !== from || !this.#mine()) {
      if (this.#end - from < 400 || !this.#widen(from, to)) {
        return this.#decode(from, to);
      }
      next = 0;
    }
    this.#wideNext = next + 1;
    return this.#wide.substring(wideUnitAt[next]!, wideUnitAt[next + 1]!);
  }

  /** Whether no other reader has used the tables meanwhile. */
  #mine(): boolean {
    return tablesOf === this;
  }

  /** Decodes a string and those after it. Tells whether it is UTF-8. */
  #widen(from: number, to: number): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    tablesOf = this;
    this.#wideCount = this.#wideNext = 0;
    let units = transcodeUtf8(bytes, from, to, 0);
    if (units < 0) return false;
    let count = 0;
    wideUnitAt[0] = 0;
    wideStarts[count] = from;
    wideUnitAt[++count] = units;
    let at = to;
    while (units < WINDOW && count < WIDE_STRINGS && at + 5 < end) {
      const code = bytes[at]!;
      let length: number;
      if (code === op.SHORT_BINUNICODE) {
        length = bytes[at + 1]!;
        at += 2;
      } else if (code === op.BINUNICODE) {
        length = (bytes[at + 1]! | bytes[at + 2]! << 8 |
          bytes[at + 3]! << 16 | bytes[at + 4]! << 24) >>> 0;
        at += 5;
      } else {
        const size = SKIPPED_SIZES[code]!;
        if (size === 0) break;
        at += size;
        continue;
      }
      if (length > LONGEST_WIDE || at + length > end) break;
      const next = transcodeUtf8(bytes, at, at + length, units);
      if (next < 0) break;
      units = next;
      wideStarts[count] = at;
      wideUnitAt[++count] = units;
      at += length;
    }
    this.#wideCount = count;
    this.#wide = wideDecoder.decode(wideUnits.subarray(0, units));
    return true;
  }
}

let tablesOf: StringReader | undefined;
