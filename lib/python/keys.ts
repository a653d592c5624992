/**
 * Equality of keys as Python has it: `1 == 1.0 == True`, tuples by value, bytes
 * apart from text.
 *
 * A key becomes a string or a small number that a JavaScript `Map` can tell
 * apart. Two rules keep chosen keys from making it slow: numbers pass through a
 * secret permutation, since V8 hashes them without a seed, and no bigint ever
 * is a key, since V8 hashes those by their lowest digit. Tuples and frozensets
 * become ids of their items' ids, so that 2^40 leaves shared 40 times over cost
 * 40 steps.
 *
 * @module
 */

import { secretInts } from "../bytes/secrets.ts";

/** What a `Map` holds for a key. */
export type CanonicalKey = string | number;

/** A value that Python refuses as a key. */
export class UnhashableError extends TypeError {
  /** Python's name of the type. */
  readonly type: string;

  /**
   * Makes the error.
   *
   * @param type Python's name of the type.
   */
  constructor(type: string) {
    super(`unhashable type: '${type}'`);
    this.name = "UnhashableError";
    this.type = type;
  }
}

const secrets = secretInts(4);
const SECRET_1 = secrets[0]!;
const SECRET_2 = secrets[1]! | 1;
const SECRET_3 = secrets[2]! | 1;
const SECRET_4 = secrets[3]!;

/** Set by the classes themselves, for their prototypes. */
const kinds = new Map<object, KeyKind>([
  [Array.prototype, { kind: "unhashable", type: "list" }],
  [Map.prototype, { kind: "unhashable", type: "dict" }],
  [Set.prototype, { kind: "unhashable", type: "set" }],
]);

/**
 * How an object takes part in a key: not at all; by its items; by a number or
 * bigint that it equals or a text that only its equals give (undefined: it
 * equals only itself).
 */
export type KeyKind =
  | { kind: "unhashable"; type: string }
  | { kind: "ordered" | "unordered" }
  | {
    kind: "value";
    // deno-lint-ignore no-explicit-any
    key: (value: any) => number | bigint | string | undefined;
  };

/**
 * Says how the instances of a class take part in a key.
 *
 * @param prototype The class's prototype.
 * @param kind How.
 */
export function setKeyKind(prototype: object, kind: KeyKind): void {
  kinds.set(prototype, kind);
}

function kindOf(value: object): KeyKind | undefined {
  for (
    let prototype = Object.getPrototypeOf(value);
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const kind = kinds.get(prototype);
    if (kind !== undefined) return kind;
    // A plain object is a dict; an instance of somebody's class is not.
    if (prototype === Object.prototype) {
      return Object.getPrototypeOf(value) === prototype
        ? { kind: "unhashable", type: "dict" }
        : undefined;
    }
  }
  return { kind: "unhashable", type: "dict" };
}

let identities: WeakMap<object, number> | undefined;
let lastIdentity = 0;

function identityOf(value: object): number {
  identities ??= new WeakMap();
  let id = identities.get(value);
  if (id === undefined) identities.set(value, id = ++lastIdentity);
  return id;
}

function numberKey(value: number): CanonicalKey {
  const small = value | 0;
  if (small === value) {
    let mixed = Math.imul(small ^ SECRET_1, SECRET_2);
    mixed ^= mixed >>> 15;
    return Math.imul(mixed, SECRET_3) ^ SECRET_4;
  }
  if (Number.isInteger(value)) {
    return Number.isSafeInteger(value)
      ? `\0i${value.toString(16)}`
      : `\0i${BigInt(value).toString(16)}`;
  }
  return `\0f${value}`;
}

function bytesKey(bytes: Uint8Array): string {
  let text = "\0b";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}

/** Gives values their canonical keys. */
export class KeyMaker {
  /** Ids of canonical keys, for the items of tuples and frozensets. */
  #ids: Map<CanonicalKey, number> | undefined;
  /** Canonical keys of tuples already seen; only while nothing can change them. */
  #seen: Map<object, string> | undefined;

  /**
   * Remembers the keys of tuples and frozensets by identity until
   * {@linkcode forget}: allowed only while nobody can change them.
   */
  remember(): void {
    this.#seen ??= new Map();
  }

  /** Ends what {@linkcode remember} began. */
  forget(): void {
    this.#seen = undefined;
  }

