/**
 * Bytes that have arrived and wait: a list of chunks, joined once.
 *
 * @module
 */

/** A list of chunks that is joined only when somebody needs the whole. */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** How many bytes wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a chunk. It is kept, not copied.
   *
   * @param chunk The bytes that come next.
   */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * Takes all that waits, as one array of its own.
   *
   * @returns The bytes; the queue is empty afterwards.
   */
  join(): Uint8Array<ArrayBuffer> {
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
    this.#size = 0;
  }
}
