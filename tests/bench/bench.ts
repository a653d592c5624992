/**
 * Brine beside CPython and the JavaScript libraries, on the same data, in turn,
 * in one run: `deno task bench`. Times without the other side of the same run
 * are never compared. Each row has processes of its own, so that none begins
 * with a heap and a compiler that another has spoilt.
 *
 * @module
 */

import {
  json,
  JsonToPickleStream,
  pickle,
  PickleToJsonStream,
} from "../../mod.ts";
import { parseArgs } from "@std/cli/parse-args";

const CORPORA = [
  "records",
  "ints",
  "floats",
  "strings",
  "dicts",
  "int-keys",
  "nested",
  "text",
  "bytes",
  "small-50-B",
  "small-600-B",
  "small-3-kB",
];
const OPERATIONS = [
  "pickle.loads",
  "pickle.dumps",
  "json.loads",
  "json.dumps",
  "pickle>json",
  "json>pickle",
] as const;
type Operation = typeof OPERATIONS[number];

interface Contestant {
  name: string;
  /** Runs so many times; gives seconds. */
  time(times: number): Promise<number>;
}

/** A live CPython that waits for commands. */
class Python {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(executable: string) {
    this.#process = new Deno.Command(executable, {
      args: [new URL("python_side.py", import.meta.url).pathname],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  async ask(command: unknown): Promise<Record<string, unknown>> {
    await this.#writer.write(
      new TextEncoder().encode(JSON.stringify(command) + "\n"),
    );
    while (!this.#rest.includes("\n")) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error("Python has stopped");
      this.#rest += value;
    }
    const cut = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, cut);
    this.#rest = this.#rest.slice(cut + 1);
    return JSON.parse(line);
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#process.status;
  }
}

function findPython(): string | undefined {
  const named = (Deno.env.get("BRINE_PYTHONS") ?? "").split(":")
    .filter((path) => path !== "");
  for (const path of [...named.toReversed(), "python3.13", "python3"]) {
    try {
      const { stdout } = new Deno.Command(path, { args: ["--version"] })
        .outputSync();
      if (/ 3\.1[3-9]/.test(new TextDecoder().decode(stdout))) return path;
    } catch {
      // Not there: the next, perhaps.
    }
  }
  return undefined;
}

async function drain(
  bytes: Uint8Array<ArrayBuffer>,
  stream: TransformStream<Uint8Array, Uint8Array>,
): Promise<void> {
  let at = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += 65536));
    },
  });
  for await (const _ of source.pipeThrough(stream));
}

/** What to run for Brine, over and over. */
function prepare(
  operation: Operation,
  pickled: Uint8Array<ArrayBuffer>,
  text: string,
): () => unknown {
  switch (operation) {
    case "pickle.loads":
      return () => pickle.loads(pickled);
    case "pickle.dumps": {
      const value = pickle.loads(pickled, { floats: "exact" });
      return () => pickle.dumps(value);
    }
    case "json.loads":
      return () => json.loads(text);
    case "json.dumps": {
      const value = pickle.loads(pickled, { floats: "exact" });
      return () => json.dumps(value);
    }
    case "pickle>json":
      return () => drain(pickled, new PickleToJsonStream());
    case "json>pickle": {
      const bytes = new TextEncoder().encode(text);
      return () => drain(bytes, new JsonToPickleStream());
    }
  }
}

function local(name: string, run: () => unknown): Contestant {
  return {
    name,
    async time(times) {
      const start = performance.now();
      for (let i = 0; i < times; i++) {
        const result = run();
        if (result instanceof Promise) await result;
      }
      return (performance.now() - start) / 1000;
    },
  };
}

/** By name, so that a clone without them runs the rest. */
const PICKLEPARSER = "npm:pickleparser@0.2.1";
const JPICKLE = "npm:jpickle@0.4.1";
const STREAMPARSER = "npm:@streamparser/json-whatwg@0.0.22";

