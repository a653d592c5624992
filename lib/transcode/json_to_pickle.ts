/**
 * JSON to pickles while it flows.
 *
 * Unlike the other way, this needs no foresight but one: a list or dict of one
 * item has no MARK, and the MARK stands before the item. So it is written, and
 * taken out again at the end if there was but one item and the MARK is still in
 * the buffer; else it stays, which means the same.
 *
 * What is kept is a frame's worth of output, a few numbers for each level of
 * nesting, the longest string, and the keys, so that Python shares them.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8, Utf8Error } from "../bytes/utf8.ts";
import type { Types } from "../json/convert.ts";
import { TextInput } from "../json/encoding.ts";
import type { Allow } from "../json/tagged_reader.ts";
import { STRING_CLASS } from "../json/strings.ts";
import {
  AT_COLON,
  AT_FIRST_ITEM,
  AT_FIRST_KEY,
  AT_ITEM,
  AT_KEY,
  AT_NEXT,
  AT_TOP,
  AT_VALUE,
  ESCAPE,
  HIGH,
  type JsonSink,
  STATUS_END,
  STATUS_MORE,
  Tokenizer,
  unescapeText,
} from "../json/tokens.ts";
import { floatEnd, readFloat } from "./number_text.ts";
import { CUT, ODD, Unescaped, unescapeJson } from "./string_text.ts";
import { floatRepr } from "../python/float_repr.ts";
import { parseIntText } from "../python/int_text.ts";
import { LimitError, type Limits, resolveLimits } from "../python/limits.ts";
import {
  type Machine,
  MachineStream,
  MORE,
} from "../streams/machine_stream.ts";
import { TaggedToPickleMachine } from "./tagged_to_pickle.ts";

/** Options of {@linkcode JsonToPickleStream}. */
export interface JsonToPickleOptions {
  /**
   * Protocol, from 0 to 5.
   *
   * @default {4}
   */
  protocol?: number;
  /**
   * Whether any number of JSON texts follow one another (JSON Lines), each of
   * which becomes a pickle. Otherwise there is one.
   *
   * @default {false}
   */
  jsonl?: boolean;
  /**
   * Whether each element of the top array becomes a pickle of its own.
   *
   * @default {false}
   */
  items?: boolean;
  /**
   * Whether control characters in strings are wrong.
   *
   * @default {true}
   */
  strict?: boolean;
  /**
   * `"tagged"`: what `types: "tagged"` wrote, here or in `json.dumps`, becomes
   * the pickle that it was. Memory then holds the value.
   *
   * @default {"plain"}
   */
  types?: Types;
  /**
   * With `types: "tagged"`: the classes and functions that the pickle may name,
   * each as `module.name`, or a function that says so. Python runs what a pickle
   * names.
   *
   * @default {[]}
   */
  allow?: Allow;
  /**
   * How much the input may take. With `jsonl` and `items`, `values` counts for
   * each pickle.
   */
  limits?: Limits;
}

const CHUNK = 65536;
/** CPython's FRAME_SIZE_TARGET. */
const FRAME = 65536;
/** CPython's BATCHSIZE. */
const BATCH = 1000;
const LIST = 0;
const DICT = 1;
/** How many keys there is room for at first: many texts are small. */
const SMALL = 64;
/** Bits of STRING_CLASS. */
const CONTROL = 1;
const QUOTE = 8;
/** A token longer than this is left to the tokenizer, which joins once. */
const LONG_TOKEN = 65536;

const floatBytes = new DataView(new ArrayBuffer(8));
/** The string with escapes that is at hand. */
const unescaped = new Unescaped();
const hashSeed = (Math.random() * 0x100000000) | 1;

/**
 * The arrays of a sink, which cost more than a small text does. One that has
 * come to its end leaves them to the next one that begins, so no two ever have
 * the same.
 */
class Scratch {
  out: Uint8Array = new Uint8Array(4096);
  kinds: Uint8Array = new Uint8Array(SMALL);
  counts: Float64Array = new Float64Array(SMALL);
  batches: Int32Array = new Int32Array(SMALL);
  marks: Float64Array = new Float64Array(SMALL);
  keyEpoch: Int32Array = new Int32Array(SMALL);
  keyHash: Int32Array = new Int32Array(SMALL);
  keyMemo: Float64Array = new Float64Array(SMALL);
  keyAt: Int32Array = new Int32Array(SMALL);
  keySize: Int32Array = new Int32Array(SMALL);
  keyNext: Int32Array = new Int32Array(SMALL);
  arena: Uint8Array = new Uint8Array(1024);
  epoch = 0;
}
/** What is larger is let go. */
const SPARE_BYTES = CHUNK * 4;
const SPARE_ENTRIES = 8192;
let spare: Scratch | undefined;

/** Writes pickles of the tokens it is told of. */
class PickleSink implements JsonSink {
  readonly #protocol: number;
  readonly #bin: boolean;
  readonly #framing: boolean;
  readonly #limits: Readonly<Required<Limits>>;
  /** Depth of the containers whose end the tokenizer reports. */
  readonly #floor: number;

  #out: Uint8Array;
  #o = 0;
  /** Offset of `#out[0]` in all that is written. */
  #base = 0;
  #drained = 0;
  #committed = 0;
  /** Where the header of the frame at hand stands, or -1. */
  #frame = -1;
  #begun = false;

  // Open lists and dicts.
  #lp = 0;
  #kinds: Uint8Array;
  #counts: Float64Array;
  #batches: Int32Array;
  #marks: Float64Array;
  /** Whether what is open on top is a dict whose value comes next. */
  #value = false;

