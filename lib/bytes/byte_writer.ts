/**
 * A buffer that grows.
 *
 * @module
 */

import { writeUtf8 } from "./utf8.ts";

const encoder = new TextEncoder();

/** Writes numbers, bytes and text one behind the other. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #length = 0;

  /**
   * Makes an empty one.
   *
   * @param capacity Room to begin with, in bytes.
   */
  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  /**
   * Makes room.
   *
   * @param size How many bytes are to come.
   * @returns Offset at which they go.
   */
  reserve(size: number): number {
    const needed = this.#length + size;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return this.#length;
  }

  /**
   * Writes one byte.
   *
   * @param value 0 to 255.
   */
  writeByte(value: number): void {
    const at = this.reserve(1);
    this.#bytes[at] = value;
    this.#length = at + 1;
  }

  /**
   * Writes bytes.
   *
   * @param bytes The bytes, copied.
   */
  writeBytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length = at + bytes.length;
  }

  /**
   * Writes two bytes, little-endian.
   *
   * @param value 0 to 2^16 - 1.
   */
  writeUint16(value: number): void {
    const at = this.reserve(2);
    this.#view.setUint16(at, value, true);
    this.#length = at + 2;
  }

  /**
   * Writes four bytes, little-endian.
   *
   * @param value 0 to 2^32 - 1, or -2^31 to 2^31 - 1.
   */
  writeUint32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value, true);
    this.#length = at + 4;
  }

  /**
   * Writes eight bytes, little-endian.
   *
   * @param value A safe integer from 0.
   */
  writeUint64(value: number): void {
    const at = this.reserve(8);
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
    this.#length = at + 8;
  }

  /**
   * Writes an IEEE double, big-endian as pickle has it.
   *
   * @param value Any number.
   */
  writeFloat64(value: number): void {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value, false);
    this.#length = at + 8;
  }

  /**
   * Writes a text as UTF-8, lone surrogates as three bytes each.
   *
   * @param text Any text.
   * @returns How many bytes it took.
   */
  writeUtf8(text: string): number {
    const at = this.reserve(text.length * 3);
    let end: number;
    if (text.length > 64 && text.isWellFormed()) {
      end = at + encoder.encodeInto(text, this.#bytes.subarray(at)).written;
    } else {
      end = writeUtf8(text, this.#bytes, at);
    }
    this.#length = end;
    return end - at;
  }

  /**
   * Overwrites eight bytes written before.
   *
   * @param at Their offset.
   * @param value A safe integer from 0.
   */
  setUint64(at: number, value: number): void {
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }

  /**
   * What has been written.
   *
   * @param from Offset of the first byte wanted.
   * @returns A copy.
   */
  bytes(from = 0): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, this.#length);
  }

  /**
   * Goes back.
   *
   * @param length How much of what was written stays.
   */
  reset(length = 0): void {
    this.#length = length;
  }
}
