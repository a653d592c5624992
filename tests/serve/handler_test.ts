import { assert, assertEquals, assertRejects } from "@std/assert";
import serve, { createHandler } from "../../lib/serve/mod.ts";
import { dumps, loads, scan } from "../../lib/pickle/mod.ts";
import { readGzip } from "../pickle/dis_support.ts";

const PICKLE = "application/x-pickle";
const JSON_TYPE = "application/json";
const VALUE = { spam: [1, 2.5, null], eggs: "ü" };
const TEXT = '{"spam": [1, 2.5, null], "eggs": "\\u00fc"}\n';

interface Call {
  path?: string;
  type?: string;
  accept?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: BodyInit | null;
}

function call(
  { path = "/", type, accept, method = "POST", headers = {}, body }: Call,
  handler = serve.fetch,
): Promise<Response> {
  return handler(
    new Request(`https://example.com${path}`, {
      method,
      headers: {
        ...(type === undefined ? {} : { "content-type": type }),
        ...(accept === undefined ? {} : { accept }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    }),
  );
}

function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return new Response(
    new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")),
  ).arrayBuffer();
}

Deno.test("a pickle becomes JSON", async () => {
  for (
    const [type, accept] of [
      [PICKLE, undefined],
      [PICKLE, "*/*"],
      [PICKLE, JSON_TYPE],
      ["application/octet-stream", "text/html, application/json;q=0.9"],
      [undefined, undefined],
      // What curl says when it is not told.
      ["application/x-www-form-urlencoded", "*/*"],
      // And what `fetch` says of a string.
      ["text/plain;charset=UTF-8", "*/*"],
    ]
  ) {
    const response = await call({
      ...(type === undefined ? {} : { type }),
      ...(accept === undefined ? {} : { accept }),
      body: dumps(VALUE),
    });
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), JSON_TYPE);
    assertEquals(await response.text(), TEXT);
  }
});

Deno.test("JSON becomes a pickle", async () => {
  for (const type of [JSON_TYPE, "application/octet-stream"]) {
    const response = await call({ type, body: TEXT });
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), PICKLE);
    assertEquals(loads(await response.bytes()), VALUE);
  }
  const old = await call({
    path: "/?protocol=2",
    type: JSON_TYPE,
    body: "[1]",
  });
  assertEquals((await old.bytes()).subarray(0, 2), Uint8Array.of(0x80, 2));
});

Deno.test("JSON Lines, tagged JSON, indent, sorted keys, items", async () => {
  const lines = new Blob([dumps({ a: 1 }), dumps({ a: 2 })]);
  const two = await call({ accept: "application/x-ndjson", body: lines });
  assertEquals(two.headers.get("content-type"), "application/x-ndjson");
  assertEquals(await two.text(), '{"a": 1}\n{"a": 2}\n');
  const items = await call({
    path: "/?to=jsonl&items",
    body: dumps([{ a: 1 }, { a: 2 }]),
  });
  assertEquals(await items.text(), '{"a": 1}\n{"a": 2}\n');
  const tagged = await call({
    accept: "application/vnd.jsonpickle+json",
    body: dumps(new Set(["x"])),
  });
  assertEquals(await tagged.text(), '{"py/set": ["x"]}\n');
  const pretty = await call({
    path: "/json?indent=1&sort-keys",
    body: dumps({ b: 1, a: [2] }),
  });
  assertEquals(
    await pretty.text(),
    '{\n "a": [\n  2\n ],\n "b": 1\n}\n',
  );
  const pickles = await call({
    type: "application/jsonl",
    body: '{"a": 1}\n{"a": 2}\n',
  });
  const bytes = await pickles.bytes();
  assertEquals(loads(bytes), { a: 1 });
  assertEquals(bytes.filter((byte) => byte === 0x2e).length, 2);
});

