/**
 * Changes that know where opcodes stand: what remains is mostly read to the
 * place of the change, and beyond it.
 */

import {
  ARGUMENT_LAYOUTS,
  type ArgumentLayout,
} from "../../lib/pickle/arguments.ts";
import {
  type Opcode,
  OPCODE_BY_CODE,
  OPCODES,
} from "../../lib/pickle/opcodes.ts";
import type { Random } from "./random.ts";

/** An opcode of a pickle; its argument's content is from `content` to `end`. */
export interface Span {
  opcode: Opcode;
  start: number;
  content: number;
  end: number;
}

function lengthOf(bytes: readonly number[], at: number, size: number): number {
  let length = 0;
  for (let i = size - 1; i >= 0; i--) length = length * 256 + bytes[at + i]!;
  return length;
}

/** The whole opcodes that a pickle begins with. */
export function spans(bytes: readonly number[]): Span[] {
  const found: Span[] = [];
  for (let start = 0; start < bytes.length;) {
    const opcode: Opcode | undefined = OPCODE_BY_CODE[bytes[start]!];
    if (opcode === undefined) break;
    const { fixed, prefix, lines } = ARGUMENT_LAYOUTS[opcode.argument];
    const content = start + 1 + prefix;
    let end = content + fixed;
    if (prefix > 0) end += lengthOf(bytes, start + 1, prefix);
    for (let i = 0; i < lines; i++) {
      // The end of the bytes, and one more, where a line is cut.
      end = (bytes.indexOf(0x0a, end) + 1) || bytes.length + 1;
    }
    // A length that is cut gives NaN.
    if (!(end <= bytes.length)) break;
    found.push({ opcode, start, content, end });
    start = end;
  }
  return found;
}

function layoutOf({ argument }: Opcode): ArgumentLayout {
  return ARGUMENT_LAYOUTS[argument];
}

const ALIKE = new Map<Opcode, Opcode[]>();
for (const opcode of OPCODES as readonly Opcode[]) {
  const { fixed, prefix, lines } = layoutOf(opcode);
  ALIKE.set(
    opcode,
    (OPCODES as readonly Opcode[]).filter((other) => {
      const layout = layoutOf(other);
      return layout.fixed === fixed && layout.prefix === prefix &&
        layout.lines === lines;
    }),
  );
}

/** The lowest and highest integers of so many bytes, with and without sign. */
function boundary(random: Random, size: number): number[] {
  const [inner, last] = random.pick([
    [0x00, 0x00],
    [0xff, 0xff],
    [0xff, 0x7f],
    [0x00, 0x80],
    [0x00, 0x01],
    [0xff, 0x00],
  ]);
  return Array.from({ length: size }, (_, i) => i < size - 1 ? inner! : last!);
}

/** One more or one less, in little-endian bytes. */
function neighbour(random: Random, bytes: readonly number[]): number[] {
  const step = random.once(2) ? 1 : 255;
  const found = [...bytes];
  for (let i = 0; i < found.length; i++) {
    found[i] = (found[i]! + step) & 255;
    if (found[i] !== (step === 1 ? 0 : 255)) break;
  }
  return found;
}

const DECIMALS = [
  "0",
  "-1",
  "255",
  "256",
  "65536",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "9007199254740992",
  "-9007199254740993",
  "9223372036854775807",
  "-9223372036854775809",
  "18446744073709551616",
];

function decimal(random: Random, line: readonly number[]): number[] {
  const old = Number.parseInt(String.fromCharCode(...line), 10);
  const text = !Number.isNaN(old) && random.once(2)
    ? String(old + (random.once(2) ? 1 : -1))
    : random.pick(DECIMALS);
  return Array.from(text, (digit) => digit.charCodeAt(0));
}

const CHARACTERS = [
  ..."\0\t\n\r '\"\\._/:09Az",
].map((character) => character.charCodeAt(0)).concat([
  0x7f,
  0x80,
  0xbf,
  0xc3,
  0xed,
  0xf4,
  0xff,
]);

/** A place for opcodes, as an index of `bytes`. */
function place(random: Random, found: readonly Span[]): number {
  const { start, end } = random.pick(found);
  return random.once(2) ? start : end;
}

