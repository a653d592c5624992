/**
 * Python's `array.array`.
 *
 * @module
 */

import { isInt, itemsOf, numberOf, textOf } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Float } from "./float.ts";
import { indexOf } from "./items.ts";
import { Global } from "./object.ts";
import { register } from "./registry.ts";

/** The typed array that an `array.array` is a view of. */
export type PyArrayData =
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

type Kind = "u" | "i" | "f";

interface DataClass {
  new (length: number): PyArrayData;
  new (buffer: ArrayBuffer): PyArrayData;
}

const CLASSES = new Map<string, DataClass>([
  ["u1", Uint8Array],
  ["i1", Int8Array],
  ["u2", Uint16Array],
  ["i2", Int16Array],
  ["u4", Uint32Array],
  ["i4", Int32Array],
  ["u8", BigUint64Array],
  ["i8", BigInt64Array],
  ["f4", Float32Array],
  ["f8", Float64Array],
]);

/**
 * Kind and size of each type code, on 64-bit Unix. `u` and `w` are code points,
 * `c` the bytes of Python 2.
 */
const TYPECODES = new Map<string, string>([
  ["b", "i1"],
  ["B", "u1"],
  ["c", "u1"],
  ["u", "u4"],
  ["w", "u4"],
  ["h", "i2"],
  ["H", "u2"],
  ["i", "i4"],
  ["I", "u4"],
  ["l", "i8"],
  ["L", "u8"],
  ["q", "i8"],
  ["Q", "u8"],
  ["f", "f4"],
  ["d", "f8"],
]);

/**
 * The machine formats of `Modules/arraymodule.c`, by number: kind, size, and
 * for an odd number from 3 on big-endian. 18 to 21 are UTF-16 and UTF-32.
 */
const FORMATS: readonly string[] = [
  ...["u1", "i1", "u2", "u2", "i2", "i2", "u4", "u4", "i4", "i4"],
  ...["u8", "u8", "i8", "i8", "f4", "f4", "f8", "f8"],
];
const UTF16 = 18;
const UTF32 = 20;

/**
 * A Python `array.array`.
 *
 * @example Make one
 * ```ts
 * import { PyArray } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const array = new PyArray("d", Float64Array.of(1, 2.5));
 * assertEquals([...array], [1, 2.5]);
 * ```
 */
export class PyArray {
  /** Python's type code: `"i"`, `"d"` …. */
  readonly typecode: string;
  /** Its elements; code points for the type codes `u` and `w`. */
  data: PyArrayData;

  /**
   * Makes one.
   *
   * @param typecode Python's type code.
   * @param data Its elements.
   * @throws {TypeError} Where there is no such type code.
   */
  constructor(typecode: string, data: PyArrayData) {
    if (!TYPECODES.has(typecode)) {
      throw new TypeError("there is no such type code");
    }
    this.typecode = typecode;
    this.data = data;
  }

  /** How many elements it has. */
  get length(): number {
    return this.data.length;
  }

  /**
   * The text of an array of characters.
   *
   * @returns The text, or undefined for numbers.
   */
  get text(): string | undefined {
    if (this.typecode !== "u" && this.typecode !== "w") return undefined;
    let text = "";
    for (const code of this.data as Uint32Array) {
      text += String.fromCodePoint(code);
    }
    return text;
  }

