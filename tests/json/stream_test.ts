import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { JsonDecoder } from "../../lib/json/json_decoder.ts";
import { type JsonDecoderOptions, loads } from "../../lib/json/decoder.ts";
import { JSONDecodeError, UnicodeDecodeError } from "../../lib/json/errors.ts";
import { JsonDecoderStream } from "../../lib/json/streams.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";

type Chunk = Uint8Array | string;

interface Outcome {
  values: unknown[];
  error?: { message: string; code?: unknown };
}

/** What a machine makes of chunks: values, and the error that ended it. */
function decode(
  chunks: Iterable<Chunk>,
  options?: JsonDecoderOptions,
): Outcome {
  const machine = new JsonDecoder(options);
  const values: unknown[] = [];
  const drain = (): void => {
    for (;;) {
      const value = machine.pull();
      if (value === MORE) return;
      values.push(value);
    }
  };
  try {
    drain();
    for (const chunk of chunks) {
      machine.push(chunk);
      drain();
    }
    machine.end();
    drain();
    drain();
    return { values };
  } catch (error) {
    assert(error instanceof Error);
    const { message } = error;
    return error instanceof JSONDecodeError
      ? { values, error: { message, code: error.code } }
      : { values, error: { message } };
  }
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) {
    yield bytes.subarray(i, i + size);
  }
}

const SEQUENCES = [
  "",
  "  \n",
  "1\n2\n3\n",
  "1 2 3",
  '{"a":1}\n{"a":2}\n',
  '{"a":1}{"b":[1,2,{"c":"]}"}]}[]"x""y"1 2',
  '\x1e{"a": 1}\n\x1e[2]\n\x1e"three"\n\x1e4\n',
  '{"a": "\\u00e9\\ud83d\\ude00 é😀", "b\\"": "\\\\"}\r\n["\\\\\\"", "}"]',
  '{"big": 123456789012345678901234567890}\n{"x": [-0, -0.0, 1e400, NaN, Infinity, -Infinity]}\n{"a": 1}',
  "true false null NaN -Infinity -1.5e-3",
  '{\n  "a": [\n    1,\n    2\n  ]\n}\n{\n  "a": {}\n}\n',
  '{"__proto__": {"x": 1}, "constructor": 2}\n[[[[[[]]]]]]',
  '[NaN]\n[1, 2]\n[NaN, {"a": 1, "b": 2}]',
];

const BROKEN = [
  '{"a":1}\n{"a":}\n{"a":2}',
  '{"a":1}\n{"a":2',
  "[1,2]\n[1,",
  "[1, 2,]",
  '{"a": 1,}',
  '{"a": tru}',
  "01",
  "1 2 nulll",
  "[1}",
  '{"a":1]',
  '{"é": "😀"}\n\n  [1 2]',
  '"abc',
  '"ab\\',
  '"ab\\u12',
  "12.",
  "-",
  "nul",
  "}",
  "[1] ]",
  '{"a": "\n"}',
  '{"a": "\\x"}',
  '\x1e{"a":1 \x1e{"b":2}',
  "1,2",
  '{"a":1},{"a":2}',
];

Deno.test("every cut of a sequence gives the same values", () => {
  for (const text of SEQUENCES) {
    const bytes = encodeUtf8(text);
    const whole = decode([bytes]);
    assertEquals(whole.error, undefined, text);
    for (let size = 1; size < 20; size++) {
      assertEquals(decode(cut(bytes, size)), whole, text);
    }
    for (let at = 0; at <= bytes.length; at++) {
      const cuts = [
        bytes.subarray(0, at),
        new Uint8Array(),
        bytes.subarray(at),
      ];
      assertEquals(decode(cuts), whole, text);
    }
    for (let at = 0; at <= text.length; at++) {
      assertEquals(decode([text.slice(0, at), text.slice(at)]), whole, text);
    }
    // With hooks the careful reader does it all.
    assertEquals(
      decode(cut(bytes, 3), { objectHook: (value) => value }),
      whole,
    );
  }
});

