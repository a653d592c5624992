/**
 * What goes wrong in the middle: a disk that fills, a file that changes, a
 * signal, a reader that leaves. Nothing half-written stays, and nothing that
 * was there before is lost.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Folder } from "./run.ts";

/** A list of many small dicts, protocol 2, made without a pickler. */
function bigPickle(count: number): Uint8Array<ArrayBuffer> {
  const record = new TextEncoder().encode("}(U\x01aK\x01U\x01bU\x05hellou");
  const bytes = new Uint8Array(4 + count * record.length + 2);
  bytes.set([0x80, 2, 0x5d, 0x28]);
  for (let i = 0; i < count; i++) bytes.set(record, 4 + i * record.length);
  bytes.set([0x65, 0x2e], bytes.length - 2);
  return bytes;
}

const BIG = bigPickle(100_000);
const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs a command by way of a shell, which can set limits. */
async function shell(
  folder: Folder,
  script: string,
): Promise<{ code: number; stderr: string }> {
  const brine = [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--quiet",
    `--config=${CONFIG}`,
    "-A",
    CLI,
  ].map(quote).join(" ");
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", `brine() { ${brine} "$@"; }\n${script}`],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** Waits until a file is half-written, or the command has ended. */
async function somethingGrows(
  folder: Folder,
  process: Deno.ChildProcess,
): Promise<void> {
  let ended = false;
  process.status.then(() => ended = true);
  while (!ended && !folder.names().some((name) => name.endsWith(".tmp"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const unix = { ignore: Deno.build.os === "windows" };

Deno.test({
  name: "a disk that fills in the middle leaves all as it was",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new Folder();
    folder.write("big.pkl", BIG);
    folder.write("out.json", "precious");
    folder.write("text.json", `[${"1234567, ".repeat(300_000)}0]`);
    await Deno.mkdir(folder.at("out"));
    const before = folder.names();
    for (
      const command of [
        "convert big.pkl -o out.json",
        "convert big.pkl -o out.json.gz",
        "convert text.json -o out.pkl",
        "convert big.pkl text.json --out-dir out",
        "optimize big.pkl -o out.pkl",
        "dis big.pkl -o out.txt",
      ]
    ) {
      // Files may have a megabyte; what is beyond fails as on a full disk.
      const gz = command.endsWith(".gz") ? 8 : 1024;
      const { code, stderr } = await shell(
        folder,
        `trap "" XFSZ; ulimit -f ${gz}; brine ${command}`,
      );
      assertEquals(code, 1, `${command}: ${stderr}`);
      assert(stderr.length > 0 && stderr.length < 1000, stderr);
      assertEquals(folder.text("out.json"), "precious", command);
      assertEquals(folder.names(), before, command);
      assertEquals([...Deno.readDirSync(folder.at("out"))], [], command);
    }
  },
});

Deno.test({
  name: "a file that changes while it is converted is told, and nothing stays",
  ...unix,
  async fn() {
    using folder = new Folder();
    folder.write("big.pkl", bigPickle(1_000_000));
    folder.write("out.json", "precious");
    const process = folder.spawn(["convert", "big.pkl", "-o", "out.json"]);
    await process.stdin.close();
    await somethingGrows(folder, process);
    await Deno.utime(folder.at("big.pkl"), 1, 1);
    const { code, stderr } = await process.output();
    // Very fast machines have read it by then.
    if (code !== 0) {
      assertEquals(code, 1);
      assertStringIncludes(
        new TextDecoder().decode(stderr),
        "changed while it was read",
      );
      assertEquals(folder.text("out.json"), "precious");
    }
    assertEquals(folder.names(), ["big.pkl", "out.json"]);
  },
});

Deno.test({
  name: "a signal takes away what a command has half-written",
  ...unix,
  async fn() {
    using folder = new Folder();
    for (const name of ["report", "out.pkl", "out.gz"]) {
      folder.write(name, "precious");
    }
    const before = folder.names();
    for (
      const [command, input] of [
        [["scan", "--json", "-o", "report", "-"], BIG.subarray(0, -2)],
        [
          ["convert", "--from", "json", "-o", "out.pkl"],
          `[${"1,".repeat(5e5)}`,
        ],
        [["convert", "--from", "pickle", "--to", "json", "-o", "out.gz"], BIG],
      ] as const
    ) {
      for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]]) {
        const process = folder.spawn(command);
        const writer = process.stdin.getWriter();
        await writer.write(
          typeof input === "string"
            ? new TextEncoder().encode(input)
            : input.subarray(0, -2),
        );
        await somethingGrows(folder, process);
        process.kill(signal as Deno.Signal);
        const { code } = await process.status;
        await writer.abort().catch(() => {});
        await process.stdout.cancel();
        await process.stderr.cancel();
        assertEquals(code, status, command.join(" "));
        assertEquals(folder.names(), before);
        for (const name of before) {
          assertEquals(folder.text(name), "precious");
        }
      }
    }
  },
});

Deno.test({
  name: "a reader that leaves ends each command in silence",
  ...unix,
  async fn() {
    using folder = new Folder();
    folder.write("big.pkl", BIG);
    folder.write(
      "names.pkl",
      Array.from({ length: 20_000 }, (_, i) => `cx\nname${i}\n0`).join("") +
        "N.",
    );
    for (
      const command of [
        ["convert", "big.pkl"],
        ["dis", "big.pkl"],
        ["scan", "--json", "names.pkl"],
        ["scan", "--sarif", "names.pkl"],
      ]
    ) {
      const { stderr } = await shell(
        folder,
        `brine ${
          command.join(" ")
        } | head -c 10 > /dev/null; exit \${PIPESTATUS[0]}`,
      );
      assertEquals(stderr, "", command.join(" "));
    }
  },
});

Deno.test({
  name: "an output folder is not left by links and names",
  ...unix,
  async fn() {
    using folder = new Folder();
    await Deno.mkdir(folder.at("in/..x"), { recursive: true });
    await Deno.mkdir(folder.at("elsewhere"));
    folder.write("in/..x/a.pkl", BIG.subarray(0, 0));
    folder.write("in/..x/a.pkl", "N.");
    folder.write("in/\n.pkl", "N.");
    folder.write("precious.json", "precious");
    await Deno.symlink("../precious.json", folder.at("in/link.pkl"));
    const { code } = await folder.run(
      ["convert", "in/**/*.pkl", "--to", "json", "--out-dir", "out"],
    );
    assert(code === 0 || code === 1);
    assertEquals(folder.text("precious.json"), "precious");
    assertEquals(folder.names(), ["elsewhere", "in", "out", "precious.json"]);
    assertEquals([...Deno.readDirSync(folder.at("elsewhere"))], []);
  },
});
