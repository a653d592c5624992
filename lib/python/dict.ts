/**
 * Python's dict.
 *
 * @module
 */

import { type CanonicalKey, KeyMaker } from "./keys.ts";
import { setInspect } from "./inspect.ts";

const HOLE: unique symbol = Symbol("hole");

/**
 * A Python dict whose keys are not all strings: a `Map` that compares keys as
 * Python does. `1`, `1.0` and `True` are one key, tuples and bytes are compared
 * by value, and a list is refused.
 *
 * @typeParam K What the keys are.
 * @typeParam V What the values are.
 *
 * @example Look up a tuple
 * ```ts
 * import { PyDict, Tuple } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const dict = new PyDict<unknown, string>([[Tuple.of(1, 2), "a"], [1, "b"]]);
 * assertEquals(dict.get(Tuple.of(1, 2)), "a");
 * assertEquals(dict.get(true), "b");
 * ```
 */
export class PyDict<K = unknown, V = unknown> extends Map<K, V> {
  /** Key, value, key, value …, with holes where keys were deleted. */
  #flat: unknown[] = [];
  /** Where each key is; made when it is first needed. */
  #index: Map<CanonicalKey, number> | undefined;
  #keys: KeyMaker | undefined;

  /**
   * Makes a dict.
   *
   * @param entries What it holds; the last of equal keys wins.
   */
  constructor(entries?: Iterable<readonly [K, V]> | null) {
    super();
    if (entries) { for (const [key, value] of entries) this.set(key, value); }
  }

  /**
   * Makes a dict of keys and values in turn, as a pickle has them.
   *
   * @param flat Key, value, key, value …; the dict keeps the array.
   * @param keys What makes its keys canonical.
   * @returns The dict.
   */
  static fromFlat(flat: unknown[], keys?: KeyMaker): PyDict {
    const dict = new PyDict();
    dict.#flat = flat;
    dict.#keys = keys;
    if (!allPrimitive(flat)) dict.#settle();
    return dict;
  }

  /**
   * Adds keys and values in turn.
   *
   * @param flat Key, value, key, value ….
   * @param keys What makes its keys canonical.
   */
  addFlat(flat: readonly unknown[], keys?: KeyMaker): void {
    this.#keys ??= keys;
    if (this.#index === undefined && allPrimitive(flat)) {
      for (let i = 0; i < flat.length; i++) this.#flat.push(flat[i]);
      return;
    }
    const index = this.#settle();
    for (let i = 0; i < flat.length; i += 2) {
      this.#put(index, flat[i], flat[i + 1]);
    }
  }

  /** Makes the index, which finds equal keys. */
  #settle(): Map<CanonicalKey, number> {
    if (this.#index !== undefined) return this.#index;
    const flat = this.#flat;
    const index = new Map<CanonicalKey, number>();
    const keys = this.#keys ??= new KeyMaker();
    let length = 0;
    for (let i = 0; i < flat.length; i += 2) {
      const key = flat[i];
      // Each NaN of a pickle is another object, and equals only itself.
      const isNaN = key !== key;
      const canonical = keys.key(key);
      const at = isNaN ? undefined : index.get(canonical);
      if (at !== undefined) {
        flat[at + 1] = flat[i + 1];
        continue;
      }
      if (!isNaN || !index.has(canonical)) index.set(canonical, length);
      flat[length++] = key;
      flat[length++] = flat[i + 1];
    }
    flat.length = length;
    this.#index = index;
    return index;
  }

  #put(index: Map<CanonicalKey, number>, key: unknown, value: unknown): void {
    const canonical = this.#keys!.key(key);
    const at = index.get(canonical);
    if (at !== undefined) {
      this.#flat[at + 1] = value;
      return;
    }
    index.set(canonical, this.#flat.length);
    this.#flat.push(key, value);
  }

  /** How many keys it has. */
  override get size(): number {
    return this.#flat.length === 0 ? 0 : this.#settle().size + this.#nans();
  }

