/**
 * What a value looks like to a person: its type, a line about it, and what is
 * in it, piece by piece. The terminal and the page both show this.
 *
 * @module
 */

import { ByteArray } from "../python/byte_array.ts";
import { Constant } from "../python/constants.ts";
import { PyDict } from "../python/dict.ts";
import { Float } from "../python/float.ts";
import { floatRepr } from "../python/float_repr.ts";
import {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
} from "../python/object.ts";
import { NdArray } from "../python/numpy.ts";
import { DataFrame, PandasIndex, Series } from "../python/pandas.ts";
import {
  Interval,
  Period,
  Timedelta,
  Timestamp,
} from "../python/pandas_time.ts";
import { typeOf } from "../python/registry.ts";
import { Tensor, TorchStorage } from "../python/torch.ts";
import { FrozenSet, PySet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";

/** A value in one line. */
export interface Outline {
  /** Its type, by Python's name. */
  type: string;
  /** The value itself, or the beginning of it; raw text of the file's author. */
  text?: string;
  /** How many parts it has. */
  count: number;
}

/** One part of a value. */
export interface Part {
  /** Its key, index or name, in one line; raw text of the file's author. */
  label: string;
  /** What it is. */
  value: unknown;
}

/** How many characters or bytes a line shows of a long value. */
const SAMPLE = 120;

/**
 * Describes a value in one line.
 *
 * @param value Any value that `pickle.loads` or `json.loads` gives.
 * @returns Its type, its text where it has one, and how many parts it has.
 */
export function outline(value: unknown): Outline {
  switch (typeof value) {
    case "string":
      return { type: "str", text: quoted(value), count: 0 };
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { type: "int", text: String(value), count: 0 }
        : { type: "float", text: floatRepr(value), count: 0 };
    case "bigint":
      return { type: "int", text: bigText(value), count: 0 };
    case "boolean":
      return { type: "bool", text: value ? "True" : "False", count: 0 };
    case "object":
      if (value === null) return { type: "None", count: 0 };
      return outlineObject(value);
    default:
      return { type: typeof value, count: 0 };
  }
}

function outlineObject(value: object): Outline {
  if (value instanceof Float) {
    return { type: "float", text: floatRepr(value.value), count: 0 };
  }
  if (value instanceof Uint8Array) {
    return {
      type: value instanceof ByteArray ? "bytearray" : "bytes",
      text: bytesText(value),
      count: 0,
    };
  }
  if (value instanceof Constant) {
    return { type: String(value), count: 0 };
  }
  if (value instanceof Global) {
    return { type: "class or function", text: String(value), count: 0 };
  }
  if (value instanceof Axis) {
    return { type: value.type, text: value.text, count: value.length };
  }
  const count = countParts(value);
  const type = typeName(value);
  const text = isContainer(value) || isPlain(value)
    ? (count === 0 ? "empty" : undefined)
    : ownText(value);
  return text === undefined ? { type, count } : { type, text, count };
}

/** How a value prints itself, where that says more than its parts do. */
function ownText(value: object): string | undefined {
  if ("summary" in value && typeof value.summary === "function") {
    return clipped(String(value.summary()));
  }
  return value.toString === Object.prototype.toString
    ? undefined
    : clipped(String(value));
}

function isContainer(value: object): boolean {
  return Array.isArray(value) || value instanceof Map || value instanceof Set;
}

/**
 * The name of a value's type, as Python has it.
 *
 * @param value Any object.
 * @returns Such as `dict` or `datetime.date`.
 */
export function typeName(value: object): string {
  // What rebuilds a tensor is a function; nobody knows it by that name.
  if (value instanceof Tensor) return "torch.Tensor";
  if (value instanceof TorchStorage) return "torch.storage";
  if (value instanceof NdArray) return String(value.class);
  if (value instanceof PandasIndex) return `pandas.${value.kind}`;
  if (value instanceof Timestamp) return "pandas.Timestamp";
  if (value instanceof Timedelta) return "pandas.Timedelta";
  if (value instanceof Period) return "pandas.Period";
  if (value instanceof Interval) return "pandas.Interval";
  if (value instanceof DataFrame || value instanceof Series) {
    // By the name that people import it by, not the one of its file.
    return value.className.replace(/^pandas\..*\./, "pandas.");
  }
  const known = typeOf(value)?.names[0];
  if (known !== undefined) return known.replace(/^builtins\./, "");
  if (value instanceof Tuple) return "tuple";
  if (Array.isArray(value)) return "list";
  if (value instanceof FrozenSet) return "frozenset";
  if (value instanceof Set) return "set";
  if (value instanceof Map) return "dict";
  if (value instanceof PyObject) return value.className;
  if (value instanceof PersistentId) return "persistent id";
  if (value instanceof Extension) return `extension ${value.code}`;
  if (value instanceof Date) return "datetime.datetime";
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return "dict";
  return String(value.constructor?.name ?? "object");
}

/**
 * The first parts of a value in one line, for where it is not unfolded.
 *
 * @param value Any value.
 * @returns Raw text of the file's author; undefined for what has no parts.
 */
export function sampleOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const count = countParts(value);
  if (count === 0 || axisOf(value) !== undefined) return undefined;
  const numbered = Array.isArray(value) || value instanceof Set;
  const shown: string[] = [];
  let length = 0;
  for (const part of partsOf(value, { from: 0, to: 6 })) {
    const { type, text, count } = outline(part.value);
    const short = count > 0 ? `${type} (${count})` : clip(text ?? type, 30);
    const piece = numbered ? short : `${clip(part.label, 24)}: ${short}`;
    length += piece.length + 2;
    if (length > 90 && shown.length > 0) break;
    shown.push(piece);
  }
  if (shown.length < count) shown.push("…");
  return shown.join(", ");
}

