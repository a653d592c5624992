import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import * as json from "../../lib/json/mod.ts";
import { PyDate, PyDateTime, PyTime } from "../../lib/python/datetime.ts";
import { PyObject } from "../../lib/python/object.ts";
import { TimeDelta } from "../../lib/python/timedelta.ts";
import { PytzZone, TimeZone, ZoneInfo } from "../../lib/python/timezone.ts";

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** A call of a class in datetime with a str of Python 2. */
function called(name: string, state: string, more = ""): unknown {
  return loads(ascii(
    `\x80\x02cdatetime\n${name}\nU${
      String.fromCharCode(state.length)
    }${state}${more}${more === "" ? "\x85" : "\x86"}R.`,
  ));
}

Deno.test("a datetime of Python 2 is read whether its bytes look like text or not", () => {
  // Year 2024 is no UTF-8; the year 0xc3a9 there is none; ASCII is text.
  assertEquals(
    String(called("datetime", "\x07\xe8\x02\x1d\x0d\x25\x3b\x01\xe2\x40")),
    "2024-02-29T13:37:59.123456",
  );
  assertEquals(
    String(called("datetime", "\x01\x02\x03\x04\x05\x06\x07\x00\x00\x08")),
    "0258-03-04T05:06:07.000008",
  );
  // 0xc3 0xa9 within is one character of UTF-8.
  assertEquals(
    String(called("datetime", "\x01\x02\x03\x04\x05\x06\x07\x00\xc3\xa9")),
    "0258-03-04T05:06:07.050089",
  );
  assertEquals(String(called("date", "\x07\xe8\x02\x1d")), "2024-02-29");
  assertEquals(
    String(called("time", "\x17\x3b\x3b\x0f\x42\x3f")),
    "23:59:59.999999",
  );
});

Deno.test("what is no date stays an inert object", () => {
  for (
    const [name, state] of [
      ["datetime", "\x07\xe8\x0d\x01\x00\x00\x00\x00\x00\x00"], // month 13
      ["datetime", "\x07\xe7\x02\x1d\x00\x00\x00\x00\x00\x00"], // no leap year
      ["datetime", "\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00"], // year 0
      ["datetime", "\x07\xe8\x01\x01\x18\x00\x00\x00\x00\x00"], // hour 24
      ["datetime", "\x07\xe8\x01\x01\x00\x00\x00\x0f\x42\x40"], // microsecond
      ["datetime", "\x07\xe8\x01\x01"],
      ["date", "\x07\xe8\x00\x01"],
      ["time", "\x18\x00\x00\x00\x00\x00"],
    ] as const
  ) {
    assertInstanceOf(called(name, state), PyObject, `${name} ${escape(state)}`);
  }
  assertInstanceOf(
    loads(ascii("cdatetime\ntimedelta\n(I1000000000\nI0\nI0\ntR.")),
    PyObject,
  );
  assertInstanceOf(
    loads(ascii("cdatetime\ntimezone\n(cdatetime\ntimedelta\n(I1\ntRtR.")),
    PyObject,
  );
  assertInstanceOf(loads(ascii("cdatetime\ntimezone\n(I1\ntR.")), PyObject);
});

Deno.test("an impossible date is refused in JavaScript", () => {
  assertThrows(() => new PyDate(2023, 2, 29), RangeError);
  assertThrows(() => new PyTime([24]), RangeError);
  assertThrows(() => new PyDateTime([2024, 1, 1, 0, 60]), RangeError);
  assertThrows(() => new TimeDelta(1_000_000_000), RangeError);
  assertThrows(() => new TimeDelta(0.5), RangeError);
  assertThrows(() => new TimeZone(new TimeDelta(1)), RangeError);
});

Deno.test("timedeltas are normalized, and print as Python and as ISO 8601", () => {
  const cases: [TimeDelta, string, string][] = [
    [new TimeDelta(0), "0:00:00", "PT0S"],
    [new TimeDelta(0, -1), "-1 day, 23:59:59", "-PT1S"],
    [
      new TimeDelta(-3, 7, 11),
      "-3 days, 0:00:07.000011",
      "-P2DT23H59M52.999989S",
    ],
    [
      new TimeDelta(1, 90061, 500_000),
      "2 days, 1:01:01.500000",
      "P2DT1H1M1.5S",
    ],
    [new TimeDelta(0, 0, -1), "-1 day, 23:59:59.999999", "-PT0.000001S"],
    [new TimeDelta(5), "5 days, 0:00:00", "P5D"],
  ];
  for (const [delta, text, iso] of cases) {
    assertEquals(String(delta), text);
    assertEquals(delta.toJSON(), iso);
  }
  assertEquals(new TimeDelta(-1).totalSeconds(), -86400);
});

Deno.test("a Date is written as an aware datetime", () => {
  const date = new Date("2024-02-29T13:37:59.123Z");
  const back = loads(dumps([date, date]), { floats: "exact" }) as PyDateTime[];
  assertInstanceOf(back[0], PyDateTime);
  assertEquals(back[0], back[1]);
  assertEquals(String(back[0]), "2024-02-29T13:37:59.123000+00:00");
  assertEquals(back[0].toDate(), date);
  assertEquals(
    json.dumps(date, { types: "plain" }),
    '"2024-02-29T13:37:59.123Z"',
  );
});

