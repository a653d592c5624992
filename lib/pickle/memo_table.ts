/**
 * What a pickle stores by number.
 *
 * @module
 */

/**
 * A memo: numbers that come in order lie in an array, all others in a map by
 * name, since numbers chosen to collide would make a map of numbers slow.
 *
 * @typeParam T What is stored
 */
export class MemoTable<T> {
  #dense: T[] = [];
  #sparse = new Map<string, T>();

  /** How many entries there are. */
  get size(): number {
    return this.#dense.length + this.#sparse.size;
  }

  /**
   * Whether there is such an entry.
   *
   * @param index Its number
   * @returns Whether there is one
   */
  has(index: number | bigint): boolean {
    return isDense(index, this.#dense.length) || this.#sparse.has("i" + index);
  }

  /**
   * Looks an entry up.
   *
   * @param index Its number
   * @returns What was stored last, if anything was
   */
  get(index: number | bigint): T | undefined {
    return isDense(index, this.#dense.length)
      ? this.#dense[Number(index)]
      : this.#sparse.get("i" + index);
  }

  /**
   * Stores an entry.
   *
   * @param index Its number
   * @param value What it is to be
   */
  set(index: number | bigint, value: T): void {
    const length = this.#dense.length;
    if (isDense(index, length)) {
      this.#dense[Number(index)] = value;
    } else if (
      index === length &&
      (this.#sparse.size === 0 || !this.#sparse.has("i" + index))
    ) {
      this.#dense.push(value);
    } else {
      this.#sparse.set("i" + index, value);
    }
  }
}

function isDense(index: number | bigint, length: number): boolean {
  return index >= 0 && index < length;
}