/**
 * Some of the parts of a value.
 *
 * @param value Any value.
 * @param range From which part to before which.
 * @returns The parts, in order.
 */
export function partsOf(
  value: unknown,
  range: { from: number; to: number },
): Part[] {
  const { from, to } = range;
  if (typeof value !== "object" || value === null) return [];
  const parts: Part[] = [];
  const axis = axisOf(value);
  if (axis !== undefined) {
    for (let index = from; index < Math.min(to, axis.length); index++) {
      parts.push({ label: axis.label(index), value: axis.at(index) });
    }
    return parts;
  }
  // A list of a million items is not walked to reach its last.
  if (Array.isArray(value)) {
    for (let index = from; index < Math.min(to, value.length); index++) {
      parts.push({ label: String(index), value: value[index] });
    }
    const attributes = attributesOf(value);
    if (attributes !== undefined && to > value.length) {
      parts.push({ label: "attributes", value: attributes });
    }
    return parts;
  }
  let index = 0;
  for (const [label, part] of eachPart(value)) {
    if (index >= to) break;
    if (index++ < from) continue;
    parts.push({ label: label(), value: part });
  }
  return parts;
}

type Piece = readonly [label: () => string, value: unknown];

function* eachPart(value: object): Generator<Piece, void> {
  if (isMoment(value)) return;
  if (value instanceof PyObject) return yield* partsOfObject(value);
  if (value instanceof PersistentId) return yield [() => "id", value.id];
  if (value instanceof Map) {
    for (const [key, item] of value) yield [() => keyLabel(key), item];
  } else if (value instanceof Set) {
    let index = 0;
    for (const item of value) {
      const at = index++;
      yield [() => String(at), item];
    }
  } else if (isLeaf(value)) {
    return;
  } else if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      yield [() => quoted(key), Reflect.get(value, key)];
    }
    return;
  } else {
    for (const key of Object.keys(value)) {
      yield [() => key, Reflect.get(value, key)];
    }
  }
  const attributes = attributesOf(value);
  if (attributes !== undefined) yield [() => "attributes", attributes];
}

function* partsOfObject(value: PyObject): Generator<Piece, void> {
  const { args, kwargs, state, items, entries } = value;
  if (!(value.class instanceof Global)) yield [() => "made by", value.class];
  for (let index = 0; index < args.length; index++) {
    yield [() => `argument ${index + 1}`, args[index]];
  }
  if (kwargs !== undefined) yield [() => "named arguments", kwargs];
  if (state !== undefined) {
    // Nearly every object's state is the dict of its attributes.
    if (isPlain(state)) {
      for (const key of Object.keys(state)) {
        yield [() => key, Reflect.get(state, key)];
      }
    } else {
      yield [() => "state", state];
    }
  }
  for (let index = 0; index < (items?.length ?? 0); index++) {
    yield [() => String(index), items![index]];
  }
  for (const [key, item] of entries ?? []) {
    yield [() => keyLabel(key), item];
  }
}

