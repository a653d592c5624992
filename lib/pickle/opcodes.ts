/**
 * The opcodes of pickle protocols 0 to 5, once: what reads, writes, shows or
 * judges a pickle stands on this table.
 *
 * The facts are those of PEP 307, PEP 3154, PEP 574 and of the tables in
 * CPython's `Lib/pickletools.py`.
 *
 * @module
 */

/** How an opcode's argument stands in the stream, by `pickletools`' names. */
export type ArgumentKind =
  | "none"
  | "uint1"
  | "uint2"
  | "int4"
  | "uint4"
  | "uint8"
  | "stringnl"
  | "stringnl_noescape"
  | "stringnl_noescape_pair"
  | "decimalnl_short"
  | "decimalnl_long"
  | "floatnl"
  | "float8"
  | "string1"
  | "string4"
  | "bytes1"
  | "bytes4"
  | "bytes8"
  | "bytearray8"
  | "unicodestringnl"
  | "unicodestring1"
  | "unicodestring4"
  | "unicodestring8"
  | "long1"
  | "long4";

/**
 * What an opcode takes from the stack or leaves there, by `pickletools`'
 * names: a type, `any`, a `mark`, or a `stackslice` (all above the mark).
 */
export type StackItem =
  | "any"
  | "bool"
  | "buffer"
  | "bytearray"
  | "bytes"
  | "bytes_or_str"
  | "dict"
  | "float"
  | "frozenset"
  | "int"
  | "int_or_bool"
  | "list"
  | "mark"
  | "None"
  | "set"
  | "stackslice"
  | "str"
  | "tuple";

/** One row of the opcode table. */
export interface Opcode {
  /** The name, as in `pickletools`. */
  readonly name: string;
  /** The byte. */
  readonly code: number;
  /** How the argument stands in the stream. */
  readonly argument: ArgumentKind;
  /** What it takes from the stack, bottom first. */
  readonly before: readonly StackItem[];
  /** What it leaves on the stack, bottom first. */
  readonly after: readonly StackItem[];
  /** The first protocol that has it. */
  readonly protocol: 0 | 1 | 2 | 3 | 4 | 5;
  /** What it does, in a line. */
  readonly doc: string;
}

