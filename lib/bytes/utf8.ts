/**
 * UTF-8 as Python's `surrogatepass` reads and writes it: lone surrogates take
 * three bytes, where the platform's own coders put U+FFFD.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LONE_SURROGATE =
  /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** What is wrong with bytes that are no UTF-8. */
export class Utf8Error extends TypeError {
  /** Offset of the first wrong byte. */
  readonly pos: number;
  /** Offset after the last wrong byte. */
  readonly end: number;
  /** Python's words for it. */
  readonly reason:
    | "invalid start byte"
    | "invalid continuation byte"
    | "unexpected end of data";

  /**
   * Makes the error.
   *
   * @param bytes The whole input.
   * @param fault Where and what.
   */
  constructor(
    bytes: Uint8Array,
    fault: { pos: number; end: number; reason: Utf8Error["reason"] },
  ) {
    const { pos, end, reason } = fault;
    super(
      end - pos === 1
        ? `'utf-8' codec can't decode byte 0x${
          bytes[pos]!.toString(16).padStart(2, "0")
        } in position ${pos}: ${reason}`
        : `'utf-8' codec can't decode bytes in position ${pos}-${
          end - 1
        }: ${reason}`,
    );
    this.name = "Utf8Error";
    this.pos = pos;
    this.end = end;
    this.reason = reason;
  }
}

/**
 * Whether a text has half a surrogate pair without its other half.
 *
 * @param text Any text.
 * @returns Whether it is no well-formed Unicode.
 */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

/**
 * Writes a text as UTF-8, lone surrogates as three bytes each.
 *
 * @param text Any text.
 * @returns Its bytes.
 */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (!hasLoneSurrogate(text)) return encoder.encode(text);
  const bytes = new Uint8Array(text.length * 3);
  const length = writeUtf8(text, bytes);
  return bytes.slice(0, length);
}

/**
 * Writes a text into an array that has room for three bytes per code unit.
 *
 * @param text Any text.
 * @param into Where to write.
 * @param at Offset of the first byte.
 * @returns Offset after the last byte.
 */
export function writeUtf8(text: string, into: Uint8Array, at = 0): number {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      into[at++] = code;
    } else if (code < 0x800) {
      into[at++] = 0xc0 | (code >> 6);
      into[at++] = 0x80 | (code & 0x3f);
    } else {
      if ((code & 0xfc00) === 0xd800 && i + 1 < length) {
        const low = text.charCodeAt(i + 1);
        if ((low & 0xfc00) === 0xdc00) {
          i++;
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
          into[at++] = 0xf0 | (code >> 18);
          into[at++] = 0x80 | ((code >> 12) & 0x3f);
          into[at++] = 0x80 | ((code >> 6) & 0x3f);
          into[at++] = 0x80 | (code & 0x3f);
          continue;
        }
      }
      into[at++] = 0xe0 | (code >> 12);
      into[at++] = 0x80 | ((code >> 6) & 0x3f);
      into[at++] = 0x80 | (code & 0x3f);
    }
  }
  return at;
}

/**
 * Reads UTF-8, three-byte surrogates included.
 *
 * @param bytes The text's bytes.
 * @returns The text.
 * @throws {Utf8Error} Where the bytes are no UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeSlowly(bytes);
  }
}

/**
 * Whether bytes are UTF-8, three-byte surrogates included.
 *
 * @param bytes Any bytes.
 * @returns Whether {@linkcode decodeUtf8} takes them.
 */
export function isUtf8(bytes: Uint8Array): boolean {
  return findFault(bytes, 0) === undefined;
}

/** Only for what the platform refuses: surrogates, or an error to describe. */
function decodeSlowly(bytes: Uint8Array): string {
  const parts: string[] = [];
  let start = 0;
  while (start < bytes.length) {
    const fault = findFault(bytes, start, true);
    if (fault === undefined) {
      parts.push(decoder.decode(bytes.subarray(start)));
      break;
    }
    if (fault.reason !== "surrogate") {
      throw new Utf8Error(bytes, { ...fault, reason: fault.reason });
    }
    parts.push(decoder.decode(bytes.subarray(start, fault.pos)));
    let pos = fault.pos;
    const units: number[] = [];
    while (isSurrogateAt(bytes, pos) && units.length < 4096) {
      units.push(
        0xd000 | ((bytes[pos + 1]! & 0x3f) << 6) | (bytes[pos + 2]! & 0x3f),
      );
      pos += 3;
    }
    parts.push(String.fromCharCode(...units));
    start = pos;
  }
  return parts.join("");
}

function isSurrogateAt(bytes: Uint8Array, pos: number): boolean {
  return bytes[pos] === 0xed && pos + 2 < bytes.length &&
    (bytes[pos + 1]! & 0xe0) === 0xa0 && (bytes[pos + 2]! & 0xc0) === 0x80;
}

interface Fault {
  pos: number;
  end: number;
  reason: Utf8Error["reason"] | "surrogate";
}

/** Unicode 16, table 3-7; surrogates pass unless asked to stop at them. */
function findFault(
  bytes: Uint8Array,
  from: number,
  stopAtSurrogate = false,
): Fault | undefined {
  const length = bytes.length;
  let pos = from;
  while (pos < length) {
    const first = bytes[pos]!;
    if (first < 0x80) {
      pos++;
      continue;
    }
    if (first < 0xc2 || first > 0xf4) {
      return { pos, end: pos + 1, reason: "invalid start byte" };
    }
    const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xf4 ? 0x8f : 0xbf;
    for (let i = 1; i < size; i++) {
      const byte = bytes[pos + i];
      // What fails to be a surrogate is told as if none were allowed.
      if (
        i === 2 && first === 0xed && bytes[pos + 1]! >= 0xa0 &&
        (byte === undefined || (byte & 0xc0) !== 0x80)
      ) {
        return { pos, end: pos + 1, reason: "invalid continuation byte" };
      }
      if (byte === undefined) {
        return { pos, end: length, reason: "unexpected end of data" };
      }
      const wrong = i === 1
        ? byte < low || byte > high
        : (byte & 0xc0) !== 0x80;
      if (wrong) {
        return { pos, end: pos + i, reason: "invalid continuation byte" };
      }
    }
    if (stopAtSurrogate && first === 0xed && bytes[pos + 1]! >= 0xa0) {
      return { pos, end: pos + 3, reason: "surrogate" };
    }
    pos += size;
  }
  return undefined;
}
