import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as json from "../../lib/json/mod.ts";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import {
  JsonToPickleStream,
  PickleToJsonStream,
} from "../../lib/transcode/mod.ts";
import { toOptions } from "../support/doors.ts";
import { fixtures } from "../support/fixtures.ts";

function bytesOf(
  readable: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>)
    .bytes();
}

function cut(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < bytes.length; i += size) {
    chunks.push(bytes.subarray(i, i + size));
  }
  return ReadableStream.from(chunks);
}

Deno.test("a pickle comes back from tagged JSON through both streams", async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { group, name, options, pickles } of await fixtures("values")) {
    if (Object.keys(options).length > 0 || group === "frames") continue;
    if (name === "bytes_shared" || /^deep_|_len_|e100|bits|_2p/.test(name)) {
      continue;
    }
    // One of Python 2 and one of Python 3 will do.
    const chosen = new Set([pickles[0], pickles.at(-1)]);
    for (const { bytes } of chosen as Set<typeof pickles[0]>) {
      count++;
      const value = loads(bytes, toOptions(options));
      const text = await bytesOf(
        cut(bytes, 50).pipeThrough(new PickleToJsonStream({ types: "tagged" })),
      );
      const back = await bytesOf(
        cut(text, 33).pipeThrough(
          new JsonToPickleStream({ types: "tagged", allow: () => true }),
        ),
      );
      const same = dumps(loads(back, toOptions(options)));
      if (same.toHex() !== dumps(value).toHex()) wrong.push(`${group}/${name}`);
    }
  }
  assertEquals(wrong, []);
  assertEquals(count > 500, true, `only ${count} pickles`);
});

Deno.test("nothing is named that was not allowed", async () => {
  const text =
    '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["id"]}]}';
  const convert = (options: object) =>
    bytesOf(
      ReadableStream.from([text]).pipeThrough(new JsonToPickleStream(options)),
    );
  // Without tags it is data.
  assertEquals(loads(await convert({})), JSON.parse(text));
  for (
    const allow of [undefined, [], ["os"], ["os.system.x"], () => false]
  ) {
    const options = allow === undefined ? {} : { allow };
    const error = await assertRejects(
      () => convert({ types: "tagged", ...options }),
      json.TagError,
    );
    assertEquals(error.code, "not-allowed");
  }
  const bytes = await convert({ types: "tagged", allow: ["os.system"] });
  assertEquals(String(loads(bytes) && "built"), "built");
});

Deno.test("lines become a pickle each, and one text must be one", async () => {
  const lines = ['{"py/tuple": [1]}\n{"py/set": [2]}\n', "3"];
  const bytes = await bytesOf(
    ReadableStream.from(lines).pipeThrough(
      new JsonToPickleStream({ types: "tagged", jsonl: true, protocol: 2 }),
    ),
  );
  assertEquals(
    bytes.toHex(),
    [
      loads(dumps(json.loads(lines[0]!.split("\n")[0]!, { types: "tagged" }))),
      json.loads(lines[0]!.split("\n")[1]!, { types: "tagged" }),
      3,
    ].map((value) => dumps(value, { protocol: 2 }).toHex()).join(""),
  );
  const error = await assertRejects(
    () =>
      bytesOf(
        ReadableStream.from(lines).pipeThrough(
          new JsonToPickleStream({ types: "tagged" }),
        ),
      ),
    json.JSONDecodeError,
  );
  assertEquals(error.code, "extra-data");
  await assertRejects(
    () =>
      bytesOf(
        ReadableStream.from([""]).pipeThrough(
          new JsonToPickleStream({ types: "tagged" }),
        ),
      ),
    json.JSONDecodeError,
  );
});

Deno.test("tagged JSON is not read in items", () => {
  assertThrows(
    () => new JsonToPickleStream({ types: "tagged", items: true }),
    TypeError,
  );
});
