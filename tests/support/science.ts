/**
 * Compares what Brine makes of scientific pickles with Python's descriptions of
 * them, and with the plain JSON that comes of it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { attributeOf, entriesOf, fieldOf } from "../../lib/python/fields.ts";
import { floatRepr } from "../../lib/python/float_repr.ts";
import {
  attributesOf,
  Complex,
  DataFrame,
  type DType,
  Float,
  FrozenSet,
  Global,
  Interval,
  MaskedArray,
  NA,
  NaT,
  NdArray,
  NetworkxGraph,
  NumpyRandom,
  NumpyScalar,
  PandasArray,
  PandasDtype,
  PandasIndex,
  Period,
  PyObject,
  PySet,
  Series,
  SparseMatrix,
  Tensor,
  Timedelta,
  Timestamp,
  TorchDevice,
  TorchSize,
  Tuple,
} from "../../lib/values.ts";
import { DType as NumpyDType } from "../../lib/values.ts";
import type { Node } from "./fixtures.ts";

/** `float64` is described as `'<f8'`, or as numpy prints it. */
function dtypeMatches(dtype: DType, text: string | null): boolean {
  return text === null || dtype.str === text || String(dtype) === text;
}

function quoted(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}

/** An element's text, as the describer wrote it; undefined where that varies. */
function elementText(value: unknown, dtype: DType): string | undefined {
  switch (dtype.kind) {
    case "b":
      return value ? "True" : "False";
    case "i":
    case "u":
      return String(value);
    case "f":
      return floatRepr(value as number);
    case "c":
    case "M":
      return String(value);
    case "U":
      return quoted(value as string);
    default:
      return undefined;
  }
}

function floatEquals(bits: string, value: unknown): boolean {
  const number = value instanceof Float ? value.value : value;
  if (typeof number !== "number") return false;
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return Object.is(view.getFloat64(0), number);
}

/** Compares values with descriptions. */
export class Comparison {
  readonly #seen = new Map<number, unknown>();
  readonly differences: string[] = [];
  /** Whether elements of tensors are elsewhere. */
  readonly #bare: boolean;

  /** A module's state has no parameters, only their values. */
  #detached = false;

  constructor(options: { bare?: boolean } = {}) {
    this.#bare = options.bare ?? false;
  }

