/**
 * What the stream from pickle to JSON promises beside the text itself: layout,
 * several pickles, refusals, bounds, back-pressure.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, UnpicklingError } from "../../lib/pickle/mod.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { PickleTextMachine } from "../../lib/transcode/pickle_text.ts";
import {
  pickleToJsonMachine,
  type PickleToJsonOptions,
  PickleToJsonStream,
} from "../../lib/transcode/pickle_to_json.ts";
import { type PicklePlan, planPickle } from "../../lib/transcode/plan.ts";
import { chunks, type Cut, join } from "../support/chunks.ts";
import { seeded } from "../support/random.ts";
import { assertText, convert, hex } from "./convert.ts";
import { randomPickle } from "./random_pickles.ts";

/** Bytes of a pickle, of text with `\x` escapes as Python writes bytes. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function text(
  bytes: Uint8Array<ArrayBuffer>,
  options: PickleToJsonOptions = {},
  cut: Cut = 65536,
): string {
  return hex(convert(pickleToJsonMachine(options), chunks(bytes, cut)));
}

/** Without values to fall back on, and with a window of so many bytes. */
function strictly(
  bytes: Uint8Array<ArrayBuffer>,
  options: { window?: number; plan?: PicklePlan } = {},
): string {
  return hex(convert(
    new PickleTextMachine({
      encode: { types: "plain" },
      values: false,
      jsonl: false,
      plan: options.plan,
      window: options.window,
      fallback: false,
    }),
    chunks(bytes, 65536),
  ));
}

Deno.test("layout is that of json.dumps", async () => {
  await seeded((random) => {
    for (let i = 0; i < 200; i++) {
      const bytes = randomPickle(random, {
        protocol: random.below(6),
        size: random.below(60),
        objects: random.below(2) === 0,
      });
      const value = new Unpickler({ dicts: "map", floats: "exact" }).load(
        bytes,
      );
      const options = random.pick<PickleToJsonOptions>([
        { indent: 2 },
        { indent: "\t" },
        { indent: 0 },
        { indent: true, separators: [" ,  ", " = "] },
        { separators: [",", ":"] },
        { separators: ["", "::"] },
        { ensureAscii: false },
        { sortKeys: false, indent: 1, ensureAscii: false },
      ]);
      const want = toJson(value, { types: "plain", ...options });
      assertText(text(bytes, options, random), want, JSON.stringify(options));
    }
  });
});

Deno.test("sorted keys and tags go by way of values", () => {
  const bytes = dumps({ b: 1, a: [1.5, new Set([1])] });
  assertEquals(text(bytes, { sortKeys: true }), '{"a": [1.5, [1]], "b": 1}');
  assertEquals(
    text(bytes, { types: "tagged" }),
    '{"b": 1, "a": [1.5, {"py/set": [1]}]}',
  );
  assertThrows(() => text(bytes, { types: "strict" }), TypeError, "set");
});

Deno.test("several pickles become several lines", () => {
  const bytes = join(dumps({ a: 1 }), dumps([2]), dumps("three"));
  for (const cut of [1, 5, 1000]) {
    assertEquals(text(bytes, {}, cut), '{"a": 1}\n[2]\n"three"');
    assertEquals(text(bytes, { jsonl: true }, cut), '{"a": 1}\n[2]\n"three"\n');
    assertEquals(
      text(bytes, { jsonl: true, sortKeys: true }, cut),
      '{"a": 1}\n[2]\n"three"\n',
    );
  }
  assertEquals(text(new Uint8Array(0), { jsonl: true }), "");
  assertThrows(() => text(new Uint8Array(0)), UnpicklingError);
});

Deno.test("a text is there as soon as its pickle is", () => {
  const machine = pickleToJsonMachine({ jsonl: true });
  const bytes = join(dumps([1]), dumps([2]));
  machine.push(bytes.slice(0, -1));
  assertEquals(hex(machine.pull() as Uint8Array), "[1]\n");
});

