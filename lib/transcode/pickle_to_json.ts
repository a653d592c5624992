/**
 * Pickles to JSON while they flow.
 *
 * @module
 */

import type { Types } from "../json/convert.ts";
import type { LoadOptions } from "../pickle/options.ts";
import type { Limits } from "../python/limits.ts";
import { type Machine, MachineStream } from "../streams/machine_stream.ts";
import { LayoutMachine } from "./layout.ts";
import { PickleTextMachine } from "./pickle_text.ts";
import type { PicklePlan } from "./plan.ts";

/** Options of {@linkcode PickleToJsonStream}. */
export interface PickleToJsonOptions
  extends Omit<LoadOptions, "dicts" | "floats" | "limits"> {
  /**
   * How values beyond JSON are written: `"plain"` as a client of a web service
   * would have them, `"strict"` not at all, `"tagged"` so that nothing is lost
   * (which holds each value in memory).
   *
   * @default {"plain"}
   */
  types?: Types;
  /**
   * Whether everything beyond ASCII is written as `\uXXXX`.
   *
   * @default {true}
   */
  ensureAscii?: boolean;
  /**
   * Whether NaN and the infinities are written (as `NaN`, `Infinity`, which
   * `JSON.parse` refuses) or an error.
   *
   * @default {true}
   */
  allowNaN?: boolean;
  /**
   * Spaces for each level, or the text to indent with; `null` one line.
   *
   * @default {null}
   */
  indent?: number | string | boolean | null;
  /**
   * What stands between items, and between key and value.
   *
   * @default {[", ", ": "]}, `[",", ": "]` with `indent`
   */
  separators?: readonly [string, string];
  /**
   * Whether keys are sorted. This holds each value in memory.
   *
   * @default {false}
   */
  sortKeys?: boolean;
  /**
   * Whether each JSON text ends with a line break (JSON Lines). Otherwise line
   * breaks stand between the texts of several pickles.
   *
   * @default {false}
   */
  jsonl?: boolean;
  /**
   * Whether each element of the list that the pickle is becomes a line of its
   * own (JSON Lines).
   *
   * @default {false}
   */
  items?: boolean;
  /**
   * How much the pickle may take. What is written at once is not held, so
   * neither `values` nor `memo` count it: `memo` bounds what is kept for later,
   * and `memoBytes` its text, and the keys of a large dict.
   */
  limits?: Limits;
  /** What `planPickle` found out about the pickle, if it can be read twice. */
  plan?: PicklePlan | undefined;
  /**
   * How many bytes of JSON are held back to be put right if need be. With a
   * plan this is the plan's matter.
   *
   * @default {1048576}
   */
  window?: number;
}

function indentText(
  indent: number | string | boolean | null | undefined,
): string | undefined {
  if (indent === undefined || indent === null) return undefined;
  if (typeof indent === "string") return indent;
  const size = Number(indent);
  if (!Number.isInteger(size)) {
    throw new TypeError("indent must be an integer, a string or null");
  }
  return " ".repeat(Math.max(0, size));
}

/**
 * Makes the machine under {@linkcode PickleToJsonStream}.
 *
 * @param options What it is to do.
 * @returns The machine.
 */
export function pickleToJsonMachine(
  options: PickleToJsonOptions = {},
): Machine<Uint8Array, Uint8Array<ArrayBuffer>> {
  const {
    types = "plain",
    ensureAscii = true,
    allowNaN = true,
    indent,
    separators,
    sortKeys = false,
    jsonl = false,
    items = false,
    plan,
    window,
    ...load
  } = options;
  const text = indentText(indent);
  if (items && text !== undefined) {
    throw new TypeError("items gives lines, which have no indent");
  }
  const { limits } = load;
  const machine = new PickleTextMachine({
    ...load,
    encode: {
      types,
      ensureAscii,
      allowNaN,
      sortKeys,
      ...(limits === undefined ? {} : { limits }),
    },
    // Buffers can be taken but once, so there is no going back.
    values: sortKeys || types === "tagged" ||
      (load.buffers !== undefined && load.buffers !== null),
    jsonl: jsonl && !items,
    plan: plan?.ordered ? plan : undefined,
    window,
  });
  const [item, key] = separators ?? [text === undefined ? ", " : ",", ": "];
  if (typeof item !== "string" || typeof key !== "string") {
    throw new TypeError("separators must be two strings");
  }
  if (!items && text === undefined && item === ", " && key === ": ") {
    return machine;
  }
  return new LayoutMachine(machine, { indent: text, item, key, items, limits });
}

/**
 * Pickles in, JSON out, in UTF-8 and in bounded memory: the opcodes become text
 * as they come, and the value is never built. Its output is that of
 * `json.dumps(pickle.loads(bytes))` in Python.
 *
 * A pickle can say at its end what stands at its beginning, so no reader that
 * keeps little can convert every pickle in one pass. Small ones always work,
 * and so does what Python writes of plain data. Where it cannot go on, the
 * stream errors with an `UnpicklingError` whose code is `not-streamable`, and
 * never closes as if the text were whole. A file can be read twice: make a plan
 * of it first with `planPickle`.
 *
 * Several pickles one behind the other give as many JSON texts, a line each.
 *
 * @example Convert a response on its way
 * ```ts
 * import { pickle, PickleToJsonStream } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const response = new Response(pickle.dumps({ name: "brine", size: 1.5 }));
 * const json = response.body!.pipeThrough(new PickleToJsonStream());
 * assertEquals(await new Response(json).json(), { name: "brine", size: 1.5 });
 * ```
 */
export class PickleToJsonStream
  extends MachineStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  /**
   * Makes the stream.
   *
   * @param options How pickles are read and JSON is written.
   */
  constructor(options: PickleToJsonOptions = {}) {
    super(pickleToJsonMachine(options));
  }
}
