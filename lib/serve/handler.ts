/**
 * The `fetch` handler.
 *
 * @module
 */

import { dumps as dumpsJson } from "../json/mod.ts";
import {
  dis,
  loads as loadsPickle,
  scan,
  UnpicklingError,
} from "../pickle/mod.ts";
import { LimitError, type Limits } from "../python/limits.ts";
import { JsonToPickleStream, PickleToJsonStream } from "../transcode/mod.ts";
import {
  acceptsGzip,
  incoming,
  type Outgoing,
  outgoing,
  RESPONSE_TYPES,
} from "./negotiate.ts";
import { page, pageScript } from "./page.ts";
import { problem, RequestError } from "./problem.ts";
import { sniff } from "./sniff.ts";

/** What a handler allows and offers. */
export interface HandlerOptions {
  /**
   * The longest request body, in bytes, after gzip is undone.
   *
   * @default {Infinity}
   */
  maxBody?: number;
  /**
   * The longest body for what needs it in memory as a whole: reports, and
   * pickles that cannot be converted while they arrive.
   *
   * @default {16_777_216}
   */
  maxInMemory?: number;
  /** How much one conversion may take. */
  limits?: Limits;
  /**
   * Whether `/` is a page that shows pickles in the browser.
   *
   * @default {true}
   */
  page?: boolean;
}

/** A function that answers requests. */
export type Handler = (request: Request) => Promise<Response>;

const OUTGOING: readonly string[] = Object.keys(RESPONSE_TYPES);

/**
 * Makes a `fetch` handler that converts what is posted to it. It uses neither
 * files nor environment.
 *
 * What a body is follows from `Content-Type`, or from how it begins; what comes
 * back from `Accept`, or from `?to=` with `json`, `jsonl`, `tagged`, `pickle`,
 * `scan` or `dis`, or from an address that ends in one of these words.
 * `?indent=2`, `?sort-keys` and `?items` say more. Errors are
 * `application/problem+json` with a `code`, and the `offset` of the damage.
 *
 * @param options What it allows and offers
 * @returns The handler
 *
 * @example Convert a pickle
 * ```ts
 * import { createHandler } from "@brine/brine/serve";
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = createHandler({ maxBody: 10_000_000 });
 * const response = await handler(
 *   new Request("https://example.com/", {
 *     method: "POST",
 *     headers: { "content-type": "application/x-pickle" },
 *     body: pickle.dumps({ spam: [1, 2.5] }),
 *   }),
 * );
 * assertEquals(response.headers.get("content-type"), "application/json");
 * assertEquals(await response.json(), { spam: [1, 2.5] });
 * ```
 */
export function createHandler(options: HandlerOptions = {}): Handler {
  return async (request) => {
    try {
      return await answer(request, options);
    } catch (error) {
      // Nobody will read the rest; without this it would be waited for.
      await request.body?.cancel().catch(() => {});
      return problem(error);
    }
  };
}

async function answer(
  request: Request,
  options: HandlerOptions,
): Promise<Response> {
  const url = new URL(request.url);
  switch (request.method) {
    case "GET":
    case "HEAD":
      return await getPage(request, url, options);
    case "POST":
      return await convert(request, url, options);
    case "OPTIONS":
      return new Response(null, {
        status: 204,
        headers: { allow: "GET, HEAD, POST, OPTIONS" },
      });
    default:
      throw new RequestError("post a pickle or JSON", {
        status: 405,
        code: "method-not-allowed",
        headers: { allow: "GET, HEAD, POST, OPTIONS" },
      });
  }
}

