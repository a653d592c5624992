/**
 * Text of strangers, made safe to show.
 *
 * @module
 */

// Everything that moves a cursor, colours, hides or reorders text: C0, DEL, C1,
// the marks and overrides of bidirectional text, separators of lines, lone
// surrogates, the BOM.
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Makes a stranger's text safe for a terminal: whatever could act on it is
 * shown as an escape instead.
 *
 * @param text Any text.
 * @returns One line without control characters.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex}`;
}
