/** Bundles for other runtimes, and what these are. */

const root = new URL("../..", import.meta.url).pathname;

/** A module and all it imports as one script; undefined where none is made. */
export async function bundle(
  entry: string,
): Promise<string | undefined> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=browser", entry],
    cwd: root,
    stderr: "piped",
  }).output();
  // Deno before 2.4 has no bundler, and it fetches its engine from npm.
  if (!output.success) return undefined;
  return new TextDecoder().decode(output.stdout);
}

/** Whether a program is there. */
export async function has(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** The fixtures' file, unpacked. */
export async function fixtureLines(): Promise<string> {
  const url = new URL("../fixtures/values.jsonl.gz", import.meta.url);
  const packed = new Blob([await Deno.readFile(url)]);
  return await new Response(
    packed.stream().pipeThrough(new DecompressionStream("gzip")),
  ).text();
}

/** Where Chromium is. */
export const CHROMIUM: string = Deno.env.get("BRINE_CHROMIUM") ?? "chromium";
/** Where Bun is. */
export const BUN: string = Deno.env.get("BRINE_BUN") ?? "bun";
