/**
 * What hostile pickles must not do, through every door: write without end,
 * fill a terminal or a log with what they hold, reach anything by a name.
 *
 * @module
 */

import { ACTIVE_OPCODES } from "../support/active_opcodes.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { JSONDecodeError } from "../../lib/json/errors.ts";
import { dumps as dumpsJson, loads as loadsJson } from "../../lib/json/mod.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { dis } from "../../lib/pickle/dis.ts";
import { dumps } from "../../lib/pickle/dump.ts";
import { genops } from "../../lib/pickle/genops.ts";
import { loads } from "../../lib/pickle/load.ts";
import { optimize } from "../../lib/pickle/optimize.ts";
import { scan } from "../../lib/pickle/scan.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { JsonToPickleStream } from "../../lib/transcode/json_to_pickle.ts";
import { PickleToJsonStream } from "../../lib/transcode/pickle_to_json.ts";
import { Folder } from "../cli/run.ts";
import { jsonSoup } from "../fuzz/inputs.ts";
import { Random } from "../fuzz/random.ts";
import { readGzip } from "./dis_support.ts";

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function through(
  stream: TransformStream<Uint8Array, Uint8Array>,
  bytes: Uint8Array,
): Promise<number> {
  let size = 0;
  const source = ReadableStream.from([bytes]).pipeThrough(stream);
  for await (const chunk of source) size += chunk.length;
  return size;
}

/** Each holds the one before it ten times, or twice. */
const LAUGHS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  lists: latin1(
    "(X\x05\0\0\0laughlq\0" +
      Array.from(
        { length: 29 },
        (_, i) =>
          `0(${`h${String.fromCharCode(i)}`.repeat(10)}lq${
            String.fromCharCode(i + 1)
          }`,
      ).join("") + ".",
  ),
  tuples: latin1("X\x05\0\0\0laugh" + "2\x86".repeat(100) + "."),
  dicts: latin1(
    "}q\0X\x01\0\0\0aNs" +
      Array.from({ length: 60 }, (_, i) => {
        const before = `h${String.fromCharCode(i)}`;
        return `}q${
          String.fromCharCode(i + 1)
        }(U\x01a${before}U\x01b${before}u`;
      }).join("") + ".",
  ),
  strings: latin1(
    `(T\x40\x42\x0f\0${"ha".repeat(500_000)}q\0` + "h\0".repeat(200_000) + "l.",
  ),
};

Deno.test("a billion laughs end early, by every door", async () => {
  using folder = new Folder();
  for (const [name, bytes] of Object.entries(LAUGHS)) {
    const start = performance.now();
    const value = loads(bytes);
    const limits = { outputBytes: 1_000_000 };
    const { limit } = assertThrows(
      () => dumpsJson(value, { limits, types: "plain" }),
      LimitError,
    );
    assertEquals(limit, "outputBytes", name);
    for (const options of [{ limits }, {}]) {
      let error: unknown;
      let size = 0;
      try {
        size = await through(new PickleToJsonStream(options), bytes);
      } catch (thrown) {
        error = thrown;
      }
      // The stream alone may give up earlier, when it has forgotten too much.
      assert(
        error instanceof LimitError ||
          error instanceof UnpicklingError && error.code === "not-streamable",
        `${name}: ${error ?? size}`,
      );
    }
    const report = await scan(bytes);
    assertEquals([report.verdict, report.pickles], ["safe", 1]);
    folder.write("laugh.pkl", bytes);
    folder.write("out.json", "precious");
    const { code, stderr } = await folder.run([
      "convert",
      "laugh.pkl",
      "-o",
      "out.json",
    ]);
    assertEquals(code, 1, name);
    assert(/--limit (?:expansion|outputBytes|memoBytes)=/.test(stderr), stderr);
    assertEquals(folder.text("out.json"), "precious");
    assertEquals(folder.names(), ["laugh.pkl", "out.json"]);
    const taken = performance.now() - start;
    // Some seconds, on a busy machine; not the age of the universe.
    assert(taken < 60_000, `${name}: ${taken} ms`);
  }
});

/** A message for people: short, and no copy of the input. */
const LONGEST = 400;

async function messages(bytes: Uint8Array): Promise<string[]> {
  const found: string[] = [];
  for (
    const door of [
      () => loads(bytes),
      () => dis(bytes),
      () => optimize(bytes),
      () => dumpsJson(loads(bytes)),
      () => through(new PickleToJsonStream(), bytes),
      () => loadsJson(bytes),
      () => through(new JsonToPickleStream(), bytes),
      async () => {
        for (const { message } of (await scan(bytes)).issues) {
          found.push(message);
        }
      },
    ]
  ) {
    try {
      await door();
    } catch (error) {
      assert(error instanceof Error);
      found.push(error.message);
      if (error instanceof JSONDecodeError) found.push(error.msg);
    }
  }
  return found;
}

