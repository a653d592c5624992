import { assert, assertEquals } from "@std/assert";
import { Browser } from "./browser.ts";
import type { Result } from "./subset.ts";
import { BUN, bundle, CHROMIUM, fixtureLines, has } from "./support.ts";

const script = await bundle("tests/runtimes/subset.ts");

function assertHolds(result: Result): void {
  assertEquals(result.failures.slice(0, 20), []);
  assert(result.passed > 1000, `only ${result.passed} checks`);
}

for (const [name, program] of [["Node", "node"], ["Bun", BUN]] as const) {
  Deno.test({
    name: `the fixtures hold in ${name}`,
    ignore: script === undefined || !await has(program),
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await Deno.writeTextFile(`${folder}/subset.mjs`, script!);
        await Deno.writeTextFile(`${folder}/lines.txt`, await fixtureLines());
        await Deno.writeTextFile(
          `${folder}/main.mjs`,
          `import { readFileSync } from "node:fs";
import { run } from "./subset.mjs";
const lines = readFileSync(new URL("lines.txt", import.meta.url), "utf8");
console.log(JSON.stringify(await run(lines)));
`,
        );
        const { stdout, stderr } = await new Deno.Command(program, {
          args: [`${folder}/main.mjs`],
          signal: AbortSignal.timeout(120_000),
        }).output();
        const text = new TextDecoder().decode(stdout);
        assert(text !== "", new TextDecoder().decode(stderr));
        assertHolds(JSON.parse(text));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "the fixtures hold in Chromium",
  ignore: script === undefined || !await has(CHROMIUM),
  async fn() {
    const lines = await fixtureLines();
    await using server = Deno.serve({ port: 0, onListen() {} }, (request) => {
      switch (new URL(request.url).pathname) {
        case "/subset.js":
          return new Response(script, {
            headers: { "content-type": "text/javascript" },
          });
        case "/lines":
          return new Response(lines);
        default:
          return new Response("<!doctype html><title>x</title>", {
            headers: { "content-type": "text/html" },
          });
      }
    });
    const { port } = server.addr as Deno.NetAddr;
    await using browser = await Browser.start(CHROMIUM);
    await browser.open(`http://localhost:${port}/`);
    const result = await browser.evaluate(`(async () => {
      const { run } = await import("/subset.js");
      return JSON.stringify(await run(await (await fetch("/lines")).text()));
    })()`);
    assertHolds(JSON.parse(String(result)));
  },
});
