/**
 * Where a pickle ends.
 *
 * @module
 */

import { OpcodeReader } from "../pickle/opcode_reader.ts";

/**
 * Finds the end of the first pickle, without running it.
 *
 * @param bytes A pickle and what follows.
 * @returns The offset after its STOP.
 * @throws {UnpicklingError} If it has no STOP, or is damaged before.
 */
export function pickleEnd(bytes: Uint8Array): number {
  const reader = new OpcodeReader();
  reader.push(bytes);
  reader.end();
  while (reader.advance()) {
    if (reader.opcode.name === "STOP") return reader.endPosition;
  }
  return bytes.length;
}
