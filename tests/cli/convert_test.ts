import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bytesOf, Folder, gzip, join } from "./run.ts";

// pickle.dumps([{"a": 1, "b": [1.0, 2]}, {"a": 2, "b": []}])
const ROWS = bytesOf(
  "gASVLgAAAAAAAABdlCh9lCiMAWGUSwGMAWKUXZQoRz/wAAAAAAAASwJldX2UKGgCSwJoA12UdWUu",
);
const ROWS_JSON = '[{"a": 1, "b": [1.0, 2]}, {"a": 2, "b": []}]\n';
// {"i": 0}, {"i": 1}, {"i": 2}, one dump after the other
const MANY = bytesOf(
  "gASVCgAAAAAAAAB9lIwBaZRLAHMugASVCgAAAAAAAAB9lIwBaZRLAXMugASVCgAAAAAAAAB9lIwBaZRLAnMu",
);
// {"d": datetime.date(2026, 11, 24), "t": (1, 2)}
const DATE = bytesOf(
  "gASVMgAAAAAAAAB9lCiMAWSUjAhkYXRldGltZZSMBGRhdGWUk5RDBAfqCxiUhZRSlIwBdJRLAUsChpR1Lg==",
);
// {"z": "ü"}
const UMLAUT = bytesOf("gASVDQAAAAAAAAB9lIwBepSMAsO8lHMu");
const CUT = ROWS.subarray(0, 30);

Deno.test("convert: a file to standard output and into a file", async () => {
  using folder = new Folder();
  folder.write("rows.pkl", ROWS);
  const printed = await folder.run(["convert", "rows.pkl"]);
  assertEquals(printed, {
    code: 0,
    stdout: ROWS_JSON,
    bytes: new TextEncoder().encode(ROWS_JSON),
    stderr: "",
  });
  const written = await folder.run(["convert", "rows.pkl", "-o", "rows.json"]);
  assertEquals([written.code, written.stdout, written.stderr], [0, "", ""]);
  assertEquals(folder.text("rows.json"), ROWS_JSON);
  assertEquals(folder.names(), ["rows.json", "rows.pkl"]);
});

Deno.test("convert: standard input, with and without its name", async () => {
  using folder = new Folder();
  for (const args of [["convert"], ["convert", "-"], ["convert", "-o", "-"]]) {
    const { code, stdout } = await folder.run(args, { input: ROWS });
    assertEquals([code, stdout], [0, ROWS_JSON]);
  }
});

Deno.test("convert: a line end that a tool has added is no pickle", async () => {
  using folder = new Folder();
  const input = join(ROWS, new TextEncoder().encode("\r\n"));
  const { code, stdout } = await folder.run(["convert"], { input });
  assertEquals([code, stdout], [0, ROWS_JSON]);
});

Deno.test("convert: from every format to every other", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  folder.write("a.json", ROWS_JSON);
  folder.write("a.jsonl", '{"a": 1}\n{"a": 2.0}\n');
  async function converted(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await folder.run(["convert", ...args]);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    return stdout;
  }
  assertEquals(await converted("a.pkl", "-t", "jsonl"), ROWS_JSON);
  assertEquals(
    await converted("a.pkl", "-t", "jsonl", "--items"),
    '{"a": 1, "b": [1.0, 2]}\n{"a": 2, "b": []}\n',
  );
  assertEquals(await converted("a.json", "-t", "json"), ROWS_JSON);
  assertEquals(
    await converted("a.jsonl", "-t", "json"),
    '[{"a": 1}, {"a": 2.0}]\n',
  );
  await converted("a.json", "-o", "b.pkl");
  assertEquals(await converted("b.pkl"), ROWS_JSON);
  await converted("a.jsonl", "-o", "c.pkl");
  assertEquals(
    await converted("c.pkl", "--to", "jsonl"),
    '{"a": 1}\n{"a": 2.0}\n',
  );
  await converted("a.jsonl", "-o", "d.pkl", "--items");
  assertEquals(await converted("d.pkl"), '[{"a": 1}, {"a": 2.0}]\n');
  await converted("a.pkl", "-o", "e.pkl", "-p", "2");
  assertEquals(folder.read("e.pkl").subarray(0, 2), Uint8Array.of(0x80, 2));
  assertEquals(await converted("e.pkl"), ROWS_JSON);
  await converted("c.pkl", "-o", "f.pkl", "--protocol", "0");
  assertEquals(
    await converted("f.pkl", "--to", "jsonl"),
    '{"a": 1}\n{"a": 2.0}\n',
  );
});

