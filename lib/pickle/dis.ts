/**
 * A pickle as text, as `pickletools.dis` of CPython 3.13 prints it.
 *
 * @module
 */

import { floatRepr } from "../python/float_repr.ts";
import { checkOutput, type Limits, resolveLimits } from "../python/limits.ts";
import { type ArgumentValue, MAX_INT_DIGITS } from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import { MemoTable } from "./memo_table.ts";
import { OpcodeReader } from "./opcode_reader.ts";
import type { Opcode, OpcodeMap, OpcodeName, StackItem } from "./opcodes.ts";
import {
  bytearrayRepr,
  bytesRepr,
  rawUnicodeRepr,
  strRepr,
  utf8Repr,
} from "./repr.ts";

/** What {@linkcode dis} remembers of a memo, from {@linkcode disMemo}. */
export interface DisMemo {
  /** How many entries it has. */
  readonly size: number;
}

/** Options of {@linkcode dis}. */
export interface DisOptions {
  /**
   * The column where a description of each opcode begins, 0 for none.
   *
   * @default {0}
   */
  annotate?: number;
  /**
   * By how many blanks each MARK indents.
   *
   * @default {4}
   */
  indentLevel?: number;
  /**
   * The memo to begin with, from {@linkcode disMemo}: given to several calls,
   * it takes them through the pickles that one Python `Pickler` wrote.
   */
  memo?: DisMemo;
  /**
   * Takes each piece of the text as soon as it is made, instead of the text
   * being returned.
   */
  out?: (text: string) => void;
  /**
   * How much may be printed: of these, `outputBytes` and `expansion` count. A
   * megabyte of MARKs, each indented more than the one before, would be
   * terabytes.
   */
  limits?: Limits;
}

/**
 * Makes an empty memo for {@linkcode DisOptions.memo}.
 *
 * @returns The memo
 *
 * @example Print two pickles that share a memo
 * ```ts
 * import { pickle } from "@brine/brine";
 *
 * const memo = pickle.disMemo();
 * pickle.dis(new Uint8Array([0x5d, 0x94, 0x2e]), { memo }); // ] MEMOIZE .
 * pickle.dis(new Uint8Array([0x68, 0x00, 0x2e]), { memo }); // BINGET 0 .
 * ```
 */
export function disMemo(): DisMemo {
  return new MemoTable<StackItem>();
}

/**
 * Prints the opcodes of a pickle up to its first STOP, line for line as
 * `pickletools.dis` of CPython 3.13, and checks the stack and the memo as that
 * does. No opcode is run.
 *
 * @param bytes The pickle
 * @param options How to print it
 * @returns The text; nothing where `options.out` takes it
 * @throws {UnpicklingError} If an opcode is damaged or its checks fail;
 * `options.out` has had the text up to there
 * @throws {LimitError} If the text would be longer than its limits
 *
 * @example Show what is in a pickle
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   pickle.dis(new Uint8Array([0x80, 2, 0x4b, 7, 0x2e])),
 *   `    0: \\x80 PROTO      2
 *     2: K    BININT1    7
 *     4: .    STOP
 * highest protocol among opcodes = 2
 * `,
 * );
 * ```
 */
export function dis(bytes: Uint8Array, options: DisOptions = {}): string {
  const { out } = options;
  const chunks: string[] = [];
  let parts: string[] = [];
  for (const part of disParts(bytes, options)) {
    if (out !== undefined) {
      out(part);
      continue;
    }
    // Millions of short strings take more memory than what is in them.
    if (parts.push(part) < 1000) continue;
    chunks.push(parts.join(""));
    parts = [];
  }
  chunks.push(parts.join(""));
  return chunks.join("");
}

/**
 * Prints a pickle piece by piece, so that the text of a damaged pickle up to
 * the damage is not lost.
 *
 * @param bytes The pickle
 * @param options How to print it
 * @returns The text's pieces, whole lines but perhaps for the last
 * @throws {UnpicklingError} If an opcode is damaged or its checks fail
 * @throws {LimitError} If the text would be longer than its limits
 */
