/**
 * Python's `collections`, and what else holds values: `SimpleNamespace`.
 *
 * @module
 */

import {
  attributesIn,
  entriesOf,
  isIntWithin,
  itemsOf,
  stateOf,
} from "./arguments.ts";
import { PyDict } from "./dict.ts";
import { setListItems } from "./items.ts";
import { setKeyKind } from "./keys.ts";
import { attributesOf, Global } from "./object.ts";
import { type PyType, type Reduced, register } from "./registry.ts";
import { Tuple } from "./tuple.ts";

/**
 * A Python `OrderedDict`: a {@linkcode PyDict} that is written back as one.
 *
 * @typeParam K What the keys are.
 * @typeParam V What the values are.
 *
 * @example Keep the order of integer-like keys
 * ```ts
 * import { OrderedDict, pickle } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new OrderedDict([["2", 1], ["1", 2]])));
 * assertInstanceOf(back, OrderedDict);
 * assertEquals([...back.keys()], ["2", "1"]);
 * ```
 */
export class OrderedDict<K = unknown, V = unknown> extends PyDict<K, V> {}

/**
 * A Python `defaultdict`: a {@linkcode PyDict} and the name of what makes its
 * missing values. Here nothing is made: `get` gives undefined.
 *
 * @typeParam K What the keys are.
 * @typeParam V What the values are.
 *
 * @example Write one
 * ```ts
 * import { DefaultDict, Global, pickle } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const dict = new DefaultDict(new Global("builtins", "list"), [["a", [1]]]);
 * const back = pickle.loads(pickle.dumps(dict));
 * assertInstanceOf(back, DefaultDict);
 * assertEquals(String(back.defaultFactory), "builtins.list");
 * ```
 */
export class DefaultDict<K = unknown, V = unknown> extends PyDict<K, V> {
  /** What makes missing values: a {@linkcode Global} mostly, or null. */
  defaultFactory: unknown;

  /**
   * Makes one.
   *
   * @param defaultFactory What makes missing values in Python.
   * @param entries What it holds.
   */
  constructor(
    defaultFactory: unknown = null,
    entries?: Iterable<readonly [K, V]> | null,
  ) {
    super(entries);
    this.defaultFactory = defaultFactory;
  }
}

/**
 * A Python `Counter`: a {@linkcode PyDict} of how often each key was met.
 *
 * @typeParam K What was counted.
 *
 * @example Write one
 * ```ts
 * import { Counter, pickle } from "@brine/brine";
 * import { assertInstanceOf } from "@std/assert";
 *
 * const bytes = pickle.dumps(new Counter([["a", 3], ["b", 1]]));
 * assertInstanceOf(pickle.loads(bytes), Counter);
 * ```
 */
export class Counter<K = unknown> extends PyDict<K, number | bigint> {}

/**
 * A Python `deque`: an array, and how long it may become.
 *
 * @typeParam T What it holds.
 *
 * @example Make one
 * ```ts
 * import { Deque } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const deque = new Deque<number>();
 * deque.push(1, 2, 3);
 * deque.maxlen = 3;
 * assertEquals([...deque], [1, 2, 3]);
 * ```
 */
export class Deque<T = unknown> extends Array<T> {
  #maxlen: number | null = null;

  /** How long Python lets it become, or null. Nothing here drops items. */
  get maxlen(): number | null {
    return this.#maxlen;
  }

  set maxlen(value: number | null) {
    this.#maxlen = value;
  }

  /** `map`, `filter` and `slice` give ordinary arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/**
 * A Python `ChainMap`: dicts, of which the first that has a key wins.
 *
 * @example See it in plain JSON
 * ```ts
 * import { ChainMap, json } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const chain = new ChainMap([{ a: 1 }, { a: 2, b: 3 }]);
 * assertEquals(json.dumps(chain, { types: "plain" }), '{"a": 1, "b": 3}');
 * ```
 */
export class ChainMap {
  /** The dicts, the first first. */
  maps: unknown[];

  /**
   * Makes one.
   *
   * @param maps The dicts, the first first.
   */
  constructor(maps: unknown[] = []) {
    this.maps = maps;
  }
}

/**
 * A Python `SimpleNamespace`: attributes and nothing else.
 *
 * @example Write one
 * ```ts
 * import { pickle, SimpleNamespace } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new SimpleNamespace({ a: 1 })));
 * assertEquals((back as SimpleNamespace).attributes, { a: 1 });
 * ```
 */
export class SimpleNamespace {
  /** A plain object or a {@linkcode PyDict} of its attributes. */
  attributes: unknown;

  /**
   * Makes one.
   *
   * @param attributes A plain object or a {@linkcode PyDict}.
   */
  constructor(attributes: unknown = {}) {
    this.attributes = attributes;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The attributes.
   */
  toJSON(): unknown {
    return this.attributes;
  }
}

/** What `UserDict`, `UserList` and `UserString` are: a value in a wrapping. */
export class Wrapped {
  /** What it wraps. */
  data: unknown;

