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
} from "./arguments.ts";
import type { UnpicklingError, UnpicklingErrorCode } from "./errors.ts";
import { WANT, WHOLE } from "./opcode_input.ts";
import {
  isOpcode,
  OPCODE_BY_CODE,
  type OpcodeCode,
  unreachableOpcode,
} from "./opcodes.ts";
import { isReach, type NameEntry, type NameVerdict } from "./scan_lists.ts";
import { ScanMemo } from "./scan_memo.ts";
import {
  BOOL,
  BUFFER,
  BYTEARRAY,
  Bytes,
  Dict,
  EMPTY_TUPLE,
  Encoded,
  FLOAT,
  forget,
  type Form,
  FROZENSET,
  INT,
  keptKey,
  LIST,
  LOST_STR,
  Made,
  MAX_NAME,
  type NameRecord,
  type Node,
  NONE,
  Ref,
  type ScanUse,
  SET,
  Str,
  TORCH_MAGIC,
  Tuple,
  UNKNOWN,
  USE_RANK,
} from "./scan_nodes.ts";
import { ScanReader } from "./scan_reader.ts";

/** What is wrong with a pickle. */
export interface ScanDamage {
  readonly code: UnpicklingErrorCode | "limit";
  readonly message: string;
  readonly offset: number;
  readonly opcode?: string;
}

/** Who runs machines, and is told of what they cannot follow themselves. */
export interface Host {
  /** Judges a name. */
  judge(module: string, name: string): NameEntry;
  /** Hears of bytes that may hold a pickle. */
  offer(bytes: Uint8Array, offset: number): void;
  /**
   * Hears of bytes that the pickle loads in their turn. Says whether they can
   * be looked into.
   */
  load(bytes: Uint8Array | undefined, offset: number): boolean;
  /** Hears of bytes that others may read as opcodes. */
  sweep(start: number, stop: number, reason: string): void;
}

/** What comes behind an opcode that is no opcode. */
export interface Raw {
  /** How many bytes. */
  readonly size: number;
  /** Whether a byte before them says how many more there are. */
  readonly aligned: boolean;
}

/** Options of a {@linkcode Machine}. */
export interface MachineOptions {
  /** The memo of the pickle before it, where one pickler wrote both. */
  readonly memo?: ScanMemo | undefined;
  /** How many pickles are around it, in arrays of objects. */
  readonly level?: number;
}

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

/** Where joblib is, by itself and where scikit-learn had it. */
const JOBLIB_MODULES: ReadonlySet<string> = new Set([
  "joblib.numpy_pickle",
  "sklearn.externals.joblib.numpy_pickle",
]);

const KEEP_ITEMS = 64;
const MAX_DEPTH = 20_000_000;
const MAX_NAMES = 100_000;
/** Deeper in the stack than this, values are forgotten. */
const FRESH = 16;
const COMPACT = 65_536;
const COMPACT_BYTES = 8_388_608;
const MAX_MARKS = 1_000_000;
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

/** What ends a run: nothing behind it would be executed. */
class Fatal extends Error {
  constructor(readonly code: UnpicklingErrorCode | "limit", message: string) {
    super(message);
  }
}

/** Follows one pickle, opcode by opcode. */
export class Machine {
  readonly #host: Host;
  readonly #level: number;
  readonly #names = new Map<string, Ref>();
  #stack: Node[] = [];
  #marks: number[] = [];
  #at = 0;
  #opcode = 0;
  #compacted = 0;
  #compactedAt = 0;
  #top: Node = UNKNOWN;
  /** Reads an array of objects, which is a pickle within this one. */
  #inner: Machine | undefined;
  #overflow: Ref | undefined;

  /** What is wrong. */
  readonly damage: ScanDamage[] = [];
  /** Bytes of each storage that a torch file names. */
  readonly storages: Map<string, number> = new Map();
  /** What is stored by number. */
  readonly memo: ScanMemo;
  /** Whether it asks for what is stored. */
  readsMemo = false;
  /** Whether there was a STOP. */
  stopped = false;
  /** Whether damage ended it. */
  dead = false;

  /**
   * Makes a machine.
   *
   * @param host Who runs it
   * @param options What came before
   */
  constructor(host: Host, options: MachineOptions = {}) {
    this.#host = host;
    this.#level = options.level ?? 0;
    this.memo = options.memo ?? new ScanMemo();
  }

