/**
 * The cases of `tests/fixtures/generate_json.py`: values from their
 * descriptions and back, options by name.
 */

import { Complex } from "../../lib/python/complex.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { floatRepr } from "../../lib/python/float_repr.ts";
import { parseIntText } from "../../lib/python/int_text.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import type { DumpsOptions } from "../../lib/json/encoder.ts";
import type { LoadsOptions } from "../../lib/json/decoder.ts";
import { typeName } from "../../lib/json/type_name.ts";

/** A described value. */
export type Described =
  | string
  | boolean
  | null
  | { t: string; v: unknown; [more: string]: unknown };

export interface Case {
  fn: "dumps" | "loads";
  group?: string;
  id?: number;
  input: unknown;
  options: Record<string, unknown>;
  expect: {
    output?: string;
    value?: Described;
    ok?: true;
    error?: {
      type: string;
      message: string;
      msg?: string;
      pos?: number;
      lineno?: number;
      colno?: number;
    };
  };
}

/** Reads a gzipped file of one JSON object a line. */
export async function readLines<T>(url: URL): Promise<T[]> {
  const file = await Deno.open(url);
  const stream = url.pathname.endsWith(".gz")
    ? file.readable.pipeThrough(new DecompressionStream("gzip"))
    : file.readable;
  const text = await new Response(stream).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

class Obj {}
class Decimal {
  constructor(readonly text: string) {}
}

/** Stands for what JavaScript has no `NaN`-proof text for. */
function parseFloatText(text: string): number {
  if (text === "nan") return NaN;
  if (text === "inf") return Infinity;
  return text === "-inf" ? -Infinity : Number(text);
}

/** A float as Brine has it: wrapped where a number would be an int. */
function makeFloat(text: string): number | Float {
  const value = parseFloatText(text);
  return Number.isInteger(value) ? new Float(value) : value;
}

function nested(kind: string, depth: number): unknown {
  let value: unknown = kind === "dict" ? {} : [];
  for (let i = 1; i < depth; i++) {
    value = kind === "dict" ? { a: value } : [value];
  }
  return value;
}

function special(name: string, node: Record<string, unknown>): unknown {
  const digits = (n: unknown): bigint => 10n ** BigInt(n as number);
  if (name.startsWith("circular_list")) {
    const list: unknown[] = [];
    list.push(list);
    return list;
  }
  if (name.startsWith("circular_dict")) {
    const dict: Record<string, unknown> = {};
    dict.a = dict;
    return dict;
  }
  if (name.startsWith("circular_mix")) {
    const list: unknown[] = [];
    list.push({ x: list });
    return list;
  }
  if (name.startsWith("shared")) {
    const list = [1];
    return [list, list, { k: list }];
  }
  if (name === "nested") {
    return nested(node.kind as string, node.depth as number);
  }
  if (name === "int 10**n") return digits(node.n);
  if (name === "{10**n: 1}") return new PyDict([[digits(node.n), 1]]);
  throw new Error(`unknown special value ${name}`);
}

/** Makes the value that a description describes. */
export function make(node: Described): unknown {
  if (node === null || typeof node !== "object") return node;
  const { t, v } = node;
  const items = (): unknown[] => (v as Described[]).map(make);
  switch (t) {
    case "int":
      return parseIntText(v as string, Infinity);
    case "float":
      return makeFloat(v as string);
    case "list":
      return items();
    case "tuple":
      return Tuple.from(items());
    case "set":
      return new PySet(items());
    case "frozenset":
      return new FrozenSet(items());
    case "bytes":
      return fromHex(v as string);
    case "complex":
      return new Complex(1, 2);
    case "decimal":
      return new Decimal(v as string);
    case "object":
      return new Obj();
    case "special":
      return special(v as string, node);
    case "dict": {
      const pairs = (v as [Described, Described][]).map((
        [key, value],
      ): [unknown, unknown] => [make(key), make(value)]);
      const plain = pairs.every(([key]) =>
        typeof key === "string" && !/^\d+$/.test(key)
      );
      if (!plain) return new PyDict(pairs);
      const object: Record<string, unknown> = {};
      for (const [key, value] of pairs) {
        Object.defineProperty(object, key as string, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return object;
    }
  }
  throw new Error(`unknown description ${t}`);
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Describes a value that `loads` gave. */
export function describe(value: unknown): Described {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") return { t: "int", v: `${value}` };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && !Object.is(value, -0)
      ? { t: "int", v: `${value}` }
      : { t: "float", v: floatRepr(value) };
  }
  if (value instanceof Float) return { t: "float", v: floatRepr(value.value) };
  if (value instanceof Decimal) return { t: "decimal", v: value.text };
  if (value instanceof Tuple) return { t: "tuple", v: value.map(describe) };
  if (Array.isArray(value)) return { t: "list", v: value.map(describe) };
  const entries = value instanceof Map
    ? [...value]
    : Object.entries(value as object);
  return {
    t: "dict",
    v: entries.map(([key, item]) => [describe(key), describe(item)]),
  };
}

/** As a description, but whole floats are ints and objects have no order. */
export function loosen(node: Described): unknown {
  if (node === null || typeof node !== "object") return node;
  if (node.t === "float") {
    const value = parseFloatText(node.v as string);
    return describe(value);
  }
  if (node.t === "dict") {
    const pairs = (node.v as [Described, Described][]).map((
      [key, value],
    ) => [JSON.stringify(key), loosen(value)]);
    return { t: "dict", v: Object.fromEntries(pairs) };
  }
  if (Array.isArray(node.v)) {
    return { t: node.t, v: node.v.map((item) => loosen(item)) };
  }
  return node;
}

function callable(name: string): (value: never) => unknown {
  switch (name) {
    case "typename":
      return typeName;
    case "sorted_list":
      return (set: Iterable<number>) => [...set].sort((a, b) => a - b);
    case "hex":
      return (bytes: Uint8Array) => ({
        __bytes__: Array.from(
          bytes,
          (byte) => byte.toString(16).padStart(2, "0"),
        ).join(""),
      });
    case "null":
      return () => null;
    case "identity":
      return (value) => value;
    case "wrap":
      return (value) => [value];
    case "new_object":
      return () => new Obj();
    case "raise":
      return (value) => {
        throw new RangeError(
          typeof value === "string"
            ? `constant: ${value}`
            : `refused: ${typeName(value)}`,
        );
      };
  }
  throw new Error(`unknown callable ${name}`);
}

export function dumpsOptions(options: Record<string, unknown>): DumpsOptions {
  const names: Record<string, keyof DumpsOptions> = {
    ensure_ascii: "ensureAscii",
    sort_keys: "sortKeys",
    skipkeys: "skipKeys",
    allow_nan: "allowNaN",
    check_circular: "checkCircular",
    indent: "indent",
    separators: "separators",
    default: "default",
  };
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    const key = names[name];
    if (key === undefined) throw new Error(`unknown option ${name}`);
    made[key] = key === "default" ? callable(value as string) : value;
  }
  return made;
}

/** Hooks take objects as Map or as plain objects. */
function entriesOf(value: object): [string, unknown][] {
  return value instanceof Map ? [...value] : Object.entries(value);
}

export function loadsOptions(
  options: Record<string, unknown>,
  own: { dicts: "auto" | "map" },
): LoadsOptions {
  // deno-lint-ignore no-explicit-any
  const hooks: Record<string, Record<string, (value: any) => unknown>> = {
    object_hook: {
      tag: (dict) => ({ tag: dict }),
      keys_list: (dict) => entriesOf(dict).map(([key]) => key),
      null: () => null,
    },
    object_pairs_hook: {
      pairs_list: (pairs: [string, unknown][]) =>
        pairs.map((pair) => Tuple.from(pair)),
      upper: (pairs: [string, unknown][]) =>
        new PyDict(pairs.map(([key, value]) => [key.toUpperCase(), value])),
      first_wins: (pairs: [string, unknown][]) =>
        new PyDict(pairs.toReversed()),
      reject_duplicates: (pairs: [string, unknown][]) => {
        const seen = new PyDict<string, unknown>();
        for (const [key, value] of pairs) {
          if (seen.has(key)) throw new RangeError(`duplicate key: ${key}`);
          seen.set(key, value);
        }
        return seen;
      },
      count: (pairs: unknown[]) => pairs.length,
    },
    parse_float: {
      str: (text) => text,
      null: () => null,
      decimal: (text) => new Decimal(text.replace("e", "E+")),
    },
    parse_int: {
      str: (text) => text,
      float: (text) => makeFloat(text),
      neg: (text) => {
        const value = -BigInt(text);
        return parseIntText(`${value}`, Infinity);
      },
    },
    parse_constant: {
      str: (text) => text,
      null: () => null,
      raise: (text) => {
        throw new RangeError(`constant: ${text}`);
      },
    },
  };
  const names: Record<string, keyof LoadsOptions> = {
    object_hook: "objectHook",
    object_pairs_hook: "objectPairsHook",
    parse_float: "parseFloat",
    parse_int: "parseInt",
    parse_constant: "parseConstant",
    strict: "strict",
  };
  const made: Record<string, unknown> = { ...own };
  for (const [name, value] of Object.entries(options)) {
    const key = names[name];
    if (key === undefined) throw new Error(`unknown option ${name}`);
    made[key] = hooks[name]?.[value as string] ?? value;
  }
  return made;
}

/** The few Python expressions that long inputs are given as. */
export function evaluate(expression: string): string {
  let text = "";
  for (const term of expression.split("+")) {
    const match = /^'(.*)'(?:\*(\d+))?$/s.exec(term);
    if (match === null) throw new Error(`unknown expression ${expression}`);
    text += match[1]!.replaceAll("\\n", "\n").repeat(Number(match[2] ?? 1));
  }
  return text;
}
