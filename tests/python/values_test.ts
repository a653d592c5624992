import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import * as json from "../../lib/json/mod.ts";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import { PyArray } from "../../lib/python/array.ts";
import {
  ChainMap,
  Counter,
  DefaultDict,
  Deque,
  OrderedDict,
  SimpleNamespace,
  UserString,
} from "../../lib/python/collections.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { EnumMember, enumType } from "../../lib/python/enum.ts";
import { BoundMethod, Partial } from "../../lib/python/functions.ts";
import { BytesIO, StringIO } from "../../lib/python/io.ts";
import { IpAddress, IpNetwork } from "../../lib/python/ip_address.ts";
import { PyIterator } from "../../lib/python/iterators.ts";
import { Decimal, Fraction } from "../../lib/python/numbers.ts";
import {
  attributesOf,
  Global,
  PersistentId,
  PyObject,
} from "../../lib/python/object.ts";
import { Path } from "../../lib/python/path.ts";
import { Pattern } from "../../lib/python/regex.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { Uuid } from "../../lib/python/uuid.ts";

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function plain(value: unknown): unknown {
  return JSON.parse(json.dumps(value, { types: "plain" }));
}

Deno.test("Decimals keep their text, in Python's form", () => {
  const cases = [
    ["1e5", "1E+5"],
    [" +0_0.50 ", "0.50"],
    ["-.5e-10", "-5E-11"],
    ["inf", "Infinity"],
    ["-snan0012", "-sNaN12"],
    ["1E-999999999999", "1E-999999999999"],
    ["0e-7", "0E-7"],
    ["0e-6", "0.000000"],
  ];
  for (const [text, expected] of cases) {
    assertEquals(String(new Decimal(text!)), expected);
  }
  for (const text of ["", "1e", "--1", "0x10", "1 2", "e5", "."]) {
    assertThrows(() => new Decimal(text), SyntaxError);
    const bytes = dumps(
      new PyObject(new Global("decimal", "Decimal"), [text], { via: "reduce" }),
    );
    assertInstanceOf(loads(bytes), PyObject);
  }
  assertEquals(new Decimal(10n ** 30n).text, `1${"0".repeat(30)}`);
  assertEquals(new Decimal("-1.5e3").toNumber(), -1500);
});

Deno.test("fractions are in lowest terms, in all forms that Pythons wrote", () => {
  assertEquals(String(new Fraction(6, -4)), "-3/2");
  assertThrows(() => new Fraction(1, 0), RangeError);
  const made = (args: string) =>
    loads(ascii(`cfractions\nFraction\n(${args}tR.`));
  assertEquals(made("V1/3\n"), new Fraction(1, 3));
  assertEquals(made("I2\nI6\n"), new Fraction(1, 3));
  assertEquals(made("I5\n"), new Fraction(5));
  assertInstanceOf(made("I1\nI0\n"), PyObject);
  assertInstanceOf(made("V1/0\n"), PyObject);
  assertInstanceOf(made("F1.5\n"), PyObject);
});

Deno.test("a fraction that would take long to reduce is left as it is", () => {
  const huge = (1n << 200_000n) + 1n;
  const bytes = dumps(
    new PyObject(new Global("fractions", "Fraction"), [huge, huge + 2n], {
      via: "reduce",
    }),
  );
  assertInstanceOf(loads(bytes), PyObject);
});

Deno.test("huge exponents stay text, and cost nothing as keys", () => {
  const dict = new PyDict<unknown, number>([
    [new Decimal("1E+999999999999"), 1],
    [new Decimal("1E-999999999999"), 2],
    [new Decimal("10E+999999999998"), 3],
  ]);
  assertEquals([...dict.values()], [3, 2]);
});

