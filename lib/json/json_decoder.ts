/**
 * The machine under `JsonDecoderStream`.
 *
 * Looking for a record's end and giving the record to `JSON.parse` was tried:
 * over records of some hundred bytes it is slower than the one reader, which
 * sees each byte once.
 *
 * @module
 */

import { type Machine, MORE } from "../streams/machine_stream.ts";
import type { ValueBuilder } from "./builder.ts";
import {
  type JsonDecoderOptions,
  makeBuilder,
  makePlan,
  makeTokenizer,
  run,
} from "./decoder.ts";
import { TextInput } from "./encoding.ts";
import { STATUS_VALUE, type Tokenizer } from "./tokens.ts";

/** Reads a stream of JSON; see `JsonDecoderStream`. */
export class JsonDecoder implements Machine<Uint8Array | string, unknown> {
  readonly #input = new TextInput();
  readonly #builder: ValueBuilder;
  readonly #tokenizer: Tokenizer;
  readonly #finish: (value: unknown) => unknown;

  /**
   * Makes one.
   *
   * @param options How to read.
   */
  constructor(options: JsonDecoderOptions = {}) {
    const plan = makePlan(options);
    this.#finish = plan.finish;
    const items = options.items === true;
    if (items && options.types === "tagged") {
      throw new TypeError(
        "tagged JSON cannot be read in items: its parts refer to each other",
      );
    }
    this.#builder = makeBuilder(plan, items);
    this.#tokenizer = makeTokenizer(plan, this.#builder, {
      framing: items ? "items" : "sequence",
    });
  }

  /**
   * Takes input.
   *
   * @param chunk Bytes or text.
   */
  push(chunk: Uint8Array | string): void {
    this.#tokenizer.push(this.#input.push(chunk));
  }

  /** Says that no input follows. */
  end(): void {
    this.#tokenizer.push(this.#input.end());
    this.#tokenizer.end();
  }

  /**
   * Gives the next value.
   *
   * @returns A value, or `MORE`.
   */
  pull(): unknown {
    return run(this.#tokenizer, this.#builder) === STATUS_VALUE
      ? this.#finish(this.#builder.take())
      : MORE;
  }
}
