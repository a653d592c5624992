/**
 * What goes wrong with a request, as a response (RFC 9457).
 *
 * @module
 */

import { JSONDecodeError, JSONEncodeError } from "../json/mod.ts";
import { PicklingError, UnpicklingError } from "../pickle/errors.ts";
import { LimitError } from "../python/limits.ts";

/** A request that cannot be served. */
export class RequestError extends Error {
  override name = "RequestError";
  /** The status of the response. */
  readonly status: number;
  /** What kind of error it is, for programs. */
  readonly code: string;
  /** Headers of the response. */
  readonly headers: Record<string, string>;

  /**
   * Makes the error.
   *
   * @param message What is wrong and what to do.
   * @param options What the response says.
   */
  constructor(
    message: string,
    options: {
      status: number;
      code: string;
      headers?: Record<string, string>;
    },
  ) {
    super(message);
    this.status = options.status;
    this.code = options.code;
    this.headers = options.headers ?? {};
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
};

/**
 * The response to an error.
 *
 * @param error What was thrown.
 * @returns A response of type `application/problem+json`.
 */
export function problem(error: unknown): Response {
  const { status, headers = {}, ...facts } = describe(error);
  return new Response(
    JSON.stringify({ title: TITLES[status], status, ...facts }) + "\n",
    {
      status,
      headers: {
        "content-type": "application/problem+json",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        ...headers,
      },
    },
  );
}

interface Problem {
  status: number;
  detail: string;
  code: string;
  headers?: Record<string, string>;
  [fact: string]: unknown;
}

function describe(error: unknown): Problem {
  if (error instanceof RequestError) {
    const { status, message, code, headers } = error;
    return { status, detail: message, code, headers };
  }
  if (error instanceof UnpicklingError) {
    const { message, code, offset, opcode } = error;
    return {
      status: code === "not-streamable" ? 422 : 400,
      detail: message,
      code,
      offset,
      opcode,
    };
  }
  if (error instanceof LimitError) {
    const { message, limit, value } = error;
    return { status: 413, detail: message, code: "limit", limit, value };
  }
  if (error instanceof JSONDecodeError) {
    const { message, code, pos, lineno, colno } = error;
    return { status: 400, detail: message, code, offset: pos, lineno, colno };
  }
  if (error instanceof JSONEncodeError || error instanceof PicklingError) {
    const { message, code, path } = error;
    return { status: 422, detail: message, code, path };
  }
  if (
    error instanceof TypeError && /gzip|deflate|corrupt/i.test(error.message)
  ) {
    return { status: 400, detail: "damaged gzip data", code: "bad-gzip" };
  }
  // What a stranger is told of an error that nobody expected.
  return {
    status: 500,
    detail: "something went wrong in the server",
    code: "internal",
  };
}
