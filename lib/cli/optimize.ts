/**
 * `brine optimize`: as `pickletools.optimize`.
 *
 * @module
 */

import { optimize as optimizePickle } from "../pickle/optimize.ts";
import { type Command, UsageError } from "./command.ts";
import { about } from "./errors.ts";
import { formatOfName } from "./formats.ts";
import { findSources, openSource, readAll, STDIN } from "./input.ts";
import { openSink } from "./output.ts";
import { pickleEnd } from "./pickle_end.ts";

/** Makes pickles smaller. */
export const optimize: Command = {
  name: "optimize",
  summary: "Make a pickle smaller without changing what it holds",
  usage: "[FILE] [-o FILE]",
  details:
    "Leaves out what the pickle notes down and never looks up again, as Python's pickletools.optimize, for each pickle of the file. The output may be the input file itself.",
  options: [
    {
      name: "output",
      short: "o",
      value: "FILE",
      help: "Write to FILE instead of standard output; .gz compresses",
    },
  ],
  examples: [
    ["brine optimize data.pkl -o small.pkl", "Into another file"],
    ["brine optimize data.pkl -o data.pkl", "In its place"],
  ],
  async run(args): Promise<number> {
    if (args.operands.length > 1) {
      throw new UsageError("name one file");
    }
    const [source = STDIN] = await findSources(args.operands);
    const output = args.value("output");
    if ((output ?? "-") === "-" && Deno.stdout.isTerminal()) {
      throw new UsageError(
        "a pickle is no text for a terminal; name a file with -o",
      );
    }
    const parts = await about(source.name, async () => {
      const bytes = await readAll(await openSource(source));
      const parts: Uint8Array[] = [];
      let start = 0;
      do {
        const pickle = bytes.subarray(start);
        const end = pickleEnd(pickle);
        parts.push(optimizePickle(pickle.subarray(0, end)));
        start += end;
      } while (start < bytes.length);
      return parts;
    });
    const sink = await openSink(output, {
      gzip: output !== undefined && formatOfName(output).gzip,
    });
    try {
      for (const part of parts) await sink.write(part);
      await sink.commit();
    } catch (error) {
      await sink.discard();
      throw error;
    }
    return 0;
  },
};
