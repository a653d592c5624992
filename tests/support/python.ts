/**
 * Live Pythons that answer questions: those that BRINE_PYTHONS names, paths
 * with colons between.
 *
 * @module
 */

import type { FixtureOptions, Node } from "./fixtures.ts";

/** What Python raised. */
export class PythonError extends Error {
  /** Python's class, as `UnpicklingError`. */
  readonly type: string;
  /** The attributes of a JSONDecodeError. */
  readonly details: Record<string, unknown>;

  constructor(answer: Record<string, unknown>) {
    super(`${answer.error}: ${answer.message}`);
    this.type = String(answer.error);
    this.details = answer;
  }
}

/** A Python process that runs as long as it is asked. */
export class Python implements AsyncDisposable {
  /** As `3.13`. */
  readonly version: string;
  #child: Deno.ChildProcess;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  private constructor(child: Deno.ChildProcess, version: string) {
    this.version = version;
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /**
   * Starts a Python.
   *
   * @param executable Its path.
   * @param version Its version, as `3.13`.
   * @returns The process.
   */
  static start({ executable, version }: Executable): Python {
    const script = new URL("oracle.py", import.meta.url);
    const child = new Deno.Command(executable, {
      args: ["-B", decodeURIComponent(script.pathname)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      env: { PYTHONHASHSEED: "0", PYTHONIOENCODING: "utf-8" },
    }).spawn();
    return new Python(child, version);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.cancel();
    await this.#child.status;
  }

  /**
   * Asks.
   *
   * @param request `op` and what else it wants: see oracle.py.
   * @returns The answer.
   * @throws {PythonError} When Python raised.
   */
  // deno-lint-ignore no-explicit-any
  async ask(request: { op: string; [field: string]: unknown }): Promise<any> {
    // Lone surrogates must arrive, so that only ASCII travels.
    const line = JSON.stringify(request).replace(
      /[^ -~]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    const answer = JSON.parse(await this.#line());
    if ("error" in answer) throw new PythonError(answer);
    return answer.ok;
  }

  async #line(): Promise<string> {
    const parts: string[] = [this.#rest];
    let end = this.#rest.indexOf("\n");
    while (end < 0) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("Python ended");
      parts.push(value);
      end = value.indexOf("\n");
    }
    const text = parts.join("");
    end = text.indexOf("\n");
    this.#rest = text.slice(end + 1);
    return text.slice(0, end);
  }

  /** Loads a pickle and describes the value. */
  describe(bytes: Uint8Array, options?: FixtureOptions): Promise<Node> {
    return this.ask({ op: "describe", data: bytes.toBase64(), options });
  }

  /** Loads many pickles; what is refused gives its error in place. */
  describeMany(
    many: { bytes: Uint8Array; options?: FixtureOptions }[],
  ): Promise<({ ok: Node } | { error: string; message: string })[]> {
    return this.ask({
      op: "describe_many",
      many: many.map(({ bytes, options }) => ({
        data: bytes.toBase64(),
        options,
      })),
    });
  }

  /** Pickles the value of a pickle again. */
  async dumps(
    bytes: Uint8Array,
    options: { protocol: number; pure?: boolean; options?: FixtureOptions },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const data = await this.ask({
      op: "dumps",
      data: bytes.toBase64(),
      ...options,
    });
    return Uint8Array.fromBase64(data);
  }

  /** Pickles an expression, as `{1: [2]}`. */
  async pickle(
    code: string,
    options: { protocol: number; setup?: string },
  ): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8Array.fromBase64(
      await this.ask({ op: "eval", code, ...options }),
    );
  }

  /** The text of `pickletools.dis`. */
  dis(bytes: Uint8Array, annotate = 0): Promise<string> {
    return this.ask({ op: "dis", data: bytes.toBase64(), annotate });
  }

  /** What `pickletools.optimize` makes. */
  async optimize(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8Array.fromBase64(
      await this.ask({ op: "optimize", data: bytes.toBase64() }),
    );
  }

  /** What `json.dumps` writes for the value of a pickle. */
  jsonDumps(
    bytes: Uint8Array,
    kwargs?: Record<string, unknown>,
  ): Promise<string> {
    return this.ask({ op: "json_dumps", data: bytes.toBase64(), kwargs });
  }

  /** Describes what `json.loads` gives. */
  jsonLoads(
    input: string | Uint8Array,
    kwargs?: Record<string, unknown>,
  ): Promise<Node> {
    return this.ask({
      op: "json_loads",
      ...typeof input === "string"
        ? { text: input }
        : { bytes: input.toBase64() },
      kwargs,
    });
  }
}

interface Executable {
  executable: string;
  version: string;
}

let executables: Promise<Executable[]> | undefined;

async function versions(): Promise<Executable[]> {
  const paths = (Deno.env.get("BRINE_PYTHONS") ?? "").split(":")
    .filter((path) => path !== "");
  return await Promise.all(paths.map(async (executable) => {
    const { stdout } = await new Deno.Command(executable, {
      args: ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
    }).output();
    return { executable, version: new TextDecoder().decode(stdout).trim() };
  }));
}

/** Whether there is a live Python at all: `Deno.test({ ignore: !hasPython })`. */
export const hasPython: boolean = !!Deno.env.get("BRINE_PYTHONS");

/**
 * Runs a test with a live Python.
 *
 * @param version As `3.13`.
 * @param body The test; not run where there is no such Python.
 * @returns Whether it was run.
 */
export async function withPython(
  version: string,
  body: (python: Python) => Promise<void>,
): Promise<boolean> {
  executables ??= versions();
  const found = (await executables).find((one) => one.version === version);
  if (found === undefined) return false;
  const python = Python.start(found);
  // Not `await using`, which some runtimes of tests/runtimes do not read.
  try {
    await body(python);
  } finally {
    await python[Symbol.asyncDispose]();
  }
  return true;
}

/**
 * The versions at hand.
 *
 * @returns As `["2.7", "3.13"]`, the oldest first.
 */
export async function pythonVersions(): Promise<string[]> {
  executables ??= versions();
  return (await executables).map(({ version }) => version).sort((a, b) =>
    Number(a.split(".")[0]) - Number(b.split(".")[0]) ||
    Number(a.split(".")[1]) - Number(b.split(".")[1])
  );
}