function countParts(value: object): number {
  const axis = axisOf(value);
  if (axis !== undefined) return axis.length;
  if (isMoment(value)) return 0;
  if (value instanceof PyObject) {
    const { args, kwargs, state, items, entries } = value;
    return (value.class instanceof Global ? 0 : 1) + args.length +
      (kwargs === undefined ? 0 : 1) +
      (state === undefined
        ? 0
        : isPlain(state)
        ? Object.keys(state).length
        : 1) +
      (items?.length ?? 0) + (entries?.length ?? 0);
  }
  const extra = attributesOf(value) === undefined ? 0 : 1;
  if (value instanceof PersistentId) return 1;
  if (Array.isArray(value)) return value.length + extra;
  if (value instanceof Map || value instanceof Set) return value.size + extra;
  if (isLeaf(value)) return 0;
  return Object.keys(value).length + (isPlain(value) ? 0 : extra);
}

/** pandas' single values, whose arguments nobody knows by sight. */
function isMoment(value: object): boolean {
  return value instanceof Timestamp || value instanceof Timedelta ||
    value instanceof Period;
}

/** What prints itself in full has no parts worth showing. */
function isLeaf(value: object): boolean {
  return value instanceof Float || value instanceof Uint8Array ||
    value instanceof Constant || value instanceof Global ||
    !isPlain(value) && !isContainer(value) &&
      !(value instanceof PyObject) &&
      value.toString !== Object.prototype.toString &&
      attributesOf(value) === undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Parts that are made only when somebody looks: columns, rows, slices. */
class Axis {
  readonly type: string;
  readonly text: string;
  readonly length: number;
  readonly at: (index: number) => unknown;
  readonly label: (index: number) => string;

  constructor(
    facts: { type: string; text: string; length: number },
    at: (index: number) => unknown,
    label: (index: number) => string = String,
  ) {
    this.type = facts.type;
    this.text = facts.text;
    this.length = facts.length;
    this.at = at;
    this.label = label;
  }
}

function axisOf(value: object): Axis | undefined {
  if (value instanceof Axis) return value;
  const grid = gridOf(value);
  if (grid !== undefined) return sliceOf(grid, []);
  if (value instanceof DataFrame) return columnsOf(value);
  // Series, indexes and arrays of pandas.
  if (
    value instanceof PyObject && "length" in value && "at" in value &&
    typeof value.length === "number" && typeof value.at === "function"
  ) {
    const sequence = value as PyObject & {
      length: number;
      at(index: number): unknown;
    };
    const index = value instanceof Series ? value.index : undefined;
    return new Axis(
      { type: typeName(value), text: "", length: sequence.length },
      (at) =>
        ofDtype(
          sequence.at(at),
          "dtype" in sequence ? String(sequence.dtype) : "",
        ),
      (at) => index === undefined ? String(at) : keyLabel(index.at(at)),
    );
  }
  return undefined;
}

/** What is common to arrays of numpy and tensors. */
interface Grid {
  shape: readonly number[];
  dtype: string;
  get(index: readonly number[]): unknown;
}

function gridOf(value: object): Grid | undefined {
  if (value instanceof NdArray) {
    const { shape, dtype } = value;
    return { shape, dtype: String(dtype), get: (index) => value.get(...index) };
  }
  if (value instanceof Tensor && value.isReadable) {
    const { shape, dtype } = value;
    return { shape, dtype, get: (index) => value.get(...index) };
  }
  return undefined;
}

/** What is left of an array when its first indices are chosen. */
function sliceOf(grid: Grid, first: readonly number[]): Axis {
  const rest = grid.shape.slice(first.length);
  return new Axis(
    {
      type: "slice",
      text: `${grid.dtype} ${rest.join(" x ")}`,
      length: rest[0] ?? 0,
    },
    (index) =>
      rest.length <= 1
        ? ofDtype(grid.get([...first, index]), grid.dtype)
        : sliceOf(grid, [...first, index]),
  );
}

/** A float that happens to be whole is shown as one. */
function ofDtype(value: unknown, dtype: string): unknown {
  return typeof value === "number" && /float/i.test(dtype)
    ? new Float(value)
    : value;
}

function columnsOf(frame: DataFrame): Axis {
  const { dtypes, columnIndex, shape: [rows, columns] } = frame;
  return new Axis(
    { type: "columns", text: "", length: columns },
    (place) =>
      new Axis(
        { type: "column", text: dtypes[place] ?? "", length: rows },
        (row) => ofDtype(frame.at(row, place), dtypes[place] ?? ""),
        (row) => keyLabel(frame.index?.at(row) ?? row),
      ),
    (place) => keyLabel(columnIndex?.at(place) ?? place),
  );
}

/** A few cells of something that is a table or an array. */
export interface Table {
  /** Names of the columns, the first for the labels of the rows. */
  header?: string[];
  /** Rows; with a header, each begins with its label. */
  rows: string[][];
}

/**
 * The corners of an array, or the first and last rows of a data frame.
 *
 * @param value Any value.
 * @param options How many rows and columns there may be.
 * @returns The cells, raw text of the file's author; undefined for what is
 * neither.
 */
export function tableOf(
  value: unknown,
  options: { rows?: number; columns?: number } = {},
): Table | undefined {
  const { rows: most = 8, columns: wide = 8 } = options;
  if (value instanceof DataFrame) {
    const [height, width] = value.shape;
    const places = corners(width, wide);
    const labels = value.columns;
    const { dtypes } = value;
    return {
      header: ["", ...places.map((at) => at < 0 ? "…" : cell(labels[at]))],
      rows: corners(height, most).map((row) => [
        row < 0 ? "…" : cell(value.index?.at(row) ?? row),
        ...places.map((at) =>
          at < 0 || row < 0
            ? "…"
            : cell(ofDtype(value.at(row, at), dtypes[at] ?? ""))
        ),
      ]),
    };
  }
  if (value instanceof Series) {
    return {
      header: ["", value.name === null ? "" : cell(value.name)],
      rows: corners(value.length, most).map((row) =>
        row < 0 ? ["…", "…"] : [
          keyLabel(value.index?.at(row) ?? row),
          cell(ofDtype(value.at(row), value.dtype)),
        ]
      ),
    };
  }
  const grid = typeof value === "object" && value !== null
    ? gridOf(value)
    : undefined;
  if (grid === undefined || grid.shape.length === 0) return undefined;
  const { shape, dtype } = grid;
  if (shape.includes(0)) return undefined;
  const last = shape.length - 1;
  const first = new Array<number>(Math.max(0, last - 1)).fill(0);
  return {
    rows: corners(last === 0 ? 1 : shape[last - 1]!, most).map((row) =>
      corners(shape[last]!, wide).map((column) => {
        if (row < 0 || column < 0) return "…";
        const index = last === 0 ? [column] : [...first, row, column];
        return cell(ofDtype(grid.get(index), dtype));
      })
    ),
  };
}

/** The first and the last, -1 for those between. */
function corners(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, index) => index);
  const head = Math.ceil((most - 1) / 2);
  const tail = most - 1 - head;
  return [
    ...Array.from({ length: head }, (_, index) => index),
    -1,
    ...Array.from({ length: tail }, (_, index) => length - tail + index),
  ];
}

