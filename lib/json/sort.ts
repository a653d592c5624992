/**
 * Python's order of keys, for `sortKeys`.
 *
 * @module
 */

import { Float } from "../python/float.ts";
import { typeName } from "./type_name.ts";

const HAS_SURROGATE = /[\ud800-\udfff]/;

/** Text by code point; UTF-16 code units put U+E000 behind U+1F600. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const isHighX = (x & 0xf800) === 0xd800 && isPaired(a, i);
    const isHighY = (y & 0xf800) === 0xd800 && isPaired(b, i);
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}

/** Whether the unit at an index is half of a pair. */
function isPaired(text: string, index: number): boolean {
  const isLow = (text.charCodeAt(index) & 0xfc00) === 0xdc00;
  const high = text.charCodeAt(isLow ? index - 1 : index);
  const low = text.charCodeAt(isLow ? index : index + 1);
  return (high & 0xfc00) === 0xd800 && (low & 0xfc00) === 0xdc00;
}

/**
 * Sorts texts by code point.
 *
 * @param keys The texts, sorted in place.
 * @returns The same array.
 */
export function sortTexts(keys: string[]): string[] {
  for (let i = 0; i < keys.length; i++) {
    if (HAS_SURROGATE.test(keys[i]!)) return keys.sort(compareText);
  }
  return keys.sort();
}

/** What of two keys `<` compares; those of one kind only with each other. */
function kindOf(key: unknown): string {
  switch (typeof key) {
    case "string":
      return "s";
    case "number":
    case "bigint":
    case "boolean":
      return "n";
    default:
      return key instanceof Float ? "n" : `?${typeName(key)}`;
  }
}

function toNumber(key: unknown): number | bigint {
  if (typeof key === "boolean") return key ? 1 : 0;
  return key instanceof Float ? key.value : key as number | bigint;
}

/**
 * Sorts keys and values in turn by their keys, as `sorted(dict.items())` does.
 *
 * @param flat Key, value, key, value …; left as it is.
 * @returns Another array.
 * @throws {TypeError} Where keys cannot be compared, with Python's message: the
 * pair that `list.sort` meets first.
 */
export function sortEntries(flat: readonly unknown[]): unknown[] {
  const entries: [unknown, unknown][] = [];
  const kinds = new Set<string>();
  for (let i = 0; i < flat.length; i += 2) {
    entries.push([flat[i], flat[i + 1]]);
    kinds.add(kindOf(flat[i]));
  }
  if (kinds.size > 1) findUnsortable(entries.map(([key]) => key));
  if (kinds.has("s")) {
    entries.sort(([a], [b]) => compareText(a as string, b as string));
  } else if (kinds.has("n")) {
    entries.sort(([a], [b]) => {
      const x = toNumber(a);
      const y = toNumber(b);
      return x < y ? -1 : x > y ? 1 : 0;
    });
  }
  return entries.flat(1);
}

function isLess(a: unknown, b: unknown): boolean {
  const kind = kindOf(a);
  if (kind !== kindOf(b)) {
    throw new TypeError(
      `'<' not supported between instances of '${typeName(a)}' and '${
        typeName(b)
      }'`,
    );
  }
  if (kind === "s") return compareText(a as string, b as string) < 0;
  return kind === "n" && toNumber(a) < toNumber(b);
}

/** As `list.sort` goes (Objects/listobject.c), until it meets a wrong pair. */
function findUnsortable(keys: unknown[]): void {
  let minimum = keys.length;
  let odd = 0;
  while (minimum >= 64) {
    odd |= minimum & 1;
    minimum >>= 1;
  }
  minimum += odd;
  for (let from = 0; from < keys.length;) {
    let sorted = countRun(keys, from);
    const end = Math.min(keys.length, Math.max(from + minimum, sorted));
    for (; sorted < end; sorted++) {
      const pivot = keys[sorted];
      let left = from;
      let right = sorted;
      while (left < right) {
        const middle = (left + right) >> 1;
        if (isLess(pivot, keys[middle])) right = middle;
        else left = middle + 1;
      }
      keys.splice(sorted, 1);
      keys.splice(left, 0, pivot);
    }
    from = end;
  }
  // Each run is of one kind: a merge compares them.
  for (let i = 1; i < keys.length; i++) isLess(keys[i], keys[i - 1]);
}

/** End of the run that begins at an index, turned where it descends. */
function countRun(keys: unknown[], from: number): number {
  const length = keys.length;
  let end = from + 1;
  while (end < length && !isLess(keys[end], keys[end - 1])) end++;
  if (end >= length) return end;
  if (end > from + 1) {
    if (isLess(keys[from], keys[end - 1])) return end;
    reverse(keys, from, end);
  }
  end++;
  let equal = 0;
  for (; end < length; end++) {
    if (isLess(keys[end], keys[end - 1])) {
      reverse(keys, end - 1 - equal, end);
      equal = 0;
    } else if (isLess(keys[end - 1], keys[end])) {
      break;
    } else {
      equal++;
    }
  }
  reverse(keys, end - 1 - equal, end);
  reverse(keys, from, end);
  while (end < length && !isLess(keys[end], keys[end - 1])) end++;
  return end;
}

function reverse(keys: unknown[], from: number, end: number): void {
  for (let a = from, b = end - 1; a < b; a++, b--) {
    [keys[a], keys[b]] = [keys[b], keys[a]];
  }
}
