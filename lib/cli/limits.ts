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
    const number = value === "none" ? Infinity : parseSize(value);
    if (number === undefined) {
      throw new UsageError(
        `--limit ${name}=… takes a number, such as 1000 or 64M, or none`,
      );
    }
    limits[name] = number;
  }
  return limits;
}

/**
 * Reads a number of bytes or of whatever else.
 *
 * @param text Such as `1000`, `64M`, `1.5GB`.
 * @returns The number, or undefined where it is none.
 */
export function parseSize(text: string): number | undefined {
  const [, digits, unit = ""] =
    /^(\d+(?:\.\d+)?(?:e\d+)?)([kMGT]?)B?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) *
    1000 ** ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
}
