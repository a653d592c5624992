import { assert, assertEquals, assertRejects } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import type { DecoderStreamOptions } from "../../lib/pickle/options.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Tuple } from "../../lib/python/tuple.ts";

function items(
  bytes: Uint8Array,
  size: number,
  options: DecoderStreamOptions = {},
): Promise<unknown[]> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    chunks.push(bytes.subarray(at, at + size));
  }
  return Array.fromAsync(
    ReadableStream.from(chunks)
      .pipeThrough(new PickleDecoderStream({ items: true, ...options })),
  );
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test("items gives the elements of a list, in every protocol and cut", async () => {
  const shared = { shared: true };
  const list: unknown[] = [shared, [1], "a", shared];
  for (let i = 0; i < 2500; i++) list.push({ id: i, name: `n${i}` });
  for (const protocol of [0, 1, 2, 3, 4, 5]) {
    const bytes = dumps(list, { protocol });
    for (const size of [1, 7, 1000, bytes.length]) {
      const found = await items(bytes, size);
      assertEquals(found, list);
      assert(found[0] === found[3], "a shared element is one object");
    }
  }
});

Deno.test("items gives the entries of a dict", async () => {
  const dict = new PyDict<unknown, unknown>();
  for (let i = 0; i < 1500; i++) dict.set(i % 3 ? i : `k${i}`, [i]);
  for (const protocol of [0, 2, 4]) {
    assertEquals(await items(dumps(dict, { protocol }), 100), [...dict]);
    assertEquals(await items(dumps({ b: 1, a: 2 }, { protocol }), 3), [
      ["b", 1],
      ["a", 2],
    ]);
  }
});

Deno.test("items gives nothing for what is empty, and what is no container whole", async () => {
  assertEquals(await items(dumps([]), 1), []);
  assertEquals(await items(dumps({}), 1), []);
  assertEquals(await items(dumps(5), 1), [5]);
  const tuple = (await items(dumps(Tuple.of(1, [2])), 1))[0];
  assert(tuple instanceof Tuple);
  assertEquals([...tuple], [1, [2]]);
});

Deno.test("items goes on from one pickle to the next", async () => {
  const bytes = new Uint8Array([
    ...dumps([1, 2]),
    ...dumps("x"),
    ...dumps([3]),
  ]);
  assertEquals(await items(bytes, 2), [1, 2, "x", 3]);
});

Deno.test("items refuses a list that was part of something else", async () => {
  // ([1, 2],) whose list was given out before the tuple was known
  const error = await assertRejects(
    () => items(ascii("\x80\x04](K\x01K\x02e\x85."), 1),
    UnpicklingError,
  );
  assertEquals(error.code, "not-streamable");
});

Deno.test("items keeps a bounded memo, and says when that was too little", async () => {
  const first = { first: true };
  const list: unknown[] = [first];
  for (let i = 0; i < 5000; i++) list.push({ id: i });
  const plain = dumps(list);
  assertEquals(await items(plain, 64, { limits: { memo: 100 } }), list);
  list.push(first);
  const error = await assertRejects(
    () => items(dumps(list), 64, { limits: { memo: 100 } }),
    UnpicklingError,
  );
  assertEquals(error.code, "not-streamable");
});

Deno.test("items gives what came before the damage, and then the error", async () => {
  const bytes = dumps(Array.from({ length: 3000 }, (_, i) => i + 1e9));
  const reader = ReadableStream.from([bytes.subarray(0, bytes.length - 1)])
    .pipeThrough(new PickleDecoderStream({ items: true })).getReader();
  for (let i = 0; i < 3000; i++) {
    assertEquals((await reader.read()).value, i + 1e9);
  }
  const error = await assertRejects(() => reader.read(), UnpicklingError);
  assertEquals(error.code, "truncated");
});
