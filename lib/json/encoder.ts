/**
 * From values to JSON. One machine writes bytes into a buffer and stops when
 * that is full, so that text, chunk and stream come out of the same loop and a
 * value of any depth needs no call stack.
 *
 * @module
 */

import { decodeUtf8, hasLoneSurrogate, writeUtf8 } from "../bytes/utf8.ts";
import { PyDict } from "../python/dict.ts";
import { Deque } from "../python/collections.ts";
import { Float } from "../python/float.ts";
import { floatRepr } from "../python/float_repr.ts";
import { intText } from "../python/int_text.ts";
import { LimitError, type Limits, resolveLimits } from "../python/limits.ts";
import { type Converter, converterOf, type Types } from "./convert.ts";
import { JSONEncodeError, type JSONEncodeErrorCode } from "./errors.ts";
import { FREE_BYTES, FREE_VALUE, holds } from "./expansion.ts";
import {
  DEEPEST,
  HEX_PAIRS,
  isPlain,
  type Layout,
  LAYOUT_ROOM,
  layoutRoom,
  LONGEST_INDENT,
  LONGEST_SEPARATOR,
  plainNodes,
  plainUntil,
  wideCharacters,
  writeLayout,
} from "./layout.ts";
import { sortEntries, sortTexts } from "./sort.ts";
import { toTagged } from "./tagged.ts";
import { typeName } from "./type_name.ts";

/** How JSON is written. The names are Python's; what is left out has its default. */
export interface DumpsOptions {
  /**
   * Whether entries are left out whose key is no string, number, boolean or
   * null, instead of being an error.
   *
   * @default {false}
   */
  skipKeys?: boolean;
  /**
   * Whether everything beyond ASCII is written as `\uXXXX`.
   *
   * @default {true}
   */
  ensureAscii?: boolean;
  /**
   * Whether a value within itself is told as such. Where it is not, the depth
   * limit ends it.
   *
   * @default {true}
   */
  checkCircular?: boolean;
  /**
   * Whether NaN and the infinities are written (as `NaN`, `Infinity`, which
   * `JSON.parse` refuses) or an error.
   *
   * @default {true}
   */
  allowNaN?: boolean;
  /**
   * Spaces for each level, or the text to indent with; 0, `false` and `""` give
   * lines without indent, `null` one line.
   *
   * @default {null}
   */
  indent?: number | string | boolean | null;
  /**
   * What stands between items, and between key and value.
   *
   * @default {[", ", ": "]}, `[",", ": "]` with `indent`
   */
  separators?: readonly [string, string];
  /**
   * Called with each value that has no form in JSON; what it returns is written
   * in its place.
   */
  // deno-lint-ignore no-explicit-any
  default?: (value: any) => unknown;
  /**
   * Whether keys are sorted: numbers by value, text by code point.
   *
   * @default {false}
   */
  sortKeys?: boolean;
  /**
   * What becomes of values beyond JSON.
   *
   * @default {"strict"}
   */
  types?: Types;
  /**
   * How much may be written: `jsonDepth`, `intDigits`, `outputBytes`, and
   * `expansion`, which ends values that are shared within themselves so often
   * that they would become a terabyte.
   */
  limits?: Limits;
}

/** The buffer counts as full from here on; what is begun still fits. */
const FULL = 0x1_0000;
const SLACK = LAYOUT_ROOM;
/** A key and a value of this length fit in the slack, whatever is in them. */
const SHORT = 4096;
/** From here on the platform's encoder is the faster one. */
const LONG = 128;
/** Containers of fewer values, inner ones too, are none either. */
const SMALL = 24;
/** Fewer items than this are no matter for `JSON.stringify`. */
const FEW = 4;
/** Containers of more than this are written in several goes. */
const MANY = 256;
/** How deep a value may be before cycles are looked for. */
const UNCHECKED = 64;

const ARRAY = 0;
/** A plain object, by its keys. */
const OBJECT = 1;
/** A dict, as key, value, key, value …. */
const FLAT = 2;
/** What was put in the place of a value. */
const STAND_IN = 3;
/** The rest of a long string. */
const TEXT = 4;

const encoder = new TextEncoder();

