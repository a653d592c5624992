/**
 * Feeds made-up input through every door: `deno task fuzz --runs 1000000`;
 * `deno task fuzz --help` says what else can be asked for.
 */

import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { findPython, sharedCorpus } from "../pickle/dis_support.ts";
import { Finding, jsonDoors, pickleDoors } from "./doors.ts";
import { changes, cuts, varied } from "./exhaustive.ts";
import {
  type Input,
  madeUp,
  type RandomKind,
  seeds,
  SHARES,
} from "./inputs.ts";
import { PythonOracle } from "./python_oracle.ts";
import { Random } from "./random.ts";

const HELP = `\
deno task fuzz [options]: feeds made-up input through every door. Where a door
throws what it should not, takes too long or too much, or differs from the
others, tells the input in base64, and exits with status 1.

  --runs=N      so many inputs at random
  --seconds=N   for so long (60 where neither is said)
  --seed=N      the same inputs again; told at the start
  --kind=NAME   of one kind alone: ${Object.keys(SHARES).join(", ")}
  --changes     no random inputs: every change of one byte of 100 small pickles
  --cuts        no random inputs: every beginning of every pickle below 4 kB,
                those of ../shared/corpus too if there are any
  --tell=N      so many findings of each kind (3)
  --no-python   not beside CPython 3.13, if BRINE_PYTHONS names one
`;

export interface FuzzOptions {
  seconds: number;
  /** Of a live CPython. */
  python?: string | undefined;
  /** How many findings of a kind are told. */
  tell?: number;
  /** The longest an input may take, in milliseconds. */
  slow?: number;
  /** Hears of findings, and of every ten thousandth run, at once. */
  log?: (line: string) => void;
}

export interface FuzzResult {
  runs: number;
  accepted: number;
  compared: number;
  /** In milliseconds. */
  slowest: number;
  findings: { kind: string; base64: string; message: string; run: number }[];
  kinds: Record<string, number>;
}

/** How much memory an input may take, whatever it is, and for each byte. */
const ROOM = 67_108_864;
const PER_BYTE = 4096;

function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Milliseconds that this process, not another one, has kept a processor. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Takes inputs through the doors, and tells what must not be. */
export async function fuzz(
  inputs: Iterable<Input>,
  options: FuzzOptions,
): Promise<FuzzResult> {
  const { seconds, tell = 3, slow = 1000 } = options;
  const result: FuzzResult = {
    runs: 0,
    accepted: 0,
    compared: 0,
    slowest: 0,
    findings: [],
    kinds: {},
  };
  const oracle = options.python === undefined
    ? undefined
    : new PythonOracle(options.python);
  const start = performance.now();
  const base = Deno.memoryUsage().rss;

  function report(error: unknown, bytes: Uint8Array, run: number): void {
    const kind = error instanceof Finding ? error.kind : "crash";
    result.kinds[kind] = (result.kinds[kind] ?? 0) + 1;
    if (result.kinds[kind] > tell) return;
    const message = error instanceof Error
      ? (error instanceof Finding ? error.message : error.stack) ?? ""
      : String(error);
    const base64 = bytes.toBase64();
    result.findings.push({ kind, base64, message, run });
    options.log?.(
      `\nrun ${run}, ${kind}\n  ${base64}\n${message.slice(0, 2000)}`,
    );
  }

  let batch = 0;
  for (const { bytes, json = false } of inputs) {
    if (performance.now() - start > seconds * 1000) break;
    const run = result.runs;
    const random = new Random(run);
    const doors = {
      size: () => 1 + random.below(7),
      streams: random.once(50),
      texts: true,
    };
    // Asking for the processor's time takes time itself.
    if (run % 100 === 0) batch = processorTime();
    const held = run % 10 === 0 ? memory() : NaN;
    const begun = performance.now();
    try {
      const outcome = await (json ? jsonDoors : pickleDoors)(
        bytes,
        doors,
      );
      if (!outcome.includes("Error ")) result.accepted++;
    } catch (error) {
      report(error, bytes, run);
    }
    let taken = performance.now() - begun;
    // All doors together, with what they leave for the collector.
    if (held > 0 && memory() - held > ROOM + PER_BYTE * bytes.length) {
      const grown = Math.round((memory() - held) / 1e6);
      report(new Finding("memory", `${grown} MB more`), bytes, run);
    }
    if (taken > slow) taken = Math.min(taken, processorTime() - batch);
    result.slowest = Math.max(result.slowest, taken);
    if (taken > slow) {
      report(new Finding("slow", `${Math.round(taken)} ms`), bytes, run);
    }
    if (oracle !== undefined) {
      oracle.add(bytes, json);
      if (oracle.size >= 2000) {
        for (const { bytes, message } of await oracle.ask()) {
          report(new Finding("CPython differs", message), bytes, run);
        }
      }
    }
    result.runs++;
    if (run % 10_000 === 9999) {
      const seconds = Math.round((performance.now() - start) / 1000);
      options.log?.(`${result.runs} inputs, ${seconds} s`);
    }
    if (run % 1000 === 999) {
      const grown = Deno.memoryUsage().rss - base;
      if (grown > 1.5e9) {
        report(new Finding("memory", `${grown} bytes more`), bytes, run);
        break;
      }
    }
  }
  if (oracle !== undefined) {
    for (const { bytes, message } of await oracle.ask()) {
      report(new Finding("CPython differs", message), bytes, result.runs);
    }
    result.compared = oracle.compared;
    await oracle.close();
  }
  return result;
}

