/**
 * The runtimes, and how each runs a suite.
 *
 * @module
 */

import { Browser } from "./browser.ts";
import type { Outcome } from "./outcome.ts";
import { CHROMIUM, FIREFOX, has, pathOf } from "./support.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const DRIVER = new URL("driver.mjs", import.meta.url);

/** Which of the scripts that build.ts makes, and what it is told. */
export interface Task {
  /** Where the scripts are. */
  folder: string;
  /** Which. */
  script: "suite.js" | "own.js" | "worker.js";
  /** Its options. */
  options?: object;
  /** How long it may take, in milliseconds. */
  timeout?: number;
}

/** A runtime. */
export interface Runtime {
  /** What to call it. */
  name: string;
  /** Whether only npm may have it. */
  remote: boolean;
  /** What it says its version is; undefined where it is not here. */
  version(): Promise<string | undefined>;
  /** Runs a suite. */
  run(task: Task): Promise<Outcome>;
}

/**
 * The library's own tests describe values by recursion, a thousand lists deep;
 * the library itself needs no such thing.
 */
const DEEP = "--stack-size=3900";

async function firstLine(
  [program, ...args]: readonly string[],
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program!, {
      args,
      stderr: "null",
    }).output();
    if (!success) return undefined;
    return new TextDecoder().decode(stdout).split("\n")[0]?.trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * A script that Node.js 20 can read, which has no `using`. What the tests say
 * it of are folders, and those tests are left out where Deno is not.
 */
async function withoutUsing(path: string): Promise<string> {
  const text = await Deno.readTextFile(path);
  const older = path.replace(/\.js$/, ".older.js");
  await Deno.writeTextFile(
    older,
    text.replace(/^( *)using (?=\w+ = )/gm, "$1const "),
  );
  return older;
}

/** A runtime of the command line, which has `node:fs`. */
function commandLine(
  name: string,
  command: readonly string[],
  run: readonly string[] = [],
): Runtime {
  const isV8 = name.startsWith("node");
  return {
    name,
    remote: command[0] === "npx",
    version: () => firstLine([...command, "--version"]),
    async run({ folder, script, options = {}, timeout = 600_000 }) {
      const [program, ...args] = command;
      const path = `${folder}/${script}`;
      const { stdout, stderr } = await new Deno.Command(program!, {
        args: [
          ...args,
          ...run,
          ...isV8 && script === "own.js" ? [DEEP] : [],
          pathOf(DRIVER),
          isV8 ? await withoutUsing(path) : path,
          pathOf(FIXTURES),
          JSON.stringify(options),
        ],
        signal: AbortSignal.timeout(timeout),
      }).output();
      const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1);
      if (!last?.startsWith("{")) {
        throw new Error(`it broke off: ${new TextDecoder().decode(stderr)}`);
      }
      return JSON.parse(last);
    },
  };
}

/** The fixtures' files by their paths. */
async function fixturePaths(under = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(under, FIXTURES))) {
    const name = `${under}${entry.name}`;
    if (entry.isDirectory) found.push(...await fixturePaths(`${name}/`));
    else if (/\.(gz|json)$/.test(name)) found.push(name);
  }
  return found.sort();
}

/** What tests import of Node, for browsers. */
const IMPORTS = {
  "node:crypto": "/node_crypto.js",
  "node:vm": "/not_here.js",
  "node:buffer": "/not_here.js",
};

const NOT_HERE =
  `throw Object.assign(new Error("only in Node"), { name: "NotHere" });`;

