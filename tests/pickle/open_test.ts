import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  dumps,
  LimitError,
  openPickle,
  UnpicklingError,
} from "../../lib/pickle/mod.ts";
import { compressionOf } from "../../lib/pickle/open.ts";
import {
  DType,
  Global,
  NdArray,
  PersistentId,
  PyObject,
  Tuple,
} from "../../lib/values.ts";
import { seeded } from "../support/random.ts";
import {
  assertDescribed,
  type ScienceFixture,
  scienceFixtures,
} from "../support/science_fixtures.ts";

async function packed(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("openPickle reads plain pickles, and ignores what follows", async () => {
  const bytes = dumps([1, { a: "b" }]);
  const longer = new Uint8Array(bytes.length + 3);
  longer.set(bytes);
  for (const input of [bytes, longer]) {
    assertEquals(await openPickle(input), {
      format: "pickle",
      compression: [],
      value: [1, { a: "b" }],
    });
  }
});

Deno.test("openPickle reads compressed pickles, twice compressed too", async () => {
  const bytes = dumps("spam".repeat(1000));
  const once = await packed(bytes, "gzip");
  assertEquals((await openPickle(once)).compression, ["gzip"]);
  const twice = await packed(once, "deflate");
  const opened = await openPickle(twice);
  assertEquals(opened.compression, ["zlib", "gzip"]);
  assertEquals(opened.value, "spam".repeat(1000));
  let often = bytes;
  for (let i = 0; i < 6; i++) often = await packed(often, "gzip");
  await assertRejects(() => openPickle(often), LimitError);
});

Deno.test("openPickle reads joblib's oldest compression", async () => {
  const zlib = await packed(dumps([1, 2]), "deflate");
  const head = new TextEncoder().encode("ZF" + "0x5".padEnd(19));
  const bytes = new Uint8Array(head.length + zlib.length);
  bytes.set(head);
  bytes.set(zlib, head.length);
  const { value, compression } = await openPickle(bytes);
  assertEquals(value, [1, 2]);
  assertEquals(compression, ["zlib"]);
});

Deno.test("openPickle bounds what comes of compressed data", async () => {
  const bytes = await packed(dumps("a".repeat(100_000_000)), "gzip");
  await assertRejects(
    () => openPickle(bytes, { limits: { expansion: 100 } }),
    LimitError,
  );
  const { value } = await openPickle(bytes, { limits: { expansion: 2000 } });
  assertEquals((value as string).length, 100_000_000);
});

Deno.test("openPickle reads numpy's files", async () => {
  const fixtures = await scienceFixtures("numpy");
  const npz = fixtures.find(({ name }) => name === "npz deflated")!;
  const opened = await openPickle(npz.bytes);
  assertEquals(opened.format, "npz");
  assertDescribed(npz, opened.value);
  const npy = fixtures.find(({ name }) => name === "npy f8")!;
  const { format, value } = await openPickle(npy.bytes);
  assertEquals(format, "npy");
  assert(value instanceof NdArray);
  for (let cut = 7; cut < npy.bytes.length; cut += 3) {
    const error = await assertRejects(
      () => openPickle(npy.bytes.subarray(0, cut)),
      UnpicklingError,
    );
    assertEquals(error.code, "truncated");
  }
});

function npy(header: string): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(10 + text.length + 16);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  bytes.set([text.length & 0xff, text.length >> 8], 8);
  bytes.set(text, 10);
  return bytes;
}

Deno.test("openPickle refuses headers of .npy files that make no sense", async () => {
  const shape = "'fortran_order': False, 'shape': (2,)";
  const good = await openPickle(npy(`{'descr': '<i4', ${shape}, }`));
  assertEquals((good.value as NdArray).shape, [2]);
  const titled = `{'descr': [(('t', 'a'), '<i4'), ('', '|V4')], ${shape}}`;
  const { value } = await openPickle(npy(titled));
  assertEquals((value as NdArray).toArray(), [{ a: 0 }, { a: 0 }]);
  const bad = [
    "",
    "{",
    "[1]",
    "{'descr': '<i4'}",
    `{'descr': '<x4', ${shape}}`,
    `{'descr': ${"[".repeat(1000)}, ${shape}}`,
    `{'descr': ('<i4', (1000000000000,)), ${shape}}`,
    `{'descr': [('a', ('<i1', (3000000,)))], ${shape}}`,
    "{'descr': '<i4', 'shape': (5,)}",
    "{'descr': '<i4', 'shape': (-1,)}",
    "{'descr': '<i4', 'shape': (99999999999999999999, 99999999999999999999)}",
    "{'__proto__': {'shape': (1,), 'descr': '<i4'}}",
    "{'descr': '\\ud",
  ];
  for (const header of bad) {
    const error = await assertRejects(
      () => openPickle(npy(header)),
      UnpicklingError,
      undefined,
      header,
    );
    assertEquals(error.code, "truncated");
  }
});

