/**
 * Turns what Brine gives (with `floats: "exact"`, `dicts: "map"`) into the
 * description that tests/fixtures/pyd.py gives of the same value.
 *
 * Values of registered classes are described by how they are pickled, so that
 * this file knows Python's forms and none of the classes' fields.
 *
 * @module
 */

import { ByteArray } from "../../lib/python/byte_array.ts";
import { Complex } from "../../lib/python/complex.ts";
import { Ellipsis, NotImplemented } from "../../lib/python/constants.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
} from "../../lib/python/object.ts";
import { Range } from "../../lib/python/range.ts";
import { typeOf } from "../../lib/python/registry.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { Slice } from "../../lib/python/slice.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import type { Node } from "./fixtures.ts";
import { toHex } from "./hex.ts";

/** How a value is made, whichever JavaScript class it has. */
interface Form {
  callable: unknown;
  args: readonly unknown[];
  kwargs?: unknown;
  via: "new" | "reduce";
  state?: unknown;
  items?: readonly unknown[] | undefined;
  entries?: readonly (readonly [unknown, unknown])[] | undefined;
  setter?: unknown;
}

/** Describes values; one of it for each graph. */
export class Describer {
  #seen = new Map<object, Node>();
  #ids = 0;

  /**
   * Describes a value.
   *
   * @param value What Brine gave.
   * @returns Its node.
   */
  node(value: unknown): Node {
    const atom = this.#atom(value);
    if (atom !== undefined) return atom;
    const object = value as object;
    const seen = this.#seen.get(object);
    if (seen !== undefined) {
      if (seen.id === undefined) seen.id = this.#ids++;
      return { t: "ref", id: seen.id };
    }
    const node: Node = { t: "?" };
    this.#seen.set(object, node);
    this.#fill(node, object);
    return node;
  }

