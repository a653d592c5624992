/**
 * Compares descriptions: type, value, and which nodes are one object.
 *
 * @module
 */

import { canonical } from "./describe.ts";
import type { Node } from "./fixtures.ts";
import { fromHex } from "./hex.ts";

/** Which ids of one side are which of the other. */
interface Sharing {
  forth: Map<number, number>;
  back: Map<number, number>;
  /** Whether the pickle is of protocol 0 or 1. */
  old: boolean;
}

/** Modules that say where C keeps what Python shows elsewhere. */
const MODULES = new Map([
  ["_functools", "functools"],
  ["posixpath", "os.path"],
  ["_io", "io"],
  ["_operator", "operator"],
]);

function isDict(node: Node): boolean {
  return node.t === "dict";
}

/** Forms that mean the same are made the same. */
function normal(node: Node, sharing: Sharing): Node {
  if (node.t === "global") {
    // reduce has been a builtin in Python 2.
    const m = node.m === "builtins" && node.n === "reduce"
      ? "functools"
      : MODULES.get(node.m) ?? node.m;
    // Below protocol 3 it is written as what Python 2 calls it.
    const n = node.n === "FileNotFoundError"
      ? "OSError"
      : node.n.replace(/^_make_(stat|statvfs)_result$/, "$1_result");
    return m === node.m && n === node.n ? node : { t: "global", m, n };
  }
  if (node.t === "array" && node.typecode === "c") {
    return { ...node, typecode: "B" }; // Python 2's characters
  }
  if (node.t !== "object" && node.t !== "reduce") return node;
  const [first, second] = node.args?.v ?? [];
  const charset = second?.t === "py2str" ? settlePython2(second) : second;
  if (
    node.t === "reduce" && first?.t === "str" && charset?.t === "str" &&
    /^latin-?1$/.test(charset.v)
  ) {
    // bytearray("text", "latin-1"), as it was written below protocol 3.
    const hex = Array.from(
      first.v as string,
      (c) => c.charCodeAt(0).toString(16).padStart(2, "0"),
    ).join("");
    node = { ...node, args: { t: "tuple", v: [{ t: "bytes", hex }] } };
  }
  if (
    node.state?.t === "tuple" && node.state.v.length === 2 &&
    node.state.v[0].t === "none" && isDict(node.state.v[1])
  ) node = { ...node, state: node.state.v[1] };
  if (sharing.old && node.t === "object" && node.args?.v?.length === 1) {
    // _reconstructor(cls, tuple, (1, 2)) for cls.__new__(cls, 1, 2).
    if (first.t === "tuple") node = { ...node, args: first };
    if (first.t === "complex") {
      node = { ...node, args: { t: "tuple", v: [first.re, first.im] } };
    }
  }
  return node;
}

/**
 * Compares what is expected with what came.
 *
 * @param expected As Python describes it.
 * @param actual As describe.ts or Python does.
 * @param options The protocol that `actual` came by.
 * @returns Where they differ and how, or undefined.
 */
export function difference(
  expected: Node,
  actual: Node,
  options: { protocol?: number } = {},
): string | undefined {
  return compare(expected, actual, "$", {
    forth: new Map(),
    back: new Map(),
    old: (options.protocol ?? 2) < 2,
  });
}

/**
 * The protocol of a pickle, for {@linkcode difference}: what protocols 0 and 1
 * say of an object is less than what later ones say.
 *
 * @param bytes The pickle.
 * @returns Its protocol; 0 for 1.
 */
export function protocolOf(bytes: Uint8Array): number {
  return bytes[0] === 0x80 ? bytes[1]! : 0;
}

function brief(node: unknown): string {
  const text = JSON.stringify(node) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

const LATIN1_OR_TEXT = new TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});

/** What Brine makes of a Python 2 `str`: text where it is UTF-8. */
function settlePython2(node: Node): Node {
  try {
    const bytes = fromHex(node.hex);
    return { t: "str", v: LATIN1_OR_TEXT.decode(bytes) };
  } catch {
    return { t: "bytes", hex: node.hex };
  }
}

function same(a: number, b: number, sharing: Sharing): boolean {
  const forth = sharing.forth.get(a);
  const back = sharing.back.get(b);
  if (forth === undefined && back === undefined) {
    sharing.forth.set(a, b);
    sharing.back.set(b, a);
    return true;
  }
  return forth === b && back === a;
}

function isEmptyState(node: Node | undefined): boolean {
  return node === undefined || node.t === "dict" && node.v.length === 0;
}

