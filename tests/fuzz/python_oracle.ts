import { loads as loadsJson } from "../../lib/json/decoder.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { scan } from "../../lib/pickle/scan.ts";
import { describeValue, isError, type Outcome } from "./doors.ts";
import { readJsonLines } from "../pickle/dis_support.ts";

/** Asks a live CPython what it makes of plain data, many inputs at a time. */
export class PythonOracle {
  readonly #python: string;
  #waiting: { bytes: Uint8Array; json: boolean }[] = [];
  compared = 0;

  constructor(python: string) {
    this.#python = python;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(bytes: Uint8Array, json: boolean): void {
    this.#waiting.push({ bytes, json });
  }

  async ask(): Promise<{ bytes: Uint8Array; message: string }[]> {
    const asked = this.#waiting;
    this.#waiting = [];
    const mine = asked.map(({ bytes, json }) => describe(bytes, json));
    const child = new Deno.Command(this.#python, {
      args: [new URL("python_oracle.py", import.meta.url).pathname],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const names: (string[][] | null)[] = [];
    for (const { bytes, json } of asked) {
      names.push(json ? null : await namesIn(bytes));
    }
    const sent = ReadableStream.from(
      asked.map(({ bytes, json }, i) =>
        JSON.stringify([bytes.toHex(), json, mine[i], names[i]]) + "\n"
      ),
    ).pipeThrough(new TextEncoderStream()).pipeTo(child.stdin).catch(() => {});
    const found: { bytes: Uint8Array; message: string }[] = [];
    let i = 0;
    // A process that dies takes the rest of its inputs with it.
    for await (const answer of readJsonLines<string>(child.stdout)) {
      const { bytes } = asked[i++]!;
      if (answer === "skip") continue;
      this.compared++;
      if (answer !== "same") found.push({ bytes, message: answer });
    }
    await sent;
    await child.status;
    return found;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The names that `scan` finds. */
async function namesIn(bytes: Uint8Array): Promise<string[][] | null> {
  const { findings, issues } = await scan(bytes);
  // CPython before 3.13.15 loses bytes where a frame is broken.
  if (issues.some(({ code }) => code === "bad-frame")) return null;
  return findings.map(({ module, name }) => [module, name]);
}

/** A value's pickle; null where it is refused, and "" not to ask at all. */
function describe(bytes: Uint8Array, json: boolean): Outcome | null {
  try {
    const outcome = describeValue(
      json
        ? loadsJson(bytes, { floats: "exact" })
        : loads(bytes, { dicts: "map", floats: "exact", encoding: "latin1" }),
    );
    return isError(outcome) ? null : outcome;
  } catch (error) {
    // CPython before 3.13.15 reads wrong frames in its own way.
    return error instanceof UnpicklingError && error.code === "bad-frame"
      ? ""
      : null;
  }
}
