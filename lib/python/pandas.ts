/**
 * pandas' tables: DataFrame, Series, every Index, and the arrays beneath. They
 * are kept as the pickle has them, so that they go back unread; what is asked
 * of them is looked up in the blocks when it is asked.
 *
 * @module
 */

import { ArrowArray, ArrowChunkedArray, ArrowType } from "./arrow.ts";
import {
  attributeOf,
  fieldOf,
  isDict,
  setOwn,
  shortText,
  toCount,
  toInteger,
} from "./fields.ts";
import { Float } from "./float.ts";
import { inertType } from "./inert.ts";
import { setInspect } from "./inspect.ts";
import { LimitError } from "./limits.ts";
import { NdArray, NumpyScalar } from "./numpy.ts";
import { DType } from "./numpy_dtype.ts";
import { Datetime64, Timedelta64 } from "./numpy_time.ts";
import { Global, PyObject } from "./object.ts";
import {
  frequencyText,
  Interval,
  NA,
  NaT,
  Period,
  Timedelta,
  Timestamp,
  timestampText,
} from "./pandas_time.ts";
import { register } from "./registry.ts";
import { Slice } from "./slice.ts";
import { PytzZone, TimeZone, ZoneInfo } from "./timezone.ts";
import { Tuple } from "./tuple.ts";

/** Values of a column or an index, read where they lie. */
interface Values {
  /** How many there are. */
  readonly length: number;
  /** pandas' name of their dtype. */
  readonly dtype: string;
  /** One of them. */
  at(index: number): unknown;
  /** One of them for plain JSON, where there is a shorter way. */
  plainAt?: ((index: number) => unknown) | undefined;
}

/** A range may promise any number of labels, but not more than these. */
const FREE_ROWS = 100_000_000;
/** No table is wider. */
const MAX_COLUMNS = 1_000_000;
/** No more cells as records: an array may be every column of a thousand. */
const MAX_CELLS = 100_000_000;

function lastName(value: unknown): string {
  if (!(value instanceof Global)) return "";
  const dot = value.name.lastIndexOf(".");
  return value.name.slice(dot + 1);
}

const NOTHING: Values = { length: 0, dtype: "object", at: () => undefined };

/** A row of a block, or all of what has one dimension. */
function numpyValues(array: NdArray, row: number | undefined): Values {
  const { shape, strides, dtype } = array;
  const flat = array.ndim === 1;
  // Elements without bytes could be any number.
  if (dtype.itemsize === 0) return NOTHING;
  if (!flat && (array.ndim !== 2 || row === undefined)) return NOTHING;
  const from = flat ? 0 : row! * strides[0]!;
  const stride = strides[flat ? 0 : 1]!;
  const length = shape[flat ? 0 : 1]!;
  if (!flat && row! >= shape[0]!) return NOTHING;
  const name = String(dtype);
  if (dtype.kind === "M" || dtype.kind === "m") {
    return {
      length,
      dtype: name,
      at: (i) => momentOf(array.at(from + i * stride), null),
      plainAt: plainTimes(array, { from, stride, zone: null }),
    };
  }
  return { length, dtype: name, at: (i) => array.at(from + i * stride) };
}

const NAT_TICKS = -(2n ** 63n);

/** Texts of Timestamps without the Timestamps. */
function plainTimes(
  array: NdArray,
  { from, stride, zone }: { from: number; stride: number; zone: unknown },
): ((index: number) => unknown) | undefined {
  const { kind, step: { unit, count } } = array.dtype;
  if (kind !== "M" || count !== 1) return undefined;
  const ticks = array.data as BigInt64Array;
  return (i) => {
    const value = ticks[from + i * stride]!;
    return value === NAT_TICKS ? null : timestampText(value, unit, zone);
  };
}

/** A Timestamp or Timedelta of numpy's own. */
function momentOf(value: unknown, zone: unknown): unknown {
  if (value instanceof Datetime64) {
    return value.isNaT ? NaT : Timestamp.of(value.ticks, value.unit, zone);
  }
  if (value instanceof Timedelta64) {
    return value.isNaT ? NaT : Timedelta.of(value.ticks, value.unit);
  }
  return value;
}

/** `(dtype, ndarray, attributes)` in whatever order and form. */
function backing(
  state: unknown,
): { dtype: unknown; array: NdArray } | undefined {
  if (!Array.isArray(state)) {
    const array = fieldOf(state, "_ndarray") ?? fieldOf(state, "_codes") ??
      fieldOf(state, "_data");
    if (!(array instanceof NdArray)) return undefined;
    const categories = fieldOf(state, "_categories");
    const dtype = categories === undefined
      ? fieldOf(state, "_dtype") ?? array.dtype
      : new PandasDtype(new Global("pandas", "CategoricalDtype"), [
        categories,
        fieldOf(state, "_ordered"),
      ]);
    return { dtype, array };
  }
  if (state.length === 1) return backing(state[0]);
  const [first, second] = state;
  if (first instanceof NdArray) return { dtype: second, array: first };
  if (second instanceof NdArray) return { dtype: first, array: second };
  return undefined;
}

/** What a dtype is called, by its own object. */
function dtypeName(dtype: unknown): string {
  if (dtype instanceof DType) return String(dtype);
  if (dtype instanceof PandasDtype) return guarded(() => dtype.name, "object");
  return dtype instanceof PyObject ? lastName(dtype.class) : "object";
}

