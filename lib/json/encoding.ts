/**
 * Which encoding JSON bytes are in, by the rules of CPython's
 * `json.detect_encoding`, and how they become text.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { decodeUtf8, encodeUtf8, Utf8Error } from "../bytes/utf8.ts";
import { decodeError, UnicodeDecodeError } from "./errors.ts";

type Encoding = "utf-8" | "utf-16-le" | "utf-16-be" | "utf-32-le" | "utf-32-be";

interface Detected {
  encoding: Encoding;
  /** Length of the byte order mark. */
  skip: number;
}

/** Undefined: more bytes are needed to tell. */
function detect(bytes: Uint8Array, whole: boolean): Detected | undefined {
  const size = bytes.length;
  const [a = -1, b = -1, c = -1, d = -1] = bytes;
  if (size < 4 && !whole) {
    const plain = size >= 2 && a !== 0 && a !== 0xef && a < 0xfe && b !== 0;
    return plain ? { encoding: "utf-8", skip: 0 } : undefined;
  }
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) {
    return { encoding: "utf-32-be", skip: 4 };
  }
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) {
    return { encoding: "utf-32-le", skip: 4 };
  }
  if (a === 0xfe && b === 0xff) return { encoding: "utf-16-be", skip: 2 };
  if (a === 0xff && b === 0xfe) return { encoding: "utf-16-le", skip: 2 };
  if (a === 0xef && b === 0xbb && c === 0xbf) {
    return { encoding: "utf-8", skip: 3 };
  }
  let encoding: Encoding = "utf-8";
  if (size >= 4) {
    if (a === 0) encoding = b !== 0 ? "utf-16-be" : "utf-32-be";
    else if (b === 0) {
      encoding = c !== 0 || d !== 0 ? "utf-16-le" : "utf-32-le";
    }
  } else if (size === 2) {
    if (a === 0) encoding = "utf-16-be";
    else if (b === 0) encoding = "utf-16-le";
  }
  return { encoding, skip: 0 };
}

/** Makes text of UTF-16 or UTF-32 in pieces; surrogates pass. */
class WideDecoder {
  readonly #encoding: Encoding;
  readonly #size: 2 | 4;
  readonly #little: boolean;
  #offset: number;
  #left: Uint8Array = new Uint8Array();
  /** Half a pair at the end of a piece. */
  #high = "";
  #error: UnicodeDecodeError | undefined;

  constructor({ encoding, skip }: Detected) {
    this.#encoding = encoding;
    this.#size = encoding.startsWith("utf-16") ? 2 : 4;
    this.#little = encoding.endsWith("le");
    this.#offset = skip;
  }

