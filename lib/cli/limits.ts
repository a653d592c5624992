/**
 * `--limit`, of the commands that read values.
 *
 * @module
 */

import { DEFAULT_LIMITS, type Limits } from "../python/limits.ts";
import { type Option, UsageError } from "./command.ts";

/** The option. */
export const LIMIT: Option = {
  name: "limit",
  value: "NAME=NUMBER",
  many: true,
  help: `A limit against hostile input: ${
    Object.keys(DEFAULT_LIMITS).join(", ")
  }; =none takes it away`,
};

/**
 * Reads its values.
 *
 * @param texts Each as `name=number`.
 * @returns The limits.
 */
export function readLimits(texts: readonly string[]): Limits {
  const limits: Limits = {};
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
  for (const text of texts) {
    const [, typed = "", value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const plain = typed.replaceAll("-", "").toLowerCase();
    const name = names.find((name) => name.toLowerCase() === plain);
    if (name === undefined) {
      throw new UsageError(
        `--limit is NAME=NUMBER; the names are ${names.join(", ")}`,
      );
    }
    const [, digits, unit = ""] =
      /^(\d+(?:\.\d+)?(?:e\d+)?)([kMGT]?)B?$/i.exec(value) ?? [];
    if (value === "none") limits[name] = Infinity;
    else if (digits === undefined) {
      throw new UsageError(
        `--limit ${name}=… takes a number, such as 1000 or 64M, or none`,
      );
    } else {
      limits[name] = Number(digits) *
        1000 ** ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
    }
  }
  return limits;
}
