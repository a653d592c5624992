/**
 * The memo of the machine behind `scan`.
 *
 * @module
 */

import { Bytes, Encoded, forget, type Node, Str, Tuple } from "./scan_nodes.ts";

/** So many entries are kept as they are. */
const KEPT = 250_000;
/** So many bytes of text are kept with them. */
const ARENA = 16_777_216;
const PAGE = 65_536;
const NONE = new Uint8Array(0);
/** So many entries may have numbers that do not follow each other. */
const MAX_SPARSE = 1_000_000;
const MAX_EXACT = 100_000;

/**
 * A memo that takes a byte or two an entry where it is long: the first entries
 * are kept as they are, and of the others only what kind of value they are. A
 * name that was forgotten so is never taken for a harmless one.
 */
export class ScanMemo {
  #kept: Node[] = [];
  /** Of each entry beyond, its place in `#shared`. */
  #pages: (Uint8Array | Uint16Array)[] = [];
  #shared: Node[] = [];
  #codes: Map<Node, number> | undefined;
  /** Entries of which more must be known, by number. */
  #exact: Map<number, Node> | undefined;
  #length = 0;
  #sparse: Map<string, Node> | undefined;
  #arena: Uint8Array<ArrayBuffer> = NONE;
  #arenaAt = 0;
  #arenaSize = 0;

  /** How many entries there are. */
  get size(): number {
    return this.#length + (this.#sparse?.size ?? 0);
  }

  /**
   * Looks an entry up.
   *
   * @param index Its number
   * @returns What was stored last, if anything was
   */
  get(index: number | bigint): Node | undefined {
    if (!(index >= 0 && index < this.#length)) {
      return this.#sparse?.get("i" + index);
    }
    const at = Number(index);
    if (at < KEPT) return this.#kept[at];
    const code = this.#pages[Math.floor((at - KEPT) / PAGE)]![
      (at - KEPT) % PAGE
    ]!;
    return code === 0 ? this.#exact?.get(at) : this.#shared[code - 1];
  }

  /**
   * Stores an entry.
   *
   * @param index Its number
   * @param node The value
   * @returns The value as it is kept, or undefined where there is no room
   */
  set(index: number | bigint, node: Node): Node | undefined {
    const length = this.#length;
    const isNext = index === length &&
      !this.#sparse?.has("i" + index);
    if (!isNext && !(index >= 0 && index < length)) {
      const kept = this.#keep(node);
      const key = "i" + index;
      const sparse = this.#sparse ??= new Map<string, Node>();
      if (sparse.size >= MAX_SPARSE && !sparse.has(key)) return undefined;
      sparse.set(key, kept);
      return kept;
    }
    const at = Number(index);
    if (isNext) this.#length++;
    if (at < KEPT) return this.#kept[at] = this.#keep(node);
    // A string that is used as a name later is noted anew.
    if (
      typeof node === "object" && node.kind === "str" &&
      node.buffer !== undefined
    ) node.slot = at;
    this.#write(at, this.#code(node, at));
    return node;
  }

  /**
   * Keeps a string that turned out to be a name, so that it is known when it
   * is asked for again.
   *
   * @param node The string
   */
  remember(node: Str): void {
    if (node.slot < 0 || this.get(node.slot) !== forget(node)) return;
    const exact = this.#exact ??= new Map<number, Node>();
    if (exact.size >= MAX_EXACT) return;
    exact.set(node.slot, this.#copy(node));
    this.#write(node.slot, 0);
    node.slot = -1;
  }

  #write(at: number, code: number): void {
    const index = Math.floor((at - KEPT) / PAGE);
    let page = this.#pages[index] ??= new Uint8Array(PAGE);
    if (code > 255 && page instanceof Uint8Array) {
      page = this.#pages[index] = Uint16Array.from(page);
    }
    page[(at - KEPT) % PAGE] = code;
  }

  #code(node: Node, at: number): number {
    const lost = forget(node);
    const codes = this.#codes ??= new Map<Node, number>();
    let code = codes.get(lost);
    if (code === undefined) {
      if (this.#shared.length >= 65_535) {
        this.#exact ??= new Map();
        this.#exact.set(at, lost);
        return 0;
      }
      code = this.#shared.push(lost);
      codes.set(lost, code);
    }
    return code;
  }

  /** A value that holds on to no input. */
  #keep(node: Node, depth = 2): Node {
    if (typeof node === "number") return node;
    switch (node.kind) {
      case "str":
        return this.#copy(node);
      case "bytes":
        return node instanceof Bytes
          ? new Bytes(node.offset, undefined)
          : new Encoded(this.#copy(node.text));
      case "tuple": {
        const { items, size, hashable, carried } = node;
        if (items.every((item) => typeof item === "number")) return node;
        if (depth === 0) return forget(node);
        const kept = items.map((item) => this.#keep(item, depth - 1));
        return new Tuple(kept, size, hashable, carried);
      }
      default:
        return node;
    }
  }

  #copy(node: Str): Str {
    const { buffer, start, stop, form } = node;
    const size = stop - start;
    if (buffer === undefined || node.isKept) return node;
    if (this.#arenaSize + size > ARENA) return forget(node) as Str;
    if (size > 4096) return new Str(undefined, 0, 0, form, node.offset);
    if (this.#arenaAt + size > this.#arena.length) {
      this.#arena = new Uint8Array(PAGE);
      this.#arenaAt = 0;
    }
    this.#arena.set(buffer.subarray(start, stop), this.#arenaAt);
    const at = this.#arenaAt;
    this.#arenaAt += size;
    this.#arenaSize += size;
    const copy = new Str(this.#arena, at, at + size, form, node.offset);
    copy.isKept = true;
    return copy;
  }
}
