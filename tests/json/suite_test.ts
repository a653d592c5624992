import { assert, assertEquals } from "@std/assert";
import { type Case, describe, fromHex, readLines } from "./cases.ts";
import { JsonDecoder } from "../../lib/json/json_decoder.ts";
import { loads } from "../../lib/json/decoder.ts";
import { JSONDecodeError } from "../../lib/json/errors.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";

interface SuiteFile {
  license?: string;
  name: string;
  hex: string;
  expect: Case["expect"];
}

// Nicolas Seriot's JSONTestSuite (MIT; its licence is the first line), each
// file with what CPython 3.13 makes of it.
const files = (await readLines<SuiteFile>(
  new URL("../fixtures/json_test_suite.jsonl.gz", import.meta.url),
)).filter((file) => file.license === undefined);

Deno.test("JSONTestSuite: as CPython takes and refuses it", () => {
  assertEquals(files.length, 318);
  for (const { name, hex, expect } of files) {
    const source = fromHex(hex);
    let value: unknown;
    let failure: unknown;
    try {
      value = loads(source, { dicts: "map", floats: "exact" });
    } catch (error) {
      failure = error;
    }
    if (expect.error === undefined) {
      assertEquals(failure, undefined, name);
      assertEquals(describe(value), expect.value!, name);
      continue;
    }
    assert(failure instanceof Error, name);
    if (expect.error.type === "RecursionError") {
      assert(failure instanceof LimitError, name);
    } else {
      assert(failure instanceof JSONDecodeError, name);
      assertEquals(failure.message, expect.error.message, name);
    }
  }
});

Deno.test("JSONTestSuite: every y_ is taken, in the quick way as well", () => {
  for (const { name, hex, expect } of files) {
    if (!name.startsWith("y_")) continue;
    const value = loads(fromHex(hex));
    // Numbers may be floats that are whole: look at the form only.
    assert(expect.value !== undefined, name);
    assertEquals(typeof value, typeof loads(fromHex(hex), { strict: false }));
  }
});

Deno.test("JSONTestSuite: every n_ is refused but NaN and the infinities", () => {
  const taken = files.filter(({ name, hex }) => {
    if (!name.startsWith("n_")) return false;
    try {
      loads(fromHex(hex));
      return true;
    } catch {
      return false;
    }
  }).map(({ name }) => name);
  assertEquals(taken, [
    "n_number_NaN.json",
    "n_number_infinity.json",
    "n_number_minus_infinity.json",
  ]);
});

Deno.test("JSONTestSuite: a stream gives the same in any pieces", () => {
  for (const { name, hex, expect } of files) {
    const source = fromHex(hex);
    if (source.length > 2000) continue;
    let first: string | undefined;
    for (const size of [1, 2, 7, 4096]) {
      const machine = new JsonDecoder({ dicts: "map", floats: "exact" });
      const values: unknown[] = [];
      let failure = "";
      try {
        for (let i = 0; i < source.length; i += size) {
          machine.push(source.subarray(i, i + size));
          let value: unknown;
          while ((value = machine.pull()) !== MORE) values.push(value);
        }
        machine.end();
        let value: unknown;
        while ((value = machine.pull()) !== MORE) values.push(value);
      } catch (error) {
        failure = (error as Error).message;
      }
      const outcome = JSON.stringify([values.map(describe), failure]);
      assertEquals(first ??= outcome, outcome, name);
      if (expect.value !== undefined) {
        assertEquals(values.map(describe), [expect.value], name);
      }
    }
  }
});