  /**
   * Makes one.
   *
   * @param data What it wraps.
   */
  constructor(data: unknown) {
    this.data = data;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns What it wraps.
   */
  toJSON(): unknown {
    return this.data;
  }
}

/** A Python `UserDict`; its `data` is a plain object or a PyDict. */
export class UserDict extends Wrapped {}

/** A Python `UserList`; its `data` is an array. */
export class UserList extends Wrapped {}

/** A Python `UserString`; its `data` is a string. */
export class UserString extends Wrapped {}

setKeyKind(Deque.prototype, { kind: "unhashable", type: "collections.deque" });
setKeyKind(ChainMap.prototype, { kind: "unhashable", type: "ChainMap" });
setKeyKind(UserDict.prototype, { kind: "unhashable", type: "UserDict" });
setKeyKind(UserList.prototype, { kind: "unhashable", type: "UserList" });
setKeyKind(SimpleNamespace.prototype, {
  kind: "unhashable",
  type: "types.SimpleNamespace",
});

function collection(name: string): Global {
  return new Global("collections", name);
}

/** Attributes that BUILD gave, if any. */
function stateFrom(value: object): { state?: unknown } {
  const state = attributesOf(value);
  return state === undefined ? {} : { state };
}

/** Fills a dict of what `dict(x)` would take: a dict, or a list of pairs. */
function fill(dict: PyDict, source: unknown): boolean {
  const entries = entriesOf(source);
  if (entries !== undefined) {
    for (const [key, value] of entries) dict.set(key, value);
    return true;
  }
  const items = itemsOf(source);
  if (items === undefined) return false;
  for (const item of items) {
    if (!Array.isArray(item) || item.length !== 2) return false;
  }
  for (const [key, value] of items as [unknown, unknown][]) {
    dict.set(key, value);
  }
  return true;
}

/** `UserDict` and `ChainMap` hand on to a dict of theirs. */
function setIn(dict: unknown, entries: readonly unknown[]): boolean {
  if (!(dict instanceof PyDict)) return false;
  dict.addFlat(entries);
  return true;
}

const addFlat = (dict: PyDict, entries: readonly unknown[]): void =>
  dict.addFlat(entries);

/** Beyond CPython's `Py_ssize_t` it is no length. */
const LENGTHS = [0, Number.MAX_SAFE_INTEGER] as const;

function makeDeque(args: readonly unknown[]): Deque | undefined {
  const [source = [], maxlen = null] = args;
  const items = itemsOf(source);
  if (args.length > 2 || items === undefined) return undefined;
  const deque = new Deque();
  if (maxlen !== null) {
    if (!isIntWithin(maxlen, LENGTHS)) return undefined;
    deque.maxlen = maxlen;
  }
  appendToDeque(deque, items);
  return deque;
}

/** A longer deque drops nothing: that would cost its length for each item. */
const MOST_DROPPING = 10_000;

function appendToDeque(deque: Deque, items: readonly unknown[]): void {
  // Python drops from the left what is too much. No pickle of Python's has too
  // much; of what is kept here beyond that, it drops the same when it loads it.
  const room = deque.maxlen !== null && deque.maxlen <= MOST_DROPPING
    ? deque.maxlen
    : Infinity;
  const skip = Math.max(0, items.length - room);
  const excess = deque.length + items.length - skip - room;
  if (excess > 0) deque.splice(0, excess);
  for (let i = skip; i < items.length; i++) deque.push(items[i]);
}

/** A class whose instances have one attribute that counts. */
function wrapper(
  name: string,
  options: {
    class: new (data: unknown) => Wrapped;
    initial: () => unknown;
    accepts: (data: unknown) => boolean;
    append?: (data: unknown, items: readonly unknown[]) => boolean;
    setItems?: (data: unknown, entries: readonly unknown[]) => boolean;
  },
): PyType<Wrapped> {
  const { class: cls, initial, accepts, append, setItems } = options;
  const callable = collection(name);
  const isString = name === "UserString";
  return {
    names: [
      `collections.${name}`,
      `UserDict.${name}`,
      `UserDict.Iterable${name}`,
      `UserList.${name}`,
      `UserString.${name}`,
    ],
    make: (args) =>
      args.length === 0 || isString && args.length === 1 &&
          typeof args[0] === "string"
        ? new cls(args.length === 0 ? initial() : args[0])
        : undefined,
    build: (value, state) => {
      const attributes = attributesIn(state);
      const data = attributes?.get("data");
      if (attributes?.size !== 1 || !accepts(data)) return false;
      value.data = data;
      return true;
    },
    ...(append && {
      append: (value: Wrapped, items: readonly unknown[]) =>
        append(value.data, items),
    }),
    ...(setItems && {
      setItems: (value: Wrapped, entries: readonly unknown[]) =>
        setItems(value.data, entries),
    }),
    class: cls,
    reduce: (value, { protocol }) => ({
      callable,
      // Protocols 0 and 1 do not ask for __getnewargs__.
      args: isString && protocol >= 2 ? [value.data] : [],
      via: "new",
      state: attributesOf(value) ?? stateOf([["data", value.data]]),
    }),
    toPlain: (value) => value.data,
  };
}

register(
  {
    // Python 2 and PyPy have their own homes for some of these.
    names: ["collections.OrderedDict", "_collections.OrderedDict"],
    make: (args) => {
      const dict = new OrderedDict();
      if (args.length > 1) return undefined;
      return args.length === 0 || fill(dict, args[0]) ? dict : undefined;
    },
    setItems: addFlat,
    class: OrderedDict,
    reduce: (dict: OrderedDict) => ({
      callable: collection("OrderedDict"),
      args: [],
      entries: dict,
      ...stateFrom(dict),
    }),
  },
  {
    names: ["collections.defaultdict", "_collections.defaultdict"],
    make: (args) => {
      if (args.length > 2) return undefined;
      const [factory = null, source] = args;
      const dict = new DefaultDict(factory);
      return args.length < 2 || fill(dict, source) ? dict : undefined;
    },
    setItems: addFlat,
    class: DefaultDict,
    reduce: (dict: DefaultDict) => ({
      callable: collection("defaultdict"),
      args: dict.defaultFactory === null ? [] : [dict.defaultFactory],
      entries: dict,
      ...stateFrom(dict),
    }),
  },
  {
    names: ["collections.Counter"],
    make: (args) => {
      if (args.length === 0) return new Counter();
      const entries = entriesOf(args[0]);
      if (args.length > 1 || entries === undefined) return undefined;
      return new Counter(entries as [unknown, number][]);
    },
    setItems: addFlat,
    class: Counter,
    reduce: (counter: Counter): Reduced => ({
      callable: collection("Counter"),
      args: [new PyDict<unknown, unknown>(counter)],
      ...stateFrom(counter),
    }),
  },
  {
    names: ["collections.deque", "_collections.deque"],
    make: makeDeque,
    append: appendToDeque,
    setItems: setListItems,
    class: Deque,
    reduce: (deque: Deque) => ({
      callable: collection("deque"),
      args: deque.maxlen === null ? [] : [new Tuple(), deque.maxlen],
      items: deque,
      ...stateFrom(deque),
    }),
    toPlain: (deque: Deque) => Array.from(deque),
  },
  {
    names: ["collections.ChainMap"],
    make: (args) =>
      args.length === 0
        ? new ChainMap()
        : args.every((map) => entriesOf(map) !== undefined)
        ? new ChainMap([...args])
        : undefined,
    build: (value: ChainMap, state) => {
      const attributes = attributesIn(state);
      const maps = attributes?.get("maps");
      if (attributes?.size !== 1 || !Array.isArray(maps)) return false;
      value.maps = maps;
      return true;
    },
    setItems: (value: ChainMap, entries) => {
      if (value.maps.length === 0) value.maps.push(new PyDict());
      return setIn(value.maps[0], entries);
    },
    class: ChainMap,
    reduce: (value: ChainMap) => ({
      callable: collection("ChainMap"),
      args: [],
      via: "new",
      state: attributesOf(value) ?? stateOf([["maps", value.maps]]),
    }),
    toPlain: (value: ChainMap) => {
      const all = new PyDict();
      for (let i = value.maps.length - 1; i >= 0; i--) fill(all, value.maps[i]);
      return all;
    },
  },
  wrapper("UserDict", {
    class: UserDict,
    initial: () => new PyDict(),
    accepts: (data) => entriesOf(data) !== undefined,
    setItems: setIn,
  }),
  wrapper("UserList", {
    class: UserList,
    initial: () => [],
    accepts: Array.isArray,
    append: (data, items) => {
      if (!Array.isArray(data)) return false;
      for (const item of items) data.push(item);
      return true;
    },
    setItems: (data, entries) =>
      Array.isArray(data) && setListItems(data, entries),
  }),
  wrapper("UserString", {
    class: UserString,
    initial: () => "",
    accepts: (data) => typeof data === "string",
  }),
  {
    names: ["types.SimpleNamespace"],
    make: (args) => {
      // From 3.13 on it takes a dict or pairs.
      if (args.length === 0) return new SimpleNamespace(new PyDict());
      return args.length === 1 && attributesIn(args[0]) !== undefined
        ? new SimpleNamespace(args[0])
        : undefined;
    },
    build: (value: SimpleNamespace, state) => {
      if (attributesIn(state) === undefined) return false;
      value.attributes = state;
      return true;
    },
    class: SimpleNamespace,
    reduce: ({ attributes }: SimpleNamespace) => ({
      callable: new Global("types", "SimpleNamespace"),
      args: [],
      state: attributes,
    }),
    toPlain: ({ attributes }: SimpleNamespace) => attributes,
  },
  {
    names: ["builtins.dict"],
    make: (args) => {
      const dict = new PyDict();
      if (args.length > 1) return undefined;
      return args.length === 0 || fill(dict, args[0]) ? dict : undefined;
    },
  },
);