Deno.test("plain JSON has ISO 8601", () => {
  const zone = new ZoneInfo("Europe/Paris");
  assertEquals(
    json.dumps([
      new PyDate(2024, 2, 29),
      new PyTime([13, 37]),
      new PyDateTime([2024, 7, 1], { tzinfo: zone }),
      new PyDateTime([2024, 1, 1], { tzinfo: zone }),
      new PyDateTime([2024, 1, 1], {
        tzinfo: new PytzZone("Asia/Tokyo", {
          localized: { offset: 32400, dst: 0, name: "JST" },
        }),
      }),
      new PyDateTime([2024, 1, 1], { tzinfo: new ZoneInfo("No/Where") }),
      new TimeDelta(0, 90),
      TimeZone.utc,
      zone,
    ], { types: "plain" }),
    '["2024-02-29", "13:37:00", "2024-07-01T00:00:00+02:00", ' +
      '"2024-01-01T00:00:00+01:00", "2024-01-01T00:00:00+09:00", ' +
      '"2024-01-01T00:00:00", "PT1M30S", "UTC", "Europe/Paris"]',
  );
});

Deno.test("toDate gives the instant", () => {
  const date = (fields: number[], tzinfo?: unknown) =>
    new PyDateTime(fields, { tzinfo }).toDate().toISOString();
  assertEquals(date([2024, 1, 1, 12]), "2024-01-01T12:00:00.000Z");
  assertEquals(
    date([2024, 7, 1, 12], new ZoneInfo("America/New_York")),
    "2024-07-01T16:00:00.000Z",
  );
  assertEquals(date([1, 1, 1], TimeZone.utc), "0001-01-01T00:00:00.000Z");
  assertEquals(
    date([2024, 1, 1, 0, 0, 0, 999_999], new TimeZone(new TimeDelta(0, 0, 1))),
    "2024-01-01T00:00:00.999Z",
  );
});

const hasTemporal = "Temporal" in globalThis;

Deno.test({
  name: "toTemporal gives the platform's own, and dumps takes it",
  ignore: !hasTemporal,
  fn: () => {
    const paris = new ZoneInfo("Europe/Paris");
    const values: [{ toTemporal(): unknown }, string][] = [
      [new PyDate(2024, 2, 29), "2024-02-29"],
      [new PyTime([1, 2, 3, 4005]), "01:02:03.004005"],
      [new PyDateTime([2024, 2, 29, 1, 2, 3, 4]), "2024-02-29T01:02:03.000004"],
      [
        new PyDateTime([2024, 10, 27, 2, 30], { tzinfo: paris, fold: 1 }),
        "2024-10-27T02:30:00+01:00[Europe/Paris]",
      ],
      [
        new PyDateTime([2024, 10, 27, 2, 30], { tzinfo: paris }),
        "2024-10-27T02:30:00+02:00[Europe/Paris]",
      ],
      [
        new PyDateTime([2024, 1, 1], { tzinfo: TimeZone.utc }),
        "2024-01-01T00:00:00+00:00[UTC]",
      ],
      [
        new PyDateTime([2024, 1, 1], {
          tzinfo: new TimeZone(new TimeDelta(0, 20700)),
        }),
        "2024-01-01T00:00:00+05:45[+05:45]",
      ],
      [
        new PyDateTime([2024, 1, 1, 0, 0, 0, 7], {
          tzinfo: new TimeZone(new TimeDelta(0, 1)),
        }),
        "2023-12-31T23:59:59.000007Z",
      ],
      [new TimeDelta(-3, 7, 11), "-P2DT23H59M52.999989S"],
    ];
    for (const [value, text] of values) {
      const platform = value.toTemporal();
      assertEquals(String(platform), text);
      // A zone's own seconds have no name in Temporal: the instant is kept.
      const again = loads(dumps(platform)) as { toTemporal(): unknown };
      assertEquals(Object.getPrototypeOf(again), Object.getPrototypeOf(value));
      assertEquals(
        String(again.toTemporal()).replace("+00:00[UTC]", "Z"),
        text.replace("+00:00[UTC]", "Z"),
      );
    }
  },
});

Deno.test("zones of pytz and dateutil have their offsets", () => {
  const paris = loads(ascii(
    "cpytz\n_p\n(VEurope/Paris\nI7200\nI3600\nVCEST\ntR.",
  ));
  assertInstanceOf(paris, PytzZone);
  assertEquals(
    String(new PyDateTime([2024, 7, 1], { tzinfo: paris })),
    "2024-07-01T00:00:00+02:00",
  );
  assertEquals(String(loads(ascii("cpytz\n_UTC\n(tR."))), "UTC");
  const fixed = loads(ascii("cpytz\nFixedOffset\n(I-90\ntR."));
  assertEquals(String(fixed), "pytz.FixedOffset(-90)");
  for (const zone of [paris, fixed, new PytzZone("UTC"), new PytzZone("GB")]) {
    assertEquals(loads(dumps(zone)), zone);
  }
  const tzutc = loads(ascii(
    "ccopy_reg\n_reconstructor\n(cdateutil.tz.tz\ntzutc\nc__builtin__\nobject\nNtR.",
  ));
  assertEquals(
    String(new PyDateTime([2024, 7, 1], { tzinfo: tzutc })),
    "2024-07-01T00:00:00+00:00",
  );
});

Deno.test("a zone's name from a stranger is only looked up", () => {
  for (const key of ["", "../../etc/passwd", "+01:00", "x".repeat(9999), "é"]) {
    const time = new PyDateTime([2024, 1, 1], { tzinfo: new ZoneInfo(key) });
    assertEquals(String(time), "2024-01-01T00:00:00");
  }
});
