/**
 * The stream of opcodes, without what they do: for all that reads a pickle and
 * builds no values.
 *
 * @module
 */

import { LimitError } from "../python/limits.ts";
import { MORE } from "../streams/machine_stream.ts";
import {
  ARGUMENT_LAYOUTS,
  type ArgumentValue,
  decodeArgument,
  readUint,
} from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
import {
  CUT,
  isSigned,
  LONG,
  NEGATIVE,
  OpcodeInput,
  type Step,
  WANT,
  WHOLE,
} from "./opcode_input.ts";
import { LINES, PREFIX_SIZE } from "./opcode_size.ts";
import { type Opcode, OPCODE_BY_CODE } from "./opcodes.ts";

/** An opcode with its argument, as `pickletools.genops` gives it. */
export interface Instruction {
  /** The opcode's row of the table. */
  readonly opcode: Opcode;
  /** Its argument, null where it has none. */
  readonly arg: ArgumentValue;
  /** Offset of the opcode in the stream. */
  readonly position: number;
}

/** Options of an {@linkcode OpcodeReader}. */
export interface OpcodeReaderOptions {
  /**
   * Longest argument, in bytes.
   *
   * @default {Infinity}
   */
  argumentLength?: number;
}

const STOP = 0x2e;

/** Reads opcodes from chunks of any size, and tells damage as `pickletools`. */
export class OpcodeReader extends OpcodeInput {
  readonly #limit: number;

  /**
   * Makes a reader.
   *
   * @param options What it may take
   */
  constructor(options: OpcodeReaderOptions = {}) {
    const limit = options.argumentLength ?? Infinity;
    super({ longest: limit, longestLine: limit });
    this.#limit = limit;
  }

  /** The opcode read last. */
  get opcode(): Opcode {
    return OPCODE_BY_CODE[this.code]!;
  }

  /** The argument read last, as `pickletools` reads it. */
  get arg(): ArgumentValue {
    const { opcode } = this;
    return opcode.argument === "none" ? null : decodeArgument(
      opcode,
      { content: this.content, offset: this.position },
    );
  }

  /**
   * Reads the next opcode.
   *
   * @returns Whether there is one; if not, more input is wanted, or the input
   * ends behind a STOP
   * @throws {UnpicklingError} If there is no such opcode, or the input ends
   * within it or without a STOP
   * @throws {LimitError} If its argument is longer than allowed
   */
  advance(): boolean {
    const step = this.step();
    if (step === WHOLE) return true;
    if (step === WANT || this.isEmpty && this.code === STOP) return false;
    throw this.#fault(step);
  }

  /**
   * Reads the next opcode and its argument.
   *
   * @returns Both, or `MORE` when more input is wanted, or the input ends
   * behind a STOP
   * @throws {UnpicklingError} If the opcode or its argument is damaged
   * @throws {LimitError} If its argument is longer than allowed
   */
  next(): Instruction | typeof MORE {
    if (!this.advance()) return MORE;
    return {
      opcode: this.opcode,
      arg: this.arg,
      position: this.position,
    };
  }

  /** What is wrong with the opcode that comes next. */
  #fault(step: Step): UnpicklingError | LimitError {
    if (step === LONG) {
      const offset = this.position;
      return new LimitError("argumentLength", this.#limit, { offset });
    }
    const offset = this.endPosition;
    const bytes = this.from(offset);
    const code = bytes[0];
    if (step === CUT) {
      return this.#error("truncated", cutMessage(bytes), code);
    }
    if (step === NEGATIVE) {
      const size = readUint(bytes, { at: 1, size: 4 }) - 2 ** 32;
      const message = `${kindAt(code!)} byte count < 0: ${size}`;
      return this.#error("bad-length", message, code);
    }
    const byte = code!.toString(16).padStart(2, "0");
    const message = `at position ${offset}, opcode 0x${byte} unknown`;
    return this.#error("bad-opcode", message);
  }

  #error(
    code: UnpicklingErrorCode,
    message: string,
    opcode?: number,
  ): UnpicklingError {
    return new UnpicklingError(message, {
      code,
      offset: this.endPosition,
      opcode: opcode === undefined ? undefined : OPCODE_BY_CODE[opcode]?.name,
    });
  }
}

/** What is missing of an opcode, in Python's words. */
function cutMessage(bytes: Uint8Array): string {
  const code = bytes[0];
  if (code === undefined) return "pickle exhausted before seeing STOP";
  const kind = kindAt(code);
  if (LINES[code]! > 0) return `no newline found when trying to read ${kind}`;
  const size = PREFIX_SIZE[code]!;
  const remain = bytes.length - 1 - size;
  if (remain < 0 && size > 0) {
    const sign = size === 4 && isSigned(code) ? "int" : "uint";
    return `not enough data in stream to read ${sign}${size}`;
  }
  if (size === 0 || kind.startsWith("long")) {
    return `not enough data in stream to read ${kind}`;
  }
  const wanted = readUint(bytes, { at: 1, size });
  return `expected ${wanted} bytes in a ${kind}, but only ${remain} remain`;
}

/** The kind of argument, as Python's messages name it. */
function kindAt(code: number): string {
  const kind = OPCODE_BY_CODE[code]!.argument;
  // `pickletools` reads all other lines with the reader of `stringnl`.
  return kind !== "unicodestringnl" && ARGUMENT_LAYOUTS[kind].lines > 0
    ? "stringnl"
    : kind;
}
