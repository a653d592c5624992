/**
 * How long opcodes are, without reading them.
 *
 * @module
 */

import { ARGUMENT_LAYOUTS } from "./arguments.ts";
import { OPCODES } from "./opcodes.ts";

/** Size with the argument where it is fixed; 0: it is not, or no opcode. */
export const FIXED_SIZE: Uint8Array<ArrayBuffer> = new Uint8Array(256);
/** How many bytes the length of the argument takes, 0 if there is none. */
export const PREFIX_SIZE: Uint8Array<ArrayBuffer> = new Uint8Array(256);
/** How many lines the argument has. */
export const LINES: Uint8Array<ArrayBuffer> = new Uint8Array(256);
for (const { code, argument } of OPCODES) {
  const layout = ARGUMENT_LAYOUTS[argument];
  if (layout.lines > 0) LINES[code] = layout.lines;
  else if (layout.prefix > 0) PREFIX_SIZE[code] = layout.prefix;
  else FIXED_SIZE[code] = 1 + layout.fixed;
}

/**
 * How many bytes an opcode takes with its argument.
 *
 * @param bytes Where it stands.
 * @param range `at`: its offset; `end`: where the bytes that are there end;
 * `scanned`: up to where there is no line break.
 * @returns Its size (it may go beyond the end), less than 0 if minus as many
 * bytes are wanted to tell, 0 if there is no such opcode.
 */
export function opcodeSize(
  bytes: Uint8Array,
  { at, end, scanned }: { at: number; end: number; scanned: number },
): number {
  if (at >= end) return -1;
  const op = bytes[at]!;
  const fixed = FIXED_SIZE[op]!;
  if (fixed !== 0) return fixed;
  const prefix = PREFIX_SIZE[op]!;
  if (prefix !== 0) {
    if (at + 1 + prefix > end) return -1 - prefix;
    let size = 0;
    for (let i = at + prefix; i > at; i--) size = size * 256 + bytes[i]!;
    return 1 + prefix + size;
  }
  let lines = LINES[op]!;
  if (lines === 0) return 0;
  let from = lines === 1 ? Math.max(at + 1, scanned) : at + 1;
  while (lines-- > 0) {
    const found = findLineBreak(bytes, { from, end });
    if (found < 0) {
      // A long line is searched again only when twice as much is there.
      const size = end - at;
      return -(size < 65536 ? size + 1 : size * 2);
    }
    from = found + 1;
  }
  return from - at;
}

/**
 * Looks for a line break, and not in what lies behind the end: buffers are
 * larger than what is in them.
 *
 * @param bytes Where to look.
 * @param range `from`: offset of the first byte; `end`: behind the last.
 * @returns Its offset, or -1.
 */
export function findLineBreak(
  bytes: Uint8Array,
  { from, end }: { from: number; end: number },
): number {
  const near = Math.min(from + 32, end);
  for (let i = from; i < near; i++) {
    if (bytes[i] === 0x0a) return i;
  }
  if (near >= end) return -1;
  const found = bytes.subarray(near, end).indexOf(0x0a);
  return found < 0 ? -1 : near + found;
}
