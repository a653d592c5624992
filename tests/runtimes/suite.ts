/**
 * The library's public surface in any runtime: nothing of Deno, nothing of
 * Node, and nothing added to the runtime, so that what the library uses must be
 * there.
 *
 * The library's own tests, which go deeper, follow by own_tests.ts.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import * as brine from "../../mod.ts";
import { json, pickle } from "../../mod.ts";
import {
  type Case,
  describe as describeJson,
  type Described,
  dumpsOptions,
  fromHex,
  loadsOptions,
  make,
} from "../json/cases.ts";
import { chunks, type Cut } from "../support/chunks.ts";
import { canonical, describe } from "../support/describe.ts";
import { type Door, machine, streamed, toOptions } from "../support/doors.ts";
import type { Fixture, FixtureOptions } from "../support/fixtures.ts";
import { fromBase64 } from "../support/hex.ts";
import { difference, protocolOf } from "../support/matches.ts";
import { Random } from "../support/random.ts";
import { collect, streamOf } from "../support/streams.ts";
import { type Files, linesOf, type Outcome, Tally } from "./outcome.ts";

/** How much of it. */
export interface SuiteOptions {
  /** The part of the fixtures' pickles that is looked at; all when left out. */
  share?: number;
  /** What chance begins with. */
  seed?: number;
}

interface Context {
  files: Files;
  random: Random;
  share: number;
  tally: Tally;
}

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Runs it.
 *
 * @param files The fixtures.
 * @param options How much of it.
 * @returns What came of it.
 */
export async function suite(
  files: Files,
  options: SuiteOptions = {},
): Promise<Outcome> {
  const tally = new Tally();
  const context: Context = {
    files,
    random: new Random(options.seed ?? 1),
    share: options.share ?? 1,
    tally,
  };
  for (const file of ["values", "handwritten", "cpython"]) {
    await checkFixtures(context, file);
  }
  await checkJson(context);
  await checkJsonTestSuite(context);
  for (const [name, run] of Object.entries(CHECKS)) {
    await tally.check(name, run);
  }
  return tally.toJSON();
}

