import { assert, assertEquals, assertThrows } from "@std/assert";
import { dis, type DisMemo, disMemo } from "../../lib/pickle/dis.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { optimize } from "../../lib/pickle/optimize.ts";
import {
  disFixtures,
  examine,
  type Examined,
  findPython,
  readGzip,
  readJsonLines,
  sharedCorpus,
} from "./dis_support.ts";

function text(strings: TemplateStringsArray): Uint8Array {
  return Uint8Array.from(
    strings.raw[0]!.replaceAll("\\n", "\n"),
    (c) => c.charCodeAt(0),
  );
}

/** What comes out before the error, and the error's code. */
function failing(bytes: Uint8Array, memo?: DisMemo): [string, string] {
  let out = "";
  const error = assertThrows(
    () => dis(bytes, { out: (part) => out += part, ...memo && { memo } }),
    UnpicklingError,
  );
  return [out.split("\n").at(-2) ?? out, error.code];
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex();
}

/** As `digest` in `tests/fixtures/dis/oracle.py`. */
async function digest(pickles: Uint8Array[]): Promise<string> {
  const of = await sha256(concat(pickles));
  let all = "";
  for (const bytes of pickles) {
    const { dis, noted, error, optimized } = examine(bytes);
    all += `${dis}\0${noted}\0${error ? "error" : optimized ?? "none"}`;
  }
  // What surrogates there were are printed as escapes.
  const said = await sha256(new TextEncoder().encode(all));
  return `${of.slice(0, 8)} ${said.slice(0, 16)}`;
}

function concat(chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

const EXPECTED: Record<string, Record<string, string>> = JSON.parse(
  Deno.readTextFileSync(
    new URL("../fixtures/dis/expected.json", import.meta.url),
  ),
);

Deno.test("dis() and optimize() give what pickletools gave for every fixture", async () => {
  for (const name of ["values", "handwritten", "cpython"]) {
    const expected = EXPECTED[name];
    if (expected === undefined) continue;
    let known = 0;
    for (const [id, pickles] of await disFixtures(name)) {
      const [of, said] = (await digest(pickles)).split(" ");
      // A fixture may be younger than what is expected of it.
      if (!expected[id]?.startsWith(of!)) continue;
      known++;
      assertEquals(said, expected[id].split(" ")[1], `${name}: ${id}`);
    }
    assert(known >= Object.keys(expected).length * 0.9, `${name}: ${known}`);
  }
});

Deno.test("dis() and optimize() give what pickletools gave for opcodes at random", async () => {
  const lines = (await readGzip("dis/soup.txt.gz")).trim().split("\n");
  assertEquals(lines.length, 2000);
  for (let i = 0; i < lines.length; i += 20) {
    const pickles = lines.slice(i, i + 20).map((hex) =>
      Uint8Array.fromHex(hex)
    );
    assertEquals(await digest(pickles), EXPECTED.soup![i], `soup ${i}`);
  }
});

const python = await findPython("3.13");

Deno.test({
  name: "dis() and optimize() equal a live pickletools",
  ignore: python === undefined,
  async fn() {
    const pickles = sharedCorpus();
    for (const hex of (await readGzip("dis/soup.txt.gz")).trim().split("\n")) {
      pickles.push({ name: hex, bytes: Uint8Array.fromHex(hex) });
    }
    const child = new Deno.Command(python!, {
      args: [
        new URL("../fixtures/dis/oracle.py", import.meta.url).pathname,
        "serve",
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const sent = ReadableStream.from(
      pickles.map(({ bytes }) => bytes.toHex() + "\n"),
    ).pipeThrough(new TextEncoderStream()).pipeTo(child.stdin);
    let i = 0;
    for await (const found of readJsonLines<Examined>(child.stdout)) {
      const { name, bytes } = pickles[i++]!;
      const mine = examine(bytes);
      assertEquals(mine.dis, found.dis, name);
      assertEquals(mine.noted, found.noted, name);
      assertEquals(mine.error === null, found.error === null, name);
      // Python writes nonsense for a GET that has no PUT.
      if (found.error === null) {
        assertEquals(mine.optimized, found.optimized, name);
      }
    }
    await sent;
    assertEquals(i, pickles.length);
    assert((await child.status).success);
  },
});

Deno.test("dis() says where a check fails, after the line that failed", () => {
  assertEquals(failing(text`t.`), [
    "    0: t    TUPLE      no MARK exists on stack",
    "no-mark",
  ]);
  assertEquals(failing(text`h\x00`.slice(0, 1)), ["", "truncated"]);
  assertEquals(failing(text`p0\n.`), [
    "    0: p    PUT        0",
    "stack-underflow",
  ]);
  assertEquals(failing(text`(p0\n.`), [
    "    1: p        PUT        0",
    "unexpected-mark",
  ]);
  assertEquals(failing(text`Np0\np0\n.`), [
    "    4: p    PUT        0",
    "memo-taken",
  ]);
  assertEquals(failing(text`g7\n.`), [
    "    0: g    GET        7",
    "memo-missing",
  ]);
  assertEquals(failing(text`0.`), ["    0: 0    POP", "stack-underflow"]);
  assertEquals(failing(text`NN.`), [
    "highest protocol among opcodes = 0",
    "stack-left",
  ]);
  assertEquals(failing(text`N!`), ["    0: N    NONE", "bad-opcode"]);
  assertEquals(failing(text`(Nat.`)[1], "no-mark");
});

Deno.test("dis() keeps a memo from one pickle to the next", () => {
  const memo = disMemo();
  const first = text`]p0\n.`;
  const second = text`g0\n.`;
  assertEquals(failing(second)[1], "memo-missing");
  dis(first, { memo });
  assertEquals(
    dis(second, { memo }),
    "    0: g    GET        0\n    3: .    STOP\nhighest protocol among opcodes = 0\n",
  );
  assertEquals(failing(first, memo)[1], "memo-taken");
});

Deno.test("optimize() refuses a GET of nothing and a protocol from the future", () => {
  for (
    const [bytes, code] of [
      [text`g0\n.`, "memo-missing"],
      [Uint8Array.of(0x80, 6, 0x4e, 0x2e), "bad-protocol"],
      [text`N`, "truncated"],
      [text`Ix\n.`, "bad-number"],
    ] as const
  ) {
    assertEquals(
      assertThrows(() => optimize(bytes), UnpicklingError).code,
      code,
    );
  }
});

Deno.test("dis() does not print a thousand times what it reads, unless asked to", () => {
  const marks = new Uint8Array(1_000_000).fill(0x28);
  let printed = 0;
  const out = (text: string) => printed += text.length;
  const error = assertThrows(() => dis(marks, { out }), LimitError);
  assertEquals(error.limit, "expansion");
  assert(printed > 60_000_000 && printed <= 67_108_864, `${printed}`);
  const few = marks.subarray(0, 100);
  assertEquals(
    assertThrows(() => dis(few, { limits: { outputBytes: 100 } }), LimitError)
      .limit,
    "outputBytes",
  );
  printed = 0;
  const most = marks.subarray(0, 6000);
  assertThrows(
    () => dis(most, { out, limits: { expansion: Infinity } }),
    UnpicklingError,
  );
  assert(printed > 67_108_864, `${printed}`);
});
