import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dumps } from "../../lib/json/encoder.ts";
import { loads } from "../../lib/json/decoder.ts";
import { dump, JsonEncoder } from "../../lib/json/dump.ts";
import { JSONEncodeError } from "../../lib/json/errors.ts";
import { JsonEncoderStream } from "../../lib/json/streams.ts";
import { JsonDecoderStream } from "../../lib/json/streams.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { Global, PyObject } from "../../lib/python/object.ts";
import { PySet } from "../../lib/python/set.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";

function collect(): {
  writable: WritableStream<Uint8Array>;
  sizes: number[];
  text: () => string;
  closed: () => boolean;
} {
  const sizes: number[] = [];
  let text = "";
  let closed = false;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return {
    sizes,
    text: () => text,
    closed: () => closed,
    writable: new WritableStream({
      write(chunk) {
        sizes.push(chunk.length);
        text += decoder.decode(chunk, { stream: true });
      },
      close() {
        closed = true;
      },
    }),
  };
}

Deno.test("dumps names the path of what it cannot write", () => {
  const cyclic: Record<string, unknown> = { list: [] };
  (cyclic.list as unknown[]).push(1, cyclic);
  const cases: [unknown, string, string][] = [
    [undefined, "not-serializable", "$"],
    [{ a: [1, { "b c": new Set() }] }, "not-serializable", '$.a[1]["b c"]'],
    [[Symbol("x")], "not-serializable", "$[0]"],
    [cyclic, "circular", "$.list[1]"],
    [
      new PyDict<unknown, unknown>([[Tuple.of(1), 2]]),
      "bad-key",
      '$["<tuple>"]',
    ],
    [
      new Map<unknown, unknown>([[1, [new Date(0)]]]),
      "not-serializable",
      '$["1"][0]',
    ],
  ];
  for (const [value, code, path] of cases) {
    const error = assertThrows(() => dumps(value), JSONEncodeError);
    assertEquals([error.code, error.path], [code, path]);
  }
  const nan = assertThrows(
    () => dumps({ x: [1, -Infinity] }, { allowNaN: false }),
    JSONEncodeError,
  );
  assertEquals([nan.code, nan.path], ["not-finite", "$.x[1]"]);
  const mixed = assertThrows(
    () =>
      dumps([new Map<unknown, unknown>([["a", 1], [1, 2]])], {
        sortKeys: true,
      }),
    JSONEncodeError,
  );
  assertEquals([mixed.code, mixed.path], ["unsortable-keys", "$[0]"]);
});

Deno.test("a value that is shared but not within itself is written each time", () => {
  const shared = [1, { a: 2 }];
  let value: unknown = shared;
  for (let i = 0; i < 100; i++) value = [shared, value];
  const back = loads(dumps(value));
  assertEquals(dumps(back), dumps(value));
});

Deno.test("a cycle of any length is told, at whatever depth", () => {
  for (const length of [1, 2, 50, 64, 65, 66, 500]) {
    for (const lead of [0, 1, 63, 64, 100]) {
      const first: unknown[] = [];
      let last = first;
      for (let i = 1; i < length; i++) last.push(last = []);
      last.push(first);
      let value: unknown = first;
      for (let i = 0; i < lead; i++) value = { a: value };
      const error = assertThrows(() => dumps(value), JSONEncodeError);
      assertEquals(error.message, "Circular reference detected");
      assertEquals(error.path, "$" + ".a".repeat(lead) + "[0]".repeat(length));
    }
  }
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const error = assertThrows(
    () => dumps(cyclic, { checkCircular: false }),
    LimitError,
  );
  assertEquals(error.limit, "jsonDepth");
});

