/**
 * Reads what `tagged.ts` and Python's `jsonpickle` write. Nothing is run: a
 * class is a name, an object a description, as in a pickle.
 *
 * @module
 */

import { decodeBase64, decodeBase85 } from "../bytes/base64.ts";
import {
  appendItems,
  buildState,
  construct,
  setEntries,
} from "../python/construct.ts";
import { DefaultDict } from "../python/collections.ts";
import { PyDict } from "../python/dict.ts";
import { isDict, setOwn } from "../python/fields.ts";
import {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
  setAttributes,
} from "../python/object.ts";
import { typeByName, typeOf } from "../python/registry.ts";
import { FrozenSet, PySet } from "../python/set.ts";
import { Tuple } from "../python/tuple.ts";
import { TagError } from "./errors.ts";
import { splitName } from "./tagged.ts";

/** How tags are read. */
export interface TaggedOptions {
  /** As for reading JSON. */
  dicts: "auto" | "map";
  /** Which classes and functions may be named; undefined: all. */
  allow: Allow | undefined;
  /** Reads the JSON of a key, dicts as PyDicts. */
  parse: (text: string) => unknown;
}

/**
 * The classes and functions, as `module.name`, that a text may name: exact
 * names, or a function that says so.
 */
export type Allow = readonly string[] | ((name: string) => boolean);

/**
 * What JSON's own values are written by; it does no more than `py/tuple` does.
 */
const ALWAYS: ReadonlySet<string> = new Set(
  ["bytearray", "complex", "frozenset", "range", "set", "slice", "tuple"]
    .concat(["Ellipsis", "NotImplemented"])
    .map((name) => `builtins.${name}`),
);

/** A walk that asks for its children one by one, and is given what they are. */
type Walk = Generator<unknown, unknown, unknown>;

type Node = ReadonlyMap<string, unknown>;

/** An object that is referred to while its own arguments are read. */
class Unfinished {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** Stands for what may not be referred to while it is read. */
const CLOSED: unique symbol = Symbol("closed");

function bad(tag: string): TagError {
  return new TagError(`${tag} has no form that jsonpickle writes`, "bad-tag");
}

function asList(value: unknown, tag: string): unknown[] {
  if (!Array.isArray(value)) throw bad(tag);
  return value;
}

class Restorer {
  readonly #options: TaggedOptions;
  readonly #allows: (name: string) => boolean;
  readonly #objects: unknown[] = [];
  #unfinished = 0;

  constructor(options: TaggedOptions) {
    this.#options = options;
    const { allow } = options;
    if (typeof allow === "function") this.#allows = allow;
    else {
      const names = allow && new Set(allow);
      this.#allows = (name) => names === undefined || names.has(name);
    }
  }

  restore(root: unknown): unknown {
    const walks: Walk[] = [];
    let result = this.#enter(root, walks);
    while (walks.length > 0) {
      const { done, value } = walks[walks.length - 1]!.next(result);
      if (done) {
        walks.pop();
        result = value;
      } else {
        result = this.#enter(value, walks);
      }
    }
    return this.#unfinished === 0 ? result : this.#finish(result);
  }

  #enter(node: unknown, walks: Walk[]): unknown {
    if (typeof node !== "object" || node === null) return node;
    let walk: Walk | undefined;
    if (Array.isArray(node)) walk = this.#list(node);
    else if (node instanceof Map) {
      const found = this.#tagged(node);
      if (!isWalk(found)) return found;
      walk = found;
    } else return node;
    walks.push(walk);
    return undefined;
  }

