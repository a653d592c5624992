/**
 * Pickles in, values out.
 *
 * @module
 */

import { MachineStream } from "../streams/machine_stream.ts";
import type { DecoderStreamOptions } from "./options.ts";
import { Unpickler } from "./unpickler.ts";

/**
 * Turns bytes into values: one for each pickle, as many as there are, each made
 * when the reader asks for it. What has come of a large pickle waits until that
 * is whole, or 8 MiB: half a pickle can make a thousand times as much as its
 * bytes take, and then fail. With `items` nothing waits.
 *
 * @example Read values that Python wrote one after the other
 * ```ts
 * import { pickle, PickleDecoderStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const values = ReadableStream.from([pickle.dumps(1), pickle.dumps("two")])
 *   .pipeThrough(new PickleDecoderStream());
 * assertEquals(await Array.fromAsync(values), [1, "two"]);
 * ```
 *
 * @example Read a huge list piece by piece
 * ```ts
 * import { pickle, PickleDecoderStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = pickle.dumps([{ id: 1 }, { id: 2 }]);
 * const rows = ReadableStream.from([bytes])
 *   .pipeThrough(new PickleDecoderStream({ items: true }));
 * assertEquals(await Array.fromAsync(rows), [{ id: 1 }, { id: 2 }]);
 * ```
 */
export class PickleDecoderStream extends MachineStream<Uint8Array, unknown> {
  /**
   * Makes the stream.
   *
   * @param options What is asked for.
   */
  constructor(options?: DecoderStreamOptions) {
    super(new Unpickler(options));
  }
}
