/**
 * Reads ZIP archives by their directory (APPNOTE.TXT 6.3.10), ZIP64 too.
 *
 * @module
 */

import { type Allow, CompressionError } from "./growing.ts";
import { inflate } from "./inflate.ts";

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const BIG = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;

/** A file within an archive. */
export interface ZipEntry {
  /** Its name, with slashes. */
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** Bytes in the archive. */
  readonly packedSize: number;
  /** Bytes when read, as the archive says. */
  readonly size: number;
  /** Where its own header begins. */
  readonly offset: number;
}

/** A ZIP archive that is wholly there. */
export class ZipArchive {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** The files by name. */
  readonly entries: ReadonlyMap<string, ZipEntry>;

  /**
   * Reads the directory.
   *
   * @param bytes The archive.
   * @throws {CompressionError} If there is none, or it is damaged.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.entries = this.#directory();
  }

  #uint16(at: number): number {
    if (at < 0 || at + 2 > this.#bytes.length) throw fault();
    return this.#view.getUint16(at, true);
  }

  #uint32(at: number): number {
    if (at < 0 || at + 4 > this.#bytes.length) throw fault();
    return this.#view.getUint32(at, true);
  }

  #uint64(at: number): number {
    const value = this.#uint32(at) + this.#uint32(at + 4) * 2 ** 32;
    if (!Number.isSafeInteger(value)) throw fault();
    return value;
  }

  /** Count of files and where the directory begins. */
  #end(): { count: number; start: number } {
    const last = this.#bytes.length - 22;
    for (let at = last; at >= 0 && at >= last - 65_535; at--) {
      if (this.#view.getUint32(at, true) !== END) continue;
      let count = this.#uint16(at + 10);
      let start = this.#uint32(at + 16);
      if (
        at >= 20 && this.#view.getUint32(at - 20, true) === LOCATOR64 &&
        (start === BIG || count === 0xffff || this.#uint32(at + 12) === BIG)
      ) {
        const end = this.#uint64(at - 12);
        if (this.#uint32(end) !== END64) throw fault();
        count = this.#uint64(end + 32);
        start = this.#uint64(end + 48);
      }
      return { count, start };
    }
    throw fault();
  }

  #directory(): Map<string, ZipEntry> {
    const entries = new Map<string, ZipEntry>();
    const { count, start } = this.#end();
    const decoder = new TextDecoder();
    let at = start;
    for (let i = 0; i < count; i++) {
      if (this.#uint32(at) !== CENTRAL) throw fault();
      const method = this.#uint16(at + 10);
      let packedSize = this.#uint32(at + 20);
      let size = this.#uint32(at + 24);
      let offset = this.#uint32(at + 42);
      const nameLength = this.#uint16(at + 28);
      const extraLength = this.#uint16(at + 30);
      const from = at + 46;
      const extra = from + nameLength;
      const end = extra + extraLength;
      if (end > this.#bytes.length) throw fault();
      const name = decoder.decode(this.#bytes.subarray(from, extra));
      for (let pos = extra; pos + 4 <= end;) {
        const id = this.#uint16(pos);
        const length = this.#uint16(pos + 2);
        let field = pos + 4;
        pos = field + length;
        if (id !== 1) continue;
        // Only those fields that did not fit, in this order.
        if (size === BIG) {
          size = this.#uint64(field);
          field += 8;
        }
        if (packedSize === BIG) {
          packedSize = this.#uint64(field);
          field += 8;
        }
        if (offset === BIG) offset = this.#uint64(field);
      }
      entries.set(name, { name, method, packedSize, size, offset });
      at = end + this.#uint16(at + 32);
    }
    return entries;
  }

  /** The bytes of a file as they lie in the archive. */
  #packed(entry: ZipEntry): Uint8Array {
    const { offset, packedSize } = entry;
    if (this.#uint32(offset) !== LOCAL) throw fault();
    const from = offset + 30 + this.#uint16(offset + 26) +
      this.#uint16(offset + 28);
    if (from + packedSize > this.#bytes.length) throw fault();
    return this.#bytes.subarray(from, from + packedSize);
  }

  /**
   * A file that is stored as it is.
   *
   * @param name Its name.
   * @returns A view of its bytes; undefined where there is none, or it is
   * compressed.
   */
  stored(name: string): Uint8Array | undefined {
    const entry = this.entries.get(name);
    return entry?.method === STORED ? this.#packed(entry) : undefined;
  }

  /**
   * A file, stored or deflated.
   *
   * @param name Its name.
   * @param allow Is asked before there is more output.
   * @returns Its bytes; undefined where there is no such file.
   * @throws {CompressionError} If it is damaged or compressed otherwise.
   */
  async read(name: string, allow: Allow): Promise<Uint8Array | undefined> {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    if (entry.method === STORED) return this.#packed(entry);
    if (entry.method !== DEFLATED) throw fault();
    return await inflate(this.#packed(entry), "deflate-raw", allow);
  }
}

function fault(): CompressionError {
  return new CompressionError("ZIP");
}
