/**
 * Arrow's arrays, as pyarrow pickles them and pandas 3 keeps its text: buffers
 * that are read where they lie.
 *
 * @module
 */

import { normalInt, shortText, toCount, toInteger } from "./fields.ts";
import { globalOf, inertType } from "./inert.ts";
import { Datetime64, Timedelta64, type TimeUnit } from "./numpy_time.ts";
import { float16 } from "./numpy_dtype.ts";
import { PyObject } from "./object.ts";
import { register } from "./registry.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";

/**
 * A type of Arrow's, by pyarrow's name of it.
 *
 * @example Read its name
 * ```ts
 * import { ArrowType, Global } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const alias = new Global("pyarrow.lib", "type_for_alias");
 * assertEquals(String(new ArrowType(alias, ["int64"])), "int64");
 * ```
 */
export class ArrowType extends PyObject {
  /** pyarrow's name: `int64`, `large_string`, `timestamp[us]`. */
  get typeName(): string {
    const [first, second] = this.args;
    const name = globalOf(this.className).name;
    if (name === "type_for_alias") return shortText(first);
    if (name === "timestamp" || name === "duration") {
      return `${name}[${shortText(first)}${
        typeof second === "string" ? `, tz=${second}` : ""
      }]`;
    }
    return name;
  }

  /**
   * pyarrow's name.
   *
   * @returns The text.
   */
  override toString(): string {
    return this.typeName;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The name.
   */
  override toJSON(): string {
    return this.typeName;
  }
}

/**
 * A buffer of Arrow's.
 *
 * @example Read its bytes
 * ```ts
 * import { ArrowBuffer, Global } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const buffer = new ArrowBuffer(new Global("pyarrow.lib", "py_buffer"), [
 *   new Uint8Array([1, 2]),
 * ]);
 * assertEquals(buffer.bytes.length, 2);
 * ```
 */
export class ArrowBuffer extends PyObject {
  /** Its bytes. */
  get bytes(): Uint8Array {
    const [bytes] = this.args;
    return bytes instanceof Uint8Array ? bytes : new Uint8Array(0);
  }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrowBuffer) return value.bytes;
  return value instanceof Uint8Array ? value : undefined;
}

function typeText(type: unknown): string {
  return type instanceof ArrowType ? type.typeName : "";
}

type Read = (view: DataView, index: number) => unknown;

const NUMBERS = new Map<string, [number, Read]>([
  ["int8", [1, (view, i) => view.getInt8(i)]],
  ["uint8", [1, (view, i) => view.getUint8(i)]],
  ["int16", [2, (view, i) => view.getInt16(i * 2, true)]],
  ["uint16", [2, (view, i) => view.getUint16(i * 2, true)]],
  ["int32", [4, (view, i) => view.getInt32(i * 4, true)]],
  ["uint32", [4, (view, i) => view.getUint32(i * 4, true)]],
  ["int64", [8, (view, i) => normalInt(view.getBigInt64(i * 8, true))]],
  ["uint64", [8, (view, i) => normalInt(view.getBigUint64(i * 8, true))]],
  ["halffloat", [2, (view, i) => float16(view.getUint16(i * 2, true))]],
  ["float", [4, (view, i) => view.getFloat32(i * 4, true)]],
  ["double", [8, (view, i) => view.getFloat64(i * 8, true)]],
  ["date32[day]", [
    4,
    (view, i) => new Datetime64(BigInt(view.getInt32(i * 4, true)), "D"),
  ]],
  ["date64[ms]", [
    8,
    (view, i) => new Datetime64(view.getBigInt64(i * 8, true), "ms"),
  ]],
]);
NUMBERS.set("float32", NUMBERS.get("float")!);
NUMBERS.set("float64", NUMBERS.get("double")!);
NUMBERS.set("float16", NUMBERS.get("halffloat")!);
NUMBERS.set("date32", NUMBERS.get("date32[day]")!);
NUMBERS.set("date64", NUMBERS.get("date64[ms]")!);

