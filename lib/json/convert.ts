/**
 * What becomes of values that JSON has no form for: the policies that the
 * `types` option names.
 *
 * @module
 */

import "../python/mod.ts";
import { PyObject } from "../python/object.ts";
import { typeOf } from "../python/registry.ts";

/**
 * How values beyond JSON are written. `"strict"`: not at all, as Python's
 * `json.dumps`. `"plain"`: what a REST client wants: sets as arrays, bytes as
 * base64, dates as ISO 8601, objects as their state. `"tagged"`: so that
 * nothing is lost, in the conventions of Python's `jsonpickle`.
 */
export type Types = "strict" | "plain" | "tagged";

/**
 * Makes something that JSON has, or that is converted in turn, of a value that
 * JSON has not.
 *
 * @param value The value.
 * @param path Gives its path in the whole, such as `$.a[3]`.
 * @returns What is written in its place; the value itself where there is
 * nothing, which ends in an error.
 */
export type Convert = (value: unknown, path: () => string) => unknown;

/** A policy. */
export interface Converter {
  /** Whether it is asked about arrays, dicts and Floats as well. */
  all: boolean;
  /** Asks it. */
  convert: Convert;
}

const CHUNK = 0x3000;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += btoa(String.fromCharCode(...bytes.subarray(i, i + CHUNK)));
  }
  return text;
}

function isDict(value: unknown): value is object {
  if (value instanceof Map) return true;
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function mergeDicts(...dicts: unknown[]): Map<unknown, unknown> {
  const merged = new Map<unknown, unknown>();
  for (const dict of dicts) {
    if (dict === null) continue;
    const entries = dict instanceof Map ? dict : Object.entries(dict as object);
    for (const [key, value] of entries) merged.set(key, value);
  }
  return merged;
}

/** `__slots__` make the state a pair: (None or the dict, the slots). */
function attributesToPlain(state: unknown): unknown {
  if (Array.isArray(state) && state.length === 2) {
    const [dict, slots] = state as unknown[];
    if ((dict === null || isDict(dict)) && isDict(slots)) {
      return mergeDicts(dict, slots);
    }
  }
  return state;
}

function isEmptyDict(value: unknown): boolean {
  return value instanceof Map
    ? value.size === 0
    : isDict(value) && Object.keys(value).length === 0;
}

/**
 * What an object is that nobody knows: what was put into it, or its state, or
 * what it was made with. One argument stands for itself: the value of an enum,
 * the number or text that a subclass of `int` or `str` is.
 */
function objectToPlain({ state, items, entries, args }: PyObject): unknown {
  if (items !== undefined && items.length > 0) return items;
  if (entries !== undefined && entries.length > 0) return new Map(entries);
  const attributes = attributesToPlain(state);
  const hasNone = attributes === undefined || attributes === null ||
    isEmptyDict(attributes);
  if (!hasNone) return attributes;
  if (items !== undefined) return items;
  if (entries !== undefined) return {};
  if (args.length === 1) return args[0];
  return args.length > 1 ? args : {};
}

/**
 * The policy `"plain"`.
 *
 * @param value Any value that JSON has no form for.
 * @returns What is written in its place, or the value itself.
 */
export function toPlain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  const type = typeOf(value);
  if (type?.toPlain !== undefined) return type.toPlain(value);
  if (value instanceof PyObject) return objectToPlain(value);
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as Iterable<unknown>);
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return toJSON.call(value);
  return { ...value };
}

const plain: Converter = { all: false, convert: toPlain };
const converters = new Map<Types, Converter>([["plain", plain]]);

/**
 * Sets the policy of a name.
 *
 * @param types The name.
 * @param converter The policy.
 */
export function setConverter(types: Types, converter: Converter): void {
  converters.set(types, converter);
}

/**
 * Finds a policy.
 *
 * @param types Its name.
 * @returns The policy; undefined for `"strict"`, which converts nothing.
 */
export function converterOf(types: Types): Converter | undefined {
  if (types === "strict") return undefined;
  const converter = converters.get(types);
  if (converter === undefined) {
    throw new TypeError(
      `types must be "strict", "plain" or "tagged", not ${
        JSON.stringify(types)
      }`,
    );
  }
  return converter;
}
