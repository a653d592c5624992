/**
 * joblib's arrays: their bytes lie in the file right behind the pickle's
 * opcodes (joblib's `numpy_pickle.py`).
 *
 * @module
 */

import { fieldOf, toInteger } from "./fields.ts";
import { inertType } from "./inert.ts";
import { arrayOver, type NdArray } from "./numpy.ts";
import { DType, shapeFrom } from "./numpy_dtype.ts";
import { Global, PyObject } from "./object.ts";
import { type InlineSource, register } from "./registry.ts";

/** What stands for an array until its bytes are read. */
class ArrayWrapper extends PyObject {
  /** Reads the array; undefined where not all of it has arrived. */
  read(source: InlineSource): [unknown] | undefined {
    const dtype = fieldOf(this.state, "dtype");
    const shape = shapeFrom(fieldOf(this.state, "shape"));
    // Without these it is no wrapper, and nothing can be told of what follows.
    if (!(dtype instanceof DType) || shape === undefined) return [this];
    if (dtype.hasObjects) return source.nested();
    let size = BigInt(dtype.itemsize);
    for (const dimension of shape) size *= BigInt(dimension);
    const alignment = toInteger(
      fieldOf(this.state, "numpy_array_alignment_bytes"),
    );
    if (alignment !== undefined) {
      const padding = source.take(1);
      if (padding === undefined) return undefined;
      if (padding[0]! > 0 && source.take(padding[0]!) === undefined) {
        return undefined;
      }
    }
    // More than any file has: it is asked for, and never comes.
    const bytes = source.take(Number(size));
    if (bytes === undefined) return undefined;
    const array = this.#over(bytes, dtype, shape);
    return array === undefined ? undefined : [array];
  }

  #over(
    bytes: Uint8Array,
    dtype: DType,
    shape: number[],
  ): NdArray | undefined {
    const subclass = fieldOf(this.state, "subclass");
    const order = fieldOf(this.state, "order") === "F" ? "F" : "C";
    return arrayOver(bytes, {
      dtype,
      shape,
      order,
      ...(subclass instanceof Global ? { class: subclass } : {}),
    });
  }
}

const WRAPPER = inertType(
  ["joblib.numpy_pickle.NumpyArrayWrapper"],
  ArrayWrapper,
);

register({
  ...WRAPPER,
  class: ArrayWrapper,
  // A later BUILD takes the place of an earlier one: it may be done again.
  build: (wrapper: ArrayWrapper, state) => {
    wrapper.state = state;
    return true;
  },
  inline: (wrapper: ArrayWrapper, source) => wrapper.read(source),
});