  /** Every name that was reached. */
  get names(): NameRecord[] {
    const names = Array.from(this.#names.values(), ({ record }) => record);
    if (this.#overflow !== undefined) names.push(this.#overflow.record);
    return names;
  }

  /** Whether any name was reached. */
  get hasNames(): boolean {
    return this.#names.size > 0;
  }

  /** Whether the value is the number that begins a torch file. */
  get isTorchMagic(): boolean {
    return this.stopped && this.#top === TORCH_MAGIC;
  }

  /**
   * Does the opcode that was read last.
   *
   * @param reader Who has read it
   * @param whole Whether its argument is there, or comes in parts
   * @returns What comes behind it, where that is no opcode
   */
  advance(reader: ScanReader, whole: boolean): Raw | undefined {
    this.#at = reader.position;
    this.#opcode = reader.code;
    try {
      const inner = this.#inner;
      if (inner !== undefined) {
        const raw = inner.advance(reader, whole);
        if (inner.stopped || inner.dead) this.#endInner(inner);
        return raw;
      }
      const { code } = reader;
      if (whole) {
        // The table has no other codes; the check tells the compiler so.
        if (!isOpcode(code)) throw new Fatal("bad-opcode", "no opcode");
        const raw = this.#step(code, reader);
        if (code === 0x2e) this.stopped = true;
        const depth = this.#stack.length;
        if (depth < this.#compacted) this.#compacted = depth;
        else if (
          depth - this.#compacted > COMPACT ||
          this.#at - this.#compactedAt > COMPACT_BYTES
        ) this.#compact();
        return raw;
      }
      this.#stepLong(code, reader);
    } catch (error) {
      if (!(error instanceof Fatal)) throw error;
      this.note(error.code, error.message);
      this.dead = true;
      // Python goes on, so the names at least are told.
      if (error.code === "limit") {
        this.#host.sweep(
          reader.endPosition,
          Infinity,
          "stands behind too much else",
        );
      }
    }
    return undefined;
  }

  /**
   * Ends the machine where the input is damaged.
   *
   * @param error What the reader says
   */
  fail(error: UnpicklingError): void {
    const inner = this.#inner;
    if (inner !== undefined) {
      inner.fail(error);
      this.#take(inner);
    } else {
      this.damage.push({
        code: error.code,
        message: error.message,
        offset: error.offset,
        ...error.opcode !== undefined && { opcode: error.opcode },
      });
    }
    this.dead = true;
  }

  /**
   * Notes damage after which an unpickler may or may not go on.
   *
   * @param code What kind
   * @param message In few words
   */
  note(code: ScanDamage["code"], message: string): void {
    if (this.damage.length >= 20) return;
    this.damage.push({
      code,
      message,
      offset: this.#at,
      opcode: OPCODE_BY_CODE[this.#opcode]?.name ?? "",
    });
  }

  /** Forgets what lies deep in the stack, so that it holds no input. */
  #compact(): void {
    const stack = this.#stack;
    const end = stack.length - FRESH;
    this.#compactedAt = this.#at;
    if (stack.length > MAX_DEPTH) {
      throw new Fatal("limit", "the stack grows too high");
    }
    for (let i = this.#compacted; i < end; i++) {
      const node = stack[i]!;
      if (typeof node === "object" && node.kind !== "dict") {
        stack[i] = forget(node);
      }
    }
    this.#compacted = Math.max(this.#compacted, end);
  }

  #endInner(inner: Machine): void {
    this.#take(inner);
    if (inner.dead) throw new Fatal("truncated", "a joblib array is damaged");
  }

  #take(inner: Machine): void {
    this.#inner = undefined;
    for (const record of inner.names) this.#merge(record);
    this.damage.push(...inner.damage);
  }

  #record(module: string, name: string, entry?: NameEntry): Ref {
    const key = `${module}\n${name}`;
    let ref = this.#names.get(key);
    if (ref === undefined) {
      const offset = this.#at;
      const judged = entry ?? this.#host.judge(module, name);
      const record = newRecord({ module, name, offset, entry: judged });
      ref = new Ref(record);
      if (this.#names.size >= MAX_NAMES) {
        if (this.#overflow === undefined) {
          this.note("limit", "too many names");
          this.#overflow = ref;
        }
        if (judged.verdict === "dangerous") {
          const { verdict, reason } = judged;
          raise(this.#overflow.record, verdict, reason);
        }
        return this.#overflow;
      }
      this.#names.set(key, ref);
    }
    ref.record.count++;
    return ref;
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
        this.note("unhashable", "a key that cannot be hashed");
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
    this.note("bad-target", "a value that does not take this");
  }

