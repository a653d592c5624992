/**
 * numpy's dtypes: what the elements of an array are.
 *
 * @module
 */

import { Complex } from "./complex.ts";
import {
  entriesOf,
  normalInt,
  setOwn,
  shortText,
  toCount,
  toInteger,
} from "./fields.ts";
import {
  Datetime64,
  isTimeUnit,
  Timedelta64,
  type TimeStep,
} from "./numpy_time.ts";
import { Global } from "./object.ts";
import { register } from "./registry.ts";
import { Tuple } from "./tuple.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";

/**
 * What kind a dtype is, by numpy's letter: bool `b`, int `i`, unsigned `u`,
 * float `f`, complex `c`, timedelta `m`, datetime `M`, object `O`, bytes `S`,
 * text `U`, void or structured `V`, text of any length `T`.
 */
export type DTypeKind =
  | "b"
  | "i"
  | "u"
  | "f"
  | "c"
  | "m"
  | "M"
  | "O"
  | "S"
  | "U"
  | "V"
  | "T";

/** A field of a structured dtype. */
export interface DTypeField {
  /** What it holds. */
  readonly dtype: DType;
  /** Where it is in the element, in bytes. */
  readonly offset: number;
  /** Its title, where it has one. */
  readonly title?: unknown;
}

/** Nested deeper, a dtype is refused: nobody's is. */
const MAX_DEPTH = 64;
/** More fields in all, a dtype is refused. */
const MAX_LEAVES = 1 << 20;

const SIZES: Record<string, readonly number[]> = {
  b: [1],
  i: [1, 2, 4, 8],
  u: [1, 2, 4, 8],
  f: [2, 4, 8, 12, 16],
  c: [8, 16, 24, 32],
  m: [8],
  M: [8],
  O: [4, 8],
};

const NAMES = new Map<string, string>(Object.entries({
  bool: "b1",
  int8: "i1",
  int16: "i2",
  int32: "i4",
  int64: "i8",
  uint8: "u1",
  uint16: "u2",
  uint32: "u4",
  uint64: "u8",
  float16: "f2",
  float32: "f4",
  float64: "f8",
  longdouble: "f16",
  complex64: "c8",
  complex128: "c16",
  object: "O8",
  "?": "b1",
  O: "O8",
  int: "i8",
  float: "f8",
  complex: "c16",
  str: "U0",
  bytes: "S0",
  void: "V0",
}));

const NUMPY_NAMES: Record<string, string> = {
  b1: "bool",
  f16: "longdouble",
  f12: "longdouble",
  c32: "clongdouble",
  c24: "clongdouble",
};

interface Layout {
  kind: DTypeKind;
  itemsize: number;
  byteOrder: "<" | ">" | "|";
  step: TimeStep;
  names: readonly string[] | undefined;
  fields: ReadonlyMap<string, DTypeField> | undefined;
  base: DType | undefined;
  shape: readonly number[];
  metadata: unknown;
  aligned: boolean;
  depth: number;
  leaves: number;
  /** Found when it is first asked. */
  objects: boolean | undefined;
}

interface Origin {
  callable: Global;
  args: readonly unknown[];
  state: unknown;
}

let make: (layout: Layout, origin: Origin) => DType;
let buildOf: (dtype: DType, state: unknown) => boolean;
let originOf: (dtype: DType) => Origin;
let leavesOf: (dtype: DType) => number;
let depthOf: (dtype: DType) => number;
let freeze: (dtype: DType) => void;

/**
 * What the elements of a numpy array are.
 *
 * @example Look at one
 * ```ts
 * import { DType } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const dtype = DType.of(">i4");
 * assertEquals(dtype.name, "int32");
 * assertEquals(dtype.itemsize, 4);
 * assertEquals(dtype.byteOrder, ">");
 * ```
 */
export class DType {
  #layout: Layout;
  #origin: Origin;
  /** In use, so that no later BUILD may change it. */
  #frozen = false;

  private constructor(layout: Layout, origin: Origin) {
    this.#layout = layout;
    this.#origin = origin;
  }

