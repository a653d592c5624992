/**
 * What came of a suite.
 *
 * @module
 */

/** The files of tests/fixtures, by their paths there. */
export type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** How many checks did what. */
export interface Outcome {
  /** How many did well. */
  passed: number;
  /** How many did not. */
  failed: number;
  /** How many need what a runtime has not. */
  skipped: number;
  /** What went wrong, the first hundred. */
  failures: string[];
}

/** Counts checks. */
export class Tally implements Outcome {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly failures: string[] = [];

  /** Runs a check. */
  async check(name: string, run: () => unknown): Promise<void> {
    try {
      await run();
      this.passed++;
    } catch (error) {
      this.fail(name, error);
    }
  }

  /** Notes a failure. */
  fail(name: string, error: unknown): void {
    this.failed++;
    if (this.failures.length === 100) return;
    // Some runtimes' stacks begin with the message, and some have none of it.
    const { stack = "" } = error as { stack?: string };
    const said = String(error);
    const text = stack.startsWith(said) ? stack : `${said}\n${stack}`;
    this.failures.push(`${name}: ${text.slice(0, 1500)}`);
  }

  /** What is sent and shown: a plain object. */
  toJSON(): Outcome {
    const { passed, failed, skipped, failures } = this;
    return { passed, failed, skipped, failures };
  }
}

/** Unpacks a file of the fixtures. */
export async function unpacked(files: Files, path: string): Promise<string> {
  const bytes = files[path];
  if (bytes === undefined) throw new Error(`${path} was not given`);
  if (!path.endsWith(".gz")) return new TextDecoder().decode(bytes);
  const stream = new Blob([bytes]).stream();
  return await new Response(
    stream.pipeThrough(new DecompressionStream("gzip")),
  ).text();
}

/** The JSON values of a file of lines. */
export async function linesOf<T>(files: Files, path: string): Promise<T[]> {
  const text = await unpacked(files, path);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}
