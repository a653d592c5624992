/**
 * numpy's random generators: their state, to be looked at.
 *
 * @module
 */

import { isDict } from "./fields.ts";
import { inertType } from "./inert.ts";
import { Global, PyObject } from "./object.ts";
import { register } from "./registry.ts";

/**
 * A random generator of numpy's: a bit generator, or a `Generator` or
 * `RandomState` around one. Nothing is drawn from it.
 *
 * @example Look into one
 * ```ts
 * import { Global, NumpyRandom } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const generator = new NumpyRandom(
 *   new Global("numpy.random._pickle", "__bit_generator_ctor"),
 *   ["PCG64"],
 *   { state: { bit_generator: "PCG64", state: { state: 1, inc: 3 } } },
 * );
 * assertEquals(generator.algorithm, "PCG64");
 * ```
 */
export class NumpyRandom extends PyObject {
  /** The bit generator within; undefined where it is one itself. */
  get bitGenerator(): NumpyRandom | undefined {
    const [inner] = this.args;
    return inner instanceof NumpyRandom ? inner : undefined;
  }

  /** numpy's name of the algorithm, such as `PCG64`. */
  get algorithm(): string {
    const [inner] = this.args;
    if (inner instanceof NumpyRandom) return inner.algorithm;
    if (inner instanceof Global) return inner.name;
    if (typeof inner === "string") return inner;
    // Before numpy 1.17: RandomState alone, its state a tuple.
    const [name] = Array.isArray(this.state) ? this.state : [];
    return typeof name === "string" ? name : "?";
  }

  /** The state as numpy has it: a dict with `bit_generator`, `state` …. */
  get generatorState(): unknown {
    const { state } = this;
    if (isDict(state)) return state;
    if (Array.isArray(state) && isDict(state[0])) return state[0];
    return this.bitGenerator?.generatorState ?? state;
  }

  /**
   * What `JSON.stringify` writes: the state.
   *
   * @returns A dict.
   */
  override toJSON(): unknown {
    return this.generatorState ?? { bit_generator: this.algorithm };
  }
}

/**
 * numpy's `SeedSequence`: entropy and what has been spawned of it.
 *
 * @example Look into one
 * ```ts
 * import { Global, SeedSequence } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const sequence = new SeedSequence(
 *   new Global("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
 *   [],
 *   { state: [7, 0, null, 4, []] },
 * );
 * assertEquals(sequence.entropy, 7);
 * ```
 */
export class SeedSequence extends PyObject {
  // Cython sorts the fields by name: entropy, n_children_spawned, pool,
  // pool_size, spawn_key.
  /** What it was seeded with: an int, or a sequence of ints. */
  get entropy(): unknown {
    return this.#part(0);
  }

  /** How many children it has had. */
  get spawned(): unknown {
    return this.#part(1);
  }

  /** The pool of numbers. */
  get pool(): unknown {
    return this.#part(2);
  }

  /** Its place among its siblings. */
  get spawnKey(): unknown {
    return this.#part(4);
  }

  #part(index: number): unknown {
    return Array.isArray(this.state) ? this.state[index] : undefined;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns Its parts by name.
   */
  override toJSON(): unknown {
    return { entropy: this.entropy, spawn_key: this.spawnKey };
  }
}

register(
  inertType([
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random._pickle.__generator_ctor",
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random.__RandomState_ctor",
  ], NumpyRandom),
  {
    names: [],
    class: NumpyRandom,
    toPlain: (generator: NumpyRandom) => generator.toJSON(),
  },
  inertType(
    ["numpy.random.bit_generator.__pyx_unpickle_SeedSequence"],
    SeedSequence,
  ),
  {
    names: [],
    class: SeedSequence,
    toPlain: (sequence: SeedSequence) => sequence.toJSON(),
  },
);
