import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, loads } from "../../lib/pickle/mod.ts";
import {
  Global,
  LimitError,
  NdArray,
  NetworkxGraph,
  PyObject,
  SparseMatrix,
  Tuple,
} from "../../lib/values.ts";
import {
  assertComesBack,
  assertOpens,
  scienceFixtures,
} from "../support/science_fixtures.ts";

Deno.test("scipy's fixtures read as Python described them, and come back", async () => {
  const fixtures = await scienceFixtures("sparse");
  assert(fixtures.length >= 10);
  for (const fixture of fixtures) {
    await assertComesBack(fixture, await assertOpens(fixture));
  }
});

function matrix(format: string, state: Record<string, unknown>): SparseMatrix {
  const value = loads(dumps(
    new PyObject(
      new Global(`scipy.sparse._${format}`, `${format}_matrix`),
      [],
      { state: { _shape: Tuple.of(2, 4), ...state } },
    ),
  ));
  assert(value instanceof SparseMatrix);
  return value;
}

const ints = (...values: number[]) => new NdArray(new Int32Array(values));
const floats = (values: number[], shape: number[]) =>
  new NdArray(new Float64Array(values), { shape });

Deno.test("dia and bsr matrices give their triples", () => {
  const dia = matrix("dia", {
    offsets: ints(0, 1),
    data: floats([1, 2, 9, 9, 9, 3, 4, 9], [2, 4]),
  });
  assertEquals(
    JSON.stringify(dia.toTriples()),
    "[[0,0,1],[1,1,2],[0,1,3],[1,2,4]]",
  );
  const bsr = matrix("bsr", {
    indptr: ints(0, 1),
    indices: ints(1),
    data: floats([1, 2, 3, 4], [1, 2, 2]),
  });
  assertEquals(
    JSON.stringify(bsr.toTriples()),
    "[[0,2,1],[0,3,2],[1,2,3],[1,3,4]]",
  );
  assertEquals(bsr.summary(), "bsr float64 2 x 4");
  assertEquals(
    toJson(bsr, { types: "plain" }),
    '{"format": "bsr", "shape": [2, 4], "row": [0, 0, 1, 1], ' +
      '"col": [2, 3, 2, 3], "data": [1.0, 2.0, 3.0, 4.0]}',
  );
});

Deno.test("sparse matrices that lie give no more than there is", () => {
  const lies = [
    { indptr: ints(0, 2 ** 30), indices: ints(0), data: floats([1], [1]) },
    {
      indptr: ints(0, 1, 0, 1, 0, 1),
      indices: ints(0),
      data: floats([1], [1]),
    },
    { indptr: ints(-5, 1), indices: ints(0), data: floats([1], [1]) },
    { indptr: "x", indices: ints(0), data: floats([1], [1]) },
    {},
  ];
  for (const lie of lies) {
    for (const format of ["csr", "csc", "bsr", "coo", "dia", "lil", "dok"]) {
      assert(matrix(format, lie).toTriples().length <= 1);
    }
  }
});

Deno.test("sparse matrices and graphs without bytes behind them are bounded", () => {
  const nothing = (shape: number[]) =>
    new NdArray(new Uint8Array(0), { dtype: "V0", shape });
  const many = ints(0, 2 ** 31 - 1);
  const bare = { indptr: many, indices: nothing([2 ** 40]) };
  for (const format of ["csr", "bsr", "coo", "dia", "lil"]) {
    const value = matrix(format, {
      ...bare,
      row: nothing([2 ** 40]),
      col: nothing([2 ** 40]),
      offsets: ints(0),
      rows: nothing([2 ** 40]),
      data: nothing(format === "bsr" ? [1, 2 ** 30, 0] : [2 ** 40]),
    });
    assertEquals(value.toTriples(), []);
  }
  const list = new Array(100_000).fill(0);
  const lil = matrix("lil", {
    rows: new NdArray(new Array(1000).fill(list)),
    data: new NdArray(new Array(1000).fill(list)),
  });
  assertThrows(() => lil.toTriples(), LimitError);
});

Deno.test("graphs give nodes and edges", () => {
  const data = { weight: 2 };
  const value = loads(dumps(
    new PyObject(new Global("networkx.classes.graph", "Graph"), [], {
      state: {
        graph: { name: "g" },
        _node: { a: {}, b: { color: "red" } },
        _adj: { a: { b: data }, b: { a: data } },
      },
    }),
  ));
  assert(value instanceof NetworkxGraph);
  assertEquals(value.summary(), "2 nodes, 1 edges");
  assertEquals(
    toJson(value, { types: "plain" }),
    '{"directed": false, "multigraph": false, "graph": {"name": "g"}, ' +
      '"nodes": [{"id": "a"}, {"color": "red", "id": "b"}], ' +
      '"edges": [{"weight": 2, "source": "a", "target": "b"}]}',
  );
});
