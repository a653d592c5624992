/**
 * The one JSON reader: a pushdown machine over bytes that may be cut anywhere.
 * It knows the grammar, CPython's errors and where they point; what the tokens
 * mean is the business of the {@linkcode JsonSink} it drives, so that values
 * and pickles are made by the same rules. Nothing here recurses.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { LimitError, type Limits } from "../python/limits.ts";
import { decodeUtf8, Utf8Error } from "../bytes/utf8.ts";
import { joinDigits, nearestDouble } from "./decimal.ts";
import {
  decodeError,
  type Fault,
  type Place,
  UnicodeDecodeError,
} from "./errors.ts";
import {
  AsciiReader,
  CONTROL,
  ESCAPE,
  findStringFault,
  QUOTE,
  STRING_CLASS,
} from "./strings.ts";

export { AsciiReader, ESCAPE, HIGH, unescapeText } from "./strings.ts";

/** What is told of the tokens, in their order. */
export interface JsonSink {
  /** `[` */
  startArray(): void;
  /** `]` */
  endArray(): void;
  /** `{` */
  startObject(): void;
  /** `}` */
  endObject(): void;
  /**
   * A key, without faults.
   *
   * @param bytes Where it stands.
   * @param start Offset after the opening quote.
   * @param end Offset of the closing quote.
   * @param flags {@linkcode ESCAPE}: it has a backslash; {@linkcode HIGH}: it
   * has bytes from 0x80 up, which may be no UTF-8.
   */
  key(bytes: Uint8Array, start: number, end: number, flags: number): void;
  /** A string, as {@linkcode JsonSink.key}. */
  string(bytes: Uint8Array, start: number, end: number, flags: number): void;
  /** An int of at most 15 digits; never -0. */
  int(value: number): void;
  /** A longer int, or any with `numberText`. */
  intText(text: string): void;
  /** A number with a fraction or an exponent. */
  float(value: number): void;
  /** The same with `numberText`. */
  floatText(text: string): void;
  /** `null`, `true` or `false`. */
  literal(value: boolean | null): void;
  /** `NaN`, `Infinity` or `-Infinity`. */
  constant(value: number): void;
}

/** How {@linkcode Tokenizer} reads. */
export interface TokenizerOptions {
  /**
   * `"document"`: one text. `"sequence"`: any number of texts, with white space
   * or record separators (RFC 7464) between them or nothing at all. `"items"`:
   * one array or object, whose elements count as texts.
   */
  framing: "document" | "sequence" | "items";
  /** Whether control characters in strings are wrong. */
  strict: boolean;
  /** Whether numbers are told as text. */
  numberText: boolean;
  /** How deep, how many, how long. */
  limits: Readonly<Required<Limits>>;
  /** The text, for errors, where it is at hand. */
  doc?: string;
}

/** What {@linkcode Tokenizer.run} comes back with. */
export type Status =
  | typeof STATUS_MORE
  | typeof STATUS_VALUE
  | typeof STATUS_END;
/** All input is used up. */
export const STATUS_MORE = 0;
/** A text (or an item) is complete. */
export const STATUS_VALUE = 1;
/** The input has ended. */
export const STATUS_END = 2;

/** A value must come. */
export const AT_VALUE = 0;
/** After `[`: a value or `]`. */
export const AT_FIRST_ITEM = 1;
/** After a comma in an array. */
export const AT_ITEM = 2;
/** After `{`: a key or `}`. */
export const AT_FIRST_KEY = 3;
/** After a comma in an object. */
export const AT_KEY = 4;
export const AT_COLON = 5;
/** After a value within a container. */
export const AT_NEXT = 6;
/** Between texts, or before the only one. */
export const AT_TOP = 7;
/** Right behind a number or word, which must not run on. */
const AT_TOP_TIGHT = 8;
/** After the only text. */
const AT_DONE = 9;

/** Nothing waits. */
const NO_TOKEN = 0;
const STRING_TOKEN = 1;
/** A number or a word. */
const SCALAR_TOKEN = 2;

const EMPTY = new Uint8Array();
const ARRAY = 1;
const OBJECT = 2;

