/**
 * Which objects a pickler has seen.
 *
 * A `Set` knows, but is slow with many objects: their hashes are all over the
 * memory, and all are moved whenever it grows. The first few numbers and texts
 * in an object, which will be read anyway, tell most objects apart as well, and
 * the same object always shows the same. So from some number on, objects are
 * looked for by such a fingerprint, and compared only with those of the same
 * one; the set is left with those of which too many look alike.
 *
 * @module
 */

import { secretInts } from "../bytes/secrets.ts";

/** How many items of an object make its fingerprint. */
const PRINTED = 4;
/** How many objects are looked for one by one. */
const FEW = 8;
/** With how many objects fingerprints begin. */
const MANY = 2048;
/** How many objects of one fingerprint are compared. */
const ALIKE = 4;
/** How many places are looked at. */
const PLACES = 64;
/** How an object is looked for. */
const OTHER = 0;
const ITEMS = 1;
const FIELDS = 2;
/** Of how many objects the tables are kept for the next time. */
const KEPT = 1 << 18;

const NO_INTS = new Int32Array(0);
const secrets = secretInts(2);
const SEED = secrets[0]!;
const FACTOR = secrets[1]! | 1;

function addPrint(print: number, item: unknown): number {
  let bits = 1;
  if (typeof item === "number") {
    const int = item | 0;
    bits = int === item ? int : item * 0xffff_fffb | 0;
  } else if (typeof item === "string") {
    const length = item.length;
    bits = length === 0 ? 2 : length + (item.charCodeAt(0) << 8) +
      (item.charCodeAt(length >> 1) << 16) +
      (item.charCodeAt(length - 1) << 24);
  } else if (item === true) bits = 3;
  else if (item === null) bits = 4;
  print = Math.imul(print ^ bits, FACTOR);
  return print ^ print >>> 15;
}

function printItems(items: readonly unknown[]): number {
  const length = items.length;
  let print = SEED ^ length;
  for (let i = 0; i < PRINTED && i < length; i++) {
    print = addPrint(print, items[i]);
  }
  return print;
}

function printFields(object: Record<string, unknown>): number {
  let print = SEED;
  let left = PRINTED;
  for (const key in object) {
    if (left-- === 0) break;
    print = addPrint(print, object[key]);
  }
  return print;
}

/** Objects in order of first sight. */
export class ObjectMemo {
  /** How many there are. */
  count = 0;
  /** Where in that order the one is that was looked for last. */
  slot = -1;
  /** Their numbers in the memo of the pickle; -1 while they have none. */
  ids: Int32Array<ArrayBuffer> = new Int32Array(256);

  /** The first of them, as long as there are no more; then they are in `#set`. */
  readonly #few: (object | undefined)[] = new Array(FEW).fill(undefined);
  #isFew = true;
  #set = new Set<object>();
  #setCount = 0;
  /** Where those of `#set` are; made when one of them is met again. */
  #slots: Map<object, number> | undefined;
  #slotsTaken = 0;
  #slotsFrom: IterableIterator<object> | undefined;

  /** With how many objects fingerprints are tried. */
  #tryAt = MANY;
  #isPrinting = false;
  /** How each of the first is looked for. */
  readonly #kinds: Uint8Array<ArrayBuffer> = new Uint8Array(MANY);
  /** Slots by fingerprint, plus one. */
  #table: Int32Array<ArrayBuffer> = NO_INTS;
  /** How many places of it are in use, and how many are taken. */
  #size = 0;
  #taken = 0;
  /** Whether a place was too far off: then the table stays as it is. */
  #isCrowded = false;
  /** By slot: the fingerprint, and the object where it is not in `#set`. */
  #prints: Int32Array<ArrayBuffer> = NO_INTS;
  #objects: (object | undefined)[] = [];
  /** For each in `#set`, its slot, once there are fingerprints. */
  #setSlots: Int32Array<ArrayBuffer> = NO_INTS;

  /**
   * Looks for an object and adds it.
   *
   * @param object The object.
   * @returns Whether it was there.
   */
  see(object: object): boolean {
    return this.#see(object, OTHER);
  }

