/**
 * Python's slice.
 *
 * @module
 */

/** A Python `slice`. */
export class Slice {
  /** Where it starts, or null. */
  readonly start: unknown;
  /** Where it stops, or null. */
  readonly stop: unknown;
  /** Its step, or null. */
  readonly step: unknown;

  /**
   * Makes one.
   *
   * @param start Where it starts, or null.
   * @param stop Where it stops, or null.
   * @param step Its step, or null.
   */
  constructor(start: unknown, stop: unknown, step: unknown = null) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  /**
   * As Python's `repr`: `slice(0, 10, None)`.
   *
   * @returns The text.
   */
  toString(): string {
    const parts = [this.start, this.stop, this.step].map((part) =>
      part === null ? "None" : String(part)
    );
    return `slice(${parts.join(", ")})`;
  }
}
