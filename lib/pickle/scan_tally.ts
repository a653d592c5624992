/**
 * What `scan` says, and how it is gathered.
 *
 * @module
 */

import type { UnpicklingErrorCode } from "./errors.ts";
import type { NameVerdict } from "./scan_lists.ts";
import { judgeRecord, type ScanDamage } from "./scan_machine.ts";
import { type NameRecord, type ScanUse, USE_RANK } from "./scan_nodes.ts";

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

const MAX_ISSUES = 1000;
const MAX_FINDINGS = 100_000;
const RANK: Record<NameVerdict, number> = { safe: 0, unknown: 1, dangerous: 2 };

/** Where something is wrong, and what. */
export interface IssueAbout {
  readonly message: string;
  readonly offset: number;
  readonly path?: string;
  readonly verdict?: ScanIssue["verdict"];
}

/** What was found in a part of a file. */
export class Tally {
  #findings: Map<string, ScanFinding> | undefined;
  readonly #issues: ScanIssue[] = [];
  #ifLoaded: Tally | undefined;

  /** How many pickles there were. */
  pickles = 0;
  /** Whether anything was made sense of. */
  understood = false;

  /** What matters only if something loads the part as a pickle. */
  get ifLoaded(): Tally {
    return this.#ifLoaded ??= new Tally();
  }

  /** Whether there is nothing to tell. */
  get isEmpty(): boolean {
    return this.#findings === undefined && this.#issues.length === 0 &&
      this.pickles === 0 && !this.understood;
  }

  /** Whether not even a loader would tell anything. */
  get isVoid(): boolean {
    return this.isEmpty && (this.#ifLoaded?.isVoid ?? true);
  }

  /** Whether any name was found. */
  get hasNames(): boolean {
    return this.#findings !== undefined;
  }

  /** Whether a dangerous name was found. */
  get isDangerous(): boolean {
    for (const { verdict } of this.#findings?.values() ?? []) {
      if (verdict === "dangerous") return true;
    }
    return false;
  }

  /**
   * Notes what is wrong.
   *
   * @param code What kind of trouble it is
   * @param about What is wrong, and where
   */
  issue(code: ScanIssue["code"], about: IssueAbout): void {
    if (this.#issues.length >= MAX_ISSUES) return;
    const { message, offset, path = "", verdict = "unknown" } = about;
    this.#issues.push({ code, message, offset, verdict, path });
  }

  /**
   * Notes what a machine says is wrong.
   *
   * @param damage What it says
   * @param path Which part of the file
   */
  damage({ code, message, offset }: ScanDamage, path: string): void {
    const verdict = code === "limit" ? "unknown" : "malformed";
    this.issue(code, { message, offset, path, verdict });
  }

  /**
   * Notes a name.
   *
   * @param record What is known of it
   * @param path Which part of the file names it
   */
  find(record: NameRecord, path: string): void {
    const { module, name, offset, use, count } = record;
    const judged = judgeRecord(record);
    this.#add({ module, name, offset, use, ...judged, count, path });
  }

  #add(finding: ScanFinding): void {
    const { path, module, name, verdict, reason, source, use } = finding;
    const key = `${path}\n${module}\n${name}`;
    const findings = this.#findings ??= new Map<string, ScanFinding>();
    const known = findings.get(key);
    if (known === undefined) {
      if (findings.size >= MAX_FINDINGS && verdict !== "dangerous") {
        if (findings.size === MAX_FINDINGS) {
          const { offset } = finding;
          this.issue("limit", { message: "too many names", offset, path });
        }
        return;
      }
      findings.set(key, finding);
      return;
    }
    const worse = RANK[verdict] > RANK[known.verdict] ||
      verdict === known.verdict && USE_RANK[use] > USE_RANK[known.use];
    findings.set(key, {
      ...known,
      ...worse && { verdict, reason, source, use },
      count: known.count + finding.count,
    });
  }

  /**
   * Adds what was found in another part.
   *
   * @param other What was found there
   */
  merge(other: Tally): void {
    for (const finding of other.#findings?.values() ?? []) this.#add(finding);
    for (const issue of other.#issues) {
      if (this.#issues.length < MAX_ISSUES) this.#issues.push(issue);
    }
    this.pickles += other.pickles;
    this.understood ||= other.understood;
    if (other.#ifLoaded !== undefined) this.ifLoaded.merge(other.#ifLoaded);
  }

  /**
   * Counts what matters only if something loads the part.
   *
   * @param path Which part it is
   */
  load(path: string): void {
    const extra = this.#ifLoaded;
    this.#ifLoaded = undefined;
    if (extra !== undefined) this.merge(extra);
    if (this.isEmpty) {
      const message = "bytes that are loaded hold no pickle";
      this.issue("not-a-pickle", {
        message,
        offset: 0,
        path,
        verdict: "malformed",
      });
    }
  }

  /**
   * Says what becomes of the file.
   *
   * @param bytes How many bytes were read
   * @returns The report
   */
  report(bytes: number): ScanReport {
    if (!this.understood && this.#issues.length === 0) {
      this.issue("not-a-pickle", { message: "no pickle in it", offset: 0 });
    }
    const findings = [...this.#findings?.values() ?? []];
    const issues = this.#issues;
    const verdict: ScanVerdict = this.isDangerous
      ? "dangerous"
      : issues.some(({ verdict }) => verdict === "malformed")
      ? "malformed"
      : issues.length > 0 ||
          findings.some(({ verdict }) => verdict === "unknown")
      ? "unknown"
      : "safe";
    return { verdict, findings, issues, pickles: this.pickles, bytes };
  }
}
