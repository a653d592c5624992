/**
 * What values say of themselves, and which are equal, beside a live CPython.
 */
import { assert, assertEquals } from "@std/assert";
import { loads } from "../../lib/pickle/load.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { hasPython, withPython } from "../support/python.ts";
import { Random } from "../support/random.ts";

function setup(seed: number): string {
  return String.raw`
import datetime as D, decimal, fractions, ipaddress, pathlib, random, uuid
import zoneinfo
R = random.Random(${seed})
KEYS = ("Europe/Paris America/New_York Asia/Tokyo Australia/Lord_Howe "
        "Africa/Monrovia America/St_Johns Pacific/Apia UTC "
        "Asia/Kathmandu").split()

def micro():
    return R.randrange(0, 1000000) if R.random() < .5 else 0

def zone():
    return R.choice([
        lambda: None, lambda: D.timezone.utc,
        lambda: D.timezone(D.timedelta(seconds=R.randrange(-86399, 86400))),
        lambda: D.timezone(D.timedelta(
            minutes=R.randrange(-1438, 1439), microseconds=micro())),
        lambda: zoneinfo.ZoneInfo(R.choice(KEYS))])()

def moment(low, high):
    return D.datetime(R.randrange(low, high), R.randrange(1, 13),
                      R.randrange(1, 29), R.randrange(24), R.randrange(60),
                      R.randrange(60), micro(), zone(), fold=R.randrange(2))

decimals = [decimal.Decimal(x) for x in (
    "0 -0 1 10 1E+5 1e-7 0.000001 0.0000001 1.50 -1.50E+1000 NaN sNaN12 -NaN "
    "Infinity -Infinity 0E+3 0E-10 0.0 100 1E+1 12345678901234567890.123 "
    "1e999999 1e-999999 0.1 0.5 00012.50 1_000.5 5E-8 123E-9 -7E+0").split()]
decimals += [decimal.Decimal((R.randrange(2), tuple(
    R.randrange(10) for _ in range(R.randrange(1, 12))), R.randrange(-20, 20)))
    for _ in range(300)]
deltas = [D.timedelta.max, D.timedelta.min, D.timedelta(0), D.timedelta(1),
          D.timedelta(-1), D.timedelta(microseconds=-1)]
deltas += [D.timedelta(R.randrange(-999, 999), R.randrange(-99999, 99999),
                       micro()) for _ in range(200)]
moments = ([moment(1970, 2038) for _ in range(400)]
           + [moment(1850, 2038) for _ in range(200)]
           + [moment(2, 9998) for _ in range(200)])
for key, days in [("Europe/Paris", [(2024, 3, 31), (2024, 10, 27)]),
                  ("America/New_York", [(2024, 3, 10), (2024, 11, 3)]),
                  ("Australia/Lord_Howe", [(2024, 4, 7), (2024, 10, 6)])]:
    for day in days:
        for minute in range(0, 300, 7):
            for fold in (0, 1):
                moments.append(D.datetime(
                    *day, minute // 60, minute % 60, fold=fold,
                    tzinfo=zoneinfo.ZoneInfo(key)))
times = [D.time(R.randrange(24), R.randrange(60), R.randrange(60), micro(), z)
         for z in (None, D.timezone.utc, D.timezone(D.timedelta(hours=-3.5)))
         for _ in range(20)]
dates = [D.date(R.randrange(1, 10000), 2, R.randrange(1, 29)) for _ in range(9)]
addresses = [ipaddress.ip_address(x) for x in (
    "::", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", "1::", "0.0.0.0")]
addresses += [ipaddress.ip_address(R.randrange(2**32)) for _ in range(20)]
addresses += [ipaddress.IPv6Address(sum(
    R.choice([0, 0, 1, 0xffff]) << 16 * i for i in range(8)))
    for _ in range(200)]
addresses += [ipaddress.ip_network("10.0.0.0/8"),
              ipaddress.ip_network("2001:db8::/32"),
              ipaddress.ip_interface("10.1.2.3/8"),
              ipaddress.ip_interface("::1/128")]
posix = [pathlib.PurePosixPath(x) for x in (
    "/", "//", "///", "a", "a/b", "./a", "a/./b", "a//b", "a/", "/a/../b",
    "//x/y", "///x", "", ".", "..", "a b", ".hidden", "a:b", "A/b")]
windows = [pathlib.PureWindowsPath(x) for x in (
    "C:\\", "C:", "C:x", "C:\\x\\y", "\\\\host\\share\\f", "\\\\host\\share",
    "\\x", "x/y", "", "\\\\?\\C:\\x", "\\\\?\\UNC\\h\\s\\f", "\\\\.\\pipe\\x",
    "c:/a/./b//c", "a:b", "./a:b", "\\\\host", "x\\..\\y", "X/Y")]
zones = [D.timezone.utc, D.timezone(D.timedelta(hours=5, minutes=45)),
         D.timezone(D.timedelta(hours=-5), "EST"),
         D.timezone(D.timedelta(seconds=-1)), zoneinfo.ZoneInfo("Asia/Tokyo")]
ratios = [fractions.Fraction(R.randrange(-50, 50), R.randrange(1, 50))
          for _ in range(50)]
uuids = [uuid.UUID(int=R.randrange(2**128)) for _ in range(20)]

def text(value):
    if isinstance(value, (D.datetime, D.time)):
        return value.isoformat()
    return str(value)
`;
}