Deno.test("convert: several pickles give a line each, and say so", async () => {
  using folder = new Folder();
  folder.write("many.pkl", MANY);
  const lines = '{"i": 0}\n{"i": 1}\n{"i": 2}\n';
  const asLines = await folder.run(["convert", "many.pkl", "-t", "jsonl"]);
  assertEquals([asLines.code, asLines.stdout, asLines.stderr], [0, lines, ""]);
  const asJson = await folder.run(["convert", "many.pkl"]);
  assertEquals([asJson.code, asJson.stdout], [0, lines]);
  assertStringIncludes(asJson.stderr, "several pickles");
});

Deno.test("convert: how JSON looks", async () => {
  using folder = new Folder();
  folder.write("z.pkl", UMLAUT);
  folder.write("b.json", '{"b": [1, 2], "a": 1}');
  async function printed(...args: string[]): Promise<string> {
    return (await folder.run(["convert", ...args])).stdout;
  }
  assertEquals(await printed("z.pkl"), '{"z": "\\u00fc"}\n');
  assertEquals(await printed("z.pkl", "--ensure-ascii"), '{"z": "\\u00fc"}\n');
  assertEquals(await printed("z.pkl", "--no-ensure-ascii"), '{"z": "ü"}\n');
  assertEquals(
    await printed("z.pkl", "--indent", "2"),
    '{\n  "z": "\\u00fc"\n}\n',
  );
  assertEquals(
    await printed("z.pkl", "--indent=tab"),
    '{\n\t"z": "\\u00fc"\n}\n',
  );
  assertEquals(
    await printed("b.json", "-t", "json", "--sort-keys", "--compact"),
    '{"a":1,"b":[1,2]}\n',
  );
});

Deno.test("convert: values that JSON lacks", async () => {
  using folder = new Folder();
  folder.write("date.pkl", DATE);
  const plain = await folder.run(["convert", "date.pkl"]);
  assertEquals(plain.stdout, '{"d": "2026-11-24", "t": [1, 2]}\n');
  const strict = await folder.run(["convert", "--types", "strict", "date.pkl"]);
  assertEquals([strict.code, strict.stdout], [1, ""]);
  assertStringIncludes(strict.stderr, "date.pkl: ");
  assertStringIncludes(strict.stderr, "not JSON serializable");
});

Deno.test("convert: what the bytes are wins over what the name says", async () => {
  using folder = new Folder();
  folder.write("pickle.json", ROWS);
  folder.write("json.pkl", ROWS_JSON);
  const one = await folder.run(["convert", "pickle.json"]);
  assertEquals([one.code, one.stdout], [0, ROWS_JSON]);
  const other = await folder.run(["convert", "json.pkl", "-t", "json"]);
  assertEquals([other.code, other.stdout], [0, ROWS_JSON]);
});

Deno.test("convert: gzip, both ways, with several members", async () => {
  using folder = new Folder();
  folder.write("many.pkl.gz", join(await gzip(MANY), await gzip(UMLAUT)));
  folder.write("no-name", await gzip(ROWS));
  const { code, stdout } = await folder.run([
    "convert",
    "many.pkl.gz",
    "--to=jsonl",
  ]);
  assertEquals(code, 0);
  assertEquals(
    stdout,
    '{"i": 0}\n{"i": 1}\n{"i": 2}\n{"z": "\\u00fc"}\n',
  );
  await folder.run(["convert", "no-name", "-o", "rows.json.gz"]);
  assertEquals(folder.read("rows.json.gz").subarray(0, 2), bytesOf("H4s="));
  const back = await folder.run(["convert", "rows.json.gz", "-t", "json"]);
  assertEquals(back.stdout, ROWS_JSON);
});

