/**
 * What a value looks like to a person: its type, a line about it, and what is
 * in it, piece by piece. The terminal and the page both show this.
 *
 * @module
 */

import { ByteArray } from "../python/byte_array.ts";
import { Constant } from "../python/constants.ts";
import { PyDict } from "../python/dict.ts";
import { Float } from "../python/float.ts";
import { floatRepr } from "../python/float_repr.ts";
import {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
} from "../python/object.ts";
import { typeOf } from "../python/registry.ts";
import { FrozenSet, PySet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";

/** A value in one line. */
export interface Outline {
  /** Its type, by Python's name. */
  type: string;
  /** The value itself, or the beginning of it; raw text of the file's author. */
  text?: string;
  /** How many parts it has. */
  count: number;
}

/** One part of a value. */
export interface Part {
  /** Its key, index or name, in one line; raw text of the file's author. */
  label: string;
  /** What it is. */
  value: unknown;
}

/** How many characters or bytes a line shows of a long value. */
const SAMPLE = 120;

/**
 * Describes a value in one line.
 *
 * @param value Any value that `pickle.loads` or `json.loads` gives.
 * @returns Its type, its text where it has one, and how many parts it has.
 */
export function outline(value: unknown): Outline {
  switch (typeof value) {
    case "string":
      return { type: "str", text: quoted(value), count: 0 };
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { type: "int", text: String(value), count: 0 }
        : { type: "float", text: floatRepr(value), count: 0 };
    case "bigint":
      return { type: "int", text: bigText(value), count: 0 };
    case "boolean":
      return { type: "bool", text: value ? "True" : "False", count: 0 };
    case "object":
      if (value === null) return { type: "None", count: 0 };
      return outlineObject(value);
    default:
      return { type: typeof value, count: 0 };
  }
}

function outlineObject(value: object): Outline {
  if (value instanceof Float) {
    return { type: "float", text: floatRepr(value.value), count: 0 };
  }
  if (value instanceof Uint8Array) {
    return {
      type: value instanceof ByteArray ? "bytearray" : "bytes",
      text: bytesText(value),
      count: 0,
    };
  }
  if (value instanceof Constant) {
    return { type: String(value), count: 0 };
  }
  if (value instanceof Global) {
    return { type: "class or function", text: String(value), count: 0 };
  }
  const count = countParts(value);
  const type = typeName(value);
  if (value instanceof PyObject) {
    const text = value.toString !== Object.prototype.toString
      ? String(value)
      : "";
    return text === "" ? { type, count } : { type, text, count };
  }
  const array = arrayFacts(value);
  if (array !== undefined) return { type, text: array, count };
  // Its own way to print itself, unless it is a container's.
  if (
    !isContainer(value) && value.toString !== Object.prototype.toString
  ) {
    return { type, text: clipped(String(value)), count };
  }
  return { type, count };
}

function isContainer(value: object): boolean {
  return Array.isArray(value) || value instanceof Map || value instanceof Set;
}

/** Shape and kind of what is like a numpy array, whichever class it is. */
function arrayFacts(value: object): string | undefined {
  if (!("shape" in value && "dtype" in value)) return undefined;
  const { shape, dtype } = value as { shape: unknown; dtype: unknown };
  if (!Array.isArray(shape)) return undefined;
  return `${String(dtype)}, shape (${shape.join(", ")}${
    shape.length === 1 ? "," : ""
  })`;
}

/**
 * The name of a value's type, as Python has it.
 *
 * @param value Any object.
 * @returns Such as `dict` or `datetime.date`.
 */
export function typeName(value: object): string {
  const known = typeOf(value)?.names[0];
  if (known !== undefined) return known.replace(/^builtins\./, "");
  if (value instanceof Tuple) return "tuple";
  if (Array.isArray(value)) return "list";
  if (value instanceof FrozenSet) return "frozenset";
  if (value instanceof Set) return "set";
  if (value instanceof Map) return "dict";
  if (value instanceof PyObject) return value.className;
  if (value instanceof PersistentId) return "persistent id";
  if (value instanceof Extension) return `extension ${value.code}`;
  if (value instanceof Date) return "datetime.datetime";
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return "dict";
  return String(value.constructor?.name ?? "object");
}

/**
 * Some of the parts of a value.
 *
 * @param value Any value.
 * @param range From which part to before which.
 * @returns The parts, in order.
 */
export function partsOf(
  value: unknown,
  range: { from: number; to: number },
): Part[] {
  const { from, to } = range;
  if (typeof value !== "object" || value === null) return [];
  const parts: Part[] = [];
  // A list of a million items is not walked to reach its last.
  if (Array.isArray(value)) {
    for (let index = from; index < Math.min(to, value.length); index++) {
      parts.push({ label: String(index), value: value[index] });
    }
    const attributes = attributesOf(value);
    if (attributes !== undefined && to > value.length) {
      parts.push({ label: "attributes", value: attributes });
    }
    return parts;
  }
  let index = 0;
  for (const [label, part] of eachPart(value)) {
    if (index >= to) break;
    if (index++ < from) continue;
    parts.push({ label: label(), value: part });
  }
  return parts;
}

type Piece = readonly [label: () => string, value: unknown];

function* eachPart(value: object): Generator<Piece, void> {
  if (value instanceof PyObject) return yield* partsOfObject(value);
  if (value instanceof PersistentId) return yield [() => "id", value.id];
  if (value instanceof Map) {
    for (const [key, item] of value) yield [() => keyLabel(key), item];
  } else if (value instanceof Set) {
    let index = 0;
    for (const item of value) {
      const at = index++;
      yield [() => String(at), item];
    }
  } else if (isLeaf(value)) {
    return;
  } else if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      yield [() => quoted(key), Reflect.get(value, key)];
    }
    return;
  } else {
    for (const key of Object.keys(value)) {
      yield [() => key, Reflect.get(value, key)];
    }
  }
  const attributes = attributesOf(value);
  if (attributes !== undefined) yield [() => "attributes", attributes];
}

