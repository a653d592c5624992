/**
 * Which programs and files are where.
 *
 * @module
 */

/** Whether a program is there. */
export async function has(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** Where Chromium is. */
export const CHROMIUM: string = Deno.env.get("BRINE_CHROMIUM") ?? "chromium";
/** Where Firefox is. */
export const FIREFOX: string = Deno.env.get("BRINE_FIREFOX") ?? "firefox";

/** The path of a `file:` address. */
export function pathOf(url: URL | string): string {
  const path = decodeURIComponent(new URL(url).pathname);
  // Windows: /C:/folder
  return /^\/[a-z]:/i.test(path) ? path.slice(1) : path;
}

/** The `file:` address of a path. */
export function urlOf(path: string): URL {
  return new URL(`file:///${path.replaceAll("\\", "/").replace(/^\//, "")}`);
}
