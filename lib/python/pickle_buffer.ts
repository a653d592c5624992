/**
 * Bytes that may travel beside a pickle (PEP 574).
 *
 * @module
 */

/**
 * Python's `pickle.PickleBuffer`: bytes that `bufferCallback` may take out of
 * the pickle. In the pickle they are bytes where they are read-only, else a
 * bytearray. Protocol 5 only.
 *
 * @example Send bytes beside the pickle
 * ```ts
 * import { pickle, PickleBuffer } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const buffers: Uint8Array[] = [];
 * const bytes = pickle.dumps(new PickleBuffer(new Uint8Array(1_000_000)), {
 *   bufferCallback: (buffer) => buffers.push(buffer),
 * });
 * assertEquals(bytes.length < 20, true);
 * assertEquals(pickle.loads(bytes, { buffers }), new Uint8Array(1_000_000));
 * ```
 */
export class PickleBuffer {
  /** The bytes, not copied. */
  readonly bytes: Uint8Array;
  /** Whether Python is to see them as read-only. */
  readonly readOnly: boolean;

  /**
   * Wraps bytes.
   *
   * @param bytes The bytes, not copied.
   * @param options `readOnly`: whether Python is to see them as read-only.
   */
  constructor(bytes: Uint8Array, options: { readOnly?: boolean } = {}) {
    this.bytes = bytes;
    this.readOnly = options.readOnly ?? false;
  }
}
