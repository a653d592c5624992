/**
 * What a pickle could reach, without loading it.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import {
  endsAsZip,
  type Entry,
  type Format,
  inflatable,
  Inflater,
  isPacked,
  join,
  NPY_HEADER,
  npyHeaderSize,
  readNpy,
  readTar,
  readZip,
  sniff,
  SNIFFED,
  unpack,
} from "./scan_containers.ts";
import type { InflateFormat } from "./scan_inflate.ts";
import { judgeName, type NameEntry, type NameVerdict } from "./scan_lists.ts";
import type { ScanUse } from "./scan_nodes.ts";
import {
  exploreBase64,
  type Explorer,
  type Part,
  Pickles,
  type Place,
} from "./scan_pickles.ts";
import {
  type ScanFinding,
  type ScanIssue,
  type ScanReport,
  type ScanVerdict,
  Tally,
} from "./scan_tally.ts";

export type {
  NameVerdict,
  ScanFinding,
  ScanIssue,
  ScanReport,
  ScanUse,
  ScanVerdict,
};

/** Options of {@linkcode scan}. */
export interface ScanOptions {
  /** Names such as `"mymodule.MyClass"` that are called safe. */
  allow?: Iterable<string>;
  /** Names such as `"mymodule.run"` that are called dangerous. */
  deny?: Iterable<string>;
  /**
   * How many bytes are read and unpacked in all; what is beyond stays unknown.
   * By default all bytes are read, and 2 GiB may be unpacked or held in memory,
   * or twenty times what was read where that is more.
   *
   * @default {Infinity}
   */
  maxBytes?: number;
  /**
   * How many bytes of one file in a stream are held in memory, where it is of
   * the kinds that must be held; a longer one stays unknown.
   *
   * @default {2_147_483_647}, or `maxBytes`
   */
  maxHeld?: number;
}

const MAX_LEVEL = 8;
/** Real data hardly packs better than this; bombs do. */
const MAX_RATIO = 100;
const MIN_ROOM = 67_108_864;
/** How much is held in memory or unpacked, unless the caller says more. */
const MAX_HELD = 2_147_483_647;
/** So much of a file is kept, in case a zip ends it. */
const KEPT_FILE = 16_777_216;
/** What may stand behind the directory of a zip. */
const ZIP_TAIL = 65_557;

/**
 * Looks through a pickle, or whatever file holds pickles, for every class and
 * function that loading it would reach. Nothing of it is loaded or run.
 *
 * It follows the stack and the memo as an unpickler does, so that names which
 * are put together from parts are seen; goes through pickles that stand one
 * behind the other, within strings and bytes, and in zip, gzip, zlib, tar,
 * npy, npz, torch and joblib files, whatever they are called; and judges each
 * name by lists that say where they have it from.
 *
 * A stream is looked through while it arrives. What it takes of memory does not
 * grow with it, except for zip, tar, bzip2, xz, zstd and lz4 files, which are
 * held as a whole.
 *
 * @param input The file's bytes, or a stream of them
 * @param options What the caller vouches for
 * @returns What was found
 *
 * @example Look before you load
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("cos\nsystem\n(S'true'\ntR.");
 * const { verdict, findings } = await pickle.scan(bytes);
 * assertEquals(verdict, "dangerous");
 * assertEquals(
 *   findings.map(({ module, name, use }) => [module, name, use]),
 *   [["os", "system", "called"]],
 * );
 * ```
 */
export async function scan(
  input: Uint8Array | ReadableStream<Uint8Array>,
  options: ScanOptions = {},
): Promise<ScanReport> {
  const scanner = new Scanner(options);
  const tally = new Tally();
  const place: Place = { path: "", role: "file", level: 0 };
  if (input instanceof Uint8Array) {
    await scanner.explore(input, place, tally);
    return tally.report(scanner.bytes);
  }
  const part = scanner.open(place, tally);
  const reader = input.getReader();
  for (let next; !(next = await reader.read()).done;) {
    await part.push(next.value);
    if (!scanner.isFull) continue;
    await reader.cancel();
    return tally.report(scanner.bytes);
  }
  reader.releaseLock();
  await part.end();
  return tally.report(scanner.bytes);
}