Deno.test("a sequence gives what loads gives for each text", () => {
  const texts = [
    '{"a": [1, 2.5, "x"]}',
    "[]",
    '"é"',
    "123456789012345678901",
    "-0",
    '{"k": NaN}',
    "null",
  ];
  for (const separator of ["\n", " ", "\r\n", "\x1e", "\n\x1e"]) {
    const { values } = decode([texts.join(separator)]);
    assertEquals(values, texts.map((text) => loads(text)));
  }
  // Without anything between them where they can be told apart.
  assertEquals(decode(['{"a":1}[2]"x"{}']).values, [{ a: 1 }, [2], "x", {}]);
});

Deno.test("errors are the same at every cut, with values before them", () => {
  for (const text of BROKEN) {
    const bytes = encodeUtf8(text);
    const whole = decode([bytes]);
    assert(whole.error !== undefined, text);
    assert(whole.error.code !== undefined, text);
    for (let size = 1; size < 12; size++) {
      assertEquals(decode(cut(bytes, size)), whole, text);
    }
    for (let at = 0; at <= bytes.length; at++) {
      const cuts = [bytes.subarray(0, at), bytes.subarray(at)];
      assertEquals(decode(cuts), whole, text);
    }
  }
});

Deno.test("an error in a stream counts from the stream's start", () => {
  const { values, error } = decode(['{"é": 1}\n{"b":\n "😀" 2}\n']);
  assertEquals(values, [{ "é": 1 }]);
  assertEquals(
    error?.message,
    "Expecting ',' delimiter: line 3 column 6 (char 20)",
  );
});

Deno.test("items gives the elements of an array, wherever it is cut", () => {
  const texts = [
    "[]",
    " [ ] ",
    "[1]",
    '[1, 2.5, "a,]", [3, [4]], {"b": "}]"}, null, true]',
    '[\n  {"a": 1},\n  {"a": 2},\n  {"a": 3}\n]\n',
    "[12345678901234567890, -0, NaN, 1, 2]",
    '["é", "\\ud83d\\ude00", "😀", "\\\\", "\\""]',
    "[[],[[]],{}]",
  ];
  for (const text of texts) {
    const expected = loads(text) as unknown[];
    const bytes = encodeUtf8(text);
    for (let size = 1; size <= bytes.length; size++) {
      assertEquals(
        decode(cut(bytes, size), { items: true }),
        { values: expected },
        text,
      );
    }
    assertEquals(
      decode(cut(bytes, 2), { items: true, strict: false }),
      { values: expected },
    );
  }
});

Deno.test("items gives the entries of an object", () => {
  const text = '{"a": 1, "b": {"c": [2]}, "__proto__": 3, "a": 4}';
  const expected = [["a", 1], ["b", { c: [2] }], ["__proto__", 3], ["a", 4]];
  for (let size = 1; size <= text.length; size++) {
    const chunks = cut(encodeUtf8(text), size);
    assertEquals(decode(chunks, { items: true }), { values: expected });
  }
  assertEquals(decode(["{}"], { items: true }), { values: [] });
});

