/**
 * Python's tuple.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";

/**
 * A Python tuple: an array in all respects, but written back as a tuple.
 *
 * @typeParam T What it holds.
 *
 * @example Make one
 * ```ts
 * import { pickle, Tuple } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(Tuple.of(1, "a")));
 * assertInstanceOf(back, Tuple);
 * assertEquals([...back], [1, "a"]);
 * ```
 */
export class Tuple<T = unknown> extends Array<T> {
  /** `map`, `filter` and `slice` give ordinary arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /**
   * Makes a tuple of its arguments.
   *
   * @typeParam T What it holds.
   * @param items The items, of any types.
   * @returns The tuple.
   */
  static override of<T extends readonly unknown[]>(
    ...items: T
  ): Tuple<T[number]>;
  /**
   * Makes a tuple of its arguments.
   *
   * @typeParam T What it holds.
   * @param items The items.
   * @returns The tuple.
   */
  static override of<T>(...items: T[]): Tuple<T>;
  static override of<T>(...items: T[]): Tuple<T> {
    return Tuple.from(items);
  }

  /**
   * Makes a tuple of what another collection holds.
   *
   * @typeParam T What it holds.
   * @param items The collection.
   * @returns The tuple.
   */
  static override from<T>(items: Iterable<T> | ArrayLike<T>): Tuple<T>;
  /**
   * Makes a tuple of what becomes of each item.
   *
   * @typeParam T What the collection holds.
   * @typeParam U What the tuple holds.
   * @param items The collection.
   * @param map What to make of an item.
   * @param thisArg What `map` sees as `this`.
   * @returns The tuple.
   */
  static override from<T, U>(
    items: Iterable<T> | ArrayLike<T>,
    map: (item: T, index: number) => U,
    thisArg?: unknown,
  ): Tuple<U>;
  static override from<T, U>(
    items: Iterable<T> | ArrayLike<T>,
    map?: (item: T, index: number) => U,
    thisArg?: unknown,
  ): Tuple<T | U> {
    const array: (T | U)[] = Array.isArray(items) && map === undefined
      ? items
      : map === undefined
      ? Array.from(items)
      : Array.from(items, map, thisArg);
    // Filled by index: `push` on a subclass is slow, and so is Array's own way.
    const tuple = new Tuple<T | U>();
    for (let i = 0; i < array.length; i++) tuple[i] = array[i]!;
    return tuple;
  }
}

setKeyKind(Tuple.prototype, { kind: "ordered" });
