/**
 * Values in, pickles out: the machine behind `dumps`, `dump` and
 * `PickleEncoderStream`.
 *
 * What it writes is, byte for byte, what the C pickler of CPython 3.13 writes
 * (`Modules/_pickle.c`): the order in which things are memoised, the batches of
 * 1,000, the frames. Where Python may hold equal strings as two objects,
 * JavaScript cannot, and the second is a reference to the first.
 *
 * Containers that are not finished wait on a stack of their own, so that depth
 * costs memory and nothing else.
 *
 * @module
 */

import { secretInts } from "../bytes/secrets.ts";
import { encodeUtf8, writeUtf8 } from "../bytes/utf8.ts";
import { ByteArray } from "../python/byte_array.ts";
import { Constant } from "../python/constants.ts";
import { PyDict } from "../python/dict.ts";
import { floatRepr } from "../python/float_repr.ts";
import { Float } from "../python/float.ts";
import {
  anyAttributes,
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
} from "../python/object.ts";
import { PickleBuffer } from "../python/pickle_buffer.ts";
import { type Reduced, typeOf } from "../python/registry.ts";
import { FrozenSet, PySet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";
import { type Machine, MORE } from "../streams/machine_stream.ts";
import type { DumpOptions, EncoderStreamOptions } from "./dump_options.ts";
import { toPickle } from "./dump_options.ts";
import { PicklingError, type PicklingErrorCode } from "./errors.ts";
import { intBytes } from "./int_bytes.ts";
import { ObjectMemo } from "./object_memo.ts";
import { toPython2Name } from "./python2_names.ts";
import {
  BYTEARRAY_CLASS,
  BYTES_CLASS,
  callOf,
  ENCODE,
  flatten,
  FreshBytes,
  FreshItems,
  FreshText,
  FROZENSET_CLASS,
  GETATTR,
  isFromBuffer,
  isObject,
  latin1,
  makePlan,
  NO_ARGS,
  NO_STATES,
  type Plan,
  SET_CLASS,
  SINGLE_TYPES,
  TYPE,
} from "./reduction.ts";

/** `BATCHSIZE` of `_pickle.c`. */
const BATCH = 1000;
/** `FRAME_SIZE_TARGET`: a frame that has as much is closed before a value. */
const FRAME_TARGET = 65536;
/** `FRAME_SIZE_MIN`: a smaller one has no header. */
const FRAME_MIN = 4;
const FRAME_HEADER = 9;

/** How much may be written between two looks at the room that is left. */
const SLACK = 4096;
/** Up to here a loop is quicker than the platform's encoder. */
const SHORT_TEXT = 64;
/** Up to here a text is likely to come again. */
const WORD = 12;
/** Objects of more keys are written piece by piece. */
const SMALL_OBJECT = 128;
/** What is kept from one call to the next, at most. */
const KEPT_BYTES = 16 << 20;
const KEPT_TEXTS = 1 << 18;
const SMALL_TABLE = 512;
/** So many texts are forgotten one by one. */
const FEW_TEXTS = 64;
const KEPT_KEYS = 4096;

const NONE = 0x4e;
const NEWTRUE = 0x88;
const NEWFALSE = 0x89;
const MARK = 0x28;
const POP = 0x30;
const POP_MARK = 0x31;
const BUILD = 0x62;
const REDUCE = 0x52;
const NEWOBJ_EX = 0x92;
const INST = 0x69;
const OBJ = 0x6f;
const TUPLE = 0x74;
const TUPLE2 = 0x86;
const MEMOIZE = 0x94;
const BINPERSID = 0x51;

/** What a container on the stack is. */
const LIST = 0;
const SET = 1;
const TUPLE_ITEMS = 2;
const FROZENSET_ITEMS = 3;
const DICT = 4;
const REDUCTION = 5;
const OPCODE = 6;
/** Items that stand on Python's stack one by one. */
const LOOSE_ITEMS = 7;

/** In place of where the memo has it: it has it not, or never finds it. */
const NO_MEMO = -1;
const FRESH = -2;

/** A container that is not finished. */
class Frame {
  kind: number = LIST;
  /** The container, for errors and for the memo. */
  value: unknown = undefined;
  /** Its items; keys and values in turn for a dict. */
  items: unknown[] = [];
  /** Of the item that comes next. */
  index = 0;
  /** After the last item. */
  end = 0;
  /** Where the batch ends. */
  stop = 0;
  /** Whether an item stands alone, without MARK. */
  single = false;
  /** Whether these are a `__reduce__`'s items: other batches, in CPython. */
  loose = false;
  /** Whether keys are those of an object, and lie on the shared stack. */
  named = false;
  /** Where the memo has it, in order of first sight; or one of the above. */
  slot = NO_MEMO;
  plan: Plan | undefined = undefined;
  /** Of its first item: more than 0 on the shared stack. */
  start = 0;
}

/** What a step of a reduction writes, for the path of an error. */
const STEP_NAMES: Record<number, string> = {
  1: ".class",
  2: ".args",
  3: ".kwargs",
  7: ".state",
  8: ".stateSetter",
  9: ".state",
};

/**
 * A key of an object. Records come one after the other, so that the key that
 * followed another the last time nearly always does so again: then nothing has
 * to be looked up.
 */
class Key {
  readonly text: string;
  next: Key;
  /** The run that has it in its memo. */
  run = 0;
  /** Its number in the memo of that run. */
  id = 0;
  hash = 0;
  /** How it is written in protocol 4, four bytes in each; once it was. */
  words: Int32Array | undefined = undefined;
  size = 0;

  constructor(text: string, next: Key | undefined) {
    this.text = text;
    this.next = next ?? this;
  }
}

const FIRST_KEY = new Key("", undefined);
let keys = new Map<string, Key>();
let lastRun = 0;

const encoder = new TextEncoder();
const secrets = secretInts(2);
const SEED = secrets[0]!;
const FACTOR = secrets[1]! | 1;

const arrayPrototype = Array.prototype as object;
const objectPrototype = Object.prototype as object;
const tuplePrototype = Tuple.prototype as object;
const dictPrototype = PyDict.prototype as object;

/** Writes pickles. */
export class Pickler implements Machine<unknown, Uint8Array> {
  #protocol = 4;
  #fixImports = true;
  #bufferCallback: ((buffer: Uint8Array) => unknown) | undefined;
  #persistentId: ((value: unknown) => unknown) | undefined;
  #reduce: ((value: object) => Reduced | Global | undefined) | undefined;
  #tree = false;
  #keepMemo = false;
  /** Whether chunks leave as they fill. */
  #streams = false;
  /** Whether numbers and texts need the long way. */
  #special = false;
  /** Whether somebody made `Object.prototype` enumerable. */
  #polluted = false;
  #textHead = 2;

  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #at = 0;
  /** Where a value must not begin before {@linkcode Pickler.#cross} is asked. */
  #boundary = 0;
  #frameStart = -1;
  /** Whole chunks before what is in `#bytes`. */
  #chunks: Uint8Array[] = [];
  #chunk = 0;
  /** Where in `#bytes` arrays are to be put in, and which. */
  #cuts: { at: number; bytes: Uint8Array }[] = [];

  #frames: Frame[] = [new Frame()];
  #depth = 0;
  #deepest = 0;
  /** When `sharing: "tree"` looks for a cycle the next time. */
  #nextCheck = 1024;
  /** Keys and values of objects that wait. */
  #fields: unknown[] = [];
  #fieldCount = 0;

  /** Number of entries of the memo. */
  #memo = 0;
  readonly #objects = new ObjectMemo();
  /** Whether values may change while they are written, or between. */
  #changing = false;

  /**
   * Texts by hash: a byte of the hash to look at first, 0 where there is none,
   * so that a text that is new touches little memory; then their numbers.
   */
  #tags: Uint8Array<ArrayBuffer> = new Uint8Array(SMALL_TABLE);
  #numbers: Int32Array<ArrayBuffer> = new Int32Array(SMALL_TABLE);
  #tableMask: number = SMALL_TABLE - 1;
  /** Where the table grows. */
  #textLimit: number = SMALL_TABLE / 2;
  #textCount = 0;
  /** Where in the table the first are. */
  readonly #textPlaces: Int32Array<ArrayBuffer> = new Int32Array(FEW_TEXTS + 1);
  /**
   * Numbers of the texts met last, by their first and last character; of
   * earlier calls too, which does no harm.
   */
  readonly #recent: Int32Array<ArrayBuffer> = new Int32Array(256);
  #texts: string[] = [""];
  #hashes: Int32Array<ArrayBuffer> = new Int32Array(SMALL_TABLE / 2 + 1);
  #textIds: Int32Array<ArrayBuffer> = new Int32Array(SMALL_TABLE / 2 + 1);
  readonly #smallTags: Uint8Array<ArrayBuffer> = this.#tags;
  readonly #smallNumbers: Int32Array<ArrayBuffer> = this.#numbers;
  /** Greater tables of earlier calls. */
  #kept: { tags: Uint8Array<ArrayBuffer>; numbers: Int32Array<ArrayBuffer> }[] =
    [];
  /** Where the text goes that was not found. */
  #free = 0;
  /** Hash of the text that was entered last. */
  #lastHash = 0;
  /** Number in the memo of the text written last. */
  #lastText = 0;
  #longTexts = new Map<string, number>();
  #run = 0;
  #cursor: Key = FIRST_KEY;
  #keyMisses = 0;

  #globals = new Map<string, number>();
  /** By their one byte; -1: the empty bytes. */
  #tinyBytes = new Map<number, Uint8Array>();
  /** Values whose persistent ids are being written. */
  #named = new Set<unknown>();
  /** Buffers that stayed in the pickle. */
  #inBand = new Set<PickleBuffer>();
  /** Where tuples and reductions were met while they were being written. */
  #reentered = new Map<number, number>();
  /** Number of the object met last, in order of first sight; -1: no memo. */
  #slot = -1;
  /** Number in the memo of the class or function written last. */
  #lastGlobal = 0;
  /** Reductions that are being written and may come again. */
  #pending = new Map<object, Plan>();

  #state: "idle" | "writing" | "written" = "idle";

  /**
   * Makes one.
   *
   * @param options What is asked for.
   */
  constructor(options: EncoderStreamOptions = {}) {
    this.#bytes = new Uint8Array(2 * FRAME_TARGET + SLACK);
    this.#view = new DataView(this.#bytes.buffer);
    this.configure(options);
    this.#keepMemo = options.keepMemo ?? false;
    this.#streams = true;
    this.#changing = true;
  }

  /**
   * Sets options.
   *
   * @param options What is asked for.
   */
  configure(options: DumpOptions): void {
    const callback = options.bufferCallback ?? undefined;
    let protocol = options.protocol ?? (callback === undefined ? 4 : 5);
    if (protocol < 0) protocol = 5;
    if (!(protocol <= 5 && Number.isInteger(protocol))) {
      throw new PicklingError(`there is no protocol ${protocol}; take 0 to 5`, {
        code: "unsupported-protocol",
        path: "$",
      });
    }
    if (callback !== undefined && protocol < 5) {
      throw new PicklingError("bufferCallback needs protocol 5", {
        code: "unsupported-protocol",
        path: "$",
      });
    }
    this.#protocol = protocol;
    this.#fixImports = options.fixImports ?? true;
    this.#bufferCallback = callback;
    this.#persistentId = options.persistentId;
    this.#reduce = options.reduce;
    this.#tree = options.sharing === "tree";
    this.#special = protocol < 2 || options.persistentId !== undefined;
    this.#textHead = protocol >= 4 ? 2 : 5;
    this.#streams = false;
    this.#keepMemo = false;
    this.#changing = options.persistentId !== undefined ||
      options.reduce !== undefined || callback !== undefined;
  }

  /**
   * Writes a whole pickle at once.
   *
   * @param value The value.
   * @returns Its pickle.
   */
  dumps(value: unknown): Uint8Array<ArrayBuffer> {
    try {
      this.#begin(value);
      this.#work();
      return this.#join();
    } finally {
      if (this.#chunks.length > 0) this.#chunks = [];
      this.#reset();
    }
  }

  push(value: unknown): void {
    this.#begin(value);
    this.#state = "writing";
  }

  end(): void {
    this.#reset();
  }

  pull(): Uint8Array | typeof MORE {
    for (;;) {
      if (this.#chunk < this.#chunks.length) {
        const chunk = this.#chunks[this.#chunk++]!;
        if (this.#chunk === this.#chunks.length) {
          this.#chunks = [];
          this.#chunk = 0;
        }
        return chunk;
      }
      if (this.#state === "idle") return MORE;
      if (this.#state === "writing") {
        try {
          if (!this.#work()) continue;
          this.#flush(this.#at);
          this.#at = 0;
        } catch (error) {
          this.#chunks = [];
          this.#chunk = 0;
          this.#reset();
          this.#state = "idle";
          throw error;
        }
        this.#state = "idle";
        if (!this.#keepMemo) this.#reset();
      }
    }
  }

  #begin(value: unknown): void {
    this.#polluted = false;
    for (const _ in Object.prototype) this.#polluted = true;
    if (!this.#keepMemo || this.#run === 0) this.#run = ++lastRun;
    this.#at = 0;
    this.#boundary = 0;
    this.#frameStart = -1;
    this.#nextCheck = 1024;
    const bytes = this.#bytes;
    if (this.#protocol >= 2) {
      bytes[0] = 0x80;
      bytes[1] = this.#protocol;
      this.#at = 2;
    }
    this.#open(this.#at);
    if (this.#protocol >= 4) this.#at += FRAME_HEADER;
    const frame = this.#frames[0]!;
    frame.kind = OPCODE;
    frame.index = 0;
    frame.value = value;
    this.#depth = 0;
  }

  /** Begins a frame or, below protocol 4, what is looked at as one. */
  #open(at: number): void {
    if (this.#protocol >= 4) {
      this.#frameStart = at;
      this.#boundary = at + FRAME_HEADER + FRAME_TARGET;
    } else if (this.#streams) {
      this.#boundary = FRAME_TARGET;
    } else {
      this.#boundary = Math.max(at + FRAME_TARGET, this.#bytes.length - SLACK);
    }
    if (this.#boundary + SLACK > this.#bytes.length) {
      this.#grow(at, this.#boundary + SLACK);
    }
  }

  /** Makes room in `#bytes`, of which the first `at` are in use. */
  #grow(at: number, needed: number): void {
    const more = Math.min(this.#bytes.length * 2, KEPT_BYTES);
    const grown = new Uint8Array(Math.max(needed, this.#streams ? 0 : more));
    grown.set(this.#bytes.subarray(0, at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** What a value does that begins at or after the boundary. */
  #cross(at: number): number {
    if (this.#protocol >= 4) at = this.#commit(at);
    if (this.#streams) {
      this.#flush(at);
      at = 0;
    } else if (at + 2 * FRAME_TARGET > KEPT_BYTES) {
      this.#spill(at);
      at = 0;
    }
    this.#open(at);
    return this.#protocol >= 4 ? at + FRAME_HEADER : at;
  }

  /** Ends a frame: `_Pickler_CommitFrame`. */
  #commit(at: number): number {
    const start = this.#frameStart;
    if (start < 0) return at;
    this.#frameStart = -1;
    const length = at - start - FRAME_HEADER;
    const bytes = this.#bytes;
    if (length < FRAME_MIN) {
      bytes.copyWithin(start, start + FRAME_HEADER, at);
      return at - FRAME_HEADER;
    }
    bytes[start] = 0x95;
    this.#view.setUint32(start + 1, length, true);
    this.#view.setUint32(start + 5, Math.floor(length / 0x1_0000_0000), true);
    return at;
  }

  /** Hands out what has been written, in streams. */
  #flush(at: number): void {
    if (at > 0) this.#chunks.push(this.#bytes.slice(0, at));
  }

  /** Puts by what has been written, when there is much of it. */
  #spill(at: number): void {
    let from = 0;
    for (const cut of this.#cuts) {
      if (cut.at > from) this.#chunks.push(this.#bytes.slice(from, cut.at));
      this.#chunks.push(cut.bytes);
      from = cut.at;
    }
    if (at > from) this.#chunks.push(this.#bytes.slice(from, at));
    this.#cuts = [];
  }

  /** The whole pickle. */
  #join(): Uint8Array<ArrayBuffer> {
    const at = this.#at;
    if (this.#chunks.length === 0 && this.#cuts.length === 0) {
      return this.#bytes.slice(0, at);
    }
    let size = at;
    for (const chunk of this.#chunks) size += chunk.length;
    for (const cut of this.#cuts) size += cut.bytes.length;
    const joined = new Uint8Array(size);
    let to = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, to);
      to += chunk.length;
    }
    let from = 0;
    for (const cut of this.#cuts) {
      joined.set(this.#bytes.subarray(from, cut.at), to);
      to += cut.at - from;
      joined.set(cut.bytes, to);
      to += cut.bytes.length;
      from = cut.at;
    }
    joined.set(this.#bytes.subarray(from, at), to);
    return joined;
  }

  /** Forgets the values; what costs time to make is kept. */
  #reset(): void {
    if (this.#cuts.length > 0) this.#cuts = [];
    if (this.#bytes.length > KEPT_BYTES) {
      this.#bytes = new Uint8Array(2 * FRAME_TARGET + SLACK);
      this.#view = new DataView(this.#bytes.buffer);
    }
    const fields = this.#fields;
    if (fields.length > 256) this.#fields = [];
    else for (let i = 0; i < fields.length; i++) fields[i] = undefined;
    this.#fieldCount = 0;
    const frames = this.#frames;
    if (this.#deepest > 64) {
      this.#frames = frames.slice(0, 1);
      this.#frames[0]!.value = undefined;
    } else {
      for (let i = 0; i <= this.#deepest; i++) {
        const frame = frames[i]!;
        frame.value = undefined;
        frame.items = this.#fields;
        frame.plan = undefined;
      }
    }
    this.#deepest = 0;
    this.#depth = 0;
    this.#memo = 0;
    this.#objects.clear();
    if (this.#textCount > 0) this.#forgetTexts();
    if (this.#longTexts.size > 0) this.#longTexts.clear();
    if (this.#globals.size > 0) this.#globals.clear();
    if (this.#tinyBytes.size > 0) this.#tinyBytes.clear();
    if (this.#pending.size > 0) this.#pending.clear();
    if (this.#inBand.size > 0) this.#inBand.clear();
    if (this.#named.size > 0) this.#named.clear();
    if (this.#reentered.size > 0) this.#reentered.clear();
    if (this.#keyMisses > 0) {
      this.#keyMisses = 0;
      if (keys.size >= KEPT_KEYS) {
        keys = new Map();
        FIRST_KEY.next = FIRST_KEY;
      }
    }
    this.#cursor = FIRST_KEY;
    this.#run = 0;
  }

  /** Writes until a chunk is there (false) or all is done (true). */
  #work(): boolean {
    for (;;) {
      const frame = this.#frames[this.#depth]!;
      switch (frame.kind) {
        case LIST:
        case SET:
        case TUPLE_ITEMS:
        case FROZENSET_ITEMS:
        case LOOSE_ITEMS:
          this.#sequence(frame);
          break;
        case DICT:
          this.#dict(frame);
          break;
        case REDUCTION:
          this.#reduction(frame);
          break;
        default:
          if (this.#depth === 0) {
            if (frame.index++ === 0) {
              this.#value(frame.value);
              break;
            }
            this.#bytes[this.#at++] = 0x2e;
            this.#at = this.#commit(this.#at);
            return true;
          }
          this.#bytes[this.#at++] = frame.index;
          this.#named.delete(frame.value);
          this.#pop();
      }
      if (this.#chunks.length > 0 && this.#streams) return false;
    }
  }

  /** A frame on top of the stack. */
  #push(kind: number, value: unknown): Frame {
    const depth = ++this.#depth;
    if (depth > this.#deepest) {
      this.#deepest = depth;
      if (depth === this.#frames.length) this.#frames.push(new Frame());
    }
    const frame = this.#frames[depth]!;
    frame.kind = kind;
    frame.value = value;
    if (depth >= this.#nextCheck) this.#checkCycle();
    return frame;
  }

  /** Takes the frame on top away. Ends of frames have no boundary: make room. */
  #pop(): void {
    this.#depth--;
    if (this.#at + SLACK > this.#bytes.length) {
      this.#grow(this.#at, this.#at + 2 * SLACK);
    }
  }

  /** A value inside itself; looked for at depths 1024, 2048, 4096 …. */
  #checkCycle(): void {
    this.#nextCheck *= 2;
    const values = new Set<unknown>();
    for (let i = 1; i <= this.#depth; i++) {
      const { kind, value } = this.#frames[i]!;
      if (kind === OPCODE || typeof value !== "object") continue;
      // The memo finds cycles, except where getters give what is new each time.
      if (!this.#tree && kind !== LIST && kind !== DICT) continue;
      if (values.has(value)) {
        this.#depth = i;
        throw this.#error("circular", "a value is inside itself");
      }
      values.add(value);
    }
  }

  #error(
    code: PicklingErrorCode,
    message: string,
    cause?: unknown,
  ): PicklingError {
    const path = this.#path();
    return new PicklingError(
      `${message} (at ${path.length > 200 ? `…${path.slice(-200)}` : path})`,
      cause === undefined ? { code, path } : { code, path, cause },
    );
  }

  /** Where the value stands that is being written. */
  #path(): string {
    let path = "$";
    for (let i = 1; i <= this.#depth; i++) {
      const frame = this.#frames[i]!;
      const at = frame.index - 1;
      switch (frame.kind) {
        case LIST:
        case TUPLE_ITEMS:
          path += `[${at}]`;
          break;
        case SET:
        case FROZENSET_ITEMS:
          path += `{${at}}`;
          break;
        case DICT: {
          const key = frame.items[at - (at & 1)];
          const text = typeof key === "string"
            ? /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)
              ? `.${key}`
              : `[${JSON.stringify(key.slice(0, 100))}]`
            : typeof key === "object" && key !== null
            ? "[…]"
            : `[${String(key)}]`;
          path += (at & 1) === 0 ? `.keys()${text}` : text;
          break;
        }
        case REDUCTION:
          path += STEP_NAMES[frame.index] ?? "";
          break;
      }
    }
    return path;
  }

  // ------------------------------------------------------------------ atoms

  /**
   * Writes what is no object.
   *
   * @returns Where the next goes; -1: nothing was written, it is an object or
   * needs the long way.
   */
  #atom(value: unknown, at: number): number {
    if (this.#special) return -1;
    if (typeof value === "string") {
      if (at >= this.#boundary) at = this.#cross(at);
      return this.#tree ? this.#plainText(value, at) : this.#text(value, at);
    }
    if (typeof value === "number") {
      if (at >= this.#boundary) at = this.#cross(at);
      return this.#number(value, at);
    }
    const code = value === null
      ? NONE
      : value === true
      ? NEWTRUE
      : value === false
      ? NEWFALSE
      : -1;
    if (code < 0) return -1;
    if (at >= this.#boundary) at = this.#cross(at);
    this.#bytes[at] = code;
    return at + 1;
  }

  #number(value: number, at: number): number {
    const bytes = this.#bytes;
    const int = value | 0;
    if (int === value && (int !== 0 || 1 / value > 0)) {
      // -1 where it takes more than one byte, more than two. Sizes come at
      // random, and a wrong guess at a branch costs more than all of this.
      const two = ((0xff - int) | int) >> 31;
      const four = ((0xffff - int) | int) >> 31;
      bytes[at] = 0x4b + (two & 2) - (four & 3);
      this.#view.setInt32(at + 1, int, true);
      return at + 2 - two - four * 2;
    }
    if (Number.isSafeInteger(value) && int !== value) {
      return this.#wideInt(value, at);
    }
    bytes[at] = 0x47;
    if (value === value) this.#view.setFloat64(at + 1, value);
    else this.#view.setFloat64(at + 1, NaN);
    return at + 9;
  }

  /** LONG1 of an integer beyond 32 bits. */
  #wideInt(value: number, at: number): number {
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setUint32(at + 2, value - high * 0x1_0000_0000, true);
    this.#view.setInt32(at + 6, high, true);
    const size = high >= -0x80 && high < 0x80
      ? 5
      : high >= -0x8000 && high < 0x8000
      ? 6
      : high >= -0x80_0000 && high < 0x80_0000
      ? 7
      : 8;
    this.#bytes[at] = 0x8a;
    this.#bytes[at + 1] = size;
    return at + 2 + size;
  }

  /** A reference to an entry of the memo. */
  #get(id: number, at: number): number {
    const bytes = this.#bytes;
    if (this.#protocol === 0) return this.#line(`g${id}`, at);
    if (id < 256) {
      bytes[at] = 0x68;
      bytes[at + 1] = id;
      return at + 2;
    }
    bytes[at] = 0x6a;
    this.#view.setUint32(at + 1, id, true);
    return at + 5;
  }

  /** The next entry of the memo. */
  #put(at: number): number {
    const id = this.#memo++;
    const bytes = this.#bytes;
    if (this.#protocol >= 4) {
      bytes[at] = MEMOIZE;
      return at + 1;
    }
    if (this.#protocol === 0) return this.#line(`p${id}`, at);
    if (id < 256) {
      bytes[at] = 0x71;
      bytes[at + 1] = id;
      return at + 2;
    }
    bytes[at] = 0x72;
    this.#view.setUint32(at + 1, id, true);
    return at + 5;
  }

  /** ASCII and a newline: protocol 0. */
  #line(text: string, at: number): number {
    const length = text.length;
    if (at + length + SLACK > this.#bytes.length) {
      this.#grow(at, at + length + 2 * SLACK);
    }
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    bytes[at + length] = 0x0a;
    return at + length + 1;
  }

  /** A text, or the reference to one that is in the memo. */
  #text(text: string, at: number): number {
    const length = text.length;
    if (length > SHORT_TEXT) return this.#longText(text, at);
    // A short text that was there a moment ago is found without its hash.
    let recent = 0;
    if (length <= WORD && length > 0) {
      recent = (text.charCodeAt(0) * 5 + text.charCodeAt(length - 1) * 17 +
        length) & 0xff;
      const latest = this.#recent[recent]!;
      if (latest !== 0 && this.#texts[latest] === text) {
        return this.#get(this.#lastText = this.#textIds[latest]!, at);
      }
    }
    const bytes = this.#bytes;
    let end = at + this.#textHead;
    let hash = SEED ^ length;
    let i = 0;
    const view = this.#view;
    for (const last = length - 3; i < last; i += 4) {
      const first = text.charCodeAt(i);
      const second = text.charCodeAt(i + 1);
      const third = text.charCodeAt(i + 2);
      const fourth = text.charCodeAt(i + 3);
      if ((first | second | third | fourth) >= 0x80) break;
      const four = first | second << 8 | third << 16 | fourth << 24;
      hash = Math.imul((hash << 13 | hash >>> 19) ^ four, FACTOR);
      view.setInt32(end, four, true);
      end += 4;
    }
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      hash = Math.imul(hash ^ code, FACTOR);
      if (code < 0x80) {
        bytes[end++] = code;
      } else if (code < 0x800) {
        view.setUint16(end, 0xc080 | (code & 0x7c0) << 2 | (code & 0x3f));
        end += 2;
      } else {
        if ((code & 0xfc00) === 0xd800 && i + 1 < length) {
          const low = text.charCodeAt(i + 1);
          if ((low & 0xfc00) === 0xdc00) {
            hash = Math.imul(hash ^ low, FACTOR);
            i++;
            const point = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
            bytes[end] = 0xf0 | (point >> 18);
            bytes[end + 1] = 0x80 | ((point >> 12) & 0x3f);
            bytes[end + 2] = 0x80 | ((point >> 6) & 0x3f);
            bytes[end + 3] = 0x80 | (point & 0x3f);
            end += 4;
            continue;
          }
        }
        // A fourth byte is written, and written over.
        view.setInt32(
          end,
          0xe0808000 | (code & 0xf000) << 12 | (code & 0xfc0) << 10 |
            (code & 0x3f) << 8,
        );
        end += 3;
      }
    }
    // A multiplication moves what it learns upwards only.
    hash ^= hash >>> 15;
    const number = this.#find(text, hash);
    if (number > 0) {
      this.#recent[recent] = number;
      return this.#get(this.#lastText = this.#textIds[number]!, at);
    }
    // Texts that were chosen to collide: the platform's map knows better.
    if (number < 0) return this.#longText(text, at);
    this.#lastHash = hash;
    this.#recent[recent] = this.#enter(text, hash);
    const size = end - at - this.#textHead;
    if (this.#textHead === 2) {
      bytes[at] = 0x8c;
      bytes[at + 1] = size;
      bytes[end] = MEMOIZE;
      this.#memo++;
      return end + 1;
    }
    bytes[at] = 0x58;
    this.#view.setUint32(at + 1, size, true);
    return this.#put(end);
  }

  /**
   * Looks for a text.
   *
   * @returns Its number; 0: it is not there, and goes to `#free`; -1: there is
   * no telling.
   */
  #find(text: string, hash: number): number {
    const tag = (hash >>> 24) | 1;
    const tags = this.#tags;
    const mask = this.#tableMask;
    let slot = hash & mask;
    for (let left = 64; left > 0; left--) {
      const found = tags[slot];
      if (found === 0) {
        this.#free = slot;
        return 0;
      }
      if (found === tag) {
        const number = this.#numbers[slot]!;
        if (this.#hashes[number] === hash && this.#texts[number] === text) {
          return number;
        }
      }
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Adds the text that {@linkcode Pickler.#find} has not found. */
  #enter(text: string, hash: number): number {
    const number = ++this.#textCount;
    if (number <= FEW_TEXTS) this.#textPlaces[number] = this.#free;
    this.#tags[this.#free] = (hash >>> 24) | 1;
    this.#numbers[this.#free] = number;
    this.#hashes[number] = hash;
    this.#texts[number] = text;
    this.#lastText = this.#textIds[number] = this.#memo;
    if (number === this.#textLimit) this.#growTexts();
    return number;
  }

  /** Makes the table of texts four times as large. */
  #growTexts(): void {
    const size = this.#tags.length * 4;
    const kept = this.#kept.find(({ tags }) => tags.length === size);
    const tags = kept?.tags ?? new Uint8Array(size);
    const numbers = kept?.numbers ?? new Int32Array(size);
    if (kept === undefined && size <= KEPT_TEXTS * 2) {
      this.#kept.push({ tags, numbers });
    }
    const mask = size - 1;
    const count = this.#textCount;
    const hashes = this.#hashes;
    for (let number = 1; number <= count; number++) {
      const hash = hashes[number]!;
      let slot = hash & mask;
      while (tags[slot] !== 0) slot = (slot + 1) & mask;
      tags[slot] = (hash >>> 24) | 1;
      numbers[slot] = number;
    }
    this.#tags.fill(0);
    this.#tags = tags;
    this.#numbers = numbers;
    this.#tableMask = mask;
    this.#textLimit = size / 2;
    if (hashes.length <= size / 2) {
      this.#hashes = new Int32Array(size / 2 + 1);
      this.#hashes.set(hashes);
      const ids = new Int32Array(size / 2 + 1);
      ids.set(this.#textIds);
      this.#textIds = ids;
    }
  }

  #forgetTexts(): void {
    const count = this.#textCount;
    this.#textCount = 0;
    if (count <= FEW_TEXTS) {
      for (let number = 1; number <= count; number++) {
        this.#tags[this.#textPlaces[number]!] = 0;
        this.#texts[number] = "";
      }
      return;
    }
    this.#tags.fill(0);
    if (this.#tags !== this.#smallTags) {
      this.#tags = this.#smallTags;
      this.#numbers = this.#smallNumbers;
      this.#tableMask = SMALL_TABLE - 1;
      this.#textLimit = SMALL_TABLE / 2;
    }
    if (count > KEPT_TEXTS) {
      this.#texts = [""];
      this.#hashes = new Int32Array(SMALL_TABLE / 2 + 1);
      this.#textIds = new Int32Array(SMALL_TABLE / 2 + 1);
    } else {
      this.#texts.fill("", 1, count + 1);
    }
  }

  /** A text too long for the loop. */
  #longText(text: string, at: number): number {
    const id = this.#longTexts.get(text);
    if (id !== undefined) {
      this.#lastText = id;
      return this.#get(id, at);
    }
    this.#longTexts.set(text, this.#memo);
    this.#lastText = this.#memo;
    return this.#put(this.#writeText(text, at));
  }

  /** BINUNICODE and its kin, without a look at the memo. */
  #writeText(text: string, at: number): number {
    const length = text.length;
    if (length * 3 >= FRAME_TARGET) {
      const utf8 = encodeUtf8(text);
      const size = utf8.length;
      if (size > 0xffff_ffff && this.#protocol < 4) {
        throw this.#error("too-large", "text of 4 GiB needs protocol 4");
      }
      const code = size > 0xffff_ffff ? 0x8d : 0x58;
      return this.#block(code, utf8, at);
    }
    const most = at + FRAME_HEADER + length * 3 + SLACK;
    if (most > this.#bytes.length) this.#grow(at, most);
    const bytes = this.#bytes;
    const short = this.#protocol >= 4 && length <= 255;
    const start = at + (short ? 2 : 5);
    let end: number;
    if (length > SHORT_TEXT && text.isWellFormed()) {
      end = start + encoder.encodeInto(text, bytes.subarray(start)).written;
    } else {
      end = writeUtf8(text, bytes, start);
    }
    const size = end - start;
    if (short) {
      if (size <= 255) {
        bytes[at] = 0x8c;
        bytes[at + 1] = size;
        return end;
      }
      bytes.copyWithin(at + 5, start, end);
      end += 3;
    }
    bytes[at] = 0x58;
    this.#view.setUint32(at + 1, size, true);
    return end;
  }

  /**
   * An opcode, the length and bytes. Many bytes go outside of frames:
   * `_Pickler_write_bytes`.
   */
  #block(code: number, data: Uint8Array, at: number): number {
    const size = data.length;
    const big = size >= FRAME_TARGET;
    if (big) {
      if (this.#protocol >= 4) at = this.#commit(at);
    } else if (at + FRAME_HEADER + size + SLACK > this.#bytes.length) {
      this.#grow(at, at + FRAME_HEADER + size + 2 * SLACK);
    }
    const bytes = this.#bytes;
    bytes[at++] = code;
    switch (code) {
      case 0x43:
        bytes[at++] = size;
        break;
      case 0x42:
      case 0x58:
        this.#view.setUint32(at, size, true);
        at += 4;
        break;
      default:
        this.#view.setUint32(at, size, true);
        this.#view.setUint32(at + 4, Math.floor(size / 0x1_0000_0000), true);
        at += 8;
    }
    if (!big) {
      if (size <= 32) {
        for (let i = 0; i < size; i++) bytes[at + i] = data[i]!;
      } else {
        bytes.set(data, at);
      }
      return at + size;
    }
    if (this.#streams) {
      this.#flush(at);
      this.#chunks.push(data.subarray());
      at = 0;
    } else {
      this.#cuts.push({ at, bytes: data });
    }
    this.#open(at);
    return this.#protocol >= 4 ? at + FRAME_HEADER : at;
  }

  /** A short text outside of the memo. */
  #plainText(text: string, at: number): number {
    const length = text.length;
    if (length > SHORT_TEXT) return this.#writeText(text, at);
    const bytes = this.#bytes;
    const start = at + this.#textHead;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return this.#writeText(text, at);
      bytes[start + i] = code;
    }
    if (this.#textHead === 2) {
      bytes[at] = 0x8c;
      bytes[at + 1] = length;
    } else {
      bytes[at] = 0x58;
      this.#view.setUint32(at + 1, length, true);
    }
    return start + length;
  }

  /** A text that has a number in the memo, but is not to be found there. */
  #freshText(text: string, at: number): number {
    if (text.length === 1) {
      // Python has one object each for the first 256 characters.
      this.#at = at;
      this.#save(text);
      return this.#at;
    }
    return this.#put(
      this.#protocol === 0
        ? this.#unicodeLine(text, at)
        : this.#writeText(text, at),
    );
  }

  /** UNICODE: `raw_unicode_escape` of `_pickle.c`. */
  #unicodeLine(text: string, at: number): number {
    const most = at + text.length * 6 + SLACK;
    if (most > this.#bytes.length) this.#grow(at, most);
    const bytes = this.#bytes;
    bytes[at++] = 0x56;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (
        code < 256 && code !== 0x5c && code !== 0 && code !== 0x0a &&
        code !== 0x0d && code !== 0x1a
      ) {
        bytes[at++] = code;
        continue;
      }
      const point = text.codePointAt(i)!;
      let digits: string;
      if (point > 0xffff) {
        i++;
        digits = `\\U${point.toString(16).padStart(8, "0")}`;
      } else {
        digits = `\\u${code.toString(16).padStart(4, "0")}`;
      }
      for (let k = 0; k < digits.length; k++) {
        bytes[at++] = digits.charCodeAt(k);
      }
    }
    bytes[at++] = 0x0a;
    return at;
  }

  /** A float, whatever its value. */
  #float(value: number): void {
    const at = this.#at;
    if (this.#protocol === 0) {
      this.#at = this.#line(`F${floatRepr(value)}`, at);
      return;
    }
    this.#bytes[at] = 0x47;
    // A NaN may have any bits in JavaScript; Python's has these.
    this.#view.setFloat64(at + 1, value === value ? value : NaN);
    this.#at = at + 9;
  }

  #bigint(value: bigint): void {
    if (value >= -0x8000_0000n && value < 0x8000_0000n) {
      this.#save(Number(value));
      return;
    }
    if (this.#protocol < 2) {
      this.#at = this.#line(`L${value}L`, this.#at);
      return;
    }
    const data = intBytes(value);
    const size = data.length;
    let at = this.#at;
    if (at + size + SLACK > this.#bytes.length) {
      this.#grow(at, at + size + 2 * SLACK);
    }
    const bytes = this.#bytes;
    if (size < 256) {
      bytes[at] = 0x8a;
      bytes[at + 1] = size;
      at += 2;
    } else {
      if (size > 0x7fff_ffff) {
        throw this.#error("too-large", "an integer of 2 GiB cannot be pickled");
      }
      bytes[at] = 0x8b;
      this.#view.setUint32(at + 1, size, true);
      at += 5;
    }
    bytes.set(data, at);
    this.#at = at + size;
  }

  // ----------------------------------------------------------------- values

  /** Any value: `save` of `_pickle.c`. */
  #value(value: unknown): void {
    if (this.#at >= this.#boundary) this.#at = this.#cross(this.#at);
    if (this.#persistentId !== undefined) {
      const id = this.#persistentId(value);
      if (id !== undefined && id !== null) return this.#persistent(id, value);
    }
    this.#save(value);
  }

  #persistent(id: unknown, value: unknown): void {
    if (this.#protocol > 0) {
      if (this.#named.has(value)) {
        throw this.#error(
          "circular",
          "a persistent id has its own value in it",
        );
      }
      this.#named.add(value);
      this.#push(OPCODE, value).index = BINPERSID;
      this.#save(id);
      return;
    }
    const text = String(id);
    // deno-lint-ignore no-control-regex
    if (!/^[\x00-\x09\x0b-\x7f]*$/.test(text)) {
      throw this.#error(
        "unsupported-value",
        "persistent ids in protocol 0 must be ASCII without a newline",
      );
    }
    this.#at = this.#line(`P${text}`, this.#at);
  }

  /** As {@linkcode Pickler.#value}, for what is no atom. */
  #child(value: unknown): void {
    if (this.#special || typeof value !== "object") return this.#value(value);
    if (this.#at >= this.#boundary) this.#at = this.#cross(this.#at);
    this.#object(value!);
  }

  #save(value: unknown): void {
    switch (typeof value) {
      case "object":
        if (value !== null) return this.#object(value);
        this.#bytes[this.#at++] = NONE;
        return;
      case "string":
        if (this.#protocol > 0) {
          this.#at = this.#tree
            ? this.#plainText(value, this.#at)
            : this.#text(value, this.#at);
          return;
        }
        return this.#textLine(value);
      case "number":
        return this.#saveNumber(value);
      case "boolean":
        if (this.#protocol < 2) {
          this.#at = this.#line(value ? "I01" : "I00", this.#at);
        } else {
          this.#bytes[this.#at++] = value ? NEWTRUE : NEWFALSE;
        }
        return;
      case "bigint":
        return this.#bigint(value);
      case "undefined":
        throw this.#error(
          "unsupported-value",
          "undefined is nothing in Python; use null, or leave it out",
        );
      case "function":
        throw this.#error(
          "unsupported-value",
          "functions and classes cannot be pickled; name one of Python's with a Global",
        );
      default:
        throw this.#error("unsupported-value", "symbols cannot be pickled");
    }
  }

  #saveNumber(value: number): void {
    if (this.#protocol >= 2) {
      this.#at = this.#number(value, this.#at);
    } else if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.#float(value);
    } else if ((value | 0) !== value) {
      this.#at = this.#line(`L${value}L`, this.#at);
    } else {
      this.#at = this.#protocol === 0
        ? this.#line(`I${value}`, this.#at)
        : this.#number(value, this.#at);
    }
  }

  #textLine(text: string): void {
    const id = this.#longTexts.get(text);
    if (id !== undefined) {
      this.#at = this.#get(id, this.#at);
      return;
    }
    this.#longTexts.set(text, this.#memo);
    this.#at = this.#put(this.#unicodeLine(text, this.#at));
  }

  /**
   * Looks for an object in the memo, and writes the reference where it is
   * there. `#slot` then says where it is in order of first sight.
   */
  #known(value: object): boolean {
    if (this.#tree) {
      this.#slot = NO_MEMO;
      return false;
    }
    const isKnown = this.#objects.see(value);
    this.#slot = this.#objects.slot;
    return isKnown && this.#again();
  }

  /** As {@linkcode Pickler.#known}, for lists and tuples. */
  #knownItems(value: unknown[]): boolean {
    if (this.#tree || this.#changing) return this.#known(value);
    const isKnown = this.#objects.seeItems(value);
    this.#slot = this.#objects.slot;
    return isKnown && this.#again();
  }

  /** As {@linkcode Pickler.#known}, for plain objects. */
  #knownFields(value: Record<string, unknown>): boolean {
    if (this.#tree || this.#changing) return this.#known(value);
    const isKnown = this.#objects.seeFields(value);
    this.#slot = this.#objects.slot;
    return isKnown && this.#again();
  }

  /** An object that has been seen. */
  #again(): boolean {
    const slot = this.#slot;
    const id = this.#objects.ids[slot]!;
    if (id >= 0) {
      this.#at = this.#get(id, this.#at);
      return true;
    }
    // A tuple or a reduction whose items are being written. It is written once
    // more, until an object between the two is found in the memo.
    const count = this.#objects.count;
    if (this.#reentered.get(slot) === count) {
      throw this.#error("circular", "a value is made of itself");
    }
    this.#reentered.set(slot, count);
    return false;
  }

  /** Gives an object the next number of the memo. */
  #remember(slot: number): void {
    if (slot === NO_MEMO) return;
    if (slot >= 0) this.#objects.ids[slot] = this.#memo;
    this.#at = this.#put(this.#at);
  }

  #object(value: object): void {
    // To ask for the prototype is slow, and seldom needed with arrays.
    if (Array.isArray(value) && value.constructor === Array) {
      return this.#list(value);
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype === objectPrototype) {
      this.#record(value as Record<string, unknown>);
    } else if (prototype === arrayPrototype) {
      this.#list(value as unknown[]);
    } else if (prototype === tuplePrototype) {
      this.#tuple(value as Tuple);
    } else if (prototype === dictPrototype) {
      this.#map(value, (value as PyDict).flat() as unknown[]);
    } else if (prototype === null || isForeignObject(prototype)) {
      this.#record(value as Record<string, unknown>);
    } else {
      this.#other(value, prototype);
    }
  }

  /** What BUILD once gave a container that has no place for it. */
  #attributes(value: object): void {
    const state = attributesOf(value);
    if (state === undefined) return;
    const frame = this.#push(REDUCTION, value);
    frame.plan = {
      op: REDUCE,
      callable: undefined,
      args: NO_ARGS,
      fresh: true,
      keep: false,
      kwargs: undefined,
      items: undefined,
      entries: undefined,
      states: [state],
      state: 0,
      setter: undefined,
      id: -1,
    };
    frame.index = 6;
    frame.slot = NO_MEMO;
  }

  #list(value: unknown[]): void {
    if (this.#knownItems(value)) return;
    const slot = this.#slot;
    if (anyAttributes()) this.#attributes(value);
    if (this.#protocol === 0) {
      this.#bytes[this.#at++] = MARK;
      this.#bytes[this.#at++] = 0x6c;
    } else {
      this.#bytes[this.#at++] = 0x5d;
    }
    this.#remember(slot);
    const length = value.length;
    if (length === 0) return;
    if (this.#special) {
      this.#pushItems(LIST, value, value);
      return;
    }
    const single = length === 1;
    if (!single) this.#bytes[this.#at++] = MARK;
    const index = this.#leaves(value, 0, length < BATCH ? length : BATCH);
    if (index === length) {
      this.#bytes[this.#at++] = single ? 0x61 : 0x65;
      return;
    }
    const frame = this.#pushItems(LIST, value, value);
    frame.index = index;
    frame.stop = BATCH;
    frame.single = single;
  }

  /**
   * Writes the items of a container until one of them is no atom, or a chunk
   * has left.
   *
   * @returns Index of the item that comes next.
   */
  #leaves(items: unknown[], from: number, end: number): number {
    let i = from;
    let stop = end;
    const first = items[i];
    if (
      typeof first === "number" && first !== Math.floor(first) && stop - i > 7
    ) {
      i = this.#floats(items as number[], i, stop);
      if (this.#streams && this.#chunks.length > 0) return i;
    }
    let at = this.#at;
    let bytes = this.#bytes;
    let boundary = this.#boundary;
    for (; i < stop; i++) {
      const item = items[i];
      const isText = typeof item === "string";
      if (isText || typeof item === "number") {
        if (at >= boundary) {
          at = this.#cross(at);
          bytes = this.#bytes;
          boundary = this.#boundary;
          if (this.#streams) stop = i + 1;
        }
        if (isText) {
          at = this.#tree ? this.#plainText(item, at) : this.#text(item, at);
          bytes = this.#bytes;
          if (boundary !== this.#boundary) {
            boundary = this.#boundary;
            if (this.#streams) stop = i + 1;
          }
          continue;
        }
        const int = item | 0;
        if (int !== item || int === 0 && 1 / item < 0) {
          at = this.#number(item, at);
          continue;
        }
        // As in `#number`.
        const two = ((0xff - int) | int) >> 31;
        const four = ((0xffff - int) | int) >> 31;
        bytes[at] = 0x4b + (two & 2) - (four & 3);
        this.#view.setInt32(at + 1, int, true);
        at += 2 - two - four * 2;
        continue;
      }
      const code = item === null
        ? NONE
        : item === true
        ? NEWTRUE
        : item === false
        ? NEWFALSE
        : -1;
      if (code < 0) break;
      if (at >= boundary) {
        at = this.#cross(at);
        bytes = this.#bytes;
        boundary = this.#boundary;
        if (this.#streams) stop = i + 1;
      }
      bytes[at++] = code;
    }
    this.#at = at;
    return i;
  }

  /**
   * As {@linkcode Pickler.#leaves}, for what seems to be all floats: the only
   * place that sees such arrays, so that V8 reads them without boxes.
   */
  #floats(items: number[], from: number, stop: number): number {
    let at = this.#at;
    let bytes = this.#bytes;
    let view = this.#view;
    let i = from;
    for (;;) {
      // As many as are there before the next boundary.
      const left = Math.ceil((this.#boundary - at) / 9);
      const end = stop - i < left ? stop : i + left;
      for (; i < end; i++) {
        const item = items[i];
        // Not so of NaN and the infinities either. A choice between two values
        // here would cost five times as much as all the rest.
        if (typeof item !== "number" || !(item - Math.floor(item) > 0)) break;
        bytes[at] = 0x47;
        view.setFloat64(at + 1, item);
        at += 9;
      }
      if (i < end || i === stop) break;
      at = this.#cross(at);
      if (this.#streams) break;
      bytes = this.#bytes;
      view = this.#view;
    }
    this.#at = at;
    return i;
  }

  #pushItems(kind: number, value: unknown, items: unknown[]): Frame {
    const frame = this.#push(kind, value);
    frame.items = items;
    frame.index = 0;
    frame.end = items.length;
    frame.stop = 0;
    frame.single = false;
    frame.loose = false;
    return frame;
  }

  #tuple(value: Tuple): void {
    if (value.length === 0) {
      if (this.#protocol === 0) {
        this.#bytes[this.#at++] = MARK;
        this.#bytes[this.#at++] = TUPLE;
      } else {
        this.#bytes[this.#at++] = 0x29;
      }
      return;
    }
    if (this.#knownItems(value)) return;
    const slot = this.#slot;
    if (anyAttributes()) this.#attributes(value);
    if (this.#special) {
      this.#pushItems(TUPLE_ITEMS, value, value).slot = slot;
      return;
    }
    const length = value.length;
    if (length > 3) this.#bytes[this.#at++] = MARK;
    const index = this.#leaves(value, 0, length);
    if (index === length) {
      this.#bytes[this.#at++] = length > 3 ? TUPLE : TUPLE2 - 2 + length;
      this.#remember(slot);
      return;
    }
    const frame = this.#pushItems(TUPLE_ITEMS, value, value);
    frame.index = index;
    frame.stop = length;
    frame.slot = slot;
  }

  /** A plain object: its fields until one of them has to wait for another. */
  #record(value: Record<string, unknown>): void {
    if (this.#knownFields(value)) return;
    const slot = this.#slot;
    if (anyAttributes()) this.#attributes(value);
    if (this.#protocol === 0) {
      this.#bytes[this.#at++] = MARK;
      this.#bytes[this.#at++] = 0x64;
    } else {
      this.#bytes[this.#at++] = 0x7d;
    }
    this.#remember(slot);
    if (this.#special || this.#polluted) {
      const names = Object.keys(value);
      const flat = new Array<unknown>(names.length * 2);
      for (let i = 0; i < names.length; i++) {
        flat[i * 2] = names[i];
        flat[i * 2 + 1] = value[names[i]!];
      }
      this.#pushEntries(value, flat);
      return;
    }
    const fields = this.#fields;
    const start = this.#fieldCount;
    let top = start;
    let index = start;
    let at = this.#at;
    let count = 0;
    let firstKey = "";
    let firstItem: unknown;
    for (const key in value) {
      const item = value[key];
      if (top > start || count === SMALL_OBJECT) {
        fields[top] = key;
        fields[top + 1] = item;
        top += 2;
        continue;
      }
      // The first waits: without a second there is no MARK.
      if (count++ === 0) {
        firstKey = key;
        firstItem = item;
        continue;
      }
      if (count === 2) {
        this.#bytes[at++] = MARK;
        at = this.#field(firstKey, firstItem, at);
        if (at < 0) {
          at = this.#at;
          index = start + 1;
          fields[top] = firstKey;
          fields[top + 1] = firstItem;
          fields[top + 2] = key;
          fields[top + 3] = item;
          top += 4;
          count = 1;
          continue;
        }
      }
      at = this.#field(key, item, at);
      if (at < 0) {
        at = this.#at;
        index = start + 1;
        fields[top] = key;
        fields[top + 1] = item;
        top += 2;
      }
    }
    if (count === 0) return;
    const single = count === 1 && top === start;
    if (single) {
      at = this.#field(firstKey, firstItem, at);
      if (at < 0) {
        at = this.#at;
        index = start + 1;
        fields[top] = firstKey;
        fields[top + 1] = firstItem;
        top += 2;
      }
    }
    this.#at = at;
    if (top === start) {
      this.#bytes[this.#at++] = single ? 0x73 : 0x75;
      return;
    }
    this.#fieldCount = top;
    const frame = this.#push(DICT, value);
    frame.items = fields;
    frame.start = start;
    frame.index = index;
    frame.end = top;
    frame.stop = start + 2 * (BATCH - count) + (index === start ? 0 : 2);
    frame.single = single;
    frame.loose = false;
    frame.named = true;
  }

  /**
   * A key and its value.
   *
   * @returns Where the next goes; -1: the value was not written, and goes where
   * `#at` says.
   */
  #field(text: string, item: unknown, at: number): number {
    at = this.#key(text, at);
    const next = this.#atom(item, at);
    if (next < 0) this.#at = at;
    return next;
  }

  #key(text: string, at: number): number {
    if (at >= this.#boundary) at = this.#cross(at);
    const cursor = this.#cursor;
    let key = cursor.next;
    if (key.text !== text) key = this.#findKey(cursor, text);
    this.#cursor = key;
    if (key.run === this.#run) return this.#get(key.id, at);
    const { words } = key;
    if (words !== undefined && this.#textHead === 2) {
      const number = this.#find(text, key.hash);
      if (number > 0) {
        at = this.#get(this.#lastText = this.#textIds[number]!, at);
      } else if (number < 0) {
        at = this.#longText(text, at);
      } else {
        this.#enter(text, key.hash);
        const view = this.#view;
        for (let i = 0; i < words.length; i++) {
          view.setInt32(at + i * 4, words[i]!, true);
        }
        at += key.size;
        this.#memo++;
      }
    } else {
      const start = at;
      this.#lastHash = 0;
      at = this.#text(text, at);
      if (this.#lastHash !== 0 && this.#textHead === 2) {
        this.#learn(key, start, at);
      }
    }
    key.run = this.#run;
    key.id = this.#lastText;
    return at;
  }

  /** Keeps how a key has just been written. */
  #learn(key: Key, start: number, end: number): void {
    const words = new Int32Array((end - start + 3) >> 2);
    new Uint8Array(words.buffer).set(this.#bytes.subarray(start, end));
    key.words = words;
    key.size = end - start;
    key.hash = this.#lastHash;
  }

  /** A key that did not follow the other the last time. */
  #findKey(cursor: Key, text: string): Key {
    let key = keys.get(text);
    if (key === undefined) {
      if (keys.size >= KEPT_KEYS || text.length > SHORT_TEXT) {
        this.#keyMisses++;
        return new Key(text, FIRST_KEY);
      }
      key = new Key(text, FIRST_KEY);
      keys.set(text, key);
    }
    cursor.next = key;
    return key;
  }

  #pushEntries(value: unknown, flat: unknown[]): Frame | undefined {
    if (flat.length === 0) return undefined;
    const frame = this.#push(DICT, value);
    frame.items = flat;
    frame.start = 0;
    frame.index = 0;
    frame.end = flat.length;
    frame.stop = 0;
    frame.single = false;
    frame.loose = false;
    frame.named = false;
    return frame;
  }

  /** A list or dict that is not to be found in the memo. */
  #freshItems({ items, isDict }: FreshItems): void {
    if (this.#protocol === 0) this.#bytes[this.#at++] = MARK;
    this.#bytes[this.#at++] = this.#protocol === 0
      ? isDict ? 0x64 : 0x6c
      : isDict
      ? 0x7d
      : 0x5d;
    this.#remember(this.#tree ? NO_MEMO : FRESH);
    if (isDict) this.#pushEntries(undefined, items);
    else if (items.length > 0) this.#pushItems(LIST, undefined, items);
  }

  /** A dict that is no plain object. */
  #map(value: object, flat: unknown[]): void {
    if (this.#known(value)) return;
    const slot = this.#slot;
    if (anyAttributes()) this.#attributes(value);
    if (this.#protocol === 0) {
      this.#bytes[this.#at++] = MARK;
      this.#bytes[this.#at++] = 0x64;
    } else {
      this.#bytes[this.#at++] = 0x7d;
    }
    this.#remember(slot);
    const length = flat.length;
    if (length === 0 || this.#special) {
      this.#pushEntries(value, flat);
      return;
    }
    const single = length === 2;
    if (!single) this.#bytes[this.#at++] = MARK;
    const index = this.#leaves(
      flat,
      0,
      length < 2 * BATCH ? length : 2 * BATCH,
    );
    if (index === length && length < 2 * BATCH) {
      this.#bytes[this.#at++] = single ? 0x73 : 0x75;
      return;
    }
    const frame = this.#pushEntries(value, flat)!;
    frame.index = index;
    frame.stop = 2 * BATCH;
    frame.single = single;
  }

  // ------------------------------------------------------------- containers

  /** Goes on with a list, set, tuple or frozenset. */
  #sequence(frame: Frame): void {
    const items = frame.items;
    for (;;) {
      const stop = frame.stop < frame.end ? frame.stop : frame.end;
      if (this.#items(frame, items, stop)) return;
      if (!this.#nextBatch(frame, stop)) return;
    }
  }

  /**
   * Items up to the end of a batch.
   *
   * @returns Whether something else comes first: a container of theirs, or the
   * reader of a chunk.
   */
  #items(frame: Frame, items: unknown[], stop: number): boolean {
    let i = frame.index;
    while (i < stop) {
      if (!this.#special) {
        i = frame.index = this.#leaves(items, i, stop);
        // Only streams have chunks before the end.
        if (this.#streams && this.#chunks.length > 0) return true;
        if (i === stop) return false;
      }
      const item = items[i];
      frame.index = ++i;
      this.#child(item);
      if (this.#frames[this.#depth] !== frame) return true;
      if (this.#streams && this.#chunks.length > 0) return true;
    }
    return false;
  }

  /** Ends a batch, and begins the next or takes the frame away (false). */
  #nextBatch(frame: Frame, i: number): boolean {
    const bytes = this.#bytes;
    const left = frame.end - i;
    switch (frame.kind) {
      case LIST:
        if (this.#protocol === 0) {
          if (i > 0) bytes[this.#at++] = 0x61;
          if (left === 0) break;
          frame.stop = i + 1;
          return true;
        }
        if (i > 0) bytes[this.#at++] = frame.single ? 0x61 : 0x65;
        if (left === 0) break;
        frame.single = left === 1 && (i === 0 || frame.loose);
        if (!frame.single) bytes[this.#at++] = MARK;
        frame.stop = i + BATCH;
        return true;
      case SET:
        // CPython looks whether anything is left only after the MARK.
        if (i > 0) bytes[this.#at++] = 0x90;
        if (left === 0) {
          if (i === frame.stop) {
            bytes[this.#at++] = MARK;
            bytes[this.#at++] = 0x90;
          }
          break;
        }
        bytes[this.#at++] = MARK;
        frame.stop = i + BATCH;
        return true;
      case TUPLE_ITEMS:
        if (i === 0) {
          if (left > 3 || this.#protocol < 2) bytes[this.#at++] = MARK;
          frame.stop = frame.end;
          return true;
        }
        this.#endTuple(frame, i);
        break;
      case LOOSE_ITEMS:
        if (i === 0) {
          frame.stop = frame.end;
          return true;
        }
        break;
      default:
        if (i === 0) {
          bytes[this.#at++] = MARK;
          frame.stop = frame.end;
          return true;
        }
        this.#endFrozenSet(frame.slot);
    }
    this.#pop();
    return false;
  }

  #endTuple(frame: Frame, length: number): void {
    const few = length <= 3 && this.#protocol >= 2;
    const id = frame.slot < 0 ? -1 : this.#objects.ids[frame.slot]!;
    if (id < 0) {
      this.#bytes[this.#at++] = few ? TUPLE2 - 2 + length : TUPLE;
      this.#remember(frame.slot);
      return;
    }
    // It is there already: one of its items led back to it.
    if (few || this.#protocol === 0) {
      const pops = few ? length : length + 1;
      if (this.#at + pops + SLACK > this.#bytes.length) {
        this.#grow(this.#at, this.#at + pops + 2 * SLACK);
      }
      this.#bytes.fill(POP, this.#at, this.#at + pops);
      this.#at += pops;
    } else {
      this.#bytes[this.#at++] = POP_MARK;
    }
    this.#at = this.#get(id, this.#at);
  }

  #endFrozenSet(slot: number): void {
    const id = slot < 0 ? -1 : this.#objects.ids[slot]!;
    if (id < 0) {
      this.#bytes[this.#at++] = 0x91;
      this.#remember(slot);
      return;
    }
    this.#bytes[this.#at++] = POP_MARK;
    this.#at = this.#get(id, this.#at);
  }

  /** Goes on with a dict. */
  #dict(frame: Frame): void {
    const items = frame.items;
    for (;;) {
      const stop = frame.stop < frame.end ? frame.stop : frame.end;
      if (
        frame.named
          ? this.#namedItems(frame, items, stop)
          : this.#items(frame, items, stop)
      ) return;
      if (!this.#nextEntries(frame, stop)) return;
    }
  }

  /** As {@linkcode Pickler.#items}, for the fields of an object. */
  #namedItems(frame: Frame, items: unknown[], stop: number): boolean {
    let at = this.#at;
    let i = frame.index;
    while (i < stop) {
      const item = items[i++];
      const next = (i & 1) === 1
        ? this.#key(item as string, at)
        : this.#atom(item, at);
      if (next > at) {
        at = next;
        continue;
      }
      frame.index = i;
      if (next < 0) {
        this.#at = at;
        this.#child(item);
        if (this.#frames[this.#depth] !== frame) return true;
      } else {
        this.#at = next;
      }
      if (this.#streams && this.#chunks.length > 0) return true;
      at = this.#at;
    }
    this.#at = at;
    frame.index = i;
    return false;
  }

  #nextEntries(frame: Frame, i: number): boolean {
    const bytes = this.#bytes;
    const left = frame.end - i;
    const first = i === frame.start;
    if (this.#protocol === 0) {
      if (!first) bytes[this.#at++] = 0x73;
      if (left > 0) {
        frame.stop = i + 2;
        return true;
      }
    } else {
      if (!first) bytes[this.#at++] = frame.single ? 0x73 : 0x75;
      if (left > 0) {
        frame.single = left === 2 && (first || frame.loose);
        if (!frame.single) bytes[this.#at++] = MARK;
        frame.stop = i + 2 * BATCH;
        return true;
      }
      // As for sets: after 1,000 items CPython begins another batch.
      if (i === frame.stop && !frame.loose && !frame.single) {
        bytes[this.#at++] = MARK;
        bytes[this.#at++] = 0x75;
      }
    }
    if (frame.named) this.#fieldCount = frame.start;
    this.#pop();
    return false;
  }

  /** Goes on with an object that is made by a call. */
  #reduction(frame: Frame): void {
    const plan = frame.plan!;
    const bytes = this.#bytes;
    switch (frame.index++) {
      case 0:
        if (plan.op === INST || plan.op === OBJ) {
          bytes[this.#at++] = MARK;
          frame.index = 3;
          const items = plan.op === OBJ
            ? [plan.callable, ...plan.args]
            : [...plan.args];
          if (items.length > 0) this.#pushItems(LOOSE_ITEMS, undefined, items);
          return;
        }
        return this.#value(plan.callable);
      case 1:
        if (plan.args.length === 0) return this.#value(NO_ARGS);
        if (plan.fresh) {
          if (this.#at >= this.#boundary) this.#at = this.#cross(this.#at);
          const args = this.#pushItems(
            TUPLE_ITEMS,
            undefined,
            plan.args as unknown[],
          );
          args.slot = this.#tree ? NO_MEMO : FRESH;
          return;
        }
        return this.#value(plan.args);
      case 2:
        if (plan.op === NEWOBJ_EX) return this.#value(plan.kwargs);
        frame.index++;
        // falls through
      case 3: {
        bytes[this.#at++] = plan.op;
        if (plan.op === INST) {
          // As GLOBAL, but for the opcode.
          const { module, name } = plan.callable as Global;
          const start = this.#at - 1;
          this.#at = this.#nameLines(module, name, start);
          this.#bytes[start] = INST;
        }
        const { slot, value } = frame;
        if (slot >= 0) {
          const id = this.#objects.ids[slot]!;
          if (id >= 0) {
            // Made already, by way of its own arguments.
            bytes[this.#at++] = POP;
            this.#at = this.#get(id, this.#at);
            this.#pop();
            return;
          }
          plan.id = this.#memo;
          this.#remember(slot);
          this.#pending.delete(value as object);
        } else if (plan.setter !== undefined) {
          plan.id = this.#memo;
          this.#at = this.#put(this.#at);
        }
        if (plan.items !== undefined && plan.items.length > 0) {
          this.#pushItems(LIST, undefined, plan.items).loose = true;
          return;
        }
        frame.index++;
      } // falls through
      case 4:
        frame.index = 6;
        if (plan.entries !== undefined && plan.entries.length > 0) {
          this.#pushEntries(undefined, plan.entries)!.loose = true;
          return;
        }
        return;
      case 6:
        if (plan.state === plan.states.length) return this.#pop();
        if (plan.setter !== undefined) {
          frame.index = 8;
          return this.#value(plan.setter);
        }
        return this.#value(plan.states[plan.state++]);
      case 7:
        bytes[this.#at++] = BUILD;
        frame.index = 6;
        return;
      case 8:
        if (this.#at >= this.#boundary) this.#at = this.#cross(this.#at);
        this.#at = this.#get(plan.id, this.#at);
        return this.#value(plan.states[plan.state++]);
      case 9:
        // Nothing of the call stays on the stack.
        bytes[this.#at++] = TUPLE2;
        bytes[this.#at++] = REDUCE;
        bytes[this.#at++] = POP;
        plan.setter = undefined;
        frame.index = 6;
    }
  }

  /** Begins an object that is made by a call. */
  #call(value: object, make: () => Plan | Global): void {
    if (this.#known(value)) return;
    const slot = this.#slot;
    let plan = this.#pending.get(value);
    if (plan === undefined) {
      const made = make();
      if (made instanceof Global) {
        this.#global(made);
        if (slot >= 0) this.#objects.ids[slot] = this.#lastGlobal;
        return;
      }
      plan = made;
      if (plan.keep && slot >= 0 && plan.args.some(isObject)) {
        this.#pending.set(value, plan);
      }
    }
    const frame = this.#push(REDUCTION, value);
    frame.plan = plan;
    frame.index = 0;
    frame.slot = slot;
  }

  // ---------------------------------------------------------------- objects

  #other(value: object, prototype: object): void {
    if (value instanceof Global) {
      const single = value.module === "builtins"
        ? SINGLE_TYPES.get(value.name)
        : undefined;
      if (single === undefined) return this.#global(value);
      return this.#call(single, () => callOf(TYPE, [single.instance]));
    }
    if (value instanceof Float) return this.#float(value.value);
    if (value instanceof Uint8Array && isCoreBytes(value, prototype)) {
      return value instanceof ByteArray
        ? this.#byteArray(value)
        : this.#binary(value);
    }
    if (value instanceof Map && isCoreMap(prototype)) {
      return this.#map(value, flatten(value));
    }
    if (value instanceof Set && isCoreSet(prototype)) return this.#set(value);
    if (value instanceof Constant) {
      return this.#global(new Global("builtins", value.name));
    }
    if (value instanceof PersistentId) {
      if (this.#protocol > 0) {
        this.#push(OPCODE, undefined).index = BINPERSID;
        // Not at once: ids nest without end.
        this.#pushItems(LOOSE_ITEMS, undefined, [value.id]);
        return;
      }
      return this.#persistent(value.id, value);
    }
    if (value instanceof Extension) return this.#extension(value);
    if (value instanceof FreshItems) return this.#freshItems(value);
    if (value instanceof FreshBytes) return this.#sharedBinary(value.bytes);
    if (value instanceof FreshText) {
      this.#at = this.#freshText(value.text, this.#at);
      return;
    }
    if (Array.isArray(value) && isForeignArray(prototype)) {
      return this.#list(value);
    }
    if (value instanceof PickleBuffer) return this.#buffer(value);
    this.#call(value, () => this.#planOf(value, prototype));
  }

  /** How an object of a class is written, whoever knows it. */
  #planOf(value: object, prototype: object): Plan | Global {
    const reduced = this.#ask(value);
    if (reduced !== undefined) {
      return reduced instanceof Global
        ? reduced
        : this.#planReduced(value, reduced);
    }
    if (value instanceof PyObject) {
      const { state, moreStates } = value;
      const states = moreStates ?? NO_STATES;
      return makePlan({
        callable: value.class,
        args: value.args,
        kwargs: value.kwargs,
        via: value.via,
        items: value.items,
        entries: value.entries,
        states: state === undefined ? states : [state, ...states],
        setter: value.stateSetter,
        base: value.base,
      }, this.#protocol);
    }
    const type = typeOf(value);
    if (type?.reduce !== undefined) {
      let known: Reduced | Global;
      try {
        known = type.reduce(value, { protocol: this.#protocol });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw this.#error("unsupported-value", error.message, error);
      }
      return known instanceof Global ? known : this.#planReduced(value, known);
    }
    const name = type?.names[0];
    if (name !== undefined && type!.value === value) {
      const dot = name.lastIndexOf(".");
      return new Global(name.slice(0, dot), name.slice(dot + 1));
    }
    throw this.#unknown(value, prototype);
  }

  /** What the caller says of an object of a class. */
  #ask(value: object): Reduced | Global | undefined {
    let reduced: unknown = this.#reduce?.(value);
    if (reduced === undefined) {
      const method: unknown = (value as { [toPickle]?: unknown })[toPickle];
      if (typeof method !== "function") return undefined;
      reduced = method.call(value, { protocol: this.#protocol });
    }
    if (reduced instanceof Global) return reduced;
    if (
      !isObject(reduced) || !("callable" in reduced) || !("args" in reduced) ||
      !Array.isArray(reduced.args)
    ) {
      throw this.#error(
        "bad-reduce",
        "a class must be pickled as a Global or { callable, args }",
      );
    }
    return reduced as unknown as Reduced;
  }

  #planReduced(value: object, reduced: Reduced): Plan {
    const state = reduced.state ?? attributesOf(value);
    let { args } = reduced;
    if (
      this.#bufferCallback !== undefined && args[0] instanceof Uint8Array &&
      isFromBuffer(reduced.callable)
    ) {
      // numpy gives its data as a PickleBuffer.
      const readOnly = !(args[0] instanceof ByteArray);
      args = [new PickleBuffer(args[0], { readOnly }), ...args.slice(1)];
    }
    return makePlan({
      callable: reduced.callable,
      args,
      kwargs: reduced.kwargs,
      via: reduced.via ?? "reduce",
      items: reduced.items,
      entries: reduced.entries,
      states: state === undefined ? NO_STATES : [state],
      // Who makes new arguments each time would never meet them again.
      keep: true,
    }, this.#protocol);
  }

  /** A class or function by name: `save_global` of `_pickle.c`. */
  #global(value: Global): void {
    const { module, name } = value;
    const key = `${module}\n${name}`;
    const id = this.#globals.get(key);
    if (id !== undefined) {
      this.#lastGlobal = id;
      this.#at = this.#get(id, this.#at);
      return;
    }
    let at = this.#at;
    if (this.#protocol >= 4) {
      at = this.#text(module, at);
      if (at >= this.#boundary) at = this.#cross(at);
      at = this.#text(name, at);
      this.#bytes[at++] = 0x93;
    } else if (name.includes(".")) {
      at = this.#nestedName(module, name);
    } else {
      at = this.#nameLines(module, name, at);
    }
    this.#globals.set(key, this.#memo);
    this.#lastGlobal = this.#memo;
    this.#at = this.#put(at);
  }

  /** `getattr(getattr(Outer, "Inner"), "name")`, as protocols 0 to 3 have it. */
  #nestedName(module: string, name: string): number {
    const path = name.split(".");
    const old = this.#protocol < 2;
    for (let i = 1; i < path.length; i++) {
      this.#global(GETATTR);
      if (old) this.#bytes[this.#at++] = MARK;
      this.#room();
    }
    let at = this.#nameLines(module, path[0]!, this.#at);
    for (let i = 1; i < path.length; i++) {
      at = this.#freshText(path[i]!, at);
      this.#bytes[at++] = old ? TUPLE : TUPLE2;
      this.#bytes[at++] = REDUCE;
    }
    return at;
  }

  /** GLOBAL: two lines. */
  #nameLines(module: string, name: string, at: number): number {
    if (this.#protocol < 3 && this.#fixImports) {
      [module, name] = toPython2Name(module, name);
    }
    const text = `${module}\n${name}\n`;
    if (module.includes("\n") || name.includes("\n")) {
      throw this.#error(
        "unsupported-value",
        "a name with a newline needs protocol 4",
      );
    }
    const utf8 = encodeUtf8(text);
    if (this.#protocol < 3 && utf8.length !== text.length) {
      throw this.#error(
        "unsupported-value",
        "a name that is not ASCII needs protocol 3",
      );
    }
    if (at + utf8.length + SLACK > this.#bytes.length) {
      this.#grow(at, at + utf8.length + 2 * SLACK);
    }
    this.#bytes[at] = 0x63;
    this.#bytes.set(utf8, at + 1);
    return at + 1 + utf8.length;
  }

  /** Makes room for what has no bound of its own. */
  #room(): void {
    if (this.#at + SLACK > this.#bytes.length) {
      this.#grow(this.#at, this.#at + 2 * SLACK);
    }
  }

  #extension({ code }: Extension): void {
    if (!(code > 0 && code <= 0x7fff_ffff && Number.isInteger(code))) {
      throw this.#error(
        "unsupported-value",
        "an extension's code is an integer from 1 to 2147483647",
      );
    }
    const at = this.#at;
    const size = code <= 0xff ? 1 : code <= 0xffff ? 2 : 4;
    this.#view.setUint32(at + 1, code, true);
    this.#bytes[at] = size === 4 ? 0x84 : 0x81 + size;
    this.#at = at + 1 + size;
  }

  #binary(value: Uint8Array): void {
    if (value.length < 2) {
      // Python has one object each for the bytes of length 0 and 1.
      const number = value.length === 0 ? -1 : value[0]!;
      const first = this.#tinyBytes.get(number);
      if (first === undefined) this.#tinyBytes.set(number, value);
      else value = first;
    }
    this.#sharedBinary(value);
  }

  #sharedBinary(value: Uint8Array): void {
    if (this.#protocol < 3) {
      this.#call(value, () => {
        if (value.length === 0) return callOf(BYTES_CLASS, []);
        return callOf(ENCODE, [new FreshText(latin1(value)), "latin1"]);
      });
      return;
    }
    if (this.#known(value)) return;
    const slot = this.#slot;
    this.#at = this.#bytesBlock(value, this.#at);
    this.#remember(slot);
  }

  /** `_save_bytes_data` of `_pickle.c`. */
  #bytesBlock(value: Uint8Array, at: number): number {
    const length = value.length;
    if (length <= 0xff) return this.#block(0x43, value, at);
    if (length <= 0xffff_ffff) return this.#block(0x42, value, at);
    if (this.#protocol < 4) {
      throw this.#error("too-large", "bytes of 4 GiB need protocol 4");
    }
    return this.#block(0x8e, value, at);
  }

  #byteArray(value: ByteArray): void {
    if (this.#protocol < 5) {
      this.#call(value, () =>
        callOf(
          BYTEARRAY_CLASS,
          value.length === 0 ? [] : [
            new FreshBytes(
              new Uint8Array(value.buffer, value.byteOffset, value.length),
            ),
          ],
        ));
      return;
    }
    if (this.#known(value)) return;
    const slot = this.#slot;
    this.#at = this.#block(0x96, value, this.#at);
    this.#remember(slot);
  }

  /** Out of the pickle, if the caller takes it: PEP 574. */
  #buffer(value: PickleBuffer): void {
    if (this.#protocol < 5) {
      throw this.#error(
        "unsupported-protocol",
        "a PickleBuffer needs protocol 5",
      );
    }
    const { bytes, readOnly } = value;
    if (!this.#inBand.has(value)) {
      if (
        this.#bufferCallback !== undefined &&
        this.#bufferCallback(bytes) !== true
      ) {
        // No entry of the memo: each occurrence is a buffer of its own.
        this.#bytes[this.#at++] = 0x97;
        if (readOnly) this.#bytes[this.#at++] = 0x98;
        return;
      }
      this.#inBand.add(value);
    }
    if (this.#known(value)) return;
    const slot = this.#slot;
    this.#at = readOnly
      ? this.#bytesBlock(bytes, this.#at)
      : this.#block(0x96, bytes, this.#at);
    this.#remember(slot);
  }

  #set(value: Set<unknown>): void {
    const frozen = value instanceof FrozenSet;
    if (this.#protocol < 4) {
      this.#call(value, () => {
        const items = new FreshItems([...value]);
        const plan = callOf(frozen ? FROZENSET_CLASS : SET_CLASS, [items]);
        const state = attributesOf(value);
        if (state !== undefined) plan.states = [state];
        return plan;
      });
      return;
    }
    if (this.#known(value)) return;
    const slot = this.#slot;
    if (anyAttributes()) this.#attributes(value);
    const items = [...value];
    if (frozen) {
      if (items.length > 0) {
        this.#pushItems(FROZENSET_ITEMS, value, items).slot = slot;
        return;
      }
      this.#bytes[this.#at++] = MARK;
      this.#endFrozenSet(slot);
      return;
    }
    this.#bytes[this.#at++] = 0x8f;
    this.#remember(slot);
    if (items.length > 0) this.#pushItems(SET, value, items);
  }

  /** The error for an object that nobody knows. */
  #unknown(value: object, prototype: object): PicklingError {
    let name = "";
    try {
      const constructor: unknown = prototype.constructor;
      if (typeof constructor === "function") name = constructor.name;
    } catch {
      // A getter of somebody's; the error is not about that.
    }
    const what = name === ""
      ? "an object of a class"
      : `a ${name.slice(0, 80)}`;
    if (ArrayBuffer.isView(value)) {
      return this.#error(
        "unsupported-value",
        `${what} has no type in Python; wrap it in an NdArray, or take a Uint8Array`,
      );
    }
    if (value instanceof ArrayBuffer) {
      return this.#error(
        "unsupported-value",
        `${what} has no type in Python; take a Uint8Array`,
      );
    }
    return this.#error(
      "unsupported-value",
      `${what} cannot be pickled; give its class a [toPickle] method, use the reduce option, or make it a plain object`,
    );
  }
}

/** Node's Buffer is bytes; a class that knows better is not. */
function isCoreBytes(value: object, prototype: object): boolean {
  return prototype === Uint8Array.prototype ||
    prototype === ByteArray.prototype ||
    !(toPickle in value) && typeOf(value)?.reduce === undefined;
}

function isCoreMap(prototype: object): boolean {
  return prototype === Map.prototype;
}

function isCoreSet(prototype: object): boolean {
  return prototype === Set.prototype || prototype === PySet.prototype ||
    prototype === FrozenSet.prototype;
}

/** Whether a prototype is another realm's `Object.prototype`. */
function isForeignObject(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf");
}

/** Whether a prototype is another realm's `Array.prototype`. */
function isForeignArray(prototype: object): boolean {
  const parent = Object.getPrototypeOf(prototype);
  return Array.isArray(prototype) && parent !== null && isForeignObject(parent);
}
