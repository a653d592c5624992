/**
 * The platform's Temporal, where the runtime has it.
 *
 * @module
 */

/** `Temporal.PlainDate`, where the compiler knows it. */
export type TemporalPlainDate = typeof globalThis extends
  { Temporal: { PlainDate: { prototype: infer T } } } ? T : unknown;
/** `Temporal.PlainTime`, where the compiler knows it. */
export type TemporalPlainTime = typeof globalThis extends
  { Temporal: { PlainTime: { prototype: infer T } } } ? T : unknown;
/** `Temporal.PlainDateTime`, where the compiler knows it. */
export type TemporalPlainDateTime = typeof globalThis extends
  { Temporal: { PlainDateTime: { prototype: infer T } } } ? T : unknown;
/** `Temporal.ZonedDateTime`, where the compiler knows it. */
export type TemporalZonedDateTime = typeof globalThis extends
  { Temporal: { ZonedDateTime: { prototype: infer T } } } ? T : unknown;
/** `Temporal.Instant`, where the compiler knows it. */
export type TemporalInstant = typeof globalThis extends
  { Temporal: { Instant: { prototype: infer T } } } ? T : unknown;
/** `Temporal.Duration`, where the compiler knows it. */
export type TemporalDuration = typeof globalThis extends
  { Temporal: { Duration: { prototype: infer T } } } ? T : unknown;

/** What is used of Temporal, whatever the compiler knows. */
interface TemporalNames {
  PlainDate: { new (...args: unknown[]): unknown };
  PlainTime: { new (...args: unknown[]): unknown };
  PlainDateTime: { new (...args: unknown[]): unknown };
  ZonedDateTime: {
    new (...args: unknown[]): unknown;
    from(fields: unknown, options?: unknown): unknown;
  };
  Instant: { fromEpochMilliseconds(value: number): unknown };
  Duration: { new (...args: unknown[]): unknown };
}

/**
 * The runtime's Temporal.
 *
 * @returns It, or undefined where there is none.
 */
export function temporal(): TemporalNames | undefined {
  return (globalThis as { Temporal?: TemporalNames }).Temporal;
}

/**
 * The runtime's Temporal, for who cannot do without.
 *
 * @returns It.
 * @throws {TypeError} Where there is none.
 */
export function needTemporal(): TemporalNames {
  const found = temporal();
  if (found === undefined) {
    throw new TypeError("this runtime has no Temporal; use toDate()");
  }
  return found;
}