/** Looks at bytes of which nothing is known. */
class Scanner implements Explorer {
  readonly #allow: ReadonlySet<string>;
  readonly #deny: ReadonlySet<string>;
  readonly #limit: number | undefined;
  /** How much may be held in memory. */
  readonly held: number;
  /** How many bytes were looked at, unpacked ones included. */
  bytes = 0;
  #read = 0;

  constructor(options: ScanOptions) {
    this.#allow = new Set(options.allow);
    this.#deny = new Set(options.deny);
    this.#limit = options.maxBytes;
    this.held = options.maxHeld ?? options.maxBytes ?? MAX_HELD;
  }

  get #left(): number {
    return this.#limit === undefined
      ? Math.max(MAX_HELD, 20 * this.#read) - (this.bytes - this.#read)
      : this.#limit - this.bytes;
  }

  /** Whether there is too much to read. */
  get isFull(): boolean {
    return this.#left < 0;
  }

  /** Counts bytes. */
  count(size: number, { level }: Place): void {
    this.bytes += size;
    if (level === 0) this.#read += size;
  }

  /** Whether so much may come out of so much. */
  allows(unpacked: number, packed: number): boolean {
    return !this.isFull && unpacked <= this.room(packed);
  }

  /** How much packed bytes may unpack to. */
  room(packed: number): number {
    return Math.min(this.#limit ?? MAX_HELD, MIN_ROOM + packed * MAX_RATIO);
  }

  judge(module: string, name: string): NameEntry {
    const full = `${module}.${name}`;
    if (this.#deny.has(full)) {
      return {
        verdict: "dangerous",
        reason: "denied by the caller",
        source: "",
      };
    }
    if (this.#allow.has(full)) {
      return { verdict: "safe", reason: "allowed by the caller", source: "" };
    }
    return judgeName(module, name);
  }

  open(place: Place, tally: Tally): Region {
    return new Region(this, { place, tally });
  }

  async explore(bytes: Uint8Array, place: Place, tally: Tally): Promise<void> {
    const region = new Region(this, { place, tally, whole: bytes });
    await region.push(bytes);
    await region.end();
  }

  async archive(
    { entries, faults }: {
      entries: readonly Entry[];
      faults: readonly { message: string; offset: number }[];
    },
    { path, role, level }: Place,
    tally: Tally,
  ): Promise<void> {
    const inside = new Tally();
    for (const { name, bytes, deflated } of entries) {
      const inner: Place = {
        path: path === "" ? name : `${path}!${name}`,
        role: STRICT_NAMES.test(name) ? "loaded" : "entry",
        level: level + 1,
      };
      if (!deflated) {
        await this.explore(bytes, inner, inside);
        continue;
      }
      const region = this.open(inner, inside);
      const inflater = new Inflater({
        format: "deflate-raw",
        allow: (unpacked, packed) => this.allows(unpacked, packed),
      }, (chunk) => region.push(chunk));
      await inflater.push(bytes);
      await inflater.end();
      if (inflater.fault !== undefined) {
        inside.issue(inflater.fault === "limit" ? "limit" : "bad-container", {
          message: inflater.fault === "limit"
            ? "a file unpacks to too much"
            : "a file cannot be unpacked",
          offset: 0,
          path: inner.path,
          verdict: inflater.fault === "limit" ? "unknown" : "malformed",
        });
      }
      await region.end();
    }
    const isNone = role === "nested" && inside.pickles === 0;
    for (const { message, offset } of faults) {
      (isNone ? inside.ifLoaded : inside).issue("bad-container", {
        message,
        offset,
        path,
        verdict: "malformed",
      });
    }
    tally.merge(inside);
  }
}

/** Names of files that are read as pickles or not at all. */
const STRICT_NAMES = /\.(?:pkl|pickle|pck|pcl|p|joblib|pt|pth|ckpt)$/i;

interface About {
  readonly place: Place;
  readonly tally: Tally;
  /** All of the bytes, where they are at hand. */
  readonly whole?: Uint8Array | undefined;
}

/** Bytes of which nothing is known until they come. */
class Region implements Part {
  readonly #scanner: Scanner;
  readonly #about: About;
  #head: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #part: Part | undefined;
  #done = false;

