/**
 * What goes wrong with JSON.
 *
 * @module
 */

/** Which rule a JSON text breaks. */
export type JSONDecodeErrorCode =
  | "expecting-value"
  | "expecting-property-name"
  | "expecting-colon"
  | "expecting-comma"
  | "trailing-comma"
  | "unterminated-string"
  | "control-character"
  | "bad-escape"
  | "bad-unicode-escape"
  | "extra-data"
  | "unexpected-bom"
  | "bad-encoding"
  | "not-a-container"
  | "bad-tag"
  | "not-allowed";

/** Where in a text something is. */
export interface Place {
  /** Code points before it. */
  pos: number;
  /** Its line, from 1. */
  lineno: number;
  /** Its column, from 1, in code points. */
  colno: number;
}

/** What {@linkcode JSONDecodeError} is made of beside its message. */
export interface JSONDecodeErrorInit extends ErrorOptions, Place {
  /** Which rule is broken. */
  code: JSONDecodeErrorCode;
  /** The text that was read; empty where it came as a stream. */
  doc: string;
}

/**
 * A text that is no JSON, or not the JSON that Python takes. Message and
 * position are those of CPython 3.13.
 *
 * @example Say where it is wrong
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () => json.loads('{"a": 1,\n "b": }'),
 *   json.JSONDecodeError,
 * );
 * assertEquals(error.message, "Expecting value: line 2 column 7 (char 15)");
 * assertEquals([error.code, error.lineno], ["expecting-value", 2]);
 * ```
 */
export class JSONDecodeError extends SyntaxError {
  /** Which rule is broken: for programs, where `msg` is for people. */
  readonly code: JSONDecodeErrorCode;
  /** Python's message without the position. */
  readonly msg: string;
  /** The text that was read; empty where it came as a stream. */
  readonly doc: string;
  /** Code points before the place. */
  readonly pos: number;
  /** The line, from 1. */
  readonly lineno: number;
  /** The column, from 1, in code points. */
  readonly colno: number;

  /**
   * Makes the error.
   *
   * @param msg What is wrong.
   * @param init Where, and by which rule.
   */
  constructor(msg: string, init: JSONDecodeErrorInit) {
    const { code, doc, pos, lineno, colno, ...options } = init;
    super(`${msg}: line ${lineno} column ${colno} (char ${pos})`, options);
    this.name = "JSONDecodeError";
    this.code = code;
    this.msg = msg;
    this.doc = doc;
    this.pos = pos;
    this.lineno = lineno;
    this.colno = colno;
  }
}

/**
 * Bytes that are no text in the encoding they seem to have. The message is
 * Python's, whose `UnicodeDecodeError` it stands for; `pos` counts bytes.
 *
 * @example Read what is no UTF-8
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () => json.loads(new Uint8Array([0x22, 0xff, 0x22])),
 *   json.UnicodeDecodeError,
 * );
 * assertEquals(
 *   error.message,
 *   "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte",
 * );
 * ```
 */
export class UnicodeDecodeError extends JSONDecodeError {
  /**
   * Makes the error.
   *
   * @param message Python's message.
   * @param pos Offset of the first wrong byte.
   */
  constructor(message: string, pos: number) {
    super(message, {
      code: "bad-encoding",
      doc: "",
      pos,
      lineno: 1,
      colno: pos + 1,
    });
    this.name = "UnicodeDecodeError";
    this.message = message;
  }
}

/**
 * JSON with tags that make no sense, or that name what the caller has not
 * allowed. It has no position: tags are read when the text has been.
 *
 * @example Refuse to build
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const text = '{"py/type": "os.system"}';
 * const error = assertThrows(
 *   () => json.loads(text, { types: "tagged", allow: ["shop.Order"] }),
 *   json.TagError,
 * );
 * assertEquals(error.code, "not-allowed");
 * ```
 */
export class TagError extends JSONDecodeError {
  /**
   * Makes the error.
   *
   * @param message What is wrong.
   * @param code Which of the two.
   */
  constructor(message: string, code: "bad-tag" | "not-allowed") {
    super(message, { code, doc: "", pos: 0, lineno: 1, colno: 1 });
    this.name = "TagError";
    this.message = message;
  }
}

/** Why a value cannot be written as JSON. */
export type JSONEncodeErrorCode =
  | "not-serializable"
  | "bad-key"
  | "unsortable-keys"
  | "circular"
  | "not-finite"
  | "lone-surrogate";

/**
 * A value that JSON has no form for. The message is that of CPython 3.13, whose
 * `TypeError`, `ValueError` and `UnicodeEncodeError` it stands for.
 *
 * @example Say which value it is
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () => json.dumps({ a: [1, new Set([2])] }),
 *   json.JSONEncodeError,
 * );
 * assertEquals(error.message, "Object of type set is not JSON serializable");
 * assertEquals(error.path, "$.a[1]");
 * ```
 */
export class JSONEncodeError extends TypeError {
  /** Why. */
  readonly code: JSONEncodeErrorCode;
  /** Where in the value that was given, such as `$.a[3]`. */
  readonly path: string;

  /**
   * Makes the error.
   *
   * @param message Python's message.
   * @param init Why, and where.
   */
  constructor(
    message: string,
    init: ErrorOptions & { code: JSONEncodeErrorCode; path: string },
  ) {
    super(message, init);
    this.name = "JSONEncodeError";
    this.code = init.code;
    this.path = init.path;
  }
}

/** CPython's words; the C scanner's, not those of `json/decoder.py`. */
export const MESSAGES: Readonly<Record<Fault, string>> = {
  "expecting-value": "Expecting value",
  "expecting-property-name":
    "Expecting property name enclosed in double quotes",
  "expecting-colon": "Expecting ':' delimiter",
  "expecting-comma": "Expecting ',' delimiter",
  "array-comma": "Illegal trailing comma before end of array",
  "object-comma": "Illegal trailing comma before end of object",
  "unterminated-string": "Unterminated string starting at",
  "control-character": "Invalid control character at",
  "bad-escape": "Invalid \\escape",
  "bad-unicode-escape": "Invalid \\uXXXX escape",
  "extra-data": "Extra data",
  "unexpected-bom": "Unexpected UTF-8 BOM (decode using utf-8-sig)",
  "not-a-container": "Expecting an array or object",
};

/** As {@linkcode JSONDecodeErrorCode}, but the two trailing commas apart. */
export type Fault =
  | Exclude<
    JSONDecodeErrorCode,
    "trailing-comma" | "bad-encoding" | "bad-tag" | "not-allowed"
  >
  | "array-comma"
  | "object-comma";

/**
 * Makes the error of a fault.
 *
 * @param fault Which.
 * @param place Where.
 * @param doc The text.
 * @returns The error.
 */
export function decodeError(
  fault: Fault,
  place: Place,
  doc = "",
): JSONDecodeError {
  return new JSONDecodeError(MESSAGES[fault], {
    ...place,
    code: fault === "array-comma" || fault === "object-comma"
      ? "trailing-comma"
      : fault,
    doc,
  });
}
