/**
 * `brine convert`: pickle, JSON and JSON Lines, any to any.
 *
 * @module
 */

import { type Arguments, type Command, UsageError } from "./command.ts";
import type { Conversion } from "./conversion.ts";
import { type Format, formatOfName, FORMATS } from "./formats.ts";
import { findSources, type Source, STDIN } from "./input.ts";
import { type Job, runJobs } from "./jobs.ts";
import { LIMIT, readLimits } from "./limits.ts";
import { plural, printable } from "./text.ts";

/** Converts files. */
export const convert: Command = {
  name: "convert",
  summary: "Turn a pickle into JSON, or JSON into a pickle",
  usage: "[OPTIONS] [FILE...] [-o FILE | --out-dir FOLDER]",
  details:
    "The formats are pickle, json (one JSON text) and jsonl (JSON Lines: one JSON text a line). They follow from the names of the files and from how the input begins; without a name for the output a pickle becomes JSON and JSON becomes a pickle. Gzip is undone wherever it is met, and an output name that ends in .gz is compressed.\n\nAn output file appears when it is complete, or not at all.",
  options: [
    {
      name: "output",
      short: "o",
      value: "FILE",
      help: "Write to FILE; - or none is standard output",
    },
    {
      name: "out-dir",
      value: "FOLDER",
      help: "Convert each input into a file of FOLDER, named after it",
    },
    {
      name: "from",
      short: "f",
      value: "FORMAT",
      choices: FORMATS,
      help: "What the input is: pickle, json or jsonl",
    },
    {
      name: "to",
      short: "t",
      value: "FORMAT",
      choices: FORMATS,
      help: "What to write: pickle, json or jsonl",
    },
    {
      name: "indent",
      value: "N",
      help: "Break JSON into lines, indented by N blanks; tab for tabs",
    },
    { name: "compact", help: "Leave out all blanks in JSON" },
    { name: "sort-keys", help: "Sort the keys of JSON objects" },
    {
      name: "ensure-ascii",
      on: true,
      help:
        "Write JSON in ASCII, with \\u escapes for the rest, as Python does (the default)",
    },
    {
      name: "types",
      value: "HOW",
      choices: ["plain", "strict", "tagged"],
      help:
        "What becomes of values that JSON lacks. plain: the nearest JSON, such as a date's ISO text (the default); strict: an error; tagged: JSON that turns back into the very same pickle",
    },
    {
      name: "items",
      help:
        "Between a list and lines: each element of one big list is a line, each line an element",
    },
    {
      name: "protocol",
      short: "p",
      value: "N",
      help:
        "Pickle protocol to write, 0 to 5 (4: Python 3.4 and later; 2: Python 2 too)",
    },
    {
      name: "encoding",
      value: "NAME",
      choices: ["ascii", "latin1", "utf-8", "bytes"],
      help:
        "How strings of Python 2 are read; by default as text where they are UTF-8, else as bytes",
    },
    {
      name: "keep-memo",
      help: "The input's pickles come from one Pickler object",
    },
    {
      name: "allow",
      value: "NAME",
      many: true,
      help:
        "With --types tagged to a pickle: a class or function that the pickle may name, such as datetime.date; datetime.* for all of a module, * for all if you trust the JSON",
    },
    LIMIT,
    {
      name: "gzip",
      help: "Compress the output, whatever its name",
    },
    {
      name: "jobs",
      short: "j",
      value: "N",
      help: "With several files: how many are converted at once",
    },
  ],
  examples: [
    ["brine convert data.pkl", "Print a pickle as JSON"],
    ["brine convert data.pkl -o data.json --indent 2", "Into a file, readable"],
    ["brine convert data.json -o data.pkl", "A pickle for Python"],
    [
      "brine convert rows.pkl.gz -o rows.jsonl.gz --items",
      "One line for each row of a list",
    ],
    ["brine convert '2026-*/*.pkl' --out-dir json", "Many files"],
    ["redis-cli --raw get key | brine convert", "From a pipe"],
  ],
  async run(args): Promise<number> {
    const conversion = readConversion(args);
    const sources = await findSources(
      args.operands.length === 0 ? ["-"] : args.operands,
    );
    const output = args.value("output");
    const folder = args.value("out-dir");
    const jobs = args.integer("jobs", { min: 1, max: 256 }) ??
      Math.min(8, navigator.hardwareConcurrency);
    if (folder !== undefined) {
      if (output !== undefined) {
        throw new UsageError("--output or --out-dir, not both");
      }
      return await runJobs(inFolder(sources, folder, conversion), { jobs });
    }
    const [source = STDIN, ...more] = sources;
    if (more.length > 0) {
      throw new UsageError(
        `${plural(sources.length, "input")} need --out-dir FOLDER`,
      );
    }
    if (source === STDIN && args.operands.length === 0) {
      if (Deno.stdin.isTerminal()) {
        throw new UsageError("name a file to convert, or pipe one in");
      }
    }
    const job = { source, output, conversion: withOutput(conversion, output) };
    return await runJobs([job], { jobs: 1 });
  },
};

