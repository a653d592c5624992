/**
 * Feeds made-up input through every door: `deno task fuzz --runs 1000000`.
 *
 * Exit status 1 and the input in base64 where a door throws what it should
 * not, hangs, or differs from the others.
 */

import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { findPython } from "../pickle/dis_support.ts";
import { Finding, jsonDoors, pickleDoors } from "./doors.ts";
import { jsonSoup, mutated, opcodeSoup, seeds } from "./inputs.ts";
import { PythonOracle } from "./python_oracle.ts";
import { Random } from "./random.ts";

const KINDS = ["mutated", "soup", "json"] as const;

export interface FuzzOptions {
  seed: number;
  runs: number;
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

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, runs, seconds, tell = 3, slow = 1000 } = options;
  const all = await seeds();
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
  for (let run = 0; run < runs; run++) {
    if (performance.now() - start > seconds * 1000) break;
    // Each input by its own seed, so that one can be made again alone.
    const random = new Random(seed + run * 0x9e3779b1);
    const kind = KINDS[random.below(5) < 2 ? 0 : random.below(3) < 2 ? 1 : 2];
    const bytes = kind === "mutated"
      ? mutated(random, all)
      : kind === "soup"
      ? opcodeSoup(random)
      : jsonSoup(random);
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
      const outcome = await (kind === "json" ? jsonDoors : pickleDoors)(
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
      oracle.add(bytes, kind === "json");
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

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: ["seed", "runs", "seconds", "tell"],
    boolean: ["no-python"],
  });
  const seed = Number(args.seed ?? Date.now() % 2 ** 31);
  const python = args["no-python"] ? undefined : await findPython("3.13");
  console.log(`seed ${seed}${python ? ", beside CPython" : ""}`);
  const start = performance.now();
  const result = await fuzz({
    seed,
    runs: Number(args.runs ?? Infinity),
    seconds: Number(args.seconds ?? (args.runs ? Infinity : 60)),
    tell: Number(args.tell ?? 3),
    python,
    log: console.log,
  });
  console.log(
    `${result.runs} inputs in ${
      Math.round((performance.now() - start) / 1000)
    } s, ${result.accepted} accepted, ${result.compared} compared with CPython, slowest ${
      Math.round(result.slowest)
    } ms, ${Math.round(Deno.memoryUsage().rss / 1e6)} MB; findings: ${
      JSON.stringify(result.kinds)
    }`,
  );
  if (Object.keys(result.kinds).length > 0) Deno.exit(1);
}