/** Values of an array of pandas' own. */
function extensionValues(
  value: PyObject,
  row: number | undefined,
): Values {
  const [first] = value.args;
  const isPickled = value.via === "reduce" && first instanceof Global;
  const kind = lastName(isPickled ? first : value.class);
  const { state } = value;
  switch (kind) {
    case "IntegerArray":
    case "FloatingArray":
    case "BooleanArray":
      return maskedValues(value);
    case "IntervalArray":
      return intervalValues(state);
    case "SparseArray":
      return sparseValues(state);
    case "ArrowStringArray":
    case "ArrowStringArrayNumpySemantics":
    case "ArrowExtensionArray": {
      const chunks = attributeOf(value, "_pa_array") ??
        attributeOf(value, "_data");
      return arrowValues(chunks, attributeOf(value, "_dtype"));
    }
    case "GeometryArray": {
      const data = Array.isArray(state) ? state[0] : attributeOf(value, "data");
      return data instanceof NdArray
        ? { ...numpyValues(data, row), dtype: "geometry" }
        : NOTHING;
    }
  }
  const found = backing(state);
  if (found === undefined) return NOTHING;
  const { dtype, array } = found;
  const inner = numpyValues(array, row);
  switch (kind) {
    case "Categorical":
      return categoryValues(dtype, inner);
    case "DatetimeArray": {
      const zone = dtype instanceof PandasDtype ? dtype.zone : null;
      return {
        length: inner.length,
        dtype: dtypeName(dtype),
        at: (i) => {
          const moment = inner.at(i);
          return moment instanceof Timestamp && zone !== null
            ? Timestamp.of(moment.ticks, moment.unit, zone)
            : moment;
        },
        plainAt: array.ndim > 2 ? undefined : plainTimes(array, {
          from: array.ndim === 2 ? (row ?? 0) * array.strides[0]! : 0,
          stride: array.strides[array.ndim - 1] ?? 0,
          zone,
        }),
      };
    }
    case "PeriodArray": {
      const frequency = dtype instanceof PandasDtype
        ? dtype.frequency
        : undefined;
      return {
        length: inner.length,
        dtype: dtypeName(dtype),
        at: (i) => {
          const ordinal = inner.at(i);
          if (typeof ordinal !== "number") return NaT;
          return Period.of(BigInt(ordinal), frequency);
        },
      };
    }
    default:
      return { ...inner, dtype: dtypeName(dtype) };
  }
}

function maskedValues(value: PyObject): Values {
  const data = attributeOf(value, "_data");
  const mask = attributeOf(value, "_mask");
  if (!(data instanceof NdArray) || !(mask instanceof NdArray)) return NOTHING;
  const values = numpyValues(data, 0);
  const hidden = numpyValues(mask, 0);
  const { kind, itemsize } = data.dtype;
  const words: Record<string, string> = { i: "Int", u: "UInt", f: "Float" };
  const name = kind === "b" ? "boolean" : `${words[kind]}${itemsize * 8}`;
  return {
    length: Math.min(values.length, hidden.length),
    dtype: name,
    at: (i) => hidden.at(i) === true ? NA : values.at(i),
  };
}

function intervalValues(state: unknown): Values {
  const dict = Array.isArray(state) ? state[0] : state;
  const left = valuesOf(fieldOf(dict, "_left") ?? fieldOf(dict, "left"));
  const right = valuesOf(fieldOf(dict, "_right") ?? fieldOf(dict, "right"));
  const dtype = fieldOf(dict, "_dtype");
  const said = (dtype instanceof PandasDtype ? dtype.closed : undefined) ??
    fieldOf(dict, "_closed") ?? fieldOf(dict, "closed");
  const closed = typeof said === "string" ? said : "right";
  return {
    length: Math.min(left.length, right.length),
    dtype: `interval[${left.dtype}, ${closed}]`,
    at: (i) => {
      const start = left.at(i);
      return isMissing(start) ? NaN : Interval.of(start, right.at(i), closed);
    },
  };
}

/** Indices and values of what is not the fill value. */
function sparseValues(state: unknown): Values {
  const dict = Array.isArray(state) ? state.find(isDict) ?? state[1] : state;
  const index = fieldOf(dict, "_sparse_index");
  const values = valuesOf(fieldOf(dict, "_sparse_values"));
  const dtype = fieldOf(dict, "_dtype");
  if (!(index instanceof PyObject)) return NOTHING;
  const length = toCount(index.args[0]);
  const places = index.args[1];
  if (length === undefined || !(places instanceof NdArray)) return NOTHING;
  const fill = attributeOf(dtype, "_fill_value") ??
    (dtype instanceof PyObject ? dtype.args[1] : undefined) ?? 0;
  const where = new Map<number, number>();
  const sizes = index.args[2];
  let next = 0;
  for (let i = 0; i < places.size; i++) {
    const from = toCount(places.get(i)) ?? 0;
    const size = sizes instanceof NdArray ? toCount(sizes.get(i)) ?? 0 : 1;
    for (let j = 0; j < size && next < values.length; j++) {
      where.set(from + j, next++);
    }
  }
  checkRows(length);
  return {
    length,
    dtype: `Sparse[${values.dtype}, ${fillText(fill)}]`,
    at: (i) => {
      const place = where.get(i);
      return place === undefined ? fill : values.at(place);
    },
  };
}

function arrowValues(chunks: unknown, dtype: unknown): Values {
  if (!(chunks instanceof ArrowArray || chunks instanceof ArrowChunkedArray)) {
    return NOTHING;
  }
  const isText = dtype instanceof PandasDtype;
  const missing = isText && dtype.name === "str" ? NaN : NA;
  return {
    length: chunks.length,
    dtype: isText ? dtype.name : "arrow",
    at: (i) => {
      const value = chunks.at(i);
      return value === null ? missing : momentOf(value, null);
    },
  };
}

