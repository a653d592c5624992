/**
 * `@std/cli`, by way of npm, for a clone that reaches no JSR. Same code, typed
 * here since the npm package carries no types.
 *
 * @module
 */
import * as parse from "#npm";

/** What {@linkcode parseArgs} is told about the options. */
export interface ParseOptions {
  /** Everything after `--` goes to `"--"`. */
  "--"?: boolean;
  /** Other names of an option. */
  alias?: Record<string, string | readonly string[]>;
  /** Options that take no value. */
  boolean?: boolean | readonly string[];
  /** Values of options that are not given. */
  default?: Record<string, unknown>;
  /** Stop at the first argument that is no option. */
  stopEarly?: boolean;
  /** Options whose value stays a string. */
  string?: readonly string[];
  /** Options that may be given several times. */
  collect?: readonly string[];
  /** Options that may be denied by `--no-`. */
  negatable?: readonly string[];
  /** Called with each option that is not named above. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The arguments that are no options under `_`, the options by their names. */
export interface Args {
  /** Arguments that are no options. */
  _: (string | number)[];
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
}

/** Takes a command line apart. */
export function parseArgs(
  args: readonly string[],
  options?: ParseOptions,
): Args {
  return parse.parseArgs(args, options);
}
