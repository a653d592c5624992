/**
 * The policy `"tagged"`: any value as JSON that loses nothing, in the
 * conventions of Python's `jsonpickle` (its option `keys=True`), which reads
 * it, and whose output {@linkcode fromTagged} of `tagged_reader.ts` reads.
 *
 * | value | JSON |
 * | --- | --- |
 * | tuple, set, bytes | `{"py/tuple": […]}`, `{"py/set": […]}`, `{"py/b64": "…"}` |
 * | second sight of an object | `{"py/id": n}`: lists, dicts and objects are counted from 0 as they come |
 * | class, function | `{"py/type": "module.Class"}`, `{"py/function": "module.name"}` |
 * | object | `{"py/object": "module.Class", "attribute": …}`, with `py/newargs`, `py/newargsex`, `py/initargs` (of an old-style class), `py/seq` (items of a list), `py/state` |
 * | what a function makes | `{"py/reduce": [function, arguments, state, items, entries]}` |
 * | dict key that is no text | `"json://"` and its JSON |
 *
 * Where jsonpickle has no form, or one that loses something:
 *
 * - A key that begins with `py/`, `json://` or `brine/` is written as
 *   `json://` and its JSON string, so that no dict of a user's looks like a
 *   tag. jsonpickle with `keys=True` reads that as the key it is.
 * - A tuple or set that occurs more than once is
 *   `{"py/reduce": [{"py/type": "builtins.tuple"}, {"py/tuple": [[…]]}]}`, so
 *   that `py/id` may refer to it.
 * - A nested name of a module with an upper-case name, and the like, has a
 *   second key that says where the module ends: `{"py/type": "a.B.c.D",
 *   "module": "a.B"}`.
 * - `re.Pattern` is written by its `__reduce__`: jsonpickle's own form leaves
 *   out the flags. The `fold` of a datetime is kept, as in protocol 4.
 * - `{"brine/persistent": id}`, `{"brine/extension": code}` for references that
 *   only a pickle has; beside `py/reduce` the keys `brine/kwargs`,
 *   `brine/setter` and `brine/states` for a call with arguments by name, a
 *   state setter, and repeated states.
 *
 * @module
 */

