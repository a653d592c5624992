import { assertEquals } from "@std/assert";
import {
  outline,
  partsOf,
  sampleOf,
  tableOf,
} from "../../lib/serve/outline.ts";
import { loads } from "../../lib/pickle/mod.ts";
import {
  ByteArray,
  Float,
  Global,
  NdArray,
  PyDict,
  PyObject,
  PySet,
  Tuple,
} from "../../lib/values.ts";

Deno.test("values in one line", () => {
  for (
    const [value, type, text, count] of [
      [null, "None", undefined, 0],
      [true, "bool", "True", 0],
      [7, "int", "7", 0],
      [2n ** 64n, "int", "18446744073709551616", 0],
      [10n ** 5000n, "int", "(about 16612 bits)", 0],
      [1.5, "float", "1.5", 0],
      [-0, "float", "-0.0", 0],
      [new Float(1), "float", "1.0", 0],
      ["a\n", "str", '"a\\n"', 0],
      [Uint8Array.of(0, 65, 34), "bytes", 'b"\\x00A\\""', 0],
      [new ByteArray(2), "bytearray", 'b"\\x00\\x00"', 0],
      [[], "list", "empty", 0],
      [[1, 2], "list", undefined, 2],
      [Tuple.of(1), "tuple", undefined, 1],
      [{ a: 1 }, "dict", undefined, 1],
      [new PyDict([[1, 2]]), "dict", undefined, 1],
      [new PySet([1]), "set", undefined, 1],
      [new Global("os", "system"), "class or function", "os.system", 0],
      [
        new PyObject(new Global("shop", "Order"), [1], { state: { id: 7 } }),
        "shop.Order",
        undefined,
        2,
      ],
    ] as const
  ) {
    const expected = text === undefined
      ? { type, count }
      : { type, text, count };
    assertEquals(outline(value), expected);
  }
  const long = outline("x".repeat(1000)).text!;
  assertEquals(long.endsWith("… (1000 characters)"), true);
  assertEquals(long.length < 160, true);
});

Deno.test("parts, some at a time", () => {
  const list = Array.from({ length: 1000 }, (_, index) => index * 2);
  assertEquals(partsOf(list, { from: 998, to: 2000 }), [
    { label: "998", value: 1996 },
    { label: "999", value: 1998 },
  ]);
  const dict = new PyDict<unknown, number>([["a", 1], [Tuple.of(1, "x"), 2]]);
  assertEquals(
    partsOf(dict, { from: 0, to: 10 }).map(({ label }) => label),
    ['"a"', '(1, "x")'],
  );
  const object = new PyObject(new Global("shop", "Order"), [5], {
    state: { id: 7 },
    items: ["x"],
    entries: [["k", "v"]],
  });
  assertEquals(partsOf(object, { from: 0, to: 10 }), [
    { label: "argument 1", value: 5 },
    { label: "id", value: 7 },
    { label: "0", value: "x" },
    { label: '"k"', value: "v" },
  ]);
  assertEquals(partsOf("text", { from: 0, to: 10 }), []);
  const names = JSON.parse('{"__proto__": 1}');
  assertEquals(partsOf(names, { from: 0, to: 1 }), [
    { label: '"__proto__"', value: 1 },
  ]);
});

Deno.test("samples and tables are short", () => {
  assertEquals(
    sampleOf({ id: 1, tags: ["a", "b"], name: "Ada" }),
    '"id": 1, "tags": list (2), "name": "Ada"',
  );
  assertEquals(sampleOf([1, 2, 3, 4, 5, 6, 7]), "1, 2, 3, 4, 5, 6, …");
  assertEquals(sampleOf([]), undefined);
  const array = new NdArray(
    Float64Array.from({ length: 200 }, (_, index) => index),
    { shape: [20, 10] },
  );
  const { rows } = tableOf(array, { rows: 3, columns: 3 })!;
  assertEquals(rows, [
    ["0.0", "…", "9.0"],
    ["…", "…", "…"],
    ["190.0", "…", "199.0"],
  ]);
  const [first] = partsOf(array, { from: 0, to: 1 });
  assertEquals(outline(first!.value), {
    type: "slice",
    text: "float64 10",
    count: 10,
  });
});

Deno.test("a value that contains itself has an end", () => {
  // a = []; a.append(a)
  const circle = loads(new TextEncoder().encode("]q\0h\0a."));
  assertEquals(sampleOf(circle), "list (1)");
  assertEquals(outline(circle), { type: "list", count: 1 });
});
