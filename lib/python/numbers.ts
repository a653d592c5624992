/**
 * Python's Decimal and Fraction.
 *
 * @module
 */

import { intOf, isInt, textOf } from "./arguments.ts";
import { intText } from "./int_text.ts";
import { setKeyKind } from "./keys.ts";
import { Global } from "./object.ts";
import { type MakeCall, register } from "./registry.ts";

/** More digits than this, and a number equals only those written as it is. */
const KEY_DIGITS = 400;
/** More bits than this, and a fraction is not reduced. */
const RATIO_HEX_DIGITS = 4096;

/** `Lib/_pydecimal.py`, `_parser`, in ASCII. */
const DECIMAL =
  /^([+-]?)(?:(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?\d+))?|(inf(?:inity)?)|(s?)nan(\d*))$/i;

/**
 * A Python `Decimal`: every digit of it, as text.
 *
 * @example Read one
 * ```ts
 * import { Decimal } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new Decimal("1e5")), "1E+5");
 * assertEquals(new Decimal("0.10").toNumber(), 0.1);
 * ```
 */
export class Decimal {
  /** Its text, as Python's `str` gives it. */
  readonly text: string;

  /**
   * Makes one.
   *
   * @param value Digits as Python reads them, or an integer.
   * @throws {SyntaxError} Where it is no number.
   */
  constructor(value: string | number | bigint) {
    const text = typeof value === "string" ? decimalText(value) : isInt(value)
      // 0 lifts the limit: the caller's own integer, not a stranger's.
      ? intText(value, 0)
      : undefined;
    if (text === undefined) {
      throw new SyntaxError("a Decimal is made of its digits as text");
    }
    this.text = text;
  }

  /**
   * The nearest number.
   *
   * @returns A number; NaN and infinities too.
   */
  toNumber(): number {
    if (/nan/i.test(this.text)) return NaN;
    return Number(this.text);
  }

  /**
   * As Python's `str`.
   *
   * @returns The text.
   */
  toString(): string {
    return this.text;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.text;
  }
}

