/**
 * The fast road of writing: the platform's `JSON.stringify` where a look at the
 * values proves that it says what Python says, and a pass over its bytes that
 * sets Python's separators and indents. `JSON.stringify` alone would be wrong
 * about NaN, `-0`, `undefined`, `toJSON`, Maps and much else, in silence.
 *
 * @module
 */

import { Deque } from "../python/collections.ts";

/** So much is looked at and written in one go. */
const MOST_NODES = 512;
/** Characters of all strings of one go but the keys. */
const MOST_CHARS = 8192;
/** How deep one go may be; deeper values come in several. */
export const DEEPEST = 64;

/** Room that one go needs at the most, but for very long keys. */
export const LAYOUT_ROOM = 0x3_0000;
/** No line may be indented further than so many bytes. */
export const LONGEST_INDENT = 96;
/** No separator may be longer. */
export const LONGEST_SEPARATOR = 16;

let nodes = 0;
let chars = 0;

/**
 * Whether `JSON.stringify` writes a value as Python does.
 *
 * @param value The value.
 * @param deepest How deep it may be.
 * @returns Whether that is certain, and the value small enough for one go.
 */
export function isPlain(value: unknown, deepest: number): boolean {
  nodes = chars = 0;
  return isPlainValue(value, deepest);
}

/**
 * Counts the items that `JSON.stringify` writes as Python does.
 *
 * @param items An array.
 * @param options `from`: index of the first item; `deepest`: how deep items
 * may be.
 * @returns Index after the last of them that fits in one go.
 */
export function plainUntil(
  items: readonly unknown[],
  options: { from: number; deepest: number },
): number {
  const { from, deepest } = options;
  nodes = chars = 0;
  const most = Math.min(items.length, from + MOST_NODES);
  let end = from;
  while (end < most && nodes < MOST_NODES) {
    nodes++;
    if (!isPlainValue(items[end], deepest)) break;
    end++;
  }
  return end;
}

/** Whether a number looks the same in both languages. */
function isPlainNumber(value: number): boolean {
  const small = value | 0;
  if (small === value) return small !== 0 || 1 / value > 0;
  const size = value < 0 ? -value : value;
  return size >= 1e-4 && size <= 9007199254740991;
}

function isPlainValue(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      chars += value.length;
      return chars <= MOST_CHARS;
    case "number":
      return isPlainNumber(value);
    case "boolean":
      return true;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth === 0) return false;
  // Its own, enumerable or not, or that of all objects.
  if ((value as { toJSON?: unknown }).toJSON !== undefined) return false;
  if (Array.isArray(value)) {
    if (value instanceof Deque) return false;
    const length = value.length;
    nodes += length;
    if (nodes > MOST_NODES) return false;
    for (let i = 0; i < length; i++) {
      const item: unknown = value[i];
      if (typeof item === "string") {
        chars += item.length;
        if (chars > MOST_CHARS) return false;
      } else if (typeof item === "number") {
        if (!isPlainNumber(item)) return false;
      } else if (!isPlainValue(item, depth - 1)) {
        return false;
      }
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // `for in` is quick until it has met keys like "1", and slow ever after.
  const items: unknown[] = Object.values(value);
  nodes += items.length;
  if (nodes > MOST_NODES) return false;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === "string") {
      chars += item.length;
    } else if (typeof item === "number") {
      if (!isPlainNumber(item)) return false;
    } else if (!isPlainValue(item, depth - 1)) {
      return false;
    }
  }
  return chars <= MOST_CHARS;
}

/**
 * How many values the last look has met.
 *
 * @returns Their number.
 */
export function plainNodes(): number {
  return nodes;
}

const encoder = new TextEncoder();
/** Two lower-case hexadecimal digits for each byte, as they lie in memory. */
export const HEX_PAIRS: Readonly<Uint16Array> = Uint16Array.from(
  { length: 256 },
  (_, byte) => {
    const text = byte.toString(16).padStart(2, "0");
    return text.charCodeAt(0) | (text.charCodeAt(1) << 8);
  },
);
/** How many characters beyond ASCII the last text had. */
let wide = 0;
let scratch: Uint8Array<ArrayBuffer> | undefined;

