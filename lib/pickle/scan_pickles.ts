/**
 * Looks through pickles that stand one behind the other, while they arrive.
 *
 * @module
 */

import { ChunkQueue } from "../bytes/chunk_queue.ts";
import { isUtf8 } from "../bytes/utf8.ts";
import { decodeLatin1, readUint } from "./arguments.ts";
import { UnpicklingError } from "./errors.ts";
import { WANT, WHOLE } from "./opcode_input.ts";
import { sniff } from "./scan_containers.ts";
import type { NameEntry } from "./scan_lists.ts";
import {
  type Host,
  judgeRecord,
  latin1Bytes,
  Machine,
  mayBeBase64,
  newRecord,
  raise,
  type Raw,
  type Spelled,
  Sweep,
} from "./scan_machine.ts";
import type { ScanMemo } from "./scan_memo.ts";
import { BEGIN, END, PART, ScanReader } from "./scan_reader.ts";
import { Tally } from "./scan_tally.ts";

/**
 * Why bytes are looked at: a `file` is what was given and an `entry` a file in
 * it; `loaded` bytes are handed to a loader by the pickle; `nested` ones may
 * be anything.
 */
export type Role = "file" | "entry" | "loaded" | "nested";

/** Which bytes are looked at. */
export interface Place {
  readonly path: string;
  readonly role: Role;
  readonly level: number;
}

/** Takes bytes as they come. */
export interface Part {
  /** Takes what comes next. */
  push(chunk: Uint8Array): Promise<void>;
  /** Says that no input follows. */
  end(): Promise<void>;
}

/** Who looks at bytes of which nothing is known. */
export interface Explorer {
  /** Judges a name. */
  judge(module: string, name: string): NameEntry;
  /** Opens a look at bytes that are yet to come. */
  open(place: Place, tally: Tally): Part;
  /** Looks at bytes. */
  explore(bytes: Uint8Array, place: Place, tally: Tally): Promise<void>;
}

const MAX_CHILDREN = 10_000;
const MAX_RECENT = 16;
const MAX_SWEEPS = 32;
const MAX_FRAMES = 20;
const MAX_BASE64 = 16_777_216;
/** So much is read of what may be a pickle before it is searched as text. */
const PATIENCE = 1_048_576;

interface Offer {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly loaded: boolean;
}

/** Looks through pickles, one behind the other. */
export class Pickles implements Part, Host {
  readonly #explorer: Explorer;
  readonly #place: Place;
  /** Where all goes in the end. */
  readonly #parent: Tally;
  #tally: Tally;
  /** What was found where a torch file has its storages, and where they end. */
  #storages: { before: Tally; end: number } | undefined;
  readonly #reader = new ScanReader();
  #fresh: Machine;
  /** One that goes on with the memo of the pickle before. */
  #carried: Machine | undefined;
  #memo: ScanMemo | undefined;
  #number = 1;
  #start = 0;
  /** Whether a pickle is begun. */
  #begun = true;
  /** Whether what begins here is meant to be a pickle. */
  #meant = false;
  #over = false;
  #counts = true;
  #isTorch = false;
  #sizes: ReadonlyMap<string, number> = new Map();
  #pushed = 0;
  #offers: Offer[] = [];
  #children: Map<number, Tally> | undefined;
  /** Children that count only if something loads them. */
  #recent: Map<number, Tally> | undefined;
  #tooMany = false;
  #sweeps: Sweep[] = [];
  #trail: Trail | undefined;
  #long: LongValue | undefined;
  #raw: Raw | undefined;
  #aligning = false;
  #frameAt = 0;
  #frameEnd = 0;
  #brokenFrames = 0;
  #frames: { at: number; end: number }[] = [];

  /**
   * Makes it.
   *
   * @param explorer Who looks at what is in the pickles
   * @param about Which bytes these are, and where findings go
   */
  constructor(
    explorer: Explorer,
    { place, tally }: { place: Place; tally: Tally },
  ) {
    this.#explorer = explorer;
    this.#place = place;
    this.#parent = tally;
    this.#tally = new Tally();
    this.#fresh = new Machine(this);
  }

