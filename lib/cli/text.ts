/**
 * Text for people: safe to print, and easy to read.
 *
 * @module
 */

export { printable } from "../serve/printable.ts";

/**
 * Cuts a text that is too long.
 *
 * @param text Any text.
 * @param length How many characters there may be.
 * @returns The text, with an ellipsis where it was cut.
 */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  let end = Math.max(0, length - 1);
  const code = text.charCodeAt(end - 1);
  if (code >= 0xd800 && code < 0xdc00) end--;
  return text.slice(0, end) + "…";
}

/**
 * A number of bytes, for people.
 *
 * @param bytes How many.
 * @returns Such as `1.2 kB`.
 */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit++;
  } while (value >= 999.5 && unit < 4);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${
    ["kB", "MB", "GB", "TB", "PB"][unit]
  }`;
}

/**
 * A number with its noun.
 *
 * @param count How many.
 * @param noun One of them.
 * @returns Such as `1 file`, `1,200 files`.
 */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Breaks a text into lines.
 *
 * @param text The text; its own line ends are kept.
 * @param options How wide a line may be, and what goes before the later ones.
 * @returns The text with line ends.
 */
export function wrap(
  text: string,
  options: { width: number; indent?: string },
): string {
  const { width, indent = "" } = options;
  return text.split("\n").map((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    lines.push(line);
    return lines.join("\n" + indent);
  }).join("\n" + indent);
}

/**
 * The choice nearest to what was typed.
 *
 * @param typed What was typed.
 * @param choices What there is.
 * @returns The nearest, or undefined where none is near.
 */
export function nearest(
  typed: string,
  choices: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const choice of choices) {
    const distance = choice.startsWith(typed) && typed.length > 1
      ? 1
      : editDistance(typed, choice);
    if (distance < least) {
      least = distance;
      best = choice;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(
        next[j - 1]! + 1,
        row[j]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      ));
    }
    row = next;
  }
  return row[b.length]!;
}
