/**
 * Bytes that have arrived and wait: a list of chunks, joined once.
 *
 * @module
 */

/** Chunks below this are gathered: a view takes some 200 bytes of its own. */
const SMALL = 256;
const LARGEST_BLOCK = 0x1_0000;

/** A list of chunks that is joined only when somebody needs the whole. */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** Small chunks, copied one behind the other. */
  #block: Uint8Array | undefined;
  #used = 0;

  /** How many bytes wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a chunk. It is kept, not copied, unless it is small.
   *
   * @param chunk The bytes that come next.
   */
  push(chunk: Uint8Array): void {
    const length = chunk.length;
    if (length === 0) return;
    this.#size += length;
    if (length >= SMALL) {
      this.#seal();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#block === undefined || this.#used + length > this.#block.length) {
      this.#seal();
      const size = Math.min(Math.max(this.#size, SMALL), LARGEST_BLOCK);
      this.#block = new Uint8Array(size);
    }
    if (length === 1) this.#block[this.#used] = chunk[0]!;
    else this.#block.set(chunk, this.#used);
    this.#used += length;
  }

  #seal(): void {
    if (this.#block === undefined) return;
    this.#chunks.push(this.#block.subarray(0, this.#used));
    this.#block = undefined;
    this.#used = 0;
  }

  /**
   * Takes all that waits, as one array of its own.
   *
   * @returns The bytes; the queue is empty afterwards.
   */
  join(): Uint8Array<ArrayBuffer> {
    this.#seal();
    const joined = new Uint8Array(this.#size);
    let offset = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
    this.clear();
    return joined;
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#chunks = [];
    this.#size = this.#used = 0;
    this.#block = undefined;
  }
}
