import { assert, assertEquals, assertRejects } from "@std/assert";
import { toSarif } from "../../lib/pickle/sarif.ts";
import { scan, type ScanReport } from "../../lib/pickle/scan.ts";
import {
  judgeName,
  LIST_SIZES,
  listedNames,
} from "../../lib/pickle/scan_lists.ts";
import { disFixtures, readGzip, sharedCorpus } from "./dis_support.ts";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function names({ findings }: ScanReport): string[] {
  return findings.map(({ module, name, use, verdict }) =>
    `${verdict} ${module}.${name} ${use}`
  );
}

interface Hostile {
  name: string;
  expect: string[];
  base64: string;
}

async function hostile(): Promise<Hostile[]> {
  return (await readGzip("hostile/hostile.jsonl.gz")).trim().split("\n")
    .map((line) => JSON.parse(line));
}

Deno.test("scan() calls no hostile pickle safe", async () => {
  const cases = await hostile();
  assert(cases.length >= 150);
  for (const { name, expect, base64 } of cases) {
    const start = performance.now();
    const { verdict } = await scan(Uint8Array.fromBase64(base64));
    assert(
      expect.includes(verdict),
      `${name}: ${verdict} instead of ${expect}`,
    );
    // Half a second is the most; a busy machine may take its time.
    assert(performance.now() - start < 10_000, name);
  }
});

function cut(whole: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= whole.length) controller.close();
      else controller.enqueue(whole.subarray(at, at += size));
    },
  });
}

async function everyFile(): Promise<[name: string, bytes: Uint8Array][]> {
  const all: [string, Uint8Array][] = [];
  for (const { name, base64 } of await hostile()) {
    all.push([name, Uint8Array.fromBase64(base64)]);
  }
  for (const file of ["values", "handwritten"]) {
    for (const [id, pickles] of await disFixtures(file)) {
      for (const pickle of pickles) all.push([id, pickle]);
    }
  }
  for (const { name, bytes } of sharedCorpus()) all.push([name, bytes]);
  return all;
}

Deno.test("scan() finds the same however a stream is cut", async () => {
  for (const [name, bytes] of await everyFile()) {
    const whole = await scan(bytes);
    for (const size of [1, 7, 65_536]) {
      if (bytes.length > size * 25_000) continue;
      assertEquals(await scan(cut(bytes, size)), whole, `${name}, by ${size}`);
    }
  }
});

Deno.test("scan() calls no fixture dangerous", async () => {
  let count = 0;
  let safe = 0;
  for (const file of ["values", "handwritten"]) {
    for (const [id, pickles] of await disFixtures(file)) {
      for (const pickle of pickles) {
        const report = await scan(pickle);
        count++;
        if (report.verdict === "safe") safe++;
        assert(
          report.verdict !== "dangerous",
          `${id}: ${names(report).filter((name) => name.startsWith("d"))}`,
        );
      }
    }
  }
  console.log(`${safe} of ${count} are safe`);
  assert(count >= 500);
});

Deno.test("scan() judges the files beside the project as their index does", async () => {
  const index: Record<string, { scan: string }> = {};
  for (const { name, bytes } of sharedCorpus()) {
    const hostileAt = name.indexOf("/hostile/");
    const { verdict } = await scan(bytes);
    if (hostileAt < 0) {
      // Buffers are no files of their own.
      if (/\.buf\d+\.bin$/.test(name)) continue;
      assert(
        verdict === "safe" || verdict === "unknown",
        `${name}: ${verdict}`,
      );
      continue;
    }
    if (Object.keys(index).length === 0) {
      const url = new URL(
        "../../../shared/corpus/hostile/index.json",
        import.meta.url,
      );
      Object.assign(index, JSON.parse(Deno.readTextFileSync(url)).files);
    }
    const label = index[name.slice(hostileAt + 9)]?.scan;
    switch (label) {
      case "dangerous":
        assertEquals(verdict, "dangerous", name);
        break;
      case "suspicious":
        assert(verdict === "unknown" || verdict === "dangerous", name);
        break;
      case "invalid":
        assertEquals(verdict, "malformed", name);
        break;
      case "clean":
        // Python refuses a key that is a cycle; the index does not mind.
        assertEquals(
          verdict,
          name.endsWith("cycle-as-key.pkl") ? "malformed" : "safe",
          name,
        );
    }
  }
});

