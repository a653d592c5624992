/**
 * `brine show`: what is in a file, at a glance.
 *
 * @module
 */

import { JsonDecoderStream } from "../json/mod.ts";
import { PickleDecoderStream } from "../pickle/decoder_stream.ts";
import { openPickle } from "../pickle/open.ts";
import type { Limits } from "../python/limits.ts";
import {
  outline,
  partsOf,
  sampleOf,
  type Table,
  tableOf,
} from "../serve/outline.ts";
import { isContainer, sniff } from "../serve/sniff.ts";
import { type Command, UsageError } from "./command.ts";
import { about, complain, explain, isClosedPipe } from "./errors.ts";
import { formatOfName } from "./formats.ts";
import {
  findSources,
  type Opened,
  openSource,
  readAll,
  type Source,
  withoutLastLineEnds,
} from "./input.ts";
import { LIMIT, readLimits } from "./limits.ts";
import { print } from "./output.ts";
import { columns } from "./progress.ts";
import { type Colour, paint } from "./style.ts";
import { plural, printable, shorten, size } from "./text.ts";

/** How many values of a file of several pickles are shown. */
const VALUES = 10;

/** How much is shown of a value. */
interface Bounds {
  depth: number;
  parts: number;
  lines: number;
}

/** Shows what is in files. */
export const show: Command = {
  name: "show",
  summary: "Show what is in a file, as a tree",
  usage: "[OPTIONS] FILE...",
  details:
    "Prints types, sizes and the first items at each level, never more than fits on some screens, however large the file is. Objects of any class are shown by their attributes; nothing is run.",
  options: [
    {
      name: "depth",
      short: "d",
      value: "N",
      help: "How many levels are shown (4)",
    },
    {
      name: "items",
      short: "n",
      value: "N",
      help: "How many parts of each value are shown (12)",
    },
    {
      name: "lines",
      value: "N",
      help: "How many lines are printed for a value at most (200)",
    },
    { name: "json", help: "Print JSON, an object a file, one a line" },
    {
      name: "colour",
      on: true,
      help: "Use colours on a terminal (the default; NO_COLOR turns them off)",
    },
    {
      name: "encoding",
      value: "NAME",
      choices: ["ascii", "latin1", "utf-8", "bytes"],
      help: "How strings of Python 2 are read",
    },
    {
      name: "keep-memo",
      help: "The file's pickles come from one Pickler object",
    },
    LIMIT,
  ],
  examples: [
    ["brine show model.pkl", "What is this?"],
    ["brine show -d 8 -n 50 data.pkl", "More of it"],
    ["brine show --json data.pkl", "For a program"],
  ],
  async run(args): Promise<number> {
    if (args.operands.length === 0) {
      throw new UsageError("name a file; - is standard input");
    }
    const sources = await findSources(args.operands);
    const most = { min: 0, max: 1_000_000 };
    const bounds = {
      depth: args.integer("depth", { min: 0, max: 100 }) ?? 4,
      parts: args.integer("items", most) ?? 12,
      lines: args.integer("lines", most) ?? 200,
    };
    const colour = args.flag("colour") && Deno.stdout.isTerminal() &&
      !Deno.noColor;
    let status = 0;
    for (const [index, source] of sources.entries()) {
      const done = about(source.name, async () => {
        const opened = await openSource(source);
        try {
          const facts = fileFacts(source, opened);
          const { values, more } = await readSome(opened, facts, {
            encoding: args.value("encoding") as "ascii" | undefined,
            keepMemo: args.flag("keep-memo"),
            limits: readLimits(args.values("limit")),
          });
          if (args.flag("json")) {
            const described = values.map((value) =>
              describe(value, { bounds, seen: new Map(), path: "$", level: 0 })
            );
            const rest = more ? { more } : {};
            await print(
              JSON.stringify({ ...facts, values: described, ...rest }) + "\n",
            );
            return;
          }
          if (index > 0) await print("\n");
          await print(heading(facts, colour));
          for (const value of values) {
            await print(tree(value, bounds, { colour, width: columns() }));
          }
          if (more) await print("… and more values after these\n");
        } finally {
          opened.close();
        }
      });
      try {
        await done;
      } catch (error) {
        if (sources.length === 1 || isClosedPipe(error)) throw error;
        complain(`brine show: ${explain(error)}`);
        status = 1;
      }
    }
    return status;
  },
};

