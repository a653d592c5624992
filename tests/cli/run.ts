/** Runs the command line tool as a person would, in a folder of its own. */

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** What a command did. */
export interface Outcome {
  code: number;
  stdout: string;
  bytes: Uint8Array;
  stderr: string;
}

/** A folder that goes when the test ends. */
export class Folder {
  readonly path: string = Deno.makeTempDirSync({ prefix: "brine test " });

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  write(name: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    Deno.writeFileSync(this.at(name), bytes);
  }

  read(name: string): Uint8Array<ArrayBuffer> {
    return Deno.readFileSync(this.at(name));
  }

  text(name: string): string {
    return Deno.readTextFileSync(this.at(name));
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  /** Starts a command. */
  spawn(
    args: readonly string[],
    options: { permissions?: string[] } = {},
  ): Deno.ChildProcess {
    const { permissions = ["-RW"] } = options;
    return new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--quiet",
        `--config=${CONFIG}`,
        ...permissions,
        CLI,
        ...args,
      ],
      cwd: this.path,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a command to its end. */
  async run(
    args: readonly string[],
    options: { input?: string | Uint8Array; permissions?: string[] } = {},
  ): Promise<Outcome> {
    const { input = new Uint8Array(0), ...rest } = options;
    const process = this.spawn(args, rest);
    // What hangs is a failure, not a test run without an end.
    const timer = setTimeout(() => process.kill("SIGKILL"), 60_000);
    const writer = process.stdin.getWriter();
    const bytes = typeof input === "string"
      ? new TextEncoder().encode(input)
      : input;
    const writing = writer.write(bytes).then(() => writer.close())
      .catch(() => {});
    const output = await process.output();
    clearTimeout(timer);
    await writing;
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      bytes: output.stdout,
      stderr: decoder.decode(output.stderr),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** The bytes of a text in base 64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

/** Compresses. */
export async function gzip(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export { join } from "../support/chunks.ts";
