/**
 * By which road `convert` goes, and what it says on the way.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Folder, gzip, join } from "./run.ts";

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** A list, another one, and then something put into the first. */
function changedLate(count: number): Uint8Array<ArrayBuffer> {
  return join(
    bytesOf("\x80\x02](]q\x00(K\x01K\x02e("),
    bytesOf("K\x07".repeat(count)),
    bytesOf("th\x00K\x03ae."),
  );
}

Deno.test("convert: a file that cannot be text at once is read as a value", async () => {
  using folder = new Folder();
  const count = 400_000;
  folder.write("late.pkl", changedLate(count));
  folder.write("late.pkl.gz", await gzip(changedLate(count)));
  const want = `[[1, 2, 3], [${
    Array(count).fill("7").join(", ")
  }], [1, 2, 3]]\n`;
  for (const name of ["late.pkl", "late.pkl.gz"]) {
    const file = await folder.run(["convert", name, "-o", "late.json"]);
    assertEquals([file.code, file.stderr], [0, ""]);
    assert(folder.text("late.json") === want);
    const many = await folder.run(["convert", name, "--out-dir", "out"]);
    assertEquals([many.code, many.stderr], [0, ""]);
    assert(folder.text("out/late.json") === want);
  }
  assertEquals(
    folder.names(),
    ["late.json", "late.pkl", "late.pkl.gz", "out"],
  );
  // What has been printed cannot be taken back.
  for (const args of [["convert", "late.pkl"], ["convert", "-"]]) {
    const input = args[1] === "-" ? changedLate(5_000_000) : undefined;
    const { code, stderr, stdout } = await folder.run(
      args,
      input === undefined ? {} : { input },
    );
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "cannot be converted while it streams");
    assert(!stdout.endsWith("]\n"));
  }
});

Deno.test("convert: a large file and back, compressed both times", async () => {
  using folder = new Folder();
  const text = `[${
    Array.from({ length: 60_000 }, (_, i) => `{"id": ${i}, "x": ${i}.5}`)
      .join(", ")
  }]\n`;
  folder.write("a.json.gz", await gzip(new TextEncoder().encode(text)));
  for (
    const [from, to] of [
      ["a.json.gz", "b.pkl.gz"],
      ["b.pkl.gz", "c.json.gz"],
      ["c.json.gz", "d.json"],
    ] as const
  ) {
    const { code, stderr } = await folder.run([
      "convert",
      from,
      "-o",
      to,
      ...(to === "d.json" ? ["--from", "json"] : []),
    ]);
    assertEquals([code, stderr], [0, ""]);
  }
  assert(folder.text("d.json") === text);
  assertEquals([...folder.read("c.json.gz").subarray(0, 2)], [0x1f, 0x8b]);
});

/** Whether the command of util-linux is there that gives a terminal. */
function hasScript(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return new Deno.Command("script", { args: ["--version"] }).outputSync()
      .success;
  } catch {
    return false;
  }
}

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Runs a line of shell in a folder, on a terminal or not; gives all it prints. */
async function shell(
  folder: Folder,
  line: string,
  { terminal }: { terminal: boolean },
): Promise<string> {
  const command = terminal
    ? new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", line, "/dev/null"],
      cwd: folder.path,
      stdin: "null",
      env: { NO_COLOR: "1", TERM: "xterm" },
    })
    : new Deno.Command("sh", { args: ["-c", line], cwd: folder.path });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  const all = decoder.decode(stdout) + decoder.decode(stderr);
  assertEquals(code, 0, all);
  return all;
}

Deno.test({
  name: "convert: a bar shows how far it is, on a terminal and nowhere else",
  ignore: !hasScript(),
  async fn() {
    using folder = new Folder();
    const bytes = changedLate(100_000);
    folder.write("one", bytes.subarray(0, 80_000));
    folder.write("two", bytes.subarray(80_000));
    // A bar appears after half a second.
    const line = "(cat one; sleep 1.2; cat two) | " +
      `'${Deno.execPath()}' run -A --quiet --config='${CONFIG}' '${CLI}' ` +
      "convert --to json -o out.json -";
    const shown = await shell(folder, line, { terminal: true });
    // How much, how fast; and it goes when all is done.
    assert(/\d+(?:\.\d+)? [kM]?B, [\d.]+ [kM]?B\/s/.test(shown), shown);
    assert(shown.endsWith("\r\x1b[K"), JSON.stringify(shown));
    assertEquals(folder.text("out.json").slice(0, 11), "[[1, 2, 3],");
    await Deno.remove(folder.at("out.json"));
    assertEquals(await shell(folder, line, { terminal: false }), "");
    assertEquals(folder.text("out.json").slice(0, 11), "[[1, 2, 3],");
  },
});

Deno.test({
  name: "convert: a bar tells the part, the rate and the time that is left",
  ignore: !hasScript(),
  async fn() {
    using folder = new Folder();
    const progress = new URL("../../lib/cli/progress.ts", import.meta.url);
    folder.write(
      "bar.ts",
      `import { Progress } from ${JSON.stringify(progress.href)};
      const bar = new Progress("a.pkl", 4_000_000);
      bar.add(1);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      bar.add(999_999);
      bar.clear();`,
    );
    const shown = await shell(
      folder,
      `stty cols 120; '${Deno.execPath()}' run --quiet --no-check bar.ts`,
      { terminal: true },
    );
    const want =
      /^\ra\.pkl \[#{5}-{15}\] 25% of 4(?:\.0)? MB, [\d.]+ [kM]B\/s, \d+ s left<\r<$/;
    assert(want.test(shown.replaceAll("\x1b[K", "<")), JSON.stringify(shown));
  },
});
