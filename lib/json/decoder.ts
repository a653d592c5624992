/**
 * From JSON to values.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { encodeUtf8, Utf8Error } from "../bytes/utf8.ts";
import { type Limits, resolveLimits } from "../python/limits.ts";
import { ValueBuilder } from "./builder.ts";
import type { Types } from "./convert.ts";
import { decodeJson, TextInput } from "./encoding.ts";
import { decodeError } from "./errors.ts";
import { isExact, isHarmless } from "./native.ts";
import { type Allow, fromTagged } from "./tagged_reader.ts";
import { STATUS_MORE, STATUS_VALUE, Tokenizer } from "./tokens.ts";
import { typeName } from "./type_name.ts";

/** How JSON is read. The names are Python's; what is left out has its default. */
export interface LoadsOptions {
  /**
   * `"auto"`: an object becomes a plain object (JavaScript puts keys like `"1"`
   * first); `"map"`: a `PyDict`, in the text's own order.
   *
   * @default {"auto"}
   */
  dicts?: "auto" | "map";
  /**
   * `"number"`: `1.0` becomes the number 1; `"exact"`: a `Float`, so that it
   * stays a float when it is written again.
   *
   * @default {"number"}
   */
  floats?: "number" | "exact";
  /**
   * Called with each object, innermost first; what it returns takes the
   * object's place.
   */
  // deno-lint-ignore no-explicit-any
  objectHook?: (value: any) => unknown;
  /**
   * Called with the keys and values of each object in order, repeated keys
   * included. Wins over `objectHook`.
   */
  // deno-lint-ignore no-explicit-any
  objectPairsHook?: (pairs: [string, any][]) => unknown;
  /** Called with the text of each number that has a fraction or an exponent. */
  parseFloat?: (text: string) => unknown;
  /** Called with the text of each number that has neither. */
  parseInt?: (text: string) => unknown;
  /** Called with `"NaN"`, `"Infinity"` or `"-Infinity"`. */
  parseConstant?: (text: string) => unknown;
  /**
   * Whether control characters in strings are an error.
   *
   * @default {true}
   */
  strict?: boolean;
  /**
   * `"tagged"`: objects with the tags of Python's `jsonpickle` become what they
   * stand for. Nothing is run: classes are names, and objects descriptions, as
   * in a pickle.
   *
   * @default {"plain"}
   */
  types?: Types;
  /**
   * With `types: "tagged"`: the classes and functions that the text may name,
   * each as `module.name`, or a function that says so; by default all. A text of
   * a stranger's that is to become a pickle needs it, since Python runs what a
   * pickle names.
   */
  allow?: Allow;
  /** How much the text may want: `jsonDepth`, `intDigits`, `values`. */
  limits?: Limits;
}

/** How a stream of JSON is read as one text. */
export interface LoadOptions extends LoadsOptions {
  /**
   * Whether the stream is left open when the text turns out to be wrong.
   *
   * @default {false}
   */
  preventCancel?: boolean;
}

/** How a stream of JSON is read as many values. */
export interface JsonDecoderOptions extends LoadsOptions {
  /**
   * Whether the stream is one array or object whose elements are the values:
   * the items of the array one by one, the object's as `[key, value]`. Memory
   * holds one element, however large the whole is.
   *
   * @default {false}
   */
  items?: boolean;
}

/** The longest text that every engine can hold. */
const LONGEST_TEXT = 0x1fff_ffe8;
/** From here on a stream is read piece by piece instead of as one text. */
const LONG_INPUT = 0x1000_0000;

/** Options, looked through. */
export interface Plan {
  /** As they were given. */
  options: LoadsOptions;
  /** Reads the tags of what was read. */
  finish: (value: unknown) => unknown;
  /** Whether `JSON.parse` may do the work where the text allows it. */
  native: boolean;
  /** All of them. */
  limits: Readonly<Required<Limits>>;
}

const unchanged = (value: unknown): unknown => value;

/**
 * Looks through options.
 *
 * @param options As they were given.
 * @returns The plan.
 */
export function makePlan(options: LoadsOptions): Plan {
  if (options.types === "tagged") {
    const { types: _, allow, dicts = "auto", ...rest } = options;
    // Their keys' order counts, which plain objects do not keep.
    const inner: LoadsOptions = { ...rest, dicts: "map" };
    const parse = (text: string): unknown => loads(text, inner);
    return {
      ...makePlan(inner),
      finish: (value) => fromTagged(value, { dicts, allow, parse }),
    };
  }
  return {
    options,
    finish: unchanged,
    native: options.dicts !== "map" && options.floats !== "exact" &&
      !options.objectHook && !options.objectPairsHook && !options.parseFloat &&
      !options.parseInt && !options.parseConstant && options.strict !== false,
    limits: resolveLimits(options.limits),
  };
}

/**
 * Makes what makes values.
 *
 * @param plan The options.
 * @param items Whether the elements of one container are the values.
 * @returns The builder.
 */
export function makeBuilder(
  { options, limits }: Plan,
  items: boolean,
): ValueBuilder {
  return new ValueBuilder({
    dicts: options.dicts ?? "auto",
    floats: options.floats ?? "number",
    objectHook: options.objectHook,
    objectPairsHook: options.objectPairsHook,
    parseInt: options.parseInt,
    parseFloat: options.parseFloat,
    parseConstant: options.parseConstant,
    items,
    limits,
  });
}

/**
 * Makes what reads.
 *
 * @param plan The options.
 * @param builder What makes values.
 * @param rest How texts are told apart.
 * @returns The tokenizer.
 */
