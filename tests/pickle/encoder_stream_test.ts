import { assert, assertEquals, assertRejects } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import { PickleEncoderStream } from "../../lib/pickle/encoder_stream.ts";
import { PicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { join } from "../support/chunks.ts";

async function bytesOf(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const VALUES: unknown[] = [
  null,
  "text",
  { a: [1, 2.5, "text"] },
  Array.from({ length: 30_000 }, (_, i) => ({ i })),
  new Uint8Array(200_000),
  "x".repeat(200_000),
];

Deno.test("PickleEncoderStream writes one pickle for each value", async () => {
  for (const protocol of [0, 2, 4, 5]) {
    const stream = ReadableStream.from(VALUES)
      .pipeThrough(new PickleEncoderStream({ protocol }));
    assertEquals(
      await bytesOf(stream),
      join(...VALUES.map((value) => dumps(value, { protocol }))),
    );
  }
});

Deno.test("PickleEncoderStream's pickles are read one by one", async () => {
  const values = ReadableStream.from(VALUES)
    .pipeThrough(new PickleEncoderStream())
    .pipeThrough(new PickleDecoderStream());
  assertEquals(await Array.fromAsync(values), VALUES);
});

Deno.test("PickleEncoderStream cuts big values into chunks", async () => {
  const chunks = await Array.fromAsync(
    ReadableStream.from([VALUES[3]]).pipeThrough(new PickleEncoderStream()),
  );
  assert(chunks.length > 3);
  for (const chunk of chunks) assert(chunk.length < 70_000);
});

Deno.test("PickleEncoderStream makes a chunk when the reader asks, and not before", async () => {
  let asked = 0;
  const value = Array.from({ length: 100 }, () => ({
    get text() {
      asked++;
      return `${asked}`.repeat(10_000);
    },
  }));
  const { readable, writable } = new PickleEncoderStream();
  const writer = writable.getWriter();
  const written = writer.write(value);
  const reader = readable.getReader();
  await reader.read();
  assert(asked < 20, `${asked} of 100 were made for one chunk`);
  await reader.cancel();
  await written.catch(() => {});
});

Deno.test("PickleEncoderStream gives its error to the reader", async () => {
  const { readable, writable } = new PickleEncoderStream();
  const writer = writable.getWriter();
  const written = writer.write({ a: () => {} });
  const reader = readable.getReader();
  const error = await assertRejects(() => reader.read(), PicklingError);
  assertEquals(error.path, "$.a");
  const same = await assertRejects(() => written);
  assert(same === error);
});

Deno.test("PickleEncoderStream forgets the memo between values", async () => {
  const part = ["part"];
  const pickles = await bytesOf(
    ReadableStream.from([part, part]).pipeThrough(new PickleEncoderStream()),
  );
  assertEquals(pickles, join(dumps(part), dumps(part)));
});

Deno.test("PickleEncoderStream keeps the memo when told to", async () => {
  const part = ["part", "é".repeat(100)];
  const values = [part, [part, "part"], { part }, part];
  for (const protocol of [0, 1, 2, 4]) {
    const pickles = await bytesOf(
      ReadableStream.from(values)
        .pipeThrough(new PickleEncoderStream({ protocol, keepMemo: true })),
    );
    const back = await Array.fromAsync(
      new Blob([pickles]).stream()
        .pipeThrough(new PickleDecoderStream({ keepMemo: true })),
    ) as [unknown, unknown[], { part: unknown }, unknown];
    assertEquals(back, values as unknown);
    assert(back[0] === back[1][0]);
    assert(back[0] === back[2].part);
    assert(back[0] === back[3]);
  }
});

Deno.test("PickleEncoderStream works beside dumps()", async () => {
  const { readable, writable } = new PickleEncoderStream();
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const value = Array.from({ length: 30_000 }, (_, i) => [`key ${i % 100}`]);
  writer.write(value).catch(() => {});
  const parts: Uint8Array[] = [];
  const expected = dumps(value);
  let size = 0;
  while (size < expected.length) {
    const { value: chunk } = await reader.read();
    parts.push(chunk!);
    size += chunk!.length;
    assertEquals(loads(dumps({ "key 1": ["key 2"] })), { "key 1": ["key 2"] });
  }
  assertEquals(join(...parts), expected);
  await reader.cancel();
});
