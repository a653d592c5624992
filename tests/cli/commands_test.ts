import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { VERSION } from "../../lib/cli/version.ts";
import config from "../../deno.json" with { type: "json" };
import { bytesOf, Folder, gzip, join } from "./run.ts";

// {"d": datetime.date(2026, 11, 24), "t": (1, 2)}
const DATE = bytesOf(
  "gASVMgAAAAAAAAB9lCiMAWSUjAhkYXRldGltZZSMBGRhdGWUk5RDBAfqCxiUhZRSlIwBdJRLAUsChpR1Lg==",
);
const EVIL = new TextEncoder().encode("cos\nsystem\n(S'echo \x1b[31m'\ntR.");
const UNKNOWN = new TextEncoder().encode("cshop\nOrder\n(tR.");
const SMALL = bytesOf("gASVBQAAAAAAAABdlEsBYS4="); // [1]

Deno.test("the version is that of deno.json", async () => {
  assertEquals(VERSION, config.version);
  using folder = new Folder();
  for (const args of [["version"], ["--version"], ["-V"]]) {
    const { code, stdout } = await folder.run(args);
    assertEquals([code, stdout], [0, `brine ${VERSION}\n`]);
  }
});

Deno.test("help says all there is", async () => {
  using folder = new Folder();
  const all = await folder.run(["help"]);
  assertEquals(all.code, 0);
  for (const { name, summary } of COMMANDS) {
    assertStringIncludes(all.stdout, name);
    assertStringIncludes(all.stdout.replace(/\n +/g, " "), summary);
  }
  for (const { name, options, examples } of COMMANDS) {
    const { code, stdout } = await folder.run(["help", name]);
    assertEquals(code, 0);
    for (const option of options) assertStringIncludes(stdout, option.name);
    for (const [line] of examples) assertStringIncludes(stdout, line);
    for (const line of stdout.split("\n")) {
      assert(line.length <= 80, `${name}: ${line}`);
    }
  }
  const same = await folder.run(["convert", "--help"]);
  assertEquals(same.stdout, (await folder.run(["help", "convert"])).stdout);
});

Deno.test("no command, or one there is not, is wrong usage", async () => {
  using folder = new Folder();
  const none = await folder.run([]);
  assertEquals([none.code, none.stdout], [2, ""]);
  assertStringIncludes(none.stderr, "Usage: brine COMMAND");
  const typo = await folder.run(["convrt"]);
  assertEquals(typo.code, 2);
  assertStringIncludes(typo.stderr, "did you mean brine convert?");
  const file = await folder.run(["data.pkl"]);
  assertEquals(file.code, 2);
  assertStringIncludes(file.stderr, "did you mean brine convert data.pkl?");
});

Deno.test("show: a tree", async () => {
  using folder = new Folder();
  folder.write("date.pkl", DATE);
  const { code, stdout } = await folder.run(["show", "date.pkl"]);
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `date.pkl  pickle, protocol 4, 61 bytes
dict (2)
├─ "d"  datetime.date 2026-11-24
└─ "t"  tuple (2)
   ├─ 0  int 1
   └─ 1  int 2
`,
  );
});

Deno.test("show: JSON", async () => {
  using folder = new Folder();
  folder.write("date.pkl.gz", await gzip(DATE));
  const { stdout } = await folder.run(["show", "--json", "date.pkl.gz"]);
  const { file, format, protocol, gzip: compressed, values } = JSON.parse(
    stdout,
  );
  assertEquals([file, format, protocol, compressed], [
    "date.pkl.gz",
    "pickle",
    4,
    true,
  ]);
  assertEquals(values[0].type, "dict");
  assertEquals(values[0].parts[1], {
    label: '"t"',
    value: {
      type: "tuple",
      count: 2,
      parts: [
        { label: "0", value: { type: "int", text: "1" } },
        { label: "1", value: { type: "int", text: "2" } },
      ],
    },
  });
});

