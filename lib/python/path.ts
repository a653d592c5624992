/**
 * The paths of Python's `pathlib`.
 *
 * @module
 */

import { textOf } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Global } from "./object.ts";
import { type PyType, register } from "./registry.ts";

/** Whose rules a path follows. */
export type PathFlavour = "posix" | "windows";

/** Drive, root and names, as pathlib has them. */
interface PathParts {
  drive: string;
  root: string;
  names: string[];
}

/** `ntpath.splitroot`, for paths that pathlib has joined. */
function splitWindows(text: string): PathParts {
  const path = text.replaceAll("/", "\\");
  let drive = "";
  let rest = path;
  const device = /^\\\\[?.]\\(?:UNC\\)?/i.exec(path)?.[0] ?? "";
  const isDevice = device !== "" && !/UNC\\$/i.test(device);
  if (isDevice) {
    const end = path.indexOf("\\", device.length);
    drive = end < 0 ? path : path.slice(0, end);
    rest = end < 0 ? "" : path.slice(end);
  } else if (path.startsWith("\\\\")) {
    const start = device === "" ? 2 : device.length;
    const server = path.indexOf("\\", start);
    const share = server < 0 ? -1 : path.indexOf("\\", server + 1);
    drive = share < 0 ? path : path.slice(0, share);
    rest = share < 0 ? "" : path.slice(share);
  } else if (/^[^\\]:/.test(path)) {
    drive = path.slice(0, 2);
    rest = path.slice(2);
  }
  // A share has a root, said or not: \\server\share, \\?\UNC\server\share.
  const parts = drive.startsWith("\\") ? drive.split("\\") : [];
  const isUnc = parts.length === 4 && !/^[?.]?$/.test(parts[2]!) ||
    parts.length === 6;
  const root = rest.startsWith("\\") || isUnc ? "\\" : "";
  return { drive, root, names: names(rest.split("\\")) };
}

/** POSIX: exactly two leading slashes are another root than one. */
function splitPosix(path: string): PathParts {
  const slashes = /^\/*/.exec(path)![0].length;
  const root = slashes === 2 ? "//" : slashes > 0 ? "/" : "";
  return { drive: "", root, names: names(path.split("/")) };
}

function names(parts: string[]): string[] {
  return parts.filter((part) => part !== "" && part !== ".");
}

/** `PurePath._parse_path` of joined arguments. */
function joined(flavour: PathFlavour, args: readonly string[]): PathParts {
  let all: PathParts = { drive: "", root: "", names: [] };
  for (const arg of args) {
    if (arg === "") continue;
    const one = flavour === "posix" ? splitPosix(arg) : splitWindows(arg);
    const sameDrive = one.drive.toLowerCase() === all.drive.toLowerCase();
    if (one.drive !== "" && !sameDrive) all = one;
    else if (one.root !== "") all = { ...one, drive: one.drive || all.drive };
    else {
      all.drive = one.drive || all.drive;
      for (const name of one.names) all.names.push(name);
    }
  }
  return all;
}

/**
 * A Python path: `PurePosixPath`, `PureWindowsPath`, `PosixPath` or
 * `WindowsPath`. It is a name; nothing is opened.
 *
 * @example Read one
 * ```ts
 * import { Path } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new Path("/usr//lib/./x")), "/usr/lib/x");
 * ```
 */
export class Path {
  /** Whose rules it follows. */
  readonly flavour: PathFlavour;
  /** Whether Python's class is one that touches no file system. */
  readonly pure: boolean;
  /** Its text, as Python's `str` gives it. */
  readonly text: string;

  /**
   * Makes one.
   *
   * @param path The path, or parts of it to be joined.
   * @param options `flavour`: "posix" by default; `pure`: true by default.
   */
  constructor(
    path: string | readonly string[],
    options: { flavour?: PathFlavour; pure?: boolean } = {},
  ) {
    this.flavour = options.flavour ?? "posix";
    this.pure = options.pure ?? true;
    const { drive, root, names } = joined(
      this.flavour,
      typeof path === "string" ? [path] : path,
    );
    const separator = this.flavour === "posix" ? "/" : "\\";
    // A name such as "a:b" would be read back as a drive.
    const dot = drive === "" && root === "" && this.flavour === "windows" &&
        /^[^\\]:/.test(names[0] ?? "")
      ? ".\\"
      : "";
    this.text = dot + drive + root + names.join(separator) || ".";
  }

  /**
   * Its drive and root, if any, then its names, as Python's `parts`.
   *
   * @returns The parts.
   */
  get parts(): string[] {
    const { drive, root, names } = joined(this.flavour, [this.text]);
    return drive + root === "" ? names : [drive + root, ...names];
  }

  /**
   * As Python's `str`.
   *
   * @returns The text.
   */
  toString(): string {
    return this.text;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.text;
  }
}

setKeyKind(Path.prototype, {
  kind: "value",
  key: ({ flavour, text }: Path) =>
    `path ${flavour} ${flavour === "posix" ? text : text.toLowerCase()}`,
});

function className({ flavour, pure }: Path): string {
  const name = flavour === "posix" ? "PosixPath" : "WindowsPath";
  return pure ? `Pure${name}` : name;
}

function entry(
  name: string,
  options: { flavour: PathFlavour; pure: boolean },
): PyType {
  return {
    names: ["pathlib", "pathlib._local", "pathlib2"].map((module) =>
      `${module}.${name}`
    ),
    make: (args) => {
      const parts: string[] = [];
      for (const arg of args) {
        const part = textOf(arg);
        if (part === undefined) return undefined;
        parts.push(part);
      }
      return new Path(parts, options);
    },
  };
}

register(
  entry("PurePosixPath", { flavour: "posix", pure: true }),
  entry("PosixPath", { flavour: "posix", pure: false }),
  entry("PureWindowsPath", { flavour: "windows", pure: true }),
  entry("WindowsPath", { flavour: "windows", pure: false }),
  // Never in a pickle of CPython's, whose classes are the four above.
  entry("PurePath", { flavour: "posix", pure: true }),
  entry("Path", { flavour: "posix", pure: false }),
  {
    names: [],
    class: Path,
    // The module that every version has: only 3.13 knows `pathlib._local`.
    reduce: (path: Path) => ({
      callable: new Global("pathlib", className(path)),
      args: [path.text],
    }),
    toPlain: ({ text }: Path) => text,
  },
);
