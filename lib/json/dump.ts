/**
 * JSON to streams.
 *
 * @module
 */

import { type Machine, MORE } from "../streams/machine_stream.ts";
import { type DumpsOptions, Encoder } from "./encoder.ts";

/** How JSON is written to a stream. */
export interface DumpOptions extends DumpsOptions {
  /**
   * Whether the stream is left open afterwards.
   *
   * @default {false}
   */
  preventClose?: boolean;
}

/**
 * Writes a value to a stream as JSON in UTF-8, as Python's `json.dump` writes
 * to a file. It goes out in pieces as the stream takes them; the whole text is
 * never held.
 *
 * @param value The value.
 * @param writable The stream.
 * @param options How to write it.
 * @returns When all is written.
 * @throws {JSONEncodeError} Where a value has no form in JSON; the stream is
 * then aborted, unless it was to stay open.
 * @throws {LimitError} Where it is too deep or too long.
 *
 * @example Answer a request
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const { readable, writable } = new TransformStream();
 * const text = new Response(readable).text();
 * await json.dump({ a: [1, 2] }, writable);
 * assertEquals(await text, '{"a": [1, 2]}');
 * ```
 */
export async function dump(
  value: unknown,
  writable: WritableStream<Uint8Array>,
  options: DumpOptions = {},
): Promise<void> {
  const machine = new Encoder(options, { bytes: true });
  const writer = writable.getWriter();
  try {
    machine.begin(value);
    for (let done = false; !done;) {
      done = machine.step();
      // A write is over when the stream has room again.
      await writer.write(machine.view().slice());
    }
    if (!options.preventClose) await writer.close();
  } catch (error) {
    // What has been written is no whole text: nobody may take it for one.
    if (!options.preventClose) writer.abort(error).catch(() => {});
    throw error;
  } finally {
    machine.close();
    writer.releaseLock();
  }
}

/** How values are written to a stream one after the other. */
export interface JsonEncoderOptions extends DumpsOptions {
  /**
   * What stands around each value. `"lines"`: a line end behind it (JSON
   * Lines); `"sequence"`: a record separator before it as well (RFC 7464);
   * `"array"`: all are items of one array; `"none"`: nothing.
   *
   * @default {"lines"}
   */
  framing?: "lines" | "sequence" | "array" | "none";
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array();
const LINE_END = encoder.encode("\n");
const RECORD_SEPARATOR = encoder.encode("\x1e");

/** The machine under `JsonEncoderStream`. */
export class JsonEncoder implements Machine<unknown, Uint8Array> {
  readonly #encoder: Encoder;
  readonly #framing: NonNullable<JsonEncoderOptions["framing"]>;
  #before: Uint8Array = NOTHING;
  #after: Uint8Array = NOTHING;
  #active = false;
  #count = 0;

  /**
   * Makes one.
   *
   * @param options How to write.
   */
  constructor(options: JsonEncoderOptions = {}) {
    const { framing = "lines" } = options;
    if (!["lines", "sequence", "array", "none"].includes(framing)) {
      throw new TypeError(
        'framing must be "lines", "sequence", "array" or "none"',
      );
    }
    this.#framing = framing;
    this.#encoder = new Encoder(options, { bytes: true });
  }

  /**
   * Takes a value.
   *
   * @param value Any value.
   */
  push(value: unknown): void {
    this.#active = true;
    switch (this.#framing) {
      case "sequence":
        this.#before = RECORD_SEPARATOR;
        this.#after = LINE_END;
        break;
      case "lines":
        this.#after = LINE_END;
        break;
      case "array": {
        const { newline, separator } = this.#encoder.layout(1);
        const before = this.#count === 0 ? "[" : separator;
        this.#before = encoder.encode(before + newline);
      }
    }
    this.#count++;
    this.#encoder.begin(value, this.#framing === "array" ? 1 : 0);
  }

  /** Says that no value follows. */
  end(): void {
    this.#encoder.close();
    if (this.#framing !== "array") return;
    const { newline } = this.#encoder.layout(0);
    this.#after = encoder.encode(this.#count === 0 ? "[]" : `${newline}]`);
  }

  /**
   * Gives the next bytes.
   *
   * @returns Bytes, or `MORE`.
   * @throws {JSONEncodeError} Where a value has no form in JSON.
   */
  pull(): Uint8Array | typeof MORE {
    const after = this.#after;
    if (!this.#active) {
      if (after.length === 0) return MORE;
      this.#after = NOTHING;
      return after;
    }
    const done = this.#encoder.step();
    const view = this.#encoder.view();
    const before = this.#before;
    const size = before.length + view.length;
    const chunk = new Uint8Array(done ? size + after.length : size);
    chunk.set(view, before.length);
    if (before.length > 0) {
      chunk.set(before);
      this.#before = NOTHING;
    }
    if (done) {
      if (after.length > 0) chunk.set(after, size);
      this.#after = NOTHING;
      this.#active = false;
    }
    return chunk;
  }
}
