/**
 * Reads Zstandard (RFC 8878), without dictionaries.
 *
 * @module
 */

import { type Allow, CompressionError, GrowingBytes } from "./growing.ts";

const MAGIC = 0xfd2fb528;
const SKIPPED = 0x184d2a50;
const MAX_BLOCK = 131_072;

function fault(): CompressionError {
  return new CompressionError("Zstandard");
}

/** Bits of little-endian bytes, read forwards: tables are written so. */
class ForwardBits {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(count: number): number {
    const value = this.peek(count);
    this.#bit += count;
    if (this.#bit > this.#bytes.length * 8) throw fault();
    return value;
  }

  peek(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const at = this.#bit + i;
      const byte = this.#bytes[at >> 3] ?? 0;
      value |= (byte >> (at & 7) & 1) << i;
    }
    return value;
  }

  skip(count: number): void {
    this.#bit += count;
  }

  /** How many bytes were touched. */
  get bytes(): number {
    return this.#bit + 7 >> 3;
  }
}

/** Bits read from the end to the beginning: everything else is written so. */
class BackwardBits {
  readonly #bytes: Uint8Array;
  /** How many bits are left; negative once more was read than there is. */
  left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes[bytes.length - 1];
    if (!last) throw fault();
    this.#bytes = bytes;
    // The highest bit that is set only marks the end.
    this.left = bytes.length * 8 - 8 + (31 - Math.clz32(last));
  }

  read(count: number): number {
    const value = this.peek(count);
    this.left -= count;
    return value;
  }

  /** Up to 31 bits; before the beginning there are zeros. */
  peek(count: number): number {
    const from = this.left - count;
    if (from >= 0) return this.#bits(from, count);
    return this.left > 0 ? this.#bits(0, this.left) * 2 ** -from : 0;
  }

  #bits(from: number, count: number): number {
    const bytes = this.#bytes;
    let at = from >> 3;
    const shift = from & 7;
    let value = (bytes[at++] ?? 0) >> shift;
    let have = 8 - shift;
    while (have < count) {
      value += (bytes[at++] ?? 0) * 2 ** have;
      have += 8;
    }
    return value % 2 ** count;
  }
}

/** A table of finite state entropy: symbol and next state of each state. */
interface FseTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  bases: Uint16Array;
}

function buildFse(counts: Int16Array, log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  counts.forEach((count, symbol) => {
    if (count === -1) {
      symbols[--high] = symbol;
      next[symbol] = 1;
    } else next[symbol] = count;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[place] = symbol;
      do place = place + step & size - 1; while (place >= high);
    }
  });
  if (place !== 0) throw fault();
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const count = next[symbols[state]!]!++;
    bits[state] = log - (31 - Math.clz32(count));
    bases[state] = (count << bits[state]!) - size;
  }
  return { log, symbols, bits, bases };
}

/** Reads how often each symbol comes. Gives the table, and bytes used. */
function readFse(
  bytes: Uint8Array,
  most: { log: number; symbol: number },
): [FseTable, number] {
  const reader = new ForwardBits(bytes);
  const log = reader.read(4) + 5;
  if (log > most.log) throw fault();
  let left = (1 << log) + 1;
  const counts: number[] = [];
  while (left > 1) {
    if (counts.length > most.symbol) throw fault();
    const bits = 32 - Math.clz32(left);
    const low = (1 << bits - 1) - 1;
    const short = (1 << bits) - 1 - left;
    let value = reader.peek(bits);
    if ((value & low) < short) {
      value &= low;
      reader.skip(bits - 1);
    } else {
      if (value > low) value -= short;
      reader.skip(bits);
    }
    const count = value - 1;
    left -= Math.abs(count);
    counts.push(count);
    if (count !== 0) continue;
    for (;;) {
      const zeros = reader.read(2);
      for (let i = 0; i < zeros; i++) counts.push(0);
      if (counts.length > most.symbol + 1) throw fault();
      if (zeros < 3) break;
    }
  }
  if (left !== 1 || reader.bytes > bytes.length) throw fault();
  return [buildFse(Int16Array.from(counts), log), reader.bytes];
}

function oneSymbol(symbol: number): FseTable {
  return {
    log: 0,
    symbols: Uint8Array.of(symbol),
    bits: new Uint8Array(1),
    bases: new Uint16Array(1),
  };
}

