/**
 * Streams of JSON.
 *
 * @module
 */

import { MachineStream } from "../streams/machine_stream.ts";
import type { JsonDecoderOptions } from "./decoder.ts";
import { JsonDecoder } from "./json_decoder.ts";
import { JsonEncoder, type JsonEncoderOptions } from "./dump.ts";

/**
 * Bytes (or text) to values: any number of JSON texts one behind the other, as
 * JSON Lines, with record separators (RFC 7464), or with nothing between them.
 * With `items`, the elements of one large array or object. Input may be cut
 * anywhere, and memory holds one value at a time.
 *
 * @example Read JSON Lines
 * ```ts
 * import { JsonDecoderStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const { body } = new Response('{"a": 1}\n{"a": 2}\n');
 * const values = await Array.fromAsync(
 *   body!.pipeThrough(new JsonDecoderStream()),
 * );
 * assertEquals(values, [{ a: 1 }, { a: 2 }]);
 * ```
 *
 * @example Go through one large array
 * ```ts
 * import { JsonDecoderStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const { body } = new Response("[1, [2], 12345678901234567890]");
 * const items = body!.pipeThrough(new JsonDecoderStream({ items: true }));
 * assertEquals(await Array.fromAsync(items), [1, [2], 12345678901234567890n]);
 * ```
 */
export class JsonDecoderStream
  extends MachineStream<Uint8Array | string, unknown> {
  /**
   * Makes the pair of streams.
   *
   * @param options How to read.
   */
  constructor(options?: JsonDecoderOptions) {
    super(new JsonDecoder(options));
  }
}

/**
 * Values to bytes: one JSON text for each value, a line for each unless
 * `framing` says otherwise.
 *
 * @example Write JSON Lines
 * ```ts
 * import { JsonEncoderStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const lines = ReadableStream.from([{ a: 1 }, { a: 2 }])
 *   .pipeThrough(new JsonEncoderStream());
 * assertEquals(await new Response(lines).text(), '{"a": 1}\n{"a": 2}\n');
 * ```
 */
export class JsonEncoderStream extends MachineStream<unknown, Uint8Array> {
  /**
   * Makes the pair of streams.
   *
   * @param options How to write.
   */
  constructor(options?: JsonEncoderOptions) {
    super(new JsonEncoder(options));
  }
}
