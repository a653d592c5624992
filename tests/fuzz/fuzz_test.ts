import { assertEquals } from "@std/assert";
import { jsonDoors, pickleDoors } from "./doors.ts";
import { fuzz } from "./fuzz.ts";
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
  const result = await fuzz({
    seed: 1,
    runs: 4000,
    seconds: 60,
    python: await findPython("3.13"),
    // A machine that is busy with other tests may pause.
    slow: 10_000,
  });
  assertEquals(result.findings, []);
});
