/**
 * `brine dis`: as `python -m pickletools`.
 *
 * @module
 */

import { disMemo, type DisOptions, disParts } from "../pickle/dis.ts";
import { UnpicklingError } from "../pickle/errors.ts";
import { LimitError } from "../python/limits.ts";
import { type Command, UsageError } from "./command.ts";
import { about, complain, FileError } from "./errors.ts";
import { findSources, openSource, readAll } from "./input.ts";
import { LIMIT, readLimits } from "./limits.ts";
import { openSink, type Sink } from "./output.ts";
import { pickleEnd } from "./pickle_end.ts";
import { plural, printable } from "./text.ts";

/** How much text is written at a time, in UTF-16 units. */
const CHUNK = 65_536;

/** Prints the instructions of pickles. */
export const dis: Command = {
  name: "dis",
  summary: "Print the instructions of a pickle, as python -m pickletools",
  usage: "[OPTIONS] FILE...",
  details:
    "A pickle is a small program. This prints it, one instruction a line, and runs none. The output is that of python -m pickletools, which stops after the first pickle of a file; --all goes on.",
  options: [
    {
      name: "output",
      short: "o",
      value: "FILE",
      help: "Write to FILE instead of standard output",
    },
    {
      name: "annotate",
      short: "a",
      help: "Say beside each instruction what it does",
    },
    {
      name: "memo",
      short: "m",
      help: "Keep the memo from one pickle to the next",
    },
    {
      name: "indentlevel",
      short: "l",
      value: "N",
      help: "How many blanks each level is indented by (4)",
    },
    {
      name: "preamble",
      short: "p",
      value: "TEXT",
      help:
        "With several files: the line before each, with {name} for its name (==> {name} <==)",
    },
    { name: "all", help: "Print every pickle of a file, not only the first" },
    LIMIT,
  ],
  examples: [
    ["brine dis data.pkl", "What is in this pickle?"],
    ["brine dis -a data.pkl", "With explanations"],
  ],
  async run(args): Promise<number> {
    if (args.operands.length === 0) {
      throw new UsageError("name a file; - is standard input");
    }
    const sources = await findSources(args.operands);
    const annotate = args.flag("annotate") ? 30 : 0;
    const indentLevel = args.integer("indentlevel", { min: 0, max: 100 }) ?? 4;
    const shared = args.flag("memo") ? { memo: disMemo() } : {};
    const limits = readLimits(args.values("limit"));
    const preamble = args.value("preamble") ?? "==> {name} <==";
    const sink = await openSink(args.value("output"));
    const encoder = new TextEncoder();
    try {
      for (const source of sources) {
        const bytes = await about(
          source.name,
          async () => readAll(await openSource(source)),
        );
        if (sources.length > 1) {
          const name = source.path ?? "<stdin>";
          await sink.write(
            encoder.encode(
              preamble.replaceAll("{name}", () => printable(name)) + "\n",
            ),
          );
        }
        let start = 0;
        do {
          const pickle = bytes.subarray(start);
          try {
            await print(pickle, {
              sink,
              annotate,
              indentLevel,
              limits,
              ...shared,
            });
          } catch (error) {
            if (
              error instanceof UnpicklingError || error instanceof LimitError
            ) throw new FileError(source.name, error);
            throw error;
          }
          start += pickleEnd(pickle);
        } while (args.flag("all") && start < bytes.length);
        if (start < bytes.length) {
          complain(
            `brine dis: ${printable(source.name)}: ${
              plural(bytes.length - start, "more byte")
            } after the first pickle; --all prints them too`,
          );
        }
      }
      await sink.commit();
    } catch (error) {
      await sink.discard();
      throw error;
    }
    return 0;
  },
};

/** Writes the text as it is made; of a damaged pickle, that up to the damage. */
async function print(
  bytes: Uint8Array,
  { sink, ...options }: DisOptions & { sink: Sink },
): Promise<void> {
  const encoder = new TextEncoder();
  let text = "";
  try {
    for (const part of disParts(bytes, options)) {
      text += part;
      if (text.length < CHUNK) continue;
      await sink.write(encoder.encode(text));
      text = "";
    }
  } finally {
    await sink.write(encoder.encode(text));
  }
}