  #intLine(content: Uint8Array): Node {
    if (content.length > MAX_INT_DIGITS + 100) {
      this.note("bad-number", "too many digits");
      return INT;
    }
    const line = decodeLatin1(content);
    if (!INT_LINE.test(line)) {
      this.note("bad-number", "no integer");
      return INT;
    }
    if (line === "00" || line === "01") return BOOL;
    return /^-?\d{1,15}L?$/.test(line) ? parseInt(line, 10) : INT;
  }

  #index(content: Uint8Array): number | bigint {
    let line = content;
    const nul = line.indexOf(0);
    if (nul >= 0) {
      // C reads no further than a NUL; others refuse it.
      this.note("bad-number", "a NUL in a memo index");
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
    const node = this.#peek();
    const kept = this.memo.set(index, node);
    if (kept === undefined) {
      throw new Fatal("limit", "too many numbers in the memo");
    }
    // Who keeps the memo's own bytes does not keep the input.
    if (kept !== node && typeof node === "object" && node.kind === "str") {
      if ((kept as Str).buffer !== undefined) {
        this.#stack[this.#stack.length - 1] = kept;
      }
    }
  }

  #get(index: number | bigint): void {
    this.readsMemo = true;
    const node = this.memo.get(index);
    if (node === undefined) {
      throw new Fatal("memo-missing", "Memo value not found");
    }
    this.#push(node);
  }

  #str(form: Form, reader: ScanReader): void {
    if (reader.isLost) {
      this.note("limit", "a line too long to be looked into");
      this.#push(LOST_STR);
      return;
    }
    const { content, contentStart: start } = reader;
    this.#push(new Str(reader.buffer, reader.start, reader.stop, form, start));
    switch (form) {
      case "utf8":
        if (!isUtf8(content)) this.note("bad-utf8", "no UTF-8");
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
          this.note("bad-string", "a wrong escape");
        }
        break;
      case "quoted": {
        const quote = content[0];
        if (
          content.length < 2 || (quote !== 0x22 && quote !== 0x27) ||
          content.at(-1) !== quote
        ) {
          this.note("bad-string", "no string quotes around it");
          break;
        }
        try {
          const inner = content.subarray(1, -1);
          this.#offer(
            inner.includes(0x5c) ? decodeEscapes(inner) : inner,
            start,
          );
        } catch {
          this.note("bad-string", "a wrong escape");
        }
      }
    }
  }

  #byteString(reader: ScanReader): void {
    const { content, contentStart } = reader;
    this.#push(new Bytes(contentStart, content));
    this.#offer(content, contentStart);
  }

  /** Bytes of protocols 0 to 2 stand as text, one character each. */
  #offerLatin1(content: Uint8Array, offset: number): void {
    try {
      this.#offer(latin1Bytes(decodeUtf8(content)), offset);
    } catch {
      // No UTF-8; noted elsewhere.
    }
  }

  /** Tells of bytes that may hold a pickle. */
  #offer(bytes: Uint8Array, offset: number): void {
    if (mayNest(bytes)) this.#host.offer(bytes, offset);
  }

  #global(module: string, name: string): void {
    const long = module.length > MAX_NAME || name.length > MAX_NAME;
    this.#push(
      this.#record(
        module.slice(0, MAX_NAME),
        name.slice(0, MAX_NAME),
        long ? LONG_NAME : undefined,
      ),
    );
  }

  #globalLines(reader: ScanReader): [string, string] {
    const { content } = reader;
    if (reader.isLost) return [TOO_LONG, TOO_LONG];
    const cut = content.indexOf(0x0a);
    const lines = [content.subarray(0, cut), content.subarray(cut + 1)];
    return lines.map((line) => {
      if (line.length === 0) this.note("bad-global", "an empty name");
      try {
        return decodeUtf8(line);
      } catch {
        this.note("bad-utf8", "a name that is no UTF-8");
        return decodeLatin1(line);
      }
    }) as [string, string];
  }

  #stackGlobal(): void {
    this.#need(2);
    const name = this.#stack.pop()!;
    const module = this.#stack.pop()!;
    const strings = [asStr(module), asStr(name)];
    if (strings[0] !== undefined && strings[1] !== undefined) {
      const [a, b] = strings.map((node) => {
        this.memo.remember(node!);
        if (node === LOST_STR) return LOST;
        return node!.text ?? TOO_LONG;
      }) as [string, string];
      if (a === LOST || b === LOST || a === TOO_LONG || b === TOO_LONG) {
        const entry = a === LOST || b === LOST ? LOST_NAME : LONG_NAME;
        this.#push(this.#record(a, b, entry));
      } else this.#global(a, b);
      return;
    }
    const texts = strings.map((node) => node?.text);
    for (const node of [module, name]) {
      if (
        typeof node === "number" ||
        (node.kind !== "str" && node.kind !== "made" && node.kind !== "ref" &&
          node.kind !== "unknown")
      ) {
        this.note("bad-global", "STACK_GLOBAL requires str");
        this.#push(UNKNOWN);
        return;
      }
    }
    const { record } = this.#record(
      texts[0] ?? "(computed)",
      texts[1] ?? "(computed)",
      COMPUTED_NAME,
    );
    this.#push(new Made(record));
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
    ) this.note("bad-args", "argument list must be a tuple");
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
      this.note(
        how === "called" ? "not-callable" : "not-a-type",
        "an int cannot be called",
      );
      return UNKNOWN;
    }
    switch (func.kind) {
      case "ref": {
        const { record } = func;
        use(record, how);
        if (record.entry.rule === undefined) {
          const made = new Made(record);
          if (record.name === "dtype" && record.module === "numpy") {
            made.dtype = asStr(tuple?.items[0])?.text?.slice(0, 100);
          }
          return made;
        }
        const given = how === "called" && tuple !== undefined
          ? this.#applyRule(record, tuple)
          : undefined;
        if (given !== undefined) {
          record.fits = true;
          return given;
        }
        record.misused = true;
        return new Made(record);
      }
      case "made":
      case "unknown": {
        if (func.kind === "made" && func.callable) {
          return new Made(func.via);
        }
        const via = func.kind === "made" ? func.via : undefined;
        // What a computed call gave goes by the name of that call: names must
        // not grow.
        const record = via?.entry === COMPUTED_CALL ? via : this.#record(
          via?.module ?? "",
          via === undefined ? "(computed)" : `${via.name}()`,
          via !== undefined && /^_?operator$/.test(via.module)
            ? COMPUTED_REACH
            : COMPUTED_CALL,
        ).record;
        use(record, how);
        return new Made(record);
      }
      default:
        this.note(
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
        const name = encoding.text?.toLowerCase();
        if (name === undefined || !TEXT_ENCODINGS.has(name)) return undefined;
        return new Encoded(text);
      }
      case "attribute": {
        const name = asStr(second);
        const attribute = name?.text;
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
          BOUND,
        ).record;
        return new Made(bound);
      }
      case "new-partial": {
        if (
          typeof first !== "object" || first.kind !== "ref" ||
          typeof second !== "object" || second.kind !== "ref" ||
          first.record.module !== second.record.module ||
          first.record.name !== `${second.record.name}.__new__`
        ) return undefined;
        return new Made(record, true);
      }
      case "one-argument":
        return args.size === 1 ? new Made(record) : undefined;
      case "subscript":
        return typeof first === "object" && first.kind === "ref" &&
            /^(typing|builtins|__builtin__|collections)$/
              .test(first.record.module) &&
            first.record.entry.verdict === "safe"
          ? new Made(record)
          : undefined;
      case "nested": {
        if (args.size !== 1 || typeof first !== "object") return undefined;
        if (first instanceof Bytes) {
          return this.#host.load(first.content, first.offset)
            ? new Made(record)
            : undefined;
        }
        if (first instanceof Encoded) {
          const { buffer, start, stop, form, offset } = first.text;
          const content = buffer?.subarray(start, stop);
          if (content === undefined) {
            return this.#host.load(undefined, offset)
              ? new Made(record)
              : undefined;
          }
          try {
            const decoded = form === "raw"
              ? decodeRawUnicodeEscape(content)
              : decodeUtf8(content);
            return this.#host.load(latin1Bytes(decoded), offset)
              ? new Made(record)
              : undefined;
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
      this.#host.judge(dotted, attribute).verdict === "dangerous"
    ) return undefined;
    const judged = attribute === "__new__"
      ? { ...entry, reason: "makes an instance without calling its __init__" }
      : this.#host.judge(module, `${name}.${attribute}`);
    return this.#record(module, `${name}.${attribute}`, judged);
  }

  #build(reader: ScanReader): Raw | undefined {
    this.#need(2);
    const state = this.#stack.pop()!;
    const target = this.#stack.at(-1)!;
    this.#store(state);
    const none = typeof state === "object" && state.kind === "none";
    if (!none) this.#change(target, []);
    if (typeof target !== "object" || target.kind !== "made") return undefined;
    if (target.dtype !== undefined && typeof state === "object") {
      const flags = state.kind === "tuple" ? state.items[7] : undefined;
      target.flags ??= typeof flags === "number" ? flags : undefined;
    }
    const { via } = target;
    if (via === undefined) return undefined;
    if (via.entry.rule === "new-partial") via.misused = true;
    if (
      via.name === "NumpyArrayWrapper" && JOBLIB_MODULES.has(via.module)
    ) return this.#array(state, reader.endPosition);
    return undefined;
  }

  /** joblib writes an array's bytes straight behind its wrapper's BUILD. */
  #array(state: Node, start: number): Raw | undefined {
    try {
      return this.#arrayBytes(state);
    } catch (error) {
      // Who loads it by pickle reads on.
      this.#host.sweep(start, Infinity, "stands behind a joblib array");
      throw error;
    }
  }

  #arrayBytes(state: Node): Raw | undefined {
    if (typeof state !== "object" || state.kind !== "dict") {
      throw new Fatal("bad-state", "a joblib array of unknown layout");
    }
    const shape = state.get("shape");
    const itemSize = itemSizeOf(state.get("dtype"));
    if (itemSize === undefined) {
      throw new Fatal("bad-state", "a joblib array of unknown type");
    }
    if (itemSize === "object") {
      const level = this.#level + 1;
      if (level > 16) throw new Fatal("limit", "arrays nest too deep");
      this.#inner = new Machine(this.#host, { level });
      return undefined;
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
    if (!(shape.size <= shape.items.length) || !Number.isSafeInteger(size)) {
      throw new Fatal("bad-state", "a joblib array of unknown shape");
    }
    const aligned =
      typeof state.get("numpy_array_alignment_bytes") === "number";
    return { size, aligned };
  }

  #merge(other: NameRecord): void {
    const key = `${other.module}\n${other.name}`;
    const record = this.#names.get(key)?.record;
    if (record === undefined) {
      this.#names.set(key, new Ref(other));
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
      const name = typeof key === "object" && key.kind === "str"
        ? keptKey(key)
        : undefined;
      if (name !== undefined) dict.set(name, value);
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
    const tagText = asStr(tag)?.text;
    const keyText = asStr(key)?.text;
    if (
      tagText !== "storage" || keyText === undefined ||
      typeof type !== "object" || type.kind !== "ref" ||
      typeof count !== "number"
    ) return;
    const size = ELEMENT_SIZES.get(type.record.name);
    if (size !== undefined && this.storages.size < 1_000_000) {
      this.storages.set(keyText, size * count);
    }
  }

  #extension(code: number): void {
    if (code <= 0) {
      this.note("bad-ext", "EXT specifies code <= 0");
      this.#push(UNKNOWN);
      return;
    }
    this.#push(this.#record("copyreg", `extension ${code}`, EXTENSION));
  }

  /** Does an opcode whose argument comes in parts. */
  #stepLong(code: number, reader: ScanReader): void {
    switch (code) {
      case 0x8b: // LONG4
        this.#push(INT);
        return;
      case 0x96: // BYTEARRAY8
        this.#push(BYTEARRAY);
        return;
      case 0x42: // BINBYTES
      case 0x8e: // BINBYTES8
        this.#push(new Bytes(reader.contentStart, undefined));
        return;
      default: // BINSTRING, BINUNICODE, BINUNICODE8
        this.#push(new Str(undefined, 0, 0, "utf8", reader.contentStart));
    }
  }

  /** Does one opcode; says what comes behind it where that is no opcode. */
  #step(code: OpcodeCode, reader: ScanReader): Raw | undefined {
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
          this.note("bad-number", "no float");
        }
        this.#push(FLOAT);
        return;
      case 0x47: // BINFLOAT
        this.#push(FLOAT);
        return;
      case 0x49: // INT
      case 0x4c: // LONG
        this.#push(this.#intLine(reader.content));
        return;
      case 0x4a: // BININT
        this.#push(readLong(reader.content) as number);
        return;
      case 0x4b: // BININT1
      case 0x4d: // BININT2
        this.#push(reader.uint);
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
        this.#str("quoted", reader);
        return;
      case 0x54: // BINSTRING
      case 0x55: // SHORT_BINSTRING
        this.#str("latin1", reader);
        return;
      case 0x56: // UNICODE
        this.#str("raw", reader);
        return;
      case 0x58: // BINUNICODE
      case 0x8c: // SHORT_BINUNICODE
      case 0x8d: // BINUNICODE8
        this.#str("utf8", reader);
        return;
      case 0x42: // BINBYTES
      case 0x43: // SHORT_BINBYTES
      case 0x8e: // BINBYTES8
        this.#byteString(reader);
        return;
      case 0x96: // BYTEARRAY8
        this.#push(BYTEARRAY);
        this.#offer(reader.content, reader.contentStart);
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
        ) this.note("bad-target", "no buffer");
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
        this.#get(this.#index(reader.content));
        return;
      case 0x68: // BINGET
      case 0x6a: // LONG_BINGET
        this.#get(reader.uint);
        return;
      case 0x70: // PUT
        this.#put(this.#index(reader.content));
        return;
      case 0x71: // BINPUT
      case 0x72: // LONG_BINPUT
        this.#put(reader.uint);
        return;
      case 0x94: // MEMOIZE
        this.#put(this.memo.size);
        return;
      case 0x82: // EXT1
      case 0x83: // EXT2
        this.#extension(reader.uint);
        return;
      case 0x84: // EXT4
        this.#extension(readLong(reader.content) as number);
        return;
      case 0x63: // GLOBAL
        this.#global(...this.#globalLines(reader));
        return;
      case 0x93: // STACK_GLOBAL
        this.#stackGlobal();
        return;
      case 0x69: { // INST
        const args = this.#tupleFrom(this.#popMark());
        const [module, name] = this.#globalLines(reader);
        if (/[^\0-\x7f]/.test(module + name)) {
          this.note("bad-global", "a name that is not ASCII");
        }
        this.#global(module, name);
        const ref = this.#stack.pop()!;
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
        ) this.note("bad-args", "keyword arguments must be a dict");
        const args = this.#stack.pop()!;
        const func = this.#stack.pop()!;
        this.#push(this.#call(func, args, "instantiated"));
        return;
      }
      case 0x62: // BUILD
        return this.#build(reader);
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
const LOST = "(forgotten)";
const TOO_LONG = "(too long)";
const LOST_NAME: NameEntry = {
  verdict: "dangerous",
  reason: "a name from too far back to be remembered",
  source: "a known way around scanners that read names only",
};
const LONG_NAME: NameEntry = {
  verdict: "dangerous",
  reason: "a name longer than names are",
  source: "a known way around scanners that read names only",
};
const EXTENSION: NameEntry = {
  verdict: "unknown",
  reason: "a name that only the loading program's registry knows",
  source: "PEP 307",
};

