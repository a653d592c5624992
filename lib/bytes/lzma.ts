/**
 * Reads LZMA, alone or in the xz container (the LZMA specification of Igor
 * Pavlov; the .xz file format, version 1.2.1).
 *
 * @module
 */

import { type Allow, CompressionError, GrowingBytes } from "./growing.ts";

const INITIAL = 1024;

function fault(): CompressionError {
  return new CompressionError("LZMA");
}

/** A model of bits, each with its likeliness of being 0. */
type Model = Uint16Array;

function model(size: number): Model {
  return new Uint16Array(size).fill(INITIAL);
}

class RangeDecoder {
  readonly bytes: Uint8Array;
  pos: number;
  end: number;
  range = 0xffffffff;
  code = 0;

  constructor(bytes: Uint8Array, pos: number, end: number) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  start(): void {
    if (this.pos + 5 > this.end || this.bytes[this.pos] !== 0) throw fault();
    this.pos++;
    this.range = 0xffffffff;
    this.code = 0;
    for (let i = 0; i < 4; i++) {
      this.code = (this.code << 8 | this.bytes[this.pos++]!) >>> 0;
    }
  }

  #normalize(): void {
    if (this.range < 0x1000000) {
      if (this.pos >= this.end) throw fault();
      this.range = this.range << 8 >>> 0;
      this.code = (this.code << 8 | this.bytes[this.pos++]!) >>> 0;
    }
  }

  bit(probabilities: Model, index: number): number {
    const probability = probabilities[index]!;
    const bound = (this.range >>> 11) * probability;
    let bit = 0;
    if (this.code < bound) {
      this.range = bound;
      probabilities[index] = probability + (2048 - probability >> 5);
    } else {
      this.range -= bound;
      this.code -= bound;
      probabilities[index] = probability - (probability >> 5);
      bit = 1;
    }
    this.#normalize();
    return bit;
  }

  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.range >>>= 1;
      let bit = 0;
      if (this.code >= this.range) {
        this.code -= this.range;
        bit = 1;
      }
      value = (value << 1 | bit) >>> 0;
      this.#normalize();
    }
    return value;
  }

  tree(probabilities: Model, bits: number): number {
    let at = 1;
    for (let i = 0; i < bits; i++) at = at << 1 | this.bit(probabilities, at);
    return at - (1 << bits);
  }

  reverseTree(probabilities: Model, from: number, bits: number): number {
    let at = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probabilities, from + at);
      at = at << 1 | bit;
      value |= bit << i;
    }
    return value;
  }
}

/** Lengths of matches, from 2. */
class LengthModel {
  readonly choice = model(2);
  readonly low: Model[] = Array.from({ length: 16 }, () => model(8));
  readonly middle: Model[] = Array.from({ length: 16 }, () => model(8));
  readonly high = model(256);

  read(decoder: RangeDecoder, position: number): number {
    if (decoder.bit(this.choice, 0) === 0) {
      return 2 + decoder.tree(this.low[position]!, 3);
    }
    if (decoder.bit(this.choice, 1) === 0) {
      return 10 + decoder.tree(this.middle[position]!, 3);
    }
    return 18 + decoder.tree(this.high, 8);
  }
}

class LzmaDecoder {
  readonly #output: GrowingBytes;
  #lc = 0;
  #lp = 0;
  #pb = 0;
  /** Where the dictionary begins. */
  base = 0;
  #state = 0;
  #reps: [number, number, number, number] = [0, 0, 0, 0];
  #literals = model(0);
  #isMatch = model(0);
  #isRep = model(0);
  #isRepG0 = model(0);
  #isRepG1 = model(0);
  #isRepG2 = model(0);
  #isRep0Long = model(0);
  #slots: Model[] = [];
  #special = model(0);
  #align = model(0);
  #lengths = new LengthModel();
  #repLengths = new LengthModel();

  constructor(output: GrowingBytes) {
    this.#output = output;
  }

  setProperties(properties: number): void {
    if (properties >= 225) throw fault();
    this.#lc = properties % 9;
    this.#lp = Math.floor(properties / 9) % 5;
    this.#pb = Math.floor(properties / 45);
    this.resetState();
  }

  resetState(): void {
    this.#state = 0;
    this.#reps = [0, 0, 0, 0];
    this.#literals = model(0x300 << this.#lc + this.#lp);
    this.#isMatch = model(12 << 4);
    this.#isRep = model(12);
    this.#isRepG0 = model(12);
    this.#isRepG1 = model(12);
    this.#isRepG2 = model(12);
    this.#isRep0Long = model(12 << 4);
    this.#slots = Array.from({ length: 4 }, () => model(64));
    this.#special = model(128);
    this.#align = model(16);
    this.#lengths = new LengthModel();
    this.#repLengths = new LengthModel();
  }

