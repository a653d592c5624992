/**
 * When the platform's `JSON.parse` gives what Python's `json.loads` gives: cheap
 * proofs, which may fail without harm. What `JSON.parse` refuses needs none:
 * NaN, an error, go to the reader of our own.
 *
 * @module
 */

const LARGEST = String(Number.MAX_SAFE_INTEGER);

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/**
 * Whether no number of a text means something else to Python than to
 * `JSON.parse`: an int that is not safe, or `-0`, which is the int 0.
 *
 * @param text Any text.
 * @returns Whether that is certain.
 */
export function isNative(text: string): boolean {
  // An unsafe int has 16 digits or more, one of them here.
  const length = text.length;
  for (let i = 15; i < length; i += 16) {
    if (!isDigit(text.charCodeAt(i))) continue;
    let start = i;
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--;
    let end = i + 1;
    while (end < length && isDigit(text.charCodeAt(end))) end++;
    if (end - start >= 16) {
      const before = text[start - 1];
      const after = text[end];
      // Digits after a quote are in a string; the others belong to a float.
      const harmless = before === '"' || before === "." || before === "e" ||
        before === "E" || before === "+" || after === "." || after === "e" ||
        after === "E" ||
        (end - start === 16 && text.slice(start, end) <= LARGEST);
      if (!harmless) return false;
      i = end - 1 - end % 16;
    }
  }
  for (let at = text.indexOf("-0"); at >= 0; at = text.indexOf("-0", at + 2)) {
    const after = text.charCodeAt(at + 2);
    if (isDigit(after) || after === 0x2e || (after | 0x20) === 0x65) continue;
    // A number stands at the start, or after one of these.
    if (at === 0 || " \n\r\t[,:".includes(text[at - 1]!)) return false;
  }
  return true;
}

/** So many calls fit on any stack. */
const SHALLOW = 64;

/**
 * Whether a value nests no deeper than it may.
 *
 * @param value What `JSON.parse` made.
 * @param limit How deep it may nest.
 * @param text What it was made of.
 * @returns Whether that is certain.
 */
export function nestsWithin(
  value: unknown,
  limit: number,
  text: string,
): boolean {
  // Each level takes two characters, and the first of them is a bracket.
  if (text.length / 2 <= limit || hasFewBrackets(text, limit)) return true;
  return isWithin(value, Math.min(limit, SHALLOW));
}

function hasFewBrackets(text: string, limit: number): boolean {
  const enough = Math.min(limit, 1000);
  let count = 0;
  for (const bracket of ["[", "{"]) {
    let at = text.indexOf(bracket);
    while (at >= 0) {
      if (++count > enough) return false;
      at = text.indexOf(bracket, at + 1);
    }
  }
  return true;
}

function isWithin(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (limit === 0) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      if (typeof item === "object" && item !== null) {
        if (!isWithin(item, limit - 1)) return false;
      }
    }
    return true;
  }
  // No key of the prototype's is enumerable; if one were, it would be no
  // object that JSON has.
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === "object" && item !== null) {
      if (!isWithin(item, limit - 1)) return false;
    }
  }
  return true;
}
