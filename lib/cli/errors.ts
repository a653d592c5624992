/**
 * Errors in words for people: what is wrong, where, and what to do.
 *
 * @module
 */

import { LimitError } from "../python/limits.ts";
import { JSONDecodeError, JSONEncodeError, TagError } from "../json/errors.ts";
import {
  PicklingError,
  UnpicklingError,
  type UnpicklingErrorCode,
} from "../pickle/errors.ts";
import { UsageError } from "./command.ts";
import { ChangedError, NothingFoundError } from "./input.ts";
import { printable, shorten } from "./text.ts";

const ADVICE: { [code in UnpicklingErrorCode]?: string } = {
  "truncated":
    "the file ends too soon: fetch or copy it again, whole and as binary data",
  "not-streamable":
    "this pickle cannot be turned into JSON while it arrives: save it to a file, and convert that into another one (-o)",
  "no-persistent-load":
    "it refers to objects kept outside of it; brine dis shows them",
  "no-buffers":
    "parts of it were kept outside of the file (out-of-band buffers)",
  "memo-missing":
    "one Pickler object may have written several pickles into the file: convert and show take --keep-memo then, dis takes -m",
};

/** An error, and the file it is about. */
export class FileError extends Error {
  override name = "FileError";
  /** The file's name. */
  readonly file: string;

  /**
   * Makes the error.
   *
   * @param file The file's name.
   * @param cause What went wrong with it.
   */
  constructor(file: string, cause: unknown) {
    super(file, { cause });
    this.file = file;
  }
}

/**
 * Adds a file's name to whatever goes wrong.
 *
 * @typeParam T What the work gives.
 * @param file The file's name.
 * @param work What is done with the file.
 * @returns What the work gives.
 */
export async function about<T>(
  file: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (
      error instanceof FileError || error instanceof UsageError ||
      isClosedPipe(error)
    ) throw error;
    throw new FileError(file, error);
  }
}

/**
 * Says an error in words.
 *
 * @param error What was thrown.
 * @returns One or more lines, safe for a terminal.
 */
export function explain(error: unknown): string {
  if (error instanceof FileError) {
    return `${printable(error.file)}: ${explain(error.cause)}`;
  }
  if (error instanceof UnpicklingError) {
    const opcode =
      error.opcode === undefined || error.message.includes(error.opcode)
        ? ""
        : ` (${error.opcode})`;
    const advice = ADVICE[error.code];
    const where = /\bat byte \d/.test(error.message)
      ? ""
      : `, at byte ${error.offset}`;
    return text(error.message) + where + opcode +
      (advice === undefined ? "" : `\n  ${advice}`);
  }
  if (error instanceof LimitError) {
    const message = text(error.message).replace(/; if the input.*$/, "");
    return `${message}\n  if you trust the file: --limit ${error.limit}=NUMBER, or =none`;
  }
  if (error instanceof JSONEncodeError || error instanceof PicklingError) {
    return `${text(error.message)}, at ${text(error.path)}`;
  }
  if (error instanceof TagError) {
    return text(error.message.replace(/;.*/s, "")) +
      (error.code === "not-allowed"
        ? "\n  if it is harmless: --allow NAME"
        : "");
  }
  if (error instanceof JSONDecodeError) {
    const advice = error.code === "extra-data"
      ? "\n  if it holds JSON Lines, add --from jsonl"
      : "";
    return `not valid JSON: ${text(error.message)}${advice}`;
  }
  if (error instanceof NothingFoundError) {
    return `no file matches ${text(error.pattern)}`;
  }
  if (error instanceof ChangedError) return error.message;
  if (!(error instanceof Error)) return text(String(error));
  // A `Deno.errors` by its name, for workers, where the class is another's.
  switch (error.name) {
    case "NotFound":
      return "no such file or folder";
    case "PermissionDenied":
      return "permission denied";
    case "NotCapable":
      return `${
        text(error.message)
      }\n  brine needs the permission to read its input (-R) and to write its output (-W)`;
    case "IsADirectory":
      return "is a folder, not a file; name files, such as FOLDER/*.pkl";
    case "NotADirectory":
      return "a part of the path is a file, not a folder";
  }
  if (/os error 28\b|ENOSPC/.test(error.message)) {
    return "no space left on the disk; nothing was kept";
  }
  if (/os error 40\b|ELOOP/.test(error.message)) {
    return "symbolic links that lead in a circle";
  }
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string" && code.startsWith("Z_")) {
    return "damaged gzip data: fetch or copy the file again";
  }
  return text(error.message);
}

/**
 * Whether an error only says that nobody reads on.
 *
 * @param error What was thrown.
 * @returns Whether it is a closed pipe.
 */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && /os error 32\b|EPIPE/.test(error.message);
}

/**
 * Writes to standard error.
 *
 * @param message Lines, safe for a terminal.
 */
export function complain(message: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(message + "\n"));
  } catch {
    // Nobody listens.
  }
}

function text(message: string): string {
  return shorten(printable(message), 500);
}