Deno.test("openPickle finds the files beside joblib's oldest ones", async () => {
  const wrapper = (name: string, state: Record<string, unknown>) =>
    new PyObject(new Global("joblib.numpy_pickle", name), [], { state });
  const bytes = dumps({
    a: wrapper("NDArrayWrapper", {
      filename: "x_01.npy",
      subclass: new Global("numpy", "ndarray"),
    }),
    b: wrapper("ZNDArrayWrapper", {
      filename: "x_02.npy.z",
      init_args: Tuple.of(),
      state: Tuple.of<unknown>(1, Tuple.of(2), DType.of("<i2"), false),
    }),
    c: wrapper("NDArrayWrapper", { filename: "x_03.npy" }),
  });
  const head = new TextEncoder().encode("ZF" + "0x4".padEnd(19));
  const zlib = await packed(new Uint8Array([1, 0, 2, 0]), "deflate");
  const files = {
    "x_01.npy": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (4,)}"),
    "x_02.npy.z": Uint8Array.from([...head, ...zlib]),
  };
  const { value } = await openPickle(bytes, { files });
  const { a, b, c } = value as Record<string, unknown>;
  assertEquals((a as NdArray).toArray(), [0, 0, 0, 0]);
  assertEquals((b as NdArray).toArray(), [1, 2]);
  assert(c instanceof PyObject);
  const alone = await openPickle(bytes);
  assert((alone.value as { a: unknown }).a instanceof PyObject);
});

Deno.test("openPickle tells of other ZIP archives", async () => {
  // An archive of nothing.
  const empty = new Uint8Array(22);
  empty.set([0x50, 0x4b, 5, 6]);
  await assertRejects(() => openPickle(empty), UnpicklingError);
});

Deno.test("openPickle gives persistent ids as they are, and storages", async () => {
  const bytes = dumps(new PersistentId("x"));
  assertEquals((await openPickle(bytes)).value, new PersistentId("x"));
  const own = await openPickle(bytes, { persistentLoad: (id) => `<${id}>` });
  assertEquals(own.value, "<x>");
});

Deno.test("no pickle is taken for a compressed file", () => {
  for (const protocol of [0, 1, 2, 3, 4, 5]) {
    for (const value of [[], {}, "x", 1, null, true, [[]], "\0", -1, 1.5]) {
      assertEquals(compressionOf(dumps(value, { protocol })), undefined);
    }
  }
});

Deno.test("openPickle ends on damaged files with errors of its own", async () => {
  const names = [
    "npz deflated",
    "npz stored",
    "torch mixed.zip",
    "torch mixed.legacy",
    "frame.zip",
    "frame.gz",
    "joblib mixed 0",
    "joblib mixed xz",
    "npy record",
  ];
  const fixtures: ScienceFixture[] = [];
  for (const library of ["numpy", "torch", "joblib", "pandas"]) {
    fixtures.push(...await scienceFixtures(library));
  }
  await seeded(async (random) => {
    for (const name of names) {
      const fixture = fixtures.find((one) => one.name === name)!;
      for (let i = 0; i < 60; i++) {
        const bytes = fixture.bytes.slice();
        for (let j = 0; j <= i % 4; j++) {
          bytes[random.below(bytes.length)] = random.below(256);
        }
        try {
          await openPickle(bytes);
        } catch (error) {
          assert(
            error instanceof UnpicklingError || error instanceof LimitError,
            `${name}: ${error}`,
          );
        }
      }
    }
  });
});
