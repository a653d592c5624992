/**
 * `@std/streams`, by way of npm, for a clone that reaches no JSR. Same code,
 * typed here since the npm package carries no types.
 *
 * @module
 */
import * as std from "#npm";

/** All the bytes of a stream. */
export function toBytes(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  return std.toBytes(stream);
}

/** All the text of a stream of texts or UTF-8 bytes. */
export function toText(stream: ReadableStream): Promise<string> {
  return std.toText(stream);
}

/** A stream of texts as a stream of their lines. */
export const TextLineStream: new (
  options?: { allowCR?: boolean },
) => TransformStream<string, string> = std.TextLineStream;
