/**
 * A look over a pickle that builds nothing.
 *
 * @module
 */

import { ARGUMENT_LAYOUTS } from "./arguments.ts";
import { BINSTRING, LONG4, OPCODE_BY_CODE, STOP } from "./opcodes.ts";

/** From this size on, a look whether a pickle is whole comes first. */
export const SKIMMED: number = 1 << 16;

/** For each byte: 0 no opcode; 1 to 9 the opcode's size; else see below. */
const SIZES = new Uint8Array(256);
const TWO_LINES = 0x82;
/** Plus the size of the length that comes first. */
const PREFIXED = 0x90;
for (const opcode of OPCODE_BY_CODE) {
  if (opcode === undefined) continue;
  const { fixed, prefix, lines } = ARGUMENT_LAYOUTS[opcode.argument];
  SIZES[opcode.code] = lines > 0
    ? 0x80 + lines
    : prefix > 0
    ? PREFIXED + prefix
    : 1 + fixed;
}

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
    const start = at;
    const code = bytes[at]!;
    const size = SIZES[code]!;
    if (size < 0x80) {
      if (size === 0 || code === STOP) return -1;
      at += size;
    } else if (size < PREFIXED) {
      for (let lines = size === TWO_LINES ? 2 : 1; lines > 0; lines--) {
        at = bytes.indexOf(0x0a, at) + 1;
        if (at === 0) return start;
      }
    } else {
      const width = size - PREFIXED;
      let length = 0;
      if (at + width >= end) return start;
      for (let i = width; i > 0; i--) length = length * 256 + bytes[at + i]!;
      // Lengths below zero: whoever reads them says so.
      if (length > 0x7fff_ffff && (code === BINSTRING || code === LONG4)) {
        return -1;
      }
      at += 1 + width + length;
    }
    if (at > end) return start;
  }
  return end;
}