Deno.test("reports", async () => {
  const evil = new TextEncoder().encode("cos\nsystem\n(S'x'\ntR.");
  for (
    const wanted of [
      { path: "/scan" },
      { path: "/?to=scan" },
      { accept: "application/vnd.brine.scan+json" },
    ]
  ) {
    const response = await call({ ...wanted, body: evil });
    assertEquals(response.status, 200);
    const { verdict, findings } = await response.json();
    assertEquals(verdict, "dangerous");
    assertEquals(findings[0].name, "system");
  }
  for (const wanted of [{ path: "/dis" }, { accept: "text/plain" }]) {
    const response = await call({ ...wanted, body: evil });
    assertEquals(
      response.headers.get("content-type"),
      "text/plain; charset=utf-8",
    );
    const text = await response.text();
    assert(text.includes("GLOBAL     'os system'"), text);
  }
});

Deno.test("gzip both ways, and around the file itself", async () => {
  const body = await gzip(dumps(VALUE));
  const response = await call({
    type: PICKLE,
    headers: { "content-encoding": "gzip", "accept-encoding": "br, gzip" },
    body,
  });
  assertEquals(response.headers.get("content-encoding"), "gzip");
  assert(response.headers.get("vary")?.includes("accept-encoding"));
  const plain = response.body!.pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(plain).text(), TEXT);
  const file = await call({ body });
  assertEquals(await file.text(), TEXT);
  const refused = await call({
    headers: { "accept-encoding": "gzip;q=0" },
    body: dumps(1),
  });
  assertEquals(refused.headers.get("content-encoding"), null);
  await refused.body?.cancel();
});

async function problemOf(
  response: Response,
): Promise<[number, Record<string, unknown>]> {
  assertEquals(
    response.headers.get("content-type"),
    "application/problem+json",
  );
  return [response.status, await response.json()];
}

Deno.test("what is wrong with a request has a status, a code and a place", async () => {
  let [status, facts] = await problemOf(
    await call({ type: PICKLE, body: Uint8Array.of(0x80, 4, 0x4e) }),
  );
  assertEquals([status, facts.code, facts.offset], [400, "truncated", 3]);
  [status, facts] = await problemOf(
    await call({ type: PICKLE, body: Uint8Array.of(0x80, 4, 0xff) }),
  );
  assertEquals([status, facts.code, facts.offset], [400, "bad-opcode", 2]);
  [status, facts] = await problemOf(
    await call({ type: JSON_TYPE, body: '{"a": 1,\n "b": }' }),
  );
  assertEquals(
    [status, facts.code, facts.offset, facts.lineno],
    [400, "expecting-value", 15, 2],
  );
  [status, facts] = await problemOf(
    await call({ type: "image/png", body: "x" }),
  );
  assertEquals([status, facts.code], [415, "unsupported-media-type"]);
  [status, facts] = await problemOf(
    await call({
      type: PICKLE,
      headers: { "content-encoding": "br" },
      body: "x",
    }),
  );
  assertEquals([status, facts.code], [415, "unsupported-encoding"]);
  [status, facts] = await problemOf(
    await call({
      type: PICKLE,
      headers: { "content-encoding": "gzip" },
      body: "no gzip",
    }),
  );
  assertEquals([status, facts.code], [400, "bad-gzip"]);
  [status, facts] = await problemOf(
    await call({ accept: "image/png", body: dumps(1) }),
  );
  assertEquals([status, facts.code], [406, "not-acceptable"]);
  [status, facts] = await problemOf(
    await call({ path: "/?to=x", type: JSON_TYPE, body: "1" }),
  );
  assertEquals([status, facts.code], [400, "bad-parameter"]);
  [status, facts] = await problemOf(await call({}));
  assertEquals([status, facts.code], [400, "truncated"]);
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const response = await call({ method, body: "x" });
    assertEquals(response.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
    [status] = await problemOf(response);
    assertEquals(status, 405);
  }
  [status] = await problemOf(await call({ method: "GET", path: "/x" }));
  assertEquals(status, 404);
});

