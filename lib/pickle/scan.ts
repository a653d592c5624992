/**
 * What a pickle could reach, without loading it.
 *
 * @module
 */

import { decodeLatin1 } from "./arguments.ts";
import type { MemoTable } from "./memo_table.ts";
import type { UnpicklingErrorCode } from "./errors.ts";
import {
  endsAsZip,
  type Entry,
  type Format,
  inflate,
  isPacked,
  join,
  readNpy,
  readTar,
  readZip,
  sniff,
  unpack,
} from "./scan_containers.ts";
import { judgeName, type NameEntry, type NameVerdict } from "./scan_lists.ts";
import {
  judgeRecord,
  type MachineResult,
  type NameRecord,
  type NestedBytes,
  type Node,
  runMachine,
  type ScanDamage,
  type ScanUse,
  sweep,
} from "./scan_machine.ts";

export type { NameVerdict, ScanUse };

/**
 * What {@linkcode scan} makes of a file:
 *
 * - `safe`: it names nothing but known makers of data.
 * - `unknown`: it names what no list vouches for, or holds what was not read.
 * - `dangerous`: it names known ways to run code, to reach files or the
 *   network, or to hide that.
 * - `malformed`: it is damaged. What stands before the damage is executed all
 *   the same by whoever loads it, so look at the findings.
 */
export type ScanVerdict = "safe" | "unknown" | "dangerous" | "malformed";

/** A class or function that a pickle reaches. */
export interface ScanFinding {
  /** Its module, as the pickle says it. */
  readonly module: string;
  /** Its name within the module, `(computed)` where loading makes it up. */
  readonly name: string;
  /** Where it is named first, in the bytes of `path`. */
  readonly offset: number;
  /** The most that is done with it. */
  readonly use: ScanUse;
  /** What becomes of it. */
  readonly verdict: NameVerdict;
  /** Why, in few words. */
  readonly reason: string;
  /** Where that can be read; empty where nobody says anything. */
  readonly source: string;
  /** How often it is named. */
  readonly count: number;
  /**
   * Which part of the file names it: empty for the file itself, `name` for a
   * file of an archive, `@120` for the bytes at offset 120.
   */
  readonly path: string;
}

/** What is wrong with a file, or cannot be known of it. */
export interface ScanIssue {
  /** What kind of trouble it is. */
  readonly code:
    | UnpicklingErrorCode
    | "limit"
    | "bad-container"
    | "unreadable"
    | "trailing-bytes";
  /** What is wrong, in few words. */
  readonly message: string;
  /** Where, in the bytes of `path`. */
  readonly offset: number;
  /** What it makes of the file. */
  readonly verdict: "unknown" | "malformed";
  /** Which part of the file, as in {@linkcode ScanFinding}. */
  readonly path: string;
}

/** What {@linkcode scan} found. */
export interface ScanReport {
  /** What becomes of the file. */
  readonly verdict: ScanVerdict;
  /** All that it reaches. */
  readonly findings: readonly ScanFinding[];
  /** All that is wrong with it. */
  readonly issues: readonly ScanIssue[];
  /** How many pickles it holds. */
  readonly pickles: number;
  /** How many bytes were read, unpacked ones included. */
  readonly bytes: number;
}

/** Options of {@linkcode scan}. */
export interface ScanOptions {
  /** Names such as `"mymodule.MyClass"` that are called safe. */
  allow?: Iterable<string>;
  /** Names such as `"mymodule.run"` that are called dangerous. */
  deny?: Iterable<string>;
  /**
   * How many bytes are read and unpacked; what is beyond stays unknown.
   *
   * @default {2_147_483_647}
   */
  maxBytes?: number;
}

const MAX_LEVEL = 8;
/** Real data hardly packs better than this; bombs do. */
const MAX_RATIO = 100;
const MIN_ROOM = 67_108_864;
const MAX_DEPTH = 20_000_000;
const MAX_ISSUES = 1000;
const MAX_FINDINGS = 100_000;
const MAX_PICKLES = 1_000_000;

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
  const bytes = input instanceof Uint8Array
    ? input
    : await collect(input, options.maxBytes ?? DEFAULT_MAX_BYTES);
  if (bytes === undefined) {
    scanner.issue("limit", { message: "the input is too long", offset: 0 });
  } else {
    await scanner.scanBytes(bytes, { path: "", role: "file", level: 0 });
  }
  return scanner.report();
}

const DEFAULT_MAX_BYTES = 2_147_483_647;

async function collect(
  stream: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let next; !(next = await reader.read()).done;) {
    size += next.value.length;
    if (size > limit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(next.value);
  }
  reader.releaseLock();
  return join(chunks);
}

