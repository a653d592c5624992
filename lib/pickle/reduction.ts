/**
 * How objects that are no containers of Python's are written: as a call, and
 * what follows it. `save_reduce` of CPython's `Modules/_pickle.c`, and
 * `Lib/copyreg.py` for protocols 0 and 1.
 *
 * @module
 */

import { Ellipsis, NotImplemented } from "../python/constants.ts";
import { Float } from "../python/float.ts";
import { Global, PyObject, type Via } from "../python/object.ts";
import { Tuple } from "../python/tuple.ts";

const REDUCE = 0x52;
const INST = 0x69;
const OBJ = 0x6f;
const NEWOBJ = 0x81;
const NEWOBJ_EX = 0x92;

/** How an object is written: `save_reduce` of `_pickle.c`. */
export interface Plan {
  /** REDUCE, NEWOBJ or NEWOBJ_EX. */
  op: number;
  callable: unknown;
  args: readonly unknown[];
  /** Whether Python makes the tuple of arguments anew each time. */
  fresh: boolean;
  /** Whether the call must not be asked for again while it is written. */
  keep: boolean;
  kwargs: unknown;
  items: unknown[] | undefined;
  /** Keys and values in turn. */
  entries: unknown[] | undefined;
  states: unknown[];
  /** Which state comes next. */
  state: number;
  setter: unknown;
  /** Number of the object in the memo, once it is there. */
  id: number;
}

/** The parts of an object, whoever names them. */
export interface Parts {
  callable: unknown;
  args: readonly unknown[];
  kwargs?: unknown;
  via?: Via | undefined;
  items?: Iterable<unknown> | undefined;
  entries?: Iterable<readonly [unknown, unknown]> | undefined;
  states: unknown[];
  setter?: unknown;
  keep?: boolean;
  /** The class of Python's that `copyreg._reconstructor` was given. */
  base?: Global | undefined;
}

/**
 * What Python makes anew for each object it writes: it takes a number of the
 * memo, and is never met again.
 */
export class FreshItems {
  /** Keys and values in turn for a dict. */
  readonly items: unknown[];
  readonly isDict: boolean;
  constructor(items: unknown[], isDict: boolean = false) {
    this.items = items;
    this.isDict = isDict;
  }
}

