/**
 * How a file is converted, as plain data that a worker can be sent.
 *
 * @module
 */

import type { Encoding } from "../pickle/options.ts";
import type { Limits } from "../python/limits.ts";
import type { Format } from "./formats.ts";

/** How a file is converted. */
export interface Conversion {
  /** What the input is; undefined: see how it begins. */
  from: Format | undefined;
  /** What the output is; undefined: the opposite of the input. */
  to: Format | undefined;
  /** What JSON is indented by. */
  indent: number | string | undefined;
  /** Whether JSON has no blanks. */
  compact: boolean;
  /** Whether keys are sorted. */
  sortKeys: boolean;
  /** Whether JSON is ASCII. */
  ensureAscii: boolean;
  /** What becomes of what JSON lacks. */
  types: "plain" | "strict" | "tagged";
  /** Whether the elements of one container are the values. */
  items: boolean;
  /** Which protocol is written. */
  protocol: number | undefined;
  /** How Python 2's strings are read. */
  encoding: Encoding | undefined;
  /** Whether the memo lasts from pickle to pickle. */
  keepMemo: boolean;
  /** What tagged JSON may name. */
  allow: readonly string[];
  /** Limits. */
  limits: Limits;
  /** Whether the output is compressed. */
  gzip: boolean;
}
