/**
 * What goes wrong with pickles.
 *
 * @module
 */

/** What kind of damage an {@linkcode UnpicklingError} reports. */
export type UnpicklingErrorCode =
  | "truncated"
  | "bad-opcode"
  | "bad-protocol"
  | "bad-frame"
  | "bad-number"
  | "bad-length"
  | "bad-string"
  | "bad-utf8"
  | "bad-global"
  | "bad-args"
  | "bad-target"
  | "bad-ext"
  | "stack-underflow"
  | "stack-left"
  | "unexpected-mark"
  | "no-mark"
  | "odd-items"
  | "memo-missing"
  | "memo-taken"
  | "unhashable"
  | "not-callable"
  | "not-a-type"
  | "no-buffers"
  | "no-persistent-load"
  | "bad-state"
  | "not-a-pickle"
  | "not-streamable";

/** Where and why of an {@linkcode UnpicklingError}. */
export interface UnpicklingErrorOptions {
  /** What kind of damage it is. */
  code: UnpicklingErrorCode;
  /** Offset of the opcode, or of the byte that is none. */
  offset: number;
  /** Name of the opcode, where there is one. */
  opcode?: string | undefined;
  /** The error beneath, if any. */
  cause?: unknown;
}

/**
 * A pickle that cannot be read.
 *
 * @example Read a damaged pickle
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * try {
 *   pickle.loads(new Uint8Array([0x80, 0x04, 0x4e]));
 * } catch (error) {
 *   if (!(error instanceof pickle.UnpicklingError)) throw error;
 *   assertEquals(error.code, "truncated");
 * }
 * ```
 */
export class UnpicklingError extends SyntaxError {
  /** What kind of damage it is. */
  readonly code: UnpicklingErrorCode;
  /** Offset of the opcode, or of the byte that is none. */
  readonly offset: number;
  /** Name of the opcode, where there is one. */
  readonly opcode?: string;

  /**
   * Makes the error.
   *
   * @param message What is wrong, in few words.
   * @param options Where and why.
   */
  constructor(message: string, options: UnpicklingErrorOptions) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "UnpicklingError";
    this.code = options.code;
    this.offset = options.offset;
    if (options.opcode !== undefined) this.opcode = options.opcode;
  }
}

/** What kind of value a {@linkcode PicklingError} refuses. */
export type PicklingErrorCode =
  | "unsupported-value"
  | "unsupported-protocol"
  | "bad-reduce"
  | "circular"
  | "too-large";

/**
 * A value that cannot be pickled.
 *
 * @example Pickle a function
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => pickle.dumps({ f() {} }), pickle.PicklingError);
 * ```
 */
export class PicklingError extends TypeError {
  /** What kind of value it is. */
  readonly code: PicklingErrorCode;
  /** Where in the value it stands, such as `$.rows[3].f`. */
  readonly path: string;

  /**
   * Makes the error.
   *
   * @param message What is wrong, in few words.
   * @param options What kind of value it is, and where.
   */
  constructor(
    message: string,
    options: { code: PicklingErrorCode; path: string; cause?: unknown },
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "PicklingError";
    this.code = options.code;
    this.path = options.path;
  }
}