/** All 68 opcodes, those of older protocols first. */
export const OPCODES = [
  {
    name: "MARK",
    code: 0x28,
    argument: "none",
    before: [],
    after: ["mark"],
    protocol: 0,
    doc: "Push a mark.",
  },
  {
    name: "STOP",
    code: 0x2e,
    argument: "none",
    before: ["any"],
    after: [],
    protocol: 0,
    doc: "End the pickle; the value on top is its result.",
  },
  {
    name: "POP",
    code: 0x30,
    argument: "none",
    before: ["any"],
    after: [],
    protocol: 0,
    doc: "Drop the value on top, or the mark if that is on top.",
  },
  {
    name: "DUP",
    code: 0x32,
    argument: "none",
    before: ["any"],
    after: ["any", "any"],
    protocol: 0,
    doc: "Push the value on top a second time.",
  },
  {
    name: "FLOAT",
    code: 0x46,
    argument: "floatnl",
    before: [],
    after: ["float"],
    protocol: 0,
    doc: "Push the float of a decimal line.",
  },
  {
    name: "INT",
    code: 0x49,
    argument: "decimalnl_short",
    before: [],
    after: ["int_or_bool"],
    protocol: 0,
    doc:
      "Push the integer of a decimal line; the lines `00` and `01` are False and True.",
  },
  {
    name: "LONG",
    code: 0x4c,
    argument: "decimalnl_long",
    before: [],
    after: ["int"],
    protocol: 0,
    doc: "Push the integer of a decimal line that may end in `L`.",
  },
  {
    name: "NONE",
    code: 0x4e,
    argument: "none",
    before: [],
    after: ["None"],
    protocol: 0,
    doc: "Push None.",
  },
  {
    name: "PERSID",
    code: 0x50,
    argument: "stringnl_noescape",
    before: [],
    after: ["any"],
    protocol: 0,
    doc: "Push the object of a persistent id given as a line.",
  },
  {
    name: "REDUCE",
    code: 0x52,
    argument: "none",
    before: ["any", "any"],
    after: ["any"],
    protocol: 0,
    doc: "Replace a callable and its argument tuple by what the call gives.",
  },
  {
    name: "STRING",
    code: 0x53,
    argument: "stringnl",
    before: [],
    after: ["bytes_or_str"],
    protocol: 0,
    doc: "Push the Python 2 string of a quoted line with repr escapes.",
  },
  {
    name: "UNICODE",
    code: 0x56,
    argument: "unicodestringnl",
    before: [],
    after: ["str"],
    protocol: 0,
    doc: "Push the string of a line in raw-unicode-escape.",
  },
  {
    name: "APPEND",
    code: 0x61,
    argument: "none",
    before: ["list", "any"],
    after: ["list"],
    protocol: 0,
    doc: "Append the value on top to the list below it.",
  },
  {
    name: "BUILD",
    code: 0x62,
    argument: "none",
    before: ["any", "any"],
    after: ["any"],
    protocol: 0,
    doc: "Give the state on top to the object below it.",
  },
  {
    name: "GLOBAL",
    code: 0x63,
    argument: "stringnl_noescape_pair",
    before: [],
    after: ["any"],
    protocol: 0,
    doc: "Push the global of two lines, module and name.",
  },
  {
    name: "DICT",
    code: 0x64,
    argument: "none",
    before: ["mark", "stackslice"],
    after: ["dict"],
    protocol: 0,
    doc:
      "Replace the mark and all above it by a dict of alternate keys and values.",
  },
  {
    name: "GET",
    code: 0x67,
    argument: "decimalnl_short",
    before: [],
    after: ["any"],
    protocol: 0,
    doc: "Push the memo's entry of a number in decimal.",
  },
  {
    name: "INST",
    code: 0x69,
    argument: "stringnl_noescape_pair",
    before: ["mark", "stackslice"],
    after: ["any"],
    protocol: 0,
    doc:
      "Replace the mark and all above it by what the global of two lines makes of them.",
  },
  {
    name: "LIST",
    code: 0x6c,
    argument: "none",
    before: ["mark", "stackslice"],
    after: ["list"],
    protocol: 0,
    doc: "Replace the mark and all above it by a list of them.",
  },
  {
    name: "PUT",
    code: 0x70,
    argument: "decimalnl_short",
    before: [],
    after: [],
    protocol: 0,
    doc: "Store the value on top in the memo under a number in decimal.",
  },
  {
    name: "SETITEM",
    code: 0x73,
    argument: "none",
    before: ["dict", "any", "any"],
    after: ["dict"],
    protocol: 0,
    doc: "Store the key and value on top in the dict below them.",
  },
  {
    name: "TUPLE",
    code: 0x74,
    argument: "none",
    before: ["mark", "stackslice"],
    after: ["tuple"],
    protocol: 0,
    doc: "Replace the mark and all above it by a tuple of them.",
  },
  {
    name: "EMPTY_TUPLE",
    code: 0x29,
    argument: "none",
    before: [],
    after: ["tuple"],
    protocol: 1,
    doc: "Push the empty tuple.",
  },
  {
    name: "POP_MARK",
    code: 0x31,
    argument: "none",
    before: ["mark", "stackslice"],
    after: [],
    protocol: 1,
    doc: "Drop the mark and all above it.",
  },
  {
    name: "BINFLOAT",
    code: 0x47,
    argument: "float8",
    before: [],
    after: ["float"],
    protocol: 1,
    doc: "Push the float of 8 big-endian bytes.",
  },
  {
    name: "BININT",
    code: 0x4a,
    argument: "int4",
    before: [],
    after: ["int"],
    protocol: 1,
    doc: "Push a signed 32-bit integer.",
  },
  {
    name: "BININT1",
    code: 0x4b,
    argument: "uint1",
    before: [],
    after: ["int"],
    protocol: 1,
    doc: "Push an unsigned 8-bit integer.",
  },
  {
    name: "BININT2",
    code: 0x4d,
    argument: "uint2",
    before: [],
    after: ["int"],
    protocol: 1,
    doc: "Push an unsigned 16-bit integer.",
  },
  {
    name: "BINPERSID",
    code: 0x51,
    argument: "none",
    before: ["any"],
    after: ["any"],
    protocol: 1,
    doc: "Replace the persistent id on top by its object.",
  },
  {
    name: "BINSTRING",
    code: 0x54,
    argument: "string4",
    before: [],
    after: ["bytes_or_str"],
    protocol: 1,
    doc: "Push a Python 2 string whose length is a signed 32-bit number.",
  },
  {
    name: "SHORT_BINSTRING",
    code: 0x55,
    argument: "string1",
    before: [],
    after: ["bytes_or_str"],
    protocol: 1,
    doc: "Push a Python 2 string of up to 255 bytes.",
  },
  {
    name: "BINUNICODE",
    code: 0x58,
    argument: "unicodestring4",
    before: [],
    after: ["str"],
    protocol: 1,
    doc: "Push a string of UTF-8 whose length is an unsigned 32-bit number.",
  },
  {
    name: "EMPTY_LIST",
    code: 0x5d,
    argument: "none",
    before: [],
    after: ["list"],
    protocol: 1,
    doc: "Push a new list.",
  },
  {
    name: "APPENDS",
    code: 0x65,
    argument: "none",
    before: ["list", "mark", "stackslice"],
    after: ["list"],
    protocol: 1,
    doc: "Extend the list below the mark by the values above the mark.",
  },
  {
    name: "BINGET",
    code: 0x68,
    argument: "uint1",
    before: [],
    after: ["any"],
    protocol: 1,
    doc: "Push the memo's entry of an 8-bit number.",
  },
  {
    name: "LONG_BINGET",
    code: 0x6a,
    argument: "uint4",
    before: [],
    after: ["any"],
    protocol: 1,
    doc: "Push the memo's entry of a 32-bit number.",
  },
  {
    name: "OBJ",
    code: 0x6f,
    argument: "none",
    before: ["mark", "any", "stackslice"],
    after: ["any"],
    protocol: 1,
    doc:
      "Replace the mark and all above it by what the class just above the mark makes of the rest.",
  },
  {
    name: "BINPUT",
    code: 0x71,
    argument: "uint1",
    before: [],
    after: [],
    protocol: 1,
    doc: "Store the value on top in the memo under an 8-bit number.",
  },
  {
    name: "LONG_BINPUT",
    code: 0x72,
    argument: "uint4",
    before: [],
    after: [],
    protocol: 1,
    doc: "Store the value on top in the memo under a 32-bit number.",
  },
  {
    name: "SETITEMS",
    code: 0x75,
    argument: "none",
    before: ["dict", "mark", "stackslice"],
    after: ["dict"],
    protocol: 1,
    doc:
      "Store the alternate keys and values above the mark in the dict below it.",
  },
  {
    name: "EMPTY_DICT",
    code: 0x7d,
    argument: "none",
    before: [],
    after: ["dict"],
    protocol: 1,
    doc: "Push a new dict.",
  },
  {
    name: "PROTO",
    code: 0x80,
    argument: "uint1",
    before: [],
    after: [],
    protocol: 2,
    doc: "Name the protocol of what follows.",
  },
  {
    name: "NEWOBJ",
    code: 0x81,
    argument: "none",
    before: ["any", "any"],
    after: ["any"],
    protocol: 2,
    doc: "Replace a class and its argument tuple by `cls.__new__(cls, *args)`.",
  },
  {
    name: "EXT1",
    code: 0x82,
    argument: "uint1",
    before: [],
    after: ["any"],
    protocol: 2,
    doc: "Push the global registered under an 8-bit extension code.",
  },
  {
    name: "EXT2",
    code: 0x83,
    argument: "uint2",
    before: [],
    after: ["any"],
    protocol: 2,
    doc: "Push the global registered under a 16-bit extension code.",
  },
  {
    name: "EXT4",
    code: 0x84,
    argument: "int4",
    before: [],
    after: ["any"],
    protocol: 2,
    doc: "Push the global registered under a signed 32-bit extension code.",
  },
  {
    name: "TUPLE1",
    code: 0x85,
    argument: "none",
    before: ["any"],
    after: ["tuple"],
    protocol: 2,
    doc: "Replace the value on top by a tuple of it.",
  },
  {
    name: "TUPLE2",
    code: 0x86,
    argument: "none",
    before: ["any", "any"],
    after: ["tuple"],
    protocol: 2,
    doc: "Replace the two values on top by a tuple of them.",
  },
  {
    name: "TUPLE3",
    code: 0x87,
    argument: "none",
    before: ["any", "any", "any"],
    after: ["tuple"],
    protocol: 2,
    doc: "Replace the three values on top by a tuple of them.",
  },
  {
    name: "NEWTRUE",
    code: 0x88,
    argument: "none",
    before: [],
    after: ["bool"],
    protocol: 2,
    doc: "Push True.",
  },
  {
    name: "NEWFALSE",
    code: 0x89,
    argument: "none",
    before: [],
    after: ["bool"],
    protocol: 2,
    doc: "Push False.",
  },
  {
    name: "LONG1",
    code: 0x8a,
    argument: "long1",
    before: [],
    after: ["int"],
    protocol: 2,
    doc: "Push a two's complement integer of up to 255 bytes.",
  },
  {
    name: "LONG4",
    code: 0x8b,
    argument: "long4",
    before: [],
    after: ["int"],
    protocol: 2,
    doc:
      "Push a two's complement integer whose length is a signed 32-bit number.",
  },
  {
    name: "BINBYTES",
    code: 0x42,
    argument: "bytes4",
    before: [],
    after: ["bytes"],
    protocol: 3,
    doc: "Push bytes whose length is an unsigned 32-bit number.",
  },
  {
    name: "SHORT_BINBYTES",
    code: 0x43,
    argument: "bytes1",
    before: [],
    after: ["bytes"],
    protocol: 3,
    doc: "Push up to 255 bytes.",
  },
  {
    name: "SHORT_BINUNICODE",
    code: 0x8c,
    argument: "unicodestring1",
    before: [],
    after: ["str"],
    protocol: 4,
    doc: "Push a string of up to 255 bytes of UTF-8.",
  },
  {
    name: "BINUNICODE8",
    code: 0x8d,
    argument: "unicodestring8",
    before: [],
    after: ["str"],
    protocol: 4,
    doc: "Push a string of UTF-8 whose length is an unsigned 64-bit number.",
  },
  {
    name: "BINBYTES8",
    code: 0x8e,
    argument: "bytes8",
    before: [],
    after: ["bytes"],
    protocol: 4,
    doc: "Push bytes whose length is an unsigned 64-bit number.",
  },
  {
    name: "EMPTY_SET",
    code: 0x8f,
    argument: "none",
    before: [],
    after: ["set"],
    protocol: 4,
    doc: "Push a new set.",
  },
  {
    name: "ADDITEMS",
    code: 0x90,
    argument: "none",
    before: ["set", "mark", "stackslice"],
    after: ["set"],
    protocol: 4,
    doc: "Add the values above the mark to the set below it.",
  },
  {
    name: "FROZENSET",
    code: 0x91,
    argument: "none",
    before: ["mark", "stackslice"],
    after: ["frozenset"],
    protocol: 4,
    doc: "Replace the mark and all above it by a frozenset of them.",
  },
  {
    name: "NEWOBJ_EX",
    code: 0x92,
    argument: "none",
    before: ["any", "any", "any"],
    after: ["any"],
    protocol: 4,
    doc:
      "Replace a class, a tuple and a dict by `cls.__new__(cls, *args, **kwargs)`.",
  },
  {
    name: "STACK_GLOBAL",
    code: 0x93,
    argument: "none",
    before: ["str", "str"],
    after: ["any"],
    protocol: 4,
    doc: "Replace the module and name on top by the global they name.",
  },
  {
    name: "MEMOIZE",
    code: 0x94,
    argument: "none",
    before: ["any"],
    after: ["any"],
    protocol: 4,
    doc:
      "Store the value on top in the memo under the memo's number of entries.",
  },
  {
    name: "FRAME",
    code: 0x95,
    argument: "uint8",
    before: [],
    after: [],
    protocol: 4,
    doc: "Begin a frame of a length given in 64 bits.",
  },
  {
    name: "BYTEARRAY8",
    code: 0x96,
    argument: "bytearray8",
    before: [],
    after: ["bytearray"],
    protocol: 5,
    doc: "Push a bytearray whose length is an unsigned 64-bit number.",
  },
  {
    name: "NEXT_BUFFER",
    code: 0x97,
    argument: "none",
    before: [],
    after: ["buffer"],
    protocol: 5,
    doc: "Push the next out-of-band buffer.",
  },
  {
    name: "READONLY_BUFFER",
    code: 0x98,
    argument: "none",
    before: ["buffer"],
    after: ["buffer"],
    protocol: 5,
    doc: "Replace the buffer on top by a read-only view of it.",
  },
] as const;

