/**
 * The inert machine behind `scan`: it does to a stack of symbols what an
 * unpickler does to a stack of objects, and notes what would be reached.
 *
 * @module
 */

import { decodeUtf8, isUtf8 } from "../bytes/utf8.ts";
import {
  decodeEscapes,
  decodeLatin1,
  decodeRawUnicodeEscape,
  MAX_INT_DIGITS,
  parseDecimal,
  parseFloatLine,
  readLong,
  readUint,
} from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import { MemoTable } from "./memo_table.ts";
import { OpcodeReader } from "./opcode_reader.ts";
import { isOpcode, type OpcodeCode, unreachableOpcode } from "./opcodes.ts";
import {
  isReach,
  judgeName,
  type NameEntry,
  type NameVerdict,
} from "./scan_lists.ts";

/** How a pickle uses a name. */
export type ScanUse = "named" | "called" | "instantiated" | "changed";

/** What is known of a name in one pickle. */
export interface NameRecord {
  readonly module: string;
  readonly name: string;
  readonly offset: number;
  readonly entry: NameEntry;
  use: ScanUse;
  count: number;
  /** Used as its rule allows, at least once. */
  fits: boolean;
  /** Used otherwise, at least once. */
  misused: boolean;
  /** A judgement on how it is used, beyond the lists. */
  raised?: { verdict: NameVerdict; reason: string };
}

/** What is wrong with a pickle. */
export interface ScanDamage {
  readonly code: UnpicklingErrorCode | "limit";
  readonly message: string;
  readonly offset: number;
  readonly opcode?: string;
}

/** Bytes within a pickle that may be one in their turn. */
export interface NestedBytes {
  readonly bytes: Uint8Array;
  /** Where they stand. */
  readonly offset: number;
  /** Whether something loads them, so that they must be scanned. */
  readonly loaded: boolean;
}

/** What a run of the machine found. */
export interface MachineResult {
  /** Offset behind what was read. */
  readonly end: number;
  /** Whether there was a STOP. */
  readonly stopped: boolean;
  readonly damage: readonly ScanDamage[];
  readonly names: readonly NameRecord[];
  readonly nested: readonly NestedBytes[];
  /** Whether the value is the number that begins a torch file. */
  readonly isTorchMagic: boolean;
  /** Bytes of each storage that a torch file names. */
  readonly storages: ReadonlyMap<string, number>;
  readonly memo: MemoTable<Node>;
  readonly readsMemo: boolean;
}

/** Options of {@linkcode runMachine}. */
export interface MachineOptions {
  /** Judges a name. */
  readonly judge: (module: string, name: string) => NameEntry;
  /** The memo of the pickle before it, where one pickler wrote both. */
  readonly memo?: MemoTable<Node>;
  /** How many values the stack may hold. */
  readonly depth: number;
  /** How many pickles are around it, in arrays of objects. */
  readonly level?: number;
}

type Atom = {
  readonly kind:
    | "none"
    | "bool"
    | "int"
    | "float"
    | "list"
    | "set"
    | "frozenset"
    | "bytearray"
    | "buffer"
    | "unknown";
};

class Str {
  readonly kind = "str";
  constructor(
    readonly start: number,
    readonly stop: number,
    readonly form: "utf8" | "latin1" | "quoted" | "raw",
  ) {}
}

class Bytes {
  readonly kind = "bytes";
  constructor(readonly start: number, readonly stop: number) {}
}

/** What `_codecs.encode(text, "latin1")` gives. */
class Encoded {
  readonly kind = "bytes";
  constructor(readonly text: Str) {}
}

class Tuple {
  readonly kind = "tuple";
  constructor(
    readonly items: readonly Node[],
    readonly size: number,
    readonly hashable: boolean,
    /** A name in it that only a certain callable may be given. */
    readonly carried?: NameRecord | undefined,
  ) {}
}

class Dict {
  readonly kind = "dict";
  /** Some of its entries; most dicts are never looked into. */
  #entries: Map<string, Node> | undefined;

  get(key: string): Node | undefined {
    return this.#entries?.get(key);
  }

  set(key: string, value: Node): void {
    if (!KEPT_KEYS.has(key)) return;
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }
}

class Ref {
  readonly kind = "ref";
  constructor(readonly record: NameRecord) {}
}

class Made {
  readonly kind = "made";
  state: Node | undefined;
  constructor(
    readonly via: NameRecord | undefined,
    readonly args: Tuple | undefined,
    /** Whether calling it is what the rule of a partial allows. */
    readonly callable = false,
  ) {}
}

/** What stands on the stack: an int is a number. */
export type Node =
  | number
  | Atom
  | Str
  | Bytes
  | Encoded
  | Tuple
  | Dict
  | Ref
  | Made;

function atom(kind: Atom["kind"]): Atom {
  return Object.freeze({ kind });
}

const NONE = atom("none");
const BOOL = atom("bool");
const INT = atom("int");
const FLOAT = atom("float");
const LIST = atom("list");
const SET = atom("set");
const FROZENSET = atom("frozenset");
const BYTEARRAY = atom("bytearray");
const BUFFER = atom("buffer");
const UNKNOWN = atom("unknown");
const TORCH_MAGIC = atom("int");
const EMPTY_TUPLE = new Tuple([], 0, true);

/** torch/serialization.py: `MAGIC_NUMBER`, little-endian. */
const TORCH_MAGIC_BYTES = [
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
];

/** Bytes of an element, by the class of its storage. */
const ELEMENT_SIZES: ReadonlyMap<string, number> = new Map([
  ["DoubleStorage", 8],
  ["FloatStorage", 4],
  ["HalfStorage", 2],
  ["BFloat16Storage", 2],
  ["LongStorage", 8],
  ["IntStorage", 4],
  ["ShortStorage", 2],
  ["CharStorage", 1],
  ["ByteStorage", 1],
  ["BoolStorage", 1],
  ["ComplexFloatStorage", 8],
  ["ComplexDoubleStorage", 16],
  ["QInt8Storage", 1],
  ["QUInt8Storage", 1],
  ["QInt32Storage", 4],
  ["QUInt4x2Storage", 1],
  ["QUInt2x4Storage", 1],
  ["UntypedStorage", 1],
]);

