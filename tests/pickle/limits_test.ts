/**
 * Every limit, at its value and one below what the input wants, through every
 * reader that knows it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dumps as dumpsJson, loads as loadsJson } from "../../lib/json/mod.ts";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import {
  DEFAULT_LIMITS,
  LimitError,
  type Limits,
} from "../../lib/python/limits.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import { JsonToPickleStream } from "../../lib/transcode/json_to_pickle.ts";
import { PickleToJsonStream } from "../../lib/transcode/pickle_to_json.ts";
import { Folder } from "../cli/run.ts";

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function drain(
  bytes: Uint8Array<ArrayBuffer>,
  // deno-lint-ignore no-explicit-any
  stream: { readable: ReadableStream<any>; writable: WritableStream<any> },
): Promise<void> {
  const source = ReadableStream.from((function* () {
    for (let at = 0; at < bytes.length; at += 4096) {
      yield bytes.slice(at, at + 4096);
    }
  })()).pipeThrough(stream);
  for await (const _ of source);
}

type Door = (
  bytes: Uint8Array<ArrayBuffer>,
  limits: Limits,
) => unknown;

const DOORS: Readonly<Record<string, Door>> = {
  loads: (bytes, limits) => loads(bytes, { limits }),
  stream: (bytes, limits) => drain(bytes, new PickleDecoderStream({ limits })),
  toJson: (bytes, limits) => drain(bytes, new PickleToJsonStream({ limits })),
  jsonLoads: (bytes, limits) => loadsJson(bytes, { limits }),
  jsonDumps: (bytes, limits) => dumpsJson(loads(bytes), { limits }),
  toPickle: (bytes, limits) => drain(bytes, new JsonToPickleStream({ limits })),
};

interface Case {
  limit: keyof Limits;
  input: Uint8Array<ArrayBuffer>;
  /** What the input wants, to the unit. */
  wants: number;
  doors: readonly (keyof typeof DOORS)[];
}

const marks = latin1(`${"(".repeat(20)}N${"l".repeat(20)}.`);
const CASES: readonly Case[] = [
  { limit: "depth", input: marks, wants: 20, doors: ["loads", "stream"] },
  {
    limit: "memo",
    input: latin1("Nq\0q\x01q\x02."),
    wants: 3,
    doors: ["loads", "stream"],
  },
  {
    limit: "argumentLength",
    input: latin1("X\x64\0\0\0" + "a".repeat(100) + "."),
    wants: 100,
    doors: ["loads", "stream", "toJson"],
  },
  {
    limit: "intDigits",
    input: latin1(`L${"7".repeat(700)}L\n.`),
    wants: 700,
    doors: ["loads", "stream", "toJson", "jsonDumps"],
  },
  {
    limit: "intDigits",
    input: latin1(`[${"7".repeat(700)}]`),
    wants: 700,
    doors: ["jsonLoads", "toPickle"],
  },
  {
    limit: "outputBytes",
    input: dumps("a".repeat(1000)),
    wants: 1002,
    doors: ["toJson", "jsonDumps"],
  },
  {
    limit: "jsonDepth",
    input: latin1(`${"[".repeat(50)}${"]".repeat(50)}`),
    wants: 50,
    doors: ["jsonLoads", "toPickle"],
  },
  {
    limit: "values",
    input: latin1('[1, [2, {"a": null}], "x", 1.5, true, [], {}]'),
    wants: 11,
    doors: ["jsonLoads", "toPickle"],
  },
  {
    limit: "jsonDepth",
    input: marks,
    wants: 20,
    doors: ["toJson", "jsonDumps"],
  },
];

Deno.test("each limit stops what is one beyond it, and nothing else", async () => {
  for (const { limit, input, wants, doors } of CASES) {
    for (const door of doors) {
      const about = `${limit}, ${door}`;
      const run = DOORS[door]!;
      try {
        await run(input, { [limit]: wants });
      } catch (error) {
        throw new Error(about, { cause: error });
      }
      let error: unknown;
      try {
        await run(input, { [limit]: wants - 1 });
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof LimitError, `${about}: ${error}`);
      assertEquals([error.limit, error.value], [limit, wants - 1], about);
    }
  }
});

// `memoBytes` and `expansion` have their tests beside the transcoder, and among
// the laughs in hostile_doors_test.ts.
Deno.test("the limit on values stops what is far beyond", async () => {
  const many = latin1(`](${"K\x01".repeat(10_000)}e.`);
  const list = latin1(`[${"[1],".repeat(9_999)}1]`);
  for (
    const [limit, input, low, high, doors] of [
      ["values", many, 1000, 20_000, ["loads", "stream"]],
      ["values", list, 1000, 40_000, ["jsonLoads", "toPickle"]],
    ] as const
  ) {
    for (const door of doors) {
      await DOORS[door]!(input, { [limit]: high });
      let error: unknown;
      try {
        await DOORS[door]!(input, { [limit]: low });
      } catch (thrown) {
        error = thrown;
      }
      assert(
        error instanceof LimitError && error.limit === limit,
        `${limit}, ${door}: ${error}`,
      );
    }
  }
});

Deno.test("each limit has a flag", async () => {
  using folder = new Folder();
  folder.write("a.pkl", latin1("]q\0(K\x01K\x02e."));
  for (const name of Object.keys(DEFAULT_LIMITS)) {
    const dashed = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    const args = ["convert", "a.pkl", "--limit", `${dashed}=none`];
    const { code, stdout, stderr } = await folder.run(args);
    assertEquals([code, stdout, stderr], [0, "[1, 2]\n", ""], name);
  }
  const { code, stderr } = await folder.run(
    ["convert", "a.pkl", "--limit", "outputbytes=3"],
  );
  assertEquals(code, 1);
  assert(stderr.includes("--limit outputBytes="), stderr);
  assertEquals(
    (await folder.run(["show", "a.pkl", "--limit", "nothing=1"])).code,
    2,
  );
});
