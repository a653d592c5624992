/**
 * Python's set and frozenset.
 *
 * @module
 */

import { setInspect } from "./inspect.ts";
import { type CanonicalKey, KeyMaker, setKeyKind } from "./keys.ts";

const HOLE: unique symbol = Symbol("hole");

/** What the methods of sets take: as the platform's `ReadonlySetLike`. */
export interface SetLike<T> {
  /** Whether it has a value. */
  has(value: T): boolean;
  /** Its values. */
  keys(): Iterator<T>;
  /** How many values it has. */
  readonly size: number;
}

/**
 * A Python set: a `Set` that compares as Python does. `1`, `1.0` and `True` are
 * one element, tuples and bytes are compared by value.
 *
 * @typeParam T What it holds.
 *
 * @example Ask for a tuple
 * ```ts
 * import { PySet, Tuple } from "@brine/brine";
 * import { assert } from "@std/assert";
 *
 * assert(new PySet<unknown>([Tuple.of(1, 2)]).has(Tuple.of(1, 2)));
 * ```
 */
export class PySet<T = unknown> extends Set<T> {
  #items: unknown[] = [];
  #index: Map<CanonicalKey, number> | undefined;
  #keys: KeyMaker | undefined;

  /**
   * Makes a set.
   *
   * @param items What it holds.
   */
  constructor(items?: Iterable<T> | null) {
    super();
    if (items) {
      for (const item of items) {
        PySet.prototype.add.call(this, item);
      }
    }
  }

