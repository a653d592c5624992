/**
 * Arrow's arrays, as pyarrow pickles them and pandas 3 keeps its text: buffers
 * that are read where they lie.
 *
 * @module
 */

import { normalInt, setOwn, shortText, toCount } from "./fields.ts";
import { globalOf, inertType } from "./inert.ts";
import { LimitError } from "./limits.ts";
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
  /** How many values there are in all, within as well. */
  cells: number;
  isValid: (index: number) => boolean;
  at: (index: number) => unknown;
}

function bitOf(bytes: Uint8Array, index: number): boolean {
  return (bytes[index >> 3]! >> (index & 7) & 1) === 1;
}

/** No more at once: a chunk may be named a thousand times. */
const MAX_VALUES = 100_000_000;

function checkCount(count: number): void {
  if (count > MAX_VALUES) throw new LimitError("values", MAX_VALUES);
}

/** Deeper, nobody nests. */
const MAX_DEPTH = 16;

/** `(type, length, nulls, offset, buffers, children, dictionary)`. */
function layoutFrom(parts: unknown, depth = 0): Layout | undefined {
  if (!Array.isArray(parts) || depth > MAX_DEPTH) return undefined;
  const [type, count, , start, buffers, children, dictionary] = parts;
  const length = toCount(count);
  const offset = toCount(start);
  if (
    length === undefined || offset === undefined || !Array.isArray(buffers)
  ) return undefined;
  const place = { length, offset, buffers };
  const name = typeText(type);
  if (!(type instanceof ArrowType)) return undefined;
  if (name === "dictionary") {
    const indices = layoutOf(typeText(type.args[0]), place);
    const values = layoutFrom(dictionary, depth + 1);
    if (indices === undefined || values === undefined) return undefined;
    // What is named may be large, and named over and over.
    const isNested = values.cells > values.length;
    const cells = indices.length * (isNested ? values.cells : 1);
    if (cells > MAX_VALUES) return undefined;
    return {
      ...indices,
      cells,
      at: (i) => {
        const index = toCount(indices.at(i)) ?? values.length;
        return index < values.length && values.isValid(index)
          ? values.at(index)
          : null;
      },
    };
  }
  const inner = Array.isArray(children)
    ? children.map((child) => layoutFrom(child, depth + 1))
    : [];
  if (name === "struct") return structLayout(type, inner, place);
  if (/^(large_)?list(_|$)/.test(name)) {
    return inner[0] && listLayout(name, inner[0], place);
  }
  return layoutOf(name, place);
}

interface Place {
  length: number;
  offset: number;
  buffers: unknown[];
}

function validityOf(
  { length, offset, buffers }: Place,
): ((index: number) => boolean) | undefined {
  const validity = bytesOf(buffers[0]);
  if (validity === undefined) return () => true;
  return validity.length * 8 < offset + length
    ? undefined
    : (index) => bitOf(validity, index + offset);
}

function listLayout(
  name: string,
  items: Layout,
  place: Place,
): Layout | undefined {
  const isValid = validityOf(place);
  const buffer = bytesOf(place.buffers[1]);
  const { length, offset } = place;
  const size = name.startsWith("large") ? 8 : 4;
  if (isValid === undefined || buffer === undefined) return undefined;
  if (buffer.length < (offset + length + 1) * size) return undefined;
  const offsets = viewOf(buffer);
  const range = { from: offset, to: offset + length };
  if (!isAscending(offsets, size, range)) return undefined;
  const at = (index: number): number =>
    size === 4
      ? offsets.getInt32((index + offset) * 4, true)
      : Number(offsets.getBigInt64((index + offset) * 8, true));
  return {
    length,
    cells: length + items.cells,
    isValid,
    at: (i) => {
      const list: unknown[] = [];
      const to = Math.min(at(i + 1), items.length);
      for (let j = at(i); j < to; j++) {
        list.push(items.isValid(j) ? items.at(j) : null);
      }
      return list;
    },
  };
}

function structLayout(
  type: ArrowType,
  inner: (Layout | undefined)[],
  place: Place,
): Layout | undefined {
  const isValid = validityOf(place);
  const [fields] = type.args;
  if (isValid === undefined || !Array.isArray(fields)) return undefined;
  const { length, offset } = place;
  const columns: [string, Layout][] = [];
  fields.forEach((field, i) => {
    const name = field instanceof PyObject ? field.args[0] : undefined;
    const layout = inner[i];
    if (layout !== undefined && layout.length >= offset + length) {
      columns.push([shortText(name), layout]);
    }
  });
  if (columns.length < fields.length) return undefined;
  const cells = columns.reduce((sum, [, { cells }]) => sum + cells, length);
  if (cells > MAX_VALUES) return undefined;
  return {
    length,
    cells,
    isValid,
    at: (i) => {
      const record = {};
      for (const [name, layout] of columns) {
        const index = i + offset;
        setOwn(record, [name, layout.isValid(index) ? layout.at(index) : null]);
      }
      return record;
    },
  };
}

