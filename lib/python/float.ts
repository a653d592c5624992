/**
 * A float that happens to be whole.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";

/**
 * A Python float, kept apart from an int of the same value. `floats: "exact"`
 * gives one for each float that is whole, so that `1.0` stays `1.0`.
 *
 * @example Write a float
 * ```ts
 * import { Float, json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(json.dumps([1, new Float(1)]), "[1, 1.0]");
 * ```
 */
export class Float {
  /** The number. */
  readonly value: number;

  /**
   * Wraps a number.
   *
   * @param value Any number.
   */
  constructor(value: number) {
    this.value = value;
  }

  /**
   * The number, so that arithmetic works.
   *
   * @returns The number.
   */
  valueOf(): number {
    return this.value;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The number.
   */
  toJSON(): number {
    return this.value;
  }

  /**
   * The number as JavaScript writes it.
   *
   * @returns Its digits.
   */
  toString(): string {
    return String(this.value);
  }
}

setKeyKind(Float.prototype, {
  kind: "value",
  key: (float: Float) => float.value,
});
