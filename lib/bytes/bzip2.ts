/**
 * Reads bzip2.
 *
 * @module
 */

import { type Allow, CompressionError, GrowingBytes } from "./growing.ts";

/** π and √π in BCD: what a block, and the end, begin with. */
const BLOCK = [0x314159, 0x265359] as const;
const END = [0x177245, 0x385090] as const;

const MAX_BITS = 20;

/** Bits, the highest of each byte first. */
class BitReader {
  readonly #bytes: Uint8Array;
  #pos: number;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, pos: number) {
    this.#bytes = bytes;
    this.#pos = pos;
  }

  bit(): number {
    if (this.#count === 0) {
      if (this.#pos >= this.#bytes.length) throw new CompressionError("bzip2");
      this.#held = this.#bytes[this.#pos++]!;
      this.#count = 8;
    }
    return this.#held >> --this.#count & 1;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value << 1 | this.bit();
    return value >>> 0;
  }

  /** Position of the next whole byte. */
  align(): number {
    this.#count = 0;
    return this.#pos;
  }
}

interface Huffman {
  limits: Int32Array;
  bases: Int32Array;
  symbols: Uint16Array;
  shortest: number;
}

function huffman(lengths: Uint8Array): Huffman {
  const counts = new Int32Array(MAX_BITS + 2);
  let shortest = MAX_BITS;
  for (const length of lengths) {
    counts[length]!++;
    shortest = Math.min(shortest, length);
  }
  const symbols = new Uint16Array(lengths.length);
  let next = 0;
  for (let length = 1; length <= MAX_BITS; length++) {
    for (let i = 0; i < lengths.length; i++) {
      if (lengths[i] === length) symbols[next++] = i;
    }
  }
  const limits = new Int32Array(MAX_BITS + 2).fill(-1);
  const bases = new Int32Array(MAX_BITS + 2);
  let code = 0;
  let index = 0;
  for (let length = shortest; length <= MAX_BITS; length++) {
    bases[length] = index - code;
    index += counts[length]!;
    code += counts[length]!;
    limits[length] = code - 1;
    code <<= 1;
  }
  return { limits, bases, symbols, shortest };
}

function symbol(reader: BitReader, table: Huffman): number {
  let length = table.shortest;
  let code = reader.bits(length);
  while (code > table.limits[length]!) {
    if (++length > MAX_BITS) throw new CompressionError("bzip2");
    code = code << 1 | reader.bit();
  }
  const index = code + table.bases[length]!;
  if (index < 0 || index >= table.symbols.length) {
    throw new CompressionError("bzip2");
  }
  return table.symbols[index]!;
}

/** The byte values that a block uses, by two levels of bitmaps. */
function usedBytes(reader: BitReader): Uint8Array {
  const used: number[] = [];
  const groups = reader.bits(16);
  for (let i = 0; i < 16; i++) {
    if (!(groups >> 15 - i & 1)) continue;
    const map = reader.bits(16);
    for (let j = 0; j < 16; j++) {
      if (map >> 15 - j & 1) used.push(i * 16 + j);
    }
  }
  if (used.length === 0) throw new CompressionError("bzip2");
  return Uint8Array.from(used);
}

function codeLengths(reader: BitReader, size: number): Uint8Array {
  const lengths = new Uint8Array(size);
  let length = reader.bits(5);
  for (let i = 0; i < size; i++) {
    for (;;) {
      if (length < 1 || length > MAX_BITS) throw new CompressionError("bzip2");
      if (reader.bit() === 0) break;
      length += reader.bit() === 0 ? 1 : -1;
    }
    lengths[i] = length;
  }
  return lengths;
}

/** Takes the first of a list to its front. */
function moveToFront(list: Uint8Array, index: number): number {
  const value = list[index]!;
  list.copyWithin(1, 0, index);
  list[0] = value;
  return value;
}