  /**
   * Takes input.
   *
   * @param chunk What comes next
   */
  async push(chunk: Uint8Array): Promise<void> {
    const offset = this.#pushed;
    this.#pushed += chunk.length;
    for (const sweep of this.#sweeps) sweep.push(chunk, offset);
    this.#trail?.push(chunk, offset);
    if (this.#over) return;
    this.#reader.push(chunk);
    await this.#read();
    if (this.#number > 1 && this.#fresh.hasNames) this.#mean();
  }

  /** Says that no input follows. */
  async end(): Promise<void> {
    if (!this.#over) {
      this.#reader.end();
      if (this.#begun) await this.#read();
    }
    for (const sweep of this.#sweeps) sweep.end();
    if (this.#trail?.end()) {
      this.#tally.issue("trailing-bytes", {
        message: "bytes behind the pickle that were not read",
        offset: this.#start,
        path: this.#place.path,
      });
    }
    this.#endFrames();
    const torch = this.#storages;
    if (torch !== undefined) {
      const inner = this.#tally;
      this.#tally = torch.before;
      if (torch.end !== this.#pushed) this.#tally.merge(inner);
    }
    if (this.#counts || this.#tally.isDangerous) {
      this.#parent.merge(this.#tally);
    } else this.#parent.ifLoaded.merge(this.#tally);
  }

  /** Whether the bytes are no pickle at all. */
  get isNone(): boolean {
    return !this.#counts && !this.#tally.isDangerous;
  }

  async #read(): Promise<void> {
    while (!this.#over) {
      const event = this.#run();
      if (this.#offers.length > 0) await this.#lookInto();
      switch (event) {
        case WANT:
          return;
        case PART:
          await this.#long?.push(this.#reader.content);
          break;
        case END: {
          const long = this.#long;
          this.#long = undefined;
          if (long !== undefined) await this.#endLong(long);
          if (this.#fresh.dead && (this.#carried?.dead ?? true)) {
            this.#endPickle();
          }
        }
      }
    }
  }

  async #endLong(long: LongValue): Promise<void> {
    if (!(await long.end())) {
      for (const machine of this.#machines) {
        machine.note("bad-utf8", "no UTF-8");
      }
    }
    this.#keep(long.offset, long.tally);
  }

  get #machines(): Machine[] {
    return [this.#fresh, this.#carried].filter((machine) =>
      machine !== undefined && !machine.dead
    ) as Machine[];
  }

  /** Reads until something else must be done first. */
  #run(): typeof WANT | typeof PART | typeof END | typeof WHOLE {
    const reader = this.#reader;
    while (!this.#over) {
      if (!this.#begun) {
        if (reader.isEmpty) return WANT;
        this.#begin();
      }
      let event;
      try {
        event = reader.next();
      } catch (error) {
        if (!(error instanceof UnpicklingError)) throw error;
        for (const machine of this.#machines) machine.fail(error);
        // A long value ends first.
        if (this.#long !== undefined) return END;
        this.#endPickle();
        continue;
      }
      switch (event) {
        case WANT:
          return WANT;
        case WHOLE:
        case BEGIN:
          this.#do(event === WHOLE);
          if (this.#offers.length > 0) return WHOLE;
          break;
        case PART:
          if (this.#long !== undefined) return PART;
          if (this.#aligning) this.#align(reader.content[0]!);
          break;
        case END:
          if (this.#long !== undefined) return END;
          if (this.#raw !== undefined) this.#endRaw();
      }
    }
    return WANT;
  }

  #do(whole: boolean): void {
    const reader = this.#reader;
    const { code } = reader;
    const end = reader.endPosition;
    this.#checkFrame(code, whole ? end : end + reader.size);
    const fresh = this.#fresh;
    const carried = this.#carried;
    let raw: Raw | undefined;
    if (!fresh.dead) raw = fresh.advance(reader, whole);
    if (carried !== undefined && !carried.dead) {
      const other = carried.advance(reader, whole);
      if (fresh.dead) raw = other;
      else if (other?.size !== raw?.size) {
        carried.note("bad-state", "a joblib array that is not known");
        carried.dead = true;
      }
    }
    if (
      reader.position === this.#start && code === 0x80 &&
      reader.content[0]! <= 5
    ) this.#mean();
    const dead = fresh.dead && (carried?.dead ?? true);
    if (dead || fresh.stopped || carried?.stopped) {
      this.#endPickle();
    } else if (!whole) {
      this.#beginLong(code);
    } else if (raw !== undefined) {
      // The frame has ended: joblib writes by itself.
      this.#frameEnd = 0;
      this.#raw = raw;
      this.#aligning = raw.aligned;
      if (raw.aligned) reader.pass(1);
      else this.#passRaw(raw.size);
    }
  }

  #align(padding: number): void {
    this.#aligning = false;
    this.#raw = { size: this.#raw!.size + padding, aligned: true };
  }

  #endRaw(): void {
    const { size, aligned } = this.#raw!;
    this.#raw = undefined;
    if (aligned) this.#passRaw(size);
  }

  #passRaw(size: number): void {
    this.#raw = undefined;
    if (size === 0) return;
    const end = this.#reader.endPosition;
    // Loaded by pickle instead of joblib, the array's bytes are opcodes.
    this.sweep(end, end + size, "stands in an array's bytes");
    this.#reader.pass(size);
  }

  #beginLong(code: number): void {
    if (code === 0x8b) return; // LONG4
    const offset = this.#reader.contentStart;
    const { path, level } = this.#place;
    const place: Place = {
      path: `${path}@${offset}`,
      role: "nested",
      level: level + 1,
    };
    this.#long = new LongValue(this.#explorer, {
      place,
      offset,
      isUtf8: code === 0x58 || code === 0x8d,
    });
  }

  /** Begins another pickle. */
  #begin(): void {
    const at = this.#start = this.#reader.endPosition;
    this.#begun = true;
    this.#meant = false;
    this.#frameEnd = 0;
    if (this.#number === 5 && this.#isTorch) {
      // torch/serialization.py: each storage is a length and its bytes.
      let size = 0;
      for (const storage of this.#sizes.values()) size += 8 + storage;
      this.#storages = { before: this.#tally, end: at + size };
      this.#tally = new Tally();
    }
    this.#number++;
    this.#fresh = new Machine(this);
    // One pickler may have written both, and then the memo goes on.
    this.#carried = new Machine(this, { memo: this.#memo });
    this.#trail = new Trail((name) => {
      const entry = this.judge(name.module, name.name);
      if (entry.verdict !== "dangerous") return false;
      const record = newRecord({ ...name, entry });
      record.count = 1;
      record.misused = true;
      this.#tally.find(record, this.#place.path);
      return true;
    }, at);
    this.#trail.push(this.#reader.from(at), at);
  }

  /** What begins here is a pickle, and not just bytes. */
  #mean(): void {
    this.#meant = true;
    this.#trail = undefined;
  }

  #endPickle(): void {
    const { path, role } = this.#place;
    const fresh = this.#fresh;
    const carried = this.#carried;
    const tally = this.#tally;
    const broken = this.#brokenFrames > 0;
    const better = carried !== undefined && fresh.damage.length > 0 &&
        carried.damage.length === 0 && !broken
      ? carried
      : fresh;
    if (this.#number > 1) {
      if (better.stopped || better.hasNames) this.#mean();
      if (!this.#meant) {
        this.#trail!.search();
        this.#over = true;
        return;
      }
    } else {
      this.#counts = this.#isPickle(fresh, role);
      this.#memo = fresh.memo;
      this.#isTorch = fresh.isTorchMagic;
      // What may be loaded is read on: torch's files begin with a number.
      if (!this.#counts && fresh.damage.length > 0) this.#over = true;
    }
    tally.understood = true;
    tally.pickles++;
    const { names } = better;
    for (const record of names) tally.find(record, path);
    if (better === fresh && carried?.readsMemo) {
      for (const record of carried.names) {
        if (judgeRecord(record).verdict === "dangerous") {
          tally.find(record, path);
        }
      }
    }
    for (const damage of better.damage) tally.damage(damage, path);
    for (const child of this.#children?.values() ?? []) tally.merge(child);
    this.#children = this.#recent = undefined;
    if (better.storages.size > 0) this.#sizes = better.storages;
    const end = this.#reader.endPosition;
    if (this.#frameEnd > end && this.#frames.length < MAX_FRAMES) {
      this.#frames.push({ at: this.#frameAt, end: this.#frameEnd });
    }
    this.#frames = this.#frames.filter((frame) => frame.end > end);
    this.#begun = false;
    this.#brokenFrames = 0;
    if (!better.stopped) this.#over = true;
  }

  /** Whether what the machine read is taken for a pickle. */
  #isPickle(machine: Machine, role: Role): boolean {
    switch (role) {
      case "file":
      case "loaded":
        return true;
      case "entry":
        return this.#meant || machine.hasNames && machine.stopped;
      case "nested": {
        const { names, stopped, damage } = machine;
        if (names.length === 0) return false;
        return stopped && damage.length === 0 && this.#brokenFrames === 0 ||
          names.some((record) => judgeRecord(record).verdict === "dangerous");
      }
    }
  }

  /** PEP 3154: an opcode lies within one frame, and frames do not nest. */
  #checkFrame(code: number, end: number): void {
    const reader = this.#reader;
    if (code === 0x95) {
      if (reader.position < this.#frameEnd) {
        this.#noteFrame("a frame begins before the end of another");
      }
      this.#frameAt = reader.position;
      this.#frameEnd = end + readUint(reader.content, { at: 0, size: 8 });
      return;
    }
    if (this.#frameEnd === 0 || end < this.#frameEnd) return;
    if (end > this.#frameEnd) {
      this.#noteFrame("an argument runs over the end of its frame");
      const start = this.#frameEnd;
      // CPython before 3.13.15 loses what is left of the frame and reads the
      // argument behind it, so that it sees other opcodes from there on.
      this.sweep(
        start + end - reader.contentStart,
        Infinity,
        "seen by CPython's C unpickler where a frame is broken",
      );
      this.sweep(start, Infinity, "stands where a frame is broken");
    }
    this.#frameEnd = 0;
  }

  #noteFrame(message: string): void {
    if (++this.#brokenFrames > 20) return;
    const { path } = this.#place;
    this.#tally.issue("bad-frame", {
      message,
      offset: this.#reader.position,
      path,
      verdict: "malformed",
    });
  }

  #endFrames(): void {
    if (this.#begun && this.#frameEnd > this.#pushed) {
      this.#frames.unshift({ at: this.#frameAt, end: this.#frameEnd });
    }
    const frame = this.#frames.find(({ end }) => end > this.#pushed);
    if (frame === undefined) return;
    this.#tally.issue("truncated", {
      message: "a frame is longer than the input",
      offset: frame.at,
      path: this.#place.path,
      verdict: "malformed",
    });
  }

  /**
   * Judges a name.
   *
   * @param module The module
   * @param name The name within it
   * @returns What the lists say
   */
  judge(module: string, name: string): NameEntry {
    return this.#explorer.judge(module, name);
  }

  /**
   * Hears of bytes that may hold a pickle.
   *
   * @param bytes The bytes
   * @param offset Where they stand
   */
  offer(bytes: Uint8Array, offset: number): void {
    if (isNameless(bytes)) return;
    this.#offers.push({ bytes, offset, loaded: false });
  }

  /**
   * Hears of bytes that the pickle loads in their turn.
   *
   * @param bytes The bytes, if they are at hand
   * @param offset Where they stand
   * @returns Whether they can be looked into
   */
  load(bytes: Uint8Array | undefined, offset: number): boolean {
    const child = this.#children?.get(offset) ?? this.#recent?.get(offset);
    if (child !== undefined) {
      child.load(`${this.#place.path}@${offset}`);
      this.#children ??= new Map();
      this.#children.set(offset, child);
      return true;
    }
    if (bytes === undefined) return false;
    this.#offers.push({ bytes, offset, loaded: true });
    return true;
  }

  /**
   * Hears of bytes that others may read as opcodes.
   *
   * @param start Offset of the first
   * @param stop Offset behind the last
   * @param reason Why
   */
  sweep(start: number, stop: number, reason: string): void {
    this.#sweeps = this.#sweeps.filter(({ done }) => !done);
    const { path } = this.#place;
    const tally = this.#tally;
    if (this.#sweeps.length >= MAX_SWEEPS) {
      const message = "too many ways to read it";
      tally.issue("limit", { message, offset: start, path });
      return;
    }
    const sweep = new Sweep({ start, stop }, (name) => {
      const entry = this.judge(name.module, name.name);
      const record = newRecord({ ...name, entry });
      record.count = 1;
      record.misused = true;
      if (entry.verdict !== "dangerous") raise(record, "unknown", reason);
      tally.find(record, path);
    });
    sweep.push(this.#reader.from(start), start);
    this.#sweeps.push(sweep);
  }

  async #lookInto(): Promise<void> {
    const { path, level } = this.#place;
    const offers = this.#offers;
    this.#offers = [];
    for (const { bytes, offset, loaded } of offers) {
      // Two machines may offer the same.
      if (this.#children?.has(offset) || this.#recent?.has(offset)) continue;
      const tally = new Tally();
      await this.#explorer.explore(bytes, {
        path: `${path}@${offset}`,
        role: loaded ? "loaded" : "nested",
        level: level + 1,
      }, tally);
      this.#keep(offset, tally);
    }
  }

  #keep(offset: number, tally: Tally): void {
    if (tally.isVoid) return;
    if (tally.isEmpty) {
      const recent = this.#recent ??= new Map<number, Tally>();
      recent.set(offset, tally);
      if (recent.size > MAX_RECENT) {
        for (const first of recent.keys()) {
          recent.delete(first);
          break;
        }
      }
      return;
    }
    const children = this.#children ??= new Map<number, Tally>();
    if (children.size < MAX_CHILDREN) {
      children.set(offset, tally);
      return;
    }
    this.#tally.merge(tally);
    if (this.#tooMany) return;
    this.#tooMany = true;
    const { path } = this.#place;
    const message = "too many values that hold pickles";
    this.#tally.issue("limit", { message, offset, path });
  }
}