Deno.test("elements of the list become lines", () => {
  const bytes = dumps([{ a: [1, { b: 2 }] }, [], "x, [y]", 4]);
  for (const cut of [1, 1000]) {
    assertEquals(
      text(bytes, { items: true }, cut),
      '{"a": [1, {"b": 2}]}\n[]\n"x, [y]"\n4\n',
    );
  }
  assertEquals(text(dumps([]), { items: true }), "");
  assertEquals(text(dumps([[]]), { items: true }), "[]\n");
  assertThrows(() => text(dumps({ a: 1 }), { items: true }), TypeError);
  assertThrows(() => text(dumps(1), { items: true }), TypeError);
});

Deno.test("Python 2 strings are read as they are asked to be", () => {
  const bytes = bytesOf("\x80\x02]q\x01(U\x03abcq\x02U\x02\xc3\xa9q\x03e.");
  assertEquals(text(bytes), '["abc", "\\u00e9"]');
  assertEquals(
    text(bytes, { encoding: "latin1" }),
    '["abc", "\\u00c3\\u00a9"]',
  );
  assertEquals(text(bytes, { encoding: "bytes" }), '["YWJj", "w6k="]');
  assertThrows(() => text(bytes, { encoding: "ascii" }), UnpicklingError);
});

Deno.test("a repeated key has its first place and its last value", () => {
  const bytes = bytesOf(
    "}(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00bK\x02X\x01\x00\x00\x00aK\x03u.",
  );
  assertEquals(text(bytes), '{"a": 3, "b": 2}');
  assertThrows(() => strictly(bytes), UnpicklingError, "twice");
  // 1 and True and 1.0 are one key; "1" is another.
  const numbers = bytesOf(
    "}(K\x01K\x01X\x01\x00\x00\x001K\x02\x88K\x03G\x3f\xf0\x00\x00\x00\x00\x00\x00K\x04u.",
  );
  assertEquals(text(numbers), '{"1": 4, "1": 2}');
  assertThrows(() => strictly(numbers), UnpicklingError, "twice");
  // One by one, as protocol 0 does.
  const single = bytesOf("(dVa\nI1\nsVb\nI2\nsVa\nI3\ns.");
  assertEquals(text(single), '{"a": 3, "b": 2}');
  assertThrows(() => strictly(single), UnpicklingError, "twice");
});

Deno.test("cycles and late mutation are found", () => {
  const cycle = bytesOf("]q\x00h\x00a.");
  assertThrows(() => text(cycle), TypeError, "Circular");
  assertThrows(() => strictly(cycle), UnpicklingError, "not");
  const deep = bytesOf("]q\x00(]q\x01(h\x00K\x01eK\x02e.");
  assertThrows(() => text(deep), TypeError, "Circular");
  assertThrows(() => strictly(deep), UnpicklingError);
  const late = bytesOf("](]q\x00(K\x01K\x02eh\x00K\x03ae.");
  assertEquals(text(late), "[[1, 2, 3], [1, 2, 3]]");
  const error = assertThrows(() => strictly(late), UnpicklingError);
  assertEquals(error.code, "not-streamable");
});

/** A list that is longer than any window, and what comes before and after. */
function large(before: string, after: string, n = 300_000) {
  const head = bytesOf(before);
  const tail = bytesOf(after);
  const body = new Uint8Array(n * 2);
  for (let i = 0; i < body.length; i += 2) {
    body[i] = 0x4b;
    body[i + 1] = i % 251;
  }
  return join(head, ...[body], tail);
}

Deno.test("what shows too late what it is is refused, and planned for", async () => {
  // ([…], 1): the bracket of the tuple comes last.
  const tuple = large("\x80\x02](", "eK\x01\x86.", 700_000);
  const error = assertThrows(() => text(tuple), UnpicklingError);
  assertEquals(error.code, "not-streamable");
  assert(error.message.includes("file"), error.message);
  const plan = await planPickle(new Blob([tuple]).stream());
  assertEquals(plan.length, 2);
  const got = text(tuple, { plan });
  assert(got.startsWith("[[0, 2, 4") && got.endsWith("], 1]"));
  assertEquals(JSON.parse(got)[0].length, 700_000);
});

