/**
 * Python's iterators, as far as they can be pickled. They are descriptions: of
 * what is iterated, and how far it has got.
 *
 * @module
 */

import { isIntWithin, itemsOf } from "./arguments.ts";
import { inertType } from "./inert.ts";
import { PyObject } from "./object.ts";
import { register } from "./registry.ts";

/**
 * A Python iterator: `iter(list)`, `reversed(list)`, `map(function, …)` ….
 *
 * @example See what is to come
 * ```ts
 * import { pickle, PyIterator } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const text = "c__builtin__\niter\n(](I1\nI2\netRI1\nb.";
 * const iterator = pickle.loads(new TextEncoder().encode(text));
 * assertInstanceOf(iterator, PyIterator);
 * assertEquals(iterator.remaining(), [2]);
 * ```
 */
export class PyIterator extends PyObject {
  /**
   * What is still to come, where that is there to be seen: of a list, tuple or
   * text, forwards or backwards.
   *
   * @returns The items, or undefined.
   */
  remaining(): unknown[] | undefined {
    const [source] = this.args;
    const items = typeof source === "string" ? [...source] : itemsOf(source);
    if (items === undefined || this.args.length !== 1) return undefined;
    const { state = 0 } = this;
    const last = items.length;
    if (this.className === "builtins.iter") {
      return isIntWithin(state, [0, Number.MAX_SAFE_INTEGER])
        ? items.slice(state)
        : undefined;
    }
    if (this.className !== "builtins.reversed") return undefined;
    const from = this.state === undefined ? last - 1 : state;
    return isIntWithin(from, [-1, last - 1])
      ? items.slice(0, from + 1).reverse()
      : undefined;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns What is still to come, or what the iterator is made of.
   */
  override toJSON(): unknown {
    return this.remaining() ?? [...this.args];
  }
}

const BUILTINS = ["iter", "reversed", "enumerate", "zip", "map", "filter"];
const ITERTOOLS = `accumulate batched chain combinations
combinations_with_replacement compress count cycle dropwhile filterfalse groupby
islice pairwise permutations product repeat starmap takewhile zip_longest
_grouper _tee _tee_dataobject`.split(/\s+/);

register(
  inertType([
    ...BUILTINS.map((name) => `builtins.${name}`),
    ...ITERTOOLS.map((name) => `itertools.${name}`),
  ], PyIterator),
  {
    names: [],
    class: PyIterator,
    toPlain: (iterator: PyIterator) => iterator.toJSON(),
  },
);
