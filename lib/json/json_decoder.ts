/**
 * The machine under `JsonDecoderStream`.
 *
 * The careful reader could do all of it. Most records, though, are such that
 * `JSON.parse` reads them as Python would, and several times as fast: so the
 * end of a record is looked for in the bytes, and the record (or a run of an
 * array's items) given to `JSON.parse`. Where that will not do, the careful
 * reader gets the same bytes and says what they are, or what is wrong with them
 * and where; it keeps count of all that passes.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { type Machine, MORE } from "../streams/machine_stream.ts";
import type { ValueBuilder } from "./builder.ts";
import {
  type JsonDecoderOptions,
  makeBuilder,
  makePlan,
  makeTokenizer,
  type Plan,
  run,
} from "./decoder.ts";
import { TextInput } from "./encoding.ts";
import { isExact } from "./native.ts";
import { STATUS_VALUE, type Tokenizer } from "./tokens.ts";

/** So many bytes of an array are given to `JSON.parse` in one go. */
const WINDOW = 0x1_0000;
/** Records longer than this are read with care, piece by piece. */
const LONG_RECORD = 0x400_0000;

const EMPTY = new Uint8Array();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const QUOTE = 1;
const OPEN = 2;
const CLOSE = 3;
const COMMA = 4;
/** What the search for a record's end looks at. */
const KIND: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256);
  table[0x22] = QUOTE;
  table[0x5b] = table[0x7b] = OPEN;
  table[0x5d] = table[0x7d] = CLOSE;
  table[0x2c] = COMMA;
  return table;
})();

/** White space, and the record separator of RFC 7464. */
function isBetween(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 ||
    byte === 0x1e;
}

/** Reads a stream of JSON; see `JsonDecoderStream`. */
export class JsonDecoder implements Machine<Uint8Array | string, unknown> {
  readonly #input = new TextInput();
  readonly #plan: Plan;
  readonly #items: boolean;
  readonly #builder: ValueBuilder;
  readonly #tokenizer: Tokenizer;
  /** Whether `JSON.parse` may be tried at all. */
  #native: boolean;
  /** Whether the input has ended, which the careful reader does not know. */
  #isEnding = false;

  /** What is being read, and how far. */
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** What the careful reader gets next. */
  #careful: Uint8Array[] = [];
  /** Whether the careful reader is at it. */
  #isCareful = false;
  /** Values that wait to be pulled. */
  #ready: unknown[] = [];
  #next = 0;

  /** The beginning of a record whose end has not come. */
  readonly #begun = new ChunkQueue();
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Whether the array's bracket has been read. */
  #isInside = false;

