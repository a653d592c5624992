/**
 * Makes Python's values of what they were made of: for readers of other formats
 * than pickle that name classes as pickle does. As there, nothing is run.
 *
 * @module
 */

import { PyDict } from "./dict.ts";
import { isDict, setOwn } from "./fields.ts";
import { Global, PyObject, setAttributes } from "./object.ts";
import { type MakeCall, typeByName, typeOf } from "./registry.ts";
import { FrozenSet, PySet } from "./set.ts";
import { Tuple } from "./tuple.ts";

/**
 * Calls a class or function, as far as it is known.
 *
 * @param callable A Global, or another value.
 * @param args Its arguments.
 * @param options How it is called.
 * @returns The value; inert where the callable is not known.
 */
export function construct(
  callable: unknown,
  args: readonly unknown[],
  options: { via?: "new" | "reduce"; kwargs?: unknown } = {},
): unknown {
  const { via = "reduce", kwargs } = options;
  const call: MakeCall = {
    name: String(callable),
    via,
    kwargs,
    construct,
  };
  let value: unknown;
  if (callable instanceof Global) {
    value = typeByName(call.name)?.make?.(args, call);
  } else if (typeof callable === "object" && callable !== null) {
    value = typeOf(callable)?.call?.(callable, args, call);
  }
  return value ?? new PyObject(callable, args, { via, kwargs });
}

/**
 * Gives a value its state, as BUILD does.
 *
 * @param target The value.
 * @param state The state.
 * @returns False where such a value has none.
 */
export function buildState(target: unknown, state: unknown): boolean {
  if (typeof target !== "object" || target === null) return false;
  if (typeOf(target)?.build?.(target, state)) return true;
  if (target instanceof PyObject) {
    if (target.state === undefined) target.state = state;
    else (target.moreStates ??= []).push(state);
    return true;
  }
  const plain = Object.getPrototypeOf(target) === Array.prototype ||
    target instanceof Tuple || ArrayBuffer.isView(target) ||
    isDict(target) && typeOf(target) === undefined;
  if (plain) return false;
  setAttributes(target, state);
  return true;
}

/**
 * Appends items to a value, as APPENDS and ADDITEMS do.
 *
 * @param target The value.
 * @param items The items.
 * @returns False where such a value takes none.
 */
export function appendItems(
  target: unknown,
  items: readonly unknown[],
): boolean {
  if (typeof target !== "object" || target === null) return false;
  if (target instanceof PySet) {
    if (target instanceof FrozenSet) return false;
    PySet.addItems(target, items);
    return true;
  }
  const type = typeOf(target);
  if (type?.append !== undefined) {
    return type.append(target, items) !== false;
  }
  const list = target instanceof PyObject
    ? target.items ??= []
    : Object.getPrototypeOf(target) === Array.prototype
    ? target as unknown[]
    : undefined;
  if (list === undefined) return false;
  for (const item of items) list.push(item);
  return true;
}

/**
 * Sets keys of a value, as SETITEMS does.
 *
 * @param target The value.
 * @param flat Key, value, key, value ….
 * @returns False where such a value has none.
 */
export function setEntries(
  target: unknown,
  flat: readonly unknown[],
): boolean {
  if (typeof target !== "object" || target === null) return false;
  const type = typeOf(target);
  if (type?.setItems !== undefined) {
    return type.setItems(target, flat) !== false;
  } else if (target instanceof PyDict) target.addFlat(flat);
  else if (target instanceof PyObject) {
    const entries = target.entries ??= [];
    for (let i = 0; i < flat.length; i += 2) {
      entries.push([flat[i], flat[i + 1]]);
    }
  } else if (Object.getPrototypeOf(target) === Object.prototype) {
    for (let i = 0; i < flat.length; i += 2) {
      if (typeof flat[i] !== "string") return false;
      setOwn(target, [flat[i] as string, flat[i + 1]]);
    }
  } else return false;
  return true;
}
