/**
 * The machine that reads pickles. `loads`, `load` and `PickleDecoderStream`
 * are thin over it.
 *
 * It follows CPython's C unpickler (`Modules/_pickle.c`), except that nothing
 * is ever run: a class or function is a name, an object a description, unless
 * the registry of types or the caller's own `globals` say what it is.
 *
 * The loop is one function with its state in locals. It stops where an opcode's
 * argument has not wholly arrived, and goes on from that opcode; what waits is
 * a list of chunks that is joined once.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { decodeUtf8, Utf8Error } from "../bytes/utf8.ts";
import { PyArray } from "../python/array.ts";
import { ByteArray } from "../python/byte_array.ts";
import { UserList } from "../python/collections.ts";
import { PyDict } from "../python/dict.ts";
import { Float } from "../python/float.ts";
import {
  GrowingByteArray,
  setByteItems,
  setListItems,
} from "../python/items.ts";
import { KeyMaker, UnhashableError } from "../python/keys.ts";
import { LimitError, type Limits, resolveLimits } from "../python/limits.ts";
import "../python/mod.ts";
import {
  attributesOf,
  Extension,
  Global,
  PyObject,
  setAttributes,
} from "../python/object.ts";
import {
  type MakeCall,
  type PyType,
  typeByName,
  typeOf,
} from "../python/registry.ts";
import { FrozenSet, PySet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";
import { type Machine, MORE } from "../streams/machine_stream.ts";
import {
  ArgumentFault,
  decodeEscapes,
  decodeLatin1,
  decodeRawUnicodeEscape,
  readLong,
} from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import * as op from "./opcodes.ts";
import type {
  DecoderStreamOptions,
  Encoding,
  EncodingErrors,
  GlobalHandler,
} from "./options.ts";
import { toPython3Name } from "./python2_names.ts";
import { decodePython2String } from "./python2_strings.ts";
import {
  emptyNumbers,
  fillFloats,
  fillInts,
  isNumberBatch,
  isTextBatch,
  NUMBER_SIZES,
} from "./number_batch.ts";
import { makePlain } from "./plain_objects.ts";
import { findTruncation, HeldPickle, SKIMMED } from "./skim.ts";
import { asciiText, LONGEST_KEY, StringReader } from "./string_reader.ts";
import { parseFloatText, parseIntLine, parseLongLine } from "./text_numbers.ts";

const EMPTY = new Uint8Array(0);
const HIGHEST_PROTOCOL = 5;

/** A memo slot that has no value. */
const MISSING: unique symbol = Symbol("missing");
/** A memo slot whose value was let go, in `items` mode. */
const EVICTED: unique symbol = Symbol("evicted");
/**
 * A list or dict that is made only when its first batch is complete: whether a
 * dict is a plain object depends on its keys, and a list of known size is
 * cheaper. It stands in the stack right below a mark, and in the memo.
 */
const LATE: unique symbol = Symbol("late");
const LATE_LIST = 1;
const LATE_DICT = 2;

/** So many entries of the memo, from `start` on, are items of a list. */
interface TextRange {
  start: number;
  count: number;
  list: unknown[];
  from: number;
}

/** V8 makes a slow array of one that is made longer at once. */
const LONGEST_PRESIZED = 30_000_000;

/** Files that people take for pickles, by their first bytes. */
const OTHER_FORMATS: readonly (readonly [string, string])[] = [
  ["PK\x03\x04", "a ZIP archive (a PyTorch file, perhaps)"],
  ["\x1f\x8b", "compressed with gzip"],
  ["BZh", "compressed with bzip2"],
  ["\xfd7zXZ", "compressed with xz"],
  ["7z\xbc\xaf", "a 7-Zip archive"],
  ["\x93NUMPY", "a NumPy .npy file"],
  ["\x89HDF", "an HDF5 file"],
  ["PAR1", "a Parquet file"],
  ["x\x9c", "compressed with zlib"],
  ["x\x01", "compressed with zlib"],
  ["x\xda", "compressed with zlib"],
];

/** Whether UTF-8 has surrogates of three bytes each. */
function hasSurrogateBytes(bytes: Uint8Array): boolean {
  return bytes.some((byte, i) => byte === 0xed && bytes[i + 1]! >= 0xa0);
}

function isPlainDict(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) &&
    Object.getPrototypeOf(value) === Array.prototype;
}

/** An own property, whatever its name. */
function setOwn(target: object, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else (target as Record<string, unknown>)[key] = value;
}

function isClass(
  handler: GlobalHandler,
): handler is new (...args: unknown[]) => unknown {
  return typeof handler === "function" &&
    /^class\b/.test(Function.prototype.toString.call(handler));
}

/** A caller's handler as an entry of the registry. */
function toType(handler: GlobalHandler): PyType {
  if (typeof handler !== "function") return { ...handler, names: [] };
  const make = isClass(handler)
    ? (args: readonly unknown[]) => new handler(...args)
    : (args: readonly unknown[]) =>
      (handler as (...args: unknown[]) => unknown)(...args);
  return { names: [], make, build: defineState };
}