Deno.test("a slot that is stored twice is not planned for", async () => {
  for (
    const [pickle, want] of [
      // The second is stored while the first is open.
      ["](]q\0}q\0(X\x01\0\0\0x}uah\0e.", '[[{"x": {}}], {"x": {}}]'],
      ["(}q\0(X\x01\0\0\0xq\0th\0t.", '[{}, ["x"], "x"]'],
      ["(lp0\nVa\np0\nag0\na.", '["a", "a"]'],
    ] as const
  ) {
    const bytes = Uint8Array.from(pickle, (c) => c.charCodeAt(0));
    for (const window of [8, 65536]) {
      const plan = await planPickle([bytes], { window });
      assertEquals(text(bytes, { plan }), want);
    }
  }
});

Deno.test("a pickle of small parts is planned with next to nothing", async () => {
  const bytes = large("\x80\x02](", "e.", 400_000);
  const plan = await planPickle(chunks(bytes, 10_000));
  assertEquals([plan.length, plan.fetchedSlots], [1, 0]);
  assertEquals(text(bytes, { plan }), text(bytes));
});

Deno.test("cut off, the stream errors and does not close", async () => {
  const bytes = large("\x80\x02](", "e.", 600_000).slice(0, -2);
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new PickleToJsonStream());
  let size = 0;
  const error = await assertRejects(async () => {
    for await (const chunk of stream) size += chunk.length;
  }, UnpicklingError);
  assertEquals(error.code, "truncated");
  assert(size > 0);
});

Deno.test("billions of laughs end early", () => {
  // Each list has the one before it ten times.
  let program = "(X\x05\x00\x00\x00laughtq\x00";
  for (let i = 1; i < 30; i++) {
    program += `0(${`h${String.fromCharCode(i - 1)}`.repeat(10)}tq${
      String.fromCharCode(i)
    }`;
  }
  const bytes = bytesOf(`${program}.`);
  assertThrows(
    () => text(bytes, { limits: { outputBytes: 1_000_000 } }),
    LimitError,
  );
});

Deno.test("values that wait without end for what they belong to are refused", async () => {
  let given = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(
        given === 0 ? bytesOf("(") : new Uint8Array(65536).fill(0x4e),
      );
      given += 65536;
    },
  }, { highWaterMark: 0 });
  const error = await assertRejects(
    async () => {
      for await (const _ of source.pipeThrough(new PickleToJsonStream()));
    },
    UnpicklingError,
  );
  assertEquals(error.code, "not-streamable");
  assert(given < 4_000_000);
});

Deno.test("memory is bounded, whatever comes", async () => {
  // Records with strings of their own, each in the memo.
  function* records(n: number): Generator<Uint8Array<ArrayBuffer>> {
    yield bytesOf("\x80\x04]\x94(");
    for (let i = 0; i < n; i++) {
      const id = String(1_000_000 + i);
      yield bytesOf(
        i === 0
          ? `}\x94(\x8c\x02id\x94\x8c\x07${id}\x94\x8c\x01v\x94K\x01u`
          : `}\x94(h\x02\x8c\x07${id}\x94h\x04K\x01u`,
      );
      if (i % 1000 === 999) yield bytesOf("e(");
    }
    yield bytesOf("e.");
  }
  for (const planned of [false, true]) {
    const held: number[] = [];
    for (const n of [100_000, 300_000]) {
      const machine = new PickleTextMachine({
        encode: { types: "plain" },
        values: false,
        jsonl: false,
        plan: planned ? await planPickle(records(n)) : undefined,
        window: undefined,
        limits: { memoBytes: 1 << 22, memo: 1 << 16 },
      });
      let most = 0;
      let size = 0;
      let queue: Uint8Array[] = [];
      const flush = () => {
        machine.push(join(...queue));
        queue = [];
        for (let out = machine.pull(); typeof out !== "symbol";) {
          size += out.length;
          out = machine.pull();
        }
        most = Math.max(most, machine.held);
      };
      for (const piece of records(n)) {
        queue.push(piece);
        if (queue.length > 2000) flush();
      }
      flush();
      machine.end();
      for (let out = machine.pull(); typeof out !== "symbol";) {
        size += out.length;
        out = machine.pull();
      }
      assert(size > n * 20);
      held.push(most);
    }
    assert(held[1]! <= held[0]! * 1.1 && held[1]! < 24e6, `${held}`);
  }
});

