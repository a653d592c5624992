/**
 * The opcodes of a pickle of any length, in memory that does not grow with it:
 * long arguments pass by in parts.
 *
 * @module
 */

import { readUint } from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import {
  LONG,
  NEGATIVE,
  OpcodeInput,
  type Step,
  UNKNOWN,
  WANT,
  WHOLE,
} from "./opcode_input.ts";
import { LINES } from "./opcode_size.ts";
import { OPCODE_BY_CODE } from "./opcodes.ts";

/** An opcode whose argument is long and comes in parts. */
export const BEGIN = 6;
/** A part of a long argument, or of bytes that are no opcodes. */
export const PART = 7;
/** The end of a long argument, or of bytes that are no opcodes. */
export const END = 8;

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

/** Reads opcodes from chunks of any size. All offsets are those of the input. */
export class ScanReader extends OpcodeInput {
  /** How many line breaks are wanted of lines that are skipped. */
  #skipping = 0;
  /** How many bytes of a long argument are to come. */
  #passing = 0;
  #inParts = false;
  /** Offset of what passes in parts or is skipped. */
  #from = 0;
  #isLost = false;

  /**
   * Makes a reader.
   *
   * @param base Offset of the first byte
   * @param kept Longer arguments come in parts
   */
  constructor(base = 0, kept: number = KEPT_ARGUMENT) {
    super({ base, longest: kept, longestLines: KEPT_LINE });
  }

  /** Whether the argument was a line that is too long, so that it is lost. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** The argument read last as an unsigned integer, little-endian. */
  get uint(): number {
    const { start, stop } = this;
    return readUint(this.buffer, { at: start, size: stop - start });
  }

  /**
   * Lets bytes that are no opcodes pass, in parts.
   *
   * @param size How many, more than none
   */
  pass(size: number): void {
    this.#from = this.endPosition;
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
    const step = this.step();
    if (step === WANT) return WANT;
    this.#isLost = false;
    if (step === WHOLE) return WHOLE;
    if (step !== LONG) throw this.#fault(step);
    const { code } = this;
    this.#from = this.position;
    this.#skipping = LINES[code]!;
    if (this.#skipping > 0) return this.#skip();
    this.#passing = this.size;
    this.#inParts = true;
    return BEGIN;
  }

  #part(): ReaderEvent {
    if (this.#passing === 0) {
      this.#inParts = false;
      return END;
    }
    const size = this.take(this.#passing);
    if (size === 0) return this.#lack("the input ends within a value");
    this.#passing -= size;
    return PART;
  }

  /** Skips lines that are too long to be kept. */
  #skip(): ReaderEvent {
    for (; this.#skipping > 0; this.#skipping--) {
      if (!this.skipLine()) return this.#lack("the input ends within a line");
    }
    this.#isLost = true;
    return WHOLE;
  }

  /** More is wanted of what passes or is skipped. */
  #lack(message: string): typeof WANT {
    if (!this.isEnded) return WANT;
    const { code } = this;
    throw error("truncated", message, { code, offset: this.#from });
  }

  /** What is wrong with the opcode that comes next. */
  #fault(step: Step): UnpicklingError {
    const offset = this.endPosition;
    const [code] = this.from(offset);
    if (step === NEGATIVE) {
      return error("bad-length", "a length below zero", { offset });
    }
    if (step === UNKNOWN) {
      const byte = code!.toString(16).padStart(2, "0");
      return error("bad-opcode", `there is no opcode 0x${byte}`, { offset });
    }
    if (code === undefined) {
      return error("truncated", "the input ends without a STOP", { offset });
    }
    if (LINES[code]! > 0) {
      return error("truncated", "the input ends within a line", { offset });
    }
    const message = "the input ends within a value";
    return error("truncated", message, { code, offset });
  }
}

function error(
  code: UnpicklingErrorCode,
  message: string,
  at: { code?: number; offset: number },
): UnpicklingError {
  const opcode = at.code === undefined ? undefined : OPCODE_BY_CODE[at.code];
  return new UnpicklingError(message, {
    code,
    offset: at.offset,
    opcode: opcode?.name,
  });
}
