/**
 * Makes values of JSON tokens.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import { PyDict } from "../python/dict.ts";
import { Float } from "../python/float.ts";
import { parseIntText } from "../python/int_text.ts";
import type { Limits } from "../python/limits.ts";
import {
  AsciiReader,
  ESCAPE,
  HIGH,
  type JsonSink,
  unescapeText,
} from "./tokens.ts";
import { WideReader } from "./strings.ts";

/** How {@linkcode ValueBuilder} makes values. */
export interface BuilderOptions {
  /** `"map"`: objects become PyDicts. */
  dicts: "auto" | "map";
  /** `"exact"`: whole floats become Floats. */
  floats: "number" | "exact";
  /** Makes something of each object. */
  objectHook: ((value: never) => unknown) | undefined;
  /** Makes something of each object's pairs; wins over `objectHook`. */
  objectPairsHook: ((pairs: [string, never][]) => unknown) | undefined;
  /** Makes ints of their text. */
  parseInt: ((text: string) => unknown) | undefined;
  /** Makes floats of their text. */
  parseFloat: ((text: string) => unknown) | undefined;
  /** Makes something of NaN and the infinities. */
  parseConstant: ((text: string) => unknown) | undefined;
  /** Elements of one container are the values. */
  items: boolean;
  /** How long ints may be. */
  limits: Readonly<Required<Limits>>;
}

/** Keys are met again and again: they are remembered with their bytes. */
interface KnownKey {
  text: string;
  bytes: Uint8Array;
  /** The key that came after it the last time. */
  next: KnownKey | undefined;
}

const KEY_SLOTS = 1024;
const LONGEST_KEY = 64;
/** Shared by all readers: nothing depends on what is in it. */
const knownKeys: (KnownKey | undefined)[] = new Array(KEY_SLOTS);

/** The sink that makes values. */
export class ValueBuilder implements JsonSink {
  readonly #options: BuilderOptions;
  readonly #ascii = new AsciiReader();
  readonly #wide = new WideReader();
  readonly #exact: boolean;
  /** Whether objects are gathered as key, value, key, value …. */
  readonly #flat: boolean;
  readonly #itemDepth: number;

  /** The containers around the current one. */
  #stack: unknown[] = [];
  #keyStack: string[] = [];
  #kinds: boolean[] = [];
  /** The container that is being filled. */
  #current: unknown;
  #isArray = false;
  #key = "";
  #depth = 0;
  #result: unknown;

  #lastKey: KnownKey | undefined;

  /** Where UTF-8 is wrong, so that the error can name the place. */
  wrongAt = 0;

  /**
   * Makes one.
   *
   * @param options How values are made.
   */
  constructor(options: BuilderOptions) {
    this.#options = options;
    this.#exact = options.floats === "exact";
    this.#flat = options.dicts === "map" ||
      options.objectPairsHook !== undefined;
    this.#itemDepth = options.items ? 1 : 0;
  }

  /**
   * Gives the value that is complete.
   *
   * @returns The value; of an object's items, key and value.
   */
  take(): unknown {
    const result = this.#result;
    this.#result = undefined;
    return result;
  }

