import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { load, loads } from "../../lib/json/decoder.ts";
import { JSONDecodeError } from "../../lib/json/errors.ts";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import { LimitError } from "../../lib/python/limits.ts";

Deno.test("keys that JavaScript treats apart are ordinary keys", () => {
  const text = '{"__proto__": {"x": 1}, "constructor": 2, "toString": 3}';
  for (const options of [{}, { strict: false }]) {
    const value = loads(text, options) as Record<string, unknown>;
    assertEquals(Object.keys(value), ["__proto__", "constructor", "toString"]);
    assertEquals(Object.getPrototypeOf(value), Object.prototype);
    assertEquals((value as { x?: unknown }).x, undefined);
  }
  const map = loads(text, { dicts: "map" }) as PyDict<string, unknown>;
  assertEquals([...map.keys()], ["__proto__", "constructor", "toString"]);
  assertEquals(({} as { x?: unknown }).x, undefined);
});

Deno.test("dicts: map keeps the text's order and the last value of equal keys", () => {
  const map = loads('{"b": 1, "1": 2, "a": 3, "b": 4}', { dicts: "map" });
  assert(map instanceof PyDict);
  assertEquals([...map], [["b", 4], ["1", 2], ["a", 3]]);
});

Deno.test("ints keep every digit, -0 is the int 0", () => {
  assertEquals(
    loads("[9007199254740991, 9007199254740992, -9007199254740993]"),
    [
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
    ],
  );
  assert(Object.is(loads("-0"), 0));
  assert(Object.is(loads("-0.0"), -0));
  assert(Object.is((loads('{"a": [-0]}') as { a: number[] }).a[0], 0));
  assertEquals(loads("1e400"), Infinity);
  // Beyond 2^53, but floats.
  assertEquals(loads("[1e22, 9007199254740993.0]"), [1e22, 9007199254740992]);
  // A long int that a repeated key hides is an error all the same.
  const hidden = `{"a": ${"1".repeat(4301)}, "a": 1}`;
  assertThrows(() => loads(hidden), LimitError);
});

Deno.test("floats: exact keeps 1.0 apart from 1", () => {
  const value = loads("[1, 1.0, 1.5, 1e2, -0.0, 1e400]", { floats: "exact" });
  assertEquals(value, [
    1,
    new Float(1),
    1.5,
    new Float(100),
    new Float(-0),
    Infinity,
  ]);
});

Deno.test("hooks are called innermost first, with the source's own text", () => {
  const calls: unknown[] = [];
  const value = loads('{"a": {"b": 1}, "c": [{}]}', {
    objectHook: (object) => {
      calls.push(structuredClone(object));
      return Object.keys(object).join("");
    },
  });
  assertEquals(calls, [{ b: 1 }, {}, { a: "b", c: [""] }]);
  assertEquals(value, "ac");
  const numbers: string[] = [];
  const seen = (text: string): string => {
    numbers.push(text);
    return text;
  };
  loads("[1, -0, 1.50, 1E+5, NaN, -Infinity, 12345678901234567890]", {
    parseInt: seen,
    parseFloat: seen,
    parseConstant: seen,
  });
  assertEquals(numbers, [
    "1",
    "-0",
    "1.50",
    "1E+5",
    "NaN",
    "-Infinity",
    "12345678901234567890",
  ]);
  const error = new Error("mine");
  const thrown = assertThrows(() =>
    loads("[{}]", {
      objectPairsHook: () => {
        throw error;
      },
    })
  );
  assertEquals(thrown, error);
});

Deno.test("a hook may read JSON itself", () => {
  const value = loads('[{"a": "[1, {}]"}]', {
    objectHook: (object: { a?: string }) =>
      object.a === undefined ? object : loads(object.a),
  });
  assertEquals(value, [[1, {}]]);
});

Deno.test("the error carries the text and the place in code points", () => {
  const text = '["😀",\n "é" x]';
  for (const source of [text, encodeUtf8(text)]) {
    const error = assertThrows(() => loads(source), JSONDecodeError);
    assert(error instanceof SyntaxError);
    assertEquals(error.name, "JSONDecodeError");
    assertEquals(error.doc, text);
    assertEquals([error.pos, error.lineno, error.colno], [11, 2, 6]);
    assertEquals(error.code, "expecting-comma");
  }
});

