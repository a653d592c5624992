/**
 * Reads gzip, zlib and bare deflate, by the platform's own means.
 *
 * @module
 */

import { type Allow, CompressionError, GrowingBytes } from "./growing.ts";

/**
 * Reads data that deflate has made small.
 *
 * @param bytes The data.
 * @param format `gzip`, `deflate` (that is zlib) or `deflate-raw`.
 * @param allow Is asked before there is more output.
 * @returns What was compressed.
 * @throws {CompressionError} If it is damaged.
 */
export async function inflate(
  bytes: Uint8Array,
  format: "gzip" | "deflate" | "deflate-raw",
  allow: Allow,
): Promise<Uint8Array<ArrayBuffer>> {
  const output = new GrowingBytes(allow);
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  // What goes wrong shows at the reader.
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>)
    .then(() => writer.close()).catch(() => {});
  const reader = stream.readable.getReader();
  try {
    for (;;) {
      let next: ReadableStreamReadResult<Uint8Array>;
      try {
        next = await reader.read();
      } catch (cause) {
        throw new CompressionError(format === "deflate" ? "zlib" : format, {
          cause,
        });
      }
      if (next.done) break;
      output.append(next.value);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
  await written;
  return output.bytes();
}