  #add(value: unknown): void {
    if (this.#depth <= this.#itemDepth) {
      this.#result = this.#depth === 0 || this.#isArray
        ? value
        : [this.#key, value];
    } else if (this.#isArray) {
      (this.#current as unknown[]).push(value);
    } else if (this.#flat) {
      (this.#current as unknown[]).push(this.#key, value);
    } else if (this.#key === "__proto__") {
      Object.defineProperty(this.#current, "__proto__", {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    } else {
      (this.#current as Record<string, unknown>)[this.#key] = value;
    }
  }

  #enter(container: unknown, isArray: boolean): void {
    const depth = this.#depth++;
    this.#stack[depth] = this.#current;
    this.#keyStack[depth] = this.#key;
    this.#kinds[depth] = this.#isArray;
    this.#current = container;
    this.#isArray = isArray;
  }

  #leave(): unknown {
    const value = this.#current;
    const depth = --this.#depth;
    this.#current = this.#stack[depth];
    this.#stack[depth] = undefined;
    this.#key = this.#keyStack[depth]!;
    this.#isArray = this.#kinds[depth]!;
    return value;
  }

  startArray(): void {
    this.#enter([], true);
  }

  endArray(): void {
    this.#add(this.#leave());
  }

  startObject(): void {
    this.#enter(this.#flat ? [] : {}, false);
  }

  endObject(): void {
    const { objectPairsHook, objectHook, dicts } = this.#options;
    let value = this.#leave();
    // The container whose items are the values is none itself.
    if (this.#depth < this.#itemDepth) return;
    if (this.#flat) {
      const flat = value as unknown[];
      if (objectPairsHook !== undefined) {
        const pairs: [string, never][] = [];
        for (let i = 0; i < flat.length; i += 2) {
          pairs.push([flat[i] as string, flat[i + 1] as never]);
        }
        this.#add(objectPairsHook(pairs));
        return;
      }
      if (dicts === "map") value = PyDict.fromFlat(flat);
    }
    this.#add(objectHook === undefined ? value : objectHook(value as never));
  }

  key(bytes: Uint8Array, start: number, end: number, flags: number): void {
    const length = end - start;
    if ((flags & (ESCAPE | HIGH)) !== 0 || length > LONGEST_KEY) {
      this.#key = this.#text(bytes, start, end, flags);
      return;
    }
    const last = this.#lastKey;
    const expected = last?.next;
    if (expected !== undefined && matches(expected, bytes, start, length)) {
      this.#key = expected.text;
      this.#lastKey = expected;
      return;
    }
    let hash = length;
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + bytes[i]!;
    const slot = (hash ^ (hash >>> 10)) & (KEY_SLOTS - 1);
    let known = knownKeys[slot];
    if (known === undefined || !matches(known, bytes, start, length)) {
      known = {
        text: this.#ascii.read(bytes, start, end),
        bytes: bytes.slice(start, end),
        next: undefined,
      };
      knownKeys[slot] = known;
    }
    if (last !== undefined) last.next = known;
    this.#lastKey = known;
    this.#key = known.text;
  }

  string(bytes: Uint8Array, start: number, end: number, flags: number): void {
    this.#add(
      (flags & (ESCAPE | HIGH)) === 0
        ? this.#ascii.read(bytes, start, end)
        : this.#text(bytes, start, end, flags),
    );
  }

  #text(
    bytes: Uint8Array,
    start: number,
    end: number,
    flags: number,
  ): string {
    if ((flags & (ESCAPE | HIGH)) === 0) {
      return this.#ascii.read(bytes, start, end);
    }
    const text = this.#wide.read(bytes, start, end);
    if (text !== undefined) return text;
    this.wrongAt = start;
    if ((flags & ESCAPE) === 0) return decodeUtf8(bytes.subarray(start, end));
    if ((flags & HIGH) !== 0) decodeUtf8(bytes.subarray(start, end));
    return unescapeText(bytes, start, end);
  }

  int(value: number): void {
    this.#add(value);
  }

  intText(text: string): void {
    const { parseInt, limits } = this.#options;
    this.#add(
      parseInt === undefined
        ? parseIntText(text, limits.intDigits)
        : parseInt(text),
    );
  }

  float(value: number): void {
    this.#add(
      this.#exact && Number.isInteger(value) ? new Float(value) : value,
    );
  }

  floatText(text: string): void {
    const { parseFloat } = this.#options;
    if (parseFloat === undefined) this.float(Number(text));
    else this.#add(parseFloat(text));
  }

  literal(value: boolean | null): void {
    this.#add(value);
  }

  constant(value: number): void {
    const { parseConstant } = this.#options;
    this.#add(
      parseConstant === undefined ? value : parseConstant(`${value}`),
    );
  }
}

function matches(
  known: KnownKey,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  const expected = known.bytes;
  if (expected.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (expected[i] !== bytes[start + i]) return false;
  }
  return true;
}
