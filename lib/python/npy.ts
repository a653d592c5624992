/**
 * numpy's own file format (NEP 1), as `numpy.save` writes it.
 *
 * @module
 */

import { arrayOver, type NdArray } from "./numpy.ts";
import { DType, placeFields, shapeFrom, subArrayOf } from "./numpy_dtype.ts";

/** A `.npy` file that is damaged. */
export class NpyError extends SyntaxError {
  /** Makes the error. */
  constructor() {
    super("the .npy file is damaged or cut off");
    this.name = "NpyError";
  }
}

type Literal = string | number | boolean | null | Literal[] | {
  [key: string]: Literal;
};

/** Deeper than any dtype is written. */
const MAX_DEPTH = 64;

/** The literals of Python that `repr` of a dtype has. */
class LiteralReader {
  readonly #text: string;
  #pos = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #skip(): string | undefined {
    while (/\s/.test(this.#text[this.#pos] ?? "")) this.#pos++;
    return this.#text[this.#pos];
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#pos;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#pos = pattern.lastIndex;
    return found[0];
  }

  read(depth = 0): Literal {
    if (depth > MAX_DEPTH) throw new NpyError();
    const first = this.#skip();
    if (first === "{") return this.#dict(depth);
    if (first === "(" || first === "[") {
      this.#pos++;
      return this.#items(first === "(" ? ")" : "]", depth);
    }
    if (first === "'" || first === '"') return this.#string(first);
    const number = this.#match(/-?\d+(?=L?)/y);
    if (number !== undefined) {
      // Python 2 wrote long ones so.
      this.#match(/L/y);
      return Number(number);
    }
    switch (this.#match(/True|False|None/y)) {
      case "True":
        return true;
      case "False":
        return false;
      case "None":
        return null;
    }
    throw new NpyError();
  }

  #string(quote: string): string {
    let text = "";
    for (this.#pos++;;) {
      const char = this.#text[this.#pos++];
      if (char === undefined || char === "\n") throw new NpyError();
      if (char === quote) return text;
      if (char !== "\\") {
        text += char;
        continue;
      }
      const code = this.#match(
        /x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8}|[\\'"nrt]/iy,
      );
      if (code === undefined) throw new NpyError();
      const simple: Record<string, string> = { n: "\n", r: "\r", t: "\t" };
      const point = Number.parseInt(code.slice(1), 16);
      if (code.length > 1 && point > 0x10ffff) throw new NpyError();
      text += code.length > 1
        ? String.fromCodePoint(point)
        : simple[code] ?? code;
    }
  }

  #items(end: string, depth: number): Literal[] {
    const items: Literal[] = [];
    for (;;) {
      if (this.#skip() === end) {
        this.#pos++;
        return items;
      }
      items.push(this.read(depth + 1));
      if (this.#skip() === ",") this.#pos++;
      else if (this.#skip() !== end) throw new NpyError();
    }
  }

  #dict(depth: number): { [key: string]: Literal } {
    const dict = Object.create(null) as { [key: string]: Literal };
    this.#pos++;
    for (;;) {
      if (this.#skip() === "}") {
        this.#pos++;
        return dict;
      }
      const key = this.read(depth + 1);
      if (typeof key !== "string" || this.#skip() !== ":") throw new NpyError();
      this.#pos++;
      dict[key] = this.read(depth + 1);
      if (this.#skip() === ",") this.#pos++;
      else if (this.#skip() !== "}") throw new NpyError();
    }
  }
}

/** `'<f8'`, `('<f8', (2, 3))`, `[('a', '<i4'), ('b', '<f8', (2,))]`. */
function dtypeFrom(descr: Literal | undefined): DType {
  if (typeof descr === "string") {
    try {
      return DType.of(descr);
    } catch {
      throw new NpyError();
    }
  }
  if (!Array.isArray(descr)) throw new NpyError();
  if (typeof descr[0] === "string" || !isFieldList(descr)) {
    const shape = shapeFrom(descr[1]);
    if (shape === undefined) throw new NpyError();
    return sub(dtypeFrom(descr[0]), shape);
  }
  let offset = 0;
  const placed: [string, DType, number][] = [];
  for (const field of descr) {
    const [title, type, dims] = field as Literal[];
    // A field with a title has both for its name.
    const name = Array.isArray(title) ? title[1] : title;
    if (typeof name !== "string") throw new NpyError();
    let dtype = dtypeFrom(type);
    if (dims !== undefined) {
      const shape = shapeFrom(dims);
      if (shape === undefined) throw new NpyError();
      dtype = sub(dtype, shape);
    }
    // Room between fields has no name.
    if (name !== "") placed.push([name, dtype, offset]);
    offset += dtype.itemsize;
  }
  return placeFields(placed, offset);
}

function isFieldList(descr: Literal[]): boolean {
  return descr.every((field) => Array.isArray(field) && field.length >= 2) &&
    !(descr.length === 2 && shapeFrom(descr[1]) !== undefined &&
      isFieldList(descr[0] as Literal[]));
}

function sub(base: DType, shape: number[]): DType {
  const dtype = subArrayOf(base, shape);
  if (dtype === undefined) throw new NpyError();
  return dtype;
}

/**
 * Reads a `.npy` file.
 *
 * @param bytes The file.
 * @param load Reads the pickle that an array of objects is.
 * @returns The array, over the file's own bytes.
 * @throws {NpyError} If it is damaged.
 */
export function readNpy(
  bytes: Uint8Array,
  load: (pickle: Uint8Array) => unknown,
): unknown {
  if (bytes.length < 10) throw new NpyError();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = bytes[6]!;
  if (version < 1 || version > 3 || bytes.length < 12) throw new NpyError();
  const start = version === 1 ? 10 : 12;
  const length = version === 1
    ? view.getUint16(8, true)
    : view.getUint32(8, true);
  const end = start + length;
  if (end > bytes.length || length > 1_000_000) throw new NpyError();
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1")
    .decode(bytes.subarray(start, end));
  const header = new LiteralReader(text).read();
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new NpyError();
  }
  const dtype = dtypeFrom(header.descr);
  const shape = shapeFrom(header.shape);
  if (shape === undefined) throw new NpyError();
  const rest = bytes.subarray(end);
  if (dtype.hasObjects) return load(rest);
  let size = BigInt(dtype.itemsize);
  for (const dimension of shape) size *= BigInt(dimension);
  if (size > BigInt(rest.length)) throw new NpyError();
  const array: NdArray | undefined = arrayOver(
    rest.subarray(0, Number(size)),
    { dtype, shape, order: header.fortran_order === true ? "F" : "C" },
  );
  if (array === undefined) throw new NpyError();
  return array;
}
