/**
 * Scans a stream of so many megabytes, and prints how much memory it took:
 * a list of records as they are common, the pickle of one after the other.
 *
 * @module
 */

import { scan } from "../../lib/pickle/scan.ts";

const megabytes = Number(Deno.args[0]);
const BATCH = 1000;

/** A protocol 4 pickle of a list, record by record. */
function* records(): Generator<Uint8Array, void> {
  yield Uint8Array.of(0x80, 4, 0x5d, 0x94);
  let size = 4;
  for (let i = 0; size < megabytes * 1e6; i += BATCH) {
    const bytes: number[] = [0x28];
    for (let j = i; j < i + BATCH; j++) {
      bytes.push(0x7d, 0x94, 0x28);
      for (const [key, value] of [["id", j], ["name", `user${j}`]] as const) {
        push(bytes, key);
        if (typeof value === "string") push(bytes, value);
        else bytes.push(0x4a, j & 255, j >> 8 & 255, j >> 16 & 255, 0);
      }
      bytes.push(0x75);
    }
    bytes.push(0x65);
    const chunk = Uint8Array.from(bytes);
    size += chunk.length;
    yield chunk;
  }
  yield Uint8Array.of(0x2e);
}

function push(bytes: number[], text: string): void {
  bytes.push(0x8c, text.length);
  for (let i = 0; i < text.length; i++) bytes.push(text.charCodeAt(i));
  bytes.push(0x94);
}

const base = Deno.memoryUsage().rss;
let most = base;
const report = await scan(ReadableStream.from((function* () {
  for (const chunk of records()) {
    most = Math.max(most, Deno.memoryUsage().rss);
    yield chunk;
  }
})()));
const { verdict, bytes } = report;
console.log(JSON.stringify({ verdict, bytes, grown: most - base }));