function ascii(text: string): Bytes {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What a door gives, or its error's code and place. */
async function outcomeOf(
  door: Door,
  bytes: Bytes,
  options: FixtureOptions,
): Promise<string> {
  try {
    return canonical(describe(await door(bytes, toOptions(options))));
  } catch (error) {
    if (!(error instanceof brine.UnpicklingError)) throw error;
    return `${error.code} ${error.offset} ${error.opcode}`;
  }
}

/** What cannot mean the same in JavaScript; unpickler_test.ts says why. */
const APART =
  /^(key_nan_same_object|stringio_py2|empty_bytestring_1|array_char)$/;
/** What is not written as CPython does; round_trip_test.ts says why. */
const OTHER_BYTES =
  /^(str_surrogate_two_code_units|class_method|builtin_unbound|builtin_class_method|path.*|.*_fast|dict_two_nan_keys)$/;

async function checkFixtures(context: Context, file: string): Promise<void> {
  const { random, share, tally } = context;
  const lines = await linesOf<
    Fixture & { pickles: [data: string, writers: string][] }
  >(context.files, `${file}.jsonl.gz`);
  for (const { pickles, ...fixture } of lines) {
    if (fixture.options.encoding === "koi8-r") continue; // not Brine's
    for (const [data, writers] of pickles) {
      if (share < 1 && random.next() > share) continue;
      const bytes = fromBase64(data);
      await tally.check(
        `${file} ${fixture.group}/${fixture.name} (${writers})`,
        () => checkPickle(fixture, { file, bytes, writers, random }),
      );
    }
  }
}

interface Given {
  file: string;
  bytes: Bytes;
  writers: string;
  random: Random;
}

async function checkPickle(
  fixture: Omit<Fixture, "pickles">,
  { file, bytes, writers, random }: Given,
): Promise<void> {
  const { name, group, desc, options } = fixture;
  const many = options.several || options.keepMemo;
  if (name.startsWith("deep_")) return await checkDeep(bytes, random);
  // CPython's tests' own classes mean more than a description can say.
  const isTold = desc !== null && file !== "cpython" && !APART.test(name);
  if (isTold && desc.t !== "error") {
    const found = many
      ? machine(Infinity)(bytes, toOptions(options))
      : pickle.loads(bytes, toOptions(options));
    const wrong = difference(desc, describe(found), {
      protocol: protocolOf(bytes),
    });
    assertEquals(wrong, undefined);
  }
  const whole = await outcomeOf(machine(Infinity), bytes, options);
  const cuts: Cut[] = bytes.length < 4000 ? [1, random] : [random];
  for (const cut of cuts) {
    assertEquals(await outcomeOf(streamed(cut), bytes, options), whole);
  }
  await pickle.scan(bytes);
  if (many || options.buffers) return;
  let value: unknown;
  try {
    value = pickle.loads(bytes, toOptions(options));
  } catch (error) {
    // A stream may have failed behind the first pickle; loads has not.
    assertInstanceOf(error, brine.UnpicklingError);
    return;
  }
  assert(desc?.t !== "error" || file !== "values");
  checkWritten(fixture, { file, bytes, writers, value });
  await checkTexts(fixture, { file, bytes, value });
  assertEquals(typeof pickle.loads(bytes, toOptions(options)), typeof value);
  try {
    pickle.dis(bytes, { out: () => {} });
    const shorter = pickle.optimize(bytes);
    const again = pickle.loads(shorter, toOptions(options));
    if (group !== "iterators") {
      assertEquals(difference(describe(value), describe(again)), undefined);
    }
  } catch (error) {
    // As pickletools, they are stricter than the unpickler.
    assertInstanceOf(error, brine.UnpicklingError);
  }
}

/** Describing goes as deep as the value, which not every stack does. */
async function checkDeep(bytes: Bytes, random: Random): Promise<void> {
  const value = pickle.loads(bytes, toOptions({}));
  const written = pickle.dumps(value);
  const [again] = await streamed(random)(bytes, toOptions({}));
  assert(same(pickle.dumps(again), written));
  assert(same(pickle.dumps(pickle.loads(written, toOptions({}))), written));
}

function checkWritten(
  { group, name, options }: Omit<Fixture, "pickles">,
  { file, bytes, writers, value }: {
    file: string;
    bytes: Bytes;
    writers: string;
    value: unknown;
  },
): void {
  if (file === "cpython" || group === "iterators") return;
  const rewrite = (protocol: number) =>
    pickle.dumps(value, {
      protocol,
      persistentId: (value) =>
        value instanceof brine.PersistentId ? value.id : undefined,
    });
  const again = pickle.loads(rewrite(5), toOptions(options));
  assertEquals(difference(describe(value), describe(again)), undefined);
  if (file !== "values" || options.extensions || OTHER_BYTES.test(name)) return;
  for (const writer of writers.split(", ")) {
    const [how = "", ...versions] = writer.split(" ");
    if (!how.endsWith("c") || !versions.includes("3.13")) continue;
    const written = rewrite(parseInt(how));
    // Equal strings are one here, which may make it shorter.
    if (written.length < bytes.length) continue;
    assert(same(written, bytes), `protocol ${how}: other bytes than CPython's`);
  }
}

function isAlone(bytes: Bytes, options: pickle.LoadOptions): boolean {
  try {
    const values = machine(Infinity)(bytes, options) as unknown[];
    return values.length === 1;
  } catch {
    return false;
  }
}

/** Both transcoders, against loads and dumps. */
async function checkTexts(
  { name, group, options }: Omit<Fixture, "pickles">,
  { file, bytes, value }: { file: string; bytes: Bytes; value: unknown },
): Promise<void> {
  const given = toOptions(options);
  const text = await attempt(() => json.dumps(value, { types: "plain" }));
  const streamedText = await attempt(() =>
    textOf(
      streamOf(chunks(bytes, 61)).pipeThrough(
        new brine.PickleToJsonStream(given),
      ),
    )
  );
  // A stream takes the bytes behind the pickle for another one.
  if (isAlone(bytes, given)) assertEquals(streamedText, text);
  if (
    file !== "values" || Object.keys(options).length > 0 ||
    group === "frames" || name === "bytes_shared" ||
    /^deep_|_len_|e100|bits|_2p/.test(name)
  ) return;
  const there = streamOf(chunks(bytes, 50)).pipeThrough(
    new brine.PickleToJsonStream({ types: "tagged" }),
  );
  const back = there.pipeThrough(
    new brine.JsonToPickleStream({ types: "tagged", allow: () => true }),
  );
  const again = pickle.loads(
    new Uint8Array(await new Response(back).arrayBuffer()),
    given,
  );
  assert(same(pickle.dumps(again), pickle.dumps(value)), "tagged JSON differs");
}

/** A browser's `Response` has an error of its own for every error. */
async function textOf(stream: ReadableStream<Bytes>): Promise<string> {
  return await new Blob(await collect(stream)).text();
}

async function attempt(
  run: () => string | Promise<string>,
): Promise<string> {
  try {
    return await run();
  } catch (error) {
    const { name, code, limit } = error as Error & {
      code?: string;
      limit?: string;
    };
    return `error ${name} ${code ?? limit}`;
  }
}

/** CPython's json, case by case. */
async function checkJson(
  { files, tally, random, share }: Context,
): Promise<void> {
  for (const test of await linesOf<Case>(files, "json_parity.jsonl.gz")) {
    if (share < 1 && random.next() > share) continue;
    const { fn, input, options, expect } = test;
    const { text, bytes, gen } = input as Record<string, string> ?? {};
    // Expressions of Python's are for parity_test.ts.
    if (typeof gen === "string") continue;
    await tally.check(`json ${JSON.stringify(test).slice(0, 200)}`, () => {
      let result: unknown;
      try {
        if (fn === "dumps") {
          result = json.dumps(make(input as Described), dumpsOptions(options));
        } else {
          const source = text ??
            (bytes === undefined ? make(input as Described) : fromHex(bytes));
          result = describeJson(json.loads(source as string, {
            ...loadsOptions(options, { dicts: "map" }),
            floats: "exact",
          }));
        }
      } catch (error) {
        assertInstanceOf(error, Error);
        assert(expect.error !== undefined, error.message);
        // The message of `sorted(object())`, in a hook of the test's own.
        if (expect.error.message.endsWith("object is not iterable")) return;
        assertEquals(error.message, expect.error.message);
        return;
      }
      if (expect.ok) return;
      assertEquals(result, fn === "dumps" ? expect.output : expect.value);
    });
  }
}

/** JSONTestSuite, whole and in pieces. */
async function checkJsonTestSuite({ files, tally }: Context): Promise<void> {
  const cases = await linesOf<
    { name?: string; hex: string; expect: Case["expect"] }
  >(files, "json_test_suite.jsonl.gz");
  const options = { dicts: "map", floats: "exact" } as const;
  for (const { name, hex, expect } of cases) {
    if (name === undefined || hex === undefined) continue; // the licence
    await tally.check(`JSONTestSuite ${name}`, async () => {
      const bytes = fromHex(hex);
      const whole = await attempt(() =>
        JSON.stringify(describeJson(json.loads(bytes, options)))
      );
      assertEquals(whole.startsWith("error"), expect.error !== undefined);
      if (expect.value === undefined) return;
      assertEquals(whole, JSON.stringify(expect.value));
      if (bytes.length > 2000) return;
      const values = await collect(
        streamOf(chunks(bytes, 1)).pipeThrough(
          new brine.JsonDecoderStream(options),
        ),
      );
      assertEquals(values.map(describeJson), [expect.value]);
    });
  }
}

const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "__defineGetter__",
];

