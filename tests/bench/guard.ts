/**
 * Fails when an operation has become slower than it was recorded to be, beside
 * what the platform's own `JSON` takes for the same data in the same minute:
 * `deno task guard`, and `deno task guard --record` after a change that is
 * meant to be slower or faster.
 *
 * @module
 */

import process from "node:process";
import {
  json,
  JsonToPickleStream,
  pickle,
  PickleToJsonStream,
} from "../../mod.ts";

const RECORD = new URL("guard.json", import.meta.url);
/** A ratio may fall by a third. */
const ALLOWED = 2 / 3;
const ROUNDS = 21;
const WARM_UP = 8;
/** Whatever was slow once may have had bad luck. */
const TRIES = 4;
/** What is recorded is the median of so many processes. */
const RECORDINGS = 5;

/** The speed of operations, beside the platform's JSON. */
type Ratios = Record<string, number>;

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

/** How long the processor works, whatever else the machine has to do. */
async function work(run: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  for (let i = 0; i < 3; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** The yardstick's work divided by the operation's, the medians of rounds. */
async function ratioOf(
  run: () => unknown,
  yardstick: () => unknown,
): Promise<number> {
  const base: number[] = [];
  const mine: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const one = await work(yardstick);
    const other = await work(run);
    if (round < 0) continue;
    base.push(one);
    mine.push(other);
  }
  return median(base) / median(mine);
}

/** Measures what is named, or all, in this process. */
async function measure(names: readonly string[]): Promise<Ratios> {
  const ratios: Ratios = {};
  for (const [corpus, value] of Object.entries(corpora())) {
    for (
      const [name, { run, yardstick }] of Object.entries(operations(value))
    ) {
      const key = `${name} ${corpus}`;
      if (names.length > 0 && !names.includes(key)) continue;
      ratios[key] = await ratioOf(run, yardstick);
    }
  }
  return ratios;
}

/** Measures in a process of its own: how V8 compiles differs between them. */
async function measureApart(names: readonly string[]): Promise<Ratios> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.url, "--measure", ...names],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("the measuring failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function record(): Promise<void> {
  const rounds: Ratios[] = [];
  for (let i = 0; i < RECORDINGS; i++) rounds.push(await measureApart([]));
  const ratios: Ratios = {};
  for (const key of Object.keys(rounds[0]!)) {
    ratios[key] = Number(median(rounds.map((round) => round[key]!)).toFixed(3));
    console.log(key, ratios[key]);
  }
  await Deno.writeTextFile(RECORD, JSON.stringify(ratios, null, 2) + "\n");
}

async function guard(): Promise<number> {
  const recorded: Ratios = JSON.parse(await Deno.readTextFile(RECORD));
  const best: Ratios = {};
  let slow: string[] = [];
  for (let i = 0; i < TRIES && (i === 0 || slow.length > 0); i++) {
    for (const [key, ratio] of Object.entries(await measureApart(slow))) {
      best[key] = Math.max(best[key] ?? 0, ratio);
    }
    slow = Object.keys(best).filter((key) =>
      !(best[key]! >= recorded[key]! * ALLOWED)
    );
  }
  for (const [key, ratio] of Object.entries(best)) {
    console.log(
      `${slow.includes(key) ? "SLOW" : "ok"} ${key}: ${ratio.toFixed(3)}, ` +
        `recorded ${recorded[key] ?? "nothing"}`,
    );
  }
  if (slow.length > 0) {
    console.error(
      `${slow.length} operations are slower by more than a third than recorded in tests/bench/guard.json`,
    );
  }
  return slow.length;
}

const [mode, ...names] = Deno.args;
switch (mode) {
  case "--measure":
    console.log(JSON.stringify(await measure(names)));
    break;
  case "--record":
    await record();
    break;
  default:
    Deno.exitCode = await guard() > 0 ? 1 : 0;
}
