/**
 * Python's timedelta.
 *
 * @module
 */

import { setKeyKind } from "./keys.ts";
import { Global } from "./object.ts";
import { register } from "./registry.ts";
import { needTemporal, type TemporalDuration } from "./temporal.ts";

/** Microseconds of a second. */
export const MICROSECONDS_OF_SECOND = 1_000_000;
/** Microseconds of a day. */
export const MICROSECONDS_OF_DAY = 86_400_000_000;
const MAX_DAYS = 999_999_999;

/**
 * A Python `timedelta`, normalized as Python has it: only the days are negative.
 *
 * @example Add it up
 * ```ts
 * import { TimeDelta } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const delta = new TimeDelta(1, 3600, 500_000);
 * assertEquals(delta.totalSeconds(), 90000.5);
 * assertEquals(String(delta), "1 day, 1:00:00.500000");
 * assertEquals(delta.toJSON(), "P1DT1H0.5S");
 * ```
 */
export class TimeDelta {
  /** Days, less than a milliard either way. */
  readonly days: number;
  /** Seconds, 0 to 86399. */
  readonly seconds: number;
  /** Microseconds, 0 to 999999. */
  readonly microseconds: number;

  /**
   * Makes one; what is too much for one field goes to the next.
   *
   * @param days Days.
   * @param seconds Seconds.
   * @param microseconds Microseconds.
   * @throws {RangeError} Where it is a milliard days or more, or not whole.
   */
  constructor(
    days: number,
    seconds = 0,
    microseconds = 0,
  ) {
    if (![days, seconds, microseconds].every(Number.isSafeInteger)) {
      throw tooLarge();
    }
    const second = seconds + Math.floor(microseconds / MICROSECONDS_OF_SECOND);
    const day = days + Math.floor(second / 86_400);
    if (Math.abs(day) > MAX_DAYS) throw tooLarge();
    this.days = day;
    this.seconds = modulo(second, 86_400);
    this.microseconds = modulo(microseconds, MICROSECONDS_OF_SECOND);
  }

  /**
   * All of it in microseconds; exact up to 285 years.
   *
   * @returns The number.
   */
  totalMicroseconds(): number {
    return this.days * MICROSECONDS_OF_DAY +
      this.seconds * MICROSECONDS_OF_SECOND + this.microseconds;
  }

  /**
   * All of it in seconds, as Python's `total_seconds`.
   *
   * @returns The number.
   */
  totalSeconds(): number {
    return this.totalMicroseconds() / MICROSECONDS_OF_SECOND;
  }

  /** Days, hours, minutes, seconds, microseconds, all of one sign. */
  #parts(): { sign: number; parts: number[] } {
    let { days, seconds, microseconds } = this;
    const sign = days < 0 ? -1 : 1;
    if (days < 0) {
      days = -days;
      if (microseconds > 0) {
        microseconds = MICROSECONDS_OF_SECOND - microseconds;
        seconds++;
      }
      if (seconds > 0) {
        seconds = 86_400 - seconds;
        days--;
      }
    }
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return { sign, parts: [days, hours, minutes, seconds % 60, microseconds] };
  }

  /**
   * The platform's own duration.
   *
   * @returns A `Temporal.Duration`.
   * @throws {TypeError} Where the runtime has no Temporal.
   */
  toTemporal(): TemporalDuration {
    const { sign, parts } = this.#parts();
    const [days, hours, minutes, seconds, micro = 0] = parts.map((part) =>
      sign * part + 0
    );
    const { Duration } = needTemporal();
    return new Duration(
      0,
      0,
      0,
      days,
      hours,
      minutes,
      seconds,
      Math.trunc(micro / 1000) + 0,
      micro % 1000 + 0,
    ) as TemporalDuration;
  }

  /**
   * As Python's `str`: `-1 day, 23:59:59`.
   *
   * @returns The text.
   */
  toString(): string {
    const { days, seconds, microseconds } = this;
    const minute = String(Math.floor(seconds / 60) % 60).padStart(2, "0");
    const second = String(seconds % 60).padStart(2, "0");
    const micro = microseconds === 0
      ? ""
      : `.${String(microseconds).padStart(6, "0")}`;
    const day = days === 0
      ? ""
      : `${days} day${Math.abs(days) === 1 ? "" : "s"}, `;
    return `${day}${Math.floor(seconds / 3600)}:${minute}:${second}${micro}`;
  }

  /**
   * What `JSON.stringify` writes: an ISO 8601 duration, `P1DT2H3.5S`.
   *
   * @returns The text.
   */
  toJSON(): string {
    const { sign, parts } = this.#parts();
    const [days, hours, minutes, seconds, micro] = parts;
    let time = "";
    if (hours !== 0) time += `${hours}H`;
    if (minutes !== 0) time += `${minutes}M`;
    if (micro !== 0) {
      const digits = String(micro).padStart(6, "0").replace(/0+$/, "");
      time += `${seconds}.${digits}S`;
    } else if (seconds !== 0) time += `${seconds}S`;
    const day = days === 0 ? "" : `${days}D`;
    if (day === "" && time === "") return "PT0S";
    return `${sign < 0 ? "-" : ""}P${day}${time && `T${time}`}`;
  }
}

/** As Python's `%`, and never -0. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

function tooLarge(): RangeError {
  return new RangeError("a TimeDelta is whole, and less than 10^9 days");
}

/**
 * Whether a value is a timedelta.
 *
 * @param value Any value.
 * @returns Whether it is one.
 */
export function isTimeDelta(value: unknown): value is TimeDelta {
  return value instanceof TimeDelta;
}

setKeyKind(TimeDelta.prototype, {
  kind: "value",
  key: ({ days, seconds, microseconds }: TimeDelta) =>
    `timedelta ${days} ${seconds} ${microseconds}`,
});

const TIMEDELTA = new Global("datetime", "timedelta");

register({
  names: ["datetime.timedelta", "_pydatetime.timedelta"],
  make: (args) => {
    if (args.length > 3 || !args.every(Number.isSafeInteger)) return undefined;
    const [days = 0, seconds = 0, microseconds = 0] = args as number[];
    try {
      return new TimeDelta(days, seconds, microseconds);
    } catch {
      return undefined;
    }
  },
  class: TimeDelta,
  reduce: ({ days, seconds, microseconds }: TimeDelta) => ({
    callable: TIMEDELTA,
    args: [days, seconds, microseconds],
  }),
  toPlain: (delta: TimeDelta) => delta.toJSON(),
});