  /** In jsonpickle's order, where more than one tag is there. */
  #tagged(node: Node): unknown {
    // Most dicts are no tags.
    let some = false;
    for (const key of node.keys()) {
      if (key.startsWith("py/") || key.startsWith("brine/")) {
        some = true;
        break;
      }
    }
    if (!some) return this.#dict(node);
    if (node.has("py/tuple")) return this.#tuple(node.get("py/tuple"));
    if (node.has("py/set")) return this.#set(node.get("py/set"));
    if (node.has("py/b64")) return bytesOf(node, "py/b64");
    if (node.has("py/b85")) return bytesOf(node, "py/b85");
    if (node.has("py/id")) return this.#id(node.get("py/id"));
    if (node.has("py/iterator")) return this.#iterator(node);
    if (node.has("py/object")) return this.#object(node);
    if (node.has("py/type")) return this.#global(node, "py/type");
    if (node.has("py/reduce")) return this.#reduce(node);
    if (node.has("py/function")) return this.#global(node, "py/function");
    if (node.has("py/repr") || node.has("py/ref")) {
      throw new TagError(
        "py/repr and py/ref, of old versions of jsonpickle, are not read",
        "bad-tag",
      );
    }
    if (node.has("brine/persistent")) return this.#persistent(node);
    if (node.has("brine/extension")) {
      const code = node.get("brine/extension");
      const known = Number.isSafeInteger(code) && (code as number) > 0 &&
        (code as number) <= 0x7fff_ffff;
      if (!known) throw bad("brine/extension");
      const extension = new Extension(code as number);
      this.#begin(extension);
      return extension;
    }
    return this.#dict(node);
  }

  #begin(value?: unknown): number {
    const id = this.#objects.length;
    this.#objects.push(value === undefined ? new Unfinished(id) : value);
    return id;
  }

  #id(id: unknown): unknown {
    const known = Number.isSafeInteger(id) && (id as number) >= 0 &&
      (id as number) < this.#objects.length;
    if (!known) throw bad("py/id");
    const value = this.#objects[id as number];
    if (value === CLOSED) throw bad("py/id");
    if (value instanceof Unfinished) this.#unfinished++;
    return value;
  }

  #global(node: Node, tag: string): unknown {
    const text = node.get(tag);
    const module = node.get("module");
    if (typeof text !== "string") throw bad(tag);
    if (module === undefined) {
      if (!text.includes(".")) throw bad(tag);
      return this.#named(...splitName(text));
    }
    if (typeof module !== "string" || !text.startsWith(`${module}.`)) {
      throw bad(tag);
    }
    return this.#named(module, text.slice(module.length + 1));
  }

  #named(module: string, name: string): unknown {
    const text = `${module}.${name}`;
    if (!ALWAYS.has(text) && !this.#allows(text)) {
      throw new TagError(
        `${
          text.slice(0, 200)
        } may not be built; if it is harmless, name it in allow`,
        "not-allowed",
      );
    }
    return typeByName(text)?.value ?? new Global(module, name);
  }

  /** By attribute: as a pickle's `getattr` does, and as it must be allowed. */
  #construct(
    callable: unknown,
    args: readonly unknown[],
    options: { via: "new" | "reduce"; kwargs?: unknown },
  ): unknown {
    const value = construct(callable, args, options);
    if (value instanceof Global) return this.#named(value.module, value.name);
    return value;
  }

  *#list(node: unknown[]): Walk {
    const list: unknown[] = [];
    this.#begin(list);
    for (const child of node) list.push(yield child);
    return list;
  }

  *#tuple(node: unknown): Walk {
    const tuple = new Tuple();
    for (const child of asList(node, "py/tuple")) tuple.push(yield child);
    return tuple;
  }

  *#set(node: unknown): Walk {
    const items: unknown[] = [];
    for (const child of asList(node, "py/set")) items.push(yield child);
    return this.#fill(new PySet(), items, "py/set");
  }

  #fill(set: PySet, items: unknown[], tag: string): PySet {
    // It would be hashed by what it is not yet.
    if (items.some((item) => item instanceof Unfinished)) throw bad(tag);
    hashing(() => PySet.addItems(set, items), tag);
    return set;
  }

  *#dict(node: Node): Walk {
    let asMap = this.#options.dicts === "map";
    for (const key of node.keys()) {
      if (key.startsWith("json://") && key[7] !== '"') asMap = true;
    }
    const dict = asMap ? new PyDict() : {};
    this.#begin(dict);
    const entries: [unknown, unknown][] = [];
    const later: number[] = [];
    for (const [key, child] of node) {
      if (key.startsWith("json://")) {
        later.push(entries.length);
        entries.push([key, child]);
      } else entries.push([key, yield child]);
    }
    // jsonpickle counts what is in and under such keys after all others.
    for (const i of later) {
      const [key, child] = entries[i]!;
      entries[i] = [yield* this.#key(key as string), yield child];
    }
    if (dict instanceof PyDict) {
      hashing(() => {
        dict.addFlat(entries.flat());
        // Only now are its keys looked at.
        void dict.size;
      }, "json://");
    } else {
      for (const entry of entries) setOwn(dict, entry as [string, unknown]);
    }
    return dict;
  }

  /** A dict of attributes, in the caller's form. */
  #attributes(entries: readonly unknown[]): object {
    const dict = this.#options.dicts === "map" ? new PyDict() : {};
    for (let i = 0; i < entries.length; i += 2) {
      if (typeof entries[i] !== "string") throw bad("json://");
      if (dict instanceof PyDict) dict.set(entries[i], entries[i + 1]);
      else setOwn(dict, [entries[i] as string, entries[i + 1]]);
    }
    return dict;
  }

  *#key(key: string): Walk {
    if (!key.startsWith("json://")) return key;
    let node: unknown;
    try {
      node = this.#options.parse(key.slice(7));
    } catch (cause) {
      throw Object.assign(bad("json://"), { cause });
    }
    const value = yield node;
    if (value instanceof Unfinished) throw bad("json://");
    return value;
  }

  *#iterator(node: Node): Walk {
    const items = yield asList(node.get("py/iterator"), "py/iterator");
    return this.#construct(this.#named("builtins", "iter"), [items], {
      via: "reduce",
    });
  }

  *#persistent(node: Node): Walk {
    // Python cannot write a reference that holds itself.
    const id = this.#begin(CLOSED);
    const value = new PersistentId(yield node.get("brine/persistent"));
    this.#objects[id] = value;
    return value;
  }

  #object(node: Node): Walk {
    const cls = this.#global(node, "py/object");
    switch (String(cls)) {
      case "datetime.date":
      case "datetime.datetime":
      case "datetime.time":
        if (node.has("__reduce__")) return this.#time(node);
        break;
      case "uuid.UUID":
        if (node.has("hex")) return this.#uuid(cls, node);
        break;
      case "array.array":
        if (node.has("typecode")) return this.#array(cls, node);
        break;
      case "re.Pattern":
        if (node.has("pattern")) return this.#pattern(node);
    }
    return this.#instance(cls, node);
  }

  *#time(node: Node): Walk {
    const id = this.#begin();
    const [cls, args] = asList(node.get("__reduce__"), "__reduce__");
    const [text, ...rest] = asList(args, "__reduce__");
    const callable = yield cls;
    const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
    if (bytes === undefined) throw bad("__reduce__");
    const list: unknown[] = [bytes];
    for (const arg of rest) list.push(yield arg);
    return this.#objects[id] = this.#construct(callable, list, {
      via: "reduce",
    });
  }

  *#uuid(cls: unknown, node: Node): Walk {
    const id = this.#begin();
    const hex = node.get("hex");
    if (typeof hex !== "string") throw bad("hex");
    const value = this.#construct(cls, [hex], { via: "reduce" });
    this.#objects[id] = value;
    if (node.has("is_safe") && "isSafe" in (value as object)) {
      (value as { isSafe: unknown }).isSafe = yield node.get("is_safe");
    }
    return value;
  }

  *#array(cls: unknown, node: Node): Walk {
    const id = this.#begin();
    const values = yield asList(node.get("values"), "values");
    return this.#objects[id] = this.#construct(
      cls,
      [node.get("typecode"), values],
      { via: "reduce" },
    );
  }

  *#pattern(node: Node): Walk {
    const id = this.#begin();
    const pattern = yield node.get("pattern");
    if (typeof pattern !== "string") throw bad("pattern");
    // What jsonpickle compiles anew has the flags that go without saying.
    return this.#objects[id] = this.#construct(
      this.#named("re", "_compile"),
      [pattern, 32],
      { via: "reduce" },
    );
  }

  *#instance(cls: unknown, node: Node): Walk {
    const id = this.#begin();
    const [value, isTuple] = yield* this.#make(cls, node);
    this.#objects[id] = value;
    // Attributes of a dict's subclass have a key of their own.
    const isDictLike = node.has("__dict__") || isKnownDict(value);
    const flat: unknown[] = [];
    let state: unknown;
    for (const [key, child] of node) {
      if (key.startsWith("py/")) continue;
      if (key === "__dict__") {
        state = yield child;
        if (!isDict(state)) throw bad("__dict__");
        continue;
      }
      if (key === "default_factory" && value instanceof DefaultDict) {
        value.defaultFactory = yield child;
        continue;
      }
      const name = yield* this.#key(key);
      flat.push(name, yield child);
    }
    if (isDictLike) {
      if (flat.length > 0) {
        hashing(() => this.#done(setEntries(value, flat)), "py/object");
      }
      if (value instanceof PyObject) value.entries ??= [];
      if (!isEmpty(state)) this.#done(buildState(value, state));
    } else if (flat.length > 0) {
      this.#done(buildState(value, this.#attributes(flat)));
    }
    if (node.has("py/seq") && !isTuple) {
      const items: unknown[] = [];
      for (const child of asList(node.get("py/seq"), "py/seq")) {
        items.push(yield child);
      }
      hashing(() => this.#done(appendItems(value, items)), "py/seq");
      if (items.length === 0 && value instanceof PyObject) value.items ??= [];
    }
    if (node.has("py/state")) {
      this.#done(buildState(value, yield node.get("py/state")));
    }
    return value;
  }

  /** The object without what is put into it, and whether it is a tuple. */
  *#make(
    cls: unknown,
    node: Node,
  ): Generator<unknown, [unknown, boolean], unknown> {
    if (node.has("py/newargsex")) {
      const [first, second] = asList(node.get("py/newargsex"), "py/newargsex");
      const args = asList(yield first, "py/newargsex");
      const kwargs = isEmptyNode(second) ? undefined : yield second;
      return [this.#construct(cls, args, { via: "new", kwargs }), false];
    }
    if (node.has("py/newargs")) {
      const args = asList(yield node.get("py/newargs"), "py/newargs");
      const value = this.#construct(cls, args, { via: "new" });
      // A subclass of tuple says what it holds twice.
      const items = node.get("py/seq");
      const held = args.length === 1 && args[0] instanceof Tuple
        ? args[0]
        : args;
      return [value, Array.isArray(items) && items.length === held.length];
    }
    if (node.has("py/initargs")) {
      const args = asList(yield node.get("py/initargs"), "py/initargs");
      const value = this.#construct(cls, args, { via: "reduce" });
      if (
        value instanceof PyObject &&
        Object.getPrototypeOf(value) === PyObject.prototype
      ) value.via = "classic";
      return [value, false];
    }
    return [this.#construct(cls, new Tuple(), { via: "new" }), false];
  }

  *#reduce(node: Node): Walk {
    const list = asList(node.get("py/reduce"), "py/reduce");
    const special = emptyLike(list);
    if (special !== undefined) return yield* this.#late(special);
    const id = this.#begin();
    const callable = yield list[0];
    const args = yield list[1];
    if (!(args instanceof Tuple)) throw bad("py/reduce");
    const kwargs = node.has("brine/kwargs")
      ? yield node.get("brine/kwargs")
      : undefined;
    const [cls, ...rest] = args;
    const value = callable === "py/newobj"
      ? this.#construct(cls, Tuple.from(rest), { via: "new", kwargs })
      : this.#construct(callable, args, { via: "reduce", kwargs });
    this.#objects[id] = value;
    const state = yield list[2] ?? null;
    const items = yield list[3] ?? null;
    const entries = yield list[4] ?? null;
    hashing(() => {
      if (items !== null) {
        this.#done(appendItems(value, asList(items, "py/reduce")));
      }
      if (entries !== null) {
        const flat: unknown[] = [];
        for (const entry of asList(entries, "py/reduce")) {
          if (!Array.isArray(entry) || entry.length !== 2) {
            throw bad("py/reduce");
          }
          flat.push(entry[0], entry[1]);
        }
        this.#done(setEntries(value, flat));
      }
    }, "py/reduce");
    if (state !== null) this.#done(buildState(value, state));
    if (node.has("brine/setter") && value instanceof PyObject) {
      value.stateSetter = yield node.get("brine/setter");
      // A setter may be given None as well.
      if (value.state === undefined) value.state = state;
    }
    if (node.has("brine/states")) {
      for (
        const more of asList(yield node.get("brine/states"), "brine/states")
      ) this.#done(buildState(value, more));
    }
    return value;
  }

  /** A tuple or set that can hold itself: there before its items are. */
  *#late(
    { name, items }: { name: string; items: unknown[] },
  ): Walk {
    const value = name === "tuple"
      ? new Tuple()
      : name === "set"
      ? new PySet()
      : new FrozenSet();
    this.#begin(value);
    const list = asList(yield items, "py/reduce");
    if (value instanceof Tuple) { for (const item of list) value.push(item); }
    else this.#fill(value, list, "py/reduce");
    return value;
  }

  #done(fits: boolean): void {
    if (!fits) {
      throw new TagError("a value is given what it cannot take", "bad-tag");
    }
  }

  /** Puts objects where they were referred to while they were not there. */
  #finish(root: unknown): unknown {
    const seen = new Set<object>();
    const waiting: object[] = [];
    const visit = (value: unknown): unknown => {
      const now = value instanceof Unfinished ? this.#objects[value.id] : value;
      if (now instanceof Unfinished) throw bad("py/id");
      if (
        typeof now === "object" && now !== null && !seen.has(now) &&
        !ArrayBuffer.isView(now)
      ) {
        seen.add(now);
        waiting.push(now);
      }
      return now;
    };
    const result = visit(root);
    for (let value = waiting.pop(); value; value = waiting.pop()) {
      if (value instanceof Map) {
        for (const [key, item] of value) {
          visit(key);
          const now = visit(item);
          if (now !== item) value.set(key, now);
        }
      } else if (value instanceof Set) {
        for (const item of value) visit(item);
        continue;
      }
      const state = attributesOf(value);
      if (state !== undefined) setAttributes(value, visit(state));
      for (const key of Object.keys(value)) {
        const item = (value as Record<string, unknown>)[key];
        const now = visit(item);
        if (now !== item) setOwn(value, [key, now]);
      }
    }
    return result;
  }
}

