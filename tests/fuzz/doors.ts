import { ACTIVE_OPCODES } from "../support/active_opcodes.ts";
import { JSONDecodeError, JSONEncodeError } from "../../lib/json/errors.ts";
import { loads as loadsJson } from "../../lib/json/decoder.ts";
import { JsonDecoder } from "../../lib/json/json_decoder.ts";
import { dumps as dumpsJson } from "../../lib/json/encoder.ts";
import { JsonDecoderStream } from "../../lib/json/streams.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import { decodeLatin1 } from "../../lib/pickle/arguments.ts";
import { dis } from "../../lib/pickle/dis.ts";
import { dumps } from "../../lib/pickle/dump.ts";
import { PicklingError, UnpicklingError } from "../../lib/pickle/errors.ts";
import { loads } from "../../lib/pickle/load.ts";
import { OpcodeReader } from "../../lib/pickle/opcode_reader.ts";
import { optimize } from "../../lib/pickle/optimize.ts";
import { scan } from "../../lib/pickle/scan.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { LimitError } from "../../lib/python/limits.ts";
import { type Machine, MORE } from "../../lib/streams/machine_stream.ts";
import { jsonToPickleMachine } from "../../lib/transcode/json_to_pickle.ts";
import { pickleToJsonMachine } from "../../lib/transcode/pickle_to_json.ts";
import { type PicklePlan, planPickle } from "../../lib/transcode/plan.ts";
import "../../mod.ts";

/** What a door gave: a text that says all, to be compared. */
export type Outcome = string;

/** Something that must not be. */
export class Finding extends Error {
  constructor(readonly kind: string, detail: string) {
    super(`${kind}: ${detail}`);
  }
}

/** An error that Brine says it throws, as a text; any other is a bug. */
export function describeError(error: unknown): Outcome {
  if (error instanceof UnpicklingError) {
    return `UnpicklingError ${error.code} ${error.offset} ${error.opcode}`;
  }
  if (error instanceof JSONDecodeError) {
    return `JSONDecodeError ${error.code} ${error.msg} ${error.pos} ${error.lineno} ${error.colno}`;
  }
  if (error instanceof JSONEncodeError) return `JSONEncodeError ${error.code}`;
  if (error instanceof LimitError) return `LimitError ${error.limit}`;
  if (error instanceof PicklingError) return `PicklingError ${error.code}`;
  throw new Finding(
    "foreign error",
    error instanceof Error ? `${error.stack}` : String(error),
  );
}

/** A value as the pickle of it: sharing and types are seen. */
export function describeValue(value: unknown): Outcome {
  try {
    return dumps(value, { protocol: 4 }).toHex();
  } catch (error) {
    return describeError(error);
  }
}

function attempt(action: () => unknown): Outcome {
  let value;
  try {
    value = action();
  } catch (error) {
    return describeError(error);
  }
  return describeValue(value);
}

/** Cuts bytes into chunks. */
export function* cut(
  bytes: Uint8Array,
  size: () => number,
): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(at + size(), bytes.length);
    // Copies, so that a machine that keeps a view too long is found out.
    yield bytes.slice(at, end);
    at = end;
  }
}

/** All that a machine gives, one outcome each, the error last. */
export function runMachine<O>(
  machine: Machine<Uint8Array, O>,
  chunks: Iterable<Uint8Array>,
  describe: (output: O) => Outcome,
): Outcome[] {
  const found: Outcome[] = [];
  try {
    const drain = () => {
      for (let out; (out = machine.pull()) !== MORE;) {
        found.push(describe(out as O));
      }
    };
    drain();
    for (const chunk of chunks) {
      machine.push(chunk);
      drain();
    }
    machine.end();
    drain();
  } catch (error) {
    found.push(describeError(error));
  }
  return found;
}

/** All that a stream gives. */
async function runStream(
  stream: TransformStream<Uint8Array, unknown>,
  chunks: Iterable<Uint8Array>,
): Promise<Outcome[]> {
  const found: Outcome[] = [];
  try {
    const source = ReadableStream.from(chunks);
    for await (const value of source.pipeThrough(stream)) {
      found.push(describeValue(value));
    }
  } catch (error) {
    found.push(describeError(error));
  }
  return found;
}

function same(kind: string, a: unknown, b: unknown): void {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  if (left !== right) {
    throw new Finding(
      kind,
      `\n  ${left.slice(0, 600)}\n  ${right.slice(0, 600)}`,
    );
  }
}