/** Lower-case hexadecimal digits. */
const HEX: Readonly<Uint8Array> = encoder.encode("0123456789abcdef");
/** 1: stands for itself; 0: written as \u; else the letter after a backslash. */
const ESCAPES: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(128).fill(1, 0x20, 0x7f);
  for (
    const [code, letter] of [
      [0x22, '"'],
      [0x5c, "\\"],
      [0x08, "b"],
      [0x0c, "f"],
      [0x0a, "n"],
      [0x0d, "r"],
      [0x09, "t"],
    ] as const
  ) {
    table[code] = letter.charCodeAt(0);
  }
  return table;
})();
// deno-lint-ignore no-control-regex
const NEEDS_ESCAPE = /["\\\u0000-\u001f]/;
const NEEDS_ESCAPE_ASCII = /[^ !#-[\]-~]/;

function writeUnit(out: Uint8Array, at: number, unit: number): number {
  out[at] = 0x5c;
  out[at + 1] = 0x75;
  out[at + 2] = HEX[unit >> 12]!;
  out[at + 3] = HEX[(unit >> 8) & 15]!;
  out[at + 4] = HEX[(unit >> 4) & 15]!;
  out[at + 5] = HEX[unit & 15]!;
  return at + 6;
}

/** Writes a string's characters, all of them in ASCII. */
function writeAscii(
  out: Uint8Array,
  view: DataView,
  at: number,
  text: string,
): number {
  const length = text.length;
  if (length >= LONG && !NEEDS_ESCAPE_ASCII.test(text)) {
    return at + encoder.encodeInto(text, out.subarray(at)).written;
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) {
      view.setUint16(at, 0x755c, true);
      view.setUint16(at + 2, HEX_PAIRS[unit >> 8]!, true);
      view.setUint16(at + 4, HEX_PAIRS[unit & 0xff]!, true);
      at += 6;
      continue;
    }
    const escape = ESCAPES[unit]!;
    if (escape === 1) {
      out[at++] = unit;
    } else if (escape !== 0) {
      out[at++] = 0x5c;
      out[at++] = escape;
    } else {
      at = writeUnit(out, at, unit);
    }
  }
  return at;
}

/** Whether lone surrogates are refused: set while bytes are written. */
let refuse = false;

/** Thrown through the loop; who catches it knows which text it was. */
class LoneSurrogate extends Error {}

/** Writes a string's characters as UTF-8, surrogates as three bytes. */
function writeText(out: Uint8Array, at: number, text: string): number {
  const length = text.length;
  if (length >= LONG && !NEEDS_ESCAPE.test(text)) {
    if (text.isWellFormed()) {
      return at + encoder.encodeInto(text, out.subarray(at)).written;
    }
    if (refuse) throw new LoneSurrogate();
    return writeUtf8(text, out, at);
  }
  for (let i = 0; i < length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      const escape = ESCAPES[unit]!;
      if (escape === 1 || unit === 0x7f) {
        out[at++] = unit;
      } else if (escape !== 0) {
        out[at++] = 0x5c;
        out[at++] = escape;
      } else {
        at = writeUnit(out, at, unit);
      }
    } else if (unit < 0x800) {
      out[at++] = 0xc0 | (unit >> 6);
      out[at++] = 0x80 | (unit & 0x3f);
    } else {
      if ((unit & 0xfc00) === 0xd800 && i + 1 < length) {
        const low = text.charCodeAt(i + 1);
        if ((low & 0xfc00) === 0xdc00) {
          i++;
          unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
          out[at++] = 0xf0 | (unit >> 18);
          out[at++] = 0x80 | ((unit >> 12) & 0x3f);
          out[at++] = 0x80 | ((unit >> 6) & 0x3f);
          out[at++] = 0x80 | (unit & 0x3f);
          continue;
        }
      }
      if (refuse && (unit & 0xf800) === 0xd800) throw new LoneSurrogate();
      out[at++] = 0xe0 | (unit >> 12);
      out[at++] = 0x80 | ((unit >> 6) & 0x3f);
      out[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return at;
}

/** Writes digits of an integer from 0 below 2^31. */
function writeDigits(
  out: Uint8Array,
  at: number,
  value: number,
  least: number,
): number {
  let count = 1;
  for (let power = 10; power <= value && count < 10; power *= 10) count++;
  if (count < least) count = least;
  for (let i = at + count - 1; i >= at; i--) {
    const tens = (value / 10) | 0;
    out[i] = 48 + value - tens * 10;
    value = tens;
  }
  return at + count;
}

/** Writes text of which every character is ASCII. */
function writeLatin(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
  return at;
}

function isContainer(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** A float as JSON has it in Python. */
function floatText(value: number): string {
  if (value !== value) return "NaN";
  if (value === Infinity) return "Infinity";
  return value === -Infinity ? "-Infinity" : floatRepr(value);
}

function writeNumber(out: Uint8Array, at: number, value: number): number {
  const small = value | 0;
  if (small === value && (small !== 0 || 1 / value > 0)) {
    if (small >= 0) {
      if (small < 10) {
        out[at] = 48 + small;
        return at + 1;
      }
      return writeDigits(out, at, small, 1);
    }
    if (small !== -0x8000_0000) {
      out[at] = 45;
      return writeDigits(out, at + 1, -small, 1);
    }
  }
  if (Number.isInteger(value)) {
    if (!Number.isSafeInteger(value) || value === 0) {
      return writeLatin(out, at, floatRepr(value));
    }
    if (value < 0) {
      out[at++] = 45;
      value = -value;
    }
    const high = Math.floor(value / 1e9);
    const low = value - high * 1e9;
    if (high >= 1e9) return writeLatin(out, at, `${value}`);
    if (high === 0) return writeLatin(out, at, `${value}`);
    at = writeDigits(out, at, high, 1);
    return writeDigits(out, at, low, 9);
  }
  const size = Math.abs(value);
  return writeLatin(
    out,
    at,
    size >= 1e-4 && size < 1e16 ? `${value}` : floatText(value),
  );
}

/**
 * Writes what needs no further thought.
 *
 * @returns Offset behind it, or -1 where it needs some.
 */
function writePrimitive(
  out: Uint8Array,
  view: DataView,
  at: number,
  value: unknown,
  ascii: boolean,
): number {
  switch (typeof value) {
    case "string":
      if (value.length > SHORT) return -1;
      out[at++] = 0x22;
      at = ascii ? writeAscii(out, view, at, value) : writeText(out, at, value);
      out[at] = 0x22;
      return at + 1;
    case "number":
      return value - value === 0 ? writeNumber(out, at, value) : -1;
    case "boolean":
      if (value) {
        out[at] = 0x74;
        out[at + 1] = 0x72;
        out[at + 2] = 0x75;
        out[at + 3] = 0x65;
        return at + 4;
      }
      out[at] = 0x66;
      out[at + 1] = 0x61;
      out[at + 2] = 0x6c;
      out[at + 3] = 0x73;
      out[at + 4] = 0x65;
      return at + 5;
    case "object":
      if (value !== null) return -1;
      out[at] = 0x6e;
      out[at + 1] = 0x75;
      out[at + 2] = 0x6c;
      out[at + 3] = 0x6c;
      return at + 4;
    default:
      return -1;
  }
}

const NOTHING = new Uint8Array();
const NO_VIEW = new DataView(NOTHING.buffer);
/** Buffers go round: fresh memory costs more than what is done with it. */
let spare:
  | { out: Uint8Array<ArrayBuffer>; view: DataView<ArrayBuffer> }
  | undefined;

/** Writes one value after the other as JSON, a buffer at a time. */
export class Encoder {
  readonly #ascii: boolean;
  readonly #allowNaN: boolean;
  readonly #checkCircular: boolean;
  readonly #skipKeys: boolean;
  readonly #sortKeys: boolean;
  readonly #default: ((value: unknown) => unknown) | undefined;
  readonly #converter: Converter | undefined;
  readonly #tagged: boolean;
  readonly #limits: Readonly<Required<Limits>>;
  readonly #itemSeparator: Uint8Array;
  readonly #keySeparator: Uint8Array;
  /** Undefined: all on one line. */
  readonly #indent: Uint8Array | undefined;
  /** The byte that all of the indent is, or -1. */
  readonly #blank: number;
  readonly #slack: number;
  readonly #layout: Layout;
  /** Whether `JSON.stringify` may do the work where the values allow it. */
  readonly #mayBeNative: boolean;
  /** How often it is not tried after it has failed, and how long still. */
  #penalty = 0;
  #skip = 0;
  readonly #bytes: boolean;

  #out: Uint8Array<ArrayBuffer> = NOTHING;
  #view: DataView<ArrayBuffer> = NO_VIEW;
  #length = 0;
  #written = 0;
  /** How much was written when the value began. */
  #begun = 0;
  /** When it is asked next whether the value holds enough for what it becomes. */
  #askAt = Infinity;
  #root: unknown;
  #value: unknown;
  #waiting = false;

  // The frames. `#sources` are the containers, `#lists` what is gone through.
  #depth = 0;
  #kinds: number[] = [];
  #sources: unknown[] = [];
  #lists: unknown[] = [];
  #indices: number[] = [];
  /** The containers of all frames, from some depth on. */
  #open: Set<unknown> | undefined;
  /** How many frames are stand-ins, which are no level of indent. */
  #standIns = 0;
  /** Levels of indent before the first. */
  #level = 0;

  /** The keys last sorted, and how they came. */
  #unsorted: string[] = [];
  #sorted: string[] = [];

  /**
   * Makes one.
   *
   * @param options How to write.
   * @param use `bytes`: the bytes are what is wanted, not text; then they must
   * be UTF-8.
   */
  constructor(options: DumpsOptions = {}, use: { bytes?: boolean } = {}) {
    this.#bytes = use.bytes ?? false;
    this.#ascii = options.ensureAscii ?? true;
    this.#allowNaN = options.allowNaN ?? true;
    this.#checkCircular = options.checkCircular ?? true;
    this.#skipKeys = options.skipKeys ?? false;
    this.#sortKeys = options.sortKeys ?? false;
    this.#default = options.default;
    this.#tagged = options.types === "tagged";
    this.#converter = this.#tagged
      ? undefined
      : converterOf(options.types ?? "strict");
    if (this.#tagged && this.#sortKeys) {
      throw new TypeError(
        "sortKeys would change what the tags of tagged JSON refer to",
      );
    }
    this.#limits = resolveLimits(options.limits);
    const indent = makeIndent(options.indent);
    this.#indent = indent;
    this.#blank = indent === undefined || indent.length === 0
      ? 32
      : indent.every((byte) => byte === indent[0])
      ? indent[0]!
      : -1;
    const [item, key] = options.separators === undefined
      ? [this.#indent === undefined ? ", " : ",", ": "]
      : checkSeparators(options.separators);
    this.#itemSeparator = encoder.encode(item);
    this.#keySeparator = encoder.encode(key);
    this.#layout = {
      ascii: this.#ascii,
      item: this.#itemSeparator,
      key: this.#keySeparator,
      indent: this.#indent,
    };
    this.#mayBeNative = !this.#sortKeys && !this.#converter?.all &&
      this.#itemSeparator.length <= LONGEST_SEPARATOR &&
      this.#keySeparator.length <= LONGEST_SEPARATOR;
    this.#slack = SLACK + this.#itemSeparator.length +
      this.#keySeparator.length;
  }

  /**
   * Begins a value. The one before must be finished.
   *
   * @param value Any value.
   * @param level Levels of indent it stands at.
   */
  begin(value: unknown, level = 0): void {
    if (this.#out.length === 0) {
      const size = FULL + this.#slack;
      if (spare !== undefined && spare.out.length >= size) {
        this.#out = spare.out;
        this.#view = spare.view;
        spare = undefined;
      } else {
        this.#out = new Uint8Array(size);
        this.#view = new DataView(this.#out.buffer);
      }
    }
    this.#length = this.#depth = this.#standIns = 0;
    this.#begun = this.#written;
    this.#askAt = Math.max(FREE_BYTES, this.#begun + FREE_VALUE);
    this.#level = level;
    this.#root = this.#tagged
      ? toTagged(value, { keyText: dumps, jsonDepth: this.#limits.jsonDepth })
      : value;
    this.#value = this.#root;
    this.#waiting = true;
    this.#open = undefined;
  }

  /**
   * What goes between values that are written as items of one array.
   *
   * @param level Levels of indent they stand at.
   * @returns Line end with indent, and separator.
   */
  layout(level: number): { newline: string; separator: string } {
    const indent = this.#indent;
    return {
      newline: indent === undefined
        ? ""
        : "\n" + decodeUtf8(indent).repeat(level),
      separator: decodeUtf8(this.#itemSeparator),
    };
  }

  /** Makes it as if it were new. */
  renew(): void {
    this.#written = this.#penalty = this.#skip = 0;
  }

  /** Gives the buffer back. Also after an error. */
  close(): void {
    if (this.#out.length > 0 && this.#out.length <= 2 * (FULL + SLACK)) {
      spare = { out: this.#out, view: this.#view };
    }
    this.#out = NOTHING;
    this.#view = NO_VIEW;
    this.#depth = 0;
    this.#sources.length = this.#lists.length = 0;
    this.#value = this.#root = this.#open = undefined;
  }

  /**
   * What is in the buffer; until the next step.
   *
   * @returns A view of it.
   */
  view(): Uint8Array<ArrayBuffer> {
    return this.#out.subarray(0, this.#length);
  }

  /**
   * Writes on, into an empty buffer.
   *
   * @returns Whether the value is finished; otherwise the buffer is full.
   * @throws {JSONEncodeError} Where a value has no form in JSON.
   * @throws {LimitError} Where it is too deep or too long.
   */
  step(): boolean {
    this.#length = 0;
    const outer = refuse;
    refuse = this.#bytes;
    let done: boolean;
    try {
      done = this.#run();
    } catch (error) {
      throw error instanceof LoneSurrogate ? this.#surrogateError() : error;
    } finally {
      refuse = outer;
    }
    this.#written += this.#length;
    const limit = this.#limits.outputBytes;
    if (this.#written > limit) throw new LimitError("outputBytes", limit);
    if (this.#written > this.#askAt) this.#checkExpansion();
    return done;
  }

  /** Asked at each doubling, so that all the asking costs nothing. */
  #checkExpansion(): void {
    const { expansion } = this.#limits;
    const written = this.#written - this.#begun;
    this.#askAt = this.#written + written;
    const converter = this.#converter;
    const isInnocent = holds(this.#root, written / expansion, {
      convert: converter?.convert,
      isOpen: this.#default !== undefined || converter?.all === true,
    });
    if (!isInnocent) throw new LimitError("expansion", expansion);
  }

  #run(): boolean {
    const ascii = this.#ascii;
    const indent = this.#indent;
    let out = this.#out;
    let view = this.#view;
    let at = 0;
    let value = this.#value;
    let waiting = this.#waiting;
    this.#value = undefined;
    this.#waiting = false;

    for (;;) {
      if (waiting) {
        waiting = false;
        const next = writePrimitive(out, view, at, value, ascii);
        if (next >= 0) {
          at = next;
        } else {
          this.#length = at;
          this.#enter(value);
          out = this.#out;
          view = this.#view;
          at = this.#length;
          if (this.#waiting) {
            value = this.#value;
            this.#value = undefined;
            this.#waiting = false;
            waiting = true;
            continue;
          }
        }
      }
      const depth = this.#depth;
      if (depth === 0) {
        this.#length = at;
        return true;
      }
      if (at >= FULL) {
        this.#length = at;
        return false;
      }
      const top = depth - 1;
      const list = this.#lists[top];
      let index = this.#indices[top]!;
      switch (this.#kinds[top]) {
        case ARRAY: {
          const items = list as unknown[];
          // Numbers and strings are written as quickly without.
          if (items.length - index >= FEW && isContainer(items[index])) {
            const deepest = this.#nativeDepth();
            if (deepest > 0) {
              const end = plainUntil(items, { from: index, deepest });
              if (end > index && this.#writeItems(at, items, index, end)) {
                at = this.#length;
                this.#indices[top] = end;
                this.#penalty = 0;
                continue;
              }
              this.#fail();
            }
          }
          while (index < items.length) {
            if (index > 0) at = this.#separate(out, at);
            if (indent !== undefined) {
              at = this.#newline(at, depth);
              out = this.#out;
              view = this.#view;
            }
            value = items[index++];
            const next = writePrimitive(out, view, at, value, ascii);
            if (next < 0) {
              waiting = true;
              break;
            }
            at = next;
            if (at >= FULL) break;
          }
          this.#indices[top] = index;
          if (waiting || at >= FULL) continue;
          at = this.#close(at, 0x5d, index > 0);
          out = this.#out;
          view = this.#view;
          continue;
        }
        case OBJECT: {
          const keys = list as string[];
          const source = this.#sources[top] as Record<string, unknown>;
          while (index < keys.length) {
            if (index > 0) at = this.#separate(out, at);
            if (indent !== undefined) {
              at = this.#newline(at, depth);
              out = this.#out;
              view = this.#view;
            }
            const key = keys[index++]!;
            if (key.length > SHORT) {
              this.#room(at, key.length * 6);
              out = this.#out;
              view = this.#view;
            }
            out[at++] = 0x22;
            at = ascii
              ? writeAscii(out, view, at, key)
              : writeText(out, at, key);
            out[at++] = 0x22;
            const separator = this.#keySeparator;
            for (let i = 0; i < separator.length; i++) {
              out[at++] = separator[i]!;
            }
            value = source[key];
            const next = writePrimitive(out, view, at, value, ascii);
            if (next < 0) {
              waiting = true;
              break;
            }
            at = next;
            if (at >= FULL) break;
          }
          this.#indices[top] = index;
          if (waiting || at >= FULL) continue;
          at = this.#close(at, 0x7d, true);
          out = this.#out;
          view = this.#view;
          continue;
        }
        case FLAT: {
          const flat = list as unknown[];
          while (index < flat.length) {
            if (index > 0) at = this.#separate(out, at);
            if (indent !== undefined) at = this.#newline(at, depth);
            const key = flat[index];
            this.#indices[top] = index + 2;
            const text = typeof key === "string" ? key : this.#keyText(key);
            if (text.length > SHORT) this.#room(at, text.length * 6);
            out = this.#out;
            view = this.#view;
            out[at++] = 0x22;
            at = ascii
              ? writeAscii(out, view, at, text)
              : writeText(out, at, text);
            out[at++] = 0x22;
            const separator = this.#keySeparator;
            for (let i = 0; i < separator.length; i++) {
              out[at++] = separator[i]!;
            }
            value = flat[index + 1];
            index += 2;
            const next = writePrimitive(out, view, at, value, ascii);
            if (next < 0) {
              waiting = true;
              break;
            }
            at = next;
            if (at >= FULL) break;
          }
          if (waiting || at >= FULL) continue;
          at = this.#close(at, 0x7d, true);
          out = this.#out;
          view = this.#view;
          continue;
        }
        case TEXT: {
          const text = list as string;
          let end = Math.min(index + SHORT, text.length);
          // Pairs stay together: apart they would be two lone surrogates.
          if (
            end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
          ) {
            end--;
          }
          const piece = text.slice(index, end);
          at = ascii
            ? writeAscii(out, view, at, piece)
            : writeText(out, at, piece);
          this.#indices[top] = end;
          if (end === text.length) {
            out[at++] = 0x22;
            this.#pop();
          }
          continue;
        }
        default:
          // The stand-in is written.
          this.#pop();
          continue;
      }
    }
  }

  /** How deep a value may be for `JSON.stringify`; 0: do not try. */
  #nativeDepth(): number {
    if (!this.#mayBeNative) return 0;
    if (this.#skip > 0) {
      this.#skip--;
      return 0;
    }
    const depth = this.#depth;
    const indent = this.#indent;
    const deepest = indent === undefined || indent.length === 0
      ? DEEPEST
      : Math.floor(LONGEST_INDENT / indent.length) - this.#level - depth;
    return Math.min(deepest, this.#limits.jsonDepth - depth, DEEPEST);
  }

  #fail(): void {
    this.#penalty = Math.min(this.#penalty * 2 + 1, 255);
    this.#skip = this.#penalty;
  }

  #writeItems(
    at: number,
    items: readonly unknown[],
    from: number,
    end: number,
  ): boolean {
    const depth = this.#depth;
    const start = at;
    if (from > 0) at = this.#separate(this.#out, at);
    if (this.#indent !== undefined) at = this.#newline(at, depth);
    const text = JSON.stringify(items.slice(from, end));
    this.#length = this.#lay(text, at, {
      from: 1,
      end: text.length - 1,
      level: this.#level + depth - this.#standIns,
    });
    if (this.#length >= 0) return true;
    this.#length = start;
    return false;
  }

  #lay(
    text: string,
    at: number,
    part: { from: number; end: number; level: number },
  ): number {
    const needed = at + layoutRoom(text);
    if (needed > this.#out.length) this.#grow(at, needed);
    const into = { out: this.#out, view: this.#view, at };
    const end = writeLayout(text, into, {
      ...part,
      layout: this.#layout,
    });
    // What is mostly beyond ASCII is written as quickly without.
    if (wideCharacters() * 2 > text.length) this.#skip = 64;
    return end;
  }

  /** A whole container by `JSON.stringify`. */
  #writeNative(value: object): boolean {
    const depth = this.#depth;
    const deepest = this.#nativeDepth();
    if (deepest <= 0) return false;
    if (isPlain(value, deepest)) {
      // A call of `JSON.stringify` costs as much as writing some values.
      if (plainNodes() < SMALL) return false;
      const text = JSON.stringify(value);
      const end = this.#lay(text, this.#length, {
        from: 0,
        end: text.length,
        level: this.#level + depth - this.#standIns,
      });
      if (end >= 0) {
        this.#length = end;
        this.#penalty = 0;
        return true;
      }
    }
    this.#fail();
    return false;
  }

  #separate(out: Uint8Array, at: number): number {
    const separator = this.#itemSeparator;
    for (let i = 0; i < separator.length; i++) out[at++] = separator[i]!;
    return at;
  }

  /** Depth of indent is that of containers; stand-ins are none. */
  #newline(at: number, depth: number): number {
    const indent = this.#indent!;
    let levels = this.#level + depth - this.#standIns;
    this.#room(at, levels * indent.length);
    const out = this.#out;
    out[at++] = 10;
    const blank = this.#blank;
    if (blank < 0) {
      for (; levels > 0; levels--) {
        for (let i = 0; i < indent.length; i++) out[at++] = indent[i]!;
      }
      return at;
    }
    const end = at + levels * indent.length;
    if (end - at > 24) out.fill(blank, at, end);
    else while (at < end) out[at++] = blank;
    return end;
  }

  #close(at: number, bracket: number, filled: boolean): number {
    if (this.#indent !== undefined && filled) {
      at = this.#newline(at, this.#depth - 1);
    }
    this.#out[at] = bracket;
    this.#pop();
    return at + 1;
  }

  /** Makes sure that so many bytes fit, beside the usual. */
  #room(at: number, size: number): void {
    const needed = at + size + this.#slack;
    if (size > 64 && needed > this.#out.length) this.#grow(at, needed);
  }

  #grow(at: number, needed: number): void {
    const grown = new Uint8Array(needed * 2);
    grown.set(this.#out.subarray(0, at));
    this.#out = grown;
    this.#view = new DataView(grown.buffer);
  }

  #pop(): void {
    const top = --this.#depth;
    if (this.#kinds[top] === STAND_IN) this.#standIns--;
    if (this.#open !== undefined) {
      this.#open.delete(this.#sources[top]);
      if (top < UNCHECKED / 2) this.#open = undefined;
    }
    this.#sources[top] = this.#lists[top] = undefined;
  }

  #push(kind: number, source: unknown, list: unknown): void {
    const depth = this.#depth;
    if (depth >= this.#limits.jsonDepth) {
      throw new LimitError("jsonDepth", this.#limits.jsonDepth);
    }
    if (this.#checkCircular && (depth >= UNCHECKED || kind === STAND_IN)) {
      this.#check(source);
    }
    this.#kinds[depth] = kind;
    this.#sources[depth] = source;
    this.#lists[depth] = list;
    this.#indices[depth] = 0;
    this.#depth = depth + 1;
  }

  /** Cycles show at some depth; until there nothing is looked up. */
  #check(source: unknown): void {
    let open = this.#open;
    const depth = this.#depth;
    if (open === undefined) {
      open = new Set();
      for (let i = 0; i < depth; i++) {
        if (open.has(this.#sources[i])) this.#circular(i);
        open.add(this.#sources[i]);
      }
      if (depth >= UNCHECKED) this.#open = open;
    }
    if (open.has(source)) this.#circular(depth);
    if (this.#open !== undefined) open.add(source);
  }

  #circular(depth: number): never {
    this.#depth = depth;
    throw this.#error("Circular reference detected", "circular");
  }

  /** Finds the text that could not be written: the first from the saved index. */
  #surrogateError(): JSONEncodeError {
    let text = "";
    const top = this.#depth - 1;
    if (top < 0) {
      text = this.#root as string;
    } else if (this.#kinds[top] === TEXT) {
      text = this.#lists[top] as string;
    } else {
      const list = this.#lists[top] as unknown[];
      const kind = this.#kinds[top];
      const source = this.#sources[top] as Record<string, unknown>;
      // FLAT has counted on to the entry at hand.
      let index = this.#indices[top]! - (kind === FLAT ? 2 : 0);
      for (; index < list.length; index++) {
        const texts = kind === OBJECT
          ? [list[index], source[list[index] as string]]
          : [list[index]];
        const found = texts.find((item) =>
          typeof item === "string" && hasLoneSurrogate(item)
        );
        if (found === undefined) continue;
        text = found as string;
        this.#indices[top] = kind === FLAT ? (index & ~1) + 2 : index + 1;
        break;
      }
    }
    const at = text.search(LONE_SURROGATE);
    const before = new Uint8Array(at * 6);
    refuse = false;
    const size = writeText(before, 0, text.slice(0, at));
    const position = [...decodeUtf8(before.subarray(0, size))].length + 1;
    return this.#error(
      `'utf-8' codec can't encode character '\\u${
        text.charCodeAt(at).toString(16)
      }' in position ${position}: surrogates not allowed`,
      "lone-surrogate",
    );
  }

  #error(message: string, code: JSONEncodeErrorCode): JSONEncodeError {
    return new JSONEncodeError(message, { code, path: this.#path() });
  }

  /** Where the value is that was being written. */
  #path(): string {
    let path = "$";
    for (let i = 0; i < this.#depth; i++) {
      const index = this.#indices[i]!;
      const list = this.#lists[i];
      switch (this.#kinds[i]) {
        case ARRAY:
          path += `[${index - 1}]`;
          break;
        case OBJECT:
          path += pathPart((list as string[])[index - 1]!);
          break;
        case FLAT: {
          const key = (list as unknown[])[Math.max(index - 2, 0)];
          path += pathPart(typeof key === "string" ? key : plainKey(key));
        }
      }
    }
    return path;
  }

  /** What is no primitive: opens a frame, or writes it. */
  #enter(value: unknown): void {
    const converter = this.#converter;
    if (
      converter !== undefined && converter.all && typeof value === "object" &&
      this.#convert(value)
    ) return;
    switch (typeof value) {
      case "string":
        this.#byte(0x22);
        this.#kinds[this.#depth] = TEXT;
        this.#sources[this.#depth] = undefined;
        this.#lists[this.#depth] = value;
        this.#indices[this.#depth] = 0;
        this.#depth++;
        return;
      case "number":
        this.#latin(this.#finite(value));
        return;
      case "bigint":
        this.#latin(intText(value, this.#limits.intDigits));
        return;
      case "object":
        if (value !== null) {
          this.#enterObject(value);
          return;
        }
    }
    this.#replace(value);
  }

  #enterObject(value: object): void {
    // A deque is no list to Python.
    if (Array.isArray(value) && !(value instanceof Deque)) {
      if (value.length === 0) {
        this.#latin("[]");
        return;
      }
      if (
        value.length < MANY && isContainer(value[0]) && this.#writeNative(value)
      ) return;
      this.#push(ARRAY, value, value);
      this.#byte(0x5b);
      return;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      const keys = Object.keys(value);
      if (keys.length === 0) {
        this.#latin("{}");
        return;
      }
      const few = this.#depth === 0 && keys.length <= 8;
      if (!few && keys.length < MANY && this.#writeNative(value)) return;
      this.#push(OBJECT, value, this.#sortKeys ? this.#sort(keys) : keys);
      this.#byte(0x7b);
      return;
    }
    if (value instanceof Float) this.#latin(this.#finite(value.value));
    else if (value instanceof Map) this.#enterMap(value);
    else this.#replace(value);
  }

  #enterMap(map: Map<unknown, unknown>): void {
    let flat: readonly unknown[] = map instanceof PyDict
      ? map.flat()
      : flatten(map);
    if (flat.length === 0) {
      this.#latin("{}");
      return;
    }
    if (this.#sortKeys) {
      try {
        flat = sortEntries(flat);
      } catch (error) {
        throw this.#error((error as Error).message, "unsortable-keys");
      }
    }
    if (this.#skipKeys) {
      flat = flat.filter((_, i) => isKey(flat[i & ~1]));
      if (flat.length === 0) {
        this.#byte(0x7b);
        if (this.#indent !== undefined) {
          this.#length = this.#newline(this.#length, this.#depth + 1);
          this.#length = this.#newline(this.#length, this.#depth);
        }
        this.#byte(0x7d);
        return;
      }
    }
    this.#push(FLAT, map, flat);
    this.#byte(0x7b);
  }

  /** Asks the policy; whether it put something in the value's place. */
  #convert(value: unknown): boolean {
    const converted = this.#converter!.convert(value, () => this.#path());
    if (converted === value) return false;
    this.#push(STAND_IN, value, undefined);
    this.#standIn(converted);
    return true;
  }

  #standIn(replaced: unknown): void {
    this.#standIns++;
    this.#value = replaced;
    this.#waiting = true;
  }

  /** What JSON has no form for. */
  #replace(value: unknown): void {
    const converter = this.#converter;
    if (converter !== undefined && this.#convert(value)) return;
    if (this.#default === undefined) {
      throw this.#error(
        `Object of type ${typeName(value)} is not JSON serializable`,
        "not-serializable",
      );
    }
    this.#push(STAND_IN, value, undefined);
    this.#standIn(this.#default(value));
  }

  /** Strings of the same keys come again and again: they are sorted once. */
  #sort(keys: string[]): string[] {
    const known = this.#unsorted;
    if (known.length === keys.length) {
      let i = 0;
      while (i < keys.length && keys[i] === known[i]) i++;
      if (i === keys.length) return this.#sorted;
    }
    this.#unsorted = keys;
    return this.#sorted = sortTexts(keys.slice());
  }

  #keyText(key: unknown): string {
    switch (typeof key) {
      case "number":
        return Number.isSafeInteger(key) && (key !== 0 || 1 / key > 0)
          ? `${key}`
          : this.#finite(key);
      case "boolean":
        return key ? "true" : "false";
      case "bigint":
        return intText(key, this.#limits.intDigits);
    }
    if (key === null) return "null";
    if (key instanceof Float) return this.#finite(key.value);
    const converter = this.#converter;
    if (converter !== undefined && !converter.all) {
      const plain = converter.convert(key, () => this.#path());
      if (typeof plain === "string") return plain;
      if (plain !== key && isKey(plain)) return this.#keyText(plain);
    }
    throw this.#error(
      `keys must be str, int, float, bool or None, not ${typeName(key)}`,
      "bad-key",
    );
  }

  #finite(value: number): string {
    if (!this.#allowNaN && value - value !== 0) {
      throw this.#error(
        `Out of range float values are not JSON compliant: ${floatRepr(value)}`,
        "not-finite",
      );
    }
    return floatText(value);
  }

  #byte(byte: number): void {
    this.#out[this.#length++] = byte;
  }

  #latin(text: string): void {
    this.#room(this.#length, text.length);
    this.#length = writeLatin(this.#out, this.#length, text);
  }
}

