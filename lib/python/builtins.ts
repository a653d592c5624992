/**
 * The types of Python's core that a pickle names instead of having an opcode
 * for them.
 *
 * @module
 */

import { ByteArray } from "./byte_array.ts";
import { Complex } from "./complex.ts";
import { Constant, Ellipsis, NotImplemented } from "./constants.ts";
import { PyDict } from "./dict.ts";
import { Float } from "./float.ts";
import { Extension, Global, PersistentId, PyObject } from "./object.ts";
import { Range } from "./range.ts";
import { type MakeCall, register } from "./registry.ts";
import { FrozenSet, PySet } from "./set.ts";
import { Slice } from "./slice.ts";
import { Tuple } from "./tuple.ts";

/**
 * A Python exception: its class, arguments and attributes. It is data, and is
 * never thrown.
 */
export class PyException extends PyObject {
  /**
   * What Python's `str` gives, where its arguments are text.
   *
   * @returns The message.
   */
  get message(): string {
    return this.args.map((arg) => String(arg)).join(", ");
  }

  /**
   * As in Python's tracebacks: `ValueError: wrong`.
   *
   * @returns The text.
   */
  override toString(): string {
    const name = this.class instanceof Global ? this.class.name : "?";
    return this.args.length === 0 ? name : `${name}: ${this.message}`;
  }
}

/** Python's number as a JavaScript one; undefined for anything else. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Float) return value.value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return undefined;
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

/** What Latin-1 bytes a text stands for; undefined where it has others. */
function latin1Bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

function isLatin1(name: unknown): boolean {
  return typeof name === "string" &&
    /^(latin[-_ ]?1|iso[-_ ]?8859[-_ ]1|l1)$/i.test(name);
}

/** Only of what is already there: an iterator is never run to its end. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof PySet) return [...value];
  if (value instanceof PyDict) return [...value.keys()];
  return undefined;
}

function isInstanceOfObject(cls: unknown, name: string): boolean {
  return cls instanceof Global && cls.module === "builtins" &&
    cls.name === name;
}

/** `copyreg._reconstructor(cls, base, state)`: protocols 0 and 1. */
function reconstruct(args: readonly unknown[], call: MakeCall): unknown {
  const [cls, base, state] = args;
  if (args.length !== 3) return undefined;
  if (isInstanceOfObject(base, "object")) {
    if (state !== null) return undefined;
    const value = call.construct(cls, [], { via: "new" });
    if (value instanceof PyObject) value.base = base as Global;
    return value;
  }
  if (isInstanceOfObject(base, "list") && Array.isArray(state)) {
    const list = call.construct(cls, [], { via: "new" });
    if (!(list instanceof PyObject)) return undefined;
    list.base = base as Global;
    if (state.length > 0) list.items = [...state];
    return list;
  }
  if (isInstanceOfObject(base, "dict")) {
    const dict = call.construct(cls, [], { via: "new" });
    if (!(dict instanceof PyObject)) return undefined;
    dict.base = base as Global;
    if (state instanceof PyDict) {
      if (state.size > 0) dict.entries = [...state];
      return dict;
    }
    if (typeof state !== "object" || state === null) return undefined;
    if (Object.getPrototypeOf(state) !== Object.prototype) return undefined;
    const entries = Object.entries(state);
    if (entries.length > 0) dict.entries = entries;
    return dict;
  }
  for (const name of ["int", "float"]) {
    if (isInstanceOfObject(base, name)) {
      const value = call.construct(cls, [state], { via: "new" });
      if (value instanceof PyObject) value.base = base as Global;
      return value;
    }
  }
  // What arguments the class itself takes is not known: a named tuple takes
  // its fields one by one.
  for (const name of ["str", "bytes", "tuple", "complex"]) {
    if (isInstanceOfObject(base, name)) {
      const value = call.construct(cls, [state], { via: "new" });
      if (value instanceof PyObject) value.base = base as Global;
      return value;
    }
  }
  return undefined;
}