  push(chunk: Uint8Array): string {
    if (this.#error !== undefined) throw this.#error;
    let bytes = chunk;
    if (this.#left.length > 0) {
      bytes = new Uint8Array(this.#left.length + chunk.length);
      bytes.set(this.#left);
      bytes.set(chunk, this.#left.length);
    }
    const size = this.#size;
    const end = bytes.length - bytes.length % size;
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    const parts: string[] = [this.#high];
    let units: number[] = [];
    for (let i = 0; i < end; i += size) {
      if (size === 2) {
        units.push(view.getUint16(i, this.#little));
      } else {
        const code = view.getUint32(i, this.#little);
        if (code > 0x10ffff) {
          // What stands before it may be wrong in itself.
          const pos = this.#offset + i;
          this.#error = new UnicodeDecodeError(
            `'${this.#encoding}' codec can't decode bytes in position ${pos}-${
              pos + 3
            }: code point not in range(0x110000)`,
            pos,
          );
          break;
        }
        if (code > 0xffff) {
          units.push(0xd7c0 + (code >> 10), 0xdc00 | (code & 0x3ff));
        } else {
          units.push(code);
        }
      }
      if (units.length >= 4096) {
        parts.push(String.fromCharCode(...units));
        units = [];
      }
    }
    parts.push(String.fromCharCode(...units));
    this.#offset += end;
    this.#left = bytes.slice(end);
    const text = parts.join("");
    const last = text.charCodeAt(text.length - 1);
    this.#high = (last & 0xfc00) === 0xd800 ? text.slice(-1) : "";
    return this.#high === "" ? text : text.slice(0, -1);
  }

  end(): string {
    if (this.#error !== undefined) throw this.#error;
    const left = this.#left.length;
    if (left > 0) {
      const pos = this.#offset;
      const what = left === 1
        ? `byte 0x${
          this.#left[0]!.toString(16).padStart(2, "0")
        } in position ${pos}`
        : `bytes in position ${pos}-${pos + left - 1}`;
      throw new UnicodeDecodeError(
        `'${this.#encoding}' codec can't decode ${what}: truncated data`,
        pos,
      );
    }
    return this.#high;
  }
}

/** JSON bytes as text, and as UTF-8 where they are UTF-8 already. */
export interface DecodedJson {
  /** The text without its byte order mark. */
  text: string;
  /** The same as UTF-8. */
  bytes: Uint8Array | undefined;
}

/**
 * Decodes a whole JSON text.
 *
 * @param bytes UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
 * @returns The text.
 * @throws {UnicodeDecodeError} Where the bytes are no text.
 */
export function decodeJson(bytes: Uint8Array): DecodedJson {
  const detected = detect(bytes, true)!;
  const body = detected.skip > 0 ? bytes.subarray(detected.skip) : bytes;
  if (detected.encoding !== "utf-8") {
    const decoder = new WideDecoder(detected);
    return { text: decoder.push(body) + decoder.end(), bytes: undefined };
  }
  try {
    return { text: decodeUtf8(body), bytes: body };
  } catch (error) {
    if (!(error instanceof Utf8Error)) throw error;
    throw new UnicodeDecodeError(error.message, error.pos);
  }
}

/** Makes UTF-8 of a stream of bytes or text, cut anywhere. */
export class TextInput {
  #head: ChunkQueue | undefined = new ChunkQueue();
  #wide: WideDecoder | undefined;
  #high = "";

  /**
   * Takes a chunk.
   *
   * @param chunk Bytes or text.
   * @returns UTF-8 (surrogates pass), perhaps empty.
   * @throws {UnicodeDecodeError} Where the bytes are no text.
   * @throws {JSONDecodeError} Where text begins with a byte order mark.
   * @throws {TypeError} Where the chunk is neither.
   */
  push(chunk: Uint8Array | string): Uint8Array {
    if (typeof chunk === "string") return this.#pushText(chunk);
    const bytes = toBytes(chunk);
    if (this.#head !== undefined) {
      this.#head.push(bytes);
      return this.#begin(false);
    }
    if (this.#wide !== undefined) return encodeUtf8(this.#wide.push(bytes));
    if (this.#high === "") return bytes;
    const half = this.#high;
    this.#high = "";
    return concat(encodeUtf8(half), bytes);
  }

  /**
   * Says that no input follows.
   *
   * @returns What is left.
   * @throws {UnicodeDecodeError} Where a character is cut.
   */
  end(): Uint8Array {
    const begun = this.#head !== undefined ? this.#begin(true) : undefined;
    const last = encodeUtf8(
      this.#wide !== undefined ? this.#wide.end() : this.#high,
    );
    this.#high = "";
    return begun === undefined || begun.length === 0
      ? last
      : concat(begun, last);
  }

  #begin(whole: boolean): Uint8Array {
    const head = this.#head!.join();
    const detected = detect(head, whole);
    if (detected === undefined) {
      this.#head!.push(head);
      return new Uint8Array();
    }
    this.#head = undefined;
    const body = head.subarray(detected.skip);
    if (detected.encoding === "utf-8") return body;
    this.#wide = new WideDecoder(detected);
    return encodeUtf8(this.#wide.push(body));
  }

  #pushText(chunk: string): Uint8Array {
    if (chunk.length === 0) return new Uint8Array();
    let before: Uint8Array = new Uint8Array();
    if (this.#head !== undefined) {
      if (this.#head.size > 0) before = this.#begin(true);
      else if (chunk.charCodeAt(0) === 0xfeff) {
        throw decodeError("unexpected-bom", { pos: 0, lineno: 1, colno: 1 });
      }
      this.#head = undefined;
    }
    if (this.#wide !== undefined) {
      throw new TypeError("a JSON stream of UTF-16 or UTF-32 cannot have text");
    }
    let text = this.#high + chunk;
    const last = text.charCodeAt(text.length - 1);
    this.#high = "";
    if ((last & 0xfc00) === 0xd800) {
      this.#high = text.slice(-1);
      text = text.slice(0, -1);
    }
    const bytes = encodeUtf8(text);
    return before.length > 0 ? concat(before, bytes) : bytes;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Streams of the platform may bring any view. */
function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError("a JSON stream takes chunks of bytes or text");
}
