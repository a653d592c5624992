/**
 * When the platform's `JSON.parse` gave what Python's `json.loads` gives. The
 * proof is in the value: an int that JavaScript cannot hold has become a number
 * beyond 2^53, and `-0`, which is the int 0 to Python, is there to be seen. A
 * look at the value costs a tenth of what reading the text with care would.
 * What `JSON.parse` refuses (NaN, an error) needs no proof: that goes to the
 * reader of our own.
 *
 * @module
 */

import type { Limits } from "../python/limits.ts";

/** So many calls fit on any stack. */
const SHALLOW = 64;
/** Ints of fewer digits are safe. */
const UNSAFE_DIGITS = 16;

/** Shorter texts cannot make `JSON.parse` take much. */
const LONG = 0x20_0000;
/** So many brackets, one within the other, cost it some 25 to 40 MB. */
const BRACKETS = 0x8_0000;
const SAMPLES = 4096;

/**
 * Whether `JSON.parse` may have the text: it takes some 46 bytes for each open
 * bracket, and has no limit of its own, so that 30 MB of `[` take 1.4 GB.
 *
 * @param text The text.
 * @param limit How deep it may nest.
 * @returns Whether that is harmless.
 */
export function isHarmless(text: string, limit: number): boolean {
  const length = text.length;
  if (length < LONG) return true;
  // How many brackets there are is guessed from places that nobody can know
  // beforehand; most texts have few.
  let found = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const code = text.charCodeAt(Math.random() * length);
    if (code === 0x5b || code === 0x7b) found++;
  }
  if (found / SAMPLES * length <= BRACKETS) return true;
  let depth = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < length; i++) {
        const inner = text.charCodeAt(i);
        if (inner === 0x22) break;
        if (inner === 0x5c) i++;
      }
    } else if (code === 0x5b || code === 0x7b) {
      // Our own reader says so, before it takes much.
      if (++depth > limit) return false;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return true;
}

/**
 * Whether a value is what Python would have read.
 *
 * @param value What `JSON.parse` made of the text.
 * @param text The text.
 * @param limits What the text may want.
 * @returns Whether that is certain.
 */
export function isExact(
  value: unknown,
  text: string,
  limits: Readonly<Required<Limits>>,
): boolean {
  const { jsonDepth, intDigits, values } = limits;
  if (text.length / 2 >= values || hasEscapedKey(text)) return false;
  if (intDigits !== 0) {
    if (intDigits < UNSAFE_DIGITS) return false;
    // Repeated keys hide values, even one whose int is too long.
    if (text.length > intDigits && mayHaveLongInt(text, intDigits)) {
      return false;
    }
  }
  return isExactValue(value, Math.min(jsonDepth, SHALLOW));
}

/**
 * Whether a key has an escape. V8 15 reads the key of
 * `[{"k\\": 1}, {"k\u00ff": 1}]`'s second object as the first's, once it has
 * come to expect that one.
 */
function hasEscapedKey(text: string): boolean {
  for (
    let at = text.indexOf("\\");
    at >= 0;
    at = text.indexOf("\\", at)
  ) {
    // To the end of the string, a quote after an even number of backslashes.
    for (let slashes = 1; slashes % 2 === 1;) {
      at = text.indexOf('"', at);
      if (at < 0) return false;
      slashes = 0;
      while (text.charCodeAt(at - slashes - 1) === 0x5c) slashes++;
      at++;
    }
    // And to what follows it.
    while (text.charCodeAt(at) <= 0x20) at++;
    if (text.charCodeAt(at) === 0x3a) return true;
  }
  return false;
}

/** Whether there is a run of more than so many digits, one of them looked at. */
function mayHaveLongInt(text: string, digits: number): boolean {
  for (let i = digits; i < text.length; i += digits + 1) {
    let start = i;
    while (start > i - digits && isDigit(text.charCodeAt(start))) start--;
    if (start === i) continue;
    let end = i;
    while (end - start <= digits && isDigit(text.charCodeAt(end))) end++;
    if (end - start > digits) return true;
  }
  return false;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isExactNumber(value: number): boolean {
  return value < 2 ** 53 && value > -(2 ** 53) &&
    (value !== 0 || 1 / value > 0);
}

function isExactValue(value: unknown, depth: number): boolean {
  if (typeof value === "number") return isExactNumber(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === "number") {
        if (!isExactNumber(item)) return false;
      } else if (typeof item === "object" && item !== null) {
        if (!isExactValue(item, depth - 1)) return false;
      }
    }
    return true;
  }
  // `for in` is quick until it has met keys like "1", and slow ever after.
  const items: unknown[] = Object.values(value);
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === "number") {
      if (!isExactNumber(item)) return false;
    } else if (typeof item === "object" && item !== null) {
      if (!isExactValue(item, depth - 1)) return false;
    }
  }
  return true;
}
