/**
 * Where input comes from: files, patterns, standard input.
 *
 * @module
 */

import { expandGlob } from "@std/fs";
import { createGunzip } from "node:zlib";
import { isGzip } from "../serve/sniff.ts";

/** How many bytes are read at once. */
const CHUNK = 65_536;

/** A file, or standard input. */
export interface Source {
  /** What it is called in messages. */
  name: string;
  /** Where it is; undefined for standard input. */
  path: string | undefined;
  /** Its path below the folder where a pattern began, or its last part. */
  relative: string;
}

/** An open input. */
export interface Opened {
  /** How many bytes it has, where that is known. */
  size: number | undefined;
  /** Whether it can be opened again. */
  seekable: boolean;
  /** Whether it is gzip, undone here. */
  gzip: boolean;
  /** How it begins, gzip undone: up to a chunk. */
  head: Uint8Array<ArrayBuffer>;
  /** All of it, gzip undone. */
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  /** Throws where the file has changed since it was opened. */
  unchanged(): Promise<void>;
  /** Closes it, read or not. */
  close(): void;
}

/** A file that changed while it was read. */
export class ChangedError extends Error {
  override name = "ChangedError";
}

/** Standard input. */
export const STDIN: Source = {
  name: "standard input",
  path: undefined,
  relative: "stdin",
};

/**
 * Finds the inputs that a command line names.
 *
 * @param operands Names, patterns such as `data/*.pkl`, or `-`.
 * @returns The inputs in order, each once; none for a pattern without match.
 */
