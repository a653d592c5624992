import { assert, assertEquals, assertThrows } from "@std/assert";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { findTruncation } from "../../lib/pickle/skim.ts";
import { toOptions } from "../support/doors.ts";
import { fixtures } from "../support/fixtures.ts";

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
