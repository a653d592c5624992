/** Inputs that are all there are of a kind: no seed decides. */

import type { Input } from "./inputs.ts";
import { spans } from "./mutations.ts";

/** What is told apart in a pickle: which opcodes follow which, by protocol. */
interface Candidate {
  bytes: Uint8Array;
  protocol: number;
  features: string[];
}

function candidate(bytes: Uint8Array): Candidate | undefined {
  const found = spans([...bytes]);
  // What cannot be read to its end would be refused at the same place.
  if (found.at(-1)?.opcode.name !== "STOP") return undefined;
  if (found.at(-1)!.end !== bytes.length) return undefined;
  const protocol = Math.max(
    ...found.map(({ opcode, content }) =>
      opcode.name === "PROTO" ? bytes[content]! : opcode.protocol
    ),
  );
  const names = found.map(({ opcode }) => opcode.name);
  const pairs = names.slice(1).map((name, i) => `${names[i]} ${name}`);
  return {
    bytes,
    protocol,
    features: [...new Set([...names, ...pairs])],
  };
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** How long a pickle may be of which every byte is changed. */
const SMALL = 112;

/**
 * Pickles that are small and have together as many opcodes, in as many orders,
 * as `count` of them can, of all protocols in turn.
 */
export function varied(
  all: readonly Uint8Array[],
  count: number,
): Uint8Array[] {
  const queues: Candidate[][] = [];
  const sorted = all.filter(({ length }) => length <= SMALL).sort(compareBytes);
  for (const [i, bytes] of sorted.entries()) {
    if (i > 0 && compareBytes(sorted[i - 1]!, bytes) === 0) continue;
    const found = candidate(bytes);
    // A protocol that there is not is refused at once.
    if (found === undefined || found.protocol > 5) continue;
    (queues[found.protocol] ??= []).push(found);
  }
  const chosen: Uint8Array[] = [];
  const seen = new Set<string>();
  const protocols = queues.filter((queue) => queue !== undefined);
  for (let i = 0; chosen.length < count; i++) {
    if (protocols.every((queue) => queue.length === 0)) break;
    const queue = protocols[i % protocols.length]!;
    let best = -1;
    let most = -1;
    for (const [j, { bytes, features }] of queue.entries()) {
      // The longer one where both are as new.
      let worth = bytes.length / (SMALL + 1);
      for (const feature of features) if (!seen.has(feature)) worth++;
      if (worth > most) [best, most] = [j, worth];
    }
    if (best < 0) continue;
    const [{ bytes, features }] = queue.splice(best, 1) as [Candidate];
    chosen.push(bytes);
    for (const feature of features) seen.add(feature);
  }
  return chosen;
}

/** Each byte of each pickle, changed to each of the 255 others. */
export function* changes(pickles: Iterable<Uint8Array>): Generator<Input> {
  for (const pickle of pickles) {
    for (const [at, old] of pickle.entries()) {
      for (let byte = 0; byte < 256; byte++) {
        if (byte !== old) {
          yield { kind: "changed", bytes: pickle.with(at, byte) };
        }
      }
    }
  }
}

/** Each proper prefix of each file, each once. */
export function* cuts(files: readonly Uint8Array[]): Generator<Input> {
  let before: Uint8Array | undefined;
  // Those with the same beginning are neighbours.
  for (const file of [...files].sort(compareBytes)) {
    let size = 0;
    if (before !== undefined) {
      // Proper prefixes of the one before are done.
      while (size < before.length && before[size] === file[size]) size++;
      if (size < before.length) size++;
    }
    for (; size < file.length; size++) {
      yield { kind: "cut", bytes: file.slice(0, size) };
    }
    before = file;
  }
}
