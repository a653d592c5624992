/**
 * `brine help`.
 *
 * @module
 */

import {
  type Command,
  commandHelp,
  examplesHelp,
  table,
  UsageError,
} from "./command.ts";
import { COMMANDS, findCommand } from "./commands.ts";
import { print } from "./output.ts";
import { columns } from "./progress.ts";
import { printable, wrap } from "./text.ts";

/** Prints help. */
export const help: Command = {
  name: "help",
  summary: "Print help, for brine or for one of its commands",
  usage: "[COMMAND]",
  options: [],
  examples: [["brine help convert", "All about brine convert"]],
  async run(args): Promise<number> {
    const [name] = args.operands;
    const width = columns();
    if (name === undefined) {
      await print(overview({ width }));
      return 0;
    }
    const command = findCommand(name);
    if (command === undefined) {
      throw new UsageError(`there is no command ${printable(name)}`);
    }
    await print(commandHelp(command, { width }));
    return 0;
  },
};

/**
 * The help of `brine` itself.
 *
 * @param options How wide it may be.
 * @returns Lines of text.
 */
export function overview(options: { width: number }): string {
  return wrap(
    "Brine opens files that Python's pickle wrote, turns them into JSON and back, and never runs what is in them.",
    options,
  ) +
    "\n\nUsage: brine COMMAND [OPTIONS] [FILE...]\n\nCommands:\n" +
    table(
      COMMANDS.map((command) => [command.name, command.summary]),
      options,
    ) +
    "\nExamples:\n" +
    examplesHelp([
      ["brine convert data.pkl", "Print a pickle as JSON"],
      ["brine convert data.pkl -o data.json", "The same, into a file"],
      ["brine convert data.json -o data.pkl", "And the way back"],
      ["brine scan model.pkl", "Is it safe to load in Python?"],
    ]) +
    "\n" +
    wrap(
      "brine help COMMAND says more. A file named - is standard input or output.\nExit status: 0 done, 1 bad input or a dangerous pickle, 2 wrong usage.",
      options,
    ) + "\n";
}