Deno.test("the best of what is accepted comes back", async () => {
  const json = "application/json";
  const lines = "application/jsonl";
  for (
    const [accept, type] of [
      ["", json],
      ["*/*", json],
      ["application/*", json],
      // The default of a widely used client.
      ["application/json, text/plain, */*", json],
      ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", json],
      [`${json};q=0.5, ${lines}`, lines],
      [`${json};q=0.5, ${lines};q=0.4`, json],
      [`${PICKLE}, ${json}`, PICKLE],
      ["application/x-ndjson, */*;q=0.1", "application/x-ndjson"],
      ["application/octet-stream", "application/octet-stream"],
      ["text/*", "text/plain; charset=utf-8"],
      // The more precise range says how much a type is liked.
      [`${json};q=0, */*`, lines],
      [`*/*;q=0.1, ${PICKLE};q=0.2`, PICKLE],
      ["APPLICATION/JSON; Q=1.0; charset=utf-8", json],
    ] as const
  ) {
    const response = await call({ accept, type: PICKLE, body: dumps(VALUE) });
    assertEquals(response.status, 200, accept);
    assertEquals(response.headers.get("content-type"), type, accept);
    assert(response.headers.get("vary")?.includes("accept"));
    await response.body?.cancel();
  }
  for (const accept of ["image/*", `${json};q=0`, "*/*;q=0"]) {
    const response = await call({ accept, type: PICKLE, body: dumps(VALUE) });
    assertEquals(response.status, 406, accept);
  }
  // JSON has no instructions, and becomes a pickle where nobody minds.
  const sent = await call({
    accept: "text/plain, */*;q=0.1",
    type: JSON_TYPE,
    body: TEXT,
  });
  assertEquals(sent.headers.get("content-type"), PICKLE);
  await sent.body?.cancel();
});

