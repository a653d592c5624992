/**
 * JSON as Python reads and writes it: `dumps`, `dump`, `loads`, `load` with the
 * options, the output and the errors of Python's `json` module, and streams.
 *
 * @example There and back
 * ```ts
 * import { dumps, loads } from "@brine/brine/json";
 * import { assertEquals } from "@std/assert";
 *
 * const text = dumps({ ratio: NaN, id: 2n ** 64n });
 * assertEquals(text, '{"ratio": NaN, "id": 18446744073709551616}');
 * assertEquals(loads(text), { ratio: NaN, id: 2n ** 64n });
 * ```
 *
 * @module
 */

export {
  JSONDecodeError,
  type JSONDecodeErrorCode,
  type JSONDecodeErrorInit,
  JSONEncodeError,
  type JSONEncodeErrorCode,
  type Place,
  TagError,
  UnicodeDecodeError,
} from "./errors.ts";
export { LimitError, type Limits } from "../python/limits.ts";
export type { Types } from "./convert.ts";
export type { Allow } from "./tagged_reader.ts";
export { dumps, type DumpsOptions } from "./encoder.ts";
export { dump, type DumpOptions, type JsonEncoderOptions } from "./dump.ts";
export {
  type JsonDecoderOptions,
  load,
  type LoadOptions,
  loads,
  type LoadsOptions,
} from "./decoder.ts";
export { JsonDecoderStream, JsonEncoderStream } from "./streams.ts";
export {
  type Machine,
  MachineStream,
  MORE,
} from "../streams/machine_stream.ts";