/** A fill value as pandas prints it. */
function fillText(fill: unknown): string {
  return shortText(fill instanceof NumpyScalar ? fill.value : fill);
}

function categoryValues(dtype: unknown, codes: Values): Values {
  const categories = valuesOf(
    dtype instanceof PandasDtype ? dtype.categories : undefined,
  );
  return {
    length: codes.length,
    dtype: "category",
    at: (i) => {
      const code = codes.at(i);
      return typeof code === "number" && code >= 0 ? categories.at(code) : NaN;
    },
  };
}

/** Values of anything that has some. */
function valuesOf(value: unknown, row?: number): Values {
  if (value instanceof NdArray) return numpyValues(value, row);
  if (value instanceof PandasIndex) return readIndex(value);
  if (value instanceof Series) return readSeries(value);
  if (value instanceof ArrowArray || value instanceof ArrowChunkedArray) {
    return arrowValues(value, undefined);
  }
  if (value instanceof PyObject) {
    return guarded(() => extensionValues(value, row), NOTHING);
  }
  if (Array.isArray(value)) {
    return { length: value.length, dtype: "object", at: (i) => value[i] };
  }
  return NOTHING;
}

function isMissing(value: unknown): boolean {
  return value === NA || value === NaT || value === null ||
    value === undefined ||
    (typeof value === "number" && Number.isNaN(value)) ||
    (value instanceof Float && Number.isNaN(value.value)) ||
    (value instanceof NumpyScalar && isMissing(value.value));
}

/** A value for plain JSON: nothing where it is missing, 1.0 stays 1.0. */
function plainValue(value: unknown, isFloat: boolean): unknown {
  if (isMissing(value)) return null;
  return isFloat && typeof value === "number" && Number.isInteger(value)
    ? new Float(value)
    : value;
}

function plainReader(values: Values): (index: number) => unknown {
  const isFloat = /float/i.test(values.dtype);
  return values.plainAt ?? ((i) => plainValue(values.at(i), isFloat));
}

function toPlainArray(values: Values): unknown[] {
  const read = plainReader(values);
  return Array.from({ length: values.length }, (_, i) => read(i));
}

function checkRows(length: number): void {
  if (length > FREE_ROWS) throw new LimitError("values", FREE_ROWS);
}

/** Python's text of a label: a name of a JSON object's property. */
function labelText(label: unknown): string {
  if (Array.isArray(label)) {
    const parts = label.map((part) =>
      typeof part === "string" ? `'${part}'` : partText(part)
    );
    return `(${parts.join(", ")})`;
  }
  return partText(label);
}

function partText(value: unknown): string {
  return value instanceof Timestamp || value instanceof Timedelta ||
      value instanceof Period || value instanceof Interval ||
      value instanceof NumpyScalar || value === NA || value === NaT
    ? String(value)
    : shortText(value);
}

/** A zone's name. */
function zoneText(zone: unknown): string {
  return zone instanceof TimeZone || zone instanceof ZoneInfo ||
      zone instanceof PytzZone
    ? String(zone)
    : shortText(zone);
}

/** An array within an array within an array … is nobody's. */
const MAX_DEPTH = 32;
let depth = 0;

function guarded<T>(read: () => T, otherwise: T): T {
  if (depth >= MAX_DEPTH) return otherwise;
  depth++;
  try {
    return read();
  } finally {
    depth--;
  }
}

let readIndex: (index: PandasIndex) => Values;
let readSeries: (series: Series) => Values;

function distinct(labels: string[]): string[] {
  const seen = new Map<string, number>();
  return labels.map((label) => {
    const count = seen.get(label) ?? 0;
    seen.set(label, count + 1);
    return count === 0 ? label : `${label}.${count}`;
  });
}

/**
 * A pandas dtype that numpy does not have.
 *
 * @example Read its name
 * ```ts
 * import { Global, PandasDtype } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const dtype = new PandasDtype(new Global("pandas", "Int64Dtype"));
 * assertEquals(dtype.name, "Int64");
 * ```
 */
export class PandasDtype extends PyObject {
  /** pandas' name: `category`, `Int64`, `datetime64[ns, UTC]`. */
  get name(): string {
    const kind = lastName(this.class);
    switch (kind) {
      case "CategoricalDtype":
        return "category";
      case "DatetimeTZDtype":
        return `datetime64[${shortText(this.#part("unit", 0))}, ${
          zoneText(this.zone)
        }]`;
      case "PeriodDtype": {
        const said = this.args[0] ?? this.frequency;
        const text = frequencyText(said);
        return text.startsWith("period[") ? text : `period[${text}]`;
      }
      case "IntervalDtype": {
        const type = this.#part("subtype", 0);
        return `interval[${dtypeName(type)}, ${shortText(this.closed)}]`;
      }
      case "StringDtype": {
        const missing = this.args[1];
        return typeof missing === "number" || missing instanceof Float
          ? "str"
          : "string";
      }
      case "BooleanDtype":
        return "boolean";
      case "SparseDtype": {
        const fill = this.#part("_fill_value", 1);
        return `Sparse[${dtypeName(this.#part("_dtype", 0))}${
          fill === undefined ? "" : `, ${fillText(fill)}`
        }]`;
      }
      case "ArrowDtype": {
        const type = this.#part("pyarrow_dtype", 0);
        return `${type instanceof ArrowType ? type.typeName : "?"}[pyarrow]`;
      }
      default:
        return kind.replace(/Dtype$/, "");
    }
  }

  /** Zone of a DatetimeTZDtype, or null. */
  get zone(): unknown {
    return this.#part("tz", 1) ?? null;
  }