Deno.test("show: what is large or goes in a circle stays short", async () => {
  using folder = new Folder();
  folder.write("a.json", JSON.stringify(Array(10_000).fill("x".repeat(1000))));
  const { stdout } = await folder.run(["show", "a.json"]);
  assertStringIncludes(stdout, "list (10000)");
  assertStringIncludes(stdout, "9,988 more");
  assert(stdout.length < 3000);
  // a = []; a.append(a)
  folder.write("circle.pkl", new TextEncoder().encode("]q\0h\0a."));
  const circle = await folder.run(["show", "circle.pkl"]);
  assertEquals(circle.code, 0);
  assertStringIncludes(circle.stdout, "the same as the top");
  const deep = new Uint8Array(200_001).fill(0x5d, 0, 100_000);
  deep.fill(0x61, 100_000, 199_999);
  folder.write("deep.pkl", deep.with(199_999, 0x2e).subarray(0, 200_000));
  assertEquals((await folder.run(["show", "deep.pkl"])).code, 0);
});

Deno.test("show, scan and dis print no control characters", async () => {
  using folder = new Folder();
  folder.write("evil.pkl", EVIL);
  for (const args of [["show"], ["scan"], ["dis"], ["dis", "-a"]]) {
    const { stdout, stderr } = await folder.run([...args, "evil.pkl"]);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(stdout + stderr), stdout);
  }
});

Deno.test("scan: verdicts and exit statuses", async () => {
  using folder = new Folder();
  folder.write("evil.pkl", EVIL);
  folder.write("unknown.pkl", UNKNOWN);
  folder.write("date.pkl", DATE);
  folder.write("cut.pkl", DATE.subarray(0, 40));
  const evil = await folder.run(["scan", "evil.pkl"]);
  assertEquals(evil.code, 1);
  assertStringIncludes(evil.stdout, "evil.pkl: dangerous");
  assertStringIncludes(evil.stdout, "os.system: called");
  const unknown = await folder.run(["scan", "unknown.pkl"]);
  assertEquals(unknown.code, 0);
  assertStringIncludes(unknown.stdout, "unknown.pkl: unknown");
  assertEquals((await folder.run(["scan", "--strict", "unknown.pkl"])).code, 1);
  const allowed = ["scan", "--strict", "unknown.pkl", "--allow", "shop.Order"];
  assertEquals((await folder.run(allowed)).code, 0);
  const safe = await folder.run(["scan", "--strict", "date.pkl"]);
  assertEquals(safe.code, 0);
  assertStringIncludes(safe.stdout, "date.pkl: safe");
  const cut = await folder.run(["scan", "cut.pkl"]);
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.stdout, "cut.pkl: malformed");
  const missing = await folder.run(["scan", "no.pkl", "date.pkl"]);
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stdout, "date.pkl: safe");
  assertStringIncludes(missing.stderr, "no.pkl: no such file");
});

Deno.test("scan: JSON is a line for each file", async () => {
  using folder = new Folder();
  folder.write("evil.pkl.gz", await gzip(EVIL));
  folder.write("date.pkl", DATE);
  const { code, stdout } = await folder.run(["scan", "--json", "*.pkl*"]);
  assertEquals(code, 1);
  const reports = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(reports.map(({ file, verdict }) => [file, verdict]), [
    ["date.pkl", "safe"],
    ["evil.pkl.gz", "dangerous"],
  ]);
  const [finding] = reports[1].findings;
  assertEquals([finding.module, finding.name, finding.verdict], [
    "os",
    "system",
    "dangerous",
  ]);
});

Deno.test("scan: SARIF", async () => {
  using folder = new Folder();
  folder.write("my evil.pkl", EVIL);
  const { code, stdout } = await folder.run([
    "scan",
    "--sarif",
    "my evil.pkl",
    "-o",
    "brine.sarif",
  ]);
  assertEquals([code, stdout], [1, ""]);
  const log = JSON.parse(folder.text("brine.sarif"));
  assertEquals(log.version, "2.1.0");
  const [result] = log.runs[0].results;
  assertEquals(result.level, "error");
  assertEquals(
    result.locations[0].physicalLocation.artifactLocation.uri,
    "my%20evil.pkl",
  );
});