function toText(chunks: Outcome[]): Outcome[] {
  const texts: string[] = [];
  let text = "";
  for (const chunk of chunks) {
    if (
      /^(?:Unpickling|Limit|JSONDecode|JSONEncode|Pickling)Error /.test(chunk)
    ) {
      texts.push(text, chunk);
      text = "";
    } else text += chunk;
  }
  texts.push(text);
  return texts;
}

/** What was written before an error depends on how much was held back. */
function sameText(kind: string, a: Outcome[], b: Outcome[]): void {
  if (
    a.length === b.length && a.length > 1 &&
    (a[0]!.startsWith(b[0]!) || b[0]!.startsWith(a[0]!))
  ) same(kind, a.slice(1), b.slice(1));
  else same(kind, a, b);
}

function isTooLong(text: Outcome[]): boolean {
  return text.includes("LimitError outputBytes");
}

/** Shared values are written out each time. */
const MAX_TEXT = 1_000_000;

const STRICT = { fatal: true, ignoreBOM: true };

function transcode(
  chunks: Iterable<Uint8Array>,
  plan?: PicklePlan,
): Outcome[] {
  const decoder = new TextDecoder("utf-8", STRICT);
  return toText(
    runMachine(
      pickleToJsonMachine({ limits: { outputBytes: MAX_TEXT }, plan }),
      chunks,
      (bytes) => decoder.decode(bytes, { stream: true }),
    ),
  );
}

export interface DoorOptions {
  /** Sizes of the chunks, at random. */
  size: () => number;
  /** Whether Web streams are tried as well, which takes longer. */
  streams: boolean;
  /** Whether `loads` and the transcoder must write the same JSON. */
  texts: boolean;
}

/** Takes a pickle through every door; throws a Finding where they differ. */
export async function pickleDoors(
  bytes: Uint8Array,
  { size, streams, texts }: DoorOptions,
): Promise<Outcome> {
  const one = () => 1;
  const whole = attempt(() => loads(bytes));
  const all = runMachine(new Unpickler(), [bytes], describeValue);
  same("loads and stream", whole, all[0] ?? emptyOutcome(bytes));
  same(
    "one-byte stream",
    all,
    runMachine(new Unpickler(), cut(bytes, one), describeValue),
  );
  same(
    "cut stream",
    all,
    runMachine(new Unpickler(), cut(bytes, size), describeValue),
  );
  const options = { dicts: "map", floats: "exact" } as const;
  const exact = attempt(() => loads(bytes, options));
  // 1.0 is no index of a list, and only there it is not 1.
  if (!/^UnpicklingError bad-target \d+ SETITEMS?$/.test(exact)) {
    same("error of exact values", isError(whole), isError(exact));
  }

  const latin1 = decodeLatin1(bytes);
  const text = transcode([bytes]);
  // joblib's arrays lie between opcodes, which optimize does not know.
  const joblib = latin1.includes("joblib");
  sameText("one-byte transcoder", text, transcode(cut(bytes, one)));
  sameText("cut transcoder", text, transcode(cut(bytes, size)));
  // What is farther away than a few bytes cannot be put right.
  const plan = await planPickle(cut(bytes, size), { window: 8 * size() });
  const planned = transcode([bytes], plan);
  // It may give up, and what contains itself may be too long before that shows.
  if (
    isTooLong(text) === isTooLong(planned) &&
    !planned.some((outcome) => outcome.includes("Error not-streamable"))
  ) sameText("planned transcoder", text, planned);

  const last = all.at(-1) ?? "";
  // What is made of itself can be told apart from nothing, and not be dumped.
  if (
    text.length === 1 && isError(last) && last !== "PicklingError circular"
  ) {
    throw new Finding("transcoder takes what cannot be loaded", last);
  }

  const instructions = readOpcodes([bytes]);
  same("one-byte opcodes", instructions, readOpcodes(cut(bytes, one)));
  attemptText(() => dis(bytes, { annotate: 30 }));
  const { verdict } = await scan(bytes);
  if (verdict === "safe" && isError(whole) && STRUCTURAL.test(whole)) {
    throw new Finding("scan calls safe what cannot be loaded", whole);
  }

  if (!isError(exact)) {
    const again = Uint8Array.fromHex(exact);
    same("round trip", exact, attempt(() => loads(again, options)));
    let smaller: Uint8Array | undefined;
    try {
      if (!joblib) smaller = optimize(bytes);
    } catch (error) {
      describeError(error);
    }
    if (smaller !== undefined) {
      same("optimized", exact, attempt(() => loads(smaller!, options)));
    }
    if (texts) {
      const direct = text.length === 1 ? text[0]!.split("\n")[0]! : undefined;
      const value = attemptText(() =>
        dumpsJson(loads(bytes, { floats: "exact", dicts: "map" }), {
          types: "plain",
          limits: { outputBytes: MAX_TEXT },
        })
      );
      if (direct !== undefined && all.length === 1 && value !== undefined) {
        same("transcoder and values", direct, value);
      }
    }
  }
  if (streams) {
    same(
      "PickleDecoderStream",
      all,
      await runStream(new PickleDecoderStream(), cut(bytes, size)),
    );
  }
  return whole;
}

