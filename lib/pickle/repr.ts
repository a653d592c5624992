/**
 * How Python prints what an opcode's argument may be.
 *
 * @module
 */

import { rawUnicodeEscapePoints } from "./arguments.ts";

const PLAIN = /^[ !#-&(-[\]-~]*$/;

// What `str.isprintable` denies, but for the blank.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u;

/**
 * Pairs of first and last code point that came with Unicode 16. CPython 3.13
 * knows 15.1 and takes them for unassigned.
 */
const YOUNGER = (
  "897 897 1b4e 1b4f 1b7f 1b7f 1c89 1c8a 2427 2429 31e4 31e5 a7cb a7cd " +
  "a7da a7dc 105c0 105f3 10d40 10d65 10d69 10d85 10d8e 10d8f 10ec2 10ec4 " +
  "10efc 10efc 11380 11389 1138b 1138b 1138e 1138e 11390 113b5 113b7 " +
  "113c0 113c2 113c2 113c5 113c5 113c7 113ca 113cc 113d5 113d7 113d8 " +
  "113e1 113e2 116d0 116e3 11bc0 11be1 11bf0 11bf9 11f5a 11f5a 13460 " +
  "143fa 16100 16139 16d40 16d79 18cff 18cff 1cc00 1ccf9 1cd00 1ceb3 " +
  "1e5d0 1e5fa 1e5ff 1e5ff 1f8b2 1f8bb 1f8c0 1f8c1 1fa89 1fa89 1fa8f " +
  "1fa8f 1fabe 1fabe 1fac6 1fac6 1fadc 1fadc 1fadf 1fadf 1fae9 1fae9 " +
  "1fbcb 1fbef"
).split(" ").map((hex) => parseInt(hex, 16));

function isPrintable(point: number): boolean {
  if (point < 0x7f) return point >= 0x20;
  if (UNPRINTABLE.test(String.fromCodePoint(point))) return false;
  if (point < YOUNGER[0]!) return true;
  for (let i = 0; i < YOUNGER.length; i += 2) {
    if (point >= YOUNGER[i]! && point <= YOUNGER[i + 1]!) return false;
  }
  return true;
}

/** As many hex digits, after `\x`, `\u` or `\U`. */
function hexEscape(point: number): string {
  const hex = point.toString(16);
  return point < 0x100
    ? "\\x" + hex.padStart(2, "0")
    : point < 0x10000
    ? "\\u" + hex.padStart(4, "0")
    : "\\U" + hex.padStart(8, "0");
}

function escapePoint(point: number, quote: string): string {
  switch (point) {
    case 0x09:
      return "\\t";
    case 0x0a:
      return "\\n";
    case 0x0d:
      return "\\r";
    case 0x5c:
      return "\\\\";
  }
  const character = String.fromCodePoint(point);
  if (character === quote) return "\\" + character;
  return isPrintable(point) ? character : hexEscape(point);
}

/**
 * Prints code points as Python's `repr` prints a str of them. Unlike a
 * string, they can be two surrogates that do not make a pair.
 *
 * @param points The code points
 * @returns A Python literal
 */
export function pointsRepr(points: readonly number[]): string {
  const quote = points.includes(0x27) && !points.includes(0x22) ? '"' : "'";
  const parts = [quote];
  for (const point of points) parts.push(escapePoint(point, quote));
  parts.push(quote);
  return parts.join("");
}

/**
 * Prints a text as Python's `repr` does.
 *
 * @param text Any text
 * @returns A Python literal
 */
export function strRepr(text: string): string {
  if (PLAIN.test(text)) return `'${text}'`;
  return pointsRepr(Array.from(text, (character) => character.codePointAt(0)!));
}

/**
 * Prints bytes as Python's `repr` does.
 *
 * @param bytes Any bytes
 * @returns A Python literal
 */
export function bytesRepr(bytes: Uint8Array): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  const parts = ["b" + quote];
  for (const byte of bytes) {
    parts.push(byte < 0x7f ? escapePoint(byte, quote) : hexEscape(byte));
  }
  parts.push(quote);
  return parts.join("");
}

/**
 * Prints a bytearray as Python's `repr` does, which escapes `'` even between
 * double quotes.
 *
 * @param bytes Any bytes
 * @returns A Python expression
 */
export function bytearrayRepr(bytes: Uint8Array): string {
  const literal = bytesRepr(bytes);
  return `bytearray(${
    literal[1] === '"' ? literal.replaceAll("'", "\\'") : literal
  })`;
}

/**
 * Prints a str of UTF-8 as Python's `repr` does, `text` being what the bytes
 * say: only where two surrogates of three bytes each follow one another are
 * they told from the astral character that a string makes of them.
 *
 * @param utf8 The bytes
 * @param text What they say
 * @returns A Python literal
 */
export function utf8Repr(utf8: Uint8Array, text: string): string {
  if (PLAIN.test(text)) return `'${text}'`;
  const points: number[] = [];
  let at = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point >= 0x10000 && utf8[at] === 0xed) {
      points.push(character.charCodeAt(0), character.charCodeAt(1));
      at += 6;
      continue;
    }
    points.push(point);
    at += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return pointsRepr(points);
}

/**
 * Prints the str of a UNICODE opcode's line as Python's `repr` does.
 *
 * @param line The line
 * @returns A Python literal
 */
export function rawUnicodeRepr(line: Uint8Array): string {
  return pointsRepr(rawUnicodeEscapePoints(line));
}
