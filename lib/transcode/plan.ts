/**
 * The first pass over a pickle that can be read twice: only its opcodes, to
 * know what the second pass need not keep and cannot guess wrongly.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import {
  FIXED_SIZE,
  LINES,
  opcodeSize,
  PREFIX_SIZE,
} from "../pickle/opcode_size.ts";
import { slotAt, Snag } from "./region.ts";

/** What a long composite is. */
export type TapeKind = "list" | "dict" | "tuple" | "marked";
const KINDS: readonly TapeKind[] = ["list", "dict", "tuple", "marked"];

/** How many bytes of the pickle the second pass may put right. */
const WINDOW = 65536;
/** A fetched value of so many bytes counts as if it stood there again. */
const HEAVY = 4096;
/** Above this the numbers of slots are kept one by one. */
const DENSE_SLOTS = 1 << 28;

/** What {@linkcode planPickle} finds out about a pickle. */
export class PicklePlan {
  /** How many bytes count as near. */
  readonly window: number;
  /** A bit for each memo slot that is fetched. */
  readonly fetched: Uint8Array;
  /** How many bytes the pickle has. */
  readonly size: number;
  /**
   * Whether memo slots are stored in their order, as all picklers do, and so
   * none twice: a slot that holds two values in turn cannot be planned for.
   */
  readonly ordered: boolean;
  readonly #sparse: ReadonlySet<number>;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #kinds: Uint8Array;
  readonly #jumpAt: Float64Array;
  readonly #jumpSum: Float64Array;
  #jump = 0;

  /** Made by {@linkcode planPickle}. */
  constructor(
    { window, fetched, sparse, size, ordered, tape, jumps }: {
      window: number;
      fetched: Uint8Array;
      sparse: ReadonlySet<number>;
      size: number;
      ordered: boolean;
      tape: { starts: Float64Array; ends: Float64Array; kinds: Uint8Array };
      jumps: { at: Float64Array; sum: Float64Array };
    },
  ) {
    this.window = window;
    this.fetched = fetched;
    this.size = size;
    this.ordered = ordered;
    this.#sparse = sparse;
    this.#starts = tape.starts;
    this.#ends = tape.ends;
    this.#kinds = tape.kinds;
    this.#jumpAt = jumps.at;
    this.#jumpSum = jumps.sum;
  }

  /** How many composites are longer than the window. */
  get length(): number {
    return this.#starts.length;
  }

  /** How many memo slots are ever fetched. */
  get fetchedSlots(): number {
    let count = this.#sparse.size;
    for (let bits of this.fetched) {
      for (; bits !== 0; bits &= bits - 1) count++;
    }
    return count;
  }

  /** Whether a memo slot is ever fetched. */
  isFetched(slot: number): boolean {
    return slot < DENSE_SLOTS
      ? ((this.fetched[slot >> 3]! >> (slot & 7)) & 1) === 1
      : this.#sparse.has(slot);
  }

  /** Where a long composite begins; `Infinity` after the last. */
  next(record: number): number {
    return record < this.#starts.length ? this.#starts[record]! : Infinity;
  }

  /** Offset of the opcode that extends or makes it last. */
  endOf(record: number): number {
    return this.#ends[record]!;
  }

  /** What it is. */
  kindOf(record: number): TapeKind {
    return KINDS[this.#kinds[record]!]!;
  }

  /** What begins at this offset or before is older than the window. */
  before(now: number): number {
    const at = this.#jumpAt;
    const sum = this.#jumpSum;
    let i = this.#jump;
    while (i < at.length && at[i]! < now) i++;
    while (i > 0 && at[i - 1]! >= now) i--;
    this.#jump = i;
    // Between two heavy fetches the distance is that of the offsets.
    const target = now + (i > 0 ? sum[i - 1]! : 0) - this.window;
    let end = now;
    for (; i >= 0; i--) {
      const offset = target - (i > 0 ? sum[i - 1]! : 0);
      const begin = i > 0 ? at[i - 1]! : -1;
      if (offset >= begin) return Math.min(offset, end);
      end = begin;
    }
    return -1;
  }
}

/** Numbers that come one by one. */
class Numbers {
  values: Float64Array = new Float64Array(64);
  length = 0;
  push(value: number): void {
    if (this.length === this.values.length) {
      const values = new Float64Array(this.length * 2);
      values.set(this.values);
      this.values = values;
    }
    this.values[this.length++] = value;
  }
}

const OTHER = 0;
const LIST = 1;
const DICT = 2;
const MARK = 3;
/** Made by a call. */
const MADE = 4;

/** The scan itself, for bytes that come in chunks. */
export class PickleScan {
  readonly #window: number;
  #fetched = new Uint8Array(1024);
  readonly #sparse = new Set<number>();
  readonly #starts = new Numbers();
  readonly #ends = new Numbers();
  readonly #kinds = new Numbers();
  readonly #jumpAt = new Numbers();
  readonly #jumpSum = new Numbers();
  readonly #heavy = new Map<number, number>();
  /** Whether a slot that ends in these 16 bits is heavy: a quick no. */
  readonly #maybeHeavy = new Uint8Array(65536);
  #extra = 0;
  #memoCount = 0;
  #ordered = true;

