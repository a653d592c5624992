/**
 * One conversion, from an open input to an open output.
 *
 * @module
 */

import { encodeUtf8 } from "../bytes/utf8.ts";
import { dumps as dumpsJson, JsonDecoderStream } from "../json/mod.ts";
import { PickleDecoderStream } from "../pickle/decoder_stream.ts";
import { dumps as dumpsPickle } from "../pickle/dump.ts";
import { UnpicklingError } from "../pickle/errors.ts";
import { openPickle } from "../pickle/open.ts";
import { JsonToPickleStream } from "../transcode/json_to_pickle.ts";
import { PickleToJsonStream } from "../transcode/pickle_to_json.ts";
import { type PicklePlan, planPickle } from "../transcode/plan.ts";
import { isContainer, sniff } from "../serve/sniff.ts";
import { UsageError } from "./command.ts";
import type { Conversion } from "./conversion.ts";
import { about, complain, FileError } from "./errors.ts";
import { type Format, formatOfName } from "./formats.ts";
import {
  type Opened,
  openSource,
  readAll,
  type Source,
  withoutLastLineEnds,
} from "./input.ts";
import type { Sink } from "./output.ts";
import { printable } from "./text.ts";

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
  if (await convertOnce(job, hooks, false)) return;
  // The few pickles that cannot be text at once are values first.
  hooks.onPass?.();
  await convertOnce(job, hooks, true);
}

/** Converts; false if that is to be done once more, by way of values. */
async function convertOnce(
  job: { source: Source; output: string | undefined; conversion: Conversion },
  hooks: Hooks,
  asValues: boolean,
): Promise<boolean> {
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
    const known = { ...conversion, from, to };
    // Bytes between the opcodes are only understood by the unpickler.
    const joblib = !asValues && from === "pickle" && to !== "pickle" &&
      opened.seekable && await mentionsJoblib(source);
    const sink = await about(
      output ?? "standard output",
      () => hooks.openSink(conversion.gzip),
    );
    const buffered = new BufferedSink(sink);
    const notes: string[] = [];
    try {
      const chunks = convertChunks(
        opened,
        { ...known, asValues: asValues || joblib || conversion.keepMemo },
        {
          again(): Promise<Opened> {
            hooks.onPass?.();
            return openSource(source, hooks);
          },
          onNote(note): void {
            notes.push(note);
          },
        },
      );
      await about(source.name, async () => {
        for await (const chunk of chunks) await buffered.write(chunk);
        await opened.unchanged();
      });
      await buffered.commit();
      for (const note of notes) {
        complain(`brine convert: ${printable(source.name)}: ${note}`);
      }
      return true;
    } catch (error) {
      await sink.discard();
      // What has gone to standard output cannot be taken back.
      if (
        !asValues && opened.seekable && (output ?? "-") !== "-" &&
        isNotStreamable(error)
      ) return false;
      throw error;
    }
  } finally {
    opened.close();
  }
}

function isNotStreamable(error: unknown): boolean {
  const cause = error instanceof FileError ? error.cause : error;
  return cause instanceof UnpicklingError && cause.code === "not-streamable";
}

function inputFormat(source: Source, opened: Opened): Format {
  const named = formatOfName(source.name).format;
  const content = sniff(opened.head);
  if (content === "pickle") return "pickle";
  if (content === "empty") return named ?? "pickle";
  return named === "jsonl" ? "jsonl" : "json";
}

interface RoadHooks {
  /** Opens the input once more. */
  again(): Promise<Opened>;
  onNote?: (note: string) => void;
}

type Known = Conversion & {
  from: Format;
  to: Format;
  /** Whether values are built, and not only text. */
  asValues: boolean;
};

/** How far into a file joblib's wrappers are looked for. */
const JOBLIB_SEARCH = 4_000_000;
const JOBLIB = "joblib.numpy_pickle";

/**
 * Whether a file is one of joblib's, which has the bytes of arrays between
 * opcodes. Its wrapper is named before the first array.
 */
async function mentionsJoblib(source: Source): Promise<boolean> {
  const opened = await openSource(source);
  const decoder = new TextDecoder("latin1");
  try {
    let text = "";
    let read = 0;
    for await (const chunk of opened.chunks) {
      text = text.slice(-JOBLIB.length) + decoder.decode(chunk);
      if (text.includes(JOBLIB)) return true;
      read += chunk.length;
      if (read > JOBLIB_SEARCH) return false;
    }
    return false;
  } finally {
    opened.close();
  }
}

