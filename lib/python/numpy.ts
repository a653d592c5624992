/**
 * numpy's arrays and scalars.
 *
 * @module
 */

import { ByteArray } from "./byte_array.ts";
import { Complex } from "./complex.ts";
import { normalInt, setOwn } from "./fields.ts";
import { Float } from "./float.ts";
import { floatRepr } from "./float_repr.ts";
import { globalOf, inertType } from "./inert.ts";
import { setInspect } from "./inspect.ts";
import { setKeyKind } from "./keys.ts";
import { LimitError } from "./limits.ts";
import {
  DType,
  float16,
  leafCount,
  readElement,
  shapeFrom,
  useDType,
} from "./numpy_dtype.ts";
import { Datetime64, Timedelta64 } from "./numpy_time.ts";
import { attributesOf, Global, PyObject } from "./object.ts";
import { type Reduced, register } from "./registry.ts";
import { Tuple } from "./tuple.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";

/** What an array's elements lie in. */
export type NdArrayData =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | unknown[];

/** How elements follow each other: rows first, columns first, otherwise. */
export type NdArrayOrder = "C" | "F" | "K";

/** What an array is made with beside its elements. */
export interface NdArrayOptions {
  /**
   * How many elements each dimension has.
   *
   * @default {[data.length]}
   */
  shape?: readonly number[];
  /** What the elements are; by default what the typed array holds. */
  dtype?: DType | string;
  /**
   * Which index runs fastest: the last or the first.
   *
   * @default {"C"}
   */
  order?: "C" | "F";
}

interface Parts {
  shape: readonly number[];
  dtype: DType;
  strides: readonly number[];
  order: NdArrayOrder;
  raw?: Uint8Array | undefined;
  objects?: unknown[] | undefined;
}

type TypedArray = Exclude<NdArrayData, unknown[]>;

interface TypedArrayConstructor {
  new (
    buffer: ArrayBufferLike,
    byteOffset: number,
    length: number,
  ): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** Where the runtime has it; else the bits of a float16. */
const Float16: TypedArrayConstructor =
  ((globalThis as Record<string, unknown>).Float16Array ??
    Uint16Array) as unknown as TypedArrayConstructor;
const HAS_FLOAT16 = (Float16 as unknown) !== Uint16Array;

const ARRAYS = new Map<string, TypedArrayConstructor>(
  Object.entries({
    b1: Uint8Array,
    i1: Int8Array,
    i2: Int16Array,
    i4: Int32Array,
    i8: BigInt64Array,
    u1: Uint8Array,
    u2: Uint16Array,
    u4: Uint32Array,
    u8: BigUint64Array,
    f2: Float16,
    f4: Float32Array,
    f8: Float64Array,
    c8: Float32Array,
    c16: Float64Array,
    m8: BigInt64Array,
    M8: BigInt64Array,
  }) as [string, TypedArrayConstructor][],
);

const DTYPES = new Map<unknown, string>([
  [Int8Array, "|i1"],
  [Uint8Array, "|u1"],
  [Uint8ClampedArray, "|u1"],
  [Int16Array, "<i2"],
  [Uint16Array, "<u2"],
  [Int32Array, "<i4"],
  [Uint32Array, "<u4"],
  [BigInt64Array, "<i8"],
  [BigUint64Array, "<u8"],
  [Float32Array, "<f4"],
  [Float64Array, "<f8"],
]);
if (HAS_FLOAT16) DTYPES.set(Float16, "<f2");

/** Typed arrays are in the machine's own order. */
const MACHINE_ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
  ? "<"
  : ">";

function stridesOf(shape: readonly number[], order: "C" | "F"): number[] {
  if (shape.length === 1) return [1];
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = 0; i < shape.length; i++) {
    const dim = order === "F" ? i : shape.length - 1 - i;
    strides[dim] = step;
    step *= shape[dim]!;
  }
  return strides;
}

/** How many elements or bytes; NaN where no array has as many. */
function sizeOf(shape: readonly number[], itemsize = 1): number {
  let size = itemsize;
  for (let i = 0; i < shape.length; i++) size *= shape[i]!;
  if (Number.isSafeInteger(size)) return size;
  // Too much for doubles on the way, though a 0 may follow.
  const exact = countOf(shape) * BigInt(itemsize);
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : NaN;
}

function countOf(shape: readonly number[]): bigint {
  let count = 1n;
  for (const size of shape) count *= BigInt(size);
  return count;
}

/** Turns the bytes of each number around. */
function swapped(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = Uint8Array.from(bytes);
  if (size === 1) return result;
  if (size === 2 || size === 4 || size === 8) {
    const view = new DataView(result.buffer);
    for (let at = 0; at < result.length; at += size) {
      if (size === 2) view.setUint16(at, view.getUint16(at), true);
      else if (size === 4) view.setUint32(at, view.getUint32(at), true);
      else view.setBigUint64(at, view.getBigUint64(at), true);
    }
    return result;
  }
  for (let at = 0; at < result.length; at += size) {
    result.subarray(at, at + size).reverse();
  }
  return result;
}

let fill: (array: NdArray, parts: Parts) => void;
let originOf: (array: NdArray) => Origin;

