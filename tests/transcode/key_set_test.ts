/**
 * Keys of a dict are told apart within what they may take.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KeySet, NEW, SEEN, UNKNOWN } from "../../lib/transcode/key_set.ts";
import { seeded } from "../support/random.ts";

const encoder = new TextEncoder();

function add(set: KeySet, key: string): number {
  // Somewhere within other bytes.
  const bytes = encoder.encode(`#${key}#`);
  return set.add(bytes, 1, bytes.length - 1);
}

Deno.test("a key is new once", async () => {
  await seeded((random) => {
    const set = new KeySet({ left: 1 << 24 });
    for (const owner of [1, 2, 3]) {
      set.begin(owner);
      const keys = new Set<string>();
      for (let i = 0; i < 20_000; i++) {
        const key = `${random.below(15_000)}${random.pick(["", "x", "é"])}`;
        assertEquals(add(set, key), keys.has(key) ? SEEN : NEW, key);
        keys.add(key);
      }
    }
  });
});

Deno.test("beyond the budget only what is greater than all is new", () => {
  const budget = { left: 100_000 };
  const set = new KeySet(budget);
  set.begin(1);
  let told = 0;
  for (let i = 0; i < 50_000; i++) {
    // Counters, which get longer now and then.
    assertEquals(add(set, `id${i}`), NEW);
    if (i % 1000 === 0 && add(set, `id${i}`) === SEEN) told++;
  }
  assert(told > 3 && told < 50, `${told}`);
  assert(budget.left >= 0 && budget.left < 50_000, `${budget.left}`);
  assertEquals(add(set, "id7"), SEEN);
  // It was not kept, so nobody can tell; nor can they of one that is new.
  assertEquals(add(set, "id40000"), UNKNOWN);
  assertEquals(add(set, "aa"), UNKNOWN);
  assertEquals(add(set, "id50000"), NEW);
  // What others give back is of no use: keys are missing.
  budget.left = 1 << 20;
  assertEquals(add(set, "id40000"), UNKNOWN);
  set.begin(2);
  assertEquals(add(set, "id40000"), NEW);
  assertEquals(add(set, "id7"), NEW);
  assertEquals(add(set, "id40000"), SEEN);
});
