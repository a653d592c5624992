import {
  type Opcode,
  OPCODE_BY_CODE,
  OPCODES,
} from "../../lib/pickle/opcodes.ts";
import { ARGUMENT_LAYOUTS } from "../../lib/pickle/arguments.ts";
import { readGzip } from "../pickle/dis_support.ts";
import { memoSoup } from "./memo_soup.ts";
import { mutateOpcodes } from "./mutations.ts";
import { Random } from "./random.ts";

/** The kinds that are made up at random, with how much there is of each. */
export const SHARES = {
  mutated: 36,
  soup: 35,
  memo: 8,
  json: 18,
  random: 3,
} as const;

export type RandomKind = keyof typeof SHARES;

export interface Input {
  kind: RandomKind | "changed" | "cut";
  bytes: Uint8Array;
  /** Whether it goes to the doors of JSON; as a pickle if not. */
  json?: boolean;
}

/** Small pickles to begin with: all fixtures that are shorter than `limit`. */
export async function seeds(limit = 750): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  function add(base64: string): void {
    const bytes = Uint8Array.fromBase64(base64);
    if (bytes.length < limit) found.push(bytes);
  }
  for (const name of ["values", "handwritten", "cpython"]) {
    const lines = (await readGzip(`${name}.jsonl.gz`)).trim().split("\n");
    for (const line of lines) {
      for (const [base64] of JSON.parse(line).pickles) add(base64);
    }
  }
  for (
    const line of (await readGzip("hostile/hostile.jsonl.gz")).trim()
      .split("\n")
  ) {
    add(JSON.parse(line).base64);
  }
  return found;
}

const LENGTHS = [0, 1, 2, 3, 4, 8, 255, 256, 65535, 0x7fffffff, 0xffffffff];

function number(random: Random, size: number): number[] {
  const value = random.once(3) ? random.next() : random.pick(LENGTHS);
  const bytes: number[] = [];
  for (let i = 0; i < size; i++) {
    bytes.push(i < 4 ? (value >>> (8 * i)) & 255 : random.once(9) ? 255 : 0);
  }
  return bytes;
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0) & 255);
}

const TEXTS = [
  "",
  "a",
  "__proto__",
  "constructor",
  "toString",
  "é",
  "日本",
  "😀",
  "\ud83d",
  "\0\n\r\\'\"",
  "x".repeat(30),
  "1",
  "-0",
  "os",
  "system",
  "builtins",
  "datetime",
  "latin1",
];

function text(random: Random): number[] {
  if (random.once(8)) {
    return Array.from({ length: random.below(8) }, () => random.below(256));
  }
  const bytes = new TextEncoder().encode(random.pick(TEXTS));
  return random.once(9) ? [0xed, 0xa0, 0xbd, ...bytes] : [...bytes];
}

const NUMBERS = [
  "0",
  "1",
  "00",
  "01",
  "-1",
  "12L",
  "1_0",
  " 5",
  "0x10",
  "010",
  "9".repeat(17),
  "9".repeat(40),
  "+1",
  "",
  "-",
  "1.5",
  "1e400",
  "-1e-400",
  "inf",
  "-nan",
  ".5",
  "1\0",
  "abc",
];

const GLOBALS = [
  "builtins\nset",
  "builtins\nlist",
  "builtins\nbytearray",
  "builtins\nbytes",
  "builtins\ncomplex",
  "builtins\nrange",
  "builtins\nslice",
  "builtins\nobject",
  "builtins\ngetattr",
  "builtins\nValueError",
  "builtins\nEllipsis",
  "__builtin__\nset",
  "__builtin__\nunicode",
  "_codecs\nencode",
  "copyreg\n_reconstructor",
  "copy_reg\n_reconstructor",
  "collections\nOrderedDict",
  "collections\ndeque",
  "collections\ndefaultdict",
  "collections\nCounter",
  "datetime\ndatetime",
  "datetime\ndate",
  "datetime\ntime",
  "datetime\ntimedelta",
  "datetime\ntimezone",
  "decimal\nDecimal",
  "fractions\nFraction",
  "uuid\nUUID",
  "pathlib\nPosixPath",
  "types\nSimpleNamespace",
  "ipaddress\nIPv4Address",
  "array\narray",
  "array\n_array_reconstructor",
  "numpy\ndtype",
  "numpy\nndarray",
  "numpy.core.multiarray\n_reconstruct",
  "numpy.core.multiarray\nscalar",
  "numpy.core.numeric\n_frombuffer",
  "pandas.core.frame\nDataFrame",
  "pandas.core.internals.managers\nBlockManager",
  "pandas._libs.internals\n_unpickle_block",
  "torch\nFloatStorage",
  "torch._utils\n_rebuild_tensor_v2",
  "joblib.numpy_pickle\nNumpyArrayWrapper",
  "functools\npartial",
  "re\n_compile",
  "os\nsystem",
  "m\nC",
  "m\nC.D",
  "__proto__\nconstructor",
  "Object\nprototype",
];

