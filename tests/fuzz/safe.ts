/**
 * Puts the lists of `scan` to the test: makes up pickles of nothing but names
 * that they call safe, in ways that no pickler would write, and lets a live
 * CPython load those that `scan` calls safe, under an audit hook.
 *
 *     deno run -A tests/fuzz/safe.ts PYTHON [RUNS] [SEED]
 *
 * Exit status 1 where one of them opens a file, starts a program, or runs code.
 */

import { scan } from "../../lib/pickle/scan.ts";
import { listedNames } from "../../lib/pickle/scan_lists.ts";
import { readJsonLines } from "../pickle/dis_support.ts";
import { Random } from "./random.ts";

const TEXTS = [
  "a",
  "append",
  "extend",
  "add",
  "update",
  "keys",
  "__setstate__",
  "__dict__",
  "__class__",
  "__call__",
  "__reduce__",
  "__getattr__",
  "__new__",
  "__init__",
  "_unpickle",
  "UTC",
  "latin1",
  "i4",
  "f8",
  "O",
  "(2,3)f4",
  "i4,f4",
  "1+1",
  "1/3",
  "os",
  "system",
  "open",
  "%d",
  "{0}",
  "2020-01-01",
  "/etc/passwd",
  "../../etc/passwd",
];

/** Pickles of listed names, with calls, states and items at random. */
class Maker {
  readonly #random: Random;
  readonly #names: { module: string; name: string }[] = [];

  constructor(random: Random) {
    this.#random = random;
    for (const { module, name, entry } of listedNames()) {
      if (name === undefined || entry.verdict === "dangerous" && !entry.rule) {
        continue;
      }
      if (entry.verdict === "unknown" && !entry.rule) continue;
      this.#names.push({ module, name });
    }
  }

  get modules(): string[] {
    return [...new Set(this.#names.map(({ module }) => module))];
  }

  /** Leaves names out that this Python does not have. */
  keep(modules: ReadonlySet<string>): void {
    const kept = this.#names.filter(({ module }) => modules.has(module));
    this.#names.splice(0, this.#names.length, ...kept);
  }

  make(): Uint8Array {
    return Uint8Array.from([0x80, 4, ...this.#object(0), 0x2e]);
  }

  #text(): number[] {
    const bytes = new TextEncoder().encode(this.#random.pick(TEXTS));
    return [0x8c, bytes.length, ...bytes];
  }

  #global(): number[] {
    const { module, name } = this.#random.pick(this.#names);
    return [0x63, ...new TextEncoder().encode(`${module}\n${name}\n`)];
  }

  #several(most: number, make: () => number[]): number[] {
    const count = this.#random.below(most);
    return Array.from({ length: count }, make).flat();
  }

  #dict(depth: number): number[] {
    const pair = () => [...this.#text(), ...this.#value(depth)];
    return [0x7d, 0x28, ...this.#several(3, pair), 0x75];
  }

  #value(depth: number): number[] {
    const next = () => this.#value(depth + 1);
    switch (this.#random.below(depth > 3 ? 6 : 12)) {
      case 0:
        return [0x4e];
      case 1:
        return [0x4b, this.#random.below(256)];
      case 2:
      case 3:
        return this.#text();
      case 4:
        return [0x88];
      case 5:
        return this.#global();
      case 6:
        return [0x28, ...this.#several(4, next), 0x74];
      case 7:
        return [0x28, ...this.#several(4, next), 0x6c];
      case 8:
        return this.#dict(depth + 1);
      case 9:
        return this.#call(depth + 1);
      case 10:
        return [0x43, 3, 1, 2, 3];
      default:
        return this.#object(depth + 1);
    }
  }

  #call(depth: number): number[] {
    return [
      ...this.#global(),
      0x28,
      ...this.#several(4, () => this.#value(depth + 1)),
      0x74,
      this.#random.once(4) ? 0x81 : 0x52,
    ];
  }

  #object(depth: number): number[] {
    const bytes = this.#call(depth);
    const value = () => this.#value(depth + 1);
    for (let i = this.#random.below(3); i >= 0; i--) {
      switch (this.#random.below(5)) {
        case 0:
          bytes.push(...value(), 0x61);
          break;
        case 1:
          bytes.push(0x28, ...value(), ...value(), 0x65);
          break;
        case 2:
          bytes.push(...this.#text(), ...value(), 0x73);
          break;
        case 3:
          bytes.push(...this.#dict(depth + 1), 0x62);
          break;
        case 4:
          bytes.push(...value(), 0x62);
          break;
      }
    }
    return bytes;
  }
}

/** Modules that a Python can import. */
async function importable(
  python: string,
  modules: readonly string[],
): Promise<Set<string>> {
  const script = `
import importlib, json, sys
found = []
for module in json.loads(sys.argv[1]):
    try:
        importlib.import_module(module)
        found.append(module)
    except BaseException:
        pass
print(json.dumps(found))`;
  const { stdout } = await new Deno.Command(python, {
    args: ["-W", "ignore", "-c", script, JSON.stringify(modules)],
  }).output();
  return new Set(JSON.parse(new TextDecoder().decode(stdout)));
}

async function main(
  [python, runs = "10000", seed = String(Date.now() % 2 ** 31)]: string[],
): Promise<number> {
  if (python === undefined) {
    console.error("name a Python");
    return 2;
  }
  console.log(`seed ${seed}`);
  const maker = new Maker(new Random(Number(seed)));
  const modules = await importable(python, maker.modules);
  maker.keep(modules);
  const pickles: string[] = [];
  let made = 0;
  while (pickles.length < Number(runs)) {
    const pickle = maker.make();
    made++;
    const { verdict } = await scan(pickle);
    if (verdict === "safe") pickles.push(pickle.toHex());
  }
  const ends: Record<string, number> = {};
  let reached = 0;
  for (let at = 0; at < pickles.length;) {
    const child = new Deno.Command(python, {
      args: [
        new URL("safe_oracle.py", import.meta.url).pathname,
        JSON.stringify([...modules]),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const sent = ReadableStream.from([pickles.slice(at).join("\n") + "\n"])
      .pipeThrough(new TextEncoderStream()).pipeTo(child.stdin)
      .catch(() => {});
    for await (
      const [end, events] of readJsonLines<[string, string[][]]>(child.stdout)
    ) {
      ends[end] = (ends[end] ?? 0) + 1;
      if (events.length > 0) {
        reached++;
        console.log(pickles[at], JSON.stringify(events));
      }
      at++;
    }
    await sent;
    const { success } = await child.status;
    if (at < pickles.length && !success) {
      console.log(`CPython died of ${pickles[at++]}`);
    }
  }
  console.log(ends);
  console.log(
    `${made} made, ${pickles.length} called safe and loaded, ${reached} of them reached for more than data`,
  );
  return reached > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
