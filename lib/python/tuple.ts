/**
 * Python's tuple.
 *
 * @module
 */

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
}