/** Bytes of which numbers and words are made. */
const SCALAR: Readonly<Uint8Array> = Uint8Array.from(
  { length: 256 },
  (_, byte) => /[\w+.-]/.test(String.fromCharCode(byte)) && byte < 0x80 ? 1 : 0,
);

const WORDS: ReadonlyMap<number, { text: string; value: boolean | null }> =
  new Map([
    [0x6e, { text: "null", value: null }],
    [0x74, { text: "true", value: true }],
    [0x66, { text: "false", value: false }],
  ]);
const CONSTANTS: ReadonlyMap<number, { text: string; value: number }> = new Map(
  [
    [0x4e, { text: "NaN", value: NaN }],
    [0x49, { text: "Infinity", value: Infinity }],
    [0x2d, { text: "-Infinity", value: -Infinity }],
  ],
);

/** Where a {@linkcode Tokenizer} stands, for who reads on in its place. */
export interface TokenizerState {
  /** The input at hand. */
  bytes: Uint8Array;
  /** Offset of the first byte that is not used up. */
  at: number;
  /** What must come there: one of the numbers `AT_…`. */
  state: number;
  /** How many arrays and objects are open. */
  depth: number;
  /** What they are, from 1 on: 1 an array, 2 an object. May be written to. */
  kinds: Uint8Array;
  /** How many arrays and objects there have been. */
  values: number;
  /** Offset of the comma before, where one came last. */
  comma: number;
  /** Whether all that was read on is ASCII, without a line break. */
  isPlain: boolean;
}

/** Reads tokens out of UTF-8 (surrogates pass) and tells a sink of them. */
export class Tokenizer {
  readonly #sink: JsonSink;
  readonly #framing: TokenizerOptions["framing"];
  readonly #strict: boolean;
  readonly #numberText: boolean;
  readonly #limits: Readonly<Required<Limits>>;
  readonly #doc: string;
  readonly #ascii = new AsciiReader();
  /** Depth at which a complete value is reported. */
  readonly #reportDepth: number;

  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** Up to where it is known to be ASCII without a line break. */
  #plainTo = 0;
  /** Input behind a token that was joined. */
  #rest: Uint8Array | undefined;
  #final = false;
  #state: number = AT_TOP;
  #depth = 0;
  #kinds: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  #values = 0;

  /** Pieces of a token that has not wholly arrived. */
  readonly #pending = new ChunkQueue();
  #pendingKind: number = NO_TOKEN;
  /** Whether the last piece ends in a backslash that escapes what comes. */
  #escaped = false;

  /** What came before `#bytes`. */
  #offset = 0;
  #chars = 0;
  #lines = 0;
  #lineStart = 0;
  /** The last comma, when it may be told to be wrong. */
  #comma = -1;
  #commaPlace: Place | undefined;
  /** A character outside of strings that goes on in the next chunk. */
  #held: Uint8Array | undefined;

  /**
   * Makes one.
   *
   * @param sink What is told of the tokens.
   * @param options How to read.
   */
  constructor(sink: JsonSink, options: TokenizerOptions) {
    this.#sink = sink;
    this.#framing = options.framing;
    this.#strict = options.strict;
    this.#numberText = options.numberText;
    this.#limits = options.limits;
    this.#doc = options.doc ?? "";
    this.#reportDepth = options.framing === "items" ? 1 : 0;
  }

