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

export { PyArray, type PyArrayData } from "./python/array.ts";
export * from "./python/byte_array.ts";
export { PyException } from "./python/builtins.ts";
export * from "./python/collections.ts";
export * from "./python/complex.ts";
export * from "./python/constants.ts";
export {
  PyDate,
  PyDateTime,
  PyTime,
  type TimeOptions,
} from "./python/datetime.ts";
export * from "./python/dict.ts";
export * from "./python/enum.ts";
export * from "./python/float.ts";
export * from "./python/functions.ts";
export * from "./python/io.ts";
export * from "./python/ip_address.ts";
export * from "./python/iterators.ts";
export { type CanonicalKey, KeyMaker, UnhashableError } from "./python/keys.ts";
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
  DataFrame,
  PandasArray,
  PandasDtype,
  PandasIndex,
  Series,
} from "./python/pandas.ts";
export {
  DateOffset,
  Interval,
  NA,
  NaT,
  PandasMissing,
  Period,
  Timedelta,
  Timestamp,
} from "./python/pandas_time.ts";
export { NetworkxGraph, SklearnTree, SparseMatrix } from "./python/science.ts";
export {
  Tensor,
  TorchDevice,
  TorchSize,
  TorchStorage,
  type TorchStorageParts,
} from "./python/torch.ts";
export {
  ArrowArray,
  ArrowBuffer,
  ArrowChunkedArray,
  ArrowTable,
  ArrowType,
} from "./python/arrow.ts";
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
export { Decimal, Fraction } from "./python/numbers.ts";
export * from "./python/path.ts";
export * from "./python/pickle_buffer.ts";
export * from "./python/range.ts";
export * from "./python/regex.ts";
export type {
  InlineSource,
  MakeCall,
  PyType,
  Reduced,
} from "./python/registry.ts";
export * from "./python/set.ts";
export * from "./python/slice.ts";
export type {
  TemporalDuration,
  TemporalInstant,
  TemporalPlainDate,
  TemporalPlainDateTime,
  TemporalPlainTime,
  TemporalZonedDateTime,
} from "./python/temporal.ts";
export { TimeDelta } from "./python/timedelta.ts";
export {
  PytzZone,
  TimeZone,
  type WallClock,
  ZoneInfo,
} from "./python/timezone.ts";
export * from "./python/tuple.ts";
export * from "./python/typing.ts";
export * from "./python/uuid.ts";