Deno.test("items refuses what is broken at every cut", () => {
  const texts = [
    "",
    "  ",
    "1",
    '"a"',
    "null",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1] 2",
    "[1]]",
    "[1}",
    '[1, 2, {"a": }, 3]',
    '["é",\n  "b", x]',
    '{"a": 1,}',
    '{"a": 1} {}',
    '{"a"',
    "[1, 2, 3, nul]",
  ];
  for (const text of texts) {
    const bytes = encodeUtf8(text);
    const whole = decode([bytes], { items: true });
    assert(whole.error?.code !== undefined, text);
    if (!/^[^[{]/.test(text) && text !== "" && !text.includes("] ")) {
      let message = "";
      try {
        loads(text);
      } catch (error) {
        message = (error as Error).message;
      }
      assertEquals(whole.error.message, message, text);
    }
    for (let size = 1; size <= bytes.length; size++) {
      const pieces = decode(cut(bytes, size), { items: true });
      assertEquals(pieces.error, whole.error, text);
    }
  }
});

Deno.test("UTF-16, UTF-32 and byte order marks are told in any cut", () => {
  const text = '[1, "é😀"]\n{"a": "\ud83d"}';
  const units = Array.from(text, (_, i) => text.charCodeAt(i));
  const wide = (size: number, little: boolean, mark: boolean): Uint8Array => {
    const codes = size === 2
      ? Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
      : [...text].map((char) => char.codePointAt(0)!);
    if (mark) codes.unshift(0xfeff);
    const bytes = new Uint8Array(codes.length * size);
    const view = new DataView(bytes.buffer);
    codes.forEach((code, i) =>
      size === 2
        ? view.setUint16(2 * i, code, little)
        : view.setUint32(4 * i, code, little)
    );
    return bytes;
  };
  assert(units.length > 0);
  const expected = { values: [[1, "é😀"], { a: "\ud83d" }] };
  const marked = new Uint8Array([0xef, 0xbb, 0xbf, ...encodeUtf8(text)]);
  const inputs: Uint8Array[] = [encodeUtf8(text), marked];
  for (const size of [2, 4]) {
    for (const little of [true, false]) {
      inputs.push(wide(size, little, true), wide(size, little, false));
    }
  }
  for (const input of inputs) {
    for (const size of [1, 2, 3, 5, 7, 1000]) {
      assertEquals(decode(cut(input, size)), expected);
    }
  }
});

Deno.test("wrong UTF-8 is named by its place in the stream", () => {
  const bytes = new Uint8Array([
    ...encodeUtf8('{"é": 1}\n{"a": "'),
    0xe2,
    0x28,
    ...encodeUtf8('"}'),
  ]);
  for (const size of [1, 2, 3, 100]) {
    const { values, error } = decode(cut(bytes, size));
    assertEquals(values, [{ "é": 1 }]);
    assertEquals(
      error?.message,
      "'utf-8' codec can't decode byte 0xe2 in position 17: invalid continuation byte",
    );
  }
  const { error } = decode([new Uint8Array([0x5b, 0xff])]);
  assertEquals(
    error?.message,
    "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte",
  );
});

Deno.test("a value comes as soon as its end is there", () => {
  const machine = new JsonDecoder();
  machine.push("{}\n");
  assertEquals(machine.pull(), {});
  assertEquals(machine.pull(), MORE);
  machine.push(" [1");
  assertEquals(machine.pull(), MORE);
  machine.push("]");
  assertEquals(machine.pull(), [1]);
  assertEquals(machine.pull(), MORE);
  machine.push("12");
  assertEquals(machine.pull(), MORE);
  machine.push("3 ");
  assertEquals(machine.pull(), 123);
  const bytes = new JsonDecoder();
  bytes.push(new Uint8Array([0x7b]));
  assertEquals(bytes.pull(), MORE);
  bytes.push(new Uint8Array([0x7d]));
  assertEquals(bytes.pull(), {});
});

Deno.test("limits hold in streams", () => {
  const deep = "[".repeat(20_000);
  for (const items of [false, true]) {
    const machine = new JsonDecoder({ items });
    let error: unknown;
    try {
      machine.push(deep);
      machine.pull();
      machine.end();
      machine.pull();
    } catch (thrown) {
      error = thrown;
    }
    assertInstanceOf(error, LimitError);
    assertEquals(error.limit, "jsonDepth");
  }
  const long = decode([`[${"1".repeat(4301)}]`]);
  assert(long.error?.message.startsWith("Exceeds the limit (4300 digits)"));
  const raised = decode([`[${"1".repeat(4301)}]`], {
    limits: { intDigits: 5000 },
  });
  assertEquals(raised.values.length, 1);
});

Deno.test("one-byte chunks cost linear time", () => {
  function time(text: string, options: JsonDecoderOptions): number {
    const bytes = encodeUtf8(text);
    const start = performance.now();
    const { error } = decode(cut(bytes, 1), options);
    assertEquals(error, undefined);
    return performance.now() - start;
  }
  const makes = [
    (n: number) => `["${"x".repeat(n)}"]`,
    (n: number) => `[${"1, ".repeat(n / 3)}1]`,
    (n: number) => `["${"\\u00e9".repeat(n / 6)}"]`,
    (n: number) => `[0.${"1".repeat(n)}]`,
  ];
  for (const options of [{}, { strict: false }, { items: true }]) {
    for (const make of makes) {
      // Eight times the input; quadratic cost would be 64 times. Other programs
      // and garbage collection get in between: the best of some rounds counts.
      let small = Infinity;
      let large = Infinity;
      for (let round = 0; round < 8; round++) {
        small = Math.min(small, time(make(30_000), options));
        large = Math.min(large, time(make(240_000), options));
        if (round > 0 && large <= small * 16) break;
      }
      assert(large <= small * 32 + 300, `${small} ms, then ${large} ms`);
    }
  }
});

Deno.test("JsonDecoderStream reads no further than its reader", async () => {
  let pulled = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(encodeUtf8('{"a": 1}\n'.repeat(10)));
    },
  }, { highWaterMark: 0 });
  const reader = source.pipeThrough(new JsonDecoderStream()).getReader();
  assertEquals((await reader.read()).value, { a: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = pulled;
  assert(before <= 3, `${before} chunks for one value`);
  for (let i = 0; i < 9; i++) await reader.read();
  assert(pulled <= before + 1);
  await reader.cancel();
});

