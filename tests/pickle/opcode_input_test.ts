import { assertEquals } from "@std/assert";
import { OpcodeReader } from "../../lib/pickle/opcode_reader.ts";
import {
  CUT,
  LONG,
  NEGATIVE,
  OpcodeInput,
  UNKNOWN,
  WANT,
  WHOLE,
} from "../../lib/pickle/opcode_input.ts";
import { ScanReader } from "../../lib/pickle/scan_reader.ts";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Pushes one byte after the other; says at which offsets opcodes were whole. */
function wholeAt(text: string): number[] {
  const input = new OpcodeInput();
  const found: number[] = [];
  for (const [at, byte] of bytes(text).entries()) {
    input.push(Uint8Array.of(byte));
    while (input.step() === WHOLE) found.push(at);
  }
  return found;
}

Deno.test("OpcodeInput gives an opcode as soon as its last byte is there", () => {
  assertEquals(wholeAt("NI12\n"), [0, 4]);
  assertEquals(wholeAt("cos\nsystem\nK\x01."), [10, 12, 13]);
  assertEquals(wholeAt("X\x03\0\0\0abc\x8c\0N"), [7, 9, 10]);
});

Deno.test("OpcodeInput reads on where input came before it was asked", () => {
  const input = new OpcodeInput({ base: 100 });
  for (const part of ["J\x01", "\0\0", "\0N", "N", "."]) {
    input.push(bytes(part));
  }
  const found: number[] = [];
  assertEquals(input.step(), WHOLE);
  found.push(input.position, input.contentStart, input.endPosition);
  // What is known of one opcode is forgotten with it.
  input.push(bytes("N"));
  while (input.step() === WHOLE) found.push(input.position);
  assertEquals(found, [100, 101, 105, 105, 106, 107, 108]);
  assertEquals(input.isEmpty, true);
});

Deno.test("OpcodeInput stays before what is damaged", () => {
  for (
    const [text, step] of [
      ["\xff", UNKNOWN],
      ["\x8b\xff\xff\xff\xff", NEGATIVE],
      ["I1", CUT],
      ["", CUT],
    ] as const
  ) {
    const input = new OpcodeInput();
    input.push(bytes("N" + text));
    assertEquals(input.step(), WHOLE);
    if (step === CUT) assertEquals(input.step(), WANT);
    input.end();
    assertEquals([input.step(), input.endPosition], [step, 1], text);
  }
});

Deno.test("OpcodeInput stands before an argument that is too long", () => {
  const options = { longest: 3, longestLine: 3, longestLines: 6 };
  for (
    const [text, size, rest] of [
      ["U\x04abcd", 4, "abcd"],
      ["Iabcd", 0, "abcd"],
      ["cabc\nde", 0, "abc\nde"],
    ] as const
  ) {
    for (const chunk of [1, 100]) {
      const input = new OpcodeInput(options);
      let step: number = WANT;
      const whole = bytes(text);
      for (let at = 0; at < whole.length; at += chunk) {
        input.push(whole.slice(at, at + chunk));
        if (step === WANT) step = input.step();
      }
      assertEquals([step, input.position], [LONG, 0], text);
      if (size > 0) assertEquals(input.size, size);
      assertEquals(input.take(100), rest.length);
      assertEquals(input.content, bytes(rest));
    }
  }
  const input = new OpcodeInput(options);
  input.push(bytes("U\x03abcIabc\ncab\nde\n"));
  assertEquals([1, 2, 3].map(() => input.step()), [WHOLE, WHOLE, WHOLE]);
});

Deno.test("OpcodeReader and ScanReader give a line before the input ends", () => {
  const reader = new OpcodeReader();
  const scan = new ScanReader();
  for (const byte of bytes("I12\n")) {
    assertEquals([reader.advance(), scan.next()], [false, WANT]);
    reader.push(Uint8Array.of(byte));
    scan.push(Uint8Array.of(byte));
  }
  assertEquals([reader.advance(), scan.next()], [true, WHOLE]);
  assertEquals([reader.arg, scan.content], [12, bytes("12")]);
});