  /**
   * Adds elements, as a pickle does while it is read.
   *
   * @param set The set, which may be frozen.
   * @param items The elements.
   * @param keys What makes them canonical.
   */
  static addItems(
    set: PySet,
    items: readonly unknown[],
    keys?: KeyMaker,
  ): void {
    set.#keys ??= keys;
    if (set.#index === undefined && set.#items.length === 0) {
      const isOne = items.length === 1;
      if (isOne || allPrimitive(items)) {
        // Not all of them can be elements.
        if (isOne) (set.#keys ??= new KeyMaker()).key(items[0]);
        // No larger than it must be: there may be very many.
        set.#items = items.slice();
        return;
      }
    }
    if (set.#index === undefined && allPrimitive(items)) {
      for (let i = 0; i < items.length; i++) set.#items.push(items[i]);
      return;
    }
    const index = set.#settle();
    for (let i = 0; i < items.length; i++) set.#put(index, items[i]);
  }

  #settle(): Map<CanonicalKey, number> {
    if (this.#index !== undefined) return this.#index;
    const items = this.#items;
    const index = new Map<CanonicalKey, number>();
    const keys = this.#keys ??= new KeyMaker();
    let length = 0;
    for (let i = 0; i < items.length; i++) {
      const canonical = keys.key(items[i]);
      const isNaN = items[i] !== items[i];
      const known = index.has(canonical);
      if (known && !isNaN) continue;
      if (!known) index.set(canonical, length);
      items[length++] = items[i];
    }
    items.length = length;
    this.#index = index;
    return index;
  }

  #put(index: Map<CanonicalKey, number>, item: unknown): void {
    const canonical = this.#keys!.key(item);
    if (index.has(canonical)) return;
    index.set(canonical, this.#items.length);
    this.#items.push(item);
  }

  /** How many elements it has. */
  override get size(): number {
    if (this.#items.length === 0) return 0;
    const index = this.#settle();
    if (!index.has("\0fNaN")) return index.size;
    return this.#items.filter((item) => item !== HOLE).length;
  }

  /**
   * Whether it has an element.
   *
   * @param item A value, compared as Python does.
   * @returns Whether it is there.
   */
  override has(item: T): boolean {
    return this.#settle().has(this.#keys!.key(item));
  }

  /**
   * Adds an element.
   *
   * @param item A value, compared as Python does.
   * @returns The set.
   */
  override add(item: T): this {
    this.#put(this.#settle(), item);
    return this;
  }

  /**
   * Takes an element away.
   *
   * @param item A value, compared as Python does.
   * @returns Whether it was there.
   */
  override delete(item: T): boolean {
    const index = this.#settle();
    const canonical = this.#keys!.key(item);
    const at = index.get(canonical);
    if (at === undefined) return false;
    index.delete(canonical);
    this.#items[at] = HOLE;
    if (index.size * 2 + 32 < this.#items.length) {
      this.#items = this.#items.filter((item) => item !== HOLE);
      this.#index = undefined;
    }
    return true;
  }

  /**
   * Takes all elements away.
   */
  override clear(): void {
    this.#items = [];
    this.#index = undefined;
  }

  /**
   * Its elements, in order.
   *
   * @returns An iterator.
   */
  override *values(): Generator<T, undefined> {
    this.#settle();
    const items = this.#items;
    for (let i = 0; i < items.length; i++) {
      if (items[i] !== HOLE) yield items[i] as T;
    }
  }

  /**
   * Its elements, in order.
   *
   * @returns An iterator.
   */
  override keys(): Generator<T, undefined> {
    return this.values();
  }

  /**
   * Its elements, twice each, as `Set` has it.
   *
   * @returns An iterator of pairs.
   */
  override *entries(): Generator<[T, T], undefined> {
    for (const item of this.values()) yield [item, item];
  }

  /**
   * Its elements, in order.
   *
   * @returns An iterator.
   */
  override [Symbol.iterator](): Generator<T, undefined> {
    return this.values();
  }

  /**
   * Calls a function for each element.
   *
   * @param callback The function, as `Set` has it.
   * @param thisArg What it sees as `this`.
   */
  override forEach(
    callback: (value: T, key: T, set: Set<T>) => void,
    thisArg?: unknown,
  ): void {
    for (const item of this) callback.call(thisArg, item, item, this);
  }

  /** The elements of either. */
  override union<U>(other: SetLike<U>): PySet<T | U> {
    return new PySet<T | U>([...this, ...keysOf(other)]);
  }

  /** The elements of both. */
  override intersection<U>(other: SetLike<U>): PySet<T & U> {
    return new PySet<T & U>(
      [...this].filter((item) => contains(other, item)) as (T & U)[],
    );
  }

  /** The elements that the other has not. */
  override difference<U>(other: SetLike<U>): PySet<T> {
    return new PySet<T>([...this].filter((item) => !contains(other, item)));
  }

  /** The elements of one of the two. */
  override symmetricDifference<U>(other: SetLike<U>): PySet<T | U> {
    return new PySet<T | U>([
      ...[...this].filter((item) => !contains(other, item)),
      ...keysOf(other).filter((item) => !contains(this, item)),
    ]);
  }

  /** Whether the other has all elements of this one. */
  override isSubsetOf(other: SetLike<unknown>): boolean {
    return [...this].every((item) => contains(other, item));
  }

  /** Whether this one has all elements of the other. */
  override isSupersetOf(other: SetLike<unknown>): boolean {
    return keysOf(other).every((item) => contains(this, item));
  }

  /** Whether the two have no element in common. */
  override isDisjointFrom(other: SetLike<unknown>): boolean {
    return ![...this].some((item) => contains(other, item));
  }

  /**
   * What `JSON.stringify` writes: an array.
   *
   * @returns The elements.
   */
  toJSON(): T[] {
    return [...this];
  }
}

/**
 * A Python frozenset: a set that cannot change, so that it may be a key.
 *
 * @typeParam T What it holds.
 *
 * @example Use one as a key
 * ```ts
 * import { FrozenSet, PyDict } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const dict = new PyDict([[new FrozenSet([1, 2]), "a"]]);
 * assertEquals(dict.get(new FrozenSet([2, 1])), "a");
 * ```
 */
export class FrozenSet<T = unknown> extends PySet<T> {
  /** Refuses. */
  override add(_item: T): never {
    throw new TypeError("a FrozenSet cannot change");
  }

  /** Refuses. */
  override delete(_item: T): never {
    throw new TypeError("a FrozenSet cannot change");
  }

  /** Refuses. */
  override clear(): never {
    throw new TypeError("a FrozenSet cannot change");
  }
}

function contains(set: Pick<SetLike<unknown>, "has">, item: unknown): boolean {
  return set.has(item as never);
}

function keysOf<U>(set: SetLike<U>): U[] {
  const keys: U[] = [];
  const iterator = set.keys();
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    keys.push(next.value);
  }
  return keys;
}

function allPrimitive(items: readonly unknown[]): boolean {
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === "object" && item !== null) return false;
  }
  return true;
}

setKeyKind(FrozenSet.prototype, { kind: "unordered" });

setInspect(
  PySet.prototype,
  (set, inspect) =>
    (set instanceof FrozenSet ? "FrozenSet" : "PySet") +
    inspect(new Set(set)).replace(/^Set/, ""),
);
