/**
 * Fails when an operation has become slower than it was recorded to be, beside
 * what the platform's own `JSON` takes for the same data in the same minute:
 * `deno task guard`, and `deno task guard --record` after a change that is
 * meant to be slower or faster.
 *
 * @module
 */

import {
  json,
  JsonToPickleStream,
  pickle,
  PickleToJsonStream,
} from "../../mod.ts";

const RECORD = new URL("guard.json", import.meta.url);
/** A ratio may fall by a third. */
const ALLOWED = 2 / 3;
const ROUNDS = 15;
const TRIES = 3;

/** Small sets of data of each kind, always the same. */
function corpora(): Record<string, unknown> {
  let state = 1;
  function random(): number {
    state = Math.imul(state, 48271) >>> 0;
    return state / 2 ** 32;
  }
  const count = 4000;
  return {
    records: Array.from({ length: count }, (_, i) => ({
      id: i,
      name: `user${i}`,
      score: random() * 100,
      active: i % 3 === 0,
      note: null,
      group: ["alpha", "beta", "gamma"][i % 3],
    })),
    numbers: Array.from(
      { length: count * 5 },
      (_, i) => i % 2 ? i * 7 : random() * 1e6,
    ),
    strings: Array.from(
      { length: count * 5 },
      (_, i) => `s${Math.floor(random() * 1e9)}${i}`,
    ),
    text: Array.from(
      { length: count },
      (_, i) => `Съешь ещё булок ${i} 日本語`,
    ),
  };
}

async function drain(
  bytes: Uint8Array,
  stream: TransformStream<Uint8Array, Uint8Array>,
): Promise<void> {
  for await (const _ of ReadableStream.from([bytes]).pipeThrough(stream));
}

/** What is measured, each beside JSON's own work on the same value. */
function operations(
  value: unknown,
): Record<string, { run: () => unknown; yardstick: () => unknown }> {
  const text = JSON.stringify(value);
  const bytes = new TextEncoder().encode(text);
  const pickled = pickle.dumps(value);
  const parse = () => JSON.parse(text);
  const stringify = () => JSON.stringify(value);
  const both = () => JSON.stringify(JSON.parse(text));
  return {
    "pickle.loads": { run: () => pickle.loads(pickled), yardstick: parse },
    "pickle.dumps": { run: () => pickle.dumps(value), yardstick: stringify },
    "json.loads": { run: () => json.loads(text), yardstick: parse },
    "json.dumps": { run: () => json.dumps(value), yardstick: stringify },
    "pickle>json": {
      run: () => drain(pickled, new PickleToJsonStream()),
      yardstick: both,
    },
    "json>pickle": {
      run: () => drain(bytes, new JsonToPickleStream()),
      yardstick: both,
    },
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function seconds(run: () => unknown): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < 3; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return performance.now() - start;
}

/** The yardstick's time divided by the operation's, the median of rounds. */
async function ratioOf(
  run: () => unknown,
  yardstick: () => unknown,
): Promise<number> {
  const ratios: number[] = [];
  for (let round = -5; round < ROUNDS; round++) {
    const base = await seconds(yardstick);
    const mine = await seconds(run);
    if (round >= 0) ratios.push(base / mine);
  }
  return median(ratios);
}

async function main(): Promise<number> {
  const record = Deno.args.includes("--record");
  const recorded: Record<string, number> = record
    ? {}
    : JSON.parse(await Deno.readTextFile(RECORD));
  let failed = 0;
  for (const [corpus, value] of Object.entries(corpora())) {
    for (
      const [name, { run, yardstick }] of Object.entries(operations(value))
    ) {
      const key = `${name} ${corpus}`;
      if (record) {
        const ratio = await ratioOf(run, yardstick);
        recorded[key] = Number(ratio.toFixed(3));
        console.log(key, recorded[key]);
        continue;
      }
      const wanted = (recorded[key] ?? 0) * ALLOWED;
      let best = 0;
      for (let i = 0; i < TRIES && best < wanted; i++) {
        best = Math.max(best, await ratioOf(run, yardstick));
      }
      const slow = best < wanted;
      if (slow) failed++;
      console.log(
        `${slow ? "SLOW" : "ok"} ${key}: ${best.toFixed(3)}, recorded ${
          recorded[key] ?? "nothing"
        }`,
      );
    }
  }
  if (record) {
    await Deno.writeTextFile(RECORD, JSON.stringify(recorded, null, 2) + "\n");
  }
  if (failed > 0) {
    console.error(
      `${failed} operations are slower by more than a third than recorded in tests/bench/guard.json`,
    );
  }
  return failed > 0 ? 1 : 0;
}

Deno.exit(await main());
