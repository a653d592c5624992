/**
 * `@std/assert`, by way of npm, for a clone that reaches no JSR. Same code,
 * typed here since the npm package carries no types.
 *
 * @module
 */
import * as std from "#npm";

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = new (...args: any[]) => E;

/** An assertion that failed. */
export const AssertionError: new (
  message: string,
  options?: ErrorOptions,
) => Error = std.AssertionError;

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr {
  std.assert(expr, msg);
}

/** Asserts that `expr` is `false`. */
export function assertFalse(expr: unknown, msg?: string): void {
  std.assertFalse(expr, msg);
}

/** Asserts that two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  std.assertEquals(actual, expected, msg);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  std.assertNotEquals(actual, expected, msg);
}

/** Asserts that two values are the same value. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  std.assertStrictEquals(actual, expected, msg);
}

/** Asserts that two values are not the same value. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  std.assertNotStrictEquals(actual, expected, msg);
}

/** Asserts that `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  std.assertExists(actual, msg);
}

/** Asserts that `actual` is an instance of a class. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T> {
  std.assertInstanceOf(actual, expectedType, msg);
}

/** Asserts that a text matches a regular expression. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  std.assertMatch(actual, expected, msg);
}

/** Asserts that a text contains another. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  std.assertStringIncludes(actual, expected, msg);
}

/** Asserts that an object holds at least what another holds. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  std.assertObjectMatch(actual, expected, msg);
}

/** Asserts that `actual` is greater than `expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  std.assertGreater(actual, expected, msg);
}

/** Asserts that `actual` is less than `expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  std.assertLess(actual, expected, msg);
}

/** Asserts that `actual` is less than or equal to `expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  std.assertLessOrEqual(actual, expected, msg);
}

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E {
  return std.assertThrows(fn, errorClass ?? Error, msgIncludes, msg);
}

/** Asserts that a promise rejects, and returns what it rejected with. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E> {
  return std.assertRejects(fn, errorClass ?? Error, msgIncludes, msg);
}

/** Fails. */
export function fail(msg?: string): never {
  return std.fail(msg) as never;
}

/** Fails where code should not have come. */
export function unreachable(reason?: string): never {
  return std.unreachable(reason) as never;
}