  #literal(decoder: RangeDecoder): void {
    const output = this.#output;
    const position = output.length - this.base;
    const previous = position > 0 ? output.back(1) : 0;
    const context = ((position & (1 << this.#lp) - 1) << this.#lc) +
      (previous >> 8 - this.#lc);
    const from = 0x300 * context;
    const probabilities = this.#literals;
    let symbol = 1;
    if (this.#state >= 7) {
      let match = output.back(this.#reps[0] + 1);
      do {
        const matchBit = match >> 7 & 1;
        match <<= 1;
        const bit = decoder.bit(
          probabilities,
          from + (1 + matchBit << 8) + symbol,
        );
        symbol = symbol << 1 | bit;
        if (matchBit !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) {
      symbol = symbol << 1 | decoder.bit(probabilities, from + symbol);
    }
    output.push(symbol & 0xff);
    this.#state = this.#state < 4
      ? 0
      : this.#state < 10
      ? this.#state - 3
      : this.#state - 6;
  }

  #distance(decoder: RangeDecoder, length: number): number {
    const slot = decoder.tree(this.#slots[Math.min(length - 2, 3)]!, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const start = (2 | slot & 1) << bits >>> 0;
    if (slot < 14) {
      return start +
        decoder.reverseTree(this.#special, start - slot, bits);
    }
    return start + decoder.direct(bits - 4) * 16 +
      decoder.reverseTree(this.#align, 0, 4);
  }

  /** Reads until there is so much output, or a marker says that it ends. */
  read(decoder: RangeDecoder, end: number): boolean {
    const output = this.#output;
    while (output.length < end) {
      const position = output.length - this.base & (1 << this.#pb) - 1;
      const state = this.#state;
      if (decoder.bit(this.#isMatch, (state << 4) + position) === 0) {
        if (state >= 7 && this.#reps[0] >= output.length - this.base) {
          throw fault();
        }
        this.#literal(decoder);
        continue;
      }
      let length: number;
      const reps = this.#reps;
      if (decoder.bit(this.#isRep, state) === 0) {
        reps[3] = reps[2];
        reps[2] = reps[1];
        reps[1] = reps[0];
        length = this.#lengths.read(decoder, position);
        this.#state = state < 7 ? 7 : 10;
        reps[0] = this.#distance(decoder, length);
        if (reps[0] === 0xffffffff) return true;
      } else {
        if (output.length === this.base) throw fault();
        if (decoder.bit(this.#isRepG0, state) === 0) {
          if (decoder.bit(this.#isRep0Long, (state << 4) + position) === 0) {
            this.#state = state < 7 ? 9 : 11;
            if (reps[0] >= output.length - this.base) throw fault();
            output.copy(reps[0] + 1, 1);
            continue;
          }
        } else {
          let distance: number;
          if (decoder.bit(this.#isRepG1, state) === 0) {
            distance = reps[1];
          } else {
            if (decoder.bit(this.#isRepG2, state) === 0) {
              distance = reps[2];
            } else {
              distance = reps[3];
              reps[3] = reps[2];
            }
            reps[2] = reps[1];
          }
          reps[1] = reps[0];
          reps[0] = distance;
        }
        length = this.#repLengths.read(decoder, position);
        this.#state = state < 7 ? 8 : 11;
      }
      if (
        reps[0] >= output.length - this.base || output.length + length > end
      ) throw fault();
      output.copy(reps[0] + 1, length);
    }
    return false;
  }
}

/**
 * Reads the older `.lzma` form.
 *
 * @param bytes The data.
 * @param allow Is asked before there is more output.
 * @returns What was compressed.
 * @throws {CompressionError} If it is damaged.
 */
export function readLzma(
  bytes: Uint8Array,
  allow: Allow,
): Uint8Array<ArrayBuffer> {
  if (bytes.length < 18) throw fault();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = view.getBigUint64(5, true);
  const known = size !== 0xffff_ffff_ffff_ffffn;
  if (known && size > BigInt(Number.MAX_SAFE_INTEGER)) throw fault();
  const output = new GrowingBytes(allow);
  const decoder = new LzmaDecoder(output);
  decoder.setProperties(bytes[0]!);
  const range = new RangeDecoder(bytes, 13, bytes.length);
  range.start();
  const ended = decoder.read(range, known ? Number(size) : Infinity);
  if (!known && !ended) throw fault();
  return output.bytes();
}

/** LZMA2: chunks, each with its own say on what is reset. */
function readLzma2(
  bytes: Uint8Array,
  from: number,
  output: GrowingBytes,
): number {
  const decoder = new LzmaDecoder(output);
  decoder.base = output.length;
  let pos = from;
  let hasProperties = false;
  for (;;) {
    const control = bytes[pos++];
    if (control === undefined) throw fault();
    if (control === 0) return pos;
    if (control < 0x80) {
      if (control > 2 || pos + 2 > bytes.length) throw fault();
      if (control === 1) decoder.base = output.length;
      const size = (bytes[pos]! << 8 | bytes[pos + 1]!) + 1;
      pos += 2;
      if (pos + size > bytes.length) throw fault();
      output.append(bytes.subarray(pos, pos + size));
      pos += size;
      continue;
    }
    if (pos + 5 > bytes.length) throw fault();
    const size = ((control & 0x1f) << 16 | bytes[pos]! << 8 | bytes[pos + 1]!) +
      1;
    const packed = (bytes[pos + 2]! << 8 | bytes[pos + 3]!) + 1;
    pos += 4;
    const reset = control >> 5 & 3;
    if (reset === 3) decoder.base = output.length;
    if (reset >= 2) {
      decoder.setProperties(bytes[pos++]!);
      hasProperties = true;
    } else if (reset === 1) decoder.resetState();
    if (!hasProperties || pos + packed > bytes.length) throw fault();
    const range = new RangeDecoder(bytes, pos, pos + packed);
    range.start();
    decoder.read(range, output.length + size);
    pos += packed;
  }
}

const CRC32 = new Uint32Array(256);
const CRC64_LOW = new Uint32Array(256);
const CRC64_HIGH = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i;
  let low = i;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
    const odd = low & 1;
    low = (low >>> 1 | high << 31) >>> 0;
    high >>>= 1;
    if (odd) {
      low = (low ^ 0xd7870f42) >>> 0;
      high = (high ^ 0xc96c5795) >>> 0;
    }
  }
  CRC32[i] = crc;
  CRC64_LOW[i] = low;
  CRC64_HIGH[i] = high;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    crc = CRC32[(crc ^ bytes[i]!) & 0xff]! ^ crc >>> 8;
  }
  return ~crc >>> 0;
}

function crc64(bytes: Uint8Array): [number, number] {
  let low = 0xffffffff;
  let high = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    const at = (low ^ bytes[i]!) & 0xff;
    low = ((low >>> 8 | high << 24) ^ CRC64_LOW[at]!) >>> 0;
    high = (high >>> 8 ^ CRC64_HIGH[at]!) >>> 0;
  }
  return [~low >>> 0, ~high >>> 0];
}

const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const LZMA2_FILTER = 0x21;
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

function readBlockHeader(bytes: Uint8Array, pos: number): number {
  const size = (bytes[pos]! + 1) * 4;
  const header = bytes.subarray(pos, pos + size);
  if (header.length < size) throw fault();
  const view = new DataView(header.buffer, header.byteOffset, size);
  if (crc32(header.subarray(0, size - 4)) !== view.getUint32(size - 4, true)) {
    throw fault();
  }
  const flags = header[1]!;
  let at = 2;
  for (const flag of [0x40, 0x80]) {
    if (!(flags & flag)) continue;
    while (header[at]! & 0x80) at++;
    at++;
  }
  // Only LZMA2 alone: nobody filters pickles.
  if ((flags & 3) !== 0 || header[at] !== LZMA2_FILTER) throw fault();
  return pos + size;
}

/**
 * Reads the `.xz` form.
 *
 * @param bytes The data.
 * @param allow Is asked before there is more output.
 * @returns What was compressed.
 * @throws {CompressionError} If it is damaged.
 */
export function readXz(
  bytes: Uint8Array,
  allow: Allow,
): Uint8Array<ArrayBuffer> {
  const output = new GrowingBytes(allow);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let pos = 0;
  while (pos < bytes.length) {
    if (XZ.some((byte, i) => bytes[pos + i] !== byte)) throw fault();
    const check = (bytes[pos + 7] ?? 0) & 15;
    pos += 12;
    while (bytes[pos] !== undefined && bytes[pos] !== 0) {
      const from = output.length;
      const start = pos;
      pos = readLzma2(bytes, readBlockHeader(bytes, pos), output);
      pos += (4 - (pos - start) % 4) % 4;
      const size = CHECK_SIZES[check]!;
      if (pos + size > bytes.length) throw fault();
      if (check === 1) {
        if (crc32(output.from(from)) !== view.getUint32(pos, true)) {
          throw fault();
        }
      } else if (check === 4) {
        const [low, high] = crc64(output.from(from));
        if (
          low !== view.getUint32(pos, true) ||
          high !== view.getUint32(pos + 4, true)
        ) throw fault();
      }
      pos += size;
    }
    // The index: how many blocks, and two numbers for each.
    const index = pos++;
    const number = (): number => {
      let value = 0;
      for (let shift = 0;; shift += 7) {
        const byte = bytes[pos++];
        if (byte === undefined || shift > 56) throw fault();
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return value;
      }
    };
    for (let records = number() * 2; records > 0; records--) number();
    pos += (4 - (pos - index) % 4) % 4;
    // Its check, and the footer; then zeros, or another stream.
    pos += 16;
    if (pos > bytes.length) throw fault();
    while (bytes[pos] === 0) pos++;
  }
  return output.bytes();
}
