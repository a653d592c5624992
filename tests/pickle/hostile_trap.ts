/**
 * Reads hostile pickles from standard input, without any permission, with
 * nothing left to change and a trap under each of their names. Prints what was
 * caught.
 *
 * @module
 */

import * as brine from "../../mod.ts";
import { PickleToJsonStream } from "../../lib/transcode/pickle_to_json.ts";
import * as errors from "./hostile_errors.ts";

const text = await new Response(Deno.stdin.readable).text();
const pickles: Uint8Array<ArrayBuffer>[] = text.trim().split("\n")
  .map((line) => Uint8Array.fromBase64(JSON.parse(line).base64))
  .filter(({ length }) => length < 200_000);

const looked = new Set<string>();
const names = new Set<string>();
for (const bytes of pickles) {
  const { findings } = await brine.pickle.scan(bytes);
  for (const { module, name } of findings) {
    for (const part of `${module}.${name}`.split(".")) names.add(part);
  }
}
for (const name of names) {
  if (name in globalThis || name.length > 100) continue;
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      looked.add(name);
      return undefined;
    },
  });
}
const DANGEROUS = ["eval", "Function"] as const;
for (const name of DANGEROUS) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    value: () => looked.add(name),
  });
}
for (
  const { prototype } of [
    Object,
    Array,
    Map,
    Set,
    Uint8Array,
    String,
    Number,
    Error,
    Promise,
  ]
) Object.freeze(prototype);

const odd: string[] = [];
for (const bytes of pickles) {
  for (
    const door of [
      () => brine.pickle.loads(bytes),
      () => brine.pickle.loads(bytes, { dicts: "map", floats: "exact" }),
      () => brine.json.dumps(brine.pickle.loads(bytes), errors.PLAIN),
      () => brine.json.dumps(brine.pickle.loads(bytes), errors.TAGGED),
      () => brine.pickle.dumps(brine.pickle.loads(bytes)),
      () => brine.pickle.dis(bytes),
      () => brine.pickle.optimize(bytes),
      async () => {
        const source = ReadableStream.from([bytes])
          .pipeThrough(new PickleToJsonStream());
        for await (const _ of source);
      },
    ]
  ) {
    try {
      await door();
    } catch (error) {
      if (!errors.isOurs(error)) odd.push(String(error).slice(0, 200));
    }
  }
}
console.log(JSON.stringify({
  looked: [...looked],
  odd: [...new Set(odd)],
  names: names.size,
  pickles: pickles.length,
}));