async function getPage(
  request: Request,
  url: URL,
  options: HandlerOptions,
): Promise<Response> {
  const name = url.pathname.replace(/^.*\//, "");
  if (options.page !== false && name === "") return await page(request);
  if (options.page !== false && name === "brine.js") {
    return await pageScript(request);
  }
  throw new RequestError("post a pickle or JSON; the page is at /", {
    status: 404,
    code: "not-found",
  });
}

async function convert(
  request: Request,
  url: URL,
  options: HandlerOptions,
): Promise<Response> {
  const said = incoming(request.headers.get("content-type"));
  if (said === undefined) {
    throw new RequestError(
      "send a pickle (application/x-pickle) or JSON (application/json, application/jsonl)",
      { status: 415, code: "unsupported-media-type" },
    );
  }
  const body = await openBody(request, options);
  try {
    const sent = said === "unknown" ? kindOf(body.head) : said;
    const wanted = chooseOutgoing(request, url, sent);
    const chunks = await run(body, { sent, wanted: wanted.kind, url, options });
    return respond(request, chunks, wanted);
  } catch (error) {
    await body.cancel(error);
    throw error;
  }
}

function chooseOutgoing(
  request: Request,
  url: URL,
  sent: "pickle" | "json",
): { kind: Outgoing; type: string } {
  const asked = url.searchParams.get("to") ??
    url.pathname.replace(/^.*\//, "");
  let wanted: { kind: Outgoing; type: string } | undefined;
  if (OUTGOING.includes(asked)) {
    const kind = asked as Outgoing;
    wanted = {
      kind,
      type: kind === "scan" ? "application/json" : RESPONSE_TYPES[kind],
    };
  } else if (asked !== "" && url.searchParams.has("to")) {
    throw new RequestError(`to is one of ${OUTGOING.join(", ")}`, {
      status: 400,
      code: "bad-parameter",
    });
  } else {
    wanted = outgoing(request.headers.get("accept"), sent);
  }
  if (wanted === undefined) {
    throw new RequestError(
      `there are ${Object.values(RESPONSE_TYPES).join(", ")}`,
      { status: 406, code: "not-acceptable" },
    );
  }
  return wanted;
}

/** A request's body, with gzip undone and its length watched. */
interface Body {
  /** How it begins. */
  head: Uint8Array;
  /** All of it. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Stops reading. */
  cancel(reason: unknown): Promise<void>;
}

async function openBody(
  request: Request,
  options: HandlerOptions,
): Promise<Body> {
  const { maxBody = Infinity } = options;
  const encoding = (request.headers.get("content-encoding") ?? "identity")
    .trim().toLowerCase();
  const gzip = encoding === "gzip" || encoding === "x-gzip";
  if (!gzip && encoding !== "identity" && encoding !== "") {
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
  let stream: ReadableStream<Uint8Array> = request.body;
  if (gzip) stream = gunzip(stream);
  let [head, rest] = await peek(stream);
  // A file that is gzip itself, whatever it is called.
  if (!gzip && head[0] === 0x1f && head[1] === 0x8b) {
    [head, rest] = await peek(gunzip(rest));
  }
  const reader = rest.getReader();
  let length = 0;
  return {
    head,
    stream: new ReadableStream({
      async pull(controller): Promise<void> {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        length += value.length;
        if (length > maxBody) {
          const error = tooLarge(maxBody);
          reader.cancel(error).catch(() => {});
          throw error;
        }
        controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 }),
    cancel: (reason) => reader.cancel(reason).catch(() => {}),
  };
}

function gunzip(
  stream: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  return stream.pipeThrough(
    new DecompressionStream("gzip") as TransformStream<Uint8Array, Uint8Array>,
  );
}

function tooLarge(limit: number): RequestError {
  return new RequestError(`the body is longer than ${limit} bytes`, {
    status: 413,
    code: "too-large",
  });
}

/** Reads the beginning of a stream, and gives the whole back. */
async function peek(
  stream: ReadableStream<Uint8Array>,
): Promise<[head: Uint8Array, whole: ReadableStream<Uint8Array>]> {
  const reader = stream.getReader();
  const first: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  while (length < 16) {
    const { done, value } = await reader.read();
    if (done) {
      ended = true;
      break;
    }
    first.push(value);
    length += value.length;
  }
  const head = first.length === 1 ? first[0]! : join(first, length);
  let given = false;
  const whole = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      if (!given) {
        given = true;
        if (head.length > 0) return controller.enqueue(head);
      }
      if (ended) return controller.close();
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return [head, whole];
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function kindOf(head: Uint8Array): "pickle" | "json" {
  return sniff(head) === "json" ? "json" : "pickle";
}

/** What one conversion is told. */
interface Task {
  sent: "pickle" | "json";
  wanted: Outgoing;
  url: URL;
  options: HandlerOptions;
}

/** The result as it comes; errors before its first byte are thrown there. */
async function run(
  body: Body,
  task: Task,
): Promise<ReadableStream<Uint8Array>> {
  const { sent, wanted, options } = task;
  switch (wanted) {
    case "scan": {
      const report = await scan(await inMemory(body, options));
      return text(JSON.stringify(report) + "\n");
    }
    case "dis":
      if (sent !== "pickle") break;
      return text(dis(await inMemory(body, options)));
    case "pickle":
      return sent === "json"
        ? body.stream.pipeThrough(new JsonToPickleStream(readOptions(task)))
        : body.stream
          .pipeThrough(new PickleDecoderStream(exact(options)))
          .pipeThrough(new PickleEncoderStream());
    default:
      return sent === "pickle" ? await pickleToJson(body, task) : body.stream
        .pipeThrough(new JsonDecoderStream(exact(options)))
        .pipeThrough(new JsonEncoderStream(writeOptions(task)));
  }
  throw new RequestError("only a pickle can be disassembled", {
    status: 406,
    code: "not-acceptable",
  });
}