import { encodeBase64 } from "../bytes/base64.ts";
import { PyArray } from "../python/array.ts";
import { ByteArray } from "../python/byte_array.ts";
import { Complex } from "../python/complex.ts";
import { Constant } from "../python/constants.ts";
import { PyDate, PyDateTime, PyTime } from "../python/datetime.ts";
import { PyDict } from "../python/dict.ts";
import { entriesOf, isDict } from "../python/fields.ts";
import { Float } from "../python/float.ts";
import { LimitError } from "../python/limits.ts";
import {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
  type Via,
} from "../python/object.ts";
import { typeOf } from "../python/registry.ts";
import { FrozenSet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";
import { Uuid } from "../python/uuid.ts";

/** Keys of a user's that would be taken for something else. */
const LOOKS_LIKE_TAG = /^(?:py\/|json:\/\/|brine\/)/;
/** jsonpickle has ways of its own with these attributes. */
const SPECIAL_ATTRIBUTE = /^(?:__|default_factory$)/;
/** Classes that jsonpickle gives to a handler, whatever else is said. */
const HANDLED: ReadonlySet<string> = new Set([
  "array.array",
  "datetime.date",
  "datetime.datetime",
  "datetime.time",
  "queue.Queue",
  "re.Pattern",
  "uuid.UUID",
]);
/** Classes that are not written in capitals. */
const LOWER_CASE_CLASS =
  /^(?:builtins\.(?:bool|bytearray|bytes|classmethod|complex|dict|enumerate|filter|float|frozenset|int|list|map|memoryview|object|property|range|reversed|set|slice|staticmethod|str|super|tuple|type|zip)|datetime\.(?:date|datetime|time|timedelta|timezone|tzinfo)|collections\.(?:deque|defaultdict)|array\.array|functools\.partial|operator\.(?:itemgetter|attrgetter|methodcaller)|itertools\.\w+|numpy\.(?:dtype|ndarray|matrix|recarray|[a-z]+\d+|bool_?))$/;

/** How a value is made and filled, whatever its JavaScript class. */
interface Reduction {
  callable: unknown;
  args: readonly unknown[];
  kwargs: unknown;
  via: Via;
  state: unknown;
  items: readonly unknown[] | undefined;
  entries: readonly (readonly [unknown, unknown])[] | undefined;
  setter: unknown;
  states: unknown[] | undefined;
}

const RECONSTRUCTOR = new Global("copyreg", "_reconstructor");

function reductionOf(value: object): Reduction | undefined {
  if (value instanceof PyObject) {
    const { base, entries, state } = value;
    // As the pickler has it: only such a base cannot be told from the class. A
    // named tuple takes its fields one by one, and some dicts set no key before
    // they have a state.
    const isEarly = base?.name === "dict" && state !== undefined &&
      entries !== undefined;
    const apart = isEarly || base !== undefined && value.args.length === 1 &&
        base.name !== "int" && base.name !== "float";
    const content = isEarly ? new PyDict(entries) : value.args[0];
    return {
      callable: apart ? RECONSTRUCTOR : value.class,
      args: apart ? [value.class, base, content] : value.args,
      kwargs: value.kwargs,
      via: apart ? "reduce" : value.via,
      state,
      items: value.items ?? (base?.name === "list" ? [] : undefined),
      entries: isEarly
        ? undefined
        : entries ?? (base?.name === "dict" ? [] : undefined),
      setter: value.stateSetter,
      states: value.moreStates,
    };
  }
  // The protocol whose forms lose nothing, bytes and fold among them.
  const reduced = typeOf(value)?.reduce?.(value, { protocol: 4 });
  if (reduced === undefined) return undefined;
  return {
    callable: reduced.callable,
    args: reduced.args,
    kwargs: reduced.kwargs,
    via: reduced.via ?? "reduce",
    state: reduced.state ?? attributesOf(value),
    items: reduced.items && [...reduced.items],
    entries: reduced.entries && [...reduced.entries],
    setter: undefined,
    states: undefined,
  };
}

/**
 * Where `a.b.C.D` is taken apart when nothing says so: before the first name in
 * upper case, where it stands within lower-case modules, else before the last.
 *
 * @param text Module and name.
 * @returns The two.
 */
export function splitName(text: string): [module: string, name: string] {
  const parts = text.split(".");
  const first = parts[0] === "builtins"
    ? 1
    : parts.findIndex((part) => /^_*[A-Z]/.test(part));
  const at = first > 0 ? first : parts.length - 1;
  return [parts.slice(0, at).join("."), parts.slice(at).join(".")];
}

/** A JSON object in the making. */
type Tags = Map<string, unknown>;

function tag(name: string, value: unknown): Tags {
  return new Map([[name, value]]);
}

function nameTag(global: Global, name?: string): Tags {
  const text = String(global);
  const last = global.name.slice(global.name.lastIndexOf(".") + 1);
  const isClass = /^_*[A-Z]/.test(last) || LOWER_CASE_CLASS.test(text);
  const tags = tag(name ?? (isClass ? "py/type" : "py/function"), text);
  if (splitName(text)[0] !== global.module) tags.set("module", global.module);
  return tags;
}

/** Text of a key, of what the key has become. */
type KeyText = (value: unknown) => string;

/** A walk that asks for its children one by one, and is given what they are. */
type Walk = Generator<unknown, unknown, unknown>;

/** Options of {@linkcode toTagged}. */
export interface ToTaggedOptions {
  /** Writes a key's JSON, of what this has made of the key. */
  keyText: KeyText;
  /** How deep the JSON may nest. */
  jsonDepth: number;
}

class Flattener {
  readonly #keyText: KeyText;
  readonly #jsonDepth: number;
  readonly #reductions = new Map<object, Reduction>();
  /** What is met more than once. */
  readonly #shared = new Set<object>();
  readonly #ids = new Map<object, number>();
  #count = 0;

  constructor({ keyText, jsonDepth }: ToTaggedOptions) {
    this.#keyText = keyText;
    this.#jsonDepth = jsonDepth;
  }

  flatten(root: unknown): unknown {
    this.#findShared(root);
    // A stack of walks: values nest deeper than calls can.
    const walks: Walk[] = [];
    let result = this.#enter(root, walks);
    while (walks.length > 0) {
      const { done, value } = walks[walks.length - 1]!.next(result);
      if (done) {
        walks.pop();
        result = value;
      } else {
        result = this.#enter(value, walks);
        // Each is a list or object of JSON, if not two of them.
        if (walks.length > this.#jsonDepth) {
          throw new LimitError("jsonDepth", this.#jsonDepth);
        }
      }
    }
    return result;
  }

  /** Looks at everything once, so that it is known what comes again. */
  #findShared(root: unknown): void {
    const seen = new Set<object>();
    const waiting: unknown[] = [root];
    const add = (values: Iterable<unknown>): void => {
      for (const value of values) waiting.push(value);
    };
    while (waiting.length > 0) {
      const value = waiting.pop();
      if (typeof value !== "object" || value === null) continue;
      if (value instanceof Float || value instanceof Global) continue;
      if (seen.has(value)) {
        this.#shared.add(value);
        continue;
      }
      seen.add(value);
      if (this.#isLeaf(value)) continue;
      if (value instanceof Tuple) add(value);
      else if (value instanceof PersistentId) waiting.push(value.id);
      else if (value instanceof Set) add(value);
      else {
        const reduction = this.#reduction(value);
        if (reduction !== undefined) {
          waiting.push(reduction.callable, reduction.state, reduction.kwargs);
          waiting.push(reduction.setter);
          add(reduction.args);
          add(reduction.items ?? []);
          add(reduction.states ?? []);
          for (const entry of reduction.entries ?? []) add(entry);
        } else if (Array.isArray(value)) add(value);
        else for (const entry of entriesOf(value)) add(entry);
      }
    }
  }

  #isLeaf(value: object): boolean {
    return value instanceof Uint8Array || value instanceof Constant ||
      value instanceof Extension || value instanceof Complex ||
      value instanceof Uuid || value instanceof PyArray;
  }

  #reduction(value: object): Reduction | undefined {
    let reduction = this.#reductions.get(value);
    if (reduction === undefined) {
      reduction = reductionOf(value);
      if (reduction !== undefined) this.#reductions.set(value, reduction);
    }
    return reduction;
  }

  /** What a value becomes, or a walk that will say. */
  #enter(value: unknown, walks: Walk[]): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Float) return value;
    if (value instanceof Global) return this.#global(value, walks);
    if (value instanceof Constant) {
      return tag("py/type", `builtins.${value.name}`);
    }
    if (value instanceof Uint8Array && !(value instanceof ByteArray)) {
      return tag("py/b64", encodeBase64(value));
    }
    if (
      value instanceof Tuple &&
      (value.length === 0 || !this.#shared.has(value))
    ) {
      walks.push(this.#sequence("py/tuple", value));
      return undefined;
    }
    if (
      value instanceof Set && !(value instanceof FrozenSet) &&
      !this.#shared.has(value)
    ) {
      walks.push(this.#sequence("py/set", value));
      return undefined;
    }
    const id = this.#ids.get(value);
    if (id !== undefined) return tag("py/id", id);
    const walk = this.#walkOf(value);
    // What nobody knows is the encoder's to refuse.
    if (walk === undefined) return value;
    this.#ids.set(value, this.#count++);
    walks.push(walk);
    return undefined;
  }

  #walkOf(value: object): Walk | undefined {
    if (value instanceof Tuple) return this.#shareable("tuple", value);
    if (value instanceof Set) {
      return this.#shareable(
        value instanceof FrozenSet ? "frozenset" : "set",
        value,
      );
    }
    if (value instanceof ByteArray) return this.#byteArray(value);
    if (value instanceof Complex) return this.#complex(value);
    if (
      value instanceof PyDateTime || value instanceof PyDate ||
      value instanceof PyTime
    ) return this.#time(value);
    if (value instanceof Uuid) return this.#uuid(value);
    if (value instanceof PyArray) return this.#array(value);
    if (value instanceof PersistentId) {
      return this.#one("brine/persistent", value.id);
    }
    if (value instanceof Extension) {
      return this.#one("brine/extension", value.code);
    }
    const reduction = this.#reduction(value);
    if (reduction !== undefined) {
      return this.#object(reduction) ?? this.#reduce(reduction);
    }
    if (Array.isArray(value)) return this.#list(value);
    return isDict(value) ? this.#dict(entriesOf(value)) : undefined;
  }

  /** The class of a constant can only be asked for. */
  #global(value: Global, walks: Walk[]): unknown {
    const constant = CONSTANT_TYPES.get(String(value));
    if (constant === undefined) return nameTag(value);
    this.#count++;
    walks.push(this.#call(new Global("builtins", "type"), [constant.value]));
    return undefined;
  }

  *#list(value: readonly unknown[]): Walk {
    const list: unknown[] = [];
    // An index, since an array may have holes.
    for (let i = 0; i < value.length; i++) list.push(yield value[i]);
    return list;
  }

  *#sequence(name: string, value: Iterable<unknown>): Walk {
    const list: unknown[] = [];
    for (const item of value) list.push(yield item);
    return tag(name, list);
  }

  *#one(name: string, value: unknown): Walk {
    return tag(name, yield value);
  }

  *#call(callable: unknown, args: readonly unknown[]): Walk {
    const list = [yield callable];
    const items: unknown[] = [];
    for (const arg of args) items.push(yield arg);
    list.push(tag("py/tuple", items));
    return tag("py/reduce", list);
  }

  #shareable(name: string, value: Iterable<unknown>): Walk {
    return this.#call(new Global("builtins", name), [[...value]]);
  }

  #byteArray(value: ByteArray): Walk {
    return this.#call(new Global("builtins", "bytearray"), [
      new Uint8Array(value.buffer, value.byteOffset, value.length),
    ]);
  }

  *#complex({ real, imag }: Complex): Walk {
    const tags = tag("py/object", "builtins.complex");
    const args = Tuple.of(new Float(real), new Float(imag));
    return tags.set("py/newargs", yield args);
  }

  /** jsonpickle's `DatetimeHandler`. */
  *#time(value: object): Walk {
    const { callable, args } = this.#reduction(value)!;
    const list: unknown[] = [encodeBase64(args[0] as Uint8Array)];
    if (args.length > 1) list.push(yield args[1]);
    const tags = tag("py/object", String(callable));
    return tags.set("__reduce__", [nameTag(callable as Global), list]);
  }

  /** jsonpickle's `UUIDHandler`, which does not look at other keys. */
  *#uuid(value: Uuid): Walk {
    const tags = tag("py/object", "uuid.UUID");
    tags.set("hex", value.int.toString(16).padStart(32, "0"));
    if (value.isSafe !== null) tags.set("is_safe", yield value.isSafe);
    return tags;
  }

  /** jsonpickle's `ArrayHandler`. */
  *#array(value: PyArray): Walk {
    const isFloat = value.typecode === "f" || value.typecode === "d";
    const tags = tag("py/object", "array.array");
    tags.set("typecode", value.typecode === "c" ? "B" : value.typecode);
    const values = isFloat
      ? Array.from(value, (item) => new Float(Number(item)))
      : [...value];
    return tags.set("values", yield values);
  }

  /** Text keys first, then the others: the order that ids follow. */
  *#dict(entries: [unknown, unknown][]): Walk {
    const slots: [string, unknown][] = [];
    const later: number[] = [];
    for (let i = 0; i < entries.length; i++) {
      const [key, value] = entries[i]!;
      if (typeof key !== "string" || LOOKS_LIKE_TAG.test(key)) {
        later.push(i);
        slots.push(["", undefined]);
      } else {
        slots.push([key, yield value]);
      }
    }
    const used = new Map<string, number>();
    for (const i of later) {
      const [key, value] = entries[i]!;
      const text = this.#escape(yield key, used);
      slots[i] = [text, yield value];
    }
    return new Map(slots);
  }

  /** Two NaNs, or two objects that look alike, must not be one key. */
  #escape(key: unknown, used: Map<string, number>): string {
    const text = `json://${this.#keyText(key)}`;
    const count = used.get(text) ?? 0;
    used.set(text, count + 1);
    if (count === 0) return text;
    // White space says which: it means nothing to who reads the JSON.
    return text +
      count.toString(4).replace(/./g, (digit) => " \t\n\r"[+digit]!);
  }

  /** `py/object`, where that loses nothing; undefined where it does. */
  #object(reduction: Reduction): Walk | undefined {
    const { callable, via, args, kwargs, items, entries, state } = reduction;
    if (via === "reduce" || !(callable instanceof Global)) return undefined;
    const name = String(callable);
    if (HANDLED.has(name) || splitName(name)[0] !== callable.module) {
      return undefined;
    }
    if (reduction.setter !== undefined || reduction.states !== undefined) {
      return undefined;
    }
    if (entries !== undefined) {
      // A subclass of dict: its attributes have a key of their own.
      const plain = via === "new" && args.length === 0 &&
        kwargs === undefined && items === undefined &&
        (state === undefined ||
          isDict(state) && entriesOf(state).length > 0) &&
        entries.every(([key]) => key !== "__dict__");
      return plain ? this.#dictObject(reduction) : undefined;
    }
    // With arguments, items look like those of a tuple (see the reader), and
    // jsonpickle gives a tuple no attributes.
    if (items !== undefined && args.length > 0) return undefined;
    if (args[0] instanceof Tuple && args.length === 1 && state !== undefined) {
      return undefined;
    }
    return this.#plainObject(reduction);
  }

  *#dictObject({ callable, entries, state }: Reduction): Walk {
    const tags = nameTag(callable as Global, "py/object");
    const used = new Map<string, number>();
    for (const [key, value] of entries!) {
      const text = typeof key !== "string" || LOOKS_LIKE_TAG.test(key)
        ? this.#escape(yield key, used)
        : key;
      tags.set(text, yield value);
    }
    return tags.set("__dict__", yield state ?? {});
  }

  *#plainObject(reduction: Reduction): Walk {
    const { callable, args, kwargs, state, items, via } = reduction;
    const tags = nameTag(callable as Global, "py/object");
    if (via === "classic") {
      tags.set("py/initargs", yield Tuple.from(args));
    } else if (kwargs !== undefined && entriesOf(kwargs).length > 0) {
      const list = [yield Tuple.from(args)];
      list.push(yield kwargs);
      tags.set("py/newargsex", list);
    } else if (args.length > 0) {
      tags.set("py/newargs", yield Tuple.from(args));
    }
    const attributes = this.#attributes(reduction);
    for (const [name, value] of attributes ?? []) {
      tags.set(name, yield value);
    }
    if (items !== undefined) {
      const list: unknown[] = [];
      for (const item of items) list.push(yield item);
      tags.set("py/seq", list);
    }
    if (state !== undefined && attributes === undefined) {
      tags.set("py/state", yield state);
    }
    return tags;
  }

  /** The attributes that may stand in the object itself. */
  #attributes({ state }: Reduction): [string, unknown][] | undefined {
    if (!isDict(state) || this.#shared.has(state)) return undefined;
    const entries = entriesOf(state);
    const fits = entries.length > 0 &&
      entries.every(([key]) =>
        typeof key === "string" && !LOOKS_LIKE_TAG.test(key) &&
        !SPECIAL_ATTRIBUTE.test(key)
      );
    return fits ? entries as [string, unknown][] : undefined;
  }

  *#reduce(reduction: Reduction): Walk {
    const { callable, args, kwargs, via, state, items, entries } = reduction;
    const list: unknown[] = [];
    if (via === "new") {
      list.push("py/newobj", yield Tuple.of(callable, ...args));
    } else {
      // An old-style class is called, which Python 3 does as well.
      list.push(yield callable);
      list.push(yield Tuple.from(args));
    }
    list.push(state === undefined ? null : yield state);
    list.push(items === undefined ? null : yield Tuple.from(items));
    list.push(
      entries === undefined
        ? null
        : yield Tuple.from(entries, (entry) => Tuple.from(entry)),
    );
    while (list.length > 2 && list[list.length - 1] === null) list.pop();
    const tags = tag("py/reduce", list);
    if (kwargs !== undefined) tags.set("brine/kwargs", yield kwargs);
    if (reduction.setter !== undefined) {
      tags.set("brine/setter", yield reduction.setter);
    }
    if (reduction.states !== undefined) {
      tags.set("brine/states", yield reduction.states);
    }
    return tags;
  }
}

/** The classes of constants, which no module has by name. */
const CONSTANT_TYPES = new Map<string, { value: unknown }>([
  ["builtins.NoneType", { value: null }],
  ["builtins.ellipsis", { value: new Constant("Ellipsis") }],
  ["builtins.NotImplementedType", { value: new Constant("NotImplemented") }],
]);

/**
 * Turns a value into what JSON has, without losing anything.
 *
 * @param value Any value.
 * @param options How.
 * @returns Arrays, Maps with text for keys, numbers and text; what has no form
 * stays as it is.
 * @throws {LimitError} If it would nest deeper than allowed.
 */
export function toTagged(value: unknown, options: ToTaggedOptions): unknown {
  return new Flattener(options).flatten(value);
}