/** Symbol and length of code for each sequence of bits. */
interface HuffmanTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
}

function buildHuffman(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > 11) throw fault();
    if (weight > 0) sum += 1 << weight - 1;
  }
  if (sum === 0) throw fault();
  const log = 32 - Math.clz32(sum);
  const rest = (1 << log) - sum;
  // The last weight is what is missing to a power of two.
  if (log > 11 || (rest & rest - 1) !== 0) throw fault();
  const all = [...weights, 32 - Math.clz32(rest)];
  if (all.length > 256) throw fault();
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  let place = 0;
  for (let weight = 1; weight <= log; weight++) {
    all.forEach((own, symbol) => {
      if (own !== weight) return;
      const count = 1 << weight - 1;
      symbols.fill(symbol, place, place + count);
      bits.fill(log + 1 - weight, place, place + count);
      place += count;
    });
  }
  return { log, symbols, bits };
}

function readHuffman(bytes: Uint8Array): [HuffmanTable, number] {
  const head = bytes[0];
  if (head === undefined) throw fault();
  const weights: number[] = [];
  if (head >= 128) {
    const count = head - 127;
    const size = count + 1 >> 1;
    if (1 + size > bytes.length) throw fault();
    for (let i = 0; i < count; i++) {
      const pair = bytes[1 + (i >> 1)]!;
      weights.push(i & 1 ? pair & 15 : pair >> 4);
    }
    return [buildHuffman(weights), 1 + size];
  }
  if (1 + head > bytes.length) throw fault();
  const data = bytes.subarray(1, 1 + head);
  const [table, used] = readFse(data, { log: 6, symbol: 255 });
  const reader = new BackwardBits(data.subarray(used));
  // Two states take turns.
  const states = [reader.read(table.log), reader.read(table.log)];
  if (reader.left < 0) throw fault();
  for (let turn = 0;; turn ^= 1) {
    const state = states[turn]!;
    weights.push(table.symbols[state]!);
    if (weights.length > 255) throw fault();
    const bits = table.bits[state]!;
    if (reader.left < bits) {
      weights.push(table.symbols[states[turn ^ 1]!]!);
      break;
    }
    states[turn] = table.bases[state]! + reader.read(bits);
  }
  return [buildHuffman(weights), 1 + head];
}

function huffmanStream(
  bytes: Uint8Array,
  table: HuffmanTable,
  into: Uint8Array,
): void {
  const reader = new BackwardBits(bytes);
  for (let i = 0; i < into.length; i++) {
    const code = reader.peek(table.log);
    into[i] = table.symbols[code]!;
    reader.left -= table.bits[code]!;
    if (reader.left < 0) throw fault();
  }
  if (reader.left !== 0) throw fault();
}

const LITERAL_BASES = [
  ...Array.from({ length: 16 }, (_, i) => i),
  ...[16, 18, 20, 22, 24, 28, 32, 40, 48, 64],
  ...Array.from({ length: 10 }, (_, i) => 128 << i),
];
const LITERAL_BITS = [
  ...new Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6],
  ...Array.from({ length: 10 }, (_, i) => 7 + i),
];
const MATCH_BASES = [
  ...Array.from({ length: 32 }, (_, i) => i + 3),
  ...[35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99],
  ...Array.from({ length: 10 }, (_, i) => (128 << i) + 3),
];
const MATCH_BITS = [
  ...new Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5],
  ...Array.from({ length: 10 }, (_, i) => 7 + i),
];

const DEFAULT_LITERALS = buildFse(
  Int16Array.of(
    4,
    3,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    1,
    1,
    1,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    2,
    3,
    2,
    1,
    1,
    1,
    1,
    1,
    -1,
    -1,
    -1,
    -1,
  ),
  6,
);
const DEFAULT_MATCHES = buildFse(
  Int16Array.of(
    1,
    4,
    3,
    2,
    2,
    2,
    2,
    2,
    2,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
  ),
  6,
);
const DEFAULT_OFFSETS = buildFse(
  Int16Array.of(
    1,
    1,
    1,
    1,
    1,
    1,
    2,
    2,
    2,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    -1,
    -1,
    -1,
    -1,
    -1,
  ),
  5,
);