Deno.test("a million nested arrays and objects go out and come in", () => {
  let value: unknown = 1;
  for (let i = 0; i < 500_000; i++) value = [{ a: value }];
  const limits = { jsonDepth: Infinity };
  const text = dumps(value, { limits });
  assertEquals(text.length, 500_000 * 9 + 1);
  let back = loads(text, { limits }) as [{ a: unknown }];
  let depth = 0;
  while (Array.isArray(back)) {
    back = (back as [{ a: [{ a: unknown }] }])[0].a;
    depth++;
  }
  assertEquals(depth, 500_000);
  assertThrows(() => dumps(value), LimitError);
  assertThrows(() => loads(text), LimitError);
});

Deno.test("default is called once for each value, its result in its place", () => {
  class Point {
    constructor(readonly x: number, readonly y: number) {}
  }
  const seen: unknown[] = [];
  const text = dumps({ p: new Point(1, 2), q: [new Point(3, 4)] }, {
    default: (value: Point) => {
      seen.push(value);
      return { x: value.x, y: value.y };
    },
    indent: 1,
  });
  assertEquals(seen.length, 2);
  assertEquals(
    text,
    '{\n "p": {\n  "x": 1,\n  "y": 2\n },\n "q": [\n  {\n   "x": 3,\n   "y": 4\n  }\n ]\n}',
  );
  // One that calls dumps itself.
  const nested = dumps([new Point(1, 2)], {
    default: (value: Point) => dumps({ ...value }),
  });
  assertEquals(loads(nested), ['{"x": 1, "y": 2}']);
});

Deno.test("what JSON.stringify would get wrong is written as Python does", () => {
  const wrong: [unknown, string][] = [
    [[1, -0, 2, 3, 4], "[1, -0.0, 2, 3, 4]"],
    [[1, NaN, 2, 3, 4], "[1, NaN, 2, 3, 4]"],
    [[1e16, 1e21, 1e-7, 0.00001, 5], "[1e+16, 1e+21, 1e-07, 1e-05, 5]"],
    [
      [2 ** 53, 2 ** 53 - 1, 1, 2],
      "[9007199254740992.0, 9007199254740991, 1, 2]",
    ],
    [[new Float(1), 1, 2, 3, 4], "[1.0, 1, 2, 3, 4]"],
    [[1n, 2n, 3n, 2n ** 64n], "[1, 2, 3, 18446744073709551616]"],
    [["\x7f", "a", "b", "c"], '["\\u007f", "a", "b", "c"]'],
    [[new Map([[1, 2]]), 1, 2, 3], '[{"1": 2}, 1, 2, 3]'],
    [Tuple.of(1, Tuple.of(2), 3, 4), "[1, [2], 3, 4]"],
    [{ toJSON: 1, a: 2, b: 3 }, '{"toJSON": 1, "a": 2, "b": 3}'],
  ];
  for (const [value, text] of wrong) assertEquals(dumps(value), text);
  const raw = dumps(["\ud800", "a", "\\ud800", "b"], { ensureAscii: false });
  assertEquals(raw, '["\ud800", "a", "\\\\ud800", "b"]');
  for (const item of [undefined, () => 1, Symbol.iterator, new Date()]) {
    assertThrows(() => dumps([1, 2, 3, item, 4]), JSONEncodeError);
    assertThrows(() => dumps({ a: 1, b: item, c: 2 }), JSONEncodeError);
  }
  const hidden = Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 });
  assertEquals(dumps([hidden, [hidden]]), '[{"a": 1}, [{"a": 1}]]');
  const own = { a: 1, toJSON: () => "another" };
  assertThrows(() => dumps([own, own, own, own]), JSONEncodeError);
});

Deno.test("a polluted prototype changes nothing", () => {
  const prototype = Object.prototype as Record<string, unknown>;
  const value = [{ a: 1 }, [2], "x", { b: {} }];
  const expected = dumps(value);
  try {
    prototype.toJSON = () => "polluted";
    prototype.inherited = 1;
    assertEquals(dumps(value), expected);
  } finally {
    delete prototype.toJSON;
    delete prototype.inherited;
  }
});

