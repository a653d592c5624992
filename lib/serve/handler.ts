/**
 * The `fetch` handler.
 *
 * @module
 */

import { encodeUtf8 } from "../bytes/utf8.ts";
import {
  dumps as dumpsJson,
  JsonDecoderStream,
  JsonEncoderStream,
} from "../json/mod.ts";
import {
  dis,
  openPickle,
  PickleDecoderStream,
  PickleEncoderStream,
  scan,
  type ScanReport,
} from "../pickle/mod.ts";
import type { Limits } from "../python/limits.ts";
import { JsonToPickleStream, PickleToJsonStream } from "../transcode/mod.ts";
import { type Body, openBody, readWhole } from "./body.ts";
import {
  acceptsGzip,
  incoming,
  type Outgoing,
  outgoing,
  RESPONSE_TYPES,
} from "./negotiate.ts";
import { page, pageScript } from "./page.ts";
import { problem, RequestError } from "./problem.ts";
import { isContainer, sniff } from "./sniff.ts";

/** What a handler allows and offers. */
export interface HandlerOptions {
  /**
   * The longest request body, in bytes, after gzip is undone.
   *
   * @default {Infinity}
   */
  maxBody?: number;
  /**
   * The longest body for what needs it in memory as a whole: what `dis` says,
   * and files such as zip and joblib, that cannot be converted while they
   * arrive. A scan reads bodies of any length; of a longer zip or tar it says
   * that it is unknown.
   *
   * @default {16_777_216}
   */
  maxInMemory?: number;
  /**
   * How much one conversion may take. As of everything else, but that
   * `memoBytes` is 16 MiB where it is not given: there are many at once.
   */
  limits?: Limits;
  /**
   * Whether `/` is a page that shows pickles in the browser.
   *
   * @default {true}
   */
  page?: boolean;
  /**
   * Whether pages of other sites may post to it from the browser (CORS). Only
   * the content of requests decides what is answered, so that nothing is given
   * away to them.
   *
   * @default {true}
   */
  cors?: boolean;
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
    let response: Response;
    try {
      response = await answer(request, options);
    } catch (error) {
      // Nobody will read the rest; without this it would be waited for.
      await request.body?.cancel().catch(() => {});
      response = problem(error);
    }
    if (options.cors !== false) {
      response.headers.set("access-control-allow-origin", "*");
    }
    return request.method === "HEAD" && response.body !== null
      ? new Response(null, response)
      : response;
  };
}

const ALLOWED = "GET, HEAD, POST, OPTIONS";

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
        headers: {
          allow: ALLOWED,
          ...(options.cors === false ? {} : PREFLIGHT),
        },
      });
    default:
      throw new RequestError("post a pickle or JSON", {
        status: 405,
        code: "method-not-allowed",
        headers: { allow: ALLOWED },
      });
  }
}

