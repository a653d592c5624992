/**
 * How much a value holds, each list, dict and long string of it counted once,
 * however often it comes. A value that holds little and is written as much is
 * shared within itself many times over: "billion laughs".
 *
 * @module
 */

import { Float } from "../python/float.ts";
import { PyDict } from "../python/dict.ts";
import { PyObject } from "../python/object.ts";
import { Deque } from "../python/collections.ts";
import { typeOf } from "../python/registry.ts";
import { PySet } from "../python/set.ts";
import type { Convert } from "./convert.ts";

/** So much may be written before anybody asks. */
export const FREE_BYTES = 0x100_0000;
/** Once that is used up, values that have come to less are still not asked. */
export const FREE_VALUE = 0x10_0000;

/** What a container counts for, and what each of its items does. */
const CONTAINER = 16;
const ITEM = 8;
/** Shorter strings count each time: to know them costs more. */
const LONG = 64;

/** What is done with values that JSON has no form for. */
export interface HoldsOptions {
  /** The policy for them. */
  convert: Convert | undefined;
  /** Whether somebody is asked about the rest, of whom nothing is known. */
  isOpen: boolean;
}

/**
 * Whether a value holds so much. It is looked at until that is certain, so that
 * this takes as long as `enough` is large, and not as the value is.
 *
 * @param value The value.
 * @param enough Bytes, roughly.
 * @param options What becomes of values beyond JSON.
 * @returns Whether it does; also where it cannot be known without calling what
 * is not ours.
 */
export function holds(
  value: unknown,
  enough: number,
  options: HoldsOptions,
): boolean {
  const seen = new Set<unknown>();
  const waiting: unknown[] = [];
  let size = 0;

  function add(value: unknown): void {
    switch (typeof value) {
      case "string":
        if (value.length > LONG) {
          if (seen.has(value)) return;
          seen.add(value);
        }
        size += value.length;
        return;
      case "bigint":
        size += bigintSize(value);
        return;
      case "object":
        if (value === null || value instanceof Float || seen.has(value)) return;
        seen.add(value);
        size += CONTAINER;
        waiting.push(value);
        return;
      case "undefined":
      case "function":
      case "symbol":
        // To become what somebody says.
        if (options.isOpen) size = Infinity;
    }
  }

  add(value);
  while (waiting.length > 0 && size < enough) {
    const value = waiting.pop() as object;
    if (Array.isArray(value) && !(value instanceof Deque)) {
      const { length } = value;
      size += length * ITEM;
      for (let i = 0; i < length && size < enough; i++) {
        const property = Object.getOwnPropertyDescriptor(value, i);
        if (property?.get !== undefined) return true;
        add(property?.value);
      }
      continue;
    }
    if (value instanceof Map) {
      if (!(value instanceof PyDict) && !isOf(value, Map.prototype)) {
        return true;
      }
      size += value.size * 2 * ITEM;
      if (size >= enough) return true;
      for (const [key, item] of value) {
        add(key);
        add(item);
        if (size >= enough) return true;
      }
      continue;
    }
    if (isOf(value, Object.prototype) || isOf(value, null)) {
      const keys = Object.keys(value);
      size += keys.length * 2 * ITEM;
      for (let i = 0; i < keys.length && size < enough; i++) {
        const property = Object.getOwnPropertyDescriptor(value, keys[i]!);
        if (property?.get !== undefined) return true;
        add(keys[i]);
        add(property?.value);
      }
      continue;
    }
    if (options.convert !== undefined && isOurs(value)) {
      if (ArrayBuffer.isView(value)) {
        size += value.byteLength;
        continue;
      }
      let converted: unknown;
      try {
        converted = options.convert(value, () => "");
      } catch {
        // Whoever writes it says what is wrong, and where.
        return true;
      }
      if (converted !== value) {
        add(converted);
        continue;
      }
    } else if (options.convert !== undefined) {
      return true;
    }
    if (options.isOpen) return true;
  }
  return size >= enough;
}

/** Whether nobody else's code is run to make it plain. */
function isOurs(value: object): boolean {
  return typeOf(value) !== undefined || value instanceof PyObject ||
    value instanceof PySet || ArrayBuffer.isView(value) ||
    isOf(value, Set.prototype);
}

function isOf(value: object, prototype: object | null): boolean {
  return Object.getPrototypeOf(value) === prototype;
}

function bigintSize(value: bigint): number {
  return BigInt.asIntN(64, value) === value ? 0 : value.toString(16).length / 2;
}
