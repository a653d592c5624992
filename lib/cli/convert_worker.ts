/**
 * A worker of `brine convert --jobs`.
 *
 * @module
 */

import { convertSource } from "./convert_source.ts";
import { explain, FileError } from "./errors.ts";
import type { WorkerAnswer, WorkerJob } from "./jobs.ts";
import { gzip, openPlace } from "./output.ts";

const scope = globalThis as unknown as {
  onmessage: (event: { data: WorkerJob }) => void;
  postMessage(answer: WorkerAnswer): void;
};

scope.onmessage = async ({ data: job }) => {
  let read = 0;
  let total = 0;
  try {
    await convertSource(job, {
      async openSink(compress) {
        const sink = await openPlace(job.place);
        return compress ? gzip(sink) : sink;
      },
      onBytes(count) {
        read += count;
        total += count;
        // A message now and then is enough for a bar.
        if (read < 4_000_000) return;
        scope.postMessage({ kind: "bytes", count: read });
        read = 0;
      },
      onPass() {
        scope.postMessage({ kind: "pass", count: total - read });
        read = total = 0;
      },
    });
    scope.postMessage({ kind: "bytes", count: read });
    scope.postMessage({ kind: "done" });
  } catch (error) {
    const named = error instanceof FileError
      ? error
      : new FileError(job.source.name, error);
    scope.postMessage({ kind: "done", error: explain(named) });
  }
};
