import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CompressionError } from "../../lib/bytes/growing.ts";
import { ZipArchive } from "../../lib/bytes/zip.ts";

const BIG = 0xffffffff;

interface Options {
  method?: number;
  zip64?: boolean;
  comment?: string;
}

/** Numbers of 2, 4 or 8 bytes, little-endian. */
function fields(...values: [size: 2 | 4 | 8, value: number][]): number[] {
  return values.flatMap(([size, value]) =>
    Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) & 0xff)
  );
}

function archive(
  files: Record<string, Uint8Array>,
  { method = 0, zip64 = false, comment = "" }: Options = {},
): Uint8Array {
  const bytes: number[] = [];
  const central: number[] = [];
  const names = Object.keys(files);
  for (const name of names) {
    const data = files[name]!;
    const text = [...new TextEncoder().encode(name)];
    const offset = bytes.length;
    const size = data.length;
    const extra = zip64
      ? fields([2, 1], [2, 24], [8, size], [8, size], [8, offset])
      : [];
    const small = (value: number) => zip64 ? BIG : value;
    bytes.push(
      ...fields([4, 0x04034b50], [2, 20], [2, 0], [2, method], [4, 0], [4, 0]),
      ...fields([4, small(size)], [4, small(size)], [2, text.length], [2, 3]),
      ...text,
      ...[0, 0, 0],
      ...data,
    );
    central.push(
      ...fields([4, 0x02014b50], [2, 20], [2, 20], [2, 0], [2, method]),
      ...fields([4, 0], [4, 0], [4, small(size)], [4, small(size)]),
      ...fields([2, text.length], [2, extra.length], [2, 0], [2, 0], [2, 0]),
      ...fields([4, 0], [4, small(offset)]),
      ...text,
      ...extra,
    );
  }
  const start = bytes.length;
  const end = start + central.length;
  bytes.push(...central);
  if (zip64) {
    bytes.push(
      ...fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0]),
      ...fields([8, names.length], [8, names.length], [8, central.length]),
      ...fields([8, start]),
      ...fields([4, 0x07064b50], [4, 0], [8, end], [4, 1]),
    );
  }
  const count = zip64 ? 0xffff : names.length;
  bytes.push(
    ...fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count]),
    ...fields([4, central.length], [4, zip64 ? BIG : start]),
    ...fields([2, comment.length]),
    ...new TextEncoder().encode(comment),
  );
  return Uint8Array.from(bytes);
}

const FILES = {
  "a/data.pkl": new Uint8Array([1, 2, 3]),
  "a/h\u00e9": new Uint8Array(0),
  "__proto__": new Uint8Array([4]),
};

Deno.test("ZipArchive reads stored files, ZIP64 and comments", async () => {
  for (const options of [{}, { zip64: true }, { comment: "PK\x05\x06" }]) {
    const zip = new ZipArchive(archive(FILES, options));
    assertEquals([...zip.entries.keys()], Object.keys(FILES));
    for (const [name, data] of Object.entries(FILES)) {
      assertEquals(zip.stored(name), data);
      assertEquals(await zip.read(name, () => {}), data);
    }
    assertEquals(zip.stored("b"), undefined);
    assertEquals(await zip.read("b", () => {}), undefined);
  }
});

Deno.test("ZipArchive refuses other methods", async () => {
  const zip = new ZipArchive(archive(FILES, { method: 12 }));
  assertEquals(zip.stored("a/data.pkl"), undefined);
  await assertRejects(
    () => zip.read("a/data.pkl", () => {}),
    CompressionError,
  );
});

Deno.test("ZipArchive refuses what is cut off", async () => {
  const bytes = archive(FILES, { zip64: true });
  for (let cut = 0; cut < bytes.length; cut++) {
    assertThrows(
      () => new ZipArchive(bytes.subarray(0, cut)),
      CompressionError,
    );
  }
  // Without the files before the directory.
  for (let cut = 1; cut < bytes.length; cut += 5) {
    try {
      const zip = new ZipArchive(bytes.subarray(cut));
      for (const name of zip.entries.keys()) await zip.read(name, () => {});
    } catch (error) {
      assertEquals((error as Error).name, "CompressionError");
    }
  }
});