Deno.test("scan() says where a name stands and how it is used", async () => {
  const report = await scan(
    bytes("\x80\x02cos\nsystem\nq\x000h\x00(Vtrue\ntR."),
  );
  assertEquals(report.verdict, "dangerous");
  assertEquals(report.pickles, 1);
  const [finding] = report.findings;
  assertEquals(finding?.offset, 2);
  assertEquals(finding?.use, "called");
  assertEquals(finding?.path, "");
  assert(finding!.source.length > 0);
  assertEquals(
    names(await scan(bytes("cos\nsystem\n(citertools\ncount\n)R.."))),
    ["dangerous os.system named", "safe itertools.count called"],
  );
});

Deno.test("scan() tells uses apart", async () => {
  assertEquals(names(await scan(bytes("cx\ny\n)R."))), ["unknown x.y called"]);
  assertEquals(names(await scan(bytes("cx\ny\n)\x81."))), [
    "unknown x.y instantiated",
  ]);
  assertEquals(names(await scan(bytes("cx\ny\n."))), ["unknown x.y named"]);
  assertEquals(names(await scan(bytes("cx\ny\n}b."))), [
    "dangerous x.y changed",
  ]);
});

Deno.test("scan() knows when a dangerous name does no harm", async () => {
  for (
    const [pickle, verdict] of [
      ["c_codecs\nencode\n(Va\nVlatin1\ntR.", "safe"],
      ["c_codecs\nencode\n(Va\nVrot13\ntR.", "unknown"],
      ["c_codecs\nencode\n(Va\nNtR.", "unknown"],
      ["(c_codecs\nencode\nl.", "unknown"],
      ["c_codecs\nencode\n(Va\nVlatin1\ntRc_codecs\nencode\n\x86.", "unknown"],
      [
        "cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nV_unpickle\ntR(VUTC\nK\x01tR.",
        "safe",
      ],
      ["cbuiltins\ngetattr\n(cx\ny\nVz\ntR.", "unknown"],
      ["cbuiltins\ngetattr\n(cx\ny\nV__globals__\ntR.", "dangerous"],
      ["cbuiltins\ngetattr\n.", "dangerous"],
      ["cbuiltins\ntype\n(NtR.", "safe"],
      ["cbuiltins\ntype\n(NtR}Va\nNsb.", "dangerous"],
      ["(cbuiltins\nlen\nl.", "safe"],
      ["cbuiltins\nmax\n((cdatetime\ndate\nttR}Va\nNsb.", "unknown"],
      ["cbuiltins\ntype\n(Va\n)}tR.", "unknown"],
      ["coperator\ngetitem\n(ctyping\nList\ncbuiltins\nint\ntR.", "safe"],
      ["coperator\ngetitem\n(}Va\ntR.", "dangerous"],
      [
        "cfunctools\npartial\n(cbuiltins\ngetattr\n(cdatetime\ndate\nV__new__\ntRcdatetime\ndate\ntR)R.",
        "safe",
      ],
      ["cfunctools\npartial\n(cbuiltins\nlen\ntR.", "unknown"],
      [
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nmemmap\n(K\0tC\x01btR.",
        "safe",
      ],
      [
        "cpandas.core.indexes.base\n_new_Index\n(cnumpy\nmemmap\n}tR.",
        "unknown",
      ],
    ] as const
  ) {
    const report = await scan(bytes(pickle));
    assertEquals(report.verdict, verdict, `${pickle}: ${names(report)}`);
  }
});

Deno.test("scan() takes the caller's word for names", async () => {
  const pickle = bytes("cshop\nOrder\n)\x81.");
  assertEquals((await scan(pickle)).verdict, "unknown");
  assertEquals((await scan(pickle, { allow: ["shop.Order"] })).verdict, "safe");
  assertEquals(
    (await scan(pickle, { deny: ["shop.Order"] })).verdict,
    "dangerous",
  );
});

Deno.test("scan() tells what is damaged, and still what stands before it", async () => {
  const report = await scan(bytes("cx\ny\n)R\xff"));
  assertEquals(report.verdict, "malformed");
  assertEquals(names(report), ["unknown x.y called"]);
  assertEquals(report.issues.map(({ code, offset }) => [code, offset]), [
    ["bad-opcode", 7],
  ]);
  for (
    const [pickle, code] of [
      ["", "truncated"],
      ["N", "truncated"],
      ["0.", "stack-underflow"],
      ["(0t.", "no-mark"],
      ["(\x85.", "unexpected-mark"],
      ["h\0.", "memo-missing"],
      ["\x80\x09N.", "bad-protocol"],
      ["}(Nu.", "odd-items"],
      ["}]Ns.", "unhashable"],
      ["NNa.", "bad-target"],
      ["K\x01)R.", "not-callable"],
      ["K\x01)\x81.", "not-a-type"],
      ["cbuiltins\nint\nNR.", "bad-args"],
      ["K\x01K\x01\x93.", "bad-global"],
      ["\x84\0\0\0\0.", "bad-ext"],
      ["Sx\n.", "bad-string"],
      ["\x8c\x01\xff.", "bad-utf8"],
      ["Ix\n.", "bad-number"],
      ["\x8b\xff\xff\xff\xff.", "bad-length"],
      ["\x80\x04\x95\x02\0\0\0\0\0\0\0\x8c\x01a.", "bad-frame"],
    ] as const
  ) {
    const { verdict, issues } = await scan(bytes(pickle));
    assertEquals([verdict, issues[0]?.code], ["malformed", code], pickle);
  }
});

Deno.test("scan() tells the names of a pickle that begins as a zip and is none", async () => {
  // The mark begins a persistent id, of which some unpicklers make something.
  const pickle = "PK\x03\x04\n0cx\ny\n(\x8c\x04truetR.";
  const report = await scan(bytes(pickle));
  assertEquals(report.verdict, "malformed");
  assertEquals(names(report), ["unknown x.y called"]);
});

Deno.test("scan() does not call bytes behind a pickle safe", async () => {
  const { verdict, issues } = await scan(bytes("N.\xff"));
  assertEquals([verdict, issues[0]!.code], ["unknown", "trailing-bytes"]);
  assertEquals((await scan(bytes("N.N."))).pickles, 2);
  // Tools end the file with a line; that holds nothing.
  assertEquals((await scan(bytes("N.\n"))).verdict, "safe");
  assertEquals((await scan(bytes("N.\r\n"))).verdict, "safe");
  assertEquals((await scan(bytes("N.\n\n\n"))).verdict, "unknown");
  assertEquals((await scan(bytes("N. "))).verdict, "unknown");
});

Deno.test("scan() goes on with the memo of the pickle before", async () => {
  assertEquals((await scan(bytes("]p0\n.g0\n."))).verdict, "safe");
  assertEquals((await scan(bytes("g0\n."))).verdict, "malformed");
});

Deno.test("scan() stops at what unpacks to too much", async () => {
  const packed = new Response(
    new Blob([new Uint8Array(200_000_000)]).stream()
      .pipeThrough(new CompressionStream("gzip")),
  );
  const { verdict, issues } = await scan(
    new Uint8Array(await packed.arrayBuffer()),
  );
  assert(verdict === "unknown" || verdict === "malformed");
  assert(issues.some(({ code }) => code === "limit"));
});

Deno.test("scan() reads no more of a stream than it may", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1000).fill(0x4e));
    },
  });
  const { verdict, issues } = await scan(endless, { maxBytes: 10_000 });
  assertEquals([verdict, issues[0]!.code], ["unknown", "limit"]);
  assert(pulled < 20);
  await assertRejects(
    () =>
      scan(
        new ReadableStream({
          start(controller) {
            controller.error(new Error("no more"));
          },
        }),
      ),
    Error,
    "no more",
  );
});

