import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumps } from "../../lib/pickle/dump.ts";
import { type DumpOptions, toPickle } from "../../lib/pickle/dump_options.ts";
import { PicklingError } from "../../lib/pickle/errors.ts";
import { genops } from "../../lib/pickle/genops.ts";
import { loads } from "../../lib/pickle/load.ts";

import { ByteArray } from "../../lib/python/byte_array.ts";
import { OrderedDict } from "../../lib/python/collections.ts";
import { Complex } from "../../lib/python/complex.ts";
import { Ellipsis, NotImplemented } from "../../lib/python/constants.ts";
import { PyDict } from "../../lib/python/dict.ts";
import { Float } from "../../lib/python/float.ts";
import {
  attributesOf,
  Extension,
  Global,
  PersistentId,
  PyObject,
  setAttributes,
} from "../../lib/python/object.ts";
import { PickleBuffer } from "../../lib/python/pickle_buffer.ts";
import { Range } from "../../lib/python/range.ts";
import type { Reduced } from "../../lib/python/registry.ts";
import { FrozenSet, PySet } from "../../lib/python/set.ts";
import { Slice } from "../../lib/python/slice.ts";
import { Tuple } from "../../lib/python/tuple.ts";

const PROTOCOLS = [0, 1, 2, 3, 4, 5];

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values);
}

function shared(): unknown {
  const list = [1];
  return [list, list, Tuple.of(list)];
}

