/**
 * Many streams at once: what one has done with is used by the next, and must
 * never be used by two.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, loads } from "../../lib/pickle/mod.ts";
import { type Machine, MORE } from "../../lib/streams/machine_stream.ts";
import {
  jsonToPickleMachine,
  JsonToPickleStream,
} from "../../lib/transcode/json_to_pickle.ts";
import {
  pickleToJsonMachine,
  PickleToJsonStream,
} from "../../lib/transcode/pickle_to_json.ts";
import { chunks } from "../support/chunks.ts";
import { type Random, seeded } from "../support/random.ts";
import { assertText } from "./convert.ts";

/** A document that no other one is like. */
function document(random: Random, id: number): unknown {
  const size = random.pick([0, 1, 3, 40, 400]);
  return {
    id,
    items: Array.from({ length: size }, (_, i) => ({
      [`key ${id} ${i % 50}`]: `${id}`.repeat(random.below(5)),
      n: [id, i, i / 7],
      set: i === 3 ? new Set([id]) : null,
    })),
  };
}

/** A machine at work: what it is given, and what has come of it. */
interface Work {
  machine: Machine<Uint8Array, Uint8Array<ArrayBuffer>>;
  chunks: Uint8Array[];
  out: Uint8Array[];
  ended: boolean;
  want: string;
  isPickle: boolean;
}

Deno.test("machines that take turns do not mix", async () => {
  await seeded((random) => {
    const working: Work[] = [];
    let id = 0;
    let done = 0;
    while (done < 600) {
      if (working.length < 8 && random.below(3) > 0) {
        const value = document(random, id++);
        const pickle = dumps(value);
        const text = toJson(value, { types: "plain" });
        const isPickle = random.below(2) === 0;
        working.push({
          machine: isPickle
            ? jsonToPickleMachine() as Work["machine"]
            : pickleToJsonMachine(),
          chunks: chunks(
            isPickle ? new TextEncoder().encode(text) : pickle,
            random.pick([7, 100, 65536, random]),
          ),
          out: [],
          ended: false,
          want: text,
          isPickle,
        });
      }
      if (working.length === 0) continue;
      const at = random.below(working.length);
      const work = working[at]!;
      const { machine } = work;
      for (let steps = random.below(6); steps > 0; steps--) {
        const result = machine.pull();
        if (result !== MORE) work.out.push(result);
        else if (work.chunks.length > 0) machine.push(work.chunks.shift()!);
        else if (!work.ended) {
          machine.end();
          work.ended = true;
        } else {
          const bytes = join(work.out);
          assertText(
            work.isPickle
              ? toJson(loads(bytes, { floats: "exact" }))
              : new TextDecoder().decode(bytes),
            work.want,
            `document ${done}`,
          );
          // Nothing more comes of it, however often it is asked.
          assertEquals(machine.pull(), MORE);
          working.splice(at, 1);
          done++;
          break;
        }
      }
      // Some are left as they are.
      if (random.below(200) === 0) working.splice(at, 1);
    }
  });
});

Deno.test("streams that run side by side do not mix", async () => {
  await seeded(async (random) => {
    const values = Array.from({ length: 60 }, (_, i) => document(random, i));
    const texts = await Promise.all(values.map((value) => {
      const stream = ReadableStream.from(chunks(dumps(value), 500));
      return new Response(stream.pipeThrough(new PickleToJsonStream())).text();
    }));
    for (const [i, text] of texts.entries()) {
      assertText(text, toJson(values[i], { types: "plain" }), `value ${i}`);
    }
    const again = await Promise.all(texts.map(async (text) => {
      const stream = ReadableStream.from(
        chunks(new TextEncoder().encode(text), 700),
      );
      const bytes = await new Response(
        stream.pipeThrough(new JsonToPickleStream()),
      ).bytes();
      return toJson(loads(bytes, { floats: "exact" }));
    }));
    for (const [i, text] of again.entries()) {
      assertText(text, texts[i]!, `value ${i}`);
    }
  });
});

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