/** What goes over from block to block. */
class Frame {
  readonly #output: GrowingBytes;
  readonly #base: number;
  #huffman: HuffmanTable | undefined;
  #literals: FseTable | undefined;
  #offsets: FseTable | undefined;
  #matches: FseTable | undefined;
  #recent: [number, number, number] = [1, 4, 8];

  constructor(output: GrowingBytes) {
    this.#output = output;
    this.#base = output.length;
  }

  block(bytes: Uint8Array): void {
    const [literals, used] = this.#readLiterals(bytes);
    this.#readSequences(bytes.subarray(used), literals);
  }

  #readLiterals(bytes: Uint8Array): [Uint8Array, number] {
    const head = bytes[0];
    if (head === undefined) throw fault();
    const type = head & 3;
    const form = head >> 2 & 3;
    const byte = (index: number) => bytes[index] ?? 0;
    if (type < 2) {
      const width = form === 1 ? 2 : form === 3 ? 3 : 1;
      const size = width === 1
        ? head >> 3
        : width === 2
        ? head >> 4 | byte(1) << 4
        : head >> 4 | byte(1) << 4 | byte(2) << 12;
      if (size > MAX_BLOCK) throw fault();
      const end = width + (type === 0 ? size : 1);
      if (end > bytes.length) throw fault();
      return type === 0
        ? [bytes.subarray(width, end), end]
        : [new Uint8Array(size).fill(byte(width)), end];
    }
    const width = form < 2 ? 3 : form + 2;
    const bits = form < 2 ? 10 : form === 2 ? 14 : 18;
    let number = 0;
    for (let i = 0; i < width; i++) number += byte(i) * 2 ** (8 * i);
    number = Math.floor(number / 16);
    const size = number % 2 ** bits;
    const packed = Math.floor(number / 2 ** bits) % 2 ** bits;
    const end = width + packed;
    if (size > MAX_BLOCK || end > bytes.length) throw fault();
    let data = bytes.subarray(width, end);
    if (type === 2) {
      const [table, used] = readHuffman(data);
      this.#huffman = table;
      data = data.subarray(used);
    }
    const table = this.#huffman;
    if (table === undefined) throw fault();
    const literals = new Uint8Array(size);
    if (form === 0) {
      huffmanStream(data, table, literals);
      return [literals, end];
    }
    if (data.length < 6) throw fault();
    const part = size + 3 >> 2;
    let from = 6;
    for (let i = 0; i < 4; i++) {
      const length = i === 3
        ? data.length - from
        : data[i * 2]! | data[i * 2 + 1]! << 8;
      if (length <= 0 || from + length > data.length || part * i > size) {
        throw fault();
      }
      huffmanStream(
        data.subarray(from, from + length),
        table,
        literals.subarray(part * i, i === 3 ? size : part * (i + 1)),
      );
      from += length;
    }
    return [literals, end];
  }

  #readSequences(bytes: Uint8Array, literals: Uint8Array): void {
    const output = this.#output;
    let pos = 1;
    let count = bytes[0];
    if (count === undefined) throw fault();
    if (count >= 128) {
      if (count < 255) count = (count - 128 << 8) + (bytes[pos++] ?? 0);
      else {
        count = (bytes[pos] ?? 0) + ((bytes[pos + 1] ?? 0) << 8) + 0x7f00;
        pos += 2;
      }
    }
    if (count === 0) {
      output.append(literals);
      return;
    }
    const modes = bytes[pos++];
    if (modes === undefined) throw fault();
    const table = (
      mode: number,
      last: FseTable | undefined,
      most: { log: number; symbol: number; standard: FseTable },
    ): FseTable => {
      switch (mode) {
        case 0:
          return most.standard;
        case 1: {
          const symbol = bytes[pos++];
          if (symbol === undefined || symbol > most.symbol) throw fault();
          return oneSymbol(symbol);
        }
        case 2: {
          const [read, used] = readFse(bytes.subarray(pos), most);
          pos += used;
          return read;
        }
        default:
          if (last === undefined) throw fault();
          return last;
      }
    };
    const lengths = this.#literals = table(modes >> 6, this.#literals, {
      log: 9,
      symbol: 35,
      standard: DEFAULT_LITERALS,
    });
    const offsets = this.#offsets = table(modes >> 4 & 3, this.#offsets, {
      log: 8,
      symbol: 31,
      standard: DEFAULT_OFFSETS,
    });
    const matches = this.#matches = table(modes >> 2 & 3, this.#matches, {
      log: 9,
      symbol: 52,
      standard: DEFAULT_MATCHES,
    });
    const reader = new BackwardBits(bytes.subarray(pos));
    let lengthState = reader.read(lengths.log);
    let offsetState = reader.read(offsets.log);
    let matchState = reader.read(matches.log);
    let used = 0;
    for (let i = 0; i < count; i++) {
      const offsetCode = offsets.symbols[offsetState]!;
      const matchCode = matches.symbols[matchState]!;
      const lengthCode = lengths.symbols[lengthState]!;
      const value = 2 ** offsetCode + reader.read(offsetCode);
      const match = MATCH_BASES[matchCode]! +
        reader.read(MATCH_BITS[matchCode]!);
      const length = LITERAL_BASES[lengthCode]! +
        reader.read(LITERAL_BITS[lengthCode]!);
      if (i < count - 1) {
        lengthState = lengths.bases[lengthState]! +
          reader.read(lengths.bits[lengthState]!);
        matchState = matches.bases[matchState]! +
          reader.read(matches.bits[matchState]!);
        offsetState = offsets.bases[offsetState]! +
          reader.read(offsets.bits[offsetState]!);
      }
      if (reader.left < 0 || used + length > literals.length) throw fault();
      output.append(literals.subarray(used, used + length));
      used += length;
      const distance = this.#distance(value, length);
      if (distance <= 0 || distance > output.length - this.#base) throw fault();
      output.copy(distance, match);
    }
    if (reader.left !== 0) throw fault();
    output.append(literals.subarray(used));
  }

  /** The three last distances have short names. */
  #distance(value: number, literals: number): number {
    const recent = this.#recent;
    if (value > 3) {
      this.#recent = [value - 3, recent[0], recent[1]];
      return value - 3;
    }
    const index = value - 1 + (literals === 0 ? 1 : 0);
    if (index === 0) return recent[0];
    const distance = index === 3 ? recent[0] - 1 : recent[index]!;
    this.#recent = index === 1
      ? [distance, recent[0], recent[2]]
      : [distance, recent[0], recent[1]];
    return distance;
  }
}

