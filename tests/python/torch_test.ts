import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, loads, openPickle } from "../../lib/pickle/mod.ts";
import {
  Global,
  LimitError,
  NdArray,
  PyObject,
  Tensor,
  TorchSize,
  TorchStorage,
  Tuple,
} from "../../lib/values.ts";
import {
  assertComesBack,
  assertOpens,
  scienceFixtures,
} from "../support/science_fixtures.ts";
import { ask, hasPythons, type Question } from "../support/science_python.ts";

Deno.test("PyTorch's fixtures read as Python described them, and come back", async () => {
  const fixtures = await scienceFixtures("torch");
  assert(fixtures.length > 100);
  for (const fixture of fixtures) {
    await assertComesBack(fixture, await assertOpens(fixture));
  }
});

function tensor(
  storage: unknown,
  view: { offset?: unknown; shape?: unknown; stride?: unknown },
): Tensor {
  return new Tensor(new Global("torch._utils", "_rebuild_tensor_v2"), [
    storage,
    view.offset ?? 0,
    view.shape ?? Tuple.of(),
    view.stride ?? Tuple.of(),
    false,
    {},
  ], { via: "reduce" });
}

function storage(data: Float32Array): TorchStorage {
  return new TorchStorage({
    type: new Global("torch", "FloatStorage"),
    numel: data.length,
    bytes: new Uint8Array(data.buffer),
  });
}

Deno.test("a Tensor is a view of its storage", () => {
  const data = storage(new Float32Array([0, 1, 2, 3, 4, 5]));
  const view = tensor(data, {
    offset: 1,
    shape: Tuple.of(2, 2),
    stride: Tuple.of(1, 2),
  });
  assertEquals(view.toArray(), [[1, 3], [2, 4]]);
  assertEquals(view.get(1, -1), 4);
  assertEquals([view.kind, view.dtype, view.layout], [
    "Tensor",
    "float32",
    "strided",
  ]);
  assertEquals(String(view), "Tensor(float32 2 x 2)");
  assertEquals(toJson(view, { types: "plain" }), "[[1.0, 3.0], [2.0, 4.0]]");
  assertEquals(view.toNdArray().toArray(), [[1, 3], [2, 4]]);
  const row = tensor(data, {
    offset: 2,
    shape: Tuple.of(3),
    stride: Tuple.of(1),
  })
    .toNdArray();
  assertEquals(row.toArray(), [2, 3, 4]);
  assertEquals((row.data as Float32Array).buffer, data.bytes!.buffer);
});

Deno.test("tensors share their storage, there and back", () => {
  const data = storage(new Float32Array([0, 1]));
  const one = tensor(data, { shape: Tuple.of(2), stride: Tuple.of(1) });
  const [a, b] = loads(dumps([one, tensor(data, {})])) as Tensor[];
  assertEquals(a!.toArray(), [0, 1]);
  assertEquals(b!.toArray(), 0);
  assert(a!.storage === b!.storage);
});

Deno.test("a Tensor beyond its storage gives nothing", () => {
  const data = storage(new Float32Array([0, 1, 2]));
  const beyond = [
    { offset: 3, shape: Tuple.of(1), stride: Tuple.of(1) },
    { shape: Tuple.of(2), stride: Tuple.of(3) },
    { shape: Tuple.of(2, 2), stride: Tuple.of(2, 1) },
    { offset: 2 ** 50 },
  ];
  for (const view of beyond) {
    const value = tensor(data, view);
    assertThrows(() => value.toArray(), RangeError);
    assertThrows(() => value.toNdArray(), RangeError);
  }
  for (
    const view of [
      { offset: -1 },
      { shape: Tuple.of(-1), stride: Tuple.of(1) },
      { shape: Tuple.of(1, 2), stride: Tuple.of(1) },
      { shape: "x" },
      { shape: Tuple.from(new Array(65).fill(1)) },
    ]
  ) {
    assertEquals(tensor(data, view).isReadable, false);
  }
  assertEquals(tensor(null, {}).isReadable, false);
});

Deno.test("a stride of 0 makes no end of values", () => {
  const data = storage(new Float32Array([7]));
  const few = tensor(data, { shape: Tuple.of(3), stride: Tuple.of(0) });
  assertEquals(few.toArray(), [7, 7, 7]);
  for (const shape of [[2 ** 40], [2 ** 30, 0]]) {
    const many = tensor(data, {
      shape: Tuple.from(shape),
      stride: Tuple.from(shape.map(() => 0)),
    });
    assertThrows(() => many.toArray(), LimitError);
    assertThrows(() => toJson(many, { types: "plain" }), LimitError);
  }
});

