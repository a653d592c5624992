/**
 * All the commands.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { completions } from "./completions.ts";
import { convert } from "./convert.ts";
import { dis } from "./dis.ts";
import { help } from "./help.ts";
import { optimize } from "./optimize.ts";
import { scan } from "./scan.ts";
import { show } from "./show.ts";
import { version } from "./version_command.ts";

/** The commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  convert,
  show,
  scan,
  dis,
  optimize,
  completions,
  help,
  version,
];

/**
 * Finds a command.
 *
 * @param name Its name.
 * @returns The command, or undefined.
 */
export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
