/**
 * A small part of what `deno task runtimes` does, in the runtimes that are
 * here; with BRINE_RUNTIMES=all, in those of npm too.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { build } from "./build.ts";
import { RUNTIMES } from "./runners.ts";
import { urlOf } from "./support.ts";
import { tryWorker } from "./worker/main.ts";

const folder = await Deno.makeTempDir();
// Deno fetches its bundler from npm, which may not be in reach.
const built = await build(folder);
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const all = Deno.env.get("BRINE_RUNTIMES") === "all";

for (const runtime of RUNTIMES) {
  const here = built && (all || !runtime.remote) &&
    runtime.name !== "deno" &&
    (all || runtime.name !== "firefox") &&
    await runtime.version() !== undefined;
  Deno.test({
    name: `the library does in ${runtime.name} what it does in Deno`,
    ignore: !here,
    async fn() {
      const share = 0.02;
      const outcome = await runtime.run({
        folder,
        script: "suite.js",
        options: { share, seed: 7 },
      });
      assertEquals(outcome.failures, []);
      assertEquals(outcome.failed, 0);
      assert(outcome.passed > 500, `only ${outcome.passed} checks`);
      if (/^(chromium|firefox)$/.test(runtime.name)) {
        const { failures } = await runtime.run({ folder, script: "worker.js" });
        assertEquals(failures, []);
      }
    },
  });
}

Deno.test({
  name: "a worker reads pickles",
  ignore: !built,
  async fn() {
    assertEquals(await tryWorker(urlOf(`${folder}/worker.js`)), []);
  },
});

Deno.test({
  name: "the library asks for nothing young, and for no runtime of its own",
  ignore: !built,
  async fn() {
    const text = await Deno.readTextFile(`${folder}/brine.js`);
    const code = text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
    // What stand_in.ts adds for the tests, and what would tie the library down.
    const young =
      /(?<!\b(?:brine|json|pickle))\.(?:fromHex|fromBase64|toHex|toBase64|fromAsync|withResolvers|union)\(|\bReadableStream\.from\b|\bnew Response\(|(?<!")\bDeno\.|"node:|\bprocess\.|\b(?:await )?using \w+ =/g;
    assertEquals(Array.from(code.matchAll(young), ([found]) => found), []);
    assert(code.length > 100_000);
  },
});