Deno.test("each kind of mistake has its code", () => {
  const codes: [string, string][] = [
    ["", "expecting-value"],
    ["{1", "expecting-property-name"],
    ['{"a" 1', "expecting-colon"],
    ["[1 2", "expecting-comma"],
    ["[1,]", "trailing-comma"],
    ['{"a":1,}', "trailing-comma"],
    ['"a', "unterminated-string"],
    ['"\n"', "control-character"],
    ['"\\x"', "bad-escape"],
    ['"\\u12"', "bad-unicode-escape"],
    ["1 2", "extra-data"],
    ["\ufeff1", "unexpected-bom"],
  ];
  for (const [text, code] of codes) {
    assertEquals(assertThrows(() => loads(text), JSONDecodeError).code, code);
  }
  const bytes = new Uint8Array([0xff, 0x31]);
  const error = assertThrows(() => loads(bytes), JSONDecodeError);
  assertEquals(error.code, "bad-encoding");
});

Deno.test("depth is limited to some 10,000 and can be raised", () => {
  const nested = (n: number): string => "[".repeat(n) + "]".repeat(n);
  loads(nested(10_000));
  const error = assertThrows(() => loads(nested(10_001)), LimitError);
  assertEquals([error.limit, error.value], ["jsonDepth", 10_000]);
  // Depth is looked at before the rest, as in Python.
  assertThrows(() => loads("[".repeat(100_000)), LimitError);
  loads(nested(100_000), { limits: { jsonDepth: 100_000 } });
  assertThrows(() => loads("[[1]]", { limits: { jsonDepth: 1 } }), LimitError);
  const wide = `[${"[[1]],".repeat(50_000)}1]`;
  assertThrows(() => loads(wide, { limits: { jsonDepth: 2 } }), LimitError);
  loads(wide, { limits: { jsonDepth: 3 } });
  assertThrows(() => loads("[1,2,3]", { limits: { values: 3 } }), LimitError);
  loads("[1,2,3]", { limits: { values: 5 } });
});

Deno.test("what is neither text nor bytes is refused by Python's name", () => {
  for (const [source, name] of [[null, "NoneType"], [1, "int"], [[], "list"]]) {
    const error = assertThrows(() => loads(source as string), TypeError);
    assertEquals(
      error.message,
      `the JSON object must be str, bytes or bytearray, not ${name}`,
    );
  }
});

Deno.test("load reads a stream as one text, cut anywhere", async () => {
  const text = '{"é": [1, "😀", 12345678901234567890]}';
  const expected = loads(text);
  const bytes = encodeUtf8(text);
  for (const size of [1, 3, 1000]) {
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < bytes.length; i += size) {
      chunks.push(bytes.subarray(i, i + size));
    }
    assertEquals(await load(ReadableStream.from(chunks)), expected);
    const texts = [...text];
    assertEquals(await load(ReadableStream.from(texts)), expected);
  }
  const mixed = ReadableStream.from([
    '{"é"',
    encodeUtf8(': [1, "😀", '),
    "12345678901234567890]}",
  ]);
  assertEquals(await load(mixed), expected);
  const error = await assertRejects(
    () => load(ReadableStream.from(["[1,\n", encodeUtf8("2 3]")])),
    JSONDecodeError,
  );
  assertEquals([error.lineno, error.colno], [2, 3]);
  await assertRejects(() => load(ReadableStream.from([])), JSONDecodeError);
});

Deno.test("load cancels the stream where it fails, unless told not to", async () => {
  const make = (): {
    stream: ReadableStream<string>;
    canceled: () => unknown;
  } => {
    let reason: unknown;
    const stream = new ReadableStream<string>({
      start(controller) {
        controller.enqueue("[1");
        controller.enqueue(1 as unknown as string);
      },
      cancel(why) {
        reason = why;
      },
    });
    return { stream, canceled: () => reason };
  };
  const first = make();
  const error = await assertRejects(() => load(first.stream), TypeError);
  assertEquals(first.canceled(), error);
  assert(!first.stream.locked);
  const second = make();
  await assertRejects(
    () => load(second.stream, { preventCancel: true }),
    TypeError,
  );
  assertEquals(second.canceled(), undefined);
  await second.stream.cancel();
});