export function* disParts(
  bytes: Uint8Array,
  options: DisOptions,
): Generator<string, void> {
  const { annotate = 0, indentLevel = 4 } = options;
  const limits = resolveLimits(options.limits);
  const memo = (options.memo ?? disMemo()) as MemoTable<StackItem>;
  const reader = new OpcodeReader();
  reader.push(bytes);
  reader.end();
  const stack: StackItem[] = [];
  const marks: number[] = [];
  const indent = " ".repeat(indentLevel);
  let protocol = -1;
  let column = annotate;
  let written = 0;

  while (reader.advance()) {
    const { opcode, position, arg } = reader;
    const name = opcode.name as OpcodeName;
    const start = String(position).padStart(5) + ": ";
    let line = codeRepr(opcode.code).padEnd(4) + " " +
      indent.repeat(marks.length) + name;
    protocol = Math.max(protocol, opcode.protocol);
    let after: readonly StackItem[] = opcode.after;
    let take = opcode.before.length;
    let note: string | undefined;
    let fault: [UnpicklingErrorCode, string] | undefined;

    const mark = opcode.before.indexOf("mark");
    if (mark >= 0 || (name === "POP" && stack.at(-1) === "mark")) {
      const at = marks.pop();
      if (at === undefined) {
        note = "no MARK exists on stack";
        fault = ["no-mark", note];
      } else {
        note = `(MARK at ${at})`;
        const found = stack.lastIndexOf("mark");
        if (found < 0) {
          // Something took the mark for a value; Python runs into an
          // IndexError here, with the line begun.
          yield start;
          throw failure("no-mark", "list index out of range", reader);
        }
        stack.length = found;
        take = Math.max(mark, 0);
      }
    }

    const key = typeof arg === "boolean" ? Number(arg) : arg;
    if (isPut(name)) {
      const index = name === "MEMOIZE" ? memo.size : key as number | bigint;
      if (name === "MEMOIZE") note = `(as ${index})`;
      const top = stack.at(-1);
      if (memo.has(index)) {
        fault = [
          "memo-taken",
          `memo key ${argumentRepr(reader, arg)} already defined`,
        ];
      } else if (top === undefined) {
        fault = [
          "stack-underflow",
          "stack is empty -- can't store into memo",
        ];
      } else if (top === "mark") {
        fault = ["unexpected-mark", "can't store markobject in the memo"];
      } else {
        memo.set(index, top);
      }
    } else if (isGet(name)) {
      const item = memo.get(key as number | bigint);
      if (item === undefined) {
        fault = [
          "memo-missing",
          `memo key ${argumentRepr(reader, arg)} has never been stored into`,
        ];
      } else {
        after = [item];
      }
    }

    if (arg !== null || note !== undefined) {
      line += " ".repeat(Math.max(10 - name.length, 0));
      if (arg !== null) {
        if (digitsExceed(arg)) {
          yield start;
          throw failure(
            "bad-number",
            `Exceeds the limit (${MAX_INT_DIGITS} digits) for integer string conversion`,
            reader,
          );
        }
        line += " " + argumentRepr(reader, arg);
      }
      if (note !== undefined) line += " " + note;
    }
    if (annotate) {
      const width = countPoints(line);
      line += " ".repeat(Math.max(column - width, 0));
      column = Math.max(column, width);
      if (column > 50) column = annotate;
      line += " " + ANNOTATIONS[name];
    }
    written += start.length + line.length + 1;
    checkOutput(limits, {
      written,
      read: reader.endPosition,
      offset: position,
    });
    yield start + line + "\n";
    if (fault !== undefined) throw failure(fault[0], fault[1], reader);

    if (stack.length < take) {
      throw failure(
        "stack-underflow",
        `tries to pop ${take} items from stack with only ${stack.length} items`,
        reader,
      );
    }
    stack.length -= take;
    if (name === "MARK") marks.push(position);
    for (const item of after) stack.push(item);
    if (name === "STOP") break;
  }
  yield `highest protocol among opcodes = ${protocol}\n`;
  if (stack.length > 0) {
    const shown: string[] = stack.slice(0, 20);
    if (shown.length < stack.length) shown.push("...");
    throw failure(
      "stack-left",
      `stack not empty after STOP: [${shown.join(", ")}]`,
      reader,
    );
  }
}

function failure(
  code: UnpicklingErrorCode,
  message: string,
  reader: OpcodeReader,
): UnpicklingError {
  return new UnpicklingError(message, {
    code,
    offset: reader.position,
    opcode: reader.opcode.name,
  });
}

function isPut(name: OpcodeName): boolean {
  return name === "MEMOIZE" || name === "BINPUT" || name === "LONG_BINPUT" ||
    name === "PUT";
}

function isGet(name: OpcodeName): boolean {
  return name === "BINGET" || name === "LONG_BINGET" || name === "GET";
}

function codeRepr(code: number): string {
  return code < 0x80 ? String.fromCharCode(code) : "\\x" + code.toString(16);
}

function countPoints(text: string): number {
  let count = text.length;
  for (const _pair of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) count--;
  return count;
}

/** Python refuses to print so many digits. */
function digitsExceed(arg: ArgumentValue): boolean {
  return typeof arg === "bigint" && (arg >= TOO_LONG || arg <= -TOO_LONG);
}

const TOO_LONG = 10n ** BigInt(MAX_INT_DIGITS);

