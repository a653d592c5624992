import { assert, assertEquals } from "@std/assert";
import type { Result } from "./subset.ts";
import { BUN, bundle, CHROMIUM, has, runIn, runInChromium } from "./support.ts";

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
      assertHolds(await runIn([program], script!));
    },
  });
}

Deno.test({
  name: "the fixtures hold in Chromium",
  ignore: script === undefined || !await has(CHROMIUM),
  async fn() {
    assertHolds(await runInChromium(script!));
  },
});
