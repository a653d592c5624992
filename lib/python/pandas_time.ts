/**
 * pandas' single values: Timestamp, Timedelta, Period, Interval, offsets, and
 * what stands for a missing one.
 *
 * @module
 */

import { attributeOf, normalInt, shortText, toInteger } from "./fields.ts";
import { inertType } from "./inert.ts";
import { setInspect } from "./inspect.ts";
import { setKeyKind } from "./keys.ts";
import { NumpyScalar } from "./numpy.ts";
import {
  epochMillis,
  isoSecond,
  isoTime,
  splitTicks,
  type TimeUnit,
} from "./numpy_time.ts";
import { Global, PyObject } from "./object.ts";
import { type Reduced, register } from "./registry.ts";
import { offsetText, utcOffsetAt } from "./timezone.ts";

const NAT_TICKS = -(2n ** 63n);

/**
 * A missing value of pandas'.
 *
 * @example Know a missing value
 * ```ts
 * import { NA, PandasMissing } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(NA instanceof PandasMissing, true);
 * assertEquals(JSON.stringify([NA]), "[null]");
 * ```
 */
export class PandasMissing {
  /** `NA` or `NaT`. */
  readonly name: string;

  /**
   * Names one.
   *
   * @param name `NA` or `NaT`.
   */
  constructor(name: string) {
    this.name = name;
    Object.freeze(this);
  }