Deno.test("scan() answers at once and in little memory, whatever it is given", async () => {
  for (
    const [name, pickle] of [
      ["a length", bytes("\x8e\xff\xff\xff\xff\xff\xff\xff\xff.")],
      ["an index", bytes("Nr\xff\xff\xff\xff0j\xff\xff\xff\xff.")],
      ["digits", bytes("L" + "9".repeat(1_000_000) + "L\n.")],
      ["marks", new Uint8Array(10_000_000).fill(0x28)],
      ["depth", bytes("]".repeat(1_000_000) + "a".repeat(999_999) + ".")],
      ["sets", new Uint8Array(1_000_000).fill(0x8f)],
      ["dicts", new Uint8Array(1_000_000).fill(0x7d)],
      ["doublings", bytes("N" + "2\x86".repeat(400_000) + ".")],
    ] as const
  ) {
    await scan(pickle.subarray(0, 1000));
    const base = Deno.memoryUsage().heapUsed;
    const start = performance.now();
    await scan(pickle);
    const taken = performance.now() - start;
    const grown = Deno.memoryUsage().heapUsed - base;
    // A busy machine may take its time.
    assert(taken < 3000, `${name}: ${taken} ms`);
    assert(grown < 300_000_000, `${name}: ${grown} bytes`);
  }
});

