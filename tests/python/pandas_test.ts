import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, loads, openPickle } from "../../lib/pickle/mod.ts";
import {
  DataFrame,
  DateOffset,
  Global,
  LimitError,
  NA,
  NaT,
  NdArray,
  PandasArray,
  PandasIndex,
  Period,
  PyDict,
  PyObject,
  Series,
  Slice,
  Timedelta,
  Timestamp,
  TimeZone,
  Tuple,
  ZoneInfo,
} from "../../lib/values.ts";
import {
  assertComesBack,
  assertOpens,
  scienceFixtures,
} from "../support/science_fixtures.ts";
import { ask, hasPythons, type Question } from "../support/science_python.ts";

async function open(name: string): Promise<unknown> {
  const fixture = (await scienceFixtures("pandas")).find((one) =>
    one.name === name
  );
  return (await openPickle(fixture!.bytes)).value;
}

async function openFrame(name: string): Promise<DataFrame> {
  const frame = await open(name);
  assert(frame instanceof DataFrame);
  return frame;
}

Deno.test("pandas' fixtures read as Python described them, and come back", async () => {
  const fixtures = await scienceFixtures("pandas");
  assert(fixtures.length > 100);
  for (const fixture of fixtures) {
    await assertComesBack(fixture, await assertOpens(fixture));
  }
});

Deno.test("a DataFrame gives columns and records", async () => {
  const frame = await openFrame("frame.p4");
  assertEquals(frame.shape, [3, 11]);
  assertEquals(frame.columns, [..."ifsbdzcIBSt"]);
  assertEquals(frame.dtypes.slice(0, 4), [
    "int64",
    "float64",
    "object",
    "bool",
  ]);
  assertEquals(frame.column("i"), [1, 2, 3]);
  assertEquals(frame.column("no"), undefined);
  assertEquals(frame.column("f"), [1, NaN, -2.5]);
  assertEquals(frame.column("I"), [1, NA, 3]);
  assertEquals(frame.at(2, 0), 3);
  assertEquals(frame.column("d")![2], NaT);
  assertEquals(String(frame.column("z")![0]), "2024-02-29T12:30:00+01:00");
  const [record] = frame.toRecords(1);
  assertEquals(Object.keys(record!), frame.columns);
  assertEquals(frame.toRecords(2).length, 2);
  assertEquals(frame.toColumns().s, ["a", null, "c"]);
  assertEquals(frame.summary(), "3 rows x 11 columns");
});

Deno.test("a DataFrame is records in plain JSON", async () => {
  const plain = async (name: string) =>
    toJson(await open(name), { types: "plain" });
  assertEquals(
    await plain("frame.p4"),
    '[{"i": 1, "f": 1.0, "s": "a", "b": true, "d": "2024-02-29T12:30:00", ' +
      '"z": "2024-02-29T12:30:00+01:00", "c": "x", "I": 1, "B": true, ' +
      '"S": "u", "t": "P0DT0H0M1S"}, ' +
      '{"i": 2, "f": null, "s": null, "b": false, "d": "1969-01-01T00:00:00", ' +
      '"z": "1969-01-01T00:00:00+01:00", "c": null, "I": null, "B": null, ' +
      '"S": null, "t": "P0DT0H0M2S"}, ' +
      '{"i": 3, "f": -2.5, "s": "c", "b": true, "d": null, "z": null, ' +
      '"c": "y", "I": 3, "B": false, "S": "v", "t": null}]',
  );
  assertEquals(
    await plain("frame dates.p4"),
    '[{"when": "2024-01-01T00:00:00", "x": 1.5}, ' +
      '{"when": "2024-01-02T00:00:00", "x": 2.5}]',
  );
  assertEquals(
    await plain("frame columns.p4"),
    `[{"('a', 1)": 1, "('a', 2)": 2}, {"('a', 1)": 3, "('a', 2)": 4}]`,
  );
  assertEquals(
    await plain("frame duplicates.p4"),
    '[{"a": 1, "b": 2.5, "a.1": 3}]',
  );
  assertEquals(
    await plain("frame numbers.p4"),
    '[{"10": 1, "2": 2.5, "3": "x"}]',
  );
  assertEquals(await plain("frame proto.p4"), '[{"__proto__": 1, "a": 2}]');
  assertEquals(await plain("frame empty.p4"), "[]");
  assertEquals(await plain("frame no columns.p4"), "[{}, {}, {}]");
  assertEquals(
    await plain("frame split.p4"),
    '[{"a": 0, "b": "x", "c": 2}, {"a": 3, "b": "y", "c": 5}]',
  );
});