Deno.test("a storage without its file has no elements", () => {
  const value = tensor(
    new TorchStorage({ type: new Global("torch", "LongStorage"), numel: 3 }),
    { shape: Tuple.of(3), stride: Tuple.of(1) },
  );
  assertEquals(value.isReadable, false);
  assertEquals(value.dtype, "int64");
  assertThrows(() => value.toArray(), RangeError);
  assertEquals(
    toJson(value, { types: "plain" }),
    '{"dtype": "int64", "shape": [3], "storage": "0"}',
  );
});

Deno.test("bytes that are no PyTorch file go back as they came", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const object = new PyObject(new Global("torch.storage", "_load_from_bytes"), [
    bytes,
  ], { via: "reduce" });
  const value = loads(dumps(object));
  assertInstanceOf(value, TorchStorage);
  assertEquals(value.length, 0);
  assertEquals(value.toArray(), []);
  assertEquals(value.toFile(), bytes);
});

Deno.test("files within files within files end", () => {
  let value: unknown = new Uint8Array(0);
  for (let i = 0; i < 100; i++) {
    value = dumps(
      new PyObject(new Global("torch.storage", "_load_from_bytes"), [value], {
        via: "reduce",
      }),
    );
  }
  assertInstanceOf(loads(value as Uint8Array), TorchStorage);
});

Deno.test("Tensor.of takes a numpy array", () => {
  const array = new NdArray(new BigInt64Array([1n, 2n, 3n, 4n]), {
    shape: [2, 2],
    order: "F",
  });
  const value = Tensor.of(array);
  assertEquals(value.dtype, "int64");
  assertEquals(value.toArray(), [[1, 3], [2, 4]]);
  assertThrows(
    () => Tensor.of(new NdArray(new Uint8Array(3), { dtype: "S3" })),
    TypeError,
  );
});

Deno.test("an archive's damage is told", async () => {
  const fixture = (await scienceFixtures("torch")).find(({ name }) =>
    name === "torch float32.zip"
  )!;
  const { format } = await openPickle(fixture.bytes);
  assertEquals(format, "torch");
  for (const cut of [100, fixture.bytes.length - 30]) {
    let code = "";
    try {
      await openPickle(fixture.bytes.subarray(0, cut));
    } catch (error) {
      code = (error as { code: string }).code;
    }
    assertEquals(code, "truncated");
  }
  const legacy = (await scienceFixtures("torch")).find(({ name }) =>
    name === "torch float32.legacy"
  )!;
  assertEquals((await openPickle(legacy.bytes)).format, "torch-legacy");
  for (let cut = 16; cut < legacy.bytes.length; cut += 7) {
    let code = "";
    try {
      await openPickle(legacy.bytes.subarray(0, cut));
    } catch (error) {
      code = (error as { code: string }).code;
    }
    assertEquals(code, "truncated", `${cut}`);
  }
});

Deno.test("a TorchSize is a list of numbers", () => {
  const size = loads(dumps(
    new PyObject(new Global("torch", "Size"), [Tuple.of(2, 3)], {
      via: "reduce",
    }),
  ));
  assertInstanceOf(size, TorchSize);
  assertEquals(size.sizes, [2, 3]);
  assertEquals(toJson(size, { types: "plain" }), "[2, 3]");
});

Deno.test({
  name: "live PyTorch reads what Brine writes",
  ignore: !hasPythons,
  fn: async () => {
    const questions: Question[] = [];
    const fixtures = await scienceFixtures("torch");
    for (const { bytes, name } of fixtures) {
      const pickle = fixtures.find((one) =>
        one.name === name.replace(/\.(zip|legacy|p\d)$/, ".p4")
      );
      const { value } = await openPickle(bytes, {
        floats: "exact",
        dicts: "map",
      });
      for (const protocol of [2, 4, 5]) {
        questions.push({
          name: `${name}, protocol ${protocol}`,
          bytes: dumps(value, { protocol }),
          same: pickle!.bytes,
        });
      }
    }
    questions.push({
      name: "Tensor.of",
      bytes: dumps(Tensor.of(new NdArray(new Float32Array([1, 2])))),
      same: "torch.tensor([1.0, 2.0])",
    });
    const { problems } = await ask("torch", questions);
    assertEquals(problems, []);
  },
});
