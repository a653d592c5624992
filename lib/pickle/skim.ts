/**
 * A look over a pickle that builds nothing.
 *
 * @module
 */

import { opcodeSize } from "./opcode_size.ts";
import { BINSTRING, LONG4, STOP } from "./opcodes.ts";

/** From this size on, a look whether a pickle is whole comes first. */
export const SKIMMED: number = 1 << 16;

/**
 * Looks whether a pickle ends.
 *
 * @param bytes The pickle, and perhaps more.
 * @param from Offset of the opcode to begin with.
 * @returns Offset of the opcode that is not wholly there, the end of the bytes
 * where there is no more; -1 where the pickle ends, or has bytes in it that are
 * no opcode.
 */
export function findTruncation(bytes: Uint8Array, from = 0): number {
  const end = bytes.length;
  let at = from;
  while (at < end) {
    const code = bytes[at]!;
    if (code === STOP) return -1;
    const size = opcodeSize(bytes, { at, end, scanned: 0 });
    if (size === 0) return -1;
    // Lengths below zero: whoever reads them says so.
    if (size - 5 > 0x7fff_ffff && (code === BINSTRING || code === LONG4)) {
      return -1;
    }
    if (size < 0 || at + size > end) return at;
    at += size;
  }
  return end;
}
