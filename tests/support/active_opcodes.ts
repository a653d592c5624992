/**
 * What untrusted JSON must not become.
 *
 * @module
 */

/** Opcodes that name, call or build what is no plain data. */
export const ACTIVE_OPCODES: ReadonlySet<string> = new Set([
  "GLOBAL",
  "STACK_GLOBAL",
  "INST",
  "OBJ",
  "REDUCE",
  "BUILD",
  "NEWOBJ",
  "NEWOBJ_EX",
  "EXT1",
  "EXT2",
  "EXT4",
  "PERSID",
  "BINPERSID",
]);
