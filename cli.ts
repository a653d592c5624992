/**
 * The command line tool: `deno run -RW cli.ts convert data.pkl`.
 *
 * @module
 */
import { main } from "./lib/cli/mod.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