const KEEP_ITEMS = 64;
/** The keys that are looked at: those of joblib's arrays. */
const KEPT_KEYS: ReadonlySet<string> = new Set([
  "subclass",
  "shape",
  "dtype",
  "numpy_array_alignment_bytes",
]);
const KEPT_LENGTHS: ReadonlySet<number> = new Set(
  Array.from(KEPT_KEYS, ({ length }) => length),
);
const MAX_NAME = 4096;
const MAX_MARKS = 1_000_000;
const MAX_NESTED = 10_000;
const TEXT_ENCODINGS = new Set([
  "latin1",
  "latin-1",
  "iso-8859-1",
  "utf-8",
  "utf8",
  "ascii",
]);

/** Ints that CPython's C or Python unpickler takes in INT and LONG. */
const INT_LINE =
  /^[\t-\r ]*[+-]?(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*)L?[\t-\r ]*(?:\0|$)/i;

const USE_RANK: Record<ScanUse, number> = {
  named: 0,
  instantiated: 1,
  called: 2,
  changed: 3,
};

/** What ends a run: nothing behind it would be executed. */
class Fatal extends Error {
  constructor(readonly code: UnpicklingErrorCode | "limit", message: string) {
    super(message);
  }
}

/**
 * Runs the pickle that begins at an offset, up to its STOP or its damage.
 *
 * @param bytes Where it stands
 * @param start The offset
 * @param options How to judge
 * @returns What was found
 */