  static {
    make = (layout, origin) => new DType(layout, origin);
    buildOf = (dtype, state) => {
      if (dtype.#frozen) return false;
      const layout = layoutFrom(dtype, dtype.#layout, state);
      if (layout === undefined) return false;
      dtype.#layout = layout;
      dtype.#origin.state = state;
      dtype.#frozen = true;
      return true;
    };
    originOf = (dtype) => dtype.#origin;
    leavesOf = (dtype) => dtype.#layout.leaves;
    depthOf = (dtype) => dtype.#layout.depth;
    freeze = (dtype) => {
      dtype.#frozen = true;
    };
  }

  /**
   * The dtype of a name.
   *
   * @param name As numpy has it: `<f8`, `float64`, `S5`, `M8[ns]`.
   * @returns The dtype.
   * @throws {TypeError} If there is none of that name.
   */
  static of(name: string): DType {
    const known = cache.get(name);
    if (known !== undefined) return known;
    const dtype = fromText(name);
    if (dtype === undefined) throw new TypeError("no dtype has that name");
    if (cache.size < 256) cache.set(name, dtype);
    return dtype;
  }

  /**
   * A structured dtype.
   *
   * @param fields Name, dtype and, where it has one, shape of each field.
   * @returns The dtype, packed as numpy does without `align`.
   */
  static struct(
    fields:
      readonly (readonly [string, DType | string, (readonly number[])?])[],
  ): DType {
    let offset = 0;
    const placed: [string, DType, number][] = [];
    for (const [name, dtype, shape] of fields) {
      const base = typeof dtype === "string" ? DType.of(dtype) : dtype;
      const full = shape && shape.length > 0 ? subArray(base, shape) : base;
      if (name !== "") placed.push([name, full, offset]);
      offset += full.itemsize;
    }
    return placeFields(placed, offset);
  }

  /** Its kind, by numpy's letter. */
  get kind(): DTypeKind {
    return this.#layout.kind;
  }

  /** Bytes of one element. */
  get itemsize(): number {
    return this.#layout.itemsize;
  }

  /** `<` little-endian, `>` big-endian, `|` where it makes no difference. */
  get byteOrder(): "<" | ">" | "|" {
    return this.#layout.byteOrder;
  }

  /** Unit of a datetime64 or timedelta64. */
  get unit(): TimeStep["unit"] {
    return this.#layout.step.unit;
  }

  /** Unit and count of a datetime64 or timedelta64. */
  get step(): TimeStep {
    return this.#layout.step;
  }

  /** Names of the fields, in order; undefined where it is not structured. */
  get names(): readonly string[] | undefined {
    return this.#layout.names;
  }

  /** The fields by name; undefined where it is not structured. */
  get fields(): ReadonlyMap<string, DTypeField> | undefined {
    return this.#layout.fields;
  }

  /** What a sub-array is made of; undefined where it is none. */
  get base(): DType | undefined {
    return this.#layout.base;
  }

  /** Shape of a sub-array. */
  get shape(): readonly number[] {
    return this.#layout.shape;
  }

  /** What the user attached, if anything. */
  get metadata(): unknown {
    return this.#layout.metadata;
  }

  /** Whether the fields are placed as a C compiler would. */
  get isAligned(): boolean {
    return this.#layout.aligned;
  }

  /** Whether elements are Python objects, or have some within. */
  get hasObjects(): boolean {
    return this.#layout.objects ??= this.#findObjects();
  }

  #findObjects(): boolean {
    const { kind, fields, base } = this.#layout;
    if (kind === "O" || kind === "T") return true;
    if (base !== undefined) return base.hasObjects;
    if (fields === undefined) return false;
    for (const field of fields.values()) {
      if (field.dtype.hasObjects) return true;
    }
    return false;
  }

  /** numpy's short form: `<f8`, `|S3`, `<M8[ns]`, `|V12`. */
  get str(): string {
    const { kind, itemsize, byteOrder, step } = this.#layout;
    if (kind === "T") return stringDTypeText(this.#origin.args);
    if (kind === "O") return "|O";
    const size = kind === "U" ? itemsize / 4 : itemsize;
    const unit = (kind === "M" || kind === "m") && step.unit !== "generic"
      ? `[${step.count === 1 ? "" : step.count}${step.unit}]`
      : "";
    return `${byteOrder}${kind}${size}${unit}`;
  }

  /** numpy's name: `float64`, `bytes24`, `datetime64[ns]`. */
  get name(): string {
    const { kind, itemsize, step } = this.#layout;
    const unit = step.unit === "generic"
      ? ""
      : `[${step.count === 1 ? "" : step.count}${step.unit}]`;
    switch (kind) {
      case "O":
        return "object";
      case "T":
        return this.str;
      case "M":
        return `datetime64${unit}`;
      case "m":
        return `timedelta64${unit}`;
      case "S":
        return `bytes${itemsize * 8}`;
      case "U":
        return `str${itemsize * 8}`;
      case "V":
        return this.names && isRecord(this.#origin)
          ? `record${itemsize * 8}`
          : `void${itemsize * 8}`;
    }
    const short = `${kind}${itemsize}`;
    const known = NUMPY_NAMES[short];
    if (known !== undefined) return known;
    const words = { b: "bool", i: "int", u: "uint", f: "float", c: "complex" };
    return `${words[kind]}${itemsize * 8}`;
  }

  /**
   * As numpy's `str`: the name, or the fields of a structured one.
   *
   * @returns The text.
   */
  toString(): string {
    const { kind, names, fields, base, shape, byteOrder } = this.#layout;
    if (base !== undefined) {
      return `('${base.str}', (${shape.join(", ")}${
        shape.length === 1 ? "," : ""
      }))`;
    }
    if (names === undefined || fields === undefined) {
      return "OTSUV".includes(kind) || byteOrder === ">"
        ? (kind === "O" ? "object" : this.str)
        : this.name;
    }
    const parts = names.map((name) => {
      const { dtype } = fields.get(name)!;
      const what = dtype.base ?? dtype;
      const text = what.names
        ? String(what)
        : `'${what.kind === "O" ? "O" : what.str}'`;
      return dtype.base
        ? `('${name}', ${text}, (${dtype.shape.join(", ")},))`
        : `('${name}', ${text})`;
    });
    return `[${parts.join(", ")}]`;
  }

  /**
   * What `JSON.stringify` writes: numpy's text.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.toString();
  }
}

const cache = new Map<string, DType>();

function isRecord(origin: Origin): boolean {
  const [type] = origin.args;
  return type instanceof Global && type.name === "record";
}

/** As numpy prints it: `StringDType(na_object=nan)`. */
function stringDTypeText([coerce, missing]: readonly unknown[]): string {
  const parts: string[] = [];
  if (missing !== undefined) {
    const quoted = typeof missing === "string" ? `'${missing}'` : undefined;
    parts.push(`na_object=${quoted ?? shortText(missing)}`);
  }
  if (coerce === false || coerce === 0) parts.push("coerce=False");
  return `StringDType(${parts.join(", ")})`;
}

const NO_STEP: TimeStep = { unit: "generic", count: 1 };

function simple(
  kind: DTypeKind,
  itemsize: number,
  byteOrder: "<" | ">" | "|",
): Layout {
  return {
    kind,
    itemsize,
    byteOrder,
    step: NO_STEP,
    names: undefined,
    fields: undefined,
    base: undefined,
    shape: [],
    metadata: undefined,
    aligned: false,
    depth: 1,
    leaves: 1,
    objects: undefined,
  };
}

/** Whether the order of bytes makes a difference. */
function hasOrder(kind: DTypeKind, itemsize: number): boolean {
  return kind === "U" || itemsize > 1 && "iufcmM".includes(kind);
}

/** `<f8`, `M8[ns]`, `float64` …; undefined for anything else. */
function fromText(text: string): DType | undefined {
  const found =
    /^([<>|=]?)([biufcmMOSUVa])(\d{0,10})(?:\[(\d{0,9})([a-zA-Z]{1,2})\])?$/
      .exec(NAMES.get(text) ?? text);
  if (found === null) {
    const time = /^(datetime|timedelta)64(\[.*\])?$/.exec(text);
    if (time === null) return undefined;
    return fromText(
      `${time[1] === "datetime" ? "M" : "m"}8${time[2] ?? ""}`,
    );
  }
  const [, order, letter, digits, count, unit] = found;
  const kind = (letter === "a" ? "S" : letter) as DTypeKind;
  const number = digits === "" ? (kind === "O" ? 8 : 0) : Number(digits);
  const itemsize = kind === "U" ? number * 4 : number;
  if (!Number.isSafeInteger(itemsize)) return undefined;
  const sizes = SIZES[kind];
  if (sizes !== undefined && !sizes.includes(itemsize)) return undefined;
  const byteOrder = !hasOrder(kind, itemsize) ? "|" : order === ">" ? ">" : "<";
  const layout = simple(kind, itemsize, byteOrder);
  if (unit !== undefined) {
    if (!isTimeUnit(unit) || (kind !== "M" && kind !== "m")) return undefined;
    layout.step = { unit, count: count ? Number(count) : 1 };
  }
  return make(layout, {
    callable: NUMPY_DTYPE,
    args: [`${kind}${number}`, false, true],
    state: stateOf(layout),
  });
}

const NUMPY_DTYPE = new Global("numpy", "dtype");
const encoder = new TextEncoder();

/** What numpy's `dtype.__reduce__` gives for a dtype without fields. */
function stateOf(layout: Layout): Tuple {
  const { kind, itemsize, byteOrder, step } = layout;
  const sized = "SUV".includes(kind);
  const flags = kind === "O" ? 63 : kind === "U" ? 8 : 0;
  const state: unknown[] = [
    3,
    byteOrder,
    null,
    null,
    null,
    sized ? itemsize : -1,
    sized ? (kind === "U" ? 4 : 1) : -1,
    flags,
  ];
  if (kind === "M" || kind === "m") {
    state[0] = 4;
    state.push(
      Tuple.of<unknown>(
        {},
        Tuple.of<unknown>(encoder.encode(step.unit), step.count, 1, 1),
      ),
    );
  }
  return Tuple.from(state) as Tuple;
}

/** A dtype of several of another. */
function subArray(base: DType, shape: readonly number[]): DType {
  const count = shape.reduce((a, b) => a * b, 1);
  const itemsize = base.itemsize * count;
  freeze(base);
  const layout: Layout = {
    ...simple("V", itemsize, "|"),
    base,
    shape: [...shape],
    depth: depthOf(base) + 1,
    leaves: leavesOf(base) * count,
  };
  return make(layout, {
    callable: NUMPY_DTYPE,
    args: [`V${itemsize}`, false, true],
    state: Tuple.of<unknown>(
      3,
      "|",
      Tuple.of<unknown>(base, Tuple.from(shape)),
      null,
      null,
      itemsize,
      1,
      base.hasObjects ? 27 : 0,
    ),
  });
}

/**
 * A dtype of several of another.
 *
 * @param base What it is made of.
 * @param shape How many, in each dimension.
 * @returns The dtype, or undefined where it would be too large.
 */
export function subArrayOf(
  base: DType,
  shape: readonly number[],
): DType | undefined {
  let count = 1n;
  for (const size of shape) count *= BigInt(size);
  const leaves = count * BigInt(leavesOf(base));
  if (
    leaves > BigInt(MAX_LEAVES) ||
    count * BigInt(base.itemsize) > BigInt(Number.MAX_SAFE_INTEGER)
  ) return undefined;
  return subArray(base, shape);
}

/**
 * A structured dtype whose fields have their places.
 *
 * @param placed Name, dtype and offset of each field.
 * @param itemsize Bytes of an element.
 * @returns The dtype.
 */
export function placeFields(
  placed: readonly (readonly [string, DType, number])[],
  itemsize: number,
): DType {
  const fields = new Map<string, DTypeField>();
  const state = {};
  let objects = false;
  let leaves = 0;
  let depth = 0;
  for (const [name, dtype, offset] of placed) {
    freeze(dtype);
    fields.set(name, { dtype, offset });
    setOwn(state, [name, Tuple.of<unknown>(dtype, offset)]);
    objects ||= dtype.hasObjects;
    leaves += leavesOf(dtype);
    depth = Math.max(depth, depthOf(dtype));
  }
  const names = placed.map(([name]) => name);
  const layout: Layout = {
    ...simple("V", itemsize, "|"),
    names,
    fields,
    leaves,
    depth: depth + 1,
  };
  return make(layout, {
    callable: NUMPY_DTYPE,
    args: [`V${itemsize}`, false, true],
    state: Tuple.of<unknown>(
      3,
      "|",
      null,
      Tuple.from(names),
      state,
      itemsize,
      1,
      objects ? 27 : 16,
    ),
  });
}

/** Text that may have come as bytes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return decodeUtf8(value);
  } catch {
    return undefined;
  }
}

/** `(b'ns', 1, 1, 1)`: unit, count, divisor, event. */
function stepFrom(value: unknown): TimeStep | undefined {
  if (!Array.isArray(value)) return undefined;
  const unit = textOf(value[0]);
  const count = toCount(value[1]);
  return isTimeUnit(unit) && count !== undefined ? { unit, count } : undefined;
}

/**
 * What BUILD makes of a dtype: `(version, byteorder, subarray, names, fields,
 * itemsize, alignment, flags[, metadata])`.
 */
function layoutFrom(
  self: DType,
  old: Layout,
  state: unknown,
): Layout | undefined {
  if (!Array.isArray(state) || state.length < 8 || state.length > 9) {
    return undefined;
  }
  const order = textOf(state[1]);
  if (order === undefined || !"<>|=".includes(order) || order.length !== 1) {
    return undefined;
  }
  const itemsize = toInteger(state[5]);
  const flags = toInteger(state[7]);
  if (itemsize === undefined || flags === undefined) return undefined;
  const layout: Layout = {
    ...old,
    aligned: (flags & 128) !== 0,
    objects: undefined,
  };
  if (hasOrder(old.kind, old.itemsize) || old.kind === "U") {
    layout.byteOrder = order === ">" ? ">" : "<";
  }
  if (itemsize >= 0) {
    const fixed = SIZES[old.kind];
    if (fixed !== undefined && !fixed.includes(itemsize)) return undefined;
    if (old.kind === "U" && itemsize % 4 !== 0) return undefined;
    layout.itemsize = itemsize;
  }
  if (state.length === 9 && state[8] !== null) {
    if (layout.kind === "M" || layout.kind === "m") {
      if (!Array.isArray(state[8])) return undefined;
      const step = stepFrom(state[8][1]);
      if (step === undefined) return undefined;
      layout.step = step;
      layout.metadata = state[8][0] ?? undefined;
    } else {
      layout.metadata = state[8];
    }
  }
  if (state[2] !== null) return withBase(self, layout, state[2]);
  if (state[3] !== null) return withFields(self, layout, state);
  return layout;
}

function withBase(
  self: DType,
  layout: Layout,
  subarray: unknown,
): Layout | undefined {
  if (layout.kind !== "V" || !Array.isArray(subarray)) return undefined;
  const [base, dims] = subarray;
  if (!(base instanceof DType) || base === self) return undefined;
  const shape = shapeFrom(Array.isArray(dims) ? dims : [dims]);
  if (shape === undefined) return undefined;
  let count = 1n;
  for (const size of shape) count *= BigInt(size);
  if (count * BigInt(base.itemsize) !== BigInt(layout.itemsize)) {
    return undefined;
  }
  const leaves = count * BigInt(leavesOf(base));
  if (leaves > BigInt(MAX_LEAVES) || depthOf(base) >= MAX_DEPTH) {
    return undefined;
  }
  freeze(base);
  layout.base = base;
  layout.shape = shape;
  layout.leaves = Number(leaves);
  layout.depth = depthOf(base) + 1;
  return layout;
}

function withFields(
  self: DType,
  layout: Layout,
  state: readonly unknown[],
): Layout | undefined {
  if (layout.kind !== "V" || !Array.isArray(state[3])) return undefined;
  const found = new Map<string, unknown>();
  for (const [key, value] of entriesOf(state[4])) {
    const name = textOf(key);
    if (name !== undefined) found.set(name, value);
  }
  const names: string[] = [];
  const fields = new Map<string, DTypeField>();
  let leaves = 0;
  let depth = 0;
  for (const key of state[3]) {
    const name = textOf(key);
    if (name === undefined || fields.has(name)) return undefined;
    const parts = found.get(name);
    if (!Array.isArray(parts) || parts.length < 2) return undefined;
    const [dtype, place, title] = parts;
    const offset = toCount(place);
    if (!(dtype instanceof DType) || dtype === self || offset === undefined) {
      return undefined;
    }
    if (offset + dtype.itemsize > layout.itemsize) return undefined;
    freeze(dtype);
    leaves += leavesOf(dtype);
    depth = Math.max(depth, depthOf(dtype));
    names.push(name);
    fields.set(
      name,
      parts.length > 2 ? { dtype, offset, title } : { dtype, offset },
    );
  }
  if (leaves > MAX_LEAVES || depth >= MAX_DEPTH) return undefined;
  layout.names = names;
  layout.fields = fields;
  layout.leaves = leaves;
  layout.depth = depth + 1;
  return layout;
}

/**
 * A shape.
 *
 * @param value What a pickle says it is.
 * @returns Its dimensions; undefined where it is no shape of numpy's.
 */
export function shapeFrom(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length > 64) return undefined;
  const shape: number[] = [];
  for (const item of value) {
    const size = toCount(item);
    if (size === undefined) return undefined;
    shape.push(size);
  }
  return shape;
}

/**
 * How many values one element gives.
 *
 * @param dtype The dtype.
 * @returns 1, or the number of fields in all.
 */
export function leafCount(dtype: DType): number {
  return leavesOf(dtype);
}

/**
 * Marks a dtype as in use: no later BUILD changes it.
 *
 * @param dtype The dtype.
 */
export function useDType(dtype: DType): void {
  freeze(dtype);
}

/** x87's 80 bits. */
function readLongDouble(view: DataView, at: number, little: boolean): number {
  const base = little ? at : at + (view.byteLength - at >= 16 ? 6 : 0);
  const high = view.getUint16(little ? at + 8 : base, little);
  const mantissa = view.getBigUint64(little ? at : base + 2, little);
  const exponent = high & 0x7fff;
  const sign = high & 0x8000 ? -1 : 1;
  if (exponent === 0x7fff) {
    return mantissa << 1n & 0xffff_ffff_ffff_ffffn ? NaN : sign * Infinity;
  }
  if (mantissa === 0n) return sign * 0;
  const power = exponent - 16383 - 63;
  const number = Number(mantissa);
  // In two steps where one power of two would underflow.
  return power < -1000
    ? sign * number * 2 ** -1000 * 2 ** (power + 1000)
    : power > 900
    ? sign * number * 2 ** 900 * 2 ** (power - 900)
    : sign * number * 2 ** power;
}

/**
 * A number of 16 bits, as IEEE 754 has it.
 *
 * @param bits The bits.
 * @returns The number.
 */
export function float16(bits: number): number {
  const exponent = bits >> 10 & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readFloat(
  view: DataView,
  at: number,
  size: number,
  little: boolean,
): number {
  switch (size) {
    case 2:
      return float16(view.getUint16(at, little));
    case 4:
      return view.getFloat32(at, little);
    case 8:
      return view.getFloat64(at, little);
    default:
      return readLongDouble(view, at, little);
  }
}

function readInt(
  view: DataView,
  at: number,
  dtype: DType,
): number | bigint {
  const little = dtype.byteOrder !== ">";
  const signed = dtype.kind === "i";
  switch (dtype.itemsize) {
    case 1:
      return signed ? view.getInt8(at) : view.getUint8(at);
    case 2:
      return signed ? view.getInt16(at, little) : view.getUint16(at, little);
    case 4:
      return signed ? view.getInt32(at, little) : view.getUint32(at, little);
    default:
      return normalInt(
        signed ? view.getBigInt64(at, little) : view.getBigUint64(at, little),
      );
  }
}

/** UTF-32 without the zeros at its end. */
function readText(view: DataView, at: number, dtype: DType): string {
  const little = dtype.byteOrder !== ">";
  let size = dtype.itemsize / 4;
  while (size > 0 && view.getUint32(at + (size - 1) * 4, little) === 0) size--;
  let text = "";
  for (let i = 0; i < size; i++) {
    const code = view.getUint32(at + i * 4, little);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text;
}

/**
 * One element out of an array's bytes.
 *
 * @param dtype What it is; no object.
 * @param view The bytes.
 * @param at Where it is.
 * @returns A number or bigint, boolean, string, bytes, Complex, Datetime64 or
 * Timedelta64; an object of its fields; nested arrays of a sub-array.
 */
export function readElement(
  dtype: DType,
  view: DataView,
  at: number,
): unknown {
  const little = dtype.byteOrder !== ">";
  const size = dtype.itemsize;
  switch (dtype.kind) {
    case "b":
      return view.getUint8(at) !== 0;
    case "i":
    case "u":
      return readInt(view, at, dtype);
    case "f":
      return readFloat(view, at, size, little);
    case "c":
      return new Complex(
        readFloat(view, at, size / 2, little),
        readFloat(view, at + size / 2, size / 2, little),
      );
    case "M":
      return new Datetime64(view.getBigInt64(at, little), dtype.step);
    case "m":
      return new Timedelta64(view.getBigInt64(at, little), dtype.step);
    case "U":
      return readText(view, at, dtype);
    case "S": {
      let end = at + size;
      while (end > at && view.getUint8(end - 1) === 0) end--;
      return new Uint8Array(view.buffer, view.byteOffset + at, end - at)
        .slice();
    }
    case "V":
      return readVoid(dtype, view, at);
    default:
      return null;
  }
}

function readVoid(dtype: DType, view: DataView, at: number): unknown {
  const { base, fields, names } = dtype;
  if (base !== undefined) {
    let place = at;
    const read = (dim: number): unknown => {
      if (dim === dtype.shape.length) {
        const value = readElement(base, view, place);
        place += base.itemsize;
        return value;
      }
      return Array.from({ length: dtype.shape[dim]! }, () => read(dim + 1));
    };
    return read(0);
  }
  if (fields === undefined || names === undefined) {
    return new Uint8Array(
      view.buffer,
      view.byteOffset + at,
      dtype.itemsize,
    ).slice();
  }
  const record = {};
  for (const name of names) {
    const { dtype, offset } = fields.get(name)!;
    setOwn(record, [name, readElement(dtype, view, at + offset)]);
  }
  return record;
}

/** `dtype('f8', False, True)`, `dtype(numpy.record, False, True)`. */
function makeDType(args: readonly unknown[]): DType | undefined {
  const [type] = args;
  if (args.length === 0 || args.length > 4) return undefined;
  const origin = { callable: NUMPY_DTYPE, args, state: undefined };
  if (type instanceof Global) {
    if (type.name === "record" || type.name === "void") {
      return make(simple("V", 0, "|"), origin);
    }
    const known = type.module === "numpy" || type.module === "builtins"
      ? fromText(type.name.replace(/_$/, ""))
      : undefined;
    return known && make(layoutOf(known), origin);
  }
  if (type instanceof DType) return make(layoutOf(type), origin);
  const text = textOf(type);
  const dtype = text === undefined ? undefined : fromText(text);
  return dtype && make(layoutOf(dtype), origin);
}

function layoutOf(dtype: DType): Layout {
  const { kind, itemsize, byteOrder, step, names, fields, base, shape } = dtype;
  return {
    kind,
    itemsize,
    byteOrder,
    step,
    names,
    fields,
    base,
    shape,
    metadata: dtype.metadata,
    aligned: dtype.isAligned,
    depth: depthOf(dtype),
    leaves: leavesOf(dtype),
    objects: undefined,
  };
}

register(
  {
    names: ["numpy.dtype"],
    make: makeDType,
    build: buildOf,
    class: DType as unknown as abstract new (...args: never[]) => DType,
    reduce: (dtype: DType) => {
      const { callable, args, state } = originOf(dtype);
      return state === undefined
        ? { callable, args }
        : { callable, args, state };
    },
    toPlain: String,
  },
  {
    names: [
      "numpy._core._internal._convert_to_stringdtype_kwargs",
      "numpy.core._internal._convert_to_stringdtype_kwargs",
      "numpy.dtypes.StringDType",
    ],
    make: (args, { name }) => {
      const dot = name.lastIndexOf(".");
      return make(simple("T", 16, "|"), {
        callable: new Global(name.slice(0, dot), name.slice(dot + 1)),
        args,
        state: undefined,
      });
    },
  },
);