  /**
   * Takes input. Only after {@linkcode STATUS_MORE}.
   *
   * @param chunk The next bytes; kept.
   */
  push(chunk: Uint8Array): void {
    if (this.#held !== undefined) {
      chunk = joined(this.#held, chunk);
      this.#held = undefined;
    }
    if (this.#pendingKind !== NO_TOKEN) this.#resume(chunk);
    else this.#load(chunk);
  }

  /** Says that no input follows. */
  end(): void {
    this.#final = true;
    if (this.#held !== undefined) {
      this.#load(this.#held);
      this.#held = undefined;
      return;
    }
    if (this.#pendingKind === NO_TOKEN) return;
    this.#pendingKind = NO_TOKEN;
    this.#bytes = this.#pending.join();
    this.#plainTo = 0;
    this.#at = 0;
  }

  #load(chunk: Uint8Array): void {
    this.#retire(this.#bytes.length);
    this.#bytes = chunk;
    this.#plainTo = 0;
    this.#at = 0;
  }

  /**
   * Lets somebody else read on, who tells by {@linkcode Tokenizer.takeBack} how
   * far; what that one does not understand stays for {@linkcode Tokenizer.run}.
   *
   * @returns Where it stands; undefined while it is within a token.
   */
  lend(): TokenizerState | undefined {
    if (
      this.#pendingKind !== NO_TOKEN || this.#rest !== undefined ||
      this.#held !== undefined
    ) return undefined;
    return {
      bytes: this.#bytes,
      at: this.#at,
      state: this.#state,
      depth: this.#depth,
      kinds: this.#kinds,
      values: this.#values,
      comma: this.#comma,
      isPlain: false,
    };
  }

  /**
   * Goes on from where somebody else stands.
   *
   * @param state Where that is, in the same bytes.
   */
  takeBack(state: TokenizerState): void {
    if (state.isPlain && this.#plainTo === this.#at) this.#plainTo = state.at;
    this.#at = state.at;
    this.#state = state.state;
    this.#depth = state.depth;
    this.#values = state.values;
    // Only right behind it can it be wrong.
    const behind = state.state === AT_ITEM || state.state === AT_KEY;
    if (!behind) this.#comma = -1;
    else if (state.comma >= 0) this.#comma = state.comma;
  }

  /**
   * Takes input that begins with what is not used up of the input at hand.
   *
   * @param bytes All of it; kept.
   */
  replace(bytes: Uint8Array): void {
    const back = this.#at - this.#comma;
    const near = this.#comma >= 0 && back < 64 &&
      this.#bytes.subarray(this.#comma, this.#at).indexOf(10) < 0;
    // Its place then is easily told from where this one is.
    if (near) this.#comma = -1;
    this.#retire(this.#at);
    if (near) {
      const pos = this.#chars - back;
      this.#commaPlace = {
        pos,
        lineno: this.#lines + 1,
        colno: pos - this.#lineStart + 1,
      };
    }
    this.#bytes = bytes;
    this.#plainTo = 0;
    this.#at = 0;
  }

  /** Counts what is used up of the input, before it is let go. */
  #retire(end: number): void {
    if (this.#comma >= 0) {
      this.#commaPlace = this.#placeAt(this.#comma);
      this.#comma = -1;
    }
    const bytes = this.#bytes;
    const { byteOffset } = bytes;
    let at = Math.min(this.#plainTo, end);
    this.#chars += at;
    if (end - at >= 64) {
      // Four bytes at once, as long as they are ASCII and no line ends.
      at = this.#count(at, at + (-(byteOffset + at) & 3));
      const words = new Uint32Array(
        bytes.buffer,
        byteOffset + at,
        (end - at) >> 2,
      );
      for (let i = 0; i < words.length; i++) {
        const word = words[i]!;
        const other = word ^ 0x0a0a0a0a;
        if (((word | ((other - 0x01010101) & ~other)) & 0x80808080) === 0) {
          this.#chars += 4;
          at += 4;
        } else {
          at = this.#count(at, at + 4);
        }
      }
    }
    this.#count(at, end);
    this.#offset += end;
  }

  #count(from: number, end: number): number {
    const bytes = this.#bytes;
    for (let i = from; i < end; i++) {
      const byte = bytes[i]!;
      if ((byte & 0xc0) !== 0x80) this.#chars++;
      if (byte === 10) {
        this.#lines++;
        this.#lineStart = this.#chars;
      }
    }
    return end;
  }

  #placeAt(index: number): Place {
    const bytes = this.#bytes;
    let pos = this.#chars;
    let lines = this.#lines;
    let lineStart = this.#lineStart;
    for (let i = 0; i < index; i++) {
      const byte = bytes[i]!;
      if ((byte & 0xc0) !== 0x80) pos++;
      if (byte === 10) {
        lines++;
        lineStart = pos;
      }
    }
    return { pos, lineno: lines + 1, colno: pos - lineStart + 1 };
  }

