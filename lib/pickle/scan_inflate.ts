/**
 * Unpacks gzip, zlib and bare deflate while they arrive, and goes on where the
 * platform's `DecompressionStream` stops: it gives all that comes before
 * damage, reads files of several members, and says what stands behind.
 *
 * @module
 */

/** What is around the packed bytes. */
export type InflateFormat = "gzip" | "deflate" | "deflate-raw";

/** RFC 1951, 3.2.5: what the codes from 257 on stand for. */
const LENGTHS: readonly number[] = [
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59],
  ...[67, 83, 99, 115, 131, 163, 195, 227, 258],
];
const LENGTH_BITS: readonly number[] = [
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
  ...[4, 4, 4, 4, 5, 5, 5, 5, 0],
];
const DISTANCES: readonly number[] = [
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385],
  ...[513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
];
const DISTANCE_BITS: readonly number[] = DISTANCES.map((_, i) =>
  Math.max((i >> 1) - 1, 0)
);
/** RFC 1951, 3.2.7: the order of the lengths of the codes of code lengths. */
const ORDER: readonly number[] = [
  ...[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15],
];

const WINDOW = 32_768;
const BUFFER = WINDOW + 65_536;

/** Codes, by as many bits as the longest has: `symbol << 4 | length`. */
interface Codes {
  readonly table: Uint16Array;
  readonly mask: number;
}

class Damage extends Error {}

function makeCodes(lengths: ArrayLike<number>): Codes {
  const counts = new Uint16Array(16);
  let longest = 1;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]!;
    counts[length]!++;
    if (length > longest) longest = length;
  }
  const next = new Uint16Array(16);
  let code = 0;
  counts[0] = 0;
  for (let length = 1; length < 16; length++) {
    code = (code + counts[length - 1]!) << 1;
    if (code + counts[length]! > 1 << length) throw new Damage();
    next[length] = code;
  }
  const size = 1 << longest;
  const table = new Uint16Array(size);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    let reversed = 0;
    for (let bits = next[length]!++, i = 0; i < length; i++, bits >>= 1) {
      reversed = reversed << 1 | bits & 1;
    }
    for (let at = reversed; at < size; at += 1 << length) {
      table[at] = symbol << 4 | length;
    }
  }
  return { table, mask: size - 1 };
}

let fixed: [Codes, Codes] | undefined;

function fixedCodes(): [Codes, Codes] {
  return fixed ??= [
    makeCodes(
      Uint8Array.from(
        { length: 288 },
        (_, i) => i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8,
      ),
    ),
    makeCodes(new Uint8Array(30).fill(5)),
  ];
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return crc;
});

/** What is read next. */
type State = "header" | "block" | "stored" | "codes" | "trailer" | "end";

/** Unpacks bytes as they come. */
export class InflateReader {
  readonly #format: InflateFormat;
  #state: State;
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #bits = 0;
  #count = 0;
  #ended = false;
  #last = false;
  #stored = 0;
  #literals: Codes | undefined;
  #distances: Codes | undefined;
  readonly #output = new Uint8Array(BUFFER);
  #to = 0;
  #sent = 0;
  #total = 0;
  #crc = -1;
  #a = 1;
  #b = 0;

  /** Whether the packed bytes are damaged or cut off. */
  damaged = false;
  /** Whether bytes stand behind the packed ones. */
  hasMore = false;

  /**
   * Makes a reader.
   *
   * @param format What is around the packed bytes
   */
  constructor(format: InflateFormat) {
    this.#format = format;
    this.#state = format === "deflate-raw" ? "block" : "header";
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next
   */
  push(chunk: Uint8Array): void {
    // Whole bytes among the bits are read again.
    const whole = this.#count >> 3;
    this.#at -= whole;
    this.#count -= whole * 8;
    this.#bits &= (1 << this.#count) - 1;
    const rest = this.#input.length - this.#at;
    if (rest === 0) this.#input = chunk;
    else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#input.subarray(this.#at));
      joined.set(chunk, rest);
      this.#input = joined;
    }
    this.#at = 0;
  }

