/**
 * What a request sends and what it wants back, by its headers and its address.
 *
 * @module
 */

/** What can be sent. */
export type Incoming = "pickle" | "json" | "unknown";

/** What can be wanted. */
export type Outgoing =
  | "pickle"
  | "json"
  | "jsonl"
  | "tagged"
  | "scan"
  | "dis";

const PICKLE_TYPES = [
  "application/x-pickle",
  "application/pickle",
  "application/python-pickle",
  "application/x-python-pickle",
  "application/vnd.python.pickle",
  "application/x-python-serialize",
];

const JSON_LINES_TYPES = [
  "application/jsonl",
  "application/x-ndjson",
  "application/ndjson",
  "application/x-jsonlines",
  "application/jsonlines",
  "application/json-seq",
];

/** The media type of a JSON that keeps all of Python's types. */
const TAGGED_TYPE = "application/vnd.jsonpickle+json";

/** The media type of a report on what is dangerous. */
const SCAN_TYPE = "application/vnd.brine.scan+json";

/** What a response says that it is. */
export const RESPONSE_TYPES: Readonly<Record<Outgoing, string>> = {
  pickle: PICKLE_TYPES[0]!,
  json: "application/json",
  jsonl: JSON_LINES_TYPES[0]!,
  tagged: TAGGED_TYPE,
  scan: SCAN_TYPE,
  dis: "text/plain; charset=utf-8",
};

/**
 * What a request says that it sends.
 *
 * @param header Its Content-Type, if it has one.
 * @returns What it is, `"unknown"` where the bytes must tell, or undefined for
 * what is neither pickle nor JSON.
 */
export function incoming(header: string | null): Incoming | undefined {
  const type = mediaType(header ?? "");
  if (PICKLE_TYPES.includes(type)) return "pickle";
  if (
    type === "application/json" || type === "text/json" ||
    type.endsWith("+json") || JSON_LINES_TYPES.includes(type)
  ) return "json";
  // What curl and others say when they were not told.
  if (
    type === "" || type === "application/octet-stream" ||
    type === "application/x-www-form-urlencoded"
  ) return "unknown";
  return undefined;
}

/**
 * Whether a request says that it sends JSON Lines.
 *
 * @param header Its Content-Type, if it has one.
 * @returns Whether it does.
 */
export function isLines(header: string | null): boolean {
  return JSON_LINES_TYPES.includes(mediaType(header ?? ""));
}

/**
 * What a request wants back.
 *
 * @param header Its Accept, if it has one.
 * @param sent What it sends: the opposite is what it gets if it does not mind.
 * @returns What to answer with and its media type, or undefined where nothing
 * will do.
 */
export function outgoing(
  header: string | null,
  sent: "pickle" | "json",
): { kind: Outgoing; type: string } | undefined {
  const usual = sent === "pickle" ? "json" : "pickle";
  for (const range of accepted(header ?? "*/*")) {
    const kind = kindOf(range, usual);
    if (kind === undefined) continue;
    // `application/json` for a scan, say, is asked for by the address.
    const type = range.includes("*") || kind === "dis"
      ? RESPONSE_TYPES[kind]
      : range;
    return { kind, type };
  }
  return undefined;
}

function kindOf(range: string, usual: Outgoing): Outgoing | undefined {
  if (range === "*/*" || range === "application/*") return usual;
  if (range === "application/json" || range === "text/json") return "json";
  if (JSON_LINES_TYPES.includes(range)) return "jsonl";
  if (range === TAGGED_TYPE) return "tagged";
  if (range === SCAN_TYPE) return "scan";
  if (range === "text/plain" || range === "text/*") return "dis";
  if (PICKLE_TYPES.includes(range) || range === "application/octet-stream") {
    return "pickle";
  }
  return undefined;
}

/** The media ranges of an Accept, best first; what has `q=0` is left out. */
function accepted(header: string): string[] {
  return header.split(",").map((part) => {
    const quality = /;\s*q\s*=\s*([0-9.]+)/i.exec(part)?.[1];
    return {
      type: mediaType(part),
      quality: quality === undefined ? 1 : Number(quality),
    };
  }).filter(({ type, quality }) => type !== "" && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ type }) => type);
}

/**
 * Whether a request takes gzip.
 *
 * @param header Its Accept-Encoding, if it has one.
 * @returns Whether it does.
 */
export function acceptsGzip(header: string | null): boolean {
  for (const part of (header ?? "").split(",")) {
    const [name = "", ...rest] = part.toLowerCase().split(";");
    if (name.trim() !== "gzip" && name.trim() !== "x-gzip") continue;
    const quality = /q\s*=\s*([0-9.]+)/.exec(rest.join(";"))?.[1];
    return quality === undefined || Number(quality) > 0;
  }
  return false;
}

function mediaType(text: string): string {
  return text.split(";", 1)[0]!.trim().toLowerCase();
}
