import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bytesOf, Folder, gzip, join } from "./run.ts";

const encode = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
const EVIL = encode("\x80\x02cos\nsystem\n(U\x04truetR.");
const UNKNOWN = encode("\x80\x02cshop\nOrder\n)R.");
const SAFE = bytesOf("gASVBQAAAAAAAABdlEsBYS4="); // [1]

Deno.test("scan: a folder, with all that is in it", async () => {
  using folder = new Folder();
  await Deno.mkdir(folder.at("models/old"), { recursive: true });
  folder.write("models/a.pkl", SAFE);
  folder.write("models/b.weights", EVIL);
  folder.write("models/README.md", "# Models\n");
  folder.write("models/config.json", "{}");
  folder.write("models/old/c.bin", EVIL.subarray(0, 13));
  folder.write("models/old/d", UNKNOWN);
  folder.write("models/old/e.pkl", "not a pickle");
  const { code, stdout, stderr } = await folder.run(["scan", "models"]);
  assertEquals([code, stderr], [1, ""]);
  assertEquals(
    stdout.split("\n").filter((line) => !line.startsWith(" ")),
    [
      "models/a.pkl: safe, nothing but data",
      "models/b.weights: dangerous, do not load this in Python",
      "models/old/c.bin: dangerous, do not load this in Python",
      "models/old/d: unknown, uses names that nobody vouches for; load it only if you trust where it comes from",
      "models/old/e.pkl: malformed, no pickle",
      "5 files: 2 dangerous, 1 malformed, 1 unknown, 1 safe; 2 other files are no pickles",
      "",
    ],
  );
  // Named by itself, a file is meant to be a pickle.
  assertEquals((await folder.run(["scan", "models/README.md"])).code, 1);
  folder.write("clean.pkl", SAFE);
  await Deno.remove(folder.at("models"), { recursive: true });
  await Deno.mkdir(folder.at("models"));
  folder.write("models/a.pkl", SAFE);
  folder.write("models/README.md", "# Models\n");
  assertEquals((await folder.run(["scan", "models"])).code, 0);
});

Deno.test({
  name: "scan: links in a folder lead to no circle",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = new Folder();
    await Deno.mkdir(folder.at("models"));
    folder.write("evil.pkl", EVIL);
    await Deno.symlink("..", folder.at("models/up"));
    await Deno.symlink("nowhere", folder.at("models/broken"));
    await Deno.symlink("../evil.pkl", folder.at("models/link.pkl"));
    const { code, stdout } = await folder.run(["scan", "models"]);
    assertEquals(code, 1);
    assertEquals(stdout.match(/: dangerous/g)?.length, 1);
  },
});

Deno.test("scan: safe names are told to those who ask", async () => {
  using folder = new Folder();
  folder.write("date.pkl", encode("cdatetime\ndate\n."));
  const short = await folder.run(["scan", "date.pkl"]);
  assertEquals(short.stdout, "date.pkl: safe, nothing but data\n");
  const long = await folder.run(["scan", "-v", "date.pkl"]);
  assertStringIncludes(long.stdout, "datetime.date: named");
  assertStringIncludes(long.stdout, "[Python documentation");
});

Deno.test("scan: what was not read is never 0", async () => {
  using folder = new Folder();
  folder.write("tail.pkl", join(SAFE, encode("\xff\xff")));
  folder.write("seven.7z", encode("7z\xbc\xaf\x27\x1c and more"));
  folder.write("long.pkl", new Uint8Array(100_000).fill(0x4e));
  for (
    const args of [["tail.pkl"], ["seven.7z"], [
      "--max-bytes",
      "10k",
      "long.pkl",
    ]]
  ) {
    const { code, stdout } = await folder.run(["scan", ...args]);
    assertEquals(code, 1, args.join(" "));
    assertStringIncludes(stdout, ": unknown, part of it could not be looked");
  }
  assertEquals(
    (await folder.run(["scan", "--max-bytes", "x", "long.pkl"])).code,
    2,
  );
});

Deno.test("scan: nothing that a terminal obeys is printed", async () => {
  using folder = new Folder();
  const name = "\x1b[2J\u202e\u0007.pkl";
  folder.write(name, encode("cos\x1b]0;x\x07\nsys\x9btem\n(tR."));
  folder.write("zip\x1b.pkl", encode("C\x0ecos\nsystem\n)R.."));
  for (
    const args of [[name], ["-v", name], ["--json", name], ["--sarif", name], [
      ".",
    ]]
  ) {
    const { stdout, stderr } = await folder.run(["scan", ...args]);
    // deno-lint-ignore no-control-regex
    const control = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;
    assert(!control.test(stdout + stderr), JSON.stringify(stdout));
  }
});