Deno.test("output is the same whatever its size and whichever road it takes", () => {
  const record = (i: number): unknown => ({
    id: i,
    name: `name ${i} é`,
    tags: ["a", "b\n", '"'],
    ratio: i / 7,
    nested: { deep: [[[]], {}, [i]] },
  });
  const records = Array.from({ length: 3000 }, (_, i) => record(i));
  for (const indent of [null, 0, 2, "\t\t", " ".repeat(40)]) {
    for (const ensureAscii of [true, false]) {
      const options = { indent, ensureAscii };
      const whole = dumps(records, options);
      // A policy that is asked about everything keeps JSON.stringify away.
      const separators = indent === null
        ? [", ", ": "] as const
        : [",", ": "] as const;
      const long = " ".repeat(20);
      const slow = dumps(records, {
        ...options,
        separators: [separators[0] + long, separators[1]],
      }).replaceAll(long, "");
      assertEquals(whole === slow || indent === " ".repeat(40), true);
      assertEquals(loads(whole), records);
    }
  }
});

Deno.test("dump writes pieces of some 64 KiB and closes", async () => {
  const records = Array.from(
    { length: 30_000 },
    (_, i) => ({ i, text: `text ${i} ü`, list: [i, i / 3] }),
  );
  for (const options of [{}, { ensureAscii: false }, { indent: 2 }]) {
    const { writable, sizes, text, closed } = collect();
    await dump(records, writable, options);
    assert(closed());
    assertEquals(text(), dumps(records, options));
    assert(sizes.length > 10);
    for (const size of sizes) assert(size < 300_000, `${size} bytes at once`);
  }
});

Deno.test("dump waits for the stream", async () => {
  let writes = 0;
  let release = (): void => {};
  const writable = new WritableStream<Uint8Array>({
    write() {
      writes++;
      return new Promise((resolve) => release = resolve);
    },
  });
  const done = dump(Array.from({ length: 100_000 }, (_, i) => i), writable);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(writes, 1);
  release();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(writes, 2);
  let isDone = false;
  const over = done.then(() => isDone = true);
  while (!isDone) {
    release();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await over;
  assert(writes > 5);
});

Deno.test("dump leaves open what is to stay open, and aborts what it cannot finish", async () => {
  const { writable, text, closed } = collect();
  await dump([1], writable, { preventClose: true });
  await dump({ a: 2 }, writable, { preventClose: true });
  assert(!closed());
  await dump(3, writable);
  assertEquals(text(), '[1]{"a": 2}3');
  assert(closed());

  let aborted: unknown;
  const failing = new WritableStream<Uint8Array>({
    abort(reason) {
      aborted = reason;
    },
  });
  const error = await assertRejects(
    () => dump([1, new Set()], failing),
    JSONEncodeError,
  );
  await Promise.resolve();
  assertEquals(aborted, error);
  assert(!failing.locked);
});

Deno.test("bytes are UTF-8: a lone surrogate is an error, not U+FFFD", async () => {
  const texts: [unknown, string, number][] = [
    ["a\ud83d", "$", 2],
    [{ k: ["ok", "é\n\ude00"] }, "$.k[1]", 4],
    [{ "\ud800": 1 }, '$["\\ud800"]', 1],
    [new Map<unknown, unknown>([["a", 1], ["b\udfff", 2]]), '$["b\\udfff"]', 2],
    [["x".repeat(20_000) + "\ud800"], "$[0]", 20_001],
    [["x".repeat(300) + "\ud800"], "$[0]", 301],
    [[1, 2, 3, 4, 5, "\udc00", 6], "$[5]", 1],
  ];
  for (const [value, path, position] of texts) {
    const { writable } = collect();
    const error = await assertRejects(
      () => dump(value, writable, { ensureAscii: false }),
      JSONEncodeError,
    );
    assertEquals([error.code, error.path], ["lone-surrogate", path]);
    assert(
      error.message.includes(`in position ${position}: surrogates not allowed`),
      error.message,
    );
    // As text it may stay, and in ASCII it is an escape.
    assertEquals(
      loads(dumps(value, { ensureAscii: false }), { dicts: "map" }),
      loads(dumps(value), { dicts: "map" }),
    );
  }
});

Deno.test("JsonEncoderStream frames values as asked", async () => {
  const values = [1, { a: [2] }, "é"];
  const framed: [object, string][] = [
    [{}, '1\n{"a": [2]}\n"\\u00e9"\n'],
    [{ framing: "lines", ensureAscii: false }, '1\n{"a": [2]}\n"é"\n'],
    [{ framing: "none" }, '1{"a": [2]}"\\u00e9"'],
    [{ framing: "sequence" }, '\x1e1\n\x1e{"a": [2]}\n\x1e"\\u00e9"\n'],
    [{ framing: "array" }, dumps(values)],
    [{ framing: "array", indent: 2 }, dumps(values, { indent: 2 })],
    [{ framing: "array", indent: "" }, dumps(values, { indent: "" })],
  ];
  for (const [options, expected] of framed) {
    const stream = ReadableStream.from(values)
      .pipeThrough(new JsonEncoderStream(options));
    assertEquals(await new Response(stream).text(), expected);
  }
  const none = ReadableStream.from([] as unknown[]);
  const empty = none.pipeThrough(new JsonEncoderStream({ framing: "array" }));
  assertEquals(await new Response(empty).text(), "[]");
  assertThrows(() => new JsonEncoder({ framing: "csv" as "none" }), TypeError);
});

Deno.test("JsonEncoderStream gives a large value in pieces", () => {
  const machine = new JsonEncoder();
  const value = Array.from({ length: 100_000 }, (_, i) => `item ${i}`);
  machine.push(value);
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = machine.pull();
    if (chunk === MORE) break;
    assert(chunk.length < 300_000);
    chunks.push(chunk);
  }
  assert(chunks.length > 10);
});

