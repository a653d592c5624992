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
import { parseSize } from "./limits.ts";
import { paint } from "./style.ts";
import { plural, printable, shorten } from "./text.ts";

const MEANING = {
  safe: "nothing but data",
  unknown:
    "uses names that nobody vouches for; load it only if you trust where it comes from",
  dangerous: "do not load this in Python",
};

/** Says whether pickles are dangerous. */
export const scan: Command = {
  name: "scan",
  summary: "Say whether loading a file in Python would be dangerous",
  usage: "[OPTIONS] FILE|FOLDER...",
  details:
    "A pickle can make Python run any command. This looks at what a file would make Python import and call, and runs none of it. It looks inside zip, gzip, torch, joblib and npy files too, whatever they are called. Of a folder, it takes every file in it and below; those that are no pickles are left out.\n\nVerdicts: safe (nothing but known kinds of data), unknown (names that nobody vouches for), dangerous, malformed. The exit status is 1 where a file is dangerous or malformed or could not be looked through to its end, and with --strict where one has names that are unknown.",
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
    {
      name: "verbose",
      short: "v",
      help: "List names that are safe, too, and where each verdict is from",
    },
    { name: "quiet", short: "q", help: "Leave out files that are safe" },
    {
      name: "max-bytes",
      value: "SIZE",
      help: "Read and unpack no more than this of a file, such as 2G",
    },
  ],
  examples: [
    ["brine scan model.pkl", "Is this safe to load?"],
    ["brine scan --strict models", "Check all models in a folder, strictly"],
    ["brine scan --sarif models/*.pkl -o brine.sarif", "A report for CI"],
  ],
  async run(args): Promise<number> {
    if (args.operands.length === 0) {
      throw new UsageError("name a file; - is standard input");
    }
    if (args.flag("json") && args.flag("sarif")) {
      throw new UsageError("--json or --sarif, not both");
    }
    const options: ScanOptions = {
      allow: args.values("allow"),
      deny: args.values("deny"),
      ...readMaxBytes(args.value("max-bytes")),
    };
    const output = args.value("output");
    const sink = await openSink(output);
    const colour = (output ?? "-") === "-" && Deno.stdout.isTerminal() &&
      !Deno.noColor;
    const sarif: ScannedFile[] = [];
    const counts = { dangerous: 0, malformed: 0, unknown: 0, safe: 0 };
    let others = 0;
    let status = 0;
    function fail(file: string, error: unknown): void {
      if (isClosedPipe(error)) throw error;
      complain(`brine scan: ${explain(new FileError(file, error))}`);
      status = 1;
    }
    try {
      const sources = await findSources(args.operands);
      for await (const { source, found } of files(sources, fail)) {
        let scanned: Scanned;
        try {
          scanned = await scanSource(source, options);
        } catch (error) {
          fail(source.name, error);
          continue;
        }
        const { report } = scanned;
        if (found && isOther(source, scanned)) {
          others++;
          continue;
        }
        counts[report.verdict]++;
        if (isBad(report, args.flag("strict"))) status = 1;
        if (args.flag("quiet") && report.verdict === "safe") continue;
        if (args.flag("sarif")) {
          sarif.push({ uri: uriOf(source.name), report });
        } else if (args.flag("json")) {
          await write(
            sink,
            toJson({ file: source.name, ...report }) + "\n",
          );
        } else {
          const verbose = args.flag("verbose");
          await write(sink, describe(source, report, { colour, verbose }));
        }
      }
      if (args.flag("sarif")) {
        const log = toSarif(sarif);
        await write(sink, toJson(log, 2) + "\n");
      } else if (!args.flag("json")) {
        await write(sink, summary(counts, others));
      }
      await sink.commit();
    } catch (error) {
      await sink.discard();
      throw error;
    }
    return status;
  },
};

/** Whether a report makes the exit status 1. */
function isBad(report: ScanReport, strict: boolean): boolean {
  if (report.verdict !== "unknown") return report.verdict !== "safe";
  // What was not read is not merely unknown.
  return strict || report.issues.length > 0;
}

/** Files that are read as pickles, whatever is in them. */
const PICKLE_NAMES = /\.(?:pkl|pickle|pck|pcl|p|joblib|pt|pth|ckpt|npy|npz)$/i;

/**
 * Whether a file is no pickle and nobody meant it to be one: Python would give
 * up on it before it reached a name.
 */
function isOther({ name }: Source, { report, head }: Scanned): boolean {
  const { findings, issues } = report;
  return report.verdict !== "safe" && findings.length === 0 &&
    !PICKLE_NAMES.test(name) && head[0] !== 0x80 &&
    issues.every(({ code, verdict }) =>
      verdict === "malformed" || code === "not-a-pickle"
    );
}

