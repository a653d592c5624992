/**
 * The body of a request: read in little memory, gzip undone, length watched.
 *
 * @module
 */

import { isLines } from "./negotiate.ts";
import { RequestError } from "./problem.ts";

/** A request's body, with gzip undone and its length watched. */
export interface Body {
  /** How it begins. */
  head: Uint8Array;
  /** Whether it was said to be JSON Lines. */
  lines: boolean;
  /** All of it. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Stops reading. */
  cancel(reason: unknown): Promise<void>;
}

/** Gives the next chunk, or undefined at the end. */
interface Source {
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(reason: unknown): Promise<void>;
}

/**
 * How much is asked for at a time. While a response waits for its next bytes,
 * Deno 2.8.3 to 2.9.6 look whether the client is still there by reading on and
 * keeping what comes, without an end: with each look as much as the longest
 * read so far, but 1 KiB at least. So reads are short, and many before the
 * response is given more, and what is kept is used up. With reads of 64 KiB,
 * ten uploads of 300 MB at once took 1.5 GB, and twice the time.
 */
const PIECE = 1024;
/** How much is gathered at most of what is there already. */
const GATHERED = 262_144;
/** How many microtasks a read takes that need not wait; 2 in Deno 2.9. */
const SOON = 8;
/** How much gzip is undone at once; it becomes a thousand times as much. */
const COMPRESSED = 4096;
/** How much is enough to tell what a body is. */
const HEAD = 16;

/**
 * Opens the body of a request.
 *
 * @param request The request.
 * @param maxBody The longest that it may be, gzip undone.
 * @returns The body.
 * @throws {RequestError} If it is empty, too long, or in an unknown encoding.
 */
export async function openBody(
  request: Request,
  maxBody: number = Infinity,
): Promise<Body> {
  const coding = (request.headers.get("content-encoding") ?? "").trim()
    .toLowerCase();
  const gzip = coding === "gzip" || coding === "x-gzip";
  if (!gzip && coding !== "" && coding !== "identity") {
    throw new RequestError("send it as it is, or as gzip", {
      status: 415,
      code: "unsupported-encoding",
      headers: { "accept-encoding": "gzip, identity" },
    });
  }
  if (Number(request.headers.get("content-length") ?? 0) > maxBody) {
    throw tooLarge(maxBody);
  }
  if (request.body === null) {
    throw new RequestError("the body is empty; post a pickle or JSON", {
      status: 400,
      code: "truncated",
    });
  }
  let source = sourceOf(request.body);
  if (gzip) source = gunzip(source);
  let [head, whole] = await peek(source);
  // A file that is gzip itself, whatever it is called.
  if (!gzip && head[0] === 0x1f && head[1] === 0x8b) {
    [head, whole] = await peek(gunzip(whole));
  }
  const watched = watch(whole, maxBody);
  return {
    head,
    lines: isLines(request.headers.get("content-type")),
    stream: streamOf(watched),
    cancel: (reason) => watched.cancel(reason).catch(() => {}),
  };
}

/**
 * Says that a body is too long.
 *
 * @param limit How long it may be.
 * @returns The error.
 */
export function tooLarge(limit: number): RequestError {
  return new RequestError(`the body is longer than ${limit} bytes`, {
    status: 413,
    code: "too-large",
  });
}

/**
 * The whole body, where it is not too long for that.
 *
 * @param body The body.
 * @param limit How long it may be.
 * @returns Its bytes.
 * @throws {RequestError} If it is longer.
 */
export async function readWhole(
  body: Body,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body.stream) {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return join(chunks, length);
}

function sourceOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Source {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    // No stream of bytes, but one of chunks.
    return chunksOf(stream);
  }
  return new PieceReader(reader);
}

function chunksOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Source {
  const reader = stream.getReader();
  return {
    read: async () => (await reader.read()).value,
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Makes chunks of many short reads. */
class PieceReader implements Source {
  readonly #reader: ReadableStreamBYOBReader;
  #piece = new Uint8Array(PIECE);
  /** How much is gathered next; a small body takes little. */
  #room = PIECE * 4;
  #reading:
    | Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>>
    | undefined;

  constructor(reader: ReadableStreamBYOBReader) {
    this.#reader = reader;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const gathered = new Uint8Array(this.#room);
    let length = 0;
    while (length <= gathered.length - PIECE) {
      const reading = this.#reading ??= this.#reader.read(this.#piece);
      // What came is not held back for what is still on its way.
      if (length > 0 && !await settlesSoon(reading)) break;
      const { done, value } = await reading;
      if (done) break;
      this.#reading = undefined;
      this.#piece = new Uint8Array(value.buffer);
      gathered.set(value, length);
      length += value.length;
    }
    if (length === 0) return undefined;
    if (length > gathered.length - PIECE) {
      this.#room = Math.min(GATHERED, gathered.length * 2);
    }
    return length * 2 < gathered.length
      ? gathered.slice(0, length)
      : gathered.subarray(0, length);
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }
}

async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < SOON && !settled; i++) await undefined;
  return settled;
}

function gunzip(source: Source): Source {
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  const parts: Source = {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      if (rest.length === 0) {
        const chunk = await source.read();
        if (chunk === undefined) return undefined;
        rest = chunk;
      }
      const part = rest.subarray(0, COMPRESSED);
      rest = rest.subarray(part.length);
      return part;
    },
    cancel: (reason) => source.cancel(reason),
  };
  return chunksOf(
    streamOf(parts).pipeThrough(new DecompressionStream("gzip")),
  );
}

/** Reads the beginning, and gives the whole back. */
async function peek(
  source: Source,
): Promise<[head: Uint8Array, whole: Source]> {
  const first: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let ended = false;
  while (length < HEAD && !ended) {
    const chunk = await source.read();
    if (chunk === undefined) ended = true;
    else {
      first.push(chunk);
      length += chunk.length;
    }
  }
  const head = join(first, length);
  return [head.subarray(0, HEAD), {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      return first.shift() ?? (ended ? undefined : await source.read());
    },
    cancel: (reason) => source.cancel(reason),
  }];
}

function watch(source: Source, limit: number): Source {
  let length = 0;
  return {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      const chunk = await source.read();
      length += chunk?.length ?? 0;
      if (length <= limit) return chunk;
      const error = tooLarge(limit);
      source.cancel(error).catch(() => {});
      throw error;
    },
    cancel: (reason) => source.cancel(reason),
  };
}

function streamOf(source: Source): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller): Promise<void> {
      const chunk = await source.read();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}

function join(
  chunks: readonly Uint8Array[],
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
