/**
 * What Python calls the type of a value.
 *
 * @module
 */

import { ByteArray } from "../python/byte_array.ts";
import { Ellipsis, NotImplemented } from "../python/constants.ts";
import { Float } from "../python/float.ts";
import { Global, PyObject } from "../python/object.ts";
import { typeOf } from "../python/registry.ts";
import { FrozenSet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";

/**
 * Names a value's type, as `type(value).__name__` would in Python.
 *
 * @param value Any value.
 * @returns The name; what Python has no name for goes by JavaScript's.
 */
export function typeName(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? "int"
        : "float";
    case "object":
      return value === null ? "NoneType" : objectTypeName(value);
    default:
      return typeof value;
  }
}

function objectTypeName(value: object): string {
  if (value instanceof Float) return "float";
  if (value instanceof Tuple) return "tuple";
  if (value === Ellipsis) return "ellipsis";
  if (value === NotImplemented) return "NotImplementedType";
  if (value instanceof Global) return "type";
  if (value instanceof PyObject) {
    return value.class instanceof Global
      ? lastPart(value.class.name)
      : "object";
  }
  const known = typeOf(value)?.names[0];
  if (known !== undefined) return lastPart(known);
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof FrozenSet) return "frozenset";
  if (value instanceof Set) return "set";
  if (value instanceof ByteArray) return "bytearray";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Date) return "datetime";
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return "dict";
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== ""
    ? constructor.name
    : "object";
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
