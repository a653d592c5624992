/**
 * The walls of the house: which room may import from which.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** What each room of lib/ may import besides itself. */
const ROOMS: Record<string, readonly string[]> = {
  bytes: [],
  streams: [],
  python: ["bytes"],
  pickle: ["bytes", "streams", "python"],
  json: ["bytes", "streams", "python"],
  transcode: ["bytes", "streams", "python", "pickle", "json"],
  serve: ["bytes", "streams", "python", "pickle", "json", "transcode"],
  cli: ["bytes", "streams", "python", "pickle", "json", "transcode", "serve"],
};
/** Files outside of the rooms, and what they may import. */
const DOORS: Record<string, readonly string[]> = {
  "mod.ts": ["streams", "python", "pickle", "json", "transcode"],
  "lib/values.ts": ["bytes", "python"],
  "cli.ts": ["cli"],
};
/** Where a package may be imported, by rooms. */
const PACKAGES: Record<string, readonly string[]> = {
  cli: ["@std/cli", "@std/fs", "@std/streams", "node:zlib"],
};

interface Source {
  path: string;
  text: string;
  imports: string[];
}

async function* walk(directory: URL): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(directory)) {
    const url = new URL(
      `${entry.name}${entry.isDirectory ? "/" : ""}`,
      directory,
    );
    if (entry.isDirectory) yield* walk(url);
    else if (/\.tsx?$/.test(entry.name)) {
      yield decodeURIComponent(url.pathname.slice(ROOT.pathname.length));
    }
  }
}

/** The text without comments, and without what is in strings where asked. */
function stripped(text: string, strings: boolean): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|`(?:[^`\\]|\\.)*`/g,
    (found, quoted) => quoted !== undefined && !strings ? found : '""',
  );
}

async function sources(): Promise<Source[]> {
  const paths = [];
  for await (const path of walk(new URL("lib/", ROOT))) paths.push(path);
  for (const path of ["mod.ts", "cli.ts"]) {
    try {
      await Deno.stat(new URL(path, ROOT));
      paths.push(path);
    } catch { /* it is not there yet */ }
  }
  return await Promise.all(
    paths.sort().map(async (path) => {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      const code = stripped(text, false);
      const imports = Array.from(
        code.matchAll(
          /^(?:import|export)\b(?:[^;"'=]*?\bfrom)?\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/gm,
        ),
        ([, still, dynamic]) => still ?? dynamic!,
      );
      return { path, text, imports };
    }),
  );
}

const all = await sources();

function roomOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

Deno.test("lib has the rooms that the test knows", () => {
  const rooms = new Set(all.map(({ path }) => roomOf(path)));
  rooms.delete(undefined);
  for (const room of rooms) assert(room! in ROOMS, `lib/${room} is new`);
  assert(rooms.size >= 3);
  assert(all.length > 20);
});

Deno.test("every room imports only from the rooms below it", () => {
  const wrong: string[] = [];
  for (const { path, imports } of all) {
    const room = roomOf(path);
    const allowed = room === undefined ? DOORS[path] : ROOMS[room];
    if (allowed === undefined) {
      wrong.push(`${path} stands in no room`);
      continue;
    }
    for (const specifier of imports) {
      if (!specifier.startsWith(".")) continue;
      const target = new URL(specifier, new URL(path, ROOT)).pathname
        .slice(ROOT.pathname.length);
      const other = roomOf(target);
      if (other === undefined) {
        // Only cli.ts may stand outside, and nobody imports a door.
        if (room !== undefined && target !== "lib/values.ts") {
          wrong.push(`${path} imports ${target}`);
        }
        continue;
      }
      if (other !== room && !allowed.includes(other)) {
        wrong.push(`${path} imports ${target}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("only the command line imports packages", () => {
  const wrong: string[] = [];
  for (const { path, imports } of all) {
    const room = path === "cli.ts" ? "cli" : roomOf(path) ?? "";
    for (const specifier of imports) {
      if (specifier.startsWith(".")) continue;
      if (
        !PACKAGES[room]?.some((name) =>
          specifier === name || specifier.startsWith(`${name}/`)
        )
      ) wrong.push(`${path} imports ${specifier}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("imports name a file with its ending", () => {
  for (const { path, imports } of all) {
    for (const specifier of imports) {
      if (specifier.startsWith(".")) {
        assert(specifier.endsWith(".ts"), `${path} imports ${specifier}`);
      }
    }
  }
});

Deno.test("only the command line says Deno", () => {
  for (const { path, text } of all) {
    if (path === "cli.ts" || roomOf(path) === "cli") continue;
    const code = stripped(text, true);
    assert(!/\bDeno\s*\./.test(code), `${path} says Deno.`);
    assert(!/\b(?:process|Buffer)\s*\./.test(code), `${path} says Node`);
  }
});

Deno.test("no code is made from text", () => {
  for (const { path, text } of all) {
    const code = stripped(text, true);
    assert(!/\beval\s*\(/.test(code), `${path} has eval`);
    assert(!/\bFunction\s*\((?!\))/.test(code), `${path} makes a function`);
    assert(
      !/\bimport\s*\(\s*[^"'\s]/.test(stripped(text, false)),
      `${path} imports a computed name`,
    );
    assert(!/__proto__\s*[:=]/.test(code), `${path} sets a prototype`);
  }
});

Deno.test("Temporal is used only where the runtime has it", () => {
  for (const { path, text } of all) {
    const code = stripped(text, true);
    if (!/\bTemporal\s*\./.test(code)) continue;
    assert(
      /typeof Temporal|globalThis|"Temporal" in/.test(stripped(text, false)),
      `${path} takes Temporal for granted`,
    );
  }
});

Deno.test("no file imports itself in a circle through another room", () => {
  const graph = new Map(all.map(({ path, imports }) => [
    path,
    imports.filter((specifier) => specifier.startsWith(".")).map((specifier) =>
      new URL(specifier, new URL(path, ROOT)).pathname.slice(
        ROOT.pathname.length,
      )
    ),
  ]));
  for (const start of graph.keys()) {
    const seen = new Set<string>();
    const open = [...graph.get(start)!];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      open.push(...graph.get(path) ?? []);
    }
    if (!seen.has(start)) continue;
    for (const path of seen) {
      if (roomOf(path) === roomOf(start)) continue;
      const back = new Set<string>();
      const next = [...graph.get(path) ?? []];
      for (let at = next.pop(); at !== undefined; at = next.pop()) {
        if (back.has(at)) continue;
        back.add(at);
        next.push(...graph.get(at) ?? []);
      }
      assert(!back.has(start), `${start} and ${path} import each other`);
    }
  }
});

Deno.test("every file says what it is for", () => {
  for (const { path, text } of all) {
    assert(
      /^(?:#!.*\n)?\s*(?:\/\/ [^\n]*\n\s*)*\/\*\*[\s\S]*?@module\b[\s\S]*?\*\//
        .test(text),
      `${path} has no @module`,
    );
  }
});
