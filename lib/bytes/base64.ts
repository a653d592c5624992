/**
 * Bytes as text and back: base64, and Python's base85.
 *
 * @module
 */

const CHUNK = 0x3000;

/**
 * Writes bytes in base64 (RFC 4648, with padding).
 *
 * @param bytes The bytes.
 * @returns The text.
 */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += btoa(String.fromCharCode(...bytes.subarray(i, i + CHUNK)));
  }
  return text;
}

/**
 * Reads base64.
 *
 * @param text The text; white space in it is ignored.
 * @returns The bytes, or undefined where it is no base64.
 */
export function decodeBase64(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** RFC 1924, as Python's `base64.b85encode`. */
const BASE85 =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" +
  "!#$%&()*+-;<=>?@^_`{|}~";

/**
 * Reads Python's base85.
 *
 * @param text What `base64.b85encode` wrote.
 * @returns The bytes, or undefined where it is none.
 */
export function decodeBase85(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  const padding = (5 - text.length % 5) % 5;
  const padded = text + "~".repeat(padding);
  const bytes = new Uint8Array(padded.length / 5 * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < padded.length; i += 5) {
    let value = 0;
    for (let j = i; j < i + 5; j++) {
      const digit = BASE85.indexOf(padded[j]!);
      if (digit < 0) return undefined;
      value = value * 85 + digit;
    }
    if (value > 0xffff_ffff) return undefined;
    view.setUint32(i / 5 * 4, value);
  }
  return bytes.slice(0, bytes.length - padding);
}
