/**
 * Reads the fixtures (tests/fixtures/README.md says what is in them).
 *
 * @module
 */

/** A node of a description; see tests/fixtures/README.md. */
export interface Node {
  t: string;
  id?: number;
  // deno-lint-ignore no-explicit-any
  [field: string]: any;
}

/** What a reader must be told to read a fixture. */
export interface FixtureOptions {
  several?: boolean;
  keepMemo?: boolean;
  persistent?: boolean;
  extensions?: Record<string, string>;
  buffers?: [hex: string, readOnly: boolean][];
  encoding?: string;
  errors?: string;
  fixImports?: boolean;
}

/** One value, and all the pickles that mean it. */
export interface Fixture {
  group: string;
  name: string;
  options: FixtureOptions;
  /** null: it loads, and Python could not describe it. */
  desc: Node | null;
  pickles: Pickle[];
}

/** Bytes, and who writes them. */
export interface Pickle {
  bytes: Uint8Array<ArrayBuffer>;
  /** As `4c 3.8 3.13, 4p 3.8`. */
  writers: string;
}

/** Which file of fixtures. */
export type FixtureFile = "values" | "handwritten" | "cpython";

const loaded = new Map<FixtureFile, Promise<Fixture[]>>();

/**
 * Reads a file of fixtures, once.
 *
 * @param file Which.
 * @returns Its fixtures.
 */
export function fixtures(file: FixtureFile): Promise<Fixture[]> {
  let promise = loaded.get(file);
  if (promise === undefined) loaded.set(file, promise = read(file));
  return promise;
}

async function read(file: FixtureFile): Promise<Fixture[]> {
  const url = new URL(`../fixtures/${file}.jsonl.gz`, import.meta.url);
  const packed = new Blob([await Deno.readFile(url)]);
  const text = await new Response(
    packed.stream().pipeThrough(new DecompressionStream("gzip")),
  ).text();
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const { pickles, ...rest } = JSON.parse(line);
    return {
      ...rest,
      pickles: pickles.map(([data, writers]: [string, string]) => ({
        bytes: Uint8Array.fromBase64(data),
        writers,
      })),
    };
  });
}
