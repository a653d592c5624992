/**
 * JSON text laid out anew while it flows: separators, indent, or the elements
 * of the top array as lines. It only looks at tokens, so it costs no memory.
 *
 * @module
 */

import { checkOutput, type Limits, resolveLimits } from "../python/limits.ts";
import { type Machine, MORE } from "../streams/machine_stream.ts";

const CHUNK = 65536;
const NEWLINE = 10;

/** How the text is laid out. */
export interface LayoutOptions {
  /** One level of indent; undefined: all on one line. */
  indent: string | undefined;
  /** What stands between items. */
  item: string;
  /** What stands between key and value. */
  key: string;
  /** Whether the elements of the top array become lines. */
  items: boolean;
  /** How much may be written: indents may be most of it. */
  limits?: Limits | undefined;
}

/** Lays out the text of a machine that writes `", "` and `": "`. */
export class LayoutMachine
  implements Machine<Uint8Array, Uint8Array<ArrayBuffer>> {
  readonly #inner: Machine<Uint8Array, Uint8Array<ArrayBuffer>>;
  readonly #indent: Uint8Array | undefined;
  readonly #item: Uint8Array;
  readonly #key: Uint8Array;
  readonly #items: boolean;
  readonly #limits: Readonly<Required<Limits>>;
  #read = 0;
  #written = 0;
  #in: Uint8Array = new Uint8Array(0);
  #p = 0;
  #out: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #o = 0;
  #depth = 0;
  #string = false;
  #escaped = false;
  /** A bracket has just been opened. */
  #opened = false;
  /** A blank follows that belongs to the separator. */
  #blank = false;

  /**
   * Makes one.
   *
   * @param inner Who writes the text.
   * @param options How it is to look.
   */
  constructor(
    inner: Machine<Uint8Array, Uint8Array<ArrayBuffer>>,
    options: LayoutOptions,
  ) {
    const encoder = new TextEncoder();
    this.#inner = inner;
    this.#indent = options.indent === undefined
      ? undefined
      : encoder.encode(options.indent);
    this.#item = encoder.encode(options.item);
    this.#key = encoder.encode(options.key);
    this.#items = options.items;
    this.#limits = resolveLimits(options.limits);
  }

  /** @inheritdoc */
  push(chunk: Uint8Array): void {
    this.#read += chunk.length;
    this.#inner.push(chunk);
  }

  /** @inheritdoc */
  end(): void {
    this.#inner.end();
  }

  /** @inheritdoc */
  pull(): Uint8Array<ArrayBuffer> | typeof MORE {
    for (;;) {
      if (this.#p === this.#in.length) {
        const chunk = this.#inner.pull();
        if (chunk === MORE) return this.#o > 0 ? this.#give() : MORE;
        this.#in = chunk;
        this.#p = 0;
      }
      this.#run();
      if (this.#o >= CHUNK) return this.#give();
    }
  }

  #give(): Uint8Array<ArrayBuffer> {
    const chunk = this.#out.slice(0, this.#o);
    this.#written += this.#o;
    this.#o = 0;
    checkOutput(this.#limits, { written: this.#written, read: this.#read });
    return chunk;
  }

  #run(): void {
    const room = CHUNK + this.#item.length + this.#key.length + 16 +
      (this.#indent?.length ?? 0) * (this.#depth + CHUNK);
    // Depth grows by at most one a byte, and no more bytes than a chunk's.
    if (this.#out.length < Math.min(room, CHUNK * 2)) {
      this.#out = new Uint8Array(CHUNK * 2);
    }
    const bytes = this.#in;
    let out = this.#out;
    let o = this.#o;
    let p = this.#p;
    while (p < bytes.length && o < CHUNK) {
      const c = bytes[p++]!;
      if (this.#string) {
        out[o++] = c;
        if (this.#escaped) this.#escaped = false;
        else if (c === 0x5c) this.#escaped = true;
        else if (c === 0x22) this.#string = false;
        continue;
      }
      if (this.#blank) {
        this.#blank = false;
        if (c === 0x20) continue;
      }
      const closes = c === 0x5d || c === 0x7d;
      const need = 16 + this.#item.length + this.#key.length +
        (this.#indent?.length ?? 0) * (this.#depth + 2);
      if (o + need > out.length) {
        const grown = new Uint8Array(out.length * 2 + need);
        grown.set(out.subarray(0, o));
        out = this.#out = grown;
      }
      if (this.#opened && !closes) {
        this.#opened = false;
        o = this.#line(out, o);
      }
      switch (c) {
        case 0x22:
          this.#string = true;
          out[o++] = c;
          break;
        case 0x5b:
        case 0x7b:
          if (this.#items && this.#depth === 0) {
            if (c === 0x7b) this.#refuse();
          } else {
            out[o++] = c;
            this.#opened = true;
          }
          this.#depth++;
          break;
        case 0x5d:
        case 0x7d:
          this.#depth--;
          if (this.#items && this.#depth === 0) {
            if (this.#any) out[o++] = NEWLINE;
            this.#any = false;
            break;
          }
          if (!this.#opened) o = this.#line(out, o);
          this.#opened = false;
          out[o++] = c;
          break;
        case 0x2c:
          if (this.#items && this.#depth === 1) out[o++] = NEWLINE;
          else {
            out.set(this.#item, o);
            o = this.#line(out, o + this.#item.length);
          }
          this.#blank = true;
          break;
        case 0x3a:
          out.set(this.#key, o);
          o += this.#key.length;
          this.#blank = true;
          break;
        case NEWLINE:
          if (!this.#items) out[o++] = c;
          break;
        default:
          if (this.#items && this.#depth === 0) this.#refuse();
          out[o++] = c;
      }
      if (this.#depth > 0 && c !== 0x5b) this.#any = true;
      else if (this.#depth > 1) this.#any = true;
    }
    this.#p = p;
    this.#o = o;
  }

  /** Whether the top array has elements. */
  #any = false;

  #refuse(): never {
    throw new TypeError("items takes a list at the top, and nothing else");
  }

  #line(out: Uint8Array, o: number): number {
    const indent = this.#indent;
    if (indent === undefined) return o;
    out[o++] = NEWLINE;
    for (let i = 0; i < this.#depth; i++) {
      out.set(indent, o);
      o += indent.length;
    }
    return o;
  }
}