/** The opcodes that give names. */
const NAMING = [0x63, 0x93, 0x69, 0x82, 0x83, 0x84];

/** Whether bytes can be no more than a pickle without a name. */
function isNameless(bytes: Uint8Array): boolean {
  // Texts in base64 have letters, and packed bytes are known by their first.
  if (bytes[0] !== 0x80 && mayBeBase64(bytes, true)) return false;
  for (const code of NAMING) if (bytes.includes(code)) return false;
  return sniff(bytes) === "pickle";
}

/** A string or bytes too long to be kept. */
class LongValue {
  readonly offset: number;
  readonly tally: Tally = new Tally();
  readonly #explorer: Explorer;
  readonly #place: Place;
  readonly #part: Part;
  readonly #isUtf8: boolean;
  #fits = true;
  #rest = new Uint8Array(0);
  #latin1: TextDecoder | undefined;
  #begun = false;
  #head = new Uint8Array(0);
  #base64: ChunkQueue | undefined;

  constructor(
    explorer: Explorer,
    about: { place: Place; offset: number; isUtf8: boolean },
  ) {
    this.#explorer = explorer;
    this.#place = about.place;
    this.offset = about.offset;
    this.#isUtf8 = about.isUtf8;
    this.#part = explorer.open(about.place, this.tally);
  }