function readBlock(
  reader: BitReader,
  blockSize: number,
  output: GrowingBytes,
): void {
  reader.bits(16);
  reader.bits(16);
  if (reader.bit() === 1) throw new CompressionError("bzip2");
  const start = reader.bits(24);
  const front = usedBytes(reader);
  const size = front.length + 2;
  const tableCount = reader.bits(3);
  const selectorCount = reader.bits(15);
  if (tableCount < 2 || tableCount > 6 || selectorCount === 0) {
    throw new CompressionError("bzip2");
  }
  const order = Uint8Array.from({ length: tableCount }, (_, i) => i);
  const selectors = new Uint8Array(selectorCount);
  for (let i = 0; i < selectorCount; i++) {
    let index = 0;
    while (reader.bit() === 1) {
      if (++index >= tableCount) throw new CompressionError("bzip2");
    }
    selectors[i] = moveToFront(order, index);
  }
  const tables: Huffman[] = [];
  for (let i = 0; i < tableCount; i++) {
    tables.push(huffman(codeLengths(reader, size)));
  }

  // Runs of the front value are written as numbers in base 2 without 0.
  const block = new Uint32Array(blockSize);
  const counts = new Uint32Array(257);
  let length = 0;
  let run = 0;
  let weight = 1;
  let table = tables[0]!;
  for (let read = 0, group = 0;; read++) {
    if (read % 50 === 0) {
      if (group >= selectorCount) throw new CompressionError("bzip2");
      table = tables[selectors[group++]!]!;
    }
    const code = symbol(reader, table);
    if (code < 2) {
      if (weight > blockSize) throw new CompressionError("bzip2");
      run += weight << code;
      weight <<= 1;
      continue;
    }
    if (run > 0) {
      if (length + run > blockSize) throw new CompressionError("bzip2");
      const value = front[0]!;
      counts[value + 1]! += run;
      block.fill(value, length, length += run);
      run = 0;
      weight = 1;
    }
    if (code === size - 1) break;
    if (length === blockSize) throw new CompressionError("bzip2");
    const value = moveToFront(front, code - 1);
    counts[value + 1]!++;
    block[length++] = value;
  }
  if (start >= length) throw new CompressionError("bzip2");

  // The inverse of the Burrows-Wheeler transform, in the upper 24 bits.
  for (let i = 1; i < 257; i++) counts[i]! += counts[i - 1]!;
  for (let i = 0; i < length; i++) {
    const value = block[i]! & 0xff;
    const at = counts[value]!++;
    block[at] = block[at]! | i << 8;
  }
  let place = block[start]! >>> 8;
  let last = -1;
  let repeats = 0;
  for (let i = 0; i < length; i++) {
    const entry = block[place]!;
    const value = entry & 0xff;
    place = entry >>> 8;
    if (repeats === 4) {
      output.repeat(last, value);
      repeats = 0;
      last = -1;
      continue;
    }
    repeats = value === last ? repeats + 1 : 1;
    last = value;
    output.push(value);
  }
}

/**
 * Reads bzip2 data: one stream or several behind each other.
 *
 * @param bytes The data.
 * @param allow Is asked before there is more output.
 * @returns What was compressed.
 * @throws {CompressionError} If it is damaged.
 */
export function readBzip2(
  bytes: Uint8Array,
  allow: Allow,
): Uint8Array<ArrayBuffer> {
  const output = new GrowingBytes(allow);
  let pos = 0;
  do {
    const level = (bytes[pos + 3] ?? 0) - 0x30;
    if (
      bytes[pos] !== 0x42 || bytes[pos + 1] !== 0x5a ||
      bytes[pos + 2] !== 0x68 || level < 1 || level > 9
    ) throw new CompressionError("bzip2");
    const reader = new BitReader(bytes, pos + 4);
    for (;;) {
      const high = reader.bits(24);
      const low = reader.bits(24);
      if (high === END[0] && low === END[1]) break;
      if (high !== BLOCK[0] || low !== BLOCK[1]) {
        throw new CompressionError("bzip2");
      }
      readBlock(reader, level * 100_000, output);
    }
    reader.bits(16);
    reader.bits(16);
    pos = reader.align();
  } while (pos + 4 <= bytes.length && bytes[pos] === 0x42);
  return output.bytes();
}