Deno.test("no key and no deque takes quadratic time", () => {
  const start = performance.now();
  new PyDict([[new Decimal(`1${"0".repeat(300_000)}1`), 1]]);
  new PyDict([[new Decimal(`1.${"0".repeat(300_000)}`), 1]]);
  const many = Array.from({ length: 200_000 }, () => "I1\na").join("");
  const deque = loads(ascii(
    `ccollections\ndeque\n((tI200000\ntR${many}${many}.`,
  )) as Deque;
  assertEquals(deque.maxlen, 200_000);
  assert(performance.now() - start < 10_000);
});

Deno.test("UUIDs are read in every form", () => {
  const text = "12345678-1234-5678-1234-567812345678";
  const id = new Uuid(text);
  assertEquals(String(id), text);
  assertEquals(plain(id), text);
  assertEquals(loads(dumps(id)), id);
  const safe = new Uuid(5n);
  safe.isSafe = 0;
  assertEquals((loads(dumps(safe)) as Uuid).isSafe, 0);
  assertThrows(() => new Uuid("xyz"), RangeError);
  // Attribute names as bytes, and an integer that has no 128 bits.
  const state = (dict: string) =>
    loads(
      ascii(`\x80\x02cuuid\nUUID\n)\x81}${dict}b.`),
      { encoding: "bytes" },
    );
  assertEquals(state("U\x03intK\x07s"), new Uuid(7n));
  const odd = state("U\x03intJ\xff\xff\xff\xffs") as Uuid;
  assert(attributesOf(odd) !== undefined);
});

Deno.test("addresses and networks are checked", () => {
  assertEquals(IpAddress.parse("1.2.3"), undefined);
  assertEquals(IpAddress.parse("256.1.1.1"), undefined);
  assertEquals(IpAddress.parse("1::2::3"), undefined);
  assertEquals(IpAddress.parse("1:2:3:4:5:6:7:8:9"), undefined);
  assertEquals(IpAddress.parse("::1.2.3.4")!.int, 0x01020304n);
  assertThrows(() => new IpAddress(4, 1n << 32n), RangeError);
  assertThrows(() => new IpNetwork(new IpAddress(4, 0n), 33), RangeError);
  const made = (name: string, arg: string) =>
    loads(ascii(`cipaddress\n${name}\n(${arg}\ntR.`));
  assertInstanceOf(made("IPv4Network", "V10.0.0.1/8"), PyObject);
  assertInstanceOf(made("IPv4Address", "I-1"), PyObject);
  assertInstanceOf(made("IPv4Address", "V::1"), PyObject);
  assertEquals(String(made("IPv4Interface", "V10.0.0.1/8")), "10.0.0.1/8");
});

Deno.test("paths are joined as pathlib joins them", () => {
  const posix = (...parts: string[]) => String(new Path(parts));
  const windows = (...parts: string[]) =>
    String(new Path(parts, { flavour: "windows" }));
  assertEquals(posix("/", "usr", "lib"), "/usr/lib");
  assertEquals(posix("a", "/b", "c"), "/b/c");
  assertEquals(posix(), ".");
  assertEquals(windows("C:\\", "Users", "x"), "C:\\Users\\x");
  assertEquals(windows("C:", "x"), "C:x");
  assertEquals(windows("C:\\a", "\\b"), "C:\\b");
  assertEquals(windows("C:\\a", "D:b"), "D:b");
  assertEquals(windows("c:\\a", "C:b"), "C:\\a\\b");
  assertEquals(windows("\\\\host\\share", "f"), "\\\\host\\share\\f");
  assertEquals(new Path("/usr/lib").parts, ["/", "usr", "lib"]);
  assertEquals(
    loads(ascii("cpathlib._local\nPosixPath\n(V/a\ntR.")),
    new Path("/a", { pure: false }),
  );
});

