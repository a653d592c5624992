import { assert, assertEquals, assertThrows } from "@std/assert";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { genops } from "../../lib/pickle/genops.ts";
import { OpcodeReader } from "../../lib/pickle/opcode_reader.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { readGzip } from "./dis_support.ts";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What a reader gives of chunks, and what it ends with. */
function readAll(
  chunks: Iterable<Uint8Array>,
  argumentLength = Infinity,
): unknown[] {
  const reader = new OpcodeReader({ argumentLength });
  const found: unknown[] = [];
  function drain(): void {
    for (let next; (next = reader.next()) !== MORE;) {
      found.push([next.opcode.name, next.arg, next.position]);
    }
  }
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      drain();
    }
    reader.end();
    drain();
  } catch (error) {
    if (error instanceof UnpicklingError) {
      found.push([error.code, error.offset, error.opcode, error.message]);
    } else if (error instanceof LimitError) {
      found.push([error.limit, error.offset]);
    } else throw error;
  }
  return found;
}

function* cut(whole: Uint8Array, size: () => number): Generator<Uint8Array> {
  for (let at = 0; at < whole.length;) {
    const end = at + size();
    yield whole.subarray(at, end);
    at = end;
  }
}

Deno.test("genops() gives opcodes, arguments and offsets up to STOP", () => {
  assertEquals(
    Array.from(
      genops(bytes("\x80\x02(I01\ncos\nsystem\nX\x01\0\0\0at.junk")),
      ({ opcode, arg, position }) => [opcode.name, arg, position],
    ),
    [
      ["PROTO", 2, 0],
      ["MARK", null, 2],
      ["INT", true, 3],
      ["GLOBAL", "os system", 7],
      ["BINUNICODE", "a", 18],
      ["TUPLE", null, 24],
      ["STOP", null, 25],
    ],
  );
});

Deno.test("genops() gives what stands before the damage", () => {
  const names: string[] = [];
  const error = assertThrows(() => {
    for (const { opcode } of genops(bytes("NN\xff"))) names.push(opcode.name);
  }, UnpicklingError);
  assertEquals(names, ["NONE", "NONE"]);
  assertEquals([error.code, error.offset], ["bad-opcode", 2]);
  assertEquals(
    assertThrows(() => [...genops(bytes(""))], UnpicklingError).code,
    "truncated",
  );
});

Deno.test("OpcodeReader gives the same however the input is cut", async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  let state = seed;
  function random(below: number): number {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  }
  const lines = (await readGzip("dis/soup.txt.gz")).trim().split("\n");
  for (const hex of lines) {
    const whole = Uint8Array.fromHex(hex);
    for (const limit of [Infinity, 16]) {
      const expected = readAll([whole], limit);
      assertEquals(readAll(cut(whole, () => 1), limit), expected, hex);
      assertEquals(
        readAll(cut(whole, () => 1 + random(9)), limit),
        expected,
        hex,
      );
    }
  }
});

Deno.test("OpcodeReader goes on after STOP", () => {
  assertEquals(readAll([bytes("N.I1\n.")]), [
    ["NONE", null, 0],
    ["STOP", null, 1],
    ["INT", 1, 2],
    ["STOP", null, 5],
  ]);
  assertEquals(readAll([bytes("N.N")]).at(-1), [
    "truncated",
    3,
    undefined,
    "pickle exhausted before seeing STOP",
  ]);
});

Deno.test("OpcodeReader allocates nothing for a length that is a lie", () => {
  for (
    const claim of [
      "\x8e\0\0\0\0\0\0\0\x10",
      "\x96\xff\xff\xff\xff\xff\xff\xff\xff",
      "X\xff\xff\xff\xff",
    ]
  ) {
    const [error] = readAll(cut(bytes(claim + "abc"), () => 1));
    assertEquals((error as unknown[])[0], "truncated");
  }
  assertEquals(
    (readAll([bytes("\x8b\xff\xff\xff\xff")])[0] as unknown[])[0],
    "bad-length",
  );
});

Deno.test("OpcodeReader refuses arguments longer than its limit at once", () => {
  const reader = new OpcodeReader({ argumentLength: 10 });
  reader.push(bytes("V" + "x".repeat(6)));
  assertEquals(reader.next(), MORE);
  reader.push(bytes("x".repeat(6)));
  assertThrows(() => reader.next(), LimitError);
  const claiming = new OpcodeReader({ argumentLength: 10 });
  claiming.push(bytes("X\x0b\0\0\0"));
  assertThrows(() => claiming.next(), LimitError);
  assertEquals(readAll([bytes("V1234567890\n.")], 10).length, 2);
});

Deno.test("OpcodeReader is linear for chunks of one byte", () => {
  function time(size: number): number {
    const start = performance.now();
    const whole = new Uint8Array(size).fill(0x78);
    whole[0] = 0x56;
    whole[size - 1] = 0x0a;
    readAll(cut(whole, () => 1));
    return performance.now() - start;
  }
  time(20_000);
  // Other programs get in between: the best of some tries counts. Quadratic
  // cost would be 64 times as much.
  let small = Infinity;
  let large = Infinity;
  for (let i = 0; i < 5; i++) {
    small = Math.min(small, time(50_000));
    large = Math.min(large, time(400_000));
  }
  assert(large < 30 * small + 200, `${small} ms, ${large} ms`);
});