/** Other JavaScript libraries, where npm is reachable and they can read it. */
async function peers(
  operation: Operation,
  pickled: Uint8Array<ArrayBuffer>,
  text: string,
): Promise<Contestant[]> {
  const found: Contestant[] = [];
  async function add(name: string, make: () => Promise<() => unknown>) {
    try {
      const run = await make();
      const result = run();
      if (result instanceof Promise) await result;
      found.push(local(name, run));
    } catch {
      // Not reachable, or it cannot read this.
    }
  }
  if (operation === "json.loads") {
    found.push(local("JSON.parse", () => JSON.parse(text)));
    await add("streamparser", async () => {
      const { JSONParser } = await import(STREAMPARSER);
      return async () => {
        const values = ReadableStream.from([text])
          .pipeThrough(new JSONParser({ paths: ["$"] }));
        for await (const _ of values);
      };
    });
  }
  if (operation === "json.dumps") {
    const value = JSON.parse(text);
    found.push(local("JSON.stringify", () => JSON.stringify(value)));
  }
  if (operation === "pickle.loads") {
    await add("pickleparser", async () => {
      const { Parser } = await import(PICKLEPARSER);
      return () => new Parser().parse(pickled);
    });
    await add("jpickle (protocol 2)", async () => {
      const { default: jpickle } = await import(JPICKLE);
      const old = pickle.dumps(pickle.loads(pickled), { protocol: 2 });
      let latin1 = "";
      for (let at = 0; at < old.length; at += 4096) {
        latin1 += String.fromCharCode(...old.subarray(at, at + 4096));
      }
      return () => jpickle.loads(latin1);
    });
  }
  return found;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function cell(text: string, width: number): string {
  return text.padStart(width);
}

function duration(seconds: number): string {
  return seconds < 1e-3
    ? `${(seconds * 1e6).toFixed(2)} us`
    : `${(seconds * 1e3).toFixed(2)} ms`;
}

/** What a row is to measure. */
interface Task {
  executable: string;
  folder: string;
  operation: Operation;
  name: string;
  rounds: number;
  seconds: number;
  peers: boolean;
}

/** Times of one contestant, in seconds, a round each. */
interface Times {
  name: string;
  each: number[];
}

/** Measures a row. CPython comes first. */
async function measure(task: Task): Promise<Times[]> {
  const { operation, folder, name } = task;
  const python = new Python(task.executable);
  const pickled = await Deno.readFile(`${folder}/${name}.pkl`);
  const text = name === "bytes"
    ? ""
    : await Deno.readTextFile(`${folder}/${name}.json`);
  await python.ask({ op: operation, folder, name });
  const cpython: Contestant = {
    name: "CPython",
    time: async (times) => (await python.ask({ times })).seconds as number,
  };
  const contestants = [
    cpython,
    local("Brine", prepare(operation, pickled, text)),
    ...(task.peers ? await peers(operation, pickled, text) : []),
  ];
  // How often a round runs, so that it takes about as long as asked.
  const times = new Map<Contestant, number>();
  for (const one of contestants) {
    // Warm: compilers need to have seen the work, caches the data.
    await one.time(1);
    let once = await one.time(1);
    const warm = Math.max(3, Math.min(5000, Math.round(1 / once)));
    once = await one.time(warm) / warm;
    const count = Math.max(1, Math.round(task.seconds / once));
    times.set(one, Math.min(count, 100_000));
  }
  const results = contestants.map((one): Times => ({
    name: one.name,
    each: [],
  }));
  for (let round = 0; round < task.rounds; round++) {
    for (const [i, one] of contestants.entries()) {
      const count = times.get(one)!;
      results[i]!.each.push(await one.time(count) / count);
    }
  }
  await python.close();
  return results;
}

/** Measures a row in a process of its own. */
async function measureApart(task: Task): Promise<Times[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL(import.meta.url).pathname,
      `--task=${JSON.stringify(task)}`,
    ],
    stderr: "inherit",
  }).output();
  if (!success) {
    throw new Error(`${task.operation} of ${task.name} has failed`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["only", "corpus", "rounds", "scale", "seconds", "save", "task"],
    boolean: ["peers", "help"],
    negatable: ["peers"],
    default: { peers: true, rounds: "7", scale: "1", seconds: "0.25" },
  });
  if (args.help) {
    console.log(
      "deno task bench [--only=pickle.loads,…] [--corpus=records,…] [--rounds=7] [--scale=1] [--no-peers] [--save=FILE]",
    );
    return 0;
  }
  if (args.task !== undefined) {
    console.log(JSON.stringify(await measure(JSON.parse(args.task))));
    return 0;
  }
  const executable = findPython();
  if (executable === undefined) {
    console.error(
      "There is no CPython 3.13 here (BRINE_PYTHONS or PATH): nothing to compare with.",
    );
    return 1;
  }
  const operations = args.only === undefined
    ? OPERATIONS
    : OPERATIONS.filter((name) => args.only.split(",").includes(name));
  const corpora = args.corpus === undefined
    ? CORPORA
    : CORPORA.filter((name) => args.corpus.split(",").includes(name));
  const folder = await Deno.makeTempDir({ prefix: "brine-bench-" });
  const made = await new Deno.Command(executable, {
    args: [
      new URL("corpora.py", import.meta.url).pathname,
      folder,
      args.scale,
    ],
  }).output();
  if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));

  const saved: Record<string, number> = {};
  for (const operation of operations) {
    console.log(
      `\n${operation}: CPython's time divided by each one's; above 1 is faster`,
    );
    const large: number[] = [];
    const small: number[] = [];
    for (const name of corpora) {
      if (name === "bytes" && !operation.startsWith("pickle.")) continue;
      const [cpython, ...others] = await measureApart({
        executable,
        folder,
        operation,
        name,
        rounds: Number(args.rounds),
        seconds: Number(args.seconds),
        peers: args.peers,
      });
      const base = cpython!.each;
      const parts = [name.padEnd(12), cell(duration(median(base)), 12)];
      for (const one of others) {
        const each = one.each.map((seconds, round) => base[round]! / seconds);
        const ratio = median(each);
        if (one.name === "Brine") {
          (name.startsWith("small") ? small : large).push(ratio);
          saved[`${operation} ${name}`] = ratio;
        }
        parts.push(
          cell(
            `${one.name} ${ratio.toFixed(2)} (${Math.min(...each).toFixed(2)}-${
              Math.max(...each).toFixed(2)
            })`,
            32,
          ),
        );
      }
      console.log(parts.join(" "));
    }
    const means: string[] = [];
    for (
      const [kind, ratios] of [["large", large], ["small", small]] as const
    ) {
      if (ratios.length === 0) continue;
      const mean = Math.exp(
        ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) /
          ratios.length,
      );
      saved[`${operation} mean of ${kind}`] = mean;
      means.push(`${kind} ${mean.toFixed(2)}`);
    }
    console.log(`geometric mean of Brine: ${means.join(", ")}`);
  }
  await Deno.remove(folder, { recursive: true });
  if (args.save) {
    await Deno.writeTextFile(args.save, JSON.stringify(saved, null, 2) + "\n");
  }
  return 0;
}

Deno.exit(await main());