Deno.test("a slow reader holds the writer back", async () => {
  const { readable, writable } = new PickleToJsonStream();
  const writer = writable.getWriter();
  const bytes = large("\x80\x02](", "", 100_000);
  let written = 0;
  const writing = (async () => {
    await writer.write(bytes);
    written++;
    for (let i = 0; i < 100; i++) {
      await writer.write(bytes.slice(4));
      written++;
    }
    await writer.write(bytesOf("e."));
    await writer.close();
  })();
  const reader = readable.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(written < 10, `${written}`);
  await reader.cancel(new Error("enough"));
  await assertRejects(() => writing);
});

Deno.test("objects in a long list cost only themselves", () => {
  const one = dumps(new Date(0));
  const value = one.subarray(one[2] === 0x95 ? 11 : 2, -1);
  const parts: Uint8Array[] = [bytesOf("\x80\x04](")];
  for (let i = 0; i < 3000; i++) {
    // Its memo is its own: objects of one file, as if by many picklers.
    parts.push(bytesOf("}(\x8c\x01t"), value, bytesOf("\x8c\x01nM\x01\x02u"));
    if (i % 1000 === 999) parts.push(bytesOf("e("));
  }
  parts.push(bytesOf("e."));
  const got = strictlyOr(join(...parts));
  assert(got.startsWith('[{"t": "1970-01-01T00:00:00'), got.slice(0, 100));
  assertEquals(JSON.parse(got).length, 3000);
});

function strictlyOr(bytes: Uint8Array<ArrayBuffer>): string {
  return hex(encodeUtf8(text(bytes, { window: 64 })));
}

Deno.test("what nests deeper than JSON may is refused, as by way of values", () => {
  const limits = { jsonDepth: 50 };
  for (
    const [open, close] of [
      ["]", "a"],
      ["](K\x01", "e"],
      ["(", "t"],
      ["}K\x01", "s"],
      ["}(K\x01K\x01K\x02", "u"],
      ["(l", "a"],
    ] as const
  ) {
    const make = (n: number) =>
      bytesOf(`${open.repeat(n - 1)}]${close.repeat(n - 1)}.`);
    assert(text(make(49), { limits }).length > 90);
    const error = assertThrows(() => text(make(60), { limits }), LimitError);
    assertEquals(error.limit, "jsonDepth");
  }
});

Deno.test("limits on digits hold", () => {
  const bytes = bytesOf(`\x80\x02\x8a\x14${"\x7f".repeat(20)}.`);
  assertEquals(text(bytes).length, 48);
  assertThrows(() => text(bytes, { limits: { intDigits: 40 } }), LimitError);
  const line = bytesOf(`L${"9".repeat(48)}L\n.`);
  assertThrows(() => text(line, { limits: { intDigits: 40 } }), LimitError);
});

Deno.test("a long string is refused, as by way of values", () => {
  const limits = { argumentLength: 40 };
  for (const protocol of [0, 1, 4]) {
    assertEquals(
      text(dumps("x".repeat(38), { protocol }), { limits }).length,
      40,
    );
    for (const value of ["x".repeat(41), { ["k".repeat(41)]: 1 }]) {
      const error = assertThrows(
        () => text(dumps(value, { protocol }), { limits }),
        LimitError,
      );
      assertEquals(error.limit, "argumentLength");
    }
  }
});

Deno.test("a large OrderedDict or defaultdict flows like a dict", async () => {
  for (
    const head of [
      "\x80\x04\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94",
      "ccollections\ndefaultdict\nq\x00c__builtin__\nlist\nq\x01\x85q\x02Rq\x03",
      "ccollections\nOrderedDict\n(tR",
    ]
  ) {
    const parts = [bytesOf(head)];
    for (let i = 0; i < 60_000; i++) {
      if (i % 1000 === 0) parts.push(bytesOf(i === 0 ? "(" : "u("));
      parts.push(
        bytesOf(
          `X\x06\x00\x00\x00${
            100_000 + i
          }X\x14\x00\x00\x00a value of 20 letter`,
        ),
      );
    }
    parts.push(bytesOf("u."));
    const bytes = join(...parts);
    for (
      const got of [
        strictly(bytes, { window: 1000 }),
        strictly(bytes, { plan: await planPickle(chunks(bytes, 5000)) }),
      ]
    ) {
      assert(got.startsWith('{"100000": "a value'), got.slice(0, 50));
      assertEquals(Object.keys(JSON.parse(got)).length, 60_000);
    }
  }
});

