/**
 * What stands on the stack of the machine behind `scan`: symbols of values.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import {
  decodeEscapes,
  decodeLatin1,
  decodeRawUnicodeEscape,
} from "./arguments.ts";
import type { NameEntry, NameVerdict } from "./scan_lists.ts";

/** How a pickle uses a name. */
export type ScanUse = "named" | "called" | "instantiated" | "changed";

/** The more that is done with a name, the more it matters. */
export const USE_RANK: Readonly<Record<ScanUse, number>> = {
  named: 0,
  instantiated: 1,
  called: 2,
  changed: 3,
};

/** What is known of a name in one pickle. */
export interface NameRecord {
  readonly module: string;
  readonly name: string;
  readonly offset: number;
  readonly entry: NameEntry;
  use: ScanUse;
  count: number;
  /** Used as its rule allows, at least once. */
  fits: boolean;
  /** Used otherwise, at least once. */
  misused: boolean;
  /** A judgement on how it is used, beyond the lists. */
  raised?: { verdict: NameVerdict; reason: string };
}

/** A value of which nothing is known but its type. */
export interface Atom {
  readonly kind:
    | "none"
    | "bool"
    | "int"
    | "float"
    | "list"
    | "set"
    | "frozenset"
    | "bytearray"
    | "buffer"
    | "unknown";
}

/** Longer texts are no names. */
export const MAX_NAME = 4096;

/** How the bytes of a string stand for its text. */
export type Form = "utf8" | "latin1" | "quoted" | "raw";

/** A string. */
export class Str {
  readonly kind = "str";
  /** Where the memo has it without its text. */
  slot = -1;
  /** Whether its bytes are the memo's own. */
  isKept = false;
  /**
   * Makes one.
   *
   * @param buffer What holds its bytes; undefined where they are lost
   * @param start Where they begin in it
   * @param stop Where they end in it
   * @param form How they stand for text
   * @param offset Where they stand in the input
   */
  constructor(
    readonly buffer: Uint8Array | undefined,
    readonly start: number,
    readonly stop: number,
    readonly form: Form,
    readonly offset: number,
  ) {}

  /** Its text, or undefined where it is lost, too long or wrong. */
  get text(): string | undefined {
    if (this.buffer === undefined || this.stop - this.start > MAX_NAME) {
      return undefined;
    }
    const content = this.buffer.subarray(this.start, this.stop);
    try {
      return decode(content, this.form);
    } catch {
      return undefined;
    }
  }
}

function decode(content: Uint8Array, form: Form): string {
  switch (form) {
    case "utf8":
      return decodeUtf8(content);
    case "latin1":
      return decodeLatin1(content);
    case "quoted":
      return decodeLatin1(decodeEscapes(content.subarray(1, -1)));
    case "raw":
      return decodeRawUnicodeEscape(content);
  }
}

/** Bytes. */
export class Bytes {
  readonly kind = "bytes";
  /**
   * Makes one.
   *
   * @param offset Where they stand in the input
   * @param content They themselves, while they are at hand
   */
  constructor(
    readonly offset: number,
    readonly content: Uint8Array | undefined,
  ) {}
}

/** What `_codecs.encode(text, "latin1")` gives. */
export class Encoded {
  readonly kind = "bytes";
  /**
   * Makes one.
   *
   * @param text The text
   */
  constructor(readonly text: Str) {}
}

/** A tuple. */
export class Tuple {
  readonly kind = "tuple";
  /**
   * Makes one.
   *
   * @param items Its first items
   * @param size How many there are
   * @param hashable Whether it may be a key
   * @param carried A name in it that only a certain callable may be given
   */
  constructor(
    readonly items: readonly Node[],
    readonly size: number,
    readonly hashable: boolean,
    readonly carried?: NameRecord | undefined,
  ) {}
}

/** The keys that are looked at: those of joblib's arrays. */
const KEPT_KEYS: readonly string[] = [
  "subclass",
  "shape",
  "dtype",
  "numpy_array_alignment_bytes",
];

/**
 * Says which of the keys that are looked at a string is.
 *
 * @param key The string
 * @returns The key, or undefined where it is none of them
 */
export function keptKey(key: Str): string | undefined {
  const { buffer, start, stop, form } = key;
  if (buffer === undefined) return undefined;
  // Escapes make a name longer than it is.
  if (form === "quoted" || form === "raw") {
    return KEPT_KEYS.find((name) => name === key.text);
  }
  const size = stop - start;
  return KEPT_KEYS.find((name) => {
    if (name.length !== size) return false;
    for (let i = 0; i < size; i++) {
      if (name.charCodeAt(i) !== buffer[start + i]) return false;
    }
    return true;
  });
}