/** Reads what a type's buffers hold; undefined where they are not enough. */
function layoutOf(type: string, place: Place): Layout | undefined {
  const { length, offset } = place;
  const [, second, third] = place.buffers.map(bytesOf);
  const end = offset + length;
  const isValid = validityOf(place);
  if (isValid === undefined) return undefined;
  if (type === "null") {
    // A length alone is cheap to write.
    return length > MAX_VALUES
      ? undefined
      : { length, cells: length, isValid: () => false, at: () => null };
  }
  if (type === "bool") {
    if (second === undefined || second.length * 8 < end) return undefined;
    return {
      length,
      cells: length,
      isValid,
      at: (i) => bitOf(second, i + offset),
    };
  }
  const number = readerOf(type);
  if (number !== undefined) {
    const [size, read] = number;
    if (second === undefined || second.length < end * size) return undefined;
    const view = viewOf(second);
    return {
      length,
      cells: length,
      isValid,
      at: (i) => read(view, i + offset),
    };
  }
  const text = /^(large_)?(string|utf8|binary)$/.exec(type);
  if (text === null || second === undefined) return undefined;
  const size = text[1] === undefined ? 4 : 8;
  if (second.length < (end + 1) * size) return undefined;
  const offsets = viewOf(second);
  const data = third ?? new Uint8Array(0);
  // Texts that overlap could be of any size together.
  if (!isAscending(offsets, size, { from: offset, to: end })) return undefined;
  const at = (index: number): number =>
    size === 4
      ? offsets.getInt32(index * 4, true)
      : Number(offsets.getBigInt64(index * 8, true));
  return {
    length,
    cells: length,
    isValid,
    at: (i) => {
      const from = at(i + offset);
      const to = at(i + offset + 1);
      if (from < 0 || to < from || to > data.length) return undefined;
      const bytes = data.subarray(from, to);
      return text[2] === "binary" ? bytes.slice() : decodeText(bytes);
    },
  };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
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
    return this.#layout = layoutFrom(this.args[0]);
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
    return Array.from({ length: this.length }, (_, i) => this.at(i));
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
    checkCount(this.length);
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

/**
 * A table of Arrow's: columns by name.
 *
 * @example Read its rows
 * ```ts
 * import { ArrowArray, ArrowTable, ArrowType, Global, PyObject } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const lib = (name: string) => new Global("pyarrow.lib", name);
 * const int8 = new ArrowType(lib("type_for_alias"), ["int8"]);
 * const array = new ArrowArray(lib("_restore_array"), [
 *   [int8, 2, 0, 0, [null, new Uint8Array([7, 8])], [], null],
 * ]);
 * const schema = new PyObject(lib("schema"), [
 *   [new PyObject(lib("field"), ["a", int8, true, null])],
 * ]);
 * const table = new ArrowTable(lib("_reconstruct_table"), [[array], schema]);
 * assertEquals(table.toRecords(), [{ a: 7 }, { a: 8 }]);
 * ```
 */
export class ArrowTable extends PyObject {
  /** The names of the columns, in order. */
  get columns(): string[] {
    const schema = this.args[1];
    const fields = schema instanceof PyObject ? schema.args[0] : undefined;
    return Array.isArray(fields)
      ? fields.map((field) =>
        shortText(field instanceof PyObject ? field.args[0] : undefined)
      )
      : [];
  }

  #arrays(): (ArrowArray | ArrowChunkedArray)[] {
    const [arrays] = this.args;
    return Array.isArray(arrays)
      ? arrays.filter((array) =>
        array instanceof ArrowArray || array instanceof ArrowChunkedArray
      )
      : [];
  }

  /** How many rows there are. */
  get length(): number {
    const lengths = this.#arrays().map(({ length }) => length);
    return lengths.length === 0 ? 0 : Math.min(...lengths);
  }

  /**
   * The rows as objects.
   *
   * @param limit How many at most.
   * @returns An object of the columns for each row.
   */
  toRecords(limit: number = Infinity): Record<string, unknown>[] {
    const { columns } = this;
    const arrays = this.#arrays();
    const records: Record<string, unknown>[] = [];
    const rows = Math.min(this.length, limit);
    checkCount(rows * Math.max(1, arrays.length));
    for (let row = 0; row < rows; row++) {
      const record = {};
      arrays.forEach((array, i) => {
        setOwn(record, [columns[i] ?? `${i}`, array.at(row)]);
      });
      records.push(record);
    }
    return records;
  }

  /**
   * In few words: `3 rows x 2 columns`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.length} rows x ${this.columns.length} columns`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The rows.
   */
  override toJSON(): unknown {
    return this.toRecords();
  }
}

register(
  inertType([
    "pyarrow.lib._reconstruct_table",
    "pyarrow.lib._reconstruct_record_batch",
  ], ArrowTable),
  {
    names: [],
    class: ArrowTable,
    toPlain: (table: ArrowTable) => table.toRecords(),
  },
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