  /** Says that no input follows. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Gives what comes out next.
   *
   * @returns Bytes of their own, or undefined where more input is wanted or
   * there is no more
   */
  pull(): Uint8Array<ArrayBuffer> | undefined {
    while (!this.damaged && !this.hasMore) {
      // The sums are made where bytes leave, and compared behind them.
      if (this.#state === "trailer" && this.#to > this.#sent) break;
      let goesOn: boolean;
      try {
        goesOn = this.#step();
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        this.damaged = true;
        break;
      }
      if (!goesOn) {
        if (this.#ended && this.#state !== "end") this.damaged = true;
        break;
      }
      if (this.#to - this.#sent >= WINDOW) return this.#flush();
    }
    return this.#to > this.#sent ? this.#flush() : undefined;
  }

  #flush(): Uint8Array<ArrayBuffer> {
    const chunk = this.#output.slice(this.#sent, this.#to);
    this.#total += chunk.length;
    if (this.#format === "gzip") {
      let crc = this.#crc;
      for (let i = 0; i < chunk.length; i++) {
        crc = CRC_TABLE[(crc ^ chunk[i]!) & 0xff]! ^ crc >>> 8;
      }
      this.#crc = crc;
    } else if (this.#format === "deflate") {
      let a = this.#a;
      let b = this.#b;
      for (let i = 0; i < chunk.length;) {
        // So many sums fit into 32 bits.
        const stop = Math.min(i + 3800, chunk.length);
        for (; i < stop; i++) {
          a += chunk[i]!;
          b += a;
        }
        a %= 65_521;
        b %= 65_521;
      }
      this.#a = a;
      this.#b = b;
    }
    if (this.#to > WINDOW) {
      this.#output.copyWithin(0, this.#to - WINDOW, this.#to);
      this.#to = WINDOW;
    }
    this.#sent = this.#to;
    return chunk;
  }

  /** Does what comes next; says whether it could. */
  #step(): boolean {
    switch (this.#state) {
      case "header":
        return this.#header();
      case "block":
        return this.#block();
      case "stored":
        return this.#copy();
      case "codes":
        return this.#decode();
      case "trailer":
        return this.#trailer();
      case "end":
        return this.#behind();
    }
  }

  #header(): boolean {
    const input = this.#input;
    let at = this.#at;
    const left = input.length - at;
    if (this.#format === "deflate") {
      if (left < 2) return false;
      const head = input[at]! * 256 + input[at + 1]!;
      if ((head & 0x0f20) !== 0x0800 || head % 31 !== 0) throw new Damage();
      this.#at = at + 2;
    } else {
      // RFC 1952: ten bytes, then what the flags say.
      if (left < 10) return false;
      if (
        input[at] !== 0x1f || input[at + 1] !== 0x8b || input[at + 2] !== 8
      ) throw new Damage();
      const flags = input[at + 3]!;
      at += 10;
      if (flags & 4) {
        if (input.length - at < 2) return false;
        at += 2 + input[at]! + input[at + 1]! * 256;
      }
      for (const flag of [8, 16]) {
        if ((flags & flag) === 0) continue;
        if (at > input.length) return false;
        const end = input.indexOf(0, at);
        if (end < 0) {
          if (input.length - at > 65_536) throw new Damage();
          return false;
        }
        at = end + 1;
      }
      if (flags & 2) at += 2;
      if (at > input.length) return false;
      this.#at = at;
    }
    this.#crc = -1;
    this.#a = 1;
    this.#b = this.#total = 0;
    this.#to = this.#sent = 0;
    this.#last = false;
    this.#state = "block";
    return true;
  }

  /** Makes sure that so many bits are at hand. */
  #need(count: number): boolean {
    while (this.#count < count) {
      if (this.#at >= this.#input.length) return false;
      this.#bits |= this.#input[this.#at++]! << this.#count;
      this.#count += 8;
    }
    return true;
  }

