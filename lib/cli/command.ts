/**
 * What a command is, how its arguments are read, and how its help is written.
 * Options stand in one table, from which parsing, help and completions follow.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { nearest, printable, wrap } from "./text.ts";

/** One option of a command. */
export interface Option {
  /** Its name, without `--`. */
  name: string;
  /** One letter, without `-`. */
  short?: string;
  /** What its value is called in the help; without one it takes no value. */
  value?: string;
  /** The only values there are. */
  choices?: readonly string[];
  /** Whether it may be given several times. */
  many?: boolean;
  /** Whether it is on until `--no-NAME` turns it off. */
  on?: boolean;
  /** What it does. */
  help: string;
}

/** One command. */
export interface Command {
  /** Its name. */
  name: string;
  /** What it does, in one line. */
  summary: string;
  /** How it is called, after `brine NAME`. */
  usage: string;
  /** What else a newcomer should know. */
  details?: string;
  /** Its options. */
  options: readonly Option[];
  /** Command lines, each with what it does. */
  examples: readonly (readonly [line: string, meaning: string])[];
  /**
   * Runs it.
   *
   * @param args Its arguments.
   * @returns The exit status.
   */
  run(args: Arguments): Promise<number>;
}

/** A command line that makes no sense: exit status 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The arguments of a command, read by its table of options. */
export class Arguments {
  /** What is no option. */
  readonly operands: readonly string[];
  readonly #values: Map<string, unknown>;

  /**
   * Reads a command line.
   *
   * @param command Whose options there are.
   * @param args What was typed after the command's name.
   */
  constructor(command: Command, args: readonly string[]) {
    const options = [...command.options, HELP];
    const named = new Map<string, Option>();
    for (const option of options) {
      named.set(`--${option.name}`, option);
      if (option.short !== undefined) named.set(`-${option.short}`, option);
    }
    const parsed = parseArgs(standardInput(args, named), {
      string: [
        "_",
        ...options.filter((option) => option.value).map(({ name }) => name),
      ],
      boolean: options.filter((option) => !option.value).map(({ name }) =>
        name
      ),
      collect: options.filter((option) => option.many).map(({ name }) => name),
      negatable: options.filter((option) => option.on).map(({ name }) => name),
      alias: Object.fromEntries(
        options.filter((option) => option.short)
          .map(({ name, short }) => [name, short!]),
      ),
      default: Object.fromEntries(
        options.filter((option) => option.on).map(({ name }) => [name, true]),
      ),
      unknown(arg, key): void {
        if (key === undefined) return;
        const typed = arg.replace(/=.*/s, "");
        const near = nearest(typed, named.keys());
        throw new UsageError(
          `there is no option ${printable(typed)}` +
            (near === undefined ? "" : `; did you mean ${near}?`),
        );
      },
    });
    this.operands = parsed._.map(String);
    this.#values = new Map(
      options.map(({ name }) => [name, parsed[name] as unknown]),
    );
    for (const option of options) {
      if (option.value === undefined) continue;
      for (const value of this.values(option.name)) {
        if (value === "") {
          throw new UsageError(`--${option.name} needs a value`);
        }
        if (option.choices !== undefined && !option.choices.includes(value)) {
          const near = nearest(value, option.choices);
          throw new UsageError(
            `--${option.name} is one of ${option.choices.join(", ")}` +
              (near === undefined ? "" : `; did you mean ${near}?`),
          );
        }
      }
    }
  }

  /**
   * An option without a value.
   *
   * @param name Its name.
   * @returns Whether it is on.
   */
  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  /**
   * The value of an option.
   *
   * @param name Its name.
   * @returns The value, or undefined where the option was not given.
   */
  value(name: string): string | undefined {
    return this.values(name).at(-1);
  }

  /**
   * The values of an option that may be given several times.
   *
   * @param name Its name.
   * @returns The values.
   */
  values(name: string): string[] {
    const value = this.#values.get(name);
    if (value === undefined || value === false) return [];
    return Array.isArray(value) ? value.map(String) : [String(value)];
  }

  /**
   * The value of an option that is a whole number.
   *
   * @param name Its name.
   * @param range The least and the greatest number it may be.
   * @returns The number, or undefined where the option was not given.
   */
  integer(
    name: string,
    range: { min: number; max: number },
  ): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (!(number >= range.min && number <= range.max)) {
      throw new UsageError(
        `--${name} is a whole number from ${range.min} to ${range.max}`,
      );
    }
    return number;
  }
}

/** `--help`, which every command has. */
export const HELP: Option = {
  name: "help",
  short: "h",
  help: "Print this help",
};

/** `-o -` and the like, which `parseArgs` would take for two options. */
function standardInput(
  args: readonly string[],
  named: ReadonlyMap<string, Option>,
): string[] {
  const result: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--") return [...result, ...args.slice(index)];
    const takesValue = named.get(arg)?.value !== undefined;
    if (takesValue && args[index + 1] === "-") {
      result.push(`${arg}=-`);
      index++;
    } else {
      result.push(arg);
    }
  }
  return result;
}

/**
 * The help of a command.
 *
 * @param command The command.
 * @param options How wide it may be.
 * @returns Lines of text.
 */
export function commandHelp(
  command: Command,
  options: { width: number },
): string {
  const { width } = options;
  let text = `${wrap(command.summary, { width })}.\n\n` +
    `Usage: brine ${command.name} ${command.usage}`.trimEnd() + "\n";
  if (command.details !== undefined) {
    text += `\n${wrap(command.details, { width })}\n`;
  }
  text += "\nOptions:\n" + table(
    [...command.options, HELP].map((option) => [
      (option.short === undefined ? "    " : `-${option.short}, `) +
      (option.on ? "--[no-]" : "--") + option.name +
      (option.value === undefined ? "" : ` ${option.value}`),
      option.help,
    ]),
    { width },
  );
  if (command.examples.length > 0) {
    text += "\nExamples:\n" + examplesHelp(command.examples);
  }
  return text;
}

/**
 * Command lines with what they do, each on two lines.
 *
 * @param examples The command lines.
 * @returns Lines of text.
 */
export function examplesHelp(examples: Command["examples"]): string {
  return examples.map(([line, meaning]) => `  # ${meaning}\n  ${line}\n`)
    .join("\n");
}

/**
 * Two columns.
 *
 * @param rows The texts.
 * @param options How wide both may be together.
 * @returns Lines of text.
 */
export function table(
  rows: readonly (readonly [left: string, right: string])[],
  options: { width: number },
): string {
  const left = Math.min(
    30,
    Math.max(...rows.map(([text]) => text.length)) + 2,
  );
  const right = Math.max(24, options.width - left - 2);
  const indent = " ".repeat(left + 2);
  return rows.map(([a, b]) => {
    const text = wrap(b, { width: right, indent });
    return a.length + 2 <= left
      ? `  ${a.padEnd(left)}${text}\n`
      : `  ${a}\n${indent}${text}\n`;
  }).join("");
}
