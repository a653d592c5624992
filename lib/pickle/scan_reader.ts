/**
 * The opcodes of a pickle of any length, in memory that does not grow with it:
 * long arguments pass by in parts.
 *
 * @module
 */

import {
  ARGUMENT_LAYOUTS,
  type ArgumentLayout,
  readUint,
} from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import { OPCODE_BY_CODE } from "./opcodes.ts";

/** More input is wanted. */
export const WANT = 0;
/** An opcode with its whole argument. */
export const WHOLE = 1;
/** An opcode whose argument is long and comes in parts. */
export const BEGIN = 2;
/** A part of a long argument, or of bytes that are no opcodes. */
export const PART = 3;
/** The end of a long argument, or of bytes that are no opcodes. */
export const END = 4;

/** What {@linkcode ScanReader.next} has read. */
export type ReaderEvent =
  | typeof WANT
  | typeof WHOLE
  | typeof BEGIN
  | typeof PART
  | typeof END;

/** Longer arguments come in parts. */
export const KEPT_ARGUMENT = 1_048_576;
/** Longer lines are skipped. */
export const KEPT_LINE = 16_777_216;

const LAYOUT_BY_CODE: readonly (ArgumentLayout | undefined)[] = OPCODE_BY_CODE
  .map((opcode) => opcode && ARGUMENT_LAYOUTS[opcode.argument]);

const EMPTY = new Uint8Array(0);
const NEWLINE = 0x0a;

/** Reads opcodes from chunks of any size. All offsets are those of the input. */
export class ScanReader {
  readonly #kept: number;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** Offset in the input of the first of `#bytes`. */
  #base: number;
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  /** How many bytes the opcode at `#at` takes, as far as is known. */
  #need = 0;
  /** How many line breaks its argument still wants. */
  #lines = 0;
  /** How many bytes of these lines are there by now. */
  #lineLength = 0;
  /** How many line breaks are wanted of lines that are skipped. */
  #skipping = 0;
  /** How many bytes of a long argument are to come. */
  #passing = 0;
  #inParts = false;
  #start = 0;
  #stop = 0;

  /** The code of the opcode read last. */
  code = 0;
  /** Offset of the opcode read last. */
  position = 0;
  /** How long its argument says it is, where it comes in parts. */
  size = 0;
  /** Whether its argument was a line that is too long, so that it is lost. */
  isLost = false;

  /**
   * Makes a reader.
   *
   * @param base Offset of the first byte
   * @param kept Longer arguments come in parts
   */
  constructor(base = 0, kept: number = KEPT_ARGUMENT) {
    this.#base = base;
    this.#kept = kept;
  }

  /** Name of the opcode read last. */
  get opcode(): string {
    return OPCODE_BY_CODE[this.code]?.name ?? "";
  }

  /** Offset behind what was read last. */
  get end(): number {
    return this.#base + this.#at;
  }

  /** Whether all bytes that have arrived were read. */
  get isEmpty(): boolean {
    return this.#at === this.#bytes.length && this.#waiting === 0;
  }

  /** Where the argument stands, in `buffer`. */
  get start(): number {
    return this.#start;
  }

  /** Where the argument ends, in `buffer`. */
  get stop(): number {
    return this.#stop;
  }

  /** The bytes that hold the argument read last, among others. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** The argument read last, or a part of it, without what is around it. */
  get content(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#stop);
  }