function argumentRepr(reader: OpcodeReader, arg: ArgumentValue): string {
  switch (typeof arg) {
    case "object":
      if (arg === null) return "None";
      return reader.opcode.argument === "bytearray8"
        ? bytearrayRepr(arg)
        : bytesRepr(arg);
    case "boolean":
      return arg ? "True" : "False";
    case "bigint":
      return String(arg);
    case "number":
      return isFloat(reader.opcode) ? floatRepr(arg) : String(arg);
    case "string":
      switch (reader.opcode.argument) {
        case "unicodestringnl":
          return rawUnicodeRepr(reader.content);
        case "unicodestring1":
        case "unicodestring4":
        case "unicodestring8":
          return utf8Repr(reader.content, arg);
        default:
          return strRepr(arg);
      }
  }
}

function isFloat({ argument }: Opcode): boolean {
  return argument === "float8" || argument === "floatnl";
}

/** What `pickletools.dis` writes beside each opcode when asked to annotate. */
const ANNOTATIONS: OpcodeMap<string> = {
  MARK: "Push markobject onto the stack.",
  STOP: "Stop the unpickling machine.",
  POP: "Discard the top stack item, shrinking the stack by one item.",
  DUP: "Push the top stack item onto the stack again, duplicating it.",
  FLOAT: "Newline-terminated decimal float literal.",
  INT: "Push an integer or bool.",
  LONG: "Push a long integer.",
  NONE: "Push None on the stack.",
  PERSID: "Push an object identified by a persistent ID.",
  REDUCE: "Push an object built from a callable and an argument tuple.",
  STRING: "Push a Python string object.",
  UNICODE: "Push a Python Unicode string object.",
  APPEND: "Append an object to a list.",
  BUILD: "Finish building an object, via __setstate__ or dict update.",
  GLOBAL: "Push a global object (module.attr) on the stack.",
  DICT: "Build a dict out of the topmost stack slice, after markobject.",
  GET: "Read an object from the memo and push it on the stack.",
  INST: "Build a class instance.",
  LIST: "Build a list out of the topmost stack slice, after markobject.",
  PUT: "Store the stack top into the memo.  The stack is not popped.",
  SETITEM: "Add a key+value pair to an existing dict.",
  TUPLE: "Build a tuple out of the topmost stack slice, after markobject.",
  EMPTY_TUPLE: "Push an empty tuple.",
  POP_MARK: "Pop all the stack objects at and above the topmost markobject.",
  BINFLOAT: "Float stored in binary form, with 8 bytes of data.",
  BININT: "Push a four-byte signed integer.",
  BININT1: "Push a one-byte unsigned integer.",
  BININT2: "Push a two-byte unsigned integer.",
  BINPERSID: "Push an object identified by a persistent ID.",
  BINSTRING: "Push a Python string object.",
  SHORT_BINSTRING: "Push a Python string object.",
  BINUNICODE: "Push a Python Unicode string object.",
  EMPTY_LIST: "Push an empty list.",
  APPENDS: "Extend a list by a slice of stack objects.",
  BINGET: "Read an object from the memo and push it on the stack.",
  LONG_BINGET: "Read an object from the memo and push it on the stack.",
  OBJ: "Build a class instance.",
  BINPUT: "Store the stack top into the memo.  The stack is not popped.",
  LONG_BINPUT: "Store the stack top into the memo.  The stack is not popped.",
  SETITEMS: "Add an arbitrary number of key+value pairs to an existing dict.",
  EMPTY_DICT: "Push an empty dict.",
  PROTO: "Protocol version indicator.",
  NEWOBJ: "Build an object instance.",
  EXT1: "Extension code.",
  EXT2: "Extension code.",
  EXT4: "Extension code.",
  TUPLE1: "Build a one-tuple out of the topmost item on the stack.",
  TUPLE2: "Build a two-tuple out of the top two items on the stack.",
  TUPLE3: "Build a three-tuple out of the top three items on the stack.",
  NEWTRUE: "Push True onto the stack.",
  NEWFALSE: "Push False onto the stack.",
  LONG1: "Long integer using one-byte length.",
  LONG4: "Long integer using four-byte length.",
  BINBYTES: "Push a Python bytes object.",
  SHORT_BINBYTES: "Push a Python bytes object.",
  SHORT_BINUNICODE: "Push a Python Unicode string object.",
  BINUNICODE8: "Push a Python Unicode string object.",
  BINBYTES8: "Push a Python bytes object.",
  EMPTY_SET: "Push an empty set.",
  ADDITEMS: "Add an arbitrary number of items to an existing set.",
  FROZENSET: "Build a frozenset out of the topmost slice, after markobject.",
  NEWOBJ_EX: "Build an object instance.",
  STACK_GLOBAL: "Push a global object (module.attr) on the stack.",
  MEMOIZE: "Store the stack top into the memo.  The stack is not popped.",
  FRAME: "Indicate the beginning of a new frame.",
  BYTEARRAY8: "Push a Python bytearray object.",
  NEXT_BUFFER: "Push an out-of-band buffer object.",
  READONLY_BUFFER: "Make an out-of-band buffer object read-only.",
};