  /**
   * Its elements one after the other: numbers, bigints for those of 8 bytes, or
   * characters.
   *
   * @returns An iterator.
   */
  *[Symbol.iterator](): Generator<number | bigint | string, undefined> {
    const isText = this.typecode === "u" || this.typecode === "w";
    for (const item of this.data) {
      yield isText ? String.fromCodePoint(item as number) : item;
    }
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The elements, or the text.
   */
  toJSON(): unknown {
    return this.text ?? [...this];
  }
}

setKeyKind(PyArray.prototype, { kind: "unhashable", type: "array.array" });

/** The ranges of the integers, by kind and size. */
function bounds(format: string): [bigint, bigint] {
  const bits = BigInt(Number(format[1]) * 8);
  return format[0] === "u"
    ? [0n, (1n << bits) - 1n]
    : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

function fromCodePoints(typecode: string, text: string): PyArray | undefined {
  const codes = Array.from(text, (character) => character.codePointAt(0)!);
  return new PyArray(typecode, Uint32Array.from(codes));
}

/** `array('i', [1, 2])`: protocols 0 to 2. */
function fromList(
  typecode: string,
  items: readonly unknown[],
): PyArray | undefined {
  const format = TYPECODES.get(typecode)!;
  if (typecode === "u" || typecode === "w") {
    // Two halves of a pair are two elements, if a list has them so.
    const codes = new Uint32Array(items.length);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (typeof item !== "string" || item === "") return undefined;
      const code = item.codePointAt(0)!;
      if (item.length !== (code > 0xffff ? 2 : 1)) return undefined;
      codes[i] = code;
    }
    return new PyArray(typecode, codes);
  }
  const data = new (CLASSES.get(format)!)(items.length);
  const kind = format[0] as Kind;
  const [least, greatest] = kind === "f" ? [0n, 0n] : bounds(format);
  for (let i = 0; i < items.length; i++) {
    let item = items[i];
    if (typeof item === "boolean") item = Number(item);
    if (typecode === "c") {
      const code = item instanceof Uint8Array && item.length === 1
        ? item[0]
        : typeof item === "string" && item.length === 1
        ? item.charCodeAt(0)
        : undefined;
      if (code === undefined || code > 0xff) return undefined;
      item = code;
    }
    if (kind === "f") {
      const number = numberOf(item);
      if (number === undefined) return undefined;
      data[i] = number;
    } else {
      if (!isInt(item) || item < least || item > greatest) return undefined;
      data[i] = format[1] === "8" ? BigInt(item) : Number(item);
    }
  }
  return new PyArray(typecode, data);
}

/** Room for more, of arrays that were appended to twice. */
const rooms = new WeakMap<PyArray, Uint8Array>();

/** `array.append(item)`, and `array.extend(items)`. */
function appendToArray(array: PyArray, items: readonly unknown[]): boolean {
  const more = fromList(array.typecode, items)?.data as Uint8Array | undefined;
  if (more === undefined) return false;
  const data = array.data as Uint8Array;
  const length = data.length + more.length;
  let room = rooms.get(array);
  if (room?.buffer !== data.buffer || room.length < length) {
    const size = room === undefined ? length : length * 2;
    room = new (CLASSES.get(TYPECODES.get(array.typecode)!)!)(
      size,
    ) as Uint8Array;
    room.set(data);
    rooms.set(array, room);
  }
  room.set(more, data.length);
  array.data = room.subarray(0, length) as PyArrayData;
  return true;
}

/** `array[index] = item`. */
function setArrayItems(array: PyArray, flat: readonly unknown[]): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    const at = indexOf(flat[i], array.length);
    const item = fromList(array.typecode, [flat[i + 1]])?.data[0];
    if (at === undefined || item === undefined) return false;
    array.data[at] = item;
  }
  return true;
}

function makeArray(args: readonly unknown[]): PyArray | undefined {
  const typecode = textOf(args[0]);
  if (typecode === undefined || args.length > 2) return undefined;
  const format = TYPECODES.get(typecode);
  if (format === undefined) return undefined;
  const source = args[1] ?? [];
  if (typeof source === "string") {
    return typecode === "u" || typecode === "w"
      ? fromCodePoints(typecode, source)
      : typecode === "c"
      ? fromList("c", [...source])
      : undefined;
  }
  if (source instanceof Uint8Array) {
    return fromBytes(typecode, { format, bytes: source, isBig: false });
  }
  const items = itemsOf(source);
  return items === undefined ? undefined : fromList(typecode, items);
}

