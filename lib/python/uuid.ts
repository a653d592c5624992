/**
 * Python's UUID.
 *
 * @module
 */

import { attributesIn, isInt, stateOf } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Global } from "./object.ts";
import { register } from "./registry.ts";

const END = 1n << 128n;

/**
 * A Python `UUID`.
 *
 * @example Read one
 * ```ts
 * import { Uuid } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const id = new Uuid("12345678-1234-5678-1234-567812345678");
 * assertEquals(id.int, 0x12345678123456781234567812345678n);
 * ```
 */
export class Uuid {
  /** Its 128 bits as one integer. */
  int: bigint;
  /** Python's `SafeUUID`: 0 safe, -1 unsafe, null unknown. */
  isSafe: unknown = null;

  /**
   * Makes one.
   *
   * @param value Its 32 hexadecimal digits, with hyphens or without, or its
   * bits.
   * @throws {RangeError} Where it is no UUID.
   */
  constructor(value: string | bigint) {
    const digits = typeof value === "string"
      ? value.replace(/^urn:uuid:/, "").replace(/[{}-]/g, "")
      : "";
    if (typeof value === "string" && !/^[0-9a-f]{32}$/i.test(digits)) {
      throw new RangeError("a UUID has 32 hexadecimal digits");
    }
    const int = typeof value === "string" ? BigInt(`0x${digits}`) : value;
    if (int < 0n || int >= END) throw new RangeError("a UUID has 128 bits");
    this.int = int;
  }

  /**
   * As Python's `str`.
   *
   * @returns 32 hexadecimal digits with hyphens.
   */
  toString(): string {
    return this.int.toString(16).padStart(32, "0")
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns 32 hexadecimal digits with hyphens.
   */
  toJSON(): string {
    return this.toString();
  }
}

setKeyKind(Uuid.prototype, {
  kind: "value",
  key: ({ int }: Uuid) => `uuid ${int.toString(36)}`,
});

const UUID = new Global("uuid", "UUID");

register({
  names: ["uuid.UUID"],
  make: (args) => {
    if (args.length === 0) return new Uuid(0n);
    const [value] = args;
    if (args.length !== 1 || typeof value !== "string") return undefined;
    return value.length <= 64 && /^[{]?[0-9a-f-]{32,36}[}]?$/i.test(value) &&
        value.replace(/[{}-]/g, "").length === 32
      ? new Uuid(value)
      : undefined;
  },
  build: (uuid: Uuid, state) => {
    const attributes = attributesIn(state);
    const int = attributes?.get("int");
    if (attributes === undefined || !isInt(int)) return false;
    if (BigInt(int) < 0n || BigInt(int) >= END) return false;
    const known = attributes.has("is_safe") ? 2 : 1;
    if (attributes.size > known) return false;
    uuid.int = BigInt(int);
    // An enum's member in Python 3.7, its value from 3.8 on.
    uuid.isSafe = attributes.get("is_safe") ?? null;
    return true;
  },
  class: Uuid,
  reduce: ({ int, isSafe }: Uuid) => ({
    callable: UUID,
    args: [],
    via: "new",
    state: stateOf(
      isSafe === null ? [["int", int]] : [["int", int], ["is_safe", isSafe]],
    ),
  }),
  toPlain: String,
});
