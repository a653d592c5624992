import { assert, assertEquals } from "@std/assert";
import {
  type InflateFormat,
  InflateReader,
} from "../../lib/pickle/scan_inflate.ts";
import { Random } from "../fuzz/random.ts";
import { join } from "../support/chunks.ts";

async function pack(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unpack(
  packed: Uint8Array,
  { format, size }: { format: InflateFormat; size: number },
): { bytes: Uint8Array<ArrayBuffer>; damaged: boolean; hasMore: boolean } {
  const reader = new InflateReader(format);
  const parts: Uint8Array[] = [];
  function drain(): void {
    for (let part; (part = reader.pull()) !== undefined;) parts.push(part);
  }
  for (let at = 0; at < packed.length; at += size) {
    reader.push(packed.slice(at, at + size));
    drain();
  }
  reader.end();
  drain();
  const { damaged, hasMore } = reader;
  return { bytes: join(...parts), damaged, hasMore };
}

/** Bytes of many kinds: runs, noise, texts. */
function samples(): Uint8Array<ArrayBuffer>[] {
  const random = new Random(6);
  const noise = (size: number, letters: number) =>
    Uint8Array.from({ length: size }, () => random.below(letters));
  return [
    new Uint8Array(0),
    Uint8Array.of(7),
    new Uint8Array(300_000),
    noise(70_000, 256),
    noise(200_000, 4),
    noise(100_000, 60),
    join(
      ...Array.from({ length: 200 }, () => noise(300, 20)).flatMap(
        (part) => [part, new Uint8Array(random.below(40_000) >> 4), part],
      ),
    ),
    new TextEncoder().encode(
      Array.from({ length: 20_000 }, (_, i) => `{"id": ${i * 7919}}`).join(),
    ),
  ];
}

Deno.test("InflateReader gives what was compressed, however it is cut", async () => {
  for (const sample of samples()) {
    for (const format of ["gzip", "deflate", "deflate-raw"] as const) {
      const packed = await pack(sample, format);
      for (const size of [1, 7, 4096, packed.length]) {
        if (size === 1 && packed.length > 30_000) continue;
        const found = unpack(packed, { format, size });
        assert(!found.damaged && !found.hasMore, `${format}, ${size}`);
        assert(found.bytes.length === sample.length);
        assert(found.bytes.every((byte, i) => byte === sample[i]));
      }
    }
  }
});

Deno.test("InflateReader gives what stands before the damage", async () => {
  const [, , , noise, , text] = samples();
  for (const sample of [noise!, text!]) {
    for (const format of ["gzip", "deflate", "deflate-raw"] as const) {
      const packed = await pack(sample, format);
      const cut = unpack(packed.subarray(0, packed.length >> 1), {
        format,
        size: 5000,
      });
      assert(cut.damaged);
      assert(cut.bytes.length > sample.length / 4);
      assert(cut.bytes.every((byte, i) => byte === sample[i]));
      if (format === "deflate-raw") continue;
      const wrong = packed.with(-1, packed.at(-1)! ^ 1);
      assert(unpack(wrong, { format, size: 5000 }).damaged);
    }
  }
});

Deno.test("InflateReader reads files of several members, and tells what is behind", async () => {
  const text = new TextEncoder().encode("hello ");
  const packed = await pack(text, "gzip");
  for (const size of [1, 3, 1000]) {
    const two = join(packed, packed, new Uint8Array(30));
    const found = unpack(two, { format: "gzip", size });
    assertEquals(new TextDecoder().decode(found.bytes), "hello hello ");
    assertEquals([found.damaged, found.hasMore], [false, false]);
    const more = unpack(join(packed, Uint8Array.of(0x1f, 1)), {
      format: "gzip",
      size,
    });
    assertEquals([more.damaged, more.hasMore], [false, true]);
    for (const format of ["deflate", "deflate-raw"] as const) {
      const behind = join(await pack(text, format), Uint8Array.of(0));
      const found = unpack(behind, { format, size });
      assertEquals(new TextDecoder().decode(found.bytes), "hello ");
      assertEquals([found.damaged, found.hasMore], [false, true]);
    }
  }
});

Deno.test("InflateReader reads headers with names, comments and more", async () => {
  const raw = await pack(new TextEncoder().encode("x"), "deflate-raw");
  const sums = (await pack(new TextEncoder().encode("x"), "gzip")).slice(-8);
  const head = [0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3];
  const all = join(
    Uint8Array.from([...head, 2, 0, 65, 66, 97, 0, 98, 99, 0, 1, 2]),
    raw,
    sums,
  );
  for (const size of [1, 100]) {
    const { bytes, damaged } = unpack(all, { format: "gzip", size });
    assertEquals([new TextDecoder().decode(bytes), damaged], ["x", false]);
  }
});

Deno.test("InflateReader is damaged by noise, and never hangs or throws", async () => {
  const random = new Random(7);
  const packed = await pack(samples()[4]!.subarray(0, 3000), "deflate-raw");
  for (let i = 0; i < 3000; i++) {
    const bytes = i % 2 === 0
      ? packed.slice()
      : Uint8Array.from({ length: 60 }, () => random.below(256));
    for (let j = 0; j < 3; j++) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const whole = unpack(bytes, { format: "deflate-raw", size: 100_000 });
    const cut = unpack(bytes, { format: "deflate-raw", size: 1 });
    assertEquals(cut.bytes.toHex(), whole.bytes.toHex());
    assertEquals([cut.damaged, cut.hasMore], [whole.damaged, whole.hasMore]);
  }
});