function compare(
  expected: Node,
  actual: Node,
  at: string,
  sharing: Sharing,
): string | undefined {
  if (expected.t === "py2str") {
    const inObject = at.includes("args") || at.includes("state") ||
      at.includes("items") || at.includes("pairs");
    // A type's own arguments are bytes whatever they look like.
    if (inObject && actual.t === "bytes" && actual.hex === expected.hex) {
      return undefined;
    }
    if (actual.t !== "py2str") expected = settlePython2(expected);
  }
  expected = normal(expected, sharing);
  actual = normal(actual, sharing);
  if (sharing.old && actual.t === "object" && actual.args.v.length === 0) {
    // _reconstructor(cls, object, None) does not ask __getnewargs__.
    expected = { ...expected, args: actual.args };
    delete expected.kwargs;
  }
  if (expected.t !== actual.t) {
    return `${at}: expected ${brief(expected)}, got ${brief(actual)}`;
  }
  if (
    (expected.id === undefined) !== (actual.id === undefined) ||
    expected.id !== undefined && !same(expected.id, actual.id!, sharing)
  ) {
    return `${at}: expected sharing as in ${brief(expected)}, got ${
      brief(actual)
    }`;
  }
  if (expected.t === "float") {
    const nan = (bits: string) =>
      (parseInt(bits.slice(0, 3), 16) & 0x7ff) === 0x7ff &&
      !/^[7f]ff0{13}$/.test(bits);
    return expected.bits === actual.bits ||
        nan(expected.bits) && nan(actual.bits)
      ? undefined
      : `${at}: expected float ${
        expected.v ?? expected.bits
      }, got ${actual.bits}`;
  }
  const fields = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  fields.delete("t");
  fields.delete("id");
  // In pyd.py's order, which decides who is a ref and who is not.
  for (
    const name of ["cls", "func", "args", "kwargs", "items", "pairs", "state"]
  ) {
    if (fields.delete(name)) fields.add(name);
  }
  for (const name of fields) {
    const e = expected[name];
    const a = actual[name];
    const where = name === "v" ? at : `${at}.${name}`;
    if (name === "u") continue;
    if (name === "state" && isEmptyState(e) && isEmptyState(a)) continue;
    if (
      name === "v" && (expected.t === "set" || expected.t === "frozenset" ||
        expected.u || actual.u)
    ) {
      const wrong = compareUnordered(e, a, where, sharing);
      if (wrong !== undefined) return wrong;
      continue;
    }
    const wrong = compareField(e, a, where, sharing);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function compareField(
  expected: unknown,
  actual: unknown,
  at: string,
  sharing: Sharing,
): string | undefined {
  if (expected === actual) return undefined;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) {
      return `${at}: expected ${expected.length} items, got ${actual.length}`;
    }
    for (let i = 0; i < expected.length; i++) {
      const wrong = compareField(
        expected[i],
        actual[i],
        `${at}[${i}]`,
        sharing,
      );
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (
    typeof expected === "object" && expected !== null &&
    typeof actual === "object" && actual !== null &&
    !Array.isArray(expected) && !Array.isArray(actual)
  ) return compare(expected as Node, actual as Node, at, sharing);
  return `${at}: expected ${brief(expected)}, got ${brief(actual)}`;
}

function compareUnordered(
  expected: Node[],
  actual: Node[],
  at: string,
  sharing: Sharing,
): string | undefined {
  if (expected.length !== actual.length) {
    return `${at}: expected ${expected.length} elements, got ${actual.length}`;
  }
  const left = [...actual];
  if (expected.length > 40) {
    // Elements of so large a set are plain: order decides.
    const byKey = (a: Node, b: Node) => canonical(a) < canonical(b) ? -1 : 1;
    const sortedExpected = expected.map((node) =>
      node.t === "float" ? { t: "float", bits: node.bits } : node
    ).sort(byKey);
    return compareField(sortedExpected, left.sort(byKey), at, sharing);
  }
  for (const node of expected) {
    const found = left.findIndex((other) => {
      const trial = {
        forth: new Map(sharing.forth),
        back: new Map(sharing.back),
        old: sharing.old,
      };
      if (compare(node, other, at, trial) !== undefined) return false;
      sharing.forth = trial.forth;
      sharing.back = trial.back;
      return true;
    });
    if (found < 0) return `${at}: no element ${brief(node)} in ${brief(left)}`;
    left.splice(found, 1);
  }
  return undefined;
}
