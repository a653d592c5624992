/**
 * Integers of any size as bytes.
 *
 * @module
 */

/**
 * An integer in two's complement, little-endian, as short as it can be.
 *
 * @param value Any integer.
 * @returns Its bytes; one at least.
 */
export function intBytes(value: bigint): Uint8Array {
  if (BigInt.asIntN(64, value) === value) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigInt64(0, value, true);
    return trim(new Uint8Array(view.buffer), value < 0n);
  }
  // Base 16 is linear in the length of the number, division is not.
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString(16);
  const size = (digits.length + 1 >> 1) + 1;
  const bytes = new Uint8Array(size);
  for (let i = 0, end = digits.length; end > 0; i++, end -= 2) {
    bytes[i] = hexDigit(digits.charCodeAt(end - 1)) |
      (end > 1 ? hexDigit(digits.charCodeAt(end - 2)) << 4 : 0);
  }
  if (negative) {
    let carry = 1;
    for (let i = 0; i < size; i++) {
      const byte = (~bytes[i]! & 0xff) + carry;
      bytes[i] = byte;
      carry = byte >> 8;
    }
  }
  return trim(bytes, negative);
}

function hexDigit(code: number): number {
  return code < 0x40 ? code - 0x30 : code - 0x57;
}

function trim(bytes: Uint8Array, negative: boolean): Uint8Array {
  const sign = negative ? 0xff : 0;
  let size = bytes.length;
  while (
    size > 1 && bytes[size - 1] === sign &&
    (bytes[size - 2]! & 0x80) === (sign & 0x80)
  ) size--;
  return bytes.subarray(0, size);
}
