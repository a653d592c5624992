/**
 * "Deep nesting of a million, lengths up to 2^64−1, indices up to 2^32−1, ten
 * million marks, 4,301-digit integers, and truncated everything: an error
 * within 100 ms and 50 MB." Each in a process of its own, so that nothing is
 * warm and no memory is there from before.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { HOSTILE_COSTS } from "./hostile_costs.ts";

/** Busy machines and slow ones may take longer. */
const PATIENCE = 3;
const MILLISECONDS = 100;
const MEGABYTES = 50;

Deno.test("what asks for too much is refused in 100 ms and 50 MB", async () => {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new URL("hostile_child.ts", import.meta.url).href;
  const over: string[] = [];
  const wrong: string[] = [];
  const most = { milliseconds: 0, grown: 0 };
  for (const { name, doors } of HOSTILE_COSTS) {
    for (const door of doors) {
      const { stdout, success } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          "--quiet",
          `--config=${config}`,
          child,
          name,
          door,
        ],
        stderr: "inherit",
      }).output();
      assert(success, `${name}, ${door}`);
      const { outcome, milliseconds, grown } = JSON.parse(
        new TextDecoder().decode(stdout),
      );
      const figures = `${name}, ${door}: ${outcome}, ${
        Math.round(milliseconds)
      } ms, ${Math.round(grown / 1e6)} MB`;
      if (!/^[a-z-]+$|^limit \w+$/.test(outcome) || outcome === "value") {
        wrong.push(figures);
      }
      if (milliseconds > MILLISECONDS || grown > MEGABYTES * 1e6) {
        console.log(figures);
      }
      if (
        milliseconds > MILLISECONDS * PATIENCE ||
        grown > MEGABYTES * 1.2e6
      ) over.push(figures);
      most.milliseconds = Math.max(most.milliseconds, milliseconds);
      most.grown = Math.max(most.grown, grown);
    }
  }
  console.log(
    `at most ${Math.round(most.milliseconds)} ms, ${
      Math.round(most.grown / 1e6)
    } MB`,
  );
  assertEquals(wrong, []);
  assertEquals(over, []);
});