export function runMachine(
  bytes: Uint8Array,
  start: number,
  options: MachineOptions,
): MachineResult {
  const machine = new Machine(bytes, options);
  return machine.run(start);
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #options: MachineOptions;
  readonly #names = new Map<string, NameRecord>();
  readonly #damage: ScanDamage[] = [];
  readonly #nested: NestedBytes[] = [];
  readonly #storages = new Map<string, number>();
  readonly #memo: MemoTable<Node>;
  #stack: Node[] = [];
  #marks: number[] = [];
  #reader = new OpcodeReader();
  /** Offset in `#bytes` of the reader's first byte. */
  #base = 0;
  #at = 0;
  #frameEnd = 0;
  #brokenFrames = 0;
  #tooMany = false;
  #readsMemo = false;
  #top: Node = UNKNOWN;

  constructor(bytes: Uint8Array, options: MachineOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.#memo = options.memo ?? new MemoTable();
  }

  run(start: number): MachineResult {
    this.#seek(start);
    let stopped = false;
    let end = start;
    try {
      while (!stopped) {
        this.#reader.advance();
        this.#at = this.#base + this.#reader.position;
        end = this.#base + this.#reader.endPosition;
        const { code } = this.#reader.opcode;
        this.#checkFrame(code, end);
        // The table has no other codes; the check tells the compiler so.
        if (!isOpcode(code)) throw new Fatal("bad-opcode", "no opcode");
        const skipped = this.#step(code);
        if (skipped !== undefined) {
          end = skipped;
          this.#seek(skipped);
        }
        stopped = code === 0x2e;
        if (this.#stack.length > this.#options.depth) {
          throw new Fatal("limit", "the stack grows too high");
        }
      }
    } catch (error) {
      if (error instanceof Fatal) {
        this.#note(error.code, error.message);
      } else if (error instanceof UnpicklingError) {
        this.#damage.push({
          code: error.code,
          message: error.message,
          offset: this.#base + error.offset,
          ...error.opcode !== undefined && { opcode: error.opcode },
        });
      } else throw error;
    }
    return {
      end,
      stopped,
      damage: this.#damage,
      names: [...this.#names.values()],
      nested: this.#nested,
      isTorchMagic: stopped && this.#top === TORCH_MAGIC,
      storages: this.#storages,
      memo: this.#memo,
      readsMemo: this.#readsMemo,
    };
  }

  #seek(offset: number): void {
    this.#base = offset;
    this.#reader = new OpcodeReader();
    this.#reader.push(this.#bytes.subarray(offset));
    this.#reader.end();
  }

  /** Notes damage after which an unpickler may or may not go on. */
  #note(code: ScanDamage["code"], message: string): void {
    if (this.#damage.length >= 20) return;
    this.#damage.push({
      code,
      message,
      offset: this.#at,
      opcode: this.#reader.opcode.name,
    });
  }

  /** PEP 3154: an opcode lies within one frame, and frames do not nest. */
  #checkFrame(code: number, end: number): void {
    if (code === 0x95) {
      if (this.#at < this.#frameEnd) {
        this.#note("bad-frame", "a frame begins before the end of another");
      }
      this.#frameEnd = end +
        readUint(this.#reader.content, { at: 0, size: 8 });
      if (this.#frameEnd > this.#bytes.length) {
        this.#note("truncated", "a frame is longer than the input");
        this.#frameEnd = 0;
      }
      return;
    }
    if (this.#frameEnd === 0 || end < this.#frameEnd) return;
    if (end > this.#frameEnd) {
      this.#note("bad-frame", "an argument runs over the end of its frame");
      if (++this.#brokenFrames > 4) {
        throw new Fatal("limit", "too many broken frames");
      }
      // CPython before 3.13.15 loses what is left of the frame and reads the
      // argument behind it, so that it sees other opcodes from there on.
      this.#sweep(
        this.#frameEnd + (end - this.#base - this.#reader.contentStart),
        this.#bytes.length,
        "seen by CPython's C unpickler where a frame is broken",
      );
      this.#sweep(
        this.#frameEnd,
        this.#bytes.length,
        "stands where a frame is broken",
      );
    }
    this.#frameEnd = 0;
  }

  #sweep(start: number, end: number, reason: string): void {
    for (const { module, name, offset } of sweep(this.#bytes, start, end)) {
      const record = this.#record(module, name, offset);
      if (record.entry.verdict !== "dangerous") {
        raise(record, "unknown", reason);
      }
    }
  }

  #record(
    module: string,
    name: string,
    offset: number,
    entry?: NameEntry,
  ): NameRecord {
    const key = `${module}\n${name}`;
    let record = this.#names.get(key);
    if (record === undefined) {
      record = {
        module,
        name,
        offset,
        entry: entry ?? this.#options.judge(module, name),
        use: "named",
        count: 0,
        fits: false,
        misused: false,
      };
      this.#names.set(key, record);
    }
    record.count++;
    return record;
  }

  #push(node: Node): void {
    this.#stack.push(node);
  }

  /** Throws as an unpickler would, where fewer values are above the mark. */
  #need(count: number): void {
    const fence = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - fence >= count) return;
    if (this.#marks.length > 0) {
      throw new Fatal("unexpected-mark", "unexpected MARK found");
    }
    throw new Fatal("stack-underflow", "unpickling stack underflow");
  }

  #pop(): Node {
    this.#need(1);
    return this.#stack.pop()!;
  }

  #peek(): Node {
    this.#need(1);
    return this.#stack.at(-1)!;
  }

  #popMark(): number {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new Fatal("no-mark", "could not find MARK");
    return mark;
  }

  /** A tuple of all from an index of the stack on. */
  #tupleFrom(index: number): Tuple {
    const stack = this.#stack;
    const size = stack.length - index;
    if (size <= 0) return EMPTY_TUPLE;
    let hashable = true;
    let carried: NameRecord | undefined;
    for (let i = index; i < stack.length; i++) {
      const node = stack[i]!;
      if (
        i === index && typeof node === "object" && node.kind === "ref" &&
        node.record.entry.rule === "subclass"
      ) carried = node.record;
      else this.#store(node);
      if (hashable && !isHashable(stack[i]!)) hashable = false;
    }
    const items = stack.slice(index, index + KEEP_ITEMS);
    stack.length = index;
    return new Tuple(items, size, hashable, carried);
  }

  /** Drops all from an index of the stack on, into some container. */
  #storeFrom(index: number): void {
    const stack = this.#stack;
    for (let i = index; i < stack.length; i++) this.#store(stack[i]!);
    stack.length = index;
  }

  /** Puts a value where it can be reached later, in ways not followed. */
  #store(node: Node): void {
    if (typeof node === "number") return;
    if (node.kind === "ref") {
      const { rule } = node.record.entry;
      if (rule !== undefined && rule !== "reference") {
        node.record.misused = true;
      }
    } else if (node.kind === "tuple" && node.carried !== undefined) {
      node.carried.misused = true;
    }
  }

  #checkKeys(from: number, step: number): void {
    for (let i = from; i < this.#stack.length; i += step) {
      if (!isHashable(this.#stack[i]!)) {
        this.#note("unhashable", "a key that cannot be hashed");
        return;
      }
    }
  }

  #change(target: Node, allowed: readonly string[]): void {
    if (typeof target === "object") {
      if (target.kind === "ref") {
        use(target.record, "changed");
        raise(
          target.record,
          "dangerous",
          "a class, function or module is changed",
        );
        return;
      }
      if (
        target.kind === "made" && target.via !== undefined &&
        (target.via.name === "type" || target.via.entry.rule === "subscript")
      ) {
        use(target.via, "changed");
        raise(target.via, "dangerous", "a class is changed");
        return;
      }
      if (
        target.kind === "made" || target.kind === "unknown" ||
        allowed.includes(target.kind)
      ) return;
    }
    this.#note("bad-target", "a value that does not take this");
  }

  #line(): string {
    return decodeLatin1(this.#reader.content.subarray(0, MAX_NAME * 2));
  }

  #intLine(): Node {
    const { content } = this.#reader;
    if (content.length > MAX_INT_DIGITS + 100) {
      this.#note("bad-number", "too many digits");
      return INT;
    }
    const line = this.#line();
    if (!INT_LINE.test(line)) {
      this.#note("bad-number", "no integer");
      return INT;
    }
    if (line === "00" || line === "01") return BOOL;
    return /^-?\d{1,15}L?$/.test(line) ? parseInt(line, 10) : INT;
  }

  #index(): number | bigint {
    let line = this.#reader.content;
    const nul = line.indexOf(0);
    if (nul >= 0) {
      // C reads no further than a NUL; others refuse it.
      this.#note("bad-number", "a NUL in a memo index");
      line = line.subarray(0, nul);
    }
    try {
      return parseDecimal(line);
    } catch {
      throw new Fatal("bad-number", "no memo index");
    }
  }

  #put(index: number | bigint): void {
    if (index < 0) throw new Fatal("bad-number", "negative memo index");
    this.#memo.set(index, this.#peek());
  }

  #get(index: number | bigint): void {
    this.#readsMemo = true;
    const node = this.#memo.get(index);
    if (node === undefined) {
      throw new Fatal("memo-missing", "Memo value not found");
    }
    this.#push(node);
  }

  /** The text of a string that may be a name, or undefined if too long. */
  #text(node: Str): string | undefined {
    if (node.stop - node.start > MAX_NAME) return undefined;
    const content = this.#bytes.subarray(node.start, node.stop);
    try {
      switch (node.form) {
        case "utf8":
          return decodeUtf8(content);
        case "latin1":
          return decodeLatin1(content);
        case "quoted":
          return decodeLatin1(decodeEscapes(content.subarray(1, -1)));
        case "raw":
          return decodeRawUnicodeEscape(content);
      }
    } catch {
      return undefined;
    }
  }

  #str(form: Str["form"]): void {
    const { contentStart, contentEnd, content } = this.#reader;
    const start = this.#base + contentStart;
    const stop = this.#base + contentEnd;
    this.#push(new Str(start, stop, form));
    switch (form) {
      case "utf8":
        if (!isUtf8(content)) this.#note("bad-utf8", "no UTF-8");
        if (content[0] === 0xc2 && content[1] === 0x80) {
          this.#offerLatin1(content, start);
        } else this.#offer(content, start);
        break;
      case "latin1":
        this.#offer(content, start);
        break;
      case "raw":
        try {
          if (content.includes(0x5c)) {
            const text = decodeRawUnicodeEscape(content);
            if (content.length > 3) this.#offer(latin1Bytes(text), start);
          } else this.#offer(content, start);
        } catch {
          this.#note("bad-string", "a wrong escape");
        }
        break;
      case "quoted": {
        const quote = content[0];
        if (
          content.length < 2 || (quote !== 0x22 && quote !== 0x27) ||
          content.at(-1) !== quote
        ) {
          this.#note("bad-string", "no string quotes around it");
          break;
        }
        try {
          const inner = content.subarray(1, -1);
          this.#offer(
            inner.includes(0x5c) ? decodeEscapes(inner) : inner,
            start,
          );
        } catch {
          this.#note("bad-string", "a wrong escape");
        }
      }
    }
  }

  #byteString(): void {
    const start = this.#base + this.#reader.contentStart;
    this.#push(new Bytes(start, this.#base + this.#reader.contentEnd));
    this.#offer(this.#reader.content, start);
  }

  /** Bytes of protocols 0 to 2 stand as text, one character each. */
  #offerLatin1(content: Uint8Array, offset: number): void {
    try {
      this.#offer(latin1Bytes(decodeUtf8(content)), offset);
    } catch {
      // No UTF-8; noted elsewhere.
    }
  }

  /** Remembers bytes that may hold a pickle. */
  #offer(bytes: Uint8Array, offset: number, loaded = false): void {
    if (!loaded && !mayNest(bytes)) return;
    if (this.#nested.length >= MAX_NESTED) {
      if (!this.#tooMany) {
        this.#note("limit", "too many values that look like pickles");
      }
      this.#tooMany = true;
      return;
    }
    this.#nested.push({ bytes, offset, loaded });
  }

  #global(module: string, name: string): void {
    this.#push(new Ref(this.#record(module, name, this.#at)));
  }

  #globalLines(): [string, string] {
    const { content } = this.#reader;
    const cut = content.indexOf(0x0a);
    const lines = [content.subarray(0, cut), content.subarray(cut + 1)];
    return lines.map((line) => {
      if (line.length === 0) this.#note("bad-global", "an empty name");
      try {
        return decodeUtf8(line.subarray(0, MAX_NAME));
      } catch {
        this.#note("bad-utf8", "a name that is no UTF-8");
        return decodeLatin1(line.subarray(0, MAX_NAME));
      }
    }) as [string, string];
  }

  #stackGlobal(): void {
    this.#need(2);
    const name = this.#stack.pop()!;
    const module = this.#stack.pop()!;
    const texts = [module, name].map((node) =>
      typeof node === "object" && node.kind === "str"
        ? this.#text(node) ?? "(too long)"
        : undefined
    );
    if (texts[0] !== undefined && texts[1] !== undefined) {
      this.#global(texts[0], texts[1]);
      return;
    }
    for (const node of [module, name]) {
      if (
        typeof node === "number" ||
        (node.kind !== "str" && node.kind !== "made" && node.kind !== "ref" &&
          node.kind !== "unknown")
      ) {
        this.#note("bad-global", "STACK_GLOBAL requires str");
        this.#push(UNKNOWN);
        return;
      }
    }
    const record = this.#record(
      texts[0] ?? "(computed)",
      texts[1] ?? "(computed)",
      this.#at,
      COMPUTED_NAME,
    );
    this.#push(new Made(record, undefined));
  }

  #call(func: Node, args: Node, how: "called" | "instantiated"): Node {
    const tuple = typeof args === "object" && args.kind === "tuple"
      ? args
      : undefined;
    if (
      tuple === undefined &&
      !(typeof args === "object" &&
        (args.kind === "made" || args.kind === "unknown" ||
          args.kind === "list"))
    ) this.#note("bad-args", "argument list must be a tuple");
    if (tuple?.carried !== undefined) {
      // numpy's `_reconstruct` makes an array without calling the class.
      if (
        how === "called" && typeof func === "object" && func.kind === "ref" &&
        func.record.name === "_reconstruct" &&
        func.record.entry.verdict === "safe"
      ) tuple.carried.fits = true;
      else tuple.carried.misused = true;
    }
    if (typeof func === "number") {
      this.#note(
        how === "called" ? "not-callable" : "not-a-type",
        "an int cannot be called",
      );
      return UNKNOWN;
    }
    switch (func.kind) {
      case "ref": {
        const { record } = func;
        use(record, how);
        if (record.entry.rule === undefined) return new Made(record, tuple);
        const given = how === "called" && tuple !== undefined
          ? this.#applyRule(record, tuple)
          : undefined;
        if (given !== undefined) {
          record.fits = true;
          return given;
        }
        record.misused = true;
        return new Made(record, tuple);
      }
      case "made":
      case "unknown": {
        if (func.kind === "made" && func.callable) {
          return new Made(func.via, tuple);
        }
        const via = func.kind === "made" ? func.via : undefined;
        // What a computed call gave goes by the name of that call: names must
        // not grow.
        const record = via?.entry === COMPUTED_CALL ? via : this.#record(
          via?.module ?? "",
          via === undefined ? "(computed)" : `${via.name}()`,
          this.#at,
          via !== undefined && /^_?operator$/.test(via.module)
            ? COMPUTED_REACH
            : COMPUTED_CALL,
        );
        use(record, how);
        return new Made(record, tuple);
      }
      default:
        this.#note(
          how === "called" ? "not-callable" : "not-a-type",
          "a value that cannot be called",
        );
        return UNKNOWN;
    }
  }

  /** What a call gives where the rule of the name allows it. */
  #applyRule(record: NameRecord, args: Tuple): Node | undefined {
    const [first, second] = args.items;
    switch (record.entry.rule) {
      case "text-codec": {
        const text = asStr(first);
        const encoding = asStr(second);
        if (args.size !== 2 || text === undefined || encoding === undefined) {
          return undefined;
        }
        const name = this.#text(encoding)?.toLowerCase();
        if (name === undefined || !TEXT_ENCODINGS.has(name)) return undefined;
        return new Encoded(text);
      }
      case "attribute": {
        const name = asStr(second);
        const attribute = name && this.#text(name);
        if (args.size !== 2 || attribute === undefined || first === undefined) {
          return undefined;
        }
        if (typeof first === "object" && first.kind === "ref") {
          return this.#attribute(first, attribute);
        }
        // A bound method of some object: data, as long as nobody calls it.
        if (isReach(attribute)) return undefined;
        const via = typeof first === "object" && first.kind === "made"
          ? first.via
          : undefined;
        const bound = via?.entry === BOUND ? via : this.#record(
          via?.module ?? "",
          `${via?.name ?? ""}().${attribute}`,
          this.#at,
          BOUND,
        );
        return new Made(bound, undefined);
      }
      case "new-partial": {
        if (
          typeof first !== "object" || first.kind !== "ref" ||
          typeof second !== "object" || second.kind !== "ref" ||
          first.record.module !== second.record.module ||
          first.record.name !== `${second.record.name}.__new__`
        ) return undefined;
        return new Made(record, args, true);
      }
      case "one-argument":
        return args.size === 1 ? new Made(record, args) : undefined;
      case "subscript":
        return typeof first === "object" && first.kind === "ref" &&
            /^(typing|builtins|__builtin__|collections)$/
              .test(first.record.module) &&
            first.record.entry.verdict === "safe"
          ? new Made(record, args)
          : undefined;
      case "nested": {
        if (args.size !== 1 || typeof first !== "object") return undefined;
        if (first instanceof Bytes) {
          const content = this.#bytes.subarray(first.start, first.stop);
          this.#offer(content, first.start, true);
          return new Made(record, args);
        }
        if (first instanceof Encoded) {
          const { text } = first;
          const content = this.#bytes.subarray(text.start, text.stop);
          try {
            const decoded = text.form === "raw"
              ? decodeRawUnicodeEscape(content)
              : decodeUtf8(content);
            this.#offer(latin1Bytes(decoded), text.start, true);
            return new Made(record, args);
          } catch {
            return undefined;
          }
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  /** `getattr(a global, a name)` is that name, dotted. */
  #attribute(owner: Ref, attribute: string): Ref | undefined {
    const { module, name, entry } = owner.record;
    const dotted = `${module}.${name}`;
    if (
      entry.verdict === "dangerous" ||
      this.#options.judge(dotted, attribute).verdict === "dangerous"
    ) return undefined;
    const judged = attribute === "__new__"
      ? { ...entry, reason: "makes an instance without calling its __init__" }
      : this.#options.judge(module, `${name}.${attribute}`);
    return new Ref(
      this.#record(module, `${name}.${attribute}`, this.#at, judged),
    );
  }

  #build(): number | undefined {
    this.#need(2);
    const state = this.#stack.pop()!;
    const target = this.#stack.at(-1)!;
    this.#store(state);
    const none = typeof state === "object" && state.kind === "none";
    if (!none) this.#change(target, []);
    if (typeof target !== "object" || target.kind !== "made") return undefined;
    target.state ??= state;
    const { via } = target;
    if (via === undefined) return undefined;
    if (via.entry.rule === "new-partial") via.misused = true;
    if (
      via.module === "joblib.numpy_pickle" && via.name === "NumpyArrayWrapper"
    ) return this.#skipArray(state);
    return undefined;
  }

  /**
   * joblib writes an array's bytes straight behind the BUILD of its wrapper.
   * Gives the offset behind them.
   */
  #skipArray(state: Node): number {
    const start = this.#base + this.#reader.endPosition;
    try {
      return this.#arrayEnd(state, start);
    } catch (error) {
      // Who loads it by pickle reads on.
      this.#sweep(start, this.#bytes.length, "stands behind a joblib array");
      throw error;
    }
  }

  #arrayEnd(state: Node, start: number): number {
    if (typeof state !== "object" || state.kind !== "dict") {
      throw new Fatal("bad-state", "a joblib array of unknown layout");
    }
    const shape = state.get("shape");
    const dtype = state.get("dtype");
    const itemSize = this.#itemSize(dtype);
    if (itemSize === undefined) {
      throw new Fatal("bad-state", "a joblib array of unknown type");
    }
    if (itemSize === "object") {
      const level = (this.#options.level ?? 0) + 1;
      if (level > 16) throw new Fatal("limit", "arrays nest too deep");
      const { end, stopped, names, nested, damage } = runMachine(
        this.#bytes,
        start,
        {
          judge: this.#options.judge,
          depth: this.#options.depth,
          level,
        },
      );
      for (const record of names) this.#merge(record);
      for (const item of nested) {
        this.#offer(item.bytes, item.offset, item.loaded);
      }
      this.#damage.push(...damage);
      if (!stopped) throw new Fatal("truncated", "a joblib array is damaged");
      return end;
    }
    if (typeof shape !== "object" || shape.kind !== "tuple") {
      throw new Fatal("bad-state", "a joblib array of unknown shape");
    }
    let size = itemSize;
    for (const item of shape.items) {
      if (typeof item !== "number" || item < 0) {
        throw new Fatal("bad-state", "a joblib array of unknown shape");
      }
      size *= item;
    }
    if (shape.size > shape.items.length || !Number.isSafeInteger(size)) {
      throw new Fatal("bad-state", "a joblib array of unknown shape");
    }
    let data = start;
    const alignment = state.get("numpy_array_alignment_bytes");
    if (typeof alignment === "number") {
      data += 1 + (this.#bytes[data] ?? 0);
    }
    const end = data + size;
    if (end > this.#bytes.length) {
      throw new Fatal("truncated", "a joblib array is cut off");
    }
    // Loaded by pickle instead of joblib, the array's bytes are opcodes.
    this.#sweep(start, end, "stands in an array's bytes");
    return end;
  }

  #itemSize(dtype: Node | undefined): number | "object" | undefined {
    if (
      typeof dtype !== "object" || dtype.kind !== "made" ||
      dtype.via?.module !== "numpy" || dtype.via.name !== "dtype"
    ) return undefined;
    const spec = asStr(dtype.args?.items[0]);
    const text = spec && this.#text(spec);
    const match = text && /^[<>|=]?([biufcmMOSUV])(\d*)$/.exec(text);
    if (!match) return undefined;
    const size = Number(match[2]);
    if (match[1] === "O") return "object";
    if (match[1] === "V") {
      // Fields may be objects; their flag says so.
      const flags = typeof dtype.state === "object" &&
          dtype.state.kind === "tuple"
        ? dtype.state.items[7]
        : undefined;
      return typeof flags === "number" && (flags & 1) === 0 ? size : undefined;
    }
    return match[1] === "U" ? size * 4 : size;
  }

  #merge(other: NameRecord): void {
    const key = `${other.module}\n${other.name}`;
    const record = this.#names.get(key);
    if (record === undefined) {
      this.#names.set(key, other);
      return;
    }
    record.count += other.count;
    record.fits ||= other.fits;
    record.misused ||= other.misused;
    use(record, other.use);
    if (other.raised) raise(record, other.raised.verdict, other.raised.reason);
  }

  #setItems(from: number): void {
    const count = this.#stack.length - from;
    if (count % 2 !== 0) throw new Fatal("odd-items", "odd number of items");
    const target = this.#stack[from - 1];
    if (target === undefined || from - 1 < (this.#marks.at(-1) ?? 0)) {
      throw new Fatal("stack-underflow", "unpickling stack underflow");
    }
    if (count === 0) return;
    this.#change(target, ["dict", "list", "bytearray"]);
    if (typeof target === "object" && target.kind === "dict") {
      this.#checkKeys(from, 2);
      this.#fill(target, from);
      return;
    }
    this.#storeFrom(from);
  }

  #fill(dict: Dict, from: number): void {
    const stack = this.#stack;
    for (let i = from; i < stack.length; i += 2) {
      const key = stack[i]!;
      const value = stack[i + 1]!;
      this.#store(key);
      let name: string | undefined;
      if (
        typeof key === "object" && key.kind === "str" &&
        // Escapes make a name longer than it is.
        (key.form === "quoted" || key.form === "raw" ||
          KEPT_LENGTHS.has(key.stop - key.start))
      ) {
        name = this.#text(key);
        if (name !== undefined) dict.set(name, value);
      }
      if (
        name === "subclass" && typeof value === "object" &&
        value.kind === "ref" && value.record.entry.rule === "subclass"
      ) {
        value.record.fits = true;
      } else this.#store(value);
    }
    stack.length = from;
  }

  #persistent(id: Node): void {
    if (typeof id !== "object" || id.kind !== "tuple") return;
    const [tag, type, key, , count] = id.items;
    const tagText = asStr(tag) && this.#text(asStr(tag)!);
    const keyText = asStr(key) && this.#text(asStr(key)!);
    if (
      tagText !== "storage" || keyText === undefined ||
      typeof type !== "object" || type.kind !== "ref" ||
      typeof count !== "number"
    ) return;
    const size = ELEMENT_SIZES.get(type.record.name);
    if (size !== undefined && this.#storages.size < 1_000_000) {
      this.#storages.set(keyText, size * count);
    }
  }

  #extension(code: number): void {
    if (code <= 0) {
      this.#note("bad-ext", "EXT specifies code <= 0");
      this.#push(UNKNOWN);
      return;
    }
    const record = this.#record(
      "copyreg",
      `extension ${code}`,
      this.#at,
      EXTENSION,
    );
    this.#push(new Ref(record));
  }

  /** Does one opcode; gives an offset where the next one stands elsewhere. */
  #step(code: OpcodeCode): number | undefined {
    const reader = this.#reader;
    switch (code) {
      case 0x28: // MARK
        if (this.#marks.length >= MAX_MARKS) {
          throw new Fatal("limit", "too many marks");
        }
        this.#marks.push(this.#stack.length);
        return;
      case 0x2e: // STOP
        this.#top = this.#pop();
        this.#store(this.#top);
        return;
      case 0x30: // POP
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#stack.length = this.#popMark();
        return;
      case 0x32: // DUP
        this.#push(this.#peek());
        return;
      case 0x46: // FLOAT
        try {
          parseFloatLine(reader.content);
        } catch {
          this.#note("bad-number", "no float");
        }
        this.#push(FLOAT);
        return;
      case 0x47: // BINFLOAT
        this.#push(FLOAT);
        return;
      case 0x49: // INT
      case 0x4c: // LONG
        this.#push(this.#intLine());
        return;
      case 0x4a: // BININT
        this.#push(readLong(reader.content) as number);
        return;
      case 0x4b: // BININT1
      case 0x4d: // BININT2
        this.#push(readUint(reader.content, {
          at: 0,
          size: code === 0x4b ? 1 : 2,
        }));
        return;
      case 0x8a: { // LONG1
        const { content } = reader;
        if (content.length <= 6) {
          this.#push(readLong(content) as number);
        } else {
          this.#push(
            content.length === 10 &&
              TORCH_MAGIC_BYTES.every((byte, i) => content[i] === byte)
              ? TORCH_MAGIC
              : INT,
          );
        }
        return;
      }
      case 0x8b: // LONG4
        this.#push(INT);
        return;
      case 0x4e: // NONE
        this.#push(NONE);
        return;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        this.#push(BOOL);
        return;
      case 0x53: // STRING
        this.#str("quoted");
        return;
      case 0x54: // BINSTRING
      case 0x55: // SHORT_BINSTRING
        this.#str("latin1");
        return;
      case 0x56: // UNICODE
        this.#str("raw");
        return;
      case 0x58: // BINUNICODE
      case 0x8c: // SHORT_BINUNICODE
      case 0x8d: // BINUNICODE8
        this.#str("utf8");
        return;
      case 0x42: // BINBYTES
      case 0x43: // SHORT_BINBYTES
      case 0x8e: // BINBYTES8
        this.#byteString();
        return;
      case 0x96: // BYTEARRAY8
        this.#push(BYTEARRAY);
        this.#offer(reader.content, this.#base + reader.contentStart);
        return;
      case 0x97: // NEXT_BUFFER
        this.#push(BUFFER);
        return;
      case 0x98: { // READONLY_BUFFER
        const top = this.#peek();
        if (
          typeof top === "number" ||
          !["buffer", "bytes", "bytearray", "made", "unknown"].includes(
            top.kind,
          )
        ) this.#note("bad-target", "no buffer");
        return;
      }
      case 0x5d: // EMPTY_LIST
        this.#push(LIST);
        return;
      case 0x7d: // EMPTY_DICT
        this.#push(new Dict());
        return;
      case 0x29: // EMPTY_TUPLE
        this.#push(EMPTY_TUPLE);
        return;
      case 0x8f: // EMPTY_SET
        this.#push(SET);
        return;
      case 0x61: { // APPEND
        this.#need(2);
        const from = this.#stack.length - 1;
        this.#change(this.#stack[from - 1]!, ["list", "bytearray"]);
        this.#storeFrom(from);
        return;
      }
      case 0x65: // APPENDS
      case 0x90: { // ADDITEMS
        const from = this.#popMark();
        this.#needBelow(from);
        if (this.#stack.length === from) return;
        if (code === 0x90) this.#checkKeys(from, 1);
        this.#change(
          this.#stack[from - 1]!,
          code === 0x65 ? ["list", "bytearray"] : ["set"],
        );
        this.#storeFrom(from);
        return;
      }
      case 0x6c: // LIST
        this.#storeFrom(this.#popMark());
        this.#push(LIST);
        return;
      case 0x91: { // FROZENSET
        const from = this.#popMark();
        this.#checkKeys(from, 1);
        this.#storeFrom(from);
        this.#push(FROZENSET);
        return;
      }
      case 0x74: // TUPLE
        this.#push(this.#tupleFrom(this.#popMark()));
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: { // TUPLE3
        const size = code - 0x84;
        this.#need(size);
        this.#push(this.#tupleFrom(this.#stack.length - size));
        return;
      }
      case 0x64: { // DICT
        const from = this.#popMark();
        if ((this.#stack.length - from) % 2 !== 0) {
          throw new Fatal("odd-items", "odd number of items for DICT");
        }
        this.#checkKeys(from, 2);
        const dict = new Dict();
        this.#fill(dict, from);
        this.#push(dict);
        return;
      }
      case 0x73: // SETITEM
        this.#need(3);
        this.#setItems(this.#stack.length - 2);
        return;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMark());
        return;
      case 0x67: // GET
        this.#get(this.#index());
        return;
      case 0x68: // BINGET
      case 0x6a: // LONG_BINGET
        this.#get(readUint(reader.content, {
          at: 0,
          size: code === 0x68 ? 1 : 4,
        }));
        return;
      case 0x70: // PUT
        this.#put(this.#index());
        return;
      case 0x71: // BINPUT
      case 0x72: // LONG_BINPUT
        this.#put(readUint(reader.content, {
          at: 0,
          size: code === 0x71 ? 1 : 4,
        }));
        return;
      case 0x94: // MEMOIZE
        this.#put(this.#memo.size);
        return;
      case 0x82: // EXT1
      case 0x83: // EXT2
        this.#extension(readUint(reader.content, {
          at: 0,
          size: code === 0x82 ? 1 : 2,
        }));
        return;
      case 0x84: // EXT4
        this.#extension(readLong(reader.content) as number);
        return;
      case 0x63: // GLOBAL
        this.#global(...this.#globalLines());
        return;
      case 0x93: // STACK_GLOBAL
        this.#stackGlobal();
        return;
      case 0x69: { // INST
        const args = this.#tupleFrom(this.#popMark());
        const [module, name] = this.#globalLines();
        if (/[^\0-\x7f]/.test(module + name)) {
          this.#note("bad-global", "a name that is not ASCII");
        }
        const ref = new Ref(this.#record(module, name, this.#at));
        this.#push(this.#call(ref, args, "instantiated"));
        return;
      }
      case 0x6f: { // OBJ
        const from = this.#popMark();
        const type = this.#stack[from];
        if (type === undefined) {
          throw new Fatal("stack-underflow", "unpickling stack underflow");
        }
        const args = this.#tupleFrom(from + 1);
        this.#stack.length = from;
        this.#push(this.#call(type, args, "instantiated"));
        return;
      }
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        this.#need(2);
        const args = this.#stack.pop()!;
        const func = this.#stack.pop()!;
        this.#push(
          this.#call(func, args, code === 0x52 ? "called" : "instantiated"),
        );
        return;
      }
      case 0x92: { // NEWOBJ_EX
        this.#need(3);
        const keywords = this.#stack.pop()!;
        if (
          typeof keywords === "number" ||
          !["dict", "made", "unknown"].includes(keywords.kind)
        ) this.#note("bad-args", "keyword arguments must be a dict");
        const args = this.#stack.pop()!;
        const func = this.#stack.pop()!;
        this.#push(this.#call(func, args, "instantiated"));
        return;
      }
      case 0x62: // BUILD
        return this.#build();
      case 0x80: { // PROTO
        const protocol = reader.content[0]!;
        if (protocol > 5) {
          throw new Fatal(
            "bad-protocol",
            `unsupported pickle protocol: ${protocol}`,
          );
        }
        return;
      }
      case 0x95: // FRAME
        return;
      case 0x50: // PERSID
        this.#push(UNKNOWN);
        return;
      case 0x51: // BINPERSID
        this.#persistent(this.#pop());
        this.#push(UNKNOWN);
        return;
      default:
        return unreachableOpcode(code);
    }
  }

  /** Throws where there is no value below a mark just taken. */
  #needBelow(from: number): void {
    if (from - 1 < (this.#marks.at(-1) ?? 0)) {
      throw new Fatal("stack-underflow", "unpickling stack underflow");
    }
  }
}

