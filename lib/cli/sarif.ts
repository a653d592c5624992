/**
 * Findings in SARIF 2.1.0, which code scanning services read.
 *
 * @module
 */

import type { Source } from "./input.ts";
import type { Report } from "./scan.ts";
import { VERSION } from "./version.ts";

const RULES = {
  dangerous: {
    level: "error",
    text: "Loading this pickle in Python can run code of its author's.",
  },
  unknown: {
    level: "warning",
    text: "The pickle makes Python import a name that nobody vouches for.",
  },
  malformed: {
    level: "error",
    text: "The pickle is damaged; Python runs what comes before the damage.",
  },
} as const;

/**
 * Makes a report.
 *
 * @param reports What was found, a file each.
 * @returns The report, for `JSON.stringify`.
 */
export function sarif(
  reports: readonly (readonly [Source, Report])[],
): unknown {
  const results = reports.flatMap(([source, { verdict, findings }]) => {
    const found = findings.filter((finding) => finding.verdict !== "safe")
      .map((finding) =>
        result(source, {
          rule: finding.verdict as keyof typeof RULES,
          text: `${finding.module}.${finding.name} (${finding.use})`,
          offset: finding.offset,
        })
      );
    const named = findings.some((finding) => finding.verdict === verdict);
    if (verdict !== "safe" && !named) {
      found.push(
        result(source, {
          rule: verdict,
          text: RULES[verdict].text,
          offset: 0,
        }),
      );
    }
    return found;
  });
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "brine",
          version: VERSION,
          informationUri: "https://jsr.io/@brine/brine",
          rules: Object.entries(RULES).map(([id, { level, text }]) => ({
            id,
            shortDescription: { text },
            defaultConfiguration: { level },
          })),
        },
      },
      results,
    }],
  };
}

function result(
  source: Source,
  found: { rule: keyof typeof RULES; text: string; offset: number },
): Record<string, unknown> {
  return {
    ruleId: found.rule,
    level: RULES[found.rule].level,
    message: { text: found.text },
    locations: [{
      physicalLocation: {
        artifactLocation: { uri: uri(source.name) },
        region: { byteOffset: found.offset, byteLength: 1 },
      },
    }],
  };
}

function uri(path: string): string {
  return path.replaceAll("\\", "/").split("/").map(encodeURIComponent)
    .join("/");
}