/** A dict. */
export class Dict {
  readonly kind = "dict";
  /** Some of its entries; most dicts are never looked into. */
  #entries: Map<string, Node> | undefined;

  /**
   * Looks an entry up.
   *
   * @param key One of a few keys
   * @returns Its value
   */
  get(key: string): Node | undefined {
    return this.#entries?.get(key);
  }

  /**
   * Keeps an entry.
   *
   * @param key One of a few keys
   * @param value Its value
   */
  set(key: string, value: Node): void {
    if (this === LOST_DICT) return;
    this.#entries ??= new Map();
    this.#entries.set(key, lighten(value));
  }
}

/** A value that holds on to no input. */
function lighten(node: Node): Node {
  if (typeof node === "number") return node;
  switch (node.kind) {
    case "str":
    case "bytes":
      return forget(node);
    case "tuple":
      return node.items.every((item) => typeof item === "number")
        ? node
        : forget(node);
    default:
      return node;
  }
}

/** A class, function or module. */
export class Ref {
  readonly kind = "ref";
  /**
   * Makes one.
   *
   * @param record Its name
   */
  constructor(readonly record: NameRecord) {}
}

/** What a call gave. */
export class Made {
  readonly kind = "made";
  /** What numpy calls the type, of a `numpy.dtype`. */
  dtype: string | undefined;
  /** The flags in its state, of a `numpy.dtype`. */
  flags: number | undefined;
  /**
   * Makes one.
   *
   * @param via What was called, as far as it has a name
   * @param callable Whether calling it is what the rule of a partial allows
   */
  constructor(
    readonly via: NameRecord | undefined,
    readonly callable = false,
  ) {}
}

/** What stands on the stack: an int is a number. */
export type Node =
  | number
  | Atom
  | Str
  | Bytes
  | Encoded
  | Tuple
  | Dict
  | Ref
  | Made;

function atom(kind: Atom["kind"]): Atom {
  return Object.freeze({ kind });
}

/** `None`. */
export const NONE: Atom = atom("none");
/** `True` and `False`. */
export const BOOL: Atom = atom("bool");
/** Any integer. */
export const INT: Atom = atom("int");
/** Any float. */
export const FLOAT: Atom = atom("float");
/** Any list. */
export const LIST: Atom = atom("list");
/** Any set. */
export const SET: Atom = atom("set");
/** Any frozenset. */
export const FROZENSET: Atom = atom("frozenset");
/** Any bytearray. */
export const BYTEARRAY: Atom = atom("bytearray");
/** A buffer kept elsewhere. */
export const BUFFER: Atom = atom("buffer");
/** Anything at all. */
export const UNKNOWN: Atom = atom("unknown");
/** The number that begins a torch file. */
export const TORCH_MAGIC: Atom = atom("int");
/** The empty tuple. */
export const EMPTY_TUPLE: Tuple = new Tuple([], 0, true);
/** A string that nobody remembers. */
export const LOST_STR: Str = new Str(undefined, 0, 0, "utf8", -1);
/** Bytes that nobody remembers. */
export const LOST_BYTES: Bytes = new Bytes(-1, undefined);
/** A dict that nobody remembers. */
export const LOST_DICT: Dict = new Dict();
/** A tuple that nobody remembers. */
export const LOST_TUPLE: Tuple = new Tuple([], NaN, true);
/** One with a list or the like in it. */
export const LOST_LISTS_TUPLE: Tuple = new Tuple([], NaN, false);

const LOST_MADE = new Made(undefined);
const LOST_BY_NAME = new WeakMap<NameRecord, Made>();

/**
 * Forgets what a value holds. Values that were alike become the same.
 *
 * @param node The value
 * @returns What is left of it
 */
export function forget(node: Node): Exclude<Node, number> {
  if (typeof node === "number") return INT;
  switch (node.kind) {
    case "str":
      return LOST_STR;
    case "bytes":
      return LOST_BYTES;
    case "dict":
      return LOST_DICT;
    case "tuple":
      // What it carries may end up anywhere.
      if (node.carried !== undefined) node.carried.misused = true;
      if (node.size === 0) return EMPTY_TUPLE;
      return node.hashable ? LOST_TUPLE : LOST_LISTS_TUPLE;
    case "made": {
      const { via } = node;
      if (via === undefined) return LOST_MADE;
      let lost = LOST_BY_NAME.get(via);
      if (lost === undefined) {
        lost = new Made(via);
        LOST_BY_NAME.set(via, lost);
      }
      return lost;
    }
    default:
      return node;
  }
}
