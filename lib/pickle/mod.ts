/**
 * Python's `pickle`, without ever running one: `dump`, `dumps`, `load` and
 * `loads`, by Python's names; `dis`, `genops` and `optimize` of `pickletools`;
 * and `scan`, which tells what a pickle would run in Python.
 *
 * @example There and back
 * ```ts
 * import { dumps, loads } from "@brine/brine/pickle";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(loads(dumps({ spam: [1, 2.5, null] })), { spam: [1, 2.5, null] });
 * ```
 *
 * @module
 */

export type { ArgumentValue } from "./arguments.ts";
export { PickleDecoderStream } from "./decoder_stream.ts";
export { dis, type DisMemo, disMemo, type DisOptions } from "./dis.ts";
export { dump, dumps, type DumpToOptions } from "./dump.ts";
export { PickleEncoderStream } from "./encoder_stream.ts";
export * from "./errors.ts";
export { genops } from "./genops.ts";
export { load, loads, type LoadStreamOptions } from "./load.ts";
export type { Instruction } from "./opcode_reader.ts";
export {
  type ArgumentKind,
  type Opcode,
  type OpcodeName,
  OPCODES,
  type StackItem,
} from "./opcodes.ts";
export {
  type FileCompression,
  type FileFormat,
  type OpenedFile,
  type OpenOptions,
  openPickle,
} from "./open.ts";
export { optimize } from "./optimize.ts";
export type {
  DecoderStreamOptions,
  Encoding,
  EncodingErrors,
  GlobalHandler,
  LoadOptions,
} from "./options.ts";
export {
  type DumpOptions,
  type EncoderStreamOptions,
  toPickle,
} from "./dump_options.ts";
export type { Global } from "../python/object.ts";
export type { Reduced } from "../python/registry.ts";
export { type ScannedFile, toSarif } from "./sarif.ts";
export {
  type NameVerdict,
  scan,
  type ScanFinding,
  type ScanIssue,
  type ScanOptions,
  type ScanReport,
  type ScanUse,
  type ScanVerdict,
} from "./scan.ts";
export { LimitError, type Limits } from "../python/limits.ts";
export {
  type Machine,
  MachineStream,
  MORE,
} from "../streams/machine_stream.ts";
