/**
 * What stands for Python's classes, functions and objects. All of it is inert:
 * a description, never the thing.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";
import { Tuple } from "./tuple.ts";

/**
 * A class or function of Python's, by name.
 *
 * @example Look at one
 * ```ts
 * import { Global, pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("cos\nsystem\n.");
 * assertEquals(pickle.loads(bytes), new Global("os", "system"));
 * ```
 */
export class Global {
  /** The module, by its Python 3 name where `fixImports` is on. */
  readonly module: string;
  /** The name within the module, with dots where it is nested. */
  readonly name: string;

  /**
   * Names a class or function.
   *
   * @param module The module.
   * @param name The name within it.
   */
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  /**
   * The whole name.
   *
   * @returns Module and name with a dot between them.
   */
  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** How a {@linkcode PyObject} came about. */
export type Via = "new" | "reduce" | "classic";

/** What a {@linkcode PyObject} is made of. */
export interface PyObjectParts {
  /** Arguments by name. */
  kwargs?: unknown;
  /**
   * How it is made of class and arguments.
   *
   * @default {"new"}
   */
  via?: Via;
  /** The builtin class that `copyreg._reconstructor` was told to begin with. */
  base?: Global | undefined;
  /** What BUILD was given. */
  state?: unknown;
  /** What was appended. */
  items?: unknown[];
  /** What was set by key. */
  entries?: [unknown, unknown][];
}

/**
 * An object of a class that Brine does not know: its class, the arguments it
 * was made with, its state, and what was put into it. Nothing has been run, and
 * nothing is lost: `pickle.dumps` writes what Python can load again.
 *
 * @example Look into one
 * ```ts
 * import { Global, pickle, PyObject } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const point = new PyObject(new Global("shapes", "Point"), [], {
 *   state: { x: 1, y: 2 },
 * });
 * const back = pickle.loads(pickle.dumps(point));
 * assertInstanceOf(back, PyObject);
 * assertEquals(String(back.class), "shapes.Point");
 * assertEquals(back.state, { x: 1, y: 2 });
 * ```
 */
export class PyObject {
  /**
   * The class or function that was called; a {@linkcode Global} nearly always,
   * a `PyObject` where Python computed it.
   */
  class: unknown;
  /** The arguments of the call. */
  args: Tuple;
  /** The arguments given by name; undefined where there are none. */
  kwargs: unknown;
  /**
   * `"new"`: `cls.__new__(cls, *args)`; `"reduce"`: `class(*args)`;
   * `"classic"`: an instance of an old-style class of Python 2.
   */
  via: Via;
  /**
   * The builtin class that `copyreg._reconstructor` was told to begin with, with
   * the one argument as its value: protocols 0 and 1 write subclasses of tuple,
   * str, bytes and complex so. Undefined for all others.
   */
  base: Global | undefined;
  /** What BUILD was given; undefined where there was no BUILD. */
  state: unknown;
  /** What was appended, if anything. */
  items: unknown[] | undefined;
  /** What was set by key, if anything. */
  entries: [unknown, unknown][] | undefined;
  /**
   * Function that was given object and state where `__reduce__` named one of
   * its own (a sixth item); undefined otherwise.
   */
  stateSetter: unknown;
  /** States of further BUILDs; only a pickle made by hand has them. */
  moreStates: unknown[] | undefined;

  /**
   * Describes an object.
   *
   * @param cls Its class, or the function that makes it.
   * @param args The arguments.
   * @param parts What else there is.
   */
  constructor(
    cls: unknown,
    args: Iterable<unknown> = [],
    parts: PyObjectParts = {},
  ) {
    this.class = cls;
    this.args = args instanceof Tuple ? args : Tuple.from(args) as Tuple;
    this.kwargs = parts.kwargs;
    this.via = parts.via ?? "new";
    this.base = parts.base;
    this.state = parts.state;
    this.items = parts.items;
    this.entries = parts.entries;
    this.stateSetter = undefined;
    this.moreStates = undefined;
  }

  /**
   * The class's name, for people.
   *
   * @returns `module.name`, or `?` where the class was computed.
   */
  get className(): string {
    return this.class instanceof Global ? String(this.class) : "?";
  }

  /**
   * What `JSON.stringify` writes: its state, or its arguments.
   *
   * @returns A value.
   */
  toJSON(): unknown {
    if (this.state !== undefined) return this.state;
    return this.items ?? this.entries ?? this.args;
  }
}

/** A reference to something outside of the pickle, by its persistent id. */
export class PersistentId {
  /** The id: a string in protocol 0, any value later. */
  readonly id: unknown;

  /**
   * Wraps an id.
   *
   * @param id The id.
   */
  constructor(id: unknown) {
    this.id = id;
  }
}

/** An entry of `copyreg`'s extension registry that nobody has named. */
export class Extension {
  /** The code, from 1. */
  readonly code: number;

  /**
   * Wraps a code.
   *
   * @param code The code.
   */
  constructor(code: number) {
    this.code = code;
  }
}

const attributes = new WeakMap<object, unknown>();
let given = false;

/**
 * Whether any value was ever given attributes: what must be quick need not ask
 * for those of each value.
 *
 * @returns Whether {@linkcode setAttributes} has been used.
 */
export function anyAttributes(): boolean {
  return given;
}

/**
 * The state that a pickle gave a value whose JavaScript class has no place for
 * one: an exception's attributes, those of an OrderedDict.
 *
 * @param value Any value.
 * @returns Its state, or undefined.
 */
export function attributesOf(value: unknown): unknown {
  return typeof value === "object" && value !== null
    ? attributes.get(value)
    : undefined;
}

/**
 * Gives a value a state of Python's, as BUILD does.
 *
 * @param value Any object.
 * @param state Its state; undefined takes it away.
 */
export function setAttributes(value: object, state: unknown): void {
  if (state === undefined) {
    attributes.delete(value);
    return;
  }
  given = true;
  attributes.set(value, state);
}

setKeyKind(Global.prototype, {
  kind: "value",
  key: ({ module, name }: Global) => `global ${module}\n${name}`,
});