  async push(part: Uint8Array): Promise<void> {
    if (this.#begun) return await this.#take(part);
    this.#head = concat(this.#head, part);
    if (this.#head.length < 4) return;
    const head = this.#head;
    this.#begun = true;
    this.#head = new Uint8Array(0);
    if (this.#isUtf8 && head[0] === 0xc2 && head[1] === 0x80) {
      // Bytes of protocols 0 to 2 stand as text, one character each.
      this.#latin1 = new TextDecoder();
    } else if (mayBeBase64(head.subarray(0, 4), false)) {
      this.#base64 = new ChunkQueue();
    }
    await this.#take(head);
  }

  async #take(part: Uint8Array): Promise<void> {
    for (let at = 0; at < part.length; at += PATIENCE) {
      const piece = part.subarray(at, at + PATIENCE);
      if (this.#isUtf8 && this.#fits) this.#check(piece);
      if (this.#latin1 === undefined) await this.#part.push(piece);
      else {
        const text = this.#latin1.decode(piece, { stream: true });
        await this.#part.push(latin1Bytes(text));
      }
      const base64 = this.#base64;
      if (base64 === undefined) continue;
      base64.push(piece);
      if (base64.size <= MAX_BASE64) continue;
      this.#base64 = undefined;
      const { path } = this.#place;
      const message = "base64 too long to be looked into";
      this.tally.issue("limit", { message, offset: 0, path });
    }
  }

  /** Whether it is UTF-8, as far as it has come. */
  #check(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : concat(this.#rest, piece);
    // Up to three bytes of a character may wait for its last.
    let end = bytes.length;
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const byte = bytes[bytes.length - back]!;
      if (byte < 0x80) break;
      if (byte >= 0xc0) {
        const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        if (size > back) end = bytes.length - back;
        break;
      }
    }
    this.#fits = isUtf8(bytes.subarray(0, end));
    this.#rest = bytes.slice(end);
  }

  /** Ends it; says whether it was UTF-8 if it had to be. */
  async end(): Promise<boolean> {
    if (!this.#begun && this.#head.length > 0) await this.#take(this.#head);
    await this.#part.end();
    if (this.#base64 !== undefined && this.tally.isEmpty) {
      await exploreBase64(this.#explorer, {
        bytes: this.#base64.join(),
        place: this.#place,
        tally: this.tally,
      });
    }
    return !this.#isUtf8 || this.#fits && this.#rest.length === 0;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/**
 * Looks at bytes that may be base64 of a pickle.
 *
 * @param explorer Who looks at what comes out
 * @param about The bytes, and where findings go
 */
export async function exploreBase64(
  explorer: Explorer,
  about: { bytes: Uint8Array; place: Place; tally: Tally },
): Promise<void> {
  const { bytes, place, tally } = about;
  const text = decodeLatin1(bytes).replace(/[\r\n]+/g, "")
    .replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]{12,}={0,2}$/.test(text)) return;
  let decoded;
  try {
    decoded = atob(text);
  } catch {
    return;
  }
  const inner = latin1Bytes(decoded);
  if (
    sniff(inner) === "pickle" && inner[0] !== 0x80 && inner.at(-1) !== 0x2e
  ) return;
  await explorer.explore(inner, {
    path: `${place.path}!base64`,
    role: "nested",
    level: place.level + 1,
  }, tally);
}

const LINES = /[ci]([A-Za-z_][\w.]{0,99})\n([A-Za-z_][\w.]{0,99})\n/g;
const STRINGS =
  /\x8c.([A-Za-z_][\w.]{0,99})(?:\x94|q.)?\x8c.([A-Za-z_][\w.]{0,99})(?:\x94|q.)?\x93/gs;

/** How much of what was searched is searched again with what follows. */
const OVERLAP = 300;
const MAX_SPELLED = 10_000;

/** Bytes that may be no pickle, searched for names if they are none. */
class Trail {
  readonly #tell: (name: Spelled) => boolean;
  readonly #sweep: Sweep;
  readonly #found = new Map<string, Spelled>();
  #waiting: [Uint8Array, number][] = [];
  #waitingSize = 0;
  #eager = false;
  #matters = false;
  #queue = new ChunkQueue();
  #size = 0;
  #at: number;