function* partsOfObject(value: PyObject): Generator<Piece, void> {
  const { args, kwargs, state, items, entries } = value;
  if (!(value.class instanceof Global)) yield [() => "made by", value.class];
  for (let index = 0; index < args.length; index++) {
    yield [() => `argument ${index + 1}`, args[index]];
  }
  if (kwargs !== undefined) yield [() => "named arguments", kwargs];
  if (state !== undefined) {
    // Nearly every object's state is the dict of its attributes.
    if (isPlain(state)) {
      for (const key of Object.keys(state)) {
        yield [() => key, Reflect.get(state, key)];
      }
    } else {
      yield [() => "state", state];
    }
  }
  for (let index = 0; index < (items?.length ?? 0); index++) {
    yield [() => String(index), items![index]];
  }
  for (const [key, item] of entries ?? []) {
    yield [() => keyLabel(key), item];
  }
}

function countParts(value: object): number {
  if (value instanceof PyObject) {
    const { args, kwargs, state, items, entries } = value;
    return (value.class instanceof Global ? 0 : 1) + args.length +
      (kwargs === undefined ? 0 : 1) +
      (state === undefined
        ? 0
        : isPlain(state)
        ? Object.keys(state).length
        : 1) +
      (items?.length ?? 0) + (entries?.length ?? 0);
  }
  const extra = attributesOf(value) === undefined ? 0 : 1;
  if (value instanceof PersistentId) return 1;
  if (Array.isArray(value)) return value.length + extra;
  if (value instanceof Map || value instanceof Set) return value.size + extra;
  if (isLeaf(value)) return 0;
  return Object.keys(value).length + (isPlain(value) ? 0 : extra);
}

/** What prints itself in full has no parts worth showing. */
function isLeaf(value: object): boolean {
  return value instanceof Float || value instanceof Uint8Array ||
    value instanceof Constant || value instanceof Global ||
    !isPlain(value) && !isContainer(value) &&
      !(value instanceof PyObject) && arrayFacts(value) === undefined &&
      value.toString !== Object.prototype.toString &&
      attributesOf(value) === undefined;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A key in one line: itself where it is simple, its outline where not. */
function keyLabel(key: unknown): string {
  if (
    Array.isArray(key) || key instanceof PySet || key instanceof PyDict
  ) {
    const inner = partsOf(key, { from: 0, to: 8 }).map((part) =>
      keyLabel(part.value)
    );
    const count = countParts(key);
    if (count > inner.length) inner.push("…");
    const comma = key instanceof Tuple && count === 1 ? "," : "";
    return key instanceof Tuple
      ? `(${inner.join(", ")}${comma})`
      : `${typeName(key)}(${inner.join(", ")})`;
  }
  const { type, text } = outline(key);
  return text ?? type;
}

function quoted(text: string): string {
  return text.length > SAMPLE
    ? JSON.stringify(cut(text, SAMPLE)) + `… (${text.length} characters)`
    : JSON.stringify(text);
}

function clipped(text: string): string {
  return text.length > SAMPLE ? cut(text, SAMPLE) + "…" : text;
}

/** Never through the middle of a surrogate pair. */
function cut(text: string, length: number): string {
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length);
}

/** Decimal digits of a huge integer cost much, and nobody reads them. */
function bigText(value: bigint): string {
  if (value < 1n << 1024n && value > -(1n << 1024n)) {
    return clipped(String(value));
  }
  const bits = value.toString(16).length * 4;
  return `${value < 0n ? "-" : ""}(about ${bits} bits)`;
}

function bytesText(bytes: Uint8Array): string {
  let text = 'b"';
  for (const byte of bytes.subarray(0, 32)) {
    text += byte === 0x22 || byte === 0x5c
      ? "\\" + String.fromCharCode(byte)
      : byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : "\\x" + byte.toString(16).padStart(2, "0");
  }
  return `${text}"` +
    (bytes.length > 32 ? `… (${bytes.length} bytes)` : "");
}
