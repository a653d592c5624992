/**
 * Runs machines from bytes to bytes.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import { type Machine, MORE } from "../../lib/streams/machine_stream.ts";

/** Pushes the chunks through and joins what comes out. */
export function convert(
  machine: Machine<Uint8Array, Uint8Array<ArrayBuffer>>,
  chunks: Iterable<Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  function take(): void {
    for (let part = machine.pull(); part !== MORE; part = machine.pull()) {
      parts.push(part);
    }
  }
  take();
  for (const chunk of chunks) {
    machine.push(chunk);
    take();
  }
  machine.end();
  take();
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Bytes as something that compares quickly and can be read. */
export function hex(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return text.includes("\ufffd") ? bytes.toHex() : text;
}

/** What comes out, or which error. */
export function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code, limit } = error as { code?: string; limit?: string };
    // Options that are wrong throw a TypeError that has no code.
    return `error ${error.name} ${code ?? limit ?? error.message}`;
  }
}

/** As assertEquals, for texts that may be long. */
export function assertText(got: string, want: string, name: string): void {
  if (got === want) return;
  let at = 0;
  while (at < got.length && got[at] === want[at]) at++;
  const from = Math.max(0, at - 60);
  throw new AssertionError(
    `${name}: they part at ${at} of ${want.length}:\n  got  ${
      got.slice(from, at + 200)
    }\n  want ${want.slice(from, at + 200)}`,
  );
}