  /** NaNs beyond the one that the index knows. */
  #nans(): number {
    let nans = 0;
    if (!this.#index!.has("\0fNaN")) return 0;
    for (let i = 0; i < this.#flat.length; i += 2) {
      if (this.#flat[i] !== this.#flat[i]) nans++;
    }
    return nans - 1;
  }

  /**
   * The value of a key.
   *
   * @param key A key, compared as Python does.
   * @returns The value, or undefined.
   */
  override get(key: K): V | undefined {
    const index = this.#settle();
    const at = index.get(this.#keys!.key(key));
    return at === undefined ? undefined : this.#flat[at + 1] as V;
  }

  /**
   * Whether it has a key.
   *
   * @param key A key, compared as Python does.
   * @returns Whether it is there.
   */
  override has(key: K): boolean {
    return this.#settle().has(this.#keys!.key(key));
  }

  /**
   * Sets a value. A key that is there already keeps its place and its form.
   *
   * @param key A key, compared as Python does.
   * @param value Its value.
   * @returns The dict.
   */
  override set(key: K, value: V): this {
    this.#put(this.#settle(), key, value);
    return this;
  }

  /**
   * Takes a key away.
   *
   * @param key A key, compared as Python does.
   * @returns Whether it was there.
   */
  override delete(key: K): boolean {
    const index = this.#settle();
    const canonical = this.#keys!.key(key);
    const at = index.get(canonical);
    if (at === undefined) return false;
    index.delete(canonical);
    this.#flat[at] = HOLE;
    this.#flat[at + 1] = undefined;
    if (index.size * 4 + 32 < this.#flat.length) {
      this.#flat = [...this].flat(1);
      this.#index = undefined;
    }
    return true;
  }

  /**
   * Takes all keys away.
   */
  override clear(): void {
    this.#flat = [];
    this.#index = undefined;
  }

  /**
   * Its keys and values, in order.
   *
   * @returns An iterator of pairs.
   */
  override *entries(): Generator<[K, V], undefined> {
    this.#settle();
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== HOLE) yield [flat[i] as K, flat[i + 1] as V];
    }
  }

  /**
   * Its keys, in order.
   *
   * @returns An iterator.
   */
  override *keys(): Generator<K, undefined> {
    this.#settle();
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== HOLE) yield flat[i] as K;
    }
  }

  /**
   * Its values, in the order of the keys.
   *
   * @returns An iterator.
   */
  override *values(): Generator<V, undefined> {
    this.#settle();
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== HOLE) yield flat[i + 1] as V;
    }
  }

  /**
   * Its keys and values, in order.
   *
   * @returns An iterator of pairs.
   */
  override [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  /**
   * Its keys and values in turn, for who must be quick.
   *
   * @returns Key, value, key, value …; may be the dict's own array: do not
   * change it.
   */
  flat(): readonly unknown[] {
    this.#settle();
    return this.#index!.size * 2 === this.#flat.length
      ? this.#flat
      : [...this].flat(1);
  }

  /**
   * Calls a function for each key.
   *
   * @param callback The function, as `Map` has it.
   * @param thisArg What it sees as `this`.
   */
  override forEach(
    callback: (value: V, key: K, map: Map<K, V>) => void,
    thisArg?: unknown,
  ): void {
    for (const [key, value] of this) callback.call(thisArg, value, key, this);
  }

  /**
   * What `JSON.stringify` writes: an object, keys as text.
   *
   * @returns A plain object.
   */
  toJSON(): unknown {
    return Object.fromEntries(
      [...this].map(([key, value]) => [String(key), value]),
    );
  }
}

function allPrimitive(flat: readonly unknown[]): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i];
    if (typeof key === "object" && key !== null) return false;
  }
  return true;
}

setInspect(
  PyDict.prototype,
  (dict, inspect) => `PyDict${inspect(new Map(dict)).replace(/^Map/, "")}`,
);
