/**
 * What APPEND and SETITEM do to sequences: `list[index] = value`, and bytearrays
 * that grow, which a `Uint8Array` cannot. CPython's pickles do neither to a
 * bytearray; CPython's unpickler does.
 *
 * @module
 */

import { ByteArray } from "./byte_array.ts";

/**
 * Where an index is, as Python counts: from the end where it is negative.
 *
 * @param index What was given for an index.
 * @param length How long the sequence is.
 * @returns The index from 0 up; undefined where it is none, or out of range.
 */
export function indexOf(index: unknown, length: number): number | undefined {
  const number = typeof index === "boolean" ? Number(index) : index;
  if (typeof number !== "number" || !Number.isInteger(number)) return undefined;
  const at = number < 0 ? number + length : number;
  return at >= 0 && at < length ? at : undefined;
}

/**
 * Sets items of a list.
 *
 * @param list The list.
 * @param flat Index, value, index, value ….
 * @returns Whether all indices are within it.
 */
export function setListItems(
  list: unknown[],
  flat: readonly unknown[],
): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    const at = indexOf(flat[i], list.length);
    if (at === undefined) return false;
    list[at] = flat[i + 1];
  }
  return true;
}

function byteOf(value: unknown): number | undefined {
  const number = typeof value === "boolean" ? Number(value) : value;
  return typeof number === "number" && (number & 0xff) === number
    ? number
    : undefined;
}

/**
 * Sets bytes of a bytearray.
 *
 * @param bytes The bytearray.
 * @param flat Index, value, index, value ….
 * @returns Whether all indices are within it, and all values bytes.
 */
export function setByteItems(
  bytes: ByteArray,
  flat: readonly unknown[],
): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    const at = indexOf(flat[i], bytes.length);
    const byte = byteOf(flat[i + 1]);
    if (at === undefined || byte === undefined) return false;
    bytes[at] = byte;
  }
  return true;
}

/** A bytearray that has become longer than the `ByteArray` which it was. */
export class GrowingByteArray {
  /** As it is now; others that it was are views of the same bytes at best. */
  now: ByteArray;

  /**
   * Makes one.
   *
   * @param bytes As it was.
   */
  constructor(bytes: ByteArray) {
    this.now = bytes;
  }

  /**
   * Appends to it; room is kept for more, so that many appends cost little.
   *
   * @param items The bytes.
   * @returns Whether all of them are bytes.
   */
  append(items: readonly unknown[]): boolean {
    const { now } = this;
    const before = now.length;
    const length = before + items.length;
    let grown: ByteArray;
    if (this.#buffer !== undefined && this.#buffer.byteLength >= length) {
      grown = new ByteArray(this.#buffer, 0, length);
    } else {
      this.#buffer = new ArrayBuffer(length * 2);
      grown = new ByteArray(this.#buffer, 0, length);
      grown.set(now);
    }
    for (let i = 0; i < items.length; i++) {
      const byte = byteOf(items[i]);
      if (byte === undefined) return false;
      grown[before + i] = byte;
    }
    this.now = grown;
    return true;
  }

  #buffer: ArrayBuffer | undefined;

  /**
   * Gives the room back that was kept.
   *
   * @returns As it stays.
   */
  settle(): ByteArray {
    if (this.now.length !== this.now.buffer.byteLength) {
      this.now = new ByteArray(this.now);
      this.#buffer = undefined;
    }
    return this.now;
  }
}
