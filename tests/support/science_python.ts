/**
 * Asks Pythons that have numpy. Those of BRINE_PYTHONS that have none are
 * passed over.
 *
 * @module
 */

/** What Python is asked: whether a pickle gives what another, or code, does. */
export interface Question {
  name: string;
  bytes: Uint8Array;
  /** Another pickle, or an expression of Python's. */
  same: Uint8Array | string;
}

function paths(): string[] {
  return (Deno.env.get("BRINE_PYTHONS") ?? "").split(":").filter((path) =>
    path !== ""
  );
}

/** Whether there is a live Python at all. */
export const hasPythons: boolean = paths().length > 0;

/**
 * Asks every Python that has a library.
 *
 * @param library `numpy`, `torch` ….
 * @param questions The questions.
 * @returns What differed, and how many questions were answered in all.
 */
export async function ask(
  library: string,
  questions: readonly Question[],
): Promise<{ problems: string[]; answered: number }> {
  const problems: string[] = [];
  let answered = 0;
  const script = new URL("science_check.py", import.meta.url);
  const line = JSON.stringify(questions.map(({ name, bytes, same }) => [
    name,
    bytes.toBase64(),
    typeof same === "string" ? { code: same } : { pickle: same.toBase64() },
  ]));
  for (const executable of paths()) {
    const { success } = await new Deno.Command(executable, {
      args: ["-c", `import ${library}`],
      stderr: "null",
    }).output();
    if (!success) continue;
    const child = new Deno.Command(executable, {
      args: ["-B", decodeURIComponent(script.pathname)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(line + "\n"));
    await writer.close();
    const { stdout } = await child.output();
    for (const text of new TextDecoder().decode(stdout).split("\n")) {
      if (text === "") continue;
      const [name, problem] = JSON.parse(text) as [string, string | null];
      if (problem === "skipped") continue;
      answered++;
      if (problem !== null) problems.push(`${name}: ${problem}`);
    }
  }
  return { problems, answered };
}
