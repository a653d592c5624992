/**
 * Python's date, time and datetime.
 *
 * @module
 */

import { bytesOf, isIntWithin } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Global } from "./object.ts";
import { type MakeCall, register, typeOf } from "./registry.ts";
import {
  needTemporal,
  temporal,
  type TemporalInstant,
  type TemporalPlainDate,
  type TemporalPlainDateTime,
  type TemporalPlainTime,
  type TemporalZonedDateTime,
} from "./temporal.ts";
import { TimeDelta } from "./timedelta.ts";
import {
  offsetText,
  TimeZone,
  utcOffset,
  wallMilliseconds,
  ZoneInfo,
} from "./timezone.ts";

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : DAYS[month - 1] ?? 0;
}

function isDate(year: unknown, month: unknown, day: unknown): boolean {
  return isIntWithin(year, [1, 9999]) && isIntWithin(month, [1, 12]) &&
    isIntWithin(day, [1, daysOf(year, month)]);
}

function isTime(fields: readonly unknown[]): boolean {
  const [hour = 0, minute = 0, second = 0, microsecond = 0] = fields;
  return isIntWithin(hour, [0, 23]) && isIntWithin(minute, [0, 59]) &&
    isIntWithin(second, [0, 59]) && isIntWithin(microsecond, [0, 999_999]);
}

