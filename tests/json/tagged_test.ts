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
import { ByteArray } from "../../lib/python/byte_array.ts";
import { OrderedDict } from "../../lib/python/collections.ts";
import { Complex } from "../../lib/python/complex.ts";
import { PyDateTime } from "../../lib/python/datetime.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { Decimal } from "../../lib/python/numbers.ts";
import {
  Extension,
  Global,
  PersistentId,
  PyObject,
} from "../../lib/python/object.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { TimeZone } from "../../lib/python/timezone.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { Uuid } from "../../lib/python/uuid.ts";
import { describe } from "../support/describe.ts";
import { toOptions } from "../support/doors.ts";
import { type Fixture, fixtures, type Node } from "../support/fixtures.ts";
import { difference } from "../support/matches.ts";
import { Random } from "../support/random.ts";

const READ = {
  types: "tagged",
  dicts: "map",
  floats: "exact",
  limits: { intDigits: 0 },
} as const;
const WRITE = { types: "tagged", limits: { intDigits: 0 } } as const;

function there(value: unknown): string {
  return json.dumps(value, { types: "tagged" });
}

function back(text: string): unknown {
  return json.loads(text, { types: "tagged" });
}

function codeOf(text: string, allow?: json.Allow): string {
  const options = allow === undefined ? {} : { allow };
  const error = assertThrows(
    () => json.loads(text, { types: "tagged", ...options }),
    json.TagError,
  );
  return error.code;
}

function isSamePickle(a: unknown, b: unknown): boolean {
  const options = { protocol: 4 };
  return dumps(a, options).toHex() === dumps(b, options).toHex();
}

Deno.test("every value of the fixtures comes back from tagged JSON", async () => {
  const wrong: string[] = [];
  let count = 0;
  const known = new Set<string>();
  for (const { group, name, options, pickles } of await fixtures("values")) {
    if (options.several || options.keepMemo) continue;
    for (const { bytes } of pickles) {
      const value = loads(bytes, toOptions(options));
      const text = json.dumps(value, WRITE);
      // Many pickles are one value.
      if (known.has(`${name} ${text}`)) continue;
      known.add(`${name} ${text}`);
      count++;
      const again = json.loads(text, READ);
      const found = difference(describe(value), describe(again), {
        protocol: 4,
      });
      if (found !== undefined) wrong.push(`${group}/${name}: ${found} ${text}`);
      // Bytes are one object no more, which makes no difference to anyone.
      else if (name !== "bytes_shared" && !isSamePickle(value, again)) {
        wrong.push(`${group}/${name}: another pickle of ${text}`);
      }
    }
  }
  assertEquals(wrong.map((line) => line.slice(0, 300)).slice(0, 10), []);
  assert(count > 800, `only ${count} values`);
});

const SCIENCE = new URL("../../../shared/corpus/science/", import.meta.url);

function hasScience(): boolean {
  try {
    return Deno.statSync(new URL("index.json", SCIENCE)).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name: "real pickles of science are the same after a trip through tagged JSON",
  ignore: !hasScience(),
  fn: async () => {
    const { entries } = JSON.parse(
      await Deno.readTextFile(new URL("index.json", SCIENCE)),
    ) as { entries: { kind: string; file: string }[] };
    const wrong: string[] = [];
    let count = 0;
    for (const { kind, file } of entries) {
      if (kind !== "pickle") continue;
      count++;
      const bytes = await Deno.readFile(new URL(file, SCIENCE));
      const value = loads(bytes, { dicts: "map", floats: "exact" });
      const again = json.loads(json.dumps(value, WRITE), READ);
      if (!isSamePickle(value, again)) wrong.push(file);
    }
    assertEquals(wrong, []);
    assert(count > 500, `only ${count} files`);
  },
});

/** Texts that do not say what they mean: only Python's class knows. */
const AMBIGUOUS =
  /^(globals\/reduce_name|objects\/(state_|sub_set|sub_ordered|newargs_ex)|stdlib\/stat_result)/;
/** Where another text says the same, or more. */
const OTHERWISE =
  /^(text\/bytearray_empty|containers\/empties|globals\/builtin_|objects\/(namedtuple|sub_dict_empty|sub_tuple|newargs)|stdlib\/(pattern|path|defaultdict|bytearray))/;

async function jsonpickle(): Promise<
  { name: string; text: string; desc: Node }[]
