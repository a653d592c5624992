/**
 * Looking into dicts of a pickle, whichever way they were read.
 *
 * @module
 */

import { Float } from "./float.ts";
import { floatRepr } from "./float_repr.ts";
import { Global, PyObject } from "./object.ts";

/**
 * A value of a dict by its key.
 *
 * @param dict A plain object or a Map; anything else has no keys.
 * @param key The key.
 * @returns The value, or undefined.
 */
export function fieldOf(dict: unknown, key: string): unknown {
  if (typeof dict !== "object" || dict === null) return undefined;
  if (dict instanceof Map) return dict.get(key);
  return Object.hasOwn(dict, key)
    ? (dict as Record<string, unknown>)[key]
    : undefined;
}

/**
 * Keys and values of a dict.
 *
 * @param dict A plain object or a Map.
 * @returns Its entries; none where it is no dict.
 */
export function entriesOf(dict: unknown): [unknown, unknown][] {
  if (typeof dict !== "object" || dict === null) return [];
  if (dict instanceof Map) return [...dict];
  return isDict(dict) ? Object.entries(dict) : [];
}

/**
 * Whether a value is a dict.
 *
 * @param value Any value.
 * @returns True for a plain object and for a Map.
 */
export function isDict(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Map) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Sets an own property, whatever its name.
 *
 * @param object The object.
 * @param entry The name, which may be `__proto__`, and the value.
 */
export function setOwn(
  object: object,
  [key, value]: readonly [string, unknown],
): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    (object as Record<string, unknown>)[key] = value;
  }
}

/**
 * An attribute of an object: from its state, dict or slots.
 *
 * @param value A PyObject.
 * @param name The attribute.
 * @returns Its value, or undefined.
 */
export function attributeOf(value: unknown, name: string): unknown {
  if (!(value instanceof PyObject)) return undefined;
  const { state } = value;
  if (Array.isArray(state) && state.length === 2) {
    return fieldOf(state[1], name) ?? fieldOf(state[0], name);
  }
  return fieldOf(state, name);
}

/**
 * A length or position.
 *
 * @param value Any value.
 * @returns It as a number from 0 up, or undefined.
 */
export function toCount(value: unknown): number | undefined {
  if (typeof value === "bigint") value = Number(value);
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? value as number
    : undefined;
}

/**
 * An integer.
 *
 * @param value Any value.
 * @returns It as a number, or undefined where it is none or too large.
 */
export function toInteger(value: unknown): number | undefined {
  if (typeof value === "bigint") value = Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return Number.isSafeInteger(value) ? value as number : undefined;
}

/**
 * A big integer in the way of Brine's ints.
 *
 * @param value A bigint.
 * @returns A number where it is safe, else the bigint.
 */
export function normalInt(value: bigint): number | bigint {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
}

/**
 * A value in one line, as Python would print it where it is simple: never by
 * walking into what may be deep.
 *
 * @param value Any value.
 * @returns Its text; the name of its class where it is not simple.
 */
export function shortText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isSafeInteger(value) ? String(value) : floatRepr(value);
    case "bigint":
      return String(value);
    case "boolean":
      return value ? "True" : "False";
  }
  if (value === null || value === undefined) return "None";
  if (value instanceof Float) return floatRepr(value.value);
  if (value instanceof Global) return value.name;
  if (value instanceof PyObject) return value.className;
  return Array.isArray(value) ? "[...]" : "?";
}
