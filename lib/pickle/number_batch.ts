/**
 * Batches of numbers and texts, which go straight from the input into their
 * list.
 *
 * @module
 */

import * as op from "./opcodes.ts";

/** Bytes of the numbers that a batch may consist of, opcode included. */
export const NUMBER_SIZES: Uint8Array<ArrayBuffer> = new Uint8Array(256);
NUMBER_SIZES[op.BINFLOAT] = 9;
NUMBER_SIZES[op.BININT] = 5;
NUMBER_SIZES[op.BININT1] = 2;
NUMBER_SIZES[op.BININT2] = 3;
/** What of four bytes belongs to the number. */
const NUMBER_MASKS = new Int32Array(256);
NUMBER_MASKS[op.BININT] = -1;
NUMBER_MASKS[op.BININT1] = 0xff;
NUMBER_MASKS[op.BININT2] = 0xffff;

/**
 * Whether a batch begins with many short texts that are all new.
 *
 * @param bytes The input.
 * @param from Offset of the first item.
 * @param limit Offset after what is there.
 * @returns Whether it does.
 */
export function isTextBatch(
  bytes: Uint8Array,
  from: number,
  limit: number,
): boolean {
  let at = from;
  for (let left = LARGE_BATCH; left > 0; left--) {
    if (at + 1 >= limit || bytes[at] !== op.SHORT_BINUNICODE) return false;
    at += 3 + bytes[at + 1]!;
    if (at > limit || bytes[at - 1] !== op.MEMOIZE) return false;
  }
  return true;
}

/** Where numbers are read from. */
export interface NumberSource {
  /** The input. */
  bytes: Uint8Array;
  /** A view of the same. */
  view: DataView;
  /** Offset of the first number's opcode. */
  from: number;
}

/** From so many numbers on, a batch is worth the look that it takes. */
const LARGE_BATCH = 16;

/**
 * Whether a batch begins with many numbers of one kind.
 *
 * @param bytes The input.
 * @param from Offset of the first item.
 * @param limit Offset after what is there.
 * @returns Whether it does.
 */
export function isNumberBatch(
  bytes: Uint8Array,
  from: number,
  limit: number,
): boolean {
  const isFloat = bytes[from] === op.BINFLOAT;
  let at = from;
  for (let left = LARGE_BATCH; left > 0; left--) {
    if (at >= limit) return false;
    const size = NUMBER_SIZES[bytes[at]!]!;
    if (size === 0 || isFloat !== (size === 9)) return false;
    at += size;
  }
  return true;
}

const FLOATS: readonly unknown[] = [0.5];
const INTS: readonly unknown[] = [1];

/**
 * Makes a list that numbers are to go into. A copy of a list of such numbers
 * keeps them unboxed; of `[]` V8 believes what it has seen of others.
 *
 * @param code The opcode of the first.
 * @returns An empty list.
 */
export function emptyNumbers(code: number): unknown[] {
  const list = (code === op.BINFLOAT ? FLOATS : INTS).slice(0, 1);
  list.length = 0;
  return list;
}

// Apart from each other, since V8 makes each fast for what it has seen of it.

/**
 * Appends floats.
 *
 * @param list Where to.
 * @param count How many.
 * @param source Where from.
 */
export function fillFloats(
  list: unknown[],
  count: number,
  { bytes, view, from }: NumberSource,
): void {
  let length = list.length;
  const total = length + count;
  // The first decides that the array holds doubles, unboxed.
  if (length === 0) list[0] = view.getFloat64(from + 1);
  list.length = total;
  let at = from;
  while (length < total) {
    const code = bytes[at]!;
    if (code === op.BINFLOAT) {
      list[length++] = view.getFloat64(at + 1);
      at += 9;
    } else at += code === op.FRAME ? 9 : 1;
  }
}

/**
 * Appends ints.
 *
 * @param list Where to.
 * @param count How many.
 * @param source Where from.
 */
export function fillInts(
  list: unknown[],
  count: number,
  { bytes, view, from }: NumberSource,
): void {
  let length = list.length;
  const total = length + count;
  list.length = total;
  const safe = bytes.length - 5;
  let at = from;
  while (length < total) {
    const code = bytes[at]!;
    const size = NUMBER_SIZES[code]!;
    if (size === 0) at += code === op.FRAME ? 9 : 1;
    else {
      // No branch for the size: which it is cannot be foreseen.
      list[length++] = at <= safe
        ? view.getInt32(at + 1, true) & NUMBER_MASKS[code]!
        : code === op.BININT1
        ? bytes[at + 1]!
        : bytes[at + 1]! | bytes[at + 2]! << 8;
      at += size;
    }
  }
}