  /** Categories of a CategoricalDtype: an index, or undefined. */
  get categories(): unknown {
    return this.#part("categories", 0) ?? this.#part("_categories", 0);
  }

  /** Whether the categories have an order. */
  get ordered(): boolean {
    return (this.#part("ordered", 1) ?? this.#part("_ordered", 1)) === true;
  }

  /** Offset of a PeriodDtype, or its name. */
  get frequency(): unknown {
    return this.#part("freq", 0);
  }

  /** Which ends of an IntervalDtype belong to it, if that is said. */
  get closed(): unknown {
    return this.#part("closed", 1) ?? this.#part("_closed", 1);
  }

  #part(name: string, place: number): unknown {
    return attributeOf(this, name) ?? this.args[place];
  }

  /**
   * pandas' name.
   *
   * @returns The text.
   */
  override toString(): string {
    return this.name;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The name.
   */
  override toJSON(): string {
    return this.name;
  }
}

/**
 * An array of pandas' own: Categorical, dates, periods, intervals, text, and
 * those where values may be missing.
 *
 * @example Read the values
 * ```ts
 * import { Global, NA, NdArray, PandasArray } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const array = new PandasArray(
 *   new Global("pandas.arrays", "IntegerArray"),
 *   [],
 *   {
 *     state: {
 *       _data: new NdArray(new BigInt64Array([1n, 1n])),
 *       _mask: new NdArray(new Uint8Array([0, 1]), { dtype: "?" }),
 *     },
 *   },
 * );
 * assertEquals(array.dtype, "Int64");
 * assertEquals(array.toArray(), [1, NA]);
 * ```
 */
export class PandasArray extends PyObject {
  #values: Values | undefined;

  #read(): Values {
    return this.#values ??= guarded(() => extensionValues(this, 0), NOTHING);
  }

  /** pandas' name of its class: `IntegerArray`, `Categorical`. */
  get kind(): string {
    const [first] = this.args;
    return lastName(
      this.via === "reduce" && first instanceof Global ? first : this.class,
    );
  }

  /** pandas' name of its dtype. */
  get dtype(): string {
    return this.#read().dtype;
  }

  /** How many values it has. */
  get length(): number {
    return this.#read().length;
  }

  /** Categories of a Categorical; undefined of others. */
  get categories(): unknown[] | undefined {
    const dtype = backing(this.state)?.dtype;
    if (this.kind !== "Categorical" || !(dtype instanceof PandasDtype)) {
      return undefined;
    }
    const values = valuesOf(dtype.categories);
    return Array.from({ length: values.length }, (_, i) => values.at(i));
  }

  /** Which category each value of a Categorical is, -1 where it is missing. */
  get codes(): NdArray | undefined {
    return this.kind === "Categorical" ? backing(this.state)?.array : undefined;
  }

  /** Whether the categories of a Categorical have an order. */
  get ordered(): boolean {
    const dtype = backing(this.state)?.dtype;
    return dtype instanceof PandasDtype && dtype.ordered;
  }

  /**
   * One value.
   *
   * @param index From 0.
   * @returns The value; NA, NaT or NaN where it is missing.
   */
  at(index: number): unknown {
    return this.#read().at(index);
  }

  /**
   * All values.
   *
   * @returns An array.
   */
  toArray(): unknown[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }

  /**
   * In few words: `Int64 3`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.dtype} ${this.length}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The values, null where one is missing.
   */
  override toJSON(): unknown[] {
    return toPlainArray(this.#read());
  }
}

/**
 * A pandas index, of any kind.
 *
 * @example Read the labels
 * ```ts
 * import { Global, NdArray, PandasIndex } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * // pandas.Index(["a"]), as pandas pickles it
 * const index = new PandasIndex(
 *   new Global("pandas.core.indexes.base", "_new_Index"),
 *   [new Global("pandas", "Index"), { data: new NdArray(["a"]), name: null }],
 * );
 * assertEquals(index.kind, "Index");
 * assertEquals(index.toArray(), ["a"]);
 * ```
 */
export class PandasIndex extends PyObject {
  #values: Values | undefined;

  static {
    readIndex = (index) => index.#read();
  }

  #dict(): unknown {
    return this.args[1];
  }

  /** pandas' name of its class: `Index`, `RangeIndex`, `DatetimeIndex`. */
  get kind(): string {
    return lastName(this.args[0]);
  }

