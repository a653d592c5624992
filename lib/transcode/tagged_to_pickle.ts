/**
 * Tagged JSON to pickles: by way of values, since what a tag refers to may
 * stand anywhere before it.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import { loads, type LoadsOptions } from "../json/decoder.ts";
import { JsonDecoder } from "../json/json_decoder.ts";
import type { Allow } from "../json/tagged_reader.ts";
import { Pickler } from "../pickle/pickler.ts";
import type { Limits } from "../python/limits.ts";
import { type Machine, MORE } from "../streams/machine_stream.ts";

/** What a {@linkcode TaggedToPickleMachine} is to do. */
export interface TaggedToPickleOptions {
  /**
   * Protocol, from 0 to 5.
   *
   * @default {4}
   */
  protocol?: number;
  /**
   * Whether any number of texts follow one another, each of which becomes a
   * pickle. Otherwise there is one.
   *
   * @default {false}
   */
  jsonl?: boolean;
  /**
   * The classes and functions that the pickles may name.
   *
   * @default {[]}
   */
  allow?: Allow;
  /**
   * Whether control characters in strings are wrong.
   *
   * @default {true}
   */
  strict?: boolean;
  /** How much the input may take. */
  limits?: Limits;
}

/** Reads tagged JSON and writes pickles. */
export class TaggedToPickleMachine
  implements Machine<Uint8Array | string, Uint8Array<ArrayBuffer>> {
  readonly #options: LoadsOptions;
  readonly #pickler: Pickler;
  /** Reads many texts. */
  readonly #decoder: JsonDecoder | undefined;
  /** Holds one text until it is complete. */
  readonly #queue = new ChunkQueue();
  #whole = false;

  /**
   * Makes a machine.
   *
   * @param options What it is to do.
   */
  constructor(options: TaggedToPickleOptions = {}) {
    const { protocol = 4, jsonl = false, allow = [], strict, limits } = options;
    if (!Number.isInteger(protocol) || protocol < 0 || protocol > 5) {
      throw new RangeError("protocol must be an integer from 0 to 5");
    }
    this.#options = {
      types: "tagged",
      dicts: "map",
      floats: "exact",
      allow,
      ...(strict === undefined ? {} : { strict }),
      ...(limits === undefined ? {} : { limits }),
    };
    this.#pickler = new Pickler({ protocol });
    this.#decoder = jsonl ? new JsonDecoder(this.#options) : undefined;
  }

  /** @inheritdoc */
  push(chunk: Uint8Array | string): void {
    if (this.#decoder !== undefined) this.#decoder.push(chunk);
    // A copy: the bytes may be the caller's to use again.
    else {
      this.#queue.push(
        typeof chunk === "string" ? encodeUtf8(chunk) : chunk.slice(),
      );
    }
  }

  /** @inheritdoc */
  end(): void {
    if (this.#decoder !== undefined) this.#decoder.end();
    else this.#whole = true;
  }

  /** @inheritdoc */
  pull(): Uint8Array<ArrayBuffer> | typeof MORE {
    for (;;) {
      const bytes = this.#pickler.pull();
      if (bytes !== MORE) return bytes as Uint8Array<ArrayBuffer>;
      const value = this.#next();
      if (value === MORE) return MORE;
      this.#pickler.push(value);
    }
  }

  #next(): unknown {
    if (this.#decoder !== undefined) return this.#decoder.pull();
    if (!this.#whole) return MORE;
    this.#whole = false;
    return loads(this.#queue.join(), this.#options);
  }
}