Deno.test("collections are written back with all they hold", () => {
  const ordered = new OrderedDict<unknown, unknown>([["b", 1], ["a", [2]]]);
  const back = loads(dumps(ordered)) as OrderedDict;
  assertInstanceOf(back, OrderedDict);
  assertEquals([...back], [["b", 1], ["a", [2]]]);

  const counts = loads(dumps(new Counter([["a", 2]])));
  assertInstanceOf(counts, Counter);
  assertEquals(counts.get("a"), 2);

  const lists = new DefaultDict(new Global("builtins", "list"), [["x", [1]]]);
  const again = loads(dumps(lists)) as DefaultDict;
  assertInstanceOf(again, DefaultDict);
  assertEquals(String(again.defaultFactory), "builtins.list");
  assertEquals(again.get("x"), [1]);

  const chain = loads(dumps(new ChainMap([{ a: 1 }, { a: 2, b: 3 }])));
  assertInstanceOf(chain, ChainMap);
  assertEquals(plain(chain), { a: 1, b: 3 });

  const space = new SimpleNamespace({ a: 1, ["__proto__"]: 2 });
  assertEquals(
    (loads(dumps(space)) as SimpleNamespace).attributes,
    JSON.parse('{"a": 1, "__proto__": 2}'),
  );
  assertEquals((loads(dumps(new UserString("s"))) as UserString).data, "s");
});

Deno.test("a deque keeps the last items, and no room is made for its length", () => {
  const deque = loads(ascii(
    "ccollections\ndeque\n((tI3\ntR(I1\nI2\nI3\nI4\ne(I5\nI6\ne.",
  )) as Deque;
  assertInstanceOf(deque, Deque);
  assertEquals([...deque], [4, 5, 6]);
  assertEquals(deque.maxlen, 3);
  const claim = loads(ascii(
    "ccollections\ndeque\n((tI9007199254740991\ntRI1\na.",
  )) as Deque;
  assertEquals([claim.length, claim.maxlen], [1, 9007199254740991]);
  assertEquals(plain(deque), [4, 5, 6]);
  assertEquals(deque.map((n) => n).constructor, Array);
  assertInstanceOf(
    loads(ascii("ccollections\ndeque\n((tI-1\ntR.")),
    PyObject,
  );
});

Deno.test("arrays are read from any machine", () => {
  const made = (typecode: string, format: number, bytes: number[]) =>
    loads(dumps(
      new PyObject(
        new Global("array", "_array_reconstructor"),
        [
          new Global("array", "array"),
          typecode,
          format,
          Uint8Array.from(bytes),
        ],
        { via: "reduce" },
      ),
    ));
  const items = (...args: Parameters<typeof made>) => [
    ...made(...args) as PyArray,
  ];
  assertEquals(items("h", 5, [0xff, 0xfe]), [-2]);
  assertEquals(items("h", 4, [0xfe, 0xff]), [-2]);
  assertEquals(items("i", 9, [0, 0, 1, 0]), [256]);
  // A long of 4 bytes, as on Windows.
  assertEquals(items("l", 8, [1, 0, 0, 0]), [1]);
  assertEquals(items("Q", 11, [0, 0, 0, 0, 0, 0, 0, 1]), [1n]);
  assertEquals(items("d", 17, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]), [1.5]);
  assertEquals(items("u", 18, [0x3d, 0xd8, 0x00, 0xde, 0x61, 0]), ["😀", "a"]);
  assertEquals(items("u", 21, [0, 1, 0xf6, 0, 0, 0, 0, 0x61]), ["😀", "a"]);
  for (
    const args of [
      ["h", 4, [1]],
      ["i", 99, []],
      ["i", 14, [0, 0, 0, 0]],
      ["x", 4, []],
      ["u", 20, [0, 0, 0x11, 0]],
      ["d", -1, []],
    ] as [string, number, number[]][]
  ) assertInstanceOf(made(...args), PyObject);
});

Deno.test("an array of a list is checked item by item", () => {
  const made = (typecode: string, items: unknown[]) =>
    loads(dumps(
      new PyObject(new Global("array", "array"), [typecode, items], {
        via: "reduce",
      }),
    ));
  assertEquals([...made("b", [-128, 127]) as PyArray], [-128, 127]);
  assertEquals([...made("q", [-1, 2 ** 40]) as PyArray], [-1n, 2n ** 40n]);
  assertEquals([...made("d", [1, 2.5]) as PyArray], [1, 2.5]);
  assertInstanceOf(made("B", [256]), PyObject);
  assertInstanceOf(made("i", [1.5]), PyObject);
  assertInstanceOf(made("u", ["ab"]), PyObject);
  const array = new PyArray("d", Float64Array.of(1, -0));
  for (const protocol of [0, 2, 3, 5]) {
    const back = loads(dumps(array, { protocol })) as PyArray;
    assertEquals(back.data, array.data);
  }
  assertEquals(plain(new PyArray("q", BigInt64Array.of(5n))), [5]);
});