  constructor(tell: (name: Spelled) => boolean, at: number) {
    this.#tell = tell;
    this.#at = at;
    this.#sweep = new Sweep({ start: at, stop: Infinity }, (name) => {
      this.#find(name);
    });
  }

  push(chunk: Uint8Array, offset: number): void {
    if (!this.#eager) {
      this.#waiting.push([chunk, offset]);
      this.#waitingSize += chunk.length;
      if (this.#waitingSize > PATIENCE) this.#hurry();
      return;
    }
    this.#size += chunk.length;
    this.#sweep.push(chunk, offset);
    this.#queue.push(chunk);
    if (this.#queue.size >= 65_536) this.#searchText(OVERLAP);
  }

  /** Searches from now on, since it is no pickle. */
  search(): void {
    this.#matters = true;
    this.#hurry();
  }

  #hurry(): void {
    this.#eager = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [chunk, offset] of waiting) this.push(chunk, offset);
  }

  /** Ends it; says whether there is anything but the end of a line. */
  end(): boolean {
    if (!this.#matters) return false;
    if (this.#size <= 2) {
      const bytes = this.#queue.join();
      if (bytes.every((byte) => byte === 0x0a || byte === 0x0d)) return false;
    }
    this.#sweep.end();
    this.#searchText(0);
    for (const name of this.#found.values()) this.#tell(name);
    return true;
  }

  #find(name: Spelled): void {
    if (this.#found.size >= MAX_SPELLED) return;
    const key = `${name.module}\n${name.name}`;
    if (!this.#found.has(key)) this.#found.set(key, name);
  }

  #searchText(keep: number): void {
    const bytes = this.#queue.join();
    for (let at = 0; at < bytes.length; at += 1_000_000) {
      const text = decodeLatin1(bytes.subarray(at, at + 1_000_000 + OVERLAP));
      for (const pattern of [LINES, STRINGS]) {
        for (const match of text.matchAll(pattern)) {
          const offset = this.#at + at + match.index;
          this.#find({ module: match[1]!, name: match[2]!, offset });
        }
      }
    }
    const rest = bytes.subarray(Math.max(bytes.length - keep, 0));
    this.#at += bytes.length - rest.length;
    this.#queue = new ChunkQueue();
    if (keep > 0) this.#queue.push(rest.slice());
  }
}
