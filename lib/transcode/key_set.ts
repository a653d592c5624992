/**
 * Whether a dict gets a key twice, in bounded memory.
 *
 * What is written of a dict cannot be taken back, so a key that comes again
 * must be found out. Of each key 64 bits of a hash are kept, which costs some
 * ten bytes a key and mistakes one dict of three million keys in four million
 * for one with a key twice (a refusal, never a wrong text). When no more may be
 * kept, a key that is greater than all before it (shorter ones first, as
 * counters go) is certainly new still. Any other is a reason to stop.
 *
 * @module
 */

/** The key is new. */
export const NEW = 0;
/** The key is there already. */
export const SEEN = 1;
/** There are too many to tell. */
export const UNKNOWN = 2;

/** What all sets of a machine may take. */
export interface KeyBudget {
  /** How many bytes are left. */
  left: number;
}

const CELL = 8;
const FEW = 16;
// So that no keys can be made for which the table is slow.
const seedA = (Math.random() * 0x100000000) | 1;
const seedB = (Math.random() * 0x100000000) | 1;

/** The keys so far of one dict after the other. */
export class KeySet {
  /** Whose keys these are. */
  owner = -1;
  readonly #budget: KeyBudget;
  // Both 0: free.
  #a = new Uint32Array(FEW);
  #b = new Uint32Array(FEW);
  #size = 0;
  #greatest = new Uint8Array(64);
  #greatestSize = -1;
  /** Whether keys have been let pass that are not in it. */
  #isPartial = false;

  /**
   * Makes an empty set.
   *
   * @param budget What it and others may take.
   */
  constructor(budget: KeyBudget) {
    this.#budget = budget;
    budget.left -= FEW * CELL;
  }

  /** Takes everything out, for somebody else. */
  begin(owner: number): void {
    this.owner = owner;
    this.#greatestSize = -1;
    this.#isPartial = false;
    if (this.#a.length > 1024) {
      this.#budget.left += (this.#a.length - FEW) * CELL;
      this.#a = new Uint32Array(FEW);
      this.#b = new Uint32Array(FEW);
    } else if (this.#size > 0) {
      this.#a.fill(0);
      this.#b.fill(0);
    }
    this.#size = 0;
  }

  /**
   * Adds a key.
   *
   * @param bytes Where it stands.
   * @param from Offset of its first byte.
   * @param to Offset after its last byte.
   * @returns Whether it is new.
   */
  add(
    bytes: Uint8Array,
    from: number,
    to: number,
  ): typeof NEW | typeof SEEN | typeof UNKNOWN {
    let a = seedA;
    let b = seedB;
    for (let i = from; i < to; i++) {
      const c = bytes[i]!;
      a = Math.imul(a ^ c, 0x01000193);
      b = Math.imul(((b << 5) | (b >>> 27)) ^ c, 0x85ebca6b);
    }
    a >>>= 0;
    b >>>= 0;
    if ((a | b) === 0) b = 1;
    let cellsA = this.#a;
    let cellsB = this.#b;
    let i = place(a, b, cellsA.length - 1);
    while ((cellsA[i]! | cellsB[i]!) !== 0) {
      if (cellsA[i] === a && cellsB[i] === b) return SEEN;
      i = (i + 1) & (cellsA.length - 1);
    }
    const isGreatest = this.#rise(bytes, from, to);
    if (this.#isPartial) return isGreatest ? NEW : UNKNOWN;
    if (this.#size >= cellsA.length >> 1) {
      if (this.#grow()) {
        cellsA = this.#a;
        cellsB = this.#b;
        const mask = cellsA.length - 1;
        i = place(a, b, mask);
        while ((cellsA[i]! | cellsB[i]!) !== 0) i = (i + 1) & mask;
      } else if (this.#size >= cellsA.length * 0.875) {
        if (!isGreatest) return UNKNOWN;
        this.#isPartial = true;
        return NEW;
      }
    }
    cellsA[i] = a;
    cellsB[i] = b;
    this.#size++;
    return NEW;
  }

  /** Whether a key is greater than all before; then it is what others must be greater than. */
  #rise(bytes: Uint8Array, from: number, to: number): boolean {
    const size = to - from;
    if (size < this.#greatestSize) return false;
    let greatest = this.#greatest;
    if (size === this.#greatestSize) {
      let i = 0;
      while (i < size && bytes[from + i] === greatest[i]) i++;
      if (i === size || bytes[from + i]! < greatest[i]!) return false;
    }
    if (size > greatest.length) {
      greatest = this.#greatest = new Uint8Array(size * 2);
    }
    if (size < 48) {
      for (let i = 0; i < size; i++) greatest[i] = bytes[from + i]!;
    } else greatest.set(bytes.subarray(from, to));
    this.#greatestSize = size;
    return true;
  }

  #grow(): boolean {
    const oldA = this.#a;
    const oldB = this.#b;
    const more = oldA.length * CELL;
    if (more > this.#budget.left) return false;
    this.#budget.left -= more;
    const length = oldA.length * 2;
    const cellsA = this.#a = new Uint32Array(length);
    const cellsB = this.#b = new Uint32Array(length);
    for (let old = 0; old < oldA.length; old++) {
      const a = oldA[old]!;
      const b = oldB[old]!;
      if ((a | b) === 0) continue;
      let i = place(a, b, length - 1);
      while ((cellsA[i]! | cellsB[i]!) !== 0) i = (i + 1) & (length - 1);
      cellsA[i] = a;
      cellsB[i] = b;
    }
    return true;
  }
}

function place(a: number, b: number, mask: number): number {
  const mixed = Math.imul(a ^ (b >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 14)) & mask;
}