  /** Its name, or null. */
  get name(): unknown {
    return fieldOf(this.#dict(), "name") ?? null;
  }

  /** The names of its levels; of others but MultiIndex, its one name. */
  get names(): unknown[] {
    const names = fieldOf(this.#dict(), "names");
    if (this.kind !== "MultiIndex") return [this.name];
    const levels = fieldOf(this.#dict(), "levels");
    return Array.isArray(names)
      ? [...names]
      : Array.isArray(levels)
      ? levels.map(() => null)
      : [];
  }

  /** Whether it only counts the rows from 0, and has no name. */
  get isDefault(): boolean {
    const dict = this.#dict();
    return this.kind === "RangeIndex" && this.name === null &&
      toInteger(fieldOf(dict, "start")) === 0 &&
      toInteger(fieldOf(dict, "step")) === 1;
  }

  /** Start, stop and step of a RangeIndex; undefined of others. */
  get range(): [number, number, number] | undefined {
    const dict = this.#dict();
    const start = toInteger(fieldOf(dict, "start"));
    const stop = toInteger(fieldOf(dict, "stop"));
    const step = toInteger(fieldOf(dict, "step"));
    return this.kind === "RangeIndex" && start !== undefined &&
        stop !== undefined && step !== undefined && step !== 0
      ? [start, stop, step]
      : undefined;
  }

  #read(): Values {
    return this.#values ??= guarded(() => this.#find(), NOTHING);
  }

  #find(): Values {
    const dict = this.#dict();
    const { range } = this;
    if (range !== undefined) {
      const [start, stop, step] = range;
      return {
        length: Math.max(0, Math.ceil((stop - start) / step)),
        dtype: "int64",
        at: (i) => start + i * step,
      };
    }
    if (this.kind === "MultiIndex") return levelValues(dict);
    const data = fieldOf(dict, "data");
    if (this.kind === "IntervalIndex" && data === undefined) {
      return intervalValues(dict);
    }
    const values = valuesOf(data);
    const zone = fieldOf(dict, "tz") ?? null;
    if (this.kind === "DatetimeIndex" && data instanceof NdArray) {
      // Before pandas 1.0: bare nanoseconds, the zone beside them.
      return {
        length: values.length,
        dtype: zone === null
          ? "datetime64[ns]"
          : `datetime64[ns, ${zoneText(zone)}]`,
        at: (i) => {
          const moment = values.at(i);
          if (moment instanceof Timestamp) {
            return Timestamp.of(moment.ticks, moment.unit, zone);
          }
          return typeof moment === "number" || typeof moment === "bigint"
            ? momentOf(new Datetime64(BigInt(moment), "ns"), zone)
            : moment;
        },
      };
    }
    if (this.kind === "PeriodIndex" && data instanceof NdArray) {
      const frequency = fieldOf(dict, "freq");
      return {
        length: values.length,
        dtype: `period[${frequencyText(frequency)}]`,
        at: (i) => {
          const ordinal = values.at(i);
          return typeof ordinal === "number"
            ? Period.of(BigInt(ordinal), frequency)
            : NaT;
        },
      };
    }
    return values;
  }

  /** How many labels it has. */
  get length(): number {
    return this.#read().length;
  }

  /** pandas' name of its dtype. */
  get dtype(): string {
    return this.#read().dtype;
  }

  /**
   * One label.
   *
   * @param index From 0.
   * @returns The label; a Tuple of a MultiIndex.
   */
  at(index: number): unknown {
    return this.#read().at(index);
  }

  /**
   * All labels.
   *
   * @returns An array.
   * @throws {LimitError} If a range promises more than anybody wants.
   */
  toArray(): unknown[] {
    checkRows(this.range === undefined ? 0 : this.length);
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }

  /**
   * In few words: `RangeIndex 3`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.kind} ${this.length}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The labels.
   */
  override toJSON(): unknown[] {
    checkRows(this.range === undefined ? 0 : this.length);
    return toPlainArray(this.#read());
  }
}

/** Before pandas 0.14 an index was an array of numpy's, of a class of its own. */
function indexFrom(value: unknown): PandasIndex | undefined {
  if (value instanceof PandasIndex) return value;
  if (!(value instanceof NdArray)) return undefined;
  return new PandasIndex(
    new Global("pandas.core.indexes.base", "_new_Index"),
    [value.class, { data: value, name: null }],
    { via: "reduce" },
  );
}

/** A MultiIndex: for each level its labels, and which of them each row has. */
function levelValues(dict: unknown): Values {
  const levels = fieldOf(dict, "levels");
  const codes = fieldOf(dict, "codes") ?? fieldOf(dict, "labels");
  if (!Array.isArray(levels) || !Array.isArray(codes)) return NOTHING;
  const labels = levels.map((level) => valuesOf(level));
  const places = codes.map((code) => valuesOf(code));
  if (labels.length !== places.length || labels.length === 0) return NOTHING;
  const length = places.reduce(
    (least, { length }) => Math.min(least, length),
    Infinity,
  );
  if (length * labels.length > MAX_CELLS) {
    throw new LimitError("values", MAX_CELLS);
  }
  return {
    length,
    dtype: "object",
    at: (i) =>
      Tuple.from(labels.map((level, n) => {
        const code = places[n]!.at(i);
        return typeof code === "number" && code >= 0 ? level.at(code) : NaN;
      })),
  };
}

/** The one array of a SingleBlockManager, and its index. */
function singleBlock(
  manager: unknown,
): { values: unknown; index: unknown } | undefined {
  if (!(manager instanceof PyObject)) return undefined;
  const { state, args } = manager;
  if (Array.isArray(state)) {
    const [axes, values] = state;
    const detail = fieldOf(state[3], "0.14.1");
    const [block] = listOf(fieldOf(detail, "blocks"));
    const [index] = listOf(axes);
    return { values: fieldOf(block, "values") ?? listOf(values)[0], index };
  }
  const [blocks, axes] = args;
  const block = Array.isArray(blocks) ? blocks[0] : blocks;
  const [index] = Array.isArray(axes) ? axes : [axes];
  return block instanceof PyObject
    ? { values: block.args[0], index }
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * A pandas Series: values with an index.
 *
 * In plain JSON it is an array where the index only counts, an object by label
 * where the labels are distinct, else an array of `[label, value]`.
 *
 * @example Read the values
 * ```ts
 * import { Global, NdArray, PyObject, Series } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const manager = new PyObject(
 *   new Global("pandas.core.internals.managers", "SingleBlockManager"),
 *   [],
 *   { state: [[], [new NdArray(new Float64Array([1.5, 2]))], [], {}] },
 * );
 * const series = new Series(new Global("pandas", "Series"), [], {
 *   state: { _mgr: manager, _name: "x" },
 * });
 * assertEquals(series.name, "x");
 * assertEquals(series.toArray(), [1.5, 2]);
 * ```
 */
export class Series extends PyObject {
  #values: Values | undefined;

  static {
    readSeries = (series) => series.#read();
  }

  #parts: { values: unknown; index: unknown } | undefined;
  #index: PandasIndex | undefined;

  #block(): { values: unknown; index: unknown } | undefined {
    return this.#parts ??= singleBlock(
      attributeOf(this, "_mgr") ?? attributeOf(this, "_data"),
    );
  }

  #read(): Values {
    return this.#values ??= guarded(
      () => valuesOf(this.#block()?.values, 0),
      NOTHING,
    );
  }