/** Serves a page and what it asks for; `done` is given what it posts. */
function serveScripts(
  folder: string,
  script = "",
  done: (text: string) => void = () => {},
): Deno.HttpServer<Deno.NetAddr> {
  const page = `<!doctype html><title>Brine</title><script type="importmap">${
    JSON.stringify({ imports: IMPORTS })
  }</script><script type="module">${script.replaceAll("</", "<\\/")}</script>`;
  const serve = async (request: Request): Promise<Response> => {
    const name = decodeURIComponent(new URL(request.url).pathname).slice(1);
    if (request.method === "POST") {
      done(await request.text());
      return new Response(null, { status: 204 });
    }
    if (name === "") {
      return new Response(page, { headers: { "content-type": "text/html" } });
    }
    if (name === "not_here.js") {
      return new Response(NOT_HERE, {
        headers: { "content-type": "text/javascript" },
      });
    }
    if (name === "files.json") return Response.json(await fixturePaths());
    const file = name.startsWith("fixtures/")
      ? new URL(name.slice(9), FIXTURES)
      : `${folder}/${name}`;
    try {
      return new Response(await Deno.readFile(file), {
        headers: name.endsWith(".js")
          ? { "content-type": "text/javascript" }
          : {},
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  };
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    serve,
  );
}

/** What the page does. */
function pageScript(script: string, options: object): string {
  if (script === "worker.js") {
    return `(async () => {
  const { tryWorker } = await import("/worker_main.js");
  const failures = await tryWorker("/worker.js");
  return JSON.stringify({
    passed: failures.length ? 0 : 1, failed: failures.length, skipped: 0, failures,
  });
})()`;
  }
  return `(async () => {
  const files = {};
  for (const path of await (await fetch("/files.json")).json()) {
    const response = await fetch("/fixtures/" + path);
    files[path] = new Uint8Array(await response.arrayBuffer());
  }
  const { suite } = await import("/${script}");
  return JSON.stringify(await suite(files, ${JSON.stringify(options)}));
})()`;
}

const chromium: Runtime = {
  name: "chromium",
  remote: false,
  async version() {
    if (!await has(CHROMIUM)) return undefined;
    return await firstLine([CHROMIUM, "--version"]);
  },
  async run({ folder, script, options = {} }) {
    const server = serveScripts(folder);
    const browser = await Browser.start(
      CHROMIUM,
      script === "own.js" ? [`--js-flags=${DEEP}`] : [],
    );
    try {
      await browser.open(`http://127.0.0.1:${server.addr.port}/`);
      const result = await browser.evaluate(pageScript(script, options));
      return JSON.parse(String(result));
    } finally {
      await browser[Symbol.asyncDispose]();
      await server.shutdown();
    }
  },
};

/** Firefox is not driven: its page posts what came of it. */
const firefox: Runtime = {
  name: "firefox",
  remote: false,
  version: () => firstLine([FIREFOX, "--version"]),
  async run({ folder, script, options = {}, timeout = 600_000 }) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const server = serveScripts(
      folder,
      `const post = (body) => fetch("/", { method: "POST", body });
${pageScript(script, options)}.then(post, (error) => post("error " + error));`,
      resolve,
    );
    const profile = await Deno.makeTempDir();
    const child = new Deno.Command(FIREFOX, {
      args: [
        "--headless",
        "--no-remote",
        "--profile",
        profile,
        `http://127.0.0.1:${server.addr.port}/`,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const timer = setTimeout(
      () => reject(new Error(`nothing in ${timeout / 1000} s`)),
      timeout,
    );
    try {
      const text = await promise;
      if (text.startsWith("error")) throw new Error(text);
      return JSON.parse(text);
    } finally {
      clearTimeout(timer);
      child.kill();
      await child.status;
      await server.shutdown();
      await Deno.remove(profile, { recursive: true }).catch(() => {});
    }
  },
};

const WORKERD_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
    (name = "main.js", esModule = embed "workerd.js"),
    (name = "suite.js", esModule = embed "suite.js"),
  ],
  compatibilityDate = "2026-01-01",
);
`;

/** Files come with the request, since there is no file system. */
const WORKERD_MAIN = `import { suite } from "./suite.js";
export default {
  async fetch(request) {
    const form = await request.formData();
    const files = {};
    for (const [path, file] of form) {
      if (path !== "options") files[path] = new Uint8Array(await file.arrayBuffer());
    }
    const options = JSON.parse(form.get("options"));
    return Response.json(await suite(files, options));
  },
};
`;

/**
 * The program itself: what npm starts is a script that starts it, and that does
 * not end it.
 */
async function workerdPath(): Promise<string | undefined> {
  const script = await firstLine(
    ["npx", "-y", "-p", "workerd", "-c", "command -v workerd"],
  );
  if (script === undefined) return undefined;
  const packages = script.replace(/\.bin\/workerd$/, "@cloudflare");
  for await (const { name } of Deno.readDir(packages)) {
    if (name.startsWith("workerd-")) return `${packages}/${name}/bin/workerd`;
  }
  return undefined;
}

/** The server of Cloudflare's Workers. */
const workerd: Runtime = {
  name: "workerd",
  remote: true,
  async version() {
    const program = await workerdPath();
    return program && await firstLine([program, "--version"]);
  },
  async run({ folder, script, options = {}, timeout = 600_000 }) {
    if (script !== "suite.js") throw new Error("it runs suite.js only");
    await Deno.writeTextFile(`${folder}/workerd.capnp`, WORKERD_CONFIG);
    await Deno.writeTextFile(`${folder}/workerd.js`, WORKERD_MAIN);
    const signal = AbortSignal.timeout(timeout);
    const program = await workerdPath();
    const child = new Deno.Command(program!, {
      args: ["serve", "--control-fd=1", `${folder}/workerd.capnp`],
      stdout: "piped",
      stderr: "inherit",
      signal,
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    try {
      // It says which port it was given.
      const { value = "" } = await reader.read();
      const { port } = JSON.parse(value.split("\n")[0]!);
      const body = new FormData();
      body.set("options", JSON.stringify(options));
      for (const path of await fixturePaths()) {
        const bytes = await Deno.readFile(new URL(path, FIXTURES));
        body.set(path, new Blob([bytes]));
      }
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        body,
        signal,
      });
      if (!response.ok) throw new Error(await response.text());
      return await response.json();
    } finally {
      await reader.cancel();
      child.kill();
      await child.status;
    }
  },
};

function isInPath(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

const bun = Deno.env.get("BRINE_BUN") ?? "bun";

/** The oldest Deno that Brine promises to run in. */
export const OLD_DENO = "deno@2.5.7";

/** All runtimes. */
export const RUNTIMES: readonly Runtime[] = [
  commandLine("deno", [Deno.execPath()], ["run", "-A", "--no-lock"]),
  commandLine(OLD_DENO, ["npx", "-y", OLD_DENO], ["run", "-A", "--no-lock"]),
  commandLine("node", ["node"]),
  commandLine("node@24", ["npx", "-y", "-p", "node@24", "node"]),
  commandLine(
    "bun",
    isInPath(bun) || bun.includes("/") ? [bun] : ["npx", "-y", "bun@1"],
  ),
  workerd,
  chromium,
  firefox,
];