Deno.test("keys that come bit by bit are told apart as well", () => {
  // By SETITEM on a dict of protocol 4, and by two batches that are not full.
  const single = bytesOf("}\x8c\x01bK\x01s\x8c\x01aK\x02s\x8c\x01bK\x03s.");
  const batches = bytesOf(
    "}(\x8c\x01bK\x01\x8c\x01cK\x01u(\x8c\x01bK\x02\x8c\x01aK\x02u.",
  );
  assertEquals(text(single), '{"b": 3, "a": 2}');
  assertEquals(text(batches), '{"b": 2, "c": 1, "a": 2}');
  assertThrows(() => strictly(single), UnpicklingError);
  assertThrows(() => strictly(batches), UnpicklingError);
});

Deno.test("a dict with more keys than can be told apart is refused, or in order", async () => {
  function make(count: number, key: (i: number) => number, last: number) {
    const parts = [bytesOf("\x80\x04}(")];
    for (let i = 0; i < count; i++) {
      if (i > 0 && i % 1000 === 0) parts.push(bytesOf("u("));
      const text = String(key(i));
      parts.push(bytesOf(`\x8c${String.fromCharCode(text.length)}${text}N`));
    }
    const text = String(last);
    parts.push(bytesOf(`\x8c${String.fromCharCode(text.length)}${text}Nu.`));
    return join(...parts);
  }
  const limits = { memoBytes: 1 << 18 };
  const n = 60_000;
  // 7919 is prime: all different, in no order.
  const shuffled = (i: number) => (i * 7919) % 1_000_003;
  for (const planned of [false, true]) {
    const convertStrictly = async (bytes: Uint8Array<ArrayBuffer>) =>
      hex(convert(
        new PickleTextMachine({
          encode: { types: "plain" },
          values: false,
          jsonl: false,
          plan: planned ? await planPickle(chunks(bytes, 5000)) : undefined,
          window: 1000,
          limits,
          fallback: false,
        }),
        chunks(bytes, 65536),
      ));
    // In order there is no need to remember them.
    const ordered = await convertStrictly(make(n, (i) => i, n));
    assertEquals(Object.keys(JSON.parse(ordered)).length, n + 1);
    // Few enough: a repeated one is found, else all is well.
    const few = 12_000;
    assert(await convertStrictly(make(few, shuffled, 1_000_004)));
    for (const [count, last] of [[few, shuffled(3)], [n, shuffled(3)]]) {
      const error = await assertRejects(
        () => convertStrictly(make(count!, shuffled, last!)),
        UnpicklingError,
      );
      assertEquals(error.code, "not-streamable");
      assert(
        error.message.includes(count === few ? "twice" : "memoBytes"),
        error.message,
      );
    }
  }
});

Deno.test("a pickle with raw bytes in it is read as values", () => {
  // joblib: the bytes of the array stand behind the wrapper's BUILD.
  const wrapped = bytesOf(
    "\x80\x04]\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}b.....a.",
  );
  assertThrows(() => strictly(wrapped), UnpicklingError, "joblib");
});

Deno.test("a list of nothing but objects", () => {
  const parts: Uint8Array[] = [
    bytesOf("\x80\x04](cdecimal\nDecimal\nq\x00\x8c\x031.5\x85R"),
  ];
  const one = bytesOf("h\x00\x8c\x031.5\x85R");
  for (let i = 1; i < 4000; i++) {
    if (i % 1000 === 0) parts.push(bytesOf("e("));
    parts.push(one);
  }
  parts.push(bytesOf("e."));
  const got = strictly(join(...parts), { window: 64 });
  assertEquals(
    got,
    JSON.stringify(Array(4000).fill("1.5"), null, 0)
      .replaceAll(",", ", "),
  );
  // Before what nests: all that comes later stands above them.
  const nested = bytesOf(`${"](K\x01".repeat(100)}]${"e".repeat(100)}`);
  const both = join(
    bytesOf("("),
    ...Array.from(
      { length: 600 },
      () => bytesOf("cdecimal\nDecimal\n(X\x03\x00\x00\x001.5tR"),
    ),
    nested,
    bytesOf("t."),
  );
  assertEquals(JSON.parse(strictly(both)).length, 601);
});