function readerOf(type: string): [number, Read] | undefined {
  const known = NUMBERS.get(type);
  if (known !== undefined) return known;
  const time = /^(timestamp|duration)\[(s|ms|us|ns)(?:, tz=.*)?\]$/.exec(type);
  if (time === null) return undefined;
  const unit = time[2] as TimeUnit;
  return [
    8,
    time[1] === "timestamp"
      ? (view, i) => new Datetime64(view.getBigInt64(i * 8, true), unit)
      : (view, i) => new Timedelta64(view.getBigInt64(i * 8, true), unit),
  ];
}

interface Layout {
  length: number;
  isValid: (index: number) => boolean;
  at: (index: number) => unknown;
}

function bitOf(bytes: Uint8Array, index: number): boolean {
  return (bytes[index >> 3]! >> (index & 7) & 1) === 1;
}

/** Reads what a type's buffers hold; undefined where they are not enough. */
function layoutOf(
  type: string,
  parts: { length: number; offset: number; buffers: unknown[] },
): Layout | undefined {
  const { length, offset } = parts;
  const [validity, second, third] = parts.buffers.map(bytesOf);
  const end = offset + length;
  if (validity !== undefined && validity.length * 8 < end) return undefined;
  const isValid = validity === undefined
    ? () => true
    : (index: number) => bitOf(validity, index + offset);
  if (type === "null") return { length, isValid: () => false, at: () => null };
  if (type === "bool") {
    if (second === undefined || second.length * 8 < end) return undefined;
    return { length, isValid, at: (i) => bitOf(second, i + offset) };
  }
  const number = readerOf(type);
  if (number !== undefined) {
    const [size, read] = number;
    if (second === undefined || second.length < end * size) return undefined;
    const view = viewOf(second);
    return { length, isValid, at: (i) => read(view, i + offset) };
  }
  const text = /^(large_)?(string|utf8|binary)$/.exec(type);
  if (text === null || second === undefined) return undefined;
  const size = text[1] === undefined ? 4 : 8;
  if (second.length < (end + 1) * size) return undefined;
  const offsets = viewOf(second);
  const data = third ?? new Uint8Array(0);
  // Texts that overlap could be of any size together.
  if (!isAscending(offsets, size, { from: offset, to: end })) return undefined;
  const place = (index: number): number =>
    size === 4
      ? offsets.getInt32(index * 4, true)
      : Number(offsets.getBigInt64(index * 8, true));
  return {
    length,
    isValid,
    at: (i) => {
      const from = place(i + offset);
      const to = place(i + offset + 1);
      if (from < 0 || to < from || to > data.length) return undefined;
      const bytes = data.subarray(from, to);
      return text[2] === "binary" ? bytes.slice() : decodeUtf8(bytes);
    },
  };
}