Deno.test("JsonDecoderStream gives the very error, after the values before it", async () => {
  const source = ReadableStream.from(['{"a": 1}\n{"a" ', "2}"]);
  const reader = source.pipeThrough(new JsonDecoderStream()).getReader();
  assertEquals((await reader.read()).value, { a: 1 });
  const error = await assertRejects(() => reader.read(), JSONDecodeError);
  assertEquals(error.code, "expecting-colon");
  assertEquals([error.lineno, error.colno, error.pos], [2, 6, 14]);
  const wrong = ReadableStream.from([new Uint8Array([0x22, 0xff, 0x22])])
    .pipeThrough(new JsonDecoderStream());
  await assertRejects(() => Array.fromAsync(wrong), UnicodeDecodeError);
});

Deno.test("JsonDecoderStream takes text and any view of bytes", async () => {
  const chunks: unknown[] = [
    "[1,",
    new Uint8Array([0x32, 0x2c]),
    new DataView(encodeUtf8('"é"]').buffer),
  ];
  const values = await Array.fromAsync(
    ReadableStream.from(chunks as Uint8Array[])
      .pipeThrough(new JsonDecoderStream()),
  );
  assertEquals(values, [[1, 2, "é"]]);
  const wrong = ReadableStream.from([1] as unknown as string[])
    .pipeThrough(new JsonDecoderStream());
  await assertRejects(() => Array.fromAsync(wrong), TypeError);
});

Deno.test("a million items pass with little memory held", () => {
  const machine = new JsonDecoder({ items: true });
  const chunk = encodeUtf8(
    '{"id": 1, "name": "x", "tags": ["a", "b"]}, '.repeat(1000),
  );
  machine.push("[");
  let count = 0;
  const drain = (): void => {
    while (machine.pull() !== MORE) count++;
  };
  drain();
  for (let i = 0; i < 300; i++) {
    machine.push(chunk);
    drain();
  }
  machine.push("0]");
  drain();
  machine.end();
  drain();
  assertEquals(count, 300_001);
});
