/**
 * Stands in for what the library's tests use of Deno, and for what they use of
 * the platform that some runtimes have not yet. The library itself is not given
 * the latter: runtimes_test.ts sees to it.
 *
 * @module
 */

import { fromBase64, fromHex, toHex } from "../support/hex.ts";
import { collect, streamOf } from "../support/streams.ts";
import type { Files } from "./outcome.ts";

/** A test that has registered itself. */
export interface Registered {
  /** What it says it is. */
  name: string;
  /** Whether it asks not to be run. */
  ignore: boolean;
  /** Runs it. */
  fn: (context: unknown) => unknown;
}

/** Thrown where a test needs what only Deno has. */
export class NotHere extends Error {
  /** Names it. */
  constructor(name: string) {
    super(`Deno.${name} is not here`);
    this.name = "NotHere";
  }
}

class NotFound extends Error {}

/**
 * Puts a `Deno` in place.
 *
 * @param files The fixtures.
 * @param tests Where tests that register are put.
 */
export function standIn(files: Files, tests: Registered[]): void {
  const read = (url: URL | string): Uint8Array<ArrayBuffer> => {
    const { pathname } = new URL(url);
    const at = pathname.lastIndexOf("/fixtures/");
    const bytes = at < 0 ? undefined : files[pathname.slice(at + 10)];
    if (bytes === undefined) throw new NotFound(pathname);
    return bytes.slice();
  };
  const missing = (path: unknown): never => {
    throw new NotFound(String(path));
  };
  const text = new TextDecoder();
  const known: Record<string, unknown> = {
    test: (
      first: string | Omit<Registered, "ignore"> & { ignore?: boolean },
      fn?: Registered["fn"],
    ) => {
      tests.push(
        typeof first === "string"
          ? { name: first, ignore: false, fn: fn! }
          : { name: first.name, ignore: first.ignore ?? false, fn: first.fn },
      );
    },
    build: { os: "linux" },
    args: [],
    env: { get: () => undefined, has: () => false },
    errors: { NotFound },
    readFileSync: read,
    readTextFileSync: (url: URL) => text.decode(read(url)),
    readFile: async (url: URL) => await read(url),
    readTextFile: async (url: URL) => text.decode(await read(url)),
    open: async (url: URL) => ({
      readable: new Blob([await read(url)]).stream(),
    }),
    stat: async (path: unknown) => await missing(path),
    statSync: missing,
    readDirSync: missing,
  };
  const deno = new Proxy(known, {
    get: (target, name) =>
      Object.hasOwn(target, name) ? target[String(name)] : () => {
        throw new NotHere(String(name));
      },
  });
  Object.defineProperty(globalThis, "Deno", {
    value: deno,
    configurable: true,
    writable: true,
  });
  keepErrors();
  for (const [owner, name, value] of YOUNG) {
    if (name in owner) continue;
    Object.defineProperty(owner, name, {
      value,
      configurable: true,
      writable: true,
    });
  }
}

/** Browsers have an error of their own for every error of a body's stream. */
function keepErrors(): void {
  async function bytes(this: Response): Promise<Uint8Array<ArrayBuffer>> {
    if (this.body === null) return new Uint8Array(0);
    const blob = new Blob(await collect(this.body));
    return new Uint8Array(await blob.arrayBuffer());
  }
  Object.assign(Response.prototype, {
    bytes,
    async text(this: Response): Promise<string> {
      return new TextDecoder().decode(await bytes.call(this));
    },
  });
}

type Method = (this: unknown, ...args: never[]) => unknown;

/** What the tests may use though it is young. */
const YOUNG: [owner: object, name: string, value: Method][] = [
  [Uint8Array, "fromHex", fromHex],
  [Uint8Array, "fromBase64", fromBase64],
  [Uint8Array.prototype, "toHex", function () {
    return toHex(this as Uint8Array);
  }],
  [Uint8Array.prototype, "toBase64", function () {
    let binary = "";
    for (const byte of this as Uint8Array) binary += String.fromCharCode(byte);
    return btoa(binary);
  }],
  [
    Array,
    "fromAsync",
    async (items: AsyncIterable<unknown> | ReadableStream<unknown>) => {
      if (items instanceof ReadableStream) return await collect(items);
      const all: unknown[] = [];
      for await (const item of items) all.push(item);
      return all;
    },
  ],
  [ReadableStream, "from", (items: Iterable<unknown>) => {
    if (Array.isArray(items)) return streamOf(items);
    const iterator = (items as unknown as AsyncIterable<unknown>)
      [Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    }, { highWaterMark: 0 });
  }],
  // @std/assert asks for it.
  [Set.prototype, "union", function (other: Set<unknown>) {
    return new Set([...this as Set<unknown>, ...other]);
  }],
  [Promise, "withResolvers", () => {
    let resolve: unknown;
    let reject: unknown;
    const promise = new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    return { promise, resolve, reject };
  }],
];

/** The names of what is added, for the test that the library uses none. */
export const YOUNG_NAMES: string[] = YOUNG.map(([, name]) => name);
