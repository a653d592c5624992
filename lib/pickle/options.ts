/**
 * What a caller may ask of a reader of pickles.
 *
 * @module
 */

import type { Limits } from "../python/limits.ts";
import type { PyType } from "../python/registry.ts";

/** How Python 2's `str`, which may be text or bytes, is read. */
export type Encoding =
  | "ascii"
  | "latin1"
  | "utf-8"
  | "bytes";

/** What happens to a Python 2 `str` that its encoding does not allow. */
export type EncodingErrors =
  | "strict"
  | "replace"
  | "ignore"
  | "surrogateescape"
  | "backslashreplace";

/**
 * What a caller makes of a class or function: a class, a function that takes
 * the arguments, or an entry that also says what to do with state and items.
 */
export type GlobalHandler =
  // deno-lint-ignore no-explicit-any
  | (abstract new (...args: any[]) => unknown)
  // deno-lint-ignore no-explicit-any
  | ((...args: any[]) => unknown)
  | Omit<PyType, "names" | "class" | "reduce" | "toPlain">;

/** Options of whatever reads pickles. */
export interface LoadOptions {
  /**
   * Whether Python 2's names of modules become Python 3's.
   *
   * @default {true}
   */
  fixImports?: boolean;
  /**
   * How Python 2's `str` is read. By default it is text where it is valid
   * UTF-8, else bytes. Python's own default is `"ascii"`.
   */
  encoding?: Encoding | undefined;
  /**
   * What happens to a Python 2 `str` that `encoding` does not allow.
   *
   * @default {"strict"}
   */
  errors?: EncodingErrors;
  /** Out-of-band buffers, in order (PEP 574). */
  buffers?: Iterable<Uint8Array> | null;
  /** Gives the object that a persistent id stands for. */
  persistentLoad?: (id: unknown) => unknown;
  /** Names of `copyreg` extension codes: `"module.name"`. */
  extensions?: ReadonlyMap<number, string> | Readonly<Record<number, string>>;
  /**
   * What to make of classes and functions, by `"module.name"`. Nothing else is
   * ever called.
   */
  globals?:
    | ReadonlyMap<string, GlobalHandler>
    | Readonly<Record<string, GlobalHandler>>;
  /**
   * `"auto"`: a dict whose keys are all strings is a plain object, any other a
   * PyDict; `"map"`: every dict is a PyDict, in Python's order.
   *
   * @default {"auto"}
   */
  dicts?: "auto" | "map";
  /**
   * `"number"`: a float is a number; `"exact"`: a float that is whole is a
   * Float, so that it stays one.
   *
   * @default {"number"}
   */
  floats?: "number" | "exact";
  /**
   * Whether what is large gets memory of its own. By default numpy arrays, and
   * bytes of a mebibyte and more that are a sixteenth of the pickle at least, look
   * into what `loads` was given:
   * ask for copies where you use that memory again, or give it away.
   *
   * @default {false}
   */
  copy?: boolean;
  /** How much the pickle may take. */
  limits?: Limits;
  /**
   * Whether frames may be wrong, as CPython took them before 3.13.15: one
   * within another, an argument across an end.
   *
   * @default {false}
   */
  lenientFrames?: boolean;
}

/** Options of whatever reads a stream of pickles. */
export interface DecoderStreamOptions extends LoadOptions {
  /**
   * Gives the elements of a list, or the `[key, value]` entries of a dict, as
   * they arrive, instead of the whole. `limits.memo` then bounds how many
   * values are kept for references to them; the oldest go first.
   *
   * @default {false}
   */
  items?: boolean;
  /**
   * Whether the pickles come from one Python `Pickler`, whose later pickles
   * refer to values of earlier ones.
   *
   * @default {false}
   */
  keepMemo?: boolean;
}
