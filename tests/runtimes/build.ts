/**
 * Makes scripts of the suites that run without Deno.
 *
 * @module
 */

import { pathOf, urlOf } from "./support.ts";

const root = new URL("../../", import.meta.url);

/** Folders of the library's tests that need no Deno. */
const FOLDERS = ["bytes", "streams", "python", "json", "pickle", "transcode"];

/** The files of tests in them, by their paths in tests/. */
async function testFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    for await (
      const { name } of Deno.readDir(new URL(`tests/${folder}`, root))
    ) {
      if (name.endsWith("_test.ts")) found.push(`${folder}/${name}`);
    }
  }
  return found.sort();
}

/**
 * Makes one script of a module and all it imports.
 *
 * @param entry The module.
 * @param output Where the script goes.
 * @returns Whether it could: Deno fetches the bundler from npm.
 */
export async function bundle(
  entry: string | URL,
  output: string,
): Promise<boolean> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=browser",
      `--config=${pathOf(new URL("deno.json", root))}`,
      `--output=${output}`,
      pathOf(new URL(entry, root)),
    ],
    cwd: pathOf(root),
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) console.error(new TextDecoder().decode(stderr).trim());
  return success;
}

/**
 * Makes the scripts.
 *
 * @param folder Where they go.
 * @param options `own`: the library's own tests too.
 * @returns Whether it could.
 */
export async function build(
  folder: string,
  options: { own?: boolean } = {},
): Promise<boolean> {
  // Node would look for one further up.
  await Deno.writeTextFile(`${folder}/package.json`, '{"type": "module"}\n');
  const own = new URL("tests/runtimes/own_tests.ts", root).href;
  const imports = (await testFiles()).map((path) => {
    const url = new URL(`tests/${path}`, root).href;
    return `  [${JSON.stringify(path)}, () => import(${
      JSON.stringify(url)
    })],\n`;
  });
  await Deno.writeTextFile(
    `${folder}/own_entry.ts`,
    `import { ownTests } from ${JSON.stringify(own)};
const tests = [
${imports.join("")}];
export const suite = (files, options) => ownTests(files, tests, options);
`,
  );
  return await bundle("mod.ts", `${folder}/brine.js`) &&
    await bundle(
      "tests/runtimes/worker/decode_worker.ts",
      `${folder}/worker.js`,
    ) &&
    await bundle(
      "tests/runtimes/worker/main.ts",
      `${folder}/worker_main.js`,
    ) &&
    await bundle("tests/runtimes/suite.ts", `${folder}/suite.js`) &&
    (options.own !== true ||
      await bundle(urlOf(`${folder}/own_entry.ts`), `${folder}/own.js`) &&
        await bundle(
          "tests/runtimes/node_crypto.ts",
          `${folder}/node_crypto.js`,
        ));
}
