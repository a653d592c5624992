/**
 * The arguments of opcodes: how they stand in the stream, and what they mean
 * to `pickletools`. (The unpickler is laxer or stricter in places: it takes
 * `0x10` for an INT, and UTF-8 for the lines of a GLOBAL.)
 *
 * @module
 */

import { decodeUtf8, Utf8Error } from "../bytes/utf8.ts";
import { ByteArray } from "../python/byte_array.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import type { ArgumentKind, Opcode } from "./opcodes.ts";

/** How an argument stands in the stream; one of the three is not 0. */
export interface ArgumentLayout {
  /** It has this many bytes. */
  readonly fixed: number;
  /** Its length comes first, in this many bytes, little-endian. */
  readonly prefix: 0 | 1 | 4 | 8;
  /** It ends with the line, or with the second line. */
  readonly lines: 0 | 1 | 2;
  /** Whether the length that comes first has a sign. */
  readonly signed: boolean;
}

function layout(
  fixed: number,
  prefix: ArgumentLayout["prefix"] = 0,
  lines: ArgumentLayout["lines"] = 0,
  signed = false,
): ArgumentLayout {
  return { fixed, prefix, lines, signed };
}

/** How each kind of argument stands in the stream. */
export const ARGUMENT_LAYOUTS: Readonly<Record<ArgumentKind, ArgumentLayout>> =
  {
    none: layout(0),
    uint1: layout(1),
    uint2: layout(2),
    int4: layout(4),
    uint4: layout(4),
    uint8: layout(8),
    float8: layout(8),
    stringnl: layout(0, 0, 1),
    stringnl_noescape: layout(0, 0, 1),
    stringnl_noescape_pair: layout(0, 0, 2),
    decimalnl_short: layout(0, 0, 1),
    decimalnl_long: layout(0, 0, 1),
    floatnl: layout(0, 0, 1),
    unicodestringnl: layout(0, 0, 1),
    string1: layout(0, 1),
    string4: layout(0, 4, 0, true),
    bytes1: layout(0, 1),
    bytes4: layout(0, 4),
    bytes8: layout(0, 8),
    bytearray8: layout(0, 8),
    unicodestring1: layout(0, 1),
    unicodestring4: layout(0, 4),
    unicodestring8: layout(0, 8),
    long1: layout(0, 1),
    long4: layout(0, 4, 0, true),
  };

/**
 * An argument as `pickletools` reads it: null where the opcode has none;
 * integers are bigints when no number holds them; both lines of a
 * `stringnl_noescape_pair` with a blank between.
 */
export type ArgumentValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array<ArrayBuffer>;

/** Python refuses to read or write longer decimal integers (CVE-2020-10735). */
export const MAX_INT_DIGITS = 4300;

/** What is wrong with an argument; the reader adds where. */
export class ArgumentFault extends Error {
  /** What kind of damage it is. */
  readonly code: UnpicklingErrorCode;

  /**
   * Makes the fault.
   *
   * @param code What kind of damage it is
   * @param message What is wrong, in few words
   */
  constructor(code: UnpicklingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Reads the number of an unsigned little-endian integer. Above 2^53 it is
 * rounded, which is good enough for a length that nothing can reach.
 *
 * @param bytes Where it stands
 * @param layout `at`: its offset; `size`: 1, 2, 4 or 8
 * @returns The number
 */
export function readUint(
  bytes: Uint8Array,
  { at, size }: { at: number; size: number },
): number {
  let value = 0;
  for (let i = at + size - 1; i >= at; i--) value = value * 256 + bytes[i]!;
  return value;
}

/**
 * Reads a two's complement little-endian integer of any size, in linear time.
 *
 * @param bytes All of its bytes; none is zero
 * @returns A number when it is safe, else a bigint
 */
export function readLong(bytes: Uint8Array): number | bigint {
  const size = bytes.length;
  if (size === 0) return 0;
  const negative = bytes[size - 1]! >= 0x80;
  if (size <= 6) {
    const value = readUint(bytes, { at: 0, size });
    return negative ? value - 2 ** (8 * size) : value;
  }
  // By way of hex: shifting digit by digit would be quadratic.
  const digits = new Array<string>(size);
  for (let i = 0; i < size; i++) digits[size - 1 - i] = HEX[bytes[i]!]!;
  let value = BigInt("0x" + digits.join(""));
  if (negative) value -= 1n << BigInt(8 * size);
  return demote(value);
}

const HEX = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/** A number when it is safe. */
function demote(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) &&
      value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}

/**
 * Reads bytes as Latin-1, one character each.
 *
 * @param bytes Any bytes
 * @returns As many characters
 */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}

