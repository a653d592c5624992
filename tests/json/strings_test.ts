import { assertEquals } from "@std/assert";
import { encodeUtf8 } from "../../lib/bytes/utf8.ts";
import { loads } from "../../lib/json/decoder.ts";
import {
  AsciiReader,
  unescapeText,
  WideReader,
} from "../../lib/json/strings.ts";
import { seeded } from "../support/random.ts";

Deno.test("AsciiReader cuts out what is there, wherever it is asked", () =>
  seeded((random) => {
    const text = Array.from(
      { length: 20_000 },
      () => String.fromCharCode(32 + random.below(95)),
    ).join("");
    const bytes = encodeUtf8(text);
    const reader = new AsciiReader();
    for (let round = 0; round < 5000; round++) {
      const start = random.below(bytes.length);
      const end = Math.min(bytes.length, start + random.below(300));
      assertEquals(reader.read(bytes, start, end), text.slice(start, end));
    }
    // Bytes beyond ASCII around it do no harm.
    const around = new Uint8Array(1000).fill(0xff);
    around.set(encodeUtf8("abc"), 500);
    assertEquals(reader.read(around, 500, 503), "abc");
  }));

const PIECES = [
  "plain text ",
  "é",
  "ß漢字",
  "😀",
  "\\u00e9",
  "\\ud83d\\ude00",
  "\\ud83d",
  "\\ude00\\ud83d",
  '\\"\\\\\\/\\b\\f\\n\\r\\t',
  "\\u0000",
  "\ufeff",
  "\ud800",
];

Deno.test("WideReader makes the strings that the slow way makes", () =>
  seeded((random) => {
    for (let round = 0; round < 60; round++) {
      const strings = Array.from({ length: 200 }, () => {
        let made = "";
        for (let i = random.below(12); i > 0; i--) made += random.pick(PIECES);
        return made;
      });
      const bytes = encodeUtf8(strings.map((item) => `"${item}"`).join(", "));
      const reader = new WideReader();
      let at = 0;
      for (const item of strings) {
        const start = at + 1;
        const end = start + encodeUtf8(item).length;
        const quick = reader.read(bytes, start, end);
        if (quick !== undefined) {
          assertEquals(quick, unescapeText(bytes, start, end));
        }
        at = end + 3;
      }
    }
  }));

Deno.test("two readers may take turns", () => {
  const text = `["${"é\\u00e9x".repeat(20)}", `.repeat(200);
  const bytes = encodeUtf8(text);
  const [one, two] = [new WideReader(), new WideReader()];
  const shifted = encodeUtf8(` ${text}`);
  for (let start = 2; start < 3000; start += 7) {
    while (bytes[start - 1] !== 0x22) start++;
    const end = bytes.indexOf(0x22, start);
    const expected = unescapeText(bytes, start, end);
    assertEquals(one.read(bytes, start, end), expected);
    assertEquals(two.read(shifted, start + 1, end + 1), expected);
  }
});

Deno.test("strings of every length keep their text across windows", () => {
  for (const piece of PIECES) {
    const strings = Array.from(
      { length: 300 },
      (_, i) => piece.repeat(i % 40),
    );
    const source = `[${strings.map((item) => `"${item}"`).join(",")}]`;
    const expected = JSON.parse(source);
    assertEquals(loads(source, { strict: false }), expected);
    assertEquals(loads(encodeUtf8(source), { strict: false }), expected);
  }
});