/** How {@linkcode writeLayout} lays out. */
export interface Layout {
  /** Whether all but ASCII is escaped. */
  ascii: boolean;
  /** Between items. */
  item: Uint8Array;
  /** Between key and value. */
  key: Uint8Array;
  /** One level; undefined for one line. */
  indent: Uint8Array | undefined;
}

/**
 * How much room a text takes at the most.
 *
 * @param text Compact JSON.
 * @returns Bytes.
 */
export function layoutRoom(text: string): number {
  return text.length * 6 +
    (nodes + 2) * 2 * (LONGEST_SEPARATOR + LONGEST_INDENT + 1);
}

/**
 * Writes what `JSON.stringify` made as Python lays it out.
 *
 * @param text Compact JSON.
 * @param into Where to write: an array and a view of it; {@linkcode layoutRoom} bytes are free from `at`.
 * @param options `from`, `end`: the part of the text that is written; `level`:
 * levels of indent it stands at; `layout`: how.
 * @returns Offset after the last byte, or -1 where the text must be written
 * otherwise.
 */
export function writeLayout(
  text: string,
  into: { out: Uint8Array; view: DataView; at: number },
  options: { from: number; end: number; level: number; layout: Layout },
): number {
  const { from, end, level, layout } = options;
  const { ascii } = layout;
  if (ascii) {
    if (text.includes("\x7f")) return -1;
  } else if (text.includes("\\ud")) {
    // A lone surrogate, which Python does not escape.
    return -1;
  }
  // The platform is quick with ASCII and slow with all else; what comes next
  // is most often like what came before.
  if (wide > 0) return writeWide(text, into, options);
  const size = text.length * 3;
  if (scratch === undefined || scratch.length < size) {
    scratch = new Uint8Array(Math.max(size, 0x1_0000));
  }
  const bytes = scratch;
  if (encoder.encodeInto(text, bytes).written !== text.length) {
    return writeWide(text, into, options);
  }
  const { out, at } = into;
  if (layout.indent !== undefined) {
    return writeIndented(bytes, out, {
      from,
      end,
      at,
      level,
      layout,
      indent: layout.indent,
    });
  }
  return writeOneLine(bytes, out, { from, end, at, layout });
}

/**
 * How many characters beyond ASCII the text had that was written last.
 *
 * @returns Their number.
 */
export function wideCharacters(): number {
  return wide;
}

function writeOneLine(
  bytes: Uint8Array,
  out: Uint8Array,
  options: { from: number; end: number; at: number; layout: Layout },
): number {
  const { from, end, layout: { item, key } } = options;
  let { at } = options;
  for (let i = from; i < end;) {
    let byte = bytes[i++]!;
    if (byte === 0x22) {
      out[at++] = 0x22;
      while ((byte = bytes[i++]!) !== 0x22) {
        out[at++] = byte;
        if (byte === 0x5c) out[at++] = bytes[i++]!;
      }
      out[at++] = 0x22;
    } else if (byte === 0x2c) {
      for (let j = 0; j < item.length; j++) out[at++] = item[j]!;
    } else if (byte === 0x3a) {
      for (let j = 0; j < key.length; j++) out[at++] = key[j]!;
    } else {
      out[at++] = byte;
    }
  }
  return at;
}

