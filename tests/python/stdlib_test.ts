import { assert, assertEquals } from "@std/assert";
import "../../lib/python/mod.ts";
import { dumps } from "../../lib/pickle/dump.ts";
import { loads } from "../../lib/pickle/load.ts";
import { PyObject } from "../../lib/python/object.ts";
import { describe } from "../support/describe.ts";
import { toOptions } from "../support/doors.ts";
import { type Fixture, fixtures } from "../support/fixtures.ts";
import { difference, protocolOf } from "../support/matches.ts";
import { hasPython, withPython } from "../support/python.ts";

/** Values that are rightly inert: their classes are the caller's own. */
const INERT =
  /^(enum|flag|int_flag|dataclass|getters|random_state|cstringio_|signal$|iter_|enumerate|zip|map|filter|count|repeat|chain|struct_time|stat_result|union|generic_alias|http_status)/;

async function standard(): Promise<Fixture[]> {
  return (await fixtures("values")).filter(({ group }) =>
    group === "stdlib" || group === "iterators"
  );
}

Deno.test("no value of the standard library stays inert", async () => {
  const inert = new Set<string>();
  let count = 0;
  for (const { name, options, pickles } of await standard()) {
    if (INERT.test(name)) continue;
    for (const { bytes } of pickles) {
      count++;
      const value = loads(bytes, toOptions(options));
      const values = Array.isArray(value) ? value : [value];
      for (const one of values) if (one instanceof PyObject) inert.add(name);
    }
  }
  assertEquals([...inert], []);
  assert(count > 1000, `only ${count} pickles`);
});

Deno.test("values of the standard library are written as they were", async () => {
  const wrong: string[] = [];
  for (const { name, options, desc, pickles } of await standard()) {
    // Python itself has no such value any more, or says it otherwise.
    if (/^(array_char|stringio_py2)$/.test(name)) continue;
    for (const { bytes, writers } of pickles) {
      const value = loads(bytes, toOptions(options));
      for (const protocol of [2, 3, 4, 5]) {
        // Protocols 2 and 3 have no place for it.
        if (protocol < 4 && /fold/.test(name)) continue;
        const again = loads(dumps(value, { protocol }), toOptions(options));
        const found = difference(desc!, describe(again), {
          protocol: protocolOf(bytes),
        });
        if (found) wrong.push(`${name} (${writers}) ${protocol}: ${found}`);
      }
    }
  }
  assertEquals(wrong.slice(0, 10), []);
});

/** What CPython 3.13 has no equal of, or describes in another way. */
const CHANGED = new Map([
  ["array_char", "there are no arrays of characters"],
  ["cstringio_py2", "there is no such class"],
  ["cstringio_out_py2", "there is no such class"],
  ["iter_dict", "an iterator of keys has become one of a list"],
  ["iter_dict_items", "an iterator of items has become one of a list"],
  ["iter_list_done", "an iterator at its end has become one of a tuple"],
  ["iter_range", "an iterator of a range keeps no place in 3.13"],
  ["pattern", "the flags of text now have re.UNICODE among them"],
  ["pattern_bytes", "a str of Python 2 is text here"],
  ["pattern_flags", "the flags of text now have re.UNICODE among them"],
  ["signal", "an int's name has become an enum's member"],
  ["stat_result", "it is made by the class"],
  ["stringio_py2", "it has become the StringIO of Python 3"],
  ["struct_time", "it has fields beyond the tuple"],
]);

Deno.test({
  name: "CPython 3.13 loads an equal value of what Brine writes",
  ignore: !hasPython,
  fn: async () => {
    const wrong: string[] = [];
    await withPython("3.13", async (python) => {
      for (const { name, options, desc, pickles } of await standard()) {
        const asked = pickles.flatMap(({ bytes, writers }) => {
          const value = loads(bytes, toOptions(options));
          return [0, 1, 2, 3, 4, 5].map((protocol) => ({
            protocol,
            writers,
            bytes: dumps(value, { protocol }),
          }));
        });
        const answers = await python.describeMany(asked);
        answers.forEach((answer, i) => {
          const { protocol, writers } = asked[i]!;
          const label = `${name} (${writers}) as ${protocol}`;
          if ("error" in answer) {
            if (!CHANGED.has(name) || protocol > 1 && !/_py2|char/.test(name)) {
              wrong.push(`${label}: ${answer.error} ${answer.message}`);
            }
            return;
          }
          if (CHANGED.has(name) || protocol < 4 && /fold/.test(name)) return;
          const found = difference(desc!, answer.ok, { protocol });
          if (found) wrong.push(`${label}: ${found}`);
        });
      }
    });
    assertEquals(wrong.slice(0, 10), []);
  },
});

Deno.test("values of the standard library are byte for byte CPython's", async () => {
  const unequal = new Map<string, number>();
  let equal = 0;
  for (const { name, options, pickles } of await standard()) {
    for (const { bytes, writers } of pickles) {
      const protocol = /(?:^|, )(\d)c [^,]*\b3\.13\b/.exec(writers)?.[1];
      if (protocol === undefined) continue;
      const again = dumps(loads(bytes, toOptions(options)), {
        protocol: Number(protocol),
      });
      if (again.toHex() === bytes.toHex()) equal++;
      else unequal.set(name, again.length - bytes.length);
    }
  }
  // `pathlib._local`, which only 3.13 has, is written as `pathlib`.
  for (const name of unequal.keys()) {
    if (/^path/.test(name)) unequal.delete(name);
  }
  // Below protocol 2 by copyreg._reconstructor, which leaves out the text.
  unequal.delete("userstring");
  // Equal strings are one object here and two in CPython: never longer.
  assertEquals([...unequal].filter(([, more]) => more >= 0), []);
  assert(equal > 400, `only ${equal} are equal`);
});