function emptyOutcome(bytes: Uint8Array): Outcome {
  return bytes.length === 0
    ? "UnpicklingError truncated 0 undefined"
    : "nothing";
}

export function isError(outcome: Outcome): boolean {
  return outcome.includes("Error ");
}

/** Errors that no reader can overlook. */
const STRUCTURAL =
  / (?:truncated|bad-opcode|bad-protocol|stack-underflow|no-mark|odd-items|memo-missing|unexpected-mark) /;

function attemptText(action: () => string): string | undefined {
  try {
    return action();
  } catch (error) {
    describeError(error);
    return undefined;
  }
}

function readOpcodes(chunks: Iterable<Uint8Array>): string[] {
  const reader = new OpcodeReader();
  const found: string[] = [];
  try {
    const drain = () => {
      while (reader.advance()) {
        found.push(
          `${reader.opcode.name} ${reader.position} ${reader.content.toHex()}`,
        );
        if (reader.opcode.name !== "STOP") void reader.arg;
      }
    };
    for (const chunk of chunks) {
      reader.push(chunk);
      drain();
    }
    reader.end();
    drain();
  } catch (error) {
    found.push(describeError(error));
  }
  return found;
}

function toPickle(chunks: Iterable<Uint8Array>): Outcome[] {
  return toText(
    runMachine(jsonToPickleMachine(), chunks, (bytes) => bytes.toHex()),
  );
}

function checkOpcodes(pickle: Uint8Array): void {
  for (const { name } of opcodesOf(pickle)) {
    if (ACTIVE_OPCODES.has(name)) throw new Finding("opcode from JSON", name);
  }
}

/** Takes a JSON text through every door. */
export async function jsonDoors(
  bytes: Uint8Array,
  { size, streams }: DoorOptions,
): Promise<Outcome> {
  const whole = attempt(() => loadsJson(bytes, { floats: "exact" }));
  const options = { floats: "exact" } as const;
  const all = runMachine(new JsonDecoder(options), [bytes], describeValue);
  same(
    "one-byte JSON",
    all,
    runMachine(new JsonDecoder(options), cut(bytes, () => 1), describeValue),
  );
  same(
    "cut JSON",
    all,
    runMachine(new JsonDecoder(options), cut(bytes, size), describeValue),
  );
  const written = toPickle([bytes]);
  sameText("one-byte JSON to pickle", written, toPickle(cut(bytes, () => 1)));
  sameText("cut JSON to pickle", written, toPickle(cut(bytes, size)));
  if (isError(whole) !== (written.length > 1)) {
    throw new Finding("JSON to pickle and values", `${whole} ${written}`);
  }
  if (!isError(whole)) {
    same("JSON stream", [whole], all);
    const direct = Uint8Array.fromHex(written[0]!);
    same("JSON to pickle", whole, attempt(() => loads(direct, options)));
    checkOpcodes(direct);
    const text = dumpsJson(loadsJson(bytes, options));
    same("JSON again", whole, attempt(() => loadsJson(text, options)));
    const pickled = dumps(loadsJson(bytes, options));
    same("pickled JSON", whole, attempt(() => loads(pickled, options)));
    checkOpcodes(pickled);
  }
  if (streams) {
    same(
      "JsonDecoderStream",
      all,
      await runStream(new JsonDecoderStream(options), cut(bytes, size)),
    );
  }
  return whole;
}

function* opcodesOf(bytes: Uint8Array): Generator<{ name: string }> {
  const reader = new OpcodeReader();
  reader.push(bytes);
  reader.end();
  while (reader.advance()) yield reader.opcode;
}
