/**
 * Ways to cut input.
 *
 * @module
 */

import type { Random } from "./random.ts";

/** One size for all, or chance. */
export type Cut = number | Random;

/**
 * Cuts bytes.
 *
 * @param bytes What to cut.
 * @param cut How long each piece is, or a source of chance: pieces of 0 to
 * about an eighth of the whole, empty ones among them.
 * @returns The pieces, each with a buffer of its own.
 */
export function chunks(bytes: Uint8Array, cut: Cut): Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const most = Math.max(2, Math.min(bytes.length / 8, 100_000));
  for (let at = 0; at < bytes.length;) {
    const size = typeof cut === "number"
      ? cut
      : cut.below(cut.below(2) === 0 ? 8 : most);
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

/**
 * Puts bytes one behind the other.
 *
 * @param parts The bytes.
 * @returns All of them.
 */
export function join(
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