/** What makes a pickle of the array the same again. */
interface Origin {
  class: Global;
  /** `numpy.core` or `numpy._core`. */
  core: string;
  readOnly: boolean;
  /** False while BUILD is still to come. */
  filled: boolean;
  /** The state around the array's own, for subclasses. */
  around?: readonly unknown[] | undefined;
  /** Of masked arrays: what follows the first five items. */
  tail?: readonly unknown[] | undefined;
  axisOrder?: readonly number[] | undefined;
  /** Of masked arrays: what makes them. */
  callable?: Global | undefined;
  /** Of masked arrays: class, base class, shape, code. */
  args?: readonly unknown[] | undefined;
  /** Fortran order, as the pickle says it of objects too. */
  fortran: boolean;
  /** What the data was, so that a pickle that shares it still does. */
  buffer?: unknown;
  version?: readonly unknown[];
}

const NDARRAY = new Global("numpy", "ndarray");
const FLOAT64 = DType.of("<f8");
const NOTHING = new Uint8Array(0);
const NO_SHAPE: readonly number[] = Object.freeze([0]);
const NO_STRIDES: readonly number[] = Object.freeze([1]);
/** What an array is made with that BUILD is to fill. */
const BLANK: unknown[] = [];

/**
 * A numpy array: a typed array with shape and dtype.
 *
 * @example Make one, and read it
 * ```ts
 * import { NdArray } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const array = new NdArray(new Float64Array([1, 2, 3, 4, 5, 6]), {
 *   shape: [2, 3],
 * });
 * assertEquals(array.get(1, 0), 4);
 * assertEquals(array.toArray(), [[1, 2, 3], [4, 5, 6]]);
 * ```
 */
