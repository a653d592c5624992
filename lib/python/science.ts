/**
 * What else the scientific libraries pickle: scipy's sparse matrices, the trees
 * of scikit-learn, the graphs of networkx.
 *
 * @module
 */

import {
  attributeOf,
  entriesOf,
  isDict,
  shortText,
  toInteger,
} from "./fields.ts";
import { inertType } from "./inert.ts";
import { setInspect } from "./inspect.ts";
import { LimitError } from "./limits.ts";
import { NdArray, NumpyScalar, plainElement } from "./numpy.ts";
import { shapeFrom } from "./numpy_dtype.ts";
import { Global, PyObject } from "./object.ts";
import { register } from "./registry.ts";

/** No more triples or edges at once: a list may be named a thousand times. */
const MAX_ITEMS = 10_000_000;

function checkItems(count: number): void {
  if (count > MAX_ITEMS) throw new LimitError("values", MAX_ITEMS);
}

function numberAt(array: NdArray, index: number): number | undefined {
  return toInteger(array.at(index));
}

/**
 * A sparse matrix or array of scipy's, in any of its formats.
 *
 * @example Read its elements
 * ```ts
 * import { Global, NdArray, SparseMatrix } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const matrix = new SparseMatrix(
 *   new Global("scipy.sparse._csr", "csr_matrix"),
 *   [],
 *   {
 *     state: {
 *       _shape: [2, 2],
 *       indptr: new NdArray(new Int32Array([0, 1, 1])),
 *       indices: new NdArray(new Int32Array([1])),
 *       data: new NdArray(new Int32Array([7])),
 *     },
 *   },
 * );
 * assertEquals(matrix.toTriples(), [[0, 1, 7]]);
 * ```
 */
export class SparseMatrix extends PyObject {
  /** scipy's name of its format: `csr`, `csc`, `coo`, `lil`, `dok` …. */
  get format(): string {
    const name = this.class instanceof Global ? this.class.name : "?";
    return name.slice(0, name.indexOf("_"));
  }

  /** How many rows and columns there are. */
  get shape(): number[] {
    return shapeFrom(attributeOf(this, "_shape")) ??
      shapeFrom(attributeOf(this, "shape")) ?? [];
  }

  /** numpy's name of its elements' dtype. */
  get dtype(): string {
    const { data } = this;
    return data === undefined
      ? shortText(attributeOf(this, "dtype") ?? "?")
      : String(data.dtype);
  }

  /** The elements that are there, in the format's own order. */
  get data(): NdArray | undefined {
    const data = attributeOf(this, "data");
    // Elements without bytes could be any number.
    return data instanceof NdArray && data.dtype.itemsize > 0
      ? data
      : undefined;
  }

