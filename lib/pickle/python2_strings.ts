/**
 * Python 2's `str`: bytes that may be text.
 *
 * @module
 */

import { decodeUtf8, isUtf8, Utf8Error } from "../bytes/utf8.ts";
import { ArgumentFault, decodeLatin1 } from "./arguments.ts";
import type { Encoding, EncodingErrors } from "./options.ts";

/**
 * Reads a Python 2 `str`.
 *
 * @param bytes Its bytes.
 * @param options How; without an encoding it is text where it is UTF-8.
 * @returns Text, or bytes.
 * @throws {ArgumentFault} Where the encoding does not allow it.
 */
export function decodePython2String(
  bytes: Uint8Array,
  { encoding, errors }: {
    encoding: Encoding | undefined;
    errors: EncodingErrors;
  },
): string | Uint8Array<ArrayBuffer> {
  switch (encoding) {
    case undefined:
      return isStrictUtf8(bytes) ? decodeUtf8(bytes) : Uint8Array.from(bytes);
    case "bytes":
      return Uint8Array.from(bytes);
    case "latin1":
      return decodeLatin1(bytes);
    case "ascii":
      return decodeWith(bytes, errors, (at) => bytes[at]! < 0x80 ? 1 : 0);
    case "utf-8":
      if (isStrictUtf8(bytes)) return decodeUtf8(bytes);
      return decodeWith(bytes, errors, (at) => sequenceLength(bytes, at));
  }
}

/** Without surrogates, which Python's own UTF-8 refuses. */
function isStrictUtf8(bytes: Uint8Array): boolean {
  try {
    return decodeUtf8(bytes).isWellFormed();
  } catch (error) {
    if (error instanceof Utf8Error) return false;
    throw error;
  }
}

function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const sequence = bytes.subarray(at, at + size);
  return sequence.length === size && isUtf8(sequence) &&
      !(first === 0xed && sequence[1]! >= 0xa0)
    ? size
    : 0;
}

function decodeWith(
  bytes: Uint8Array,
  errors: EncodingErrors,
  lengthAt: (at: number) => number,
): string {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length;) {
    const length = lengthAt(at);
    if (length > 0) {
      at += length;
      continue;
    }
    parts.push(decodeUtf8(bytes.subarray(start, at)));
    const byte = bytes[at]!;
    switch (errors) {
      case "ignore":
        break;
      case "replace":
        parts.push("\ufffd");
        break;
      case "surrogateescape":
        parts.push(String.fromCharCode(0xdc00 + byte));
        break;
      case "backslashreplace":
        parts.push(`\\x${byte.toString(16).padStart(2, "0")}`);
        break;
      case "strict":
        throw new ArgumentFault(
          "bad-utf8",
          `byte 0x${
            byte.toString(16)
          } of a Python 2 string is not in the encoding asked for; leave encoding out, or ask for "latin1" or "bytes"`,
        );
    }
    start = ++at;
  }
  parts.push(decodeUtf8(bytes.subarray(start)));
  return parts.join("");
}