const COMPUTED_NAME: NameEntry = {
  verdict: "dangerous",
  reason: "a name that is computed while loading",
  source: "a known way around scanners that read names only",
};
const COMPUTED_CALL: NameEntry = {
  verdict: "unknown",
  reason: "calls what another call gave",
  source: "",
};
const COMPUTED_REACH: NameEntry = {
  verdict: "dangerous",
  reason: "reaches attributes or items by a call",
  source: "modelaudit and picklescan deny it",
};
const BOUND: NameEntry = {
  verdict: "unknown",
  reason: "a method of an object",
  source: "",
};
const EXTENSION: NameEntry = {
  verdict: "unknown",
  reason: "a name that only the loading program's registry knows",
  source: "PEP 307",
};

function asStr(node: Node | undefined): Str | undefined {
  return typeof node === "object" && node.kind === "str" ? node : undefined;
}

function isHashable(node: Node): boolean {
  if (typeof node === "number") return true;
  switch (node.kind) {
    case "list":
    case "dict":
    case "set":
    case "bytearray":
      return false;
    case "tuple":
      return node.hashable;
    default:
      return true;
  }
}

function use(record: NameRecord, how: ScanUse): void {
  if (USE_RANK[how] > USE_RANK[record.use]) record.use = how;
}

function raise(
  record: NameRecord,
  verdict: NameVerdict,
  reason: string,
): void {
  if (record.raised?.verdict === "dangerous") return;
  record.raised = { verdict, reason };
}