  /**
   * Makes one.
   *
   * @param options How to read.
   */
  constructor(options: JsonDecoderOptions = {}) {
    this.#plan = makePlan(options);
    this.#items = options.items === true;
    if (this.#items && options.types === "tagged") {
      throw new TypeError(
        "tagged JSON cannot be read in items: its parts refer to each other",
      );
    }
    this.#native = this.#plan.native;
    this.#builder = makeBuilder(this.#plan, this.#items);
    this.#tokenizer = makeTokenizer(this.#plan, this.#builder, {
      framing: this.#items ? "items" : "sequence",
    });
    this.#isCareful = !this.#native;
  }

  /**
   * Takes input.
   *
   * @param chunk Bytes or text.
   */
  push(chunk: Uint8Array | string): void {
    this.#pushBytes(this.#input.push(chunk));
  }

  /** Says that no input follows. */
  end(): void {
    this.#pushBytes(this.#input.end());
    this.#isEnding = true;
  }

  #pushBytes(bytes: Uint8Array): void {
    if (this.#isCareful) {
      // Between values is where the quick way can be taken up again.
      if (!this.#native || !this.#tokenizer.isIdle) {
        this.#careful.push(bytes);
        return;
      }
      this.#isCareful = false;
    }
    this.#bytes = bytes;
    this.#at = 0;
  }

  /**
   * Gives the next value.
   *
   * @returns A value, or `MORE`.
   */
  pull(): unknown {
    for (;;) {
      if (this.#next < this.#ready.length) {
        const value = this.#ready[this.#next];
        this.#ready[this.#next++] = undefined;
        return value;
      }
      if (this.#isCareful) {
        const value = this.#pullCarefully();
        if (value !== MORE || this.#isCareful) return value;
      }
      if (this.#at >= this.#bytes.length) {
        if (!this.#isEnding) return MORE;
        // The careful reader says whether this was a good end.
        this.#bytes = EMPTY;
        this.#at = 0;
        this.#hand(this.#begun.join());
        continue;
      }
      if (!this.#items) {
        const value = this.#readRecord();
        if (value !== MORE) return value;
      } else {
        this.#readItems();
      }
    }
  }

  #pullCarefully(): unknown {
    for (;;) {
      if (run(this.#tokenizer, this.#builder) === STATUS_VALUE) {
        return this.#plan.finish(this.#builder.take());
      }
      const next = this.#careful.shift();
      if (next !== undefined) {
        this.#tokenizer.push(next);
        continue;
      }
      if (this.#at < this.#bytes.length) {
        // It was given a piece of what is at hand.
        if (this.#native && this.#tokenizer.isIdle) {
          this.#isCareful = false;
        } else {
          this.#tokenizer.push(this.#bytes.subarray(this.#at));
          this.#at = this.#bytes.length;
          continue;
        }
      } else if (this.#isEnding) {
        this.#isEnding = false;
        this.#tokenizer.end();
        // From here on there is nothing but the reader's own end.
        this.#native = false;
        continue;
      }
      return MORE;
    }
  }

  /** Lets the careful reader go on from here. */
  #hand(bytes: Uint8Array): void {
    this.#depth = 0;
    this.#inString = this.#escaped = false;
    this.#isCareful = true;
    this.#careful.push(bytes);
  }

  /**
   * Looks for the end of a record, or of an array's items.
   *
   * @returns Offset behind it, or -1 where it has not come.
   */
  #findEnd(from: number): number {
    const bytes = this.#bytes;
    const length = bytes.length;
    let i = from;
    let depth = this.#depth;
    let inString = this.#inString;
    if (this.#escaped && i < length) {
      this.#escaped = false;
      i++;
    }
    let end = -1;
    for (;;) {
      if (inString) {
        let byte = 0;
        while (i < length && (byte = bytes[i++]!) !== 0x22) {
          if (byte === 0x5c) i++;
        }
        if (byte !== 0x22) break;
        inString = false;
      }
      let kind = 0;
      while (i < length && ((kind = KIND[bytes[i++]!]!) & 3) === 0);
      if (kind === QUOTE) {
        inString = true;
      } else if (kind === OPEN) {
        depth++;
      } else if (kind === CLOSE && --depth === 0) {
        end = i;
        break;
      }
      if (i >= length) break;
    }
    this.#escaped = i > length;
    this.#inString = inString;
    this.#depth = depth;
    return end;
  }

  /** One array or object; the careful reader gets all else. */
  #readRecord(): unknown {
    const bytes = this.#bytes;
    let from = this.#at;
    if (this.#begun.size === 0) {
      while (from < bytes.length && isBetween(bytes[from]!)) from++;
      if (from > this.#at) {
        const between = bytes.subarray(this.#at, from);
        this.#tokenizer.skip(between, {});
        this.#at = from;
      }
      if (from === bytes.length) return MORE;
      const first = bytes[from];
      if (first !== 0x7b && first !== 0x5b) {
        this.#hand(bytes.subarray(from));
        this.#at = bytes.length;
        return MORE;
      }
    }
    const end = this.#findEnd(from);
    if (end < 0) {
      this.#begun.push(bytes.subarray(from));
      this.#at = bytes.length;
      if (this.#begun.size > LONG_RECORD) this.#hand(this.#begun.join());
      return MORE;
    }
    this.#at = end;
    let record = bytes.subarray(from, end);
    if (this.#begun.size > 0) {
      this.#begun.push(record);
      record = this.#begun.join();
    }
    try {
      const text = decoder.decode(record);
      const value: unknown = JSON.parse(text);
      if (isExact(value, text, this.#plan.limits)) {
        const plain = text.length === record.length && !text.includes("\n");
        this.#tokenizer.skip(record, { plain });
        return value;
      }
    } catch {
      // No UTF-8, no JSON, or NaN: the careful reader knows.
    }
    this.#hand(record);
    // Records are much alike: the next ones are likely to fail as well.
    this.#careful.push(bytes.subarray(end));
    this.#at = bytes.length;
    return MORE;
  }

  /** As many items of the one array as are at hand. */
  #readItems(): void {
    const bytes = this.#bytes;
    if (!this.#isInside) {
      let from = this.#at;
      while (from < bytes.length && isBetween(bytes[from]!)) from++;
      // An object's entries, white space, an error.
      const end = bytes[from] === 0x5b ? from + 1 : bytes.length;
      if (bytes[from] === 0x5b) this.#isInside = true;
      else if (from < bytes.length) this.#native = false;
      this.#hand(bytes.subarray(this.#at, end));
      this.#at = end;
      return;
    }
    const { comma, close } = this.#findItems();
    if (comma < 0 && close < 0) {
      this.#begun.push(bytes.subarray(this.#at));
      this.#at = bytes.length;
      if (this.#begun.size <= LONG_RECORD) return;
      this.#native = false;
      this.#hand(this.#begun.join());
      return;
    }
    const end = close >= 0 ? close : comma;
    let items = bytes.subarray(this.#at, end);
    this.#at = end;
    if (this.#begun.size > 0) {
      this.#begun.push(items);
      items = this.#begun.join();
    }
    if (close >= 0) {
      // What comes behind the bracket is for the careful reader.
      this.#native = false;
    }
    const size = close >= 0 ? items.length : items.length - 1;
    const values = this.#parseItems(items, size);
    if (values === undefined) {
      this.#hand(items);
      return;
    }
    this.#ready = values;
    this.#next = 0;
    if (close >= 0) this.#hand(EMPTY);
  }

  #parseItems(items: Uint8Array, size: number): unknown[] | undefined {
    try {
      const text = `[${decoder.decode(items.subarray(0, size))}]`;
      const values: unknown = JSON.parse(text);
      if (
        Array.isArray(values) && values.length > 0 &&
        isExact(values, text, this.#plan.limits)
      ) {
        this.#tokenizer.skip(items, {
          plain: text.length === size + 2 && !text.includes("\n"),
          item: true,
          comma: size < items.length,
        });
        return values;
      }
    } catch {
      // As above.
    }
    return undefined;
  }

  /** The last comma between items that is at hand, or the array's end. */
  #findItems(): { comma: number; close: number } {
    const bytes = this.#bytes;
    const length = bytes.length;
    const window = this.#at + WINDOW;
    let i = this.#at;
    let depth = this.#depth;
    let inString = this.#inString;
    let comma = -1;
    let close = -1;
    if (this.#escaped && i < length) {
      this.#escaped = false;
      i++;
    }
    for (;;) {
      if (inString) {
        let byte = 0;
        while (i < length && (byte = bytes[i++]!) !== 0x22) {
          if (byte === 0x5c) i++;
        }
        if (byte !== 0x22) break;
        inString = false;
      }
      let kind = 0;
      while (i < length && (kind = KIND[bytes[i++]!]!) === 0);
      if (kind === QUOTE) {
        inString = true;
      } else if (kind === OPEN) {
        depth++;
      } else if (kind === CLOSE) {
        if (depth-- === 0) {
          close = i - 1;
          break;
        }
      } else if (kind === COMMA && depth === 0) {
        comma = i;
        if (i >= window) break;
      }
      if (i >= length) break;
    }
    if (comma >= 0 || close >= 0) {
      // What follows is looked at again, with what comes then.
      this.#depth = 0;
      this.#inString = this.#escaped = false;
    } else {
      this.#escaped = i > length;
      this.#inString = inString;
      this.#depth = depth;
    }
    return { comma, close };
  }
}