> {
  const url = new URL("../fixtures/jsonpickle.jsonl.gz", import.meta.url);
  const packed = new Blob([await Deno.readFile(url)]);
  const lines = await new Response(
    packed.stream().pipeThrough(new DecompressionStream("gzip")),
  ).text();
  return lines.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("what Python's jsonpickle wrote is read, and written as it was", async () => {
  const wrong: string[] = [];
  const cases = await jsonpickle();
  for (const { name, text, desc } of cases) {
    if (AMBIGUOUS.test(name)) continue;
    const value = json.loads(text, READ);
    const found = difference(desc, describe(value), { protocol: 4 });
    if (found !== undefined) wrong.push(`${name}: ${found}`);
    const again = json.dumps(value, WRITE);
    if (again !== text && !OTHERWISE.test(name)) {
      wrong.push(`${name}: ${text} became ${again}`);
    }
  }
  assertEquals(wrong.map((line) => line.slice(0, 300)).slice(0, 10), []);
  assert(cases.length > 500, `only ${cases.length} texts`);
});

/** What jsonpickle 3.0 itself loses, here or in its own texts. */
const LOST =
  /(cycle_|namespace_cycle|deque_cycle|nan|setter|proto_names|dict_(bool|bytes|int|none)_|plain_mixed)/;

Deno.test({
  name: "Python's jsonpickle reads what Brine writes",
  ignore: !Deno.env.get("BRINE_JSONPICKLE"),
  fn: async () => {
    const lines: string[] = [];
    const cases: Fixture[] = await fixtures("values");
    for (const { group, name, options, pickles } of cases) {
      if (Object.keys(options).length > 0 || /^deep_/.test(name)) continue;
      for (const { bytes, writers } of pickles) {
        if (!/\b4c [^,]*3\.11/.test(writers)) continue;
        const text = json.dumps(loads(bytes, toOptions(options)), WRITE);
        lines.push(JSON.stringify({
          name: `${group}/${name}`,
          text,
          pickle: bytes.toBase64(),
        }));
      }
    }
    const script = new URL(
      "../fixtures/generate_jsonpickle.py",
      import.meta.url,
    );
    const child = new Deno.Command(Deno.env.get("BRINE_JSONPICKLE")!, {
      args: ["-B", "-X", "int_max_str_digits=0", script.pathname, "check"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = new Response(child.stdout).text();
    await ReadableStream.from([lines.join("\n")])
      .pipeThrough(new TextEncoderStream()).pipeTo(child.stdin);
    const wrong = (await output).trim().split("\n")
      .filter((line) => line !== "" && !LOST.test(line));
    assertEquals((await child.status).success, true);
    assertEquals(wrong, []);
  },
});

Deno.test("the tags are those of jsonpickle", () => {
  const cases: [unknown, string][] = [
    [Tuple.of(1, 2), '{"py/tuple": [1, 2]}'],
    [new PySet([1]), '{"py/set": [1]}'],
    [new Set(["a"]), '{"py/set": ["a"]}'],
    [Uint8Array.of(0, 255), '{"py/b64": "AP8="}'],
    [
      new FrozenSet([1]),
      '{"py/reduce": [{"py/type": "builtins.frozenset"}, {"py/tuple": [[1]]}]}',
    ],
    [
      new Complex(1, 2),
      '{"py/object": "builtins.complex", "py/newargs": {"py/tuple": [1.0, 2.0]}}',
    ],
    [
      new PyDateTime([2020, 1, 2, 3, 4, 5]),
      '{"py/object": "datetime.datetime", "__reduce__": [{"py/type": "datetime.datetime"}, ["B+QBAgMEBQAAAA=="]]}',
    ],
    [
      new Decimal("1.50"),
      '{"py/reduce": [{"py/type": "decimal.Decimal"}, {"py/tuple": ["1.50"]}]}',
    ],
    [
      new Uuid(1n),
      '{"py/object": "uuid.UUID", "hex": "00000000000000000000000000000001"}',
    ],
    [
      new PyArray("i", Int32Array.of(1, 2)),
      '{"py/object": "array.array", "typecode": "i", "values": [1, 2]}',
    ],
    [new Global("builtins", "int"), '{"py/type": "builtins.int"}'],
    [new Global("math", "sqrt"), '{"py/function": "math.sqrt"}'],
    [
      new PyObject(new Global("shop", "Item"), [], { state: { a: 1 } }),
      '{"py/object": "shop.Item", "a": 1}',
    ],
    [
      new PyObject(new Global("shop", "Item"), [1], { state: 5 }),
      '{"py/object": "shop.Item", "py/newargs": {"py/tuple": [1]}, "py/state": 5}',
    ],
    [
      new PyObject(new Global("shop", "Items"), [], { items: [1, 2] }),
      '{"py/object": "shop.Items", "py/seq": [1, 2]}',
    ],
    [
      new PyObject(new Global("shop", "Item"), [1], { kwargs: { size: 2 } }),
      '{"py/object": "shop.Item", "py/newargsex": [{"py/tuple": [1]}, {"size": 2}]}',
    ],
    [
      new OrderedDict([["a", 1]]),
      '{"py/reduce": [{"py/type": "collections.OrderedDict"}, {"py/tuple": []}, null, null, {"py/tuple": [{"py/tuple": ["a", 1]}]}]}',
    ],
    [
      new PyDict<unknown, unknown>([[1, "a"], [Tuple.of(1, 2), "b"]]),
      '{"json://1": "a", "json://{\\"py/tuple\\": [1, 2]}": "b"}',
    ],
    [
      [NaN, 2n ** 70n, new Float(1), -0],
      "[NaN, 1180591620717411303424, 1.0, -0.0]",
    ],
  ];
  for (const [value, text] of cases) {
    assertEquals(there(value), text);
    assertEquals(
      describe(json.loads(text, READ)),
      describe(loads(dumps(value), { dicts: "map", floats: "exact" })),
    );
  }
});

Deno.test("a dict that looks like a tag stays a dict", () => {
  const cases = [
    { "py/object": "os.system" },
    { "py/tuple": [1] },
    { "py/id": 0 },
    { "py/anything": 1, "json://1": 2, "brine/persistent": 3 },
    { "json://": 1 },
    { 'json://"x"': 1, x: 2 },
    JSON.parse('{"__proto__": {"py/set": 1}, "constructor": 2}'),
  ];
  for (const value of cases) assertEquals(back(there(value)), value);
  assertEquals(there({ "py/set": 1 }), '{"json://\\"py/set\\"": 1}');
});

Deno.test("keys of every kind come back, apart and in order", () => {
  const dict = new PyDict<unknown, unknown>([
    ["b", 1],
    [2, 2],
    ["2", 3],
    [null, 4],
    [true, 5],
    [2.5, 6],
    [Uint8Array.of(1), 7],
    [new FrozenSet([1, Tuple.of(2)]), 8],
    [new Decimal("0.1"), 9],
    [new Global("builtins", "int"), 10],
    ["", 11],
  ]);
  const again = back(there(dict)) as PyDict;
  assertEquals(describe(again), describe(dict));
  const nans = loads(dumps(new Map([[NaN, 1]]))) as PyDict;
  assertEquals([...(back(there(nans)) as PyDict)], [[NaN, 1]]);
});

Deno.test("shared values are one again, and cycles close", () => {
  const list: unknown[] = [1];
  const tuple = Tuple.of<unknown>(list, 2);
  const set = new PySet([1]);
  const bytes = new ByteArray([1]);
  const time = new PyDateTime([2024, 1, 1], { tzinfo: TimeZone.utc });
  const item = new PyObject(new Global("shop", "Item"), [], { state: {} });
  (item.state as Record<string, unknown>).me = item;
  list.push(tuple);
  const value = [list, list, tuple, tuple, set, set, bytes, bytes, time, time];
  const again = back(there([value, item])) as [unknown[], PyObject];
  const [parts, thing] = again;
  for (let i = 0; i < parts.length; i += 2) assert(parts[i] === parts[i + 1]);
  assert((parts[2] as Tuple)[0] === parts[0]);
  assert((parts[0] as unknown[])[1] === parts[2]);
  assert((thing.state as Record<string, unknown>).me === thing);
  assertInstanceOf(parts[6], ByteArray);
});

Deno.test("an empty tuple is nobody's in particular", () => {
  const empty = new Tuple();
  assertEquals(there([empty, empty]), '[{"py/tuple": []}, {"py/tuple": []}]');
});

Deno.test("an object among its own arguments closes its cycle", () => {
  const box: unknown[] = [];
  const value = new PyObject(new Global("shop", "Box"), [box], {
    via: "reduce",
  });
  box.push(value);
  const again = back(there(value)) as PyObject;
  assert((again.args[0] as unknown[])[0] === again);
});

Deno.test("what only a pickle has comes back", () => {
  const object = new PyObject(new Global("shop", "Item"), [], {
    via: "reduce",
    state: { a: 1 },
  });
  object.stateSetter = new Global("shop", "set_state");
  const values = [
    new PersistentId(Tuple.of("storage", 1)),
    new Extension(300),
    object,
    new Global("shop.Deep", "name.of.it"),
    new Global("builtins", "NoneType"),
    new PyObject(new Global("shop", "Old"), [1], { via: "classic" }),
  ];
  const again = back(there(values)) as unknown[];
  assertEquals(again, values);
  assertEquals(there(again), there(values));
});

Deno.test("a million levels are no matter of the stack", () => {
  let value: unknown = 1;
  for (let i = 0; i < 100_000; i++) value = i % 2 ? [value] : Tuple.of(value);
  const limits = { jsonDepth: Infinity };
  const text = json.dumps(value, { types: "tagged", limits });
  let again = json.loads(text, { types: "tagged", limits });
  let depth = 0;
  while (Array.isArray(again)) {
    depth++;
    again = again[0];
  }
  assertEquals(depth, 100_000);
});

Deno.test("allow says what may be named, by exact names", () => {
  const text =
    '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": []}]}';
  assertEquals(codeOf(text, []), "not-allowed");
  assertEquals(
    codeOf(text, ["os.systems", "os", "system", "os.*"]),
    "not-allowed",
  );
  assertEquals(codeOf(text, (name) => name.startsWith("shop.")), "not-allowed");
  assertInstanceOf(
    json.loads(text, { types: "tagged", allow: ["os.system"] }),
    PyObject,
  );
  // What JSON's own values are made by needs no leave.
  const core = [
    new FrozenSet([1]),
    new ByteArray([1]),
    new Complex(1, 2),
    Tuple.of(1),
  ];
  const allowed = json.loads(there([core, core]), {
    types: "tagged",
    allow: [],
  });
  assertEquals((allowed as unknown[][])[0], core);
  // No way around, by attribute or by another tag.
  for (
    const evil of [
      '{"py/object": "os.system"}',
      '{"py/type": "os.system"}',
      '{"py/function": "system", "module": "os"}',
      '{"py/type": "os.system", "module": "os"}',
      '{"a": {"json://{\\"py/type\\": \\"os.system\\"}": 1}}',
      '{"py/reduce": ["py/newobj", {"py/tuple": [{"py/type": "os.system"}]}]}',
      '{"py/reduce": [{"py/function": "builtins.getattr"}, {"py/tuple": [{"py/type": "builtins.tuple"}, "x"]}]}',
    ]
  ) {
    const code = codeOf(evil, ["shop.Item", "builtins.getattr"]);
    assert(code === "not-allowed" || code === "bad-tag", evil);
  }
});

Deno.test("tags that make no sense are errors, never a hang or a crash", () => {
  for (
    const text of [
      '{"py/tuple": 5}',
      '{"py/set": {"a": 1}}',
      '{"py/set": [[1]]}',
      '{"py/b64": "*"}',
      '{"py/b64": 5}',
      '{"py/id": 0}',
      '{"py/id": -1}',
      '{"py/id": 0.5}',
      '{"py/id": "x"}',
      '[{"py/id": 7}]',
      '{"py/type": 5}',
      '{"py/object": null}',
      '{"py/reduce": []}',
      '{"py/reduce": [1]}',
      '{"py/reduce": [{"py/type": "a.B"}, [1]]}',
      '{"py/reduce": [{"py/type": "builtins.int"}, {"py/tuple": [1]}, {"a": 1}]}',
      '{"py/reduce": [{"py/type": "a.B"}, {"py/tuple": []}, null, 5]}',
      '{"py/object": "datetime.datetime", "__reduce__": 5}',
      '{"py/object": "datetime.datetime", "__reduce__": [1, [1]]}',
      '{"py/object": "uuid.UUID", "hex": 5}',
      '{"py/object": "array.array", "typecode": "i", "values": 5}',
      '{"json://": 1}',
      '{"json://[1]": 1}',
      '{"json://{": 1}',
      '{"py/repr": "os/os.system()"}',
      '{"py/ref": "/"}',
      '{"brine/extension": "x"}',
      '{"py/object": "a.B", "py/newargs": 5}',
      '{"py/object": "a.B", "py/seq": 5}',
    ]
  ) assertEquals(codeOf(text), "bad-tag", text);
});

Deno.test('without types: "tagged" a tag is data', () => {
  const text = '{"py/object": "os.system", "py/tuple": [1]}';
  assertEquals(json.loads(text), JSON.parse(text));
});

Deno.test("streams carry tagged values, each by itself", async () => {
  const shared = [1];
  const values = [Tuple.of(shared, shared), new PySet([1])];
  const found = await Array.fromAsync(
    ReadableStream.from(values)
      .pipeThrough(new json.JsonEncoderStream({ types: "tagged" }))
      .pipeThrough(new json.JsonDecoderStream({ types: "tagged" })),
  ) as [Tuple, PySet];
  assert(found[0][0] === found[0][1]);
  assertInstanceOf(found[1], PySet);
});

Deno.test("options that would break the references are refused", () => {
  assertThrows(
    () => json.dumps({}, { types: "tagged", sortKeys: true }),
    TypeError,
  );
  assertThrows(
    () => new json.JsonDecoderStream({ types: "tagged", items: true }),
    TypeError,
  );
});

Deno.test("a value that nobody knows is an error, or the caller's to say", () => {
  class Mine {}
  assertThrows(() => there([new Mine()]), json.JSONEncodeError);
  assertEquals(
    json.dumps([new Mine()], { types: "tagged", default: () => "mine" }),
    '["mine"]',
  );
});

const TAGS = `py/tuple py/set py/b64 py/b85 py/id py/iterator py/object py/type
py/reduce py/function py/repr py/state py/seq py/newargs py/newargsex
py/initargs brine/persistent brine/extension brine/states brine/setter
brine/kwargs __reduce__ __dict__ default_factory hex typecode values pattern
module json://1 json://{"py/id":1} json://"x" json://[ a __proto__`
  .split(/\s+/);
const NAMES = `builtins.tuple builtins.set builtins.frozenset builtins.bytearray
builtins.getattr builtins.iter builtins.int builtins.dict collections.deque
collections.defaultdict collections.OrderedDict datetime.datetime uuid.UUID
array.array re.Pattern functools.partial types.SimpleNamespace shop.Item
py/newobj copyreg._reconstructor datetime.timezone numpy.dtype`.split(/\s+/);

function randomJson(random: Random, depth: number): unknown {
  const kind = random.below(depth > 0 ? 9 : 4);
  switch (kind) {
    case 0:
      return random.pick([null, true, 0, 1, 2, -1, 1.5, 300]);
    case 1:
      return random.pick(NAMES);
    case 2:
      return random.pick(["", "AP8=", "i", "os.system", "x"]);
    case 3:
      return { "py/type": random.pick(NAMES) };
    case 4:
    case 5:
      return Array.from(
        { length: random.below(4) },
        () => randomJson(random, depth - 1),
      );
    default:
      return Object.fromEntries(
        Array.from(
          { length: 1 + random.below(3) },
          () => [random.pick(TAGS), randomJson(random, depth - 1)],
        ),
      );
  }
}

Deno.test("tags at random are read or refused, and what is read is written", () => {
  const random = new Random();
  let good = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = JSON.stringify(randomJson(random, 4));
    const label = `${text}; seed ${random.seed}`;
    let value: unknown;
    try {
      value = json.loads(text, READ);
    } catch (error) {
      assertInstanceOf(error, json.TagError, label);
      continue;
    }
    good++;
    // What comes of it can be written, and is then the same.
    const again = json.dumps(value, WRITE);
    assertEquals(json.dumps(json.loads(again, READ), WRITE), again, label);
    dumps(value);
  }
  assert(good > 3000, `only ${good} were read; seed ${random.seed}`);
});

Deno.test("what nests too deep is refused, and nothing shallower", () => {
  function nested(depth: number): unknown[] {
    let value: unknown[] = [];
    for (let i = 1; i < depth; i++) value = [value];
    return value;
  }
  const limits = { jsonDepth: 100 };
  assertEquals(
    json.dumps(nested(100), { types: "tagged", limits }).length,
    200,
  );
  for (const depth of [101, 100_000]) {
    assertEquals(
      assertThrows(
        () => json.dumps(nested(depth), { types: "tagged", limits }),
        LimitError,
      ).limit,
      "jsonDepth",
    );
  }
});
