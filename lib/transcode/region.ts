/**
 * A stretch of a pickle that builds objects: its opcodes are collected, and an
 * Unpickler that keeps its memo from one stretch to the next makes values of
 * them.
 *
 * @module
 */

import { encodeUtf8 } from "../bytes/utf8.ts";
import { readUint } from "../pickle/arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "../pickle/errors.ts";
import type { LoadOptions } from "../pickle/options.ts";
import { Unpickler } from "../pickle/unpickler.ts";
import type { Limits } from "../python/limits.ts";
import { MORE } from "../streams/machine_stream.ts";
import { opcodeSize } from "../pickle/opcode_size.ts";
import { isInlineArray } from "../pickle/skim.ts";

/** What cannot be turned into text as it comes. */
export class Snag extends Error {
  /** What kind of error it is where nothing else can be done. */
  readonly code: UnpicklingErrorCode;

  /**
   * Makes it.
   *
   * @param message Why.
   * @param code What kind of error it is where nothing else can be done.
   */
  constructor(message: string, code: UnpicklingErrorCode = "not-streamable") {
    super(message);
    this.code = code;
  }
}

/** What a stretch stands in. */
export interface RegionContext {
  /** Offset of the first of the bytes in all input. */
  at: number;
  /** Offset of the first byte to read. */
  from: number;
  /** Where the bytes end. */
  to: number;
  /** How many slots of the memo are in use. */
  memoCount: number;
  /** Offset of an opcode that certainly ends it. */
  stop: number;
  /** Whether a slot may be fetched later. */
  isKept: (slot: number) => boolean;
  /** The JSON text of a slot that was filled outside. */
  textOf: (slot: number) => { text: string; container: boolean } | undefined;
  /** Where the frame ends that the region begins in, or -1. */
  frameEnd: number;
  /** Whether frames must be right. */
  strictFrames: boolean;
  /** How deep its marks may nest, and how many values may wait, or it snags. */
  most: { marks: number; values: number };
}

/** How far a stretch has come. */
export interface RegionResult {
  /** Whether it is at its end. */
  complete: boolean;
  /** Offset of the first byte that was not read. */
  to: number;
  /** If it is not: how many bytes are wanted. */
  need: number;
  /** How many slots of the memo are in use. */
  memoCount: number;
  /** If it is: its values. */
  values: readonly unknown[];
  /** Where the frame ends that the region ends in, or -1. */
  frameEnd: number;
  /** Where the last frame ends that begins in it, or -1. */
  lastFrameEnd: number;
  /** The protocol that the last PROTO named. */
  protocol: number;
  /** Instead of values: an empty dict that is to be filled. */
  dict: boolean;
}

const VALUE = 0;
/** From the memo, and older than this stretch. */
const FOREIGN = 1;
const MARK = 2;
// What `OrderedDict()` and `defaultdict(f)` are made of: those are dicts.
const COLLECTIONS = 3;
const ORDERED_NAME = 4;
const DEFAULT_NAME = 5;
const ORDERED_CLASS = 6;
const DEFAULT_CLASS = 7;
const NO_ARGUMENT = 8;
const ONE_ARGUMENT = 9;
const NAMES: ReadonlyMap<string, number> = new Map([
  ["collections", COLLECTIONS],
  ["OrderedDict", ORDERED_NAME],
  ["defaultdict", DEFAULT_NAME],
]);

function refuseInline(): never {
  throw new Snag("raw bytes of joblib stand between its opcodes");
}

/** Whether bytes are one of the names; all have eleven letters. */
function nameOf(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first !== 0x63 && first !== 0x4f && first !== 0x64) return VALUE;
  return NAMES.get(
    String.fromCharCode(...bytes.subarray(at, at + 11)),
  ) ?? VALUE;
}

function classOf(module: number, name: number): number {
  return module !== COLLECTIONS
    ? VALUE
    : name === ORDERED_NAME
    ? ORDERED_CLASS
    : name === DEFAULT_NAME
    ? DEFAULT_CLASS
    : VALUE;
}

/** How many values the memo keeps without a plan. */
const KEPT = 65536;

/** Collects opcodes, and has values made of them. */
export class Region {
  readonly #unpickler: Unpickler;
  readonly #most: number;
  #bytes = new Uint8Array(1024);
  #length = 0;
  #flags = new Uint8Array(64);
  #depth = 0;
  #marks: number[] = [];
  #scanned = 0;
  #begun = false;
  /** Slots by their number in the Unpickler; never fetched, and fetched. */
  readonly #fresh = new Map<number, number>();
  readonly #fetched = new Map<number, number>();
  readonly #born: number[] = [];
  readonly #flagOf: number[] = [];
  #ids = 0;
  #number = 0;
  #protocol = 0;
  /** From which offset on opcodes stood so many bytes later in the input. */
  #shifts: number[] = [];
  #shift = 0;