Deno.test("convert: damaged gzip", async () => {
  using folder = new Folder();
  const bytes = await gzip(MANY);
  bytes[20]! ^= 0xff;
  folder.write("bad.pkl.gz", bytes);
  const { code, stderr } = await folder.run([
    "convert",
    "bad.pkl.gz",
    "-o",
    "x.json",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "bad.pkl.gz: damaged gzip");
  assertEquals(folder.names(), ["bad.pkl.gz"]);
});

Deno.test("convert: many files into a folder, on workers", async () => {
  using folder = new Folder();
  await Deno.mkdir(folder.at("in/deep"), { recursive: true });
  folder.write("in/a.pkl", ROWS);
  folder.write("in/b.pickle", UMLAUT);
  folder.write("in/deep/a.pkl.gz", await gzip(MANY));
  folder.write("in/other.txt", "not asked for");
  for (const jobs of ["1", "3"]) {
    const { code, stderr } = await folder.run([
      "convert",
      "in/**/*.{pkl,pickle,gz}",
      "--out-dir",
      `out${jobs}/x`,
      "--to",
      "jsonl",
      "--jobs",
      jobs,
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(folder.text(`out${jobs}/x/a.jsonl`), ROWS_JSON);
    assertEquals(folder.text(`out${jobs}/x/b.jsonl`), '{"z": "\\u00fc"}\n');
    assertEquals(
      folder.text(`out${jobs}/x/deep/a.jsonl`),
      '{"i": 0}\n{"i": 1}\n{"i": 2}\n',
    );
  }
});

Deno.test("convert: one bad file of many does not stop the others", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  folder.write("b.pkl", CUT);
  folder.write("c.pkl", UMLAUT);
  const { code, stderr } = await folder.run([
    "convert",
    "*.pkl",
    "--out-dir",
    "out",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "b.pkl: ");
  assertStringIncludes(stderr, "1 of 3 files");
  assertEquals(
    [...Deno.readDirSync(folder.at("out"))].map(({ name }) => name).sort(),
    ["a.json", "c.json"],
  );
});

Deno.test("convert: two inputs never share an output", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  folder.write("a.pickle", UMLAUT);
  const { code, stderr } = await folder.run([
    "convert",
    "a.pkl",
    "a.pickle",
    "--out-dir",
    "out",
  ]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "out/a.json");
  assertEquals(folder.names(), ["a.pickle", "a.pkl"]);
});

Deno.test("convert: an output folder is never left by way of ..", async () => {
  using folder = new Folder();
  await Deno.mkdir(folder.at("sub"));
  folder.write("a.pkl", ROWS);
  const process = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-RW",
      "--no-prompt",
      new URL("../../cli.ts", import.meta.url).pathname,
      "convert",
      "../a.pkl",
      "--out-dir",
      "out",
    ],
    cwd: folder.at("sub"),
    stdout: "null",
    stderr: "null",
  }).output();
  assertEquals(process.code, 0);
  assertEquals(folder.names(), ["a.pkl", "sub"]);
  assertEquals(folder.text("sub/out/a.json"), ROWS_JSON);
});

Deno.test("convert: bad input leaves what was there, and nothing else", async () => {
  using folder = new Folder();
  folder.write("cut.pkl", CUT);
  folder.write("out.json", "precious");
  folder.write("bad.json", '{"a": 1,\n "b": }');
  const cut = await folder.run(["convert", "cut.pkl", "-o", "out.json"]);
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.stderr, "brine convert: cut.pkl: ");
  assertStringIncludes(cut.stderr, "at byte ");
  assertEquals(cut.stderr.match(/at byte/g)?.length, 1);
  const json = await folder.run(["convert", "bad.json", "-o", "out.json"]);
  assertEquals(json.code, 1);
  assertStringIncludes(json.stderr, "line 2 column 7");
  assertEquals(folder.text("out.json"), "precious");
  assertEquals(folder.names(), ["bad.json", "cut.pkl", "out.json"]);
});

Deno.test("convert: half a text on standard output is never closed", async () => {
  using folder = new Folder();
  const { code, stdout } = await folder.run(["convert"], { input: CUT });
  assertEquals(code, 1);
  assert(!/[\]}]\s*$/.test(stdout), stdout);
});

Deno.test("convert: an output may be its own input", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  const { code } = await folder.run(["convert", "a.pkl", "-o", "a.pkl"]);
  assertEquals(code, 0);
  const { stdout } = await folder.run(["convert", "a.pkl"]);
  assertEquals(stdout, ROWS_JSON);
});

Deno.test({
  name: "convert: a link stays a link, and a file keeps its mode",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = new Folder();
    folder.write("a.pkl", ROWS);
    folder.write("real.json", "old");
    await Deno.chmod(folder.at("real.json"), 0o640);
    await Deno.symlink("real.json", folder.at("link.json"));
    const { code } = await folder.run(["convert", "a.pkl", "-o", "link.json"], {
      permissions: ["-A"],
    });
    assertEquals(code, 0);
    assert((await Deno.lstat(folder.at("link.json"))).isSymlink);
    assertEquals(folder.text("real.json"), ROWS_JSON);
    const { mode } = await Deno.stat(folder.at("real.json"));
    assertEquals(mode! & 0o777, 0o640);
  },
});

Deno.test({
  name: "convert: a full disk is told, and nothing stays",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new Folder();
    folder.write("a.pkl", ROWS);
    const { code, stderr } = await folder.run(
      ["convert", "a.pkl", "-o", "/dev/full"],
      { permissions: ["-A"] },
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "no space left");
  },
});

Deno.test("convert: where the output cannot be", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  await Deno.mkdir(folder.at("folder"));
  const none = await folder.run(["convert", "a.pkl", "-o", "none/a.json"]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, "none/a.json: the folder");
  const isFolder = await folder.run(["convert", "a.pkl", "-o", "folder"]);
  assertEquals(isFolder.code, 1);
  assertStringIncludes(isFolder.stderr, "is a folder");
});

