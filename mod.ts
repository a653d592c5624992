/**
 * Python's `pickle` and `json` for JavaScript, whole and on Web streams, without
 * ever running a pickle's code.
 *
 * @example Turn a pickle into JSON
 * ```ts
 * import { pickle, PickleToJsonStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = pickle.dumps({ name: "Ada", born: 1815 });
 * const json = new Blob([bytes]).stream()
 *   .pipeThrough(new PickleToJsonStream());
 * assertEquals(
 *   await new Response(json).text(),
 *   '{"name": "Ada", "born": 1815}',
 * );
 * ```
 *
 * @example Values, by Python's names
 * ```ts
 * import { json, pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pickle.loads(pickle.dumps([1, "two", null])), [1, "two", null]);
 * assertEquals(json.dumps({ a: [1, 2.5] }), '{"a": [1, 2.5]}');
 * ```
 *
 * @module
 */

export * as json from "./lib/json/mod.ts";
export { JSONDecodeError } from "./lib/json/errors.ts";
export { JsonDecoderStream, JsonEncoderStream } from "./lib/json/streams.ts";
export { PickleDecoderStream } from "./lib/pickle/decoder_stream.ts";
export { PickleEncoderStream } from "./lib/pickle/encoder_stream.ts";
export { PicklingError, UnpicklingError } from "./lib/pickle/errors.ts";
export * as pickle from "./lib/pickle/mod.ts";
export * from "./lib/transcode/mod.ts";
export * from "./lib/values.ts";
export {
  type Machine,
  MachineStream,
  MORE,
} from "./lib/streams/machine_stream.ts";
