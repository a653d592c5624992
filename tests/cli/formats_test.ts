import { assertEquals } from "@std/assert";
import { formatOfName } from "../../lib/cli/formats.ts";
import { nearest, size, wrap } from "../../lib/cli/text.ts";
import { printable } from "../../lib/serve/printable.ts";
import { sniff } from "../../lib/serve/sniff.ts";

Deno.test("names of files say their format", () => {
  for (
    const [name, format, gzip, stem] of [
      ["data.pkl", "pickle", false, "data"],
      ["a/b.c/DATA.PICKLE", "pickle", false, "DATA"],
      ["data.json.gz", "json", true, "data"],
      ["x.ndjson", "jsonl", false, "x"],
      ["x.txt", undefined, false, "x.txt"],
      [".pkl", undefined, false, ".pkl"],
      ["dump", undefined, false, "dump"],
    ] as const
  ) {
    assertEquals(formatOfName(name), { format, gzip, stem });
  }
});

Deno.test("beginnings of files tell pickle from JSON", () => {
  for (
    const [text, content] of [
      ["", "empty"],
      ["\x80\x04N.", "pickle"],
      ["(lp0\n.", "pickle"],
      ["N.", "pickle"],
      ["I1\n.", "pickle"],
      ["cos\nsystem\n.", "pickle"],
      ["]q\0.", "pickle"],
      ["}q\0.", "pickle"],
      ["NaN", "json"],
      ["Infinity", "json"],
      [" \n{}", "json"],
      ['{"a": 1}', "json"],
      ['"text"', "json"],
      ["-1", "json"],
      ["true", "json"],
      ["\xef\xbb\xbf[]", "json"],
      ["\x1e{}", "json"],
      ["[\0]\0", "json"],
    ] as const
  ) {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    assertEquals(sniff(bytes), content, JSON.stringify(text));
  }
});

Deno.test("text of strangers cannot act on a terminal", () => {
  assertEquals(
    printable("a\x1b[31m\r\n\t\x07\x9b\u202e\u2066\ud800é😀"),
    "a\\x1b[31m\\r\\n\\t\\x07\\x9b\\u202e\\u2066\\ud800é😀",
  );
});

Deno.test("text for people", () => {
  assertEquals([0, 1, 999, 1000, 1_234_567, 2e9].map(size), [
    "0 bytes",
    "1 byte",
    "999 bytes",
    "1.0 kB",
    "1.2 MB",
    "2.0 GB",
  ]);
  assertEquals(wrap("aa bb cc", { width: 5, indent: " " }), "aa bb\n cc");
  assertEquals(nearest("convrt", ["convert", "show"]), "convert");
  assertEquals(nearest("xyz", ["convert", "show"]), undefined);
});