/** A list of many small dicts, protocol 2, made without a pickler. */
function bigPickle(count: number): Uint8Array<ArrayBuffer> {
  const record = new TextEncoder().encode("}(U\x01aK\x01U\x01bU\x05hellou");
  const bytes = new Uint8Array(4 + count * record.length + 2);
  bytes.set([0x80, 2, 0x5d, 0x28]);
  for (let i = 0; i < count; i++) bytes.set(record, 4 + i * record.length);
  bytes.set([0x65, 0x2e], bytes.length - 2);
  return bytes;
}

Deno.test("convert: a closed pipe is silent", async () => {
  using folder = new Folder();
  folder.write("big.pkl", bigPickle(300_000));
  const process = folder.spawn(["convert", "big.pkl"]);
  await process.stdin.close();
  const reader = process.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(process.stderr).text();
  assertEquals([(await process.status).code, stderr], [0, ""]);
});

Deno.test({
  name: "convert: a signal takes the half-written file away",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = new Folder();
    folder.write("out.json", "precious");
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const process = folder.spawn(["convert", "-o", "out.json"]);
      const writer = process.stdin.getWriter();
      await writer.write(bigPickle(100_000).subarray(0, -2));
      // Half of it is written now, and the rest never comes.
      while (!folder.names().some((name) => name.endsWith(".tmp"))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      process.kill(signal);
      const { code } = await process.status;
      assertEquals(code, signal === "SIGINT" ? 130 : 143);
      await writer.abort().catch(() => {});
      await process.stdout.cancel();
      await process.stderr.cancel();
      assertEquals(folder.names(), ["out.json"]);
      assertEquals(folder.text("out.json"), "precious");
    }
  },
});

Deno.test("convert: limits", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  const { code, stderr } = await folder.run([
    "convert",
    "a.pkl",
    "--limit",
    "depth=1",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "--limit depth=");
  const loose = await folder.run([
    "convert",
    "a.pkl",
    "--limit",
    "depth=none",
    "--limit=memo-bytes=64M",
  ]);
  assertEquals([loose.code, loose.stdout], [0, ROWS_JSON]);
});

Deno.test("convert: command lines that make no sense", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  folder.write("b.pkl", ROWS);
  for (
    const [args, message] of [
      [["a.pkl", "--too", "json"], "did you mean --to?"],
      [["a.pkl", "--to", "xml"], "pickle, json, jsonl"],
      [["a.pkl", "-o"], "--output needs a value"],
      [["a.pkl", "b.pkl"], "--out-dir"],
      [["a.pkl", "-o", "x.json", "--out-dir", "y"], "not both"],
      [["a.pkl", "--indent", "x"], "--indent"],
      [["a.pkl", "--indent", "2", "--to", "jsonl"], "JSON Lines"],
      [["a.pkl", "--protocol", "6"], "0 to 5"],
      [["a.pkl", "--limit", "foo=1"], "the names are"],
      [["a.pkl", "--limit", "depth=x"], "takes a number"],
    ] as const
  ) {
    const { code, stdout, stderr } = await folder.run(["convert", ...args]);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "brine help convert");
  }
  assertEquals(folder.names(), ["a.pkl", "b.pkl"]);
});

Deno.test("convert: files that are not there", async () => {
  using folder = new Folder();
  const file = await folder.run(["convert", "no.pkl"]);
  assertEquals(file.code, 1);
  assertStringIncludes(file.stderr, "no.pkl: no such file");
  const pattern = await folder.run(["convert", "*.pkl", "--out-dir", "x"]);
  assertEquals(pattern.code, 1);
  assertStringIncludes(pattern.stderr, "no file matches *.pkl");
});

Deno.test("convert: a name that acts on a terminal is told in escapes", async () => {
  using folder = new Folder();
  const { stderr } = await folder.run(["convert", "a\x1b7\u202e.pkl"]);
  assertStringIncludes(stderr, "a\\x1b7\\u202e.pkl: ");
  assert(!stderr.includes("\x1b"));
});

Deno.test("convert: needs no permission but to read its input", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  const { code, stdout } = await folder.run(["convert", "a.pkl"], {
    permissions: ["-R=a.pkl"],
  });
  assertEquals([code, stdout], [0, ROWS_JSON]);
});

Deno.test("convert: few permissions are enough to write a file, too", async () => {
  using folder = new Folder();
  folder.write("a.pkl", ROWS);
  const { code, stderr } = await folder.run(
    ["convert", "a.pkl", "-o", "a.json"],
    { permissions: [`-R=${folder.path}`, `-W=${folder.path}`] },
  );
  assertEquals([code, stderr], [0, ""]);
  assertEquals(folder.text("a.json"), ROWS_JSON);
  const none = await folder.run(["convert", "a.pkl"], { permissions: [] });
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, "-R");
});