/** Bytes of an item of an array. */
function itemSizeOf(dtype: Node | undefined): number | "object" | undefined {
  if (!(dtype instanceof Made) || dtype.dtype === undefined) return undefined;
  const match = /^[<>|=]?([biufcmMOSUV])(\d*)$/.exec(dtype.dtype);
  if (!match) return undefined;
  const size = Number(match[2]);
  if (match[1] === "O") return "object";
  if (match[1] === "V") {
    // Fields may be objects; their flag says so.
    const { flags } = dtype;
    return flags !== undefined && (flags & 1) === 0 ? size : undefined;
  }
  return match[1] === "U" ? size * 4 : size;
}

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

/**
 * Notes a judgement on how a name is used, unless there is a worse one.
 *
 * @param record What is known of the name
 * @param verdict What becomes of it
 * @param reason Why
 */
export function raise(
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

/**
 * Characters as bytes; those that are none become 0xff.
 *
 * @param text Any text
 * @returns A byte for each character
 */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code > 0xff ? 0xff : code;
  }
  return bytes;
}

/** First characters of the base64 of what `mayBeBase64` looks for. */
const BASE64_STARTS: ReadonlySet<number> = new Set(
  Array.from("gHUeYKfX", (character) => character.charCodeAt(0)),
);

/**
 * Whether a text may be base64 of a pickle or a packed one, at a glance.
 *
 * @param bytes The text, or how it begins
 * @param whole Whether it is all there
 * @returns Whether it is worth a look
 */
