/**
 * Opens files that hold pickles, or stand in for them: compressed ones, those
 * of numpy, joblib and PyTorch.
 *
 * @module
 */

import { readBzip2 } from "../bytes/bzip2.ts";
import { type Allow, CompressionError } from "../bytes/growing.ts";
import { inflate } from "../bytes/inflate.ts";
import { readLz4 } from "../bytes/lz4.ts";
import { readLzma, readXz } from "../bytes/lzma.ts";
import { ZipArchive } from "../bytes/zip.ts";
import { readZstd } from "../bytes/zstd.ts";
import { fieldOf, setOwn } from "../python/fields.ts";
import { globalOf } from "../python/inert.ts";
import { LimitError, resolveLimits } from "../python/limits.ts";
import { NpyError, readNpy } from "../python/npy.ts";
import { arrayOver } from "../python/numpy.ts";
import { DType, shapeFrom } from "../python/numpy_dtype.ts";
import { PyObject } from "../python/object.ts";
import { UnpicklingError } from "./errors.ts";
import type { GlobalHandler, LoadOptions } from "./options.ts";
import {
  isLegacyTorch,
  loadTorchId,
  readLegacyTorch,
  readTorchArchive,
  torchPrefix,
} from "./torch_file.ts";
import { Unpickler } from "./unpickler.ts";

/**
 * What a file is: `npy` and `npz` are numpy's, `torch` and `torch-legacy`
 * PyTorch's before and since 1.6. joblib's files are pickles.
 */
export type FileFormat = "pickle" | "npy" | "npz" | "torch" | "torch-legacy";

/** How a file is compressed. */
export type FileCompression =
  | "gzip"
  | "zlib"
  | "bzip2"
  | "xz"
  | "lzma"
  | "zstd"
  | "lz4"
  | "zip";

/** Options of {@linkcode openPickle}. */
export interface OpenOptions extends LoadOptions {
  /**
   * The files beside this one, by name: joblib before 0.10 wrote each array in
   * a file of its own.
   */
  files?:
    | ReadonlyMap<string, Uint8Array>
    | Readonly<Record<string, Uint8Array>>;
}

/** What {@linkcode openPickle} gives. */
export interface OpenedFile {
  /** What the file is. */
  format: FileFormat;
  /** How it is compressed, from outside to within; mostly nothing. */
  compression: FileCompression[];
  /** What it holds; of `npz` an object of arrays by name. */
  value: unknown;
}

/** Nobody compresses more often. */
const MAX_LAYERS = 4;
/** As many bytes may always come of it. */
const FREE_BYTES = 64 * 1024 * 1024;

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

const ZIP = [0x50, 0x4b, 0x03, 0x04];
const NPY = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * How bytes are compressed. No pickle begins as one of these does.
 *
 * @param bytes The first bytes of a file.
 * @returns The format, or undefined.
 */
export function compressionOf(bytes: Uint8Array): FileCompression | undefined {
  if (startsWith(bytes, [0x1f, 0x8b])) return "gzip";
  if (startsWith(bytes, [0x42, 0x5a, 0x68])) return "bzip2";
  if (startsWith(bytes, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])) return "xz";
  if (startsWith(bytes, [0x28, 0xb5, 0x2f, 0xfd])) return "zstd";
  if (startsWith(bytes, [0x04, 0x22, 0x4d, 0x18])) return "lz4";
  if (startsWith(bytes, [0x5d, 0, 0])) return "lzma";
  const [first = 0, second = 0] = bytes;
  if (
    (first & 15) === 8 && first >> 4 === 7 && (first << 8 | second) % 31 === 0
  ) {
    return "zlib";
  }
  // joblib before 0.10: "ZF", 19 digits of the length, zlib.
  return startsWith(bytes, [0x5a, 0x46, 0x30, 0x78]) ? "zlib" : undefined;
}

async function decompress(
  bytes: Uint8Array,
  format: FileCompression,
  allow: Allow,
): Promise<Uint8Array> {
  switch (format) {
    case "gzip":
      return await inflate(bytes, "gzip", allow);
    case "bzip2":
      return readBzip2(bytes, allow);
    case "xz":
      return readXz(bytes, allow);
    case "lzma":
      return readLzma(bytes, allow);
    case "zstd":
      return readZstd(bytes, allow);
    case "lz4":
      return readLz4(bytes, allow);
    default:
      return await inflate(
        bytes[0] === 0x5a ? bytes.subarray(21) : bytes,
        "deflate",
        allow,
      );
  }
}

/**
 * Opens a file that holds a pickle, whatever is around it: gzip, zlib, bzip2,
 * xz, LZMA, Zstandard, LZ4 and ZIP; numpy's `.npy` and `.npz`; PyTorch's files,
 * old and new; joblib's. What follows the first pickle is ignored.
 *
 * @param bytes The file.
 * @param options As of `loads`, and `files`, those beside it.
 * `limits.expansion` bounds how many bytes may come of one that is compressed,
 * once there are 64 MiB.
 * @returns What the file is and what it holds.
 * @throws {UnpicklingError} If it is damaged.
 * @throws {LimitError} If it would take more than its limits.
 *
 * @example Open a compressed pickle
 * ```ts
 * import { dumps, openPickle } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * const gzip = new Blob([dumps([1, 2])]).stream()
 *   .pipeThrough(new CompressionStream("gzip"));
 * const bytes = new Uint8Array(await new Response(gzip).arrayBuffer());
 * const { value, compression } = await openPickle(bytes);
 * assertEquals(value, [1, 2]);
 * assertEquals(compression, ["gzip"]);
 * ```
 */
