import { assert, assertEquals, AssertionError } from "@std/assert";
import {
  type Case,
  describe,
  dumpsOptions,
  evaluate,
  fromHex,
  loadsOptions,
  loosen,
  make,
  readLines,
} from "./cases.ts";
import { dumps } from "../../lib/json/encoder.ts";
import { loads } from "../../lib/json/decoder.ts";
import { JSONDecodeError } from "../../lib/json/errors.ts";
import type { Described } from "./cases.ts";

/** Python's message where it fails; what it is otherwise. */
function attempt<T>(act: () => T): { result: T } | { error: Error } {
  try {
    return { result: act() };
  } catch (error) {
    assert(error instanceof Error);
    return { error };
  }
}

function checkError(error: Error, expected: Case["expect"]["error"]): void {
  assert(expected !== undefined, `unexpected error: ${error.message}`);
  // The message of `sorted(object())`, in a hook of the test's own.
  if (expected.message.endsWith("object is not iterable")) return;
  assertEquals(error.message, expected.message);
  if (expected.type !== "JSONDecodeError") return;
  assert(error instanceof JSONDecodeError);
  const { msg, pos, lineno, colno } = error;
  assertEquals({ msg, pos, lineno, colno }, {
    msg: expected.msg!,
    pos: expected.pos!,
    lineno: expected.lineno!,
    colno: expected.colno!,
  });
}

function runDumps(test: Case): void {
  const value = make(test.input as Described);
  const options = dumpsOptions(test.options);
  const attempted = attempt(() => dumps(value, options));
  if ("error" in attempted) checkError(attempted.error, test.expect.error);
  else if (test.expect.ok === undefined) {
    assertEquals(attempted.result, test.expect.output);
  }
}

function runLoads(test: Case): void {
  const input = test.input as {
    text?: string;
    bytes?: string;
    gen?: string;
    t?: string;
  } | null;
  let source: unknown;
  if (typeof input?.text === "string") source = input.text;
  else if (typeof input?.bytes === "string") source = fromHex(input.bytes);
  else if (typeof input?.gen === "string") source = evaluate(input.gen);
  else source = make(input as Described);
  for (const dicts of ["map", "auto"] as const) {
    // Plain objects put keys like "1" first.
    if (dicts === "auto" && test.options.object_hook === "keys_list") continue;
    const options = loadsOptions(test.options, { dicts });
    const exact = dicts === "map";
    const attempted = attempt(() =>
      loads(source as string, exact ? { ...options, floats: "exact" } : options)
    );
    if ("error" in attempted) {
      checkError(attempted.error, test.expect.error);
    } else {
      const { value, ok } = test.expect;
      if (ok) continue;
      assert(value !== undefined, "expected an error");
      const described = describe(attempted.result);
      if (exact) assertEquals(described, value);
      else assertEquals(loosen(described), loosen(value));
    }
  }
}

function runAll(cases: Case[]): void {
  const wrong: string[] = [];
  for (const test of cases) {
    try {
      if (test.fn === "dumps") runDumps(test);
      else runLoads(test);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      wrong.push(`${JSON.stringify(test).slice(0, 400)}\n${error.message}`);
    }
  }
  assertEquals(
    wrong.length,
    0,
    `${wrong.length} of ${cases.length} cases\n${wrong.slice(0, 5).join("\n")}`,
  );
}

Deno.test("dumps and loads do what CPython's json does in the fixture's cases", async () => {
  const cases = await readLines<Case>(
    new URL("../fixtures/json_parity.jsonl.gz", import.meta.url),
  );
  assert(cases.length > 5000);
  runAll(cases);
});

const SAMPLE = new URL(
  "../../../shared/json-parity-sample.jsonl",
  import.meta.url,
);

async function exists(url: URL): Promise<boolean> {
  return await Deno.stat(url).then(() => true, () => false);
}

Deno.test({
  name: "dumps and loads do what CPython's json does in the shared sample",
  ignore: !await exists(SAMPLE),
  async fn() {
    const cases = await readLines<Case>(SAMPLE);
    // Unknown options are ignored, as the platform ignores them.
    runAll(cases.filter((test) => test.group !== "kw"));
  },
});
