import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps, loads, UnpicklingError } from "../../lib/pickle/mod.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import {
  Global,
  LimitError,
  type NdArray,
  PyObject,
  Tuple,
} from "../../lib/values.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import {
  assertComesBack,
  assertDescribed,
  assertOpens,
  scienceFixtures,
} from "../support/science_fixtures.ts";

Deno.test("joblib's fixtures read as Python described them, and come back", async () => {
  const fixtures = await scienceFixtures("joblib");
  assert(fixtures.length > 15);
  for (const fixture of fixtures) {
    await assertComesBack(fixture, await assertOpens(fixture));
  }
});

Deno.test("joblib's arrays arrive in chunks of any size", async () => {
  for (const fixture of await scienceFixtures("joblib")) {
    if (!fixture.name.endsWith(" 0")) continue;
    const { bytes } = fixture;
    for (const size of [1, 2, 7, 64, 1000, bytes.length]) {
      const machine = new Unpickler({ floats: "exact" });
      const values: unknown[] = [];
      const pull = () => {
        for (;;) {
          const value = machine.pull();
          if (value === MORE) return;
          values.push(value);
        }
      };
      for (let at = 0; at < bytes.length; at += size) {
        machine.push(bytes.slice(at, at + size));
        pull();
      }
      machine.end();
      pull();
      assertEquals(values.length, 1);
      assertDescribed(fixture, values[0]);
    }
  }
});

Deno.test("joblib's files that are cut off are truncated", async () => {
  for (const { bytes, name } of await scienceFixtures("joblib")) {
    if (!name.endsWith(" 0")) continue;
    const step = Math.ceil(bytes.length / 100);
    for (let cut = 1; cut < bytes.length; cut += step) {
      const error = assertThrows(
        () => loads(bytes.subarray(0, cut)),
        UnpicklingError,
      );
      assertEquals(error.code, "truncated", `${name} ${cut}`);
    }
  }
});

function wrapper(state: Record<string, unknown>): Uint8Array<ArrayBuffer> {
  const bytes = dumps(
    new PyObject(
      new Global("joblib.numpy_pickle", "NumpyArrayWrapper"),
      [],
      { state },
    ),
    { protocol: 3 },
  );
  // What follows BUILD is the array.
  return bytes.slice(0, -1);
}

function dtype(name: string, order = "|"): PyObject {
  return new PyObject(new Global("numpy", "dtype"), [name, false, true], {
    via: "reduce",
    state: Tuple.of<unknown>(3, order, null, null, null, -1, -1, 0),
  });
}

function join(...parts: (Uint8Array | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const STATE = {
  subclass: new Global("numpy", "ndarray"),
  shape: Tuple.of(3),
  order: "C",
  dtype: dtype("u1"),
  allow_mmap: true,
};

Deno.test("joblib's arrays are padded since 1.2 and not before", () => {
  const old = loads(join(wrapper(STATE), [7, 8, 9, 0x2e])) as NdArray;
  assertEquals(old.toArray(), [7, 8, 9]);
  const padded = { ...STATE, numpy_array_alignment_bytes: 16 };
  const two = [2, 0xff, 0xff, 7, 8, 9, 0x2e];
  const now = loads(join(wrapper(padded), two)) as NdArray;
  assertEquals(now.toArray(), [7, 8, 9]);
});

Deno.test("joblib's arrays that lie about their size are truncated", () => {
  for (const shape of [[4], [2 ** 40], [2 ** 50, 2 ** 50], [2 ** 52]]) {
    const bytes = join(
      wrapper({ ...STATE, shape: Tuple.from(shape) }),
      [7, 8, 9],
    );
    const error = assertThrows(() => loads(bytes), UnpicklingError);
    assertEquals(error.code, "truncated");
  }
});

Deno.test("a wrapper without its fields is an object like any other", () => {
  const value = loads(join(wrapper({ shape: "x" }), [0x2e]));
  assert(value instanceof PyObject);
});

Deno.test("pickles within pickles within pickles are refused", () => {
  const object = { ...STATE, dtype: dtype("O8"), shape: Tuple.of(1) };
  const level = wrapper(object);
  const bytes = new Uint8Array(level.length * 100);
  for (let i = 0; i < 100; i++) bytes.set(level, i * level.length);
  assertThrows(() => loads(bytes), LimitError);
});