export async function openPickle(
  bytes: Uint8Array,
  options: OpenOptions = {},
): Promise<OpenedFile> {
  const { expansion } = resolveLimits(options.limits);
  const size = bytes.length;
  const allow: Allow = (wanted) => {
    if (wanted > FREE_BYTES && wanted > size * expansion) {
      throw new LimitError("expansion", expansion);
    }
  };
  const { files, ...rest } = options;
  try {
    const load: LoadOptions = files === undefined
      ? rest
      : await withFiles(rest, { files, allow });
    const compression: FileCompression[] = [];
    for (;;) {
      const format = compressionOf(bytes);
      if (format === undefined) {
        const single = await onlyFile(bytes, allow);
        if (single === undefined) break;
        compression.push("zip");
        bytes = single;
      } else {
        compression.push(format);
        bytes = await decompress(bytes, format, allow);
      }
      if (compression.length > MAX_LAYERS) {
        throw new LimitError("depth", MAX_LAYERS);
      }
    }
    return { ...await openPlain(bytes, { ...load, allow }), compression };
  } catch (error) {
    if (error instanceof CompressionError || error instanceof NpyError) {
      throw new UnpicklingError(error.message, {
        code: "truncated",
        offset: 0,
        cause: error,
      });
    }
    throw error;
  }
}

/** Handlers for joblib's wrappers, which name the files of their arrays. */
async function withFiles(
  options: LoadOptions,
  { files, allow }: { files: NonNullable<OpenOptions["files"]>; allow: Allow },
): Promise<LoadOptions> {
  const found = new Map<string, Uint8Array>();
  const entries = files instanceof Map ? files : Object.entries(files);
  for (const [name, bytes] of entries) {
    const format = compressionOf(bytes);
    found.set(
      name,
      format === undefined ? bytes : await decompress(bytes, format, allow),
    );
  }
  const wrapper = (
    read: (object: PyObject, file: Uint8Array) => unknown,
  ): GlobalHandler => ({
    make: (args, { name, via, kwargs }) =>
      new PyObject(globalOf(name), args, { via, kwargs }),
    build: (object: PyObject, state) => {
      object.state = state;
      return true;
    },
    inline: (object: PyObject) => {
      const name = fieldOf(object.state, "filename");
      const file = typeof name === "string" ? found.get(name) : undefined;
      return [file === undefined ? object : read(object, file) ?? object];
    },
  });
  const load = (pickle: Uint8Array) => new Unpickler(options).load(pickle);
  const given = options.globals ?? {};
  return {
    ...options,
    globals: new Map<string, GlobalHandler>([
      [
        "joblib.numpy_pickle.NDArrayWrapper",
        wrapper((_, file) => readNpy(file, load)),
      ],
      ["joblib.numpy_pickle.ZNDArrayWrapper", wrapper(readBare)],
      ...(given instanceof Map ? given : Object.entries(given)),
    ]),
  };
}

/** An array whose file has its bytes alone, and its state all the rest. */
function readBare(object: PyObject, file: Uint8Array): unknown {
  const state = fieldOf(object.state, "state");
  const [, dims, dtype, isFortran] = Array.isArray(state) ? state : [];
  const shape = shapeFrom(dims);
  if (!(dtype instanceof DType) || shape === undefined) return undefined;
  const order = isFortran === true ? "F" : "C";
  return arrayOver(file, { dtype, shape, order });
}

/** The one file of a ZIP archive that is neither PyTorch's nor numpy's. */
async function onlyFile(
  bytes: Uint8Array,
  allow: Allow,
): Promise<Uint8Array | undefined> {
  if (!startsWith(bytes, ZIP)) return undefined;
  const archive = new ZipArchive(bytes);
  const [name, another] = archive.entries.keys();
  if (name === undefined || another !== undefined) return undefined;
  if (torchPrefix(archive) !== undefined || name.endsWith(".npy")) {
    return undefined;
  }
  return await archive.read(name, allow);
}

async function openPlain(
  bytes: Uint8Array,
  options: LoadOptions & { allow: Allow },
): Promise<Omit<OpenedFile, "compression">> {
  const { allow, ...rest } = options;
  const load = (pickle: Uint8Array) => new Unpickler(rest).load(pickle);
  if (startsWith(bytes, NPY)) {
    return { format: "npy", value: readNpy(bytes, load) };
  }
  if (isLegacyTorch(bytes)) {
    return { format: "torch-legacy", value: readLegacyTorch(bytes, rest) };
  }
  if (startsWith(bytes, ZIP)) {
    const archive = new ZipArchive(bytes);
    if (torchPrefix(archive) !== undefined) {
      const value = await readTorchArchive(archive, options);
      return { format: "torch", value };
    }
    const value = {};
    for (const name of archive.entries.keys()) {
      if (!name.endsWith(".npy")) continue;
      const file = await archive.read(name, allow);
      setOwn(value, [name.slice(0, -4), readNpy(file!, load)]);
    }
    if (Object.keys(value).length > 0) return { format: "npz", value };
    throw new UnpicklingError("the ZIP archive holds no pickle", {
      code: "not-a-pickle",
      offset: 0,
    });
  }
  const persistentLoad = rest.persistentLoad ?? loadTorchId;
  const value = new Unpickler({ ...rest, persistentLoad }).load(bytes);
  return { format: "pickle", value };
}