const LONE_SURROGATE =
  /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

function pathPart(key: string): string {
  const short = key.length > 64 ? `${key.slice(0, 61)}...` : key;
  return IDENTIFIER.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
}

function plainKey(key: unknown): string {
  return typeof key === "object" && key !== null && !(key instanceof Float)
    ? `<${typeName(key)}>`
    : String(key);
}

function isKey(key: unknown): boolean {
  switch (typeof key) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return true;
    default:
      return key === null || key instanceof Float;
  }
}

function flatten(map: Map<unknown, unknown>): unknown[] {
  const flat: unknown[] = [];
  for (const [key, value] of map) flat.push(key, value);
  return flat;
}

function makeIndent(
  indent: DumpsOptions["indent"],
): Uint8Array | undefined {
  if (indent === undefined || indent === null) return undefined;
  if (typeof indent === "string") return encoder.encode(indent);
  const count = Number(indent);
  if (!Number.isInteger(count) || typeof indent === "object") {
    throw new TypeError(
      `can't multiply sequence by non-int of type '${typeName(indent)}'`,
    );
  }
  return encoder.encode(" ".repeat(Math.max(count, 0)));
}

function checkSeparators(separators: unknown): [string, string] {
  const pair = [...separators as Iterable<unknown>];
  if (pair.length !== 2) {
    throw new TypeError(
      pair.length < 2
        ? `not enough values to unpack (expected 2, got ${pair.length})`
        : "too many values to unpack (expected 2)",
    );
  }
  const [item, key] = pair;
  if (typeof key !== "string") {
    throw new TypeError(
      `make_encoder() argument 5 must be str, not ${typeName(key)}`,
    );
  }
  if (typeof item !== "string") {
    throw new TypeError(
      `make_encoder() argument 6 must be str, not ${typeName(item)}`,
    );
  }
  return [item, key];
}