  #atom(value: unknown): Node | undefined {
    switch (typeof value) {
      case "boolean":
        return { t: "bool", v: value };
      case "number":
        return Number.isSafeInteger(value) && !Object.is(value, -0)
          ? { t: "int", v: String(value) }
          : float(value);
      case "bigint":
        // An int that is safe must be a number.
        return {
          t: Number.isSafeInteger(Number(value)) ? "small bigint" : "int",
          v: String(value),
        };
      case "string":
        return { t: "str", v: value };
      case "object":
        break;
      default:
        return { t: typeof value };
    }
    if (value === null) return { t: "none" };
    if (value instanceof Float) return float(value.value);
    if (value === Ellipsis) return { t: "ellipsis" };
    if (value === NotImplemented) return { t: "notimplemented" };
    if (value instanceof Complex) {
      return { t: "complex", re: float(value.real), im: float(value.imag) };
    }
    if (value instanceof Global) {
      return { t: "global", m: value.module, n: value.name };
    }
    if (value instanceof Tuple && value.length === 0) {
      return { t: "tuple", v: [] };
    }
    if (Object.getPrototypeOf(value) === Uint8Array.prototype) {
      return { t: "bytes", hex: toHex(value as Uint8Array) };
    }
    if (value instanceof PyObject && value.via === "reduce") {
      return this.#named(value);
    }
    return undefined;
  }

  /** `getattr(Class, "name")` and `type(None)` are names too. */
  #named(value: PyObject): Node | undefined {
    if (!(value.class instanceof Global)) return undefined;
    const [first, second] = value.args;
    const name = String(value.class);
    if (name === "builtins.getattr" && typeof second === "string") {
      const owner = first instanceof Global || first instanceof PyObject
        ? this.#atom(first)
        : undefined;
      if (owner?.t === "global") {
        return { t: "global", m: owner.m, n: `${owner.n}.${second}` };
      }
    }
    if (name === "builtins.type" && value.args.length === 1) {
      const n = first === null
        ? "NoneType"
        : first === Ellipsis
        ? "ellipsis"
        : first === NotImplemented
        ? "NotImplementedType"
        : undefined;
      if (n !== undefined) return { t: "global", m: "builtins", n };
    }
    return undefined;
  }

  #many(values: Iterable<unknown>): Node[] {
    return Array.from(values, (value) => this.node(value));
  }

  #pairs(entries: Iterable<readonly [unknown, unknown]>): [Node, Node][] {
    return Array.from(
      entries,
      ([key, value]) => [this.node(key), this.node(value)],
    );
  }

  #unordered(values: Iterable<unknown>): Node[] {
    const keyed = Array.from(values, (value) => ({ value, key: "" }));
    if (keyed.length > 1) {
      for (const item of keyed) item.key = canonical(describe(item.value));
      keyed.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
    }
    return keyed.map(({ value }) => this.node(value));
  }

  #fill(node: Node, value: object): void {
    const prototype = Object.getPrototypeOf(value);
    if (value instanceof Tuple) {
      node.t = "tuple";
      node.v = this.#many(value);
    } else if (prototype === Array.prototype) {
      node.t = "list";
      node.v = this.#many(value as unknown[]);
    } else if (value instanceof FrozenSet) {
      node.t = "frozenset";
      node.v = this.#unordered(value);
    } else if (value instanceof PySet) {
      node.t = "set";
      node.v = this.#unordered(value);
    } else if (value instanceof Map && typeOf(value) === undefined) {
      node.t = "dict";
      node.v = this.#pairs(value);
    } else if (prototype === Object.prototype) {
      node.t = "dict";
      node.v = this.#pairs(Object.entries(value));
    } else if (value instanceof ByteArray) {
      node.t = "bytearray";
      node.hex = toHex(value);
    } else if (value instanceof Range) {
      node.t = "range";
      node.start = String(value.start);
      node.stop = String(value.stop);
      node.step = String(value.step);
    } else if (value instanceof Slice) {
      node.t = "slice";
      node.start = this.node(value.start);
      node.stop = this.node(value.stop);
      node.step = this.node(value.step);
    } else if (value instanceof PersistentId) {
      node.t = "persistent";
      node.pid = this.node(value.id);
    } else if (value instanceof Extension) {
      node.t = "extension";
      node.code = value.code;
    } else {
      this.#call(node, formOf(value));
    }
  }

  #call(node: Node, form: Form): void {
    const { callable, args, via } = form;
    const name = callable instanceof Global ? String(callable) : "";
    const typed = TYPED.get(name);
    if (typed !== undefined) {
      const found = typed(form, this);
      if (found !== undefined) {
        Object.assign(node, found);
        return;
      }
    }
    node.t = via === "new" ? "object" : "reduce";
    node[via === "new" ? "cls" : "func"] = this.node(callable);
    node.args = args instanceof Tuple
      ? this.node(args)
      : { t: "tuple", v: this.#many(args) };
    if (form.kwargs !== undefined) {
      const kwargs = this.node(form.kwargs);
      if (kwargs.v?.length !== 0) node.kwargs = kwargs;
    }
    if (form.items !== undefined && form.items.length > 0) {
      node.items = this.#many(form.items);
    }
    if (form.entries !== undefined && form.entries.length > 0) {
      node.pairs = this.#pairs(form.entries);
    }
    if (form.state !== undefined) node.state = this.node(form.state);
    if (form.setter !== undefined) node.setter = this.node(form.setter);
  }
}

/**
 * Describes one value.
 *
 * @param value What Brine gave.
 * @returns Its node.
 */
export function describe(value: unknown): Node {
  return new Describer().node(value);
}

const view = new DataView(new ArrayBuffer(8));

function float(value: number): Node {
  // JavaScript does not keep a NaN's other bits.
  view.setFloat64(0, value === value ? value : NaN);
  return { t: "float", bits: toHex(new Uint8Array(view.buffer)) };
}

/** What several BUILDs come to, where each is given a dict. */
function merge(states: unknown[]): unknown {
  const merged = new PyDict();
  for (const state of states) {
    if (!(state instanceof PyDict)) return states;
    for (const [key, value] of state) merged.set(key, value);
  }
  return merged;
}

/**
 * Protocols 2 and 3 write NEWOBJ_EX as
 * `partial(cls.__new__, cls, *args, **kwargs)()`.
 */