function cycle(): unknown {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

/** A tuple of a list that holds the tuple, and some numbers. */
function tupleCycle(more: number): unknown {
  const list: unknown[] = [];
  const tuple = Tuple.from<unknown>([list, 1, 2, 3].slice(0, 1 + more));
  list.push(tuple);
  return tuple;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function dict(length: number): unknown {
  return Object.fromEntries(range(length).map((i) => [`k${i}`, i]));
}

function integers(length: number): unknown {
  return new PyDict(range(length).map((i) => [i, i] as const));
}

function lists(length: number): unknown {
  return Object.fromEntries(range(length).map((i) => [`k${i}`, [i]]));
}

function within(length: number): unknown {
  return Object.fromEntries(
    range(length).map((i) => [`k${i}`, i === 5 ? [] : i]),
  );
}

function records(length: number): unknown {
  const tags = () => ["a", "b"];
  return range(length).map((i) => ({
    id: i,
    name: `n${i}`,
    half: i / 2 + 0.25,
    tags: tags(),
    pair: Tuple.of(i, null),
  }));
}

function nested(depth: number): unknown {
  let list: unknown[] = [];
  for (let i = 0; i < depth; i++) list = [list];
  return list;
}

/** Names of the opcodes. */
function opcodes(pickle: Uint8Array<ArrayBuffer>): string[] {
  return [...genops(pickle)].map(({ opcode }) => opcode.name);
}

function refused(
  value: unknown,
  expected: { code: string; path: string },
  options?: DumpOptions,
): void {
  const error = assertThrows(() => dumps(value, options), PicklingError);
  assertEquals({ code: error.code, path: error.path }, expected);
}

async function digest(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", data);
  return new Uint8Array(hash).toHex().slice(0, 16);
}

const GOLDEN: [name: string, value: () => unknown, pickles: string[]][] = [
  ["None", () => (null), [
    "N.",
    "N.",
    "\u0080\u0002N.",
    "\u0080\u0003N.",
    "\u0080\u0004N.",
    "\u0080\u0005N.",
  ]],
  ["True and False", () => [true, false], [
    "(lp0\nI01\naI00\na.",
    "]q\u0000(I01\nI00\ne.",
    "\u0080\u0002]q\u0000(\u0088\u0089e.",
    "\u0080\u0003]q\u0000(\u0088\u0089e.",
    "\u0080\u0004\u0095\u0007\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u0088\u0089e.",
    "\u0080\u0005\u0095\u0007\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u0088\u0089e.",
  ]],
  ["integers", () => [0, 255, 256, 65535, 65536, -1, 2147483647, -2147483648], [
    "(lp0\nI0\naI255\naI256\naI65535\naI65536\naI-1\naI2147483647\naI-2147483648\na.",
    "]q\u0000(K\u0000K\u00ffM\u0000\u0001M\u00ff\u00ffJ\u0000\u0000\u0001\u0000J\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u007fJ\u0000\u0000\u0000\u0080e.",
    "\u0080\u0002]q\u0000(K\u0000K\u00ffM\u0000\u0001M\u00ff\u00ffJ\u0000\u0000\u0001\u0000J\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u007fJ\u0000\u0000\u0000\u0080e.",
    "\u0080\u0003]q\u0000(K\u0000K\u00ffM\u0000\u0001M\u00ff\u00ffJ\u0000\u0000\u0001\u0000J\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u007fJ\u0000\u0000\u0000\u0080e.",
    "\u0080\u0004\u0095#\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(K\u0000K\u00ffM\u0000\u0001M\u00ff\u00ffJ\u0000\u0000\u0001\u0000J\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u007fJ\u0000\u0000\u0000\u0080e.",
    "\u0080\u0005\u0095#\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(K\u0000K\u00ffM\u0000\u0001M\u00ff\u00ffJ\u0000\u0000\u0001\u0000J\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u007fJ\u0000\u0000\u0000\u0080e.",
  ]],
  [
    "wide integers",
    () => [
      2 ** 31,
      -(2 ** 31) - 1,
      2 ** 39,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ],
    [
      "(lp0\nL2147483648L\naL-2147483649L\naL549755813888L\naL9007199254740991L\naL-9007199254740991L\na.",
      "]q\u0000(L2147483648L\nL-2147483649L\nL549755813888L\nL9007199254740991L\nL-9007199254740991L\ne.",
      "\u0080\u0002]q\u0000(\u008a\u0005\u0000\u0000\u0000\u0080\u0000\u008a\u0005\u00ff\u00ff\u00ff\u007f\u00ff\u008a\u0006\u0000\u0000\u0000\u0000\u0080\u0000\u008a\u0007\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u001f\u008a\u0007\u0001\u0000\u0000\u0000\u0000\u0000\u00e0e.",
      "\u0080\u0003]q\u0000(\u008a\u0005\u0000\u0000\u0000\u0080\u0000\u008a\u0005\u00ff\u00ff\u00ff\u007f\u00ff\u008a\u0006\u0000\u0000\u0000\u0000\u0080\u0000\u008a\u0007\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u001f\u008a\u0007\u0001\u0000\u0000\u0000\u0000\u0000\u00e0e.",
      "\u0080\u0004\u0095-\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008a\u0005\u0000\u0000\u0000\u0080\u0000\u008a\u0005\u00ff\u00ff\u00ff\u007f\u00ff\u008a\u0006\u0000\u0000\u0000\u0000\u0080\u0000\u008a\u0007\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u001f\u008a\u0007\u0001\u0000\u0000\u0000\u0000\u0000\u00e0e.",
      "\u0080\u0005\u0095-\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008a\u0005\u0000\u0000\u0000\u0080\u0000\u008a\u0005\u00ff\u00ff\u00ff\u007f\u00ff\u008a\u0006\u0000\u0000\u0000\u0000\u0080\u0000\u008a\u0007\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u001f\u008a\u0007\u0001\u0000\u0000\u0000\u0000\u0000\u00e0e.",
    ],
  ],
  [
    "bigints",
    () => [
      2n ** 63n,
      -(2n ** 63n),
      -(2n ** 63n) - 1n,
      2n ** 64n,
      -255n,
      10n ** 20n,
    ],
    [
      "(lp0\nL9223372036854775808L\naL-9223372036854775808L\naL-9223372036854775809L\naL18446744073709551616L\naI-255\naL100000000000000000000L\na.",
      "]q\u0000(L9223372036854775808L\nL-9223372036854775808L\nL-9223372036854775809L\nL18446744073709551616L\nJ\u0001\u00ff\u00ff\u00ffL100000000000000000000L\ne.",
      "\u0080\u0002]q\u0000(\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u0000\u008a\b\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u008a\t\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\u00ff\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001J\u0001\u00ff\u00ff\u00ff\u008a\t\u0000\u0000\u0010c-^\u00c7k\u0005e.",
      "\u0080\u0003]q\u0000(\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u0000\u008a\b\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u008a\t\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\u00ff\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001J\u0001\u00ff\u00ff\u00ff\u008a\t\u0000\u0000\u0010c-^\u00c7k\u0005e.",
      "\u0080\u0004\u0095@\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u0000\u008a\b\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u008a\t\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\u00ff\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001J\u0001\u00ff\u00ff\u00ff\u008a\t\u0000\u0000\u0010c-^\u00c7k\u0005e.",
      "\u0080\u0005\u0095@\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u0000\u008a\b\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u008a\t\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\u00ff\u008a\t\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001J\u0001\u00ff\u00ff\u00ff\u008a\t\u0000\u0000\u0010c-^\u00c7k\u0005e.",
    ],
  ],
  [
    "floats",
    () => [0.5, -0, NaN, Infinity, -Infinity, 1e300, new Float(1), 1.5e-7],
    [
      "(lp0\nF0.5\naF-0.0\naFnan\naFinf\naF-inf\naF1e+300\naF1.0\naF1.5e-07\na.",
      "]q\u0000(G?\u00e0\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G\u00ff\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G~7\u00e4<\u0088\u0000u\u009cG?\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G>\u0084!\u00f5\u00f4\r\u0083ve.",
      "\u0080\u0002]q\u0000(G?\u00e0\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G\u00ff\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G~7\u00e4<\u0088\u0000u\u009cG?\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G>\u0084!\u00f5\u00f4\r\u0083ve.",
      "\u0080\u0003]q\u0000(G?\u00e0\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G\u00ff\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G~7\u00e4<\u0088\u0000u\u009cG?\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G>\u0084!\u00f5\u00f4\r\u0083ve.",
      "\u0080\u0004\u0095M\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(G?\u00e0\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G\u00ff\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G~7\u00e4<\u0088\u0000u\u009cG?\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G>\u0084!\u00f5\u00f4\r\u0083ve.",
      "\u0080\u0005\u0095M\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(G?\u00e0\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u007f\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G\u00ff\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G~7\u00e4<\u0088\u0000u\u009cG?\u00f0\u0000\u0000\u0000\u0000\u0000\u0000G>\u0084!\u00f5\u00f4\r\u0083ve.",
    ],
  ],
  ["text", () => ["", "a", "\xe9\u65e5\u{1f600}", "\ud800", "\\\n\r\0\x1a"], [
    "(lp0\nV\np1\naVa\np2\naV\u00e9\\u65e5\\U0001f600\np3\naV\\ud800\np4\naV\\u005c\\u000a\\u000d\\u0000\\u001a\np5\na.",
    "]q\u0000(X\u0000\u0000\u0000\u0000q\u0001X\u0001\u0000\u0000\u0000aq\u0002X\t\u0000\u0000\u0000\u00c3\u00a9\u00e6\u0097\u00a5\u00f0\u009f\u0098\u0080q\u0003X\u0003\u0000\u0000\u0000\u00ed\u00a0\u0080q\u0004X\u0005\u0000\u0000\u0000\\\n\r\u0000\u001aq\u0005e.",
    "\u0080\u0002]q\u0000(X\u0000\u0000\u0000\u0000q\u0001X\u0001\u0000\u0000\u0000aq\u0002X\t\u0000\u0000\u0000\u00c3\u00a9\u00e6\u0097\u00a5\u00f0\u009f\u0098\u0080q\u0003X\u0003\u0000\u0000\u0000\u00ed\u00a0\u0080q\u0004X\u0005\u0000\u0000\u0000\\\n\r\u0000\u001aq\u0005e.",
    "\u0080\u0003]q\u0000(X\u0000\u0000\u0000\u0000q\u0001X\u0001\u0000\u0000\u0000aq\u0002X\t\u0000\u0000\u0000\u00c3\u00a9\u00e6\u0097\u00a5\u00f0\u009f\u0098\u0080q\u0003X\u0003\u0000\u0000\u0000\u00ed\u00a0\u0080q\u0004X\u0005\u0000\u0000\u0000\\\n\r\u0000\u001aq\u0005e.",
    "\u0080\u0004\u0095&\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\u0000\u0094\u008c\u0001a\u0094\u008c\t\u00c3\u00a9\u00e6\u0097\u00a5\u00f0\u009f\u0098\u0080\u0094\u008c\u0003\u00ed\u00a0\u0080\u0094\u008c\u0005\\\n\r\u0000\u001a\u0094e.",
    "\u0080\u0005\u0095&\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\u0000\u0094\u008c\u0001a\u0094\u008c\t\u00c3\u00a9\u00e6\u0097\u00a5\u00f0\u009f\u0098\u0080\u0094\u008c\u0003\u00ed\u00a0\u0080\u0094\u008c\u0005\\\n\r\u0000\u001a\u0094e.",
  ]],
  ["equal texts", () => ["spam", "spam", { spam: "spam" }], [
    "(lp0\nVspam\np1\nag1\na(dp2\ng1\ng1\nsa.",
    "]q\u0000(X\u0004\u0000\u0000\u0000spamq\u0001h\u0001}q\u0002h\u0001h\u0001se.",
    "\u0080\u0002]q\u0000(X\u0004\u0000\u0000\u0000spamq\u0001h\u0001}q\u0002h\u0001h\u0001se.",
    "\u0080\u0003]q\u0000(X\u0004\u0000\u0000\u0000spamq\u0001h\u0001}q\u0002h\u0001h\u0001se.",
    "\u0080\u0004\u0095\u0015\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\u0004spam\u0094h\u0001}\u0094h\u0001h\u0001se.",
    "\u0080\u0005\u0095\u0015\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\u0004spam\u0094h\u0001}\u0094h\u0001h\u0001se.",
  ]],
  [
    "bytes",
    () => [new Uint8Array(0), bytes(1), bytes(1), bytes(1, 255), bytes(1, 255)],
    [
      "(lp0\nc__builtin__\nbytes\np1\n(tRp2\nac_codecs\nencode\np3\n(V\u0001\np4\nVlatin1\np5\ntp6\nRp7\nag7\nag3\n(V\u0001\u00ff\np8\ng5\ntp9\nRp10\nag3\n(V\u0001\u00ff\np11\ng5\ntp12\nRp13\na.",
      "]q\u0000(c__builtin__\nbytes\nq\u0001)Rq\u0002c_codecs\nencode\nq\u0003(X\u0001\u0000\u0000\u0000\u0001q\u0004X\u0006\u0000\u0000\u0000latin1q\u0005tq\u0006Rq\u0007h\u0007h\u0003(X\u0003\u0000\u0000\u0000\u0001\u00c3\u00bfq\bh\u0005tq\tRq\nh\u0003(X\u0003\u0000\u0000\u0000\u0001\u00c3\u00bfq\u000bh\u0005tq\fRq\re.",
      "\u0080\u0002]q\u0000(c__builtin__\nbytes\nq\u0001)Rq\u0002c_codecs\nencode\nq\u0003X\u0001\u0000\u0000\u0000\u0001q\u0004X\u0006\u0000\u0000\u0000latin1q\u0005\u0086q\u0006Rq\u0007h\u0007h\u0003X\u0003\u0000\u0000\u0000\u0001\u00c3\u00bfq\bh\u0005\u0086q\tRq\nh\u0003X\u0003\u0000\u0000\u0000\u0001\u00c3\u00bfq\u000bh\u0005\u0086q\fRq\re.",
      "\u0080\u0003]q\u0000(C\u0000q\u0001C\u0001\u0001q\u0002h\u0002C\u0002\u0001\u00ffq\u0003C\u0002\u0001\u00ffq\u0004e.",
      "\u0080\u0004\u0095\u0018\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(C\u0000\u0094C\u0001\u0001\u0094h\u0002C\u0002\u0001\u00ff\u0094C\u0002\u0001\u00ff\u0094e.",
      "\u0080\u0005\u0095\u0018\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(C\u0000\u0094C\u0001\u0001\u0094h\u0002C\u0002\u0001\u00ff\u0094C\u0002\u0001\u00ff\u0094e.",
    ],
  ],
  ["bytearrays", () => [new ByteArray(0), new ByteArray([1, 255])], [
    "(lp0\nc__builtin__\nbytearray\np1\n(tRp2\nag1\n(c_codecs\nencode\np3\n(V\u0001\u00ff\np4\nVlatin1\np5\ntp6\nRp7\ntp8\nRp9\na.",
    "]q\u0000(c__builtin__\nbytearray\nq\u0001)Rq\u0002h\u0001(c_codecs\nencode\nq\u0003(X\u0003\u0000\u0000\u0000\u0001\u00c3\u00bfq\u0004X\u0006\u0000\u0000\u0000latin1q\u0005tq\u0006Rq\u0007tq\bRq\te.",
    "\u0080\u0002]q\u0000(c__builtin__\nbytearray\nq\u0001)Rq\u0002h\u0001c_codecs\nencode\nq\u0003X\u0003\u0000\u0000\u0000\u0001\u00c3\u00bfq\u0004X\u0006\u0000\u0000\u0000latin1q\u0005\u0086q\u0006Rq\u0007\u0085q\bRq\te.",
    "\u0080\u0003]q\u0000(cbuiltins\nbytearray\nq\u0001)Rq\u0002h\u0001C\u0002\u0001\u00ffq\u0003\u0085q\u0004Rq\u0005e.",
    "\u0080\u0004\u0095,\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\tbytearray\u0094\u0093\u0094)R\u0094h\u0003C\u0002\u0001\u00ff\u0094\u0085\u0094R\u0094e.",
    "\u0080\u0005\u0095\u001b\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u0096\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0094\u0096\u0002\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001\u00ff\u0094e.",
  ]],
  ["lists", () => [[], [1], [1, 2]], [
    "(lp0\n(lp1\na(lp2\nI1\naa(lp3\nI1\naI2\naa.",
    "]q\u0000(]q\u0001]q\u0002K\u0001a]q\u0003(K\u0001K\u0002ee.",
    "\u0080\u0002]q\u0000(]q\u0001]q\u0002K\u0001a]q\u0003(K\u0001K\u0002ee.",
    "\u0080\u0003]q\u0000(]q\u0001]q\u0002K\u0001a]q\u0003(K\u0001K\u0002ee.",
    "\u0080\u0004\u0095\u0014\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(]\u0094]\u0094K\u0001a]\u0094(K\u0001K\u0002ee.",
    "\u0080\u0005\u0095\u0014\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(]\u0094]\u0094K\u0001a]\u0094(K\u0001K\u0002ee.",
  ]],
  [
    "tuples",
    () => (Tuple.of<unknown>(
      Tuple.of(),
      Tuple.of(1),
      Tuple.of(1, 2),
      Tuple.of(1, 2, 3),
      Tuple.of(1, 2, 3, 4),
    )),
    [
      "((t(I1\ntp0\n(I1\nI2\ntp1\n(I1\nI2\nI3\ntp2\n(I1\nI2\nI3\nI4\ntp3\ntp4\n.",
      "()(K\u0001tq\u0000(K\u0001K\u0002tq\u0001(K\u0001K\u0002K\u0003tq\u0002(K\u0001K\u0002K\u0003K\u0004tq\u0003tq\u0004.",
      "\u0080\u0002()K\u0001\u0085q\u0000K\u0001K\u0002\u0086q\u0001K\u0001K\u0002K\u0003\u0087q\u0002(K\u0001K\u0002K\u0003K\u0004tq\u0003tq\u0004.",
      "\u0080\u0003()K\u0001\u0085q\u0000K\u0001K\u0002\u0086q\u0001K\u0001K\u0002K\u0003\u0087q\u0002(K\u0001K\u0002K\u0003K\u0004tq\u0003tq\u0004.",
      '\u0080\u0004\u0095"\u0000\u0000\u0000\u0000\u0000\u0000\u0000()K\u0001\u0085\u0094K\u0001K\u0002\u0086\u0094K\u0001K\u0002K\u0003\u0087\u0094(K\u0001K\u0002K\u0003K\u0004t\u0094t\u0094.',
      '\u0080\u0005\u0095"\u0000\u0000\u0000\u0000\u0000\u0000\u0000()K\u0001\u0085\u0094K\u0001K\u0002\u0086\u0094K\u0001K\u0002K\u0003\u0087\u0094(K\u0001K\u0002K\u0003K\u0004t\u0094t\u0094.',
    ],
  ],
  [
    "dicts",
    () => [
      {},
      { a: 1 },
      { a: 1, b: { c: null } },
      new PyDict<unknown, unknown>([[1, 2], [Tuple.of(1), "x"]]),
      new Map([[1, 2]]),
    ],
    [
      "(lp0\n(dp1\na(dp2\nVa\np3\nI1\nsa(dp4\ng3\nI1\nsVb\np5\n(dp6\nVc\np7\nNssa(dp8\nI1\nI2\ns(I1\ntp9\nVx\np10\nsa(dp11\nI1\nI2\nsa.",
      "]q\u0000(}q\u0001}q\u0002X\u0001\u0000\u0000\u0000aq\u0003K\u0001s}q\u0004(h\u0003K\u0001X\u0001\u0000\u0000\u0000bq\u0005}q\u0006X\u0001\u0000\u0000\u0000cq\u0007Nsu}q\b(K\u0001K\u0002(K\u0001tq\tX\u0001\u0000\u0000\u0000xq\nu}q\u000bK\u0001K\u0002se.",
      "\u0080\u0002]q\u0000(}q\u0001}q\u0002X\u0001\u0000\u0000\u0000aq\u0003K\u0001s}q\u0004(h\u0003K\u0001X\u0001\u0000\u0000\u0000bq\u0005}q\u0006X\u0001\u0000\u0000\u0000cq\u0007Nsu}q\b(K\u0001K\u0002K\u0001\u0085q\tX\u0001\u0000\u0000\u0000xq\nu}q\u000bK\u0001K\u0002se.",
      "\u0080\u0003]q\u0000(}q\u0001}q\u0002X\u0001\u0000\u0000\u0000aq\u0003K\u0001s}q\u0004(h\u0003K\u0001X\u0001\u0000\u0000\u0000bq\u0005}q\u0006X\u0001\u0000\u0000\u0000cq\u0007Nsu}q\b(K\u0001K\u0002K\u0001\u0085q\tX\u0001\u0000\u0000\u0000xq\nu}q\u000bK\u0001K\u0002se.",
      "\u0080\u0004\u0095;\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(}\u0094}\u0094\u008c\u0001a\u0094K\u0001s}\u0094(h\u0003K\u0001\u008c\u0001b\u0094}\u0094\u008c\u0001c\u0094Nsu}\u0094(K\u0001K\u0002K\u0001\u0085\u0094\u008c\u0001x\u0094u}\u0094K\u0001K\u0002se.",
      "\u0080\u0005\u0095;\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(}\u0094}\u0094\u008c\u0001a\u0094K\u0001s}\u0094(h\u0003K\u0001\u008c\u0001b\u0094}\u0094\u008c\u0001c\u0094Nsu}\u0094(K\u0001K\u0002K\u0001\u0085\u0094\u008c\u0001x\u0094u}\u0094K\u0001K\u0002se.",
    ],
  ],
  [
    "sets",
    () => [
      new PySet([1]),
      new FrozenSet([2]),
      new Set<number>(),
      new FrozenSet(),
    ],
    [
      "(lp0\nc__builtin__\nset\np1\n((lp2\nI1\natp3\nRp4\nac__builtin__\nfrozenset\np5\n((lp6\nI2\natp7\nRp8\nag1\n((lp9\ntp10\nRp11\nag5\n((lp12\ntp13\nRp14\na.",
      "]q\u0000(c__builtin__\nset\nq\u0001(]q\u0002K\u0001atq\u0003Rq\u0004c__builtin__\nfrozenset\nq\u0005(]q\u0006K\u0002atq\u0007Rq\bh\u0001(]q\ttq\nRq\u000bh\u0005(]q\ftq\rRq\u000ee.",
      "\u0080\u0002]q\u0000(c__builtin__\nset\nq\u0001]q\u0002K\u0001a\u0085q\u0003Rq\u0004c__builtin__\nfrozenset\nq\u0005]q\u0006K\u0002a\u0085q\u0007Rq\bh\u0001]q\t\u0085q\nRq\u000bh\u0005]q\f\u0085q\rRq\u000ee.",
      "\u0080\u0003]q\u0000(cbuiltins\nset\nq\u0001]q\u0002K\u0001a\u0085q\u0003Rq\u0004cbuiltins\nfrozenset\nq\u0005]q\u0006K\u0002a\u0085q\u0007Rq\bh\u0001]q\t\u0085q\nRq\u000bh\u0005]q\f\u0085q\rRq\u000ee.",
      "\u0080\u0004\u0095\u0015\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008f\u0094(K\u0001\u0090(K\u0002\u0091\u0094\u008f\u0094(\u0091\u0094e.",
      "\u0080\u0005\u0095\u0015\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008f\u0094(K\u0001\u0090(K\u0002\u0091\u0094\u008f\u0094(\u0091\u0094e.",
    ],
  ],
  ["a shared list", () => (shared()), [
    "(lp0\n(lp1\nI1\naag1\na(g1\ntp2\na.",
    "]q\u0000(]q\u0001K\u0001ah\u0001(h\u0001tq\u0002e.",
    "\u0080\u0002]q\u0000(]q\u0001K\u0001ah\u0001h\u0001\u0085q\u0002e.",
    "\u0080\u0003]q\u0000(]q\u0001K\u0001ah\u0001h\u0001\u0085q\u0002e.",
    "\u0080\u0004\u0095\u0010\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(]\u0094K\u0001ah\u0001h\u0001\u0085\u0094e.",
    "\u0080\u0005\u0095\u0010\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(]\u0094K\u0001ah\u0001h\u0001\u0085\u0094e.",
  ]],
  ["a list in itself", () => (cycle()), [
    "(lp0\ng0\na.",
    "]q\u0000h\u0000a.",
    "\u0080\u0002]q\u0000h\u0000a.",
    "\u0080\u0003]q\u0000h\u0000a.",
    "\u0080\u0004\u0095\u0006\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094h\u0000a.",
    "\u0080\u0005\u0095\u0006\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094h\u0000a.",
  ]],
  ["a tuple in itself", () => (tupleCycle(0)), [
    "((lp0\n(g0\ntp1\na00g1\n.",
    "(]q\u0000(h\u0000tq\u0001a1h\u0001.",
    "\u0080\u0002]q\u0000h\u0000\u0085q\u0001a0h\u0001.",
    "\u0080\u0003]q\u0000h\u0000\u0085q\u0001a0h\u0001.",
    "\u0080\u0004\u0095\u000b\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094h\u0000\u0085\u0094a0h\u0001.",
    "\u0080\u0005\u0095\u000b\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094h\u0000\u0085\u0094a0h\u0001.",
  ]],
  ["a longer tuple in itself", () => (tupleCycle(3)), [
    "((lp0\n(g0\nI1\nI2\nI3\ntp1\naI1\nI2\nI3\n00000g1\n.",
    "(]q\u0000(h\u0000K\u0001K\u0002K\u0003tq\u0001aK\u0001K\u0002K\u00031h\u0001.",
    "\u0080\u0002(]q\u0000(h\u0000K\u0001K\u0002K\u0003tq\u0001aK\u0001K\u0002K\u00031h\u0001.",
    "\u0080\u0003(]q\u0000(h\u0000K\u0001K\u0002K\u0003tq\u0001aK\u0001K\u0002K\u00031h\u0001.",
    "\u0080\u0004\u0095\u0019\u0000\u0000\u0000\u0000\u0000\u0000\u0000(]\u0094(h\u0000K\u0001K\u0002K\u0003t\u0094aK\u0001K\u0002K\u00031h\u0001.",
    "\u0080\u0005\u0095\u0019\u0000\u0000\u0000\u0000\u0000\u0000\u0000(]\u0094(h\u0000K\u0001K\u0002K\u0003t\u0094aK\u0001K\u0002K\u00031h\u0001.",
  ]],
  [
    "complex, range, slice",
    () => [new Complex(1.5, -0), new Range(1, 9, 2), new Slice(1, null)],
    [
      "(lp0\nc__builtin__\ncomplex\np1\n(F1.5\nF-0.0\ntp2\nRp3\nac__builtin__\nxrange\np4\n(I1\nI9\nI2\ntp5\nRp6\nac__builtin__\nslice\np7\n(I1\nNNtp8\nRp9\na.",
      "]q\u0000(c__builtin__\ncomplex\nq\u0001(G?\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000tq\u0002Rq\u0003c__builtin__\nxrange\nq\u0004(K\u0001K\tK\u0002tq\u0005Rq\u0006c__builtin__\nslice\nq\u0007(K\u0001NNtq\bRq\te.",
      "\u0080\u0002]q\u0000(c__builtin__\ncomplex\nq\u0001G?\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0086q\u0002Rq\u0003c__builtin__\nxrange\nq\u0004K\u0001K\tK\u0002\u0087q\u0005Rq\u0006c__builtin__\nslice\nq\u0007K\u0001NN\u0087q\bRq\te.",
      "\u0080\u0003]q\u0000(cbuiltins\ncomplex\nq\u0001G?\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0086q\u0002Rq\u0003cbuiltins\nrange\nq\u0004K\u0001K\tK\u0002\u0087q\u0005Rq\u0006cbuiltins\nslice\nq\u0007K\u0001NN\u0087q\bRq\te.",
      "\u0080\u0004\u0095\\\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\u0007complex\u0094\u0093\u0094G?\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0086\u0094R\u0094h\u0001\u008c\u0005range\u0094\u0093\u0094K\u0001K\tK\u0002\u0087\u0094R\u0094h\u0001\u008c\u0005slice\u0094\u0093\u0094K\u0001NN\u0087\u0094R\u0094e.",
      "\u0080\u0005\u0095\\\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\u0007complex\u0094\u0093\u0094G?\u00f8\u0000\u0000\u0000\u0000\u0000\u0000G\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0086\u0094R\u0094h\u0001\u008c\u0005range\u0094\u0093\u0094K\u0001K\tK\u0002\u0087\u0094R\u0094h\u0001\u008c\u0005slice\u0094\u0093\u0094K\u0001NN\u0087\u0094R\u0094e.",
    ],
  ],
  ["constants", () => [Ellipsis, NotImplemented, Ellipsis], [
    "(lp0\nc__builtin__\nEllipsis\np1\nac__builtin__\nNotImplemented\np2\nag1\na.",
    "]q\u0000(c__builtin__\nEllipsis\nq\u0001c__builtin__\nNotImplemented\nq\u0002h\u0001e.",
    "\u0080\u0002]q\u0000(c__builtin__\nEllipsis\nq\u0001c__builtin__\nNotImplemented\nq\u0002h\u0001e.",
    "\u0080\u0003]q\u0000(cbuiltins\nEllipsis\nq\u0001cbuiltins\nNotImplemented\nq\u0002h\u0001e.",
    "\u0080\u0004\u00954\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\bEllipsis\u0094\u0093\u0094h\u0001\u008c\u000eNotImplemented\u0094\u0093\u0094h\u0003e.",
    "\u0080\u0005\u00954\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\bEllipsis\u0094\u0093\u0094h\u0001\u008c\u000eNotImplemented\u0094\u0093\u0094h\u0003e.",
  ]],
  [
    "names",
    () => [
      new Global("builtins", "range"),
      new Global("collections", "OrderedDict"),
      new Global("builtins", "range"),
    ],
    [
      "(lp0\nc__builtin__\nxrange\np1\naccollections\nOrderedDict\np2\nag1\na.",
      "]q\u0000(c__builtin__\nxrange\nq\u0001ccollections\nOrderedDict\nq\u0002h\u0001e.",
      "\u0080\u0002]q\u0000(c__builtin__\nxrange\nq\u0001ccollections\nOrderedDict\nq\u0002h\u0001e.",
      "\u0080\u0003]q\u0000(cbuiltins\nrange\nq\u0001ccollections\nOrderedDict\nq\u0002h\u0001e.",
      "\u0080\u0004\u0095:\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\u0005range\u0094\u0093\u0094\u008c\u000bcollections\u0094\u008c\u000bOrderedDict\u0094\u0093\u0094h\u0003e.",
      "\u0080\u0005\u0095:\u0000\u0000\u0000\u0000\u0000\u0000\u0000]\u0094(\u008c\bbuiltins\u0094\u008c\u0005range\u0094\u0093\u0094\u008c\u000bcollections\u0094\u008c\u000bOrderedDict\u0094\u0093\u0094h\u0003e.",
    ],
  ],
];

const DIGESTS: [name: string, value: () => unknown, digests: string[]][] = [
  ["a list of 999", () => range(999), [
    "15bb31ca88f7065a",
    "75a91b04d298ef51",
    "574784f256dcc22b",
    "4b355b7456ed340d",
    "cc86163e880becec",
    "164877c1cca416b6",
  ]],
  ["a dict of 999", () => dict(999), [
    "03de96150d333cbe",
    "214ec9191403f771",
    "ecd1ac22cad7616e",
    "0556891a2ce3c470",
    "7d81f5aaa793d3bc",
    "14c6b13bb3f57950",
  ]],
  ["a dict of 999 integers", () => integers(999), [
    "c44980e046bcfe1d",
    "80cf18f80915f108",
    "486650d2d46bbcd6",
    "51b3794e8a588593",
    "08d6cad101cdfa18",
    "a8cca7305dbf8e6b",
  ]],
  ["a list of 1000", () => range(1000), [
    "ada437f587c76668",
    "f57ba4a094191eb9",
    "0938ccfe2af9f970",
    "41386e1dcf6ea923",
    "22d4f97e6fbaf3cd",
    "30780691699c4973",
  ]],
  ["a dict of 1000", () => dict(1000), [
    "cd6763fa7822e1aa",
    "35ceba87e0fba9f2",
    "4c419e623f3fffbd",
    "c76ce90fffe68804",
    "0e1f58301b8206d2",
    "8ed5f1258fc14f3c",
  ]],
  ["a dict of 1000 integers", () => integers(1000), [
    "a0953eb8c1c95715",
    "ced26ca57d13f4c2",
    "eb316fcf8ef21e40",
    "9e8a4da853720eb4",
    "3c513442077cbb7a",
    "f74f104fe3263e35",
  ]],
  ["a list of 1001", () => range(1001), [
    "6cb34e0796fd04d7",
    "ff5e17bb325bbe3c",
    "ce66e289147d5c09",
    "ce0b9982c4bae73c",
    "161e50d7236aad50",
    "042a790993ee27d3",
  ]],
  ["a dict of 1001", () => dict(1001), [
    "1c6f1c23845f33d4",
    "e0eb912d4ec3894d",
    "5f7e312181dee612",
    "6b4c64ad10dde113",
    "88fdfb6d7cabace0",
    "b57fb0451f0769ab",
  ]],
  ["a dict of 1001 integers", () => integers(1001), [
    "191f800bef6f8cbe",
    "5c2ff720d8eea3be",
    "1c3b98559369f710",
    "49b44ef2f5d40380",
    "c9dc2720dca5145b",
    "4cf2a13f021b70f6",
  ]],
  ["a list of 2000", () => range(2000), [
    "94539076754ed73e",
    "f505326e8be80067",
    "fe5039a9b14dff1f",
    "825f73b922fdad8a",
    "66968e242707f42b",
    "471853c3b9791101",
  ]],
  ["a dict of 2000", () => dict(2000), [
    "74a99b5a94f6489d",
    "095c8be3b490709e",
    "82e667d9f2d86a69",
    "62dfd3bb7580a4f1",
    "8aa33ac40136bd1f",
    "87e91f03ea19ca4c",
  ]],
  ["a dict of 2000 integers", () => integers(2000), [
    "e510e60838c7ca1d",
    "4ed64a5d97355ce1",
    "99c137a2e18d404d",
    "18e6eb04a6d03733",
    "d335eda4acfae851",
    "e08f0a80c7b48f84",
  ]],
  ["a list of 2001", () => range(2001), [
    "ac05e5094479e1a0",
    "6ce5ee4e000291fe",
    "d401755777127c22",
    "f35684b7ba610a1b",
    "39104958bc743e3e",
    "ffd4d2982d78da32",
  ]],
  ["a dict of 2001", () => dict(2001), [
    "c5e77ac7022d2958",
    "0e23754056314232",
    "5056f11eb7cdb7bd",
    "0b9ae3a7812415d8",
    "f466dafe36eb9126",
    "a4443ee4b7516132",
  ]],
  ["a dict of 2001 integers", () => integers(2001), [
    "5572c34c71532073",
    "d0a07993544ec99b",
    "4d81ab2c66a41d18",
    "78d23410cc76b8f7",
    "09608f949d7b34b7",
    "1e9704eaadcdd969",
  ]],
  ["a set of 999", () => new PySet(range(999)), [
    "48f49ba3934aaa2e",
    "997b91921d042262",
    "ea91915b957e06a8",
    "49fb84bc8cba6e5b",
    "bef32115c6ac9c50",
    "b9cff630bef23317",
  ]],
  ["a frozenset of 999", () => new FrozenSet(range(999)), [
    "3a00da7663ac3a38",
    "83a449e3bcc0e7ef",
    "4e838ff1e8df9393",
    "a2477a678f698dbc",
    "d864591adaaa63a6",
    "c5d6aad12b7481f0",
  ]],
  ["a dict of 999 lists", () => lists(999), [
    "7fb4945df3e1f82c",
    "a629ba2655c72be5",
    "5bce1c7ba5256657",
    "f1b3f22d4c5a4dc7",
    "8e30b7fde6c91322",
    "944c23cf0afd8ba6",
  ]],
  ["a set of 1000", () => new PySet(range(1000)), [
    "052f44dfa39e3bf2",
    "722fa32f909df2c8",
    "8c1e978f5a9e13a2",
    "2c55ac2554ce0a2e",
    "2af590cb9a18a5c9",
    "925f1c83774c5d27",
  ]],
  ["a frozenset of 1000", () => new FrozenSet(range(1000)), [
    "ef1f453965ccd081",
    "8d7b2acd4f72e90c",
    "2bedfd4a330c4b59",
    "db3bb7f107c64044",
    "152afe74c1bb5032",
    "0df9e063e4a90ae7",
  ]],
  ["a dict of 1000 lists", () => lists(1000), [
    "39e71196d6088cb1",
    "160b43100ea6f0c5",
    "b7f7a91645429c04",
    "7af5560ea5a206cf",
    "669031df29d16ab2",
    "358bb80d4cf54c95",
  ]],
  ["a set of 1001", () => new PySet(range(1001)), [
    "27031802f58d0019",
    "7907cfa347044d75",
    "8f3617160e15e297",
    "bac1ea02057318f7",
    "cb322ecb5d03749e",
    "d430602f6cd0902a",
  ]],
  ["a frozenset of 1001", () => new FrozenSet(range(1001)), [
    "d7894f35df0e804f",
    "a1ee0ae8be3434af",
    "b0a61a3577cd7a99",
    "104ff6273a66d49d",
    "aa3fd7307c38a8bb",
    "a32d5f548c80350a",
  ]],
  ["a dict of 1001 lists", () => lists(1001), [
    "c672d423f2285be4",
    "2c183793d73591f3",
    "4ce2a6d5fdcbccc8",
    "4842551e9a2e2a82",
    "a18757de4e197456",
    "cfed444b6e5b1700",
  ]],
  ["a dict of 127 with a list within", () => within(127), [
    "f2c481fe908ee211",
    "9cf289d7d7b3d68f",
    "5a74d48612da7341",
    "4689eaea4a3cc1bc",
    "d208936778836521",
    "8d96d1982b24def2",
  ]],
  ["a dict of 128 with a list within", () => within(128), [
    "eae2e7c5f2e1b757",
    "098b7bedbc1c8542",
    "bd34a256cb5fa5d2",
    "b14b96e6d24c14a4",
    "6aa388386039cd06",
    "bdbd603887c5d92e",
  ]],
  ["a dict of 129 with a list within", () => within(129), [
    "69cf9472209ae468",
    "384b757e2183dbc7",
    "e04d2eec42e5d5c5",
    "4bb47a1e9d5555c8",
    "8ca1f441a3599165",
    "26c18e8dd2dabba8",
  ]],
  ["a dict of 1127 with a list within", () => within(1127), [
    "f27ce7381e658533",
    "0be95ee6e2b8738e",
    "0af2a4f2a5bd9d77",
    "668760b8e045c60c",
    "d2761b92a076abdb",
    "199196ed1fd09e4e",
  ]],
  ["a dict of 1128 with a list within", () => within(1128), [
    "5e3343b923f37181",
    "7b6f7ba1668009ec",
    "b312ece3d2582a5b",
    "650e32704880ac1f",
    "a543a8f541bab175",
    "73fd8c9a50d5a8d6",
  ]],
  ["a dict of 1129 with a list within", () => within(1129), [
    "e28e125e39f072c8",
    "8dec5cda795198c8",
    "3a72a0fcce91b0a8",
    "635df99dc75dd848",
    "b84925ca1e7799d9",
    "7c1a2b5aeb438a41",
  ]],
  ["bytes of 65534", () => [new Uint8Array(65534), "after"], [
    "d5a869fec0d07514",
    "a61a016a08140290",
    "bef6662e1714f9dc",
    "5848c63a4149c9b5",
    "8522e243782a0e07",
    "fde85e57e2c8d40b",
  ]],
  [
    "a text of 65534",
    () => ["x".repeat(65534), "\u00e9".repeat(65534), "after"],
    [
      "0321b870c67e1a5f",
      "ce13374d06ea943d",
      "59b75441ab77cc26",
      "569b70b8acb649da",
      "2b18443d93d185da",
      "a0f50e089188b305",
    ],
  ],
  ["a bytearray of 65534", () => [new ByteArray(65534), "after"], [
    "5f475f87544fef28",
    "82506fbf726a0098",
    "c56e36e663df6cd1",
    "ade22ac9d4590c80",
    "b65d6387aa1d2d4e",
    "77e773507371ed7b",
  ]],
  ["bytes of 65535", () => [new Uint8Array(65535), "after"], [
    "f09f0d7550038cb7",
    "0159a3fa6608399b",
    "6d863404b5f2feb0",
    "dfd4920bd2fb7959",
    "0a240c6e347074d3",
    "b842461926b602e6",
  ]],
  [
    "a text of 65535",
    () => ["x".repeat(65535), "\u00e9".repeat(65535), "after"],
    [
      "fc21fc00f2a59a8b",
      "5523d56ffb5686cd",
      "c429371868a1daab",
      "9562a0fe53f679f2",
      "7566ab36882b9cfc",
      "d20b3f84e1653bef",
    ],
  ],
  ["a bytearray of 65535", () => [new ByteArray(65535), "after"], [
    "e72d88765997a008",
    "64bceb2bfd9cec44",
    "bcbd4c8f17240321",
    "fd70610d84e7c71f",
    "2bd6a67f75f6922e",
    "c9c4754ca7872dd4",
  ]],
  ["bytes of 65536", () => [new Uint8Array(65536), "after"], [
    "9bcd2247b05e3dca",
    "5de2c230e4453861",
    "8e69e9ef9f9bb1b4",
    "178f7e7eb59b2248",
    "f607d550a325d227",
    "04275643c060b99d",
  ]],
  [
    "a text of 65536",
    () => ["x".repeat(65536), "\u00e9".repeat(65536), "after"],
    [
      "3fbe05e4adfd20a4",
      "4d4ee6b0f61bdabf",
      "d0d3a5124ea62646",
      "b04548fb7bfc15f8",
      "93d4e8dca4daad2c",
      "7153faa723764f6a",
    ],
  ],
  ["a bytearray of 65536", () => [new ByteArray(65536), "after"], [
    "ee52675e8d0bda97",
    "3d31fdfbd30d6693",
    "f311741d3384ef3b",
    "cc95f68f99484103",
    "24dde7143b1820f7",
    "4b9a1db009ad3b7e",
  ]],
  ["bytes of 65537", () => [new Uint8Array(65537), "after"], [
    "823ba68e080909bc",
    "11da43aa2624ac67",
    "16ef447a9f3ba6d4",
    "7913e60e5412261f",
    "d12d35d7ea201e3e",
    "ef88eac32f0fd530",
  ]],
  [
    "a text of 65537",
    () => ["x".repeat(65537), "\u00e9".repeat(65537), "after"],
    [
      "8ce1fcbe46320bee",
      "d32924be3b196349",
      "12cc0a528c1ef300",
      "7bd2fc27e63edbeb",
      "725d20f618cf6b90",
      "16dc54282adc12f0",
    ],
  ],
  ["a bytearray of 65537", () => [new ByteArray(65537), "after"], [
    "8d66bb22aa7d3278",
    "8eaead9ed56e37f4",
    "326d4118be19ed7d",
    "b905222d87282443",
    "0451a329d94ba47e",
    "015da7112e7439fb",
  ]],
  ["bytes of 200000", () => [new Uint8Array(200000), "after"], [
    "c9a9359c9e6dc04b",
    "a4489da02599dcb0",
    "32a4a524feb462b5",
    "09ee4d8b41373399",
    "00f39563fc9c21d0",
    "47d4089d9d381a70",
  ]],
  [
    "a text of 200000",
    () => ["x".repeat(200000), "\u00e9".repeat(200000), "after"],
    [
      "d590477c963d13da",
      "ef45d71499917c7b",
      "fb8fc063fc222664",
      "05d84daeb8911cd3",
      "729c1c19144b865f",
      "d456012d69578832",
    ],
  ],
  ["a bytearray of 200000", () => [new ByteArray(200000), "after"], [
    "7a2d7d403ce67828",
    "41383bbe4c2018ca",
    "d5d0270e4406f4de",
    "a7d96b2abd980154",
    "ee5266cd9c064558",
    "2fec259546c6c7c6",
  ]],
  ["many frames", () => records(5000), [
    "56037a8537dca84c",
    "a12d55b4c8c98231",
    "003f89c73453323a",
    "430aa06bd52d84ed",
    "2d86089dc481e036",
    "186d1b6efeca8a5b",
  ]],
  ["floats", () => Array.from({ length: 20000 }, (_, i) => i + 0.5), [
    "bf0a696bfdbdd96e",
    "672d4f8426c44389",
    "3e56bbcb15169c9e",
    "bd605278fc3df699",
    "3c154c715d27819d",
    "532cc395c7c23ac7",
  ]],
  ["texts", () => Array.from({ length: 20000 }, (_, i) => `text ${i}`), [
    "a3a2fa5e1fddb814",
    "f2a50ca7896d861e",
    "8e47b4cb1d68b544",
    "29b338cec58c6c5b",
    "3abb965cfe3755d3",
    "45504cea059de649",
  ]],
  ["500 lists in one another", () => nested(500), [
    "5026f10c359ef5ea",
    "c4363e65b5df3545",
    "2a9ccaa79752b022",
    "48093e9c571ae416",
    "181ad11e7b46d006",
    "f881bdb058c66b3a",
  ]],
];

Deno.test("dumps() writes what CPython 3.13 writes", async (t) => {
  for (const [name, value, pickles] of GOLDEN) {
    await t.step(name, () => {
      for (const protocol of PROTOCOLS) {
        assertEquals(
          latin1(dumps(value(), { protocol })),
          pickles[protocol],
          `protocol ${protocol}`,
        );
      }
    });
  }
});

Deno.test("dumps() cuts batches and frames as CPython 3.13 does", async (t) => {
  for (const [name, value, digests] of DIGESTS) {
    await t.step(name, async () => {
      for (const protocol of PROTOCOLS) {
        assertEquals(
          await digest(dumps(value(), { protocol })),
          digests[protocol],
          `protocol ${protocol}`,
        );
      }
    });
  }
});

Deno.test("dumps() makes equal strings one object, where CPython may have two", () => {
  // In Python, ["".join("ab"), "".join("ab")] is written in full twice.
  const [first, second] = ["spam", "spam-".slice(0, 4)];
  assertEquals(
    opcodes(dumps([first, second])).filter((name) => name !== "MEMOIZE"),
    [
      "PROTO",
      "FRAME",
      "EMPTY_LIST",
      "MARK",
      "SHORT_BINUNICODE",
      "BINGET",
      "APPENDS",
      "STOP",
    ],
  );
  const long = "x".repeat(1000);
  assertEquals(dumps([long, long]).length < 1100, true);
  // A key of one dict and a value of another.
  const keys = dumps([{ spam: 1 }, "spam", new PyDict([["spam", 2]])]);
  assertEquals(
    opcodes(keys).filter((name) => name === "SHORT_BINUNICODE").length,
    1,
  );
});

Deno.test("dumps() gives an array of its own, of the right size", () => {
  const one = dumps([1, 2, 3]);
  const two = dumps([4, 5, 6]);
  assertEquals(one.byteLength, one.buffer.byteLength);
  assertEquals(loads(one), [1, 2, 3]);
  assertEquals(loads(two), [4, 5, 6]);
});

Deno.test("dumps() takes protocol 4, 5 with bufferCallback, and the highest for negative numbers", () => {
  assertEquals(dumps(null)[1], 4);
  assertEquals(dumps(null, { protocol: null })[1], 4);
  assertEquals(dumps(null, { protocol: -1 })[1], 5);
  assertEquals(dumps(null, { bufferCallback: () => {} })[1], 5);
});

Deno.test("dumps() refuses protocols that there are not", () => {
  const expected = { code: "unsupported-protocol", path: "$" };
  refused(null, expected, { protocol: 6 });
  refused(null, expected, { protocol: 1.5 });
  refused(null, expected, { protocol: 4, bufferCallback: () => {} });
});

Deno.test("dumps() keeps objects that occur twice one object", () => {
  const part = { a: 1 };
  const value = [part, { part }, Tuple.of(part), new Map([[1, part]])];
  for (const protocol of PROTOCOLS) {
    // deno-lint-ignore no-explicit-any
    const back = loads(dumps(value, { protocol })) as any;
    assert(back[0] === back[1].part && back[0] === back[2][0]);
    assert(back[0] === back[3].get(1));
  }
});

Deno.test("dumps() keeps cycles, through every kind of container", () => {
  for (const protocol of PROTOCOLS) {
    const object = new PyObject(new Global("m", "C"));
    const list: unknown[] = [];
    const dict = { list };
    const tuple = Tuple.of(dict);
    const called = new PyObject(new Global("m", "f"), [tuple], {
      via: "reduce",
      state: { object },
    });
    object.state = { called };
    list.push(tuple, object, called, new Map<unknown, unknown>([["t", tuple]]));
    const back = loads(dumps(tuple, { protocol })) as typeof tuple;
    const parts = back[0]!.list as [
      typeof tuple,
      PyObject,
      PyObject,
      Record<string, unknown>,
    ];
    assert(parts[0] === back);
    assert((parts[1].state as { called: unknown }).called === parts[2]);
    assert(parts[2].args[0] === back);
    assert((parts[2].state as { object: unknown }).object === parts[1]);
    assert(parts[3].t === back);
  }
});

Deno.test("dumps() refuses what is made of itself and nothing else", () => {
  const tuple = new Tuple();
  tuple.push(tuple);
  refused(tuple, { code: "circular", path: "$[0][0]" });
  const set = new Set<unknown>();
  set.add(set);
  const error = assertThrows(
    () => dumps(set, { protocol: 2 }),
    PicklingError,
  );
  assertEquals(error.code, "circular");
});

Deno.test("dumps() writes a million nested containers", () => {
  const depth = 1_000_000;
  let list: unknown[] = [];
  let object: unknown = null;
  for (let i = 0; i < depth; i++) {
    list = [list];
    object = { a: object };
  }
  const pickle = dumps(list);
  assertEquals(
    pickle.filter((byte) => byte === 0x5d).length,
    depth + 1,
  );
  assertEquals(dumps(object, { protocol: 2 }).length > depth * 4, true);
  // What it needed is not kept for the next call.
  assertEquals(dumps([]).length, 5);
});

Deno.test("dumps() writes tuples and objects in one another, as deep as they are", () => {
  let tuple: unknown = null;
  let object: unknown = null;
  const cls = new Global("m", "C");
  for (let i = 0; i < 100_000; i++) {
    tuple = Tuple.of(tuple);
    object = new PyObject(cls, [], { state: object });
  }
  assertEquals(dumps(tuple).length > 200_000, true);
  assertEquals(dumps(object, { protocol: 0 }).length > 200_000, true);
});

Deno.test("dumps() names the path of what it refuses", () => {
  const code = "unsupported-value";
  refused(undefined, { code, path: "$" });
  refused([1, undefined], { code, path: "$[1]" });
  refused({ a: { b: [0, { c() {} }] } }, { code, path: "$.a.b[1].c" });
  refused({ "a b": Symbol("s") }, { code, path: '$["a b"]' });
  refused({ a: undefined }, { code, path: "$.a" });
  refused({ a: 1, b: undefined, c: 2 }, { code, path: "$.b" });
  refused(new Map([[5, () => {}]]), { code, path: "$[5]" });
  refused(new Map([[Tuple.of(undefined), 1]]), {
    code,
    path: "$.keys()[…][0]",
  });
  refused(new Set([undefined]), { code, path: "${0}" });
  refused(Tuple.of([], Tuple.of(class {})), { code, path: "$[1][0]" });
  const object = new PyObject(new Global("m", "C"), [1, undefined]);
  refused(object, { code, path: "$.args[1]" });
  refused(new PyObject(new Global("m", "C"), [], { state: { x: undefined } }), {
    code,
    path: "$.state.x",
  });
});

Deno.test("dumps() refuses instances of classes that nobody knows", () => {
  class Point {
    x = 1;
  }
  class List extends Array {}
  const code = "unsupported-value";
  refused({ p: new Point() }, { code, path: "$.p" });
  refused([new List()], { code, path: "$[0]" });
  refused(new Error("no"), { code, path: "$" });
  refused(Promise.resolve(), { code, path: "$" });
  refused(new Int32Array(2), { code, path: "$" });
  refused(new ArrayBuffer(2), { code, path: "$" });
  refused(new WeakMap(), { code, path: "$" });
});

Deno.test("dumps() works after an error as before", () => {
  assertThrows(() => dumps([["a", "b"], { a: undefined }]));
  assertEquals(loads(dumps([["a", "b"], { a: 1 }])), [["a", "b"], { a: 1 }]);
});

Deno.test("dumps() takes plain objects without a prototype, and __proto__ as a key", () => {
  const value = Object.create(null);
  value.a = 1;
  Object.defineProperty(value, "__proto__", {
    value: 2,
    enumerable: true,
  });
  const back = loads(dumps(value), { dicts: "map" }) as Map<unknown, unknown>;
  assertEquals([...back], [["a", 1], ["__proto__", 2]]);
});

Deno.test("dumps() writes own enumerable string keys and no others", () => {
  const value = { a: 1, [Symbol("s")]: 2 };
  Object.defineProperty(value, "hidden", { value: 3 });
  assertEquals(loads(dumps(value)), { a: 1 });
});

Deno.test("dumps() is not misled by an enumerable Object.prototype", () => {
  Object.defineProperty(Object.prototype, "polluted", {
    value: 1,
    enumerable: true,
    configurable: true,
  });
  try {
    assertEquals(Object.entries(loads(dumps({ a: 1 })) as object), [["a", 1]]);
  } finally {
    // deno-lint-ignore no-explicit-any
    delete (Object.prototype as any).polluted;
  }
});

Deno.test("dumps() may be called while it is at work", () => {
  const inner: unknown[] = [];
  const value = {
    first: "shared text",
    get second() {
      inner.push(dumps({ second: ["shared text", { third: 1 }] }));
      return "shared text";
    },
    third: ["shared text"],
  };
  const expected = {
    first: "shared text",
    second: "shared text",
    third: ["shared text"],
  };
  const outer = dumps(value);
  assertEquals(outer, dumps(expected));
  assertEquals(inner[0], dumps({ second: ["shared text", { third: 1 }] }));
});

Deno.test("dumps() keeps text apart whatever its hash", () => {
  const texts = Array.from(
    { length: 100_000 },
    (_, i) => String.fromCharCode(i & 255, i >> 8, 0x3b1),
  );
  const back = loads(dumps([texts, texts])) as string[][];
  assertEquals(back[0], texts);
  assert(back[0] === back[1]);
  const keys = Object.fromEntries(texts.map((text, i) => [text, i]));
  assertEquals(loads(dumps([texts, keys])), [texts, keys]);
});

Deno.test("dumps() writes lone surrogates, and pairs in four bytes", () => {
  const text = "a\ud800b\udc00\u{1f600}";
  const long = text.repeat(40);
  for (const protocol of PROTOCOLS) {
    assertEquals(loads(dumps([text, long], { protocol })), [text, long]);
  }
  assertEquals(
    latin1(dumps("\u{1f600}", { protocol: 2 })).includes("\xf0\x9f\x98\x80"),
    true,
  );
});

Deno.test("dumps() writes large integers in linear time", () => {
  const huge = 1n << 8_000_000n;
  const start = performance.now();
  const pickle = dumps([huge, -huge, -huge + 1n], { protocol: 2 });
  assert(performance.now() - start < 5_000);
  assertEquals(loads(pickle), [huge, -huge, -huge + 1n]);
});

Deno.test("dumps() writes a Date as a datetime in UTC", () => {
  const date = new Date("2020-02-29T12:34:56.789Z");
  const ops = [...genops(dumps(date))];
  const state = ops.find(({ opcode }) => opcode.name === "SHORT_BINBYTES");
  assertEquals(
    state?.arg,
    bytes(0x07, 0xe4, 2, 29, 12, 34, 56, 0x0c, 0x0a, 0x08),
  );
  assert(ops.some(({ arg }) => arg === "timezone"));
  refused([new Date(NaN)], { code: "unsupported-value", path: "$[0]" });
});

Deno.test("dumps() maps names to those of Python 2 below protocol 3", () => {
  const names = [
    new Global("builtins", "range"),
    new Global("collections", "UserDict"),
    new Global("builtins", "FileNotFoundError"),
    new Global("queue", "Queue"),
  ];
  const lines = (options: DumpOptions) =>
    [...genops(dumps(names, options))].filter(({ opcode }) =>
      opcode.name === "GLOBAL"
    ).map(({ arg }) => arg);
  assertEquals(lines({ protocol: 2 }), [
    "__builtin__ xrange",
    "UserDict IterableUserDict",
    "exceptions OSError",
    "Queue Queue",
  ]);
  const same = names.map(({ module, name }) => `${module} ${name}`);
  assertEquals(lines({ protocol: 2, fixImports: false }), same);
  assertEquals(lines({ protocol: 3 }), same);
});

Deno.test("dumps() writes nested names as getattr calls below protocol 4", () => {
  const name = new Global("m", "A.B.C");
  assertEquals(opcodes(dumps(name, { protocol: 2 })), [
    "PROTO",
    "GLOBAL",
    "BINPUT",
    "BINGET",
    "GLOBAL",
    "BINUNICODE",
    "BINPUT",
    "TUPLE2",
    "REDUCE",
    "BINUNICODE",
    "BINPUT",
    "TUPLE2",
    "REDUCE",
    "BINPUT",
    "STOP",
  ]);
  for (const protocol of PROTOCOLS) {
    assertEquals(loads(dumps(name, { protocol })), name);
  }
});

Deno.test("dumps() refuses names that a protocol cannot hold", () => {
  const code = "unsupported-value";
  refused(new Global("m\nos", "x"), { code, path: "$" }, { protocol: 3 });
  refused(new Global("m", "é"), { code, path: "$" }, { protocol: 2 });
  assertEquals(
    loads(dumps(new Global("m", "é"), { protocol: 3 })),
    new Global("m", "é"),
  );
  const named = new Global("m\nos", "x\ny");
  assertEquals(loads(dumps(named)), named);
});

Deno.test("dumps() writes extension codes by size", () => {
  const codes = [1, 255, 256, 65535, 65536, 0x7fffffff];
  assertEquals(
    opcodes(dumps(codes.map((code) => new Extension(code)))).filter((name) =>
      name.startsWith("EXT")
    ),
    ["EXT1", "EXT1", "EXT2", "EXT2", "EXT4", "EXT4"],
  );
  refused(new Extension(0), { code: "unsupported-value", path: "$" });
});

Deno.test("dumps() writes persistent ids by hook and by value", () => {
  const user = { id: 7 };
  const options = {
    persistentId: (value: unknown) => value === user ? ["user", 7] : undefined,
  };
  for (const protocol of [1, 2, 4]) {
    assertEquals(
      loads(dumps([user, user, "x"], { ...options, protocol }), {
        persistentLoad: (id) => id,
      }),
      [["user", 7], ["user", 7], "x"],
    );
  }
  assertEquals(
    latin1(dumps([user], { persistentId: options.persistentId, protocol: 4 }))
      .includes("Q"),
    true,
  );
  assertEquals(
    latin1(dumps(new PersistentId("x y"), { protocol: 0 })),
    "Px y\n.",
  );
  const reference = new PersistentId(Tuple.of("s", 1));
  assertEquals(
    loads(dumps(reference), { persistentLoad: (id) => new PersistentId(id) }),
    reference,
  );
  refused([new PersistentId("a\nb")], {
    code: "unsupported-value",
    path: "$[0]",
  }, { protocol: 0 });
});

Deno.test("persistentId sees every value but not its own ids", () => {
  const seen: unknown[] = [];
  const options = {
    persistentId(value: unknown) {
      seen.push(value);
      return value === "out" ? Tuple.of("a", "in") : null;
    },
  };
  dumps({ a: ["out", 1] }, options);
  assertEquals(seen, [
    { a: ["out", 1] },
    "a",
    ["out", 1],
    "out",
    "a",
    "in",
    1,
  ]);
  refused(["out"], { code: "circular", path: "$[0][0]" }, {
    persistentId: (value) => value === "out" ? Tuple.of("out") : null,
  });
});

Deno.test("dumps() puts buffers out of the pickle when they are taken", () => {
  const buffers: Uint8Array[] = [];
  const big = new Uint8Array([1, 2, 3]);
  const value = [
    new PickleBuffer(big, { readOnly: true }),
    new PickleBuffer(big),
    big,
  ];
  const pickle = dumps(value, { bufferCallback: (b) => buffers.push(b) });
  assertEquals(buffers.length, 2);
  assert(buffers[0] === big);
  assertEquals(
    opcodes(pickle).filter((name) => /BUFFER|BYTES/.test(name)),
    ["NEXT_BUFFER", "READONLY_BUFFER", "NEXT_BUFFER", "SHORT_BINBYTES"],
  );
  const inBand = dumps([value[0], value[1], value[1]], {
    bufferCallback: () => true,
  });
  assertEquals(
    opcodes(inBand).filter((name) => /BUFFER|BYTE|GET/.test(name)),
    ["SHORT_BINBYTES", "BYTEARRAY8", "BINGET"],
  );
  refused(new PickleBuffer(big), { code: "unsupported-protocol", path: "$" });
});

Deno.test("dumps() writes objects with all that they may have", () => {
  const object = new PyObject(new Global("m", "C"), [1], {
    kwargs: { k: 2 },
    state: { s: 3 },
    items: [4, 5],
    entries: [["e", 6], [7, 8]],
  });
  object.moreStates = ["second"];
  const back = loads(dumps(object)) as PyObject;
  assertEquals([...back.args], [1]);
  assertEquals(back.kwargs, { k: 2 });
  assertEquals(back.state, { s: 3 });
  assertEquals(back.moreStates, ["second"]);
  assertEquals(back.items, [4, 5]);
  assertEquals(back.entries, [["e", 6], [7, 8]]);
});

Deno.test("dumps() writes arguments by name as a partial below protocol 4", () => {
  const object = new PyObject(new Global("m", "C"), [1], { kwargs: { k: 2 } });
  assertEquals(
    opcodes(dumps(object, { protocol: 4 })).includes("NEWOBJ_EX"),
    true,
  );
  for (const protocol of [0, 1, 2, 3]) {
    const globals = [...genops(dumps(object, { protocol }))].filter((
      { opcode },
    ) => opcode.name === "GLOBAL").map(({ arg }) => arg);
    assertEquals(globals[0], "functools partial");
  }
});

Deno.test("dumps() writes a state setter's call", () => {
  const object = new PyObject(new Global("m", "f"), [], {
    via: "reduce",
    state: { a: 1 },
  });
  object.stateSetter = new Global("m", "set_state");
  const names = opcodes(dumps(object)).filter((name) => name !== "MEMOIZE");
  assertEquals(
    names.slice(-8),
    [
      "BINGET",
      "EMPTY_DICT",
      "SHORT_BINUNICODE",
      "BININT1",
      "SETITEM",
      "TUPLE2",
      "REDUCE",
      "POP",
      "STOP",
    ].slice(-8),
  );
  const back = loads(dumps(object)) as PyObject;
  assertEquals(back.stateSetter, object.stateSetter);
  assertEquals(back.state, { a: 1 });
});

Deno.test("dumps() writes subclasses of list and dict as copyreg does", () => {
  const list = new PyObject(new Global("m", "L"), [], { items: [1, 2] });
  const dict = new PyObject(new Global("m", "D"), [], { entries: [["a", 1]] });
  assertEquals(
    latin1(dumps(list, { protocol: 0 })),
    "ccopy_reg\n_reconstructor\np0\n(cm\nL\np1\nc__builtin__\nlist\np2\n(lp3\nI1\naI2\natp4\nRp5\n.",
  );
  assertEquals(
    latin1(dumps(dict, { protocol: 0 })),
    "ccopy_reg\n_reconstructor\np0\n(cm\nD\np1\nc__builtin__\ndict\np2\n(dp3\nVa\np4\nI1\nstp5\nRp6\n.",
  );
  assertEquals(
    latin1(dumps(new PyObject(new Global("m", "C"), [], { state: { a: 1 } }), {
      protocol: 0,
    })),
    "ccopy_reg\n_reconstructor\np0\n(cm\nC\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n(dp5\nVa\np6\nI1\nsb.",
  );
  assertEquals(
    latin1(dumps(new PyObject(new Global("m", "C"), [1]), { protocol: 0 })),
    "ccopy_reg\n__newobj__\np0\n(cm\nC\np1\nI1\ntp2\nRp3\n.",
  );
});

Deno.test("dumps() writes old-style instances of Python 2", () => {
  const object = new PyObject(new Global("m", "Old"), [1], {
    via: "classic",
    state: { a: 2 },
  });
  assertEquals(
    latin1(dumps(object, { protocol: 0 })),
    "(I1\nim\nOld\np0\n(dp1\nVa\np2\nI2\nsb.",
  );
  assertEquals(opcodes(dumps(object, { protocol: 2 })).includes("OBJ"), true);
});

Deno.test("dumps() writes the attributes that values were given", () => {
  const dict = new OrderedDict([["a", 1]]);
  setAttributes(dict, { note: "x" });
  for (const protocol of PROTOCOLS) {
    const back = loads(dumps([dict], { protocol })) as unknown[];
    assertEquals(attributesOf(back[0]), { note: "x" });
  }
  for (const value of [[1], Tuple.of(1), { a: 1 }, new PySet([1])]) {
    setAttributes(value, 5);
    for (const protocol of PROTOCOLS) {
      const ops = opcodes(dumps(value, { protocol }));
      assertEquals(ops.slice(-2), ["BUILD", "STOP"]);
    }
  }
});

Deno.test("dumps() asks an object's toPickle method", () => {
  class Point {
    constructor(readonly x: number, readonly next?: Point) {}
    [toPickle](): Reduced {
      return {
        callable: new Global("shapes", "Point"),
        args: [this.x],
        state: { next: this.next ?? null },
      };
    }
  }
  const last = new Point(2);
  const back = loads(dumps([new Point(1, last), last])) as PyObject[];
  assertEquals(String(back[0]!.class), "shapes.Point");
  assertEquals([...back[0]!.args], [1]);
  assert((back[0]!.state as { next: unknown }).next === back[1]);
  class Named {
    [toPickle](): Global {
      return new Global("m", "CONSTANT");
    }
  }
  const named = new Named();
  assertEquals(loads(dumps([named, named])), [
    new Global("m", "CONSTANT"),
    new Global("m", "CONSTANT"),
  ]);
  class Wrong {
    [toPickle]() {
      return { callable: 1 };
    }
  }
  refused([new Wrong()], { code: "bad-reduce", path: "$[0]" });
});

Deno.test("dumps() asks the reduce option first, of objects with a class only", () => {
  class Celsius {
    constructor(readonly degrees: number) {}
  }
  const asked: unknown[] = [];
  const reduce = (value: object) => {
    asked.push(value);
    return value instanceof Celsius
      ? { callable: new Global("units", "C"), args: [value.degrees] }
      : undefined;
  };
  const value = [{}, new Map(), new Celsius(3), new Celsius(4), "x"];
  const back = loads(dumps(value, { reduce })) as unknown[];
  assertEquals(asked, [new Celsius(3), new Celsius(4)]);
  assertEquals((back[3] as PyObject).args[0], 4);
});

Deno.test("dumps() ends with classes that make new arguments each time", () => {
  class Node {
    [toPickle](): Reduced {
      return { callable: new Global("m", "Node"), args: [[this]] };
    }
  }
  const back = loads(dumps(new Node())) as PyObject;
  assert(back instanceof PyObject);
});

Deno.test("sharing: tree writes each occurrence, and refuses cycles", () => {
  const part = [1];
  const back = loads(
    dumps([part, part, { a: "x", b: "x" }], { sharing: "tree" }),
  ) as unknown[];
  assertEquals(back, [[1], [1], { a: "x", b: "x" }]);
  assert(back[0] !== back[1]);
  for (const protocol of PROTOCOLS) {
    refusedCode(cycle(), "circular", { sharing: "tree", protocol });
  }
  const object: Record<string, unknown> = {};
  object.self = [object];
  refusedCode(object, "circular", { sharing: "tree" });
  // Deep, but no cycle.
  const bytes = dumps(nested(5000), { sharing: "tree" });
  assertEquals(opcodes(bytes).length > 10_000, true);
});

function refusedCode(
  value: unknown,
  code: string,
  options: DumpOptions,
): void {
  assertEquals(
    assertThrows(() => dumps(value, options), PicklingError).code,
    code,
  );
}

Deno.test("sharing: tree gives what exact gives where nothing is shared", () => {
  for (const [name, value] of GOLDEN) {
    if (/itself/.test(name)) continue;
    for (const protocol of PROTOCOLS) {
      const exact = loads(dumps(value(), { protocol }));
      const tree = loads(dumps(value(), { protocol, sharing: "tree" }));
      assertEquals(tree, exact, name);
    }
  }
});

Deno.test("dumps() takes objects and arrays of another realm", async () => {
  const { createContext, runInContext } = await import("node:vm");
  const value = runInContext("({ a: [1, { b: 2 }] })", createContext());
  assertEquals(loads(dumps(value)), { a: [1, { b: 2 }] });
});

Deno.test("dumps() takes Node's Buffers as bytes", async () => {
  const { Buffer } = await import("node:buffer");
  assertEquals(dumps(Buffer.from("abc")), dumps(bytes(97, 98, 99)));
});
