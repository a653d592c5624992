import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, loads } from "../../lib/pickle/mod.ts";
import {
  ArrowArray,
  ArrowChunkedArray,
  ArrowTable,
  Datetime64,
  Global,
  LimitError,
  PyObject,
  Tuple,
} from "../../lib/values.ts";

function lib(name: string, ...args: unknown[]): PyObject {
  return new PyObject(new Global("pyarrow.lib", name), args, {
    via: "reduce",
  });
}

const type = (name: string) => lib("type_for_alias", name);
const buffer = (data: ArrayBufferView) =>
  lib("py_buffer", new Uint8Array(data.buffer as ArrayBuffer));

interface Parts {
  type: unknown;
  length: number;
  offset?: number;
  buffers: unknown[];
  children?: unknown[];
  dictionary?: unknown;
}

function parts(
  { type, length, offset = 0, buffers, children = [], dictionary = null }:
    Parts,
): Tuple {
  return Tuple.of<unknown>(
    type,
    length,
    0,
    offset,
    buffers,
    children,
    dictionary,
  );
}

function array(options: Parts): ArrowArray {
  const value = loads(dumps(lib("_restore_array", parts(options))));
  assert(value instanceof ArrowArray);
  return value;
}

const TEXT = {
  type: type("string"),
  length: 3,
  buffers: [
    buffer(new Uint8Array([0b101])),
    buffer(new Int32Array([0, 1, 1, 4])),
    buffer(new TextEncoder().encode("ah\u00e9")),
  ],
};

Deno.test("an ArrowArray reads numbers, bool, text and times", () => {
  assertEquals(array(TEXT).toArray(), ["a", null, "h\u00e9"]);
  assertEquals(
    array({
      type: type("int64"),
      length: 2,
      offset: 1,
      buffers: [null, buffer(new BigInt64Array([1n, 2n, 2n ** 62n]))],
    }).toArray(),
    [2, 2n ** 62n],
  );
  assertEquals(
    array({
      type: type("bool"),
      length: 3,
      buffers: [null, buffer(new Uint8Array([0b110]))],
    }).toArray(),
    [false, true, true],
  );
  assertEquals(
    array({
      type: lib("timestamp", "us", null),
      length: 1,
      buffers: [null, buffer(new BigInt64Array([5n]))],
    }).toArray(),
    [new Datetime64(5n, "us")],
  );
  assertEquals(
    array({ type: type("null"), length: 2, buffers: [null] }).toArray(),
    [null, null],
  );
  assertEquals(
    toJson(array(TEXT), { types: "plain", ensureAscii: false }),
    '["a", null, "h\u00e9"]',
  );
});

Deno.test("an ArrowArray reads dictionaries, lists and structs", () => {
  const dictionary = array({
    type: lib("dictionary", type("int8"), type("string"), false),
    length: 4,
    buffers: [
      buffer(new Uint8Array([0b0111])),
      buffer(new Int8Array([2, 0, 1, 0])),
    ],
    dictionary: parts(TEXT),
  });
  assertEquals(dictionary.toArray(), ["h\u00e9", "a", null, null]);
  const list = array({
    type: lib("list_", lib("field", "item", type("string"), true, null)),
    length: 2,
    buffers: [null, buffer(new Int32Array([0, 2, 3]))],
    children: [parts(TEXT)],
  });
  assertEquals(list.toArray(), [["a", null], ["h\u00e9"]]);
  const struct = array({
    type: lib("struct", [
      lib("field", "__proto__", type("string"), true, null),
    ]),
    length: 3,
    buffers: [buffer(new Uint8Array([0b011]))],
    children: [parts(TEXT)],
  });
  assertEquals(
    JSON.stringify(struct),
    '[{"__proto__":"a"},{"__proto__":null},null]',
  );
});

Deno.test("an ArrowTable gives records", () => {
  const chunked = lib("chunked_array", [
    lib("_restore_array", parts(TEXT)),
    lib("_restore_array", parts(TEXT)),
  ], type("string"));
  const value = loads(dumps(
    lib(
      "_reconstruct_table",
      [chunked],
      lib("schema", [lib("field", "s", type("string"), true, null)], null),
    ),
  ));
  assert(value instanceof ArrowTable);
  assertEquals(value.columns, ["s"]);
  assertEquals(value.summary(), "6 rows x 1 columns");
  assertEquals(value.toRecords(2), [{ s: "a" }, { s: null }]);
});

Deno.test("ArrowArrays that lie cannot be read", () => {
  const lies: Partial<Parts>[] = [
    { length: 4 },
    { length: 2 ** 50 },
    { offset: 1 },
    { length: -1 },
    { buffers: [] },
    { buffers: [buffer(new Uint8Array(0)), ...TEXT.buffers.slice(1)] },
    {
      buffers: [null, buffer(new Int32Array([0, 4, 0, 4])), TEXT.buffers[2]],
    },
    { type: type("int64") },
    { type: type("decimal") },
    { type: "string" },
    { type: type("null"), length: 2 ** 50 },
  ];
  for (const lie of lies) {
    const value = array({ ...TEXT, ...lie });
    assertEquals(value.isReadable, false);
    assertEquals(value.length, 0);
    toJson(value, { types: "plain" });
  }
  // Offsets beyond the text.
  const beyond = array({
    ...TEXT,
    buffers: [null, buffer(new Int32Array([0, 1, 5, 9])), TEXT.buffers[2]],
  });
  assertEquals(beyond.toArray(), ["a", undefined, undefined]);
});

Deno.test("chunks named over and over are bounded", () => {
  const one = lib(
    "_restore_array",
    parts({ type: type("null"), length: 10_000_000, buffers: [null] }),
  );
  const value = loads(dumps(lib("chunked_array", new Array(100).fill(one))));
  assert(value instanceof ArrowChunkedArray);
  assertThrows(() => value.toArray(), LimitError);
});
