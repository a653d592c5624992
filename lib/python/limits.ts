/**
 * Walls against input that wants too much.
 *
 * @module
 */

/**
 * How much a reader or writer may take. What is left out has its default, and
 * `Infinity` takes a wall away.
 */
export interface Limits {
  /**
   * How deep the marks of a pickle may nest: one for each list, dict, tuple and
   * object that has begun and not ended.
   *
   * @default {1_000_000}
   */
  depth?: number;
  /**
   * How many entries the memo of a pickle may have.
   *
   * @default {100_000_000}
   */
  memo?: number;
  /**
   * How many bytes of text a transcoder may keep for the memo.
   *
   * @default {33_554_432}
   */
  memoBytes?: number;
  /**
   * How many bytes one string, bytes or integer may have.
   *
   * @default {2_147_483_647}
   */
  argumentLength?: number;
  /**
   * How many decimal digits an integer may have, as `sys.set_int_max_str_digits`.
   *
   * @default {4300}
   */
  intDigits?: number;
  /**
   * How many values one pickle or JSON text may hold.
   *
   * @default {1_000_000_000}
   */
  values?: number;
  /**
   * How many bytes may be written.
   *
   * @default {Infinity}
   */
  outputBytes?: number;
  /**
   * How many bytes of JSON (or of what `dis` prints) may be written for each
   * byte of pickle, once 64 MiB have been written. Shared values are written out each time, so that 250
   * bytes could become a terabyte.
   *
   * Where JSON is written of a value, there is no pickle to compare with: what
   * the value holds takes its place, each list, dict and long string counted
   * once. It is looked at once 16 MiB have been written, and at each doubling.
   *
   * @default {1000}
   */
  expansion?: number;
  /**
   * How deep JSON may nest, read or written. Python's own gives up near 10,000.
   *
   * @default {10_000}
   */
  jsonDepth?: number;
}

/** So many bytes may be written before `expansion` counts. */
const FREE_OUTPUT = 1 << 26;

/** The limits where nothing else is asked for. */
export const DEFAULT_LIMITS: Readonly<Required<Limits>> = Object.freeze({
  depth: 1_000_000,
  memo: 100_000_000,
  memoBytes: 33_554_432,
  argumentLength: 2_147_483_647,
  intDigits: 4300,
  values: 1_000_000_000,
  outputBytes: Infinity,
  expansion: 1000,
  jsonDepth: 10_000,
});

/**
 * Fills in what was left out.
 *
 * @param limits The limits asked for.
 * @returns All of them.
 */
export function resolveLimits(
  limits: Limits | undefined,
): Readonly<Required<Limits>> {
  if (limits === undefined) return DEFAULT_LIMITS;
  const resolved: Required<Limits> = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    const value = limits[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value >= 0)) {
      throw new TypeError(`limits.${name} must be a number from 0 up`);
    }
    resolved[name] = value;
  }
  return resolved;
}

/** Input that would take more than its {@linkcode Limits} allow. */
export class LimitError extends RangeError {
  /** Which limit. */
  readonly limit: keyof Limits;
  /** What it is set to. */
  readonly value: number;
  /** Where in the input, in bytes, when it is known. */
  readonly offset: number | undefined;

  /**
   * Makes the error.
   *
   * @param limit Which limit.
   * @param value What it is set to.
   * @param options `offset`: where in the input; `cause`: what led to it.
   */
  constructor(
    limit: keyof Limits,
    value: number,
    options: ErrorOptions & { offset?: number } = {},
  ) {
    super(
      `${DESCRIPTIONS[limit]} than ${value}` +
        (options.offset === undefined ? "" : ` at byte ${options.offset}`) +
        `; if the input is trusted, raise limits.${limit}`,
      options,
    );
    this.name = "LimitError";
    this.limit = limit;
    this.value = value;
    this.offset = options.offset;
  }
}

const DESCRIPTIONS: Record<keyof Limits, string> = {
  depth: "the pickle nests deeper",
  memo: "the pickle's memo has more entries",
  memoBytes: "the pickle's memo needs more bytes",
  argumentLength: "one value has more bytes",
  intDigits: "an integer has more digits",
  values: "the input holds more values",
  outputBytes: "the output has more bytes",
  expansion: "the output has more bytes for each byte of input",
  jsonDepth: "the JSON nests deeper",
};

/**
 * Looks whether more has been written than what was read is worth.
 *
 * @param limits Of these, `outputBytes` and `expansion`.
 * @param sizes `written` and `read`: how many bytes; `offset`: where in the
 * input, when it is known.
 * @throws {LimitError} If it is more.
 */
export function checkOutput(
  { outputBytes, expansion }: Pick<
    Required<Limits>,
    "outputBytes" | "expansion"
  >,
  { written, read, offset }: { written: number; read: number; offset?: number },
): void {
  const at = offset === undefined ? {} : { offset };
  if (written > outputBytes) {
    throw new LimitError("outputBytes", outputBytes, at);
  }
  if (written > FREE_OUTPUT && written > read * expansion) {
    throw new LimitError("expansion", expansion, at);
  }
}
