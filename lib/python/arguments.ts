/**
 * Readers for arguments and states that come from a stranger's pickle.
 *
 * @module
 */

import { encodeUtf8 } from "../bytes/utf8.ts";
import { PyDict } from "./dict.ts";
import { Float } from "./float.ts";

/**
 * Whether a value is a Python int (a bool is none here).
 *
 * @param value Any value.
 * @returns Whether it is a safe integer or a bigint.
 */
export function isInt(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

/**
 * Whether a value is a Python int within bounds.
 *
 * @param value Any value.
 * @param bounds The least and the greatest that it may be.
 * @returns Whether it is a number, not a bigint, within them.
 */
export function isIntWithin(
  value: unknown,
  [least, greatest]: readonly [number, number],
): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least &&
    (value as number) <= greatest;
}

/**
 * The number that an int or float is.
 *
 * @param value Any value.
 * @returns A number, or undefined.
 */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Float) return value.value;
  if (typeof value === "bigint") return Number(value);
  return undefined;
}

/**
 * An int in its usual form.
 *
 * @param value An integer.
 * @returns A number where it is safe, else a bigint.
 */
export function intOf(value: bigint): number | bigint {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
}

/**
 * The text that a string is, or ASCII bytes: attribute names read with
 * `encoding: "bytes"` are such.
 *
 * @param value Any value.
 * @returns The text, or undefined.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array) || value.length > 1000) return undefined;
  for (const byte of value) if (byte > 0x7f) return undefined;
  return String.fromCharCode(...value);
}

/**
 * The bytes of a given length that a value is. A Python 2 `str` of raw bytes is
 * read as text where it happens to be UTF-8, or as Latin-1 where the caller
 * asked for that.
 *
 * @param value Any value.
 * @param length How many bytes there must be.
 * @returns The bytes, or undefined.
 */
export function bytesOf(
  value: unknown,
  length: number,
): Uint8Array | undefined {
  if (value instanceof Uint8Array) {
    return value.length === length ? value : undefined;
  }
  if (typeof value !== "string" || value.length > length) return undefined;
  if (value.length === length) {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0xff) return undefined;
      bytes[i] = code;
    }
    return bytes;
  }
  const bytes = encodeUtf8(value);
  return bytes.length === length ? bytes : undefined;
}

/**
 * The entries of a dict in either of its forms.
 *
 * @param value Any value.
 * @returns Keys and values, or undefined where it is no dict.
 */
export function entriesOf(value: unknown): [unknown, unknown][] | undefined {
  if (value instanceof Map) return [...value];
  if (typeof value !== "object" || value === null) return undefined;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return Object.entries(value);
}

/**
 * The attributes in a state that is a dict with names for keys.
 *
 * @param state Any value.
 * @returns Names and values, or undefined where it is no such dict.
 */
export function attributesIn(
  state: unknown,
): Map<string, unknown> | undefined {
  const entries = entriesOf(state);
  if (entries === undefined) return undefined;
  const attributes = new Map<string, unknown>();
  for (const [key, value] of entries) {
    const name = textOf(key);
    if (name === undefined) return undefined;
    attributes.set(name, value);
  }
  return attributes;
}

/**
 * A dict of attributes, safe from `__proto__`.
 *
 * @param attributes Names and values.
 * @returns A PyDict.
 */
export function stateOf(
  attributes: Iterable<readonly [string, unknown]>,
): PyDict<string, unknown> {
  return new PyDict<string, unknown>(attributes);
}

/**
 * Only of what is already there: an iterator is never run to its end.
 *
 * @param value Any value.
 * @returns The items of a list, tuple, set or dict; undefined for anything
 * else.
 */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof Set) return [...value];
  return undefined;
}
