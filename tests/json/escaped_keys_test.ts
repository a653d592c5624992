import { assertEquals } from "@std/assert";
import { loads } from "../../lib/json/decoder.ts";

Deno.test("a key with an escape is read as it is written", () => {
  // V8 15's JSON.parse takes the second text's key for the first one's.
  for (let i = 0; i < 3; i++) {
    assertEquals(loads('{"k": {"a": 1}, "k\\\\": true, "x": ""}'), {
      k: { a: 1 },
      "k\\": true,
      x: "",
    });
    assertEquals(loads('{"k": {"a": 1}, "k\\u00ff": true, "x": ""}'), {
      k: { a: 1 },
      "k\u00ff": true,
      x: "",
    });
  }
});
