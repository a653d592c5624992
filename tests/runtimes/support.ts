/** Bundles for other runtimes, and what these are. */

import { Browser } from "./browser.ts";
import type { Result } from "./subset.ts";

const root = new URL("../..", import.meta.url).pathname;

/** A module and all it imports as one script; undefined where none is made. */
export async function bundle(
  entry: string,
): Promise<string | undefined> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=browser", entry],
    cwd: root,
    stderr: "piped",
  }).output();
  // Deno before 2.4 has no bundler, and it fetches its engine from npm.
  if (!output.success) return undefined;
  return new TextDecoder().decode(output.stdout);
}

/** Whether a program is there. */
export async function has(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** The fixtures' file, unpacked. */
export async function fixtureLines(): Promise<string> {
  const url = new URL("../fixtures/values.jsonl.gz", import.meta.url);
  const packed = new Blob([await Deno.readFile(url)]);
  return await new Response(
    packed.stream().pipeThrough(new DecompressionStream("gzip")),
  ).text();
}

/** Where Chromium is. */
export const CHROMIUM: string = Deno.env.get("BRINE_CHROMIUM") ?? "chromium";
/** Where Bun is. */
export const BUN: string = Deno.env.get("BRINE_BUN") ?? "bun";

/**
 * Runs the subset in a runtime that knows `node:fs`.
 *
 * @param command The runtime, with arguments before the script's name.
 * @param script The bundle of `subset.ts`.
 */
export async function runIn(
  command: readonly string[],
  script: string,
): Promise<Result> {
  const [program, ...args] = command;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/subset.mjs`, script);
    await Deno.writeTextFile(`${folder}/lines.txt`, await fixtureLines());
    await Deno.writeTextFile(
      `${folder}/main.mjs`,
      `import { readFileSync } from "node:fs";
import { run } from "./subset.mjs";
const lines = readFileSync(new URL("lines.txt", import.meta.url), "utf8");
console.log(JSON.stringify(await run(lines)));
`,
    );
    const { stdout, stderr } = await new Deno.Command(program!, {
      args: [...args, `${folder}/main.mjs`],
      signal: AbortSignal.timeout(180_000),
    }).output();
    const text = new TextDecoder().decode(stdout);
    if (text === "") throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Runs the subset in Chromium.
 *
 * @param script The bundle of `subset.ts`.
 */
export async function runInChromium(script: string): Promise<Result> {
  const lines = await fixtureLines();
  await using server = Deno.serve({ port: 0, onListen() {} }, (request) => {
    switch (new URL(request.url).pathname) {
      case "/subset.js":
        return new Response(script, {
          headers: { "content-type": "text/javascript" },
        });
      case "/lines":
        return new Response(lines);
      default:
        return new Response("<!doctype html><title>x</title>", {
          headers: { "content-type": "text/html" },
        });
    }
  });
  const { port } = server.addr as Deno.NetAddr;
  await using browser = await Browser.start(CHROMIUM);
  await browser.open(`http://localhost:${port}/`);
  const result = await browser.evaluate(`(async () => {
    const { run } = await import("/subset.js");
    return JSON.stringify(await run(await (await fetch("/lines")).text()));
  })()`);
  return JSON.parse(String(result));
}
