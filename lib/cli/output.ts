/**
 * Where output goes. A file appears whole or not at all: it is written beside
 * its place under a name of its own, and takes its place when it is complete.
 *
 * @module
 */

import { createGzip } from "node:zlib";

/** Somewhere to write. */
export interface Sink {
  /** Takes bytes, and waits until there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** All has been written. */
  commit(): Promise<void>;
  /** It went wrong: nothing of it may stay. */
  discard(): Promise<void>;
}

const unfinished = new Set<string>();

/**
 * Takes away what is half-written, at once: for a signal that ends us.
 */
export function discardUnfinished(): void {
  for (const path of unfinished) {
    try {
      Deno.removeSync(path);
    } catch {
      // It is gone, or never was.
    }
  }
  unfinished.clear();
}

/**
 * A place that somebody else has dealt with.
 *
 * @param place The place.
 */
export function forgetPlace(place: Place): void {
  if (place.temporary !== undefined) unfinished.delete(place.temporary);
}

/**
 * Lets a signal end us only after half-written files are taken away.
 *
 * @returns A function that ends the watch.
 */
export function watchSignals(): () => void {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const numbers = new Map([["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]]);
  const listeners = signals.map((signal) => {
    function listener(): void {
      discardUnfinished();
      Deno.exit(128 + (numbers.get(signal) ?? 2));
    }
    Deno.addSignalListener(signal, listener);
    return [signal, listener] as const;
  });
  return () => {
    for (const [signal, listener] of listeners) {
      Deno.removeSignalListener(signal, listener);
    }
  };
}

/** Where a file is to be, and where it is while it grows. */
export interface Place {
  /** The file itself, after symbolic links. */
  target: string;
  /** Where it grows; undefined for a device or pipe, written to directly. */
  temporary: string | undefined;
  /** The mode it should have, where there was a file already. */
  mode: number | undefined;
}

/** A file that is to be written into a folder that there is not. */
export class NoFolderError extends Error {
  override name = "NoFolderError";

  /** Makes the error. */
  constructor() {
    super("the folder it should be in does not exist");
  }
}

/**
 * Finds out where a file can be written.
 *
 * @param path Its name.
 * @returns The place, its temporary file already noted for removal.
 */
export async function findPlace(path: string): Promise<Place> {
  let target = path;
  let info: Deno.FileInfo | undefined;
  try {
    if ((await Deno.lstat(path)).isSymlink) target = await Deno.realPath(path);
    info = await Deno.stat(target);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (info?.isDirectory) throw new Deno.errors.IsADirectory(path);
  if (info !== undefined && !info.isFile) {
    return { target, temporary: undefined, mode: undefined };
  }
  // What may not be written may not be replaced either.
  if (info !== undefined) (await Deno.open(target, { write: true })).close();
  const folder = target.slice(0, target.search(/[^/\\]*$/));
  const temporary = `${folder}.brine-${crypto.randomUUID()}.tmp`;
  unfinished.add(temporary);
  return { target, temporary, mode: info?.mode ?? undefined };
}

/**
 * Opens a place for writing.
 *
 * @param place Where.
 * @returns The sink.
 */
export async function openPlace(place: Place): Promise<Sink> {
  const { target, temporary, mode } = place;
  if (temporary === undefined) {
    const file = await Deno.open(target, { write: true });
    return {
      write: (bytes) => writeAll(file, bytes),
      commit(): Promise<void> {
        file.close();
        return Promise.resolve();
      },
      discard(): Promise<void> {
        file.close();
        return Promise.resolve();
      },
    };
  }
  const file = await Deno.open(temporary, {
    write: true,
    createNew: true,
    ...(mode === undefined ? {} : { mode: mode & 0o777 }),
  }).catch((error) => {
    throw error instanceof Deno.errors.NotFound ? new NoFolderError() : error;
  });
  return {
    write: (bytes) => writeAll(file, bytes),
    async commit(): Promise<void> {
      file.close();
      try {
        // The mode above went through the umask.
        if (mode !== undefined && Deno.build.os !== "windows") {
          await Deno.chmod(temporary, mode & 0o777);
        }
        await Deno.rename(temporary, target);
      } catch (error) {
        await Deno.remove(temporary).catch(() => {});
        throw error;
      } finally {
        unfinished.delete(temporary);
      }
    },
    async discard(): Promise<void> {
      try {
        file.close();
      } catch {
        // Closed already.
      }
      await Deno.remove(temporary).catch(() => {});
      unfinished.delete(temporary);
    },
  };
}

/**
 * Opens a file for writing, or standard output.
 *
 * @param path Its name; undefined or `-` is standard output.
 * @param options Whether to compress.
 * @returns The sink.
 */
export async function openSink(
  path: string | undefined,
  options: { gzip?: boolean } = {},
): Promise<Sink> {
  const sink = path === undefined || path === "-"
    ? standardOutput()
    : await openWatched(path);
  return options.gzip ? gzip(sink) : sink;
}

/** A file that goes when a signal ends us before it is complete. */
async function openWatched(path: string): Promise<Sink> {
  const unwatch = watchSignals();
  try {
    const sink = await openPlace(await findPlace(path));
    return {
      write: (bytes) => sink.write(bytes),
      commit: () => sink.commit().finally(unwatch),
      discard: () => sink.discard().finally(unwatch),
    };
  } catch (error) {
    unwatch();
    throw error;
  }
}

/**
 * Writes text to standard output.
 *
 * @param text The text.
 */
export async function print(text: string): Promise<void> {
  await writeAll(Deno.stdout, new TextEncoder().encode(text));
}

function standardOutput(): Sink {
  return {
    write: (bytes) => writeAll(Deno.stdout, bytes),
    commit: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

async function writeAll(
  writer: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  while (bytes.length > 0) {
    bytes = bytes.subarray(await writer.write(bytes));
  }
}

/**
 * Compresses what goes to a sink.
 *
 * @param sink Where it goes.
 * @returns Another sink.
 */
export function gzip(sink: Sink): Sink {
  const stream = createGzip({ level: 6 });
  const passing = (async () => {
    for await (const chunk of stream) await sink.write(chunk);
  })();
  // Reported by whichever call comes next.
  let failure: { error: unknown } | undefined;
  passing.catch((error) => {
    failure = { error };
    stream.destroy();
  });
  return {
    async write(bytes): Promise<void> {
      if (failure !== undefined) throw failure.error;
      if (stream.write(bytes)) return;
      await Promise.race([
        new Promise((resolve) => stream.once("drain", resolve)),
        passing,
      ]);
    },
    async commit(): Promise<void> {
      stream.end();
      await passing;
      await sink.commit();
    },
    async discard(): Promise<void> {
      stream.destroy();
      await passing.catch(() => {});
      await sink.discard();
    },
  };
}