  #differ(path: string, what: string): void {
    if (this.differences.length < 20) {
      this.differences.push(`${path}: ${what}`);
    }
  }

  check(node: Node, value: unknown, path = "$"): void {
    if (node.t === "ref") {
      if (this.#seen.get(node.id!) !== value) this.#differ(path, "not shared");
      return;
    }
    if (typeof node.id === "number") this.#seen.set(node.id, value);
    this.#node(node, value, path);
  }

  /** pandas 2.2 gave some frequencies other names. */
  #sameDtype(actual: string, expected: string, path: string): void {
    const normal = (text: string) =>
      text.replace(/^period\[A-/, "period[Y-").replace("[H]", "[h]")
        .replace("[S]", "[s]").replace("[T]", "[min]").replace("[L]", "[ms]");
    this.#same(normal(actual), normal(expected), path);
  }

  #same(actual: unknown, expected: unknown, path: string): void {
    const [a, b] = [actual, expected].map((value) =>
      JSON.stringify(value, (_, v) => typeof v === "bigint" ? `${v}` : v)
    );
    if (a !== b) this.#differ(path, `${a} instead of ${b}`);
  }

  #list(nodes: Node[], values: readonly unknown[], path: string): void {
    if (nodes.length !== values.length) {
      this.#differ(path, `${values.length} items, not ${nodes.length}`);
    }
    nodes.forEach((node, i) => this.check(node, values[i], `${path}[${i}]`));
  }

  #dict(node: Node, value: unknown, path: string): void {
    const entries = entriesOf(value);
    if (entries.length !== node.v.length) {
      this.#differ(path, `${entries.length} keys, not ${node.v.length}`);
      return;
    }
    node.v.forEach(([key, item]: [Node, Node], i: number) => {
      const own = key.t === "str" ? fieldOf(value, key.v) : entries[i]![1];
      if (key.t !== "str") this.check(key, entries[i]![0], `${path} key ${i}`);
      this.check(item, own, `${path}.${key.v ?? i}`);
    });
  }

  #attributes(names: Record<string, Node>, value: unknown, path: string): void {
    for (const [name, node] of Object.entries(names)) {
      const own = attributeOf(value, name);
      // A property that is computed has another name beneath.
      if (own === undefined && node.t !== "none") {
        if (attributeOf(value, `_${name}`) === undefined) continue;
      }
      if (own === undefined) continue;
      this.check(node, own, `${path}.${name}`);
    }
  }

  #node(node: Node, value: unknown, path: string): void {
    switch (node.t) {
      case "none":
        if (value !== null && value !== undefined) {
          this.#differ(path, "no null");
        }
        return;
      case "bool":
        if (value !== node.v) this.#differ(path, `${value} for ${node.v}`);
        return;
      case "int":
        if (
          (typeof value !== "number" && typeof value !== "bigint") ||
          String(value) !== node.v
        ) this.#differ(path, `${value} for ${node.v}`);
        return;
      case "float":
        if (!floatEquals(node.bits, value)) {
          this.#differ(path, `${value} for ${node.v}`);
        }
        return;
      case "complex":
        if (!(value instanceof Complex)) this.#differ(path, "no complex");
        return;
      case "str":
        if (value !== node.v && node.n === undefined) {
          this.#differ(path, `${value} for ${node.v}`);
        }
        return;
      case "bytes":
      case "bytearray":
        if (!(value instanceof Uint8Array)) this.#differ(path, "no bytes");
        return;
      case "list":
        if (!Array.isArray(value) || value instanceof Tuple) {
          this.#differ(path, "no list");
        } else if (node.v) this.#list(node.v, value, path);
        return;
      case "tuple":
        if (node.v === undefined) return;
        // A record with objects comes as one, but is described as a tuple.
        if (
          value !== null && typeof value === "object" && !Array.isArray(value)
        ) this.#list(node.v, Object.values(value), path);
        else if (!(value instanceof Tuple)) this.#differ(path, "no tuple");
        else this.#list(node.v, value, path);
        return;
      case "set":
      case "frozenset":
        if (!(value instanceof (node.t === "set" ? PySet : FrozenSet))) {
          this.#differ(path, "no set");
        }
        return;
      case "dict":
      case "ordereddict":
        this.#dict(node, value, path);
        if (node.state !== undefined) {
          this.check(node.state, attributesOf(value), `${path}<state>`);
        }
        return;
      case "global":
        if (
          !(value instanceof Global) || value.name !== node.n.split(".").pop()
        ) {
          // dill writes a class as what makes it.
          if (!(value instanceof PyObject)) this.#differ(path, "no global");
        }
        return;
      case "object":
        if (!(value instanceof PyObject)) this.#differ(path, "no object");
        else if (node.state !== undefined) {
          this.check(node.state, value.state, `${path}<state>`);
        }
        return;
      case "ndarray":
        return this.#array(node, value, path);
      case "npscalar":
        return this.#scalar(node, value, path);
      case "dtype":
        if (!(value instanceof NumpyDType) || !dtypeMatches(value, node.v)) {
          this.#differ(path, `dtype ${value} for ${node.v}`);
        }
        return;
      case "np.ma":
        return this.#masked(node, value, path);
      case "np.random":
        if (!(value instanceof NumpyRandom)) {
          return this.#differ(path, "no generator");
        }
        if (value.algorithm !== node.cls) this.#differ(path, value.algorithm);
        return this.check(node.state, value.generatorState, `${path}<state>`);
      case "sparse":
        return this.#sparse(node, value, path);
      case "torch.Tensor":
        return this.#tensor(node, value, path);
      case "torch.Size":
        if (!(value instanceof TorchSize) || String(value) !== node.v) {
          this.#differ(path, `${value}`);
        }
        return;
      case "torch.dtype":
        if (String(value) !== node.v) this.#differ(path, `${value}`);
        return;
      case "torch.device":
        if (!(value instanceof TorchDevice) || String(value) !== node.v) {
          this.#differ(path, `${value}`);
        }
        return;
      case "torch.module":
        this.#class(node.cls, value, path);
        this.#detached = true;
        this.check(node.state_dict, stateDict(value), path);
        this.#detached = false;
        return;
      case "sklearn":
        this.#class(node.cls, value, path);
        this.#attributes(node.params, value, path);
        return this.#attributes(node.fitted, value, path);
      case "nx.graph":
        return this.#graph(node, value, path);
      case "opaque":
        // Made by something else than the class, mostly.
        if (value === null || typeof value !== "object") {
          this.#differ(path, "nothing");
        }
        return;
    }
    if (node.t.startsWith("pd.")) return this.#pandas(node, value, path);
    this.#differ(path, `nothing compares ${node.t}`);
  }

  #class(cls: Node, value: unknown, path: string): void {
    const name = value instanceof PyObject && value.class instanceof Global
      ? value.class.name
      : undefined;
    if (name !== cls.n) this.#differ(path, `class ${name} for ${cls.n}`);
  }

  #array(node: Node, value: unknown, path: string): void {
    if (!(value instanceof NdArray)) return this.#differ(path, "no array");
    const { dtype } = value;
    this.#same(value.shape, node.shape, `${path}.shape`);
    this.#same(value.class.name, node.cls.split(".").pop(), `${path}.class`);
    if (!dtypeMatches(dtype, node.dtype)) {
      this.#differ(path, `dtype ${dtype.str} for ${node.dtype}`);
    }
    if (node.kind !== "T") this.#same(dtype.itemsize, node.itemsize, path);
    if (value.ndim > 1 && !dtype.hasObjects) {
      this.#same(value.order === "F", node.fortran, `${path}.order`);
    }
    if (node.fields !== undefined) {
      const fields = [...dtype.fields ?? []].map(([name, field]) => [
        name,
        field.dtype.str,
        [...field.dtype.shape],
        field.offset,
      ]);
      this.#same(fields, node.fields, `${path}.fields`);
    }
    if (node.c_sha256 !== undefined) {
      const hash = createHash("sha256").update(value.toBytes()).digest("hex");
      this.#same(hash, node.c_sha256, `${path}.bytes`);
    }
    if (node.values === undefined) return;
    const elements = [...value.values()].slice(0, node.values.length);
    node.values.forEach((expected: unknown, i: number) => {
      const place = `${path}[${i}]`;
      if (typeof expected === "string") {
        const text = elementText(elements[i], dtype);
        if (text !== undefined) this.#same(text, expected, place);
      } else if (Array.isArray(expected)) {
        [...dtype.fields ?? []].forEach(([name, field], j) => {
          const own = (elements[i] as Record<string, unknown>)[name];
          const text = elementText(own, field.dtype);
          if (text !== undefined) this.#same(text, expected[j], place);
        });
      } else this.check(expected as Node, elements[i], place);
    });
  }

  #scalar(node: Node, value: unknown, path: string): void {
    if (!(value instanceof NumpyScalar)) {
      // Out of an array, it is a plain number.
      if (typeof value === "number" && /f/.test(node.dtype)) {
        return this.#same(value, Number(node.v), path);
      }
      if (/number|bigint|boolean/.test(typeof value)) {
        return this.#same(String(value), node.v.toLowerCase(), path);
      }
      return this.#differ(path, `no scalar: ${value}`);
    }
    this.#same(value.dtype.str, node.dtype, path);
    const hex = Array.from(
      value.bytes,
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    this.#same(hex, node.hex, path);
    this.#same(String(value), node.v, path);
  }

  #masked(node: Node, value: unknown, path: string): void {
    if (!(value instanceof MaskedArray)) {
      return this.#differ(path, "no masked array");
    }
    this.#same(value.shape, node.shape, `${path}.shape`);
    this.#array(node.data, value.unmasked(), `${path}.data`);
    this.#array(node.mask, value.maskArray, `${path}.mask`);
    if (value.dtype.names === undefined) {
      this.#same(String(value.fillValue), node.fill_value, `${path}.fill`);
    }
  }

  #sparse(node: Node, value: unknown, path: string): void {
    if (!(value instanceof SparseMatrix)) {
      return this.#differ(path, "no sparse matrix");
    }
    this.#same(value.format, node.format, `${path}.format`);
    this.#same(value.shape, node.shape, `${path}.shape`);
    const triples = value.toTriples().map(([row, column, item]) => [
      row,
      column,
      floatRepr(Number(item)),
    ]);
    this.#same(triples, node.coo, path);
  }

  #tensor(node: Node, value: unknown, path: string): void {
    if (!(value instanceof Tensor)) return this.#differ(path, "no tensor");
    this.#same(`torch.${value.dtype}`, node.dtype, `${path}.dtype`);
    this.#same(value.shape, node.shape, `${path}.shape`);
    this.#same(`torch.${value.layout}`, node.layout, `${path}.layout`);
    if (!this.#detached) {
      this.#same(value.kind, node.cls, `${path}.kind`);
      this.#same(value.requiresGrad, node.requires_grad, `${path}.grad`);
    }
    const { indices, sparseValues } = value;
    if (indices !== undefined && sparseValues !== undefined) {
      this.#same(indices.toArray(), node.indices, `${path}.indices`);
      return this.#same(
        (sparseValues.toArray() as number[]).map(floatRepr),
        node.values,
        path,
      );
    }
    this.#same(value.stride, node.stride, `${path}.stride`);
    this.#same(value.storageOffset, node.storage_offset, `${path}.offset`);
    if (this.#bare) return;
    const flat = [value.toArray()].flat(Infinity).slice(0, node.values.length)
      .map((item) =>
        /float|^qu?int/.test(value.dtype)
          ? floatRepr(item as number)
          : String(item)
      );
    this.#same(flat, node.values, path);
  }

  #graph(node: Node, value: unknown, path: string): void {
    if (!(value instanceof NetworkxGraph)) {
      return this.#differ(path, "no graph");
    }
    this.#same(value.isDirected, node.directed, path);
    const nodes = value.nodes();
    node.nodes.forEach(([id, data]: [Node, Node], i: number) => {
      this.check(id, nodes[i]?.[0], `${path}.nodes[${i}]`);
      this.check(data, nodes[i]?.[1], `${path}.nodes[${i}].data`);
    });
    const edges = value.edges();
    this.#same(edges.length, node.edges.length, `${path}.edges`);
    node.edges.forEach((edge: Node[], i: number) => {
      edge.forEach((part, j) =>
        this.check(part, edges[i]?.[j], `${path}.edges[${i}][${j}]`)
      );
    });
  }

  #pandas(node: Node, value: unknown, path: string): void {
    switch (node.t) {
      case "pd.NA":
        return this.#same(value === NA, true, path);
      case "pd.NaT":
        return this.#same(value === NaT, true, path);
      case "pd.Timestamp":
        if (!(value instanceof Timestamp)) return this.#differ(path, "no time");
        this.#same(String(value), node.v, path);
        this.#same(value.unit, node.unit, path);
        return this.#same(value.nanoseconds, node.value, path);
      case "pd.Timedelta":
        if (!(value instanceof Timedelta)) return this.#differ(path, "no span");
        this.#same(value.unit, node.unit, path);
        return this.#same(value.nanoseconds, node.value, path);
      case "pd.Period":
        if (!(value instanceof Period)) return this.#differ(path, "no period");
        this.#same(String(value), node.v, path);
        return this.#same(Number(value.ordinal), node.ordinal, path);
      case "pd.Interval":
        if (!(value instanceof Interval)) {
          return this.#differ(path, "no interval");
        }
        this.#same(value.closed, node.closed, path);
        this.check(node.left, value.left, `${path}.left`);
        return this.check(node.right, value.right, `${path}.right`);
      case "pd.dtype":
        if (!(value instanceof PandasDtype)) {
          return this.#differ(path, "no dtype");
        }
        return this.#sameDtype(value.name, node.v, path);
      case "pd.Index":
        if (!(value instanceof PandasIndex)) {
          return this.#differ(path, "no index");
        }
        this.#same(value.kind, node.cls, path);
        this.#sameDtype(value.dtype, node.dtype, `${path}.dtype`);
        this.check(node.name, value.name, `${path}.name`);
        if (node.range) this.#same(value.range, node.range, `${path}.range`);
        return this.#list(node.values, value.toArray(), path);
      case "pd.Series":
        if (!(value instanceof Series)) return this.#differ(path, "no series");
        this.#sameDtype(value.dtype, node.dtype, `${path}.dtype`);
        this.check(node.name, value.name, `${path}.name`);
        this.check(node.index, value.index, `${path}.index`);
        return this.#list(node.values, value.toArray(), path);
      case "pd.Categorical":
        if (!(value instanceof PandasArray)) {
          return this.#differ(path, "no categorical");
        }
        this.#same(value.codes?.toArray(), node.codes, `${path}.codes`);
        this.#same(value.ordered, node.ordered, `${path}.ordered`);
        return this.#list(
          node.categories.values,
          value.categories ?? [],
          `${path}.categories`,
        );
      case "pd.array":
        if (!(value instanceof PandasArray)) {
          return this.#differ(path, "no array");
        }
        this.#sameDtype(value.dtype, node.dtype, `${path}.dtype`);
        return this.#list(node.values, value.toArray(), path);
      case "pd.DataFrame":
        if (!(value instanceof DataFrame)) {
          return this.#differ(path, "no frame");
        }
        this.#same(value.shape, node.shape, `${path}.shape`);
        this.#same(value.dtypes, node.dtypes, `${path}.dtypes`);
        this.check(node.index, value.index, `${path}.index`);
        this.check(node.columns, value.columnIndex, `${path}.columns`);
        node.data.forEach((column: Node[], i: number) => {
          this.#list(column, value.columnAt(i) ?? [], `${path}.column ${i}`);
        });
        return;
    }
    this.#differ(path, `nothing compares ${node.t}`);
  }
}

