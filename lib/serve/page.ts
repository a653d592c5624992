/**
 * The page at `/`, and the library for it, as responses.
 *
 * @module
 */

import { BUNDLE } from "./bundle.ts";
import { PAGE_HEAD, PAGE_SCRIPT } from "./page_html.ts";

const HTML = `${PAGE_HEAD}<script>${PAGE_SCRIPT}</script>\n</body>\n</html>\n`;

interface Resource {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

let pageResource: Promise<Resource> | undefined;
let scriptResource: Promise<Resource> | undefined;

/**
 * The page.
 *
 * @param request Who asks.
 * @returns The response.
 */
export async function page(request: Request): Promise<Response> {
  pageResource ??= makePage();
  return respond(request, await pageResource);
}

/**
 * The library, as the worker of the page.
 *
 * @param request Who asks.
 * @returns The response.
 */
export async function pageScript(request: Request): Promise<Response> {
  scriptResource ??= makeResource(BUNDLE, {
    "content-type": "text/javascript; charset=utf-8",
    // A worker has a policy of its own: this one can reach nothing.
    "content-security-policy": "default-src 'none'",
  });
  return respond(request, await scriptResource);
}

async function makePage(): Promise<Resource> {
  const hash = await digest(PAGE_SCRIPT);
  return await makeResource(HTML, {
    "content-type": "text/html; charset=utf-8",
    // No request can leave the page: it may load its worker and nothing else.
    "content-security-policy":
      `default-src 'none'; script-src 'sha256-${hash}'; worker-src 'self'; ` +
      "style-src 'unsafe-inline'; img-src data:; connect-src 'none'; " +
      "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
  });
}

async function makeResource(
  text: string,
  headers: Record<string, string>,
): Promise<Resource> {
  return {
    bytes: new TextEncoder().encode(text),
    headers: {
      ...headers,
      etag: `"${(await digest(text)).replace(/[+/=]/g, "").slice(0, 24)}"`,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    },
  };
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

function respond(request: Request, resource: Resource): Response {
  const { bytes, headers } = resource;
  const known = request.headers.get("if-none-match") ?? "";
  if (known.includes(headers.etag!)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(request.method === "HEAD" ? null : bytes, {
    headers: { ...headers, "content-length": String(bytes.length) },
  });
}
