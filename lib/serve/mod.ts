/**
 * A web service that converts pickles and JSON, as a `fetch` handler for
 * `deno serve`, Deno Deploy, and whatever else takes one.
 *
 * ```sh
 * deno serve jsr:@brine/brine/serve
 * curl --data-binary @data.pkl http://localhost:8000/
 * ```
 *
 * Its page at `/` shows what is in a file; the file does not leave the browser.
 *
 * @example Serve with limits of one's own
 * ```ts ignore
 * import { createHandler } from "@brine/brine/serve";
 *
 * export default {
 *   fetch: createHandler({ maxBody: 100_000_000 }),
 * };
 * ```
 *
 * @module
 */

import { createHandler, type Handler } from "./handler.ts";

export { createHandler, type Handler, type HandlerOptions } from "./handler.ts";
export type { Limits } from "../python/limits.ts";

/**
 * The handler with its defaults, in the form that `deno serve` takes.
 *
 * @example Scan a pickle
 * ```ts
 * import serve from "@brine/brine/serve";
 * import { assertEquals } from "@std/assert";
 *
 * const response = await serve.fetch(
 *   new Request("https://example.com/scan", {
 *     method: "POST",
 *     body: new TextEncoder().encode("cos\nsystem\n."),
 *   }),
 * );
 * const { verdict } = await response.json();
 * assertEquals(verdict, "dangerous");
 * ```
 */
const serve: { fetch: Handler } = { fetch: createHandler() };

export default serve;