function readConversion(args: Arguments): Conversion {
  const indent = args.value("indent");
  if (indent !== undefined && args.flag("compact")) {
    throw new UsageError("--indent or --compact, not both");
  }
  const to = args.value("to") as Format | undefined;
  if (indent !== undefined && to === "jsonl") {
    throw new UsageError("JSON Lines cannot be indented: each text is a line");
  }
  const conversion: Conversion = {
    from: args.value("from") as Format | undefined,
    to,
    indent: indent === undefined ? undefined : readIndent(indent),
    compact: args.flag("compact"),
    sortKeys: args.flag("sort-keys"),
    ensureAscii: args.flag("ensure-ascii"),
    types: (args.value("types") ?? "plain") as Conversion["types"],
    items: args.flag("items"),
    protocol: args.integer("protocol", { min: 0, max: 5 }),
    encoding: args.value("encoding") as Conversion["encoding"],
    keepMemo: args.flag("keep-memo"),
    allow: args.values("allow"),
    limits: readLimits(args.values("limit")),
    gzip: args.flag("gzip"),
  };
  return conversion;
}

function readIndent(text: string): number | string {
  if (text === "tab") return "\t";
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new UsageError("--indent is a number of blanks, or tab");
}

/** What the output's name says, where nothing else was said. */
function withOutput(
  conversion: Conversion,
  output: string | undefined,
): Conversion {
  if (output === undefined || output === "-") return conversion;
  const { format, gzip } = formatOfName(output);
  const to = conversion.to ?? format;
  if (to === "jsonl" && conversion.indent !== undefined) {
    throw new UsageError("JSON Lines cannot be indented: each text is a line");
  }
  return { ...conversion, to, gzip: conversion.gzip || gzip };
}

const ENDINGS = { pickle: ".pkl", json: ".json", jsonl: ".jsonl" };

/** A job for each input, no two with the same output. */
function inFolder(
  sources: readonly Source[],
  folder: string,
  conversion: Conversion,
): Job[] {
  const outputs = new Map<string, string>();
  return sources.map((source) => {
    // Formats of outputs must be known before anything is read.
    const named = formatOfName(source.relative);
    const from = conversion.from ?? named.format ?? "pickle";
    const to = conversion.to ?? (from === "pickle" ? "json" : "pickle");
    const parent = source.relative.replace(/[^/\\]*$/, "");
    const output = `${folder.replace(/[/\\]+$/, "")}/${parent}${named.stem}` +
      ENDINGS[to] + (conversion.gzip ? ".gz" : "");
    const other = outputs.get(output);
    if (other !== undefined) {
      throw new UsageError(
        `${printable(other)} and ${printable(source.name)} would both become ${
          printable(output)
        }; convert them one by one`,
      );
    }
    outputs.set(output, source.name);
    return { source, output, conversion: { ...conversion, to }, folder: true };
  });
}
