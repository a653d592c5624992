/**
 * Which programs are here.
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
