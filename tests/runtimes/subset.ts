/**
 * What must hold in every JavaScript runtime, without a word of Deno's: the
 * fixtures through two doors and back, JSON both ways, streams, scan. It is
 * bundled and run in Node, Bun and Chromium.
 *
 * @module
 */

import {
  json,
  JsonDecoderStream,
  JsonToPickleStream,
  pickle,
  PickleDecoderStream,
  PickleToJsonStream,
} from "../../mod.ts";
import { describe } from "../support/describe.ts";
import { machine, toOptions, whole } from "../support/doors.ts";
import type { Fixture } from "../support/fixtures.ts";
import { fromBase64 } from "../support/hex.ts";
import { difference, protocolOf } from "../support/matches.ts";
import { collect, streamOf } from "../support/streams.ts";

/** What was found. */
export interface Result {
  /** How many checks held. */
  passed: number;
  /** What did not hold. */
  failures: string[];
}

const APART = new Set([
  "key_nan_same_object",
  "stringio_py2",
  "empty_bytestring_1",
  "array_char",
]);

/**
 * Runs all of it.
 *
 * @param lines The fixtures' file, unpacked.
 * @returns What was found.
 */
export async function run(lines: string): Promise<Result> {
  const result: Result = { passed: 0, failures: [] };
  async function check(
    name: string,
    work: () => unknown,
  ): Promise<void> {
    try {
      const wrong = await work();
      if (wrong !== undefined) throw new Error(String(wrong));
      result.passed++;
    } catch (error) {
      result.failures.push(`${name}: ${error}`);
    }
  }

  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const { pickles, ...facts } = JSON.parse(line);
    const fixture = facts as Fixture;
    if (APART.has(fixture.name) || fixture.desc?.t === "error") continue;
    // The largest are Deno's to test.
    if (line.length > 200_000) continue;
    for (const [data, writers] of pickles as [string, string][]) {
      const bytes = fromBase64(data);
      const name = `${fixture.group}/${fixture.name} (${writers})`;
      await check(name, () => checkFixture(fixture, bytes));
    }
  }

  await check("json.dumps", () =>
    equal(
      json.dumps({ a: [1, 1.5, 1e16, -0, NaN, 2n ** 64n], "ü": "\u2028😀" }),
      '{"a": [1, 1.5, 1e+16, -0.0, NaN, 18446744073709551616], "\\u00fc": "\\u2028\\ud83d\\ude00"}',
    ));
  await check("json.loads", () => {
    try {
      json.loads('{"a": 1,\n "b": }');
    } catch (error) {
      return equal(
        (error as Error).message,
        "Expecting value: line 2 column 7 (char 15)",
      );
    }
    return "no error";
  });
  const value = { rows: [{ id: 1, x: 1.5 }, { id: 2, x: null }] };
  const text = '{"rows": [{"id": 1, "x": 1.5}, {"id": 2, "x": null}]}';
  await check("PickleToJsonStream", async () => {
    const stream = streamOf([pickle.dumps(value)])
      .pipeThrough(new PickleToJsonStream());
    return equal(await new Response(bodyOf(stream)).text(), text);
  });
  await check("JsonToPickleStream", async () => {
    const stream = streamOf([new TextEncoder().encode(text)])
      .pipeThrough(new JsonToPickleStream());
    const bytes = await new Response(bodyOf(stream)).arrayBuffer();
    return equal(json.dumps(pickle.loads(new Uint8Array(bytes))), text);
  });
  await check("decoder streams", async () => {
    const pickles = streamOf([pickle.dumps(1), pickle.dumps("two")])
      .pipeThrough(new PickleDecoderStream());
    const texts = streamOf(['1\n"t', 'wo"\n']).pipeThrough(
      new JsonDecoderStream() as unknown as TransformStream<string, unknown>,
    );
    return equal(
      json.dumps([await collect(pickles), await collect(texts)]),
      '[[1, "two"], [1, "two"]]',
    );
  });
  await check("scan", async () => {
    const evil = new TextEncoder().encode("cos\nsystem\n(S'x'\ntR.");
    return equal((await pickle.scan(evil)).verdict, "dangerous");
  });
  await check("dis", () =>
    equal(
      pickle.dis(pickle.dumps(null)),
      `    0: \\x80 PROTO      4
    2: N    NONE
    3: .    STOP
highest protocol among opcodes = 2
`,
    ));
  await check("prototypes", () => {
    const found = pickle.loads(
      new TextEncoder().encode("(dV__proto__\n(dVpolluted\nI1\nss."),
    ) as object;
    if (Object.getPrototypeOf(found) !== Object.prototype) return "prototype";
    if ("polluted" in {}) return "polluted";
    return equal(json.dumps(found), '{"__proto__": {"polluted": 1}}');
  });
  return result;
}

function equal(actual: string, expected: string): string | undefined {
  return actual === expected ? undefined : `${actual} is not ${expected}`;
}

function bodyOf(
  stream: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return stream as ReadableStream<Uint8Array<ArrayBuffer>>;
}

async function checkFixture(
  fixture: Fixture,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string | undefined> {
  const { options, desc } = fixture;
  const many = options.several || options.keepMemo;
  const protocol = protocolOf(bytes);
  function read(door: typeof whole): unknown {
    const values = door(bytes, toOptions(options));
    return many ? values : values[0];
  }
  const door = many ? machine(Infinity) as typeof whole : whole;
  const value = read(door);
  if (desc === null) return undefined;
  const wrong = difference(desc, describe(value), { protocol });
  if (wrong !== undefined) return `whole: ${wrong}`;
  if (bytes.length < 2000) {
    const piecewise = read(machine(1) as typeof whole);
    const apart = difference(desc, describe(piecewise), { protocol });
    if (apart !== undefined) return `byte by byte: ${apart}`;
  }
  if (many || options.persistent || options.buffers || options.extensions) {
    return undefined;
  }
  const back = pickle.loads(pickle.dumps(value, { protocol: 4 }), {
    dicts: "map",
    floats: "exact",
  });
  const lost = difference(describe(value), describe(back), { protocol });
  return await Promise.resolve(lost && `there and back: ${lost}`);
}
