/**
 * The command line tool `brine`, as a function.
 *
 * ```sh
 * brine convert data.pkl -o data.json
 * ```
 *
 * @example Run a command
 * ```ts ignore
 * import { main } from "@brine/brine/cli";
 *
 * Deno.exit(await main(Deno.args));
 * ```
 *
 * @module
 */

import { Arguments, commandHelp, UsageError } from "./command.ts";
import { COMMANDS, findCommand } from "./commands.ts";
import { complain, explain, isClosedPipe } from "./errors.ts";
import { overview } from "./help.ts";
import { print } from "./output.ts";
import { columns } from "./progress.ts";
import { nearest, printable } from "./text.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the command line tool.
 *
 * @param args The arguments, such as `["convert", "data.pkl"]`
 * @returns The exit status: 0 done, 1 bad input or a dangerous pickle, 2 a
 * command line that makes no sense
 *
 * @example Convert a file
 * ```ts ignore
 * import { main } from "@brine/brine/cli";
 *
 * await main(["convert", "data.pkl", "-o", "data.json"]);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  try {
    switch (name) {
      case undefined:
        complain(overview({ width: columns() }).trimEnd());
        return 2;
      case "-h":
      case "--help":
        await print(overview({ width: columns() }));
        return 0;
      case "-V":
      case "--version":
        await print(`brine ${VERSION}\n`);
        return 0;
    }
    const command = findCommand(name);
    if (command === undefined) throw unknownCommand(name);
    const parsed = new Arguments(command, rest);
    if (parsed.flag("help")) {
      await print(commandHelp(command, { width: columns() }));
      return 0;
    }
    return await command.run(parsed);
  } catch (error) {
    if (isClosedPipe(error)) return 0;
    const prefix = findCommand(name ?? "") === undefined
      ? "brine"
      : `brine ${name}`;
    if (error instanceof UsageError) {
      const help = prefix === "brine" ? "brine help" : `brine help ${name}`;
      complain(`${prefix}: ${error.message}\nTry '${help}'.`);
      return 2;
    }
    complain(`${prefix}: ${explain(error)}`);
    return 1;
  }
}

function unknownCommand(name: string): UsageError {
  const shown = printable(name);
  if (/[./\\]/.test(name)) {
    return new UsageError(
      `${shown} is not a command; did you mean brine convert ${shown}?`,
    );
  }
  const near = nearest(name, COMMANDS.map((command) => command.name));
  return new UsageError(
    `there is no command ${shown}` +
      (near === undefined ? "" : `; did you mean brine ${near}?`),
  );
}

// `deno install -g -n brine jsr:@brine/brine/cli` runs this module.
if (import.meta.main) Deno.exit(await main(Deno.args));