/**
 * Reads what Python's `int(bytes)` reads.
 *
 * @param line The digits
 * @returns A number when it is safe, else a bigint
 * @throws {ArgumentFault} Where Python throws a ValueError
 */
export function parseDecimal(line: Uint8Array): number | bigint {
  const text = decodeLatin1(line);
  const match = /^[\t-\r ]*([+-]?)(\d+(?:_\d+)*)[\t-\r ]*$/.exec(text);
  if (match === null) {
    throw new ArgumentFault("bad-number", "invalid literal for int()");
  }
  const digits = match[2]!.replaceAll("_", "");
  if (digits.length > MAX_INT_DIGITS) {
    throw new ArgumentFault(
      "bad-number",
      `an integer of ${digits.length} digits exceeds Python's limit of ${MAX_INT_DIGITS}`,
    );
  }
  const value = digits.length < 16 ? Number(digits) : BigInt(digits);
  if (typeof value === "bigint") {
    return demote(match[1] === "-" ? -value : value);
  }
  return match[1] === "-" && value !== 0 ? -value : value;
}

/**
 * Reads what Python's `float(bytes)` reads.
 *
 * @param line The digits
 * @returns The number
 * @throws {ArgumentFault} Where Python throws a ValueError
 */
export function parseFloatLine(line: Uint8Array): number {
  const text = decodeLatin1(line);
  const match =
    /^[\t-\r ]*([+-]?)(?:((?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?)|(inf(?:inity)?)|nan)[\t-\r ]*$/i
      .exec(text);
  if (match === null) {
    throw new ArgumentFault("bad-number", "could not convert string to float");
  }
  const [, sign, digits, infinity] = match;
  const value = digits !== undefined
    ? Number(digits.replaceAll("_", ""))
    : infinity !== undefined
    ? Infinity
    : NaN;
  return sign === "-" ? -value : value;
}

const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x5c, 0x5c], // \\
  [0x27, 0x27], // \'
  [0x22, 0x22], // \"
  [0x62, 0x08], // \b
  [0x66, 0x0c], // \f
  [0x74, 0x09], // \t
  [0x6e, 0x0a], // \n
  [0x72, 0x0d], // \r
  [0x76, 0x0b], // \v
  [0x61, 0x07], // \a
]);

/**
 * Takes the escapes of a bytes literal away, as `codecs.escape_decode`.
 *
 * @param source What stood between the quotes
 * @returns The bytes it means
 * @throws {ArgumentFault} Where Python throws a ValueError
 */
export function decodeEscapes(source: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length;) {
    const byte = source[at++]!;
    if (byte !== 0x5c) {
      out[length++] = byte;
      continue;
    }
    const letter = source[at++];
    if (letter === undefined) {
      throw new ArgumentFault("bad-string", "Trailing \\ in string");
    }
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      out[length++] = simple;
    } else if (letter === 0x0a) {
      // A backslash at the end of a line takes the line break away.
    } else if (letter >= 0x30 && letter <= 0x37) {
      let value = letter - 0x30;
      for (let i = 0; i < 2; i++) {
        const next = source[at];
        if (next === undefined || next < 0x30 || next > 0x37) break;
        value = value * 8 + next - 0x30;
        at++;
      }
      out[length++] = value;
    } else if (letter === 0x78) {
      const high = hexDigit(source[at]);
      const low = hexDigit(source[at + 1]);
      if (high < 0 || low < 0) {
        throw new ArgumentFault(
          "bad-string",
          `invalid \\x escape at position ${at - 2}`,
        );
      }
      out[length++] = high * 16 + low;
      at += 2;
    } else {
      out[length++] = 0x5c;
      out[length++] = letter;
    }
  }
  return out.slice(0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Reads the code points of raw-unicode-escape: Latin-1, with `\u` and `\U`
 * and no other escape. Surrogates stay apart.
 *
 * @param source The line
 * @returns Its code points
 * @throws {ArgumentFault} Where Python throws a UnicodeDecodeError
 */
export function rawUnicodeEscapePoints(source: Uint8Array): number[] {
  const points: number[] = [];
  for (let at = 0; at < source.length;) {
    const byte = source[at++]!;
    if (byte !== 0x5c || at === source.length) {
      points.push(byte);
      continue;
    }
    const letter = source[at++]!;
    const size = letter === 0x75 ? 4 : letter === 0x55 ? 8 : 0;
    if (size === 0) {
      points.push(byte, letter);
      continue;
    }
    let value = 0;
    for (let i = 0; i < size; i++) {
      const digit = hexDigit(source[at++]);
      if (digit < 0) {
        throw new ArgumentFault(
          "bad-string",
          size === 4
            ? "truncated \\uXXXX escape"
            : "truncated \\UXXXXXXXX escape",
        );
      }
      value = value * 16 + digit;
    }
    if (value > 0x10ffff) {
      throw new ArgumentFault("bad-string", "\\Uxxxxxxxx out of range");
    }
    points.push(value);
  }
  return points;
}

/**
 * Reads raw-unicode-escape.
 *
 * @param source The line
 * @returns The text
 * @throws {ArgumentFault} Where Python throws a UnicodeDecodeError
 */
export function decodeRawUnicodeEscape(source: Uint8Array): string {
  if (source.indexOf(0x5c) < 0) return decodeLatin1(source);
  const points = rawUnicodeEscapePoints(source);
  let text = "";
  for (let at = 0; at < points.length; at += 4096) {
    text += String.fromCodePoint(...points.slice(at, at + 4096));
  }
  return text;
}

/** ASCII with escapes, as `pickletools` reads lines that are text. */
function decodeAsciiEscapes(source: Uint8Array): string {
  const bytes = source.indexOf(0x5c) < 0 ? source : decodeEscapes(source);
  for (const byte of bytes) {
    if (byte >= 0x80) {
      throw new ArgumentFault("bad-string", "the line is not ASCII");
    }
  }
  return decodeLatin1(bytes);
}

function decodeQuoted(line: Uint8Array): string {
  const quote = line[0];
  if (quote !== 0x22 && quote !== 0x27) {
    throw new ArgumentFault("bad-string", "no string quotes around it");
  }
  if (line.at(-1) !== quote) {
    throw new ArgumentFault("bad-string", "string quote not at both ends");
  }
  return decodeAsciiEscapes(line.subarray(1, -1));
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof Utf8Error)) throw error;
    throw new ArgumentFault("bad-utf8", error.message);
  }
}

