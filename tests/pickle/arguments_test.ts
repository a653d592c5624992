import { assertEquals, assertThrows } from "@std/assert";
import {
  ArgumentFault,
  decodeArgument,
  decodeEscapes,
  decodeRawUnicodeEscape,
  parseDecimal,
  parseFloatLine,
  readLong,
  readUint,
} from "../../lib/pickle/arguments.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { type Opcode, OPCODES } from "../../lib/pickle/opcodes.ts";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function decode(name: string, content: Uint8Array): unknown {
  const opcode = OPCODES.find((row) => row.name === name) as Opcode;
  return decodeArgument(opcode, { content, offset: 7 });
}

Deno.test("readLong() reads two's complement of any size", () => {
  for (
    const [hex, value] of [
      ["", 0],
      ["00", 0],
      ["ff", -1],
      ["ff00", 255],
      ["ff7f", 32767],
      ["0080", -32768],
      ["0000000000ff", -(2 ** 40)],
      ["ffffffffffff1f", Number.MAX_SAFE_INTEGER],
      ["00000000000020", 2n ** 53n],
      ["010000000000e0", Number.MIN_SAFE_INTEGER],
      ["000000000000e0", -(2n ** 53n)],
      ["ffffffffffffffff", -1],
      ["0000000000000080", -(2n ** 63n)],
      ["000000000000008000", 2n ** 63n],
      ["0100000000000000000000", 1],
    ] as const
  ) {
    assertEquals(readLong(Uint8Array.fromHex(hex)), value, hex);
  }
});

Deno.test("readLong() is linear", () => {
  const start = performance.now();
  readLong(new Uint8Array(2_000_000).fill(0x7f));
  readLong(new Uint8Array(2_000_000).fill(0xff));
  assertEquals(performance.now() - start < 2000, true);
});

Deno.test("readUint() reads up to 64 bits", () => {
  const all = new Uint8Array(8).fill(0xff);
  assertEquals(readUint(all, { at: 0, size: 1 }), 255);
  assertEquals(readUint(all, { at: 1, size: 4 }), 4294967295);
  assertEquals(readUint(all, { at: 0, size: 8 }), 2 ** 64);
});

Deno.test("parseDecimal() takes what int(bytes) takes", () => {
  for (
    const [text, value] of [
      ["0", 0],
      ["-0", 0],
      ["007", 7],
      [" \t+1_000\r", 1000],
      ["-9007199254740993", -9007199254740993n],
      ["9007199254740991", 9007199254740991],
      ["9".repeat(4300), BigInt("9".repeat(4300))],
    ] as const
  ) assertEquals(parseDecimal(bytes(text)), value, text);
  for (
    const text of [
      "",
      "-",
      "0x10",
      "1__0",
      "_1",
      "1_",
      "1 2",
      "1\0",
      "1.0",
      "\xb2",
      "9".repeat(4301),
    ]
  ) assertThrows(() => parseDecimal(bytes(text)), ArgumentFault);
});

Deno.test("parseFloatLine() takes what float(bytes) takes", () => {
  for (
    const [text, value] of [
      ["1", 1],
      ["-0", -0],
      [" .5 ", 0.5],
      ["5.", 5],
      ["1_0.2_5e1_0", 10.25e10],
      ["1e400", Infinity],
      ["-INF", -Infinity],
      ["infinity", Infinity],
      ["-nan", NaN],
    ] as const
  ) assertEquals(parseFloatLine(bytes(text)), value, text);
  for (const text of ["", ".", "e5", "1e", "0x1p3", "1._5", "1 5", "infi"]) {
    assertThrows(() => parseFloatLine(bytes(text)), ArgumentFault);
  }
  const start = performance.now();
  assertThrows(
    () => parseFloatLine(bytes("1".repeat(1_000_000) + "x")),
    ArgumentFault,
  );
  assertEquals(performance.now() - start < 1000, true);
});

Deno.test("decodeEscapes() takes what codecs.escape_decode takes", () => {
  for (
    const [source, value] of [
      ["a\\\\\\'\\\"", "a\\'\""],
      ["\\a\\b\\f\\n\\r\\t\\v", "\x07\b\f\n\r\t\v"],
      ["\\x41\\101\\1012\\0\\777", "AAA2\0\xff"],
      ["\\q\\\n", "\\q"],
    ] as const
  ) assertEquals(decodeEscapes(bytes(source)), bytes(value), source);
  for (const source of ["\\", "\\x4", "\\xg0", "\\x"]) {
    assertThrows(() => decodeEscapes(bytes(source)), ArgumentFault);
  }
});

Deno.test("decodeRawUnicodeEscape() knows two escapes and Latin-1", () => {
  for (
    const [source, value] of [
      ["\xe9\\u00e9\\U0001f600", "éé😀"],
      ["\\x41\\\\u0041\\", "\\x41\\\\u0041\\"],
      ["\\ud800", "\ud800"],
    ] as const
  ) assertEquals(decodeRawUnicodeEscape(bytes(source)), value, source);
  for (const source of ["\\u12", "\\u12g4", "\\U0001f60", "\\U00110000"]) {
    assertThrows(() => decodeRawUnicodeEscape(bytes(source)), ArgumentFault);
  }
});

Deno.test("decodeArgument() says where an argument is damaged", () => {
  assertEquals(decode("INT", bytes("01")), true);
  assertEquals(decode("INT", bytes("00")), false);
  assertEquals(decode("LONG", bytes("5L")), 5);
  assertEquals(decode("GLOBAL", bytes("os\nsystem")), "os system");
  assertEquals(decode("STRING", bytes("'a\\'b'")), "a'b");
  assertEquals(decode("FRAME", new Uint8Array(8).fill(0xff)), 2n ** 64n - 1n);
  assertEquals(decode("FRAME", new Uint8Array(8)), 0);
  assertEquals(decode("MARK", bytes("")), null);
  for (
    const [name, content, code] of [
      ["INT", "x", "bad-number"],
      ["STRING", "abc", "bad-string"],
      ["STRING", "'abc\"", "bad-string"],
      ["STRING", "'\xe9'", "bad-string"],
      ["BINUNICODE", "\xff", "bad-utf8"],
    ] as const
  ) {
    const error = assertThrows(
      () => decode(name, bytes(content)),
      UnpicklingError,
    );
    assertEquals([error.code, error.offset, error.opcode], [code, 7, name]);
  }
});
