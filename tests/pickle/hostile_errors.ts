/**
 * Which errors are Brine's own.
 *
 * @module
 */

import { JSONEncodeError } from "../../lib/json/errors.ts";
import { PicklingError, UnpicklingError } from "../../lib/pickle/errors.ts";
import { LimitError } from "../../lib/python/limits.ts";

/** How values are written as JSON. */
interface Layout<T> {
  types: T;
  limits: { outputBytes: number };
}

const limits = { outputBytes: 1_000_000 };
/** How values of all kinds are written as plain JSON. */
export const PLAIN: Layout<"plain"> = { types: "plain", limits };
/** How they are written with tags. */
export const TAGGED: Layout<"tagged"> = { types: "tagged", limits };

/**
 * Whether an error is one that Brine throws on purpose.
 *
 * @param error What was thrown
 * @returns Whether it is
 */
export function isOurs(error: unknown): boolean {
  return error instanceof UnpicklingError || error instanceof LimitError ||
    error instanceof PicklingError || error instanceof JSONEncodeError;
}