  /**
   * The canonical key of a value.
   *
   * @param value Any value.
   * @returns A string or a number; equal for equal values and for no others.
   * @throws {UnhashableError} For a list, a dict, a set, a bytearray.
   */
  key(value: unknown): CanonicalKey {
    switch (typeof value) {
      case "string":
        return value.charCodeAt(0) === 0 ? `\0s${value}` : value;
      case "number":
        return numberKey(value);
      case "boolean":
        return numberKey(value ? 1 : 0);
      case "bigint": {
        const near = Number(value);
        return Number.isSafeInteger(near)
          ? numberKey(near)
          : `\0i${value.toString(16)}`;
      }
      case "object":
        return value === null ? "\0N" : this.#objectKey(value);
      case "undefined":
        return "\0u";
      case "symbol":
        throw new UnhashableError("symbol");
      default:
        return `\0o${identityOf(value as object)}`;
    }
  }

  #objectKey(value: object): CanonicalKey {
    const simple = this.#simpleKey(value);
    if (simple !== undefined) return simple;
    const flat = Array.isArray(value) ? this.#flatKey(value) : undefined;
    if (flat !== undefined) {
      this.#seen?.set(value, flat);
      return flat;
    }
    const seen = this.#seen ?? new Map<object, string>();
    // Containers whose items' ids are being gathered, one within the other, and
    // the ids: of each container from its start on.
    const open: object[] = [];
    const lists: (readonly unknown[])[] = [];
    const starts: number[] = [];
    const ids: number[] = [];
    let nextCheck = 1024;
    for (let entered: object | undefined = value;;) {
      if (entered !== undefined) {
        open.push(entered);
        lists.push(
          Array.isArray(entered) ? entered : [...entered as Iterable<unknown>],
        );
        starts.push(ids.length);
        entered = undefined;
        // A tuple within itself: Python's hash never ends. It cannot be built
        // without a list between, which is unhashable, except by hand.
        if (open.length === nextCheck) {
          if (new Set(open).size < nextCheck) {
            throw new UnhashableError("tuple");
          }
          nextCheck *= 2;
        }
      }
      const items = lists[lists.length - 1]!;
      const start = starts[starts.length - 1]!;
      const done = ids.length - start;
      if (done === items.length) {
        const container = open.pop()!;
        lists.pop();
        starts.pop();
        const own = done === 1 ? ids.pop()! : ids.splice(start);
        const text = typeof own === "number"
          ? `\0${kindOf(container)!.kind === "ordered" ? "t" : "z"}${own}`
          : kindOf(container)!.kind === "ordered"
          ? `\0t${own.join()}`
          : `\0z${own.sort((a, b) => a - b).join()}`;
        seen.set(container, text);
        if (open.length === 0) return text;
        ids.push(this.#id(text));
        continue;
      }
      const item = items[done];
      if (typeof item !== "object" || item === null) {
        ids.push(this.#id(this.key(item)));
        continue;
      }
      const key = seen.get(item) ?? this.#simpleKey(item);
      if (key === undefined) entered = item;
      else ids.push(this.#id(key));
    }
  }

  /** The key of a tuple that has no objects in it, as most have none. */
  #flatKey(items: readonly unknown[]): string | undefined {
    let text = "\0t";
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (typeof item === "object" && item !== null) return undefined;
      const id = this.#id(this.key(item));
      text += i === 0 ? id : `,${id}`;
    }
    return text;
  }

  /** The key of what is no tuple or frozenset, or of one that is remembered. */
  #simpleKey(value: object): CanonicalKey | undefined {
    const kind = kindOf(value);
    if (kind?.kind === "value") {
      const key = kind.key(value);
      if (key === undefined) return `\0o${identityOf(value)}`;
      return typeof key === "string" ? `\0v${key}` : this.key(key);
    }
    if (kind?.kind === "unhashable") throw new UnhashableError(kind.type);
    if (kind !== undefined) return this.#seen?.get(value);
    if (value instanceof Uint8Array) return bytesKey(value);
    return `\0o${identityOf(value)}`;
  }

  #id(key: CanonicalKey): number {
    this.#ids ??= new Map();
    let id = this.#ids.get(key);
    if (id === undefined) this.#ids.set(key, id = this.#ids.size);
    return id;
  }
}