Deno.test({
  name: "values say of themselves what Python says",
  ignore: !hasPython,
  fn: async () => {
    const { seed } = new Random();
    const wrong: string[] = [];
    let count = 0;
    const ran = await withPython("3.13", async (python) => {
      const names =
        "decimals deltas moments times dates addresses posix windows zones ratios uuids";
      const bytes = await python.pickle(
        `[(x, text(x)) for x in ${names.replaceAll(" ", " + ")}]`,
        { protocol: 4, setup: setup(seed) },
      );
      for (const [value, text] of loads(bytes) as [unknown, string][]) {
        count++;
        if (String(value) !== text) wrong.push(`${value} is ${text}`);
      }
    });
    assertEquals(wrong.slice(0, 20), [], `seed ${seed}`);
    assert(!ran || count > 2000, `only ${count} values`);
  },
});

Deno.test({
  name: "values are equal as keys where they are in Python",
  ignore: !hasPython,
  fn: async () => {
    const { seed } = new Random();
    const wrong: string[] = [];
    let count = 0;
    const ran = await withPython("3.13", async (python) => {
      // Each value beside the place of the first that equals it.
      const bytes = await python.pickle(
        `(lambda all: [(x, next(i for i, y in enumerate(all)
             if x is y or x == y and hash(x) == hash(y))) for x in all])(
           [x for x in decimals if not x.is_nan()] + ratios + deltas + moments
           + times + dates + addresses + posix + windows + zones[:4] + uuids
           + [x.astimezone(D.timezone.utc) for x in moments[:300]
              if x.tzinfo and 1971 < x.year < 2037]
           + [x.numerator for x in ratios]
           + [x / 8 for x in range(-20, 20)] + list(range(-20, 20))
           + [fractions.Fraction(x, 8) for x in range(-20, 20)]
           + [decimal.Decimal(x) / 8 for x in range(-20, 20)]
           + [decimal.Decimal(x) / 10 for x in range(-20, 20)]
           + [fractions.Fraction(x, 10) for x in range(-20, 20)]
           + [fractions.Fraction(1, 2 ** 1074), 5e-324, 2.0 ** -1060,
              fractions.Fraction(1, 2 ** 1060), 10 ** 30, 1e30, 1e22, 10 ** 22,
              decimal.Decimal("1E+22"), decimal.Decimal("1E+30"),
              float("inf"), decimal.Decimal("Infinity"), True, complex(0.5, 0),
              __import__("signal").SIGINT, __import__("http").HTTPStatus(404),
              404])`.replace(/\n\s*/g, " "),
        { protocol: 4, setup: setup(seed) },
      );
      const first = new PyDict<unknown, number>();
      const pairs = loads(bytes, { floats: "exact" }) as [unknown, number][];
      pairs.forEach(([value, place], i) => {
        count++;
        const found = first.get(value);
        if (found === undefined) first.set(value, i);
        const ours = found ?? i;
        if (ours !== place) {
          wrong.push(`${value}: ${pairs[ours]![0]}, not ${pairs[place]![0]}`);
        }
      });
    });
    assertEquals(wrong.slice(0, 20), [], `seed ${seed}`);
    assert(!ran || count > 1500, `only ${count} values`);
  },
});