Deno.test("scan: a file that grows while it is read is told", async () => {
  using folder = new Folder();
  folder.write("a.pkl", join(SAFE, SAFE));
  const growing = folder.at("a.pkl");
  let stop = false;
  const writing = (async () => {
    while (!stop) {
      await Deno.writeFile(growing, SAFE, { append: true });
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  })();
  const outcome = await folder.run(["scan", "a.pkl"]);
  stop = true;
  await writing;
  // Fast machines may be done before anything is written.
  assert(
    outcome.code === 0 || outcome.stderr.includes("changed while it was read"),
  );
});

/** The properties that SARIF 2.1.0 requires, of the objects that are used. */
function checkSarif(log: Record<string, unknown>): void {
  assertEquals(log.version, "2.1.0");
  assert(String(log.$schema).startsWith("https://"));
  const runs = log.runs as Record<string, unknown>[];
  assertEquals(runs.length, 1);
  const [{ tool, results }] = runs as [{
    tool: { driver: { name: string; rules: Record<string, unknown>[] } };
    results: Record<string, unknown>[];
  }];
  assert(tool.driver.name.length > 0);
  const ids = new Set<unknown>();
  for (const rule of tool.driver.rules) {
    assertEquals(typeof rule.id, "string");
    ids.add(rule.id);
    const { text } = rule.shortDescription as { text: unknown };
    assertEquals(typeof text, "string");
    const { level } = rule.defaultConfiguration as { level: string };
    assert(["none", "note", "warning", "error"].includes(level));
  }
  assertEquals(ids.size, tool.driver.rules.length);
  for (const result of results) {
    assert(ids.has(result.ruleId));
    assert(["none", "note", "warning", "error"].includes(String(result.level)));
    assertEquals(
      typeof (result.message as { text: unknown }).text,
      "string",
    );
    const locations = result.locations as Record<string, unknown>[];
    assert(locations.length > 0);
    for (const location of locations) {
      const { artifactLocation: { uri }, region } = location
        .physicalLocation as {
          artifactLocation: { uri: string };
          region: Record<string, unknown>;
        };
      // A reference by RFC 3986.
      assert(/^[\w\-.~!$&'()*+,;=:@/?#[\]%]+$/.test(uri), uri);
      assert(!/%(?![0-9A-F]{2})/i.test(uri), uri);
      for (const [key, value] of Object.entries(region)) {
        assert(["startLine", "byteOffset", "byteLength"].includes(key));
        assert(
          Number.isInteger(value) && Number(value) >= (key[0] === "s" ? 1 : 0),
        );
      }
      for (const logical of (location.logicalLocations ?? []) as unknown[]) {
        const { fullyQualifiedName } = logical as Record<string, unknown>;
        assertEquals(typeof fullyQualifiedName, "string");
      }
    }
  }
}

Deno.test("scan: SARIF has what its schema requires", async () => {
  using folder = new Folder();
  folder.write("evil.pkl", EVIL);
  folder.write("50% [a]\u00e9 #1?.pkl.gz", await gzip(EVIL));
  folder.write("cut.pkl", SAFE.subarray(0, 14));
  folder.write("unknown.pkl", UNKNOWN);
  folder.write("tail.pkl", join(SAFE, encode("\xff")));
  folder.write("safe.pkl", SAFE);
  const { code, stdout } = await folder.run(["scan", "--sarif", "."]);
  assertEquals(code, 1);
  const log = JSON.parse(stdout);
  checkSarif(log);
  const rules = log.runs[0].results.map(({ ruleId }: { ruleId: string }) =>
    ruleId
  );
  assertEquals(new Set(rules).size, 4);
  const none = await folder.run(["scan", "--sarif", "safe.pkl"]);
  assertEquals(none.code, 0);
  checkSarif(JSON.parse(none.stdout));
});

Deno.test("scan: reports appear whole or not at all", async () => {
  using folder = new Folder();
  folder.write("evil.pkl", EVIL);
  folder.write("report.json", "precious");
  const missing = await folder.run(
    ["scan", "--json", "-o", "report.json", "none/*.pkl"],
  );
  assertEquals(missing.code, 1);
  assertEquals(folder.text("report.json"), "precious");
  assertEquals(folder.names(), ["evil.pkl", "report.json"]);
  if (Deno.build.os === "linux") {
    const full = await folder.run(
      ["scan", "-o", "/dev/full", "evil.pkl"],
      { permissions: ["-A"] },
    );
    assertEquals(full.code, 1);
    assertStringIncludes(full.stderr, "no space left");
  }
});

Deno.test("scan: needs no permission but to read its input", async () => {
  using folder = new Folder();
  folder.write("evil.pkl", EVIL);
  const { code, stdout, stderr } = await folder.run(["scan", "evil.pkl"], {
    permissions: [`--allow-read=${folder.at("evil.pkl")}`],
  });
  assertEquals([code, stderr], [1, ""]);
  assertStringIncludes(stdout, "os.system");
});