export function makeTokenizer(
  { options, limits }: Plan,
  builder: ValueBuilder,
  rest: { framing: "document" | "sequence" | "items"; doc?: string },
): Tokenizer {
  return new Tokenizer(builder, {
    ...rest,
    strict: options.strict ?? true,
    numberText: options.parseInt !== undefined ||
      options.parseFloat !== undefined,
    limits,
  });
}

/**
 * Reads a JSON text as Python's `json.loads` does: ints of any size (bigints
 * where they must be), NaN and the infinities, the last of equal keys, and
 * Python's errors where the text is wrong.
 *
 * @param source The text, or its bytes in UTF-8, UTF-16 or UTF-32.
 * @param options How to read it.
 * @returns The value.
 * @throws {JSONDecodeError} Where the text is no JSON.
 * @throws {LimitError} Where it nests too deep or an int is too long.
 *
 * @example Read JSON that Python wrote
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(json.loads('{"id": 12345678901234567890, "ratio": NaN}'), {
 *   id: 12345678901234567890n,
 *   ratio: NaN,
 * });
 * ```
 *
 * @example Keep 1.0 apart from 1
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const value = json.loads("[1, 1.0]", { floats: "exact" });
 * assertEquals(json.dumps(value), "[1, 1.0]");
 * ```
 */
export function loads(
  source: string | Uint8Array,
  options: LoadsOptions = {},
): unknown {
  const plan = makePlan(options);
  let text: string;
  let bytes: Uint8Array | undefined;
  if (typeof source === "string") {
    text = source;
    if (text.charCodeAt(0) === 0xfeff) {
      const place = { pos: 0, lineno: 1, colno: 1 };
      throw decodeError("unexpected-bom", place, text);
    }
  } else if (source instanceof Uint8Array) {
    if (source.length > LONGEST_TEXT) return parsePieces([source], plan);
    ({ text, bytes } = decodeJson(source));
  } else {
    throw new TypeError(
      `the JSON object must be str, bytes or bytearray, not ${
        typeName(source)
      }`,
    );
  }
  if (plan.native && isHarmless(text, plan.limits.jsonDepth)) {
    try {
      const value: unknown = JSON.parse(text);
      if (isExact(value, text, plan.limits)) return value;
    } catch {
      // NaN and its like, or an error that must be Python's.
    }
  }
  const builder = makeBuilder(plan, false);
  const tokenizer = makeTokenizer(plan, builder, {
    framing: "document",
    doc: text,
  });
  tokenizer.push(bytes ?? encodeUtf8(text));
  tokenizer.end();
  tokenizer.run();
  tokenizer.run();
  return plan.finish(builder.take());
}

/** For what is too long to be one string. */
function parsePieces(
  chunks: Iterable<Uint8Array | string>,
  plan: Plan,
): unknown {
  const machine = new DocumentDecoder(plan);
  for (const chunk of chunks) machine.push(chunk);
  return machine.end();
}

/**
 * Runs a tokenizer; errors of encoding get their place in the whole.
 *
 * @param tokenizer What reads.
 * @param builder What makes values.
 * @returns Its status.
 */
export function run(tokenizer: Tokenizer, builder: ValueBuilder): number {
  try {
    return tokenizer.run();
  } catch (error) {
    throw error instanceof Utf8Error
      ? tokenizer.encodingError(error, builder.wrongAt)
      : error;
  }
}

/** One text that arrives in pieces. */
class DocumentDecoder {
  readonly #input = new TextInput();
  readonly #builder: ValueBuilder;
  readonly #tokenizer: Tokenizer;
  readonly #finish: (value: unknown) => unknown;

  constructor(plan: Plan) {
    this.#finish = plan.finish;
    this.#builder = makeBuilder(plan, false);
    this.#tokenizer = makeTokenizer(plan, this.#builder, {
      framing: "document",
    });
  }

  push(chunk: Uint8Array | string): void {
    this.#tokenizer.push(this.#input.push(chunk));
    while (run(this.#tokenizer, this.#builder) !== STATUS_MORE);
  }

  end(): unknown {
    this.#tokenizer.push(this.#input.end());
    this.#tokenizer.end();
    while (run(this.#tokenizer, this.#builder) === STATUS_VALUE);
    return this.#finish(this.#builder.take());
  }
}

/**
 * Reads a stream of bytes or text as one JSON text, as Python's `json.load`
 * reads a file.
 *
 * @param readable The stream.
 * @param options How to read it.
 * @returns The value.
 * @throws {JSONDecodeError} Where the text is no JSON.
 * @throws {LimitError} Where it nests too deep or an int is too long.
 *
 * @example Read a response
 * ```ts
 * import { json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const { body } = new Response('{"big": 12345678901234567890}');
 * assertEquals(await json.load(body!), { big: 12345678901234567890n });
 * ```
 */
export async function load(
  readable: ReadableStream<Uint8Array | string>,
  options: LoadOptions = {},
): Promise<unknown> {
  const plan = makePlan(options);
  const reader = readable.getReader();
  try {
    const bytes = new ChunkQueue();
    const texts: string[] = [];
    let size = 0;
    let pieces: DocumentDecoder | undefined;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (pieces === undefined) {
        const isText = typeof value === "string";
        const mixed = isText ? bytes.size > 0 : texts.length > 0;
        if (size <= LONG_INPUT && !mixed) {
          if (isText) texts.push(value);
          else bytes.push(value);
          continue;
        }
        pieces = new DocumentDecoder(plan);
        for (const text of texts) pieces.push(text);
        if (bytes.size > 0) pieces.push(bytes.join());
      }
      pieces.push(value);
    }
    if (pieces !== undefined) return pieces.end();
    return loads(texts.length > 0 ? texts.join("") : bytes.join(), options);
  } catch (error) {
    // A failed read has already ended the stream; what cancel says is lost.
    if (!options.preventCancel) reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    reader.releaseLock();
  }
}
