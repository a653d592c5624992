/**
 * What `scan` found, in the form that code hosts and CI show.
 *
 * @module
 */

import type { ScanReport } from "./scan.ts";

/** A file and what {@linkcode scan} found in it. */
export interface ScannedFile {
  /** Where the file is: a URL, perhaps a relative one. */
  readonly uri: string;
  /** What was found in it. */
  readonly report: ScanReport;
}

const RULES = {
  dangerous: {
    name: "DangerousName",
    level: "error",
    text: "Loading the pickle runs code or reaches beyond it.",
  },
  unknown: {
    name: "UnknownName",
    level: "warning",
    text: "The pickle names what no list vouches for.",
  },
  malformed: {
    name: "MalformedPickle",
    level: "error",
    text: "The file is damaged.",
  },
  unread: {
    name: "UnreadBytes",
    level: "warning",
    text: "Part of the file could not be looked into.",
  },
} as const;

/**
 * Writes reports as SARIF 2.1.0. Names that are safe are left out.
 *
 * @param files The files and what was found in each
 * @returns The log, to be given to `JSON.stringify`
 *
 * @example Show what was found in a pull request
 * ```ts
 * import { pickle } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("cos\nsystem\n.");
 * const report = await pickle.scan(bytes);
 * const log = pickle.toSarif([{ uri: "data.pkl", report }]);
 * assertEquals(log.version, "2.1.0");
 * ```
 */
export function toSarif(
  files: Iterable<ScannedFile>,
): Record<string, unknown> & { version: "2.1.0" } {
  const results: unknown[] = [];
  function add(
    rule: keyof typeof RULES,
    about: { uri: string; path: string; offset: number; text: string },
  ): void {
    const { uri, path, offset, text } = about;
    results.push({
      ruleId: `brine/${rule}`,
      level: RULES[rule].level,
      message: { text },
      locations: [{
        physicalLocation: {
          artifactLocation: { uri },
          // Code hosts want a line, though there are none. An offset within a
          // part of the file is none of the file.
          region: {
            startLine: 1,
            ...path === "" && { byteOffset: offset, byteLength: 1 },
          },
        },
        ...path !== "" &&
          { logicalLocations: [{ fullyQualifiedName: `${path}+${offset}` }] },
      }],
    });
  }
  for (const { uri, report } of files) {
    for (const finding of report.findings) {
      const { module, name, verdict, reason, use, path, offset } = finding;
      if (verdict === "safe") continue;
      const text = `${printable(`${module}.${name}`)} is ${use}: ${reason}`;
      add(verdict, { uri, path, offset, text });
    }
    for (const { code, message, verdict, path, offset } of report.issues) {
      const rule = verdict === "malformed" ? "malformed" : "unread";
      add(rule, { uri, path, offset, text: `${code}: ${message}` });
    }
  }
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "brine",
          rules: Object.entries(RULES).map(([id, { name, level, text }]) => ({
            id: `brine/${id}`,
            name,
            shortDescription: { text },
            defaultConfiguration: { level },
          })),
        },
      },
      results,
    }],
  };
}

/** A name from a pickle, without what a terminal would obey. */
function printable(name: string): string {
  return name.slice(0, 200).replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