  /**
   * Makes a collector.
   *
   * @param options How values are made.
   * @param limits What they may take.
   */
  constructor(options: LoadOptions, limits: Readonly<Required<Limits>>) {
    this.#unpickler = new Unpickler({ ...options, keepMemo: true });
    this.#most = Math.min(KEPT, limits.memo);
  }

  /** How many bytes have been collected. */
  get size(): number {
    return this.#length;
  }

  /** Begins a stretch, of a pickle of this protocol. */
  begin(protocol: number): void {
    this.#length = 0;
    this.#shifts.length = 0;
    this.#shift = 0;
    this.#setProtocol(protocol);
    this.#byte(0x28);
    this.#depth = 0;
    this.#marks = [];
    this.#number++;
    this.#begun = true;
    this.#scanned = 0;
  }

  /** Whether a slot holds a value. */
  has(slot: number): boolean {
    return this.#fetched.has(slot) || this.#fresh.has(slot);
  }

  /** A slot has been filled anew. */
  forget(slot: number): void {
    this.#fetched.delete(slot);
    this.#fresh.delete(slot);
  }

  /** Reads on. */
  run(bytes: Uint8Array, context: RegionContext): RegionResult {
    try {
      return this.#run(bytes, context);
    } catch (error) {
      if (!(error instanceof Snag) || error.code === "not-streamable") {
        throw error;
      }
      this.probe();
      throw error;
    }
  }

  /** Throws if what has been collected is wrong as far as it goes. */
  probe(): void {
    this.#make();
  }

  /** What the Unpickler makes of the opcodes. */
  #make(): unknown {
    try {
      this.#unpickler.push(this.#bytes.slice(0, this.#length));
      return this.#unpickler.pull();
    } catch (error) {
      if (!(error instanceof UnpicklingError)) throw error;
      let shift = 0;
      for (let i = 0; i < this.#shifts.length; i += 2) {
        if (this.#shifts[i]! > error.offset) break;
        shift = this.#shifts[i + 1]!;
      }
      const { message, code, opcode } = error;
      throw new UnpicklingError(message, {
        code,
        offset: error.offset + shift,
        opcode,
        cause: error,
      });
    }
  }