Deno.test("a Series is an array or an object in plain JSON", async () => {
  const plain = async (name: string) =>
    toJson(await open(name), { types: "plain" });
  assertEquals(await plain("series.p4"), "[1.5, null]");
  assertEquals(await plain("series labels.p4"), '{"a": 1, "b": 2}');
  assertEquals(await plain("series sparse.p4"), "[0, 0, 1, 2, 0]");
  assertEquals(
    await plain("series multi.p4"),
    `{"('a', 1)": 1, "('a', 2)": 2}`,
  );
  const series = await open("series.p4");
  assert(series instanceof Series);
  assertEquals([series.name, series.length, series.dtype], ["x", 2, "float64"]);
  assertEquals(series.toArray(), [1.5, NaN]);
  assertEquals(JSON.stringify(series), "[1.5,null]");
});

Deno.test("an index gives its labels", async () => {
  const index = await open("index multi.p4");
  assert(index instanceof PandasIndex);
  assertEquals(index.kind, "MultiIndex");
  assertEquals(index.names, ["x", null]);
  assertEquals(index.toArray(), [Tuple.of("a", 1), Tuple.of("b", 2)]);
  const range = await open("index range.p4");
  assert(range instanceof PandasIndex);
  assertEquals(range.range, [2, 10, 3]);
  assertEquals(range.toArray(), [2, 5, 8]);
  const categorical = await open("array categorical.p4");
  assert(categorical instanceof PandasArray);
  assertEquals(categorical.categories, ["b", "a"]);
  assertEquals(categorical.codes!.toArray(), [1, 0, -1]);
  assertEquals(categorical.ordered, true);
});

Deno.test("Timestamps and Timedeltas print as pandas does", () => {
  const paris = new ZoneInfo("Europe/Paris");
  assertEquals(String(Timestamp.of(0n)), "1970-01-01T00:00:00");
  assertEquals(String(Timestamp.of(1n)), "1970-01-01T00:00:00.000000001");
  assertEquals(String(Timestamp.of(1n, "ms")), "1970-01-01T00:00:00.001000");
  assertEquals(
    String(Timestamp.of(0n, "s", TimeZone.utc)),
    "1970-01-01T00:00:00+00:00",
  );
  assertEquals(
    String(Timestamp.of(1_720_000_000n, "s", paris)),
    "2024-07-03T11:46:40+02:00",
  );
  assertEquals(
    String(Timestamp.of(1_700_000_000n, "s", paris)),
    "2023-11-14T23:13:20+01:00",
  );
  assertEquals(Timestamp.of(1500n, "ms").toDate(), new Date(1500));
  assertEquals(String(Timedelta.of(-1n)), "P-1DT23H59M59.999999999S");
  assertEquals(String(Timedelta.of(90_061n, "s")), "P1DT1H1M1S");
  const back = loads(dumps(Timestamp.of(5n, "us", paris)));
  assert(back instanceof Timestamp);
  assertEquals(back.ticks, 5n);
  assertEquals(back.unit, "us");
  assertEquals(loads(dumps([NA, NaT])), [NA, NaT]);
});

Deno.test("Periods print as pandas does", () => {
  const offset = (name: string) =>
    new DateOffset(new Global("pandas._libs.tslibs.offsets", name), [1, false]);
  const periods: [string, bigint, string][] = [
    ["YearEnd", 54n, "2024"],
    ["QuarterEnd", -1n, "1969Q4"],
    ["MonthEnd", 650n, "2024-03"],
    ["Week", 1n, "1969-12-29/1970-01-04"],
    ["Day", -1n, "1969-12-31"],
    ["BusinessDay", 0n, "1970-01-01"],
    ["BusinessDay", 2n, "1970-01-05"],
    ["Hour", 5n, "1970-01-01 05:00"],
    ["Minute", 61n, "1970-01-01 01:01"],
    ["Second", 1n, "1970-01-01 00:00:01"],
  ];
  for (const [name, ordinal, text] of periods) {
    assertEquals(String(Period.of(ordinal, offset(name))), text);
  }
});