function isWalk(value: unknown): value is Walk {
  return typeof value === "object" && value !== null &&
    Object.prototype.toString.call(value) === "[object Generator]";
}

function isKnownDict(value: unknown): boolean {
  return value instanceof PyDict && typeOf(value) !== undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined) return true;
  return value instanceof Map
    ? value.size === 0
    : typeof value === "object" && value !== null &&
      Object.keys(value).length === 0;
}

function isEmptyNode(node: unknown): boolean {
  return node === undefined || node === null ||
    node instanceof Map && node.size === 0;
}

/** A list in JSON of a tuple's or set's items, if that is what it makes. */
function emptyLike(
  list: unknown[],
): { name: string; items: unknown[] } | undefined {
  const [type, args] = list;
  if (list.length !== 2 || !(type instanceof Map) || !(args instanceof Map)) {
    return undefined;
  }
  const name = /^builtins\.(tuple|set|frozenset)$/.exec(
    String(type.get("py/type")),
  )?.[1];
  const tuple: unknown = args.get("py/tuple");
  if (name === undefined || !Array.isArray(tuple) || tuple.length !== 1) {
    return undefined;
  }
  const [items] = tuple as unknown[];
  return Array.isArray(items) ? { name, items } : undefined;
}

function bytesOf(node: Node, tag: "py/b64" | "py/b85"): Uint8Array {
  const text = node.get(tag);
  const bytes = typeof text !== "string"
    ? undefined
    : tag === "py/b64"
    ? decodeBase64(text)
    : decodeBase85(text);
  if (bytes === undefined) throw bad(tag);
  return bytes;
}

/** What cannot be hashed is a fault of the text. */
function hashing(run: () => void, tag: string): void {
  try {
    run();
  } catch (cause) {
    if (cause instanceof TagError) throw cause;
    throw Object.assign(bad(tag), { cause });
  }
}

/**
 * Turns JSON with tags into the values that it stands for.
 *
 * @param value What the JSON holds, its objects as Maps.
 * @param options How tags are read.
 * @returns The value.
 * @throws {TagError} Where a tag makes no sense, or names what is not allowed.
 */
export function fromTagged(value: unknown, options: TaggedOptions): unknown {
  return new Restorer(options).restore(value);
}