/**
 * Judges a record: by its list, by its rule, by how it is used.
 *
 * @param record What is known of a name
 * @returns The verdict and why
 */
export function judgeRecord(
  { entry, fits, misused, raised }: NameRecord,
): { verdict: NameVerdict; reason: string; source: string } {
  const { source } = entry;
  const fine = !misused && (entry.rule === "reference" ||
    (entry.rule !== undefined && fits));
  const listed = fine
    ? { verdict: "safe" as const, reason: "used only to make data", source }
    : { verdict: entry.verdict, reason: entry.reason, source };
  if (raised === undefined || listed.verdict === "dangerous") return listed;
  return { ...raised, source };
}

/** Characters as bytes; those that are none become 0xff. */
function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    return code > 0xff ? 0xff : code;
  });
}

/** First characters of the base64 of what `mayBeBase64` looks for. */
const BASE64_STARTS: ReadonlySet<number> = new Set(
  Array.from("gHUeYKfX", (character) => character.charCodeAt(0)),
);

/** Whether a text may be base64 of a pickle or a packed one, at a glance. */
function mayBeBase64(bytes: Uint8Array): boolean {
  const head = unquad(bytes.subarray(0, 4));
  if (head === undefined) return false;
  const a = head.charCodeAt(0);
  const b = head.charCodeAt(1);
  if (
    (a === 0x80 && b <= 5) || (a === 0x1f && b === 0x8b) || head === "PK\x03" ||
    (a === 0x78 && (a * 256 + b) % 31 === 0)
  ) return true;
  // Protocols 0 and 1 begin with a name or a mark and end with a dot.
  if (a !== 0x63 && a !== 0x28 && a !== 0x7d && a !== 0x5d) return false;
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  return unquad(bytes.subarray(end - 4, end))?.trimEnd().endsWith(".") ?? false;
}