/**
 * Writes a value as JSON, as Python's `json.dumps` does, to the very byte.
 *
 * @param value The value.
 * @param options How to write it.
 * @returns The text.
 * @throws {JSONEncodeError} Where a value has no form in JSON.
 * @throws {LimitError} Where it is too deep or too long.
 *
 * @example Write what Python would write
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   json.dumps({ name: "Zoë", size: 1e16, big: 2n ** 64n }),
 *   '{"name": "Zo\\u00eb", "size": 1e+16, "big": 18446744073709551616}',
 * );
 * assertEquals(json.dumps([1, 2], { indent: 2 }), "[\n  1,\n  2\n]");
 * ```
 */
export function dumps(value: unknown, options?: DumpsOptions): string {
  const kept = takeKept(options);
  const { machine } = kept;
  try {
    machine.begin(value);
    let done = machine.step();
    let text = decode(machine.view());
    while (!done) {
      done = machine.step();
      const more = decode(machine.view());
      try {
        text += more;
      } catch (cause) {
        // No string is longer.
        throw new LimitError("outputBytes", text.length, { cause });
      }
    }
    return text;
  } finally {
    machine.close();
    keep = kept;
  }
}

/** An encoder with the options it was made with. */
interface Kept {
  machine: Encoder;
  options: DumpsOptions;
}

/** The encoder of the last call: to make one costs more than a small value. */
let keep: Kept | undefined;
const NO_OPTIONS: DumpsOptions = {};

function takeKept(options: DumpsOptions = NO_OPTIONS): Kept {
  const kept = keep;
  if (kept !== undefined && isSame(kept.options, options)) {
    // Whoever is called back may want one as well.
    keep = undefined;
    kept.machine.renew();
    return kept;
  }
  return { machine: new Encoder(options), options: { ...options } };
}

function isSame(a: DumpsOptions, b: DumpsOptions): boolean {
  return a === b ||
    a.limits === undefined && b.limits === undefined &&
      a.separators === undefined && b.separators === undefined &&
      a.indent === b.indent && a.ensureAscii === b.ensureAscii &&
      a.sortKeys === b.sortKeys && a.default === b.default &&
      a.skipKeys === b.skipKeys && a.allowNaN === b.allowNaN &&
      a.checkCircular === b.checkCircular && a.types === b.types;
}

function decode(bytes: Uint8Array): string {
  if (bytes.length < 32) {
    let text = "";
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i]! >= 0x80) return decodeUtf8(bytes);
      text += String.fromCharCode(bytes[i]!);
    }
    return text;
  }
  return decodeUtf8(bytes);
}
