/**
 * Which format a file has: by its name.
 *
 * @module
 */

/** What `brine convert` reads and writes. */
export type Format = "pickle" | "json" | "jsonl";

/** The names of the formats. */
export const FORMATS: readonly Format[] = ["pickle", "json", "jsonl"];

const EXTENSIONS = new Map<string, Format>([
  ...["json", "geojson", "ipynb"].map((name) => [name, "json"] as const),
  ...["jsonl", "ndjson", "jsonlines", "ldjson"]
    .map((name) => [name, "jsonl"] as const),
  ...["pickle", "pkl", "pck", "pcl", "p", "pickled", "joblib", "pt", "pth"]
    .map((name) => [name, "pickle"] as const),
]);

/** What a name says of a file. */
export interface NamedFormat {
  /** The format, or undefined where the name says nothing. */
  format: Format | undefined;
  /** Whether it ends in `.gz`. */
  gzip: boolean;
  /** The last part of the name without the endings. */
  stem: string;
}

/**
 * What a name says of a file.
 *
 * @param path The name, with or without folders.
 * @returns Format, compression, and what is left of the name.
 */
export function formatOfName(path: string): NamedFormat {
  let stem = path.replace(/^.*[/\\]/s, "");
  const gzip = /.\.gz$/i.test(stem);
  if (gzip) stem = stem.slice(0, -3);
  const dot = stem.lastIndexOf(".");
  const format = dot > 0
    ? EXTENSIONS.get(stem.slice(dot + 1).toLowerCase())
    : undefined;
  if (format !== undefined) stem = stem.slice(0, dot);
  return { format, gzip, stem };
}
