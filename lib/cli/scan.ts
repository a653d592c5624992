/**
 * `brine scan`: is it safe to load in Python?
 *
 * @module
 */

import { type ScannedFile, toSarif } from "../pickle/sarif.ts";
import {
  scan as scanPickle,
  type ScanOptions,
  type ScanReport,
} from "../pickle/scan.ts";
import { type Command, UsageError } from "./command.ts";
import { complain, explain, FileError, isClosedPipe } from "./errors.ts";
import { findSources, openSource, type Source } from "./input.ts";
import { openSink, type Sink } from "./output.ts";
import { paint } from "./style.ts";
import { plural, printable, shorten } from "./text.ts";

const MEANING = {
  safe: "nothing but data",
  unknown:
    "uses names that nobody vouches for; load it only if you trust where it comes from",
  dangerous: "do not load this in Python",
  malformed: "damaged, or no pickle",
};

/** Says whether pickles are dangerous. */
export const scan: Command = {
  name: "scan",
  summary: "Say whether loading a file in Python would be dangerous",
  usage: "[OPTIONS] FILE...",
  details:
    "A pickle can make Python run any command. This looks at what a file would make Python import and call, and runs none of it. It looks inside zip, gzip, torch, joblib and npy files too, whatever they are called.\n\nVerdicts: safe (nothing but known kinds of data), unknown (names that nobody vouches for), dangerous, malformed. The exit status is 1 where a file is dangerous or malformed, and with --strict where one is unknown.",
  options: [
    { name: "json", help: "Print a JSON object a file, one a line" },
    { name: "sarif", help: "Print a SARIF report, for code scanning in CI" },
    {
      name: "output",
      short: "o",
      value: "FILE",
      help: "Write the report to FILE instead of standard output",
    },
    {
      name: "allow",
      value: "NAME",
      many: true,
      help: "A name to call safe, such as mymodule.MyClass",
    },
    {
      name: "deny",
      value: "NAME",
      many: true,
      help: "A name to call dangerous",
    },
    { name: "strict", help: "Exit with 1 for unknown files as well" },
    { name: "quiet", short: "q", help: "Leave out files that are safe" },
  ],
  examples: [
    ["brine scan model.pkl", "Is this safe to load?"],
    ["brine scan --strict 'models/**/*.pt'", "Check all models, strictly"],
    ["brine scan --sarif models/*.pkl -o brine.sarif", "A report for CI"],
  ],
  async run(args): Promise<number> {
    if (args.operands.length === 0) {
      throw new UsageError("name a file; - is standard input");
    }
    if (args.flag("json") && args.flag("sarif")) {
      throw new UsageError("--json or --sarif, not both");
    }
    const sources = await findSources(args.operands);
    const output = args.value("output");
    const sink = await openSink(output);
    const colour = (output ?? "-") === "-" && Deno.stdout.isTerminal() &&
      !Deno.noColor;
    const reports: ScannedFile[] = [];
    let status = 0;
    try {
      for (const source of sources) {
        let report: ScanReport;
        try {
          report = await scanSource(source, {
            allow: args.values("allow"),
            deny: args.values("deny"),
          });
        } catch (error) {
          if (isClosedPipe(error)) throw error;
          complain(`brine scan: ${explain(new FileError(source.name, error))}`);
          status = 1;
          continue;
        }
        const bad = report.verdict === "unknown"
          ? args.flag("strict")
          : report.verdict !== "safe";
        if (bad) status = 1;
        if (args.flag("quiet") && report.verdict === "safe") continue;
        if (args.flag("sarif")) {
          reports.push({ uri: uriOf(source.name), report });
        } else if (args.flag("json")) {
          await write(
            sink,
            JSON.stringify({ file: source.name, ...report }) + "\n",
          );
        } else {
          await write(sink, describe(source, report, colour));
        }
      }
      if (args.flag("sarif")) {
        const log = toSarif(reports);
        await write(sink, JSON.stringify(log, undefined, 2) + "\n");
      }
      await sink.commit();
    } catch (error) {
      await sink.discard();
      throw error;
    }
    return status;
  },
};

async function scanSource(
  source: Source,
  options: ScanOptions,
): Promise<ScanReport> {
  const opened = await openSource(source, { asIs: true });
  try {
    const report = await scanPickle(
      ReadableStream.from(opened.chunks),
      options,
    );
    await opened.unchanged();
    return report;
  } finally {
    opened.close();
  }
}

async function write(sink: Sink, text: string): Promise<void> {
  await sink.write(new TextEncoder().encode(text));
}

function uriOf(path: string): string {
  return path.replaceAll("\\", "/").split("/").map(encodeURIComponent)
    .join("/");
}

/** How many findings are printed for people; `--json` has them all. */
const SHOWN = 100;
const COLOURS = {
  safe: "green",
  unknown: "yellow",
  dangerous: "red",
  malformed: "red",
} as const;
const ORDER = { dangerous: 0, malformed: 1, unknown: 2, safe: 3 };

function describe(
  source: Source,
  report: ScanReport,
  colour: boolean,
): string {
  const { verdict, findings, issues } = report;
  const lines = [
    ...findings.map((finding) => ({
      ...finding,
      text: `${finding.module}.${finding.name}`,
      more: `${finding.use}${finding.reason && ", "}${finding.reason}`,
    })),
    ...issues.map((issue) => ({ ...issue, text: issue.message, more: "" })),
  ].toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  let text = `${printable(source.name)}: ` +
    paint(verdict, colour && COLOURS[verdict]) + `, ${MEANING[verdict]}\n`;
  for (const line of lines.slice(0, SHOWN)) {
    const where = line.path === "" ? "" : ` of ${line.path}`;
    text += `  ${line.verdict.padEnd(9)}  ${
      printable(shorten(line.text, 120))
    }${line.more && ": "}${printable(line.more)} (byte ${line.offset}${
      printable(where)
    })\n`;
  }
  if (lines.length > SHOWN) {
    text += `  and ${
      plural(lines.length - SHOWN, "more line")
    }; --json has all\n`;
  }
  return text;
}