  #array(name: string): NdArray | undefined {
    const array = attributeOf(this, name);
    return array instanceof NdArray && array.ndim === 1 &&
        array.dtype.itemsize > 0
      ? array
      : undefined;
  }

  /**
   * The elements that are there, each with its place.
   *
   * @returns `[row, column, value]`, in the format's own order.
   */
  toTriples(): [number, number, unknown][] {
    switch (this.format) {
      case "csr":
        return this.#compressed((outer, inner) => [outer, inner]);
      case "csc":
        return this.#compressed((outer, inner) => [inner, outer]);
      case "coo":
        return this.#coordinates();
      case "lil":
        return this.#lists();
      case "dok":
        return this.#keys();
      case "dia":
        return this.#diagonals();
      case "bsr":
        return this.#blocks();
      default:
        return [];
    }
  }

  #compressed(
    order: (outer: number, inner: number) => [number, number],
  ): [number, number, unknown][] {
    const starts = this.#array("indptr");
    const inner = this.#array("indices");
    const { data } = this;
    const triples: [number, number, unknown][] = [];
    if (starts === undefined || inner === undefined || data?.ndim !== 1) {
      return triples;
    }
    for (let outer = 0; outer + 1 < starts.size; outer++) {
      const from = Math.max(numberAt(starts, outer) ?? 0, triples.length);
      const to = Math.min(
        numberAt(starts, outer + 1) ?? 0,
        data.size,
        inner.size,
      );
      for (let i = from; i < to; i++) {
        triples.push([
          ...order(outer, numberAt(inner, i) ?? 0),
          plainElement(data.dtype, data.at(i)),
        ]);
      }
    }
    return triples;
  }

  #coordinates(): [number, number, unknown][] {
    const both = attributeOf(this, "coords");
    const [row, column] = Array.isArray(both)
      ? both
      : [attributeOf(this, "row"), attributeOf(this, "col")];
    const { data } = this;
    if (
      !(row instanceof NdArray) || !(column instanceof NdArray) ||
      data === undefined || row.ndim !== 1 || column.ndim !== 1 ||
      data.ndim !== 1
    ) return [];
    const length = Math.min(row.size, column.size, data.size);
    return Array.from({ length }, (_, i) => [
      numberAt(row, i) ?? 0,
      numberAt(column, i) ?? 0,
      plainElement(data.dtype, data.at(i)),
    ]);
  }

  #lists(): [number, number, unknown][] {
    const rows = this.#array("rows");
    const values = this.#array("data");
    const triples: [number, number, unknown][] = [];
    if (rows === undefined || values === undefined) return triples;
    let count = 0;
    for (let row = 0; row < rows.size; row++) {
      const columns = rows.at(row);
      if (Array.isArray(columns)) count += columns.length;
    }
    checkItems(count);
    for (let row = 0; row < Math.min(rows.size, values.size); row++) {
      const columns = rows.at(row);
      const items = values.at(row);
      if (!Array.isArray(columns) || !Array.isArray(items)) continue;
      columns.forEach((column, i) => {
        triples.push([row, toInteger(column) ?? 0, items[i]]);
      });
    }
    return triples;
  }

  #keys(): [number, number, unknown][] {
    const entries = this.entries ?? entriesOf(attributeOf(this, "_dict"));
    const triples: [number, number, unknown][] = [];
    for (const [key, value] of entries) {
      if (!Array.isArray(key)) continue;
      const [row, column] = key.map((part) =>
        toInteger(part instanceof NumpyScalar ? part.value : part)
      );
      triples.push([row ?? 0, column ?? 0, value]);
    }
    return triples;
  }

  #diagonals(): [number, number, unknown][] {
    const offsets = this.#array("offsets");
    const { data } = this;
    const [rows = 0, columns = 0] = this.shape;
    const triples: [number, number, unknown][] = [];
    if (offsets === undefined || data?.ndim !== 2 || data.size === 0) {
      return triples;
    }
    for (let i = 0; i < Math.min(offsets.size, data.shape[0]!); i++) {
      const offset = numberAt(offsets, i) ?? 0;
      for (let column = 0; column < data.shape[1]!; column++) {
        const row = column - offset;
        if (row < 0 || row >= rows || column >= columns) continue;
        const value = plainElement(data.dtype, data.get(i, column));
        triples.push([row, column, value]);
      }
    }
    return triples;
  }

  #blocks(): [number, number, unknown][] {
    const starts = this.#array("indptr");
    const inner = this.#array("indices");
    const { data } = this;
    const triples: [number, number, unknown][] = [];
    if (
      starts === undefined || inner === undefined || data?.ndim !== 3 ||
      data.size === 0
    ) return triples;
    const [count = 0, height = 0, width = 0] = data.shape;
    let next = 0;
    for (let outer = 0; outer + 1 < starts.size; outer++) {
      const to = Math.min(numberAt(starts, outer + 1) ?? 0, count, inner.size);
      for (; next < to; next++) {
        const column = (numberAt(inner, next) ?? 0) * width;
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) {
            triples.push([
              outer * height + i,
              column + j,
              plainElement(data.dtype, data.get(next, i, j)),
            ]);
          }
        }
      }
    }
    return triples;
  }

  /**
   * In few words: `csr float64 3 x 3`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.format} ${this.dtype} ${this.shape.join(" x ")}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns Format, shape, and rows, columns and values of what is there.
   */
  override toJSON(): unknown {
    const triples = this.toTriples();
    return {
      format: this.format,
      shape: this.shape,
      row: triples.map(([row]) => row),
      col: triples.map(([, column]) => column),
      data: triples.map(([, , value]) => value),
    };
  }
}

/**
 * A decision tree of scikit-learn's: its nodes, in a structured array.
 *
 * @example Look into one
 * ```ts
 * import { Global, SklearnTree } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const tree = new SklearnTree(new Global("sklearn.tree._tree", "Tree"), [], {
 *   state: { max_depth: 2, node_count: 5 },
 * });
 * assertEquals(tree.summary(), "5 nodes");
 * ```
 */
export class SklearnTree extends PyObject {
  /** Children, feature, threshold, impurity and weights of each node. */
  get nodes(): NdArray | undefined {
    const nodes = attributeOf(this, "nodes");
    return nodes instanceof NdArray ? nodes : undefined;
  }

  /** What each node predicts. */
  get values(): NdArray | undefined {
    const values = attributeOf(this, "values");
    return values instanceof NdArray ? values : undefined;
  }

  /** How deep it is. */
  get maxDepth(): number | undefined {
    return toInteger(attributeOf(this, "max_depth"));
  }