function isAscending(
  offsets: DataView,
  size: number,
  { from, to }: { from: number; to: number },
): boolean {
  let last = -1n;
  let lastSmall = -1;
  for (let i = from; i <= to; i++) {
    if (size === 4) {
      const next = offsets.getInt32(i * 4, true);
      if (next < lastSmall) return false;
      lastSmall = next;
    } else {
      const next = offsets.getBigInt64(i * 8, true);
      if (next < last) return false;
      last = next;
    }
  }
  return true;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * An Arrow array. Numbers, bool, text, binary, dates and times are read; of
 * other types only the buffers are there.
 *
 * @example Read its elements
 * ```ts
 * import { ArrowArray, ArrowType, Global } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const int8 = new ArrowType(new Global("pyarrow.lib", "type_for_alias"), [
 *   "int8",
 * ]);
 * const array = new ArrowArray(new Global("pyarrow.lib", "_restore_array"), [
 *   [int8, 2, 1, 0, [new Uint8Array([0b01]), new Uint8Array([7, 0])], [], null],
 * ]);
 * assertEquals(array.toArray(), [7, null]);
 * ```
 */
export class ArrowArray extends PyObject {
  #layout: Layout | undefined | null = null;

  #parts(): readonly unknown[] {
    const [parts] = this.args;
    return Array.isArray(parts) ? parts : [];
  }

  #read(): Layout | undefined {
    if (this.#layout !== null) return this.#layout;
    const [type, count, , start, buffers] = this.#parts();
    const length = toCount(count);
    const offset = toInteger(start);
    if (
      length === undefined || offset === undefined || offset < 0 ||
      !Array.isArray(buffers)
    ) {
      return this.#layout = undefined;
    }
    // Numbers without validity or data need not have any bytes.
    return this.#layout = layoutOf(typeText(type), { length, offset, buffers });
  }

  /** Its type. */
  get type(): unknown {
    return this.#parts()[0];
  }

  /** How many elements it has. */
  get length(): number {
    return this.#read()?.length ?? 0;
  }

  /** Whether its elements can be read. */
  get isReadable(): boolean {
    return this.#read() !== undefined;
  }

  /**
   * One element.
   *
   * @param index From 0.
   * @returns The element; null where there is none.
   */
  at(index: number): unknown {
    const layout = this.#read();
    if (layout === undefined || !(index >= 0 && index < layout.length)) {
      return undefined;
    }
    return layout.isValid(index) ? layout.at(index) : null;
  }

  /**
   * All elements.
   *
   * @returns An array.
   */
  toArray(): unknown[] {
    const result: unknown[] = [];
    // Of nulls a length alone is enough: not one of them is worth a byte.
    const length = typeText(this.type) === "null"
      ? Math.min(this.length, 1_000_000)
      : this.length;
    for (let i = 0; i < length; i++) result.push(this.at(i));
    return result;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The elements.
   */
  override toJSON(): unknown {
    return this.isReadable ? this.toArray() : super.toJSON();
  }
}

/**
 * Several Arrow arrays, one behind the other.
 *
 * @example Read its elements
 * ```ts
 * import { ArrowArray, ArrowChunkedArray, ArrowType, Global } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const int8 = new ArrowType(new Global("pyarrow.lib", "type_for_alias"), [
 *   "int8",
 * ]);
 * const array = new ArrowArray(new Global("pyarrow.lib", "_restore_array"), [
 *   [int8, 2, 1, 0, [new Uint8Array([0b01]), new Uint8Array([7, 0])], [], null],
 * ]);
 * const chunked = new ArrowChunkedArray(
 *   new Global("pyarrow.lib", "chunked_array"),
 *   [[array, array]],
 * );
 * assertEquals(chunked.toArray(), [7, null, 7, null]);
 * ```
 */
export class ArrowChunkedArray extends PyObject {
  /** The arrays. */
  get chunks(): ArrowArray[] {
    const [chunks] = this.args;
    return Array.isArray(chunks)
      ? chunks.filter((chunk) => chunk instanceof ArrowArray)
      : [];
  }

  /** How many elements there are. */
  get length(): number {
    return this.chunks.reduce((length, chunk) => length + chunk.length, 0);
  }

  /**
   * One element.
   *
   * @param index From 0.
   * @returns The element; null where there is none.
   */
  at(index: number): unknown {
    for (const chunk of this.chunks) {
      if (index < chunk.length) return chunk.at(index);
      index -= chunk.length;
    }
    return undefined;
  }

  /**
   * All elements.
   *
   * @returns An array.
   */
  toArray(): unknown[] {
    return this.chunks.map((chunk) => chunk.toArray()).flat(1);
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The elements.
   */
  override toJSON(): unknown {
    return this.toArray();
  }
}

register(
  inertType([
    "pyarrow.lib.type_for_alias",
    "pyarrow.lib.timestamp",
    "pyarrow.lib.duration",
    "pyarrow.lib.decimal128",
    "pyarrow.lib.list_",
    "pyarrow.lib.large_list",
    "pyarrow.lib.struct",
    "pyarrow.lib.map_",
    "pyarrow.lib.dictionary",
    "pyarrow.lib.time32",
    "pyarrow.lib.time64",
    "pyarrow.lib.binary",
  ], ArrowType),
  { names: [], class: ArrowType, toPlain: String },
  inertType(["pyarrow.lib.py_buffer"], ArrowBuffer),
  {
    names: [],
    class: ArrowBuffer,
    toPlain: (buffer: ArrowBuffer) => buffer.bytes,
  },
  inertType(["pyarrow.lib._restore_array"], ArrowArray),
  {
    names: [],
    class: ArrowArray,
    toPlain: (array: ArrowArray) => array.toJSON(),
  },
  inertType(["pyarrow.lib.chunked_array"], ArrowChunkedArray),
  {
    names: [],
    class: ArrowChunkedArray,
    toPlain: (array: ArrowChunkedArray) => array.toArray(),
  },
);
