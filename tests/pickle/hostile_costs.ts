/**
 * Inputs that ask for much and must be refused at once, in little memory.
 *
 * @module
 */

/** One such input. */
export interface HostileCost {
  readonly name: string;
  readonly doors: readonly ("loads" | "stream" | "transcoder" | "json")[];
  make(): Uint8Array<ArrayBuffer>;
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A pattern, over and over, after a beginning. */
function repeated(
  head: string,
  pattern: string,
  count: number,
): Uint8Array<ArrayBuffer> {
  const start = latin1(head);
  const unit = latin1(pattern);
  const bytes = new Uint8Array(start.length + unit.length * count);
  bytes.set(start);
  for (let i = 0; i < count; i++) {
    bytes.set(unit, start.length + i * unit.length);
  }
  return bytes;
}

const MILLION = 1_000_000;
const ALL_DOORS = ["loads", "stream", "transcoder"] as const;
const costs: HostileCost[] = [];

function add(
  name: string,
  make: () => Uint8Array<ArrayBuffer>,
  doors: HostileCost["doors"] = ALL_DOORS,
): void {
  costs.push({ name, make, doors });
}

add("a million lists, cut", () => repeated("", "]", MILLION));
add("a million lists behind marks, cut", () => repeated("", "](", MILLION));
add("a million tuples, cut", () => repeated(")", "\x85", MILLION));
add("a million pairs, cut", () => repeated("N", "2\x86", MILLION));
add("a million dicts, cut", () => repeated("", "}K\0", MILLION));
add("a million sets, cut", () => repeated("", "\x8f(", MILLION));
add("a million frozensets, cut", () => repeated("(", "\x91(", MILLION));
add("a million objects, cut", () => repeated("", "(cx\ny\n", MILLION));
add("a million marks, cut", () => repeated("", "(", MILLION));
add("ten million marks", () => repeated("", "(", 10 * MILLION));
add("a million memo entries, cut", () => repeated("N", "\x94", MILLION));
add("a million empty bytes, cut", () => repeated("", "C\0", MILLION));

const ALL = "\xff".repeat(8);
for (
  const [name, head] of [
    ["BINSTRING", "T\xff\xff\xff\x7f"],
    ["SHORT_BINSTRING", "U\xff"],
    ["BINUNICODE", "X\xff\xff\xff\xff"],
    ["SHORT_BINUNICODE", "\x8c\xff"],
    ["BINUNICODE8", `\x8d${ALL}`],
    ["BINBYTES", "B\xff\xff\xff\xff"],
    ["SHORT_BINBYTES", "C\xff"],
    ["BINBYTES8", `\x8e${ALL}`],
    ["BYTEARRAY8", `\x96${ALL}`],
    ["LONG1", "\x8a\xff"],
    ["LONG4", "\x8b\xff\xff\xff\x7f"],
    ["FRAME", `\x95${ALL}`],
  ] as const
) {
  add(`${name} of all the bytes there are`, () => latin1(`${head}abc.`));
}

const MAX = "\xff\xff\xff\xff";
add("LONG_BINGET 2^32-1", () => latin1(`j${MAX}.`));
add("GET 2^32-1", () => latin1("g4294967295\n."));
add("GET 2^64", () => latin1("g18446744073709551616\n."));
add("LONG_BINPUT 2^32-1, cut", () => latin1(`Nr${MAX}`));
add("PUT 2^32-1, cut", () => latin1("Np4294967295\n"));
add("PUT 2^64, cut", () => latin1("Np18446744073709551616\n"));

const DIGITS = "9".repeat(4301);
add("INT of 4,301 digits", () => latin1(`I${DIGITS}\n.`));
add("LONG of 4,301 digits", () => latin1(`L${DIGITS}L\n.`));
add("INT of a million digits", () => repeated("I", "9", MILLION));
add("LONG of a million digits", () => repeated("L", "9", MILLION));
add("PUT of 4,301 digits", () => latin1(`Np${DIGITS}\n.`));
add("GET of 4,301 digits", () => latin1(`g${DIGITS}\n.`));
// As `str()` refuses it, JSON does; the value itself is none of too many.
add(
  "LONG4 of 4,301 digits",
  () => latin1(`\x8b\0\x07\0\0${"\x7f".repeat(0x700)}.`),
  ["transcoder"],
);
add(
  "LONG4 of a million bytes",
  () => repeated("\x8b\x40\x42\x0f\0", "\x7f", MILLION + 1),
  ["transcoder"],
);
add("JSON integer of 4,301 digits", () => latin1(`[${DIGITS}]`), ["json"]);
add("JSON integer of a million digits", () => repeated("[", "9", MILLION), [
  "json",
]);
add("JSON of a million lists", () => repeated("", "[", MILLION), ["json"]);
add("JSON of a million dicts", () => repeated("", '{"":', MILLION), ["json"]);

add("records, cut", () =>
  repeated(
    "\x80\x02](",
    "}(U\x01aK\x01U\x01bU\x05hellou",
    50_000,
  ));

/** All of them. */
export const HOSTILE_COSTS: readonly HostileCost[] = costs;
