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
  type ArgumentLayout,
  type ArgumentValue,
  decodeArgument,
  readUint,
} from "./arguments.ts";
import { UnpicklingError, type UnpicklingErrorCode } from "./errors.ts";
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

const LAYOUT_BY_CODE: readonly (ArgumentLayout | undefined)[] = OPCODE_BY_CODE
  .map((opcode) => opcode && ARGUMENT_LAYOUTS[opcode.argument]);

const EMPTY = new Uint8Array(0);
const NEWLINE = 0x0a;
const STOP = 0x2e;

/**
 * Reads opcodes from chunks of any size. An opcode whose argument has not
 * wholly arrived is not begun; what waits is a list of chunks, joined once.
 */
export class OpcodeReader {
  readonly #limit: number;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** Offset in the stream of the first of `#bytes`. */
  #base = 0;
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  /** How many bytes the opcode at `#at` takes, as far as is known. */
  #need = 0;
  /** How many line breaks its argument still wants. */
  #lines = 0;
  /** How long the last of these lines is by now. */
  #lineLength = 0;
  #opcode: Opcode = OPCODE_BY_CODE[STOP]!;
  #position = 0;
  #start = 0;
  #stop = 0;
  #afterStop = false;

  /**
   * Makes a reader.
   *
   * @param options What it may take
   */
  constructor(options: OpcodeReaderOptions = {}) {
    this.#limit = options.argumentLength ?? Infinity;
  }

  /** The opcode read last. */
  get opcode(): Opcode {
    return this.#opcode;
  }

  /** Offset in the stream of the opcode read last. */
  get position(): number {
    return this.#position;
  }

  /** Offset in the stream after the opcode read last and its argument. */
  get endPosition(): number {
    return this.#base + this.#at;
  }

  /**
   * The bytes of the argument read last, without the length before it or the
   * line break behind it; a view.
   */
  get content(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#stop);
  }

  /** Offset in the stream of `content`. */
  get contentStart(): number {
    return this.#base + this.#start;
  }

  /** Offset in the stream after `content`. */
  get contentEnd(): number {
    return this.#base + this.#stop;
  }

  /** The argument read last, as `pickletools` reads it. */
  get arg(): ArgumentValue {
    return this.#opcode.argument === "none" ? null : decodeArgument(
      this.#opcode,
      { content: this.content, offset: this.#position },
    );
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next; it is kept, not copied
   */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#at === this.#bytes.length) {
      this.#base += this.#at;
      this.#bytes = chunk;
      this.#at = 0;
      return;
    }
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    let from = 0;
    while (this.#lines > 0 && this.#lineLength <= this.#limit) {
      const found = chunk.indexOf(NEWLINE, from);
      if (found < 0) {
        this.#lineLength += chunk.length - from;
        return;
      }
      this.#lineLength = 0;
      this.#lines--;
      from = found + 1;
    }
  }

  /** Says that no input follows. */
  end(): void {
    this.#ended = true;
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
    if (this.#waiting > 0) {
      const arrived = this.#bytes.length - this.#at + this.#waiting;
      if (
        !this.#ended && this.#lineLength <= this.#limit &&
        (this.#lines > 0 || arrived < this.#need)
      ) return false;
      this.#join(arrived);
    }
    this.#need = 0;
    this.#lines = 0;
    this.#lineLength = 0;
    const bytes = this.#bytes;
    const at = this.#at;
    const length = bytes.length;
    if (at === length) {
      if (!this.#ended || this.#afterStop) return false;
      throw this.#error("truncated", "pickle exhausted before seeing STOP");
    }
    const code = bytes[at]!;
    const layout = LAYOUT_BY_CODE[code];
    if (layout === undefined) {
      const byte = code.toString(16).padStart(2, "0");
      throw this.#error(
        "bad-opcode",
        `at position ${this.#base + at}, opcode 0x${byte} unknown`,
      );
    }
    let start = at + 1;
    let stop: number;
    let end: number;
    if (layout.lines > 0) {
      stop = at;
      for (let line = layout.lines; line > 0; line--) {
        const from = stop + 1;
        stop = bytes.indexOf(NEWLINE, from);
        const size = (stop < 0 ? length : stop) - from;
        if (size > this.#limit) throw this.#tooLong();
        if (stop < 0) {
          this.#lines = line;
          this.#lineLength = size;
          return this.#wait(
            Infinity,
            () => `no newline found when trying to read ${kindAt(code)}`,
          );
        }
      }
      end = stop + 1;
    } else {
      const { prefix } = layout;
      let size = layout.fixed;
      if (prefix > 0) {
        if (length - start < prefix) {
          return this.#wait(1 + prefix, () => {
            const kind = prefix === 4 && layout.signed ? "int" : "uint";
            return `not enough data in stream to read ${kind}${prefix}`;
          });
        }
        size = readUint(bytes, { at: start, size: prefix });
        start += prefix;
        if (layout.signed && size >= 2 ** 31) {
          throw this.#error(
            "bad-length",
            `${kindAt(code)} byte count < 0: ${size - 2 ** 32}`,
            code,
          );
        }
        if (size > this.#limit) throw this.#tooLong();
      }
      const remain = length - start;
      if (remain < size) {
        return this.#wait(
          1 + prefix + size,
          () =>
            prefix === 0 || kindAt(code).startsWith("long")
              ? `not enough data in stream to read ${kindAt(code)}`
              : `expected ${size} bytes in a ${
                kindAt(code)
              }, but only ${remain} remain`,
        );
      }
      stop = end = start + size;
    }
    this.#opcode = OPCODE_BY_CODE[code]!;
    this.#position = this.#base + at;
    this.#start = start;
    this.#stop = stop;
    this.#at = end;
    this.#afterStop = code === STOP;
    return true;
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
      opcode: this.#opcode,
      arg: this.arg,
      position: this.#position,
    };
  }

  #join(size: number): void {
    const joined = new Uint8Array(size);
    joined.set(this.#bytes.subarray(this.#at));
    let offset = this.#bytes.length - this.#at;
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

  #wait(need: number, message: () => string): false {
    if (this.#ended) {
      throw this.#error("truncated", message(), this.#bytes[this.#at]);
    }
    this.#need = need;
    return false;
  }

  #error(
    code: UnpicklingErrorCode,
    message: string,
    opcode?: number,
  ): UnpicklingError {
    return new UnpicklingError(message, {
      code,
      offset: this.#base + this.#at,
      opcode: opcode === undefined ? undefined : OPCODE_BY_CODE[opcode]?.name,
    });
  }

  #tooLong(): LimitError {
    return new LimitError("argumentLength", this.#limit, {
      offset: this.#base + this.#at,
    });
  }
}

/** The kind of argument, as Python's messages name it. */
function kindAt(code: number): string {
  const kind = OPCODE_BY_CODE[code]!.argument;
  // `pickletools` reads all other lines with the reader of `stringnl`.
  return kind !== "unicodestringnl" && ARGUMENT_LAYOUTS[kind].lines > 0
    ? "stringnl"
    : kind;
}
