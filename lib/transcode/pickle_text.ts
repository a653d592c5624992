/**
 * The machine that turns the opcodes of pickles into JSON text, with no values
 * in between.
 *
 * ## Why this is not easy
 *
 * `EMPTY_LIST` and `EMPTY_DICT` come before their items; `TUPLE`, `FROZENSET`,
 * `REDUCE` and `BUILD` come after theirs. The bytes `] } ( … u a` are `[{…}]`,
 * but `] } ( … u \x86` are `[[], {…}]`: the second byte of the JSON depends on
 * the last opcode. So nothing that reads once and keeps little can be right for
 * every pickle. What can be had is: right, or an error before a wrong byte is
 * given away.
 *
 * ## The scheme
 *
 * The text of all entries of the pickle machine's stack lies in one buffer, in
 * the order of the stack, and is at all times the *predicted* JSON.
 *
 * 1. *Prediction at push.* A MARK on a list or dict that is empty (or whose
 *    last batch was a full one of 1,000) is its batch; any other MARK is a
 *    tuple. A value on such an empty container is its one item (`a`) or key
 *    (`s`). These are "levels"; separators follow from the level.
 * 2. *Verification at consumption.* Each opcode that takes items finds the
 *    level it needs, or the text is put right where it stands (`#relayout`):
 *    a bracket goes in before a `TUPLE2`'s first item, an empty list that was
 *    no parent after all gets its own bracket, and so on. What no pickler
 *    writes and cannot be put right is a *snag*.
 * 3. *Commit window.* Only text that is older than a window is given away. A
 *    correction that would touch text that is gone is a snag.
 * 4. *Memo.* A slot is a range of the buffer, which keeps a *history* behind
 *    the window. A slot that is fetched once is copied to a table for good
 *    (`limits.memoBytes`); one that was never fetched goes when its text leaves
 *    the history: what was never fetched goes first. A list or dict that is
 *    fetched while it is still open is a cycle; one that is extended after it
 *    was fetched is a late mutation. Both are snags, and so is a slot that is
 *    stored twice.
 * 5. *Keys.* A key that comes twice has its first place and its last value, so
 *    it is a snag. Of a dict with more than a batch of items all keys are
 *    recalled as hashes, within `limits.memoBytes` (some three million keys by
 *    default); beyond that only keys in ascending order are certainly new, and
 *    any other is a snag (`key_set.ts`).
 * 6. *Objects.* Everything that is not plain data starts a *region*: from there
 *    to the opcode that takes something from below it, opcodes are handed to an
 *    `Unpickler` that keeps its memo; the values it gives are written by the
 *    JSON encoder, in place. So a record with a datetime costs a little, a file
 *    that is one object costs its values.
 * 7. *Snags.* While nothing of a pickle has been given away, its bytes are
 *    kept; on a snag it is read as values instead. Later it is an error,
 *    `not-streamable`. Small pickles therefore never fail.
 * 8. *With a plan* (`planPickle`, a first pass over the opcodes) it is known
 *    which slots are ever fetched, so that nothing else is kept, and what each
 *    composite that is longer than the window is and where it ends (the
 *    *tape*), so that no prediction about long ones can fail: an entry older
 *    than the window that is still on the stack is taken by a composite longer
 *    than the window, which is on the tape; everything younger can be put
 *    right.
 *
 * @module
 */

import { type DumpsOptions, Encoder } from "../json/encoder.ts";
import { JSONEncodeError } from "../json/errors.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "../pickle/errors.ts";
import {
  decodeEscapes,
  decodeLatin1,
  decodeRawUnicodeEscape,
} from "../pickle/arguments.ts";
import { OPCODE_BY_CODE } from "../pickle/opcodes.ts";
import type { LoadOptions } from "../pickle/options.ts";
import { Unpickler } from "../pickle/unpickler.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import {
  checkOutput,
  LimitError,
  type Limits,
  resolveLimits,
} from "../python/limits.ts";
import { type Machine, MORE } from "../streams/machine_stream.ts";
import { type KeyBudget, KeySet, NEW, SEEN } from "./key_set.ts";
import { MemoText } from "./memo_text.ts";
import { writeAscii, writeFloat, writeInt } from "./number_text.ts";
import { BadUtf8, escapeUtf8, longText, PLAIN } from "./string_text.ts";
import { findLineBreak, opcodeSize } from "../pickle/opcode_size.ts";
import type { PicklePlan } from "./plan.ts";
import { Region, slotAt, Snag } from "./region.ts";

/** How much is given away at a time. */
const CHUNK = 65536;
/** Room that every opcode may use without asking: a text of 2 KiB and more. */
const MARGIN = 2560;
/** How much there is room for at first: many pickles are small. */
const SMALL = 64;
/** How much consumed input is kept to go back to. */
const KEEP = 65536;
/** How much of a pickle may wait or be odd before it is read as values. */
const WAITING = 1 << 16;
/** How much input is kept for reading a pickle as values after all. */
const RAW_LIMIT = 8 << 20;

// Kinds of stack entries. Numbers count: OPEN_LIST and up are open.
const MARK = 0;
const STRING = 1;
const NUMBER = 2;
/** A number that is a key: in quotes. */
const QUOTED = 3;
/** A container that came from the memo or from values. */
const COPY = 4;
const TUPLE = 5;
const LIST = 6;
const DICT = 7;
/** Its closing bracket is not written. */
const OPEN_LIST = 8;
const OPEN_DICT = 9;
/** As protocol 0 makes them, to be filled one by one. */
const OPEN_LIST0 = 10;
const OPEN_DICT0 = 11;
/** The bracket of a tuple that is known from the tape. */
const KNOWN = 12;
/** Values that an Unpickler will give. */
const REGION = 13;
/** Within `#relayout`: gets its bracket there. */
const CLOSING_LIST = 14;
const CLOSING_DICT = 15;
/** Within `#relayout`: loses its bracket there. */
const REOPEN_LIST = 16;
const REOPEN_DICT = 17;
/** In the memo: the text is gone. */
const GONE = 255;
/** In the place of a slot: it was stored when it was taken for whole. */
const LATE = -2;

/** Kinds whose text is a range of the history when they are memoised. */
const IN_HISTORY = new Uint8Array(16);
for (
  const kind of [
    STRING,
    COPY,
    TUPLE,
    LIST,
    DICT,
    OPEN_LIST,
    OPEN_DICT,
    OPEN_LIST0,
    OPEN_DICT0,
  ]
) IN_HISTORY[kind] = 1;

/** Those of them that the loop itself stores: no picklers store the others. */
const STORED_AT_ONCE = IN_HISTORY.slice();
STORED_AT_ONCE[LIST] = STORED_AT_ONCE[DICT] = 0;

// Levels.
const TOP = 0;
const LIST_BATCH = 1;
const DICT_BATCH = 2;
const TUPLE_MARK = 3;
const ONE_ITEM = 4;
const ONE_PAIR = 5;
const KNOWN_TUPLE = 6;

/** Opcodes that push text, with their size as far as it is fixed. */
const PUSH_SIZE = new Uint8Array(256);
for (
  const [code, size] of [
    [0x4e, 1], // NONE
    [0x88, 1], // NEWTRUE
    [0x89, 1], // NEWFALSE
    [0x4b, 2], // BININT1
    [0x4d, 3], // BININT2
    [0x4a, 5], // BININT
    [0x47, 9], // BINFLOAT
    [0x8a, 2], // LONG1
    [0x58, 5], // BINUNICODE
    [0x8c, 2], // SHORT_BINUNICODE
    [0x8d, 9], // BINUNICODE8
    [0x55, 2], // SHORT_BINSTRING
    [0x54, 5], // BINSTRING
    [0x5d, 1], // EMPTY_LIST
    [0x7d, 1], // EMPTY_DICT
    [0x29, 1], // EMPTY_TUPLE
    [0x68, 2], // BINGET
    [0x6a, 5], // LONG_BINGET
  ] as const
) PUSH_SIZE[code] = size;

// What the loop wants done outside of it.
const PREDICT = 1;
const CLOSE = 2;
const MARKED = 3;
const APPENDS = 4;
const SETITEMS = 5;
const APPEND = 6;
const SETITEM = 7;
const TUPLES = 8;
const FETCH = 9;
const STORE = 10;
const TEXT = 11;
const CLOSED = 13;
const OTHER = 14;
const TAPE = 15;

// Why the loop ends.
const WANT_INPUT = 1;
const WANT_DRAIN = 2;
const CHANGED = 3;

// What has not been made yet.
const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS = new Int32Array(0);

const DUP_SIZE = 4096;
const dupSeen = new Int32Array(DUP_SIZE);
const dupEntry = new Int32Array(DUP_SIZE);
let dupTag = 0;

/**
 * The arrays of a machine, which cost more than a small pickle does. One that
 * has come to its end leaves them to the next one that begins, so no two ever
 * have the same.
 */
class Scratch {
  in: Uint8Array = new Uint8Array(2048);
  view: DataView = new DataView(this.in.buffer);
  out: Uint8Array = new Uint8Array(MARGIN + 1536);
  kind: Uint8Array = new Uint8Array(SMALL);
  head: Int32Array = new Int32Array(SMALL);
  start: Int32Array = new Int32Array(SMALL);
  pos: Float64Array = new Float64Array(SMALL);
  count: Int32Array = new Int32Array(SMALL);
  slot: Float64Array = new Float64Array(SMALL);
  lCtx: Uint8Array = new Uint8Array(SMALL);
  lBase: Int32Array = new Int32Array(SMALL);
  lKnown: Uint8Array = new Uint8Array(SMALL);
  lEnd: Float64Array = new Float64Array(SMALL);
  mSlot: Uint32Array = new Uint32Array(SMALL);
  mKind: Uint8Array = new Uint8Array(SMALL);
  mStart: Float64Array = new Float64Array(SMALL);
  mEnd: Float64Array = new Float64Array(SMALL);
  mSeq: Int32Array = new Int32Array(SMALL).fill(-1);
  mOrder: Int32Array = new Int32Array(SMALL);
  seq = 0;
}
/** What is larger is let go. */
const SPARE_BYTES = CHUNK * 2;
const SPARE_ENTRIES = 8192;
let spare: Scratch | undefined;

/** Options of the machine; see `PickleToJsonOptions`. */
export interface PickleTextOptions extends LoadOptions {
  /** How values are written. */
  encode: DumpsOptions;
  /** Whether every pickle is read as values. */
  values: boolean;
  /** Whether each text ends with a line break, rather than that one parts them. */
  jsonl: boolean;
  /** What the first pass found out. */
  plan: PicklePlan | undefined;
  /** How much text may still be put right; by default 1 MiB. */
  window: number | undefined;
  /** Whether a pickle may be read as values on a snag; not, for tests. */
  fallback?: boolean;
  /** How many items a full batch has; other than 1000 for tests. */
  batch?: number;
  /** Limits as they were given. */
  limits?: Limits;
}