/** What four characters of base64 stand for. */
function unquad(bytes: Uint8Array): string | undefined {
  const text = decodeLatin1(bytes).replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]{2,4}={0,2}$/.test(text)) return undefined;
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

/** Whether bytes may hold a pickle, at a glance. */
function mayNest(bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (length < 4) return false;
  const first = bytes[0]!;
  const second = bytes[1]!;
  switch (first) {
    case 0x80:
      return second <= 5;
    case 0x1f:
      return second === 0x8b;
    case 0x78:
      return (first * 256 + second) % 31 === 0;
    case 0x93:
    case 0x50:
      return length > 4 &&
        (second === 0x4e || (second === 0x4b && bytes[2]! <= 8));
  }
  // Protocols 0 and 1 end with a dot and have names in lines.
  if (bytes[length - 1] === 0x2e || bytes[length - 2] === 0x2e) {
    if (bytes.includes(0x0a) || bytes.includes(0x93)) return true;
  }
  if (length < 12) return false;
  return BASE64_STARTS.has(first) && mayBeBase64(bytes);
}

const IDENTIFIERS = /^[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*$/;

/**
 * Reads opcodes one behind the other without doing any of them, and gives the
 * names among them: for bytes of which it is not known that they are opcodes.
 *
 * @param bytes Where they stand
 * @param start Offset of the first
 * @param end Offset behind the last
 * @returns The names that could be those of Python
 */
export function* sweep(
  bytes: Uint8Array,
  start: number,
  end: number,
): Generator<{ module: string; name: string; offset: number }, void> {
  const reader = new OpcodeReader();
  reader.push(bytes.subarray(start, end));
  reader.end();
  let before = "";
  let last = "";
  let count = 0;
  while (count < 1000) {
    try {
      if (!reader.advance()) return;
    } catch {
      return;
    }
    const { opcode, content } = reader;
    const offset = start + reader.position;
    switch (opcode.name) {
      case "GLOBAL":
      case "INST": {
        const [module = "", name = ""] = decodeLatin1(
          content.subarray(0, 1000),
        ).split("\n");
        if (IDENTIFIERS.test(module) && IDENTIFIERS.test(name)) {
          count++;
          yield { module, name, offset };
        }
        break;
      }
      case "STACK_GLOBAL":
        if (IDENTIFIERS.test(before) && IDENTIFIERS.test(last)) {
          count++;
          yield { module: before, name: last, offset };
        }
        break;
      default:
        if (opcode.after[0] === "str" && content.length < 200) {
          before = last;
          last = decodeLatin1(content);
        }
    }
  }
}

/** The judge that knows the lists and nothing else. */
export const listJudge: MachineOptions["judge"] = judgeName;
