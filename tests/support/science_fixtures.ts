/**
 * Reads tests/fixtures/science/science.json.gz.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { dumps, openPickle } from "../../lib/pickle/mod.ts";
import type { Node } from "./fixtures.ts";
import { Comparison } from "./science.ts";

/** A file of a scientific library, and what is in it. */
export interface ScienceFixture {
  name: string;
  kind: string;
  bytes: Uint8Array<ArrayBuffer>;
  buffers: Uint8Array<ArrayBuffer>[];
  desc: Node;
}

let all: Promise<ScienceFixture[]> | undefined;

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

async function readAll(): Promise<ScienceFixture[]> {
  const url = new URL("../fixtures/science/science.json.gz", import.meta.url);
  const file = await Deno.open(url);
  const entries = await new Response(
    file.readable.pipeThrough(new DecompressionStream("gzip")),
  ).json() as { name: string; kind: string; data: string; desc: Node }[];
  return entries.map(({ name, kind, data, desc, ...more }) => ({
    name,
    kind,
    bytes: fromBase64(data),
    buffers: ((more as { buffers?: string[] }).buffers ?? []).map(fromBase64),
    desc,
  }));
}

/**
 * The fixtures of one library.
 *
 * @param library Where the generator makes them: `numpy`, `pandas` ….
 * @returns The fixtures.
 */
export async function scienceFixtures(
  library: string,
): Promise<ScienceFixture[]> {
  const entries = await (all ??= readAll());
  return entries.filter((entry) => libraryOf(entry) === library);
}

function libraryOf({ name, desc }: ScienceFixture): string {
  const [first] = name.split(" ");
  if (/^(torch|joblib|sparse|sklearn)$/.test(first!)) return first!;
  const text = JSON.stringify(desc);
  return /"pd\./.test(text) ? "pandas" : "numpy";
}

/**
 * Compares what Brine reads with what Python saved.
 *
 * @param fixture The file.
 * @returns The value.
 */
export async function assertOpens(fixture: ScienceFixture): Promise<unknown> {
  const { value } = await openPickle(fixture.bytes, {
    floats: "exact",
    ...(fixture.buffers.length > 0 ? { buffers: fixture.buffers } : {}),
  });
  assertDescribed(fixture, value);
  return value;
}

/**
 * Compares a value with what Python saved.
 *
 * @param fixture The file that it is of.
 * @param value The value.
 */
export function assertDescribed(fixture: ScienceFixture, value: unknown): void {
  const comparison = new Comparison();
  comparison.check(fixture.desc, value);
  assertEquals(comparison.differences, [], fixture.name);
}

/**
 * Writes a value as every protocol does, and reads it again.
 *
 * @param fixture The file that it is of.
 * @param value The value.
 */
export async function assertComesBack(
  fixture: ScienceFixture,
  value: unknown,
): Promise<void> {
  for (const protocol of [2, 3, 4, 5]) {
    const bytes = dumps(value, { protocol });
    const back = await openPickle(bytes, { floats: "exact" });
    assertDescribed(
      { ...fixture, name: `${fixture.name}, protocol ${protocol}` },
      back.value,
    );
  }
}
