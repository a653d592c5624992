/**
 * JSON to pickle: the pickle means what `json.loads` gives, is written as
 * CPython writes it, and wrong JSON is refused with the same error.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { dumps as toJson, loads as fromJson } from "../../lib/json/mod.ts";
import { genops } from "../../lib/pickle/genops.ts";
import { dumps } from "../../lib/pickle/mod.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import {
  JsonToPickleMachine,
  type JsonToPickleOptions,
} from "../../lib/transcode/json_to_pickle.ts";
import { readFloat } from "../../lib/transcode/number_text.ts";
import { chunks, type Cut } from "../support/chunks.ts";
import { hasPython, withPython } from "../support/python.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { type Random, seeded } from "../support/random.ts";
import { convert, hex, outcome } from "./convert.ts";

const EXACT = { dicts: "map", floats: "exact" } as const;

function toPickle(
  source: string | Uint8Array,
  options: JsonToPickleOptions = {},
  cut: Cut = 65536,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof source === "string" ? encodeUtf8(source) : source;
  return convert(new JsonToPickleMachine(options), chunks(bytes, cut));
}

function loadAll(bytes: Uint8Array): unknown[] {
  const unpickler = new Unpickler(EXACT);
  unpickler.push(bytes);
  unpickler.end();
  const values: unknown[] = [];
  for (;;) {
    const value = unpickler.pull();
    if (typeof value === "symbol") return values;
    values.push(value);
  }
}

const STRINGS = [
  "",
  "a",
  "é",
  "ÿ",
  "Ā",
  "key",
  "日本語",
  "😀",
  'q"\\\n\t\u0000\u001a\r',
  "\ud800",
  "x".repeat(255),
  "y".repeat(256),
  "naïve " + "z".repeat(70),
];

function value(random: Random, depth: number): unknown {
  if (depth > 5 || random.below(10) < 4) {
    return random.pick([
      null,
      true,
      false,
      0,
      255,
      256,
      65535,
      65536,
      2 ** 31 - 1,
      2 ** 31,
      -1,
      -(2 ** 31),
      -(2 ** 31) - 1,
      2 ** 39,
      -(2 ** 39),
      2 ** 47,
      2 ** 53 - 1,
      2n ** 63n,
      -(2n ** 63n),
      10n ** 700n,
      1.5,
      random.next(),
      random.next() * 1e-7,
      NaN,
      Infinity,
      -0,
      ...STRINGS,
    ]);
  }
  const n = random.pick([0, 1, 1, 2, 3, depth === 0 ? 2000 : 4]);
  if (random.below(2) === 0) {
    return Array.from({ length: n }, () => value(random, depth + 1));
  }
  return new Map(
    Array.from(
      { length: n },
      (_, i) => [random.pick(STRINGS) + (i || ""), value(random, depth + 1)],
    ),
  );
}

Deno.test("random JSON in every protocol, whole and in pieces", async () => {
  await seeded((random) => {
    for (let i = 0; i < 400; i++) {
      const text = toJson(value(random, 0), {
        ensureAscii: random.below(2) === 0,
        indent: random.pick([null, 1]),
      });
      const protocol = i % 6;
      const bytes = toPickle(text, { protocol }, random);
      const want = toJson(fromJson(text, EXACT));
      const [got] = loadAll(bytes);
      assertEquals(toJson(got) === want, true, text.slice(0, 300));
      if (text.length < 2000) {
        assertEquals(bytes, toPickle(text, { protocol }, 1), text);
      }
    }
  });
});

Deno.test("the opcodes are CPython's", () => {
  const opcodes = (text: string, protocol: number) =>
    [...genops(toPickle(text, { protocol }))].map(({ opcode }) => opcode.name)
      .join(" ");
  assertEquals(
    opcodes('[{"a": 1, "b": [2]}, {"a": 1.0}]', 4),
    "PROTO FRAME EMPTY_LIST MEMOIZE MARK EMPTY_DICT MEMOIZE MARK " +
      "SHORT_BINUNICODE MEMOIZE BININT1 SHORT_BINUNICODE MEMOIZE EMPTY_LIST " +
      "MEMOIZE BININT1 APPEND SETITEMS EMPTY_DICT MEMOIZE BINGET BINFLOAT " +
      "SETITEM APPENDS STOP",
  );
  assertEquals(
    opcodes('["a", true, {}]', 0),
    "MARK LIST PUT UNICODE PUT APPEND INT APPEND MARK DICT PUT APPEND STOP",
  );
  assertEquals(opcodes("null", 4), "PROTO NONE STOP");
  assertEquals(opcodes("12", 1), "BININT1 STOP");
});

Deno.test("what has no strings is what the pickler writes", async () => {
  await seeded((random) => {
    const plain = (depth: number): unknown =>
      depth > 3 || random.below(3) === 0
        ? random.pick([1, 2 ** 40, 1.5, null, true, 10n ** 30n])
        : Array.from(
          { length: random.pick([0, 1, 2, 5, 1000, 1001]) >> (5 * depth) },
          () => plain(depth + 1),
        );
    for (let i = 0; i < 60; i++) {
      const text = toJson(plain(0));
      const protocol = i % 6;
      const want = dumps(fromJson(text, EXACT), { protocol });
      const got = toPickle(text, { protocol });
      // A MARK may stay where a list of one item is longer than a frame.
      if (got.length > 65536) continue;
      assert(got.toHex() === want.toHex(), `${protocol} ${text.slice(0, 300)}`);
    }
  });
});

Deno.test("wrong JSON is refused as json.loads refuses it", async () => {
  const texts = [
    "",
    " ",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[1 2]",
    "{",
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{"a" 1}',
    "{a:1}",
    '{"a":}',
    "01",
    "[01]",
    "[1.]",
    "[-]",
    "[tru]",
    "[nulll]",
    "[-NaN]",
    '["a\nb"]',
    '["\\x"]',
    '["\\u12"]',
    '["a',
    '[1,\n"😀" x]',
    "[1]\n[2]",
    '{"a": [1, {"b": [3, 4,\n\n  ]}]}',
    `[${"1".repeat(5000)}]`,
    `{"k": "${"x".repeat(70000)}", ?}`,
    "[" + '{"a": 1, "b": "é"},\n'.repeat(9000) + "x]",
    "[" + "1, ".repeat(40000) + "]",
  ].map(encodeUtf8);
  texts.push(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d));
  texts.push(Uint8Array.of(0x5b, 0x22, 0xe2, 0x82, 0x22, 0x5d));
  texts.push(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d));
  await seeded((random) => {
    for (const bytes of texts) {
      const messages = [
        () => fromJson(bytes),
        () => toPickle(bytes),
        () => toPickle(bytes, {}, bytes.length < 1000 ? 1 : random),
        () => toPickle(bytes, { protocol: 0 }),
      ].map((run) => {
        try {
          run();
        } catch (error) {
          return `${(error as Error).name}: ${(error as Error).message}`;
        }
      });
      assert(messages[0] !== undefined);
      for (const message of messages) assertEquals(message, messages[0]);
    }
  });
});

Deno.test("strings with escapes, right and wrong, whole and in pieces", async () => {
  const PIECES = [
    "\\u00e9",
    "\\u00E9",
    "\\u65e5",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\ude00",
    "\\u0041",
    "\\u0000",
    "\\n",
    "\\/",
    '\\"',
    "\\\\",
    "a",
    "plain text",
    "é",
    "日",
    "😀",
    "\\u12",
    "\\u12g4",
    "\\x",
    "\\",
    "\t",
    "\u007f",
  ];
  const HALVES = [[0xed, 0xa0, 0xbd], [0xed, 0xb8, 0x80], [0xc3], [0x80]];
  await seeded((random) => {
    for (let i = 0; i < 3000; i++) {
      let isUtf8 = true;
      // Most are right.
      const most = random.below(3) === 0 ? PIECES.length : 17;
      const part = (): number[] => {
        if (random.below(60) > 0) {
          return [...encodeUtf8(PIECES[random.below(most)]!)];
        }
        isUtf8 = false;
        return random.pick(HALVES);
      };
      const string = (): number[] => [
        0x22,
        ...Array.from({ length: random.below(7) }, part).flat(),
        0x22,
      ];
      const bytes = Uint8Array.from(
        random.below(2) === 0
          ? [0x5b, ...string(), 0x2c, ...string(), 0x2c, ...string(), 0x5d]
          : [0x7b, ...string(), 0x3a, ...string(), 0x7d],
      );
      const name = hex(bytes);
      const want = outcome(() => toJson(fromJson(bytes, EXACT)));
      for (const cut of [1, random.below(9) + 2, 1000]) {
        const got = outcome(() => toJson(loadAll(toPickle(bytes, {}, cut))[0]));
        // Of two faults, a stream meets the first, and the whole the encoding's.
        if (isUtf8 || !want.startsWith("error")) assertEquals(got, want, name);
        else assert(got.startsWith("error"), name);
      }
    }
  });
});

Deno.test("errors far on point to where Python's do", async () => {
  const PAIRS = [
    '"a": 1',
    '"é": 1',
    '"\\u00e9": 2',
    '"b": "plain"',
    '"c": "\\u00e9\\n"',
    '"d": "né"',
    '"e": "\\n é"',
    '"f": [1,\n2]',
    '"g": [1.5, null, "x"]',
  ];
  await seeded((random) => {
    for (let i = 0; i < 12; i++) {
      // Of few kinds, so that some texts are ASCII on one line for long.
      const kinds = Array.from({ length: 3 }, () => random.pick(PAIRS));
      const parts: string[] = [];
      while (parts.length < 14_000) {
        parts.push(
          random.below(5000) === 0 ? random.pick(PAIRS) : random.pick(kinds),
        );
      }
      const text = `[{${parts.join(", ")}}, ?]`;
      const messages = [() => fromJson(text), () => toPickle(text, {}, 65536)]
        .map((run) => {
          try {
            run();
          } catch (error) {
            return (error as Error).message;
          }
        });
      assertEquals(messages[1], messages[0]);
      assert(messages[0] !== undefined);
    }
  });
});

Deno.test("JSON Lines, and the elements of an array", () => {
  const lines = '{"a": 1}\n[2]\n"three"\n4\n\n null ';
  const want = [new Map([["a", 1]]), [2], "three", 4, null];
  for (const cut of [1, 3, 100]) {
    const values = loadAll(toPickle(lines, { jsonl: true }, cut));
    assertEquals(values.map((v) => toJson(v)), want.map((v) => toJson(v)));
    const items = loadAll(
      toPickle('[{"a": 1}, [2], "three",4, null]', { items: true }, cut),
    );
    assertEquals(items.map((v) => toJson(v)), want.map((v) => toJson(v)));
  }
  assertEquals(loadAll(toPickle("", { jsonl: true })), []);
  assertEquals(loadAll(toPickle("[]", { items: true })), []);
});

Deno.test("UTF-16 and UTF-32 are read as Python reads them", () => {
  const text = '{"é": ["😀", 1]}';
  const wide = new Uint8Array(2 + text.length * 2);
  wide.set([0xff, 0xfe]);
  for (let i = 0; i < text.length; i++) {
    wide[2 + 2 * i] = text.charCodeAt(i) & 255;
    wide[3 + 2 * i] = text.charCodeAt(i) >> 8;
  }
  assertEquals(toPickle(wide, {}, 1), toPickle(text));
});

Deno.test("floats are read as the platform reads them", async () => {
  await seeded((random) => {
    for (let i = 0; i < 100_000; i++) {
      const x = random.next() * 10 ** (random.below(40) - 20);
      const text = random.pick([
        () => String(x),
        () => x.toFixed(random.below(6) + 1),
        () => x.toPrecision(random.below(20) + 1),
        () => `${Math.floor(x * 1e6)}.5`,
      ])().replace("+", "");
      const bytes = encodeUtf8(text);
      assertEquals(readFloat(bytes, 0, bytes.length), Number(text), text);
    }
  });
});

Deno.test("memory does not grow with the input", () => {
  const machine = new JsonToPickleMachine();
  const piece = encodeUtf8('{"id": 1, "name": "some name", "v": [1.5]},\n');
  machine.push(encodeUtf8("["));
  let written = 0;
  for (let i = 0; i < 300; i++) {
    const chunk = new Uint8Array(piece.length * 1500);
    for (let at = 0; at < chunk.length; at += piece.length) {
      chunk.set(piece, at);
    }
    for (let out = machine.pull(); typeof out !== "symbol";) {
      written += out.length;
      out = machine.pull();
    }
    machine.push(chunk);
  }
  assert(written > 8_000_000, `${written}`);
  assert(machine.held < 2_000_000, `${machine.held}`);
});

Deno.test("values are counted for each pickle, all of them, however cut", () => {
  const items = [
    [0, 1, 2, 3],
    [[], {}, [1]],
    { a: "b", c: [null, true] },
    ["x", "\n", "é", -1.5, 1e300].slice(1),
    [12345678901234, NaN, false, Infinity],
  ];
  const lines = items.map((item) => toJson(item)).join("\n");
  const list = toJson(items);
  for (const cut of [1, 7, 65536] as const) {
    for (const protocol of [0, 4]) {
      const run = (text: string, values: number, options = {}) =>
        toPickle(text, { protocol, limits: { values }, ...options }, cut);
      run(lines, 5, { jsonl: true });
      run(list, 5, { items: true });
      run(list, 26);
      for (
        const [text, values, options] of [
          [lines, 4, { jsonl: true }],
          [list, 4, { items: true }],
          [list, 25, {}],
        ] as const
      ) {
        const { limit } = assertThrows(
          () => run(text, values, options),
          LimitError,
        );
        assertEquals(limit, "values");
      }
    }
  }
});

Deno.test({
  name: "CPython writes the same bytes",
  ignore: !hasPython,
  async fn() {
    await seeded(async (random) => {
      await withPython("3.13", async (python) => {
        let same = 0;
        for (let i = 0; i < 120; i++) {
          const text = toJson(value(random, 0));
          const protocol = i % 6;
          const want = await python.pickle(
            `json.loads(${JSON.stringify(text)})`,
            { protocol, setup: "import json" },
          );
          const got = toPickle(text, { protocol });
          if (got.toHex() === want.toHex()) same++;
          // A MARK may stay where a list of one item is longer than a frame.
          else assert(got.length > 65536, text.slice(0, 300));
        }
        assert(same > 100, `${same}`);
      });
    });
  },
});

Deno.test("integers are exact where numbers cease to be", () => {
  const numbers: bigint[] = [];
  for (const power of [31n, 32n, 53n, 54n, 63n, 64n]) {
    for (let i = -100n; i <= 100n; i++) numbers.push(2n ** power + i);
  }
  for (const sign of ["", "-"]) {
    const texts = numbers.map((number) => `${sign}${number}`);
    for (const cut of [65_536, 7]) {
      const [values] = loadAll(toPickle(`[${texts.join(", ")}]`, {}, cut));
      assertEquals((values as unknown[]).map(String), texts);
      const all = fromJson(`[${texts.join(", ")}]`) as unknown[];
      assertEquals(all.map(String), texts);
    }
  }
});
