/**
 * Python's range.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";

/** A Python `range`: start, stop and step, not the numbers between. */
export class Range {
  /** The first number. */
  readonly start: number | bigint;
  /** The number before which it ends. */
  readonly stop: number | bigint;
  /** How far apart the numbers are; never 0. */
  readonly step: number | bigint;

  /**
   * Makes one.
   *
   * @param start The first number.
   * @param stop The number before which it ends.
   * @param step How far apart the numbers are.
   */
  constructor(
    start: number | bigint,
    stop: number | bigint,
    step: number | bigint = 1,
  ) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  /**
   * How many numbers it has.
   *
   * @returns The count, exact.
   */
  get length(): bigint {
    const start = BigInt(this.start);
    const stop = BigInt(this.stop);
    const step = BigInt(this.step);
    const span = step > 0n ? stop - start : start - stop;
    if (span <= 0n) return 0n;
    const size = step > 0n ? step : -step;
    return (span + size - 1n) / size;
  }

  /**
   * Its numbers, one after the other.
   *
   * @returns An iterator.
   */
  *[Symbol.iterator](): Generator<number | bigint, undefined> {
    const step = BigInt(this.step);
    const length = this.length;
    let value = BigInt(this.start);
    for (let i = 0n; i < length; i++) {
      const small = Number(value);
      yield Number.isSafeInteger(small) ? small : value;
      value += step;
    }
  }

  /**
   * As Python's `repr`: `range(0, 10)`.
   *
   * @returns The text.
   */
  toString(): string {
    const step = BigInt(this.step) === 1n ? "" : `, ${this.step}`;
    return `range(${this.start}, ${this.stop}${step})`;
  }
}

// Ranges of the same numbers are equal.
setKeyKind(Range.prototype, {
  kind: "value",
  key: ({ start, step, length }: Range) =>
    length === 0n
      ? "range"
      : `range ${length} ${start} ${length === 1n ? "" : step}`,
});