/** The General Decimal Arithmetic's to-scientific-string. */
function decimalText(source: string): string | undefined {
  const match = DECIMAL.exec(source.trim().replaceAll("_", ""));
  if (match === null) return undefined;
  const [, sign, whole, after, only, exponentText, infinity, signaling, load] =
    match;
  const minus = sign === "-" ? "-" : "";
  if (infinity !== undefined) return `${minus}Infinity`;
  if (load !== undefined) {
    return `${minus}${signaling ? "s" : ""}NaN${load.replace(/^0+/, "")}`;
  }
  const fraction = after ?? only ?? "";
  const digits = ((whole ?? "") + fraction).replace(/^0+(?=\d)/, "");
  // Beyond CPython's own bounds, and no exact number here.
  if (exponentText !== undefined && exponentText.length > 16) return undefined;
  const exponent = Number(exponentText ?? 0) - fraction.length;
  const adjusted = exponent + digits.length - 1;
  if (exponent <= 0 && adjusted >= -6) {
    if (exponent === 0) return minus + digits;
    const point = digits.length + exponent;
    return point > 0
      ? `${minus}${digits.slice(0, point)}.${digits.slice(point)}`
      : `${minus}0.${"0".repeat(-point)}${digits}`;
  }
  const mantissa = digits.length === 1
    ? digits
    : `${digits[0]}.${digits.slice(1)}`;
  return `${minus}${mantissa}E${adjusted < 0 ? "" : "+"}${adjusted}`;
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

/** The key that an int, a float or any other ratio of this value has. */
function ratioKey(
  numerator: bigint,
  denominator: bigint,
): number | bigint | string {
  if (denominator === 1n) return numerator;
  const size = numerator < 0n ? -numerator : numerator;
  if (
    size < 1n << 53n && (denominator & (denominator - 1n)) === 0n &&
    denominator <= 1n << 1074n
  ) {
    // In two steps, since 2^1074 is no number.
    const bits = denominator.toString(2).length - 1;
    const half = bits >> 1;
    return Number(numerator) * 2 ** -half * 2 ** -(bits - half);
  }
  return `ratio ${numerator.toString(36)}/${denominator.toString(36)}`;
}

function decimalKey({ text }: Decimal): number | bigint | string | undefined {
  if (text.endsWith("Infinity")) return Number(text);
  if (text.includes("N")) return undefined;
  const [mantissa = "", exponentText = "0"] = text.split("E");
  const at = mantissa.indexOf(".");
  let digits = mantissa.replace(".", "");
  let exponent = Number(exponentText) -
    (at < 0 ? 0 : mantissa.length - at - 1);
  const minus = digits.startsWith("-");
  digits = digits.replace(/^-?0*/, "");
  if (digits === "") return 0;
  // Not by a regular expression, which is slow where many zeros end in a one.
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  const trimmed = digits.slice(0, end);
  exponent += digits.length - end;
  if (
    trimmed.length > KEY_DIGITS || exponent > KEY_DIGITS ||
    exponent < -KEY_DIGITS
  ) {
    return `decimal ${minus ? "-" : ""}${trimmed}E${exponent}`;
  }
  const coefficient = BigInt((minus ? "-" : "") + trimmed);
  if (exponent >= 0) return coefficient * 10n ** BigInt(exponent);
  const denominator = 10n ** BigInt(-exponent);
  const common = gcd(coefficient, denominator);
  return ratioKey(coefficient / common, denominator / common);
}

setKeyKind(Decimal.prototype, { kind: "value", key: decimalKey });

/**
 * A Python `Fraction`, in lowest terms.
 *
 * @example Make one
 * ```ts
 * import { Fraction } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new Fraction(6, -4)), "-3/2");
 * ```
 */
export class Fraction {
  /** The number above the line, with the sign. */
  readonly numerator: number | bigint;
  /** The number below the line, from 1 up. */
  readonly denominator: number | bigint;

  /**
   * Makes one.
   *
   * @param numerator The number above the line.
   * @param denominator The number below it.
   * @throws {RangeError} Where the denominator is 0, or one is no integer.
   */
  constructor(numerator: number | bigint, denominator: number | bigint = 1) {
    let above = BigInt(numerator);
    let below = BigInt(denominator);
    if (below === 0n) throw new RangeError("a Fraction's denominator is not 0");
    if (below < 0n) [above, below] = [-above, -below];
    const common = gcd(above, below);
    this.numerator = intOf(above / common);
    this.denominator = intOf(below / common);
  }

  /**
   * The nearest number.
   *
   * @returns A number.
   */
  toNumber(): number {
    return Number(this.numerator) / Number(this.denominator);
  }

  /**
   * As Python's `str`: `1/3`.
   *
   * @returns The text.
   */
  toString(): string {
    return BigInt(this.denominator) === 1n
      ? `${this.numerator}`
      : `${this.numerator}/${this.denominator}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.toString();
  }
}

setKeyKind(Fraction.prototype, {
  kind: "value",
  key: ({ numerator, denominator }: Fraction) =>
    ratioKey(BigInt(numerator), BigInt(denominator)),
});

/** Reducing costs quadratic time: a fraction of a book's length stays inert. */
function isModest(value: number | bigint): boolean {
  return typeof value === "number" ||
    value.toString(16).length <= RATIO_HEX_DIGITS;
}

function makeFraction(args: readonly unknown[]): Fraction | undefined {
  if (args.length === 0 || args.length > 2) return undefined;
  let [numerator, denominator] = [args[0], args.length === 1 ? 1 : args[1]];
  const text = args.length === 1 ? textOf(numerator) : undefined;
  if (text !== undefined) {
    if (text.length > RATIO_HEX_DIGITS * 2) return undefined;
    const match = /^\s*([+-]?\d+)(?:\/(\d+))?\s*$/.exec(text);
    if (match === null) return undefined;
    numerator = BigInt(match[1]!.replace("+", ""));
    denominator = BigInt(match[2] ?? 1);
  }
  if (!isInt(numerator) || !isInt(denominator)) return undefined;
  if (BigInt(denominator) === 0n) return undefined;
  if (!isModest(numerator) || !isModest(denominator)) return undefined;
  return new Fraction(numerator, denominator);
}

function makeDecimal(args: readonly unknown[]): Decimal | undefined {
  if (args.length > 1) return undefined;
  if (args.length === 0) return new Decimal("0");
  const [value] = args;
  if (isInt(value)) return isModest(value) ? new Decimal(value) : undefined;
  const source = textOf(value);
  if (source === undefined || decimalText(source) === undefined) {
    return undefined;
  }
  return new Decimal(source);
}

/** `int`, `float`, `str`, `bool` called with a value of their own kind. */
function makeSame(kind: string, args: readonly unknown[]): unknown {
  const [value] = args;
  if (args.length > 1) return undefined;
  switch (kind) {
    case "int":
      if (args.length === 0) return 0;
      if (typeof value === "boolean") return Number(value);
      return isInt(value) ? value : undefined;
    case "bool":
      if (args.length === 0) return false;
      if (isInt(value)) return BigInt(value) !== 0n;
      return typeof value === "boolean" ? value : undefined;
    case "str":
      if (args.length === 0) return "";
      return typeof value === "string" ? value : undefined;
    default:
      return undefined;
  }
}

const DECIMAL_CLASS = new Global("decimal", "Decimal");
const FRACTION_CLASS = new Global("fractions", "Fraction");

register(
  {
    names: [
      "decimal.Decimal",
      "_decimal.Decimal",
      "_pydecimal.Decimal",
      "cdecimal.Decimal",
    ],
    make: makeDecimal,
    class: Decimal,
    reduce: ({ text }: Decimal) => ({ callable: DECIMAL_CLASS, args: [text] }),
    toPlain: ({ text }: Decimal) => text,
  },
  {
    names: ["fractions.Fraction"],
    make: makeFraction,
    class: Fraction,
    reduce: ({ numerator, denominator }: Fraction) => ({
      callable: FRACTION_CLASS,
      args: [numerator, denominator],
    }),
    toPlain: String,
  },
  ...["int", "bool", "str"].map((kind) => ({
    names: [`builtins.${kind}`],
    make: (args: readonly unknown[], _call: MakeCall) => makeSame(kind, args),
  })),
);