  /**
   * As {@linkcode ObjectMemo.see}, for a list or tuple that nobody changes
   * meanwhile.
   *
   * @param items The list.
   * @returns Whether it was there.
   */
  seeItems(items: unknown[]): boolean {
    if (this.count >= this.#tryAt) this.#beginPrints();
    return this.#isPrinting
      ? this.#seePrint(items, printItems(items))
      : this.#see(items, ITEMS);
  }

  /**
   * As {@linkcode ObjectMemo.see}, for a plain object that nobody changes
   * meanwhile.
   *
   * @param object The object.
   * @returns Whether it was there.
   */
  seeFields(object: Record<string, unknown>): boolean {
    if (this.count >= this.#tryAt) this.#beginPrints();
    return this.#isPrinting
      ? this.#seePrint(object, printFields(object))
      : this.#see(object, FIELDS);
  }

  /** Forgets all of them. */
  clear(): void {
    const count = this.count;
    if (count === 0) return;
    this.count = 0;
    const few = this.#few;
    for (let i = 0; i < FEW && i < count; i++) few[i] = undefined;
    if (this.#isFew) return;
    this.#isFew = true;
    // Emptying a large one costs more than a new one.
    if (this.#setCount > 64) this.#set = new Set();
    else this.#set.clear();
    this.#setCount = 0;
    if (this.#slots !== undefined) {
      this.#slots = this.#slotsFrom = undefined;
      this.#slotsTaken = 0;
    }
    if (count < MANY) return;
    this.#tryAt = MANY;
    this.#emptyTable();
    if (count > KEPT) {
      this.ids = new Int32Array(256);
      this.#table = this.#prints = this.#setSlots = NO_INTS;
      this.#size = 0;
      this.#objects = [];
    }
  }

  #see(object: object, kind: number): boolean {
    if (this.#isFew) {
      const few = this.#few;
      for (let i = 0; i < this.count; i++) {
        if (few[i] === object) {
          this.slot = i;
          return true;
        }
      }
      if (this.count < FEW) {
        few[this.count] = object;
        this.#kinds[this.#add()] = kind;
        return false;
      }
      for (const one of few) this.#set.add(one!);
      this.#setCount = FEW;
      this.#isFew = false;
    }
    const count = this.#setCount;
    // One operation tells whether it was there, and adds it.
    if (this.#set.add(object).size === count) {
      this.slot = this.#slotOf(object);
      return true;
    }
    const slot = this.#add();
    if (this.#isPrinting) this.#noteSlot(slot);
    else if (slot < MANY) this.#kinds[slot] = kind;
    this.#setCount = count + 1;
    return false;
  }

  #add(): number {
    const slot = this.slot = this.count++;
    if (slot === this.ids.length) {
      const ids = new Int32Array(slot * 2);
      ids.set(this.ids);
      this.ids = ids;
    }
    this.ids[slot] = -1;
    return slot;
  }

  /** Where an object of `#set` is. */
  #slotOf(object: object): number {
    const slots = this.#slots ??= new Map();
    const known = slots.get(object);
    if (known !== undefined) return known;
    // A set's iterator goes on where it stood, through what was added since.
    const iterator = this.#slotsFrom ??= this.#set.values();
    while (this.#slotsTaken < this.#setCount) {
      const next: object = iterator.next().value!;
      const index = this.#slotsTaken++;
      const slot = this.#isPrinting ? this.#setSlots[index]! : index;
      slots.set(next, slot);
      if (next === object) return slot;
    }
    return -1;
  }

  #seePrint(object: object, print: number): boolean {
    const table = this.#table;
    const prints = this.#prints;
    const mask = this.#size - 1;
    let place = print & mask;
    let alike = 0;
    for (let left = PLACES; left > 0; left--) {
      const slot = table[place]! - 1;
      if (slot < 0) {
        if (alike === ALIKE || this.#isCrowded) return this.see(object);
        this.#place(this.#add(), print, object);
        if (this.#taken * 2 > mask) this.#grow();
        return false;
      }
      if (prints[slot] === print) {
        if (this.#objects[slot] === object) {
          this.slot = slot;
          return true;
        }
        alike++;
      }
      place = (place + 1) & mask;
    }
    this.#isCrowded = true;
    return this.see(object);
  }

  /** Goes over to fingerprints, unless too many of those so far are alike. */
  #beginPrints(): void {
    this.#tryAt = Infinity;
    const count = this.count;
    const rest = new Set<object>();
    const restSlots = new Int32Array(MANY);
    this.#resize(count * 4);
    let slot = 0;
    for (const object of this.#set) {
      const kind = this.#kinds[slot]!;
      const print = kind === ITEMS
        ? printItems(object as unknown[])
        : kind === FIELDS
        ? printFields(object as Record<string, unknown>)
        : 0;
      if (kind === OTHER || !this.#place(slot, print, object)) {
        restSlots[rest.size] = slot;
        rest.add(object);
      }
      slot++;
    }
    if (rest.size * 4 > count) {
      this.#emptyTable();
      return;
    }
    this.#isPrinting = true;
    this.#set = rest;
    this.#setCount = rest.size;
    this.#setSlots = restSlots;
    this.#slots = this.#slotsFrom = undefined;
    this.#slotsTaken = 0;
  }

  /** Puts an object in the table, if there are not too many like it. */
  #place(slot: number, print: number, object: object): boolean {
    const table = this.#table;
    const mask = this.#size - 1;
    let place = print & mask;
    let alike = 0;
    for (let left = PLACES; left > 0; left--) {
      const other = table[place]! - 1;
      if (other < 0) {
        if (alike === ALIKE) return false;
        table[place] = slot + 1;
        this.#taken++;
        if (slot >= this.#prints.length) {
          const prints = new Int32Array(Math.max(2 * slot, 2 * MANY));
          prints.set(this.#prints);
          this.#prints = prints;
        }
        this.#prints[slot] = print;
        this.#objects[slot] = object;
        return true;
      }
      if (this.#prints[other] === print) alike++;
      place = (place + 1) & mask;
    }
    this.#isCrowded = true;
    return false;
  }

  /** Makes the table larger. */
  #grow(): void {
    const count = this.count;
    this.#table.fill(0, 0, this.#size);
    this.#resize(this.#size * 4);
    for (let slot = 0; slot < count; slot++) {
      const object = this.#objects[slot];
      if (object === undefined) continue;
      if (this.#place(slot, this.#prints[slot]!, object)) continue;
      // Now it is in the set.
      this.#objects[slot] = undefined;
      this.#noteSlot(slot);
      this.#set.add(object);
      this.#setCount++;
    }
  }

  /** A table that is empty, of so many places. */
  #resize(size: number): void {
    this.#size = size;
    this.#taken = 0;
    if (this.#table.length < size) this.#table = new Int32Array(size);
  }

  #emptyTable(): void {
    this.#table.fill(0, 0, this.#size);
    this.#objects.fill(undefined);
    this.#isPrinting = this.#isCrowded = false;
  }

  /** Notes where the object is that `#set` is about to get. */
  #noteSlot(slot: number): void {
    if (this.#setCount === this.#setSlots.length) {
      const slots = new Int32Array(this.#setCount * 2);
      slots.set(this.#setSlots);
      this.#setSlots = slots;
    }
    this.#setSlots[this.#setCount] = slot;
  }
}