export class NdArray {
  #shape: readonly number[] = NO_SHAPE;
  #dtype: DType = FLOAT64;
  #strides: readonly number[] = NO_STRIDES;
  #order: NdArrayOrder = "C";
  #raw: Uint8Array | undefined = NOTHING;
  #data: NdArrayData | undefined;
  #objects: unknown[] | undefined;
  #view: DataView | undefined;
  /** The numbers are a copy, so that the bytes may be old. */
  #detached = false;
  #origin: Origin = {
    class: NDARRAY,
    core: "numpy.core",
    readOnly: false,
    filled: true,
    fortran: false,
  };

  /**
   * Makes an array.
   *
   * @param data The elements one after the other: a typed array, which the
   * array keeps, or values of any kind for dtype `object`.
   * @param options Shape, dtype and order.
   * @throws {RangeError} If the shape does not hold just these elements.
   * @throws {TypeError} If the dtype does not fit the typed array.
   */
  constructor(data: NdArrayData, options: NdArrayOptions = {}) {
    if (data === BLANK) return;
    const { order = "C" } = options;
    const own = options.dtype;
    let dtype = typeof own === "string" ? DType.of(own) : own;
    const isList = Array.isArray(data);
    if (dtype === undefined) {
      const name = isList ? "O" : DTYPES.get(data.constructor);
      dtype = DType.of(name ?? "|u1");
    }
    if (isList !== dtype.hasObjects) {
      throw new TypeError("an array of objects takes a list, others do not");
    }
    const bytes = isList
      ? undefined
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const length = bytes === undefined
      ? (data as unknown[]).length
      : dtype.itemsize === 0
      ? 0
      : bytes.length / dtype.itemsize;
    const shape = shapeFrom(options.shape ?? [length]);
    if (
      shape === undefined ||
      (bytes === undefined
        ? sizeOf(shape) !== length
        : sizeOf(shape, dtype.itemsize) !== bytes.length)
    ) {
      throw new RangeError("the shape does not hold just these elements");
    }
    useDType(dtype);
    this.#fill({
      shape,
      dtype,
      order,
      strides: stridesOf(shape, isList ? "C" : order),
      raw: bytes,
      objects: isList ? data : undefined,
    });
    this.#origin.fortran = order === "F";
  }

  static {
    fill = (array, parts) => array.#fill(parts);
    originOf = (array) => array.#origin;
  }

  #fill(parts: Parts): void {
    this.#shape = parts.shape;
    this.#dtype = parts.dtype;
    this.#strides = parts.strides;
    this.#order = parts.order;
    this.#raw = parts.raw;
    this.#objects = parts.objects;
    this.#data = undefined;
    this.#view = undefined;
    this.#detached = false;
  }

  /** How many elements each dimension has. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  /** What the elements are. */
  get dtype(): DType {
    return this.#dtype;
  }

  /** `C`: the last index runs fastest; `F`: the first; `K`: neither. */
  get order(): NdArrayOrder {
    return this.#order;
  }

  /** How far in `data` one step along each dimension is. */
  get strides(): readonly number[] {
    return this.#strides;
  }

  /** How many dimensions there are. */
  get ndim(): number {
    return this.#shape.length;
  }

  /** How many elements there are. */
  get size(): number {
    return Number(countOf(this.#shape));
  }

  /** numpy's class: `numpy.ndarray`, `numpy.matrix`, `numpy.recarray`. */
  get class(): Global {
    return this.#origin.class;
  }

  /**
   * The elements in the order of memory: a typed array of numbers (complex
   * ones as two numbers, dates as counts, bool as bytes), bytes of texts and
   * records, a list of objects. It looks into the pickle's own bytes where they
   * lie and are ordered as the machine wants; otherwise they are copied, once.
   */
  get data(): NdArrayData {
    if (this.#data !== undefined) return this.#data;
    if (this.#objects !== undefined) return this.#objects;
    const { kind, itemsize, byteOrder } = this.#dtype;
    const raw = this.#raw!;
    const type = ARRAYS.get(kind + itemsize);
    if (type === undefined) return this.#data = raw;
    const size = type.BYTES_PER_ELEMENT;
    let bytes = raw;
    if (byteOrder !== "|" && byteOrder !== MACHINE_ORDER) {
      bytes = swapped(raw, size);
      this.#detached = true;
    } else if (raw.byteOffset % size !== 0) {
      bytes = raw.slice();
      this.#raw = bytes;
      this.#view = undefined;
    }
    return this.#data = new type(
      bytes.buffer,
      bytes.byteOffset,
      bytes.length / size,
    );
  }

  /** The bytes of the elements, in the dtype's own order; none of objects. */
  get bytes(): Uint8Array {
    if (this.#objects !== undefined) return new Uint8Array(0);
    if (this.#detached) {
      const data = this.#data as TypedArray;
      return swapped(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        data.BYTES_PER_ELEMENT,
      );
    }
    return this.#raw!;
  }

  /**
   * One element.
   *
   * @param index A number for each dimension; negative ones count from the end.
   * @returns A number, or a bigint where it is unsafe; boolean, text, bytes,
   * Complex, Datetime64, Timedelta64; an object of the fields of a record.
   * @throws {RangeError} If there is no such element.
   */
  get(...index: readonly number[]): unknown {
    const shape = this.#shape;
    if (index.length !== shape.length) {
      throw new RangeError(`the array has ${shape.length} dimensions`);
    }
    let at = 0;
    for (let i = 0; i < index.length; i++) {
      const given = index[i]!;
      const place = given < 0 ? given + shape[i]! : given;
      if (!Number.isInteger(place) || place < 0 || place >= shape[i]!) {
        throw new RangeError(`the array has no element ${given} there`);
      }
      at += place * this.#strides[i]!;
    }
    return this.at(at);
  }

  /**
   * The element at a place in memory.
   *
   * @param place As an index of `data`, in elements.
   * @returns What {@linkcode NdArray.get} gives.
   */
  at(place: number): unknown {
    const dtype = this.#dtype;
    if (this.#objects !== undefined) {
      const value = this.#objects[place];
      return dtype.names === undefined ? value : recordOf(dtype, value);
    }
    switch (dtype.kind) {
      case "b":
        return (this.data as Uint8Array)[place] !== 0;
      case "i":
      case "u": {
        const value = (this.data as TypedArray)[place]!;
        return typeof value === "bigint" ? normalInt(value) : value;
      }
      case "f":
        if (dtype.itemsize <= 8) {
          const value = (this.data as Float64Array)[place]!;
          return dtype.itemsize === 2 && !HAS_FLOAT16 ? float16(value) : value;
        }
        break;
      case "c":
        if (dtype.itemsize <= 16) {
          const data = this.data as Float64Array;
          return new Complex(data[place * 2]!, data[place * 2 + 1]!);
        }
        break;
      case "M":
        return new Datetime64(
          (this.data as BigInt64Array)[place]!,
          dtype.step,
        );
      case "m":
        return new Timedelta64(
          (this.data as BigInt64Array)[place]!,
          dtype.step,
        );
    }
    this.#view ??= viewOf(this.#raw!);
    return readElement(dtype, this.#view, place * dtype.itemsize);
  }

  /**
   * The elements in nested arrays, as numpy's `tolist`.
   *
   * @returns Arrays, or the one element where there is no dimension.
   * @throws {LimitError} If a shape without elements asks for too many arrays.
   */
  toArray(): unknown {
    return nest(this, (place) => this.at(place));
  }

  /**
   * The elements in C order, whatever their order in memory.
   *
   * @returns What {@linkcode NdArray.get} gives, one after the other.
   */
  *values(): Generator<unknown, undefined> {
    for (const place of placesOf(this)) yield this.at(place);
  }

  /**
   * The array's bytes in C order.
   *
   * @returns Its own bytes where they are in C order, else a copy.
   */
  toBytes(): Uint8Array {
    const bytes = this.bytes;
    if (this.#order === "C" || this.#objects !== undefined) return bytes;
    const { itemsize } = this.#dtype;
    const result = new Uint8Array(bytes.length);
    let at = 0;
    if (itemsize === 0) return result;
    for (const place of placesOf(this)) {
      const from = place * itemsize;
      for (let i = 0; i < itemsize; i++) result[at++] = bytes[from + i]!;
    }
    return result;
  }

  /**
   * In few words: `float64 2 x 3`.
   *
   * @returns The text.
   */
  summary(): string {
    const shape = this.#shape.length === 0 ? "()" : this.#shape.join(" x ");
    return `${this.#dtype} ${shape}`;
  }

  /**
   * Class, dtype and shape.
   *
   * @returns The text.
   */
  toString(): string {
    return `${this.class.name}(${this.summary()})`;
  }

  /**
   * What `JSON.stringify` writes: the nested arrays.
   *
   * @returns Arrays.
   */
  toJSON(): unknown {
    return this.toArray();
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A tuple of a record with objects, by its fields' names. */
function recordOf(dtype: DType, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const record = {};
  dtype.names!.forEach((name, i) => setOwn(record, [name, value[i]]));
  return record;
}

function* placesOf(array: NdArray): Generator<number, undefined> {
  const { shape, strides, size } = array;
  if (size === 0) return;
  const index = new Array<number>(shape.length).fill(0);
  let place = 0;
  for (;;) {
    yield place;
    let dim = shape.length - 1;
    for (; dim >= 0; dim--) {
      place += strides[dim]!;
      if (++index[dim]! < shape[dim]!) break;
      place -= strides[dim]! * shape[dim]!;
      index[dim] = 0;
    }
    if (dim < 0) return;
  }
}

/** More values than this only where there are bytes behind them. */
const FREE_VALUES = 1_000_000;

/** A shape with a zero, or elements without bytes, may promise anything. */
function checkSpread(array: NdArray): void {
  const { shape, dtype } = array;
  let arrays = 1n;
  for (const size of shape.slice(0, -1)) arrays *= BigInt(size || 1);
  const values = countOf(shape) * BigInt(leafCount(dtype));
  const most = BigInt(
    Math.max(
      FREE_VALUES,
      dtype.hasObjects ? array.size * leafCount(dtype) : array.bytes.length,
    ),
  );
  if (arrays > most || values > most) {
    throw new LimitError("values", Number(most));
  }
}

function nest(array: NdArray, get: (place: number) => unknown): unknown {
  checkSpread(array);
  const { shape, strides } = array;
  if (shape.length === 0) return get(0);
  const build = (dim: number, from: number): unknown[] => {
    const length = shape[dim]!;
    const stride = strides[dim]!;
    const row = new Array<unknown>(length);
    if (dim === shape.length - 1) {
      for (let i = 0; i < length; i++) row[i] = get(from + i * stride);
    } else {
      for (let i = 0; i < length; i++) {
        row[i] = build(dim + 1, from + i * stride);
      }
    }
    return row;
  };
  return build(0, 0);
}

/**
 * A value of an array for plain JSON, where 1.0 stays 1.0.
 *
 * @param dtype What it is an element of.
 * @param value The value.
 * @returns A Float where a number of a float dtype is whole.
 */
export function plainElement(dtype: DType, value: unknown): unknown {
  if (
    dtype.kind === "f" && typeof value === "number" && Number.isInteger(value)
  ) {
    return new Float(value);
  }
  if (dtype.fields !== undefined && !dtype.hasObjects) {
    const record = {};
    for (const [name, field] of dtype.fields) {
      setOwn(record, [
        name,
        plainElement(field.dtype, (value as Record<string, unknown>)[name]),
      ]);
    }
    return record;
  }
  if (dtype.base !== undefined && Array.isArray(value)) {
    const { base } = dtype;
    const convert = (item: unknown): unknown =>
      Array.isArray(item) ? item.map(convert) : plainElement(base, item);
    return convert(value);
  }
  return value;
}

/**
 * A numpy array of which some elements are masked.
 *
 * @example Read one
 * ```ts
 * import { MaskedArray } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const array = new MaskedArray(new Int32Array([1, 2]), { mask: [true, false] });
 * assertEquals(array.toArray(), [null, 2]);
 * ```
 */
export class MaskedArray extends NdArray {
  /**
   * Makes one.
   *
   * @param data The elements.
   * @param options As for an NdArray, and `mask`: which elements are hidden, in
   * the order of `data`; `fillValue`: what stands for them.
   */
  constructor(
    data: NdArrayData,
    options: NdArrayOptions & {
      mask?: ArrayLike<boolean | number>;
      fillValue?: NdArray | null;
    } = {},
  ) {
    super(data, options);
    const mask = new Uint8Array(this.size);
    for (let i = 0; i < mask.length; i++) mask[i] = options.mask?.[i] ? 1 : 0;
    const origin = originOf(this);
    origin.class = new Global("numpy.ma.core", "MaskedArray");
    origin.tail = [mask, options.fillValue ?? null];
  }

  /**
   * One byte for each element, in the order of `data`: 1 where it is hidden.
   * Of a record, one for each field.
   */
  get mask(): Uint8Array {
    const mask = originOf(this).tail?.[0];
    return mask instanceof Uint8Array ? mask : new Uint8Array(0);
  }

  /** Which elements are hidden, as an array of bool; of a record, of records. */
  get maskArray(): NdArray {
    const { shape, order, dtype, mask } = this;
    const { names } = dtype;
    const isRecord = names !== undefined &&
      mask.length === this.size * names.length;
    return new NdArray(mask, {
      shape,
      dtype: isRecord
        ? DType.struct(names.map((name) => [name, "|b1"]))
        : "|b1",
      order: order === "F" ? "F" : "C",
    });
  }

  /** What stands for hidden elements, or null where it is numpy's choice. */
  get fillValue(): unknown {
    const value = originOf(this).tail?.[1] ?? null;
    return value instanceof NdArray && value.ndim === 0 ? value.get() : value;
  }

  /**
   * The elements as if nothing were hidden.
   *
   * @returns A plain array over the same data.
   */
  unmasked(): NdArray {
    const { shape, dtype } = this;
    const order = this.order === "F" ? "F" : "C";
    return new NdArray(this.data, { shape, dtype, order });
  }

  /**
   * The element at a place in memory.
   *
   * @param place As an index of `data`.
   * @returns The element, or null where it is hidden.
   */
  override at(place: number): unknown {
    const { mask, dtype } = this;
    const { names } = dtype;
    if (names !== undefined && mask.length === this.size * names.length) {
      const value = super.at(place);
      if (typeof value !== "object" || value === null) return value;
      names.forEach((name, i) => {
        if (mask[place * names.length + i]) setOwn(value, [name, null]);
      });
      return value;
    }
    return mask[place] ? null : super.at(place);
  }
}

/**
 * A single value of numpy's, such as `numpy.float64(1.5)`: it counts as the
 * value in arithmetic and JSON, and goes back to numpy as what it was.
 *
 * @example Make one
 * ```ts
 * import { NumpyScalar } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const scalar = NumpyScalar.of(1.5, "float32");
 * assertEquals(scalar.value, 1.5);
 * assertEquals(+scalar + 1, 2.5);
 * ```
 */
export class NumpyScalar {
  /** What it is. */
  readonly dtype: DType;
  #source: unknown;
  #core: string;
  #value: unknown;

  /**
   * Makes one of its bytes.
   *
   * @param dtype What it is.
   * @param source Its bytes in the dtype's order, or the object where the dtype
   * has objects.
   * @param core Where numpy's core is, in a pickle.
   */
  constructor(dtype: DType, source: unknown, core = "numpy.core") {
    useDType(dtype);
    this.dtype = dtype;
    this.#source = source;
    this.#core = core;
  }

  /**
   * Makes one of a number.
   *
   * @param value The number.
   * @param dtype One of the numeric dtypes.
   * @returns The scalar.
   */
  static of(
    value: number | bigint | boolean,
    dtype: DType | string,
  ): NumpyScalar {
    const type = typeof dtype === "string" ? DType.of(dtype) : dtype;
    const { kind, itemsize, byteOrder } = type;
    const bytes = new Uint8Array(itemsize);
    const view = viewOf(bytes);
    const little = byteOrder !== ">";
    if ("fc".includes(kind) && itemsize <= (kind === "c" ? 16 : 8)) {
      const size = kind === "c" ? itemsize / 2 : itemsize;
      if (size === 8) view.setFloat64(0, Number(value), little);
      else if (size === 4) view.setFloat32(0, Number(value), little);
      else view.setUint16(0, halfBits(Number(value)), little);
    } else if ("iubmM".includes(kind)) {
      const bits = BigInt(value);
      for (let i = 0; i < itemsize; i++) {
        bytes[little ? i : itemsize - 1 - i] = Number(
          BigInt.asUintN(8, bits >> BigInt(8 * i)),
        );
      }
    } else {
      throw new TypeError("no number is of that dtype");
    }
    return new NumpyScalar(type, bytes);
  }

  /** The value, as {@linkcode NdArray.get} gives elements. */
  get value(): unknown {
    if (this.#value !== undefined) return this.#value;
    const source = this.#source;
    this.#value = source instanceof Uint8Array && !this.dtype.hasObjects
      ? readElement(this.dtype, viewOf(source), 0)
      : source instanceof NdArray && source.ndim === 0
      ? source.get()
      : source;
    return this.#value;
  }

  /** Its bytes; none of an object. */
  get bytes(): Uint8Array {
    return this.#source instanceof Uint8Array
      ? this.#source
      : new Uint8Array(0);
  }

  /** numpy's name of its type: `float64`, `str_`, `datetime64`. */
  get type(): string {
    switch (this.dtype.kind) {
      case "U":
        return "str_";
      case "S":
        return "bytes_";
      case "V":
        return "void";
      case "M":
        return "datetime64";
      case "m":
        return "timedelta64";
      default:
        return this.dtype.name;
    }
  }

  /**
   * How it is pickled.
   *
   * @returns What numpy's `__reduce__` gives.
   */
  reduce(): Reduced {
    return {
      callable: new Global(`${this.#core}.multiarray`, "scalar"),
      args: [this.dtype, this.#source],
    };
  }

  /**
   * The value where it is a primitive, for arithmetic.
   *
   * @returns A number, bigint, boolean or string; else the scalar itself.
   */
  valueOf(): unknown {
    const { value } = this;
    return typeof value === "object" && value !== null ? this : value;
  }

  /**
   * As Python's `str`.
   *
   * @returns The text.
   */
  toString(): string {
    const { value } = this;
    if (typeof value === "number" && this.dtype.kind === "f") {
      return floatRepr(shortest(value, this.dtype.itemsize));
    }
    if (typeof value === "boolean") return value ? "True" : "False";
    return String(value);
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The value.
   */
  toJSON(): unknown {
    return this.value;
  }
}

/** The number with the fewest digits that is the same in so many bytes. */
function shortest(value: number, size: number): number {
  if (size >= 8 || !Number.isFinite(value)) return value;
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    const near = size === 4 ? Math.fround(short) : float16(halfBits(short));
    if (near === value) return short;
  }
  return value;
}

/** The bits of the float16 nearest to a number, ties to even. */
function halfBits(value: number): number {
  if (HAS_FLOAT16) {
    const half = new Float16(new ArrayBuffer(2), 0, 1) as Float32Array;
    half[0] = value;
    return new Uint16Array(half.buffer)[0]!;
  }
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const scaled = size * 2 ** (10 - exponent);
  let rounded = Math.round(scaled);
  if (rounded - scaled === 0.5 && rounded % 2 === 1) rounded--;
  if (size < 2 ** -14) return sign | rounded;
  return sign | ((exponent + 14) << 10) + rounded;
}

/**
 * Bytes that a pickle may have as text, as Python 2's do.
 *
 * @param value Bytes, or text.
 * @param size How many there must be.
 * @returns The bytes, or undefined.
 */
export function bytesFrom(
  value: unknown,
  size: number,
): Uint8Array | undefined {
  if (value instanceof Uint8Array) {
    return value.length === size ? value : undefined;
  }
  if (typeof value !== "string" || value.length > size) return undefined;
  const utf8 = encodeUtf8(value);
  if (utf8.length === size) return utf8;
  if (value.length !== size) return undefined;
  const latin1 = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0xff) return undefined;
    latin1[i] = code;
  }
  return latin1;
}

/** `numpy.core.multiarray.x` is at `numpy.core`. */
function coreOf(name: string): string {
  return name.charCodeAt(6) === 0x5f ? "numpy._core" : "numpy.core";
}

/**
 * An array over bytes that are already there.
 *
 * @param bytes The elements.
 * @param parts dtype, shape, order; the class, where it is none of numpy's own.
 * @returns The array, or undefined where the bytes are not as many.
 */
export function arrayOver(
  bytes: Uint8Array | unknown[],
  parts: {
    dtype: DType;
    shape: readonly number[];
    order?: "C" | "F";
    class?: Global;
    core?: string;
    readOnly?: boolean;
  },
): NdArray | undefined {
  const { dtype, shape, order = "C" } = parts;
  const isList = Array.isArray(bytes);
  if (isList !== dtype.hasObjects) return undefined;
  const room = sizeOf(shape, isList ? 1 : dtype.itemsize);
  if (room !== bytes.length) return undefined;
  useDType(dtype);
  const array = new NdArray(BLANK);
  fill(array, {
    shape,
    dtype,
    order,
    strides: stridesOf(shape, isList ? "C" : order),
    raw: isList ? undefined : bytes,
    objects: isList ? bytes : undefined,
  });
  const origin = originOf(array);
  origin.fortran = order === "F";
  if (parts.class !== undefined) origin.class = parts.class;
  if (parts.core !== undefined) origin.core = parts.core;
  origin.readOnly = parts.readOnly ?? false;
  return array;
}

/** `_reconstruct(numpy.ndarray, (0,), b'b')`: empty until BUILD. */
function reconstruct(
  args: readonly unknown[],
  name: string,
): NdArray | undefined {
  const [cls, shape] = args;
  if (args.length !== 3 || !(cls instanceof Global)) return undefined;
  if (!Array.isArray(shape) || shape.length !== 1 || shape[0] !== 0) {
    return undefined;
  }
  const array = new NdArray(BLANK);
  const origin = originOf(array);
  origin.class = cls;
  origin.core = coreOf(name);
  origin.filled = false;
  origin.args = args;
  return array;
}

/** BUILD: `(1, shape, dtype, is_fortran, data)`, with two more where masked. */
function build(array: NdArray, state: unknown): boolean {
  const origin = originOf(array);
  if (!Array.isArray(state) || origin.filled) return false;
  const isMasked = array instanceof MaskedArray;
  // A subclass may wrap the array's own state in one of its own.
  if (!isMasked && Array.isArray(state[0]) && state[0].length === 5) {
    if (!buildOwn(array, origin, state[0])) return false;
    origin.around = state;
    return true;
  }
  if (isMasked) {
    if (state.length !== 7 || !buildOwn(array, origin, state.slice(0, 5))) {
      return false;
    }
    const mask = typeof state[5] === "string"
      ? bytesFrom(state[5], array.size)
      : state[5];
    origin.tail = [mask, state[6]];
    return true;
  }
  return buildOwn(array, origin, state);
}

function buildOwn(
  array: NdArray,
  origin: Origin,
  state: readonly unknown[],
): boolean {
  const old = state.length === 4;
  if (!old && state.length !== 5) return false;
  const [dims, dtype, fortran, data] = old ? state : state.slice(1);
  const shape = shapeFrom(dims);
  if (shape === undefined || !(dtype instanceof DType)) return false;
  const isFortran = fortran === true || fortran === 1;
  let raw: Uint8Array | undefined;
  let objects: unknown[] | undefined;
  if (dtype.hasObjects) {
    if (!Array.isArray(data) || sizeOf(shape) !== data.length) return false;
    objects = data;
  } else {
    raw = bytesFrom(data, sizeOf(shape, dtype.itemsize));
    if (raw === undefined) return false;
  }
  useDType(dtype);
  fill(array, {
    shape,
    dtype,
    order: isFortran ? "F" : "C",
    strides: stridesOf(shape, isFortran && raw ? "F" : "C"),
    raw,
    objects,
  });
  origin.filled = true;
  origin.fortran = isFortran;
  origin.buffer = data;
  origin.version = old ? [] : state.slice(0, 1);
  return true;
}

/** `_frombuffer(buffer, dtype, shape, order[, axis_order])`: protocol 5. */
function fromBuffer(
  args: readonly unknown[],
  name: string,
): NdArray | undefined {
  const [buffer, dtype, dims, order, axes] = args;
  const shape = shapeFrom(dims);
  if (args.length < 4 || args.length > 5 || shape === undefined) {
    return undefined;
  }
  const bytes = buffer instanceof Uint8Array
    ? buffer
    : buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : undefined;
  if (bytes === undefined || !(dtype instanceof DType)) return undefined;
  const array = arrayOver(bytes, {
    dtype,
    shape,
    order: order === "F" ? "F" : "C",
    core: coreOf(name),
    readOnly: buffer instanceof Uint8Array && !(buffer instanceof ByteArray),
  });
  if (array === undefined) return undefined;
  originOf(array).buffer = buffer;
  if (order === "K") {
    const axisOrder = shapeFrom(axes);
    if (axisOrder === undefined || axisOrder.length !== shape.length) {
      return undefined;
    }
    if (new Set(axisOrder).size !== shape.length) return undefined;
    if (axisOrder.some((axis) => axis >= shape.length)) return undefined;
    const strides = array.strides;
    fill(array, {
      dtype,
      shape: axisOrder.map((axis) => shape[axis]!),
      strides: axisOrder.map((axis) => strides[axis]!),
      order: "K",
      raw: bytes,
    });
    originOf(array).axisOrder = axisOrder;
  } else if (order !== "C" && order !== "F") {
    return undefined;
  }
  return array;
}

/** Whether Python's buffer protocol carries such elements. */
function hasBuffer(dtype: DType): boolean {
  if ("MmOT".includes(dtype.kind) || dtype.itemsize === 0) return false;
  if (dtype.base !== undefined) return hasBuffer(dtype.base);
  if (dtype.fields === undefined) return true;
  return [...dtype.fields.values()].every(({ dtype }) => hasBuffer(dtype));
}

const MARECONSTRUCT = new Global("numpy.ma.core", "_mareconstruct");
const CODE = new Uint8Array([0x62]);

/** The data as it came where it still is that, so that sharing is kept. */
function dataOf(array: NdArray, origin: Origin): unknown {
  if (array.dtype.hasObjects) return array.data;
  const bytes = array.order === "K" ? array.toBytes() : array.bytes;
  const { buffer } = origin;
  return buffer instanceof Uint8Array && !(buffer instanceof ByteArray) &&
      buffer.buffer === bytes.buffer && buffer.byteOffset === bytes.byteOffset
    ? buffer
    : bytes instanceof ByteArray
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : bytes;
}

function ownState(array: NdArray, origin: Origin): unknown[] {
  return [
    ...(origin.version ?? [1]),
    Tuple.from(array.shape),
    array.dtype,
    array.order === "F" || (array.dtype.hasObjects && origin.fortran),
    dataOf(array, origin),
  ];
}

function reduceArray(array: NdArray, protocol: number): Reduced {
  const origin = originOf(array);
  const plain = String(origin.class) === "numpy.ndarray";
  if (origin.filled && protocol >= 5 && plain && hasBuffer(array.dtype)) {
    return reduceBuffer(array, origin);
  }
  const callable = new Global(`${origin.core}.multiarray`, "_reconstruct");
  const args = origin.args ?? [origin.class, Tuple.of(0), CODE];
  if (!origin.filled) {
    const state = attributesOf(array);
    return state === undefined ? { callable, args } : { callable, args, state };
  }
  const state = Tuple.from(ownState(array, origin));
  return {
    callable,
    args,
    state: origin.around === undefined
      ? state
      : Tuple.from([state, ...origin.around.slice(1)]),
  };
}

function reduceBuffer(array: NdArray, origin: Origin): Reduced {
  const callable = new Global(`${origin.core}.numeric`, "_frombuffer");
  const { buffer } = origin;
  const bytes = array.bytes;
  const same = ArrayBuffer.isView(buffer) && buffer.buffer === bytes.buffer &&
    buffer.byteOffset === bytes.byteOffset;
  const data = same && !origin.readOnly && !(buffer instanceof ByteArray) ||
      !same && !origin.readOnly
    ? new ByteArray(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
    : same
    ? buffer
    : bytes;
  if (array.order === "K") {
    const axes = origin.axisOrder!;
    const shape = new Array<number>(axes.length);
    axes.forEach((axis, i) => shape[axis] = array.shape[i]!);
    return {
      callable,
      args: [
        data,
        array.dtype,
        Tuple.from(shape),
        "K",
        Tuple.from(axes),
      ],
    };
  }
  return {
    callable,
    args: [data, array.dtype, Tuple.from(array.shape), array.order],
  };
}

function reduceMasked(array: MaskedArray): Reduced {
  const origin = originOf(array);
  const callable = origin.callable ?? MARECONSTRUCT;
  const args = origin.args ?? [origin.class, NDARRAY, Tuple.of(0), "b"];
  if (!origin.filled) return { callable, args, state: attributesOf(array) };
  return {
    callable,
    args,
    state: Tuple.from([...ownState(array, origin), ...origin.tail ?? []]),
  };
}

function makeMasked(
  args: readonly unknown[],
  name: string,
): MaskedArray | undefined {
  const [cls, base, shape] = args;
  if (args.length !== 4 || !(cls instanceof Global)) return undefined;
  if (!(base instanceof Global) || !Array.isArray(shape)) return undefined;
  const array = new MaskedArray(BLANK);
  const origin = originOf(array);
  origin.class = cls;
  origin.callable = globalOf(name);
  origin.args = args;
  origin.filled = false;
  return array;
}

function makeScalar(
  args: readonly unknown[],
  name: string,
): NumpyScalar | undefined {
  const [dtype, source] = args;
  if (!(dtype instanceof DType) || args.length !== 2) return undefined;
  if (dtype.hasObjects) return new NumpyScalar(dtype, source, coreOf(name));
  const bytes = bytesFrom(source, dtype.itemsize);
  return bytes && new NumpyScalar(dtype, bytes, coreOf(name));
}

register(
  {
    names: [
      "numpy.core.multiarray._reconstruct",
      "numpy._core.multiarray._reconstruct",
    ],
    make: (args, { name }) => reconstruct(args, name),
    build,
    borrows: true,
    class: NdArray,
    reduce: (array: NdArray, { protocol }) => reduceArray(array, protocol),
    toPlain: (array: NdArray) =>
      nest(array, (place) => plainElement(array.dtype, array.at(place))),
  },
  {
    names: [
      "numpy.core.numeric._frombuffer",
      "numpy._core.numeric._frombuffer",
    ],
    make: (args, { name }) => fromBuffer(args, name),
    borrows: true,
  },
  {
    names: [
      "numpy.ma.core._mareconstruct",
      "numpy.ma.mrecords._mrreconstruct",
    ],
    make: (args, { name }) => makeMasked(args, name),
    build,
    borrows: true,
    class: MaskedArray,
    reduce: reduceMasked,
    toPlain: (array: MaskedArray) =>
      nest(array, (place) => {
        const value = array.at(place);
        return value === null ? null : plainElement(array.dtype, value);
      }),
  },
  {
    names: [
      "numpy.core.multiarray.scalar",
      "numpy._core.multiarray.scalar",
    ],
    make: (args, { name }) => makeScalar(args, name),
    class: NumpyScalar,
    reduce: (scalar: NumpyScalar) => scalar.reduce(),
    toPlain: (scalar: NumpyScalar) => plainElement(scalar.dtype, scalar.value),
  },
  {
    names: [],
    class: Datetime64,
    reduce: (time: Datetime64) => reduceTime(time, "M"),
    toPlain: (time: Datetime64) => time.toJSON(),
  },
  {
    names: [],
    class: Timedelta64,
    reduce: (span: Timedelta64) => reduceTime(span, "m"),
    toPlain: (span: Timedelta64) => span.toJSON(),
  },
);

/** numpy's `masked`: an element that is hidden, taken out of its array. */
class MaskedConstant extends PyObject {
  override toJSON(): null {
    return null;
  }
}

register(
  inertType(["numpy.ma.core.MaskedConstant"], MaskedConstant),
  { names: [], class: MaskedConstant, toPlain: () => null },
);

function reduceTime(
  { ticks, unit, count }: Datetime64 | Timedelta64,
  kind: string,
): Reduced {
  const suffix = unit === "generic" ? "" : `[${count}${unit}]`;
  return NumpyScalar.of(ticks, `<${kind}8${suffix}`).reduce();
}

setKeyKind(NumpyScalar.prototype, {
  kind: "value",
  key: (scalar: NumpyScalar) => {
    const { value } = scalar;
    if (typeof value === "number" || typeof value === "bigint") return value;
    if (typeof value === "boolean") return value ? 1 : 0;
    return `npscalar ${scalar.dtype.str} ${scalar.bytes.join()}`;
  },
});
setKeyKind(NdArray.prototype, { kind: "unhashable", type: "numpy.ndarray" });

setInspect(
  NdArray.prototype,
  (array, inspect) =>
    `${array.constructor.name}(${array.summary()}) ${inspect(array.data)}`,
);
setInspect(
  NumpyScalar.prototype,
  (scalar, inspect) => `NumpyScalar(${scalar.dtype}) ${inspect(scalar.value)}`,
);
