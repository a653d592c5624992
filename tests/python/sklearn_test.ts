import { assert, assertEquals } from "@std/assert";
import { dumps, openPickle } from "../../lib/pickle/mod.ts";
import { loads } from "../../lib/pickle/mod.ts";
import { PyObject, SklearnTree } from "../../lib/values.ts";
import {
  assertComesBack,
  assertOpens,
  scienceFixtures,
} from "../support/science_fixtures.ts";
import { ask, hasPythons, type Question } from "../support/science_python.ts";

Deno.test("scikit-learn's fixtures read as Python described them, and come back", async () => {
  const fixtures = await scienceFixtures("sklearn");
  assert(fixtures.length >= 8);
  for (const fixture of fixtures) {
    await assertComesBack(fixture, await assertOpens(fixture));
  }
});

Deno.test("a decision tree shows its nodes", async () => {
  const fixture = (await scienceFixtures("sklearn")).find(({ name }) =>
    name === "sklearn DecisionTreeClassifier.p5"
  )!;
  const { value } = await openPickle(fixture.bytes);
  assert(value instanceof PyObject);
  const tree = (value.state as Record<string, unknown>).tree_;
  assert(tree instanceof SklearnTree);
  assertEquals(tree.nodeCount, tree.nodes!.size);
  const root = tree.nodes!.get(0) as Record<string, unknown>;
  assertEquals(root.left_child, 1);
  assertEquals(typeof root.threshold, "number");
  assertEquals(tree.values!.shape[0], tree.nodeCount);
  assertEquals(tree.summary(), `${tree.nodeCount} nodes`);
});

Deno.test({
  name: "live scikit-learn reads what Brine writes",
  ignore: !hasPythons,
  fn: async () => {
    const questions: Question[] = [];
    for (const library of ["sklearn", "sparse"]) {
      for (const { bytes, name } of await scienceFixtures(library)) {
        const value = loads(bytes, { floats: "exact", dicts: "map" });
        for (const protocol of [2, 4, 5]) {
          questions.push({
            name: `${name}, protocol ${protocol}`,
            bytes: dumps(value, { protocol }),
            same: bytes,
          });
        }
      }
    }
    const { problems } = await ask("sklearn", questions);
    assertEquals(problems, []);
  },
});