/** As Python's `object.__dict__.update`, but nothing inherited is shadowed. */
function defineState(value: unknown, state: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const entries = isPlainDict(state)
    ? Object.entries(state)
    : state instanceof PyDict
    ? [...state]
    : undefined;
  if (entries === undefined) return false;
  for (const [key] of entries) {
    if (
      typeof key !== "string" || (key in value && !Object.hasOwn(value, key))
    ) return false;
  }
  for (const [key, item] of entries) {
    Object.defineProperty(value, key as string, {
      value: item,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return true;
}

/** How Python names the type of a value, for messages. */
function typeName(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "str";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "bigint":
      return "int";
    case "boolean":
      return "bool";
  }
  if (value === null) return "NoneType";
  if (value instanceof Tuple) return "tuple";
  if (Array.isArray(value)) return "list";
  if (isPlainDict(value) || value instanceof PyDict) return "dict";
  if (value instanceof FrozenSet) return "frozenset";
  if (value instanceof PySet) return "set";
  if (value instanceof ByteArray) return "bytearray";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Global) return "type";
  if (value instanceof PyObject) return value.className;
  return "object";
}

/** From this size on, bytes of an array are not copied. */
const BORROWED = 4096;
/** From this size on, other bytes neither, if they are so much of the input. */
const BORROWED_ALONE = 1 << 20;
const BORROWED_SHARE = 16;

/** How much of a pickle is held until it is whole: more is read as it comes. */
const PATIENCE = 8 << 20;

/** How deep whole pickles may lie within others. */
const MAX_NESTING = 16;

const LINE = -1;
const TWO_LINES = -2;

/** Options of an {@linkcode Unpickler}. */
export interface UnpicklerOptions extends DecoderStreamOptions {
  /**
   * How many bytes of a pickle that is large and not whole are held; what is
   * longer is read as it comes. Not with `items`.
   *
   * @default {8_388_608}
   */
  patience?: number;
}

/** Reads pickles, pushed in chunks of any size. */
export class Unpickler implements Machine<Uint8Array, unknown> {
  readonly #options: DecoderStreamOptions;
  readonly #fixImports: boolean;
  readonly #encoding: Encoding | undefined;
  readonly #errors: EncodingErrors;
  readonly #persistentLoad: ((id: unknown) => unknown) | undefined;
  readonly #extensions: ReadonlyMap<number, string>;
  readonly #handlers: ReadonlyMap<string, PyType> | undefined;
  readonly #asMaps: boolean;
  readonly #exactFloats: boolean;
  readonly #limits: Readonly<Required<Limits>>;
  readonly #strictFrames: boolean;
  readonly #items: boolean;
  readonly #keepMemo: boolean;
  readonly #copies: boolean;
  readonly #buffers: Iterator<Uint8Array> | undefined;
  /** Types of values that the caller's handlers made. */
  readonly #handled: WeakMap<object, PyType> | undefined;

  // Input: bytes from #pos to #end, then what waits in #queue.
  #bytes: Uint8Array = EMPTY;
  #view: DataView | undefined;
  #pos = 0;
  #end = 0;
  /** Offset in the stream of the first of `#bytes`. */
  #base = 0;
  readonly #queue = new ChunkQueue();
  /** In place of all these, where a large pickle is not whole yet. */
  #held: HeldPickle | undefined;
  /** How many bytes of a pickle are worth holding; whether this one's are. */
  readonly #patience: number;
  #isPatient = true;
  readonly #strings = new StringReader();
  /** Bytes wanted from `#pos`, when positive; else lines, as negative. */
  #need = 0;
  /** How many lines of an argument are not there. */
  #needLines = 0;
  /** How long the line that is waited for is by now. */
  #lineLength = 0;
  #ended = false;
  /** Whether the bytes are a whole pickle, in the hands of the caller. */
  #isWhole = false;
  /** Whether the bytes are nobody else's. */
  #owned = false;
  #head = "";
  /** An error that waits for the first bytes to say what the input is. */
  #fault: unknown;

  // The machine.
  #stack: unknown[] = [];
  #sp = 0;
  #marks = new Int32Array(64);
  /** For each mark: what is late below it, and its memo slot. */
  #late = new Int32Array(64);
  #m = 0;
  /** No mark below this one has anything late. */
  #lateFloor = 0;
  #memo: unknown[] = [];
  /** Entries that are still only in the lists of texts that they belong to. */
  #ranges: TextRange[] | undefined;
  #memoLength = 0;
  /** Entries; more than the length in `#memo` when some are in `#sparse`. */
  #memoCount = 0;
  #sparse: Map<number, unknown> | undefined;
  #fetched: Set<number> | undefined;
  #evicted = 0;
  #protocol = 0;
  #frameEnd = -1;
  #begun = false;
  /** Offset in the stream of the pickle's first byte. */
  #startsAt = 0;
  #values = 0;
  #globals: Map<string, Global> | undefined;
  readonly #keys = new KeyMaker();
  /** Plain objects that became a PyDict when somebody else had them. */
  #forward: Map<object, PyDict | GrowingByteArray> | undefined;
  #result: unknown;
  /** A pickle within this one that has not wholly arrived. */
  #nested: { machine: Unpickler; start: number; fed: number } | undefined;
  #nesting = 0;
  /** Whether less than `#need` may be enough, once the input has ended. */
  #wantsAny = false;
  /** In `items` mode: what has been read and not pulled. */
  #pieces: unknown[] = [];
  #nextPiece = 0;
  #streamed: unknown = MISSING;
  #opcodeStart = 0;

  /**
   * Makes a machine.
   *
   * @param options What it is asked for.
   */
  constructor(options: UnpicklerOptions = {}) {
    this.#options = options;
    this.#fixImports = options.fixImports ?? true;
    this.#encoding = checkEncoding(options.encoding);
    this.#errors = options.errors ?? "strict";
    this.#persistentLoad = options.persistentLoad;
    this.#extensions = toMap(options.extensions, Number);
    if (options.globals !== undefined) {
      const handlers = new Map<string, PyType>();
      for (const [name, handler] of toMap(options.globals, String)) {
        handlers.set(name, toType(handler));
      }
      this.#handlers = handlers;
      this.#handled = new WeakMap();
    }
    this.#asMaps = options.dicts === "map";
    this.#exactFloats = options.floats === "exact";
    this.#limits = resolveLimits(options.limits);
    this.#strictFrames = options.lenientFrames !== true;
    this.#items = options.items ?? false;
    this.#keepMemo = options.keepMemo ?? false;
    this.#copies = options.copy ?? false;
    this.#buffers = options.buffers?.[Symbol.iterator]();
    if (this.#items) this.#fetched = new Set();
    this.#patience = this.#items ? 0 : options.patience ?? PATIENCE;
  }

  /** Offset in the stream after the last pickle read. */
  get position(): number {
    return this.#base + this.#pos;
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next; kept until it is used up.
   */
  push(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size === 0) return;
    if (this.#head.length < 8) {
      this.#head += asciiText(chunk, 0, Math.min(size, 8 - this.#head.length));
    }
    if (this.#fault !== undefined) return;
    if (this.#held !== undefined) {
      this.#held.push(chunk);
      return;
    }
    if (this.#pos === this.#end) {
      this.#setInput(chunk, this.#base + this.#end, false);
      return;
    }
    this.#queue.push(chunk);
    if (this.#need >= 0) return;
    // Count the line ends, so that nothing is searched twice.
    for (let from = 0; this.#need < 0;) {
      const found = chunk.indexOf(0x0a, from);
      if (found < 0) {
        this.#lineLength += size - from;
        return;
      }
      this.#need++;
      from = found + 1;
    }
  }

  /** Says that no input follows. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Gives the next value.
   *
   * @returns The next pickle's value, or MORE.
   * @throws {UnpicklingError} If the input is no pickle.
   * @throws {LimitError} If it wants too much.
   */
  pull(): unknown | typeof MORE {
    if (this.#fault !== undefined) {
      if (!this.#ended && this.#mayBeOther()) return MORE;
      throw this.#explain(this.#fault);
    }
    try {
      for (;;) {
        if (this.#nextPiece < this.#pieces.length) {
          return this.#pieces[this.#nextPiece++];
        }
        if (!this.#gather() || this.#mustWait()) {
          if (!this.#ended) {
            this.#holdBack();
            return MORE;
          }
          if (!this.#begun && this.#pos === this.#end) return MORE;
          throw this.#error("truncated", "the pickle ends too early");
        }
        if (!this.#run()) continue;
        if (this.#items && this.#endItems()) continue;
        return this.#result;
      }
    } catch (error) {
      const explained = this.#explain(error);
      if (this.#ended || !this.#mayBeOther()) throw explained;
      this.#fault = explained;
      return MORE;
    }
  }

  /** Whether the first bytes may still become those of some other file. */
  #mayBeOther(): boolean {
    const head = this.#head;
    return head.length < 8 &&
      OTHER_FORMATS.some(([magic]) =>
        magic.length > head.length && magic.startsWith(head)
      );
  }

  /**
   * Reads one pickle that is wholly there, and ignores what follows it.
   *
   * @param bytes The pickle.
   * @returns Its value.
   */
  load(bytes: Uint8Array): unknown {
    this.#setInput(bytes, 0, false);
    this.#ended = this.#isWhole = true;
    try {
      // Half a pickle can make a thousand times as much as the error needs.
      if (bytes.length >= SKIMMED && bytes[bytes.length - 1] !== op.STOP) {
        this.#checkWhole(bytes);
      }
      if (this.#pos < this.#end && this.#run()) return this.#result;
      throw this.#error(
        "truncated",
        bytes.length === 0 ? "the input is empty" : "the pickle ends too early",
      );
    } catch (error) {
      this.#head = asciiText(bytes, 0, Math.min(8, bytes.length));
      throw this.#explain(error);
    }
  }

  #checkWhole(bytes: Uint8Array): void {
    const at = findTruncation(bytes);
    if (at < 0) return;
    this.#begun = true;
    this.#opcodeStart = at;
    throw this.#error("truncated", "the pickle ends too early");
  }

  /** Makes it ready for other input, and forgets all it has seen. */
  reset(): void {
    this.#held = undefined;
    this.#setInput(EMPTY, 0, false);
    if (this.#begun) {
      this.#queue.clear();
      this.#begin();
    }
    this.#ended = this.#isWhole = false;
    this.#opcodeStart = 0;
    this.#head = "";
    this.#fault = undefined;
    this.#result = undefined;
  }

  #setInput(bytes: Uint8Array, base: number, owned: boolean): void {
    this.#bytes = bytes;
    this.#view = undefined;
    this.#pos = 0;
    this.#end = bytes.length;
    this.#base = base;
    this.#owned = owned;
    this.#need = 0;
    this.#strings.setInput(bytes);
  }

  /** Joins what waits once there is enough. Tells whether there is work. */
  #gather(): boolean {
    if (this.#held !== undefined) return this.#release(this.#held);
    if (this.#pos === this.#end && this.#queue.size === 0) return false;
    const rest = this.#end - this.#pos;
    const limit = this.#limits.argumentLength;
    if (this.#need < 0) {
      if (this.#lineLength > limit) {
        throw new LimitError("argumentLength", limit);
      }
      return false;
    }
    const isLast = this.#wantsAny && this.#ended;
    if (this.#need > rest + this.#queue.size && !isLast) {
      if (rest + this.#queue.size - 9 > limit) {
        throw new LimitError("argumentLength", limit);
      }
      return false;
    }
    this.#wantsAny = false;
    if (this.#queue.size > 0) {
      const start = this.#base + this.#pos;
      const all = new ChunkQueue();
      all.push(this.#bytes.subarray(this.#pos, this.#end));
      all.push(this.#queue.join());
      this.#setInput(all.join(), start, true);
    }
    return true;
  }

  /** Whether what is at hand is a part of a large pickle that is not whole. */
  #mustWait(): boolean {
    const from = this.#begun ? this.#startsAt : this.#base + this.#pos;
    const size = this.#base + this.#end - from;
    if (
      !this.#isPatient || size < SKIMMED || size > this.#patience ||
      this.#bytes[this.#end - 1] === op.STOP ||
      findTruncation(this.#bytes, { from: this.#pos, end: this.#end }) < 0
    ) return false;
    this.#hold();
    return !this.#release(this.#held!);
  }

  /** Holds what there is of a pickle that is large and not whole. */
  #holdBack(): void {
    const read = this.#base + this.#pos - this.#startsAt;
    if (
      this.#held === undefined && this.#begun && this.#isPatient &&
      !this.#wantsAny && this.#need <= this.#patience &&
      read >= SKIMMED && read < this.#patience
    ) this.#hold();
  }

  #hold(): void {
    const held = new HeldPickle(this.#base + this.#pos, this.#patience);
    held.push(this.#bytes.subarray(this.#pos, this.#end));
    if (this.#queue.size > 0) held.push(this.#queue.join());
    this.#setInput(EMPTY, held.from, false);
    this.#held = held;
  }

  /** Goes on with what was held; not while it is worth waiting for more. */
  #release(held: HeldPickle): boolean {
    const isReady = held.look() || (this.#ended && held.mayEnd);
    if (!isReady && !this.#ended) return false;
    this.#held = undefined;
    this.#isPatient = false;
    this.#setInput(held.bytes, held.from, true);
    if (!isReady) this.#opcodeStart = held.position;
    return isReady;
  }

  /** Readies the machine for the next pickle. */
  #begin(): void {
    // What is small is used again, but holds on to nothing. What lies above the
    // values of this pickle has been let go before.
    const stack = this.#stack;
    if (stack.length > 256) this.#stack = [];
    else {
      for (let i = 0; i < stack.length && stack[i] !== undefined; i++) {
        stack[i] = undefined;
      }
    }
    this.#sp = 0;
    this.#m = 0;
    this.#lateFloor = 0;
    if (!this.#keepMemo) {
      const memo = this.#memo;
      if (memo.length > 256) this.#memo = [];
      else {
        const used = Math.min(this.#memoLength, memo.length);
        for (let i = 0; i < used; i++) memo[i] = undefined;
      }
      this.#ranges = undefined;
      this.#memoLength = 0;
      this.#memoCount = 0;
      this.#sparse = undefined;
      this.#evicted = 0;
      this.#fetched?.clear();
    }
    this.#protocol = 0;
    this.#frameEnd = -1;
    this.#begun = false;
    this.#isPatient = true;
    this.#values = 0;
    this.#forward = undefined;
    this.#globals = undefined;
    this.#streamed = MISSING;
    this.#nested = undefined;
    this.#wantsAny = false;
    this.#keys.forget();
  }

  #error(
    code: UnpicklingErrorCode,
    message: string,
    cause?: unknown,
  ): UnpicklingError {
    const at = this.#begun || this.#pos < this.#end ? this.#opcodeStart : 0;
    const byte = this.#bytes[at - this.#base];
    const opcode = byte === undefined
      ? undefined
      : op.OPCODE_BY_CODE[byte]?.name;
    const place = opcode === undefined
      ? `at byte ${at}`
      : `at byte ${at} (${opcode})`;
    return new UnpicklingError(`${message}, ${place}`, {
      code,
      offset: at,
      opcode,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** Turns the faults of helpers into errors that say where. */
  #explain(error: unknown): unknown {
    if (error instanceof ArgumentFault) {
      error = this.#error(error.code, error.message);
    } else if (error instanceof Utf8Error) {
      error = this.#error("bad-utf8", "a string is not UTF-8", error);
    } else if (error instanceof UnhashableError) {
      error = this.#error("unhashable", error.message, error);
    } else if (error instanceof LimitError && error.offset === undefined) {
      error = new LimitError(error.limit, error.value, {
        offset: this.#opcodeStart,
      });
    }
    if (error instanceof UnpicklingError && error.code !== "not-a-pickle") {
      const found = OTHER_FORMATS.find(([magic]) =>
        this.#head.startsWith(magic)
      );
      if (found !== undefined && error.offset < 64) {
        return new UnpicklingError(
          `this is no pickle: it looks like ${found[1]}`,
          { code: "not-a-pickle", offset: 0, cause: error },
        );
      }
    }
    return error;
  }

  /**
   * Runs opcodes. Tells whether a pickle has ended, its value in `#result`;
   * otherwise `#need` says what is wanted, or pieces are there to be pulled.
   */
  #run(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    const base = this.#base;
    const asMaps = this.#asMaps;
    const exact = this.#exactFloats;
    const strings = this.#strings;
    /** Up to which length the memo is only an array. */
    const plainMemo = this.#fetched === undefined ? this.#limits.memo : 0;
    const longest = this.#limits.argumentLength;
    let stack = this.#stack;
    let marks = this.#marks;
    let late = this.#late;
    let memo = this.#memo;
    let pos = this.#pos;
    let sp = this.#sp;
    let m = this.#m;
    let memoLength = this.#memoLength;
    let frameEnd = this.#frameEnd;
    let limit = frameEnd >= 0 && frameEnd - base < end ? frameEnd - base : end;
    /** With how many entries the memo is to be made larger. */
    let memoRoom = 0x7fff_ffff;
    let start = pos;
    let need = 0;
    if (!this.#begun) {
      this.#begun = true;
      this.#startsAt = base + pos;
      // An array that grows is copied again and again.
      if (end - pos > 65536 && memo.length === 0) {
        memo.length = Math.min(end - pos >> 4, 65536);
        memoRoom = memo.length;
      }
    }

    for (;;) {
      if (pos >= limit) {
        if (frameEnd === base + limit) frameEnd = -1;
        if (limit < end) {
          limit = end;
          continue;
        }
        start = pos;
        need = 1;
      } else {
        start = pos;
        need = 0;
        const code = bytes[pos++]!;
        switch (code) {
          // Text.
          case 0x8c: { // SHORT_BINUNICODE
            if (pos >= limit) {
              need = 2;
              break;
            }
            const from = pos + 1;
            const to = from + bytes[pos]!;
            if (to > limit) {
              need = to - start;
              break;
            }
            this.#opcodeStart = base + start;
            if (to - from > longest) this.#checkLength(to - from);
            stack[sp] = m > 0 && (late[m - 1]! & 3) === LATE_DICT &&
                (sp - marks[m - 1]! & 1) === 0 && to - from <= LONGEST_KEY
              ? strings.key(from, to)
              : strings.text(from, to);
            sp++;
            pos = to;
            continue;
          }
          case 0x58: { // BINUNICODE
            if (pos + 4 > limit) {
              need = 5;
              break;
            }
            const from = pos + 4;
            const to = from + this.#uint32(pos);
            if (to > limit) {
              need = to - start;
              break;
            }
            this.#opcodeStart = base + start;
            if (to - from > longest) this.#checkLength(to - from);
            stack[sp] = m > 0 && (late[m - 1]! & 3) === LATE_DICT &&
                (sp - marks[m - 1]! & 1) === 0 && to - from <= LONGEST_KEY
              ? strings.key(from, to)
              : strings.text(from, to);
            sp++;
            pos = to;
            continue;
          }

          // The memo.
          case 0x94: { // MEMOIZE
            if (sp <= (m > 0 ? marks[m - 1]! : 0)) {
              this.#opcodeStart = base + start;
              throw this.#noItem(m);
            }
            if (memoLength < plainMemo && memoLength === this.#memoCount) {
              memo[memoLength++] = stack[sp - 1];
              this.#memoCount = memoLength;
              if (memoLength >= memoRoom) {
                memoRoom = this.#makeRoom(memoLength, pos);
              }
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            this.#put(this.#memoCount, stack[sp - 1]);
            memo = this.#memo;
            memoLength = this.#memoLength;
            continue;
          }
          case 0x68: { // BINGET
            if (pos >= limit) {
              need = 2;
              break;
            }
            const index = bytes[pos]!;
            const value = index < memoLength ? memo[index] : MISSING;
            // A symbol stands for what is not there, and is soon told apart.
            if (
              plainMemo > 0 && typeof value !== "symbol" &&
              value !== undefined && this.#forward === undefined
            ) {
              stack[sp++] = value;
              pos++;
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            this.#m = m;
            stack[sp] = this.#get(index);
            sp++;
            pos++;
            continue;
          }
          case 0x6a: { // LONG_BINGET
            if (pos + 4 > limit) {
              need = 5;
              break;
            }
            const index = this.#uint32(pos);
            const value = index < memoLength ? memo[index] : MISSING;
            // A symbol stands for what is not there, and is soon told apart.
            if (
              plainMemo > 0 && typeof value !== "symbol" &&
              value !== undefined && this.#forward === undefined
            ) {
              stack[sp++] = value;
              pos += 4;
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            this.#m = m;
            stack[sp] = this.#get(index);
            sp++;
            pos += 4;
            continue;
          }
          case 0x71: { // BINPUT
            if (pos >= limit) {
              need = 2;
              break;
            }
            if (sp <= (m > 0 ? marks[m - 1]! : 0)) {
              this.#opcodeStart = base + start;
              throw this.#noItem(m);
            }
            const index = bytes[pos++]!;
            if (
              memoLength < plainMemo && index === memoLength &&
              memoLength === this.#memoCount
            ) {
              memo[memoLength++] = stack[sp - 1];
              this.#memoCount = memoLength;
              if (memoLength >= memoRoom) {
                memoRoom = this.#makeRoom(memoLength, pos);
              }
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            this.#put(index, stack[sp - 1]);
            memo = this.#memo;
            memoLength = this.#memoLength;
            continue;
          }
          case 0x72: { // LONG_BINPUT
            if (pos + 4 > limit) {
              need = 5;
              break;
            }
            if (sp <= (m > 0 ? marks[m - 1]! : 0)) {
              this.#opcodeStart = base + start;
              throw this.#noItem(m);
            }
            const index = this.#uint32(pos);
            pos += 4;
            if (
              memoLength < plainMemo && index === memoLength &&
              memoLength === this.#memoCount
            ) {
              memo[memoLength++] = stack[sp - 1];
              this.#memoCount = memoLength;
              if (memoLength >= memoRoom) {
                memoRoom = this.#makeRoom(memoLength, pos);
              }
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            this.#put(index, stack[sp - 1]);
            memo = this.#memo;
            memoLength = this.#memoLength;
            continue;
          }

          // Numbers and constants.
          case 0x4b: // BININT1
            if (pos >= limit) {
              need = 2;
              break;
            }
            stack[sp++] = bytes[pos++];
            continue;
          case 0x4d: // BININT2
            if (pos + 2 > limit) {
              need = 3;
              break;
            }
            stack[sp++] = bytes[pos]! | bytes[pos + 1]! << 8;
            pos += 2;
            continue;
          case 0x4a: // BININT
            if (pos + 4 > limit) {
              need = 5;
              break;
            }
            stack[sp++] = bytes[pos]! | bytes[pos + 1]! << 8 |
              bytes[pos + 2]! << 16 | bytes[pos + 3]! << 24;
            pos += 4;
            continue;
          case 0x47: { // BINFLOAT
            if (pos + 8 > limit) {
              need = 9;
              break;
            }
            const view = this.#view ??= new DataView(
              bytes.buffer,
              bytes.byteOffset,
              bytes.byteLength,
            );
            const value = view.getFloat64(pos);
            stack[sp++] = exact && Number.isInteger(value)
              ? new Float(value)
              : value;
            pos += 8;
            continue;
          }
          case 0x4e: // NONE
            stack[sp++] = null;
            continue;
          case 0x88: // NEWTRUE
            stack[sp++] = true;
            continue;
          case 0x89: // NEWFALSE
            stack[sp++] = false;
            continue;
          case 0x8a: { // LONG1
            if (pos >= limit) {
              need = 2;
              break;
            }
            const to = pos + 1 + bytes[pos]!;
            if (to > limit) {
              need = to - start;
              break;
            }
            const size = bytes[pos]!;
            if (size <= 6 && size > 0) {
              // Little-endian, two's complement; safe up to six bytes.
              let value = bytes[to - 1]! << 24 >> 24;
              for (let i = to - 2; i > pos; i--) {
                value = value * 256 + bytes[i]!;
              }
              stack[sp++] = value;
            } else stack[sp++] = readLong(bytes.subarray(pos + 1, to));
            pos = to;
            continue;
          }

          // Containers.
          case 0x7d: // EMPTY_DICT
          case 0x5d: { // EMPTY_LIST
            // The usual way on: memoise, mark. Then the container is late.
            let mark = 0;
            const next = pos < limit ? bytes[pos]! : 0;
            if (memoLength < plainMemo && memoLength === this.#memoCount) {
              if (next === op.MEMOIZE) mark = pos + 1;
              else if (
                next === op.BINPUT && pos + 1 < limit &&
                bytes[pos + 1]! === memoLength
              ) mark = pos + 2;
              else if (
                next === op.LONG_BINPUT && pos + 4 < limit &&
                this.#uint32(pos + 1) === memoLength
              ) mark = pos + 5;
            }
            if (
              code === op.EMPTY_LIST && mark > 0 && mark + 1 < limit &&
              NUMBER_SIZES[bytes[mark + 1]!] !== 0 &&
              isNumberBatch(bytes, mark + 1, limit)
            ) {
              stack[sp++] = emptyNumbers(bytes[mark + 1]!);
              continue;
            }
            if (
              code === op.EMPTY_LIST && mark > 0 && mark + 1 < limit &&
              bytes[mark + 1] === op.SHORT_BINUNICODE &&
              isTextBatch(bytes, mark + 1, limit)
            ) {
              stack[sp++] = [];
              continue;
            }
            if (
              mark > 0 && mark < limit && bytes[mark] === op.MARK &&
              memoLength < 0x0fff_ffff && m < marks.length &&
              m < this.#limits.depth
            ) {
              memo[memoLength] = LATE;
              late[m] = memoLength << 2 |
                (code === op.EMPTY_DICT ? LATE_DICT : LATE_LIST);
              this.#memoCount = ++memoLength;
              if (m < this.#lateFloor) this.#lateFloor = m;
              stack[sp++] = LATE;
              marks[m++] = sp;
              pos = mark + 1;
              continue;
            }
            stack[sp++] = code === op.EMPTY_LIST
              ? []
              : asMaps
              ? new PyDict()
              : {};
            continue;
          }
          case 0x28: { // MARK
            if (m === marks.length || m >= this.#limits.depth) {
              this.#opcodeStart = base + start;
              this.#growMarks(m);
              marks = this.#marks;
              late = this.#late;
            }
            const size = pos < limit ? NUMBER_SIZES[bytes[pos]!]! : 0;
            if (
              size !== 0 && sp > (m > 0 ? marks[m - 1]! : 0) &&
              isList(stack[sp - 1])
            ) {
              // A batch of numbers goes straight into its list.
              this.#frameEnd = frameEnd;
              const next = this.#numbers(
                stack[sp - 1] as unknown[],
                pos,
                limit,
              );
              if (next !== 0) {
                pos = next;
                frameEnd = this.#frameEnd;
                limit = frameEnd >= 0 && frameEnd - base < end
                  ? frameEnd - base
                  : end;
                continue;
              }
            }
            if (
              size === 0 && pos < limit && plainMemo > 0 &&
              bytes[pos] === op.SHORT_BINUNICODE &&
              sp > (m > 0 ? marks[m - 1]! : 0) && isList(stack[sp - 1]) &&
              isTextBatch(bytes, pos, limit)
            ) {
              this.#frameEnd = frameEnd;
              this.#memoLength = memoLength;
              const next = this.#texts(stack[sp - 1] as unknown[], pos, limit);
              if (next !== 0) {
                pos = next;
                memoLength = this.#memoLength;
                frameEnd = this.#frameEnd;
                limit = frameEnd >= 0 && frameEnd - base < end
                  ? frameEnd - base
                  : end;
                continue;
              }
            }
            late[m] = 0;
            marks[m++] = sp;
            continue;
          }
          case 0x65: { // APPENDS
            if (m === 0) {
              this.#opcodeStart = base + start;
              throw this.#error("no-mark", "there is no mark to append from");
            }
            const mark = marks[--m]!;
            const state = late[m]!;
            if ((state & 3) === LATE_LIST) {
              const list = stack.slice(mark, sp);
              this.#values += sp - mark;
              stack[mark - 1] = list;
              if (typeof memo[state >> 2] === "symbol") {
                memo[state >> 2] = list;
              }
              sp = mark;
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            if (state !== 0) this.#settle(m);
            if (mark - 1 < (m > 0 ? marks[m - 1]! : 0)) throw this.#noItem(m);
            const target = stack[mark - 1];
            if (isList(target)) {
              const count = sp - mark;
              let length = target.length;
              target.length = length + count;
              for (let i = mark; i < sp; i++) target[length++] = stack[i];
              this.#count(count);
            } else {
              stack[mark - 1] = this.#append(target, stack.slice(mark, sp));
            }
            sp = mark;
            if (this.#items && mark === 1 && m === 0 && isList(target)) {
              this.#stream(target);
              break;
            }
            continue;
          }
          case 0x75: { // SETITEMS
            if (m === 0) {
              this.#opcodeStart = base + start;
              throw this.#error(
                "no-mark",
                "there is no mark to set items from",
              );
            }
            const mark = marks[--m]!;
            const state = late[m]!;
            if ((sp - mark & 1) !== 0) {
              this.#opcodeStart = base + start;
              throw this.#error("odd-items", "a key of a dict has no value");
            }
            if ((state & 3) === LATE_DICT) {
              let dict: unknown;
              let i = mark;
              if (asMaps) i = -1;
              else while (i < sp && typeof stack[i] === "string") i += 2;
              if (i >= sp) {
                const plain = makePlain(sp - mark);
                for (let i = mark; i < sp; i += 2) {
                  const key = stack[i] as string;
                  // Lengths are compared faster than strings.
                  if (key.length === 9 && key === "__proto__") {
                    setOwn(plain, key, stack[i + 1]);
                  } else plain[key] = stack[i + 1];
                }
                dict = plain;
              } else {
                this.#opcodeStart = base + start;
                dict = PyDict.fromFlat(stack.slice(mark, sp), this.#keyMaker());
              }
              this.#values += sp - mark;
              stack[mark - 1] = dict;
              if (typeof memo[state >> 2] === "symbol") {
                memo[state >> 2] = dict;
              }
              sp = mark;
              continue;
            }
            this.#opcodeStart = base + start;
            this.#memoLength = memoLength;
            if (state !== 0) this.#settle(m);
            if (mark - 1 < (m > 0 ? marks[m - 1]! : 0)) throw this.#noItem(m);
            const target = stack[mark - 1] = this.#setItems(
              stack[mark - 1],
              stack.slice(mark, sp),
            );
            sp = mark;
            if (this.#items && mark === 1 && m === 0) {
              if (isPlainDict(target) || target instanceof PyDict) {
                this.#stream(target);
                break;
              }
            }
            continue;
          }
          case 0x74: { // TUPLE
            if (m === 0) {
              this.#opcodeStart = base + start;
              throw this.#error("no-mark", "there is no mark to begin a tuple");
            }
            const mark = marks[--m]!;
            if (late[m] !== 0) {
              this.#memoLength = memoLength;
              this.#settle(m);
            }
            // Given its size, since to grow by items takes more room.
            const tuple = new Tuple(sp - mark);
            for (let i = mark; i < sp; i++) tuple[i - mark] = stack[i];
            this.#values += sp - mark;
            sp = mark;
            stack[sp++] = tuple;
            continue;
          }
          case 0x85: { // TUPLE1
            if (sp - 1 < (m > 0 ? marks[m - 1]! : 0)) {
              this.#opcodeStart = base + start;
              throw this.#noItem(m);
            }
            const tuple = new Tuple(1);
            tuple[0] = stack[sp - 1];
            stack[sp - 1] = tuple;
            continue;
          }
          case 0x86: { // TUPLE2
            if (sp - 2 < (m > 0 ? marks[m - 1]! : 0)) {
              this.#opcodeStart = base + start;
              throw this.#noItem(m);
            }
            sp--;
            stack[sp - 1] = new Tuple(stack[sp - 1], stack[sp]);
            continue;
          }
          case 0x87: { // TUPLE3
            if (sp - 3 < (m > 0 ? marks[m - 1]! : 0)) {
              this.#opcodeStart = base + start;
              throw this.#noItem(m);
            }
            sp -= 2;
            stack[sp - 1] = new Tuple(stack[sp - 1], stack[sp], stack[sp + 1]);
            continue;
          }
          case 0x29: // EMPTY_TUPLE
            stack[sp++] = new Tuple();
            continue;

          case 0x2e: { // STOP
            this.#opcodeStart = base + start;
            if (frameEnd > base + end) {
              // CPython reads a frame as a whole, also what it does not need.
              need = frameEnd - base - start;
              break;
            }
            if (sp <= (m > 0 ? marks[m - 1]! : 0)) throw this.#noItem(m);
            this.#result = stack[--sp];
            this.#pos = pos;
            this.#sp = sp;
            this.#memoLength = memoLength;
            this.#count(0);
            if (this.#forward !== undefined) this.#replaceForwarded();
            if (!this.#items) this.#begin();
            return true;
          }

          case 0x80: // PROTO
            if (pos >= limit) {
              need = 2;
              break;
            }
            this.#opcodeStart = base + start;
            if (bytes[pos]! > HIGHEST_PROTOCOL) {
              throw this.#error(
                "bad-protocol",
                `protocol ${bytes[pos]} is newer than ${HIGHEST_PROTOCOL}`,
              );
            }
            this.#protocol = bytes[pos++]!;
            continue;
          case 0x95: { // FRAME
            if (pos + 8 > limit) {
              need = 9;
              break;
            }
            this.#opcodeStart = base + start;
            if (frameEnd >= 0 && this.#strictFrames) {
              throw this.#error(
                "bad-frame",
                "a frame begins within another; lenientFrames takes it",
              );
            }
            const size = this.#uint64(pos);
            pos += 8;
            frameEnd = base + pos + size;
            limit = Math.min(end, frameEnd - base);
            continue;
          }

          // What is rarer goes through one function that knows the fields.
          default: {
            this.#pos = pos;
            this.#sp = sp;
            this.#m = m;
            this.#memoLength = memoLength;
            this.#opcodeStart = base + start;
            need = this.#rare(code, limit);
            if (need === 0) {
              pos = this.#pos;
              sp = this.#sp;
              m = this.#m;
              memoLength = this.#memoLength;
              stack = this.#stack;
              memo = this.#memo;
              if (this.#nextPiece < this.#pieces.length) break;
              continue;
            }
          }
        }
      }

      // An argument is not wholly there, or pieces are.
      this.#sp = sp;
      this.#m = m;
      this.#memoLength = memoLength;
      this.#frameEnd = frameEnd;
      if (need === 0) {
        this.#pos = pos;
        return false;
      }
      this.#opcodeStart = base + start;
      this.#pos = start;
      if (this.#isThere(need, start)) {
        // It is there, but goes beyond its frame.
        if (this.#strictFrames) {
          throw this.#error(
            "bad-frame",
            "an argument goes beyond its frame; lenientFrames takes it",
          );
        }
        frameEnd = -1;
        limit = end;
        pos = start;
        continue;
      }
      this.#need = need < 0 ? -this.#needLines : need;
      this.#lineLength = need < 0 ? end - start : 0;
      return false;
    }
  }

  /** Makes the memo as large as it will be if the input goes on as before. */
  #makeRoom(length: number, pos: number): number {
    const likely = Math.ceil(length / pos * this.#end * 1.02);
    const room = Math.min(likely, length * 8, this.#limits.memo) + 16;
    if (room > this.#memo.length && room < LONGEST_PRESIZED) {
      this.#memo.length = room;
      return room;
    }
    return 0x7fff_ffff;
  }

  /**
   * Appends batches that consist of numbers of one kind and are wholly there,
   * across the ends of frames.
   *
   * @returns The offset after the last APPENDS; 0 where there is no such batch.
   */
  #numbers(list: unknown[], from: number, limit: number): number {
    if (this.#items) return 0;
    const bytes = this.#bytes;
    const end = this.#end;
    const isFloat = bytes[from] === op.BINFLOAT;
    const view = this.#view ??= new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    /** Whether a float of integral value is to be told from an int. */
    const exact = isFloat && this.#exactFloats;
    // First how many there are: an array that grows costs more than a look.
    let frameEnd = this.#frameEnd;
    let at = from;
    let count = 0;
    let goodAt = 0;
    let goodCount = 0;
    let goodFrame = frameEnd;
    for (;;) {
      if (at >= limit) {
        // The end of a frame, and at once another.
        if (limit >= end) break;
        frameEnd = -1;
        if (bytes[at] === op.FRAME && at + 9 <= end) {
          frameEnd = this.#base + at + 9 + this.#uint64(at + 1);
          limit = Math.min(end, frameEnd - this.#base);
          at += 9;
        } else limit = end;
        continue;
      }
      const code = bytes[at]!;
      const size = NUMBER_SIZES[code]!;
      if (size !== 0) {
        if (isFloat !== (size === 9)) break;
        at += size;
        if (at > limit) break;
        if (exact && Number.isInteger(view.getFloat64(at - 8))) break;
        count++;
        continue;
      }
      if (code !== op.APPENDS) break;
      at++;
      goodAt = at;
      goodCount = count;
      goodFrame = frameEnd;
      if (at + 1 >= limit || bytes[at] !== op.MARK) break;
      if (NUMBER_SIZES[bytes[at + 1]!] === 0) break;
      at++;
    }
    if (goodAt === 0 || list.length + goodCount > LONGEST_PRESIZED) return 0;
    this.#frameEnd = goodFrame;
    this.#values += goodCount;
    if (isFloat) fillFloats(list, goodCount, { bytes, view, from });
    else fillInts(list, goodCount, { bytes, view, from });
    return goodAt;
  }

  /**
   * As {@linkcode Unpickler.#numbers}, for short texts and references to texts.
   */
  #texts(list: unknown[], from: number, limit: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const memo = this.#memo;
    const known = this.#memoLength;
    if (this.#items || known !== this.#memoCount) return 0;
    let frameEnd = this.#frameEnd;
    let at = from;
    let count = 0;
    let added = 0;
    let goodAt = 0;
    let goodCount = 0;
    let goodAdded = 0;
    let goodFrame = frameEnd;
    for (;;) {
      if (at >= limit) {
        if (limit >= end) break;
        frameEnd = -1;
        if (bytes[at] === op.FRAME && at + 9 <= end) {
          frameEnd = this.#base + at + 9 + this.#uint64(at + 1);
          limit = Math.min(end, frameEnd - this.#base);
          at += 9;
        } else limit = end;
        continue;
      }
      const code = bytes[at]!;
      if (code === op.SHORT_BINUNICODE) {
        if (at + 2 > limit) break;
        at += 3 + bytes[at + 1]!;
        if (at > limit || bytes[at - 1] !== op.MEMOIZE) break;
        added++;
        count++;
        continue;
      }
      if (code === op.BINGET || code === op.LONG_BINGET) {
        const size = code === op.BINGET ? 2 : 5;
        if (at + size > limit) break;
        const index = size === 2 ? bytes[at + 1]! : this.#uint32(at + 1);
        if (
          index < known
            ? typeof memo[index] !== "string"
            : index >= known + added
        ) break;
        at += size;
        count++;
        continue;
      }
      if (code !== op.APPENDS) break;
      at++;
      goodAt = at;
      goodCount = count;
      goodAdded = added;
      goodFrame = frameEnd;
      if (at + 1 >= limit || bytes[at] !== op.MARK) break;
      at++;
    }
    if (
      goodAt === 0 || list.length + goodCount > LONGEST_PRESIZED ||
      known + goodAdded > this.#limits.memo ||
      this.#limits.argumentLength < 255
    ) return 0;
    this.#frameEnd = goodFrame;
    this.#values += goodCount;
    const strings = this.#strings;
    const base = this.#base;
    let length = list.length;
    const total = list.length = length + goodCount;
    at = from;
    if (goodAdded === goodCount && !this.#keepMemo) {
      // The memo is told where they are: few are ever asked for.
      (this.#ranges ??= []).push({
        start: known,
        count: goodAdded,
        list,
        from: length,
      });
      const room = known + goodAdded + 64;
      if (bytes[goodAt] !== op.STOP && room > memo.length) memo.length = room;
      while (length < total) {
        if (bytes[at] === op.SHORT_BINUNICODE) {
          const to = at + 2 + bytes[at + 1]!;
          this.#opcodeStart = base + at;
          list[length++] = strings.text(at + 2, to);
          at = to + 1;
        } else at += bytes[at] === op.FRAME ? 9 : 1;
      }
      this.#memoLength = this.#memoCount = known + goodAdded;
      return goodAt;
    }
    let memoLength = known;
    if (known + goodAdded > memo.length) memo.length = known + goodAdded;
    while (length < total) {
      const code = bytes[at]!;
      if (code === op.SHORT_BINUNICODE) {
        const to = at + 2 + bytes[at + 1]!;
        this.#opcodeStart = base + at;
        list[length++] = memo[memoLength++] = strings.text(at + 2, to);
        at = to + 1;
      } else if (code === op.BINGET) {
        list[length++] = memo[bytes[at + 1]!];
        at += 2;
      } else if (code === op.LONG_BINGET) {
        list[length++] = memo[this.#uint32(at + 1)];
        at += 5;
      } else at += code === op.FRAME ? 9 : 1;
    }
    this.#memoLength = this.#memoCount = memoLength;
    return goodAt;
  }

  /** Puts the texts of lists where the memo has all else. */
  #settleRanges(): void {
    const memo = this.#memo;
    if (memo.length < this.#memoLength) memo.length = this.#memoLength;
    for (const { start, count, list, from } of this.#ranges!) {
      for (let i = 0; i < count; i++) memo[start + i] = list[from + i];
    }
    this.#ranges = undefined;
  }

  /** Whether what an opcode wants is there, be it beyond the frame. */
  #isThere(need: number, start: number): boolean {
    if (need > 0) return this.#end - start >= need;
    let at = start + 1;
    for (this.#needLines = -need; this.#needLines > 0; this.#needLines--) {
      const found = this.#bytes.indexOf(0x0a, at);
      if (found < 0 || found >= this.#end) return false;
      at = found + 1;
    }
    return true;
  }

  /** The opcodes that are rare. Gives 0, or what is wanted: see `#need`. */
  #rare(code: number, limit: number): number {
    // What is made of a list of texts could change it.
    if (this.#ranges !== undefined) this.#settleRanges();
    const bytes = this.#bytes;
    const stack = this.#stack;
    const pos = this.#pos;
    const fence = this.#m > 0 ? this.#marks[this.#m - 1]! : 0;
    switch (code) {
      case 0x49: // INT
      case 0x4c: // LONG
      case 0x46: // FLOAT
      case 0x53: // STRING
      case 0x56: // UNICODE
      case 0x67: // GET
      case 0x70: // PUT
      case 0x50: { // PERSID
        const line = this.#line(pos, limit);
        if (line === undefined) return LINE;
        this.#pos = pos + line.length + 1;
        this.#lineOpcode(code, line, fence);
        return 0;
      }
      case 0x63: // GLOBAL
      case 0x69: { // INST
        const module = this.#line(pos, limit);
        if (module === undefined) return TWO_LINES;
        const name = this.#line(pos + module.length + 1, limit);
        if (name === undefined) return TWO_LINES;
        this.#pos = pos + module.length + name.length + 2;
        const cls = this.#global(
          this.#nameOf(module, code),
          this.#nameOf(name, code),
        );
        if (code === op.GLOBAL) {
          this.#push(cls);
          return 0;
        }
        const mark = this.#popMark();
        const args = Tuple.from(stack.slice(mark, this.#sp));
        this.#sp = mark;
        this.#push(this.#classic(cls, args));
        return 0;
      }
      case 0x8b: { // LONG4
        if (pos + 4 > limit) return 5;
        const size = this.#uint32(pos) | 0;
        if (size < 0) {
          throw new ArgumentFault("bad-length", "a negative length");
        }
        const to = pos + 4 + size;
        if (to > limit) return size + 5;
        this.#checkLength(size);
        this.#push(this.#long(bytes.subarray(pos + 4, to)));
        this.#pos = to;
        return 0;
      }
      case 0x8d: { // BINUNICODE8
        if (pos + 8 > limit) return 9;
        const size = this.#uint64(pos);
        const to = pos + 8 + size;
        if (to > limit) return size + 9;
        this.#checkLength(size);
        this.#push(this.#strings.text(pos + 8, to));
        this.#pos = to;
        return 0;
      }
      case 0x55: // SHORT_BINSTRING
      case 0x54: { // BINSTRING
        const width = code === op.BINSTRING ? 4 : 1;
        if (pos + width > limit) return 1 + width;
        const size = width === 1 ? bytes[pos]! : this.#uint32(pos) | 0;
        if (size < 0) {
          throw new ArgumentFault("bad-length", "a negative length");
        }
        const to = pos + width + size;
        if (to > limit) return size + 1 + width;
        this.#checkLength(size);
        this.#push(decodePython2String(bytes.subarray(pos + width, to), {
          encoding: this.#encoding,
          errors: this.#errors,
        }));
        this.#pos = to;
        return 0;
      }
      case 0x43: // SHORT_BINBYTES
      case 0x42: // BINBYTES
      case 0x8e: // BINBYTES8
      case 0x96: { // BYTEARRAY8
        const width = code === op.SHORT_BINBYTES
          ? 1
          : code === op.BINBYTES
          ? 4
          : 8;
        if (pos + width > limit) return 1 + width;
        const size = width === 1
          ? bytes[pos]!
          : width === 4
          ? this.#uint32(pos)
          : this.#uint64(pos);
        const to = pos + width + size;
        if (to > limit) return size + 1 + width;
        this.#checkLength(size);
        const from = pos + width;
        const isShared = size >= BORROWED && !this.#copies &&
          (this.#isBorrowed() ||
            code !== op.BYTEARRAY8 && this.#mayLookInto(size));
        this.#push(
          code === op.BYTEARRAY8
            ? isShared
              ? new ByteArray(
                bytes.buffer as ArrayBuffer,
                bytes.byteOffset + from,
                size,
              )
              : new ByteArray(bytes.subarray(from, to))
            : isShared
            ? bytes.subarray(from, to)
            : this.#copy(from, to),
        );
        this.#pos = to;
        return 0;
      }

      case 0x30: // POP
        if (this.#sp > fence) {
          this.#sp--;
          if (this.#sp > fence) this.#noteSetter(stack[this.#sp]);
        } else if (this.#m > 0) this.#popMark();
        else throw this.#noItem(0);
        return 0;
      case 0x31: // POP_MARK
        this.#sp = this.#popMark();
        return 0;
      case 0x32: // DUP
        this.#want(1, fence);
        this.#push(stack[this.#sp - 1]);
        return 0;

      case 0x61: { // APPEND
        this.#want(2, fence);
        const item = stack[--this.#sp];
        const target = stack[this.#sp - 1];
        if (isList(target)) {
          target.push(item);
          this.#count(1);
          if (this.#items && this.#sp === 1 && this.#m === 0) {
            this.#stream(target);
          }
        } else stack[this.#sp - 1] = this.#append(target, [item]);
        return 0;
      }
      case 0x73: { // SETITEM
        this.#want(3, fence);
        this.#sp -= 2;
        const target = this.#setItems(
          stack[this.#sp - 1],
          [stack[this.#sp], stack[this.#sp + 1]],
        );
        stack[this.#sp - 1] = target;
        if (this.#items && this.#sp === 1 && this.#m === 0) {
          if (isPlainDict(target) || target instanceof PyDict) {
            this.#stream(target);
          }
        }
        return 0;
      }
      case 0x6c: { // LIST
        const mark = this.#popMark();
        const list = stack.slice(mark, this.#sp);
        this.#count(list.length);
        this.#sp = mark;
        this.#push(list);
        return 0;
      }
      case 0x64: { // DICT
        const mark = this.#popMark();
        const flat = stack.slice(mark, this.#sp);
        if (flat.length % 2 !== 0) {
          throw this.#error("odd-items", "a key of a dict has no value");
        }
        this.#sp = mark;
        this.#push(
          this.#setItems(this.#asMaps ? new PyDict() : {}, flat, true),
        );
        return 0;
      }
      case 0x8f: // EMPTY_SET
        this.#push(new PySet());
        return 0;
      case 0x90: { // ADDITEMS
        const mark = this.#popMark();
        const items = stack.slice(mark, this.#sp);
        this.#sp = mark;
        if (mark - 1 < (this.#m > 0 ? this.#marks[this.#m - 1]! : 0)) {
          throw this.#noItem(this.#m);
        }
        const target = stack[mark - 1];
        this.#addItems(target, items);
        return 0;
      }
      case 0x91: { // FROZENSET
        const mark = this.#popMark();
        const set = new FrozenSet();
        PySet.addItems(set, stack.slice(mark, this.#sp), this.#keyMaker());
        this.#count(this.#sp - mark);
        this.#sp = mark;
        this.#push(set);
        return 0;
      }

      case 0x93: { // STACK_GLOBAL
        this.#want(2, fence);
        const name = stack[--this.#sp];
        const module = stack[--this.#sp];
        if (typeof name !== "string" || typeof module !== "string") {
          throw this.#error("bad-global", "the name of a class is no string");
        }
        if (name === "" || module === "") {
          throw this.#error("bad-global", "the name of a class is empty");
        }
        this.#push(this.#global(module, name));
        return 0;
      }
      case 0x52: { // REDUCE
        this.#want(2, fence);
        const args = stack[--this.#sp];
        const callable = stack[--this.#sp];
        if (!(args instanceof Tuple)) {
          throw this.#error("bad-args", "the arguments of a call are no tuple");
        }
        this.#push(
          this.#call(callable, args, { via: "reduce", kwargs: undefined }),
        );
        return 0;
      }
      case 0x81: { // NEWOBJ
        this.#want(2, fence);
        const args = stack[--this.#sp];
        const cls = stack[--this.#sp];
        this.#push(this.#new(cls, args, undefined));
        return 0;
      }
      case 0x92: { // NEWOBJ_EX
        this.#want(3, fence);
        const kwargs = stack[--this.#sp];
        const args = stack[--this.#sp];
        const cls = stack[--this.#sp];
        if (!isPlainDict(kwargs) && !(kwargs instanceof PyDict)) {
          throw this.#error("bad-args", "arguments by name are no dict");
        }
        this.#push(this.#new(cls, args, kwargs));
        return 0;
      }
      case 0x6f: { // OBJ
        const mark = this.#popMark();
        if (this.#sp - mark < 1) throw this.#noItem(this.#m);
        const args = Tuple.from(stack.slice(mark + 1, this.#sp));
        const cls = stack[mark];
        this.#sp = mark;
        this.#push(this.#classic(cls, args));
        return 0;
      }
      case 0x62: { // BUILD
        this.#want(2, fence);
        const state = stack[--this.#sp];
        const type = this.#build(stack[this.#sp - 1], state);
        return type?.inline === undefined ? 0 : this.#inline(type);
      }

      case 0x51: { // BINPERSID
        this.#want(1, fence);
        this.#push(this.#persistent(stack[--this.#sp]));
        return 0;
      }
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: { // EXT4
        const width = code === op.EXT1 ? 1 : code === op.EXT2 ? 2 : 4;
        if (pos + width > limit) return 1 + width;
        const number = width === 4
          ? this.#uint32(pos) | 0
          : width === 2
          ? bytes[pos]! | bytes[pos + 1]! << 8
          : bytes[pos]!;
        this.#pos = pos + width;
        if (number <= 0) {
          throw this.#error("bad-ext", "an extension code must be above 0");
        }
        const name = this.#extensions.get(number);
        if (name === undefined) {
          this.#push(new Extension(number));
          return 0;
        }
        const dot = name.lastIndexOf(".");
        this.#push(this.#global(name.slice(0, dot), name.slice(dot + 1)));
        return 0;
      }
      case 0x97: { // NEXT_BUFFER
        const next = this.#buffers?.next();
        if (next === undefined || next.done) {
          throw this.#error(
            "no-buffers",
            "the pickle wants an out-of-band buffer; give them as buffers",
          );
        }
        this.#push(next.value);
        return 0;
      }
      case 0x98: { // READONLY_BUFFER
        this.#want(1, fence);
        const buffer = stack[this.#sp - 1];
        if (!ArrayBuffer.isView(buffer)) {
          throw this.#badTarget(buffer, "be a read-only buffer");
        }
        stack[this.#sp - 1] = new Uint8Array(
          buffer.buffer,
          buffer.byteOffset,
          buffer.byteLength,
        );
        return 0;
      }
      default:
        throw this.#error(
          "bad-opcode",
          `byte 0x${code.toString(16).padStart(2, "0")} is no opcode`,
        );
    }
  }

  #lineOpcode(code: number, line: Uint8Array, fence: number): void {
    const intDigits = this.#limits.intDigits;
    switch (code) {
      case 0x49: // INT
        this.#push(parseIntLine(line, intDigits));
        return;
      case 0x4c: // LONG
        this.#push(parseLongLine(line, intDigits));
        return;
      case 0x46: { // FLOAT
        const value = parseFloatText(line);
        this.#push(
          this.#exactFloats && Number.isInteger(value)
            ? new Float(value)
            : value,
        );
        return;
      }
      case 0x53: { // STRING
        const quote = line[0];
        if (
          line.length < 2 || (quote !== 0x22 && quote !== 0x27) ||
          line.at(-1) !== quote
        ) {
          throw new ArgumentFault("bad-string", "a string is not quoted");
        }
        this.#push(decodePython2String(decodeEscapes(line.subarray(1, -1)), {
          encoding: this.#encoding,
          errors: this.#errors,
        }));
        return;
      }
      case 0x56: // UNICODE
        this.#push(decodeRawUnicodeEscape(line));
        return;
      case 0x67: { // GET
        const index = this.#index(line);
        this.#push(this.#get(index));
        return;
      }
      case 0x70: { // PUT
        this.#want(1, fence);
        const index = this.#index(line);
        if (index < 0) {
          throw new ArgumentFault("bad-number", "a memo index is negative");
        }
        this.#put(index, this.#stack[this.#sp - 1]);
        return;
      }
      case 0x50: { // PERSID
        for (const byte of line) {
          if (byte >= 0x80) {
            throw new ArgumentFault(
              "bad-string",
              "a persistent id of protocol 0 is not ASCII",
            );
          }
        }
        this.#push(this.#persistent(decodeLatin1(line)));
        return;
      }
    }
  }

  // Arguments.

  #uint32(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
      bytes[at + 3]! << 24) >>> 0;
  }

  /** Above 2^53 it is rounded: nothing is that long. */
  #uint64(at: number): number {
    return this.#uint32(at) + this.#uint32(at + 4) * 0x1_0000_0000;
  }

  /** A line within the frame, without its end; undefined where it has none. */
  #line(from: number, limit: number): Uint8Array | undefined {
    const found = this.#bytes.indexOf(0x0a, from);
    if (found < 0 || found >= limit) return undefined;
    this.#checkLength(found - from);
    return this.#bytes.subarray(from, found);
  }

  #checkLength(length: number): void {
    if (length > this.#limits.argumentLength) {
      throw new LimitError("argumentLength", this.#limits.argumentLength);
    }
  }

  #index(line: Uint8Array): number {
    const text = decodeLatin1(line);
    if (!/^[\t-\r ]*[+-]?\d+(?:_\d+)*[\t-\r ]*$/.test(text)) {
      throw new ArgumentFault("bad-number", "a memo index is no integer");
    }
    const index = Number(text.replaceAll("_", ""));
    if (!Number.isSafeInteger(index)) {
      throw new ArgumentFault("bad-number", "a memo index is too large");
    }
    return index;
  }

  #long(bytes: Uint8Array): number | bigint {
    try {
      return readLong(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new LimitError("argumentLength", this.#limits.argumentLength, {
        cause: error,
      });
    }
  }

  #nameOf(line: Uint8Array, code: number): string {
    if (line.length === 0) {
      throw new ArgumentFault("bad-global", "the name of a class is empty");
    }
    if (code === op.INST && line.some((byte) => byte >= 0x80)) {
      throw new ArgumentFault("bad-global", "the name of a class is not ASCII");
    }
    try {
      // Unlike other strings, names are strict UTF-8 to CPython.
      if (!hasSurrogateBytes(line)) return decodeUtf8(line);
    } catch {
      // Told below.
    }
    throw new ArgumentFault("bad-global", "the name of a class is not UTF-8");
  }

  /** Whether what is being made looks at bytes where they lie. */
  #isBorrowed(): boolean {
    if (this.#m === 0) return false;
    const owner = this.#stack[this.#marks[this.#m - 1]! - 1];
    const type = owner instanceof Global
      ? typeByName(String(owner))
      : this.#typeOf(owner);
    return type?.borrows === true;
  }

  /** Whether bytes are so large a part of a whole input that a copy is waste. */
  #mayLookInto(size: number): boolean {
    return this.#isWhole && size >= BORROWED_ALONE &&
      size * BORROWED_SHARE >= this.#bytes.length &&
      this.#bytes.buffer instanceof ArrayBuffer;
  }

  /** Bytes of their own: a view only of what is nobody else's, and mostly it. */
  #copy(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#owned && (to - from) * 2 > this.#bytes.length
      ? this.#bytes.subarray(from, to) as Uint8Array<ArrayBuffer>
      : this.#bytes.slice(from, to) as Uint8Array<ArrayBuffer>;
  }

  // Stack and memo.

  #push(value: unknown): void {
    this.#stack[this.#sp++] = value;
  }

  #want(count: number, fence: number): void {
    if (this.#sp - count < fence) throw this.#noItem(this.#m);
  }

  #noItem(marks: number): UnpicklingError {
    return marks > 0
      ? this.#error("unexpected-mark", "a mark stands where a value must be")
      : this.#error("stack-underflow", "the stack has too few values");
  }

  #popMark(): number {
    if (this.#m === 0) throw this.#error("no-mark", "there is no mark");
    const mark = this.#marks[--this.#m]!;
    if (this.#late[this.#m] !== 0) this.#settle(this.#m);
    return mark;
  }

  #growMarks(used: number): void {
    if (used >= this.#limits.depth) {
      throw new LimitError("depth", this.#limits.depth);
    }
    const marks = new Int32Array(used * 2);
    marks.set(this.#marks);
    this.#marks = marks;
    const late = new Int32Array(used * 2);
    late.set(this.#late);
    this.#late = late;
  }

  /** Makes what is late below a mark. */
  #settle(level: number): void {
    const state = this.#late[level]!;
    this.#late[level] = 0;
    const value = (state & 3) === LATE_LIST
      ? []
      : this.#asMaps
      ? new PyDict()
      : {};
    this.#stack[this.#marks[level]! - 1] = value;
    if (this.#memo[state >> 2] === LATE) this.#memo[state >> 2] = value;
  }

  #get(index: number): unknown {
    if (this.#ranges !== undefined) this.#settleRanges();
    let value = index >= 0 && index < this.#memoLength
      ? this.#memo[index]
      : this.#sparse?.has(index)
      ? this.#sparse.get(index)
      : MISSING;
    if (value === LATE) {
      const floor = Math.min(this.#lateFloor, this.#m);
      for (let level = floor; level < this.#m; level++) {
        if (this.#late[level] !== 0) this.#settle(level);
      }
      this.#lateFloor = this.#m;
      value = this.#memo[index];
    }
    if (value === MISSING) {
      throw this.#error(
        "memo-missing",
        `the memo has no value at index ${index}`,
      );
    }
    if (value === EVICTED) {
      throw this.#error(
        "not-streamable",
        "a value is referred to that was let go; raise limits.memo, or load the pickle as a whole",
      );
    }
    this.#fetched?.add(index);
    if (this.#forward !== undefined && typeof value === "object") {
      return this.#latest(value as object);
    }
    return value;
  }

  #put(index: number, value: unknown): void {
    if (this.#ranges !== undefined) this.#settleRanges();
    if (index < this.#memoLength) {
      if (this.#memo[index] === MISSING) this.#memoCount++;
      this.#memo[index] = value;
    } else if (index <= this.#memoLength * 2 + 1024 && !this.#sparse) {
      while (this.#memoLength < index) this.#memo[this.#memoLength++] = MISSING;
      this.#memo[this.#memoLength++] = value;
      this.#memoCount++;
    } else {
      this.#sparse ??= new Map();
      if (!this.#sparse.has(index)) this.#memoCount++;
      this.#sparse.set(index, value);
    }
    const limit = this.#limits.memo;
    if (this.#items) {
      if (this.#memoCount - this.#evicted > limit) this.#evict(limit);
    } else if (this.#memoCount > limit) throw new LimitError("memo", limit);
  }

  /** Lets the older half of what nobody has asked for go. */
  #evict(limit: number): void {
    const until = this.#memoLength - Math.floor(limit / 2);
    for (let i = 0; i < until; i++) {
      const value = this.#memo[i];
      if (value === MISSING || value === EVICTED || this.#fetched!.has(i)) {
        continue;
      }
      this.#memo[i] = EVICTED;
      this.#evicted++;
    }
  }

  /** Tuples cannot change while a pickle is read: their keys are kept. */
  #keyMaker(): KeyMaker {
    this.#keys.remember();
    return this.#keys;
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > this.#limits.values) {
      throw new LimitError("values", this.#limits.values);
    }
  }

  // Values.

  #badTarget(target: unknown, what: string): UnpicklingError {
    return this.#error("bad-target", `a ${typeName(target)} cannot ${what}`);
  }

  #typeOf(value: unknown): PyType | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    return this.#handled?.get(value) ?? typeOf(value);
  }

  /** What has become of a value that had to be replaced. */
  #latest(value: object): object {
    const now = this.#forward?.get(value) ?? value;
    return now instanceof GrowingByteArray ? now.now : now;
  }

  #addItems(target: unknown, items: unknown[]): void {
    if (items.length === 0) return;
    if (target instanceof PySet && !(target instanceof FrozenSet)) {
      this.#count(items.length);
      PySet.addItems(target, items, this.#keyMaker());
      return;
    }
    // These have `append`, and no `add`.
    const isSequence = Array.isArray(target) || ArrayBuffer.isView(target) ||
      target instanceof PyArray || target instanceof UserList;
    if (isSequence) throw this.#badTarget(target, "add");
    this.#append(target, items);
  }

  /** Gives the target, which may have become another. */
  #append(target: unknown, items: unknown[]): unknown {
    // CPython's C unpickler does not look at what gets nothing.
    if (items.length === 0) return target;
    this.#count(items.length);
    if (target instanceof ByteArray) return this.#appendBytes(target, items);
    const type = target instanceof PySet ? undefined : this.#typeOf(target);
    if (type?.append !== undefined) {
      if (type.append(target, items) !== false) return target;
    } else if (target instanceof PyObject) {
      const list = target.items ??= [];
      for (const item of items) list.push(item);
      return target;
    } else if (isList(target)) {
      for (const item of items) target.push(item);
      return target;
    }
    throw this.#badTarget(target, "append");
  }

  #appendBytes(target: ByteArray, items: unknown[]): ByteArray {
    const forward = this.#forward ??= new Map();
    let growing = forward.get(target);
    if (!(growing instanceof GrowingByteArray)) {
      forward.set(target, growing = new GrowingByteArray(target));
    }
    if (!growing.append(items)) throw this.#badTarget(target, "append that");
    forward.set(growing.now, growing);
    return growing.now;
  }

  /** Gives the dict, which may have become a PyDict. */
  #setItems(target: unknown, flat: unknown[], fresh = false): unknown {
    if (flat.length === 0) return target;
    this.#count(flat.length / 2);
    if (isPlainDict(target)) {
      const forwarded = this.#forward?.get(target);
      if (forwarded instanceof PyDict) {
        forwarded.addFlat(flat, this.#keyMaker());
        return forwarded;
      }
      for (let i = 0; i < flat.length; i += 2) {
        if (typeof flat[i] !== "string") {
          return this.#promote(target, flat, fresh);
        }
      }
      for (let i = 0; i < flat.length; i += 2) {
        setOwn(target, flat[i] as string, flat[i + 1]);
      }
      return target;
    }
    const type = this.#typeOf(target);
    if (type?.setItems !== undefined) {
      if (type.setItems(target, flat) !== false) return target;
      throw this.#badTarget(target, "take that");
    }
    if (target instanceof PyDict) {
      target.addFlat(flat, this.#keyMaker());
      return target;
    }
    if (target instanceof PyObject) {
      const entries = target.entries ??= [];
      for (let i = 0; i < flat.length; i += 2) {
        entries.push([flat[i], flat[i + 1]]);
      }
      return target;
    }
    if (isList(target)) {
      if (setListItems(target, flat)) return target;
      throw this.#badTarget(target, "take that index");
    }
    if (target instanceof ByteArray) {
      const now = this.#latest(target) as ByteArray;
      if (setByteItems(now, flat)) return now;
      throw this.#badTarget(target, "take that");
    }
    throw this.#badTarget(target, "take items");
  }

  /** A dict that has been seen as a plain object gets a key that is no string. */
  #promote(
    plain: Record<string, unknown>,
    flat: unknown[],
    fresh: boolean,
  ): PyDict {
    const entries: unknown[] = [];
    for (const key of Object.keys(plain)) entries.push(key, plain[key]);
    const dict = PyDict.fromFlat(entries, this.#keyMaker());
    dict.addFlat(flat, this.#keyMaker());
    if (!fresh) (this.#forward ??= new Map()).set(plain, dict);
    return dict;
  }

  /**
   * Puts the PyDicts where the plain objects they come from had got to, and
   * bytearrays where shorter ones had. Done once, when the value is complete.
   */
  #replaceForwarded(): void {
    const forward = this.#forward!;
    const seen = new Set<object>();
    const waiting: object[] = [];
    const visit = (value: unknown): unknown => {
      if (typeof value !== "object" || value === null) return value;
      let now: object = forward.get(value) ?? value;
      if (now instanceof GrowingByteArray) now = now.settle();
      if (!seen.has(now) && !ArrayBuffer.isView(now)) {
        seen.add(now);
        waiting.push(now);
      }
      return now;
    };
    this.#result = visit(this.#result);
    if (this.#keepMemo) {
      for (let i = 0; i < this.#memoLength; i++) {
        this.#memo[i] = visit(this.#memo[i]);
      }
    }
    for (let value = waiting.pop(); value; value = waiting.pop()) {
      if (value instanceof PyDict) {
        // No key can hold a dict, except a tuple that is refused as a key.
        for (const [key, item] of value) {
          const now = visit(item);
          if (now !== item) value.set(key, now);
        }
        continue;
      }
      if (value instanceof PySet) continue;
      const state = attributesOf(value);
      if (state !== undefined) setAttributes(value, visit(state));
      for (const key of Object.keys(value)) {
        const item = (value as Record<string, unknown>)[key];
        const now = visit(item);
        if (now !== item) setOwn(value, key, now);
      }
    }
  }

  #global(module: string, name: string): unknown {
    if (this.#protocol < 3 && this.#fixImports) {
      [module, name] = toPython3Name(module, name);
    }
    const whole = `${module}.${name}`;
    const constant = typeByName(whole)?.value;
    if (constant !== undefined) return constant;
    const key = `${module}\n${name}`;
    this.#globals ??= new Map();
    let global = this.#globals.get(key);
    if (global === undefined) {
      this.#globals.set(key, global = new Global(module, name));
    }
    return global;
  }

  /** INST and OBJ: what Python 2 wrote for instances of old-style classes. */
  #classic(cls: unknown, args: Tuple): unknown {
    const value = this.#call(cls, args, { via: "reduce", kwargs: undefined });
    if (
      value instanceof PyObject && value.class === cls && value.args === args &&
      Object.getPrototypeOf(value) === PyObject.prototype
    ) value.via = "classic";
    return value;
  }

  #new(cls: unknown, args: unknown, kwargs: unknown): unknown {
    if (
      !(cls instanceof Global) && !(cls instanceof PyObject) &&
      !(cls instanceof Extension)
    ) {
      throw this.#error("not-a-type", `a ${typeName(cls)} is no class`);
    }
    if (!(args instanceof Tuple)) {
      throw this.#error("bad-args", "the arguments of a class are no tuple");
    }
    return this.#call(cls, args, { via: "new", kwargs });
  }

  /** What stands for a call: nothing of the pickle's is run. */
  #call(
    callable: unknown,
    args: Tuple,
    { via, kwargs }: { via: "new" | "reduce"; kwargs: unknown },
  ): unknown {
    const inert = (): PyObject =>
      new PyObject(
        callable,
        args,
        kwargs === undefined ? { via } : {
          via,
          kwargs,
        },
      );
    if (callable instanceof Global) {
      const name = String(callable);
      const call = this.#makeCall(name, via, kwargs);
      const handler = this.#handlers?.get(name);
      if (handler?.make !== undefined) {
        const value = handler.make(args, call);
        if (value === undefined) return inert();
        if (typeof value === "object" && value !== null) {
          this.#handled!.set(value, handler);
        }
        return value;
      }
      const value = typeByName(name)?.make?.(args, call);
      return value === undefined ? inert() : value;
    }
    const type = this.#typeOf(callable);
    if (type?.call !== undefined) {
      const call = this.#makeCall("", via, kwargs);
      const value = type.call(callable, args, call);
      return value === undefined ? inert() : value;
    }
    if (callable instanceof PyObject || callable instanceof Extension) {
      return inert();
    }
    throw this.#error(
      "not-callable",
      `a ${typeName(callable)} cannot be called`,
    );
  }

  #makeCall(
    name: string,
    via: "new" | "reduce",
    kwargs: unknown,
  ): MakeCall {
    return {
      name,
      via,
      kwargs,
      construct: (callable, args, options = {}) =>
        this.#call(
          callable,
          args instanceof Tuple ? args : Tuple.from(args) as Tuple,
          { via: options.via ?? "reduce", kwargs: options.kwargs },
        ),
    };
  }

  /** What follows BUILD and is no opcode. Gives 0, or what is wanted. */
  #inline(type: PyType): number {
    const stack = this.#stack;
    const start = this.#pos;
    let at = start;
    let wanted = 0;
    const take = (size: number): Uint8Array | undefined => {
      if (at + size > this.#end) {
        wanted = at + size - start;
        return undefined;
      }
      this.#checkLength(size);
      at += size;
      return size < BORROWED
        ? this.#copy(at - size, at)
        : this.#bytes.subarray(at - size, at);
    };
    const nested = (): [unknown] | undefined => {
      const found = this.#readNested(at);
      if (found === undefined) {
        // How long it is, nobody knows.
        this.#wantsAny = true;
        wanted = (this.#end - start) * 2 + 65_536;
        return undefined;
      }
      at += found.size;
      return [found.value];
    };
    const position = this.#base + start;
    const result = type.inline!(stack[this.#sp - 1], {
      get position() {
        return position + at - start;
      },
      take,
      nested,
    });
    if (result === undefined) {
      // What follows are no opcodes that could be looked over.
      this.#isPatient = false;
      // One more for BUILD itself.
      return 1 + Math.max(1, wanted);
    }
    stack[this.#sp - 1] = result[0];
    this.#pos = at;
    return 0;
  }

  #readNested(at: number): { value: unknown; size: number } | undefined {
    if (this.#nesting >= MAX_NESTING) {
      throw new LimitError("depth", MAX_NESTING);
    }
    let inner = this.#nested;
    if (inner === undefined) {
      const machine = new Unpickler({ ...this.#options, patience: 0 });
      machine.#nesting = this.#nesting + 1;
      inner = this.#nested = { machine, start: this.#base + at, fed: 0 };
    }
    const { machine, start } = inner;
    machine.push(
      this.#bytes.subarray(start + inner.fed - this.#base, this.#end),
    );
    inner.fed = this.#base + this.#end - start;
    if (this.#ended && this.#queue.size === 0) machine.end();
    const value = machine.pull();
    if (value === MORE) {
      if (!machine.#ended) return undefined;
      throw this.#error("truncated", "the pickle ends too early");
    }
    this.#nested = undefined;
    return { value, size: machine.position };
  }

  #build(target: unknown, state: unknown): PyType | undefined {
    const type = this.#typeOf(target);
    if (type?.build !== undefined && type.build(target, state)) return type;
    if (target instanceof PyObject) {
      if (target.state === undefined) target.state = state;
      else (target.moreStates ??= []).push(state);
      return type;
    }
    if (
      typeof target !== "object" || target === null || isPlainDict(target) ||
      isList(target) || target instanceof Tuple || ArrayBuffer.isView(target) ||
      target instanceof Float || (type === undefined &&
        (target instanceof PyDict || target instanceof PySet))
    ) {
      throw this.#error("bad-target", `a ${typeName(target)} takes no state`);
    }
    if (this.#handled?.has(target)) {
      throw this.#error(
        "bad-state",
        "the state fits no property; give globals an entry with build",
      );
    }
    setAttributes(target, state);
    return type;
  }

  /**
   * A call whose result is thrown away, with the object below as its first
   * argument: how Python writes the state setter of `__reduce__`.
   */
  #noteSetter(popped: unknown): void {
    const target = this.#stack[this.#sp - 1];
    if (
      popped instanceof PyObject && target instanceof PyObject &&
      popped.via === "reduce" && popped.args.length === 2 &&
      popped.args[0] === target && target.state === undefined
    ) {
      target.stateSetter = popped.class;
      target.state = popped.args[1];
    }
  }

  #persistent(id: unknown): unknown {
    if (this.#persistentLoad === undefined) {
      throw this.#error(
        "no-persistent-load",
        "the pickle refers to an object outside of it; give persistentLoad",
      );
    }
    return this.#persistentLoad(id);
  }

  // Values in pieces.

  /** Hands the contents of the outermost container over. */
  #stream(container: unknown[] | Record<string, unknown> | PyDict): void {
    if (this.#nextPiece === this.#pieces.length) {
      this.#pieces = [];
      this.#nextPiece = 0;
    }
    if (Array.isArray(container)) {
      for (const item of container) this.#pieces.push(item);
      container.length = 0;
    } else if (container instanceof PyDict) {
      for (const entry of container) this.#pieces.push(entry);
      container.clear();
    } else {
      for (const key of Object.keys(container)) {
        this.#pieces.push([key, container[key]]);
        delete container[key];
      }
    }
    this.#streamed = container;
  }

  /** Whether the pickle that ended was given in pieces. */
  #endItems(): boolean {
    const value = this.#result;
    const streamed = this.#streamed;
    if (streamed !== MISSING && streamed !== value) {
      throw this.#error(
        "not-streamable",
        "the list given in pieces was part of something else; load the pickle as a whole",
      );
    }
    this.#begin();
    return streamed !== MISSING ||
      (isList(value) && value.length === 0) ||
      (isPlainDict(value) && Object.keys(value).length === 0) ||
      (value instanceof PyDict && value.size === 0);
  }
}

function checkEncoding(encoding: string | undefined): Encoding | undefined {
  switch (encoding?.toLowerCase().replaceAll("_", "-")) {
    case undefined:
      return undefined;
    case "ascii":
    case "us-ascii":
      return "ascii";
    case "latin1":
    case "latin-1":
    case "iso-8859-1":
      return "latin1";
    case "utf-8":
    case "utf8":
      return "utf-8";
    case "bytes":
      return "bytes";
  }
  throw new TypeError(
    `encoding must be "ascii", "latin1", "utf-8" or "bytes", not "${encoding}"`,
  );
}

function toMap<K extends string | number, V>(
  entries: ReadonlyMap<K, V> | Readonly<Record<K, V>> | undefined,
  toKey: (key: string) => K,
): ReadonlyMap<K, V> {
  if (entries === undefined) return new Map();
  if (entries instanceof Map) return entries;
  return new Map(
    Object.entries(entries).map(([key, value]) => [toKey(key), value as V]),
  );
}
