import { assert, assertEquals } from "@std/assert";
import { jsonDoors, pickleDoors } from "./doors.ts";
import { changes, cuts, varied } from "./exhaustive.ts";
import { fuzz } from "./fuzz.ts";
import { madeUp, type RandomKind, seeds, SHARES } from "./inputs.ts";
import { spans } from "./mutations.ts";
import { OPCODES } from "../../lib/pickle/opcodes.ts";
import { findPython } from "../pickle/dis_support.ts";

/** What the fuzzer has found, so that it stays found. */
const FOUND: readonly (readonly ["pickle" | "json", string, string])[] = [
  ["json", "LTDvu78=", "a character cut outside of strings"],
  [
    "json",
    "WyJcdTAwZTlcdWQ4M2QiLHsiX19wcm90b19fIjpmYWxzZX0sXQ==",
    "the place of a comma in a later chunk",
  ],
  ["json", "AAAiXHVkODNkXHVkZTAwIiLDqfCfmIAi", "UTF-32 that goes wrong late"],
  ["pickle", "N3q8ryccgAS1FwAAAAAAAACMAm9zjAY=", "7-Zip in single bytes"],
  [
    "pickle",
    "k05VTVBZAgB2AAAAeydkZXMKY29zCnN5c3RlbQou",
    "NumPy in single bytes",
  ],
  ["pickle", "H4sIAMW8c1kC/2sAAT1M+cU9", "gzip in single bytes"],
  [
    "pickle",
    "gAJHPxo24uscQy0uH4sIgAA=",
    "gzip behind a pickle, through the transcoder",
  ],
  [
    "pickle",
    "gASVDQAAAAAAAACPlChCCwAAAO2gvXRvU3RyaW5nSwBLAUsCSwNLBJAu",
    "an argument beyond its frame, within a set",
  ],
  [
    "pickle",
    "gASVBgAAAAAAAABKAQABAHAwCi5jZXhjZXB0aW9ucwpLZXlFcnJvcgpxAShYAQAAAGt0cQJScQMu",
    "a PUT beyond its frame",
  ],
  ["pickle", "XXEBKChLAEsBSwJLA2Uu", "a batch of numbers above two marks"],
  ["pickle", "fShlLg==", "an empty batch for a dict"],
  ["pickle", "gAJ9cQFLAEsBc3EBSwBLAXMu", "a key twice, between two PUTs"],
  [
    "pickle",
    "gAGOBgAAAAAAAACVuJ/RQRlwOTk5OTk5OTk5OTk5OTk5OTkKLg==",
    "a PUT beyond all numbers",
  ],
  [
    "pickle",
    "KGxwMApjc2FtcGxlbW9kCkNvbG9yCnAxCihJMQp0cDIKUnAzCmFnMwphZzEKKFYKYWcxCihWZ3JlZW4KcDQKdHA1ClJwNgphLg==",
    "a mark left open by an object",
  ],
  ["pickle", "Y3NhbQBsZQpQbGFpbgpwCi4=", "a PUT without a number"],
  ["pickle", "Y29zCnN5c3RlbQoojAR0cnVlgH8u", "a late PROTO from the future"],
  ["pickle", "Y2NsC+2gvWIKeAou", "a surrogate in the name of a class"],
  [
    "pickle",
    "Y19fYnVpbHRpbl9fCmNvbXBsZXgKcQEoR//4AAAAAAAAR3/wAAAAAAAAdFJxAi4=",
    "a NaN with a sign",
  ],
  [
    "pickle",
    "KF0oZXEBKWFoAXQu",
    "a list that is stored when it seems whole, and gets more",
  ],
  [
    "pickle",
    "KChdcQAoZUsBcQBhaAB0dC4=",
    "a number in the memo slot of the list that it is put into",
  ],
  [
    "pickle",
    "KGwobHA2CihscDcKKGxwOAoobHA5CihscDEwCihscDExCihscDEyCihscDEzCihscDE0CihscDE1CihscDE2CihscDE3CihscDE4CihscDE5CihsYWFnMTkKYWFnMTgKYWFnMTcKYWFnMTYKYWFnMTUKYWFnMTQKYWFnMTMKYWFnMTIKYWFnMTEKYWFnMTAKYWFnOQphYWc4CmFhZzcKYWc2CmcK",
    "a GET without a number, planned",
  ],
  [
    "pickle",
    "gAIobHAwCihscDEKKGxwMgoobHAzCihscDQKcDUKKGxwNgoobHA3CihscDgKKGxwOQoobHAxMAoobHAxMQoobHAxMgoobHAxMwoobHAxNAoobHAxNQoobHAxNgoobHAxNwoobHAxOAoobHAxOQoobHAyMApMMUwKYWFnMjAKYWFnMTkKYWFnMTgKYWFnMTcKYWFnMTYKYWFnMTUKYWFnMTQKYWFnMTMKYWFnMTIKYWFnMTEKYWFnMTAKYWFnOQphYWc4CmFhZzcKYWFnNgphYWc1CmFhZzQKYWFnMwphYWcyCmFhZzEKYS4=",
    "a list in two places of the memo, planned",
  ],
];

