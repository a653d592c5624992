/**
 * Every entry of the standard library against arguments and states that make no
 * sense: they come from strangers.
 */
import { assert, assertEquals } from "@std/assert";
import "../../lib/python/mod.ts";
import { ByteArray } from "../../lib/python/byte_array.ts";
import { Complex } from "../../lib/python/complex.ts";
import { construct } from "../../lib/python/construct.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { KeyMaker, UnhashableError } from "../../lib/python/keys.ts";
import { Global, PyObject } from "../../lib/python/object.ts";
import { typeByName, typeOf } from "../../lib/python/registry.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { TimeDelta } from "../../lib/python/timedelta.ts";
import { TimeZone } from "../../lib/python/timezone.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { Random } from "../support/random.ts";

const NAMES = `_codecs.encode _io.BytesIO _io.StringIO _operator.getitem
_pickle_support.builtin_method_new array._array_reconstructor array.array
builtins.bool builtins.bytearray builtins.bytes builtins.complex builtins.dict
builtins.enumerate builtins.frozenset builtins.getattr builtins.int
builtins.iter builtins.list builtins.range builtins.reversed builtins.set
builtins.slice builtins.str builtins.tuple builtins.type builtins.ValueError
collections.ChainMap collections.Counter collections.OrderedDict
collections.UserDict collections.UserList collections.UserString
collections.defaultdict collections.deque copyreg.__newobj__
copyreg.__newobj_ex__ copyreg._reconstructor datetime.date datetime.datetime
datetime.time datetime.timedelta datetime.timezone decimal.Decimal
fractions.Fraction functools.partial functools.reduce http.HTTPStatus
ipaddress.IPv4Address ipaddress.IPv4Interface ipaddress.IPv4Network
ipaddress.IPv6Address ipaddress.IPv6Interface ipaddress.IPv6Network
itertools.count os._make_stat_result os.stat_result pathlib.PosixPath
pathlib.PurePosixPath pathlib.PureWindowsPath pathlib._local.WindowsPath
pytz.FixedOffset pytz._UTC pytz._p re._compile time.struct_time
types.GenericAlias types.SimpleNamespace uuid.UUID zoneinfo.ZoneInfo
zoneinfo.ZoneInfo._unpickle zoneinfo.ZoneInfo.no_cache`.split(/\s+/);

/** Fresh each time: who is given one may keep and change it. */
function junk(random: Random): unknown {
  return random.pick<() => unknown>([
    () => null,
    () => true,
    () => 0,
    () => -1,
    () => 1.5,
    () => NaN,
    () => Infinity,
    () => random.below(4000),
    () => 2 ** 53,
    () => -(2n ** 64n),
    () => 10n ** 3000n,
    () => new Float(2),
    () => "",
    () => "text",
    () => "__proto__",
    () => "latin1",
    () => "1/0",
    () => "1e999999999999999999999",
    () => "i",
    () => "10.0.0.0/99",
    () => "\ud800",
    () => "../../x",
    () => "9".repeat(5000),
    () => new Uint8Array(0),
    () => new Uint8Array(4),
    () => new Uint8Array(6).fill(255),
    () => new Uint8Array(10).fill(1),
    () => new ByteArray(3),
    () => [],
    () => [1, "a", null],
    () => [["k", 1]],
    () => [[1], [2, 3, 4]],
    () => [[[], 1]],
    () => new Tuple(),
    () => Tuple.of(1, 2),
    () => Tuple.of<unknown>(new Global("a", "B"), Tuple.of(1), {}, null),
    () => Tuple.of<unknown>("x", "\n", 1, null),
    () => Tuple.of<unknown>(new Uint8Array(2), -5, null),
    () => ({}),
    () => JSON.parse('{"__proto__": 1, "int": -1, "data": 5, "maps": 7}'),
    () => ({ int: 5, is_safe: "x" }),
    () => ({ data: {} }),
    () => new PyDict<unknown, unknown>([[1, 2]]),
    () => new PyDict<unknown, unknown>([[Uint8Array.of(105), 2]]),
    () => new PySet([1]),
    () => new FrozenSet(["a"]),
    () => new Global("builtins", "object"),
    () => new Global("array", "array"),
    () => new Global("samplemod", "X.__new__"),
    () => new PyObject(new Global("a", "B")),
    () => new Complex(1, NaN),
    () => new TimeDelta(1),
    () => TimeZone.utc,
  ])();
}

Deno.test("no entry is thrown off its feet, and what it makes is whole", () => {
  const random = new Random();
  const keys = new KeyMaker();
  const seed = `seed ${random.seed}`;
  let made = 0;
  for (const name of NAMES) {
    const type = typeByName(name);
    assert(type?.make !== undefined, name);
    const dot = name.lastIndexOf(".");
    const cls = new Global(name.slice(0, dot), name.slice(dot + 1));
    for (let round = 0; round < 400; round++) {
      const args = Array.from({ length: random.below(6) }, () => junk(random));
      const via = random.pick(["new", "reduce"] as const);
      const kwargs = random.below(8) === 0 ? { fold: junk(random) } : undefined;
      const label = `${name} ${Deno.inspect(args)}; ${seed}`;
      let value: unknown;
      try {
        value = construct(cls, Tuple.from(args), { via, kwargs });
      } catch (error) {
        // What is no key is refused by the dict that is made.
        if (error instanceof UnhashableError) continue;
        throw new Error(label, { cause: error });
      }
      if (typeof value !== "object" || value === null) continue;
      if (!(value instanceof PyObject)) made++;
      try {
        const own = typeOf(value);
        own?.build?.(value, junk(random));
        own?.append?.(value, [junk(random), junk(random)]);
        own?.setItems?.(value, ["k", junk(random)]);
        for (const protocol of [0, 2, 5]) {
          const reduced = own?.reduce?.(value, { protocol });
          if (reduced !== undefined) assert(Array.isArray(reduced.args));
        }
        own?.toPlain?.(value);
        keys.key(value);
      } catch (error) {
        if (error instanceof UnhashableError) continue;
        throw new Error(label, { cause: error });
      }
    }
  }
  assert(made > 500, `only ${made} values were made; ${seed}`);
  assertEquals(({} as Record<string, unknown>).int, undefined);
});
