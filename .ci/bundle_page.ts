/**
 * Makes `lib/serve/bundle.ts`: the worker of the page, with all of the library
 * in one script: `deno task page`. With `--check` it only tells whether
 * that is as it would be made now.
 *
 * @module
 */

const root = new URL("..", import.meta.url).pathname;

/** The script. */
export async function bundle(): Promise<string> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--minify",
      "--platform=browser",
      "lib/serve/page_worker.ts",
    ],
    cwd: root,
    stderr: "inherit",
  }).output();
  if (!output.success) throw new Error("deno bundle failed");
  return new TextDecoder().decode(output.stdout);
}

/** The module that holds the script. */
function moduleOf(script: string): string {
  return `/**
 * The worker of the page in one script, made by \`deno task page\` of
 * \`page_worker.ts\`. Do not edit it.
 *
 * @module
 */

/** The script. */
export const BUNDLE: string =
  ${JSON.stringify(script)};
`;
}

if (import.meta.main) {
  const path = `${root}/lib/serve/bundle.ts`;
  const script = await bundle();
  const text = moduleOf(script);
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(path, text);
    console.log(`lib/serve/bundle.ts: ${script.length} bytes of script`);
  } else if (await Deno.readTextFile(path) !== text) {
    console.error(
      "The page's copy of the library is older than the library: run deno task page.",
    );
    Deno.exit(1);
  }
}
