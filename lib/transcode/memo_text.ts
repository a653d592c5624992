/**
 * Finished JSON text by memo slot.
 *
 * @module
 */

// What is empty is shared: most pickles are small and fetch nothing.
const NO_KEYS = new Uint32Array(2);
const NO_NUMBERS = new Int32Array(2);
const NO_BYTES = new Uint8Array(2);

/**
 * A table from slots to text that is kept for good: open addressing over typed
 * arrays, which the hot loop reads itself.
 */
export class MemoText {
  /** Slot of each place in use. */
  keys: Uint32Array = NO_KEYS;
  /** Where its text starts in {@linkcode MemoText.arena}, plus 1; 0: free. */
  at: Int32Array = NO_NUMBERS;
  /** How long it is. */
  length: Int32Array = NO_NUMBERS;
  /** What it is. */
  kinds: Uint8Array = NO_BYTES;
  /** All texts, one after the other. */
  arena: Uint8Array = NO_BYTES;
  /** How much of the arena is in use. */
  used = 0;
  /** How many slots are in use. */
  size = 0;
  /** 32 less the bits of a place. */
  shift = 31;
  /**
   * An odd multiplier that nobody can know beforehand, so that no choice of
   * slots makes them collide.
   */
  readonly multiplier: number = (Math.random() * 0x100000000) | 1;

  /** Where a slot is, or would be. */
  find(slot: number): number {
    const mask = this.keys.length - 1;
    let i = Math.imul(slot, this.multiplier) >>> this.shift;
    while (this.at[i] !== 0 && this.keys[i] !== slot) i = (i + 1) & mask;
    return i;
  }

  /** Whether there is text for a slot. */
  has(slot: number): boolean {
    return this.at[this.find(slot)] !== 0;
  }

  /** Keeps `out[from..to)` for a slot, in place of what it had. */
  set(
    slot: number,
    { kind, out, from, to }: {
      kind: number;
      out: Uint8Array;
      from: number;
      to: number;
    },
  ): void {
    if (this.size * 2 >= this.keys.length || this.size === 0) this.#grow();
    const size = to - from;
    if (this.used + size > this.arena.length) {
      const arena = new Uint8Array(
        Math.max(256, this.arena.length * 2, this.used + size),
      );
      arena.set(this.arena.subarray(0, this.used));
      this.arena = arena;
    }
    const i = this.find(slot);
    if (this.at[i] === 0) this.size++;
    this.keys[i] = slot;
    this.at[i] = this.used + 1;
    this.length[i] = size;
    this.kinds[i] = kind;
    this.arena.set(out.subarray(from, to), this.used);
    this.used += size;
  }

  /** Forgets everything. */
  clear(): void {
    if (this.size === 0) return;
    this.at.fill(0);
    this.size = this.used = 0;
  }

  #grow(): void {
    const { keys, at, length, kinds } = this;
    // Cleared, it may have places already.
    if (this.size === 0 && keys !== NO_KEYS) return;
    const size = keys === NO_KEYS ? 32 : keys.length * 2;
    this.keys = new Uint32Array(size);
    this.at = new Int32Array(size);
    this.length = new Int32Array(size);
    this.kinds = new Uint8Array(size);
    this.shift = Math.clz32(size - 1);
    for (let old = 0; old < keys.length; old++) {
      if (at[old] === 0) continue;
      const i = this.find(keys[old]!);
      this.keys[i] = keys[old]!;
      this.at[i] = at[old]!;
      this.length[i] = length[old]!;
      this.kinds[i] = kinds[old]!;
    }
  }
}
