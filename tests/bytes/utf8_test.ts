import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeUtf8,
  encodeUtf8,
  hasLoneSurrogate,
  isUtf8,
  Utf8Error,
} from "../../lib/bytes/utf8.ts";

const TEXTS: [string, number[]][] = [
  ["", []],
  ["a\x00\x7f", [0x61, 0x00, 0x7f]],
  ["\x80\u07ff", [0xc2, 0x80, 0xdf, 0xbf]],
  ["\u0800\uffff", [0xe0, 0xa0, 0x80, 0xef, 0xbf, 0xbf]],
  ["\u{10000}\u{10ffff}", [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf]],
  ["\ufeffbom", [0xef, 0xbb, 0xbf, 0x62, 0x6f, 0x6d]],
  ["\ud800", [0xed, 0xa0, 0x80]],
  ["a\udfffb", [0x61, 0xed, 0xbf, 0xbf, 0x62]],
  ["\udc00\ud800", [0xed, 0xb0, 0x80, 0xed, 0xa0, 0x80]],
  ["\ufffd", [0xef, 0xbf, 0xbd]],
];

Deno.test("encodeUtf8 and decodeUtf8 keep every text, lone surrogates too", () => {
  for (const [text, bytes] of TEXTS) {
    assertEquals([...encodeUtf8(text)], bytes);
    assertEquals(decodeUtf8(Uint8Array.from(bytes)), text);
    assertEquals(isUtf8(Uint8Array.from(bytes)), true);
  }
});

Deno.test("decodeUtf8 reads long runs of surrogates", () => {
  const text = "\ud800".repeat(10_000) + "end";
  assertEquals(decodeUtf8(encodeUtf8(text)), text);
});

Deno.test("decodeUtf8 says what is wrong, as CPython", () => {
  // codecs.decode(bytes, "utf-8", "surrogatepass") in CPython 3.13
  const faults: [number[], number, number, string][] = [
    [[0xff], 0, 1, "invalid start byte"],
    [[0x61, 0x80], 1, 2, "invalid start byte"],
    [[0xc0, 0x80], 0, 1, "invalid start byte"],
    [[0xc1, 0xbf], 0, 1, "invalid start byte"],
    [[0xf5, 0x80, 0x80, 0x80], 0, 1, "invalid start byte"],
    [[0xc3, 0x28], 0, 1, "invalid continuation byte"],
    [[0xe0, 0x80, 0x80], 0, 1, "invalid continuation byte"],
    [[0xf0, 0x80, 0x80, 0x80], 0, 1, "invalid continuation byte"],
    [[0xf4, 0x90, 0x80, 0x80], 0, 1, "invalid continuation byte"],
    [[0xe2, 0x82, 0x28], 0, 2, "invalid continuation byte"],
    [[0xf0, 0x9f, 0x98, 0x28], 0, 3, "invalid continuation byte"],
    [[0xc3], 0, 1, "unexpected end of data"],
    [[0x61, 0xe2, 0x82], 1, 3, "unexpected end of data"],
    [[0xed, 0xa0, 0x80, 0xff], 3, 4, "invalid start byte"],
  ];
  for (const [bytes, pos, end, reason] of faults) {
    const error = assertThrows(
      () => decodeUtf8(Uint8Array.from(bytes)),
      Utf8Error,
    );
    assertEquals([error.pos, error.end, error.reason], [pos, end, reason]);
    assertEquals(isUtf8(Uint8Array.from(bytes)), false);
  }
});

Deno.test("hasLoneSurrogate tells halves from pairs", () => {
  assertEquals(hasLoneSurrogate("a\u{1f600}b"), false);
  assertEquals(hasLoneSurrogate("\ud83d"), true);
  assertEquals(hasLoneSurrogate("\ude00"), true);
  assertEquals(hasLoneSurrogate("\ude00\ud83d"), true);
  // Joined late: written as one literal, bundlers and parsers stumble over it.
  assertEquals(hasLoneSurrogate(["\ud83d", "\u{1f600}"].join("")), true);
});