Deno.test("no message of an error holds the input", async () => {
  const LONG = "A".repeat(100_000);
  const evil: string[] = [
    `c${LONG}\n${LONG}\n)R0N`,
    `c${LONG}\n${LONG}\n}b.`,
    `c${LONG}\n${LONG}\nNa.`,
    `c${LONG}\n${LONG}\n.`,
    `I${LONG}\n.`,
    `L${LONG}\n.`,
    `F${LONG}\n.`,
    `S${LONG}\n.`,
    `V\\u${LONG}\n.`,
    `P${LONG}\n.`,
    `p${LONG}\n.`,
    `Ng${LONG}\n.`,
    `(V${LONG}\nd.`,
    `V${LONG}\nV${LONG}\n\x93.`,
    `}V${LONG}\n]s]V${LONG}\ns.`,
    `]V${LONG}\n)R.`,
    `V${LONG}\n)R.`,
    `cbuiltins\nint\n(V${LONG}\ntR.`,
    `cdatetime\ndate\n(V${LONG}\ntR.`,
    `cdecimal\nDecimal\n(V${LONG}\ntR.`,
    `cnumpy\ndtype\n(V${LONG}\ntR.`,
    `cuuid\nUUID\n)\x81}V${LONG}\nNsb.`,
    `c_codecs\nencode\n(V${LONG}\nV${LONG}\ntR.`,
    `\x80${LONG}`,
    `\x80\x04\x95${LONG}`,
    LONG,
    `"${LONG}`,
    `{"${LONG}" 1}`,
    `{"a": ${LONG}}`,
    `[1, ${"9".repeat(100_000)}]`,
    `{"a": "${LONG}\n"}`,
    `${" ".repeat(100_000)}x`,
  ];
  const inputs = evil.map(latin1);
  for (
    const line of (await readGzip("hostile/hostile.jsonl.gz")).trim()
      .split("\n")
  ) {
    const bytes = Uint8Array.fromBase64(JSON.parse(line).base64);
    if (bytes.length < 100_000) inputs.push(bytes);
  }
  let count = 0;
  for (const bytes of inputs) {
    for (const message of await messages(bytes)) {
      count++;
      assert(
        message.length <= LONGEST,
        `${message.slice(0, 300)} … ${message.length}`,
      );
    }
  }
  assert(count > 1000);
});

Deno.test("no name of a hostile pickle is looked up, and no prototype changes", async () => {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--quiet",
      "--v8-flags=--disallow-code-generation-from-strings",
      `--config=${config}`,
      new URL("hostile_trap.ts", import.meta.url).href,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = await readGzip("hostile/hostile.jsonl.gz");
  const writing = writer.write(new TextEncoder().encode(lines))
    .then(() => writer.close());
  const { stdout } = await child.output();
  await writing;
  const said = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(said.looked, []);
  assertEquals(said.odd, []);
  assert(said.names > 300 && said.pickles > 400, JSON.stringify(said));
});

Deno.test("a pickle made from JSON is data, whatever the JSON looks like", async () => {
  const tag = {
    "py/object": "os.system",
    "py/reduce": [{ "py/function": "os.system" }, { "py/tuple": ["true"] }],
    "py/newargs": ["true"],
    "py/state": { "py/id": 1 },
    "$global": "os.system",
    "__reduce__": ["os.system"],
    "__class__": "x",
    "__proto__": { a: 1 },
  };
  const texts = [
    JSON.stringify(tag),
    JSON.stringify([tag, tag, { a: tag }]),
    '{"py/type": "os.system"}',
    '{"py/bytes": "Y29zCnN5c3RlbQou"}',
    "\"cos\\nsystem\\n(S'true'\\ntR.\"",
    '["\\u0080\\u0004c", 1e999, -0.0, 1.0, 12345678901234567890]',
  ];
  const inputs = texts.map((text) => new TextEncoder().encode(text));
  const random = new Random(20261124);
  for (let i = 0; i < 2000; i++) {
    inputs.push(Uint8Array.from(jsonSoup(random)));
  }
  let count = 0;
  for (const bytes of inputs) {
    const made: Uint8Array[] = [];
    try {
      const source = ReadableStream.from([bytes])
        .pipeThrough(new JsonToPickleStream());
      const response = new Response(source);
      made.push(new Uint8Array(await response.arrayBuffer()));
      made.push(dumps(loadsJson(bytes)));
      made.push(dumps(loadsJson(bytes, { floats: "exact", dicts: "map" })));
    } catch (error) {
      if (made.length === 0 && error instanceof SyntaxError) continue;
      if (error instanceof LimitError) continue;
      throw error;
    }
    for (const pickle of made) {
      for (const { opcode } of genops(pickle)) {
        assert(
          !ACTIVE_OPCODES.has(opcode.name),
          `${opcode.name} of ${bytes.toBase64()}`,
        );
      }
      count++;
    }
  }
  assert(count > 500, `${count}`);
});
