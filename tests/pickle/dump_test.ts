import { assert, assertEquals, assertRejects } from "@std/assert";
import { dump, dumps } from "../../lib/pickle/dump.ts";
import { PicklingError } from "../../lib/pickle/errors.ts";

/** A stream that keeps what it is given. */
function sink(
  options: { highWaterMark?: number; write?: () => Promise<void> } = {},
): {
  writable: WritableStream<Uint8Array>;
  chunks: Uint8Array[];
  ended: { by?: "close" | "abort"; reason?: unknown };
} {
  const chunks: Uint8Array[] = [];
  const ended: { by?: "close" | "abort"; reason?: unknown } = {};
  const writable = new WritableStream<Uint8Array>({
    write(chunk) {
      chunks.push(chunk);
      return options.write?.();
    },
    close() {
      ended.by = "close";
    },
    abort(reason) {
      ended.by = "abort";
      ended.reason = reason;
    },
  }, { highWaterMark: options.highWaterMark ?? 1 });
  return { writable, chunks, ended };
}

function joined(chunks: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** As assertEquals would say, sooner. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function records(length: number): unknown[] {
  return Array.from(
    { length },
    (_, i) => ({ id: i, name: `n${i}`, tags: ["a", { b: i / 4 }] }),
  );
}

Deno.test("dump() writes what dumps() gives, and closes the stream", async () => {
  const values = [
    null,
    "text",
    records(10_000),
    Array.from({ length: 100_000 }, (_, i) => i / 3),
    new Uint8Array(1_000_000),
    [new Uint8Array(70_000), "é".repeat(50_000), new Uint8Array(5)],
    Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
  ];
  for (const protocol of [0, 1, 2, 3, 4, 5]) {
    for (const value of values) {
      const { writable, chunks, ended } = sink();
      await dump(value, writable, { protocol });
      assertEquals(joined(chunks), dumps(value, { protocol }));
      assertEquals(ended.by, "close");
      assert(!writable.locked);
    }
  }
});

Deno.test("dump() writes chunks of some 64 KiB, whatever the size", async () => {
  for (const protocol of [0, 2, 4]) {
    const { writable, chunks } = sink();
    await dump(records(50_000), writable, { protocol });
    assert(chunks.length > 20);
    for (const chunk of chunks) assert(chunk.length < 70_000);
  }
});

Deno.test("dumps() puts what is larger than its buffer together", async () => {
  const value = Array.from({ length: 350 }, (_, i) => [
    `${i} `.repeat(15_000),
    i % 50 === 0 ? new Uint8Array(100_000).fill(i) : i,
  ]);
  for (const protocol of [1, 4]) {
    const { writable, chunks } = sink();
    await dump(value, writable, { protocol });
    const bytes = dumps(value, { protocol });
    assert(bytes.length > 18_000_000);
    assertEquals(same(joined(chunks), bytes), true);
  }
});

Deno.test("dump() hands large bytes out without a copy", async () => {
  const bytes = new Uint8Array(1_000_000);
  const { writable, chunks } = sink();
  await dump([bytes], writable);
  assert(chunks.some((chunk) => chunk.buffer === bytes.buffer));
  assertEquals(joined(chunks), dumps([bytes]));
});

Deno.test("dump() waits for the stream", async () => {
  let open = 0;
  let most = 0;
  const { writable, chunks } = sink({
    async write() {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open--;
    },
  });
  await dump(records(5000), writable);
  assertEquals(most, 1);
  assert(chunks.length > 2);
});

Deno.test("dump() leaves the stream open when told to", async () => {
  const { writable, chunks, ended } = sink();
  await dump(1, writable, { preventClose: true });
  await dump(2, writable, { preventClose: true });
  assertEquals(ended.by, undefined);
  assertEquals(chunks, [dumps(1), dumps(2)]);
  await writable.close();
});

Deno.test("dump() aborts the stream with the error", async () => {
  const { writable, ended } = sink();
  const error = await assertRejects(
    () => dump([1, () => {}], writable),
    PicklingError,
  );
  assertEquals(error.path, "$[1]");
  assertEquals(ended, { by: "abort", reason: error });
});

Deno.test("dump() leaves the stream usable after an error when told to", async () => {
  const { writable, chunks, ended } = sink();
  await assertRejects(
    () => dump(undefined, writable, { preventAbort: true }),
    PicklingError,
  );
  assertEquals(ended.by, undefined);
  await dump("x", writable);
  assertEquals(chunks, [dumps("x")]);
});

Deno.test("dump() aborts the stream when the options are wrong", async () => {
  const { writable, ended } = sink();
  await assertRejects(() => dump(1, writable, { protocol: 9 }), PicklingError);
  assertEquals(ended.by, "abort");
});

Deno.test("dump() gives the stream's own error", async () => {
  const reason = new Error("full");
  const { writable } = sink({ write: () => Promise.reject(reason) });
  const error = await assertRejects(() => dump(records(5000), writable));
  assert(error === reason);
});

Deno.test("dump() works beside other calls", async () => {
  const sinks = [sink(), sink(), sink()];
  const value = records(5000);
  await Promise.all(sinks.map(({ writable }) => dump(value, writable)));
  const expected = dumps(value);
  for (const { chunks } of sinks) assertEquals(joined(chunks), expected);
});
