/**
 * PyTorch's files: a ZIP archive with a pickle and storages (since 1.6), or
 * five pickles and the storages behind them (`torch/serialization.py`).
 *
 * @module
 */

import type { Allow } from "../bytes/growing.ts";
import type { ZipArchive } from "../bytes/zip.ts";
import { toCount } from "../python/fields.ts";
import { Global, PersistentId } from "../python/object.ts";
import { setNestedReader, TorchStorage } from "../python/torch.ts";
import { MORE } from "../streams/machine_stream.ts";
import { UnpicklingError } from "./errors.ts";
import type { LoadOptions } from "./options.ts";
import { Unpickler } from "./unpickler.ts";

/** 0x1950a86a20f9469cfc6c, as LONG1 has it. */
const MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8];

/**
 * Whether bytes are a PyTorch file of before 1.6.
 *
 * @param bytes The file.
 * @returns True if they begin as such a file does.
 */
export function isLegacyTorch(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && MAGIC.every((byte, i) => bytes[i + 2] === byte);
}

function damaged(offset: number): UnpicklingError {
  return new UnpicklingError("the PyTorch file is damaged or cut off", {
    code: "truncated",
    offset,
  });
}

interface StorageId {
  type: Global;
  key: string;
  location: string;
  numel: number;
  view: readonly unknown[] | undefined;
}

/** `('storage', torch.FloatStorage, '0', 'cpu', 6[, view])`. */
function storageIdFrom(id: unknown): StorageId | undefined {
  if (!Array.isArray(id) || id.length < 5) return undefined;
  const [kind, type, key, location, count, view] = id;
  const numel = toCount(count);
  if (
    kind !== "storage" || !(type instanceof Global) ||
    typeof key !== "string" || typeof location !== "string" ||
    numel === undefined
  ) return undefined;
  return {
    type,
    key,
    location,
    numel,
    view: Array.isArray(view) ? view : undefined,
  };
}

/**
 * Gives storages for the persistent ids of a PyTorch pickle whose storages are
 * not at hand: they have no bytes.
 *
 * @param id The id.
 * @returns A storage, or a PersistentId where it is none of PyTorch's.
 */
export function loadTorchId(id: unknown): unknown {
  const storage = storageIdFrom(id);
  return storage === undefined
    ? new PersistentId(id)
    : new TorchStorage(storage);
}

/**
 * Reads a PyTorch file of before 1.6.
 *
 * @param bytes The file.
 * @param options As of `loads`.
 * @returns What was saved.
 * @throws {UnpicklingError} If it is damaged.
 */
export function readLegacyTorch(
  bytes: Uint8Array,
  options: LoadOptions = {},
): unknown {
  const roots = new Map<string, TorchStorage>();
  const views: { storage: TorchStorage; id: StorageId }[] = [];
  const storages = new Map<string, TorchStorage>();
  const load = (id: unknown): unknown => {
    // A module's source travels beside its class.
    if (Array.isArray(id) && id[0] === "module") return id[1];
    const found = storageIdFrom(id);
    if (found === undefined) return new PersistentId(id);
    const name = found.view === undefined
      ? found.key
      : `${found.key}\0${String(found.view[0])}`;
    const known = storages.get(name);
    if (known !== undefined) return known;
    const storage = new TorchStorage(found);
    storages.set(name, storage);
    if (found.view === undefined) roots.set(found.key, storage);
    else views.push({ storage, id: found });
    return storage;
  };
  const unpickler = new Unpickler({ ...options, persistentLoad: load });
  unpickler.push(bytes);
  unpickler.end();
  const pull = (): unknown => {
    const value = unpickler.pull();
    if (value === MORE) throw damaged(bytes.length);
    return value;
  };
  pull();
  pull();
  const system = pull() as { little_endian?: unknown } | Map<string, unknown>;
  const little = system instanceof Map
    ? system.get("little_endian")
    : system?.little_endian;
  const value = pull();
  const keys = pull();
  if (!Array.isArray(keys)) throw damaged(unpickler.position);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = new Map<string, Uint8Array>();
  let at = unpickler.position;
  for (const key of keys) {
    if (at + 8 > bytes.length || typeof key !== "string") throw damaged(at);
    const count = Number(view.getBigUint64(at, true));
    at += 8;
    const storage = roots.get(key);
    const id = views.find(({ id }) => id.key === key)?.id;
    const itemsize = (storage ?? (id && new TorchStorage(id)))?.itemsize;
    if (itemsize === undefined) throw damaged(at);
    const end = at + count * itemsize;
    if (!(end <= bytes.length)) throw damaged(at);
    found.set(key, bytes.subarray(at, end));
    storage?.fill(bytes.subarray(at, end), little !== false);
    at = end;
  }
  for (const { storage, id } of views) {
    const root = found.get(id.key);
    const from = toCount(id.view![1]);
    const size = toCount(id.view![2]);
    if (root === undefined || from === undefined || size === undefined) {
      continue;
    }
    const { itemsize } = storage;
    if ((from + size) * itemsize > root.length) throw damaged(at);
    storage.fill(
      root.subarray(from * itemsize, (from + size) * itemsize),
      little !== false,
    );
  }
  return value;
}

/**
 * Where the pickle of a PyTorch archive is.
 *
 * @param archive The archive.
 * @returns Its folder, with the slash; undefined where it is none of PyTorch's.
 */
export function torchPrefix(archive: ZipArchive): string | undefined {
  for (const name of archive.entries.keys()) {
    if (name === "data.pkl" || /^[^/]+\/data\.pkl$/.test(name)) {
      return name.slice(0, -"data.pkl".length);
    }
  }
  return undefined;
}

/**
 * Reads a PyTorch archive.
 *
 * @param archive The archive.
 * @param options As of `loads`, and `allow`: asked before something is made
 * larger.
 * @returns What was saved; storages are views of the archive's own bytes.
 * @throws {UnpicklingError} If it is damaged.
 */
export async function readTorchArchive(
  archive: ZipArchive,
  options: LoadOptions & { allow: Allow },
): Promise<unknown> {
  const { allow, ...rest } = options;
  const prefix = torchPrefix(archive) ?? "";
  const order = await archive.read(`${prefix}byteorder`, allow);
  const little = order === undefined ||
    new TextDecoder().decode(order) !== "big";
  const storages = new Map<string, TorchStorage>();
  const load = (id: unknown): unknown => {
    const found = storageIdFrom(id);
    if (found === undefined) return new PersistentId(id);
    const known = storages.get(found.key);
    if (known !== undefined) return known;
    const storage = new TorchStorage(found);
    storages.set(found.key, storage);
    return storage;
  };
  const pickle = await archive.read(`${prefix}data.pkl`, allow);
  if (pickle === undefined) throw damaged(0);
  const value = new Unpickler({ ...rest, persistentLoad: load }).load(pickle);
  for (const [key, storage] of storages) {
    const bytes = await archive.read(`${prefix}data/${key}`, allow);
    if (bytes === undefined) continue;
    if (bytes.length < storage.length * storage.itemsize) throw damaged(0);
    storage.fill(bytes, little);
  }
  return value;
}

setNestedReader((bytes) => readLegacyTorch(bytes));