function partialNew(value: PyObject): Form | undefined {
  const maker = value.class;
  if (!(maker instanceof PyObject) || value.args.length > 0) return undefined;
  if (String(maker.class) !== "functools.partial") return undefined;
  if (!(maker.state instanceof Tuple) || maker.state.length < 3) {
    return undefined;
  }
  const [func, args, kwargs] = maker.state;
  const node = describe(func);
  if (node.t !== "global" || !node.n.endsWith(".__new__")) return undefined;
  const [callable, ...rest] = args as Tuple;
  return { ...partsOf(value), callable, args: rest, kwargs, via: "new" };
}

function partsOf(value: PyObject): Partial<Form> {
  return {
    state: value.moreStates === undefined
      ? value.state
      : merge([value.state, ...value.moreStates]),
    items: value.items,
    entries: value.entries,
    setter: value.stateSetter,
  };
}

function formOf(value: object): Form {
  if (value instanceof PyObject) {
    return partialNew(value) ?? {
      callable: value.class,
      args: value.args,
      kwargs: value.kwargs,
      // Without arguments INST and OBJ do not call the class.
      via: value.via === "classic"
        ? value.args.length === 0 ? "new" : "reduce"
        : value.via,
      ...partsOf(value),
    };
  }
  const type = typeOf(value);
  if (type?.reduce === undefined) {
    throw new TypeError(
      `no way to describe ${value.constructor?.name ?? "an object"}`,
    );
  }
  const reduced = type.reduce(value, { protocol: 4 });
  const { state = attributesOf(value) } = reduced;
  return {
    callable: reduced.callable,
    args: reduced.args,
    kwargs: reduced.kwargs,
    via: reduced.via ?? "reduce",
    state,
    items: reduced.items && [...reduced.items],
    entries: reduced.entries && [...reduced.entries],
  };
}

type Typed = (form: Form, describer: Describer) => Node | undefined;

function field(state: unknown, name: string): unknown {
  if (state instanceof Map) return state.get(name);
  return (state as Record<string, unknown> | undefined)?.[name];
}

function whole(value: unknown): string {
  return String(value instanceof Float ? value.value : value);
}

function fraction({ args }: Form): Node {
  const [num, den = 1] = args.length === 1 && typeof args[0] === "string"
    ? args[0].split("/")
    : args;
  return { t: "fraction", num: whole(num), den: whole(den) };
}

function ipv6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const words = (part: string | undefined) =>
    part ? part.split(":").map((word) => BigInt(`0x${word}`)) : [];
  const before = words(head);
  const after = words(tail);
  const all = [
    ...before,
    ...Array(8 - before.length - after.length).fill(0n),
    ...after,
  ];
  return all.reduce((sum: bigint, word: bigint) => (sum << 16n) | word, 0n);
}

function ipAddress(version: number): Typed {
  return ({ args: [address] }) => {
    if (typeof address !== "string") {
      return { t: "ipaddress", version, v: whole(address) };
    }
    const v = version === 6
      ? ipv6(address)
      : address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    return { t: "ipaddress", version, v: String(v) };
  };
}

function path(name: string): Typed {
  return ({ args }) => {
    const separator = name.includes("Windows") ? "\\" : "/";
    const parts = args.map(String).filter((part) => part !== "");
    let v = parts.join(separator);
    // The first part may be a root that ends with the separator itself.
    if (parts.length > 1 && parts[0]!.endsWith(separator)) {
      v = parts[0] + parts.slice(1).join(separator);
    }
    return { t: "path", cls: name, v: v === "" ? "." : v };
  };
}

const FORMATS: [
  size: number,
  kind: "int" | "uint" | "float" | "utf",
  big: boolean,
][] = [
  [1, "uint", false],
  [1, "int", false],
  [2, "uint", false],
  [2, "uint", true],
  [2, "int", false],
  [2, "int", true],
  [4, "uint", false],
  [4, "uint", true],
  [4, "int", false],
  [4, "int", true],
  [8, "uint", false],
  [8, "uint", true],
  [8, "int", false],
  [8, "int", true],
  [4, "float", false],
  [4, "float", true],
  [8, "float", false],
  [8, "float", true],
  [2, "utf", false],
  [2, "utf", true],
  [4, "utf", false],
  [4, "utf", true],
];

