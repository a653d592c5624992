/**
 * Reads LZ4 frames (LZ4 Frame Format, version 1.6.3).
 *
 * @module
 */

import { type Allow, CompressionError, GrowingBytes } from "./growing.ts";

const MAGIC = 0x184d2204;
const SKIPPED = 0x184d2a50;

function fault(): CompressionError {
  return new CompressionError("LZ4");
}

/** A block: literals, then a copy of what came before, in turn. */
function readBlock(
  block: Uint8Array,
  output: GrowingBytes,
  base: number,
): void {
  let pos = 0;
  const length = (start: number): number => {
    let size = start;
    if (size !== 15) return size;
    for (;;) {
      const more = block[pos++];
      if (more === undefined) throw fault();
      size += more;
      if (more !== 255) return size;
    }
  };
  while (pos < block.length) {
    const token = block[pos++]!;
    const literals = length(token >> 4);
    if (pos + literals > block.length) throw fault();
    output.append(block.subarray(pos, pos + literals));
    pos += literals;
    if (pos === block.length) return;
    if (pos + 2 > block.length) throw fault();
    const distance = block[pos]! | block[pos + 1]! << 8;
    pos += 2;
    const size = length(token & 15) + 4;
    if (distance === 0 || distance > output.length - base) throw fault();
    output.copy(distance, size);
  }
}

/**
 * Reads LZ4 frames.
 *
 * @param bytes The data.
 * @param allow Is asked before there is more output.
 * @returns What was compressed.
 * @throws {CompressionError} If it is damaged.
 */
export function readLz4(
  bytes: Uint8Array,
  allow: Allow,
): Uint8Array<ArrayBuffer> {
  const output = new GrowingBytes(allow);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let pos = 0;
  const word = (): number => {
    if (pos + 4 > bytes.length) throw fault();
    pos += 4;
    return view.getUint32(pos - 4, true);
  };
  while (pos < bytes.length) {
    const magic = word();
    if ((magic & 0xfffffff0) >>> 0 === SKIPPED) {
      pos += word();
      continue;
    }
    if (magic !== MAGIC) throw fault();
    const flags = bytes[pos] ?? 0;
    if (flags >> 6 !== 1) throw fault();
    const independent = (flags & 0x20) !== 0;
    // Flags, block size, content size, dictionary, checksum of all that.
    pos += 3 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
    const start = output.length;
    for (;;) {
      const head = word();
      if (head === 0) break;
      const size = head & 0x7fffffff;
      if (pos + size > bytes.length) throw fault();
      const block = bytes.subarray(pos, pos + size);
      if (head >>> 31) output.append(block);
      else readBlock(block, output, independent ? output.length : start);
      pos += size;
      if (flags & 0x10) pos += 4;
    }
    if (flags & 4) pos += 4;
    if (pos > bytes.length) throw fault();
  }
  return output.bytes();
}