async function* convertChunks(
  opened: Opened,
  conversion: Known,
  hooks: RoadHooks,
): AsyncGenerator<Uint8Array, void> {
  const { from, to, asValues } = conversion;
  const direct = from === "pickle" && to !== "pickle" && !asValues &&
    !isContainer(opened.head);
  if (direct) {
    yield* pickleToJson(opened, conversion, hooks);
    return;
  }
  const { items, limits, protocol, types } = conversion;
  if (
    from !== "pickle" && to === "pickle" && types !== "tagged" &&
    !(items && from === "jsonl")
  ) {
    yield* ReadableStream.from(opened.chunks).pipeThrough(
      new JsonToPickleStream({
        jsonl: from === "jsonl",
        items,
        limits,
        ...(protocol === undefined ? {} : { protocol }),
      }),
    );
    return;
  }
  const values = readValues(opened, conversion);
  yield* to === "pickle"
    ? writePickles(values, conversion)
    : writeJson(values, conversion);
}

/** Text straight from opcodes; of a file in two passes, which nearly always works. */
async function* pickleToJson(
  opened: Opened,
  conversion: Known,
  hooks: RoadHooks,
): AsyncGenerator<Uint8Array, void> {
  const { to, items, types, sortKeys, ensureAscii, encoding, limits } =
    conversion;
  // What is held in memory as values anyway needs no plan.
  const twice = opened.seekable && types !== "tagged" && !sortKeys;
  const plan = twice ? await makePlan(opened) : undefined;
  const input = twice ? await hooks.again() : opened;
  try {
    const chunks = withoutLastLineEnds(input.chunks);
    const bytes = ReadableStream.from(input.gzip ? chunks : letGo(chunks));
    const stream = bytes.pipeThrough(
      new PickleToJsonStream({
        types,
        sortKeys,
        ensureAscii,
        encoding,
        limits,
        items,
        jsonl: to === "jsonl",
        plan,
        ...layout(conversion),
      }),
    );
    let ended = true;
    let several = false;
    for await (const chunk of stream) {
      if (chunk.length === 0) continue;
      // On one line, a line end stands between two texts and nowhere else.
      several ||= chunk.includes(NEWLINE);
      ended = chunk.at(-1) === NEWLINE;
      yield chunk;
      // It is written now; a compressor may have it still.
      if (!conversion.gzip) chunk.buffer.transfer(0);
    }
    if (!ended) yield Uint8Array.of(NEWLINE);
    if (several && to === "json" && !items && conversion.indent === undefined) {
      hooks.onNote?.(
        "there are several pickles in it, so the result is JSON Lines, a JSON text a line",
      );
    }
  } finally {
    if (input !== opened) input.close();
  }
}

/**
 * Gives the memory of chunks back once the transcoder or the planner, which keep
 * none, are done with them: V8 sees how little is in use only after 64 MiB of garbage.
 */
async function* letGo(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  // The last two may wait in a queue; the first is looked at again.
  const given: Uint8Array<ArrayBuffer>[] = [];
  let first = true;
  for await (const chunk of chunks) {
    if (first || chunk.byteLength * 2 < chunk.buffer.byteLength) {
      first = false;
    } else given.push(chunk);
    if (given.length > 3) given.shift()!.buffer.transfer(0);
    yield chunk;
  }
}

const NEWLINE = 0x0a;

/**
 * The first pass; undefined for what is damaged, since the second pass says
 * better what is wrong with it, and for what cannot be read.
 */
async function makePlan(opened: Opened): Promise<PicklePlan | undefined> {
  try {
    const chunks = withoutLastLineEnds(opened.chunks);
    return await planPickle(opened.gzip ? chunks : letGo(chunks));
  } catch {
    return undefined;
  }
}

function layout(
  { indent, compact }: Conversion,
): { indent?: number | string; separators?: [string, string] } {
  return {
    ...(indent === undefined ? {} : { indent }),
    ...(compact ? { separators: [",", ":"] as [string, string] } : {}),
  };
}

async function* readValues(
  opened: Opened,
  conversion: Known,
): AsyncGenerator<unknown, void> {
  const { from, limits, encoding, keepMemo, types } = conversion;
  // Lines are the elements already.
  const items = conversion.items && from !== "jsonl";
  if (from === "pickle" && isContainer(opened.head)) {
    const { value } = await openPickle(await readAll(opened), {
      dicts: "map",
      floats: "exact",
      encoding,
      limits,
    });
    if (items && Array.isArray(value)) yield* value;
    else yield value;
    return;
  }
  const bytes = ReadableStream.from(
    from === "pickle" ? withoutLastLineEnds(opened.chunks) : opened.chunks,
  );
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
      new JsonDecoderStream({
        dicts: "map",
        floats: "exact",
        limits,
        items,
        ...(types === "tagged" ? { types, allow: allowed(conversion) } : {}),
      }),
    );
}

/** Names as they are, and whole modules as `module.*`. */
function allowed({ allow }: Conversion): (name: string) => boolean {
  const names = new Set(allow);
  return (name) =>
    names.has(name) || names.has("*") ||
    allow.some((pattern) =>
      pattern.endsWith(".*") && name.startsWith(pattern.slice(0, -1))
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
    ...layout(conversion),
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