  /** Its name, or null. */
  get name(): unknown {
    return attributeOf(this, "_name") ?? attributeOf(this, "name") ?? null;
  }

  /** The labels of its values. */
  get index(): PandasIndex | undefined {
    return this.#index ??= indexFrom(this.#block()?.index);
  }

  /** The array beneath: an NdArray or a PandasArray. */
  get array(): unknown {
    return this.#block()?.values;
  }

  /** pandas' name of its dtype. */
  get dtype(): string {
    return this.#read().dtype;
  }

  /** How many values it has. */
  get length(): number {
    return this.#read().length;
  }

  /**
   * One value.
   *
   * @param index From 0.
   * @returns The value; NA, NaT, NaN or null where it is missing.
   */
  at(index: number): unknown {
    return this.#read().at(index);
  }

  /**
   * All values.
   *
   * @returns An array.
   */
  toArray(): unknown[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }

  /**
   * In few words: `float64 3`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.dtype} ${this.length}`;
  }

  /**
   * The values as plain JSON has them.
   *
   * @returns An array, or a Map by label.
   */
  toPlain(): unknown {
    const values = toPlainArray(this.#read());
    const { index } = this;
    if (index === undefined || index.isDefault) return values;
    const labels = values.map((_, i) => labelText(index.at(i)));
    if (new Set(labels).size < labels.length) {
      return values.map((value, i) => [index.at(i), value]);
    }
    return new Map(labels.map((label, i) => [label, values[i]]));
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns An array, or an object by label.
   */
  override toJSON(): unknown {
    const plain = this.toPlain();
    return plain instanceof Map ? Object.fromEntries(plain) : plain;
  }
}

interface Block {
  values: unknown;
  places: readonly number[];
}

/** Where the rows of a block go among the columns. */
function placesOf(placement: unknown, rows: number): number[] {
  if (placement instanceof Slice) {
    const start = toInteger(placement.start) ?? 0;
    const step = toInteger(placement.step) ?? 1;
    return Array.from({ length: rows }, (_, i) => start + i * step);
  }
  if (placement instanceof NdArray) {
    return Array.from(
      { length: Math.min(rows, placement.size) },
      (_, i) => toInteger(placement.get(i)) ?? -1,
    );
  }
  if (placement instanceof PyObject) return placesOf(placement.args[0], rows);
  const one = toInteger(placement);
  return one === undefined ? [] : [one];
}

function rowsOf(values: unknown): number {
  return Math.min(blockHeight(values), MAX_COLUMNS);
}

function blockHeight(values: unknown): number {
  const array = values instanceof NdArray
    ? values
    : values instanceof PyObject
    ? backing(values.state)?.array
    : undefined;
  return array?.ndim === 2 ? array.shape[0]! : 1;
}

/** Blocks and axes of a BlockManager, of any pandas. */
function blocksOf(
  manager: unknown,
): { blocks: Block[]; axes: readonly unknown[] } | undefined {
  if (!(manager instanceof PyObject)) return undefined;
  const { state, args } = manager;
  if (Array.isArray(state)) {
    const detail = fieldOf(state[3], "0.14.1");
    const blocks = listOf(fieldOf(detail, "blocks")).map((block) => {
      const values = fieldOf(block, "values");
      const places = placesOf(fieldOf(block, "mgr_locs"), rowsOf(values));
      return { values, places };
    });
    return { blocks, axes: listOf(fieldOf(detail, "axes") ?? state[0]) };
  }
  const blocks: Block[] = [];
  for (const block of listOf(args[0])) {
    if (!(block instanceof PyObject)) continue;
    const [values, placement] = block.args;
    blocks.push({ values, places: placesOf(placement, rowsOf(values)) });
  }
  return { blocks, axes: listOf(args[1]) };
}

/**
 * A pandas DataFrame. It stays as the pickle has it; columns and rows are read
 * when they are asked for.
 *
 * In plain JSON it is an array of records; an index that does more than count
 * comes first in each, by its name or as `index`.
 *
 * @example Read columns and rows
 * ```ts
 * import { DataFrame, Global, NdArray, PandasIndex, PyObject } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * // pandas.DataFrame({"a": [1, 2]}), as pandas pickles it
 * const newIndex = new Global("pandas.core.indexes.base", "_new_Index");
 * const columns = new PandasIndex(newIndex, [
 *   new Global("pandas", "Index"),
 *   { data: new NdArray(["a"]), name: null },
 * ]);
 * const rows = new PandasIndex(newIndex, [
 *   new Global("pandas", "RangeIndex"),
 *   { name: null, start: 0, stop: 2, step: 1 },
 * ]);
 * const block = new PyObject(
 *   new Global("pandas._libs.internals", "_unpickle_block"),
 *   [new NdArray(new BigInt64Array([1n, 2n]), { shape: [1, 2] }), 0, 2],
 * );
 * const manager = new PyObject(
 *   new Global("pandas.core.internals.managers", "BlockManager"),
 *   [[block], [columns, rows]],
 * );
 * const frame = new DataFrame(new Global("pandas", "DataFrame"), [], {
 *   state: { _mgr: manager },
 * });
 * assertEquals(frame.column("a"), [1, 2]);
 * assertEquals(frame.toRecords(), [{ a: 1 }, { a: 2 }]);
 * ```
 */
export class DataFrame extends PyObject {
  #parts: { blocks: Block[]; axes: readonly unknown[] } | undefined;
  #columns: (Values | undefined)[] | undefined;
  #labels: PandasIndex | undefined;
  #index: PandasIndex | undefined;

  #manager(): { blocks: Block[]; axes: readonly unknown[] } {
    return this.#parts ??= blocksOf(
      attributeOf(this, "_mgr") ?? attributeOf(this, "_data"),
    ) ?? { blocks: [], axes: [] };
  }