/** What `Module.state_dict` gives. */
function stateDict(module: unknown, prefix = ""): Map<string, unknown> {
  const result = new Map<string, unknown>();
  for (const name of ["_parameters", "_buffers"]) {
    for (const [key, value] of entriesOf(attributeOf(module, name))) {
      if (value !== null) result.set(`${prefix}${key}`, value);
    }
  }
  for (const [key, inner] of entriesOf(attributeOf(module, "_modules"))) {
    for (const [name, value] of stateDict(inner, `${prefix}${key}.`)) {
      result.set(name, value);
    }
  }
  return result;
}

/** Leaves that plain JSON must hold, in order; null where it may be left out. */
function* leaves(node: Node): Generator<string> {
  switch (node.t) {
    case "bool":
      yield node.v ? "true" : "false";
      return;
    case "int":
      yield node.v;
      return;
    case "float":
      // A missing value of a table is null.
      if (!/nan/.test(node.v)) yield node.v;
      return;
    case "str":
      if (node.n === undefined) yield JSON.stringify(node.v);
      return;
    case "list":
    case "tuple":
      for (const item of node.v ?? []) yield* leaves(item);
      return;
    case "dict":
    case "ordereddict":
      for (const [, item] of node.v) yield* leaves(item);
      return;
    case "ndarray":
      for (const value of node.values ?? []) {
        if (typeof value === "string") {
          if (/^[bifu]$/.test(node.kind)) {
            yield value === "True"
              ? "true"
              : value === "False"
              ? "false"
              : value.replace("inf", "Infinity").replace("nan", "NaN");
          } else if (node.kind !== "V" && value !== "NaT") {
            yield JSON.stringify(value.replace(/^'(.*)'$/, "$1"));
          }
        } else if (!Array.isArray(value)) yield* leaves(value);
      }
      return;
    case "np.ma":
      for (let i = 0; i < node.data.values.length; i++) {
        if (node.mask.values[i] === "False") yield node.data.values[i];
      }
      return;
    case "npscalar":
      yield /^.[biuf]/.test(node.dtype) ? node.v : JSON.stringify(node.v);
      return;
    case "sparse":
      for (const [, , value] of node.coo) yield value;
      return;
    case "torch.Tensor":
      for (const value of node.values) {
        yield /complex/.test(node.dtype) ? JSON.stringify(value) : value;
      }
      return;
    case "torch.module":
      yield* leaves(node.state_dict);
      return;
    case "pd.Series":
    case "pd.Index":
    case "pd.array":
      for (const value of node.values) yield* leaves(value);
      return;
    case "pd.DataFrame":
      for (const column of node.data) {
        for (const value of column) yield* leaves(value);
      }
      return;
    case "pd.Categorical":
      for (const code of node.codes) {
        if (code >= 0) yield* leaves(node.categories.values[code]);
      }
      return;
    case "pd.Timestamp":
    case "pd.Period":
    case "pd.dtype":
      yield JSON.stringify(node.v);
      return;
    case "nx.graph":
      for (const [id, data] of node.nodes) {
        yield* leaves(id);
        yield* leaves(data);
      }
      for (const edge of node.edges) {
        for (const part of edge) yield* leaves(part);
      }
      return;
    case "sklearn":
      for (const part of [node.params, node.fitted]) {
        for (const value of Object.values(part)) yield* leaves(value as Node);
      }
      return;
    case "object":
      if (node.state !== undefined) yield* leaves(node.state);
      return;
  }
}

/**
 * Looks for the described values in plain JSON.
 *
 * @param node The description.
 * @param text The JSON.
 * @returns Values that are described and not there.
 */
export function missingFrom(node: Node, text: string): string[] {
  const counts = new Map<string, number>();
  const tokens =
    /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|NaN|-?Infinity/g;
  for (const [token] of text.matchAll(tokens)) {
    const value = normalLeaf(token);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const missing: string[] = [];
  for (const leaf of leaves(node)) {
    const value = normalLeaf(leaf);
    const left = counts.get(value) ?? 0;
    if (left === 0) missing.push(leaf);
    else counts.set(value, left - 1);
  }
  return missing;
}

/** 1 and 1.0 are alike: an int may have been saved where a float is told. */
function normalLeaf(text: string): string {
  if (text.startsWith('"')) return `"${JSON.parse(text)}`;
  if (/^-?\d+$/.test(text)) return text;
  const number = Number(text);
  return Number.isNaN(number) ? text : String(number);
}
