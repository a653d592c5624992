import { assertEquals } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import { ObjectMemo } from "../../lib/pickle/object_memo.ts";
import { Tuple } from "../../lib/python/tuple.ts";
import { type Random, seeded } from "../support/random.ts";

/** Objects of all the kinds that the memo tells apart, some of them alike. */
function makeObject(random: Random, alike: boolean): object {
  const n = random.below(4000);
  switch (alike ? random.below(8) : random.pick([2, 2, 3, 3, 5, 2, 3, 5, 4])) {
    case 0:
      return {};
    case 1:
      return [];
    case 2:
      return { id: n, name: `n${n}`, ok: n % 2 === 0, none: null, more: n };
    case 3:
      return [n, n / 7, "text"];
    case 4:
      return new Map([[n, n]]);
    case 5:
      return Tuple.of(n, "");
    case 6:
      return { kind: "point", at: [n] };
    default:
      return new Uint8Array(2);
  }
}

function look(memo: ObjectMemo, object: object): boolean {
  return Array.isArray(object)
    ? memo.seeItems(object)
    : Object.getPrototypeOf(object) === Object.prototype
    ? memo.seeFields(object as Record<string, unknown>)
    : memo.see(object);
}

// Every other one with objects that are not alike.
const TOTALS = [
  5,
  8,
  9,
  9,
  100,
  2047,
  2049,
  2049,
  9000,
  9000,
  70_000,
  70_000,
  12,
  300_000,
  9,
  9000,
];

Deno.test("ObjectMemo knows what a map knows, whatever the objects and their number", () =>
  seeded((random) => {
    const memo = new ObjectMemo();
    for (const [round, total] of TOTALS.entries()) {
      const slots = new Map<object, number>();
      const objects: object[] = [];
      for (let i = 0; i < total; i++) {
        const object = objects.length > 0 && random.below(4) === 0
          ? random.pick(objects)
          : makeObject(random, round % 2 === 0);
        objects.push(object);
        const isKnown = look(memo, object);
        if (
          isKnown !== slots.has(object) ||
          memo.slot !== (slots.get(object) ?? slots.size) ||
          memo.ids[memo.slot] !== (isKnown ? memo.slot * 2 : -1)
        ) {
          throw new Error(`object ${i} of ${total} is in another slot`);
        }
        slots.set(object, memo.slot);
        memo.ids[memo.slot] = memo.slot * 2;
      }
      assertEquals(memo.count, slots.size);
      memo.clear();
      assertEquals(memo.count, 0);
    }
  }));

Deno.test("sharing is kept among many records, alike or not", () => {
  const records = Array.from({ length: 20_000 }, (_, i): unknown => ({
    id: i % 3000,
    pair: [i % 2, "x"],
    point: Tuple.of(i / 3, i),
  }));
  for (let i = 0; i < 5000; i++) records.push(records[i * 3]);
  const loaded = loads(dumps(records)) as unknown[];
  assertEquals(loaded.length, records.length);
  assertEquals(new Set(loaded).size, new Set(records).size);
  for (let i = 0; i < 5000; i++) {
    assertEquals(loaded[20_000 + i] === loaded[i * 3], true);
  }
});

Deno.test("a cycle that runs through many objects is written", () => {
  const root: Record<string, unknown> = { id: 0 };
  let last = root;
  for (let id = 1; id < 10_000; id++) {
    const next: Record<string, unknown> = { id };
    last.next = next;
    last = next;
  }
  last.next = root;
  let at = loads(dumps(root)) as Record<string, unknown>;
  const first = at;
  for (let id = 0; id < 10_000; id++) {
    assertEquals(at.id, id);
    at = at.next as Record<string, unknown>;
  }
  assertEquals(at === first, true);
});

Deno.test("a getter that gives a new object each time ends with an error", () => {
  const endless = {
    get n() {
      return Math.random();
    },
    get self() {
      return this;
    },
  };
  let code = "";
  try {
    dumps(
      Array.from({ length: 5000 }, (_, i) => [i]).concat([endless as never]),
    );
  } catch (error) {
    code = (error as { code: string }).code;
  }
  assertEquals(code, "circular");
});