Deno.test("what the fuzzer found once is well", async () => {
  for (const [kind, base64, name] of FOUND) {
    const doors = kind === "json" ? jsonDoors : pickleDoors;
    for (const size of [1, 2, 3, 5]) {
      await doors(Uint8Array.fromBase64(base64), {
        size: () => size,
        streams: true,
        texts: true,
      }).catch((error) => {
        throw new Error(name, { cause: error });
      });
    }
  }
});

Deno.test("all doors agree on made-up input", async () => {
  const result = await fuzz(madeUp(1, 4000, { pickles: await seeds() }), {
    seconds: 60,
    python: await findPython("3.13"),
    // A machine that is busy with other tests may pause.
    slow: 10_000,
  });
  assertEquals(result.findings, []);
});

Deno.test("a few pickles stand for all opcodes and protocols", async () => {
  const all = await seeds();
  const pickles = varied(all, 100);
  assertEquals(new Set(pickles.map((bytes) => bytes.toHex())).size, 100);
  const names = pickles.flatMap((bytes) =>
    spans([...bytes]).map(({ opcode }) => opcode.name)
  );
  assertEquals(new Set(names).size, OPCODES.length);
  // Whatever the order of the fixtures.
  assertEquals(varied(all.toReversed(), 100), pickles);
});

Deno.test("every change and every beginning, once, through all doors", async () => {
  const set = [0x80, 4, 0x8f, 0x28, 0x4b, 1, 0x8c, 1, 0x61, 0x90, 0x2e];
  const list = [0x80, 4, 0x5d, 0x94, 0x68, 0, 0x61, 0x2e];
  const files = [set, list, [...list, ...list], set, []].map((bytes) =>
    Uint8Array.from(bytes)
  );
  const changed = [...changes(files.slice(0, 2))];
  assertEquals(changed.length, 255 * (set.length + list.length));
  assertEquals(
    new Set(changed.map(({ bytes }) => bytes.toHex())).size,
    changed.length,
  );
  const cut = [...cuts(files)];
  const beginnings = new Set(
    files.flatMap((file) =>
      Array.from(file, (_, size) => file.subarray(0, size).toHex())
    ),
  );
  assertEquals(
    cut.map(({ bytes }) => bytes.toHex()).toSorted(),
    [...beginnings].toSorted(),
  );
  // Of the changes, a share: what all of them find is told by the fuzzer.
  const inputs = [...cut, ...changed.filter((_, i) => i % 7 === 0)];
  const result = await fuzz(inputs, { seconds: 60, slow: 10_000 });
  assertEquals(result.findings, []);
  assertEquals(result.runs, inputs.length);
  // The first list, whole, and changes that leave a pickle whole.
  assert(result.accepted > 1);
});

Deno.test("one kind of made-up input alone", async () => {
  const pickles = await seeds();
  for (const kind of Object.keys(SHARES) as RandomKind[]) {
    const inputs = [...madeUp(1, 50, { pickles, kind })];
    assertEquals(new Set(inputs.map((input) => input.kind)), new Set([kind]));
    assertEquals(inputs, [...madeUp(1, 50, { pickles, kind })]);
  }
  const mixed = [...madeUp(1, 500, { pickles })].map(({ kind }) => kind);
  assertEquals(new Set(mixed).size, Object.keys(SHARES).length);
});

/** Together, pickles of most kinds, all small. */
const SMALL: readonly string[] = [
  "\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x01a\x94\x85\x94h\0\x86\x94.",
  "(lp0\nI1\naL2L\naF1.5\na(dp1\nS'k'\nVv\nsag1\na.",
  "\x80\x02}q\0(X\x01\0\0\0aK\x01X\x01\0\0\0bM\x01\x02X\x01\0\0\0cJ\x01\x02\x03\x04u.",
  "\x80\x02cdatetime\ndate\nq\0c_codecs\nencode\n(X\x05\0\0\0\x07\xc3\xaa\x0b\x18X\x06\0\0\0latin1tR\x85R.",
  "\x80\x03(C\x02abB\x01\0\0\0c\x8a\x02\xff\x7f\x8b\x01\0\0\0\x05G?\xf0\0\0\0\0\0\0t.",
  "\x80\x04\x8f\x94(K\x01K\x02\x90(K\x03\x91\x940]\x94(\x88\x89Ne\x85.",
  "\x80\x05\x96\x02\0\0\0\0\0\0\0ab\x8e\x01\0\0\0\0\0\0\0c\x8d\x01\0\0\0\0\0\0\0d\x87.",
  "\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R(K\x01K\x02u}b.",
  "(icollections\ndeque\n(ccollections\ndeque\no\x86.",
  "\x80\x02K\x012\x85q\x01h\x01\x86(0K\x051.]r\x02\0\0\0j\x02\0\0\0a.",
];

Deno.test("every byte of a small pickle, changed in every way that matters", async () => {
  for (const text of SMALL) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    for (let at = 0; at < bytes.length; at++) {
      const old = bytes[at]!;
      for (const byte of [0, 0xff, 0x2e, 0x28, 0x0a, old ^ 1, old ^ 0x80]) {
        await pickleDoors(bytes.with(at, byte), {
          size: () => 3,
          streams: false,
          texts: true,
        }).catch((error) => {
          throw new Error(`${text}, ${at}, ${byte}`, { cause: error });
        });
      }
    }
  }
});