  #take(count: number): number {
    const value = this.#bits & (1 << count) - 1;
    this.#bits >>>= count;
    this.#count -= count;
    return value;
  }

  #block(): boolean {
    if (this.#last) {
      // What is left of the byte means nothing.
      this.#at -= this.#count >> 3;
      this.#bits = this.#count = 0;
      this.#state = this.#format === "deflate-raw" ? "end" : "trailer";
      return true;
    }
    const { at, bits, count } = {
      at: this.#at,
      bits: this.#bits,
      count: this.#count,
    };
    if (this.#readBlock()) return true;
    this.#at = at;
    this.#bits = bits;
    this.#count = count;
    return false;
  }

  #readBlock(): boolean {
    if (!this.#need(3)) return false;
    const last = this.#take(1) === 1;
    switch (this.#take(2)) {
      case 0: {
        this.#take(this.#count & 7);
        this.#at -= this.#count >> 3;
        this.#bits = this.#count = 0;
        const input = this.#input;
        const at = this.#at;
        if (input.length - at < 4) return false;
        const size = input[at]! + input[at + 1]! * 256;
        if (size + input[at + 2]! + input[at + 3]! * 256 !== 0xffff) {
          throw new Damage();
        }
        this.#at += 4;
        this.#stored = size;
        this.#state = "stored";
        break;
      }
      case 1:
        [this.#literals, this.#distances] = fixedCodes();
        this.#state = "codes";
        break;
      case 2:
        if (!this.#readCodes()) return false;
        this.#state = "codes";
        break;
      default:
        throw new Damage();
    }
    this.#last = last;
    return true;
  }

  #readCodes(): boolean {
    if (!this.#need(14)) return false;
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const count = this.#take(4) + 4;
    const orders = new Uint8Array(19);
    for (let i = 0; i < count; i++) {
      if (!this.#need(3)) return false;
      orders[ORDER[i]!] = this.#take(3);
    }
    const { table, mask } = makeCodes(orders);
    const lengths = new Uint8Array(literals + distances);
    for (let i = 0; i < lengths.length;) {
      this.#need(7);
      const entry = table[this.#bits & mask]!;
      const size = entry & 15;
      if (size > this.#count) return false;
      if (size === 0) {
        if (this.#count < 7) return false;
        throw new Damage();
      }
      const symbol = entry >> 4;
      if (symbol < 16) {
        this.#take(size);
        lengths[i++] = symbol;
        continue;
      }
      const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
      if (!this.#need(size + extra)) return false;
      this.#take(size);
      const times = this.#take(extra) + (symbol === 18 ? 11 : 3);
      if (i + times > lengths.length || symbol === 16 && i === 0) {
        throw new Damage();
      }
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      lengths.fill(value, i, i += times);
    }
    this.#literals = makeCodes(lengths.subarray(0, literals));
    this.#distances = makeCodes(lengths.subarray(literals));
    return true;
  }

  #copy(): boolean {
    const size = Math.min(
      this.#stored,
      this.#input.length - this.#at,
      BUFFER - this.#to,
    );
    this.#output.set(
      this.#input.subarray(this.#at, this.#at + size),
      this.#to,
    );
    this.#at += size;
    this.#to += size;
    this.#stored -= size;
    if (this.#stored === 0) {
      this.#state = "block";
      return true;
    }
    return size > 0;
  }

  #decode(): boolean {
    const input = this.#input;
    const output = this.#output;
    const { table: literals, mask: literalMask } = this.#literals!;
    const { table: distances, mask: distanceMask } = this.#distances!;
    let at = this.#at;
    let bits = this.#bits;
    let count = this.#count;
    let to = this.#to;
    let goesOn = true;
    // Room for the longest match; who calls takes what is there before.
    const full = BUFFER - 258;
    while (to < full) {
      const oldAt = at;
      const oldBits = bits;
      const oldCount = count;
      while (count < 20 && at < input.length) {
        bits |= input[at++]! << count;
        count += 8;
      }
      let entry = literals[bits & literalMask]!;
      let size = entry & 15;
      if (size === 0 || size > count) {
        if (size === 0 && count >= 15) {
          this.#to = to;
          throw new Damage();
        }
        at = oldAt;
        bits = oldBits;
        count = oldCount;
        goesOn = false;
        break;
      }
      bits >>>= size;
      count -= size;
      let symbol = entry >> 4;
      if (symbol < 256) {
        output[to++] = symbol;
        continue;
      }
      if (symbol === 256) {
        this.#state = "block";
        break;
      }
      symbol -= 257;
      let enough = symbol < 29;
      let length = 0;
      let distance = 0;
      if (enough) {
        size = LENGTH_BITS[symbol]!;
        enough = count >= size;
        length = LENGTHS[symbol]! + (bits & (1 << size) - 1);
        bits >>>= size;
        count -= size;
        while (count < 15 && at < input.length) {
          bits |= input[at++]! << count;
          count += 8;
        }
        entry = distances[bits & distanceMask]!;
        size = entry & 15;
        symbol = entry >> 4;
        if (enough && (size === 0 && count >= 15 || symbol > 29)) {
          this.#to = to;
          throw new Damage();
        }
        enough &&= size > 0 && count >= size;
        bits >>>= size;
        count -= size;
        size = DISTANCE_BITS[symbol]!;
        while (count < size && at < input.length) {
          bits |= input[at++]! << count;
          count += 8;
        }
        enough &&= count >= size;
        distance = DISTANCES[symbol]! + (bits & (1 << size) - 1);
        bits >>>= size;
        count -= size;
      } else {
        this.#to = to;
        throw new Damage();
      }
      if (!enough) {
        at = oldAt;
        bits = oldBits;
        count = oldCount;
        goesOn = false;
        break;
      }
      if (distance > to) {
        this.#to = to;
        throw new Damage();
      }
      let from = to - distance;
      if (distance >= length) {
        output.copyWithin(to, from, from + length);
        to += length;
      } else {
        for (const stop = to + length; to < stop;) {
          output[to++] = output[from++]!;
        }
      }
    }
    this.#at = at;
    this.#bits = bits;
    this.#count = count;
    this.#to = to;
    return goesOn;
  }

  #trailer(): boolean {
    const input = this.#input;
    const at = this.#at;
    const size = this.#format === "gzip" ? 8 : 4;
    if (input.length - at < size) return false;
    this.#at += size;
    const view = new DataView(input.buffer, input.byteOffset + at, size);
    const fits = this.#format === "gzip"
      ? view.getInt32(0, true) === ~this.#crc &&
        view.getUint32(4, true) === this.#total >>> 0
      : view.getUint32(0) === this.#b * 65_536 + this.#a;
    if (!fits) throw new Damage();
    this.#state = "end";
    return true;
  }

  #behind(): boolean {
    const input = this.#input;
    if (this.#format === "gzip") {
      // gzip pads with zeros, and takes several members for one file.
      while (input[this.#at] === 0) this.#at++;
      const left = input.length - this.#at;
      if (left === 0) return false;
      if (left === 1 && !this.#ended && input[this.#at] === 0x1f) return false;
      if (input[this.#at] === 0x1f && input[this.#at + 1] === 0x8b) {
        this.#state = "header";
        return true;
      }
    }
    if (this.#at < input.length) this.hasMore = true;
    return false;
  }
}