  #run(bytes: Uint8Array, context: RegionContext): RegionResult {
    let p = context.from;
    let memoCount = context.memoCount;
    let frameEnd = context.frameEnd;
    const { to, stop, most } = context;
    let lastFrameEnd = -1;
    let dict = false;
    loop: while (p !== stop) {
      const size = opcodeSize(bytes, { at: p, end: to, scanned: 0 });
      if (size === 0) throw new Snag("there is no such opcode", "bad-opcode");
      if (p >= frameEnd) frameEnd = -1;
      if (
        frameEnd >= 0 && size > 0 && p + size > frameEnd && p + size <= to
      ) throw new Snag("an argument goes beyond its frame", "bad-frame");
      const op = bytes[p]!;
      if (
        (op === 0x8b || op === 0x54) && p + 5 <= to && bytes[p + 4]! >= 0x80
      ) {
        throw new Snag("a length is negative", "bad-length");
      }
      if (size < 0 || p + size > to) {
        return {
          complete: false,
          to: p,
          need: size < 0 ? -size : size,
          memoCount,
          frameEnd,
          lastFrameEnd,
          protocol: this.#protocol,
          values: [],
          dict: false,
        };
      }
      const shift = context.at + p - this.#length;
      if (shift !== this.#shift) {
        this.#shifts.push(this.#length, shift);
        this.#shift = shift;
      }
      const depth = this.#depth;
      if (depth > most.values) {
        throw new Snag("too many values wait for what they belong to");
      }
      const mark = this.#marks.at(-1) ?? -1;
      const above = depth - 1 - mark;
      switch (op) {
        case 0x2e: // STOP
          break loop;
        case 0x80: // PROTO
          if (bytes[p + 1]! > 5) {
            throw new Snag("its protocol is unknown", "bad-protocol");
          }
          this.#setProtocol(bytes[p + 1]!);
          break;
        case 0x95: // FRAME
          lastFrameEnd = p + 9 + readUint(bytes, { at: p + 1, size: 8 });
          if (!context.strictFrames) break;
          if (frameEnd >= 0) {
            throw new Snag("a frame begins within another", "bad-frame");
          }
          frameEnd = lastFrameEnd;
          break;
        case 0x28: // MARK
          if (this.#marks.length >= most.marks) {
            throw new Snag("it nests too deep");
          }
          this.#byte(op);
          this.#marks.push(depth);
          this.#push(MARK);
          break;
        case 0x30: // POP
          if (depth === 0) break loop;
          this.#byte(op);
          if (mark === depth - 1) this.#marks.pop();
          this.#depth--;
          break;
        case 0x31: // POP_MARK
          if (mark < 0) break loop;
          this.#byte(op);
          this.#depth = mark;
          this.#marks.pop();
          break;
        case 0x32: // DUP
          if (depth === 0) break loop;
          this.#byte(op);
          this.#push(this.#flags[depth - 1]!);
          break;
        case 0x61: // APPEND
        case 0x62: // BUILD
          if (above < 2) break loop;
          this.#own(depth - 2);
          this.#byte(op);
          this.#depth--;
          break;
        case 0x73: // SETITEM
          if (above < 3) break loop;
          this.#own(depth - 3);
          this.#byte(op);
          this.#depth -= 2;
          break;
        case 0x65: // APPENDS
        case 0x75: // SETITEMS
        case 0x90: // ADDITEMS
          if (mark < 1) break loop;
          this.#own(mark - 1);
          this.#byte(op);
          this.#depth = mark;
          this.#marks.pop();
          break;
        case 0x74: // TUPLE
        case 0x6c: // LIST
        case 0x64: // DICT
        case 0x91: // FROZENSET
        case 0x6f: // OBJ
        case 0x69: // INST
          if (mark < 0) break loop;
          this.#copy(bytes, p, size);
          this.#depth = mark;
          this.#marks.pop();
          this.#push(
            op !== 0x74 || above > 1
              ? VALUE
              : above === 0
              ? NO_ARGUMENT
              : ONE_ARGUMENT,
          );
          break;
        case 0x85: // TUPLE1
          if (above < 1) break loop;
          this.#byte(op);
          this.#flags[depth - 1] = ONE_ARGUMENT;
          break;
        case 0x29: // EMPTY_TUPLE
          this.#byte(op);
          this.#push(NO_ARGUMENT);
          break;
        case 0x8c: // SHORT_BINUNICODE
          if (size === 19 && isInlineArray(bytes, p + size)) refuseInline();
          this.#copy(bytes, p, size);
          this.#push(size === 13 ? nameOf(bytes, p + 2) : VALUE);
          break;
        case 0x63: // GLOBAL
          if (size > 20 && isInlineArray(bytes, p + size - 1)) refuseInline();
          this.#copy(bytes, p, size);
          this.#push(
            size === 25
              ? classOf(nameOf(bytes, p + 1), nameOf(bytes, p + 13))
              : VALUE,
          );
          break;
        case 0x93: // STACK_GLOBAL
          if (above < 2) break loop;
          this.#byte(op);
          this.#depth--;
          this.#flags[depth - 2] = classOf(
            this.#flags[depth - 2]!,
            this.#flags[depth - 1]!,
          );
          break;
        case 0x52: // REDUCE
          if (above < 2) break loop;
          if (depth === 2) {
            const cls = this.#flags[0];
            const args = this.#flags[1];
            if (
              (args === NO_ARGUMENT &&
                (cls === ORDERED_CLASS || cls === DEFAULT_CLASS)) ||
              (args === ONE_ARGUMENT && cls === DEFAULT_CLASS)
            ) {
              dict = true;
              p += size;
              break loop;
            }
          }
          this.#byte(op);
          this.#depth--;
          this.#flags[depth - 2] = VALUE;
          break;
        case 0x86: // TUPLE2
        case 0x81: // NEWOBJ
          if (above < 2) break loop;
          this.#byte(op);
          this.#depth--;
          this.#flags[depth - 2] = VALUE;
          break;
        case 0x87: // TUPLE3
        case 0x92: // NEWOBJ_EX
          if (above < 3) break loop;
          this.#byte(op);
          this.#depth -= 2;
          this.#flags[depth - 3] = VALUE;
          break;
        case 0x51: // BINPERSID
        case 0x98: // READONLY_BUFFER
          if (above < 1) break loop;
          this.#byte(op);
          break;
        case 0x94: // MEMOIZE
          this.#put(memoCount++, context);
          break;
        case 0x70: // PUT
        case 0x71: // BINPUT
        case 0x72: { // LONG_BINPUT
          const slot = slotAt(bytes, p, size);
          if (slot < memoCount) {
            throw new Snag("it fills a slot of its memo twice");
          }
          memoCount = slot + 1;
          this.#put(slot, context);
          break;
        }
        case 0x67: // GET
        case 0x68: // BINGET
        case 0x6a: // LONG_BINGET
          this.#get(slotAt(bytes, p, size), context);
          break;
        default:
          this.#copy(bytes, p, size);
          this.#push(VALUE);
      }
      p += size;
    }
    if (this.#marks.length > 0) {
      throw new Snag("a mark is left open in it");
    }
    this.#byte(0x74);
    this.#byte(0x2e);
    const values = this.#make();
    if (values === MORE) throw new Snag("an object is not whole");
    this.#begun = false;
    return {
      complete: true,
      to: p,
      need: 0,
      memoCount,
      frameEnd,
      lastFrameEnd,
      protocol: this.#protocol,
      values: dict ? [] : values as unknown[],
      dict,
    };
  }

  /** Names of Python 2 are those of older protocols. */
  #setProtocol(protocol: number): void {
    this.#protocol = protocol;
    this.#byte(0x80);
    this.#byte(protocol);
  }

  /** What is older than this stretch is written already. */
  #own(entry: number): void {
    if (this.#flags[entry] === FOREIGN) {
      throw new Snag("it changes an object that is already written");
    }
  }

  #push(flag: number): void {
    if (this.#depth === this.#flags.length) {
      const flags = new Uint8Array(this.#depth * 2);
      flags.set(this.#flags);
      this.#flags = flags;
    }
    this.#flags[this.#depth++] = flag;
  }

  #put(slot: number, context: RegionContext): void {
    if (this.#depth === 0) throw new Snag("there is nothing to store");
    if (this.#flags[this.#depth - 1] === MARK) {
      throw new Snag("there is nothing to store", "unexpected-mark");
    }
    if (!context.isKept(slot)) return;
    let id: number;
    if (this.#fresh.size + this.#fetched.size >= this.#most) {
      const from = this.#fresh.size > 0 ? this.#fresh : this.#fetched;
      const [oldest, freed] = from.entries().next().value!;
      from.delete(oldest);
      id = freed;
    } else id = this.#ids++;
    this.#born[id] = this.#number;
    this.#flagOf[id] = this.#flags[this.#depth - 1]!;
    this.#fresh.set(slot, id);
    this.#number32(0x72, id);
  }

  #get(slot: number, context: RegionContext): void {
    let id = this.#fetched.get(slot);
    if (id === undefined) {
      id = this.#fresh.get(slot);
      if (id !== undefined) {
        this.#fresh.delete(slot);
        this.#fetched.set(slot, id);
      }
    }
    if (id !== undefined) {
      this.#number32(0x6a, id);
      const flag = this.#flagOf[id]!;
      this.#push(
        flag >= COLLECTIONS
          ? flag
          : this.#born[id] === this.#number
          ? VALUE
          : FOREIGN,
      );
      return;
    }
    const found = context.textOf(slot);
    if (found === undefined) {
      throw new Snag("an object refers to a value from too long ago");
    }
    if (found.container) {
      throw new Snag("an object refers to what is already written");
    }
    const { text } = found;
    let flag = VALUE;
    if (text[0] === '"') {
      if (text === '"NumpyArrayWrapper"') refuseInline();
      if (text.length === 13) flag = NAMES.get(text.slice(1, -1)) ?? VALUE;
      const string = encodeUtf8(JSON.parse(text));
      this.#number32(0x58, string.length);
      this.#copy(string, 0, string.length);
    } else if (text === "true") this.#byte(0x88);
    else if (text === "false") this.#byte(0x89);
    else if (text === "null") this.#byte(0x4e);
    else if (/^-?\d+$/.test(text)) {
      const line = encodeUtf8(`L${text}L\n`);
      this.#copy(line, 0, line.length);
    } else {
      const float = new Uint8Array(9);
      float[0] = 0x47;
      new DataView(float.buffer).setFloat64(1, Number(text));
      this.#copy(float, 0, 9);
    }
    this.#push(flag);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const bytes = new Uint8Array(
      Math.max(this.#bytes.length * 2, this.#length + size),
    );
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #copy(from: Uint8Array, at: number, size: number): void {
    this.#reserve(size);
    this.#bytes.set(from.subarray(at, at + size), this.#length);
    this.#length += size;
  }

  #number32(op: number, value: number): void {
    this.#reserve(5);
    this.#bytes[this.#length++] = op;
    for (let i = 0; i < 4; i++) {
      this.#bytes[this.#length++] = (value >>> (8 * i)) & 255;
    }
  }
}

/** The memo slot that an opcode names. */
export function slotAt(bytes: Uint8Array, at: number, size: number): number {
  switch (bytes[at]) {
    case 0x68:
    case 0x71:
      return bytes[at + 1]!;
    case 0x6a:
    case 0x72:
      return bytes[at + 1]! + bytes[at + 2]! * 0x100 +
        bytes[at + 3]! * 0x10000 +
        bytes[at + 4]! * 0x1000000;
    default: {
      let slot = size > 2 ? 0 : NaN;
      for (let i = at + 1; i < at + size - 1; i++) {
        const digit = bytes[i]! - 48;
        if (digit < 0 || digit > 9) {
          throw new Snag("a memo slot has an unusual number");
        }
        slot = slot * 10 + digit;
      }
      if (!(slot <= Number.MAX_SAFE_INTEGER)) {
        throw new Snag("a memo slot has an unusual number");
      }
      return slot;
    }
  }
}