  /**
   * As pandas prints it.
   *
   * @returns `<NA>` or `NaT`.
   */
  toString(): string {
    return this.name === "NA" ? "<NA>" : this.name;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns null.
   */
  toJSON(): null {
    return null;
  }
}

/**
 * pandas' missing value of any kind.
 *
 * @example Print it
 * ```ts
 * import { NA } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(NA), "<NA>");
 * ```
 */
export const NA: PandasMissing = new PandasMissing("NA");
/**
 * pandas' missing time.
 *
 * @example Print it
 * ```ts
 * import { NaT } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(NaT), "NaT");
 * ```
 */
export const NaT: PandasMissing = new PandasMissing("NaT");

/** What Cython's enum of resolutions says (numpy's `NPY_DATETIMEUNIT`). */
const RESOLUTIONS: readonly (TimeUnit | undefined)[] = [
  "Y",
  "M",
  "W",
  undefined,
  "D",
  "h",
  "m",
  "s",
  "ms",
  "us",
  "ns",
  "ps",
  "fs",
  "as",
];

const PER_SECOND = new Map<TimeUnit, bigint>([
  ["s", 1n],
  ["ms", 1000n],
  ["us", 1_000_000n],
  ["ns", 1_000_000_000n],
]);

function isInt(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

/** Offsets of a zone by quarters of an hour, the finest step of any zone. */
const QUARTER = 900_000;
const DAY = 96;
const MAX_OFFSETS = 100_000;
let lastZone: unknown;
let offsets = new Map<number, number | undefined>();

function offsetAtQuarter(zone: unknown, quarter: number): number | undefined {
  if (offsets.has(quarter)) return offsets.get(quarter);
  const offset = utcOffsetAt(zone, quarter * QUARTER);
  offsets.set(quarter, offset);
  return offset;
}

/** Asking the platform is slow: for most days their two ends are enough. */
function offsetOf(zone: unknown, instant: number): number | undefined {
  if (zone !== lastZone || offsets.size > MAX_OFFSETS) {
    lastZone = zone;
    offsets = new Map();
  }
  const quarter = Math.floor(instant / QUARTER);
  const day = Math.floor(quarter / DAY) * DAY;
  const before = offsetAtQuarter(zone, day);
  return before === offsetAtQuarter(zone, day + DAY)
    ? before
    : offsetAtQuarter(zone, quarter);
}

/**
 * A moment as pandas' `isoformat` has it: only as many digits as it must have.
 *
 * @param ticks How many units since 1970, in UTC.
 * @param unit `s`, `ms`, `us` or `ns`.
 * @param zone Python's `tzinfo`, or null.
 * @returns The text.
 */
export function timestampText(
  ticks: bigint,
  unit: TimeUnit,
  zone: unknown,
): string {
  const parts = ticks === NAT_TICKS ? undefined : splitTicks(ticks, unit);
  if (parts === undefined) return isoTime(ticks, { unit, count: 1 });
  const [seconds, rest] = parts;
  let end = "";
  if (rest !== 0) {
    const digits = unit === "ns" ? 9 : unit === "us" ? 6 : 3;
    const text = String(rest).padStart(digits, "0").padEnd(6, "0");
    end = text.length > 6 && text.endsWith("000")
      ? `.${text.slice(0, 6)}`
      : `.${text}`;
  }
  if (zone === null || zone === undefined) return isoSecond(seconds) + end;
  const offset = offsetOf(zone, seconds * 1000);
  if (offset === undefined) return `${isoSecond(seconds)}${end}+00:00`;
  const local = seconds + Math.round(offset / 1e6);
  if (offset !== lastOffset) {
    lastOffset = offset;
    lastOffsetText = offsetText(offset);
  }
  return isoSecond(local) + end + lastOffsetText;
}

let lastOffset = NaN;
let lastOffsetText = "";

/**
 * A pandas `Timestamp`.
 *
 * @example Print one
 * ```ts
 * import { Timestamp } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(Timestamp.of(1500n, "ms")), "1970-01-01T00:00:01.500000");
 * ```
 */
export class Timestamp extends PyObject {
  /**
   * Makes one.
   *
   * @param ticks How many units since 1970, in UTC.
   * @param unit `s`, `ms`, `us` or `ns`.
   * @param zone Python's `tzinfo`, or null.
   * @returns The Timestamp.
   */
  static of(
    ticks: bigint,
    unit: TimeUnit = "ns",
    zone: unknown = null,
  ): Timestamp {
    return new Timestamp(
      new Global("pandas._libs.tslibs.timestamps", "_unpickle_timestamp"),
      [normalInt(ticks), null, zone, RESOLUTIONS.indexOf(unit)],
      { via: "reduce" },
    );
  }

  /** How many units since 1970, in UTC. */
  get ticks(): bigint {
    const [value] = this.args;
    return isInt(value) ? BigInt(value) : NAT_TICKS;
  }

  /** What the ticks count: `s`, `ms`, `us` or `ns`. */
  get unit(): TimeUnit {
    return RESOLUTIONS[toInteger(this.args[3]) ?? 10] ?? "ns";
  }

  /** Python's `tzinfo`, or null. */
  get zone(): unknown {
    return this.args[2] ?? null;
  }

  /** Nanoseconds since 1970, in UTC. */
  get nanoseconds(): bigint {
    return this.ticks * (1_000_000_000n / (PER_SECOND.get(this.unit) ?? 1n));
  }

  /**
   * The nearest `Date` before it.
   *
   * @returns A Date.
   */
  toDate(): Date {
    return new Date(epochMillis(this.ticks, { unit: this.unit, count: 1 }));
  }

  /**
   * As pandas' `isoformat`.
   *
   * @returns ISO 8601, with an offset where there is a zone.
   */
  override toString(): string {
    return timestampText(this.ticks, this.unit, this.zone);
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns ISO 8601.
   */
  override toJSON(): string {
    return this.toString();
  }
}

/**
 * A pandas `Timedelta`.
 *
 * @example Print one
 * ```ts
 * import { Timedelta } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(Timedelta.of(90n, "s")), "P0DT0H1M30S");
 * ```
 */
export class Timedelta extends PyObject {
  /**
   * Makes one.
   *
   * @param ticks How many units.
   * @param unit `s`, `ms`, `us` or `ns`.
   * @returns The Timedelta.
   */
  static of(ticks: bigint, unit: TimeUnit = "ns"): Timedelta {
    return new Timedelta(
      new Global("pandas._libs.tslibs.timedeltas", "_timedelta_unpickle"),
      [normalInt(ticks), RESOLUTIONS.indexOf(unit)],
      { via: "reduce" },
    );
  }

  /** How many units. */
  get ticks(): bigint {
    const [value] = this.args;
    return isInt(value) ? BigInt(value) : 0n;
  }

  /** What the ticks count: `s`, `ms`, `us` or `ns`. */
  get unit(): TimeUnit {
    return RESOLUTIONS[toInteger(this.args[1]) ?? 10] ?? "ns";
  }

  /** How many nanoseconds it is. */
  get nanoseconds(): bigint {
    return this.ticks * (1_000_000_000n / (PER_SECOND.get(this.unit) ?? 1n));
  }

  /**
   * As pandas' `isoformat`: `P1DT2H3M4S`.
   *
   * @returns The text.
   */
  override toString(): string {
    const day = 86_400_000_000_000n;
    const total = this.nanoseconds;
    let days = total / day;
    let rest = total % day;
    if (rest < 0n) {
      days -= 1n;
      rest += day;
    }
    const hours = rest / 3_600_000_000_000n;
    const minutes = rest / 60_000_000_000n % 60n;
    const seconds = rest / 1_000_000_000n % 60n;
    const fraction = String(rest % 1_000_000_000n).padStart(9, "0")
      .replace(/0+$/, "");
    return `P${days}DT${hours}H${minutes}M${seconds}${
      fraction && `.${fraction}`
    }S`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns ISO 8601.
   */
  override toJSON(): string {
    return this.toString();
  }
}

/**
 * A pandas offset: `MonthEnd(1)`, `Hour(3)`.
 *
 * @example Print one
 * ```ts
 * import { DateOffset, Global } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const hour = new Global("pandas._libs.tslibs.offsets", "Hour");
 * assertEquals(String(new DateOffset(hour, [3])), "Hour(3)");
 * ```
 */
export class DateOffset extends PyObject {
  /** pandas' name of its class. */
  get offsetName(): string {
    return this.class instanceof Global ? this.class.name : "?";
  }

  /** How many it is. */
  get n(): number {
    return toInteger(this.args[0]) ?? toInteger(attributeOf(this, "n")) ?? 1;
  }

  /**
   * As pandas prints it, nearly.
   *
   * @returns `MonthEnd(1)`.
   */
  override toString(): string {
    return `${this.offsetName}(${this.n})`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  override toJSON(): string {
    return this.toString();
  }
}

/** What a period is counted in: its letter, without what it is anchored at. */
function frequencyOf(frequency: unknown): string {
  if (frequency instanceof DateOffset) {
    const letters: Record<string, string> = {
      YearEnd: "Y",
      YearBegin: "Y",
      BYearEnd: "Y",
      QuarterEnd: "Q",
      QuarterBegin: "Q",
      BQuarterEnd: "Q",
      MonthEnd: "M",
      MonthBegin: "M",
      Week: "W",
      BusinessDay: "B",
      Day: "D",
      Hour: "h",
      Minute: "m",
      Second: "s",
      Milli: "ms",
      Micro: "us",
      Nano: "ns",
    };
    const name = frequency.offsetName;
    const letter = Object.hasOwn(letters, name) ? letters[name]! : "?";
    if (letter === "W") {
      return `W${toInteger(frequency.args[2]) ?? 6}`;
    }
    return letter;
  }
  if (typeof frequency !== "string") return "?";
  const found = /^(?:period\[)?\d*([A-Za-z]+)(?:-([A-Z]{3}))?\]?$/.exec(
    frequency,
  );
  if (found === null) return "?";
  const [, code, anchor] = found;
  const letters: Record<string, string> = {
    A: "Y",
    Y: "Y",
    YE: "Y",
    QE: "Q",
    ME: "M",
    H: "h",
    T: "m",
    min: "m",
    S: "s",
    L: "ms",
    U: "us",
    N: "ns",
  };
  if (code === "W") {
    const day = "MON TUE WED THU FRI SAT SUN".split(" ").indexOf(anchor ?? "");
    return `W${day < 0 ? 6 : day}`;
  }
  return Object.hasOwn(letters, code!) ? letters[code!]! : code!;
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAYS = "MON TUE WED THU FRI SAT SUN".split(" ");

/**
 * What pandas 2.2 and later call a period's frequency.
 *
 * @param frequency An offset, or a name.
 * @returns Its name: `M`, `Q-DEC`, `W-SUN`, `h`.
 */
export function frequencyText(frequency: unknown): string {
  if (!(frequency instanceof DateOffset)) return shortText(frequency);
  const code = frequencyOf(frequency);
  const anchor = toInteger(frequency.args[2]) ??
    toInteger(attributeOf(frequency, "startingMonth")) ??
    toInteger(attributeOf(frequency, "month")) ?? 12;
  const name = code === "?"
    ? frequency.offsetName
    : code === "Y" || code === "Q"
    ? `${code}-${MONTHS[anchor - 1] ?? "DEC"}`
    : code.length === 2 && code.startsWith("W")
    ? `W-${DAYS[Number(code[1])] ?? "SUN"}`
    : code === "m"
    ? "min"
    : code;
  return frequency.n === 1 ? name : `${frequency.n}${name}`;
}

/**
 * A period as pandas prints it.
 *
 * @param ordinal How many since 1970.
 * @param frequency An offset, or its name.
 * @returns The text.
 */
export function periodText(ordinal: bigint, frequency: unknown): string {
  if (ordinal === NAT_TICKS) return "NaT";
  const code = frequencyOf(frequency);
  const day = (days: bigint) => isoTime(days, { unit: "D", count: 1 });
  switch (code) {
    case "Y":
      return isoTime(ordinal, { unit: "Y", count: 1 });
    case "Q": {
      const year = (ordinal - (ordinal % 4n + 4n) % 4n) / 4n;
      const text = isoTime(year, { unit: "Y", count: 1 });
      return `${text}Q${ordinal - year * 4n + 1n}`;
    }
    case "M":
      return isoTime(ordinal, { unit: "M", count: 1 });
    case "D":
      return day(ordinal);
    case "B": {
      // Weekdays only; the first is Thursday, 1970-01-01.
      const shifted = ordinal + 3n;
      const week = (shifted - (shifted % 5n + 5n) % 5n) / 5n;
      return day(week * 7n + (shifted - week * 5n) - 3n);
    }
    case "h":
    case "m":
    case "s":
    case "ms":
    case "us":
    case "ns": {
      const text = isoTime(ordinal, { unit: code, count: 1 })
        .replace("T", " ");
      return code === "h" ? `${text}:00` : text;
    }
  }
  if (/^W\d$/.test(code)) {
    // The week that ends on the anchor; ordinal 1 holds 1970-01-01.
    const anchor = (Number(code.slice(1)) + 1) % 7;
    const end = ordinal * 7n + BigInt(anchor) - 4n;
    return `${day(end - 6n)}/${day(end)}`;
  }
  return `${ordinal}`;
}

/**
 * A pandas `Period`: a month, a quarter, a day ….
 *
 * @example Print one
 * ```ts
 * import { Period } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(Period.of(650n, "M")), "2024-03");
 * ```
 */
export class Period extends PyObject {
  /**
   * Makes one.
   *
   * @param ordinal How many since 1970.
   * @param frequency Its offset.
   * @returns The Period.
   */
  static of(ordinal: bigint, frequency: unknown): Period {
    return new Period(
      new Global("pandas._libs.tslibs.period", "Period"),
      [null, frequency, normalInt(ordinal)],
      { via: "reduce" },
    );
  }

  /** How many since 1970. */
  get ordinal(): bigint {
    const value = this.args[2];
    return isInt(value) ? BigInt(value) : 0n;
  }

  /** Its offset. */
  get frequency(): unknown {
    return this.args[1];
  }

  /**
   * As pandas prints it.
   *
   * @returns `2024-03`, `2024Q1`, `2024-03-01` ….
   */
  override toString(): string {
    return periodText(this.ordinal, this.frequency);
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  override toJSON(): string {
    return this.toString();
  }
}

function boundText(value: unknown): string {
  return value instanceof NumpyScalar || value instanceof Timestamp ||
      value instanceof Timedelta || value instanceof Period ||
      value instanceof PandasMissing
    ? String(value)
    : shortText(value);
}

/**
 * A pandas `Interval`.
 *
 * @example Print one
 * ```ts
 * import { Interval } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(Interval.of(0, 1, "right")), "(0, 1]");
 * ```
 */
export class Interval extends PyObject {
  /**
   * Makes one.
   *
   * @param left Where it begins.
   * @param right Where it ends.
   * @param closed Which ends belong to it: `left`, `right`, `both`, `neither`.
   * @returns The Interval.
   */
  static of(left: unknown, right: unknown, closed: string): Interval {
    return new Interval(
      new Global("pandas._libs.interval", "Interval"),
      [left, right, closed],
      { via: "reduce" },
    );
  }

  /** Where it begins. */
  get left(): unknown {
    return this.args[0];
  }

  /** Where it ends. */
  get right(): unknown {
    return this.args[1];
  }

  /** Which ends belong to it. */
  get closed(): string {
    const closed = this.args[2];
    return typeof closed === "string" ? closed : "right";
  }

  /**
   * As pandas prints it.
   *
   * @returns `(0, 1]`.
   */
  override toString(): string {
    const { closed } = this;
    const open = closed === "left" || closed === "both" ? "[" : "(";
    const close = closed === "right" || closed === "both" ? "]" : ")";
    return `${open}${boundText(this.left)}, ${boundText(this.right)}${close}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  override toJSON(): string {
    return this.toString();
  }
}

const OFFSETS = `Tick Day Hour Minute Second Milli Micro Nano BusinessDay
BusinessHour CustomBusinessDay CustomBusinessHour CustomBusinessMonthBegin
CustomBusinessMonthEnd MonthBegin MonthEnd BMonthBegin BMonthEnd BusinessMonthBegin
BusinessMonthEnd SemiMonthBegin SemiMonthEnd Week WeekOfMonth LastWeekOfMonth
QuarterBegin QuarterEnd BQuarterBegin BQuarterEnd YearBegin YearEnd BYearBegin
BYearEnd HalfYearBegin HalfYearEnd BHalfYearBegin BHalfYearEnd FY5253 FY5253Quarter
Easter DateOffset RelativeDeltaOffset`.split(/\s+/);

/** Where it lives now, where pandas 3 says it does, and where it once did. */
function names(module: string, name: string): string[] {
  return [
    `${module}.${name}`,
    `pandas.${name}`,
    `pandas.tslib.${name}`,
    `pandas._libs.tslib.${name}`,
  ];
}

register(
  inertType([
    "pandas._libs.tslibs.timestamps._unpickle_timestamp",
    ...names("pandas._libs.tslibs.timestamps", "Timestamp"),
  ], Timestamp),
  { names: [], class: Timestamp, toPlain: String },
  inertType([
    "pandas._libs.tslibs.timedeltas._timedelta_unpickle",
    ...names("pandas._libs.tslibs.timedeltas", "Timedelta"),
  ], Timedelta),
  { names: [], class: Timedelta, toPlain: String },
  inertType([
    ...names("pandas._libs.tslibs.period", "Period"),
    "pandas._libs.period.Period",
    "pandas._period.Period",
  ], Period),
  { names: [], class: Period, toPlain: String },
  inertType(names("pandas._libs.interval", "Interval"), Interval),
  { names: [], class: Interval, toPlain: String },
  inertType(
    OFFSETS.flatMap((name) => [
      `pandas._libs.tslibs.offsets.${name}`,
      `pandas.tseries.offsets.${name}`,
    ]),
    DateOffset,
  ),
  { names: [], class: DateOffset, toPlain: String },
  {
    names: [
      "pandas._libs.tslibs.nattype._nat_unpickle",
      "pandas._libs.tslibs.nattype.__nat_unpickle",
      "pandas._libs.tslib.__nat_unpickle",
      "pandas.tslib.__nat_unpickle",
    ],
    make: (args) => args.length <= 1 ? NaT : undefined,
  },
  { names: names("pandas._libs.missing", "NA"), value: NA },
  { names: names("pandas._libs.tslibs.nattype", "NaT"), value: NaT },
  {
    names: [],
    class: PandasMissing,
    // By bare names: what makes NaT has not always been called the same.
    reduce: (missing: PandasMissing) =>
      (missing === NaT
        ? new Global("pandas", "NaT")
        : new Global("pandas._libs.missing", "NA")) as unknown as Reduced,
    toPlain: () => null,
  },
);

setInspect(PandasMissing.prototype, (missing) => missing.name);
for (const type of [Timestamp, Timedelta, Period, Interval, DateOffset]) {
  setInspect(type.prototype as object, (value) => `${type.name}(${value})`);
}

setKeyKind(Timestamp.prototype, {
  kind: "value",
  key: (time: Timestamp) =>
    `Timestamp ${time.nanoseconds} ${time.zone === null ? "" : "aware"}`,
});
setKeyKind(Timedelta.prototype, {
  kind: "value",
  key: (span: Timedelta) => `Timedelta ${span.nanoseconds}`,
});
setKeyKind(Period.prototype, {
  kind: "value",
  key: (period: Period) =>
    `Period ${period.ordinal} ${frequencyOf(period.frequency)}`,
});