register(
  { names: ["builtins.Ellipsis"], value: Ellipsis },
  { names: ["builtins.NotImplemented"], value: NotImplemented },
  {
    names: [],
    class: Constant,
    reduce: (constant: Constant) => ({
      callable: new Global("builtins", constant.name),
      args: [],
    }),
    toPlain: (constant: Constant) => constant.name,
  },
  {
    names: [],
    class: Global,
    toPlain: String,
  },
  {
    names: [],
    class: PersistentId,
    toPlain: (reference: PersistentId) => reference.id,
  },
  {
    names: [],
    class: Extension,
    toPlain: (extension: Extension) => `extension ${extension.code}`,
  },
  {
    names: ["builtins.object"],
    make: (args, call) =>
      args.length === 0
        ? new PyObject(new Global("builtins", "object"), [], { via: call.via })
        : undefined,
  },
  {
    names: ["_codecs.encode"],
    // The one form that pickle itself writes: bytes in protocols 0 to 2.
    make: ([text, encoding]) =>
      typeof text === "string" && isLatin1(encoding)
        ? latin1Bytes(text)
        : undefined,
  },
  {
    names: ["builtins.bytes"],
    make: (args) => {
      if (args.length === 0) return new Uint8Array(0);
      const [value, encoding] = args;
      if (typeof value === "string" && isLatin1(encoding)) {
        return latin1Bytes(value);
      }
      if (args.length === 1 && value instanceof Uint8Array) {
        return Uint8Array.from(value);
      }
      return undefined;
    },
  },
  {
    names: ["builtins.bytearray"],
    make: (args) => {
      if (args.length === 0) return new ByteArray(0);
      const [value, encoding] = args;
      const bytes = typeof value === "string" && isLatin1(encoding)
        ? latin1Bytes(value)
        : args.length === 1 && value instanceof Uint8Array
        ? value
        : undefined;
      return bytes && new ByteArray(bytes);
    },
    class: ByteArray,
    // As CPython 3.13 below protocol 5.
    reduce: (bytes: ByteArray) => ({
      callable: new Global("builtins", "bytearray"),
      args: bytes.length === 0 ? [] : [Uint8Array.from(bytes)],
    }),
  },
  {
    names: ["builtins.set"],
    make: (args) => {
      if (args.length === 0) return new PySet();
      const items = itemsOf(args[0]);
      return args.length === 1 && items ? new PySet(items) : undefined;
    },
    append: (set: PySet, items) => PySet.addItems(set, items),
    class: PySet,
    reduce: (set: PySet) => ({
      callable: new Global("builtins", "set"),
      args: [[...set]],
    }),
    toPlain: (set: PySet) => [...set],
  },
  {
    names: ["builtins.frozenset"],
    make: (args) => {
      if (args.length === 0) return new FrozenSet();
      const items = itemsOf(args[0]);
      if (args.length !== 1 || !items) return undefined;
      const set = new FrozenSet();
      PySet.addItems(set, items);
      return set;
    },
    class: FrozenSet,
    reduce: (set: FrozenSet) => ({
      callable: new Global("builtins", "frozenset"),
      args: [[...set]],
    }),
    toPlain: (set: FrozenSet) => [...set],
  },
  {
    names: ["builtins.list"],
    make: (args) => {
      if (args.length === 0) return [];
      const items = itemsOf(args[0]);
      return args.length === 1 && items ? [...items] : undefined;
    },
  },
  {
    names: ["builtins.tuple"],
    make: (args) => {
      if (args.length === 0) return new Tuple();
      const items = itemsOf(args[0]);
      return args.length === 1 && items ? Tuple.from(items) : undefined;
    },
  },
  {
    names: ["builtins.complex"],
    make: (args) => {
      const real = toNumber(args[0]);
      const imag = args.length < 2 ? 0 : toNumber(args[1]);
      return args.length > 2 || real === undefined || imag === undefined
        ? undefined
        : new Complex(real, imag);
    },
    class: Complex,
    reduce: ({ real, imag }: Complex) => ({
      callable: new Global("builtins", "complex"),
      args: [new Float(real), new Float(imag)],
    }),
    toPlain: String,
  },
  {
    names: ["builtins.range"],
    make: (args) => {
      const [start, stop, step] = args.length === 1
        ? [0, args[0], 1]
        : [args[0], args[1], args.length === 2 ? 1 : args[2]];
      return args.length > 3 || !isInteger(start) || !isInteger(stop) ||
          !isInteger(step) || BigInt(step) === 0n
        ? undefined
        : new Range(start, stop, step);
    },
    class: Range,
    reduce: ({ start, stop, step }: Range) => ({
      callable: new Global("builtins", "range"),
      args: [start, stop, step],
    }),
    // Not its numbers: range(10**12) is short in a pickle.
    toPlain: ({ start, stop, step }: Range) => ({ start, stop, step }),
  },
  {
    names: ["builtins.slice"],
    make(args, { kwargs }) {
      if (args.length < 1 || args.length > 3 || kwargs !== undefined) {
        return undefined;
      }
      const [start, stop, step = null] = args;
      return args.length === 1
        ? new Slice(null, start)
        : new Slice(start, stop, step);
    },
    class: Slice,
    reduce: ({ start, stop, step }: Slice) => ({
      callable: new Global("builtins", "slice"),
      args: [start, stop, step],
    }),
    toPlain: ({ start, stop, step }: Slice) => ({ start, stop, step }),
  },
  { names: ["copyreg._reconstructor"], make: reconstruct },
  {
    names: ["copyreg.__newobj__"],
    make: ([cls, ...args], call) => call.construct(cls, args, { via: "new" }),
  },
  {
    names: ["copyreg.__newobj_ex__"],
    make: ([cls, args, kwargs], call) =>
      Array.isArray(args)
        ? call.construct(cls, args, { via: "new", kwargs })
        : undefined,
  },
);

/** CPython's `Objects/exceptions.c`, 3.13, and those that only Python 2 had. */
const EXCEPTIONS = `ArithmeticError AssertionError AttributeError BaseException
BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning
ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError
ConnectionResetError DeprecationWarning EOFError EncodingWarning
EnvironmentError Exception ExceptionGroup FileExistsError FileNotFoundError
FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning
IndentationError IndexError InterruptedError IsADirectoryError KeyError
KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError
NotADirectoryError NotImplementedError OSError OverflowError
PendingDeprecationWarning PermissionError ProcessLookupError
PythonFinalizationError RecursionError ReferenceError ResourceWarning
RuntimeError RuntimeWarning StandardError StopAsyncIteration StopIteration
SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError
UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError
UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning
WindowsError ZeroDivisionError`.split(/\s+/);

register(
  {
    names: EXCEPTIONS.map((name) => `builtins.${name}`),
    make: (args, { name, via, kwargs }) =>
      new PyException(
        new Global("builtins", name.slice("builtins.".length)),
        args,
        { via, kwargs },
      ),
  },
  {
    names: [],
    class: PyException,
    toPlain: (exception: PyException) => ({
      type: (exception.class as Global).name,
      args: [...exception.args],
    }),
  },
);
