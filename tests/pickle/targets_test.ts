// What APPEND, SETITEM and ADDITEMS may be done to, as CPython's C unpickler
// has it: whatever has `extend` or `append`, `__setitem__`, `add`.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps as dumpsJson } from "../../lib/json/encoder.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { PyArray } from "../../lib/python/array.ts";
import { ByteArray } from "../../lib/python/byte_array.ts";
import {
  ChainMap,
  Deque,
  UserDict,
  UserList,
} from "../../lib/python/collections.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { PickleToJsonStream } from "../../lib/transcode/pickle_to_json.ts";
import { describe } from "../support/describe.ts";
import { hasPython, withPython } from "../support/python.ts";

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const BYTES = "\x96\x03\0\0\0\0\0\0\0abc";
const ARRAY = "carray\narray\n(X\x01\0\0\0d](K\x01K\x02etR";
const INTS = "carray\narray\n(X\x01\0\0\0B](K\x01K\x02etR";
const TEXT = "carray\narray\n(X\x01\0\0\0uX\x02\0\0\0abtR";
const DEQUE = "ccollections\ndeque\n(](K\x01K\x02eK\x02tR";
const USER_LIST = "ccollections\nUserList\n)R";
const USER_DICT = "ccollections\nUserDict\n)R";
const CHAIN = "ccollections\nChainMap\n)R";

const floats = (...items: number[]): PyArray =>
  new PyArray("d", Float64Array.from(items));
const ints = (...items: number[]): PyArray =>
  new PyArray("B", Uint8Array.from(items));
const text = (items: string): PyArray =>
  new PyArray("u", Uint32Array.from(items, (item) => item.codePointAt(0)!));
const bytes = (items: string): ByteArray => new ByteArray(ascii(items));

function deque(...items: unknown[]): Deque {
  const deque = new Deque();
  deque.push(...items);
  deque.maxlen = 2;
  return deque;
}

const ACCEPTED: [text: string, value: unknown][] = [
  [BYTES + "K\x01a", bytes("abc\x01")],
  [BYTES + "\x88a", bytes("abc\x01")],
  [BYTES + "(K\x00K\xffe", bytes("abc\0\xff")],
  [BYTES + "K\x01a(K\x02K\x03eK\x04a", bytes("abc\x01\x02\x03\x04")],
  [BYTES + "(e", bytes("abc")],
  [BYTES + "K\x01K\x7as", bytes("azc")],
  [BYTES + "J\xff\xff\xff\xffK\x7as", bytes("abz")],
  [BYTES + "\x89\x88s", bytes("\x01bc")],
  [BYTES + "(K\x00K\x7aK\x01K\x79u", bytes("zyc")],
  [BYTES + "K\x01aK\x03K\x7as", bytes("abcz")],
  [ARRAY + "K\x03a", floats(1, 2, 3)],
  [
    ARRAY + "\x88aG\x3f\xf8\0\0\0\0\0\0a(K\x04K\x05e",
    floats(1, 2, 1, 1.5, 4, 5),
  ],
  [ARRAY + "K\x01K\x03s", floats(1, 3)],
  [ARRAY + "(\x89K\x03J\xff\xff\xff\xffK\x04u", floats(3, 4)],
  [INTS + "K\xffa\x88a", ints(1, 2, 255, 1)],
  [TEXT + "X\x01\0\0\0xa", text("abx")],
  [TEXT + "K\x00X\x01\0\0\0xs", text("xb")],
  [DEQUE + "K\x03a", deque(2, 3)],
  [DEQUE + "K\x00Ns", deque(null, 2)],
  [DEQUE + "(K\x00Nu", deque(null, 2)],
  ["](K\x05K\x06eK\x00Ns", [null, 6]],
  ["](K\x05K\x06e\x88Ns", [5, null]],
  ["](K\x05K\x06e(\x90", [5, 6]],
  ["](K\x05K\x06e(u", [5, 6]],
  [USER_LIST + "K\x05a(K\x06e\x88Ns", new UserList([5, null])],
  [USER_DICT + "K\x05Ns", new UserDict(new PyDict([[5, null]]))],
  [CHAIN + "K\x05Ns", new ChainMap([new PyDict([[5, null]])])],
];

