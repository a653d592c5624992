/**
 * PyTorch's tensors and storages. A tensor is a view, by strides, of a storage
 * that others may share.
 *
 * @module
 */

import { Complex } from "./complex.ts";
import { normalInt, toCount, toInteger } from "./fields.ts";
import { Float } from "./float.ts";
import { inertType } from "./inert.ts";
import { setInspect } from "./inspect.ts";
import { LimitError } from "./limits.ts";
import { NdArray } from "./numpy.ts";
import { float16 } from "./numpy_dtype.ts";
import { Global, PyObject } from "./object.ts";
import { register } from "./registry.ts";
import { Tuple } from "./tuple.ts";
import { ByteWriter } from "../bytes/byte_writer.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";

/** How elements of a dtype are read. */
interface Element {
  /** PyTorch's name without `torch.`. */
  name: string;
  size: number;
  /** numpy's dtype, where it has one. */
  numpy?: string;
  read: (view: DataView, at: number, little: boolean) => unknown;
}

function float32FromBits(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

/** Eight bits of exponent and mantissa (arXiv 2209.05433). */
function float8(
  bits: number,
  form: { exponent: number; bias: number; finite: "fn" | "fnuz" | "ieee" },
): number {
  const { exponent: width, bias, finite } = form;
  const mantissaWidth = 7 - width;
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = bits >> mantissaWidth & (1 << width) - 1;
  const mantissa = bits & (1 << mantissaWidth) - 1;
  const top = (1 << width) - 1;
  if (finite === "fnuz" && bits === 0x80) return NaN;
  if (finite === "fn" && (bits & 0x7f) === 0x7f) return NaN;
  if (finite === "ieee" && exponent === top) {
    return mantissa ? NaN : sign * Infinity;
  }
  const fraction = mantissa / (1 << mantissaWidth);
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const ELEMENTS: readonly Element[] = [
  {
    name: "float32",
    size: 4,
    numpy: "<f4",
    read: (view, at, little) => view.getFloat32(at, little),
  },
  {
    name: "float64",
    size: 8,
    numpy: "<f8",
    read: (view, at, little) => view.getFloat64(at, little),
  },
  {
    name: "float16",
    size: 2,
    numpy: "<f2",
    read: (view, at, little) => float16(view.getUint16(at, little)),
  },
  {
    name: "bfloat16",
    size: 2,
    read: (view, at, little) =>
      float32FromBits(view.getUint16(at, little) << 16 >>> 0),
  },
  {
    name: "float8_e4m3fn",
    size: 1,
    read: (view, at) =>
      float8(view.getUint8(at), { exponent: 4, bias: 7, finite: "fn" }),
  },
  {
    name: "float8_e4m3fnuz",
    size: 1,
    read: (view, at) =>
      float8(view.getUint8(at), { exponent: 4, bias: 8, finite: "fnuz" }),
  },
  {
    name: "float8_e5m2",
    size: 1,
    read: (view, at) =>
      float8(view.getUint8(at), { exponent: 5, bias: 15, finite: "ieee" }),
  },
  {
    name: "float8_e5m2fnuz",
    size: 1,
    read: (view, at) =>
      float8(view.getUint8(at), { exponent: 5, bias: 16, finite: "fnuz" }),
  },
  {
    name: "float8_e8m0fnu",
    size: 1,
    read: (view, at) => {
      const bits = view.getUint8(at);
      return bits === 0xff ? NaN : 2 ** (bits - 127);
    },
  },
  {
    name: "int8",
    size: 1,
    numpy: "|i1",
    read: (view, at) => view.getInt8(at),
  },
  {
    name: "uint8",
    size: 1,
    numpy: "|u1",
    read: (view, at) => view.getUint8(at),
  },
  {
    name: "int16",
    size: 2,
    numpy: "<i2",
    read: (view, at, little) => view.getInt16(at, little),
  },
  {
    name: "uint16",
    size: 2,
    numpy: "<u2",
    read: (view, at, little) => view.getUint16(at, little),
  },
  {
    name: "int32",
    size: 4,
    numpy: "<i4",
    read: (view, at, little) => view.getInt32(at, little),
  },
  {
    name: "uint32",
    size: 4,
    numpy: "<u4",
    read: (view, at, little) => view.getUint32(at, little),
  },
  {
    name: "int64",
    size: 8,
    numpy: "<i8",
    read: (view, at, little) => normalInt(view.getBigInt64(at, little)),
  },
  {
    name: "uint64",
    size: 8,
    numpy: "<u8",
    read: (view, at, little) => normalInt(view.getBigUint64(at, little)),
  },
  {
    name: "bool",
    size: 1,
    numpy: "|b1",
    read: (view, at) => view.getUint8(at) !== 0,
  },
  {
    name: "complex32",
    size: 4,
    read: (view, at, little) =>
      new Complex(
        float16(view.getUint16(at, little)),
        float16(view.getUint16(at + 2, little)),
      ),
  },
  {
    name: "complex64",
    size: 8,
    numpy: "<c8",
    read: (view, at, little) =>
      new Complex(view.getFloat32(at, little), view.getFloat32(at + 4, little)),
  },
  {
    name: "complex128",
    size: 16,
    numpy: "<c16",
    read: (view, at, little) =>
      new Complex(view.getFloat64(at, little), view.getFloat64(at + 8, little)),
  },
  { name: "quint8", size: 1, read: (view, at) => view.getUint8(at) },
  { name: "qint8", size: 1, read: (view, at) => view.getInt8(at) },
  {
    name: "qint32",
    size: 4,
    read: (view, at, little) => view.getInt32(at, little),
  },
];

const BY_NAME = new Map(ELEMENTS.map((element) => [element.name, element]));

const BY_STORAGE = new Map(Object.entries({
  FloatStorage: "float32",
  DoubleStorage: "float64",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
  ComplexFloatStorage: "complex64",
  ComplexDoubleStorage: "complex128",
  QUInt8Storage: "quint8",
  QInt8Storage: "qint8",
  QInt32Storage: "qint32",
  UntypedStorage: "uint8",
}));

/** Reads a legacy PyTorch file within a pickle; set by who can unpickle. */
let readNested: ((bytes: Uint8Array) => unknown) | undefined;

/**
 * Says how a PyTorch file within a pickle is read.
 *
 * @param read Gives what the file holds; may throw.
 */
export function setNestedReader(
  read: (bytes: Uint8Array) => unknown,
): void {
  readNested = read;
}

/** What is known of a storage. */
export interface TorchStorageParts {
  /** PyTorch's class: `torch.FloatStorage`. */
  type: Global;
  /** Its name within the file. */
  key?: string;
  /** The device it was on: `cpu`, `cuda:0`. */
  location?: string;
  /** How many elements it has. */
  numel?: number;
  /** Its bytes, where they are there. */
  bytes?: Uint8Array | undefined;
  /**
   * How its numbers are ordered.
   *
   * @default {true}
   */
  littleEndian?: boolean;
}

/**
 * A storage of PyTorch's: the elements beneath one tensor or several.
 *
 * @example Read its elements
 * ```ts
 * import { Global, TorchStorage } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = new TorchStorage({
 *   type: new Global("torch", "ShortStorage"),
 *   numel: 2,
 *   bytes: new Uint8Array([1, 0, 2, 0]),
 * });
 * assertEquals(storage.toArray(), [1, 2]);
 * ```
 */
export class TorchStorage {
  /** The legacy file that it is, in a pickle. */
  readonly #file: Uint8Array | undefined;
  #parts: TorchStorageParts | undefined;

  /**
   * Makes one.
   *
   * @param source What is known of it, or the legacy file that holds it.
   */
  constructor(source: TorchStorageParts | Uint8Array) {
    if (source instanceof Uint8Array) this.#file = source;
    else this.#parts = source;
  }

  #read(): TorchStorageParts {
    if (this.#parts !== undefined) return this.#parts;
    let found: unknown;
    try {
      found = readNested?.(this.#file!);
    } catch {
      // What is no PyTorch file goes back as it came.
    }
    return this.#parts = found instanceof TorchStorage &&
        found.#parts !== undefined
      ? found.#parts
      : { type: new Global("torch", "UntypedStorage") };
  }

  /** PyTorch's class: `torch.FloatStorage`. */
  get type(): Global {
    return this.#read().type;
  }

  /** Its name within the file. */
  get key(): string {
    return this.#read().key ?? "0";
  }

  /** The device it was on. */
  get location(): string {
    return this.#read().location ?? "cpu";
  }

  /** PyTorch's name of its dtype; `uint8` where it is untyped. */
  get dtype(): string {
    return BY_STORAGE.get(this.type.name) ?? "uint8";
  }

  /** How many elements it has. */
  get length(): number {
    return this.#read().numel ?? 0;
  }

  /** Bytes of one element. */
  get itemsize(): number {
    return BY_NAME.get(this.dtype)!.size;
  }

  /** Its bytes; undefined where the file with them is not there. */
  get bytes(): Uint8Array | undefined {
    return this.#read().bytes;
  }

  /**
   * Gives it its bytes, once they have been found.
   *
   * @param bytes The bytes.
   * @param littleEndian How they are ordered.
   */
  fill(bytes: Uint8Array, littleEndian = true): void {
    const parts = this.#read();
    parts.bytes = bytes;
    parts.littleEndian = littleEndian;
  }

  /** Whether the bytes are little-endian. */
  get littleEndian(): boolean {
    return this.#read().littleEndian ?? true;
  }

  /**
   * Its elements.
   *
   * @returns Numbers, bigints, booleans or Complex; none where the bytes are
   * not there.
   */
  toArray(): unknown[] {
    const { bytes } = this;
    if (bytes === undefined) return [];
    const element = BY_NAME.get(this.dtype)!;
    const view = viewOf(bytes);
    return Array.from(
      { length: Math.floor(bytes.length / element.size) },
      (_, i) => element.read(view, i * element.size, this.littleEndian),
    );
  }

  /**
   * The legacy PyTorch file that `torch.storage._load_from_bytes` takes.
   *
   * @returns Its bytes.
   */
  toFile(): Uint8Array {
    return this.#file ?? writeFile(this);
  }

  /**
   * In few words: `float32 24`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.dtype} ${this.length}`;
  }

  /**
   * What `JSON.stringify` writes: the elements.
   *
   * @returns An array.
   */
  toJSON(): unknown {
    return this.toArray();
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = encodeUtf8(text);
  writer.writeByte(0x58); // BINUNICODE
  writer.writeUint32(bytes.length);
  writer.writeBytes(bytes);
}

function writeAscii(writer: ByteWriter, text: string): void {
  writer.writeBytes(encodeUtf8(text));
}

function writeInt(writer: ByteWriter, value: number): void {
  if (value <= 0x7fffffff) {
    writer.writeByte(0x4a); // BININT
    writer.writeUint32(value);
    return;
  }
  writer.writeByte(0x8a); // LONG1
  writer.writeByte(8);
  writer.writeUint64(value);
}

/**
 * As `torch.serialization._legacy_save` writes one storage: five pickles of
 * protocol 2, then the count of elements and the elements.
 */
function writeFile(storage: TorchStorage): Uint8Array {
  const bytes = storage.bytes ?? new Uint8Array(0);
  const result = new ByteWriter(bytes.length + 512);
  // 0x1950a86a20f9469cfc6c, then protocol 1001.
  result.writeBytes(
    Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a),
  );
  result.writeBytes(Uint8Array.of(0xa8, 0x50, 0x19, 0x2e));
  result.writeBytes(Uint8Array.of(0x80, 2, 0x4d, 0xe9, 0x03, 0x2e));
  result.writeBytes(Uint8Array.of(0x80, 2));
  writeAscii(result, "}(");
  writeText(result, "protocol_version");
  writeInt(result, 1001);
  writeText(result, "little_endian");
  result.writeByte(storage.littleEndian ? 0x88 : 0x89);
  writeText(result, "type_sizes");
  writeAscii(result, "}(");
  for (const [name, size] of [["short", 2], ["int", 4], ["long", 4]] as const) {
    writeText(result, name);
    writeInt(result, size);
  }
  writeAscii(result, "uu.");
  result.writeBytes(Uint8Array.of(0x80, 2));
  writeAscii(result, "(");
  writeText(result, "storage");
  writeAscii(result, `c${storage.type.module}\n${storage.type.name}\n`);
  writeText(result, storage.key);
  writeText(result, storage.location);
  writeInt(result, storage.length);
  writeAscii(result, "NtQ.");
  result.writeBytes(Uint8Array.of(0x80, 2));
  writeAscii(result, "](");
  writeText(result, storage.key);
  writeAscii(result, "e.");
  result.writeUint64(storage.length);
  result.writeBytes(bytes);
  return result.bytes();
}

/** A value is repeated by a stride of 0, but not without end. */
const FREE_VALUES = 1_000_000;

function numbersOf(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length > 64) return undefined;
  const numbers: number[] = [];
  for (const item of value) {
    const number = toCount(item);
    if (number === undefined) return undefined;
    numbers.push(number);
  }
  return numbers;
}

interface Quantizer {
  scale: number;
  zeroPoint: number;
}

interface View {
  storage: TorchStorage;
  offset: number;
  shape: number[];
  stride: number[];
  element: Element;
  quantizer: unknown;
}

/**
 * A PyTorch tensor or parameter.
 *
 * @example Make one
 * ```ts
 * import { NdArray, Tensor } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const tensor = Tensor.of(
 *   new NdArray(new Float32Array([1, 2, 3, 4]), { shape: [2, 2] }),
 * );
 * assertEquals(tensor.shape, [2, 2]);
 * assertEquals(tensor.toArray(), [[1, 2], [3, 4]]);
 * ```
 */
export class Tensor extends PyObject {
  #view: View | undefined | null = null;

  /**
   * A tensor of a numpy array's elements.
   *
   * @param array The array, of a dtype that PyTorch has.
   * @returns The tensor, over the array's own bytes.
   * @throws {TypeError} If PyTorch has no such dtype.
   */
  static of(array: NdArray): Tensor {
    const element = ELEMENTS.find(({ numpy }) => numpy === array.dtype.str);
    const type = [...BY_STORAGE].find(([, name]) => name === element?.name);
    if (element === undefined || type === undefined) {
      throw new TypeError("PyTorch has no storage for that dtype");
    }
    const storage = new TorchStorage({
      type: new Global("torch", type[0]),
      key: "0",
      numel: array.size,
      bytes: array.bytes,
    });
    return new Tensor(new Global("torch._utils", "_rebuild_tensor_v2"), [
      storage,
      0,
      Tuple.from(array.shape),
      Tuple.from(array.strides),
      false,
      new PyObject(new Global("collections", "OrderedDict"), [], {
        via: "reduce",
      }),
    ], { via: "reduce" });
  }

  get #form(): string {
    return this.class instanceof Global ? this.class.name : "";
  }

  /** The tensor that a parameter, or one with attributes, is made of. */
  get #inner(): Tensor | undefined {
    const form = this.#form;
    if (form.startsWith("_rebuild_parameter")) {
      const [data] = this.args;
      return data instanceof Tensor && data !== this ? data : undefined;
    }
    if (form === "_rebuild_from_type_v2") {
      const [func, , args] = this.args;
      return func instanceof Global && Array.isArray(args)
        ? new Tensor(func, args, { via: "reduce" })
        : undefined;
    }
    return undefined;
  }

  /** Index and value tensors, and the size, of a sparse one. */
  get #sparse(): readonly unknown[] | undefined {
    const data = this.args[1];
    return this.#form === "_rebuild_sparse_tensor" && Array.isArray(data)
      ? data
      : undefined;
  }

  /** Compressed ones have two tensors of indices. */
  #sparsePart(name: "values" | "size"): unknown {
    const place = this.layout === "sparse_coo" ? 1 : 2;
    return this.#sparse?.[name === "values" ? place : place + 1];
  }

  #read(depth = 0): View | undefined {
    if (this.#view !== null) return this.#view;
    if (depth > 8) return undefined;
    const inner = this.#inner;
    return this.#view = inner ? inner.#read(depth + 1) : this.#find();
  }

  #find(): View | undefined {
    const [storage, start, size, steps, fifth, , seventh] = this.args;
    if (!(storage instanceof TorchStorage)) return undefined;
    const offset = toCount(start);
    const shape = numbersOf(size);
    const stride = numbersOf(steps);
    if (
      offset === undefined || shape === undefined || stride === undefined ||
      shape.length !== stride.length
    ) return undefined;
    const named = this.#form === "_rebuild_tensor_v3" &&
        seventh instanceof Global
      ? seventh.name
      : storage.dtype;
    const element = BY_NAME.get(named);
    if (element === undefined) return undefined;
    const quantizer = this.#form === "_rebuild_qtensor" ? fifth : undefined;
    return { storage, offset, shape, stride, element, quantizer };
  }

  /** Whether its elements are there to be read. */
  get isReadable(): boolean {
    const view = this.#read();
    return view !== undefined && this.#fits(view);
  }

  /** Whether all of it is within its storage. */
  #fits({ element, offset, shape, stride, storage }: View): boolean {
    const { bytes } = storage;
    if (bytes === undefined) return false;
    let last = offset;
    for (let i = 0; i < shape.length; i++) {
      if (shape[i] === 0) return true;
      last += (shape[i]! - 1) * stride[i]!;
    }
    return (last + 1) * element.size <= bytes.length;
  }

  /** `Tensor` or `Parameter`. */
  get kind(): string {
    return this.#form.startsWith("_rebuild_parameter") ? "Parameter" : "Tensor";
  }

  /** PyTorch's name of its dtype: `float32`. */
  get dtype(): string {
    const values = this.#sparsePart("values");
    if (values instanceof Tensor && values !== this) {
      return values.#read()?.element.name ?? "?";
    }
    return this.#read()?.element.name ?? "?";
  }

  /** `strided`, or how a sparse tensor is laid out. */
  get layout(): string {
    const [layout] = this.args;
    if (this.#sparse === undefined || !(layout instanceof PyObject)) {
      return "strided";
    }
    const [name] = layout.args;
    return typeof name === "string" ? name.replace("torch.", "") : "sparse";
  }

  /** How many elements each dimension has. */
  get shape(): readonly number[] {
    const size = this.#sparsePart("size");
    if (size instanceof TorchSize) return size.sizes;
    return this.#read()?.shape ?? [];
  }

  /** How far in the storage one step along each dimension is. */
  get stride(): readonly number[] {
    return this.#read()?.stride ?? [];
  }

  /** Where in the storage it begins, in elements. */
  get storageOffset(): number {
    return this.#read()?.offset ?? 0;
  }

  /** The elements beneath; of a sparse tensor there are none. */
  get storage(): TorchStorage | undefined {
    return this.#read()?.storage;
  }

  /** Whether gradients were wanted. */
  get requiresGrad(): boolean {
    const places: Record<string, number> = {
      _rebuild_tensor_v2: 4,
      _rebuild_tensor_v3: 4,
      _rebuild_qtensor: 5,
      _rebuild_parameter: 1,
      _rebuild_parameter_with_state: 1,
    };
    const form = this.#form;
    return Object.hasOwn(places, form) && this.args[places[form]!] === true;
  }

  /** Indices of a sparse tensor's values. */
  get indices(): Tensor | undefined {
    const indices = this.#sparse?.[0];
    return indices instanceof Tensor ? indices : undefined;
  }

  /** Values of a sparse tensor. */
  get sparseValues(): Tensor | undefined {
    const values = this.#sparsePart("values");
    return values instanceof Tensor ? values : undefined;
  }

  /** Scale and zero point of a quantized tensor, where they are its only ones. */
  get quantizer(): { scale: number; zeroPoint: number } | undefined {
    const params = this.#read()?.quantizer;
    if (!Array.isArray(params)) return undefined;
    const scale = params[1] instanceof Float ? params[1].value : params[1];
    const zeroPoint = toInteger(params[2]);
    return typeof scale === "number" && zeroPoint !== undefined
      ? { scale, zeroPoint }
      : undefined;
  }

  /** Scales of each channel: `(scheme, scales, zero points, axis)`. */
  #channels(): ((place: number) => Quantizer) | undefined {
    const view = this.#read();
    if (!Array.isArray(view?.quantizer)) return undefined;
    const [, scales, zeroPoints, axis] = view.quantizer;
    const dimension = toCount(axis);
    if (
      !(scales instanceof Tensor) || !(zeroPoints instanceof Tensor) ||
      scales === this || zeroPoints === this || dimension === undefined ||
      dimension >= view.shape.length || !scales.isReadable ||
      !zeroPoints.isReadable || scales.#form === "_rebuild_qtensor" ||
      zeroPoints.#form === "_rebuild_qtensor"
    ) return undefined;
    if (scales.shape.length !== 1 || zeroPoints.shape.length !== 1) {
      return undefined;
    }
    const quantizers = new Map<number, Quantizer>();
    return (place) => {
      const channel =
        Math.floor((place - view.offset) / view.stride[dimension]!) %
        view.shape[dimension]!;
      let found = quantizers.get(channel);
      if (found === undefined) {
        const has = channel < scales.shape[0]! &&
          channel < zeroPoints.shape[0]!;
        found = {
          scale: has ? Number(scales.get(channel)) : NaN,
          zeroPoint: has ? Number(zeroPoints.get(channel)) : NaN,
        };
        quantizers.set(channel, found);
      }
      return found;
    };
  }

  #reader(): (place: number) => unknown {
    const view = this.#read();
    const bytes = view?.storage.bytes;
    if (view === undefined || bytes === undefined) {
      throw new RangeError("the tensor's storage is not there");
    }
    const { element, shape, storage } = view;
    if (!this.#fits(view)) {
      throw new RangeError("the tensor goes beyond its storage");
    }
    let values = 1n;
    for (const size of shape) values *= BigInt(size);
    const most = Math.max(FREE_VALUES, bytes.length);
    const rows = shape.slice(0, -1).reduce((a, b) => a * (b || 1), 1);
    if (values > BigInt(most) || rows > most) {
      throw new LimitError("values", most);
    }
    const data = viewOf(bytes);
    const little = storage.littleEndian;
    const channels = this.#channels();
    const quantizer = this.quantizer;
    return (place) => {
      const value = element.read(data, place * element.size, little);
      const own = channels === undefined ? quantizer : channels(place);
      return own === undefined
        ? value
        : Math.fround((Number(value) - own.zeroPoint) * own.scale);
    };
  }

  /**
   * One element.
   *
   * @param index A number for each dimension.
   * @returns A number, bigint, boolean or Complex.
   * @throws {RangeError} If there is no such element.
   */
  get(...index: readonly number[]): unknown {
    const { shape, stride, storageOffset } = this;
    let place = storageOffset;
    if (index.length !== shape.length) {
      throw new RangeError(`the tensor has ${shape.length} dimensions`);
    }
    index.forEach((given, i) => {
      const at = given < 0 ? given + shape[i]! : given;
      if (!Number.isInteger(at) || at < 0 || at >= shape[i]!) {
        throw new RangeError(`the tensor has no element ${given} there`);
      }
      place += at * stride[i]!;
    });
    return this.#reader()(place);
  }

  /**
   * The elements in nested arrays, as PyTorch's `tolist`.
   *
   * @returns Arrays, or the one element where there is no dimension.
   * @throws {RangeError} If the storage is not there, or too short.
   */
  toArray(): unknown {
    return this.#nest((value) => value);
  }

  #nest(convert: (value: unknown) => unknown): unknown {
    const read = this.#reader();
    const { shape, stride, storageOffset } = this;
    if (shape.length === 0) return convert(read(storageOffset));
    const build = (dim: number, from: number): unknown[] => {
      const row = new Array<unknown>(shape[dim]!);
      for (let i = 0; i < row.length; i++) {
        const at = from + i * stride[dim]!;
        row[i] = dim === shape.length - 1
          ? convert(read(at))
          : build(dim + 1, at);
      }
      return row;
    };
    return build(0, storageOffset);
  }

  /**
   * The tensor as numpy's `tensor.numpy()`.
   *
   * @returns An array over the storage's own bytes where the tensor is
   * contiguous, else over a copy.
   * @throws {TypeError} If numpy has no such dtype.
   */
  toNdArray(): NdArray {
    const view = this.#read();
    const bytes = view?.storage.bytes;
    const { numpy, size } = view?.element ?? { size: 1 };
    if (view === undefined || bytes === undefined || numpy === undefined) {
      throw new TypeError("numpy has no array for that tensor");
    }
    this.#reader();
    const { shape, stride, offset, storage } = view;
    const dtype = storage.littleEndian ? numpy : numpy.replace("<", ">");
    const count = shape.reduce((a, b) => a * b, 1);
    let step = 1;
    let contiguous = true;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      if (shape[dim]! > 1 && stride[dim] !== step) contiguous = false;
      step *= shape[dim]!;
    }
    if (contiguous || count === 0) {
      const from = count === 0 ? 0 : offset * size;
      return new NdArray(bytes.subarray(from, from + count * size), {
        shape,
        dtype,
      });
    }
    const copy = new Uint8Array(count * size);
    let at = 0;
    const fill = (dim: number, from: number): void => {
      for (let i = 0; i < shape[dim]!; i++) {
        const place = from + i * stride[dim]!;
        if (dim < shape.length - 1) fill(dim + 1, place);
        else {
          copy.set(bytes.subarray(place * size, (place + 1) * size), at);
          at += size;
        }
      }
    };
    fill(0, offset);
    return new NdArray(copy, { shape, dtype });
  }

  /**
   * In few words: `float32 2 x 3`.
   *
   * @returns The text.
   */
  summary(): string {
    const { shape } = this;
    return `${this.dtype} ${shape.length === 0 ? "()" : shape.join(" x ")}`;
  }

  /**
   * Kind, dtype and shape.
   *
   * @returns The text.
   */
  override toString(): string {
    return `${this.kind}(${this.summary()})`;
  }

  /**
   * What `JSON.stringify` writes: nested arrays; of a sparse tensor an object
   * of shape, indices and values; shape and dtype where the elements are not
   * there.
   *
   * @returns A value.
   */
  override toJSON(): unknown {
    const { indices, sparseValues } = this;
    if (indices !== undefined && sparseValues !== undefined) {
      return { shape: [...this.shape], indices, values: sparseValues };
    }
    if (!this.isReadable) {
      const { key } = this.#read()?.storage ?? {};
      return { dtype: this.dtype, shape: [...this.shape], storage: key };
    }
    return this.#nest((value) =>
      typeof value === "number" && Number.isInteger(value) &&
        /float|^quint|^qint/.test(this.dtype)
        ? new Float(value)
        : value
    );
  }
}