  /** How many nodes it has. */
  get nodeCount(): number | undefined {
    return toInteger(attributeOf(this, "node_count"));
  }

  /**
   * In few words: `7 nodes`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.nodeCount ?? "?"} nodes`;
  }
}

/**
 * A graph of networkx's.
 *
 * @example Read its edges
 * ```ts
 * import { Global, NetworkxGraph } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const graph = new NetworkxGraph(
 *   new Global("networkx.classes.digraph", "DiGraph"),
 *   [],
 *   { state: { _node: { a: {}, b: {} }, _adj: { a: { b: {} }, b: {} } } },
 * );
 * assertEquals(graph.edges(), [["a", "b", {}]]);
 * ```
 */
export class NetworkxGraph extends PyObject {
  get #name(): string {
    return this.class instanceof Global ? this.class.name : "";
  }

  /** Whether edges have a direction. */
  get isDirected(): boolean {
    return this.#name.includes("Di");
  }

  /** Whether two nodes may have several edges. */
  get isMultigraph(): boolean {
    return this.#name.startsWith("Multi");
  }

  /** Attributes of the graph itself. */
  get graph(): unknown {
    return attributeOf(this, "graph") ?? {};
  }

  /**
   * The nodes.
   *
   * @returns Each node with its attributes.
   */
  nodes(): [unknown, unknown][] {
    return entriesOf(attributeOf(this, "_node") ?? attributeOf(this, "node"));
  }

  /**
   * The edges, each once.
   *
   * @returns Source, target, attributes, and the key in a multigraph.
   */
  edges(): [unknown, unknown, unknown, unknown?][] {
    const edges: [unknown, unknown, unknown, unknown?][] = [];
    const done = new Set<unknown>();
    const adjacency = attributeOf(this, "_adj") ?? attributeOf(this, "adj") ??
      attributeOf(this, "_succ");
    let steps = 0;
    for (const [source, targets] of entriesOf(adjacency)) {
      for (const [target, data] of entriesOf(targets)) {
        checkItems(++steps);
        // Both directions share one dict.
        if (!this.isDirected) {
          if (done.has(data)) continue;
          done.add(data);
        }
        if (!this.isMultigraph) {
          edges.push([source, target, data]);
          continue;
        }
        for (const [key, attributes] of entriesOf(data)) {
          checkItems(++steps);
          edges.push([source, target, attributes, key]);
        }
      }
    }
    return edges;
  }

  /**
   * In few words: `3 nodes, 2 edges`.
   *
   * @returns The text.
   */
  summary(): string {
    return `${this.nodes().length} nodes, ${this.edges().length} edges`;
  }

  /**
   * What `JSON.stringify` writes: as networkx's `node_link_data`.
   *
   * @returns An object of nodes and edges.
   */
  override toJSON(): unknown {
    const merge = (own: Record<string, unknown>, attributes: unknown) => {
      const merged = new Map<unknown, unknown>(
        isDict(attributes) ? entriesOf(attributes) : [],
      );
      for (const [key, value] of Object.entries(own)) merged.set(key, value);
      return merged;
    };
    return {
      directed: this.isDirected,
      multigraph: this.isMultigraph,
      graph: this.graph,
      nodes: this.nodes().map(([id, attributes]) => merge({ id }, attributes)),
      edges: this.edges().map(([source, target, attributes, key]) =>
        merge(
          this.isMultigraph ? { source, target, key } : { source, target },
          attributes,
        )
      ),
    };
  }
}

const FORMATS = "bsr coo csc csr dia dok lil".split(" ");
const GRAPHS = "Graph DiGraph MultiGraph MultiDiGraph".split(" ");

register(
  inertType(
    FORMATS.flatMap((format) =>
      ["matrix", "array"].flatMap((kind) => [
        `scipy.sparse._${format}.${format}_${kind}`,
        `scipy.sparse.${format}.${format}_${kind}`,
        `scipy.sparse._arrays.${format}_${kind}`,
      ])
    ),
    SparseMatrix,
  ),
  {
    names: [],
    class: SparseMatrix,
    toPlain: (matrix: SparseMatrix) => matrix.toJSON(),
  },
  inertType(["sklearn.tree._tree.Tree"], SklearnTree),
  inertType(
    GRAPHS.map((name) => `networkx.classes.${name.toLowerCase()}.${name}`),
    NetworkxGraph,
  ),
  {
    names: [],
    class: NetworkxGraph,
    toPlain: (graph: NetworkxGraph) => graph.toJSON(),
  },
);

setInspect(
  SparseMatrix.prototype,
  (matrix) => `SparseMatrix(${matrix.summary()})`,
);
setInspect(
  NetworkxGraph.prototype,
  (graph) => `NetworkxGraph(${graph.summary()})`,
);