  // Keys: an open hash table over their UTF-8.
  #memo = 0;
  #epoch: number;
  #keyEpoch: Int32Array;
  #keyHash: Int32Array;
  #keyMemo: Float64Array;
  #keyAt: Int32Array;
  #keySize: Int32Array;
  #keys = 0;
  /** Where the key is that came after a key the last time, plus 1. */
  #keyNext: Int32Array;
  #lastKey = -1;
  /** Whether keys may have bytes from 0x80 up; those that are guessed are not looked at. */
  #highKeys = false;
  #arena: Uint8Array;
  #arenaUsed = 0;

  #scratch: Scratch;

  /** Offset in the tokenizer's bytes of the string that was decoded last. */
  wrongAt = 0;

  constructor(
    protocol: number,
    { limits, items }: { limits: Readonly<Required<Limits>>; items: boolean },
  ) {
    const scratch = spare ?? new Scratch();
    spare = undefined;
    this.#scratch = scratch;
    this.#out = scratch.out;
    this.#kinds = scratch.kinds;
    this.#counts = scratch.counts;
    this.#batches = scratch.batches;
    this.#marks = scratch.marks;
    this.#keyEpoch = scratch.keyEpoch;
    this.#keyHash = scratch.keyHash;
    this.#keyMemo = scratch.keyMemo;
    this.#keyAt = scratch.keyAt;
    this.#keySize = scratch.keySize;
    this.#keyNext = scratch.keyNext;
    this.#arena = scratch.arena;
    this.#epoch = scratch.epoch;
    this.#floor = items ? 2 : 1;
    this.#protocol = protocol;
    this.#bin = protocol > 0;
    this.#framing = protocol >= 4;
    this.#limits = limits;
  }

  /** All is done: the arrays are the next sink's. */
  release(): void {
    if (
      this.#out.length > SPARE_BYTES || this.#arena.length > SPARE_BYTES ||
      this.#kinds.length > SPARE_ENTRIES ||
      this.#keyEpoch.length > SPARE_ENTRIES
    ) return;
    const scratch = this.#scratch;
    scratch.out = this.#out;
    scratch.kinds = this.#kinds;
    scratch.counts = this.#counts;
    scratch.batches = this.#batches;
    scratch.marks = this.#marks;
    scratch.keyEpoch = this.#keyEpoch;
    scratch.keyHash = this.#keyHash;
    scratch.keyMemo = this.#keyMemo;
    scratch.keyAt = this.#keyAt;
    scratch.keySize = this.#keySize;
    scratch.keyNext = this.#keyNext;
    scratch.arena = this.#arena;
    scratch.epoch = this.#epoch;
    spare = scratch;
  }

  /** How many bytes may be given away. */
  get ready(): number {
    return this.#committed - this.#drained;
  }

  /** Whether a pickle has been begun. */
  get begun(): boolean {
    return this.#begun;
  }

  /** How many bytes are held in buffers, for tests. */
  get held(): number {
    return this.#out.length + this.#arena.length + this.#keyHash.length * 24 +
      this.#kinds.length * 21;
  }

  /** Gives away the next bytes. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#out.slice(this.#drained, this.#drained + size);
    this.#drained += size;
    return chunk;
  }

  /** Ends the pickle. */
  finish(): void {
    this.#room(16);
    this.#out[this.#o++] = 0x2e;
    this.#closeFrame();
    this.#committed = this.#o;
    this.#begun = false;
  }