/** What is known of a file before it is read. */
interface FileFacts {
  file: string;
  format: "pickle" | "json" | "jsonl";
  protocol?: number;
  /** What a container is, from within to outside. */
  within?: string[];
  gzip?: true;
  bytes?: number;
}

function fileFacts(source: Source, opened: Opened): FileFacts {
  const { head, gzip, size } = opened;
  const format = sniff(head) === "json"
    ? formatOfName(source.name).format === "jsonl" ? "jsonl" : "json"
    : "pickle";
  return {
    file: source.name,
    format,
    ...(format !== "pickle" || isContainer(head)
      ? {}
      : { protocol: head[0] === 0x80 ? head[1] ?? 0 : 0 }),
    ...(gzip ? { gzip } : {}),
    ...(size === undefined ? {} : { bytes: size }),
  };
}

async function readSome(
  opened: Opened,
  facts: FileFacts,
  options: {
    encoding: "ascii" | undefined;
    keepMemo: boolean;
    limits: Limits;
  },
): Promise<{ values: unknown[]; more: boolean }> {
  if (facts.format === "pickle" && isContainer(opened.head)) {
    const { value, format, compression } = await openPickle(
      await readAll(opened),
      {
        dicts: "map",
        floats: "exact",
        encoding: options.encoding,
        limits: options.limits,
      },
    );
    facts.within = [
      ...compression.toReversed(),
      ...format === "pickle" ? [] : [format],
    ];
    return { values: [value], more: false };
  }
  const bytes = ReadableStream.from(
    facts.format === "pickle"
      ? withoutLastLineEnds(opened.chunks)
      : opened.chunks,
  );
  const stream = facts.format === "pickle"
    ? bytes.pipeThrough(
      new PickleDecoderStream({ dicts: "map", floats: "exact", ...options }),
    )
    : bytes.pipeThrough(
      new JsonDecoderStream({
        dicts: "map",
        floats: "exact",
        limits: options.limits,
      }),
    );
  const values: unknown[] = [];
  for await (const value of stream) {
    if (values.length === VALUES) return { values, more: true };
    values.push(value);
  }
  return { values, more: false };
}

function heading(facts: FileFacts, colour: boolean): string {
  const { file, format, protocol, gzip, bytes } = facts;
  const kind = {
    pickle: facts.within === undefined
      ? `pickle, protocol ${protocol}`
      : facts.within.join(" in "),
    json: "JSON",
    jsonl: "JSON Lines",
  }[format];
  return paint(printable(file), colour && "bold") + `  ${kind}` +
    (gzip ? ", in gzip" : "") +
    (bytes === undefined ? "" : `, ${size(bytes)}`) + "\n";
}

