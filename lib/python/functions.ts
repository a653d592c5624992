/**
 * Python's ways to name a function that has no name of its own: attributes of
 * classes and objects, `functools.partial`, `type(None)`. All of it is data;
 * nothing is looked up or called.
 *
 * @module
 */

import { entriesOf, textOf } from "./arguments.ts";
import { Constant, NotImplemented } from "./constants.ts";
import { PyDict } from "./dict.ts";
import { Global, PyObject } from "./object.ts";
import { type MakeCall, register } from "./registry.ts";
import { Tuple } from "./tuple.ts";

const GETATTR = new Global("builtins", "getattr");

/**
 * A method of an object, or another attribute of one: `getattr(self, name)`.
 *
 * @example Look at one
 * ```ts
 * import { BoundMethod, pickle } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const text = "c__builtin__\ngetattr\n(](I1\neVappend\ntR.";
 * const method = pickle.loads(new TextEncoder().encode(text));
 * assertInstanceOf(method, BoundMethod);
 * assertEquals([method.self, method.name], [[1], "append"]);
 * ```
 */
export class BoundMethod extends PyObject {
  /** The object. */
  get self(): unknown {
    return this.args[0];
  }

  /** The method's name. */
  get name(): unknown {
    return this.args[1];
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The name.
   */
  override toJSON(): unknown {
    return this.name;
  }
}

/**
 * A Python `functools.partial`: a function and some of its arguments. It is
 * never called.
 *
 * @example Write one
 * ```ts
 * import { Global, Partial, pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const partial = new Partial(new Global("builtins", "int"), [], {
 *   kwargs: { base: 2 },
 * });
 * const back = pickle.loads(pickle.dumps(partial));
 * assertEquals(String(back), "functools.partial(builtins.int)");
 * ```
 */
export class Partial {
  /** The function, a {@linkcode Global} mostly. */
  func: unknown;
  /** The arguments. */
  args: unknown[];
  /** The arguments by name: a plain object or a {@linkcode PyDict}. */
  kwargs: unknown;
  /** Attributes of its own, or null. */
  attributes: unknown;

  /**
   * Describes one.
   *
   * @param func The function.
   * @param args Some of its arguments.
   * @param options `kwargs`: arguments by name; `attributes`: its own.
   */
  constructor(
    func: unknown,
    args: Iterable<unknown> = [],
    options: { kwargs?: unknown; attributes?: unknown } = {},
  ) {
    this.func = func;
    this.args = args instanceof Tuple ? args : Tuple.from(args);
    this.kwargs = options.kwargs ?? new PyDict();
    this.attributes = options.attributes ?? null;
  }

  /**
   * As Python's `repr`, without the arguments by name.
   *
   * @returns The text.
   */
  toString(): string {
    const name = this.func instanceof Global ? String(this.func) : "…";
    return `functools.partial(${name})`;
  }
}

/** `partial(cls.__new__, cls, *args, **kwargs)()`: NEWOBJ_EX below protocol 4. */
function callPartial(
  { func, args, kwargs }: Partial,
  more: readonly unknown[],
  call: MakeCall,
): unknown {
  if (!(func instanceof Global) || !func.name.endsWith(".__new__")) {
    return undefined;
  }
  const [cls, ...rest] = args;
  if (!(cls instanceof Global) || more.length > 0) return undefined;
  const hasNames = (entriesOf(kwargs)?.length ?? 0) > 0;
  return call.construct(
    cls,
    rest,
    hasNames ? { via: "new", kwargs } : { via: "new" },
  );
}

/** The class of a constant has no name that can be imported. */
const CONSTANT_TYPES = new Map<unknown, string>([
  [null, "NoneType"],
  [NotImplemented, "NotImplementedType"],
]);

function typeName(value: unknown): string | undefined {
  return value instanceof Constant && value.name === "Ellipsis"
    ? "ellipsis"
    : CONSTANT_TYPES.get(value);
}

function makeGetattr(args: readonly unknown[], call: MakeCall): unknown {
  const [owner, attribute] = args;
  const name = textOf(attribute);
  if (args.length !== 2 || name === undefined || call.kwargs !== undefined) {
    return undefined;
  }
  // A dotted name is no attribute's, and could pass for another class.
  if (name === "" || name.includes(".")) return undefined;
  return owner instanceof Global
    ? new Global(owner.module, `${owner.name}.${name}`)
    : new BoundMethod(GETATTR, args, { via: "reduce" });
}

register(
  {
    // PyPy has a function of its own for the methods of built-in types.
    names: ["builtins.getattr", "_pickle_support.builtin_method_new"],
    make: makeGetattr,
  },
  {
    names: [],
    class: BoundMethod,
    toPlain: ({ name }: BoundMethod) => name,
  },
  {
    names: ["functools.partial", "_functools.partial"],
    make: (args, { kwargs }) => {
      const [func, ...rest] = args;
      if (args.length === 0) return undefined;
      return new Partial(func, rest, { kwargs });
    },
    build: (value: Partial, state) => {
      if (!Array.isArray(state) || state.length !== 4) return false;
      const [func, args, kwargs, attributes] = state;
      if (!(args instanceof Tuple) || entriesOf(kwargs ?? {}) === undefined) {
        return false;
      }
      value.func = func;
      value.args = args;
      value.kwargs = kwargs ?? new PyDict();
      value.attributes = attributes;
      return true;
    },
    call: callPartial,
    class: Partial,
    reduce: ({ func, args, kwargs, attributes }: Partial) => ({
      callable: new Global("functools", "partial"),
      args: [func],
      state: Tuple.of(func, args, kwargs, attributes),
    }),
    toPlain: ({ func, args, kwargs }: Partial) => ({
      func,
      args: [...args],
      kwargs,
    }),
  },
  {
    names: ["builtins.type"],
    make: (args) => {
      if (args.length !== 1) return undefined;
      const name = typeName(args[0]);
      return name === undefined ? undefined : new Global("builtins", name);
    },
  },
);