export function mayBeBase64(bytes: Uint8Array, whole: boolean): boolean {
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
  if (!whole) return true;
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

/**
 * Whether bytes may hold a pickle, at a glance.
 *
 * @param bytes Any bytes
 * @returns Whether they are worth a look
 */
export function mayNest(bytes: Uint8Array): boolean {
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
  return BASE64_STARTS.has(first) && mayBeBase64(bytes, true);
}

const IDENTIFIERS = /^[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*$/;

/** A name that stands somewhere. */
export interface Spelled {
  readonly module: string;
  readonly name: string;
  readonly offset: number;
}

/**
 * Reads opcodes one behind the other without doing any of them, and tells the
 * names among them: for bytes of which it is not known that they are opcodes.
 */
export class Sweep {
  readonly #tell: (name: Spelled) => void;
  readonly #stop: number;
  readonly #reader: ScanReader;
  #from: number;
  #before = "";
  #last = "";
  #count = 0;
  /** Whether nothing more will come of it. */
  done = false;

  /**
   * Makes a sweep.
   *
   * @param region Offset of the first byte, and behind the last
   * @param tell Hears of each name that could be one of Python
   */
  constructor(
    { start, stop }: { start: number; stop: number },
    tell: (name: Spelled) => void,
  ) {
    this.#from = start;
    this.#stop = stop;
    this.#tell = tell;
    this.#reader = new ScanReader(start, 4096);
  }

  /**
   * Takes input; bytes before the first are left out.
   *
   * @param chunk What comes next
   * @param offset Where it stands
   */
  push(chunk: Uint8Array, offset: number): void {
    const end = Math.min(offset + chunk.length, this.#stop);
    if (this.done || end <= this.#from) return;
    this.#reader.push(chunk.subarray(this.#from - offset, end - offset));
    this.#from = end;
    this.#read();
  }

  /** Says that no input follows. */
  end(): void {
    this.#reader.end();
    this.#read();
    this.done = true;
  }

  #read(): void {
    const reader = this.#reader;
    while (!this.done) {
      let event;
      try {
        event = reader.next();
      } catch {
        this.done = true;
        return;
      }
      if (event === WANT) {
        this.done = this.#from >= this.#stop;
        return;
      }
      if (event === WHOLE) this.#see(reader);
    }
  }

  #see({ code, content, position }: ScanReader): void {
    switch (code) {
      case 0x63: // GLOBAL
      case 0x69: { // INST
        const [module = "", name = ""] = decodeLatin1(
          content.subarray(0, 1000),
        ).split("\n");
        this.#offer(module, name, position);
        return;
      }
      case 0x93: // STACK_GLOBAL
        this.#offer(this.#before, this.#last, position);
        return;
    }
    if (STRING_CODES.has(code) && content.length < 200) {
      this.#before = this.#last;
      this.#last = decodeLatin1(content);
    }
  }

  #offer(module: string, name: string, offset: number): void {
    if (!IDENTIFIERS.test(module) || !IDENTIFIERS.test(name)) return;
    this.#tell({ module, name, offset });
    if (++this.#count >= 1000) this.done = true;
  }
}

/** STRING, BINSTRING, UNICODE and the like. */
const STRING_CODES: ReadonlySet<number> = new Set([
  0x53,
  0x54,
  0x55,
  0x56,
  0x58,
  0x8c,
  0x8d,
]);

/**
 * What is known of a name at first.
 *
 * @param about Where it stands and how it is judged
 * @returns A record without uses
 */
export function newRecord(
  about: Spelled & { entry: NameEntry },
): NameRecord {
  return { ...about, use: "named", count: 0, fits: false, misused: false };
}
