import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dump, type JsonEncoderOptions } from "../../lib/json/dump.ts";
import { dumps, type DumpsOptions } from "../../lib/json/encoder.ts";
import { holds } from "../../lib/json/expansion.ts";
import { JsonEncoderStream } from "../../lib/json/streams.ts";
import { toPlain } from "../../lib/json/convert.ts";
import { dumps as dumpsPickle } from "../../lib/pickle/dump.ts";
import { Deque, OrderedDict } from "../../lib/python/collections.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { Global, PyObject } from "../../lib/python/object.ts";
import { PySet } from "../../lib/python/set.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { PickleToJsonStream } from "../../lib/transcode/pickle_to_json.ts";

const MIB = 0x10_0000;

/** Ten of ten of ten of …. */
function laughs(wrap: (inner: unknown) => unknown, levels = 40): unknown {
  let value: unknown = "ha";
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

const TEN = Array.from({ length: 10 }, (_, i) => `k${i}`);
const WRAPS: Record<string, (inner: unknown) => unknown> = {
  list: (inner) => TEN.map(() => inner),
  tuple: (inner) => Tuple.from(TEN, () => inner),
  object: (inner) => Object.fromEntries(TEN.map((key) => [key, inner])),
  map: (inner) => new Map(TEN.map((key) => [key, inner])),
  dict: (inner) => new PyDict(TEN.map((key) => [key, inner])),
  ordered: (inner) => new OrderedDict(TEN.map((key) => [key, inner])),
};
/** These have a form in plain JSON only. */
const PLAIN_WRAPS: Record<string, (inner: unknown) => unknown> = {
  deque: (inner) => new Deque(TEN.map(() => inner)),
  set: (inner) =>
    new Set([inner, ...TEN.map((key) => new Map([[key, inner]]))]),
  object: (inner) => {
    const object = new PyObject(new Global("m", "C"), Tuple.of());
    object.state = { a: inner, b: inner, c: inner, d: inner };
    return object;
  },
};

function refused(value: unknown, options: DumpsOptions = {}): void {
  const { limit } = assertThrows(() => dumps(value, options), LimitError);
  assertEquals(limit, "expansion");
}

async function countOf(
  readable: ReadableStream<Uint8Array>,
): Promise<[size: number, error: unknown]> {
  let size = 0;
  try {
    for await (const chunk of readable) size += chunk.length;
  } catch (error) {
    return [size, error];
  }
  return [size, undefined];
}

function isExpansion(error: unknown): boolean {
  return error instanceof LimitError && error.limit === "expansion";
}

Deno.test("a value that is shared too often within itself is refused", () => {
  for (const [name, wrap] of Object.entries(WRAPS)) {
    const value = laughs(wrap);
    for (
      const options of [
        {},
        { indent: 2 },
        { types: "plain" },
        { ensureAscii: false, sortKeys: name !== "map" },
      ] satisfies DumpsOptions[]
    ) refused(value, options);
  }
  for (const wrap of Object.values(PLAIN_WRAPS)) {
    refused(laughs(wrap), { types: "plain" });
  }
  // One long text two hundred thousand times, and once as the key of each dict.
  const text = "ha".repeat(50_000);
  refused(Array(200_000).fill(text), { limits: { expansion: 100 } });
  refused(
    Array.from({ length: 1000 }, () => ({ [text]: 1 })),
    { limits: { expansion: 100 } },
  );
});

Deno.test("so it is in a stream, before much has been written", async () => {
  const value = laughs(WRAPS.list!);
  for (const options of [{}, { indent: 4 }]) {
    let size = 0;
    const sink = new WritableStream<Uint8Array>({
      write(chunk) {
        size += chunk.length;
      },
    });
    const error = await assertRejects(
      () => dump(value, sink, options),
      LimitError,
    );
    assertEquals(error.limit, "expansion");
    assert(size < 17 * MIB, `${size}`);
  }
  const values = ReadableStream.from([[1], value, [2]])
    .pipeThrough(new JsonEncoderStream());
  const [size, error] = await countOf(values);
  assert(isExpansion(error), `${error}`);
  assert(size < 17 * MIB, `${size}`);
});

Deno.test("many values, each a little too much, are refused as well", async () => {
  // Five million each, which one value alone may be.
  const value = laughs(WRAPS.list!, 6);
  const options: JsonEncoderOptions = { separators: [",", ":"] };
  assertEquals(dumps(value, options).length, 5_222_221);
  const values = ReadableStream.from(Array(20).fill(value))
    .pipeThrough(new JsonEncoderStream(options));
  const [size, error] = await countOf(values);
  assert(isExpansion(error), `${error}`);
  assert(size < 20 * MIB, `${size}`);
});

Deno.test("the road of the transcoder that builds values refuses it too", async () => {
  for (const name of ["list", "dict"]) {
    const bytes = dumpsPickle(laughs(WRAPS[name]!));
    for (const options of [{ sortKeys: true }, { sortKeys: true, indent: 2 }]) {
      const [size, error] = await countOf(
        ReadableStream.from([bytes]).pipeThrough(
          new PickleToJsonStream(options),
        ),
      );
      assert(isExpansion(error), `${error}`);
      assert(size < 17 * MIB, `${size}`);
    }
  }
});

Deno.test("tagged JSON refers to what is shared, and stays small", () => {
  assert(dumps(laughs(WRAPS.list!), { types: "tagged" }).length < 10_000);
});

Deno.test("indents count as written", async () => {
  // 3000 lists, each of them empty and far to the right.
  let value: unknown = Array(3000).fill([]);
  for (let i = 0; i < 3000; i++) value = [value];
  const small = { limits: { expansion: 100 } };
  assert(dumps(value, small).length < 50_000);
  refused(value, { ...small, indent: 4 });
  const bytes = dumpsPickle(value);
  const read = (options: { indent?: number; expansion: number }) =>
    countOf(
      ReadableStream.from([bytes]).pipeThrough(
        new PickleToJsonStream({
          indent: options.indent ?? null,
          limits: { expansion: options.expansion },
        }),
      ),
    );
  assertEquals((await read({ expansion: 100 }))[1], undefined);
  assertEquals((await read({ indent: 8, expansion: 1e6 }))[1], undefined);
  const [size, error] = await read({ indent: 8, expansion: 100 });
  assert(isExpansion(error), `${error}`);
  assert(size <= 64 * MIB, `${size}`);
});

Deno.test("outputBytes counts the indents of a transcoder", async () => {
  const bytes = dumpsPickle(Array(20_000).fill([1, 2, 3]));
  const limits = { outputBytes: 300_000 };
  const read = (indent: number | null) =>
    countOf(
      ReadableStream.from([bytes]).pipeThrough(
        new PickleToJsonStream({ indent, limits }),
      ),
    );
  assertEquals((await read(null))[1], undefined);
  const [, error] = await read(8);
  assert(error instanceof LimitError && error.limit === "outputBytes");
});

Deno.test("an honest value is written, whatever its size", () => {
  const names = ["spam", "ham", "eggs", "a name of some more characters"];
  const row = { name: names[3], tags: names };
  const rows = Array.from({ length: 400_000 }, (_, i) => ({
    id: i,
    name: names[i % 4],
    tags: i % 2 ? names : row,
  }));
  assert(dumps(rows).length > 40 * MIB);
  // Shared rows, as a table of a join has them.
  assert(dumps(Array(700_000).fill(row)).length > 70 * MIB);
  assert(dumps("long".repeat(18 * MIB)).length > 70 * MIB);
  const limits = { expansion: Infinity };
  const many = laughs(WRAPS.list!, 7);
  assert(dumps(many, { limits }).length > 50 * MIB);
});

Deno.test("what is asked how much it holds is not run, and not shut out", () => {
  const shared = laughs(WRAPS.list!, 7);
  let read = 0;
  const value = {
    get shared() {
      read++;
      return shared;
    },
  };
  assert(dumps(value).length > 50 * MIB);
  assertEquals(read, 1);
  class Lazy {
    toJSON() {
      read++;
      return shared;
    }
  }
  assert(dumps(new Lazy(), { types: "plain" }).length > 50 * MIB);
  assertEquals(read, 2);
  const replaced = dumps([new Lazy()], {
    default: () => {
      read++;
      return shared;
    },
  });
  assert(replaced.length > 50 * MIB);
  assertEquals(read, 3);
});

Deno.test("what a value holds is counted once, and only until it is enough", () => {
  const plain = { convert: toPlain, isOpen: false };
  const strict = { convert: undefined, isOpen: false };
  const text = "x".repeat(1000);
  for (
    const [value, least, most] of [
      [null, 0, 0],
      [1, 0, 0],
      [text, 1000, 1000],
      [[text, text, text], 1000, 1100],
      [{ a: text, b: { a: text } }, 1000, 1200],
      [new Map([[text, text]]), 1000, 1100],
      [
        new PyDict<unknown, unknown>([[1, [2]], [Tuple.of(1), 2n ** 800n]]),
        150,
        300,
      ],
      [Array(1000).fill([]), 8000, 8100],
    ] as [unknown, number, number][]
  ) {
    assert(holds(value, least, strict) && holds(value, least, plain));
    assert(!holds(value, most + 1, strict) && !holds(value, most + 1, plain));
  }
  assert(holds(new Uint8Array(1000), 1000, plain));
  assert(!holds(new Uint8Array(1000), 1100, plain));
  assert(holds(new PySet([text]), 1000, plain));
  const cyclic: unknown[] = [];
  cyclic.push(cyclic, { cyclic });
  assert(!holds(cyclic, 1000, strict));
  const huge = new Proxy(Array(1_000_000).fill([]), {
    getOwnPropertyDescriptor(array, key) {
      throw new Error(`looked at ${String(key)} of ${array.length}`);
    },
  });
  assert(holds(huge, 1000, strict));
});
