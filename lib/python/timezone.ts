/**
 * Python's time zones: `datetime.timezone`, `zoneinfo`, and those of pytz and
 * dateutil.
 *
 * @module
 */

import { attributesIn, isIntWithin, textOf } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Global, PyObject } from "./object.ts";
import { register } from "./registry.ts";
import {
  isTimeDelta,
  MICROSECONDS_OF_DAY,
  MICROSECONDS_OF_SECOND,
  TimeDelta,
} from "./timedelta.ts";

/** A wall clock's fields, as `datetime` has them. */
export interface WallClock {
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
}

/**
 * A Python `datetime.timezone`: a fixed offset, with a name perhaps.
 *
 * @example Name an offset
 * ```ts
 * import { TimeDelta, TimeZone } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new TimeZone(new TimeDelta(0, 20700))), "UTC+05:45");
 * assertEquals(String(TimeZone.utc), "UTC");
 * ```
 */
export class TimeZone {
  /** UTC. */
  static readonly utc: TimeZone = new TimeZone(new TimeDelta(0));

  /** How far it is ahead of UTC; less than a day either way. */
  readonly offset: TimeDelta;
  /** Its name, or null. */
  readonly name: string | null;

  /**
   * Makes one.
   *
   * @param offset How far it is ahead of UTC.
   * @param name Its name.
   * @throws {RangeError} Where the offset is a day or more.
   */
  constructor(offset: TimeDelta, name: string | null = null) {
    if (!isOffset(offset)) {
      throw new RangeError("a TimeZone's offset is less than a day");
    }
    this.offset = offset;
    this.name = name;
  }

