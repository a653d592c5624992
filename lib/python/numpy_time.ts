/**
 * numpy's datetime64 and timedelta64: a count of units since 1970.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";
import { normalInt } from "./fields.ts";

/** A unit of numpy's, or `generic` where there is none. */
export type TimeUnit =
  | "Y"
  | "M"
  | "W"
  | "D"
  | "h"
  | "m"
  | "s"
  | "ms"
  | "us"
  | "ns"
  | "ps"
  | "fs"
  | "as"
  | "generic";

/** What a count counts: `[25s]` is `{ unit: "s", count: 25 }`. */
export interface TimeStep {
  /** The unit. */
  readonly unit: TimeUnit;
  /** How many units are one step. */
  readonly count: number;
}

const NAT = -(2n ** 63n);

const UNITS = new Set<string>(
  "Y M W D h m s ms us ns ps fs as generic".split(" "),
);

/** Digits after the second; seconds in one of the larger. */
const DIGITS = new Map<TimeUnit, number>([
  ["s", 0],
  ["ms", 3],
  ["us", 6],
  ["ns", 9],
  ["ps", 12],
  ["fs", 15],
  ["as", 18],
]);
const SECONDS = new Map<TimeUnit, bigint>([
  ["m", 60n],
  ["h", 3600n],
  ["D", 86400n],
  ["W", 604800n],
]);

/**
 * Whether a name is a unit.
 *
 * @param name Any value.
 * @returns True for one of numpy's units.
 */
