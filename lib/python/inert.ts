/**
 * Entries for classes that stay inert, but know how to look into themselves.
 *
 * @module
 */

import { Global, type PyObject, type PyObjectParts } from "./object.ts";
import type { PyType } from "./registry.ts";

/** A subclass of PyObject that is made as PyObject is. */
export type PyObjectClass = new (
  cls: unknown,
  args?: Iterable<unknown>,
  parts?: PyObjectParts,
) => PyObject;

/**
 * The global of a name without nesting.
 *
 * @param name `module.name`.
 * @returns Module and name apart.
 */
export function globalOf(name: string): Global {
  const dot = name.lastIndexOf(".");
  return new Global(name.slice(0, dot), name.slice(dot + 1));
}

/**
 * An entry that makes a subclass of PyObject: class, arguments, state and items
 * are kept as they came, so that it is written back as it was.
 *
 * @param names The names, as of any entry.
 * @param type The subclass.
 * @returns The entry.
 */
export function inertType(
  names: readonly string[],
  type: PyObjectClass,
): PyType<PyObject> {
  return {
    names,
    make: (args, { name, via, kwargs }) =>
      new type(globalOf(name), args, { via, kwargs }),
  };
}