  #values(): (Values | undefined)[] {
    if (this.#columns !== undefined) return this.#columns;
    const columns: (Values | undefined)[] = [];
    const count = this.columnIndex?.length ?? 0;
    if (count > MAX_COLUMNS) throw new LimitError("values", MAX_COLUMNS);
    for (const { values, places } of this.#manager().blocks) {
      places.forEach((place, row) => {
        if (place >= 0 && place < count) columns[place] = valuesOf(values, row);
      });
    }
    return this.#columns = columns;
  }

  /** The index of the columns. */
  get columnIndex(): PandasIndex | undefined {
    return this.#labels ??= indexFrom(this.#manager().axes[0]);
  }

  /** The labels of the columns, in order. */
  get columns(): unknown[] {
    const { columnIndex } = this;
    if (columnIndex !== undefined && columnIndex.length > MAX_COLUMNS) {
      throw new LimitError("values", MAX_COLUMNS);
    }
    return columnIndex?.toArray() ?? [];
  }

  /** The labels of the rows. */
  get index(): PandasIndex | undefined {
    return this.#index ??= indexFrom(this.#manager().axes[1]);
  }

  /** How many rows and columns there are. */
  get shape(): [number, number] {
    return [this.index?.length ?? 0, this.columnIndex?.length ?? 0];
  }

  /** pandas' names of the columns' dtypes, in order. */
  get dtypes(): string[] {
    const values = this.#values();
    return this.columns.map((_, i) => values[i]?.dtype ?? "object");
  }

  /** Rows that have values: none are made up for a long index. */
  #rows(): number {
    const [rows] = this.shape;
    let most = rows;
    for (const column of this.#values()) {
      if (column !== undefined) most = Math.min(most, column.length);
    }
    // Rows without columns are made up of nothing.
    if (this.#values().length === 0 && most > MAX_COLUMNS) {
      throw new LimitError("values", MAX_COLUMNS);
    }
    return most;
  }

  /** Place of a column by its label. */
  #place(label: unknown): number {
    const columns = this.columnIndex;
    if (columns === undefined) return -1;
    const wanted = labelText(label);
    for (let i = 0; i < columns.length; i++) {
      if (labelText(columns.at(i)) === wanted) return i;
    }
    return -1;
  }

  /**
   * The values of a column.
   *
   * @param label Its label.
   * @returns An array, or undefined where there is no such column.
   */
  column(label: unknown): unknown[] | undefined {
    const place = this.#place(label);
    return place < 0 ? undefined : this.columnAt(place);
  }

  /**
   * The values of a column by its place.
   *
   * @param place From 0.
   * @returns An array, or undefined where there is no such column.
   */
  columnAt(place: number): unknown[] | undefined {
    const values = this.#values()[place];
    return values &&
      Array.from({ length: values.length }, (_, i) => values.at(i));
  }

  /**
   * One value.
   *
   * @param row From 0.
   * @param place Place of the column, from 0.
   * @returns The value; undefined where there is none.
   */
  at(row: number, place: number): unknown {
    return this.#values()[place]?.at(row);
  }

  /**
   * The columns by label.
   *
   * @returns An object of arrays.
   */
  toColumns(): Record<string, unknown[]> {
    const result = {};
    distinct(this.columns.map(labelText)).forEach((label, i) => {
      setOwn(result, [label, this.columnAt(i) ?? []]);
    });
    return result;
  }

  /**
   * The rows as objects.
   *
   * @param limit How many at most.
   * @returns An object of the columns for each row.
   */
  toRecords(limit: number = Infinity): Record<string, unknown>[] {
    return this.#records(limit);
  }

  #records(limit: number, isPlain = false): Record<string, unknown>[] {
    const values = this.#values();
    const names: string[] = [];
    const columns: Values[] = [];
    const { index } = this;
    if (isPlain && index !== undefined && !index.isDefault) {
      const levels = index.names;
      levels.forEach((name, i) => {
        const plain = levels.length === 1 ? "index" : `level_${i}`;
        names.push(name === null ? plain : labelText(name));
        columns.push({
          length: index.length,
          dtype: levels.length === 1 ? index.dtype : "object",
          plainAt: index.kind === "MultiIndex"
            ? undefined
            : plainReader(readIndex(index)),
          at: (row) =>
            index.kind === "MultiIndex"
              ? (index.at(row) as unknown[])[i]
              : index.at(row),
        });
      });
    }
    this.columns.forEach((label, i) => {
      names.push(labelText(label));
      columns.push(values[i] ?? NOTHING);
    });
    const labels = distinct(names);
    // An object would put names that are numbers first.
    const asMaps = isPlain && labels.some((label) => /^\d+$/.test(label));
    const readers = columns.map((column) =>
      isPlain ? plainReader(column) : (row: number) => column.at(row)
    );
    const records: Record<string, unknown>[] = [];
    const rows = Math.min(this.#rows(), limit);
    if (rows * columns.length > MAX_CELLS) {
      throw new LimitError("values", MAX_CELLS);
    }
    for (let row = 0; row < rows; row++) {
      const record = {};
      const map = asMaps ? new Map<string, unknown>() : undefined;
      readers.forEach((read, i) => {
        const value = read(row);
        if (map !== undefined) map.set(labels[i]!, value);
        else setOwn(record, [labels[i]!, value]);
      });
      records.push((map ?? record) as Record<string, unknown>);
    }
    return records;
  }

  /**
   * In few words: `3 rows x 2 columns`.
   *
   * @returns The text.
   */
  summary(): string {
    const [rows, columns] = this.shape;
    return `${rows} rows x ${columns} columns`;
  }

  /**
   * The rows as plain JSON has them: with the index, and in order.
   *
   * @returns An object for each row, or a Map where an object would order the
   * columns otherwise.
   */
  toPlain(): unknown[] {
    return this.#records(Infinity, true);
  }

  /**
   * What `JSON.stringify` writes: the rows, missing values as null.
   *
   * @returns An array of objects.
   */
  override toJSON(): unknown {
    return this.toPlain().map((row) =>
      row instanceof Map ? Object.fromEntries(row) : row
    );
  }
}

