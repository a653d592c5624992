/**
 * Every way in for pickles.
 *
 * @module
 */

import { ByteArray } from "../../lib/python/byte_array.ts";
import { PersistentId } from "../../lib/python/object.ts";
import { load, loads } from "../../lib/pickle/load.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import type { DecoderStreamOptions } from "../../lib/pickle/options.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { chunks, type Cut } from "./chunks.ts";
import type { FixtureOptions } from "./fixtures.ts";
import { fromHex } from "./hex.ts";
import { collect, streamOf } from "./streams.ts";

/**
 * What a fixture's options are to Brine, with nothing of a value lost.
 *
 * @param options The fixture's.
 * @returns Brine's.
 */
export function toOptions(options: FixtureOptions): DecoderStreamOptions {
  const { several: _, keepMemo, persistent, buffers, extensions, ...rest } =
    options;
  return {
    dicts: "map",
    floats: "exact",
    ...rest as DecoderStreamOptions,
    ...keepMemo && { keepMemo },
    ...persistent && { persistentLoad: (id) => new PersistentId(id) },
    ...extensions && { extensions },
    ...buffers && {
      buffers: buffers.map(([hex, readOnly]) => {
        const bytes = fromHex(hex);
        return readOnly ? bytes : new ByteArray(bytes);
      }),
    },
  };
}

/** A way in: all values of all pickles in the bytes. */
export type Door = (
  bytes: Uint8Array<ArrayBuffer>,
  options: DecoderStreamOptions,
) => unknown[] | Promise<unknown[]>;

/** `loads`: one pickle, whole. */
export function whole(
  bytes: Uint8Array<ArrayBuffer>,
  options: DecoderStreamOptions,
): unknown[] {
  return [loads(bytes, options)];
}

/** `load`: one pickle from a stream. */
export function loaded(cut: Cut): Door {
  return async (bytes, options) => [
    await load(streamOf(chunks(bytes, cut)), options),
  ];
}

/** `PickleDecoderStream`. */
export function streamed(cut: Cut): Door {
  return (bytes, options) =>
    collect(
      streamOf(chunks(bytes, cut))
        .pipeThrough(new PickleDecoderStream(options)),
    );
}

/** The machine itself, without streams. */
export function machine(cut: Cut): Door {
  return (bytes, options) => {
    const unpickler = new Unpickler(options);
    const values: unknown[] = [];
    const pull = () => {
      for (;;) {
        const value = unpickler.pull();
        if (value === MORE) return;
        values.push(value);
      }
    };
    pull();
    for (const chunk of chunks(bytes, cut)) {
      unpickler.push(chunk);
      pull();
    }
    unpickler.end();
    pull();
    return values;
  };
}