function index(name: string, dict: Record<string, unknown>): PyObject {
  return new PyObject(new Global("pandas.core.indexes.base", "_new_Index"), [
    new Global("pandas.core.indexes.base", name),
    dict,
  ], { via: "reduce" });
}

function frame(blocks: unknown[], axes: unknown[]): DataFrame {
  const manager = new PyObject(
    new Global("pandas.core.internals.managers", "BlockManager"),
    [Tuple.from(blocks), axes],
    { via: "reduce" },
  );
  const object = new PyObject(new Global("pandas", "DataFrame"), [], {
    state: { _mgr: manager, _typ: "dataframe" },
  });
  const value = loads(dumps(object));
  assert(value instanceof DataFrame);
  return value;
}

Deno.test("what pandas wrote long ago is read", () => {
  const array = (data: unknown[] | BigInt64Array, dtype = "O") =>
    new NdArray(data as unknown[], { dtype });
  const old = (name: string, dict: Record<string, unknown>) =>
    new PyObject(new Global("pandas.core.index", "_new_Index"), [
      new Global("pandas.core.index", name),
      dict,
    ], { via: "reduce" });
  const columns = old("Index", { data: array(["a", "c"]), name: null });
  const rows = new PyObject(
    new Global("pandas.tseries.index", "_new_DatetimeIndex"),
    [new Global("pandas.tseries.index", "DatetimeIndex"), {
      data: array(new BigInt64Array([86_400_000_000_000n]), "i8"),
      name: "when",
      tz: TimeZone.utc,
    }],
    { via: "reduce" },
  );
  const values = new NdArray(new Float64Array([1.5]), { shape: [1, 1] });
  const category = new PyObject(
    new Global("pandas.core.categorical", "Categorical"),
    [],
    {
      state: {
        _codes: new NdArray(new Int8Array([0])),
        _categories: old("Index", { data: array(["x"]), name: null }),
        _ordered: false,
      },
    },
  );
  const manager = new PyObject(
    new Global("pandas.core.internals", "BlockManager"),
    [],
    {
      state: Tuple.of<unknown>([columns, rows], [values], [columns], {
        "0.14.1": {
          axes: [columns, rows],
          blocks: [
            { values, mgr_locs: new Slice(0, 1, 1) },
            { values: category, mgr_locs: new Slice(1, 2, 1) },
          ],
        },
      }),
    },
  );
  const value = loads(dumps(
    new PyObject(new Global("pandas.core.frame", "DataFrame"), [], {
      state: { _data: manager, _typ: "dataframe", _metadata: [] },
    }),
    { protocol: 2 },
  ));
  assert(value instanceof DataFrame);
  assertEquals(value.dtypes, ["float64", "category"]);
  assertEquals(
    toJson(value, { types: "plain" }),
    '[{"when": "1970-01-02T00:00:00+00:00", "a": 1.5, "c": "x"}]',
  );
});

Deno.test("a range as index makes up no rows", () => {
  const range = (stop: number) =>
    index("RangeIndex", { name: null, start: 0, stop, step: 1 });
  const empty = frame([], [range(0), range(2 ** 50)]);
  assertEquals(empty.shape, [2 ** 50, 0]);
  assertThrows(() => empty.toRecords(), LimitError);
  assertThrows(() => toJson(empty, { types: "plain" }), LimitError);
  assertThrows(() => empty.index!.toArray(), LimitError);
  const wide = frame([], [range(2 ** 50), range(1)]);
  assertThrows(() => wide.columns, LimitError);
});

