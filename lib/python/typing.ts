/**
 * What Python's type hints are made of, and tuples whose items have names.
 *
 * @module
 */

import { globalOf, inertType } from "./inert.ts";
import { Global, PyObject } from "./object.ts";
import { register } from "./registry.ts";
import { Tuple } from "./tuple.ts";

/**
 * A generic type or a union: `list[int]`, `int | str`, `typing.List[int]`.
 *
 * @example Read one
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "c_operator\ngetitem\n(ctyping\nList\nc__builtin__\nint\ntR.";
 * const list = pickle.loads(new TextEncoder().encode(text));
 * assertEquals(String(list), "typing.List[int]");
 * ```
 */
export class TypeForm extends PyObject {
  /**
   * As in Python's source.
   *
   * @returns The text.
   */
  override toString(): string {
    const [origin, args] = this.args;
    if (/\.reduce$/.test(this.className)) {
      return Array.isArray(args) ? args.map(nameOf).join(" | ") : nameOf(args);
    }
    const parts = args instanceof Tuple ? args.map(nameOf).join(", ") : nameOf(
      args,
    );
    return `${nameOf(origin)}[${parts}]`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  override toJSON(): unknown {
    return this.toString();
  }
}

/** Not into nested forms further than a few, since all are strangers'. */
function nameOf(value: unknown): string {
  if (value instanceof Global) {
    if (value.module !== "builtins") return String(value);
    return value.name === "NoneType" ? "None" : value.name;
  }
  if (value === null) return "None";
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof TypeForm) {
    const [origin] = value.args;
    return `${origin instanceof Global ? nameOf(origin) : "…"}[…]`;
  }
  return Array.isArray(value) ? `[${value.length === 0 ? "" : "…"}]` : "…";
}

/**
 * A tuple whose items have names, as `os.stat` and `time.gmtime` give them. The
 * first argument holds the items, the second those beyond the tuple.
 */
export class StructSequence extends PyObject {
  /**
   * What `JSON.stringify` writes.
   *
   * @returns The items.
   */
  override toJSON(): unknown {
    return this.args[0];
  }
}

register(
  {
    // What Python 2 writes; Python 3 calls the class.
    names: ["os._make_stat_result", "os._make_statvfs_result"],
    make: (args, { name }) =>
      new StructSequence(
        new Global("os", name.slice("os._make_".length)),
        args,
        { via: "reduce" },
      ),
  },
  {
    names: ["types.GenericAlias", "_operator.getitem", "operator.getitem"],
    make: (args, { name }) =>
      args.length === 2 && args[0] instanceof Global
        ? new TypeForm(globalOf(name), args, { via: "reduce" })
        : undefined,
  },
  {
    // `reduce(operator.or_, types)`: what `int | str` is written as.
    names: ["functools.reduce", "_functools.reduce"],
    make: (args, { name }) =>
      args.length === 2 && /^_?operator\.or_$/.test(String(args[0]))
        ? new TypeForm(globalOf(name), args, { via: "reduce" })
        : undefined,
  },
  inertType([
    "time.struct_time",
    "os.stat_result",
    "posix.stat_result",
    "nt.stat_result",
    "os.terminal_size",
    "os.uname_result",
    "posix.uname_result",
    "os.times_result",
    "posix.times_result",
    "os.statvfs_result",
    "sys.float_info",
    "sys.version_info",
    "pwd.struct_passwd",
    "grp.struct_group",
    "resource.struct_rusage",
  ], StructSequence),
  {
    names: [],
    class: TypeForm,
    toPlain: String,
  },
  {
    names: [],
    class: StructSequence,
    toPlain: (value: StructSequence) => value.args[0] ?? null,
  },
);