Deno.test("values go through both streams unchanged", async () => {
  const values = [
    [],
    {},
    [1, [2, { a: null }]],
    "x",
    12345678901234567890n,
    true,
  ];
  for (const framing of ["lines", "sequence"] as const) {
    const back = await Array.fromAsync(
      ReadableStream.from(values as unknown[])
        .pipeThrough(new JsonEncoderStream({ framing }))
        .pipeThrough(new JsonDecoderStream()),
    );
    assertEquals(back, values);
  }
});

Deno.test("types: plain writes what a REST client wants", () => {
  const point = new PyObject(new Global("shapes", "Point"), [], {
    state: { x: 1, y: Tuple.of(2, 3) },
  });
  const value = {
    bytes: new Uint8Array([0, 255]),
    set: new PySet([1, 2]),
    native: new Set(["a"]),
    point,
    empty: new PyObject(new Global("shapes", "Empty")),
    nothing: undefined,
    name: new Global("a", "B.c"),
  };
  assertEquals(loads(dumps(value, { types: "plain" })), {
    bytes: "AP8=",
    set: [1, 2],
    native: ["a"],
    point: { x: 1, y: [2, 3] },
    empty: {},
    nothing: null,
    name: "a.B.c",
  });
  point.state = { self: point };
  const error = assertThrows(
    () => dumps([point], { types: "plain" }),
    JSONEncodeError,
  );
  assertEquals([error.code, error.path], ["circular", "$[0].self"]);
  assertThrows(() => dumps([], { types: "odd" as "plain" }), TypeError);
});

Deno.test("limits hold while writing", () => {
  const long = assertThrows(() => dumps(10n ** 4300n), LimitError);
  assertEquals(long.limit, "intDigits");
  assertEquals(
    dumps(10n ** 4300n, { limits: { intDigits: 0 } }).length,
    4301,
  );
  const size = assertThrows(
    () => dumps("x".repeat(200_000), { limits: { outputBytes: 100_000 } }),
    LimitError,
  );
  assertEquals(size.limit, "outputBytes");
});