/** Opcodes in a row. */
function range(random: Random, found: readonly Span[]): [number, number] {
  const first = random.below(found.length);
  const last = Math.min(first + random.below(4), found.length - 1);
  return [found[first]!.start, found[last]!.end];
}

type Mutation = (random: Random, bytes: number[], found: Span[]) => void;

/** Applies a change to one of the opcodes that `fits`, if there is one. */
function atOne(
  fits: (span: Span) => boolean,
  change: (random: Random, bytes: number[], span: Span) => void,
): Mutation {
  return (random, bytes, found) => {
    const fitting = found.filter(fits);
    if (fitting.length > 0) change(random, bytes, random.pick(fitting));
  };
}

function replace(
  bytes: number[],
  start: number,
  end: number,
  content: readonly number[],
): void {
  bytes.splice(start, end - start, ...content);
}

function isDecimal({ argument }: Opcode): boolean {
  return argument.startsWith("decimalnl");
}

/** Another number in the place of an argument that is one. */
function changeNumber(random: Random, bytes: number[], span: Span): void {
  const { opcode, content, end } = span;
  const old = bytes.slice(content, end);
  if (isDecimal(opcode)) {
    replace(bytes, content, end - 1, decimal(random, old));
  } else if (random.once(2)) {
    replace(bytes, content, end, neighbour(random, old));
  } else {
    replace(bytes, content, end, boundary(random, old.length));
  }
}

const MUTATIONS: readonly Mutation[] = [
  function removeOpcodes(random, bytes, found): void {
    const [start, end] = range(random, found);
    bytes.splice(start, end - start);
  },
  function repeatOpcodes(random, bytes, found): void {
    const [start, end] = range(random, found);
    bytes.splice(place(random, found), 0, ...bytes.slice(start, end));
  },
  function moveOpcodes(random, bytes, found): void {
    const [start, end] = range(random, found);
    const to = place(random, found);
    const moved = bytes.splice(start, end - start);
    // Into what is moved: to where it was.
    const at = to >= end ? to - moved.length : Math.min(to, start);
    bytes.splice(at, 0, ...moved);
  },
  atOne(() => true, (random, bytes, { opcode, start }) => {
    bytes[start] = random.pick(ALIKE.get(opcode)!).code;
  }),
  atOne(
    ({ opcode }) =>
      layoutOf(opcode).fixed > 0 || isDecimal(opcode) ||
      opcode.argument.startsWith("long"),
    changeNumber,
  ),
  atOne(({ opcode }) => /(?:GET|PUT)$/.test(opcode.name), (...of) => {
    const [random, bytes, { opcode, content, end }] = of;
    if (random.once(3)) changeNumber(...of);
    else if (isDecimal(opcode)) {
      replace(bytes, content, end - 1, [0x30 + random.below(4)]);
    } else bytes[content] = random.below(4);
  }),
  // The content stays: what follows is read as content, or the reverse.
  atOne(
    ({ opcode }) => layoutOf(opcode).prefix > 0,
    (random, bytes, { start, content }) => {
      const old = bytes.slice(start + 1, content);
      replace(
        bytes,
        start + 1,
        content,
        random.once(3)
          ? boundary(random, old.length)
          : random.once(3)
          ? [random.below(20), ...old.slice(1)]
          : neighbour(random, old),
      );
    },
  ),
  // In texts and names.
  atOne(({ opcode, content, end }) => {
    const { prefix, lines } = layoutOf(opcode);
    return end > content && (prefix > 0 || lines > 0);
  }, (random, bytes, { content, end }) => {
    const at = content + random.below(end - content);
    bytes[at] = random.once(3)
      ? bytes[at]! ^ 0x20
      : random.once(3)
      ? (bytes[at]! + 1) & 255
      : random.pick(CHARACTERS);
  }),
];

/** Changes one of a pickle's opcodes, or moves some. */
export function mutateOpcodes(random: Random, bytes: number[]): void {
  const found = spans(bytes);
  if (found.length > 0) random.pick(MUTATIONS)(random, bytes, found);
}