Deno.test("getattr gives names and bound methods, and calls nothing", () => {
  const nested = loads(ascii(
    "c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(cshop\nOuter\nVInner\ntRVmake\ntR.",
  ));
  assertEquals(nested, new Global("shop", "Outer.Inner.make"));
  const bound = loads(ascii("c__builtin__\ngetattr\n((lI1\naVappend\ntR."));
  assertInstanceOf(bound, BoundMethod);
  assertEquals([bound.self, bound.name], [[1], "append"]);
  // A name with dots could pass for another class.
  const odd = loads(ascii(
    "c__builtin__\ngetattr\n(czoneinfo\nZoneInfo\nV_unpickle.x\ntR.",
  ));
  assertInstanceOf(odd, PyObject);
  assertEquals(
    loads(ascii("c__builtin__\ntype\n(NtR.")),
    new Global("builtins", "NoneType"),
  );
  assertInstanceOf(loads(ascii("c__builtin__\ntype\n(VX\n(t(dtR.")), PyObject);
});

Deno.test("a partial is never called, but for the making of an object", () => {
  const partial = "cfunctools\npartial\n(cos\nsystem\ntR";
  const value = loads(ascii(`${partial}.`));
  assertInstanceOf(value, Partial);
  const called = loads(ascii(`${partial}(Vls\ntR.`));
  assertInstanceOf(called, PyObject);
  assertInstanceOf(called.class, Partial);
  // What protocols 2 and 3 write for NEWOBJ_EX.
  const made = loads(dumps(
    new PyObject(new Global("shop", "Item"), [1], {
      kwargs: { size: 2 },
    }),
    { protocol: 2 },
  ));
  assertInstanceOf(made, PyObject);
  assertEquals(String(made.class), "shop.Item");
  assertEquals([...made.args], [1]);
  assertEquals(made.kwargs, { size: 2 });
});

Deno.test("enums of the standard library are members, others where they are named", () => {
  const signal = loads(ascii("csignal\nSignals\n(I2\ntR."));
  assertInstanceOf(signal, EnumMember);
  assertEquals(signal.value, 2);
  assertEquals(plain(signal), 2);
  const bytes = ascii("cshop\nColor\n(I2\ntR.");
  assert(!(loads(bytes) instanceof EnumMember));
  const globals = {
    "shop.Color": enumType("shop.Color", { RED: 1, BLUE: 2 }),
  };
  const blue = loads(bytes, { globals });
  assertInstanceOf(blue, EnumMember);
  assertEquals(String(blue), "Color.BLUE");
  assertEquals(loads(dumps(blue), { globals }), blue);
});

Deno.test("patterns, files in memory and iterators are descriptions", () => {
  const pattern = new Pattern("a+b", 34);
  assertEquals(String(pattern), 're.compile("a+b", re.IGNORECASE)');
  assertEquals(loads(dumps(pattern)), pattern);
  for (const protocol of [0, 2, 4]) {
    const file = loads(dumps(new BytesIO(ascii("ab"), 1), { protocol }));
    assertInstanceOf(file, BytesIO);
    assertEquals([file.value, file.position], [ascii("ab"), 1]);
  }
  const text = loads(dumps(new StringIO("line", 2)));
  assertEquals(plain(text), "line");
  const iterator = loads(ascii("c__builtin__\niter\n((lI1\naI2\natRI1\nb."));
  assertInstanceOf(iterator, PyIterator);
  assertEquals(iterator.remaining(), [2]);
  assertEquals(plain(iterator), [2]);
});