/** What a browser asks before a page of another site may post. */
const PREFLIGHT = {
  "access-control-allow-methods": "POST",
  "access-control-allow-headers": "accept, content-encoding, content-type",
  "access-control-max-age": "86400",
};

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
  const body = await openBody(request, options.maxBody);
  try {
    const sent = said === "unknown" ? kindOf(body.head) : said;
    const wanted = chooseOutgoing(request, url, sent);
    const chunks = await run(body, { sent, wanted: wanted.kind, url, options });
    return await respond(request, chunks, wanted);
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

/** The result as it comes. */
async function run(
  body: Body,
  task: Task,
): Promise<ReadableStream<Uint8Array>> {
  const { sent, wanted, options } = task;
  switch (wanted) {
    case "scan":
      return text(JSON.stringify(await scanBody(body, options)) + "\n");
    case "dis":
      if (sent === "pickle") return text(dis(await inMemory(body, options)));
      throw new RequestError("only a pickle can be disassembled", {
        status: 406,
        code: "not-acceptable",
      });
    case "pickle":
      return sent === "json" ? jsonToPickle(body, task) : pickles(body, task);
    default:
      return sent === "json" ? jsonTexts(body, task) : pickleToJson(body, task);
  }
}

const EXACT = { dicts: "map", floats: "exact" } as const;

function jsonToPickle(body: Body, task: Task): ReadableStream<Uint8Array> {
  const { url, options } = task;
  const type = task.url.searchParams.get("from");
  return body.stream.pipeThrough(
    new JsonToPickleStream({
      jsonl: body.lines || type === "jsonl",
      items: has(url, "items"),
      ...protocolOf(url),
      ...limitsOf(options),
    }),
  );
}

/** Pickles of another protocol. */
async function pickles(
  body: Body,
  task: Task,
): Promise<ReadableStream<Uint8Array>> {
  const { url, options } = task;
  const values = isContainer(body.head)
    ? ReadableStream.from([await opened(body, options)])
    : body.stream.pipeThrough(
      new PickleDecoderStream({ ...EXACT, ...limitsOf(options) }),
    );
  return values.pipeThrough(new PickleEncoderStream(protocolOf(url)));
}

function jsonTexts(body: Body, task: Task): ReadableStream<Uint8Array> {
  const { url, options } = task;
  return body.stream
    .pipeThrough(
      new JsonDecoderStream({
        ...EXACT,
        items: has(url, "items"),
        ...limitsOf(options),
      }),
    )
    .pipeThrough(new JsonEncoderStream(layout(task)));
}

async function pickleToJson(
  body: Body,
  task: Task,
): Promise<ReadableStream<Uint8Array>> {
  const { wanted, url, options } = task;
  if (isContainer(body.head)) {
    const value = await opened(body, options);
    return text(dumpsJson(value, layout(task)) + "\n");
  }
  return body.stream.pipeThrough(
    new PickleToJsonStream({
      ...layout(task),
      jsonl: wanted === "jsonl",
      items: has(url, "items"),
    }),
  );
}

/** How JSON is written. */
function layout({ wanted, url, options }: Task): {
  types: "plain" | "tagged";
  indent?: number;
  sortKeys: boolean;
  limits: Limits;
} {
  const indent = url.searchParams.get("indent");
  if (indent !== null && !/^[0-9]$/.test(indent)) {
    throw new RequestError("indent is a number from 0 to 9", {
      status: 400,
      code: "bad-parameter",
    });
  }
  return {
    types: wanted === "tagged" ? "tagged" : "plain",
    sortKeys: wanted !== "tagged" && has(url, "sort-keys"),
    ...(indent === null || wanted === "jsonl" || has(url, "items")
      ? {}
      : { indent: Number(indent) }),
    ...limitsOf(options),
  };
}

function has(url: URL, name: string): boolean {
  const value = url.searchParams.get(name);
  return value !== null && value !== "false" && value !== "0";
}

function protocolOf(url: URL): { protocol?: number } {
  const protocol = url.searchParams.get("protocol");
  if (protocol === null) return {};
  if (!/^[0-5]$/.test(protocol)) {
    throw new RequestError("protocol is a number from 0 to 5", {
      status: 400,
      code: "bad-parameter",
    });
  }
  return { protocol: Number(protocol) };
}

function limitsOf({ limits }: HandlerOptions): { limits: Limits } {
  return { limits: { memoBytes: 16_777_216, ...limits } };
}

async function opened(body: Body, options: HandlerOptions): Promise<unknown> {
  const bytes = await inMemory(body, options);
  return (await openPickle(bytes, { ...EXACT, ...limitsOf(options) })).value;
}

/** The longest body that is held in memory, where nothing else is said. */
const MAX_IN_MEMORY = 16_777_216;

function inMemory(
  body: Body,
  { maxInMemory = MAX_IN_MEMORY }: HandlerOptions,
): Promise<Uint8Array> {
  return readWhole(body, maxInMemory);
}

function scanBody(
  body: Body,
  { maxInMemory = MAX_IN_MEMORY }: HandlerOptions,
): Promise<ScanReport> {
  return scan(body.stream, { maxHeld: maxInMemory });
}

function text(text: string): ReadableStream<Uint8Array> {
  return ReadableStream.from([encodeUtf8(text)]);
}

/**
 * The response. It waits for the first bytes, so that what goes wrong before
 * them has a status of its own; what goes wrong later breaks the response off,
 * and nobody takes a part for the whole.
 */
async function respond(
  request: Request,
  stream: ReadableStream<Uint8Array>,
  wanted: { kind: Outgoing; type: string },
): Promise<Response> {
  const reader = stream.getReader();
  let first = await reader.read();
  const newline = wanted.kind === "json" || wanted.kind === "tagged";
  let last = 0;
  const whole = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const { done, value } = first ?? await reader.read();
      first = undefined!;
      if (!done) {
        last = value.at(-1) ?? last;
        controller.enqueue(value);
        return;
      }
      // A text file ends with a line end.
      if (newline && last !== 0x0a) controller.enqueue(Uint8Array.of(0x0a));
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  const headers = new Headers({
    "content-type": wanted.type,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    vary: "accept, accept-encoding",
  });
  if (!acceptsGzip(request.headers.get("accept-encoding"))) {
    return new Response(whole as ReadableStream<Uint8Array<ArrayBuffer>>, {
      headers,
    });
  }
  headers.set("content-encoding", "gzip");
  return new Response(
    (whole as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      new CompressionStream("gzip"),
    ),
    { headers },
  );
}
