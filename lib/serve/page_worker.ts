/**
 * The worker of the page: the library in the browser. It is bundled into
 * `bundle.ts` by `deno task page`.
 *
 * @module
 */

import {
  dumps as dumpsJson,
  JsonDecoderStream,
  JsonEncoderStream,
} from "../json/mod.ts";
import { PickleDecoderStream } from "../pickle/decoder_stream.ts";
import { dis } from "../pickle/dis.ts";
import { openPickle } from "../pickle/open.ts";
import { scan } from "../pickle/scan.ts";
import { PickleToJsonStream } from "../transcode/pickle_to_json.ts";
import { outline, partsOf, sampleOf, type Table, tableOf } from "./outline.ts";
import { printable } from "./printable.ts";
import { isContainer, isGzip, sniff } from "./sniff.ts";

/** How many values of a file of several are shown. */
const VALUES = 1000;
/** How much of a text the page shows; all of it can be saved. */
const PREVIEW = 200_000;
/** How much text of instructions is made. */
const INSTRUCTIONS = 50_000_000;

interface Node {
  id: number;
  label?: string;
  type: string;
  text?: string;
  count: number;
  sample?: string;
  table?: Table;
}

interface Text {
  preview: string;
  blob: Blob;
}

let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
let isPickle = true;
let values: unknown[] = [];
const nodes = new Map<number, unknown>();

function nodeOf(value: unknown, label?: string): Node {
  const { type, text, count } = outline(value);
  const id = nodes.size;
  const table = tableOf(value);
  const sample = sampleOf(value);
  // A line of text needs no number to be found by.
  if (count > 0) nodes.set(id, value);
  return {
    id,
    ...(label === undefined ? {} : { label: printable(label) }),
    type: printable(type),
    ...(text === undefined ? {} : { text: printable(text) }),
    count,
    ...(sample === undefined ? {} : { sample: printable(sample) }),
    ...(table === undefined ? {} : { table: printableTable(table) }),
  };
}

function printableTable({ header, rows }: Table): Table {
  return {
    ...(header === undefined ? {} : { header: header.map(printable) }),
    rows: rows.map((row) => row.map(printable)),
  };
}

async function open({ file }: { file: File }): Promise<unknown> {
  bytes = new Uint8Array(await file.arrayBuffer());
  const facts: string[] = [];
  if (isGzip(bytes)) {
    const stream = new Blob([bytes]).stream().pipeThrough(
      new DecompressionStream("gzip"),
    );
    bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    facts.push("in gzip");
  }
  isPickle = sniff(bytes) !== "json";
  facts.unshift(
    isPickle ? `pickle, protocol ${bytes[0] === 0x80 ? bytes[1] : 0}` : "JSON",
  );
  facts.push(`${file.size.toLocaleString()} bytes`);
  values = [];
  nodes.clear();
  let problem: string | undefined;
  try {
    if (isPickle && isContainer(bytes)) {
      const { value, format, compression } = await openPickle(bytes, EXACT);
      facts.splice(0, 1, [...compression, format].reverse().join(" in "));
      values.push(value);
    } else {
      await readValues();
    }
  } catch (error) {
    problem = say(error);
  }
  if (values.length > 1) facts.push(`${values.length} values`);
  return {
    name: printable(file.name),
    facts: facts.join(", "),
    pickle: isPickle,
    problem,
    roots: values.map((value, index) =>
      nodeOf(value, values.length > 1 ? `value ${index + 1}` : undefined)
    ),
  };
}

const EXACT = { floats: "exact" } as const;

async function readValues(): Promise<void> {
  const reader = new Blob([bytes]).stream().pipeThrough(
    isPickle ? new PickleDecoderStream(EXACT) : new JsonDecoderStream(EXACT),
  ).getReader();
  while (values.length < VALUES) {
    const { done, value } = await reader.read();
    if (done) return;
    values.push(value);
  }
  await reader.cancel();
}

function parts(
  { id, from, to }: { id: number; from: number; to: number },
): Node[] {
  return partsOf(nodes.get(id), { from, to })
    .map(({ label, value }) => nodeOf(value, label));
}

async function judge(): Promise<unknown> {
  if (!isPickle) return undefined;
  const { verdict, findings, issues } = await scan(bytes);
  const troubles = issues.slice(0, 50).map(({ message, offset }) => ({
    text: printable(`${message} (byte ${offset})`),
  }));
  return {
    verdict,
    findings: findings.filter((finding) => finding.verdict !== "safe")
      .slice(0, 200).map((finding) => ({
        text: printable(
          `${finding.module}.${finding.name}, ${finding.use}: ${
            finding.reason || finding.verdict
          } (byte ${finding.offset})`,
        ),
      })).concat(troubles),
  };
}

/** From the bytes, not the values: it keeps all that the file says. */
async function toJson(
  { types }: { types: "plain" | "tagged" },
): Promise<Text> {
  const options = { types, indent: 2, ensureAscii: false };
  if (isPickle && isContainer(bytes)) {
    const parts = values.map((value) => dumpsJson(value, options) + "\n");
    return textOf(parts, "application/json");
  }
  const file = new Blob([bytes]).stream();
  const stream = isPickle
    ? file.pipeThrough(new PickleToJsonStream(options))
    : file.pipeThrough(
      new JsonDecoderStream({ dicts: "map", floats: "exact" }),
    ).pipeThrough(new JsonEncoderStream(options));
  const blob = await new Response(
    stream as ReadableStream<Uint8Array<ArrayBuffer>>,
  ).blob();
  const head = await blob.slice(0, PREVIEW).text();
  return {
    preview: shown(head, blob.size > PREVIEW),
    blob: new Blob([blob], { type: "application/json" }),
  };
}

function disassemble(): Text {
  const parts: string[] = [];
  let length = 0;
  try {
    dis(bytes, {
      out(piece): void {
        parts.push(piece);
        length += piece.length;
        if (length > INSTRUCTIONS) {
          throw new Error("there is more; use brine dis");
        }
      },
    });
  } catch (error) {
    parts.push(say(error) + "\n");
  }
  return textOf(parts, "text/plain");
}

function textOf(parts: string[], type: string): Text {
  let preview = "";
  for (const part of parts) {
    if (preview.length >= PREVIEW) break;
    preview += part.slice(0, PREVIEW - preview.length);
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return {
    preview: shown(preview, length > preview.length),
    blob: new Blob(parts, { type }),
  };
}

/** Line ends stay; nothing else may act on the page. */
function shown(preview: string, more: boolean): string {
  return preview.split("\n").map(printable).join("\n") +
    (more ? "\n… the rest is in the download" : "");
}

function say(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const offset = "offset" in error && error.offset !== undefined
    ? `, at byte ${error.offset}`
    : "";
  return printable(error.message.slice(0, 500)) + offset;
}

interface Call {
  id: number;
  method: string;
  // deno-lint-ignore no-explicit-any
  params: any;
}

const scope = globalThis as unknown as {
  onmessage: (event: { data: Call }) => void;
  postMessage(answer: unknown): void;
};

// A Map, so that no name of a message is looked up anywhere else.
// deno-lint-ignore no-explicit-any
const methods = new Map<string, (params: any) => unknown>([
  ["open", open],
  ["parts", parts],
  ["scan", judge],
  ["json", toJson],
  ["dis", disassemble],
]);

scope.onmessage = async ({ data: { id, method, params } }) => {
  try {
    scope.postMessage({ id, result: await methods.get(method)!(params) });
  } catch (error) {
    scope.postMessage({ id, error: say(error) });
  }
};