/** Pickles in, JSON texts out: `", "` and `": "` between, one a pickle. */
export class PickleTextMachine
  implements Machine<Uint8Array, Uint8Array<ArrayBuffer>> {
  readonly #options: PickleTextOptions;
  readonly #limits: Readonly<Required<Limits>>;
  readonly #plain: Uint8Array;
  readonly #ascii: boolean;
  /** Made when a value is to be written. */
  #encoder: Encoder | undefined;
  readonly #textOf2: boolean;
  readonly #plan: PicklePlan | undefined;
  readonly #window: number;
  readonly #history: number;
  readonly #batch: number;

  // Input. `#in[#p..#end)` has not been read; `#at` is the offset of `#in[0]`.
  #in: Uint8Array;
  #view: DataView;
  #p = 0;
  #end = 0;
  #at = 0;
  #need = 1;
  #scanned = 0;
  #pending: Uint8Array | undefined;
  #pendingAt = 0;
  #ended = false;
  #frameEnd = -1;
  /** Where the last frame ends, be it right or not. */
  #lastFrameEnd = -1;
  #protocol = 0;

  // Output. `#out[#drained..#committed)` may be given away.
  #out: Uint8Array;
  #o = 0;
  #drained = 0;
  #committed = 0;
  /** Offset of `#out[0]` in all the text. */
  #base0 = 0;
  #drainAt = 0;

  // The stack.
  #kind: Uint8Array;
  /** Where an entry's text begins, its separator included. */
  #head: Int32Array;
  /** Where its text begins. */
  #start: Int32Array;
  /** Where in the input it begins. */
  #pos: Float64Array;
  /** How many items a container has. */
  #count: Int32Array;
  /** The memo slot of an open container, or -1. */
  #slot: Float64Array;
  #sp = 0;

  // Levels; level 0 is the bottom of the stack.
  #lCtx: Uint8Array;
  #lBase: Int32Array;
  #lKnown: Uint8Array;
  #lEnd: Float64Array;
  #lp = 0;
  /** What comes before the next item: 0 nothing, 1 comma, 2 colon, 4 and up: the top is open. */
  #pre = 0;

  // The memo.
  #memoCount = 0;
  #sparse = false;
  readonly #kept = new MemoText();
  #mSlot: Uint32Array;
  #mKind: Uint8Array;
  #mStart: Float64Array;
  #mEnd: Float64Array;
  #mSeq: Int32Array;
  #mOrder: Int32Array;
  #seq: number;
  #seqFloor: number;
  /** Slots of containers that have been fetched. */
  readonly #copied = new Set<number>();

  // Containers that are known from the tape and open: entry and last opcode.
  #knownIndex: number[] = [];
  #knownEnd: number[] = [];
  #knownTop = -1;
  #tape = 0;
  /** Last opcode of the long dict of a class that begins, or -1. */
  #objectEnd = -1;

  /** The keys so far of dicts that get them in several batches. */
  readonly #keySets = new Map<number, KeySet>();
  readonly #keyBudget: KeyBudget;
  #mode: "text" | "region" | "values" = "text";
  #region: Region | undefined;
  #regionEntry = 0;
  /** Whether this pickle may still be read as values. */
  #raw: boolean;
  /** Where this pickle begins: in the input, in the text. */
  #docAt = 0;
  #docOut = 0;
  #documents = 0;
  #begun = false;
  /** What reads the pickle as values. */
  #unpickler: Unpickler | undefined;
  /** Whether a line break stands before the next text. */
  #between = false;
  #moved = 0;
  // What `#relayout` reads from, made once.
  #oldText = NO_BYTES;
  #oldHead = NO_NUMBERS;
  #oldStart = NO_NUMBERS;
  #failed: unknown;
  /** Undefined once it has been left to others. */
  #scratch: Scratch | undefined;

  /**
   * Makes a machine.
   *
   * @param options What it is to do.
   */
  constructor(options: PickleTextOptions) {
    const scratch = spare ?? new Scratch();
    spare = undefined;
    this.#scratch = scratch;
    this.#in = scratch.in;
    this.#view = scratch.view;
    this.#out = scratch.out;
    this.#kind = scratch.kind;
    this.#head = scratch.head;
    this.#start = scratch.start;
    this.#pos = scratch.pos;
    this.#count = scratch.count;
    this.#slot = scratch.slot;
    this.#lCtx = scratch.lCtx;
    this.#lBase = scratch.lBase;
    this.#lKnown = scratch.lKnown;
    this.#lEnd = scratch.lEnd;
    this.#mSlot = scratch.mSlot;
    this.#mKind = scratch.mKind;
    this.#mStart = scratch.mStart;
    this.#mEnd = scratch.mEnd;
    this.#mSeq = scratch.mSeq;
    this.#mOrder = scratch.mOrder;
    this.#seq = this.#seqFloor = scratch.seq;
    this.#options = options;
    this.#limits = resolveLimits(options.limits);
    this.#keyBudget = { left: this.#limits.memoBytes };
    this.#ascii = options.encode.ensureAscii ?? true;
    if (options.values) {
      this.#mode = "values";
      this.#encoder = new Encoder(options.encode, { bytes: true });
    }
    this.#plain = PLAIN;
    this.#textOf2 = options.encoding !== "bytes";
    this.#plan = options.plan;
    this.#window = options.plan?.window ?? options.window ?? 1 << 20;
    this.#history = Math.min(
      options.plan ? 4 << 20 : 8 << 20,
      this.#limits.memoBytes / 8,
    );
    this.#batch = options.batch ?? 1000;
    this.#raw = options.fallback ?? true;
    this.#lCtx[0] = TOP;
    this.#lBase[0] = 0;
    this.#drainAt = this.#firstDrain();
  }

  /** @inheritdoc */
  push(chunk: Uint8Array): void {
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError("a pickle comes in chunks that are Uint8Array");
    }
    this.#pending = chunk;
    this.#pendingAt = 0;
  }

  /** @inheritdoc */
  end(): void {
    this.#ended = true;
  }

  /** @inheritdoc */
  pull(): Uint8Array<ArrayBuffer> | typeof MORE {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#scratch === undefined) return MORE;
    try {
      return this.#pull();
    } catch (error) {
      // What is written of this pickle is never passed off as whole.
      this.#failed = error;
      // The texts before it are, however the input was cut.
      const whole = this.#docOut - this.#drained;
      if (whole > 0) return this.#give(whole);
      throw error;
    }
  }

  /** All is done: the arrays are the next machine's. */
  #release(): void {
    const scratch = this.#scratch!;
    this.#scratch = undefined;
    if (
      this.#in.length > SPARE_BYTES || this.#out.length > SPARE_BYTES ||
      this.#kind.length > SPARE_ENTRIES || this.#mSlot.length > SPARE_ENTRIES ||
      this.#lCtx.length > SPARE_ENTRIES
    ) return;
    scratch.in = this.#in;
    scratch.view = this.#view;
    scratch.out = this.#out;
    scratch.kind = this.#kind;
    scratch.head = this.#head;
    scratch.start = this.#start;
    scratch.pos = this.#pos;
    scratch.count = this.#count;
    scratch.slot = this.#slot;
    scratch.lCtx = this.#lCtx;
    scratch.lBase = this.#lBase;
    scratch.lKnown = this.#lKnown;
    scratch.lEnd = this.#lEnd;
    scratch.mSlot = this.#mSlot;
    scratch.mKind = this.#mKind;
    scratch.mStart = this.#mStart;
    scratch.mEnd = this.#mEnd;
    scratch.mSeq = this.#mSeq;
    scratch.mOrder = this.#mOrder;
    scratch.seq = this.#seq;
    spare = scratch;
  }

  /** How many bytes are held in buffers, for tests. */
  get held(): number {
    return this.#in.length + this.#out.length + this.#kind.length * 29 +
      this.#mSlot.length * 29 + this.#kept.arena.length +
      this.#kept.keys.length * 13;
  }

  #pull(): Uint8Array<ArrayBuffer> | typeof MORE {
    for (;;) {
      if (this.#committed - this.#drained >= CHUNK) return this.#give(CHUNK);
      let status: number;
      if (!this.#ended && this.#end - this.#p < this.#need) {
        if (this.#fill()) continue;
        const given = this.#starve();
        if (given !== undefined) return given;
        continue;
      }
      try {
        status = this.#mode === "text"
          ? this.#run()
          : this.#mode === "region"
          ? this.#runRegion()
          : this.#runValues();
      } catch (error) {
        this.#recover(error);
        continue;
      }
      if (status === CHANGED) continue;
      if (status === WANT_DRAIN) {
        this.#commit();
        continue;
      }
      if (this.#fill()) continue;
      const given = this.#starve();
      if (given !== undefined) return given;
    }
  }

  /** What there is to give when there is nothing to read; undefined: read on after all. */
  #starve(): Uint8Array<ArrayBuffer> | typeof MORE | undefined {
    const whole = Math.min(this.#committed, this.#docOut) - this.#drained;
    if (whole > 0) return this.#give(whole);
    if (!this.#ended) return MORE;
    if (!this.#begun && this.#p === this.#end) {
      // Nothing is no JSON text, but it is JSON Lines.
      if (this.#documents > 0 || this.#options.jsonl) {
        this.#release();
        return MORE;
      }
    } else if (this.#unpickler !== undefined) {
      let value: unknown;
      try {
        this.#unpickler.end();
        value = this.#unpickler.pull();
      } catch (error) {
        throw this.#relocate(error);
      }
      // Some files are known to be whole only at their end.
      if (value !== MORE) {
        this.#take(value);
        return undefined;
      }
    } else if (this.#raw) {
      // The value road says what is wrong.
      this.#loadWhole(this.#end);
    } else if (this.#mode === "region") this.#region!.probe();
    throw this.#error("truncated", "the pickle ends too early");
  }

  #give(size: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#out.slice(this.#drained, this.#drained + size);
    this.#drained += size;
    if (this.#begun && this.#drained > this.#docOut) this.#raw = false;
    return chunk as Uint8Array<ArrayBuffer>;
  }

  #error(
    code: UnpicklingErrorCode,
    message: string,
    cause?: unknown,
  ): UnpicklingError {
    const opcode = OPCODE_BY_CODE[this.#in[this.#p]!];
    return new UnpicklingError(message, {
      code,
      offset: this.#at + this.#p,
      opcode: this.#p < this.#end ? opcode?.name : undefined,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** Goes over to values where that is still possible. */
  #recover(error: unknown): void {
    const snag = error instanceof BadUtf8
      ? new Snag("a string is not valid UTF-8", "bad-utf8")
      : error;
    if (this.#raw && this.#mode !== "values") {
      this.#o = this.#docOut;
      this.#p = this.#docAt - this.#at;
      this.#resetStack();
      this.#mode = "values";
      return;
    }
    if (!(snag instanceof Snag)) throw error;
    if (snag.code !== "not-streamable") {
      throw this.#error(snag.code, snag.message);
    }
    throw this.#error(
      "not-streamable",
      `this pickle cannot be converted while it streams: ${snag.message}; ` +
        "convert it from a file, or load it and write its value",
    );
  }

  // ---------------------------------------------------------------- input

  /** Takes more of the pending chunk in. False if there is nothing to take. */
  #fill(): boolean {
    const pending = this.#pending;
    if (pending === undefined) return false;
    const left = pending.length - this.#pendingAt;
    if (left === 0) {
      this.#pending = undefined;
      return false;
    }
    const have = this.#end - this.#p;
    const size = Math.min(left, Math.max(CHUNK, this.#need - have));
    const keepFrom = this.#raw && this.#mode !== "values"
      ? this.#docAt - this.#at
      : Math.max(0, this.#p - KEEP);
    if (this.#end + size > this.#in.length) {
      const used = this.#end - keepFrom;
      let target = this.#in;
      if (used + size > target.length / 2) {
        let capacity = target.length;
        while (used + size > capacity / 2) capacity *= 2;
        target = new Uint8Array(capacity);
        target.set(this.#in.subarray(keepFrom, this.#end));
        this.#in = target;
        this.#view = new DataView(target.buffer);
      } else {
        target.copyWithin(0, keepFrom, this.#end);
      }
      this.#at += keepFrom;
      this.#p -= keepFrom;
      this.#scanned -= keepFrom;
      this.#end = used;
    }
    this.#in.set(
      pending.subarray(this.#pendingAt, this.#pendingAt + size),
      this.#end,
    );
    this.#end += size;
    this.#pendingAt += size;
    if (
      this.#raw && this.#mode !== "values" &&
      this.#at + this.#p - this.#docAt > RAW_LIMIT
    ) this.#raw = false;
    return true;
  }

  // --------------------------------------------------------------- output

  #firstDrain(): number {
    return this.#docOut + this.#window + CHUNK;
  }

  /** Decides how much text is certain. */
  #commit(): void {
    let upTo: number;
    if (this.#plan === undefined) {
      upTo = this.#o - this.#window;
    } else {
      upTo = this.#settled();
    }
    if (upTo > this.#committed) this.#committed = upTo;
    this.#drainAt = Math.max(this.#o, this.#committed) + CHUNK;
    if (this.#plan === undefined) {
      this.#drainAt = Math.max(
        this.#drainAt,
        this.#committed + this.#window + CHUNK,
      );
    }
    this.#room(1);
    this.#checkOutput();
  }

  #checkOutput(): void {
    checkOutput(this.#limits, {
      written: this.#base0 + this.#o,
      read: this.#at + this.#p + 1,
    });
  }

  /** With a plan: the text before the first entry that may still change. */
  #settled(): number {
    const threshold = this.#plan!.before(this.#at + this.#p);
    const pos = this.#pos;
    let low = 0;
    let high = this.#sp;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pos[middle]! > threshold) high = middle;
      else low = middle + 1;
    }
    let upTo = low < this.#sp ? this.#head[low]! : this.#o;
    for (let level = 1; level <= this.#lp; level++) {
      const ctx = this.#lCtx[level];
      if (
        (ctx === ONE_ITEM || ctx === ONE_PAIR) && this.#lKnown[level] === 0
      ) {
        const first = this.#lBase[level]!;
        const at = first < this.#sp ? this.#head[first]! : this.#o;
        if (at < upTo) upTo = at;
        break;
      }
    }
    const top = this.#sp - 1;
    if (top >= 0) {
      // A key that is a number gets its quotes later; a region has no text.
      const kind = this.#kind[top]!;
      if (kind === NUMBER || kind === REGION) {
        upTo = Math.min(upTo, this.#head[top]!);
      }
    }
    return upTo;
  }

  /** Makes room for so many bytes, beside the margin. */
  #room(size: number): void {
    const limit = this.#out.length - MARGIN;
    if (this.#o + size <= limit) return;
    this.#checkOutput();
    const drop = Math.min(
      this.#drained,
      Math.max(0, this.#o - this.#history),
    );
    // Only when it is worth the move.
    if (drop > 0 && drop >= this.#out.length >> 2) {
      this.#out.copyWithin(0, drop, this.#o);
      this.#o -= drop;
      this.#drained -= drop;
      this.#committed -= drop;
      this.#docOut -= drop;
      this.#drainAt -= drop;
      this.#base0 += drop;
      for (let i = 0; i < this.#sp; i++) {
        this.#head[i]! -= drop;
        this.#start[i]! -= drop;
      }
      if (this.#o + size <= limit) return;
    }
    let capacity = this.#out.length * 2;
    while (this.#o + size > capacity - MARGIN) capacity *= 2;
    const out = new Uint8Array(capacity);
    out.set(this.#out.subarray(0, this.#o));
    this.#out = out;
  }

  // --------------------------------------------------------------- levels

  #setPre(): void {
    const ctx = this.#lCtx[this.#lp]!;
    const n = this.#sp - this.#lBase[this.#lp]!;
    const top = this.#sp - 1;
    if (n > 0 && this.#kind[top]! >= OPEN_LIST && this.#kind[top]! < KNOWN) {
      this.#pre = 4;
    } else if (n === 0) {
      this.#pre = this.#hasContent(this.#lp) ? 1 : 0;
    } else {
      this.#pre = (ctx === DICT_BATCH || ctx === ONE_PAIR) && (n & 1) === 1
        ? 2
        : 1;
    }
  }

  /** Whether a level's container has items from before. */
  #hasContent(level: number): boolean {
    const base = this.#lBase[level]!;
    switch (this.#lCtx[level]) {
      case LIST_BATCH:
      case DICT_BATCH:
        return this.#count[base - 2]! > 0;
      case ONE_ITEM:
      case ONE_PAIR:
        return this.#count[base - 1]! > 0;
      default:
        return false;
    }
  }

  #pushLevel(ctx: number, base: number, known: boolean): void {
    const lp = ++this.#lp;
    if (lp + 1 >= this.#lCtx.length) {
      const size = this.#lCtx.length * 2;
      this.#lCtx = grown(this.#lCtx, new Uint8Array(size));
      this.#lBase = grown(this.#lBase, new Int32Array(size));
      this.#lKnown = grown(this.#lKnown, new Uint8Array(size));
      this.#lEnd = grown(this.#lEnd, new Float64Array(size));
    }
    this.#lCtx[lp] = ctx;
    this.#lBase[lp] = base;
    this.#lKnown[lp] = known ? 1 : 0;
    this.#lEnd[lp] = -1;
    if (lp > this.#limits.depth) {
      throw new LimitError("depth", this.#limits.depth);
    }
    // Some levels are but guesses: by way of values it is known.
    if (lp > this.#limits.jsonDepth) throw new Snag("it nests too deep");
  }

  #growStack(size: number): void {
    // Python begins a batch anew after a thousand; only a tuple is as long. In
    // one pass it could be anybody's, and is held to the limit.
    if (this.#plan === undefined && this.#sp > this.#limits.depth) {
      throw new Snag("too many values wait for what they belong to");
    }
    this.#kind = grown(this.#kind, new Uint8Array(size));
    this.#head = grown(this.#head, new Int32Array(size));
    this.#start = grown(this.#start, new Int32Array(size));
    this.#pos = grown(this.#pos, new Float64Array(size));
    this.#count = grown(this.#count, new Int32Array(size));
    this.#slot = grown(this.#slot, new Float64Array(size));
  }

  /** Writes the bracket of the entry on top, which is open. */
  #close(): void {
    const top = this.#sp - 1;
    const list = (this.#kind[top]! & 1) === 0;
    this.#room(1);
    this.#out[this.#o++] = list ? 93 : 125;
    this.#kind[top] = list ? LIST : DICT;
    if (this.#knownTop === top) this.#popKnown();
    this.#closeSlot(top, this.#o);
    this.#setPre();
  }

  #popKnown(): void {
    this.#knownIndex.pop();
    this.#knownEnd.pop();
    this.#knownTop = this.#knownIndex.at(-1) ?? -1;
  }

  /** A container's text is final: its slot learns where it ends. */
  #closeSlot(entry: number, end: number): void {
    const slot = this.#slot[entry]!;
    if (slot < 0) return;
    if (this.#plan !== undefined) {
      const from = this.#start[entry]!;
      if (from < 0) {
        throw new Snag("a list or dict that it refers to again is too large");
      }
      this.#keep(slot, COPY, from, end);
      return;
    }
    const i = slot & (this.#mSlot.length - 1);
    if (
      this.#mSlot[i] === slot && this.#mSeq[i]! >= this.#firstSeq() &&
      this.#mStart[i] === this.#base0 + this.#start[entry]!
    ) this.#mEnd[i] = this.#base0 + end;
  }

  /** Keeps text for a slot for good. */
  #keep(slot: number, kind: number, from: number, to: number): boolean {
    if (
      this.#kept.used + to - from > this.#limits.memoBytes ||
      this.#kept.size >= this.#limits.memo
    ) {
      if (this.#plan === undefined) return false;
      throw new LimitError("memoBytes", this.#limits.memoBytes);
    }
    this.#kept.set(slot, { kind, out: this.#out, from, to });
    return true;
  }

  // ------------------------------------------------------------- the loop

  #run(): number {
    if (this.#p >= this.#end) {
      this.#need = 1;
      return WANT_INPUT;
    }
    // A byte of input pushes at most one entry and fills one memo slot.
    const size = this.#end - this.#p;
    if (this.#sp + size + 16 > this.#kind.length) {
      let capacity = this.#kind.length;
      while (this.#sp + size + 16 > capacity) capacity *= 2;
      this.#growStack(capacity);
    }
    if (this.#plan === undefined) this.#growMemo(size);
    if (this.#o > this.#out.length - MARGIN) this.#room(1);
    const plain = this.#plain;
    const plan = this.#plan;
    const refs = plan?.fetched;
    const textOf2 = this.#textOf2;
    const mSlot = this.#mSlot;
    const mKind = this.#mKind;
    const mStart = this.#mStart;
    const mEnd = this.#mEnd;
    const mSeq = this.#mSeq;
    const mOrder = this.#mOrder;
    const mMask = mSlot.length - 1;
    const multiplier = this.#kept.multiplier;
    const inp = this.#in;
    const view = this.#view;
    const at = this.#at;
    const allowNaN = this.#options.encode.allowNaN ?? true;
    const longest = Math.min(2048, this.#limits.argumentLength);
    // A LONG1 has 615 digits at most.
    const fewDigits = this.#limits.intDigits < 616;
    const batch = this.#batch;
    const batch2 = 2 * batch;
    let limit = this.#frameEnd < 0
      ? this.#end
      : Math.min(this.#end, this.#frameEnd - at);
    let p = this.#p;
    let out = this.#out;
    let o = this.#o;
    let stopAt = Math.min(out.length - MARGIN, this.#drainAt);
    const kind = this.#kind;
    const head = this.#head;
    const start = this.#start;
    const pos = this.#pos;
    const count = this.#count;
    const slots = this.#slot;
    let sp = this.#sp;
    let lp = this.#lp;
    let ctx = this.#lCtx[lp]!;
    let base = this.#lBase[lp]!;
    let dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
    let pre = this.#pre;
    let memoCount = this.#memoCount;
    let sparse = this.#sparse;
    let seq = this.#seq;
    let base0 = this.#base0;
    let known = this.#knownTop;
    let tapeAt = plan === undefined ? -1 : plan.next(this.#tape) - at;
    let keys = this.#kept.keys;
    let keptAt = this.#kept.at;
    let keptLength = this.#kept.length;
    let keptKinds = this.#kept.kinds;
    let shift = this.#kept.shift;
    let arena = this.#kept.arena;
    let status = WANT_INPUT;
    let need = 1;
    let slow = 0;
    if (!this.#begun) {
      this.#begin();
      o = this.#o;
    }

    loop: for (;;) {
      if (p >= limit) {
        if (this.#frameEnd < 0 || at + p < this.#frameEnd) {
          need = 1;
          break;
        }
        this.#frameEnd = -1;
        limit = this.#end;
        continue;
      }
      if (o >= stopAt) {
        if (o >= this.#drainAt) {
          status = WANT_DRAIN;
          break;
        }
        this.#o = o;
        this.#sp = sp;
        this.#room(1);
        out = this.#out;
        o = this.#o;
        base0 = this.#base0;
        stopAt = Math.min(out.length - MARGIN, this.#drainAt);
        continue;
      }
      const op = inp[p]!;
      let h = o;
      if (p === tapeAt) {
        slow = TAPE;
      } else {
        const min = PUSH_SIZE[op]!;
        if (min !== 0) {
          if (p + min > limit) {
            need = min;
            break;
          }
          if (pre === 1) {
            out[o] = 44;
            out[o + 1] = 32;
            o += 2;
          } else if (pre === 2) {
            if (kind[sp - 1] === NUMBER) {
              const s = start[sp - 1]!;
              for (let i = o; i > s; i--) out[i] = out[i - 1]!;
              out[s] = 34;
              out[o + 1] = 34;
              o += 2;
              h = o;
              kind[sp - 1] = QUOTED;
            }
            out[o] = 58;
            out[o + 1] = 32;
            o += 2;
          } else if (pre >= 4) slow = PREDICT;
        }
      }
      if (slow === 0) {
        const s0 = o;
        let k = 0;
        let np = p + 1;
        switch (op) {
          case 0x8c: // SHORT_BINUNICODE
          case 0x58: // BINUNICODE
          case 0x55: // SHORT_BINSTRING
          case 0x54: { // BINSTRING
            let q = p + 2;
            let n = inp[p + 1]!;
            if (op === 0x58 || op === 0x54) {
              n = view.getUint32(p + 1, true);
              q = p + 5;
            }
            const e = q + n;
            if (e > limit) {
              o = h;
              need = e - p;
              break loop;
            }
            if (n > longest) {
              o = h;
              slow = TEXT;
              break;
            }
            out[o] = 34;
            let w = o + 1;
            while (q < e) {
              const c = inp[q]!;
              if (plain[c] === 0) break;
              out[w++] = c;
              q++;
            }
            if (q < e || (op < 0x58 && !textOf2)) {
              o = h;
              slow = TEXT;
              break;
            }
            out[w] = 34;
            o = w + 1;
            k = STRING;
            np = e;
            break;
          }
          case 0x68: // BINGET
          case 0x6a: { // LONG_BINGET
            let slot = inp[p + 1]!;
            np = p + 2;
            if (op === 0x6a) {
              slot = view.getUint32(p + 1, true);
              np = p + 5;
            }
            const mask = keys.length - 1;
            let i = Math.imul(slot, multiplier) >>> shift;
            let from = keptAt[i]!;
            while (from !== 0 && keys[i] !== slot) {
              i = (i + 1) & mask;
              from = keptAt[i]!;
            }
            const n = keptLength[i]!;
            if (from === 0 || n > 2048 || keptKinds[i]! > QUOTED) {
              o = h;
              slow = FETCH;
              break;
            }
            from--;
            for (let j = 0; j < n; j++) out[o + j] = arena[from + j]!;
            o += n;
            k = keptKinds[i]!;
            break;
          }
          case 0x94: // MEMOIZE
          case 0x71: // BINPUT
          case 0x72: { // LONG_BINPUT
            let slot = memoCount;
            if (op === 0x71) {
              if (p + 2 > limit) {
                need = 2;
                break loop;
              }
              slot = inp[p + 1]!;
              np = p + 2;
            } else if (op === 0x72) {
              if (p + 5 > limit) {
                need = 5;
                break loop;
              }
              slot = view.getUint32(p + 1, true);
              np = p + 5;
            }
            const t = sp - 1;
            const k2 = kind[t]!;
            if (
              slot !== memoCount || sp === base || (sparse && op === 0x94) ||
              STORED_AT_ONCE[k2] === 0
            ) {
              slow = STORE;
              break;
            }
            if (refs !== undefined) {
              if (((refs[slot >> 3]! >> (slot & 7)) & 1) === 1) {
                slow = STORE;
                break;
              }
            } else {
              const i = slot & mMask;
              mSlot[i] = slot;
              mKind[i] = k2;
              mStart[i] = base0 + start[t]!;
              if (k2 >= OPEN_LIST) {
                mEnd[i] = -1;
                slots[t] = slot;
              } else {
                mEnd[i] = base0 + o;
              }
              mSeq[i] = seq;
              mOrder[seq & mMask] = i;
              seq = (seq + 1) | 0;
            }
            memoCount++;
            p = np;
            break;
          }
          case 0x4b: // BININT1
            o = writeInt(out, o, inp[p + 1]!);
            k = NUMBER;
            np = p + 2;
            break;
          case 0x4d: // BININT2
            o = writeInt(out, o, inp[p + 1]! | (inp[p + 2]! << 8));
            k = NUMBER;
            np = p + 3;
            break;
          case 0x4a: // BININT
            o = writeInt(out, o, view.getInt32(p + 1, true));
            k = NUMBER;
            np = p + 5;
            break;
          case 0x47: { // BINFLOAT
            const x = view.getFloat64(p + 1);
            if (!allowNaN && x - x !== 0) {
              throw notCompliant(x);
            }
            o = writeFloat(out, o, x);
            k = NUMBER;
            np = p + 9;
            break;
          }
          case 0x8a: { // LONG1
            const n = inp[p + 1]!;
            if (p + 2 + n > limit) {
              o = h;
              need = 2 + n;
              break loop;
            }
            if (n > 6 && fewDigits) {
              o = h;
              slow = OTHER;
              break;
            }
            o = writeAscii(out, o, longText(inp, { at: p + 2, size: n }));
            k = NUMBER;
            np = p + 2 + n;
            break;
          }
          case 0x4e: // NONE
            out[o] = 110;
            out[o + 1] = 117;
            out[o + 2] = 108;
            out[o + 3] = 108;
            o += 4;
            k = NUMBER;
            break;
          case 0x88: // NEWTRUE
            out[o] = 116;
            out[o + 1] = 114;
            out[o + 2] = 117;
            out[o + 3] = 101;
            o += 4;
            k = NUMBER;
            break;
          case 0x89: // NEWFALSE
            out[o] = 102;
            out[o + 1] = 97;
            out[o + 2] = 108;
            out[o + 3] = 115;
            out[o + 4] = 101;
            o += 5;
            k = NUMBER;
            break;
          case 0x5d: // EMPTY_LIST
            out[o++] = 91;
            k = OPEN_LIST;
            count[sp] = 0;
            slots[sp] = -1;
            break;
          case 0x7d: // EMPTY_DICT
            out[o++] = 123;
            k = OPEN_DICT;
            count[sp] = 0;
            slots[sp] = -1;
            break;
          case 0x29: // EMPTY_TUPLE
            out[o] = 91;
            out[o + 1] = 93;
            o += 2;
            k = TUPLE;
            break;
          case 0x28: { // MARK
            if (pre >= 4) {
              const k2 = kind[sp - 1]!;
              if (k2 > OPEN_DICT || (plan !== undefined && sp - 1 !== known)) {
                slow = MARKED;
                break;
              }
              kind[sp] = MARK;
              head[sp] = start[sp] = o;
              pos[sp] = at + p;
              sp++;
              base = sp;
              ctx = k2 === OPEN_LIST ? LIST_BATCH : DICT_BATCH;
              dict = k2 === OPEN_LIST ? 0 : 1;
              pre = count[sp - 2]! > 0 ? 1 : 0;
              this.#pushLevel(ctx, base, false);
              lp++;
              p++;
              break;
            }
            slow = MARKED;
            break;
          }
          case 0x75: { // SETITEMS
            if (pre >= 4) {
              slow = CLOSE;
              break;
            }
            const n = sp - base;
            const T = base - 2;
            if (
              ctx !== DICT_BATCH || (n & 1) !== 0 || n > 128 || n === batch2 ||
              T === known || count[T] !== 0
            ) {
              slow = SETITEMS;
              break;
            }
            // All keys must be keys, and no two of them equal.
            if (n > 2) {
              const tag = ++dupTag;
              for (let i = base; i < sp; i += 2) {
                const k2 = kind[i]!;
                const s = start[i]!;
                const e = head[i + 1]!;
                if (k2 !== STRING && (k2 !== QUOTED || !isInt(out, s, e))) {
                  slow = SETITEMS;
                  break;
                }
                let hash = Math.imul(
                  out[s + 1]! | (out[(s + e) >> 1]! << 8) |
                    (out[e - 2]! << 16) | (out[e - 3]! << 24),
                  0x9e3779b1,
                );
                hash = Math.imul(
                  hash ^ out[s + 2]! ^ ((e - s) << 8) ^ (hash >>> 15),
                  0x85ebca6b,
                ) >>> 20;
                while (dupSeen[hash] === tag) {
                  const other = dupEntry[hash]!;
                  if (
                    sameText(
                      out,
                      { from: s, to: e },
                      { from: start[other]!, to: head[other + 1]! },
                    )
                  ) {
                    slow = SETITEMS;
                    break;
                  }
                  hash = (hash + 1) & (DUP_SIZE - 1);
                }
                dupSeen[hash] = tag;
                dupEntry[hash] = i;
              }
              if (slow !== 0) break;
            } else if (
              n === 2 && kind[base] !== STRING && kind[base] !== QUOTED
            ) {
              slow = SETITEMS;
              break;
            }
            sp = T + 1;
            count[T] = n >> 1;
            lp--;
            this.#lp = lp;
            ctx = this.#lCtx[lp]!;
            base = this.#lBase[lp]!;
            dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
            out[o++] = 125;
            kind[T] = DICT;
            pre = 1 + (dict & (sp - base));
            if (slots[T]! >= 0) slow = CLOSED;
            p++;
            break;
          }
          case 0x65: { // APPENDS
            if (pre >= 4) {
              slow = CLOSE;
              break;
            }
            const T = base - 2;
            if (ctx !== LIST_BATCH || T === known) {
              slow = APPENDS;
              break;
            }
            const n = sp - base;
            sp = T + 1;
            count[T]! += n;
            lp--;
            this.#lp = lp;
            ctx = this.#lCtx[lp]!;
            base = this.#lBase[lp]!;
            dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
            p++;
            if (n === batch) {
              pre = 4;
              break;
            }
            out[o++] = 93;
            kind[T] = LIST;
            pre = 1 + (dict & (sp - base));
            if (slots[T]! >= 0) slow = CLOSED;
            break;
          }
          case 0x61: { // APPEND
            if (pre >= 4) {
              slow = CLOSE;
              break;
            }
            const T = base - 1;
            if (ctx !== ONE_ITEM || sp - base !== 1 || T === known) {
              slow = APPEND;
              break;
            }
            sp = base;
            count[T]! += 1;
            lp--;
            this.#lp = lp;
            ctx = this.#lCtx[lp]!;
            base = this.#lBase[lp]!;
            dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
            p++;
            if (kind[T] === OPEN_LIST0) {
              pre = 4;
              break;
            }
            out[o++] = 93;
            kind[T] = LIST;
            pre = 1 + (dict & (sp - base));
            if (slots[T]! >= 0) slow = CLOSED;
            break;
          }
          case 0x73: { // SETITEM
            if (pre >= 4) {
              slow = CLOSE;
              break;
            }
            const T = base - 1;
            if (
              ctx !== ONE_PAIR || sp - base !== 2 || T === known ||
              kind[T] !== OPEN_DICT || count[T] !== 0 ||
              (kind[base] !== STRING && kind[base] !== QUOTED)
            ) {
              slow = SETITEM;
              break;
            }
            sp = base;
            count[T]! += 1;
            lp--;
            this.#lp = lp;
            ctx = this.#lCtx[lp]!;
            base = this.#lBase[lp]!;
            dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
            p++;
            out[o++] = 125;
            kind[T] = DICT;
            pre = 1 + (dict & (sp - base));
            if (slots[T]! >= 0) slow = CLOSED;
            break;
          }
          case 0x74: // TUPLE
            if (pre >= 4) {
              slow = CLOSE;
              break;
            }
            if (ctx !== TUPLE_MARK) {
              slow = TUPLES;
              break;
            }
            out[o++] = 93;
            sp = base;
            kind[sp - 1] = TUPLE;
            lp--;
            this.#lp = lp;
            ctx = this.#lCtx[lp]!;
            base = this.#lBase[lp]!;
            dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
            pre = 1 + (dict & (sp - base));
            p++;
            break;
          case 0x85: // TUPLE1
          case 0x86: // TUPLE2
          case 0x87: { // TUPLE3
            if (pre >= 4) {
              slow = CLOSE;
              break;
            }
            const n = op - 0x84;
            const f = sp - n;
            if (
              f < base || ctx === KNOWN_TUPLE ||
              (dict === 1 && n > 1 && (n === 3 || ((f - base) & 1) === 0)) ||
              start[f]! < this.#drained || o - start[f]! > 512
            ) {
              slow = TUPLES;
              break;
            }
            const s = start[f]!;
            for (let i = o; i > s; i--) out[i] = out[i - 1]!;
            out[s] = 91;
            out[o + 1] = 93;
            o += 2;
            if (plan === undefined && seq !== this.#seqFloor) {
              const last = mOrder[(seq - 1) & mMask]!;
              if (mStart[last]! >= base0 + s) {
                this.#seq = seq;
                this.#shiftSlots(base0 + s, 1);
              }
            }
            kind[f] = TUPLE;
            sp = f + 1;
            pre = 1 + (dict & (sp - base));
            p++;
            break;
          }
          case 0x80: // PROTO
            if (p + 2 > limit) {
              need = 2;
              break loop;
            }
            if (inp[p + 1]! > 5) {
              slow = OTHER;
              break;
            }
            this.#protocol = inp[p + 1]!;
            p += 2;
            break;
          case 0x95: { // FRAME
            if (p + 9 > limit) {
              need = 9;
              break loop;
            }
            const n = view.getUint32(p + 1, true) +
              view.getUint32(p + 5, true) * 0x100000000;
            this.#lastFrameEnd = at + p + 9 + n;
            if (this.#options.lenientFrames !== true) {
              if (this.#frameEnd >= 0) {
                throw new Snag("a frame begins within another", "bad-frame");
              }
              this.#frameEnd = at + p + 9 + n;
              limit = Math.min(this.#end, p + 9 + n);
            }
            p += 9;
            break;
          }
          default:
            o = h;
            slow = OTHER;
        }
        if (k !== 0) {
          kind[sp] = k;
          head[sp] = h;
          start[sp] = s0;
          pos[sp] = at + p;
          sp++;
          pre = k >= OPEN_LIST ? 4 : 1 + (dict & (sp - base));
          p = np;
          continue;
        }
        if (slow === 0) continue;
      }
      // One place that hands over and takes back.
      this.#p = p;
      this.#o = o;
      this.#sp = sp;
      this.#lp = lp;
      this.#pre = pre;
      this.#memoCount = memoCount;
      this.#seq = seq;
      const result = this.#slow(slow);
      slow = 0;
      if (result !== 0) {
        if (result > 0) {
          this.#need = result;
          return this.#wantMore(limit);
        }
        return CHANGED;
      }
      p = this.#p;
      out = this.#out;
      o = this.#o;
      stopAt = Math.min(out.length - MARGIN, this.#drainAt);
      sp = this.#sp;
      lp = this.#lp;
      ctx = this.#lCtx[lp]!;
      base = this.#lBase[lp]!;
      dict = ctx === DICT_BATCH || ctx === ONE_PAIR ? 1 : 0;
      pre = this.#pre;
      memoCount = this.#memoCount;
      sparse = this.#sparse;
      seq = this.#seq;
      base0 = this.#base0;
      known = this.#knownTop;
      if (plan !== undefined) tapeAt = plan.next(this.#tape) - at;
      keys = this.#kept.keys;
      keptAt = this.#kept.at;
      keptLength = this.#kept.length;
      keptKinds = this.#kept.kinds;
      shift = this.#kept.shift;
      arena = this.#kept.arena;
    }
    this.#p = p;
    this.#o = o;
    this.#sp = sp;
    this.#lp = lp;
    this.#pre = pre;
    this.#memoCount = memoCount;
    this.#seq = seq;
    if (status !== WANT_INPUT) return status;
    this.#need = need;
    return this.#wantMore(limit);
  }

  /** An opcode has not wholly arrived, or goes beyond its frame. */
  #wantMore(limit: number): number {
    if (
      limit < this.#end && this.#p < limit &&
      this.#need <= this.#end - this.#p
    ) throw new Snag("an argument goes beyond its frame", "bad-frame");
    if (
      this.#in[this.#p] === 0x54 && this.#end - this.#p >= 5 &&
      this.#view.getInt32(this.#p + 1, true) < 0
    ) throw new Snag("the length of a string is negative", "bad-length");
    // What is only said to be long takes nothing yet.
    if (
      this.#need > this.#end - this.#p &&
      this.#end - this.#p - 9 > this.#limits.argumentLength
    ) {
      throw new LimitError("argumentLength", this.#limits.argumentLength, {
        offset: this.#at + this.#p,
      });
    }
    return WANT_INPUT;
  }

  #growMemo(size: number): void {
    const old = this.#mSlot.length;
    const most = Math.min(1 << 19, Math.max(1024, this.#limits.memo));
    let wanted = old;
    while (wanted < this.#seq + size && wanted < most) wanted *= 2;
    if (wanted === old) return;
    const from = Math.max(this.#seqFloor, this.#seq - old);
    const { mSlot, mKind, mStart, mEnd, mSeq, mOrder } = {
      mSlot: this.#mSlot,
      mKind: this.#mKind,
      mStart: this.#mStart,
      mEnd: this.#mEnd,
      mSeq: this.#mSeq,
      mOrder: this.#mOrder,
    };
    this.#mSlot = new Uint32Array(wanted);
    this.#mKind = new Uint8Array(wanted);
    this.#mStart = new Float64Array(wanted);
    this.#mEnd = new Float64Array(wanted);
    this.#mSeq = new Int32Array(wanted).fill(-1);
    this.#mOrder = new Int32Array(wanted);
    for (let seq = from; seq < this.#seq; seq++) {
      const i = mOrder[seq & (old - 1)]!;
      if (mSeq[i] !== seq) continue;
      const j = mSlot[i]! & (wanted - 1);
      this.#mSlot[j] = mSlot[i]!;
      this.#mKind[j] = mKind[i]!;
      this.#mStart[j] = mStart[i]!;
      this.#mEnd[j] = mEnd[i]!;
      this.#mSeq[j] = seq;
      this.#mOrder[seq & (wanted - 1)] = j;
    }
  }

  /** The first that is still known of what was stored. */
  #firstSeq(): number {
    return Math.max(this.#seqFloor, this.#seq - this.#mSlot.length + 1);
  }

  /** Text from an offset on has moved: so have the slots in it. */
  #shiftSlots(from: number, by: number): void {
    const mask = this.#mSlot.length - 1;
    const stop = this.#firstSeq();
    for (let seq = this.#seq - 1; seq >= stop; seq--) {
      const i = this.#mOrder[seq & mask]!;
      if (this.#mSeq[i] !== seq) continue;
      if (this.#mStart[i]! < from) return;
      this.#mStart[i]! += by;
      if (this.#mEnd[i]! >= 0) this.#mEnd[i]! += by;
    }
  }

  // ---------------------------------------------------- outside of the loop

  /** 0: go on; a positive number: that many bytes are wanted; -1: the mode has changed. */
  #slow(what: number): number {
    switch (what) {
      case PREDICT:
        this.#predict();
        return 0;
      case CLOSE:
        this.#close();
        return 0;
      case MARKED:
        return this.#mark();
      case APPENDS:
        return this.#appends();
      case SETITEMS:
        return this.#setItems();
      case APPEND:
        return this.#append();
      case SETITEM:
        return this.#setItem();
      case TUPLES:
        return this.#tuple();
      case FETCH:
        return this.#fetch();
      case STORE:
        return this.#store();
      case TEXT:
        return this.#text();
      case CLOSED:
        this.#closeSlot(this.#sp - 1, this.#o);
        return 0;
      case TAPE:
        return this.#enterTape();
      default:
        return this.#other();
    }
  }

  /** A value comes, and the top is an open container: its child, or not? */
  #predict(): void {
    const top = this.#sp - 1;
    const op = this.#in[this.#p]!;
    const kind = this.#kind[top]!;
    const known = top === this.#knownTop;
    const list = (kind & 1) === 0;
    if (!known) {
      const slot = op === 0x68
        ? this.#in[this.#p + 1]!
        : op === 0x6a
        ? this.#view.getUint32(this.#p + 1, true)
        : op === 0x67
        ? this.#lineNumber()
        : -1;
      if (
        // Its own child: that would be a cycle, so it is a sibling.
        (slot >= 0 && slot === this.#slot[top]) ||
        // What comes next shows that nothing more is put into it. (After a
        // full batch only the pure-Python pickler ever puts a single item.)
        (kind <= OPEN_DICT && !this.#mayBeChild(list, this.#count[top]! > 0)) ||
        // Nothing that is no key.
        (!list && (op === 0x5d || op === 0x7d || op === 0x29)) ||
        // An old one would be on the tape if it got more.
        (this.#plan !== undefined && this.#isOld(top))
      ) return this.#close();
    }
    this.#pushLevel(list ? ONE_ITEM : ONE_PAIR, this.#sp, known);
    this.#pre = this.#count[top]! > 0 ? 1 : 0;
  }

  /** Looks ahead: is it possible that one item (or pair) follows for the top? */
  #mayBeChild(list: boolean, filled: boolean): boolean {
    let at = this.#p;
    for (let n = list ? 1 : 2; n > 0; n--) {
      const op = at < this.#end ? this.#in[at]! : 0;
      // What is more than an atom may be anything.
      if (PUSH_SIZE[op] === 0 || op === 0x5d || op === 0x7d) return !filled;
      const size = opcodeSize(this.#in, { at, end: this.#end, scanned: 0 });
      if (size < 0) return true;
      at += size;
      const memo = this.#in[at];
      if (at < this.#end) {
        at += memo === 0x94 ? 1 : memo === 0x71 ? 2 : memo === 0x72 ? 5 : 0;
      }
    }
    return at >= this.#end || this.#in[at] === (list ? 0x61 : 0x73);
  }

  #isOld(entry: number): boolean {
    return this.#pos[entry]! <= this.#plan!.before(this.#at + this.#p);
  }

  /** The number on the line of a GET or PUT, or -1. */
  #lineNumber(): number {
    const from = this.#p + 1;
    const end = findLineBreak(this.#in, { from, end: this.#end });
    if (end < 0 || end - this.#p > 12) return -1;
    const text = decodeLatin1(this.#in.subarray(this.#p + 1, end));
    return /^\d+$/.test(text) ? Number(text) : -1;
  }

  /** What stands before the next item. */
  #separate(): void {
    this.#room(8);
    // The loop has made room; a write beyond the end would be lost in silence.
    if (this.#sp + 4 > this.#kind.length) {
      throw new Snag("its stack grows faster than its bytes");
    }
    const top = this.#sp - 1;
    if (this.#pre === 1) {
      this.#out[this.#o++] = 44;
      this.#out[this.#o++] = 32;
    } else if (this.#pre === 2) {
      if (this.#kind[top] === NUMBER) {
        const from = this.#start[top]!;
        this.#out.copyWithin(from + 1, from, this.#o);
        this.#out[from] = 34;
        this.#out[this.#o + 1] = 34;
        this.#o += 2;
        this.#kind[top] = QUOTED;
      }
      this.#out[this.#o++] = 58;
      this.#out[this.#o++] = 32;
    }
    this.#head[this.#sp] = this.#o -
      (this.#pre === 1 || this.#pre === 2 ? 2 : 0);
    this.#start[this.#sp] = this.#o;
    this.#pos[this.#sp] = this.#at + this.#p;
  }

  /** The entry whose text `#separate` began is whole. */
  #push(kind: number): void {
    this.#kind[this.#sp++] = kind;
    this.#setPre();
  }

  #mark(): number {
    const top = this.#sp - 1;
    if (this.#pre >= 4) {
      const kind = this.#kind[top]!;
      if (
        kind <= OPEN_DICT &&
        (top === this.#knownTop || this.#plan === undefined ||
          !this.#isOld(top))
      ) {
        this.#kind[this.#sp] = MARK;
        this.#head[this.#sp] = this.#start[this.#sp] = this.#o;
        this.#pos[this.#sp] = this.#at + this.#p;
        this.#sp++;
        this.#pushLevel(
          kind === OPEN_LIST ? LIST_BATCH : DICT_BATCH,
          this.#sp,
          false,
        );
        this.#setPre();
        this.#p++;
        return 0;
      }
      if (
        kind === OPEN_LIST0 &&
        (top === this.#knownTop || this.#plan === undefined ||
          !this.#isOld(top))
      ) {
        this.#pushLevel(ONE_ITEM, this.#sp, top === this.#knownTop);
        this.#pre = this.#count[top]! > 0 ? 1 : 0;
      } else this.#close();
    }
    this.#separate();
    this.#out[this.#o++] = 91;
    this.#slot[this.#sp] = -1;
    this.#count[this.#sp] = 0;
    this.#kind[this.#sp++] = MARK;
    this.#pushLevel(TUPLE_MARK, this.#sp, false);
    this.#pre = 0;
    this.#p++;
    return 0;
  }

  /** Ends one-item levels above `level`: their containers are siblings. */
  #demote(level: number): void {
    if (level === this.#lp) return;
    for (let i = this.#lp; i > level; i--) {
      const ctx = this.#lCtx[i];
      if ((ctx !== ONE_ITEM && ctx !== ONE_PAIR) || this.#lKnown[i] === 1) {
        throw new Snag("its opcodes come in an order that no pickler writes");
      }
      const container = this.#lBase[i]! - 1;
      this.#kind[container] = (this.#kind[container]! & 1) === 0
        ? CLOSING_LIST
        : CLOSING_DICT;
    }
    const from = this.#lBase[level + 1]! - 1;
    this.#lp = level;
    this.#relayout(from);
    this.#setPre();
  }

  /** Ends all one-item levels down to the next MARK (or the bottom). */
  #demoteToMark(): void {
    let level = this.#lp;
    while (
      level > 0 &&
      (this.#lCtx[level] === ONE_ITEM || this.#lCtx[level] === ONE_PAIR)
    ) level--;
    this.#demote(level);
  }

  /** Writes the text of all entries from `from` on anew, as their levels say. */
  #relayout(from: number): void {
    const s0 = this.#head[from]!;
    if (s0 < this.#drained || s0 < 0) {
      throw new Snag("what it begins with shows only later what it is");
    }
    const size = this.#o - s0;
    this.#moved += size;
    if (this.#moved > 64 * (this.#base0 + this.#o) + (64 << 20)) {
      throw new Snag("its tuples nest too deep");
    }
    const oldEnd = this.#o;
    const n = this.#sp - from;
    if (size > this.#oldText.length) this.#oldText = new Uint8Array(size * 2);
    if (n > this.#oldHead.length) {
      this.#oldHead = new Int32Array(n * 2);
      this.#oldStart = new Int32Array(n * 2);
    }
    const old = this.#oldText;
    const oldHead = this.#oldHead;
    const oldStart = this.#oldStart;
    if (size < 64) {
      for (let i = 0; i < size; i++) old[i] = this.#out[s0 + i]!;
    } else old.set(this.#out.subarray(s0, oldEnd));
    for (let i = 0; i < n; i++) {
      oldHead[i] = this.#head[from + i]!;
      oldStart[i] = this.#start[from + i]!;
    }
    // #room may move everything down; the copies go with it.
    const before = this.#base0;
    this.#room(n * 8 + 64);
    const shift = this.#base0 - before;
    const out = this.#out;
    const closings: number[] = [];
    let w = s0 - shift;
    let level = this.#lp;
    while (this.#lBase[level]! > from) level--;
    for (let j = 0; j < n; j++) {
      const i = from + j;
      while (level < this.#lp && i >= this.#lBase[level + 1]!) level++;
      let kind = this.#kind[i]!;
      const begin = this.#lBase[level]!;
      const ctx = this.#lCtx[level]!;
      const above = level < this.#lp && this.#lBase[level + 1] === i + 1
        ? this.#lCtx[level + 1]!
        : TOP;
      this.#head[i] = w;
      if (kind === MARK && (above === LIST_BATCH || above === DICT_BATCH)) {
        this.#start[i] = w;
        continue;
      }
      const dict = ctx === DICT_BATCH || ctx === ONE_PAIR;
      const nth = i - begin;
      if (nth > 0 || this.#hasContent(level)) {
        out[w++] = dict && (nth & 1) === 1 ? 58 : 44;
        out[w++] = 32;
      }
      this.#start[i] = w;
      if (kind === MARK || kind === KNOWN) {
        out[w++] = 91;
        continue;
      }
      if (kind === REGION) continue;
      let a = oldStart[j]! - s0;
      let b = (j + 1 < n ? oldHead[j + 1]! : oldEnd) - s0;
      if (kind === QUOTED) {
        a++;
        b--;
        kind = NUMBER;
      }
      if (kind === NUMBER && dict && (nth & 1) === 0 && j + 1 < n) {
        kind = QUOTED;
        out[w++] = 34;
      }
      if (b - a < 32) { for (let q = a; q < b; q++) out[w++] = old[q]!; }
      else {
        out.set(old.subarray(a, b), w);
        w += b - a;
      }
      if (kind === QUOTED) out[w++] = 34;
      else if (kind === REOPEN_LIST || kind === REOPEN_DICT) {
        w--;
        kind = kind === REOPEN_LIST ? OPEN_LIST : OPEN_DICT;
      } else if (kind === CLOSING_LIST || kind === CLOSING_DICT) {
        out[w++] = kind === CLOSING_LIST ? 93 : 125;
        kind = kind === CLOSING_LIST ? LIST : DICT;
        closings.push(i, w);
      }
      this.#kind[i] = kind;
    }
    this.#o = w;
    if (this.#plan === undefined) {
      const mask = this.#mSlot.length - 1;
      const stop = this.#firstSeq();
      const low = this.#base0 - shift;
      let j = n - 1;
      for (let seq = this.#seq - 1; seq >= stop; seq--) {
        const m = this.#mOrder[seq & mask]!;
        if (this.#mSeq[m] !== seq) continue;
        const offset = this.#mStart[m]! - low;
        if (offset < oldStart[0]!) break;
        while (oldStart[j]! > offset) j--;
        const by = this.#start[from + j]! + shift - oldStart[j]!;
        this.#mStart[m]! += by;
        if (this.#mEnd[m]! >= 0) this.#mEnd[m]! += by;
      }
    }
    for (let i = 0; i < closings.length; i += 2) {
      this.#closeSlot(closings[i]!, closings[i + 1]!);
    }
  }

  /** The level that the opcode needs is not the one that is. */
  #unexpected(): never {
    throw new Snag("its opcodes come in an order that no pickler writes");
  }

  #appends(): number {
    this.#demoteToMark();
    if (this.#lCtx[this.#lp] !== LIST_BATCH) {
      this.#reopen(this.#lBase[this.#lp]! - 2, LIST_BATCH);
      return 0;
    }
    const T = this.#lBase[this.#lp]! - 2;
    if (T !== this.#knownTop) return 0;
    this.#count[T]! += this.#sp - T - 2;
    this.#sp = T + 1;
    this.#lp--;
    this.#extended(this.#at + this.#p);
    this.#p++;
    return 0;
  }

  /** A list or dict that was taken for whole gets more. */
  #reopen(target: number, ctx: number): void {
    const lp = this.#lp;
    const list = ctx === ONE_ITEM || ctx === LIST_BATCH;
    const batch = ctx === LIST_BATCH || ctx === DICT_BATCH;
    if (target < 0 || (batch && this.#lCtx[lp] !== TUPLE_MARK)) {
      this.#unexpected();
    }
    // It belongs to the level below where its items have a MARK of their own.
    const level = batch ? lp - 1 : lp;
    if (target < this.#lBase[level]!) this.#unexpected();
    const slot = this.#slot[target]!;
    if (
      this.#kind[target] !== (list ? LIST : DICT) || slot === LATE ||
      (slot >= 0 && this.#copied.has(slot))
    ) this.#lateMutation();
    this.#kind[target] = list ? REOPEN_LIST : REOPEN_DICT;
    if (batch) this.#lCtx[lp] = ctx;
    else this.#pushLevel(ctx, target + 1, false);
    this.#relayout(target);
    // What was kept of it is no longer all of it.
    if (slot >= 0 && this.#kept.has(slot)) {
      this.#kept.set(slot, { kind: GONE, out: this.#out, from: 0, to: 0 });
    }
    // More may follow one by one.
    if (!batch && this.#count[target]! > 0) {
      this.#kind[target] = list ? OPEN_LIST0 : OPEN_DICT0;
    }
    if (slot >= 0 && this.#plan === undefined) {
      const i = slot & (this.#mSlot.length - 1);
      if (this.#mSlot[i] === slot && this.#mSeq[i]! >= this.#firstSeq()) {
        this.#mEnd[i] = -1;
      }
    }
    this.#setPre();
  }

  #lateMutation(): never {
    throw new Snag("it adds to a list or dict that is already written");
  }

  /** A container of the tape has got more; was that its last? */
  #extended(at: number): void {
    const end = this.#knownEnd.at(-1)!;
    if (at === end) this.#close();
    else if (at > end) this.#unexpected();
    else this.#setPre();
  }

  #append(): number {
    const lp = this.#lp;
    const target = this.#sp - 2;
    const ctx = this.#lCtx[lp]!;
    const base = this.#lBase[lp]!;
    if ((ctx === ONE_ITEM || ctx === ONE_PAIR) && target < base - 1) {
      this.#demote(lp - 1);
      return 0;
    }
    if (ctx !== ONE_ITEM || target !== base - 1) {
      this.#reopen(target, ONE_ITEM);
      return 0;
    }
    this.#count[target]!++;
    this.#sp = base;
    this.#lp--;
    this.#extended(this.#at + this.#p);
    this.#p++;
    return 0;
  }

  #setItem(): number {
    const lp = this.#lp;
    const target = this.#sp - 3;
    const ctx = this.#lCtx[lp]!;
    const base = this.#lBase[lp]!;
    if ((ctx === ONE_ITEM || ctx === ONE_PAIR) && target < base - 1) {
      this.#demote(lp - 1);
      return 0;
    }
    if (ctx !== ONE_PAIR || target !== base - 1) {
      this.#reopen(target, ONE_PAIR);
      return 0;
    }
    this.#checkKeys(base, target);
    this.#count[target]!++;
    this.#sp = base;
    this.#lp--;
    this.#p++;
    if (target === this.#knownTop) this.#extended(this.#at + this.#p - 1);
    else if (this.#kind[target] === OPEN_DICT0) this.#setPre();
    else this.#close();
    return 0;
  }

  #setItems(): number {
    this.#demoteToMark();
    if (this.#lCtx[this.#lp] !== DICT_BATCH) {
      this.#reopen(this.#lBase[this.#lp]! - 2, DICT_BATCH);
      return 0;
    }
    const base = this.#lBase[this.#lp]!;
    const T = base - 2;
    const n = this.#sp - base;
    if ((n & 1) !== 0) throw new Snag("a key has no value", "odd-items");
    this.#checkKeys(base, T);
    this.#count[T]! += n >> 1;
    this.#sp = T + 1;
    this.#lp--;
    this.#p++;
    if (T === this.#knownTop) this.#extended(this.#at + this.#p - 1);
    else if (n === 2 * this.#batch) this.#setPre();
    else this.#close();
    return 0;
  }

  /** Keys from `from` on must be keys, and new to the dict at `target`. */
  #checkKeys(from: number, target: number): void {
    const out = this.#out;
    const n = (this.#sp - from) >> 1;
    const later = this.#count[target]! > 0;
    const more = later || n >= this.#batch || target === this.#knownTop ||
      this.#kind[target] === OPEN_DICT0;
    let set: KeySet | undefined;
    if (more) {
      set = this.#keySets.get(target);
      if (set === undefined) {
        set = new KeySet(this.#keyBudget);
        this.#keySets.set(target, set);
      }
      if (!later) {
        if (this.#keyBudget.left < this.#limits.memoBytes / 2) this.#tidyKeys();
        set.begin(this.#pos[target]!);
      } else if (set.owner !== this.#pos[target]) {
        this.#firstKey(target, set);
      }
    }
    const seen = n > 1 && set === undefined ? new Set<string>() : undefined;
    for (let i = from; i < this.#sp; i += 2) {
      const kind = this.#kind[i]!;
      if (kind !== STRING && kind !== QUOTED) {
        throw new Snag(
          "a key of a dict is no str, int, float, bool or None",
        );
      }
      const start = this.#start[i]!;
      const end = this.#head[i + 1]!;
      if (set !== undefined && kind === STRING) {
        this.#addKey(set, out, start, end);
        continue;
      }
      if (set === undefined && seen === undefined) continue;
      let text = decodeLatin1(out.subarray(start, end));
      if (kind === QUOTED) text = numberKey(text);
      if (set !== undefined) {
        const key = encodeUtf8(text);
        this.#addKey(set, key, 0, key.length);
      } else {
        if (seen!.has(text)) throw new Snag("a dict has a key twice");
        seen!.add(text);
      }
    }
  }

  /** Lets go of the keys of dicts that are no longer open. */
  #tidyKeys(): void {
    for (const [entry, set] of this.#keySets) {
      if (entry >= this.#sp || this.#pos[entry] !== set.owner) set.begin(-1);
    }
  }

  #addKey(set: KeySet, bytes: Uint8Array, from: number, to: number): void {
    const answer = set.add(bytes, from, to);
    if (answer === NEW) return;
    throw new Snag(
      answer === SEEN
        ? "a dict has a key twice"
        : "a dict has more keys than limits.memoBytes allows to tell apart",
    );
  }

  /** Recalls the one key of a dict that was taken for whole. */
  #firstKey(target: number, set: KeySet): void {
    const from = this.#start[target]! + 1;
    if (this.#count[target] !== 1 || from <= this.#drained) {
      throw new Snag("a dict gets its keys bit by bit");
    }
    const out = this.#out;
    let to = from + 1;
    while (out[to] !== 34) to += out[to] === 92 ? 2 : 1;
    set.begin(this.#pos[target]!);
    this.#addKey(set, out, from, ++to);
    // It may have been a number.
    const key = encodeUtf8(numberKey(decodeLatin1(out.subarray(from, to))));
    this.#addKey(set, key, 0, key.length);
  }

  #tuple(): number {
    const op = this.#in[this.#p]!;
    if (op === 0x74) {
      this.#demoteToMark();
      const lp = this.#lp;
      const ctx = this.#lCtx[lp]!;
      if (ctx === TUPLE_MARK) return 0;
      if (ctx !== LIST_BATCH && ctx !== DICT_BATCH) this.#unexpected();
      // No batch after all, but a tuple: in a list (or beside it).
      this.#markIsValue();
      return 0;
    }
    const n = op - 0x84;
    const first = this.#sp - n;
    if (first < 0) throw new Snag("the stack is empty", "stack-underflow");
    let lp = this.#lp;
    if (
      this.#lCtx[lp] === KNOWN_TUPLE && this.#lBase[lp] === first &&
      this.#lEnd[lp] === this.#at + this.#p
    ) {
      this.#room(1);
      this.#out[this.#o++] = 93;
      this.#sp = first;
      this.#kind[first - 1] = TUPLE;
      this.#lp--;
      this.#setPre();
      this.#p++;
      return 0;
    }
    while (this.#lBase[lp]! > first) lp--;
    if (lp < this.#lp) {
      this.#demote(lp);
      return 0;
    }
    if (this.#start[first]! < this.#drained || this.#start[first]! < 0) {
      throw new Snag("what it begins with shows only later that it is a tuple");
    }
    // As if there had been a MARK.
    for (let i = this.#sp - 1; i >= first; i--) {
      this.#kind[i + 1] = this.#kind[i]!;
      this.#head[i + 1] = this.#head[i]!;
      this.#start[i + 1] = this.#start[i]!;
      this.#pos[i + 1] = this.#pos[i]!;
      this.#count[i + 1] = this.#count[i]!;
      this.#slot[i + 1] = this.#slot[i]!;
    }
    this.#sp++;
    this.#kind[first] = MARK;
    this.#slot[first] = -1;
    this.#pushLevel(TUPLE_MARK, first + 1, false);
    this.#relayout(first);
    this.#out[this.#o++] = 93;
    this.#sp = first + 1;
    this.#kind[first] = TUPLE;
    this.#lp--;
    this.#setPre();
    this.#p++;
    return 0;
  }

  /** The MARK that was taken for a batch begins a value instead. */
  #markIsValue(): void {
    const base = this.#lBase[this.#lp]!;
    const T = base - 2;
    const known = T === this.#knownTop;
    this.#lp--;
    if (this.#kind[T] === OPEN_LIST) {
      this.#pushLevel(ONE_ITEM, base - 1, known);
      this.#pushLevel(TUPLE_MARK, base, false);
      this.#relayout(base - 1);
    } else {
      if (known) this.#unexpected();
      this.#kind[T] = CLOSING_DICT;
      this.#pushLevel(TUPLE_MARK, base, false);
      this.#relayout(T);
    }
    this.#setPre();
  }

  // ----------------------------------------------------------------- memo

  #store(): number {
    const op = this.#in[this.#p]!;
    let slot = this.#memoCount;
    let size = 1;
    if (op === 0x71) {
      slot = this.#in[this.#p + 1]!;
      size = 2;
    } else if (op === 0x72) {
      slot = this.#view.getUint32(this.#p + 1, true);
      size = 5;
    } else if (op === 0x70) {
      const end = this.#line();
      if (end < 0) return -end;
      slot = this.#lineNumber();
      if (slot < 0 || slot > 0xffffffff) {
        throw new Snag("a memo slot has an unusual number");
      }
      size = end + 1 - this.#p;
    } else if (this.#sparse) {
      throw new Snag("it mixes two ways of numbering its memo");
    }
    if (this.#sp === this.#lBase[this.#lp]!) {
      throw new Snag(
        "there is nothing to store",
        this.#sp === 0 ? "stack-underflow" : "unexpected-mark",
      );
    }
    if (slot < this.#memoCount) {
      // No pickler does. What was stored before may be open still.
      throw new Snag("it stores two values in one place of its memo");
    }
    if (slot > this.#memoCount) this.#sparse = true;
    this.#memoCount = slot + 1;
    const top = this.#sp - 1;
    const kind = this.#kind[top]!;
    this.#p += size;
    if (this.#plan !== undefined) {
      if (!this.#plan.isFetched(slot)) return 0;
      if (kind >= OPEN_LIST && this.#slot[top]! >= 0) {
        throw new Snag("it stores a list or dict in two places of its memo");
      }
      if (kind >= OPEN_LIST) this.#slot[top] = slot;
      else this.#keep(slot, kind, this.#start[top]!, this.#o);
    }
    if (kind === LIST || kind === DICT) this.#slot[top] = LATE;
    if (this.#plan !== undefined) return 0;
    if (IN_HISTORY[kind] === 0) {
      // No pickler stores numbers.
      if (this.#raw && this.#kept.size > WAITING) {
        throw new Snag("it stores many numbers in its memo");
      }
      this.#keep(slot, kind, this.#start[top]!, this.#o);
      return 0;
    }
    const mask = this.#mSlot.length - 1;
    const i = slot & mask;
    this.#mSlot[i] = slot;
    this.#mKind[i] = kind;
    this.#mStart[i] = this.#base0 + this.#start[top]!;
    this.#mEnd[i] = kind >= OPEN_LIST ? -1 : this.#base0 + this.#o;
    if (kind >= OPEN_LIST) this.#slot[top] = slot;
    this.#mSeq[i] = this.#seq;
    this.#mOrder[this.#seq & mask] = i;
    this.#seq = (this.#seq + 1) | 0;
    return 0;
  }

  #fetch(): number {
    const op = this.#in[this.#p]!;
    let slot = this.#in[this.#p + 1]!;
    let size = 2;
    if (op === 0x6a) {
      slot = this.#view.getUint32(this.#p + 1, true);
      size = 5;
    } else if (op === 0x67) {
      const end = this.#line();
      if (end < 0) return -end;
      if (this.#pre >= 4) {
        this.#predict();
        return 0;
      }
      slot = this.#lineNumber();
      if (slot < 0) throw new Snag("a memo slot has an unusual number");
      size = end + 1 - this.#p;
    }
    const kept = this.#kept;
    const place = kept.find(slot);
    if (kept.at[place] !== 0 && kept.kinds[place] !== GONE) {
      const from = kept.at[place]! - 1;
      const n = kept.length[place]!;
      const kind = kept.kinds[place]!;
      if (kind > QUOTED) this.#copied.add(slot);
      this.#room(n + 8);
      this.#separate();
      this.#out.set(kept.arena.subarray(from, from + n), this.#o);
      this.#o += n;
      this.#push(kind === QUOTED ? NUMBER : kind >= TUPLE ? COPY : kind);
      this.#p += size;
      return 0;
    }
    if (this.#region?.has(slot)) {
      this.#beginRegion();
      return -1;
    }
    if (this.#plan !== undefined) {
      // It is not closed, or it never was.
      for (let level = this.#lp; level > 0; level--) {
        const base = this.#lBase[level]!;
        const ctx = this.#lCtx[level]!;
        if (ctx === TUPLE_MARK || ctx === KNOWN_TUPLE) continue;
        const container = ctx === ONE_ITEM || ctx === ONE_PAIR
          ? base - 1
          : base - 2;
        if (
          container >= 0 && this.#slot[container] === slot &&
          this.#kind[container]! >= OPEN_LIST
        ) return this.#fetchOpen(level);
      }
      throw new Snag("it refers to what it never stored", "memo-missing");
    }
    const i = slot & (this.#mSlot.length - 1);
    if (this.#mSlot[i] !== slot || this.#mSeq[i]! < this.#firstSeq()) {
      if (slot < this.#memoCount) {
        throw new Snag("it refers to a value from too long ago");
      }
      throw new Snag("it refers to what it never stored", "memo-missing");
    }
    if (this.#mEnd[i]! < 0) {
      const start = this.#mStart[i]! - this.#base0;
      for (let level = this.#lp; level > 0; level--) {
        const base = this.#lBase[level]!;
        const ctx = this.#lCtx[level]!;
        if (ctx === TUPLE_MARK || ctx === KNOWN_TUPLE) continue;
        const container = ctx === ONE_ITEM || ctx === ONE_PAIR
          ? base - 1
          : base - 2;
        if (container >= 0 && this.#start[container] === start) {
          return this.#fetchOpen(level);
        }
      }
      throw new Snag("it refers to a value from too long ago");
    }
    const n = this.#mEnd[i]! - this.#mStart[i]!;
    const kind = this.#mKind[i]!;
    if (this.#mStart[i]! < this.#base0) {
      throw new Snag("it refers to a value from too long ago");
    }
    this.#room(n + 8);
    if (this.#mStart[i]! < this.#base0) {
      throw new Snag("it refers to a value from too long ago");
    }
    const from = this.#mStart[i]! - this.#base0;
    if (kind > QUOTED) this.#copied.add(slot);
    if (n <= 65536) {
      this.#keep(slot, kind >= TUPLE ? COPY : kind, from, from + n);
    }
    this.#separate();
    this.#out.copyWithin(
      this.#o,
      this.#mStart[i]! - this.#base0,
      this.#mEnd[i]! - this.#base0,
    );
    this.#o += n;
    this.#push(kind >= TUPLE ? COPY : kind);
    this.#p += size;
    return 0;
  }

  /**
   * A container is fetched that is open. If it were the parent that it was
   * taken for, that would be a cycle: so it stands beside what follows it.
   */
  #fetchOpen(level: number): number {
    const base = this.#lBase[level]!;
    const ctx = this.#lCtx[level]!;
    const one = ctx === ONE_ITEM || ctx === ONE_PAIR;
    const container = one ? base - 1 : base - 2;
    if (this.#lKnown[level] === 1 || this.#knownIndex.includes(container)) {
      throw new Snag("a list or dict contains itself");
    }
    this.#kind[container] = (this.#kind[container]! & 1) === 0
      ? CLOSING_LIST
      : CLOSING_DICT;
    if (one) {
      for (let i = level; i < this.#lp; i++) {
        this.#lCtx[i] = this.#lCtx[i + 1]!;
        this.#lBase[i] = this.#lBase[i + 1]!;
        this.#lKnown[i] = this.#lKnown[i + 1]!;
        this.#lEnd[i] = this.#lEnd[i + 1]!;
      }
      this.#lp--;
    } else this.#lCtx[level] = TUPLE_MARK;
    this.#relayout(container);
    this.#setPre();
    return 0;
  }

  // ---------------------------------------------------------------- others

  /** Where the line at hand ends, or minus how many bytes are wanted. */
  #line(): number {
    const from = Math.max(this.#p + 1, this.#scanned);
    const end = findLineBreak(this.#in, { from, end: this.#end });
    if (end >= 0) {
      this.#inFrame(end + 1);
      return end;
    }
    this.#scanned = this.#end;
    return -(this.#end - this.#p + 1);
  }

  /** Throws if an argument ends beyond its frame. */
  #inFrame(end: number): void {
    if (this.#frameEnd >= 0 && this.#at + end > this.#frameEnd) {
      throw new Snag("an argument goes beyond its frame", "bad-frame");
    }
  }

  /** A string that has escapes, or is long. */
  #text(): number {
    const op = this.#in[this.#p]!;
    const short = op === 0x8c || op === 0x55;
    const wide = op === 0x8d;
    const from = this.#p + (short ? 2 : wide ? 9 : 5);
    const n = short
      ? this.#in[this.#p + 1]!
      : this.#view.getUint32(this.#p + 1, true);
    const to = from + n;
    this.#inFrame(to);
    if (n > this.#limits.argumentLength) {
      throw new LimitError("argumentLength", this.#limits.argumentLength, {
        offset: this.#at + this.#p,
      });
    }
    if (op === 0x55 || op === 0x54) {
      if (op === 0x54 && n > 0x7fffffff) {
        throw new Snag("the length of a string is negative", "bad-length");
      }
      let plain = this.#textOf2;
      for (let i = from; plain && i < to; i++) plain = this.#in[i]! < 0x80;
      if (!plain) {
        this.#beginRegion();
        return -1;
      }
    }
    this.#separate();
    this.#out[this.#o++] = 34;
    // #in never moves within; #out may.
    for (let at = from; at < to;) {
      let cut = Math.min(to, at + 16384);
      if (cut < to) {
        while (cut > at + 4 && (this.#in[cut]! & 0xc0) === 0x80) cut--;
        // A pair of surrogates stays together.
        if (this.#in[cut] === 0xed && this.#in[cut - 3] === 0xed) cut -= 3;
      }
      this.#room((cut - at) * 6);
      this.#o = escapeUtf8(this.#in, {
        from: at,
        to: cut,
        out: this.#out,
        at: this.#o,
        ascii: this.#ascii,
      });
      at = cut;
    }
    this.#out[this.#o++] = 34;
    this.#push(STRING);
    this.#p = to;
    return 0;
  }

  #pushText(text: string, kind: number): void {
    this.#room(text.length + 8);
    this.#separate();
    this.#o = writeAscii(this.#out, this.#o, text);
    this.#push(kind);
  }

  #pushString(text: string): void {
    const bytes = encodeUtf8(text);
    this.#room(bytes.length * 6 + 16);
    this.#separate();
    this.#out[this.#o++] = 34;
    this.#o = escapeUtf8(bytes, {
      from: 0,
      to: bytes.length,
      out: this.#out,
      at: this.#o,
      ascii: this.#ascii,
    });
    this.#out[this.#o++] = 34;
    this.#push(STRING);
  }

  #other(): number {
    const op = this.#in[this.#p]!;
    switch (op) {
      case 0x2e: // STOP
        return this.#stop();
      case 0x67: // GET
        return this.#fetch();
      case 0x70: // PUT
      {
        const end = this.#line();
        if (end < 0) return -end;
        return this.#store();
      }
      case 0x8d: { // BINUNICODE8
        const n = this.#view.getUint32(this.#p + 1, true) +
          this.#view.getUint32(this.#p + 5, true) * 0x100000000;
        if (this.#p + 9 + n > this.#end) return 9 + n;
        return this.#text();
      }
      case 0x49: // INT
      case 0x4c: // LONG
      case 0x46: // FLOAT
      case 0x56: // UNICODE
      case 0x53: // STRING
      {
        const end = this.#line();
        if (end < 0) return -end;
        if (this.#pre >= 4) {
          this.#predict();
          return 0;
        }
        if (!this.#lineValue(op, this.#in.subarray(this.#p + 1, end))) {
          this.#beginRegion();
          return -1;
        }
        this.#p = end + 1;
        return 0;
      }
      case 0x6c: // LIST
      case 0x64: { // DICT
        if (this.#pre >= 4) {
          this.#close();
          return 0;
        }
        this.#demoteToMark();
        const ctx = this.#lCtx[this.#lp]!;
        if (ctx === LIST_BATCH || ctx === DICT_BATCH) {
          this.#markIsValue();
          return 0;
        }
        if (ctx !== TUPLE_MARK) this.#unexpected();
        const base = this.#lBase[this.#lp]!;
        const entry = base - 1;
        if (this.#sp === base) {
          this.#kind[entry] = op === 0x6c ? OPEN_LIST0 : OPEN_DICT0;
          if (op === 0x64) {
            if (this.#start[entry]! < this.#drained) this.#unexpected();
            this.#out[this.#start[entry]!] = 123;
          }
        } else if (op === 0x6c) {
          this.#out[this.#o++] = 93;
          this.#kind[entry] = LIST;
        } else throw new Snag("a dict is made of a marked list");
        this.#count[entry] = this.#sp - base;
        this.#slot[entry] = -1;
        this.#sp = base;
        this.#lp--;
        this.#setPre();
        this.#p++;
        return 0;
      }
      case 0x93: // STACK_GLOBAL
        return this.#rewind(this.#sp - 2);
      case 0x91: // FROZENSET
      case 0x6f: // OBJ
      case 0x69: // INST
        return this.#rewindToMark();
      case 0x30: // POP
      case 0x31: // POP_MARK
      case 0x32: // DUP
      case 0x62: // BUILD
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
      case 0x92: // NEWOBJ_EX
      case 0x90: // ADDITEMS
      case 0x51: // BINPERSID
      case 0x98: // READONLY_BUFFER
        throw new Snag("it builds objects around what is already written");
      default: {
        if (OPCODE_BY_CODE[op] === undefined) {
          throw new Snag("there is no such opcode", "bad-opcode");
        }
        if (op === 0x80) {
          throw new Snag("its protocol is unknown", "bad-protocol");
        }
        if (this.#pre >= 4) {
          this.#predict();
          return 0;
        }
        this.#beginRegion();
        return -1;
      }
    }
  }

  /** Writes the value of a line if it is one of the usual kind. */
  #lineValue(op: number, line: Uint8Array): boolean {
    if (line.length > this.#limits.argumentLength) return false;
    if (
      (line.length > 4000 || line.length > this.#limits.intDigits) &&
      op !== 0x56 && op !== 0x53
    ) return false;
    switch (op) {
      case 0x49: {
        const text = decodeLatin1(line);
        if (text === "01") this.#pushText("true", NUMBER);
        else if (text === "00") this.#pushText("false", NUMBER);
        else if (/^(?:0|-?[1-9]\d*)$/.test(text)) this.#pushText(text, NUMBER);
        else return false;
        return true;
      }
      case 0x4c: {
        const text = decodeLatin1(line);
        if (!/^(?:0|-?[1-9]\d*)L?$/.test(text)) return false;
        this.#pushText(text.replace("L", ""), NUMBER);
        return true;
      }
      case 0x46: {
        const text = decodeLatin1(line);
        if (!/^-?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/.test(text)) return false;
        const value = Number(text);
        if (value - value !== 0) return false;
        this.#separate();
        this.#o = writeFloat(this.#out, this.#o, value);
        this.#push(NUMBER);
        return true;
      }
      case 0x56:
        try {
          this.#pushString(decodeRawUnicodeEscape(line));
          return true;
        } catch {
          return false;
        }
      default: {
        const quote = line[0];
        if (
          line.length < 2 || quote !== line.at(-1) ||
          (quote !== 0x22 && quote !== 0x27) || !this.#textOf2
        ) return false;
        for (const byte of line) if (byte >= 0x80) return false;
        let bytes: Uint8Array = line.subarray(1, -1);
        if (bytes.indexOf(0x5c) >= 0) {
          try {
            bytes = decodeEscapes(bytes);
          } catch {
            return false;
          }
          for (const byte of bytes) if (byte >= 0x80) return false;
        }
        this.#pushString(decodeLatin1(bytes));
        return true;
      }
    }
  }

  #stop(): number {
    // CPython reads a frame as a whole, also what it does not need.
    if (this.#lastFrameEnd > this.#at + this.#end) {
      return this.#lastFrameEnd - this.#at - this.#p;
    }
    if (this.#pre >= 4) this.#close();
    this.#demoteToMark();
    if (this.#lp !== 0 || this.#sp !== 1 || this.#kind[0] === REGION) {
      throw new Snag("its stack is not as it should be at the end");
    }
    this.#p++;
    this.#endDocument();
    return -1;
  }

  #resetStack(): void {
    this.#frameEnd = -1;
    this.#lastFrameEnd = -1;
    this.#protocol = 0;
    this.#sp = 0;
    this.#lp = 0;
    this.#pre = 0;
    this.#memoCount = 0;
    this.#sparse = false;
    this.#kept.clear();
    this.#copied.clear();
    if (this.#keySets.size > 0) {
      this.#keySets.clear();
      this.#keyBudget.left = this.#limits.memoBytes;
    }
    this.#seqFloor = this.#seq;
    if (this.#seq > 1 << 30) {
      this.#seq = this.#seqFloor = 0;
      this.#mSeq.fill(-1);
    }
    this.#knownIndex = [];
    this.#knownEnd = [];
    this.#knownTop = -1;
    this.#objectEnd = -1;
    this.#region = undefined;
    this.#moved = 0;
  }

  /** The first byte of a pickle is there. */
  #begin(): void {
    this.#begun = true;
    if (!this.#between) return;
    this.#out[this.#o++] = 10;
    this.#docOut = this.#o;
    this.#between = false;
  }

  /** The text up to here is whole. */
  #endDocument(): void {
    this.#room(16);
    this.#checkOutput();
    this.#documents++;
    if (this.#options.jsonl) this.#out[this.#o++] = 10;
    this.#committed = this.#o;
    this.#docOut = this.#o;
    this.#docAt = this.#at + this.#p;
    this.#raw = this.#options.fallback ?? true;
    this.#begun = false;
    this.#mode = this.#options.values ? "values" : "text";
    this.#resetStack();
    this.#drainAt = this.#firstDrain();
    this.#between = !this.#options.jsonl;
  }

  // --------------------------------------------------------------- values

  /** Reads a pickle to its end and writes its value. */
  #runValues(): number {
    if (this.#p >= this.#end) {
      this.#need = 1;
      return WANT_INPUT;
    }
    if (!this.#begun) this.#begin();
    // Until it is whole, only its bytes are held.
    const unpickler = this.#unpickler ??= new Unpickler({
      ...this.#loadOptions(),
      patience: Infinity,
    });
    let value: unknown;
    try {
      unpickler.push(this.#in.slice(this.#p, this.#end));
      this.#p = this.#end;
      value = unpickler.pull();
    } catch (error) {
      this.#unpickler = undefined;
      const size = this.#at + this.#end;
      if (this.#ended || this.#docAt > 0 || size >= 8) {
        throw this.#relocate(error);
      }
      // What file it is instead, its first eight bytes say.
      this.#p -= size;
      this.#need = size + 1;
      return WANT_INPUT;
    }
    if (value === MORE) {
      if (this.#at + this.#end - this.#docAt > this.#limits.memoBytes) {
        throw new Snag("it is too large to be read as values");
      }
      this.#need = 1;
      return WANT_INPUT;
    }
    this.#take(value);
    return CHANGED;
  }

  /** A pickle has been read as a value. */
  #take(value: unknown): void {
    this.#p = this.#docAt + this.#unpickler!.position - this.#at;
    this.#unpickler = undefined;
    this.#writeValue(value);
    this.#endDocument();
  }

  #loadWhole(end: number): unknown {
    const bytes = this.#in.slice(this.#docAt - this.#at, end);
    try {
      return new Unpickler(this.#loadOptions()).load(bytes);
    } catch (error) {
      throw this.#relocate(error);
    }
  }

  /** An error whose offset counts from the beginning of all input. */
  #relocate(error: unknown): unknown {
    if (!(error instanceof UnpicklingError) || this.#docAt === 0) return error;
    // Behind a pickle it is a damaged one, whatever else it looks like.
    const { message, code, offset, opcode } = error.code === "not-a-pickle" &&
        error.cause instanceof UnpicklingError
      ? error.cause
      : error;
    return new UnpicklingError(message, {
      code,
      offset: offset + this.#docAt,
      opcode,
      cause: error,
    });
  }

  #loadOptions(): LoadOptions {
    return { ...this.#options, dicts: "map", floats: "exact" };
  }

  #writeValue(value: unknown): void {
    const encoder = this.#encoder ??= new Encoder(this.#options.encode, {
      bytes: true,
    });
    try {
      encoder.begin(value);
      for (let done = false; !done;) {
        done = encoder.step();
        const bytes = encoder.view();
        this.#room(bytes.length + 16);
        this.#out.set(bytes, this.#o);
        this.#o += bytes.length;
      }
    } finally {
      encoder.close();
    }
  }

  // -------------------------------------------------------------- regions

  /** From the opcode at hand on, values are built. */
  #beginRegion(): void {
    this.#separate();
    this.#regionEntry = this.#sp;
    this.#push(REGION);
    this.#region ??= new Region(this.#loadOptions(), this.#limits);
    this.#region.begin(this.#protocol);
    this.#mode = "region";
  }

  /** What begins at an entry turns out to be an object: read it again. */
  #rewind(entry: number): number {
    if (entry < this.#lBase[this.#lp]!) this.#unexpected();
    this.#back(entry);
    this.#beginRegion();
    return -1;
  }

  #rewindToMark(): number {
    if (this.#pre >= 4) this.#close();
    this.#demoteToMark();
    const ctx = this.#lCtx[this.#lp]!;
    if (ctx === LIST_BATCH || ctx === DICT_BATCH) {
      this.#markIsValue();
    } else if (ctx !== TUPLE_MARK) this.#unexpected();
    const mark = this.#lBase[this.#lp]! - 1;
    this.#lp--;
    this.#back(mark);
    this.#beginRegion();
    return -1;
  }

  /** Takes the stack and the input back to where an entry began. */
  #back(entry: number): void {
    const start = this.#head[entry]!;
    const from = this.#pos[entry]! - this.#at;
    if (start < this.#drained || from < 0) {
      throw new Snag("an object shows only at its end what it is");
    }
    // Slots that were filled since are filled again.
    let at = from;
    while (at < this.#p) {
      const op = this.#in[at]!;
      const size = opcodeSize(this.#in, { at, end: this.#end, scanned: at });
      if (op === 0x94) this.#memoCount--;
      else if (op === 0x80) {
        throw new Snag("its protocol changes within an object");
      } else if (op === 0x70 || op === 0x71 || op === 0x72) {
        this.#memoCount = Math.min(
          this.#memoCount,
          slotAt(this.#in, at, size),
        );
      }
      at += size;
    }
    if (this.#plan === undefined) {
      const mask = this.#mSlot.length - 1;
      const stop = this.#firstSeq();
      const low = this.#base0 + this.#start[entry]!;
      let seq = this.#seq;
      while (seq > stop) {
        const i = this.#mOrder[(seq - 1) & mask]!;
        if (this.#mSeq[i] === seq - 1) {
          if (this.#mStart[i]! < low) break;
          this.#mSeq[i] = -1;
        }
        seq--;
      }
      // What was stored last is asked for first, so it must be there; what was
      // forgotten for the sake of these remains so.
      this.#seq = seq;
      this.#seqFloor = stop;
    }
    this.#sp = entry;
    this.#o = start;
    this.#p = from;
    this.#setPre();
  }

  #runRegion(): number {
    const region = this.#region!;
    const lp = this.#lp;
    const result = region.run(this.#in, {
      at: this.#at,
      from: this.#p,
      to: this.#end,
      memoCount: this.#memoCount,
      // A known tuple ends where the tape says.
      stop: this.#lCtx[lp] === KNOWN_TUPLE
        ? this.#lEnd[lp]! - this.#at
        : Infinity,
      isKept: (slot) => this.#plan?.isFetched(slot) ?? true,
      textOf: (slot) => this.#textOf(slot),
      frameEnd: this.#frameEnd < 0 ? -1 : this.#frameEnd - this.#at,
      strictFrames: this.#options.lenientFrames !== true,
      // Half a pickle can ask for much: as a value it is looked over first.
      most: this.#raw
        ? { marks: this.#limits.jsonDepth, values: WAITING }
        : { marks: Infinity, values: Infinity },
    });
    this.#frameEnd = result.frameEnd < 0 ? -1 : result.frameEnd + this.#at;
    if (result.lastFrameEnd >= 0) {
      this.#lastFrameEnd = result.lastFrameEnd + this.#at;
    }
    this.#protocol = result.protocol;
    this.#p = result.to;
    this.#memoCount = result.memoCount;
    if (!result.complete) {
      this.#need = result.need;
      if (region.size > this.#limits.memoBytes) {
        throw new Snag("an object in it is too large");
      }
      return this.#wantMore(this.#end);
    }
    if (this.#plan !== undefined) {
      while (this.#plan.next(this.#tape) < this.#at + this.#p) this.#tape++;
    }
    // The entry gives way to the values, which may be many.
    let capacity = this.#kind.length;
    while (this.#sp + result.values.length + 16 > capacity) capacity *= 2;
    if (capacity > this.#kind.length) this.#growStack(capacity);
    this.#sp = this.#regionEntry;
    this.#o = this.#head[this.#sp]!;
    this.#setPre();
    this.#mode = "text";
    if (result.dict) {
      // Filled like any other dict from here on.
      const end = this.#objectEnd;
      if (this.#pre >= 4) this.#close();
      if (end >= 0) {
        this.#knownIndex.push(this.#sp);
        this.#knownEnd.push(end);
        this.#knownTop = this.#sp;
      }
      this.#separate();
      this.#slot[this.#sp] = -1;
      this.#count[this.#sp] = 0;
      this.#out[this.#o++] = 123;
      this.#push(OPEN_DICT);
    } else for (const value of result.values) this.#pushValue(value);
    this.#objectEnd = -1;
    return CHANGED;
  }

  #pushValue(value: unknown): void {
    if (this.#pre >= 4) this.#close();
    if (typeof value === "string") {
      this.#pushString(value);
      return;
    }
    this.#separate();
    this.#writeValue(value);
    const first = this.#out[this.#start[this.#sp]!]!;
    this.#push(first === 91 || first === 123 || first === 34 ? COPY : NUMBER);
  }

  /** The text of a slot that is a string or number, for a region. */
  #textOf(slot: number): { text: string; container: boolean } | undefined {
    const kept = this.#kept;
    const place = kept.find(slot);
    if (kept.at[place] !== 0 && kept.kinds[place] !== GONE) {
      const from = kept.at[place]! - 1;
      return {
        text: new TextDecoder().decode(
          kept.arena.subarray(from, from + kept.length[place]!),
        ),
        container: kept.kinds[place]! > QUOTED,
      };
    }
    if (this.#plan !== undefined) return undefined;
    const i = slot & (this.#mSlot.length - 1);
    if (
      this.#mSlot[i] !== slot || this.#mSeq[i]! < this.#firstSeq() ||
      this.#mStart[i]! < this.#base0
    ) return undefined;
    if (this.#mEnd[i]! < 0) return { text: "", container: true };
    return {
      text: new TextDecoder().decode(
        this.#out.subarray(
          this.#mStart[i]! - this.#base0,
          this.#mEnd[i]! - this.#base0,
        ),
      ),
      container: this.#mKind[i]! > QUOTED,
    };
  }

  // ----------------------------------------------------------------- tape

  /** One or more composites that are long begin here. */
  #enterTape(): number {
    const plan = this.#plan!;
    const at = this.#at + this.#p;
    const op = this.#in[this.#p]!;
    // A long one is never the child of one that is not on the tape.
    while (
      this.#lp > 0 && this.#lKnown[this.#lp] === 0 &&
      (this.#lCtx[this.#lp] === ONE_ITEM || this.#lCtx[this.#lp] === ONE_PAIR)
    ) this.#demote(this.#lp - 1);
    if (this.#pre >= 4) {
      const top = this.#sp - 1;
      if (top === this.#knownTop) {
        const list = (this.#kind[top]! & 1) === 0;
        this.#pushLevel(list ? ONE_ITEM : ONE_PAIR, this.#sp, true);
        this.#pre = this.#count[top]! > 0 ? 1 : 0;
      } else this.#close();
    }
    let changed = 0;
    while (plan.next(this.#tape) === at) {
      // These entries take no bytes, so the loop has not made room for them.
      if (this.#sp + this.#end - this.#p + 16 > this.#kind.length) {
        this.#growStack(this.#kind.length * 2);
        changed = -1;
      }
      const record = this.#tape++;
      const end = plan.endOf(record);
      switch (plan.kindOf(record)) {
        case "tuple":
          this.#separate();
          this.#out[this.#o++] = 91;
          this.#slot[this.#sp] = -1;
          this.#kind[this.#sp++] = KNOWN;
          this.#pushLevel(KNOWN_TUPLE, this.#sp, true);
          this.#lEnd[this.#lp] = end;
          this.#pre = 0;
          break;
        case "marked":
          this.#separate();
          this.#out[this.#o++] = 91;
          this.#slot[this.#sp] = -1;
          this.#count[this.#sp] = 0;
          this.#kind[this.#sp++] = MARK;
          this.#pushLevel(TUPLE_MARK, this.#sp, true);
          this.#pre = 0;
          this.#p++;
          return changed;
        default: {
          if (op !== 0x28 && op !== 0x5d && op !== 0x7d) {
            // The dict of a class: `#runRegion` says when it is there.
            this.#objectEnd = end;
            return changed;
          }
          this.#knownIndex.push(this.#sp);
          this.#knownEnd.push(end);
          this.#knownTop = this.#sp;
          this.#separate();
          this.#slot[this.#sp] = -1;
          this.#count[this.#sp] = 0;
          if (op === 0x28) {
            this.#out[this.#o++] = plan.kindOf(record) === "dict" ? 123 : 91;
            this.#kind[this.#sp++] = MARK;
            this.#pushLevel(TUPLE_MARK, this.#sp, true);
            this.#pre = 0;
          } else {
            this.#out[this.#o++] = op === 0x5d ? 91 : 123;
            this.#push(op === 0x5d ? OPEN_LIST : OPEN_DICT);
          }
          this.#p++;
          return changed;
        }
      }
    }
    return changed;
  }
}

function notCompliant(value: number): JSONEncodeError {
  const text = value !== value ? "nan" : value > 0 ? "inf" : "-inf";
  return new JSONEncodeError(
    `Out of range float values are not JSON compliant: ${text}`,
    { code: "not-finite", path: "$" },
  );
}

function grown<T extends Uint8Array | Int32Array | Float64Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}

interface Range {
  from: number;
  to: number;
}

function sameText(out: Uint8Array, a: Range, b: Range): boolean {
  const size = a.to - a.from;
  if (size !== b.to - b.from) return false;
  for (let i = 0; i < size; i++) {
    if (out[a.from + i] !== out[b.from + i]) return false;
  }
  return true;
}

function isInt(out: Uint8Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to - 1; i++) {
    const c = out[i]!;
    if ((c < 48 || c > 57) && c !== 45) return false;
  }
  return true;
}

/** Numbers that are equal in Python as the same text. */
function numberKey(quoted: string): string {
  const text = quoted.slice(1, -1);
  if (text === "true") return "1";
  if (text === "false") return "0";
  if (/^-?\d+$/.test(text)) return text === "-0" ? "0" : text;
  const value = Number(text);
  return Number.isInteger(value) ? BigInt(value).toString() : text;
}