/** A value and what is in it, line by line. */
function tree(
  root: unknown,
  bounds: Bounds,
  look: { colour: boolean; width: number },
): string {
  const { colour, width } = look;
  const seen = new Map<object, string>();
  const lines: string[] = [];

  // Bounded by `depth`, so that recursion is.
  function visit(
    value: unknown,
    place: { label: string; path: string; first: string; next: string },
    level: number,
  ): void {
    const { label, path, first, next } = place;
    if (lines.length >= bounds.lines) return;
    const { type, text, count } = outline(value);
    const before = typeof value === "object" && value !== null
      ? seen.get(value)
      : undefined;
    const isWhole = count > 0;
    let line = label === "" ? "" : printable(shorten(label, 60)) + "  ";
    const room = Math.max(20, width - first.length - line.length);
    const facts = printable(type) + (isWhole ? ` (${count})` : "");
    if (isWhole && before !== undefined) {
      line += paint(`${facts}, the same as ${before}`, colour && "dim");
    } else {
      const shown = text === undefined
        ? ""
        : shorten(printable(text), Math.max(10, room - facts.length - 1));
      line += paint(facts, colour && "dim") +
        (shown === "" ? "" : " " + paint(shown, colour && tint(type)));
    }
    lines.push(first + line);
    if (!isWhole || before !== undefined) return;
    seen.set(value as object, path);
    const table = tableOf(value);
    if (table !== undefined) {
      for (const row of tableLines(table)) {
        lines.push(shorten(next + row, width));
      }
      return;
    }
    if (level >= bounds.depth) {
      const sample = printable(sampleOf(value) ?? "…");
      lines.push(
        next + shorten(`└─ ${sample}`, Math.max(20, width - next.length)),
      );
      return;
    }
    const parts = partsOf(value, { from: 0, to: bounds.parts });
    const hidden = count - parts.length;
    for (const [index, part] of parts.entries()) {
      const last = index === parts.length - 1 && hidden <= 0;
      visit(part.value, {
        label: part.label,
        path: `${path}[${printable(shorten(part.label, 40))}]`,
        first: next + (last ? "└─ " : "├─ "),
        next: next + (last ? "   " : "│  "),
      }, level + 1);
    }
    if (hidden > 0 && lines.length < bounds.lines) {
      lines.push(`${next}└─ … ${plural(hidden, "more")}`.replace(/s$/, ""));
    }
  }

  visit(root, { label: "", path: "the top", first: "", next: "" }, 0);
  if (lines.length >= bounds.lines) {
    lines.length = bounds.lines;
    lines.push("… (more lines with --lines)");
  }
  return lines.join("\n") + "\n";
}

/** A table in columns, numbers to the right. */
function tableLines({ header, rows }: Table): string[] {
  const all = (header === undefined ? rows : [header, ...rows]).map((row) =>
    row.map(printable)
  );
  const widths: number[] = [];
  for (const row of all) {
    for (const [at, text] of row.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, text.length);
    }
  }
  return all.map((row) =>
    row.map((text, at) =>
      header !== undefined && at === 0
        ? text.padEnd(widths[at]!)
        : text.padStart(widths[at]!)
    ).join("  ")
  );
}

function tint(type: string): Colour {
  switch (type) {
    case "str":
    case "bytes":
    case "bytearray":
      return "green";
    case "int":
    case "float":
    case "bool":
      return "yellow";
    default:
      return "cyan";
  }
}

/** A value as `--json` shows it. */
interface Description {
  type: string;
  text?: string;
  count?: number;
  parts?: { label: string; value: Description }[];
  table?: Table;
  sameAs?: string;
}

/** Recursion is bounded by `depth`. */
function describe(
  value: unknown,
  place: {
    bounds: Bounds;
    seen: Map<object, string>;
    path: string;
    level: number;
  },
): Description {
  const { bounds, seen, path, level } = place;
  const { type, text, count } = outline(value);
  const description: Description = { type };
  if (text !== undefined) description.text = text;
  if (count === 0) return description;
  description.count = count;
  const before = seen.get(value as object);
  if (before !== undefined) {
    description.sameAs = before;
    return description;
  }
  seen.set(value as object, path);
  const table = tableOf(value);
  if (table !== undefined) description.table = table;
  if (level >= bounds.depth) return description;
  description.parts = partsOf(value, { from: 0, to: bounds.parts }).map(
    (part) => ({
      label: part.label,
      value: describe(part.value, {
        bounds,
        seen,
        path: `${path}[${part.label}]`,
        level: level + 1,
      }),
    }),
  );
  return description;
}
