/**
 * Python's `pickle.dumps` and `pickle.dump`.
 *
 * @module
 */

import { MORE } from "../streams/machine_stream.ts";
import type { DumpOptions } from "./dump_options.ts";
import { Pickler } from "./pickler.ts";

/** One pickler that waits for the next call; what it has costs time to make. */
let spare: Pickler | undefined;

/**
 * Writes a value as a pickle, byte for byte as CPython 3.13 does.
 *
 * A number is an int where it is a safe integer, else a float; `-0`, NaN and
 * the infinities are floats. A `Float` is a float always, a bigint an int. Plain
 * objects and Maps are dicts, Arrays lists, `Tuple`s tuples, `Uint8Array`s
 * bytes. A Date is a datetime in UTC. What `loads` gives, inert objects
 * included, Python can load again.
 *
 * An object that occurs twice is one object in Python too; equal strings are
 * always one. A class of your own says by a `[pickle.toPickle]` method how it
 * is pickled.
 *
 * @param value What is to be written.
 * @param options How.
 * @returns The pickle.
 * @throws {PicklingError} If the value, or one within it, has no form in
 * Python.
 *
 * @example Write a value and read it again
 * ```ts
 * import { dumps, loads } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = dumps({ name: "brine", tags: ["a", "b"], size: 2.5 });
 * assertEquals(loads(bytes), { name: "brine", tags: ["a", "b"], size: 2.5 });
 * ```
 *
 * @example Write for Python 2.7
 * ```ts
 * import { dumps } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const text = new TextDecoder().decode(dumps([1, true], { protocol: 0 }));
 * assertEquals(text, "(lp0\nI1\naI01\na.");
 * ```
 *
 * @example Keep references outside of the pickle
 * ```ts
 * import { dumps, loads } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const user = { id: 7, name: "Ada" };
 * const bytes = dumps([user], {
 *   persistentId: (value) => value === user ? "user 7" : undefined,
 * });
 * assertEquals(loads(bytes, { persistentLoad: () => user }), [user]);
 * ```
 */
export function dumps(
  value: unknown,
  options: DumpOptions = {},
): Uint8Array<ArrayBuffer> {
  // A getter or a hook may call again while this call is at work.
  const pickler = spare ?? new Pickler();
  spare = undefined;
  pickler.configure(options);
  const bytes = pickler.dumps(value);
  spare = pickler;
  return bytes;
}

/** Options of {@linkcode dump}: those of the platform's `pipeTo`, too. */
export interface DumpToOptions extends DumpOptions {
  /**
   * Whether the stream stays open after the pickle.
   *
   * @default {false}
   */
  preventClose?: boolean;
  /**
   * Whether the stream stays usable after an error.
   *
   * @default {false}
   */
  preventAbort?: boolean;
}

/**
 * Writes a value as a pickle into a stream, chunk by chunk as the stream takes
 * them. Large `Uint8Array`s go out as they are, without a copy.
 *
 * @param value What is to be written; do not change it meanwhile.
 * @param writable Where it goes.
 * @param options How.
 * @returns When all is written, and the stream closed.
 * @throws {PicklingError} If the value, or one within it, has no form in
 * Python; the stream is then aborted.
 *
 * @example Write into a stream
 * ```ts
 * import { dump, loads } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * const written = dump({ a: 1 }, writable);
 * const bytes = await new Response(readable).bytes();
 * await written;
 * assertEquals(loads(bytes), { a: 1 });
 * ```
 *
 * @example Write two pickles, one behind the other
 * ```ts
 * import { dump, PickleDecoderStream } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new PickleDecoderStream();
 * const values = Array.fromAsync(decoder.readable);
 * await dump(1, decoder.writable, { preventClose: true });
 * await dump(2, decoder.writable);
 * assertEquals(await values, [1, 2]);
 * ```
 */
export async function dump(
  value: unknown,
  writable: WritableStream<Uint8Array>,
  options: DumpToOptions = {},
): Promise<void> {
  const { preventClose = false, preventAbort = false, ...rest } = options;
  const writer = writable.getWriter();
  try {
    const pickler = new Pickler(rest);
    pickler.push(value);
    for (;;) {
      await writer.ready;
      const chunk = pickler.pull();
      if (chunk === MORE) break;
      await writer.write(chunk);
    }
    if (!preventClose) await writer.close();
  } catch (error) {
    if (!preventAbort) await writer.abort(error).catch(() => {});
    throw error;
  } finally {
    writer.releaseLock();
  }
}