/** The name of an opcode. */
export type OpcodeName = typeof OPCODES[number]["name"];

/** The byte of an opcode. */
export type OpcodeCode = typeof OPCODES[number]["code"];

/**
 * One value for each opcode: a name that is missing does not compile.
 *
 * @typeParam T What stands for each opcode
 */
export type OpcodeMap<T> = Readonly<Record<OpcodeName, T>>;

/** The opcode of each byte, `undefined` where there is none. */
export const OPCODE_BY_CODE: readonly (Opcode | undefined)[] = byCode();

function byCode(): (Opcode | undefined)[] {
  const found = new Array<Opcode | undefined>(256).fill(undefined);
  for (const opcode of OPCODES) found[opcode.code] = opcode;
  return found;
}

/**
 * Says whether a byte is an opcode. After it, a `switch` over the byte with a
 * `case` for each opcode and {@linkcode unreachableOpcode} as its `default`
 * does not compile while a `case` is missing.
 *
 * @param byte A byte
 * @returns Whether it is an opcode
 */
export function isOpcode(byte: number): byte is OpcodeCode {
  return OPCODE_BY_CODE[byte] !== undefined;
}

/**
 * The `default` of an exhaustive `switch` over {@linkcode OpcodeCode}.
 *
 * @param code The code that no `case` took
 * @throws {TypeError} Always
 */