export function isTimeUnit(name: unknown): name is TimeUnit {
  return typeof name === "string" && UNITS.has(name);
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** Year, month and day of a count of days since 1970, for any count. */
function civil(days: bigint): [bigint, number, number] {
  // Howard Hinnant's days_from_civil, turned around.
  const shifted = days + 719468n;
  const era = floorDiv(shifted, 146097n);
  const day = Number(shifted - era * 146097n);
  const yearOfEra = Math.floor(
    (day - Math.floor(day / 1460) + Math.floor(day / 36524) -
      Math.floor(day / 146096)) / 365,
  );
  const dayOfYear = day -
    (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const realMonth = month < 10 ? month + 3 : month - 9;
  const year = BigInt(yearOfEra) + era * 400n + (realMonth <= 2 ? 1n : 0n);
  return [year, realMonth, dayOfMonth];
}

function pad(value: bigint | number, width: number): string {
  const text = String(value);
  return text.startsWith("-")
    ? "-" + text.slice(1).padStart(width - 1, "0")
    : text.padStart(width, "0");
}

const TWO_DIGITS = Array.from(
  { length: 100 },
  (_, i) => String(i).padStart(2, "0"),
);

/** The last day that was asked for: columns mostly go in order. */
let lastDay = NaN;
let lastDate = "";

/**
 * A second in ISO 8601.
 *
 * @param seconds A safe count of seconds since 1970.
 * @returns `2024-02-29T12:30:00`.
 */
export function isoSecond(seconds: number): string {
  const days = Math.floor(seconds / 86400);
  if (days !== lastDay) {
    const [year, month, day] = civil(BigInt(days));
    lastDate = `${pad(year, 4)}-${TWO_DIGITS[month]}-${TWO_DIGITS[day]}T`;
    lastDay = days;
  }
  const clock = seconds - days * 86400;
  const minutes = Math.floor(clock / 60);
  return `${lastDate}${TWO_DIGITS[Math.floor(minutes / 60)]}:${
    TWO_DIGITS[minutes % 60]
  }:${TWO_DIGITS[clock % 60]}`;
}

const SCALES = new Map<TimeUnit, bigint>(
  [...DIGITS].map(([unit, digits]) => [unit, 10n ** BigInt(digits)]),
);

/**
 * Seconds, and what is left of a second.
 *
 * @param ticks A count since 1970.
 * @param unit What it counts: `s` to `fs`.
 * @returns Both as numbers; undefined where they are not safe.
 */
export function splitTicks(
  ticks: bigint,
  unit: TimeUnit,
): [seconds: number, rest: number] | undefined {
  const scale = SCALES.get(unit);
  if (scale === undefined || unit === "as") return undefined;
  let seconds = Number(ticks / scale);
  let rest = Number(ticks % scale);
  if (rest < 0) {
    rest += Number(scale);
    seconds--;
  }
  return Number.isSafeInteger(seconds) ? [seconds, rest] : undefined;
}

/**
 * A moment in ISO 8601, as precise as its unit.
 *
 * @param ticks How many steps since 1970.
 * @param step What a step is.
 * @returns The text; `NaT` where there is no time.
 */
export function isoTime(ticks: bigint, step: TimeStep): string {
  if (ticks === NAT) return "NaT";
  const { unit } = step;
  const value = ticks * BigInt(step.count);
  const parts = splitTicks(value, unit);
  if (parts !== undefined) {
    const digits = DIGITS.get(unit)!;
    const whole = isoSecond(parts[0]);
    return digits === 0 ? whole : `${whole}.${pad(parts[1], digits)}`;
  }
  if (unit === "generic") return String(value);
  if (unit === "Y") return pad(value + 1970n, 4);
  if (unit === "M") {
    const year = floorDiv(value, 12n);
    return `${pad(year + 1970n, 4)}-${pad(value - year * 12n + 1n, 2)}`;
  }
  const scale = 10n ** BigInt(DIGITS.get(unit) ?? 0);
  const seconds = SECONDS.has(unit)
    ? value * SECONDS.get(unit)!
    : floorDiv(value, scale);
  const days = floorDiv(seconds, 86400n);
  const [year, month, day] = civil(days);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  if (unit === "D" || unit === "W") return date;
  const clock = Number(seconds - days * 86400n);
  const hours = `${date}T${pad(Math.floor(clock / 3600), 2)}`;
  if (unit === "h") return hours;
  const minutes = `${hours}:${pad(Math.floor(clock / 60) % 60, 2)}`;
  if (unit === "m") return minutes;
  const whole = `${minutes}:${pad(clock % 60, 2)}`;
  if (unit === "s") return whole;
  const rest = value - seconds * scale;
  return `${whole}.${pad(rest, DIGITS.get(unit)!)}`;
}

/**
 * A span of time in ISO 8601: `P5D`, `PT1.5S`.
 *
 * @param ticks How many steps.
 * @param step What a step is.
 * @returns The text; `NaT` where there is no time.
 */
export function isoSpan(ticks: bigint, step: TimeStep): string {
  if (ticks === NAT) return "NaT";
  const { unit } = step;
  const value = ticks * BigInt(step.count);
  switch (unit) {
    case "generic":
      return String(value);
    case "Y":
    case "M":
    case "W":
    case "D":
      return `P${value}${unit}`;
    case "h":
    case "m":
      return `PT${value}${unit.toUpperCase()}`;
  }
  const digits = DIGITS.get(unit)!;
  const sign = value < 0n ? "-" : "";
  const text = String(value < 0n ? -value : value).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const rest = text.slice(text.length - digits).replace(/0+$/, "");
  return `PT${sign}${whole}${rest && "."}${rest}S`;
}

/**
 * Milliseconds since 1970, where a `Date` can say so.
 *
 * @param ticks How many steps since 1970.
 * @param step What a step is.
 * @returns A number; NaN where there is no time.
 */
export function epochMillis(ticks: bigint, step: TimeStep): number {
  if (ticks === NAT) return NaN;
  const value = ticks * BigInt(step.count);
  const { unit } = step;
  if (unit === "Y") return Date.UTC(Number(value) + 1970, 0);
  if (unit === "M") {
    const year = floorDiv(value, 12n);
    return Date.UTC(Number(year) + 1970, Number(value - year * 12n));
  }
  if (SECONDS.has(unit)) return Number(value * SECONDS.get(unit)!) * 1000;
  const digits = DIGITS.get(unit);
  if (digits === undefined) return NaN;
  return digits < 3
    ? Number(value) * 1000
    : Number(floorDiv(value, 10n ** BigInt(digits - 3)));
}

/**
 * A moment of numpy's, `datetime64`.
 *
 * @example Read one
 * ```ts
 * import { Datetime64 } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new Datetime64(19782n, "D")), "2024-02-29");
 * ```
 */
export class Datetime64 {
  /** How many steps since 1970; -(2^63) is NaT. */
  readonly ticks: bigint;
  /** The unit of a step. */
  readonly unit: TimeUnit;
  /** How many units are a step. */
  readonly count: number;

  /**
   * Makes one.
   *
   * @param ticks How many steps since 1970.
   * @param step The unit, or unit and count.
   */
  constructor(ticks: bigint, step: TimeUnit | TimeStep) {
    this.ticks = ticks;
    this.unit = typeof step === "string" ? step : step.unit;
    this.count = typeof step === "string" ? 1 : step.count;
  }

  /** Whether it is numpy's "not a time". */
  get isNaT(): boolean {
    return this.ticks === NAT;
  }

  /**
   * The nearest `Date` before it.
   *
   * @returns A Date; invalid for NaT.
   */
  toDate(): Date {
    return new Date(epochMillis(this.ticks, this));
  }

  /**
   * As numpy's `str`: ISO 8601, as precise as the unit.
   *
   * @returns The text, or `NaT`.
   */
  toString(): string {
    return isoTime(this.ticks, this);
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns ISO 8601, or null for NaT.
   */
  toJSON(): string | null {
    return this.isNaT ? null : this.toString();
  }
}

/**
 * A span of time of numpy's, `timedelta64`.
 *
 * @example Read one
 * ```ts
 * import { Timedelta64 } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new Timedelta64(1500n, "ms")), "PT1.5S");
 * ```
 */
export class Timedelta64 {
  /** How many steps; -(2^63) is NaT. */
  readonly ticks: bigint;
  /** The unit of a step. */
  readonly unit: TimeUnit;
  /** How many units are a step. */
  readonly count: number;

  /**
   * Makes one.
   *
   * @param ticks How many steps.
   * @param step The unit, or unit and count.
   */
  constructor(ticks: bigint, step: TimeUnit | TimeStep) {
    this.ticks = ticks;
    this.unit = typeof step === "string" ? step : step.unit;
    this.count = typeof step === "string" ? 1 : step.count;
  }

  /** Whether it is numpy's "not a time". */
  get isNaT(): boolean {
    return this.ticks === NAT;
  }

  /**
   * How many units it is.
   *
   * @returns A number where it is safe, else a bigint.
   */
  toUnits(): number | bigint {
    return normalInt(this.ticks * BigInt(this.count));
  }

  /**
   * As ISO 8601 has it.
   *
   * @returns The text, or `NaT`.
   */
  toString(): string {
    return isoSpan(this.ticks, this);
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns ISO 8601, or null for NaT.
   */
  toJSON(): string | null {
    return this.isNaT ? null : this.toString();
  }
}

setKeyKind(Datetime64.prototype, {
  kind: "value",
  key: (time: Datetime64) =>
    `datetime64 ${time.ticks * BigInt(time.count)} ${time.unit}`,
});
setKeyKind(Timedelta64.prototype, {
  kind: "value",
  key: (span: Timedelta64) =>
    `timedelta64 ${span.ticks * BigInt(span.count)} ${span.unit}`,
});
