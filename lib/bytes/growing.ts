/**
 * What decompressors write into: bytes that grow and are copied from.
 *
 * @module
 */

/** Compressed data that is damaged. */
export class CompressionError extends SyntaxError {
  /** The format, by its common name. */
  readonly format: string;

  /**
   * Makes the error.
   *
   * @param format The format, by its common name.
   * @param options The error beneath, if any.
   */
  constructor(format: string, options?: ErrorOptions) {
    super(`the ${format} data is damaged or cut off`, options);
    this.name = "CompressionError";
    this.format = format;
  }
}

/**
 * Is asked before there is more output; throws where that is too much. A few
 * bytes can be made into terabytes.
 */
export type Allow = (size: number) => void;

/** Output that is written at its end and copied from behind it. */
export class GrowingBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #allow: Allow;

  /**
   * Makes an empty one.
   *
   * @param allow Is asked before it grows.
   * @param capacity Room to begin with.
   */
  constructor(allow: Allow, capacity = 65_536) {
    this.#bytes = new Uint8Array(capacity);
    this.#allow = allow;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /**
   * Makes room.
   *
   * @param size How many bytes are to come.
   */
  reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    this.#allow(needed);
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /**
   * Writes one byte.
   *
   * @param value 0 to 255.
   */
  push(value: number): void {
    if (this.#length === this.#bytes.length) this.reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /**
   * Writes bytes.
   *
   * @param bytes The bytes.
   */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /**
   * Writes one byte many times.
   *
   * @param value 0 to 255.
   * @param count How many times.
   */
  repeat(value: number, count: number): void {
    this.reserve(count);
    this.#bytes.fill(value, this.#length, this.#length + count);
    this.#length += count;
  }

  /**
   * A byte that was written.
   *
   * @param distance How far behind the end, from 1.
   * @returns The byte.
   */
  back(distance: number): number {
    return this.#bytes[this.#length - distance]!;
  }

  /**
   * Writes again what was written, which may overlap what is being written.
   *
   * @param distance How far behind the end it begins, from 1 to the length.
   * @param count How many bytes.
   */
  copy(distance: number, count: number): void {
    this.reserve(count);
    const bytes = this.#bytes;
    let to = this.#length;
    let from = to - distance;
    if (distance >= count) {
      bytes.copyWithin(to, from, from + count);
    } else {
      for (const end = to + count; to < end;) bytes[to++] = bytes[from++]!;
    }
    this.#length += count;
  }

  /**
   * A part of what was written.
   *
   * @param from Where it begins.
   * @returns The bytes from there on; valid until more is written.
   */
  from(from: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(from, this.#length);
  }

  /**
   * All that was written.
   *
   * @returns The bytes, not copied.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}