Deno.test("dis: what comes before the damage is printed", async () => {
  using folder = new Folder();
  folder.write("cut.pkl", SMALL.subarray(0, 14));
  const { code, stdout, stderr } = await folder.run(["dis", "cut.pkl"]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "EMPTY_LIST");
  assertStringIncludes(stderr, "cut.pkl: ");
});

Deno.test("dis: the first pickle, or all", async () => {
  using folder = new Folder();
  folder.write("two.pkl", join(SMALL, DATE));
  const first = await folder.run(["dis", "two.pkl"]);
  assertEquals(first.code, 0);
  assertEquals(first.stdout.match(/STOP/g)?.length, 1);
  assertStringIncludes(first.stderr, "--all");
  const all = await folder.run(["dis", "--all", "two.pkl"]);
  assertEquals(all.stdout.match(/STOP/g)?.length, 2);
  assertEquals(all.stderr, "");
});

Deno.test("optimize: smaller, the same value, every pickle of a file", async () => {
  using folder = new Folder();
  folder.write("two.pkl", join(DATE, DATE));
  const { code } = await folder.run(["optimize", "two.pkl", "-o", "small.pkl"]);
  assertEquals(code, 0);
  assert(folder.read("small.pkl").length < 2 * DATE.length);
  const { stdout } = await folder.run(["convert", "small.pkl"]);
  const line = '{"d": "2026-11-24", "t": [1, 2]}\n';
  assertEquals(stdout, line + line);
});

const PYTHON = Deno.env.get("BRINE_PYTHONS")?.split(":").find((path) =>
  path.includes("3.13")
);

Deno.test({
  name: "dis and optimize print what Python's pickletools print",
  ignore: PYTHON === undefined,
  async fn() {
    using folder = new Folder();
    folder.write("date.pkl", DATE);
    folder.write("small.pkl", SMALL);
    folder.write("evil.pkl", EVIL);
    for (
      const args of [
        ["date.pkl"],
        ["-a", "date.pkl"],
        ["-l", "1", "date.pkl"],
        ["-m", "small.pkl", "evil.pkl"],
        ["-p", "## {name}", "small.pkl", "date.pkl"],
        ["-a", "-o", "out.txt", "evil.pkl"],
      ]
    ) {
      const python = await new Deno.Command(PYTHON!, {
        args: ["-m", "pickletools", ...args],
        cwd: folder.path,
      }).output();
      const expected = args.includes("-o")
        ? folder.text("out.txt")
        : new TextDecoder().decode(python.stdout);
      const { stdout } = await folder.run(["dis", ...args]);
      const actual = args.includes("-o") ? folder.text("out.txt") : stdout;
      assertEquals(actual, expected, args.join(" "));
    }
  },
});

Deno.test("completions: for three shells, with all commands", async () => {
  using folder = new Folder();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await folder.run(["completions", shell]);
    assertEquals(code, 0);
    for (const { name } of COMMANDS) assertStringIncludes(stdout, name);
    assertStringIncludes(stdout, "out-dir");
  }
  assertEquals((await folder.run(["completions", "cmd"])).code, 2);
});

Deno.test({
  name: "completions: bash completes",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = new Folder();
    const { stdout } = await folder.run(["completions", "bash"]);
    const script = `${stdout}
COMP_WORDS=(brine convert --to ""); COMP_CWORD=3; _brine; echo "\${COMPREPLY[@]}"
COMP_WORDS=(brine sc); COMP_CWORD=1; _brine; echo "\${COMPREPLY[@]}"
COMP_WORDS=(brine convert --out); COMP_CWORD=2; _brine; echo "\${COMPREPLY[@]}"
`;
    const bash = await new Deno.Command("bash", { args: ["-c", script] })
      .output();
    assertEquals(
      new TextDecoder().decode(bash.stdout),
      "pickle json jsonl\nscan\n--output --out-dir\n",
    );
  },
});

Deno.test("show: limits", async () => {
  using folder = new Folder();
  folder.write("date.pkl", DATE);
  const { code, stderr } = await folder.run([
    "show",
    "--limit",
    "argument-length=4",
    "date.pkl",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "--limit argumentLength=");
});
