/**
 * The types that Brine knows by Python's names: one entry a type, in one place.
 * An entry says how a pickle makes the value, how the value is pickled again,
 * and what it is in plain JSON. Names are looked up in a `Map` and nowhere
 * else.
 *
 * @module
 */

/** How a class or function of a pickle is called. */
export interface MakeCall {
  /** The name that the pickle gave, `module.name`, by Python 3's spelling. */
  name: string;
  /** `"new"`: NEWOBJ and its kin; `"reduce"`: a plain call. */
  via: "new" | "reduce";
  /** Arguments by name, of NEWOBJ_EX: a plain object or a PyDict. */
  kwargs: unknown;
  /**
   * Makes something else in its place: what `copyreg._reconstructor` and the
   * like do with the class they are given.
   *
   * @param callable A Global, or another value of the pickle.
   * @param args Its arguments.
   * @param options How it is called.
   * @returns The value, inert where the callable is not known.
   */
  construct(
    callable: unknown,
    args: readonly unknown[],
    options?: { via?: "new" | "reduce"; kwargs?: unknown },
  ): unknown;
}

/** Bytes of a file that lie behind an opcode, outside of all opcodes. */
export interface InlineSource {
  /** Offset of the next byte from where the first pickle began. */
  readonly position: number;
  /**
   * Takes bytes; they are used up only once {@linkcode PyType.inline} gives a
   * value.
   *
   * @param size How many.
   * @returns The bytes, or undefined where not all have arrived.
   */
  take(size: number): Uint8Array | undefined;
  /**
   * Reads a whole pickle of its own.
   *
   * @returns Its value in an array of one; undefined where it has not arrived.
   */
  nested(): [unknown] | undefined;
}

/** What a value is pickled as: Python's `__reduce__`, by name. */
export interface Reduced {
  /** The class or function, a Global nearly always. */
  callable: unknown;
  /** Its arguments. */
  args: readonly unknown[];
  /** Arguments by name; only with `via: "new"`. */
  kwargs?: unknown;
  /**
   * `"new"`: `callable.__new__(callable, *args)`; `"reduce"`:
   * `callable(*args)`.
   *
   * @default {"reduce"}
   */
  via?: "new" | "reduce";
  /** For BUILD; left out where there is none. */
  state?: unknown;
  /** For APPENDS. */
  items?: Iterable<unknown>;
  /** For SETITEMS. */
  entries?: Iterable<readonly [unknown, unknown]>;
}

/**
 * One type of Python's.
 *
 * @typeParam T What it is in JavaScript.
 */
// deno-lint-ignore no-explicit-any
export interface PyType<T = any> {
  /** `module.name`: Python 3's first, then every other spelling there was. */
  names: readonly string[];
  /** What the bare name is, where it is a constant. */
  value?: unknown;
  /**
   * Makes a value. Arguments come from a stranger: they must be checked, and
   * nothing may be allocated because one says so.
   *
   * @param args The arguments.
   * @param call How it is called.
   * @returns The value, or undefined where the arguments have no known form;
   * then the value stays an inert PyObject.
   */
  make?(args: readonly unknown[], call: MakeCall): T | undefined;
  /**
   * Calls a value of this type, where it is callable.
   *
   * @param value What is called.
   * @param args The arguments.
   * @param call How it is called.
   * @returns The result, or undefined: stays inert.
   */
  call?(value: T, args: readonly unknown[], call: MakeCall): unknown;
  /**
   * BUILD.
   *
   * @param value What is built.
   * @param state Its state.
   * @returns Whether the state had a known form; otherwise it is kept beside
   * the value.
   */
  build?(value: T, state: unknown): boolean;
  /**
   * Whether bytes among its arguments or in its state need not be its own: they
   * are looked at where they lie in the input.
   *
   * @default {false}
   */
  borrows?: boolean;
  /**
   * Reads what follows BUILD in the file and is no pickle: joblib's arrays.
   * Called again, state and all, when more has arrived.
   *
   * @param value What was built.
   * @param source What follows.
   * @returns What takes the value's place, in an array of one; undefined where
   * not all has arrived.
   */
  inline?(value: T, source: InlineSource): [unknown] | undefined;
  /**
   * APPEND, APPENDS, ADDITEMS.
   *
   * @param value What is extended.
   * @param items What is added.
   * @returns `false` where the value does not take that.
   */
  append?(value: T, items: readonly unknown[]): boolean | void;
  /**
   * SETITEM, SETITEMS.
   *
   * @param value What is extended.
   * @param entries Key, value, key, value ….
   * @returns `false` where the value does not take that.
   */
  setItems?(value: T, entries: readonly unknown[]): boolean | void;
  /** The JavaScript class whose own instances this entry writes. */
  class?: abstract new (...args: never[]) => T;
  /**
   * How a value is pickled.
   *
   * @param value The value.
   * @param options The protocol.
   * @returns What Python's `__reduce_ex__` would give.
   */
  reduce?(value: T, options: { protocol: number }): Reduced;
  /**
   * What a value is in plain JSON.
   *
   * @param value The value.
   * @returns Anything JSON has, or other values that are converted in turn.
   */
  toPlain?(value: T): unknown;
}

const byName = new Map<string, PyType>();
const byPrototype = new Map<object, PyType>();

/**
 * Adds types.
 *
 * @param types The entries; a later one replaces an earlier of the same name.
 */
export function register(...types: PyType[]): void {
  for (const type of types) {
    for (const name of type.names) byName.set(name, type);
    if (type.class !== undefined) byPrototype.set(type.class.prototype, type);
  }
}

/**
 * Finds a type by Python's name.
 *
 * @param name `module.name`.
 * @returns Its entry, or undefined.
 */
export function typeByName(name: string): PyType | undefined {
  return byName.get(name);
}

/**
 * Finds the type of a value.
 *
 * @param value Any object.
 * @returns The entry of its very class, or undefined.
 */
export function typeOf(value: object): PyType | undefined {
  return byPrototype.get(Object.getPrototypeOf(value));
}
