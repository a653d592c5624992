/**
 * What a caller may ask of a writer of pickles.
 *
 * @module
 */

import type { Global } from "../python/object.ts";
import type { Reduced } from "../python/registry.ts";

/**
 * Name of the method by which a class of your own says how it is pickled: by
 * the name of a Python class or function, arguments and state. Python must have
 * that class; nothing of JavaScript's goes into the pickle.
 *
 * @example Pickle a class of one's own
 * ```ts
 * import { Global, pickle, PyObject } from "@brine/brine";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * class Point {
 *   constructor(readonly x: number, readonly y: number) {}
 *   [pickle.toPickle](): pickle.Reduced {
 *     return {
 *       callable: new Global("shapes", "Point"),
 *       args: [this.x, this.y],
 *     };
 *   }
 * }
 *
 * const point = pickle.loads(pickle.dumps(new Point(1, 2)));
 * assertInstanceOf(point, PyObject);
 * assertEquals(String(point.class), "shapes.Point");
 * ```
 */
export const toPickle: unique symbol = Symbol.for("brine.toPickle");

/** Options of whatever writes pickles. */
export interface DumpOptions {
  /**
   * The protocol, 0 to 5; a negative number means the highest. 4 is read by
   * Python 3.4 and later, 2 by Python 2.3 and later. With `bufferCallback` the
   * default is 5.
   *
   * @default {4}
   */
  protocol?: number | null;
  /**
   * Whether names of Python 3 become those of Python 2 in protocols 0 to 2.
   *
   * @default {true}
   */
  fixImports?: boolean;
  /**
   * Is given each {@linkcode PickleBuffer} and the data of each numpy array;
   * they then stay out of the pickle, unless it answers `true`. Keep them in
   * order, and give them to `loads` as `buffers` (PEP 574).
   */
  bufferCallback?: ((buffer: Uint8Array) => unknown) | null;
  /**
   * Is asked about every value. What it gives, unless undefined or null, goes
   * into the pickle in place of the value; Python's `persistent_load` is given
   * it and gives the object.
   */
  persistentId?: (value: unknown) => unknown;
  /**
   * Says how an object that is neither array, plain object, Map, Set nor bytes
   * is pickled; undefined leaves it as it would be without. Comes before
   * {@linkcode toPickle} and before the types that Brine knows.
   */
  reduce?: (value: object) => Reduced | Global | undefined;
  /**
   * `"exact"`: an object that occurs twice is one object in Python too, and
   * cycles are kept. `"tree"`: each occurrence is written out, which is faster
   * where nothing is shared, and a cycle is an error.
   *
   * @default {"exact"}
   */
  sharing?: "exact" | "tree";
}

/** Options of whatever writes a stream of pickles. */
export interface EncoderStreamOptions extends DumpOptions {
  /**
   * Whether later pickles refer to values of earlier ones, as those of one
   * Python `Pickler` do; one `Unpickler` must then read them all.
   *
   * @default {false}
   */
  keepMemo?: boolean;
}