/**
 * PyTorch's `torch.Size`.
 *
 * @example Read its numbers
 * ```ts
 * import { Global, TorchSize } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const size = new TorchSize(new Global("torch", "Size"), [[2, 3]]);
 * assertEquals(size.sizes, [2, 3]);
 * ```
 */
export class TorchSize extends PyObject {
  /** The sizes. */
  get sizes(): number[] {
    return numbersOf(this.args[0]) ?? [];
  }

  /**
   * As PyTorch prints it.
   *
   * @returns `torch.Size([2, 3])`.
   */
  override toString(): string {
    return `torch.Size([${this.sizes.join(", ")}])`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The sizes.
   */
  override toJSON(): unknown {
    return this.sizes;
  }
}

/**
 * PyTorch's `torch.device`.
 *
 * @example Print one
 * ```ts
 * import { Global, TorchDevice } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const device = new TorchDevice(new Global("torch", "device"), ["cuda", 0]);
 * assertEquals(String(device), "cuda:0");
 * ```
 */
export class TorchDevice extends PyObject {
  /**
   * Its name.
   *
   * @returns `cpu`, `cuda:0`.
   */
  override toString(): string {
    const [type, index] = this.args;
    const name = typeof type === "string" ? type : "?";
    return typeof index === "number" ? `${name}:${index}` : name;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The name.
   */
  override toJSON(): unknown {
    return this.toString();
  }
}

const LOAD_FROM_BYTES = new Global("torch.storage", "_load_from_bytes");

register(
  inertType([
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
  ], Tensor),
  { names: [], class: Tensor, toPlain: (tensor: Tensor) => tensor.toJSON() },
  inertType(["torch.Size"], TorchSize),
  { names: [], class: TorchSize, toPlain: (size: TorchSize) => size.sizes },
  inertType(["torch.device"], TorchDevice),
  { names: [], class: TorchDevice, toPlain: String },
  {
    names: ["torch.storage._load_from_bytes"],
    make: ([bytes]) =>
      bytes instanceof Uint8Array ? new TorchStorage(bytes) : undefined,
    class: TorchStorage,
    reduce: (storage: TorchStorage) => ({
      callable: LOAD_FROM_BYTES,
      args: [storage.toFile()],
    }),
    toPlain: (storage: TorchStorage) => storage.toArray(),
  },
);

setInspect(Tensor.prototype, (tensor, inspect) => {
  const small = tensor.isReadable &&
    tensor.shape.reduce((a, b) => a * b, 1) <= 100;
  return `${tensor}${small ? ` ${inspect(tensor.toArray())}` : ""}`;
});
setInspect(TorchSize.prototype, String);
setInspect(TorchDevice.prototype, (device) => `TorchDevice(${device})`);
setInspect(
  TorchStorage.prototype,
  (storage) => `TorchStorage(${storage.summary()})`,
);