/** Where pandas keeps a class, before 3.0 and since. */
function names(module: string, list: string): string[] {
  return list.split(/\s+/).flatMap((name) => [
    `${module}.${name}`,
    `pandas.${name}`,
    `pandas.arrays.${name}`,
  ]);
}

const DTYPES = "pandas.core.dtypes.dtypes";

register(
  inertType([
    "pandas.core.frame.DataFrame",
    "pandas.DataFrame",
    "geopandas.geodataframe.GeoDataFrame",
  ], DataFrame),
  inertType([
    "pandas.core.series.Series",
    "pandas.core.series.TimeSeries",
    "pandas.Series",
    "geopandas.geoseries.GeoSeries",
  ], Series),
  inertType([
    "pandas.core.indexes.base._new_Index",
    "pandas.core.indexes.datetimes._new_DatetimeIndex",
    "pandas.core.indexes.period._new_PeriodIndex",
    "pandas.core.indexes.interval._new_IntervalIndex",
    "pandas.indexes.base._new_Index",
    "pandas.core.index._new_Index",
    "pandas.tseries.index._new_DatetimeIndex",
  ], PandasIndex),
  inertType([
    ...names(DTYPES, "CategoricalDtype DatetimeTZDtype PeriodDtype"),
    ...names(DTYPES, "IntervalDtype SparseDtype ArrowDtype"),
    ...names("pandas.core.arrays.string_", "StringDtype"),
    ...names("pandas.core.arrays.boolean", "BooleanDtype"),
    ...names(
      "pandas.core.arrays.integer",
      "Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype",
    ),
    ...names("pandas.core.arrays.floating", "Float32Dtype Float64Dtype"),
    "pandas.core.arrays.sparse.dtype.SparseDtype",
  ], PandasDtype),
  inertType([
    "pandas._libs.arrays.__pyx_unpickle_NDArrayBacked",
    "pandas._libs.interval.__pyx_unpickle_IntervalMixin",
    ...names("pandas.core.arrays.integer", "IntegerArray"),
    ...names("pandas.core.arrays.floating", "FloatingArray"),
    ...names("pandas.core.arrays.boolean", "BooleanArray"),
    ...names("pandas.core.arrays.categorical", "Categorical"),
    ...names("pandas.core.arrays.datetimes", "DatetimeArray"),
    ...names("pandas.core.arrays.timedeltas", "TimedeltaArray"),
    ...names("pandas.core.arrays.period", "PeriodArray"),
    ...names("pandas.core.arrays.interval", "IntervalArray"),
    ...names("pandas.core.arrays.string_", "StringArray"),
    ...names(
      "pandas.core.arrays.string_arrow",
      "ArrowStringArray ArrowStringArrayNumpySemantics",
    ),
    ...names("pandas.core.arrays.arrow.array", "ArrowExtensionArray"),
    ...names("pandas.core.arrays.numpy_", "PandasArray NumpyExtensionArray"),
    ...names("pandas.core.arrays.sparse.array", "SparseArray"),
    "pandas.core.categorical.Categorical",
    "geopandas.array.GeometryArray",
  ], PandasArray),
  {
    names: [],
    class: DataFrame,
    toPlain: (frame: DataFrame) => frame.toPlain(),
  },
  { names: [], class: Series, toPlain: (series: Series) => series.toPlain() },
  {
    names: [],
    class: PandasIndex,
    toPlain: (index: PandasIndex) => index.toJSON(),
  },
  { names: [], class: PandasDtype, toPlain: String },
  {
    names: [],
    class: PandasArray,
    toPlain: (array: PandasArray) => array.toJSON(),
  },
);

setInspect(
  DataFrame.prototype,
  (frame, inspect) =>
    `DataFrame(${frame.summary()}) ${inspect(frame.toRecords(10))}`,
);
setInspect(
  Series.prototype,
  (series, inspect) =>
    `Series(${series.summary()}) ${inspect(series.toArray().slice(0, 100))}`,
);
setInspect(
  PandasIndex.prototype,
  (index, inspect) =>
    `PandasIndex(${index.summary()}) ${
      inspect(Array.from({ length: Math.min(100, index.length) }, (_, i) =>
        index.at(i)))
    }`,
);