function cell(value: unknown): string {
  if (typeof value === "string") return clip(value, 24);
  const { type, text } = outline(value);
  return clip(text ?? type, 24);
}

function clip(text: string, length: number): string {
  return text.length > length ? cut(text, length - 1) + "…" : text;
}

/** A key in one line: itself where it is simple, its outline where not. */
function keyLabel(key: unknown): string {
  if (
    Array.isArray(key) || key instanceof PySet || key instanceof PyDict
  ) {
    const inner = partsOf(key, { from: 0, to: 8 }).map((part) =>
      keyLabel(part.value)
    );
    const count = countParts(key);
    if (count > inner.length) inner.push("…");
    const comma = key instanceof Tuple && count === 1 ? "," : "";
    return key instanceof Tuple
      ? `(${inner.join(", ")}${comma})`
      : `${typeName(key)}(${inner.join(", ")})`;
  }
  const { type, text } = outline(key);
  return text ?? type;
}

function quoted(text: string): string {
  return text.length > SAMPLE
    ? JSON.stringify(cut(text, SAMPLE)) + `… (${text.length} characters)`
    : JSON.stringify(text);
}

function clipped(text: string): string {
  return clip(text, SAMPLE);
}

/** Never through the middle of a surrogate pair. */
function cut(text: string, length: number): string {
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length);
}

/** Decimal digits of a huge integer cost much, and nobody reads them. */
function bigText(value: bigint): string {
  if (value < 1n << 1024n && value > -(1n << 1024n)) {
    return clipped(String(value));
  }
  const bits = value.toString(16).length * 4;
  return `${value < 0n ? "-" : ""}(about ${bits} bits)`;
}

function bytesText(bytes: Uint8Array): string {
  let text = 'b"';
  for (const byte of bytes.subarray(0, 32)) {
    text += byte === 0x22 || byte === 0x5c
      ? "\\" + String.fromCharCode(byte)
      : byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : "\\x" + byte.toString(16).padStart(2, "0");
  }
  return `${text}"` +
    (bytes.length > 32 ? `… (${bytes.length} bytes)` : "");
}