  #room(size: number): void {
    if (this.#o + size <= this.#out.length) return;
    const drop = this.#drained;
    if (drop > 0) {
      this.#out.copyWithin(0, drop, this.#o);
      this.#o -= drop;
      this.#committed -= drop;
      this.#drained = 0;
      if (this.#frame >= 0) this.#frame -= drop;
      this.#base += drop;
    }
    if (this.#o + size * 2 <= this.#out.length) return;
    let capacity = this.#out.length * 2;
    while (this.#o + size > capacity) capacity *= 2;
    const out = new Uint8Array(capacity);
    out.set(this.#out.subarray(0, this.#o));
    this.#out = out;
  }

  #begin(): void {
    this.#begun = true;
    this.#memo = 0;
    this.#lp = 0;
    this.#value = false;
    this.#keys = 0;
    this.#arenaUsed = 0;
    this.#lastKey = -1;
    if (++this.#epoch > 0x7ffffff0) {
      this.#epoch = 1;
      this.#keyEpoch.fill(0);
    }
    if (this.#protocol >= 2) {
      this.#room(16);
      this.#out[this.#o++] = 0x80;
      this.#out[this.#o++] = this.#protocol;
    }
    if (this.#framing) this.#openFrame();
  }

  #openFrame(): void {
    this.#committed = this.#o;
    this.#frame = this.#o;
    this.#o += 9;
  }

  #closeFrame(): void {
    if (this.#frame < 0) return;
    const begin = this.#frame;
    const size = this.#o - begin - 9;
    const out = this.#out;
    if (size >= 4) {
      out[begin] = 0x95;
      this.#uint(begin + 1, size, 8);
    } else {
      // Too small for a frame (CPython's FRAME_SIZE_MIN).
      out.copyWithin(begin, begin + 9, this.#o);
      this.#o -= 9;
    }
    this.#frame = -1;
  }

  #uint(at: number, value: number, size: number): void {
    for (let i = 0; i < size; i++) {
      this.#out[at + i] = value & 255;
      value = Math.floor(value / 256);
    }
  }

  /** What CPython does before it saves a value: end the frame if it is full. */
  #boundary(): void {
    this.#room(64);
    if (this.#framing) {
      if (this.#o - this.#frame - 9 >= FRAME) {
        this.#closeFrame();
        this.#openFrame();
      }
    } else if (this.#o - this.#committed > FRAME * 2) {
      this.#committed = this.#o - FRAME;
    }
  }

  /** A value comes. */
  #before(): void {
    if (!this.#begun) this.#begin();
    if (this.#value) this.#value = false;
    else if (this.#lp > 0) this.#nextItem();
    this.#boundary();
  }

  /** An item or a pair comes: the MARK and the end of batches before it. */
  #nextItem(): void {
    const lp = this.#lp;
    const count = this.#counts[lp]!++;
    if (!this.#bin) return;
    this.#room(16);
    if (count === 0) {
      this.#marks[lp] = this.#base + this.#o;
      this.#out[this.#o++] = 0x28;
    } else if (this.#batches[lp] === BATCH) {
      this.#out[this.#o++] = this.#kinds[lp] === LIST ? 0x65 : 0x75;
      this.#out[this.#o++] = 0x28;
      this.#batches[lp] = 0;
    }
    this.#batches[lp]!++;
  }

  /** A value is whole. */
  #after(): void {
    if (this.#bin || this.#lp === 0) return;
    this.#out[this.#o++] = this.#kinds[this.#lp] === LIST ? 0x61 : 0x73;
  }

  #open(kind: number): void {
    this.#before();
    const out = this.#out;
    if (this.#bin) out[this.#o++] = kind === LIST ? 0x5d : 0x7d;
    else {
      out[this.#o++] = 0x28;
      out[this.#o++] = kind === LIST ? 0x6c : 0x64;
    }
    this.#put();
    const lp = ++this.#lp;
    if (lp === this.#kinds.length) {
      const size = lp * 2;
      const kinds = new Uint8Array(size);
      const counts = new Float64Array(size);
      const batches = new Int32Array(size);
      const marks = new Float64Array(size);
      kinds.set(this.#kinds);
      counts.set(this.#counts);
      batches.set(this.#batches);
      marks.set(this.#marks);
      this.#kinds = kinds;
      this.#counts = counts;
      this.#batches = batches;
      this.#marks = marks;
    }
    this.#kinds[lp] = kind;
    this.#counts[lp] = 0;
    this.#batches[lp] = 0;
  }

  #close(): void {
    const lp = this.#lp--;
    const kind = this.#kinds[lp]!;
    if (this.#bin && this.#counts[lp]! > 0) {
      this.#room(16);
      const mark = this.#marks[lp]! - this.#base;
      const floor = this.#framing ? this.#frame + 9 : this.#committed;
      if (this.#counts[lp] === 1 && mark >= floor) {
        this.#out.copyWithin(mark, mark + 1, this.#o);
        this.#out[this.#o - 1] = kind === LIST ? 0x61 : 0x73;
      } else {
        if (kind === DICT && this.#batches[lp] === BATCH) {
          // The C pickler begins another batch before it sees that all is done.
          this.#out[this.#o++] = 0x75;
          this.#out[this.#o++] = 0x28;
        }
        this.#out[this.#o++] = kind === LIST ? 0x65 : 0x75;
      }
    }
    this.#after();
  }

  /** Stores what is on top. */
  #put(): void {
    const slot = this.#memo++;
    const out = this.#out;
    if (this.#framing) {
      out[this.#o++] = 0x94;
    } else if (!this.#bin) {
      this.#line(0x70, `${slot}`);
    } else if (slot < 256) {
      out[this.#o++] = 0x71;
      out[this.#o++] = slot;
    } else if (slot <= 0xffffffff) {
      out[this.#o++] = 0x72;
      this.#uint(this.#o, slot, 4);
      this.#o += 4;
    }
  }

  #get(slot: number): void {
    const out = this.#out;
    if (!this.#bin) {
      this.#line(0x67, `${slot}`);
    } else if (slot < 256) {
      out[this.#o++] = 0x68;
      out[this.#o++] = slot;
    } else {
      out[this.#o++] = 0x6a;
      this.#uint(this.#o, slot, 4);
      this.#o += 4;
    }
  }

  /** An opcode with its argument on a line. */
  #line(op: number, text: string): void {
    this.#room(text.length + 32);
    const out = this.#out;
    out[this.#o++] = op;
    for (let i = 0; i < text.length; i++) {
      out[this.#o++] = text.charCodeAt(i);
    }
    out[this.#o++] = 10;
  }

  /** A string's UTF-8 as it is in Python: checked, and without escapes. */
  #resolve(
    bytes: Uint8Array,
    start: number,
    end: number,
    flags: number,
  ): Uint8Array | undefined {
    if ((flags & (ESCAPE | HIGH)) === 0) return undefined;
    this.wrongAt = start;
    if ((flags & ESCAPE) === 0) {
      const kind = checkUtf8(bytes, start, end);
      if (kind === 0) return undefined;
      // Halves of pairs that stand side by side are one character here.
      return encodeUtf8(decodeQuoted(bytes, start, end));
    }
    if ((flags & HIGH) !== 0) decodeQuoted(bytes, start, end);
    return encodeUtf8(unescapeText(bytes, start, end));
  }

  /** Reads a string with escapes; its UTF-8 is right then. */
  #unescape(bytes: Uint8Array, from: number): number {
    const end = unescapeJson(bytes, from, unescaped);
    return end >= 0 && unescaped.isHigh &&
        checkUtf8(unescaped.bytes, 0, unescaped.size) !== 0
      ? ODD
      : end;
  }

  /** Writes a string, not from the memo. */
  #string(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (!this.#bin) {
      this.#line(0x56, rawUnicodeEscape(bytes, start, end));
      this.#put();
      return;
    }
    this.#room(size + 64);
    const apart = this.#framing && size >= FRAME;
    if (apart) this.#closeFrame();
    const out = this.#out;
    let o = this.#o;
    if (this.#framing && size < 256) {
      out[o++] = 0x8c;
      out[o++] = size;
    } else if (size <= 0xffffffff) {
      out[o] = 0x58;
      this.#uint(o + 1, size, 4);
      o += 5;
    } else {
      out[o] = 0x8d;
      this.#uint(o + 1, size, 8);
      o += 9;
    }
    if (size < 48) {
      for (let i = start; i < end; i++) out[o++] = bytes[i]!;
    } else {
      out.set(bytes.subarray(start, end), o);
      o += size;
    }
    this.#o = o;
    if (apart) this.#openFrame();
    this.#put();
  }

  /** Finds a key in the table; if it is not there, the free place, as -1 - i. */
  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#keyHash.length - 1;
    const size = end - start;
    let i = (hash ^ (hash >>> 15)) & mask;
    next: while (this.#keyEpoch[i] === this.#epoch) {
      if (this.#keyHash[i] === hash && this.#keySize[i] === size) {
        const at = this.#keyAt[i]!;
        for (let j = 0; j < size; j++) {
          if (this.#arena[at + j] !== bytes[start + j]) {
            i = (i + 1) & mask;
            continue next;
          }
        }
        return i;
      }
      i = (i + 1) & mask;
    }
    return -1 - i;
  }

  /** Writes a string that Python has once, from the memo if it is there. */
  #shared(bytes: Uint8Array, start: number, end: number): void {
    let hash = hashSeed;
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    }
    const place = this.#find(bytes, start, end, hash);
    if (place >= 0) {
      if (this.#lastKey >= 0) this.#keyNext[this.#lastKey] = place + 1;
      this.#lastKey = place;
      this.#get(this.#keyMemo[place]!);
      return;
    }
    this.#lastKey = -1;
    const slot = this.#memo;
    this.#string(bytes, start, end);
    const size = end - start;
    if (
      this.#keys >= this.#limits.memo || slot > 0xffffffff ||
      this.#arenaUsed + size > this.#limits.memoBytes
    ) return;
    let i = -1 - place;
    if (++this.#keys * 2 > this.#keyHash.length) {
      this.#growKeys();
      i = -1 - this.#find(bytes, start, end, hash);
    }
    if (this.#arenaUsed + size > this.#arena.length) {
      const arena = new Uint8Array(
        Math.max(this.#arena.length * 2, this.#arenaUsed + size),
      );
      arena.set(this.#arena.subarray(0, this.#arenaUsed));
      this.#arena = arena;
    }
    this.#arena.set(bytes.subarray(start, end), this.#arenaUsed);
    this.#keyEpoch[i] = this.#epoch;
    this.#keyHash[i] = hash;
    this.#keyMemo[i] = slot;
    this.#keyAt[i] = this.#arenaUsed;
    this.#keySize[i] = size;
    this.#arenaUsed += size;
  }

  #growKeys(): void {
    const size = this.#keyHash.length * 2;
    const epochs = this.#keyEpoch;
    const hashes = this.#keyHash;
    const memos = this.#keyMemo;
    const ats = this.#keyAt;
    const sizes = this.#keySize;
    this.#keyNext = new Int32Array(size);
    this.#lastKey = -1;
    this.#keyEpoch = new Int32Array(size);
    this.#keyHash = new Int32Array(size);
    this.#keyMemo = new Float64Array(size);
    this.#keyAt = new Int32Array(size);
    this.#keySize = new Int32Array(size);
    for (let old = 0; old < hashes.length; old++) {
      if (epochs[old] !== this.#epoch) continue;
      const hash = hashes[old]!;
      let i = (hash ^ (hash >>> 15)) & (size - 1);
      while (this.#keyEpoch[i] === this.#epoch) i = (i + 1) & (size - 1);
      this.#keyEpoch[i] = this.#epoch;
      this.#keyHash[i] = hash;
      this.#keyMemo[i] = memos[old]!;
      this.#keyAt[i] = ats[old]!;
      this.#keySize[i] = sizes[old]!;
    }
  }

  /**
   * Reads on in the tokenizer's place: one loop with locals for what is usual,
   * several times as fast. What is cut off, unusual or wrong is left where it
   * is, for the tokenizer to read or to refuse.
   *
   * @param tokenizer Whose place that is.
   * @returns Whether only a token is left that is not whole.
   */
  fast(tokenizer: Tokenizer): boolean {
    const lent = tokenizer.lend();
    if (lent === undefined || !this.#bin) return false;
    const floor = this.#floor;
    const { bytes, kinds } = lent;
    let { at: i, state, depth, values } = lent;
    let comma = -1;
    if (depth < floor && (state !== AT_TOP || floor !== 1)) return false;
    const length = bytes.length;
    const framing = this.#framing;
    const deepest = Math.min(
      this.#limits.jsonDepth,
      kinds.length - 1,
      this.#kinds.length - 2,
    );
    const most = this.#limits.values;
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    let out = this.#out;
    let o = this.#o;
    let stop = out.length - 512;
    let isCut = false;
    // What there was, in bits of STRING_CLASS; a line break counts as HIGH here.
    let seen = this.#highKeys ? HIGH : 0;
    // Nothing here makes them grow.
    const counts = this.#counts;
    const batches = this.#batches;

    loop: while (i < length) {
      const byte = bytes[i]!;
      if (byte <= 32) {
        if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break;
        if (byte === 10) seen |= HIGH;
        i++;
        continue;
      }
      if (o >= stop) {
        this.#o = o;
        this.#room(1024);
        out = this.#out;
        o = this.#o;
        stop = out.length - 512;
      }
      if (state === AT_NEXT) {
        if (byte === 44) {
          comma = i++;
          state = kinds[depth] === 1 ? AT_ITEM : AT_KEY;
          if (i < length && bytes[i] === 32) i++;
          continue;
        }
        if (byte !== (kinds[depth] === 1 ? 93 : 125) || depth <= floor) break;
        i++;
        depth--;
        this.#o = o;
        this.#close();
        o = this.#o;
        continue;
      }
      if (state === AT_COLON) {
        if (byte !== 58) break;
        i++;
        if (i < length && bytes[i] === 32) i++;
        state = AT_VALUE;
        continue;
      }
      if (state === AT_FIRST_KEY || state === AT_KEY) {
        if (byte !== 34) {
          if (byte !== 125 || state === AT_KEY || depth <= floor) break;
          i++;
          depth--;
          this.#o = o;
          this.#close();
          o = this.#o;
          state = AT_NEXT;
          continue;
        }
        // The key that came after this one the last time, most likely.
        const last = this.#lastKey;
        const next = last < 0 ? 0 : this.#keyNext[last]!;
        let end = 0;
        let place = -1;
        if (next !== 0 && this.#keyEpoch[next - 1] === this.#epoch) {
          place = next - 1;
          const size = this.#keySize[place]!;
          end = i + 1 + size;
          if (end < length && bytes[end] === 34) {
            const arena = this.#arena;
            const from = this.#keyAt[place]!;
            for (let j = 0; j < size; j++) {
              if (arena[from + j] !== bytes[i + 1 + j]) {
                place = -1;
                break;
              }
            }
          } else place = -1;
        }
        let flags = 0;
        if (place < 0) {
          for (end = i + 1; end < length; end++) {
            const bits = STRING_CLASS[bytes[end]!]!;
            if (bits === 0) continue;
            if (bits === QUOTE) break;
            flags |= bits;
            if (bits === ESCAPE) break;
          }
          if ((flags & ESCAPE) !== 0) end = this.#unescape(bytes, i + 1);
          if (end >= length || end === CUT) {
            isCut = true;
            break;
          }
          if ((flags & CONTROL) !== 0 || end === ODD) break;
          if ((flags & (HIGH | ESCAPE)) !== 0) {
            this.#highKeys = true;
            seen |= HIGH;
          }
        }
        if ((flags & ESCAPE) !== 0) {
          this.#o = o;
          this.#nextItem();
          this.#boundary();
          this.#shared(unescaped.bytes, 0, unescaped.size);
          this.#value = true;
          out = this.#out;
          o = this.#o;
        } else if (place >= 0) {
          const n = batches[this.#lp]!;
          if (n > 0 && n < BATCH) {
            batches[this.#lp] = n + 1;
            counts[this.#lp]!++;
          } else {
            this.#o = o;
            this.#nextItem();
            out = this.#out;
            o = this.#o;
          }
          if (o - (framing ? this.#frame : this.#committed) > FRAME) {
            this.#o = o;
            this.#boundary();
            out = this.#out;
            o = this.#o;
          }
          const slot = this.#keyMemo[place]!;
          if (slot < 256) {
            out[o] = 0x68;
            out[o + 1] = slot;
            o += 2;
          } else {
            this.#o = o;
            this.#get(slot);
            o = this.#o;
          }
          this.#value = true;
          this.#lastKey = place;
        } else {
          this.#o = o;
          this.key(bytes, i + 1, end, flags);
          out = this.#out;
          o = this.#o;
        }
        stop = out.length - 512;
        i = end + 1;
        state = AT_COLON;
        if (i < length && bytes[i] === 58) {
          i++;
          if (i < length && bytes[i] === 32) i++;
          state = AT_VALUE;
        }
        continue;
      }

      // A value.
      if (byte === 93) {
        if (state !== AT_FIRST_ITEM || depth <= floor) break;
        i++;
        depth--;
        this.#o = o;
        this.#close();
        o = this.#o;
        state = AT_NEXT;
        continue;
      }
      if (byte === 123 || byte === 91) {
        if (depth >= deepest || values >= most) break;
        i++;
        values++;
        depth++;
        this.#o = o;
        if (byte === 91) {
          kinds[depth] = 1;
          this.#open(LIST);
          state = AT_FIRST_ITEM;
        } else {
          kinds[depth] = 2;
          this.#open(DICT);
          state = AT_FIRST_KEY;
        }
        out = this.#out;
        o = this.#o;
        stop = out.length - 512;
        continue;
      }
      if (state === AT_TOP) break;
      if (byte === 34) {
        let end = i + 1;
        let flags = 0;
        for (; end < length; end++) {
          const bits = STRING_CLASS[bytes[end]!]!;
          if (bits === 0) continue;
          if (bits === QUOTE) break;
          flags |= bits;
          if (bits === ESCAPE) break;
        }
        let text = bytes;
        let from = i + 1;
        let size = end - from;
        if ((flags & ESCAPE) !== 0) {
          end = this.#unescape(bytes, from);
          text = unescaped.bytes;
          from = 0;
          size = unescaped.size;
          if (unescaped.isHigh) seen |= HIGH;
          flags &= CONTROL;
        }
        if (end >= length || end === CUT) {
          isCut = true;
          break;
        }
        if ((flags & CONTROL) !== 0 || end === ODD) break;
        seen |= flags;
        if (
          flags === 0 && size > 1 && size < 256 && framing &&
          (size > 2 || text[from]! < 0x80)
        ) {
          // What `#before` does, in its usual case.
          if (this.#value) this.#value = false;
          else {
            const n = batches[this.#lp]!;
            if (n > 0 && n < BATCH) {
              batches[this.#lp] = n + 1;
              counts[this.#lp]!++;
            } else {
              this.#o = o;
              this.#nextItem();
              out = this.#out;
              o = this.#o;
            }
          }
          if (o - (framing ? this.#frame : this.#committed) > FRAME) {
            this.#o = o;
            this.#boundary();
            out = this.#out;
            o = this.#o;
          }
          out[o] = 0x8c;
          out[o + 1] = size;
          o += 2;
          if (size < 40) {
            for (let j = 0; j < size; j++) out[o + j] = text[from + j]!;
          } else out.set(text.subarray(from, from + size), o);
          o += size;
          out[o++] = 0x94;
          this.#memo++;
        } else {
          this.#o = o;
          this.string(text, from, from + size, flags);
          out = this.#out;
          o = this.#o;
        }
        stop = out.length - 512;
        i = end + 1;
        values++;
        state = AT_NEXT;
        continue;
      }
      // Up to the end of a number there must be room to look ahead.
      if (byte === 45 || (byte >= 48 && byte <= 57)) {
        let end = byte === 45 ? i + 1 : i;
        const first = end;
        let value = 0;
        let c = 0;
        while (end < length && (c = bytes[end]! - 48) >= 0 && c <= 9) {
          if (end - first < 9) value = (value * 10 + c) | 0;
          end++;
        }
        if (end >= length) {
          isCut = true;
          break;
        }
        const digits = end - first;
        if (digits === 0 || (digits > 1 && bytes[first] === 48)) break;
        c += 48;
        if (c === 46 || c === 101 || c === 69) {
          const stopAt = floatEnd(bytes, { at: end, to: length });
          if (stopAt < 0) {
            isCut = true;
            break;
          }
          if (stopAt === end) break;
          const x = readFloat(bytes, i, stopAt);
          // What `#before` does, in its usual case.
          if (this.#value) this.#value = false;
          else {
            const n = batches[this.#lp]!;
            if (n > 0 && n < BATCH) {
              batches[this.#lp] = n + 1;
              counts[this.#lp]!++;
            } else {
              this.#o = o;
              this.#nextItem();
              out = this.#out;
              o = this.#o;
            }
          }
          if (o - (framing ? this.#frame : this.#committed) > FRAME) {
            this.#o = o;
            this.#boundary();
            out = this.#out;
            o = this.#o;
          }
          out[o] = 0x47;
          floatBytes.setFloat64(0, x);
          const high = floatBytes.getInt32(0);
          const low = floatBytes.getInt32(4);
          out[o + 1] = high >> 24;
          out[o + 2] = high >> 16;
          out[o + 3] = high >> 8;
          out[o + 4] = high;
          out[o + 5] = low >> 24;
          out[o + 6] = low >> 16;
          out[o + 7] = low >> 8;
          out[o + 8] = low;
          o += 9;
          end = stopAt;
        } else if (digits <= 9) {
          if (byte === 45) value = -value;
          // What `#before` does, in its usual case.
          if (this.#value) this.#value = false;
          else {
            const n = batches[this.#lp]!;
            if (n > 0 && n < BATCH) {
              batches[this.#lp] = n + 1;
              counts[this.#lp]!++;
            } else {
              this.#o = o;
              this.#nextItem();
              out = this.#out;
              o = this.#o;
            }
          }
          if (o - (framing ? this.#frame : this.#committed) > FRAME) {
            this.#o = o;
            this.#boundary();
            out = this.#out;
            o = this.#o;
          }
          if (value >= 0 && value < 256) {
            out[o] = 0x4b;
            out[o + 1] = value;
            o += 2;
          } else if (value >= 0 && value < 65536) {
            out[o] = 0x4d;
            out[o + 1] = value;
            out[o + 2] = value >> 8;
            o += 3;
          } else {
            out[o] = 0x4a;
            out[o + 1] = value;
            out[o + 2] = value >> 8;
            out[o + 3] = value >> 16;
            out[o + 4] = value >> 24;
            o += 5;
          }
        } else {
          this.#o = o;
          let big = value;
          for (let j = first + 9; j < end; j++) {
            big = big * 10 + (bytes[j]! - 48);
          }
          // Up to here every step was exact.
          if (big <= Number.MAX_SAFE_INTEGER) {
            this.int(byte === 45 ? -big : big);
          } else this.intText(decodeAscii(bytes, i, end));
          out = this.#out;
          o = this.#o;
        }
        stop = out.length - 512;
        i = end;
        values++;
        state = AT_NEXT;
        continue;
      }
      if (i + 5 > length) {
        isCut = true;
        break;
      }
      const word = view.getUint32(i);
      let code = 0;
      let size = 4;
      if (word === 0x6e756c6c) code = 0x4e;
      else if (word === 0x74727565) code = 0x88;
      else if (word === 0x66616c73 && bytes[i + 4] === 101) {
        code = 0x89;
        size = 5;
      } else if (word >>> 8 === 0x4e614e) {
        code = 0x47;
        size = 3;
      } else break loop;
      this.#o = o;
      if (code === 0x4e) this.literal(null);
      else if (code === 0x47) this.constant(NaN);
      else this.literal(code === 0x88);
      out = this.#out;
      o = this.#o;
      i += size;
      values++;
      state = AT_NEXT;
    }
    // That of a piece is soon enough.
    if (values > most) throw new LimitError("values", most);
    this.#o = o;
    lent.at = i;
    lent.state = state;
    lent.depth = depth;
    lent.values = values;
    lent.comma = comma;
    lent.isPlain = (seen & HIGH) === 0;
    tokenizer.takeBack(lent);
    return isCut || i >= length;
  }

  startArray(): void {
    this.#open(LIST);
  }

  endArray(): void {
    this.#close();
  }

  startObject(): void {
    this.#open(DICT);
  }

  endObject(): void {
    this.#close();
  }

  key(bytes: Uint8Array, start: number, end: number, flags: number): void {
    if ((flags & (HIGH | ESCAPE)) !== 0) this.#highKeys = true;
    // In items mode the top object is not part of any pickle.
    this.#nextItem();
    this.#boundary();
    const text = this.#resolve(bytes, start, end, flags);
    if (text === undefined) this.#shared(bytes, start, end);
    else this.#shared(text, 0, text.length);
    this.#value = true;
  }

  string(bytes: Uint8Array, start: number, end: number, flags: number): void {
    this.#before();
    const text = this.#resolve(bytes, start, end, flags) ?? bytes;
    if (text !== bytes) {
      start = 0;
      end = text.length;
    }
    // Python has only one empty string, and one of each Latin-1 character.
    const size = end - start;
    if (
      size < 2 || (size === 2 && text[start]! >= 0xc2 && text[start]! < 0xc4)
    ) this.#shared(text, start, end);
    else this.#string(text, start, end);
    this.#after();
  }

  int(value: number): void {
    this.#before();
    const out = this.#out;
    if (value === (value | 0)) {
      if (!this.#bin) this.#line(0x49, `${value}`);
      else if (value >>> 0 < 256 && value >= 0) {
        out[this.#o++] = 0x4b;
        out[this.#o++] = value;
      } else if (value >= 0 && value < 65536) {
        out[this.#o++] = 0x4d;
        out[this.#o++] = value & 255;
        out[this.#o++] = value >> 8;
      } else {
        out[this.#o++] = 0x4a;
        out[this.#o++] = value & 255;
        out[this.#o++] = (value >> 8) & 255;
        out[this.#o++] = (value >> 16) & 255;
        out[this.#o++] = (value >> 24) & 255;
      }
    } else if (this.#protocol < 2) this.#line(0x4c, `${value}L`);
    else {
      // Two's complement in as few bytes as hold it and its sign.
      let size = 5;
      while (size < 7 && Math.abs(value) >= 2 ** (8 * size - 1)) size++;
      if (value < 0 && size > 5 && -value === 2 ** (8 * (size - 1) - 1)) size--;
      out[this.#o++] = 0x8a;
      out[this.#o++] = size;
      let rest = value;
      for (let i = 0; i < size; i++) {
        const next = Math.floor(rest / 256);
        out[this.#o++] = rest - next * 256;
        rest = next;
      }
    }
    this.#after();
  }

  intText(text: string): void {
    const value = parseIntText(text, this.#limits.intDigits);
    if (typeof value === "number" && value === (value | 0)) {
      return this.int(value);
    }
    this.#before();
    const big = BigInt(value);
    if (this.#protocol < 2) this.#line(0x4c, `${big}L`);
    else {
      const bytes = twosComplement(big);
      this.#room(bytes.length + 16);
      const out = this.#out;
      if (bytes.length < 256) {
        out[this.#o++] = 0x8a;
        out[this.#o++] = bytes.length;
      } else {
        out[this.#o] = 0x8b;
        this.#uint(this.#o + 1, bytes.length, 4);
        this.#o += 5;
      }
      out.set(bytes, this.#o);
      this.#o += bytes.length;
    }
    this.#after();
  }

  float(value: number): void {
    this.#before();
    if (!this.#bin) this.#line(0x46, floatRepr(value));
    else {
      const out = this.#out;
      const o = this.#o;
      floatBytes.setFloat64(0, value);
      out[o] = 0x47;
      for (let i = 0; i < 8; i++) out[o + 1 + i] = floatBytes.getUint8(i);
      this.#o = o + 9;
    }
    this.#after();
  }

  floatText(text: string): void {
    this.float(Number(text));
  }

  literal(value: boolean | null): void {
    this.#before();
    const out = this.#out;
    if (value === null) out[this.#o++] = 0x4e;
    else if (this.#protocol >= 2) out[this.#o++] = value ? 0x88 : 0x89;
    else this.#line(0x49, value ? "01" : "00");
    this.#after();
  }

  constant(value: number): void {
    this.float(value);
  }
}

/** With the closing quote, so that a character cut off is told as Python does. */
function decodeQuoted(bytes: Uint8Array, from: number, to: number): string {
  return decodeUtf8(bytes.subarray(from, to + 1)).slice(0, -1);
}

function decodeAscii(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > 64) return decodeUtf8(bytes.subarray(from, to));
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** 0: UTF-8; 1: not, or with surrogates. */
function checkUtf8(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const first = bytes[i]!;
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4 || first === 0xed) return 1;
    const size = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (i + size >= end) return 1;
    const second = bytes[i + 1]!;
    if (
      (second & 0xc0) !== 0x80 || (first === 0xe0 && second < 0xa0) ||
      (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)
    ) return 1;
    for (let j = 2; j <= size; j++) {
      if ((bytes[i + j]! & 0xc0) !== 0x80) return 1;
    }
    i += size;
  }
  return 0;
}

/** Text as UNICODE has it: Latin-1 with `\u` and `\U` (pickle, protocol 0). */
function rawUnicodeEscape(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  const text = decodeUtf8(bytes.subarray(start, end));
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\ud800-\udbff][\udc00-\udfff]|[\u0100-\uffff\\\0\n\r\x1a]/g,
    (char) => {
      const code = char.codePointAt(0)!;
      return code > 0xffff
        ? `\\U${code.toString(16).padStart(8, "0")}`
        : `\\u${code.toString(16).padStart(4, "0")}`;
    },
  );
}

function twosComplement(value: bigint): Uint8Array {
  const positive = value < 0n ? ~value : value;
  let hex = positive.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  // The sign needs a bit of its own.
  if (parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  const size = hex.length / 2;
  const bytes = new Uint8Array(size);
  const flip = value < 0n ? 255 : 0;
  for (let i = 0; i < size; i++) {
    bytes[size - 1 - i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16) ^ flip;
  }
  return bytes;
}

/** The machine under {@linkcode JsonToPickleStream}. */
export class JsonToPickleMachine
  implements Machine<Uint8Array | string, Uint8Array<ArrayBuffer>> {
  readonly #input = new TextInput();
  readonly #sink: PickleSink;
  readonly #tokenizer: Tokenizer;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #ending = false;
  #ended = false;
  #done = false;
  #failed: unknown;

  /**
   * Makes a machine.
   *
   * @param options What it is to do.
   */
  constructor(options: JsonToPickleOptions = {}) {
    const { protocol = 4, jsonl = false, items = false } = options;
    if (!Number.isInteger(protocol) || protocol < 0 || protocol > 5) {
      throw new RangeError("protocol must be an integer from 0 to 5");
    }
    const limits = resolveLimits(options.limits);
    this.#sink = new PickleSink(protocol, { limits, items });
    this.#tokenizer = new Tokenizer(
      items ? new ItemsSink(this.#sink) : this.#sink,
      {
        framing: items ? "items" : jsonl ? "sequence" : "document",
        strict: options.strict ?? true,
        numberText: false,
        limits,
      },
    );
  }

  /** How many bytes are held in buffers, for tests. */
  get held(): number {
    return this.#sink.held;
  }

  /** @inheritdoc */
  push(chunk: Uint8Array | string): void {
    this.#bytes = this.#input.push(chunk);
    this.#at = 0;
  }

  /** @inheritdoc */
  end(): void {
    this.#bytes = this.#input.end();
    this.#at = 0;
    this.#ending = true;
  }

  /** Gives the tokenizer more of the chunk, behind what is left of a token. */
  #next(): boolean {
    const left = this.#bytes.length - this.#at;
    if (left === 0) return false;
    const size = Math.min(left, CHUNK);
    const piece = this.#bytes.subarray(this.#at, this.#at + size);
    const lent = this.#tokenizer.lend();
    const cut = lent === undefined ? 0 : lent.bytes.length - lent.at;
    if (lent === undefined || cut === 0 || cut > LONG_TOKEN) {
      if (cut > LONG_TOKEN) this.#tokenizer.run();
      this.#tokenizer.push(piece);
    } else {
      const joined = new Uint8Array(cut + size);
      joined.set(lent.bytes.subarray(lent.at));
      joined.set(piece, cut);
      this.#tokenizer.replace(joined);
    }
    this.#at += size;
    return true;
  }

  /** @inheritdoc */
  pull(): Uint8Array<ArrayBuffer> | typeof MORE {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#done) return MORE;
    const sink = this.#sink;
    try {
      for (;;) {
        if (sink.ready >= CHUNK) return sink.take(CHUNK);
        const isCut = !this.#ended && sink.fast(this.#tokenizer);
        if (isCut && this.#next()) continue;
        const status = isCut && !this.#ending
          ? STATUS_MORE
          : this.#tokenizer.run();
        if (status === STATUS_END) {
          if (sink.ready > 0) return sink.take(sink.ready);
          this.#done = true;
          sink.release();
          return MORE;
        }
        if (status !== STATUS_MORE) {
          sink.finish();
          continue;
        }
        if (this.#at < this.#bytes.length) {
          this.#next();
          continue;
        }
        if (this.#ending && !this.#ended) {
          this.#ended = true;
          this.#tokenizer.end();
          continue;
        }
        if (!sink.begun && sink.ready > 0) return sink.take(sink.ready);
        return MORE;
      }
    } catch (error) {
      this.#failed = error instanceof Utf8Error
        ? this.#tokenizer.encodingError(error, sink.wrongAt)
        : error;
      throw this.#failed;
    }
  }
}

/** Leaves out the brackets of the top array. */
class ItemsSink implements JsonSink {
  readonly #inner: PickleSink;
  #depth = 0;

  constructor(inner: PickleSink) {
    this.#inner = inner;
  }

  startArray(): void {
    if (this.#depth++ > 0) this.#inner.startArray();
  }

  endArray(): void {
    if (--this.#depth > 0) this.#inner.endArray();
  }

  startObject(): void {
    if (this.#depth++ === 0) {
      throw new TypeError("items takes an array at the top, and nothing else");
    }
    this.#inner.startObject();
  }

  endObject(): void {
    this.#depth--;
    this.#inner.endObject();
  }

  key(bytes: Uint8Array, start: number, end: number, flags: number): void {
    this.#inner.key(bytes, start, end, flags);
  }

  string(bytes: Uint8Array, start: number, end: number, flags: number): void {
    this.#inner.string(bytes, start, end, flags);
  }

  int(value: number): void {
    this.#inner.int(value);
  }

  intText(text: string): void {
    this.#inner.intText(text);
  }

  float(value: number): void {
    this.#inner.float(value);
  }

  floatText(text: string): void {
    this.#inner.floatText(text);
  }

  literal(value: boolean | null): void {
    this.#inner.literal(value);
  }

  constant(value: number): void {
    this.#inner.constant(value);
  }
}

/**
 * Makes the machine under {@linkcode JsonToPickleStream}.
 *
 * @param options What it is to do.
 * @returns The machine.
 */
export function jsonToPickleMachine(
  options: JsonToPickleOptions = {},
): Machine<Uint8Array | string, Uint8Array<ArrayBuffer>> {
  if (options.types !== "tagged") return new JsonToPickleMachine(options);
  if (options.items) {
    throw new TypeError(
      "tagged JSON cannot be read in items: its parts refer to each other",
    );
  }
  return new TaggedToPickleMachine(options);
}

/**
 * JSON in, pickles out, in bounded memory: the tokens become opcodes as they
 * come, and the value is never built. Ints keep every digit, `1.0` stays a
 * float, and Python shares the keys. The pickles hold plain data and name no
 * class or function, so that loading them runs nothing; only with
 * `types: "tagged"` do they name what `allow` names.
 *
 * Where the JSON is wrong, the stream errors with the `JSONDecodeError` that
 * Python's `json` has for it.
 *
 * @example Make a pickle of a response
 * ```ts
 * import { JsonToPickleStream, pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const { body } = new Response('{"name": "brine", "sizes": [1, 2.5]}');
 * const bytes = await new Response(
 *   body!.pipeThrough(new JsonToPickleStream()),
 * ).bytes();
 * assertEquals(pickle.loads(bytes), { name: "brine", sizes: [1, 2.5] });
 * ```
 */
export class JsonToPickleStream
  extends MachineStream<Uint8Array | string, Uint8Array<ArrayBuffer>> {
  /**
   * Makes the stream.
   *
   * @param options How JSON is read and pickles are written.
   */
  constructor(options: JsonToPickleOptions = {}) {
    super(jsonToPickleMachine(options));
  }
}