  // The stack: where an entry begins, in the input and with what was fetched.
  #start = new Float64Array(256);
  #weight = new Float64Array(256);
  #kind = new Uint8Array(256);
  #record = new Int32Array(256);
  #sp = 0;
  #marks = new Numbers();

  #at = 0;
  #rest: Uint8Array = new Uint8Array(0);
  readonly #line = new ChunkQueue();
  #skip = 0;
  #stopped = false;

  /**
   * Makes a scan.
   *
   * @param window How many bytes count as near.
   */
  constructor(window: number = WINDOW) {
    this.#window = window;
  }

  /** Takes input, and keeps nothing of the chunk. */
  push(chunk: Uint8Array): void {
    if (this.#stopped) {
      this.#at += chunk.length;
      return;
    }
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, chunk.length);
      this.#skip -= skipped;
      this.#at += skipped;
      chunk = chunk.subarray(skipped);
      if (chunk.length === 0) return;
    }
    if (this.#rest.length > 0) {
      // A line that goes on is not searched again, nor copied each time.
      if (LINES[this.#rest[0]!]! > 0) {
        // A copy: the chunk may be the caller's to use again.
        this.#line.push(chunk.slice());
        if (chunk.indexOf(0x0a) < 0) return;
        chunk = this.#line.join();
      }
      const joined = new Uint8Array(this.#rest.length + chunk.length);
      joined.set(this.#rest);
      joined.set(chunk, this.#rest.length);
      chunk = joined;
      this.#rest = new Uint8Array(0);
    }
    let used: number;
    try {
      used = this.#scan(chunk);
    } catch (error) {
      // What is wrong the second pass will say.
      if (!(error instanceof Snag)) throw error;
      this.#stopped = true;
      used = chunk.length;
    }
    this.#at += Math.min(used, chunk.length);
    if (used < chunk.length) this.#rest = chunk.slice(used);
    else this.#skip = used - chunk.length;
  }

  /** What has been found. */
  end(): PicklePlan {
    this.#at += this.#line.size;
    // Outer composites come before those that begin where they begin.
    const order = Array.from({ length: this.#starts.length }, (_, i) => i);
    const starts = this.#starts.values;
    const ends = this.#ends.values;
    order.sort((a, b) => starts[a]! - starts[b]! || ends[b]! - ends[a]!);
    return new PicklePlan({
      window: this.#window,
      fetched: this.#fetched,
      sparse: this.#sparse,
      size: this.#at + this.#rest.length,
      ordered: this.#ordered,
      tape: {
        starts: Float64Array.from(order, (i) => starts[i]!),
        ends: Float64Array.from(order, (i) => ends[i]!),
        kinds: Uint8Array.from(order, (i) => this.#kinds.values[i]!),
      },
      jumps: {
        at: this.#jumpAt.values.slice(0, this.#jumpAt.length),
        sum: this.#jumpSum.values.slice(0, this.#jumpSum.length),
      },
    });
  }

  #fetch(slot: number, offset: number): void {
    if (slot < DENSE_SLOTS) {
      const byte = slot >> 3;
      if (byte >= this.#fetched.length) {
        let size = this.#fetched.length;
        while (size <= byte) size *= 2;
        const fetched = new Uint8Array(size);
        fetched.set(this.#fetched);
        this.#fetched = fetched;
      }
      this.#fetched[byte]! |= 1 << (slot & 7);
    } else this.#sparse.add(slot);
    if (this.#maybeHeavy[slot & 0xffff] === 0) return;
    const weight = this.#heavy.get(slot);
    if (weight === undefined) return;
    this.#extra += weight;
    this.#jumpAt.push(offset);
    this.#jumpSum.push(this.#extra);
  }

  /** A slot holds what has grown to so many bytes. */
  #weigh(slot: number, weight: number): void {
    this.#heavy.set(slot, weight);
    this.#maybeHeavy[slot & 0xffff] = 1;
  }

  #tape(
    record: number,
    { start, end, kind }: { start: number; end: number; kind: number },
  ): number {
    if (record >= 0) {
      this.#ends.values[record] = end;
      return record;
    }
    this.#starts.push(start);
    this.#ends.push(end);
    this.#kinds.push(kind);
    return this.#starts.length - 1;
  }

  /** Reads opcodes; tells how many bytes are used, more than there are if some are to be skipped. */
  #scan(bytes: Uint8Array): number {
    const end = bytes.length;
    const window = this.#window;
    let start = this.#start;
    let weight = this.#weight;
    let kind = this.#kind;
    let record = this.#record;
    let sp = this.#sp;
    let memoCount = this.#memoCount;
    const marks = this.#marks;
    let slots = this.#slots;
    let p = 0;
    while (p < end) {
      const op = bytes[p]!;
      const at = this.#at + p;
      let size = FIXED_SIZE[op]!;
      if (size === 0) {
        if (op === 0x8c) {
          if (p + 2 > end) break;
          size = 2 + bytes[p + 1]!;
        } else if (PREFIX_SIZE[op]! > 0) {
          const known = opcodeSize(bytes, { at: p, end, scanned: 0 });
          if (known < 0) break;
          size = known;
        } else if (LINES[op]! > 0) {
          const known = opcodeSize(bytes, { at: p, end, scanned: 0 });
          if (known < 0) break;
          size = known;
        } else {
          this.#stopped = true;
          break;
        }
      }
      if (p + size > end && PREFIX_SIZE[op] === 0) break;
      switch (op) {
        case 0x28: // MARK
          marks.push(sp);
          kind[sp] = MARK;
          slots[sp] = -1;
          start[sp] = at;
          weight[sp] = at + this.#extra;
          record[sp] = -1;
          sp++;
          break;
        case 0x94: // MEMOIZE
          if (sp > 0) this.#memoize(memoCount, sp - 1, at);
          memoCount++;
          break;
        case 0x70:
        case 0x71:
        case 0x72: { // PUT
          const slot = slotAt(bytes, p, size);
          if (sp > 0) this.#memoize(slot, sp - 1, at);
          if (slot >= memoCount) memoCount = slot + 1;
          else this.#ordered = false;
          break;
        }
        case 0x67:
        case 0x68:
        case 0x6a: // GET
          slots[sp] = -1;
          start[sp] = at;
          weight[sp] = at + this.#extra;
          this.#fetch(slotAt(bytes, p, size), at);
          kind[sp] = OTHER;
          record[sp] = -1;
          sp++;
          break;
        case 0x61: // APPEND
        case 0x73: { // SETITEM
          const target = sp - (op === 0x61 ? 2 : 3);
          if (target < 0) {
            this.#stopped = true;
            break;
          }
          sp = target + 1;
          this.#grew(target, at);
          if (
            at + this.#extra - weight[target]! >= window &&
            kind[target] !== OTHER &&
            (kind[target] !== MADE || op === 0x73)
          ) {
            record[target] = this.#tape(record[target]!, {
              start: start[target]!,
              end: at,
              kind: kind[target] === LIST ? 0 : 1,
            });
          }
          break;
        }
        case 0x65: // APPENDS
        case 0x75: // SETITEMS
        case 0x90: { // ADDITEMS
          const mark = marks.length > 0 ? marks.values[--marks.length]! : 0;
          if (mark === 0) {
            this.#stopped = true;
            break;
          }
          sp = mark;
          const target = mark - 1;
          this.#grew(target, at);
          if (
            at + this.#extra - weight[target]! >= window &&
            kind[target] !== OTHER &&
            (kind[target] !== MADE || op === 0x75)
          ) {
            record[target] = this.#tape(record[target]!, {
              start: start[target]!,
              end: at,
              kind: kind[target] === LIST ? 0 : 1,
            });
          }
          break;
        }
        case 0x74: // TUPLE
        case 0x6c: // LIST
        case 0x64: // DICT
        case 0x91: // FROZENSET
        case 0x6f: // OBJ
        case 0x69: { // INST
          if (marks.length === 0) {
            this.#stopped = true;
            break;
          }
          const mark = marks.values[--marks.length]!;
          const items = sp - mark - 1;
          sp = mark + 1;
          kind[mark] = OTHER;
          if (op === 0x6c || op === 0x64) {
            kind[mark] = op === 0x6c ? LIST : DICT;
          }
          if (
            at + this.#extra - weight[mark]! >= window && items > 0 &&
            (op === 0x74 || op === 0x6c)
          ) {
            this.#tape(-1, { start: start[mark]!, end: at, kind: 3 });
            kind[mark] = OTHER;
          }
          break;
        }
        case 0x85:
        case 0x86:
        case 0x87: { // TUPLE1 to TUPLE3
          const first = sp - (op - 0x84);
          if (first < 0) {
            this.#stopped = true;
            break;
          }
          sp = first + 1;
          kind[first] = OTHER;
          if (at + this.#extra - weight[first]! >= window) {
            this.#tape(-1, { start: start[first]!, end: at, kind: 2 });
          }
          break;
        }
        case 0x30: // POP
          if (marks.length > 0 && marks.values[marks.length - 1] === sp - 1) {
            marks.length--;
          }
          if (sp > 0) sp--;
          break;
        case 0x31: // POP_MARK
          if (marks.length > 0) sp = marks.values[--marks.length]!;
          break;
        case 0x62: // BUILD
          if (sp > 1) sp--;
          break;
        case 0x52: // REDUCE
        case 0x81: // NEWOBJ
        case 0x93: // STACK_GLOBAL
          if (sp > 1) sp--;
          // OrderedDict() and the like are dicts if they are filled as such.
          if (sp > 0) {
            kind[sp - 1] = op === 0x52 ? MADE : OTHER;
            record[sp - 1] = -1;
            slots[sp - 1] = -1;
          }
          break;
        case 0x92: // NEWOBJ_EX
          if (sp > 2) sp -= 2;
          if (sp > 0) kind[sp - 1] = OTHER;
          break;
        case 0x80: // PROTO
        case 0x95: // FRAME
        case 0x51: // BINPERSID
        case 0x98: // READONLY_BUFFER
          break;
        case 0x2e: // STOP
          sp = 0;
          marks.length = 0;
          memoCount = 0;
          this.#heavy.clear();
          this.#maybeHeavy.fill(0);
          break;
        default:
          kind[sp] = op === 0x5d ? LIST : op === 0x7d ? DICT : OTHER;
          start[sp] = at;
          weight[sp] = at + this.#extra;
          record[sp] = -1;
          slots[sp] = -1;
          sp++;
      }
      if (this.#stopped) break;
      p += size;
      if (sp + 2 > start.length) {
        this.#grow();
        start = this.#start;
        weight = this.#weight;
        kind = this.#kind;
        record = this.#record;
        slots = this.#slots;
      }
    }
    this.#sp = sp;
    this.#memoCount = memoCount;
    return this.#stopped ? end : p;
  }

  #slots = new Float64Array(256);

  #memoize(slot: number, entry: number, at: number): void {
    const weight = at + this.#extra - this.#weight[entry]!;
    if (weight >= HEAVY) this.#weigh(slot, weight);
    else if (slot < this.#memoCount) this.#heavy.delete(slot);
    this.#slots[entry] = slot;
  }

  /** A container has got more items. */
  #grew(entry: number, at: number): void {
    const weight = at + this.#extra - this.#weight[entry]!;
    if (weight < HEAVY) return;
    const slot = this.#slots[entry]!;
    if (slot >= 0) this.#weigh(slot, weight);
  }

