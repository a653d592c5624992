/**
 * A pickle without the parts nobody refers to, as `pickletools.optimize`.
 *
 * @module
 */

import { ByteWriter } from "../bytes/byte_writer.ts";
import { UnpicklingError } from "./errors.ts";
import { MemoTable } from "./memo_table.ts";
import { OpcodeReader } from "./opcode_reader.ts";

/** PEP 3154: the sizes below and beyond which CPython's pickler frames. */
const FRAME_SIZE_MIN = 4;
const FRAME_SIZE_TARGET = 64 * 1024;

const HIGHEST_PROTOCOL = 5;

const FRAME = 0x95;
const MEMOIZE = 0x94;
const BINPUT = 0x71;
const LONG_BINPUT = 0x72;
const PUT = 0x70;
const BINGET = 0x68;
const LONG_BINGET = 0x6a;
const GET = 0x67;

/**
 * Makes a pickle smaller: leaves out each PUT that no GET refers to, numbers
 * the others anew and frames what results, byte for byte as
 * `pickletools.optimize` of CPython 3.13. What follows the first STOP is left
 * out.
 *
 * @param bytes The pickle
 * @returns A pickle of the same value
 * @throws {UnpicklingError} If an opcode or its argument is damaged, there is
 * no STOP, or a GET refers to nothing
 *
 * @example Leave out a useless MEMOIZE
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   pickle.optimize(new Uint8Array([0x80, 4, 0x5d, 0x94, 0x2e])),
 *   new Uint8Array([0x80, 4, 0x5d, 0x2e]),
 * );
 * ```
 */
export function optimize(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { protocol, used } = survey(bytes);
  const out = new Framer(protocol >= 4);
  const numbers = new MemoTable<number>();
  const seen = new MemoTable<true>();
  let next = 0;
  for (const reader of read(bytes)) {
    const { opcode, position, endPosition } = reader;
    switch (opcode.name) {
      case "FRAME":
        break;
      case "PUT":
      case "BINPUT":
      case "LONG_BINPUT":
      case "MEMOIZE": {
        const index = indexOf(reader) ?? seen.size;
        seen.set(index, true);
        if (!used.has(index)) break;
        numbers.set(index, next);
        out.write(putOpcode(next++, protocol));
        break;
      }
      case "GET":
      case "BINGET":
      case "LONG_BINGET": {
        const number = numbers.get(indexOf(reader)!);
        if (number === undefined) {
          throw new UnpicklingError("Memo value not found", {
            code: "memo-missing",
            offset: position,
            opcode: opcode.name,
          });
        }
        out.write(getOpcode(number, protocol));
        break;
      }
      case "PROTO":
        if (position === 0) {
          out.writeHeader(bytes.subarray(position, endPosition));
          break;
        }
        out.write(bytes.subarray(position, endPosition));
        break;
      default:
        out.write(bytes.subarray(position, endPosition));
    }
  }
  return out.finish();
}

/** Finds out the protocol and which memo entries are referred to. */
function survey(
  bytes: Uint8Array,
): { protocol: number; used: MemoTable<true> } {
  let protocol = 0;
  const used = new MemoTable<true>();
  for (const reader of read(bytes)) {
    const { opcode } = reader;
    switch (opcode.name) {
      case "GET":
      case "BINGET":
      case "LONG_BINGET":
        protocol = Math.max(protocol, opcode.protocol);
        used.set(indexOf(reader)!, true);
        break;
      case "PROTO":
        protocol = Math.max(protocol, reader.arg as number);
        if (protocol > HIGHEST_PROTOCOL) {
          throw new UnpicklingError(
            `pickle protocol must be <= ${HIGHEST_PROTOCOL}`,
            {
              code: "bad-protocol",
              offset: reader.position,
              opcode: opcode.name,
            },
          );
        }
        break;
      default:
        // An argument that is damaged is an error here, as in Python. (Bytes
        // cannot be.)
        if (!opcode.argument.startsWith("byte")) void reader.arg;
    }
  }
  return { protocol, used };
}

function* read(bytes: Uint8Array): Generator<OpcodeReader, void> {
  const reader = new OpcodeReader();
  reader.push(bytes);
  reader.end();
  while (reader.advance()) {
    yield reader;
    if (reader.opcode.name === "STOP") return;
  }
}

function indexOf(reader: OpcodeReader): number | bigint | undefined {
  const arg = reader.arg;
  if (arg === null) return undefined;
  return typeof arg === "boolean" ? Number(arg) : arg as number | bigint;
}

function putOpcode(index: number, protocol: number): Uint8Array {
  if (protocol >= 4) return Uint8Array.of(MEMOIZE);
  return indexed(index, protocol, [PUT, BINPUT, LONG_BINPUT]);
}

function getOpcode(index: number, protocol: number): Uint8Array {
  return indexed(index, protocol, [GET, BINGET, LONG_BINGET]);
}

function indexed(
  index: number,
  protocol: number,
  [text, short, long]: [number, number, number],
): Uint8Array {
  if (protocol === 0) {
    return new TextEncoder().encode(String.fromCharCode(text) + index + "\n");
  }
  if (index < 256) return Uint8Array.of(short, index);
  const bytes = Uint8Array.of(long, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(1, index, true);
  return bytes;
}

/** Frames as CPython's pickler in Python does. */
class Framer {
  readonly #out = new ByteWriter();
  readonly #frame: ByteWriter | undefined;

  constructor(framing: boolean) {
    if (framing) this.#frame = new ByteWriter();
  }

  writeHeader(bytes: Uint8Array): void {
    this.#out.writeBytes(bytes);
  }

  write(bytes: Uint8Array): void {
    const large = bytes.length > FRAME_SIZE_TARGET;
    if (
      this.#frame !== undefined &&
      (large || this.#frame.length >= FRAME_SIZE_TARGET)
    ) this.#commit(this.#frame);
    (large ? this.#out : this.#frame ?? this.#out).writeBytes(bytes);
  }

  #commit(frame: ByteWriter): void {
    if (frame.length >= FRAME_SIZE_MIN) {
      this.#out.writeByte(FRAME);
      this.#out.writeUint64(frame.length);
    }
    this.#out.writeBytes(frame.bytes());
    frame.reset();
  }

  finish(): Uint8Array<ArrayBuffer> {
    if (this.#frame !== undefined) this.#commit(this.#frame);
    return this.#out.bytes();
  }
}