/** An argument of an opcode, right more often than not. */
function argument(random: Random, { argument, name }: Opcode): number[] {
  const layout = ARGUMENT_LAYOUTS[argument];
  if (layout.fixed > 0) {
    if (argument === "uint1") return [random.below(random.once(9) ? 256 : 6)];
    if (argument === "float8") {
      return random.pick([
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0x80, 0, 0, 0, 0, 0, 0, 0],
        [0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
        [0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
        [0x7f, 0xf8, 0, 0, 0, 0, 0, 1],
        [0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18],
      ]);
    }
    if (name === "LONG_BINGET" || name === "LONG_BINPUT") {
      return random.once(9) ? number(random, 4) : [random.below(6), 0, 0, 0];
    }
    return number(random, layout.fixed);
  }
  if (layout.lines === 2) return ascii(random.pick(GLOBALS) + "\n");
  if (layout.lines === 1) {
    switch (argument) {
      case "decimalnl_short":
      case "decimalnl_long":
      case "floatnl":
        return ascii(
          (name === "GET" || name === "PUT" && !random.once(9)
            ? String(random.below(6))
            : random.pick(NUMBERS)) + "\n",
        );
      case "stringnl":
        return [
          ...ascii(random.once(20) ? "" : "'"),
          ...ascii(random.pick(["a", "\\x41", "\\n", "\\q", "\\", "é", "b c"])),
          ...ascii(random.once(20) ? '"\n' : "'\n"),
        ];
      default:
        return [
          ...ascii(
            random.pick([
              "a",
              "\\u00e9",
              "\\U0001f600",
              "\\ud83d",
              "\\u1",
              "é",
            ]),
          ),
          0x0a,
        ];
    }
  }
  const content = argument.startsWith("long")
    ? Array.from({ length: random.below(12) }, () => random.below(256))
    : text(random);
  if (random.once(30)) return [...number(random, layout.prefix), ...content];
  const length = new Array<number>(layout.prefix).fill(0);
  length[0] = content.length;
  return [...length, ...content];
}

const PUSHES = (OPCODES as readonly Opcode[]).filter(({ before, after }) =>
  before.length === 0 && after.length === 1 && after[0] !== "mark"
);

/** Opcodes that mostly find on the stack what they need. */
export function opcodeSoup(random: Random): Uint8Array {
  const bytes: number[] = [];
  if (!random.once(4)) bytes.push(0x80, random.below(6));
  let depth = 0;
  const marks: number[] = [];
  const count = 1 + random.below(random.once(10) ? 60 : 15);
  let stored = 0;
  for (let i = 0; i < count; i++) {
    let opcode: Opcode = random.once(2)
      ? random.pick(PUSHES)
      : random.pick(OPCODES as readonly Opcode[]);
    const { name, before } = opcode;
    if (name === "STOP" && !random.once(9)) continue;
    if (name === "FRAME" && !random.once(9)) continue;
    const fits = before.includes("mark")
      ? marks.length > 0 && depth - marks.at(-1)! >= 0
      : depth - (marks.at(-1) ?? 0) >= before.length;
    if (!fits && !random.once(40)) opcode = random.pick(PUSHES);
    if (opcode.name.endsWith("GET") && stored === 0 && !random.once(20)) {
      opcode = OPCODE_BY_CODE[0x4e]!;
    }
    // Calls want a class and a tuple.
    if (
      (opcode.name === "REDUCE" || opcode.name === "NEWOBJ") &&
      !random.once(5)
    ) {
      bytes.push(0x63, ...ascii(random.pick(GLOBALS) + "\n"));
      const size = random.below(3);
      if (size === 0) bytes.push(0x29);
      else {
        for (let j = 0; j < size; j++) {
          const push = random.pick(PUSHES);
          bytes.push(push.code, ...argument(random, push));
        }
        bytes.push(0x84 + size);
      }
      depth += 2;
    }
    bytes.push(opcode.code, ...argument(random, opcode));
    if (opcode.name.endsWith("PUT") || opcode.name === "MEMOIZE") stored++;
    if (opcode.name === "MARK") marks.push(depth);
    else if (opcode.before.includes("mark")) {
      depth = (marks.pop() ?? 0) - opcode.before.indexOf("mark") +
        opcode.after.length;
    } else depth += opcode.after.length - opcode.before.length;
    depth = Math.max(depth, 0);
  }
  if (depth === 0) bytes.push(0x4e);
  if (!random.once(20)) bytes.push(0x2e);
  if (random.once(20)) bytes.push(random.below(256), 0x4e, 0x2e);
  return Uint8Array.from(bytes);
}

/** A pickle that was right, a little wrong. */
export function mutated(
  random: Random,
  all: readonly Uint8Array[],
): Uint8Array {
  let bytes = [...random.pick(all)];
  const rounds = 1 + random.below(3);
  for (let i = 0; i < rounds; i++) {
    if (random.once(2)) {
      mutateOpcodes(random, bytes);
      continue;
    }
    const at = random.below(bytes.length + 1);
    switch (random.below(9)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        if (at < bytes.length) {
          bytes[at] = random.pick([0, 1, 127, 128, 255, 10]);
        }
        break;
      case 2:
        bytes.splice(at, 1 + random.below(4));
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(12)));
        break;
      case 4: {
        const opcode = random.pick(OPCODES as readonly Opcode[]);
        bytes.splice(at, 0, opcode.code, ...argument(random, opcode));
        break;
      }
      case 5: {
        const other = random.pick(all);
        bytes = [...bytes.slice(0, at), ...other.subarray(random.below(9))];
        break;
      }
      case 6:
        bytes.length = at;
        break;
      case 7:
        bytes.splice(at, 4, ...number(random, 4));
        break;
      case 8: {
        const other = random.pick(all);
        bytes.push(...other);
        break;
      }
    }
  }
  return Uint8Array.from(bytes.slice(0, 4000));
}