function writeIndented(
  bytes: Uint8Array,
  out: Uint8Array,
  options: {
    from: number;
    end: number;
    at: number;
    level: number;
    layout: Layout;
    indent: Uint8Array;
  },
): number {
  const { from, end, layout: { item, key }, indent } = options;
  let { at, level } = options;
  for (let i = from; i < end;) {
    let byte = bytes[i++]!;
    let newline = false;
    if (byte === 0x22) {
      out[at++] = 0x22;
      while ((byte = bytes[i++]!) !== 0x22) {
        out[at++] = byte;
        if (byte === 0x5c) out[at++] = bytes[i++]!;
      }
      out[at++] = 0x22;
    } else if (byte === 0x2c) {
      for (let j = 0; j < item.length; j++) out[at++] = item[j]!;
      newline = true;
    } else if (byte === 0x3a) {
      for (let j = 0; j < key.length; j++) out[at++] = key[j]!;
    } else if (byte === 0x5b || byte === 0x7b) {
      out[at++] = byte;
      const next = bytes[i]!;
      if (next === 0x5d || next === 0x7d) {
        out[at++] = next;
        i++;
      } else {
        level++;
        newline = true;
      }
    } else if (byte === 0x5d || byte === 0x7d) {
      level--;
      out[at++] = 10;
      for (let j = 0; j < level; j++) {
        for (let k = 0; k < indent.length; k++) out[at++] = indent[k]!;
      }
      out[at++] = byte;
    } else {
      out[at++] = byte;
    }
    if (newline) {
      out[at++] = 10;
      for (let j = 0; j < level; j++) {
        for (let k = 0; k < indent.length; k++) out[at++] = indent[k]!;
      }
    }
  }
  return at;
}

/** As the two above, for text with more than ASCII. */
function writeWide(
  text: string,
  into: { out: Uint8Array; view: DataView; at: number },
  options: { from: number; end: number; level: number; layout: Layout },
): number {
  const { from, end, layout: { ascii, item, key, indent } } = options;
  const { out, view } = into;
  let { at } = into;
  let { level } = options;
  wide = 0;
  for (let i = from; i < end;) {
    let unit = text.charCodeAt(i++);
    let newline = false;
    if (unit === 0x22) {
      out[at++] = 0x22;
      while ((unit = text.charCodeAt(i++)) !== 0x22) {
        if (unit < 0x80) {
          out[at++] = unit;
          if (unit === 0x5c) out[at++] = text.charCodeAt(i++);
          continue;
        }
        wide++;
        if (ascii) {
          view.setUint16(at, 0x755c, true);
          view.setUint16(at + 2, HEX_PAIRS[unit >> 8]!, true);
          view.setUint16(at + 4, HEX_PAIRS[unit & 0xff]!, true);
          at += 6;
        } else if (unit < 0x800) {
          out[at++] = 0xc0 | (unit >> 6);
          out[at++] = 0x80 | (unit & 0x3f);
        } else if ((unit & 0xfc00) !== 0xd800) {
          out[at++] = 0xe0 | (unit >> 12);
          out[at++] = 0x80 | ((unit >> 6) & 0x3f);
          out[at++] = 0x80 | (unit & 0x3f);
        } else {
          // `JSON.stringify` leaves no surrogate alone.
          const low = text.charCodeAt(i++);
          const code = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
          out[at++] = 0xf0 | (code >> 18);
          out[at++] = 0x80 | ((code >> 12) & 0x3f);
          out[at++] = 0x80 | ((code >> 6) & 0x3f);
          out[at++] = 0x80 | (code & 0x3f);
        }
      }
      out[at++] = 0x22;
    } else if (unit === 0x2c) {
      for (let j = 0; j < item.length; j++) out[at++] = item[j]!;
      newline = indent !== undefined;
    } else if (unit === 0x3a) {
      for (let j = 0; j < key.length; j++) out[at++] = key[j]!;
    } else if (indent === undefined) {
      out[at++] = unit;
    } else if (unit === 0x5b || unit === 0x7b) {
      out[at++] = unit;
      const next = text.charCodeAt(i);
      if (next === 0x5d || next === 0x7d) {
        out[at++] = next;
        i++;
      } else {
        level++;
        newline = true;
      }
    } else if (unit === 0x5d || unit === 0x7d) {
      level--;
      at = writeLine(out, at, { level, indent });
      out[at++] = unit;
    } else {
      out[at++] = unit;
    }
    if (newline) at = writeLine(out, at, { level, indent: indent! });
  }
  return at;
}

function writeLine(
  out: Uint8Array,
  at: number,
  { level, indent }: { level: number; indent: Uint8Array },
): number {
  out[at++] = 10;
  for (let j = 0; j < level; j++) {
    for (let k = 0; k < indent.length; k++) out[at++] = indent[k]!;
  }
  return at;
}