Deno.test("pages of other sites may post, where that is wanted", async () => {
  const preflight = await call({
    method: "OPTIONS",
    headers: {
      origin: "https://other.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });
  assertEquals(preflight.status, 204);
  assertEquals(preflight.headers.get("access-control-allow-origin"), "*");
  assertEquals(preflight.headers.get("access-control-allow-methods"), "POST");
  assert(
    preflight.headers.get("access-control-allow-headers")!
      .includes("content-type"),
  );
  assertEquals(preflight.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
  for (const body of [dumps(1), Uint8Array.of(0xff)]) {
    const response = await call({ body });
    assertEquals(response.headers.get("access-control-allow-origin"), "*");
    await response.body?.cancel();
  }
  const closed = createHandler({ cors: false });
  for (const method of ["OPTIONS", "POST"]) {
    const response = await call({
      method,
      ...(method === "POST" ? { body: dumps(1) } : {}),
    }, closed);
    for (const [name] of response.headers) {
      assert(!name.startsWith("access-control-"), name);
    }
    await response.body?.cancel();
  }
});

Deno.test("bodies are read as they come, in whatever pieces", async () => {
  const bytes = dumps(Array.from({ length: 20_000 }, (_, i) => `text ${i}`));
  const whole = await (await call({ body: bytes })).text();
  for (const type of ["bytes", undefined] as const) {
    for (const size of [1, 37, 1000, 1024, 1025, 5000, 300_000]) {
      const part = size === 1 ? bytes.slice(0, 3000) : bytes;
      let at = 0;
      let pulls = 0;
      const source = {
        ...(type === undefined ? {} : { type }),
        async pull(
          // deno-lint-ignore no-explicit-any
          controller: any,
        ): Promise<void> {
          if (pulls++ % 50 === 0) {
            await new Promise((resolve) => setTimeout(resolve));
          }
          const chunk = part.slice(at, at + size);
          at += size;
          if (chunk.length > 0) return controller.enqueue(chunk);
          controller.close();
          controller.byobRequest?.respond(0);
        },
      };
      const body = new ReadableStream(
        source as unknown as UnderlyingDefaultSource,
      );
      const response = await call({ type: PICKLE, body });
      if (size === 1) assertEquals((await response.json()).code, "truncated");
      else assertEquals(await response.text(), whole);
    }
  }
});

Deno.test("limits are 413", async () => {
  const handler = createHandler({ maxBody: 100, limits: { jsonDepth: 3 } });
  const long = dumps("x".repeat(200));
  let [status, facts] = await problemOf(await call({ body: long }, handler));
  assertEquals([status, facts.code], [413, "too-large"]);
  [status, facts] = await problemOf(
    await call({
      type: JSON_TYPE,
      headers: { "content-length": "1000" },
      body: "1",
    }, handler),
  );
  assertEquals([status, facts.code], [413, "too-large"]);
  [status, facts] = await problemOf(
    await call({ body: dumps([[[[[[]]]]]]) }, handler),
  );
  assertEquals([status, facts.limit], [413, "jsonDepth"]);
  const small = createHandler({ maxInMemory: 10 });
  [status, facts] = await problemOf(
    await call({ path: "/dis", body: long }, small),
  );
  assertEquals([status, facts.code], [413, "too-large"]);
  [status, facts] = await problemOf(
    await call({ path: "/scan", body: long }, handler),
  );
  assertEquals([status, facts.code], [413, "too-large"]);
  // Bodies that are unpacked count as what they become.
  [status] = await problemOf(
    await call({
      headers: { "content-encoding": "gzip" },
      body: await gzip(dumps("x".repeat(10_000))),
    }, handler),
  );
  assertEquals(status, 413);
});

/** A long list, and behind it a call. */
function longAndDangerous(
  chunks: number,
  wait: () => Promise<void> = () => Promise.resolve(),
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const record = new TextEncoder().encode("}(U\x01aK\x01U\x01bU\x05hellou");
  const chunk = new Uint8Array(record.length * 4000);
  for (let i = 0; i < 4000; i++) chunk.set(record, i * record.length);
  let at = 0;
  return new ReadableStream({
    async pull(controller): Promise<void> {
      await wait();
      if (at === 0) controller.enqueue(Uint8Array.of(0x80, 2, 0x5d, 0x28));
      else if (at <= chunks) controller.enqueue(chunk.slice());
      else {
        controller.enqueue(
          new TextEncoder().encode("cos\nsystem\n(U\x04truetRe."),
        );
        controller.close();
      }
      at++;
    },
  }, { highWaterMark: 0 });
}

async function scanned(response: Response): Promise<{
  verdict: string;
  bytes: number;
  names: string[];
  codes: string[];
}> {
  assertEquals(response.status, 200);
  const { verdict, bytes, findings, issues } = await response.json();
  return {
    verdict,
    bytes,
    names: findings.map(({ name }: { name: string }) => name),
    codes: issues.map(({ code }: { code: string }) => code),
  };
}

Deno.test("a scan reads a body of any length, and a slow one", async () => {
  const length = (chunks: number): number => 4 + chunks * 4000 * 18 + 22;
  const found = { verdict: "dangerous", names: ["system"], codes: [] };
  // Longer than what is held in memory.
  assertEquals(
    await scanned(await call({ path: "/scan", body: longAndDangerous(400) })),
    { ...found, bytes: length(400) },
  );
  const small = createHandler({ maxInMemory: 10 });
  const slow = longAndDangerous(
    10,
    () => new Promise((resolve) => setTimeout(resolve, 5)),
  );
  assertEquals(
    await scanned(await call({ path: "/scan", body: slow }, small)),
    { ...found, bytes: length(10) },
  );
  // A client that breaks off gets no report of a part.
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller): void {
      controller.enqueue(dumps(VALUE));
    },
    pull(controller): void {
      controller.error(new Error("gone"));
    },
  });
  const response = await call({ path: "/scan", body: broken });
  assert(response.status >= 400, `${response.status}`);
  await response.text();
});

Deno.test("a scan of a zip that is too long to be held says that it is unknown", async () => {
  const zip = new Uint8Array(2000);
  zip.set([0x50, 0x4b, 3, 4]);
  const { verdict, codes } = await scanned(
    await call(
      { path: "/scan", body: zip },
      createHandler({ maxInMemory: 1000 }),
    ),
  );
  assertEquals([verdict, codes], ["unknown", ["limit"]]);
});

Deno.test("a scan over HTTP says what a scan says", async () => {
  let count = 0;
  const lines = (await readGzip("hostile/hostile.jsonl.gz")).trim().split("\n");
  for (const line of lines) {
    const { name, base64 } = JSON.parse(line) as Record<string, string>;
    const bytes = Uint8Array.fromBase64(base64!);
    // Gzip is undone before anybody looks; nothing is no body.
    if (bytes[0] === 0x1f && bytes[1] === 0x8b || bytes.length === 0) continue;
    const response = await call({ path: "/scan", body: bytes });
    assertEquals(
      await response.json(),
      JSON.parse(JSON.stringify(await scan(bytes))),
      name,
    );
    count++;
  }
  assert(count > 100);
});

/** A list of records that never ends, as it comes from a client. */
function endless(
  counter: { chunks: number; cancelled: boolean },
  record = "}(U\x01aK\x01U\x01bU\x05hellou",
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const start = Uint8Array.of(0x80, 2, 0x5d, 0x28);
  const chunk = new TextEncoder().encode(record.repeat(4000));
  return new ReadableStream({
    pull(controller): void {
      controller.enqueue(counter.chunks++ === 0 ? start : chunk.slice());
    },
    cancel(): void {
      counter.cancelled = true;
    },
  }, { highWaterMark: 0 });
}

Deno.test("a slow reader holds the sender back, and one that leaves frees it", async () => {
  const counter = { chunks: 0, cancelled: false };
  const response = await call({ type: PICKLE, body: endless(counter) });
  const reader = response.body!.getReader();
  await reader.read();
  const before = counter.chunks;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(counter.chunks, before, "nothing is read ahead for nobody");
  assert(before < 200, `${before} chunks before the first byte`);
  for (let i = 0; i < 20; i++) await reader.read();
  assert(counter.chunks > before);
  await reader.cancel("gone");
  assert(counter.cancelled);
});

Deno.test("an error after the first byte breaks the response off", async () => {
  const good = new TextEncoder().encode("}(U\x01aK\x01U\x01bU\x05hellou");
  const bytes = new Uint8Array(4 + good.length * 200_000 + 1);
  bytes.set([0x80, 2, 0x5d, 0x28]);
  for (let i = 0; i < 200_000; i++) bytes.set(good, 4 + i * good.length);
  bytes[bytes.length - 1] = 0xff;
  const response = await call({ type: PICKLE, body: bytes });
  assertEquals(response.status, 200);
  await assertRejects(() => response.text());
});

Deno.test("the page, and the library for it", async () => {
  const response = await call({ method: "GET" });
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("content-type"),
    "text/html; charset=utf-8",
  );
  const policy = response.headers.get("content-security-policy")!;
  assert(policy.includes("connect-src 'none'"));
  const html = await response.text();
  assert(html.startsWith("<!doctype html>"));
  // The policy knows the script by its hash.
  const script = /<script>(.*)<\/script>/s.exec(html)![1]!;
  const hash = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(script),
  );
  const base64 = btoa(String.fromCharCode(...new Uint8Array(hash)));
  assert(policy.includes(`'sha256-${base64}'`));
  const worker = await call({ method: "GET", path: "/brine.js" });
  assertEquals(worker.status, 200);
  assert(worker.headers.get("content-type")?.startsWith("text/javascript"));
  const etag = worker.headers.get("etag")!;
  await worker.body?.cancel();
  const same = await call({
    method: "GET",
    path: "/brine.js",
    headers: { "if-none-match": etag },
  });
  assertEquals(same.status, 304);
  const head = await call({ method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  const without = createHandler({ page: false });
  assertEquals((await call({ method: "GET" }, without)).status, 404);
  const missing = await call({ method: "HEAD", path: "/missing" });
  assertEquals([missing.status, await missing.text()], [404, ""]);
  assertEquals((await call({ method: "OPTIONS" })).status, 204);
});

Deno.test("a thousand malformed posts leave it serving", async () => {
  let seed = 7;
  for (let i = 0; i < 1000; i++) {
    const body = dumps(VALUE);
    for (let j = 0; j < 3; j++) {
      seed = Math.imul(seed, 1103515245) + 12345 >>> 0;
      body[seed % body.length] = seed >>> 16;
    }
    const response = await call({ type: PICKLE, body });
    assert(
      [200, 400, 413, 422].includes(response.status),
      `${response.status}`,
    );
    await response.text().catch(() => {});
  }
  const response = await call({ type: PICKLE, body: dumps(VALUE) });
  assertEquals(await response.text(), TEXT);
});

Deno.test("JSON that looks like tags stays data", async () => {
  const text = '{"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["x"]}]}';
  const response = await call({ type: JSON_TYPE, body: text });
  const bytes = await response.bytes();
  assertEquals(loads(bytes), JSON.parse(text));
  const scanned = await call({ path: "/scan", body: bytes });
  assertEquals((await scanned.json()).verdict, "safe");
});