  constructor(scanner: Scanner, about: About) {
    this.#scanner = scanner;
    this.#about = about;
  }

  async push(chunk: Uint8Array): Promise<void> {
    if (this.#done) return;
    const { place, tally } = this.#about;
    const tooDeep = place.level > MAX_LEVEL;
    this.#scanner.count(chunk.length, place);
    if (tooDeep || this.#scanner.isFull) {
      this.#done = true;
      tally.issue("limit", {
        message: tooDeep
          ? "pickles nest too deep"
          : "there is too much to read",
        offset: 0,
        path: place.path,
      });
      return;
    }
    if (this.#part !== undefined) return await this.#part.push(chunk);
    this.#head = this.#head.length === 0 ? chunk : join([this.#head, chunk]);
    if (this.#head.length >= SNIFFED) await this.#open();
  }

  async #open(): Promise<void> {
    const head = this.#head;
    this.#head = new Uint8Array(0);
    const format = sniff(head);
    this.#part = partOf(format, this.#scanner, this.#about);
    if (head.length > 0) await this.#part.push(head);
  }

  async end(): Promise<void> {
    if (this.#done) return;
    if (this.#part === undefined) await this.#open();
    await this.#part!.end();
  }
}

function partOf(format: Format, scanner: Scanner, about: About): Part {
  const { place, tally } = about;
  switch (format) {
    case "zip":
      return new Held(scanner, about, async (bytes) => {
        // To a pickle, its mark begins a persistent id.
        await scanAsPickle(scanner, bytes, {
          ...about,
          isOther: endsAsZip(bytes),
        });
        await scanZip(scanner, bytes, about);
      });
    case "npy":
      return new Npy(scanner, about);
    case "tar":
      return new Held(scanner, about, async (bytes) => {
        // A pickle may begin like one of its file names.
        await scanAsPickle(scanner, bytes, { ...about, isOther: true });
        await scanner.archive(readTar(bytes), place, tally);
      });
    case "pickle":
      return new PickleFile(scanner, about);
  }
  const inflated = inflatable(format);
  if (inflated !== undefined) {
    return new Packed(scanner, about, { name: format, ...inflated });
  }
  if (isPacked(format)) {
    return new Held(scanner, about, async (bytes) => {
      const limit = scanner.room(bytes.length);
      const unpacked = unpack(bytes, { format, limit });
      if (noteFault(unpacked, { ...about, name: format })) return;
      await scanner.explore(unpacked.bytes, {
        ...place,
        path: `${place.path}!${format}`,
        level: place.level + 1,
      }, tally);
    });
  }
  return new Held(scanner, about, () => {
    (place.role === "nested" ? tally.ifLoaded : tally).issue("unreadable", {
      message: `${format} files cannot be looked into`,
      offset: 0,
      path: place.path,
    });
    return Promise.resolve();
  }, 0);
}

/** Notes why not all came out; says whether nothing did. */
function noteFault(
  { fault, bytes }: {
    fault?: "damaged" | "limit" | undefined;
    bytes: { length: number };
  },
  { place, tally, name }: About & { name: string },
): boolean {
  if (fault === undefined) return false;
  const none = bytes.length === 0;
  const isLimit = fault === "limit";
  // Two bytes alone do not make a packed file of numbers.
  if (!(none && place.role === "entry")) {
    // Bytes that nobody unpacks may be damaged as they like.
    const to = place.role === "nested" && !isLimit ? tally.ifLoaded : tally;
    to.issue(isLimit ? "limit" : "bad-container", {
      message: isLimit
        ? `the ${name} file unpacks to too much`
        : `the ${name} file is damaged`,
      offset: 0,
      path: place.path,
      verdict: isLimit ? "unknown" : "malformed",
    });
  }
  return none;
}

/** A file that is looked at as a whole. */
class Held implements Part {
  readonly #scanner: Scanner;
  readonly #about: About;
  readonly #look: (bytes: Uint8Array) => Promise<void>;
  readonly #limit: number | undefined;
  #queue: Uint8Array[] | undefined = [];
  #size = 0;

  constructor(
    scanner: Scanner,
    about: About,
    look: (bytes: Uint8Array) => Promise<void>,
    limit?: number,
  ) {
    this.#scanner = scanner;
    this.#about = about;
    this.#look = look;
    this.#limit = limit;
  }

  push(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    if (this.#limit === 0) return Promise.resolve();
    if (this.#about.whole === undefined && this.#size > this.#scanner.held) {
      this.#queue = undefined;
    } else this.#queue?.push(chunk);
    return Promise.resolve();
  }

  async end(): Promise<void> {
    const { tally, place: { path } } = this.#about;
    if (this.#queue === undefined) {
      const message = "too large to be held in memory";
      tally.issue("limit", { message, offset: 0, path });
      return;
    }
    const queue = this.#queue;
    this.#queue = [];
    await this.#look(join(queue));
  }
}

/**
 * Looks whether bytes that are something else (or look like it) are a pickle as
 * well.
 */
async function scanAsPickle(
  scanner: Scanner,
  bytes: Uint8Array,
  { place, tally, isOther }: About & { isOther: boolean },
): Promise<void> {
  const found = new Tally();
  const pickles = new Pickles(scanner, {
    place: isOther ? { ...place, role: "nested" } : place,
    tally: found,
  });
  await pickles.push(bytes);
  await pickles.end();
  // The pickles of an archive may happen to be readable so as well.
  if (isOther ? found.isDangerous : found.hasNames) tally.merge(found);
}

async function scanZip(
  scanner: Scanner,
  bytes: Uint8Array,
  { place, tally }: About,
): Promise<void> {
  const archive = readZip(bytes);
  if (archive.entries.length === 0 && place.role === "nested") return;
  if (sniff(bytes) === "zip" && archive.end < bytes.length) {
    tally.issue("trailing-bytes", {
      message: "bytes behind the zip",
      offset: archive.end,
      path: place.path,
    });
  }
  await scanner.archive(archive, place, tally);
}

/** A file that is unpacked while it arrives. */
class Packed implements Part {
  readonly #about: About & { name: string };
  readonly #inflater: Inflater;
  readonly #inner: Region;

  constructor(
    scanner: Scanner,
    about: About,
    { name, format, skip }: {
      name: string;
      format: InflateFormat;
      skip: number;
    },
  ) {
    const { place, tally } = about;
    this.#about = { ...about, name };
    const path = `${place.path}!${name}`;
    const inner = scanner.open(
      { ...place, path, level: place.level + 1 },
      tally,
    );
    this.#inner = inner;
    this.#inflater = new Inflater({
      format,
      skip,
      allow: (unpacked, packed) => scanner.allows(unpacked, packed),
    }, (chunk) => inner.push(chunk));
  }

  async push(chunk: Uint8Array): Promise<void> {
    await this.#inflater.push(chunk);
  }

  async end(): Promise<void> {
    await this.#inflater.end();
    const { fault, unpacked } = this.#inflater;
    const none = noteFault({ fault, bytes: { length: unpacked } }, this.#about);
    if (!none) await this.#inner.end();
    if (!this.#inflater.hasMore) return;
    const { place: { path, role }, tally, name } = this.#about;
    if (role === "nested") return;
    tally.issue("trailing-bytes", {
      message: `bytes behind the ${name} file`,
      offset: 0,
      path,
    });
  }
}

/** An array as numpy saves it; of objects, it is a pickle. */
class Npy implements Part {
  readonly #scanner: Scanner;
  readonly #about: About;
  #head: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #rest: Part | undefined;
  /** How many bytes of the array are yet to come. */
  #left = NaN;
  #broken = false;

  constructor(scanner: Scanner, about: About) {
    this.#scanner = scanner;
    this.#about = about;
  }

  async push(chunk: Uint8Array): Promise<void> {
    if (this.#broken) return;
    if (!Number.isNaN(this.#left)) return await this.#take(chunk);
    const head = this.#head.length === 0 ? chunk : join([this.#head, chunk]);
    this.#head = head;
    if (
      head.length < 12 ||
      head.length < Math.min(npyHeaderSize(head), NPY_HEADER)
    ) return;
    await this.#begin();
  }

  async #begin(): Promise<void> {
    const head = this.#head;
    const header = readNpy(head);
    if (header === undefined) {
      this.#broken = true;
      this.#issue("bad-container", "the header of the npy file is damaged", 0);
      return;
    }
    const { tally, place: { path, level } } = this.#about;
    tally.understood = true;
    this.#left = header.size ?? Infinity;
    this.#offset = header.data + this.#left;
    this.#head = new Uint8Array(0);
    if (header.size === undefined) {
      this.#left = 0;
      const inner: Place = {
        path: `${path}!npy`,
        role: "loaded",
        level: level + 1,
      };
      this.#rest = this.#scanner.open(inner, tally);
    }
    await this.#take(head.subarray(header.data));
  }

  #offset = 0;
  #size = 0;

  async #take(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    const size = Math.min(this.#left, chunk.length);
    this.#left -= size;
    if (size === chunk.length) return;
    if (this.#rest === undefined) {
      const { place: { path, role, level }, tally } = this.#about;
      if (role === "nested") return;
      this.#issue("trailing-bytes", "bytes behind the array", this.#offset);
      this.#rest = this.#scanner.open({
        path: `${path}!rest`,
        role: "nested",
        level: level + 1,
      }, tally);
    }
    await this.#rest.push(chunk.subarray(size));
  }

  #issue(code: ScanIssue["code"], message: string, offset: number): void {
    const { tally, place: { path, role } } = this.#about;
    (role === "nested" ? tally.ifLoaded : tally).issue(code, {
      message,
      offset,
      path,
      verdict: code === "trailing-bytes" ? "unknown" : "malformed",
    });
  }

  async end(): Promise<void> {
    if (this.#broken) return;
    if (Number.isNaN(this.#left)) {
      await this.#begin();
      if (this.#broken) return;
    }
    if (this.#left > 0 && this.#left < Infinity) {
      const at = this.#offset - this.#left;
      this.#issue("truncated", "the npy file is cut off", at);
    }
    await this.#rest?.end();
  }
}

/** Pickles, and perhaps a zip around or behind them. */
class PickleFile implements Part {
  readonly #scanner: Scanner;
  readonly #about: About;
  readonly #pickles: Pickles;
  #kept: ChunkQueue | undefined;
  readonly #tail = new Tail(ZIP_TAIL);

  constructor(scanner: Scanner, about: About) {
    this.#scanner = scanner;
    this.#about = about;
    this.#pickles = new Pickles(scanner, about);
    if (about.whole === undefined && about.place.role !== "nested") {
      this.#kept = new ChunkQueue();
    }
  }

  async push(chunk: Uint8Array): Promise<void> {
    const { whole, place } = this.#about;
    if (whole === undefined && place.role !== "nested") {
      this.#kept?.push(chunk);
      if (this.#kept !== undefined && this.#kept.size > KEPT_FILE) {
        this.#kept = undefined;
      }
      this.#tail.push(chunk);
    }
    await this.#pickles.push(chunk);
  }

  async end(): Promise<void> {
    const { whole, place, tally } = this.#about;
    await this.#pickles.end();
    if (place.role === "nested") {
      if (this.#pickles.isNone && whole !== undefined) {
        await exploreBase64(this.#scanner, { bytes: whole, place, tally });
      }
      return;
    }
    // Python's zipfile finds an archive behind whatever comes first.
    const bytes = whole ?? this.#kept?.join();
    if (bytes === undefined) {
      if (!endsAsZip(this.#tail.bytes())) return;
      tally.issue("limit", {
        message:
          "a zip ends the file, too far from its start to be looked into",
        offset: 0,
        path: place.path,
      });
    } else if (endsAsZip(bytes)) {
      await scanZip(this.#scanner, bytes, this.#about);
    }
  }
}

/** The last bytes of a stream. */
class Tail {
  readonly #size: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #at = 0;

  constructor(size: number) {
    this.#size = size;
  }

  push(chunk: Uint8Array): void {
    const size = this.#size;
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(4 * size);
    const last = chunk.subarray(Math.max(chunk.length - size, 0));
    if (this.#at + last.length > this.#bytes.length) {
      this.#bytes.copyWithin(0, Math.max(this.#at - size, 0), this.#at);
      this.#at = Math.min(this.#at, size);
    }
    this.#bytes.set(last, this.#at);
    this.#at += last.length;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(Math.max(this.#at - this.#size, 0), this.#at);
  }
}