function arrayItem(typecode: string, value: unknown): string {
  if ("fd".includes(typecode)) {
    return float(value instanceof Float ? value.value : Number(value)).bits;
  }
  return whole(value);
}

/** `array(typecode, list)`, or text or bytes in its place. */
function array({ args: [typecode, items] }: Form): Node | undefined {
  const code = String(typecode);
  if (typeof items === "string") {
    const v = Array.from(items, (c) => String(c.codePointAt(0)));
    return { t: "array", typecode: code, v };
  }
  if (items instanceof Uint8Array) {
    return { t: "array", typecode: code, v: Array.from(items, String) };
  }
  if (!Array.isArray(items)) {
    return items === undefined
      ? { t: "array", typecode: code, v: [] }
      : undefined;
  }
  const v = items.map((item) =>
    typeof item === "string"
      ? String(item.codePointAt(0))
      : arrayItem(code, item)
  );
  return { t: "array", typecode: code, v };
}

/** `_array_reconstructor(array, typecode, format, bytes)`. */
function machineArray({ args }: Form): Node | undefined {
  const [, typecode, format, bytes] = args;
  const known = FORMATS[Number(format)];
  if (known === undefined || !(bytes instanceof Uint8Array)) return undefined;
  const [size, kind, big] = known;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const v: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    if (kind === "float") {
      v.push(
        float(
          size === 4 ? data.getFloat32(at, !big) : data.getFloat64(at, !big),
        )
          .bits,
      );
      continue;
    }
    let bits = 0n;
    for (let i = 0; i < size; i++) {
      bits |= BigInt(bytes[at + i]!) << BigInt(8 * (big ? size - 1 - i : i));
    }
    v.push(String(kind === "int" ? BigInt.asIntN(8 * size, bits) : bits));
  }
  return { t: "array", typecode: String(typecode), v };
}

function orderedDict(form: Form, describer: Describer): Node | undefined {
  const [items] = form.args;
  const pairs = Array.isArray(items)
    ? items as [unknown, unknown][]
    : form.entries ?? [];
  const node: Node = {
    t: "ordereddict",
    v: pairs.map((
      [key, value],
    ) => [describer.node(key), describer.node(value)]),
  };
  if (form.state !== undefined) node.state = describer.node(form.state);
  return node;
}

function deque(form: Form, describer: Describer): Node {
  const [items, maxlen = null] = form.args;
  const all = [...(items as unknown[] ?? []), ...form.items ?? []];
  return {
    t: "deque",
    maxlen: describer.node(maxlen),
    v: all.map((item) => describer.node(item)),
  };
}

const TYPED = new Map<string, Typed>([
  ["fractions.Fraction", fraction],
  ["uuid.UUID", ({ state }) => ({ t: "uuid", v: whole(field(state, "int")) })],
  ["ipaddress.IPv4Address", ipAddress(4)],
  ["ipaddress.IPv6Address", ipAddress(6)],
  ["array.array", array],
  ["array._array_reconstructor", machineArray],
  ["collections.OrderedDict", orderedDict],
  ["collections.deque", deque],
  // As CPython's tests call them.
  [
    "builtins.int",
    ({ args }) => args.length === 0 ? { t: "int", v: "0" } : undefined,
  ],
  [
    "builtins.str",
    ({ args: [text] }) =>
      typeof text === "string" ? { t: "str", v: text } : undefined,
  ],
]);
for (const kind of ["Path", "PosixPath", "WindowsPath"]) {
  for (
    const name of kind === "Path" ? ["Path", "PurePath"] : [kind, `Pure${kind}`]
  ) {
    TYPED.set(`pathlib.${name}`, path(name));
    TYPED.set(`pathlib._local.${name}`, path(name));
  }
}

/**
 * The order of sets in a description: as pyd.py's `canonical(settled(node))`.
 *
 * @param node A node without sharing.
 * @returns One line of ASCII.
 */
export function canonical(node: Node): string {
  return JSON.stringify(settle(node)).replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function settle(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(settle);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value).sort().map((key) => [key, settle((value as Node)[key])]),
  );
}
