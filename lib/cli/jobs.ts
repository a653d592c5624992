/**
 * Conversions of files, one here or many on workers.
 *
 * @module
 */

import { ensureDir } from "@std/fs";
import { convertSource } from "./convert_source.ts";
import type { Conversion } from "./conversion.ts";
import { complain, explain, FileError, isClosedPipe } from "./errors.ts";
import type { Source } from "./input.ts";
import {
  findPlace,
  forgetPlace,
  openSink,
  type Place,
  watchSignals,
} from "./output.ts";
import { Progress } from "./progress.ts";
import { plural } from "./text.ts";

/** One file to convert. */
export interface Job {
  /** What is read. */
  source: Source;
  /** Where the result goes; undefined or `-` for standard output. */
  output: string | undefined;
  /** How it is converted. */
  conversion: Conversion;
  /** Whether the folder of the output is made where it is missing. */
  folder?: boolean;
}

/** A {@linkcode Job} for a worker. */
export interface WorkerJob extends Job {
  /** Where it is written. */
  place: Place;
}

/** What a worker answers. */
export type WorkerAnswer =
  | { kind: "bytes" | "pass"; count: number }
  | { kind: "done"; error?: string };

/**
 * Runs jobs.
 *
 * @param jobs The jobs.
 * @param options How many at once.
 * @returns The exit status.
 */
export async function runJobs(
  jobs: readonly Job[],
  options: { jobs: number },
): Promise<number> {
  const [only] = jobs;
  // Nothing is left half-written on standard output, so a signal may end us.
  if (jobs.length === 1 && only !== undefined) {
    if ((only.output ?? "-") === "-") {
      await runHere(only);
      return 0;
    }
  }
  const unwatch = watchSignals();
  try {
    return await runMany(jobs, options.jobs);
  } finally {
    unwatch();
  }
}

async function runHere(job: Job): Promise<void> {
  const bar = await startProgress([job], job.source.name);
  try {
    await convertHere(job, bar);
  } finally {
    bar?.clear();
  }
}

async function convertHere(
  job: Job,
  bar: Progress | undefined,
): Promise<undefined> {
  await makeFolder(job);
  let read = 0;
  await convertSource(job, {
    openSink: (gzip) => openSink(job.output, { gzip }),
    onBytes(count): void {
      read += count;
      bar?.add(count);
    },
    onPass(): void {
      bar?.restart(read);
      read = 0;
    },
  });
}

const WORKER = new URL("./convert_worker.ts", import.meta.url);

/** A worker's own file must be readable; few permissions may leave it out. */
async function mayStartWorkers(): Promise<boolean> {
  if (WORKER.protocol !== "file:") return true;
  const { state } = await Deno.permissions.query({
    name: "read",
    path: WORKER,
  });
  return state === "granted";
}

/** Only what `--out-dir` names is made; a mistyped `-o` is an error. */
async function makeFolder({ output, folder }: Job): Promise<void> {
  if (!folder || output === undefined) return;
  await ensureDir(output.slice(0, output.lastIndexOf("/")));
}

async function startProgress(
  jobs: readonly Job[],
  label: string,
): Promise<Progress | undefined> {
  if (!Deno.stderr.isTerminal()) return undefined;
  let total: number | undefined = 0;
  for (const { source } of jobs) {
    const info = source.path === undefined
      ? undefined
      : await Deno.stat(source.path).catch(() => undefined);
    total = total === undefined || !info?.isFile
      ? undefined
      : total + info.size;
  }
  return new Progress(label, total);
}

async function runMany(jobs: readonly Job[], count: number): Promise<number> {
  const bar = await startProgress(
    jobs,
    jobs.length === 1 ? jobs[0]!.source.name : plural(jobs.length, "file"),
  );
  let failed = 0;
  let next = 0;

  async function takeJobs(convert: Converter): Promise<void> {
    while (next < jobs.length) {
      const job = jobs[next++]!;
      try {
        const error = await convert(job);
        if (error === undefined) continue;
        bar?.clear();
        complain(`brine convert: ${error}`);
      } catch (error) {
        if (isClosedPipe(error)) throw error;
        bar?.clear();
        const named = error instanceof FileError
          ? error
          : new FileError(job.source.name, error);
        complain(`brine convert: ${explain(named)}`);
      }
      failed++;
    }
  }

  // On workers, one too, so that a signal is heard while they are busy.
  const hands = Math.min(count, jobs.length);
  try {
    if (!await mayStartWorkers()) {
      await takeJobs((job) => convertHere(job, bar));
    } else {await Promise.all(Array.from({ length: hands }, async () => {
        using worker = new Hand();
        await takeJobs((job) => worker.convert(job, bar));
      }));}
  } finally {
    bar?.clear();
  }
  if (failed > 0 && jobs.length > 1) {
    complain(
      `brine convert: ${failed} of ${
        plural(jobs.length, "file")
      } could not be converted`,
    );
  }
  return failed > 0 ? 1 : 0;
}

type Converter = (job: Job) => Promise<string | undefined>;

/** A worker, and the one job that it has. */
class Hand {
  readonly #worker: Worker;

  constructor() {
    this.#worker = new Worker(
      // Said once more, so that tools that look for workers find it.
      new URL("./convert_worker.ts", import.meta.url),
      { type: "module" },
    );
  }

  async convert(
    job: Job,
    bar: Progress | undefined,
  ): Promise<string | undefined> {
    await makeFolder(job);
    // Here, so that a signal takes away what a worker leaves half-written.
    const place = await findPlace(job.output!);
    try {
      return await new Promise((resolve, reject) => {
        this.#worker.onmessage = ({ data }: { data: WorkerAnswer }) => {
          if (data.kind === "done") resolve(data.error);
          else if (data.kind === "pass") bar?.restart(data.count);
          else bar?.add(data.count);
        };
        this.#worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        this.#worker.postMessage({ ...job, place } satisfies WorkerJob);
      });
    } finally {
      forgetPlace(place);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