Deno.test("blocks that lie give nothing", () => {
  const labels = (count: number) =>
    index("Index", {
      data: new NdArray(Array.from({ length: count }, (_, i) => `c${i}`)),
      name: null,
    });
  const block = (values: unknown, placement: unknown) =>
    new PyObject(new Global("pandas._libs.internals", "_unpickle_block"), [
      values,
      placement,
      2,
    ], { via: "reduce" });
  const values = new NdArray(new Float64Array([1, 2]), { shape: [1, 2] });
  const value = frame([
    block(values, new Slice(-5, 2 ** 40, 1)),
    block(values, new Slice(1, 2, 1)),
    block("x", new Slice(0, 1, 1)),
    block(values, 7),
    "no block",
  ], [labels(2), labels(2)]);
  assertEquals(value.columnAt(1), [1, 2]);
  assertEquals(value.shape, [2, 2]);
  assertEquals(value.toRecords().length, 0);
});

Deno.test("arrays without bytes are no columns", () => {
  const range = (stop: number) =>
    index("RangeIndex", { name: null, start: 0, stop, step: 1 });
  const nothing = new NdArray(new Uint8Array(0), {
    dtype: "V0",
    shape: [2 ** 40],
  });
  const empty = new NdArray(new Float64Array(0), { shape: [2 ** 40, 0] });
  for (const values of [nothing, empty]) {
    const block = new PyObject(
      new Global("pandas._libs.internals", "_unpickle_block"),
      [values, new Slice(0, 2 ** 40, 1), 2],
      { via: "reduce" },
    );
    const wide = frame([block], [range(2 ** 40), range(3)]);
    assertThrows(() => wide.toRecords(), LimitError);
    const narrow = frame([block], [range(2), range(3)]);
    assertEquals(narrow.toRecords(), []);
  }
  const manager = new PyObject(
    new Global("pandas.core.internals.managers", "SingleBlockManager"),
    [],
    { state: Tuple.of<unknown>([range(1)], [nothing], [range(1)], {}) },
  );
  const series = loads(dumps(
    new PyObject(new Global("pandas", "Series"), [], {
      state: { _mgr: manager, _name: null },
    }),
  ));
  assert(series instanceof Series);
  assertEquals(series.length, 0);
});

Deno.test("levels named over and over are bounded", () => {
  const level = new NdArray(["a"]);
  const codes = new NdArray(new Int8Array(1_000_000));
  const value = loads(dumps(index("MultiIndex", {
    levels: new Array(1000).fill(level),
    codes: new Array(1000).fill(codes),
    names: new Array(1000).fill(null),
    sortorder: null,
  })));
  assert(value instanceof PandasIndex);
  assertThrows(() => value.toArray(), LimitError);
});

Deno.test("an index within itself ends", () => {
  const dict: Record<string, unknown> = { name: null };
  const object = index("Index", dict);
  dict.data = object;
  const value = loads(dumps(object));
  assert(value instanceof PandasIndex);
  assertEquals(value.length, 0);
  assertEquals(toJson(value, { types: "plain" }), "[]");
});

Deno.test("dicts as PyDict make no difference", async () => {
  const fixture = (await scienceFixtures("pandas")).find((one) =>
    one.name === "frame.p4"
  )!;
  const auto = loads(fixture.bytes);
  const map = loads(fixture.bytes, { dicts: "map" });
  assert(map instanceof DataFrame && map.state instanceof PyDict);
  assertEquals(
    toJson(map, { types: "plain" }),
    toJson(auto, { types: "plain" }),
  );
});

Deno.test({
  name: "live pandas reads what Brine writes",
  ignore: !hasPythons,
  fn: async () => {
    const questions: Question[] = [];
    for (const { kind, bytes, name } of await scienceFixtures("pandas")) {
      if (kind !== "pickle") continue;
      for (const protocol of [2, 3, 4, 5]) {
        questions.push({
          name: `${name}, protocol ${protocol}`,
          bytes: dumps(loads(bytes, { floats: "exact", dicts: "map" }), {
            protocol,
          }),
          same: bytes,
        });
      }
    }
    const { problems } = await ask("pandas", questions);
    assertEquals(problems, []);
  },
});