Deno.test("scan() takes no more memory for a longer stream", async () => {
  const figures: number[] = [];
  for (const megabytes of [30, 120]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--quiet",
        `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
        new URL("scan_child.ts", import.meta.url).href,
        String(megabytes),
      ],
      stderr: "inherit",
    }).output();
    const { verdict, bytes, grown } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    assertEquals(verdict, "safe");
    assert(bytes >= megabytes * 1e6);
    figures.push(Math.round(grown / 1e6));
  }
  const [small, large] = figures as [number, number];
  console.log(`${small} MB more for 30 MB, ${large} MB more for 120 MB`);
  assert(large < small + 50, `${figures}`);
});

Deno.test("scan() tells names behind what is too much to follow", async () => {
  const evil = "cos\nsystem\n(tR.";
  const numbers = Array.from(
    { length: 1_000_001 },
    (_, i) =>
      `r${String.fromCharCode(255 - (i & 255), i >> 8 & 255, i >> 16, 255)}`,
  );
  for (const head of ["(".repeat(1_000_001), `N${numbers.join("")}`]) {
    const { verdict, issues } = await scan(bytes(head + evil));
    assertEquals([verdict, issues[0]?.code], ["dangerous", "limit"]);
  }
});

Deno.test("scan() passes over long storages of torch and arrays of joblib", async () => {
  const COUNT = 400_000;
  const raw = "\xfe".repeat(COUNT * 4);
  const count = `J${String.fromCharCode(COUNT & 255, COUNT >> 8 & 255)}\x06\0`;
  const torch = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." +
    "\x80\x02}.\x80\x02(X\x07\0\0\0storagectorch\nFloatStorage\n" +
    `X\x01\0\0\x000X\x03\0\0\0cpu${count}NtQ.\x80\x02].` +
    "\0".repeat(8) + raw;
  const joblib = "\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" +
    `\x8c\x05shape${count}\x85\x8c\x05dtypecnumpy\ndtype\n(\x8c\x02f4\x89\x88tR` +
    `ub${raw}`;
  for (
    const [file, verdict] of [
      [torch, "safe"],
      [torch.slice(0, -1), "unknown"],
      [`${torch}\0`, "unknown"],
      [`${torch}cos\nsystem\n(tR.`, "dangerous"],
      [`${joblib}.`, "safe"],
      [`${joblib}0cos\nsystem\n(tR.`, "dangerous"],
      [joblib.slice(0, -1), "malformed"],
    ] as const
  ) {
    const whole = await scan(bytes(file));
    assertEquals(whole.verdict, verdict);
    assertEquals(await scan(cut(bytes(file), 65_536)), whole);
  }
});

Deno.test("scan() looks back for a zip only so far", async () => {
  const { base64 } = (await hostile()).find(({ name }) =>
    name === "container/zip"
  )!;
  const zip = Uint8Array.fromBase64(base64);
  for (const [size, verdict] of [[1, "dangerous"], [20, "unknown"]] as const) {
    const long = new Uint8Array(size * 1_000_000 + 2 + zip.length);
    long.fill(0x4e, 0, -zip.length - 1);
    long[size * 1_000_000 + 1] = 0x2e;
    long.set(zip, size * 1_000_000 + 2);
    const report = await scan(cut(long, 65_536));
    // Names stand in the zip as they are.
    assertEquals((await scan(long)).verdict, "dangerous");
    assert(report.verdict === "dangerous" || report.verdict === verdict);
    if (size === 20) {
      assert(report.issues.some(({ code }) => code === "limit"));
    }
  }
});

Deno.test("scan() is linear", async () => {
  const makers: Record<string, (n: number) => string> = {
    marks: (n) => "(".repeat(n),
    lists: (n) => "]".repeat(n) + ".",
    memoize: (n) => "N" + "\x94".repeat(n) + ".",
    names: (n) => "cdatetime\ndate\n0".repeat(n / 10) + "N.",
    stops: (n) => "N.".repeat(n / 2),
    sparse: (n) =>
      Array.from({ length: n / 10 }, (_, i) => `Np${i * 7919}\n0`).join("") +
      "N.",
    nested: (n) => "C\x08cx\ny\n)R.".repeat(n / 12) + ".",
    reduce: (n) => "cbuiltins\ndict\n" + ")R".repeat(n) + ".",
    small: (n) => "C\x05\x80\x04N..".repeat(n / 7) + ".",
    base64: (n) => "X\x10\0\0\0gASVAAAAAAAAAAB0".repeat(n / 22) + ".",
    frames: (n) => "\x95\x03\0\0\0\0\0\0\0C\x05abcde".repeat(n / 16) + ".",
    persistent: (n) => "Pabc\n".repeat(n / 5) + ".",
  };
  for (const [name, make] of Object.entries(makers)) {
    const small = bytes(make(100_000));
    const large = bytes(make(800_000));
    await scan(small);
    const start = performance.now();
    await scan(small);
    const middle = performance.now();
    await scan(large);
    const end = performance.now();
    assert(
      end - middle < 30 * (middle - start) + 500,
      `${name}: ${middle - start} ms, ${end - middle} ms`,
    );
  }
});

Deno.test("the lists say where they have each name from", () => {
  assert(LIST_SIZES.names > 1000);
  assert(LIST_SIZES.modules > 100);
  for (const { module, name, entry } of listedNames()) {
    assert(entry.source.length > 0, `${module}.${name}`);
    assert(entry.reason.length > 0, `${module}.${name}`);
    assert(!/[\s*]/.test(`${module}${name}`), `${module}.${name}`);
  }
});

Deno.test("judgeName() goes by exact names", () => {
  for (
    const [module, name, verdict] of [
      ["datetime", "datetime", "safe"],
      ["datetime", "datetime.now", "unknown"],
      ["datetime2", "datetime", "unknown"],
      ["__builtin__", "set", "safe"],
      ["__builtin__", "eval", "dangerous"],
      ["copy_reg", "_reconstructor", "safe"],
      ["commands", "getoutput", "dangerous"],
      ["os", "anything", "dangerous"],
      ["os.path", "anything", "dangerous"],
      ["osx", "anything", "unknown"],
      ["numpy", "anything", "unknown"],
      ["builtins", "anything", "unknown"],
      ["x", "__globals__", "dangerous"],
      ["x", "_os.system", "dangerous"],
      ["x", "y.eval", "dangerous"],
      ["constructor", "prototype", "unknown"],
      ["itertools", "imap", "unknown"],
    ] as const
  ) {
    assertEquals(judgeName(module, name).verdict, verdict, `${module}.${name}`);
  }
});

Deno.test("toSarif() leaves out what is safe and hides control characters", async () => {
  const evil = await scan(bytes("cos\x1b[2J\nsystem\n0cdatetime\ndate\n."));
  const broken = await scan(bytes("N"));
  const log = toSarif([
    { uri: "a.pkl", report: evil },
    { uri: "b.pkl", report: broken },
  ]);
  const text = JSON.stringify(log);
  assert(!text.includes("\\u001b"));
  assert(!text.includes("datetime"));
  const [run] = log.runs as {
    results: { ruleId: string; level: string }[];
    tool: { driver: { rules: { id: string }[] } };
  }[];
  assertEquals(run!.results.map(({ ruleId }) => ruleId), [
    "brine/unknown",
    "brine/malformed",
  ]);
  const rules = run!.tool.driver.rules.map(({ id }) => id);
  assert(run!.results.every(({ ruleId }) => rules.includes(ruleId)));
});
