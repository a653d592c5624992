/**
 * Python's compiled regular expressions.
 *
 * @module
 */

import { isIntWithin } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Global, PyObject } from "./object.ts";
import { register } from "./registry.ts";

/** The names of `re.RegexFlag`, in the order in which Python prints them. */
const FLAGS = [
  ["TEMPLATE", 1],
  ["IGNORECASE", 2],
  ["LOCALE", 4],
  ["MULTILINE", 8],
  ["DOTALL", 16],
  ["UNICODE", 32],
  ["VERBOSE", 64],
  ["DEBUG", 128],
  ["ASCII", 256],
] as const;
const UNICODE = 32;

/**
 * A Python `re.Pattern`: the text of the expression and its flags. It is not
 * compiled; Python's syntax is not JavaScript's.
 *
 * @example Write one
 * ```ts
 * import { Pattern, pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new Pattern("a+b")));
 * assertEquals(String(back), 're.compile("a+b")');
 * ```
 */
export class Pattern {
  /** The expression: text, or bytes. */
  readonly pattern: string | Uint8Array;
  /** Python's flags, as one integer. */
  readonly flags: number;

  /**
   * Describes an expression.
   *
   * @param pattern The expression: text, or bytes.
   * @param flags Python's flags; `re.UNICODE`, 32, goes without saying for text.
   */
  constructor(pattern: string | Uint8Array, flags?: number) {
    this.pattern = pattern;
    this.flags = flags ?? (typeof pattern === "string" ? UNICODE : 0);
  }

  /**
   * As Python's `repr`: `re.compile('a+b', re.IGNORECASE)`.
   *
   * @returns The text.
   */
  toString(): string {
    const text = typeof this.pattern === "string"
      ? JSON.stringify(this.pattern)
      : `b${JSON.stringify(latin1Text(this.pattern))}`;
    const shown = typeof this.pattern === "string"
      ? this.flags & ~UNICODE
      : this.flags;
    const names = FLAGS.filter(([, bit]) => (shown & bit) !== 0)
      .map(([name]) => `re.${name}`);
    return `re.compile(${[text, ...names.slice(0, 1)].join(", ")}${
      names.slice(1).map((name) => `|${name}`).join("")
    })`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The expression.
   */
  toJSON(): unknown {
    return this.pattern;
  }
}

function latin1Text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

setKeyKind(Pattern.prototype, {
  kind: "value",
  key: ({ pattern, flags }: Pattern) =>
    typeof pattern === "string"
      ? `pattern ${flags} s${pattern}`
      : `pattern ${flags} b${Array.from(pattern).join()}`,
});

const COMPILE = new Global("re", "_compile");

/** `re.RegexFlag(10)`, or its number. */
function flagsOf(value: unknown): number | undefined {
  if (isIntWithin(value, [0, 0xffff])) return value;
  return value instanceof PyObject && value.className === "re.RegexFlag" &&
      isIntWithin(value.args[0], [0, 0xffff])
    ? value.args[0]
    : undefined;
}

register({
  names: ["re._compile", "re.compile", "sre._compile"],
  make: (args) => {
    const [pattern, given = 0] = args;
    const flags = flagsOf(given);
    if (args.length === 0 || args.length > 2 || flags === undefined) {
      return undefined;
    }
    return typeof pattern === "string" || pattern instanceof Uint8Array
      ? new Pattern(pattern, flags)
      : undefined;
  },
  class: Pattern,
  reduce: ({ pattern, flags }: Pattern) => ({
    callable: COMPILE,
    args: [pattern, flags],
  }),
  toPlain: ({ pattern }: Pattern) => pattern,
});
