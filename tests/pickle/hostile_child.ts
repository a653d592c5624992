/**
 * Reads one hostile input in a process of its own, cold, and prints what came
 * of it, how long the processor took, and by how much memory grew at most.
 *
 * @module
 */

import process from "node:process";
import { loads as loadsJson } from "../../lib/json/decoder.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { JSONDecodeError } from "../../lib/json/errors.ts";
import { PickleToJsonStream } from "../../lib/transcode/pickle_to_json.ts";
import { HOSTILE_COSTS } from "./hostile_costs.ts";

/** The most memory this process has held since it was asked to forget. */
function peak(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/VmHWM:\s*(\d+)/.exec(status)![1]) * 1024;
  } catch {
    return Deno.memoryUsage().rss;
  }
}

function forgetPeak(): void {
  try {
    Deno.writeTextFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Only Linux has it; then the memory held at the end must do.
  }
}

async function stream(
  bytes: Uint8Array,
  through: TransformStream<Uint8Array, unknown>,
): Promise<void> {
  let at = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += 65_536));
    },
  });
  for await (const _ of source.pipeThrough(through));
}

const [name, door] = Deno.args;
const { make } = HOSTILE_COSTS.find((cost) => cost.name === name)!;
const bytes = make();
forgetPeak();
const base = Deno.memoryUsage().rss;
const start = process.cpuUsage();
let outcome = "value";
try {
  if (door === "transcoder") await stream(bytes, new PickleToJsonStream());
  else if (door === "stream") await stream(bytes, new PickleDecoderStream());
  else if (door === "json") loadsJson(bytes);
  else loads(bytes);
} catch (error) {
  outcome = error instanceof UnpicklingError
    ? error.code
    : error instanceof LimitError
    ? `limit ${error.limit}`
    : error instanceof JSONDecodeError
    ? error.code
    : String(error).slice(0, 200);
}
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({
  outcome,
  milliseconds: (user + system) / 1000,
  grown: Math.max(peak() - base, 0),
}));
