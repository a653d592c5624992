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

/**
 * What an object is that nobody knows: its state, or what was put into it,
 * or what it was made with.
 */
function objectToPlain({ state, items, entries, args }: PyObject): unknown {
  if (state !== undefined && state !== null) {
    // `__slots__` make the state a pair: (None or the dict, the slots).
    if (Array.isArray(state) && state.length === 2) {
      const [dict, slots] = state as unknown[];
      if ((dict === null || isDict(dict)) && isDict(slots)) {
        return mergeDicts(dict, slots);
      }
    }
    return state;
  }
  if (items !== undefined) return items;
  if (entries !== undefined) return new Map(entries);
  return args.length > 0 ? args : {};
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