  /**
   * As Python's `str`: its name, or `UTC+05:45`.
   *
   * @returns The text.
   */
  toString(): string {
    if (this.name !== null) return this.name;
    const offset = this.offset.totalMicroseconds();
    return offset === 0 ? "UTC" : `UTC${offsetText(offset)}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.toString();
  }
}

function isOffset(offset: TimeDelta): boolean {
  return Math.abs(offset.totalMicroseconds()) < MICROSECONDS_OF_DAY;
}

// As CPython: equal offsets are equal zones, whatever they are called.
setKeyKind(TimeZone.prototype, {
  kind: "value",
  key: ({ offset }: TimeZone) => `timezone ${offset.totalMicroseconds()}`,
});

/**
 * A Python `zoneinfo.ZoneInfo`: a zone of the IANA database, by its key.
 *
 * @example Tell the time in Paris
 * ```ts
 * import { PyDateTime, ZoneInfo } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const tzinfo = new ZoneInfo("Europe/Paris");
 * const noon = new PyDateTime([2024, 7, 1, 12], { tzinfo });
 * assertEquals(String(noon), "2024-07-01T12:00:00+02:00");
 * ```
 */
export class ZoneInfo {
  /** Its key: `Europe/Paris`. */
  readonly key: string;
  /** Whether Python takes it from its cache. */
  readonly fromCache: boolean;

  /**
   * Names a zone.
   *
   * @param key Its key.
   * @param fromCache False for Python's `ZoneInfo.no_cache`.
   */
  constructor(key: string, fromCache = true) {
    this.key = key;
    this.fromCache = fromCache;
  }

  /**
   * Its key.
   *
   * @returns The key.
   */
  toString(): string {
    return this.key;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The key.
   */
  toJSON(): string {
    return this.key;
  }
}

/**
 * A zone of the pytz package.
 *
 * @example Name one
 * ```ts
 * import { PytzZone } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new PytzZone("Europe/Paris")), "Europe/Paris");
 * ```
 */
export class PytzZone {
  /** `UTC`, a key of the IANA database, or null for a fixed offset. */
  readonly zone: string | null;
  /** Offset, daylight saving, both in seconds, and name; null where not said. */
  readonly localized:
    | { readonly offset: number; readonly dst: number; readonly name: string }
    | null;
  /** Minutes of `pytz.FixedOffset`, or null. */
  readonly minutes: number | null;

  /**
   * Describes a zone.
   *
   * @param zone Its key, or null for a fixed offset.
   * @param details What else is known of it.
   */
  constructor(
    zone: string | null,
    details: {
      localized?: { offset: number; dst: number; name: string };
      minutes?: number;
    } = {},
  ) {
    this.zone = zone;
    this.localized = details.localized ?? null;
    this.minutes = details.minutes ?? null;
  }

  /**
   * As pytz's `str`.
   *
   * @returns Its key, or `pytz.FixedOffset(60)`.
   */
  toString(): string {
    return this.zone ?? `pytz.FixedOffset(${this.minutes})`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns Its key, or `pytz.FixedOffset(60)`.
   */
  toJSON(): string {
    return this.toString();
  }
}

/**
 * Writes an offset as Python does: `+05:45`, with seconds only where needed.
 *
 * @param microseconds The offset.
 * @returns Its text.
 */
export function offsetText(microseconds: number): string {
  const sign = microseconds < 0 ? "-" : "+";
  const size = Math.abs(microseconds);
  const seconds = Math.floor(size / MICROSECONDS_OF_SECOND);
  const rest = size % MICROSECONDS_OF_SECOND;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (seconds % 60 !== 0 || rest !== 0) parts.push(seconds % 60);
  const text = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return sign + text + (rest === 0 ? "" : `.${String(rest).padStart(6, "0")}`);
}

/**
 * A wall clock as if it were UTC's.
 *
 * @param clock The wall clock.
 * @returns Milliseconds since 1970, without the microseconds.
 */
export function wallMilliseconds(clock: WallClock): number {
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(clock.year, clock.month - 1, clock.day);
  return date.setUTCHours(clock.hour, clock.minute, clock.second);
}

/**
 * How far a zone is ahead of UTC.
 *
 * @param zone Python's `tzinfo`.
 * @param clock The wall clock there; left out for a `time`, which only fixed
 * offsets have an answer for.
 * @returns Microseconds, or undefined where that is not known.
 */
export function utcOffset(
  zone: unknown,
  clock?: WallClock,
): number | undefined {
  if (zone instanceof TimeZone) return zone.offset.totalMicroseconds();
  if (zone instanceof ZoneInfo) {
    return clock && databaseOffset(zone.key, clock);
  }
  if (zone instanceof PytzZone) {
    if (zone.localized !== null) {
      return zone.localized.offset * MICROSECONDS_OF_SECOND;
    }
    if (zone.minutes !== null) {
      return zone.minutes * 60 * MICROSECONDS_OF_SECOND;
    }
    if (zone.zone === "UTC") return 0;
    return clock && databaseOffset(zone.zone ?? "", clock);
  }
  if (zone instanceof PyObject) return dateutilOffset(zone);
  return undefined;
}

/** `dateutil.tz.tzutc()` and `tzoffset(name, seconds)`. */
function dateutilOffset(zone: PyObject): number | undefined {
  switch (zone.className) {
    case "dateutil.tz.tzutc":
    case "dateutil.tz.tz.tzutc":
      return 0;
    case "dateutil.tz.tzoffset":
    case "dateutil.tz.tz.tzoffset": {
      const offset = attributesIn(zone.state)?.get("_offset") ?? zone.args[1];
      if (isTimeDelta(offset)) return offset.totalMicroseconds();
      return isIntWithin(offset, [-86_399, 86_399])
        ? offset * MICROSECONDS_OF_SECOND
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Some 600 zones there are; of names that are none, there is no end. */
const MAX_UNKNOWN = 1000;
const formats = new Map<string, Intl.DateTimeFormat>();
const unknown = new Set<string>();

function formatOf(key: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(key);
  if (known !== undefined || unknown.has(key)) return known;
  // Intl takes a name in any case; then only one of them is kept.
  const canonical = key.toLowerCase();
  let format = formats.get(canonical);
  if (format !== undefined) return format;
  // An offset such as "+01:00" is a zone to Intl and none to Python.
  if (/^[A-Za-z][\w+/-]{0,63}$/.test(key)) {
    try {
      format = new Intl.DateTimeFormat("en-US-u-hc-h23", {
        timeZone: key,
        calendar: "gregory",
        era: "short",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      // Not a zone that this runtime knows.
    }
  }
  if (format !== undefined) {
    formats.set(canonical, format);
    return format;
  }
  if (unknown.size >= MAX_UNKNOWN) unknown.clear();
  if (key.length < 100) unknown.add(key);
  return undefined;
}

/** The offset at an instant, both in milliseconds. */
function offsetAt(format: Intl.DateTimeFormat, instant: number): number {
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  let beforeChrist = false;
  for (const { type, value } of format.formatToParts(instant)) {
    if (type === "era") beforeChrist = value.startsWith("B");
    else if (Object.hasOwn(fields, type)) {
      fields[type as keyof typeof fields] = Number(value);
    }
  }
  if (beforeChrist) fields.year = 1 - fields.year;
  const wall = wallMilliseconds({ ...fields, microsecond: 0, fold: 0 });
  return wall - Math.floor(instant / 1000) * 1000;
}

/**
 * How far a zone is ahead of UTC at an instant.
 *
 * @param zone Python's `tzinfo`.
 * @param instant Milliseconds since 1970.
 * @returns Microseconds, or undefined where that is not known.
 */
export function utcOffsetAt(
  zone: unknown,
  instant: number,
): number | undefined {
  const key = zone instanceof ZoneInfo
    ? zone.key
    : zone instanceof PytzZone && zone.zone !== "UTC"
    ? zone.zone
    : null;
  const format = key === null ? undefined : formatOf(key);
  // A Date ends 100 million days after 1970.
  return format === undefined || !(Math.abs(instant) <= 8.64e15)
    ? utcOffset(zone)
    : offsetAt(format, instant) * 1000;
}

/** PEP 495: in a gap the offset before it, and with `fold` the one after. */
function databaseOffset(key: string, clock: WallClock): number | undefined {
  const format = formatOf(key);
  if (format === undefined) return undefined;
  const wall = wallMilliseconds(clock);
  const day = 86_400_000;
  const before = offsetAt(format, wall - day);
  const after = offsetAt(format, wall + day);
  let offset = before;
  if (before !== after) {
    const early = offsetAt(format, wall - before) === before;
    const late = offsetAt(format, wall - after) === after;
    if (early === late) offset = clock.fold === 1 ? after : before;
    else offset = early ? before : after;
  }
  return offset * 1000;
}

function makeTimeZone(args: readonly unknown[]): TimeZone | undefined {
  const [offset, name = null] = args;
  if (args.length === 0 || args.length > 2) return undefined;
  if (!isTimeDelta(offset) || !isOffset(offset)) return undefined;
  if (name !== null && typeof name !== "string") return undefined;
  // As CPython, which has one object for UTC.
  return name === null && offset.totalMicroseconds() === 0
    ? TimeZone.utc
    : new TimeZone(offset, name);
}

function makeZoneInfo(args: readonly unknown[]): ZoneInfo | undefined {
  const key = textOf(args[0]);
  if (key === undefined || args.length > 2) return undefined;
  return new ZoneInfo(key, args.length < 2 || Number(args[1]) !== 0);
}

function makePytz(args: readonly unknown[]): PytzZone | undefined {
  const zone = textOf(args[0]);
  if (zone === undefined) return undefined;
  if (args.length === 1) return new PytzZone(zone);
  const [, offset, dst] = args;
  const name = textOf(args[3]);
  const bounds = [-86_400, 86_400] as const;
  if (
    args.length !== 4 || name === undefined || !isIntWithin(offset, bounds) ||
    !isIntWithin(dst, bounds)
  ) return undefined;
  return new PytzZone(zone, { localized: { offset, dst, name } });
}

const TIMEZONE = new Global("datetime", "timezone");
const UNPICKLE_ZONE = new PyObject(
  new Global("builtins", "getattr"),
  [new Global("zoneinfo", "ZoneInfo"), "_unpickle"],
  { via: "reduce" },
);

register(
  {
    names: ["datetime.timezone", "_pydatetime.timezone"],
    make: makeTimeZone,
    class: TimeZone,
    reduce: ({ offset, name }: TimeZone) => ({
      callable: TIMEZONE,
      args: name === null ? [offset] : [offset, name],
    }),
    toPlain: String,
  },
  {
    names: [
      "zoneinfo.ZoneInfo._unpickle",
      "zoneinfo.ZoneInfo",
      "zoneinfo._zoneinfo.ZoneInfo._unpickle",
      "zoneinfo._zoneinfo.ZoneInfo",
      "backports.zoneinfo.ZoneInfo._unpickle",
      "backports.zoneinfo.ZoneInfo",
    ],
    make: makeZoneInfo,
    class: ZoneInfo,
    reduce: ({ key, fromCache }: ZoneInfo) => ({
      callable: UNPICKLE_ZONE,
      args: [key, fromCache ? 1 : 0],
    }),
    toPlain: String,
  },
  {
    names: [
      "zoneinfo.ZoneInfo.no_cache",
      "zoneinfo._zoneinfo.ZoneInfo.no_cache",
    ],
    make: (args) => {
      const key = textOf(args[0]);
      return key === undefined ? undefined : new ZoneInfo(key, false);
    },
  },
  {
    names: ["pytz._p", "pytz._UTC", "pytz.FixedOffset", "pytz._FixedOffset"],
    make: (args, { name }) => {
      if (name === "pytz._p") return makePytz(args);
      if (name === "pytz._UTC") {
        return args.length === 0 ? new PytzZone("UTC") : undefined;
      }
      const [minutes] = args;
      return args.length === 1 && isIntWithin(minutes, [-1439, 1439])
        ? new PytzZone(null, { minutes })
        : undefined;
    },
    class: PytzZone,
    reduce: ({ zone, localized, minutes }: PytzZone) => {
      if (minutes !== null) {
        return { callable: new Global("pytz", "FixedOffset"), args: [minutes] };
      }
      if (zone === "UTC") {
        return { callable: new Global("pytz", "_UTC"), args: [] };
      }
      const rest = localized === null
        ? []
        : [localized.offset, localized.dst, localized.name];
      return { callable: new Global("pytz", "_p"), args: [zone, ...rest] };
    },
    toPlain: String,
  },
);

/** A zone's identity is its key's: Python takes both from one cache. */
setKeyKind(ZoneInfo.prototype, {
  kind: "value",
  key: ({ key }: ZoneInfo) => `zoneinfo ${key}`,
});
setKeyKind(PytzZone.prototype, {
  kind: "value",
  key: ({ zone, minutes, localized }: PytzZone) =>
    `pytz ${zone} ${minutes} ${localized?.offset} ${localized?.name}`,
});
