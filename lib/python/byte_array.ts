/**
 * Python's bytearray.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";

/**
 * A Python `bytearray`: a `Uint8Array` in all respects, but written back as a
 * bytearray.
 *
 * @example Make one
 * ```ts
 * import { ByteArray, pickle } from "@brine/brine";
 * import { assertInstanceOf } from "@std/assert";
 *
 * const bytes = pickle.dumps(new ByteArray([1, 2, 3]), { protocol: 5 });
 * assertInstanceOf(pickle.loads(bytes), ByteArray);
 * ```
 */
export class ByteArray extends Uint8Array<ArrayBuffer> {
  /**
   * Makes one, as `Uint8Array` does.
   *
   * @param source A length, bytes to copy, or a buffer to look into.
   * @param byteOffset Where in a buffer to begin.
   * @param length How many bytes of a buffer.
   */
  constructor(
    source: number | ArrayLike<number> | Iterable<number> | ArrayBuffer = 0,
    byteOffset?: number,
    length?: number,
  ) {
    super(source as ArrayBuffer, byteOffset, length);
  }

  /** `slice`, `map` and `subarray` give ordinary `Uint8Array`s. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }
}

setKeyKind(ByteArray.prototype, { kind: "unhashable", type: "bytearray" });