/**
 * Why bytes are looked at: a `file` is what was given and an `entry` a file in
 * it; `loaded` bytes are handed to a loader by the pickle; `nested` ones may
 * be anything.
 */
type Role = "file" | "entry" | "loaded" | "nested";

interface Place {
  readonly path: string;
  readonly role: Role;
  readonly level: number;
}

class Scanner {
  readonly #allow: ReadonlySet<string>;
  readonly #deny: ReadonlySet<string>;
  readonly #findings = new Map<string, ScanFinding>();
  readonly #issues: ScanIssue[] = [];
  readonly #limit: number;
  #pickles = 0;
  #bytes = 0;
  #understood = false;

  constructor(options: ScanOptions) {
    this.#allow = new Set(options.allow);
    this.#deny = new Set(options.deny);
    this.#limit = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  report(): ScanReport {
    if (!this.#understood && this.#issues.length === 0) {
      this.issue("not-a-pickle", { message: "no pickle in it", offset: 0 });
    }
    const findings = [...this.#findings.values()];
    const issues = this.#issues;
    const verdict: ScanVerdict =
      findings.some(({ verdict }) => verdict === "dangerous")
        ? "dangerous"
        : issues.some(({ verdict }) => verdict === "malformed")
        ? "malformed"
        : issues.length > 0 ||
            findings.some(({ verdict }) => verdict === "unknown")
        ? "unknown"
        : "safe";
    return {
      verdict,
      findings,
      issues,
      pickles: this.#pickles,
      bytes: this.#bytes,
    };
  }

  issue(
    code: ScanIssue["code"],
    about: {
      message: string;
      offset: number;
      path?: string;
      verdict?: ScanIssue["verdict"];
    },
  ): void {
    if (this.#issues.length >= MAX_ISSUES) return;
    const { message, offset, path = "", verdict = "unknown" } = about;
    this.#issues.push({ code, message, offset, verdict, path });
  }

  #judge = (module: string, name: string): NameEntry => {
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
  };

  #find(record: NameRecord, path: string): void {
    const { module, name, offset, use, count } = record;
    const { verdict, reason, source } = judgeRecord(record);
    const key = `${path}\n${module}\n${name}`;
    const known = this.#findings.get(key);
    if (known === undefined) {
      if (this.#findings.size >= MAX_FINDINGS && verdict !== "dangerous") {
        if (this.#findings.size === MAX_FINDINGS) {
          this.issue("limit", { message: "too many names", offset, path });
        }
        return;
      }
      const finding = { module, name, offset, use, verdict };
      this.#findings.set(key, { ...finding, reason, source, count, path });
      return;
    }
    const worse = RANK[verdict] > RANK[known.verdict];
    this.#findings.set(key, {
      ...known,
      ...worse && { verdict, reason, source, use },
      count: known.count + count,
    });
  }

  /** Looks at bytes of which nothing is known. */
  async scanBytes(bytes: Uint8Array, place: Place): Promise<void> {
    const { path, role, level } = place;
    this.#bytes += bytes.length;
    if (level > MAX_LEVEL || this.#bytes > this.#limit) {
      this.issue("limit", {
        message: level > MAX_LEVEL
          ? "pickles nest too deep"
          : "there is too much to read",
        offset: 0,
        path,
      });
      return;
    }
    const format = sniff(bytes);
    switch (format) {
      case "zip":
        return await this.#zip(bytes, place);
      case "npy":
        return await this.#npy(bytes, place);
      case "tar":
        // A pickle may begin like one of its file names.
        await this.#pickle(bytes, { ...place, role: "nested" });
        return await this.#archive(readTar(bytes), place);
      case "pickle":
        await this.#pickle(bytes, place);
        // Python's zipfile finds an archive behind whatever comes first.
        if (role !== "nested" && endsAsZip(bytes)) {
          await this.#zip(bytes, place);
        }
        return;
      default:
        if (isPacked(format)) {
          return await this.#compressed(bytes, format, place);
        }
        if (role !== "nested") {
          this.issue("unreadable", {
            message: `${format} files cannot be looked into`,
            offset: 0,
            path,
          });
        }
    }
  }

  /** How much compressed bytes may unpack to. */
  #room(bytes: Uint8Array): number {
    const left = Math.max(this.#limit - this.#bytes, 0);
    return Math.min(left, MIN_ROOM + bytes.length * MAX_RATIO);
  }

  async #compressed(
    bytes: Uint8Array,
    format: Format,
    { path, role, level }: Place,
  ): Promise<void> {
    const unpacked = await unpack(bytes, { format, limit: this.#room(bytes) });
    // Bytes that nobody unpacks may be damaged as they like.
    const matters = role !== "nested" || unpacked.fault === "limit";
    if (unpacked.fault !== undefined && matters) {
      // Two bytes alone do not make a packed file of numbers.
      if (unpacked.bytes.length === 0 && role === "entry") return;
      this.issue(unpacked.fault === "limit" ? "limit" : "bad-container", {
        message: unpacked.fault === "limit"
          ? `the ${format} file unpacks to too much`
          : `the ${format} file is damaged`,
        offset: 0,
        path,
        verdict: unpacked.fault === "limit" ? "unknown" : "malformed",
      });
    }
    if (unpacked.bytes.length === 0 && unpacked.fault !== undefined) return;
    const inner = { path: `${path}!${format}`, role, level: level + 1 };
    await this.scanBytes(unpacked.bytes, inner);
  }

  async #zip(bytes: Uint8Array, place: Place): Promise<void> {
    const archive = readZip(bytes);
    if (archive.entries.length === 0 && place.role === "nested") return;
    if (sniff(bytes) === "zip" && archive.end < bytes.length) {
      this.issue("trailing-bytes", {
        message: "bytes behind the zip",
        offset: archive.end,
        path: place.path,
      });
    }
    await this.#archive(archive, place);
  }

  async #archive(
    { entries, faults }: {
      entries: readonly Entry[];
      faults: readonly { message: string; offset: number }[];
    },
    { path, role, level }: Place,
  ): Promise<void> {
    const before = this.#pickles;
    for (const { name, bytes, deflated } of entries) {
      const inner: Place = {
        path: path === "" ? name : `${path}!${name}`,
        role: STRICT_NAMES.test(name) ? "loaded" : "entry",
        level: level + 1,
      };
      if (!deflated) {
        await this.scanBytes(bytes, inner);
        continue;
      }
      const unpacked = await inflate(bytes, {
        format: "deflate-raw",
        limit: this.#room(bytes),
      });
      if (unpacked.fault !== undefined) {
        this.issue(unpacked.fault === "limit" ? "limit" : "bad-container", {
          message: unpacked.fault === "limit"
            ? "a file unpacks to too much"
            : "a file cannot be unpacked",
          offset: 0,
          path: inner.path,
          verdict: unpacked.fault === "limit" ? "unknown" : "malformed",
        });
      }
      await this.scanBytes(unpacked.bytes, inner);
    }
    if (role === "nested" && this.#pickles === before) return;
    for (const { message, offset } of faults) {
      this.issue("bad-container", {
        message,
        offset,
        path,
        verdict: "malformed",
      });
    }
  }

  async #npy(bytes: Uint8Array, { path, role, level }: Place): Promise<void> {
    const header = readNpy(bytes);
    if (header === undefined) {
      if (role === "nested") return;
      this.issue("bad-container", {
        message: "the header of the npy file is damaged",
        offset: 0,
        path,
        verdict: "malformed",
      });
      return;
    }
    this.#understood = true;
    const rest = bytes.subarray(header.data + (header.size ?? 0));
    if (header.size === undefined) {
      const inner: Place = {
        path: `${path}!npy`,
        role: "loaded",
        level: level + 1,
      };
      await this.scanBytes(rest, inner);
    } else if (header.data + header.size > bytes.length) {
      if (role === "nested") return;
      this.issue("truncated", {
        message: "the npy file is cut off",
        offset: bytes.length,
        path,
        verdict: "malformed",
      });
    } else if (rest.length > 0 && role !== "nested") {
      this.issue("trailing-bytes", {
        message: "bytes behind the array",
        offset: header.data + header.size,
        path,
      });
      await this.scanBytes(rest, {
        path: `${path}!rest`,
        role: "nested",
        level: level + 1,
      });
    }
  }

  /** Looks at pickles, one behind the other. */
  async #pickle(bytes: Uint8Array, place: Place): Promise<void> {
    const { path, role } = place;
    const options = { judge: this.#judge, depth: MAX_DEPTH };
    const first = runMachine(bytes, 0, options);
    if (!this.#counts(first, bytes, role)) {
      if (role === "nested") await this.#base64(bytes, place);
      return;
    }
    this.#understood = true;
    this.#pickles++;
    this.#add(first, path);
    for (const damage of first.damage) this.#damaged(damage, path);
    const nested: NestedBytes[] = [...first.nested];
    const kept: MemoTable<Node> = first.memo;
    let storages = first.storages;
    let at = first.end;
    let goesOn = first.stopped;
    let number = 1;
    while (goesOn && at < bytes.length) {
      if (number === 5 && first.isTorchMagic) {
        // torch/serialization.py: each storage is a length and its bytes.
        let size = 0;
        for (const storage of storages.values()) size += 8 + storage;
        if (at + size === bytes.length) break;
      }
      if (number >= MAX_PICKLES) {
        this.issue("limit", { message: "too many pickles", offset: at, path });
        break;
      }
      const fresh = runMachine(bytes, at, options);
      // One pickler may have written both, and then the memo goes on.
      const carried = runMachine(bytes, at, { ...options, memo: kept });
      const better = fresh.damage.length > 0 && carried.damage.length === 0
        ? carried
        : fresh;
      const meant = better.stopped || better.names.length > 0 ||
        (bytes[at] === 0x80 && bytes[at + 1]! <= 5);
      if (!meant) {
        this.#trailing(bytes, at, path);
        break;
      }
      number++;
      this.#pickles++;
      this.#add(better, path);
      if (better === fresh && carried.readsMemo) {
        for (const record of carried.names) {
          if (judgeRecord(record).verdict === "dangerous") {
            this.#find(record, path);
          }
        }
      }
      for (const damage of better.damage) this.#damaged(damage, path);
      nested.push(...better.nested);
      if (better.storages.size > 0) storages = better.storages;
      at = better.end;
      goesOn = better.stopped;
    }
    for (const { bytes: inner, offset, loaded } of nested) {
      await this.scanBytes(inner, {
        path: `${path}@${offset}`,
        role: loaded ? "loaded" : "nested",
        level: place.level + 1,
      });
    }
  }

  /** Whether what the machine read is taken for a pickle. */
  #counts(result: MachineResult, bytes: Uint8Array, role: Role): boolean {
    switch (role) {
      case "file":
      case "loaded":
        return true;
      case "entry":
        if (bytes[0] === 0x80 && bytes[1]! <= 5) return true;
        return result.names.length > 0 && result.stopped;
      case "nested":
        if (result.names.length === 0) return false;
        return result.stopped && result.damage.length === 0 ||
          result.names.some((record) =>
            judgeRecord(record).verdict === "dangerous"
          );
    }
  }

  #add({ names }: MachineResult, path: string): void {
    for (const record of names) this.#find(record, path);
  }

  #damaged({ code, message, offset }: ScanDamage, path: string): void {
    this.issue(code, {
      message,
      offset,
      path,
      verdict: code === "limit" ? "unknown" : "malformed",
    });
  }

  /** Bytes behind a pickle that are none: nobody knows who reads them. */
  #trailing(bytes: Uint8Array, at: number, path: string): void {
    this.issue("trailing-bytes", {
      message: "bytes behind the pickle that were not read",
      offset: at,
      path,
    });
    const names = [...sweep(bytes, at, bytes.length)];
    for (const found of [...names, ...namesInText(bytes, at)]) {
      const entry = this.#judge(found.module, found.name);
      if (entry.verdict !== "dangerous") continue;
      this.#find({
        ...found,
        entry,
        use: "named",
        count: 1,
        fits: false,
        misused: true,
      }, path);
    }
  }

  async #base64(bytes: Uint8Array, place: Place): Promise<void> {
    const text = decodeLatin1(bytes).replace(/[\r\n]+/g, "")
      .replaceAll("-", "+").replaceAll("_", "/");
    if (!/^[A-Za-z0-9+/]{12,}={0,2}$/.test(text)) return;
    let decoded;
    try {
      decoded = atob(text);
    } catch {
      return;
    }
    const inner = Uint8Array.from(decoded, (c) => c.charCodeAt(0));
    if (
      sniff(inner) === "pickle" && inner[0] !== 0x80 && inner.at(-1) !== 0x2e
    ) {
      return;
    }
    await this.scanBytes(inner, {
      path: `${place.path}!base64`,
      role: "nested",
      level: place.level + 1,
    });
  }
}

const RANK: Record<NameVerdict, number> = { safe: 0, unknown: 1, dangerous: 2 };

/** Names of files that are read as pickles or not at all. */
const STRICT_NAMES = /\.(?:pkl|pickle|pck|pcl|p|joblib|pt|pth|ckpt)$/i;

const LINES = /[ci]([A-Za-z_][\w.]{0,99})\n([A-Za-z_][\w.]{0,99})\n/g;
const STRINGS =
  /\x8c.([A-Za-z_][\w.]{0,99})(?:\x94|q.)?\x8c.([A-Za-z_][\w.]{0,99})(?:\x94|q.)?\x93/gs;

/** Names as pickles spell them, wherever they stand. */
function* namesInText(
  bytes: Uint8Array,
  start: number,
): Generator<{ module: string; name: string; offset: number }, void> {
  for (let at = start; at < bytes.length; at += 1_000_000) {
    const text = decodeLatin1(bytes.subarray(at, at + 1_000_300));
    for (const pattern of [LINES, STRINGS]) {
      for (const match of text.matchAll(pattern)) {
        yield {
          module: match[1]!,
          name: match[2]!,
          offset: at + match.index,
        };
      }
    }
  }
}
