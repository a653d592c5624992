/**
 * Input as it arrives, cut into opcodes: what all readers of opcodes share.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { ARGUMENT_LAYOUTS, readUint } from "./arguments.ts";
import {
  findLineBreak,
  FIXED_SIZE,
  LINES,
  PREFIX_SIZE,
} from "./opcode_size.ts";
import { OPCODE_BY_CODE } from "./opcodes.ts";

/** More input is wanted. */
export const WANT = 0;
/** An opcode with its whole argument. */
export const WHOLE = 1;
/** An opcode whose argument is too long; its first byte comes next. */
export const LONG = 2;
/** The input ends within an opcode, or where one should be. */
export const CUT = 3;
/** There is no such opcode. */
export const UNKNOWN = 4;
/** The length of the argument is below zero. */
export const NEGATIVE = 5;

/** What {@linkcode OpcodeInput.step} has come to. */
export type Step =
  | typeof WANT
  | typeof WHOLE
  | typeof LONG
  | typeof CUT
  | typeof UNKNOWN
  | typeof NEGATIVE;

/** Options of an {@linkcode OpcodeInput}. */
export interface OpcodeInputOptions {
  /**
   * Offset of the first byte.
   *
   * @default {0}
   */
  base?: number;
  /**
   * Longest argument that has its length before it.
   *
   * @default {Infinity}
   */
  longest?: number;
  /**
   * Longest line.
   *
   * @default {Infinity}
   */
  longestLine?: number;
  /**
   * Most bytes before the end of the last line, with the opcode.
   *
   * @default {Infinity}
   */
  longestLines?: number;
}

const EMPTY = new Uint8Array(0);
const NEWLINE = 0x0a;

/**
 * Takes chunks of any size and finds the opcodes in them. One whose argument
 * has not wholly arrived is not begun; what waits is joined once. All offsets
 * are those of the input.
 */
export class OpcodeInput {
  readonly #longest: number;
  readonly #longestLine: number;
  readonly #longestLines: number;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** Offset in the input of the first of `#bytes`. */
  #base: number;
  /** All that is not read, from `#at` on, if it is more than `#bytes`. */
  readonly #queue = new ChunkQueue();
  #ended = false;
  /** With fewer bytes it is no use to look at the opcode at `#at` again. */
  #need = 0;
  /** But for this many line breaks, which its argument still wants. */
  #lines = 0;
  #code = 0;
  #position = 0;
  #start = 0;
  #stop = 0;
  #size = 0;

  /**
   * Makes an input.
   *
   * @param options Where it begins, and how long arguments may be
   */
  constructor(options: OpcodeInputOptions = {}) {
    this.#base = options.base ?? 0;
    this.#longest = options.longest ?? Infinity;
    this.#longestLine = options.longestLine ?? Infinity;
    this.#longestLines = options.longestLines ?? Infinity;
  }

  /** The code of the opcode read last. */
  get code(): number {
    return this.#code;
  }

  /** Offset of the opcode read last. */
  get position(): number {
    return this.#position;
  }

  /** Offset behind what was read last. */
  get endPosition(): number {
    return this.#base + this.#at;
  }

  /** How long an argument that is too long says it is; not known of lines. */
  get size(): number {
    return this.#size;
  }

  /** The bytes that hold the argument read last, among others. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** Where the argument stands, in `buffer`. */
  get start(): number {
    return this.#start;
  }

  /** Where the argument ends, in `buffer`. */
  get stop(): number {
    return this.#stop;
  }

  /**
   * The bytes of the argument read last, without the length before it or the
   * line break behind it, or the part that was taken last; a view.
   */
  get content(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#stop);
  }

  /** Offset of `content`. */
  get contentStart(): number {
    return this.#base + this.#start;
  }

  /** Offset behind `content`. */
  get contentEnd(): number {
    return this.#base + this.#stop;
  }