function padded(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

/**
 * A Python `date`.
 *
 * @example Write one
 * ```ts
 * import { pickle, PyDate } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new PyDate(2024, 2, 29)));
 * assertEquals(String(back), "2024-02-29");
 * ```
 */
export class PyDate {
  /** 1 to 9999. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;

  /**
   * Makes one.
   *
   * @param year 1 to 9999.
   * @param month 1 to 12.
   * @param day 1 to 31.
   * @throws {RangeError} Where there is no such day.
   */
  constructor(year: number, month: number, day: number) {
    if (!isDate(year, month, day)) throw new RangeError("no such day");
    this.year = year;
    this.month = month;
    this.day = day;
  }

  /**
   * The platform's own date.
   *
   * @returns A `Temporal.PlainDate`.
   * @throws {TypeError} Where the runtime has no Temporal.
   */
  toTemporal(): TemporalPlainDate {
    const { PlainDate } = needTemporal();
    return new PlainDate(this.year, this.month, this.day) as TemporalPlainDate;
  }

  /**
   * Its midnight in UTC.
   *
   * @returns A `Date`.
   */
  toDate(): Date {
    return new Date(wallMilliseconds({ ...this, ...MIDNIGHT }));
  }

  /**
   * In ISO 8601: `2024-02-29`.
   *
   * @returns The text.
   */
  toString(): string {
    return `${padded(this.year, 4)}-${padded(this.month)}-${padded(this.day)}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text, in ISO 8601.
   */
  toJSON(): string {
    return this.toString();
  }
}

const MIDNIGHT = { hour: 0, minute: 0, second: 0, microsecond: 0, fold: 0 };

/** What a `time` and a `datetime` have besides their fields. */
export interface TimeOptions {
  /**
   * 1 for the second of two equal wall clocks (PEP 495).
   *
   * @default {0}
   */
  fold?: number;
  /**
   * Its zone, Python's `tzinfo`: a TimeZone, a ZoneInfo, or something that
   * Brine does not know.
   *
   * @default {null}
   */
  tzinfo?: unknown;
}

/**
 * A Python `time`.
 *
 * @example Write one
 * ```ts
 * import { pickle, PyTime } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const back = pickle.loads(pickle.dumps(new PyTime([13, 37])));
 * assertEquals(String(back), "13:37:00");
 * ```
 */
export class PyTime {
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
  /** 0 to 999999. */
  readonly microsecond: number;
  /** 1 for the second of two equal wall clocks. */
  readonly fold: number;
  /** Its zone, or null. */
  readonly tzinfo: unknown;

  /**
   * Makes one.
   *
   * @param fields Hour, minute, second and microsecond, as many as are not 0.
   * @param options Fold and zone.
   * @throws {RangeError} Where there is no such time.
   */
  constructor(fields: readonly number[], options: TimeOptions = {}) {
    const [hour = 0, minute = 0, second = 0, microsecond = 0] = fields;
    if (!isTime(fields)) throw new RangeError("no such time of day");
    this.hour = hour;
    this.minute = minute;
    this.second = second;
    this.microsecond = microsecond;
    this.fold = options.fold === 1 ? 1 : 0;
    this.tzinfo = options.tzinfo ?? null;
  }

  /**
   * The platform's own time; its zone is left out.
   *
   * @returns A `Temporal.PlainTime`.
   * @throws {TypeError} Where the runtime has no Temporal.
   */
  toTemporal(): TemporalPlainTime {
    const { PlainTime } = needTemporal();
    return new PlainTime(...temporalTime(this)) as TemporalPlainTime;
  }

  /**
   * In ISO 8601, as Python's `isoformat`: `23:59:59.999999+02:00`.
   *
   * @returns The text.
   */
  toString(): string {
    const offset = utcOffset(this.tzinfo);
    return timeText(this) + (offset === undefined ? "" : offsetText(offset));
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text, in ISO 8601.
   */
  toJSON(): string {
    return this.toString();
  }
}

type ClockTime = Pick<PyTime, "hour" | "minute" | "second" | "microsecond">;

function timeText({ hour, minute, second, microsecond }: ClockTime): string {
  const text = `${padded(hour)}:${padded(minute)}:${padded(second)}`;
  return microsecond === 0 ? text : `${text}.${padded(microsecond, 6)}`;
}

function temporalTime(time: ClockTime): number[] {
  const { hour, minute, second, microsecond } = time;
  const milli = Math.floor(microsecond / 1000);
  return [hour, minute, second, milli, microsecond % 1000];
}

/**
 * A Python `datetime`.
 *
 * @example Read one
 * ```ts
 * import { PyDateTime, TimeZone } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const then = new PyDateTime([2024, 2, 29, 13, 37], { tzinfo: TimeZone.utc });
 * assertEquals(String(then), "2024-02-29T13:37:00+00:00");
 * assertEquals(then.toDate(), new Date("2024-02-29T13:37Z"));
 * ```
 */
export class PyDateTime {
  /** 1 to 9999. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
  /** 0 to 999999. */
  readonly microsecond: number;
  /** 1 for the second of two equal wall clocks. */
  readonly fold: number;
  /** Its zone, or null. */
  readonly tzinfo: unknown;

  /**
   * Makes one.
   *
   * @param fields Year, month and day, then hour, minute, second and
   * microsecond, as many as are not 0.
   * @param options Fold and zone.
   * @throws {RangeError} Where there is no such time.
   */
  constructor(fields: readonly number[], options: TimeOptions = {}) {
    const [year = 0, month = 0, day = 0] = fields;
    const hour = fields[3] ?? 0;
    const minute = fields[4] ?? 0;
    const second = fields[5] ?? 0;
    const microsecond = fields[6] ?? 0;
    if (!isDate(year, month, day)) throw new RangeError("no such day");
    if (!isTime([hour, minute, second, microsecond])) {
      throw new RangeError("no such time of day");
    }
    this.year = year;
    this.month = month;
    this.day = day;
    this.hour = hour;
    this.minute = minute;
    this.second = second;
    this.microsecond = microsecond;
    this.fold = options.fold === 1 ? 1 : 0;
    this.tzinfo = options.tzinfo ?? null;
  }

  /**
   * Makes one of a `Date`, in UTC.
   *
   * @param date The `Date`.
   * @returns The datetime, aware.
   * @throws {RangeError} Where Python has no such year.
   */
  static fromDate(date: Date): PyDateTime {
    return new PyDateTime([
      date.getUTCFullYear(),
      date.getUTCMonth() + 1,
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
      date.getUTCMilliseconds() * 1000,
    ], { tzinfo: TimeZone.utc });
  }

  /**
   * How far its zone is ahead of UTC.
   *
   * @returns Microseconds; undefined where it has no zone, or one that is not
   * known.
   */
  utcOffset(): number | undefined {
    return utcOffset(this.tzinfo, this);
  }

  /**
   * The instant, to the millisecond; UTC's where it has no zone.
   *
   * @returns A `Date`.
   */
  toDate(): Date {
    const micro = this.microsecond - (this.utcOffset() ?? 0);
    return new Date(wallMilliseconds(this) + Math.floor(micro / 1000));
  }

  /**
   * The platform's own: with a zone of the IANA database or an offset of whole
   * minutes a `Temporal.ZonedDateTime`, with another offset the
   * `Temporal.Instant`, and without any a `Temporal.PlainDateTime`.
   *
   * @returns One of the three.
   * @throws {TypeError} Where the runtime has no Temporal.
   */
  toTemporal():
    | TemporalPlainDateTime
    | TemporalZonedDateTime
    | TemporalInstant {
    const { PlainDateTime, ZonedDateTime, Instant } = needTemporal();
    const { year, month, day, fold, tzinfo } = this;
    const offset = this.utcOffset();
    const [hour, minute, second, millisecond, microsecond] = temporalTime(this);
    if (offset === undefined) {
      return new PlainDateTime(
        year,
        month,
        day,
        hour,
        minute,
        second,
        millisecond,
        microsecond,
      ) as TemporalPlainDateTime;
    }
    const named = tzinfo instanceof ZoneInfo;
    if (named || offset % 60_000_000 === 0) {
      return ZonedDateTime.from({
        year,
        month,
        day,
        hour,
        minute,
        second,
        millisecond,
        microsecond,
        timeZone: named
          ? tzinfo.key
          : tzinfo === TimeZone.utc
          ? "UTC"
          : offsetText(offset),
      }, {
        // PEP 495 turns the two over in a gap, as Temporal's names do.
        disambiguation: fold === 1 ? gapAware(this) : "compatible",
      }) as TemporalZonedDateTime;
    }
    const instant = Instant.fromEpochMilliseconds(
      wallMilliseconds(this) - offset / 1000,
    ) as { add(duration: { microseconds: number }): unknown };
    return instant.add({ microseconds: this.microsecond }) as TemporalInstant;
  }

  /**
   * In ISO 8601, as Python's `isoformat`: `2024-02-29T13:37:59.123456+02:00`.
   *
   * @returns The text.
   */
  toString(): string {
    const offset = this.utcOffset();
    const date = `${padded(this.year, 4)}-${padded(this.month)}-${
      padded(this.day)
    }`;
    return `${date}T${timeText(this)}${
      offset === undefined ? "" : offsetText(offset)
    }`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text, in ISO 8601.
   */
  toJSON(): string {
    return this.toString();
  }
}

/** Of a fold the later one; of a gap that with the offset after it. */
function gapAware(time: PyDateTime): "earlier" | "later" {
  const first = utcOffset(time.tzinfo, { ...time, fold: 0 }) ?? 0;
  const second = utcOffset(time.tzinfo, { ...time, fold: 1 }) ?? 0;
  return second > first ? "earlier" : "later";
}

setKeyKind(PyDate.prototype, {
  kind: "value",
  key: (date: PyDate) => `date ${date}`,
});
setKeyKind(PyTime.prototype, {
  kind: "value",
  key: (time: PyTime) => {
    const offset = utcOffset(time.tzinfo);
    const { hour, minute, second, microsecond } = time;
    const micro = ((hour * 60 + minute) * 60 + second) * 1e6 + microsecond;
    return offset === undefined
      ? `time naive ${micro}`
      : `time ${micro - offset}`;
  },
});
setKeyKind(PyDateTime.prototype, {
  kind: "value",
  key: (time: PyDateTime) => {
    // PEP 495: the hash leaves out the fold, as does a comparison within one
    // zone; a time that has two offsets equals no time of another zone.
    const offset = utcOffset(time.tzinfo, { ...time, fold: 0 });
    const wall = `${wallMilliseconds(time)} ${time.microsecond}`;
    if (offset === undefined) return `datetime naive ${wall}`;
    if (
      time.tzinfo instanceof ZoneInfo &&
      utcOffset(time.tzinfo, { ...time, fold: 1 }) !== offset
    ) return `datetime ${time.tzinfo.key} ${wall}`;
    // Both whole, so that equal instants have equal texts.
    const micro = time.microsecond - offset;
    const second = Math.floor(micro / 1e6);
    return `datetime ${wallMilliseconds(time) / 1000 + second} ${
      micro - second * 1e6
    }`;
  },
});

// Modules/_datetimemodule.c: the bytes of a pickled state. Bit 7 of the month,
// or of the hour of a time, is the fold.

function makeDate(args: readonly unknown[]): PyDate | undefined {
  if (args.length === 1) {
    const state = bytesOf(args[0], 4);
    if (state === undefined) return undefined;
    const [high = 0, low = 0, month, day] = state;
    args = [high * 256 + low, month, day];
  }
  const [year, month, day] = args;
  if (args.length !== 3 || !isDate(year, month, day)) return undefined;
  return new PyDate(year as number, month as number, day as number);
}

/** None, or an object of some class. */
function isZone(value: unknown): boolean {
  return typeof value === "object";
}

/** What is given by name; only `fold` and `tzinfo` can be. */
function namedOptions(
  args: readonly unknown[],
  { kwargs }: MakeCall,
): TimeOptions | undefined {
  const tzinfo = args[0] ?? null;
  if (args.length > 1 || !isZone(tzinfo) || kwargs !== undefined) {
    return undefined;
  }
  return { tzinfo };
}

function makeTime(
  args: readonly unknown[],
  call: MakeCall,
): PyTime | undefined {
  const state = args.length > 0 ? bytesOf(args[0], 6) : undefined;
  if (state !== undefined) {
    const options = namedOptions(args.slice(1), call);
    const [first = 0, minute = 0, second = 0, a = 0, b = 0, c = 0] = state;
    const fields = [first & 0x7f, minute, second, a << 16 | b << 8 | c];
    if (options === undefined || !isTime(fields)) return undefined;
    return new PyTime(fields, { ...options, fold: first >> 7 });
  }
  const fields = args.slice(0, 4);
  const options = namedOptions(args.slice(4), call);
  if (options === undefined || !isTime(fields)) return undefined;
  return new PyTime(fields as number[], options);
}

/** The ten bytes that pickles nearly always have. */
function ofState(
  state: Uint8Array,
  tzinfo: unknown,
): PyDateTime | undefined {
  const year = state[0]! << 8 | state[1]!;
  const month = state[2]! & 0x7f;
  const fields = [
    year,
    month,
    state[3]!,
    state[4]!,
    state[5]!,
    state[6]!,
    state[7]! << 16 | state[8]! << 8 | state[9]!,
  ];
  if (
    !isDate(year, month, fields[2]) || fields[3]! > 23 || fields[4]! > 59 ||
    fields[5]! > 59 || fields[6]! > 999_999
  ) return undefined;
  return new PyDateTime(fields, { tzinfo, fold: state[2]! >> 7 });
}

function makeDateTime(
  args: readonly unknown[],
  call: MakeCall,
): PyDateTime | undefined {
  const state = args.length > 0 ? bytesOf(args[0], 10) : undefined;
  if (state !== undefined) {
    const options = namedOptions(args.slice(1), call);
    return options && ofState(state, options.tzinfo);
  }
  const [year, month, day] = args;
  const options = namedOptions(args.slice(7), call);
  const time = args.slice(3, 7);
  if (
    args.length < 3 || options === undefined || !isDate(year, month, day) ||
    !isTime(time)
  ) return undefined;
  return new PyDateTime(args.slice(0, 7) as number[], options);
}

function withZone(state: number[], tzinfo: unknown): unknown[] {
  const bytes = Uint8Array.from(state);
  return tzinfo === null ? [bytes] : [bytes, tzinfo];
}

/** Below protocol 4 Python leaves the fold out, for the sake of old readers. */
function foldBit(fold: number, protocol: number): number {
  return fold === 1 && protocol > 3 ? 0x80 : 0;
}

function reduceDateTime(
  value: PyDateTime,
  protocol: number,
): { callable: Global; args: unknown[] } {
  const { year, month, day, hour, minute, second, microsecond } = value;
  return {
    callable: DATETIME,
    args: withZone([
      year >> 8,
      year & 0xff,
      month | foldBit(value.fold, protocol),
      day,
      hour,
      minute,
      second,
      microsecond >> 16,
      microsecond >> 8 & 0xff,
      microsecond & 0xff,
    ], value.tzinfo),
  };
}

const DATE = new Global("datetime", "date");
const TIME = new Global("datetime", "time");
const DATETIME = new Global("datetime", "datetime");

register(
  {
    names: ["datetime.date", "_pydatetime.date"],
    make: makeDate,
    class: PyDate,
    reduce: ({ year, month, day }: PyDate) => ({
      callable: DATE,
      args: [Uint8Array.of(year >> 8, year & 0xff, month, day)],
    }),
    toPlain: String,
  },
  {
    names: ["datetime.time", "_pydatetime.time"],
    make: makeTime,
    class: PyTime,
    reduce: (
      { hour, minute, second, microsecond, fold, tzinfo }: PyTime,
      { protocol },
    ) => ({
      callable: TIME,
      args: withZone([
        hour | foldBit(fold, protocol),
        minute,
        second,
        microsecond >> 16,
        microsecond >> 8 & 0xff,
        microsecond & 0xff,
      ], tzinfo),
    }),
    toPlain: String,
  },
  {
    names: ["datetime.datetime", "_pydatetime.datetime"],
    make: makeDateTime,
    class: PyDateTime,
    reduce: (value: PyDateTime, { protocol }) =>
      reduceDateTime(value, protocol),
    toPlain: String,
  },
  {
    // JavaScript's own, which has no zone: an instant.
    names: [],
    class: Date,
    reduce: (date: Date, { protocol }) =>
      reduceDateTime(PyDateTime.fromDate(date), protocol),
    toPlain: (date: Date) => date.toISOString(),
  },
);

// What a caller's Temporal values become, where the runtime has them.

interface PlainFields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  microsecond: number;
  withCalendar(calendar: string): PlainFields;
}

function dateFields(value: PlainFields): [number, number, number] {
  const { year, month, day } = value.withCalendar("iso8601");
  return [year, month, day];
}

function timeFields(value: PlainFields): number[] {
  const { hour, minute, second, millisecond, microsecond } = value;
  return [hour, minute, second, millisecond * 1000 + microsecond];
}

type TemporalClass = abstract new (...args: never[]) => unknown;

function registerTemporal(): void {
  const names = temporal();
  if (names === undefined) return;
  const add = (cls: unknown, convert: (value: never) => object): void =>
    register({
      names: [],
      class: cls as TemporalClass,
      reduce: (value, options) => {
        const converted = convert(value as never);
        return typeOf(converted)!.reduce!(converted, options);
      },
      toPlain: (value) => convert(value as never),
    });
  add(
    names.PlainDate,
    (value: PlainFields) => new PyDate(...dateFields(value)),
  );
  add(names.PlainTime, (value: PlainFields) => new PyTime(timeFields(value)));
  add(
    names.PlainDateTime,
    (value: PlainFields) =>
      new PyDateTime([...dateFields(value), ...timeFields(value)]),
  );
  add(
    names.ZonedDateTime,
    (value: PlainFields & ZonedFields) => {
      const fields = [...dateFields(value), ...timeFields(value)];
      if (/^[+-]/.test(value.timeZoneId) || value.timeZoneId === "UTC") {
        const micro = Number(value.offsetNanoseconds) / 1000;
        const tzinfo = micro === 0
          ? TimeZone.utc
          : new TimeZone(new TimeDelta(0, 0, Math.trunc(micro)));
        return new PyDateTime(fields, { tzinfo });
      }
      const tzinfo = new ZoneInfo(value.timeZoneId);
      const first = new PyDateTime(fields, { tzinfo });
      return first.toDate().getTime() === value.epochMilliseconds
        ? first
        : new PyDateTime(fields, { tzinfo, fold: 1 });
    },
  );
  add(
    names.Instant,
    (value: { epochNanoseconds: bigint }) => {
      const micro = value.epochNanoseconds / 1000n -
        (value.epochNanoseconds % 1000n < 0n ? 1n : 0n);
      const rest = ((micro % 1_000_000n) + 1_000_000n) % 1_000_000n;
      const date = PyDateTime.fromDate(
        new Date(Number((micro - rest) / 1000n)),
      );
      const { year, month, day, hour, minute, second, tzinfo } = date;
      return new PyDateTime(
        [year, month, day, hour, minute, second, Number(rest)],
        { tzinfo },
      );
    },
  );
  add(names.Duration, (value: DurationFields) => {
    if (value.years !== 0 || value.months !== 0) {
      throw new RangeError("a timedelta has no years and months");
    }
    return new TimeDelta(
      value.weeks * 7 + value.days,
      value.hours * 3600 + value.minutes * 60 + value.seconds,
      value.milliseconds * 1000 + value.microseconds,
    );
  });
}

interface ZonedFields {
  timeZoneId: string;
  offsetNanoseconds: number;
  epochMilliseconds: number;
}

interface DurationFields {
  years: number;
  months: number;
  weeks: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
  milliseconds: number;
  microseconds: number;
}

registerTemporal();
