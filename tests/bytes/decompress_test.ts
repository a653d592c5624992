import { assert, assertEquals, assertThrows } from "@std/assert";
import { readBzip2 } from "../../lib/bytes/bzip2.ts";
import { type Allow, CompressionError } from "../../lib/bytes/growing.ts";
import { inflate } from "../../lib/bytes/inflate.ts";
import { readLz4 } from "../../lib/bytes/lz4.ts";
import { readLzma, readXz } from "../../lib/bytes/lzma.ts";
import { readZstd } from "../../lib/bytes/zstd.ts";
import entries from "../fixtures/science/compressed.json" with {
  type: "json",
};
import { seeded } from "../support/random.ts";

const READERS = new Map<
  string,
  (bytes: Uint8Array, allow: Allow) => Uint8Array
>([
  ["bzip2", readBzip2],
  ["xz", readXz],
  ["lzma", readLzma],
  ["zstd", readZstd],
  ["lz4", readLz4],
]);

const any: Allow = () => {};

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

Deno.test("decompressors read what the tools wrote", async () => {
  assert(entries.length > 60);
  for (const [name, format, data, raw] of entries) {
    const expected = await inflate(fromBase64(raw!), "deflate", any);
    const read = READERS.get(format!)!;
    assertEquals(read(fromBase64(data!), any), expected, name);
  }
});

Deno.test("decompressors find that data is cut off", () => {
  for (const [name, format, data] of entries) {
    // What follows a whole stream is not looked for.
    if (name!.startsWith("two")) continue;
    const bytes = fromBase64(data!);
    const read = READERS.get(format!)!;
    const step = Math.ceil(bytes.length / 50);
    for (let cut = 1; cut < bytes.length; cut += step) {
      assertThrows(
        () => read(bytes.subarray(0, cut), any),
        CompressionError,
        undefined,
        `${name} ${cut}`,
      );
    }
  }
});

Deno.test("decompressors end on damaged data", async () => {
  await seeded((random) => {
    for (const [, format, data] of entries) {
      const read = READERS.get(format!)!;
      for (let i = 0; i < 20; i++) {
        const bytes = fromBase64(data!);
        const at = random.below(bytes.length);
        bytes[at] = random.below(256);
        let most = 0;
        try {
          read(bytes, (size) => {
            most = size;
            if (size > 10_000_000) throw new RangeError("enough");
          });
        } catch (error) {
          assert(
            error instanceof CompressionError || error instanceof RangeError,
            String(error),
          );
          assert(most < 1e9);
        }
      }
    }
  });
});

Deno.test("decompressors ask before they grow", async () => {
  const zeros = new Uint8Array(1_000_000);
  const gzip = new Uint8Array(
    await new Response(
      new Blob([zeros]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );
  const refuse: Allow = (size) => {
    if (size > 100_000) throw new RangeError("enough");
  };
  let message = "";
  try {
    await inflate(gzip, "gzip", refuse);
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, "enough");
  assertEquals((await inflate(gzip, "gzip", any)).length, 1_000_000);
});

Deno.test("inflate tells damage by its format", async () => {
  for (const format of ["gzip", "deflate", "deflate-raw"] as const) {
    let error: unknown;
    try {
      await inflate(new Uint8Array([1, 2, 3, 4, 5]), format, any);
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof CompressionError, format);
  }
});
