import { dis } from "../../lib/pickle/dis.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { optimize } from "../../lib/pickle/optimize.ts";

/** What `tests/fixtures/dis/oracle.py` says of a pickle. */
export interface Examined {
  dis: string;
  noted: string;
  error: string | null;
  optimized: string | null;
}

/** What Brine says of a pickle. */
export function examine(bytes: Uint8Array): Examined {
  let plain = "";
  let noted = "";
  let error = null;
  let optimized = null;
  try {
    dis(bytes, { out: (part) => plain += part });
  } catch (failure) {
    if (!(failure instanceof UnpicklingError)) throw failure;
    error = failure.code;
  }
  try {
    dis(bytes, {
      annotate: 30,
      indentLevel: 2,
      out: (part) => noted += part,
    });
  } catch (failure) {
    if (!(failure instanceof UnpicklingError)) throw failure;
  }
  try {
    optimized = optimize(bytes).toHex();
  } catch (failure) {
    if (!(failure instanceof UnpicklingError)) throw failure;
  }
  return { dis: plain, noted, error, optimized };
}

/** The path of a live Python of a version. */
export async function findPython(version: string): Promise<string | undefined> {
  for (const path of (Deno.env.get("BRINE_PYTHONS") ?? "").split(":")) {
    if (path === "") continue;
    const { stdout, stderr } = await new Deno.Command(path, {
      args: ["--version"],
    }).output();
    const said = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    if (said.startsWith(`Python ${version}.`)) return path;
  }
  return undefined;
}

/** A text file of the fixtures, unpacked. */
export async function readGzip(name: string): Promise<string> {
  const file = await Deno.open(new URL(`../fixtures/${name}`, import.meta.url));
  return await new Response(
    file.readable.pipeThrough(new DecompressionStream("gzip")),
  ).text();
}

/** The JSON values of lines. */
export async function* readJsonLines<T>(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<T> {
  let rest: string[] = [];
  for await (const chunk of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = chunk.split("\n");
    rest.push(lines.shift()!);
    while (lines.length > 0) {
      yield JSON.parse(rest.join(""));
      rest = [lines.shift()!];
    }
  }
}

/** The pickles of a file of fixtures, by group and name. */
export async function disFixtures(
  name: string,
): Promise<Map<string, Uint8Array[]>> {
  const found = new Map<string, Uint8Array[]>();
  for (const line of (await readGzip(`${name}.jsonl.gz`)).trim().split("\n")) {
    const record = JSON.parse(line);
    const id = `${record.group}/${record.name}`;
    const pickles: Uint8Array[] = record.pickles.map(([base64]: [string]) =>
      Uint8Array.fromBase64(base64)
    );
    found.set(id, [...found.get(id) ?? [], ...pickles]);
  }
  return found;
}

/** The pickles beside the project, if they are there. */
export function sharedCorpus(): { name: string; bytes: Uint8Array }[] {
  const found: { name: string; bytes: Uint8Array }[] = [];
  const folders = [new URL("../../../shared/corpus/", import.meta.url)];
  for (let folder; (folder = folders.pop()) !== undefined;) {
    try {
      for (const entry of Deno.readDirSync(folder)) {
        if (entry.isDirectory) {
          folders.push(new URL(`${entry.name}/`, folder));
        } else if (!/\.(json|md)$/.test(entry.name)) {
          const url = new URL(encodeURIComponent(entry.name), folder);
          found.push({ name: url.pathname, bytes: Deno.readFileSync(url) });
        }
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}