/** As {@linkcode FreshItems}, for bytes. */
export class FreshBytes {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** As {@linkcode FreshItems}, for a text. */
export class FreshText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const OBJECT = new Global("builtins", "object");
const LIST_CLASS = new Global("builtins", "list");
const DICT_CLASS = new Global("builtins", "dict");
/** Python's set. */
export const SET_CLASS: Global = new Global("builtins", "set");
/** Python's frozenset. */
export const FROZENSET_CLASS: Global = new Global("builtins", "frozenset");
/** Python's bytes. */
export const BYTES_CLASS: Global = new Global("builtins", "bytes");
/** Python's bytearray. */
export const BYTEARRAY_CLASS: Global = new Global("builtins", "bytearray");
/** What makes bytes of text in protocols 0 to 2. */
export const ENCODE: Global = new Global("_codecs", "encode");
/** What finds nested names in protocols 0 to 3. */
export const GETATTR: Global = new Global("builtins", "getattr");
const PARTIAL = new Global("functools", "partial");
const RECONSTRUCTOR = new Global("copyreg", "_reconstructor");
const NEW = new Global("copyreg", "__newobj__");
/** Python's type. */
export const TYPE: Global = new Global("builtins", "type");

/** Types that have no name in Python: `type(None)`. */
export const SINGLE_TYPES: ReadonlyMap<string, { instance: unknown }> = new Map(
  [
    ["NoneType", { instance: null }],
    ["ellipsis", { instance: Ellipsis }],
    ["NotImplementedType", { instance: NotImplemented }],
  ],
);

/** No arguments. */
export const NO_ARGS: Tuple = new Tuple();
/** No states. */
export const NO_STATES: unknown[] = [];

/**
 * Says how an object of given parts is written.
 *
 * @param parts Its parts.
 * @param protocol The protocol.
 * @returns The plan.
 */
export function makePlan(parts: Parts, protocol: number): Plan {
  const { callable, args, kwargs, via, states } = parts;
  const plan: Plan = {
    op: REDUCE,
    callable,
    args: via === "new" || args instanceof Tuple ? args : Tuple.from(args),
    fresh: via === "new" || !(args instanceof Tuple),
    keep: parts.keep ?? false,
    kwargs,
    items: parts.items === undefined
      ? undefined
      : Array.isArray(parts.items)
      ? parts.items
      : Array.from(parts.items),
    entries: parts.entries === undefined ? undefined : flatten(parts.entries),
    states,
    state: 0,
    setter: parts.setter,
    id: -1,
  };
  if (via === "classic") {
    plan.op = protocol === 0 && callable instanceof Global &&
        !callable.name.includes(".")
      ? INST
      : OBJ;
  }
  if (via !== "new") return plan;
  if (kwargs !== undefined && kwargs !== null) {
    if (protocol >= 4) {
      plan.op = NEWOBJ_EX;
    } else {
      plan.callable = partialNew(callable, plan.args, kwargs);
      plan.args = NO_ARGS;
    }
  } else if (parts.base !== undefined && needsBase(parts, protocol)) {
    // What arguments the class itself takes nobody knows.
    const isBytes = args[0] instanceof Uint8Array;
    // Python 2's str.
    const base = isBytes ? BYTES_CLASS : parts.base;
    reconstruct(plan, base, {
      protocol,
      content: args.length === 0 ? null : args[0],
    });
  } else if (protocol >= 2) {
    plan.op = NEWOBJ;
  } else if (args.length > 0) {
    plan.callable = NEW;
    plan.args = [callable, ...args];
  } else if (plan.items !== undefined && plan.entries === undefined) {
    reconstruct(plan, LIST_CLASS, { protocol });
  } else if (plan.entries !== undefined && plan.items === undefined) {
    reconstruct(plan, DICT_CLASS, { protocol });
  } else if (states.length > 0 && !isFalse(states[0])) {
    reconstruct(plan, OBJECT, { protocol });
  } else {
    // It may be an empty list of somebody's, whose base is not known.
    plan.callable = NEW;
    plan.args = [callable];
  }
  return plan;
}

/** Whether a value that came by way of a base must go that way again. */
function needsBase(
  { args, base, entries, states }: Parts,
  protocol: number,
): boolean {
  if (protocol < 2) return true;
  // Some set no key before they have a state: scipy's dok_matrix.
  if (entries !== undefined && states.length > 0) return true;
  return args.length === 1 && base!.name !== "int" && base!.name !== "float";
}

/** `copyreg._reduce_ex`: protocols 0 and 1. */
function reconstruct(
  plan: Plan,
  base: Global,
  { protocol, content = null }: { protocol: number; content?: unknown },
): void {
  if (base.name === "list") {
    content = new FreshItems(plan.items ?? []);
    plan.items = undefined;
  } else if (base.name === "dict") {
    content = new FreshItems(plan.entries ?? [], true);
    plan.entries = undefined;
  }
  plan.args = [plan.callable, base, content];
  plan.callable = RECONSTRUCTOR;
  if (protocol > 1) return;
  // A state that Python counts as false is left out there.
  if (plan.states.length === 1 && isFalse(plan.states[0])) {
    plan.states = NO_STATES;
  }
}

/**
 * Lays entries out flat.
 *
 * @param entries Pairs.
 * @returns Keys and values in turn.
 */
export function flatten(
  entries: Iterable<readonly [unknown, unknown]>,
): unknown[] {
  const flat: unknown[] = [];
  for (const [key, value] of entries) flat.push(key, value);
  return flat;
}

/**
 * A plain call.
 *
 * @param callable What is called.
 * @param args Its arguments, in a tuple of their own.
 * @returns The plan.
 */
export function callOf(callable: Global, args: unknown[]): Plan {
  return {
    op: REDUCE,
    callable,
    args,
    fresh: true,
    keep: false,
    kwargs: undefined,
    items: undefined,
    entries: undefined,
    states: NO_STATES,
    state: 0,
    setter: undefined,
    id: -1,
  };
}

/** `functools.partial(cls.__new__, cls, *args, **kwargs)`. */
function partialNew(
  cls: unknown,
  args: readonly unknown[],
  kwargs: unknown,
): PyObject {
  const method = cls instanceof Global
    ? new Global(cls.module, `${cls.name}.__new__`)
    : new PyObject(GETATTR, [cls, "__new__"], { via: "reduce" });
  return new PyObject(PARTIAL, [method], {
    via: "reduce",
    state: Tuple.of<unknown>(
      method,
      Tuple.from([cls, ...args]),
      kwargs,
      null,
    ),
  });
}

/**
 * Whether a callable is numpy's that takes a PickleBuffer.
 *
 * @param callable Anything.
 * @returns Whether it is.
 */
export function isFromBuffer(callable: unknown): boolean {
  return callable instanceof Global && callable.name === "_frombuffer" &&
    /^numpy\._?core\.numeric$/.test(callable.module);
}

/** Whether Python counts a state as false. */
function isFalse(state: unknown): boolean {
  if (!isObject(state)) return !state;
  if (Array.isArray(state)) return state.length === 0;
  if (state instanceof Map || state instanceof Set) return state.size === 0;
  if (state instanceof Uint8Array) return state.length === 0;
  if (state instanceof Float) return state.value === 0;
  const prototype = Object.getPrototypeOf(state);
  return (prototype === Object.prototype || prototype === null) &&
    Object.keys(state).length === 0;
}

/**
 * Bytes as text, each the code point of its number.
 *
 * @param bytes Any bytes.
 * @returns The text.
 */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}

/**
 * Whether a value is an object.
 *
 * @param value Anything.
 * @returns Whether it is one.
 */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
