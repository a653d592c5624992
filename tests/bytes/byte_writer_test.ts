import { assertEquals } from "@std/assert";
import { ByteWriter } from "../../lib/bytes/byte_writer.ts";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes/utf8.ts";

Deno.test("ByteWriter writes numbers as pickle has them", () => {
  const writer = new ByteWriter(1);
  writer.writeByte(0x80);
  writer.writeUint16(0x1234);
  writer.writeUint32(-2);
  writer.writeUint64(2 ** 40 + 3);
  writer.writeFloat64(-0);
  assertEquals([...writer.bytes()], [
    ...[0x80, 0x34, 0x12, 0xfe, 0xff, 0xff, 0xff],
    ...[3, 0, 0, 0, 0, 1, 0, 0],
    ...[0x80, 0, 0, 0, 0, 0, 0, 0],
  ]);
  assertEquals(writer.length, 23);
});

Deno.test("ByteWriter grows and keeps what it has", () => {
  const writer = new ByteWriter(2);
  const expected: number[] = [];
  for (let i = 0; i < 1000; i++) {
    writer.writeBytes(Uint8Array.of(i & 0xff, 7));
    expected.push(i & 0xff, 7);
  }
  assertEquals([...writer.bytes()], expected);
});

Deno.test("ByteWriter writes short and long texts alike", () => {
  const pieces = ["", "abc", "é€😀", "\ud800", "x\udc00"];
  for (const piece of pieces) {
    for (const times of [1, 10, 100]) {
      const text = piece.repeat(times);
      const writer = new ByteWriter(1);
      assertEquals(writer.writeUtf8(text), encodeUtf8(text).length);
      assertEquals(decodeUtf8(writer.bytes()), text);
    }
  }
});

Deno.test("ByteWriter goes back and overwrites", () => {
  const writer = new ByteWriter();
  writer.writeUint64(0);
  writer.writeByte(1);
  writer.setUint64(0, 2 ** 33 + 5);
  writer.reset(8);
  assertEquals([...writer.bytes()], [5, 0, 0, 0, 2, 0, 0, 0]);
  assertEquals([...writer.bytes(4)], [2, 0, 0, 0]);
});
