/**
 * The files that pickles come in, taken apart: zip, gzip, zlib, tar, npy.
 * They are known by their content, never by their names.
 *
 * @module
 */

import { readBzip2 } from "../bytes/bzip2.ts";
import type { Allow } from "../bytes/growing.ts";
import { readLz4 } from "../bytes/lz4.ts";
import { readLzma, readXz } from "../bytes/lzma.ts";
import { readZstd } from "../bytes/zstd.ts";
import { readUint } from "./arguments.ts";
import { type InflateFormat, InflateReader } from "./scan_inflate.ts";

/** What bytes are, at a glance. */
export type Format =
  | "pickle"
  | "zip"
  | "gzip"
  | "zlib"
  | "joblib-zlib"
  | "tar"
  | "npy"
  | "bzip2"
  | "xz"
  | "lzma"
  | "zstd"
  | "lz4"
  | "7z"
  | "hdf5";

const MAGICS: readonly (readonly [Format, readonly number[]])[] = [
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["zip", [0x50, 0x4b, 0x05, 0x06]],
  ["gzip", [0x1f, 0x8b]],
  ["npy", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["joblib-zlib", [0x5a, 0x46, 0x30, 0x78]],
  ["hdf5", [0x89, 0x48, 0x44, 0x46]],
];

/** Compressed formats that are unpacked as a whole, and what does it. */
const UNPACKERS: ReadonlyMap<
  Format,
  (bytes: Uint8Array, allow: Allow) => Uint8Array
> = new Map<Format, (bytes: Uint8Array, allow: Allow) => Uint8Array>([
  ["bzip2", readBzip2],
  ["xz", readXz],
  ["lzma", readLzma],
  ["zstd", readZstd],
  ["lz4", readLz4],
]);

/**
 * Says what is unpacked while it arrives.
 *
 * @param format What the bytes are
 * @returns What is around the packed bytes, and how many stand before them
 */
export function inflatable(
  format: Format,
): { format: InflateFormat; skip: number } | undefined {
  switch (format) {
    case "gzip":
      return { format: "gzip", skip: 0 };
    case "zlib":
      return { format: "deflate", skip: 0 };
    case "joblib-zlib":
      // joblib before 0.10 has a mark and 19 digits of the length before it.
      return { format: "deflate", skip: 21 };
    default:
      return undefined;
  }
}

/**
 * Says whether {@linkcode unpack} takes what bytes are.
 *
 * @param format What they are
 * @returns Whether it does
 */
export function isPacked(format: Format): boolean {
  return UNPACKERS.has(format);
}

/** What an unpacker throws that has unpacked enough. */
class Enough extends Error {}

/**
 * Unpacks one compressed file that is held in memory.
 *
 * @param bytes The packed bytes
 * @param options `format`: what they are; `limit`: how much may come out
 * @returns What came out
 */
export function unpack(
  bytes: Uint8Array,
  { format, limit }: { format: Format; limit: number },
): Unpacked {
  try {
    return {
      bytes: UNPACKERS.get(format)!(bytes, (size) => {
        if (size > limit) throw new Enough();
      }),
    };
  } catch (error) {
    const fault = error instanceof Enough ? "limit" : "damaged";
    return { bytes: new Uint8Array(0), fault };
  }
}

/** {@linkcode sniff} looks at no more bytes than these. */
export const SNIFFED = 512;

/**
 * Says what bytes are.
 *
 * @param bytes Any bytes, or the first of them
 * @returns The format; what is nothing else may be a pickle
 */
export function sniff(bytes: Uint8Array): Format {
  for (const [format, magic] of MAGICS) {
    if (magic.every((byte, i) => bytes[i] === byte)) return format;
  }
  // Less would be a pickle's BINBYTES as well.
  const head = latin1(bytes, 10);
  if (
    /^BZh[1-9]/.test(head) &&
    (head.endsWith("1AY&SY") || head.endsWith("\x17rE8P\x90"))
  ) return "bzip2";
  // RFC 1950: 32 KiB window, deflate, a checksum of the two bytes.
  if (
    bytes[0] === 0x78 && bytes.length > 6 &&
    (0x7800 + bytes[1]!) % 31 === 0
  ) return "zlib";
  // The header of lzma's old format, as Python writes it.
  if (
    bytes[0] === 0x5d && bytes[1] === 0 && bytes[2] === 0 && bytes[4] === 0 &&
    bytes.length > 13 && bytes.subarray(5, 13).every((byte) => byte === 0xff)
  ) return "lzma";
  if (
    bytes.length >= 512 && String.fromCharCode(...bytes.subarray(257, 262)) ===
      "ustar"
  ) return "tar";
  return "pickle";
}

function latin1(bytes: Uint8Array, length: number): string {
  return String.fromCharCode(...bytes.subarray(0, length));
}

/** What {@linkcode unpack} gives. */
export interface Unpacked {
  /** What came out, perhaps not all. */
  readonly bytes: Uint8Array;
  /** Why it is not all, if it is not. */
  readonly fault?: "damaged" | "limit";
}

/** So much is unpacked at once, so that a bomb is noticed. */
const STEP = 65_536;

/**
 * Unpacks what was deflated while it arrives. Damage does not lose what came
 * before it.
 */
export class Inflater {
  readonly #reader: InflateReader;
  readonly #allow: (unpacked: number, packed: number) => boolean;
  readonly #take: (chunk: Uint8Array) => Promise<void>;
  #skip: number;

  /** How many bytes went in. */
  packed = 0;
  /** How many bytes came out. */
  unpacked = 0;
  /** Why it is not all, if it is not. */
  fault: "damaged" | "limit" | undefined;

  /**
   * Makes an unpacker.
   *
   * @param options `format`: what is around the bytes; `skip`: how many bytes
   * stand before them; `allow` says whether so much may come out
   * @param take Takes what comes out
   */
  constructor(
    options: {
      format: InflateFormat;
      skip?: number;
      allow: (unpacked: number, packed: number) => boolean;
    },
    take: (chunk: Uint8Array) => Promise<void>,
  ) {
    this.#skip = options.skip ?? 0;
    this.#allow = options.allow;
    this.#take = take;
    this.#reader = new InflateReader(options.format);
  }

  /** Whether bytes stand behind the packed ones. */
  get hasMore(): boolean {
    return this.#reader.hasMore;
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next
   */
  async push(chunk: Uint8Array): Promise<void> {
    let at = Math.min(this.#skip, chunk.length);
    this.#skip -= at;
    for (; at < chunk.length; at += STEP) {
      if (this.fault !== undefined || this.#reader.hasMore) return;
      const part = chunk.subarray(at, at + STEP);
      this.packed += part.length;
      this.#reader.push(part);
      await this.#drain();
    }
  }

  /** Says that no input follows. */
  async end(): Promise<void> {
    this.#reader.end();
    await this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.fault === undefined) {
      const chunk = this.#reader.pull();
      if (chunk === undefined) {
        if (this.#reader.damaged) this.fault = "damaged";
        return;
      }
      this.unpacked += chunk.length;
      if (!this.#allow(this.unpacked, this.packed)) this.fault = "limit";
      else await this.#take(chunk);
    }
  }
}

/**
 * Joins chunks.
 *
 * @param chunks Any number of them
 * @returns Their bytes, the only chunk itself where there is one
 */
export function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** A file within an archive. */
export interface Entry {
  readonly name: string;
  /** Its bytes as they stand in the archive. */
  readonly bytes: Uint8Array;
  /** Offset of these bytes in the archive. */
  readonly offset: number;
  /** Whether they are deflated. */
  readonly deflated: boolean;
}

/** An archive, taken apart. */
export interface Archive {
  readonly entries: readonly Entry[];
  /** What readers may see differently, or not at all. */
  readonly faults: readonly { message: string; offset: number }[];
  /** Where the archive begins; a pickle may stand before it. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const MAX_ENTRIES = 100_000;

function uint(bytes: Uint8Array, at: number, size: 2 | 4 | 8): number {
  return at >= 0 && at + size <= bytes.length
    ? readUint(bytes, { at, size })
    : 0;
}

/** Offset of the record that ends a zip, or -1. */
function findEnd(bytes: Uint8Array): number {
  const last = bytes.length - 22;
  for (let at = last; at >= 0 && at > last - 65_557; at--) {
    if (bytes[at] === 0x50 && uint(bytes, at, 4) === END) return at;
  }
  return -1;
}

/**
 * Says whether a zip ends the bytes, whatever they begin with: Python's
 * `zipfile` looks from behind.
 *
 * @param bytes Any bytes
 * @returns Whether there is one
 */
export function endsAsZip(bytes: Uint8Array): boolean {
  const end = findEnd(bytes);
  return end >= 0 && uint(bytes, end + 10, 2) > 0;
}

/**
 * Takes a zip apart, by its directory and by the headers of its files.
 *
 * @param bytes The archive
 * @returns Its files
 */
export function readZip(bytes: Uint8Array): Archive {
  const faults: { message: string; offset: number }[] = [];
  const entries: Entry[] = [];
  const seen = new Set<number>();
  let start = bytes.length;
  const end = findEnd(bytes);
  if (end < 0) {
    faults.push({ message: "the zip has no directory", offset: 0 });
  } else {
    let count = uint(bytes, end + 10, 2);
    let size = uint(bytes, end + 12, 4);
    let offset = uint(bytes, end + 16, 4);
    let directoryEnd = end;
    const locator = end - 20;
    if (locator >= 0 && uint(bytes, locator, 4) === 0x07064b50) {
      const end64 = uint(bytes, locator + 8, 8);
      if (uint(bytes, end64, 4) === END64) {
        count = uint(bytes, end64 + 32, 8);
        size = uint(bytes, end64 + 40, 8);
        offset = uint(bytes, end64 + 48, 8);
        directoryEnd = end64;
      }
    }
    // Bytes before the archive move all of its offsets.
    const shift = Math.max(directoryEnd - size - offset, 0);
    let at = offset + shift;
    for (let i = 0; i < Math.min(count, MAX_ENTRIES); i++) {
      if (uint(bytes, at, 4) !== CENTRAL) {
        faults.push({ message: "the zip's directory is damaged", offset: at });
        break;
      }
      const flags = uint(bytes, at + 8, 2);
      const method = uint(bytes, at + 10, 2);
      let packed = uint(bytes, at + 20, 4);
      let unpacked = uint(bytes, at + 24, 4);
      const nameLength = uint(bytes, at + 28, 2);
      const extraLength = uint(bytes, at + 30, 2);
      let header = uint(bytes, at + 42, 4);
      const name = text(bytes, at + 46, nameLength);
      const extra = at + 46 + nameLength;
      for (let field = extra; field + 4 <= extra + extraLength;) {
        const length = uint(bytes, field + 2, 2);
        if (uint(bytes, field, 2) === 1) {
          let value = field + 4;
          if (unpacked === 0xffffffff) {
            unpacked = uint(bytes, value, 8);
            value += 8;
          }
          if (packed === 0xffffffff) {
            packed = uint(bytes, value, 8);
            value += 8;
          }
          if (header === 0xffffffff) header = uint(bytes, value, 8);
        }
        field += 4 + length;
      }
      header += shift;
      at += 46 + nameLength + extraLength + uint(bytes, at + 32, 2);
      if (uint(bytes, header, 4) !== LOCAL) {
        faults.push({ message: "a file of the zip is missing", offset: at });
        continue;
      }
      seen.add(header);
      start = Math.min(start, header);
      const localName = text(bytes, header + 30, uint(bytes, header + 26, 2));
      if (localName !== name) {
        faults.push({
          message: "a file has two names in the zip",
          offset: header,
        });
      }
      if ((flags & 1) !== 0 || (uint(bytes, header + 6, 2) & 1) !== 0) {
        faults.push({ message: "a file says it is encrypted", offset: header });
      }
      const localMethod = uint(bytes, header + 8, 2);
      if (localMethod !== method) {
        faults.push({
          message: "a file is packed in two ways at once",
          offset: header,
        });
      }
      const data = dataOffset(bytes, header);
      if (data + packed > bytes.length) {
        faults.push({
          message: "a file of the zip is cut off",
          offset: header,
        });
      }
      for (const way of new Set([method, localMethod])) {
        if (way !== 0 && way !== 8) {
          faults.push({
            message: `a file is packed by method ${way}`,
            offset: header,
          });
          continue;
        }
        entries.push({
          name,
          bytes: bytes.subarray(data, data + packed),
          offset: data,
          deflated: way === 8,
        });
      }
    }
    if (count > MAX_ENTRIES) {
      faults.push({ message: "the zip has too many files", offset: end });
    }
  }
  // Files that the directory does not name, for readers that go from front to
  // back.
  const sizes = new Map(
    entries.map((entry) => [entry.offset, entry.bytes.length]),
  );
  let at = end < 0 || uint(bytes, 0, 4) === LOCAL ? 0 : start;
  for (let i = 0; i < MAX_ENTRIES; i++) {
    if (uint(bytes, at, 4) !== LOCAL) break;
    start = Math.min(start, at);
    const data = dataOffset(bytes, at);
    let packed = uint(bytes, at + 18, 4);
    packed = sizes.get(data) ?? packed;
    if (!seen.has(at)) {
      const method = uint(bytes, at + 8, 2);
      if (end >= 0) {
        faults.push({
          message: "a file that the zip's directory does not name",
          offset: at,
        });
      }
      if (packed === 0 || packed === 0xffffffff) packed = bytes.length - data;
      entries.push({
        name: text(bytes, at + 30, uint(bytes, at + 26, 2)),
        bytes: bytes.subarray(data, data + packed),
        offset: data,
        deflated: method === 8,
      });
    }
    at = data + packed;
    if (uint(bytes, at, 4) === 0x08074b50) at += 16;
  }
  const comment = end < 0 ? 0 : uint(bytes, end + 20, 2);
  return {
    entries,
    faults,
    start: Math.min(start, end < 0 ? bytes.length : end),
    end: end < 0 ? bytes.length : end + 22 + comment,
  };
}

function dataOffset(bytes: Uint8Array, header: number): number {
  return header + 30 + uint(bytes, header + 26, 2) +
    uint(bytes, header + 28, 2);
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return new TextDecoder().decode(bytes.subarray(at, at + length));
}

/**
 * Takes a tar apart.
 *
 * @param bytes The archive
 * @returns Its files
 */
export function readTar(bytes: Uint8Array): Archive {
  const entries: Entry[] = [];
  const faults: { message: string; offset: number }[] = [];
  let at = 0;
  while (at + 512 <= bytes.length && entries.length < MAX_ENTRIES) {
    if (bytes[at] === 0) break;
    const name = text(bytes, at, 100).replace(/\0.*$/s, "");
    const digits = text(bytes, at + 124, 12).replace(/\0.*$/s, "").trim();
    const size = /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
    if (!(at + 512 + size <= bytes.length)) {
      faults.push({ message: "a file of the tar is damaged", offset: at });
      break;
    }
    const kind = bytes[at + 156];
    if (kind === 0 || kind === 0x30) {
      entries.push({
        name,
        bytes: bytes.subarray(at + 512, at + 512 + size),
        offset: at + 512,
        deflated: false,
      });
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return { entries, faults, start: 0, end: bytes.length };
}

/** What the header of an npy file says. */
export interface NpyHeader {
  /** Where the array's bytes begin. */
  readonly data: number;
  /** How many there are, as far as is known; undefined for a pickle. */
  readonly size: number | undefined;
}

const NPY_ITEM = /^[<>|=]?([biufcmMSUV])(\d+)(?:\[[^\]]*\])?$/;

/** How long the header of an npy file may be. */
export const NPY_HEADER = 65_548;

/**
 * Says how long the header of an npy file is.
 *
 * @param bytes The first bytes, at least twelve
 * @returns How many bytes stand before the array's
 */
export function npyHeaderSize(bytes: Uint8Array): number {
  const wide = bytes[6]! >= 2;
  return (wide ? 12 : 10) + uint(bytes, 8, wide ? 4 : 2);
}

/**
 * Reads the header of an npy file.
 *
 * @param bytes The file
 * @returns Where what follows begins and what it is, or undefined where the
 * header is damaged
 */
export function readNpy(bytes: Uint8Array): NpyHeader | undefined {
  const wide = bytes[6]! >= 2;
  const length = uint(bytes, 8, wide ? 4 : 2);
  const start = wide ? 12 : 10;
  const data = start + length;
  if (bytes.length < start || data > bytes.length || length > 65_536) {
    return undefined;
  }
  const header = text(bytes, start, length);
  const descr = /'descr':\s*('([^']*)'|\[)/.exec(header);
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(header);
  if (descr === null || shape === null) return undefined;
  // A type with an O in it holds objects, a field of a record too.
  const end = header.indexOf("'fortran_order'");
  const type = header.slice(
    descr.index,
    end > descr.index ? end : undefined,
  );
  if (/'[<>|=]?O\d*'/.test(type)) return { data, size: undefined };
  let count = 1;
  for (const item of shape[1]!.split(",")) {
    if (item.trim() !== "") count *= parseInt(item, 10);
  }
  const item = descr[2] === undefined ? null : NPY_ITEM.exec(descr[2]);
  if (item === null) return { data, size: Infinity };
  const size = Number(item[2]) * (item[1] === "U" ? 4 : 1);
  return { data, size: count * size };
}
