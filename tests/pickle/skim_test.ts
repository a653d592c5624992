import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { findTruncation } from "../../lib/pickle/skim.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { join } from "../support/chunks.ts";
import { toOptions } from "../support/doors.ts";
import { fixtures } from "../support/fixtures.ts";
import { seeded } from "../support/random.ts";
import { scienceFixtures } from "../support/science_fixtures.ts";

Deno.test("findTruncation finds what the unpickler finds, for every prefix of a fixture", async () => {
  let count = 0;
  for (const { pickles, options } of await fixtures("values")) {
    for (const { bytes } of pickles) {
      assertEquals(findTruncation(bytes), -1);
      if (bytes.length > 400) continue;
      for (let end = 1; end < bytes.length; end++) {
        const prefix = bytes.subarray(0, end);
        let truncatedAt = -1;
        try {
          loads(prefix, toOptions(options));
        } catch (error) {
          if ((error as UnpicklingError).code === "truncated") {
            truncatedAt = (error as UnpicklingError).offset;
          }
        }
        assertEquals(findTruncation(prefix), truncatedAt);
        count++;
      }
    }
  }
  assert(count > 10_000);
});

Deno.test("a large pickle that is cut is refused before anything is made of it", () => {
  const deep = new Uint8Array(100_000).fill(0x5d);
  let made = 0;
  const error = assertThrows(
    () =>
      loads(
        Uint8Array.of(...new TextEncoder().encode("cm\nf\n)R"), ...deep),
        { globals: { "m.f": () => made++ } },
      ),
    UnpicklingError,
  );
  assertEquals([error.code, error.offset, made], ["truncated", 100_007, 0]);
});

Deno.test("what follows a large pickle is ignored, whatever it is", () => {
  const long = new Uint8Array(100_000);
  long.set([0x4b, 7, 0x2e]);
  assertEquals(loads(long), 7);
  const bad = new Uint8Array(100_000).fill(0x4e);
  bad[5] = 0xff;
  const error = assertThrows(() => loads(bad), UnpicklingError);
  assertEquals([error.code, error.offset], ["bad-opcode", 5]);
});

/** What comes of chunks of random sizes up to one, while no end is in sight. */
function pullAll(
  machine: Unpickler,
  bytes: Uint8Array,
  size: () => number,
): unknown[] {
  const values: unknown[] = [];
  for (let at = 0; at < bytes.length;) {
    const to = at + size();
    machine.push(bytes.slice(at, to));
    at = to;
    for (let value; (value = machine.pull()) !== MORE;) values.push(value);
  }
  return values;
}

const RECORDS = Array.from({ length: 12_000 }, (_, id) => ({
  id,
  name: `name ${id}`,
  more: [id / 7, null, true],
}));

Deno.test("a large pickle comes as soon as its last byte is there", async () => {
  const small = dumps("small");
  for (const protocol of [0, 2, 4]) {
    const bytes = dumps(RECORDS, { protocol });
    assert(bytes.length > 300_000);
    const several = join(small, bytes, bytes, small, bytes);
    await seeded((random) => {
      for (const most of [7, 5000, 200_000, several.length]) {
        const values = pullAll(
          new Unpickler(),
          several,
          () => 1 + random.below(most),
        );
        assertEquals(values, ["small", RECORDS, RECORDS, "small", RECORDS]);
      }
    });
  }
});

Deno.test("what is too long to wait for is read as it comes", () => {
  const bytes = dumps(RECORDS);
  for (const patience of [0, 1000, 100_000, 1_000_000]) {
    const machine = new Unpickler({ patience });
    assertEquals(pullAll(machine, bytes, () => 10_000), [RECORDS]);
  }
});

Deno.test("raw bytes between opcodes are not taken for opcodes", async () => {
  const before = join(
    Uint8Array.of(0x80, 3, 0x42, 0, 0, 2, 0),
    new Uint8Array(131_072),
    Uint8Array.of(0x30),
  );
  let count = 0;
  for (const { name, bytes } of await scienceFixtures("joblib")) {
    // Of pickles in pickles the length is not known, and more is waited for.
    if (!name.endsWith(" 0") || /objects|mixed/.test(name)) {
      continue;
    }
    for (const size of [3, 100, 70_000, 500_000]) {
      const machine = new Unpickler();
      const values = pullAll(machine, join(before, bytes), () => size);
      assertEquals(values.length, 1, name);
      count++;
    }
  }
  assert(count > 20);
});

Deno.test("a stream that is cut makes nothing of a large pickle", async () => {
  const start = Uint8Array.from("](", (c) => c.charCodeAt(0));
  const item = Uint8Array.from("cm\nf\n)R", (c) => c.charCodeAt(0));
  const items: Uint8Array[] = [];
  for (let i = 0; i < 40_000; i++) items.push(item);
  const bytes = join(start, ...items, Uint8Array.of(0x58, 9));
  await seeded((random) => {
    for (const most of [10, 5000, 200_000, bytes.length]) {
      let made = 0;
      const machine = new Unpickler({ globals: { "m.f": () => made++ } });
      pullAll(machine, bytes, () => 1 + random.below(most));
      machine.end();
      const error = assertThrows(() => machine.pull(), UnpicklingError);
      assertEquals(error.code, "truncated");
      assertEquals(error.offset, bytes.length - 2);
      // Of what had come before it was large.
      assert(made <= 65_536 / 7, `${made}`);
    }
  });
});

Deno.test("the name of a class may be long, and arrive bit by bit", () => {
  const before = join(
    Uint8Array.of(0x42, 0, 0, 2, 0),
    new Uint8Array(131_072),
    Uint8Array.of(0x30, 0x63),
  );
  const name = new Uint8Array(200_000).fill(0x61);
  const bytes = join(
    before,
    name,
    Uint8Array.of(10),
    name,
    Uint8Array.of(10, 0x2e),
  );
  const values = pullAll(new Unpickler(), bytes, () => 50);
  assertEquals(String(values[0]).length, 400_001);
});
