/**
 * Members of Python's enums.
 *
 * @module
 */

import { isInt } from "./arguments.ts";
import { globalOf } from "./inert.ts";
import { setKeyKind } from "./keys.ts";
import { PyObject, type PyObjectParts } from "./object.ts";
import { type PyType, register } from "./registry.ts";

/**
 * A member of a Python enum: its class and its value. A pickle does not say
 * what is an enum, so only those of the standard library are found by
 * themselves; {@linkcode enumType} names others.
 *
 * @example Read one
 * ```ts
 * import { EnumMember, pickle } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("chttp\nHTTPStatus\n(I404\ntR.");
 * const status = pickle.loads(bytes);
 * assertInstanceOf(status, EnumMember);
 * assertEquals(status.value, 404);
 * ```
 */
export class EnumMember extends PyObject {
  /** Its name, where it is known. */
  readonly name: string | undefined;

  /**
   * Makes one.
   *
   * @param cls The enum, a Global.
   * @param args Its value.
   * @param parts What else a PyObject has, and its name.
   */
  constructor(
    cls: unknown,
    args: Iterable<unknown>,
    parts: PyObjectParts & { name?: string } = {},
  ) {
    super(cls, args, { via: "reduce", ...parts });
    this.name = parts.name;
  }

  /** Its value. */
  get value(): unknown {
    return this.args[0];
  }

  /**
   * As Python's `str`: `Color.RED`.
   *
   * @returns The text; the value stands for a name that is not known.
   */
  override toString(): string {
    const name = this.className.slice(this.className.lastIndexOf(".") + 1);
    if (this.name !== undefined) return `${name}.${this.name}`;
    // What holds others may hold too many for a text.
    const { value } = this;
    const isSimple = typeof value !== "object" || value === null;
    return `${name}(${isSimple ? String(value) : "…"})`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns Its value.
   */
  override toJSON(): unknown {
    return this.value;
  }
}

setKeyKind(EnumMember.prototype, {
  kind: "value",
  key: (member: EnumMember) => {
    const { value, className } = member;
    // An IntEnum equals its number.
    if (isInt(value) && INT_ENUMS.has(className)) return value;
    return typeof value === "string" || typeof value === "boolean" ||
        isInt(value)
      ? `enum ${className} ${typeof value} ${value}`
      : undefined;
  },
});

/**
 * An entry for an enum of the caller's own, for the option `globals` or for
 * `register`.
 *
 * @param name Its name in Python, `module.Class`.
 * @param members Its members' values by name; left out, members have no name.
 * @returns The entry.
 *
 * @example Read a member
 * ```ts
 * import { enumType } from "@brine/brine/values";
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("cshop\nColor\n(I2\ntR.");
 * const globals = {
 *   "shop.Color": enumType("shop.Color", { RED: 1, BLUE: 2 }),
 * };
 * assertEquals(String(pickle.loads(bytes, { globals })), "Color.BLUE");
 * ```
 */
export function enumType(
  name: string,
  members: Readonly<Record<string, unknown>> = {},
): PyType<EnumMember> {
  const cls = globalOf(name);
  const names = new Map<unknown, string>();
  for (const [member, value] of Object.entries(members)) {
    if (!names.has(value)) names.set(value, member);
  }
  return {
    names: [name],
    make: (args, { kwargs }) => {
      if (args.length !== 1 || kwargs !== undefined) return undefined;
      const found = names.get(args[0]);
      return new EnumMember(cls, args, found ? { name: found } : {});
    },
    toPlain: (member) => member.value,
  };
}

/** Enums of the standard library that are ints as well. */
const INT_ENUMS: ReadonlySet<string> = new Set(
  `asyncio.constants._SendfileMode calendar.Day calendar.Month http.HTTPStatus
  inspect._ParameterKind inspect.BufferFlags re.RegexFlag signal.Handlers
  signal.Sigmasks signal.Signals socket.AddressFamily socket.AddressInfo
  socket.MsgFlag socket.SocketKind ssl.AlertDescription ssl.Options
  ssl.SSLErrorNumber ssl.TLSVersion ssl.VerifyFlags ssl.VerifyMode`
    .split(/\s+/),
);

const OTHER_ENUMS =
  `enum.EnumCheck enum.FlagBoundary http.HTTPMethod plistlib.PlistFormat
  pstats.SortKey py_compile.PycInvalidationMode tkinter.EventType uuid.SafeUUID`
    .split(/\s+/);

register(
  ...[...INT_ENUMS, ...OTHER_ENUMS].map((name) => enumType(name)),
  {
    names: [],
    class: EnumMember,
    toPlain: (member: EnumMember) => member.value,
  },
);