/** What is in an argument, by its kind. */
function decodeKind(kind: ArgumentKind, content: Uint8Array): ArgumentValue {
  switch (kind) {
    case "none":
      return null;
    case "uint1":
    case "uint2":
    case "uint4":
      return readUint(content, { at: 0, size: content.length });
    case "int4":
    case "long1":
    case "long4":
      return readLong(content);
    case "uint8":
      return content[7]! < 0x80
        ? readLong(content)
        : BigInt.asUintN(64, BigInt(readLong(content)));
    case "float8":
      return new DataView(content.buffer, content.byteOffset, 8).getFloat64(0);
    case "stringnl":
      return decodeQuoted(content);
    case "stringnl_noescape":
      return decodeAsciiEscapes(content);
    case "stringnl_noescape_pair": {
      const cut = content.indexOf(0x0a);
      return decodeAsciiEscapes(content.subarray(0, cut)) + " " +
        decodeAsciiEscapes(content.subarray(cut + 1));
    }
    case "decimalnl_short":
      if (content.length === 2 && content[0] === 0x30) {
        if (content[1] === 0x30) return false;
        if (content[1] === 0x31) return true;
      }
      return parseDecimal(content);
    case "decimalnl_long":
      return parseDecimal(
        content.at(-1) === 0x4c ? content.subarray(0, -1) : content,
      );
    case "floatnl":
      return parseFloatLine(content);
    case "string1":
    case "string4":
      return decodeLatin1(content);
    case "bytes1":
    case "bytes4":
    case "bytes8":
      return content.slice() as Uint8Array<ArrayBuffer>;
    case "bytearray8":
      return new ByteArray(content);
    case "unicodestringnl":
      return decodeRawUnicodeEscape(content);
    case "unicodestring1":
    case "unicodestring4":
    case "unicodestring8":
      return decodeText(content);
  }
}

/**
 * Reads an argument as `pickletools` does.
 *
 * @param opcode Whose argument it is
 * @param at `content`: its bytes, without the length before it or the line
 * break behind it; `offset`: where the opcode stands
 * @returns Its value
 * @throws {UnpicklingError} If the bytes are no such argument
 */
export function decodeArgument(
  opcode: Opcode,
  { content, offset }: { content: Uint8Array; offset: number },
): ArgumentValue {
  try {
    return decodeKind(opcode.argument, content);
  } catch (error) {
    // A runtime's bigint has an end: a million bits in Firefox.
    const fault = error instanceof RangeError
      ? new ArgumentFault("bad-number", error.message)
      : error;
    if (!(fault instanceof ArgumentFault)) throw error;
    throw new UnpicklingError(fault.message, {
      code: fault.code,
      offset,
      opcode: opcode.name,
    });
  }
}
