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
  // What curl, `fetch` with a string, and others say when they were not told.
  if (
    type === "" || type === "application/octet-stream" ||
    type === "application/x-www-form-urlencoded" || type === "text/plain"
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
  const ranges = rangesOf(header?.trim() || "*/*");
  const usual = sent === "pickle" ? "json" : "pickle";
  let best: (Match & { kind: Outgoing; type: string }) | undefined;
  // Where a client does not mind, what comes first here wins.
  for (const kind of new Set([usual, ...Object.keys(OFFERS)] as Outgoing[])) {
    if (kind === "dis" && sent === "json") continue;
    OFFERS[kind].forEach((type, index) => {
      // Other names of a type are used where they are asked for.
      const match = matchOf(ranges, type, index > 0);
      if (match !== undefined && (best === undefined || beats(match, best))) {
        best = { ...match, kind, type };
      }
    });
  }
  if (best === undefined) return undefined;
  const { kind, type } = best;
  return { kind, type: kind === "dis" ? RESPONSE_TYPES.dis : type };
}

/** The names of each type, the usual one first. */
const OFFERS: Readonly<Record<Outgoing, readonly string[]>> = {
  json: ["application/json", "text/json"],
  jsonl: JSON_LINES_TYPES,
  tagged: [TAGGED_TYPE],
  pickle: [...PICKLE_TYPES, "application/octet-stream"],
  scan: [SCAN_TYPE],
  dis: ["text/plain"],
};

/** A media range of an Accept. */
interface Range {
  type: string;
  quality: number;
}

/** What an Accept says of a type. */
interface Match {
  quality: number;
  /** 0 for any type, 1 for one such as `text/*`, 2 for the type itself. */
  precision: number;
  /** Where it stands. */
  place: number;
}

function rangesOf(header: string): Range[] {
  return header.split(",").map((part) => {
    const quality = /;\s*q\s*=\s*([0-9.]+)/i.exec(part)?.[1];
    return {
      type: mediaType(part),
      quality: quality === undefined ? 1 : Number(quality),
    };
  });
}

/** The most precise range counts (RFC 9110, 12.5.1), be it `q=0`. */
function matchOf(
  ranges: readonly Range[],
  type: string,
  exactly: boolean,
): Match | undefined {
  const any = exactly ? [] : ["*/*", type.replace(/\/.*/, "/*")];
  const names = [...any, type];
  let found: Match | undefined;
  ranges.forEach((range, place) => {
    const at = names.indexOf(range.type);
    const precision = at < 0 ? -1 : at + 3 - names.length;
    if (precision > (found?.precision ?? -1)) {
      found = { quality: range.quality, precision, place };
    }
  });
  return found !== undefined && found.quality > 0 ? found : undefined;
}

function beats(one: Match, other: Match): boolean {
  if (one.quality !== other.quality) return one.quality > other.quality;
  if (one.precision !== other.precision) {
    return one.precision > other.precision;
  }
  return one.place < other.place;
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
