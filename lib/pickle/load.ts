/**
 * Reading pickles.
 *
 * @module
 */

import { MORE } from "../streams/machine_stream.ts";
import { UnpicklingError } from "./errors.ts";
import type { LoadOptions } from "./options.ts";
import { Unpickler } from "./unpickler.ts";

/** Made once and used again, since most pickles are small. */
let idle: Unpickler | undefined;

/**
 * Reads a pickle, as Python's `pickle.loads`. Nothing of it is run: an object
 * of a class that is not known comes as an inert `PyObject`. What follows the
 * pickle is ignored.
 *
 * @param bytes The pickle. Numpy arrays, and bytes of a mebibyte and more that
 * are a sixteenth of it at least, are not copied but look into it: leave it as it is while you use them, or ask for
 * a `copy`.
 * @param options What is asked for.
 * @returns The value.
 * @throws {UnpicklingError} If the bytes are no pickle.
 * @throws {LimitError} If it would take more than its limits.
 *
 * @example Read a pickle
 * ```ts
 * import { loads } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * // pickle.dumps({"spam": [1, 2.5, None]}) in Python
 * const bytes = Uint8Array.from(
 *   atob("gASVGwAAAAAAAAB9lIwEc3BhbZRdlChLAUdABAAAAAAAAE5lcy4="),
 *   (char) => char.charCodeAt(0),
 * );
 * assertEquals(loads(bytes), { spam: [1, 2.5, null] });
 * ```
 */
export function loads(bytes: Uint8Array, options?: LoadOptions): unknown {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("pickle.loads takes a Uint8Array");
  }
  if (options !== undefined) return new Unpickler(options).load(bytes);
  const unpickler = idle ?? new Unpickler();
  // A getter of a caller's could load another pickle meanwhile.
  idle = undefined;
  try {
    return unpickler.load(bytes);
  } finally {
    unpickler.reset();
    idle = unpickler;
  }
}

/** Options of {@linkcode load}. */
export interface LoadStreamOptions extends LoadOptions {
  /**
   * Whether the stream stays open for others when the pickle has ended.
   *
   * @default {false}
   */
  preventCancel?: boolean;
}

/**
 * Reads a pickle from a stream, as Python's `pickle.load`, while it arrives.
 *
 * @param readable Where the pickle comes from, in chunks of any size.
 * @param options What is asked for.
 * @returns The value.
 * @throws {UnpicklingError} If the bytes are no pickle.
 * @throws {LimitError} If it would take more than its limits.
 *
 * @example Read a response
 * ```ts
 * import { dumps, load } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const response = new Response(dumps([1, 2, 3]));
 * assertEquals(await load(response.body!), [1, 2, 3]);
 * ```
 */
export async function load(
  readable: ReadableStream<Uint8Array>,
  options: LoadStreamOptions = {},
): Promise<unknown> {
  const unpickler = new Unpickler(options);
  const reader = readable.getReader();
  let open = true;
  try {
    for (;;) {
      const value = unpickler.pull();
      if (value !== MORE) return value;
      if (!open) {
        throw new UnpicklingError("the input is empty", {
          code: "truncated",
          offset: 0,
        });
      }
      const { done, value: chunk } = await reader.read();
      if (!done) unpickler.push(chunk);
      else {
        open = false;
        unpickler.end();
      }
    }
  } finally {
    if (open && !options.preventCancel) {
      // Not waited for: a source may never answer.
      reader.cancel().catch(() => {});
    }
    reader.releaseLock();
  }
}