/** The inputs that are asked for, and what is said of them. */
async function inputsFor(
  args: { seed: number; runs: number; kind?: string | undefined } & {
    changes: boolean;
    cuts: boolean;
  },
): Promise<[Iterable<Input>, string]> {
  if (args.changes || args.cuts) {
    const found: Iterable<Input>[] = [];
    const said: string[] = [];
    if (args.changes) {
      const pickles = varied(await seeds(), 100);
      found.push(changes(pickles));
      said.push(`every change of one byte of ${pickles.length} pickles`);
    }
    if (args.cuts) {
      const files = await seeds(4096);
      const fixtures = files.length;
      for (const { bytes } of sharedCorpus()) {
        if (bytes.length < 4096) files.push(bytes);
      }
      found.push(cuts(files));
      said.push(
        `every beginning of ${fixtures} fixtures and ${
          files.length - fixtures
        } files`,
      );
    }
    return [found.values().flatMap((inputs) => inputs), said.join(", ")];
  }
  const { seed, runs, kind } = args;
  if (kind !== undefined && !Object.hasOwn(SHARES, kind)) {
    throw new TypeError(`no kind ${kind}: ${Object.keys(SHARES).join(", ")}`);
  }
  const pickles = await seeds();
  return [
    madeUp(seed, runs, { pickles, kind: kind as RandomKind | undefined }),
    `seed ${seed}${kind === undefined ? "" : `, ${kind} alone`}`,
  ];
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: ["seed", "runs", "seconds", "tell", "kind"],
    boolean: ["no-python", "changes", "cuts", "help"],
  });
  if (args.help) {
    console.log(HELP);
    Deno.exit();
  }
  const [inputs, said] = await inputsFor({
    seed: Number(args.seed ?? Date.now() % 2 ** 31),
    runs: Number(args.runs ?? Infinity),
    kind: args.kind,
    changes: args.changes,
    cuts: args.cuts,
  });
  const python = args["no-python"] ? undefined : await findPython("3.13");
  console.log(`${said}${python ? ", beside CPython" : ""}`);
  const bounded = args.runs !== undefined || args.changes || args.cuts;
  const start = performance.now();
  const result = await fuzz(inputs, {
    seconds: Number(args.seconds ?? (bounded ? Infinity : 60)),
    tell: Number(args.tell ?? 3),
    python,
    log: console.log,
  });
  console.log(
    `${said}: ${result.runs} inputs in ${
      Math.round((performance.now() - start) / 1000)
    } s, ${result.accepted} accepted, ${result.compared} compared with CPython, slowest ${
      Math.round(result.slowest)
    } ms, ${Math.round(Deno.memoryUsage().rss / 1e6)} MB; findings: ${
      JSON.stringify(result.kinds)
    }`,
  );
  if (Object.keys(result.kinds).length > 0) Deno.exit(1);
}
