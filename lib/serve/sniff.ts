/**
 * What bytes are, by how they begin.
 *
 * @module
 */

import { compressionOf } from "../pickle/open.ts";
import { isLegacyTorch } from "../pickle/torch_file.ts";

/**
 * Whether bytes begin as gzip does.
 *
 * @param bytes How a file begins.
 * @returns Whether it is gzip.
 */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Whether a file is no bare pickle but holds one: a compressed one, or a file
 * of numpy or PyTorch. Such a file is read as a whole.
 *
 * @param head How a file begins, gzip undone.
 * @returns Whether `openPickle` must open it.
 */
export function isContainer(head: Uint8Array): boolean {
  return compressionOf(head) !== undefined || isLegacyTorch(head) ||
    head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4 ||
    head[0] === 0x93 && head[1] === 0x4e && head[2] === 0x55;
}

/** What a beginning says of a file. */
export type Content = "pickle" | "json" | "empty";

/**
 * Tells pickle from JSON by how a file begins. No JSON begins as a pickle does
 * and no pickle as JSON does: a pickle cannot begin with an opcode that takes
 * something from the stack, and those are what `{`, `[`, `"`, digits, `t`, `f`
 * and `n` are, if they are opcodes at all. `N` and `I` begin pickles of
 * protocol 0, and `NaN` and `Infinity`.
 *
 * @param bytes How a file begins; 16 bytes are enough where there are no
 * blanks before.
 * @returns What it is; anything unknown counts as pickle, whose reader says
 * what is wrong with it.
 */
export function sniff(bytes: Uint8Array): Content {
  if (bytes.length === 0) return "empty";
  // The byte order marks of UTF-16 and UTF-8, and UTF-16 or UTF-32 without.
  const [first, second] = bytes;
  if (first === 0xef && second === 0xbb) return "json";
  if (first === 0xff && second === 0xfe) return "json";
  if (first === 0xfe && second === 0xff) return "json";
  if (first === 0) return "json";
  let index = 0;
  while (" \t\r\n\x1e".includes(String.fromCharCode(bytes[index] ?? 0))) {
    index++;
  }
  if (index === bytes.length) return "json";
  const next = String.fromCharCode(bytes[index]!);
  if ('{["-0123456789tfn'.includes(next)) return "json";
  if (index > 0) return "json";
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  return start.startsWith("NaN") || start.startsWith("Infinity")
    ? "json"
    : "pickle";
}