  /** Whether all bytes that have arrived were read. */
  get isEmpty(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Whether no input follows. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next; it is kept, and copied only if it is small
   */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#at === this.#bytes.length) {
      this.#base += this.#at;
      this.#bytes = chunk;
      this.#at = 0;
      return;
    }
    const queue = this.#queue;
    if (queue.size === 0) queue.push(this.#bytes.subarray(this.#at));
    queue.push(chunk);
    for (let from = 0; this.#lines > 0; this.#lines--) {
      from = chunk.indexOf(NEWLINE, from) + 1;
      if (from === 0) return;
      if (this.#lines === 1) this.#need = 0;
    }
  }

  /** Says that no input follows. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Gives what has arrived of the bytes from an offset on.
   *
   * @param offset An offset not before the opcode read last
   * @returns The bytes, perhaps none
   */
  from(offset: number): Uint8Array {
    this.#join();
    return this.#bytes.subarray(Math.max(offset - this.#base, 0));
  }

  /**
   * Reads the next opcode, or where it is damaged stays before it.
   *
   * @returns What it has come to
   */
  step(): Step {
    const arrived = this.#queue.size;
    if (arrived > 0) {
      if (arrived < this.#need && !this.#ended) return WANT;
      this.#join();
    }
    this.#need = 0;
    this.#lines = 0;
    const bytes = this.#bytes;
    const at = this.#at;
    const length = bytes.length;
    if (at === length) return this.#wait(0);
    const code = bytes[at]!;
    let start = at + 1;
    let stop = at + FIXED_SIZE[code]!;
    let end = stop;
    if (stop > at) {
      if (stop > length) return this.#wait(stop - at);
    } else if (PREFIX_SIZE[code]! > 0) {
      const prefix = PREFIX_SIZE[code]!;
      start += prefix;
      if (start > length) return this.#wait(1 + prefix);
      const size = prefix === 1
        ? bytes[at + 1]!
        : readUint(bytes, { at: at + 1, size: prefix });
      if (size >= 2 ** 31 && isSigned(code)) return NEGATIVE;
      if (size > this.#longest) return this.#pause(code, { start, size });
      stop = end = start + size;
      if (stop > length) return this.#wait(stop - at);
    } else {
      let line = LINES[code]!;
      if (line === 0) return UNKNOWN;
      for (; line > 0; line--) {
        const from = stop + 1;
        stop = findLineBreak(bytes, { from, end: length });
        const known = stop < 0 ? length : stop;
        if (
          known - from > this.#longestLine || known - at > this.#longestLines
        ) return this.#pause(code, { start, size: 0 });
        if (stop < 0) {
          this.#lines = line;
          const most = from - at + this.#longestLine;
          return this.#wait(Math.min(most, this.#longestLines) + 1);
        }
      }
      end = stop + 1;
    }
    this.#code = code;
    this.#position = this.#base + at;
    this.#start = start;
    this.#stop = stop;
    this.#at = end;
    return WHOLE;
  }

  /**
   * Takes bytes as they are.
   *
   * @param most How many at most
   * @returns How many, if they have arrived; they are the content now
   */
  take(most: number): number {
    this.#join();
    const size = Math.min(this.#bytes.length - this.#at, most);
    this.#start = this.#at;
    this.#stop = this.#at += size;
    return size;
  }

  /**
   * Passes over a line, as far as it has arrived.
   *
   * @returns Whether its end was there
   */
  skipLine(): boolean {
    this.#join();
    const found = this.#bytes.indexOf(NEWLINE, this.#at);
    this.#at = found < 0 ? this.#bytes.length : found + 1;
    this.#start = this.#stop = this.#at;
    return found >= 0;
  }

  /** Stands before an argument that is too long. */
  #pause(
    code: number,
    { start, size }: { start: number; size: number },
  ): typeof LONG {
    this.#code = code;
    this.#position = this.#base + this.#at;
    this.#at = this.#start = this.#stop = start;
    this.#size = size;
    return LONG;
  }

  #wait(need: number): typeof WANT | typeof CUT {
    this.#need = need;
    return this.#ended ? CUT : WANT;
  }

  #join(): void {
    if (this.#queue.size === 0) return;
    this.#base += this.#at;
    this.#bytes = this.#queue.join();
    this.#at = 0;
  }
}

/**
 * Says whether the length before an argument has a sign.
 *
 * @param code The opcode's code
 * @returns Whether it has
 */
export function isSigned(code: number): boolean {
  return ARGUMENT_LAYOUTS[OPCODE_BY_CODE[code]!.argument].signed;
}
