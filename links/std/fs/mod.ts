/**
 * `@std/fs`, by way of npm, for a clone that reaches no JSR. Same code, typed
 * here since the npm package carries no types.
 *
 * @module
 */
import * as std from "#npm";

/** A file or folder found by {@linkcode expandGlob}. */
export interface WalkEntry {
  /** The whole path. */
  path: string;
  /** The last part of the path. */
  name: string;
  /** Whether it is a file. */
  isFile: boolean;
  /** Whether it is a folder. */
  isDirectory: boolean;
  /** Whether it is a symbolic link. */
  isSymlink: boolean;
}

/** How {@linkcode expandGlob} looks. */
export interface ExpandGlobOptions {
  /** Where a relative pattern starts. */
  root?: string;
  /** Patterns left out. */
  exclude?: string[];
  /** Whether folders are given too. */
  includeDirs?: boolean;
  /** Whether symbolic links are followed. */
  followSymlinks?: boolean;
}

/** The files that match a pattern. */
export function expandGlob(
  glob: string | URL,
  options?: ExpandGlobOptions,
): AsyncIterableIterator<WalkEntry> {
  return std.expandGlob(glob, options);
}

/** Makes a folder where there is none. */
export function ensureDir(dir: string | URL): Promise<void> {
  return std.ensureDir(dir);
}
