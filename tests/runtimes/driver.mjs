// Runs one of the suites in Node, Bun and Deno alike:
//   driver.mjs SUITE.js FIXTURES '{"share": 1}'
// and prints what came of it as the last line.
import { readdirSync, readFileSync, statSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [bundle, folder, options = "{}"] = process.argv.slice(2);

const files = {};
function take(path) {
  for (const name of readdirSync(`${folder}/${path}`)) {
    const inner = path === "" ? name : `${path}/${name}`;
    if (statSync(`${folder}/${inner}`).isDirectory()) take(inner);
    else if (/\.(gz|json)$/.test(name)) {
      files[inner] = Uint8Array.from(readFileSync(`${folder}/${inner}`));
    }
  }
}
take("");

const { suite } = await import(pathToFileURL(bundle).href);
const outcome = await suite(files, JSON.parse(options));
process.stdout.write(`${JSON.stringify(outcome)}\n`);
process.exit(0);