export function unreachableOpcode(code: never): never {
  throw new TypeError(`No case for opcode ${code}`);
}

// The codes as constants, so that a `switch` reads as the table does. (V8
// makes a jump table of literals only: the hottest loop may write `case 0x28:
// // MARK` instead; `isOpcode` and `unreachableOpcode` keep that honest too.)

/** The code of `ADDITEMS`. */
export const ADDITEMS = 0x90;
/** The code of `APPEND`. */
export const APPEND = 0x61;
/** The code of `APPENDS`. */
export const APPENDS = 0x65;
/** The code of `BINBYTES`. */
export const BINBYTES = 0x42;
/** The code of `BINBYTES8`. */
export const BINBYTES8 = 0x8e;
/** The code of `BINFLOAT`. */
export const BINFLOAT = 0x47;
/** The code of `BINGET`. */
export const BINGET = 0x68;
/** The code of `BININT`. */
export const BININT = 0x4a;
/** The code of `BININT1`. */
export const BININT1 = 0x4b;
/** The code of `BININT2`. */
export const BININT2 = 0x4d;
/** The code of `BINPERSID`. */
export const BINPERSID = 0x51;
/** The code of `BINPUT`. */
export const BINPUT = 0x71;
/** The code of `BINSTRING`. */
export const BINSTRING = 0x54;
/** The code of `BINUNICODE`. */
export const BINUNICODE = 0x58;
/** The code of `BINUNICODE8`. */
export const BINUNICODE8 = 0x8d;
/** The code of `BUILD`. */
export const BUILD = 0x62;
/** The code of `BYTEARRAY8`. */
export const BYTEARRAY8 = 0x96;
/** The code of `DICT`. */
export const DICT = 0x64;
/** The code of `DUP`. */
export const DUP = 0x32;
/** The code of `EMPTY_DICT`. */
export const EMPTY_DICT = 0x7d;
/** The code of `EMPTY_LIST`. */
export const EMPTY_LIST = 0x5d;
/** The code of `EMPTY_SET`. */
export const EMPTY_SET = 0x8f;
/** The code of `EMPTY_TUPLE`. */
export const EMPTY_TUPLE = 0x29;
/** The code of `EXT1`. */
export const EXT1 = 0x82;
/** The code of `EXT2`. */
export const EXT2 = 0x83;
/** The code of `EXT4`. */
export const EXT4 = 0x84;
/** The code of `FLOAT`. */
export const FLOAT = 0x46;
/** The code of `FRAME`. */
export const FRAME = 0x95;
/** The code of `FROZENSET`. */
export const FROZENSET = 0x91;
/** The code of `GET`. */
export const GET = 0x67;
/** The code of `GLOBAL`. */
export const GLOBAL = 0x63;
/** The code of `INST`. */
export const INST = 0x69;
/** The code of `INT`. */
export const INT = 0x49;
/** The code of `LIST`. */
export const LIST = 0x6c;
/** The code of `LONG`. */
export const LONG = 0x4c;
/** The code of `LONG1`. */
export const LONG1 = 0x8a;
/** The code of `LONG4`. */
export const LONG4 = 0x8b;
/** The code of `LONG_BINGET`. */
export const LONG_BINGET = 0x6a;
/** The code of `LONG_BINPUT`. */
export const LONG_BINPUT = 0x72;
/** The code of `MARK`. */
export const MARK = 0x28;
/** The code of `MEMOIZE`. */
export const MEMOIZE = 0x94;
/** The code of `NEWFALSE`. */
export const NEWFALSE = 0x89;
/** The code of `NEWOBJ`. */
export const NEWOBJ = 0x81;
/** The code of `NEWOBJ_EX`. */
export const NEWOBJ_EX = 0x92;
/** The code of `NEWTRUE`. */
export const NEWTRUE = 0x88;
/** The code of `NEXT_BUFFER`. */
export const NEXT_BUFFER = 0x97;
/** The code of `NONE`. */
export const NONE = 0x4e;
/** The code of `OBJ`. */
export const OBJ = 0x6f;
/** The code of `PERSID`. */
export const PERSID = 0x50;
/** The code of `POP`. */
export const POP = 0x30;
/** The code of `POP_MARK`. */
export const POP_MARK = 0x31;
/** The code of `PROTO`. */
export const PROTO = 0x80;
/** The code of `PUT`. */
export const PUT = 0x70;
/** The code of `READONLY_BUFFER`. */
export const READONLY_BUFFER = 0x98;
/** The code of `REDUCE`. */
export const REDUCE = 0x52;
/** The code of `SETITEM`. */
export const SETITEM = 0x73;
/** The code of `SETITEMS`. */
export const SETITEMS = 0x75;
/** The code of `SHORT_BINBYTES`. */
export const SHORT_BINBYTES = 0x43;
/** The code of `SHORT_BINSTRING`. */
export const SHORT_BINSTRING = 0x55;
/** The code of `SHORT_BINUNICODE`. */
export const SHORT_BINUNICODE = 0x8c;
/** The code of `STACK_GLOBAL`. */
export const STACK_GLOBAL = 0x93;
/** The code of `STOP`. */
export const STOP = 0x2e;
/** The code of `STRING`. */
export const STRING = 0x53;
/** The code of `TUPLE`. */
export const TUPLE = 0x74;
/** The code of `TUPLE1`. */
export const TUPLE1 = 0x85;
/** The code of `TUPLE2`. */
export const TUPLE2 = 0x86;
/** The code of `TUPLE3`. */
export const TUPLE3 = 0x87;
/** The code of `UNICODE`. */
export const UNICODE = 0x56;