  /** Keeps a token that goes on in the next chunk. */
  #pend(start: number, kind: number, escaped: boolean): void {
    this.#retire(start);
    this.#pending.push(this.#bytes.subarray(start));
    this.#bytes = EMPTY;
    this.#plainTo = 0;
    this.#at = 0;
    this.#pendingKind = kind;
    this.#escaped = escaped;
    if (this.#rest === undefined) return;
    const rest = this.#rest;
    this.#rest = undefined;
    this.#resume(rest);
  }

  /** Looks for the end of such a token, and goes on when it is there. */
  #resume(chunk: Uint8Array): void {
    const length = chunk.length;
    let i = 0;
    if (this.#pendingKind === STRING_TOKEN) {
      if (this.#escaped) i = 1;
      for (; i < length; i++) {
        const bits = STRING_CLASS[chunk[i]!]!;
        if (bits === QUOTE) break;
        if (bits === ESCAPE) i++;
      }
      if (length > 0) this.#escaped = i > length;
    } else {
      while (i < length && SCALAR[chunk[i]!] === 1) i++;
    }
    if (i >= length) {
      this.#pending.push(chunk);
      const limit = this.#limits.argumentLength;
      if (this.#pending.size > limit) {
        throw new LimitError("argumentLength", limit, { offset: this.#offset });
      }
      return;
    }
    this.#pending.push(chunk.subarray(0, i + 1));
    this.#pendingKind = NO_TOKEN;
    this.#bytes = this.#pending.join();
    this.#plainTo = 0;
    this.#at = 0;
    if (i + 1 < length) this.#rest = chunk.subarray(i + 1);
  }

  /** The error of what stands at an index of `#bytes`. */
  #fault(fault: Fault, index: number): Error {
    const comma = fault === "array-comma" || fault === "object-comma";
    // Python decodes bytes before it reads them.
    if (!comma && index < this.#bytes.length) {
      const wrong = this.#encodingError(index);
      if (wrong !== undefined) return wrong;
    }
    const place = comma && index < 0 && this.#commaPlace !== undefined
      ? this.#commaPlace
      : this.#placeAt(index);
    return decodeError(fault, place, this.#doc);
  }

  /** Whether a character goes on in input that is still to come. */
  #isCut(index: number): boolean {
    if (this.#final && this.#rest === undefined) return false;
    const bytes = this.#bytes;
    const first = bytes[index]!;
    const size = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (index + size <= bytes.length) return false;
    for (let i = index + 1; i < bytes.length; i++) {
      if ((bytes[i]! & 0xc0) !== 0x80) return false;
    }
    return true;
  }

  #encodingError(index: number): Error | undefined {
    const piece = this.#bytes.subarray(index, index + 4);
    if (piece[0]! < 0x80) return undefined;
    try {
      decodeUtf8(piece);
    } catch (error) {
      if (error instanceof Utf8Error && error.pos === 0) {
        // A character cut by the piece's end is no fault, unless nothing follows.
        if (error.reason !== "unexpected end of data" || piece.length < 4) {
          return relocate(error, this.#offset + index);
        }
      }
    }
    return undefined;
  }

  /**
   * Makes an error of UTF-8 that a sink met one of the whole input.
   *
   * @param error What the decoder threw.
   * @param start Offset in the sink's bytes of what was decoded.
   * @returns The error to throw.
   */
  encodingError(error: unknown, start: number): unknown {
    return error instanceof Utf8Error
      ? relocate(error, this.#offset + start)
      : error;
  }

  /**
   * Reads on.
   *
   * @returns Why it stopped.
   * @throws {JSONDecodeError} Where the input is wrong.
   * @throws {LimitError} Where it is too deep, too long, too much.
   */
  run(): Status {
    const sink = this.#sink;
    const reportDepth = this.#reportDepth;
    let bytes = this.#bytes;
    let length = bytes.length;
    let i = this.#at;
    let state = this.#state;
    let depth = this.#depth;
    let kinds = this.#kinds;

    for (;;) {
      let byte = 0;
      while (
        i < length &&
        ((byte = bytes[i]!) === 32 || byte === 10 || byte === 13 || byte === 9)
      ) {
        i++;
        if (state === AT_TOP_TIGHT) state = AT_TOP;
      }
      if (i >= length) {
        this.#at = i;
        this.#state = state;
        this.#depth = depth;
        if (this.#rest !== undefined) {
          const rest = this.#rest;
          this.#rest = undefined;
          this.#load(rest);
          bytes = rest;
          length = bytes.length;
          i = 0;
          continue;
        }
        if (this.#pendingKind !== NO_TOKEN || !this.#final) {
          return STATUS_MORE;
        }
        return this.#finish(state, i);
      }
      if (byte >= 0x80 && length - i < 4 && this.#isCut(i)) {
        // A fault, but which one it is the rest of the character says.
        this.#state = state;
        this.#depth = depth;
        this.#retire(i);
        const start = bytes.subarray(i);
        this.#bytes = EMPTY;
        this.#plainTo = 0;
        this.#at = 0;
        if (this.#rest === undefined) {
          this.#held = start;
          return STATUS_MORE;
        }
        this.#bytes = bytes = joined(start, this.#rest);
        this.#plainTo = 0;
        this.#rest = undefined;
        length = bytes.length;
        i = 0;
        continue;
      }

      switch (state) {
        case AT_NEXT:
          if (byte === 0x2c) {
            this.#comma = i++;
            state = kinds[depth] === ARRAY ? AT_ITEM : AT_KEY;
            continue;
          }
          if (byte === 0x5d && kinds[depth] === ARRAY) {
            i++;
            depth--;
            // It was counted where it began.
            this.#values--;
            sink.endArray();
            break;
          }
          if (byte === 0x7d && kinds[depth] === OBJECT) {
            i++;
            depth--;
            this.#values--;
            sink.endObject();
            break;
          }
          throw this.#fault("expecting-comma", i);

        case AT_COLON:
          if (byte !== 0x3a) throw this.#fault("expecting-colon", i);
          i++;
          state = AT_VALUE;
          continue;

        case AT_FIRST_KEY:
        case AT_KEY: {
          if (byte !== 0x22) {
            if (byte !== 0x7d) {
              throw this.#fault("expecting-property-name", i);
            }
            if (state === AT_KEY) {
              throw this.#fault("object-comma", this.#comma);
            }
            i++;
            depth--;
            this.#values--;
            sink.endObject();
            break;
          }
          let flags = 0;
          let end = i + 1;
          for (; end < length; end++) {
            const bits = STRING_CLASS[bytes[end]!]!;
            if (bits === 0) continue;
            if (bits === QUOTE) break;
            flags |= bits;
            if (bits === ESCAPE) end++;
          }
          if (end >= length || (flags & (CONTROL | ESCAPE)) !== 0) {
            if (this.#string(i, end, flags)) {
              this.#state = state;
              this.#depth = depth;
              bytes = this.#bytes;
              length = bytes.length;
              i = 0;
              continue;
            }
          }
          sink.key(bytes, i + 1, end, flags);
          i = end + 1;
          state = AT_COLON;
          continue;
        }

        case AT_DONE:
          throw this.#fault("extra-data", i);

        case AT_TOP_TIGHT:
          if (SCALAR[byte] === 1) throw this.#fault("extra-data", i);
          state = AT_TOP;
          continue;

        case AT_FIRST_ITEM:
        case AT_ITEM:
          if (byte === 0x5d) {
            if (state === AT_ITEM) {
              throw this.#fault("array-comma", this.#comma);
            }
            i++;
            depth--;
            this.#values--;
            sink.endArray();
            break;
          }
          /* falls through */
        default: {
          // A value.
          if (byte === 0x22) {
            let flags = 0;
            let end = i + 1;
            for (; end < length; end++) {
              const bits = STRING_CLASS[bytes[end]!]!;
              if (bits === 0) continue;
              if (bits === QUOTE) break;
              flags |= bits;
              if (bits === ESCAPE) end++;
            }
            if (end >= length || (flags & (CONTROL | ESCAPE)) !== 0) {
              if (this.#string(i, end, flags)) {
                this.#state = state;
                this.#depth = depth;
                bytes = this.#bytes;
                length = bytes.length;
                i = 0;
                continue;
              }
            }
            if (state === AT_TOP && this.#framing === "items") {
              throw this.#fault("not-a-container", i);
            }
            sink.string(bytes, i + 1, end, flags);
            i = end + 1;
            break;
          }
          if (byte === 0x7b || byte === 0x5b) {
            if (depth >= this.#limits.jsonDepth) {
              throw new LimitError("jsonDepth", this.#limits.jsonDepth, {
                offset: this.#offset + i,
              });
            }
            i++;
            if (++depth === kinds.length) {
              kinds = new Uint8Array(depth * 2);
              kinds.set(this.#kinds);
              this.#kinds = kinds;
            }
            if (byte === 0x7b) {
              kinds[depth] = OBJECT;
              sink.startObject();
              state = AT_FIRST_KEY;
            } else {
              kinds[depth] = ARRAY;
              sink.startArray();
              state = AT_FIRST_ITEM;
            }
            // The container whose items are the values is none itself.
            if (depth > reportDepth && ++this.#values > this.#limits.values) {
              this.#tooMany();
            }
            continue;
          }
          if (state === AT_TOP) {
            if (byte === 0x1e && this.#framing === "sequence") {
              i++;
              continue;
            }
            if (this.#framing === "items") {
              throw this.#fault("not-a-container", i);
            }
          }
          const digit = byte - 48;
          if (digit >>> 0 > 9 && byte !== 0x2d) {
            const end = this.#word(i, byte);
            if (end < 0) {
              // Its end has not come.
              this.#state = state;
              this.#depth = depth;
              bytes = this.#bytes;
              length = bytes.length;
              i = 0;
              continue;
            }
            i = end;
            if (depth === 0) {
              this.#at = i;
              this.#state = this.#framing === "sequence"
                ? AT_TOP_TIGHT
                : AT_DONE;
              this.#depth = depth;
              return STATUS_VALUE;
            }
            break;
          }
          // A number: its first 17 digits in two integers of 32 bits.
          let end = i;
          const negative = byte === 0x2d;
          if (negative) end++;
          let high = 0;
          let low = 0;
          let lowDigits = 0;
          let more = false;
          const first = end;
          while (end < length && (byte = bytes[end]! - 48) >>> 0 <= 9) {
            if (high < 100000000) {
              high = high * 10 + byte;
            } else if (lowDigits < 8) {
              low = low * 10 + byte;
              lowDigits++;
            } else {
              more = true;
            }
            end++;
            if (byte === 0 && end - first === 1) break;
          }
          const digits = end - first;
          let float = false;
          let exponent = 0;
          let cut = end >= length;
          if (!cut && digits > 0) {
            byte = bytes[end]!;
            if (byte === 0x2e) {
              let next = end + 1;
              while (next < length && (byte = bytes[next]! - 48) >>> 0 <= 9) {
                if (high < 100000000) {
                  high = high * 10 + byte;
                } else if (lowDigits < 8) {
                  low = low * 10 + byte;
                  lowDigits++;
                } else {
                  more = true;
                }
                next++;
              }
              cut = next >= length;
              if (next > end + 1) {
                float = true;
                exponent = end + 1 - next;
                end = next;
                if (!cut) byte = bytes[end]!;
              }
            }
            if (!cut && (byte === 0x65 || byte === 0x45)) {
              let next = end + 1;
              let sign = 1;
              if (next < length) {
                byte = bytes[next]!;
                if (byte === 0x2d || byte === 0x2b) {
                  if (byte === 0x2d) sign = -1;
                  next++;
                }
              }
              const from = next;
              let power = 0;
              while (next < length && (byte = bytes[next]! - 48) >>> 0 <= 9) {
                if (power < 100000) power = power * 10 + byte;
                next++;
              }
              cut = next >= length;
              if (next > from) {
                float = true;
                exponent += sign * power;
                end = next;
              }
            }
          }
          if (cut && !this.#final) {
            this.#state = state;
            this.#depth = depth;
            this.#pend(i, SCALAR_TOKEN, false);
            bytes = this.#bytes;
            length = bytes.length;
            i = 0;
            continue;
          }
          if (digits === 0) {
            end = this.#word(i, 0x2d);
            if (end < 0) {
              this.#state = state;
              this.#depth = depth;
              bytes = this.#bytes;
              length = bytes.length;
              i = 0;
              continue;
            }
          } else if (this.#numberText) {
            const text = this.#ascii.read(bytes, i, end);
            if (float) sink.floatText(text);
            else sink.intText(text);
          } else if (!float) {
            if (digits <= 15) {
              const value = joinDigits(high, low, lowDigits);
              sink.int(negative ? 0 - value : value);
            } else {
              sink.intText(this.#ascii.read(bytes, i, end));
            }
          } else {
            let value = more
              ? NaN
              : nearestDouble(high, low, lowDigits, exponent);
            if (value !== value) {
              value = Number(this.#ascii.read(bytes, i, end));
            } else if (negative) {
              value = -value;
            }
            sink.float(value);
          }
          i = end;
          if (depth === 0) {
            this.#at = i;
            this.#state = this.#framing === "sequence" ? AT_TOP_TIGHT : AT_DONE;
            this.#depth = depth;
            return STATUS_VALUE;
          }
        }
      }

      // A value is complete.
      if (++this.#values > this.#limits.values) this.#tooMany();
      if (depth > reportDepth) {
        state = AT_NEXT;
        continue;
      }
      this.#at = i;
      this.#depth = depth;
      // Who takes it has it; what comes next is another's.
      this.#values = 0;
      if (depth > 0) {
        this.#state = AT_NEXT;
        return STATUS_VALUE;
      }
      if (reportDepth === 1) {
        state = AT_DONE;
        continue;
      }
      this.#state = this.#framing === "sequence" ? AT_TOP : AT_DONE;
      return STATUS_VALUE;
    }
  }

  #finish(state: number, at: number): Status {
    switch (state) {
      case AT_TOP:
        if (this.#framing === "sequence") return STATUS_END;
        throw this.#fault("expecting-value", at);
      case AT_TOP_TIGHT:
      case AT_DONE:
        return STATUS_END;
      case AT_NEXT:
        throw this.#fault("expecting-comma", at);
      case AT_COLON:
        throw this.#fault("expecting-colon", at);
      case AT_FIRST_KEY:
      case AT_KEY:
        throw this.#fault("expecting-property-name", at);
      default:
        throw this.#fault("expecting-value", at);
    }
  }

  /**
   * A string token that is cut, or may be wrong.
   *
   * @returns Whether it is cut and waits; otherwise it is whole and right.
   */
  #string(start: number, end: number, flags: number): boolean {
    const length = this.#bytes.length;
    const closed = end < length;
    if (!closed && !this.#final) {
      this.#pend(start, STRING_TOKEN, end > length);
      return true;
    }
    if (closed && (flags & ESCAPE) === 0 && !this.#strict) return false;
    const found = findStringFault(this.#bytes, start + 1, {
      end: Math.min(end, length),
      strict: this.#strict,
      closed,
    });
    if (found !== undefined) throw this.#fault(found.fault, found.at);
    return false;
  }

  /**
   * A word.
   *
   * @returns Offset after it, or -1 where it is cut and waits.
   */
  #word(start: number, first: number): number {
    const literal = WORDS.get(first);
    const word = literal ?? CONSTANTS.get(first);
    if (word === undefined) throw this.#fault("expecting-value", start);
    const { text } = word;
    const bytes = this.#bytes;
    for (let k = 1; k < text.length; k++) {
      if (start + k >= bytes.length && !this.#final) {
        this.#pend(start, SCALAR_TOKEN, false);
        return -1;
      }
      if (bytes[start + k] !== text.charCodeAt(k)) {
        throw this.#fault("expecting-value", start);
      }
    }
    if (literal !== undefined) this.#sink.literal(literal.value);
    else this.#sink.constant((word as { value: number }).value);
    return start + text.length;
  }

  #tooMany(): never {
    throw new LimitError("values", this.#limits.values);
  }
}

/** Python names the bytes by their place in the whole input. */
function relocate(error: Utf8Error, offset: number): UnicodeDecodeError {
  const pos = error.pos + offset;
  const end = error.end + offset;
  const message = error.message.replace(
    /in position \d+(-\d+)?/,
    end - pos === 1 ? `in position ${pos}` : `in position ${pos}-${end - 1}`,
  );
  return new UnicodeDecodeError(message, pos);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