  #grow(): void {
    const size = this.#start.length * 2;
    const start = new Float64Array(size);
    const weight = new Float64Array(size);
    const kind = new Uint8Array(size);
    const record = new Int32Array(size);
    const slots = new Float64Array(size);
    start.set(this.#start);
    weight.set(this.#weight);
    kind.set(this.#kind);
    record.set(this.#record);
    slots.set(this.#slots);
    this.#start = start;
    this.#weight = weight;
    this.#kind = kind;
    this.#record = record;
    this.#slots = slots;
  }
}

/**
 * Reads the opcodes of a pickle for the first time, so that
 * `PickleToJsonStream` can convert it when it is read for the second time, with
 * less memory and whatever its shape.
 *
 * @param source The pickle's bytes.
 * @param options `window`: how many bytes the second pass may put right.
 * @returns What the second pass wants to know.
 *
 * @example Convert a pickle that can be read twice
 * ```ts
 * import { pickle, PickleToJsonStream, planPickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const file = new Blob([pickle.dumps([[1, 2], "three"])]);
 * const plan = await planPickle(file.stream());
 * const json = file.stream().pipeThrough(new PickleToJsonStream({ plan }));
 * assertEquals(await new Response(json).text(), '[[1, 2], "three"]');
 * ```
 */
export async function planPickle(
  source:
    | ReadableStream<Uint8Array>
    | AsyncIterable<Uint8Array>
    | Iterable<Uint8Array>,
  options: { window?: number } = {},
): Promise<PicklePlan> {
  const scan = new PickleScan(options.window);
  if (source instanceof ReadableStream) {
    // Not every browser iterates over streams.
    const reader = source.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        scan.push(value);
      }
    } catch (error) {
      await reader.cancel(error).catch(() => {});
      throw error;
    }
  } else for await (const chunk of source) scan.push(chunk);
  return scan.end();
}
