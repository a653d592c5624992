/**
 * Python's files in memory: `io.BytesIO` and `io.StringIO`.
 *
 * @module
 */

import { attributesIn, isIntWithin } from "./arguments.ts";
import { Global } from "./object.ts";
import { register } from "./registry.ts";
import { Tuple } from "./tuple.ts";

const POSITIONS = [0, Number.MAX_SAFE_INTEGER] as const;

/**
 * A Python `io.BytesIO`.
 *
 * @example Write one
 * ```ts
 * import { BytesIO, pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new BytesIO(Uint8Array.of(1, 2), 1)));
 * assertEquals((back as BytesIO).position, 1);
 * ```
 */
export class BytesIO {
  /** Its contents. */
  value: Uint8Array;
  /** Where the next byte is read or written. */
  position: number;
  /** Attributes of its own, or null. */
  attributes: unknown = null;

  /**
   * Makes one.
   *
   * @param value Its contents.
   * @param position Where the next byte is read or written.
   */
  constructor(value: Uint8Array = new Uint8Array(0), position = 0) {
    this.value = value;
    this.position = position;
  }
}

/**
 * A Python `io.StringIO`.
 *
 * @example Write one
 * ```ts
 * import { pickle, StringIO } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new StringIO("some text")));
 * assertEquals(String(back), "some text");
 * ```
 */
export class StringIO {
  /** Its contents. */
  value: string;
  /** Where the next character is read or written. */
  position: number;
  /** What it does with line ends: Python's `newline`. */
  newline: string | null = "\n";
  /** Attributes of its own, or null. */
  attributes: unknown = null;

  /**
   * Makes one.
   *
   * @param value Its contents.
   * @param position Where the next character is read or written.
   */
  constructor(value = "", position = 0) {
    this.value = value;
    this.position = position;
  }

  /**
   * Its contents.
   *
   * @returns The text.
   */
  toString(): string {
    return this.value;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns Its contents.
   */
  toJSON(): string {
    return this.value;
  }
}

function buildBytesIO(value: BytesIO, state: unknown): boolean {
  if (!Array.isArray(state) || state.length < 3) return false;
  const [bytes, position, attributes] = state;
  if (!(bytes instanceof Uint8Array) || !isIntWithin(position, POSITIONS)) {
    return false;
  }
  value.value = bytes;
  value.position = position;
  value.attributes = attributes;
  return true;
}

function buildStringIO(value: StringIO, state: unknown): boolean {
  if (!Array.isArray(state)) return buildOldStringIO(value, state);
  const [text, newline, position, attributes] = state;
  if (
    state.length < 4 || typeof text !== "string" ||
    !(newline === null || typeof newline === "string") ||
    !isIntWithin(position, POSITIONS)
  ) return false;
  value.value = text;
  value.newline = newline;
  value.position = position;
  value.attributes = attributes;
  return true;
}

/** Python 2's StringIO is an object with a list of what was written. */
function buildOldStringIO(value: StringIO, state: unknown): boolean {
  const attributes = attributesIn(state);
  const parts = attributes?.get("buflist") ?? [];
  const position = attributes?.get("pos") ?? 0;
  if (attributes === undefined || !Array.isArray(parts)) return false;
  const all = [attributes.get("buf") ?? "", ...parts];
  if (!all.every((part) => typeof part === "string")) return false;
  if (!isIntWithin(position, POSITIONS)) return false;
  value.value = all.join("");
  value.position = position;
  return true;
}

/** Python does not write them below protocol 2, but reads a call. */
function viaFor(protocol: number): "new" | "reduce" {
  return protocol < 2 ? "reduce" : "new";
}

register(
  {
    names: ["_io.BytesIO", "io.BytesIO", "_pyio.BytesIO"],
    make: (args) => {
      const [bytes = new Uint8Array(0)] = args;
      return args.length <= 1 && bytes instanceof Uint8Array
        ? new BytesIO(bytes)
        : undefined;
    },
    build: buildBytesIO,
    class: BytesIO,
    reduce: ({ value, position, attributes }: BytesIO, { protocol }) => ({
      callable: new Global("_io", "BytesIO"),
      args: [],
      via: viaFor(protocol),
      state: Tuple.of<unknown>(value, position, attributes),
    }),
    toPlain: ({ value }: BytesIO) => value,
  },
  {
    // Python 2's `StringIO` and `cStringIO` are read under the name `io`.
    names: [
      "_io.StringIO",
      "io.StringIO",
      "_pyio.StringIO",
      "StringIO.StringIO",
      "cStringIO.StringIO",
    ],
    make: (args) => {
      const [text = ""] = args;
      return args.length <= 1 && typeof text === "string"
        ? new StringIO(text)
        : undefined;
    },
    build: buildStringIO,
    class: StringIO,
    reduce: (
      { value, newline, position, attributes }: StringIO,
      { protocol },
    ) => ({
      callable: new Global("_io", "StringIO"),
      args: [],
      via: viaFor(protocol),
      state: Tuple.of<unknown>(value, newline, position, attributes),
    }),
    toPlain: ({ value }: StringIO) => value,
  },
);