Deno.test("shared and cyclic values inside of value classes are kept", () => {
  const list: unknown[] = [];
  const deque = Deque.of<unknown>(list, list);
  const space = new SimpleNamespace({ deque, list });
  list.push(space);
  const back = loads(dumps(space)) as SimpleNamespace;
  const { deque: d, list: l } = back.attributes as {
    deque: Deque;
    list: unknown[];
  };
  assert(d[0] === l && d[1] === l && l[0] === back);
});

Deno.test("value classes are what Python's json takes, where they are dicts", () => {
  assertEquals(json.dumps(new OrderedDict([["a", 1]])), '{"a": 1}');
  assertEquals(json.dumps(new Counter([["a", 1]])), '{"a": 1}');
  for (
    const value of [
      new Decimal("1"),
      new Uuid(1n),
      new Path("a"),
      Deque.of(1),
      new SimpleNamespace(),
      new Fraction(1, 2),
    ]
  ) {
    assertThrows(() => json.dumps(value), json.JSONEncodeError);
    assertThrows(() => json.dumps([value]), json.JSONEncodeError);
    assertThrows(() => json.dumps([0, 1, 2, 3, 4, [value]]), TypeError);
  }
});

Deno.test("Tuple arguments of a partial come back as a tuple", () => {
  const partial = new Partial(new Global("shop", "f"), [1, "x"]);
  const back = loads(dumps(partial)) as Partial;
  assertInstanceOf(back.args, Tuple);
  assertEquals([...back.args], [1, "x"]);
});

Deno.test("plain JSON of an unknown object is its content, its state, or its value", () => {
  const cls = new Global("shop", "Thing");
  const of = (args: unknown[], parts: object = {}) =>
    plain(new PyObject(cls, args, parts));
  assertEquals(of([], { items: [1], state: { a: 1 } }), [1]);
  assertEquals(of([], { entries: [["k", 1]], state: {} }), { k: 1 });
  assertEquals(of([], { state: { a: 1 } }), { a: 1 });
  assertEquals(of([], { state: Tuple.of(null, { a: 1 }) }), { a: 1 });
  assertEquals(of([], { state: Tuple.of({ b: 2 }, { a: 1 }) }), { b: 2, a: 1 });
  // An enum's member, a subclass of str, a named tuple.
  assertEquals(of([2], { via: "reduce" }), 2);
  assertEquals(of(["text"], { state: {} }), "text");
  assertEquals(of([1, "y"]), [1, "y"]);
  assertEquals(of([Tuple.of(1, 2)]), [1, 2]);
  assertEquals(of([]), {});
  assertEquals(
    json.dumps(new PyArray("d", Float64Array.of(1)), { types: "plain" }),
    "[1.0]",
  );
});

Deno.test("references within references take no stack", () => {
  let value: unknown = 1;
  for (let i = 0; i < 100_000; i++) value = new PersistentId(value);
  let back = loads(dumps(value), {
    persistentLoad: (id) => new PersistentId(id),
  });
  let depth = 0;
  for (; back instanceof PersistentId; back = back.id) depth++;
  assertEquals(depth, 100_000);
});

Deno.test("a slice has one to three arguments, as in Python", () => {
  const cases = [
    ["N\x85", "slice(None, None, None)"],
    [
      "K\x05\x85",
      "slice(None, 5, None)",
    ],
    ["K\x01K\x05\x86", "slice(1, 5, None)"],
    [
      "K\x01K\x05K\x02\x87",
      "slice(1, 5, 2)",
    ],
  ];
  for (const [args, expected] of cases) {
    const bytes = ascii(`cbuiltins\nslice\n${args}R.`);
    assertEquals(String(loads(bytes)), expected);
    assertEquals(String(loads(dumps(loads(bytes)))), expected);
  }
  for (const args of [")", "(NNNNt"]) {
    assertInstanceOf(
      loads(ascii(`cbuiltins\nslice\n${args}R.`)),
      PyObject,
    );
  }
});
