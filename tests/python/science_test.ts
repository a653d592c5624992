import { assert, assertEquals } from "@std/assert";
import { dumps } from "../../lib/json/mod.ts";
import { openPickle } from "../../lib/pickle/mod.ts";
import type { Node } from "../support/fixtures.ts";
import { Comparison, missingFrom } from "../support/science.ts";

interface Entry {
  file: string;
  kind: string;
  desc: number;
  loaded?: number;
  buffers?: { file: string }[];
}

const ROOT = new URL("../../../shared/corpus/science/", import.meta.url);

function read(name: string): Promise<Uint8Array> {
  return Deno.readFile(new URL(name, ROOT));
}

function exists(): boolean {
  try {
    return Deno.statSync(new URL("index.json", ROOT)).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name: "openPickle reads the sample of real scientific files",
  ignore: !exists(),
  fn: async (t) => {
    const index = JSON.parse(
      new TextDecoder().decode(await read("index.json")),
    );
    const descs = index.descs as Node[];
    const entries = index.entries as Entry[];
    const failed: string[] = [];
    const differs: string[] = [];
    const plainless: string[] = [];
    for (const entry of entries) {
      let value: unknown;
      try {
        const buffers = await Promise.all(
          (entry.buffers ?? []).map(({ file }) => read(file)),
        );
        ({ value } = await openPickle(await read(entry.file), {
          floats: "exact",
          ...(buffers.length > 0 ? { buffers } : {}),
        }));
      } catch (error) {
        failed.push(`${entry.file}: ${error}`);
        continue;
      }
      const bare = entry.kind === "torch data.pkl";
      // What Python makes of the file may be something else than was saved.
      const nodes = [entry.desc, entry.loaded ?? entry.desc]
        .map((i) => descs[i]!);
      const found = nodes.map((node) => {
        const comparison = new Comparison({ bare });
        comparison.check(node, value);
        return comparison.differences;
      });
      if (!found.some((differences) => differences.length === 0)) {
        differs.push(`${entry.file}: ${found[0]!.slice(0, 3).join("; ")}`);
      }
      if (bare) continue;
      try {
        const text = dumps(value, { types: "plain", ensureAscii: false });
        const missing = missingFrom(nodes[0]!, text);
        if (missing.length > 0) {
          plainless.push(`${entry.file}: ${missing.slice(0, 5).join(" ")}`);
        }
      } catch (error) {
        plainless.push(`${entry.file}: ${error}`);
      }
    }
    await t.step("the comparison can fail", async () => {
      const told = [0, 1, 3, 19, 24, 27, 35, 42, 47, 48, 52, 65, 85];
      for (const [i, entry] of told.entries()) {
        const { file } = entries.find(({ desc }) => desc === entry)!;
        const { value } = await openPickle(await read(file));
        const comparison = new Comparison();
        comparison.check(descs[told[(i + 1) % told.length]!]!, value);
        assert(comparison.differences.length > 0, file);
      }
    });
    const share = (count: number) => 1 - count / entries.length;
    await t.step(`every file opens`, () => {
      assertEquals(failed, []);
    });
    await t.step(
      `${(share(differs.length) * 100).toFixed(1)} % decode fully`,
      () => {
        if (differs.length > 0) console.log(differs.join("\n"));
        assert(share(differs.length) >= 0.95);
      },
    );
    await t.step(
      `${(share(plainless.length) * 100).toFixed(1)} % are whole in plain JSON`,
      () => {
        if (plainless.length > 0) console.log(plainless.join("\n"));
        assert(share(plainless.length) >= 0.95);
      },
    );
  },
});
