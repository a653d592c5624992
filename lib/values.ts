/**
 * Values that Python has and JavaScript lacks.
 *
 * @example Tell a tuple from a list
 * ```ts
 * import { Tuple } from "@brine/brine/values";
 * import { assert } from "@std/assert";
 *
 * assert(Array.isArray(Tuple.of(1, 2)));
 * ```
 *
 * @module
 */

export * from "./python/byte_array.ts";
export { PyException } from "./python/builtins.ts";
export * from "./python/complex.ts";
export * from "./python/constants.ts";
export * from "./python/dict.ts";
export * from "./python/float.ts";
export { UnhashableError } from "./python/keys.ts";
export { LimitError, type Limits } from "./python/limits.ts";
export {
  MaskedArray,
  NdArray,
  type NdArrayData,
  type NdArrayOptions,
  type NdArrayOrder,
  NumpyScalar,
} from "./python/numpy.ts";
export {
  DType,
  type DTypeField,
  type DTypeKind,
} from "./python/numpy_dtype.ts";
export { NumpyRandom, SeedSequence } from "./python/numpy_random.ts";
export {
  Datetime64,
  Timedelta64,
  type TimeStep,
  type TimeUnit,
} from "./python/numpy_time.ts";
export {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
  type PyObjectParts,
  setAttributes,
  type Via,
} from "./python/object.ts";
export * from "./python/range.ts";
export type { MakeCall, PyType, Reduced } from "./python/registry.ts";
export * from "./python/set.ts";
export * from "./python/slice.ts";
export * from "./python/tuple.ts";