/**
 * Reads Zstandard frames. Their checksums are not looked at.
 *
 * @param bytes The data.
 * @param allow Is asked before there is more output.
 * @returns What was compressed.
 * @throws {CompressionError} If it is damaged, or needs a dictionary.
 */
export function readZstd(
  bytes: Uint8Array,
  allow: Allow,
): Uint8Array<ArrayBuffer> {
  const output = new GrowingBytes(allow);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let pos = 0;
  while (pos < bytes.length) {
    if (pos + 5 > bytes.length) throw fault();
    const magic = view.getUint32(pos, true);
    pos += 4;
    if ((magic & 0xfffffff0) >>> 0 === SKIPPED) {
      if (pos + 4 > bytes.length) throw fault();
      pos += 4 + view.getUint32(pos, true);
      continue;
    }
    if (magic !== MAGIC) throw fault();
    const descriptor = bytes[pos++]!;
    const single = (descriptor & 0x20) !== 0;
    if ((descriptor & 3) !== 0 || (descriptor & 8) !== 0) throw fault();
    const sizeWidth = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    pos += (single ? 0 : 1) + sizeWidth;
    const frame = new Frame(output);
    for (let last = false; !last;) {
      if (pos + 3 > bytes.length) throw fault();
      const head = bytes[pos]! | bytes[pos + 1]! << 8 | bytes[pos + 2]! << 16;
      pos += 3;
      last = (head & 1) !== 0;
      const type = head >> 1 & 3;
      const size = head >> 3;
      if (size > MAX_BLOCK || type === 3) throw fault();
      const end = pos + (type === 1 ? 1 : size);
      if (end > bytes.length) throw fault();
      if (type === 0) output.append(bytes.subarray(pos, end));
      else if (type === 1) output.repeat(bytes[pos]!, size);
      else frame.block(bytes.subarray(pos, end));
      pos = end;
    }
    if (descriptor & 4) pos += 4;
    if (pos > bytes.length) throw fault();
  }
  return output.bytes();
}
