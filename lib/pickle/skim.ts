/**
 * A look over a pickle that builds nothing. Half a pickle can make a thousand
 * times as much as its bytes take, so that whatever is large and not known to be
 * whole is looked over first, and waits for its end.
 *
 * @module
 */

import { LINES, opcodeSize } from "./opcode_size.ts";
import { BINSTRING, GLOBAL, LONG4, SHORT_BINUNICODE, STOP } from "./opcodes.ts";

/** From this size on, a look whether a pickle is whole comes first. */
export const SKIMMED: number = 1 << 16;

const EMPTY = new Uint8Array(0);

/**
 * Looks whether a pickle ends.
 *
 * @param bytes The pickle, and perhaps more.
 * @param range `from`: offset of the opcode to begin with; `end`: where the
 * bytes end that are there; `scanned`: up to where that opcode has no line
 * break.
 * @returns Offset of the opcode that is not wholly there, the end of the bytes
 * where there is no more; -1 where the pickle ends, or has bytes in it that are
 * no opcode.
 */
export function findTruncation(
  bytes: Uint8Array,
  { from = 0, end = bytes.length, scanned = 0 }: {
    from?: number;
    end?: number;
    scanned?: number;
  } = {},
): number {
  let at = from;
  while (at < end) {
    const code = bytes[at]!;
    if (code === STOP) return -1;
    const size = opcodeSize(bytes, { at, end, scanned });
    if (size === 0) return -1;
    // Lengths below zero: whoever reads them says so.
    if (size - 5 > 0x7fff_ffff && (code === BINSTRING || code === LONG4)) {
      return -1;
    }
    if (size < 0 || at + size > end) return at;
    at += size;
    if (
      ((code === SHORT_BINUNICODE && size === 19) ||
        (code === GLOBAL && size > 20)) &&
      isInlineArray(bytes, code === GLOBAL ? at - 1 : at)
    ) return -1;
  }
  return end;
}

/**
 * Whether text names the class of joblib behind which raw bytes stand among the
 * opcodes.
 *
 * @param bytes Where the text stands.
 * @param end Where it ends.
 * @returns Whether it does.
 */
export function isInlineArray(bytes: Uint8Array, end: number): boolean {
  // Only its first letter is looked for in most cases.
  return bytes[end - 17] === 0x4e && bytes[end - 16] === 0x75 &&
    String.fromCharCode(...bytes.subarray(end - 17, end)) ===
      "NumpyArrayWrapper";
}

/** What has arrived of a pickle, until that is all of it. */
export class HeldPickle {
  /** Offset of the first byte in the stream. */
  readonly from: number;
  readonly #most: number;
  #bytes: Uint8Array = EMPTY;
  #size = 0;
  #at = 0;
  #scanned = 0;
  #isReady = false;

  /**
   * Makes one that holds nothing.
   *
   * @param from Offset in the stream of what is to come, an opcode.
   * @param most How many bytes are worth waiting for.
   */
  constructor(from: number, most: number) {
    this.from = from;
    this.#most = most;
  }

  /** All that it holds. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Offset in the stream of the opcode that has not wholly arrived. */
  get position(): number {
    return this.from + this.#at;
  }

  /** Whether the last byte could be the end of a pickle. */
  get mayEnd(): boolean {
    return this.#bytes[this.#size - 1] === STOP;
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next; it is copied.
   */
  push(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#bytes.length) {
      // Beyond the most, nothing more comes.
      const room = Math.min(size * 4, this.#most + SKIMMED);
      const bytes = new Uint8Array(Math.max(room, size));
      bytes.set(this.bytes);
      this.#bytes = bytes;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  /**
   * Looks on.
   *
   * @returns Whether nothing is to be waited for: the pickle is whole, or
   * damaged, or too long.
   */
  look(): boolean {
    if (this.#isReady) return true;
    const at = findTruncation(this.#bytes, {
      from: this.#at,
      end: this.#size,
      scanned: this.#scanned,
    });
    if (at >= 0) {
      this.#at = at;
      this.#scanned = this.#size;
    }
    return this.#isReady = at < 0 || this.#size > this.#most ||
      // Of several lines, all would be searched again each time.
      (LINES[this.#bytes[at]!]! > 1 && this.#size - at > SKIMMED);
  }
}