  /** The argument read last as an unsigned integer, little-endian. */
  get uint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let i = this.#stop - 1; i >= this.#start; i--) {
      value = value * 256 + bytes[i]!;
    }
    return value;
  }

  /** Offset of the argument read last. */
  get contentStart(): number {
    return this.#base + this.#start;
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
   * Takes input.
   *
   * @param chunk What comes next; it is kept, not copied
   */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#at === this.#bytes.length && this.#waiting === 0) {
      this.#base += this.#at;
      this.#bytes = chunk;
      this.#at = 0;
      return;
    }
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    for (let from = 0; this.#lines > 0;) {
      const found = chunk.indexOf(NEWLINE, from);
      if (found < 0) {
        this.#lineLength += chunk.length - from;
        return;
      }
      this.#lines--;
      from = found + 1;
    }
  }

  /** Says that no input follows. */
  close(): void {
    this.#ended = true;
  }

  /**
   * Lets bytes that are no opcodes pass, in parts.
   *
   * @param size How many, more than none
   */
  pass(size: number): void {
    this.#join();
    this.position = this.end;
    this.#passing = size;
    this.#inParts = true;
  }

  /**
   * Reads on.
   *
   * @returns What was read
   * @throws {UnpicklingError} If there is no such opcode, or the input ends
   * within it or before it
   */
  next(): ReaderEvent {
    if (this.#inParts) return this.#part();
    if (this.#skipping > 0) return this.#skip();
    if (this.#waiting > 0) {
      const arrived = this.#bytes.length - this.#at + this.#waiting;
      if (
        !this.#ended && (this.#lines > 0 || arrived < this.#need) &&
        this.#lineLength <= KEPT_LINE
      ) return WANT;
      this.#join();
    }
    this.#need = 0;
    this.#lines = 0;
    this.#lineLength = 0;
    const bytes = this.#bytes;
    const at = this.#at;
    const length = bytes.length;
    if (at === length) {
      if (!this.#ended) return WANT;
      throw this.#error("truncated", "the input ends without a STOP");
    }
    const code = bytes[at]!;
    const layout = LAYOUT_BY_CODE[code];
    if (layout === undefined) {
      const byte = code.toString(16).padStart(2, "0");
      throw this.#error("bad-opcode", `there is no opcode 0x${byte}`);
    }
    let start = at + 1;
    let stop: number;
    let end: number;
    this.isLost = false;
    if (layout.lines > 0) {
      stop = at;
      for (let line = layout.lines; line > 0; line--) {
        const from = stop + 1;
        stop = bytes.indexOf(NEWLINE, from);
        if (stop < 0 || stop - at > KEPT_LINE) {
          if (length - at > KEPT_LINE) {
            this.code = code;
            this.position = this.#base + at;
            this.#skipping = line;
            this.#at = from;
            return this.#skip();
          }
          if (this.#ended) {
            throw this.#error("truncated", "the input ends within a line");
          }
          this.#lines = line;
          this.#lineLength = length - at;
          return WANT;
        }
      }
      end = stop + 1;
    } else {
      const { prefix } = layout;
      let size = layout.fixed;
      if (prefix > 0) {
        if (length - start < prefix) return this.#wait(1 + prefix);
        size = prefix === 1
          ? bytes[start]!
          : readUint(bytes, { at: start, size: prefix });
        start += prefix;
        if (layout.signed && size >= 2 ** 31) {
          throw this.#error("bad-length", "a length below zero");
        }
        if (size > this.#kept) {
          this.code = code;
          this.position = this.#base + at;
          this.size = size;
          this.#at = this.#start = this.#stop = start;
          this.#passing = size;
          this.#inParts = true;
          return BEGIN;
        }
      }
      if (length - start < size) return this.#wait(1 + prefix + size);
      stop = end = start + size;
    }
    this.code = code;
    this.position = this.#base + at;
    this.#start = start;
    this.#stop = stop;
    this.#at = end;
    return WHOLE;
  }

  #part(): ReaderEvent {
    if (this.#passing === 0) {
      this.#inParts = false;
      return END;
    }
    const left = this.#bytes.length - this.#at;
    if (left === 0) {
      if (!this.#ended) return WANT;
      throw this.#error("truncated", "the input ends within a value");
    }
    const size = Math.min(left, this.#passing);
    this.#start = this.#at;
    this.#stop = this.#at += size;
    this.#passing -= size;
    return PART;
  }

  /** Skips lines that are too long to be kept. */
  #skip(): ReaderEvent {
    this.#join();
    const bytes = this.#bytes;
    while (this.#skipping > 0) {
      const found = bytes.indexOf(NEWLINE, this.#at);
      if (found < 0) {
        this.#at = bytes.length;
        if (!this.#ended) return WANT;
        throw this.#error("truncated", "the input ends within a line");
      }
      this.#at = found + 1;
      this.#skipping--;
    }
    this.#start = this.#stop = this.#at;
    this.isLost = true;
    return WHOLE;
  }

  #join(): void {
    if (this.#waiting === 0) return;
    const rest = this.#bytes.length - this.#at;
    const joined = new Uint8Array(rest + this.#waiting);
    joined.set(this.#bytes.subarray(this.#at));
    let offset = rest;
    for (const chunk of this.#chunks) {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
    this.#base += this.#at;
    this.#bytes = joined;
    this.#at = 0;
    this.#chunks = [];
    this.#waiting = 0;
  }

  #wait(need: number): typeof WANT {
    if (this.#ended) {
      throw this.#error(
        "truncated",
        "the input ends within a value",
        this.#bytes[this.#at],
      );
    }
    this.#need = need;
    return WANT;
  }

  #error(
    code: UnpicklingErrorCode,
    message: string,
    opcode = this.#inParts || this.#skipping > 0 ? this.code : undefined,
  ): UnpicklingError {
    return new UnpicklingError(message, {
      code,
      offset: this.#inParts || this.#skipping > 0
        ? this.position
        : this.#base + this.#at,
      opcode: opcode === undefined ? undefined : OPCODE_BY_CODE[opcode]?.name,
    });
  }
}
