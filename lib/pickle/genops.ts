/**
 * The opcodes of a pickle, one by one.
 *
 * @module
 */

import { MORE } from "../streams/machine_stream.ts";
import { type Instruction, OpcodeReader } from "./opcode_reader.ts";

/**
 * Reads the opcodes of a pickle and runs none of them, as Python's
 * `pickletools.genops`. It ends with the first STOP, whatever follows.
 *
 * Arguments are read as `pickletools` reads them: integers that no number
 * holds are bigints, Python 2 strings are Latin-1, and the module and name of
 * a GLOBAL are one string with a blank between.
 *
 * @param bytes The pickle
 * @returns Each opcode with its argument and its offset
 * @throws {UnpicklingError} If an opcode or its argument is damaged, or if
 * there is no STOP
 *
 * @example List what a pickle is made of
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array([0x80, 2, 0x4b, 7, 0x2e]);
 * assertEquals(
 *   Array.from(pickle.genops(bytes), ({ opcode, arg }) => [opcode.name, arg]),
 *   [["PROTO", 2], ["BININT1", 7], ["STOP", null]],
 * );
 * ```
 */
export function* genops(bytes: Uint8Array): Generator<Instruction, void> {
  const reader = new OpcodeReader();
  reader.push(bytes);
  reader.end();
  while (true) {
    const instruction = reader.next();
    if (instruction === MORE) return;
    yield instruction;
    if (instruction.opcode.name === "STOP") return;
  }
}