const JSON_PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"a"',
  '"__proto__"',
  '"\\u00e9"',
  '"\\ud83d\\ude00"',
  '"\\ud83d"',
  '"é😀"',
  '"\\n\\/"',
  '"\\x"',
  '"\t"',
  '"',
  "0",
  "-0",
  "1",
  "-1.5e3",
  "1e400",
  "01",
  "1.",
  "12345678901234567890",
  "1.0",
  "true",
  "false",
  "null",
  "NaN",
  "-Infinity",
  "nul",
  " ",
  "\n",
  "\ufeff",
  "\0",
];

function jsonValue(random: Random, depth: number): string {
  const kind = random.below(depth > 4 ? 6 : 9);
  if (kind < 6) {
    return random.pick([
      '"a"',
      '"\\u00e9\\ud83d"',
      '"é😀"',
      "0",
      "-0",
      "1.0",
      "1e5",
      "9007199254740993",
      "-12345678901234567890",
      "1e400",
      "5e-324",
      "true",
      "false",
      "null",
      '""',
      '"__proto__"',
    ]);
  }
  const items = Array.from(
    { length: random.below(4) },
    () => jsonValue(random, depth + 1),
  );
  if (kind === 6) return `[${items.join(random.once(3) ? " , " : ",")}]`;
  return `{${
    items.map((item) =>
      `${random.pick(['"a"', '"b"', '"__proto__"', '"1"', '""'])}:${item}`
    ).join(",")
  }}`;
}

/** JSON, or what looks like it. */
export function jsonSoup(random: Random): Uint8Array {
  let text: string;
  if (random.once(3)) {
    text = "";
    for (let i = random.below(14); i >= 0; i--) {
      text += random.pick(JSON_PIECES);
    }
  } else {
    text = jsonValue(random, 0);
    if (random.once(2)) {
      const at = random.below(text.length + 1);
      text = text.slice(0, at) + random.pick(JSON_PIECES) +
        text.slice(at + random.below(3));
    }
    if (random.once(4)) {
      text += random.pick(["\n", " ", ""]) + jsonValue(random, 2);
    }
  }
  const bytes = new TextEncoder().encode(text);
  if (random.once(12) && bytes.length > 0) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return bytes;
}

/** Bytes without any sense. */
function noise(random: Random): Uint8Array {
  const length = random.below(random.once(10) ? 1000 : 40);
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Inputs made up at random, of one kind alone if it is named. */
export function* madeUp(
  seed: number,
  runs: number,
  options: { pickles: readonly Uint8Array[]; kind?: RandomKind | undefined },
): Generator<Input> {
  const names = Object.keys(SHARES) as RandomKind[];
  const mix = names.flatMap((name) =>
    new Array<RandomKind>(SHARES[name]).fill(name)
  );
  for (let run = 0; run < runs; run++) {
    // Each input by its own seed, so that one can be made again alone.
    const random = new Random(seed + run * 0x9e3779b1);
    const kind = options.kind ?? random.pick(mix);
    switch (kind) {
      case "mutated":
        yield { kind, bytes: mutated(random, options.pickles) };
        break;
      case "soup":
        yield { kind, bytes: opcodeSoup(random) };
        break;
      case "memo":
        yield { kind, bytes: memoSoup(random) };
        break;
      case "json":
        yield { kind, bytes: jsonSoup(random), json: true };
        break;
      case "random":
        yield { kind, bytes: noise(random), json: random.once(8) };
    }
  }
}