const REFUSED: string[] = [
  BYTES + "M\x00\x01a",
  BYTES + "J\xff\xff\xff\xffa",
  BYTES + "Na",
  BYTES + "(K\x01X\x01\0\0\0xe",
  BYTES + "K\x03K\x01s",
  BYTES + "J\xfc\xff\xff\xffK\x01s",
  BYTES + "K\x00Ns",
  BYTES + "K\x00M\x00\x01s",
  BYTES + "(K\x01\x90",
  ARRAY + "Na",
  ARRAY + "K\x02K\x01s",
  ARRAY + "K\x00Ns",
  ARRAY + "(K\x01\x90",
  INTS + "M\x00\x01a",
  INTS + "J\xff\xff\xff\xffa",
  INTS + "K\x00M\x00\x01s",
  TEXT + "K\x01a",
  TEXT + "X\x02\0\0\0xxa",
  DEQUE + "K\x02Ns",
  DEQUE + "NNs",
  DEQUE + "(K\x01\x90",
  "](K\x05eK\x01Ns",
  "](K\x05eNNs",
  "](K\x05e(K\x01\x90",
  "\x8fK\x01a",
  "\x8f(K\x01e",
  "(\x91K\x01a",
  "(\x91(K\x01\x90",
  "C\x03abcK\x01a",
  "C\x03abcK\x00K\x01s",
  ")K\x01a",
  "K\x01K\x01K\x01s",
  USER_LIST + "K\x00Ns",
  USER_LIST + "(K\x01\x90",
  USER_DICT + "K\x01a",
  CHAIN + "]Ns",
];

Deno.test("what can be appended to and set is what Python can", () => {
  for (const [text, value] of ACCEPTED) {
    assertEquals(loads(ascii(text + ".")), value, JSON.stringify(text));
  }
  for (const text of REFUSED) {
    const { code } = assertThrows(
      () => loads(ascii(text + ".")),
      UnpicklingError,
      undefined,
      JSON.stringify(text),
    );
    assertEquals(code, text === CHAIN + "]Ns" ? "unhashable" : "bad-target");
  }
});

Deno.test("so it is on the way to JSON", async () => {
  for (const text of [...ACCEPTED.map(([text]) => text), ...REFUSED]) {
    const bytes = ascii(text + ".");
    const codeOf = (error: unknown) =>
      `error ${(error as UnpicklingError).code}`;
    let built: string;
    try {
      built = dumpsJson(loads(bytes, { dicts: "map", floats: "exact" }), {
        types: "plain",
      });
    } catch (error) {
      built = codeOf(error);
    }
    const streamed = await new Response(
      ReadableStream.from([bytes]).pipeThrough(new PickleToJsonStream()),
    ).text().catch(codeOf);
    assertEquals(streamed, built, JSON.stringify(text));
  }
});

Deno.test("a bytearray that grows is one object, wherever it is", () => {
  // (x, [x], x, x), appended to between, by what the memo had before and after.
  const value = loads(
    ascii(
      `(${BYTES}\x94](h\x00eh\x00K\x01a\x94h\x00K\x02a0h\x01h\x00K\x03a0t.`,
    ),
  );
  assert(value instanceof Tuple);
  const [first, list, third, fourth] = value;
  assertEquals(first, bytes("abc\x01\x02\x03"));
  assert(first === third && first === fourth);
  assert(first === (list as unknown[])[0]);
  const [inner] = loads(
    ascii(`${BYTES}\x940](h\x00h\x00eh\x00K\x01a0.`),
  ) as ByteArray[];
  assertEquals(inner, bytes("abc\x01"));
  // It has no more room than it needs.
  assertEquals(inner!.buffer.byteLength, 4);
});

Deno.test("a hundred thousand appends to a bytearray or an array end soon", () => {
  const count = 100_000;
  for (const [start, most] of [[BYTES, 3], [INTS, 2], [ARRAY, 2]] as const) {
    const start0 = performance.now();
    const value = loads(ascii(start + "K\x01a".repeat(count) + ".")) as {
      length: number;
    };
    assertEquals(value.length, count + most);
    // A quarter of a second, or minutes where each append copies all.
    assert(performance.now() - start0 < 5000, start);
  }
});

Deno.test({
  name: "Python says the same",
  ignore: !hasPython,
  async fn() {
    const cases = [...ACCEPTED.map(([text]) => text), ...REFUSED];
    const many = cases.map((text) => ({ bytes: ascii(text + ".") }));
    for (const version of ["3.8", "3.11", "3.13"]) {
      await withPython(version, async (python) => {
        (await python.describeMany(many)).forEach((answer, i) => {
          const label = `${version} ${JSON.stringify(cases[i])}`;
          assertEquals("ok" in answer, i < ACCEPTED.length, label);
          if (!("ok" in answer)) return;
          const value = loads(many[i]!.bytes, {
            dicts: "map",
            floats: "exact",
          });
          assertEquals(describe(value), answer.ok, label);
        });
      });
    }
  },
});
