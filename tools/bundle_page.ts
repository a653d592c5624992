/**
 * Makes `lib/serve/bundle.ts`: the worker of the page, with all of the library
 * in one script. `deno task page` runs it.
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

if (import.meta.main) {
  const script = await bundle();
  await Deno.writeTextFile(
    `${root}/lib/serve/bundle.ts`,
    `/**
 * The worker of the page in one script, made by \`deno task page\` of
 * \`page_worker.ts\`. Do not edit it.
 *
 * @module
 */

/** The script. */
export const BUNDLE: string =
  ${JSON.stringify(script)};
`,
  );
  // As deno fmt --check wants it.
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "lib/serve/bundle.ts"],
    cwd: root,
  }).output();
  console.log(`lib/serve/bundle.ts: ${script.length} bytes of script`);
}