/** The files of folders as well; links to folders are not followed. */
async function* files(
  sources: readonly Source[],
  fail: (file: string, error: unknown) => void,
): AsyncGenerator<{ source: Source; found: boolean }, void> {
  for (const source of sources) {
    const { path } = source;
    let isFolder = false;
    try {
      isFolder = path !== undefined && (await Deno.stat(path)).isDirectory;
    } catch {
      // Told when it is opened.
    }
    if (path === undefined || !isFolder) {
      yield { source, found: false };
      continue;
    }
    const folders = [path];
    for (let folder; (folder = folders.pop()) !== undefined;) {
      const entries: Deno.DirEntry[] = [];
      try {
        for await (const entry of Deno.readDir(folder)) entries.push(entry);
      } catch (error) {
        fail(folder, error);
        continue;
      }
      entries.sort((a, b) => a.name < b.name ? -1 : 1);
      const inner: string[] = [];
      for (const { name, isDirectory, isFile, isSymlink } of entries) {
        const at = `${folder.replace(/[/\\]+$/, "")}/${name}`;
        if (isDirectory) inner.push(at);
        else if (isFile || isSymlink && await isFileBehind(at)) {
          yield { source: { name: at, path: at, relative: name }, found: true };
        }
      }
      folders.push(...inner.reverse());
    }
  }
}

async function isFileBehind(link: string): Promise<boolean> {
  try {
    return (await Deno.stat(link)).isFile;
  } catch {
    return false;
  }
}

function readMaxBytes(text: string | undefined): { maxBytes?: number } {
  if (text === undefined) return {};
  const maxBytes = parseSize(text);
  if (maxBytes === undefined) {
    throw new UsageError("--max-bytes takes a number, such as 1000 or 64M");
  }
  return { maxBytes };
}

function summary(
  counts: Record<ScanReport["verdict"], number>,
  others: number,
): string {
  const total = counts.dangerous + counts.malformed + counts.unknown +
    counts.safe;
  if (total + others < 2) return "";
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count.toLocaleString("en-US")} ${verdict}`);
  const rest = others === 0
    ? ""
    : `; ${plural(others, "other file")} ${
      others === 1 ? "is" : "are"
    } no pickle${others === 1 ? "" : "s"}`;
  return `${plural(total, "file")}${parts.length > 0 ? ": " : ""}${
    parts.join(", ")
  }${rest}\n`;
}

interface Scanned {
  report: ScanReport;
  /** The first bytes of the file. */
  head: Uint8Array;
}

async function scanSource(
  source: Source,
  options: ScanOptions,
): Promise<Scanned> {
  const opened = await openSource(source, { asIs: true });
  try {
    const report = await scanPickle(
      ReadableStream.from(opened.chunks),
      options,
    );
    await opened.unchanged();
    return { report, head: opened.head };
  } finally {
    opened.close();
  }
}

async function write(sink: Sink, text: string): Promise<void> {
  await sink.write(new TextEncoder().encode(text));
}

/** JSON without characters that a terminal obeys. */
function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu,
    (text) => {
      let escaped = "";
      for (let i = 0; i < text.length; i++) {
        escaped += `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`;
      }
      return escaped;
    },
  );
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
  { colour, verbose }: { colour: boolean; verbose: boolean },
): string {
  const { verdict, findings, issues } = report;
  const lines = [
    ...findings.map((finding) => ({
      ...finding,
      text: `${finding.module}.${finding.name}`,
      more: `${finding.use}${finding.reason && ", "}${finding.reason}${
        verbose && finding.source !== "" ? ` [${finding.source}]` : ""
      }`,
    })),
    ...issues.map((issue) => ({ ...issue, text: issue.message, more: "" })),
  ].filter(({ verdict }) => verbose || verdict !== "safe")
    .toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  let text = `${printable(source.name)}: ` +
    paint(verdict, colour && COLOURS[verdict]) + `, ${meaning(report)}\n`;
  for (const line of lines.slice(0, SHOWN)) {
    text += `  ${line.verdict.padEnd(9)}  ${
      printable(shorten(line.text, 120))
    }${line.more && ": "}${printable(line.more)} (byte ${line.offset}${
      printable(where(line.path))
    })\n`;
  }
  if (lines.length > SHOWN) {
    text += `  and ${
      plural(lines.length - SHOWN, "more line")
    }; --json has all\n`;
  }
  return text;
}

function meaning({ verdict, findings, issues }: ScanReport): string {
  const [first] = issues;
  switch (verdict) {
    case "unknown":
      return findings.some(({ verdict }) => verdict === "unknown")
        ? MEANING.unknown
        : first?.code === "not-a-pickle"
        ? "there is no pickle in it"
        : "part of it could not be looked into";
    case "malformed":
      return findings.length === 0 && first?.offset === 0 && first.path === ""
        ? "no pickle"
        : "damaged; what stands before the damage is run all the same";
    default:
      return MEANING[verdict];
  }
}

/** Which part of a file, for people. */
function where(path: string): string {
  const value = /^@(\d+)$/.exec(path);
  if (value !== null) return ` of the value at byte ${value[1]}`;
  return path === "" ? "" : ` of ${shorten(path, 200)}`;
}
