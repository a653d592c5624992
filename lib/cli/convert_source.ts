/**
 * One conversion, from an open input to an open output.
 *
 * @module
 */

import { encodeUtf8 } from "../bytes/utf8.ts";
import { dumps as dumpsJson, JsonDecoderStream } from "../json/mod.ts";
import { dumps as dumpsPickle, PickleDecoderStream } from "../pickle/mod.ts";
import { UsageError } from "./command.ts";
import type { Conversion } from "./conversion.ts";
import { about } from "./errors.ts";
import { type Format, formatOfName, sniff } from "./formats.ts";
import { type Opened, openSource, type Source } from "./input.ts";
import type { Sink } from "./output.ts";

/** What a conversion is given. */
export interface Hooks {
  /** Opens the output, which is done only when the input could be opened. */
  openSink(gzip: boolean): Promise<Sink>;
  /** Is told how many bytes were read. */
  onBytes?: (count: number) => void;
  /** Is told that the input is read once more from the start. */
  onPass?: () => void;
}

/**
 * Converts one input.
 *
 * @param job What is read, and how it is converted.
 * @param hooks Where the output goes.
 * @throws {FileError} If it cannot be converted; then no output is left.
 */
export async function convertSource(
  job: { source: Source; output: string | undefined; conversion: Conversion },
  hooks: Hooks,
): Promise<void> {
  const { source, output, conversion } = job;
  const opened = await about(source.name, () => openSource(source, hooks));
  try {
    const from = conversion.from ?? inputFormat(source, opened);
    const to = conversion.to ?? (from === "pickle" ? "json" : "pickle");
    const toTerminal = (output ?? "-") === "-" && Deno.stdout.isTerminal();
    if (to === "pickle" && toTerminal) {
      throw new UsageError(
        "a pickle is no text for a terminal; name a file with -o, or choose --to json",
      );
    }
    const sink = await about(
      output ?? "standard output",
      () => hooks.openSink(conversion.gzip),
    );
    const buffered = new BufferedSink(sink);
    try {
      const chunks = convertChunks(opened, { ...conversion, from, to });
      await about(source.name, async () => {
        for await (const chunk of chunks) await buffered.write(chunk);
        await opened.unchanged();
      });
      await buffered.commit();
    } catch (error) {
      await sink.discard();
      throw error;
    }
  } finally {
    opened.close();
  }
}

function inputFormat(source: Source, opened: Opened): Format {
  const named = formatOfName(source.name).format;
  const content = sniff(opened.head);
  if (content === "pickle") return "pickle";
  if (content === "empty") return named ?? "pickle";
  return named === "jsonl" ? "jsonl" : "json";
}

type Known = Conversion & { from: Format; to: Format };

async function* convertChunks(
  opened: Opened,
  conversion: Known,
): AsyncGenerator<Uint8Array, void> {
  const values = readValues(opened, conversion);
  yield* conversion.to === "pickle"
    ? writePickles(values, conversion)
    : writeJson(values, conversion);
}

async function* readValues(
  opened: Opened,
  conversion: Known,
): AsyncGenerator<unknown, void> {
  const { from, limits, encoding, keepMemo } = conversion;
  // Lines are the elements already.
  const items = conversion.items && from !== "jsonl";
  const bytes = ReadableStream.from(opened.chunks);
  // Nothing may get lost on the way: neither order, nor 1.0.
  yield* from === "pickle"
    ? bytes.pipeThrough(
      new PickleDecoderStream({
        dicts: "map",
        floats: "exact",
        encoding,
        limits,
        items,
        keepMemo,
      }),
    )
    : bytes.pipeThrough(
      new JsonDecoderStream({ dicts: "map", floats: "exact", limits, items }),
    );
}

async function* writePickles(
  values: AsyncIterable<unknown>,
  conversion: Known,
): AsyncGenerator<Uint8Array, void> {
  const { from, items, protocol } = conversion;
  const options = protocol === undefined ? {} : { protocol };
  if (items && from === "jsonl") {
    yield dumpsPickle(await Array.fromAsync(values), options);
    return;
  }
  for await (const value of values) yield dumpsPickle(value, options);
}

async function* writeJson(
  values: AsyncIterable<unknown>,
  conversion: Known,
): AsyncGenerator<Uint8Array, void> {
  const { from, to, indent, compact, sortKeys, ensureAscii, types, limits } =
    conversion;
  const options = {
    sortKeys,
    ensureAscii,
    types,
    limits,
    ...(indent === undefined ? {} : { indent }),
    ...(compact ? { separators: [",", ":"] as [string, string] } : {}),
  };
  // Lines become the elements of an array, since JSON holds one value.
  if (from === "jsonl" && to === "json") {
    let first = true;
    for await (const value of values) {
      const text = dumpsJson([value], options);
      const comma = compact || indent !== undefined ? "," : ", ";
      const close = indent === undefined ? 1 : 2;
      yield encodeUtf8((first ? "[" : comma) + text.slice(1, -close));
      first = false;
    }
    yield encodeUtf8(
      first ? "[]\n" : indent === undefined ? "]\n" : "\n]\n",
    );
    return;
  }
  for await (const value of values) {
    yield encodeUtf8(dumpsJson(value, options) + "\n");
  }
}

/** Joins what is small, since each write of a file costs. */
class BufferedSink {
  readonly #sink: Sink;
  readonly #buffer = new Uint8Array(65_536);
  #length = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#length + bytes.length > this.#buffer.length) await this.#flush();
    if (bytes.length >= this.#buffer.length) {
      await this.#sink.write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  async commit(): Promise<void> {
    await this.#flush();
    await this.#sink.commit();
  }

  async #flush(): Promise<void> {
    const { length } = this;
    this.#length = 0;
    if (length > 0) await this.#sink.write(this.#buffer.subarray(0, length));
  }

  get length(): number {
    return this.#length;
  }
}