export async function findSources(
  operands: readonly string[],
): Promise<Source[]> {
  const sources = new Map<string, Source>();
  for (const operand of operands) {
    if (operand === "-") {
      sources.set("-", STDIN);
      continue;
    }
    // A file whose very name is a pattern is that file.
    if (!/[*?[{]/.test(operand) || await exists(operand)) {
      sources.set(operand, {
        name: operand,
        path: operand,
        relative: lastPart(operand),
      });
      continue;
    }
    const base = lastFolder(operand);
    const found: Source[] = [];
    const root = base === "" ? Deno.cwd() : await Deno.realPath(base);
    const pattern = operand.slice(base.length);
    for await (const entry of expandGlob(pattern, { root })) {
      if (!entry.isFile && !entry.isSymlink) continue;
      const relative = entry.path.slice(root.length).replace(/^[/\\]+/, "");
      const path = base + relative;
      found.push({ name: path, path, relative });
    }
    if (found.length === 0) throw new NothingFoundError(operand);
    found.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const source of found) sources.set(source.name, source);
  }
  return [...sources.values()];
}

/** A pattern that no file matches. */
export class NothingFoundError extends Error {
  override name = "NothingFoundError";
  /** The pattern. */
  readonly pattern: string;

  /**
   * Makes the error.
   *
   * @param pattern The pattern.
   */
  constructor(pattern: string) {
    super(`no file matches ${pattern}`);
    this.pattern = pattern;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

function lastPart(path: string): string {
  return path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/s, "");
}

/** The folders before the first part that is a pattern, with their slash. */
function lastFolder(pattern: string): string {
  const special = pattern.search(/[*?[{]/);
  return pattern.slice(0, pattern.lastIndexOf("/", special) + 1);
}

/**
 * Opens an input and looks at how it begins.
 *
 * @param source What to open.
 * @param options `onBytes` is told how many bytes were read, before gzip is
 * undone; `asIs` leaves gzip alone.
 * @returns The open input.
 */
export async function openSource(
  source: Source,
  options: { onBytes?: (count: number) => void; asIs?: boolean } = {},
): Promise<Opened> {
  const { path } = source;
  const file = path === undefined ? undefined : await Deno.open(path);
  const info = await file?.stat();
  if (info?.isDirectory) {
    file?.close();
    throw new Deno.errors.IsADirectory(source.name);
  }
  let closed = false;
  function close(): void {
    if (closed) return;
    closed = true;
    file?.close();
  }
  const raw = readChunks(file ?? Deno.stdin, options.onBytes);
  try {
    const [start, rest] = await split(raw, 2);
    const gzip = !options.asIs && isGzip(start);
    const [head, chunks] = gzip
      ? await split(gunzip(rest), 1)
      : await split(rest, 64);
    return {
      size: info?.isFile ? info.size : undefined,
      seekable: info?.isFile ?? false,
      gzip,
      head,
      chunks,
      async unchanged(): Promise<void> {
        if (path === undefined || !info?.isFile) return;
        const now = await Deno.stat(path);
        if (
          now.size !== info.size ||
          now.mtime?.getTime() !== info.mtime?.getTime() || now.ino !== info.ino
        ) {
          throw new ChangedError(
            "the file changed while it was read; try again when nothing writes to it",
          );
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Reads a whole input.
 *
 * @param opened An open input; it is closed afterwards.
 * @returns Its bytes, gzip undone.
 */
export async function readAll(
  opened: Opened,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of opened.chunks) {
      chunks.push(chunk);
      length += chunk.length;
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  } finally {
    opened.close();
  }
}

/**
 * Leaves out line ends after the last pickle, which tools such as `redis-cli`
 * add. No pickle ends with one: the last byte of a pickle is its STOP.
 *
 * @param chunks The bytes.
 * @returns The bytes without line ends at their end.
 */
export async function* withoutLastLineEnds(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  let held = new Uint8Array(0);
  for await (const chunk of chunks) {
    let end = chunk.length;
    while (end > 0 && (chunk[end - 1] === 0x0a || chunk[end - 1] === 0x0d)) {
      end--;
    }
    if (end > 0 && held.length > 0) {
      yield held;
      held = new Uint8Array(0);
    }
    if (end > 0) yield end === chunk.length ? chunk : chunk.subarray(0, end);
    if (end < chunk.length) {
      const rest = new Uint8Array(held.length + chunk.length - end);
      rest.set(held);
      rest.set(chunk.subarray(end), held.length);
      held = rest;
    }
  }
}

async function* readChunks(
  reader: { read(buffer: Uint8Array): Promise<number | null> },
  onBytes?: (count: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  while (true) {
    // Each chunk has its own memory: who gets it may keep it.
    const buffer = new Uint8Array(CHUNK);
    const count = await reader.read(buffer);
    if (count === null) return;
    if (count === 0) continue;
    onBytes?.(count);
    // A pipe gives little at a time; views of it would keep all the memory.
    yield count < CHUNK / 4
      ? buffer.slice(0, count)
      : buffer.subarray(0, count);
  }
}

/** Looks at the beginning of a stream, and gives it back whole. */
async function split(
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void>,
  least: number,
): Promise<
  [Uint8Array<ArrayBuffer>, AsyncGenerator<Uint8Array<ArrayBuffer>, void>]
> {
  let head = new Uint8Array(0);
  let ended = false;
  while (head.length < least) {
    const next = await chunks.next();
    if (next.done) {
      ended = true;
      break;
    }
    if (head.length === 0) {
      head = next.value;
    } else {
      const joined = new Uint8Array(head.length + next.value.length);
      joined.set(head);
      joined.set(next.value, head.length);
      head = joined;
    }
  }
  async function* whole(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    if (head.length > 0) yield head;
    if (!ended) yield* chunks;
  }
  return [head, whole()];
}

/**
 * Undoes gzip, of files with several members too, which the platform's
 * `DecompressionStream` refuses.
 */
async function* gunzip(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const stream = createGunzip({ chunkSize: 65_536 });
  const feeding = (async () => {
    for await (const chunk of chunks) {
      if (!stream.write(chunk)) {
        await new Promise((resolve) => stream.once("drain", resolve));
      }
    }
    stream.end();
  })().catch((error) => stream.destroy(error));
  try {
    for await (const chunk of stream) {
      yield new Uint8Array(chunk);
    }
  } finally {
    stream.destroy();
  }
  await feeding;
}
