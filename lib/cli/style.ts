/**
 * Colours of a terminal.
 *
 * @module
 */

const CODES = {
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36",
  dim: "2",
  bold: "1",
};

/** The name of a colour. */
export type Colour = keyof typeof CODES;

/**
 * Colours a text.
 *
 * @param text The text, without control characters.
 * @param colour Which colour; false leaves it as it is.
 * @returns The text.
 */
export function paint(text: string, colour: Colour | false): string {
  return colour === false ? text : `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}