const HOST_IS_BIG = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** A copy, in the host's order of bytes. */
function fromBytes(
  typecode: string,
  { format, bytes, isBig }: {
    format: string;
    bytes: Uint8Array;
    isBig: boolean;
  },
): PyArray | undefined {
  const size = Number(format[1]);
  if (bytes.length % size !== 0) return undefined;
  const copy = Uint8Array.from(bytes);
  if (isBig !== HOST_IS_BIG) swap(copy, size);
  return new PyArray(typecode, new (CLASSES.get(format)!)(copy.buffer));
}

function swap(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) {
    bytes.subarray(i, i + size).reverse();
  }
}

/** `_array_reconstructor(array.array, 'i', 8, bytes)`: from protocol 3 on. */
function reconstructArray(args: readonly unknown[]): PyArray | undefined {
  const [cls, code, format, bytes] = args;
  const typecode = textOf(code);
  if (
    args.length !== 4 || !(cls instanceof Global) ||
    String(cls) !== "array.array" || typecode === undefined ||
    !TYPECODES.has(typecode) || !(bytes instanceof Uint8Array) ||
    typeof format !== "number"
  ) return undefined;
  const isBig = format % 2 === 1 && format > 1;
  const known = FORMATS[format];
  const wanted = TYPECODES.get(typecode)!;
  const isText = typecode === "u" || typecode === "w";
  if (isText) {
    if (format !== UTF32 && format !== UTF32 + 1) {
      if (format !== UTF16 && format !== UTF16 + 1) return undefined;
      const units = fromBytes("H", { format: "u2", bytes, isBig });
      if (units === undefined) return undefined;
      let text = "";
      for (const unit of units.data as Uint16Array) {
        text += String.fromCharCode(unit);
      }
      return fromCodePoints(typecode, text);
    }
    const array = fromBytes(typecode, { format: "u4", bytes, isBig });
    const inRange = (array?.data as Uint32Array | undefined)?.every((unit) =>
      unit <= 0x10ffff
    );
    return inRange ? array : undefined;
  }
  // An int of another size than here comes from another machine.
  if (known === undefined || known[0] !== wanted[0]) return undefined;
  return fromBytes(typecode, { format: known, bytes, isBig });
}

const ARRAY = new Global("array", "array");
const RECONSTRUCTOR = new Global("array", "_array_reconstructor");

/** Python 3 has no `c`; its bytes are those of `B`. */
function typecodeFor(typecode: string, protocol: number): string {
  return typecode === "c" && protocol > 2 ? "B" : typecode;
}

register(
  {
    names: ["array.array"],
    make: makeArray,
    append: appendToArray,
    setItems: setArrayItems,
    class: PyArray,
    reduce: (array: PyArray, { protocol }) => {
      const typecode = typecodeFor(array.typecode, protocol);
      const { data } = array;
      const isFloat = data instanceof Float32Array ||
        data instanceof Float64Array;
      if (protocol < 3) {
        const items = typecode === "c"
          ? Array.from(data as Uint8Array, (byte) => Uint8Array.of(byte))
          : isFloat
          ? Array.from(data, (number) => new Float(number))
          : [...array];
        return { callable: ARRAY, args: [typecode, items] };
      }
      const format = typecode === "u" || typecode === "w"
        ? UTF32
        : FORMATS.indexOf(formatOf(data));
      const bytes = Uint8Array.from(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      if (HOST_IS_BIG) swap(bytes, data.BYTES_PER_ELEMENT);
      return {
        callable: RECONSTRUCTOR,
        args: [ARRAY, typecode, format, bytes],
      };
    },
    // So that 1.0 stays 1.0.
    toPlain: (array: PyArray) =>
      array.data instanceof Float32Array || array.data instanceof Float64Array
        ? Array.from(array.data, (number) => new Float(number))
        : array.toJSON(),
  },
  { names: ["array._array_reconstructor"], make: reconstructArray },
);

function formatOf(data: PyArrayData): string {
  for (const [format, cls] of CLASSES) if (data instanceof cls) return format;
  return "";
}
