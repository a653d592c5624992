/**
 * `brine version`.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { print } from "./output.ts";
import { VERSION } from "./version.ts";

/** Prints the version. */
export const version: Command = {
  name: "version",
  summary: "Print the version",
  usage: "",
  options: [],
  examples: [],
  async run(): Promise<number> {
    await print(`brine ${VERSION}\n`);
    return 0;
  },
};