function checkOwnKeys(value: unknown): void {
  assertEquals(Object.keys(value as object), NAMES);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
  for (const name of NAMES) {
    const own = Object.getOwnPropertyDescriptor(value, name);
    assertEquals(own?.value, { polluted: 1 });
  }
  assertEquals(({} as { polluted?: unknown }).polluted, undefined);
}

function codeOf(bytes: Bytes): string {
  return assertThrows(() => pickle.loads(bytes), brine.UnpicklingError).code;
}

const CHECKS: Record<string, () => unknown> = {
  "keys named as JavaScript's own properties are ordinary, with the runtime's own __proto__":
    async () => {
      const text = `{${
        NAMES.map((name) => `"${name}": {"polluted": 1}`).join(", ")
      }}`;
      const values = [json.loads(text)];
      for (const protocol of [0, 1, 2, 3, 4, 5]) {
        const bytes = pickle.dumps(values[0], { protocol });
        values.push(pickle.loads(bytes));
        values.push(
          ...await collect(
            streamOf(chunks(bytes, 1)).pipeThrough(
              new brine.PickleDecoderStream(),
            ),
          ),
        );
      }
      values.push(
        ...await collect(
          streamOf([text]).pipeThrough(new brine.JsonDecoderStream()),
        ),
      );
      for (const value of values) {
        checkOwnKeys(value);
        assertEquals(json.dumps(value), text);
      }
    },
  "errors have their codes": () => {
    assertEquals(codeOf(ascii("")), "truncated");
    assertEquals(codeOf(ascii("K")), "truncated");
    assertEquals(codeOf(ascii("\xff.")), "bad-opcode");
    assertEquals(codeOf(ascii("\x80\x09N.")), "bad-protocol");
    assertEquals(codeOf(ascii("h\x05.")), "memo-missing");
    assertEquals(codeOf(ascii("t.")), "no-mark");
    assertEquals(codeOf(ascii("a.")), "stack-underflow");
    assertEquals(codeOf(ascii("}]K\x01s.")), "unhashable");
    assertEquals(codeOf(ascii("X\x01\0\0\0\xff.")), "bad-utf8");
    assertEquals(codeOf(ascii("I1x\n.")), "bad-number");
    assertThrows(
      () =>
        pickle.loads(ascii("].".padStart(99, "(")), { limits: { depth: 1 } }),
    );
    const error = assertThrows(
      () => json.loads('{"a": 1,}'),
      brine.JSONDecodeError,
    );
    assertEquals([error.lineno, error.colno, error.pos], [1, 8, 7]);
  },
  "an error reaches the reader as the same instance": async () => {
    const { readable, writable } = new brine.PickleDecoderStream();
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(ascii("K\x01.\xff")).catch(() => {});
    const reader = readable.getReader();
    assertEquals((await reader.read()).value, 1);
    const first = await reader.read().catch((error) => error);
    assertInstanceOf(first, brine.UnpicklingError);
    assert(first === await reader.read().catch((error) => error));
  },
  "nothing is made before it is asked for": async () => {
    let made = 0;
    let written = 0;
    const chunk = ascii("K\x01Q.".repeat(1000));
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        written++;
        controller.enqueue(chunk);
      },
    }, { highWaterMark: 0 });
    const reader = source.pipeThrough(
      new brine.PickleDecoderStream({ persistentLoad: () => made++ }),
    ).getReader();
    const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
    for (let asked = 1; asked <= 20; asked++) {
      await reader.read();
      await settle();
      assert(made <= asked + 1, `${made} made for ${asked} asked`);
    }
    assert(written <= 2, `${written} chunks for 20 values`);
    await reader.cancel();
  },
  "load and dump take the platform's streams": async () => {
    const value = { list: [1, "two", null, 2n ** 70n], bytes: ascii("abc") };
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const sink = () =>
      new WritableStream<Uint8Array<ArrayBuffer>>({
        write(part) {
          parts.push(part);
        },
      });
    await pickle.dump(value, sink());
    assertEquals(await pickle.load(new Blob(parts).stream()), value);
    parts.length = 0;
    await json.dump([1.5, "two"], sink());
    assertEquals(await json.load(new Response(new Blob(parts)).body!), [
      1.5,
      "two",
    ]);
  },
  "a plan is made of a stream, iterable or not": async () => {
    const blob = new Blob([pickle.dumps([[1, 2], "three"])]);
    const stream = blob.stream();
    Object.defineProperty(stream, Symbol.asyncIterator, { value: undefined });
    const plan = await brine.planPickle(stream);
    const text = await textOf(
      blob.stream().pipeThrough(new brine.PickleToJsonStream({ plan })),
    );
    assertEquals(text, '[[1, 2], "three"]');
  },
  "an integer is read, or refused where the runtime's bigint ends": () => {
    const bytes = new Uint8Array(1_000_007).fill(0x55);
    bytes.set([0x8b, 0x41, 0x42, 0x0f, 0]);
    // 0x0f4241 is a million and one.
    bytes[1_000_006] = 0x2e;
    let isRead = true;
    try {
      BigInt(`0x${"5".repeat(2_000_002)}`);
    } catch {
      isRead = false;
    }
    if (isRead) {
      assertEquals(typeof pickle.loads(bytes), "bigint");
      assertEquals(Array.from(pickle.genops(bytes)).length, 2);
      return;
    }
    assertThrows(() => pickle.loads(bytes), brine.LimitError);
    const error = assertThrows(
      () => Array.from(pickle.genops(bytes)),
      brine.UnpicklingError,
    );
    assertEquals(error.code, "bad-number");
  },
  "a million nested lists overflow no stack": () => {
    const depth = 1_000_000;
    const bytes = new Uint8Array(2 * depth).fill(0x5d, 0, depth)
      .fill(0x61, depth);
    bytes[2 * depth - 1] = 0x2e;
    const limits = { depth, memo: Infinity };
    let value = pickle.loads(bytes, { limits });
    const again = pickle.dumps(value, { protocol: 2 });
    assert(again.length > 2 * depth);
    let count = 0;
    while (Array.isArray(value)) {
      value = value[0];
      count++;
    }
    assertEquals(count, depth);
  },
  "sets have the methods of sets whether or not the platform's have": () => {
    const a = new brine.PySet<unknown>([1, brine.Tuple.of(1, 2), "x"]);
    const b = new brine.FrozenSet<unknown>([true, brine.Tuple.of(1, 2)]);
    assertEquals([...a.union(b)].length, 3);
    assertEquals([...a.intersection(b)].length, 2);
    assertEquals([...a.difference(b)], ["x"]);
    assertEquals([...a.symmetricDifference(b)], ["x"]);
    assert(b.isSubsetOf(a) && a.isSupersetOf(b) && !a.isDisjointFrom(b));
    assertEquals(json.dumps(a, { types: "plain" }), '[1, [1, 2], "x"]');
  },
  "halves are floats with or without Float16Array": () => {
    const half = json.loads(json.dumps([0.5, 1.25]));
    assertEquals(half, [0.5, 1.25]);
    const array = ascii(
      "\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" +
        "K\x00\x85U\x01btR(K\x01K\x02\x85cnumpy\ndtype\n(U\x02f2K\x00K\x01tR" +
        "(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" +
        "U\x04\x00\x38\x00\x3dtb.",
    );
    const value = pickle.loads(array) as brine.NdArray;
    assertInstanceOf(value, brine.NdArray);
    assertEquals(Array.from([0, 1], (i) => Number(value.at(i))), half);
    assertEquals(json.dumps(value, { types: "plain" }), "[0.5, 1.25]");
  },
  "moments are the platform's where it has Temporal, and say so where not":
    () => {
      const { Temporal } = globalThis as {
        Temporal?: { PlainDate: { from(text: string): object } };
      };
      const date = new brine.PyDate(2024, 2, 29);
      const bytes = pickle.dumps(date);
      const back = pickle.loads(bytes) as brine.PyDate;
      assertEquals(String(back), "2024-02-29");
      if (Temporal === undefined) {
        assertThrows(() => back.toTemporal(), TypeError, "no Temporal");
        return;
      }
      const plain = Temporal.PlainDate.from("2024-02-29");
      assertEquals(String(back.toTemporal()), String(plain));
      assert(same(pickle.dumps(plain), bytes));
      assertEquals(json.dumps(plain, { types: "plain" }), '"2024-02-29"');
    },
};
