/**
 * Values in, pickles out.
 *
 * @module
 */

import { MachineStream } from "../streams/machine_stream.ts";
import type { EncoderStreamOptions } from "./dump_options.ts";
import { Pickler } from "./pickler.ts";

/**
 * Turns values into pickles: one for each value, in as many chunks as it takes.
 * Large `Uint8Array`s go out as they are, without a copy.
 *
 * @example Write values that Python reads one after the other
 * ```ts
 * import { PickleDecoderStream, PickleEncoderStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const values = ReadableStream.from([{ id: 1 }, { id: 2 }])
 *   .pipeThrough(new PickleEncoderStream())
 *   .pipeThrough(new PickleDecoderStream());
 * assertEquals(await Array.fromAsync(values), [{ id: 1 }, { id: 2 }]);
 * ```
 */
export class PickleEncoderStream extends MachineStream<unknown, Uint8Array> {
  /**
   * Makes the stream.
   *
   * @param options How pickles are written.
   */
  constructor(options: EncoderStreamOptions = {}) {
    super(new Pickler(options));
  }
}
